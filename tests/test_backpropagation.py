"""Backpropagation and gradient checking: networks against autograd, the checkers against functions with known gradients."""

import math
from itertools import pairwise

import numpy as np
import pytest
from common import Operation, map_arrays
from hypothesis import given
from hypothesis import strategies as st

from dlcourse import activations, layers, losses
from dlcourse.backpropagation import (
    columns_from_rows,
    minibatches,
    mlp_backward,
    mlp_forward,
    mlp_init,
    mlp_loss,
    rows_from_columns,
    two_layer_backward,
    two_layer_forward,
)
from dlcourse.gradient_checking import check_grad, complex_step_grad, numerical_grad, relative_error

TESTED_BELOW = [
    "backpropagation.mlp_init",
    "backpropagation.minibatches",
    "gradient_checking.numerical_grad",
    "gradient_checking.complex_step_grad",
    "gradient_checking.check_grad",
]


def network(rng, sizes):
    """Random weights and biases of a network."""
    return [(rng.standard_normal((n, m)) / math.sqrt(n), 0.3 * rng.standard_normal(m)) for n, m in pairwise(sizes)]


def mlp_inputs(activation):
    def inputs(rng):
        sizes = rng.integers(2, 5, size=rng.integers(2, 5)).tolist()
        X = rng.standard_normal((int(rng.integers(1, 6)), sizes[0]))
        return {"X": X, "params": network(rng, sizes), "activation": activation}

    return inputs


def loss_inputs(rng):
    inputs = mlp_inputs("tanh")(rng)
    K = len(inputs["params"][-1][1])
    labels = rng.integers(0, K, size=len(inputs["X"]))
    return {"X": inputs["X"], "labels": labels, "params": inputs["params"], "activation": "tanh", "weight_decay": 0.3}


def two_layer_inputs(rng):
    N, D, H, K = rng.integers(1, 6, size=4)
    (W, b), (V, c) = network(rng, [D, H, K])
    return {"X": rng.standard_normal((N, D)), "W": W, "b": b, "V": V, "c": c, "g": "sigmoid"}


def in_torch(torch, X, params, activation):
    g = {"relu": torch.relu, "tanh": torch.tanh, "gelu": torch.nn.functional.gelu, "sigmoid": torch.sigmoid}[activation]
    for W, b in params[:-1]:
        X = g(torch.nn.functional.linear(X, W.T, b))
    return torch.nn.functional.linear(X, params[-1][0].T, params[-1][1])


def loss_in_torch(torch, X, labels, params, activation, weight_decay):
    params = [(W.clone().requires_grad_(), b.clone().requires_grad_()) for W, b in params]
    J = torch.nn.functional.cross_entropy(in_torch(torch, X, params, activation), labels)
    J = J + 0.5 * weight_decay * sum(torch.linalg.matrix_norm(W) ** 2 for W, _ in params)
    J.backward()
    return J, [(W.grad, b.grad) for W, b in params]


def second(change):
    """The parameters with the second entry of the first pair changed, as a test's bad input."""
    return lambda params: [(params[0][0], change(params[0][1])), *params[1:]]


BAD_PARAMS = [
    ({"params": []}, r"params: expected a list of at least one pair \(W, b\), got list \[\]"),
    ({"params": None}, "params: expected a list of at least one pair"),
    ({"params": lambda params: [(*params[0], 1.0), *params[1:]]}, r"params\[0\]: expected a pair \(W, b\), got tuple"),
    ({"params": second(lambda b: b[:, None])}, r"params\[0\] b: expected shape \(S1,\)"),
    ({"params": second(lambda b: b[:-1])}, r"params\[0\] b: expected shape \(S1,\) with"),
    ({"params": lambda params: [*params, (np.ones((9, 2)), np.ones(2))]}, r"params\[\d\] W: expected .* got \(9, 2\)"),
    ({"X": lambda X: X[:, :-1]}, r"expected"),
    ({"X": lambda X: X[0]}, r"X: expected shape \(N, S0\), got"),
    ({"activation": "softmax"}, "activation: expected one of 'identity', .*; got 'softmax'"),
]


def mlp(activation):
    return Operation(
        "backpropagation.mlp",
        "pair",
        mlp_inputs(activation),
        wrt=("params",),
        oracle=lambda torch, X, params, activation: in_torch(torch, X, params, activation),
        bad=BAD_PARAMS,
    )


