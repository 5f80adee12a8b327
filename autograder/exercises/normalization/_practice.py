"""Statistics on numbers small enough for paper."""

import numpy as np

from ...checks.practice import question, whole


def even(rng, *shape):
    return 2 * whole(rng, *shape)


def squares(rng):
    return np.array([1.0, 4.0])[rng.permutation(2)]


def running(rng):
    return even(rng, 2), squares(rng), even(rng, 2, 2)


QUESTIONS = [
    question("normalization.batch_statistics", lambda rng: (even(rng, 2, 2),), "mu", "sigma2"),
    question("normalization.normalize", lambda rng: (even(rng, 2, 2), even(rng, 2), squares(rng)), kwargs={"eps": 0.0}),
    question("normalization.running_statistics", running, "mean", "var", kwargs={"momentum": 0.5}),
]  # fmt: skip
