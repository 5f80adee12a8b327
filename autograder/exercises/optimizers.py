"""Exercises of the optimizers topic: every rule through several steps, clipping, a schedule, the direction of L-BFGS."""

import math

import numpy as np

from dlcourse import optimizers

from ..checks.drivers import WrongAnswer, kind
from ..checks.exercise import Case, Exercise, Mistake, Named, steps

# --- references -----------------------------------------------------------------------------------------------------


def lbfgs_direction(g, pairs):
    r"""The direction of L-BFGS, :math:`p = -H g`, without ever writing H down.

    Parameters
    ----------
    g : (D,) array, the gradient at the current point.
    pairs : list of the last few (s, y), the oldest first; s a step that was taken and y the change of the gradient
        over it, (D,) arrays with :math:`s^\top y > 0`. It may be empty.

    Returns
    -------
    p : (D,) array.
    """
    q, a = g.copy(), []
    for s, y in reversed(pairs):
        a.append((s @ q) / (s @ y))
        q = q - a[-1] * y
    if pairs:
        s, y = pairs[-1]
        q = (s @ y) / (y @ y) * q
    for (s, y), a_i in zip(pairs, reversed(a), strict=True):
        q = q + (a_i - (y @ q) / (s @ y)) * s
    return -q


# --- drivers --------------------------------------------------------------------------------------------------------


def nesterov_driver(functions, case):
    """Each function by itself, with numbers that are given, and then both together on a bowl."""
    lookahead, step = functions
    options = {key: x for key, x in case.kwargs.items() if key != "lr"}
    w, init = case.args[0], case.more["init_function"]
    yield "look-ahead", lookahead(w, init(w)._replace(v=case.more["v"]), **options)
    _, trail = next(steps((step,), case))
    yield "step", trail
    state, path = init(w), {}
    for number in range(1, 5):
        point = np.asarray(lookahead(w, state, **options))
        result = step(w, case.more["A"] @ point - case.more["c"], state, **case.kwargs)
        if not isinstance(result, tuple) or len(result) != 2:
            raise WrongAnswer(f"a step returns `w, state`; yours returned {kind(result)}")
        w, state = result
        path[f"w after step {number}"] = np.array(w)
    yield "together", path


def schedule_driver(functions, case):
    """One learning rate for each of the steps in `case.more`."""
    (schedule,) = functions
    rates = [schedule(step, *case.args, **case.kwargs) for step in case.more["steps"]]
    for rate in rates:
        if not isinstance(rate, int | float | np.number | np.ndarray) or np.ndim(rate):
            raise WrongAnswer(f"a schedule returns one number for a step; yours returned {kind(rate)}")
    yield "", [float(rate) for rate in rates]


# --- data -----------------------------------------------------------------------------------------------------------


def _gradients(rng, shape, count):
    """Gradients of varying size and sign."""
    return [size * rng.standard_normal(shape) for size in (1.0, 0.1, 3.0, 0.5, 2.0, 0.02)[:count]]


def _optimizer_cases(name, **options):
    """Cases that every optimizer shares; `options` are values that no default has, for all arguments but lr."""

    def cases(rng):
        def case(label, shape=(4,), count=4, dtype=float, first=None, **how):
            gradients = _gradients(rng, shape, count)
            if first is not None:
                gradients[0] = np.array(first)
            w = rng.standard_normal(shape).astype(dtype)
            more = {"init": f"optimizers.{name}_init", "gradients": [g.astype(dtype) for g in gradients]}
            weight, hidden = how.pop("weight", 1.0), how.pop("hidden", False)
            return Case(label, (w,), how, more=more, weight=weight, hidden=hidden)

        return [
            case("one step", count=1),
            case("four steps, gradients that change", first=[1.0, -2.0, 0.5, -0.1]),
            case("another learning rate", shape=(3,), lr=0.25),
            *([case("every option other than its default", shape=(5,), lr=0.2, **options)] if options else []),
            case("a matrix of weights", shape=(3, 2), lr=0.1),
            case("float32", dtype=np.float32, lr=0.5),
            case("a gradient that begins at zero", first=[0.0, 1.0, 0.0, -1.0], lr=0.1, **options),
            case("six steps", shape=(2,), count=6, lr=0.3, hidden=True),
        ]

    return cases


# --- hints that several exercises share -----------------------------------------------------------------------------

_ASCENT = "The step goes up the slope: the gradient points to where the loss grows. Which sign takes you down?"
_MUTATES = "The numbers are right, but the arrays of whoever called you are changed: `w -= …` and `dw *= …` write into them. `w = w - …` makes a new array."
_STATE_MUTATES = "The numbers are right, but you write into the arrays of the state that you were given (`+=`, `*=`). Make new arrays, and a new state with `state._replace(…)`."
_RECREATED = "What was gathered in the steps before is gone: the state begins anew in each step. Which line uses the old one, `state`?"
_EPS_INSIDE = "Here ε stands outside the root, √r + ε. Yours is inside, √(r + ε), as in notes 001 (E14): small gradients then take other steps."
_ROOT = "You divide by the squared size itself. Which power brings it back to the size of a gradient?"
_LR_IGNORED = "The step has always the same length: `lr` is not used."
_EPS_MISSING = "Where no gradient has come yet you divide 0 by 0. What is ε for?"


# --- gradient descent -----------------------------------------------------------------------------------------------


def _sgd_with(step):
    """w after one step, for another rule step(w, g, lr)."""

    def sgd_step(w, dw, state, lr=0.01):
        return step(w, dw, lr), state

    return sgd_step


def _sgd_in_place(w, dw, state, lr=0.01):
    w -= lr * dw
    return w, state


def _sgd_plain(w, dw, state, lr=0.01):
    return w - lr * dw, state


def _sgd_subtract(w, dw, state, lr=0.01):
    return np.subtract(w, np.multiply(dw, lr)), ()


def _sgd_own_copy(w, dw, state, lr=0.01):
    w = w.copy()
    for i in np.ndindex(w.shape):
        w[i] -= lr * dw[i]
    return w, state


_SGD_MISTAKES = [
    Mistake("ascent", _sgd_with(lambda w, g, lr: w + lr * g), _ASCENT),
    Mistake("mutates_gradient", _sgd_in_place, _MUTATES),
    Mistake("lr_ignored", _sgd_with(lambda w, g, lr: w - 0.01 * g), _LR_IGNORED),
    Mistake(
        "update_returned",
        _sgd_with(lambda w, g, lr: -lr * g),
        "This is the step itself. Return where it leads: the new w.",
    ),
    Mistake(
        "lr_divides",
        _sgd_with(lambda w, g, lr: w - g / lr),
        "A larger learning rate should mean a longer step; yours gets shorter.",
    ),
    Mistake(
        "sign_only",
        _sgd_with(lambda w, g, lr: w - lr * np.sign(g)),
        "Only the gradient's sign is used. Its size counts, too: steep slopes take longer steps.",
    ),
    Mistake(
        "normalised_gradient",
        _sgd_with(lambda w, g, lr: w - lr * g / np.sqrt(np.sum(g * g))),
        "You divide the gradient by its norm, so all steps have one length. Plain gradient descent takes it as it comes.",
    ),
]


# --- momentum -------------------------------------------------------------------------------------------------------


def _momentum_with(velocity, move=lambda w, v, g, gamma, lr: w - v, keep=lambda v, old: v):
    """Momentum with one thing changed: velocity(v, g, γ, lr, d), the move along it, or what the state keeps."""

    def momentum_step(w, dw, state, lr=0.01, momentum=0.9, dampening=0.0):
        v = velocity(state[0], dw, momentum, lr, dampening)
        return move(w, v, dw, momentum, lr), state._replace(v=keep(v, state[0]))

    return momentum_step


def _velocity(v, g, gamma, lr, d):
    return gamma * v + lr * (1 - d) * g


def _momentum_in_place(w, dw, state, lr=0.01, momentum=0.9, dampening=0.0):
    v = momentum * state[0] + lr * (1 - dampening) * dw
    w -= v
    return w, state._replace(v=v)


def _momentum_state_in_place(w, dw, state, lr=0.01, momentum=0.9, dampening=0.0):
    v = state[0]
    v *= momentum
    v += lr * (1 - dampening) * dw
    return w - v, state


def _momentum_plain(w, dw, state, lr=0.01, momentum=0.9, dampening=0.0):
    v = momentum * state.v + lr * (1 - dampening) * dw
    return w - v, state._replace(v=v)


def _momentum_tuple(w, dw, state, lr=0.01, momentum=0.9, dampening=0.0):
    (v,) = state
    v = (dw - dampening * dw) * lr + v * momentum
    return w - v, (v,)


def _momentum_own_copy(w, dw, state, lr=0.01, momentum=0.9, dampening=0.0):
    v = state.v.copy()
    v *= momentum
    v += lr * (1 - dampening) * dw
    w = w.copy()
    w -= v
    return w, type(state)(v)


