"""An LSTM over a sequence: its cell at every step."""

import numpy as np

from dlcourse import recurrent
from dlcourse.recurrent import lstm_cell_backward, lstm_cell_forward

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, of_a_part, pair_of_many, slip, slip_in
from . import lstm_cell
from ._shared import sequence, through_time

# --- solution ---------------------------------------------------------------------------------------------------------


def lstm_forward(X, h0, c0, Wx, Wh, b):
    h, c, states, caches = h0, c0, [], []
    for t in range(X.shape[1]):
        h, c, cache = lstm_cell_forward(X[:, t], h, c, Wx, Wh, b)
        states.append(h)
        caches.append(cache)
    return np.stack(states, axis=1), (h, c), caches


def lstm_backward(dH, cache, dhT=None, dcT=None):
    dh = np.zeros_like(dH[:, 0]) if dhT is None else dhT
    dc = np.zeros_like(dH[:, 0]) if dcT is None else dcT
    dX, dWx, dWh, db = [], 0, 0, 0
    for t in reversed(range(dH.shape[1])):
        dx, dh, dc, *shares = lstm_cell_backward(dH[:, t] + dh, dc, cache[t])
        dX.append(dx)
        dWx, dWh, db = dWx + shares[0], dWh + shares[1], db + shares[2]
    return np.stack(dX[::-1], axis=1), dh, dc, dWx, dWh, db


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, T, D, H, dH=1.0, handed=(), hidden=False):
        extra = {key: rng.standard_normal((N, H)) for key in handed}
        dout = (dH * rng.standard_normal((N, T, H)),)
        return Case(name, sequence(rng, N, T, D, H, gates=4, states=2), dout=dout, extra=extra, hidden=hidden)

    return [
        case("three sequences of four steps", 3, 4, 2, 5),
        enlarged(case("one sequence", 1, 5, 3, 2), 0, small=(3,)),
        case("as many sequences as steps, inputs and units", 3, 3, 3, 3),
        enlarged(case("one step", 2, 1, 3, 4)),
        case("gradients of the last state and memory, too", 2, 4, 3, 2, handed=("dhT", "dcT")),
        case("a gradient of the last memory only", 2, 3, 2, 4, dH=0.0, handed=("dcT",)),
        case("one input, one unit", 3, 4, 1, 1),
        in_float32(case("", 2, 3, 4, 2)),
        case("a longer sequence", 2, 8, 2, 3, handed=("dhT",), hidden=True),
    ]


# --- mistakes ---------------------------------------------------------------------------------------------------------

STEP = "dx, dh, dc, *shares = lstm_cell_backward(dH[:, t] + dh,"


def dropped(*gradients):
    """A slip that forgets what came back from the step after."""
    lines = "".join(f"    {name} = 0 * {name}\n        " for name in gradients)
    return slip(STEP, f"if t < dH.shape[1] - 1:\n        {lines}{STEP}")


