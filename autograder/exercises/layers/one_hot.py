"""The indicator matrix of class labels."""

import numpy as np

from dlcourse import layers

from ...checks.exercise import Case, Exercise, Mistake, slip
from ._shared import EVERY_ROW

# --- solution -------------------------------------------------------------------------------------------------------


def one_hot(labels, K, dtype=None):
    indicator = labels[:, None] == np.arange(K)
    return indicator.astype(float if dtype is None else dtype)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    return [
        Case("five examples, four classes", (np.array([2, 0, 3, 3, 1]), 4)),
        Case("a class that does not occur", (np.array([1, 0, 1]), 5)),
        Case("one example", (np.array([1]), 3)),
        Case("as many examples as classes", (np.array([1, 2, 0]), 3)),
        Case("True and False", (np.array([1, 0, 2, 2]), 3), {"dtype": "bool"}, weight=0.5),
        Case("many examples", (np.append([9, 0], rng.integers(0, 9, 30)), 11), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------


def labels_from_one(labels, K, dtype=None):
    return np.eye(K, dtype=dtype)[labels - 1]


def every_row(labels, K, dtype=None):
    out = np.zeros((len(labels), K), dtype=dtype)
    out[:, labels] = 1
    return out


MISTAKES = [
    Mistake("transposed", slip("labels[:, None] == np.arange(K)", "np.arange(K)[:, None] == labels"),
        "Examples are rows: (N, K), each row with a single 1. Yours has the classes as rows."),
    Mistake("classes_from_labels", slip("np.arange(K)", "np.arange(labels.max() + 1)"),
        "The number of columns is K, as given, not what the largest label of this batch suggests: a class may be "
        "missing in a batch."),
    Mistake("labels_from_one", labels_from_one,
        "Classes are counted from 0: label 0 belongs in the first column. (An index of −1 is the last one, without a "
        "complaint.)"),
    Mistake("every_row", every_row, EVERY_ROW),
    Mistake("label_as_entry", slip("indicator.astype", "(labels[:, None] * indicator).astype"),
        "The 1 says *which* class it is by its place. You wrote the label's number there."),
    Mistake("complement", slip("==", "!="), "Zeros and ones are exchanged."),
    Mistake("dtype_ignored", slip("float if dtype is None else dtype", "float"),
        "[All right but for the type.] Entries are float64 unless `dtype` asks for something else."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def loop(labels, K, dtype=None):
    out = np.zeros((len(labels), K), dtype=dtype)
    for n, label in enumerate(labels):
        out[n, label] = 1
    return out


def fancy(labels, K, dtype=None):
    out = np.zeros((len(labels), K), dtype=dtype or np.float64)
    out[range(len(labels)), labels] = 1
    return out


def lists(labels, K, dtype=None):
    one, zero = (True, False) if dtype else (1.0, 0.0)
    return [[one if k == label else zero for k in range(K)] for label in labels]


EXERCISE = Exercise("layers.one_hot", layers.one_hot, cases, MISTAKES, variants=[loop, fancy, lists], solution=one_hot,
    points=1,
    why="It turns a class, which has no size and no order, into numbers that can be subtracted.",
    hints=("Compare each label with each of 0, 1, …, K − 1.",
           "Labels as a column, classes as a row: broadcasting makes the (N, K) table.",
           "Or: rows of an identity matrix."))  # fmt: skip
