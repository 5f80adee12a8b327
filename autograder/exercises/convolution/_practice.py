"""Windows on numbers small enough for paper."""

from ...checks.practice import question, whole


def sizes(rng):
    return int(rng.integers(6, 12)), int(rng.integers(2, 5))


def strides(rng):
    return {"stride": int(rng.integers(1, 4)), "padding": int(rng.integers(0, 2))}


def cost(rng):
    return int(rng.integers(1, 4)), int(rng.integers(1, 4)), 3, 5, 6


def image(rng):
    return rng.permutation(16).reshape(1, 4, 4, 1).astype(float) - 8, 2


def layer(rng):
    return whole(rng, 1, 3, 3, 1), whole(rng, 2, 2, 1, 1), whole(rng, 1)


def flow(rng):
    return whole(rng, 1, 2, 2, 1)


QUESTIONS = [
    question("convolution.conv_output_size", sizes, kwargs=strides),
    question("architectures.conv2d_cost", cost, kwargs=strides),
    question("convolution.maxpool2d", image, "forward", "dX", dout=flow),
    question("convolution.avgpool2d", image, "forward", "dX", dout=flow),
    question("convolution.conv2d", layer, "forward", "dW", "db", dout=flow),
]  # fmt: skip
