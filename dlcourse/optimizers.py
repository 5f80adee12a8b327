"""Optimizers: from a gradient to a step.

Every rule is a pair: ``<name>_init(w) -> state`` and
``<name>_step(w, dw, state, lr=…) -> (w, state)``. Nothing is changed in place; w,
dw and the arrays in the state are one array or any nesting of dicts, lists and
tuples of arrays. With the gradient g, entry by entry:

- sgd: `w ← w − η g`
- momentum: `v ← γ v + η g`, `w ← w − v`; nesterov: the same with g at `w − γ v`
- adagrad: `r ← r + g²`, `w ← w − η g / (√r + ε)`
- rmsprop: the same with `r ← ρ r + (1 − ρ) g²`
- adadelta: `Δ = g √(u + ε) / √(r + ε)`, `u ← ρ u + (1 − ρ) Δ²`, `w ← w − η Δ`
- adam: `w ← w − η m̂ / (√v̂ + ε)`, m and v averages of g and g², corrected for
  their start at 0
- adamw: `w ← (1 − ηλ) w`, then adam
- lbfgs: a `line_search` along `−H g`, H made from the last few steps

Clipping bounds a gradient (`clip_grad_norm`, `clip_grad_value`); schedules change
the learning rate with the step (`step_decay`, `cosine`, `warmup_cosine`).
"""

import math
from typing import Any, NamedTuple

from ._array import array_namespace, device, size
from ._checks import check_callable, check_integer, check_number, check_state
from ._tree import rebuild, zeros_like, zip_leaves

__all__ = [
    "AdadeltaState",
    "AdamState",
    "MomentumState",
    "SgdState",
    "SquareState",
    "adadelta_init",
    "adadelta_step",
    "adagrad_init",
    "adagrad_step",
    "adam_init",
    "adam_step",
    "adamw_init",
    "adamw_step",
    "clip_grad_norm",
    "clip_grad_value",
    "cosine",
    "lbfgs",
    "line_search",
    "momentum_init",
    "momentum_step",
    "nesterov_init",
    "nesterov_lookahead",
    "nesterov_step",
    "rmsprop_init",
    "rmsprop_step",
    "sgd_init",
    "sgd_step",
    "step_decay",
    "warmup_cosine",
]


def __dir__():
    return __all__


class SgdState(NamedTuple):
    """Nothing to remember."""


class MomentumState(NamedTuple):
    """v, the velocity: the step taken last, learning rate included."""

    v: Any


class SquareState(NamedTuple):
    """r, the sum or running average of the squared gradients."""

    r: Any


class AdadeltaState(NamedTuple):
    """r and u, the running averages of the squared gradients and of the squared updates."""

    r: Any
    u: Any


class AdamState(NamedTuple):
    """t, steps taken; m and v, the uncorrected running averages of the gradients and of
    their squares.
    """

    t: int
    m: Any
    v: Any


def sgd_init(w):
    r"""State of gradient descent: nothing.

    Parameters
    ----------
    w : array, or any nesting of dicts, lists and tuples of arrays.

    Returns
    -------
    SgdState()

    Examples
    --------
    >>> sgd_init(np.ones(2))
    SgdState()
    """
    zip_leaves(w=w)
    return SgdState()


def sgd_step(w, dw, state, lr=0.01):
    """Gradient descent: `w ← w − η g`; stochastic where g is a minibatch's gradient.

    Parameters
    ----------
    w : array, or any nesting of dicts, lists and tuples of arrays: the parameters.
    dw : the gradient g, in the same nesting.
    state : SgdState, from `sgd_init`.
    lr : learning rate η.

    Returns
    -------
    w : new parameters, in the same nesting.
    state : SgdState.

    Raises
    ------
    ValueError : the nesting or a shape of dw differs from that of w, or lr is negative.

    Notes
    -----
    Source: notes 000, 001.
    Fast twin: `kernels.optimizers.sgd_update`.

    Examples
    --------
    >>> w, state = np.array([1.0, 2.0]), sgd_init(np.zeros(2))
    >>> sgd_step(w, np.array([1.0, -1.0]), state, lr=0.5)
    (array([0.5, 2.5]), SgdState())
    """
    (lr,) = _check(state, SgdState, lr=lr)
    rows = [p - lr * g for p, g in zip_leaves(w=w, dw=dw)]
    return rebuild(w, rows), state


