"""GELU, gated by the normal distribution function."""

import math

import numpy as np

from dlcourse import activations

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import APPROXIMATION, each, erf, erfc, gelu_cases

# --- solution ---------------------------------------------------------------------------------------------------------


def gelu(x):
    return 0.5 * x * (1.0 + erf(x / math.sqrt(2.0)))


# --- mistakes ---------------------------------------------------------------------------------------------------------

VALUE = "0.5 * x * (1.0 + erf(x / math.sqrt(2.0)))"

MISTAKES = [
    Mistake("tanh_for_exact_gelu", slip(VALUE, "activations.gelu_tanh(x)"), APPROXIMATION),
    Mistake("sigmoid_for_exact_gelu", slip(VALUE, "x * activations.sigmoid(θ * x)", values=(1.702, 1.6)),
        APPROXIMATION),
    Mistake("root_missing", slip(" / math.sqrt(2.0)", ""),
        "erf belongs to e^(−t²), the normal distribution to e^(−t²/2): the argument is scaled by √2."),
    Mistake("half_missing", slip("0.5 * x", "x"), "1 + erf runs from 0 to 2; a probability runs from 0 to 1."),
    Mistake("one_missing", slip("1.0 + ", ""), "erf runs from −1 to 1; shifted and halved it is a probability."),
    Mistake("gate_alone", slip("0.5 * x", "0.5"), "This is the gate Φ(x). GELU multiplies the input with it."),
    Mistake("density_for_distribution", slip(VALUE, "x * np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)"),
        "You took the bell curve φ(x). Φ(x) is the area to the left of x under it."),
    Mistake("silu_for_gelu", slip(VALUE, "x * activations.sigmoid(x)"),
        "This is SiLU, gated by the sigmoid. GELU's gate is Φ."),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def with_erfc(x):
    return 0.5 * x * erfc(-x / np.sqrt(2))


def expanded(x):
    return x / 2 + x / 2 * erf(x * math.sqrt(0.5))


in_a_loop = each(lambda x: x * (1 + math.erf(x / 2**0.5)) / 2)


EXERCISE = Exercise("activations.gelu", activations.gelu, gelu_cases, MISTAKES,
    variants=[with_erfc, expanded, in_a_loop], solution=gelu, points=1,
    why="The activation of BERT, GPT and the transformer block of this course.",
    hints=("Φ(x) = ½(1 + erf(x/√2)).",
           "`erf` is imported above and takes arrays."))  # fmt: skip
