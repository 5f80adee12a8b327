"""ReLU's derivative, 0 at the kink."""

import numpy as np

from dlcourse import activations

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import FUNCTION, IN_PLACE, each, kinked_cases

# --- solution ---------------------------------------------------------------------------------------------------------


def relu_grad(x):
    return np.where(x > 0, 1.0, 0.0)


# --- mistakes ---------------------------------------------------------------------------------------------------------

SLOPE = "np.where(x > 0, 1.0, 0.0)"

MISTAKES = [
    Mistake("relu_one_at_zero", slip("x > 0", "x >= 0"),
        "At 0 this course takes the slope 0, as PyTorch, TensorFlow and JAX do; notes 004 take 1 (E28). Look at the "
        "comparison.", convention=True),
    Mistake("half_at_zero", slip(SLOPE, "np.heaviside(x, 0.5)"),
        "At 0 this course takes the slope 0; ½, between the two sides, is another convention.", convention=True),
    Mistake("divided_by_zero",
        slip(f"return {SLOPE}", 'with np.errstate(invalid="ignore"):\n        return np.maximum(x, 0) / x'),
        "max(0, x)/x is 0/0 at x = 0. Ask directly whether x is positive."),
    Mistake("function_for_derivative", slip("1.0, 0.0", "x, 0.0"), FUNCTION),
    Mistake("sign_for_slope", slip(SLOPE, "np.sign(x)"), "On the left ReLU is flat: its slope is 0 there, not −1."),
    Mistake("sides_swapped", slip("x > 0", "x < 0"), "The slope is 1 where ReLU lets x through."),
    Mistake("ones_everywhere", slip("1.0, 0.0", "1.0, 1.0"), "On the left ReLU is flat: its slope is 0 there."),
    Mistake("mutates_input", slip(f"return {SLOPE}", "x[x <= 0] = 0\n    x[x > 0] = 1\n    return x"), IN_PLACE),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def comparison(x):
    return (x > 0).astype(float)


def clipped_sign(x):
    return np.maximum(np.sign(x), 0)


in_a_loop = each(lambda x: 1.0 if x > 0 else 0.0)


EXERCISE = Exercise("activations.relu_grad", activations.relu_grad, kinked_cases, MISTAKES,
    variants=[comparison, clipped_sign, in_a_loop], solution=relu_grad, points=1,
    why="It lets a gradient through or stops it; a unit that is never positive never learns again.",
    hints=("Where is ReLU flat, where has it slope 1?",
           "A comparison gives True and False, which count as 1 and 0."))  # fmt: skip