OPERATIONS = [
    mlp("tanh"),
    Operation(
        "backpropagation.mlp_loss",
        "plain",
        loss_inputs,
        oracle=loss_in_torch,
        bad=[
            *BAD_PARAMS,
            ({"labels": lambda labels: labels + 99}, r"labels: expected labels 0…\d, got \d+"),
            ({"labels": lambda labels: labels[:-1]}, "labels: expected"),
            ({"weight_decay": -0.1}, r"weight_decay: expected a number in \[0, inf\), got -0.1"),
            ({"weight_decay": "some"}, "weight_decay: expected a number"),
        ],
    ),
    Operation(
        "backpropagation.two_layer",
        "pair",
        two_layer_inputs,
        wrt=("W", "b", "V", "c"),
        oracle=lambda torch, X, W, b, V, c, g: in_torch(torch, X, [(W, b), (V, c)], g),
        bad=[
            ({"V": lambda V: V[None]}, r"V: expected shape \(H, K\) with H = \d as in W"),
            ({"c": lambda c: np.append(c, 1.0)}, r"c: expected shape \(K,\) with K = \d as in V"),
            ({"b": lambda b: b[:, None]}, r"b: expected shape \(H,\) with H = \d as in W"),
            ({"g": "step"}, "g: expected one of 'identity', .*; got 'step'"),
        ],
    ),
    Operation(
        "backpropagation.columns_from_rows",
        "plain",
        lambda rng: {"params": network(rng, rng.integers(1, 5, size=3))},
        oracle=lambda torch, params: [(W.T, b[:, None]) for W, b in params],
        bad=BAD_PARAMS[:2] + [({"params": second(lambda b: b[:, None])}, r"params\[0\] b: expected shape \(K,\)")],
    ),
    Operation(
        "backpropagation.rows_from_columns",
        "plain",
        lambda rng: {"params": [(W.T.copy(), b[:, None]) for W, b in network(rng, rng.integers(1, 5, size=3))]},
        oracle=lambda torch, params: [(W.T, b[:, 0]) for W, b in params],
        bad=BAD_PARAMS[:2] + [({"params": second(lambda b: b[:, 0])}, r"params\[0\] b: expected shape \(K, 1\)")],
    ),
    Operation(
        "gradient_checking.relative_error",
        "plain",
        lambda rng: {"a": rng.standard_normal((3, 2)), "b": rng.standard_normal((3, 2))},
        oracle=lambda torch, a, b: ((a - b).abs() / (a.abs() + b.abs())).max(),
        bad=[
            ({"b": lambda b: b[:1]}, r"b: expected the shape of a, \(3, 2\), got \(1, 2\)"),
            ({"a": None}, "a: expected"),
        ],
    ),
]


