"""The gradient at the preactivations of a linear output with half the squared error."""

import numpy as np

from dlcourse import layers

from ...checks.exercise import Case, Exercise, Mistake, enlarged, slip
from ._shared import FRACTIONS, SUM_ASKED, UPHILL, WHOLE, integer_buffer, two_arrays


def cases(rng):
    """Targets first, as the notes write it."""
    return [
        Case("five examples, three outputs", two_arrays(rng, 5, 3)),
        enlarged(Case("one example", two_arrays(rng, 1, 4)), 0, 1),
        Case("float32", two_arrays(rng, 4, 2, dtype=np.float32)),
        Case("integer outputs", (FRACTIONS, WHOLE)),
        Case("as many examples as outputs", two_arrays(rng, 3, 3), hidden=True),
        Case("one output", two_arrays(rng, 4, 1)),
    ]


MISTAKES = [
    Mistake("ascent", slip("-(D - Y)", "D - Y"), UPHILL + " (The targets D come first in the call.)"),
    Mistake("wrong_factor", slip("-(D - Y)", "-2 * (D - Y)"),
        "Twice what is asked: the loss is ½ Σ (D − Y)², and the ½ takes care of the 2."),
    Mistake("mean_for_sum", slip("-(D - Y)", "-(D - Y) / len(D)"), SUM_ASKED, convention=True),
    Mistake("spurious_derivative", slip("-(D - Y)", "-(D - Y) * Y * (1 - Y)"),
        "Y(1 − Y) is the slope of a sigmoid. A linear output has Y = U: what is its slope?"),
    integer_buffer("-(D - Y)", "Y"),
    Mistake("sign_lost", slip("-(D - Y)", "np.abs(D - Y)"),
        "The gradient says in which direction each output is wrong; the absolute value forgets it."),
    Mistake("loss_for_gradient", slip("-(D - Y)", "0.5 * (D - Y) ** 2"),
        "This is each entry's loss, ½(D − Y)². Asked is its derivative by Y."),
    Mistake("summed_over_examples", slip("-(D - Y)", "-np.sum(D - Y, axis=0)"),
        "∇_U J has one row for each example; the sum over them comes later, in dW and db."),
    Mistake("minus_misplaced", slip("-(D - Y)", "-D - Y"),
        "The minus stands before the whole bracket: −(D − Y) is not −D − Y."),
]  # fmt: skip


def subtract(D, Y):
    return np.subtract(Y, D)


def lists(D, Y):
    return [[float(y) - float(d) for y, d in zip(*rows, strict=True)] for rows in zip(Y, D, strict=True)]


EXERCISE = Exercise("layers.linear_delta", layers.linear_delta, cases, MISTAKES, variants=[subtract, lists], points=1,
    why="All that a linear layer needs to know about its loss; with `linear_backward` behind it, it learns.",
    hints=("Y = U for linear outputs.",
           "Mind the order of the arguments: the target comes first, as in the notes."))  # fmt: skip
