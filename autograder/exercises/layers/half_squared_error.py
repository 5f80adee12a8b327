"""Half the squared error, with both reductions."""

import numpy as np

from dlcourse import losses

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import outer_product, reduction_mistakes, squared_error_cases

# --- solution -------------------------------------------------------------------------------------------------------


def half_squared_error(Y, D, reduction="sum"):
    J = 0.5 * np.sum((D - Y) ** 2)
    return J / len(Y) if reduction == "mean" else J


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("wrong_factor", slip("0.5 * ", ""),
        "Twice what is asked: the ½ is missing, which makes the gradient come out without a 2."),
    *reduction_mistakes("J", "Y"),
    Mistake("absolute_for_square", slip("(D - Y) ** 2", "np.abs(D - Y)"),
        "The differences are squared here, not made positive."),
    Mistake("square_of_sum", slip("(D - Y) ** 2)", "D - Y) ** 2"),
        "Square first, then sum: otherwise errors of opposite sign cancel."),
    Mistake("root_taken", slip("np.sum((D - Y) ** 2)", "np.sqrt(np.sum((D - Y) ** 2))"),
        "‖d − y‖² is the *squared* length: after squaring and summing no root is taken."),
    Mistake("not_summed", slip("** 2)", "** 2, axis=-1)"),
        "A loss is one number for the whole batch; you keep one for each example."),
    outer_product("J", "D"),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def dot(Y, D, reduction="sum"):
    r = np.ravel(np.asarray(Y, dtype=float) - D)
    J = np.dot(r, r) / 2
    return J / Y.shape[0] if reduction == "mean" else J


def loop(Y, D, reduction="sum"):
    J = 0.0
    for y, d in zip(Y, D, strict=True):
        J += float(np.square(y - d).sum())
    return J / (2 * len(Y)) if reduction == "mean" else J / 2


EXERCISE = Exercise("losses.half_squared_error", losses.half_squared_error, squared_error_cases, MISTAKES,
    variants=[dot, loop], solution=half_squared_error, points=1,
    why="The loss of a linear output, and the place to meet `reduction`: its factor changes what a learning rate "
        "means.",
    hints=("The difference, squared, summed over everything, halved.",
           "The number of examples is `len(Y)`, whatever the other axes are."))  # fmt: skip
