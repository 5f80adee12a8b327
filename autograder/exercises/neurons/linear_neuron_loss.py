"""Half the squared error of the linear neuron."""

import numpy as np

from dlcourse import neurons

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import MEAN_LOSS, OUTER, batches, real_targets

MISTAKES = [
    Mistake("wrong_factor", slip("0.5 * ", ""),
        "Twice what is asked: the ½ of the notes is missing, which makes the gradient come out without a 2."),
    MEAN_LOSS,
    Mistake("absolute_for_square", slip("(d - u) ** 2", "np.abs(d - u)"),
        "Square the errors; you take their absolute values."),
    Mistake("outer_product_target", slip("d - u", "d[:, None] - u"), OUTER),
    Mistake("square_of_sum", slip("(d - u) ** 2)", "d - u) ** 2"),
        "Square first, then sum: otherwise errors of opposite sign cancel."),
]  # fmt: skip


def dot(X, d, w, b):
    r = X @ w + b - d
    return np.dot(r, r) / 2


def loop(X, d, w, b):
    return sum((t - (x @ w + b)) ** 2 for x, t in zip(X, d, strict=True)) / 2


EXERCISE = Exercise("neurons.linear_neuron_loss", neurons.linear_neuron_loss, lambda rng: batches(rng, real_targets),
    MISTAKES, variants=[dot, loop], points=1,
    why="Least squares: the oldest loss, and the yardstick for all others.",
    hints=("Compute u, then d − u.",
           "Square each difference, sum them, and halve the sum."))  # fmt: skip
