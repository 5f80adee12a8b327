"""Regularization: the L2 penalty against PyTorch; dropout's mask by its statistics, its two passes by autograd."""

import numpy as np
import pytest
from common import Operation, fewer, flatten
from hypothesis import given
from hypothesis import strategies as st

from dlcourse import dropout, regularization

TESTED_BELOW = ["regularization.l2_grad"]


class SameDraws(np.random.Generator):
    """A generator that begins again with every call, so that two forward passes drop the same entries."""

    def __init__(self, seed):
        super().__init__(np.random.PCG64(seed))
        self.seed = seed

    def integers(self, *args, **options):
        return np.random.default_rng(self.seed).integers(*args, **options)

    def random(self, *args, **options):
        return np.random.default_rng(self.seed).random(*args, **options)


def dropout_inputs(train):
    def inputs(rng):
        shape = tuple(rng.integers(2, 7, size=rng.integers(1, 4)))
        # away from 0, so that what is dropped can be told from what is kept
        X = rng.uniform(0.5, 2.0, shape) * rng.choice([-1.0, 1.0], shape)
        return {"X": X, "p": 0.3, "rng": SameDraws(int(rng.integers(2**31))), "train": train}

    return inputs


def dropout_oracle(torch, X, p, rng, train):
    """PyTorch's words with our draws: what is kept of an array of ones is the mask."""
    if not train:
        return torch.nn.functional.dropout(X, p, training=False)
    kept, _ = dropout.dropout_forward(np.ones(X.shape), p, rng)
    return torch.mul(X, torch.tensor(kept != 0.0)) / (1 - p)


def classic_oracle(torch, X, p, rng, train):
    kept, _ = regularization.classic_dropout_forward(np.ones(X.shape), p, rng)
    return torch.mul(X, torch.tensor(kept))


BAD_DROPOUT = [
    ({"p": 1.0}, r"p: expected a number in \[0, 1\), got 1"),
    ({"p": -0.1}, r"p: expected a number in \[0, 1\), got -0.1"),
    ({"p": "half"}, "p: expected a number"),
    ({"rng": 0.5}, r"rng: expected a numpy.random.Generator"),
]

OPERATIONS = [
    Operation(
        "regularization.l2_penalty",
        "loss",
        lambda rng: {
            "weights": [rng.standard_normal((3, 2)), {"V": rng.standard_normal((2, 4))}],
            "lam": 0.3,
        },
        wrt=("weights",),
        gradient=lambda weights, lam: regularization.l2_grad(weights, lam),
        oracle=lambda torch, weights, lam: lam / 2 * sum(torch.linalg.norm(W) ** 2 for W in flatten(weights).values()),
        bad=[
            ({"lam": -1.0}, r"lam: expected a number in \[0, inf\), got -1"),
            ({"weights": []}, "weights: expected at least one array"),
            ({"weights": [np.ones(2), "b"]}, r"weights\[1\]: expected an array of numbers, got str"),
        ],
    ),
    Operation(
        "dropout.dropout",
        "pair",
        dropout_inputs(True),
        wrt=("X",),
        oracle=dropout_oracle,
        bad=[*BAD_DROPOUT, ({"rng": None}, "rng: expected a numpy.random.Generator")],
    ),
    Operation(
        "regularization.classic_dropout",
        "pair",
        dropout_inputs(True),
        wrt=("X",),
        oracle=classic_oracle,
        bad=[
            ({"p": 0.0}, r"p: expected a number in \(0, 1\], got 0"),
            ({"p": 1.1}, r"p: expected a number in \(0, 1\], got 1.1"),
            ({"p": "half"}, "p: expected a number"),
            ({"X": lambda X: X[:0]}, "X: expected at least one entry"),
            ({"rng": 0.5}, r"rng: expected a numpy.random.Generator"),
            ({"rng": None}, "rng: expected a numpy.random.Generator"),
        ],
    ),
]


