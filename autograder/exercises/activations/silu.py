"""SiLU: the input times its own sigmoid."""

import math

import numpy as np

from dlcourse import activations
from dlcourse.activations import sigmoid

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import CLIPPED, TAIL, each, tail_cases

# --- solution ---------------------------------------------------------------------------------------------------------


def silu(x):
    return x * sigmoid(x)


# --- mistakes ---------------------------------------------------------------------------------------------------------

VALUE = "x * sigmoid(x)"

MISTAKES = [
    Mistake("gate_alone", slip(VALUE, "sigmoid(x)"), "This is the gate. SiLU multiplies the input with it."),
    Mistake("gate_turned", slip(VALUE, "x * sigmoid(-x)"),
        "Your gate is open on the left and closed on the right. For large x SiLU is x."),
    Mistake("overflow", slip(VALUE, "x * np.exp(x) / (1 + np.exp(x))"),
        "At x = 1000 infinity is divided by infinity. Your `sigmoid` from above avoids that."),
    Mistake("tail_lost", slip(VALUE, "0.5 * x * (1.0 + np.tanh(0.5 * x))"), TAIL),
    Mistake("input_clipped", slip(VALUE, "x / (1.0 + np.exp(-np.clip(x, -θ, θ)))", values=(30, 500)), CLIPPED),
    Mistake("gelu_for_silu", slip(VALUE, "activations.gelu(x)"),
        "This is GELU, gated by the normal distribution. SiLU's gate is the sigmoid."),
    Mistake("sharper_gate", slip(VALUE, "x * sigmoid(θ * x)", values=(1.702, 2.0)),
        "Your gate is sharper than it should be: SiLU is Swish at β = 1."),
    Mistake("tanh_gate", slip("sigmoid(x)", "np.tanh(x)"), "The gate is the sigmoid, from 0 to 1; tanh changes signs."),
    Mistake("softplus_gate", slip("sigmoid(x)", "np.tanh(activations.softplus(x))"),
        "This is Mish, whose gate is the tanh of softplus. SiLU's gate is the sigmoid of x itself."),
    Mistake("derivative_for_function", slip(VALUE, "activations.silu_grad(x)"),
        "This is SiLU's slope; its value is asked."),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def quotient(x):
    with np.errstate(over="ignore"):
        return x / (1 + np.exp(-x))


def two_branches(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, x * e, x) / (1 + e)


in_a_loop = each(lambda x: x / (1 + math.exp(-x)) if x > 0 else x * math.exp(x) / (1 + math.exp(x)))


EXERCISE = Exercise("activations.silu", activations.silu, tail_cases, MISTAKES,
    variants=[quotient, two_branches, in_a_loop], solution=silu, points=1,
    why="Swish without its parameter: the form that image and language models use, and SwiGLU's gate.",
    hints=("The input times a gate made of the same input.",
           "You have written a sigmoid that survives large inputs."))  # fmt: skip
