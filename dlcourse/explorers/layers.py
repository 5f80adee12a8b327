"""Explorer: logits and a temperature make probabilities; the label says what they are charged and where to go."""

import numpy as np

from .. import activations, losses
from . import COLORS, Choice, Explorer, Slider

__all__ = [
    "EXPLORER",
    "draw",
]


def __dir__():
    return __all__


_CLASSES = ("1", "2", "3")
_P = np.linspace(0.002, 1.0, 120)
_CHARGE = -np.log(_P)
_PLACES = np.arange(3)


def draw(figure, z1, z2, temperature, label):
    """Left: for each class softmax(z/T) and the gradient by z; right: what the label's probability is charged."""
    z = np.array([[z1, z2, 0.0]])
    d = np.array([_CLASSES.index(label)])
    p = activations.softmax(z / temperature)[0]
    J = losses.softmax_cross_entropy(z / temperature, d)
    dz = losses.softmax_cross_entropy_grad(z / temperature, d)[0] / temperature
    left, right = figure.subplots(1, 2, width_ratios=(1.5, 1.0))

    for shift, heights, color, hatch, text, name in (
        (-0.2, p, COLORS[0], None, "{:.2f}", "p = softmax(z/T)"),
        (0.2, dz, COLORS[1], "///", "{:+.2f}", "∂J/∂z = (p − K)/T"),
    ):
        left.bar(_PLACES + shift, heights, width=0.38, color=color, edgecolor="black", hatch=hatch, label=name)
        for place, height in zip(_PLACES + shift, heights, strict=True):
            left.text(place, height, text.format(height), ha="center", va="bottom" if height >= 0 else "top")
    left.axhline(0.0, color="black", linewidth=1.0)
    limit = max(1.0, float(np.abs(dz).max()))
    left.set(ylim=(-1.2 * limit, 1.55 * limit), title="probabilities, and the gradient that descent steps against")
    named = [
        f"class {k}, z = {x:g}" + ("\nthe label" if k == label else "") for k, x in zip(_CLASSES, z[0], strict=True)
    ]
    left.set_xticks(_PLACES, named)
    left.legend(loc="upper right", ncols=2)

    right.plot(_P, _CHARGE)
    right.plot(p[d[0]], min(J, 6.0), "o", color="black", markersize=9)
    right.set(xlim=(-0.03, 1.03), ylim=(-0.2, 6.3), xlabel="probability of the label", ylabel="loss −log p (nats)")
    right.set_title(f"J = {J:.2f}")


EXPLORER = Explorer(
    "layers",
    draw,
    {
        "z1": Slider(-6.0, 6.0, 2.0, 0.25, "logit z₁"),
        "z2": Slider(-6.0, 6.0, 1.0, 0.25, "logit z₂"),
        "temperature": Slider(0.25, 5.0, 1.0, 0.25, "temperature T"),
        "label": Choice(_CLASSES, "2", "label d"),
    },
    "Three bars of probabilities for the logits {z1}, {z2} and 0 at temperature {temperature}, the gradient at each logit "
    "when class {label} is right, and the loss on the curve of −log p.",
    size=(8.4, 3.6),
)
figure, explore = EXPLORER.figure, EXPLORER.explore
