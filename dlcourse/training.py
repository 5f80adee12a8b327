"""Training: a network fitted by minibatch gradient descent.

Every layer of a network is one of the course's operations, `op_forward` and
`op_backward`, with its parameters::

    net = Network(
        [("linear", 784, 256), ("relu",), ("linear", 256, 10)],
        rng=np.random.default_rng(0),
    )
    history = fit(
        net,
        X,
        y,
        optimizer="adam",
        lr=1e-3,
        epochs=5,
        batch_size=128,
        rng=rng,
        validation=(X_val, y_val),
    )

Here are the loss, the steps of an optimizer (`Trainer`), the loop around them
(`fit`), and what a model of sequences writes (`generate`). The network itself is in
`networks.network`, its parts in `networks.layers`, their names in
`networks.registry`.
"""

import inspect
import math
import sys
import time
from functools import partial

import numpy as np

from . import datasets, kernels, losses, metrics, optimizers
from ._array import array_namespace, from_numpy, is_array, to_numpy
from ._checks import (
    as_floating,
    check_callable,
    check_choice,
    check_integer,
    check_labels,
    check_number,
    check_rng,
    check_shapes,
    from_list,
)
from .networks.layers import Embedding
from .networks.network import Network
from .networks.registry import LAYERS

__all__ = [
    "LAYERS",
    "OPTIMIZERS",
    "Network",
    "Trainer",
    "evaluate",
    "fit",
    "generate",
    "loss_and_grad",
    "softmax_regression_epoch",
]


def __dir__():
    return __all__


OPTIMIZERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamw")


def loss_and_grad(U, y):
    """The loss of outputs U for targets y, which `fit` minimizes, and its gradient.

    Parameters
    ----------
    U : (N, …, K) array, the network's outputs.
    y : whole numbers (N, …): labels, with the mean softmax cross-entropy as the loss;
        or floating (N, …, K): values, with the mean squared error.

    Returns
    -------
    J : number. dU : array of U's shape.

    Examples
    --------
    >>> J, dU = loss_and_grad(np.zeros((1, 2)), np.array([0]))
    >>> round(float(J), 4), dU
    (0.6931, array([[-0.5,  0.5]]))
    """
    U = as_floating(U, "U")
    if U.ndim < 2:
        raise ValueError(f"U: expected outputs (N, …, K), got shape {tuple(U.shape)}")
    y = _targets(U, y)
    return _loss_and_grad(U, y)


def _targets(U, y):
    """The targets as an array that fits U: labels or values."""
    y = from_list("y", y)
    if not is_array(y):
        raise TypeError(f"y: expected an array of targets, got {type(y).__name__}")
    shape, K = tuple(U.shape), U.shape[-1]
    if _is_labels(y):
        if tuple(y.shape) != shape[:-1]:
            raise ValueError(
                f"y: expected labels of shape {shape[:-1]} for outputs of shape {shape}, got {tuple(y.shape)}"
            )
        if not _are_below(K, y):
            xp = array_namespace(y)
            low, high = int(xp.min(y)), int(xp.max(y))
            raise ValueError(f"y: expected labels 0…{K - 1} for {K} outputs, got {low if low < 0 else high}")
        return y
    if y.dtype == object or not array_namespace(y).isdtype(y.dtype, "real floating"):
        raise TypeError(f"y: expected whole numbers (labels) or floating values, got dtype {y.dtype}")
    if tuple(y.shape) != shape:
        raise ValueError(
            f"y: expected values of the outputs' shape {shape}, or whole numbers as labels, got {tuple(y.shape)}"
        )
    return y


def _are_below(K, y):
    """Whether all of y are 0…K−1."""
    if type(y) is np.ndarray:
        # One pass for both ends: read as unsigned, negative numbers are the largest
        return np.maximum.reduce(y.astype(np.uint64), axis=None) < K
    xp = array_namespace(y)
    return int(xp.min(y)) >= 0 and int(xp.max(y)) < K


def _is_labels(y):
    return y.dtype.kind in "iu" if type(y) is np.ndarray else array_namespace(y).isdtype(y.dtype, "integral")


def _loss_and_grad(U, y):
    if not _is_labels(y):
        if y.dtype != U.dtype:
            y = array_namespace(y).astype(y, U.dtype)
        return losses.mean_squared_error(U, y), losses.mean_squared_error_grad(U, y)
    shape = U.shape
    if len(shape) != 2:
        xp = array_namespace(U)
        U, y = xp.reshape(U, (-1, shape[-1])), xp.reshape(y, (-1,))
    if type(U) is np.ndarray:
        J, dU = kernels.softmax_cross_entropy_with_grad(U, y)
    else:
        J, dU = losses.softmax_cross_entropy(U, y), losses.softmax_cross_entropy_grad(U, y)
    return J, dU if len(shape) == 2 else array_namespace(dU).reshape(dU, shape)


