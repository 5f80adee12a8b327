"""Fans and gains, by head."""

from ...checks.practice import question


def shape(rng):
    field = (int(rng.integers(1, 4)), int(rng.integers(2, 5))) if rng.random() < 0.7 else ()
    return ((*field, int(rng.integers(2, 7)), int(rng.integers(2, 7))),)


def activation(rng):
    name = str(rng.choice(["linear", "sigmoid", "tanh", "relu", "leaky_relu"]))
    return (name, float(rng.choice([0.0, 0.5, 1.0]))) if name == "leaky_relu" else (name,)


QUESTIONS = [question("initializers.fans", shape), question("initializers.calculate_gain", activation)]
