"""A repair: a layer and a network of two layers, forward and backward, with planted bugs."""

import numpy as np

from ...checks.exercise import Exercise, Mistake, mended, slip
from .._repairs import LOOK, repair_cases

# --- reference ------------------------------------------------------------------------------------------------------


def one_layer(X, D, W, b):
    """Loss of a tanh layer, and its gradients; one line is wrong.

    The loss is half the squared error of an example, averaged over the N examples.

    Parameters
    ----------
    X : (N, D) array. D : (N, K) array, the targets. W : (D, K) array. b : (K,) array.

    Returns
    -------
    loss : number. dW : (D, K) array. db : (K,) array.
    """
    Y = np.tanh(X @ W + b)
    E = Y - D
    loss = np.sum(E**2) / (2 * len(X))
    dU = E * (1 - Y**2) / len(X)
    dW = X.T @ dU
    db = np.sum(dU, axis=0)
    return loss, dW, db


def two_layers(X, labels, W, b, V, c):
    """Mean cross-entropy of a network with a ReLU layer, and its gradients; three lines
    are wrong.

    Parameters
    ----------
    X : (N, D) array. labels : (N,) integers. W : (D, H) array. b : (H,) array.
    V : (H, K) array. c : (K,) array.

    Returns
    -------
    loss : number. dW, db, dV, dc : arrays like W, b, V and c.
    """
    U = X @ W + b
    Z = np.maximum(U, 0)
    S = Z @ V + c
    S = S - np.max(S, axis=1, keepdims=True)
    P = np.exp(S) / np.sum(np.exp(S), axis=1, keepdims=True)
    rows = np.arange(len(X))
    dS = P.copy()
    dS[rows, labels] -= 1
    dS = dS / len(X)
    dV = Z.T @ dS
    dc = np.sum(dS, axis=0)
    dU = (dS @ V.T) * (U > 0)
    dW = X.T @ dU
    db = np.sum(dU, axis=0)
    loss = -np.mean(np.log(P[rows, labels]))
    return loss, dW, db, dV, dc


def places():
    """The numbers of the wrong lines, as they stand behind the lines.

    Returns
    -------
    one, three : a list with the number in `one_layer`, and a list with the three
        numbers in `two_layers`.
    """
    return [4], [10, 12, 14]


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def layer(N, D, K, large=1.0):
        """large : times the targets and the first input, whose weights are the smaller for it."""
        X, targets, W, b = (rng.standard_normal(shape) for shape in ((N, D), (N, K), (D, K), (K,)))
        X[:, 0] *= large
        W[0] /= large
        return X, large * targets, W, b

    def network(N, D, H, K):
        X, labels = rng.standard_normal((N, D)), rng.integers(0, K, N)
        # Both sides of the kink, whatever the numbers are
        b = np.where(np.arange(H) % 2 == 0, 0.3, -0.3)
        return X, labels, rng.standard_normal((D, H)), b, rng.standard_normal((H, K)), rng.standard_normal(K)

    def large_network(large):
        """large : times the first layer's weights; the second layer's are such that the losses are in hundreds.

        Of 745 on, a probability rounds to 0. The first input is large too, with small weights.
        """
        X, _, W, b, V, _ = network(4, 3, 6, 4)
        scores = np.maximum(X @ W + b, 0) @ V
        V *= 600 / np.max(np.ptp(scores, axis=1)) / large
        X[:, 0] *= 1e5
        W[0] /= 1e5
        return X, np.argmin(scores, axis=1), large * W, large * b, V, np.zeros(4)

    def large_scores():
        """Scores whose exponentials are beyond the numbers."""
        *arrays, c = network(4, 3, 6, 4)
        return *arrays, c + 1000.0

    def far_apart():
        """Scores whose maxima lie thousands apart from row to row, and within a row as far as probabilities reach."""
        X, _, W, b, V, _ = network(5, 3, 6, 4)
        # The first unit is on in the first example and off in the second
        W[:, 0] = np.abs(W[:, 0]) * np.sign(X[0])
        X[1] = -X[0]
        Z = np.maximum(X @ W + b, 0)
        V *= 725 / np.max(np.ptp(Z @ V, axis=1))
        scores = Z @ V
        # A probability near the smallest number has few digits; as the label's it would be all of the loss
        labels = np.where(np.ptp(scores, axis=1) < 600, np.argmin(scores, axis=1), np.argmax(scores, axis=1))
        V[0] += 2000.0 / Z[0, 0]
        return X, labels, W, b, V, np.zeros(4)

    return repair_cases(
        [
            ("five examples", layer(5, 3, 2), False),
            ("one output", layer(4, 2, 1), False),
            ("more", layer(7, 4, 3), True),
            ("large inputs and errors", layer(4, 3, 2, 1e5), True),
        ],
        [
            ("five examples", network(5, 3, 6, 4), False),
            ("one input", network(6, 1, 8, 3), False),
            ("more", network(9, 4, 7, 3), True),
            ("a large first layer", large_network(1e5), True),
            ("a large second layer", large_network(1e-5), True),
            ("large scores", large_scores(), True),
            ("scores far apart", far_apart(), True),
        ],
        {"dW": 1, "db": 2, "dV": 3},
        {"loss": 0, "dc": 4},
    )


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("bug_left_in_one_layer",
        slip("dU = E * (1 - Y**2) / len(X)", "dU = E * (1 - E**2) / len(X)"),
        f"A line of `one_layer` is still wrong. {LOOK}"),
    Mistake("bug_seen_in_dV", slip("dV = Z.T @ dS", "dV = U.T @ dS"),
        f"In `two_layers` dV is still wrong. {LOOK} What did V meet on the way forward?"),
    Mistake("bug_seen_in_db", slip("db = np.sum(dU, axis=0)\n    loss", "db = np.mean(dU, axis=0)\n    loss"),
        f"In `two_layers` db is still wrong, by the same factor everywhere. {LOOK}"),
    Mistake("bug_seen_in_dW_and_db", slip("dU = (dS @ V.T) * (U > 0)", "dU = dS @ V.T"),
        f"In `two_layers` dW and db are still wrong, in the same way. {LOOK} What stands between V and W?"),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def layer_with_einsum(X, D, W, b):
    Y = np.tanh(np.einsum("nd,dk->nk", X, W) + b)
    dU = (Y - D) * (1 - Y) * (1 + Y) / len(X)
    return np.mean(np.sum((D - Y) ** 2, axis=1)) / 2, np.einsum("nd,nk->dk", X, dU), np.ones(len(X)) @ dU