def _correct(U, y):
    """Number of correct predictions."""
    xp = array_namespace(U)
    return int(xp.sum(xp.astype(xp.argmax(U, axis=-1) == y, xp.int64)))


class Trainer:
    """Steps of an optimizer on a network; `fit` is a loop around it.

    Parameters
    ----------
    net : Network.
    optimizer : "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam"
        or "adamw".
    lr : learning rate; the optimizer's own default where it is left out.
    weight_decay : λ of the penalty (λ/2)‖W‖² on the weights, not on biases and gains;
        for "adamw" the decoupled decay.
    clip_norm : the largest norm of the whole gradient; a longer one is scaled down.
    schedule : (step, lr) -> lr with step = 0, 1, …, such as
        ``functools.partial(optimizers.cosine, total=1000)``.
    rng : numpy.random.Generator or seed, draws dropout's masks; the network's own if it
        is left out.
    **options : further arguments of the optimizer's step, such as ``momentum=0.8``.

    Examples
    --------
    >>> net = Network([("linear", 1, 1)], rng=np.random.default_rng(0))
    >>> trainer = Trainer(net, "sgd", lr=0.1)
    >>> X = np.array([[-1.0], [1.0]])
    >>> losses = [trainer.step(X, 3 * X) for _ in range(50)]
    >>> round(float(net.params["linear_0"]["W"][0, 0]), 3)
    3.0
    """

    def __init__(
        self, net, optimizer="adam", lr=None, *, weight_decay=None, clip_norm=None, schedule=None, rng=None, **options
    ):
        if not isinstance(net, Network):
            raise TypeError(f"net: expected a Network, got {type(net).__name__}")
        if not net.w.shape[0]:
            raise ValueError("net: expected a network with parameters, got one that has nothing to learn")
        check_choice("optimizer", optimizer, OPTIMIZERS)
        if schedule is not None:
            check_callable("schedule", schedule, "schedule(step, lr) -> lr")
        if clip_norm is not None:
            check_number("clip_norm", clip_norm, 0.0, include_low=False)
        self.net, self.optimizer, self.schedule, self.clip_norm = net, optimizer, schedule, clip_norm
        self.rng = None if rng is None else check_rng(rng)
        defaults = _defaults(optimizer)
        self.lr = _learning_rate(optimizer, lr, defaults)
        _check_options(optimizer, self.lr, options, defaults)
        self.options, self.count = options, 0
        self.decoupled = optimizer == "adamw"
        decay = defaults["weight_decay"] if self.decoupled else 0.0
        self.weight_decay = check_number("weight_decay", decay if weight_decay is None else weight_decay, 0.0)
        self.momentum = options.get("momentum", defaults["momentum"]) if optimizer == "nesterov" else None
        # Adam's step serves both: here the decay of "adamw" is for the weights alone
        init, self.update = _in_place("adam" if self.decoupled else optimizer, net.w)
        self.state = init(net.w)

    def step(self, X, y):
        """One step on a batch: forward, loss, backward, update; returns the loss before
        it.
        """
        return float(self._step(X, y)[0])

    def _step(self, X, y, checked=False):
        net, w = self.net, self.net.w
        lr = self.lr if self.schedule is None else self.schedule(self.count, self.lr)
        if self.momentum is not None:
            # Nesterov's gradient is the one at the look-ahead point
            before = w + 0.0
            w[...] = optimizers.nesterov_lookahead(before, self.state, self.momentum)
        try:
            U = net.forward(X, train=True, rng=self.rng)
            if not checked:
                y = _targets(U, y)
            J, dU = _loss_and_grad(U, y)
            net._backward(dU, inputs=False)
            if self.weight_decay and not self.decoupled:
                net.dw[: net.weights] += self.weight_decay * w[: net.weights]
        finally:
            if self.momentum is not None:
                w[...] = before
        if self.clip_norm is not None:
            net.dw[...] = optimizers.clip_grad_norm(net.dw, self.clip_norm)[0]
        if self.weight_decay and self.decoupled:
            w[: net.weights] *= 1.0 - lr * self.weight_decay
        self.state = self.update(w, net.dw, self.state, lr=lr, **self.options)
        self.count += 1
        return J, U


