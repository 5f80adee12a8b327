"""The fast twins against the formulas that they stand in for: same values, same gradients, same inputs left alone."""

import importlib
import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from common import assert_close, fewer, flatten, map_arrays, summands, upstream
from hypothesis import given
from hypothesis import strategies as st

from dlcourse import activations, attention, convolution, kernels, layers, losses, normalization, optimizers, recurrent
from dlcourse.networks import registry

DTYPES = pytest.mark.parametrize(
    "dtype, tolerance", [("float64", 1e-12), ("float32", 2e-5)], ids=["float64", "float32"]
)


def arrays(rng, *shapes):
    return [rng.standard_normal(shape) for shape in shapes]


def linear(rng, N=5, D=4, K=3):
    return layers, "linear", arrays(rng, (N, D), (D, K), K), {}


def conv2d(rng, **options):
    return convolution, "conv2d", arrays(rng, (3, 6, 7, 2), (3, 2, 2, 4), 4), options


def batchnorm(rng, shape=(6, 3)):
    X, gamma, beta, mean = arrays(rng, shape, 3, 3, 3)
    return normalization, "batchnorm", [X + 5.0, gamma, beta, normalization.BatchNormState(mean, mean**2)], {}


def layernorm(rng, shape=(4, 5)):
    return normalization, "layernorm", [*arrays(rng, shape, shape[-1], shape[-1])], {"eps": 1e-3}


def lstm(rng, T=5):
    D, H, N = 3, 4, 2
    return recurrent, "lstm", arrays(rng, (N, T, D), (N, H), (N, H), (D, 4 * H), (H, 4 * H), 4 * H), {}


def gru(rng, T=5, **options):
    D, H, N = 3, 4, 2
    return recurrent, "gru", arrays(rng, (N, T, D), (N, H), (D, 3 * H), (H, 3 * H), 3 * H, 3 * H), options


def multi_head_attention(rng, N=3, T=5, heads=2, **options):
    D, E = 4, 6
    values = arrays(rng, (N, T, D), (D, E), (D, E), (D, E), (E, D))
    return attention, "multi_head_attention", [*values, heads], options


def transformer_block(rng, **options):
    X, *values = arrays(rng, (3, 5, 4), 4, 4, (4, 6), (4, 6), (4, 6), (6, 4), 4, 4, (4, 7), 7, (7, 4), 4)
    names = ("gamma1", "beta1", "Wq", "Wk", "Wv", "Wo", "gamma2", "beta2", "W1", "b1", "W2", "b2")
    return attention, "transformer_block", [X, dict(zip(names, values, strict=True)), 2], options


HIDDEN_ROW = np.tri(5, dtype=bool) & (np.arange(5) != 2)[:, None]
TWINS = {
    "linear": linear,
    "linear, one example": lambda rng: linear(rng, N=1),
    "conv2d": conv2d,
    "conv2d, padded": lambda rng: conv2d(rng, padding=1),
    "conv2d, stride": lambda rng: conv2d(rng, stride=2, padding=1),
    "conv2d, much padding": lambda rng: conv2d(rng, padding=3),
    "batchnorm": batchnorm,
    "batchnorm, images": lambda rng: batchnorm(rng, (2, 2, 3, 3)),
    "layernorm": layernorm,
    "layernorm, sequences": lambda rng: layernorm(rng, (2, 3, 4)),
    "lstm": lstm,
    "lstm, one step": lambda rng: lstm(rng, T=1),
    "gru": gru,
    "gru, reset after": lambda rng: gru(rng, reset_after=True),
    "gru, one step": lambda rng: gru(rng, T=1),
    "attention": multi_head_attention,
    "attention, causal": lambda rng: multi_head_attention(rng, mask=np.tri(5, dtype=bool)),
    "attention, a row without keys": lambda rng: multi_head_attention(rng, mask=HIDDEN_ROW),
    "attention, a mask for each example": lambda rng: multi_head_attention(rng, mask=np.ones((3, 1, 5, 5), bool)),
    "transformer_block": transformer_block,
    "transformer_block, causal": lambda rng: transformer_block(rng, mask=np.tri(5, dtype=bool)),
}
over_twins = pytest.mark.parametrize("make", TWINS.values(), ids=TWINS)


