"""Sinusoidal positions: waves of many lengths."""

import math

import numpy as np

from dlcourse import attention

from ...checks.exercise import Case, Exercise, Mistake, slip

# --- solution ---------------------------------------------------------------------------------------------------------


def sinusoidal_positions(T, D):
    angles = np.arange(T)[:, None] / 10000.0 ** (2 * np.arange(D // 2) / D)
    P = np.zeros((T, D))
    P[:, 0::2] = np.sin(angles)
    P[:, 1::2] = np.cos(angles)
    return P


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(T, D, hidden=False):
        # An angle of t has an error of t times its frequency's, a few roundings
        return Case(f"{T} positions, {D} columns", (T, D), sum_length=4 * max(T, 4), hidden=hidden)

    return [case(5, 8), case(3, 6), case(1, 4), case(9, 2), case(4, 4), case(40, 10, hidden=True)]


# --- mistakes ---------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("positional_interleave", slip("0::2", ": D // 2", "1::2", "D // 2 :"),
        "All sines first, then all cosines: some libraries have it so. Here they alternate, the sine and the cosine of "
        "one wavelength side by side.", convention=True),
    Mistake("sine_cosine_swapped", slip("0::2", "even", "1::2", "0::2", "even", "1::2"),
        "The even columns are sines, counted from 0. Position 0 should be 0, 1, 0, 1, …"),
    Mistake("exponent_not_doubled", slip("2 * np.arange", "np.arange"),
        "i counts the pairs of columns, and the exponent is 2i/D: over all pairs it runs from 0 to nearly 1. Yours "
        "stops half way."),
    Mistake("a_wavelength_for_each_column",
        slip("2 * np.arange(D // 2)", "np.arange(D)",
             "np.sin(angles)", "np.sin(angles[:, 0::2])",
             "np.cos(angles)", "np.cos(angles[:, 1::2])"),
        "The cosines have other wavelengths than the sines beside them. A pair of columns shares one, with i the "
        "number of the pair.",
        also=[slip("np.arange(D // 2)", "np.arange(D)",
                   "np.sin(angles)", "np.sin(angles[:, 0::2])",
                   "np.cos(angles)", "np.cos(angles[:, 1::2])")]),
    Mistake("positions_from_one", slip("np.arange(T)", "np.arange(1, T + 1)"),
        "Positions are counted from 0. Yours begin at 1."),
    Mistake("frequency_inverted", slip("/ 10000.0", "* 10000.0"),
        "The waves get *longer* from column to column: t is divided by the power. Yours get shorter."),
    Mistake("other_base", slip("10000.0", "θ", values=(1000.0, 5000.0)),
        "Count the zeros: the longest wave has a length of nearly 10000 · 2π."),
    Mistake("base_missing", slip("10000.0 ** (", "np.exp("),
        "In exp(−2i/D) the base is e. Written with `exp`, the exponent has log(10000) as a factor."),
    Mistake("whole_number_division", slip("] / 10000", "] // 10000"),
        "`//` drops the fraction: the angle is a decimal number."),
    Mistake("transposed", slip("return P", "return P.T"), "One row for each position, one column for each wave."),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def entry_by_entry(T, D):
    return [[(math.sin, math.cos)[j % 2](t / 10000 ** ((j - j % 2) / D)) for j in range(D)] for t in range(T)]


def complex_waves(T, D):
    # e^{iωt} has both in one
    waves = np.exp(1j * np.outer(np.arange(T), np.exp(-math.log(10000.0) * np.arange(0, D, 2) / D)))
    return np.stack([waves.imag, waves.real], axis=2).reshape(T, D)


EXERCISE = Exercise("attention.sinusoidal_positions", attention.sinusoidal_positions, cases, MISTAKES,
    variants=[entry_by_entry, complex_waves], solution=sinusoidal_positions, points=2,
    why="Attention treats a sentence as a heap of words: this is what tells it the order.",
    hints=("Make the angles first, a table of T × D/2: position t divided by 10000 to the power 2i/D.",
           "`P[:, 0::2]` are the even columns, `P[:, 1::2]` the odd ones."))  # fmt: skip
