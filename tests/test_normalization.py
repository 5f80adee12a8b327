"""Normalization: batch and layer norm against PyTorch, in training and in evaluation, and by what they promise."""

import numpy as np
import pytest
from common import Operation, assert_close, cast, map_arrays, numerical_gradients, run, run_torch, summands
from hypothesis import given
from hypothesis import strategies as st

from dlcourse import kernels, normalization
from dlcourse.normalization import BatchNormState

TESTED_BELOW = ["normalization.batchnorm_init"]


def batchnorm_inputs(train, images=False):
    def inputs(rng):
        D = int(rng.integers(2, 5))
        # at least three rows: with two x̂ is ±1 whatever x is, and the gradient is all rounding
        N = int(rng.integers(3, 7))
        shape = (N, 3, 2, D) if images else (N, D)
        return {
            "X": 2.0 * rng.standard_normal(shape) + 1.0,
            "gamma": rng.standard_normal(D) + 2.0,
            "beta": rng.standard_normal(D),
            "state": BatchNormState(rng.standard_normal(D), rng.uniform(0.5, 2.0, D)),
            "train": train,
            "momentum": 0.3,
            "eps": 0.01,
        }

    return inputs


def batchnorm_oracle(torch, X, gamma, beta, state, train, momentum, eps):
    mean, var = state.mean.clone(), state.var.clone()
    Y = torch.nn.functional.batch_norm(
        torch.movedim(X, -1, 1), mean, var, gamma, beta, training=train, momentum=momentum, eps=eps
    )
    return torch.movedim(Y, 1, -1), BatchNormState(mean, var)


def layernorm_inputs(rng):
    *leading, D = (int(n) for n in rng.integers(2, 6, size=3))
    return {
        "X": 2.0 * rng.standard_normal((*leading, D)) + 1.0,
        "gamma": rng.standard_normal(D) + 2.0,
        "beta": rng.standard_normal(D),
        "eps": 0.01,
    }


def rmsnorm_inputs(rng):
    inputs = layernorm_inputs(rng)
    del inputs["beta"]
    return inputs


BAD_AFFINE = [
    ({"gamma": lambda gamma: gamma[:-1]}, r"gamma: expected shape \(D,\) with D = \d as in X"),
    ({"gamma": lambda gamma: gamma[None]}, r"gamma: expected shape \(D,\)"),
    ({"beta": np.ones(1)}, r"beta: expected shape \(D,\) with D = \d as in X, got \(1,\)"),
    ({"eps": 0.0}, r"eps: expected a number in \(0, inf\]"),
]

BAD_BATCHNORM = [
    *BAD_AFFINE,
    ({"X": lambda X: X[0, 0] if X.ndim == 4 else X[0]}, r"X: expected (shape|at least two rows)"),
    ({"X": lambda X: X[:0]}, "X: expected at least one entry along each axis"),
    ({"state": None}, r"state: expected a NamedTuple with the fields \(mean, var\), got None"),
    ({"state": lambda state: state._replace(var=state.var[:-1])}, r"var: expected shape \(D,\) with D = \d as in X"),
    ({"momentum": 1.5}, r"momentum: expected a number in \[0, 1\], got 1.5"),
]

OPERATIONS = [
    Operation(
        "normalization.batchnorm",
        "pair",
        batchnorm_inputs(True),
        wrt=("X", "gamma", "beta"),
        oracle=batchnorm_oracle,
        bad=[
            *BAD_BATCHNORM,
            ({"X": lambda X: X[:1]}, r"X: expected at least two rows in training, got shape \(1, \d\)"),
        ],
        cache=1,
    ),
    Operation(
        "normalization.layernorm",
        "pair",
        layernorm_inputs,
        wrt=("X", "gamma", "beta"),
        oracle=lambda torch, X, gamma, beta, eps: torch.nn.functional.layer_norm(X, X.shape[-1:], gamma, beta, eps),
        bad=[*BAD_AFFINE, ({"X": np.asarray(1.0)}, r"X: expected shape \(\.\.\., D\), got \(\)")],
    ),
    Operation(
        "normalization.rmsnorm",
        "pair",
        rmsnorm_inputs,
        wrt=("X", "gamma"),
        oracle=lambda torch, X, gamma, eps: torch.nn.functional.rms_norm(X, X.shape[-1:], gamma, eps),
        bad=[
            *(entry for entry in BAD_AFFINE if "beta" not in entry[0]),
            ({"X": np.asarray(1.0)}, r"X: expected shape \(\.\.\., D\), got \(\)"),
            ({"X": lambda X: X[:0]}, "X: expected at least one entry along each axis"),
        ],
    ),
]