def case(make, dtype):
    module, op, arguments, options = make(np.random.default_rng(0))
    arguments = map_arrays(lambda x: np.asarray(x, dtype), arguments)
    return module, op, arguments, options


def both_ways(module, op, arguments, options, **backward):
    """Outputs and gradients for a random upstream gradient."""
    *out, cache = getattr(module, f"{op}_forward")(*arguments, **options)
    if op == "batchnorm":
        cache, *out = [out[1], out[0], cache]
    dout = upstream(out[0])
    before = dout.copy()
    gradients = getattr(module, f"{op}_backward")(dout, cache, **backward)
    assert np.array_equal(dout, before), f"{op}_backward changed the upstream gradient"
    return flatten(tuple(out)), list(gradients)


def assert_same(actual, expected, arguments, tolerance, op):
    """What `both_ways` gave of two implementations: the same outputs and gradients."""
    summed = summands(arguments, expected[0])
    assert_close(actual[0], expected[0], tolerance, op, summed)
    assert_close(flatten(actual[1]), flatten(expected[1]), tolerance, f"gradients of {op}", summed)


@over_twins
@DTYPES
def test_twins_equal_the_formulas(make, dtype, tolerance):
    module, op, arguments, options = case(make, dtype)
    kept = map_arrays(np.copy, arguments)
    actual, fast = both_ways(kernels, op, arguments, options)
    assert_same((actual, fast), both_ways(module, op, arguments, options), arguments, tolerance, op)
    assert all(x.dtype == dtype for x in flatten(fast).values())
    for (path, x), y in zip(flatten(arguments).items(), flatten(kept).values(), strict=True):
        np.testing.assert_array_equal(x, y, err_msg=f"{op} changed {path}")
    for x in flatten(arguments).values():
        assert not any(np.shares_memory(x, y) for y in (*actual.values(), *flatten(fast).values()) if np.ndim(y))


@over_twins
def test_gradients_go_where_they_are_sent(make):
    _, op, arguments, options = case(make, "float64")
    outputs, expected = both_ways(kernels, op, arguments, options)
    # as a network has it: views into one vector, of what was there before
    parameters = expected[1] if isinstance(expected[1], dict) else expected[1:]
    if op in ("gru", "lstm"):
        parameters = expected[-4:] if op == "gru" else expected[-3:]
    flat = np.full(sum(x.size for x in flatten(parameters).values()), np.nan)
    start, views = 0, {}
    for path, x in flatten(parameters).items():
        views[path] = flat[start : start + x.size].reshape(x.shape)
        start += x.size
    out = views if isinstance(parameters, dict) else list(views.values())
    for inputs in (True, False):
        flat[...] = np.nan
        _, gradients = both_ways(kernels, op, arguments, options, out=out, inputs=inputs)
        assert_close(views, flatten(parameters), 1e-14, op, summands(arguments, outputs))
        if inputs:
            np.testing.assert_allclose(gradients[0], expected[0], rtol=1e-12)


@over_twins
def test_memory_that_is_not_contiguous_is_read_rightly(make):
    _, op, arguments, options = case(make, "float64")
    expected = both_ways(kernels, op, arguments, options)
    strided = map_arrays(lambda x: np.repeat(x, 2, axis=-1)[..., ::2], arguments)
    assert_same(both_ways(kernels, op, strided, options), expected, arguments, 1e-12, op)


@over_twins
def test_a_twin_keeps_no_more_than_its_formula_may(make):
    """The bound that test_common.py has for the formulas: of the order of what went in and came out."""
    _, op, arguments, options = case(make, "float64")
    out = getattr(kernels, f"{op}_forward")(*arguments, **options)
    place = 1 if op == "batchnorm" else -1

    def size(tree):
        return sum({id(x): x.nbytes for x in flatten(tree).values() if isinstance(x, np.ndarray)}.values())

    shown = size(arguments) + size([x for i, x in enumerate(out) if i != place % len(out)])
    assert size(out[place]) <= 12 * shown + 1024


def test_every_twin_is_tested_here():
    assert {make(np.random.default_rng(0))[1] for make in TWINS.values()} | {"activation"} == set(kernels.TWINS)
    assert set(kernels.UPDATES) == {"sgd", "adam"}


