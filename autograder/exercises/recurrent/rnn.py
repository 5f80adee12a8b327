"""The simple recurrent network, forward and backward through time."""

import numpy as np

from dlcourse import recurrent

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import sequence, through_time

# --- solution ---------------------------------------------------------------------------------------------------------


def rnn_forward(X, h0, Wx, Wh, b):
    h, states = h0, [h0]
    for t in range(X.shape[1]):
        h = np.tanh(X[:, t] @ Wx + h @ Wh + b)
        states.append(h)
    return np.stack(states[1:], axis=1), (X, states, Wx, Wh)


def rnn_backward(dH, cache):
    X, states, Wx, Wh = cache
    dX, dWx, dWh, db = np.zeros_like(X), np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(Wh[0])
    dh = np.zeros_like(states[0])
    for t in reversed(range(X.shape[1])):
        delta = (dH[:, t] + dh) * (1 - states[t + 1] ** 2)
        dX[:, t] = delta @ Wx.T
        dWx += X[:, t].T @ delta
        dWh += states[t].T @ delta
        db += delta.sum(axis=0)
        dh = delta @ Wh.T
    return dX, dh, dWx, dWh, db


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, T, D, H, hidden=False):
        return Case(name, sequence(rng, N, T, D, H), dout=rng.standard_normal((N, T, H)), hidden=hidden)

    last = np.zeros((2, 4, 3))
    last[:, -1] = rng.standard_normal((2, 3))
    return [
        case("three sequences of four steps", 3, 4, 2, 5),
        enlarged(case("one sequence", 1, 5, 3, 2), 0, small=(2,)),
        case("as many sequences as steps, inputs and units", 3, 3, 3, 3),
        enlarged(case("one step", 2, 1, 3, 4)),
        Case("the loss asks for the last state only", sequence(rng, 2, 4, 2, 3), dout=last),
        case("one input, one unit", 3, 4, 1, 1),
        in_float32(case("", 2, 3, 4, 2)),
        case("a longer sequence", 2, 9, 2, 3, hidden=True),
    ]


# --- mistakes ---------------------------------------------------------------------------------------------------------

SLOPE = "(1 - states[t + 1] ** 2)"
STATE = "np.tanh(X[:, t] @ Wx + h @ Wh + b)"

