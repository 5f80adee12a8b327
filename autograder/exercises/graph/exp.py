"""The exponential gate: its slope is its output."""

import numpy as np

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import AT_OUTPUT, FLOW, scalar_cases

# --- reference ------------------------------------------------------------------------------------------------------


def exp_forward(x):
    """Exponential gate: `z = e^x`.

    Parameters
    ----------
    x : a number.

    Returns
    -------
    z : a number.
    cache : whatever `exp_backward` needs.
    """
    z = np.exp(x)
    return z, z


def exp_backward(dz, cache):
    """What the exponential gate passes on to its input: `∂L/∂x`.

    Parameters
    ----------
    dz : number `∂L/∂z`, the flow that arrives.
    cache : from `exp_forward`.

    Returns
    -------
    dx : a number.
    """
    return dz * cache


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("exp_uses_input", slip("return z, z", "return z, x"),
        "You scale the flow by x. The derivative of e^x is e^x: which of the two, input or output, do you want to "
        "remember?"),
    Mistake("derivative_at_output", slip("dz * cache", "dz * np.exp(cache)"), AT_OUTPUT),
    Mistake("power_rule", slip("return z, z", "return z, x", "dz * cache", "dz * cache * np.exp(cache - 1)"),
        "x·e^(x−1) is the rule for a power, x^n. Here x is the exponent."),
    Mistake("flow_forgotten", slip("dz * cache", "cache"), FLOW),
    Mistake("slope_forgotten", slip("dz * cache", "dz"),
        "The flow passes unchanged, as if the gate's slope were 1. That is so at x = 0 only."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def recomputed_forward(x):
    return float(np.exp(x)), x


def recomputed_backward(dz, cache):
    return float(np.exp(cache)) * dz


def power_forward(x):
    z = np.e**x
    return z, {"z": z}


def power_backward(dz, cache):
    return cache["z"] * dz


EXERCISE = Exercise("graph.exp", (exp_forward, exp_backward), scalar_cases, MISTAKES,
    variants=[(recomputed_forward, recomputed_backward), (power_forward, power_backward)], points=1,
    why="The first gate whose slope is its output: what the forward pass computed, the backward pass need not compute "
        "again.",
    hints=("What is the derivative of e^x?",
           "Keep in the cache what you have computed anyway."))  # fmt: skip
