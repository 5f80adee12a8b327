"""Regularization: a penalty on the weights that keeps them small.

The penalty `λ/2 Σ_l ‖W[l]‖²` (notes 003, (36)) pulls every weight towards 0 with
the force `λ W`: a step of gradient descent first shrinks W by the factor `1 − αλ`,
which is why it is also called weight decay. Biases are left out: they shift the
boundary, they do not bend it.

With an adaptive optimizer the two differ: the penalty's gradient is rescaled with
the rest, while `optimizers.adamw_step` decays the weights themselves. Dropout, the
other regularizer of the course, is in `dropout`; clipping, which bounds a step and
not the weights, in `optimizers`.
"""

from ._array import array_namespace
from ._checks import check_number
from ._tree import rebuild, zip_leaves

__all__ = [
    "l2_grad",
    "l2_penalty",
]


def __dir__():
    return __all__


def l2_penalty(weights, lam):
    """L2 penalty: `J = λ/2 Σ_l ‖W[l]‖²`.

    Parameters
    ----------
    weights : the weights W of every layer: one array, or any nesting of lists, tuples
        and dicts of arrays. No biases.
    lam : λ, at least 0.

    Returns
    -------
    J, a number to be added to the loss.

    Raises
    ------
    ValueError : λ is negative, or no array is given.

    Notes
    -----
    Source: notes 003 (36); Goodfellow, Bengio, Courville, Deep Learning (2016), section
    7.1.1.

    Examples
    --------
    >>> float(l2_penalty([np.array([[1.0, 2.0]]), np.array([[3.0]])], 0.5))
    3.5
    """
    lam = check_number("lam", lam, low=0.0, include_high=False)
    J = 0.0
    for (W,) in zip_leaves(weights=weights):
        J = J + array_namespace(W).sum(W * W)
    return 0.5 * lam * J


def l2_grad(W, lam):
    """Gradient of `l2_penalty`.

    `∇_W J = λ W`; with a plus, it is added to the loss's gradient.

    Parameters
    ----------
    W : (...) array, the weights of a layer, or those of several in any nesting of
        lists, tuples and dicts.
    lam : λ, at least 0.

    Returns
    -------
    Array of the shape of W, or arrays in its nesting.

    Examples
    --------
    >>> l2_grad(np.array([[1.0, -2.0]]), 0.5)
    array([[ 0.5, -1. ]])
    """
    lam = check_number("lam", lam, low=0.0, include_high=False)
    return rebuild(W, [lam * x for (x,) in zip_leaves(W=W)])
