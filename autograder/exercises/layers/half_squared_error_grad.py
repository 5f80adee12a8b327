"""The gradient of half the squared error, by the predictions."""

import numpy as np

from dlcourse import losses

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import UPHILL, integer_buffer, outer_product, reduced, reduction_mistakes, squared_error_cases

# --- solution -------------------------------------------------------------------------------------------------------


def half_squared_error_grad(Y, D, reduction="sum"):
    dY = -(D - Y)
    return dY / len(Y) if reduction == "mean" else dY


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("ascent", slip("-(D - Y)", "D - Y"), UPHILL),
    Mistake("wrong_factor", slip("-(D - Y)", "-2 * (D - Y)"),
        "Twice what is asked. Which factor does the loss have in front, and what does the derivative of the square do "
        "to it?"),
    Mistake("half_kept", slip("-(D - Y)", "-0.5 * (D - Y)"),
        "Half of what is asked: the ½ of the loss cancels against the 2 that the square brings down."),
    integer_buffer(reduced("dY", "Y"), "Y"),
    *reduction_mistakes("dY", "Y"),
    Mistake("summed_over_examples", slip("-(D - Y)", "-np.sum(D - Y, axis=0)"),
        "Every prediction has its derivative, so the gradient has the shape of Y: nothing is summed."),
    outer_product("dY", "D"),
    Mistake("loss_for_gradient", slip("-(D - Y)", "0.5 * (D - Y) ** 2"),
        "This is each entry's loss. Asked is its derivative: what becomes of the square?"),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def loop(Y, D, reduction="sum"):
    factor = 1 / len(Y) if reduction == "mean" else 1.0
    return [factor * (y - d) for y, d in zip(Y, D, strict=True)]


def in_place(Y, D, reduction="sum"):
    dY = np.array(Y, dtype=float)
    dY -= D
    if reduction == "mean":
        dY /= dY.shape[0]
    return dY


EXERCISE = Exercise("losses.half_squared_error_grad", losses.half_squared_error_grad, squared_error_cases, MISTAKES,
    variants=[loop, in_place], solution=half_squared_error_grad, points=1,
    why="It must carry exactly the loss's factor, or a gradient check fails and the learning rate silently changes.",
    hints=("Differentiate ½(d − y)² by y for a single entry.",
           "Whatever divides the loss divides its gradient."))  # fmt: skip
