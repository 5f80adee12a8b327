"""A project: how much of a penalty? Chosen by validation, on data whose noise nobody knows."""

import numpy as np

from dlcourse.regularization import l2_grad

from ...checks.exercise import Case, Exercise, Mistake, Rng, Scale, numbers, slip
from .._projects import cheats

# --- reference ------------------------------------------------------------------------------------------------------


def project(X, y, rng):
    """Weights of a linear model for noisy targets, with a penalty that was chosen by
    validation.

    Parameters
    ----------
    X : (N, D) array, examples. y : (N,) array, targets with noise.
    rng : numpy.random.Generator, for what you draw.

    Returns
    -------
    w : (D,) array; X @ w is the prediction.
    """

    def fitted(X, y, lam):
        # Where Xᵀ(Xw − y) + l2_grad(w, λ) is 0; the second one is linear in w, too
        return np.linalg.solve(X.T @ X + l2_grad(np.eye(X.shape[1]), lam), X.T @ y)

    strengths = np.geomspace(0.03, 300.0, 11)
    error = np.zeros(len(strengths))
    for part in np.array_split(rng.permutation(len(X)), 10):
        kept = np.setdiff1d(np.arange(len(X)), part)
        for i, lam in enumerate(strengths):
            w = fitted(X[kept], y[kept], lam)
            error[i] += np.sum((X[part] @ w - y[part]) ** 2)
    best = strengths[np.argmin(error)]
    return fitted(X, y, best)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, D, noise, hidden=False):
        true = 1.8 * rng.standard_normal(D) / np.sqrt(D)
        X, held = rng.standard_normal((N, D)), rng.standard_normal((1000, D))
        y = X @ true + noise * rng.standard_normal(N)
        return Case(name, (X, y, Rng(int(rng.integers(2**31)))), held=(held, held @ true), hidden=hidden)

    return [
        case("much noise", 170, 149, 0.75),
        case("less noise", 180, 160, 0.65),
        case("much noise, other data", 170, 149, 0.75, hidden=True),
        case("more weights", 200, 175, 0.75, hidden=True),
    ]


def times_the_best(value, case):
    """The error on the held-out examples, divided by that of the best λ, which one would have to know."""
    X, y, _ = case.args
    held, targets = case.held
    w = numbers(value, "w", (X.shape[1],))
    best = min(
        np.mean((held @ np.linalg.solve(X.T @ X + lam * np.eye(X.shape[1]), X.T @ y) - targets) ** 2)
        for lam in np.geomspace(0.01, 1000.0, 21)
    )
    return np.mean((held @ w - targets) ** 2) / best


# --- mistakes -------------------------------------------------------------------------------------------------------


def nothing_learnt(X, y, rng):
    return np.zeros(X.shape[1])


def on_the_test_part(case):
    return *case.held, case.args[-1]


def made_up(X, y, rng):
    return X, np.sort(y), rng


MISTAKES = [
    Mistake("no_penalty", slip("best = strengths[np.argmin(error)]", "best = 1e-9"),
        "You fit without a penalty: with as few examples as these the noise goes into the weights.", kind="lazy"),
    Mistake("chosen_on_the_training_part", slip("X[part] @ w - y[part]", "X[kept] @ w - y[kept]"),
        "You choose λ by the error on the very examples that the weights were fitted to. There the smallest λ always "
        "wins."),
    Mistake("fixed_strength", slip("best = strengths[np.argmin(error)]", "best = 0.5"),
        "Your λ is the same for all data. Each data set has its own noise: let validation choose.", kind="lazy"),
    *cheats(project, cases, nothing_learnt, on_the_test_part, made_up),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def leave_one_out(X, y, rng):
    """For a linear fit the error without an example needs no second fit."""
    u, s, vt = np.linalg.svd(X, full_matrices=False)
    best = (np.inf, None)
    for lam in np.geomspace(0.03, 500.0, 25):
        shrink = s**2 / (s**2 + lam)
        residual = y - u @ (shrink * (u.T @ y))
        without = residual / (1 - np.sum(u**2 * shrink, axis=1))
        best = min(best, (np.mean(without**2), lam))
    return vt.T @ (s / (s**2 + best[1]) * (u.T @ y))


def repeated_splits(X, y, rng):
    grid, total = np.geomspace(0.03, 300.0, 17), np.zeros(17)
    for _ in range(8):
        order = rng.permutation(len(X))
        a, b = order[: 3 * len(X) // 4], order[3 * len(X) // 4 :]
        values, Q = np.linalg.eigh(X[a].T @ X[a])
        t = Q.T @ (X[a].T @ y[a])
        total += [np.sum((X[b] @ (Q @ (t / (values + lam))) - y[b]) ** 2) for lam in grid]
    return np.linalg.solve(X.T @ X + grid[np.argmin(total)] * np.eye(X.shape[1]), X.T @ y)


EXERCISE = Exercise("regularization.project", project, cases, MISTAKES, variants=[leave_one_out, repeated_splits],
    points=6,
    seconds=10.0,
    scales={"": Scale("error on other examples as a multiple of that of the best λ", 2.7, 2.0, times_the_best)},
    why="No formula gives λ. The examples that you keep aside do.",
    hints=("A grid of λ from 0.01 to 1000, evenly in powers. For each: fit without some examples, count the error on "
           "those.",
           "Few examples make a rough choice: let each example be kept aside once (five parts), and add up the errors.",
           "At the end fit once more, with all examples and the λ that won."))  # fmt: skip
