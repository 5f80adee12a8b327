"""The preactivation of a neuron: a weighted sum of its inputs, plus the bias."""

import numpy as np

from dlcourse import neurons

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import batches, no_targets

MISTAKES = [
    Mistake("elementwise_for_dot", slip("X @ w", "X * w"),
        "`*` multiplies entry by entry and leaves one number for every input. Each example needs the *sum* of its "
        "products: one number."),
    Mistake("bias_dropped", slip(" + b", ""),
        "Part of the formula is missing: the line that your neuron draws always goes through the origin."),
    Mistake("bias_before_product", slip("X @ w + b", "(X + b) @ w"),
        "The bias is added to u, once for each example, not to every input."),
    Mistake("bias_subtracted", slip("+ b", "- b"), "Look at the sign of the bias."),
    Mistake("column_for_vector", slip("X @ w", "X @ w[:, None]"),
        "[The numbers are right.] They stand in a column, (N, 1). With targets of shape (N,) that column will later be "
        "broadcast to N×N."),
]  # fmt: skip


def loop(X, w, b):
    return [sum(x * weight for x, weight in zip(row, w, strict=True)) + b for row in X]


def einsum(X, w, b):
    return np.einsum("nd,d->n", X, w) + b


EXERCISE = Exercise("neurons.preactivation", neurons.preactivation, lambda rng: batches(rng, no_targets), MISTAKES,
    variants=[loop, einsum], points=1,
    why="Every unit of every network in this course begins with this line.",
    hints=("What shape has X, what shape has w, and what shape should u have?",
           "Each example's u is the dot product of its row with w, plus b.",
           "NumPy's operator for products of matrices and vectors is `@`."))  # fmt: skip