@pytest.mark.parametrize("activation", ["relu", "gelu", "sigmoid", "tanh"])
def test_deep_networks_equal_autograd_with_every_activation(activation):
    torch = pytest.importorskip("torch", reason="PyTorch, the live oracle, is not installed")
    rng = np.random.default_rng(5)
    X, params, dU = rng.standard_normal((7, 5)), network(rng, [5, 6, 4, 3, 2]), rng.standard_normal((7, 2))
    U, cache = mlp_forward(X, params, activation)
    tensors = map_arrays(lambda x: torch.tensor(x, requires_grad=True), params)
    expected = in_torch(torch, torch.tensor(X), tensors, activation)
    expected.backward(torch.tensor(dU))
    np.testing.assert_allclose(U, expected.detach().numpy(), rtol=1e-12)
    for (dW, db), (W, b) in zip(mlp_backward(dU, cache), tensors, strict=True):
        np.testing.assert_allclose(dW, W.grad.numpy(), rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(db, b.grad.numpy(), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("activation", activations.ACTIVATIONS)
def test_the_loss_passes_the_gradient_check_with_every_activation(activation):
    rng = np.random.default_rng(11)
    X, labels, params = rng.standard_normal((6, 4)), rng.integers(0, 3, 6), network(rng, [4, 5, 3])
    _, grads = mlp_loss(X, labels, params, activation, weight_decay=0.1)
    for l in range(2):
        for i in range(2):
            loss = lambda _: mlp_loss(X, labels, params, activation, weight_decay=0.1)[0]
            report = check_grad(loss, lambda _, l=l, i=i: grads[l][i], params[l][i], tolerance=1e-7)
            assert report, report


def test_a_network_by_hand():
    """The notes' network with two hidden units, worked out on paper for one example."""
    params = [(np.array([[1.0, -2.0], [0.0, 1.0]]), np.array([0.0, 1.0])), (np.array([[3.0], [5.0]]), np.array([-1.0]))]
    U, cache = mlp_forward(np.array([[2.0, 1.0]]), params)  # z = (2, −2), h = (2, 0)
    assert U.tolist() == [[5.0]]
    (dW, db), (dV, dc) = mlp_backward(np.array([[10.0]]), cache)
    assert dV.tolist() == [[20.0], [0.0]] and dc.tolist() == [10.0]
    assert dW.tolist() == [[60.0, 0.0], [30.0, 0.0]] and db.tolist() == [30.0, 0.0]


def test_two_layers_are_the_notes_formulas():
    """000: ∇_Z J = ∇_U J Vᵀ · g′(Z), with the three deltas of the layers."""
    rng = np.random.default_rng(2)
    X, D = rng.standard_normal((5, 3)), rng.uniform(size=(5, 2))
    (W, b), (V, c) = network(rng, [3, 4, 2])
    U, cache = two_layer_forward(X, W, b, V, c, "tanh")
    H = np.tanh(X @ W + b)
    np.testing.assert_allclose(U, H @ V + c, rtol=1e-14)
    for dU in (
        layers.linear_delta(D, U),
        layers.sigmoid_layer_delta(D, U),
        layers.softmax_layer_delta([0, 1, 1, 0, 1], U),
    ):
        dW, db, dV, dc = two_layer_backward(dU, cache)
        dZ = dU @ V.T * (1 - H**2)
        for actual, expected in ((dW, X.T @ dZ), (db, dZ.sum(0)), (dV, H.T @ dU), (dc, dU.sum(0))):
            np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-14)


def test_the_default_activations():
    rng = np.random.default_rng(3)
    X, params = rng.standard_normal((4, 3)), network(rng, [3, 5, 2])
    np.testing.assert_array_equal(mlp_forward(X, params)[0], mlp_forward(X, params, activation="relu")[0])
    (W, b), (V, c) = params
    np.testing.assert_array_equal(two_layer_forward(X, W, b, V, c)[0], mlp_forward(X, params, "sigmoid")[0])


def test_one_layer_is_the_linear_layer():
    rng = np.random.default_rng(4)
    X, [(W, b)] = rng.standard_normal((4, 3)), network(rng, [3, 2])
    U, cache = mlp_forward(X, [(W, b)])
    expected, linear = layers.linear_forward(X, W, b)
    np.testing.assert_array_equal(U, expected)
    for actual, gradient in zip(mlp_backward(U, cache)[0], layers.linear_backward(U, linear)[1:], strict=True):
        np.testing.assert_array_equal(actual, gradient)


@given(st.integers(0, 2**32 - 1))
def test_the_order_and_number_of_examples_do_not_matter_to_a_mean(seed):
    rng = np.random.default_rng(seed)
    inputs = loss_inputs(rng)
    X, labels, rest = inputs.pop("X"), inputs.pop("labels"), inputs
    order = rng.permutation(len(X))
    J, grads = mlp_loss(X, labels, **rest)
    for other in (mlp_loss(X[order], labels[order], **rest), mlp_loss(np.tile(X, (3, 1)), np.tile(labels, 3), **rest)):
        assert other[0] == pytest.approx(J, rel=1e-12)
        for pair, other_pair in zip(grads, other[1], strict=True):
            for x, y in zip(pair, other_pair, strict=True):
                np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-13)


def test_a_batch_s_gradient_is_the_mean_over_its_examples():
    inputs = loss_inputs(np.random.default_rng(0)) | {"weight_decay": 0.0}
    X, labels = inputs["X"], inputs["labels"]
    _, grads = mlp_loss(**inputs)
    each = [mlp_loss(**inputs | {"X": X[p : p + 1], "labels": labels[p : p + 1]})[1] for p in range(len(X))]
    for l, (dW, db) in enumerate(grads):
        np.testing.assert_allclose(dW, np.mean([g[l][0] for g in each], axis=0), rtol=1e-10, atol=1e-14)
        np.testing.assert_allclose(db, np.mean([g[l][1] for g in each], axis=0), rtol=1e-10, atol=1e-14)


def test_weight_decay_is_for_weights_only():
    inputs = loss_inputs(np.random.default_rng(1))
    J, grads = mlp_loss(**inputs | {"weight_decay": 0.0})
    J_decay, grads_decay = mlp_loss(**inputs | {"weight_decay": 0.5})
    assert J_decay - J == pytest.approx(0.25 * sum(np.sum(W**2) for W, _ in inputs["params"]), rel=1e-12)
    for (W, _), (dW, db), (dW_decay, db_decay) in zip(inputs["params"], grads, grads_decay, strict=True):
        np.testing.assert_allclose(dW_decay - dW, 0.5 * W, rtol=1e-12, atol=1e-15)
        np.testing.assert_array_equal(db, db_decay)