MISTAKES = [
    *through_time(upstream_state_dropped=slip("(dH[:, t] + dh)", "dH[:, t]"),
                  per_step_grad_dropped=slip("(dH[:, t] + dh)", "((dH[:, t] if t == X.shape[1] - 1 else 0) + dh)"),
                  off_by_one_state=[slip("states[t].T", "states[t + 1].T"),
                                    slip("states[t].T", "(states[t] if t else states[-1]).T")],
                  weights_overwritten=slip("dWx +=", "dWx =", "dWh +=", "dWh =", "db +=", "db ="),
                  steps_not_reversed=slip("return dX,", "return dX[:, ::-1],"),
                  initial_state_ignored=slip("h, states = h0, [h0]", "h, states = 0 * h0, [0 * h0]"),
                  state_not_carried=slip("h @ Wh + b", "h0 @ Wh + b"),
                  mutates_gradient=slip("delta = (dH[:, t] + dh)", "dH[:, t] += dh\n        delta = dH[:, t]"),
                  mean_for_sum=slip("dh, dWx, dWh, db", "dh, dWx / len(X), dWh / len(X), db / len(X)")),
    Mistake("activation_for_derivative", slip(SLOPE, "states[t + 1]"),
        "Going back through tanh needs its slope at that step. You multiply with its value, the state itself."),
    Mistake("derivative_at_output", slip(SLOPE, "(1 - np.tanh(states[t + 1]) ** 2)"),
        "The state is tanh(u) already. You took tanh of it once more before building the slope."),
    Mistake("sigmoid_derivative", slip(SLOPE, "states[t + 1] * (1 - states[t + 1])"),
        "h(1 − h) is the sigmoid's slope. Which slope has tanh, written with its value h?"),
    Mistake("derivative_missing", slip(f" * {SLOPE}", ""),
        "The gradient passes the tanh on its way from h to u. Where is its slope?"),
    Mistake("missing_transpose", slip("delta @ Wh.T", "delta @ Wh"),
        "Forward, the state is multiplied with `Wh` from the right. Compare with a linear layer: what multiplies dU "
        "there to give dX?"),
    Mistake("one_step_back", slip("delta @ Wh.T", f"(dH[:, t] * {SLOPE}) @ Wh.T"),
        "The gradient comes back one step and no further: hand on everything that arrived at a step, not only what the "
        "loss asks of it."),
    Mistake("bias_from_activation_grad", slip("db += delta.sum(axis=0)", "db += (dH[:, t] + dh).sum(axis=0)"),
        "The bias is added inside the tanh, so its gradient passes the slope, too. Which array do you sum?"),
    Mistake("initial_state_gradient", slip("return dX, dh,", "return dX, delta,"),
        "[All right but `dh0`.] From δ at the first step one product is left to the state before it."),
    Mistake("bias_forgotten", slip("h @ Wh + b", "h @ Wh"), "The bias is missing inside the tanh."),
    Mistake("activation_forgotten", slip("np.tanh(", "("),
        "You return the sum itself: the new state is the tanh of the sum."),
    Mistake("sigmoid", slip(STATE, f"1 / (1 + np.exp(-({STATE.removeprefix('np.tanh')})))"),
        "This recurrent network uses tanh, from −1 to 1; yours uses the sigmoid."),
    Mistake("time_major",
        slip(f"range(X.shape[1]):\n        h = {STATE}",
             f"range(len(X)):\n        h = {STATE.replace('X[:, t]', 'X[t]')}",
             "axis=1), (X,", "axis=0), (X,"),
        "Your loop runs over the first axis. Here the sequences come first, X is (N, T, D), and time is the second "
        "axis.", convention=True),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def joined_forward(X, h0, Wx, Wh, b):
    # The notes' form: one matrix times [x, h]
    W, joined, H = np.vstack([Wx, Wh]), [], [h0]
    for t in range(X.shape[1]):
        joined.append(np.hstack([X[:, t], H[-1]]))
        H.append(np.tanh(joined[-1] @ W + b))
    return np.array(H[1:]).transpose(1, 0, 2), (W, joined, H, X.shape[-1])


def joined_backward(dH, cache):
    W, joined, H, D = cache
    dW, db, dX, dh = 0, 0, [], 0
    for t in range(len(joined) - 1, -1, -1):
        delta = (1 - H[t + 1]) * (1 + H[t + 1]) * (dh + dH[:, t])
        both = np.einsum("nk,jk->nj", delta, W)
        dX.insert(0, both[:, :D])
        dh = both[:, D:]
        dW = dW + np.einsum("nj,nk->jk", joined[t], delta)
        db = db + delta.sum(0)
    return np.stack(dX, axis=1), dh, dW[:D], dW[D:], db


def by_example_forward(X, h0, Wx, Wh, b):
    H = []
    for steps, h in zip(X, h0, strict=True):
        row = []
        for x in steps:
            h = np.tanh(b + Wx.T @ x + Wh.T @ h)
            row.append(h)
        H.append(row)
    return H, (X, h0, np.array(H), Wx, Wh)


def by_example_backward(dH, cache):
    X, h0, H, Wx, Wh = cache
    N, T, D = X.shape
    dX, dh0 = np.zeros((N, T, D)), np.zeros(h0.shape)
    dWx, dWh, db = np.zeros(Wx.shape), np.zeros(Wh.shape), np.zeros(len(Wh))
    for n in range(N):
        for t in range(T - 1, -1, -1):
            delta = (dH[n, t] + dh0[n]) * (1 - H[n, t] ** 2)
            dX[n, t] = Wx @ delta
            dWx += np.outer(X[n, t], delta)
            dWh += np.outer(H[n, t - 1] if t else h0[n], delta)
            db += delta
            dh0[n] = Wh @ delta
    return dX, dh0, dWx, dWh, db


EXERCISE = Exercise("recurrent.rnn", (recurrent.rnn_forward, recurrent.rnn_backward), cases, MISTAKES,
    variants=[(joined_forward, joined_backward), (by_example_forward, by_example_backward)],
    solution=(rnn_forward, rnn_backward), points=4,
    why="Backpropagation through time is the chain rule with one twist: a state is used twice, by the loss and by the "
        "next step.",
    hints=("Forward: one loop over the steps, `X[:, t]`; keep every state, the first one included, for the way back.",
           "Backward: the same loop from the last step to the first. Carry `dh`, what the step after sends back; it "
           "begins at zero.",
           "At each step: δ = (dH[:, t] + dh) times tanh's slope, 1 − h². From δ come this step's dx, its share of the "
           "three gradients of the weights, and the next `dh`.",
           "The shares of all steps add up, since the weights are the same at every step."))  # fmt: skip
