"""GELU's derivative."""

import math

import numpy as np

from dlcourse import activations

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import (
    APPROXIMATION,
    AT_OUTPUT,
    FIRST_TERM_ONLY,
    FUNCTION,
    SECOND_TERM_ONLY,
    each,
    erf,
    erfc,
    gelu_cases,
)

# --- solution ---------------------------------------------------------------------------------------------------------


def gelu_grad(x):
    probability = 0.5 * (1.0 + erf(x / math.sqrt(2.0)))
    density = np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    return probability + x * density


# --- mistakes ---------------------------------------------------------------------------------------------------------

SLOPE = "probability + x * density"

MISTAKES = [
    Mistake("tanh_for_exact_gelu", slip(SLOPE, "activations.gelu_tanh_grad(x)"), APPROXIMATION),
    Mistake("second_term_missing", slip(SLOPE, "probability"), FIRST_TERM_ONLY.format("x·Φ(x)")),
    Mistake("first_term_missing", slip(SLOPE, "x * density"), SECOND_TERM_ONLY.format("x·Φ(x)")),
    Mistake("density_not_normalised", slip(" / math.sqrt(2.0 * math.pi)", ""),
        "Φ′ is the normal density, and the area under it is 1: which factor makes it so?"),
    Mistake("half_missing", slip("-0.5 * x * x", "-x * x"), "The density has x²/2 in the exponent."),
    Mistake("input_factor_missing", slip(SLOPE, "probability + density"),
        "The second term is x·Φ′(x): the x is missing."),
    Mistake("minus_for_plus", slip(SLOPE, "probability - x * density"), "The product rule adds its two terms."),
    Mistake("function_for_derivative", slip(SLOPE, "x * probability"), FUNCTION),
    Mistake("derivative_at_output", slip("    probability", "    x = activations.gelu(x)\n    probability"), AT_OUTPUT),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def with_erfc(x):
    return 0.5 * erfc(-x * 0.5**0.5) + np.multiply(x, np.exp(-np.square(x) / 2)) / (2 * np.pi) ** 0.5


in_a_loop = each(lambda x: 0.5 + 0.5 * math.erf(x / math.sqrt(2)) + x * math.exp(-(x**2) / 2) / math.sqrt(2 * math.pi))


EXERCISE = Exercise("activations.gelu_grad", activations.gelu_grad, gelu_cases, MISTAKES,
    variants=[with_erfc, in_a_loop], solution=gelu_grad, points=2,
    why="GELU is not monotonic: its slope is negative between −∞ and −0.75 and above 1 on the right.",
    hints=("The product rule on x·Φ(x).",
           "Φ′ is the standard normal density φ(x) = e^(−x²/2)/√(2π)."))  # fmt: skip
