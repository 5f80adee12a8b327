"""The mean squared error, over all entries."""

import numpy as np

from dlcourse import losses

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import OUTER, mean_squared_cases

# --- solution -------------------------------------------------------------------------------------------------------


def mean_squared_error(Y, D):
    return np.mean((Y - D) ** 2)


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("wrong_factor", slip("np.mean", "0.5 * np.mean"),
        "Half of what is asked: the ½ belongs to `half_squared_error`. The mean squared error has none.",
        convention=True),
    Mistake("mean_over_examples", slip("np.mean((Y - D) ** 2)", "np.sum((Y - D) ** 2) / len(Y)"),
        "You divide by the number of examples. This mean is over all *entries*, the outputs of an example included.",
        convention=True),
    Mistake("outputs_summed", slip("np.mean((Y - D) ** 2)", "np.mean(np.sum((Y - D) ** 2, axis=1))"),
        "You add up the outputs of each example before the mean is taken. This mean is over all *entries* at once, and "
        "Y may have one axis only or three.",
        also=[slip("np.mean((Y - D) ** 2)", "np.mean(np.sum((Y - D) ** 2, axis=-1))")]),
    Mistake("sum_for_mean", slip("np.mean", "np.sum"),
        "You add up the squares. The *mean* of them is asked: should twice as many entries cost twice as much?",
        convention=True),
    Mistake("absolute_for_square", slip("(Y - D) ** 2", "np.abs(Y - D)"),
        "The differences are squared here, not made positive."),
    Mistake("square_of_mean", slip("(Y - D) ** 2)", "Y - D) ** 2"),
        "Square first, then take the mean: otherwise errors of opposite sign cancel."),
    Mistake("variance_for_error", slip("np.mean((Y - D) ** 2)", "np.var(Y - D)"),
        "`np.var` takes the mean off before it squares: a prediction that is always 5 too high would cost nothing."),
    Mistake("root_taken", slip("np.mean((Y - D) ** 2)", "np.sqrt(np.mean((Y - D) ** 2))"),
        "This is the *root* of the mean squared error. After the mean nothing more is done."),
    Mistake("not_summed", slip("** 2)", "** 2, axis=-1)"),
        "A loss is one number for the whole batch; you keep one for each example."),
    Mistake("outer_product_target", slip("    return", "    D = D[:, None] if D.ndim == 1 else D\n    return"), OUTER),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def dot(Y, D):
    r = np.ravel(D - Y)
    return np.dot(r, r) / len(r)


def loop(Y, D):
    total, count = 0.0, 0
    for y, d in zip(np.ravel(Y), np.ravel(D), strict=True):
        total += float(y - d) ** 2
        count += 1
    return total / count


EXERCISE = Exercise("losses.mean_squared_error", losses.mean_squared_error, mean_squared_cases, MISTAKES,
    variants=[dot, loop], solution=mean_squared_error, points=1,
    why="The loss of notes 001, and what most libraries mean by MSE; it differs from half the squared error by a "
        "factor only.",
    hints=("The difference, squared, averaged.",
           "`np.mean` without an axis divides by the number of all entries."))  # fmt: skip
