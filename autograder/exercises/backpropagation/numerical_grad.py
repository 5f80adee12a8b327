"""Central differences: a gradient from evaluations of the function alone."""

import numpy as np

from dlcourse import gradient_checking

from ...checks.exercise import Case, Exercise, Mistake, by_columns, slip
from ._shared import ALL_AT_ONCE, COPY, FLAT, ONE_SIDED, differentiate_driver

# --- solution -------------------------------------------------------------------------------------------------------


def numerical_grad(f, x, eps=1e-5):
    x = np.array(x, dtype=float)
    g = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        before = x[index]
        x[index] = before + eps
        above = f(x)
        x[index] = before - eps
        below = f(x)
        x[index] = before
        g[index] = (above - below) / (2 * eps)
    return g


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    # Rounding noise of u|f|/ε, near 1e-10 of the gradient, depends on how the answer orders its sums: allow a hundred times
    # that. One-sided differences are off by ε f″/2, at least 1e-6 of it.
    def case(name, f, x, tolerance=1e-8, hidden=False, **kwargs):
        return Case(name, (f, x), kwargs, tolerance=tolerance, hidden=hidden)

    return [
        case("a vector", "exponentials", rng.uniform(0.5, 1.5, 4)),
        by_columns(case("a matrix", "products", rng.uniform(0.5, 1.5, (2, 3)))),
        # Here the truncated series shows: x³ has the central difference 3x² + ε²
        case("ε = 0.1, a steep slope", "cubes", rng.uniform(20.0, 40.0, 3), eps=0.1),
        case("whole numbers", "squares", np.array([1, -2, 3])),
        # The result may be rounded to float32, no more
        case("float32", "exponentials", rng.uniform(0.5, 1.5, 3).astype(np.float32), tolerance=1e-6),
        case("one entry", "softplus of a sum", np.array([0.25])),
        case("three axes", "products", rng.uniform(0.5, 1.5, (2, 1, 3)), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("one_sided", slip("before - eps", "before", "(2 * eps)", "eps"), ONE_SIDED),
    Mistake("step_too_small", slip("    g = ", "    eps = eps * 1e-9\n    g = "),
        "With so small a step both values agree in nearly all digits, and their difference is rounding noise. Take the "
        "ε that is given."),
    Mistake("mutates_parameters", slip("    x = np.array(x, dtype=float)\n", "", "        x[index] = before\n", ""),
        "After each entry x is left displaced: the next entries are evaluated elsewhere, and the caller gets other "
        "weights back. Restore the entry, exactly."),
    Mistake("integer_or_single_point", slip("np.array(x, dtype=float)", "x.copy()"),
        "x is displaced in its own type. An array of whole numbers swallows the step, one of float32 most of it. Make "
        "a float64 copy first."),
    Mistake("eps_ignored", slip("    g = ", "    eps = 1e-5\n    g = "),
        "The step is always 10⁻⁵. Use the argument `eps`."),
    Mistake("distance_not_doubled", slip("(2 * eps)", "eps"), "Between x + ε and x − ε lies twice ε."),
    Mistake("sign", slip("above - below", "below - above"), "The two values are subtracted the wrong way round."),
    Mistake("all_entries_at_once",
        slip("x[index] = before + eps\n        above = f(x)", "above = f(x + eps)",
             "x[index] = before - eps\n        below = f(x)", "below = f(x - eps)"),
        ALL_AT_ONCE),
    Mistake("shape_lost", slip("return g", "return g.ravel()"), FLAT),
    Mistake("written_into_a_copy",
        slip("np.zeros(x.shape)", "np.zeros_like(x)",
             "g[index]", "g.reshape(-1)[np.ravel_multi_index(index, x.shape)]"), COPY),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def along_directions(f, x, eps=1e-5):
    moves = eps * np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([(f(x + e) - f(x - e)) / eps / 2 for e in moves]).reshape(x.shape)


EXERCISE = Exercise("gradient_checking.numerical_grad", gradient_checking.numerical_grad, cases, MISTAKES,
    variants=[along_directions], solution=numerical_grad, points=2,
    why="It needs no calculus, and so it can check yours.",
    hints=("`for index in np.ndindex(x.shape)` goes through all places, whatever the shape.",
           "Work on a float64 copy: `np.array(x, dtype=float)`.",
           "Keep the entry, set it to x + ε, evaluate, set it to x − ε, evaluate, put it back."),
    driver=differentiate_driver)  # fmt: skip