def formula_of(twin):
    """The formula that the twin names first."""
    module, name = re.match(r"`(\w+)\.(\w+)`", inspect.getdoc(twin)).groups()
    return getattr(importlib.import_module(f"dlcourse.{module}"), name)


FUNCTIONS = [getattr(kernels, name) for name in kernels.__all__ if not name.isupper()]


@pytest.mark.parametrize("twin", FUNCTIONS, ids=lambda twin: twin.__name__)
def test_a_twin_names_its_formula_and_the_formula_its_twin(twin):
    formula, place = formula_of(twin), twin.__module__.removeprefix("dlcourse.")
    assert f"Fast twin: `{place}.{twin.__name__}`." in " ".join(inspect.getdoc(formula).split())
    parts = {"losses": "layers"}
    topic = formula.__module__.removeprefix("dlcourse.")
    assert place == f"kernels.{parts.get(topic, topic)}" or twin.__name__.startswith("activation_")


def test_a_formula_names_no_twin_that_is_not_there():
    named = set()
    for path in Path(layers.__file__).parent.glob("[a-z]*.py"):
        named |= set(re.findall(r"Fast twin:\s+`([\w.]+)`", path.read_text(encoding="utf-8")))
    assert named == {f"{twin.__module__.removeprefix('dlcourse.')}.{twin.__name__}" for twin in FUNCTIONS}


def test_the_table_pairs_forward_with_backward_of_one_formula():
    for name, pair in kernels.TWINS.items():
        forward, backward = map(formula_of, pair)
        assert (forward.__name__, backward.__name__) == (f"{name}_forward", f"{name}_backward")
        assert forward.__module__ == backward.__module__ and [f.__name__ for f in pair] == [
            forward.__name__,
            backward.__name__,
        ]


def test_a_network_uses_every_twin():
    """A name that the table misspelt would be silently slow."""
    specs = [("linear", 4, 4), ("layernorm", 4), ("conv2d", 4, 4, 3), ("lstm", 4, 4), ("gru", 4, 4)]
    specs += [("attention", 4, 4, 2), ("transformer_block", 4, 2)]
    rng = np.random.default_rng(0)
    used = {registry.build(0, spec, rng)[1].twin[0].__name__.removesuffix("_forward") for spec in specs}
    assert used == set(kernels.TWINS) - {"activation", "batchnorm"}  # these two have classes that name their twins


