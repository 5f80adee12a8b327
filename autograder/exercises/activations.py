"""Exercises of the activations topic."""

import math

import numpy as np

from dlcourse import activations

from ..checks.exercise import Case, Exercise, Mistake

# --- what the answers below have in common --------------------------------------------------------------------------


def _sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


_erf = np.vectorize(math.erf, otypes=[float])


def _cdf(x):
    return 0.5 * (1.0 + _erf(x / math.sqrt(2.0)))


def _density(x):
    return np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)


def _relu(x):
    return np.maximum(x, 0.0)


def _relu_grad(x):
    return np.where(x > 0, 1.0, 0.0)


def _gelu(x):
    return x * _cdf(x)


def _gelu_grad(x):
    return _cdf(x) + x * _density(x)


def _silu(x):
    return x * _sigmoid(x)


def _silu_grad(x):
    return _sigmoid(x) * (1 + x * _sigmoid(-x))


def _softmax(z, axis=-1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


# Both signs, far and near, so that no draw decides whether a mistake shows
_LINE = np.array([-3.0, -1.5, -0.75, -0.25, 0.5, 1.0, 2.0, 4.0])


def _smooth_cases(rng, *more):
    """The cases that every elementwise function shares: other shapes, types, and numbers far from zero."""
    return [
        Case("from −3 to 4", (_LINE,)),
        Case("a batch", (2 * rng.standard_normal((4, 3)),)),
        Case("float32", (rng.standard_normal((2, 5)).astype(np.float32),)),
        *more,
        Case("three axes", (rng.standard_normal((2, 3, 4)),), hidden=True),
    ]


def _off_zero(rng, *shape):
    """Normal numbers that keep away from a kink at 0."""
    x = rng.standard_normal(shape)
    return x + np.copysign(0.1, x)


def _kinked_cases(rng, options=({},), integers=True):
    """The same for functions with a kink at 0; `options` are gone through in turn."""
    given = [dict(options[i % len(options)]) for i in range(6)]
    cases = [
        Case("from −3 to 4", (_LINE,), given[0]),
        Case("a batch", (_off_zero(rng, 4, 3),), given[1]),
        Case("float32", (_off_zero(rng, 2, 5).astype(np.float32),), given[2]),
        Case("at the kink", (np.array([[-1.0, 0.0], [-0.0, 1.0]]),), given[3]),
        Case("three axes", (_off_zero(rng, 2, 3, 4),), given[5], hidden=True),
    ]
    if integers:
        cases.insert(4, Case("integers", (np.array([-3, 2, -1, 5, 0]),), given[4]))
    return cases


def _elementwise(f):
    """A function of one array, so that each answer below is one line."""

    def activation(x):
        return f(x)

    return activation


def _each(f):
    """The function of one number, applied to every entry in a loop."""

    def activation(x, *args, **options):
        out = np.empty(np.shape(x))
        for index in np.ndindex(out.shape):
            out[index] = f(float(x[index]), *args, **options)
        return out

    return activation


# --- sigmoid and tanh -----------------------------------------------------------------------------------------------


def _sigmoid_cases(rng):
    return _smooth_cases(
        rng,
        Case("x = ±1000", (np.array([-1000.0, 1000.0, 800.0, -800.0]),)),
        # relative: what is asked is the digits of numbers that are nothing beside the largest
        Case("the left tail, −40 to −600", (np.array([-40.0, -50.0, -100.0, -600.0]),), relative=True),
    )


_sigmoid_sign = _elementwise(lambda x: _sigmoid(-x))
_sigmoid_ratio = _elementwise(lambda x: np.exp(x) / (1 + np.exp(x)))
_sigmoid_tanh_tail = _elementwise(lambda x: 0.5 * (1 + np.tanh(0.5 * x)))
_sigmoid_clipped = _elementwise(lambda x: 1 / (1 + np.exp(-np.clip(x, -30, 30))))
_sigmoid_tanh = _elementwise(lambda x: np.tanh(x))
_sigmoid_step = _elementwise(lambda x: (x > 0) * 1.0)
_sigmoid_slope = _elementwise(lambda x: _sigmoid(x) * _sigmoid(-x))
_sigmoid_bracket = _elementwise(lambda x: 1 / 1 + np.exp(-np.maximum(x, -700)))


def _sigmoid_plain(x):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def _sigmoid_masks(x):
    y = np.empty(x.shape)
    right = x >= 0
    y[right] = 1 / (1 + np.exp(-x[right]))
    e = np.exp(x[~right])
    y[~right] = e / (1 + e)
    return y


_sigmoid_each = _each(lambda x: 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x)))


def _slope_cases(rng):
    return _smooth_cases(rng, Case("x = ±1000 and 0", (np.array([[-1000.0, 1000.0, 0.0]]),)))


def _at_output(f_grad, f):
    """A derivative taken at f(x), where it belongs at x."""
    return _elementwise(lambda x: f_grad(f(x)))


_sigmoid_grad_at_output = _at_output(lambda y: _sigmoid(y) * _sigmoid(-y), _sigmoid)
_sigmoid_grad_of_input = _elementwise(lambda x: x * (1 - x))
_sigmoid_grad_function = _elementwise(_sigmoid)
_sigmoid_grad_tanh = _elementwise(lambda x: 1 - _sigmoid(x) ** 2)
_sigmoid_grad_sign = _elementwise(lambda x: -_sigmoid(x) * _sigmoid(-x))
_sigmoid_grad_square = _elementwise(lambda x: _sigmoid(x) ** 2)
_sigmoid_grad_half = _elementwise(lambda x: 2 * _sigmoid(x) * _sigmoid(-x))
_sigmoid_grad_overflow = _elementwise(lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2)


def _sigmoid_grad_output_form(x):
    y = _sigmoid(x)
    return y - y**2


def _sigmoid_grad_even(x):
    e = np.exp(-np.abs(x))
    return e / (1 + e) ** 2


_tanh_grad_at_output = _at_output(lambda y: 1 - np.tanh(y) ** 2, np.tanh)
_tanh_grad_of_input = _elementwise(lambda x: 1 - x**2)
_tanh_grad_no_square = _elementwise(lambda x: 1 - np.tanh(x))
_tanh_grad_sigmoid = _elementwise(lambda x: np.tanh(x) * (1 - np.tanh(x)))
_tanh_grad_sign = _elementwise(lambda x: np.tanh(x) ** 2 - 1)
_tanh_grad_overflow = _elementwise(
    lambda x: 1 - ((np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))) ** 2,
)
_tanh_grad_function = _elementwise(np.tanh)
_tanh_grad_sech = _elementwise(lambda x: 1 / np.cosh(np.clip(x, -700, 700)))


def _tanh_grad_product(x):
    t = np.tanh(x)
    return (1 - t) * (1 + t)


def _tanh_grad_sigmoids(x):
    return 4 * _sigmoid(2 * x) * _sigmoid(-2 * x)


# --- ReLU and leaky ReLU --------------------------------------------------------------------------------------------


def _relu_in_place(x):
    x[x < 0] = 0
    return x


_relu_absolute = _elementwise(np.abs)
_relu_minimum = _elementwise(lambda x: np.minimum(x, 0))
_relu_leaky = _elementwise(lambda x: np.where(x > 0, x, 0.01 * x))
_relu_mask = _elementwise(lambda x: (x > 0) * 1.0)
_relu_six = _elementwise(lambda x: np.clip(x, 0, 1))
_relu_softplus = _elementwise(lambda x: np.logaddexp(0, x))
_relu_largest = _elementwise(lambda x: max(0.0, float(np.max(x))))

_relu_times_mask = _elementwise(lambda x: x * (x > 0))
_relu_average = _elementwise(lambda x: (x + np.abs(x)) / 2)
_relu_each = _each(lambda x: max(x, 0.0))

