"""A project: a network that tells the arms of two spirals apart."""

import numpy as np

from dlcourse.backpropagation import mlp_loss
from dlcourse.datasets import spirals

from ...checks.drivers import kind
from ...checks.exercise import Case, Exercise, Mistake, Rng, Scale, WrongAnswer, numbers, several, slip
from .._projects import cheats

# --- reference ------------------------------------------------------------------------------------------------------


def project(X, labels, rng):
    """A network of ReLU layers that tells two spirals apart, trained from the beginning.

    Parameters
    ----------
    X : (N, 2) array, points in the plane. labels : (N,) integers 0 and 1.
    rng : numpy.random.Generator, for what you draw.

    Returns
    -------
    params : list of (W, b), as `mlp_forward` takes them; at most 2000 numbers in all.
    """
    params = [
        (rng.standard_normal((n, m)) * np.sqrt(2.0 / n), 0.5 * rng.standard_normal(m))
        for n, m in ((2, 24), (24, 24), (24, 2))
    ]
    speed = [(np.zeros_like(W), np.zeros_like(b)) for W, b in params]
    for _ in range(220):
        _, grads = mlp_loss(X, labels, params)
        speed = [(0.9 * a - 0.1 * dW, 0.9 * c - 0.1 * db) for (a, c), (dW, db) in zip(speed, grads, strict=True)]
        params = [(W + a, b + c) for (W, b), (a, c) in zip(params, speed, strict=True)]
    return params


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, hidden=False):
        angle = rng.uniform(0, 2 * np.pi)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turn[:, 0] *= rng.choice([-1, 1])
        turn, turns, centre = turn * rng.uniform(0.8, 2.0, 2), rng.uniform(0.7, 0.9), rng.uniform(-0.5, 0.5, 2)

        def points(count):
            X, labels, _ = spirals(rng, N=count, K=2, noise=0.1, turns=turns)
            return X @ turn + centre, labels

        return Case(name, (*points(N), Rng(int(rng.integers(2**31)))), held=points(300), hidden=hidden)

    return [
        case("160 points", 160),
        case("200 points", 200),
        case("160 other points", 160, hidden=True),
        case("200 other points", 200, hidden=True),
    ]


def accuracy(value, case):
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= 20:
        raise WrongAnswer(f"expected params, a list of (W, b) for 1 to 20 layers, got {kind(value)}")
    X, labels = case.held
    A, total = X, 0
    for number, pair in enumerate(value):
        W, b = several(pair, (f"W[{number}]", f"b[{number}]"))
        W = numbers(W, f"W[{number}]", (A.shape[1], None))
        b = numbers(b, f"b[{number}]", (W.shape[1],))
        total += W.size + b.size
        if total > 2000:
            raise WrongAnswer("expected at most 2000 numbers in all layers together")
        A = A @ W + b
        if number < len(value) - 1:
            A = np.maximum(A, 0)
    if A.shape[1] != 2:
        raise WrongAnswer(f"expected two outputs, one for each spiral, got {A.shape[1]}")
    return np.mean(np.argmax(A, axis=1) == labels)


# --- mistakes -------------------------------------------------------------------------------------------------------


def no_hidden_layer(X, labels, rng):
    W, b, D = np.zeros((2, 2)), np.zeros(2), np.eye(2)[labels]
    for _ in range(100):
        P = np.exp(X @ W + b)
        E = (P / P.sum(axis=1, keepdims=True) - D) / len(X)
        W, b = W - X.T @ E, b - E.sum(axis=0)
    return [(W, b)]


def always_the_first(X, labels, rng):
    return [(np.zeros((2, 2)), np.array([1.0, 0.0]))]


def on_the_test_part(case):
    return *case.held, case.args[-1]


def made_up(X, labels, rng):
    return X, np.arange(len(X)) % 2, rng


MISTAKES = [
    Mistake("no_hidden_layer", no_hidden_layer,
        "A layer without a hidden one draws a line, and no line separates two spirals.", kind="lazy"),
    Mistake("too_few_steps", slip("range(220)", "range(10)"),
        "You stop long before the loss has fallen. Print it every fifty steps.", kind="lazy"),
    Mistake("ascent", slip("0.9 * a - 0.1", "0.9 * a + 0.1", "0.9 * c - 0.1", "0.9 * c + 0.1"),
        "The loss grows from step to step. Which way is down?"),
    *cheats(project, cases, always_the_first, on_the_test_part, made_up),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def with_adam(X, labels, rng):
    W, b = rng.standard_normal((2, 40)), 0.5 * rng.standard_normal(40)
    V, c = rng.standard_normal((40, 2)) * 0.3, np.zeros(2)
    p = [W, b, V, c]
    m, v = [np.zeros_like(x) for x in p], [np.zeros_like(x) for x in p]
    for t in range(1, 401):
        U = X @ p[0] + p[1]
        Z = np.maximum(U, 0)
        S = Z @ p[2] + p[3]
        P = np.exp(S - S.max(axis=1, keepdims=True))
        E = (P / P.sum(axis=1, keepdims=True) - np.eye(2)[labels]) / len(X)
        dU = E @ p[2].T * (U > 0)
        for i, g in enumerate((X.T @ dU, dU.sum(0), Z.T @ E, E.sum(0))):
            m[i], v[i] = 0.9 * m[i] + 0.1 * g, 0.99 * v[i] + 0.01 * g * g
            p[i] = p[i] - 0.05 * m[i] / (1 - 0.9**t) / (np.sqrt(v[i] / (1 - 0.99**t)) + 1e-8)
    return [(p[0], p[1]), (p[2], p[3])]


def by_least_squares(X, labels, rng):
    """Many random units, and the best layer on top of them."""
    W, b = 3.0 * rng.standard_normal((2, 300)), 2.0 * rng.uniform(-1, 1, 300)
    Z = np.maximum(X @ W + b, 0)
    Z = np.column_stack([Z, np.ones(len(X))])
    V = np.linalg.solve(Z.T @ Z + 0.05 * np.eye(301), Z.T @ np.eye(2)[labels])
    return [(W, b), (V[:-1], V[-1])]


EXERCISE = Exercise("backpropagation.project", project, cases, MISTAKES, variants=[with_adam, by_least_squares],
    points=6,
    seconds=10.0,
    scales={"": Scale("accuracy on points that your function has not seen", 0.8, 0.95, accuracy)},
    why="Two spirals were the classic proof that hidden layers earn their keep. Yours, with your own backward pass.",
    hints=("Draw the weights: N(0, 2/n_in) for ReLU, and biases that are not all 0, so that the kinks lie apart.",
           "A step: your `mlp_loss` gives the loss and all gradients; then down. Print the loss.",
           "Momentum of 0.9 makes it ten times as fast: v ← 0.9 v − α dW, W ← W + v."))  # fmt: skip
