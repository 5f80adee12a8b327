"""Explorer: turn a neuron's line by hand and see what each loss charges for it."""

import numpy as np

from .. import activations, datasets, neurons
from . import COLORS, MARKERS, Explorer, Slider

__all__ = [
    "EXPLORER",
    "draw",
]


def __dir__():
    return __all__


_X, _y, _ = datasets.blobs(np.random.default_rng(7), N=60, K=2, spread=1.0)
_GRID = np.linspace(-5.0, 5.0, 41)


def draw(figure, angle, b, slope):
    """Left: the data, the line w·x + b = 0 and f(u) as shading; right: each example's u against what it is charged."""
    w = slope * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    signs = 2 * _y - 1
    left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.15))

    xx, yy = np.meshgrid(_GRID, _GRID)
    p = activations.sigmoid(neurons.preactivation(np.column_stack([xx.ravel(), yy.ravel()]), w, b)).reshape(xx.shape)
    left.imshow(p, extent=(-5, 5, -5, 5), origin="lower", cmap="PuOr", vmin=-0.3, vmax=1.3, interpolation="bilinear")
    # The line runs at a right angle to w through the point of it that is nearest to the origin
    nearest, along = -b * w / slope**2, np.array([-w[1], w[0]]) / slope
    left.plot(*np.column_stack([nearest - 15 * along, nearest + 15 * along]), color="black", linestyle="-")
    missed = neurons.perceptron_predict(_X, w, b) != signs
    for k in (0, 1):
        of_class = _y == k
        look = {"linestyle": "none", "marker": MARKERS[k], "color": COLORS[5 * k], "markeredgecolor": "white"}
        left.plot(*_X[of_class].T, markersize=6, label=f"d = {k}", **look)
    ring = {"linestyle": "none", "marker": "o", "color": "black", "markerfacecolor": "none"}
    left.plot(*_X[missed].T, markersize=10, label="misclassified", **ring)
    left.grid(False)
    left.arrow(0, 0, *(w / slope), width=0.06, color="black", length_includes_head=True)
    left.set(xlim=(-5, 5), ylim=(-5, 5), xlabel="x₁", ylabel="x₂", aspect="equal")
    left.set_title(f"{missed.sum()} of {len(_y)} misclassified")
    left.legend(loc="lower left", fontsize=8, framealpha=0.8, frameon=True)

    m = np.linspace(-6.0, 6.0, 121)
    right.plot(m, np.maximum(0.0, -m), label="perceptron: max(0, −m)")
    right.plot(m, 0.5 * activations.sigmoid(-m) ** 2, label="½(d − f(u))²")
    right.plot(m, activations.softplus(-m), label="−log-likelihood")
    margin = signs * neurons.preactivation(_X, w, b)
    right.plot(
        np.clip(margin, -6, 6), np.full_like(margin, -0.25), "|", color="black", markersize=9, label="the examples"
    )
    right.set(xlabel="margin m: u towards the right side", ylabel="what one example is charged", ylim=(-0.6, 6))
    J = neurons.logistic_neuron_loss(_X, _y, w, b) / len(_y)
    right.set_title(f"mean −log-likelihood {J:.3f}")
    right.legend(loc="upper right", fontsize=8)


EXPLORER = Explorer(
    "neurons",
    draw,
    {
        "angle": Slider(-180, 180, 60, 5, "angle of w (°)"),
        "b": Slider(-5.0, 5.0, 1.0, 0.25, "bias b"),
        "slope": Slider(0.1, 5.0, 1.0, 0.1, "length of w"),
    },
    "Two clouds of points with the line of a neuron whose weights point at {angle}°, bias {b}, length {slope}; beside it, "
    "what the perceptron, the squared error and the log-likelihood charge for each margin.",
    size=(8.4, 3.8),
)
figure, explore = EXPLORER.figure, EXPLORER.explore
