"""A straight model, fitted by least squares."""

import numpy as np

from autograder import Case, Exercise, Mistake, slip

# --- solution -------------------------------------------------------------------------------------------------------


def least_squares(X, y):
    """Fit y ≈ b0 + X b by least squares.

    Parameters
    ----------
    X : (N, D) array, N > D, the explaining variables without a column of ones.
    y : (N,) array, what is explained.

    Returns
    -------
    b, r2 : (D + 1,) array, the intercept b0 first; the share of the variance of y that the fit explains, a number.
    """
    A = np.column_stack([np.ones(X.shape[0]), X])
    b = np.linalg.lstsq(A, y, rcond=None)[0]
    residual = y - A @ b
    total = y - np.mean(y)
    return b, 1 - np.sum(residual**2) / np.sum(total**2)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, n, d, noise=0.7, hidden=False):
        X = rng.standard_normal((n, d)) + 1.0
        y = 3.0 + X @ np.linspace(1.0, -2.0, d) + noise * rng.standard_normal(n)
        # Two right ways to solve it differ by their rounding
        return Case(name, (X, y), sum_length=1000, hidden=hidden)

    return [
        case("one variable", 8, 1),
        case("three variables", 12, 3),
        case("much noise", 10, 2, noise=4.0),
        case("many observations", 90, 4, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("intercept_last", slip("[np.ones(X.shape[0]), X]", "[X, np.ones(X.shape[0])]"),
        "[The fit is right.] In which place does the intercept stand?"),
    Mistake("no_intercept", slip("np.column_stack([np.ones(X.shape[0]), X])", "np.column_stack([np.zeros(X.shape[0]), X])"),
        "Your line goes through the origin: which column makes the constant part?"),
    Mistake("share_left", slip("1 - np.sum(residual**2)", "np.sum(residual**2)"),
        "[The coefficients are right.] That is the share which the fit leaves; which one does it explain?"),
    Mistake("total_not_centred", slip("y - np.mean(y)", "y"),
        "[The coefficients are right.] The total is what a model would leave that knows the mean alone."),
    Mistake("signs_of_residuals_cancel", slip("np.sum(residual**2)", "np.sum(residual) ** 2"),
        "[The coefficients are right.] Positive and negative residuals cancel in your sum: which comes first?"),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def normal_equations(X, y):
    A = np.hstack([np.ones((len(X), 1)), X])
    b = np.linalg.solve(A.T @ A, A.T @ y)
    return b, 1 - np.sum((y - A @ b) ** 2) / np.sum((y - y.mean()) ** 2)


def by_qr(X, y):
    A = np.hstack([np.ones((len(X), 1)), X])
    Q, R = np.linalg.qr(A)
    b = np.linalg.solve(R, Q.T @ y)
    return b, np.sum((A @ b - y.mean()) ** 2) / np.sum((y - y.mean()) ** 2)


EXERCISE = Exercise("statistics.least_squares", least_squares, cases, MISTAKES, variants=[normal_equations, by_qr], points=3,
    minutes=12, why="The most used model of all; R² says how much of the spread it accounts for.",
    hints=("A column of ones beside X turns the intercept into a coefficient like the others.",
           "`np.linalg.lstsq(A, y, rcond=None)` solves it; its first value holds the coefficients.",
           "R² compares the squared residuals with the squared deviations of y from its mean."))  # fmt: skip
