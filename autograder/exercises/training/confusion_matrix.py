"""The confusion matrix: which class is taken for which."""

import numpy as np

from dlcourse import metrics

from ...checks.exercise import Case, Exercise, Mistake, slip

# --- solution -------------------------------------------------------------------------------------------------------


def confusion_matrix(labels, predictions, K):
    C = np.zeros((K, K), dtype=int)
    for d, y in zip(labels, predictions, strict=True):
        C[d, y] += 1
    return C


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    labels = np.array([0, 1, 2, 3, 0, 1, 1, 2, 3, 3, 3])
    predictions = np.array([0, 2, 2, 3, 1, 1, 2, 0, 3, 3, 1])
    order = rng.permutation(11)
    return [
        Case("eleven examples, four classes", (labels[order], predictions[order], 4)),
        Case("a class that never occurs", (np.array([0, 2, 2]), np.array([2, 2, 0]), 4)),
        Case("everything right", (np.array([1, 0, 1, 1]), np.array([1, 0, 1, 1]), 2)),
        Case("one example", (np.array([2]), np.array([0]), 3)),
        Case("one class", (np.array([0, 0]), np.array([0, 0]), 1), weight=0.5),
        Case("many examples", (np.repeat([0, 1, 2], [5, 7, 9]), np.repeat([1, 0, 2], [8, 4, 9]), 3), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("rows_and_columns_exchanged", slip("C[d, y]", "C[y, d]"),
        "Here the rows are the true classes and the columns the predicted ones; yours are the other way round.",
        convention=True),
    Mistake("assigned_not_counted", slip("C[d, y] += 1", "C[d, y] = 1"),
        "Each pair counts once, however often it occurs. With `C[labels, predictions] += 1`, too: NumPy reads, adds "
        "and writes a repeated place once."),
    Mistake("classes_from_the_data", slip("    C =", "    K = max(labels.max(), predictions.max()) + 1\n    C ="),
        "The matrix is K×K even if the last class never occurs in these examples: K is given."),
    Mistake("shares_for_counts", slip("return C", "return C / len(labels)"),
        "Counts are asked, whole numbers, not shares."),
    Mistake("diagonal_only", slip("C[d, y] += 1", "C[d, d] += d == y"),
        "You count what is right. The interesting part stands beside the diagonal: which class is taken for which."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def counted(labels, predictions, K):
    return [
        [sum(1 for d, y in zip(labels, predictions, strict=True) if d == j and y == k) for k in range(K)]
        for j in range(K)
    ]


def bincount(labels, predictions, K):
    return np.bincount(labels * K + predictions, minlength=K * K).reshape(K, K)


EXERCISE = Exercise("metrics.confusion_matrix", metrics.confusion_matrix, cases, MISTAKES, variants=[counted, bincount],
    solution=confusion_matrix, points=1,
    why="An accuracy says how often a network is wrong; this says how.",
    hints=("A K×K array of zeros, and one more at (true, predicted) for each example.",
           "`C[labels, predictions] += 1` counts a repeated pair once only: a loop, `np.add.at` or `np.bincount` "
           "counts each."))  # fmt: skip