def test_the_gradient_of_the_penalty_is_weight_decay():
    W = np.array([[1.0, -2.0], [0.0, 4.0]])
    # one step of gradient descent on the penalty alone: W shrinks by 1 − αλ
    np.testing.assert_allclose(W - 0.1 * regularization.l2_grad(W, 0.5), 0.95 * W, rtol=1e-15)
    assert regularization.l2_penalty(W, 0.5) == 0.25 * 21.0
    assert regularization.l2_penalty([W, W], 0.5) == 2 * regularization.l2_penalty(W, 0.5)
    assert regularization.l2_penalty([[1, 2], [3, 4]], 2) == 30.0
    zero = regularization.l2_grad(W, 0.0)
    assert not np.any(zero) and zero is not W
    with pytest.raises(TypeError, match="lam: expected a number"):
        regularization.l2_grad(W, None)
    with pytest.raises(TypeError, match="W: expected an array of numbers"):
        regularization.l2_grad("W", 1.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lambda_never_decides_the_dtype(dtype):
    W = np.ones((2, 2), dtype=dtype)
    assert regularization.l2_penalty(W, np.float64(0.1)).dtype == dtype
    assert regularization.l2_grad(W, np.float64(0.1)).dtype == dtype


# ---- dropout ----


def dropped_share(p, seed, n=400_000):
    Y, cache = dropout.dropout_forward(np.ones(n), p, np.random.default_rng(seed))
    assert cache.M.dtype == bool
    np.testing.assert_array_equal(Y, np.where(cache.M, 1.0 / (1.0 - p), 0.0))
    return float(np.mean(~cache.M))


@fewer(20)
@given(st.floats(0.0, 0.999), st.integers(0, 2**32 - 1))
def test_dropout_drops_a_share_p_and_keeps_the_expectation(p, seed):
    n = 400_000
    # six standard deviations of a binomial share
    assert abs(dropped_share(p, seed, n) - p) <= 6 * np.sqrt(p * (1 - p) / n) + 1 / n


@pytest.mark.parametrize("p", [2.0**-17, 2.0**-18, 0.5**16 * 1.5, 1 - 2.0**-17, 1 - 2.0**-18, 1 - 2.0**-20])
def test_dropout_is_exact_where_16_bits_are_not(p):
    """p·65536 would round to 0 or to 65536: nothing dropped at all, or everything. Here the share itself is p."""
    n = 4_000_000
    share = dropped_share(p, 11, n)
    spread = 5 * np.sqrt(p * (1 - p) / n)
    assert abs(share - p) <= spread and 0.0 < share < 1.0


def test_dropout_at_the_ends():
    X = np.array([[1.0, -2.0], [0.5, 3.0]])
    Y, cache = dropout.dropout_forward(X, 0.0, np.random.default_rng(0))
    np.testing.assert_array_equal(Y, X)
    assert not np.shares_memory(Y, X) and np.all(cache.M)
    almost_one = np.nextafter(1.0, 0.0)
    Y, _ = dropout.dropout_forward(X, almost_one, np.random.default_rng(0))
    assert not np.any(Y)
    tiny = np.nextafter(0.0, 1.0)
    np.testing.assert_array_equal(dropout.dropout_forward(X, tiny, np.random.default_rng(0))[0], X)
    assert dropout.dropout_forward(np.asarray(2.0), 0.5, np.random.default_rng(0))[0] in (0.0, 4.0)


def test_every_entry_is_dropped_by_itself():
    """No two neighbours, and no two of the four draws in a 64-bit number, go together."""
    _, cache = dropout.dropout_forward(np.ones((200_000, 4)), 0.5, np.random.default_rng(3))
    signs = 2.0 * cache.M - 1.0
    correlation = signs.T @ signs / len(signs)
    assert np.max(np.abs(correlation - np.eye(4))) < 5 / np.sqrt(len(signs))
    flat = np.ravel(signs)
    for lag in (1, 2, 3, 4, 5, 8):
        assert abs(np.mean(flat[lag:] * flat[:-lag])) < 5 / np.sqrt(flat.size)


@pytest.mark.parametrize("shape", [(1,), (3,), (4,), (5,), (2, 3), (7, 1, 3)])
def test_dropout_of_any_shape(shape):
    Y, cache = dropout.dropout_forward(np.ones(shape), 0.5, np.random.default_rng(1))
    assert Y.shape == cache.M.shape == shape
    np.testing.assert_array_equal(dropout.dropout_backward(np.ones(shape), cache), Y)


def test_the_same_generator_gives_the_same_mask_and_then_another():
    X, rng = np.ones(1000), np.random.default_rng(5)
    first, second = (dropout.dropout_forward(X, 0.5, rng)[0] for _ in range(2))
    again, _ = dropout.dropout_forward(X, 0.5, np.random.default_rng(5))
    np.testing.assert_array_equal(first, again)
    assert np.any(first != second)


@pytest.mark.parametrize("rng", [None, np.random.default_rng(0)])
def test_evaluation_changes_nothing(rng):
    X, dY = np.array([[1.0, -2.0]], dtype=np.float32), np.array([[0.5, 4.0]], dtype=np.float32)
    Y, cache = dropout.dropout_forward(X, 0.7, rng, train=False)
    dX = dropout.dropout_backward(dY, cache)
    np.testing.assert_array_equal(Y, X)
    np.testing.assert_array_equal(dX, dY)
    assert Y.dtype == dX.dtype == np.float32
    assert not np.shares_memory(Y, X) and not np.shares_memory(dX, dY)
    with pytest.raises(ValueError, match=r"dY: expected the output's shape \(1, 2\), got \(2,\)"):
        dropout.dropout_backward(dY[0], cache)


def test_both_conventions_agree_in_expectation():
    """E32: keep with q and multiply by q in evaluation, or drop with 1 − q and divide by q in training."""
    x, q = np.linspace(-1.0, 2.0, 5), 0.8
    X = np.tile(x, (100_000, 1))
    Y, cache = dropout.dropout_forward(X, 1 - q, np.random.default_rng(8))
    np.testing.assert_allclose(np.mean(Y, axis=0), x, atol=0.02)
    classic = np.where(cache.M, X, 0.0)
    np.testing.assert_allclose(np.mean(classic, axis=0), q * x, atol=0.02)
    np.testing.assert_allclose(Y, classic / q, rtol=1e-15)


# ---- classic dropout ----


def test_classic_dropout_keeps_with_p_and_scales_in_evaluation():
    X = np.full(100_000, 2.0)
    Y, cache = regularization.classic_dropout_forward(X, 0.8, np.random.default_rng(0))
    assert set(np.unique(Y)) == {0.0, 2.0}
    # Five standard deviations of the mean of 100,000 draws
    assert abs(Y.mean() - 1.6) < 5 * 2.0 * np.sqrt(0.8 * 0.2 / X.size)
    assert np.array_equal(regularization.classic_dropout_backward(X, cache), Y)
    Y, cache = regularization.classic_dropout_forward(X, 0.8, None, train=False)
    assert np.array_equal(Y, 0.8 * X)
    assert np.array_equal(regularization.classic_dropout_backward(X, cache), 0.8 * X)
    assert np.array_equal(regularization.classic_dropout_forward(X, 1.0, 0)[0], X)


def test_both_forms_drop_the_same_entries_of_one_seed():
    X = np.ones((50, 40))
    classic, _ = regularization.classic_dropout_forward(X, 0.75, np.random.default_rng(4))
    inverted, _ = dropout.dropout_forward(X, 0.25, np.random.default_rng(4))
    assert np.array_equal(classic, 0.75 * inverted)
