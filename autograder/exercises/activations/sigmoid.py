"""The sigmoid, without overflow and with the digits of its left tail."""

import math

import numpy as np

from dlcourse import activations

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import CLIPPED, TAIL, each, tail_cases

# --- solution ---------------------------------------------------------------------------------------------------------


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


# --- mistakes ---------------------------------------------------------------------------------------------------------

VALUE = "np.where(x >= 0, 1.0, e) / (1.0 + e)"

MISTAKES = [
    Mistake("sign_of_exponent", slip("x >= 0", "x <= 0"),
        "Your sigmoid falls. For large x the answer should be near 1: which exponential has to vanish then?"),
    Mistake("overflow", slip("np.exp(-np.abs(x))", "np.exp(x)", VALUE, "e / (1.0 + e)"),
        "At x = 1000 both the numerator and the denominator are infinite, and their ratio is NaN. Use this form where "
        "x is negative only."),
    Mistake("tail_lost", slip(VALUE, "0.5 * (1.0 + np.tanh(0.5 * x))"), TAIL),
    Mistake("input_clipped", slip("np.abs(x)", "np.minimum(np.abs(x), θ)", values=(30, 500)), CLIPPED),
    Mistake("tanh_for_sigmoid", slip(VALUE, "np.tanh(x)"), "This goes from −1 to 1; the sigmoid goes from 0 to 1."),
    Mistake("step_for_sigmoid", slip(VALUE, "(x > 0) * 1.0"),
        "A step has no slope to learn from. The sigmoid is its smooth version, with ½ at 0."),
    Mistake("derivative_for_function", slip(VALUE, "e / (1.0 + e) ** 2"),
        "This is the slope of the sigmoid; its value is asked."),
    Mistake("bracket_missing", slip("/ (1.0 + e)", "/ 1.0 + e"),
        "Python divides before it adds: the whole denominator needs brackets.",
        also=[slip(VALUE, "1 / 1 + np.exp(-np.maximum(x, -700))")]),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def one_form(x):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


def two_masks(x):
    y = np.empty(x.shape)
    right = x >= 0
    y[right] = 1 / (1 + np.exp(-x[right]))
    e = np.exp(x[~right])
    y[~right] = e / (1 + e)
    return y


in_a_loop = each(lambda x: 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x)))


EXERCISE = Exercise("activations.sigmoid", activations.sigmoid, tail_cases, MISTAKES,
    variants=[one_form, two_masks, in_a_loop], solution=sigmoid, points=2,
    why="The oldest smooth activation, today's gate in LSTM, GLU and Swish; written carelessly it fills a training "
        "with NaN.",
    hints=("1/(1 + e^(−x)) and eˣ/(1 + eˣ) are the same number. Which of them is safe for x > 0, which for x < 0?",
           "With −|x| in the exponent nothing can overflow.",
           "`np.where` chooses between two arrays, but computes both: make sure that neither overflows."))  # fmt: skip