def test_labels_may_be_probabilities():
    inputs = loss_inputs(np.random.default_rng(6))
    K = len(inputs["params"][-1][1])
    J, grads = mlp_loss(**inputs)
    J_soft, grads_soft = mlp_loss(**inputs | {"labels": layers.one_hot(inputs["labels"], K)})
    assert J_soft == pytest.approx(J, rel=1e-14)
    np.testing.assert_allclose(grads_soft[0][0], grads[0][0], rtol=1e-12, atol=1e-15)


def test_logits_of_a_thousand_raise_no_warning():
    params = [(1000.0 * np.eye(2), np.zeros(2)), (np.eye(2), np.zeros(2))]
    J, grads = mlp_loss(np.eye(2), np.array([0, 0]), params)
    assert J == 500.0 and all(np.all(np.isfinite(x)) for pair in grads for x in pair)


def test_lists_are_welcome():
    U, cache = mlp_forward([[1, 2]], [([[1, 0], [0, 1]], [0, 0]), ([[1], [1]], [1])])
    assert U.tolist() == [[4.0]]
    assert [x.tolist() for pair in mlp_backward([[1]], cache) for x in pair] == [
        [[1.0, 1.0], [2.0, 2.0]],
        [1.0, 1.0],
        [[1.0], [2.0]],
        [1.0],
    ]


def test_the_orientations_compute_the_same_network():
    """E42: rows, Z = A W + b, and columns, Z = W A + b u, of the same parameters and the same gradients."""
    rng = np.random.default_rng(8)
    X, rows = rng.standard_normal((5, 3)), network(rng, [3, 4, 2])
    (W, b), (V, c) = columns = columns_from_rows(rows)
    assert [x.shape for x in (W, b, V, c)] == [(4, 3), (4, 1), (2, 4), (2, 1)]
    U, cache = mlp_forward(X, rows, "tanh")
    A = np.tanh(W @ X.T + b)
    np.testing.assert_allclose((V @ A + c).T, U, rtol=1e-13)
    (dW, db), (dV, dc) = columns_from_rows(mlp_backward(U, cache))
    delta = (V.T @ U.T) * (1 - A**2)
    for actual, expected in ((dV, U.T @ A.T), (dc, U.T.sum(1, keepdims=True)), (dW, delta @ X)):
        np.testing.assert_allclose(actual, expected, rtol=1e-12)
    np.testing.assert_allclose(db, delta.sum(1, keepdims=True), rtol=1e-12)
    for pair, back in zip(rows, rows_from_columns(columns), strict=True):
        for x, y in zip(pair, back, strict=True):
            np.testing.assert_array_equal(x, y)
    for x in (W, b, *[x for pair in rows_from_columns(columns) for x in pair]):
        assert not any(np.shares_memory(x, y) for pair in rows for y in pair)


def test_mlp_init():
    params = mlp_init([50, 40, np.int64(3)], np.random.default_rng(0))
    assert [(W.shape, b.shape) for W, b in params] == [((50, 40), (40,)), ((40, 3), (3,))]
    assert not any(np.any(b) for _, b in params)
    assert np.max(np.abs(params[0][0])) <= math.sqrt(6 / 50) and np.std(params[0][0]) == pytest.approx(0.2, rel=0.05)
    assert mlp_init((2, 1), np.random.default_rng(0), initializer="zeros")[0][0].tolist() == [[0.0], [0.0]]
    again = mlp_init([50, 40, 3], np.random.default_rng(0))
    np.testing.assert_array_equal(params[1][0], again[1][0])


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"sizes": [3]}, ValueError, r"sizes: expected a list \[D, …, K\] of at least two sizes, got \[3\]"),
        ({"sizes": 3}, ValueError, "sizes: expected a list"),
        ({"sizes": [3, 0]}, ValueError, r"sizes\[1\]: expected a whole number of at least 1, got 0"),
        ({"sizes": [3, 2.5]}, TypeError, r"sizes\[1\]: expected a whole number"),
        (
            {"rng": 0.5},
            TypeError,
            "rng: expected a numpy.random.Generator, or a whole number as the seed of one, got 0.5",
        ),
        ({"rng": -1}, ValueError, "rng: expected a whole number of at least 0, got -1"),
        ({"initializer": "he"}, ValueError, "initializer: expected one of 'zeros', .*; got 'he'"),
        ({"initializer": None}, ValueError, "initializer: expected one of"),
    ],
)
def test_mlp_init_names_bad_input(change, error, match):
    with pytest.raises(error, match=match):
        mlp_init(**{"sizes": [3, 2], "rng": np.random.default_rng(0)} | change)


