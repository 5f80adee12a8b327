"""Networks and fitting: every layer's gradient through a whole network, files, optimizers, histories, interruptions."""

import inspect
import io
import json
import re
from functools import partial

import numpy as np
import pytest
from common import Operation, flatten

from dlcourse import (
    activations,
    attention,
    backpropagation,
    convolution,
    datasets,
    dropout,
    gradient_checking,
    layers,
    losses,
    metrics,
    normalization,
    optimizers,
    recurrent,
    training,
)
from dlcourse._array import to_numpy
from dlcourse._tree import named_leaves, nest
from dlcourse.training import Network, Trainer, evaluate, fit, loss_and_grad

# name of a layer -> (specifications of a network with it, shape of one batch, symbols of an embedding or None)
IMAGE, SEQUENCE, ROWS = (3, 6, 5, 2), (3, 4, 6), (4, 5)
NETWORKS = {
    "linear": ([("linear", 5, 3)], ROWS),
    "rmsnorm": ([("rmsnorm", 5), ("linear", 5, 3)], ROWS),
    "linear on sequences": ([("linear", 6, 3)], SEQUENCE),
    "mlp": ([("linear", 5, 4), ("relu",), ("linear", 4, 3)], ROWS),
    "activation": ([("activation", "tanh"), ("linear", 5, 3)], ROWS),
    "glu": ([("glu", 5, 3, {"kind": "geglu"})], ROWS),
    "glu on sequences": ([("glu_layer", 6, 3)], SEQUENCE),
    "dropout": ([("linear", 5, 8), ("dropout", 0.3), ("linear", 8, 3)], ROWS),
    "batchnorm": ([("linear", 5, 4), ("batchnorm", 4), ("linear", 4, 3)], ROWS),
    "batchnorm on images": ([("batchnorm", 2), ("flatten",), ("linear", 60, 3)], IMAGE),
    "layernorm": ([("layernorm", 5), ("linear", 5, 3)], ROWS),
    "conv2d": ([("conv2d", 2, 3, 3, {"stride": 2, "padding": 1}), ("relu",), ("flatten",), ("linear", 27, 3)], IMAGE),
    "conv2d, not square": ([("conv2d", 2, 3, (1, 2)), ("global_avgpool",)], IMAGE),
    "maxpool2d": ([("maxpool2d", 2), ("flatten",), ("linear", 12, 3)], IMAGE),
    "maxpool2d, overlapping": ([("maxpool2d", 3, {"stride": 1}), ("flatten",), ("linear", 24, 3)], IMAGE),
    "maxpool2d, padded": ([("maxpool2d", 3, {"stride": 2, "padding": 1}), ("flatten",), ("linear", 18, 3)], IMAGE),
    "conv2d, no bias": ([("conv2d", 2, 3, 3, {"bias": False}), ("batchnorm", 3), ("global_avgpool",)], IMAGE),
    "residual": (
        [
            ("residual", [("conv2d", 2, 2, 3, {"padding": 1}), ("sigmoid",)]),
            ("relu",),
            ("residual", [("conv2d", 2, 3, 1, {"bias": False}), ("batchnorm", 3), ("tanh",)], [("conv2d", 2, 3, 1)]),
            ("global_avgpool",),
        ],
        IMAGE,
    ),
    "avgpool2d": ([("conv2d", 2, 2, 1), ("avgpool2d", 2), ("flatten",), ("linear", 12, 3)], IMAGE),
    "residual_block": ([("residual_block", 2), ("global_avgpool",), ("linear", 2, 3)], IMAGE),
    "inception_block": ([("inception_block", 2, 1, 1, 2, 1, 1, 1), ("global_avgpool",), ("linear", 5, 3)], IMAGE),
    "rnn": ([("rnn", 6, 5), ("last",), ("linear", 5, 3)], SEQUENCE),
    "lstm": ([("lstm", 6, 5), ("linear", 5, 3)], SEQUENCE),
    "gru": ([("gru", 6, 5), ("last",), ("linear", 5, 3)], SEQUENCE),
    "gru, reset after": ([("gru", 6, 5, {"reset_after": True}), ("last",), ("linear", 5, 3)], SEQUENCE),
    "self_attention": ([("self_attention", 6, 4, {"causal": True}), ("linear", 4, 3)], SEQUENCE),
    "attention": ([("attention", 6, 4, 2), ("linear", 6, 3)], SEQUENCE),
    "attention, causal": ([("multi_head_attention", 6, 4, 2, {"causal": True}), ("linear", 6, 3)], SEQUENCE),
    "transformer_block": ([("transformer_block", 6, 2, 7, {"causal": True}), ("last",), ("linear", 6, 3)], SEQUENCE),
    "embedding": ([("embedding", 7, 6), ("positions", 6), ("last",), ("linear", 6, 3)], SEQUENCE[:2]),
    **{name: ([(name,), ("linear", 5, 3)], ROWS) for name in activations.ACTIVATIONS},
}
over_networks = pytest.mark.parametrize("name", NETWORKS)


def make(name, dtype="float64", like=None):
    """A network with random biases and gains too, and a batch for it."""
    specs, shape = NETWORKS[name]
    rng = np.random.default_rng(1)
    net = Network(specs, rng=rng, dtype=dtype, like=like)
    if like is None:
        net.w += 0.1 * rng.standard_normal(net.w.shape).astype(dtype)
    X = rng.integers(0, 7, shape) if specs[0][0] == "embedding" else rng.standard_normal(shape).astype(dtype)
    return net, X


def test_every_layer_is_in_a_network_of_these_tests():
    assert {spec[0] for specs, _ in NETWORKS.values() for spec in specs} == set(training.LAYERS)


def test_every_op_pair_of_the_course_has_a_layer():
    """The names of layers are the names of pairs; what is not a layer by itself says why."""
    inside = {
        "mlp": "a network of linear layers and activations",
        "two_layer": "linear, g, linear; and it gives no gradient of its input",
        "lstm_cell": "one step of lstm",
        "gru_cell": "one step of gru",
        "scaled_dot_product_attention": "has three inputs; inside attention and self_attention",
        "cross_attention": "has two inputs",
        "rotary": "turns queries and keys, inside of an attention",
    }
    modules = (attention, backpropagation, convolution, dropout, layers, normalization, recurrent, activations)
    pairs = {
        name.removesuffix("_forward")
        for module in modules
        for name, f in vars(module).items()
        if name.endswith("_forward") and not name.startswith("_") and inspect.isfunction(f)
    }
    assert pairs - set(inside) <= set(training.LAYERS) and set(inside) <= pairs


