"""A project: a deep network that does not train, until something is put between its layers."""

from itertools import pairwise

import numpy as np

from dlcourse.normalization import batchnorm_backward, batchnorm_forward, batchnorm_init

from ...checks.exercise import Case, Exercise, Mistake, Rng, Scale, fit_and_predict, numbers
from .._projects import alphabet, cheats, shuffled_labels, written

# --- reference ------------------------------------------------------------------------------------------------------


def project(X, labels, weights, rng):
    """Train a deep ReLU network whose initial weights are far too small.

    Parameters
    ----------
    X : (N, D) array, examples. labels : (N,) integers. weights : list of arrays, the
        initial weights of all layers, the last one for the classes.
    rng : numpy.random.Generator, for what you draw.

    Returns
    -------
    model : what `project_predict` needs, numbers and arrays in tuples, lists or dicts.
    """
    # Behind a normalisation the size of W says nothing, but for how far a step takes it
    W = [w / w.std() / np.sqrt(len(w)) for w in weights]
    N, K = len(X), W[-1].shape[1]
    norms = [batchnorm_init(w.shape[1]) for w in W[:-1]]
    gamma, beta, states = ([one[i] for one in norms] for i in range(3))
    c = np.zeros(K)
    for _ in range(40):
        A, kept = X, []
        for i in range(len(W) - 1):
            Y, cache, states[i] = batchnorm_forward(A @ W[i], gamma[i], beta[i], states[i])
            kept.append((A, cache, Y))
            A = np.maximum(Y, 0)
        U = A @ W[-1] + c
        P = np.exp(U - U.max(axis=1, keepdims=True))
        dU = (P / P.sum(axis=1, keepdims=True) - np.eye(K)[labels]) / N
        dA = dU @ W[-1].T
        W[-1], c = W[-1] - 0.5 * (A.T @ dU), c - 0.5 * dU.sum(axis=0)
        for i in reversed(range(len(W) - 1)):
            before, cache, Y = kept[i]
            dZ, dgamma, dbeta = batchnorm_backward(dA * (Y > 0), cache)
            dA = dZ @ W[i].T
            W[i] = W[i] - 0.5 * (before.T @ dZ)
            gamma[i], beta[i] = gamma[i] - 0.5 * dgamma, beta[i] - 0.5 * dbeta
    return W, gamma, beta, [tuple(state) for state in states], c


def project_predict(model, X):
    """The classes of examples, which may come one by one.

    Parameters
    ----------
    model : as from `project`. X : (M, D) array, M at least 1.

    Returns
    -------
    labels : (M,) integers.
    """
    W, gamma, beta, states, c = model
    for i in range(len(W) - 1):
        mean, var = states[i]
        X = np.maximum(gamma[i] * (X @ W[i] - mean) / np.sqrt(var + 1e-5) + beta[i], 0)
    return np.argmax(X @ W[-1] + c, axis=1)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, K, depth, size, hidden=False):
        letters = alphabet(rng, K)

        def sheet(count):
            labels = shuffled_labels(rng, count, K)
            pixels = written(rng, letters, labels, size=6, jitter=0.06, noise=0.2).reshape(count, -1)
            # Dark on light or light on dark: no single layer can tell
            return (pixels - 0.3) * rng.choice([-1.0, 1.0], (count, 1)), labels

        X, labels = sheet(120)
        held, wanted = sheet(240)
        sizes = [36] + [24] * depth + [K]
        weights = [size * rng.standard_normal(shape) / np.sqrt(shape[0]) for shape in pairwise(sizes)]
        # Some examples come alone: there is no batch to take statistics of
        inputs = [*(held[i : i + 1] for i in range(160)), held[160:]]
        args = X, labels, weights, Rng(int(rng.integers(2**31)))
        return Case(name, args, extra={"inputs": inputs}, held=(held, wanted), hidden=hidden)

    return [
        case("4 letters, 3 layers", 4, 3, 0.02),
        case("4 letters, 4 layers", 4, 4, 0.05),
        case("4 other letters, 3 layers", 4, 3, 0.02, hidden=True),
        case("4 other letters, 4 layers", 4, 4, 0.05, hidden=True),
    ]


def accuracy(value, case):
    labels = case.held[1]
    given = [numbers(one, "the labels", (len(x),)) for one, x in zip(value, case.extra["inputs"], strict=True)]
    return np.mean(np.concatenate(given) == labels)


# --- mistakes -------------------------------------------------------------------------------------------------------


def without(X, labels, weights, rng):
    W, D = [w.copy() for w in weights], np.eye(weights[-1].shape[1])[labels]
    for _ in range(40):
        A = [X]
        for w in W[:-1]:
            A.append(np.maximum(A[-1] @ w, 0))
        P = np.exp(A[-1] @ W[-1])
        E = (P / P.sum(axis=1, keepdims=True) - D) / len(X)
        for i in reversed(range(len(W))):
            dW, E = A[i].T @ E, (E @ W[i].T) * (A[i] > 0)
            W[i] = W[i] - 0.5 * dW
    return W


