"""The logistic neuron's decision: 1 where the probability exceeds one half."""

import numpy as np

from dlcourse import neurons
from dlcourse.activations import sigmoid

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import boundary_cases

MISTAKES = [
    Mistake("probability_for_class", slip("np.astype(sigmoid(u) > 0.5, np.int64)", "sigmoid(u)"),
        "This is the probability f(u). The class is 1 where it exceeds one half, else 0."),
    Mistake("boundary_included", slip("> 0.5", ">= 0.5"),
        "At f(u) = 0.5 exactly the notes say 0: the comparison is strict.", convention=True),
    Mistake("threshold_on_preactivation", slip("sigmoid(u) > 0.5", "u > 0.5"),
        "You compare u with 0.5; it is f(u) that is compared with 0.5. Which u has f(u) = 0.5?"),
    Mistake("classes_minus_one_one",
        slip("return np.astype(sigmoid(u) > 0.5, np.int64)", "return 2 * np.astype(sigmoid(u) > 0.5, np.int64) - 1"),
        "The logistic neuron's classes are 0 and 1; −1 and +1 are the perceptron's.", convention=True),
]  # fmt: skip


def sign_of_u(X, w, b):
    return np.where(X @ w + b > 0, 1, 0)


def loop(X, w, b):
    return [int(sigmoid(row @ w + b) > 0.5) for row in X]


EXERCISE = Exercise("neurons.logistic_neuron_predict", neurons.logistic_neuron_predict, boundary_cases, MISTAKES,
    variants=[sign_of_u, loop], points=1,
    why="From a probability to a decision.",
    hints=("f(u) > 0.5 gives True and False.",
           "`.astype(int)` makes 1 and 0 of them."))  # fmt: skip
