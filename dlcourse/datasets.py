"""Data: two small real sets and a piece of prose inside the package, and seeded
synthetic sets.

Real data comes with its source and licence in ``dlcourse/data/README.md``.
Synthetic sets are drawn from the generator that is passed in, so the same seed
gives the same points.
"""

import csv
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from ._array import array_namespace, as_indices, from_numpy, is_array
from ._checks import check_choice, check_integer, check_number, check_rng, check_shapes, from_list

__all__ = [
    "Dataset",
    "Split",
    "alice",
    "alice_runs",
    "alice_weights",
    "blobs",
    "digits",
    "iris",
    "minibatches",
    "moons",
    "spirals",
    "split",
    "standardize",
    "xor",
]


def __dir__():
    return __all__


_DATA = files("dlcourse") / "data"


class Dataset(NamedTuple):
    """X: the examples, rows (or images) first; y: integer labels 0…K−1; names: the K
    classes' names.
    """

    X: np.ndarray
    y: np.ndarray
    names: tuple


class Split(NamedTuple):
    """The parts of a dataset; those for validation are None where none was asked for."""

    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    X_validation: np.ndarray | None = None
    y_validation: np.ndarray | None = None


def iris():
    """Fisher's iris, X (150, 4): sepal length, sepal width, petal length, petal width in
    cm; three species.

    Returns
    -------
    Dataset (X, y, names).

    Notes
    -----
    Source: Fisher (1936), The use of multiple measurements in taxonomic problems; UCI,
    doi:10.24432/C56C76, CC BY 4.0.

    Examples
    --------
    >>> X, y, names = iris()
    >>> X.shape, [names[k] for k in (y[0], y[50], y[149])]
    ((150, 4), ['setosa', 'versicolor', 'virginica'])
    """
    with (_DATA / "iris.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    names = ("setosa", "versicolor", "virginica")
    X = np.array([[float(x) for x in row[:4]] for row in rows])
    return Dataset(X, np.array([names.index(row[4]) for row in rows]), names)


def digits():
    """Handwritten digits, X (1797, 8, 8, 1): grey values scaled to 0…1, images of one
    channel; ten classes.

    Returns
    -------
    Dataset (X, y, names).

    Notes
    -----
    Source: Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits; UCI,
    doi:10.24432/C50P49, CC BY 4.0.

    Examples
    --------
    >>> X, y, names = digits()
    >>> X.shape, float(X.max()), y[:5].tolist()
    ((1797, 8, 8, 1), 1.0, [0, 1, 2, 3, 4])
    """
    with (_DATA / "digits.npz").open("rb") as file, np.load(file) as stored:
        images, labels = stored["images"], stored["labels"]
    return Dataset(images[..., None] / 16.0, labels.astype(np.intp), tuple("0123456789"))


def alice():
    """The first four chapters of Alice's Adventures in Wonderland as one text of plain
    ASCII, a paragraph a line.

    Returns
    -------
    str.

    Notes
    -----
    Source: Lewis Carroll (1865), public domain.

    Examples
    --------
    >>> text = alice()
    >>> text[:44]
    'Alice was beginning to get very tired of sit'
    """
    return (_DATA / "alice.txt").read_text(encoding="ascii")


def alice_runs():
    """How well language models of `alice` did, model by model, rate by rate, seed by seed.

    Returns
    -------
    Structured array, a row for each evaluation: `model` ("gpt" or "lstm"), `width`,
    `share` of the training text that was used, `steps` of the whole run, `lr`, `seed`,
    `at` (the step of the evaluation), and losses in nats for a character: `training`
    (mean of the batches since the last evaluation, with dropout) and `validation`.

    Notes
    -----
    Made by ``python -m benchmarks.alice runs`` in a clone of the project.

    Examples
    --------
    >>> runs = alice_runs()
    >>> sorted(set(runs["model"].tolist()))
    ['gpt', 'lstm']
    """
    with (_DATA / "alice_runs.csv").open(encoding="ascii") as file:
        return np.genfromtxt(file, delimiter=",", names=True, dtype=None, encoding="ascii")


def alice_weights(model):
    """The file with the weights of a longer run on `alice`, for `Network.load`.

    Parameters
    ----------
    model : "gpt" or "lstm".

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ValueError : there are no weights of such a model.

    Notes
    -----
    Made by ``python -m benchmarks.alice weights`` in a clone of the project, in half
    precision. The text is in small letters; the symbols are its characters, sorted.

    Examples
    --------
    >>> alice_weights("gpt").name
    'alice_gpt.npz'
    """
    check_choice("model", model, ("gpt", "lstm"))
    return _DATA / f"alice_{model}.npz"


def blobs(rng, N=200, K=3, spread=1.0):
    """K round clouds of points in the plane, X (N, 2), their centres 4 apart on a circle's
    rim.

    Parameters
    ----------
    rng : numpy.random.Generator or seed.
    N : points, spread evenly over the classes.
    K : clouds, at least 2; each is a class.
    spread : standard deviation of a cloud in either direction.

    Returns
    -------
    Dataset (X, y, names).

    Examples
    --------
    >>> X, y, _ = blobs(np.random.default_rng(0), N=9, K=3)
    >>> np.bincount(y).tolist()
    [3, 3, 3]
    """
    N, K = check_integer("N", N), check_integer("K", K, minimum=2)
    spread = check_number("spread", spread, low=0.0, include_high=False)
    rng = check_rng(rng)
    y = _shuffled_labels(rng, N, K)
    angle = 2 * np.pi * np.arange(K) / K
    radius = 2.0 / np.sin(np.pi / K)
    centres = radius * np.column_stack([np.cos(angle), np.sin(angle)])
    return Dataset(centres[y] + spread * rng.standard_normal((N, 2)), y, _names(K))


def moons(rng, N=200, noise=0.1):
    """Two half circles that reach into each other, X (N, 2).

    Parameters
    ----------
    rng : numpy.random.Generator or seed.
    N : points.
    noise : standard deviation of what is added to both coordinates; the half circles
        have radius 1.

    Returns
    -------
    Dataset (X, y, names).

    Examples
    --------
    >>> moons(np.random.default_rng(0), N=10).X.shape
    (10, 2)
    """
    N, noise = check_integer("N", N), check_number("noise", noise, low=0.0, include_high=False)
    rng = check_rng(rng)
    y = _shuffled_labels(rng, N, 2)
    t = np.pi * rng.random(N)
    upper = np.column_stack([np.cos(t), np.sin(t)])
    lower = np.column_stack([1.0 - np.cos(t), 0.5 - np.sin(t)])
    return Dataset(np.where(y[:, None] == 0, upper, lower) + noise * rng.standard_normal((N, 2)), y, _names(2))


def xor(rng, N=200, noise=0.15):
    """Four clouds at the corners (±1, ±1), the class 1 where the signs differ, X (N, 2):
    no line separates them.

    Parameters
    ----------
    rng : numpy.random.Generator or seed.
    N : points.
    noise : standard deviation of a cloud in either direction.

    Returns
    -------
    Dataset (X, y, names).

    Examples
    --------
    >>> X, y, _ = xor(np.random.default_rng(0), noise=0.0)
    >>> bool(np.all(y == (X[:, 0] * X[:, 1] < 0)))
    True
    """
    N, noise = check_integer("N", N), check_number("noise", noise, low=0.0, include_high=False)
    rng = check_rng(rng)
    corner = _shuffled_labels(rng, N, 4)
    X = np.column_stack([2 * (corner % 2) - 1, 2 * (corner // 2) - 1]) + noise * rng.standard_normal((N, 2))
    return Dataset(X, np.isin(corner, (1, 2)).astype(np.intp), _names(2))


def spirals(rng, N=300, K=3, noise=0.1, turns=0.75):
    """K spiral arms wound round the origin, X (N, 2) within about the unit circle.

    Parameters
    ----------
    rng : numpy.random.Generator or seed.
    N : points, spread evenly over the classes.
    K : arms, at least 2; each is a class.
    noise : standard deviation of what is added to the angle, in radians.
    turns : how often an arm winds round the origin.

    Returns
    -------
    Dataset (X, y, names).

    Examples
    --------
    >>> X, y, _ = spirals(np.random.default_rng(0), N=300, noise=0.0)
    >>> float(np.linalg.norm(X, axis=1).max().round(2))
    1.0
    """
    N, K = check_integer("N", N), check_integer("K", K, minimum=2)
    noise = check_number("noise", noise, low=0.0, include_high=False)
    turns = check_number("turns", turns, include_low=False, include_high=False)
    rng = check_rng(rng)
    y = _shuffled_labels(rng, N, K)
    r = np.linspace(0.05, 1.0, N)[rng.permutation(N)]
    angle = 2 * np.pi * (y / K + turns * r) + noise * rng.standard_normal(N)
    return Dataset(r[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]), y, _names(K))


def split(X, y, rng, test=0.25, validation=0.0):
    """A random division into examples for training, for test, and for validation where
    asked for.

    Parameters
    ----------
    X : (N, ...) array, examples. y : (N, ...) array, their labels or targets. Of whole
        numbers (N,), each part gets each label's share, up to one example (it is
        *stratified*).
    rng : numpy.random.Generator or seed, draws who goes where.
    test : the test examples' share, between 0 and 1.
    validation : the share of those set aside for choosing, such as a learning rate or
        when to stop, at least 0; test and validation together leave something to train
        on. Each part that is asked for gets at least one example.

    Returns
    -------
    Split (X_train, y_train, X_test, y_test, X_validation, y_validation); the last two
    are None without `validation`.

    Raises
    ------
    ValueError : X and y differ in length, there are fewer examples than parts, `test`
        is not between 0 and 1, or the shares leave nothing to train on.

    Examples
    --------
    >>> X, y, _ = iris()
    >>> parts = split(X, y, np.random.default_rng(0), test=0.2, validation=0.2)
    >>> [len(part) for part in (parts.X_train, parts.X_test, parts.X_validation)]
    [90, 30, 30]
    >>> np.bincount(parts.y_test)
    array([10, 10, 10])
    """
    rng = check_rng(rng)
    X, y = np.asarray(X), np.asarray(y)
    check_number("test", test, low=0.0, high=1.0, include_low=False, include_high=False)
    check_number("validation", validation, low=0.0, high=1.0, include_high=False)
    count = 3 if validation else 2
    if len(X) != len(y) or len(X) < count:
        raise ValueError(f"y: expected one label for each of at least {count} examples, got {len(X)} and {len(y)}")
    if test + validation >= 1.0:
        raise ValueError(f"test, validation: expected shares with a sum below 1, got {test} and {validation}")
    N = len(X)
    order = as_indices(rng.permutation(N))
    if y.ndim == 1 and y.dtype.kind in "biu":
        order = order[_evenly(y[order])]
    n_test = min(max(round(N * test), 1), N + 1 - count)
    n_validation = min(max(round(N * validation), 1), N - 1 - n_test) if validation else 0
    chosen = [rng.permutation(part) for part in np.split(order, [n_test, n_test + n_validation])]
    pairs = [(X[part], y[part]) for part in chosen]
    return Split(*pairs[2], *pairs[0], *(pairs[1] if validation else ()))


def _evenly(y):
    """An order of the labels in which every run has about each label's share."""
    place = np.empty(len(y))
    for label in np.unique(y):
        at = np.flatnonzero(y == label)
        place[at] = (np.arange(len(at)) + 0.5) / len(at)
    return np.argsort(place, kind="stable")


def standardize(X, like=None):
    """X with each column's mean taken off and divided by its standard deviation, both
    measured on `like` (default: X).

    A column that never changes is only centred.

    Parameters
    ----------
    X : (N, D) array, examples as rows.
    like : (M, D) array, what mean and deviation are taken of: the training examples,
        where X are the test's.

    Returns
    -------
    (N, D) array.

    Raises
    ------
    ValueError : the two have different columns, or no examples.

    Examples
    --------
    >>> standardize(np.array([[1.0, 5.0], [3.0, 5.0]]))
    array([[-1.,  0.],
           [ 1.,  0.]])
    """
    X, like = check_shapes("N D, M D", X=X, like=X if like is None else like)
    deviation = like.std(axis=0)
    return (X - like.mean(axis=0)) / np.where(deviation > 0.0, deviation, 1.0)


def minibatches(X, y, batch_size, rng):
    """One epoch of minibatches in a fresh random order.

    Parameters
    ----------
    X : (N, ...) array, the examples along the first axis.
    y : (N, ...) array, their targets.
    batch_size : examples in a minibatch, at least 1; the last one is smaller where N is
        no multiple of it.
    rng : numpy.random.Generator or seed, draws the order.

    Yields
    ------
    (X_batch, y_batch), every example exactly once.

    Raises
    ------
    ValueError : X and y differ in length or are empty, or `batch_size` is below 1.

    Examples
    --------
    >>> X = np.arange(5.0)[:, None]
    >>> [len(y_batch) for _, y_batch in minibatches(X, np.arange(5), 2, rng=0)]
    [2, 2, 1]
    """
    batch_size = check_integer("batch_size", batch_size)
    rng = check_rng(rng)
    X, y = _as_array("X", X), _as_array("y", y)
    N = X.shape[0] if X.ndim else 0
    if N == 0:
        raise ValueError(f"X: expected at least one example along the first axis, got shape {tuple(X.shape)}")
    if y.ndim == 0 or y.shape[0] != N:
        raise ValueError(f"y: expected {N} targets, one for each example in X, got shape {tuple(y.shape)}")
    return _batches(X, y, batch_size, as_indices(rng.permutation(N)))


def _as_array(name, x):
    x = from_list(name, x)
    if not is_array(x):
        raise TypeError(f"{name}: expected an array, got {type(x).__name__}")
    return x


def _batches(X, y, batch_size, order):
    xp = array_namespace(X)
    for start in range(0, len(order), batch_size):
        chosen = from_numpy(order[start : start + batch_size], like=X)
        yield xp.take(X, chosen, axis=0), xp.take(y, chosen, axis=0)


def _shuffled_labels(rng, N, K):
    """N labels, as equally often as N allows, in random order."""
    return rng.permutation(np.arange(N) % K)


def _names(K):
    return tuple(f"class {k}" for k in range(K))
