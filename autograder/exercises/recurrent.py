"""Exercises of the recurrent topic.

Each family below is one implementation that goes wrong in one place, named by the mistake's slug; without a name it is
right, and stands among the variants.
"""

import numpy as np

from dlcourse import recurrent
from dlcourse.activations import sigmoid
from dlcourse.recurrent import gru_cell_backward, gru_cell_forward, lstm_cell_backward, lstm_cell_forward

from ..checks.exercise import Case, Exercise, Mistake, pair_of_many

# --- data -----------------------------------------------------------------------------------------------------------


def _single(case):
    """The case's arguments and gradients in float32."""

    def cast(x):
        if isinstance(x, dict):
            return {key: cast(value) for key, value in x.items()}
        if isinstance(x, tuple):
            return tuple(cast(value) for value in x)
        return x.astype(np.float32) if isinstance(x, np.ndarray) else x

    return Case("float32", cast(case.args), case.kwargs, cast(case.dout), cast(case.more))


def _weights(rng, D, H, gates, biases):
    """Wx, Wh and the biases of `gates` gates: large enough for gates that differ, small enough to leave them open."""
    scale = 1.0 / np.sqrt(H)
    weights = [0.8 * rng.standard_normal((D, gates * H)), scale * rng.standard_normal((H, gates * H))]
    return *weights, *(0.5 * rng.standard_normal(gates * H) for _ in range(biases))


def _sequence(rng, N, T, D, H, gates=1, biases=1, states=1):
    """The arguments of a forward pass over sequences; no state and no bias is zero, so that none goes unnoticed."""
    start = [rng.standard_normal((N, H)) for _ in range(states)]
    return rng.standard_normal((N, T, D)), *start, *_weights(rng, D, H, gates, biases)


def _step(rng, N, D, H, gates, biases, states):
    """The arguments of one step of a cell."""
    before = [rng.standard_normal((N, H)) for _ in range(states)]
    return rng.standard_normal((N, D)), *before, *_weights(rng, D, H, gates, biases)


def _rnn_cases(rng):
    def case(name, N, T, D, H, hidden=False):
        return Case(name, _sequence(rng, N, T, D, H), dout=rng.standard_normal((N, T, H)), hidden=hidden)

    cases = [
        case("three sequences of four steps", 3, 4, 2, 5),
        case("one sequence", 1, 5, 3, 2),
        case("as many sequences as steps, inputs and units", 3, 3, 3, 3),
        case("one step", 2, 1, 3, 4),
    ]
    last = np.zeros((2, 4, 3))
    last[:, -1] = rng.standard_normal((2, 3))
    cases.append(Case("the loss asks for the last state only", _sequence(rng, 2, 4, 2, 3), dout=last))
    cases.append(_single(case("", 2, 3, 4, 2)))
    cases.append(case("a longer sequence", 2, 9, 2, 3, hidden=True))
    return cases


def _lstm_cell_cases(rng):
    def case(name, N, D, H, dh=1.0, dc=1.0, hidden=False):
        gradients = dh * rng.standard_normal((N, H)), dc * rng.standard_normal((N, H))
        return Case(name, _step(rng, N, D, H, gates=4, biases=1, states=2), dout=gradients, hidden=hidden)

    return [
        case("three examples", 3, 2, 4),
        case("one example", 1, 3, 2),
        case("as many examples as inputs and units", 3, 3, 3),
        case("a gradient from the state only", 2, 3, 4, dc=0.0),
        case("a gradient from the memory only", 2, 4, 3, dh=0.0),
        _single(case("", 4, 2, 3)),
        case("one unit", 5, 2, 1, hidden=True),
    ]


def _lstm_cases(rng):
    def case(name, N, T, D, H, dH=1.0, handed=(), hidden=False):
        more = {key: rng.standard_normal((N, H)) for key in handed}
        dout = (dH * rng.standard_normal((N, T, H)),)
        return Case(name, _sequence(rng, N, T, D, H, gates=4, states=2), dout=dout, more=more, hidden=hidden)

    return [
        case("three sequences of four steps", 3, 4, 2, 5),
        case("one sequence", 1, 5, 3, 2),
        case("as many sequences as steps, inputs and units", 3, 3, 3, 3),
        case("one step", 2, 1, 3, 4),
        case("gradients of the last state and memory, too", 2, 4, 3, 2, handed=("dhT", "dcT")),
        case("a gradient of the last memory only", 2, 3, 2, 4, dH=0.0, handed=("dcT",)),
        _single(case("", 2, 3, 4, 2)),
        case("a longer sequence", 2, 8, 2, 3, handed=("dhT",), hidden=True),
    ]


def _gru_cell_cases(rng):
    def case(name, N, D, H, reset_after, hidden=False):
        args = _step(rng, N, D, H, gates=3, biases=2, states=1)
        options = {"reset_after": True} if reset_after else {}
        return Case(name, args, options, dout=rng.standard_normal((N, H)), hidden=hidden)

    return [
        case("three examples", 3, 2, 4, False),
        case("reset after the product", 3, 2, 4, True),
        case("one example", 1, 3, 2, False),
        case("as many examples as inputs and units", 3, 3, 3, False),
        _single(case("", 4, 2, 3, True)),
        case("one unit", 5, 2, 1, False, hidden=True),
        case("one unit, reset after the product", 2, 4, 1, True, hidden=True),
    ]


def _gru_cases(rng):
    def case(name, N, T, D, H, reset_after, hidden=False):
        args = _sequence(rng, N, T, D, H, gates=3, biases=2)
        options = {"reset_after": True} if reset_after else {}
        return Case(name, args, options, dout=rng.standard_normal((N, T, H)), hidden=hidden)

    return [
        case("three sequences of four steps", 3, 4, 2, 5, False),
        case("reset after the product", 2, 4, 3, 5, True),
        case("one sequence", 1, 5, 3, 2, False),
        case("as many sequences as steps, inputs and units", 3, 3, 3, 3, False),
        case("one step", 2, 1, 3, 4, True),
        _single(case("", 2, 3, 4, 2, False)),
        case("a longer sequence", 2, 8, 2, 3, True, hidden=True),
    ]


