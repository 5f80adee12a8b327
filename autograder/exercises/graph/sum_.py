"""The sum gate: going back it hands the same flow to every input."""

import numpy as np

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import FLOW, gate_cases

# --- reference ------------------------------------------------------------------------------------------------------


def sum_forward(xs):
    """Sum gate: `z = Σ_i x_i`.

    Parameters
    ----------
    xs : (n,) array, the inputs.

    Returns
    -------
    z : a number.
    cache : whatever `sum_backward` needs.
    """
    return np.sum(xs), np.ones_like(xs)


def sum_backward(dz, cache):
    """What the sum gate passes on to each input: `∂L/∂x_i`.

    Parameters
    ----------
    dz : number `∂L/∂z`, the flow that arrives.
    cache : from `sum_forward`.

    Returns
    -------
    dx : (n,) array, one flow for each input.
    """
    return dz * cache


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("flow_split", slip("dz * cache", "dz / len(cache) * cache"),
        "You divide the flow among the inputs. Move one input by a little: how much does the sum move?"),
    Mistake("one_flow_for_all", slip("dz * cache", "dz"),
        "One number comes back; each input gets a flow, so there are n of them. They happen to be equal."),
    Mistake("flow_forgotten", slip("dz * cache", "cache"), FLOW),
    Mistake("scaled_by_input", slip("np.ones_like(xs)", "xs"),
        "The flow is scaled by the inputs; that is what a product does. A sum's slope does not depend on its inputs."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def python_forward(xs):
    return sum(float(x) for x in xs), len(xs)


def python_backward(dz, cache):
    return [dz] * cache


def dot_forward(xs):
    return np.ones(len(xs)) @ xs, xs.shape


def dot_backward(dz, cache):
    return np.full(cache, dz)


EXERCISE = Exercise("graph.sum_", (sum_forward, sum_backward), gate_cases, MISTAKES,
    variants=[(python_forward, python_backward), (dot_forward, dot_backward)], points=1,
    why="Wherever paths meet in a network, a sum stands; going back, it hands the same flow to all of them.",
    hints=("∂z/∂x_i: how fast does the sum grow with one of its inputs?",
           "The backward function needs to know one thing only: how many inputs there were."))  # fmt: skip
