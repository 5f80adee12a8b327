"""He's weights, uniform and normal, for ReLU."""

import numpy as np

from dlcourse import initializers
from dlcourse.initializers import fans

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import DRAWN, FAN_SWAPPED, STD_FOR_BOUND, draw_cases, draw_driver, in_either, measure

# --- solution -------------------------------------------------------------------------------------------------------


def he_uniform(shape, rng):
    fan_in, _ = fans(shape)
    bound = np.sqrt(6.0 / fan_in)
    return rng.uniform(-bound, bound, size=shape)


def he_normal(shape, rng):
    fan_in, _ = fans(shape)
    std = np.sqrt(2.0 / fan_in)
    return rng.normal(0.0, std, size=shape)


# --- mistakes -------------------------------------------------------------------------------------------------------

UNIFORM_ROOT = "fan_in, _ = fans(shape)\n    bound = np.sqrt(6.0 / fan_in)"
NORMAL_ROOT = "fan_in, _ = fans(shape)\n    std = np.sqrt(2.0 / fan_in)"

MISTAKES = [
    *DRAWN,
    STD_FOR_BOUND,
    FAN_SWAPPED,
    in_either("relu_factor_missing", slip("6.0", "3.0"), slip("2.0", "1.0"),
        "The weights are √2 too small: this scale is for linear layers. ReLU drops half of the second moment, and a 2 "
        "makes up for it."),
    in_either("xavier_for_he",
        slip(UNIFORM_ROOT, "fan_in, fan_out = fans(shape)\n    bound = np.sqrt(6.0 / (fan_in + fan_out))"),
        slip(NORMAL_ROOT, "fan_in, fan_out = fans(shape)\n    std = np.sqrt(2.0 / (fan_in + fan_out))"),
        "This is Xavier's rule. He's looks at n_in alone."),
    Mistake("root_forgotten", slip("np.sqrt(6.0", "(6.0"),
        "In the uniform function the square root is missing: the bound is far too small."),
    Mistake("asymmetric_uniform",
        slip("fan_in, _ = fans(shape)\n    bound", "fan_in, fan_out = fans(shape)\n    bound",
             "-bound, bound", "-bound, np.sqrt(6.0 / fan_out)"),
        "The lower and the upper bound differ in size, so that the weights' mean is not 0 (the notes slip here, E20). "
        "The same bound at both ends."),
    Mistake("variance_for_std", slip("np.sqrt(2.0 / fan_in)", "2.0 / fan_in"),
        "`rng.normal` takes the standard deviation, and you give it the variance. Which of the two does the formula's "
        "letter s stand for?"),
    Mistake("seeded_inside", slip("rng.normal", "np.random.default_rng(0).normal"),
        "You make a new generator with a fixed seed: every layer of one shape gets the same weights. Draw from the "
        "`rng` that is given.",
        also=[slip("rng.uniform", "np.random.default_rng(0).uniform"),
              slip("rng.", "np.random.default_rng(0).", everywhere=True)]),
    Mistake("one_neuron_for_all",
        slip("rng.normal(0.0, std, size=shape)", "rng.normal(0.0, std, size=(*shape[:-1], 1)) * np.ones(shape)"),
        "Every neuron has the same weights: they get the same gradients and stay the same for ever. Draw all of them."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def as_list(shape, rng):
    bound = (6 / fans(shape)[0]) ** 0.5
    return (bound - 2 * bound * rng.random(shape)).tolist()


def box_muller(shape, rng):
    """Normal numbers from uniform ones."""
    u, v = 1.0 - rng.random(shape), rng.random(shape)
    return np.sqrt(-2.0 * np.log(u)) * np.cos(2.0 * np.pi * v) * np.sqrt(2.0 / np.prod(shape[:-1]))


def shifted(shape, rng):
    return (rng.random(shape) - 0.5) * 2.0 * np.sqrt(6.0 / fans(shape)[0])


def in_single_precision(shape, rng):
    return rng.standard_normal(shape, dtype=np.float32) * (2.0 / fans(shape)[0]) ** 0.5


EXERCISE = Exercise("initializers.he", (initializers.he_uniform, initializers.he_normal), draw_cases, MISTAKES,
    variants=[(as_list, box_muller), (shifted, in_single_precision)], solution=(he_uniform, he_normal), points=2,
    why="With ReLU half of every signal is lost, and the weights make up for it: the initialization that made networks "
        "of thirty layers trainable.",
    hints=("Variance 2/n_in, and a uniform distribution on (−a, a) has a²/3.",
           "`fans(shape)` has n_in first; √(2/n_in) is the standard deviation."),
    driver=draw_driver, measure=measure)  # fmt: skip
