"""ReLU: the larger one of x and 0."""

import numpy as np

from dlcourse import activations

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import IN_PLACE, each, kinked_cases

# --- solution ---------------------------------------------------------------------------------------------------------


def relu(x):
    return np.maximum(x, 0.0)


# --- mistakes ---------------------------------------------------------------------------------------------------------

VALUE = "np.maximum(x, 0.0)"

MISTAKES = [
    Mistake("mutates_input", slip(f"return {VALUE}", "x[x < 0] = 0\n    return x"), IN_PLACE),
    Mistake("absolute_value", slip(VALUE, "np.abs(x)"), "Negative inputs become 0, they are not mirrored."),
    Mistake("minimum_for_maximum", slip("maximum", "minimum"),
        "The wrong side is kept: ReLU lets the positive through."),
    Mistake("leaky", slip("0.0", "θ * x", values=(0.01, 0.1, 0.2)),
        "Negative inputs leak through. That is the leaky ReLU; this one gives 0."),
    Mistake("mask_for_value", slip(VALUE, "(x > 0) * 1.0"),
        "You say *whether* x is positive. ReLU gives x itself there."),
    Mistake("clipped_above", slip(VALUE, "np.clip(x, 0, θ)", values=(1, 6, 100)),
        "Large inputs are cut off. ReLU has no upper limit."),
    Mistake("softplus", slip(VALUE, "np.logaddexp(0, x)"), "This is softplus, the smooth version.", convention=True),
    Mistake("maximum_over_array", slip(VALUE, "max(0.0, float(np.max(x)))"),
        "`np.max` is the largest entry of one array. What is asked is, entry by entry, the larger one of x and 0."),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def times_mask(x):
    return x * (x > 0)


def with_absolute_value(x):
    return (x + np.abs(x)) / 2


in_a_loop = each(lambda x: max(x, 0.0))


EXERCISE = Exercise("activations.relu", activations.relu, kinked_cases, MISTAKES,
    variants=[times_mask, with_absolute_value, in_a_loop], solution=relu, points=1,
    why="One comparison, no saturation on the right: it made deep networks trainable.",
    hints=("Entry by entry the larger one of x and 0.",
           "`np.maximum` takes two arguments; `np.max` is another."))  # fmt: skip
