"""Explorer: a flexible curve through a few noisy points, held back by λ, by dropout or by stopping early."""

from functools import lru_cache

import numpy as np

from .. import dropout, regularization
from . import COLORS, Explorer, Slider

__all__ = [
    "EXPLORER",
    "STEPS",
    "draw",
    "errors",
    "fitted",
]


def __dir__():
    return __all__


# The same for every λ and p; the weights are kept after every fifth
STEPS = 600
_EVERY = 5
_FEATURES, _HELD = 40, 7
_GRID = np.linspace(-1.0, 1.0, 161)
_TRUE = np.sin(3.0 * _GRID)
_CENTRES = np.linspace(-1.0, 1.0, _FEATURES)


def _data():
    rng = np.random.default_rng(3)
    x = np.sort(rng.uniform(-1.0, 1.0, 14))
    return x, np.sin(3.0 * x) + 0.25 * rng.standard_normal(14)


def _features(x):
    """Bumps along the axis: enough of them to go through every point."""
    return np.exp(-0.5 * ((x[:, None] - _CENTRES) / 0.12) ** 2)


_X, _D = _data()
_F, _F_GRID = _features(_X), _features(_GRID)


def _targets(held):
    """The examples' values, the held one moved."""
    d = _D.copy()
    d[_HELD] = held
    return d


@lru_cache(maxsize=16)
def _masked(p):
    """The features of all examples as dropout leaves them in each step, (STEPS, 14, 40): the same noise for every λ."""
    return dropout.dropout_forward(np.broadcast_to(_F, (STEPS, *_F.shape)), p, np.random.default_rng(0))[0]


@lru_cache(maxsize=256)
def fitted(lam, p, held):
    """(steps, 40) weights of gradient descent on ½ mean squared error + (λ/2)‖w‖², dropout with probability p on the
    features; after every fifth step.
    """
    d, w, lr = _targets(held) / len(_X), np.zeros(_FEATURES), 0.1
    kept = [w]
    for step, F in enumerate(_masked(p) if p else np.broadcast_to(_F, (STEPS, *_F.shape)), 1):
        w = w - lr * ((F @ w / len(_X) - d) @ F + regularization.l2_grad(w, lam))
        if step % _EVERY == 0:
            kept.append(w)
    return np.array(kept)


def errors(w, held):
    """Mean squared error on the examples and against the truth, of weights (…, 40)."""
    return np.mean((w @ _F.T - _targets(held)) ** 2, axis=-1), np.mean((w @ _F_GRID.T - _TRUE) ** 2, axis=-1)


def draw(figure, log_lam, p, held, step):
    """Left: the points, the curve that made them and the one that is fitted; right: both errors, step by step."""
    path = fitted(0.0 if log_lam == _NO_PENALTY else 10.0**log_lam, p, held)
    w = path[step // _EVERY]
    train, test = errors(path, held)
    now, true = train[step // _EVERY], test[step // _EVERY]
    left, right = figure.subplots(1, 2, width_ratios=(1.4, 1.0))
    left.plot(_GRID, _TRUE, color="black", linestyle=":", label="truth")
    left.plot(_GRID, _F_GRID @ w, color=COLORS[0], linestyle="-", label="fit")
    d = _targets(held)
    others = np.arange(len(_X)) != _HELD
    left.plot(_X[others], d[others], color=COLORS[5], marker="o", linestyle="none", label="14 examples")
    left.plot(_X[_HELD], held, color=COLORS[5], marker="o", linestyle="none", markersize=12, markeredgecolor="black")
    left.set(ylim=(-1.9, 1.9), xlabel="x (drag the large mark)", ylabel="y")
    left.set_title(f"after {step} steps: ‖w‖ = {np.linalg.norm(w):.2f}")
    left.legend(loc="upper left", fontsize=9)
    at = _EVERY * np.arange(len(train))
    right.plot(at[1:], train[1:], color=COLORS[5], linestyle="-", label=f"on the examples: {now:.3f}")
    right.plot(at[1:], test[1:], color=COLORS[0], linestyle="--", label=f"against the truth: {true:.3f}")
    right.plot([step, step], [now, true], "o", color="black", markersize=5)
    right.axvline(step, color="black", linewidth=1, linestyle=":")
    right.set(xlabel="step", yscale="log", ylim=(3e-3, 1.0), xlim=(0, STEPS), title="mean squared error")
    right.set_yticks([0.01, 0.03, 0.1, 0.3, 1.0], ["0.01", "0.03", "0.1", "0.3", "1"])
    right.minorticks_off()
    right.legend(loc="upper right", fontsize=9)


def _touch(where, log_lam, p, held, step):
    """Left: move the large example up and down; right: go to a step."""
    if where.action == "hover":
        return {}
    return {"held": where.y} if where.axes == 0 else {"step": where.x}


_NO_PENALTY = -5.0

EXPLORER = Explorer(
    "regularization",
    draw,
    {
        "log_lam": Slider(_NO_PENALTY, 0.0, _NO_PENALTY, 0.25, "log₁₀ λ (−5: λ = 0)"),
        "p": Slider(0.0, 0.8, 0.0, 0.1, "dropout p"),
        "held": Slider(-1.8, 1.8, round(float(_D[_HELD]), 1), 0.1, "large example"),
        "step": Slider(0, STEPS, STEPS, _EVERY, "step", play=True),
    },
    "A curve of 40 features fitted to 14 noisy points for {step} steps with log10 λ = {log_lam} and dropout probability {p}, one "
    "point moved to {held}, beside the true sine; and both errors against the step.",
    size=(8.6, 3.6),
    touch=_touch,
)
figure, explore = EXPLORER.figure, EXPLORER.explore