def test_equal_weights_stay_equal():
    """Why weights begin at random: hidden units that begin alike learn alike."""
    rng = np.random.default_rng(0)
    X, labels = rng.standard_normal((20, 3)), rng.integers(0, 2, 20)
    params = [(np.full((3, 4), 0.1), np.zeros(4)), (np.full((4, 2), 0.1), np.zeros(2))]
    for _ in range(5):
        _, grads = mlp_loss(X, labels, params, "tanh")
        params = [(W - dW, b - db) for (W, b), (dW, db) in zip(params, grads, strict=True)]
    W = params[0][0]
    np.testing.assert_allclose(W, W[:, :1] * np.ones(4), rtol=1e-12)


def test_gradient_descent_learns_xor():
    X, labels = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    params = mlp_init([2, 8, 2], np.random.default_rng(1), "xavier_uniform")
    for _ in range(500):
        J, grads = mlp_loss(X, labels, params, "tanh")
        params = [(W - dW, b - db) for (W, b), (dW, db) in zip(params, grads, strict=True)]
    assert J < 0.05 and np.array_equal(np.argmax(mlp_forward(X, params, "tanh")[0], axis=1), labels)


# Minibatches


@given(st.integers(1, 30), st.integers(1, 35), st.integers(0, 2**32 - 1))
def test_minibatches_hold_every_example_once(N, batch_size, seed):
    X, y = np.arange(2.0 * N).reshape(N, 2), np.arange(N)
    batches = list(minibatches(X, y, batch_size, np.random.default_rng(seed)))
    assert [len(y_batch) for _, y_batch in batches] == [batch_size] * (N // batch_size) + [N % batch_size] * (
        N % batch_size > 0
    )
    together = np.concatenate([y_batch for _, y_batch in batches])
    assert sorted(together) == y.tolist()
    np.testing.assert_array_equal(np.concatenate([X_batch for X_batch, _ in batches]), X[together])


def test_minibatches_are_shuffled_again_and_never_views():
    X = y = np.arange(100.0)
    rng = np.random.default_rng(0)
    first, second = ([y_batch.tolist() for _, y_batch in minibatches(X, y, 100, rng)] for _ in range(2))
    assert first != second and first != [y.tolist()]
    for X_batch, _ in minibatches(X, y, 10, rng):
        assert not np.shares_memory(X_batch, X)


def test_minibatches_on_the_strict_backend_and_with_lists():
    strict = pytest.importorskip("array_api_strict")
    X = strict.reshape(strict.arange(6.0), (3, 2))
    batches = list(minibatches(X, strict.arange(3), 2, np.random.default_rng(0)))
    assert [b[0].shape for b in batches] == [(2, 2), (1, 2)]
    assert sorted(
        y for _, batch in minibatches([[1], [2], [3]], [4, 5, 6], 2, np.random.default_rng(0)) for y in batch
    ) == [
        4,
        5,
        6,
    ]


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((np.ones((0, 2)), np.ones(0), 1), ValueError, r"X: expected at least one example .* got shape \(0, 2\)"),
        ((np.ones((3, 2)), np.ones(2), 1), ValueError, "y: expected 3 targets, one for each example in X"),
        ((np.ones((3, 2)), np.ones(3), 0), ValueError, "batch_size: expected a whole number of at least 1, got 0"),
        ((np.ones((3, 2)), np.ones(3), 1.5), TypeError, "batch_size: expected a whole number"),
    ],
)
def test_minibatches_name_bad_input_at_the_call(arguments, error, match):
    with pytest.raises(error, match=match):
        minibatches(*arguments, np.random.default_rng(0))  # the call itself, not its first batch
    with pytest.raises(TypeError, match=r"rng: expected a numpy\.random\.Generator"):
        minibatches(np.ones((3, 2)), np.ones(3), 1, 0.5)


# Gradient checking


def wave(x):
    """An analytic function of all entries together; its gradient is `wave_grad`."""
    xp = activations.array_namespace(x)
    return xp.sum(xp.sin(x)) * xp.sum(xp.exp(0.5 * x))


def wave_grad(x):
    return np.cos(x) * np.sum(np.exp(0.5 * x)) + np.sum(np.sin(x)) * 0.5 * np.exp(0.5 * x)


