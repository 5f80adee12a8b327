"""The sigmoid gate: it attenuates the flow, the more the closer its output is to 0 or 1."""

import numpy as np

from dlcourse.activations import sigmoid

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import AT_OUTPUT, FLOW, scalar_cases

# --- reference ------------------------------------------------------------------------------------------------------


def sigmoid_forward(x):
    """Sigmoid gate: `z = 1/(1 + e^(−x))`.

    Parameters
    ----------
    x : a number.

    Returns
    -------
    z : a number.
    cache : whatever `sigmoid_backward` needs.
    """
    z = sigmoid(x)
    return z, z


def sigmoid_backward(dz, cache):
    """What the sigmoid gate passes on to its input: `∂L/∂x`.

    Parameters
    ----------
    dz : number `∂L/∂z`, the flow that arrives.
    cache : from `sigmoid_forward`.

    Returns
    -------
    dx : a number.
    """
    z = cache
    return dz * z * (1 - z)


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("exp_uses_input", slip("return z, z", "return z, x"),
        "z(1 − z) takes the output z; you put in the input x."),
    Mistake("derivative_at_output", slip("z = cache", "z = sigmoid(cache)"), AT_OUTPUT),
    Mistake("flow_forgotten", slip("dz * ", ""), FLOW),
    Mistake("tanh_derivative", slip("z * (1 - z)", "(1 - z * z)"),
        "1 − z² is the slope of tanh. At x = 0 the sigmoid's is ¼."),
    Mistake("factor_missing", slip("z * (1 - z)", "(1 - z)"),
        "The slope must vanish where z is near 1 and where it is near 0. Yours does only one of the two."),
    Mistake("sign", slip("1 - z", "z - 1"),
        "The sigmoid grows everywhere, so its slope is positive. Yours is negative."),
    Mistake("overflow", slip("sigmoid(x)", "1 / (1 + np.e**-x)"),
        "Where x is very negative, e^(−x) is larger than any float. The course's `sigmoid` avoids that; it "
        "is imported above."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def two_forms_forward(x):
    z = float(1 / (1 + np.exp(-x))) if x >= 0 else float(np.exp(x) / (1 + np.exp(x)))
    return z, z


def two_forms_backward(dz, cache):
    return (cache - cache * cache) * dz


def slope_forward(x):
    z = sigmoid(x)
    return z, z * (1.0 - z)


def slope_backward(dz, cache):
    return cache * dz


EXERCISE = Exercise("graph.sigmoid", (sigmoid_forward, sigmoid_backward), lambda rng: scalar_cases(rng, far=-800.0),
    MISTAKES, variants=[(two_forms_forward, two_forms_backward), (slope_forward, slope_backward)], points=1,
    why="It lets through a quarter of the flow at best, and almost nothing where it saturates: ten in a row starve "
        "what lies below.",
    hints=("`sigmoid(x)` from the course is the forward pass.",
           "The slope is largest, ¼, at z = ½, and vanishes at z = 0 and z = 1."))  # fmt: skip
