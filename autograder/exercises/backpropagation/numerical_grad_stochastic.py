"""Central differences of a function that draws random numbers."""

import numpy as np

from dlcourse.gradient_checking import numerical_grad

from ...checks.drivers import WrongAnswer, kind
from ...checks.exercise import Case, Exercise, Mistake, slip

# --- solution -------------------------------------------------------------------------------------------------------


def numerical_grad_stochastic(f, x, seed, eps=1e-5):
    """Central differences of a function that draws random numbers, such as a network with
    dropout.

    Parameters
    ----------
    f : function ``f(x, rng)`` of an array and a `numpy.random.Generator` that returns a
        number.
    x : array of any shape, the point; it comes back unchanged.
    seed : every single evaluation of f gets a new ``np.random.default_rng(seed)``, so
        that all see the same numbers.
    eps : ε.

    Returns
    -------
    g : array of the shape of x.
    """
    return numerical_grad(lambda x: f(x, np.random.default_rng(seed)), x, eps)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, shape, seed, hidden=False, **kwargs):
        return Case(name, ("dropout", rng.uniform(0.5, 1.5, shape), seed), kwargs, tolerance=1e-8, hidden=hidden)

    return [
        case("a vector", 6, 7),
        case("a matrix of one row, another seed", (1, 6), 20),
        case("ε = 0.1", 5, 3, eps=0.1),
        case("twelve entries", (3, 4), 11, hidden=True),
    ]


def stochastic_driver(functions, case):
    """Calls for the gradient of a function with dropout, which notes the numbers that each evaluation draws."""
    (differentiate,) = functions
    _, x, seed = case.args
    drawn, wanted = [], np.random.default_rng(seed).random(x.shape)

    def f(x, rng):
        if not isinstance(rng, np.random.Generator):
            raise WrongAnswer(f"f is called as f(x, rng), with a numpy.random.Generator; it was given {kind(rng)}")
        drawn.append(rng.random(x.shape))
        return np.sum(np.where(drawn[-1] < 0.5, 0.0, np.exp(x)) * (1.0 + drawn[-1])) + np.sum(x**3)

    g = differentiate(f, x, seed, **case.kwargs)
    if not drawn:
        raise WrongAnswer(f"f is never evaluated; your function returned {kind(g)}")
    told = "others in every evaluation"
    if all(np.array_equal(numbers, drawn[0]) for numbers in drawn):
        told = "those of the seed" if np.array_equal(drawn[0], wanted) else "not those of the seed"
    elif all(map(np.array_equal, drawn[::2], drawn[1::2])):
        told = "others for every entry of x"
    yield "random numbers", told
    yield "gradient", g


# --- mistakes -------------------------------------------------------------------------------------------------------


def one_sided(f, x, seed, eps=1e-5):
    at = f(x, np.random.default_rng(seed))
    g = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        z = x.copy()
        z[index] += eps
        g[index] = (f(z, np.random.default_rng(seed)) - at) / eps
    return g


MISTAKES = [
    Mistake("random_forward",
        slip("return", "rng = np.random.default_rng(seed)\n    return",
             "f(x, np.random.default_rng(seed))", "f(x, rng)"),
        "One generator serves all evaluations, so each draws another mask, and you subtract the values of two "
        "different functions. Every evaluation needs a new generator with the same seed."),
    Mistake("seed_ignored", slip("default_rng(seed)", "default_rng(0)"),
        "The numbers are the same in every evaluation, but not those of `seed`."),
    Mistake("mask_per_entry",
        slip("return", "seeds = iter(seed + np.arange(2 * x.size) // 2)\n    return",
             "default_rng(seed)", "default_rng(next(seeds))"),
        "Each entry of x sees other random numbers: this is a gradient of as many functions as x has entries. One seed "
        "for all."),
    Mistake("one_sided", one_sided,
        "[The random numbers are right.] The difference is a forward one. Evaluate on both sides of x."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def inline(f, x, seed, eps=1e-5):
    g = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[index] = eps
        g[index] = (f(x + e, np.random.default_rng(seed)) - f(x - e, np.random.default_rng(seed))) / (2 * eps)
    return g


def rewound(f, x, seed, eps=1e-5):
    rng = np.random.default_rng(seed)
    begin = rng.bit_generator.state

    def again(z):
        rng.bit_generator.state = begin
        return f(z, rng)

    return numerical_grad(again, x, eps)


EXERCISE = Exercise("gradient_checking.numerical_grad_stochastic", numerical_grad_stochastic, cases, MISTAKES,
    variants=[inline, rewound], points=0,
    why="Forgetting this makes a right gradient look wrong, by an amount that grows as ε shrinks.",
    hints=("What must be the same in both evaluations for their difference to mean anything?",
           "Your `numerical_grad` takes a function of x alone. Make one from f.",
           "The generator is made inside that function, not outside."),
    driver=stochastic_driver, parts=("random numbers", "gradient"))  # fmt: skip
