"""Explorer: hidden units make a boundary; each is a line in the plane, and training turns and shifts the lines."""

from functools import cache

import numpy as np
from matplotlib.collections import LineCollection

from .. import activations, backpropagation, datasets, optimizers
from . import COLORS, MARKERS, Choice, Explorer, Slider

__all__ = [
    "EXPLORER",
    "draw",
    "trained",
]


def __dir__():
    return __all__


_X, _y, _ = datasets.spirals(np.random.default_rng(0), N=240, K=3)
_LIMIT, _CELLS = 1.15, 72
_AXIS = np.linspace(-_LIMIT, _LIMIT, _CELLS)
_GRID = np.stack(np.meshgrid(_AXIS, _AXIS), axis=-1).reshape(-1, 2)
_PAINT = np.array([[0.42, 0.63, 0.85], [0.99, 0.91, 0.72], [0.50, 0.80, 0.66]])
_STEPS, _EVERY = 240, 20


@cache
def trained(units, layers, activation):
    """The losses of all steps, and the parameters after every 20th: trained once, then kept."""
    initializer = "he_uniform" if activation == "relu" else "xavier_uniform"
    params = backpropagation.mlp_init([2, *[units] * layers, 3], np.random.default_rng(1), initializer)
    state, losses, kept = optimizers.adam_init(params), [], [params]
    for step in range(1, _STEPS + 1):
        J, grads = backpropagation.mlp_loss(_X, _y, params, activation)
        params, state = optimizers.adam_step(params, grads, state, lr=0.04)
        losses.append(float(J))
        if step % _EVERY == 0:
            kept.append(params)
    losses.append(float(backpropagation.mlp_loss(_X, _y, params, activation)[0]))
    return np.array(losses), kept


def draw(figure, units, layers, activation, step):
    """Left: the classes' regions, the first layer's units as lines; right: the loss, and where training stands."""
    losses, kept = trained(units, layers, activation)
    params = kept[step // _EVERY]
    left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.0))

    p = activations.softmax(backpropagation.mlp_forward(_GRID, params, activation)[0])
    extent = (-_LIMIT, _LIMIT, -_LIMIT, _LIMIT)
    image = (p @ _PAINT).reshape(_CELLS, _CELLS, 3)
    left.imshow(image, extent=extent, origin="lower", interpolation="bilinear", aspect="equal")
    W, b = params[0]
    length = np.linalg.norm(W, axis=0)
    foot, along = -W * b / length**2, 4.0 * np.stack([-W[1], W[0]]) / length
    lines = np.stack([(foot - along).T, (foot + along).T], axis=1)
    left.add_collection(LineCollection(lines, colors="black", linewidths=0.8, linestyles=":"), autolim=False)
    for k in range(3):
        left.plot(
            *_X[_y == k].T, MARKERS[k], color=COLORS[k], markersize=4.5, markeredgecolor="black", markeredgewidth=0.4
        )
    left.set(xlim=extent[:2], ylim=extent[2:], xlabel="x₁", ylabel="x₂", xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    left.grid(False)
    right_answers = np.mean(np.argmax(backpropagation.mlp_forward(_X, params, activation)[0], axis=1) == _y)
    left.set_title(f"{right_answers:.0%} of the examples right")

    right.plot(losses, label="loss")
    right.plot(step, losses[step], "o", color="black", markersize=8)
    right.set(xlim=(-6, _STEPS + 6), ylim=(0.0, 1.5), xticks=(0, 120, 240), yticks=(0.0, 0.5, 1.0, 1.5))
    right.set(xlabel="step of training", ylabel="mean cross-entropy (nats)")
    parameters = sum(W.size + b.size for W, b in params)
    right.set_title(f"{parameters} parameters, loss {losses[step]:.3f}")


EXPLORER = Explorer(
    "backpropagation",
    draw,
    {
        "units": Slider(1, 24, 6, 1, "hidden units"),
        "layers": Slider(1, 3, 1, 1, "hidden layers"),
        "activation": Choice(("relu", "tanh", "sigmoid"), "relu", "activation"),
        "step": Slider(0, _STEPS, _STEPS, _EVERY, "training step"),
    },
    "Three spiral arms and the regions of a {activation} network ({layers} × {units} hidden units) after "
    "{step} steps of training; beside it the training loss.",
    size=(8.4, 4.1),
)
figure, explore = EXPLORER.figure, EXPLORER.explore
