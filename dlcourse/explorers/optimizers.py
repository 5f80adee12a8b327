"""Explorer: pick two optimizers and a landscape, and race them, each at the learning rate that suits it there."""

from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import NamedTuple

import numpy as np
from contourpy import contour_generator

from .. import optimizers
from . import COLORS, Choice, Explorer, Slider

__all__ = [
    "EXPLORER",
    "NAMES",
    "RATES",
    "STEPS",
    "SURFACES",
    "Surface",
    "draw",
    "landscape",
    "needed",
    "path",
    "tuned",
]


def __dir__():
    return __all__


STEPS = 200
_FAR = 1e6


class Surface(NamedTuple):
    """A loss of two weights.

    value : J(w1, w2), of arrays too.
    grad : its gradient, at an array of two rows.
    start, lowest : points.
    xlim, ylim : what a picture shows.
    low : an optimizer has arrived where the loss stays below it.
    spread : how far from `start`, in either direction, others start.
    """

    value: Callable
    grad: Callable
    start: tuple
    lowest: tuple
    xlim: tuple
    ylim: tuple
    low: float
    spread: tuple

    def starts(self, count=9):
        """(2, count) array: `start` and others around it, the same in every call."""
        moved = np.random.default_rng(0).uniform(-1.0, 1.0, (2, count)) * np.array(self.spread)[:, None]
        moved[:, 0] = 0.0
        return np.array(self.start)[:, None] + moved