# the same questions to the forms that the registry does not hold: images, and the pass of an evaluation
FORMS = {
    "images": Operation(
        "normalization.batchnorm",
        "pair",
        batchnorm_inputs(True, images=True),
        ("X", "gamma", "beta"),
        oracle=batchnorm_oracle,
        cache=1,
    ),
    "evaluation": Operation(
        "normalization.batchnorm",
        "pair",
        batchnorm_inputs(False),
        ("X", "gamma", "beta"),
        oracle=batchnorm_oracle,
        cache=1,
    ),
    "evaluation of images": Operation(
        "normalization.batchnorm",
        "pair",
        batchnorm_inputs(False, images=True),
        ("X", "gamma", "beta"),
        oracle=batchnorm_oracle,
        cache=1,
    ),
}
over_forms = pytest.mark.parametrize("op", FORMS.values(), ids=FORMS)


@over_forms
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_images_and_evaluation_are_pytorchs(op, dtype):
    torch = pytest.importorskip("torch")
    for seed in range(5):
        inputs = cast(op.inputs(np.random.default_rng(seed)), dtype)
        expected = run_torch(op, inputs, torch, seed)
        tolerance, summed = op.tolerance[dtype == np.float32], summands(inputs, expected, seed)
        assert_close(run(op, inputs, seed), expected, tolerance, f"seed {seed}", summed)


@over_forms
def test_gradients_of_images_and_evaluation_are_central_differences(op):
    inputs = op.inputs(np.random.default_rng(0))
    analytic = run(op, inputs)
    for path, numeric in numerical_gradients(op, inputs).items():
        assert np.max(np.abs(analytic[path] - numeric)) < 1e-7 * np.max(np.abs(numeric)), path


@over_forms
def test_images_and_evaluation_run_on_the_strict_backend(op):
    strict = pytest.importorskip("array_api_strict")
    inputs = op.inputs(np.random.default_rng(0))
    on_strict = run(op, map_arrays(strict.asarray, inputs))
    expected = run(op, inputs)
    assert_close(on_strict, expected, 1e-12, op.name, summands(inputs, expected))


@over_forms
def test_images_are_rows_of_pixels(op):
    """(N, H, W, C) is (N·H·W, C): the same numbers, forwards and backwards."""
    inputs = op.inputs(np.random.default_rng(1))
    X = inputs["X"]
    rows = run(op, inputs | {"X": X.reshape(-1, X.shape[-1])})
    whole = run(op, inputs)
    assert whole["0"].shape == whole["dX"].shape == X.shape
    for path, x in whole.items():
        np.testing.assert_allclose(x.reshape(rows[path].shape), rows[path], rtol=1e-12, atol=1e-14, err_msg=path)


# ---- what batch norm promises ----