def momentum_init(w):
    """State of momentum: `v = 0`.

    Parameters
    ----------
    w : array, or any nesting of dicts, lists and tuples of arrays.

    Returns
    -------
    MomentumState(v), v in the nesting of w.

    Examples
    --------
    >>> momentum_init({"W": np.ones(2)})
    MomentumState(v={'W': array([0., 0.])})
    """
    return MomentumState(zeros_like(w))


def momentum_step(w, dw, state, lr=0.01, momentum=0.9, dampening=0.0):
    """Gradient descent with momentum: `v ← γ v + η (1 − d) g`, `w ← w − v`.

    Parameters
    ----------
    w, dw : parameters and gradient g, as for `sgd_step`.
    state : MomentumState(v), from `momentum_init`.
    lr : learning rate η.
    momentum : γ, the share of the last step that is kept, in [0, 1).
    dampening : d in [0, 1]; d = γ makes v the running average of notes 001.

    Returns
    -------
    w, state : new, in the same nesting.

    Notes
    -----
    Two conventions: notes 004 (and the default here) add ηg, notes 001 average with (1
    − β)g, a step 1 − β times as long. The learning rate is inside v; with a constant
    one that equals `w ← w − η v` with it outside, as in PyTorch. Dampening applies from
    the first step on (PyTorch begins with the second).
    Source: notes 001, 004; Polyak, Some methods of speeding up the convergence of
    iteration methods (1964).

    Examples
    --------
    >>> w, state = np.array([1.0]), momentum_init(np.zeros(1))
    >>> for _ in range(2):
    ...     w, state = momentum_step(w, np.array([1.0]), state, lr=0.1, momentum=0.5)
    >>> w.round(6), state.v.round(6)
    (array([0.75]), array([0.15]))
    """
    lr, gamma, d = _check(state, MomentumState, lr=lr, momentum=momentum, dampening=dampening)
    rows = []
    for p, g, v in zip_leaves(w=w, dw=dw, v=state.v):
        v = gamma * v + lr * (1.0 - d) * g
        rows.append((p - v, v))
    w, v = rebuild(w, rows)
    return w, state._replace(v=v)


def nesterov_init(w):
    """State of Nesterov's momentum: `v = 0`, as `momentum_init`.

    Parameters
    ----------
    w : array, or any nesting of dicts, lists and tuples of arrays.

    Returns
    -------
    MomentumState(v)

    Examples
    --------
    >>> nesterov_init(np.ones(2))
    MomentumState(v=array([0., 0.]))
    """
    return momentum_init(w)


def nesterov_lookahead(w, state, momentum=0.9):
    """Where the velocity alone would lead.

    `w′ = w − γ v`: the point for the gradient of `nesterov_step`.

    Parameters
    ----------
    w : parameters, as for `sgd_step`.
    state : MomentumState(v).
    momentum : γ, the same as in the step.

    Returns
    -------
    w' : in the same nesting.

    Examples
    --------
    >>> nesterov_lookahead(
    ...     np.array([1.0]), MomentumState(np.array([2.0])), momentum=0.5
    ... )
    array([0.])
    """
    (gamma,) = _check(state, MomentumState, momentum=momentum)
    return rebuild(w, [p - gamma * v for p, v in zip_leaves(w=w, v=state.v)])


def nesterov_step(w, dw, state, lr=0.01, momentum=0.9):
    """Nesterov's accelerated gradient.

    `v ← γ v + η g′`, `w ← w − v`, g′ at the look-ahead.

    Parameters
    ----------
    w : parameters, as for `sgd_step`: w itself, not the look-ahead.
    dw : the gradient g′ at ``nesterov_lookahead(w, state, momentum)``.
    state : MomentumState(v), from `nesterov_init`.
    lr, momentum : η and γ.

    Returns
    -------
    w, state : new, in the same nesting.

    Notes
    -----
    PyTorch keeps the look-ahead point as its parameter; its path is that of
    `nesterov_lookahead` here.
    Source: notes 004; Nesterov (1983); Sutskever, Martens, Dahl, Hinton, On the
    importance of initialization and momentum in deep learning (ICML 2013), section 2.

    Examples
    --------
    >>> w = np.array([1.0])
    >>> state = nesterov_init(w)
    >>> for _ in range(200):
    ...     dw = 2.0 * nesterov_lookahead(w, state, 0.9)
    ...     w, state = nesterov_step(w, dw, state, lr=0.1, momentum=0.9)
    >>> bool(abs(w[0]) < 1e-6)
    True
    """
    return momentum_step(w, dw, state, lr=lr, momentum=momentum)


