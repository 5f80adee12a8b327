"""The product gate: going back it scales the flow by the product of the other inputs."""

import numpy as np

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import FLOW, gate_cases

# --- reference ------------------------------------------------------------------------------------------------------


def prod_forward(xs):
    """Product gate: `z = Π_i x_i`.

    Parameters
    ----------
    xs : (n,) array, the inputs.

    Returns
    -------
    z : a number.
    cache : whatever `prod_backward` needs.
    """
    return np.prod(xs), xs


def prod_backward(dz, cache):
    """What the product gate passes on to each input: `∂L/∂x_i`.

    Parameters
    ----------
    dz : number `∂L/∂z`, the flow that arrives.
    cache : from `prod_forward`.

    Returns
    -------
    dx : (n,) array, one flow for each input; right also where inputs are 0.
    """
    xs = cache
    others = [np.prod(np.delete(xs, i)) for i in range(len(xs))]
    return dz * np.array(others, dtype=xs.dtype)


# --- mistakes -------------------------------------------------------------------------------------------------------

OTHERS = "np.array(others, dtype=xs.dtype)"
OF_OTHERS = "np.prod(np.delete(xs, i))"

MISTAKES = [
    Mistake("product_by_division", slip(OTHERS, "np.prod(xs) / xs"),
        "z/x_i is the product of the others only while x_i is not 0 (the notes slip here, E09). Multiply the others; "
        "divide by nothing."),
    Mistake("division_patched", slip(OTHERS, "np.prod(xs) / (xs + θ)", values=(1e-12, 1e-7)),
        "A small number in the divisor hides the NaN, not the mistake: where x_i = 0 you get 0, but the product of the "
        "others is not 0. And everywhere else the last digits are off."),
    Mistake("includes_itself", slip("np.delete(xs, i)", "xs"),
        "Every input gets dz·z. The input itself does not belong into its slope: only the others do."),
    Mistake("flow_forgotten", slip("dz * ", ""), FLOW),
    Mistake("scaled_by_itself", slip(OF_OTHERS, "xs[i]"),
        "Each flow is scaled by the input that it goes to. In z = x·y, what is ∂z/∂x?"),
    Mistake("sum_of_others", slip(OF_OTHERS, "np.sum(np.delete(xs, i))"),
        "You add up the other inputs; the slope is their product."),
    Mistake("one_other_only", slip(OF_OTHERS, "xs[i - 1]"),
        "Each flow is scaled by one other input. That is enough for two inputs; with more, all the others count."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def both_sides_forward(xs):
    before, after = np.ones_like(xs), np.ones_like(xs)
    for i in range(1, len(xs)):
        before[i] = before[i - 1] * xs[i - 1]
        after[-1 - i] = after[-i] * xs[-i]
    return before[-1] * xs[-1], before * after


def both_sides_backward(dz, cache):
    return dz * cache


def loop_forward(xs):
    return xs.prod(), (xs,)


def loop_backward(dz, cache):
    (xs,) = cache
    flows = []
    for i in range(len(xs)):
        flow = dz
        for j, x in enumerate(xs):
            if j != i:
                flow = flow * x
        flows.append(float(flow))
    return flows


EXERCISE = Exercise("graph.prod", (prod_forward, prod_backward), lambda rng: gate_cases(rng, zeros=3.0), MISTAKES,
    variants=[(both_sides_forward, both_sides_backward), (loop_forward, loop_backward)], points=2,
    why="Weights times inputs, gates times states: a product's flow to one side is the other side.",
    hints=("For z = x·y·w: what is ∂z/∂x? And what is it where x = 0?",
           "A loop over the inputs, and for each the product of all the others.",
           "`np.delete(xs, i)` is xs without its entry i."))  # fmt: skip
