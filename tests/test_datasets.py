"""The data: what it holds, that a seed fixes it, and what is said about a bad call."""

import numpy as np
import pytest

from dlcourse import datasets

SYNTHETIC = {"blobs": 3, "moons": 2, "xor": 2, "spirals": 3}


@pytest.mark.parametrize("name", SYNTHETIC)
def test_a_seed_fixes_the_points(name):
    make, K = getattr(datasets, name), SYNTHETIC[name]
    X, y, names = make(np.random.default_rng(3), N=41)
    again = make(np.random.default_rng(3), N=41)
    assert np.array_equal(X, again.X) and np.array_equal(y, again.y)
    assert not np.array_equal(X, make(np.random.default_rng(4), N=41).X)
    assert X.shape == (41, 2) and X.dtype == np.float64 and np.all(np.isfinite(X))
    counts = np.bincount(y, minlength=K)
    assert len(names) == K == len(counts) and np.ptp(counts) <= (1 if name != "xor" else 2)


@pytest.mark.parametrize("name, K", [("iris", 3), ("digits", 10)])
def test_real_data_is_whole(name, K):
    X, y, names = getattr(datasets, name)()
    assert len(X) == len(y) and sorted(np.unique(y)) == list(range(K)) and len(names) == K
    assert X.dtype == np.float64 and np.all(np.isfinite(X)) and X.min() >= 0.0
    assert datasets.alice().isascii() and len(datasets.alice()) > 10_000


def test_spirals_turn_as_often_as_asked():
    X, y, _ = datasets.spirals(np.random.default_rng(0), N=600, K=2, noise=0.0, turns=2.0)
    arm = X[y == 0]
    arm = arm[np.argsort(np.linalg.norm(arm, axis=1))]
    angle = np.unwrap(np.arctan2(arm[:, 1], arm[:, 0]))
    assert (angle[-1] - angle[0]) / (2 * np.pi) == pytest.approx(2.0 * 0.95, abs=0.05)


@pytest.mark.parametrize("share, expected", [(0.25, 2), (0.01, 1), (0.99, 9)])
def test_a_split_holds_every_example_once(share, expected):
    X, y = np.arange(20.0).reshape(10, 2), np.arange(10)
    parts = datasets.split(X, y, np.random.default_rng(0), test=share)
    assert len(parts.X_test) == len(parts.y_test) == expected
    both = np.concatenate([parts.y_train, parts.y_test])
    assert sorted(both) == list(range(10))
    assert np.array_equal(np.concatenate([parts.X_train, parts.X_test]), X[both])
    assert parts.X_validation is None and parts.y_validation is None


@pytest.mark.parametrize(
    "test, validation, sizes",
    [(0.25, 0.25, (6, 2, 2)), (0.01, 0.01, (8, 1, 1)), (0.9, 0.05, (1, 8, 1)), (0.1, 0.89, (1, 1, 8))],
)
def test_a_split_in_three_holds_every_example_once(test, validation, sizes):
    y = np.arange(10.0)
    parts = datasets.split(y[:, None], y, np.random.default_rng(0), test=test, validation=validation)
    three = parts.y_train, parts.y_test, parts.y_validation
    assert tuple(map(len, three)) == sizes
    assert sorted(np.concatenate(three)) == list(range(10))
    assert np.array_equal(parts.X_validation[:, 0], parts.y_validation)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool])
def test_each_part_has_each_labels_share(dtype):
    y = np.repeat([0, 1], [100, 60]).astype(dtype)
    for seed in range(20):
        parts = datasets.split(y, y, np.random.default_rng(seed), test=0.2, validation=0.3)
        counts = [np.bincount(part).tolist() for part in (parts.y_train, parts.y_test, parts.y_validation)]
        assert np.abs(np.array(counts) - [[50, 30], [20, 12], [30, 18]]).max() <= 1
    # Who goes where is drawn, and so is the order in a part
    two = [datasets.split(np.arange(160), y, np.random.default_rng(seed)) for seed in (0, 1)]
    assert set(two[0].X_test) != set(two[1].X_test)
    assert np.flatnonzero(np.diff(two[0].y_train.astype(int))).size > 20


def test_a_label_of_one_example_goes_somewhere():
    parts = datasets.split(np.arange(5), np.array([0, 0, 0, 0, 7]), np.random.default_rng(0), test=0.4, validation=0.2)
    assert sorted([*parts.X_train, *parts.X_test, *parts.X_validation]) == [0, 1, 2, 3, 4]


def test_test_examples_are_standardized_with_what_training_saw():
    X, other = np.array([[0.0, 1.0], [4.0, 1.0]]), np.array([[2.0, 1.0], [6.0, 2.0]])
    assert datasets.standardize(X).tolist() == [[-1.0, 0.0], [1.0, 0.0]]
    assert datasets.standardize(other, like=X).tolist() == [[0.0, 0.0], [2.0, 1.0]]


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda rng: datasets.blobs(0.5), TypeError, r"rng: expected a numpy\.random\.Generator"),
        (lambda rng: datasets.blobs(rng, N=0), ValueError, "N: expected a whole number of at least 1, got 0"),
        (lambda rng: datasets.blobs(rng, K=1), ValueError, "K: expected a whole number of at least 2, got 1"),
        (lambda rng: datasets.blobs(rng, spread=-1.0), ValueError, r"spread: expected a number in \[0, inf\)"),
        (lambda rng: datasets.moons(rng, noise="much"), TypeError, "noise: expected a number"),
        (lambda rng: datasets.xor(rng, noise=-0.1), ValueError, "noise: expected a number"),
        (lambda rng: datasets.spirals(rng, turns=np.inf), ValueError, "turns: expected a number"),
        (lambda rng: datasets.split([[1.0]] * 3, [1, 2], rng), ValueError, "y: expected one label for each"),
        (lambda rng: datasets.split([[1.0]] * 3, [1, 2, 3], rng, test=1.0), ValueError, r"test: expected .* \(0, 1\)"),
        (
            lambda rng: datasets.split([[1.0]] * 3, [1, 2, 3], rng, test=0.5, validation=0.5),
            ValueError,
            "test, validation: expected shares with a sum below 1, got 0.5 and 0.5",
        ),
        (
            lambda rng: datasets.split([[1.0]] * 2, [1, 2], rng, validation=0.2),
            ValueError,
            "y: expected one label for each of at least 3 examples, got 2 and 2",
        ),
        (lambda rng: datasets.split([[1.0]] * 3, [1, 2, 3], rng, validation=-0.1), ValueError, "validation: expected"),
        (lambda rng: datasets.standardize(np.ones((2, 3)), like=np.ones((2, 2))), ValueError, "like: expected shape"),
    ],
)
def test_bad_calls_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call(np.random.default_rng(0))
