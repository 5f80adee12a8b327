"""The gradient of binary cross-entropy by the probabilities."""

import numpy as np

from dlcourse import losses

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import (
    CLIPPED_BELOW,
    CLIPPED_ELSEWHERE,
    LOG_OF_ZERO,
    UPHILL,
    outer_product,
    probability_cases,
    reduction_mistakes,
)

# --- solution -------------------------------------------------------------------------------------------------------


def binary_cross_entropy_grad(p, d, reduction="mean"):
    eps = np.finfo(p.dtype).eps
    p = np.clip(p, eps, 1 - eps)
    dp = (1 - d) / (1 - p) - d / p
    return dp / len(p) if reduction == "mean" else dp


# --- mistakes -------------------------------------------------------------------------------------------------------

CLIP = "p = np.clip(p, eps, 1 - eps)"
GRADIENT = "(1 - d) / (1 - p) - d / p"

MISTAKES = [
    Mistake("ascent", slip(GRADIENT, "d / p - (1 - d) / (1 - p)"),
        UPHILL + " (Notes 001 have this sign wrong, E08.)"),
    Mistake("inner_sign", slip(GRADIENT, "-(1 - d) / (1 - p) - d / p"),
        "[Right for d = 1.] The inner derivative of log(1 − p) is −1, and the loss has a minus in front: which sign is "
        "left?"),
    Mistake("gradient_by_logit", slip(GRADIENT, "p - d"),
        "p − d is the gradient by the *logit*, one link further down: the factor p(1 − p) is the sigmoid's. Here the "
        "gradient at the probability is asked.",
        also=[slip(GRADIENT, f"({GRADIENT}) * p * (1 - p)")]),
    Mistake("log_of_zero", slip(f"    {CLIP}\n", ""), LOG_OF_ZERO),
    Mistake("clipped_below_only", slip(CLIP, "p = np.maximum(p, eps)"), CLIPPED_BELOW),
    Mistake("clipped_elsewhere", slip(CLIP, "p = np.clip(p, θ, 1 - θ)", values=(1e-12, 1e-7, 1e-15)),
        CLIPPED_ELSEWHERE, convention=True,
        also=[slip(f"    {CLIP}\n", "", "(1 - p)", "(1 - p + θ)", "/ p", "/ (p + θ)", values=(1e-12, 1e-7, 1e-8))]),
    Mistake("negative_class_ignored", slip(GRADIENT, "-d / p"),
        "[Right for d = 1.] Outputs with d = 0 are pushed nowhere: the second term of the loss has a derivative, too."),
    Mistake("terms_swapped", slip(GRADIENT, "d / (1 - p) - (1 - d) / p"),
        "Each target goes with the other class's probability: which of p and 1 − p does d = 1 look at?"),
    Mistake("logarithm_not_differentiated", slip(GRADIENT, "(1 - d) * np.log(1 - p) - d * np.log(p)"),
        "The logarithms are still there. What is the derivative of log p?"),
    *reduction_mistakes("dp", "p"),
    outer_product("dp", "d"),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def one_fraction(p, d, reduction="mean"):
    tiny = np.finfo(p.dtype).eps
    q = np.minimum(np.maximum(p, tiny), 1 - tiny)
    dp = (q - d) / (q * (1 - q))
    return dp / {"mean": p.shape[0], "sum": 1}[reduction]


def loop(p, d, reduction="mean"):
    eps, dp = np.finfo(p.dtype).eps, np.zeros(p.shape)
    for index in np.ndindex(p.shape):
        value = min(max(p[index], eps), 1 - eps)
        dp[index] = -d[index] / value + (1 - d[index]) / (1 - value)
    return dp / len(p) if reduction == "mean" else dp


EXERCISE = Exercise("losses.binary_cross_entropy_grad", losses.binary_cross_entropy_grad,
    lambda rng: probability_cases(rng, relative=True), MISTAKES, variants=[one_fraction, loop],
    solution=binary_cross_entropy_grad, points=1,
    why="The first link of the chain that ends in σ(u) − d; alone it grows without bound where the output is sure and "
        "wrong.",
    hints=("The derivative of log p is 1/p. And that of log(1 − p)?",
           "Two fractions, one for each class. For d = 1 the gradient is negative: p should grow.",
           "At the clipped p, as in the loss."))  # fmt: skip
