"""The negative log-likelihood of targets with Gaussian noise."""

import numpy as np

from dlcourse import losses

from ...checks.exercise import Case, Exercise, Mistake, enlarged, slip
from ._shared import FRACTIONS, WHOLE, two_arrays

# --- solution -------------------------------------------------------------------------------------------------------


def negative_log_likelihood_gaussian(Y, D, sigma=1.0):
    r = (D - Y) / sigma
    return np.sum(0.5 * r**2 + np.log(sigma) + 0.5 * np.log(2 * np.pi))


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    return [
        Case("five examples, σ = 2", two_arrays(rng, 5, 3), {"sigma": 2.0}),
        Case("σ left at its default", two_arrays(rng, 4, 2)),
        Case("one example, narrow noise", two_arrays(rng, 1, 4), {"sigma": 0.05}),
        enlarged(Case("one output, shape (N,)", two_arrays(rng, 6), {"sigma": 0.5}), 0, 1),
        Case("integer predictions", (WHOLE, FRACTIONS), {"sigma": 3}),
        Case("nothing is wrong", (FRACTIONS, FRACTIONS), {"sigma": 0.25}),
        Case("three axes", two_arrays(rng, 2, 3, 4), {"sigma": 1.5}, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("likelihood_sign", slip("return np.sum(", "return -np.sum("),
        "This is the log-likelihood. Something to descend on is its negative."),
    Mistake("sigma_not_squared", slip("0.5 * r**2", "0.5 * sigma * r**2"),
        "The error is divided by σ *before* it is squared: σ² stands below."),
    Mistake("variance_for_deviation", slip("/ sigma", "/ np.sqrt(sigma)", "np.log(sigma)", "0.5 * np.log(sigma)"),
        "`sigma` is the standard deviation here; your formula takes it for the variance."),
    Mistake("log_sigma_forgotten", slip(" + np.log(sigma)", ""),
        "A wide Gaussian is low everywhere: which term charges for a large σ?"),
    Mistake("normalizer_forgotten", slip(" + 0.5 * np.log(2 * np.pi)", ""),
        "The density has a factor 1/√(2π). It does not move the minimum, but it belongs to the likelihood.",
        convention=True),
    Mistake("half_forgotten", slip("0.5 * r", "r"), "The exponent is −½((d − y)/σ)²: where is the ½?"),
    Mistake("constants_once",
        slip("np.sum(0.5 * r**2 + np.log(sigma) + 0.5 * np.log(2 * np.pi))",
             "0.5 * np.sum(r**2) + np.log(sigma) + 0.5 * np.log(2 * np.pi)"),
        "Every entry has its own density, with its own 1/(σ√(2π)): the two constants count once for each entry."),
    Mistake("mean_for_sum", slip("np.sum(", "np.mean("),
        "The log-likelihood of independent targets is a *sum* over all entries.", convention=True),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def log_of_density(Y, D, sigma=1.0):
    total = 0.0
    for y, d in zip(np.ravel(Y), np.ravel(D), strict=True):
        total += (float(d) - float(y)) ** 2 / (2 * sigma**2) + np.log(sigma * np.sqrt(2 * np.pi))
    return total


def constant_apart(Y, D, sigma=1.0):
    return np.sum((Y - D) ** 2) / (2 * sigma**2) + Y.size * (np.log(sigma) + np.log(2 * np.pi) / 2)


EXERCISE = Exercise("losses.negative_log_likelihood_gaussian", losses.negative_log_likelihood_gaussian, cases, MISTAKES,
    variants=[log_of_density, constant_apart], solution=negative_log_likelihood_gaussian, points=1,
    why="Where the squared error comes from: it is the likelihood of Gaussian noise, up to a constant.",
    hints=("The density is exp(−½((d − y)/σ)²)/(σ√(2π)). Take minus its logarithm.",
           "Independent targets: the densities are multiplied, so the logarithms are added."))  # fmt: skip
