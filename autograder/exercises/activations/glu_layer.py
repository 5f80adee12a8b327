"""A gated layer: two linear maps of one input, one gates the other; and back."""

import numpy as np

from dlcourse import activations
from dlcourse.activations import gelu, glu_backward, relu, sigmoid, silu

from ...checks.exercise import Case, Exercise, Mistake, by_columns, enlarged, in_float32, slip

# --- solution ---------------------------------------------------------------------------------------------------------


def glu_layer_forward(X, Wa, ba, Wb, bb, kind):
    gates = {"glu": sigmoid, "reglu": relu, "geglu": gelu, "swiglu": silu}
    a, b = X @ Wa + ba, X @ Wb + bb
    return gates[kind](a) * b, (X, Wa, Wb, a, b, kind)


def glu_layer_backward(dY, cache):
    X, Wa, Wb, a, b, kind = cache
    da, db = glu_backward(dY, a, b, kind)
    dX = da @ Wa.T + db @ Wb.T
    return dX, X.T @ da, da.sum(axis=0), X.T @ db, db.sum(axis=0)


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, D, K, kind, **options):
        X, Wa, Wb = rng.standard_normal((N, D)), rng.standard_normal((D, K)), rng.standard_normal((D, K))
        # Biases far from 0 and from each other
        ba, bb = rng.uniform(0.3, 0.9, K), rng.uniform(-1.9, -1.2, K)
        return Case(name, (X, Wa, ba, Wb, bb, kind), dout=rng.standard_normal((N, K)), **options)

    return [
        by_columns(case("swiglu, five examples", 5, 3, 2, "swiglu")),
        case("glu", 4, 2, 3, "glu"),
        case("reglu", 6, 3, 4, "reglu"),
        case("geglu", 3, 4, 2, "geglu"),
        enlarged(case("one example", 1, 4, 3, "swiglu"), 0, 4, small=(1, 3)),
        case("as many examples as inputs and units", 3, 3, 3, "glu"),
        in_float32(case("", 4, 2, 3, "swiglu")),
        case("geglu, one unit", 5, 3, 1, "geglu", hidden=True),
        case("reglu, one input", 4, 1, 3, "reglu"),
    ]


# --- mistakes ---------------------------------------------------------------------------------------------------------

FLOWS = "da, db = glu_backward(dY, a, b, kind)"
DX = "da @ Wa.T + db @ Wb.T"
BOTH_PATHS = (
    "X enters both linear maps, so two flows come back to it, through W_a and through W_b. You have one of them."
)

