"""Xavier's weights, uniform and normal: a compromise between the two directions."""

import numpy as np

from dlcourse import initializers
from dlcourse.initializers import fans

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import DRAWN, STD_FOR_BOUND, draw_cases, draw_driver, in_either, measure

# --- solution -------------------------------------------------------------------------------------------------------


def xavier_uniform(shape, rng, gain=1.0):
    fan_in, fan_out = fans(shape)
    bound = gain * np.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-bound, bound, size=shape)


def xavier_normal(shape, rng, gain=1.0):
    fan_in, fan_out = fans(shape)
    std = gain * np.sqrt(2.0 / (fan_in + fan_out))
    return rng.normal(0.0, std, size=shape)


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    *DRAWN,
    STD_FOR_BOUND,
    in_either("missing_brackets",
        slip("6.0 / (fan_in + fan_out)", "6.0 / fan_in + fan_out"),
        slip("2.0 / (fan_in + fan_out)", "2.0 / fan_in + fan_out"),
        "Python divides before it adds: without brackets n_out stands beside the fraction, not under it."),
    in_either("fan_in_alone",
        slip("6.0 / (fan_in + fan_out)", "6.0 / fan_in"),
        slip("2.0 / (fan_in + fan_out)", "2.0 / fan_in"),
        "This is He's rule. Xavier's looks at both directions: n_in + n_out."),
    in_either("gain_ignored",
        slip("bound = gain * ", "bound = "),
        slip("std = gain * ", "std = "),
        "The argument `gain` is not used: it multiplies bound and standard deviation."),
    in_either("gain_under_the_root",
        slip("gain * np.sqrt(6.0", "np.sqrt(6.0 * gain"),
        slip("gain * np.sqrt(2.0", "np.sqrt(2.0 * gain"),
        "The gain stands under the root, so only its root comes out. It multiplies what the root gives."),
    Mistake("root_forgotten", slip("np.sqrt(6.0", "(6.0"),
        "In the uniform function the square root is missing: the bound is far too small."),
    Mistake("asymmetric_uniform", slip("-bound, bound", "-gain * np.sqrt(6.0 / fan_in), gain * np.sqrt(6.0 / fan_out)"),
        "The lower bound has n_in in it, the upper one n_out, and the weights' mean is not 0. Both bounds have both, "
        "added up."),
    Mistake("variance_for_std", slip("gain * np.sqrt(2.0 / (fan_in + fan_out))", "gain**2 * 2.0 / (fan_in + fan_out)"),
        "2/(n_in + n_out) is the variance; the notes put it where elsewhere they put the standard deviation (E31). "
        "`rng.normal` takes the standard deviation."),
    Mistake("factor_missing", slip("2.0 /", "1.0 /"),
        "In the normal function the 2 is missing: it is the *mean* of the two fans that stands below, (n_in + "
        "n_out)/2."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def from_deviation(shape, rng, gain=1.0):
    """A uniform distribution up to a has the standard deviation a/√3."""
    std = gain * (2 / sum(fans(shape))) ** 0.5
    return rng.uniform(-1.0, 1.0, shape) * (3**0.5 * std)


def mean_fan(shape, rng, gain=1.0):
    return gain / np.sqrt(np.mean(fans(shape))) * rng.standard_normal(shape)


def as_list(shape, rng, gain=1.0):
    bound = gain * (6 / np.sum(fans(shape))) ** 0.5
    return (bound - 2 * bound * rng.random(shape)).tolist()


def of_variance(shape, rng, gain=1.0):
    variance = 2 * gain * gain / sum(fans(shape))
    return rng.normal(size=int(np.prod(shape))).reshape(shape) * np.sqrt(variance)


EXERCISE = Exercise("initializers.xavier", (initializers.xavier_uniform, initializers.xavier_normal),
    lambda rng: draw_cases(rng, gains=(True, True)), MISTAKES,
    variants=[(from_deviation, mean_fan), (as_list, of_variance)], solution=(xavier_uniform, xavier_normal), points=2,
    why="The compromise between a signal that keeps its size going forward and a gradient that keeps it going back; a "
        "variance read as a deviation loses the signal after two layers.",
    hints=("Both fans are needed, in brackets.",
           "A uniform distribution on (−a, a) has variance a²/3: that is where the 6 comes from.",
           "For the normal one the formula gives s, which is what `rng.normal(0.0, s, size=shape)` takes."),
    driver=draw_driver, measure=measure)  # fmt: skip
