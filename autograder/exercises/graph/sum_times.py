"""The notes' first worked example: a sum and a product."""

from ...checks.exercise import Case, Exercise, Mistake, enlarged, slip
from ._shared import FLOW

# --- reference ------------------------------------------------------------------------------------------------------


def sum_times_forward(x, y, z):
    """A sum gate, then a product gate: `L = (x + y) z`.

    Parameters
    ----------
    x, y, z : numbers.

    Returns
    -------
    L : a number.
    cache : whatever `sum_times_backward` needs.
    """
    q = x + y
    return q * z, (q, z)


def sum_times_backward(dL, cache):
    """The flow back through the product and the sum, to all three inputs.

    Parameters
    ----------
    dL : number, the flow that arrives at L.
    cache : from `sum_times_forward`.

    Returns
    -------
    dx, dy, dz : numbers.
    """
    q, z = cache
    dq = dL * z
    return dq, dq, dL * q


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, dout, hidden=False):
        # Apart from each other, from 0 and from 1, and so are their sums and products
        x, y, z = (float(size) for size in rng.permutation([1.3, 2.9, -4.7]) + rng.uniform(0.0, 0.1, 3))
        return Case(name, (x, y, z), dout=dout, hidden=hidden)

    return [
        Case("the numbers of the notes", (-2.0, 5.0, -4.0), dout=1.0),
        case("a flow of −2.5", -2.5),
        Case("z = 0", (1.5, 2.25, 0.0), dout=3.0),
        Case("x = −y: the sum is 0", (1.75, -1.75, 3.0), dout=0.5),
        enlarged(case("other numbers", 0.75), 0, 1),
        case("three more", 1.75, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("flow_forgotten", slip("dL * z", "z", "dL * q", "q"), FLOW.replace("dz", "dL")),
    Mistake("product_not_crossed", slip("dL * z", "dL * q", "dq, dL * q", "dq, dL * z"),
        "At the product the factors have changed places: the flow to one side is scaled by the *other* side."),
    Mistake("sum_splits_the_flow", slip("return dq, dq,", "return dq / 2, dq / 2,"),
        "The sum does not divide its flow among x and y. Move x by a little: how much does the sum move?"),
    Mistake("sum_scales_by_input",
        slip("(q, z)", "(q, z, x, y)", "q, z = cache", "q, z, x, y = cache", "dq, dq,", "dq * x, dq * y,"),
        "x and y scale their flows; that is what a product does. A sum's slope does not depend on its inputs."),
    Mistake("one_summand_for_z", slip("(q, z)", "(q, z, x)", "q, z = cache", "q, z, x = cache", "dL * q", "dL * x"),
        "z is multiplied by the whole sum, x and y, so its flow is scaled by the whole sum."),
    Mistake("product_ignored", slip("dL * z", "dL"),
        "x and y get what arrives at L. On its way to them it passes the product, which scales it."),
    Mistake("brackets_ignored", slip("return q * z,", "return x + y * z,"),
        "Your L is x + y·z: in Python, too, the product comes before the sum unless brackets say otherwise."),
    Mistake("out_of_order", slip("return dq, dq, dL * q", "return dL * q, dq, dq"),
        "The three flows come in the order of the inputs: x, y, z."),
    Mistake("values_for_flows", slip("return dq, dq, dL * q", "return dq, dq, dL * q * z"),
        "z gets ∂L/∂z, not that times z: the factor is what z was multiplied by, nothing else."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def expanded_forward(x, y, z):
    return x * z + y * z, {"x": x, "y": y, "z": z}


def expanded_backward(dL, cache):
    flow = cache["z"] * dL
    return [flow, flow, cache["x"] * dL + cache["y"] * dL]


def slopes_forward(x, y, z):
    return z * (y + x), (z, z, x + y)


def slopes_backward(dL, cache):
    return tuple(slope * dL for slope in cache)


EXERCISE = Exercise("graph.sum_times", (sum_times_forward, sum_times_backward), cases, MISTAKES,
    variants=[(expanded_forward, expanded_backward), (slopes_forward, slopes_backward)], points=0,
    why="Two gates in a row, by hand: after this every longer graph is more of the same.",
    hints=("Name the sum q. Then L = q·z, and the way back begins at the product.",
           "What arrives at q is dL times the other factor. The sum hands it on to x and to y.",
           "The flow to z is dL times what z was multiplied by."))  # fmt: skip