@over_networks
def test_gradients_equal_central_differences(name):
    net, X = make(name)
    dU = np.random.default_rng(2).standard_normal(net.forward(X).shape)

    def objective(w):
        before = net.w.copy()
        net.w[...] = w
        U = net.forward(X, train=True, rng=np.random.default_rng(3))
        net.w[...] = before
        return np.sum(U * dU)

    net.forward(X, train=True, rng=np.random.default_rng(3))
    dX = net.backward(dU)
    numeric = gradient_checking.numerical_grad(objective, net.w.copy())
    np.testing.assert_allclose(net.dw, numeric, rtol=0, atol=1e-7 * max(1.0, np.abs(numeric).max()))
    if name == "embedding":
        assert dX is None
        return

    def of_input(X):
        return np.sum(net.forward(X, train=True, rng=np.random.default_rng(3)) * dU)

    np.testing.assert_allclose(dX, gradient_checking.numerical_grad(of_input, X), rtol=0, atol=1e-7)


@over_networks
def test_the_same_on_the_strict_backend(name):
    """Formula functions on array-api-strict against what runs on NumPy, kernels included."""
    strict = pytest.importorskip("array_api_strict")
    net, X = make(name)
    other, _ = make(name, like=strict.zeros(1))
    other.w[...] = strict.asarray(net.w)
    for train in (True, False):
        U, V = (
            each.forward(x, train=train, rng=np.random.default_rng(3))
            for each, x in ((net, X), (other, strict.asarray(X)))
        )
        np.testing.assert_allclose(to_numpy(V), U, rtol=1e-10, atol=1e-12)
        dU = np.random.default_rng(2).standard_normal(U.shape)
        dX, dX_strict = net.backward(dU), other.backward(strict.asarray(dU))
        np.testing.assert_allclose(to_numpy(other.dw), net.dw, rtol=1e-10, atol=1e-12)
        if dX is not None:
            np.testing.assert_allclose(to_numpy(dX_strict), dX, rtol=1e-10, atol=1e-12)
    for path, x in flatten(net.state).items():
        np.testing.assert_allclose(to_numpy(flatten(other.state)[path]), x, rtol=1e-12)


@over_networks
def test_float32_stays_float32_and_is_close(name):
    net, X = make(name)
    small, _ = make(name, dtype="float32")
    small.w[...] = net.w
    if X.dtype.kind == "f":
        X = X.astype("float32").astype("float64")
    U = small.forward(X)
    assert U.dtype == np.float32 and not np.shares_memory(U, X)
    scale = np.abs(net.forward(X)).max()
    np.testing.assert_allclose(U, net.forward(X), rtol=0, atol=1e-5 * max(scale, 1.0))
    dX = small.backward(np.ones_like(U))
    assert dX is None or dX.dtype == np.float32


@over_networks
def test_inputs_stay_untouched_and_passes_do_not_share_memory(name):
    net, X = make(name)
    before = X.copy()
    U = net.forward(X, train=True)
    kept = U.copy()
    dU = np.ones_like(U)
    net.backward(dU)
    net.forward(X, train=True)
    assert np.array_equal(X, before) and np.array_equal(U, kept) and np.all(dU == 1.0)


@over_networks
def test_saved_and_loaded_networks_are_equal(name, tmp_path):
    net, X = make(name)
    net.forward(X, train=True)
    net.save(tmp_path / "net")
    specs, _ = NETWORKS[name]
    other = Network(specs, rng=np.random.default_rng(9)).load(tmp_path / "net.npz")
    np.testing.assert_array_equal(net.forward(X), other.forward(X))
    assert [path.name for path in tmp_path.iterdir()] == ["net.npz"]


def test_files_hold_no_pickle_and_say_their_layers(tmp_path):
    net, _ = make("batchnorm")
    net.save(tmp_path / "net.npz")
    with np.load(tmp_path / "net.npz", allow_pickle=False) as file:
        assert json.loads(str(file["layers"])) == [["linear", 5, 4], ["batchnorm", 4], ["linear", 4, 3]]
        assert file["params:linear_0.W"].shape == (5, 4) and file["state:batchnorm_1.mean"].shape == (4,)


def test_loading_the_wrong_file_is_said_clearly_and_changes_nothing(tmp_path):
    net, _ = make("mlp")
    before = net.w.copy()
    for specs, message in [
        ([("linear", 5, 4)], "expected linear_2.W, as this network has it, got a file without it"),
        (
            [("linear", 5, 2), ("relu",), ("linear", 2, 3)],
            r"linear_0.W: expected numbers of shape \(5, 4\), got float64",
        ),
        (
            [("linear", 5, 4), ("relu",), ("linear", 4, 3), ("layernorm", 3)],
            "got a file with layernorm_3.gamma besides",
        ),
    ]:
        Network(specs, rng=np.random.default_rng(0)).save(tmp_path / "other.npz")
        with pytest.raises(ValueError, match=message):
            net.load(tmp_path / "other.npz")
    (tmp_path / "broken.npz").write_bytes(b"PK nothing")
    (tmp_path / "text.npz").write_text("no archive")
    np.savez(tmp_path / "pickled.npz", x=np.array([None]))
    for name in ("broken", "text", "pickled"):
        with pytest.raises(ValueError, match=r"expected a file that Network\.save wrote"):
            net.load(tmp_path / f"{name}.npz")
    with pytest.raises(FileNotFoundError):
        net.load(tmp_path / "nowhere")
    assert np.array_equal(net.w, before)


def test_parameters_are_views_into_one_vector():
    net, _ = make("transformer_block")
    leaves = flatten(net.params)
    assert sum(x.size for x in leaves.values()) == net.w.size == net.dw.size
    assert all(np.shares_memory(x, net.w) for x in leaves.values())
    assert all(np.shares_memory(x, net.dw) for x in flatten(net.grads).values())
    net.w[...] = np.arange(net.w.size)
    values = np.concatenate([x.ravel() for x in leaves.values()])
    assert sorted(values) == list(range(net.w.size)), "two parameters overlap"
    # weight decay takes the matrices: they come first
    assert net.weights == sum(x.size for x in leaves.values() if x.ndim > 1)
    assert all(x.max() < net.weights for x in leaves.values() if x.ndim > 1)


