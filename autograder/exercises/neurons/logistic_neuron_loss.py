"""The negative log-likelihood of the logistic neuron, computed from u."""

import numpy as np

from dlcourse import neurons

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import MEAN_LOSS, batches, class_targets

MISTAKES = [
    Mistake("log_of_zero", slip("softplus(-u)", "-np.log(sigmoid(u))", "softplus(u)", "-np.log(1.0 - sigmoid(u))"),
        "[Right for small u.] At u = 1000 the sigmoid rounds to 1 and log(1 − 1) is −∞. Write −log f(u) as log(1 + "
        "e^(−u)), without the probability in between."),
    Mistake("cost_sign", slip("np.sum", "-np.sum"),
        "This is the log-likelihood, which is to be large. The loss is its negative (the notes slip here, E08)."),
    MEAN_LOSS,
    Mistake("negative_class_ignored", slip(" + (1.0 - d) * softplus(u)", ""),
        "Examples with d = 0 are charged nothing: the second term is missing."),
    Mistake("probability_clipped",
        slip("    return np.sum(d * softplus(-u) + (1.0 - d) * softplus(u))",
             "    y = np.clip(sigmoid(u), θ, 1 - θ)\n    return -np.sum(d * np.log(y) + (1.0 - d) * np.log(1.0 - y))",
             values=(1e-7, 1e-12, 1e-15)),
        "A clipped output, or a small number added to it, hides how wrong the neuron is: at u = 1000 the loss is 1000. "
        "Work with u, not with the probability.",
        also=[slip("softplus(-u)", "-np.log(sigmoid(u) + θ)", "softplus(u)", "-np.log(1.0 - sigmoid(u) + θ)",
                   values=(1e-7, 1e-12, 1e-15, 1e-8))]),
    Mistake("terms_swapped", slip("d * softplus(-u)", "d * softplus(u)", "d) * softplus(u)", "d) * softplus(-u)"),
        "The neuron is charged for being right: which term belongs to d = 1?"),
]  # fmt: skip


def logaddexp(X, d, w, b):
    u = X @ w + b
    return np.sum(np.logaddexp(0, np.where(d == 1, -u, u)))


def maximum(X, d, w, b):
    u = X @ w + b
    return float(np.sum(np.maximum(u, 0) - d * u + np.log1p(np.exp(-np.abs(u)))))


EXERCISE = Exercise("neurons.logistic_neuron_loss", neurons.logistic_neuron_loss,
    lambda rng: batches(rng, class_targets, far=3000.0), MISTAKES, variants=[logaddexp, maximum], points=2,
    why="Computed from u it survives any input; computed from a probability it turns into infinities in the middle of "
        "a training.",
    hints=("−log f(u) = log(1 + e^(−u)) and −log(1 − f(u)) = log(1 + e^u).",
           "`softplus(u)` from the course is log(1 + e^u) without overflow.",
           "Each example takes one of the two terms, chosen by d."))  # fmt: skip
