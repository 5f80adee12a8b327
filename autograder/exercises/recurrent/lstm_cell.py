"""One step of an LSTM."""

import numpy as np

from dlcourse import recurrent
from dlcourse.activations import sigmoid

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, pair_of_many, slip
from . import _shared as shared

# --- solution ---------------------------------------------------------------------------------------------------------


def lstm_cell_forward(x, h, c, Wx, Wh, b):
    i, f, g, o = np.split(x @ Wx + h @ Wh + b, 4, axis=1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c_next = f * c + i * g
    tanh_c = np.tanh(c_next)
    return o * tanh_c, c_next, (x, h, c, Wx, Wh, i, f, g, o, tanh_c)


def lstm_cell_backward(dh, dc, cache):
    x, h, c, Wx, Wh, i, f, g, o, tanh_c = cache
    dc = dc + dh * o * (1 - tanh_c**2)
    du_i = dc * g * i * (1 - i)
    du_f = dc * c * f * (1 - f)
    du_g = dc * i * (1 - g**2)
    du_o = dh * tanh_c * o * (1 - o)
    du = np.concatenate([du_i, du_f, du_g, du_o], axis=1)
    return du @ Wx.T, du @ Wh.T, dc * f, x.T @ du, h.T @ du, du.sum(axis=0)


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, D, H, dh=1.0, dc=1.0, hidden=False):
        gradients = dh * rng.standard_normal((N, H)), dc * rng.standard_normal((N, H))
        return Case(name, shared.step(rng, N, D, H, gates=4, biases=1, states=2), dout=gradients, hidden=hidden)

    return [
        case("three examples", 3, 2, 4),
        enlarged(case("one example", 1, 3, 2), 0, 2, small=(3,)),
        enlarged(case("as many examples as inputs and units", 3, 3, 3)),
        case("a gradient from the state only", 2, 3, 4, dc=0.0),
        case("a gradient from the memory only", 2, 4, 3, dh=0.0),
        in_float32(case("", 4, 2, 3)),
        case("one input", 2, 1, 3),
        case("one unit", 5, 2, 1, hidden=True),
    ]


# --- mistakes ---------------------------------------------------------------------------------------------------------

READ, PACKED = "i, f, g, o = np.split(", "[du_i, du_f, du_g, du_o]"
TO_MEMORY = "dc = dc + dh * o * (1 - tanh_c**2)"
GRADIENTS = "x.T @ du, h.T @ du, du.sum(axis=0)"

# The cache with the new memory, for slips that take it where tanh(c) or the old one belongs
WITH_MEMORY = ("o, tanh_c)", "o, tanh_c, c_next)", "o, tanh_c = cache", "o, tanh_c, c_next = cache")

# Also made in an LSTM over a sequence
STATE_AFTER = slip("c_next, (x, h, c", "c_next, (x, o * tanh_c, c")

