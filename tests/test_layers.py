"""Layers and losses: every gradient against PyTorch's, the deltas of the notes, and the edges where logarithms end."""

import numpy as np
import pytest
from common import Operation, numerical_gradients, run
from hypothesis import given
from hypothesis import strategies as st

from dlcourse import layers, losses
from dlcourse.activations import ACTIVATIONS, sigmoid, sigmoid_grad, softmax

TESTED_BELOW = ["layers.one_hot"]  # float64 whatever comes in, so it cannot keep a dtype


def sizes(rng, count):
    return tuple(int(n) for n in rng.integers(1, 7, size=count))


def linear(rng):
    N, D, K = sizes(rng, 3)
    return {"X": rng.standard_normal((N, D)), "W": rng.standard_normal((D, K)), "b": rng.standard_normal(K)}


def labels_of(rng, N, K):
    return rng.integers(0, K, size=N)


def layer(first, second):
    """Two (N, K) arrays under the names given."""

    def inputs(rng):
        shape = sizes(rng, 2)
        return {first: rng.standard_normal(shape), second: rng.standard_normal(shape)}

    return inputs


def labelled(rng):
    N, K = sizes(rng, 2)
    return {"labels": labels_of(rng, N, K), "U": 3.0 * rng.standard_normal((N, K))}


def delta_oracle(loss):
    """∇_U J by autograd of the loss that the delta belongs to."""

    def oracle(torch, U, **targets):
        U = U.clone().requires_grad_()
        return torch.autograd.grad(loss(torch, U, **targets), U)[0]

    return oracle


def reduction_of(rng):
    return str(rng.choice(["mean", "sum"]))


def per_example(torch, total, x, reduction):
    return total / x.shape[0] if reduction == "mean" else total


def regression(rng):
    shape = sizes(rng, rng.integers(1, 4))
    return {"Y": rng.standard_normal(shape), "D": rng.standard_normal(shape), "reduction": reduction_of(rng)}


def binary(first):
    """Probabilities p or logits u of one or more outputs, targets 0, 1 or in between."""

    def inputs(rng):
        shape = sizes(rng, rng.integers(1, 3))
        x = rng.uniform(0.05, 0.95, shape) if first == "p" else 3.0 * rng.standard_normal(shape)
        d = rng.integers(0, 2, shape) if rng.random() < 0.5 else rng.random(shape)
        return {first: x, "d": d, "reduction": reduction_of(rng)}

    return inputs


def class_probabilities(rng):
    N, K = sizes(rng, 2)
    return {"p": rng.uniform(0.05, 0.95, (N, K)), "labels": labels_of(rng, N, K), "reduction": reduction_of(rng)}


def class_logits(rng):
    N, K = sizes(rng, 2)
    labels = labels_of(rng, N, K) if rng.random() < 0.5 else rng.dirichlet(np.ones(K), size=N)
    return {"logits": 3.0 * rng.standard_normal((N, K)), "labels": labels, "reduction": reduction_of(rng)}


COLUMN_D = ({"D": lambda D: D[..., None]}, r"D: expected shape .* as in [YU], got")
COLUMN_d = ({"d": lambda d: d[..., None]}, r"d: expected shape .* as in [pu], got")
REDUCTION = ({"reduction": "none"}, "reduction: expected one of 'mean', 'sum'; got 'none'")
LABELS = [
    ({"labels": lambda d: d[:-1]}, "labels: expected"),
    ({"labels": lambda d: 0 * d - 1}, "labels: expected"),
    ({"labels": lambda d: 0 * d + 7}, "labels: expected"),
    ({"labels": lambda d: np.zeros(len(d)) + 0.5}, "labels: expected whole numbers"),
    ({"labels": lambda d: np.zeros((len(d), 1, 1))}, "labels: expected"),
]
OUTSIDE = ({"p": lambda p: p + 1.0}, "p: expected probabilities from 0 to 1, got 1")
NO_TARGET = ({"d": lambda d: d - 2}, "d: expected targets from 0 to 1, got -")

