"""Swish's derivative."""

from dlcourse import activations
from dlcourse.activations import sigmoid

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import AT_OUTPUT, FIRST_TERM_ONLY, FUNCTION, SECOND_TERM_ONLY, swish_cases

# --- solution ---------------------------------------------------------------------------------------------------------


def swish_grad(x, beta=1.0):
    gate = sigmoid(beta * x)
    gate_grad = beta * gate * sigmoid(-beta * x)
    return gate + x * gate_grad


# --- mistakes ---------------------------------------------------------------------------------------------------------

SLOPE = "gate + x * gate_grad"

MISTAKES = [
    Mistake("swish_beta_dropped", slip("beta * gate", "gate"),
        "[Right for β = 1.] The sigmoid's argument is βx: what does the chain rule put before its derivative?"),
    Mistake("beta_ignored", slip("gate = sigmoid", "beta = θ\n    gate = sigmoid", values=(1.0, 1.702)),
        "Your β is the same in every case. It is an argument."),
    Mistake("extra_beta", slip(SLOPE, f"beta * ({SLOPE})"),
        "One β too many. At β = 0 swish is x/2, whose slope is ½: yours is 0 there."),
    Mistake("second_term_missing", slip(SLOPE, "gate"), FIRST_TERM_ONLY.format("x·σ(βx)")),
    Mistake("first_term_missing", slip(SLOPE, "x * gate_grad"), SECOND_TERM_ONLY.format("x·σ(βx)")),
    Mistake("gate_slope_alone", slip(SLOPE, "gate_grad"), "This is the slope of the gate σ(βx) alone."),
    Mistake("derivative_at_output", slip("    gate = sigmoid", "    x = x * sigmoid(beta * x)\n    gate = sigmoid"),
        AT_OUTPUT),
    Mistake("function_for_derivative", slip(SLOPE, "x * gate"), FUNCTION),
    Mistake("derivative_by_beta", slip("beta * gate", "x * gate", SLOPE, "x * gate_grad"),
        "This is the derivative by β; the one by x is asked."),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def from_gate(x, beta=1.0):
    return sigmoid(beta * x) + beta * x * (sigmoid(beta * x) - sigmoid(beta * x) ** 2)


def from_value(x, beta=1.0):
    s = sigmoid(beta * x)
    y = x * s
    return beta * y + s * (1 - beta * y)


EXERCISE = Exercise("activations.swish_grad", activations.swish_grad, swish_cases, MISTAKES,
    variants=[from_gate, from_value], solution=swish_grad, points=2,
    why="Product rule and chain rule in one line, and β is lost in it easily.",
    hints=("Two factors depend on x: x itself and σ(βx).",
           "The derivative of σ(βx) by x is β·σ′(βx).",
           "Check β = 0: the slope is ½ everywhere."))  # fmt: skip
