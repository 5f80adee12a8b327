r"""Initializers: where the weights begin.

Weights that are all equal stay equal, so they begin at random; and they begin at the right scale, for a layer multiplies
the variance of what passes through it by :math:`n\,\mathrm{Var}(w)`, forward with :math:`n = n_{in}`, backward with
:math:`n = n_{out}`. Twenty layers of a wrong scale leave nothing, or overflow.

====================  ===========================================================  ==============================
name                  distribution                                                 keeps the variance
====================  ===========================================================  ==============================
uniform_fan_in        :math:`U(-1/\sqrt{n_{in}},\ 1/\sqrt{n_{in}})`                no: a third of it each layer
xavier_uniform        :math:`U(-a, a),\ a = g\sqrt{6/(n_{in} + n_{out})}`          of both directions, on average
xavier_normal         :math:`N(0, s^2),\ s = g\sqrt{2/(n_{in} + n_{out})}`         of both directions, on average
he_uniform            :math:`U(-a, a),\ a = \sqrt{6/n_{in}}`                       of the second moment after ReLU
he_normal             :math:`N(0, s^2),\ s = \sqrt{2/n_{in}}`                      of the second moment after ReLU
scaled_normal         :math:`N(0, s^2),\ s = g/\sqrt{n_{in}}`                      forward
orthogonal            g times a random matrix with orthonormal rows or columns     and every length, g = 1
====================  ===========================================================  ==============================

:math:`U(-a, a)` has the variance :math:`a^2/3`. The second argument of N is the *variance* :math:`s^2` here, and s the
standard deviation; the notes give now the one, now the other (000: E03, 004: E31). g is `calculate_gain` of the
activation that follows. A shape is (fan_in, fan_out) for a linear layer, (kh, kw, c_in, c_out) for a convolution.
"""

import math
from numbers import Integral

from ._array import array_namespace
from ._checks import as_floating, check_choice, check_number, check_rng


def calculate_gain(activation, slope=0.01):
    r"""Gain g by which an activation's weights are scaled, so that it passes on the variance.

    Parameters
    ----------
    activation : "linear" or "identity" (1), "sigmoid" (1), "tanh" (5/3), "relu" (√2),
        "leaky_relu" (:math:`\sqrt{2/(1 + slope^2)}`).
    slope : of "leaky_relu" for negative inputs; the others take no notice of it.

    Returns
    -------
    float.

    Raises
    ------
    ValueError : there is no gain for an activation of that name.

    Notes
    -----
    A leaky ReLU of a symmetric input keeps :math:`(1 + slope^2)/2` of its second moment, and slope 0 must give ReLU's √2;
    the notes have :math:`\sqrt{1/(1 + slope^2)}` (000, E02). The values for sigmoid and tanh are PyTorch's
    ``torch.nn.init.calculate_gain``. Source: notes 000; He, Zhang, Ren, Sun, Delving deep into rectifiers (2015),
    section 2.2.

    Examples
    --------
    >>> round(calculate_gain("relu"), 6), round(calculate_gain("leaky_relu", slope=1.0), 6)
    (1.414214, 1.0)
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
    r"""Number of inputs that feed one neuron, and of neurons that one input feeds.

    Parameters
    ----------
    shape : (fan_in, fan_out), or (kh, kw, c_in, c_out) for a convolution's filters.

    Returns
    -------
    (fan_in, fan_out), ints; for filters :math:`k_h k_w c_{in}` and :math:`k_h k_w c_{out}`.

    Raises
    ------
    ValueError : the shape is neither of the two, or has an axis without entries.

    Notes
    -----
    Source: Glorot, Bengio, Understanding the difficulty of training deep feedforward neural networks (2010), whose
    :math:`n_i` and :math:`n_{i+1}` they are; for filters He et al. (2015), section 2.2.

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
    r"""Small normal numbers, :math:`w \sim N(0, std^2)`.

    Parameters
    ----------
    shape : tuple of ints, any number of axes, or one int.
    rng : numpy.random.Generator.
    std : standard deviation, not negative.

    Returns
    -------
    array of that shape, float64.

    Notes
    -----
    One scale whatever the layer's size: fit for small networks only. Source: notes 003, the backpropagation algorithm.

    Examples
    --------
    >>> W = normal((200, 200), np.random.default_rng(0))
    >>> round(float(W.std()), 3)
    0.01
    """
    return check_rng(rng).normal(0.0, check_number("std", std, low=0.0, include_high=False), size=_check_shape(shape))


def uniform_fan_in(shape, rng):
    r"""Uniform by the number of inputs, :math:`w \sim U(-1/\sqrt{n_{in}},\ 1/\sqrt{n_{in}})`.

    Parameters
    ----------
    shape : (fan_in, fan_out) or (kh, kw, c_in, c_out).
    rng : numpy.random.Generator.

    Returns
    -------
    array of that shape, float64.

    Notes
    -----
    Its variance is :math:`1/(3 n_{in})`, so that each linear layer keeps a third. Source: notes 004; the "standard
    initialization" that Glorot and Bengio (2010), equation 1, measured their own against.

    Examples
    --------
    >>> W = uniform_fan_in((4, 1000), np.random.default_rng(0))
    >>> bool(np.abs(W).max() <= 0.5), round(float(W.max()), 2)
    (True, 0.5)
    """
    fan_in, _ = fans(shape)
    return _uniform(shape, rng, 1.0 / math.sqrt(fan_in))


