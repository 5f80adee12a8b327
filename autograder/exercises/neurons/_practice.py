"""Neurons on numbers small enough for paper."""

from ...checks.practice import question, whole


def batch(rng):
    return whole(rng, 3, 2), whole(rng, 2), whole(rng)


def with_signs(rng):
    X, w, b = batch(rng)
    return X, rng.permutation([1, -1, -1]), w, b


def with_targets(rng):
    X, w, b = batch(rng)
    return X, whole(rng, 3), w, b


def length_five(rng):
    return whole(rng, 2, 2), rng.permutation([3.0, 4.0]) * rng.choice([-1.0, 1.0], 2), float(rng.integers(-2, 3) * 5)


QUESTIONS = [
    question("neurons.preactivation", batch),
    question("neurons.perceptron_predict", batch),
    question("neurons.perceptron_criterion", with_signs),
    question("neurons.perceptron_criterion_grad", with_signs, "dw", "db"),
    question("neurons.signed_distance", length_five),
    question("neurons.linear_neuron_loss", with_targets),
    question("neurons.linear_neuron_grad", with_targets, "dw", "db"),
]
