"""A repair: causal attention, and attention with its backward pass, with planted bugs."""

import numpy as np

from ...checks.exercise import Exercise, Mistake, mended, slip
from .._repairs import LOOK, repair_cases

# --- reference ------------------------------------------------------------------------------------------------------


def causal(Q, K, V):
    """Causal attention of T positions; one line is wrong.

    Row t of the result is a mean of the rows 0…t of V, with positive weights that sum
    to 1.

    Parameters
    ----------
    Q, K : (T, d_k) arrays. V : (T, d_v) array.

    Returns
    -------
    Y : (T, d_v) array.
    """
    A = Q @ K.T / np.sqrt(Q.shape[1])
    A = np.where(np.tril(np.ones(A.shape)) > 0, A, -np.inf)
    A = A - np.max(A, axis=1, keepdims=True)
    P = np.exp(A)
    P = P / np.sum(P, axis=1, keepdims=True)
    return P @ V


def attend(Q, K, V, dY):
    """Attention without a mask, and the flows to its inputs; three lines are wrong.

    The loss is ``np.sum(dY * Y)``: then dY is its gradient at Y.

    Parameters
    ----------
    Q : (T, d_k) array. K : (S, d_k) array. V : (S, d_v) array. dY : (T, d_v) array.

    Returns
    -------
    Y : (T, d_v) array. dQ, dK, dV : arrays like Q, K and V.
    """
    root = np.sqrt(Q.shape[1])
    B = Q @ K.T / root
    B = B - np.max(B, axis=1, keepdims=True)
    R = np.exp(B)
    R = R / np.sum(R, axis=1, keepdims=True)
    Y = R @ V
    dV = R.T @ dY
    dR = dY @ V.T
    dB = R * (dR - np.sum(R * dR, axis=1, keepdims=True))
    dQ = dB @ K / root
    dK = dB.T @ Q / root
    return Y, dQ, dK, dV


def places():
    """The numbers of the wrong lines, as they stand behind the lines.

    Returns
    -------
    one, three : a list with the number in `causal`, and a list with the three numbers
        in `attend`.
    """
    return [5], [7, 9, 11]


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def heads(T, S, d_k, d_v, large=1.0):
        """large : times the values and the first column of Q, where that of K is the smaller for it."""
        Q, K, V = (rng.standard_normal(shape) for shape in ((T, d_k), (S, d_k), (S, d_v)))
        Q[:, 0] *= large
        K[:, 0] /= large
        return Q, K, large * V

    def with_flow(T, S, d_k, d_v, large=1.0):
        return *heads(T, S, d_k, d_v, large), large * rng.standard_normal((T, d_v))

    def thousands(arrays, levels):
        """Scores of a thousand, whose exponentials are beyond the numbers; levels : of each query's scores."""
        Q, K, *others = arrays
        Q[:, -1], K[:, -1] = 4.0 * np.sqrt(Q.shape[1]) * np.asarray(levels), 0.25
        return Q, K, *others

    # From query to query the levels differ; the first key lies far below the others, the second beyond the numbers
    apart = thousands(with_flow(3, 5, 3, 2), [1000.0, 2000.0, 1000.0])
    apart[1][:2, -1] = 0.97 / 4, 0.0
    masked = thousands(heads(4, 4, 3, 2), 1000.0)
    masked[1][2, -1] = 0.0
    return repair_cases(
        [
            ("four positions", heads(4, 4, 3, 2), False),
            ("values of one entry", heads(5, 5, 2, 1), False),
            ("seven positions", heads(7, 7, 4, 3), True),
            ("large numbers", heads(4, 4, 3, 2, 1e5), True),
            ("scores of a thousand", masked, True),
        ],
        [
            ("more keys than queries", with_flow(3, 5, 4, 2), False),
            ("values of one entry", with_flow(4, 3, 2, 1), False),
            ("others", with_flow(6, 4, 5, 3), True),
            ("large numbers", with_flow(3, 4, 2, 2, 1e5), True),
            ("scores of thousands", apart, True),
        ],
        {"dQ": 1, "dK": 2, "dV": 3},
        {"Y": 0},
    )


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("bug_left_in_causal", slip("P = P / np.sum(P, axis=1", "P = P / np.sum(P, axis=0"),
        "A line of `causal` is still wrong. Look at the weights: with values of 1 each row of the result has to be 1."),
    Mistake("bug_seen_in_dV", slip("dV = R.T @ dY", "dV = B.T @ dY"), f"In `attend` dV is still wrong. {LOOK}"),
    Mistake("bug_seen_in_dQ_and_dK",
        slip("np.sum(R * dR, axis=1, keepdims=True)",
             "np.mean(R * dR, axis=1, keepdims=True)"),
        f"In `attend` dQ and dK are still wrong. {LOOK} What do dQ and dK have in common?"),
    Mistake("bug_seen_in_dK", slip("dK = dB.T @ Q / root", "dK = dB.T @ Q"),
        f"In `attend` dK is still wrong, by one factor. {LOOK}"),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def causal_by_row(Q, K, V):
    made = []
    for t, q in enumerate(Q):
        scores = K[: t + 1] @ q / len(q) ** 0.5
        weights = np.exp(scores - np.logaddexp.reduce(scores))
        made.append(weights @ V[: t + 1])
    return np.array(made)


