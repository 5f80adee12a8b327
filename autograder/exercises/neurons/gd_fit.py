"""Gradient descent on the full batch."""

import numpy as np

from dlcourse import neurons

from ...checks.drivers import Named
from ...checks.exercise import ENLARGED, Case, Exercise, Mistake, slip
from ._shared import UPHILL, class_targets, examples


def cases(rng):
    X, w, b = examples(rng, N=6)
    d = rng.standard_normal(6)
    (classes,) = class_targets(rng, 6)
    linear, logistic = Named("neurons.linear_neuron_grad"), Named("neurons.logistic_neuron_grad")
    return [
        Case("one step from far away", (linear, X, ENLARGED * d, w, b, 0.05, 1)),
        Case("five steps of a linear neuron", (linear, X, d, w, b, 0.02, 5)),
        Case("five steps of a logistic neuron", (logistic, X, classes, w, b, 0.3, 5)),
        Case("no step at all, one input", (linear, X[:, :1], d, w[:1], b, 0.1, 0), weight=0.5),
        Case("fifteen steps", (logistic, X, classes, 0 * w, 0.0, 0.2, 15), hidden=True),
    ]


MISTAKES = [
    Mistake("ascent", slip("w - lr", "w + lr", "b - lr", "b + lr"), UPHILL),
    Mistake("bias_after_weights",
        slip("w, b = w - lr * dw, b - lr * db", "w = w - lr * dw\n        b = b - lr * grad(X, d, w, b)[1]"),
        "The bias is moved with the gradient at the new weights. Both steps use the gradient at the same point: "
        "compute it once."),
    Mistake("bias_never_updated", slip("w, b = w - lr * dw, b - lr * db", "w = w - lr * dw"),
        "The weights move, the bias does not."),
    Mistake("mean_for_sum", slip("lr * dw", "lr * dw / len(d)", "lr * db", "lr * db / len(d)"),
        "The gradient is used as it comes, a sum over the batch; you divide it by N.", convention=True),
    Mistake("gradient_never_renewed",
        slip("    for _ in range(epochs):\n        dw, db = grad(X, d, w, b)\n",
             "    dw, db = grad(X, d, w, b)\n    for _ in range(epochs):\n"),
        "The gradient changes when the weights do: compute it again in every step."),
    Mistake("mutates_parameters",
        slip("w, b = np.asarray(w, copy=True), np.asarray(b, dtype=w.dtype, copy=True)", "b = float(b)",
             "w, b = w - lr * dw, b - lr * db", "w -= lr * dw\n        b -= lr * db"),
        "`w -= …` changes the caller's array. Write `w = w - …`, which makes a new one."),
]  # fmt: skip


def recursive(grad, X, d, w, b, lr, epochs):
    if epochs == 0:
        return w.copy(), b
    dw, db = grad(X, d, w, b)
    return recursive(grad, X, d, w - lr * dw, b - lr * db, lr, epochs - 1)


def in_place_on_a_copy(grad, X, d, w, b, lr, epochs):
    w = np.array(w)
    for _ in range(epochs):
        dw, db = grad(X, d, w, b)
        w -= np.multiply(lr, dw)
        b = b - lr * db
    return w, b


EXERCISE = Exercise("neurons.gd_fit", neurons.gd_fit, cases, MISTAKES, variants=[recursive, in_place_on_a_copy],
    points=2,
    why="The loop that trains everything in this course.",
    hints=("In each epoch: ask `grad(X, d, w, b)` once, then step.",
           "w − lr·dw makes a new array; w -= lr·dw changes the caller's."))  # fmt: skip
