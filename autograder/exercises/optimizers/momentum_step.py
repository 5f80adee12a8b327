"""Momentum: the velocity adds up the gradients."""

from dlcourse import optimizers

from ...checks.exercise import Exercise, Mistake, slip, steps
from ._shared import (
    AVERAGED,
    LR_OUTSIDE,
    LR_TWICE,
    RECREATED,
    STATE_MUTATES,
    VELOCITY_ASCENT,
    damped_hint,
    mutates_weights,
    optimizer_cases,
)

# --- solution -------------------------------------------------------------------------------------------------------


def momentum_step(w, dw, state, lr=0.01, momentum=0.9, dampening=0.0):
    v = momentum * state.v + lr * (1 - dampening) * dw
    return w - v, state._replace(v=v)


# --- mistakes -------------------------------------------------------------------------------------------------------

VELOCITY = "momentum * state.v + lr * (1 - dampening) * dw"

MISTAKES = [
    VELOCITY_ASCENT,
    Mistake("velocity_recreated", slip("momentum * state.v + ", ""), RECREATED),
    Mistake("velocity_not_kept", slip("state._replace(v=v)", "state"),
        "The state that you return is the one that you got. The next step needs the new v."),
    Mistake("damped_momentum", slip("1 - dampening", "1 - momentum"), damped_hint("η(1 − d)"), convention=True),
    Mistake("dampening_ignored", slip(" * (1 - dampening)", ""),
        "[Right for dampening 0.] Dampening weakens the new gradient: where does 1 − d go?"),
    Mistake("dampening_of_velocity", slip(VELOCITY, "(1 - dampening) * (momentum * state.v + lr * dw)"),
        "The dampening weakens the new gradient alone. You weaken the old velocity with it."),
    LR_TWICE,
    Mistake("lr_on_old_velocity", slip(VELOCITY, "lr * (momentum * state.v + (1 - dampening) * dw)"),
        "The old velocity is multiplied by the learning rate, which it contains already. Only the new gradient is."),
    Mistake("lr_outside", slip("+ lr * ", "+ ", "w - v", "w - lr * v"), LR_OUTSIDE, convention=True),
    Mistake("averaged_velocity", slip("lr * (1 - dampening) * dw", "(1 - momentum) * dw", "w - v", "w - lr * v"),
        AVERAGED, convention=True),
    Mistake("velocity_downhill", slip("+ lr", "- lr", "w - v", "w + v"),
        "[The weights are right.] Your v has the other sign. Here v adds up +ηg and w moves by −v.", convention=True),
    Mistake("nesterov_for_momentum", slip("w - v", "w - momentum * v - lr * dw"),
        "This looks ahead, as Nesterov's rule in PyTorch does. Plain momentum moves by the new v, no more."),
    mutates_weights("v"),
    Mistake("mutates_state",
        slip(f"v = {VELOCITY}", "v = state.v\n    v *= momentum\n    v += lr * (1 - dampening) * dw"),
        STATE_MUTATES),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def plain_tuple(w, dw, state, lr=0.01, momentum=0.9, dampening=0.0):
    (v,) = state
    v = (dw - dampening * dw) * lr + v * momentum
    return w - v, (v,)


def in_place_on_copies(w, dw, state, lr=0.01, momentum=0.9, dampening=0.0):
    v = state.v.copy()
    v *= momentum
    v += lr * (1 - dampening) * dw
    w = w.copy()
    w -= v
    return w, type(state)(v)


EXERCISE = Exercise("optimizers.momentum_step", optimizers.momentum_step,
    optimizer_cases("momentum", momentum=0.6, dampening=0.3), MISTAKES, variants=[plain_tuple, in_place_on_copies],
    solution=momentum_step, points=2,
    why="In a narrow valley the gradients across cancel and those along add up.",
    hints=("The old velocity is `state.v`. Make the new one first.",
           "The learning rate and 1 − d go to the gradient, γ to the old velocity.",
           "w moves by the new velocity; the state keeps it: `state._replace(v=v)`."),
    driver=steps)  # fmt: skip
