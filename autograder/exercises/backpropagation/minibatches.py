"""One epoch of minibatches in a random order."""

import numpy as np

from dlcourse import backpropagation

from ...checks.drivers import WrongAnswer, kind
from ...checks.exercise import Case, Exercise, Mistake, enlarged, slip

# --- solution -------------------------------------------------------------------------------------------------------


def minibatches(X, y, batch_size, rng):
    order = rng.permutation(len(X))
    for start in range(0, len(X), batch_size):
        chosen = order[start : start + batch_size]
        yield X[chosen], y[chosen]


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, batch_size, seed, shape=(3,), hidden=False):
        X = rng.standard_normal((N, *shape))
        return Case(name, (X, np.arange(N), batch_size), extra={"seed": seed}, hidden=hidden)

    return [
        case("53 examples by 8", 53, 8, 1),
        case("48 examples by 8", 48, 8, 2),
        case("one at a time, one input", 40, 1, 3, shape=(1,)),
        case("fewer examples than a minibatch holds", 5, 8, 4),
        enlarged(case("images", 40, 16, 5, shape=(2, 2, 1)), 0),
        case("61 examples by 7", 61, 7, 6, hidden=True),
    ]


def minibatches_driver(functions, case):
    """Calls for two epochs and for the first one again, and says what any random order has in common."""
    (batches,) = functions
    X, y, batch_size = case.args

    def epoch(rng):
        made = batches(X, y, batch_size, rng)
        if isinstance(made, str) or not hasattr(made, "__iter__"):
            raise WrongAnswer(f"the function yields pairs `X_batch, y_batch`; yours returned {kind(made)}")
        pairs = []
        for item in made:
            if not isinstance(item, tuple | list) or len(item) != 2:
                raise WrongAnswer(f"each minibatch is a pair `X_batch, y_batch`; yours is {kind(item)}")
            pairs.append((np.array(item[0]), np.array(item[1])))
            if len(pairs) > 2 * len(X):
                raise WrongAnswer(f"there are {len(X)} examples, and you yield more than {2 * len(X)} minibatches")
        return pairs

    def order(pairs):
        """The examples by number: y holds the numbers."""
        return np.concatenate([t for _, t in pairs]) if pairs else np.array([])

    rng = np.random.default_rng(case.extra["seed"])
    first, second = epoch(rng), epoch(rng)
    again = epoch(np.random.default_rng(case.extra["seed"]))
    yield "sizes", {"examples in each minibatch": [len(x) for x, _ in first]}

    seen = order(first)
    counts = np.bincount(seen.astype(int), minlength=len(y))
    together = all(x.shape == (len(t), *X.shape[1:]) and np.array_equal(x, X[t.astype(int)]) for x, t in first)
    twice, never = (counts > 1).any(), (counts == 0).any()
    if not together:
        told = "targets of other examples"
    elif twice and never:
        told = "some twice, some never"
    else:
        told = "some twice" if twice else "some never" if never else "each once"
    yield "every example once", told

    told = "a new one in every epoch, drawn by rng"
    # With few examples any order may come by chance
    if len(y) > 30 and together:
        neighbours = all(np.array_equal(np.sort(t), np.arange(t.min(), t.max() + 1)) for _, t in first)
        if np.array_equal(seen, np.sort(seen)):
            told = "that of X"
        elif neighbours and batch_size > 1:
            told = "blocks of neighbours"
        elif not np.array_equal(seen, order(again)):
            told = "not decided by rng"
        elif np.array_equal(seen, order(second)):
            told = "the same in the second epoch"
    yield "order", told


# --- mistakes -------------------------------------------------------------------------------------------------------

BLOCK = "order[start : start + batch_size]"

MISTAKES = [
    Mistake("never_shuffled", slip("rng.permutation", "np.arange"),
        "The examples come in the order of X. Draw an order from `rng` first."),
    Mistake("last_batch_dropped", slip("range(0, len(X), batch_size)", "range(0, len(X) - batch_size + 1, batch_size)"),
        "Where N is not a multiple of the batch size some examples are never seen. The last, smaller minibatch is "
        "kept."),
    Mistake("drawn_with_replacement", slip("rng.permutation(len(X))", "rng.integers(0, len(X), len(X))"),
        "Some examples come twice, others not at all: permute, do not draw with replacement."),
    Mistake("targets_not_shuffled", slip("y[chosen]", "y[start : start + batch_size]"),
        "X is shuffled, y is not, or otherwise: examples get each other's targets. Use one order for both."),
    Mistake("seeded_inside", slip("rng.permutation", "np.random.default_rng(0).permutation"),
        "You make a new generator, so every epoch has the same order. Draw from the `rng` that is given."),
    Mistake("global_random", slip("rng.permutation", "np.random.permutation"),
        "The order comes from NumPy's global generator: the same `rng` gives another order each time, and no run can "
        "be repeated."),
    Mistake("shuffled_in_place",
        slip("    for", "    X[:], y[:] = X[order], y[order]\n    for", BLOCK, "slice(start, start + batch_size)"),
        "The caller's X and y are shuffled. Shuffle the numbers 0…N−1 and index with them."),
    Mistake("count_for_size",
        slip(f"for start in range(0, len(X), batch_size):\n        chosen = {BLOCK}\n",
             "for chosen in np.array_split(order, batch_size):\n"),
        "`batch_size` is the number of examples in a minibatch, not the number of minibatches."),
    Mistake("last_batch_filled_up",
        slip("rng.permutation(len(X))", "np.resize(rng.permutation(len(X)), -(-len(X) // batch_size) * batch_size)"),
        "The last minibatch is filled up with examples that have been there already. It may be smaller."),
    # The smaller one stays at the end
    Mistake("only_batches_shuffled",
        slip("order = rng.permutation(len(X))",
             "starts = rng.permutation(np.arange(0, len(X), batch_size))\n"
             "    starts = sorted(starts, key=lambda start: start + batch_size > len(X))",
             "in range(0, len(X), batch_size)", "in starts",
             BLOCK, "slice(start, start + batch_size)"),
        "The minibatches come in random order, but each holds neighbours of X. Where X is sorted by class every "
        "minibatch then holds a single class: shuffle the examples."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def sorted_by_key(X, y, batch_size, rng):
    order = np.argsort(rng.random(len(X)))
    return [[X[part], y[part]] for part in np.split(order, range(batch_size, len(X), batch_size)) if len(part)]


def popped(X, y, batch_size, rng):
    left = list(range(len(X)))
    while left:
        chosen = [left.pop(int(rng.integers(len(left)))) for _ in range(min(batch_size, len(left)))]
        yield np.stack([X[i] for i in chosen]), np.array([y[i] for i in chosen])


EXERCISE = Exercise("backpropagation.minibatches", backpropagation.minibatches, cases, MISTAKES,
    variants=[sorted_by_key, popped], solution=minibatches, points=2,
    why="A few lines that every training loop has, and where a slip makes training worse without any error.",
    hints=("`rng.permutation(len(X))` is an order of all examples.",
           "Walk through it in slices of `batch_size`; a slice past the end is simply shorter.",
           "A function with `yield` in it hands out one pair after the other; a list of pairs is right, too."),
    driver=minibatches_driver, parts=("sizes", "every example once", "order"), together=True)  # fmt: skip
