"""Explorer: a function and its slope, and what a gradient keeps when it passes that slope layer after layer."""

import numpy as np

from .. import activations
from . import COLORS, Choice, Explorer, Slider

__all__ = [
    "EXPLORER",
    "draw",
]


def __dir__():
    return __all__


_X = np.linspace(-5.0, 5.0, 301)
_LAYERS = np.arange(1, 21)


def draw(figure, name, x, slope, beta):
    """Left: f, f′, the tangent at x, and thin beside them the two functions with an option; right: the slope at x to the power of 1…20 layers."""
    options = {"leaky_relu": {"slope": slope}, "swish": {"beta": beta}}.get(name, {})
    f, f_grad = activations.ACTIVATIONS[name]
    y, dy = f(np.array([x]), **options)[0], f_grad(np.array([x]), **options)[0]
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1.0))

    thin = {"color": "black", "linewidth": 0.9, "alpha": 0.7}
    left.plot(
        _X, activations.leaky_relu(_X, slope), linestyle=(0, (8, 3)), label=f"leaky_relu, slope {slope:g}", **thin
    )
    left.plot(_X, activations.swish(_X, beta), linestyle=":", label=f"swish, β = {beta:g}", **thin)
    left.plot(_X, f(_X, **options), label="f(x)")
    left.plot(_X, f_grad(_X, **options), label="f′(x)")
    run = 1.6 / np.hypot(1.0, dy)
    left.plot([x - run, x + run], [y - run * dy, y + run * dy], color="black", linestyle="-", linewidth=1.2)
    left.plot(x, y, "o", color="black", markersize=8)
    left.plot(x, dy, "o", markerfacecolor="white", markeredgecolor=COLORS[1], markersize=8)
    left.set(
        xlim=(-5, 5), ylim=(-1.6, 3.2), xlabel="x", title=", ".join([name, *(f"{k} = {options[k]:g}" for k in options)])
    )
    left.legend(loc="upper left", fontsize=9)

    right.axhline(1.0, color="black", linewidth=1.0)
    # In the colour of the slope, which it is made of
    right.semilogy(_LAYERS, np.maximum(abs(dy) ** _LAYERS, 1e-13), "o--", color=COLORS[1], markersize=4)
    right.set(xlim=(0, 21), ylim=(1e-12, 1e3), xlabel="neurons passed", ylabel="|f′(x)| to that power")
    right.set_title(f"f′({x:g}) = {dy:.4f}")
    if dy == 0.0:
        right.text(10.5, 1e-5, "nothing is left", ha="center")


def _touch(where, **parameters):
    """Pull the point along the curve."""
    return {"x": where.x} if where.axes == 0 and where.action != "hover" else {}


EXPLORER = Explorer(
    "activations",
    draw,
    {
        "name": Choice(tuple(activations.ACTIVATIONS), "sigmoid", "function f"),
        "x": Slider(-5.0, 5.0, 0.0, 0.25, "where, x"),
        "slope": Slider(0.0, 1.0, 0.1, 0.05, "slope (leaky_relu)"),
        "beta": Slider(0.0, 10.0, 1.0, 0.25, "β (swish)"),
    },
    "The activation {name} and its derivative with the tangent at x = {x}, and thin lines for leaky ReLU with slope {slope} "
    "and Swish with β = {beta}; beside it the slope at x, multiplied through 1 to 20 neurons.",
    size=(8.4, 3.6),
    touch=_touch,
)
figure, explore = EXPLORER.figure, EXPLORER.explore