OPERATIONS = [
    Operation(
        "layers.linear",
        "pair",
        linear,
        wrt=("X", "W", "b"),
        oracle=lambda torch, X, W, b: torch.nn.functional.linear(X, W.T, b),
        bad=[
            ({"W": lambda W: W[:-1]}, r"W: expected shape \(D, K\)"),
            ({"b": lambda b: b[:, None]}, r"b: expected shape \(K,\)"),
            ({"b": 1.0}, r"b: expected shape \(K,\) .*, got \(\)"),
            ({"X": lambda X: X[0]}, r"X: expected shape \(N, D\), got"),
        ],
    ),
    Operation(
        "layers.linear_delta",
        "plain",
        layer("D", "Y"),
        oracle=lambda torch, D, Y: delta_oracle(lambda torch, U, D: 0.5 * ((D - U) ** 2).sum())(torch, U=Y, D=D),
        bad=[COLUMN_D],
    ),
    Operation(
        "layers.sigmoid_layer_delta",
        "plain",
        layer("D", "U"),
        oracle=delta_oracle(lambda torch, U, D: 0.5 * ((D - torch.sigmoid(U)) ** 2).sum()),
        bad=[COLUMN_D],
    ),
    Operation(
        "layers.softmax_layer_delta",
        "plain",
        labelled,
        oracle=delta_oracle(lambda torch, U, labels: torch.nn.functional.cross_entropy(U, labels, reduction="sum")),
        bad=LABELS,
    ),
    Operation(
        "layers.softmax_layer_predict",
        "plain",
        linear,
        oracle=lambda torch, X, W, b: torch.argmax(torch.nn.functional.linear(X, W.T, b), dim=1),
        bad=[
            ({"W": lambda W: W[:-1]}, r"W: expected shape \(D, K\)"),
            ({"b": lambda b: b[:, None]}, r"b: expected shape \(K,\)"),
        ],
    ),
    Operation(
        "layers.activation",
        "pair",
        lambda rng: {"X": rng.standard_normal(sizes(rng, 2)), "name": "swish", "beta": 1.5},
        wrt=("X",),
        oracle=lambda torch, X, name, beta: X * torch.sigmoid(beta * X),
        bad=[
            ({"name": "swosh"}, "name: expected one of 'identity', .*; got 'swosh'"),
            ({"name": None}, "name: expected one of"),
            ({"name": "relu"}, "unexpected keyword argument 'beta'"),
            ({"beta": "steep"}, "beta: expected a number"),
        ],
        empty=True,
    ),
    Operation(
        "losses.half_squared_error",
        "loss",
        regression,
        wrt=("Y",),
        oracle=lambda torch, Y, D, reduction: per_example(
            torch, 0.5 * torch.nn.functional.mse_loss(Y, D, reduction="sum"), Y, reduction
        ),
        bad=[COLUMN_D, REDUCTION],
    ),
    Operation(
        "losses.mean_squared_error",
        "loss",
        lambda rng: {key: x for key, x in regression(rng).items() if key != "reduction"},
        wrt=("Y",),
        oracle=lambda torch, Y, D: torch.nn.functional.mse_loss(Y, D),
        bad=[COLUMN_D],
    ),
    Operation(
        "losses.negative_log_likelihood_gaussian",
        "plain",
        lambda rng: {
            "Y": rng.standard_normal((3, 2)),
            "D": rng.standard_normal((3, 2)),
            "sigma": rng.uniform(0.1, 3.0),
        },
        oracle=lambda torch, Y, D, sigma: -torch.distributions.Normal(Y, sigma).log_prob(D).sum(),
        bad=[
            COLUMN_D,
            ({"sigma": 0.0}, r"sigma: expected a number in \(0, inf\], got"),
            ({"sigma": -1.0}, r"sigma: expected a number in \(0, inf\], got"),
        ],
    ),
    Operation(
        "losses.binary_cross_entropy",
        "loss",
        binary("p"),
        wrt=("p",),
        oracle=lambda torch, p, d, reduction: per_example(
            torch, torch.nn.functional.binary_cross_entropy(p, d.to(p.dtype), reduction="sum"), p, reduction
        ),
        bad=[COLUMN_d, REDUCTION, OUTSIDE, NO_TARGET, ({"p": lambda p: -p}, "p: expected probabilities from 0 to 1")],
    ),
    Operation(
        "losses.binary_cross_entropy_with_logits",
        "loss",
        binary("u"),
        wrt=("u",),
        oracle=lambda torch, u, d, reduction: per_example(
            torch,
            torch.nn.functional.binary_cross_entropy_with_logits(u, d.to(u.dtype), reduction="sum"),
            u,
            reduction,
        ),
        bad=[COLUMN_d, REDUCTION, NO_TARGET],
    ),
    Operation(
        "losses.cross_entropy",
        "loss",
        class_probabilities,
        wrt=("p",),
        oracle=lambda torch, p, labels, reduction: torch.nn.functional.nll_loss(
            torch.log(p), labels, reduction=reduction
        ),
        bad=[*LABELS, REDUCTION, OUTSIDE, ({"p": lambda p: p[0]}, r"p: expected shape \(N, K\)")],
    ),
    Operation(
        "losses.softmax_cross_entropy",
        "loss",
        class_logits,
        wrt=("logits",),
        oracle=lambda torch, logits, labels, reduction: torch.nn.functional.cross_entropy(
            logits, labels, reduction=reduction
        ),
        bad=[*LABELS, REDUCTION, ({"logits": lambda z: z[0]}, r"logits: expected shape \(N, K\)")],
    ),
]

