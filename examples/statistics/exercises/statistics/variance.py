"""The variance of a sample, with its degrees of freedom."""

import numpy as np

from autograder import Case, Exercise, Mistake, slip

# --- solution -------------------------------------------------------------------------------------------------------


def variance(x, ddof=0):
    """Variance of a sample: the mean squared deviation from the mean, over N - ddof.

    Parameters
    ----------
    x : (N,) array, the sample.
    ddof : degrees of freedom that are lost; 1 makes the estimate of a population's variance unbiased.

    Returns
    -------
    v : a number.
    """
    deviation = x - np.mean(x)
    return np.sum(deviation**2) / (x.size - ddof)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def sample(n, at=0.0, spread=1.0):
        return at + spread * rng.standard_normal(n)

    return [
        Case("a sample of seven", (sample(7, at=2.0, spread=3.0),)),
        Case("the unbiased estimate", (sample(5, at=-1.0), 1)),
        Case("two lost degrees of freedom", (sample(9, spread=0.5), 2)),
        Case("far from zero", (sample(6, at=1e4),)),
        Case("a large sample", (sample(80, at=4.0), 1), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("not_divided", slip(" / (x.size - ddof)", ""), "Should the variance grow with the size of the sample?"),
    Mistake("ddof_ignored", slip("x.size - ddof", "x.size"), "What does `ddof` change? It is 1 in some of the cases."),
    Mistake("ddof_added", slip("x.size - ddof", "x.size + ddof"), "A lost degree of freedom leaves fewer than N."),
    Mistake("not_centred", slip("x - np.mean(x)", "x"), "The deviation is from the mean, not from zero."),
    Mistake("absolute_deviation", slip("deviation**2", "np.abs(deviation)"), "The deviations are squared before they are added."),
    Mistake("standard_deviation", slip("np.sum(deviation**2) / (x.size - ddof)", "np.sqrt(np.sum(deviation**2) / (x.size - ddof))"),
        "Its unit is that of x; the variance has the square of that unit."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def loop(x, ddof=0):
    mean = sum(x) / len(x)
    total = 0.0
    for value in x:
        total += (value - mean) ** 2
    return total / (len(x) - ddof)


def library(x, ddof=0):
    return np.var(x, ddof=ddof)


EXERCISE = Exercise("statistics.variance", variance, cases, MISTAKES, variants=[loop, library], points=2, minutes=5,
    why="A sample's own mean lies closer to the sample than the population's does: N - 1 makes up for it.",
    hints=("First the deviations from the mean, as an array.", "Add their squares, and divide by N less `ddof`."))  # fmt: skip