MISTAKES = [
    Mistake("gate_order", slip(READ, "i, f, o, g = np.split(", PACKED, "[du_i, du_f, du_o, du_g]"),
        "You read the four blocks in another library's order. Here they lie as i, f, g, o, in the weights, the bias "
        "and their gradients.", convention=True,
        also=[slip(READ, "i, g, f, o = np.split(", PACKED, "[du_i, du_g, du_f, du_o]")]),
    Mistake("forget_input_swapped", slip(READ, "f, i, g, o = np.split(", PACKED, "[du_f, du_i, du_g, du_o]"),
        "The gates f and i are exchanged: which of them scales the old memory, and which the candidate? In the arrays "
        "i comes first, though the notes write f first."),
    Mistake("output_without_tanh", slip("np.tanh(c_next)", "c_next", " * (1 - tanh_c**2)", ""),
        "The memory may grow without bound; before the output gate shows it, it is squashed."),
    Mistake("candidate_with_sigmoid", slip("np.tanh(g)", "sigmoid(g)", "(1 - g**2)", "g * (1 - g)"),
        shared.SIGMOID_FOR_CANDIDATE),
    Mistake("memory_replaced", slip("f * c + i * g", "i * g"),
        "Your memory keeps nothing of what it was. One gate is for the old memory."),
    Mistake("candidate_not_gated", slip("f * c + i * g", "f * c + g"),
        "The whole candidate enters the memory. One gate says how much of it does."),
    Mistake("forget_gate_on_the_candidate", slip("f * c + i * g", "f * (c + i * g)"),
        "The forget gate scales the old memory only; yours scales the new share as well. Look at the brackets."),
    Mistake("old_memory_shown", slip("np.tanh(c_next)", "np.tanh(c)"),
        "h shows the memory *after* the step; you took the one before it."),
    Mistake("bias_forgotten", slip("h @ Wh + b", "h @ Wh"),
        "The bias is missing: without it no gate can stand open or closed by itself, whatever comes in."),
    Mistake("activation_for_derivative",
        slip("i * (1 - i)", "i", "f * (1 - f)", "f", "(1 - g**2)", "g", "o * (1 - o)", "o"),
        shared.VALUE_FOR_SLOPE),
    Mistake("sigmoid_slope_for_candidate", slip("(1 - g**2)", "g * (1 - g)"), shared.SIGMOID_SLOPE),
    Mistake("gates_not_differentiated", slip(" * i * (1 - i)", "", " * f * (1 - f)", "", " * o * (1 - o)", ""),
        "Your gradients stop at the gates' values. Each gate came out of a sigmoid: its slope is one more factor."),
    Mistake("memory_slope_missing", slip(" * (1 - tanh_c**2)", ""),
        "From h back to the memory the gradient passes a tanh, and with it a slope."),
    Mistake("memory_slope_of_c", slip("tanh_c**2", "c_next**2", *WITH_MEMORY),
        "tanh's slope is 1 − tanh². You squared the memory itself."),
    Mistake("state_path_missing", slip(f"    {TO_MEMORY}\n", ""),
        "The memory gets a gradient from two sides: from the next step's memory, dc, and from the state that showed "
        "it, dh. The second is missing."),
    Mistake("memory_after_for_before", slip("dc * c * f", "dc * c_next * f", *WITH_MEMORY),
        "The forget gate multiplied the memory *before* the step. You used the one after it."),
    Mistake("partners_swapped", slip("dc * i * (1 - g**2)", "dc * g * (1 - g**2)", "dc * g * i", "dc * i * i"),
        "In i ⊙ g each factor's gradient has the *other* as its factor. Yours has itself."),
    Mistake("output_gate_sees_memory", slip("dh * tanh_c", "dh * c_next", *WITH_MEMORY),
        "The output gate multiplied tanh(c), not c."),
    Mistake("forget_gate_missing_backward", slip("dc * f, x.T", "dc, x.T"),
        "The old memory entered the new one through a gate. The gradient goes back through the same one."),
    Mistake("memory_gradient_partial",
        slip(TO_MEMORY, TO_MEMORY.replace("dc = dc", "dc_next, dc = dc, dc"), "dc * f, x.T", "dc_next * f, x.T"),
        "What goes back to the old memory is only the part that came in as dc. Add what the state asked of the memory "
        "first, then go through the gate."),
    Mistake("memory_gradient_dropped", slip("dc = dc + dh", "dc = dh"),
        "The backward function gets two gradients, and you use dh alone: dc is what the next step asks of the memory."),
    Mistake("bias_not_summed", slip("du.sum(axis=0)", "du"),
        "The bias is one vector for all examples: sum its gradient over them."),
    Mistake("off_by_one_state", STATE_AFTER, shared.STATE_AFTER),
    Mistake("mean_for_sum", slip(GRADIENTS, "x.T @ du / len(x), h.T @ du / len(x), du.mean(axis=0)"),
        shared.MEAN, convention=True),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def by_gate_forward(x, h, c, Wx, Wh, b):
    # Four layers, and the notes' [x, h]
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


def by_gate_backward(dh, dc, cache):
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


EXERCISE = Exercise("recurrent.lstm_cell", (recurrent.lstm_cell_forward, recurrent.lstm_cell_backward), cases, MISTAKES,
    variants=[(by_gate_forward, by_gate_backward)], solution=(lstm_cell_forward, lstm_cell_backward),
    driver=pair_of_many, parts=("forward", "backward"), points=0,
    why="The memory is only scaled and added to: that is why an LSTM remembers over hundreds of steps, and here you "
        "see where its gradient passes.",
    hints=("Forward: one product makes all four preactivations side by side; `np.split(u, 4, axis=1)` takes them "
           "apart.",
           "Backward, first the memory: its whole gradient is dc plus what comes from h through o and tanh.",
           "Then each gate: the memory's gradient, times what the gate was multiplied with, times the gate's own "
           "slope, s(1 − s) or 1 − g². The output gate gets its gradient from h.",
           "Put the four side by side in the order i, f, g, o; from there on it is a linear layer with two "
           "inputs."))  # fmt: skip
