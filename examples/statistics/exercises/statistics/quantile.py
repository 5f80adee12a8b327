"""Quantiles by linear interpolation between the ordered values."""

import numpy as np

from autograder import Case, Exercise, Mistake, slip

# --- solution -------------------------------------------------------------------------------------------------------


def quantile(x, q):
    """The q-quantile of a sample, between its ordered values (definition 7 of Hyndman and Fan, 1996).

    Parameters
    ----------
    x : (N,) array, the sample, in any order.
    q : a number from 0 to 1; the quantile stands at the place q (N - 1) of the ordered sample, counted from 0.

    Returns
    -------
    value : a number; between two places it is interpolated linearly.
    """
    ordered = np.sort(x)
    place = q * (x.size - 1)
    below = int(np.floor(place))
    above = min(below + 1, x.size - 1)
    share = place - below
    return (1 - share) * ordered[below] + share * ordered[above]


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def sample(n):
        return 3.0 * rng.standard_normal(n) + 1.0

    return [
        Case("a first quartile", (sample(8), 0.25)),
        Case("a median between two values", (sample(6), 0.5)),
        Case("a median that is a value", (sample(7), 0.5)),
        Case("the largest value", (sample(5), 1.0)),
        Case("the smallest value", (sample(6), 0.0)),
        Case("near the upper end", (sample(11), 0.97), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("not_sorted", slip("np.sort(x)", "x"), "The sample comes in any order. Where would the smallest value stand?"),
    Mistake("lower_value", slip("share = place - below", "share = 0.0"),
        "You take the value below. Between two values the quantile lies between them, too."),
    Mistake("place_of_n", slip("q * (x.size - 1)", "min(q * x.size, x.size - 1)"),
        "Counted from 0, the last value stands at N - 1: that is where q = 1 has to lead."),
    Mistake("weights_exchanged", slip("(1 - share) * ordered[below] + share * ordered[above]", "share * ordered[below] + (1 - share) * ordered[above]"),
        "Just above a value the quantile is close to it. Which of the two weights is then large?"),
    Mistake("from_the_top", slip("np.sort(x)", "np.sort(x)[::-1]"), "q = 0 is the smallest value, q = 1 the largest."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def library(x, q):
    return np.quantile(x, q)


def interpolated(x, q):
    return np.interp(q * (len(x) - 1), np.arange(len(x)), sorted(x))


EXERCISE = Exercise("statistics.quantile", quantile, cases, MISTAKES, variants=[library, interpolated], points=2, minutes=8,
    why="One wild value moves a mean as far as you like, and a quantile by one place at most.",
    hints=("Sort first.", "The place q (N - 1) is mostly between two values: the part behind the comma says how far."))  # fmt: skip
