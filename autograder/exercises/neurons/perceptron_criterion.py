"""The perceptron criterion: misclassified examples are charged by how far off they are."""

import numpy as np

from dlcourse import neurons

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import MEAN_LOSS, OUTER, criterion_cases

MISTAKES = [
    Mistake("sums_over_all", slip("np.where(margin <= 0.0, margin, 0.0)", "margin"),
        "Only misclassified examples are charged. With all of them J has no minimum: scale w up and see."),
    Mistake("cost_sign", slip("-np.sum", "np.sum"),
        "A misclassified example has y·u ≤ 0. What is charged for it should not be negative."),
    MEAN_LOSS,
    Mistake("counts_mistakes", slip("-np.sum(np.where(margin <= 0.0, margin, 0.0))", "float(np.sum(margin <= 0.0))"),
        "The number of mistakes has no slope to follow. The criterion charges each mistake by how far off it is."),
    Mistake("sums_over_correct", slip("<= 0.0", "> 0.0"),
        "You sum over the examples that are right. Which sign has y·u for a mistake?"),
    Mistake("outer_product_target", slip("y * pre", "y[:, None] * pre"), OUTER),
]  # fmt: skip


def maximum(X, y, w, b):
    return np.maximum(0, -y * (X @ w + b)).sum()


def loop(X, y, w, b):
    J = 0.0
    for x, t in zip(X, y, strict=True):
        u = x @ w + b
        if t * u <= 0:
            J -= t * u
    return J


EXERCISE = Exercise("neurons.perceptron_criterion", neurons.perceptron_criterion, criterion_cases, MISTAKES,
    variants=[maximum, loop], points=2,
    why="Counting mistakes gives no direction; this loss has a slope wherever there is a mistake.",
    hints=("Compute the margins y·u.",
           "An example is misclassified where its margin is at most 0.",
           "Sum those margins only, and mind the sign."))  # fmt: skip
