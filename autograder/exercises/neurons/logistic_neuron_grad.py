"""The gradient of the logistic neuron's loss: target minus output, times input."""

import numpy as np

from dlcourse import neurons
from dlcourse.activations import sigmoid

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import ASCENT, BIAS_KEPT, MEAN_GRADIENT, MISSING_TRANSPOSE, batches, class_targets

MISTAKES = [
    ASCENT,
    Mistake("spurious_derivative", slip("d - sigmoid(u)", "(d - sigmoid(u)) * sigmoid_grad(u)"),
        "The factor f′(u) belongs to the squared error. Here it cancels against the derivative of the logarithm: work "
        "it out once on paper."),
    Mistake("activation_forgotten", slip("sigmoid(u)", "u"), "The neuron's output is f(u), not u."),
    Mistake("thresholded", slip("sigmoid(u)", "(u > 0)"),
        "The gradient needs the probability f(u), not the decided class."),
    MISSING_TRANSPOSE,
    Mistake("bias_not_summed", slip("np.sum(delta)", "delta"), BIAS_KEPT),
    MEAN_GRADIENT,
]  # fmt: skip


def loop(X, d, w, b):
    dw, db = [0.0] * X.shape[1], 0.0
    for x, t in zip(X, d, strict=True):
        e = sigmoid(x @ w + b) - t
        dw = [g + e * value for g, value in zip(dw, x, strict=True)]
        db += e
    return dw, db


def tanh_form(X, d, w, b):
    e = 0.5 * np.tanh(0.5 * (X @ w + b)) + 0.5 - d
    return e @ X, e.sum()


EXERCISE = Exercise("neurons.logistic_neuron_grad", neurons.logistic_neuron_grad,
    lambda rng: batches(rng, class_targets, far=3000.0), MISTAKES, variants=[loop, tanh_form], points=2,
    why="The same form as the linear neuron's: target minus output, times input. It is not an accident: softmax will "
        "do it again.",
    hints=("Work out ∂J/∂u for one example first.",
           "f′ cancels: what remains is f(u) − d.",
           "Then as for the linear neuron."))  # fmt: skip
