"""Initializers: random weights at the right scale.

Equal weights receive equal gradients and stay equal, so weights start at random.
Their scale matters: a layer multiplies the variance of its input by `n Var(w)`,
forward with `n = n_in`, backward with `n = n_out`. After twenty layers of a wrong
scale the signal has vanished or overflowed.

- uniform_fan_in: `U(−1/√n_in, 1/√n_in)`; each layer keeps a third of the variance
- xavier_uniform: `U(−a, a)` with `a = g√(6/(n_in + n_out))`; keeps the variance of
  both directions on average
- xavier_normal: `N(0, s²)` with `s = g√(2/(n_in + n_out))`; the same
- he_uniform: `U(−a, a)` with `a = √(6/n_in)`; keeps the second moment after ReLU
- he_normal: `N(0, s²)` with `s = √(2/n_in)`; the same
- scaled_normal: `N(0, s²)` with `s = g/√n_in`; keeps the variance forward
- orthogonal: g times a random matrix with orthonormal rows or columns; keeps the
  variance forward, and every length at g = 1

`U(−a, a)` has the variance `a²/3`. The second argument of N is the *variance* `s²`
here, and s the standard deviation; the notes give now the one, now the other (000:
E03, 004: E31). g is `calculate_gain` of the activation that follows. A shape is
(fan_in, fan_out) for a linear layer, (kh, kw, c_in, c_out) for a convolution.
"""

import math
from numbers import Integral

from ._array import array_namespace
from ._checks import as_floating, check_choice, check_number, check_rng

__all__ = [
    "INITIALIZERS",
    "calculate_gain",
    "fans",
    "he_normal",
    "he_uniform",
    "normal",
    "orthogonal",
    "scaled_normal",
    "uniform_fan_in",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]


def __dir__():
    return __all__


def calculate_gain(activation, slope=0.01):
    """Gain g by which an activation's weights are scaled, so that it passes on the
    variance.

    Parameters
    ----------
    activation : "linear" or "identity" (1), "sigmoid" (1), "tanh" (5/3), "relu" (√2),
        "leaky_relu" (`√(2/(1 + slope²))`).
    slope : of "leaky_relu" for negative inputs; ignored for the others.

    Returns
    -------
    float.

    Raises
    ------
    ValueError : the activation is unknown.

    Notes
    -----
    A leaky ReLU of a symmetric input keeps `(1 + slope²)/2` of its second moment, and
    slope 0 must give ReLU's √2; the notes have `√(1/(1 + slope²))` (000, E02). The
    values for sigmoid and tanh are PyTorch's ``torch.nn.init.calculate_gain``. Source:
    notes 000; He, Zhang, Ren, Sun, Delving deep into rectifiers (2015), section 2.2.

    Examples
    --------
    >>> round(calculate_gain("relu"), 6)
    1.414214
    >>> round(calculate_gain("leaky_relu", slope=1.0), 6)
    1.0
    """
    check_choice("activation", activation, _GAINS)
    if activation == "leaky_relu":
        check_number("slope", slope)
        return math.sqrt(2.0 / (1.0 + float(slope) ** 2))
    return _GAINS[activation]


_GAINS = {
    "linear": 1.0,
    "identity": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3.0,
    "relu": math.sqrt(2.0),
    "leaky_relu": None,  # depends on the slope
}


def fans(shape):
    """Number of inputs that feed one neuron, and of neurons that one input feeds.

    Parameters
    ----------
    shape : (fan_in, fan_out), or (kh, kw, c_in, c_out) for a convolution's filters.

    Returns
    -------
    (fan_in, fan_out), ints; for filters `k_h k_w c_in` and `k_h k_w c_out`.

    Raises
    ------
    ValueError : the shape is neither of the two, or has an axis without entries.

    Notes
    -----
    Source: Glorot, Bengio, Understanding the difficulty of training deep feedforward
    neural networks (2010), whose `n_i` and `n_(i+1)` they are; for filters He et al.
    (2015), section 2.2.

    Examples
    --------
    >>> fans((784, 10)), fans((3, 3, 16, 32))
    ((784, 10), (144, 288))
    """
    shape = _check_shape(shape)
    if len(shape) not in (2, 4):
        raise ValueError(f"shape: expected (fan_in, fan_out) or (kh, kw, c_in, c_out), got {shape}")
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


def zeros(shape):
    """All zeros: for biases. Weights that begin equal get equal gradients and stay equal.

    Parameters
    ----------
    shape : tuple of ints, any number of axes, or one int.

    Returns
    -------
    array of that shape, float64.

    Examples
    --------
    >>> zeros((2, 3))
    array([[0., 0., 0.],
           [0., 0., 0.]])
    """
    shape = _check_shape(shape)
    one = as_floating([0.0])
    xp = array_namespace(one)
    return xp.zeros(shape, dtype=one.dtype)


