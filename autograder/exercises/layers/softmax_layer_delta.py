"""The gradient at the preactivations of a softmax output with cross-entropy."""

import numpy as np

from dlcourse import layers
from dlcourse.activations import softmax
from dlcourse.layers import one_hot

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import EVERY_ROW, LABEL_ONLY, SPURIOUS_CLASS, SUM_ASKED, class_cases, integer_buffer, softmax_mistakes

# --- solution -------------------------------------------------------------------------------------------------------


def softmax_layer_delta(labels, U):
    K = one_hot(labels, U.shape[1], dtype=U.dtype)
    P = softmax(U, axis=1)
    return -(K - P)


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("ascent", slip("-(K - P)", "K - P"),
        "The sign: the notes' two-layer network leaves the minus out in one place (E04). The logit of the right class "
        "should *grow* in a step against the gradient."),
    *softmax_mistakes("U"),
    integer_buffer("-(K - P)", "U"),
    Mistake("mean_for_sum", slip("-(K - P)", "-(K - P) / len(U)"), SUM_ASKED, convention=True),
    Mistake("spurious_derivative", slip("-(K - P)", "-(K - P) * P * (1 - P)"), SPURIOUS_CLASS),
    Mistake("indicator_forgotten", slip("-(K - P)", "P"), "These are the probabilities. Where do the labels come in?"),
    Mistake("label_column_only", slip("-(K - P)", "-K * (1 - P)"), LABEL_ONLY),
    Mistake("labels_for_indicator", slip("-(K - P)", "-(labels[:, None] - P)"),
        "The labels' numbers are subtracted from every column. Class 3 is not three times class 1: the indicator "
        "matrix is what goes there."),
    Mistake("every_row", slip("return -(K - P)", "P[:, labels] -= 1\n    return P"), EVERY_ROW),
    Mistake("sigmoid_for_softmax", slip("softmax(U, axis=1)", "1 / (1 + np.exp(-U))"),
        "Each class is squashed by itself. Softmax makes the K probabilities of an example sum to 1."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def minus_one(labels, U):
    delta = np.exp(U - np.max(U, axis=-1)[:, None])
    delta /= np.sum(delta, axis=-1)[:, None]
    delta[np.arange(len(labels)), labels] -= 1
    return delta


def loop(labels, U):
    rows = []
    for label, u in zip(labels, U, strict=True):
        e = np.exp(u - max(u))
        row = e / e.sum()
        row[label] = row[label] - 1
        rows.append(row)
    return rows


EXERCISE = Exercise("layers.softmax_layer_delta", layers.softmax_layer_delta,
    lambda rng: class_cases(rng, lambda z, labels: (labels, z)), MISTAKES, variants=[minus_one, loop],
    solution=softmax_layer_delta, points=2,
    why="Probabilities minus truth: the output layer of nearly every classifier learns from this one line.",
    hints=("Softmax over the classes, row by row.",
           "The indicator matrix of the labels is your `one_hot`.",
           "Every row of the answer sums to 0: try it."))  # fmt: skip
