"""RMSprop: Adagrad with an average of the squares in place of their sum."""

import numpy as np

from dlcourse import optimizers

from ...checks.exercise import Exercise, Mistake, slip, steps
from ._shared import (
    AVERAGE_PRECEDENCE,
    RECREATED,
    RHO_SWAPPED,
    STATE_MUTATES,
    ascent,
    divisor_mistakes,
    mutates_weights,
    optimizer_cases,
)

# --- solution -------------------------------------------------------------------------------------------------------


def rmsprop_step(w, dw, state, lr=0.001, rho=0.9, eps=1e-8):
    r = rho * state.r + (1 - rho) * dw**2
    return w - lr * dw / (np.sqrt(r) + eps), state._replace(r=r)


# --- mistakes -------------------------------------------------------------------------------------------------------

SUM_FOR_AVERAGE = "The squares add up for ever, as in Adagrad, and the steps die away. Here the old ones fade: the new square gets a share, 1 − ρ."

MISTAKES = [
    *divisor_mistakes("r"),
    ascent("lr * dw / (np.sqrt(r) + eps)"),
    Mistake("velocity_recreated", slip("rho * state.r + ", ""), RECREATED),
    RHO_SWAPPED,
    AVERAGE_PRECEDENCE,
    Mistake("sum_for_average", slip("rho * state.r + (1 - rho) * ", "state.r + "), SUM_FOR_AVERAGE),
    Mistake("share_forgotten", slip("(1 - rho) * ", ""), SUM_FOR_AVERAGE),
    Mistake("square_of_mean",
        slip("rho * state.r + (1 - rho) * dw**2", "(rho * np.sqrt(state.r) + (1 - rho) * dw) ** 2"),
        "The gradients are averaged first and squared afterwards, so that opposite signs cancel. Asked for is the "
        "average of the squares."),
    Mistake("current_left_out", slip("np.sqrt(r)", "np.sqrt(state.r)"),
        "The first step is enormous: you divide by the average of before, which is still 0. First the average, then "
        "the step."),
    mutates_weights("lr * dw / (np.sqrt(r) + eps)"),
    Mistake("mutates_state",
        slip("r = rho * state.r + (1 - rho) * dw**2", "r = state.r\n    r *= rho\n    r += (1 - rho) * dw**2"),
        STATE_MUTATES),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def towards(w, dw, state, lr=0.001, rho=0.9, eps=1e-8):
    (r,) = state
    r = r + (1 - rho) * (dw**2 - r)
    return w - dw * (lr / (np.sqrt(r) + eps)), (r,)


def in_place_on_copies(w, dw, state, lr=0.001, rho=0.9, eps=1e-8):
    r = np.array(state.r)
    r *= rho
    r += (1 - rho) * np.square(dw)
    scaled = dw / np.add(np.sqrt(r), eps)
    scaled *= lr
    return w - scaled, type(state)(r)


EXERCISE = Exercise("optimizers.rmsprop_step", optimizers.rmsprop_step, optimizer_cases("rmsprop", rho=0.7, eps=0.05),
    MISTAKES, variants=[towards, in_place_on_copies], solution=rmsprop_step, points=2,
    why="Adagrad that forgets, so that its steps do not die away.",
    hints=("As Adagrad, with an average where the sum was.",
           "The old average keeps the share ρ; what remains, 1 − ρ, goes to the new square alone.",
           "First renew the average, then take the step with it."),
    driver=steps)  # fmt: skip
