"""What the exercises on initializers have in common: random weights are judged by their statistics, whatever was drawn.

Most exercises ask two functions, a uniform one and a normal one of the same idea; each case calls one of them, so that each
earns its points by itself. The shared slips fit every solution that draws with `rng.uniform(-bound, bound, size=shape)` and with
`rng.normal(0.0, std, size=shape)`.
"""

import numpy as np

from ...checks.drivers import WrongAnswer, kind
from ...checks.exercise import Case, Mistake, slip

# --- drawing and measuring ------------------------------------------------------------------------------------------


def draw_driver(functions, case):
    """Draws weights with the function that the case is for, and says whether `rng` decides them: the same generator again,
    then another one.
    """
    initialize = functions[case.extra.get("function", 0)]
    (shape,) = case.args
    seed = case.extra["seed"]

    def draw(seed, shape=shape):
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
    # A few weights tell that
    few = tuple(min(n, 4) for n in shape)
    again, other = draw(seed, few), draw(seed + 1, few)
    told = "decided by rng"
    if np.array_equal(again, other):
        told = "the same whatever rng is"
    elif not np.array_equal(again, draw(seed, few)):
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


def measure(value, case):
    found = normal_measure(value, case)
    uniform = case.extra["function"] == 0
    return found | {"largest absolute weight": float(np.abs(value[0]).max())} if uniform else found


# --- cases ----------------------------------------------------------------------------------------------------------

# All cases have n ≥ 60,000 weights. Two independent samples differ in their means by √(2/n) = 0.0058 standard deviations,
# in their standard deviations by at most √(1/n) = 0.0041, in the share within one standard deviation by 0.004 of it: these
# are the standard errors, and 0.05 is more than eight times the largest. Every mistake is off by 0.1 or more.
TOLERANCE = 0.05


def draw_cases(rng, gains=(False, False)):
    """Cases of a uniform function and of a normal one; `gains` says which of them takes a gain."""

    def case(function, name, *shape, hidden=False, **kwargs):
        extra = {"function": function, "seed": int(rng.integers(1_000_000))}
        kind = ("uniform", "normal")[function]
        return Case(f"{kind}: {name}", (shape,), kwargs, extra=extra, tolerance=TOLERANCE, hidden=hidden)

    made = []
    for function, takes_gain in enumerate(gains):
        made += [
            case(function, "300 inputs, 200 neurons", 300, 200),
            case(function, "200 inputs, 300 neurons", 200, 300),
            case(function, "filters of 3 by 3", 3, 3, 40, 170),
            case(function, "filters of 5 by 5", 5, 5, 30, 90, hidden=True),
        ]
        if takes_gain:
            made.append(case(function, "gain 5/3", 250, 400, gain=5.0 / 3.0))
    return made


# --- mistakes -------------------------------------------------------------------------------------------------------

CONSTANT = "All weights are equal. Neurons that begin equal get equal gradients and stay equal for ever: the numbers must be random."

UNIFORM_FANS, NORMAL_FANS = "fans(shape)\n    bound", "fans(shape)\n    std"


def in_either(slug, of_uniform, of_normal, hint):
    """A mistake that can be made in the uniform function, in the normal one, or in both."""
    texts = (text for one in (of_uniform, of_normal) for pair in one.pairs for text in pair)
    return Mistake(slug, slip(*texts), hint, also=[of_uniform, of_normal])


FAN_SWAPPED = in_either("fan_swapped",
    slip(f"fan_in, _ = {UNIFORM_FANS}", f"_, fan_in = {UNIFORM_FANS}"),
    slip(f"fan_in, _ = {NORMAL_FANS}", f"_, fan_in = {NORMAL_FANS}"),
    "You take n_out, the number of neurons, where n_in is asked: how many numbers does one neuron add "
    "up?")  # fmt: skip

# Of every pair
DRAWN = [
    Mistake("only_positive", slip("(-bound, bound", "(0.0, bound"),
        "All weights of the uniform function are positive. The interval begins at minus the bound."),
    Mistake("normal_for_uniform", slip("rng.uniform(-bound, bound", "rng.normal(0.0, bound"),
        "The numbers of the uniform function are normal. A uniform distribution has no weights beyond its bound: which "
        "of the generator's methods draws from one?",
        also=[slip("rng.uniform(-bound, bound", "rng.normal(0.0, bound / np.sqrt(3.0)")]),
    Mistake("sqrt3_on_normal", slip("0.0, std", "0.0, np.sqrt(3.0) * std"),
        "The normal weights are √3 too wide: a bound of a uniform distribution is √3 times its standard deviation. "
        "`rng.normal` takes the standard deviation itself."),
    Mistake("uniform_for_normal", slip("rng.normal(0.0, std", "rng.uniform(-np.sqrt(3.0) * std, np.sqrt(3.0) * std"),
        "[The scale is right.] The distribution of the normal function is uniform. It is to be normal."),
    in_either("field_ignored",
        slip(UNIFORM_FANS, UNIFORM_FANS.replace("fans(shape)", "shape[:2]")),
        slip(NORMAL_FANS, NORMAL_FANS.replace("fans(shape)", "shape[:2]")),
        "Filters have the shape (kh, kw, c_in, c_out), and you read n_in and n_out off the first two axes. "
        "`fans(shape)` knows both kinds of shape."),
    in_either("constant_weights",
        slip("rng.uniform(-bound, bound, size=shape)", "np.full(shape, bound)"),
        slip("rng.normal(0.0, std, size=shape)", "np.full(shape, std)"), CONSTANT),
]  # fmt: skip
STD_FOR_BOUND = Mistake("std_for_bound", slip("6.0", "2.0"),
    "The uniform weights are √3 too narrow: √(2/…) is the standard deviation. A uniform distribution of that deviation "
    "reaches √3 times as far.")  # fmt: skip
