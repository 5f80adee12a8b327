"""The running averages of mean and variance that evaluation needs."""

import numpy as np

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import BATCH_AXIS, MUTATES_INPUT, NEW_MEAN, NEW_VAR, PER_PIXEL, RUNNING, batch, running
from .batch_statistics import batch_statistics

# --- solution -------------------------------------------------------------------------------------------------------


def running_statistics(mean, var, X, momentum=0.1):
    """The running averages after one more batch.

    `μ_run ← (1 − a) μ_run + a μ`, and the variance alike.

    Parameters
    ----------
    mean, var : (D,) arrays, the running statistics so far.
    X : (N, D) or (N, H, W, C) array, the new batch.
    momentum : a, the weight of the new batch.

    Returns
    -------
    mean, var : (D,) arrays. The variance that goes into `var` is the unbiased one,
        `m/(m−1) σ²`.
    """
    mu, sigma2 = batch_statistics(X)
    m = X.size // X.shape[-1]
    return (1 - momentum) * mean + momentum * mu, (1 - momentum) * var + momentum * m / (m - 1) * sigma2


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, *shape, hidden=False, **kwargs):
        return Case(name, (*running(rng, shape[-1]), batch(rng, *shape)), kwargs, hidden=hidden)

    return [
        case("six examples, three features", 6, 3),
        case("momentum 0.25", 4, 3, momentum=0.25),
        case("two images of 3 × 4 pixels", 2, 3, 4, 5),
        enlarged(case("as many examples as features", 4, 4), 0, 1, 2),
        case("two examples", 2, 3, momentum=0.75),
        in_float32(case("", 5, 1), "float32, one feature"),
        case("one image, the new batch alone", 1, 3, 2, 4, momentum=1.0, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    *RUNNING,
    Mistake("wrong_axis",
        slip("batch_statistics(X)", "X.mean(axis=-1), X.var(axis=-1)", "X.size // X.shape[-1]", "X.shape[-1]"),
        BATCH_AXIS),
    Mistake("per_pixel_statistics",
        slip("batch_statistics(X)", "X.mean(axis=0), X.var(axis=0)", "X.size // X.shape[-1]", "len(X)"),
        PER_PIXEL),
    Mistake("pixels_not_counted", slip("X.size // X.shape[-1]", "len(X)"),
        "On images m is not the number of images: how many numbers of one channel are there?"),
    Mistake("factor_turned_over", slip("m / (m - 1)", "(m - 1) / m"),
        "The unbiased variance is the larger of the two. Turn the factor over."),
    Mistake("standard_deviation_kept", slip("m / (m - 1) * sigma2", "np.sqrt(m / (m - 1) * sigma2)"),
        "It is the variance that is averaged and kept, without the root."),
    Mistake("old_value_not_scaled", slip("(1 - momentum) * ", "", everywhere=True),
        "The old value stays whole and the new one is added: the average grows with every batch. The two weights must "
        "sum to 1."),
    Mistake("new_value_not_scaled", slip("+ momentum * ", "+ ", everywhere=True),
        "The new batch counts whole, besides most of the old value. The two weights must sum to 1."),
    Mistake("old_value_forgotten", slip(NEW_MEAN, "mu", NEW_VAR, "m / (m - 1) * sigma2"),
        "These are the new batch's own statistics. A running average also remembers the old ones."),
    Mistake("variance_not_updated", slip(NEW_VAR, "var"), "The mean moves, the variance does not."),
    Mistake("default_momentum", slip("return", "momentum = θ\n    return", values=(0.1, 0.9)),
        "`momentum` is an argument: it may differ from 0.1."),
    Mistake("mutates_input",
        slip(f"return {NEW_MEAN}, {NEW_VAR}",
             "mean *= 1 - momentum\n    mean += momentum * mu\n"
             "    var *= 1 - momentum\n    var += momentum * m / (m - 1) * sigma2\n    return mean, var"),
        MUTATES_INPUT),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def steps(mean, var, X, momentum=0.1):
    rows = X.reshape(-1, X.shape[-1])
    return mean + momentum * (rows.mean(0) - mean), var - momentum * (var - np.var(rows, axis=0, ddof=1))


def loop(mean, var, X, momentum=0.1):
    out_mean, out_var = [], []
    for j in range(len(mean)):
        column = X[..., j].ravel()
        centre = column.sum() / column.size
        spread = ((column - centre) ** 2).sum() / (column.size - 1)
        out_mean.append(float((1 - momentum) * mean[j] + momentum * centre))
        out_var.append(float((1 - momentum) * var[j] + momentum * spread))
    return out_mean, out_var


EXERCISE = Exercise("normalization.running_statistics", running_statistics, cases, MISTAKES, variants=[steps, loop],
    points=2,
    why="In evaluation there may be one example and no batch: what training saw must be remembered.",
    hints=("Your `batch_statistics` gives μ and σ² of the batch.",
           "m is how many numbers of one feature X holds: `X.size // X.shape[-1]`.",
           "(1 − a) times the old value plus a times the new one; for the variance the new one is m/(m − "
           "1)·σ²."))  # fmt: skip