LOSSES = {op.name.split(".")[1]: op for op in OPERATIONS if op.kind == "loss"}
over_losses = pytest.mark.parametrize("name", LOSSES)


# Layers


def test_linear_by_hand():
    """Two examples, two inputs, three neurons; every size differs, so no transpose hides."""
    X, W = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0, -1.0], [2.0, 1.0, 0.0]])
    U, cache = layers.linear_forward(X, W, np.array([0.5, 0.0, -0.5]))
    assert U.tolist() == [[5.5, 2.0, -1.5], [11.5, 4.0, -3.5]]
    dX, dW, db = layers.linear_backward(np.array([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]]), cache)
    assert dX.tolist() == [[-1.0, 2.0], [1.0, 1.0]]
    assert dW.tolist() == [[1.0, 3.0, -1.0], [2.0, 4.0, 0.0]]
    assert db.tolist() == [1.0, 1.0, 1.0]


@given(st.integers(0, 2**32 - 1))
def test_a_batch_is_its_examples(seed):
    """Outputs and dX row by row, dW and db as sums over the examples (and so a batch of one)."""
    rng = np.random.default_rng(seed)
    inputs = linear(rng)
    X, W, b = inputs.values()
    U, cache = layers.linear_forward(X, W, b)
    dU = rng.standard_normal(U.shape)
    dX, dW, db = layers.linear_backward(dU, cache)
    one_by_one = []
    for n in range(len(X)):
        U_n, cache_n = layers.linear_forward(X[n : n + 1], W, b)
        np.testing.assert_allclose(U_n, U[n : n + 1], atol=1e-13)
        one_by_one.append(layers.linear_backward(dU[n : n + 1], cache_n))
    np.testing.assert_allclose(np.concatenate([g[0] for g in one_by_one]), dX, atol=1e-13)
    np.testing.assert_allclose(sum(g[1] for g in one_by_one), dW, atol=1e-12)
    np.testing.assert_allclose(sum(g[2] for g in one_by_one), db, atol=1e-12)


def test_layers_take_lists():
    U, cache = layers.linear_forward([[1, 2]], [[1], [1]], [0])
    assert U.dtype == np.float64 and U.tolist() == [[3.0]]
    assert [g.tolist() for g in layers.linear_backward([[1]], cache)] == [[[1.0, 1.0]], [[1.0], [2.0]], [1.0]]
    assert layers.sigmoid_layer_delta([[1, 0]], [[0, 0]]).tolist() == [[-0.125, 0.125]]
    assert layers.activation_forward([-1, 2], "relu")[0].tolist() == [0.0, 2.0]


