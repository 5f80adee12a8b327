"""What the exercises on regularization have in common: what can be told of a random mask, and mistakes in several of them."""

import math

import numpy as np

from ...checks.drivers import WrongAnswer, kind
from ...checks.exercise import Case, Mistake, Rng, slip

# --- statistics of a mask -------------------------------------------------------------------------------------------


def share(flags, draws, *candidates):
    """The share of True among the flags: the first candidate within eight standard errors of it, else the nearest twentieth.

    So any two samples of one probability give one number, and nothing depends on what was drawn.
    """
    found = float(np.mean(flags))
    if found in (0.0, 1.0):
        return found

    def is_near(q):
        return abs(found - q) <= 8 * np.sqrt(q * (1 - q) / draws) + 1e-12

    return next(filter(is_near, (*candidates, round(20 * found) / 20)), found)


def draw(kept, second, again, p):
    """What can be told of a mask without knowing what was drawn: an example is a row here, whatever its shape."""
    sides = kept.reshape(len(kept), -1), kept.reshape(len(kept), -1).T
    rows, columns = (len({row.tobytes() for row in np.ascontiguousarray(side)}) for side in sides)
    own = rows / len(sides[0]), columns / len(sides[1])
    # Where rows or columns are copies of each other, far less was drawn than there are entries
    draws = kept.size if own[0] == 1.0 and (own[1] == 1.0 or len(kept) == 1) else rows * columns
    likely = (1.0 - p, p, 0.5, 1.0, 0.0, p * p, (1.0 - p) ** 2, 0.5 * math.erfc(p / math.sqrt(2.0)))
    return {
        "share of the entries that are kept": share(kept, draws, *likely),
        "examples are kept in part": yes(any(0.0 < row.mean() < 1.0 for row in sides[0])),
        "no two examples share a mask": yes(own[0] == 1.0),
        "no two units share a mask": yes(own[1] == 1.0),
        "the next call draws another mask": yes((kept != second).any()),
        "a generator with the same seed gives the same mask": yes((kept == again).all()),
    }


def yes(flag):
    return "yes" if flag else "no"


def exact_mask(rng, shape):
    """A mask that drops exactly one third, whatever the seed: none keeps or drops everything by chance."""
    n = int(np.prod(shape))
    return rng.permutation(n).reshape(shape) >= (n + 2) // 3


# --- a dropout that draws -------------------------------------------------------------------------------------------


def drawn_case(rng, name, shape, p, hidden=False, dtype=float, tolerance=None, generator=True, **options):
    """A case of a dropout that draws its mask from a generator; without one, the argument is None."""
    seed = int(rng.integers(2**31))
    # No entry of X or dY is 0, so that a 0 in the answer tells what was dropped
    X, dY = ((rng.uniform(0.5, 2.0, shape) * rng.choice([-1.0, 1.0], shape)).astype(dtype) for _ in range(2))
    made = Rng(seed) if generator else None
    extra = {"again": made}
    return Case(name, (X, p, made), options, dout=dY, extra=extra, hidden=hidden, tolerance=tolerance)


def dropout_driver(functions, case):
    """Forward three times (twice from one generator, once from a new one with the same seed), then back through the first."""
    forward, backward = functions
    X, p, rng = case.args

    def run(X, rng):
        result = forward(X, p, rng, **case.kwargs)
        if not isinstance(result, tuple) or len(result) != 2:
            raise WrongAnswer(
                f"the forward function returns the output and the cache, `Y, cache`; yours returned {kind(result)}"
            )
        Y, cache = result
        if np.shape(Y) != X.shape or np.asarray(Y).dtype.kind not in "biuf":
            raise WrongAnswer(f"the output has the shape of X, {X.shape}; yours is {kind(Y)}")
        return np.array(Y), cache

    # An answer that changes its X must fail for that alone
    untouched = X.copy()
    Y, cache = run(X, rng)
    second, again = run(untouched.copy(), rng)[0], run(untouched, case.extra["again"])[0]
    yield "forward", {"Y": Y, "second": second, "again": again}
    dX = backward(case.dout, cache)
    if np.shape(dX) != X.shape or np.asarray(dX).dtype.kind not in "biuf":
        raise WrongAnswer(f"the gradient has the shape of X, {X.shape}; yours is {kind(dX)}")
    yield "backward", {"Y": Y, "dX": np.array(dX)}


