"""Classic dropout: nothing is scaled in training, everything in evaluation."""

import numpy as np

from dlcourse import regularization

from ...checks.exercise import Exercise, Mistake, enlarged, slip
from ._shared import BACK_UNMASKED, MUTATES, drawn_case, dropout_driver, mask_mistakes, passed_on

# --- solution -------------------------------------------------------------------------------------------------------


def classic_dropout_forward(X, p, rng, train=True):
    scale = rng.random(X.shape) < p if train else p
    return scale * X, scale


def classic_dropout_backward(dY, cache):
    scale = cache
    return scale * dY


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(*args, **options):
        return drawn_case(rng, *args, **options)

    return [
        case("training, p = 0.8", (100, 60), 0.8),
        enlarged(case("training, p = 0.3", (60, 100), 0.3), 0),
        case("training, one example", (1, 6000), 0.65),
        enlarged(case("evaluation, p = 0.7", (20, 30), 0.7, train=False), 0),
        case("evaluation without a generator", (1, 4), 0.4, train=False, generator=False),
        case("training, p = 1: all are kept", (100, 60), 1.0),
        # The factor is a quotient of two rounded float32 numbers
        case("evaluation, float32", (5, 1), 0.6, dtype=np.float32, tolerance=1e-5, train=False),
        case("training, images", (40, 6, 6, 3), 0.65, hidden=True),
        case("evaluation, images", (2, 3, 2, 2), 0.25, train=False, hidden=True),
    ]


def statistics(value, case):
    return passed_on(value, case, 1.0 - case.args[1])


# --- mistakes -------------------------------------------------------------------------------------------------------

DRAWN = "rng.random(X.shape) < p"
SCALE = f"{DRAWN} if train else p"


def drawn(mistake):
    """A mistake in drawing the mask, made in this solution: it keeps where a draw is *below* p."""
    (way,) = (mistake.function, *mistake.also)
    (old, new), *_ = way.pairs
    return Mistake(mistake.slug, slip(old.replace(">=", "<"), new.replace(">=", "<")), mistake.hint)


MISTAKES = [
    Mistake("backward_unscaled", slip("scale * X, scale", "scale * X, scale if train else 1.0"),
        "[The output is right.] In evaluation Y = pX: the gradient has that factor, too."),
    Mistake("backward_unmasked", slip("scale * X, scale", "scale * X, 1.0 if train else scale"), BACK_UNMASKED),
    Mistake("backward_scaled_in_training", slip("scale * X, scale", "scale * X, p * scale if train else scale"),
        "[The output is right.] In training Y = M ⊙ X, without a factor, so the gradient has none either."),
    Mistake("inverted_for_classic", slip(SCALE, f"({DRAWN}) / p if train else 1.0"),
        "This is inverted dropout, as in the exercise above: scaled in training. The classic form scales in evaluation "
        "instead.", convention=True),
    Mistake("scaled_in_training_too", slip(f"{DRAWN} if", f"({DRAWN}) / p if"),
        "Scaled twice: 1/p in training *and* p in evaluation. The classic form does it in evaluation only."),
    Mistake("not_rescaled", slip("else p", "else 1.0"),
        "In evaluation all entries are there, and the sums are larger than anything the next layer has seen in "
        "training. Which factor puts that right?"),
    Mistake("keep_drop_swapped", slip("< p if train else p", ">= p if train else 1 - p"),
        "p is taken for the probability of *dropping*, as in the exercise above. Here it is the probability of keeping "
        "(E32).", convention=True),
    Mistake("mask_swapped", slip("< p", ">= p"),
        "In training you drop with probability p. Here p is the probability of keeping, as your evaluation has it."),
    Mistake("factor_swapped", slip("else p", "else 1 - p"),
        "The factor in evaluation is the probability of dropping. Here p is the probability of keeping."),
    Mistake("p_fixed", slip(SCALE, "rng.random(X.shape) < θ if train else θ", values=(0.5, 0.8, 0.9)),
        "Your function keeps the same share of the entries in every case. The probability is an argument, `p`."),
    Mistake("factor_fixed", slip("else p", "else 0.5"),
        "The factor in evaluation is always ½. It is the probability of keeping, the argument `p`."),
    Mistake("active_at_test", slip(SCALE, f"p if rng is None else {DRAWN}"),
        "Entries are dropped in evaluation, too: where does your code look at `train`?"),
    Mistake("enlarged_at_test", slip("else p", "else 1 / p"),
        "In evaluation the entries get larger; with all of them there, each has to get smaller."),
    Mistake("mask_redrawn",
        slip("scale * X, scale", "scale * X, (scale, rng, p)",
             "scale = "
             "cache", "scale, rng, p = cache\n    if np.size(scale) > 1:\n        scale = rng.random(dY.shape) < p"),
        "[The output is right.] The way back draws another mask, so gradients reach entries that were dropped. The "
        "cache has to carry the mask."),
    *map(drawn, mask_mistakes("X.shape")),
    Mistake("mutates_input", slip("return scale * X,", "X *= scale\n    return X,"), MUTATES),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def where_forward(X, p, rng, train=True):
    M = rng.uniform(size=X.shape) >= 1 - p if train else None
    return (np.where(M, X, 0.0) if train else np.multiply(p, X)), (M, p)


def where_backward(dY, cache):
    M, p = cache
    return dY * p if M is None else np.where(M, dY, 0.0)


def copy_forward(X, p, rng, train=True):
    Y = X.copy()
    if not train:
        Y *= p
        return Y, {"factor": p}
    dropped = rng.binomial(1, p, X.shape) == 0
    Y[dropped] = 0.0
    return Y, {"dropped": dropped}


def copy_backward(dY, cache):
    dX = np.array(dY)
    if "factor" in cache:
        dX *= cache["factor"]
    else:
        dX[cache["dropped"]] = 0.0
    return dX


EXERCISE = Exercise("regularization.classic_dropout",
    (regularization.classic_dropout_forward, regularization.classic_dropout_backward), cases, MISTAKES,
    variants=[(where_forward, where_backward), (copy_forward, copy_backward)],
    solution=(classic_dropout_forward, classic_dropout_backward), points=2,
    why="Papers and notes write either form; mixing the two trains one network and tests another.",
    hints=("In training: the mask alone. In evaluation: p alone.",
           "In both modes Y is X times something. That something is all that the way back needs."),
    driver=dropout_driver, parts=("forward", "backward"), measure=statistics)  # fmt: skip