# --- what the families share ----------------------------------------------------------------------------------------


def _sigmoid(u):
    return 0.5 + 0.5 * np.tanh(0.5 * u)


def _slope(s, wrong):
    """The sigmoid's slope from its value."""
    return s if wrong == "activation_for_derivative" else s * (1 - s)


def _before(states, t, wrong):
    """The state that a step started from; `states` begins with the one before the first step."""
    if wrong == "off_by_one_state":
        return states[t + 1]
    if wrong == "first_state_wraps_round":
        return states[t] if t else states[-1]
    return states[t]


def _asked(dH, t, wrong):
    """What the loss asks of step t directly."""
    return 0.0 * dH[:, t] if wrong == "per_step_grad_dropped" and t < dH.shape[1] - 1 else dH[:, t]


def _gather(totals, shares, wrong):
    """The weights' gradients after one more step."""
    if totals is None or wrong == "weights_overwritten":
        return list(shares)
    return [total + share for total, share in zip(totals, shares, strict=True)]


def _inputs(shares, wrong):
    """The steps' gradients dx, found last step first, as dX."""
    return np.stack(shares if wrong == "steps_not_reversed" else shares[::-1], axis=1)


# --- the simple recurrent network -----------------------------------------------------------------------------------


def _rnn(wrong=""):
    def slope(h):
        if wrong == "derivative_at_output":
            return 1 - np.tanh(h) ** 2
        if wrong == "sigmoid_derivative":
            return h * (1 - h)
        if wrong == "derivative_missing":
            return np.ones_like(h)
        return h if wrong == "activation_for_derivative" else 1 - h * h

    def rnn_forward(X, h0, Wx, Wh, b):
        states = [np.zeros_like(h0) if wrong == "initial_state_ignored" else h0]
        for x in X if wrong == "time_major" else X.swapaxes(0, 1):
            u = x @ Wx + (states[0] if wrong == "state_not_carried" else states[-1]) @ Wh
            u = u if wrong == "bias_forgotten" else u + b
            states.append(u if wrong == "activation_forgotten" else _sigmoid(u) if wrong == "sigmoid" else np.tanh(u))
        return np.stack(states[1:], axis=0 if wrong == "time_major" else 1), (X, states, Wx, Wh)

    def rnn_backward(dH, cache):
        X, states, Wx, Wh = cache
        dh, dX, totals = np.zeros_like(states[0]), [], None
        for t in reversed(range(X.shape[1])):
            if wrong == "upstream_state_dropped":
                total = dH[:, t]
            elif wrong == "mutates_gradient":
                dH[:, t] += dh
                total = dH[:, t]
            else:
                total = _asked(dH, t, wrong) + dh
            delta = total * slope(states[t + 1])
            before = _before(states, t, wrong)
            db = total if wrong == "bias_from_activation_grad" else delta
            totals = _gather(totals, (X[:, t].T @ delta, before.T @ delta, db.sum(axis=0)), wrong)
            dX.append(delta @ Wx.T)
            passed = dH[:, t] * slope(states[t + 1]) if wrong == "one_step_back" else delta
            dh = passed @ (Wh if wrong == "missing_transpose" else Wh.T)
        if wrong == "mean_for_sum":
            totals = [total / len(X) for total in totals]
        if wrong == "initial_state_gradient":
            dh = delta
        return _inputs(dX, wrong), dh, *totals

    return rnn_forward, rnn_backward


def _rnn_shown_forward(X, h0, Wx, Wh, b):
    h, states = h0, [h0]
    for t in range(X.shape[1]):
        h = np.tanh(X[:, t] @ Wx + h @ Wh + b)
        states.append(h)
    return np.stack(states[1:], axis=1), (X, states, Wx, Wh)


def _rnn_shown_backward(dH, cache):
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


def _rnn_joined_forward(X, h0, Wx, Wh, b):
    # The notes' form: one matrix times [x, h]
    W, joined, H = np.vstack([Wx, Wh]), [], [h0]
    for t in range(X.shape[1]):
        joined.append(np.hstack([X[:, t], H[-1]]))
        H.append(np.tanh(joined[-1] @ W + b))
    return np.array(H[1:]).transpose(1, 0, 2), (W, joined, H, X.shape[-1])


def _rnn_joined_backward(dH, cache):
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


def _rnn_by_example_forward(X, h0, Wx, Wh, b):
    H = []
    for sequence, h in zip(X, h0, strict=True):
        row = []
        for x in sequence:
            h = np.tanh(b + Wx.T @ x + Wh.T @ h)
            row.append(h)
        H.append(row)
    return H, (X, h0, np.array(H), Wx, Wh)


def _rnn_by_example_backward(dH, cache):
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


# --- LSTM -----------------------------------------------------------------------------------------------------------

_LSTM_ORDER = {"gate_order": "ifog", "gate_order_candidate_second": "igfo", "forget_input_swapped": "figo"}


def _lstm_step(u, h, c, wrong):
    """State and memory after a step, and the gates, from the preactivations (N, 4H)."""
    i, f, g, o = _split(u, _LSTM_ORDER.get(wrong, "ifgo"), "ifgo")
    i, f, o = _sigmoid(i), _sigmoid(f), _sigmoid(o)
    g = _sigmoid(g) if wrong == "candidate_with_sigmoid" else np.tanh(g)
    if wrong == "memory_replaced":
        c_next = i * g
    elif wrong == "candidate_not_gated":
        c_next = f * c + g
    elif wrong == "forget_gate_on_the_candidate":
        c_next = f * (c + i * g)
    else:
        c_next = f * c + i * g
    shown = c_next if wrong == "output_without_tanh" else np.tanh(c if wrong == "old_memory_shown" else c_next)
    return o * shown, c_next, (h, c, i, f, g, o, c_next, shown)


