"""The old standard: uniform weights up to 1/√n_in."""

import numpy as np

from dlcourse import initializers
from dlcourse.initializers import fans

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import FAN_SWAPPED, UNIFORM, draw_cases, draw_driver, uniform_measure

# --- solution -------------------------------------------------------------------------------------------------------


def uniform_fan_in(shape, rng):
    fan_in, _ = fans(shape)
    bound = 1.0 / np.sqrt(fan_in)
    return rng.uniform(-bound, bound, size=shape)


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    *UNIFORM,
    FAN_SWAPPED,
    Mistake("asymmetric_uniform",
        slip("fan_in, _", "fan_in, fan_out", "-bound, bound", "-bound, 1.0 / np.sqrt(fan_out)"),
        "The lower and the upper bound differ in size, so that the weights' mean is not 0. The same bound at both "
        "ends."),
    Mistake("bound_times_sqrt3", slip("1.0 / np.sqrt(fan_in)", "np.sqrt(3.0 / fan_in)"),
        "√3 too wide: this one keeps the variance. The one that is asked is older, and does not."),
    Mistake("global_random", slip("rng.uniform", "np.random.uniform"),
        "The weights come from NumPy's global generator: the same `rng` gives other weights each time, and no run can "
        "be repeated."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def stretched(shape, rng):
    return (2.0 * rng.random(shape) - 1.0) * int(np.prod(shape[:-1])) ** -0.5


def by_rows(shape, rng):
    fan_in, _ = fans(shape)
    rows = [rng.uniform(-1, 1, shape[-1]) for _ in range(int(np.prod(shape)) // shape[-1])]
    return np.array(rows).reshape(shape) / np.sqrt(fan_in)


EXERCISE = Exercise("initializers.uniform_fan_in", initializers.uniform_fan_in, draw_cases, MISTAKES,
    variants=[stretched, by_rows], solution=uniform_fan_in, points=1, minutes=5,
    why="The old standard, still the default of many a library; it loses two thirds of the variance in every layer.",
    hints=("`rng.uniform(low, high, size=shape)`.",
           "The bound is 1/√n_in; `fans(shape)` has n_in."),
    driver=draw_driver, measure=uniform_measure)  # fmt: skip