def adagrad_init(w):
    """State of Adagrad: `r = 0`.

    Parameters
    ----------
    w : array, or any nesting of dicts, lists and tuples of arrays.

    Returns
    -------
    SquareState(r), r in the nesting of w.

    Examples
    --------
    >>> adagrad_init(np.ones(2))
    SquareState(r=array([0., 0.]))
    """
    return SquareState(zeros_like(w))


def adagrad_step(w, dw, state, lr=0.01, eps=1e-8):
    """Adagrad: `r ← r + g²`, `w ← w − η g / (√r + ε)`.

    Parameters
    ----------
    w, dw : parameters and gradient g, as for `sgd_step`.
    state : SquareState(r), from `adagrad_init`.
    lr : learning rate η.
    eps : ε, outside the root.

    Returns
    -------
    w, state : new, in the same nesting.

    Notes
    -----
    The current gradient is in the sum. Notes 004 leave it out: then the first step
    divides by √ε alone (E34).
    Source: Duchi, Hazan, Singer, Adaptive subgradient methods (JMLR 12, 2011); notes
    004.

    Examples
    --------
    >>> w, state = adagrad_step(
    ...     np.array([1.0]), np.array([5.0]), adagrad_init(np.ones(1)), lr=0.01
    ... )
    >>> w.round(6), state.r
    (array([0.99]), array([25.]))
    """
    lr, eps = _check(state, SquareState, lr=lr, eps=eps)
    rows = []
    for p, g, r in zip_leaves(w=w, dw=dw, r=state.r):
        r = r + g * g
        rows.append((p - lr * _ratio(g, r, eps), r))
    w, r = rebuild(w, rows)
    return w, state._replace(r=r)


def rmsprop_init(w):
    """State of RMSprop: `r = 0`.

    Parameters
    ----------
    w : array, or any nesting of dicts, lists and tuples of arrays.

    Returns
    -------
    SquareState(r), r in the nesting of w.

    Examples
    --------
    >>> rmsprop_init(np.ones(2))
    SquareState(r=array([0., 0.]))
    """
    return SquareState(zeros_like(w))


def rmsprop_step(w, dw, state, lr=0.001, rho=0.9, eps=1e-8):
    """RMSprop: `r ← ρ r + (1 − ρ) g²`, `w ← w − η g / (√r + ε)`.

    Parameters
    ----------
    w, dw : parameters and gradient g, as for `sgd_step`.
    state : SquareState(r), from `rmsprop_init`.
    lr : learning rate η.
    rho : ρ, the share of the old average that is kept, in [0, 1).
    eps : ε, outside the root.

    Returns
    -------
    w, state : new, in the same nesting.

    Notes
    -----
    Notes 001 put ε inside the root (E14); notes 004 call this rule Adadelta (E35).
    Source: Tieleman, Hinton, Neural networks for machine learning (Coursera 2012),
    lecture 6.5.

    Examples
    --------
    >>> w, state = rmsprop_step(
    ...     np.array([1.0]), np.array([2.0]), rmsprop_init(np.ones(1)), lr=0.1, rho=0.75
    ... )
    >>> w.round(6), state.r
    (array([0.8]), array([1.]))
    """
    lr, rho, eps = _check(state, SquareState, lr=lr, rho=rho, eps=eps)
    rows = []
    for p, g, r in zip_leaves(w=w, dw=dw, r=state.r):
        r = rho * r + (1.0 - rho) * g * g
        rows.append((p - lr * _ratio(g, r, eps), r))
    w, r = rebuild(w, rows)
    return w, state._replace(r=r)


def adadelta_init(w):
    """State of Adadelta: `r = 0`, `u = 0`.

    Parameters
    ----------
    w : array, or any nesting of dicts, lists and tuples of arrays.

    Returns
    -------
    AdadeltaState(r, u), both in the nesting of w.

    Examples
    --------
    >>> adadelta_init(np.ones(2))
    AdadeltaState(r=array([0., 0.]), u=array([0., 0.]))
    """
    return AdadeltaState(zeros_like(w), zeros_like(w))