_relu_grad_one = _elementwise(lambda x: np.where(x >= 0, 1.0, 0.0))
_relu_grad_half = _elementwise(lambda x: np.heaviside(x, 0.5))
_relu_grad_function = _elementwise(_relu)
_relu_grad_sign = _elementwise(np.sign)
_relu_grad_negative = _elementwise(lambda x: np.where(x < 0, 1.0, 0.0))
_relu_grad_ones = _elementwise(lambda x: np.ones(x.shape))


def _relu_grad_in_place(x):
    x[x <= 0] = 0
    x[x > 0] = 1
    return x


def _relu_grad_divided(x):
    with np.errstate(invalid="ignore"):
        return np.maximum(x, 0) / x


_relu_grad_boolean = _elementwise(lambda x: x > 0)
_relu_grad_sign_clipped = _elementwise(lambda x: np.maximum(np.sign(x), 0))
_relu_grad_each = _each(lambda x: 1.0 if x > 0 else 0.0)

_SLOPES = ({}, {"slope": 0.25}, {"slope": 0.125}, {"slope": 0.3}, {"slope": 0.5}, {"slope": 0.2})


def _with_slope(f):
    def leaky(x, slope=0.01):
        return f(x, slope)

    return leaky


_leaky_fixed = _with_slope(lambda x, s: np.where(x > 0, x, 0.01 * x))
_leaky_sides = _with_slope(lambda x, s: np.where(x > 0, s * x, x))
_leaky_sign = _with_slope(lambda x, s: np.where(x > 0, x, -s * x))
_leaky_relu = _with_slope(lambda x, s: np.maximum(x, 0.0))
_leaky_constant = _with_slope(lambda x, s: np.where(x > 0, x, s))
_leaky_everywhere = _with_slope(lambda x, s: s * x)
_leaky_added = _with_slope(lambda x, s: np.maximum(x, 0) + s * x)


def _leaky_in_place(x, slope=0.01):
    out = x.astype(float)
    out[x < 0] *= slope
    if x.dtype.kind == "f":
        x[:] = out
        return x
    return out


def _leaky_integer(x, slope=0.01):
    out = np.zeros_like(x)
    out[x > 0] = x[x > 0]
    out[x <= 0] = slope * x[x <= 0]
    return out


_leaky_maximum = _with_slope(lambda x, s: np.maximum(x, s * x))
_leaky_mask = _with_slope(lambda x, s: x * ((x > 0) + s * (x <= 0)))
_leaky_each = _each(lambda x, slope=0.01: x if x > 0 else slope * x)

_leaky_grad_one = _with_slope(lambda x, s: np.where(x >= 0, 1.0, s))
_leaky_grad_fixed = _with_slope(lambda x, s: np.where(x > 0, 1.0, 0.01))
_leaky_grad_zero = _with_slope(lambda x, s: np.where(x > 0, 1.0, 0.0))
_leaky_grad_function = _with_slope(lambda x, s: np.where(x > 0, x, s * x))
_leaky_grad_sides = _with_slope(lambda x, s: np.where(x > 0, s, 1.0))
_leaky_grad_sign = _with_slope(lambda x, s: np.where(x > 0, 1.0, -s))
_leaky_grad_added = _with_slope(lambda x, s: (x > 0) + s)


def _leaky_grad_integer(x, slope=0.01):
    out = np.full_like(x, 1)
    out[x <= 0] = slope
    return out


def _leaky_grad_assigned(x, slope=0.01):
    out = np.ones(x.shape)
    out[x <= 0] = slope
    return out


_leaky_grad_mask = _with_slope(lambda x, s: s + (1 - s) * (x > 0))
_leaky_grad_each = _each(lambda x, slope=0.01: 1.0 if x > 0 else slope)

# --- softplus -------------------------------------------------------------------------------------------------------


def _softplus_cases(rng):
    return _smooth_cases(
        rng,
        Case("x = ±1000", (np.array([-1000.0, 1000.0, 800.0, -800.0]),)),
        # relative: what is asked is the digits of numbers that are nothing beside the largest
        Case("the left tail, −40 to −600", (np.array([-40.0, -50.0, -100.0, -600.0]),), relative=True),
    )


_softplus_naive = _elementwise(lambda x: np.log(1 + np.exp(x)))
_softplus_log1p = _elementwise(lambda x: np.log1p(np.exp(x)))
_softplus_tail = _elementwise(lambda x: np.maximum(x, 0) + np.log(1 + np.exp(-np.abs(x))))
_softplus_clipped = _elementwise(lambda x: np.log1p(np.exp(np.clip(x, -30, 30))))
_softplus_hard = _elementwise(_relu)
_softplus_sign = _elementwise(lambda x: np.logaddexp(0, -x))
_softplus_slope = _elementwise(_sigmoid)
_softplus_log2 = _elementwise(lambda x: np.logaddexp(0, x) / np.log(2))

_softplus_logaddexp = _elementwise(lambda x: np.logaddexp(0, x))
_softplus_branches = _elementwise(
    lambda x: np.where(x > 0, x + np.log1p(np.exp(-np.maximum(x, 0))), np.log1p(np.exp(np.minimum(x, 0))))
)
_softplus_each = _each(lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))))

# --- GELU -----------------------------------------------------------------------------------------------------------


def _gelu_cases(rng):
    return _smooth_cases(rng, Case("x = ±40 and 0", (np.array([-40.0, 40.0, 0.0]),)))


_C = math.sqrt(2 / math.pi)


def _tanh_gelu(x, c=_C, cubic=0.044715):
    return 0.5 * x * (1 + np.tanh(c * (x + cubic * x**3)))


def _tanh_gelu_slope(x):
    t = np.tanh(_C * (x + 0.044715 * x**3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * _C * (1 + 3 * 0.044715 * x * x)


_gelu_by_tanh = _elementwise(_tanh_gelu)
_gelu_by_sigmoid = _elementwise(lambda x: x * _sigmoid(1.702 * x))
_gelu_no_root = _elementwise(lambda x: 0.5 * x * (1 + _erf(x)))
_gelu_no_half = _elementwise(lambda x: x * (1 + _erf(x / math.sqrt(2))))
_gelu_no_one = _elementwise(lambda x: 0.5 * x * _erf(x / math.sqrt(2)))
_gelu_gate_only = _elementwise(_cdf)
_gelu_density = _elementwise(lambda x: x * _density(x))
_gelu_silu = _elementwise(_silu)

_gelu_erfc = _elementwise(lambda x: 0.5 * x * np.vectorize(math.erfc, otypes=[float])(-x / math.sqrt(2)))
_gelu_normal = _elementwise(lambda x: x / 2 + x / 2 * _erf(x * math.sqrt(0.5)))
_gelu_each = _each(lambda x: x * (1 + math.erf(x / 2**0.5)) / 2)

_gelu_tanh_exact = _elementwise(_gelu)
_gelu_tanh_point = _elementwise(lambda x: _tanh_gelu(x, cubic=0.44715))
_gelu_tanh_no_cube = _elementwise(lambda x: _tanh_gelu(x, cubic=0.0))
_gelu_tanh_square = _elementwise(lambda x: 0.5 * x * (1 + np.tanh(_C * (x + 0.044715 * x**2))))
_gelu_tanh_bracket = _elementwise(lambda x: 0.5 * x * (1 + np.tanh(_C * x + 0.044715 * x**3)))
_gelu_tanh_no_root = _elementwise(lambda x: _tanh_gelu(x, c=2 / math.pi))
_gelu_tanh_no_half = _elementwise(lambda x: 2 * _tanh_gelu(x))
_gelu_tanh_no_one = _elementwise(lambda x: 0.5 * x * np.tanh(_C * (x + 0.044715 * x**3)))

_gelu_tanh_powers = _elementwise(
    lambda x: x / 2 * (np.tanh((2 / np.pi) ** 0.5 * np.polyval([0.044715, 0, 1, 0], x)) + 1)
)
_gelu_tanh_sigmoid = _elementwise(lambda x: x * _sigmoid(2 * _C * x * (1 + 0.044715 * x * x)))
_gelu_tanh_each = _each(lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))))

