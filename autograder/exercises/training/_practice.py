"""Measures of a training on numbers small enough for paper."""

import numpy as np

from ...checks.practice import question, whole


def losses(rng):
    return rng.permutation([0.9, 0.7, 0.5, 0.8, 0.6, 0.4]), int(rng.integers(1, 4))


QUESTIONS = [
    question("metrics.accuracy", lambda rng: (whole(rng, 4, 3), rng.integers(0, 3, 4))),
    question("metrics.confusion_matrix", lambda rng: (rng.integers(0, 2, 5), rng.integers(0, 2, 5), 2)),
    question("metrics.early_stopping", losses),
    question("metrics.perplexity", lambda rng: (np.zeros((2, int(rng.integers(2, 6)))), np.array([0, 1]))),
]
