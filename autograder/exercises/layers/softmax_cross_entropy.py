"""Cross-entropy of a softmax output, computed from the logits."""

import numpy as np

from dlcourse import losses

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import (
    EVERY_ROW,
    INTEGER,
    NO_AXIS,
    NO_KEEPDIMS,
    ROUNDED,
    SHIFT,
    TWICE,
    WRONG_AXIS,
    entropy_cases,
    reduction_mistakes,
)

# --- solution -------------------------------------------------------------------------------------------------------


def softmax_cross_entropy(logits, labels, reduction="mean"):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    if labels.ndim == 1:
        J = -np.sum(log_p[np.arange(len(labels)), labels])
    else:
        J = -np.sum(labels * log_p)
    return J / len(logits) if reduction == "mean" else J


# --- mistakes -------------------------------------------------------------------------------------------------------

LOG_P = "shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))"
P = "np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)"
UNSHIFTED = (" - logits.max(axis=1, keepdims=True)", "")
BRANCH = "    if labels.ndim == 1:"

MISTAKES = [
    Mistake("no_max_shift", slip(*UNSHIFTED, LOG_P, f"np.log({P})"), SHIFT),
    Mistake("log_sum_exp_overflow", slip(*UNSHIFTED),
        "The logarithm is in the right place, but its sum of exponentials overflows at 1000. Take the row's largest "
        "logit out of the sum first, and add it again after the logarithm."),
    Mistake("log_of_zero", slip(LOG_P, f"np.log({P})"),
        "A probability below 1e−308 rounds to 0, and its logarithm is −∞. Let the logarithm and the exponential cancel "
        "on paper before anything is computed: log p = z − log Σ eᶻ."),
    Mistake("probability_clipped", slip(LOG_P, f"np.log(np.clip({P}, θ, 1.0))", values=(1e-12, 1e-7, 1e-15)),
        "A clipped probability, or a small number added to it, hides how wrong the prediction is: a class 1000 below "
        "the best costs 1000. Work with the logits, not with the probability.",
        also=[slip(LOG_P, f"np.log({P} + θ)", values=(1e-12, 1e-7, 1e-15, 1e-8))]),
    Mistake("keepdims_missing", slip(", keepdims=True", "", everywhere=True), NO_KEEPDIMS,
        also=[slip("np.exp(shifted).sum(axis=1, keepdims=True)", "np.exp(shifted).sum(axis=1)")]),
    Mistake("wrong_axis", slip("axis=1", "axis=0", everywhere=True), WRONG_AXIS),
    Mistake("no_axis", slip("axis=1", "axis=None", everywhere=True), NO_AXIS),
    Mistake("softmax_twice",
        slip(BRANCH, f"    p = np.exp(log_p)\n    log_p = p - np.log(np.exp(p).sum(axis=1, keepdims=True))\n{BRANCH}"),
        TWICE),
    Mistake("integer_buffer", slip("log_p = shifted", "log_p = np.zeros_like(logits)\n    log_p[:] = shifted"),
        INTEGER),
    Mistake("cost_sign", slip("-np.sum", "np.sum", everywhere=True),
        "This is the log-likelihood, which is to be large. The loss is its negative: never below 0."),
    *reduction_mistakes("J", "logits"),
    Mistake("every_row", slip("np.arange(len(labels)), labels", ":, labels"), EVERY_ROW),
    Mistake("soft_labels_rounded",
        slip(BRANCH, f"    if labels.ndim == 2:\n        labels = labels.argmax(axis=1)\n{BRANCH}"),
        ROUNDED),
    Mistake("logarithm_forgotten", slip(LOG_P, P),
        "You sum probabilities. The loss charges minus the *logarithm* of each."),
    Mistake("logarithm_base", slip(BRANCH, f"    log_p = log_p / np.log(θ)\n{BRANCH}", values=(2, 10)),
        "Your logarithm has another base; here it is the natural one.", convention=True),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def gather(logits, labels, reduction="mean"):
    m = logits.max(axis=1)
    total = m + np.log(np.exp(logits - m[:, None]).sum(axis=1))
    if np.ndim(labels) == 1:
        each = total - logits[np.arange(len(labels)), labels]
    else:
        each = total - np.einsum("nk,nk->n", labels, logits)
    return each.mean() if reduction == "mean" else each.sum()


def loop(logits, labels, reduction="mean"):
    J = 0.0
    for z, label in zip(logits, labels, strict=True):
        log_p = z - np.logaddexp.reduce(z)
        J -= float(log_p @ label) if np.ndim(label) else float(log_p[label])
    return J / len(logits) if reduction == "mean" else J


EXERCISE = Exercise("losses.softmax_cross_entropy", losses.softmax_cross_entropy, entropy_cases, MISTAKES,
    variants=[gather, loop], solution=softmax_cross_entropy, points=3,
    why="The loss of classifiers and language models alike; careless code for it is a common source of NaN in "
        "training.",
    hints=("log p = z − log Σ eᶻ: no probability is needed.",
           "With m the largest logit of a row, log Σ eᶻ = m + log Σ e^(z − m).",
           "Labels (N,): pick one entry of log p from each row, with `np.arange(N)` for the rows. Labels (N, K): weigh "
           "log p with them.",
           "`labels.ndim` tells which of the two came."))  # fmt: skip