MISTAKES = [
    *through_time(upstream_state_dropped=dropped("dh", "dc"),
                  per_step_grad_dropped=slip("dH[:, t] + dh", "(dH[:, t] if t == dH.shape[1] - 1 else 0) + dh"),
                  off_by_one_state=[slip_in(lstm_cell.EXERCISE.solutions, lstm_cell.STATE_AFTER),
                                    slip("    return np.stack(states",
                                         "    caches[0] = caches[0]._replace(gates=caches[0].gates._replace(h=h))\n    "
                                         "return np.stack(states")],
                  weights_overwritten=slip("dWx + shares[0], dWh + shares[1], db + shares[2]", "shares"),
                  steps_not_reversed=slip("dX[::-1]", "dX"),
                  initial_state_ignored=slip("= h0, c0, [], []", "= 0 * h0, c0, [], []"),
                  state_not_carried=slip("X[:, t], h, c", "X[:, t], h0, c"),
                  mutates_gradient=slip(STEP, f"dH[:, t] += dh\n        {STEP.replace(' + dh', '')}"),
                  mean_for_sum=slip("dh, dc, dWx, dWh, db", "dh, dc, dWx / len(dH), dWh / len(dH), db / len(dH)")),
    Mistake("upstream_h_dropped", dropped("dh"),
        "The memory's gradient is handed back from step to step, the state's is not. A state also decides the next "
        "step's gates."),
    Mistake("upstream_c_dropped", dropped("dc"),
        "The state's gradient is handed back from step to step, the memory's is not: that is the long way along which "
        "an LSTM learns."),
    Mistake("handed_over_gradients_ignored", slip(" if dhT is None else dhT", "", " if dcT is None else dcT", ""),
        "`dhT` and `dcT` are not used: what goes on from `(hT, cT)` sends gradients back to them. They are where dh "
        "and dc begin."),
    Mistake("initial_memory_ignored", slip("= h0, c0, [], []", "= h0, 0 * c0, [], []"),
        "The memory does not have to begin at zero: `c0` is given."),
    Mistake("memory_restarts", slip("X[:, t], h, c", "X[:, t], h, c0"),
        "Every step starts from `c0`. The memory is what should be carried on."),
    Mistake("state_and_memory_swapped", slip("(h, c), caches", "(c, h), caches"),
        "The pair at the end is `(hT, cT)`, the state first."),
    Mistake("memory_returned", slip("states.append(h)", "states.append(c)"),
        "H holds the states h of all steps. Yours holds the memories c."),
    *of_a_part(lstm_cell.EXERCISE,
               but=("candidate_not_gated", "forget_gate_on_the_candidate", "memory_gradient_dropped", "bias_not_summed",
                    "off_by_one_state", "mean_for_sum")),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def in_one_product_forward(X, h0, c0, Wx, Wh, b):
    # The inputs of all steps at once, the gates on a separate axis
    N, T, D = X.shape
    H = h0.shape[1]
    u = (X.reshape(N * T, D) @ Wx + b).reshape(N, T, 4, H)
    h, c, out, steps = h0.copy(), c0.copy(), np.empty((N, T, H), dtype=X.dtype), []
    for t in range(T):
        v = u[:, t] + (h @ Wh).reshape(N, 4, H)
        gates = 1 / (1 + np.exp(-v))
        gates[:, 2] = np.tanh(v[:, 2])
        steps.append((h, c, gates))
        c = gates[:, 1] * c + gates[:, 0] * gates[:, 2]
        h = gates[:, 3] * np.tanh(c)
        out[:, t] = h
    return out, [h, c], (X, Wx, Wh, steps, c)


def in_one_product_backward(dH, cache, dhT=None, dcT=None):
    X, Wx, Wh, steps, c_next = cache
    N, T, _ = X.shape
    dU, dc = np.empty((N, T, Wx.shape[1]), dtype=X.dtype), 0 if dcT is None else dcT
    dh = 0 if dhT is None else dhT
    for t in range(T)[::-1]:
        _, c, gates = steps[t]
        i, f, g, o = gates.swapaxes(0, 1)
        dh = dh + dH[:, t]
        dc = dc + dh * o * (1 - np.tanh(c_next) ** 2)
        outer = np.stack([dc * g, dc * c, dc * i, dh * np.tanh(c_next)], axis=1)
        inner = gates * (1 - gates)
        inner[:, 2] = 1 - g * g
        dU[:, t] = (outer * inner).reshape(N, -1)
        dh, dc, c_next = dU[:, t] @ Wh.T, dc * f, c
    before = np.stack([step[0] for step in steps], axis=1)
    return (
        np.einsum("ntk,dk->ntd", dU, Wx),
        dh,
        dc,
        np.einsum("ntd,ntk->dk", X, dU),
        np.einsum("nth,ntk->hk", before, dU),
        dU.sum(axis=(0, 1)),
    )


EXERCISE = Exercise("recurrent.lstm", (recurrent.lstm_forward, recurrent.lstm_backward), cases, MISTAKES,
    variants=[(in_one_product_forward, in_one_product_backward)], solution=(lstm_forward, lstm_backward),
    driver=pair_of_many, parts=("forward", "backward"), points=0,
    why="The whole LSTM, both ways: before attention, this was how machines translated and took dictation.",
    hints=("Forward: your `lstm_cell_forward` at every step; it hands on two things, h and c.",
           "Backward: begin with dh = dhT and dc = dcT, or zeros where they are None.",
           "At each step from the last to the first: `lstm_cell_backward(dH[:, t] + dh, dc, cache)` gives dx, the next "
           "dh and dc, and three shares that add up."))  # fmt: skip
