"""The gradient of the perceptron criterion: the sum runs over the misclassified examples."""

import numpy as np

from dlcourse import neurons

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import ASCENT, BIAS_KEPT, MEAN_GRADIENT, criterion_cases

MISTAKES = [
    Mistake("sums_over_all", slip("np.where(margin <= 0.0, y, 0.0)", "y"),
        "Correctly classified examples are not charged, so they have no gradient either (the notes slip here, E21)."),
    ASCENT,
    Mistake("boundary_left_out", slip("<= 0.0", "< 0.0"),
        "An example with y·u = 0 counts as misclassified: otherwise weights of zero would never begin to learn.",
        convention=True),
    MEAN_GRADIENT,
    Mistake("bias_not_summed", slip("np.sum(missed)", "missed"), BIAS_KEPT),
    Mistake("target_dropped", slip("y, 0.0", "1.0, 0.0"),
        "Each misclassified x is weighted with its target y: two mistakes on opposite sides pull in opposite "
        "directions."),
]  # fmt: skip


def mask(X, y, w, b):
    t = np.where(y * (X @ w + b) <= 0, y, 0)
    return -np.einsum("n,nd->d", t, X), -t.sum()


def loop(X, y, w, b):
    dw, db = np.zeros(X.shape[1]), 0.0
    for x, t in zip(X, y, strict=True):
        if t * (x @ w + b) <= 0:
            dw -= t * x
            db -= t
    return dw, db


EXERCISE = Exercise("neurons.perceptron_criterion_grad", neurons.perceptron_criterion_grad, criterion_cases, MISTAKES,
    variants=[mask, loop], points=2,
    why="Rosenblatt's rule is a step against this gradient, one example at a time.",
    hints=("J is linear in w for a fixed set of mistakes: what is the derivative of −y(w·x + b)?",
           "Make an array that is y where an example is misclassified and 0 elsewhere.",
           "Then the sum over the examples is one matrix product."))  # fmt: skip
