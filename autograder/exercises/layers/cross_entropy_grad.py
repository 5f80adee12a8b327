"""The gradient of cross-entropy by the probabilities."""

import numpy as np

from dlcourse import losses
from dlcourse.layers import one_hot

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import CLIPPED_ELSEWHERE, UPHILL, class_probability_cases, reduction_mistakes

# --- solution -------------------------------------------------------------------------------------------------------


def cross_entropy_grad(p, labels, reduction="mean"):
    eps = np.finfo(p.dtype).eps
    p = np.clip(p, eps, 1 - eps)
    rows = np.arange(len(labels))
    dp = np.zeros_like(p)
    dp[rows, labels] = -1 / p[rows, labels]
    return dp / len(p) if reduction == "mean" else dp


# --- mistakes -------------------------------------------------------------------------------------------------------

CLIP = "p = np.clip(p, eps, 1 - eps)"
ASSIGNED = "dp[rows, labels] = -1 / p[rows, labels]"

MISTAKES = [
    Mistake("ascent", slip("-1 /", "1 /"), UPHILL),
    Mistake("log_of_zero", slip(f"    {CLIP}\n", ""),
        "Where the right class has the probability 0 you divide by 0. Clip p to [ε, 1 − ε] before anything else is "
        "computed."),
    Mistake("clipped_elsewhere", slip(CLIP, "p = np.clip(p, θ, 1.0)", values=(1e-12, 1e-7, 1e-15)),
        CLIPPED_ELSEWHERE, convention=True,
        also=[slip(f"    {CLIP}\n", "", "/ p[rows, labels]", "/ (p[rows, labels] + θ)", values=(1e-12, 1e-7, 1e-8))]),
    Mistake("gradient_by_logit", slip(ASSIGNED, "dp = p - one_hot(labels, p.shape[1])"),
        "p − K is the gradient by the *logits*, one link further down. Here it is asked at the probabilities: only the "
        "right class stands in the loss."),
    Mistake("every_class", slip(ASSIGNED, "dp = -1 / p"),
        "Every class gets a gradient. The loss looks at the right class alone: what happens to it when another entry "
        "of p is moved?"),
    Mistake("every_row", slip(ASSIGNED, "dp[:, labels] = -1 / p[:, labels]"),
        "`dp[:, labels]` writes into the columns of *all* labels in *every* row. You want one entry in each row, so "
        "the rows need an index, too."),
    Mistake("other_classes_pushed",
        slip(ASSIGNED, "dp = np.where(one_hot(labels, p.shape[1]) == 1, -1 / p, 1 / (1 - p))"),
        "The other classes get 1/(1 − p): that is binary cross-entropy of K sigmoid outputs. Here they do not stand in "
        "the loss."),
    Mistake("logarithm_not_differentiated", slip("-1 / p[rows, labels]", "-np.log(p[rows, labels])"),
        "This is each example's loss. Asked is its derivative: what is that of log p?"),
    Mistake("probability_missing", slip("-1 / p[rows, labels]", "-1"),
        "Every right class is pushed alike. The slope of the logarithm depends on where you are."),
    Mistake("labels_from_one", slip(ASSIGNED, "dp[rows, labels - 1] = -1 / p[rows, labels - 1]"),
        "Classes are counted from 0. (An index of −1 is the last one, without a complaint.)"),
    Mistake("softmax_twice", slip(CLIP, "p = np.exp(p) / np.sum(np.exp(p), axis=1, keepdims=True)"),
        "p goes through a softmax. Here the arguments are probabilities already."),
    *reduction_mistakes("dp", "p"),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def indicator(p, labels, reduction="mean"):
    dp = -one_hot(labels, p.shape[1]) / np.maximum(p, np.finfo(p.dtype).eps)
    return dp / p.shape[0] if reduction == "mean" else dp


def loop(p, labels, reduction="mean"):
    made, N = [], len(labels) if reduction == "mean" else 1
    for row, label in zip(p, labels, strict=True):
        wanted = -1 / (max(row[label], np.finfo(p.dtype).eps) * N)
        made.append([wanted if k == label else 0.0 for k in range(len(row))])
    return made


EXERCISE = Exercise("losses.cross_entropy_grad", losses.cross_entropy_grad, class_probability_cases, MISTAKES,
    variants=[indicator, loop], solution=cross_entropy_grad, points=1,
    why="Zero but for the right class. Softmax's way back spreads it over all of them, and p − K is left.",
    hints=("How many entries of a row stand in the loss?",
           "An array of zeros, and into one entry of each row the slope of −log p.",
           "At the clipped p, and divided by what the loss is divided by."))  # fmt: skip
