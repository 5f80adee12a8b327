"""The gradient of cross-entropy by the logits."""

import numpy as np

from dlcourse import losses
from dlcourse.activations import softmax
from dlcourse.layers import one_hot

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import (
    LABEL_ONLY,
    ROUNDED,
    SPURIOUS_CLASS,
    UPHILL,
    entropy_cases,
    integer_buffer,
    reduced,
    reduction_mistakes,
    softmax_mistakes,
)

# --- solution -------------------------------------------------------------------------------------------------------


def softmax_cross_entropy_grad(logits, labels, reduction="mean"):
    D = one_hot(labels, logits.shape[1], dtype=logits.dtype) if labels.ndim == 1 else labels
    P = softmax(logits, axis=1)
    dz = P - D
    return dz / len(logits) if reduction == "mean" else dz


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("ascent", slip("P - D", "D - P"), UPHILL),
    *softmax_mistakes("logits"),
    integer_buffer(reduced("dz", "logits"), "logits"),
    *reduction_mistakes("dz", "logits"),
    Mistake("spurious_derivative", slip("P - D", "(P - D) * P * (1 - P)"), SPURIOUS_CLASS),
    Mistake("gradient_by_probability", slip("P - D", "-D / np.maximum(P, θ)", values=(1e-12, 1e-7)),
        "This is ∂J/∂p, the gradient at the probabilities. The way back to the logits goes through softmax, too."),
    Mistake("label_column_only", slip("P - D", "D * (P - 1)"), LABEL_ONLY),
    Mistake("soft_labels_rounded",
        slip("    D = ", "    labels = labels.argmax(axis=1) if labels.ndim == 2 else labels\n    D = "),
        ROUNDED),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def minus_one(logits, labels, reduction="mean"):
    z = np.array(logits, dtype=float)
    z -= z.max(axis=1, keepdims=True)
    dz = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    if labels.ndim == 1:
        dz[np.arange(len(dz)), labels] -= 1
    else:
        dz -= labels
    if reduction == "mean":
        dz /= len(dz)
    return dz


def loop(logits, labels, reduction="mean"):
    rows = []
    for z, label in zip(logits, labels, strict=True):
        p = np.exp(z - np.logaddexp.reduce(z))
        target = label if np.ndim(label) else [float(k == label) for k in range(len(z))]
        rows.append((p - target) / (len(logits) if reduction == "mean" else 1))
    return np.array(rows)


EXERCISE = Exercise("losses.softmax_cross_entropy_grad", losses.softmax_cross_entropy_grad, entropy_cases, MISTAKES,
    variants=[minus_one, loop], solution=softmax_cross_entropy_grad, points=2,
    why="The same line as the softmax layer's delta, with the factor of the reduction: one formula, two names in the "
        "books.",
    hints=("For labels (N,) and a sum you have written it already.",
           "For probabilities (N, K) they take the place of the indicator matrix.",
           "Whatever divides the loss divides its gradient."))  # fmt: skip