@pytest.mark.parametrize(
    "specs, error, message",
    [
        ([], TypeError, "layers: expected a list of at least one layer"),
        ("linear", TypeError, "layers: expected a list"),
        (
            [("liner", 2, 1)],
            ValueError,
            r"layers\[0\] \('liner', 2, 1\): there is no layer 'liner'; did you mean 'linear'",
        ),
        ([("zzz",)], ValueError, "there is no layer 'zzz'; expected one of linear, "),
        ([3], TypeError, r"layers\[0\] 3: expected a tuple that begins with the name"),
        ([()], TypeError, "expected a tuple that begins with the name"),
        ([("linear", 2)], TypeError, r"expected linear\(D, K, \*?,? ?initializer='he_uniform'\).*missing"),
        ([("linear", 2, 0)], ValueError, "K: expected a whole number of at least 1, got 0"),
        ([("linear", 2, 1.5)], TypeError, "K: expected a whole number of at least 1, got 1.5"),
        ([("linear", 2, 1, {"initializer": "he"})], ValueError, "initializer: expected one of"),
        ([("linear", 2, 1, {"bias": 0})], TypeError, "unexpected keyword argument 'bias'"),
        (
            [("linear", 2, 3), ("relu",), ("linear", 4, 1)],
            ValueError,
            r"layers\[2\].*expected 3 features, as layers\[0\]",
        ),
        ([("dropout", 1.0)], ValueError, r"p: expected a number in \[0, 1\), got 1"),
        ([("conv2d", 1, 2, 3, {"stride": 0})], ValueError, "stride: expected a whole number of at least 1"),
        ([("attention", 6, 6, 4)], ValueError, "E: expected a multiple of the 4 heads, got 6"),
        ([("glu", 2, 2, {"kind": "reglue"})], ValueError, "kind: expected one of"),
        ([("conv2d", 1, 2, ())], ValueError, r"size: expected a whole number or a pair \(height, width\), got \(\)"),
        ([("conv2d", 1, 2, (3, 4, 5))], ValueError, "size: expected a whole number or a pair"),
        ([("batchnorm", 3, {"momentum": 2.0})], ValueError, "momentum: expected"),
        ([("batchnorm", 3, {"eps": "x"})], TypeError, "eps: expected"),
        ([("layernorm", 3, {"eps": -1.0})], ValueError, "eps: expected"),
        ([("lstm", 2, 3, {"forget_bias": "x"})], TypeError, "forget_bias: expected"),
        ([("leaky_relu", {"slop": 1})], ValueError, "option: expected one of 'slope'; got 'slop'"),
        ([("positions", 3)], ValueError, "D: expected an even number"),
        ([("residual_block", 0)], ValueError, "C: expected a whole number"),
    ],
)
def test_bad_specifications_are_named(specs, error, message):
    with pytest.raises(error, match=message):
        Network(specs, rng=np.random.default_rng(0))


def test_bad_inputs_are_named():
    net, X = make("mlp")
    with pytest.raises(ValueError, match=r"backward: expected a forward pass"):
        net.backward(X)
    for bad, error, message in [
        (
            X[:, :4],
            ValueError,
            r"layers\[0\] \('linear', 5, 4\): expected an input with 5 features .* got shape \(4, 4\)",
        ),
        (X[:0], ValueError, "X: expected examples"),
        (X[0], ValueError, "X: expected examples along the first of at least two axes"),
        (np.full((2, 5), "a"), TypeError, "X: expected an array of numbers, got dtype"),
        (None, TypeError, "X: expected an array, got NoneType"),
    ]:
        with pytest.raises(error, match=message):
            net.forward(bad)
    assert net.forward([[1, 2, 3, 4, 5]]).shape == (1, 3)
    net.forward(X)
    with pytest.raises(ValueError, match=r"dU: expected the output's shape \(4, 3\), got \(4, 2\)"):
        net.backward(np.ones((4, 2)))
    images, _ = make("conv2d")
    with pytest.raises(ValueError, match=r"layers\[0\].*expected an input with 4 axes and 2 features"):
        images.forward(X)
    words, _ = make("embedding")
    with pytest.raises(TypeError, match=r"X: expected whole numbers 0…6 for the embedding"):
        words.forward(X)
    with pytest.raises(ValueError, match=r"X: expected whole numbers 0…6 for the embedding, got -1…0"):
        words.forward(np.array([[0, -1]]))
    with pytest.raises(TypeError, match=r"rng: expected a numpy\.random\.Generator"):
        Network([("relu",)], rng=0.5)
    strict = pytest.importorskip("array_api_strict")
    with pytest.raises(TypeError, match="X: expected an array of the parameters' backend"):
        net.forward(strict.asarray(X))


def test_a_network_that_only_reshapes_copies():
    net, X = Network([("flatten",)], rng=np.random.default_rng(0)), np.ones((2, 3, 3, 1))
    U = net.forward(X)
    assert U.shape == (2, 9) and not np.shares_memory(U, X) and not np.shares_memory(net.backward(U), U)


def test_windows_that_do_not_fit_are_placed():
    net = Network([("maxpool2d", 3), ("flatten",)], rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"layers\[0\] \('maxpool2d', 3\): "):
        net.forward(np.ones((1, 2, 2, 1)))


def test_loss_follows_the_targets():
    rng = np.random.default_rng(0)
    U = rng.standard_normal((4, 3))
    labels = rng.integers(0, 3, 4)
    J, dU = loss_and_grad(U, labels)
    assert pytest.approx(losses.softmax_cross_entropy(U, labels), rel=1e-12) == J
    np.testing.assert_allclose(dU, losses.softmax_cross_entropy_grad(U, labels), atol=1e-15)
    steps = rng.standard_normal((2, 4, 3))
    J, dU = loss_and_grad(steps, labels.reshape(2, 2).repeat(2, axis=1))
    assert (
        dU.shape == steps.shape
        and pytest.approx(losses.softmax_cross_entropy(steps.reshape(8, 3), labels.repeat(2))) == J
    )
    D = rng.standard_normal((4, 3))
    J, dU = loss_and_grad(U, D)
    assert pytest.approx(np.mean((U - D) ** 2)) == J
    np.testing.assert_allclose(dU, 2 * (U - D) / 12)
    for y, error, message in [
        (labels[:3], ValueError, r"y: expected labels of shape \(4,\) for outputs of shape \(4, 3\), got \(3,\)"),
        (labels + 1, ValueError, "y: expected labels 0…2 for 3 outputs, got 3"),
        (labels - 1, ValueError, "y: expected labels 0…2 for 3 outputs, got -1"),
        (
            D[:, 0],
            ValueError,
            r"y: expected values of the outputs' shape \(4, 3\), or whole numbers as labels, got \(4,\)",
        ),
        (labels.astype(str), TypeError, "y: expected whole numbers"),
        (None, TypeError, "y: expected an array of targets"),
    ]:
        with pytest.raises(error, match=message):
            loss_and_grad(U + (labels.max() < 2), y)


