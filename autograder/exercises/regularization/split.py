"""Examples divided into parts for training, for choosing and for the test."""

import numpy as np

from dlcourse import datasets

from ...checks.drivers import WrongAnswer, kind
from ...checks.exercise import Case, Exercise, Mistake, enlarged, slip

# --- solution -------------------------------------------------------------------------------------------------------


def split(X, y, rng, test=0.25, validation=0.0):
    N, count = len(X), 3 if validation else 2
    order = rng.permutation(N)
    if y.ndim == 1 and y.dtype.kind in "iu":
        # Each label's examples spread evenly over the order: every piece of it has about its share
        place = np.zeros(N)
        for label in np.unique(y):
            own = order[y[order] == label]
            place[own] = (np.arange(len(own)) + 0.5) / len(own)
        order = order[np.argsort(place[order])]
    n_test = min(max(round(N * test), 1), N + 1 - count)
    n_validation = min(max(round(N * validation), 1), N - 1 - n_test) if validation else 0
    chosen, choosing, rest = np.split(order, [n_test, n_test + n_validation])
    if not validation:
        return X[rest], y[rest], X[chosen], y[chosen], None, None
    return X[rest], y[rest], X[chosen], y[chosen], X[choosing], y[choosing]


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, y, seed, shape=(3,), hidden=False, **shares):
        X = rng.standard_normal((len(y), *shape))
        return Case(name, (X, np.asarray(y)), shares, extra={"seed": seed}, hidden=hidden)

    def labels(*counts, shuffled=True):
        every = np.repeat(np.arange(len(counts)), counts)
        return rng.permutation(every) if shuffled else every

    return [
        case("60 examples of three classes, sorted", labels(30, 20, 10, shuffled=False), 1, test=0.2, validation=0.2),
        enlarged(case("no validation", labels(24, 24, 23), 2), 0),
        case("shares of 0.3 and 0.12", labels(50, 30), 3, test=0.3, validation=0.12),
        enlarged(case("targets, no labels", rng.standard_normal(64), 4, (1,), test=0.25, validation=0.125), 0, 1),
        case("four examples", rng.standard_normal(4), 5, test=0.1, validation=0.1),
        case("three examples for three parts", rng.standard_normal(3), 6, test=0.6, validation=0.3),
        case("four examples, most of them to choose with", rng.standard_normal(4), 7, test=0.2, validation=0.7),
        enlarged(case("three examples, most of them to test with", rng.standard_normal(3), 8, test=0.9), 0, 1),
        case("images, two outputs", rng.integers(0, 9, (70, 2)), 9, (2, 2, 1), test=0.3, validation=0.2),
        case("90 examples, a rare class", labels(60, 21, 9), 10, validation=1 / 3, test=1 / 3, hidden=True),
    ]


