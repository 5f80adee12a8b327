"""Explorer: how far a signal and its gradient get through a deep network, by how the weights were drawn."""

from functools import lru_cache

import numpy as np

from .. import layers
from ..activations import ACTIVATIONS
from ..initializers import INITIALIZERS
from . import COLORS, MARKERS, Choice, Explorer, Slider

__all__ = [
    "EXPLORER",
    "draw",
    "spreads",
]


def __dir__():
    return __all__


WIDTH, EXAMPLES = 100, 100


@lru_cache(maxsize=512)
def spreads(scheme, activation, depth, gain=1.0, seed=0):
    """Standard deviation of each layer's activations, and of the gradients at its preactivations.

    gain : what the weights that the scheme draws are multiplied by.
    """
    rng = np.random.default_rng(seed)
    A, steps, forward = rng.standard_normal((EXAMPLES, WIDTH)), [], []
    for _ in range(depth):
        Z, cache = layers.linear_forward(A, gain * INITIALIZERS[scheme]((WIDTH, WIDTH), rng), np.zeros(WIDTH))
        A, activated = layers.activation_forward(Z, activation)
        steps.append((cache, activated))
        forward.append(A.std())
    dA, backward = rng.standard_normal(A.shape), []
    for cache, activated in reversed(steps):
        dZ = layers.activation_backward(dA, activated)
        backward.append(dZ.std())
        # Only the way back to the layer below: the gradient of its weights is not looked at here
        dA = dZ @ cache.W.T
    return np.array(forward), np.array(backward[::-1])


def draw(figure, scheme, activation, depth, gain):
    """Left: the spread of the activations, layer by layer; right: that of the gradients, which begin at the last layer."""
    forward, backward = spreads(scheme, activation, depth, gain)
    layer = np.arange(1, depth + 1)
    axes = figure.subplots(1, 2, sharey=True)
    parts = ((forward, "activations", "forward →"), (backward, "gradients", "← backward"))
    for ax, color, marker, (values, name, way) in zip(axes, COLORS, MARKERS, parts, strict=False):
        ax.axhspan(0.1, 10, color="0.92", zorder=0)
        ax.plot(layer, np.maximum(values, 1e-16), color=color, marker=marker, linestyle="-", markersize=5)
        ax.set(yscale="log", ylim=(1e-12, 1e12), xlim=(0.5, depth + 0.5), xlabel="layer", title=f"{name} ({way})")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_yticks([1e-12, 1e-6, 1.0, 1e6, 1e12])
        ax.minorticks_off()
    axes[0].set_ylabel("standard deviation")
    axes[1].text(0.98, 0.04, f"first layer: {backward[0]:.1e}", transform=axes[1].transAxes, ha="right")
    axes[0].text(0.98, 0.04, f"last layer: {forward[-1]:.1e}", transform=axes[0].transAxes, ha="right")


EXPLORER = Explorer(
    "initializers",
    draw,
    {
        "scheme": Choice(tuple(INITIALIZERS), "normal", "scheme"),
        "activation": Choice(tuple(name for name in ACTIVATIONS if name != "swish"), "relu", "activation"),
        "depth": Slider(2, 30, 20, 1, "layers"),
        "gain": Slider(0.5, 20.0, 1.0, 0.5, "times gain"),
    },
    "Spread of activations and gradients through {depth} layers of 100 neurons with {activation}, weights drawn by "
    "{scheme}, times {gain}; the grey band is the range in which learning works.",
    size=(7.6, 3.4),
)
figure, explore = EXPLORER.figure, EXPLORER.explore
