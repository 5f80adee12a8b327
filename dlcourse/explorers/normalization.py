"""Explorer: what batch norm makes of a shifted batch, in training and in evaluation, and how noisy small batches are."""

import numpy as np

from .. import normalization
from . import COLORS, Choice, Explorer, Slider

__all__ = [
    "EXPLORER",
    "draw",
]


def __dir__():
    return __all__


_BATCHES, _SPREAD = 150, 2.0
_EDGES = np.linspace(-6.0, 6.0, 49)


def _trained_state():
    """Running statistics after training on batches around 0, the same for every column of the picture."""
    rng = np.random.default_rng(1)
    gamma, beta, state = normalization.batchnorm_init(_BATCHES)
    for _ in range(100):
        X = _SPREAD * np.tile(rng.standard_normal((64, 1)), _BATCHES)
        _, _, state = normalization.batchnorm_forward(X, gamma, beta, state)
    return gamma, beta, state


_GAMMA, _BETA, _STATE = _trained_state()


def draw(figure, batch_size, shift, mode):
    """Left: the inputs of many batches and what batch norm makes of them; right: each batch's own mean."""
    rng = np.random.default_rng(0)
    # A column for each batch: batch norm treats them as features, that is one by one
    batches = shift + _SPREAD * rng.standard_normal((batch_size, _BATCHES))
    outputs, _, _ = normalization.batchnorm_forward(batches, _GAMMA, _BETA, _STATE, mode == "training")
    left, right = figure.subplots(1, 2)
    for values, label, color, hatch in ((batches, "input", COLORS[4], ""), (outputs, "output", COLORS[5], "//")):
        heights, _ = np.histogram(values, bins=_EDGES, density=True)
        left.stairs(heights, _EDGES, fill=True, alpha=0.55, color=color, hatch=hatch, label=label)
    left.axvline(0.0, color="black", linestyle=":", linewidth=1)
    left.set(
        xlim=(-6, 6),
        ylim=(0, 0.75),
        xlabel="value",
        ylabel="density",
        title=f"{mode}: shift {np.mean(outputs).round(2) + 0.0:+.2f}",
    )
    left.legend(loc="upper left")
    means = batches.mean(axis=0)
    expected = _SPREAD / np.sqrt(batch_size)
    right.axhspan(shift - 2 * expected, shift + 2 * expected, color="0.9")
    right.plot(means, ".", color=COLORS[0])
    right.axhline(float(_STATE.mean[0]), color="black", linestyle="--", linewidth=1)
    right.set(ylim=(-6, 6), xlabel="batch", ylabel="mean of the batch", title=f"noise of the mean: ±{expected:.2f}")


EXPLORER = Explorer(
    "normalization",
    draw,
    {
        "batch_size": Slider(2, 128, 16, 2, "batch size"),
        "shift": Slider(-4.0, 4.0, 2.0, 0.5, "shift"),
        "mode": Choice(("training", "evaluation"), "training", "mode"),
    },
    "Batches of {batch_size} values shifted by {shift} before and after batch norm in {mode}, and the mean of every "
    "batch against the running mean (dashed) that training left behind.",
    size=(7.6, 3.4),
)
figure, explore = EXPLORER.figure, EXPLORER.explore
