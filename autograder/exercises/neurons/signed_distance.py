"""The signed distance of each example to the boundary."""

import numpy as np

from dlcourse import neurons

from ...checks.exercise import Case, Exercise, Mistake, enlarged, slip
from ._shared import examples


def cases(rng):
    X, w, b = examples(rng, N=6)
    return [
        Case("six examples", (X, w, b)),
        Case("weights of length 5", (np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([3.0, 4.0]), -5.0)),
        Case("float32", (X.astype(np.float32), w.astype(np.float32), b)),
        enlarged(Case("one example, tiny weights", (X[:1], 1e-9 * w, 1e-9 * b), hidden=True), 0),
    ]


MISTAKES = [
    Mistake("norm_missing", slip("u / norm", "u"),
        "u grows with the length of w although the line stays where it is. A distance must not."),
    Mistake("squared_norm", slip("u / norm", "u / norm**2"),
        "Check the units: doubling w must leave the distance alone. Divide by the length of w, not by its square."),
    Mistake("sign_lost", slip("u / norm", "np.abs(u) / norm"),
        "The signed distance is negative on the other side of the line; the absolute value forgets the side."),
    Mistake("bias_not_scaled", slip("u / norm", "(u - b) / norm + b"),
        "The bias belongs to u: it is divided by the length of w, too."),
    Mistake("manhattan_norm", slip("np.linalg.vector_norm(w)", "np.sum(np.abs(w))"),
        "The length of w is the square root of the sum of its squares."),
]  # fmt: skip


def unit_vector(X, w, b):
    length = np.linalg.norm(w)
    return X @ (w / length) + b / length


def loop(X, w, b):
    return [float((row @ w + b) / np.sum(w**2) ** 0.5) for row in X]


EXERCISE = Exercise("neurons.signed_distance", neurons.signed_distance, cases, MISTAKES, variants=[unit_vector, loop],
    points=1,
    why="The perceptron criterion and, later, the margin of a classifier measure the distance to the boundary.",
    hints=("Where on the line is the point nearest to x?",
           "Go along w/‖w‖: how many steps of length 1?",
           "`np.linalg.norm` is the length."))  # fmt: skip
