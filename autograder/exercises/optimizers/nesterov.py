"""Nesterov's momentum: the gradient is taken at a look-ahead point."""

import numpy as np

from dlcourse import optimizers

from ...checks.drivers import WrongAnswer, kind
from ...checks.exercise import Case, Exercise, Mistake, Named, enlarged, slip, steps
from ._shared import (
    AVERAGED,
    LR_OUTSIDE,
    LR_TWICE,
    RECREATED,
    STATE_MUTATES,
    VELOCITY_ASCENT,
    damped_hint,
    gradients_of,
    mutates_weights,
)

# --- solution -------------------------------------------------------------------------------------------------------


def nesterov_lookahead(w, state, momentum=0.9):
    return w - momentum * state.v


def nesterov_step(w, dw, state, lr=0.01, momentum=0.9):
    v = momentum * state.v + lr * dw
    return w - v, state._replace(v=v)


# --- cases ----------------------------------------------------------------------------------------------------------


def nesterov_driver(functions, case):
    """Each function by itself, with numbers that are given, and then both together on a bowl."""
    lookahead, step = functions
    options = {key: x for key, x in case.kwargs.items() if key != "lr"}
    w, init = case.args[0], case.extra["init_function"]
    yield "look-ahead", lookahead(w, init(w)._replace(v=case.extra["v"]), **options)
    _, *found = next(steps((step,), case))
    yield "step", *found
    state, path = init(w), {}
    for number in range(1, 5):
        point = np.asarray(lookahead(w, state, **options))
        result = step(w, case.extra["A"] @ point - case.extra["c"], state, **case.kwargs)
        if not isinstance(result, tuple) or len(result) != 2:
            raise WrongAnswer(f"a step returns `w, state`; yours returned {kind(result)}")
        w, state = result
        path[f"w after step {number}"] = np.array(w)
    yield "together", path


def cases(rng):
    def case(name, D, count=4, dtype=float, hidden=False, **options):
        half = rng.standard_normal((D, D))
        # Curvatures between 1 and 5, so that the bowl's slopes differ at w and at the look-ahead
        A = half @ half.T / np.trace(half @ half.T) * 4 + np.eye(D)
        extra = {
            "init": "optimizers.nesterov_init",
            "init_function": Named("optimizers.nesterov_init"),
            "v": rng.standard_normal(D).astype(dtype),
            "gradients": [g.astype(dtype) for g in gradients_of(rng, D, count)],
            "A": A.astype(dtype),
            "c": rng.standard_normal(D).astype(dtype),
        }
        return Case(name, (rng.standard_normal(D).astype(dtype),), options, extra=extra, hidden=hidden)

    return [
        case("γ = 0.9", 3),
        case("another learning rate, γ = 0.5", 4, lr=0.1, momentum=0.5),
        case("one weight", 1, lr=0.2, momentum=0.8),
        case("float32", 2, dtype=np.float32, lr=0.1),
        enlarged(case("γ = 0: no momentum", 2, lr=0.1, momentum=0.0), 0),
        case("six steps", 5, count=6, lr=0.05, momentum=0.75, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("nesterov_gradient_at_w", slip("return w - momentum * state.v", "return w.copy()"),
        "The look-ahead point is w itself, so the gradient is taken where you stand: that is plain momentum. Where "
        "would the velocity alone carry you?"),
    Mistake("lookahead_backwards", slip("w - momentum * state.v", "w + momentum * state.v"),
        "The look-ahead point lies behind you: w moves by −v, so looking ahead has the same sign."),
    Mistake("momentum_forgotten", slip("w - momentum * state.v", "w - state.v"),
        "You look a whole velocity ahead. Only a part of it survives into the next step: which?"),
    Mistake("displacement_returned", slip("w - momentum * state.v", "momentum * state.v"),
        "This is how far one looks ahead. Asked for is the point that one comes to."),
    Mistake("step_from_lookahead", slip("return w - v,", "return w - momentum * state.v - v,"),
        "The old velocity is walked twice: once to the look-ahead point and once more within v. The step begins at w."),
    Mistake("lookahead_as_parameter", slip("return w - v,", "return w - momentum * v - lr * dw,"),
        "PyTorch writes it so: its parameter is the look-ahead point. Here w stays w, and moves by the new v.",
        convention=True),
    VELOCITY_ASCENT,
    Mistake("velocity_recreated", slip("v = momentum * state.v + ", "v = "), RECREATED),
    Mistake("damped_momentum", slip("lr * dw", "lr * (1 - momentum) * dw"), damped_hint("η"), convention=True),
    LR_TWICE,
    Mistake("lr_outside", slip("+ lr * dw", "+ dw", "w - v,", "w - lr * v,"), LR_OUTSIDE, convention=True),
    Mistake("averaged_velocity", slip("+ lr * dw", "+ (1 - momentum) * dw", "w - v,", "w - lr * v,"), AVERAGED,
        convention=True),
    mutates_weights("v"),
    Mistake("mutates_state",
        slip("v = momentum * state.v + lr * dw", "v = state.v\n    v *= momentum\n    v += lr * dw"),
        STATE_MUTATES),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def lookahead_on_a_copy(w, state, momentum=0.9):
    point = np.array(w)
    point -= np.multiply(state[0], momentum)
    return point


def step_from_lookahead(w, dw, state, lr=0.01, momentum=0.9):
    new = (w - momentum * state.v) - lr * dw
    # Not w − new, which loses digits of v where w is large
    return new, type(state)(momentum * state.v + lr * dw)


def lookahead_list(w, state, momentum=0.9):
    return [p - momentum * v for p, v in zip(w, state[0], strict=True)]


EXERCISE = Exercise("optimizers.nesterov", (optimizers.nesterov_lookahead, optimizers.nesterov_step), cases, MISTAKES,
    variants=[(lookahead_on_a_copy, step_from_lookahead), (lookahead_list, nesterov_step)],
    solution=(nesterov_lookahead, nesterov_step), points=3,
    why="Asking for the slope where one is about to be, not where one stands, brakes before the turn.",
    hints=("The look-ahead: where would w be if only the old velocity acted, without a gradient?",
           "The step itself looks like momentum's. What differs is where its gradient was taken.",
           "The step begins at w, not at the look-ahead point: that part of the way is inside the new v."),
    driver=nesterov_driver, parts=("look-ahead", "step", "together"))  # fmt: skip
