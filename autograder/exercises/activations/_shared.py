"""What several exercises on activations have in common: cases, loops over the entries, hints for the same mistake."""

import math

import numpy as np

from ...checks.exercise import Case, by_columns

# --- cases ----------------------------------------------------------------------------------------------------------

# Both signs, far and near, so that no draw decides whether a mistake shows
LINE = np.array([-3.0, -1.5, -0.75, -0.25, 0.5, 1.0, 2.0, 4.0])

# `relative`: what counts is the digits of numbers that vanish beside the largest one
TAIL_CASES = [
    Case("x = ±1000 and beyond", (np.array([-1000.0, 1000.0, 800.0, -800.0, 5000.0, -5000.0]),)),
    Case("the left tail, −40 to −600", (np.array([-40.0, -50.0, -100.0, -600.0]),), relative=True),
]


def smooth_cases(rng, *more):
    """The cases that every smooth function shares: other shapes, other types, then `more`."""
    return [
        Case("from −3 to 4", (LINE,)),
        by_columns(Case("a batch", (2 * rng.standard_normal((4, 3)),))),
        Case("float32, one row", (rng.standard_normal((1, 5)).astype(np.float32),)),
        *more,
        Case("three axes", (rng.standard_normal((2, 3, 4)),), hidden=True),
    ]


def tail_cases(rng):
    return smooth_cases(rng, *TAIL_CASES)


def slope_cases(rng):
    return smooth_cases(rng, Case("x = ±1000, beyond and 0", (np.array([[-1000.0, 1000.0, 0.0, 5000.0, -5000.0]]),)))


def gelu_cases(rng):
    return smooth_cases(rng, Case("x = ±40, ±5000 and 0", (np.array([-40.0, 40.0, 0.0, 5000.0, -5000.0]),)))


def off_zero(rng, *shape):
    """Normal numbers that keep away from a kink at 0."""
    x = rng.standard_normal(shape)
    return x + np.copysign(0.1, x)


def kinked_cases(rng, options=({},)):
    """The same for functions with a kink at 0; the cases take their `options` in turn."""
    given = [dict(options[i % len(options)]) for i in range(6)]
    return [
        Case("from −3 to 4", (LINE,), given[0]),
        by_columns(Case("a batch", (off_zero(rng, 4, 3),), given[1])),
        Case("float32, one row", (off_zero(rng, 1, 5).astype(np.float32),), given[2]),
        Case("at the kink", (np.array([[-1.0, 0.0], [-0.0, 1.0]]),), given[3]),
        Case("integers, also large ones", (np.array([-3, 2, -1, 5, 0, 5000, -5000]),), given[4]),
        Case("three axes", (off_zero(rng, 2, 3, 4),), given[5], hidden=True),
    ]


def leaky_cases(rng):
    slopes = 0.25, 0.125, 0.3, 0.5, 0.2
    return kinked_cases(rng, ({}, *({"slope": slope} for slope in slopes)))


def swish_cases(rng):
    return [
        Case("β not given", (LINE,)),
        Case("β = 2", (LINE,), {"beta": 2.0}),
        Case("β = ½, a batch from −50 to 50", (np.linspace(-50.0, 50.0, 12).reshape(4, 3),), {"beta": 0.5}),
        Case("β = 0", (np.array([[-2.0, 1.0, 3.0]]),), {"beta": 0.0}),
        Case("float32, β = 1.5", (rng.standard_normal((2, 5)).astype(np.float32),), {"beta": 1.5}),
        Case("x = ±1000 and beyond", (np.array([-1000.0, 1000.0, -500.0, 5000.0, -5000.0]),), {"beta": 3.0}),
        Case("β = −1, three axes", (rng.standard_normal((2, 3, 4)),), {"beta": -1.0}, hidden=True),
    ]


# --- variants -------------------------------------------------------------------------------------------------------


def each(f):
    """The function of one number, applied to every entry in a loop."""

    def in_a_loop(x, *args, **options):
        out = np.empty(np.shape(x))
        for index in np.ndindex(out.shape):
            out[index] = f(float(x[index]), *args, **options)
        return out

    return in_a_loop


# The standard library's functions: SciPy, which has them for arrays, is not in every browser
erf, erfc = each(math.erf), each(math.erfc)


# --- hints ----------------------------------------------------------------------------------------------------------

IN_PLACE = "The caller's x is overwritten: the backward pass will need the old one. Make a new array."
AT_OUTPUT = "The derivative is taken at f(x), one activation too far. It is asked at the *input* x."
FUNCTION = "This is the function itself; its slope is asked."
INTEGER = "[Right for decimal inputs.] The case with integers fails because your result is kept in an array with the input's dtype: what dtype do `zeros_like` and `full_like` choose then?"
TAIL = "Right near 0, but on the far left a tiny number is added to 1 and its digits are lost. Which form keeps the small number alone?"
CLIPPED = "Clipping x avoids the overflow and invents an answer beyond the limit. Choose a form in which exp never sees a positive number."
APPROXIMATION = "This is close, but an approximation. The exact GELU is asked, with the normal distribution function."
FIXED_SLOPE = "Your slope is the same in every case. It is an argument."
FIRST_TERM_ONLY = "x stands twice in {}: the product rule has two terms, and you have the first one."
SECOND_TERM_ONLY = "x stands twice in {}: the product rule has two terms, and you have the second one."
AXIS_FIXED = "Right where the classes are along the last axis. `axis` says along which one they are."
NO_AXIS = "You sum over the whole array. Each example has its own sum: `axis` and `keepdims` decide that."
NO_KEEPDIMS = "The sum over an axis loses that axis, and what is left is lined up with the *last* one: an error, or, where the array is square, a wrong answer without a complaint. `keepdims=True` keeps the axis."
