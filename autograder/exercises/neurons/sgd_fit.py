"""Stochastic gradient descent: a step after every minibatch, in a new random order each epoch."""

import numpy as np

from dlcourse import neurons

from ...checks.drivers import Rng, WrongAnswer, kind
from ...checks.exercise import ENLARGED, Case, Exercise, Mistake, slip
from ._shared import UPHILL

# --- solution -------------------------------------------------------------------------------------------------------


def sgd_fit(grad, X, d, w, b, lr, epochs, rng, batch_size=1):
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for start in range(0, len(X), batch_size):
            chosen = order[start : start + batch_size]
            dw, db = grad(X[chosen], d[chosen], w, b)
            w, b = w - lr * dw, b - lr * db
    return w, b


# --- cases ----------------------------------------------------------------------------------------------------------


def sgd_driver(functions, case):
    """Calls the descent with a gradient that notes which examples each minibatch holds.

    The order is free, so what is judged is what no order changes: how large the batches are, that an epoch holds every
    example once, and that a second epoch has another order; and the steps, by a gradient that is worked out afterwards
    from the very batches that came.
    """
    (fit,) = functions
    batches = []

    def grad(X, d, w, b):
        batches.append((np.array(X), np.array(d), np.array(w, dtype=float), float(b)))
        e = X @ w + b - d
        return X.T @ e, e.sum()

    X, d, w, b, lr, epochs = case.args
    fitted = fit(grad, X, d, w, b, lr, epochs, case.extra["rng"], **case.kwargs)
    if not isinstance(fitted, tuple) or len(fitted) != 2:
        raise WrongAnswer(f"the function returns `w, b`; yours returned {kind(fitted)}")
    if not batches:
        raise WrongAnswer("the descent asks `grad` for the gradient of each minibatch; yours never calls it")
    yield "batches", [len(batch[0]) for batch in batches]
    per_epoch = max(len(batches) // max(epochs, 1), 1)
    epoch_batches = [batches[i : i + per_epoch] for i in range(0, len(batches), per_epoch)]
    seen = [np.concatenate([x[:, 0] for x, *_ in epoch]) for epoch in epoch_batches]
    targets = [np.concatenate([t for _, t, *_ in epoch]) for epoch in epoch_batches]
    # The targets are the first column, so a pair that was torn apart shows
    together = all(np.array_equal(x, t) for x, t in zip(seen, targets, strict=True))
    shuffled = any(not np.array_equal(order, X[:, 0]) for order in seen)
    reshuffled = len(seen) < 2 or any(not np.array_equal(seen[0], order) for order in seen[1:])
    yield "every example once", [*map(np.sort, seen), float(together), float(shuffled), float(reshuffled)]
    trail_w, trail_b = np.array(w, dtype=float), b
    steps_right = []
    for x, t, at_w, at_b in batches:
        steps_right.append(float(np.allclose(at_w, trail_w, rtol=1e-9) and np.isclose(at_b, trail_b, rtol=1e-9)))
        e = x @ trail_w + trail_b - t
        trail_w, trail_b = trail_w - lr * (x.T @ e), trail_b - lr * e.sum()
    ends = np.allclose(fitted[0], trail_w, rtol=1e-9) and np.isclose(fitted[1], trail_b, rtol=1e-9)
    yield "steps", [float(all(steps_right)), float(ends)]


def cases(rng):
    def case(name, N, epochs, batch_size, size=1.0, offset=0.0, **options):
        X = rng.standard_normal((N, 3))
        start = (X, size * X[:, 0] + offset, rng.standard_normal(3), 0.3, 0.01, epochs)
        given = {} if batch_size is None else {"batch_size": batch_size}
        return Case(name, start, given, extra={"rng": Rng(int(rng.integers(2**31)))}, **options)

    return [
        case("batches of 5 from 23 examples, 3 epochs", 23, 3, 5),
        case("one example at a time, the default, 2 epochs", 19, 2, None, size=ENLARGED, offset=ENLARGED),
        case("two batches that come out even, 4 epochs", 20, 4, 10),
        case("batches of 7 from 30 examples, 2 epochs", 30, 2, 7, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("never_shuffled", slip("rng.permutation(len(X))", "np.arange(len(X))"),
        "The examples come in the same order in every epoch. Draw an order from `rng`."),
    Mistake("shuffled_once",
        slip("    for _ in range(epochs):\n        order = rng.permutation(len(X))\n",
             "    order = rng.permutation(len(X))\n    for _ in range(epochs):\n"),
        "The order is drawn once for all epochs: draw a new one at the beginning of each."),
    Mistake("last_batch_dropped", slip("0, len(X), batch_size", "0, len(X) - batch_size + 1, batch_size"),
        "Where the batch size does not divide N some examples are never seen. The last, smaller batch is kept."),
    Mistake("drawn_with_replacement", slip("rng.permutation(len(X))", "rng.integers(0, len(X), len(X))"),
        "Some examples come twice in an epoch and others not at all: permute, do not draw with replacement."),
    Mistake("whole_batch", slip("X[chosen], d[chosen]", "X, d"),
        "The gradient is taken over all examples at every step. It should see the minibatch alone."),
    Mistake("targets_not_shuffled", slip("d[chosen]", "d[start : start + batch_size]"),
        "X is shuffled, d is not: an example gets the target of another one. Use one order for both."),
    Mistake("ascent", slip("w - lr", "w + lr", "b - lr", "b + lr"), UPHILL),
    Mistake("mean_for_sum", slip("lr * dw", "lr * dw / len(chosen)", "lr * db", "lr * db / len(chosen)"),
        "The gradient is used as it comes, a sum over the minibatch; you divide it by its size.", convention=True),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def split(grad, X, d, w, b, lr, epochs, rng, batch_size=1):
    for _ in range(epochs):
        order = rng.permutation(len(X))
        for chosen in np.split(order, range(batch_size, len(X), batch_size)):
            dw, db = grad(X[chosen], d[chosen], w, b)
            w, b = w - lr * dw, b - lr * db
    return w, b


def shuffle_in_place(grad, X, d, w, b, lr, epochs, rng, batch_size=1):
    order, w = list(range(len(X))), np.array(w)
    for _ in range(epochs):
        rng.shuffle(order)
        i = 0
        while i < len(X):
            dw, db = grad(X[order[i : i + batch_size]], d[order[i : i + batch_size]], w, b)
            w -= lr * dw
            b = b - lr * db
            i += batch_size
    return w, b


EXERCISE = Exercise("neurons.sgd_fit", neurons.sgd_fit, cases, MISTAKES, variants=[split, shuffle_in_place],
    solution=sgd_fit, points=3,
    why="Many rough steps beat few exact ones: this is why networks can be trained on more data than fits into memory.",
    hints=("One permutation of 0…N−1 per epoch, from `rng.permutation`.",
           "Walk through it in slices of `batch_size`; a slice past the end is simply shorter.",
           "Take the same positions from X and from d."),
    driver=sgd_driver, parts=("batches", "every example once", "steps"))  # fmt: skip
