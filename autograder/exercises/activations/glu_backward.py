"""The backward pass of the four gated linear units."""

import math

import numpy as np

from dlcourse import activations
from dlcourse.activations import gelu, gelu_grad, relu, relu_grad, sigmoid, sigmoid_grad, silu, silu_grad

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import LINE, erf, off_zero

# --- solution ---------------------------------------------------------------------------------------------------------


def glu_backward(dy, a, b, kind="swiglu"):
    gates = {
        "glu": (sigmoid, sigmoid_grad),
        "reglu": (relu, relu_grad),
        "geglu": (gelu, gelu_grad),
        "swiglu": (silu, silu_grad),
    }
    g, g_grad = gates[kind]
    return dy * g_grad(a) * b, dy * g(a)


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, *shape, hidden=False, **options):
        return Case(name, tuple(off_zero(rng, *shape) for _ in range(3)), options, hidden=hidden)

    on_the_line = np.roll(LINE, 3), LINE, np.roll(LINE, -2)
    return [
        Case("swiglu, when nothing is said", on_the_line),
        Case("glu", on_the_line, {"kind": "glu"}),
        Case("reglu", on_the_line, {"kind": "reglu"}),
        Case("geglu", on_the_line, {"kind": "geglu"}),
        enlarged(case("swiglu, five examples", 5, 3, kind="swiglu"), 0, 1, 2),
        Case("reglu at the kink", (np.array([2.0, 3.0]), np.zeros(2), np.array([5.0, -7.0])), {"kind": "reglu"}),
        in_float32(case("", 1, 4, kind="glu"), "float32, one row"),
        case("geglu, three axes", 2, 3, 4, kind="geglu", hidden=True),
    ]


# --- mistakes ---------------------------------------------------------------------------------------------------------

DA, DB = "dy * g_grad(a) * b", "dy * g(a)"

MISTAKES = [
    Mistake("gate_swapped", slip(f"{DA}, {DB}", "dy * g(b), dy * g_grad(b) * a"),
        "In y = g(a)·b the gate is made of a. Your derivatives are those of a·g(b)."),
    Mistake("jacobian_for_vjp", slip(f"{DA}, {DB}", "g_grad(a) * b, g(a)"),
        "These are the factors that the notes list. Each still takes the upstream gradient dy (E25)."),
    Mistake("upstream_once", slip(DB, "g(a)"), "[da is right.] The upstream gradient dy belongs to db as well."),
    Mistake("gradients_out_of_order", slip(f"{DA}, {DB}", f"{DB}, {DA}"),
        "Right, but exchanged: da comes first, then db."),
    Mistake("derivative_at_output", slip("g_grad(a)", "g_grad(g(a))"),
        "g′ is taken at g(a). It belongs at the input a."),
    Mistake("gated_factor_missing", slip(DA, "dy * g_grad(a)"),
        "In da a factor is missing: how much does b let a matter?"),
    Mistake("gate_slope_missing", slip(DA, "dy * b"), "Between a and y stands g: its slope belongs in da."),
    Mistake("function_for_derivative", slip("g_grad(a)", "g(a)"),
        "da needs the slope g′(a); you multiply with the value g(a)."),
    Mistake("gate_not_activated", slip(DB, "dy * a"),
        "db is what passes through the gate, g(a); you let a itself pass."),
    Mistake("kind_ignored", slip("gates[kind]", 'gates["swiglu"]'),
        "[Right for swiglu.] `kind` says which gate: four are possible."),
    Mistake("relu_one_at_zero", slip("(relu, relu_grad)", "(relu, lambda x: np.where(x >= 0, 1.0, 0.0))"),
        "ReLU's slope at 0 is 0 in this course, as in your `relu_grad`.", convention=True),
    Mistake("tanh_for_exact_gelu", slip("(gelu, gelu_grad)", "(activations.gelu_tanh, activations.gelu_tanh_grad)"),
        "Right but for geglu, whose gate is the exact GELU."),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def four_branches(dy, a, b, kind="swiglu"):
    s, probability = sigmoid(a), 0.5 * (1.0 + erf(a / math.sqrt(2.0)))
    if kind == "glu":
        value, slope = s, s - s * s
    elif kind == "reglu":
        value, slope = a * (a > 0), a > 0
    elif kind == "geglu":
        value, slope = a * probability, probability + a * np.exp(-0.5 * a * a) / math.sqrt(2.0 * math.pi)
    else:
        value, slope = a * s, s + a * s * (1 - s)
    return slope * (b * dy), value * dy


def in_a_loop(dy, a, b, kind="swiglu"):
    gate = {"glu": "sigmoid", "reglu": "relu", "geglu": "gelu", "swiglu": "silu"}[kind]
    g, slope = activations.ACTIVATIONS[gate]
    da, db = np.zeros(a.shape), np.zeros(b.shape)
    for index in np.ndindex(a.shape):
        da[index] = dy[index] * float(slope(a[index])) * b[index]
        db[index] = dy[index] * float(g(a[index]))
    return [da, db]


EXERCISE = Exercise("activations.glu_backward", activations.glu_backward, cases, MISTAKES,
    variants=[four_branches, in_a_loop], solution=glu_backward, points=3,
    why="The product rule over arrays; what an LSTM does at each of its gates, too.",
    hints=("y = g(a)·b has two arguments, so there are two gradients: hold one fixed, then the other.",
           "Each of them is multiplied with dy.",
           "A dict from the kind to the pair (g, g′) spares you four branches."))  # fmt: skip