def test_one_hot_is_the_indicator_matrix():
    labels = np.array([2, 0, 1, 2])
    assert layers.one_hot(labels, 3).tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert layers.one_hot(labels, 4).shape == (4, 4)
    assert layers.one_hot([0], 1).tolist() == [[1.0]]
    assert layers.one_hot(labels, 3).dtype == np.float64
    for dtype in (np.float32, np.int64, bool, "float32"):
        assert layers.one_hot(labels, 3, dtype=dtype).dtype == dtype
    # a label type too short for K
    np.testing.assert_array_equal(layers.one_hot(np.array([255, 0], np.uint8), 300).nonzero()[1], [255, 0])
    np.testing.assert_array_equal(layers.one_hot(np.array([3], np.uint64), 4), [[0, 0, 0, 1]])


@pytest.mark.parametrize(
    "labels, K, error, match",
    [
        ([0], 0, ValueError, "K: expected a whole number of at least 1, got 0"),
        ([0], 2.0, TypeError, "K: expected a whole number of at least 1, got 2.0"),
        ([0, 5], 5, ValueError, "labels: expected labels 0…4, got 5"),
        ([-1, 0], 5, ValueError, "labels: expected labels 0…4, got -1"),
        ([[1]], 5, ValueError, r"labels: expected shape \(N,\), one label for each example, got \(1, 1\)"),
        ([], 5, ValueError, r"labels: expected shape \(N,\)"),
        ([1.0], 5, TypeError, "labels: expected whole numbers 0…4, got dtype float64"),
        (["a"], 5, TypeError, "labels: expected whole numbers 0…4"),
        (None, 5, (TypeError, ValueError), "labels: expected"),
    ],
)
def test_one_hot_names_what_is_wrong(labels, K, error, match):
    with pytest.raises(error, match=match):
        layers.one_hot(labels, K)


def test_one_hot_elsewhere():
    strict = pytest.importorskip("array_api_strict")
    labels = strict.asarray([2, 0], dtype=strict.uint8)
    K = layers.one_hot(labels, 3)
    assert K.dtype == strict.float64
    np.testing.assert_array_equal(np.asarray(K), [[0, 0, 1], [1, 0, 0]])
    assert layers.one_hot(labels, 3, dtype=strict.float32).dtype == strict.float32
    torch = pytest.importorskip("torch", reason="PyTorch, the live oracle, is not installed")
    drawn = np.random.default_rng(0).integers(0, 5, size=20)
    np.testing.assert_array_equal(layers.one_hot(drawn, 5), torch.nn.functional.one_hot(torch.tensor(drawn), 5).numpy())


@given(st.integers(0, 2**32 - 1))
def test_one_hot_and_argmax_undo_each_other(seed):
    rng = np.random.default_rng(seed)
    labels = labels_of(rng, 9, 6)
    K = layers.one_hot(labels, 6)
    assert np.all(K.sum(axis=1) == 1.0)
    np.testing.assert_array_equal(K.argmax(axis=1), labels)


def test_the_likeliest_class_is_the_largest_logit_and_the_first_at_a_tie():
    X = np.array([[1000.0], [-1000.0], [0.0]])
    assert layers.softmax_layer_predict(X, np.array([[1.0, 1.0, -1.0]]), np.zeros(3)).tolist() == [0, 2, 0]


def test_the_squared_error_is_the_likelihood_of_gaussian_noise():
    """Up to a constant and the factor 1/σ²; both differences of losses are equal."""
    D, sigma = np.array([[1.0, -2.0], [0.5, 3.0]]), 0.5
    Y, Z = np.zeros((2, 2)), np.ones((2, 2))
    apart = losses.negative_log_likelihood_gaussian(Y, D, sigma) - losses.negative_log_likelihood_gaussian(Z, D, sigma)
    squares = losses.half_squared_error(Y, D) - losses.half_squared_error(Z, D)
    assert apart == pytest.approx(squares / sigma**2, rel=1e-13)
    # The density of a narrow Gaussian exceeds 1, so its likelihood's logarithm is positive
    assert losses.negative_log_likelihood_gaussian(D, D, 0.01) < 0.0


