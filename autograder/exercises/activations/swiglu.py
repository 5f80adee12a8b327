"""SwiGLU: one half gates the other; the solution is the reference's line."""

import numpy as np

from dlcourse import activations
from dlcourse.activations import sigmoid

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import LINE

# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, *shape, hidden=False):
        return Case(name, (rng.standard_normal(shape), rng.standard_normal(shape)), hidden=hidden)

    return [
        Case("from −3 to 4", (LINE, LINE[::-1].copy())),
        case("five examples, three units", 5, 3),
        enlarged(case("one example", 1, 4), 1),
        in_float32(case("", 2, 5)),
        Case("gates far open and far closed", (np.array([[1000.0, -1000.0, 5000.0]]), np.array([[3.0, 2.0, -1.0]]))),
        case("three axes", 2, 3, 4, hidden=True),
    ]


# --- mistakes ---------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("gate_swapped", slip("silu(a) * b", "a * silu(b)"),
        "SiLU goes over a, the first argument; b is what passes. Elsewhere the second half is the gate, so check each "
        "time."),
    Mistake("glu_for_swiglu", slip("silu(a)", "sigmoid(a)"),
        "This is GLU, with the sigmoid for a gate. SwiGLU takes SiLU."),
    Mistake("geglu_for_swiglu", slip("silu(a)", "gelu(a)"), "This is GEGLU. SwiGLU's gate is SiLU."),
    Mistake("reglu_for_swiglu", slip("silu(a)", "relu(a)"), "This is ReGLU. SwiGLU's gate is SiLU."),
    Mistake("sum_for_product", slip(" * b", " + b"), "A gate multiplies: closed at 0, it lets nothing through."),
    Mistake("activation_missing", slip("silu(a)", "a"), "a needs an activation: without one, nothing acts as a gate."),
    Mistake("both_activated", slip(" * b", " * silu(b)"), "b passes as it is: only the gate has an activation."),
    Mistake("gated_missing", slip(" * b", ""), "This is the gate alone. What does it let through?"),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def three_factors(a, b):
    return a * b * sigmoid(a)


def quotient(a, b):
    return np.multiply(a, b) / (1 + np.exp(-np.clip(a, -700, 700)))


EXERCISE = Exercise("activations.swiglu", activations.swiglu, cases, MISTAKES, variants=[three_factors, quotient],
    points=1,
    why="The feed-forward layer of most language models since 2022.",
    hints=("One of the two goes through SiLU.",
           "Then entry by entry a product."))  # fmt: skip
