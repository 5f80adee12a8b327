"""Leaky ReLU: a small slope on the left."""

import numpy as np

from dlcourse import activations

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import FIXED_SLOPE, IN_PLACE, INTEGER, each, leaky_cases

# --- solution ---------------------------------------------------------------------------------------------------------


def leaky_relu(x, slope=0.01):
    return np.where(x > 0, x, slope * x)


# --- mistakes ---------------------------------------------------------------------------------------------------------

VALUE = "np.where(x > 0, x, slope * x)"

MISTAKES = [
    Mistake("slope_fixed", slip("slope * x", "θ * x", values=(0.01, 0.1, 0.2)), FIXED_SLOPE),
    Mistake("sides_swapped", slip("x > 0", "x < 0"),
        "The slope s belongs to the negative side; the positive one is x."),
    Mistake("sign_flipped", slip("slope * x", "-slope * x"),
        "For negative x the answer is negative, too, only smaller."),
    Mistake("slope_forgotten", slip("slope * x", "0.0"), "This is the plain ReLU: nothing leaks."),
    Mistake("slope_for_value", slip("slope * x", "slope"),
        "On the left the value is s·x; you return s itself, its slope."),
    Mistake("slope_everywhere", slip(VALUE, "slope * x"), "Positive inputs pass unchanged."),
    Mistake("slope_added", slip(VALUE, "np.maximum(x, 0) + slope * x"),
        "On the right, too, s·x is added: x = 1 should give 1."),
    Mistake("clipped", slip(VALUE, f"np.clip({VALUE}, -θ, θ)", values=(6, 100)),
        "Large inputs are cut off. The leaky ReLU has no limit, on neither side.",
        also=[slip(VALUE, f"np.minimum({VALUE}, θ)", values=(6, 100))]),
    Mistake("integer_buffer", slip(f"return {VALUE}", f"y = np.zeros_like(x)\n    y[...] = {VALUE}\n    return y"),
        INTEGER),
    Mistake("mutates_input",
        slip("    return", "    if x.dtype.kind == 'f':\n        x[x < 0] *= slope\n        return x\n    return"),
        IN_PLACE, also=[slip(f"return {VALUE}", f"y = {VALUE}\n    x[...] = y\n    return y")]),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def larger_one(x, slope=0.01):
    return np.maximum(x, slope * x)


def masks(x, slope=0.01):
    return x * ((x > 0) + slope * (x <= 0))


in_a_loop = each(lambda x, slope=0.01: x if x > 0 else slope * x)


EXERCISE = Exercise("activations.leaky_relu", activations.leaky_relu, leaky_cases, MISTAKES,
    variants=[larger_one, masks, in_a_loop], solution=leaky_relu, points=1,
    why="A small slope on the left keeps a unit alive that would never learn again.",
    hints=("Two cases, one for each side of 0.",
           "`np.where(condition, this, that)` chooses entry by entry."))  # fmt: skip
