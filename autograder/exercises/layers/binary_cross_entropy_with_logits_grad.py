"""The gradient of binary cross-entropy by the logits: probability minus target."""

import numpy as np

from dlcourse import losses
from dlcourse.activations import sigmoid

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import TWICE, UPHILL, integer_buffer, logit_cases, outer_product, reduced, reduction_mistakes

# --- solution -------------------------------------------------------------------------------------------------------


def binary_cross_entropy_with_logits_grad(u, d, reduction="mean"):
    du = sigmoid(u) - d
    return du / len(u) if reduction == "mean" else du


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("ascent", slip("sigmoid(u) - d", "d - sigmoid(u)"), UPHILL),
    Mistake("spurious_derivative", slip("sigmoid(u) - d", "(sigmoid(u) - d) * sigmoid(u) * sigmoid(-u)"),
        "The factor f′(u) belongs to the squared error. Here it cancels against the derivative of the logarithm: work "
        "it out once on paper."),
    Mistake("log_of_zero",
        slip("du = sigmoid(u) - d", "p = sigmoid(u)\n    du = ((1 - d) / (1 - p) - d / p) * p * (1 - p)"),
        "At u = ±1000 the chain rule divides 0 by 0: the sigmoid has rounded to 0 or 1. Multiply it "
        "out on paper first; hardly anything is left."),
    Mistake("gradient_by_probability",
        slip("du = sigmoid(u) - d", "p = np.clip(sigmoid(u), 1e-12, 1 - 1e-12)\n    du = (1 - d) / (1 - p) - d / p"),
        "This is ∂J/∂p, the gradient at the probability. One more link of the chain leads to the logit u."),
    Mistake("activation_forgotten", slip("sigmoid(u)", "u"),
        "The target is compared with the probability σ(u), not with the logit."),
    Mistake("thresholded", slip("sigmoid(u)", "(u > 0)"),
        "The gradient needs the probability σ(u), not the decided class."),
    *reduction_mistakes("du", "u"),
    integer_buffer(reduced("du", "u"), "u"),
    outer_product("du", "d"),
    Mistake("sigmoid_twice", slip("sigmoid(u)", "sigmoid(sigmoid(u))"), TWICE),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def tanh_form(u, d, reduction="mean"):
    du = 0.5 * np.tanh(0.5 * u)
    du += 0.5
    du -= d
    return du / len(du) if reduction == "mean" else du


def branches(u, d, reduction="mean"):
    e = np.exp(-np.abs(u))
    y = np.where(u < 0, e / (1 + e), 1 / (1 + e))
    return np.true_divide(y - d, {"mean": u.shape[0], "sum": 1}[reduction])


EXERCISE = Exercise("losses.binary_cross_entropy_with_logits_grad", losses.binary_cross_entropy_with_logits_grad,
    logit_cases, MISTAKES, variants=[tanh_form, branches], solution=binary_cross_entropy_with_logits_grad, points=1,
    why="Output minus target again: sigmoid and cross-entropy are made for each other.",
    hints=("Differentiate d·log(1 + e^(−u)) + (1 − d)·log(1 + e^u) by u.",
           "The derivative of log(1 + e^u) is σ(u), and 1 − σ(u) = σ(−u)."))  # fmt: skip
