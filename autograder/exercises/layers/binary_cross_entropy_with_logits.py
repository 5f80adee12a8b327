"""Binary cross-entropy, computed from the logits."""

import numpy as np

from dlcourse import losses
from dlcourse.activations import softplus

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import TWICE, logit_cases, outer_product, reduction_mistakes

# --- solution -------------------------------------------------------------------------------------------------------


def binary_cross_entropy_with_logits(u, d, reduction="mean"):
    J = np.sum(d * softplus(-u) + (1 - d) * softplus(u))
    return J / len(u) if reduction == "mean" else J


# --- mistakes -------------------------------------------------------------------------------------------------------


SIGMOID = "1 / (1 + np.exp(-u))"


def from_probability(p, plus="", values=()):
    new = f"p = {p}\n    J = -np.sum(d * np.log(p{plus}) + (1 - d) * np.log(1 - p{plus}))"
    return slip("J = np.sum(d * softplus(-u) + (1 - d) * softplus(u))", new, values=values)


MISTAKES = [
    Mistake("log_of_zero", from_probability(SIGMOID),
        "[Right for small u.] At u = 1000 the sigmoid rounds to 1 and log(1 − 1) is −∞. Write −log f(u) as a function "
        "of u, without the probability in between."),
    Mistake("overflow", slip("softplus(-u)", "np.log(1 + np.exp(-u))", "softplus(u)", "np.log(1 + np.exp(u))"),
        "exp(1000) overflows. log(1 + e^u) can be written so that exp only ever sees a negative number; `softplus` "
        "does."),
    Mistake("probability_clipped", from_probability(f"np.clip({SIGMOID}, θ, 1 - θ)", values=(1e-7, 1e-12, 1e-15)),
        "A clipped probability, or a small number added to it, hides how wrong the neuron is: at u = 1000 the loss is "
        "1000. Work with u, not with the probability.",
        also=[from_probability(SIGMOID, " + θ", values=(1e-7, 1e-12, 1e-15, 1e-8))]),
    Mistake("cost_sign", slip("np.sum", "-np.sum"),
        "This is the log-likelihood, which is to be large. The loss is its negative (notes 001 slip here, E08)."),
    Mistake("terms_swapped", slip("d * softplus(-u)", "d * softplus(u)", "d) * softplus(u)", "d) * softplus(-u)"),
        "The output is charged for being right: which of the two terms belongs to d = 1?"),
    Mistake("negative_class_ignored", slip(" + (1 - d) * softplus(u)", ""),
        "Outputs with d = 0 are charged nothing: the second term is missing."),
    *reduction_mistakes("J", "u"),
    outer_product("J", "d"),
    Mistake("sigmoid_twice", slip("    J = ", "    u = 1 / (1 + np.exp(-u))\n    J = "), TWICE),
    Mistake("targets_rounded",
        slip("d * softplus(-u) + (1 - d) * softplus(u)", "np.where(d > 0.5, softplus(-u), softplus(u))"),
        "Targets may lie between 0 and 1: both terms count, each with its share, rather than one of them."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def logaddexp(u, d, reduction="mean"):
    J = np.sum(np.logaddexp(0, u) - d * u)
    return J / u.shape[0] if reduction == "mean" else J


def loop(u, d, reduction="mean"):
    J = 0.0
    for value, target in zip(np.ravel(u), np.ravel(d), strict=True):
        J += max(value, 0.0) - value * target + np.log1p(np.exp(-abs(value)))
    return float(J / len(u)) if reduction == "mean" else float(J)


EXERCISE = Exercise("losses.binary_cross_entropy_with_logits", losses.binary_cross_entropy_with_logits, logit_cases,
    MISTAKES, variants=[logaddexp, loop], solution=binary_cross_entropy_with_logits, points=2,
    why="Computed from logits it survives any input; computed from a probability it turns into NaN in the middle of a "
        "training.",
    hints=("−log σ(u) = log(1 + e^(−u)), and −log(1 − σ(u)) = log(1 + e^u).",
           "`softplus(u)` from the course is log(1 + e^u) without overflow.",
           "Weigh the two with d and 1 − d, sum everything, then look at `reduction`."))  # fmt: skip
