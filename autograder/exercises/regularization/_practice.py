"""Penalties and masks on numbers small enough for paper."""

from ...checks.practice import question, whole


def masked(rng):
    return whole(rng, 2, 2), rng.permutation([True, True, False, True]).reshape(2, 2), float(rng.choice([0.5, 0.75]))


QUESTIONS = [
    question("regularization.l2_penalty", lambda rng: ([whole(rng, 2, 2), whole(rng, 1, 2)], 0.5)),
    question("regularization.l2_grad", lambda rng: (whole(rng, 2, 2), 0.5)),
    question("dropout.masked", masked, "forward", "dX", dout=lambda rng: whole(rng, 2, 2)),
]