_DAMPED_HINT = "You average, (1 − γ)g, as notes 001 do. Here the velocity adds up: the gradient's factor is {factor}, whatever γ is."
_LR_TWICE = "The learning rate is in v already, and you multiply by it once more on the way to w."
_LR_OUTSIDE = "The learning rate is outside, w − ηv, as in PyTorch: the same path, another v. Here η is inside, so that v is a step."
_VELOCITY_ASCENT = "w moves along +v, and v points where the gradients point: up. " + _ASCENT

_MOMENTUM_MISTAKES = [
    Mistake("ascent", _momentum_with(_velocity, lambda w, v, g, gamma, lr: w + v), _VELOCITY_ASCENT),
    Mistake("velocity_recreated", _momentum_with(lambda v, g, gamma, lr, d: lr * (1 - d) * g), _RECREATED),
    Mistake(
        "velocity_not_kept",
        _momentum_with(_velocity, keep=lambda v, old: old),
        "The state that you return is the one that you got. The next step needs the new v.",
    ),
    Mistake(
        "damped_momentum",
        _momentum_with(lambda v, g, gamma, lr, d: gamma * v + lr * (1 - gamma) * g),
        _DAMPED_HINT.format(factor="η(1 − d)"),
        convention=True,
    ),
    Mistake(
        "dampening_ignored",
        _momentum_with(lambda v, g, gamma, lr, d: gamma * v + lr * g),
        "Right for dampening 0. It weakens the new gradient: where does 1 − d go?",
    ),
    Mistake(
        "dampening_of_velocity",
        _momentum_with(lambda v, g, gamma, lr, d: (1 - d) * (gamma * v + lr * g)),
        "The dampening weakens the new gradient alone. You weaken the old velocity with it.",
    ),
    Mistake("lr_twice", _momentum_with(_velocity, lambda w, v, g, gamma, lr: w - lr * v), _LR_TWICE),
    Mistake(
        "lr_on_old_velocity",
        _momentum_with(lambda v, g, gamma, lr, d: lr * (gamma * v + (1 - d) * g)),
        "The old velocity is multiplied by the learning rate, which it contains already. Only the new gradient is.",
    ),
    Mistake(
        "lr_outside",
        _momentum_with(lambda v, g, gamma, lr, d: gamma * v + (1 - d) * g, lambda w, v, g, gamma, lr: w - lr * v),
        _LR_OUTSIDE,
        convention=True,
    ),
    Mistake(
        "velocity_downhill",
        _momentum_with(lambda v, g, gamma, lr, d: gamma * v - lr * (1 - d) * g, lambda w, v, g, gamma, lr: w + v),
        "The weights are right; your v has the other sign. Here v adds up +ηg and w moves by −v.",
        convention=True,
    ),
    Mistake(
        "nesterov_for_momentum",
        _momentum_with(_velocity, lambda w, v, g, gamma, lr: w - gamma * v - lr * g),
        "This looks ahead, as Nesterov's rule in PyTorch does. Plain momentum moves by the new v, no more.",
    ),
    Mistake("mutates_gradient", _momentum_in_place, _MUTATES),
    Mistake("mutates_state", _momentum_state_in_place, _STATE_MUTATES),
]


# --- Nesterov's momentum --------------------------------------------------------------------------------------------


def _nesterov_cases(rng):
    def case(name, D, count=4, dtype=float, hidden=False, **options):
        half = rng.standard_normal((D, D))
        # Curvatures between 1 and 5, so that the bowl's slopes differ at w and at the look-ahead
        A = half @ half.T / np.trace(half @ half.T) * 4 + np.eye(D)
        more = {
            "init": "optimizers.nesterov_init",
            "init_function": Named("optimizers.nesterov_init"),
            "v": rng.standard_normal(D),
            "gradients": _gradients(rng, D, count),
            "A": A,
            "c": rng.standard_normal(D),
        }
        more = {key: _cast(x, dtype) for key, x in more.items()}
        return Case(name, (rng.standard_normal(D).astype(dtype),), options, more=more, hidden=hidden)

    return [
        case("γ = 0.9", 3),
        case("another learning rate, γ = 0.5", 4, lr=0.1, momentum=0.5),
        case("one weight", 1, lr=0.2, momentum=0.8),
        case("float32", 2, dtype=np.float32, lr=0.1),
        case("γ = 0: no momentum", 2, lr=0.1, momentum=0.0),
        case("six steps", 5, count=6, lr=0.05, momentum=0.75, hidden=True),
    ]


def _cast(x, dtype):
    if isinstance(x, list):
        return [_cast(y, dtype) for y in x]
    return x.astype(dtype) if isinstance(x, np.ndarray) else x


def _lookahead_plain(w, state, momentum=0.9):
    return w - momentum * state.v


def _lookahead_with(point):
    def nesterov_lookahead(w, state, momentum=0.9):
        return point(w, state[0], momentum)

    return nesterov_lookahead


def _lookahead_own_copy(w, state, momentum=0.9):
    point = np.array(w)
    point -= np.multiply(state[0], momentum)
    return point


def _lookahead_list(w, state, momentum=0.9):
    return [p - momentum * v for p, v in zip(w, state[0], strict=True)]


def _nesterov_with(velocity, move=lambda w, v, old, g, gamma, lr: w - v):
    """Nesterov's step with another velocity(v, g, γ, lr) or another move along it."""

    def nesterov_step(w, dw, state, lr=0.01, momentum=0.9):
        v = velocity(state[0], dw, momentum, lr)
        return move(w, v, state[0], dw, momentum, lr), state._replace(v=v)

    return nesterov_step


def _nesterov_velocity(v, g, gamma, lr):
    return gamma * v + lr * g


def _nesterov_plain(w, dw, state, lr=0.01, momentum=0.9):
    v = momentum * state.v + lr * dw
    return w - v, state._replace(v=v)


def _nesterov_from_lookahead(w, dw, state, lr=0.01, momentum=0.9):
    new = (w - momentum * state.v) - lr * dw
    # Not w − new, which loses digits of v where w is large
    return new, type(state)(momentum * state.v + lr * dw)


def _nesterov_in_place(w, dw, state, lr=0.01, momentum=0.9):
    v = momentum * state[0] + lr * dw
    w -= v
    return w, state._replace(v=v)


def _nesterov_state_in_place(w, dw, state, lr=0.01, momentum=0.9):
    v = state[0]
    v *= momentum
    v += lr * dw
    return w - v, state


_NESTEROV_MISTAKES = [
    Mistake(
        "nesterov_gradient_at_w",
        (_lookahead_with(lambda w, v, gamma: w.copy()), _nesterov_plain),
        "The look-ahead point is w itself, so the gradient is taken where you stand: that is plain momentum. Where would the velocity alone carry you?",
    ),
    Mistake(
        "lookahead_backwards",
        (_lookahead_with(lambda w, v, gamma: w + gamma * v), _nesterov_plain),
        "The look-ahead point lies behind you: w moves by −v, so looking ahead has the same sign.",
    ),
    Mistake(
        "momentum_forgotten",
        (_lookahead_with(lambda w, v, gamma: w - v), _nesterov_plain),
        "You look a whole velocity ahead. Only a part of it survives into the next step: which?",
    ),
    Mistake(
        "displacement_returned",
        (_lookahead_with(lambda w, v, gamma: gamma * v), _nesterov_plain),
        "This is how far one looks ahead. Asked for is the point that one comes to.",
    ),
    Mistake(
        "step_from_lookahead",
        (
            _lookahead_plain,
            _nesterov_with(_nesterov_velocity, lambda w, v, old, g, gamma, lr: w - gamma * old - v),
        ),
        "The old velocity is walked twice: once to the look-ahead point and once more within v. The step begins at w.",
    ),
    Mistake(
        "lookahead_as_parameter",
        (
            _lookahead_plain,
            _nesterov_with(_nesterov_velocity, lambda w, v, old, g, gamma, lr: w - gamma * v - lr * g),
        ),
        "PyTorch writes it so: its parameter is the look-ahead point. Here w stays w, and moves by the new v.",
        convention=True,
    ),
    Mistake(
        "ascent",
        (_lookahead_plain, _nesterov_with(_nesterov_velocity, lambda w, v, old, g, gamma, lr: w + v)),
        _VELOCITY_ASCENT,
    ),
    Mistake(
        "velocity_recreated",
        (_lookahead_plain, _nesterov_with(lambda v, g, gamma, lr: lr * g)),
        _RECREATED,
    ),
    Mistake(
        "damped_momentum",
        (_lookahead_plain, _nesterov_with(lambda v, g, gamma, lr: gamma * v + lr * (1 - gamma) * g)),
        _DAMPED_HINT.format(factor="η"),
        convention=True,
    ),
    Mistake(
        "lr_twice",
        (_lookahead_plain, _nesterov_with(_nesterov_velocity, lambda w, v, old, g, gamma, lr: w - lr * v)),
        _LR_TWICE,
    ),
    Mistake(
        "lr_outside",
        (
            _lookahead_plain,
            _nesterov_with(lambda v, g, gamma, lr: gamma * v + g, lambda w, v, old, g, gamma, lr: w - lr * v),
        ),
        _LR_OUTSIDE,
        convention=True,
    ),
    Mistake("mutates_gradient", (_lookahead_plain, _nesterov_in_place), _MUTATES),
    Mistake("mutates_state", (_lookahead_plain, _nesterov_state_in_place), _STATE_MUTATES),
]


