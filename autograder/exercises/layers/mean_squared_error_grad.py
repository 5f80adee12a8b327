"""The gradient of the mean squared error, by the predictions."""

import numpy as np

from dlcourse import losses

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import OUTER, UPHILL, integer_buffer, mean_squared_cases

# --- solution -------------------------------------------------------------------------------------------------------


def mean_squared_error_grad(Y, D):
    return 2 * (Y - D) / Y.size


# --- mistakes -------------------------------------------------------------------------------------------------------

GRADIENT = "2 * (Y - D) / Y.size"

MISTAKES = [
    Mistake("ascent", slip("Y - D", "D - Y"), UPHILL),
    Mistake("factor_missing", slip("2 * ", ""),
        "Half of what is asked. This loss has no ½ in front that could cancel against what the square brings down."),
    Mistake("sum_for_mean", slip(" / Y.size", ""),
        "This is the gradient of the *sum* of squares. Whatever divides the loss divides its gradient.",
        convention=True),
    Mistake("mean_over_examples", slip("Y.size", "len(Y)"),
        "You divide by the number of examples. The loss is the mean over all entries: which number is that?",
        convention=True),
    Mistake("one_number_for_all", slip(GRADIENT, "2 * np.mean(Y - D)"),
        "Every prediction has its derivative, so the gradient has the shape of Y: only the number that divides comes "
        "from the mean."),
    Mistake("summed_over_examples", slip("(Y - D)", "np.sum(Y - D, axis=0)"),
        "Every prediction has its derivative, so the gradient has the shape of Y: nothing is summed."),
    Mistake("loss_for_gradient", slip(GRADIENT, "(Y - D) ** 2 / Y.size"),
        "This is each entry's share of the loss. Asked is its derivative: what becomes of the square?"),
    integer_buffer(GRADIENT, "Y"),
    Mistake("outer_product_target", slip("    return", "    D = D[:, None] if D.ndim == 1 else D\n    return"), OUTER),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def loop(Y, D):
    factor = 2 / np.prod(Y.shape)
    return [factor * (y - d) for y, d in zip(Y, D, strict=True)]


def in_place(Y, D):
    dY = np.array(Y, dtype=float)
    dY -= D
    dY *= 2
    dY /= dY.size
    return dY


EXERCISE = Exercise("losses.mean_squared_error_grad", losses.mean_squared_error_grad, mean_squared_cases, MISTAKES,
    variants=[loop, in_place], solution=mean_squared_error_grad, points=1,
    why="The ⅔(ŷ − y) with which the worked example of notes 001 begins its way back.",
    hints=("Differentiate (y − d)² by y for a single entry.",
           "The loss divides by the number of all entries, `Y.size`, and so does its gradient."))  # fmt: skip
