"""Explorer: turn a neuron's line by hand and see what each loss charges for it."""

import numpy as np

from .. import activations, datasets, neurons
from . import COLORS, MARKERS, TWO_CLASSES, Explorer, Slider

__all__ = [
    "EXPLORER",
    "draw",
]


def __dir__():
    return __all__


_X, _y, _ = datasets.blobs(np.random.default_rng(7), N=60, K=2, spread=1.0)
_GRID = np.linspace(-5.0, 5.0, 41)


def draw(figure, angle, offset, length):
    """Left: the data, the line w·x + b = 0 and f(u) as shading; right: each example's margin and what each loss is there."""
    direction, w, b = _neuron(angle, offset, length)
    signs = 2 * _y - 1
    left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.15))

    xx, yy = np.meshgrid(_GRID, _GRID)
    p = activations.sigmoid(neurons.preactivation(np.column_stack([xx.ravel(), yy.ravel()]), w, b)).reshape(xx.shape)
    left.imshow(
        p, extent=(-5, 5, -5, 5), origin="lower", cmap=TWO_CLASSES, vmin=0.0, vmax=1.0, interpolation="bilinear"
    )
    nearest, along = -offset * direction, np.array([-direction[1], direction[0]])
    left.plot(*np.column_stack([nearest - 15 * along, nearest + 15 * along]), color="black", linestyle="-")
    left.plot(*np.column_stack([np.zeros(2), nearest]), color="black", linestyle=":", linewidth=1.2)
    missed = neurons.logistic_neuron_predict(_X, w, b) != _y
    for k in (0, 1):
        of_class = _y == k
        look = {"linestyle": "none", "marker": MARKERS[k], "color": COLORS[5 * k], "markeredgecolor": "white"}
        left.plot(*_X[of_class].T, markersize=6, label=f"d = {k}", **look)
    ring = {"linestyle": "none", "marker": "o", "color": "black", "markerfacecolor": "none"}
    left.plot(*_X[missed].T, markersize=10, label="misclassified", **ring)
    left.grid(False)
    left.arrow(*nearest, *(_ARROW * direction), width=0.07, color="black", length_includes_head=True)
    left.text(*(nearest + 1.35 * _ARROW * direction), "w", fontsize=12, weight="bold", ha="center", va="center")
    left.set(xlim=(-5, 5), ylim=(-5, 5), xlabel="x₁", ylabel="x₂", aspect="equal")
    left.set_title(f"{missed.sum()} of {len(_y)} misclassified")
    left.legend(loc="lower left", fontsize=8, framealpha=0.8, frameon=True)

    m = np.linspace(-6.0, 6.0, 121)
    for k, (label, losses) in enumerate(_LOSSES.items()):
        right.plot(m, losses(m), color=COLORS[(2, 3, 4)[k]], label=label)
    margin = signs * neurons.preactivation(_X, w, b)
    for k in (0, 1):
        shown = np.clip(margin[_y == k], -6, 6)
        right.plot(shown, np.full_like(shown, -0.25), "|", color=COLORS[5 * k], markersize=9)
    right.set(xlabel="margin m = (2d − 1)·u of an example", ylabel="its loss", ylim=(-0.6, 6), xlim=(-6.3, 6.3))
    J = neurons.logistic_neuron_loss(_X, _y, w, b) / len(_y)
    right.set_title(f"mean −log-likelihood {J:.3f}")
    right.legend(loc="upper right", fontsize=8)


# Of one example, by its margin
_LOSSES = {
    "perceptron: max(0, −m)": lambda m: np.maximum(0.0, -m),
    "squared error: ½(d − f(u))²": lambda m: 0.5 * activations.sigmoid(-m) ** 2,
    "−log-likelihood: log(1 + e⁻ᵐ)": lambda m: activations.softplus(-m),
}
_ARROW = 1.5


def _neuron(angle, offset, length):
    """(unit vector along w, w, b)."""
    direction = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    return direction, length * direction, length * offset


def _touch(where, angle, offset, length):
    """In the left picture: hold the tip of w to turn the line, anything else to shift it."""
    if where.axes != 0 or where.action == "hover":
        return {}
    direction, _, _ = _neuron(where.before["angle"], 0.0, 1.0)
    foot = -where.before["offset"] * direction
    tip = foot + _ARROW * direction
    if np.hypot(where.x0 - tip[0], where.y0 - tip[1]) < 0.8:
        return {"angle": float(np.degrees(np.arctan2(where.y - foot[1], where.x - foot[0])))}
    return {"offset": float(-(direction @ [where.x, where.y]))}


EXPLORER = Explorer(
    "neurons",
    draw,
    {
        "angle": Slider(-180, 180, 115, 5, "angle of w (°)"),
        "offset": Slider(-5.0, 5.0, 0.5, 0.25, "offset b/‖w‖"),
        "length": Slider(0.1, 5.0, 1.0, 0.1, "length ‖w‖"),
    },
    "Two clouds of points, each on a side in its own colour, with the line of a neuron whose weights point at {angle}° and "
    "have length {length}, at the distance {offset} from the origin; beside it, the losses of the perceptron, of the squared "
    "error and of the log-likelihood for each margin.",
    size=(8.4, 3.8),
    touch=_touch,
)
figure, explore = EXPLORER.figure, EXPLORER.explore