def layers_by_example(X, labels, W, b, V, c):
    N, loss = len(X), 0.0
    dW, db, dV, dc = (np.zeros_like(x) for x in (W, b, V, c))
    for x, label in zip(X, labels, strict=True):
        z = np.clip(x @ W + b, 0, None)
        s = z @ V + c
        p = np.exp(s - np.logaddexp.reduce(s))
        loss -= np.log(p[label]) / N
        ds = (p - (np.arange(len(c)) == label)) / N
        du = np.where(z > 0, V @ ds, 0)
        dW, db, dV, dc = dW + np.outer(x, du), db + du, dV + np.outer(z, ds), dc + ds
    return loss, dW, db, dV, dc


def layer_by_example(X, D, W, b):
    loss, dW, db = 0.0, np.zeros_like(W), np.zeros_like(b)
    for x, d in zip(X, D, strict=True):
        y = np.tanh(x @ W + b)
        du = (y - d) / np.cosh(x @ W + b) ** 2 / len(X)
        loss, dW, db = loss + np.sum((y - d) ** 2) / 2 / len(X), dW + np.outer(x, du), db + du
    return loss, dW, db


def layers_with_one_hot(X, labels, W, b, V, c):
    U = X @ W + b
    mask = (U > 0).astype(float)
    S = (U * mask) @ V + c
    P = np.exp(S - np.logaddexp.reduce(S, axis=1, keepdims=True))
    K = np.eye(len(c))[labels]
    E = (P - K) / len(X)
    dU = E @ V.T * mask
    return -np.sum(K * np.log(P)) / len(X), X.T @ dU, dU.sum(0), (U * mask).T @ E, E.sum(0)


def backwards():
    return [4], [14, 12, 10]


EXERCISE = Exercise("backpropagation.repair_layers", (one_layer, two_layers, places), cases, MISTAKES,
    variants=[(layer_with_einsum, layers_by_example, backwards), (layer_by_example, layers_with_one_hot, backwards)],
    driver=mended, points=4,
    planted=("bug_left_in_one_layer", "bug_seen_in_dV", "bug_seen_in_db", "bug_seen_in_dW_and_db"),
    why="A network with a wrong gradient often learns all the same. Only a check by differences tells the two apart.",
    hints=("Your `numerical_grad` takes a function of one array: hold the others, and return the loss alone.",
           "Check the gradients from the end of the network to its beginning: what is right clears what comes before "
           "it on "
           "the way back.",
           "One example hides a bug that averages over examples. Check with several."))  # fmt: skip
