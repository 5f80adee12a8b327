r"""Dropout: a different thinned network for every example, and the whole network
afterwards.

In training each entry is dropped with probability p, independently, and what stays
is scaled up (*inverted* dropout, notes 002), so that the expectation is that of the
whole network and evaluation changes nothing:

.. math::
    Y = M ⊙ X / (1 − p)
    M ~ Bernoulli(1 − p)

Backward, the gradient flows where the signal did, with the same scale:
`dX = M ⊙ dY / (1 − p)`. Notes 004 write the classic form, where p is the
probability of *keeping* and evaluation multiplies by p (E32); both agree in
expectation.
"""

import math
from typing import Any, NamedTuple

from ._array import array_namespace, from_numpy
from ._checks import as_floating, check_gradient, check_number, check_rng

__all__ = [
    "DropoutCache",
    "dropout_backward",
    "dropout_forward",
]


def __dir__():
    return __all__


class DropoutCache(NamedTuple):
    """M, the boolean mask of what was kept (None after an evaluation); p, the probability
    of dropping; the shape of X.
    """

    M: Any
    p: float
    shape: tuple


def dropout_forward(X, p, rng, train=True):
    """Inverted dropout: `Y = M ⊙ X / (1 − p)` in training, `Y = X` in evaluation.

    Parameters
    ----------
    X : (...) array, with at least one entry.
    p : probability of dropping an entry, in [0, 1).
    rng : numpy.random.Generator or seed, draws the mask M; may be None where `train` is
        False.
    train : whether to drop.

    Returns
    -------
    Y : (...) array.
    cache : DropoutCache for `dropout_backward`; its mask is None after an evaluation.

    Raises
    ------
    ValueError : p is outside [0, 1), or X is empty.
    TypeError : rng is neither a generator nor a seed.

    Notes
    -----
    The probability is p itself, not the nearest multiple of 2⁻¹⁶ that the fast
    comparison of 16-bit draws would give: draws at the boundary are decided by a second
    one.
    Source: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, Dropout: A simple
    way to prevent neural networks from overfitting (JMLR 15, 2014), section 10 for the
    scaling in training; notes 002, 004 (E32).

    Examples
    --------
    >>> Y, cache = dropout_forward(np.ones(1000), 0.2, np.random.default_rng(0))
    >>> bool(np.all((Y == 0.0) | (Y == 1.25))), bool(abs(np.mean(Y) - 1.0) < 0.1)
    (True, True)
    """
    X = as_floating(X, "X")
    p = check_number("p", p, 0.0, 1.0, include_high=False)
    if 0 in X.shape:
        raise ValueError(f"X: expected at least one entry along each axis, got shape {tuple(X.shape)}")
    if rng is not None or train:
        rng = check_rng(rng)
    M = from_numpy(_keep_mask(rng, p, tuple(X.shape)), like=X) if train else None
    return _masked(X, M, p), DropoutCache(M, p, tuple(X.shape))


def dropout_backward(dY, cache):
    """Gradient of `dropout_forward`.

    `dX = M ⊙ dY / (1 − p)`, through the mask that the forward pass drew.

    Parameters
    ----------
    dY : (...) array, gradient with respect to Y.
    cache : what `dropout_forward` returned.

    Returns
    -------
    dX : (...) array; dY itself, copied, after an evaluation.

    Examples
    --------
    >>> Y, cache = dropout_forward(np.ones(4), 0.5, np.random.default_rng(0))
    >>> dX = dropout_backward(np.ones(4), cache)
    >>> bool(np.all(dX == Y))
    True
    """
    M, p, shape = cache
    dY = check_gradient("dY", dY, like=shape)
    return _masked(dY, M, p)


def _masked(X, M, p):
    """M·X/(1 − p), a new array; X copied where there is no mask."""
    xp = array_namespace(X)
    if M is None:
        return xp.asarray(X, copy=True)
    # by multiplication: choosing with `where` on a random mask costs ten times as much
    Y = xp.astype(M, X.dtype)
    Y *= X
    Y *= 1.0 / (1.0 - p)
    return Y


def _keep_mask(rng, p, shape):
    """A boolean NumPy array of the given shape, each entry True with probability 1 − p.

    A draw R of 16 bits is dropped if R + U < p·65536 with U uniform in [0, 1). Only where R is the whole part of
    p·65536 does U matter, and only there is it drawn: four draws for one 64-bit number, at full precision in p.
    """
    n = math.prod(shape)
    draws = rng.integers(0, 2**64 - 1, size=-(-n // 4), endpoint=True, dtype="uint64").view("uint16")[:n]
    whole, fraction = divmod(p * 65536.0, 1.0)
    whole = draws.dtype.type(whole)  # the draws' own type: twice as fast to compare with as Python's
    keep = draws >= whole
    if fraction:
        boundary = (draws == whole).nonzero()[0]
        keep[boundary] = rng.random(boundary.size) >= fraction
    return keep.reshape(shape)
