"""Explorer: a flexible curve through a few noisy points, held back by λ and by dropout."""

from functools import lru_cache

import numpy as np

from .. import dropout, regularization
from . import COLORS, Explorer, Slider

__all__ = [
    "EXPLORER",
    "draw",
    "fitted",
]


def __dir__():
    return __all__


_FEATURES, _STEPS = 40, 150
_GRID = np.linspace(-1.0, 1.0, 161)
_TRUE = np.sin(3.0 * _GRID)


def _data():
    rng = np.random.default_rng(3)
    x = np.sort(rng.uniform(-1.0, 1.0, 14))
    return x, np.sin(3.0 * x) + 0.25 * rng.standard_normal(14)


_X, _D = _data()
_CENTRES = np.linspace(-1.0, 1.0, _FEATURES)


def _features(x):
    """Bumps along the axis: enough of them to go through every point."""
    return np.exp(-0.5 * ((x[:, None] - _CENTRES) / 0.12) ** 2)


@lru_cache(maxsize=256)
def fitted(lam, p):
    """Weights after gradient descent on ½ mean squared error + (λ/2)‖w‖², dropout with probability p on the features."""
    rng = np.random.default_rng(0)
    F, w, lr = _features(_X), np.zeros(_FEATURES), 0.5
    for _ in range(_STEPS if p else 4 * _STEPS):
        masked, _ = dropout.dropout_forward(F, p, rng)
        w = w - lr * (masked.T @ (masked @ w - _D) / len(_X) + regularization.l2_grad(w, lam))
    return w


def draw(figure, log_lam, p):
    """Left: the points, the curve that made them and the one that was fitted; right: the weights."""
    w = fitted(10.0**log_lam, p)
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1))
    left.plot(_GRID, _TRUE, color="black", linestyle=":", label="truth")
    left.plot(_GRID, _features(_GRID) @ w, color=COLORS[0], linestyle="-", label="fit")
    left.plot(_X, _D, color=COLORS[5], marker="o", linestyle="none", label="14 examples")
    train = np.mean((_features(_X) @ w - _D) ** 2)
    test = np.mean((_features(_GRID) @ w - _TRUE) ** 2)
    left.set(
        ylim=(-1.9, 1.9),
        xlabel="x",
        ylabel="y",
        title=f"error on the examples {train:.3f}, against the truth {test:.3f}",
    )
    left.legend(loc="upper left")
    right.vlines(_CENTRES, 0, w, color=COLORS[0], linewidth=3)
    right.set(ylim=(-0.5, 0.5), xlabel="centre of the feature", ylabel="weight", title=f"‖w‖ = {np.linalg.norm(w):.2f}")


EXPLORER = Explorer(
    "regularization",
    draw,
    {
        "log_lam": Slider(-5.0, 0.0, -5.0, 0.5, "log10 of λ"),
        "p": Slider(0.0, 0.8, 0.0, 0.1, "dropout p"),
    },
    "A curve of 40 features fitted to 14 noisy points with λ = 10^{log_lam} and dropout probability {p}, beside the true "
    "sine and the fitted weights.",
    size=(7.8, 3.4),
)
figure, explore = EXPLORER.figure, EXPLORER.explore
