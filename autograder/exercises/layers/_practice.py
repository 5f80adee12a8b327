"""Layers and losses on numbers small enough for paper."""

from ...checks.practice import question, whole


def layer(rng):
    return whole(rng, 2, 3), whole(rng, 3, 2), whole(rng, 2)


def two_arrays(rng):
    return whole(rng, 2, 2), whole(rng, 2, 2)


def reduction(rng):
    return {"reduction": str(rng.choice(["sum", "mean"]))}


QUESTIONS = [
    question("layers.linear", layer, "forward", "dX", "dW", "db", dout=lambda rng: whole(rng, 2, 2)),
    question("losses.half_squared_error", two_arrays, kwargs=reduction),
    question("losses.half_squared_error_grad", two_arrays, kwargs=reduction),
    question("layers.linear_delta", two_arrays),
    question("layers.one_hot", lambda rng: (rng.integers(0, 3, 2), 3)),
    question("layers.softmax_layer_predict", layer),
]
