"""Where batch norm begins: scale, shift and running statistics that change nothing."""

import numpy as np

from dlcourse import normalization
from dlcourse.normalization import BatchNormState

from ...checks.exercise import Case, Exercise, Mistake, slip

# --- solution -------------------------------------------------------------------------------------------------------


def batchnorm_init(D):
    return np.ones(D), np.zeros(D), BatchNormState(np.zeros(D), np.ones(D))


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    return [Case("three features", (3,)), Case("one feature", (1,)), Case("seven features", (7,), hidden=True)]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("gamma_zero", slip("return np.ones(D)", "return np.zeros(D)"),
        "With γ = 0 every output is β, whatever comes in, and nothing flows back. What must γ be, so that the layer "
        "does nothing but normalise?"),
    Mistake("beta_one", slip("np.zeros(D), BatchNormState", "np.ones(D), BatchNormState"),
        "The shift β begins at the value that shifts nothing."),
    Mistake("variance_zero", slip("(np.zeros(D), np.ones(D))", "(np.zeros(D), np.zeros(D))"),
        "With a running variance of 0 an evaluation before the first training step divides by almost nothing: begin "
        "with the variance that changes nothing."),
    Mistake("mean_one", slip("(np.zeros(D), np.ones(D))", "(np.ones(D), np.ones(D))"),
        "The running mean begins at 0: subtracting it changes nothing."),
    Mistake("all_ones", slip("zeros", "ones", everywhere=True),
        "Only what multiplies or divides begins at 1. What is added or subtracted begins elsewhere."),
    Mistake("state_swapped", slip("(np.zeros(D), np.ones(D))", "(np.ones(D), np.zeros(D))"),
        "The state is (mean, var), in this order."),
    Mistake("row_matrices", slip("(D)", "((1, D))", "init((1, D))", "init(D)", everywhere=True),
        "The notes write 1 × D. Here all four are vectors of shape (D,), with one axis.", convention=True),
    Mistake("one_number", slip("(D)", "(())", "init(())", "init(D)", everywhere=True),
        "Every feature has its own: four arrays with D entries each."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def lists(D):
    return [1.0] * D, [0.0] * D, BatchNormState([0.0] * D, [1.0] * D)


def plain_tuple(D):
    zeros = np.zeros(D)
    return zeros + 1, zeros, (zeros.copy(), np.full(D, 1.0))


EXERCISE = Exercise("normalization.batchnorm_init", normalization.batchnorm_init, cases, MISTAKES,
    variants=[lists, plain_tuple], solution=batchnorm_init, points=1,
    why="A layer that at first does nothing but normalise.",
    hints=("Four vectors of D numbers: two of them ones, two of them zeros.",
           "What scales begins at 1, what shifts at 0. `BatchNormState(mean, var)` holds the last two."))  # fmt: skip