# --- Adagrad --------------------------------------------------------------------------------------------------------


def _adagrad_with(gather, divide=lambda r, old, eps: np.sqrt(r) + eps, sign=-1.0):
    """Adagrad with another sum gather(r, g), another divisor or another sign."""

    def adagrad_step(w, dw, state, lr=0.01, eps=1e-8):
        r = gather(state[0], dw)
        return w + sign * lr * dw / divide(r, state[0], eps), state._replace(r=r)

    return adagrad_step


def _sum_of_squares(r, g):
    return r + g**2


def _adagrad_in_place(w, dw, state, lr=0.01, eps=1e-8):
    r = state[0] + dw**2
    w -= lr * dw / (np.sqrt(r) + eps)
    return w, state._replace(r=r)


def _adagrad_state_in_place(w, dw, state, lr=0.01, eps=1e-8):
    r = state[0]
    r += dw**2
    return w - lr * dw / (np.sqrt(r) + eps), state


def _adagrad_plain(w, dw, state, lr=0.01, eps=1e-8):
    r = state.r + dw * dw
    return w - lr * dw / (np.sqrt(r) + eps), state._replace(r=r)


def _adagrad_rates(w, dw, state, lr=0.01, eps=1e-8):
    r = np.square(dw) + state[0]
    rates = lr / (r**0.5 + eps)
    return w - rates * dw, (r,)


def _adagrad_loop(w, dw, state, lr=0.01, eps=1e-8):
    w, r = w.copy(), state.r.copy()
    for i in np.ndindex(w.shape):
        r[i] += dw[i] ** 2
        w[i] -= lr * dw[i] / (np.sqrt(r[i]) + eps)
    return w, type(state)(r)


_ADAGRAD_MISTAKES = [
    Mistake(
        "adagrad_excludes_current",
        _adagrad_with(_sum_of_squares, lambda r, old, eps: np.sqrt(old) + eps),
        "The first step is enormous: nothing is in the sum yet, so you divide by ε alone (the notes slip here, E34). When is the current gradient added?",
    ),
    Mistake(
        "eps_inside",
        _adagrad_with(_sum_of_squares, lambda r, old, eps: np.sqrt(r + eps)),
        _EPS_INSIDE,
        convention=True,
    ),
    Mistake("ascent", _adagrad_with(_sum_of_squares, sign=1.0), _ASCENT),
    Mistake("velocity_recreated", _adagrad_with(lambda r, g: g**2), _RECREATED),
    Mistake("root_forgotten", _adagrad_with(_sum_of_squares, lambda r, old, eps: r + eps), _ROOT),
    Mistake(
        "eps_missing",
        _adagrad_with(_sum_of_squares, lambda r, old, eps: np.sqrt(r)),
        _EPS_MISSING,
    ),
    Mistake(
        "average_for_sum",
        _adagrad_with(lambda r, g: 0.9 * r + 0.1 * g**2),
        "The old squares fade: that is RMSprop. Adagrad forgets nothing, it adds up.",
    ),
    Mistake(
        "one_rate_for_all",
        _adagrad_with(lambda r, g: r + np.sum(g**2)),
        "The squares of all weights are added into one. Each weight keeps its own sum; that is what adaptive means here.",
    ),
    Mistake(
        "absolute_for_square",
        _adagrad_with(lambda r, g: r + np.abs(g), lambda r, old, eps: r + eps),
        "You add up absolute values. The rule adds up squares and takes the root of the sum.",
    ),
    Mistake(
        "square_of_sum",
        _adagrad_with(lambda r, g: (np.sqrt(r) + g) ** 2),
        "Square first, then add: otherwise gradients of opposite sign cancel.",
    ),
    Mistake("mutates_gradient", _adagrad_in_place, _MUTATES),
    Mistake("mutates_state", _adagrad_state_in_place, _STATE_MUTATES),
]


# --- RMSprop --------------------------------------------------------------------------------------------------------


def _rmsprop_with(gather, divide=lambda r, old, eps: np.sqrt(r) + eps, sign=-1.0):
    """RMSprop with another average gather(r, g, ρ), another divisor or another sign."""

    def rmsprop_step(w, dw, state, lr=0.001, rho=0.9, eps=1e-8):
        r = gather(state[0], dw, rho)
        return w + sign * lr * dw / divide(r, state[0], eps), state._replace(r=r)

    return rmsprop_step


def _average_of_squares(r, g, rho):
    return rho * r + (1 - rho) * g**2


def _rmsprop_in_place(w, dw, state, lr=0.001, rho=0.9, eps=1e-8):
    r = rho * state[0] + (1 - rho) * dw**2
    w -= lr * dw / (np.sqrt(r) + eps)
    return w, state._replace(r=r)


def _rmsprop_state_in_place(w, dw, state, lr=0.001, rho=0.9, eps=1e-8):
    r = state[0]
    r *= rho
    r += (1 - rho) * dw**2
    return w - lr * dw / (np.sqrt(r) + eps), state


def _rmsprop_plain(w, dw, state, lr=0.001, rho=0.9, eps=1e-8):
    r = rho * state.r + (1 - rho) * dw**2
    return w - lr * dw / (np.sqrt(r) + eps), state._replace(r=r)


def _rmsprop_towards(w, dw, state, lr=0.001, rho=0.9, eps=1e-8):
    (r,) = state
    r = r + (1 - rho) * (dw**2 - r)
    return w - dw * (lr / (np.sqrt(r) + eps)), (r,)


def _rmsprop_own_copy(w, dw, state, lr=0.001, rho=0.9, eps=1e-8):
    r = np.array(state.r)
    r *= rho
    r += (1 - rho) * np.square(dw)
    scaled = dw / np.add(np.sqrt(r), eps)
    scaled *= lr
    return w - scaled, type(state)(r)


_RHO_SWAPPED = "ρ and 1 − ρ are exchanged: the larger share, ρ, is that of the old average."
_PRECEDENCE = "The brackets: (ρr + (1 − ρ)) is multiplied by g² as a whole. Only the second summand is."
_SUM_FOR_AVERAGE = "The squares add up for ever, as in Adagrad, and the steps die away. Here the old ones fade: the new square gets a share, 1 − ρ."
_SQUARE_OF_MEAN = "The gradients are averaged first and squared afterwards, so that opposite signs cancel. Asked for is the average of the squares."

_RMSPROP_MISTAKES = [
    Mistake(
        "eps_inside",
        _rmsprop_with(_average_of_squares, lambda r, old, eps: np.sqrt(r + eps)),
        _EPS_INSIDE,
        convention=True,
    ),
    Mistake("ascent", _rmsprop_with(_average_of_squares, sign=1.0), _ASCENT),
    Mistake("velocity_recreated", _rmsprop_with(lambda r, g, rho: (1 - rho) * g**2), _RECREATED),
    Mistake("rho_swapped", _rmsprop_with(lambda r, g, rho: (1 - rho) * r + rho * g**2), _RHO_SWAPPED),
    Mistake("adadelta_precedence", _rmsprop_with(lambda r, g, rho: (rho * r + (1 - rho)) * g**2), _PRECEDENCE),
    Mistake("sum_for_average", _rmsprop_with(lambda r, g, rho: r + g**2), _SUM_FOR_AVERAGE),
    Mistake("share_forgotten", _rmsprop_with(lambda r, g, rho: rho * r + g**2), _SUM_FOR_AVERAGE),
    Mistake(
        "square_of_mean",
        _rmsprop_with(lambda r, g, rho: (rho * np.sqrt(r) + (1 - rho) * g) ** 2),
        _SQUARE_OF_MEAN,
    ),
    Mistake("root_forgotten", _rmsprop_with(_average_of_squares, lambda r, old, eps: r + eps), _ROOT),
    Mistake(
        "current_left_out",
        _rmsprop_with(_average_of_squares, lambda r, old, eps: np.sqrt(old) + eps),
        "The first step is enormous: you divide by the average of before, which is still 0. First the average, then the step.",
    ),
    Mistake("eps_missing", _rmsprop_with(_average_of_squares, lambda r, old, eps: np.sqrt(r)), _EPS_MISSING),
    Mistake("mutates_gradient", _rmsprop_in_place, _MUTATES),
    Mistake("mutates_state", _rmsprop_state_in_place, _STATE_MUTATES),
]


