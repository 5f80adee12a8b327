"""Inverted dropout, in training and in evaluation."""

from dataclasses import replace

import numpy as np

from dlcourse import dropout

from ...checks.exercise import Exercise, Mistake, enlarged, slip
from ._shared import P_FIXED, RULE, SWAPPED, drawn_case, dropout_driver, mask_mistakes, passed_on

# --- solution -------------------------------------------------------------------------------------------------------


def dropout_forward(X, p, rng, train=True):
    if not train:
        return X.copy(), (None, p)
    M = rng.random(X.shape) >= p
    return M * X / (1 - p), (M, p)


def dropout_backward(dY, cache):
    M, p = cache
    return dY.copy() if M is None else M * dY / (1 - p)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(*args, **options):
        return drawn_case(rng, *args, **options)

    return [
        case("training, p = 0.2", (200, 150), 0.2),
        enlarged(case("training, p = 0.7", (120, 250), 0.7), 0),
        enlarged(case("evaluation", (20, 30), 0.3, train=False), 0),
        case("evaluation without a generator", (1, 4), 0.6, train=False, generator=False),
        # A factor of 1, and no sum behind it
        replace(case("training, p = 0", (100, 60), 0.0), sum_length=16),
        # The factor is a quotient of two rounded float32 numbers
        case("training, float32", (150, 160), 0.4, dtype=np.float32, tolerance=1e-5, train=True),
        case("training, images", (150, 8, 8, 3), 0.35, hidden=True),
    ]


def statistics(value, case):
    return passed_on(value, case, case.args[1])


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("scaled_at_test", slip("X.copy()", "X * (1 - p)", "dY.copy()", "dY * (1 - p)"),
        "The scaling was done in training, by 1/(1 − p). In evaluation nothing is left to be done."),
    Mistake("enlarged_at_test", slip("X.copy()", "X / (1 - p)", "dY.copy()", "dY / (1 - p)"),
        "In evaluation nothing is dropped, so there is nothing to make up for: no division there."),
    Mistake("active_at_test", slip("if not train:", "if rng is None:"),
        "Entries are dropped in evaluation, too: where does your code look at `train`?"),
    Mistake("keep_drop_swapped",
        slip(">= p", "< p", "M * X / (1 - p)", "M * X / (p or 1)", "M * dY / (1 - p)", "M * dY / (p or 1)"),
        SWAPPED, convention=True,
        # With p = 0 it divides by 0
        also=[slip(">= p", "< p", "M * X / (1 - p)", "M * X / p", "M * dY / (1 - p)", "M * dY / p")]),
    Mistake("mask_swapped", slip(">= p", "< p"),
        "You keep with probability p and rescale as if you had kept with 1 − p. p is the probability of dropping."),
    *RULE,
    Mistake("p_fixed",
        slip(">= p", ">= θ", "M * X / (1 - p)", "M * X / (1 - θ)", "M * dY / (1 - p)", "M * dY / (1 - θ)",
             values=(0.5, 0.2, 0.1)),
        P_FIXED, also=[slip(">= p", ">= 0.5")]),
    Mistake("mask_redrawn",
        slip("(1 - p), (M, p)", "(1 - p), (rng, p)",
             "    M, p = cache", "    rng, p = cache",
             "if M is None else M * dY", "if rng is None else (rng.random(dY.shape) >= p) * dY"),
        "[The output is right.] The way back draws another mask, so gradients reach entries that were dropped. The "
        "cache has to carry the mask."),
    *mask_mistakes("X.shape"),
    Mistake("evaluation_stops_gradient", slip("dY.copy()", "np.zeros_like(dY)"),
        "After an evaluation no gradient comes back. There Y = X: what is dX then?"),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def scale_forward(X, p, rng, train=True):
    scale = rng.binomial(1, 1 - p, X.shape) / (1 - p) if train else np.ones(X.shape)
    return X * scale, scale


def scale_backward(dY, cache):
    return np.multiply(dY, cache)


def by_rows_forward(X, p, rng, train=True):
    Y, dropped = np.array(X), np.zeros(X.shape, dtype=bool)
    factor = 1.0
    if train:
        dropped = np.stack([rng.random(row.shape) < p for row in X])
        factor = 1 / (1 - p)
        Y[dropped] = 0.0
        Y *= factor
    return Y, {"dropped": dropped, "factor": factor}


def by_rows_backward(dY, cache):
    dX = dY * cache["factor"]
    dX[cache["dropped"]] = 0.0
    return dX


EXERCISE = Exercise("dropout.dropout", (dropout.dropout_forward, dropout.dropout_backward), cases, MISTAKES,
    variants=[(scale_forward, scale_backward), (by_rows_forward, by_rows_backward)],
    solution=(dropout_forward, dropout_backward), points=3,
    why="Every minibatch trains another thinned network; the whole one, used afterwards, is their average.",
    hints=("Two ways: with `train`, a new mask and the rule from above; without, X as it is, as a copy.",
           "The way back has to know which of the two it was: put the mask, or None, into the cache.",
           "Never draw on the way back."),
    driver=dropout_driver, parts=("forward", "backward"), measure=statistics)  # fmt: skip
