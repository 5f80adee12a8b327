"""Inverted dropout with a given mask."""

import numpy as np

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import POLARITY, RULE, exact_mask

# --- solution -------------------------------------------------------------------------------------------------------


def masked_forward(X, M, p):
    """Inverted dropout with a given mask: `Y = M ⊙ X / (1 − p)`.

    Parameters
    ----------
    X : (...) array.
    M : boolean array of the same shape, True where an entry is kept.
    p : probability of dropping with which M was drawn, in [0, 1).

    Returns
    -------
    Y : (...) array.
    cache : whatever `masked_backward` needs.
    """
    return M * X / (1 - p), (M, p)


def masked_backward(dY, cache):
    r"""Gradient of `masked_forward` with respect to X.

    Parameters
    ----------
    dY : (...) array, gradient with respect to Y.
    cache : from `masked_forward`.

    Returns
    -------
    dX : (...) array.
    """
    M, p = cache
    return M * dY / (1 - p)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, shape, p, M=None, hidden=False):
        M = exact_mask(rng, shape) if M is None else M
        return Case(name, (rng.standard_normal(shape), M, p), dout=rng.standard_normal(shape), hidden=hidden)

    relu = np.array([[0.0, 2.0, 0.0], [1.5, 0.0, 3.0]])
    kept = np.array([[True, True, False], [False, True, True]])
    return [
        case("four examples, p = 0.2", (4, 3), 0.2),
        enlarged(case("one example, p = 0.5", (1, 6), 0.5), 0),
        case("as many examples as units, p = 0.75", (3, 3), 0.75),
        case("p = 0: all kept", (2, 4), 0.0, M=np.ones((2, 4), dtype=bool)),
        in_float32(case("", (3, 5), 0.3)),
        Case("inputs that are 0, as after a ReLU", (relu, kept, 0.25), dout=rng.standard_normal((2, 3))),
        case("images", (2, 3, 3, 2), 0.4, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("mask_polarity", slip("M * X", "~M * X", "M * dY", "~M * dY"), POLARITY, convention=True),
    *RULE,
    Mistake("gradient_passed_on", slip("M * dY / (1 - p)", "dY.copy()"),
        "[The output is right.] The gradient comes back as it arrived: neither mask nor factor."),
    Mistake("divided_by_p", slip("/ (1 - p)", "/ p", everywhere=True),
        "You divide by the probability of being dropped. What share of the sum is left, on average?"),
    Mistake("p_fixed", slip("/ (1 - p)", "* θ", values=(2.0, 1.25), everywhere=True),
        "The factor is the same in every case. It is 1/(1 − p), and p is an argument."),
    Mistake("dropped_taken_out", slip("M * X", "X[M]", "M * dY", "dY[M]"),
        "The dropped entries are taken out of the array. They stay in their places, as zeros."),
    Mistake("mask_from_output",
        slip("return M * X / (1 - p), (M, p)", "Y = M * X / (1 - p)\n    return Y, (Y, p)",
             "M, p = cache\n    return M", "Y, p = cache\n    return (Y != 0)"),
        "On the way back you guess the mask from Y ≠ 0. An input may be 0 and kept: put the mask itself into the "
        "cache."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def scale_forward(X, M, p):
    scale = np.where(M, 1 / (1 - p), 0.0)
    return X * scale, scale


def scale_backward(dY, cache):
    return cache * dY


def copy_forward(X, M, p):
    Y = X / (1 - p)
    Y[~M] = 0
    return Y, (M, p)


def copy_backward(dY, cache):
    M, p = cache
    dX = np.zeros_like(dY)
    dX[M] = dY[M] / (1 - p)
    return dX


EXERCISE = Exercise("dropout.masked", (masked_forward, masked_backward), cases, MISTAKES,
    variants=[(scale_forward, scale_backward), (copy_forward, copy_backward)], points=2,
    why="The division by 1 − p lets evaluation use the network as it is.",
    hints=("True and False multiply as 1 and 0.",
           "The cache holds what the way back needs: the mask, and p.",
           "Y is X times a constant, entry by entry. So dX is dY times the same constants."))  # fmt: skip
