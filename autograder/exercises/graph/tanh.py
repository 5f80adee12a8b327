"""The tanh gate: its slope is one minus the square of its output."""

import numpy as np

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import AT_OUTPUT, FLOW, scalar_cases

# --- reference ------------------------------------------------------------------------------------------------------


def tanh_forward(x):
    """Tanh gate: `z = tanh x`.

    Parameters
    ----------
    x : a number.

    Returns
    -------
    z : a number.
    cache : whatever `tanh_backward` needs.
    """
    z = np.tanh(x)
    return z, z


def tanh_backward(dz, cache):
    """What the tanh gate passes on to its input: `∂L/∂x`.

    Parameters
    ----------
    dz : number `∂L/∂z`, the flow that arrives.
    cache : from `tanh_forward`.

    Returns
    -------
    dx : a number.
    """
    z = cache
    return dz * (1 - z * z)


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("exp_uses_input", slip("return z, z", "return z, x"), "1 − z² takes the output z; you put in the input x."),
    Mistake("derivative_at_output", slip("z = cache", "z = np.tanh(cache)"), AT_OUTPUT),
    Mistake("flow_forgotten", slip("dz * ", ""), FLOW),
    Mistake("sigmoid_derivative", slip("(1 - z * z)", "z * (1 - z)"),
        "z(1 − z) is the sigmoid's slope. Tanh runs from −1 to 1, and its slope at x = 0 is 1."),
    Mistake("not_squared", slip("1 - z * z", "1 - z"),
        "The slope is the same at x and at −x, so the sign of z cannot matter. What makes it disappear?"),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def exponentials_forward(x):
    up, down = np.exp(x), np.exp(-x)
    return (up - down) / (up + down), x


def cosh_backward(dz, cache):
    return dz / np.cosh(cache) ** 2


def factored_forward(x):
    z = float(np.tanh(x))
    return z, (1 + z, 1 - z)


def factored_backward(dz, cache):
    above, below = cache
    return dz * (above * below)


EXERCISE = Exercise("graph.tanh", (tanh_forward, tanh_backward), scalar_cases, MISTAKES,
    variants=[(exponentials_forward, cosh_backward), (factored_forward, factored_backward)], points=1,
    why="The gate of the recurrent networks, and again one whose slope is written in its output.",
    hints=("`np.tanh` is the forward pass.",
           "cosh² − sinh² = 1; divide that by cosh²."))  # fmt: skip