def normal(shape, rng, std=0.01):
    """Small normal numbers: `w ~ N(0, std²)`.

    Parameters
    ----------
    shape : tuple of ints, any number of axes, or one int.
    rng : numpy.random.Generator or seed.
    std : standard deviation, not negative.

    Returns
    -------
    array of that shape, float64.

    Notes
    -----
    One scale whatever the layer's size: fit for small networks only. Source: notes 003,
    the backpropagation algorithm.

    Examples
    --------
    >>> W = normal((200, 200), np.random.default_rng(0))
    >>> round(float(W.std()), 3)
    0.01
    """
    return check_rng(rng).normal(0.0, check_number("std", std, low=0.0, include_high=False), size=_check_shape(shape))


def uniform_fan_in(shape, rng):
    """Uniform by the number of inputs: `w ~ U(−1/√n_in, 1/√n_in)`.

    Parameters
    ----------
    shape : (fan_in, fan_out) or (kh, kw, c_in, c_out).
    rng : numpy.random.Generator or seed.

    Returns
    -------
    array of that shape, float64.

    Notes
    -----
    Its variance is `1/(3 n_in)`, so that each linear layer keeps a third. Source: notes
    004; the "standard initialization" that Glorot and Bengio (2010), equation 1,
    measured their own against.

    Examples
    --------
    >>> W = uniform_fan_in((4, 1000), np.random.default_rng(0))
    >>> bool(np.abs(W).max() <= 0.5), round(float(W.max()), 2)
    (True, 0.5)
    """
    fan_in, _ = fans(shape)
    return _uniform(shape, rng, 1.0 / math.sqrt(fan_in))


def xavier_uniform(shape, rng, gain=1.0):
    """Xavier (Glorot) uniform: `w ~ U(−a, a)` with `a = g√(6/(n_in + n_out))`.

    Parameters
    ----------
    shape : (fan_in, fan_out) or (kh, kw, c_in, c_out).
    rng : numpy.random.Generator or seed.
    gain : g, see `calculate_gain`.

    Returns
    -------
    array of that shape, float64; its variance is that of `xavier_normal`.

    Notes
    -----
    Source: notes 000, 002, 004; Glorot, Bengio (2010), equation 16.

    Examples
    --------
    >>> W = xavier_uniform((200, 100), np.random.default_rng(0))
    >>> round(float(W.std() / np.sqrt(2 / 300)), 2)
    1.0
    """
    fan_in, fan_out = fans(shape)
    return _uniform(shape, rng, _check_gain(gain) * math.sqrt(6.0 / (fan_in + fan_out)))


def xavier_normal(shape, rng, gain=1.0):
    """Xavier (Glorot) normal: `w ~ N(0, s²)` with `s = g√(2/(n_in + n_out))`.

    Parameters
    ----------
    shape : (fan_in, fan_out) or (kh, kw, c_in, c_out).
    rng : numpy.random.Generator or seed.
    gain : g, see `calculate_gain`.

    Returns
    -------
    array of that shape, float64.

    Notes
    -----
    `2/(n_in + n_out)` is the variance; the notes put it where elsewhere they put s
    (004, E31).
    Source: Glorot, Bengio (2010), equation 12.

    Examples
    --------
    >>> W = xavier_normal((200, 100), np.random.default_rng(0))
    >>> round(float(W.std() / np.sqrt(2 / 300)), 2)
    1.0
    """
    fan_in, fan_out = fans(shape)
    return normal(shape, rng, _check_gain(gain) * math.sqrt(2.0 / (fan_in + fan_out)))


def he_uniform(shape, rng):
    """He (Kaiming) uniform, for ReLU: `w ~ U(−a, a)` with `a = √(6/n_in)`.

    Parameters
    ----------
    shape : (fan_in, fan_out) or (kh, kw, c_in, c_out).
    rng : numpy.random.Generator or seed.

    Returns
    -------
    array of that shape, float64; its variance is that of `he_normal`.

    Notes
    -----
    Symmetric, with `n_in` at both ends; the notes have `n_out` at the upper one (002,
    E20).
    Source: notes 004; He et al. (2015), equation 10, as a uniform distribution of the
    same variance.

    Examples
    --------
    >>> W = he_uniform((200, 100), np.random.default_rng(0))
    >>> round(float(W.std() / np.sqrt(2 / 200)), 2)
    1.0
    """
    fan_in, _ = fans(shape)
    return _uniform(shape, rng, math.sqrt(6.0 / fan_in))