@pytest.mark.parametrize("optimizer", training.OPTIMIZERS)
@pytest.mark.parametrize("weight_decay", [None, 0.1])
def test_steps_equal_the_optimizers_of_the_course(optimizer, weight_decay):
    """`Trainer` against the pure functions on a tree of parameters, with the gradients of a small network."""
    net, X = make("mlp")
    twin, _ = make("mlp")
    y = np.array([0, 1, 2, 1])
    trainer = Trainer(net, optimizer, lr=0.05, weight_decay=weight_decay)
    state = getattr(optimizers, f"{optimizer}_init")(twin.params)
    decay = weight_decay if weight_decay is not None else 0.01 if optimizer == "adamw" else 0.0

    def weights_only(tree, factor):
        return {k: {n: factor * x if x.ndim > 1 else 0 * x for n, x in v.items()} for k, v in tree.items()}

    def assign(tree):
        for path, x in flatten(twin.params).items():
            x[...] = flatten(tree)[path]

    for _ in range(4):
        trainer.step(X, y)
        w = {k: {n: x.copy() for n, x in v.items()} for k, v in twin.params.items()}
        if optimizer == "nesterov":
            assign(optimizers.nesterov_lookahead(w, state))
        U = twin.forward(X, train=True)
        twin.backward(losses.softmax_cross_entropy_grad(U, y))
        if optimizer != "adamw":
            # of the penalty too: where the gradient is taken, with "nesterov" at the look-ahead
            shift = weights_only(twin.params, decay)
            dw = {k: {n: x + shift[k][n] for n, x in v.items()} for k, v in twin.grads.items()}
            w, state = getattr(optimizers, f"{optimizer}_step")(w, dw, state, lr=0.05)
        else:
            shift = weights_only(w, 0.05 * decay)
            w = {k: {n: x - shift[k][n] for n, x in v.items()} for k, v in w.items()}
            w, state = optimizers.adamw_step(w, twin.grads, state, lr=0.05, weight_decay=0.0)
        assign(w)
        np.testing.assert_allclose(net.w, twin.w, rtol=1e-10, atol=1e-13)


def test_clipping_bounds_the_step():
    net, X = make("mlp")
    before = net.w.copy()
    Trainer(net, "sgd", lr=1.0, clip_norm=1e-3).step(X, np.array([0, 1, 2, 1]))
    assert np.linalg.norm(net.w - before) == pytest.approx(1e-3)


def test_a_schedule_sees_every_step():
    net, X = make("mlp")
    seen = []

    def schedule(step, lr):
        seen.append((step, lr))
        return 0.0 if step == 0 else lr

    trainer = Trainer(net, "sgd", lr=0.5, schedule=schedule)
    before = net.w.copy()
    trainer.step(X, np.array([0, 1, 2, 1]))
    assert np.array_equal(net.w, before)
    trainer.step(X, np.array([0, 1, 2, 1]))
    assert seen == [(0, 0.5), (1, 0.5)] and not np.array_equal(net.w, before)
    warmup = partial(optimizers.warmup_cosine, total=6, warmup=2)
    for optimizer in training.OPTIMIZERS:
        net, X = make("mlp")
        fit(net, X, np.array([0, 1, 2, 1]), optimizer, lr=0.1, epochs=6, schedule=warmup, progress=False)
        assert np.all(np.isfinite(net.w))


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        ({"optimizer": "adem"}, ValueError, "optimizer: expected one of 'sgd'"),
        ({"lr": 0.0}, ValueError, r"lr: expected a number in \(0, inf\)"),
        ({"lr": np.inf}, ValueError, r"lr: expected a number in \(0, inf\), got inf"),
        ({"beta1": 1.0}, ValueError, r"beta1: expected"),
        ({"beta1": -0.5}, ValueError, r"beta1: expected"),
        ({"beta2": np.nan}, ValueError, r"beta2: expected"),
        ({"optimizer": "adamw", "eps": -1.0}, ValueError, r"eps: expected"),
        ({"lr": "fast"}, TypeError, "lr: expected a number"),
        ({"beta3": 0.9}, TypeError, "beta3: expected one of the options of adam_step: beta1, beta2, eps"),
        ({"epochs": -1}, ValueError, "epochs: expected a whole number"),
        ({"batch_size": 0}, ValueError, "batch_size: expected a whole number of at least 1"),
        ({"rng": "3"}, TypeError, r"rng: expected a numpy\.random\.Generator"),
        ({"schedule": 0.1}, TypeError, "schedule: expected a function"),
        ({"clip_norm": 0.0}, ValueError, "clip_norm: expected a number"),
        ({"weight_decay": -1.0}, ValueError, "weight_decay: expected a number"),
        ({"validation": 3}, TypeError, "validation: expected a pair"),
        ({"validation": (np.ones((2, 5)), [0, 7])}, ValueError, "y: expected labels 0…2"),
        ({"validation": (np.ones((2, 5)), [0])}, ValueError, "validation X, validation y: expected as many"),
        ({"y": [0, 1]}, ValueError, r"X, y: expected as many examples as targets .* \(4, 5\) and \(2,\)"),
        ({"y": [0, 1, 2, 3]}, ValueError, "y: expected labels 0…2 for 3 outputs, got 3"),
        ({"X": np.ones((4, 3))}, ValueError, r"layers\[0\].*expected an input with 5 features"),
        ({"net": "mlp"}, TypeError, "net: expected a Network, got str"),
    ],
)
def test_bad_calls_of_fit_are_named(arguments, error, message):
    net, X = make("mlp")
    with pytest.raises(error, match=message):
        fit(**({"net": net, "X": X, "y": [0, 1, 2, 1], "progress": False} | arguments))


def rings(rng, N=300):
    """Two classes, one around the other, with their labels."""
    labels = rng.integers(0, 2, N)
    angle, radius = rng.uniform(0, 2 * np.pi, N), 1.0 + labels + 0.1 * rng.standard_normal(N)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), labels