_gelu_grad_tanh = _elementwise(_tanh_gelu_slope)
_gelu_grad_first = _elementwise(_cdf)
_gelu_grad_second = _elementwise(lambda x: x * _density(x))
_gelu_grad_not_normal = _elementwise(lambda x: _cdf(x) + x * np.exp(-0.5 * x * x))
_gelu_grad_no_half = _elementwise(lambda x: _cdf(x) + x * np.exp(-x * x) / math.sqrt(2 * math.pi))
_gelu_grad_no_factor = _elementwise(lambda x: _cdf(x) + _density(x))
_gelu_grad_minus = _elementwise(lambda x: _cdf(x) - x * _density(x))
_gelu_grad_function = _elementwise(_gelu)
_gelu_grad_at_output = _at_output(_gelu_grad, _gelu)

_gelu_grad_erfc = _elementwise(
    lambda x: (
        0.5 * np.vectorize(math.erfc, otypes=[float])(-x * 0.5**0.5)
        + np.multiply(x, np.exp(-np.square(x) / 2)) / (2 * np.pi) ** 0.5
    )
)
_gelu_grad_each = _each(
    lambda x: 0.5 + 0.5 * math.erf(x / math.sqrt(2)) + x * math.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
)

# --- Swish ----------------------------------------------------------------------------------------------------------


def _swish_cases(rng):
    return [
        Case("β not given", (_LINE,)),
        Case("β = 2", (_LINE,), {"beta": 2.0}),
        Case("β = ½, a batch", (rng.standard_normal((4, 3)),), {"beta": 0.5}),
        Case("β = 0", (np.array([[-2.0, 1.0, 3.0]]),), {"beta": 0.0}),
        Case("float32, β = 1.5", (rng.standard_normal((2, 5)).astype(np.float32),), {"beta": 1.5}),
        Case("x = ±1000", (np.array([-1000.0, 1000.0, -500.0]),), {"beta": 3.0}),
        Case("β = −1, three axes", (rng.standard_normal((2, 3, 4)),), {"beta": -1.0}, hidden=True),
    ]


def _with_beta(f):
    def swish(x, beta=1.0):
        return f(x, beta)

    return swish


_swish_no_beta = _with_beta(lambda x, b: _silu(x))
_swish_beta_outside = _with_beta(lambda x, b: b * x * _sigmoid(x))
_swish_beta_twice = _with_beta(lambda x, b: b * x * _sigmoid(b * x))
_swish_gate_only = _with_beta(lambda x, b: _sigmoid(b * x))
_swish_overflow = _with_beta(lambda x, b: x * np.exp(b * x) / (1 + np.exp(b * x)))
_swish_divided = _with_beta(lambda x, b: x * _sigmoid(x / b) if b else 0.5 * x + 0.5 * np.abs(x))
_swish_tanh_gate = _with_beta(lambda x, b: x * np.tanh(b * x))
_swish_shift = _with_beta(lambda x, b: x * _sigmoid(x + b))

_swish_quotient = _with_beta(lambda x, b: x / (1 + np.exp(-np.clip(b * x, -700, 700))))
_swish_tanh_form = _with_beta(lambda x, b: 0.5 * x * (1 + np.tanh(0.5 * b * x)))
_swish_each = _each(lambda x, beta=1.0: x / (1 + math.exp(-beta * x)) if beta * x > -700 else 0.0)

_swish_grad_inner = _with_beta(lambda x, b: _sigmoid(b * x) * (1 + x * _sigmoid(-b * x)))
_swish_grad_no_beta = _with_beta(lambda x, b: _silu_grad(x))
_swish_grad_extra = _with_beta(lambda x, b: b * _silu_grad(b * x))
_swish_grad_first = _with_beta(lambda x, b: _sigmoid(b * x))
_swish_grad_second = _with_beta(lambda x, b: b * x * _sigmoid(b * x) * _sigmoid(-b * x))
_swish_grad_at_output = _with_beta(lambda x, b: _silu_grad(b * x * _sigmoid(b * x)))
_swish_grad_function = _with_beta(lambda x, b: x * _sigmoid(b * x))
_swish_grad_product = _with_beta(lambda x, b: b * _sigmoid(b * x) * _sigmoid(-b * x))
_swish_grad_by_beta = _with_beta(lambda x, b: x * x * _sigmoid(b * x) * _sigmoid(-b * x))

_swish_grad_sum = _with_beta(lambda x, b: _sigmoid(b * x) + b * x * (_sigmoid(b * x) - _sigmoid(b * x) ** 2))


def _swish_grad_by_value(x, beta=1.0):
    s = _sigmoid(beta * x)
    y = x * s
    return beta * y + s * (1 - beta * y)


# --- softmax --------------------------------------------------------------------------------------------------------

_LARGE = np.array([[1000.0, 0.0, -1000.0], [-1000.0, 990.0, 1000.0], [3.0, 1000.0, 1000.0], [-900.0, -901.0, -999.0]])
_WHOLE = np.array([[1, -2, 0], [0, 3, 1], [2, 2, -1], [-1, 1, 4]])


def _softmax_cases(rng):
    return [
        Case("four examples, three classes", (rng.standard_normal((4, 3)),)),
        # terms: a sum of differences of size 1000 carries their rounding
        Case("logits of ±1000", (_LARGE,), terms=1000),
        Case("one example", (rng.standard_normal((1, 5)),)),
        Case("one example, shape (K,)", (rng.standard_normal(4),)),
        Case("the classes along axis 0", (rng.standard_normal((3, 4)),), {"axis": 0}),
        Case("as many examples as classes", (rng.standard_normal((3, 3)),)),
        Case("float32", (rng.standard_normal((2, 5)).astype(np.float32),), {"axis": 1}),
        Case("integers", (_WHOLE,)),
        Case(
            "three axes, the classes along the middle one", (rng.standard_normal((2, 4, 3)),), {"axis": 1}, hidden=True
        ),
    ]


def _softmax_unshifted(z, axis=-1):
    e = np.exp(z)
    return e / e.sum(axis=axis, keepdims=True)


def _softmax_wrong_axis(z, axis=-1):
    return _softmax(z, axis=0)


def _softmax_axis_fixed(z, axis=-1):
    return _softmax(z, axis=-1)


def _softmax_no_axis(z, axis=-1):
    e = np.exp(z - z.max())
    return e / e.sum()


def _softmax_one_shift(z, axis=-1):
    e = np.exp(z - z.max())
    return e / e.sum(axis=axis, keepdims=True)


def _softmax_twice(z, axis=-1):
    return _softmax(_softmax(z, axis), axis)


def _softmax_log(z, axis=-1):
    return np.log(np.maximum(_softmax(z, axis), 1e-300))


def _softmax_no_keepdims(z, axis=-1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis)


def _softmax_integer(z, axis=-1):
    p = np.zeros_like(z)
    p[...] = _softmax(z, axis)
    return p


def _softmax_in_place(z, axis=-1):
    z -= z.max(axis=axis, keepdims=True)
    e = np.exp(z)
    return e / e.sum(axis=axis, keepdims=True)


def _softmax_linear(z, axis=-1):
    shifted = z - z.min(axis=axis, keepdims=True) + 1.0
    return shifted / shifted.sum(axis=axis, keepdims=True)


def _softmax_sigmoids(z, axis=-1):
    return _sigmoid(z)


def _softmax_logaddexp(z, axis=-1):
    return np.exp(z - np.logaddexp.reduce(z, axis=axis, keepdims=True))