MISTAKES = [
    Mistake("gate_swapped", slip("gates[kind](a) * b,", "gates[kind](b) * a,"),
        "The gate is made of a, the first linear map; b is what passes. Elsewhere it is the other way round, so check "
        "each time."),
    Mistake("activation_missing", slip("gates[kind](a) * b,", "a * b,"),
        "a goes into the product as it is. Its activation is what makes a gate of it."),
    Mistake("both_activated", slip("gates[kind](a) * b,", "gates[kind](a) * gates[kind](b),"),
        "b passes as it is: only the gate has an activation."),
    Mistake("sum_for_product", slip("gates[kind](a) * b,", "gates[kind](a) + b,"),
        "A gate multiplies: closed at 0, it lets nothing through."),
    Mistake("bias_forgotten", slip("X @ Wa + ba, X @ Wb + bb", "X @ Wa, X @ Wb"),
        "Each of the two linear maps has its bias.",
        also=[slip("X @ Wa + ba", "X @ Wa"), slip("X @ Wb + bb", "X @ Wb")]),
    Mistake("kind_ignored", slip("gates[kind](a)", 'gates["swiglu"](a)', FLOWS, FLOWS.replace("kind", '"swiglu"')),
        "[Right for swiglu.] `kind` says which gate: four are possible."),
    Mistake("one_path_back", slip(DX, "da @ Wa.T"), BOTH_PATHS, also=[slip(DX, "db @ Wb.T")]),
    Mistake("weights_swapped", slip(DX, "da @ Wb.T + db @ Wa.T"),
        "Each flow goes back through the weights that it came by: da through W_a, db through W_b."),
    Mistake("weights_not_transposed", slip(DX, "da @ Wa + db @ Wb"),
        "dX goes from K units back to D inputs, against the direction of the forward pass: how must the weights stand "
        "for that?"),
    Mistake("missing_transpose", slip("X.T", "X", everywhere=True),
        "dWa and dWb have the shape of the weights, (D, K), and the sum runs over the examples: which axis of X has to "
        "stand where?"),
    Mistake("gradient_transposed", slip("X.T @ da", "da.T @ X", "X.T @ db", "db.T @ X"),
        "dWa and dWb should have the shape of the weights. Yours are transposed."),
    Mistake("bias_not_summed", slip(".sum(axis=0)", "", everywhere=True),
        "All examples share one bias for each unit, so their gradients add up: dba and dbb have shape (K,)."),
    Mistake("bias_over_units", slip("axis=0", "axis=1", everywhere=True),
        "The bias gradients are summed over the wrong axis: they have one number for each unit, a sum over the "
        "examples."),
    Mistake("gate_ignored_going_back", slip(FLOWS, "da, db = dY, dY"),
        "dY goes to both maps as it is. On the way it passes the gate's product: your `glu_backward` from above knows "
        "what becomes of it."),
    Mistake("flows_swapped", slip(FLOWS, "db, da = glu_backward(dY, a, b, kind)"),
        "da and db have changed places: what `glu_backward` returns first belongs to a."),
    Mistake("arguments_swapped", slip(FLOWS, "da, db = glu_backward(dY, b, a, kind)"),
        "`glu_backward` gets a first, of which the gate is made, then b."),
    Mistake("upstream_ignored", slip(FLOWS, "da, db = glu_backward(np.ones_like(dY), a, b, kind)"),
        "Your gradients do not contain dY: the chain rule multiplies with what arrives."),
    Mistake("gradients_out_of_order",
        slip("dX, X.T @ da, da.sum(axis=0), X.T @ db, db.sum(axis=0)",
             "dX, X.T @ da, X.T @ db, da.sum(axis=0), db.sum(axis=0)"),
        "The gradients come in the order of the forward's arguments: X, Wa, ba, Wb, bb."),
    Mistake("mean_for_sum", slip(FLOWS, "da, db = glu_backward(dY / len(dY), a, b, kind)"),
        "You divide by N. A layer does not know how the loss was averaged: that factor is in dY already.",
        convention=True),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def einsum_forward(X, Wa, ba, Wb, bb, kind):
    g, slope = activations.ACTIVATIONS[{"glu": "sigmoid", "reglu": "relu", "geglu": "gelu", "swiglu": "silu"}[kind]]
    a, b = np.einsum("nd,dk->nk", X, Wa) + ba, np.einsum("nd,dk->nk", X, Wb) + bb
    return b * g(a), {"X": X, "Wa": Wa, "Wb": Wb, "to a": slope(a) * b, "to b": g(a)}


def einsum_backward(dY, cache):
    da, db = dY * cache["to a"], dY * cache["to b"]
    dX = np.einsum("nk,dk->nd", da, cache["Wa"]) + np.einsum("nk,dk->nd", db, cache["Wb"])
    dWa, dWb = np.einsum("nd,nk->dk", cache["X"], da), np.einsum("nd,nk->dk", cache["X"], db)
    return [dX, dWa, np.einsum("nk->k", da), dWb, np.einsum("nk->k", db)]


def loop_forward(X, Wa, ba, Wb, bb, kind):
    unit = getattr(activations, kind)
    return [unit(x @ Wa + ba, x @ Wb + bb) for x in X], (X, Wa, ba, Wb, bb, kind)


def loop_backward(dY, cache):
    X, Wa, ba, Wb, bb, kind = cache
    dX, dWa, dba, dWb, dbb = (np.zeros(x.shape) for x in (X, Wa, ba, Wb, bb))
    for n, (x, dy) in enumerate(zip(X, dY, strict=True)):
        da, db = glu_backward(dy, x @ Wa + ba, x @ Wb + bb, kind)
        dX[n] = Wa @ da + Wb @ db
        dWa += np.outer(x, da)
        dWb += np.outer(x, db)
        dba += da
        dbb += db
    return dX, dWa, dba, dWb, dbb


EXERCISE = Exercise("activations.glu_layer", (activations.glu_layer_forward, activations.glu_layer_backward), cases,
    MISTAKES, variants=[(einsum_forward, einsum_backward), (loop_forward, loop_backward)],
    solution=(glu_layer_forward, glu_layer_backward), points=0,
    why="The first half of a language model's feed-forward layer; one input is used twice, so two gradients meet at "
        "it.",
    hints=("Keep X, both weights, a, b and the kind.",
           "Your `glu_backward` gives da and db. From there on each is the gradient at a linear layer's output.",
           "A linear layer's three gradients, twice; the two that go to X are added."))  # fmt: skip
