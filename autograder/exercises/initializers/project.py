"""A project: the gain for an activation that stands in no table, by measurement."""

import math

import numpy as np

from dlcourse.initializers import scaled_normal

from ...checks.exercise import Case, Exercise, Mistake, Named, Rng, Scale, WrongAnswer, numbers, slip
from .._projects import CONSTANT, MEMORISED

# --- reference ------------------------------------------------------------------------------------------------------


def project(f, rng):
    """The gain that keeps the signal's size from layer to layer, for an activation that
    you have never seen.

    With `W` from `scaled_normal(…, gain)` a layer computes ``f(A @ W)``. The signal
    keeps its size where the mean of ``f(z)**2`` times gain² is 1, z of size 1.

    Parameters
    ----------
    f : an activation, called with an array of any shape. rng : numpy.random.Generator,
        for what you draw.

    Returns
    -------
    gain : number.
    """
    X = rng.standard_normal((400, 100))
    A = f(X @ scaled_normal((100, 100), rng))
    return 1.0 / np.sqrt(np.mean(A**2))


# --- cases ----------------------------------------------------------------------------------------------------------

SHAPES = ("activations.gelu", "activations.softplus", "activations.swish", "activations.tanh")


def cases(rng):
    def case(name, shape, hidden=False):
        # Stretched, so that no table of known activations helps
        inside, outside = rng.uniform(0.5, 2.5), 10.0 ** (rng.choice([-1, 1]) * rng.uniform(0.5, 1.3))
        extra = {"shape": Named(shape), "inside": float(inside), "outside": float(outside)}
        held = float(inside), float(outside), shape
        return Case(name, (Rng(int(rng.integers(2**31))),), extra=extra, held=held, hidden=hidden)

    return [
        case("a stretched GELU", SHAPES[0]),
        case("a stretched softplus", SHAPES[1]),
        case("a stretched tanh", SHAPES[3]),
        *(case(f"activation {number}", shape, hidden=True) for number, shape in enumerate((*SHAPES, SHAPES[2]), 1)),
    ]


def measured(functions, case):
    (gain_of,) = functions
    shape, inside, outside = case.extra["shape"], case.extra["inside"], case.extra["outside"]

    def f(z):
        return outside * shape(inside * np.asarray(z, dtype=float))

    yield "", gain_of(f, *case.args)


def growth(value, case):
    """By how much of its size the mean square of the signal changes from one layer to the next."""
    inside, outside, shape = case.held
    gain = numbers(value, "gain", ())
    if not gain > 0:
        raise WrongAnswer(f"expected a gain above 0, got {float(gain):g}")
    z = np.linspace(-8, 8, 2001)
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    f = outside * _SHAPES[shape](inside * z)
    return abs(gain**2 * np.sum(f * f * density) * (z[1] - z[0]) - 1.0)


def _gelu(x):
    return 0.5 * x * (1.0 + np.vectorize(math.erf)(x / np.sqrt(2.0)))


_SHAPES = {
    "activations.gelu": _gelu,
    "activations.softplus": lambda x: np.logaddexp(0, x),
    "activations.swish": lambda x: x * 0.5 * (1 + np.tanh(0.5 * x)),
    "activations.tanh": np.tanh,
}


# --- mistakes -------------------------------------------------------------------------------------------------------


def of_relu(f, rng):
    return np.sqrt(2.0)


def of_other_activations(f, rng):
    return 1.5335


def by_slope(f, rng):
    return 1.0 / abs((f(np.array(1e-4)) - f(np.array(-1e-4))) / 2e-4)


def hundred_numbers(f, rng):
    z = rng.standard_normal(3)
    return 1.0 / np.sqrt(np.mean(f(z) ** 2))


MISTAKES = [
    Mistake("slope_at_zero", by_slope,
        "You measure the slope at 0 alone. Most of the signal is not near 0: measure f over the sizes that come.",
        kind="lazy"),
    Mistake("three_numbers", hundred_numbers,
        "Your measurement rests on three numbers: another draw gives another gain. Take many.", kind="lazy"),
    Mistake("variance_for_mean_square", slip("np.mean(A**2)", "np.var(A)"),
        "You measure how far f(z) is from its mean. What the next layer adds up is the mean of f(z)²: an activation "
        "that is "
        "never negative has a mean, too."),
    Mistake("root_forgotten", slip("np.sqrt(np.mean(A**2))", "np.mean(A**2)"),
        "The gain multiplies weights, so the mean square grows by gain². Which power is missing?"),
    Mistake("upside_down", slip("1.0 / np.sqrt(np.mean(A**2))", "np.sqrt(np.mean(A**2))"),
        "Where f makes the signal smaller the gain has to make it larger."),
    Mistake("constant_answer", of_relu, CONSTANT, kind="cheat"),
    Mistake("memorised_answer", of_other_activations, MEMORISED, kind="cheat"),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def by_quadrature(f, rng):
    z, weights = np.polynomial.hermite_e.hermegauss(80)
    return np.sqrt(np.sum(weights) / np.sum(weights * f(z) ** 2))


def by_many_numbers(f, rng):
    return np.linalg.norm(f(rng.standard_normal(50_000))) ** -1 * 50_000**0.5


EXERCISE = Exercise("initializers.project", project, cases, MISTAKES, variants=[by_quadrature, by_many_numbers],
    driver=measured, points=6, seconds=10.0,
    scales={"": Scale("relative change of the signal's mean square in a layer", 0.3, 0.1, growth)},
    why="Tables end with the activations of yesterday. If you can measure a gain, you need no table.",
    hints=("Draw an input of size 1, put it through a layer with gain 1, and look at the size of what comes out.",
           "Size means the root of the mean of the squares: the mean is not taken off.",
           "Many numbers: with 100 the gain is off by several per cent."))  # fmt: skip
