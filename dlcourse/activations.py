"""Activations: the nonlinearities between the layers, and their derivatives.

:math:`a = f(z)`. Each ``f`` stands beside its derivative ``f_grad``, both as functions of the input.
"""

from ._array import array_namespace, into
from ._checks import as_floating


def sigmoid(x):
    r"""Logistic sigmoid, :math:`\sigma(x) = \frac{1}{1 + e^{-x}}`.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array in (0, 1); in floating point it does round to 1 for x above about 37 (float64).

    Notes
    -----
    Computed as :math:`e^{\min(x, 0)} / (1 + e^{-|x|})`: no branch, no overflow, and the left tail keeps its digits.
    Source: notes 000, 003 (6), 004; Goodfellow, Bengio, Courville, Deep Learning (2016), section 3.10.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    x = as_floating(x)
    xp = array_namespace(x)
    # min(x, −x) is −|x|, and stays analytic for the complex step
    denominator = into(xp.exp, xp.minimum(x, -x))
    denominator += 1.0
    p = into(xp.exp, xp.minimum(x, 0.0))
    p /= denominator
    return p


def sigmoid_grad(x):
    r"""Derivative of the sigmoid at the input, :math:`\sigma'(x) = \sigma(x)(1 - \sigma(x))`.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array in (0, 1/4], largest at 0 (notes 004 say 0.5: a slip, E29).

    Notes
    -----
    :math:`1 - \sigma(x) = \sigma(-x)` keeps the right tail, where the difference would cancel to 0.

    Examples
    --------
    >>> sigmoid_grad(np.array([0.0]))
    array([0.25])
    """
    return sigmoid(x) * sigmoid(-as_floating(x))


def softplus(x):
    r"""Softplus, :math:`\log(1 + e^x)`, a smooth ReLU.

    Parameters
    ----------
    x : (...) array, the preactivation.

    Returns
    -------
    (...) array, positive.

    Notes
    -----
    Computed as :math:`\max(x, 0) + \log(1 + e^{-|x|})`, which neither overflows nor loses the left tail.
    :math:`-\log \sigma(x) = \mathrm{softplus}(-x)`. Source: notes 004.

    Examples
    --------
    >>> softplus(np.array([-1000.0, 0.0, 1000.0]))
    array([0.00000000e+00, 6.93147181e-01, 1.00000000e+03])
    """
    x = as_floating(x)
    xp = array_namespace(x)
    y = into(xp.log1p, into(xp.exp, xp.minimum(x, -x)))
    y += xp.maximum(x, 0.0)
    return y