@pytest.mark.parametrize("optimizer", training.OPTIMIZERS)
def test_every_optimizer_learns_the_rings(optimizer):
    rng = np.random.default_rng(0)
    X, y = rings(rng)
    net = Network([("linear", 2, 24), ("relu",), ("linear", 24, 2)], rng=rng)
    lr = {"sgd": 0.3, "momentum": 0.1, "nesterov": 0.1, "adagrad": 0.1, "adadelta": 5.0}.get(optimizer, 0.01)
    history = fit(
        net, X[:200], y[:200], optimizer, lr=lr, epochs=40, rng=rng, validation=(X[200:], y[200:]), progress=False
    )
    assert [len(values) for values in history.values()] == [40] * 4
    assert history["val_accuracy"][-1] > 0.95 and history["loss"][-1] < 0.3 < history["loss"][0]
    J, accuracy = evaluate(net, X[200:], y[200:], batch_size=7)
    assert pytest.approx(history["val_loss"][-1]) == J and accuracy == history["val_accuracy"][-1]


def test_history_is_the_mean_over_the_examples():
    net, X = make("mlp")
    y = np.array([0, 1, 2, 1])
    J, accuracy = evaluate(net, X, y)
    history = fit(net, X, y, "sgd", lr=1e-12, epochs=1, batch_size=3, rng=np.random.default_rng(0), progress=False)
    assert history["loss"] == [pytest.approx(J, rel=1e-9)] and history["accuracy"] == [accuracy]
    assert history["val_loss"] == history["val_accuracy"] == []
    assert all(type(x) is float for x in (*history["loss"], *history["accuracy"]))


def test_the_same_seed_gives_the_same_network():
    X, y = rings(np.random.default_rng(0), 50)

    def trained():
        rng = np.random.default_rng(5)
        net = Network([("linear", 2, 8), ("tanh",), ("dropout", 0.2), ("linear", 8, 2)], rng=rng)
        fit(net, X, y, epochs=3, rng=rng, progress=False)
        return net.w

    assert np.array_equal(trained(), trained())


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint64"])
def test_labels_of_any_integer_type(dtype):
    net, X = make("mlp")
    J = Trainer(net, "sgd", lr=0.1).step(X, np.array([0, 1, 2, 1], dtype))
    net, X = make("mlp")
    assert Trainer(net, "sgd", lr=0.1).step(X, np.array([0, 1, 2, 1])) == J


def test_what_has_no_parameters_cannot_be_fitted():
    with pytest.raises(ValueError, match="net: expected a network with parameters"):
        fit(Network([("relu",)], rng=np.random.default_rng(0)), np.ones((2, 2)), [0, 1])


def test_values_are_fitted_by_least_squares():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((64, 3))
    W = np.array([[1.0, 0.0], [-2.0, 1.0], [0.5, 3.0]])
    net = Network([("linear", 3, 2)], rng=rng)
    history = fit(net, X, X @ W + 1.0, lr=0.05, epochs=200, rng=rng, validation=(X, X @ W + 1.0), progress=False)
    np.testing.assert_allclose(net.params["linear_0"]["W"], W, atol=1e-3)
    np.testing.assert_allclose(net.params["linear_0"]["b"], 1.0, atol=1e-3)
    assert history["accuracy"] == history["val_accuracy"] == [] and len(history["val_loss"]) == 200


