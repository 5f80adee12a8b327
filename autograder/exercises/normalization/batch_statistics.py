"""Mean and variance of each feature over a batch."""

import numpy as np

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import BATCH_AXIS, PER_PIXEL, batch, with_constant_feature

# --- solution -------------------------------------------------------------------------------------------------------


def batch_statistics(X):
    """Mean and variance of each feature over the m rows of a batch.

    `σ² = 1/m Σ_i (x_i − μ)²`.

    Parameters
    ----------
    X : (N, D) or (N, H, W, C) array; the m rows are all positions along all axes but
        the last.

    Returns
    -------
    mu, sigma2 : (D,) arrays (images: (C,)), the mean μ and the biased variance σ².
    """
    rows = tuple(range(X.ndim - 1))
    mu = X.mean(axis=rows)
    return mu, ((X - mu) ** 2).mean(axis=rows)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    return [
        Case("six examples, three features", (batch(rng, 6, 3),)),
        Case("two images of 3 × 4 pixels", (batch(rng, 2, 3, 4, 5),)),
        enlarged(Case("as many examples as features", (batch(rng, 4, 4),)), 0),
        Case("one example", (batch(rng, 1, 3),)),
        Case("a feature that never varies", (with_constant_feature(batch(rng, 5, 2)),)),
        in_float32(Case("", (batch(rng, 5, 1),)), "float32, one feature"),
        Case("one image", (batch(rng, 1, 2, 5, 3),), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("unbiased_variance", slip("((X - mu) ** 2).mean(axis=rows)", "X.var(axis=rows, ddof=1)"),
        "You divide by m − 1. For normalising, this course takes the biased variance, ÷ m; only what is kept for "
        "evaluation takes the other (E33)."),
    Mistake("wrong_axis",
        slip("X.mean(axis=rows)", "X.mean(axis=-1)", "((X - mu) ** 2).mean(axis=rows)", "X.var(axis=-1)"),
        BATCH_AXIS,
        also=[slip("X.mean(axis=rows)", "X.mean(axis=1)", "((X - mu) ** 2).mean(axis=rows)", "X.var(axis=1)")]),
    Mistake("per_pixel_statistics", slip("tuple(range(X.ndim - 1))", "0"), PER_PIXEL),
    Mistake("no_axis", slip("axis=rows", "", everywhere=True),
        "One mean for everything: each feature has its own mean and variance."),
    Mistake("pixels_not_counted", slip(".mean(axis=rows)", ".sum(axis=rows) / len(X)", everywhere=True),
        "On images you divide by the number of examples. How many numbers of one channel did you add up?"),
    Mistake("axes_kept", slip("axis=rows", "axis=rows, keepdims=True", everywhere=True),
        "[The numbers are right.] The averaged axes are still there with length 1: the result has the shape (D,)."),
    Mistake("standard_deviation", slip("((X - mu) ** 2).mean(axis=rows)", "np.sqrt(((X - mu) ** 2).mean(axis=rows))"),
        "The second value is σ². You took the root already."),
    Mistake("absolute_deviation", slip("((X - mu) ** 2)", "np.abs(X - mu)"),
        "The variance is the mean of the *squared* distances from the mean."),
    Mistake("not_centred", slip("(X - mu) ** 2", "X**2"),
        "The mean of x² is the variance only where the mean of x is 0."),
    Mistake("sum_for_mean", slip("** 2).mean", "** 2).sum"),
        "The squares are summed, but not divided by their number."),
    Mistake("square_of_mean", slip("((X - mu) ** 2).mean(axis=rows)", "(X - mu).mean(axis=rows) ** 2"),
        "The distances from the mean cancel when they are averaged. Square each of them first."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def flat(X):
    rows = X.reshape(-1, X.shape[-1])
    return rows.mean(0), rows.var(0)


def loop(X):
    columns = [np.ravel(X[..., j]) for j in range(X.shape[-1])]
    means = [sum(column) / len(column) for column in columns]
    return means, [sum((x - mu) ** 2 for x in c) / len(c) for c, mu in zip(columns, means, strict=True)]


def einsum(X):
    rows = X.reshape(-1, X.shape[-1])
    mu = np.einsum("nd->d", rows) / len(rows)
    centred = rows - mu
    return mu, np.einsum("nd,nd->d", centred, centred) / len(rows)


EXERCISE = Exercise("normalization.batch_statistics", batch_statistics, cases, MISTAKES, variants=[flat, loop, einsum],
    points=2,
    why="Which numbers are averaged with which is all the difference between the normalisations.",
    hints=("(N, D): average over axis 0. Images: over axes 0, 1 and 2 at once; `axis=` takes a tuple.",
           "`tuple(range(X.ndim - 1))` names all axes but the last, for both shapes.",
           "The variance is the mean of the squared distances from the mean; `np.var` divides by m unless told "
           "otherwise."))  # fmt: skip