def _softmax_moved(z, axis=-1):
    rows = np.moveaxis(np.array(z, dtype=float), axis, -1)
    rows -= rows.max(axis=-1)[..., None]
    np.exp(rows, out=rows)
    rows /= rows.sum(axis=-1)[..., None]
    return np.moveaxis(rows, -1, axis)


def _softmax_along(z, axis=-1):
    def one(u):
        e = np.exp(u - max(u))
        return e / sum(e)

    return np.apply_along_axis(one, axis, z)


def _softmax_backward_cases(rng):
    def case(name, shape, axis=None, dtype=float, **options):
        p = _softmax(rng.standard_normal(shape), -1 if axis is None else axis)
        args = rng.standard_normal(shape).astype(dtype), p.astype(dtype)
        return Case(name, args, {} if axis is None else {"axis": axis}, **options)

    certain = np.array([[1.0, 0.0, 0.0], [0.25, 0.5, 0.25]]), np.array([[2.0, -1.0, 3.0], [0.5, -2.0, 4.0]])
    return [
        case("four examples, three classes", (4, 3)),
        case("one example", (1, 5)),
        case("one example, shape (K,)", (4,)),
        case("the classes along axis 0", (3, 4), axis=0),
        case("as many examples as classes", (3, 3)),
        case("float32", (2, 5), axis=1, dtype=np.float32),
        Case("a certain prediction", (certain[1], certain[0])),
        case("three axes, the classes along the middle one", (2, 4, 3), axis=1, hidden=True),
    ]


def _backward_with(gradient):
    def softmax_backward(dp, p, axis=-1):
        return gradient(dp, p, axis)

    return softmax_backward


_softmax_backward_diagonal = _backward_with(lambda dp, p, axis: dp * p * (1 - p))
_softmax_backward_wrong_axis = _backward_with(lambda dp, p, axis: p * (dp - np.sum(dp * p, axis=0, keepdims=True)))
_softmax_backward_axis_fixed = _backward_with(lambda dp, p, axis: p * (dp - np.sum(dp * p, axis=-1, keepdims=True)))
_softmax_backward_no_axis = _backward_with(lambda dp, p, axis: p * (dp - np.sum(dp * p)))
_softmax_backward_no_upstream = _backward_with(lambda dp, p, axis: p * (1 - p))
_softmax_backward_unweighted = _backward_with(lambda dp, p, axis: p * (dp - np.sum(dp, axis=axis, keepdims=True)))
_softmax_backward_mean = _backward_with(lambda dp, p, axis: p * (dp - np.mean(dp * p, axis=axis, keepdims=True)))
_softmax_backward_no_factor = _backward_with(lambda dp, p, axis: dp - np.sum(dp * p, axis=axis, keepdims=True))
_softmax_backward_sign = _backward_with(lambda dp, p, axis: p * (dp + np.sum(dp * p, axis=axis, keepdims=True)))
_softmax_backward_loss = _backward_with(lambda dp, p, axis: p - dp)


def _softmax_backward_twice(dp, p, axis=-1):
    q = _softmax(p, axis)
    return q * (dp - np.sum(dp * q, axis=axis, keepdims=True))


def _softmax_backward_no_keepdims(dp, p, axis=-1):
    return p * (dp - np.sum(dp * p, axis=axis))


def _softmax_backward_jacobian(dp, p, axis=-1):
    q, d = np.moveaxis(p, axis, -1), np.moveaxis(dp, axis, -1)
    jacobian = q[..., :, None] * (np.eye(q.shape[-1]) - q[..., None, :])
    return np.moveaxis(np.einsum("...kj,...j->...k", jacobian, d), -1, axis)


def _softmax_backward_expanded(dp, p, axis=-1):
    flow = np.multiply(dp, p)
    flow -= p * flow.sum(axis=axis, keepdims=True)
    return flow


# --- gated units ----------------------------------------------------------------------------------------------------


def _gated_cases(rng):
    def pair(*shape, dtype=float):
        return rng.standard_normal(shape).astype(dtype), rng.standard_normal(shape).astype(dtype)

    return [
        Case("from −3 to 4", (_LINE, _LINE[::-1].copy())),
        Case("five examples, three units", pair(5, 3)),
        Case("one example", pair(1, 4)),
        Case("float32", pair(2, 5, dtype=np.float32)),
        Case("gates far open and far closed", (np.array([[1000.0, -1000.0]]), np.array([[3.0, 2.0]]))),
        Case("three axes", pair(2, 3, 4), hidden=True),
    ]


def _gated(f):
    def swiglu(a, b):
        return f(a, b)

    return swiglu


_swiglu_swapped = _gated(lambda a, b: a * _silu(b))
_swiglu_glu = _gated(lambda a, b: _sigmoid(a) * b)
_swiglu_gelu = _gated(lambda a, b: _gelu(a) * b)
_swiglu_relu = _gated(lambda a, b: _relu(a) * b)
_swiglu_sum = _gated(lambda a, b: _silu(a) + b)
_swiglu_ungated = _gated(lambda a, b: a * b)
_swiglu_both = _gated(lambda a, b: _silu(a) * _silu(b))
_swiglu_alone = _gated(lambda a, b: _silu(a))

_swiglu_product = _gated(lambda a, b: a * b * _sigmoid(a))
_swiglu_quotient = _gated(lambda a, b: np.multiply(a, b) / (1 + np.exp(-np.clip(a, -700, 700))))

_KINDS = {
    "glu": (_sigmoid, lambda x: _sigmoid(x) * _sigmoid(-x)),
    "reglu": (_relu, _relu_grad),
    "geglu": (_gelu, _gelu_grad),
    "swiglu": (_silu, _silu_grad),
}


def _glu_cases(rng):
    def triple(*shape, dtype=float):
        return tuple(_off_zero(rng, *shape).astype(dtype) for _ in range(3))

    shifted = np.roll(_LINE, 3), np.roll(_LINE, -2)
    return [
        Case("swiglu, when nothing is said", (shifted[0], _LINE, shifted[1])),
        Case("glu", (shifted[0], _LINE, shifted[1]), {"kind": "glu"}),
        Case("reglu", (shifted[0], _LINE, shifted[1]), {"kind": "reglu"}),
        Case("geglu", (shifted[0], _LINE, shifted[1]), {"kind": "geglu"}),
        Case("swiglu, five examples", triple(5, 3), {"kind": "swiglu"}),
        Case("reglu at the kink", (np.array([2.0, 3.0]), np.zeros(2), np.array([5.0, -7.0])), {"kind": "reglu"}),
        Case("float32", triple(2, 4, dtype=np.float32), {"kind": "glu"}),
        Case("geglu, three axes", triple(2, 3, 4), {"kind": "geglu"}, hidden=True),
    ]


def _glu_with(gradients):
    """The backward pass with one thing changed: gradients(dy, a, b, g, g_grad)."""

    def glu_backward(dy, a, b, kind="swiglu"):
        return gradients(dy, a, b, *_KINDS[kind])

    return glu_backward


_glu_swapped = _glu_with(lambda dy, a, b, g, slope: (dy * g(b), dy * slope(b) * a))
_glu_no_upstream = _glu_with(lambda dy, a, b, g, slope: (slope(a) * b, g(a)))
_glu_upstream_once = _glu_with(lambda dy, a, b, g, slope: (dy * slope(a) * b, g(a)))
_glu_order = _glu_with(lambda dy, a, b, g, slope: (dy * g(a), dy * slope(a) * b))
_glu_at_output = _glu_with(lambda dy, a, b, g, slope: (dy * slope(g(a)) * b, dy * g(a)))
_glu_no_b = _glu_with(lambda dy, a, b, g, slope: (dy * slope(a), dy * g(a)))
_glu_no_slope = _glu_with(lambda dy, a, b, g, slope: (dy * b, dy * g(a)))
_glu_function_for_slope = _glu_with(lambda dy, a, b, g, slope: (dy * g(a) * b, dy * g(a)))
_glu_gate_as_input = _glu_with(lambda dy, a, b, g, slope: (dy * slope(a) * b, dy * a))


