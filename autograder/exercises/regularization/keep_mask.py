"""A dropout mask: the one random line of dropout."""

import numpy as np

from ...checks.drivers import WrongAnswer, kind
from ...checks.exercise import Case, Exercise, Mistake, Rng, slip
from ._shared import P_FIXED, SWAPPED, draw, mask_mistakes

# --- solution -------------------------------------------------------------------------------------------------------


def keep_mask(shape, p, rng):
    """A dropout mask: False where an entry is dropped, with probability p, each entry by
    itself.

    Parameters
    ----------
    shape : tuple of integers.
    p : probability of dropping, in [0, 1).
    rng : numpy.random.Generator.

    Returns
    -------
    M : boolean array of that shape, True where the entry is *kept*.
    """
    return rng.random(shape) >= p


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, shape, p, hidden=False):
        seed = int(rng.integers(2**31))
        return Case(name, (shape, p, Rng(seed)), extra={"again": Rng(seed)}, hidden=hidden)

    return [
        case("p = 0.2", (200, 150), 0.2),
        case("p = 0.7", (150, 200), 0.7),
        case("p = 0: nothing is dropped", (100, 120), 0.0),
        case("one example", (1, 20000), 0.35),
        case("images", (200, 8, 8, 3), 0.4, hidden=True),
    ]


def mask_driver(functions, case):
    """Three masks: two in a row from one generator, and one from a new generator with the first one's seed."""
    (draw,) = functions
    shape, p, rng = case.args
    masks = [draw(shape, p, rng), draw(shape, p, rng), draw(shape, p, case.extra["again"])]
    for M in masks:
        if np.shape(M) != tuple(shape) or np.asarray(M).dtype.kind not in "biuf":
            raise WrongAnswer(f"the mask is an array of shape {tuple(shape)}; yours is {kind(M)}")
        if not np.isin(M, (0, 1)).all():
            raise WrongAnswer("a mask says for every entry whether it is kept: True or False; yours has other numbers")
    yield "", [np.array(M) for M in masks]


def statistics(value, case):
    first, second, again = (np.asarray(M) != 0 for M in value)
    return draw(first, second, again, case.args[1])


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("keep_drop_swapped", slip(">= p", "< p"), SWAPPED, convention=True),
    *mask_mistakes("shape"),
    Mistake("p_fixed", slip(">= p", ">= θ", values=(0.5, 0.2, 0.1)), P_FIXED),
    Mistake("rounded", slip("rng.random(shape) >= p", "np.rint(rng.random(shape) * (1 - p)).astype(bool)"),
        "Rounding compares with one half. Which comparison is true with probability 1 − p?"),
    Mistake("normal_for_uniform", slip("rng.random", "rng.standard_normal"),
        "Your draws come from a normal distribution: the share above p is not 1 − p. Use a uniform one."),
    Mistake("drawn_twice", slip("rng.random(shape) >= p", "(rng.random(shape) >= p) & (rng.random(shape) >= p)"),
        "Each entry has to survive twice. Draw once."),
    Mistake("nothing_drawn", slip("rng.random(shape) >= p", "np.indices(shape).sum(axis=0) % 100 >= 100 * p"),
        "Nothing is drawn: the same entries are dropped each time."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def uniform(shape, p, rng):
    return rng.uniform(size=shape) < 1 - p


def binomial(shape, p, rng):
    return rng.binomial(1, 1 - p, size=shape)


def choice(shape, p, rng):
    return rng.choice([True, False], size=shape, p=[1 - p, p])


def by_rows(shape, p, rng):
    n = int(np.prod(shape[:-1]))
    return np.array([rng.random(shape[-1]) >= p for _ in range(n)]).reshape(shape)


EXERCISE = Exercise("dropout.keep_mask", keep_mask, cases, MISTAKES, variants=[uniform, binomial, choice, by_rows],
    points=1,
    why="The one random line of dropout; everything else follows from it.",
    hints=("`rng.random(shape)` draws uniformly from [0, 1), one number for each entry.",
           "With which probability is such a number smaller than p?"),
    driver=mask_driver, measure=statistics)  # fmt: skip