def xavier_uniform(shape, rng, gain=1.0):
    r"""Xavier (Glorot) uniform, :math:`w \sim U(-a, a)` with :math:`a = g\sqrt{6/(n_{in} + n_{out})}`.

    Parameters
    ----------
    shape : (fan_in, fan_out) or (kh, kw, c_in, c_out).
    rng : numpy.random.Generator.
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
    r"""Xavier (Glorot) normal, :math:`w \sim N(0, s^2)` with :math:`s = g\sqrt{2/(n_{in} + n_{out})}`.

    Parameters
    ----------
    shape : (fan_in, fan_out) or (kh, kw, c_in, c_out).
    rng : numpy.random.Generator.
    gain : g, see `calculate_gain`.

    Returns
    -------
    array of that shape, float64.

    Notes
    -----
    :math:`2/(n_{in} + n_{out})` is the variance; the notes put it where elsewhere they put s (004, E31).
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
    r"""He (Kaiming) uniform, for ReLU, :math:`w \sim U(-a, a)` with :math:`a = \sqrt{6/n_{in}}`.

    Parameters
    ----------
    shape : (fan_in, fan_out) or (kh, kw, c_in, c_out).
    rng : numpy.random.Generator.

    Returns
    -------
    array of that shape, float64; its variance is that of `he_normal`.

    Notes
    -----
    Symmetric, with :math:`n_{in}` at both ends; the notes have :math:`n_{out}` at the upper one (002, E20).
    Source: notes 004; He et al. (2015), equation 10, as a uniform distribution of the same variance.

    Examples
    --------
    >>> W = he_uniform((200, 100), np.random.default_rng(0))
    >>> round(float(W.std() / np.sqrt(2 / 200)), 2)
    1.0
    """
    fan_in, _ = fans(shape)
    return _uniform(shape, rng, math.sqrt(6.0 / fan_in))


def he_normal(shape, rng):
    r"""He (Kaiming) normal, for ReLU, :math:`w \sim N(0, s^2)` with :math:`s = \sqrt{2/n_{in}}`.

    Parameters
    ----------
    shape : (fan_in, fan_out) or (kh, kw, c_in, c_out).
    rng : numpy.random.Generator.

    Returns
    -------
    array of that shape, float64.

    Notes
    -----
    The factor 2 makes up for the half of its input that ReLU drops. :math:`\sqrt{2/n_{in}}` is the standard deviation
    (004, E31). Source: He et al. (2015), equation 10.

    Examples
    --------
    >>> W = he_normal((200, 100), np.random.default_rng(0))
    >>> round(float(W.std() / np.sqrt(2 / 200)), 2)
    1.0
    """
    fan_in, _ = fans(shape)
    return normal(shape, rng, math.sqrt(2.0 / fan_in))


def scaled_normal(shape, rng, gain=1.0):
    r"""Normal by the number of inputs, :math:`w \sim N(0, s^2)` with :math:`s = g/\sqrt{n_{in}}`.

    Parameters
    ----------
    shape : (fan_in, fan_out) or (kh, kw, c_in, c_out).
    rng : numpy.random.Generator.
    gain : g, see `calculate_gain`; √2 gives `he_normal`.

    Returns
    -------
    array of that shape, float64.

    Notes
    -----
    The notes' :math:`N(0, g/n)` is neither this variance, :math:`g^2/n`, nor this deviation (000, E03).
    Source: LeCun, Bottou, Orr, Müller, Efficient BackProp (1998), section 4.6, for g = 1.

    Examples
    --------
    >>> W = scaled_normal((200, 100), np.random.default_rng(0))
    >>> round(float(W.std() * np.sqrt(200)), 2)
    1.0
    """
    fan_in, _ = fans(shape)
    return normal(shape, rng, _check_gain(gain) / math.sqrt(fan_in))


def orthogonal(shape, rng, gain=1.0):
    r"""Random matrix with orthonormal columns (or rows, where it is wider than high), times g.

    Parameters
    ----------
    shape : (fan_in, fan_out), or (kh, kw, c_in, c_out), which is filled as the matrix (kh·kw·c_in, c_out).
    rng : numpy.random.Generator.
    gain : g, see `calculate_gain`.

    Returns
    -------
    array of that shape, float64, with :math:`W^\top W = g^2 I` (or :math:`W W^\top = g^2 I`).

    Notes
    -----
    Q of the decomposition A = QR of a normal matrix. The signs of R's diagonal are moved into Q: only then is every
    rotation equally likely, whatever convention the QR routine has.
    Source: Saxe, McClelland, Ganguli, Exact solutions to the nonlinear dynamics of learning in deep linear neural networks
    (2014); Mezzadri, How to generate random matrices from the classical compact groups (2007), for the signs.

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