def predict_without(W, X):
    for w in W[:-1]:
        X = np.maximum(X @ w, 0)
    return np.argmax(X @ W[-1], axis=1)


def with_the_batch(model, X):
    W, gamma, beta, _, c = model
    for i in range(len(W) - 1):
        U = X @ W[i]
        X = np.maximum(gamma[i] * (U - U.mean(axis=0)) / np.sqrt(U.var(axis=0) + 1e-5) + beta[i], 0)
    return np.argmax(X @ W[-1] + c, axis=1)


def means_of_letters(X, labels, weights, rng):
    return [X[labels == k].mean(axis=0) for k in range(weights[-1].shape[1])]


def most_ink_in_common(model, X):
    return np.argmax(X @ np.array(model).T, axis=1)


def second_class(model, X):
    return np.ones(len(X), dtype=int)


def on_the_test_part(case):
    return *case.held, *case.args[2:]


def made_up(X, labels, weights, rng):
    return X, np.arange(len(X)) % weights[-1].shape[1], weights, rng


def one_number(X, labels, weights, rng):
    return 1


def with_its_own(model, X):
    """Of another network, which has other classes."""
    W = model[0]
    return project_predict(model, X) if X.shape[1] == W[0].shape[0] else np.zeros(len(X), dtype=int)


MISTAKES = [
    Mistake("nothing_between", (without, predict_without),
        "The network is as it was: each layer makes the signal smaller, and the gradient that comes back is almost "
        "0. What "
        "brings each unit back to size 1?"),
    Mistake("batch_statistics_in_prediction", (project, with_the_batch),
        "In prediction you take the statistics of what comes in. A single example has none: use the running ones.",
        kind="lazy"),
    Mistake("no_network", (means_of_letters, most_ink_in_common),
        "You compare with mean letters, and no network was trained.", kind="lazy"),
    Mistake("constant_answer", (one_number, second_class),
        "Your function answers the same class for every example. Each case has its own letters, and grading has "
        "others again.",
        kind="cheat"),
    *cheats(project, cases, None, on_the_test_part, made_up, others=(with_its_own,)),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def rescaled(X, labels, weights, rng):
    """Weights that were brought to their size once, layer by layer, with what comes out of each."""
    W, b, A = [], [], [X]
    for w in weights[:-1]:
        U = A[-1] @ w
        W.append(w / U.std(axis=0))
        b.append(-U.mean(axis=0) / U.std(axis=0))
        A.append(np.maximum(A[-1] @ W[-1] + b[-1], 0))
    W.append(0.3 * rng.standard_normal(weights[-1].shape) / 4)
    b.append(np.zeros(W[-1].shape[1]))
    speed = [(np.zeros_like(w), np.zeros_like(c)) for w, c in zip(W, b, strict=True)]
    for _ in range(120):
        A = [X]
        for w, c in zip(W[:-1], b, strict=False):
            A.append(np.maximum(A[-1] @ w + c, 0))
        U = A[-1] @ W[-1] + b[-1]
        P = np.exp(U - U.max(axis=1, keepdims=True))
        E = (P / P.sum(axis=1, keepdims=True) - np.eye(U.shape[1])[labels]) / len(X)
        for i in reversed(range(len(W))):
            dW, db, E = A[i].T @ E, E.sum(axis=0), (E @ W[i].T) * (A[i] > 0)
            speed[i] = 0.9 * speed[i][0] - 0.03 * dW, 0.9 * speed[i][1] - 0.03 * db
            W[i], b[i] = W[i] + speed[i][0], b[i] + speed[i][1]
    return {"W": W, "b": b}


def of_rescaled(model, X):
    for w, c in zip(model["W"][:-1], model["b"], strict=False):
        X = np.maximum(X @ w + c, 0)
    return np.argmax(X @ model["W"][-1] + model["b"][-1], axis=1)


def two_layers(X, labels, weights, rng):
    """Another network: a wide random layer, and a linear one with the least squares."""
    W, b = rng.standard_normal((X.shape[1], 400)) / 3, 0.3 * rng.standard_normal(400)
    Z = np.maximum(X @ W + b, 0)
    V = np.linalg.solve(Z.T @ Z + 3.0 * np.eye(400), Z.T @ (2 * np.eye(weights[-1].shape[1])[labels] - 1))
    return W, b, V


def of_two_layers(model, X):
    W, b, V = model
    return np.argmax(np.maximum(X @ W + b, 0) @ V, axis=1)


EXERCISE = Exercise("normalization.project", (project, project_predict), cases, MISTAKES,
    variants=[(rescaled, of_rescaled), (two_layers, of_two_layers)], driver=fit_and_predict, parts=("",),
    points=6, seconds=10.0,
    scales={"": Scale("accuracy on letters that your functions have not seen", 0.4, 0.56, accuracy)},
    why="The same weights, the same data: without a normalisation nothing moves, with one it learns in forty steps.",
    hints=("Print the size of the signal behind each layer: it falls by the same factor every time.",
           "Between each product and its ReLU goes your `batchnorm_forward`, with its own γ, β and running statistics.",
           "Predict with the running statistics: two of three examples come alone."))  # fmt: skip
