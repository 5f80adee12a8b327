"""The gradient of the continuous perceptron's loss: the error passes the sigmoid on its way back."""

import numpy as np

from dlcourse import neurons

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import ASCENT, BIAS_KEPT, MEAN_GRADIENT, MISSING_TRANSPOSE, batches, class_targets

MISTAKES = [
    Mistake("missing_activation_derivative", slip(" * sigmoid_grad(u)", ""),
        "The error passes the sigmoid on its way back: the chain rule multiplies with its slope."),
    ASCENT,
    Mistake("derivative_at_output", slip("sigmoid_grad(u)", "sigmoid_grad(sigmoid(u))"),
        "The slope of the sigmoid is taken at its input u. You put in its output y: f applied twice."),
    Mistake("derivative_of_preactivation", slip("sigmoid_grad(u)", "u * (1 - u)"),
        "f′ = f(1 − f), with f(u) in it. You used u itself."),
    Mistake("tanh_derivative", slip("sigmoid_grad(u)", "(1 - sigmoid(u) ** 2)"),
        "1 − y² is the slope of tanh. The sigmoid's is another."),
    MISSING_TRANSPOSE,
    Mistake("bias_not_summed", slip("np.sum(delta)", "delta"), BIAS_KEPT),
    MEAN_GRADIENT,
]  # fmt: skip


def output_form(X, d, w, b):
    y = 1.0 / (1.0 + np.exp(-(X @ w + b)))
    e = (y - d) * (y - y * y)
    return np.einsum("nd,n->d", X, e), e.sum()


def loop(X, d, w, b):
    dw, db = np.zeros(X.shape[1]), 0.0
    for x, t in zip(X, d, strict=True):
        y = 1.0 / (1.0 + np.exp(-(x @ w + b)))
        dw = dw - (t - y) * y * (1 - y) * x
        db = db - (t - y) * y * (1 - y)
    return dw, db


EXERCISE = Exercise("neurons.sigmoid_neuron_grad", neurons.sigmoid_neuron_grad,
    lambda rng: batches(rng, class_targets, far=5.0), MISTAKES, variants=[output_form, loop], points=2,
    why="Here the chain rule enters, and with it the trouble of a neuron that is far off: f′(u) is nearly 0 there.",
    hints=("Start from the linear neuron's gradient.",
           "What does ∂y/∂u add? f′(u) = f(u)(1 − f(u)).",
           "Collect (d − y)·f′(u) in one array, then use it twice."))  # fmt: skip
