"""Softplus' derivative, which is the sigmoid; the solution writes it out."""

import numpy as np

from dlcourse import activations
from dlcourse.activations import sigmoid, softplus

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import AT_OUTPUT, CLIPPED, FUNCTION, TAIL, tail_cases

# --- solution ---------------------------------------------------------------------------------------------------------


def softplus_grad(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


# --- mistakes ---------------------------------------------------------------------------------------------------------

SLOPE = "np.where(x >= 0, 1.0, e) / (1.0 + e)"

MISTAKES = [
    Mistake("function_for_derivative", slip(SLOPE, "softplus(x)"), FUNCTION),
    Mistake("derivative_of_sigmoid", slip(SLOPE, "e / (1.0 + e) ** 2"),
        "One derivative too far: this is the slope of the slope. Far to the right softplus is a straight line; how "
        "steep is it there?"),
    Mistake("inner_derivative_missing", slip(SLOPE, "1.0 / (1.0 + np.exp(x))"),
        "Your slope falls from 1 to 0. The derivative of log(1 + eˣ) is a fraction, below stands 1 + eˣ: what stands "
        "above, by the chain rule?",
        also=[slip("x >= 0", "x <= 0")]),
    Mistake("relu_slope", slip(SLOPE, "(x > 0) * 1.0"),
        "This is the slope of ReLU, a step. That of softplus is its smooth version, with ½ at 0."),
    Mistake("overflow", slip("np.exp(-np.abs(x))", "np.exp(x)", SLOPE, "e / (1.0 + e)"),
        "At x = 1000 both the numerator and the denominator are infinite, and their ratio is NaN. You have a function "
        "from above that gives the same number and survives that."),
    Mistake("tail_lost", slip(SLOPE, "0.5 * (1.0 + np.tanh(0.5 * x))"), TAIL),
    Mistake("input_clipped", slip("np.abs(x)", "np.minimum(np.abs(x), θ)", values=(30, 500)), CLIPPED),
    Mistake("tanh_for_sigmoid", slip(SLOPE, "np.tanh(x)"), "This goes from −1 to 1; the slope goes from 0 to 1."),
    Mistake("derivative_at_output", slip(SLOPE, "sigmoid(softplus(x))"), AT_OUTPUT),
    Mistake("input_for_output", slip(SLOPE, "-np.expm1(-np.maximum(x, -700.0))"),
        "1 − e^(−y) is the slope in terms of the output y = softplus(x). Here x is the input."),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def own_sigmoid(x):
    return sigmoid(x)


def from_output(x):
    return -np.expm1(-softplus(x))


def one_form(x):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


EXERCISE = Exercise("activations.softplus_grad", activations.softplus_grad, tail_cases, MISTAKES,
    variants=[own_sigmoid, from_output, one_form], solution=softplus_grad, points=1,
    why="Softplus is what one gets by adding up the sigmoid from the left: an old friend comes back.",
    hints=("Differentiate log(1 + eˣ): one over the bracket, times the derivative of the bracket.",
           "You know this fraction. You have written it above, so that it survives large inputs."))  # fmt: skip
