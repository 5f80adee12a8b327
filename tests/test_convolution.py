"""Convolution: against PyTorch and plain loops; the blocks; the published architectures, counted and built."""

import tracemalloc

import numpy as np
import pytest
from common import Operation, assert_close, cast, fewer, flatten, numerical_gradients, run, run_torch, summands
from hypothesis import given
from hypothesis import strategies as st

from dlcourse import architectures, convolution, training
from dlcourse.convolution import conv2d_backward, conv2d_forward, conv_output_size

TESTED_BELOW = [
    "convolution.conv_output_size",
    "convolution.receptive_field",
    "convolution.residual_block_init",
    "convolution.inception_block_init",
    "architectures.alexnet",
    "architectures.vgg",
    "architectures.resnet",
    "architectures.inception_v1",
    "architectures.build",
]


def nchw(X):
    return X.permute(0, 3, 1, 2)


def nhwc(X):
    return X.permute(0, 2, 3, 1)


def convolved(torch, X, W, b, stride=1, padding=0):
    # Contiguous: in float64 PyTorch's own backward pass refuses a permuted kernel
    kernel, image = W.permute(3, 2, 0, 1).contiguous(), nchw(X).contiguous()
    return nhwc(torch.nn.functional.conv2d(image, kernel, b, stride=stride, padding=padding))


def conv2d_inputs(rng):
    H, W = rng.integers(4, 8, size=2)
    kh, kw = rng.integers(2, 5, size=2)
    stride, N, C, K = rng.permutation([1, 2, 2, 3])
    padding = int(rng.integers(0, 3)) if rng.random() < 0.5 else 1
    return {
        "X": rng.standard_normal((N, H, W, C)),
        "W": rng.standard_normal((kh, kw, C, K)),
        "b": rng.standard_normal(K),
        "stride": int(stride),
        "padding": padding,
    }


def pool_inputs(rng):
    H, W = rng.integers(4, 8, size=2)
    size, stride = rng.permutation([2, 2, 3])[:2]
    N, C = rng.integers(2, 4, size=2)
    return {"X": rng.standard_normal((N, H, W, C)), "size": int(size), "stride": int(stride)}


