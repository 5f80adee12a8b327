"""Swish: x times a sigmoid, as sharp as β says."""

import math

import numpy as np

from dlcourse import activations
from dlcourse.activations import sigmoid

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import each, swish_cases

# --- solution ---------------------------------------------------------------------------------------------------------


def swish(x, beta=1.0):
    return x * sigmoid(beta * x)


# --- mistakes ---------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("swish_beta_dropped", slip("beta * x", "θ * x", values=(1.0, 1.702)),
        "Your β is the same in every case. It is an argument."),
    Mistake("beta_outside", slip("x * sigmoid(beta * x)", "beta * x * sigmoid(x)"),
        "β belongs inside the sigmoid: it says how sharp the gate is."),
    Mistake("beta_twice", slip("return x", "return beta * x"),
        "β stands inside the sigmoid only, the x before it is bare."),
    Mistake("gate_alone", slip("return x * ", "return "), "This is the gate. Swish multiplies the input with it."),
    Mistake("overflow", slip("sigmoid(beta * x)", "np.exp(beta * x) / (1 + np.exp(beta * x))"),
        "At x = 1000 infinity is divided by infinity. Your `sigmoid` from above avoids that."),
    Mistake("beta_divides",
        slip("return x * sigmoid(beta * x)",
             'with np.errstate(divide="ignore"):\n        return x * sigmoid(np.divide(x, beta))'),
        "β multiplies x; you divide by it."),
    Mistake("tanh_gate", slip("sigmoid(", "np.tanh("), "The gate is the sigmoid, from 0 to 1; tanh changes signs."),
    Mistake("beta_added", slip("beta * x", "x + beta"), "β multiplies x inside the sigmoid; you add it."),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def quotient(x, beta=1.0):
    return x / (1 + np.exp(-np.clip(beta * x, -700, 700)))


def with_tanh(x, beta=1.0):
    return 0.5 * x * (1 + np.tanh(0.5 * beta * x))


in_a_loop = each(lambda x, beta=1.0: x / (1 + math.exp(-beta * x)) if beta * x > -700 else 0.0)


EXERCISE = Exercise("activations.swish", activations.swish, swish_cases, MISTAKES,
    variants=[quotient, with_tanh, in_a_loop], solution=swish, points=1,
    why="SiLU at β = 1, x/2 at β = 0, nearly ReLU at a large β: one family, and SwiGLU's gate.",
    hints=("x times a sigmoid.",
           "You have written a sigmoid that survives large inputs."))  # fmt: skip