def test_a_sequence_model_learns_to_repeat():
    """Each step's label is the symbol one step before: a recurrent state must carry it."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 4, (128, 6))
    y = np.concatenate([np.zeros((128, 1), int), X[:, :-1]], axis=1)
    for layer in [("gru", 8, 16), ("lstm", 8, 16), ("transformer_block", 8, 2, {"causal": True})]:
        rng = np.random.default_rng(1)
        width = 16 if layer[0] != "transformer_block" else 8
        net = Network([("embedding", 4, 8), ("positions", 8), layer, ("linear", width, 4)], rng=rng, dtype="float32")
        history = fit(net, X, y, lr=0.01, epochs=40, batch_size=16, rng=rng, progress=False)
        assert history["accuracy"][-1] > 0.95, layer


def test_a_convolutional_network_learns_bars():
    rng = np.random.default_rng(0)
    X, y = 0.1 * rng.standard_normal((120, 6, 6, 1)), rng.integers(0, 2, 120)
    for image, label in zip(X, y, strict=True):
        line = rng.integers(1, 5)
        image[line if label else slice(None), slice(None) if label else line] += 1.0
    net = Network(
        [
            ("conv2d", 1, 4, 3, {"padding": 1}),
            ("batchnorm", 4),
            ("relu",),
            ("maxpool2d", 2),
            ("flatten",),
            ("linear", 36, 2),
        ],
        rng=rng,
        dtype="float32",
    )
    history = fit(net, X, y, lr=0.01, epochs=20, rng=rng, validation=(X, y), progress=False)
    assert history["val_accuracy"][-1] > 0.95


def test_an_interruption_keeps_what_was_learned(monkeypatch, capsys):
    X, y = rings(np.random.default_rng(0), 64)
    net = Network([("linear", 2, 8), ("relu",), ("linear", 8, 2)], rng=np.random.default_rng(0))
    start, minibatches, count = net.w.copy(), datasets.minibatches, 0

    def interrupted(*arguments):
        nonlocal count
        for batch in minibatches(*arguments):
            count += 1
            if count == 6:
                raise KeyboardInterrupt
            yield batch

    monkeypatch.setattr(datasets, "minibatches", interrupted)
    history = fit(net, X, y, epochs=9, batch_size=32, validation=(X, y))
    assert [len(values) for values in history.values()] == [2] * 4 and not np.array_equal(net.w, start)
    assert "Interrupted in epoch 3: what was learned is kept." in capsys.readouterr().err


def test_progress_is_on_stderr_and_plain_where_no_terminal_is(capsys, monkeypatch):
    X, y = rings(np.random.default_rng(0), 8)
    net = Network([("linear", 2, 2)], rng=np.random.default_rng(0))
    fit(net, X, y, epochs=100, validation=(X, y))
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert shown.out == "" and len(lines) == 11 and "\r" not in shown.err and "\x1b" not in shown.err
    assert re.fullmatch(
        r"epoch 100/100  loss \d+\.\d{4}  accuracy [01]\.\d{4}  val_loss \d+\.\d{4}  val_accuracy [01]\.\d{4}",
        lines[-1],
    )
    fit(net, X, y, epochs=2, progress=False)
    assert capsys.readouterr().err == ""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr("time.monotonic", iter(np.arange(0.0, 100.0, 0.5)).__next__)
    fit(net, X, y, epochs=2, batch_size=2)
    assert re.search(r"\r█+░* +\d+%  epoch 1/2  loss \d", terminal.getvalue()) and terminal.getvalue().endswith("\n")


def test_no_epochs_no_change():
    net, X = make("mlp")
    before = net.w.copy()
    assert fit(net, X, [0, 1, 2, 1], epochs=0) == {"loss": [], "accuracy": [], "val_loss": [], "val_accuracy": []}
    assert np.array_equal(net.w, before)


def test_fit_runs_on_the_strict_backend():
    strict = pytest.importorskip("array_api_strict")
    rng = np.random.default_rng(0)
    X, y = rings(rng, 60)
    specs = [("linear", 2, 8), ("tanh",), ("batchnorm", 8), ("linear", 8, 2)]
    nets = [Network(specs, rng=np.random.default_rng(1), like=like) for like in (None, strict.zeros(1))]
    histories = [
        fit(net, X, y, epochs=3, rng=np.random.default_rng(2), clip_norm=1.0, weight_decay=0.01, progress=False)
        if net is nets[0]
        else fit(
            net,
            strict.asarray(X),
            strict.asarray(y),
            epochs=3,
            rng=np.random.default_rng(2),
            clip_norm=1.0,
            weight_decay=0.01,
            progress=False,
        )
        for net in nets
    ]
    np.testing.assert_allclose(to_numpy(nets[1].w), nets[0].w, rtol=1e-9)
    np.testing.assert_allclose(histories[1]["loss"], histories[0]["loss"], rtol=1e-9)


def test_a_learner_written_in_pytorch_takes_the_same_steps():
    """The whole loop (forward, loss, backward, Adam) against PyTorch's, in float64."""
    torch = pytest.importorskip("torch", reason="PyTorch, the live oracle, is not installed")
    rng = np.random.default_rng(0)
    net = Network([("linear", 5, 8), ("relu",), ("linear", 8, 3)], rng=rng)
    model = torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)).double()
    for place, name in ((0, "linear_0"), (2, "linear_2")):
        model[place].weight.data = torch.tensor(net.params[name]["W"].T.copy())
        model[place].bias.data = torch.tensor(net.params[name]["b"].copy())
    X, y = rng.standard_normal((12, 5)), rng.integers(0, 3, 12)
    trainer, optimizer = Trainer(net, "adam", lr=0.01), torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(20):
        optimizer.zero_grad()
        J = torch.nn.functional.cross_entropy(model(torch.tensor(X)), torch.tensor(y))
        J.backward()
        optimizer.step()
        assert trainer.step(X, y) == pytest.approx(J.item(), rel=1e-9)
    np.testing.assert_allclose(net.params["linear_0"]["W"], model[0].weight.detach().numpy().T, rtol=1e-8, atol=1e-12)


def _labelled(rng):
    N, K = rng.integers(2, 7, size=2)
    return {"logits": rng.standard_normal((N, K)), "labels": rng.integers(0, K, N)}


LABELS_OUTSIDE = [
    ({"labels": lambda labels: labels + 99}, "labels: expected labels 0…"),
    ({"labels": lambda labels: labels[:-1]}, "labels: expected shape"),
]

OPERATIONS = [
    Operation(
        "metrics.accuracy",
        "plain",
        _labelled,
        oracle=lambda torch, logits, labels: (logits.argmax(1) == labels).to(logits.dtype).mean(),
        bad=LABELS_OUTSIDE,
    ),
    Operation(
        "metrics.perplexity",
        "plain",
        _labelled,
        oracle=lambda torch, logits, labels: torch.exp(torch.nn.functional.cross_entropy(logits, labels)),
        bad=LABELS_OUTSIDE,
    ),
    Operation(
        "metrics.temperature_softmax",
        "plain",
        lambda rng: {"logits": rng.standard_normal((3, 5)), "temperature": float(rng.uniform(0.2, 3.0))},
        oracle=lambda torch, logits, temperature: torch.softmax(logits / temperature, -1),
        bad=[({"temperature": 0.0}, r"temperature: expected a number in \(0, inf\), got 0")],
    ),
]
# Whole numbers out, lists of numbers in
TESTED_BELOW = ["metrics.confusion_matrix", "metrics.early_stopping", "_tree.named_leaves", "_tree.nest"]


def test_nested_dicts_are_taken_apart_by_name_and_put_together_again():
    tree = {"a": 1, "b": {"c": 2, "d": {"e": 3}}, "f": {}}
    assert list(named_leaves(tree)) == [("a", 1), ("b.c", 2), ("b.d.e", 3)]
    assert nest(named_leaves(tree)) == {"a": 1, "b": {"c": 2, "d": {"e": 3}}}


def test_confusion_matrix_counts_true_classes_in_rows():
    labels, predictions = np.array([0, 1, 1, 2, 2, 2]), np.array([0, 0, 1, 2, 2, 0])
    C = metrics.confusion_matrix(labels, predictions, 3)
    assert C.dtype.kind == "i" and C.tolist() == [[1, 0, 0], [1, 1, 0], [1, 0, 2]]
    assert metrics.confusion_matrix([0], [0], 4).sum() == 1
    with pytest.raises(ValueError, match=r"predictions: expected labels 0…2, got 3"):
        metrics.confusion_matrix(labels, predictions + 1, 3)


@pytest.mark.parametrize(
    ("losses_", "patience", "expected"),
    [
        ([1.0, 0.7, 0.8, 0.9, 0.5], 2, (1, 3)),
        ([1.0, 0.7, 0.8, 0.9, 0.5], 3, (4, 4)),
        ([3.0, 2.0, 1.0], 1, (2, 2)),
        ([1.0, 1.0, 1.0], 2, (0, 2)),
        ([1.0], 5, (0, 0)),
    ],
)
def test_early_stopping_keeps_the_best_and_waits(losses_, patience, expected):
    assert metrics.early_stopping(losses_, patience) == expected


def test_early_stopping_refuses_nonsense():
    with pytest.raises(ValueError, match="patience: expected a whole number of at least 1, got 0"):
        metrics.early_stopping([1.0], 0)
    with pytest.raises(ValueError, match="losses: expected shape"):
        metrics.early_stopping([], 1)