@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 3), (2, 1, 2), (0,), (2, 0)])
def test_both_ways_find_the_gradient_at_any_shape(shape):
    x = np.random.default_rng(0).standard_normal(shape)
    expected = wave_grad(x)
    for g, tolerance in ((numerical_grad(wave, x), 1e-8), (complex_step_grad(wave, x), 1e-14)):
        assert g.shape == shape and g.dtype == np.float64 and isinstance(g, np.ndarray)
        np.testing.assert_allclose(g, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("way", [numerical_grad, complex_step_grad])
def test_dtypes_lists_and_numbers(way):
    x = np.array([0.5, -1.0], dtype=np.float32)
    g = way(wave, x)
    assert g.dtype == np.float32
    np.testing.assert_allclose(g, wave_grad(x.astype(np.float64)), rtol=2e-7)
    np.testing.assert_allclose(way(wave, [1, 2]), wave_grad(np.array([1.0, 2.0])), rtol=1e-8)
    assert way(wave, 2.0) == pytest.approx(float(wave_grad(np.array(2.0))), rel=1e-8)


@pytest.mark.parametrize("way", [numerical_grad, complex_step_grad])
def test_on_the_strict_backend(way):
    strict = pytest.importorskip("array_api_strict")
    x = np.random.default_rng(1).standard_normal((2, 3))
    on_strict = strict.asarray(x)
    g = way(wave, on_strict)
    assert type(g) is type(on_strict)
    np.testing.assert_allclose(np.asarray(g), way(wave, x), rtol=1e-9)
    np.testing.assert_array_equal(np.asarray(on_strict), x)


def test_the_point_comes_back_unchanged():
    x = np.random.default_rng(2).standard_normal((3, 2))
    before = x.copy()
    numerical_grad(wave, x)
    complex_step_grad(wave, x)
    check_grad(wave, wave_grad, x)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("after", [0, 1, 4])
def test_the_point_comes_back_even_where_the_function_raises(after):
    x, calls = np.array([1.0, 2.0, 3.0]), []

    def f(x):
        calls.append(x.copy())
        if len(calls) > after:
            raise ZeroDivisionError("as planned")
        return x[0]

    with pytest.raises(ZeroDivisionError, match="as planned"):
        numerical_grad(f, x)
    assert x.tolist() == [1.0, 2.0, 3.0] and len(calls) == after + 1


def test_the_point_comes_back_even_where_the_function_writes_to_it():
    x = np.array([1.0, 2.0, 3.0])

    def f(x):
        x *= 2.0
        return np.sum(x)

    numerical_grad(f, x)
    assert x.tolist() == [1.0, 2.0, 3.0]

    def grad(x):
        x[...] = 2.0
        return x

    check_grad(lambda x: 2 * np.sum(x), grad, x)
    assert x.tolist() == [1.0, 2.0, 3.0]


def test_read_only_and_strided_points():
    x = np.random.default_rng(3).standard_normal((3, 4))
    np.testing.assert_allclose(numerical_grad(wave, x[:, ::2]), wave_grad(x[:, ::2]), rtol=1e-8)
    np.testing.assert_allclose(numerical_grad(wave, x.T), wave_grad(x.T), rtol=1e-8)
    x.flags.writeable = False
    np.testing.assert_allclose(numerical_grad(wave, x), wave_grad(x), rtol=1e-8)


def test_the_function_may_read_the_weights_from_elsewhere():
    W = np.array([[1.0, 2.0]])
    np.testing.assert_allclose(numerical_grad(lambda _: np.sum(W**2), W), 2 * W, rtol=1e-9)


def test_central_differences_are_exact_to_second_order():
    """Halving ε quarters the error, where a one-sided difference would halve it."""
    x = np.array([0.7])
    errors = [abs(numerical_grad(wave, x, eps)[0] - wave_grad(x)[0]) for eps in (2e-3, 1e-3)]
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.01)
    # quadratics have no third derivative: exact at any ε, to rounding
    assert numerical_grad(lambda x: np.sum(x**2), np.array([3.0]), eps=0.5)[0] == 6.0


def test_at_a_kink_it_is_the_mean_of_both_sides():
    assert numerical_grad(lambda x: np.sum(activations.relu(x)), np.array([0.0])).tolist() == [0.5]


def test_complex_step_through_the_course_s_functions():
    """Sigmoid and tanh are written so that they stay analytic."""
    for name, x in (("sigmoid", np.array([-30.0, -2.0, 0.5, 30.0])), ("tanh", np.array([-2.0, 0.5, 3.0]))):
        f, f_grad = activations.ACTIVATIONS[name]
        np.testing.assert_allclose(complex_step_grad(lambda x, f=f: np.sum(f(x)), x), f_grad(x), rtol=1e-9, atol=1e-300)


def test_complex_step_needs_no_small_number_of_digits():
    # the difference quotient of exp at −30 is all rounding noise beside 1; the complex step is exact
    f = lambda x: np.sum(np.exp(x)) + 1.0
    x = np.array([-30.0])
    assert complex_step_grad(f, x)[0] == pytest.approx(math.exp(-30.0), rel=1e-15)
    assert abs(numerical_grad(f, x)[0] / math.exp(-30.0) - 1) >= 1.0


