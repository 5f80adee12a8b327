"""The perceptron's decision: the sign of the preactivation, +1 on the boundary."""

import numpy as np

from dlcourse import neurons

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import boundary_cases

MISTAKES = [
    Mistake("zero_class", slip("2 * np.astype(u >= 0.0, np.int64) - 1", "np.astype(np.sign(u), np.int64)"),
        "`np.sign` has three values. On the boundary, u = 0, this course says +1."),
    Mistake("classes_zero_one", slip("2 * ", "", " - 1", ""),
        "The perceptron's classes are −1 and +1; 0 and 1 are the logistic neuron's.", convention=True),
    Mistake("boolean_classes", slip("2 * np.astype(u >= 0.0, np.int64) - 1", "u >= 0.0"),
        "True and False are not the numbers −1 and +1 that the learning rule multiplies with."),
    Mistake("boundary_left_out", slip(">=", ">"),
        "On the boundary, u = 0, your neuron says −1. This course says +1 there.", convention=True),
    Mistake("classes_swapped", slip(">=", "<"), "The side that w points to is the positive one."),
]  # fmt: skip


def loop(X, w, b):
    return [1 if row @ w + b >= 0 else -1 for row in X]


def where(X, w, b):
    return np.where(np.dot(X, w) < -b, -1, 1)


EXERCISE = Exercise("neurons.perceptron_predict", neurons.perceptron_predict, boundary_cases, MISTAKES,
    variants=[loop, where], points=1,
    why="A threshold on a weighted sum was the first artificial neuron that learned, in 1958.",
    hints=("Compute u first.",
           "Where is u at least 0? `np.where` picks between two values."))  # fmt: skip