def test_softmax_regression_epoch_is_what_a_network_of_one_layer_does():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((11, 4)), rng.integers(0, 3, 11)
    net = Network([("linear", 4, 3)], rng=rng)
    W, b = (np.array(net.params["linear_0"][name]) for name in "Wb")
    trainer = Trainer(net, "sgd", lr=0.3)
    charged = [len(d) * trainer.step(x, d) for x, d in ((X[:4], y[:4]), (X[4:8], y[4:8]), (X[8:], y[8:]))]
    W1, b1, loss = training.softmax_regression_epoch(X, y, W, b, 0.3, 4)
    np.testing.assert_allclose(W1, net.params["linear_0"]["W"], rtol=1e-12)
    np.testing.assert_allclose(b1, net.params["linear_0"]["b"], rtol=1e-12, atol=1e-15)
    assert loss == pytest.approx(sum(charged) / 11, rel=1e-12)


def test_a_network_of_numpy_sizes_is_saved(tmp_path):
    specs = [("linear", np.int64(2), np.array([0, 1, 2]).max() + 1), ("dropout", np.float32(0.5))]
    net = Network(specs, rng=np.random.default_rng(0))
    net.save(tmp_path / "net")
    other = Network([("linear", 2, 3), ("dropout", 0.5)], rng=np.random.default_rng(1)).load(tmp_path / "net")
    np.testing.assert_array_equal(other.w, net.w)


def test_a_file_of_other_layers_with_the_same_shapes_is_refused(tmp_path):
    def attention(heads, causal):
        return Network([("attention", 4, 4, heads, {"causal": causal})], rng=np.random.default_rng(heads))

    attention(2, False).save(tmp_path / "two")
    for heads, causal in ((4, False), (2, True)):
        net = attention(heads, causal)
        before = net.w.copy()
        with pytest.raises(ValueError, match=r"expected the layers .*got a file of"):
            net.load(tmp_path / "two")
        np.testing.assert_array_equal(net.w, before)
    attention(2, False).load(tmp_path / "two")


def test_a_damaged_file_is_said_to_be_none(tmp_path):
    net = Network([("linear", 2, 3)], rng=np.random.default_rng(0))
    net.save(tmp_path / "net")
    whole, before = (tmp_path / "net.npz").read_bytes(), net.w.copy()
    np.save(tmp_path / "array.npy", np.ones(3))
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    with pytest.raises(ValueError, match=r"expected a file that Network.save wrote"):
        net.load(tmp_path / "array")
    rng = np.random.default_rng(0)
    for _ in range(200):
        broken = bytearray(whole[: rng.integers(1, len(whole))] if rng.random() < 0.5 else whole)
        broken[rng.integers(len(broken))] ^= 1 << int(rng.integers(8))
        (tmp_path / "broken.npz").write_bytes(broken)
        try:
            net.load(tmp_path / "broken")
        except ValueError:
            np.testing.assert_array_equal(net.w, before)
    with pytest.raises(FileNotFoundError):
        net.load(tmp_path / "nothing")


def test_backward_takes_the_gradient_in_any_precision():
    net = Network([("linear", 2, 3)], rng=np.random.default_rng(0), dtype="float32")
    X, dU = np.ones((4, 2), "float32"), np.random.default_rng(1).integers(-3, 3, (4, 3))
    net.forward(X)
    net.backward(dU.astype("float32"))
    expected = net.dw.copy()
    for given in (dU, dU.astype("float64")):
        assert net.backward(given).dtype == np.float32
        np.testing.assert_array_equal(net.dw, expected)
    for wrong in (None, [[1.0, 1.0, 1.0]] * 4):
        with pytest.raises(TypeError, match="dU: expected an array"):
            net.backward(wrong)


def test_what_is_no_network_or_no_output_is_named():
    with pytest.raises(TypeError, match="net: expected a Network, got NoneType"):
        evaluate(None, np.ones((2, 2)), np.zeros(2, int))
    with pytest.raises(TypeError, match="U: "):
        loss_and_grad(None, np.zeros(2, int))
    J, dU = loss_and_grad([[0.0, 0.0]], [0])
    assert float(J) == pytest.approx(np.log(2)) and dU.shape == (1, 2)


def test_rows_of_different_lengths_are_named():
    net = Network([("linear", 2, 2)], rng=np.random.default_rng(0))
    ragged = [[1.0, 2.0], [3.0]]
    for call, name in (
        (lambda: net.forward(ragged), "X"),
        (lambda: fit(net, ragged, [0, 1], progress=False), "X"),
        (lambda: loss_and_grad(np.zeros((2, 2)), [[0], [0, 1]]), "y"),
        (lambda: losses.softmax_cross_entropy(np.zeros((2, 2)), [[0], [0, 1]]), "labels"),
    ):
        with pytest.raises(
            ValueError, match=f"{name}: expected an array.* got a nested list with rows of unequal length"
        ):
            call()


# ── position by position ────────────────────────────────────────────────────────────────────────────────────────────

CAUSAL = {"causal": True}
OF_SEQUENCES = {
    "rnn": [("rnn", 6, 5), ("linear", 5, 7)],
    "lstm": [("lstm", 6, 5), ("tanh",), ("lstm", 5, 4), ("linear", 4, 7)],
    "gru": [("gru", 6, 5), ("dropout", 0.5), ("linear", 5, 7)],
    "one head": [("positions", 6), ("self_attention", 6, 4, CAUSAL), ("linear", 4, 7)],
    "heads": [("positions", 6), ("attention", 6, 8, 2, CAUSAL), ("layernorm", 6), ("linear", 6, 7)],
    "blocks": [("positions", 6), ("transformer_block", 6, 2, CAUSAL), ("transformer_block", 6, 3, CAUSAL), ("linear", 6, 7)],
    "other blocks": [("transformer_block", 6, 2, 9, CAUSAL | {"mlp": "swiglu", "norm": "rms"}), ("rmsnorm", 6), ("linear", 6, 7)],
    "residual": [("residual", [("lstm", 6, 6), ("relu",)]), ("glu", 6, 4), ("linear", 4, 7)],
}  # fmt: skip