def he_normal(shape, rng):
    """He (Kaiming) normal, for ReLU: `w ~ N(0, s²)` with `s = √(2/n_in)`.

    Parameters
    ----------
    shape : (fan_in, fan_out) or (kh, kw, c_in, c_out).
    rng : numpy.random.Generator or seed.

    Returns
    -------
    array of that shape, float64.

    Notes
    -----
    The factor 2 makes up for the half of its input that ReLU drops. `√(2/n_in)` is the
    standard deviation (004, E31). Source: He et al. (2015), equation 10.

    Examples
    --------
    >>> W = he_normal((200, 100), np.random.default_rng(0))
    >>> round(float(W.std() / np.sqrt(2 / 200)), 2)
    1.0
    """
    fan_in, _ = fans(shape)
    return normal(shape, rng, math.sqrt(2.0 / fan_in))


def scaled_normal(shape, rng, gain=1.0):
    """Normal by the number of inputs: `w ~ N(0, s²)` with `s = g/√n_in`.

    Parameters
    ----------
    shape : (fan_in, fan_out) or (kh, kw, c_in, c_out).
    rng : numpy.random.Generator or seed.
    gain : g, see `calculate_gain`; √2 gives `he_normal`.

    Returns
    -------
    array of that shape, float64.

    Notes
    -----
    The notes' `N(0, g/n)` is neither this variance, `g²/n`, nor this deviation (000,
    E03).
    Source: LeCun, Bottou, Orr, Müller, Efficient BackProp (1998), section 4.6, for g =
    1.

    Examples
    --------
    >>> W = scaled_normal((200, 100), np.random.default_rng(0))
    >>> round(float(W.std() * np.sqrt(200)), 2)
    1.0
    """
    fan_in, _ = fans(shape)
    return normal(shape, rng, _check_gain(gain) / math.sqrt(fan_in))


def orthogonal(shape, rng, gain=1.0):
    """Random matrix with orthonormal columns (or rows, where it is wider than high), times
    g.

    Parameters
    ----------
    shape : (fan_in, fan_out), or (kh, kw, c_in, c_out), which is filled as the matrix
        (kh·kw·c_in, c_out).
    rng : numpy.random.Generator or seed.
    gain : g, see `calculate_gain`.

    Returns
    -------
    array of that shape, float64, with `Wᵀ W = g² I` (or `W Wᵀ = g² I`).

    Notes
    -----
    Q of the decomposition A = QR of a normal matrix. The signs of R's diagonal are
    moved into Q: only then is every rotation equally likely, whatever convention the QR
    routine has.
    Source: Saxe, McClelland, Ganguli, Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks (2014); Mezzadri, How to generate random
    matrices from the classical compact groups (2007), for the signs.

    Examples
    --------
    >>> W = orthogonal((4, 2), np.random.default_rng(0))
    >>> np.round(np.abs(W.T @ W), 12)
    array([[1., 0.],
           [0., 1.]])
    """
    fans(shape)
    gain = _check_gain(gain)
    rows, columns = math.prod(shape[:-1]), shape[-1]
    A = check_rng(rng).standard_normal((max(rows, columns), min(rows, columns)))
    xp = array_namespace(A)
    Q, R = xp.linalg.qr(A)
    Q = Q * xp.sign(xp.linalg.diagonal(R))
    return gain * xp.reshape(Q if rows >= columns else xp.matrix_transpose(Q), tuple(shape))


#: Initializers of weights by name, each called as ``f(shape, rng)``.
INITIALIZERS = {
    "zeros": lambda shape, rng: zeros(shape),
    "normal": normal,
    "uniform_fan_in": uniform_fan_in,
    "xavier_uniform": xavier_uniform,
    "xavier_normal": xavier_normal,
    "he_uniform": he_uniform,
    "he_normal": he_normal,
    "scaled_normal": scaled_normal,
    "orthogonal": orthogonal,
}


def _uniform(shape, rng, bound):
    return check_rng(rng).uniform(-bound, bound, size=_check_shape(shape))


def _check_shape(shape):
    """The shape as a tuple of ints, each at least 1."""
    sizes = (shape,) if isinstance(shape, Integral) else shape
    if not isinstance(sizes, tuple | list) or any(isinstance(n, bool) or not isinstance(n, Integral) for n in sizes):
        raise TypeError(f"shape: expected a tuple of whole numbers, got {shape!r}")
    if any(n < 1 for n in sizes):
        raise ValueError(f"shape: expected at least 1 along each axis, got {tuple(sizes)}")
    return tuple(int(n) for n in sizes)


def _check_gain(gain):
    return check_number("gain", gain, low=0.0, include_high=False)
