"""Adadelta: the step has the size of past updates, so it needs no learning rate."""

import numpy as np

from dlcourse import optimizers

from ...checks.exercise import Exercise, Mistake, slip, steps
from ._shared import (
    AVERAGE_PRECEDENCE,
    PRECEDENCE,
    RECREATED,
    RHO_SWAPPED,
    STATE_MUTATES,
    ascent,
    mutates_weights,
    optimizer_cases,
)

# --- solution -------------------------------------------------------------------------------------------------------


def adadelta_step(w, dw, state, lr=1.0, rho=0.95, eps=1e-6):
    r = rho * state.r + (1 - rho) * dw**2
    delta = np.sqrt(state.u + eps) / np.sqrt(r + eps) * dw
    u = rho * state.u + (1 - rho) * delta**2
    return w - lr * delta, state._replace(r=r, u=u)


# --- mistakes -------------------------------------------------------------------------------------------------------

RATIO = "np.sqrt(state.u + eps) / np.sqrt(r + eps)"

MISTAKES = [
    Mistake("adadelta_order",
        slip("    return w", "    delta = np.sqrt(u + eps) / np.sqrt(r + eps) * dw\n    return w"),
        "u is renewed before it is used, so this update is already in its own scale. Δ is made with the u of before; "
        "then Δ² enters u."),
    AVERAGE_PRECEDENCE,
    Mistake("adadelta_precedence_of_u", slip("rho * state.u + (1 - rho)", "(rho * state.u + (1 - rho))"),
        "In u: " + PRECEDENCE.format(r="u", square="Δ²")),
    Mistake("eps_outside", slip(RATIO, "(np.sqrt(state.u) + eps) / (np.sqrt(r) + eps)"),
        "Adadelta has its ε inside the roots, √(u + ε) and √(r + ε), unlike RMSprop and Adam. Yours are outside: the "
        "first steps come out a thousand times shorter.", convention=True),
    ascent("lr * delta"),
    Mistake("velocity_recreated", slip("rho * state.r + ", "", "rho * state.u + ", ""), RECREATED),
    RHO_SWAPPED,
    Mistake("roots_swapped", slip(RATIO, "np.sqrt(r + eps) / np.sqrt(state.u + eps)"),
        "The ratio stands on its head: the size of past updates is above, that of the gradients below."),
    Mistake("rmsprop_for_adadelta", slip("np.sqrt(state.u + eps)", "1"),
        "This is RMSprop, which notes 004 call Adadelta (E35). Zeiler's rule also scales by the size of its past "
        "updates, √(u + ε)."),
    Mistake("gradient_in_u", slip("delta**2", "dw**2"),
        "u averages g², as r does. It is there for the updates: which square belongs into it?"),
    Mistake("square_forgotten", slip("delta**2", "np.abs(delta)"),
        "u averages |Δ|, not Δ². Under a root there are squares."),
    Mistake("lr_in_average", slip("delta**2", "(lr * delta) ** 2"),
        "[Right for lr = 1.] The average takes Δ; the learning rate comes in only when w is moved."),
    Mistake("lr_ignored", slip("w - lr * delta", "w - delta"),
        "[Right for lr = 1, as in the paper.] Here `lr` scales the step on its way to w."),
    Mistake("never_starts", slip("state.u + eps", "state.u"),
        "Nothing ever moves: u begins at 0, and so does the step. ε inside its root is what starts the movement."),
    mutates_weights("lr * delta"),
    Mistake("mutates_state",
        slip("r = rho * state.r + (1 - rho) * dw**2", "r, u = state\n    r *= rho\n    r += (1 - rho) * dw**2",
             "u = rho * state.u + (1 - rho) * delta**2", "u *= rho\n    u += (1 - rho) * delta**2"),
        STATE_MUTATES),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def one_root(w, dw, state, lr=1.0, rho=0.95, eps=1e-6):
    r, u = state
    r = rho * r + (1 - rho) * np.square(dw)
    delta = dw * ((u + eps) / (r + eps)) ** 0.5
    return w - lr * delta, (r, rho * u + (1 - rho) * np.square(delta))


def loop(w, dw, state, lr=1.0, rho=0.95, eps=1e-6):
    w, r, u = w.copy(), state.r.copy(), state.u.copy()
    for i in np.ndindex(w.shape):
        r[i] = rho * r[i] + (1 - rho) * dw[i] ** 2
        delta = np.sqrt(u[i] + eps) / np.sqrt(r[i] + eps) * dw[i]
        u[i] = rho * u[i] + (1 - rho) * delta**2
        w[i] -= lr * delta
    return w, type(state)(r, u)


EXERCISE = Exercise("optimizers.adadelta_step", optimizers.adadelta_step,
    optimizer_cases("adadelta", rho=0.8, eps=0.05), MISTAKES, variants=[one_root, loop], solution=adadelta_step,
    points=3,
    why="A step has the unit of a weight, a gradient has not: Adadelta puts the units right and needs no learning "
        "rate.",
    hints=("Four lines, in the order of the formula: r, Δ, u, w.",
           "Δ is made with the new r, but with the u that came in the state.",
           "Both ε are under the roots. `lr` touches neither Δ nor u."),
    driver=steps)  # fmt: skip