def _defaults(optimizer):
    """{option: default} of the optimizer's step; `inspect.Parameter.empty` where it has none."""
    parameters = list(inspect.signature(getattr(optimizers, f"{optimizer}_step")).parameters.values())
    return {p.name: p.default for p in parameters[3:]}


def _learning_rate(optimizer, lr, defaults):
    """The learning rate, or the optimizer's own where it is left out."""
    lr = defaults["lr"] if lr is None else lr
    if lr is inspect.Parameter.empty:
        raise TypeError(f"lr: expected a learning rate for {optimizer!r}, got none")
    return check_number("lr", lr, 0.0, include_low=False, include_high=False)


def _check_options(optimizer, lr, options, defaults):
    """Raise unless the optimizer's formula takes the options."""
    known = [name for name in defaults if name not in ("lr", "weight_decay")]
    for option in options:
        if option not in known:
            raise TypeError(f"{option}: expected one of the options of {optimizer}_step: {', '.join(known) or 'none'}")
    # The formula checks their values, its fast twin does not
    one = np.ones(1)
    state = getattr(optimizers, f"{optimizer}_init")(one)
    getattr(optimizers, f"{optimizer}_step")(one, one, state, lr=lr, **options)


def _in_place(name, w):
    """(init, update) of an optimizer for the vector w; ``update(w, dw, state, lr=…) -> state`` moves w in place."""
    init, step = getattr(optimizers, f"{name}_init"), getattr(optimizers, f"{name}_step")
    if type(w) is np.ndarray and name in kernels.UPDATES:
        own_init, update = kernels.UPDATES[name]
        return own_init or init, update
    return init, partial(_move, step)


def _move(step, w, dw, state, **options):
    moved, state = step(w, dw, state, **options)
    w[...] = moved
    return state


def evaluate(net, X, y, batch_size=256):
    """Mean loss over the examples, and accuracy (None for values), in evaluation mode.

    Parameters
    ----------
    net : Network.
    X : (N, ...) array.
    y : targets, as for `loss_and_grad`.
    batch_size : examples at a time.

    Returns
    -------
    J : float. accuracy : float in [0, 1], or None.

    Examples
    --------
    >>> net = Network([("identity",)], rng=np.random.default_rng(0))
    >>> J, accuracy = evaluate(
    ...     net, np.array([[9.0, 0.0], [9.0, 0.0]]), np.array([0, 1])
    ... )
    >>> round(J, 3), accuracy
    (4.5, 0.5)
    """
    if not isinstance(net, Network):
        raise TypeError(f"net: expected a Network, got {type(net).__name__}")
    batch_size = check_integer("batch_size", batch_size)
    X, y = _examples(net, X, y)
    N, total, correct = X.shape[0], 0.0, 0
    for start in range(0, N, batch_size):
        chosen = slice(start, min(start + batch_size, N))
        batch = y[chosen, ...]
        U = net.forward(X[chosen, ...])
        total += float(_loss_and_grad(U, batch)[0]) * batch.shape[0]
        correct += _correct(U, batch) if _is_labels(y) else 0
    return total / N, correct / math.prod(y.shape) if _is_labels(y) else None


def _examples(net, X, y, names=("X", "y")):
    """X and y as arrays, if the network can take the one and its output fits the other."""
    X, y = (from_list(name, x) for name, x in zip(names, (X, y), strict=True))
    for name, x in zip(names, (X, y), strict=True):
        if not is_array(x):
            raise TypeError(f"{name}: expected an array, got {type(x).__name__}")
    if y.ndim == 0 or X.ndim == 0 or X.shape[0] != y.shape[0] or X.shape[0] == 0:
        shapes = f"{tuple(X.shape)} and {tuple(y.shape)}"
        raise ValueError(
            f"{names[0]}, {names[1]}: expected as many examples as targets and at least one, got shapes {shapes}"
        )
    shape = net.forward(X[:1, ...]).shape
    # What is asked of the targets depends on the output's shape alone
    return X, _targets(_Shape((y.shape[0], *shape[1:])), y)


class _Shape:
    def __init__(self, shape):
        self.shape = shape