def _glu_kind_ignored(dy, a, b, kind="swiglu"):
    return dy * _silu_grad(a) * b, dy * _silu(a)


def _glu_one_at_zero(dy, a, b, kind="swiglu"):
    g, slope = _KINDS[kind]
    at = slope(a) + (a == 0 if kind == "reglu" else 0)
    return dy * at * b, dy * g(a)


def _glu_tanh(dy, a, b, kind="swiglu"):
    g, slope = (_tanh_gelu, _tanh_gelu_slope) if kind == "geglu" else _KINDS[kind]
    return dy * slope(a) * b, dy * g(a)


def _glu_branches(dy, a, b, kind="swiglu"):
    s = _sigmoid(a)
    if kind == "glu":
        value, slope = s, s - s * s
    elif kind == "reglu":
        value, slope = a * (a > 0), a > 0
    elif kind == "geglu":
        value, slope = a * _cdf(a), _cdf(a) + a * _density(a)
    else:
        value, slope = a * s, s + a * s * (1 - s)
    return slope * (b * dy), value * dy


def _glu_loop(dy, a, b, kind="swiglu"):
    g, slope = _KINDS[kind]
    da, db = np.zeros(a.shape), np.zeros(b.shape)
    for index in np.ndindex(a.shape):
        da[index] = dy[index] * float(slope(a[index])) * b[index]
        db[index] = dy[index] * float(g(a[index]))
    return [da, db]


# --- the exercises --------------------------------------------------------------------------------------------------

_IN_PLACE = "The values are right, but the caller's x is overwritten: the backward pass will need the old one. Make a new array."
_AT_OUTPUT = "The derivative is taken at f(x), one activation too far. It is asked at the *input* x."
_FUNCTION = "This is the function itself. Asked is its slope."
_INTEGER = "Right for decimal inputs. The case with integers fails because your result is kept in an array that took its dtype from the input: what dtype do `zeros_like` and `full_like` choose then?"
_TAIL = "Right near 0, but on the far left 1 is added to something tiny and taken off again, and its digits are lost. Which form has the small number alone?"
_CLIPPED = "Clipping x avoids the overflow and invents an answer beyond the limit. Choose a form in which exp only sees numbers that are not positive."
_APPROXIMATION = "This is close, but an approximation. Asked is the exact GELU, with the normal distribution function."
_FIXED_SLOPE = "Right for a slope of 0.01 only: it is an argument."
_AXIS_FIXED = "Right where the classes are along the last axis. `axis` says along which one they are."
_NO_AXIS = "You sum over the whole array. Each example has its own sum: `axis` and `keepdims` decide that."
_NO_KEEPDIMS = "The sum over an axis loses that axis, and what is left is lined up with the *last* one: an error, or, where the array is square, a wrong answer without a complaint. `keepdims=True` keeps the axis."

