"""Activations: every f and f′ against PyTorch, the tails against 60 digits, softmax's invariances, the gates' order."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from common import Operation, map_arrays, numerical_gradients, run
from hypothesis import given
from hypothesis import strategies as st

from dlcourse import activations
from dlcourse.activations import ACTIVATIONS

ANALYTIC = [name for name in ACTIVATIONS if "relu" not in name]
KINDS = ["glu", "reglu", "geglu", "swiglu"]


def off_the_kink(rng, shape):
    """Normal numbers of scale 3, none within 0.01 of 0, where ReLU and its kin bend."""
    x = 3.0 * rng.standard_normal(shape)
    return x + np.copysign(0.01, x)


def some_shape(rng, most=3):
    return tuple(rng.integers(1, 6, size=rng.integers(1, most + 1)))


def _elementwise(name, oracle, bad=(), **options):
    return Operation(
        f"activations.{name}",
        "elementwise",
        lambda rng: {"x": off_the_kink(rng, some_shape(rng)), **options},
        wrt=("x",),
        oracle=oracle,
        bad=[({"x": None}, "x: expected an array of numbers, got NoneType"), *bad],
        empty=True,
    )


def logits(rng):
    shape = some_shape(rng)
    return {"z": 3.0 * rng.standard_normal(shape), "axis": int(rng.integers(-len(shape), len(shape)))}


def upstream_and_probabilities(rng):
    inputs = logits(rng)
    e = np.exp(inputs["z"])
    p = e / e.sum(axis=inputs["axis"], keepdims=True)
    return {"dp": rng.standard_normal(p.shape), "p": p, "axis": inputs["axis"]}


def softmax_backward_oracle(torch, dp, p, axis):
    z = torch.log(p).requires_grad_()
    return torch.autograd.grad(torch.softmax(z, dim=axis), z, dp)[0]


def halves(rng):
    shape = some_shape(rng)
    return {"a": off_the_kink(rng, shape), "b": rng.standard_normal(shape)}


def torch_unit(torch, a, b, kind):
    F = torch.nn.functional
    if kind == "glu":  # PyTorch's gate is the second half
        return F.glu(torch.cat([b, a], dim=-1), dim=-1)
    return {"reglu": F.relu, "geglu": F.gelu, "swiglu": F.silu}[kind](a) * b


def _unit(kind):
    return Operation(
        f"activations.{kind}",
        "plain",
        halves,
        oracle=lambda torch, a, b: torch_unit(torch, a, b, kind),
        bad=[({"b": lambda b: b[..., None]}, "b: expected shape .* as in a")],
        empty=True,
    )


def halves_and_upstream(rng):
    inputs = halves(rng)
    return {"dy": rng.standard_normal(inputs["a"].shape), **inputs, "kind": str(rng.choice(KINDS))}


def glu_backward_oracle(torch, dy, a, b, kind):
    a, b = a.clone().requires_grad_(), b.clone().requires_grad_()
    return torch.autograd.grad(torch_unit(torch, a, b, kind), (a, b), dy)


def glu_layer(rng, kind="swiglu"):
    N, D, K = rng.integers(1, 6, size=3)
    return {
        "X": rng.standard_normal((N, D)),
        "Wa": rng.standard_normal((D, K)),
        "ba": rng.standard_normal(K),
        "Wb": rng.standard_normal((D, K)),
        "bb": rng.standard_normal(K),
        "kind": kind,
    }


def glu_layer_oracle(torch, X, Wa, ba, Wb, bb, kind):
    F = torch.nn.functional
    return torch_unit(torch, F.linear(X, Wa.T, ba), F.linear(X, Wb.T, bb), kind)


UNKNOWN_KIND = ({"kind": "gelu"}, "kind: expected one of 'glu', 'reglu', 'geglu', 'swiglu'; got 'gelu'")
NO_SUCH_AXIS = [({"axis": 3}, "axis: expected a whole number"), ({"axis": 0.5}, "axis: expected a whole number")]

OPERATIONS = [
    _elementwise("identity", lambda torch, x: 1.0 * x),
    _elementwise("sigmoid", lambda torch, x: torch.sigmoid(x)),
    _elementwise("tanh", lambda torch, x: torch.tanh(x)),
    _elementwise("relu", lambda torch, x: torch.relu(x)),
    _elementwise(
        "leaky_relu",
        lambda torch, x, slope: torch.nn.functional.leaky_relu(x, slope),
        [({"slope": "steep"}, "slope: expected a number"), ({"slope": np.inf}, "slope: expected a number")],
        slope=0.2,
    ),
    _elementwise("softplus", lambda torch, x: torch.nn.functional.softplus(x, threshold=100)),
    _elementwise("gelu", lambda torch, x: torch.nn.functional.gelu(x)),
    _elementwise("gelu_tanh", lambda torch, x: torch.nn.functional.gelu(x, approximate="tanh")),
    _elementwise("silu", lambda torch, x: torch.nn.functional.silu(x)),
    _elementwise(
        "swish",
        lambda torch, x, beta: x * torch.sigmoid(beta * x),
        [({"beta": None}, "beta: expected a number"), ({"beta": np.nan}, "beta: expected a number")],
        beta=1.7,
    ),
    Operation(
        "activations.softmax",
        "plain",
        logits,
        oracle=lambda torch, z, axis: torch.softmax(z, dim=axis),
        bad=[*NO_SUCH_AXIS, ({"z": 1.0}, r"z: expected at least one axis .*, got shape \(\)")],
    ),
    Operation(
        "activations.log_softmax",
        "plain",
        logits,
        oracle=lambda torch, z, axis: torch.log_softmax(z, dim=axis),
        bad=NO_SUCH_AXIS,
    ),
    Operation(
        "activations.softmax_backward",
        "plain",
        upstream_and_probabilities,
        oracle=softmax_backward_oracle,
        bad=[*NO_SUCH_AXIS, ({"dp": lambda dp: dp[..., None]}, "dp: expected the output's shape")],
    ),
    *(_unit(kind) for kind in KINDS),
    Operation(
        "activations.glu_backward",
        "plain",
        halves_and_upstream,
        oracle=glu_backward_oracle,
        bad=[
            UNKNOWN_KIND,
            ({"dy": lambda dy: dy[..., None]}, "dy: expected the output's shape"),
            ({"b": lambda b: b[..., None]}, "b: expected shape .* as in a"),
        ],
        empty=True,
    ),
    Operation(
        "activations.glu_layer",
        "pair",
        glu_layer,
        wrt=("X", "Wa", "ba", "Wb", "bb"),
        oracle=glu_layer_oracle,
        bad=[
            UNKNOWN_KIND,
            ({"Wb": lambda W: W[:, :-1]}, r"Wb: expected shape \(D, K\)"),
            ({"bb": lambda b: b[:, None]}, r"bb: expected shape \(K,\)"),
        ],
    ),
]


# The tails. The reference is computed with 60 digits, so nothing in it can cancel or overflow.


def exact(formula, x):
    with localcontext() as context:
        context.prec, context.Emin, context.Emax = 60, -100_000, 100_000
        return formula(Decimal(float(x)))


def exact_sigmoid(x):
    return 1 / (1 + (-x).exp())


EXACT = {
    "sigmoid": (exact_sigmoid, lambda x: exact_sigmoid(x) * exact_sigmoid(-x)),
    "softplus": (lambda x: (1 + x.exp()).ln() if x > -50 else log1p_series(x.exp()), exact_sigmoid),
    "silu": (
        lambda x: x * exact_sigmoid(x),
        lambda x: exact_sigmoid(x) * (1 + x * exact_sigmoid(-x)),
    ),
}


def log1p_series(t):
    return t - t * t / 2 + t * t * t / 3


def tail_points(dtype):
    magnitudes = np.concatenate([np.geomspace(1e-8, 1e4, 200), np.arange(1.0, 760.0, 7.3), [36.7, 37.5, 88.5, 709.9]])
    x = np.concatenate([-magnitudes, magnitudes]).astype(dtype)
    return x[np.abs(x + 1.2785) > 0.05]  # SiLU′ passes through 0 there: no relative error is small


@pytest.mark.parametrize("dtype, allowed", [(np.float64, 1e-10), (np.float32, 1e-5)], ids=["float64", "float32"])
@pytest.mark.parametrize("which", [0, 1], ids=["f", "f_grad"])
@pytest.mark.parametrize("name", EXACT)
def test_both_tails_keep_their_digits_in_silence(name, which, dtype, allowed):
    x = tail_points(dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        values = ACTIVATIONS[name][which](x)
    assert values.dtype == dtype
    smallest = float(np.finfo(dtype).tiny)
    for at, value in zip(x, values, strict=True):
        expected = exact(EXACT[name][which], at)
        if abs(expected) < smallest:  # below the normal numbers: there are no more digits to keep
            assert abs(float(value)) <= smallest
        else:
            error = abs(Decimal(float(value)) - expected) / abs(expected)
            assert error < allowed, f"{name} at {at:g}: {value:g} instead of {expected:.6g}"


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_nothing_overflows_at_ten_thousand(name):
    f, f_grad = ACTIVATIONS[name]
    for dtype in (np.float64, np.float32):
        x = np.array([-1e4, -1000.0, 1000.0, 1e4], dtype)
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            assert np.all(np.isfinite(f(x))) and np.all(np.isfinite(f_grad(x)))


def test_the_tails_of_the_others_end_where_they_should():
    x = np.array([-1000.0, 1000.0])
    np.testing.assert_array_equal(activations.tanh(x), [-1.0, 1.0])
    np.testing.assert_array_equal(activations.tanh_grad(x), [0.0, 0.0])
    for name in ("gelu", "gelu_tanh", "silu", "swish"):
        f, f_grad = ACTIVATIONS[name]
        np.testing.assert_array_equal(f(x), [0.0, 1000.0])
        np.testing.assert_array_equal(f_grad(x), [0.0, 1.0])


# Every activation


@pytest.mark.parametrize("name", ANALYTIC)
def test_derivative_equals_the_complex_step(name):
    """Free of cancellation, so it sees errors that central differences cannot."""
    f, f_grad = ACTIVATIONS[name]
    x = np.linspace(-6.0, 6.0, 241)
    complex_step = np.imag(f(x + 1e-30j)) / 1e-30
    # 1 + tanh and 1 + erf round at 1e-16 in the left tail, times x·u′ < 40
    np.testing.assert_allclose(f_grad(x), complex_step, rtol=1e-13, atol=5e-15)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_any_shape_any_type(name):
    for f in ACTIVATIONS[name]:
        for shape in [(), (0,), (3, 0), (1,), (2, 3, 4, 5)]:
            for dtype in (np.float64, np.float32):
                y = f(np.full(shape, 0.5, dtype))
                assert y.shape == shape and y.dtype == dtype
        assert f([-1, 2]).dtype == f(np.array([1, 2], np.int8)).dtype == np.float64
        assert f([[1.0, 2.0]]).shape == (1, 2)
        assert np.ndim(f(2)) == 0
        with pytest.raises(TypeError, match="x: expected an array of numbers"):
            f("three")
        with pytest.raises(ValueError, match="x: expected an array of numbers, got a nested list"):
            f([[1.0], [1.0, 2.0]])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_table_pairs_each_name_with_its_functions(name):
    f, f_grad = ACTIVATIONS[name]
    assert f is getattr(activations, name) and f_grad is getattr(activations, name + "_grad")


@pytest.mark.parametrize("name", ACTIVATIONS)
@given(seed=st.integers(0, 2**32 - 1))
def test_each_entry_stands_alone(name, seed):
    rng = np.random.default_rng(seed)
    x = 5.0 * rng.standard_normal((4, 3))
    order = rng.permutation(4)
    for f in ACTIVATIONS[name]:
        np.testing.assert_allclose(f(x)[order], f(x[order]), rtol=1e-14)
        np.testing.assert_allclose(f(x)[1, 2], f(x[1, 2]), rtol=1e-14)


def test_options_of_numpy_types_do_not_decide_the_dtype():
    x = np.ones(2, np.float32)
    for f in ACTIVATIONS["leaky_relu"]:
        assert f(x, slope=np.float64(0.1)).dtype == np.float32
    for f in ACTIVATIONS["swish"]:
        assert f(x, beta=np.float64(0.1)).dtype == np.float32


def test_conventions_at_the_kink():
    zero = np.array([0.0, -0.0])
    np.testing.assert_array_equal(activations.relu_grad(zero), [0.0, 0.0])
    np.testing.assert_array_equal(activations.leaky_relu_grad(zero, slope=0.3), [0.3, 0.3])
    # either side
    np.testing.assert_array_equal(activations.relu_grad(np.array([-1e-300, 1e-300])), [0.0, 1.0])
    np.testing.assert_array_equal(activations.leaky_relu_grad(np.array([-1e-300, 1e-300])), [0.01, 1.0])


@pytest.mark.parametrize("slope", [0.0, 0.01, 1.0, 1.5, -0.5])
def test_leaky_relu_takes_any_slope(slope):
    x = np.array([-2.0, -0.5, 0.5, 2.0])
    np.testing.assert_allclose(activations.leaky_relu(x, slope), [-2 * slope, -0.5 * slope, 0.5, 2.0], rtol=1e-15)
    np.testing.assert_array_equal(activations.leaky_relu_grad(x, slope), [slope, slope, 1.0, 1.0])


def test_default_options():
    x = np.array([-2.0, 3.0])
    np.testing.assert_array_equal(activations.leaky_relu(x), [-0.02, 3.0])
    np.testing.assert_array_equal(activations.swish(x), activations.silu(x))
    np.testing.assert_array_equal(activations.swish_grad(x), activations.silu_grad(x))


@given(st.floats(-1e4, 1e4))
def test_sigmoid_and_softplus_are_one_family(x):
    """σ(x) + σ(−x) = 1, softplus(x) − softplus(−x) = x, tanh x = 2σ(2x) − 1, SiLU(x) − SiLU(−x) = x."""
    assert activations.sigmoid(x) + activations.sigmoid(-x) == pytest.approx(1.0, abs=5e-16)
    assert activations.softplus(x) - activations.softplus(-x) == pytest.approx(x, rel=1e-15, abs=1e-15)
    assert activations.tanh(x) == pytest.approx(2.0 * activations.sigmoid(2.0 * x) - 1.0, abs=5e-16)
    assert activations.silu(x) - activations.silu(-x) == pytest.approx(x, rel=1e-15, abs=1e-300)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20))
def test_monotonic_ones_are_monotonic(values):
    x = np.sort(values)
    for name in ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "softplus"):
        f, f_grad = ACTIVATIONS[name]
        # an ulp of the exponential may go the wrong way
        assert np.all(np.diff(f(x)) >= -4e-16 * np.abs(f(x)[1:])) and np.all(f_grad(x) >= 0.0)


def test_the_sigmoid_is_steepest_at_0_with_a_quarter():
    x = np.linspace(-5.0, 5.0, 1001)
    slopes = activations.sigmoid_grad(x)
    assert slopes.max() == 0.25 and x[slopes.argmax()] == 0.0


def test_gelu_is_the_exact_one_and_its_approximation_is_near():
    x = np.linspace(-8.0, 8.0, 16001)
    distance = np.max(np.abs(activations.gelu(x) - activations.gelu_tanh(x)))
    assert 4e-4 < distance < 5e-4
    # Φ(1) from a table
    assert activations.gelu(1.0) == pytest.approx(0.841344746068543, rel=1e-14)


def test_swish_between_a_line_and_relu():
    x = np.linspace(-3.0, 3.0, 7)
    np.testing.assert_array_equal(activations.swish(x, beta=0.0), x / 2.0)
    np.testing.assert_allclose(activations.swish(x, beta=1000.0), activations.relu(x), atol=1e-300)
    # β is not dropped from the derivative: Swish_β(x) = SiLU(βx)/β
    np.testing.assert_allclose(activations.swish(x, 2.5), activations.silu(2.5 * x) / 2.5, rtol=1e-15)


def test_silu_has_its_minimum_where_the_docstring_says():
    x = np.linspace(-2.0, -0.5, 15001)
    y = activations.silu(x)
    assert x[y.argmin()] == pytest.approx(-1.278, abs=1e-3) and y.min() == pytest.approx(-0.278, abs=1e-3)


# Softmax


@given(seed=st.integers(0, 2**32 - 1), shift=st.floats(-1e3, 1e3))
def test_softmax_does_not_see_a_shift(seed, shift):
    rng = np.random.default_rng(seed)
    z = 5.0 * rng.standard_normal((3, 4))
    shifts = shift * rng.standard_normal((3, 1))
    np.testing.assert_allclose(activations.softmax(z + shifts), activations.softmax(z), rtol=1e-11)
    np.testing.assert_allclose(activations.log_softmax(z + shifts), activations.log_softmax(z), rtol=1e-11, atol=1e-11)


@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([1.0, 30.0, 1000.0]))
def test_softmax_gives_probabilities(seed, scale):
    rng = np.random.default_rng(seed)
    shape = some_shape(rng)
    axis = int(rng.integers(-len(shape), len(shape)))
    z = scale * rng.standard_normal(shape)
    p = activations.softmax(z, axis=axis)
    assert np.all(p >= 0.0)
    np.testing.assert_allclose(p.sum(axis=axis), 1.0, rtol=1e-14)
    # the other axis order, the other order of classes
    np.testing.assert_allclose(np.moveaxis(activations.softmax(np.moveaxis(z, axis, -1)), -1, axis), p, rtol=1e-14)
    order = rng.permutation(shape[axis])
    np.testing.assert_allclose(activations.softmax(z.take(order, axis), axis), p.take(order, axis), rtol=1e-13)
    log_p = activations.log_softmax(z, axis=axis)
    assert np.all(log_p <= 0.0) and np.all(np.isfinite(log_p))
    np.testing.assert_allclose(np.exp(log_p), p, rtol=1e-12, atol=1e-300)


def test_softmax_by_hand():
    z = np.log(np.array([[1.0, 2.0, 5.0], [3.0, 3.0, 2.0]]))
    np.testing.assert_allclose(activations.softmax(z), [[0.125, 0.25, 0.625], [0.375, 0.375, 0.25]], rtol=1e-15)
    np.testing.assert_allclose(activations.softmax(z, axis=0), [[0.25, 0.4, 5 / 7], [0.75, 0.6, 2 / 7]], rtol=1e-15)


def test_softmax_of_huge_logits():
    z = np.array([[1000.0, -1000.0, 0.0], [-1000.0, -1000.0, -1000.0]])
    np.testing.assert_array_equal(activations.softmax(z)[0], [1.0, 0.0, 0.0])
    np.testing.assert_allclose(activations.softmax(z)[1], 1 / 3)
    np.testing.assert_array_equal(activations.log_softmax(z)[0], [0.0, -2000.0, -1000.0])
    # a class ruled out by −∞ takes no part
    np.testing.assert_array_equal(activations.softmax([0.0, -np.inf, 0.0]), [0.5, 0.0, 0.5])
    # one class only
    assert activations.softmax([7.0]).tolist() == [1.0] and activations.log_softmax([7.0]).tolist() == [0.0]


@given(st.integers(0, 2**32 - 1))
def test_softmax_backward_is_the_jacobian(seed):
    rng = np.random.default_rng(seed)
    z, dp = rng.standard_normal(5), rng.standard_normal(5)
    p = activations.softmax(z)
    jacobian = np.diag(p) - np.outer(p, p)
    dz = activations.softmax_backward(dp, p)
    # Five products and their sum, each rounded once
    rounding = 10 * np.finfo(float).eps
    largest = np.abs(dp).max()
    np.testing.assert_allclose(dz, jacobian @ dp, atol=rounding * largest)
    assert abs(dz.sum()) < rounding * largest
    complex_step = [np.imag(activations.softmax(z + 1e-30j * e) @ dp) / 1e-30 for e in np.eye(5)]
    np.testing.assert_allclose(dz, complex_step, atol=rounding * largest)
    # a constant upstream gradient is a shift of nothing
    np.testing.assert_allclose(activations.softmax_backward(np.full(5, 3.0), p), 0.0, atol=rounding * 3.0)


# Gated units


@pytest.mark.parametrize("kind", KINDS)
def test_glu_backward_equals_central_differences(kind):
    rng = np.random.default_rng(5)
    unit = getattr(activations, kind)
    a, b, dy = off_the_kink(rng, (3, 4)), rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
    da, db = activations.glu_backward(dy, a, b, kind)
    h = 1e-5
    np.testing.assert_allclose(da, dy * (unit(a + h, b) - unit(a - h, b)) / (2 * h), rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(db, dy * (unit(a, b + h) - unit(a, b - h)) / (2 * h), rtol=1e-7, atol=1e-8)
    # linear in the upstream gradient (E25: it is a factor of both)
    for twice, once in zip(activations.glu_backward(2.0 * dy, a, b, kind), (da, db), strict=True):
        np.testing.assert_array_equal(twice, 2.0 * once)


def test_glu_backward_is_swiglu_unless_told():
    a, b = np.array([0.7]), np.array([-1.3])
    one = np.ones(1)
    assert activations.glu_backward(one, a, b) == activations.glu_backward(one, a, b, kind="swiglu")


def test_the_first_argument_is_the_gate():
    closed, value = np.array([-1000.0]), np.array([3.0])
    for kind in KINDS:
        assert getattr(activations, kind)(closed, value) == 0.0
    assert activations.reglu([2.0], [-3.0]) == [-6.0]
    assert activations.glu([0.0], [-3.0]) == [-1.5]


def test_units_take_lists_and_never_broadcast():
    for kind in KINDS:
        unit = getattr(activations, kind)
        assert unit([1, 2], [3, 4]).dtype == np.float64
        with pytest.raises(ValueError, match=r"b: expected shape .* as in a, got \(1,\)"):
            unit(np.ones(3), np.ones(1))
        with pytest.raises(ValueError, match=r"b: expected shape .* as in a, got \(\)"):
            unit(np.ones(3), 1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_glu_layer_of_every_kind(kind):
    torch = pytest.importorskip("torch", reason="PyTorch, the live oracle, is not installed")
    op = next(op for op in OPERATIONS if op.name == "activations.glu_layer")
    inputs = glu_layer(np.random.default_rng(11), kind)
    results = run(op, inputs)
    for path, numeric in numerical_gradients(op, inputs).items():
        np.testing.assert_allclose(results[path], numeric, rtol=1e-6, atol=1e-8)
    expected = glu_layer_oracle(torch, **map_arrays(torch.tensor, inputs)).numpy()
    np.testing.assert_allclose(results["out"], expected, rtol=1e-12)


def test_glu_layer_by_hand():
    """One example, two inputs, one output: a = 2·1 + 3·0 − 1 = 1, b = 2·1 + 3·1 + 0 = 5, y = ReLU(1)·5."""
    X, Wa, Wb = np.array([[2.0, 3.0]]), np.array([[1.0], [0.0]]), np.array([[1.0], [1.0]])
    Y, cache = activations.glu_layer_forward(X, Wa, [-1.0], Wb, [0.0], "reglu")
    assert Y.tolist() == [[5.0]]
    dX, dWa, dba, dWb, dbb = activations.glu_layer_backward(np.array([[10.0]]), cache)
    # da = 10·1·5 = 50, db = 10·1 = 10
    assert dWa.tolist() == [[100.0], [150.0]] and dba.tolist() == [50.0]
    assert dWb.tolist() == [[20.0], [30.0]] and dbb.tolist() == [10.0]
    assert dX.tolist() == [[60.0, 10.0]]
