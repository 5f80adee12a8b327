"""Backpropagation on numbers small enough for paper."""

from ...checks.practice import question, whole


def network(rng):
    return whole(rng, 1, 2), whole(rng, 2, 2), whole(rng, 2), whole(rng, 2, 1), whole(rng, 1)


def gradients(rng):
    return whole(rng, 2), whole(rng, 2)


QUESTIONS = [
    question("backpropagation.two_layer", network, "forward", "dW", "db", "dV", "dc", kwargs={"g": "relu"},
        dout=lambda rng: whole(rng, 1, 1)),
    question("gradient_checking.relative_error", gradients),
]  # fmt: skip
