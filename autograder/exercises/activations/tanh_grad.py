"""The derivative of tanh."""

import numpy as np

from dlcourse import activations
from dlcourse.activations import sigmoid

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import AT_OUTPUT, FUNCTION, slope_cases

# --- solution ---------------------------------------------------------------------------------------------------------


def tanh_grad(x):
    y = np.tanh(x)
    return 1.0 - y * y


# --- mistakes ---------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("derivative_at_output", slip("np.tanh(x)", "np.tanh(np.tanh(x))"), AT_OUTPUT),
    Mistake("input_for_output", slip("y * y", "x * x"),
        "1 − y² is right for the output y = tanh(x). Here x is the input."),
    Mistake("square_missing", slip("y * y", "y"), "Almost: at x = −1000 your slope is 2. What is squared?"),
    Mistake("sigmoid_derivative", slip("1.0 - y * y", "y * (1.0 - y)"),
        "y(1 − y) is the slope of the sigmoid, not of tanh."),
    Mistake("sign_flipped", slip("1.0 - y * y", "y * y - 1.0"), "tanh rises everywhere: no slope is negative."),
    Mistake("overflow", slip("np.tanh(x)", "(np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))"),
        "At x = 1000 you divide two infinite exponentials. `np.tanh` knows how to avoid that."),
    Mistake("function_for_derivative", slip("1.0 - y * y", "y"), FUNCTION),
    Mistake("sech_not_squared", slip("1.0 - y * y", "1.0 / np.cosh(np.clip(x, -700, 700))"),
        "tanh′ = 1/cosh², with the square."),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def two_factors(x):
    t = np.tanh(x)
    return (1 - t) * (1 + t)


def two_sigmoids(x):
    return 4 * sigmoid(2 * x) * sigmoid(-2 * x)


EXERCISE = Exercise("activations.tanh_grad", activations.tanh_grad, slope_cases, MISTAKES,
    variants=[two_factors, two_sigmoids], solution=tanh_grad, points=1,
    why="Every step of an RNN or LSTM backwards multiplies with it.",
    hints=("The derivative has a short form in tanh(x) itself.",
           "`np.tanh` once, then a square."))  # fmt: skip