def split_driver(functions, case):
    """Splits three times, twice with one generator and once as at first: what any random division has in common."""
    (divide,) = functions
    X, y = case.args
    wanted = "the six values are X_train, y_train, X_test, y_test, X_validation, y_validation"

    def parts(rng):
        made = divide(X, y, rng, **case.kwargs)
        if not isinstance(made, tuple | list) or len(made) != 6:
            raise WrongAnswer(f"{wanted}; yours returned {kind(made)}")
        if (made[4] is None) != (made[5] is None) or any(x is None for x in made[:4]):
            raise WrongAnswer(f"{wanted}, the last two None without a validation part")
        pairs = dict(zip(("train", "test", "validation"), zip(made[::2], made[1::2], strict=True), strict=True))
        found = {name: (np.array(x), np.array(t)) for name, (x, t) in pairs.items() if x is not None}
        if any(array.ndim == 0 for pair in found.values() for array in pair):
            raise WrongAnswer(f"{wanted}, each an array of examples or of their targets")
        return found

    def numbers(x):
        """Which examples these are, -1 for what is none."""
        if x.shape[1:] != X.shape[1:]:
            return np.full(len(x), -1)
        found = (x.reshape(len(x), 1, X[0].size) == X.reshape(1, len(X), X[0].size)).all(axis=2)
        return np.where(found.any(axis=1), found.argmax(axis=1), -1)

    def first_of(*wrong, right):
        """The text of the first condition that holds."""
        return next((text for holds, text in wrong if holds), right)

    rng = np.random.default_rng(case.extra["seed"])
    first, second = parts(rng), parts(rng)
    again = parts(np.random.default_rng(case.extra["seed"]))
    yield "sizes", {name: len(x) for name, (x, _) in first.items()}

    places, later, same = ({name: numbers(x) for name, (x, _) in made.items()} for made in (first, second, again))
    seen = np.concatenate(list(places.values()))
    counts = np.bincount(seen[seen >= 0], minlength=len(X))
    yield (
        "every example once",
        first_of(
            ((seen < 0).any(), "some are not examples of X"),
            (
                any(not np.array_equal(t, y[places[name]]) for name, (_, t) in first.items()),
                "targets of other examples",
            ),
            ((counts > 1).any(), "some in two parts"),
            ((counts == 0).any(), "some in no part"),
            right="each in one part, with its target",
        ),
    )

    # Of few examples any division may come by chance
    many = len(X) > 30 and (seen >= 0).all()
    pieces = all(len(place) == 0 or np.ptp(place) == len(place) - 1 for place in places.values())
    yield (
        "division",
        first_of(
            (many and pieces, "pieces of X in their order"),
            (
                many and any(not np.array_equal(place, same[name]) for name, place in places.items()),
                "not decided by rng",
            ),
            (many and all(set(place) == set(later[name]) for name, place in places.items()), "the same each time"),
            right="drawn by rng, another one each time",
        ),
    )

    due = {label: np.mean(y == label) for label in np.unique(y)} if y.ndim == 1 and y.dtype.kind in "iu" else {}
    off = [abs(np.sum(t == label) - share * len(t)) for label, share in due.items() for _, t in first.values()]
    yield "labels", first_of((max(off, default=0) > 1, "other shares"), right="each label's share in each part")


# --- mistakes -------------------------------------------------------------------------------------------------------

SIZES = "    n_test = min("
SPREAD = "order = order[np.argsort(place[order])]"

