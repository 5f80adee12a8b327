"""Accuracy: the share of right answers."""

import numpy as np

from dlcourse import metrics

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip

# --- solution -------------------------------------------------------------------------------------------------------


def accuracy(logits, labels):
    predictions = np.argmax(logits, axis=1)
    return np.mean(predictions == labels)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    U = rng.standard_normal((7, 4))
    some = np.argmax(U, axis=1)
    some[[1, 4]] = (some[[1, 4]] + 1) % 4
    square = 3.0 * np.eye(3)[[1, 0, 0]] + 0.1 * rng.standard_normal((3, 3))
    near = np.array([[-1.0, -2.0], [-3.0, -1.0], [0.2, 0.4], [0.9, 0.6], [-0.1, -0.2]])
    return [
        enlarged(Case("seven examples, five right", (U, some)), 0),
        Case("as many examples as classes, one right", (square, np.array([1, 2, 1]))),
        Case("small and negative logits", (near, np.array([0, 1, 1, 1, 0]))),
        in_float32(Case("", (U, some))),
        Case("two equal logits: the first one", (np.array([[1.0, 1.0], [0.0, 0.0], [2.0, 3.0]]), np.array([0, 1, 1]))),
        Case("one example", (U[:1], some[:1]), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("counted_not_averaged", slip("np.mean", "np.sum"),
        "You count the right ones. Accuracy is their share: it must not grow with the number of examples."),
    Mistake("wrong_axis", slip("axis=1", "axis=0"),
        "You look for the largest logit in each column, among the examples. The classes of one example stand in its "
        "row."),
    Mistake("error_rate", slip("predictions == labels", "predictions != labels"),
        "This is the share of wrong answers. Which comparison counts the right ones?"),
    Mistake("smallest_logit", slip("argmax", "argmin"), "The network bets on its largest logit, not on its smallest."),
    Mistake("threshold_on_logit", slip("predictions == labels", "logits[np.arange(len(labels)), labels] > 0.5"),
        "A logit is not a probability, and with several classes nothing needs to exceed one half. Which is the largest "
        "in the row?"),
    Mistake("outer_product_target", slip("predictions ==", "predictions[:, None] =="),
        "Every prediction is compared with every label: print the shape of the comparison before the mean."),
    Mistake("percent", slip("np.mean", "100.0 * np.mean"),
        "The share is asked, from 0 to 1, not per cent.", convention=True),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def loop(logits, labels):
    return sum(int(np.argmax(u)) == d for u, d in zip(logits, labels, strict=True)) / len(labels)


def counted(logits, labels):
    return np.count_nonzero(logits.argmax(-1) == labels) / labels.size


EXERCISE = Exercise("metrics.accuracy", metrics.accuracy, cases, MISTAKES, variants=[loop, counted], solution=accuracy,
    points=1,
    why="The figure that everybody quotes, and the first to check when a network seems too good.",
    hints=("Which class does the network choose for a row of logits?",
           "`np.argmax` with an axis, compared with the labels, gives True and False.",
           "The mean of True and False is a share."))  # fmt: skip
