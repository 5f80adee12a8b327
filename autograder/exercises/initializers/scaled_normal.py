"""Normal weights by the number of inputs, times a gain."""

import numpy as np

from dlcourse import initializers
from dlcourse.initializers import fans

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import FAN_SWAPPED, NORMAL, draw_cases_with_gain, draw_driver, normal_measure

# --- solution -------------------------------------------------------------------------------------------------------


def scaled_normal(shape, rng, gain=1.0):
    fan_in, _ = fans(shape)
    std = gain / np.sqrt(fan_in)
    return rng.normal(0.0, std, size=shape)


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    *NORMAL,
    FAN_SWAPPED,
    Mistake("gain_over_n", slip("np.sqrt(fan_in)", "fan_in"),
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
        "The weights are √2 too large: a factor for ReLU comes in with `gain`, and only if it is asked."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def of_variance(shape, rng, gain=1.0):
    variance = gain**2 / fans(shape)[0]
    return variance**0.5 * rng.standard_normal(size=shape)


EXERCISE = Exercise("initializers.scaled_normal", initializers.scaled_normal, draw_cases_with_gain, MISTAKES,
    variants=[of_variance], solution=scaled_normal, points=1, minutes=4,
    why="One rule for all activations: what differs between them is the gain.",
    hints=("A sum of n products has n times the variance of one.",
           "Which standard deviation of the weights makes the sum's variance gain² times the input's?"),
    driver=draw_driver, measure=normal_measure)  # fmt: skip
