"""Half the squared error of the continuous perceptron."""

import numpy as np

from dlcourse import neurons
from dlcourse.activations import sigmoid

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import MEAN_LOSS, batches, class_targets

MISTAKES = [
    Mistake("activation_forgotten", slip("sigmoid(preactivation(X, w, b))", "preactivation(X, w, b)"),
        "The neuron's output is f(u), not u: put the sigmoid between them."),
    Mistake("wrong_factor", slip("0.5 * ", ""), "Twice what is asked: the ½ is missing."),
    MEAN_LOSS,
    Mistake("thresholded", slip("d - y", "d - (y > 0.5)"),
        "The loss compares d with f(u) itself. After the threshold there is no slope left to learn from."),
]  # fmt: skip


def tanh_form(X, d, w, b):
    y = 0.5 * (1 + np.tanh(0.5 * (X @ w + b)))
    return 0.5 * np.dot(d - y, d - y)


def loop(X, d, w, b):
    return sum(0.5 * (t - sigmoid(x @ w + b)) ** 2 for x, t in zip(X, d, strict=True))


EXERCISE = Exercise("neurons.sigmoid_neuron_loss", neurons.sigmoid_neuron_loss,
    lambda rng: batches(rng, class_targets, far=30.0), MISTAKES, variants=[tanh_form, loop], points=1,
    why="A smooth threshold lets the error flow back through it.",
    hints=("y = f(u), with `sigmoid` from the course.",
           "Then as for the linear neuron, with y in place of u."))  # fmt: skip
