"""A bootstrap interval for a mean; the resampled places are given, so nothing random decides."""

import numpy as np

from autograder import Case, Exercise, Mistake, slip

# --- solution -------------------------------------------------------------------------------------------------------


def bootstrap_interval(x, places, level=0.9):
    """Percentile interval of the mean by the bootstrap (Efron and Tibshirani, 1993, chapter 13).

    Parameters
    ----------
    x : (N,) array, the sample.
    places : (B, N) array of whole numbers from 0 to N - 1: in each row the places of one resample, drawn with replacement.
    level : share of the resampled means that the interval holds, the same share left out at both ends.

    Returns
    -------
    low, high : two numbers.
    """
    means = np.mean(x[places], axis=1)
    tail = (1 - level) / 2
    return np.quantile(means, tail), np.quantile(means, 1 - tail)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, n, b, *level, hidden=False):
        return Case(name, (2.0 * rng.standard_normal(n) + 5.0, rng.integers(0, n, (b, n)), *level), hidden=hidden)

    return [
        case("forty resamples of six", 6, 40),
        case("half of the means", 7, 25, 0.5),
        case("a level of 0.98", 5, 60, 0.98),
        case("as many resamples as values", 9, 9),
        case("many resamples", 12, 200, 0.8, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("mean_over_resamples", slip("axis=1", "axis=0"), "A row is one resample. Over which axis does its mean run?"),
    Mistake("whole_tail_on_each_side", slip("(1 - level) / 2", "1 - level"),
        "What is left out is shared by both ends: count how much your interval holds."),
    Mistake("level_ignored", slip("(1 - level) / 2", "0.05"), "The level is an argument: is it used?"),
    Mistake("of_the_sample", slip("np.mean(x[places], axis=1)", "x"),
        "The interval is of the resampled means. These are quantiles of the sample itself."),
    Mistake("ends_exchanged", slip("np.quantile(means, tail), np.quantile(means, 1 - tail)", "np.quantile(means, 1 - tail), np.quantile(means, tail)"),
        "[Both numbers are right.] The lower one comes first."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def loop(x, places, level=0.9):
    means = sorted(float(np.mean(x[row])) for row in places)
    low, high = np.percentile(means, [50 * (1 - level), 100 - 50 * (1 - level)])
    return low, high


def sums(x, places, level=0.9):
    means = np.take(x, places).sum(axis=-1) / places.shape[1]
    return tuple(np.quantile(means, [0.5 - level / 2, 0.5 + level / 2]))


EXERCISE = Exercise("statistics.bootstrap_interval", bootstrap_interval, cases, MISTAKES, variants=[loop, sums], points=3,
    minutes=10, why="How sure is a mean? The sample itself tells, without a formula for its distribution.",
    hints=("`x[places]` has a resample in each row.", "Take the mean of every row, then two quantiles of these means."))  # fmt: skip