def adadelta_step(w, dw, state, lr=1.0, rho=0.95, eps=1e-6):
    """Adadelta: RMSprop whose learning rate is the running size of its own past updates.

    `r ← ρ r + (1 − ρ) g²`, `Δ = g √(u + ε) / √(r + ε)`, `u ← ρ u + (1 − ρ) Δ²`,
    `w ← w − η Δ`.

    Parameters
    ----------
    w, dw : parameters and gradient g, as for `sgd_step`.
    state : AdadeltaState(r, u), from `adadelta_init`.
    lr : η, 1 in the paper, which has no learning rate.
    rho : ρ in [0, 1).
    eps : ε, inside both roots; positive, as it is what starts the movement.

    Returns
    -------
    w, state : new, in the same nesting.

    Notes
    -----
    u enters Δ before Δ enters u. What notes 004 call Adadelta is RMSprop (E35).
    Source: Zeiler, ADADELTA: An adaptive learning rate method (2012), algorithm 1.

    Examples
    --------
    >>> w, dw = np.array([1.0]), np.array([2.0])
    >>> w, state = adadelta_step(w, dw, adadelta_init(w), rho=0.75, eps=1.0)
    >>> w.round(6), state.r  # Δ = √1 / √(1 + 1) · 2
    (array([-0.414214]), array([1.]))
    """
    lr, rho, eps = _check(state, AdadeltaState, lr=lr, rho=rho, eps=eps)
    rows = []
    for p, g, r, u in zip_leaves(w=w, dw=dw, r=state.r, u=state.u):
        xp = array_namespace(p)
        r = rho * r + (1.0 - rho) * g * g
        delta = xp.sqrt(u + eps) / xp.sqrt(r + eps) * g
        u = rho * u + (1.0 - rho) * delta * delta
        rows.append((p - lr * delta, r, u))
    w, r, u = rebuild(w, rows)
    return w, state._replace(r=r, u=u)


def adam_init(w):
    """State of Adam: `t = 0`, `m = 0`, `v = 0`.

    Parameters
    ----------
    w : array, or any nesting of dicts, lists and tuples of arrays.

    Returns
    -------
    AdamState(t, m, v), m and v in the nesting of w.

    Notes
    -----
    Fast twin: `kernels.optimizers.adam_init`.

    Examples
    --------
    >>> adam_init(np.ones(2))
    AdamState(t=0, m=array([0., 0.]), v=array([0., 0.]))
    """
    return AdamState(0, zeros_like(w), zeros_like(w))