def maxpool_inputs(rng):
    inputs = pool_inputs(rng)
    return inputs | {"padding": int(rng.integers(0, inputs["size"] // 2 + 1))}


def residual_inputs(rng):
    N, C, F, H, W = rng.integers(2, 5, size=5)
    k, l = rng.choice([1, 3, 5], size=2, p=[0.2, 0.6, 0.2])
    shapes = {"W1": (k, k, C, F), "b1": (F,), "W2": (l, l, F, C), "b2": (C,)}
    X = rng.standard_normal((N, H, W, C))
    return {"X": X, "params": {name: rng.standard_normal(shape) for name, shape in shapes.items()}}


def residual_oracle(torch, X, params):
    p = params
    hidden = torch.relu(convolved(torch, X, p["W1"], p["b1"], padding=p["W1"].shape[0] // 2))
    return torch.relu(X + convolved(torch, hidden, p["W2"], p["b2"], padding=p["W2"].shape[0] // 2))


def inception_inputs(rng):
    C, *channels = (int(n) for n in rng.integers(1, 4, size=7))
    N, H, W = rng.integers(2, 5, size=3)
    params = convolution.inception_block_init(C, *channels, rng)
    return {
        "X": rng.standard_normal((N, H, W, C)),
        "params": {k: rng.standard_normal(p.shape) for k, p in params.items()},
    }


def inception_oracle(torch, X, params):
    def star(A, name):
        W, b = params["W" + name], params["b" + name]
        return torch.relu(convolved(torch, A, W, b, padding=W.shape[0] // 2))

    pooled = nhwc(torch.nn.functional.max_pool2d(nchw(X), 3, stride=1, padding=1))
    branches = star(X, "1"), star(star(X, "3r"), "3"), star(star(X, "5r"), "5"), star(pooled, "p")
    return torch.cat(branches, dim=3)


FLAT = [({"X": lambda X: X[0]}, r"X: expected shape \(N, H, W, C\), got")]
BAD_WINDOW = [
    ({"stride": 0}, "stride: expected a whole number of at least 1, got 0"),
    ({"stride": 1.5}, "stride: expected a whole number"),
]
BAD_SIZE = [
    ({"size": 0}, "size: expected a whole number of at least 1, got 0"),
    ({"size": 40}, "size: expected at most the padded input's length"),
]

OPERATIONS = [
    Operation(
        "convolution.conv2d",
        "pair",
        conv2d_inputs,
        wrt=("X", "W", "b"),
        oracle=convolved,
        bad=[
            *FLAT,
            *BAD_WINDOW,
            (
                {"W": lambda W: np.concatenate([W, W], axis=2)},
                r"W: expected shape \(kh, kw, C, K\) with C = \d as in X",
            ),
            ({"W": lambda W: np.ones((40, 1, *W.shape[2:]))}, "W: expected at most the padded input's length"),
            ({"b": lambda b: np.append(b, 0.0)}, r"b: expected shape \(K,\) with K = \d as in W"),
            ({"padding": -1}, "padding: expected a whole number of at least 0, got -1"),
        ],
    ),
    Operation(
        "convolution.maxpool2d",
        "pair",
        maxpool_inputs,
        wrt=("X",),
        oracle=lambda torch, X, size, stride, padding: nhwc(
            torch.nn.functional.max_pool2d(nchw(X), size, stride=stride, padding=padding)
        ),
        bad=[
            *FLAT,
            *BAD_WINDOW,
            *BAD_SIZE,
            ({"padding": -1}, "padding: expected a whole number of at least 0, got -1"),
            ({"padding": 2, "size": 3}, "padding: expected at most half of size = 3, got 2"),
        ],
    ),
    Operation(
        "convolution.avgpool2d",
        "pair",
        pool_inputs,
        wrt=("X",),
        oracle=lambda torch, X, size, stride: nhwc(torch.nn.functional.avg_pool2d(nchw(X), size, stride=stride)),
        bad=[*FLAT, *BAD_WINDOW, *BAD_SIZE],
    ),
    Operation(
        "convolution.global_avgpool",
        "pair",
        lambda rng: {"X": rng.standard_normal(rng.integers(1, 6, size=4))},
        wrt=("X",),
        oracle=lambda torch, X: torch.nn.functional.adaptive_avg_pool2d(nchw(X), 1)[:, :, 0, 0],
        bad=FLAT,
    ),
    Operation(
        "convolution.residual_block",
        "pair",
        residual_inputs,
        wrt=("X", "params"),
        oracle=residual_oracle,
        bad=[
            *FLAT,
            ({"params": None}, "params: expected a dict of W1, b1, W2, b2, got NoneType"),
            ({"params": lambda p: {"W1": p["W1"]}}, "params: expected the keys W1, b1, W2, b2; got W1"),
            (
                {"params": lambda p: p | {"b2": np.ones(9)}},
                r"b2: expected shape \(C,\) with C = \d as in X, got \(9,\)",
            ),
            (
                {"params": lambda p: p | {"W2": np.ones((2, 2, *p["W2"].shape[2:]))}},
                r"W2: expected kernels of an odd size, got shape \(2, 2,",
            ),
        ],
    ),
    Operation(
        "convolution.inception_block",
        "pair",
        inception_inputs,
        wrt=("X", "params"),
        oracle=inception_oracle,
        bad=[
            *FLAT,
            ({"params": [1, 2]}, "params: expected a dict of W1, b1, W3r"),
            ({"params": lambda p: p | {"Wq": p["Wp"]}}, "params: expected the keys .*; got .*Wq"),
            ({"params": lambda p: p | {"W3": p["W1"]}}, r"W3: expected shape \(3, 3, c3r, c3\)"),
        ],
    ),
]


# ── convolution ─────────────────────────────────────────────────────────────────────────────────────────────────────


def convolved_by_loops(X, W, b, stride, padding):
    """The defining sum, one output number at a time."""
    (N, height, width, _), (kh, kw, _, K) = X.shape, W.shape
    out_h, out_w = ((n + 2 * padding - k) // stride + 1 for n, k in ((height, kh), (width, kw)))
    Y = np.zeros((N, out_h, out_w, K))
    for n, y, x, k in np.ndindex(Y.shape):
        Y[n, y, x, k] = b[k]
        for i, j in np.ndindex(kh, kw):
            row, column = stride * y + i - padding, stride * x + j - padding
            if 0 <= row < height and 0 <= column < width:
                Y[n, y, x, k] += X[n, row, column] @ W[i, j, :, k]
    return Y


@fewer(30)
@given(st.integers(0, 2**32 - 1))
def test_convolution_is_its_defining_sum(seed):
    inputs = conv2d_inputs(np.random.default_rng(seed))
    Y, _ = conv2d_forward(**inputs)
    np.testing.assert_allclose(Y, convolved_by_loops(**inputs), rtol=1e-12, atol=1e-12)
    height, width = inputs["X"].shape[1:3]
    kh, kw = inputs["W"].shape[:2]
    stride, padding = inputs["stride"], inputs["padding"]
    assert Y.shape[1:3] == (conv_output_size(height, kh, stride, padding), conv_output_size(width, kw, stride, padding))


@fewer(30)
@given(st.integers(0, 2**32 - 1))
def test_backward_is_the_transpose_of_forward(seed):
    """⟨dY, conv(X)⟩ = ⟨dX, X⟩ where the layer is linear: exact, with no step size to choose."""
    rng = np.random.default_rng(seed)
    inputs = conv2d_inputs(rng)
    X, W = inputs["X"], inputs["W"]
    inputs["b"] = np.zeros(W.shape[3])
    Y, cache = conv2d_forward(**inputs)
    dY = rng.standard_normal(Y.shape)
    dX, dW, db = conv2d_backward(dY, cache)
    flow = np.sum(dY * Y)
    assert np.sum(dX * X) == pytest.approx(flow, rel=1e-10, abs=1e-10)
    assert np.sum(dW * W) == pytest.approx(flow, rel=1e-10, abs=1e-10)
    np.testing.assert_allclose(db, [dY[..., k].sum() for k in range(len(db))], rtol=1e-12, atol=1e-12)


def test_the_kernel_is_not_flipped():
    X = np.zeros((1, 3, 3, 1))
    X[0, 0, 2, 0] = 1.0  # one bright pixel, top right
    W = np.arange(9.0).reshape(3, 3, 1, 1)
    Y, _ = conv2d_forward(X, W, np.zeros(1))
    assert Y.item() == W[0, 2, 0, 0] == 2.0


def test_a_convolution_of_one_pixel_is_the_linear_layer():
    rng = np.random.default_rng(0)
    X, W, b = rng.standard_normal((2, 4, 3, 5)), rng.standard_normal((1, 1, 5, 6)), rng.standard_normal(6)
    np.testing.assert_allclose(conv2d_forward(X, W, b)[0], X @ W[0, 0] + b, rtol=1e-12)


def test_a_kernel_as_large_as_the_image_is_the_linear_layer_too():
    rng = np.random.default_rng(1)
    X, W, b = rng.standard_normal((2, 4, 3, 5)), rng.standard_normal((4, 3, 5, 6)), rng.standard_normal(6)
    np.testing.assert_allclose(conv2d_forward(X, W, b)[0][:, 0, 0], X.reshape(2, -1) @ W.reshape(-1, 6) + b, rtol=1e-12)


@fewer(20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 2))
def test_convolution_follows_a_shift_of_the_image(seed, shift):
    rng = np.random.default_rng(seed)
    X = np.zeros((1, 9, 9, 2))
    X[:, 2:5, 2:5] = rng.standard_normal((1, 3, 3, 2))
    W, b = rng.standard_normal((3, 3, 2, 3)), rng.standard_normal(3)
    Y, _ = conv2d_forward(X, W, b, padding=1)
    shifted, _ = conv2d_forward(np.roll(X, shift, axis=(1, 2)), W, b, padding=1)
    np.testing.assert_allclose(shifted, np.roll(Y, shift, axis=(1, 2)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
def test_examples_do_not_see_each_other(op):
    inputs = op.inputs(np.random.default_rng(3))
    X = np.random.default_rng(4).standard_normal((3, *inputs["X"].shape[1:]))
    whole, cache = op.forward(**(inputs | {"X": X}))
    dX = op.backward(np.ones_like(whole), cache)
    dX = dX[0] if isinstance(dX, tuple) else dX
    for n, m in enumerate([2, 0, 1]):
        one, cache = op.forward(**(inputs | {"X": X[[m]]}))
        np.testing.assert_allclose(one[0], whole[m], rtol=1e-12, atol=1e-12, err_msg=f"{n}")
        d_one = op.backward(np.ones_like(one), cache)
        d_one = d_one[0] if isinstance(d_one, tuple) else d_one
        np.testing.assert_allclose(d_one[0], dX[m], rtol=1e-12, atol=1e-12)


def test_pixels_that_no_window_covers_get_no_gradient():
    X, W = np.ones((1, 4, 4, 1)), np.ones((2, 2, 1, 1))
    Y, cache = conv2d_forward(X, W, np.zeros(1), stride=2, padding=0)
    assert Y.shape == (1, 2, 2, 1)
    X = np.ones((1, 5, 5, 1))
    Y, cache = conv2d_forward(X, W, np.zeros(1), stride=2)
    dX, _, _ = conv2d_backward(np.ones_like(Y), cache)
    assert Y.shape == (1, 2, 2, 1) and dX[0, 4].sum() == dX[0, :, 4].sum() == 0.0 and dX.sum() == 16.0


def test_conv_output_size():
    assert conv_output_size(224, 11, 4, 2) == 55
    assert conv_output_size(5, 2, 2, 0) == 2
    assert conv_output_size(1, 3, 1, 1) == 1
    assert conv_output_size(7, 3) == 5
    for arguments, match in [
        ((0, 1, 1, 0), "n: expected a whole number of at least 1"),
        ((5, 0, 1, 0), "kernel: expected a whole number of at least 1"),
        ((5, 3, 0, 0), "stride: expected a whole number of at least 1"),
        ((5, 3, 1, -1), "padding: expected a whole number of at least 0"),
        ((5, 8, 1, 1), "kernel: expected at most the padded input's length 7, got 8"),
        ((5.0, 3, 1, 1), "n: expected a whole number"),
    ]:
        with pytest.raises((ValueError, TypeError), match=match):
            conv_output_size(*arguments)


def test_convolution_never_unrolls_the_whole_batch():
    """The peak of the memory stays near input, output and their gradients; a full unrolling alone holds 25 inputs."""
    X, W = np.ones((40, 24, 24, 8), np.float32), np.ones((5, 5, 8, 8), np.float32)
    tracemalloc.start()
    try:
        Y, cache = conv2d_forward(X, W, np.zeros(8, np.float32), padding=2)
        forward = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        conv2d_backward(Y, cache)
        backward = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert forward < 2 * Y.nbytes and backward < 4 * Y.nbytes


def test_complex_numbers_pass_through_for_the_complex_step():
    rng = np.random.default_rng(5)
    X, W, b = rng.standard_normal((1, 4, 4, 2)), rng.standard_normal((3, 3, 2, 2)), rng.standard_normal(2)
    Y, cache = conv2d_forward(X, W, b, stride=2, padding=1)
    _dX, dW, _db = conv2d_backward(np.ones_like(Y), cache)
    step = np.zeros_like(W)
    step[0, 1, 1, 0] = 1.0
    Y, _ = conv2d_forward(X, W + 1e-20j * step, b, stride=2, padding=1)
    assert np.sum(Y).imag / 1e-20 == pytest.approx(dW[0, 1, 1, 0], rel=1e-12)


def test_nested_lists_and_integers_are_welcome():
    Y, _ = conv2d_forward([[[[1], [2]], [[3], [4]]]], [[[[1]], [[1]]], [[[1]], [[1]]]], [0])
    assert Y.dtype == np.float64 and Y.item() == 10.0


# ── pooling ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_tie_flows_to_the_first_position_row_by_row():
    X = np.zeros((1, 2, 2, 2))
    X[0, :, :, 1] = [[1.0, 7.0], [7.0, 7.0]]
    _Y, cache = convolution.maxpool2d_forward(X, 2)
    dX = convolution.maxpool2d_backward(np.array([[[[3.0, 5.0]]]]), cache)
    assert dX[0, :, :, 0].tolist() == [[3.0, 0.0], [0.0, 0.0]]
    assert dX[0, :, :, 1].tolist() == [[0.0, 5.0], [0.0, 0.0]]


def test_ties_flow_as_in_pytorch():
    torch = pytest.importorskip("torch", reason="PyTorch, the live oracle, is not installed")
    rng = np.random.default_rng(6)
    for size, stride, padding in [(2, 2, 0), (3, 2, 0), (3, 1, 1), (2, 1, 1), (3, 2, 1)]:
        X = rng.integers(0, 3, size=(2, 6, 7, 3)).astype(float)  # few values: ties everywhere
        Y, cache = convolution.maxpool2d_forward(X, size, stride, padding=padding)
        dY = rng.standard_normal(Y.shape)
        leaf = torch.tensor(X, requires_grad=True)
        nhwc(torch.nn.functional.max_pool2d(nchw(leaf), size, stride, padding)).backward(torch.tensor(dY))
        np.testing.assert_allclose(convolution.maxpool2d_backward(dY, cache), leaf.grad.numpy(), rtol=1e-12, atol=1e-12)


def test_overlapping_windows_add_their_flows():
    X = np.zeros((1, 3, 3, 1))
    X[0, 1, 1, 0] = 9.0  # in all four windows of 2 × 2
    _, cache = convolution.maxpool2d_forward(X, 2, stride=1)
    dX = convolution.maxpool2d_backward(np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 2, 2, 1), cache)
    assert dX[0, 1, 1, 0] == 10.0 and dX.sum() == 10.0
    _Y, cache = convolution.avgpool2d_forward(X, 2, stride=1)
    dX = convolution.avgpool2d_backward(np.full((1, 2, 2, 1), 4.0), cache)
    assert dX[0, :, :, 0].tolist() == [[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]


@fewer(30)
@given(st.integers(0, 2**32 - 1))
def test_pooling_sends_the_whole_flow_back(seed):
    rng = np.random.default_rng(seed)
    inputs = pool_inputs(rng)
    inputs["X"] = np.round(inputs["X"])  # with ties
    for name in ("maxpool2d", "avgpool2d"):
        Y, cache = getattr(convolution, f"{name}_forward")(**inputs)
        dY = rng.standard_normal(Y.shape)
        dX = getattr(convolution, f"{name}_backward")(dY, cache)
        np.testing.assert_allclose(dX.sum(axis=(1, 2)), dY.sum(axis=(1, 2)), rtol=1e-10, atol=1e-10)


def test_windows_stand_side_by_side_unless_told_otherwise():
    X = np.random.default_rng(7).standard_normal((2, 6, 6, 3))
    np.testing.assert_array_equal(convolution.maxpool2d_forward(X, 3)[0], convolution.maxpool2d_forward(X, 3, 3)[0])
    np.testing.assert_array_equal(convolution.maxpool2d_forward(X, 2)[0], X.reshape(2, 3, 2, 3, 2, 3).max(axis=(2, 4)))
    np.testing.assert_allclose(
        convolution.avgpool2d_forward(X, 6)[0][:, 0, 0], convolution.global_avgpool_forward(X)[0]
    )


def test_padding_never_wins_a_maximum():
    X = np.full((1, 2, 2, 1), -5.0)
    Y, cache = convolution.maxpool2d_forward(X, 3, stride=1, padding=1)
    assert np.all(Y == -5.0)
    assert convolution.maxpool2d_backward(np.ones_like(Y), cache).sum() == 4.0


def test_extreme_pixels_pass_without_a_warning():
    X = np.array([1e308, -1e308, 1e308, 0.0]).reshape(1, 2, 2, 1)
    assert convolution.maxpool2d_forward(X, 2)[0].item() == 1e308
    assert np.isfinite(convolution.avgpool2d_forward(X * 0.1, 2)[0]).all()


# ── blocks ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_residual_block_of_zeros_is_the_relu_and_passes_the_gradient():
    X = np.random.default_rng(8).standard_normal((2, 4, 4, 3))
    params = {name: 0.0 * p for name, p in convolution.residual_block_init(3, np.random.default_rng(0)).items()}
    Y, cache = convolution.residual_block_forward(X, params)
    np.testing.assert_array_equal(Y, np.maximum(X, 0.0))
    dX, dparams = convolution.residual_block_backward(np.ones_like(Y), cache)
    np.testing.assert_array_equal(dX, X > 0.0)
    assert dparams.keys() == params.keys()


def projected_inputs(rng, stride):
    C, F, K = 2, 3, 4
    shapes = {"W1": (3, 3, C, F), "b1": (F,), "W2": (3, 3, F, K), "b2": (K,), "W0": (1, 1, C, K), "b0": (K,)}
    params = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    return {"X": rng.standard_normal((2, 5, 6, C)), "params": params, "stride": stride}


def projected_oracle(torch, X, params, stride):
    p = params
    hidden = torch.relu(convolved(torch, X, p["W1"], p["b1"], stride=stride, padding=1))
    shortcut = convolved(torch, X, p["W0"], p["b0"], stride=stride)
    return torch.relu(shortcut + convolved(torch, hidden, p["W2"], p["b2"], padding=1))


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_residual_block_with_a_projection_equals_pytorch(stride):
    torch = pytest.importorskip("torch", reason="PyTorch, the live oracle, is not installed")
    operation = Operation("convolution.residual_block", "pair", None, wrt=("X", "params"), oracle=projected_oracle)
    for dtype in (np.float64, np.float32):
        inputs = cast(projected_inputs(np.random.default_rng(13), stride), dtype)
        expected = run_torch(operation, inputs, torch)
        tolerance, summed = operation.tolerance[dtype == np.float32], summands(inputs, expected)
        assert_close(run(operation, inputs), expected, tolerance, operation.name, summed)


def test_a_residual_block_with_a_projection_has_the_gradient_of_its_forward():
    inputs = projected_inputs(np.random.default_rng(14), 2)
    operation = Operation("convolution.residual_block", "pair", None, wrt=("X", "params"))
    results = run(operation, inputs)
    assert results["out"].shape == (2, 3, 3, 4)
    numeric = numerical_gradients(operation, inputs)
    assert numeric.keys() == results.keys() - {"out"}
    for name, gradient in numeric.items():
        np.testing.assert_allclose(results[name], gradient, rtol=1e-6, atol=1e-7, err_msg=name)


def test_only_a_projection_has_a_stride():
    rng = np.random.default_rng(0)
    params = convolution.residual_block_init(2, rng, out=3)
    assert params["W0"].shape == (1, 1, 2, 3) and params["b0"].shape == (3,) and params["W2"].shape == (3, 3, 3, 3)
    X = np.ones((1, 4, 4, 2))
    assert convolution.residual_block_forward(X, params, stride=2)[0].shape == (1, 2, 2, 3)
    for parts, stride, message in (
        (convolution.residual_block_init(2, rng), 2, "stride: expected 1 where the shortcut is X itself (no W0, b0 in params), got 2"),
        (params, 0, "stride: expected a whole number of at least 1, got 0"),
        (
            {name: p for name, p in params.items() if name != "b0"},
            1,
            "params: expected the keys W1, b1, W2, b2, W0, b0; got W1, b1, W2, b2, W0",
        ),
        (params | {"W0": np.ones((3, 3, 2, 3))}, 1, "W0: expected shape (1, 1, C, K) with C = 2 as in X, K = 3 as in W2, got (3, 3, 2, 3)"),
    ):  # fmt: skip
        with pytest.raises(ValueError) as caught:
            convolution.residual_block_forward(X, parts, stride=stride)
        assert str(caught.value) == message


@pytest.mark.parametrize(
    "layers", [[(3, 1)], [(3, 1), (3, 1)], [(3, 2), (2, 2), (5, 1)], [(7, 2), (3, 2), (1, 1), (3, 1)]]
)
def test_a_receptive_field_is_what_reaches_one_pixel(layers):
    """By the gradient of one output pixel with respect to the input: where it is not zero."""
    r, j = convolution.receptive_field(layers)
    X, caches = np.ones((1, 64, 64, 1)), []
    for kernel, stride in layers:
        X, cache = convolution.conv2d_forward(X, np.ones((kernel, kernel, 1, 1)), np.zeros(1), stride=stride)
        caches.append(cache)
    seen = []
    for place in (2, 3):
        dX = np.zeros(X.shape)
        dX[0, place, place, 0] = 1.0
        for cache in reversed(caches):
            dX = convolution.conv2d_backward(dX, cache)[0]
        seen.append(np.flatnonzero(dX[0, :, :, 0].any(axis=1)))
    assert len(seen[0]) == r and seen[1][0] - seen[0][0] == j


def test_a_receptive_field_asks_for_pairs():
    assert convolution.receptive_field([]) == (1, 1)
    for layers, error, message in (
        ("33", TypeError, "layers: expected a list of pairs (kernel, stride), got str"),
        ([(3, 1), 3], TypeError, "layers[1]: expected a pair (kernel, stride), got 3"),
        ([(3, 0)], ValueError, "layers[0], stride: expected a whole number of at least 1, got 0"),
    ):
        with pytest.raises(error) as caught:
            convolution.receptive_field(layers)
        assert str(caught.value) == message


def test_the_last_relu_of_a_residual_block_stands_behind_the_addition():
    params = {"W1": np.zeros((1, 1, 1, 1)), "b1": np.zeros(1), "W2": np.zeros((1, 1, 1, 1)), "b2": np.array([-2.0])}
    X = np.array([1.0, 3.0]).reshape(1, 1, 2, 1)
    # relu before the addition would leave 1 and 3
    assert convolution.residual_block_forward(X, params)[0].ravel().tolist() == [0.0, 1.0]


def test_blocks_begin_as_he_says():
    rng = np.random.default_rng(9)
    params = convolution.residual_block_init(64, rng, hidden=32)
    assert {name: p.shape for name, p in params.items()} == {
        "W1": (3, 3, 64, 32), "b1": (32,), "W2": (3, 3, 32, 64), "b2": (64,),
    }  # fmt: skip
    assert np.std(params["W1"]) == pytest.approx(np.sqrt(2 / (9 * 64)), rel=0.05) and not params["b1"].any()
    params = convolution.inception_block_init(192, 64, 96, 128, 16, 32, 32, rng)
    assert list(params) == ["W1", "b1", "W3r", "b3r", "W3", "b3", "W5r", "b5r", "W5", "b5", "Wp", "bp"]
    assert params["W5"].shape == (5, 5, 16, 32) and params["Wp"].shape == (1, 1, 192, 32)
    assert np.std(params["W3"]) == pytest.approx(np.sqrt(2 / (9 * 96)), rel=0.05)
    for call in (lambda: convolution.residual_block_init(0, rng), lambda: convolution.residual_block_init(2, rng, -1)):
        with pytest.raises(ValueError, match="expected a whole number of at least 1"):
            call()
    with pytest.raises(TypeError, match="rng: expected a numpy"):
        convolution.residual_block_init(2, 0.5)
    with pytest.raises(ValueError, match="c5r: expected a whole number of at least 1, got 0"):
        convolution.inception_block_init(4, 1, 1, 1, 0, 1, 1, rng)
    with pytest.raises(TypeError, match="rng: expected a numpy"):
        convolution.inception_block_init(4, 1, 1, 1, 1, 1, 1, None)


def test_inception_keeps_its_branches_in_order():
    """Each branch alone: the others' weights and biases are zero, so their channels are."""
    rng = np.random.default_rng(10)
    X = np.abs(rng.standard_normal((1, 4, 4, 2)))
    params = {name: np.abs(p) for name, p in convolution.inception_block_init(2, 1, 2, 3, 2, 4, 5, rng).items()}
    for name, channels in {"1": slice(0, 1), "3": slice(1, 4), "5": slice(4, 8), "p": slice(8, 13)}.items():
        alone = {key: p if key[1:].removesuffix("r") == name else 0.0 * p for key, p in params.items()}
        Y, _ = convolution.inception_block_forward(X, alone)
        assert np.all(Y[..., channels] > 0.0)
        assert np.count_nonzero(Y) == Y[..., channels].size


# ── architectures ───────────────────────────────────────────────────────────────────────────────────────────────────


def total(table, column="parameters"):
    return sum(getattr(row, column) for row in table)


@pytest.mark.parametrize(
    "table, parameters",
    [
        (architectures.alexnet, 61_100_840),
        (lambda: architectures.vgg(11), 132_863_336),
        (lambda: architectures.vgg(13), 133_047_848),
        (architectures.vgg, 138_357_544),
        (lambda: architectures.vgg(19), 143_667_240),
        (lambda: architectures.resnet(18), 11_689_512),
        (architectures.resnet, 21_797_672),
        (lambda: architectures.resnet(50), 25_557_032),
        (lambda: architectures.resnet(101), 44_549_160),
        (lambda: architectures.resnet(152), 60_192_808),
        # 6,990,272 weights and 8,280 biases, as in Caffe's bvlc_googlenet
        (architectures.inception_v1, 6_998_552),
    ],
    ids=[
        "alexnet",
        "vgg11",
        "vgg13",
        "vgg16",
        "vgg19",
        "resnet18",
        "resnet34",
        "resnet50",
        "resnet101",
        "resnet152",
        "googlenet",
    ],
)
def test_published_parameter_counts(table, parameters):
    table = table()
    assert total(table) == parameters
    assert isinstance(table, list) and table[-1].output_shape == (1000,)
    for row in table:
        assert row._fields == ("kind", "output_shape", "parameters", "multiply_adds")
        assert all(type(n) is int for n in (*row.output_shape, row.parameters, row.multiply_adds))


def test_published_multiply_adds():
    """In 10⁹: torchvision's documentation for the first ones, table 1 of the ResNet paper (cut, not rounded) for the rest."""
    for table, billions in [
        (architectures.alexnet(), 0.71),
        (architectures.vgg(11), 7.61),
        (architectures.vgg(13), 11.31),
        (architectures.vgg(16), 15.47),
        (architectures.vgg(19), 19.63),
        (architectures.resnet(18), 1.81),
        (architectures.resnet(34), 3.66),
    ]:
        assert round(total(table, "multiply_adds") / 1e9, 2) == billions
    for depth, billions in {18: 1.8, 34: 3.6, 50: 3.8, 101: 7.5, 152: 11.2}.items():
        assert int(total(architectures.resnet(depth), "multiply_adds") / 1e8) / 10 == billions
    # Table 1 of the GoogLeNet paper, in 10⁶; its 54 for 5a does not fit its own numbers of channels
    blocks = [row for row in architectures.inception_v1() if row.kind == "inception_block"]
    for row, millions in zip(blocks, [128, 304, 73, 88, 100, 119, 170, None, 71], strict=True):
        assert millions is None or abs(row.multiply_adds / 1e6 - millions) < 1.0


def test_published_output_sizes():
    sizes = {
        architectures.alexnet: [55, 27, 13, 6],
        architectures.vgg: [224, 112, 56, 28, 14, 7],
        architectures.resnet: [112, 56, 28, 14, 7],
        architectures.inception_v1: [112, 56, 28, 14, 7],
    }
    for table, expected in sizes.items():
        heights = [row.output_shape[0] for row in table() if len(row.output_shape) == 3]
        assert list(dict.fromkeys(heights)) == expected


def test_depth_counts_the_layers_with_weights():
    def weighted(layers):
        inner = [layer for name, *rest in layers if name == "residual" for layer in rest[0]]
        return sum(name in ("conv2d", "linear") for name, *_ in [*layers, *inner])

    for depth in (11, 13, 16, 19):
        assert weighted(architectures.vgg(depth).layers) == depth
    for depth in (18, 34, 50, 101, 152):
        assert weighted(architectures.resnet(depth).layers) == depth
    assert weighted(architectures.alexnet().layers) == 8
    # Along one path: two layers in each of the nine inception blocks
    table = architectures.inception_v1()
    assert weighted(table.layers) + 2 * sum(row.kind == "inception_block" for row in table) == 22


SMALL = {
    "alexnet": lambda **how: architectures.alexnet(width=4, input_size=63, **how),
    "vgg": lambda **how: architectures.vgg(11, width=4, input_size=32, **how),
    "resnet18": lambda **how: architectures.resnet(18, width=4, input_size=32, **how),
    "resnet50": lambda **how: architectures.resnet(50, width=2, input_size=33, **how),
    "inception": lambda **how: architectures.inception_v1(width=8, input_size=32, **how),
}


@pytest.mark.parametrize("small", SMALL.values(), ids=SMALL.keys())
def test_a_built_network_is_its_table(small):
    table = small(classes=7, channels=2)
    net = architectures.build(table, np.random.default_rng(0))
    assert net.w.shape == (total(table),)
    X = np.random.default_rng(1).standard_normal((3, *table.input_shape))
    shapes = []
    for row, layer in zip(table, net.layers, strict=True):
        X = layer.forward(X, True, np.random.default_rng(2))
        shapes.append(X.shape[1:])
        assert sum(np.size(x) for x in flatten(layer.parameters).values()) == row.parameters
    assert shapes == [row.output_shape for row in table] and shapes[-1] == (7,)


@pytest.mark.parametrize("small", SMALL.values(), ids=SMALL.keys())
def test_a_built_network_has_the_right_gradient(small):
    """The derivative along one random direction of all parameters, against central differences."""
    rng = np.random.default_rng(3)
    table = small(classes=3)
    net = architectures.build(table, rng)
    # Without it a channel that is 0 everywhere meets a bias of 0, right on the ReLU's kink
    net.w += 0.1 * rng.standard_normal(net.w.shape)
    X, dU = rng.standard_normal((2, *table.input_shape)), rng.standard_normal((2, 3))
    direction, w = rng.standard_normal(net.w.shape), net.w.copy()

    def objective(t):
        net.w[...] = w + t * direction
        return float(np.sum(net.forward(X, train=True, rng=np.random.default_rng(4)) * dU))

    # A step so small that no ReLU and no maximum changes sides
    numeric = (objective(1e-8) - objective(-1e-8)) / 2e-8
    objective(0.0)
    net.backward(dU)
    assert float(net.dw @ direction) == pytest.approx(numeric, rel=1e-6)


def test_a_small_resnet_learns_its_batch():
    rng = np.random.default_rng(5)
    X, y = rng.standard_normal((12, 16, 16, 1)), np.arange(12) % 3
    net = architectures.build(architectures.resnet(18, width=4, input_size=16, classes=3, channels=1), rng)
    history = training.fit(net, X, y, lr=1e-2, epochs=25, batch_size=12, rng=rng, progress=False)
    assert history["loss"][-1] < 0.1 * history["loss"][0] and history["accuracy"][-1] == 1.0


def test_width_and_input_size_scale_the_cost():
    assert total(architectures.vgg(16, width=64, input_size=224)) == total(architectures.vgg())
    small = architectures.resnet(34, width=8, input_size=64)
    assert small[0].output_shape == (32, 32, 8)
    # A convolution's weights grow with the square of the width, its products with that of the image's size too
    wide, large = architectures.resnet(34, width=16, input_size=64), architectures.resnet(34, width=8, input_size=128)
    assert wide[6].multiply_adds == large[6].multiply_adds == 4 * small[6].multiply_adds
    assert total(large) == total(small)
    thin = architectures.inception_v1(width=1)
    assert all(n >= 1 for row in thin for n in row.output_shape)


def test_architectures_refuse_nonsense():
    rng = np.random.default_rng(0)
    for call, match in [
        (lambda: architectures.vgg(12), "depth: expected one of 11, 13, 16, 19; got 12"),
        (lambda: architectures.vgg("16"), "depth: expected a whole number"),
        (lambda: architectures.resnet(35), "depth: expected one of 18, 34, 50, 101, 152; got 35"),
        (lambda: architectures.resnet([34]), "depth: expected a whole number"),
        (lambda: architectures.alexnet(width=0), "width: expected a whole number of at least 1, got 0"),
        (
            lambda: architectures.alexnet(input_size=62),
            "input_size: expected an image large enough .*, got 62: maxpool2d",
        ),
        (lambda: architectures.vgg(input_size=31), "input_size: expected an image large enough .*, got 31"),
        (lambda: architectures.vgg(input_size=32.0), "input_size: expected a whole number"),
        (lambda: architectures.inception_v1(classes=0), "classes: expected a whole number of at least 1, got 0"),
        (lambda: architectures.resnet(channels=-1), "channels: expected a whole number of at least 1, got -1"),
        (lambda: architectures.build([], rng), "table: expected what alexnet, vgg, resnet or inception_v1 returned"),
        (lambda: architectures.build(SMALL["vgg"](), 0.5), r"rng: expected a numpy\.random\.Generator"),
    ]:
        with pytest.raises((ValueError, TypeError), match=match):
            call()


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int64])
def test_sizes_may_be_numpy_integers_of_few_bits(kind):
    X = np.random.default_rng(0).standard_normal((1, 300, 290, 2))
    W, b = np.random.default_rng(1).standard_normal((3, 3, 2, 2)), np.zeros(2)
    for f, arguments, options in (
        (convolution.conv2d_forward, (X, W, b), {"stride": 2, "padding": 2}),
        (convolution.maxpool2d_forward, (X,), {"size": 16, "stride": 3, "padding": 1}),
        (convolution.avgpool2d_forward, (X,), {"size": 16}),
    ):
        expected, _ = f(*arguments, **options)
        actual, _ = f(*arguments, **{name: kind(n) for name, n in options.items()})
        np.testing.assert_array_equal(actual, expected)


def test_work_in_place_on_the_maxima_leaves_the_flow_back_right():
    X, dY = np.random.default_rng(0).standard_normal((1, 4, 4, 1)), np.ones((1, 2, 2, 1))
    Y, cache = convolution.maxpool2d_forward(X, 2)
    expected = convolution.maxpool2d_backward(dY, cache)
    Y *= 2.0
    np.testing.assert_array_equal(convolution.maxpool2d_backward(dY, cache), expected)
    assert expected.sum() == 4.0


def test_a_table_of_layers_takes_numpy_integers():
    small, ours = {"input_size": np.uint8(96), "channels": np.uint8(3), "classes": np.uint8(10)}, (96, 3, 10)
    plain = dict(zip(small, ours, strict=True))
    for table in (architectures.alexnet, architectures.vgg, architectures.resnet, architectures.inception_v1):
        rows = list(table(**small))
        assert [row.parameters for row in rows] == [row.parameters for row in table(**plain)]
        assert {type(row.parameters) for row in rows} == {int}


@pytest.mark.parametrize("dtype", ["x", None, "int64", np.float16])
def test_a_network_of_another_dtype_is_refused_by_name(dtype):
    with pytest.raises(ValueError, match=r"dtype: expected one of 'float64', 'float32'; got"):
        training.Network([("linear", 2, 1)], np.random.default_rng(0), dtype=dtype)