def _lstm_step_backward(dh, dc, gates, wrong):
    """The preactivations' gradient (N, 4H) and the gradient at the memory before the step."""
    _, c, i, f, g, o, c_next, shown = gates
    through = dh * o
    if wrong == "memory_slope_of_c":
        through = through * (1 - c_next**2)
    elif wrong not in ("memory_slope_missing", "output_without_tanh"):
        through = through * (1 - shown**2)
    total = dc if wrong == "state_path_missing" else through if wrong == "memory_gradient_dropped" else dc + through
    candidate = g if wrong == "activation_for_derivative" else 1 - g**2
    if wrong in ("sigmoid_slope_for_candidate", "candidate_with_sigmoid"):
        candidate = g * (1 - g)
    du = {
        "i": total * g * _slope(i, wrong),
        "f": total * (c_next if wrong == "memory_after_for_before" else c) * _slope(f, wrong),
        "g": total * i * candidate,
        "o": dh * (c_next if wrong == "output_gate_sees_memory" else shown) * _slope(o, wrong),
    }
    if wrong == "partners_swapped":
        du["i"], du["g"] = total * i * _slope(i, wrong), total * g * candidate
    if wrong == "gates_not_differentiated":
        du["i"], du["f"], du["o"] = total * g, total * c, dh * shown
    dc = (
        total
        if wrong == "forget_gate_missing_backward"
        else dc * f
        if wrong == "memory_gradient_partial"
        else total * f
    )
    return np.concatenate([du[gate] for gate in _LSTM_ORDER.get(wrong, "ifgo")], axis=-1), dc


def _split(u, order, names):
    """The blocks of u, which lie there in `order`, as `names` lists them."""
    H = u.shape[-1] // len(order)
    return [u[:, order.index(name) * H : (order.index(name) + 1) * H] for name in names]


def _lstm_cell(wrong=""):
    def lstm_cell_forward(x, h, c, Wx, Wh, b):
        u = x @ Wx + h @ Wh if wrong == "bias_forgotten" else x @ Wx + h @ Wh + b
        h_next, c_next, gates = _lstm_step(u, h, c, wrong)
        return h_next, c_next, (x, h_next, Wx, Wh, gates)

    def lstm_cell_backward(dh, dc, cache):
        x, h_next, Wx, Wh, gates = cache
        du, dc = _lstm_step_backward(dh, dc, gates, wrong)
        h = h_next if wrong == "off_by_one_state" else gates[0]
        db = du if wrong == "bias_not_summed" else du.sum(axis=0)
        dWx, dWh = x.T @ du, h.T @ du
        if wrong == "mean_for_sum":
            dWx, dWh, db = dWx / len(x), dWh / len(x), db / len(x)
        return du @ Wx.T, du @ Wh.T, dc, dWx, dWh, db

    return lstm_cell_forward, lstm_cell_backward


