"""What the exercises on initializers have in common: random weights are judged by their statistics, whatever was drawn.

The shared slips fit every solution that draws with `rng.uniform(-bound, bound, size=shape)`, or with `rng.normal(0.0, std, size=shape)`.
"""

import numpy as np

from ...checks.drivers import WrongAnswer, kind
from ...checks.exercise import Case, Mistake, slip

# --- drawing and measuring ------------------------------------------------------------------------------------------


def draw_driver(functions, case):
    """Draws weights, and says whether `rng` decides them: the same generator again, then another one."""
    (initialize,) = functions
    (shape,) = case.args
    seed = case.extra["seed"]

    def draw(seed):
        W = initialize(shape, np.random.default_rng(seed), **case.kwargs)
        array = np.asarray(W) if isinstance(W, np.ndarray | list | tuple) else None
        if array is None or array.dtype.kind not in "iuf":
            raise WrongAnswer(f"the function returns an array of the shape {shape}; yours returned {kind(W)}")
        return array

    many = case.extra.get("draws")
    if many:
        rng = np.random.default_rng(seed)
        first = np.array([initialize(shape, rng, **case.kwargs) for _ in range(many)])
    else:
        first = draw(seed)
    again, other = draw(seed), draw(seed + 1)
    told = "decided by rng"
    if np.array_equal(again, other):
        told = "the same whatever rng is"
    elif not np.array_equal(again, draw(seed)):
        told = "not decided by rng"
    yield "", (first, told)


# The share of a distribution's numbers within one standard deviation of its mean
SPREADS = {"like those of a normal distribution": 0.6827, "like those of a uniform distribution": 0.5774}


def spread(share):
    """How numbers are distributed, by the share of them within one standard deviation, in words."""
    near = (words for words, known in SPREADS.items() if abs(share - known) <= TOLERANCE * known)
    return next(near, "otherwise")


def normal_measure(value, case):
    W, told = value
    flat = W.ravel().astype(float)
    different = len(np.unique(flat[:5000])) / min(5000, flat.size)
    # The statistics of few different numbers are chance
    mean, std = (flat.mean(), flat.std()) if different > 0.5 else (np.nan, np.nan)
    return {
        "shape": list(W.shape),
        "share of different weights": different,
        # One array, so that the mean is measured by the standard deviation
        "mean and standard deviation": np.array([mean, std]),
        "the weights are spread": spread(float(np.mean(np.abs(flat - mean) <= std))),
        "random numbers": told,
    }


def uniform_measure(value, case):
    return normal_measure(value, case) | {"largest absolute weight": float(np.abs(value[0]).max())}


# --- cases ----------------------------------------------------------------------------------------------------------

# All cases have n ≥ 60,000 weights. Two independent samples differ in their means by √(2/n) = 0.0058 standard deviations,
# in their standard deviations by at most √(1/n) = 0.0041, in the share within one standard deviation by 0.004 of it: these
# are the standard errors, and 0.05 is more than eight times the largest. Every mistake is off by 0.1 or more.
TOLERANCE = 0.05


def draw_case(rng, name, *shape, hidden=False, **kwargs):
    seed = int(rng.integers(1_000_000))
    return Case(name, (shape,), kwargs, extra={"seed": seed}, tolerance=TOLERANCE, hidden=hidden)


def draw_cases(rng):
    return [
        draw_case(rng, "300 inputs, 200 neurons", 300, 200),
        draw_case(rng, "200 inputs, 300 neurons", 200, 300),
        draw_case(rng, "filters of 3 by 3", 3, 3, 40, 170),
        draw_case(rng, "filters of 5 by 5", 5, 5, 30, 90, hidden=True),
    ]


def draw_cases_with_gain(rng):
    return [*draw_cases(rng), draw_case(rng, "gain 5/3", 250, 400, gain=5.0 / 3.0)]


# --- mistakes -------------------------------------------------------------------------------------------------------

CONSTANT = "All weights are equal. Neurons that begin equal get equal gradients and stay equal for ever: the numbers must be random."

FAN_SWAPPED = Mistake("fan_swapped", slip("fan_in, _ =", "_, fan_in ="),
    "You take n_out, the number of neurons, where n_in is asked: how many numbers does one neuron add "
    "up?")  # fmt: skip
FIELD_IGNORED = Mistake("field_ignored", slip("fans(shape)", "shape[:2]"),
    "Filters have the shape (kh, kw, c_in, c_out), and you read n_in and n_out off the first two axes. `fans(shape)` "
    "knows both kinds of shape.")  # fmt: skip
UNIFORM = [
    Mistake("root_forgotten", slip("np.sqrt(", "("), "The square root is missing: the bound is far too small."),
    Mistake("only_positive", slip("(-bound, bound", "(0.0, bound"),
        "All weights are positive. The interval begins at minus the bound."),
    Mistake("normal_for_uniform", slip("rng.uniform(-bound, bound", "rng.normal(0.0, bound"),
        "The numbers are normal. A uniform distribution has no weights beyond its bound: which of the generator's "
        "methods draws from one?",
        also=[slip("rng.uniform(-bound, bound", "rng.normal(0.0, bound / np.sqrt(3.0)")]),
    FIELD_IGNORED,
    Mistake("constant_weights", slip("rng.uniform(-bound, bound, size=shape)", "np.full(shape, bound)"), CONSTANT),
]  # fmt: skip
STD_FOR_BOUND = Mistake("std_for_bound", slip("6.0", "2.0"),
    "The weights are √3 too narrow: √(2/…) is the standard deviation. A uniform distribution of that deviation reaches "
    "√3 times as far.")  # fmt: skip
NORMAL = [
    Mistake("sqrt3_on_normal", slip("0.0, std", "0.0, np.sqrt(3.0) * std"),
        "√3 too wide: √6 belongs to the bound of a uniform distribution, whose standard deviation is that bound "
        "divided by √3. Here the standard deviation itself is asked."),
    Mistake("uniform_for_normal", slip("rng.normal(0.0, std", "rng.uniform(-np.sqrt(3.0) * std, np.sqrt(3.0) * std"),
        "[The scale is right.] The distribution is uniform. It is to be normal."),
    FIELD_IGNORED,
    Mistake("constant_weights", slip("rng.normal(0.0, std, size=shape)", "np.full(shape, std)"), CONSTANT),
]  # fmt: skip
