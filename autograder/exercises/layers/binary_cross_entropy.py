"""Binary cross-entropy, computed from probabilities."""

import numpy as np

from dlcourse import losses

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import (
    CLIPPED_BELOW,
    CLIPPED_ELSEWHERE,
    LOG_OF_ZERO,
    LOGARITHM_BASE,
    outer_product,
    probability_cases,
    reduction_mistakes,
)

# --- solution -------------------------------------------------------------------------------------------------------


def binary_cross_entropy(p, d, reduction="mean"):
    eps = np.finfo(p.dtype).eps
    p = np.clip(p, eps, 1 - eps)
    J = -np.sum(d * np.log(p) + (1 - d) * np.log(1 - p))
    return J / len(p) if reduction == "mean" else J


# --- mistakes -------------------------------------------------------------------------------------------------------

CLIP = "p = np.clip(p, eps, 1 - eps)"

MISTAKES = [
    Mistake("cost_sign", slip("-np.sum", "np.sum"),
        "This is the log-likelihood, which is to be large. The loss is its negative (notes 001 slip here, E08)."),
    Mistake("log_of_zero", slip(f"    {CLIP}\n", ""), LOG_OF_ZERO),
    Mistake("clipped_below_only", slip(CLIP, "p = np.maximum(p, eps)"), CLIPPED_BELOW),
    Mistake("clipped_elsewhere", slip(CLIP, "p = np.clip(p, θ, 1 - θ)", values=(1e-12, 1e-7, 1e-15)),
        CLIPPED_ELSEWHERE, convention=True,
        also=[slip(f"    {CLIP}\n", "", "np.log(p)", "np.log(p + θ)", "np.log(1 - p)", "np.log(1 - p + θ)",
                   values=(1e-12, 1e-7, 1e-8))]),
    Mistake("terms_swapped", slip("d * np.log(p) + (1 - d) * np.log(1 - p)", "d * np.log(1 - p) + (1 - d) * np.log(p)"),
        "The output is charged for being right: which of the two logarithms belongs to d = 1?"),
    Mistake("negative_class_ignored", slip(" + (1 - d) * np.log(1 - p)", ""),
        "Outputs with d = 0 are charged nothing: the second term is missing."),
    Mistake("logarithm_forgotten", slip("d * np.log(p) + (1 - d) * np.log(1 - p)", "d * p + (1 - d) * (1 - p)"),
        "You add up probabilities. The loss charges minus the *logarithm* of each."),
    Mistake("logarithm_base", slip("J = -np.sum(d * np.log(p) + (1 - d) * np.log(1 - p))",
        "J = -np.sum(d * np.log(p) + (1 - d) * np.log(1 - p)) / np.log(θ)", values=(2, 10)), LOGARITHM_BASE,
        convention=True),
    Mistake("sigmoid_twice", slip(f"    {CLIP}\n", "    p = 1 / (1 + np.exp(-p))\n"),
        "p goes through a sigmoid. Here the arguments are probabilities already: the form that takes logits comes "
        "later."),
    Mistake("targets_rounded",
        slip("d * np.log(p) + (1 - d) * np.log(1 - p)", "np.where(d > 0.5, np.log(p), np.log(1 - p))"),
        "Targets may lie between 0 and 1: both terms count, each with its share, rather than one of them."),
    *reduction_mistakes("J", "p"),
    outer_product("J", "d"),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def log1p(p, d, reduction="mean"):
    tiny = np.finfo(p.dtype).eps
    q = np.minimum(np.maximum(p, tiny), 1 - tiny)
    each = -(d * np.log(q) + np.log1p(-q) - d * np.log1p(-q))
    return {"mean": each.sum() / p.shape[0], "sum": each.sum()}[reduction]


def loop(p, d, reduction="mean"):
    eps, J = np.finfo(p.dtype).eps, 0.0
    for value, target in zip(np.ravel(p), np.ravel(d), strict=True):
        value = min(max(value, eps), 1 - eps)
        J -= target * np.log(value) + (1 - target) * np.log(1 - value)
    return J / len(p) if reduction == "mean" else J


EXERCISE = Exercise("losses.binary_cross_entropy", losses.binary_cross_entropy, probability_cases, MISTAKES,
    variants=[log1p, loop], solution=binary_cross_entropy, points=2,
    why="The loss of notes 001 and 004 as it stands in the books. What clipping hides shows in the next form, from "
        "logits.",
    hints=("Clip first, and go on with the clipped p.",
           "d picks log p, 1 − d picks log(1 − p); the minus stands before the whole sum.",
           "Sum everything, then look at `reduction`."))  # fmt: skip
