"""Adagrad: every weight's rate falls with the sum of its squared gradients."""

import numpy as np

from dlcourse import optimizers

from ...checks.exercise import Exercise, Mistake, slip, steps
from ._shared import RECREATED, STATE_MUTATES, ascent, divisor_mistakes, mutates_weights, optimizer_cases

# --- solution -------------------------------------------------------------------------------------------------------


def adagrad_step(w, dw, state, lr=0.01, eps=1e-8):
    r = state.r + dw**2
    return w - lr * dw / (np.sqrt(r) + eps), state._replace(r=r)


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("adagrad_excludes_current", slip("np.sqrt(r)", "np.sqrt(state.r)"),
        "The first step is enormous: nothing is in the sum yet, so you divide by ε alone (the notes slip here, E34). "
        "When is the current gradient added?"),
    *divisor_mistakes("r"),
    ascent("lr * dw / (np.sqrt(r) + eps)"),
    Mistake("velocity_recreated", slip("state.r + ", ""), RECREATED),
    Mistake("average_for_sum", slip("state.r + dw**2", "0.9 * state.r + 0.1 * dw**2"),
        "The old squares fade: that is RMSprop. Adagrad forgets nothing, it adds up."),
    Mistake("one_rate_for_all", slip("dw**2", "np.sum(dw**2)"),
        "The squares of all weights are added into one. Each weight has a separate sum; that is what adaptive means "
        "here."),
    Mistake("absolute_for_square", slip("dw**2", "np.abs(dw)", "np.sqrt(r)", "r"),
        "You add up absolute values. The rule adds up squares and takes the root of the sum."),
    Mistake("square_of_sum", slip("state.r + dw**2", "(np.sqrt(state.r) + dw) ** 2"),
        "Square first, then add: otherwise gradients of opposite sign cancel."),
    mutates_weights("lr * dw / (np.sqrt(r) + eps)"),
    Mistake("mutates_state", slip("r = state.r + dw**2", "r = state.r\n    r += dw**2"), STATE_MUTATES),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def rates(w, dw, state, lr=0.01, eps=1e-8):
    r = np.square(dw) + state[0]
    rates = lr / (r**0.5 + eps)
    return w - rates * dw, (r,)


def loop(w, dw, state, lr=0.01, eps=1e-8):
    w, r = w.copy(), state.r.copy()
    for i in np.ndindex(w.shape):
        r[i] += dw[i] ** 2
        w[i] -= lr * dw[i] / (np.sqrt(r[i]) + eps)
    return w, type(state)(r)


EXERCISE = Exercise("optimizers.adagrad_step", optimizers.adagrad_step, optimizer_cases("adagrad", eps=0.05), MISTAKES,
    variants=[rates, loop], solution=adagrad_step, points=2,
    why="Every weight gets a separate learning rate: rare features take long steps.",
    hints=("First the sum of squares, this step's gradient included; then the step.",
           "All of it entry by entry: `dw**2`, `np.sqrt(r)`.",
           "ε is added to the root, not under it."),
    driver=steps)  # fmt: skip