@pytest.mark.parametrize("name", activations.ACTIVATIONS)
@DTYPES
def test_activations_equal_the_formulas(name, dtype, tolerance):
    rng = np.random.default_rng(0)
    # more than two blocks, and both tails
    X = np.concatenate([rng.standard_normal(140_001), np.linspace(-120, 120, 1001), [-1e4, 0.0, 1e4]]).astype(dtype)
    dY = rng.standard_normal(X.shape).astype(dtype)
    before = X.copy()
    Y, cache = kernels.activation_forward(X, name)
    dX = kernels.activation_backward(dY, cache)
    expected, formula = layers.activation_forward(X, name)
    np.testing.assert_allclose(Y, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(dX, layers.activation_backward(dY, formula), rtol=tolerance, atol=tolerance)
    assert Y.dtype == dX.dtype == dtype and np.array_equal(X, before) and not np.shares_memory(X, Y)


def test_options_of_activations_reach_the_formula():
    X = np.array([[-2.0, 3.0]])
    Y, cache = kernels.activation_forward(X, "leaky_relu", slope=0.5)
    assert Y.tolist() == [[-1.0, 3.0]] and kernels.activation_backward(X, cache).tolist() == [[-1.0, 3.0]]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_sigmoid_keeps_its_left_tail(dtype):
    X = (
        np.linspace(-700, 700, 4001).astype(dtype)
        if dtype == "float64"
        else np.linspace(-85, 85, 4001, dtype="float32")
    )
    Y, _ = kernels.activation_forward(X, "sigmoid")
    exact = np.exp(np.minimum(X, 0), dtype="longdouble") / (1 + np.exp(-np.abs(X), dtype="longdouble"))
    assert np.max(np.abs(Y / exact - 1)) < 8 * np.finfo(dtype).eps
    assert kernels.activation_forward(np.array([-1e4, 1e4]), "sigmoid")[0].tolist() == [0.0, 1.0]


def test_gelu_in_float32_is_within_a_few_roundings():
    X = np.linspace(-12, 12, 100_001)
    Y, cache = kernels.activation_forward(X.astype("float32"), "gelu")
    dX = kernels.activation_backward(np.ones(X.shape, "float32"), cache)
    assert np.max(np.abs(Y - activations.gelu(X))) < 1e-6 and np.max(np.abs(dX - activations.gelu_grad(X))) < 1e-6


def test_activations_may_write_over_their_input():
    for name in ("relu", "tanh", "sigmoid"):
        X = np.random.default_rng(0).standard_normal((3, 4))
        expected = activations.ACTIVATIONS[name][0](X)
        Y, _ = kernels.activation_forward(X, name, out=X)
        assert Y is X
        np.testing.assert_allclose(Y, expected, rtol=1e-14)


@given(
    st.integers(1, 40),
    st.integers(1, 12),
    st.sampled_from([1.0, 30.0, 1000.0]),
    st.sampled_from([0.0, 500.0, -500.0]),
    st.integers(0, 2**32 - 1),
)
def test_cross_entropy_equals_the_formulas(N, K, scale, shift, seed):
    rng = np.random.default_rng(seed)
    logits, labels = scale * rng.standard_normal((N, K)) + shift, rng.integers(0, K, N)
    before = logits.copy()
    J, dU = kernels.softmax_cross_entropy_with_grad(logits, labels)
    np.testing.assert_allclose(J, losses.softmax_cross_entropy(logits, labels), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(dU, losses.softmax_cross_entropy_grad(logits, labels), rtol=1e-10, atol=1e-14)
    assert np.array_equal(logits, before)


def test_cross_entropy_of_many_rows_and_of_float32():
    rng = np.random.default_rng(0)
    logits, labels = rng.standard_normal((2100, 300)).astype("float32"), rng.integers(0, 300, 2100)
    logits[1500] *= 1000.0
    J, dU = kernels.softmax_cross_entropy_with_grad(logits, labels)
    assert pytest.approx(float(losses.softmax_cross_entropy(logits.astype("float64"), labels)), rel=1e-5) == J
    expected = losses.softmax_cross_entropy_grad(logits.astype("float64"), labels)
    np.testing.assert_allclose(dU, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    assert dU.dtype == np.float32


def test_cross_entropy_at_the_edges_is_silent():
    J, dU = kernels.softmax_cross_entropy_with_grad(np.array([[1000.0, -1000.0], [-1000.0, 1000.0]]), np.array([0, 0]))
    assert J == 1000.0 and dU.tolist() == [[0.0, 0.0], [-0.5, 0.5]]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ["adam", "sgd"])
@pytest.mark.parametrize("size", [1, 1000, 150_001])
def test_updates_equal_the_steps_in_place(name, size, dtype):
    rng = np.random.default_rng(0)
    w = rng.standard_normal(size).astype(dtype)
    expected = w.copy()
    init, step = getattr(optimizers, f"{name}_init"), getattr(optimizers, f"{name}_step")
    own_init, update = kernels.UPDATES[name]
    state, expected_state = (own_init or init)(w), init(expected)
    place = w
    for _ in range(4):
        dw = rng.standard_normal(size).astype(dtype)
        given = dw.copy()
        expected, expected_state = step(expected, dw, expected_state, lr=0.01)
        state = update(w, dw, state, lr=0.01)
        assert np.array_equal(dw, given)
    tolerance = 1e-13 if dtype == "float64" else 1e-5
    assert w is place and w.dtype == dtype
    np.testing.assert_allclose(w, expected, rtol=tolerance, atol=tolerance)
    if name == "adam":
        averages = {"t": state.t, "m": state.a * state.M, "v": state.b * state.V}
        assert_close(averages, expected_state._asdict(), tolerance, name, dw)


@pytest.mark.parametrize(
    "options",
    [
        {"beta1": 0.5, "beta2": 0.7, "eps": 0.3},
        {"beta1": 0.0, "beta2": 0.0},
        {"beta1": 0.9, "beta2": 0.95},
    ],
)
def test_adam_over_many_steps(options):
    # long enough for both numbers to become so small that they go into their vectors, the one after 13 steps or 88
    rng = np.random.default_rng(0)
    w = rng.standard_normal(5)
    expected, expected_state, state = w.copy(), optimizers.adam_init(w), kernels.adam_init(w)
    for _ in range(250):
        dw = rng.standard_normal(5)
        expected, expected_state = optimizers.adam_step(expected, dw, expected_state, lr=0.01, **options)
        state = kernels.adam_update(w, dw, state, lr=0.01, **options)
        assert 1e-4 < state.a <= 1.0 and 1e-4 < state.b <= 1.0
    np.testing.assert_allclose(w, expected, rtol=1e-11)


@fewer(30)
@given(st.integers(1, 3), st.integers(1, 9), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_attention_of_any_size(N, T, heads, seed):
    rng = np.random.default_rng(seed)
    X, *W = arrays(rng, (N, T, 3), (3, 2 * heads), (3, 2 * heads), (3, 2 * heads), (2 * heads, 3))
    # Scores of a few units: beside a weight of 1 − 1e-9 the gradients of the scores are differences of equal numbers
    X *= 0.2
    small = kernels.attention.BLOCK
    try:
        kernels.attention.BLOCK = 70  # so that examples and heads are cut in every way
        actual = both_ways(kernels, "multi_head_attention", [X, *W, heads], {"mask": np.tri(T, dtype=bool)})
    finally:
        kernels.attention.BLOCK = small
    expected = both_ways(attention, "multi_head_attention", [X, *W, heads], {"mask": np.tri(T, dtype=bool)})
    assert_same(actual, expected, [X, *W], 1e-11, "attention")


def test_attention_with_scores_of_hundreds():
    _, op, (X, *rest), options = multi_head_attention(np.random.default_rng(0), mask=np.tri(5, dtype=bool))
    arguments = [5.0 * X, *rest]
    (actual, fast), (expected, gradients) = (both_ways(way, op, arguments, options) for way in (kernels, attention))
    summed = summands(arguments, expected)
    assert_close(actual, expected, 1e-11, op, summed)
    assert_close(flatten(fast), flatten(gradients), 1e-10, op, summed)


@fewer(30)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(0, 3), st.integers(0, 2**32 - 1))
def test_convolution_of_any_size(N, kh, kw, padding, seed):
    rng = np.random.default_rng(seed)
    arguments = arrays(rng, (N, kh + 2, kw + 1, 2), (kh, kw, 2, 3), 3)
    actual = both_ways(kernels, "conv2d", arguments, {"padding": padding})
    expected = both_ways(convolution, "conv2d", arguments, {"padding": padding})
    assert_same(actual, expected, arguments, 1e-12, "conv2d")


def test_lstm_in_two_halves_is_lstm_whole():
    _, _, (X, h0, c0, *weights), _ = lstm(np.random.default_rng(0), T=6)
    dH = np.random.default_rng(1).standard_normal((2, 6, 4))
    H, _, cache = kernels.lstm_forward(X, h0, c0, *weights)
    dX, dh0, dc0, *_ = kernels.lstm_backward(dH, cache)
    first, (h, c), cache1 = kernels.lstm_forward(X[:, :2], h0, c0, *weights)
    second, _, cache2 = kernels.lstm_forward(X[:, 2:], h, c, *weights)
    dX2, dh, dc, *_ = kernels.lstm_backward(dH[:, 2:], cache2)
    dX1, dh1, dc1, *_ = kernels.lstm_backward(dH[:, :2], cache1, dhT=dh, dcT=dc)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), H, rtol=1e-12)
    np.testing.assert_allclose(np.concatenate([dX1, dX2], axis=1), dX, rtol=1e-10)
    np.testing.assert_allclose([dh1, dc1], [dh0, dc0], rtol=1e-10)


def test_batch_norm_needs_two_rows_and_survives_a_large_mean():
    gamma, beta, state = normalization.batchnorm_init(2)
    with pytest.raises(ValueError, match="X: expected at least two rows in training"):
        kernels.batchnorm_forward(np.ones((1, 2)), gamma, beta, state)
    X = (1000.0 + np.random.default_rng(0).standard_normal((64, 2))).astype("float32")
    Y, _, _ = kernels.batchnorm_forward(X, gamma.astype("float32"), beta.astype("float32"), state)
    expected, _, _ = normalization.batchnorm_forward(X.astype("float64"), gamma, beta, state)
    np.testing.assert_allclose(Y, expected, atol=2e-3)
