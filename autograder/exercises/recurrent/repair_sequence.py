"""A repair: a recurrent layer, forward and back through time, with planted bugs."""

import numpy as np

from ...checks.exercise import Exercise, Mistake, mended, slip
from .._repairs import LOOK, repair_cases

# --- reference ------------------------------------------------------------------------------------------------------


def states(X, h0, Wx, Wh, b):
    """The states of a recurrent layer: `h_t = tanh(x_t Wx + h_(t−1) Wh + b)`; one line is
    wrong.

    Parameters
    ----------
    X : (N, T, D) array. h0 : (N, H) array. Wx : (D, H) array. Wh : (H, H) array.
    b : (H,) array.

    Returns
    -------
    H : (N, T, H) array, the state after each step.
    """
    H = []
    h = h0
    for t in range(X.shape[1]):
        h = np.tanh(X[:, t] @ Wx + h @ Wh + b)
        H.append(h)
    return np.stack(H, axis=1)


def through_time(X, D, h0, Wx, Wh, b):
    """Half the squared error of the states, summed, and its gradients; three lines are
    wrong.

    Parameters
    ----------
    X, h0, Wx, Wh, b : as for `states`. D : (N, T, H) array, the states that are wanted.

    Returns
    -------
    loss : number. dWx, dWh, db, dh0 : arrays like Wx, Wh, b and h0.
    """
    H = [h0]
    for t in range(X.shape[1]):
        H.append(np.tanh(X[:, t] @ Wx + H[t] @ Wh + b))
    loss = np.sum((np.stack(H[1:], axis=1) - D) ** 2) / 2
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
    dh = np.zeros_like(h0)
    for t in reversed(range(X.shape[1])):
        dh = dh + H[t + 1] - D[:, t]
        du = dh * (1 - H[t + 1] ** 2)
        flow = du @ Wh.T
        dWx = dWx + X[:, t].T @ du
        dWh = dWh + H[t].T @ du
        db = db + np.sum(du, axis=0)
        dh = flow
    return loss, dWx, dWh, db, dh


def places():
    """The numbers of the wrong lines, as they stand behind the lines.

    Returns
    -------
    one, three : a list with the number in `states`, and a list with the three numbers
        in `through_time`.
    """
    return [4], [10, 12, 13]


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def layer(N, T, D, H, large=1.0):
        """large : times the first input, whose weights are the smaller for it, and times the states that are wanted."""
        Wx = 0.6 * rng.standard_normal((D, H))
        Wx[0] /= large
        X = rng.standard_normal((N, T, D))
        X[..., 0] *= large
        weights = Wx, 0.6 * rng.standard_normal((H, H)), 0.3 * rng.standard_normal(H)
        return X, 0.7 * large * rng.standard_normal((N, T, H)), rng.uniform(0.2, 0.8, (N, H)), weights

    def forward(*sizes):
        X, _, h0, weights = layer(*sizes)
        return X, h0, *weights

    def backward(*sizes):
        X, D, h0, weights = layer(*sizes)
        return X, D, h0, *weights

    return repair_cases(
        [
            ("three sequences", forward(3, 4, 2, 5), False),
            ("one unit", forward(2, 3, 2, 1), False),
            ("longer ones", forward(2, 7, 3, 4), True),
            ("large inputs", forward(2, 3, 2, 4, 1e5), True),
        ],
        [
            ("three sequences", backward(3, 4, 2, 5), False),
            ("one input", backward(4, 5, 1, 3), False),
            ("longer ones", backward(2, 8, 3, 4), True),
            ("large inputs and errors", backward(2, 3, 2, 4, 1e5), True),
        ],
        {"dWx": 1, "dWh": 2, "db": 3},
        {"loss": 0, "dh0": 4},
    )


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("bug_left_in_states",
        slip("h = np.tanh(X[:, t] @ Wx + h @ Wh + b)", "h = np.tanh(X[:, t] @ Wx + h0 @ Wh + b)"),
        "A line of `states` is still wrong. Change the first input alone, and look which of the later states move."),
    Mistake("bug_seen_in_dWh", slip("dWh = dWh + H[t].T @ du", "dWh = dWh + H[t + 1].T @ du"),
        f"In `through_time` dWh is still wrong, and in another way than dWx. {LOOK}"),
    Mistake("bug_seen_in_db", slip("db = db + np.sum(du, axis=0)", "db = np.sum(du, axis=0)"),
        f"In `through_time` db is still wrong for more than one step. {LOOK}"),
    Mistake("bug_seen_everywhere", slip("flow = du @ Wh.T", "flow = du @ Wh"),
        f"In `through_time` all gradients are still wrong for more than one step. {LOOK} What carries the flow to "
        f"the step "
        "before?"),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def states_by_sequence(X, h0, Wx, Wh, b):
    whole = []
    for x, h in zip(X, h0, strict=True):
        row = []
        for one in x:
            h = np.tanh(Wx.T @ one + Wh.T @ h + b)
            row.append(h)
        whole.append(row)
    return np.array(whole)


def time_by_sequence(X, D, h0, Wx, Wh, b):
    loss, grads = 0.0, [np.zeros_like(x) for x in (Wx, Wh, b)]
    flows = []
    for x, d, first in zip(X, D, h0, strict=True):
        h = [first]
        for one in x:
            h.append(np.tanh(one @ Wx + h[-1] @ Wh + b))
        loss += np.sum((np.array(h[1:]) - d) ** 2) / 2
        flow = 0.0
        for t in range(len(x), 0, -1):
            du = (flow + h[t] - d[t - 1]) * (1 - h[t] * h[t])
            for grad, made in zip(grads, (np.outer(x[t - 1], du), np.outer(h[t - 1], du), du), strict=True):
                grad += made
            flow = Wh @ du
        flows.append(flow)
    return loss, *grads, np.array(flows)


def states_in_place(X, h0, Wx, Wh, b):
    A, H = X @ Wx + b, np.zeros((*X.shape[:2], len(b)))
    for t in range(X.shape[1]):
        H[:, t] = np.tanh(A[:, t] + (H[:, t - 1] if t else h0) @ Wh)
    return H


def time_at_the_end(X, D, h0, Wx, Wh, b):
    H = states_in_place(X, h0, Wx, Wh, b)
    before = np.concatenate([h0[:, None], H[:, :-1]], axis=1)
    dU, dh = np.zeros_like(H), 0.0
    for t in range(X.shape[1] - 1, -1, -1):
        dU[:, t] = (dh + H[:, t] - D[:, t]) * (1 - H[:, t] ** 2)
        dh = np.einsum("nk,hk->nh", dU[:, t], Wh)
    dWx, dWh = np.einsum("ntd,nth->dh", X, dU), np.einsum("ntk,nth->kh", before, dU)
    return 0.5 * np.sum((H - D) ** 2), dWx, dWh, dU.sum(axis=(0, 1)), dh


def backwards():
    return [4], [13, 12, 10]


EXERCISE = Exercise("recurrent.repair_sequence", (states, through_time, places), cases, MISTAKES,
    variants=[(states_by_sequence, time_by_sequence, backwards), (states_in_place, time_at_the_end, backwards)],
    driver=mended, points=4,
    planted=("bug_left_in_states", "bug_seen_in_dWh", "bug_seen_in_db", "bug_seen_everywhere"),
    why="A recurrent layer without memory, or with a gradient of its last step alone, still learns something. That "
        "hides it.",
    hints=("Feed `states` with zeros but for one step, and look how long that step is seen.",
           "Compare gradients for one step, for two, for three: which of them goes wrong when?",
           "The flow to the step before goes through the same weights as the state came, the other way round."))  # fmt: skip