def adam_step(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    r"""Adam: momentum and RMSprop together, both corrected for their start at 0.

    .. math::
        m ← β₁ m + (1 − β₁) g
        v ← β₂ v + (1 − β₂) g²

    .. math::
        m̂ = m/(1 − β₁^t)
        v̂ = v/(1 − β₂^t)
        w ← w − η m̂/(√v̂ + ε)

    Parameters
    ----------
    w, dw : parameters and gradient g, as for `sgd_step`.
    state : AdamState(t, m, v), from `adam_init`.
    lr : learning rate η.
    beta1, beta2 : β₁ and β₂ in [0, 1), the shares of the old averages that are kept.
    eps : ε, outside the root.

    Returns
    -------
    w, state : new, in the same nesting; t has grown by one.

    Notes
    -----
    t is 1 in the first step, and the state keeps the uncorrected m and v: without the
    power t, or with the corrected averages stored, the steps are far too short (E01,
    E11). The step goes down the gradient (E18); β₂ is 0.999 (E36).
    Source: Kingma, Ba, Adam (ICLR 2015), algorithm 1; notes 000 (where m and v are s
    and r), 001, 002, 004.
    Fast twin: `kernels.optimizers.adam_update`.

    Examples
    --------
    >>> w = np.array([0.0])
    >>> state = adam_init(w)
    >>> for _ in range(20):
    ...     w, state = adam_step(w, np.array([1.0]), state, lr=0.001)
    >>> w.round(6), state.t
    (array([-0.02]), 20)
    """
    lr, beta1, beta2, eps = _check(state, AdamState, lr=lr, beta1=beta1, beta2=beta2, eps=eps)
    t = check_integer("state.t", state.t, minimum=0) + 1
    rows = []
    for p, g, m, v in zip_leaves(w=w, dw=dw, m=state.m, v=state.v):
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * g * g
        m_hat = m / (1.0 - beta1**t)
        v_hat = v / (1.0 - beta2**t)
        rows.append((p - lr * _ratio(m_hat, v_hat, eps), m, v))
    w, m, v = rebuild(w, rows)
    return w, state._replace(t=t, m=m, v=v)


def adamw_init(w):
    r"""State of AdamW, that of Adam.

    Parameters
    ----------
    w : array, or any nesting of dicts, lists and tuples of arrays.

    Returns
    -------
    AdamState(t, m, v)

    Examples
    --------
    >>> adamw_init(np.ones(2)).t
    0
    """
    return adam_init(w)


def adamw_step(w, dw, state, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):
    """AdamW: `w ← (1 − ηλ) w`, then Adam's step with the gradient of the loss alone.

    Parameters
    ----------
    w, dw, state, lr, beta1, beta2, eps : as for `adam_step`; dw holds no penalty.
    weight_decay : λ, at least 0. It shrinks every array in w: step the biases with 0.

    Returns
    -------
    w, state : new, in the same nesting.

    Notes
    -----
    An L2 penalty in the gradient would be divided by `√v̂` like the rest, so that
    weights with large gradients would decay least; here all decay alike. λ is
    multiplied by the learning rate, as in PyTorch; in the paper by the schedule's
    factor alone, so its λ is our ηλ.
    Source: Loshchilov, Hutter, Decoupled weight decay regularization (ICLR 2019),
    algorithm 2.

    Examples
    --------
    >>> w, dw = np.array([2.0]), np.array([0.0])
    >>> w, state = adamw_step(w, dw, adamw_init(w), lr=0.1, weight_decay=0.5)
    >>> w.round(6)
    array([1.9])
    """
    lr, decay = _check(state, AdamState, lr=lr, weight_decay=weight_decay)
    decayed = [(1.0 - lr * decay) * p for (p,) in zip_leaves(w=w)]
    return adam_step(rebuild(w, decayed), dw, state, lr=lr, beta1=beta1, beta2=beta2, eps=eps)


def clip_grad_norm(grads, max_norm):
    """Gradients of norm at most η: `g ← g · min(1, η / ‖g‖)`, the direction kept.

    Parameters
    ----------
    grads : array, or any nesting of dicts, lists and tuples of arrays.
    max_norm : the bound η, positive.

    Returns
    -------
    grads : in the same nesting.
    norm : ‖g‖ before clipping, over all arrays together.

    Notes
    -----
    Below the bound nothing changes (the notes scale always, E19). It is for exploding
    gradients and does nothing for vanishing ones (E37). The norm is taken of
    `g / max|g|`, whose squares cannot overflow. Gradients with an entry that is not
    finite have no direction to keep: they come back as they are, and the norm says so.
    Source: Pascanu, Mikolov, Bengio, On the difficulty of training recurrent neural
    networks (ICML 2013), algorithm 1; notes 002, 004.

    Examples
    --------
    >>> grads, norm = clip_grad_norm([np.array([3.0]), np.array([0.0, 4.0])], 1.0)
    >>> grads[0].round(6), grads[1].round(6), float(norm)
    (array([0.6]), array([0. , 0.8]), 5.0)
    """
    max_norm = check_number("max_norm", max_norm, low=0.0, include_low=False)
    leaves = [g for (g,) in zip_leaves(grads=grads)]
    norm = math.hypot(*map(_norm, leaves))
    scale = max_norm / norm if max_norm < norm < math.inf else 1.0
    norm = array_namespace(leaves[0]).asarray(norm, dtype=leaves[0].dtype, device=device(leaves[0]))
    return rebuild(grads, [scale * g for g in leaves]), norm


def clip_grad_value(grads, limit):
    """Gradients with every entry in [−limit, limit].

    `g ← min(max(g, −c), c)`; the direction changes.

    Parameters
    ----------
    grads : array, or any nesting of dicts, lists and tuples of arrays.
    limit : the bound c, positive.

    Returns
    -------
    grads : in the same nesting.

    Examples
    --------
    >>> clip_grad_value(np.array([-3.0, 0.5, 2.0]), 1.0)
    array([-1. ,  0.5,  1. ])
    """
    limit = check_number("limit", limit, low=0.0, include_low=False)
    return rebuild(grads, [array_namespace(g).clip(g, -limit, limit) for (g,) in zip_leaves(grads=grads)])


def step_decay(step, lr, factor=0.5, every=10):
    """Learning rate in stairs: `η_t = η · f^(⌊t / n⌋)`.

    Parameters
    ----------
    step : t, 0 for the first step (or epoch).
    lr : η, the rate at the start.
    factor : f, positive.
    every : n, the length of a stair.

    Returns
    -------
    float

    Examples
    --------
    >>> [step_decay(step, 0.8, factor=0.5, every=2) for step in range(5)]
    [0.8, 0.8, 0.4, 0.4, 0.2]
    """
    step, lr = _check_schedule(step, lr)
    factor = check_number("factor", factor, low=0.0, include_low=False)
    return lr * factor ** (step // check_integer("every", every))


def cosine(step, lr, total, lr_min=0.0):
    """Learning rate along half a cosine.

    `η_t = η_min + ½ (η − η_min)(1 + cos(π t / T))`.

    Parameters
    ----------
    step : t, 0 for the first step; from T on the rate stays at its lowest.
    lr : η, the rate at the start.
    total : T, the step at which the rate is lowest.
    lr_min : the lowest rate.

    Returns
    -------
    float

    Notes
    -----
    Source: Loshchilov, Hutter, SGDR: Stochastic gradient descent with warm restarts
    (ICLR 2017), equation (5).

    Examples
    --------
    >>> [round(cosine(step, 1.0, 4), 3) for step in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """
    step, lr = _check_schedule(step, lr)
    total = check_number("total", total, low=0.0, include_low=False, include_high=False)
    lr_min = check_number("lr_min", lr_min, low=0.0, include_high=False)
    return lr_min + 0.5 * (lr - lr_min) * (1.0 + math.cos(math.pi * min(step / total, 1.0)))


def warmup_cosine(step, lr, total, warmup, lr_min=0.0):
    """Learning rate that rises evenly.

    `η t / t_w`, for `t_w` steps, then falls as `cosine` over the rest.

    Parameters
    ----------
    step, lr, total, lr_min : as for `cosine`; `total` counts the warm-up.
    warmup : `t_w`, its length, less than `total`.

    Returns
    -------
    float

    Examples
    --------
    >>> [round(warmup_cosine(step, 1.0, 6, 2), 3) for step in range(7)]
    [0.0, 0.5, 1.0, 0.854, 0.5, 0.146, 0.0]
    """
    step, lr = _check_schedule(step, lr)
    total = check_number("total", total, low=0.0, include_low=False, include_high=False)
    warmup = check_number("warmup", warmup, 0.0, total, include_high=False)
    if step < warmup:
        return lr * step / warmup
    return cosine(step - warmup, lr, total - warmup, lr_min)


def lbfgs(loss_and_grad, w0, history=10, max_iter=100, tolerance=1e-10):
    """L-BFGS: full-batch descent along `−H g`, where H, the inverse Hessian, is made from
    the last few steps.

    Each iteration finds `p = −Hg` with the two-loop recursion, a step length α that
    meets the strong Wolfe conditions, and remembers `s = α p` and `y = g_new − g`; H is
    never written down.

    Parameters
    ----------
    loss_and_grad : ``loss_and_grad(w) -> (loss, dw)``, a smooth function without
        randomness; dw in the nesting of w.
    w0 : array, or any nesting of dicts, lists and tuples of arrays: where to begin.
    history : pairs (s, y) to remember, at least 1.
    max_iter : maximum number of iterations; each takes one evaluation of the loss,
        rarely more.
    tolerance : the search ends when the largest entry of the gradient is this small a
        part of the first gradient's.

    Returns
    -------
    w : in the nesting of w0.
    losses : list of floats: at w0, after each iteration, the last one at w. It never
        rises.

    Raises
    ------
    ValueError : the loss at w0 is not finite, or the gradient does not fit w.

    Notes
    -----
    The search ends early when no shorter step lowers the loss: then rounding is all
    that is left.
    Source: Nocedal, Wright, Numerical optimization (2006), algorithms 7.4 and 7.5,
    conditions (3.7); notes 003.

    Examples
    --------
    >>> def bowl(w):
    ...     curvature = np.array([2.0, 200.0])
    ...     return float(np.sum(0.5 * curvature * w**2)), curvature * w
    >>> w, losses = lbfgs(bowl, np.array([3.0, 1.0]))
    >>> bool(np.max(np.abs(w)) < 1e-6), losses[0]
    (True, 109.0)
    """
    check_callable("loss_and_grad", loss_and_grad, "loss_and_grad(w) -> (loss, dw)")
    history, max_iter = check_integer("history", history), check_integer("max_iter", max_iter, minimum=0)
    tolerance = check_number("tolerance", tolerance, low=0.0)
    x = _flat([p for (p,) in zip_leaves(w0=w0)])
    J, g = _evaluate(loss_and_grad, w0, x)
    if not math.isfinite(J):
        raise ValueError(f"w0: expected a point with a finite loss, got {J}")
    xp = array_namespace(x)
    losses, pairs, small = [J], [], tolerance * float(xp.max(xp.abs(g)))
    while len(losses) <= max_iter and float(xp.max(xp.abs(g))) > small:
        p = -_two_loop(g, pairs)
        # nothing is known of the curvature before the first step: let it be at most 1 long
        alpha = 1.0 if pairs else min(1.0, 1.0 / float(xp.sum(xp.abs(g))))
        found = _line_search(loss_and_grad, w0, x, J, g, p, alpha)
        if found is None and pairs:
            pairs = []
            continue
        if found is None or (found[1] == J and float(found[2] @ found[2]) >= float(g @ g)):
            break
        x_new, J, g_new, _ = found
        s, y = x_new - x, g_new - g
        if float(s @ y) > 0.0:
            pairs = [*pairs, (s, y)][-history:]
        x, g = x_new, g_new
        losses.append(J)
    return _unflat(w0, x), losses


def line_search(loss_and_grad, w, p, alpha=1.0, c1=1e-4, c2=0.9, max_iter=30):
    """How far to go along a direction p: a length α that meets the strong Wolfe
    conditions.

    `J(w + αp) ≤ J(w) + c₁ α s` and `|s_α| ≤ c₂ |s|`, where `s = gᵀp` is the slope along
    p at w and `s_α` that at `w + αp`.

    Parameters
    ----------
    loss_and_grad : ``loss_and_grad(w) -> (loss, dw)``, a smooth function without
        randomness; dw in the nesting of w.
    w : array, or any nesting of dicts, lists and tuples of arrays: where to begin.
    p : the direction, in the nesting of w; the loss falls along it, `gᵀp < 0`.
    alpha : the length that is tried first, positive.
    c1, c2 : how much the loss must fall, how flat the slope must become,
        `0 < c₁ < c₂ < 1`.
    max_iter : maximum number of lengths tried, at least 1.

    Returns
    -------
    alpha : float, the length; where none of those tried meets both conditions the last
        one that was not too far, or 0.0.
    loss : J at `w + αp`.
    dw : the gradient there, in the nesting of w.

    Raises
    ------
    ValueError : the loss at w is not finite, p leads uphill or does not fit w, or the
        constants are out of order.

    Notes
    -----
    By bisection: α is too far where the loss does not fall enough, the slope is above
    `c₂|s|`, or one of them is not a number; too near where the slope is below `−c₂|s|`.
    The next α is the middle of the largest that was too near and the smallest that was
    too far, or twice the first while nothing was too far. `lbfgs` finds its steps so.
    Source: Nocedal, Wright, Numerical optimization (2006), conditions (3.7); notes 003.

    Examples
    --------
    >>> def bowl(w):
    ...     return float(np.sum(w**2)), 2.0 * w
    >>> alpha, loss, dw = line_search(bowl, np.array([3.0]), np.array([-6.0]))
    >>> alpha, loss, dw
    (0.5, 0.0, array([0.]))
    """
    check_callable("loss_and_grad", loss_and_grad, "loss_and_grad(w) -> (loss, dw)")
    alpha = check_number("alpha", alpha, low=0.0, include_low=False, include_high=False)
    c2 = check_number("c2", c2, 0.0, 1.0, include_low=False, include_high=False)
    c1 = check_number("c1", c1, 0.0, c2, include_low=False, include_high=False)
    max_iter = check_integer("max_iter", max_iter)
    x = _flat([leaf for (leaf,) in zip_leaves(w=w)])
    J, g = _evaluate(loss_and_grad, w, x)
    if not math.isfinite(J):
        raise ValueError(f"w: expected a point with a finite loss, got {J}")
    direction = _flat([leaf for _, leaf in zip_leaves(w=w, p=p)])
    slope = float(g @ direction)
    if not slope < 0.0:
        raise ValueError(f"p: expected a direction along which the loss falls, gᵀp < 0, got gᵀp = {slope:g}")
    found = _line_search(loss_and_grad, w, x, J, g, direction, alpha, c1, c2, max_iter)
    _, loss, dw, alpha = found or (x, J, g, 0.0)
    return alpha, loss, _unflat(w, dw)


def _two_loop(g, pairs):
    """The product H g (Nocedal, Wright, algorithm 7.4), with `H₀ = (sᵀy / yᵀy) I` of the
    last pair.
    """
    q, coefficients = g, []
    for s, y in reversed(pairs):
        a = float(s @ q) / float(s @ y)
        q = q - a * y
        coefficients.append(a)
    if pairs:
        s, y = pairs[-1]
        q = float(s @ y) / float(y @ y) * q
    for (s, y), a in zip(pairs, reversed(coefficients), strict=True):
        q = q + (a - float(y @ q) / float(s @ y)) * s
    return q


def _line_search(loss_and_grad, w0, x, J, g, p, alpha, c1=1e-4, c2=0.9, max_iter=30):
    """(x + αp, loss, gradient, α) that meets the strong Wolfe conditions, by bisection; the best found, or None.

    `low` falls far enough and still goes down, `high` is too far: between them lies a point that meets both.
    """
    slope, low, high, found = float(g @ p), 0.0, math.inf, None
    for _ in range(max_iter):
        x_new = x + alpha * p
        J_new, g_new = _evaluate(loss_and_grad, w0, x_new)
        # written so that a loss or a slope that is not a number counts as too far
        slope_new = float(g_new @ p) if J_new <= J + c1 * alpha * slope else math.inf
        if not slope_new <= -c2 * slope:
            high = alpha
        else:
            found = x_new, J_new, g_new, alpha
            if slope_new >= c2 * slope:
                break
            low = alpha
        alpha = 0.5 * (low + high) if high < math.inf else 2.0 * low
    return found


def _evaluate(loss_and_grad, w0, x):
    """Loss as a float and gradient as one vector, at the vector x."""
    w = _unflat(w0, x)
    J, dw = loss_and_grad(w)
    return float(J), _flat([g for _, g in zip_leaves(w=w, dw=dw)])


def _flat(leaves):
    """All entries in one new vector."""
    xp = array_namespace(leaves[0])
    return xp.concat([xp.reshape(x, (-1,)) for x in leaves])


def _unflat(tree, x):
    """The vector's entries as new arrays in the nesting and shapes of `tree`."""
    xp, start, leaves = array_namespace(x), 0, []
    for (leaf,) in zip_leaves(w0=tree):
        leaves.append(xp.asarray(xp.reshape(x[start : start + size(leaf)], leaf.shape), dtype=leaf.dtype, copy=True))
        start += size(leaf)
    return rebuild(tree, leaves)


def _ratio(g, r, eps):
    """g / (√r + ε)."""
    denominator = array_namespace(r).sqrt(r)
    denominator += eps
    return g / denominator


def _norm(g):
    """The Euclidean norm of an array as a float."""
    xp = array_namespace(g)
    largest = float(xp.max(xp.abs(g))) if size(g) else 0.0
    if largest == 0.0 or not math.isfinite(largest):
        return largest
    scaled = g / largest
    return largest * math.sqrt(float(xp.sum(scaled * scaled)))


def _check(state, kind, **options):
    """The options as floats, if the state has the fields of `kind` and they are in [0, 1) or, where no share, [0, ∞)."""
    check_state(state, kind)
    shares = ("momentum", "dampening", "rho", "beta1", "beta2")
    return [
        float(check_number(name, x, 0.0, 1.0 if name in shares else math.inf, include_high=name == "dampening"))
        for name, x in options.items()
    ]


def _check_schedule(step, lr):
    """The step, whole or not, at least 0, and the learning rate as a float."""
    return (
        check_number("step", step, low=0.0, include_high=False),
        check_number("lr", lr, low=0.0, include_high=False),
    )
