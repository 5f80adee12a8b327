"""Cross-entropy, computed from the probabilities of K classes."""

import numpy as np

from dlcourse import losses
from dlcourse.layers import one_hot

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import CLIPPED_ELSEWHERE, EVERY_ROW, LOGARITHM_BASE, class_probability_cases, reduction_mistakes

# --- solution -------------------------------------------------------------------------------------------------------


def cross_entropy(p, labels, reduction="mean"):
    eps = np.finfo(p.dtype).eps
    p = np.clip(p, eps, 1 - eps)
    J = -np.sum(np.log(p[np.arange(len(labels)), labels]))
    return J / len(p) if reduction == "mean" else J


# --- mistakes -------------------------------------------------------------------------------------------------------

CLIP = "p = np.clip(p, eps, 1 - eps)"
LOG = "np.log(p[np.arange(len(labels)), labels])"

MISTAKES = [
    Mistake("cost_sign", slip("-np.sum", "np.sum"),
        "This is the log-likelihood, which is to be large. The loss is its negative: never below 0."),
    Mistake("log_of_zero", slip(f"    {CLIP}\n", ""),
        "Where the right class has the probability 0 you get an infinity. Clip p to [ε, 1 − ε] before anything else "
        "is computed."),
    Mistake("clipped_elsewhere", slip(CLIP, "p = np.clip(p, θ, 1.0)", values=(1e-12, 1e-7, 1e-15)),
        CLIPPED_ELSEWHERE, convention=True,
        also=[slip(f"    {CLIP}\n", "", "labels])", "labels] + θ)", values=(1e-12, 1e-7, 1e-8))]),
    Mistake("every_row", slip("np.arange(len(labels)), labels", ":, labels"), EVERY_ROW),
    Mistake("best_class_charged", slip("p[np.arange(len(labels)), labels]", "np.max(p, axis=1)"),
        "You charge the likeliest class. The *right* one is charged, the one that the label names."),
    Mistake("all_classes_charged", slip(LOG, "np.log(p)"),
        "You add up all entries of log p. Only the class that the label names is charged."),
    Mistake("binary_for_each_class",
        slip(LOG, "np.where(one_hot(labels, p.shape[1]) == 1, np.log(p), np.log(1 - p))"),
        "You charge the other classes, too, with log(1 − p): that is binary cross-entropy of K sigmoid outputs. With "
        "softmax the right class alone counts."),
    Mistake("labels_from_one", slip("labels])", "labels - 1])"),
        "Classes are counted from 0. (An index of −1 is the last one, without a complaint.)"),
    Mistake("softmax_twice", slip(CLIP, "p = np.exp(p) / np.sum(np.exp(p), axis=1, keepdims=True)"),
        "p goes through a softmax. Here the arguments are probabilities already: the form that takes logits comes "
        "later."),
    Mistake("logarithm_forgotten", slip(LOG, "p[np.arange(len(labels)), labels]"),
        "You add up probabilities. The loss charges minus the *logarithm* of each."),
    Mistake("logarithm_base", slip(LOG, f"{LOG} / np.log(θ)", values=(2, 10)), LOGARITHM_BASE, convention=True),
    *reduction_mistakes("J", "p"),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def loop(p, labels, reduction="mean"):
    J = 0.0
    for row, label in zip(p, labels, strict=True):
        J -= np.log(max(row[label], np.finfo(p.dtype).eps))
    return J / len(labels) if reduction == "mean" else J


def weighed(p, labels, reduction="mean"):
    log_p = np.log(np.maximum(p, np.finfo(p.dtype).eps))
    each = -np.einsum("nk,nk->n", one_hot(labels, p.shape[1]), log_p)
    return each.mean() if reduction == "mean" else each.sum()


EXERCISE = Exercise("losses.cross_entropy", losses.cross_entropy, class_probability_cases, MISTAKES,
    variants=[loop, weighed], solution=cross_entropy, points=1,
    why="Minus the logarithm of what the right class was given: ln 10 for guessing among ten, 36 for being sure of "
        "another one.",
    hints=("Clip first, and go on with the clipped p.",
           "One entry of each row: `p[np.arange(N), labels]`.",
           "Minus the logarithm of these, summed; then look at `reduction`."))  # fmt: skip
