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
        (lambda rng: datasets.standardize(np.ones((2, 3)), like=np.ones((2, 2))), ValueError, "like: expected shape"),
    ],
)
def test_bad_calls_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call(np.random.default_rng(0))
