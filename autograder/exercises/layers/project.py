"""A project: a layer that reads an alphabet which nobody has seen before."""

import numpy as np

from dlcourse.layers import linear_backward, linear_forward
from dlcourse.losses import softmax_cross_entropy_grad

from ...checks.exercise import Case, Exercise, Mistake, Rng, Scale, numbers, several, slip
from .._projects import alphabet, cheats, shuffled_labels, written

# --- reference ------------------------------------------------------------------------------------------------------


def project(X, labels, K, rng):
    """Templates for the letters of an unknown alphabet: a softmax layer, trained.

    Parameters
    ----------
    X : (N, 64) array, written letters of 8 × 8 pixels, a row each. labels : (N,)
        integers 0…K−1. K : number of letters. rng : numpy.random.Generator, for what
        you draw.

    Returns
    -------
    W : (64, K) array, a template for each letter. b : (K,) array.
    """
    W, b = np.zeros((X.shape[1], K)), np.zeros(K)
    for _ in range(150):
        U, cache = linear_forward(X, W, b)
        dU = softmax_cross_entropy_grad(U, labels)
        _, dW, db = linear_backward(dU, cache)
        W = W - 0.5 * (dW + 0.003 * W)
        b = b - 0.5 * db
    return W, b


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, K, N, hidden=False):
        letters = alphabet(rng, K, strokes=5, fewest=1)

        def sheet(count):
            labels = shuffled_labels(rng, count, K)
            return written(rng, letters, labels, jitter=0.07, noise=0.3).reshape(count, -1), labels

        X, labels = sheet(N)
        return Case(name, (X, labels, K, Rng(int(rng.integers(2**31)))), held=sheet(300), hidden=hidden)

    return [
        case("8 letters", 8, 96),
        case("10 letters", 10, 120),
        case("8 other letters", 8, 96, hidden=True),
        case("10 other letters", 10, 120, hidden=True),
    ]


def accuracy(value, case):
    W, b = several(value, ("W", "b"))
    X, labels = case.held
    K = case.args[2]
    W, b = numbers(W, "W", (X.shape[1], K)), numbers(b, "b", (K,))
    return np.mean(np.argmax(X @ W + b, axis=1) == labels)


# --- mistakes -------------------------------------------------------------------------------------------------------


def first_examples(X, labels, K, rng):
    return np.stack([X[labels == k][0] for k in range(K)], axis=1), np.zeros(K)


def of_the_first_letter(X, labels, K, rng):
    return np.zeros((X.shape[1], K)), (np.arange(K) == 0).astype(float)


def on_the_test_part(case):
    X, labels = case.held
    return X, labels, *case.args[2:]


def made_up(X, labels, K, rng):
    return X, np.arange(len(X)) % K, K, rng


MISTAKES = [
    Mistake("one_example_each", first_examples,
        "Your templates are single examples: their noise is part of the template. Use all examples.", kind="lazy"),
    Mistake("ascent",
        slip("W - 0.5", "W + 0.5", "b - 0.5", "b + 0.5"),
        "The loss grows from step to step. Which way is down?"),
    *cheats(project, cases, of_the_first_letter, on_the_test_part, made_up),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def nearest_mean(X, labels, K, rng):
    """The distance to each mean is a linear layer, too."""
    M = np.stack([X[labels == k].mean(axis=0) for k in range(K)], axis=1)
    return M, -0.5 * np.sum(M**2, axis=0)


def in_minibatches(X, labels, K, rng):
    W, b, D = np.zeros((X.shape[1], K)), np.zeros(K), np.eye(K)[labels]
    for _ in range(40):
        order = rng.permutation(len(X))
        for rows in np.array_split(order, 4):
            U = X[rows] @ W + b
            P = np.exp(U - U.max(axis=1, keepdims=True))
            E = (P / P.sum(axis=1, keepdims=True) - D[rows]) / len(rows)
            W, b = W - 0.3 * (X[rows].T @ E + 0.003 * W), b - 0.3 * E.sum(axis=0)
    return W, b


EXERCISE = Exercise("layers.project", project, cases, MISTAKES, variants=[nearest_mean, in_minibatches], points=6,
    seconds=10.0,
    scales={"": Scale("accuracy on letters that your function has not seen", 0.5, 0.75, accuracy)},
    why="One layer, and it reads a script that was invented a moment before. Look at a column of W as a picture.",
    hints=("Begin with W = 0 and b = 0. Each step: `linear_forward`, the loss's gradient, `linear_backward`, and down.",
           "Print the loss every ten steps: it should fall. If it jumps, the step is too large.",
           "Keep a part of the examples aside and count on them: what you see there is what the others will give."))  # fmt: skip
