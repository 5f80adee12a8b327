"""Explorer: drag one example; a layer that learns by squared error and one that learns by cross-entropy answer."""

from functools import lru_cache

import numpy as np

from .. import activations, layers, losses
from . import COLORS, MARKERS, Choice, Explorer, Slider

__all__ = [
    "EXPLORER",
    "draw",
]


def __dir__():
    return __all__


_CLASSES = ("0", "1", "2")
_STEPS = 100
_CENTRES = np.array([[-2.4, -1.0], [2.4, -1.0], [0.0, 0.2]])
_labels = np.repeat(np.arange(3), 8)
_X = _CENTRES[_labels] + 0.45 * np.random.default_rng(1).standard_normal((24, 2))
_BOX = (-4.5, 6.5, -4.0, 5.0)
_x1, _x2 = np.meshgrid(np.linspace(*_BOX[:2], 111), np.linspace(*_BOX[2:], 91))
_GRID = np.column_stack([_x1.ravel(), _x2.ravel()])
_TINTS = np.array([[0.66, 0.82, 0.92], [0.97, 0.85, 0.60], [0.66, 0.87, 0.78]])


@lru_cache(maxsize=64)
def _training(x1, x2, label):
    """(examples, labels, {loss: its weights after each step}), the held example last."""
    X, labels = np.vstack([_X, [x1, x2]]), np.append(_labels, label)
    K, steepest = layers.one_hot(labels, 3), np.linalg.norm(np.column_stack([X, np.ones(len(X))]), ord=2) ** 2
    # A convex loss cannot diverge below twice one over its largest curvature; softmax's is half of the square's
    rules = {
        "squared error": (1.0 / steepest, lambda U: layers.linear_delta(K, U)),
        "cross-entropy": (2.0 / steepest, lambda U: layers.softmax_layer_delta(labels, U)),
    }
    paths = {}
    for loss, (lr, delta) in rules.items():
        W, b = np.zeros((2, 3)), np.zeros(3)
        path = [(W, b)]
        for _ in range(_STEPS):
            U, cache = layers.linear_forward(X, W, b)
            _, dW, db = layers.linear_backward(delta(U), cache)
            W, b = W - lr * dW, b - lr * db
            path.append((W, b))
        paths[loss] = path
    return X, labels, paths


def draw(figure, x1, x2, label, step):
    """Left and middle: the regions of the two layers after these steps; right: what the held example asks of each."""
    d = _CLASSES.index(label)
    X, labels, paths = _training(x1, x2, d)
    *planes, right = figure.subplots(1, 3, width_ratios=(1.0, 1.0, 0.8))
    deltas = {}
    for ax, (loss, path) in zip(planes, paths.items(), strict=True):
        W, b = path[step]
        shares = _GRID @ W + b
        U = X[-1:] @ W + b
        if loss == "cross-entropy":
            shares = activations.softmax(shares)
            deltas[loss] = losses.softmax_cross_entropy_grad(U, np.array([d]))[0]
        else:
            shares = layers.one_hot(shares.argmax(axis=1), 3)
            deltas[loss] = losses.half_squared_error_grad(U, layers.one_hot(np.array([d]), 3))[0]
        ax.imshow(
            (shares @ _TINTS).reshape(*_x1.shape, 3),
            extent=_BOX,
            origin="lower",
            interpolation="bilinear",
            aspect="auto",
        )
        _examples(ax, X, labels, layers.softmax_layer_predict(X, W, b) != labels)
        ax.set(xlim=_BOX[:2], ylim=_BOX[2:], xlabel="x₁ (drag the large mark)")
    planes[0].set_ylabel("x₂")
    _pulls(right, deltas, d)
    for ax, loss in zip(planes, paths, strict=True):
        missed = np.sum(layers.softmax_layer_predict(X, *paths[loss][step]) != labels)
        ax.set_title(f"{loss}: {missed} of {len(X)} wrong")


def _examples(ax, X, labels, missed):
    for k in range(3):
        look = {"linestyle": "none", "marker": MARKERS[k], "color": COLORS[k], "markeredgecolor": "black"}
        ax.plot(*X[:-1][labels[:-1] == k].T, markersize=6, markeredgewidth=0.5, **look)
        if labels[-1] == k:
            ax.plot(*X[-1], markersize=13, markeredgewidth=1.6, **look)
    ax.plot(*X[missed].T, "o", markersize=17, color="black", markerfacecolor="none")
    ax.grid(False)


def _pulls(ax, deltas, d):
    limit = max(1.0, *(float(np.abs(delta).max()) for delta in deltas.values()))
    for shift, (loss, delta), color, hatch in zip(
        (-0.2, 0.2), deltas.items(), (COLORS[5], COLORS[4]), ("///", None), strict=True
    ):
        ax.bar(np.arange(3) + shift, delta, width=0.38, color=color, edgecolor="black", hatch=hatch, label=loss)
        for k, height in enumerate(delta):
            above = height >= 0
            text = f"{height:+.2f}".replace("-", "−")
            ax.text(k + shift, height, text, ha="center", va="bottom" if above else "top", fontsize=8)
    ax.axhline(0.0, color="black", linewidth=1.0)
    ax.set(ylim=(-1.25 * limit, 1.6 * limit), title="its row of ∇J, output − target")
    ax.set_xticks(range(3), [f"class {k}" + ("\n(its own)" if k == d else "") for k in range(3)])
    ax.legend(loc="upper left", fontsize=8)


def _touch(where, x1, x2, label, step):
    """The held example goes where the hand is, in either plane."""
    return {} if where.axes > 1 or where.action == "hover" else {"x1": where.x, "x2": where.y}


EXPLORER = Explorer(
    "layers",
    draw,
    {
        "x1": Slider(-4.0, 6.0, 4.5, 0.1, "its x₁"),
        "x2": Slider(-3.5, 4.0, 3.0, 0.1, "its x₂"),
        "label": Choice(_CLASSES, "1", "its class"),
        "step": Slider(0, _STEPS, _STEPS, 2, "step", play=True),
    },
    "Three classes in the plane and one more example of class {label} at ({x1}, {x2}); the regions of a layer trained by the "
    "squared error and of one trained by cross-entropy after {step} steps, with the misclassified examples ringed; and the "
    "gradient of that example at each of the three neurons.",
    size=(9.6, 3.5),
    touch=_touch,
)
figure, explore = EXPLORER.figure, EXPLORER.explore