def test_deltas_pull_towards_the_targets():
    """Down the gradient the right class rises: the notes have this sign wrong in one column (E04)."""
    delta = layers.softmax_layer_delta([1, 0], np.zeros((2, 3)))
    np.testing.assert_allclose(delta, [[1 / 3, -2 / 3, 1 / 3], [-2 / 3, 1 / 3, 1 / 3]], rtol=1e-15)
    assert layers.linear_delta([[2.0]], [[0.5]]) == -1.5
    assert layers.sigmoid_layer_delta([[1.0]], [[0.0]]) == -0.125


def test_the_sigmoid_delta_keeps_the_factor_of_the_derivative():
    """With the squared error it is there, with binary cross-entropy it cancels (E05)."""
    rng = np.random.default_rng(2)
    U, D = rng.standard_normal((4, 3)), rng.integers(0, 2, (4, 3))
    difference = layers.linear_delta(D, sigmoid(U))
    np.testing.assert_allclose(layers.sigmoid_layer_delta(D, U), difference * sigmoid_grad(U), rtol=1e-14)
    cross = losses.binary_cross_entropy_with_logits_grad(U, D, reduction="sum")
    np.testing.assert_allclose(cross, difference, rtol=1e-12)


@pytest.mark.parametrize("U", [np.full((1, 3), 1000.0), np.array([[1000.0, -1000.0, 0.0]])])
def test_deltas_of_huge_preactivations(U):
    assert np.all(np.isfinite(layers.softmax_layer_delta([1], U)))
    assert layers.sigmoid_layer_delta(np.ones((1, 3)), U).tolist()[0][0] == 0.0


def test_targets_do_not_decide_the_dtype():
    U = np.zeros((2, 3), np.float32)
    D, labels = np.ones((2, 3)), np.array([0, 2])
    assert layers.linear_delta(D, U).dtype == np.float32
    assert layers.sigmoid_layer_delta(D, U).dtype == np.float32
    assert layers.softmax_layer_delta(labels, U).dtype == np.float32
    p = np.full((2, 3), 0.5, np.float32)
    for name, op in LOSSES.items():
        first = p if op.wrt == ("p",) else U
        targets = labels if "labels" in op.inputs(np.random.default_rng(0)) else D
        assert op.forward(first, targets).dtype == np.float32, name
        assert op.backward(first, targets).dtype == np.float32, name
    assert losses.softmax_cross_entropy(U, D / 3.0).dtype == np.float32
    assert losses.softmax_cross_entropy_grad(U, D / 3.0).dtype == np.float32


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_layers_are_the_activations(name):
    rng = np.random.default_rng(1)
    X, dY = rng.standard_normal((2, 3, 4)), rng.standard_normal((2, 3, 4))
    f, f_grad = ACTIVATIONS[name]
    Y, cache = layers.activation_forward(X, name)
    np.testing.assert_array_equal(Y, f(X))
    np.testing.assert_array_equal(layers.activation_backward(dY, cache), dY * f_grad(X))
    assert not np.shares_memory(Y, X)


def test_activation_layers_pass_their_options_on_both_ways():
    X, one = np.array([[-2.0, 4.0]]), np.ones((1, 2))
    Y, cache = layers.activation_forward(X, "leaky_relu", slope=0.25)
    assert Y.tolist() == [[-0.5, 4.0]] and layers.activation_backward(one, cache).tolist() == [[0.25, 1.0]]
    Y, cache = layers.activation_forward(X, "leaky_relu")
    assert layers.activation_backward(one, cache).tolist() == [[0.01, 1.0]]


def test_a_layer_learns_by_its_delta():
    """W − α Xᵀ∇_U J, as the notes have it, goes down to the least squares solution."""
    rng = np.random.default_rng(8)
    X, W_true, b_true = rng.standard_normal((40, 3)), rng.standard_normal((3, 2)), np.array([1.0, -1.0])
    D = X @ W_true + b_true
    W, b = np.zeros((3, 2)), np.zeros(2)
    for _ in range(500):
        U, cache = layers.linear_forward(X, W, b)
        _, dW, db = layers.linear_backward(layers.linear_delta(D, U), cache)
        W, b = W - 0.02 * dW, b - 0.02 * db
    np.testing.assert_allclose(W, W_true, atol=1e-9)
    np.testing.assert_allclose(b, b_true, atol=1e-9)


