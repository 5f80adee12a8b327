"""The covariance matrix of observations in rows."""

import numpy as np

from autograder import Case, Exercise, Mistake, slip

# --- solution -------------------------------------------------------------------------------------------------------


def covariance(X):
    """Covariance matrix of D variables, each observed N times: the unbiased estimate.

    Parameters
    ----------
    X : (N, D) array, an observation in each row.

    Returns
    -------
    S : (D, D) array; S[i, j] is the covariance of the variables i and j, with N - 1 in the denominator.
    """
    centred = X - np.mean(X, axis=0)
    return centred.T @ centred / (X.shape[0] - 1)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def related(n, d):
        # Variables that have something to do with each other, in other units and away from zero
        return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + 2.0 * rng.standard_normal(d)

    return [
        Case("five observations of three variables", (related(5, 3),)),
        Case("as many observations as variables", (related(4, 4),)),
        Case("one variable", (related(6, 1),)),
        Case("two observations", (related(2, 3),)),
        Case("many observations", (related(60, 2),), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("not_centred", slip("X - np.mean(X, axis=0)", "X"), "A covariance is of deviations: what is subtracted first?"),
    Mistake("one_mean", slip("np.mean(X, axis=0)", "np.mean(X)"), "Each variable has its own mean. How many means are there?"),
    Mistake("over_n", slip("X.shape[0] - 1", "X.shape[0]"), "One degree of freedom is lost to the mean: N - 1."),
    Mistake("not_divided", slip(" / (X.shape[0] - 1)", ""), "Should the covariance grow with the number of observations?"),
    Mistake("of_observations", slip("centred.T @ centred", "centred @ centred.T"),
        "The result has a row for each variable; yours has one for each observation."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def library(X):
    return np.cov(X, rowvar=False).reshape(X.shape[1], X.shape[1])


def einsum(X):
    centred = X - X.mean(axis=0)
    return np.einsum("ni,nj->ij", centred, centred) / (len(X) - 1)


def loop(X):
    n, d = X.shape
    means = [sum(X[:, j]) / n for j in range(d)]
    S = np.zeros((d, d))
    for i in range(d):
        for j in range(d):
            S[i, j] = sum((X[k, i] - means[i]) * (X[k, j] - means[j]) for k in range(n)) / (n - 1)
    return S


EXERCISE = Exercise("statistics.covariance", covariance, cases, MISTAKES, variants=[library, einsum, loop], points=2, minutes=8,
    why="Its diagonal holds the variances; a large entry beside it says that one variable tells of another.",
    hints=("Subtract from each column its own mean.", "A product of the centred matrix with itself adds over the observations."))  # fmt: skip
