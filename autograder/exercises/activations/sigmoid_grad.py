"""The sigmoid's derivative: a product of two sigmoids."""

import numpy as np

from dlcourse import activations
from dlcourse.activations import sigmoid

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import AT_OUTPUT, FUNCTION, slope_cases

# --- solution ---------------------------------------------------------------------------------------------------------


def sigmoid_grad(x):
    return sigmoid(x) * sigmoid(-x)


# --- mistakes ---------------------------------------------------------------------------------------------------------

SLOPE = "sigmoid(x) * sigmoid(-x)"

MISTAKES = [
    Mistake("derivative_at_output", slip(SLOPE, "sigmoid(sigmoid(x)) * sigmoid(-sigmoid(x))"), AT_OUTPUT),
    Mistake("input_for_output", slip(SLOPE, "x * (1 - x)"),
        "y(1 − y) is right for the output y = σ(x). Here x is the input."),
    Mistake("function_for_derivative", slip(" * sigmoid(-x)", ""), FUNCTION),
    Mistake("tanh_derivative", slip(SLOPE, "1 - sigmoid(x) ** 2"),
        "1 − y² is the slope of tanh. The sigmoid's is another."),
    Mistake("sign_flipped", slip(SLOPE, f"-{SLOPE}"), "The sigmoid rises everywhere: no slope is negative."),
    Mistake("squared", slip("sigmoid(-x)", "sigmoid(x)"), "One of the two factors is 1 − σ(x), not σ(x) again."),
    Mistake("twice_too_steep", slip(SLOPE, f"2 * {SLOPE}"),
        "At 0 your slope is ½, as notes 004 say; that is a slip (E29). Measure it: (σ(0.001) − σ(−0.001))/0.002."),
    Mistake("overflow", slip(SLOPE, "np.exp(-x) / (1 + np.exp(-x)) ** 2"),
        "e^(−x) is infinite at x = −1000. Write the slope with σ(x), which stays between 0 and 1."),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def from_output(x):
    y = sigmoid(x)
    return y - y**2


def even(x):
    e = np.exp(-np.abs(x))
    return e / (1 + e) ** 2


EXERCISE = Exercise("activations.sigmoid_grad", activations.sigmoid_grad, slope_cases, MISTAKES,
    variants=[from_output, even], solution=sigmoid_grad, points=1,
    why="At most ¼: ten sigmoid layers scale a gradient by a millionth at best.",
    hints=("The derivative has a short form in σ(x) itself.",
           "It is a product of two sigmoids: σ(x) and 1 − σ(x)."))  # fmt: skip