# Losses


@over_losses
def test_losses_are_one_number(name):
    op = LOSSES[name]
    for dtype in (np.float64, np.float32):
        inputs = {
            key: x.astype(dtype) if getattr(x, "dtype", None) == np.float64 else x
            for key, x in op.inputs(np.random.default_rng(0)).items()
        }
        J = op.forward(**inputs)
        assert np.ndim(J) == 0 and J.dtype == dtype and float(J) >= 0.0


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "mean_squared_error"])
@given(seed=st.integers(0, 2**32 - 1))
def test_mean_is_the_sum_over_the_number_of_examples(name, seed):
    op = LOSSES[name]
    inputs = op.inputs(np.random.default_rng(seed))
    first = inputs[op.wrt[0]]
    summed, mean = (run(op, inputs | {"reduction": reduction}) for reduction in ("sum", "mean"))
    for path in summed:
        np.testing.assert_allclose(mean[path] * len(first), summed[path], rtol=1e-14)


def test_default_reductions():
    Y, D = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.0, 2.0], [3.0, 1.0]])
    assert losses.half_squared_error(Y, D) == 5.0 and losses.half_squared_error(Y, D, "mean") == 2.5
    assert losses.mean_squared_error(Y, D) == 2.5
    with pytest.raises(TypeError):
        losses.mean_squared_error(Y, D, reduction="sum")
    p, d = np.full((2, 3), 0.5), np.ones((2, 3))
    log2 = np.log(2.0)
    # summed over the three outputs, averaged over the two examples
    assert losses.binary_cross_entropy(p, d) == pytest.approx(3 * log2, rel=1e-15)
    assert losses.binary_cross_entropy_with_logits(np.zeros((2, 3)), d) == pytest.approx(3 * log2, rel=1e-15)
    assert losses.cross_entropy(p, [0, 2]) == pytest.approx(log2, rel=1e-15)
    assert losses.softmax_cross_entropy(np.zeros((2, 3)), [0, 2]) == pytest.approx(np.log(3.0), rel=1e-15)


@over_losses
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_the_examples_does_not_matter(name, seed):
    rng = np.random.default_rng(seed)
    op = LOSSES[name]
    inputs = op.inputs(rng)
    order = rng.permutation(len(inputs[op.wrt[0]]))
    shuffled = {key: x[order] if isinstance(x, np.ndarray) else x for key, x in inputs.items()}
    before, after = run(op, inputs), run(op, shuffled)
    assert float(after["out"]) == pytest.approx(float(before["out"]), rel=1e-13, abs=1e-15)
    np.testing.assert_array_equal(after["d" + op.wrt[0]], before["d" + op.wrt[0]][order])


@over_losses
def test_one_example(name):
    op = LOSSES[name]
    inputs = {key: x[:1] if isinstance(x, np.ndarray) else x for key, x in op.inputs(np.random.default_rng(6)).items()}
    results = run(op, inputs)
    for path, numeric in numerical_gradients(op, inputs).items():
        np.testing.assert_allclose(results[path], numeric, rtol=1e-6, atol=1e-9)


def test_the_worked_example_of_the_notes():
    """Three outputs: the 2/3 (ŷ − y) of notes 001."""
    y_hat, y = np.array([1.0, 2.0, 4.0]), np.array([1.0, 0.0, 1.0])
    assert losses.mean_squared_error(y_hat, y) == pytest.approx(13 / 3, rel=1e-15)
    np.testing.assert_allclose(losses.mean_squared_error_grad(y_hat, y), [0.0, 4 / 3, 2.0], rtol=1e-15)
    np.testing.assert_array_equal(losses.half_squared_error_grad(y_hat, y), [0.0, 2.0, 3.0])