MISTAKES = [
    Mistake("not_stratified", slip(SPREAD, "pass"),
        "With labels each part should have each label's share. Divide class by class, or spread every class evenly "
        "over the order."),
    Mistake("not_shuffled", slip("rng.permutation(N)", "np.arange(N)", SPREAD, "pass"),
        "The parts are pieces of X as it lies there. Where X is sorted by class, a part then lacks whole classes: draw "
        "an order from `rng` first."),
    Mistake("order_within_classes_not_drawn", slip("rng.permutation(N)", "np.arange(N)"),
        "The shares of the labels are kept, but within a class always the same examples go to the test. Draw an order "
        "from `rng`, also for targets that are not labels."),
    Mistake("validation_ignored",
        slip(SIZES, f"    validation = 0.0\n{SIZES}"),
        "The validation part is missing. Where `validation` is above 0 a third part is set aside."),
    Mistake("validation_is_test",
        slip("X[choosing], y[choosing]", "X[chosen], y[chosen]"),
        "What you return for validation is the test part again. Choosing on the test examples is what the third part "
        "is there to prevent."),
    Mistake("validation_from_training",
        slip("X[rest], y[rest], X[chosen], y[chosen], X[choosing]",
             "X[np.r_[choosing, rest]], y[np.r_[choosing, rest]], X[chosen], y[chosen], X[choosing]"),
        "The validation examples are among the training examples, too. A network knows by heart what it was trained "
        "on: they must be in one part only."),
    Mistake("validation_of_the_rest", slip("round(N * validation)", "round((N - n_test) * validation)"),
        "You take the validation part's share of what the test has left over. Both are shares of *all* examples."),
    Mistake("parts_swapped",
        slip("return X[rest], y[rest], X[chosen], y[chosen], X[choosing], y[choosing]",
             "return X[rest], y[rest], X[choosing], y[choosing], X[chosen], y[chosen]"),
        "Test and validation have changed their places, or their shares. The order is training, test, validation."),
    Mistake("train_and_test_swapped",
        slip("X[rest], y[rest], X[chosen], y[chosen], None", "X[chosen], y[chosen], X[rest], y[rest], None",
             "X[rest], y[rest], X[chosen], y[chosen], X[", "X[chosen], y[chosen], X[rest], y[rest], X["),
        "Training and test have changed their places: `test` is the share of the test examples, and the training part "
        "comes first."),
    Mistake("arrays_before_targets",
        slip("X[rest], y[rest], X[chosen], y[chosen], None", "X[rest], X[chosen], y[rest], y[chosen], None",
             "X[rest], y[rest], X[chosen], y[chosen], X[", "X[rest], X[chosen], y[rest], y[chosen], X["),
        "The order is another library's, X of both parts first. Here each part's X is followed by its "
        "y.", convention=True),
    Mistake("targets_not_shuffled",
        slip("y[rest], X[chosen], y[chosen], None", "y[n_test:], X[chosen], y[:n_test], None",
             "y[rest], X[chosen], y[chosen], X[choosing], y[choosing]",
             "y[n_test + n_validation :], X[chosen], y[:n_test], X[choosing], y[n_test : n_test + n_validation]"),
        "The examples are shuffled, the targets are not: index both with the same numbers."),
    Mistake("drawn_with_replacement",
        slip("rng.permutation(N)", "rng.integers(0, N, N)", "place[own] =", "place[own] = 0 *"),
        "Some examples come twice, others not at all: permute, do not draw with replacement."),
    Mistake("empty_parts",
        slip("max(round(N * test), 1)", "round(N * test)", "max(round(N * validation), 1)", "round(N * validation)"),
        "With few examples a part comes out empty. Each part that is asked for gets at least one."),
    Mistake("rounded_down", slip("round(N * test)", "int(N * test)", "round(N * validation)", "int(N * validation)"),
        "You cut the decimals off, and 0.3 · 80 may be 23.999…: round to the nearest number."),
    Mistake("seeded_inside", slip("rng.permutation", "np.random.default_rng(0).permutation"),
        "You make a new generator, so every call divides alike, whatever `rng` is. Draw from the one that is given."),
    Mistake("global_random", slip("rng.permutation", "np.random.permutation"),
        "NumPy's global generator is used: nobody can get the same division again. Draw from `rng`."),
    Mistake("shuffled_in_place",
        slip("order = rng.permutation(N)", "order = rng.permutation(N)\n    X[:], y[:] = X[order], y[order]"),
        "The caller's X and y are shuffled. Shuffle the numbers 0…N−1 and index with them."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def by_rank(X, y, rng, test=0.25, validation=0.0):
    """Loops; the training part is what is left."""
    N, draws = len(X), rng.random(len(X))
    keys = draws
    if np.ndim(y) == 1 and np.issubdtype(y.dtype, np.integer):
        keys = []
        for label, draw in zip(y, draws, strict=True):
            rivals = [other for t, other in zip(y, draws, strict=True) if t == label]
            keys.append((sum(other < draw for other in rivals) + 0.5) / len(rivals))
    left = sorted(range(N), key=keys.__getitem__)
    made = []
    for share, parts_to_come in ((test, 2 if validation else 1), (validation, 1)):
        if share == 0:
            made += [None, None]
            continue
        size = int(np.clip(np.rint(N * share), 1, len(left) - parts_to_come))
        part = [left.pop() for _ in range(size)]
        made += [X[part], y[part]]
    return [X[left], y[left], *made]


EXERCISE = Exercise("datasets.split", datasets.split, cases, MISTAKES, variants=[by_rank], solution=split, points=2,
    why="A number that was chosen with the test examples says nothing about new ones. The validation part is for "
        "choosing.",
    hints=("An order from `rng.permutation(N)`; the first part of it is the test, the next the validation, the rest is "
           "for training.",
           "round(N·test) and round(N·validation), each at least 1.",
           "Stratified: give every example a place between 0 and 1 within its class, (k + ½)/n for the k-th of n in "
           "the drawn order, and sort all examples by that place."),
    driver=split_driver, parts=("sizes", "every example once", "division", "labels"), together=True)  # fmt: skip
