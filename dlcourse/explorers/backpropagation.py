"""Explorer: the examples' errors in the plane, and one example's way through the network, forward and back."""

from functools import cache, lru_cache
from itertools import pairwise

import numpy as np
from matplotlib.collections import LineCollection

from .. import activations, backpropagation, datasets, optimizers
from . import COLORS, DIVERGING, MARKERS, Choice, Explorer, Slider

__all__ = [
    "EXPLORER",
    "draw",
    "errors",
    "trained",
]


def __dir__():
    return __all__


def _along_the_arms(X, y):
    order = np.lexsort((np.linalg.norm(X, axis=1), y))
    return X[order], y[order]


_X, _y = _along_the_arms(*datasets.spirals(np.random.default_rng(0), N=240, K=3)[:2])
_LIMIT, _CELLS = 1.15, 72
_AXIS = np.linspace(-_LIMIT, _LIMIT, _CELLS)
_GRID = np.stack(np.meshgrid(_AXIS, _AXIS), axis=-1).reshape(-1, 2)
_PAINT = np.array([[0.42, 0.63, 0.85], [0.99, 0.91, 0.72], [0.50, 0.80, 0.66]])
_STEPS, _EVERY = 240, 10
_INK, _GREY = "#1f2328", "#57606a"
_POSITIVE, _NEGATIVE = "#5e3c99", "#c65f00"


@cache
def trained(units, layers, activation):
    """The losses of all steps, and the parameters after every tenth: trained once, then kept."""
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


@lru_cache(maxsize=256)
def _seen(units, layers, activation, step):
    """The regions as an image, and of each example the probability of the wrong classes and whether it is right."""
    params = trained(units, layers, activation)[1][step // _EVERY]
    p = activations.softmax(backpropagation.mlp_forward(_GRID, params, activation)[0])
    own = activations.softmax(backpropagation.mlp_forward(_X, params, activation)[0])
    image = np.round(255 * (p @ _PAINT)).astype(np.uint8).reshape(_CELLS, _CELLS, 3)
    return image, 1 - own[np.arange(len(_y)), _y], np.argmax(own, axis=1) == _y


def errors(x, label, params, activation):
    """One example's activations and δ, a list of arrays each, the inputs first (they have no δ)."""
    U, cache = backpropagation.mlp_forward(x[None], params, activation)
    p = activations.softmax(U)
    grads = backpropagation.mlp_backward(p - np.eye(3)[[label]], cache)
    # Of a single example the bias's gradient is δ
    return [*(a[0] for a in cache.A), p[0]], [None, *(db for _, db in grads)]


def draw(figure, units, layers, activation, step, example):
    """Left: the regions, the examples as large as their errors; right: one example's way forward, and its δ back."""
    losses, kept = trained(units, layers, activation)
    params = kept[step // _EVERY]
    left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.35))
    image, wrong, hits = _seen(units, layers, activation, step)
    _plane(left, params, image, wrong, example)
    left.set_title(f"step {step}: loss {losses[step]:.2f} nats, {hits.mean():.0%} right")

    a, delta = errors(_X[example], _y[example], params, activation)
    sizes = [len(values) for values in a]
    W = [weights for weights, _ in params]
    _passing(right, 1.25, a, W, np.max)
    # The gradient of a weight is the activation before it times the δ after it
    dW = [np.outer(before, after) for before, after in zip(a, delta[1:], strict=False)]
    _passing(right, 0.0, [np.zeros(2), *delta[1:]], dW, lambda size: 1.0)
    for k, (p, d) in enumerate(zip(a[-1], delta[-1], strict=True)):
        at = _heights(3)[k]
        bold = "bold" if k == _y[example] else "normal"
        for low, words in ((1.25, f"p = {p:.2f}"), (0.0, f"δ = {d:+.2f}".replace("-", "−"))):
            right.text(len(sizes) - 0.62, low + at, words, va="center", color=_INK, weight=bold)
        right.plot(
            [len(sizes) - 0.75] * 2, [1.25 + at, at], MARKERS[k], color=COLORS[k], linestyle="none", markersize=7
        )
    right.text(-0.2, 2.36, "forward →  activations and weights", color=_INK)
    right.text(-0.2, 1.11, "← back  δ, and the gradient of each weight", color=_INK)
    right.set(xlim=(-0.25, len(sizes) - 0.05), ylim=(-0.05, 2.5))
    right.set_axis_off()


