"""Explorer: learning rate and momentum as a map, and the path in a ravine that a point of the map stands for."""

from functools import lru_cache

import numpy as np
from contourpy import contour_generator

from .. import optimizers
from . import CMAP, COLORS, Explorer, Slider

__all__ = [
    "EXPLORER",
    "best",
    "draw",
    "factor",
]


def __dir__():
    return __all__


_STEPS, _START = 100, np.array([-4.0, 1.0])
_ETA, _GAMMA = np.linspace(0.02, 4.0, 200), np.linspace(0.0, 0.98, 99)
_LEVELS = (10, 20, 50, 100)
_LABEL = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}


def factor(a, lr, momentum):
    """What a step of gradient descent with momentum multiplies the distance along a direction by, in the long run.

    `w` and `v` before a step give those after it by a matrix with the eigenvalues z of
    `z² − (1 + γ − ηa) z + γ = 0`; the larger |z| is the factor.

    Parameters
    ----------
    a : curvature along the direction. lr : η. momentum : γ. Numbers or arrays.

    Returns
    -------
    Number or array: below 1 it converges.
    """
    b, gamma = np.abs(1.0 + momentum - lr * a), np.asarray(momentum)
    inside = b * b - 4.0 * gamma
    return np.where(inside < 0.0, np.sqrt(gamma), 0.5 * (b + np.sqrt(np.maximum(inside, 0.0))))


def best(kappa):
    """(η, γ, factor) of the fastest momentum where curvatures go from 1/κ to 1."""
    root = np.sqrt(kappa)
    q = (root - 1.0) / (root + 1.0)
    return (2.0 / (1.0 + 1.0 / root)) ** 2, q * q, q


def _slowest(kappa, lr, momentum):
    """The factor of the direction that is slowest."""
    return np.maximum(factor(1.0, lr, momentum), factor(1.0 / kappa, lr, momentum))


@lru_cache(maxsize=64)
def _map(kappa):
    """log₁₀ of the steps for each further digit, on the grid, NaN where it explodes; and lines of equally many steps."""
    slowest = _slowest(kappa, *np.meshgrid(_ETA, _GAMMA))
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.where(slowest < 1.0, np.log10(-1.0 / np.log10(slowest)), np.nan)
    found = contour_generator(_ETA, _GAMMA, np.ma.masked_invalid(steps)).multi_lines(np.log10(_LEVELS))
    gap = np.full((1, 2), np.nan)
    parts = [part for level in found for line in level for part in (line, gap)]
    return steps, np.concatenate(parts).T if parts else gap.T


@lru_cache(maxsize=256)
def _path(rate, gamma, kappa):
    a = np.array([1.0 / kappa, 1.0])
    w, points = _START, [_START]
    state = optimizers.momentum_init(w)
    for _ in range(_STEPS):
        w, state = optimizers.momentum_step(w, a * w, state, lr=rate, momentum=gamma)
        points.append(w)
    return np.array(points)


def draw(figure, rate, gamma, kappa, step):
    """Left: the map; right: the ravine with the path of the chosen η and γ."""
    left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.15))
    extent = (_ETA[0], _ETA[-1], _GAMMA[0], _GAMMA[-1])
    steps, lines = _map(kappa)
    left.imshow(steps, extent=extent, origin="lower", aspect="auto", cmap=f"{CMAP}_r", vmin=0.7, vmax=2.6)
    left.plot(*lines, "-", color="black", linewidth=0.5)
    for count in _LEVELS:
        # Where both directions swing, γ alone decides
        level = 10.0 ** (-2.0 / count)
        if abs(float(_slowest(kappa, 2.4, level)) - np.sqrt(level)) < 1e-9:
            left.text(2.4, level, f"{count}", ha="center", va="center", fontsize=8, bbox=_LABEL)
    left.plot(2.0 * (1.0 + _GAMMA), _GAMMA, "-", color="black", linewidth=1.2)
    left.text(3.05, 0.2, "explodes", ha="center")
    eta, most, _ = best(kappa)
    left.plot(eta, most, "*", color="white", markeredgecolor="black", markersize=13)
    left.plot(rate, gamma, "o", color=COLORS[5], markeredgecolor="white", markersize=11)
    left.set(xlim=(0, 4), ylim=(0, 0.98), xlabel="η × steepest curvature (drag the mark)", ylabel="momentum γ")
    left.grid(False)
    slowest = float(_slowest(kappa, rate, gamma))
    steps = -1.0 / np.log10(slowest) if 0.0 < slowest < 1.0 else np.inf
    left.set_title(f"{steps:.0f} steps for a digit" if steps < np.inf else "never arrives")

    angle = np.linspace(0.0, 2.0 * np.pi, 73)
    for level in (0.02, 0.1, 0.5, 2.0):
        size = np.sqrt(2.0 * level)
        right.plot(size * np.sqrt(kappa) * np.cos(angle), size * np.sin(angle), "-", color="#9a9a9a", linewidth=0.7)
    points = _path(rate, gamma, kappa)[: step + 1]
    kept = points[np.max(np.abs(points), axis=1) < 50.0]
    right.plot(*kept.T, "-", color=COLORS[5], linewidth=1.2, marker=".", markersize=4)
    right.plot(*kept[-1], "o", color=COLORS[5], markeredgecolor="white", markersize=9)
    right.plot(*_START, "s", color="black", markersize=6)
    right.plot(0, 0, "*", color="black", markersize=11)
    right.set(xlim=(-4.6, 3.4), ylim=(-1.6, 1.6), xlabel="$w_1$, along", ylabel="$w_2$, across")
    right.grid(False)
    away = np.linalg.norm(points[-1])
    right.set_title(f"after {step} steps: distance {away:.2g}" if away < 50.0 else f"after {step} steps: exploded")


def _touch(where, rate, gamma, kappa, step):
    """Drag the mark over the map."""
    return {"rate": where.x, "gamma": where.y} if where.axes == 0 and where.action != "hover" else {}


EXPLORER = Explorer(
    "momentum",
    draw,
    {
        "rate": Slider(0.02, 4.0, 1.96, 0.02, "η × curvature"),
        "gamma": Slider(0.0, 0.98, 0.0, 0.01, "momentum γ"),
        "kappa": Slider(2, 200, 50, 2, "κ"),
        "step": Slider(0, _STEPS, 40, 1, "steps", play=True),
    },
    "A map of learning rate and momentum, brighter where fewer steps are needed for a digit, with the point ({rate}, {gamma}) and the "
    "best one marked for the condition number {kappa}; beside it the path of the first {step} steps in a ravine.",
    size=(8.8, 3.8),
    touch=_touch,
)
figure, explore = EXPLORER.figure, EXPLORER.explore
