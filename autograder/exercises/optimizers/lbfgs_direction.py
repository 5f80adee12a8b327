"""The direction of L-BFGS: two loops over the last few steps."""

import numpy as np

from ...checks.exercise import Case, Exercise, Mistake, enlarged, slip
from ._shared import UPHILL

# --- reference ------------------------------------------------------------------------------------------------------


def lbfgs_direction(g, pairs):
    """The direction of L-BFGS: `p = −H g`, without ever writing H down.

    Parameters
    ----------
    g : (D,) array, the gradient at the current point.
    pairs : list of the last few (s, y), the oldest first; s a step that was taken and y
        the change of the gradient over it, (D,) arrays with `sᵀ y > 0`. It may be
        empty.

    Returns
    -------
    p : (D,) array.
    """
    q, a = g.copy(), []
    for s, y in reversed(pairs):
        a.append((s @ q) / (s @ y))
        q = q - a[-1] * y
    if pairs:
        s, y = pairs[-1]
        q = (s @ y) / (y @ y) * q
    for (s, y), a_i in zip(pairs, reversed(a), strict=True):
        q = q + (a_i - (y @ q) / (s @ y)) * s
    return -q


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, D, count, hidden=False, dtype=float):
        half = rng.standard_normal((D, D))
        A = np.eye(D) + half @ half.T / D
        pairs = [(s, A @ s) for s in rng.standard_normal((count, D))]
        pairs = [(s.astype(dtype), y.astype(dtype)) for s, y in pairs]
        # The roundings of a pair go on into those after it, enlarged by ratios of curvatures
        return Case(name, (rng.standard_normal(D).astype(dtype), pairs), hidden=hidden, sum_length=2000)

    diagonal = np.array([1.0, 4.0, 0.5])
    basis = [(s, diagonal * s) for s in np.eye(3)]
    return [
        case("one pair", 4, 1),
        case("nothing remembered yet", 3, 0),
        enlarged(case("two pairs", 3, 2), 0, small=(1,)),
        Case("a pair along every axis", (np.array([1.0, -2.0, 3.0]), basis), sum_length=2000),
        case("five pairs", 6, 5),
        case("float32", 5, 2, dtype=np.float32),
        case("more pairs than weights", 2, 4, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

SCALE = "(s @ y) / (y @ y)"

MISTAKES = [
    Mistake("ascent", slip("return -q", "return q"), UPHILL),
    Mistake("oldest_first", slip("in reversed(pairs)", "in pairs", "zip(pairs,", "zip(reversed(pairs),"),
        "Your first loop begins with the oldest pair and the second with the newest. It is the other way round: "
        "`reversed(pairs)` first."),
    Mistake("same_order_twice", slip("zip(pairs, reversed(a)", "zip(reversed(pairs), a"),
        "Both loops run from the newest pair to the oldest. The second one goes back the way that the first one came."),
    Mistake("coefficients_shifted", slip("reversed(a)", "a"),
        "In the second loop a pair gets the coefficient of another one. They were stored from the newest pair on; you "
        "read them from the oldest on."),
    Mistake("unscaled", slip(f"    if pairs:\n        s, y = pairs[-1]\n        q = {SCALE} * q\n", ""),
        "Between the loops nothing happens. There H₀ is applied: γ times q, with γ from the newest pair."),
    Mistake("scale_inverted", slip(SCALE, "(y @ y) / (s @ y)"),
        "γ stands on its head: H is the *inverse* of the curvature, small where the gradient changes fast."),
    Mistake("scale_of_oldest", slip("pairs[-1]", "pairs[0]"),
        "γ is taken from the oldest pair. The newest one knows the curvature where you stand."),
    Mistake("scale_of_steps", slip(SCALE, "(s @ s) / (s @ y)"),
        "Your γ is sᵀs / sᵀy, another well-known estimate (Barzilai and Borwein's long step). Here it is sᵀy / yᵀy.",
        convention=True),
    Mistake("second_coefficient_forgotten", slip("(a_i - (y @ q) / (s @ y))", "a_i"),
        "In the second loop a is given back whole. What is there already along the pair, b, has to be taken off."),
    Mistake("coefficients_added", slip("a_i - ", "a_i + "),
        "In the second loop a and b are added. Their difference counts."),
    Mistake("roles_swapped", slip("a[-1] * y", "a[-1] * s", "(s @ y)) * s", "(s @ y)) * y"),
        "s and y have changed places. The first loop works on a gradient and takes off gradients, y; the second makes "
        "a step and puts on steps, s."),
    Mistake("plain_gradient", lambda g, pairs: -g, "This is steepest descent: the pairs are not used."),
    Mistake("divided_by_steps",
        slip("(s @ q) / (s @ y)", "(s @ q) / (s @ s)", "(y @ q) / (s @ y)", "(y @ q) / (s @ s)"),
        "Both coefficients are divided by sᵀs. It is sᵀy, which holds the curvature along the step."),
    Mistake("mutates_gradient", slip("g.copy()", "g", "q = q - a[-1] * y", "q -= a[-1] * y"),
        "q begins as the caller's g, and `q -= …` writes into it. Begin with a copy, or write `q = q - …`."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def matrix(g, pairs):
    """H written down and updated pair by pair."""
    n = len(g)
    H = np.eye(n)
    if pairs:
        s, y = pairs[-1]
        H = H * (s @ y) / (y @ y)
    for s, y in pairs:
        V = np.eye(n) - np.outer(y, s) / (s @ y)
        H = V.T @ H @ V + np.outer(s, s) / (s @ y)
    return -(H @ g)


def recursive(g, pairs):
    gamma = np.dot(*pairs[-1]) / np.dot(pairs[-1][1], pairs[-1][1]) if pairs else 1.0

    def product(q, rest):
        if not rest:
            return gamma * q
        s, y = rest[-1]
        a = np.dot(s, q) / np.dot(s, y)
        r = product(q - a * y, rest[:-1])
        return r + (a - np.dot(y, r) / np.dot(s, y)) * s

    return -product(g, list(pairs))


EXERCISE = Exercise("optimizers.lbfgs_direction", lbfgs_direction, cases, MISTAKES, variants=[matrix, recursive],
    points=3,
    why="Newton's direction from a handful of vectors: what one uses where the whole batch fits into one gradient.",
    hints=("The first loop goes from the newest pair to the oldest and stores one coefficient a for each.",
           "Between the loops one multiplication by γ, from the newest pair; nothing if there is no pair.",
           "The second loop goes back, from the oldest to the newest; each pair meets its own a again.",
           "With no pairs the answer is −g."))  # fmt: skip
