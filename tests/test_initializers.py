"""Initializers: their distributions, the statistics of what passes through layers, and that nothing is left to chance."""

import math

import numpy as np
import pytest
import scipy.stats
from common import Operation
from hypothesis import given
from hypothesis import strategies as st

from dlcourse import activations, initializers
from dlcourse.initializers import INITIALIZERS, calculate_gain, fans

SEED = 7

OPERATIONS = [
    Operation(
        "initializers.calculate_gain",
        "plain",
        lambda rng: {"activation": str(rng.choice(["sigmoid", "tanh", "relu", "leaky_relu"])), "slope": rng.uniform()},
        oracle=lambda torch, activation, slope: torch.nn.init.calculate_gain(activation, slope),
        bad=[
            ({"activation": "softmax"}, "activation: expected one of 'linear', .*; got 'softmax'"),
            ({"activation": None}, "activation: expected one of"),
            ({"activation": "leaky_relu", "slope": "steep"}, "slope: expected a number"),
        ],
    ),
]
# Draws from a generator take no arrays: nothing of theirs has a dtype to keep or a backend to stay on
TESTED_BELOW = [
    "initializers.fans",
    *(
        f"initializers.{name}"
        for name in [
            "zeros",
            "normal",
            "uniform_fan_in",
            "xavier_uniform",
            "xavier_normal",
            "he_uniform",
            "he_normal",
            "scaled_normal",
            "orthogonal",
        ]
    ),
]

# name -> (options, the distribution for fan_in, fan_out)
DISTRIBUTIONS = {
    "normal": ({"std": 0.3}, lambda i, o: scipy.stats.norm(scale=0.3)),
    "uniform_fan_in": ({}, lambda i, o: uniform(1 / math.sqrt(i))),
    "xavier_uniform": ({"gain": 1.5}, lambda i, o: uniform(1.5 * math.sqrt(6 / (i + o)))),
    "xavier_normal": ({"gain": 1.5}, lambda i, o: scipy.stats.norm(scale=1.5 * math.sqrt(2 / (i + o)))),
    "he_uniform": ({}, lambda i, o: uniform(math.sqrt(6 / i))),
    "he_normal": ({}, lambda i, o: scipy.stats.norm(scale=math.sqrt(2 / i))),
    "scaled_normal": ({"gain": 1.5}, lambda i, o: scipy.stats.norm(scale=1.5 / math.sqrt(i))),
}


def uniform(bound):
    return scipy.stats.uniform(-bound, 2 * bound)


@pytest.mark.parametrize(
    ("shape", "fan_in", "fan_out"), [((300, 100), 300, 100), ((3, 2, 40, 100), 240, 600), ((1, 30_000), 1, 30_000)]
)
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_weights_follow_their_distribution(name, shape, fan_in, fan_out):
    options, distribution = DISTRIBUTIONS[name]
    W = INITIALIZERS[name](shape, np.random.default_rng(SEED), **options)
    expected = distribution(fan_in, fan_out)
    assert W.shape == shape and W.dtype == np.float64
    assert scipy.stats.kstest(W.ravel(), expected.cdf).pvalue > 1e-3
    # a scale that is wrong by a tenth does not pass: the test has the power it needs
    assert scipy.stats.kstest(1.1 * W.ravel(), expected.cdf).pvalue < 1e-3
    assert np.std(W) == pytest.approx(expected.std(), rel=0.02)
    low, high = expected.support()
    assert low <= W.min() and W.max() <= high


@pytest.mark.parametrize("name", ["xavier", "he"])
def test_uniform_and_normal_have_the_same_variance(name):
    shape = (500, 200)
    uniform_W, normal_W = (
        INITIALIZERS[f"{name}_{kind}"](shape, np.random.default_rng(SEED)) for kind in ("uniform", "normal")
    )
    assert np.std(uniform_W) == pytest.approx(np.std(normal_W), rel=0.02)


def test_gains():
    assert [calculate_gain(name) for name in ("linear", "identity", "sigmoid", "tanh")] == [1.0, 1.0, 1.0, 5 / 3]
    assert calculate_gain("relu") == math.sqrt(2) == calculate_gain("leaky_relu", slope=0)
    assert calculate_gain("leaky_relu") == math.sqrt(2 / 1.0001)
    assert calculate_gain("leaky_relu", slope=1) == 1.0


def test_fans():
    assert fans((784, 10)) == (784, 10) and fans([2, 3]) == (2, 3)
    assert fans((3, 5, 16, 32)) == (3 * 5 * 16, 3 * 5 * 32)
    assert fans(np.zeros((4, 2)).shape) == (4, 2)
    for shape in ((3,), (), (2, 3, 4), 5, (1, 2, 3, 4, 5)):
        with pytest.raises(ValueError, match=r"shape: expected \(fan_in, fan_out\) or \(kh, kw, c_in, c_out\)"):
            fans(shape)
    for shape in ("ab", None, (2.0, 3), (True, 2), 1.5):
        with pytest.raises(TypeError, match="shape: expected a tuple of whole numbers"):
            fans(shape)


def std_after(layers, width, weights, activation, rng):
    """Root mean square of the activations of a standard normal batch after so many layers."""
    f, _ = activations.ACTIVATIONS[activation]
    A = rng.standard_normal((200, width))
    for _ in range(layers):
        A = f(A @ weights((width, width), rng))
    return np.sqrt(np.mean(A**2))


