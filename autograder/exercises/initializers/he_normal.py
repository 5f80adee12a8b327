"""He's normal weights, for ReLU."""

import numpy as np

from dlcourse import initializers
from dlcourse.initializers import fans

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import FAN_SWAPPED, NORMAL, draw_cases, draw_driver, normal_measure

# --- solution -------------------------------------------------------------------------------------------------------


def he_normal(shape, rng):
    fan_in, _ = fans(shape)
    std = np.sqrt(2.0 / fan_in)
    return rng.normal(0.0, std, size=shape)


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    *NORMAL,
    FAN_SWAPPED,
    Mistake("variance_for_std", slip("np.sqrt(2.0 / fan_in)", "2.0 / fan_in"),
        "`rng.normal` takes the standard deviation, and you give it the variance. Which of the two does the formula's "
        "letter s stand for?"),
    Mistake("relu_factor_missing", slip("2.0 /", "1.0 /"),
        "The weights are √2 too small: this deviation is for linear layers. ReLU drops half of the second moment, and "
        "a 2 makes up for it."),
    Mistake("xavier_for_he", slip("fan_in, _", "fan_in, fan_out", "/ fan_in", "/ (fan_in + fan_out)"),
        "This is Xavier's deviation. He's looks at n_in alone."),
    Mistake("seeded_inside", slip("rng.normal", "np.random.default_rng(0).normal"),
        "You make a new generator with a fixed seed: every layer of one shape gets the same weights. Draw from the "
        "`rng` that is given."),
    Mistake("one_neuron_for_all", slip("size=shape)", "size=(*shape[:-1], 1)) * np.ones(shape)"),
        "Every neuron has the same weights: they get the same gradients and stay the same for ever. Draw all of them."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def box_muller(shape, rng):
    """Normal numbers from uniform ones."""
    u, v = 1.0 - rng.random(shape), rng.random(shape)
    return np.sqrt(-2.0 * np.log(u)) * np.cos(2.0 * np.pi * v) * np.sqrt(2.0 / np.prod(shape[:-1]))


def in_single_precision(shape, rng):
    return rng.standard_normal(shape, dtype=np.float32) * (2.0 / fans(shape)[0]) ** 0.5


EXERCISE = Exercise("initializers.he_normal", initializers.he_normal, draw_cases, MISTAKES,
    variants=[box_muller, in_single_precision], solution=he_normal, points=1, minutes=4,
    why="The initialization that made networks of thirty layers trainable.",
    hints=("√(2/n_in) is the standard deviation.",
           "`rng.normal(0.0, s, size=shape)`."),
    driver=draw_driver, measure=normal_measure)  # fmt: skip