@pytest.mark.parametrize("way", [numerical_grad, complex_step_grad])
@pytest.mark.parametrize(
    ("f", "x", "error", "match"),
    [
        (np.exp, np.ones(2), ValueError, r"f: expected a single number from the function, got shape \(2,\)"),
        (lambda x: None, np.ones(2), TypeError, "f: expected an array of numbers, got NoneType"),
        (lambda x: "1", np.ones(2), TypeError, "f: expected an array of numbers, got str"),
        (3.0, np.ones(2), TypeError, r"f: expected a function f\(x\) -> number, got 3.0"),
        (wave, "x", TypeError, "x: expected an array of numbers, got str"),
        (wave, np.ones(2, complex), TypeError, "x: expected an array of real numbers, got dtype complex128"),
        (wave, [[1.0], [1.0, 2.0]], ValueError, "x: expected an array of numbers, got a nested list"),
    ],
)
def test_bad_input_is_named(way, f, x, error, match):
    with pytest.raises(error, match=match):
        way(f, x)


@pytest.mark.parametrize("eps", [0.0, -1e-5, math.nan, math.inf])
@pytest.mark.parametrize("way", [numerical_grad, complex_step_grad])
def test_bad_steps_are_named(way, eps):
    with pytest.raises(ValueError, match=r"eps: expected a number in \(0, inf\)"):
        way(wave, np.ones(2), eps=eps)


def test_a_function_of_the_wrong_kind_is_named():
    with pytest.raises(TypeError, match="f: expected a complex number from the function, got dtype float64"):
        complex_step_grad(lambda x: np.sum(np.abs(x)), np.ones(2))
    with pytest.raises(TypeError, match="f: expected a real number from the function, got dtype complex128"):
        numerical_grad(lambda x: np.sum(x) * 1j, np.ones(2))


def test_relative_error():
    assert relative_error([1.0, 2.0], [1.0, 2.0]) == 0.0 and relative_error(0.0, 0.0) == 0.0
    assert relative_error([1.0, 0.0], [1.0, 1e-300]) == 1.0 and relative_error(1.0, -1.0) == 1.0
    assert relative_error([100.0, 1.0], [101.0, 1.5]) == 0.2  # the worst ratio, not the worst difference
    assert relative_error(1e308, -1e308) == 1.0 and relative_error([1e308], [1e308]) == 0.0
    assert relative_error([], []) == 0.0 and type(relative_error([1.0], [2.0])) is float
    assert relative_error([1, 2], np.array([1, 2], np.float32)) == 0.0
    for a, b in ((math.nan, 1.0), (math.nan, math.nan), (math.inf, 1.0), (math.inf, -math.inf)):
        assert relative_error([a], [b]) == math.inf == relative_error([b], [a])
    assert relative_error([math.inf], [math.inf]) == 0.0
    with pytest.raises(ValueError, match=r"b: expected the shape of a, \(2,\), got \(2, 1\)"):
        relative_error([1.0, 2.0], [[1.0], [2.0]])