@pytest.mark.parametrize(
    ("weights", "activation"),
    [
        (initializers.he_normal, "relu"),
        (initializers.he_uniform, "relu"),
        (initializers.scaled_normal, "identity"),
        (initializers.xavier_uniform, "identity"),
        (initializers.xavier_normal, "identity"),
        (initializers.orthogonal, "identity"),
        (lambda shape, rng: initializers.scaled_normal(shape, rng, calculate_gain("leaky_relu", 0.01)), "leaky_relu"),
    ],
)
def test_twenty_layers_keep_the_scale(weights, activation):
    assert 0.4 < std_after(20, 400, weights, activation, np.random.default_rng(SEED)) < 2.0


def test_what_the_slips_do_after_a_few_layers():
    """E02 and E03: with the notes' formulas the signal is gone."""
    slope = 0.2
    rng = np.random.default_rng(SEED)

    def leaky(gain):
        A = rng.standard_normal((200, 400))
        for _ in range(20):
            A = activations.leaky_relu(A @ initializers.scaled_normal((400, 400), rng, gain), slope=slope)
        return np.std(A)

    assert leaky(math.sqrt(1 / (1 + slope**2))) < 0.003 < 0.5 < leaky(calculate_gain("leaky_relu", slope)) < 2.0
    variance_for_std = lambda shape, rng: initializers.normal(shape, rng, std=1 / shape[0])
    assert std_after(5, 400, variance_for_std, "identity", rng) < 1e-6
    assert 0.9 < std_after(5, 400, initializers.scaled_normal, "identity", rng) < 1.1


@given(st.integers(1, 8), st.integers(1, 8), st.floats(0.1, 3.0), st.integers(0, 2**32 - 1))
def test_orthogonal_matrices_keep_lengths(rows, columns, gain, seed):
    W = initializers.orthogonal((rows, columns), np.random.default_rng(seed), gain)
    G = W.T @ W if rows >= columns else W @ W.T
    np.testing.assert_allclose(G, gain**2 * np.eye(min(rows, columns)), atol=1e-13 * gain**2)


def test_orthogonal_filters_are_an_orthogonal_matrix():
    W = initializers.orthogonal((3, 3, 4, 6), np.random.default_rng(SEED))
    W = W.reshape(36, 6)
    np.testing.assert_allclose(W.T @ W, np.eye(6), atol=1e-13)


def test_every_rotation_is_as_likely_as_any_other():
    """Without the signs of R taken out, LAPACK's convention would show in the mean and in the determinants."""
    rng = np.random.default_rng(SEED)
    draws = np.stack([initializers.orthogonal((3, 3), rng) for _ in range(4000)])
    assert np.max(np.abs(draws.mean(axis=0))) < 5 / math.sqrt(3 * 4000)
    assert abs(np.mean(np.linalg.det(draws))) < 5 / math.sqrt(4000)
    # for a rotation of the sphere each coordinate of a column is uniform on [−1, 1]
    for i, j in np.ndindex(3, 3):
        assert scipy.stats.kstest(draws[:, i, j], uniform(1.0).cdf).pvalue > 1e-4


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_generator_alone_decides(name):
    first, second = (INITIALIZERS[name]((4, 3), np.random.default_rng(SEED)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    rng = np.random.default_rng(SEED)
    W, V = INITIALIZERS[name]((4, 3), rng), INITIALIZERS[name]((4, 3), rng)
    assert np.array_equal(W, V) == (name == "zeros")
    assert name == "zeros" or len(np.unique(W)) == W.size  # equal weights would stay equal


def test_shapes_may_be_one_number_where_no_fan_is_needed():
    assert initializers.zeros(3).tolist() == [0.0, 0.0, 0.0] and initializers.zeros(()).shape == ()
    assert initializers.normal(3, np.random.default_rng(0)).shape == (3,)
    assert not np.any(initializers.normal((2, 2), np.random.default_rng(0), std=0.0))
    assert not np.any(initializers.xavier_uniform((2, 2), np.random.default_rng(0), gain=0.0))


@pytest.mark.parametrize("name", INITIALIZERS)
def test_bad_input_is_named(name):
    rng = np.random.default_rng(0)
    initialize = INITIALIZERS[name]
    for shape, error, match in [
        ((3, 0), ValueError, r"shape: expected at least 1 along each axis, got \(3, 0\)"),
        ((-1, 2), ValueError, "shape: expected at least 1 along each axis"),
        ((3, 2.0), TypeError, r"shape: expected a tuple of whole numbers, got \(3, 2.0\)"),
        ("ab", TypeError, "shape: expected a tuple of whole numbers, got 'ab'"),
        (None, TypeError, "shape: expected a tuple of whole numbers, got None"),
    ]:
        with pytest.raises(error, match=match):
            initialize(shape, rng)
    if name not in ("zeros", "normal"):
        with pytest.raises(ValueError, match=r"shape: expected \(fan_in, fan_out\) or .*, got \(3,\)"):
            initialize((3,), rng)
    if name != "zeros":
        for wrong in (0.5, "0", None, np.random):
            with pytest.raises(TypeError, match=r"rng: expected a numpy\.random\.Generator"):
                initialize((3, 2), wrong)


@pytest.mark.parametrize(
    ("name", "option"),
    [("normal", "std"), *((n, "gain") for n in ("xavier_uniform", "xavier_normal", "scaled_normal", "orthogonal"))],
)
def test_bad_options_are_named(name, option):
    for value in (-1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match=rf"{option}: expected a number in \[0, inf\), got"):
            INITIALIZERS[name]((3, 2), np.random.default_rng(0), **{option: value})
    with pytest.raises(TypeError, match=rf"{option}: expected a number in \[0, inf\), got 'big'"):
        INITIALIZERS[name]((3, 2), np.random.default_rng(0), **{option: "big"})


def test_zeros():
    b = initializers.zeros((2, 3))
    assert b.shape == (2, 3) and b.dtype == np.float64 and not np.any(b) and b is not initializers.zeros((2, 3))
