"""A recurrent network of one unit, with a pocket calculator."""

from ...checks.practice import question, whole


def unit(rng):
    small = (whole(rng, *shape, low=-1, high=2) for shape in ((1, 2, 1), (1, 1), (1, 1), (1, 1), (1,)))
    return tuple(small)


QUESTIONS = [question("recurrent.rnn", unit, "forward", "db", dout=lambda rng: whole(rng, 1, 2, 1))]
