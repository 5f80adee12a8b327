"""Explorer: one small network on handwritten digits; the learning rate and the batch size decide what becomes of it."""

from functools import lru_cache

import numpy as np

from .. import datasets, metrics, training
from . import COLORS, Choice, Explorer, Slider

__all__ = [
    "EXPLORER",
    "draw",
    "trained",
]


def __dir__():
    return __all__


_EPOCHS = 8
_OPTIMIZERS = ("sgd", "momentum", "adam")


@lru_cache(maxsize=1)
def _data():
    images, labels, _ = datasets.digits()
    return datasets.split(images.reshape(len(images), -1)[:700], labels[:700], np.random.default_rng(0), test=3 / 7)


@lru_cache(maxsize=512)
def trained(optimizer, log_lr, batch_size):
    """(history, confusion matrix on the test digits) of a network 64-32-10 after eight epochs."""
    parts = _data()
    net = training.Network([("linear", 64, 32), ("relu",), ("linear", 32, 10)], rng=np.random.default_rng(1))
    with np.errstate(all="ignore"):
        history = training.fit(
            net,
            parts.X_train,
            parts.y_train,
            optimizer=optimizer,
            lr=10.0**log_lr,
            epochs=_EPOCHS,
            batch_size=batch_size,
            rng=np.random.default_rng(2),
            validation=(parts.X_test, parts.y_test),
            progress=False,
        )
        U = net.forward(parts.X_test)
    predictions = np.argmax(np.nan_to_num(U), axis=1)
    return history, metrics.confusion_matrix(parts.y_test, predictions, 10)


def draw(figure, optimizer, log_lr, batch_size):
    """Left: the loss of every epoch on both sets; right: which test digit is taken for which."""
    history, C = trained(optimizer, log_lr, batch_size)
    left, right = figure.subplots(1, 2, width_ratios=(1.4, 1))
    epochs = np.arange(1, _EPOCHS + 1)
    for key, color, marker, label in (("loss", COLORS[0], "o", "training"), ("val_loss", COLORS[5], "^", "test")):
        values = np.clip(np.nan_to_num(history[key], nan=1e3, posinf=1e3), 1e-3, 1e3)
        left.plot(epochs, values, color=color, marker=marker, linestyle="-", label=label)
    left.axhline(np.log(10.0), color="black", linestyle=":", linewidth=1)
    left.set(yscale="log", ylim=(1e-2, 1e2), xlim=(0.5, _EPOCHS + 0.5), xlabel="epoch", ylabel="cross-entropy (nats)")
    left.set_title(f"{optimizer}, learning rate {10.0**log_lr:.2g}, batches of {batch_size}")
    left.minorticks_off()
    left.legend(loc="upper right")
    right.imshow(np.sqrt(C), cmap="cividis", vmin=0, vmax=6)
    right.set(xlabel="taken for", ylabel="digit", title=f"test accuracy {100 * np.trace(C) / C.sum():.0f} %")
    right.set_xticks([0, 3, 6, 9])
    right.set_yticks([0, 3, 6, 9])
    right.grid(False)


EXPLORER = Explorer(
    "training",
    draw,
    {
        "log_lr": Slider(-4.0, 1.0, -1.5, 0.5, "log10 of rate"),
        "batch_size": Choice((8, 32, 128), 32, "batch size"),
        "optimizer": Choice(_OPTIMIZERS, "sgd", "optimizer"),
    },
    "Loss on training and test digits over eight epochs with {optimizer} at a learning rate of 10^{log_lr} and batches of "
    "{batch_size}, and the confusion matrix; the dotted line is what guessing costs.",
    size=(7.8, 3.6),
)
figure, explore = EXPLORER.figure, EXPLORER.explore
