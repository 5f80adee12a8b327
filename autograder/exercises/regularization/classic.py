"""Classic dropout: nothing is scaled in training, everything in evaluation."""

import numpy as np

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import BACK_UNMASKED, MUTATES, POLARITY, exact_mask

# --- solution -------------------------------------------------------------------------------------------------------


def classic_forward(X, keep, M, train=True):
    """Classic dropout.

    `Y = M ⊙ X` in training, `Y = qX` in evaluation, q the probability of *keeping*.

    Parameters
    ----------
    X : (...) array.
    keep : q, the probability of keeping an entry, in (0, 1].
    M : boolean array of the same shape, True where an entry is kept; not used in
        evaluation, and may be None there.
    train : whether to drop.

    Returns
    -------
    Y : (...) array.
    cache : whatever `classic_backward` needs.
    """
    scale = M if train else keep
    return scale * X, scale


def classic_backward(dY, cache):
    r"""Gradient of `classic_forward` with respect to X, in the mode in which that ran.

    Parameters
    ----------
    dY : (...) array, gradient with respect to Y.
    cache : from `classic_forward`.

    Returns
    -------
    dX : (...) array.
    """
    scale = cache
    return scale * dY


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, shape, keep, train, hidden=False, given=True):
        M = exact_mask(rng, shape) if given else None
        args = (rng.standard_normal(shape), keep, M)
        options = {} if train else {"train": False}
        return Case(name, args, options, dout=rng.standard_normal(shape), hidden=hidden)

    return [
        case("training, q = 0.8", (4, 3), 0.8, True),
        case("evaluation, q = 0.8", (4, 3), 0.8, False),
        enlarged(case("training, one example, q = 0.3", (1, 6), 0.3, True), 0),
        case("evaluation, as many examples as units, q = 0.25", (3, 3), 0.25, False),
        case("evaluation, images, q = 0.6", (2, 3, 2, 2), 0.6, False, hidden=True),
        case("training, images, q = 0.6", (2, 3, 2, 2), 0.6, True, hidden=True),
        in_float32(case("", (3, 4), 0.45, False, given=False), "evaluation, float32, no mask given"),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("backward_unscaled", slip("scale * X, scale", "scale * X, M if train else 1.0"),
        "[The output is right.] In evaluation Y = qX: the gradient has that factor, too."),
    Mistake("backward_unmasked", slip("scale * X, scale", "scale * X, 1.0 if train else keep"), BACK_UNMASKED),
    Mistake("backward_scaled_in_training", slip("scale * X, scale", "scale * X, keep * scale if train else keep"),
        "[The output is right.] In training Y = M ⊙ X, without a factor, so the gradient has none either."),
    Mistake("inverted_for_classic", slip("M if train else keep", "M / keep if train else 1.0"),
        "This is inverted dropout, as in the exercise above: scaled in training. The classic form scales in evaluation "
        "instead.", convention=True),
    Mistake("scaled_in_training_too", slip("M if train", "M / keep if train"),
        "Scaled twice: 1/q in training *and* q in evaluation. The classic form does it in evaluation only."),
    Mistake("not_rescaled", slip("else keep", "else 1.0"),
        "In evaluation all entries are there, and the sums are larger than anything the next layer has seen in "
        "training. Which factor puts that right?"),
    Mistake("keep_drop_swapped", slip("else keep", "else 1 - keep"),
        "The factor in evaluation is the probability of dropping. Here the argument, `keep`, is already the "
        "probability of keeping.", convention=True),
    Mistake("active_at_test", slip("M if train else keep", "1.0 if M is None else M"),
        "The mask works in evaluation, too. There nothing is dropped, but everything is made smaller."),
    Mistake("enlarged_at_test", slip("else keep", "else 1 / keep"),
        "In evaluation the entries get larger; with all of them there, each has to get smaller."),
    Mistake("mask_polarity", slip("M if train", "~M if train"), POLARITY, convention=True),
    Mistake("mutates_input", slip("return scale * X,", "X *= scale\n    return X,"), MUTATES),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def where_forward(X, keep, M, train=True):
    return (np.where(M, X, 0.0) if train else np.multiply(keep, X)), (M, keep, train)


def where_backward(dY, cache):
    M, keep, train = cache
    return np.where(M, dY, 0.0) if train else dY * keep


def copy_forward(X, keep, M, train=True):
    Y = X.copy()
    if train:
        Y[~M] = 0.0
        return Y, ~M
    Y *= keep
    return Y, keep


def copy_backward(dY, cache):
    dX = np.array(dY)
    if isinstance(cache, float):
        dX *= cache
    else:
        dX[cache] = 0.0
    return dX


EXERCISE = Exercise("dropout.classic", (classic_forward, classic_backward), cases, MISTAKES,
    variants=[(where_forward, where_backward), (copy_forward, copy_backward)], points=2, minutes=6,
    why="Papers and notes write either form; mixing the two trains one network and tests another.",
    hints=("In training: the mask alone. In evaluation: q alone.",
           "In both modes Y is X times something. That something is all that the way back needs."))  # fmt: skip