@over_losses
def test_predictions_and_targets_never_broadcast(name):
    op = LOSSES[name]
    first = np.full((4, 1), 0.5)
    with pytest.raises(ValueError, match="expected"):
        op.forward(first, np.ones((4, 4)) if "labels" in op.inputs(np.random.default_rng(0)) else np.ones(4))
    with pytest.raises(ValueError, match="expected"):
        op.backward(first, np.ones((4, 4)) if "labels" in op.inputs(np.random.default_rng(0)) else np.ones(4))


def test_numbers_are_one_example():
    assert losses.half_squared_error(3.0, 1.0) == 2.0 and losses.mean_squared_error(3.0, 1.0) == 4.0
    assert losses.half_squared_error_grad(3.0, 1.0, reduction="mean") == 2.0
    assert losses.binary_cross_entropy(0.25, 1) == pytest.approx(np.log(4.0), rel=1e-15)
    assert losses.binary_cross_entropy_with_logits_grad(0.0, 1) == -0.5


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
def test_certain_and_wrong_costs_much_but_not_infinity(dtype):
    """p = 0 and p = 1 are clipped to [ε, 1 − ε], and the gradients take the clipped p."""
    eps = float(np.finfo(dtype).eps)
    p, right, wrong = np.array([0.0, 1.0], dtype), [0, 1], [1, 0]
    assert losses.binary_cross_entropy(p, wrong) == pytest.approx(-np.log(eps), rel=1e-6)
    assert losses.binary_cross_entropy(p, right) == pytest.approx(eps, rel=1e-6, abs=0.0)
    np.testing.assert_allclose(losses.binary_cross_entropy_grad(p, wrong, "sum"), [-1 / eps, 1 / eps], rtol=1e-6)
    np.testing.assert_allclose(losses.binary_cross_entropy_grad(p, right, "sum"), [1.0, -1.0], rtol=1e-6)
    P = np.array([[0.0, 1.0], [0.0, 1.0]], dtype)
    assert losses.cross_entropy(P, [0, 1], "sum") == pytest.approx(-np.log(eps), rel=1e-6)
    gradient = losses.cross_entropy_grad(P, [0, 1], "sum")
    np.testing.assert_allclose(gradient, [[-1 / eps, 0.0], [0.0, -1.0]], rtol=1e-6)
    assert gradient.dtype == dtype


def test_logits_of_a_thousand():
    logits = np.array([[1000.0, -1000.0], [1000.0, -1000.0], [-1000.0, -1000.0]])
    assert losses.softmax_cross_entropy(logits, [0, 1, 0], "sum") == pytest.approx(2000.0 + np.log(2.0), rel=1e-15)
    gradient = losses.softmax_cross_entropy_grad(logits, [0, 1, 0], "sum")
    assert gradient.tolist() == [[0.0, 0.0], [1.0, -1.0], [-0.5, 0.5]]
    soft = losses.softmax_cross_entropy(logits, [[0.5, 0.5], [1, 0], [0.5, 0.5]], "sum")
    assert soft == pytest.approx(1000.0 + np.log(2.0), rel=1e-15)
    u, d = np.array([1000.0, -1000.0, 1000.0, -1000.0]), [1, 0, 0, 1]
    assert losses.binary_cross_entropy_with_logits(u, d, "sum") == 2000.0
    assert losses.binary_cross_entropy_with_logits_grad(u, d, "sum").tolist() == [0.0, 0.0, 1.0, -1.0]
    # a loss of e⁻⁴⁰ is not lost to 1 − p
    small = losses.binary_cross_entropy_with_logits([40.0, -40.0], [1, 0])
    assert small == pytest.approx(np.exp(-40.0), rel=1e-12, abs=0.0)


