"""Explorer: pick two optimizers and a landscape, and race them."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from contourpy import contour_generator

from .. import optimizers
from . import COLORS, Choice, Explorer, Slider

__all__ = [
    "EXPLORER",
    "NAMES",
    "STEPS",
    "SURFACES",
    "Surface",
    "draw",
    "landscape",
    "path",
]


def __dir__():
    return __all__


STEPS = 200
_FAR = 1e6


class Surface(NamedTuple):
    """A loss of two weights.

    value : J(w1, w2), of arrays too.
    grad : its gradient, at an array of two.
    start, lowest : points.
    xlim, ylim : what a picture shows.
    rates : {optimizer: the learning rate out of 1, 2, 5, 10, … that does well here}.
    """

    value: Callable
    grad: Callable
    start: tuple
    lowest: tuple
    xlim: tuple
    ylim: tuple
    rates: dict


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
        _rates(0.02, 0.01, 0.01, 1.0, 0.02, 10.0, 0.5, 0.5),
    )


def _saddle():
    """½ w1² − ½ w2² + ¼ w2⁴ + ¼: a saddle at the origin, the lowest points at w2 = ±1."""
    return Surface(
        lambda w1, w2: 0.5 * w1 * w1 + 0.25 * (1.0 - w2 * w2) ** 2,
        lambda w: np.array([w[0], w[1] ** 3 - w[1]]),
        (-1.5, 1e-6),
        (0.0, 1.0),
        (-1.8, 1.0),
        (-0.7, 1.5),
        _rates(0.2, 0.1, 0.1, 0.5, 0.05, 10.0, 0.1, 0.1),
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
        _rates(0.002, 0.001, 0.001, 0.5, 0.01, 10.0, 0.5, 0.5),
    )


NAMES = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamw", "lbfgs")


def _rates(*rates):
    return dict(zip(NAMES, rates, strict=False))


SURFACES = {
    "ravine": _ravine(0.0),
    "turned ravine": _ravine(30.0),
    "saddle": _saddle(),
    "Rosenbrock": _rosenbrock(),
}


@lru_cache(maxsize=256)
def path(name, surface, lr=None, steps=STEPS):
    """The points that an optimizer visits, (steps + 1, 2), one for each gradient computed; fewer if it explodes.

    lbfgs finds its own step lengths: lr is not for it, and it stays where it is once it has arrived.
    """
    of = SURFACES[surface]
    if name == "lbfgs":
        return _lbfgs_path(of, steps)
    init, step = (getattr(optimizers, f"{name}_{part}") for part in ("init", "step"))
    lr = of.rates[name] if lr is None else lr
    w = np.array(of.start)
    state, points = init(w), [w]
    for _ in range(steps):
        at = optimizers.nesterov_lookahead(w, state) if name == "nesterov" else w
        w, state = step(w, of.grad(at), state, lr=lr)
        if not np.max(np.abs(w)) < _FAR:
            break
        points.append(w)
    return np.array(points)


def _lbfgs_path(of, steps):
    """After each gradient the best point so far."""
    best = []

    def loss_and_grad(w):
        J = float(of.value(*w))
        best.append((J, tuple(w)) if not best or best[-1][0] > J else best[-1])
        return J, of.grad(w)

    optimizers.lbfgs(loss_and_grad, np.array(of.start), max_iter=steps)
    points = [w for _, w in best][: steps + 1]
    return np.array(points + [points[-1]] * (steps + 1 - len(points)))


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


def draw(figure, surface, first, second, log_factor):
    """Left: the landscape and both paths; right: the loss against the gradients computed."""
    of = SURFACES[surface]
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1.0))
    landscape(left, surface)
    outcome = []
    for name, color, marker, style in ((first, COLORS[0], "o", "-"), (second, COLORS[5], "^", "--")):
        lr = None if name == "lbfgs" else of.rates[name] * 10.0**log_factor
        points = path(name, surface, lr)
        J = np.maximum(of.value(*points.T), 1e-8)
        label = f"{name}, no η" if lr is None else f"{name}, η = {lr:.2g}"
        exploded = len(J) <= STEPS
        # what has exploded would only cross the picture out
        left.plot(
            *points[: 12 if exploded else None].T,
            linestyle=style,
            color=color,
            linewidth=1.3,
            marker=marker,
            markersize=3,
            markevery=5,
        )
        right.plot(J, linestyle=style, color=color, label=label)
        right.plot(len(J) - 1, min(J[-1], 1e4), marker, color=color, clip_on=False)
        outcome.append(f"{name} exploded" if exploded else f"{name} {J[-1]:.0e}")
    left.set_title(surface)
    right.set(xlabel="gradients computed", ylabel="loss J", yscale="log", xlim=(0, STEPS), ylim=(1e-8, 1e4))
    right.set(xticks=np.arange(0, STEPS + 1, 50), yticks=10.0 ** np.arange(-8, 5, 2))
    right.minorticks_off()
    right.set_title("; ".join(outcome))
    right.legend(loc="upper right", fontsize=9)


EXPLORER = Explorer(
    "optimizers",
    draw,
    {
        "surface": Choice(tuple(SURFACES), "Rosenbrock", "landscape"),
        "first": Choice(NAMES, "sgd", "blue"),
        "second": Choice(NAMES, "adam", "red"),
        "log_factor": Slider(-1.5, 1.5, 0.0, 0.25, "η × 10 to the"),
    },
    "The paths of {first} and {second} on the landscape {surface}, both learning rates ten to the {log_factor} times "
    "the good one; beside it, the loss against the number of gradients computed.",
    size=(8.6, 3.8),
)
figure, explore = EXPLORER.figure, EXPLORER.explore
