"""Weights by the number of inputs alone: the old uniform standard, and normal ones with a gain."""

import numpy as np

from dlcourse import initializers
from dlcourse.initializers import fans

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import DRAWN, FAN_SWAPPED, draw_cases, draw_driver, measure

# --- solution -------------------------------------------------------------------------------------------------------


def uniform_fan_in(shape, rng):
    fan_in, _ = fans(shape)
    bound = 1.0 / np.sqrt(fan_in)
    return rng.uniform(-bound, bound, size=shape)


def scaled_normal(shape, rng, gain=1.0):
    fan_in, _ = fans(shape)
    std = gain / np.sqrt(fan_in)
    return rng.normal(0.0, std, size=shape)


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    *DRAWN,
    FAN_SWAPPED,
    Mistake("root_forgotten", slip("1.0 / np.sqrt(fan_in)", "1.0 / fan_in"),
        "In the uniform function the square root is missing: the bound is far too small."),
    Mistake("asymmetric_uniform",
        slip("fan_in, _ = fans(shape)\n    bound", "fan_in, fan_out = fans(shape)\n    bound",
             "-bound, bound", "-bound, 1.0 / np.sqrt(fan_out)"),
        "The lower and the upper bound differ in size, so that the weights' mean is not 0. The same bound at both "
        "ends."),
    Mistake("bound_times_sqrt3", slip("1.0 / np.sqrt(fan_in)", "np.sqrt(3.0 / fan_in)"),
        "The uniform weights are √3 too wide: this bound keeps the variance. The one that is asked is older, and does "
        "not."),
    Mistake("global_random", slip("rng.uniform", "np.random.uniform"),
        "The weights come from NumPy's global generator: the same `rng` gives other weights each time, and no run can "
        "be repeated.",
        also=[slip("rng.normal", "np.random.normal"),
              slip("rng.uniform", "np.random.uniform", "rng.normal", "np.random.normal")]),
    Mistake("gain_over_n", slip("gain / np.sqrt(fan_in)", "gain / fan_in"),
        "The notes' gain/n, taken as the standard deviation (E03), is far too small: five layers of it leave nothing. "
        "Under n stands a root."),
    Mistake("variance_for_std", slip("gain / np.sqrt(fan_in)", "gain**2 / fan_in"),
        "gain²/n_in is the variance. `rng.normal` takes the standard deviation."),
    Mistake("gain_under_the_root", slip("gain / np.sqrt(fan_in)", "np.sqrt(gain / fan_in)"),
        "The notes' gain/n, taken as the variance (E03). The variance is gain²/n: a gain multiplies the weights "
        "themselves."),
    Mistake("gain_ignored", slip("gain /", "1.0 /"),
        "The argument `gain` is not used: it multiplies the standard deviation."),
    Mistake("relu_factor_added", slip("gain / np.sqrt(fan_in)", "gain * np.sqrt(2.0 / fan_in)"),
        "The normal weights are √2 too large: a factor for ReLU comes in with `gain`, and only if it is asked."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def stretched(shape, rng):
    return (2.0 * rng.random(shape) - 1.0) * int(np.prod(shape[:-1])) ** -0.5


def of_variance(shape, rng, gain=1.0):
    variance = gain**2 / fans(shape)[0]
    return variance**0.5 * rng.standard_normal(size=shape)


def by_rows(shape, rng):
    fan_in, _ = fans(shape)
    rows = [rng.uniform(-1, 1, shape[-1]) for _ in range(int(np.prod(shape)) // shape[-1])]
    return np.array(rows).reshape(shape) / np.sqrt(fan_in)


def by_columns(shape, rng, gain=1.0):
    n = int(np.prod(shape[:-1]))
    return np.stack([rng.normal(scale=gain * n**-0.5, size=shape[:-1]) for _ in range(shape[-1])], axis=-1)


EXERCISE = Exercise("initializers.by_inputs", (initializers.uniform_fan_in, initializers.scaled_normal),
    lambda rng: draw_cases(rng, gains=(False, True)), MISTAKES,
    variants=[(stretched, of_variance), (by_rows, by_columns)], solution=(uniform_fan_in, scaled_normal), points=2,
    why="The old standard, still the default of many a library, loses two thirds of the variance in every layer; the "
        "other keeps it, for any activation, by its gain.",
    hints=("`rng.uniform(low, high, size=shape)` and `rng.normal(0.0, s, size=shape)`; `fans(shape)` has n_in first.",
           "A sum of n products has n times the variance of one.",
           "Which standard deviation of the weights makes the sum's variance gain² times the input's?"),
    driver=draw_driver, measure=measure)  # fmt: skip
