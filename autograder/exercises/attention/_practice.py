"""Attention on numbers small enough for paper: queries of 0 weigh all keys alike."""

import numpy as np

from ...checks.practice import question, whole


def undecided(rng):
    return np.zeros((2, 2)), whole(rng, 2, 2), whole(rng, 2, 2)


QUESTIONS = [
    question("attention.causal_mask", lambda rng: (int(rng.integers(2, 5)),)),
    question("attention.scaled_dot_product_attention", undecided, "forward", "dV",
        kwargs={"mask": np.tril(np.ones((2, 2), dtype=bool))}, dout=lambda rng: 2 * whole(rng, 2, 2)),
    question("attention.sinusoidal_positions", lambda rng: (int(rng.integers(2, 4)), 2)),
]  # fmt: skip
