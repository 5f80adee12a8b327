"""The gradient of the linear neuron's loss: error times input."""

import numpy as np

from dlcourse import neurons

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import ASCENT, BIAS_KEPT, MEAN_GRADIENT, MISSING_TRANSPOSE, OUTER, batches, real_targets

MISTAKES = [
    MISSING_TRANSPOSE,
    ASCENT,
    Mistake("wrong_factor", slip("-(np.", "-2 * (np.", "-np.sum", "-2 * np.sum"),
        "Twice what is asked: the 2 from the square cancels against the ½."),
    MEAN_GRADIENT,
    Mistake("bias_not_summed", slip("np.sum(d - u)", "(d - u)"), BIAS_KEPT),
    Mistake("outer_product_target", slip("d - u", "d[:, None] - u", everywhere=True),
        OUTER, also=(slip("@ (d - u)", "@ np.sum(d[:, None] - u, axis=1)", "sum(d - u)", "sum(d[:, None] - u)"),)),
    Mistake("elementwise_for_dot", slip("np.matrix_transpose(X) @ (d - u)", "X * (d - u)[:, None]"),
        "Each row of your answer is one example's pull on the weights. Together they pull with their sum."),
]  # fmt: skip


def loop(X, d, w, b):
    dw, db = np.zeros(X.shape[1]), 0.0
    for x, t in zip(X, d, strict=True):
        e = x @ w + b - t
        dw += e * x
        db += e
    return dw, db


def row_times_matrix(X, d, w, b):
    e = X @ w + b - d
    return e @ X, e.sum()


EXERCISE = Exercise("neurons.linear_neuron_grad", neurons.linear_neuron_grad, lambda rng: batches(rng, real_targets),
    MISTAKES, variants=[loop, row_times_matrix], points=2,
    why="Error times input: every gradient of a weight in this course has this form.",
    hints=("For one example: ∂J/∂w = −(d − u) x.",
           "Sum over the examples: a product of Xᵀ with the errors.",
           "For the bias the input is always 1."))  # fmt: skip
