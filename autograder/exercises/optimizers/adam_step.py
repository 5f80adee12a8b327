"""Adam: two running averages, corrected for their start at zero."""

import math

import numpy as np

from dlcourse import optimizers

from ...checks.exercise import Exercise, Mistake, slip, steps
from ._shared import ADAM_CHANGE, ADAM_MISTAKES, mutates_weights, optimizer_cases

# --- solution -------------------------------------------------------------------------------------------------------


def adam_step(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    t = state.t + 1
    m = beta1 * state.m + (1 - beta1) * dw
    v = beta2 * state.v + (1 - beta2) * dw**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return w - lr * m_hat / (np.sqrt(v_hat) + eps), state._replace(t=t, m=m, v=v)


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    *ADAM_MISTAKES,
    Mistake("betas_swapped", slip("    t = ", "    beta1, beta2 = beta2, beta1\n    t = "),
        "β₁ and β₂ are exchanged: β₁ belongs to the gradients, β₂ to their squares, which are averaged over longer."),
    Mistake("beta2_fixed", slip("    t = ", "    beta2 = 0.99\n    t = "),
        "β₂ is not the one that was given: 0.99 is in your code, as in notes 004 (E36). Use the argument."),
    mutates_weights(ADAM_CHANGE),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def one_factor(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    t, m, v = state
    t += 1
    m = m + (1 - beta1) * (dw - m)
    v = v + (1 - beta2) * (np.square(dw) - v)
    root = math.sqrt(1 - beta2**t)
    # Both corrections in one factor, as in section 2 of the paper; ε is scaled with the root
    return w - lr * root / (1 - beta1**t) * m / (np.sqrt(v) + eps * root), (t, m, v)


def loop(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    w, m, v, t = w.copy(), state.m.copy(), state.v.copy(), state.t + 1
    for i in np.ndindex(w.shape):
        m[i] = beta1 * m[i] + (1 - beta1) * dw[i]
        v[i] = beta2 * v[i] + (1 - beta2) * dw[i] * dw[i]
        w[i] -= lr * (m[i] / (1 - beta1**t)) / (np.sqrt(v[i] / (1 - beta2**t)) + eps)
    return w, type(state)(t, m, v)


EXERCISE = Exercise("optimizers.adam_step", optimizers.adam_step,
    optimizer_cases("adam", beta1=0.7, beta2=0.9, eps=0.05), MISTAKES, variants=[one_factor, loop], solution=adam_step,
    points=3,
    why="What most networks are trained with; three of the five notes write it down, and each slips somewhere.",
    hints=("Begin with the count: `t = state.t + 1`, so the first step has t = 1.",
           "Then m and v, two running averages, of g and of g².",
           "m̂ and v̂ are for this step only; the state gets m and v as they were before the correction.",
           "After 20 steps with the constant gradient 1 and η = 0.001, w must have moved by −0.02."),
    driver=steps)  # fmt: skip