EXERCISES = [
    Exercise(
        "activations.sigmoid",
        activations.sigmoid,
        _sigmoid_cases,
        [
            Mistake(
                "sign_of_exponent",
                _sigmoid_sign,
                "Your sigmoid falls. For large x the answer should be near 1: which exponential has to vanish then?",
            ),
            Mistake(
                "overflow",
                _sigmoid_ratio,
                "At x = 1000 both the numerator and the denominator are infinite, and their ratio is NaN. Use this form where x is negative only.",
            ),
            Mistake("tail_lost", _sigmoid_tanh_tail, _TAIL),
            Mistake("input_clipped", _sigmoid_clipped, _CLIPPED),
            Mistake("tanh_for_sigmoid", _sigmoid_tanh, "This goes from −1 to 1; the sigmoid goes from 0 to 1."),
            Mistake(
                "step_for_sigmoid",
                _sigmoid_step,
                "A step has no slope to learn from. The sigmoid is its smooth version, with ½ at 0.",
            ),
            Mistake("derivative_for_function", _sigmoid_slope, "This is the slope of the sigmoid; asked is its value."),
            Mistake(
                "bracket_missing",
                _sigmoid_bracket,
                "Python divides before it adds: the whole denominator needs brackets.",
            ),
        ],
        [_sigmoid_plain, _sigmoid_masks, _sigmoid_each],
        points=2,
        minutes=8,
        why="The oldest smooth activation, today's gate in LSTM, GLU and Swish; written carelessly it fills a training with NaN.",
        hints=(
            "1/(1 + e^(−x)) and eˣ/(1 + eˣ) are the same number. Which of them is safe for x > 0, which for x < 0?",
            "With −|x| in the exponent nothing can overflow.",
            "`np.where` chooses between two arrays, but works out both: make sure that neither overflows.",
        ),
    ),
    Exercise(
        "activations.sigmoid_grad",
        activations.sigmoid_grad,
        _slope_cases,
        [
            Mistake("derivative_at_output", _sigmoid_grad_at_output, _AT_OUTPUT),
            Mistake(
                "input_for_output",
                _sigmoid_grad_of_input,
                "y(1 − y) is right for the output y = σ(x). Here x is the input.",
            ),
            Mistake("function_for_derivative", _sigmoid_grad_function, _FUNCTION),
            Mistake("tanh_derivative", _sigmoid_grad_tanh, "1 − y² is the slope of tanh. The sigmoid's is another."),
            Mistake("sign_flipped", _sigmoid_grad_sign, "The sigmoid rises everywhere: no slope is negative."),
            Mistake("squared", _sigmoid_grad_square, "One of the two factors is 1 − σ(x), not σ(x) again."),
            Mistake(
                "twice_too_steep",
                _sigmoid_grad_half,
                "At 0 your slope is ½, as notes 004 say; that is a slip (E29). Measure it: (σ(0.001) − σ(−0.001))/0.002.",
            ),
            Mistake(
                "overflow",
                _sigmoid_grad_overflow,
                "e^(−x) is infinite at x = −1000. Write the slope with σ(x), which stays between 0 and 1.",
            ),
        ],
        [_sigmoid_grad_output_form, _sigmoid_grad_even],
        points=1,
        minutes=3,
        why="At most ¼: ten sigmoid layers scale a gradient by a millionth at best.",
        hints=(
            "The derivative has a short form in σ(x) itself.",
            "It is a product of two sigmoids: σ(x) and 1 − σ(x).",
        ),
    ),
    Exercise(
        "activations.tanh_grad",
        activations.tanh_grad,
        _slope_cases,
        [
            Mistake("derivative_at_output", _tanh_grad_at_output, _AT_OUTPUT),
            Mistake(
                "input_for_output",
                _tanh_grad_of_input,
                "1 − y² is right for the output y = tanh(x). Here x is the input.",
            ),
            Mistake("square_missing", _tanh_grad_no_square, "Almost: at x = −1000 your slope is 2. What is squared?"),
            Mistake("sigmoid_derivative", _tanh_grad_sigmoid, "y(1 − y) is the slope of the sigmoid, not of tanh."),
            Mistake("sign_flipped", _tanh_grad_sign, "tanh rises everywhere: no slope is negative."),
            Mistake(
                "overflow",
                _tanh_grad_overflow,
                "At x = 1000 exponentials are divided that are both infinite. `np.tanh` knows how to avoid that.",
            ),
            Mistake("function_for_derivative", _tanh_grad_function, _FUNCTION),
            Mistake("sech_not_squared", _tanh_grad_sech, "tanh′ = 1/cosh², with the square."),
        ],
        [_tanh_grad_product, _tanh_grad_sigmoids],
        points=1,
        minutes=3,
        why="Every step of an RNN or LSTM backwards multiplies with it.",
        hints=("The derivative has a short form in tanh(x) itself.", "`np.tanh` once, then a square."),
    ),
    Exercise(
        "activations.relu",
        activations.relu,
        _kinked_cases,
        [
            Mistake("mutates_input", _relu_in_place, _IN_PLACE),
            Mistake("absolute_value", _relu_absolute, "Negative inputs become 0, they are not mirrored."),
            Mistake("minimum_for_maximum", _relu_minimum, "The wrong side is kept: ReLU lets the positive through."),
            Mistake("leaky", _relu_leaky, "Negative inputs leak through. That is the leaky ReLU; this one gives 0."),
            Mistake("mask_for_value", _relu_mask, "You say *whether* x is positive. ReLU gives x itself there."),
            Mistake("clipped_above", _relu_six, "Large inputs are cut off. ReLU has no upper limit."),
            Mistake("softplus", _relu_softplus, "This is softplus, the smooth version.", convention=True),
            Mistake(
                "maximum_over_array",
                _relu_largest,
                "`np.max` is the largest entry of one array. Asked is, entry by entry, the larger one of x and 0.",
            ),
        ],
        [_relu_times_mask, _relu_average, _relu_each],
        points=1,
        minutes=2,
        why="One comparison, no saturation on the right: it made deep networks trainable.",
        hints=("Entry by entry the larger one of x and 0.", "`np.maximum` takes two arguments; `np.max` is another."),
    ),
    Exercise(
        "activations.relu_grad",
        activations.relu_grad,
        _kinked_cases,
        [
            Mistake(
                "relu_one_at_zero",
                _relu_grad_one,
                "At 0 this course takes the slope 0, as PyTorch, TensorFlow and JAX do; notes 004 take 1 (E28). Look at the comparison.",
                convention=True,
            ),
            Mistake(
                "half_at_zero",
                _relu_grad_half,
                "At 0 this course takes the slope 0; ½, between the two sides, is another convention.",
                convention=True,
            ),
            Mistake(
                "divided_by_zero",
                _relu_grad_divided,
                "max(0, x)/x is 0/0 at x = 0. Ask directly whether x is positive.",
            ),
            Mistake("function_for_derivative", _relu_grad_function, _FUNCTION),
            Mistake("sign_for_slope", _relu_grad_sign, "On the left ReLU is flat: its slope is 0 there, not −1."),
            Mistake("sides_swapped", _relu_grad_negative, "The slope is 1 where ReLU lets x through."),
            Mistake("ones_everywhere", _relu_grad_ones, "On the left ReLU is flat: its slope is 0 there."),
            Mistake("mutates_input", _relu_grad_in_place, _IN_PLACE),
        ],
        [_relu_grad_boolean, _relu_grad_sign_clipped, _relu_grad_each],
        points=1,
        minutes=2,
        why="It lets a gradient through or stops it; a unit that is never positive never learns again.",
        hints=(
            "Where is ReLU flat, where has it slope 1?",
            "A comparison gives True and False, which count as 1 and 0.",
        ),
    ),
    Exercise(
        "activations.leaky_relu",
        activations.leaky_relu,
        lambda rng: _kinked_cases(rng, _SLOPES),
        [
            Mistake("slope_fixed", _leaky_fixed, _FIXED_SLOPE),
            Mistake("sides_swapped", _leaky_sides, "The slope s belongs to the negative side; the positive one is x."),
            Mistake("sign_flipped", _leaky_sign, "For negative x the answer is negative, too, only smaller."),
            Mistake("slope_forgotten", _leaky_relu, "This is the plain ReLU: nothing leaks."),
            Mistake(
                "slope_for_value", _leaky_constant, "On the left the value is s·x; you return s itself, its slope."
            ),
            Mistake("slope_everywhere", _leaky_everywhere, "Positive inputs pass unchanged."),
            Mistake("slope_added", _leaky_added, "On the right, too, s·x is added: x = 1 should give 1."),
            Mistake("integer_buffer", _leaky_integer, _INTEGER),
            Mistake("mutates_input", _leaky_in_place, _IN_PLACE),
        ],
        [_leaky_maximum, _leaky_mask, _leaky_each],
        points=1,
        minutes=3,
        why="A small slope on the left keeps a unit alive that would never learn again.",
        hints=("Two cases, one for each side of 0.", "`np.where(condition, this, that)` chooses entry by entry."),
    ),
    Exercise(
        "activations.leaky_relu_grad",
        activations.leaky_relu_grad,
        lambda rng: _kinked_cases(rng, _SLOPES),
        [
            Mistake(
                "one_at_zero",
                _leaky_grad_one,
                "At 0 this course takes the left side's slope, s. Look at the comparison.",
                convention=True,
            ),
            Mistake("slope_fixed", _leaky_grad_fixed, _FIXED_SLOPE),
            Mistake("slope_forgotten", _leaky_grad_zero, "This is ReLU's slope: on the left the leaky one has s."),
            Mistake("function_for_derivative", _leaky_grad_function, _FUNCTION),
            Mistake("sides_swapped", _leaky_grad_sides, "The slope s belongs to the negative side."),
            Mistake("sign_flipped", _leaky_grad_sign, "Leaky ReLU rises on the left, too: s, not −s."),
            Mistake("slope_added", _leaky_grad_added, "On the right your slope is 1 + s."),
            Mistake("integer_buffer", _leaky_grad_integer, _INTEGER),
        ],
        [_leaky_grad_assigned, _leaky_grad_mask, _leaky_grad_each],
        points=1,
        minutes=2,
        why="Never 0: that is all its point.",
        hints=("Two cases again, 1 and s.", "Which of them belongs to x = 0? The text says."),
    ),
    Exercise(
        "activations.softplus",
        activations.softplus,
        _softplus_cases,
        [
            Mistake(
                "overflow_and_tail",
                _softplus_naive,
                "Right near 0. At 1000 the exponential is infinite, and at −40 it vanishes beside the 1. Take max(x, 0) out first; and `np.log1p` is log(1 + …) that keeps small numbers.",
            ),
            Mistake(
                "overflow",
                _softplus_log1p,
                "`log1p` saves the left tail, but at 1000 the exponential is infinite. For large x softplus is x and a little: take x out of the logarithm.",
            ),
            Mistake(
                "tail_lost",
                _softplus_tail,
                "No overflow any more. But 1 + e^(−40) is exactly 1 in floating point, and its logarithm 0: `np.log1p` is made for that.",
            ),
            Mistake("input_clipped", _softplus_clipped, _CLIPPED),
            Mistake("relu_for_softplus", _softplus_hard, "This is ReLU. Softplus is log 2 at 0 and never quite 0."),
            Mistake("sign_of_exponent", _softplus_sign, "Your softplus falls: it is −log σ(x). Look at the exponent."),
            Mistake("derivative_for_function", _softplus_slope, "This is softplus' slope; asked is its value."),
            Mistake("logarithm_base", _softplus_log2, "The logarithm is the natural one.", convention=True),
        ],
        [_softplus_logaddexp, _softplus_branches, _softplus_each],
        points=2,
        minutes=6,
        why="−log σ(x) is softplus(−x): the cross-entropy of every logit goes through it.",
        hints=(
            "For x > 0 take eˣ out of the bracket: log(1 + eˣ) = x + log(1 + e^(−x)).",
            "Both signs at once: max(x, 0) + log(1 + e^(−|x|)).",
            "`np.log1p(y)` is log(1 + y), exact for tiny y.",
        ),
    ),
    Exercise(
        "activations.gelu",
        activations.gelu,
        _gelu_cases,
        [
            Mistake("tanh_for_exact_gelu", _gelu_by_tanh, _APPROXIMATION),
            Mistake("sigmoid_for_exact_gelu", _gelu_by_sigmoid, _APPROXIMATION),
            Mistake(
                "root_missing",
                _gelu_no_root,
                "erf belongs to e^(−t²), the normal distribution to e^(−t²/2): the argument is scaled by √2.",
            ),
            Mistake("half_missing", _gelu_no_half, "1 + erf runs from 0 to 2; a probability runs from 0 to 1."),
            Mistake("one_missing", _gelu_no_one, "erf runs from −1 to 1; shifted and halved it is a probability."),
            Mistake("gate_alone", _gelu_gate_only, "This is the gate Φ(x). GELU multiplies the input with it."),
            Mistake(
                "density_for_distribution",
                _gelu_density,
                "You took the bell curve φ(x). Φ(x) is the area to the left of x under it.",
            ),
            Mistake("silu_for_gelu", _gelu_silu, "This is SiLU, gated by the sigmoid. GELU's gate is Φ."),
        ],
        [_gelu_erfc, _gelu_normal, _gelu_each],
        points=1,
        minutes=3,
        why="The activation of BERT, GPT and the transformer block of this course.",
        hints=("Φ(x) = ½(1 + erf(x/√2)).", "`erf` is imported above and takes arrays."),
    ),
    Exercise(
        "activations.gelu_tanh",
        activations.gelu_tanh,
        _gelu_cases,
        [
            Mistake(
                "exact_for_approximation",
                _gelu_tanh_exact,
                "This is the exact GELU. Here the approximation is asked, as older checkpoints need it: they differ by up to 0.0005.",
                convention=True,
            ),
            Mistake("decimal_point", _gelu_tanh_point, "Compare the digits of the constant 0.044715."),
            Mistake("cube_missing", _gelu_tanh_no_cube, "The term with x³ is missing."),
            Mistake("square_for_cube", _gelu_tanh_square, "x is cubed, which keeps its sign. You squared it."),
            Mistake("bracket_misplaced", _gelu_tanh_bracket, "√(2/π) multiplies the whole bracket, x³ included."),
            Mistake("root_missing", _gelu_tanh_no_root, "The factor is the square root of 2/π."),
            Mistake("half_missing", _gelu_tanh_no_half, "For large x the answer should be x, not 2x."),
            Mistake("one_missing", _gelu_tanh_no_one, "The gate ½(1 + tanh u) runs from 0 to 1. Yours begins at −½."),
        ],
        [_gelu_tanh_powers, _gelu_tanh_sigmoid, _gelu_tanh_each],
        points=1,
        minutes=3,
        why="Weights that were trained with it want it back: loading them into the exact form changes every activation a little.",
        hints=("First u = √(2/π)(x + 0.044715 x³).", "Then ½ x (1 + tanh u)."),
    ),
    Exercise(
        "activations.gelu_grad",
        activations.gelu_grad,
        _gelu_cases,
        [
            Mistake("tanh_for_exact_gelu", _gelu_grad_tanh, _APPROXIMATION),
            Mistake(
                "second_term_missing",
                _gelu_grad_first,
                "x stands twice in x·Φ(x): the product rule has two terms, and you have the first one.",
            ),
            Mistake(
                "first_term_missing",
                _gelu_grad_second,
                "x stands twice in x·Φ(x): the product rule has two terms, and you have the second one.",
            ),
            Mistake(
                "density_not_normalised",
                _gelu_grad_not_normal,
                "Φ′ is the normal density, and the area under it is 1: which factor makes it so?",
            ),
            Mistake("half_missing", _gelu_grad_no_half, "The density has x²/2 in the exponent."),
            Mistake("input_factor_missing", _gelu_grad_no_factor, "The second term is x·Φ′(x): the x is missing."),
            Mistake("minus_for_plus", _gelu_grad_minus, "The product rule adds its two terms."),
            Mistake("function_for_derivative", _gelu_grad_function, _FUNCTION),
            Mistake("derivative_at_output", _gelu_grad_at_output, _AT_OUTPUT),
        ],
        [_gelu_grad_erfc, _gelu_grad_each],
        points=2,
        minutes=6,
        why="GELU is not monotonic: its slope is negative between −∞ and −0.75 and above 1 on the right.",
        hints=("The product rule on x·Φ(x).", "Φ′ is the standard normal density φ(x) = e^(−x²/2)/√(2π)."),
    ),
    Exercise(
        "activations.swish",
        activations.swish,
        _swish_cases,
        [
            Mistake("swish_beta_dropped", _swish_no_beta, "Right for β = 1 only: β is an argument."),
            Mistake(
                "beta_outside", _swish_beta_outside, "β belongs inside the sigmoid: it says how sharp the gate is."
            ),
            Mistake("beta_twice", _swish_beta_twice, "β stands inside the sigmoid only, the x before it is bare."),
            Mistake("gate_alone", _swish_gate_only, "This is the gate. Swish multiplies the input with it."),
            Mistake(
                "overflow",
                _swish_overflow,
                "At x = 1000 infinity is divided by infinity. Your `sigmoid` from above avoids that.",
            ),
            Mistake("beta_divides", _swish_divided, "β multiplies x; you divide by it."),
            Mistake("tanh_gate", _swish_tanh_gate, "The gate is the sigmoid, from 0 to 1; tanh changes signs."),
            Mistake("beta_added", _swish_shift, "β multiplies x inside the sigmoid; you add it."),
        ],
        [_swish_quotient, _swish_tanh_form, _swish_each],
        points=1,
        minutes=2,
        why="SiLU at β = 1, x/2 at β = 0, nearly ReLU at a large β: one family, and SwiGLU's gate.",
        hints=("x times a sigmoid.", "You have written a sigmoid that survives large inputs."),
    ),
    Exercise(
        "activations.swish_grad",
        activations.swish_grad,
        _swish_cases,
        [
            Mistake(
                "swish_beta_dropped",
                _swish_grad_inner,
                "Right for β = 1. The sigmoid's argument is βx: what does the chain rule put before its derivative?",
            ),
            Mistake("beta_ignored", _swish_grad_no_beta, "Right for β = 1 only: β does not occur in your answer."),
            Mistake(
                "extra_beta",
                _swish_grad_extra,
                "One β too many. At β = 0 swish is x/2, whose slope is ½: yours is 0 there.",
            ),
            Mistake(
                "second_term_missing",
                _swish_grad_first,
                "x stands twice in x·σ(βx): the product rule has two terms, and you have the first one.",
            ),
            Mistake(
                "first_term_missing",
                _swish_grad_second,
                "x stands twice in x·σ(βx): the product rule has two terms, and you have the second one.",
            ),
            Mistake("gate_slope_alone", _swish_grad_product, "This is the slope of the gate σ(βx) alone."),
            Mistake("derivative_at_output", _swish_grad_at_output, _AT_OUTPUT),
            Mistake("function_for_derivative", _swish_grad_function, _FUNCTION),
            Mistake("derivative_by_beta", _swish_grad_by_beta, "This is the derivative by β. Asked is the one by x."),
        ],
        [_swish_grad_sum, _swish_grad_by_value],
        points=2,
        minutes=6,
        why="Product rule and chain rule in one line, and β is lost in it easily.",
        hints=(
            "Two factors depend on x: x itself and σ(βx).",
            "The derivative of σ(βx) by x is β·σ′(βx).",
            "Check β = 0: the slope is ½ everywhere.",
        ),
    ),
    Exercise(
        "activations.softmax",
        activations.softmax,
        _softmax_cases,
        [
            Mistake(
                "no_max_shift",
                _softmax_unshifted,
                "exp(1000) is infinite, and infinity divided by itself is NaN. Softmax does not change when the same number is taken off all logits of an example: which one keeps exp in bounds?",
            ),
            Mistake(
                "one_shift_for_all",
                _softmax_one_shift,
                "One number is taken off *all* examples. Where an example's own logits are far below it, all its exponentials vanish: 0/0. Each example needs its own largest logit.",
            ),
            Mistake(
                "wrong_axis",
                _softmax_wrong_axis,
                "Your probabilities sum to 1 over the examples. The classes, which compete, are along `axis`, the last one unless told otherwise.",
            ),
            Mistake("axis_fixed", _softmax_axis_fixed, _AXIS_FIXED),
            Mistake("no_axis", _softmax_no_axis, _NO_AXIS),
            Mistake("keepdims_missing", _softmax_no_keepdims, _NO_KEEPDIMS),
            Mistake(
                "softmax_twice",
                _softmax_twice,
                "Softmax is applied twice, to probabilities the second time, which flattens them.",
            ),
            Mistake("integer_buffer", _softmax_integer, _INTEGER),
            Mistake("mutates_input", _softmax_in_place, "`z -= …` changes the caller's logits. Make a new array."),
            Mistake("logarithm_returned", _softmax_log, "These are log-probabilities. Asked are the probabilities."),
            Mistake(
                "exponential_missing",
                _softmax_linear,
                "The shares of the logits themselves are no softmax: the exponential comes first.",
            ),
            Mistake(
                "sigmoid_for_softmax",
                _softmax_sigmoids,
                "Each entry is squashed by itself. Softmax makes the probabilities of an example sum to 1.",
            ),
        ],
        [_softmax_logaddexp, _softmax_moved, _softmax_along],
        points=2,
        minutes=8,
        why="From scores to probabilities, in every classifier's output and in every attention head.",
        hints=(
            "Taking one number off all logits of an example leaves the fractions unchanged. Take off the largest.",
            "Then exp, then divide by the sum.",
            "`keepdims=True` keeps the summed axis as one of length 1, so that the division lines up.",
        ),
    ),
    Exercise(
        "activations.softmax_backward",
        activations.softmax_backward,
        _softmax_backward_cases,
        [
            Mistake(
                "off_diagonal_ignored",
                _softmax_backward_diagonal,
                "p(1 − p) is the Jacobian's diagonal alone. Raising one logit lowers all the *other* probabilities: their upstream gradients count, too.",
            ),
            Mistake(
                "jacobian_for_vjp",
                _softmax_backward_no_upstream,
                "The upstream gradient dp does not occur: a backward pass multiplies it with the derivatives.",
            ),
            Mistake(
                "wrong_axis",
                _softmax_backward_wrong_axis,
                "The sum runs over the examples. It belongs along `axis`, over the classes of one example.",
            ),
            Mistake("axis_fixed", _softmax_backward_axis_fixed, _AXIS_FIXED),
            Mistake("no_axis", _softmax_backward_no_axis, _NO_AXIS),
            Mistake("keepdims_missing", _softmax_backward_no_keepdims, _NO_KEEPDIMS),
            Mistake(
                "softmax_twice",
                _softmax_backward_twice,
                "p is softmax's *output* already: do not send it through softmax again.",
            ),
            Mistake(
                "sum_not_weighted",
                _softmax_backward_unweighted,
                "What is taken off is the mean of dp *under p*: each entry counts with its probability.",
            ),
            Mistake("mean_for_sum", _softmax_backward_mean, "The weights p sum to 1 already: no further division."),
            Mistake("factor_missing", _softmax_backward_no_factor, "The factor p before the bracket is missing."),
            Mistake("plus_for_minus", _softmax_backward_sign, "The sign of the second term: dz must sum to 0."),
            Mistake(
                "loss_gradient",
                _softmax_backward_loss,
                "p minus target is softmax *and* cross-entropy together. Here dp may come from anywhere.",
            ),
        ],
        [_softmax_backward_jacobian, _softmax_backward_expanded],
        points=2,
        minutes=10,
        why="Attention's backward pass goes through it, where no cross-entropy cancels the Jacobian.",
        hints=(
            "∂p_k/∂z_j = p_k(1(k = j) − p_j). Sum over k what flows in: Σ_k dp_k ∂p_k/∂z_j.",
            "The 1(k = j) picks one term; the other is a sum that is the same for every j.",
            "No Jacobian needs to be built: one product, one sum with keepdims, one difference, one product.",
        ),
    ),
    Exercise(
        "activations.swiglu",
        activations.swiglu,
        _gated_cases,
        [
            Mistake(
                "gate_swapped",
                _swiglu_swapped,
                "SiLU goes over a, the first argument; b is what passes. Elsewhere the second half is the gate, so check each time.",
            ),
            Mistake("glu_for_swiglu", _swiglu_glu, "This is GLU, with the sigmoid for a gate. SwiGLU takes SiLU."),
            Mistake("geglu_for_swiglu", _swiglu_gelu, "This is GEGLU. SwiGLU's gate is SiLU."),
            Mistake("reglu_for_swiglu", _swiglu_relu, "This is ReGLU. SwiGLU's gate is SiLU."),
            Mistake("sum_for_product", _swiglu_sum, "A gate multiplies: closed at 0, it lets nothing through."),
            Mistake("activation_missing", _swiglu_ungated, "Without an activation on a there is no gate."),
            Mistake("both_activated", _swiglu_both, "b passes as it is: only the gate has an activation."),
            Mistake("gated_missing", _swiglu_alone, "This is the gate alone. What does it let through?"),
        ],
        [_swiglu_product, _swiglu_quotient],
        points=1,
        minutes=2,
        why="The feed-forward layer of most language models since 2022.",
        hints=("One of the two goes through SiLU.", "Then entry by entry a product."),
    ),
    Exercise(
        "activations.glu_backward",
        activations.glu_backward,
        _glu_cases,
        [
            Mistake(
                "gate_swapped",
                _glu_swapped,
                "In y = g(a)·b the gate is made of a. Your derivatives are those of a·g(b).",
            ),
            Mistake(
                "jacobian_for_vjp",
                _glu_no_upstream,
                "These are the factors that the notes list. Each still takes the upstream gradient dy (E25).",
            ),
            Mistake(
                "upstream_once",
                _glu_upstream_once,
                "da is right. The upstream gradient dy belongs to db as well.",
            ),
            Mistake("gradients_out_of_order", _glu_order, "Right, but exchanged: da comes first, then db."),
            Mistake("derivative_at_output", _glu_at_output, "g′ is taken at g(a). It belongs at the input a."),
            Mistake("gated_factor_missing", _glu_no_b, "In da a factor is missing: how much does b let a matter?"),
            Mistake("gate_slope_missing", _glu_no_slope, "Between a and y stands g: its slope belongs in da."),
            Mistake(
                "function_for_derivative",
                _glu_function_for_slope,
                "da needs the slope g′(a); you multiply with the value g(a).",
            ),
            Mistake(
                "gate_not_activated",
                _glu_gate_as_input,
                "db is what passes through the gate, g(a); you let a itself pass.",
            ),
            Mistake("kind_ignored", _glu_kind_ignored, "Right for swiglu. `kind` says which gate: four are possible."),
            Mistake(
                "relu_one_at_zero",
                _glu_one_at_zero,
                "ReLU's slope at 0 is 0 in this course, as in your `relu_grad`.",
                convention=True,
            ),
            Mistake("tanh_for_exact_gelu", _glu_tanh, "Right but for geglu, whose gate is the exact GELU."),
        ],
        [_glu_branches, _glu_loop],
        points=3,
        minutes=12,
        why="The product rule over arrays; what an LSTM does at each of its gates, too.",
        hints=(
            "y = g(a)·b has two arguments, so there are two gradients: hold one fixed, then the other.",
            "Each of them is multiplied with dy.",
            "A dict from the kind to the pair (g, g′) spares you four branches.",
        ),
    ),
]
