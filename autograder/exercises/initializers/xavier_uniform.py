"""Xavier's uniform weights: a compromise between the two directions."""

import numpy as np

from dlcourse import initializers
from dlcourse.initializers import fans

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import STD_FOR_BOUND, UNIFORM, draw_cases_with_gain, draw_driver, uniform_measure

# --- solution -------------------------------------------------------------------------------------------------------


def xavier_uniform(shape, rng, gain=1.0):
    fan_in, fan_out = fans(shape)
    bound = gain * np.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-bound, bound, size=shape)


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    *UNIFORM,
    STD_FOR_BOUND,
    Mistake("missing_brackets", slip("(fan_in + fan_out)", "fan_in + fan_out"),
        "6/n_in + n_out and 6/(n_in + n_out) are two different things: Python divides first."),
    Mistake("asymmetric_uniform", slip("-bound, bound", "-gain * np.sqrt(6.0 / fan_in), gain * np.sqrt(6.0 / fan_out)"),
        "The lower bound has n_in in it, the upper one n_out, and the weights' mean is not 0. Both bounds have both, "
        "added up."),
    Mistake("fan_in_alone", slip("(fan_in + fan_out)", "fan_in"),
        "This is He's bound. Xavier's looks at both directions: n_in + n_out."),
    Mistake("gain_ignored", slip("gain * np", "np"), "The argument `gain` is not used: it multiplies the bound."),
    Mistake("gain_under_the_root", slip("gain * np.sqrt(6.0", "np.sqrt(6.0 * gain"),
        "The gain stands under the root, so only its root comes out. It multiplies the whole bound."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def from_deviation(shape, rng, gain=1.0):
    """A uniform distribution up to a has the standard deviation a/√3."""
    std = gain * (2 / sum(fans(shape))) ** 0.5
    return rng.uniform(-1.0, 1.0, shape) * (3**0.5 * std)


EXERCISE = Exercise("initializers.xavier_uniform", initializers.xavier_uniform, draw_cases_with_gain, MISTAKES,
    variants=[from_deviation], solution=xavier_uniform, points=1, minutes=5,
    why="The compromise between a signal that keeps its size going forward and a gradient that keeps it going back.",
    hints=("Both fans are needed, in brackets.",
           "A uniform distribution on (−a, a) has variance a²/3: that is where the 6 comes from."),
    driver=draw_driver, measure=uniform_measure)  # fmt: skip