# --- Adadelta -------------------------------------------------------------------------------------------------------


def _inside(x, eps):
    return np.sqrt(x + eps)


def _adadelta_with(
    gather=_average_of_squares,
    rms=_inside,
    ratio=lambda u, r: u / r,
    updates=_average_of_squares,
    remembered=lambda delta, g, lr: delta,
    sign=-1.0,
    late=False,
    rate=lambda lr: lr,
):
    """Adadelta with one thing changed: an average, the root, their ratio, what the second average remembers, the order."""

    def adadelta_step(w, dw, state, lr=1.0, rho=0.95, eps=1e-6):
        r = gather(state[0], dw, rho)
        delta = ratio(rms(state[1], eps), rms(r, eps)) * dw
        u = updates(state[1], remembered(delta, dw, lr), rho)
        if late:
            delta = ratio(rms(u, eps), rms(r, eps)) * dw
        return w + sign * rate(lr) * delta, state._replace(r=r, u=u)

    return adadelta_step


def _adadelta_in_place(w, dw, state, lr=1.0, rho=0.95, eps=1e-6):
    r = rho * state[0] + (1 - rho) * dw**2
    delta = np.sqrt(state[1] + eps) / np.sqrt(r + eps) * dw
    w -= lr * delta
    return w, state._replace(r=r, u=rho * state[1] + (1 - rho) * delta**2)


def _adadelta_state_in_place(w, dw, state, lr=1.0, rho=0.95, eps=1e-6):
    r, u = state
    r *= rho
    r += (1 - rho) * dw**2
    delta = np.sqrt(u + eps) / np.sqrt(r + eps) * dw
    u *= rho
    u += (1 - rho) * delta**2
    return w - lr * delta, state


def _adadelta_never_starts(w, dw, state, lr=1.0, rho=0.95, eps=1e-6):
    r = rho * state[0] + (1 - rho) * dw**2
    delta = np.sqrt(state[1]) / np.sqrt(r + eps) * dw
    return w - lr * delta, state._replace(r=r, u=rho * state[1] + (1 - rho) * delta**2)


def _adadelta_plain(w, dw, state, lr=1.0, rho=0.95, eps=1e-6):
    r = rho * state.r + (1 - rho) * dw**2
    delta = np.sqrt(state.u + eps) / np.sqrt(r + eps) * dw
    u = rho * state.u + (1 - rho) * delta**2
    return w - lr * delta, state._replace(r=r, u=u)


def _adadelta_one_root(w, dw, state, lr=1.0, rho=0.95, eps=1e-6):
    r, u = state
    r = rho * r + (1 - rho) * np.square(dw)
    delta = dw * ((u + eps) / (r + eps)) ** 0.5
    return w - lr * delta, (r, rho * u + (1 - rho) * np.square(delta))


def _adadelta_loop(w, dw, state, lr=1.0, rho=0.95, eps=1e-6):
    w, r, u = w.copy(), state.r.copy(), state.u.copy()
    for i in np.ndindex(w.shape):
        r[i] = rho * r[i] + (1 - rho) * dw[i] ** 2
        delta = np.sqrt(u[i] + eps) / np.sqrt(r[i] + eps) * dw[i]
        u[i] = rho * u[i] + (1 - rho) * delta**2
        w[i] -= lr * delta
    return w, type(state)(r, u)


_ADADELTA_MISTAKES = [
    Mistake(
        "adadelta_order",
        _adadelta_with(late=True),
        "The update is in its own scale: u is renewed before it is used. Δ is made with the u of before; then Δ² enters u.",
    ),
    Mistake("adadelta_precedence", _adadelta_with(lambda r, g, rho: (rho * r + (1 - rho)) * g**2), _PRECEDENCE),
    Mistake(
        "adadelta_precedence_of_u",
        _adadelta_with(updates=lambda u, delta, rho: (rho * u + (1 - rho)) * delta**2),
        "In u: " + _PRECEDENCE.replace("r +", "u +").replace("g²", "Δ²"),
    ),
    Mistake(
        "eps_outside",
        _adadelta_with(rms=lambda x, eps: np.sqrt(x) + eps),
        "Adadelta has its ε inside the roots, √(u + ε) and √(r + ε), other than RMSprop and Adam. Yours are outside: the first steps come out a thousand times shorter.",
        convention=True,
    ),
    Mistake("ascent", _adadelta_with(sign=1.0), _ASCENT),
    Mistake(
        "velocity_recreated",
        _adadelta_with(lambda r, g, rho: (1 - rho) * g**2, updates=lambda u, delta, rho: (1 - rho) * delta**2),
        _RECREATED,
    ),
    Mistake("rho_swapped", _adadelta_with(lambda r, g, rho: (1 - rho) * r + rho * g**2), _RHO_SWAPPED),
    Mistake(
        "roots_swapped",
        _adadelta_with(ratio=lambda u, r: r / u),
        "The ratio stands on its head: the size of past updates is above, that of the gradients below.",
    ),
    Mistake(
        "rmsprop_for_adadelta",
        _adadelta_with(ratio=lambda u, r: 1 / r),
        "This is RMSprop, which notes 004 call Adadelta (E35). Zeiler's rule also scales by the size of its own past updates, √(u + ε).",
    ),
    Mistake(
        "gradient_in_u",
        _adadelta_with(remembered=lambda delta, g, lr: g),
        "u averages g², as r does. It is there for the updates: which square belongs into it?",
    ),
    Mistake(
        "square_forgotten",
        _adadelta_with(updates=lambda u, delta, rho: rho * u + (1 - rho) * np.abs(delta)),
        "u averages |Δ|, not Δ². Under a root there are squares.",
    ),
    Mistake(
        "lr_in_average",
        _adadelta_with(remembered=lambda delta, g, lr: lr * delta),
        "Right for lr = 1. The average takes Δ; the learning rate comes in only when w is moved.",
    ),
    Mistake(
        "lr_ignored",
        _adadelta_with(rate=lambda lr: 1.0),
        "Right for lr = 1, as in the paper. Here `lr` scales the step on its way to w.",
    ),
    Mistake(
        "never_starts",
        _adadelta_never_starts,
        "Nothing ever moves: u begins at 0, and so does the step. ε inside its root is what starts the movement.",
    ),
    Mistake("mutates_gradient", _adadelta_in_place, _MUTATES),
    Mistake("mutates_state", _adadelta_state_in_place, _STATE_MUTATES),
]


# --- Adam and AdamW -------------------------------------------------------------------------------------------------


def _corrected(x, beta, t):
    return x / (1 - beta**t)


def _eps_outside(v, eps, b2, t):
    return np.sqrt(v) + eps


def _adam(
    w,
    g,
    state,
    lr,
    b1,
    b2,
    eps,
    first=lambda m, g, b1: b1 * m + (1 - b1) * g,
    second=lambda v, g, m, b2: b2 * v + (1 - b2) * g**2,
    correct=_corrected,
    divide=_eps_outside,
    sign=-1.0,
    time=lambda t: t,
    count=lambda t: t,
    stored=False,
):
    """One Adam step with one thing changed: a moment, the correction, the divisor, the clock, or what the state keeps."""
    t, m, v = state[0] + 1, state[1], state[2]
    m = first(m, g, b1)
    v = second(v, g, m, b2)
    m_hat, v_hat = correct(m, b1, time(t)), correct(v, b2, time(t))
    w = w + sign * lr * m_hat / divide(v_hat, eps, b2, t)
    kept = (m_hat, v_hat) if stored else (m, v)
    return w, state._replace(t=count(t), m=kept[0], v=kept[1])


