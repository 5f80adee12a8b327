"""Activations on numbers small enough for paper."""

import numpy as np

from ...checks.practice import question, whole


def line(rng):
    return (rng.permutation([-2.0, -1.0, 0.0, 3.0]),)


def slope(rng):
    return {"slope": float(rng.choice([0.1, 0.25, 0.5]))}


def gate(rng):
    return whole(rng, 3), whole(rng, 3), whole(rng, 3)


def probabilities(rng):
    return whole(rng, 3), rng.permutation(np.array([0.5, 0.25, 0.25]))


QUESTIONS = [
    question("activations.relu", line),
    question("activations.relu_grad", line),
    question("activations.leaky_relu", line, kwargs=slope),
    question("activations.leaky_relu_grad", line, kwargs=slope),
    question("activations.softmax", lambda rng: (np.log(rng.permutation([1.0, 2.0, 5.0])).round(3),)),
    question("activations.softmax_backward", probabilities),
    question("activations.glu_backward", gate, "da", "db", kwargs={"kind": "reglu"}),
]