def scale(y, x):
    """The factor between two arrays where y is not 0, and whether it is one and the same for all entries."""
    there = y != 0
    if not there.any():
        return 0.0, yes(True)
    ratio = y[there].astype(float) / x[there]
    middle = float(np.median(ratio))
    return middle, yes(np.all(np.abs(ratio - middle) <= 1e-5 * abs(middle)))


def passed_on(value, case, p):
    """What can be told of a dropout's passes, forward or backward; p is the probability of dropping."""
    X = case.args[0]
    if "second" in value:
        factor, alike = scale(value["Y"], X)
        return {
            **draw(value["Y"] != 0, value["second"] != 0, value["again"] != 0, p),
            "factor of the kept entries": factor,
            "all kept entries have the same factor": alike,
        }
    factor, alike = scale(value["dX"], case.dout)
    agree = (value["Y"] != 0) == (value["dX"] != 0)
    return {
        "share of the entries whose gradient passes where, and only where, they did": share(
            agree, agree.size, 1.0, 1.0 - p, p, p * p + (1.0 - p) ** 2
        ),
        "factor of the gradient": factor,
        "all gradients have the same factor": alike,
    }


# --- hints ----------------------------------------------------------------------------------------------------------

SIGN = "The penalty is *added* to the loss: large weights cost something. With a minus they would pay."
MUTATES = "`*=` and `+=` write into the caller's array. Make a new one."
SWAPPED = (
    "p is taken for the probability of *keeping* (notes 004 write it so, E32). Here p is the probability of dropping."
)
POLARITY = "What was to be kept is dropped, and the other way round. Here True means kept."
P_FIXED = "Your function drops the same share of the entries in every case. The probability is an argument, `p`."
BACK_UNMASKED = "[The output is right.] On the way back everything passes: what was dropped had no influence on the loss, so what is its gradient?"

# --- mistakes -------------------------------------------------------------------------------------------------------


def mask_mistakes(shape):
    """The mistakes in drawing the mask ``rng.random(shape) >= p``; `shape` is what the solution calls it."""
    drawn = f"rng.random({shape}) >= p"
    return [
        Mistake("one_mask_for_all", slip(drawn, f"np.broadcast_to(rng.random({shape}[1:]) >= p, {shape}).copy()"),
            "All examples share one mask. Each entry of the array is dropped by itself."),
        Mistake("whole_rows",
            slip(drawn, f"np.broadcast_to(rng.random(({shape}[0], *[1] * (len({shape}) - 1))) >= p, {shape}).copy()"),
            "An example is dropped as a whole or not at all. Each entry is dropped by itself."),
        Mistake("mask_never_changes", slip("rng.random", "np.random.default_rng(0).random"),
            "Your function makes a new generator with a fixed seed: every call draws the same mask. Draw from the "
            "`rng` that is given."),
        Mistake("rng_ignored", slip("rng.random", "np.random.random"),
            "NumPy's global generator is used. Draw from `rng`, or nobody can repeat your training."),
    ]  # fmt: skip


# For solutions with M * X / (1 - p) forward and M * dY / (1 - p) backward
RULE = [
    Mistake("backward_unscaled", slip("M * dY / (1 - p)", "M * dY"),
        "[The output is right.] On the way back the factor 1/(1 − p) is missing: Y is X times a constant where it is "
        "kept, and so is the gradient."),
    Mistake("backward_unmasked", slip("M * dY /", "dY /"), BACK_UNMASKED),
    Mistake("backward_scaled_twice", slip("M * dY / (1 - p)", "M * dY / (1 - p) ** 2"),
        "[The output is right.] On the way back the factor stands there twice."),
    Mistake("not_rescaled", slip("M * X / (1 - p)", "M * X", "M * dY / (1 - p)", "M * dY"),
        "What is kept is not enlarged, so the sum over a layer shrinks by 1 − p in training and not in evaluation. "
        "Inverted dropout makes up for it at once."),
    Mistake("multiplied", slip("M * X / (1 - p)", "M * X * (1 - p)", "M * dY / (1 - p)", "M * dY * (1 - p)"),
        "What is kept gets smaller; it has to get larger, so that the mean over all masks is the whole network's."),
    Mistake("rescaled_by_kept_share",
        slip("M * X / (1 - p)", "M * X / np.mean(M)", "M * dY / (1 - p)", "M * dY / np.mean(M)"),
        "You divide by the share that was kept this time. Asked for is the probability, 1 − p, which does not change "
        "from mask to mask."),
    Mistake("mutates_input", slip("return M * X / (1 - p)", "X *= M\n    X /= 1 - p\n    return X"), MUTATES),
]  # fmt: skip