@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(1, 5), st.floats(-1e3, 1e3), st.floats(1e-2, 1e3))
def test_output_has_mean_beta_and_deviation_gamma(seed, N, D, shift, scale):
    rng = np.random.default_rng(seed)
    X = shift + scale * rng.standard_normal((N, D))
    gamma, beta = rng.standard_normal(D), rng.standard_normal(D)
    Y, _, _ = normalization.batchnorm_forward(X, gamma, beta, normalization.batchnorm_init(D)[2], eps=1e-12)
    np.testing.assert_allclose(np.mean(Y, axis=0), beta, atol=1e-9)
    # with two rows close together, ε is felt
    tight = np.var(X, axis=0) / (np.var(X, axis=0) + 1e-12)
    np.testing.assert_allclose(np.var(Y, axis=0), gamma**2 * tight, rtol=1e-6, atol=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_a_permuted_batch_gives_a_permuted_output(seed):
    rng = np.random.default_rng(seed)
    inputs = batchnorm_inputs(True)(rng)
    order = rng.permutation(len(inputs["X"]))
    Y, cache, state = normalization.batchnorm_forward(**inputs)
    permuted = normalization.batchnorm_forward(**(inputs | {"X": inputs["X"][order]}))
    np.testing.assert_allclose(permuted[0], Y[order], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(permuted[2].var, state.var, rtol=1e-12)
    dY = rng.standard_normal(Y.shape)
    dX = normalization.batchnorm_backward(dY, cache)[0]
    np.testing.assert_allclose(
        normalization.batchnorm_backward(dY[order], permuted[1])[0], dX[order], rtol=1e-10, atol=1e-12
    )


@given(st.integers(0, 2**32 - 1))
def test_the_gradient_is_blind_to_shift_and_scale(seed):
    """Y does not change when a feature is shifted (nor, with a small ε, scaled): dX is orthogonal to 1 and to x̂."""
    inputs = batchnorm_inputs(True)(np.random.default_rng(seed)) | {"eps": 1e-14}
    Y, cache, _ = normalization.batchnorm_forward(**inputs)
    dX, _, _ = normalization.batchnorm_backward(np.random.default_rng(seed + 1).standard_normal(Y.shape), cache)
    size = np.max(np.abs(dX)) + np.max(np.abs(inputs["gamma"] / cache.s))
    assert np.max(np.abs(np.sum(dX, axis=0))) < 1e-10 * size
    assert np.max(np.abs(np.sum(dX * cache.x_hat, axis=0))) < 1e-6 * size


def test_running_statistics_by_hand():
    X = np.array([[1.0, 10.0], [3.0, 10.0], [5.0, 40.0]])
    gamma, beta, state = normalization.batchnorm_init(2)
    assert state._fields == ("mean", "var")
    _, _, state = normalization.batchnorm_forward(X, gamma, beta, state)
    # means 3 and 20; unbiased variances (4 + 0 + 4)/2 = 4 and (100 + 100 + 400)/2 = 300
    np.testing.assert_allclose(state.mean, [0.3, 2.0], rtol=1e-15)
    np.testing.assert_allclose(state.var, [0.9 + 0.4, 0.9 + 30.0], rtol=1e-15)
    _, _, state = normalization.batchnorm_forward(X, gamma, beta, state, momentum=1.0)
    np.testing.assert_allclose(state.mean, [3.0, 20.0], rtol=1e-15)
    np.testing.assert_allclose(state.var, [4.0, 300.0], rtol=1e-15)
    _, _, same = normalization.batchnorm_forward(X, gamma, beta, state, momentum=0.0)
    np.testing.assert_array_equal(same, state)
    Y, _, after = normalization.batchnorm_forward(X[:1], gamma, beta, state, train=False, eps=1e-12)
    np.testing.assert_allclose(Y, [[-1.0, -10.0 / np.sqrt(300.0)]], rtol=1e-9)
    np.testing.assert_array_equal(after, state)
    assert not np.shares_memory(after.mean, state.mean) and not np.shares_memory(after.var, state.var)


def test_running_statistics_approach_those_of_the_data():
    rng = np.random.default_rng(2)
    gamma, beta, state = normalization.batchnorm_init(1)
    for _ in range(3000):
        _, _, state = normalization.batchnorm_forward(
            5.0 + 2.0 * rng.standard_normal((4, 1)), gamma, beta, state, momentum=0.01
        )
    # the biased variance of batches of four would settle at 3
    np.testing.assert_allclose(state.mean, 5.0, atol=0.3)
    np.testing.assert_allclose(state.var, 4.0, atol=0.8)


def test_one_row_cannot_be_trained_on():
    gamma, beta, state = normalization.batchnorm_init(3)
    for shape in [(1, 3), (1, 1, 1, 3)]:
        with pytest.raises(ValueError, match="X: expected at least two rows in training"):
            normalization.batchnorm_forward(np.ones(shape), gamma, beta, state)
        Y, _, _ = normalization.batchnorm_forward(np.ones(shape), gamma, beta, state, train=False)
        assert Y.shape == shape
    # one image has many pixels
    normalization.batchnorm_forward(np.ones((1, 2, 1, 3)), gamma, beta, state)
    with pytest.raises(ValueError, match=r"X: expected shape \(N, D\) or \(N, H, W, C\), got \(3,\)"):
        normalization.batchnorm_forward(np.ones(3), gamma, beta, state)
    with pytest.raises(ValueError, match="D: expected a whole number of at least 1, got 0"):
        normalization.batchnorm_init(0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("value", [0.0, 0.1, 3.7, 1000.1, -1e4, 123456.7])
@pytest.mark.parametrize("rows", [2, 3, 7, 64, 100])
@pytest.mark.parametrize("module", [normalization, kernels])
def test_a_feature_that_never_varies_gives_beta_in_silence(module, rows, value, dtype):
    """What the mean of large equal numbers is rounded by must not be taken for a deviation from it."""
    X = np.full((rows, 2), value, dtype=dtype)
    gamma, beta = np.full(2, 3.0, dtype), np.array([0.5, -1.0], dtype)
    Y, cache, state = module.batchnorm_forward(X, gamma, beta, normalization.batchnorm_init(2)[2], momentum=1.0)
    np.testing.assert_allclose(Y, np.broadcast_to(beta, X.shape), atol=1e-5)
    np.testing.assert_allclose(state.mean, X[0], rtol=1e-6)
    assert all(np.all(np.isfinite(g)) for g in module.batchnorm_backward(np.ones_like(X), cache))
    Y, cache = module.layernorm_forward(X.T.copy(), np.full(rows, 3.0, dtype), np.full(rows, 0.5, dtype))
    np.testing.assert_allclose(Y, np.full((2, rows), 0.5), atol=1e-5)
    assert all(np.all(np.isfinite(g)) for g in module.layernorm_backward(np.ones_like(Y), cache))


def test_x_alone_decides_the_dtype():
    X = np.random.default_rng(3).standard_normal((5, 2)).astype(np.float32)
    gamma, beta, state = normalization.batchnorm_init(2)
    for train in (True, False):
        Y, cache, new = normalization.batchnorm_forward(
            X, gamma, beta, state, train=train, momentum=np.float64(0.1), eps=np.float64(1e-5)
        )
        gradients = normalization.batchnorm_backward(np.ones_like(Y), cache)
        assert {x.dtype for x in (Y, cache.x_hat, cache.gamma, cache.s, *gradients)} == {np.dtype(np.float32)}
        assert new.mean.dtype == new.var.dtype == np.float64
        assert new.mean is not state.mean
    Y, cache = normalization.layernorm_forward(X, gamma, beta, eps=np.float64(1e-5))
    assert {x.dtype for x in (Y, *normalization.layernorm_backward(np.ones_like(Y), cache))} == {np.dtype(np.float32)}
    single = BatchNormState(np.zeros(2, dtype=np.float32), np.ones(2, dtype=np.float32))
    Y, _, new = normalization.batchnorm_forward(X.astype(np.float64), gamma, beta, single)
    assert Y.dtype == np.float64 and new.mean.dtype == new.var.dtype == np.float32
    assert normalization.batchnorm_forward([[1, 2], [3, 5]], [1, 1], [0, 0], state)[0].dtype == np.float64


def test_the_cache_outlives_its_output():
    """Work in place on Y, as a layer after this one might, leaves the backward pass right."""
    inputs = batchnorm_inputs(True)(np.random.default_rng(4))
    Y, cache, _ = normalization.batchnorm_forward(**inputs)
    dY = np.random.default_rng(5).standard_normal(Y.shape)
    before = normalization.batchnorm_backward(dY, cache)
    Y *= 0.0
    for x, y in zip(normalization.batchnorm_backward(dY, cache), before, strict=True):
        np.testing.assert_array_equal(x, y)


def test_the_complex_step_passes_through_every_argument():
    inputs = batchnorm_inputs(True)(np.random.default_rng(8))
    Y, cache, _ = normalization.batchnorm_forward(**inputs)
    dY = np.random.default_rng(9).standard_normal(Y.shape)
    gradients = dict(zip(("X", "gamma", "beta"), normalization.batchnorm_backward(dY, cache), strict=True))
    for name, gradient in gradients.items():
        direction = np.random.default_rng(10).standard_normal(gradient.shape)
        stepped, _, _ = normalization.batchnorm_forward(**(inputs | {name: inputs[name] + 1e-20j * direction}))
        np.testing.assert_allclose(np.sum(dY * stepped.imag) / 1e-20, np.sum(gradient * direction), rtol=1e-10)


# ---- layer norm ----


@given(st.integers(0, 2**32 - 1))
def test_layer_norm_is_batch_norm_of_the_transposed(seed):
    rng = np.random.default_rng(seed)
    N, D = rng.integers(2, 6, size=2)
    X, dY = rng.standard_normal((N, D)), rng.standard_normal((N, D))
    Y, cache = normalization.layernorm_forward(X, np.ones(D), np.zeros(D))
    Yt, cache_t, _ = normalization.batchnorm_forward(X.T, *normalization.batchnorm_init(int(N)))
    np.testing.assert_allclose(Y, Yt.T, rtol=1e-12, atol=1e-13)
    dX = normalization.layernorm_backward(dY, cache)[0]
    np.testing.assert_allclose(dX, normalization.batchnorm_backward(dY.T, cache_t)[0].T, rtol=1e-9, atol=1e-10)


def test_layer_norm_sees_each_row_alone():
    inputs = layernorm_inputs(np.random.default_rng(6))
    X, others = inputs["X"], {name: x for name, x in inputs.items() if name != "X"}
    Y, cache = normalization.layernorm_forward(**inputs)
    dY = np.random.default_rng(7).standard_normal(Y.shape)
    dX, dgamma, dbeta = normalization.layernorm_backward(dY, cache)
    sums = [0.0, 0.0]
    for index in np.ndindex(X.shape[:-1]):
        y, cache = normalization.layernorm_forward(X[index], **others)
        np.testing.assert_allclose(y, Y[index], rtol=1e-12)
        dx, dg, db = normalization.layernorm_backward(dY[index], cache)
        np.testing.assert_allclose(dx, dX[index], rtol=1e-10, atol=1e-13)
        sums = [sums[0] + dg, sums[1] + db]
    np.testing.assert_allclose(dgamma, sums[0], rtol=1e-10)
    np.testing.assert_allclose(dbeta, sums[1], rtol=1e-10)


def test_layer_norm_of_a_single_feature_is_beta():
    Y, cache = normalization.layernorm_forward(np.array([[3.0], [-1.0]]), np.array([2.0]), np.array([0.5]))
    assert Y.tolist() == [[0.5], [0.5]]
    assert normalization.layernorm_backward(np.ones((2, 1)), cache)[0].tolist() == [[0.0], [0.0]]


def test_rms_norm_is_layer_norm_of_rows_with_mean_zero():
    rng = np.random.default_rng(3)
    X, gamma = rng.standard_normal((4, 6)), rng.standard_normal(6)
    X -= X.mean(axis=1, keepdims=True)
    centred, _ = normalization.layernorm_forward(X, gamma, np.zeros(6))
    Y, cache = normalization.rmsnorm_forward(X, gamma)
    np.testing.assert_allclose(Y, centred, rtol=1e-12, atol=1e-14)
    # Another mean changes its output, another scale does not
    assert np.abs(normalization.rmsnorm_forward(X + 1.0, gamma)[0] - Y).max() > 0.1
    np.testing.assert_allclose(normalization.rmsnorm_forward(1e3 * X, gamma, eps=1e-12)[0], Y, rtol=1e-4)
    # So a row's gradient has no part along the row
    dX, _ = normalization.rmsnorm_backward(rng.standard_normal((4, 6)), cache)
    assert np.abs((dX * X).sum(axis=1)).max() < 1e-4
