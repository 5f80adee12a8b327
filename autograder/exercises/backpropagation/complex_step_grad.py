"""The complex step: a derivative without a difference."""

import numpy as np

from dlcourse import gradient_checking

from ...checks.exercise import Case, Exercise, Mistake, by_columns, slip
from ._shared import ALL_AT_ONCE, COPY, FLAT, differentiate_driver

# --- solution -------------------------------------------------------------------------------------------------------


def complex_step_grad(f, x, eps=1e-20):
    z = np.array(x, dtype=complex)
    g = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        z[index] += 1j * eps
        g[index] = f(z).imag / eps
        z[index] = x[index]
    return g


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, f, x, hidden=False, **kwargs):
        return Case(name, (f, x), kwargs, sum_length=64, hidden=hidden)

    return [
        case("a vector", "exponentials", rng.uniform(0.5, 1.5, 4)),
        by_columns(case("a matrix", "products", rng.uniform(0.5, 1.5, (2, 3)))),
        # x³ has the complex step 3x² − ε²
        case("ε = 0.1, a steep slope", "cubes", rng.uniform(20.0, 40.0, 3), eps=0.1),
        case("whole numbers", "squares", np.array([1, -2, 3])),
        case("one entry", "softplus of a sum", np.array([0.25])),
        case("three axes", "products", rng.uniform(0.5, 1.5, (2, 1, 3)), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("real_part", slip(".imag", ".real"),
        "You read the real part, which is f(x) itself. The derivative is in the imaginary part."),
    Mistake("not_divided", slip(".imag / eps", ".imag"), "This is ε times the derivative."),
    Mistake("sign", slip("+= 1j", "-= 1j"), "The step is taken along −i, which changes the sign."),
    Mistake("real_step",
        slip("+= 1j * eps", "+= eps", "f(z).imag / eps", "(f(z) - f(np.array(x, dtype=complex))).real / eps"),
        "The step of 10⁻²⁰ is added to the real part, where it is lost at once: 1 + 10⁻²⁰ is 1. Step along i."),
    Mistake("all_entries_at_once", slip("z[index] += 1j * eps\n        g[index] = f(z)", "g[index] = f(z + 1j * eps)"),
        ALL_AT_ONCE),
    Mistake("not_restored", slip("        z[index] = x[index]\n", ""),
        "The steps of earlier entries are still there, and their slopes come in as well. Take each step back."),
    Mistake("eps_ignored", slip("    g = ", "    eps = 1e-20\n    g = "),
        "The step is always 10⁻²⁰. Use the argument `eps`."),
    Mistake("distance_doubled", slip("/ eps", "/ (2 * eps)"),
        "2ε belongs to the central difference. Here one evaluation is enough, and the step is ε."),
    Mistake("single_precision", slip("dtype=complex", "dtype=np.complex64"),
        "Right to seven digits: complex64 holds two float32. Python's `complex` is 2 × 64 bits."),
    Mistake("shape_lost", slip("return g", "return g.ravel()"), FLAT),
    Mistake("written_into_a_copy",
        slip("np.zeros(x.shape)", "np.zeros_like(x)",
             "g[index]", "g.reshape(-1)[np.ravel_multi_index(index, x.shape)]"), COPY),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def along_directions(f, x, eps=1e-20):
    moves = 1j * eps * np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([np.imag(f(x + e)) / eps for e in moves]).reshape(x.shape)


EXERCISE = Exercise("gradient_checking.complex_step_grad", gradient_checking.complex_step_grad, cases, MISTAKES,
    variants=[along_directions], solution=complex_step_grad, points=2,
    why="Nothing is subtracted, so nothing cancels: a derivative to the last digit from a function that you can only "
        "call.",
    hints=("`np.array(x, dtype=complex)`, and `1j` is i.",
           "One evaluation for each entry; its `.imag` holds ε times the derivative.",
           "The loop is the one of `numerical_grad`."),
    driver=differentiate_driver)  # fmt: skip
