"""Xavier's normal weights."""

import numpy as np

from dlcourse import initializers
from dlcourse.initializers import fans

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import NORMAL, draw_cases_with_gain, draw_driver, normal_measure

# --- solution -------------------------------------------------------------------------------------------------------


def xavier_normal(shape, rng, gain=1.0):
    fan_in, fan_out = fans(shape)
    std = gain * np.sqrt(2.0 / (fan_in + fan_out))
    return rng.normal(0.0, std, size=shape)


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    *NORMAL,
    Mistake("missing_brackets", slip("(fan_in + fan_out)", "fan_in + fan_out"),
        "2/n_in + n_out and 2/(n_in + n_out) are two different things: Python divides first."),
    Mistake("variance_for_std", slip("gain * np.sqrt(2.0 / (fan_in + fan_out))", "gain**2 * 2.0 / (fan_in + fan_out)"),
        "2/(n_in + n_out) is the variance; the notes put it where elsewhere they put the standard deviation (E31). "
        "`rng.normal` takes the standard deviation."),
    Mistake("fan_in_alone", slip("(fan_in + fan_out)", "fan_in"),
        "This is He's deviation. Xavier's looks at both directions: n_in + n_out."),
    Mistake("factor_missing", slip("2.0 /", "1.0 /"),
        "The 2 is missing: it is the *mean* of the two fans that stands below, (n_in + n_out)/2."),
    Mistake("gain_ignored", slip("gain * np", "np"),
        "The argument `gain` is not used: it multiplies the standard deviation."),
    Mistake("gain_under_the_root", slip("gain * np.sqrt(2.0", "np.sqrt(2.0 * gain"),
        "The gain stands under the root, so only its root comes out. It multiplies the standard deviation."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def mean_fan(shape, rng, gain=1.0):
    return gain / np.sqrt(np.mean(fans(shape))) * rng.standard_normal(shape)


EXERCISE = Exercise("initializers.xavier_normal", initializers.xavier_normal, draw_cases_with_gain, MISTAKES,
    variants=[mean_fan], solution=xavier_normal, points=1, minutes=4,
    why="The same scale with another shape; a variance read as a deviation loses the signal after two layers.",
    hints=("`rng.normal(0.0, s, size=shape)`, s the standard deviation.",
           "The formula gives s²; what is s?"),
    driver=draw_driver, measure=normal_measure)  # fmt: skip