@given(seed=st.integers(0, 2**32 - 1), shift=st.floats(-1e3, 1e3))
def test_softmax_cross_entropy_does_not_see_a_shift(seed, shift):
    rng = np.random.default_rng(seed)
    inputs = class_logits(rng)
    before = losses.softmax_cross_entropy(**inputs)
    gradient = losses.softmax_cross_entropy_grad(**inputs)
    np.testing.assert_allclose(gradient.sum(axis=1), 0.0, atol=1e-15)
    shifted = inputs | {"logits": inputs["logits"] + shift}
    assert losses.softmax_cross_entropy(**shifted) == pytest.approx(before, rel=1e-10, abs=1e-11)
    np.testing.assert_allclose(losses.softmax_cross_entropy_grad(**shifted), gradient, atol=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_all_ways_to_the_cross_entropy_meet(seed):
    """From logits, from probabilities, from labels, from one-hot rows; for two classes, the binary one."""
    rng = np.random.default_rng(seed)
    N, K = sizes(rng, 2)
    z, labels = rng.standard_normal((N, K)), labels_of(rng, N, K)
    J = losses.softmax_cross_entropy(z, labels)
    assert losses.cross_entropy(softmax(z), labels) == pytest.approx(J, rel=1e-12, abs=1e-12)
    assert losses.softmax_cross_entropy(z, layers.one_hot(labels, K)) == pytest.approx(J, rel=1e-14)
    np.testing.assert_allclose(
        losses.softmax_cross_entropy_grad(z, layers.one_hot(labels, K)),
        losses.softmax_cross_entropy_grad(z, labels),
        rtol=1e-15,
    )
    u, d = z[:, 0], labels % 2
    two = np.stack([np.zeros(N), u], axis=1)
    binary = losses.binary_cross_entropy_with_logits(u, d)
    assert losses.softmax_cross_entropy(two, d) == pytest.approx(binary, rel=1e-12)
    assert losses.binary_cross_entropy(sigmoid(u), d) == pytest.approx(binary, rel=1e-12)


def test_soft_labels_are_probabilities():
    z = np.zeros((2, 3))
    with pytest.raises(ValueError, match=r"labels: expected rows of probabilities that sum to 1, got 0\.9"):
        losses.softmax_cross_entropy(z, [[0.5, 0.4, 0.0], [1, 0, 0]])
    with pytest.raises(ValueError, match=r"labels: expected probabilities from 0 to 1, got 1\.5"):
        losses.softmax_cross_entropy_grad(z, [[1.5, -0.5, 0.0], [1, 0, 0]])
    with pytest.raises(ValueError, match=r"labels: expected shape \(2,\), whole numbers, or \(2, 3\), probabilities"):
        losses.softmax_cross_entropy(z, [[0], [1]])


def test_a_class_ruled_out_costs_nothing_to_the_others():
    z = np.array([[0.0, -np.inf, 0.0]])
    assert losses.softmax_cross_entropy(z, [0]) == pytest.approx(np.log(2.0), rel=1e-15)
    assert losses.softmax_cross_entropy_grad(z, [0]).tolist() == [[-0.5, 0.0, 0.5]]


def test_logs_of_the_wrong_sign_would_be_negative():
    """The notes' log loss without its minus (E08) is a likelihood: the loss falls as p approaches the target."""
    p = np.array([0.1, 0.5, 0.9])
    costs = [float(losses.binary_cross_entropy([q], [1])) for q in p]
    assert costs[0] > costs[1] > costs[2] > 0.0
    assert np.all(losses.binary_cross_entropy_grad(p, np.ones(3)) < 0.0)


def test_losses_take_lists_and_integers():
    assert losses.half_squared_error([1, 2], [0, 0]).dtype == np.float64
    assert losses.binary_cross_entropy([0, 1], [0, 1]) < 1e-15
    assert losses.cross_entropy([[1, 0]], [0]) < 1e-15
    assert losses.softmax_cross_entropy_grad([[0, 0]], [1]).tolist() == [[0.5, -0.5]]


@over_losses
def test_nothing_to_learn_from_raises(name):
    op = LOSSES[name]
    for shape in [(0, 3), (3, 0)]:
        with pytest.raises(ValueError, match=r"expected .*at least one"):
            op.forward(np.zeros(shape), np.zeros(shape))
        with pytest.raises(ValueError, match=r"expected .*at least one"):
            op.backward(np.zeros(shape), np.zeros(shape))
