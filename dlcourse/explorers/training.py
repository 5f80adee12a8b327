"""Explorer: what to watch while a network trains: the losses, each layer's gradient, and how far each step moves its weights."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .. import datasets, training
from . import COLORS, LINESTYLES, Choice, Explorer, Slider

__all__ = [
    "EXPLORER",
    "Run",
    "draw",
    "run",
]


def __dir__():
    return __all__


_STEPS, _EVERY = 200, 5
# What the axes show
_LOSSES, _NORMS, _RATIOS = (3e-2, 3e1), (1e-3, 1e2), (1e-5, 1e0)
_OPTIMIZERS = ("sgd", "momentum", "adam")


class Run(NamedTuple):
    """batch (steps,): the loss of each step's batch; validation, accuracy: before step 0, 5, … and after the last one;
    norms, ratios (steps, layers): ‖∂J/∂W‖ and ‖ΔW‖/‖W‖.
    """

    batch: np.ndarray
    validation: np.ndarray
    accuracy: np.ndarray
    norms: np.ndarray
    ratios: np.ndarray


@lru_cache(maxsize=1)
def _data():
    images, labels, _ = datasets.digits()
    rng = np.random.default_rng(0)
    return datasets.split(images.reshape(len(images), -1)[:900], labels[:900], rng, test=1 / 3, validation=1 / 3)


@lru_cache(maxsize=512)
def run(activation, optimizer, log_lr, batch_size):
    """200 steps of a network 64-32-32-32-10, as a `Run`."""
    parts, rng = _data(), np.random.default_rng(1)
    layers = [("linear", 64, 32), (activation,), ("linear", 32, 32), (activation,), ("linear", 32, 32), (activation,)]
    net = training.Network([*layers, ("linear", 32, 10)], rng=rng)
    trainer = training.Trainer(net, optimizer, lr=10.0**log_lr)
    weights, grads = ([p["W"] for p in tree.values()] for tree in (net.params, net.grads))
    batch, tested, norms, ratios = [], [], [], []
    with np.errstate(all="ignore"):
        for step in range(_STEPS):
            if step % _EVERY == 0:
                tested.append(training.evaluate(net, parts.X_validation, parts.y_validation))
            before = [W.copy() for W in weights]
            chosen = rng.integers(0, len(parts.y_train), batch_size)
            batch.append(trainer.step(parts.X_train[chosen], parts.y_train[chosen]))
            norms.append([np.linalg.norm(dW) for dW in grads])
            moved = zip(weights, before, strict=True)
            ratios.append([np.linalg.norm(W - old) / np.linalg.norm(old) for W, old in moved])
        tested.append(training.evaluate(net, parts.X_validation, parts.y_validation))
    return Run(np.array(batch), *np.array(tested).T, np.array(norms), np.array(ratios))


def _within(values, low, high):
    """The values as far as the axis shows them; what is not a number any longer lies at its upper end."""
    return np.clip(np.nan_to_num(values, nan=high, posinf=high), low, high)


def draw(figure, activation, optimizer, log_lr, batch_size, step):
    """Left: the losses up to a step; in the middle each layer's gradient; right: each step's way over the weights' length."""
    found = run(activation, optimizer, log_lr, batch_size)
    left, middle, right = figure.subplots(1, 3)
    steps, tested = np.arange(step), np.arange(0, step + 1, _EVERY)
    left.plot(steps, _within(found.batch[:step], *_LOSSES), color=COLORS[4], linestyle="-", linewidth=1, label="batch")
    shown = _within(found.validation[: len(tested)], *_LOSSES)
    left.plot(tested, shown, color=COLORS[5], linestyle="-", label="validation")
    left.axhline(np.log(10.0), color="black", linestyle=":", linewidth=1)
    accuracy = found.accuracy[len(tested) - 1]
    left.set(ylim=_LOSSES, ylabel="loss (nats)", title=f"step {step}: {100 * accuracy:.0f} % right")
    left.legend(loc="upper right")
    for ax, values, limits, title in (
        (middle, found.norms, _NORMS, "gradient ‖∂J/∂W‖"),
        (right, found.ratios, _RATIOS, "update ‖ΔW‖/‖W‖"),
    ):
        for layer, (color, line) in enumerate(zip(COLORS, LINESTYLES[:4], strict=False), 1):
            curve = _within(values[:step, layer - 1], *limits)
            ax.plot(steps, curve, color=color, linestyle=line, linewidth=1.2, label=f"layer {layer}")
        ax.set(ylim=limits, title=title)
    right.axhspan(1e-3, 1e-2, color="0.9")
    middle.legend(loc="lower right", ncols=2, fontsize=9)
    for ax, ticks in ((left, (0.1, 1.0, 10.0)), (middle, (1e-2, 1.0, 1e2)), (right, (1e-4, 1e-3, 1e-2, 1e-1))):
        ax.set(xlim=(0, _STEPS), xlabel="step", yscale="log", xticks=(0, 100, 200))
        ax.minorticks_off()
        # Plain numbers: a formula such as 10⁻² takes longer to set
        ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])


def _touch(where, **parameters):
    """A hand along a curve leads the run to that step."""
    return {} if where.action == "hover" else {"step": where.x}


EXPLORER = Explorer(
    "training",
    draw,
    {
        "step": Slider(0, _STEPS, _STEPS, 5, "step", play=True),
        "log_lr": Slider(-4.0, 1.0, -1.5, 0.5, "log10 of rate"),
        "optimizer": Choice(_OPTIMIZERS, "sgd", "optimizer"),
        "activation": Choice(("relu", "sigmoid"), "relu", "activation"),
        "batch_size": Choice((8, 32, 128), 32, "batch size"),
    },
    "A {activation} network with four layers of weights learns digits by {optimizer} at a rate of 10^{log_lr} with batches "
    "of {batch_size}, up to step {step}: the losses, the norm of each layer's gradient, and the length of each update "
    "relative to the weights; grey: a thousandth to a hundredth.",
    size=(8.8, 3.4),
    touch=_touch,
)
figure, explore = EXPLORER.figure, EXPLORER.explore