def attend_by_row(Q, K, V, dY):
    root, Y = Q.shape[1] ** 0.5, []
    dQ, dK, dV = np.zeros_like(Q), np.zeros_like(K), np.zeros_like(V)
    for t, (q, dy) in enumerate(zip(Q, dY, strict=True)):
        scores = K @ q / root
        p = np.exp(scores - np.logaddexp.reduce(scores))
        Y.append(p @ V)
        dp = V @ dy
        ds = (np.diag(p) - np.outer(p, p)) @ dp / root
        dQ[t], dK, dV = K.T @ ds, dK + np.outer(ds, q), dV + np.outer(p, dy)
    return np.array(Y), dQ, dK, dV


def causal_by_weights(Q, K, V):
    W = np.tril(np.exp((Q @ K.T - np.max(Q @ K.T)) / np.sqrt(K.shape[1])))
    return (W / W.sum(1, keepdims=True)) @ V


def attend_with_einsum(Q, K, V, dY):
    S = np.einsum("td,sd->ts", Q, K) / np.sqrt(K.shape[1])
    P = np.exp(S - np.logaddexp.reduce(S, axis=1, keepdims=True))
    Y = np.einsum("ts,sv->tv", P, V)
    # The mean of dP under P is the flow through the row's value itself
    dS = P * (np.einsum("tv,sv->ts", dY, V) - np.einsum("tv,tv->t", dY, Y)[:, None]) / np.sqrt(K.shape[1])
    return Y, dS @ K, np.einsum("ts,td->sd", dS, Q), np.einsum("ts,tv->sv", P, dY)


def backwards():
    return [5], [11, 9, 7]


EXERCISE = Exercise("attention.repair_heads", (causal, attend, places), cases, MISTAKES,
    variants=[(causal_by_row, attend_by_row, backwards), (causal_by_weights, attend_with_einsum, backwards)],
    driver=mended, points=4,
    planted=("bug_left_in_causal", "bug_seen_in_dV", "bug_seen_in_dQ_and_dK", "bug_seen_in_dK"),
    why="Attention with a bug still mixes its values, so nothing looks broken. What it must keep, and differences, "
        "tell.",
    hints=("Weights are positive and sum to 1 along one axis. With values that are all 1 nothing may change.",
           "Check dV, then dQ, then dK by differences of np.sum(dY * Y).",
           "dQ and dK share what is wrong with the scores' flow; what only one of them has stands in its own line."))  # fmt: skip
