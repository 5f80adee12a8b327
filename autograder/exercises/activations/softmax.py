"""Softmax: the probabilities of K classes."""

import numpy as np

from dlcourse import activations

from ...checks.exercise import Case, Exercise, Mistake, slip
from ._shared import AXIS_FIXED, INTEGER, NO_AXIS, NO_KEEPDIMS

# --- solution ---------------------------------------------------------------------------------------------------------


def softmax(z, axis=-1):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


# --- cases ------------------------------------------------------------------------------------------------------------

LARGE = np.array([[1000.0, 0.0, -1000.0], [-1000.0, 990.0, 1000.0], [3.0, 1000.0, 1000.0], [-5000.0, -5001.0, -5099.0]])
WHOLE = np.array([[1, -2, 0], [0, 3, 1], [2, 2, -1], [-1, 1, 4]])


def cases(rng):
    return [
        Case("four examples, three classes", (rng.standard_normal((4, 3)),)),
        # sum_length: a sum of differences of size 1000 carries their rounding
        Case("logits of ±1000", (LARGE,), sum_length=1000),
        Case("one example", (rng.standard_normal((1, 5)),)),
        Case("one example, shape (K,)", (rng.standard_normal(4),)),
        Case("three axes, the classes along the first one", (rng.standard_normal((3, 4, 2)),), {"axis": 0}),
        Case("as many examples as classes", (rng.standard_normal((3, 3)),)),
        Case("float32", (rng.standard_normal((2, 5)).astype(np.float32),), {"axis": 1}),
        Case("integers", (WHOLE,)),
        Case(
            "three axes, the classes along the middle one", (rng.standard_normal((2, 4, 3)),), {"axis": 1}, hidden=True
        ),
    ]


# --- mistakes ---------------------------------------------------------------------------------------------------------

LARGEST, SUM = "z.max(axis=axis, keepdims=True)", "e.sum(axis=axis, keepdims=True)"
VALUE = f"return e / {SUM}"

MISTAKES = [
    Mistake("no_max_shift", slip(f" - {LARGEST}", ""),
        "exp(1000) is infinite, and infinity divided by itself is NaN. Softmax does not change when the same number is "
        "taken off all logits of an example: which one keeps exp in bounds?"),
    Mistake("one_shift_for_all", slip(LARGEST, "z.max()"),
        "One number is taken off *all* examples. Where an example's own logits are far below it, all its exponentials "
        "vanish: 0/0. Each example needs its own largest logit."),
    Mistake("wrong_axis", slip("axis=axis", "axis=0", everywhere=True),
        "Your probabilities sum to 1 over the examples. The classes, which compete, are along `axis`, the last one "
        "unless told otherwise."),
    Mistake("axis_fixed", slip("axis=axis", "axis=-1", everywhere=True), AXIS_FIXED),
    Mistake("no_axis", slip(LARGEST, "z.max()", SUM, "e.sum()"), NO_AXIS),
    Mistake("keepdims_missing", slip(SUM, "e.sum(axis=axis)"), NO_KEEPDIMS),
    Mistake("softmax_twice", slip(VALUE, f"e = np.exp(e / {SUM})\n    {VALUE}"),
        "Softmax is applied twice, to probabilities the second time, which flattens them."),
    Mistake("integer_buffer", slip(VALUE, f"p = np.zeros_like(z)\n    p[...] = e / {SUM}\n    return p"), INTEGER),
    Mistake("mutates_input", slip(f"e = np.exp(z - {LARGEST})", f"z -= {LARGEST}\n    e = np.exp(z)"),
        "`z -= …` changes the caller's logits. Make a new array."),
    Mistake("logarithm_returned", slip(f"e / {SUM}", f"np.log(np.maximum(e / {SUM}, 1e-300))"),
        "These are log-probabilities; the probabilities are asked."),
    Mistake("exponential_missing", slip(f"np.exp(z - {LARGEST})", "z - z.min(axis=axis, keepdims=True) + 1.0"),
        "You return the shares of the logits themselves. Softmax takes the exponential first."),
    Mistake("sigmoid_for_softmax", slip(f"e / {SUM}", "activations.sigmoid(z)"),
        "Each entry is squashed by itself. Softmax makes the probabilities of an example sum to 1."),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def with_logaddexp(z, axis=-1):
    return np.exp(z - np.logaddexp.reduce(z, axis=axis, keepdims=True))


def moved_axis(z, axis=-1):
    rows = np.moveaxis(np.array(z, dtype=float), axis, -1)
    rows -= rows.max(axis=-1)[..., None]
    np.exp(rows, out=rows)
    rows /= rows.sum(axis=-1)[..., None]
    return np.moveaxis(rows, -1, axis)


def along_axis(z, axis=-1):
    def one(u):
        e = np.exp(u - max(u))
        return e / sum(e)

    return np.apply_along_axis(one, axis, z)


EXERCISE = Exercise("activations.softmax", activations.softmax, cases, MISTAKES,
    variants=[with_logaddexp, moved_axis, along_axis], solution=softmax, points=2,
    why="From scores to probabilities, in every classifier's output and in every attention head.",
    hints=("Taking one number off all logits of an example leaves the fractions unchanged. Take off the largest.",
           "Then exp, then divide by the sum.",
           "`keepdims=True` keeps the summed axis as one of length 1, so that the division lines up."))  # fmt: skip
