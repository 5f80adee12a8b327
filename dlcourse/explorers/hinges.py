"""Explorer: hidden units added one by one until their sum follows a curve."""

import numpy as np

from .. import activations
from . import COLORS, Choice, Explorer, Slider

__all__ = [
    "CURVES",
    "EXPLORER",
    "draw",
    "fit",
]


def __dir__():
    return __all__


CURVES = {
    "wave": lambda x: np.sin(2 * np.pi * x),
    "bump": lambda x: np.exp(-(((x - 0.4) / 0.12) ** 2)),
    "jump": lambda x: np.where(x < 0.45, -0.5, 0.5),
}
# How each unit answers to the distance from its corner
_UNITS = {
    "relu": activations.relu,
    "gelu": lambda z: activations.gelu(12 * z) / 12,
    "tanh": lambda z: activations.tanh(6 * z),
    "steep tanh": lambda z: activations.tanh(60 * z),
    "identity": activations.identity,
}
_X = np.linspace(0.0, 1.0, 201)
# Each corner halves the widest gap, so that those before it stay where they are
_PLACES = np.array([0.0, *((2 * k + 1) / 2**level for level in range(1, 5) for k in range(2 ** (level - 1)))])


def fit(curve, unit, corners):
    """Hidden units with the given corners and the best output weights for them.

    Parameters
    ----------
    curve : one of `CURVES`. unit : "relu", "gelu", "tanh", "steep tanh", "identity".
    corners : (K,) array, where each unit bends.

    Returns
    -------
    what each unit adds (201, K), the bias c, the root mean square error.
    """
    H, d = _UNITS[unit](_X[:, None] - np.asarray(corners)), CURVES[curve](_X)
    weights = np.linalg.lstsq(np.column_stack([H, np.ones_like(_X)]), d, rcond=1e-6)[0]
    parts = H * weights[:-1]
    return parts, float(weights[-1]), float(np.sqrt(np.mean((parts.sum(axis=1) + weights[-1] - d) ** 2)))


def draw(figure, curve, unit, units, corner):
    """Left: the curve and the network's answer with its corners; right: what each unit adds."""
    corners = np.append(_PLACES[: units - 1], corner)
    parts, bias, error = fit(curve, unit, corners)
    y = parts.sum(axis=1) + bias
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1.0))
    left.plot(_X, CURVES[curve](_X), color="0.7", linewidth=6, linestyle="-", label="the curve")
    left.plot(_X, y, color=COLORS[0], linestyle="-", label="the network")
    at = np.interp(corners, _X, y)
    left.plot(corners[:-1], at[:-1], "o", color=COLORS[0], markersize=6)
    left.plot(corners[-1], at[-1], "o", color=COLORS[5], markersize=11, label="your unit's corner")
    left.set(xlim=(-0.03, 1.03), ylim=(-1.6, 1.6), xlabel="x", ylabel="y")
    left.set_title(f"{units} unit{'s' if units > 1 else ''}: root mean square error {error:.3f}")
    left.legend(loc="upper right", fontsize=8)
    for part in parts.T[:-1]:
        right.plot(_X, part, color=COLORS[0], linewidth=1.0, linestyle="-")
    right.plot(_X, parts[:, -1], color=COLORS[5], linewidth=2.5, linestyle="-")
    right.set(xlim=(-0.03, 1.03), ylim=(-5, 5), xlabel="x", title="what each unit adds")


def _touch(where, curve, unit, units, corner):
    """Pull the corner to and fro, in either picture."""
    return {} if where.action == "hover" else {"corner": where.x}


EXPLORER = Explorer(
    "hinges",
    draw,
    {
        "curve": Choice(tuple(CURVES), "wave", "curve"),
        "unit": Choice(tuple(_UNITS), "relu", "activation"),
        "units": Slider(1, 16, 4, 1, "hidden units", play=True),
        "corner": Slider(0.0, 1.0, 0.9, 0.02, "your corner"),
    },
    "A {curve} and the answer of a network of {units} hidden units ({unit}), one of them with its corner at {corner}; beside "
    "it what each unit adds to the sum.",
    size=(8.4, 3.6),
    touch=_touch,
)
figure, explore = EXPLORER.figure, EXPLORER.explore
