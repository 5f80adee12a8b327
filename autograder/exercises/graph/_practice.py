"""Gates on numbers small enough for paper."""

from ...checks.practice import question, whole


def inputs(rng):
    return (whole(rng, 4),)


def tied(rng):
    return (rng.permutation([-1.0, 2.0, 3.0, 3.0]),)


QUESTIONS = [
    question("graph.sum_", inputs, "forward", "dx", dout=whole),
    question("graph.prod", inputs, "forward", "dx", dout=whole),
    question("graph.max_", tied, "forward", "dx", dout=lambda rng: 2 * whole(rng)),
]
