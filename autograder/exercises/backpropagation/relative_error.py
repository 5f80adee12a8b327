"""Comparing two gradients: the largest relative difference."""

import numpy as np

from dlcourse import gradient_checking

from ...checks.exercise import Case, Exercise, Mistake, slip

# --- solution -------------------------------------------------------------------------------------------------------


def relative_error(a, b):
    errors = np.abs(a - b) / np.maximum(np.abs(a) + np.abs(b), np.finfo(float).tiny)
    return np.max(errors)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    a = rng.uniform(1.0, 3.0, 5)
    b = a * (1.0 + np.array([1e-3, -2e-3, 5e-3, 1e-4, -3e-3]))
    c = rng.uniform(1.0, 2.0, (2, 3))
    return [
        Case("gradients that nearly agree", (a, b)),
        Case("tiny gradients", (1e-9 * np.array([1.0, 2.0, -4.0]), 1e-9 * np.array([1.0, 3.0, -4.5]))),
        Case("0 against 0", (np.array([0.0, 1.0, 0.0]), np.array([0.0, 1.5, 0.0]))),
        Case("opposite signs", (np.array([2.0, -1.0]), np.array([2.0, 3.0]))),
        Case("one smaller, one larger", (np.array([1.0, 10.0]), np.array([4.0, 9.0]))),
        Case("matrices", (c, -0.5 * c)),
        Case("huge beside small", (np.array([1e8, 1.0]), np.array([1e8 + 1.0, 1.25])), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

SIZES = "np.abs(a) + np.abs(b)"
DIVISOR = f"np.maximum({SIZES}, np.finfo(float).tiny)"

MISTAKES = [
    Mistake("absolute_error", slip(f" / {DIVISOR}", ""),
        "This is the absolute difference. 0.001 is nothing beside 1000 and everything beside 0.001: divide by the size "
        "of the two."),
    Mistake("mean_for_max", slip("np.max(errors)", "np.mean(errors)"),
        "You average over the entries. One wrong entry among thousands must not disappear: take the largest error."),
    Mistake("divided_by_the_larger", slip(SIZES, "np.maximum(np.abs(a), np.abs(b))"),
        "You divide by the larger of |a| and |b|, as others do. Here it is their sum.", convention=True),
    Mistake("norms", slip("np.max(errors)", "np.linalg.norm(a - b) / (np.linalg.norm(a) + np.linalg.norm(b))"),
        "You compare the norms of whole arrays, as others do. Here every entry is compared by itself, and the worst "
        "one counts.", convention=True),
    Mistake("divided_by_one", slip(SIZES, "np.abs(a)"),
        "You divide by |a| alone, so that relative_error(a, b) and relative_error(b, a) differ. Here it is |a| + |b|.",
        convention=True),
    Mistake("signed", slip("np.abs(a - b)", "(a - b)"),
        "Differences below zero count as small. Take their absolute value first."),
    Mistake("sum_without_sizes", slip(SIZES, "np.abs(a + b)"),
        "|a + b| is small where a and b have opposite signs, and the error grows without bound. Take the sizes first, "
        "then add."),
    Mistake("zero_by_zero", slip(DIVISOR, f"({SIZES})"),
        "0 against 0 is 0/0, which is NaN. Two zeros agree: keep the divisor from being 0."),
    Mistake("floor_too_large", slip("np.finfo(float).tiny", "1e-8"),
        "The number that keeps the divisor from 0 is as large as real gradients, and hides what is wrong with them. "
        "The smallest normal number is enough."),
    Mistake("not_reduced", slip("np.max(errors)", "errors"), "One number is asked: the largest of the errors."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def loop(a, b):
    worst = 0.0
    for x, y in zip(np.ravel(a), np.ravel(b), strict=True):
        if x != y:
            worst = max(worst, abs(x - y) / (abs(x) + abs(y)))
    return worst


EXERCISE = Exercise("gradient_checking.relative_error", gradient_checking.relative_error, cases, MISTAKES,
    variants=[loop], solution=relative_error, points=1,
    why="It tells whether two gradients are the same, whatever their units.",
    hints=("One error for each entry, then the largest of them.",
           "Divide by |a| + |b|. Where may that be 0, and what should come out there?",
           "`np.maximum(…, np.finfo(float).tiny)` keeps a divisor above 0."))  # fmt: skip
