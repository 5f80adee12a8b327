"""He's uniform weights, for ReLU."""

import numpy as np

from dlcourse import initializers
from dlcourse.initializers import fans

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import FAN_SWAPPED, STD_FOR_BOUND, UNIFORM, draw_cases, draw_driver, uniform_measure

# --- solution -------------------------------------------------------------------------------------------------------


def he_uniform(shape, rng):
    fan_in, _ = fans(shape)
    bound = np.sqrt(6.0 / fan_in)
    return rng.uniform(-bound, bound, size=shape)


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    *UNIFORM,
    STD_FOR_BOUND,
    FAN_SWAPPED,
    Mistake("asymmetric_uniform",
        slip("fan_in, _", "fan_in, fan_out", "-bound, bound", "-bound, np.sqrt(6.0 / fan_out)"),
        "The lower and the upper bound differ in size, so that the weights' mean is not 0 (the notes slip here, E20). "
        "The same bound at both ends."),
    Mistake("relu_factor_missing", slip("6.0", "3.0"),
        "The bound is √2 too small: this one is for linear layers. ReLU drops half of the second moment, and a 2 makes "
        "up for it."),
    Mistake("xavier_for_he", slip("fan_in, _", "fan_in, fan_out", "/ fan_in", "/ (fan_in + fan_out)"),
        "This is Xavier's bound. He's looks at n_in alone."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def as_list(shape, rng):
    bound = (6 / fans(shape)[0]) ** 0.5
    return (bound - 2 * bound * rng.random(shape)).tolist()


EXERCISE = Exercise("initializers.he_uniform", initializers.he_uniform, draw_cases, MISTAKES, variants=[as_list],
    solution=he_uniform, points=1, minutes=4,
    why="With ReLU half of every signal is lost, and the weights make up for it.",
    hints=("Variance 2/n_in, and a uniform distribution on (−a, a) has a²/3.",
           "`fans(shape)` has n_in first."),
    driver=draw_driver, measure=uniform_measure)  # fmt: skip
