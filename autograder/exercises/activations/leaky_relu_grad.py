"""Leaky ReLU's derivative, the left side's slope at the kink."""

import numpy as np

from dlcourse import activations

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import FIXED_SLOPE, FUNCTION, INTEGER, each, leaky_cases

# --- solution ---------------------------------------------------------------------------------------------------------


def leaky_relu_grad(x, slope=0.01):
    return np.where(x > 0, 1.0, slope)


# --- mistakes ---------------------------------------------------------------------------------------------------------

SLOPE = "np.where(x > 0, 1.0, slope)"

MISTAKES = [
    Mistake("one_at_zero", slip("x > 0", "x >= 0"),
        "At 0 this course takes the left side's slope, s. Look at the comparison.", convention=True),
    Mistake("slope_fixed", slip("1.0, slope", "1.0, θ", values=(0.01, 0.1, 0.2)), FIXED_SLOPE),
    Mistake("slope_forgotten", slip("1.0, slope", "1.0, 0.0"),
        "This is ReLU's slope: on the left the leaky one has s."),
    Mistake("function_for_derivative", slip("1.0, slope", "x, slope * x"), FUNCTION),
    Mistake("sides_swapped", slip("1.0, slope", "slope, 1.0"), "The slope s belongs to the negative side."),
    Mistake("sign_flipped", slip("1.0, slope", "1.0, -slope"), "Leaky ReLU rises on the left, too: s, not −s."),
    Mistake("slope_added", slip("1.0, slope", "1.0 + slope, slope"), "On the right your slope is 1 + s."),
    Mistake("integer_buffer", slip(f"return {SLOPE}", f"dy = np.full_like(x, 1)\n    dy[...] = {SLOPE}\n    return dy"),
        INTEGER),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def assigned(x, slope=0.01):
    out = np.ones(x.shape)
    out[x <= 0] = slope
    return out


def mask(x, slope=0.01):
    return slope + (1 - slope) * (x > 0)


in_a_loop = each(lambda x, slope=0.01: 1.0 if x > 0 else slope)


EXERCISE = Exercise("activations.leaky_relu_grad", activations.leaky_relu_grad, leaky_cases, MISTAKES,
    variants=[assigned, mask, in_a_loop], solution=leaky_relu_grad, points=1,
    why="Never 0: that is the point of it.",
    hints=("Two cases again, 1 and s.",
           "Which of them belongs to x = 0? The text says."))  # fmt: skip
