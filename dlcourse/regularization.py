"""Regularization: a penalty on the weights that keeps them small.

The penalty `λ/2 Σ_l ‖W[l]‖²` (notes 003, (36)) pulls every weight towards 0 with
the force `λ W`: a step of gradient descent first shrinks W by the factor `1 − αλ`,
which is why it is also called weight decay. Biases are left out: they shift the
boundary, they do not bend it.

With an adaptive optimizer the two differ: the penalty's gradient is rescaled with
the rest, while `optimizers.adamw_step` decays the weights themselves. Dropout, the
other regularizer of the course, is in `dropout`, and here in the classic form of
notes 004; clipping, which bounds a step and not the weights, in `optimizers`.
"""

from typing import Any, NamedTuple

from ._array import array_namespace, from_numpy
from ._checks import as_floating, check_gradient, check_number, check_rng
from ._tree import rebuild, zip_leaves
from .dropout import _keep_mask

__all__ = [
    "ClassicDropoutCache",
    "classic_dropout_backward",
    "classic_dropout_forward",
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


class ClassicDropoutCache(NamedTuple):
    """M, the boolean mask of what was kept (None after an evaluation); p, the probability
    of keeping; the shape of X.
    """

    M: Any
    p: float
    shape: tuple


def classic_dropout_forward(X, p, rng, train=True):
    """Dropout in its first form: `Y = M ⊙ X` in training, `Y = p X` in evaluation.

    Parameters
    ----------
    X : (...) array, with at least one entry.
    p : probability of *keeping* an entry, in (0, 1].
    rng : numpy.random.Generator or seed, draws the mask M; may be None where `train` is
        False.
    train : whether to drop.

    Returns
    -------
    Y : (...) array.
    cache : ClassicDropoutCache for `classic_dropout_backward`; its mask is None after
        an evaluation.

    Raises
    ------
    ValueError : p is outside (0, 1], or X is empty.
    TypeError : rng is neither a generator nor a seed.

    Notes
    -----
    What a unit hands on in evaluation is its expectation in training, `E[M x] = p x`.
    `dropout.dropout_forward` divides by p in training instead, and its p is the
    probability of *dropping* (E32).
    Source: notes 004; Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov,
    Dropout: A simple way to prevent neural networks from overfitting (JMLR 15, 2014),
    section 4.

    Examples
    --------
    >>> X = np.full(1000, 2.0)
    >>> Y, cache = classic_dropout_forward(X, 0.8, np.random.default_rng(0))
    >>> bool(np.all((Y == 0.0) | (Y == 2.0))), bool(abs(np.mean(Y) - 1.6) < 0.1)
    (True, True)
    >>> float(classic_dropout_forward(X, 0.8, None, train=False)[0][0])
    1.6
    """
    X = as_floating(X, "X")
    p = check_number("p", p, 0.0, 1.0, include_low=False)
    if 0 in X.shape:
        raise ValueError(f"X: expected at least one entry along each axis, got shape {tuple(X.shape)}")
    if rng is not None or train:
        rng = check_rng(rng)
    M = from_numpy(_keep_mask(rng, 1.0 - p, tuple(X.shape)), like=X) if train else None
    return _thinned(X, M, p), ClassicDropoutCache(M, p, tuple(X.shape))


def classic_dropout_backward(dY, cache):
    """Gradient of `classic_dropout_forward`.

    `dX = M ⊙ dY` through the mask that the forward pass drew, `dX = p dY` after an
    evaluation.

    Parameters
    ----------
    dY : (...) array, gradient with respect to Y.
    cache : what `classic_dropout_forward` returned.

    Returns
    -------
    dX : (...) array.

    Examples
    --------
    >>> Y, cache = classic_dropout_forward(np.ones(4), 0.5, np.random.default_rng(0))
    >>> dX = classic_dropout_backward(np.ones(4), cache)
    >>> bool(np.all(dX == Y))
    True
    """
    M, p, shape = cache
    return _thinned(check_gradient("dY", dY, like=shape), M, p)


def _thinned(X, M, p):
    """M ⊙ X, or p X where there is no mask."""
    return p * X if M is None else array_namespace(X).astype(M, X.dtype) * X