def fit(
    net,
    X,
    y,
    optimizer="adam",
    *,
    lr=None,
    epochs=10,
    batch_size=32,
    rng=None,
    validation=None,
    progress=True,
    schedule=None,
    weight_decay=None,
    clip_norm=None,
    **options,
):
    """Fit a network by minibatch gradient descent, in place; an interruption (Ctrl-C)
    keeps what was learned.

    Parameters
    ----------
    net : Network.
    X : (N, ...) array, the examples.
    y : (N,) labels, (N, T) labels for each step of a sequence, or floating values of
        the output's shape.
    optimizer, lr, schedule, weight_decay, clip_norm, **options : as for `Trainer`.
    epochs : passes over the examples.
    batch_size : examples in a step; the last one of an epoch is smaller where N is no
        multiple of it.
    rng : numpy.random.Generator or seed, draws the order and dropout's masks; the
        network's own if it is left out.
    validation : (X, y) to evaluate after each epoch.
    progress : whether to show the progress on stderr: a bar in a terminal, a line now
        and then elsewhere.

    Returns
    -------
    history : dict of lists, one entry for each whole epoch: "loss" and "accuracy" while
        training (mean over the epoch's examples, before each one's step), "val_loss"
        and "val_accuracy" after it. Accuracies are empty for floating y, the ``val_``
        ones without `validation`.

    Raises
    ------
    ValueError, TypeError : as for `Trainer`, and where X, y or `validation` do not fit
        the network.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((200, 2))
    >>> y = (X[:, 0] * X[:, 1] > 0).astype(int)
    >>> net = Network([("linear", 2, 16), ("tanh",), ("linear", 16, 2)], rng=rng)
    >>> history = fit(net, X, y, lr=0.05, epochs=30, rng=rng, progress=False)
    >>> history["accuracy"][-1] > 0.9
    True
    """
    rng = getattr(net, "rng", None) if rng is None else check_rng(rng)
    how = {"schedule": schedule, "weight_decay": weight_decay, "clip_norm": clip_norm, "rng": rng}
    trainer = Trainer(net, optimizer, lr, **how, **options)
    epochs, batch_size = check_integer("epochs", epochs, minimum=0), check_integer("batch_size", batch_size)
    X, y = _examples(net, X, y)
    if validation is not None:
        if not isinstance(validation, list | tuple) or len(validation) != 2:
            raise TypeError("validation: expected a pair (X, y)")
        validation = _examples(net, *validation, names=("validation X", "validation y"))
    history = {"loss": [], "accuracy": [], "val_loss": [], "val_accuracy": []}
    show = _Progress(epochs, -(-X.shape[0] // batch_size)) if progress else None
    labels = _is_labels(y)
    try:
        for epoch in range(epochs):
            total, correct = 0.0, 0
            for X_batch, y_batch in datasets.minibatches(X, y, batch_size, rng):
                J, U = trainer._step(X_batch, y_batch, checked=True)
                total += float(J) * X_batch.shape[0]
                correct += _correct(U, y_batch) if labels else 0
                if show:
                    show.batch(epoch, float(J))
            now = {"loss": total / X.shape[0]}
            if labels:
                now["accuracy"] = correct / math.prod(y.shape)
            if validation is not None:
                now["val_loss"], accuracy = evaluate(net, *validation)
                if accuracy is not None:
                    now["val_accuracy"] = accuracy
            for name, value in now.items():
                history[name].append(value)
            if show:
                show.epoch(epoch, now)
    except KeyboardInterrupt:
        print(f"\nInterrupted in epoch {len(history['loss']) + 1}: what was learned is kept.", file=sys.stderr)
    return history


def generate(net, prompt, length, rng, temperature=1.0):
    """What a model of sequences writes: symbol by symbol, each drawn from the model's
    probabilities for the next one.

    `p = softmax(u_T / τ)`, `x_{T+1} ~ p`.

    Parameters
    ----------
    net : Network that begins with an embedding and looks back only (recurrent layers,
        attention with ``{"causal": True}``), with a logit for each symbol.
    prompt : (T,) whole numbers, the beginning, or (N, T) several of one length.
    length : number of symbols to write.
    rng : numpy.random.Generator or seed, draws them.
    temperature : τ, at least 0; below 1 the likely symbols get likelier, and 0 takes
        the likeliest (argmax).

    Returns
    -------
    ids : (T + length,) or (N, T + length) int64 array: the prompt and what follows it.

    Raises
    ------
    ValueError, TypeError : the prompt is empty or holds no symbols of the embedding, or
        a layer needs what comes later.

    Notes
    -----
    Each symbol goes through the network once: recurrent states, and attention's keys
    and values, are kept (`Network.step`). The logits are those of a whole pass.

    Examples
    --------
    >>> net = Network(
    ...     [("embedding", 3, 4), ("lstm", 4, 5), ("linear", 5, 3)],
    ...     rng=np.random.default_rng(0),
    ... )
    >>> generate(net, [0, 1], 4, rng=np.random.default_rng(0)).shape
    (6,)
    """
    if not isinstance(net, Network):
        raise TypeError(f"net: expected a Network, got {type(net).__name__}")
    if not isinstance(net.layers[0], Embedding):
        raise ValueError(f"net: expected an embedding as the first layer, got {net.specs[0]!r}")
    length, rng = check_integer("length", length, minimum=0), check_rng(rng)
    temperature = check_number("temperature", temperature, low=0.0, include_high=False)
    ids = np.asarray(to_numpy(from_list("prompt", prompt)))
    if ids.ndim not in (1, 2) or 0 in ids.shape or ids.dtype.kind not in "iu":
        raise ValueError(
            f"prompt: expected at least one whole number, (T,) or (N, T), got shape {ids.shape} of {ids.dtype}"
        )
    written = [column[:, None] for column in np.atleast_2d(ids).astype(np.int64).T]
    kept, begun = None, len(written)
    for t in range(begun + length - 1):
        u, kept = net.step(from_numpy(written[t], like=net.w), kept)
        if t >= begun - 1:
            written.append(_draw(np.asarray(to_numpy(u))[:, -1].astype(float), temperature, rng))
    return np.concatenate(written, axis=1).reshape(*ids.shape[:-1], -1)


def _draw(logits, temperature, rng):
    """(N, 1) symbols for (N, K) logits."""
    if not temperature:
        return logits.argmax(axis=1)[:, None]
    P = metrics.temperature_softmax(logits, temperature)
    return np.array([[rng.choice(len(p), p=p)] for p in P])


class _Progress:
    """A bar that is redrawn in a terminal; elsewhere (a file, a notebook) at most eleven plain lines."""

    def __init__(self, epochs, batches):
        self.epochs, self.batches, self.done = epochs, batches, 0
        self.terminal = sys.stderr.isatty()
        self.begun = self.drawn = time.monotonic()

    def batch(self, epoch, J):
        self.done += 1
        now = time.monotonic()
        if self.terminal and now - self.drawn > 0.1:
            self.drawn = now
            share = self.done / (self.epochs * self.batches)
            left = (now - self.begun) * (1.0 - share) / share
            bar = "█" * round(24 * share)
            self.write(
                f"\r{bar:░<24} {share:4.0%}  epoch {epoch + 1}/{self.epochs}  loss {J:.4f}  {left:.0f} s left \x1b[K"
            )

    def epoch(self, epoch, values):
        if self.terminal or (epoch + 1) * 10 // self.epochs != epoch * 10 // self.epochs or epoch == 0:
            shown = "  ".join(f"{name} {value:.4f}" for name, value in values.items())
            start, end = ("\r", "\x1b[K") if self.terminal else ("", "")
            self.write(f"{start}epoch {epoch + 1}/{self.epochs}  {shown}{end}\n")

    def write(self, text):
        sys.stderr.write(text)
        sys.stderr.flush()


def softmax_regression_epoch(X, labels, W, b, lr, batch_size):
    """One epoch of softmax regression, minibatch by minibatch in the given order.

    For each minibatch: `U = XW + b`, J the mean cross-entropy of its examples, and a
    step `W ← W − α ∇_W J`, `b ← b − α ∇_b J`.

    Parameters
    ----------
    X : (N, D) array. labels : (N,) integers 0…K−1.
    W : (D, K) array. b : (K,) array: where the epoch begins.
    lr : learning rate α, positive.
    batch_size : examples in a minibatch; the last one may be smaller and is kept.

    Returns
    -------
    W, b : after the epoch.
    loss : mean cross-entropy over all N examples, each taken before its own minibatch's
        step.

    Examples
    --------
    >>> X, labels = np.array([[1.0], [-1.0]]), np.array([0, 1])
    >>> W, b, loss = softmax_regression_epoch(
    ...     X, labels, np.zeros((1, 2)), np.zeros(2), 1.0, 2
    ... )
    >>> W, round(float(loss), 4)
    (array([[ 0.5, -0.5]]), 0.6931)
    """
    X, W, b = check_shapes("N D, D K, K", X=X, W=W, b=b)
    labels = check_labels(labels, W.shape[1], X.shape[0])
    lr = check_number("lr", lr, low=0.0, include_low=False)
    batch_size = check_integer("batch_size", batch_size)
    xp = array_namespace(X)
    N, total = X.shape[0], 0.0
    for start in range(0, N, batch_size):
        X_batch, d = X[start : start + batch_size, :], labels[start : start + batch_size]
        U = X_batch @ W + b
        total += losses.softmax_cross_entropy(U, d, reduction="sum")
        dU = losses.softmax_cross_entropy_grad(U, d)
        W = W - lr * (xp.matrix_transpose(X_batch) @ dU)
        b = b - lr * xp.sum(dU, axis=0)
    return W, b, total / N
