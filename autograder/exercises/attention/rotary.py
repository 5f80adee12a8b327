"""Rotary positions: pairs of columns are turned by an angle that grows with the position."""

import math

import numpy as np

from dlcourse import attention

from ...checks.exercise import Case, Exercise, Mistake, by_columns, enlarged, in_float32, slip

# --- solution ---------------------------------------------------------------------------------------------------------


def rotary_forward(X, base=10000.0, start=0):
    T, D = X.shape[-2:]
    t = np.arange(start, start + T)[:, None]
    angles = t * base ** (-2 * np.arange(D // 2) / D)
    cos, sin = np.cos(angles), np.sin(angles)
    a, b = X[..., 0::2], X[..., 1::2]
    Y = np.empty(X.shape)
    Y[..., 0::2] = a * cos - b * sin
    Y[..., 1::2] = a * sin + b * cos
    return Y, (cos, sin)


def rotary_backward(dY, cache):
    cos, sin = cache
    a, b = dY[..., 0::2], dY[..., 1::2]
    dX = np.empty(dY.shape)
    dX[..., 0::2] = a * cos + b * sin
    dX[..., 1::2] = b * cos - a * sin
    return dX


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, *shape, hidden=False, **options):
        X, dY = rng.standard_normal((2, *shape))
        # An angle of t has an error of t times its frequency's, a few roundings
        far = options.get("start", 0) + shape[-2]
        return Case(name, (X,), options, dout=dY, sum_length=4 * max(far, 4), hidden=hidden)

    return [
        case("five positions, six columns", 5, 6),
        case("the first position is the 7th", 3, 8, start=7),
        by_columns(case("two examples, another base", 2, 4, 6, base=100.0)),
        case("one position, at 2", 1, 4, start=2),
        enlarged(case("as many positions as columns", 4, 4), 0),
        in_float32(case("", 2, 3, 6, start=1)),
        case("two columns", 6, 2),
        case("heads of examples", 2, 3, 4, 8, base=500.0, start=3, hidden=True),
    ]


# --- mistakes ---------------------------------------------------------------------------------------------------------

HALVES = ("[..., 0::2]", "[..., : X.shape[-1] // 2]", "[..., 1::2]", "[..., X.shape[-1] // 2 :]")
FIRST, SECOND = "Y[..., 0::2] = a * cos - b * sin", "Y[..., 1::2] = a * sin + b * cos"
BACK_FIRST, BACK_SECOND = "dX[..., 0::2] = a * cos + b * sin", "dX[..., 1::2] = b * cos - a * sin"

MISTAKES = [
    Mistake("halves_for_pairs",
        slip("X[..., 0::2], X[..., 1::2]", "X[..., : D // 2], X[..., D // 2 :]",
             FIRST, FIRST.replace("0::2", ": D // 2"),
             SECOND, SECOND.replace("1::2", "D // 2 :"),
             "dY[..., 0::2], dY[..., 1::2]", "np.split(dY, 2, axis=-1)",
             BACK_FIRST, BACK_FIRST.replace("0::2", ": a.shape[-1]"),
             BACK_SECOND, BACK_SECOND.replace("1::2", "a.shape[-1] :")),
        "You turn column j together with column j + D/2: many libraries have it so. Here the pairs stand side by side, "
        "columns 2j and 2j + 1.", convention=True),
    # Before the slip of both that has the same gradient
    Mistake("not_turned_back",
        slip(BACK_FIRST, BACK_FIRST.replace("+", "-"), BACK_SECOND, "dX[..., 1::2] = b * cos + a * sin"),
        "[The output is right.] On the way back you turn by the same angle again. Which rotation undoes one by tθ?"),
    Mistake("turned_the_other_way",
        slip(FIRST, FIRST.replace("-", "+"), SECOND, "Y[..., 1::2] = b * cos - a * sin",
             BACK_FIRST, BACK_FIRST.replace("+", "-"), BACK_SECOND, "dX[..., 1::2] = b * cos + a * sin"),
        "You turn by −tθ. The minus sign stands in the first of the two lines."),
    Mistake("pair_overwritten",
        slip("Y = np.empty(X.shape)", "Y = X.copy()", FIRST, "Y[..., 0::2] = Y[..., 0::2] * cos - Y[..., 1::2] * sin",
             SECOND, "Y[..., 1::2] = Y[..., 0::2] * sin + Y[..., 1::2] * cos"),
        "The second line reads the first column after it has been turned. Both need the columns of X as they came."),
    Mistake("sine_cosine_swapped", slip("np.cos(angles), np.sin(angles)", "np.sin(angles), np.cos(angles)"),
        "Position 0 is not to be turned at all: which of sine and cosine is 1 at an angle of 0?"),
    Mistake("exponent_not_doubled", slip("-2 *", "-"),
        "j counts the pairs, and the exponent is −2j/D: over all pairs it runs from 0 to nearly −1. Yours stops half "
        "way."),
    Mistake("frequency_inverted", slip("(-2 *", "(2 *"),
        "From pair to pair the angles get *smaller*. Look at the sign of the exponent."),
    Mistake("start_ignored", slip("np.arange(start, start + T)", "np.arange(T)"),
        "The first row always counts as position 0. It is the position `start`."),
    Mistake("positions_from_one", slip("np.arange(start, start + T)", "np.arange(start + 1, start + T + 1)"),
        "Positions are counted from 0: the first row, at start = 0, stays as it is."),
    Mistake("base_ignored", slip("base **", "10000.0 **"), "The angles do not depend on the argument `base`."),
    Mistake("one_angle_for_all", slip("np.arange(D // 2)", "np.zeros(D // 2)"),
        "All pairs turn by the same angle. Each has its own, from 1 radian a step down to nearly 1/base."),
    Mistake("degrees", slip("    cos, sin = np.cos", "    angles = np.radians(angles)\n    cos, sin = np.cos"),
        "The angles are in radians already. Yours are taken for degrees."),
    Mistake("positions_along_the_examples",
        slip("T, D = X.shape[-2:]", "T, D = X.shape[0], X.shape[-1]",
             "[:, "
             "None]\n", "[:, None]\n    t = t[:, None] if X.ndim == 3 else t[:, None, None] if X.ndim == 4 else t\n"),
        "The angle grows with the example. Positions are the last axis but one."),
    Mistake("gradient_passed_on", slip("return dX", "return dY.copy()"),
        "[The output is right.] dY comes through unchanged. The gradient of a rotation is a rotation, too."),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def complex_forward(X, base=10000.0, start=0):
    # A turn is a product with e^(i·angle)
    T, D = X.shape[-2:]
    turns = np.exp(1j * np.outer(start + np.arange(T), np.exp(-math.log(base) * np.arange(0, D, 2) / D)))
    Z = (X[..., 0::2] + 1j * X[..., 1::2]) * turns
    return np.stack([Z.real, Z.imag], axis=-1).reshape(X.shape), turns


def complex_backward(dY, cache):
    Z = (dY[..., 0::2] + 1j * dY[..., 1::2]) * np.conj(cache)
    return np.stack([Z.real, Z.imag], axis=-1).reshape(dY.shape)


def pair_by_pair_forward(X, base=10000.0, start=0):
    (T, D), turns = X.shape[-2:], {}
    Y = np.zeros(X.shape)
    for t in range(T):
        for j in range(0, D, 2):
            angle = (start + t) / base ** (j / D)
            c, s = math.cos(angle), math.sin(angle)
            turns[t, j] = np.array([[c, -s], [s, c]])
            Y[..., t, j : j + 2] = X[..., t, j : j + 2] @ turns[t, j].T
    return Y, turns


def pair_by_pair_backward(dY, cache):
    dX = np.zeros(dY.shape)
    for (t, j), R in cache.items():
        dX[..., t, j : j + 2] = dY[..., t, j : j + 2] @ R
    return dX


EXERCISE = Exercise("attention.rotary", (attention.rotary_forward, attention.rotary_backward), cases, MISTAKES,
    variants=[(complex_forward, complex_backward), (pair_by_pair_forward, pair_by_pair_backward)],
    solution=(rotary_forward, rotary_backward), points=0,
    why="How most language models of today know distances: a score then depends on what two words are and how far "
        "apart they stand.",
    hints=("Make the angles first, a table of T × D/2, and their cosines and sines.",
           "`X[..., 0::2]` are the first columns of the pairs, `X[..., 1::2]` the second ones. Each pair (a, b) "
           "becomes (a cos − b sin, a sin + b cos).",
           "Backward: the transpose of a rotation is the rotation by the negative angle."))  # fmt: skip