def _lstm_cell_shown_forward(x, h, c, Wx, Wh, b):
    i, f, g, o = np.split(x @ Wx + h @ Wh + b, 4, axis=1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c_next = f * c + i * g
    tanh_c = np.tanh(c_next)
    return o * tanh_c, c_next, (x, h, c, Wx, Wh, i, f, g, o, tanh_c)


def _lstm_cell_shown_backward(dh, dc, cache):
    x, h, c, Wx, Wh, i, f, g, o, tanh_c = cache
    dc = dc + dh * o * (1 - tanh_c**2)
    du_i = dc * g * i * (1 - i)
    du_f = dc * c * f * (1 - f)
    du_g = dc * i * (1 - g**2)
    du_o = dh * tanh_c * o * (1 - o)
    du = np.concatenate([du_i, du_f, du_g, du_o], axis=1)
    return du @ Wx.T, du @ Wh.T, dc * f, x.T @ du, h.T @ du, du.sum(axis=0)


def _lstm_cell_by_gate_forward(x, h, c, Wx, Wh, b):
    # Four layers of their own, and the notes' [x, h]
    H = h.shape[1]
    joined, W = np.concatenate([x, h], axis=1), np.concatenate([Wx, Wh])
    blocks = [slice(k * H, (k + 1) * H) for k in range(4)]
    gates = [1 / (1 + np.exp(-(joined @ W[:, k] + b[k]))) for k in blocks]
    gates[2] = np.tanh(joined @ W[:, blocks[2]] + b[blocks[2]])
    new = gates[1] * c + gates[0] * gates[2]
    return (
        gates[3] * np.tanh(new),
        new,
        {"joined": joined, "W": W, "gates": gates, "old": c, "new": new, "D": x.shape[1]},
    )


def _lstm_cell_by_gate_backward(dh, dc, cache):
    i, f, g, o = cache["gates"]
    total = dc + dh * o / np.cosh(cache["new"]) ** 2
    du = np.hstack(
        [
            i * (1 - i) * g * total,
            f * (1 - f) * cache["old"] * total,
            (1 - g) * (1 + g) * i * total,
            o * (1 - o) * np.tanh(cache["new"]) * dh,
        ]
    )
    both, dW, D = np.einsum("nk,jk->nj", du, cache["W"]), np.einsum("nj,nk->jk", cache["joined"], du), cache["D"]
    return both[:, :D], both[:, D:], f * total, dW[:D], dW[D:], du.sum(0)


def _lstm(wrong=""):
    def lstm_forward(X, h0, c0, Wx, Wh, b):
        h = np.zeros_like(h0) if wrong == "initial_state_ignored" else h0
        c = np.zeros_like(c0) if wrong == "initial_memory_ignored" else c0
        states, steps = [h], []
        for t in range(X.shape[1]):
            h = h0 if wrong == "state_not_carried" else h
            c = c0 if wrong == "memory_restarts" else c
            u = X[:, t] @ Wx + h @ Wh
            h, c, gates = _lstm_step(u if wrong == "bias_forgotten" else u + b, h, c, wrong)
            states.append(h)
            steps.append(gates)
        handed = (c, h) if wrong == "state_and_memory_swapped" else (h, c)
        H = np.stack([gates[6] for gates in steps] if wrong == "memory_returned" else states[1:], axis=1)
        return H, handed, (X, Wx, Wh, states, steps)

    def lstm_backward(dH, cache, dhT=None, dcT=None):
        X, Wx, Wh, states, steps = cache
        if wrong == "handed_over_gradients_ignored":
            dhT = dcT = None
        dh = np.zeros_like(states[0]) if dhT is None else dhT
        dc = np.zeros_like(states[0]) if dcT is None else dcT
        dX, totals = [], None
        for t in reversed(range(X.shape[1])):
            if wrong in ("upstream_state_dropped", "upstream_h_dropped") and t < X.shape[1] - 1:
                dh = np.zeros_like(dh)
            if wrong in ("upstream_state_dropped", "upstream_c_dropped") and t < X.shape[1] - 1:
                dc = np.zeros_like(dc)
            if wrong == "mutates_gradient":
                dH[:, t] += dh
                dh = dH[:, t]
            else:
                dh = _asked(dH, t, wrong) + dh
            du, dc = _lstm_step_backward(dh, dc, steps[t], wrong)
            shares = X[:, t].T @ du, _before(states, t, wrong).T @ du, du.sum(axis=0)
            totals = _gather(totals, shares, wrong)
            dX.append(du @ Wx.T)
            dh = du @ Wh.T
        if wrong == "mean_for_sum":
            totals = [total / len(X) for total in totals]
        return _inputs(dX, wrong), dh, dc, *totals

    return lstm_forward, lstm_backward


def _lstm_shown_forward(X, h0, c0, Wx, Wh, b):
    h, c, states, caches = h0, c0, [], []
    for t in range(X.shape[1]):
        h, c, cache = lstm_cell_forward(X[:, t], h, c, Wx, Wh, b)
        states.append(h)
        caches.append(cache)
    return np.stack(states, axis=1), (h, c), caches


def _lstm_shown_backward(dH, cache, dhT=None, dcT=None):
    dh = np.zeros_like(dH[:, 0]) if dhT is None else dhT
    dc = np.zeros_like(dH[:, 0]) if dcT is None else dcT
    dX, dWx, dWh, db = [], 0, 0, 0
    for t in reversed(range(dH.shape[1])):
        dx, dh, dc, *shares = lstm_cell_backward(dH[:, t] + dh, dc, cache[t])
        dX.append(dx)
        dWx, dWh, db = dWx + shares[0], dWh + shares[1], db + shares[2]
    return np.stack(dX[::-1], axis=1), dh, dc, dWx, dWh, db


def _lstm_in_one_product_forward(X, h0, c0, Wx, Wh, b):
    # The inputs of all steps at once, gates on an axis of their own
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


def _lstm_in_one_product_backward(dH, cache, dhT=None, dcT=None):
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


# --- GRU ------------------------------------------------------------------------------------------------------------


def _gru_order(wrong):
    return "zrn" if wrong == "gate_order" else "rzn"


def _gru_step(a, h, Wh, bh, reset_after, wrong):
    """The state after a step, and what the way back needs; a: the inputs' part of the preactivations."""
    order = _gru_order(wrong)
    after = {"reset_after": True, "option_ignored": False}.get(wrong, reset_after)
    U, c = (
        dict(zip("rzn", _split(Wh, order, "rzn"), strict=True)),
        dict(zip("rzn", _split(bh[None], order, "rzn"), strict=True)),
    )
    a = dict(zip("rzn", _split(a, order, "rzn"), strict=True))
    r, z = (_sigmoid(a[gate] + h @ U[gate] + c[gate]) for gate in "rz")
    used = np.ones_like(r) if wrong == "reset_missing" else z if wrong == "update_gate_for_reset" else r
    if wrong == "reset_on_the_input":
        s = h @ U["n"] + c["n"]
        u = used * (a["n"] + s)
    elif after:
        s = h @ U["n"] + c["n"]
        u = a["n"] + (used * (h @ U["n"]) + c["n"] if wrong == "bias_not_reset" else used * s)
    else:
        s = used * h
        u = a["n"] + s @ U["n"] + c["n"]
    n = _sigmoid(u) if wrong == "candidate_with_sigmoid" else np.tanh(u)
    if wrong == "update_gate_swapped":
        h_next = z * h + (1 - z) * n
    elif wrong == "old_state_not_scaled":
        h_next = h + z * n
    elif wrong == "candidate_not_scaled":
        h_next = (1 - z) * h + n
    else:
        h_next = (1 - z) * h + z * n
    return h_next, (h, r, z, n, s, after)


def _gru_step_backward(dh, gates, Wh, wrong):
    """The gradients at the inputs' and at the state's part of the preactivations (r, z, n), and at the state before."""
    h, r, z, n, s, after = gates
    U = dict(zip("rzn", _split(Wh, _gru_order(wrong), "rzn"), strict=True))
    du_n = dh * z * (n if wrong == "activation_for_derivative" else 1 - n * n)
    if wrong == "sigmoid_slope_for_candidate":
        du_n = dh * z * n * (1 - n)
    change = n if wrong == "old_state_forgotten" else h - n if wrong == "update_gate_sign" else n - h
    du_z = dh * change * _slope(z, wrong)
    if after:
        ds = du_n if wrong == "reset_missing_backward" else du_n * r
        dr, back = du_n * s, ds @ U["n"].T
    else:
        ds, back = du_n, du_n @ U["n"].T
        dr, back = back * h, back if wrong == "reset_missing_backward" else back * r
    du_r = dr * _slope(r, wrong)
    if wrong == "reset_never_learns":
        du_r = np.zeros_like(du_r)
    dh_before = np.zeros_like(dh) if wrong == "carry_path_missing" else dh * (1 - z)
    if wrong != "candidate_path_missing":
        dh_before = dh_before + back
    if wrong != "gate_paths_missing":
        dh_before = dh_before + du_r @ U["r"].T + du_z @ U["z"].T
    return (du_r, du_z, du_n), (du_r, du_z, ds), dh_before


def _gru_shares(x, h, gates, da, du, wrong):
    """(da, dWx, dWh, dbx, dbh) of one step, packed."""
    s, after = gates[4:]
    seen = h if after or wrong == "state_not_reset_in_weights" else s
    order = [("rzn").index(gate) for gate in _gru_order(wrong)]
    dWh = [h.T @ du[0], h.T @ du[1], seen.T @ du[2]]
    packed, state = (np.concatenate([parts[k] for k in order], axis=1) for parts in (da, du))
    if wrong == "one_bias_gradient":
        state = packed
    return packed, (
        x.T @ packed,
        np.concatenate([dWh[k] for k in order], axis=1),
        packed.sum(axis=0),
        state.sum(axis=0),
    )


def _gru_cell(wrong=""):
    def gru_cell_forward(x, h, Wx, Wh, bx, bh, reset_after=False):
        a = x @ Wx + bx
        h_next, gates = _gru_step(a, h, Wh, np.zeros_like(bh) if wrong == "bias_forgotten" else bh, reset_after, wrong)
        return h_next, (x, h_next, Wx, Wh, gates)

    def gru_cell_backward(dh, cache):
        x, h_next, Wx, Wh, gates = cache
        da, du, dh = _gru_step_backward(dh, gates, Wh, wrong)
        h = h_next if wrong == "off_by_one_state" else gates[0]
        packed, shares = _gru_shares(x, h, gates, da, du, wrong)
        if wrong == "mean_for_sum":
            shares = tuple(share / len(x) for share in shares)
        return packed @ Wx.T, dh, *shares

    return gru_cell_forward, gru_cell_backward


def _gru_cell_shown_forward(x, h, Wx, Wh, bx, bh, reset_after=False):
    H = h.shape[1]
    a, u = x @ Wx + bx, h @ Wh + bh
    r, z = sigmoid(a[:, :H] + u[:, :H]), sigmoid(a[:, H : 2 * H] + u[:, H : 2 * H])
    state_part = r * u[:, 2 * H :] if reset_after else (r * h) @ Wh[:, 2 * H :] + bh[2 * H :]
    n = np.tanh(a[:, 2 * H :] + state_part)
    return (1 - z) * h + z * n, (x, h, Wx, Wh, bh, r, z, n, reset_after)


def _gru_cell_shown_backward(dh, cache):
    x, h, Wx, Wh, bh, r, z, n, reset_after = cache
    H = h.shape[1]
    Un, cn = Wh[:, 2 * H :], bh[2 * H :]
    du_n = dh * z * (1 - n**2)
    du_z = dh * (n - h) * z * (1 - z)
    if reset_after:
        dr = du_n * (h @ Un + cn)
        ds, seen = du_n * r, h
        dh_n = ds @ Un.T
    else:
        ds, seen = du_n, r * h
        dr = (du_n @ Un.T) * h
        dh_n = (du_n @ Un.T) * r
    du_r = dr * r * (1 - r)
    da = np.concatenate([du_r, du_z, du_n], axis=1)
    du = np.concatenate([du_r, du_z, ds], axis=1)
    dh_before = dh * (1 - z) + dh_n + du[:, : 2 * H] @ Wh[:, : 2 * H].T
    dWh = np.concatenate([h.T @ du_r, h.T @ du_z, seen.T @ ds], axis=1)
    return da @ Wx.T, dh_before, x.T @ da, dWh, da.sum(axis=0), du.sum(axis=0)


def _gru_cell_by_gate_forward(x, h, Wx, Wh, bx, bh, reset_after=False):
    (Wr, Wz, Wn), (Ur, Uz, Un) = np.split(Wx, 3, axis=1), np.split(Wh, 3, axis=1)
    (br, bz, bn), (cr, cz, cn) = np.split(bx, 3), np.split(bh, 3)
    r = 1 / (1 + np.exp(-(x @ Wr + br + h @ Ur + cr)))
    z = 1 / (1 + np.exp(-(x @ Wz + bz + h @ Uz + cz)))
    inner = h @ Un + cn
    n = np.tanh(x @ Wn + bn + (r * inner if reset_after else (h * r) @ Un + cn))
    return h + z * (n - h), (x, h, (Wr, Wz, Wn), (Ur, Uz, Un), r, z, n, inner if reset_after else None)


def _gru_cell_by_gate_backward(dh, cache):
    x, h, (Wr, Wz, Wn), (Ur, Uz, Un), r, z, n, inner = cache
    an = z * dh * (1 - n) * (1 + n)
    az = z * dh * (1 - z) * (n - h)
    if inner is None:
        through = np.einsum("nk,jk->nj", an, Un)
        ar, sn, dh_n, dUn = through * h * r * (1 - r), an, through * r, (r * h).T @ an
    else:
        ar, sn = an * inner * r * (1 - r), an * r
        dh_n, dUn = sn @ Un.T, h.T @ sn
    return (
        ar @ Wr.T + az @ Wz.T + an @ Wn.T,
        dh - z * dh + dh_n + ar @ Ur.T + az @ Uz.T,
        np.hstack([x.T @ ar, x.T @ az, x.T @ an]),
        np.hstack([h.T @ ar, h.T @ az, dUn]),
        np.hstack([ar, az, an]).sum(0),
        np.hstack([ar, az, sn]).sum(0),
    )


def _gru(wrong=""):
    def gru_forward(X, h0, Wx, Wh, bx, bh, reset_after=False):
        h = np.zeros_like(h0) if wrong == "initial_state_ignored" else h0
        states, steps = [h], []
        for t in range(X.shape[1]):
            h = h0 if wrong == "state_not_carried" else h
            h, gates = _gru_step(X[:, t] @ Wx + bx, h, Wh, bh, reset_after, wrong)
            states.append(h)
            steps.append(gates)
        return np.stack(states[1:], axis=1), (X, Wx, Wh, states, steps)

    def gru_backward(dH, cache):
        X, Wx, Wh, states, steps = cache
        dh, dX, totals = np.zeros_like(states[0]), [], None
        for t in reversed(range(X.shape[1])):
            if wrong == "upstream_state_dropped":
                dh = np.zeros_like(dh)
            if wrong == "mutates_gradient":
                dH[:, t] += dh
                dh = dH[:, t]
            else:
                dh = _asked(dH, t, wrong) + dh
            da, du, dh = _gru_step_backward(dh, steps[t], Wh, wrong)
            packed, shares = _gru_shares(X[:, t], _before(states, t, wrong), steps[t], da, du, wrong)
            totals = _gather(totals, shares, wrong)
            dX.append(packed @ Wx.T)
        if wrong == "mean_for_sum":
            totals = [total / len(X) for total in totals]
        return _inputs(dX, wrong), dh, *totals

    return gru_forward, gru_backward


def _gru_shown_forward(X, h0, Wx, Wh, bx, bh, reset_after=False):
    h, states, caches = h0, [], []
    for t in range(X.shape[1]):
        h, cache = gru_cell_forward(X[:, t], h, Wx, Wh, bx, bh, reset_after)
        states.append(h)
        caches.append(cache)
    return np.stack(states, axis=1), caches


def _gru_shown_backward(dH, cache):
    dh = np.zeros_like(dH[:, 0])
    dX, totals = [], [0, 0, 0, 0]
    for t in reversed(range(dH.shape[1])):
        dx, dh, *shares = gru_cell_backward(dH[:, t] + dh, cache[t])
        dX.append(dx)
        totals = [total + share for total, share in zip(totals, shares, strict=True)]
    return np.stack(dX[::-1], axis=1), dh, *totals


def _gru_recursive_forward(X, h0, Wx, Wh, bx, bh, reset_after=False):
    # The first step, then the rest of the sequence
    h, cache = _gru_cell_by_gate_forward(X[:, 0], h0, Wx, Wh, bx, bh, reset_after)
    if X.shape[1] == 1:
        return h[:, None], [cache]
    H, caches = _gru_recursive_forward(X[:, 1:], h, Wx, Wh, bx, bh, reset_after)
    return np.concatenate([h[:, None], H], axis=1), [cache, *caches]


def _gru_recursive_backward(dH, cache):
    if len(cache) == 1:
        dx, *rest = _gru_cell_by_gate_backward(dH[:, 0], cache[0])
        return dx[:, None], *rest
    dX, dh, *later = _gru_recursive_backward(dH[:, 1:], cache[1:])
    dx, dh, *first = _gru_cell_by_gate_backward(dH[:, 0] + dh, cache[0])
    return np.concatenate([dx[:, None], dX], axis=1), dh, *(a + b for a, b in zip(first, later, strict=True))


# --- the exercises --------------------------------------------------------------------------------------------------

_CONVENTIONS = {"gate_order", "reset_after", "update_gate_swapped", "mean_for_sum", "time_major"}

_THROUGH_TIME = {
    "upstream_state_dropped": "Each step gets only what the loss asks of it directly. A state also feeds the step after it: what comes back from there belongs to its gradient, too.",
    "per_step_grad_dropped": "Only the last step's `dH` is used. The loss may look at every state: each step has a `dH[:, t]` of its own, besides what comes back from the step after it.",
    "off_by_one_state": "Wh multiplied the state *before* the step. Which of the states did you put into its gradient? Look at the first step, too: there it is `h0`, while an index of t − 1 = −1 takes the very last state.",
    "weights_overwritten": "Your weights' gradients are those of the first step alone: the later ones were written over. The same weights work at every step, so what do their gradients do?",
    "steps_not_reversed": "The numbers of `dX` are right, but in reverse: you walk from the last step to the first, and the list grows in that order.",
    "initial_state_ignored": "The sequence does not have to begin at a state of zero: `h0` is given.",
    "state_not_carried": "Every step starts from `h0`. What does the second step remember of the first?",
    "mutates_gradient": "`dH[:, t] += …` writes into the caller's array. Make a new one: `dH[:, t] + …`.",
    "mean_for_sum": "You divide by the number of sequences. If the loss is a mean, that factor is in `dH` already; the backward pass only adds up.",
}

_SLOPES = {
    "activation_for_derivative": "Going back through a sigmoid or a tanh needs its slope. You multiply with its value.",
    "bias_forgotten": "The bias is missing: without it no gate can stand open or closed by itself, whatever comes in.",
    "candidate_with_sigmoid": "The gates run from 0 to 1, the candidate from −1 to 1: which function does that?",
    "sigmoid_slope_for_candidate": "s(1 − s) is the sigmoid's slope. The candidate went through tanh.",
}

_RNN_HINTS = {
    "activation_for_derivative": "Going back through tanh needs its slope at that step. You multiply with its value, the state itself.",
    "derivative_at_output": "The state is tanh(u) already. You took tanh of it once more before building the slope.",
    "sigmoid_derivative": "h(1 − h) is the sigmoid's slope. Which slope has tanh, written with its value h?",
    "derivative_missing": "The gradient passes the tanh on its way from h to u. Where is its slope?",
    "missing_transpose": "Forward, the state is multiplied with `Wh` from the right. Compare with a linear layer: what multiplies dU there to give dX?",
    "one_step_back": "The gradient comes back one step and no further: hand on everything that arrived at a step, not only what the loss asks of it.",
    "bias_from_activation_grad": "The bias is added inside the tanh, so its gradient passes the slope, too. Which array do you sum?",
    "initial_state_gradient": "All right but `dh0`: from δ at the first step one product is left to the state before it.",
    "bias_forgotten": "The bias is missing inside the tanh.",
    "activation_forgotten": "Nothing is squashed: the new state is the tanh of the sum.",
    "sigmoid": "This recurrent network uses tanh, from −1 to 1; yours uses the sigmoid.",
    "time_major": "Your loop runs over the first axis. Here the sequences come first, X is (N, T, D), and time is the second axis.",
}

_LSTM_STEP = {
    "gate_order": "You read the four blocks in another library's order. Here they lie as i, f, g, o, in the weights, the bias and their gradients.",
    "forget_input_swapped": "The gates f and i are exchanged: which of them scales the old memory, and which the candidate? In the arrays i comes first, though the notes write f first.",
    "output_without_tanh": "The memory may grow without bound; before the output gate shows it, it is squashed.",
    "candidate_with_sigmoid": _SLOPES["candidate_with_sigmoid"],
    "memory_replaced": "Your memory keeps nothing of what it was. One gate is for the old memory.",
    "candidate_not_gated": "The whole candidate enters the memory. One gate says how much of it does.",
    "forget_gate_on_the_candidate": "The forget gate scales the old memory only; yours scales the new share as well. Look at the brackets.",
    "old_memory_shown": "h shows the memory *after* the step; you took the one before it.",
    "bias_forgotten": _SLOPES["bias_forgotten"],
    "activation_for_derivative": _SLOPES["activation_for_derivative"],
    "sigmoid_slope_for_candidate": _SLOPES["sigmoid_slope_for_candidate"],
    "gates_not_differentiated": "Your gradients stop at the gates' values. Each gate came out of a sigmoid: its slope is one more factor.",
    "memory_slope_missing": "From h back to the memory the gradient passes a tanh, and with it a slope.",
    "memory_slope_of_c": "tanh's slope is 1 − tanh². You squared the memory itself.",
    "state_path_missing": "The memory gets a gradient from two sides: from the next step's memory, dc, and from the state that showed it, dh. The second is missing.",
    "memory_after_for_before": "The forget gate multiplied the memory *before* the step. You used the one after it.",
    "partners_swapped": "In i ⊙ g each factor's gradient has the *other* as its factor. Yours has itself.",
    "output_gate_sees_memory": "The output gate multiplied tanh(c), not c.",
    "forget_gate_missing_backward": "The old memory entered the new one through a gate. The gradient goes back through the same one.",
    "memory_gradient_partial": "What goes back to the old memory is only the part that came in as dc. Add what the state asked of the memory first, then go through the gate.",
}

_GRU_STEP = {
    "gate_order": "You read the blocks in the order z, r, n (as Keras has it). Here they lie as r, z, n.",
    "reset_missing": "The candidate sees the whole old state. The reset gate decides how much of it the candidate may use.",
    "reset_after": "You let the reset gate act after the product with U_n in every case. That is right for `reset_after=True` only; otherwise it scales the state before the product.",
    "option_ignored": "Right for `reset_after=False` only. With True the reset gate acts on h U_n + c_n.",
    "update_gate_swapped": "With you z is the share of the old state, as in PyTorch. Here z is the share of the new: z near 1 takes the candidate.",
    "reset_on_the_input": "The reset gate scales what comes from the old state, not the input's part of the candidate.",
    "update_gate_for_reset": "The candidate uses the update gate z. The other gate belongs there.",
    "candidate_with_sigmoid": _SLOPES["candidate_with_sigmoid"],
    "old_state_not_scaled": "The old state enters whole. The gate trades: as much as z takes of the new, it gives up of the old.",
    "candidate_not_scaled": "The candidate enters whole. The gate says how much of it does.",
    "bias_not_reset": "With `reset_after=True` the state's bias c_n stands inside the bracket that the reset gate scales.",
    "activation_for_derivative": _SLOPES["activation_for_derivative"],
    "sigmoid_slope_for_candidate": _SLOPES["sigmoid_slope_for_candidate"],
    "update_gate_sign": "The update gate's gradient has the wrong sign: when z grows, h moves from the old state towards the candidate.",
    "old_state_forgotten": "z stands twice in the new state, once as 1 − z. Both places have a share in its gradient.",
    "carry_path_missing": "The old state also goes straight into the new one, past all gates. That path has a gradient, too.",
    "candidate_path_missing": "The old state also enters the candidate. What comes back that way is missing in dh.",
    "gate_paths_missing": "The old state also decides the two gates. What comes back through them is missing in dh.",
    "reset_missing_backward": "On its way back from the candidate to the old state the gradient passes the reset gate.",
    "reset_never_learns": "The reset gate gets no gradient. What did r multiply?",
    "state_not_reset_in_weights": "Without `reset_after`, U_n multiplied r ⊙ h. Its gradient has that as a factor, not h.",
    "one_bias_gradient": "The two biases have the same gradient except in the candidate with `reset_after`: the reset gate scales one of them and not the other.",
}

_CELL = {
    "off_by_one_state": "Wh multiplied the state *before* the step. You put the one after it into its gradient.",
    "mean_for_sum": "You divide by the number of examples. If the loss is a mean, that factor is in the upstream gradient already; the backward pass only adds up.",
}


# Other ways of making the same mistake, in sequences and in LSTMs
_ALSO = {"off_by_one_state": ("first_state_wraps_round",), "gate_order": ("gate_order_candidate_second",)}


def _mistakes(family, *tables, but=()):
    """The family's mistakes, one for each entry of the tables."""
    hints = {slug: hint for table in tables for slug, hint in table.items() if slug not in but}
    without = {_lstm_cell: "off_by_one_state", _gru: "gate_order"}.get(family)
    return [
        Mistake(
            slug,
            family(slug),
            hint,
            convention=slug in _CONVENTIONS,
            also=[family(way) for way in _ALSO.get(slug, ()) if family is not _gru_cell and slug != without],
        )
        for slug, hint in hints.items()
    ]


EXERCISES = [
    Exercise(
        "recurrent.rnn",
        (recurrent.rnn_forward, recurrent.rnn_backward),
        _rnn_cases,
        _mistakes(_rnn, _THROUGH_TIME, _RNN_HINTS),
        [
            (_rnn_shown_forward, _rnn_shown_backward),
            (_rnn_joined_forward, _rnn_joined_backward),
            (_rnn_by_example_forward, _rnn_by_example_backward),
        ],
        points=4,
        minutes=25,
        why="Backpropagation through time is the chain rule with one twist: a state is used twice, by the loss and by the next step.",
        hints=(
            "Forward: one loop over the steps, `X[:, t]`; keep every state, the first one included, for the way back.",
            "Backward: the same loop from the last step to the first. Carry `dh`, what the step after sends back; it begins at zero.",
            "At each step: δ = (dH[:, t] + dh) times tanh's slope, 1 − h². From δ come this step's dx, its share of the three gradients of the weights, and the next `dh`.",
            "The shares of all steps add up, since the weights are the same at every step.",
        ),
        solution=(_rnn_shown_forward, _rnn_shown_backward),
    ),
    Exercise(
        "recurrent.lstm_cell",
        (recurrent.lstm_cell_forward, recurrent.lstm_cell_backward),
        _lstm_cell_cases,
        _mistakes(
            _lstm_cell,
            _LSTM_STEP,
            {
                "memory_gradient_dropped": "The backward function gets two gradients, and you use dh alone: dc is what the next step asks of the memory.",
                "bias_not_summed": "The bias is one vector for all examples: sum its gradient over them.",
            },
            _CELL,
        ),
        [
            (_lstm_cell_shown_forward, _lstm_cell_shown_backward),
            (_lstm_cell_by_gate_forward, _lstm_cell_by_gate_backward),
            _lstm_cell(),
        ],
        points=4,
        minutes=25,
        why="The memory is only scaled and added to: that is why an LSTM remembers over hundreds of steps, and here you see where its gradient passes.",
        hints=(
            "Forward: one product makes all four preactivations side by side; `np.split(u, 4, axis=1)` takes them apart.",
            "Backward, first the memory: its whole gradient is dc plus what comes from h through o and tanh.",
            "Then each gate: the memory's gradient, times what the gate was multiplied with, times the gate's own slope, s(1 − s) or 1 − g². The output gate gets its gradient from h.",
            "Put the four side by side in the order i, f, g, o; from there on it is a linear layer with two inputs.",
        ),
        driver=pair_of_many,
        parts=("forward", "backward"),
        solution=(_lstm_cell_shown_forward, _lstm_cell_shown_backward),
    ),
    Exercise(
        "recurrent.gru_cell",
        (recurrent.gru_cell_forward, recurrent.gru_cell_backward),
        _gru_cell_cases,
        _mistakes(
            _gru_cell,
            _GRU_STEP,
            {"bias_forgotten": "The second bias, bh, is missing: it belongs to the state's part of each gate."},
            _CELL,
        ),
        [
            (_gru_cell_shown_forward, _gru_cell_shown_backward),
            (_gru_cell_by_gate_forward, _gru_cell_by_gate_backward),
            _gru_cell(),
        ],
        points=4,
        minutes=30,
        why="Two conventions in one cell: whoever loads another library's GRU weights has to know on which side of the product the reset gate stands.",
        hints=(
            "The blocks r and z are ordinary gates. Only the candidate treats its two parts, input and state, differently.",
            "Backward, from h = (1 − z) ⊙ h + z ⊙ n: three things get a gradient, n, z and the old state.",
            "Write the two forms of n as two branches. In each: what multiplied r, what multiplied U_n?",
            "The old state is used in four places: directly, in the candidate, in r and in z. Its gradient is the sum of all four.",
        ),
        solution=(_gru_cell_shown_forward, _gru_cell_shown_backward),
    ),
    Exercise(
        "recurrent.gru",
        (recurrent.gru_forward, recurrent.gru_backward),
        _gru_cases,
        _mistakes(
            _gru,
            _THROUGH_TIME,
            _GRU_STEP,
            but=("candidate_not_scaled", "old_state_not_scaled", "reset_on_the_input", "update_gate_for_reset"),
        ),
        [(_gru_shown_forward, _gru_shown_backward), (_gru_recursive_forward, _gru_recursive_backward), _gru()],
        points=3,
        minutes=15,
        why="Through time every cell works alike: the loop you wrote for the simple network, with another step inside.",
        hints=(
            "Call your `gru_cell_forward` at every step and keep its cache in a list.",
            "Backward: from the last step to the first, your `gru_cell_backward` with that step's cache, and `dH[:, t] + dh`.",
            "Its `dh` goes to the step before; the weights' gradients of all steps add up.",
        ),
        solution=(_gru_shown_forward, _gru_shown_backward),
    ),
    Exercise(
        "recurrent.lstm",
        (recurrent.lstm_forward, recurrent.lstm_backward),
        _lstm_cases,
        _mistakes(
            _lstm,
            _THROUGH_TIME,
            {
                "upstream_h_dropped": "The memory's gradient is handed back from step to step, the state's is not. A state also decides the next step's gates.",
                "upstream_c_dropped": "The state's gradient is handed back from step to step, the memory's is not: that is the long way along which an LSTM learns.",
                "handed_over_gradients_ignored": "`dhT` and `dcT` are not used: whoever goes on with `(hT, cT)` sends gradients back to them. They are where dh and dc begin.",
                "initial_memory_ignored": "The memory does not have to begin at zero: `c0` is given.",
                "memory_restarts": "Every step starts from `c0`. The memory is what should be carried on.",
                "state_and_memory_swapped": "The pair at the end is `(hT, cT)`, the state first.",
                "memory_returned": "H holds the states h of all steps. Yours holds the memories c.",
            },
            _LSTM_STEP,
            but=("candidate_not_gated", "forget_gate_on_the_candidate"),
        ),
        [
            (_lstm_shown_forward, _lstm_shown_backward),
            (_lstm_in_one_product_forward, _lstm_in_one_product_backward),
            _lstm(),
        ],
        points=4,
        minutes=20,
        why="The whole LSTM, both ways: before attention, this was how machines translated and took dictation.",
        hints=(
            "Forward: your `lstm_cell_forward` at every step; it hands on two things, h and c.",
            "Backward: begin with dh = dhT and dc = dcT, or zeros where they are None.",
            "At each step from the last to the first: `lstm_cell_backward(dH[:, t] + dh, dc, cache)` gives dx, the next dh and dc, and three shares that add up.",
        ),
        driver=pair_of_many,
        parts=("forward", "backward"),
        solution=(_lstm_shown_forward, _lstm_shown_backward),
    ),
]