def _ravine(degrees):
    """½ (w1² + 50 w2²), turned."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[c, -s], [s, c]])
    H = turn @ np.diag([1.0, 50.0]) @ turn.T
    return Surface(
        lambda w1, w2: 0.5 * (H[0, 0] * w1 * w1 + 2.0 * H[0, 1] * w1 * w2 + H[1, 1] * w2 * w2),
        lambda w: np.array([H[0, 0] * w[0] + H[0, 1] * w[1], H[0, 1] * w[0] + H[1, 1] * w[1]]),
        tuple(turn @ [-4.0, 1.0]),
        (0.0, 0.0),
        (-4.6, 2.0),
        (-1.6, 1.6) if degrees == 0.0 else (-2.4, 1.6),
        0.01,
        (0.5, 0.5),
    )


def _saddle():
    """½ w1² − ½ w2² + ¼ w2⁴ + ¼: a saddle at the origin, the lowest points at w2 = ±1."""
    return Surface(
        lambda w1, w2: 0.5 * w1 * w1 + 0.25 * (1.0 - w2 * w2) ** 2,
        lambda w: np.array([w[0], w[1] * w[1] * w[1] - w[1]]),
        (-1.5, 2e-6),
        (0.0, 1.0),
        (-1.8, 1.0),
        (-0.7, 1.5),
        0.01,
        (0.5, 1e-6),
    )


def _rosenbrock():
    """(1 − w1)² + 100 (w2 − w1²)²: a bent valley, steep to the sides and almost level along its floor."""
    return Surface(
        lambda w1, w2: (1.0 - w1) ** 2 + 100.0 * (w2 - w1 * w1) ** 2,
        lambda w: np.array([-2.0 * (1.0 - w[0]) - 400.0 * w[0] * (w[1] - w[0] * w[0]), 200.0 * (w[1] - w[0] * w[0])]),
        (-1.2, 1.0),
        (1.0, 1.0),
        (-1.9, 1.9),
        (-0.8, 2.6),
        0.1,
        (0.3, 0.3),
    )


NAMES = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamw", "lbfgs")
# The one grid that all of them are tuned on
RATES = tuple(float(f"{digit}e{power}") for power in range(-3, 2) for digit in (1, 2, 3, 5))

SURFACES = {
    "ravine": _ravine(0.0),
    "turned ravine": _ravine(30.0),
    "saddle": _saddle(),
    "Rosenbrock": _rosenbrock(),
}


def _rule(name):
    """(init, step) of an optimizer; without decay of the weights, which would move the lowest point."""
    init, step = (getattr(optimizers, f"{name}_{part}") for part in ("init", "step"))
    return init, partial(step, weight_decay=0.0) if name == "adamw" else step


@lru_cache(maxsize=256)
def path(name, surface, lr=None, steps=STEPS):
    """The points that an optimizer visits, (steps + 1, 2), one for each gradient computed; fewer if it explodes.

    lr : its learning rate, `tuned` if it is left out. lbfgs finds its own step lengths and stays where it has arrived.
    """
    of = SURFACES[surface]
    if name == "lbfgs":
        return _lbfgs_path(of, np.array(of.start), steps)
    init, step = _rule(name)
    lr = tuned(name, surface) if lr is None else lr
    w = np.array(of.start)
    state, points = init(w), [w]
    for _ in range(steps):
        at = optimizers.nesterov_lookahead(w, state) if name == "nesterov" else w
        w, state = step(w, of.grad(at), state, lr=lr)
        if not np.max(np.abs(w)) < _FAR:
            break
        points.append(w)
    return np.array(points)


def _lbfgs_path(of, start, steps):
    """After each gradient the best point so far."""
    best = []

    def loss_and_grad(w):
        J = float(of.value(*w))
        best.append((J, tuple(w)) if not best or best[-1][0] > J else best[-1])
        return J, of.grad(w)

    optimizers.lbfgs(loss_and_grad, start, max_iter=steps)
    points = [w for _, w in best][: steps + 1]
    return np.array(points + [points[-1]] * (steps + 1 - len(points)))


def needed(name, surface, lr=None):
    """Gradients until the loss stays below the surface's `low`, an array with one number for each of nine starts.

    lr : one of `RATES`; the learning rate is `tuned` if it is left out. Infinite where `STEPS` gradients are not enough.
    """
    if name == "lbfgs":
        return _tried(name, surface)[0][0]
    return _tried(name, surface)[0][RATES.index(tuned(name, surface) if lr is None else lr)]


@cache
def tuned(name, surface):
    """The learning rate of `RATES` with the fewest gradients `needed`, by the median of nine starts.

    Where no rate arrives, the one with the lowest loss after `STEPS` gradients. None for lbfgs.
    """
    if name == "lbfgs":
        return None
    counts, losses = (np.median(x, axis=1) for x in _tried(name, surface))
    return RATES[np.lexsort((losses, counts))[0]]


@cache
def _tried(name, surface):
    """(gradients needed, loss after all of them), arrays (rates, starts)."""
    of = SURFACES[surface]
    if name == "lbfgs":
        points = np.stack([_lbfgs_path(of, start, STEPS) for start in of.starts().T], axis=2)[:, :, None]
    else:
        points = _all_rates(name, of)
    with np.errstate(all="ignore"):
        losses = np.nan_to_num(of.value(points[:, 0], points[:, 1]), nan=np.inf)
    above = losses > of.low
    counts = np.where(above.any(axis=0), len(above) - np.argmax(above[::-1], axis=0), 0)
    return np.where(above[-1], np.inf, counts), losses[-1]


def _all_rates(name, of):
    """(STEPS + 1, 2, rates, starts): every rate of the grid from every start at once.

    A step's length is proportional to its rate, in the velocity of momentum, too: steps from 0 with the rate 1 are scaled.
    """
    init, step = _rule(name)
    w = np.repeat(of.starts()[:, None], len(RATES), axis=1)
    zero, lr = np.zeros_like(w), np.array(RATES)[:, None]
    state, points = init(w), [w]
    with np.errstate(all="ignore"):
        for _ in range(STEPS):
            at = w + lr * optimizers.nesterov_lookahead(zero, state) if name == "nesterov" else w
            move, state = step(zero, of.grad(at), state, lr=1.0)
            w = w + lr * move
            points.append(w)
    return np.array(points)


@lru_cache
def _level_lines(surface, points=81):
    """The lines of equal loss as one line with gaps, each next one √10 times lower."""
    of = SURFACES[surface]
    w1, w2 = np.meshgrid(np.linspace(*of.xlim, points), np.linspace(*of.ylim, points))
    lines = contour_generator(w1, w2, of.value(w1, w2)).multi_lines(10.0 ** np.arange(-2.0, 3.5, 0.5))
    gap = np.full((1, 2), np.nan)
    return np.concatenate([part for level in lines for line in level for part in (line, gap)]).T


def landscape(ax, surface):
    """Grey lines of equal loss, each next one √10 times lower; a square at the start, a star at a lowest point."""
    of = SURFACES[surface]
    ax.plot(*_level_lines(surface), "-", color="#9a9a9a", linewidth=0.7)
    ax.plot(*of.start, "s", color="black", markersize=6)
    ax.plot(*of.lowest, "*", color="black", markersize=11)
    whole = [np.arange(np.ceil(low), np.floor(high) + 1.0) for low, high in (of.xlim, of.ylim)]
    ax.set(xticks=whole[0], yticks=whole[1], xlim=of.xlim, ylim=of.ylim, xlabel="$w_1$", ylabel="$w_2$")
    ax.grid(False)


def _rate(name, surface, log_factor):
    return None if name == "lbfgs" else tuned(name, surface) * 10.0**log_factor


def draw(figure, surface, first, second, log_factor, step):
    """Left: the landscape and both paths so far; right: the loss against the gradients computed."""
    of = SURFACES[surface]
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1.0))
    landscape(left, surface)
    outcome = []
    for name, color, marker, style in ((first, COLORS[0], "o", "-"), (second, COLORS[5], "^", "--")):
        lr = _rate(name, surface, log_factor)
        points = path(name, surface, lr)
        J = np.clip(of.value(*points.T), 1e-8, 1e4)
        at = min(step, len(J) - 1)
        # What has exploded would only cross the picture out
        end = min(at, 11) if len(J) <= STEPS else at
        left.plot(
            *points[: end + 1].T,
            linestyle=style,
            color=color,
            linewidth=1.3,
            marker=marker,
            markersize=3,
            markevery=5,
        )
        left.plot(*points[end], marker, color=color, markersize=9, markeredgecolor="white")
        label = f"{name}, no η" if lr is None else f"{name}, η = {lr:.2g}"
        right.plot(J[: at + 1], linestyle=style, color=color, label=label)
        right.plot(np.arange(at, len(J)), J[at:], "-", color=color, linewidth=0.6, alpha=0.5)
        right.plot(at, J[at], marker, color=color, clip_on=False, markersize=8, markeredgecolor="white")
        outcome.append(f"{name} exploded" if at < step else f"{name} {J[at]:.0e}")
    left.set_title(f"{surface}, after {step} gradients")
    right.set(xlabel="gradients computed", ylabel="loss J", yscale="log", xlim=(0, STEPS), ylim=(1e-8, 1e4))
    right.set(xticks=np.arange(0, STEPS + 1, 50), yticks=10.0 ** np.arange(-8, 5, 2))
    right.minorticks_off()
    right.set_title("; ".join(outcome))
    right.legend(loc="upper right", fontsize=9)


def _touch(where, surface, first, second, log_factor, step):
    """Pull a runner along its path, in the landscape or in the plot of the loss."""
    if where.action == "hover":
        return {}
    if where.axes == 1:
        return {"step": where.x}
    of, nearest = SURFACES[surface], []
    for name in (first, second):
        points = path(name, surface, _rate(name, surface, log_factor))
        away = np.hypot(*((points - [where.x, where.y]) / [np.ptp(of.xlim), np.ptp(of.ylim)]).T)
        nearest.append((away.min(), int(away.argmin())))
    return {"step": min(nearest)[1]}


EXPLORER = Explorer(
    "optimizers",
    draw,
    {
        "surface": Choice(tuple(SURFACES), "saddle", "landscape"),
        "first": Choice(NAMES, "momentum", "blue"),
        "second": Choice(NAMES, "adam", "red"),
        "log_factor": Slider(-1.5, 1.5, 0.0, 0.25, "η × 10 to the"),
        "step": Slider(0, STEPS, 24, 1, "gradients", play=True),
    },
    "The paths of {first} and {second} on the landscape {surface} after {step} gradients, both learning rates ten to the "
    "{log_factor} times the good one; beside it, the loss against the number of gradients computed.",
    size=(8.6, 3.8),
    touch=_touch,
)
figure, explore = EXPLORER.figure, EXPLORER.explore