def _plane(ax, params, image, wrong, example):
    extent = (-_LIMIT, _LIMIT, -_LIMIT, _LIMIT)
    ax.imshow(image, extent=extent, origin="lower", interpolation="bilinear", aspect="equal")
    W, b = params[0]
    length = np.linalg.norm(W, axis=0)
    foot, along = -W * b / length**2, 4.0 * np.stack([-W[1], W[0]]) / length
    lines = np.stack([(foot - along).T, (foot + along).T], axis=1)
    ax.add_collection(LineCollection(lines, colors="black", linewidths=0.8, linestyles=":"), autolim=False)
    # Half of the summed |δ| is the probability that the wrong classes have
    for k in range(3):
        ax.scatter(
            *_X[_y == k].T,
            s=5 + 45 * wrong[_y == k],
            marker=MARKERS[k],
            color=COLORS[k],
            edgecolor="black",
            linewidth=0.4,
        )
    ax.plot(*_X[example], "o", markersize=13, markerfacecolor="none", markeredgecolor="black", markeredgewidth=2)
    ax.set(xlim=extent[:2], ylim=extent[2:], xlabel="x₁", ylabel="x₂", xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    ax.grid(False)


def _heights(size):
    """The units of a layer from top to bottom, between 0 and 1."""
    return 0.5 - (np.arange(size) - (size - 1) / 2) * min(0.34, 1.0 / max(size, 1))


def _passing(ax, low, values, edges, full):
    """A network whose units are coloured by `values` and whose connections by `edges`, from `low` on upwards."""
    places = [np.column_stack([np.full(len(v), k), low + _heights(len(v))]) for k, v in enumerate(values)]
    for (before, after), w in zip(pairwise(places), edges, strict=True):
        ends = np.stack(np.broadcast_arrays(before[:, None], after[None]), axis=2).reshape(-1, 2, 2)
        size = np.abs(w).ravel() / max(float(full(np.abs(w))), 1e-12)
        colors = np.where(w.ravel() > 0, _POSITIVE, _NEGATIVE)
        ax.add_collection(LineCollection(ends, colors=colors, linewidths=0.15 + 3.5 * np.minimum(size, 1)))
    points, shades = np.concatenate(places), np.concatenate(values)
    ax.scatter(*points.T, s=170, c=shades, cmap=DIVERGING, vmin=-1, vmax=1, edgecolor=_GREY, linewidth=1, zorder=3)


def _touch(where, units, layers, activation, step, example):
    """In the left picture: the example next to the pointer."""
    if where.axes != 0:
        return {}
    return {"example": int(np.argmin(np.hypot(*(_X - [where.x, where.y]).T)))}


EXPLORER = Explorer(
    "backpropagation",
    draw,
    {
        "units": Slider(1, 10, 6, 1, "hidden units"),
        "layers": Slider(1, 3, 1, 1, "hidden layers"),
        "activation": Choice(("tanh", "relu", "sigmoid"), "tanh", "activation"),
        "step": Slider(0, _STEPS, 40, _EVERY, "training step", play=True),
        "example": Slider(0, len(_X) - 1, 75, 1, "example"),
    },
    "Three spiral arms and the regions of a {activation} network ({layers} × {units} hidden units) after {step} steps of "
    "training, every example as large as its error; beside it the network with the activations of example {example} on the "
    "way forward, and below with its δ and the weights' gradients on the way back.",
    size=(9.2, 4.4),
    touch=_touch,
)
figure, explore = EXPLORER.figure, EXPLORER.explore
