"""GELU's approximation by tanh."""

import math

import numpy as np

from dlcourse import activations
from dlcourse.activations import sigmoid

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import each, gelu_cases

# --- solution ---------------------------------------------------------------------------------------------------------


def gelu_tanh(x):
    u = math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)
    return 0.5 * x * (1.0 + np.tanh(u))


# --- mistakes ---------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("exact_for_approximation", slip("0.5 * x * (1.0 + np.tanh(u))", "activations.gelu(x)"),
        "This is the exact GELU. Here the approximation is asked, as older checkpoints need it: they differ by up to "
        "0.0005.", convention=True),
    Mistake("decimal_point", slip("0.044715", "θ", values=(0.44715, 0.0044715)),
        "Compare the digits of the constant 0.044715."),
    Mistake("cube_missing", slip(" + 0.044715 * x**3", ""), "The term with x³ is missing."),
    Mistake("square_for_cube", slip("x**3", "x**2"), "x is cubed, which keeps its sign. You squared it."),
    Mistake("bracket_misplaced", slip("(x + 0.044715 * x**3)", "x + 0.044715 * x**3"),
        "√(2/π) multiplies the whole bracket, x³ included."),
    Mistake("root_missing", slip("math.sqrt(2.0 / math.pi)", "2.0 / math.pi"), "The factor is the square root of 2/π."),
    Mistake("half_missing", slip("0.5 * x", "x"), "For large x the answer should be x, not 2x."),
    Mistake("one_missing", slip("1.0 + ", ""), "The gate ½(1 + tanh u) runs from 0 to 1. Yours begins at −½."),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def with_powers(x):
    return x / 2 * (np.tanh((2 / np.pi) ** 0.5 * np.polyval([0.044715, 0, 1, 0], x)) + 1)


def with_sigmoid(x):
    return x * sigmoid(2 * math.sqrt(2 / math.pi) * x * (1 + 0.044715 * x * x))


in_a_loop = each(lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))))


EXERCISE = Exercise("activations.gelu_tanh", activations.gelu_tanh, gelu_cases, MISTAKES,
    variants=[with_powers, with_sigmoid, in_a_loop], solution=gelu_tanh, points=1,
    why="Weights trained with it need it again: the exact form changes every activation a little.",
    hints=("First u = √(2/π)(x + 0.044715 x³).",
           "Then ½ x (1 + tanh u)."))  # fmt: skip