@given(st.integers(0, 2**32 - 1))
def test_a_right_gradient_passes_the_check(seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(rng.integers(1, 4, size=rng.integers(0, 3)))
    report = check_grad(wave, wave_grad, x)
    assert report and report.ok and report.error <= 1e-6, report


@pytest.mark.parametrize("factor", [-1.0, 0.5, 2.0, 1.0 + 1e-5])
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_one_wrong_entry_is_found(factor, scale):
    x = np.random.default_rng(1).standard_normal((3, 4))

    def grad(x):
        g = scale * wave_grad(x)
        g[1, 2] *= factor
        return g

    report = check_grad(lambda x: scale * wave(x), grad, x)
    assert not report and report.ok is False and report.index == (1, 2) and report.point == x[1, 2]
    assert report.analytic == pytest.approx(factor * report.numeric, rel=1e-6)
    assert report.error == pytest.approx(abs(factor - 1) / (abs(factor) + 1), rel=1e-3)


def test_a_gradient_of_zero_passes_despite_the_noise():
    # a large constant beside a small part: the difference quotient of the idle entry is noise, not 0
    f = lambda x: 1000.0 / 3.0 + np.sin(x[0]) + 1e-3 * x[1] * 0.0
    report = check_grad(f, lambda x: np.array([np.cos(x[0]), 0.0]), np.array([0.3, 0.7]))
    assert report, report
    assert not check_grad(f, lambda x: np.array([np.cos(x[0]), 1e-4]), np.array([0.3, 0.7]))


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_gradients_that_are_no_number_fail(wrong):
    report = check_grad(wave, lambda x: np.where(np.arange(3) == 1, wrong, wave_grad(x)), np.ones(3))
    assert not report and report.index == (1,) and report.error == math.inf


def test_float32_gradients_are_judged_as_such():
    x = np.random.default_rng(1).standard_normal(5).astype(np.float32)
    assert check_grad(wave, lambda x: wave_grad(x), x).tolerance == 1e-3
    assert check_grad(wave, wave_grad, x)
    assert not check_grad(wave, lambda x: 1.01 * wave_grad(x), x)


def test_the_report_reads_as_a_sentence():
    x = np.array([[1.0, 2.0]])
    f, right, wrong = (lambda x: np.sum(x**3)), (lambda x: 3 * x**2), (lambda x: 3 * x)
    assert str(check_grad(f, wrong, x)) == (
        "The gradient is wrong: at x[0, 1] = 2, where it is farthest off, the analytic value is 6 and the numeric one 12 "
        "(relative error 3.3e-01, allowed 1e-06)."
    )
    report = check_grad(f, right, x)
    assert str(report).startswith("The gradient agrees with central differences: at x[0, ")
    assert "the analytic value is " in str(report) and "allowed 1e-06" in str(report) and repr(report) == str(report)
    assert "at x = 2, where" in str(check_grad(lambda x: x**2, lambda x: 2 * x, 2.0))
    index, point, analytic, numeric, error, tolerance, ok = report
    assert x[index] == point and analytic == 3 * point**2 and numeric == pytest.approx(analytic) and ok
    assert error < tolerance


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((wave, 3.0, np.ones(2)), TypeError, r"grad: expected a function grad\(x\) -> array like x, got 3.0"),
        (
            (wave, np.ones(2), np.ones(2)),
            TypeError,
            r"grad: expected a function grad\(x\) -> array like x, got array\(\[1., 1.\]\)",
        ),
        ((None, wave_grad, np.ones(2)), TypeError, r"f: expected a function f\(x\) -> number, got None"),
        (
            (wave, lambda x: x[:1], np.ones(2)),
            ValueError,
            r"grad: expected a gradient of the shape of x, \(2,\), got \(1,\)",
        ),
        ((wave, lambda x: None, np.ones(2)), TypeError, "grad: expected an array of numbers, got NoneType"),
        ((wave, wave_grad, np.ones(0)), ValueError, r"x: expected at least one entry, got shape \(0,\)"),
        ((wave, wave_grad, np.ones(2), 0.0), ValueError, "eps: expected a number"),
        ((wave, wave_grad, np.ones(2), 1e-5, -1.0), ValueError, r"tolerance: expected a number in \(0, inf\]"),
    ],
)
def test_check_grad_names_bad_input(arguments, error, match):
    with pytest.raises(error, match=match):
        check_grad(*arguments)


def test_the_check_finds_the_classic_mistakes():
    """Each is what a student's backward pass of a two-layer network may get wrong."""
    rng = np.random.default_rng(9)
    X, labels, [(W, b), (V, c)] = rng.standard_normal((5, 3)), rng.integers(0, 2, 5), network(rng, [3, 4, 2])

    def loss(W):
        return losses.softmax_cross_entropy(activations.tanh(X @ W + b) @ V + c, labels)

    def gradient(mistake):
        def grad(W):
            Z = X @ W + b
            H = np.tanh(Z)
            dU = losses.softmax_cross_entropy_grad(H @ V + c, labels)
            slope = {"derivative_at_activation": 1 - np.tanh(H) ** 2, "no_derivative": 1.0}.get(mistake, 1 - H**2)
            dZ = dU @ V.T * slope
            return X.T @ dZ * {"batch_not_averaged": 5.0, "ascent": -1.0}.get(mistake, 1.0)

        return grad

    assert check_grad(loss, gradient(None), W)
    for mistake in ("derivative_at_activation", "no_derivative", "batch_not_averaged", "ascent"):
        assert not check_grad(loss, gradient(mistake), W), mistake


@pytest.mark.parametrize("wrong", [None, "abc", 1j, {}, 3.0])
def test_minibatches_of_no_arrays_are_named(wrong):
    rng, good = np.random.default_rng(0), np.ones((3, 2))
    with pytest.raises((TypeError, ValueError), match="X: expected an array"):
        minibatches(wrong, good, 2, rng)
    with pytest.raises((TypeError, ValueError), match="y: expected an array"):
        minibatches(good, wrong, 2, rng)
    with pytest.raises(ValueError, match="y: expected an array of numbers, got a nested list"):
        minibatches(good, [[1], [2, 3], [4]], 2, rng)
