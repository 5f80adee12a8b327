"""Explorer: how far a signal and its gradient get through a deep network, by how the weights were drawn."""

from functools import lru_cache

import numpy as np
from matplotlib.collections import PolyCollection

from .. import layers
from ..activations import ACTIVATIONS
from ..initializers import INITIALIZERS
from . import COLORS, MARKERS, Choice, Explorer, Slider

__all__ = [
    "EXPLORER",
    "draw",
    "histograms",
    "spreads",
]


def __dir__():
    return __all__


WIDTH, EXAMPLES = 100, 50
_LOW, _HIGH = 1e-3, 1e3
_EDGE, _BINS = 3.0, 49


def spreads(scheme, activation, depth, gain=1.0, seed=0):
    """Standard deviation of each layer's activations, and of the gradients at its preactivations.

    gain : what the weights that the scheme draws are multiplied by.
    """
    forward, backward, _ = _passed(scheme, activation, depth, gain, seed)
    return forward, backward


def histograms(scheme, activation, depth, gain=1.0, seed=0):
    """(depth, bins) array: which part of each layer's activations lies in each bin from −3 to 3, the ends with all beyond."""
    return _passed(scheme, activation, depth, gain, seed)[2]


@lru_cache(maxsize=512)
def _passed(scheme, activation, depth, gain, seed):
    rng = np.random.default_rng(seed)
    A, steps, forward, counts = rng.standard_normal((EXAMPLES, WIDTH)), [], [], []
    for _ in range(depth):
        Z, cache = layers.linear_forward(A, gain * INITIALIZERS[scheme]((WIDTH, WIDTH), rng), np.zeros(WIDTH))
        A, activated = layers.activation_forward(Z, activation)
        steps.append((cache, activated))
        forward.append(A.std())
        place = ((np.clip(A, -_EDGE, _EDGE) / _EDGE + 1) * (_BINS - 1) / 2 + 0.5).astype(int)
        counts.append(np.bincount(place.ravel(), minlength=_BINS) / A.size)
    dA, backward = rng.standard_normal(A.shape), []
    for cache, activated in reversed(steps):
        dZ = layers.activation_backward(dA, activated)
        backward.append(dZ.std())
        # Only the way back to the layer below: the gradient of its weights is not looked at here
        dA = dZ @ cache.W.T
    return np.array(forward), np.array(backward[::-1]), np.array(counts)


def draw(figure, scheme, activation, depth, gain, layer):
    """Left: the spread of activations and of δ, layer by layer; right: how each layer's activations are distributed."""
    forward, backward, counts = _passed(scheme, activation, depth, gain, 0)
    layer, at = min(layer, depth), np.arange(1, depth + 1)
    left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.15))
    for color, marker, values, name in zip(
        COLORS, MARKERS, (forward, backward), ("activations (forward →)", "δ (← backward)"), strict=False
    ):
        left.plot(at, np.clip(values, _LOW, _HIGH), color=color, marker=marker, linestyle="-", markersize=4, label=name)
    left.set(yscale="log", ylim=(_LOW / 1.5, _HIGH * 1.5), xlim=(0.2, depth + 0.8), xlabel="layer")
    left.set_yticks([1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e3], ["< 0.001", "0.01", "0.1", "1", "10", "100", "> 1000"])
    left.minorticks_off()
    left.axhline(1.0, color="black", linewidth=0.8, linestyle="-")
    left.set(ylabel="standard deviation")
    left.set_title(f"layer {layer}: activations {_short(forward[layer - 1])}, δ {_short(backward[layer - 1])}")
    left.legend(loc="upper left", fontsize=8)

    # One shape a layer, as wide as many activations lie there
    height = np.linspace(-_EDGE, _EDGE, _BINS)
    # By the widest place beside 0: ReLU's zeros would leave nothing of the rest
    widest = np.maximum(np.delete(counts, _BINS // 2, axis=1).max(axis=1, keepdims=True), 0.03)
    half = 0.45 * np.minimum(counts / widest, 1.0)
    shapes = np.stack(
        [
            np.concatenate([at[:, None] - half, (at[:, None] + half)[:, ::-1]], axis=1),
            np.broadcast_to(np.concatenate([height, height[::-1]]), (depth, 2 * _BINS)),
        ],
        axis=2,
    )
    shade = np.where(at == layer, COLORS[5], COLORS[0])
    right.add_collection(PolyCollection(shapes, facecolors=shade, linewidths=0))
    right.set(xlim=(0.2, depth + 0.8), ylim=(-_EDGE - 0.1, _EDGE + 0.1), xlabel="layer", ylabel="activation")
    right.set_yticks([-3, -2, -1, 0, 1, 2, 3], ["< −3", "−2", "−1", "0", "1", "2", "> 3"])
    middle = counts[layer - 1, _BINS // 2]
    ends = counts[layer - 1, 0] + counts[layer - 1, -1]
    right.set_title(f"layer {layer}: {middle:.0%} next to 0, {ends:.0%} beyond ±3")
    for ax in (left, right):
        ax.axvline(layer, color=COLORS[5], linewidth=1, linestyle=":", zorder=0)


def _short(value):
    """A number as people write it, with two digits."""
    return (
        f"{value:.2g}"
        if 1e-3 <= value < 1e4
        else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    )


def _touch(where, scheme, activation, depth, gain, layer):
    """In either picture: the layer at the pointer."""
    return {"layer": int(np.clip(round(where.x), 1, depth))}


EXPLORER = Explorer(
    "initializers",
    draw,
    {
        "scheme": Choice(tuple(INITIALIZERS), "xavier_uniform", "scheme"),
        "activation": Choice(tuple(name for name in ACTIVATIONS if name != "swish"), "relu", "activation"),
        "gain": Slider(0.1, 20.0, 1.0, 0.1, "times gain"),
        "depth": Slider(2, 30, 20, 1, "layers"),
        "layer": Slider(1, 30, 20, 1, "shown layer"),
    },
    "Spread of activations and of δ through {depth} layers of 100 neurons with {activation}, weights drawn by {scheme}, times "
    "{gain}; beside it how the activations of each layer are distributed.",
    size=(9.0, 3.9),
    touch=_touch,
)
figure, explore = EXPLORER.figure, EXPLORER.explore