def _adam_with(**change):
    def adam_step(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        return _adam(w, dw, state, lr, beta1, beta2, eps, **change)

    return adam_step


def _adamw_with(shrink=lambda w, lr, decay: (1 - lr * decay) * w, penalty=0.0, after=False, **change):
    def adamw_step(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
        g = dw + penalty * weight_decay * w
        if not after:
            w = shrink(w, lr, weight_decay)
        w, state = _adam(w, g, state, lr, beta1, beta2, eps, **change)
        return shrink(w, lr, weight_decay) if after else w, state

    return adamw_step


def _adam_state_in_place(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    t, m, v = state[0] + 1, state[1], state[2]
    m *= beta1
    m += (1 - beta1) * dw
    v *= beta2
    v += (1 - beta2) * dw**2
    w = w - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return w, state._replace(t=t)


def _adam_in_place(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    new, state = _adam(w, dw, state, lr, beta1, beta2, eps)
    w[...] = new
    return w, state


def _adamw_state_in_place(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    return _adam_state_in_place((1 - lr * weight_decay) * w, dw, state, lr, beta1, beta2, eps)


def _adamw_in_place(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    w *= 1 - lr * weight_decay
    return _adam_in_place(w, dw, state, lr, beta1, beta2, eps)


# (slug, what is changed, hint[, convention]): for Adam and, with the decay before it, for AdamW
_ADAM_CHANGES = [
    (
        "no_bias_correction",
        {"correct": lambda x, beta, t: x},
        "m and v are used as they are. They begin at 0 and are too small at first: where are the corrections, 1 − β^t?",
    ),
    (
        "correction_multiplied",
        {"correct": lambda x, beta, t: x * (1 - beta**t)},
        "You multiply by 1 − β^t. The averages are too small in the first steps: does the correction have to make them larger or smaller?",
    ),
    (
        "correction_base",
        {"correct": lambda x, beta, t: x / (1 - beta) ** t},
        "You divide by (1 − β)^t, as notes 001 write it (E11). Only β is raised to the power t; compare both for t = 1000.",
    ),
    (
        "corrected_state_stored",
        {"stored": True},
        "The first step is right, the others are not: the corrected averages went into the state, and are corrected again next time. Keep m̂ and v̂ in variables of their own.",
    ),
    (
        "correction_base_and_stored",
        {"correct": lambda x, beta, t: x / (1 - beta) ** t, "stored": True},
        "This is the formula of notes 001 (E11), with two slips: the power t belongs to β alone, and the corrected averages must not go back into the state.",
    ),
    (
        "t_before_increment",
        {"time": lambda t: t - 1},
        "In the first step you divide by 1 − β⁰ = 0. Steps are counted from 1: raise t before you use it.",
    ),
    (
        "t_frozen",
        {"time": lambda t: 1},
        "Right in the first step only: the correction is always that of t = 1, 1 − β. Where is the power t?",
    ),
    (
        "t_frozen_and_stored",
        {"time": lambda t: 1, "stored": True},
        "This is the formula of notes 000 (E01), with two slips: the correction lacks the power t, and the corrected averages must not go back into the state.",
    ),
    (
        "step_not_counted",
        {"time": lambda t: 1, "count": lambda t: t - 1},
        "t stays 0 in the state that you return, so every step believes to be the first one.",
    ),
    (
        "eps_inside",
        {"divide": lambda v, eps, b2, t: np.sqrt(v + eps)},
        _EPS_INSIDE.replace("√r + ε", "√v̂ + ε").replace("√(r + ε)", "√(v̂ + ε)"),
        True,
    ),
    (
        "moment_not_accumulated",
        {"first": lambda m, g, b1: (1 - b1) * g},
        "m is a share of the current gradient alone. Where is what the steps before have gathered, β₁m?",
    ),
    (
        "square_of_mean",
        {"second": lambda v, g, m, b2: b2 * v + (1 - b2) * m**2},
        "v gathers m². It is the average of the squared gradients: take g itself, not its average.",
    ),
    (
        "velocity_recreated",
        {
            "first": lambda m, g, b1: (1 - b1) * g,
            "second": lambda v, g, m, b2: (1 - b2) * g**2,
            "time": lambda t: 1,
            "count": lambda t: 1,
        },
        _RECREATED,
    ),
    ("ascent", {"sign": 1.0}, _ASCENT + " (Notes 002 slip here, E18.)"),
    (
        "square_forgotten",
        {"second": lambda v, g, m, b2: b2 * v + (1 - b2) * np.abs(g)},
        "v gathers |g|. The root that is taken of it later wants squares.",
    ),
    ("root_forgotten", {"divide": lambda v, eps, b2, t: v + eps}, _ROOT),
    ("eps_missing", {"divide": lambda v, eps, b2, t: np.sqrt(v)}, _EPS_MISSING),
    (
        "eps_before_correction",
        {"divide": lambda v, eps, b2, t: np.sqrt(v) + eps / math.sqrt(1 - b2**t)},
        "You add ε to √v and correct afterwards, as TensorFlow does. Here ε is added to √v̂, which is corrected already.",
        True,
    ),
]


def _swapped_betas(w, dw, state, lr, b1, b2, eps):
    return _adam(w, dw, state, lr, b2, b1, eps)


def _adam_betas_swapped(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    return _swapped_betas(w, dw, state, lr, beta1, beta2, eps)


def _adam_beta_missing(w, dw, state, lr=0.001, beta1=0.9, beta2=0.99, eps=1e-8):
    return _adam(w, dw, state, lr, beta1, 0.99, eps)


def _adam_plain(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    t = state.t + 1
    m = beta1 * state.m + (1 - beta1) * dw
    v = beta2 * state.v + (1 - beta2) * dw**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return w - lr * m_hat / (np.sqrt(v_hat) + eps), state._replace(t=t, m=m, v=v)


def _adam_one_factor(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    t, m, v = state
    t += 1
    m = m + (1 - beta1) * (dw - m)
    v = v + (1 - beta2) * (np.square(dw) - v)
    root = math.sqrt(1 - beta2**t)
    # Both corrections in one factor, as in section 2 of the paper; ε is scaled with the root
    return w - lr * root / (1 - beta1**t) * m / (np.sqrt(v) + eps * root), (t, m, v)


def _adam_loop(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    w, m, v, t = w.copy(), state.m.copy(), state.v.copy(), state.t + 1
    for i in np.ndindex(w.shape):
        m[i] = beta1 * m[i] + (1 - beta1) * dw[i]
        v[i] = beta2 * v[i] + (1 - beta2) * dw[i] * dw[i]
        w[i] -= lr * (m[i] / (1 - beta1**t)) / (np.sqrt(v[i] / (1 - beta2**t)) + eps)
    return w, type(state)(t, m, v)


def _adamw_plain(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    t = state.t + 1
    m = beta1 * state.m + (1 - beta1) * dw
    v = beta2 * state.v + (1 - beta2) * dw**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    w = (1 - lr * weight_decay) * w
    return w - lr * m_hat / (np.sqrt(v_hat) + eps), state._replace(t=t, m=m, v=v)


def _adamw_calls_own_adam(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    moved, state = _adam_plain(w, dw, state, lr, beta1, beta2, eps)
    return moved - lr * weight_decay * w, state


def _adamw_loop(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    return _adam_loop(w - weight_decay * lr * w, dw, state, lr, beta1, beta2, eps)


_ADAM_MISTAKES = [
    *(Mistake(slug, _adam_with(**change), hint, *more) for slug, change, hint, *more in _ADAM_CHANGES),
    Mistake(
        "betas_swapped",
        _adam_betas_swapped,
        "β₁ and β₂ are exchanged: β₁ belongs to the gradients, β₂ to their squares, which are averaged over longer.",
    ),
    Mistake(
        "beta2_fixed",
        _adam_beta_missing,
        "β₂ is not the one that was given: 0.99 is in your code, as in notes 004 (E36). Use the argument.",
    ),
    Mistake("mutates_gradient", _adam_in_place, _MUTATES),
    Mistake("mutates_state", _adam_state_in_place, _STATE_MUTATES),
]

_ADAMW_MISTAKES = [
    Mistake(
        "l2_in_gradient",
        _adamw_with(shrink=lambda w, lr, decay: w, penalty=1.0),
        "The decay went into the gradient, and is then divided by √v̂ with it: that is Adam with an L2 penalty. Here the weights shrink by themselves, beside Adam's step.",
    ),
    Mistake(
        "l2_in_gradient_too",
        _adamw_with(penalty=1.0),
        "The weights decay twice: once by themselves, and once through the gradient. Adam gets the gradient of the loss alone.",
    ),
    Mistake(
        "decay_without_lr",
        _adamw_with(shrink=lambda w, lr, decay: (1 - decay) * w),
        "You shrink by 1 − λ, as the paper does, where λ is no multiple of the learning rate. Here, as in PyTorch, the factor is 1 − ηλ.",
        convention=True,
    ),
    Mistake(
        "penalty_subtracted",
        _adamw_with(shrink=lambda w, lr, decay: (1 + lr * decay) * w),
        "The weights grow. Decay pulls them towards 0: which sign does that?",
    ),
    Mistake(
        "decay_after_step",
        _adamw_with(after=True),
        "You decay after Adam's step, and so also the step itself. Here w is shrunk first: the decay sees the old weights.",
        convention=True,
    ),
    Mistake(
        "decay_forgotten",
        _adamw_with(shrink=lambda w, lr, decay: w),
        "This is Adam without the decay: `weight_decay` is not used.",
    ),
    Mistake(
        "only_decay_kept",
        _adamw_with(shrink=lambda w, lr, decay: lr * decay * w),
        "Of the old weights only the part ηλ remains. That is the part that is taken away.",
    ),
    *(Mistake(slug, _adamw_with(**change), hint, *more) for slug, change, hint, *more in _ADAM_CHANGES),
    Mistake("mutates_gradient", _adamw_in_place, _MUTATES),
    Mistake("mutates_state", _adamw_state_in_place, _STATE_MUTATES),
]


# --- clipping -------------------------------------------------------------------------------------------------------


def _clip_cases(rng):
    def of_norm(size, *shapes):
        grads = [rng.standard_normal(shape) for shape in shapes]
        norm = math.sqrt(sum(float(np.sum(g * g)) for g in grads))
        return [g * (size / norm) for g in grads]

    uneven = [np.array([[3.0, 0.0], [0.0, 0.0], [0.0, 0.0]]), np.array([0.0, -4.0])]
    return [
        Case("norm 7 of three arrays, bound 2", (of_norm(7.0, (3, 2), (2,), (4,)), 2.0)),
        Case("norm 0.5, bound 2: below", (of_norm(0.5, (2, 3), (3,)), 2.0)),
        Case("norm 5 of 3 and 4, bound 3.5", (uneven, 3.5)),
        Case("norm 5, bound 5: on it", ([np.array([3.0]), np.array([4.0])], 5.0)),
        Case("one array", (of_norm(10.0, (5,)), 1.0)),
        Case("all zero", ([np.zeros((2, 2)), np.zeros(3)], 1.0)),
        Case("float32", ([g.astype(np.float32) for g in of_norm(6.0, (3,), (2, 2))], 0.5)),
        Case("large and small", ([1000.0 * g for g in of_norm(3.0, (4, 2))] + of_norm(0.1, (2,)), 1.5), hidden=True),
    ]


def _global_norm(grads):
    return math.sqrt(sum(float(np.sum(np.square(g))) for g in grads))


def _clip_with(norm=_global_norm, scale=lambda n, bound: min(1.0, bound / n) if n else 1.0, told=lambda n, bound: n):
    """Clipping with another norm, another factor, or another number told."""

    def clip_grad_norm(grads, max_norm):
        n = norm(grads)
        return [g * scale(n, max_norm) for g in grads], told(n, max_norm)

    return clip_grad_norm


def _clip_each(grads, max_norm):
    clipped = []
    for g in grads:
        n = math.sqrt(float(np.sum(g**2)))
        clipped.append(g * (max_norm / n) if n > max_norm else g.copy())
    return clipped, _global_norm(grads)


def _clip_elementwise(grads, max_norm):
    return [np.clip(g, -max_norm, max_norm) for g in grads], _global_norm(grads)


def _clip_always(grads, max_norm):
    n = np.float64(_global_norm(grads))
    return [g * (max_norm / n) for g in grads], n


def _clip_in_place(grads, max_norm):
    n = _global_norm(grads)
    if n > max_norm:
        for g in grads:
            g *= max_norm / n
    return grads, n


def _clip_plain(grads, max_norm):
    norm = np.sqrt(sum(np.sum(g**2) for g in grads))
    scale = max_norm / norm if norm > max_norm else 1.0
    return [scale * g for g in grads], norm


def _clip_flat(grads, max_norm):
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in grads]))
    if norm <= max_norm:
        return [g.copy() for g in grads], norm
    return tuple(g / norm * max_norm for g in grads), float(norm)


def _clip_hypot(grads, max_norm):
    norm = math.hypot(*[float(x) for g in grads for x in g.flat])
    return [np.array(g) * (max_norm / max(norm, max_norm)) for g in grads], norm


_CLIP_MISTAKES = [
    Mistake(
        "clip_per_parameter",
        _clip_each,
        "Each array is clipped by its own norm, so some are shortened and others are not: the direction changes. There is one norm, over all arrays together.",
    ),
    Mistake(
        "clip_elementwise",
        _clip_elementwise,
        "Every entry is cut off by itself, which turns the gradient into another direction. Here one factor shortens all of it.",
    ),
    Mistake(
        "clip_always",
        _clip_always,
        "Short gradients are made longer: you scale even where the norm is below the bound (the notes slip here, E19). Clipping leaves them alone.",
    ),
    Mistake(
        "root_forgotten",
        _clip_with(lambda grads: sum(float(np.sum(g**2)) for g in grads)),
        "This is the square of the norm: where is the root?",
    ),
    Mistake(
        "sum_of_norms",
        _clip_with(lambda grads: sum(math.sqrt(float(np.sum(g**2))) for g in grads)),
        "You add up the norms of the arrays. Add up their squares and take one root: as if all entries were in one vector.",
    ),
    Mistake(
        "largest_entry",
        _clip_with(lambda grads: max(float(np.max(np.abs(g))) for g in grads)),
        "The largest entry is not the norm. Asked for is the Euclidean one, the root of the sum of squares.",
    ),
    Mistake(
        "sum_of_absolutes",
        _clip_with(lambda grads: sum(float(np.sum(np.abs(g))) for g in grads)),
        "You add up absolute values. The Euclidean norm is the root of the sum of squares.",
    ),
    Mistake(
        "norm_after_clipping",
        _clip_with(told=lambda n, bound: min(n, bound)),
        "The gradients are right. The norm that is asked for is the one before clipping: it is what tells you that something explodes.",
    ),
    Mistake(
        "zeroed_above_bound",
        _clip_with(scale=lambda n, bound: 0.0 if n > bound else 1.0),
        "Gradients that are too long are thrown away. They are to be shortened to the bound.",
    ),
    Mistake(
        "unit_norm",
        _clip_with(scale=lambda n, bound: 1.0 / n if n > bound else 1.0),
        "What is too long gets norm 1. It is to get the norm `max_norm`.",
    ),
    Mistake(
        "eps_in_norm",
        _clip_with(scale=lambda n, bound: min(1.0, bound / (n + 1e-6))),
        "PyTorch adds 10⁻⁶ to the norm before dividing. Here nothing is added: where the norm is above the bound it is not 0.",
        convention=True,
    ),
    Mistake(
        "mutates_gradient",
        _clip_in_place,
        "The numbers are right, but `g *= …` writes into the arrays of whoever called you. Fill a new list with new arrays.",
    ),
]


# --- a schedule -----------------------------------------------------------------------------------------------------


def _schedule_cases(rng):
    lr = float(rng.uniform(0.5, 2.0))
    count = list(range(13))
    return [
        Case("ten steps, three to warm up", (lr, 10, 3), more={"steps": count[:11]}),
        Case("a lowest rate", (0.8, 8, 2), {"lr_min": 0.1}, more={"steps": count[:9]}),
        Case("beyond the end", (lr, 6, 2), {"lr_min": 0.05}, more={"steps": count}),
        Case("no warm-up", (0.5, 5, 0), more={"steps": count[:6]}),
        Case("a long warm-up", (lr, 12, 9), {"lr_min": 0.02}, more={"steps": count}, hidden=True),
    ]


def _schedule_with(
    rise=lambda step, lr, warmup, lr_min: lr * step / warmup,
    along=lambda step, total, warmup: min((step - warmup) / (total - warmup), 1.0),
    fall=lambda a, lr, lr_min: lr_min + 0.5 * (lr - lr_min) * (1 + math.cos(math.pi * a)),
):
    """The schedule with another rise, another way along the cosine (0 … 1), or another fall."""

    def warmup_cosine(step, lr, total, warmup, lr_min=0.0):
        if step < warmup:
            return rise(step, lr, warmup, lr_min)
        return fall(along(step, total, warmup), lr, lr_min)

    return warmup_cosine


def _schedule_no_warmup(step, lr, total, warmup, lr_min=0.0):
    a = min(step / total, 1.0)
    return lr_min + 0.5 * (lr - lr_min) * (1 + math.cos(math.pi * a))


def _schedule_plain(step, lr, total, warmup, lr_min=0.0):
    if step < warmup:
        return lr * step / warmup
    along = min((step - warmup) / (total - warmup), 1.0)
    return lr_min + 0.5 * (lr - lr_min) * (1 + math.cos(math.pi * along))


def _schedule_clip(step, lr, total, warmup, lr_min=0.0):
    along = np.clip((step - warmup) / (total - warmup), 0.0, 1.0)
    falling = lr_min + (lr - lr_min) * (1 + np.cos(np.pi * along)) / 2
    return np.where(step < warmup, lr * step / max(warmup, 1), falling)


def _schedule_half_angle(step, lr, total, warmup, lr_min=0.0):
    if step >= total:
        return lr_min
    if step < warmup:
        return step / warmup * lr
    c = math.cos(0.5 * math.pi * (step - warmup) / (total - warmup)) ** 2
    return c * lr + (1 - c) * lr_min


_SCHEDULE_MISTAKES = [
    Mistake(
        "warmup_not_subtracted",
        _schedule_with(along=lambda step, total, warmup: min(step / total, 1.0)),
        "After the warm-up the rate jumps: the cosine has been running since step 0. It begins where the warm-up ends.",
    ),
    Mistake(
        "total_after_warmup",
        _schedule_with(along=lambda step, total, warmup: min((step - warmup) / total, 1.0)),
        "The lowest rate comes too late, at step total + warmup. Here `total` counts the warm-up, so the cosine has total − warmup steps.",
        convention=True,
    ),
    Mistake(
        "warmup_from_one",
        _schedule_with(lambda step, lr, warmup, lr_min: lr * (step + 1) / warmup),
        "Your warm-up begins with one stair, (step + 1)/warmup. Here it begins at 0, and the full rate comes with step `warmup`.",
        convention=True,
    ),
    Mistake(
        "warmup_from_lowest",
        _schedule_with(lambda step, lr, warmup, lr_min: lr_min + (lr - lr_min) * step / warmup),
        "Your warm-up rises from `lr_min`. Here it rises from 0; `lr_min` is the end of the cosine only.",
        convention=True,
    ),
    Mistake("no_warmup", _schedule_no_warmup, "There is no warm-up: the rate begins at its highest."),
    Mistake(
        "restarts",
        _schedule_with(along=lambda step, total, warmup: (step - warmup) / (total - warmup)),
        "After the last step the cosine goes up again. From `total` on the rate stays at its lowest.",
    ),
    Mistake(
        "half_missing",
        _schedule_with(fall=lambda a, lr, lr_min: lr_min + (lr - lr_min) * (1 + math.cos(math.pi * a))),
        "The cosine part begins at twice the rate: 1 + cos runs from 2 to 0.",
    ),
    Mistake(
        "one_forgotten",
        _schedule_with(fall=lambda a, lr, lr_min: lr_min + 0.5 * (lr - lr_min) * math.cos(math.pi * a)),
        "The rate falls below its lowest: a cosine runs from 1 to −1. What has to be added, so that it ends at 0?",
    ),
    Mistake(
        "rising",
        _schedule_with(fall=lambda a, lr, lr_min: lr_min + 0.5 * (lr - lr_min) * (1 - math.cos(math.pi * a))),
        "After the warm-up the rate begins at its lowest and rises. What is cos 0?",
    ),
    Mistake(
        "whole_period",
        _schedule_with(fall=lambda a, lr, lr_min: lr_min + 0.5 * (lr - lr_min) * (1 + math.cos(2 * math.pi * a))),
        "The rate falls and rises again: half a period of the cosine is asked for, an angle from 0 to π.",
    ),
    Mistake(
        "lowest_rate_added",
        _schedule_with(fall=lambda a, lr, lr_min: lr_min + 0.5 * lr * (1 + math.cos(math.pi * a))),
        "The cosine begins at lr + lr_min. It has to begin at lr: which height is left between the two?",
    ),
    Mistake(
        "lowest_rate_ignored",
        _schedule_with(fall=lambda a, lr, lr_min: 0.5 * lr * (1 + math.cos(math.pi * a))),
        "Right where `lr_min` is 0. The rate must not fall below it.",
    ),
    Mistake(
        "straight_line",
        _schedule_with(fall=lambda a, lr, lr_min: lr_min + (lr - lr_min) * (1 - a)),
        "The rate falls along a straight line. Asked for is half a cosine, flat at both ends.",
    ),
]


# --- L-BFGS ---------------------------------------------------------------------------------------------------------


def _direction_cases(rng):
    def case(name, D, count, hidden=False, dtype=float):
        half = rng.standard_normal((D, D))
        A = np.eye(D) + half @ half.T / D
        pairs = [(s, A @ s) for s in rng.standard_normal((count, D))]
        pairs = [(s.astype(dtype), y.astype(dtype)) for s, y in pairs]
        # The roundings of a pair go on into those after it, enlarged by ratios of curvatures
        return Case(name, (rng.standard_normal(D).astype(dtype), pairs), hidden=hidden, terms=2000)

    diagonal = np.array([1.0, 4.0, 0.5])
    basis = [(s, diagonal * s) for s in np.eye(3)]
    return [
        case("one pair", 4, 1),
        case("nothing remembered yet", 3, 0),
        case("two pairs", 3, 2),
        Case("a pair along every axis", (np.array([1.0, -2.0, 3.0]), basis), terms=2000),
        case("five pairs", 6, 5),
        case("float32", 5, 2, dtype=np.float32),
        case("more pairs than weights", 2, 4, hidden=True),
    ]


def _direction_with(
    sign=-1.0,
    first=lambda pairs: pairs[::-1],
    second=lambda rows: rows,
    scale=lambda pairs: (pairs[-1][0] @ pairs[-1][1]) / (pairs[-1][1] @ pairs[-1][1]),
    back=lambda a, b: a - b,
    take=lambda s, y: y,
    give=lambda s, y: s,
    rho=lambda s, y: s @ y,
):
    """The two loops with one thing changed."""

    def lbfgs_direction(g, pairs):
        q, rows = g.copy(), []
        for s, y in first(pairs):
            a = (s @ q) / rho(s, y)
            q = q - a * take(s, y)
            rows.append((s, y, a))
        if pairs:
            q = scale(pairs) * q
        for s, y, a in second(rows[::-1]):
            q = q + back(a, (y @ q) / rho(s, y)) * give(s, y)
        return sign * q

    return lbfgs_direction


def _direction_shifted(g, pairs):
    q, a = g.copy(), []
    for s, y in reversed(pairs):
        a.append((s @ q) / (s @ y))
        q = q - a[-1] * y
    if pairs:
        q = q * (pairs[-1][0] @ pairs[-1][1]) / (pairs[-1][1] @ pairs[-1][1])
    for (s, y), a_i in zip(pairs, a, strict=True):
        q = q + (a_i - (y @ q) / (s @ y)) * s
    return -q


def _direction_in_place(g, pairs):
    q, a = g, []
    for s, y in reversed(pairs):
        a.append((s @ q) / (s @ y))
        q -= a[-1] * y
    if pairs:
        q *= (pairs[-1][0] @ pairs[-1][1]) / (pairs[-1][1] @ pairs[-1][1])
    for (s, y), a_i in zip(pairs, reversed(a), strict=True):
        q += (a_i - (y @ q) / (s @ y)) * s
    q *= -1
    return q


def _direction_matrix(g, pairs):
    """H written down and updated pair by pair."""
    n = len(g)
    H = np.eye(n)
    if pairs:
        s, y = pairs[-1]
        H = H * (s @ y) / (y @ y)
    for s, y in pairs:
        V = np.eye(n) - np.outer(y, s) / (s @ y)
        H = V.T @ H @ V + np.outer(s, s) / (s @ y)
    return -(H @ g)


def _direction_recursive(g, pairs):
    gamma = np.dot(*pairs[-1]) / np.dot(pairs[-1][1], pairs[-1][1]) if pairs else 1.0

    def product(q, rest):
        if not rest:
            return gamma * q
        s, y = rest[-1]
        a = np.dot(s, q) / np.dot(s, y)
        r = product(q - a * y, rest[:-1])
        return r + (a - np.dot(y, r) / np.dot(s, y)) * s

    return -product(g, list(pairs))


_DIRECTION_MISTAKES = [
    Mistake("ascent", _direction_with(sign=1.0), _ASCENT),
    Mistake(
        "oldest_first",
        _direction_with(first=lambda pairs: pairs),
        "Your first loop begins with the oldest pair and the second with the newest. It is the other way round: `reversed(pairs)` first.",
    ),
    Mistake(
        "same_order_twice",
        _direction_with(second=lambda rows: rows[::-1]),
        "Both loops run from the newest pair to the oldest. The second one goes back the way that the first one came.",
    ),
    Mistake(
        "coefficients_shifted",
        _direction_shifted,
        "In the second loop a pair gets the coefficient of another one. They were stored from the newest pair on; you read them from the oldest on.",
    ),
    Mistake(
        "unscaled",
        _direction_with(scale=lambda pairs: 1.0),
        "Between the loops nothing happens. There H₀ is applied: γ times q, with γ from the newest pair.",
    ),
    Mistake(
        "scale_inverted",
        _direction_with(scale=lambda pairs: (pairs[-1][1] @ pairs[-1][1]) / (pairs[-1][0] @ pairs[-1][1])),
        "γ stands on its head: H is the *inverse* of the curvature, small where the gradient changes fast.",
    ),
    Mistake(
        "scale_of_oldest",
        _direction_with(scale=lambda pairs: (pairs[0][0] @ pairs[0][1]) / (pairs[0][1] @ pairs[0][1])),
        "γ is taken from the oldest pair. The newest one knows the curvature where you stand.",
    ),
    Mistake(
        "scale_of_steps",
        _direction_with(scale=lambda pairs: (pairs[-1][0] @ pairs[-1][0]) / (pairs[-1][0] @ pairs[-1][1])),
        "Your γ is sᵀs / sᵀy, another well-known estimate (Barzilai and Borwein's long step). Here it is sᵀy / yᵀy.",
        convention=True,
    ),
    Mistake(
        "second_coefficient_forgotten",
        _direction_with(back=lambda a, b: a),
        "In the second loop a is given back whole. What is there already along the pair, b, has to be taken off.",
    ),
    Mistake(
        "coefficients_added",
        _direction_with(back=lambda a, b: a + b),
        "In the second loop a and b are added. Their difference counts.",
    ),
    Mistake(
        "roles_swapped",
        _direction_with(take=lambda s, y: s, give=lambda s, y: y),
        "s and y have changed places. The first loop works on a gradient and takes off gradients, y; the second makes a step and puts on steps, s.",
    ),
    Mistake(
        "plain_gradient",
        lambda g, pairs: -g,
        "This is steepest descent: the pairs are not used.",
    ),
    Mistake(
        "divided_by_steps",
        _direction_with(rho=lambda s, y: s @ s),
        "Both coefficients are divided by sᵀs. It is sᵀy, which holds the curvature along the step.",
    ),
    Mistake(
        "mutates_gradient",
        _direction_in_place,
        "The numbers are right, but q begins as the caller's g, and `q -= …` writes into it. Begin with a copy, or write `q = q - …`.",
    ),
]


# --- the exercises --------------------------------------------------------------------------------------------------

EXERCISES = [
    Exercise(
        "optimizers.sgd_step",
        optimizers.sgd_step,
        _optimizer_cases("sgd"),
        _SGD_MISTAKES,
        [_sgd_plain, _sgd_subtract, _sgd_own_copy],
        points=1,
        minutes=3,
        why="The rule that all others here improve on, and the form that they all have.",
        hints=(
            "Against the gradient, by η times its length.",
            "There is nothing to remember: return the state that came.",
        ),
        driver=steps,
        solution=_sgd_plain,
    ),
    Exercise(
        "optimizers.momentum_step",
        optimizers.momentum_step,
        _optimizer_cases("momentum", momentum=0.6, dampening=0.3),
        _MOMENTUM_MISTAKES,
        [_momentum_plain, _momentum_tuple, _momentum_own_copy],
        points=2,
        minutes=6,
        why="In a narrow valley the gradients across cancel and those along add up.",
        hints=(
            "The old velocity is `state.v`. Make the new one first.",
            "The learning rate and 1 − d go to the gradient, γ to the old velocity.",
            "w moves by the new velocity; the state keeps it: `state._replace(v=v)`.",
        ),
        driver=steps,
        solution=_momentum_plain,
    ),
    Exercise(
        "optimizers.nesterov",
        (optimizers.nesterov_lookahead, optimizers.nesterov_step),
        _nesterov_cases,
        _NESTEROV_MISTAKES,
        [(_lookahead_own_copy, _nesterov_from_lookahead), (_lookahead_list, _nesterov_plain)],
        points=3,
        minutes=8,
        why="Asking for the slope where one is about to be, not where one stands, brakes before the turn.",
        hints=(
            "The look-ahead: where would w be if only the old velocity acted, without a gradient?",
            "The step itself looks like momentum's. What differs is where its gradient was taken.",
            "The step begins at w, not at the look-ahead point: that part of the way is inside the new v.",
        ),
        driver=nesterov_driver,
        parts=("look-ahead", "step", "together"),
        solution=(_lookahead_plain, _nesterov_plain),
    ),
    Exercise(
        "optimizers.adagrad_step",
        optimizers.adagrad_step,
        _optimizer_cases("adagrad", eps=0.05),
        _ADAGRAD_MISTAKES,
        [_adagrad_plain, _adagrad_rates, _adagrad_loop],
        points=2,
        minutes=5,
        why="Every weight gets a learning rate of its own: rare features take long steps.",
        hints=(
            "First the sum of squares, this step's gradient included; then the step.",
            "All of it entry by entry: `dw**2`, `np.sqrt(r)`.",
            "ε is added to the root, not under it.",
        ),
        driver=steps,
        solution=_adagrad_plain,
    ),
    Exercise(
        "optimizers.rmsprop_step",
        optimizers.rmsprop_step,
        _optimizer_cases("rmsprop", rho=0.7, eps=0.05),
        _RMSPROP_MISTAKES,
        [_rmsprop_plain, _rmsprop_towards, _rmsprop_own_copy],
        points=2,
        minutes=5,
        why="Adagrad that forgets, so that its steps do not die away.",
        hints=(
            "As Adagrad, with an average where the sum was.",
            "The old average keeps the share ρ; what remains, 1 − ρ, goes to the new square alone.",
            "First renew the average, then take the step with it.",
        ),
        driver=steps,
        solution=_rmsprop_plain,
    ),
    Exercise(
        "optimizers.adadelta_step",
        optimizers.adadelta_step,
        _optimizer_cases("adadelta", rho=0.8, eps=0.05),
        _ADADELTA_MISTAKES,
        [_adadelta_plain, _adadelta_one_root, _adadelta_loop],
        points=3,
        minutes=10,
        why="A step has the unit of a weight, a gradient has not: Adadelta puts the units right and needs no learning rate.",
        hints=(
            "Four lines, in the order of the formula: r, Δ, u, w.",
            "Δ is made with the new r, but with the u that came in the state.",
            "Both ε are under the roots. `lr` touches neither Δ nor u.",
        ),
        driver=steps,
        solution=_adadelta_plain,
    ),
    Exercise(
        "optimizers.adam_step",
        optimizers.adam_step,
        _optimizer_cases("adam", beta1=0.7, beta2=0.9, eps=0.05),
        _ADAM_MISTAKES,
        [_adam_plain, _adam_one_factor, _adam_loop],
        points=3,
        minutes=10,
        why="What most networks are trained with; three of the five notes write it down, and each slips somewhere.",
        hints=(
            "Begin with the count: `t = state.t + 1`, so the first step has t = 1.",
            "Then m and v, two running averages, of g and of g².",
            "m̂ and v̂ are for this step only; the state gets m and v as they were before the correction.",
            "After 20 steps with the constant gradient 1 and η = 0.001, w must have moved by −0.02.",
        ),
        driver=steps,
        solution=_adam_plain,
    ),
    Exercise(
        "optimizers.adamw_step",
        optimizers.adamw_step,
        _optimizer_cases("adamw", beta1=0.7, beta2=0.9, eps=0.05, weight_decay=0.4),
        _ADAMW_MISTAKES,
        [_adamw_plain, _adamw_calls_own_adam, _adamw_loop],
        points=2,
        minutes=5,
        why="A penalty in the gradient is rescaled by Adam until it hardly matters; decay beside it is not.",
        hints=(
            "Adam's part does not change, and does not know of the decay. You may call your own `adam_step`.",
            "Shrink w by a factor a little below 1, then let Adam move what remains.",
            "λ never enters dw, m or v.",
        ),
        driver=steps,
        solution=_adamw_plain,
    ),
    Exercise(
        "optimizers.clip_grad_norm",
        optimizers.clip_grad_norm,
        _clip_cases,
        _CLIP_MISTAKES,
        [_clip_plain, _clip_flat, _clip_hypot],
        points=2,
        minutes=6,
        why="One exploding gradient can undo hours of training; this line is in every training loop of a recurrent network.",
        hints=(
            "One number first: the root of the sum of all squares, over all arrays.",
            "One factor for all arrays: 1, or the bound over the norm.",
            "Return a list of new arrays, and the norm as it was before.",
        ),
        solution=_clip_plain,
    ),
    Exercise(
        "optimizers.warmup_cosine",
        optimizers.warmup_cosine,
        _schedule_cases,
        _SCHEDULE_MISTAKES,
        [_schedule_plain, _schedule_clip, _schedule_half_angle],
        points=2,
        minutes=6,
        why="Adam's averages know nothing in the first steps: short steps there, long ones after, short ones again to settle.",
        hints=(
            "Two cases: before step `warmup`, and from it on.",
            "For the second, how far along are you, from 0 at `warmup` to 1 at `total`? No further than 1.",
            "½(1 + cos(π · along)) runs from 1 to 0; the rate is to run from lr to lr_min.",
        ),
        driver=schedule_driver,
        solution=_schedule_plain,
    ),
    Exercise(
        "optimizers.lbfgs_direction",
        lbfgs_direction,
        _direction_cases,
        _DIRECTION_MISTAKES,
        [_direction_matrix, _direction_recursive],
        points=3,
        minutes=20,
        why="Newton's direction from a handful of vectors: what one uses where the whole batch fits into one gradient.",
        hints=(
            "The first loop goes from the newest pair to the oldest and stores one coefficient a for each.",
            "Between the loops one multiplication by γ, from the newest pair; nothing if there is no pair.",
            "The second loop goes back, from the oldest to the newest; each pair meets its own a again.",
            "With no pairs the answer is −g.",
        ),
    ),
]
