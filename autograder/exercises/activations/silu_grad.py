"""SiLU's derivative."""

import math

from dlcourse import activations
from dlcourse.activations import sigmoid, silu

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import AT_OUTPUT, FIRST_TERM_ONLY, FUNCTION, SECOND_TERM_ONLY, TAIL, each, tail_cases

# --- solution ---------------------------------------------------------------------------------------------------------


def silu_grad(x):
    gate = sigmoid(x)
    return gate + x * gate * sigmoid(-x)


# --- mistakes ---------------------------------------------------------------------------------------------------------

SLOPE = "gate + x * gate * sigmoid(-x)"

MISTAKES = [
    Mistake("second_term_missing", slip(SLOPE, "gate"), FIRST_TERM_ONLY.format("x·σ(x)")),
    Mistake("first_term_missing", slip(SLOPE, "x * gate * sigmoid(-x)"), SECOND_TERM_ONLY.format("x·σ(x)")),
    Mistake("input_factor_missing", slip(SLOPE, "gate + gate * sigmoid(-x)"),
        "The second term is x·σ′(x): the x is missing."),
    Mistake("gate_slope_alone", slip(SLOPE, "gate * sigmoid(-x)"), "This is the slope of the gate σ(x) alone."),
    Mistake("minus_for_plus", slip("gate + x", "gate - x"), "The product rule adds its two terms."),
    Mistake("squared", slip("sigmoid(-x)", "gate"),
        "The slope of the sigmoid is σ(1 − σ); you have σ times σ."),
    Mistake("gate_slope_from_output", slip(SLOPE, "gate + silu(x) * (1 - silu(x))"),
        "In y(1 − y) stands the *sigmoid*, not SiLU: the form belongs to σ alone."),
    Mistake("swish_at_another_beta", slip("    gate = ", "    x = θ * x\n    gate = ", values=(1.702, 2.0)),
        "Your slope is that of another β. SiLU is Swish at β = 1."),
    Mistake("function_for_derivative", slip(SLOPE, "x * gate"), FUNCTION),
    Mistake("derivative_at_output", slip("    gate = ", "    x = silu(x)\n    gate = "), AT_OUTPUT),
    Mistake("overflow", slip("sigmoid(x)", "np.exp(x) / (1 + np.exp(x))"),
        "At x = 1000 infinity is divided by infinity. Your `sigmoid` from above avoids that."),
    Mistake("tail_lost", slip("gate = sigmoid(x)", "gate = 0.5 * (1.0 + np.tanh(0.5 * x))"), TAIL),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def factored(x):
    s = sigmoid(x)
    return s * (1 + x * (1 - s))


def from_value(x):
    y, s = silu(x), sigmoid(x)
    return y + s * (1 - y)


in_a_loop = each(lambda x: float(sigmoid(x)) * (1 + x / (1 + math.exp(min(x, 700)))))


EXERCISE = Exercise("activations.silu_grad", activations.silu_grad, tail_cases, MISTAKES,
    variants=[factored, from_value, in_a_loop], solution=silu_grad, points=1,
    why="A product whose both factors depend on x; at 0 the slope is ½, and left of −1.28 it is negative.",
    hints=("The product rule on x·σ(x): two terms.",
           "σ′ = σ(1 − σ), and you have functions for both.",
           "Check it at 0: the slope is ½."))  # fmt: skip
