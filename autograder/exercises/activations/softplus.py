"""Softplus, without overflow and with the digits of its left tail."""

import math

import numpy as np

from dlcourse import activations

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import CLIPPED, each, tail_cases

# --- solution ---------------------------------------------------------------------------------------------------------


def softplus(x):
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


# --- mistakes ---------------------------------------------------------------------------------------------------------

VALUE = "np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))"

MISTAKES = [
    Mistake("overflow_and_tail", slip(VALUE, "np.log(1 + np.exp(x))"),
        "Right near 0. At 1000 the exponential is infinite, and at −40 it vanishes beside the 1. Take max(x, 0) out "
        "first; and `np.log1p` is log(1 + …) that keeps small numbers."),
    Mistake("overflow", slip(VALUE, "np.log1p(np.exp(x))"),
        "`log1p` saves the left tail, but at 1000 the exponential is infinite. For large x softplus is x and a little: "
        "take x out of the logarithm."),
    Mistake("tail_lost", slip("np.log1p(np.exp(-np.abs(x)))", "np.log(1 + np.exp(-np.abs(x)))"),
        "No overflow any more. But 1 + e^(−40) is exactly 1 in floating point, and its logarithm 0: `np.log1p` is made "
        "for that."),
    Mistake("input_clipped", slip(VALUE, "np.log1p(np.exp(np.clip(x, -θ, θ)))", values=(30, 500)), CLIPPED),
    Mistake("relu_for_softplus", slip(" + np.log1p(np.exp(-np.abs(x)))", ""),
        "This is ReLU. Softplus is log 2 at 0 and never quite 0."),
    Mistake("sign_of_exponent", slip("np.maximum(x, 0.0)", "np.maximum(-x, 0.0)"),
        "Your softplus falls: it is −log σ(x). Look at the exponent."),
    Mistake("derivative_for_function", slip(VALUE, "activations.sigmoid(x)"),
        "This is softplus' slope; its value is asked."),
    Mistake("logarithm_base", slip(VALUE, f"({VALUE}) / np.log(θ)", values=(2, 10)),
        "The logarithm is the natural one.", convention=True),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def logaddexp(x):
    return np.logaddexp(0, x)


def two_branches(x):
    return np.where(x > 0, x + np.log1p(np.exp(-np.maximum(x, 0))), np.log1p(np.exp(np.minimum(x, 0))))


in_a_loop = each(lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))))


EXERCISE = Exercise("activations.softplus", activations.softplus, tail_cases, MISTAKES,
    variants=[logaddexp, two_branches, in_a_loop], solution=softplus, points=2,
    why="−log σ(x) is softplus(−x): the cross-entropy of every logit goes through it.",
    hints=("For x > 0 take eˣ out of the bracket: log(1 + eˣ) = x + log(1 + e^(−x)).",
           "Both signs at once: max(x, 0) + log(1 + e^(−|x|)).",
           "`np.log1p(y)` is log(1 + y), exact for tiny y."))  # fmt: skip