@pytest.mark.parametrize("layers", OF_SEQUENCES.values(), ids=OF_SEQUENCES)
def test_position_by_position_is_the_whole_pass(layers):
    rng = np.random.default_rng(0)
    net = Network([("embedding", 7, 6), *layers], rng=rng)
    ids = rng.integers(0, 7, (3, 10))
    whole, kept = net.forward(ids), None
    for t in range(10):
        before = kept
        u, kept = net.step(ids[:, t : t + 1], before)
        # What was kept can be gone on from twice
        assert np.array_equal(net.step(ids[:, t : t + 1], before)[0], u)
        assert u.shape == (3, 1, 7) and np.abs(u[:, 0] - whole[:, t]).max() < 1e-12
    # At temperature 0 the likeliest symbol of whole passes
    expected = ids[:, :4]
    for _ in range(8):
        expected = np.concatenate([expected, net.forward(expected)[:, -1:].argmax(axis=-1)], axis=1)
    assert np.array_equal(training.generate(net, ids[:, :4], 8, rng=0, temperature=0), expected)
    assert np.array_equal(training.generate(net, ids[1, :4], 8, rng=0, temperature=0), expected[1])


def test_one_more_position_computes_no_position_again(monkeypatch):
    rows, original = [], attention.sinusoidal_positions
    monkeypatch.setattr(attention, "sinusoidal_positions", lambda T, D: rows.append(T) or original(T, D))
    net = Network([("positions", 4)], rng=0)
    x, kept = np.zeros((1, 1, 4)), None
    for t in range(100):
        u, kept = net.step(x, kept)
        assert np.array_equal(u[0, 0], original(t + 1, 4)[t])
    # Tables of twice the length, not one for each position: 5050 rows
    assert rows == [1, 3, 7, 15, 31, 63, 127]


def test_what_is_written_follows_the_probabilities():
    net = Network([("embedding", 3, 3), ("linear", 3, 3)], rng=0)
    net.params["embedding_0"]["E"][...] = np.eye(3)
    P = np.array([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25], [0.6, 0.1, 0.3]])
    net.params["linear_1"]["W"][...] = np.log(P)
    net.params["linear_1"]["b"][...] = 0.0
    for temperature, p in ((1.0, P), (0.5, P**2 / (P**2).sum(axis=1, keepdims=True))):
        ids = training.generate(net, [0], 20_000, rng=1, temperature=temperature)
        pairs = np.zeros((3, 3))
        np.add.at(pairs, (ids[:-1], ids[1:]), 1)
        # Five standard deviations of shares of at least 2,000 draws
        assert np.abs(pairs / pairs.sum(axis=1, keepdims=True) - p).max() < 5 * np.sqrt(0.25 / 2000)
    assert np.array_equal(training.generate(net, [0, 1], 5, rng=3), training.generate(net, [0, 1], 5, rng=3))
    assert training.generate(net, [[0], [1]], 0, rng=0).tolist() == [[0], [1]]


@pytest.mark.parametrize(
    "layers, prompt, options, error, message",
    [
        (
            [("linear", 3, 3)],
            [0],
            {},
            ValueError,
            "net: expected an embedding as the first layer, got ('linear', 3, 3)",
        ),
        (
            [("embedding", 3, 4), ("attention", 4, 4, 2), ("linear", 4, 3)],
            [0],
            {},
            ValueError,
            "layers[1] ('attention', 4, 4, 2): expected a layer that looks back only, such as one with {'causal': True}",
        ),
        (
            [("embedding", 3, 4), ("last",), ("linear", 4, 3)],
            [0],
            {},
            ValueError,
            "layers[1] ('last',): expected a layer of sequences, position by position",
        ),
        (
            [("embedding", 3, 4), ("residual", [("last",)]), ("linear", 4, 3)],
            [0],
            {},
            ValueError,
            "layers[1] ('residual', [('last',)]): expected a layer of sequences, position by position",
        ),
        (
            [("embedding", 3, 3)],
            [],
            {},
            ValueError,
            "prompt: expected at least one whole number, (T,) or (N, T), got shape (0,) of float64",
        ),
        ([("embedding", 3, 3)], [3], {}, ValueError, "X: expected whole numbers 0…2 for the embedding, got 3…3"),
        (
            [("embedding", 3, 3)],
            [0],
            {"temperature": -1},
            ValueError,
            "temperature: expected a number in [0, inf), got -1",
        ),
        (
            [("embedding", 3, 3)],
            [0],
            {"length": -1},
            ValueError,
            "length: expected a whole number of at least 0, got -1",
        ),
    ],
)
def test_what_cannot_be_written_is_said(layers, prompt, options, error, message):
    net = Network(layers, rng=0)
    with pytest.raises(error) as caught:
        training.generate(net, prompt, **{"length": 2, "rng": 0} | options)
    assert str(caught.value) == message


def test_a_step_is_no_forward_pass_to_go_back_from():
    net = Network([("embedding", 3, 3)], rng=0)
    net.forward(np.array([[0]]))
    net.step(np.array([[0]]))
    with pytest.raises(ValueError, match="backward: expected a forward pass before it, got none"):
        net.backward(np.ones((1, 1, 3)))


def test_the_residual_blocks_projection_is_a_layer():
    layers = [("residual_block", 2, {"out": 4, "stride": 2}), ("global_avgpool",), ("linear", 4, 2)]
    net = Network(layers, rng=0)
    assert net.params["residual_block_0"]["W0"].shape == (1, 1, 2, 4)
    X, y = np.random.default_rng(0).standard_normal((8, 6, 6, 2)), np.arange(8) % 2
    trainer = training.Trainer(net, "adam", lr=0.02)
    losses = [trainer.step(X, y) for _ in range(60)]
    assert losses[-1] < 0.2 * losses[0]
    with pytest.raises(ValueError, match=r"layers\[0\] .*: stride: expected 1 where no out is given, got 2"):
        Network([("residual_block", 2, {"stride": 2})], rng=0)


@pytest.mark.parametrize("options", [{"mlp": "swiglu"}, {"norm": "rms"}, {"mlp": "swiglu", "norm": "rms"}])
def test_a_block_of_another_form_trains(options):
    net = Network([("embedding", 4, 8), ("transformer_block", 8, 2, CAUSAL | options), ("linear", 8, 4)], rng=0)
    X = np.tile(np.arange(4), (6, 4))
    X = (X + np.arange(6)[:, None]) % 4
    history = training.fit(net, X, (X + 1) % 4, lr=0.01, epochs=40, batch_size=3, rng=0, progress=False)
    assert history["loss"][-1] < 0.2 * history["loss"][0]
