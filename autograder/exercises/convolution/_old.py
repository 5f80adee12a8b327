"""Exercises of the convolution topic, with the cost of a layer from architectures.

Each family below is one implementation that goes wrong in one place, named by the mistake's slug; without a name it is
right, and stands among the variants.
"""

import itertools
import math

import numpy as np

from dlcourse import convolution
from dlcourse.activations import relu, relu_grad
from dlcourse.convolution import conv2d_backward, conv2d_forward, conv_output_size

from ...checks.exercise import Case, Exercise, Mistake

# --- what is asked besides the catalogue ----------------------------------------------------------------------------


def conv2d_cost(C, K, kernel, height, width, stride=1, padding=0):
    r"""What a convolution layer costs: :math:`k^2 C K + K` parameters, and :math:`H' W' \cdot k^2 C K` multiply-adds.

    Parameters
    ----------
    C, K : channels of the input and of the output.
    kernel : k, height and width of the kernels.
    height, width : of the input image.
    stride, padding : s and p.

    Returns
    -------
    parameters : int, weights and biases.
    multiply_adds : int, for one image, in the products with the weights; the biases are left out, as the papers do.
    """
    weights = kernel * kernel * C * K
    out_h = conv_output_size(height, kernel, stride, padding)
    out_w = conv_output_size(width, kernel, stride, padding)
    return weights + K, out_h * out_w * weights


# --- what the answers below have in common --------------------------------------------------------------------------


def _length(n, kernel, stride, padding):
    return (n + 2 * padding - kernel) // stride + 1


def _spot(i, j, stride, out_h, out_w):
    """Where entry (i, j) of every window lies in the padded image."""
    rows = slice(i, i + stride * (out_h - 1) + 1, stride)
    return slice(None), rows, slice(j, j + stride * (out_w - 1) + 1, stride)


def _padded(X, padding, value=0.0):
    return np.pad(X, ((0, 0), (padding, padding), (padding, padding), (0, 0)), constant_values=value)


def _cropped(X, padding, height, width):
    return X[:, padding : padding + height, padding : padding + width]


def _single(case):
    """The case in float32."""
    cast = tuple(
        {key: value.astype(np.float32) for key, value in x.items()}
        if isinstance(x, dict)
        else x.astype(np.float32)
        if isinstance(x, np.ndarray)
        else x
        for x in case.args
    )
    return Case("float32", cast, case.kwargs, case.dout.astype(np.float32))


# --- output size ----------------------------------------------------------------------------------------------------


def _size_cases(rng):
    return [
        Case("n = 7, k = 3", (7, 3)),
        Case("n = 8, k = 3, s = 2, p = 1: they do not divide", (8, 3), {"stride": 2, "padding": 1}),
        Case("AlexNet's first layer", (224, 11), {"stride": 4, "padding": 2}),
        Case("n = 10, k = 3, s = 4", (10, 3), {"stride": 4}),
        Case("the kernel as large as the image", (5, 5)),
        Case("n = 6, k = 2, p = 3", (6, 2), {"padding": 3}),
        Case("n = 9, k = 4, s = 3, p = 2", (9, 4), {"stride": 3, "padding": 2}, hidden=True),
    ]


def _size_with(size):
    def conv_output_size(n, kernel, stride=1, padding=0):
        return size(n, kernel, stride, padding)

    return conv_output_size


_size_no_stride = _size_with(lambda n, k, s, p: n + 2 * p - k + 1)
_size_no_padding = _size_with(lambda n, k, s, p: (n - k) // s + 1)
_size_padding_one = _size_with(lambda n, k, s, p: (n + 2 - k) // s + 1)
_size_padding_half = _size_with(lambda n, k, s, p: (n + 2 * ((k - 1) // 2) - k) // s + 1)
_size_padding_once = _size_with(lambda n, k, s, p: (n + p - k) // s + 1)
_size_no_one = _size_with(lambda n, k, s, p: (n + 2 * p - k) // s)
_size_one_inside = _size_with(lambda n, k, s, p: (n + 2 * p - k + 1) // s)
_size_up = _size_with(lambda n, k, s, p: -((k - n - 2 * p) // s) + 1)
_size_fraction = _size_with(lambda n, k, s, p: (n + 2 * p - k) / s + 1)
_size_same = _size_with(lambda n, k, s, p: -(-n // s))
_size_brackets = _size_with(lambda n, k, s, p: n + 2 * p - k // s + 1)
_size_full = _size_with(lambda n, k, s, p: (n + 2 * p + k) // s - 1)


def _size_shown(n, kernel, stride=1, padding=0):
    return (n + 2 * padding - kernel) // stride + 1


def _size_counted(n, kernel, stride=1, padding=0):
    return len(range(0, n + 2 * padding - kernel + 1, stride))


def _size_floor(n, kernel, stride=1, padding=0):
    return np.int64(math.floor((n - kernel + 2 * padding + stride) / stride))


def _size_loop(n, kernel, stride=1, padding=0):
    windows, first = 0, -padding
    while first + kernel <= n + padding:
        windows += 1
        first += stride
    return windows


# --- cost -----------------------------------------------------------------------------------------------------------


def _cost_cases(rng):
    return [
        Case("3 × 3 from 2 to 5 channels", (2, 5, 3, 7, 6)),
        Case("stride 2, padding 1", (3, 4, 3, 8, 10), {"stride": 2, "padding": 1}),
        Case("AlexNet's first layer", (3, 64, 11, 224, 224), {"stride": 4, "padding": 2}),
        Case("kernels of one pixel", (6, 2, 1, 4, 3)),
        Case("VGG's second layer", (64, 64, 3, 224, 224), {"padding": 1}),
        Case("5 × 5, stride 3, padding 1", (4, 7, 5, 9, 11), {"stride": 3, "padding": 1}, hidden=True),
    ]


def _cost_with(wrong="", padded=None):
    def conv2d_cost(C, K, kernel, height, width, stride=1, padding=0):
        k, s, p = kernel, stride, padding
        if wrong == "stride_omitted":
            s = 1
        if wrong == "padding_hard_coded":
            p = padded(k)
        if wrong == "padding_once":
            out_h, out_w = ((n + p - k) // s + 1 for n in (height, width))
        else:
            out_h, out_w = _length(height, k, s, p), _length(width, k, s, p)
        if wrong == "input_pixels":
            out_h, out_w = height, width
        if wrong == "square_image":
            out_w = out_h
        weights = k * k * C * K
        if wrong == "kernel_one_sided":
            weights = k * C * K
        if wrong == "input_channels_forgotten":
            weights = k * k * K
        if wrong == "channels_added":
            weights = k * k * (C + K)
        biases = {"bias_forgotten": 0, "bias_per_input_channel": C, "one_bias": 1, "bias_per_weight": weights}.get(
            wrong, K
        )
        adds = out_h * out_w * weights
        if wrong == "biases_in_multiply_adds":
            adds += out_h * out_w * K
        if wrong == "operations_doubled":
            adds *= 2
        if wrong == "weights_not_shared":
            return out_h * out_w * (weights + K), adds
        if wrong == "multiply_adds_per_place":
            adds = weights
        return weights + biases, adds

    return conv2d_cost


def _cost_by_neuron(C, K, kernel, height, width, stride=1, padding=0):
    """Each output channel is a neuron with k·k·C inputs and a bias, asked at every place."""
    inputs = kernel**2 * C
    places = sum(
        1
        for y in range(-padding, height + padding - kernel + 1, stride)
        for x in range(-padding, width + padding - kernel + 1, stride)
    )
    return K * (inputs + 1), places * K * inputs


def _cost_by_shapes(C, K, kernel, height, width, stride=1, padding=0):
    W, b = np.empty((kernel, kernel, C, K)), np.empty(K)
    out = [math.floor((n + 2 * padding - kernel) / stride) + 1 for n in (height, width)]
    return np.int64(W.size + b.size), np.prod(out) * W.size


# --- global average pooling -----------------------------------------------------------------------------------------


def _global_cases(rng):
    def case(name, *shape, hidden=False):
        return Case(
            name,
            (rng.standard_normal(shape) + 0.5,),
            dout=rng.standard_normal((shape[0], shape[3])) + 0.5,
            hidden=hidden,
        )

    return [
        case("two images of 3 × 4 pixels, five channels", 2, 3, 4, 5),
        case("one image", 1, 4, 3, 2),
        case("everything three", 3, 3, 3, 3),
        case("one pixel", 4, 1, 1, 3),
        _single(case("", 3, 5, 2, 4)),
        case("one channel", 2, 3, 5, 1, hidden=True),
    ]


def _global(wrong=""):
    def global_avgpool_forward(X):
        axes = {
            "channels_first": (2, 3),
            "batch_averaged": (0, 1, 2),
            "height_only": 1,
            "width_only": 2,
            "batch_for_width": (0, 1),
        }.get(wrong, (1, 2))
        Y = X.mean(axis=axes)
        if wrong == "axes_kept":
            Y = X.mean(axis=(1, 2), keepdims=True)
        if wrong == "sum_for_mean":
            Y = X.sum(axis=(1, 2))
        if wrong == "max_for_mean":
            Y = X.max(axis=(1, 2))
        if wrong == "divided_by_height":
            Y = X.sum(axis=(1, 2)) / X.shape[1]
        return Y, X.shape

    def global_avgpool_backward(dY, cache):
        N, height, width, _ = cache
        share = dY / (height * width)
        if wrong in ("share_missing", "sum_for_mean"):
            share = dY
        if wrong == "share_of_the_batch":
            share = dY / (N * height * width)
        if wrong in ("share_of_the_height", "divided_by_height"):
            share = dY / height
        if wrong == "shape_of_output":
            return share
        dX = np.zeros(cache)
        if wrong == "one_pixel_only":
            dX[:, 0, 0] = dY
        elif wrong == "spread_over_batch":
            dX += share.sum(axis=0) / N
        else:
            dX += share[:, None, None]
        return dX

    return global_avgpool_forward, global_avgpool_backward


def _global_flat_forward(X):
    N, height, width, C = X.shape
    return X.reshape(N, height * width, C).mean(axis=1), X.shape


def _global_flat_backward(dY, shape):
    height, width = shape[1:3]
    return np.repeat(dY / height / width, height * width, axis=0).reshape(shape)


def _global_loop_forward(X):
    N, height, width, C = X.shape
    pixels = height * width
    return [[float(X[n, :, :, c].sum()) / pixels for c in range(C)] for n in range(N)], (height, width)


def _global_loop_backward(dY, cache):
    height, width = cache
    return [[[dy / (height * width) for _ in range(width)] for _ in range(height)] for dy in dY]


def _global_shown_forward(X):
    return X.mean(axis=(1, 2)), X.shape


def _global_shown_backward(dY, cache):
    height, width = cache[1:3]
    return np.ones(cache) * dY[:, None, None, :] / (height * width)


# --- pooling --------------------------------------------------------------------------------------------------------


def _pool_case(rng, name, shape, size, hidden=False, change=lambda X: X, **kwargs):
    """A case of pooling; the entries of X are far apart, so that no maximum hangs on rounding."""
    X = rng.permutation(math.prod(shape)).reshape(shape) / 4 - math.prod(shape) / 9
    stride, padding = kwargs.get("stride", size), kwargs.get("padding", 0)
    out = [_length(n, size, stride, padding) for n in shape[1:3]]
    dout = rng.standard_normal((shape[0], *out, shape[3])) + 0.5
    return Case(name, (change(X), size), kwargs, dout=dout, hidden=hidden)


def _average_cases(rng):
    return [
        _pool_case(rng, "windows of 2 × 2 side by side", (2, 4, 6, 3), 2),
        _pool_case(rng, "overlapping windows, 3 × 3 every 2 pixels", (2, 7, 5, 3), 3, stride=2),
        _pool_case(rng, "they do not divide", (1, 5, 8, 2), 3),
        _pool_case(rng, "windows with gaps between them", (2, 8, 5, 3), 2, stride=3),
        _pool_case(rng, "everything three, stride 1", (3, 3, 3, 3), 2, stride=1),
        _single(_pool_case(rng, "", (2, 6, 5, 2), 3, stride=2)),
        _pool_case(rng, "one window", (2, 4, 4, 3), 4),
        _pool_case(rng, "3 × 3 windows at every pixel", (2, 6, 5, 2), 3, stride=1, hidden=True),
    ]


def _average(wrong="", by_place=False):
    def avgpool2d_forward(X, size, stride=None):
        stride = (1 if wrong == "stride_default_one" else size) if stride is None else stride
        height, width = X.shape[1:3]
        out_h, out_w = _length(height, size, stride, 0), _length(width, size, stride, 0)
        Xp = X
        if wrong == "stride_ignored":
            stride = 1
            out_h, out_w = _length(height, size, 1, 0), _length(width, size, 1, 0)
        if wrong == "partial_windows":
            out_h, out_w = (-(-(n - size) // stride) + 1 for n in (height, width))
            Xp = np.pad(X, ((0, 0), (0, size * stride), (0, size * stride), (0, 0)))
        if wrong == "square_image":
            out_w = out_h
        step = 1 if wrong == "stride_omitted" else stride
        windows = [Xp[_spot(i, j, step, out_h, out_w)] for i in range(size) for j in range(size)]
        Y = sum(windows)
        if wrong == "max_for_mean":
            Y = np.max(windows, axis=0)
        elif wrong == "divided_by_size":
            Y = Y / size
        elif wrong != "sum_for_mean":
            Y = Y / size**2
        if wrong == "height_width_swapped":
            Y = Y.transpose(0, 2, 1, 3)
        return Y, (X.shape, size, stride, step)

    def avgpool2d_backward(dY, cache):
        shape, size, stride, step = cache
        if wrong == "height_width_swapped":
            dY = dY.transpose(0, 2, 1, 3)
        out_h, out_w = dY.shape[1:3]
        share = dY / size**2
        if wrong in ("sum_for_mean", "share_missing"):
            share = dY
        if wrong in ("divided_by_size", "share_by_size"):
            share = dY / size
        dX = np.zeros(shape)
        if wrong == "first_pixel_only":
            dX[_spot(0, 0, stride, out_h, out_w)] += dY
            return dX
        if wrong == "pool_overlap_assigned" and by_place:
            for y, x in itertools.product(range(out_h), range(out_w)):
                dX[:, y * stride : y * stride + size, x * stride : x * stride + size] = share[:, y, x][:, None, None]
            return dX
        times = np.zeros(shape)
        for i, j in itertools.product(range(size), range(size)):
            spot = _spot(i, j, step, out_h, out_w)
            times[spot] += 1
            if wrong == "pool_overlap_assigned":
                dX[spot] = share
            else:
                dX[spot] += share
        return dX / np.maximum(times, 1) if wrong == "overlaps_averaged" else dX

    return avgpool2d_forward, avgpool2d_backward


def _average_shown_forward(X, size, stride=None):
    stride = size if stride is None else stride
    N, height, width, C = X.shape
    out_h, out_w = conv_output_size(height, size, stride), conv_output_size(width, size, stride)
    Y = np.zeros((N, out_h, out_w, C))
    for y in range(out_h):
        for x in range(out_w):
            window = X[:, y * stride : y * stride + size, x * stride : x * stride + size]
            Y[:, y, x] = window.mean(axis=(1, 2))
    return Y, (X.shape, size, stride)


def _average_shown_backward(dY, cache):
    shape, size, stride = cache
    dX = np.zeros(shape)
    for y in range(dY.shape[1]):
        for x in range(dY.shape[2]):
            share = dY[:, y, x][:, None, None, :] / size**2
            dX[:, y * stride : y * stride + size, x * stride : x * stride + size] += share
    return dX


def _average_views_forward(X, size, stride=None):
    s = stride or size
    windows = np.lib.stride_tricks.sliding_window_view(X, (size, size), axis=(1, 2))[:, ::s, ::s]
    return windows.mean(axis=(-2, -1)), {"shape": X.shape, "size": size, "stride": s}


def _average_views_backward(dY, cache):
    size, s = cache["size"], cache["stride"]
    height, width = cache["shape"][1:3]
    # Row y of this matrix says how much of every input row goes into output row y
    rows, columns = (
        np.array([[(0 <= i - s * y < size) / size for i in range(n)] for y in range(out)])
        for n, out in ((height, dY.shape[1]), (width, dY.shape[2]))
    )
    return np.einsum("nyxc,yi,xj->nijc", dY, rows, columns)


def _max_cases(rng):
    tied = np.array([[0.0, 2.0, 2.0, 0.0], [2.0, 0.0, 0.0, 0.0], [2.0, 2.0, 0.0, 1.0]])
    relu_like = np.stack([tied, tied[::-1] - 1.0], axis=-1)[None]
    return [
        _pool_case(rng, "windows of 2 × 2 side by side", (2, 4, 6, 3), 2),
        _pool_case(rng, "overlapping windows, 3 × 3 every 2 pixels", (2, 7, 5, 3), 3, stride=2),
        _pool_case(rng, "they do not divide", (1, 5, 8, 2), 3),
        _pool_case(rng, "windows with gaps between them", (2, 8, 5, 3), 2, stride=3),
        # One large entry that wins every window that sees it, whatever the seed
        _pool_case(rng, "one entry wins four windows", (1, 4, 3, 2), 2, stride=1, change=_with_peak),
        _pool_case(rng, "padding 1, all entries negative", (2, 5, 6, 2), 3, stride=2, padding=1, change=_negative),
        _pool_case(rng, "padding 2, windows of 4 × 4", (1, 6, 5, 3), 4, stride=3, padding=2, change=_negative),
        _pool_case(rng, "all entries negative", (2, 4, 4, 3), 2, change=_negative),
        Case("ties", (relu_like, 2), {"stride": 1}, dout=rng.uniform(0.5, 2.0, (1, 2, 3, 2))),
        Case("ties everywhere", (np.ones((2, 4, 4, 1)), 2), dout=rng.uniform(0.5, 2.0, (2, 2, 2, 1))),
        _single(_pool_case(rng, "", (2, 6, 5, 2), 3, stride=2)),
        _pool_case(rng, "3 × 3 windows at every pixel, padding 1", (2, 4, 5, 2), 3, stride=1, padding=1, hidden=True),
    ]


def _with_peak(X):
    X = X.copy()
    X[:, 1, 1] = 100.0
    return X


def _negative(X):
    return X - X.max() - 1.0


def _max(wrong="", padded=None, way=0):
    def maxpool2d_forward(X, size, stride=None, padding=0):
        stride = (1 if wrong == "stride_default_one" else size) if stride is None else stride
        if wrong == "padding_hard_coded":
            padding = padded(size)
        height, width = X.shape[1:3]
        out_h, out_w = _length(height, size, stride, padding), _length(width, size, stride, padding)
        Xp = _padded(X, padding, 0.0 if wrong == "padded_with_zeros" else -np.inf)
        if wrong == "stride_ignored":
            stride = 1
            out_h, out_w = _length(height, size, 1, padding), _length(width, size, 1, padding)
        if wrong == "partial_windows":
            out_h, out_w = (-(-(n + 2 * padding - size) // stride) + 1 for n in (height, width))
            extra = (0, size * stride)
            Xp = np.pad(Xp, ((0, 0), extra, extra, (0, 0)), constant_values=-np.inf)
        if wrong == "square_image":
            out_w = out_h
        step = 1 if wrong == "stride_omitted" else stride
        windows = np.stack([Xp[_spot(i, j, step, out_h, out_w)] for i in range(size) for j in range(size)])
        Y = windows.max(axis=0)
        if wrong == "mean_for_max":
            Y = windows.mean(axis=0)
        if wrong == "zero_to_begin_with":
            Y = np.maximum(Y, 0.0)
        if wrong == "largest_magnitude":
            Y = np.take_along_axis(windows, np.abs(windows).argmax(axis=0)[None], axis=0)[0]
        if wrong == "over_channels":
            Y = np.broadcast_to(Y.max(axis=-1, keepdims=True), Y.shape)
        if wrong == "height_width_swapped":
            Y = Y.transpose(0, 2, 1, 3)
        return Y, (X.shape, windows, size, stride, step, padding, Xp.shape)

    def maxpool2d_backward(dY, cache):
        shape, windows, size, stride, step, padding, padded_shape = cache
        if wrong == "height_width_swapped":
            dY = dY.transpose(0, 2, 1, 3)
        out_h, out_w = dY.shape[1:3]
        best = windows.max(axis=0)
        places = np.arange(size**2)[:, None, None, None, None]
        wins = (places == windows.argmax(axis=0)).astype(float)
        ties = (windows == best).astype(float)
        if wrong == "pool_tie_duplicated" or way == 3:
            wins = ties
        if wrong == "tie_shared":
            wins = ties / ties.sum(axis=0)
        if wrong == "tie_to_the_last":
            wins = (size**2 - 1 - places == windows[::-1].argmax(axis=0)).astype(float)
        if wrong == "tie_by_columns":
            by_columns = np.arange(size**2).reshape(size, size).T.ravel()
            wins = (by_columns[windows[by_columns].argmax(axis=0)] == places).astype(float)
        if wrong == "flow_to_all":
            wins = np.ones_like(ties)
        if wrong == "flow_shared_by_all":
            wins = np.ones_like(ties) / size**2
        if wrong == "zero_to_begin_with":
            wins = wins * (best > 0)
        flow = wins if wrong == "upstream_missing" else wins * dY
        if wrong == "value_for_gradient":
            flow = wins * best
        dX = np.zeros(padded_shape)
        if wrong == "pool_overlap_assigned" and way > 0:
            for y, x in itertools.product(range(out_h), range(out_w)):
                inside = slice(None), slice(y * stride, y * stride + size), slice(x * stride, x * stride + size)
                kind = (size, size, len(dY), dY.shape[-1])
                new, won = (a[:, :, y, x].reshape(kind).transpose(2, 0, 1, 3) for a in (flow, wins))
                dX[inside] = new if way != 2 else np.where(won > 0, new, dX[inside])
        else:
            for k, (i, j) in enumerate(itertools.product(range(size), range(size))):
                spot = _spot(i, j, step, out_h, out_w)
                dX[spot] = flow[k] if wrong == "pool_overlap_assigned" else dX[spot] + flow[k]
        if wrong == "padding_not_removed":
            return dX
        return _cropped(dX, 0 if wrong == "cropped_from_corner" else padding, *shape[1:3])

    return maxpool2d_forward, maxpool2d_backward


def _max_shown_forward(X, size, stride=None, padding=0):
    stride = size if stride is None else stride
    N, height, width, C = X.shape
    out_h = conv_output_size(height, size, stride, padding)
    out_w = conv_output_size(width, size, stride, padding)
    sides = (padding, padding)
    padded = np.pad(X, ((0, 0), sides, sides, (0, 0)), constant_values=-np.inf)
    Y, winners = np.zeros((N, out_h, out_w, C)), np.zeros((N, out_h, out_w, C), dtype=int)
    for y in range(out_h):
        for x in range(out_w):
            window = padded[:, y * stride : y * stride + size, x * stride : x * stride + size]
            window = window.reshape(N, size * size, C)
            Y[:, y, x] = window.max(axis=1)
            winners[:, y, x] = window.argmax(axis=1)
    return Y, (X.shape, winners, size, stride, padding)


def _max_shown_backward(dY, cache):
    (N, height, width, C), winners, size, stride, padding = cache
    dX = np.zeros((N, height + 2 * padding, width + 2 * padding, C))
    for y in range(dY.shape[1]):
        for x in range(dY.shape[2]):
            won = np.arange(size * size)[None, :, None] == winners[:, y, x][:, None, :]
            flow = (won * dY[:, y, x][:, None, :]).reshape(N, size, size, C)
            dX[:, y * stride : y * stride + size, x * stride : x * stride + size] += flow
    return dX[:, padding : padding + height, padding : padding + width]


def _max_loop_forward(X, size, stride=None, padding=0):
    s = stride or size
    N, height, width, C = X.shape
    out_h, out_w = (math.floor((n + 2 * padding - size) / s) + 1 for n in (height, width))
    Y, from_where = np.empty((N, out_h, out_w, C)), {}
    for place in np.ndindex(*Y.shape):
        n, y, x, c = place
        best = None
        for i in range(max(y * s - padding, 0), min(y * s - padding + size, height)):
            for j in range(max(x * s - padding, 0), min(x * s - padding + size, width)):
                if best is None or X[n, i, j, c] > X[best]:
                    best = n, i, j, c
        from_where[place] = best
        Y[place] = X[best]
    return Y, (X.shape, from_where)


def _max_loop_backward(dY, cache):
    shape, from_where = cache
    dX = np.zeros(shape)
    for place, best in from_where.items():
        dX[best] += dY[place]
    return dX


# --- convolution ----------------------------------------------------------------------------------------------------


def _conv_case(rng, name, images, kernel, hidden=False, **kwargs):
    """images (N, H, W, C), kernel (kh, kw, K)."""
    (N, height, width, C), (kh, kw, K) = images, kernel
    stride, padding = kwargs.get("stride", 1), kwargs.get("padding", 0)
    out = _length(height, kh, stride, padding), _length(width, kw, stride, padding)
    args = rng.standard_normal(images), rng.standard_normal((kh, kw, C, K)), rng.uniform(0.5, 1.5, K)
    return Case(name, args, kwargs, dout=rng.standard_normal((N, *out, K)) + 0.5, hidden=hidden)


def _conv_cases(rng):
    return [
        _conv_case(rng, "kernels of 3 × 2", (2, 5, 4, 3), (3, 2, 4)),
        _conv_case(rng, "3 × 3, stride 2, padding 1", (2, 7, 6, 2), (3, 3, 3), stride=2, padding=1),
        _conv_case(rng, "stride 3, kernels of 2 × 2", (1, 8, 7, 2), (2, 2, 3), stride=3),
        _conv_case(rng, "padding 2, kernels of 3 × 2", (2, 3, 4, 2), (3, 2, 3), padding=2),
        _conv_case(rng, "kernels of one pixel", (2, 3, 4, 3), (1, 1, 2)),
        _conv_case(rng, "kernels as large as the image", (3, 3, 4, 2), (3, 4, 2)),
        _conv_case(rng, "everything three, padding 1", (3, 3, 3, 3), (3, 3, 3), padding=1),
        _single(_conv_case(rng, "", (2, 5, 6, 2), (3, 3, 4), stride=2)),
        _conv_case(
            rng, "stride 2, padding 3, kernels of 4 × 3", (2, 6, 5, 2), (4, 3, 3), stride=2, padding=3, hidden=True
        ),
    ]


_WRONG_AXES = [axes for count in range(1, 5) for axes in itertools.combinations(range(4), count) if axes != (0, 1, 2)]


def _conv(wrong="", padded=None, way=0):
    def conv2d_forward(X, W, b, stride=1, padding=0):
        (N, height, width, C), (kh, kw, _, K) = X.shape, W.shape
        before = padding
        if wrong == "padding_hard_coded":
            before = padding = padded(kh)
        if wrong == "flipped_kernel":
            W = W[::-1, ::-1]
        if wrong == "kernel_transposed":
            W = W.transpose(1, 0, 2, 3)
            kh, kw = kw, kh
        step = stride
        if wrong == "stride_omitted":
            step = 1
            stride = 1 if way else stride
        out_h, out_w = _length(height, kh, stride, padding), _length(width, kw, stride, padding)
        if wrong == "square_image":
            out_w = out_h
        if wrong == "edges_repeated":
            Xp = np.pad(X, ((0, 0), (padding, padding), (padding, padding), (0, 0)), mode="edge")
        elif wrong == "padding_on_one_side":
            before = 0
            Xp = np.pad(X, ((0, 0), (0, 2 * padding), (0, 2 * padding), (0, 0)))
        else:
            Xp = _padded(X, padding)
        Y = np.zeros((N, out_h, out_w, K))
        for i, j in itertools.product(range(kh), range(kw)):
            part = Xp[_spot(i, j, step, out_h, out_w)]
            if wrong == "first_channel_only":
                Y += part[..., :1] @ W[i, j, :1]
            else:
                Y += part @ W[i, j]
        if wrong == "mean_over_window":
            Y /= kh * kw * C
        if wrong == "bias_at_every_weight":
            Y += kh * kw * C * b
        elif wrong != "bias_forgotten":
            Y += b
        if wrong == "output_of_last_position":
            Y = np.broadcast_to(Y[:, -1:, -1:], Y.shape)
        return Y, (X.shape, Xp, W, step, before)

    def conv2d_backward(dY, cache):
        (N, height, width, _), Xp, W, step, before = cache
        kh, kw = W.shape[:2]
        out_h, out_w = dY.shape[1:3]
        dXp, dW = np.zeros(Xp.shape), np.zeros(W.shape)
        flow = np.ones_like(dY) if wrong == "upstream_missing" else dY
        if wrong == "overlap_assigned" and way:
            for y, x in itertools.product(range(out_h), range(out_w)):
                inside = slice(None), slice(y * step, y * step + kh), slice(x * step, x * step + kw)
                dXp[inside] = np.tensordot(dY[:, y, x], W, axes=(1, 3))
        for i, j in itertools.product(range(kh), range(kw)):
            spot = _spot(i, j, step, out_h, out_w)
            back = dY @ (W[kh - 1 - i, kw - 1 - j] if wrong == "dx_kernel_flipped" else W[i, j]).T
            if wrong == "overlap_assigned" and not way:
                dXp[spot] = back
            elif wrong != "overlap_assigned":
                dXp[spot] += back
            seen, sent = Xp[spot], flow
            if wrong == "last_position_only":
                seen, sent = seen[:, -1:, -1:], flow[:, -1:, -1:]
            if wrong == "first_example_only":
                seen, sent = seen[:1], flow[:1]
            dW[i, j] = np.tensordot(seen, sent, axes=((0, 1, 2), (0, 1, 2)))
        if wrong == "flipped_kernel":
            dW = dW[::-1, ::-1]
        if wrong == "kernel_transposed":
            dW = dW.transpose(1, 0, 2, 3)
        db = dY.sum(axis=(0, 1, 2))
        if wrong == "bias_over_wrong_axes":
            db = dY.sum(axis=_WRONG_AXES[way])
        if wrong == "bias_forgotten_backward":
            db = np.zeros_like(db)
        if wrong == "mean_for_sum":
            dW, db = dW / N, db / N
        if wrong == "padding_not_removed":
            dX = dXp
        else:
            dX = _cropped(dXp, 0 if wrong == "cropped_from_corner" else before, height, width)
        if wrong == "gradients_in_another_order":
            return dW, db, dX
        return dX, dW, db

    return conv2d_forward, conv2d_backward


def _conv_shown_forward(X, W, b, stride=1, padding=0):
    (N, height, width, _), (kh, kw, _, K) = X.shape, W.shape
    out_h = conv_output_size(height, kh, stride, padding)
    out_w = conv_output_size(width, kw, stride, padding)
    padded = np.pad(X, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    Y = np.zeros((N, out_h, out_w, K))
    for y in range(out_h):
        for x in range(out_w):
            window = padded[:, y * stride : y * stride + kh, x * stride : x * stride + kw]
            Y[:, y, x] = np.tensordot(window, W, axes=3) + b
    return Y, (X, W, stride, padding)


def _conv_shown_backward(dY, cache):
    X, W, stride, padding = cache
    (height, width), (kh, kw) = X.shape[1:3], W.shape[:2]
    padded = np.pad(X, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    dX, dW = np.zeros(padded.shape), np.zeros(W.shape)
    for y in range(dY.shape[1]):
        for x in range(dY.shape[2]):
            inside = slice(None), slice(y * stride, y * stride + kh), slice(x * stride, x * stride + kw)
            dX[inside] += np.tensordot(dY[:, y, x], W, axes=(1, 3))
            dW += np.tensordot(padded[inside], dY[:, y, x], axes=(0, 0))
    return dX[:, padding : padding + height, padding : padding + width], dW, dY.sum(axis=(0, 1, 2))


def _conv_columns_forward(X, W, b, stride=1, padding=0):
    """Every window a row of one large matrix."""
    kh, kw, C, K = W.shape
    Xp = np.pad(X, [(0, 0), (padding, padding), (padding, padding), (0, 0)])
    views = np.lib.stride_tricks.sliding_window_view(Xp, (kh, kw), axis=(1, 2))[:, ::stride, ::stride]
    N, out_h, out_w = views.shape[:3]
    columns = views.transpose(0, 1, 2, 4, 5, 3).reshape(-1, kh * kw * C)
    Y = (columns @ W.reshape(-1, K) + b).reshape(N, out_h, out_w, K)
    return Y, {"columns": columns, "W": W.copy(), "padded": Xp.shape, "stride": stride, "padding": padding}


def _conv_columns_backward(dY, cache):
    columns, W, s, p = cache["columns"], cache["W"], cache["stride"], cache["padding"]
    kh, kw, C, K = W.shape
    N, out_h, out_w, _ = dY.shape
    rows = dY.reshape(-1, K)
    dcolumns = (rows @ W.reshape(-1, K).T).reshape(N, out_h, out_w, kh, kw, C)
    dX = np.zeros(cache["padded"])
    for n, y, x in np.ndindex(N, out_h, out_w):
        dX[n, y * s : y * s + kh, x * s : x * s + kw] += dcolumns[n, y, x]
    height, width = dX.shape[1] - p, dX.shape[2] - p
    return dX[:, p:height, p:width], (columns.T @ rows).reshape(W.shape), np.ones(len(rows)) @ rows


def _conv_loop_forward(X, W, b, stride=1, padding=0):
    (N, height, width, _), (kh, kw, _, K) = X.shape, W.shape
    out_h, out_w = 1 + (height + 2 * padding - kh) // stride, 1 + (width + 2 * padding - kw) // stride
    Y = np.empty((N, out_h, out_w, K))
    for n, y, x in np.ndindex(N, out_h, out_w):
        total = b.astype(float)
        for i, j in np.ndindex(kh, kw):
            row, column = y * stride + i - padding, x * stride + j - padding
            if 0 <= row < height and 0 <= column < width:
                total += X[n, row, column] @ W[i, j]
        Y[n, y, x] = total
    return Y, (X, W, stride, padding)


def _conv_loop_backward(dY, cache):
    X, W, stride, padding = cache
    _, height, width, _ = X.shape
    dX, dW, db = np.zeros(X.shape), np.zeros(W.shape), np.zeros(W.shape[3])
    for n, y, x in np.ndindex(*dY.shape[:3]):
        dy = dY[n, y, x]
        db += dy
        for i, j in np.ndindex(*W.shape[:2]):
            row, column = y * stride + i - padding, x * stride + j - padding
            if 0 <= row < height and 0 <= column < width:
                dX[n, row, column] += W[i, j] @ dy
                dW[i, j] += np.outer(X[n, row, column], dy)
    return dX, dW, db


# --- residual block -------------------------------------------------------------------------------------------------


def _block_case(rng, name, images, hidden_channels, k=3, l=3, hidden=False, **fixed):
    C, F = images[-1], hidden_channels
    params = {
        "W1": rng.standard_normal((k, k, C, F)) / np.sqrt(k * k * C / 2),
        "b1": 0.5 * rng.standard_normal(F),
        "W2": rng.standard_normal((l, l, F, C)) / np.sqrt(l * l * F / 2),
        "b2": 0.5 * rng.standard_normal(C),
    }
    params |= {key: np.zeros_like(params[key]) for key in fixed.get("zeros", ())}
    X = fixed.get("X", rng.standard_normal(images))
    return Case(name, (X, params), dout=rng.standard_normal(images) + 0.5, hidden=hidden)


def _block_cases(rng):
    on_the_kink = np.array([[[0.0, 1.0], [2.0, 0.0], [-1.0, 3.0]], [[0.0, 0.0], [1.0, -2.0], [0.0, 4.0]]])[None]
    return [
        _block_case(rng, "two images of 4 × 3 pixels, two channels", (2, 4, 3, 2), 3),
        _block_case(rng, "one image", (1, 5, 4, 3), 2),
        _block_case(rng, "kernels of 5 × 5, then of one pixel", (2, 3, 4, 2), 3, k=5, l=1),
        _block_case(rng, "kernels of one pixel, then of 3 × 3", (2, 4, 3, 3), 2, k=1),
        _block_case(rng, "everything three", (3, 3, 3, 3), 3),
        # With W1, b1 and b2 zero every Z is 0 and the sum is X: both ReLUs stand on their kink
        _block_case(rng, "preactivations of exactly 0", (1, 2, 3, 2), 3, X=on_the_kink, zeros=("W1", "b1", "b2")),
        _single(_block_case(rng, "", (2, 4, 4, 2), 3)),
        _block_case(rng, "more channels inside", (2, 3, 5, 2), 5, hidden=True),
    ]


def _convolved(X, W, b, padding):
    """A convolution with stride 1 for the answers below: Y and the padded input."""
    kh, kw, _, K = W.shape
    Xp = _padded(X, padding)
    out_h, out_w = Xp.shape[1] - kh + 1, Xp.shape[2] - kw + 1
    Y = np.zeros((len(X), out_h, out_w, K)) + b
    for i, j in itertools.product(range(kh), range(kw)):
        Y += Xp[:, i : i + out_h, j : j + out_w] @ W[i, j]
    return Y, Xp


def _convolved_back(dY, Xp, W, padding):
    kh, kw = W.shape[:2]
    out_h, out_w = dY.shape[1:3]
    dXp, dW = np.zeros(Xp.shape), np.zeros(W.shape)
    for i, j in itertools.product(range(kh), range(kw)):
        inside = slice(None), slice(i, i + out_h), slice(j, j + out_w)
        dXp[inside] += dY @ W[i, j].T
        dW[i, j] = np.tensordot(Xp[inside], dY, axes=((0, 1, 2), (0, 1, 2)))
    height, width = Xp.shape[1] - 2 * padding, Xp.shape[2] - 2 * padding
    return _cropped(dXp, padding, height, width), dW, dY.sum(axis=(0, 1, 2))


def _block(wrong="", padded=None, way=0):
    def slope(S):
        return (S >= 0 if wrong == "relu_one_at_zero" else S > 0).astype(float)

    def residual_block_forward(X, params):
        W1, b1, W2, b2 = (params[key] for key in ("W1", "b1", "W2", "b2"))
        p1, p2 = (len(W1) - 1) // 2, (len(W2) - 1) // 2
        if wrong == "padding_hard_coded":
            p1, p2 = padded
        if wrong == "one_padding_for_both":
            p2 = p1
        Z, X1 = _convolved(X, W1, b1, p1)
        A = Z if wrong == "inner_relu_missing" else np.maximum(Z, 0)
        F, X2 = _convolved(A, W2, b2, p2)
        if wrong == "input_before_activation":
            X2 = _padded(Z, p2)
        if wrong == "relu_before_addition":
            S = F
            Y = X + np.maximum(F, 0)
            if way:
                Y = np.maximum(Y, 0)
        elif wrong == "skip_forgotten":
            S = F
            Y = np.maximum(F, 0)
        elif wrong == "skip_activated":
            S = np.maximum(X, 0) + F
            Y = np.maximum(S, 0)
        elif wrong == "skip_subtracted":
            S = F - X
            Y = np.maximum(S, 0)
        elif wrong == "skip_from_first_convolution":
            S = A[..., : X.shape[-1]] + F if A.shape[-1] >= X.shape[-1] else X + F
            Y = np.maximum(S, 0)
        else:
            S = X + F
            Y = S if wrong == "last_relu_missing" else np.maximum(S, 0)
        return Y, (W1, W2, p1, p2, X1, X2, Z, S, X, Y)

    def residual_block_backward(dY, cache):
        W1, W2, p1, p2, X1, X2, Z, S, X, Y = cache
        if wrong == "mutates_gradient":
            dY *= slope(S)
            delta = dY
        elif wrong in ("last_relu_missing", "outer_derivative_missing"):
            delta = dY
        else:
            delta = dY * slope(S)
        skip = delta
        if wrong == "relu_before_addition":
            skip = dY * slope(Y) if way else dY
            delta = skip * slope(S)
        if wrong == "skip_gradient_past_relu":
            skip = dY
        if wrong in ("skip_forgotten", "skip_gradient_dropped"):
            skip = 0.0
        if wrong == "skip_activated":
            skip = delta * slope(X)
        if wrong == "skip_subtracted":
            skip = -delta
        dA, dW2, db2 = _convolved_back(delta, X2, W2, p2)
        dZ = dA if wrong in ("inner_relu_missing", "inner_derivative_missing") else dA * slope(Z)
        dX, dW1, db1 = _convolved_back(dZ, X1, W1, p1)
        if wrong == "branch_gradient_dropped":
            dX = 0.0 * dX
        dX = skip * dX if wrong == "paths_multiplied" else skip + dX
        if wrong == "mean_for_sum":
            dW1, db1, dW2, db2 = (g / len(dY) for g in (dW1, db1, dW2, db2))
        if wrong == "tuple_for_dict":
            return dX, dW1, db1, dW2, db2
        if wrong == "parameters_swapped":
            dW1, db1, dW2, db2 = dW2, db2, dW1, db1
        return dX, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}

    return residual_block_forward, residual_block_backward


def _block_shown_forward(X, params):
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    Z, first = conv2d_forward(X, W1, b1, padding=(len(W1) - 1) // 2)
    F, second = conv2d_forward(relu(Z), W2, b2, padding=(len(W2) - 1) // 2)
    S = X + F
    return relu(S), (first, second, Z, S)


def _block_shown_backward(dY, cache):
    first, second, Z, S = cache
    delta = dY * relu_grad(S)
    dA, dW2, db2 = conv2d_backward(delta, second)
    dX, dW1, db1 = conv2d_backward(dA * relu_grad(Z), first)
    return delta + dX, {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}


def _block_masks_forward(X, params):
    """The masks of the two ReLUs from their outputs, the cache a dict."""
    kept = {"params": {key: value.copy() for key, value in params.items()}}
    Z, kept["X"] = _convolved(X, params["W1"], params["b1"], params["W1"].shape[0] // 2)
    kept["A"] = Z * (Z > 0)
    F, kept["Ap"] = _convolved(kept["A"], params["W2"], params["b2"], params["W2"].shape[0] // 2)
    kept["Y"] = np.where(X + F > 0, X + F, 0.0)
    return kept["Y"], kept


def _block_masks_backward(dY, cache):
    W1, W2 = cache["params"]["W1"], cache["params"]["W2"]
    grads = {}
    dX = np.where(cache["Y"] > 0, dY, 0.0)
    dA, grads["W2"], grads["b2"] = _convolved_back(dX, cache["Ap"], W2, W2.shape[0] // 2)
    dA[cache["A"] <= 0] = 0.0
    through, grads["W1"], grads["b1"] = _convolved_back(dA, cache["X"], W1, W1.shape[0] // 2)
    dX += through
    return dX, grads


# --- the exercises --------------------------------------------------------------------------------------------------

_STRIDE = "Window y begins at row y·s, not at row y: where does the stride come in when you cut the window out?"
_STRIDE_IGNORED = "`stride` is never used: there is a window at every pixel."
_PADDING = "`padding` is an argument. Yours is always the same, so only one shape of the problem comes out right."
_DEFAULT = "Where no stride is given, it is the window's size: windows side by side."
_PARTIAL = "You keep windows that hang over the edge. Here only windows that lie wholly inside the (padded) image count: the division is rounded down."
_SQUARE = "Your output is as wide as it is high. Height and width are two numbers: count the windows along each."
_HW = "Rows and columns have changed places. The axes are example, row, column, channel (the notes' T has the width first, E26)."
_OVERLAP = "Where windows overlap, a pixel belongs to several of them. Each sends something back, and what comes must be added up; yours keeps only what came last."
_NOT_REMOVED = "dX still has its padding. It must have the shape of X: the gradient at the padding belongs to nobody."
_CORNER = "You cut the right size out of the padded dX, but at the wrong place: X began `padding` rows and columns further in."
_MEAN = "You divide by the number of images. If the loss is a mean, that factor is in dY already; the backward pass only adds up."
_CONVENTIONS = {
    "flipped_kernel",
    "partial_windows",
    "channels_first",
    "tie_shared",
    "tie_to_the_last",
    "tie_by_columns",
    "edges_repeated",
    "operations_doubled",
    "relu_one_at_zero",
}


def _mistakes(family, hints, **ways):
    """The family's mistakes, one for each hint; `ways` are functions that stand in for some."""
    return [
        Mistake(
            slug,
            ways[slug][0] if slug in ways else family(slug),
            hint,
            convention=slug in _CONVENTIONS,
            also=ways[slug][1:] if slug in ways else (),
        )
        for slug, hint in hints.items()
    ]


# Paddings that only fit one shape of the problem: none, one, half of the kernel, what keeps the size
_FIXED_PADDINGS = (lambda k: 0, lambda k: 1, lambda k: k // 2, lambda k: (k - 1) // 2)


EXERCISES = [
    Exercise(
        "convolution.conv_output_size",
        convolution.conv_output_size,
        _size_cases,
        [
            Mistake(
                "stride_omitted",
                _size_no_stride,
                "That is the number of windows one pixel apart. How many are left when you only take every s-th?",
            ),
            Mistake("padding_hard_coded", _size_no_padding, _PADDING, also=(_size_padding_one, _size_padding_half)),
            Mistake("padding_once", _size_padding_once, "The padding is added on *both* sides of the image."),
            Mistake(
                "last_window_forgotten",
                _size_no_one,
                "One too few: the kernel as large as the image still has one place to stand.",
            ),
            Mistake(
                "one_inside_the_division",
                _size_one_inside,
                "The first window needs no step to get there: it is counted besides the steps, not divided with them.",
            ),
            Mistake("rounded_up", _size_up, _PARTIAL, convention=True),
            Mistake(
                "fraction",
                _size_fraction,
                "A number of windows is whole: what is left over at the edge is cut off (`//`).",
            ),
            Mistake(
                "size_kept",
                _size_same,
                "That is TensorFlow's “same”, which chooses the padding itself. Here it is given.",
                convention=True,
            ),
            Mistake("missing_brackets", _size_brackets, "`//` binds more tightly than + and −: brackets."),
            Mistake(
                "kernel_added",
                _size_full,
                "A larger kernel leaves *fewer* places for it to stand.",
            ),
        ],
        [_size_shown, _size_counted, _size_floor, _size_loop],
        points=1,
        minutes=4,
        why="Every shape error in a convolutional network is this line, not worked out.",
        hints=(
            "Take s = 1 first: a kernel of length k in n + 2p pixels. At which pixel may it begin, the last time?",
            "With stride s, of those beginnings every s-th counts, the first one included.",
        ),
        solution=_size_shown,
    ),
    Exercise(
        "architectures.conv2d_cost",
        conv2d_cost,
        _cost_cases,
        _mistakes(
            _cost_with,
            {
                "bias_forgotten": "The biases are parameters, too.",
                "bias_per_input_channel": "A bias belongs to each *output* channel.",
                "one_bias": "Each output channel has a bias of its own.",
                "bias_per_weight": "There is one bias for each output channel, not for each weight.",
                "stride_omitted": "The number of places does not shrink with the stride. `conv_output_size` takes it.",
                "padding_hard_coded": _PADDING,
                "padding_once": "The padding is added on *both* sides of the image.",
                "input_pixels": "You count one product with the kernels for each pixel of the *input*. How many places does the kernel really stand at?",
                "square_image": _SQUARE,
                "kernel_one_sided": "A kernel has k rows *and* k columns.",
                "input_channels_forgotten": "A kernel looks at all C channels at once: it has a weight for each.",
                "channels_added": "Every output channel is connected with every input channel: how many pairs are there?",
                "biases_in_multiply_adds": "Adding the bias is no multiply-add: as in the papers, it is left out.",
                "operations_doubled": "That is operations, multiplications and additions apart. Here a multiplication with its addition counts once.",
                "weights_not_shared": "The kernel is the same at every place: its weights are parameters once, not H′W′ times. That is the point of a convolution.",
                "multiply_adds_per_place": "That is the work at one place. The kernel stands at H′ · W′ of them.",
            },
            padding_hard_coded=[_cost_with("padding_hard_coded", fixed) for fixed in _FIXED_PADDINGS],
        ),
        [_cost_by_neuron, _cost_by_shapes, _cost_with()],
        points=2,
        minutes=6,
        why="Few parameters, much work: two bills that the architectures of the 2010s split very differently.",
        hints=(
            "One output channel at one place is a neuron with k·k·C inputs.",
            "K such neurons, the same at every place: that is all there is to learn.",
            "The work is that of K neurons, H′ · W′ times; your `conv_output_size` gives H′ and W′.",
        ),
    ),
    Exercise(
        "convolution.global_avgpool",
        (convolution.global_avgpool_forward, convolution.global_avgpool_backward),
        _global_cases,
        _mistakes(
            _global,
            {
                "share_missing": "Every pixel gets the whole flow. Each entered the mean with a weight of its own: which?",
                "share_of_the_height": "You divide by the height alone: over how many pixels did the mean run?",
                "axes_kept": "The numbers are right, the shape is (N, 1, 1, C): the averaged axes should be gone.",
                "channels_first": "You average over the last two axes, as in libraries with (N, C, H, W). Here the channel is last.",
                "batch_averaged": "The images are averaged with one another. Each keeps its own C numbers.",
                "height_only": "You average over the rows alone; the columns are still there.",
                "width_only": "You average over the columns alone; the rows are still there.",
                "batch_for_width": "Axis 0 is the examples. The image's axes are 1 and 2.",
                "sum_for_mean": "A sum over the pixels where the mean is asked.",
                "max_for_mean": "This is the largest entry, not the mean.",
                "divided_by_height": "You divide by the height alone: how many pixels are there?",
                "share_of_the_batch": "The mean runs over the pixels of one image; you also divide by the number of images.",
                "shape_of_output": "dX must have the shape of X: spread each number over all pixels of its image. The cache may remember the shape.",
                "one_pixel_only": "One pixel gets all. In a mean every pixel has the same share.",
                "spread_over_batch": "The flows of different images are mixed. What comes for an image goes to that image.",
            },
        ),
        [
            (_global_shown_forward, _global_shown_backward),
            (_global_flat_forward, _global_flat_backward),
            (_global_loop_forward, _global_loop_backward),
            _global(),
        ],
        points=2,
        minutes=6,
        why="It took the place of AlexNet's largest layers, and has not a single parameter.",
        hints=(
            "Forward: a mean over axes 1 and 2.",
            "Backward: each of the H·W pixels entered with weight 1/(HW); the cache only needs the shape of X.",
            "`dY[:, None, None, :]` has the two missing axes; broadcasting does the rest.",
        ),
        solution=(_global_shown_forward, _global_shown_backward),
    ),
    Exercise(
        "convolution.avgpool2d",
        (convolution.avgpool2d_forward, convolution.avgpool2d_backward),
        _average_cases,
        _mistakes(
            _average,
            {
                "share_missing": "Every pixel of the window gets the whole flow. With which weight did each enter the mean?",
                "share_by_size": "You divide by k. A window of size k has k·k pixels.",
                "stride_omitted": _STRIDE,
                "stride_ignored": _STRIDE_IGNORED,
                "stride_default_one": _DEFAULT,
                "partial_windows": _PARTIAL,
                "square_image": _SQUARE,
                "height_width_swapped": _HW,
                "sum_for_mean": "A sum over the window where the mean is asked.",
                "divided_by_size": "A window of size k has k·k pixels.",
                "max_for_mean": "This is the largest entry of each window, not the mean.",
                "pool_overlap_assigned": _OVERLAP,
                "overlaps_averaged": "Where windows overlap, the flows are averaged. A pixel in two means gets what both send.",
                "first_pixel_only": "Only the first pixel of each window gets something. In a mean every pixel has the same share.",
            },
            pool_overlap_assigned=[_average("pool_overlap_assigned", by_place) for by_place in (True, False)],
        ),
        [
            (_average_shown_forward, _average_shown_backward),
            (_average_views_forward, _average_views_backward),
            _average(),
        ],
        points=3,
        minutes=14,
        why="The simplest layer with windows: here you find out how to walk over them, with stride and overlap.",
        hints=(
            "Forward: two loops over the output's rows y and columns x; the window is `X[:, y*s : y*s + k, x*s : x*s + k]`, all images and channels at once.",
            "Backward: the same two loops over the same windows. Each sends dY[:, y, x]/k² to every pixel in it.",
            "`dX[window] += …`, since windows may overlap; `[:, None, None, :]` lets (N, C) spread over the window.",
        ),
        solution=(_average_shown_forward, _average_shown_backward),
    ),
    Exercise(
        "convolution.maxpool2d",
        (convolution.maxpool2d_forward, convolution.maxpool2d_backward),
        _max_cases,
        _mistakes(
            _max,
            {
                "stride_omitted": _STRIDE,
                "stride_ignored": _STRIDE_IGNORED,
                "stride_default_one": _DEFAULT,
                "padding_hard_coded": _PADDING,
                "padded_with_zeros": "Zeros around the image win wherever all pixels are negative. What number never wins?",
                "zero_to_begin_with": "Where all of a window is negative, you return 0. With what does your maximum begin?",
                "partial_windows": _PARTIAL,
                "square_image": _SQUARE,
                "height_width_swapped": _HW,
                "mean_for_max": "This is the mean of each window, not the largest entry.",
                "largest_magnitude": "−5 is not larger than 3: the maximum, without absolute values.",
                "over_channels": "The channels are pooled with one another. Each has its own maximum.",
                "pool_overlap_assigned": _OVERLAP,
                "pool_tie_duplicated": "At a tie you send the whole flow to every tied pixel, so more comes back than was sent. Here the first of them, row by row, takes it all.",
                "tie_shared": "At a tie you share the flow. That is right as well, but here the first of the tied pixels, row by row, takes it all, as in PyTorch.",
                "tie_to_the_last": "At a tie you choose the last pixel. Here it is the first, row by row.",
                "tie_by_columns": "At a tie you go through the window column by column. Here it is row by row.",
                "flow_to_all": "All pixels of the window get the flow. A pixel that did not win could change a little without anyone noticing: what is its gradient?",
                "flow_shared_by_all": "That is the gradient of *average* pooling: here only the winner gets something.",
                "upstream_missing": "You mark the winners, but dY is not in the answer.",
                "value_for_gradient": "The winners get their value. What goes back to them is dY.",
                "padding_not_removed": _NOT_REMOVED,
                "cropped_from_corner": _CORNER,
            },
            padding_hard_coded=[_max("padding_hard_coded", fixed) for fixed in _FIXED_PADDINGS],
            pool_overlap_assigned=[_max("pool_overlap_assigned", way=way) for way in range(4)],
        ),
        [(_max_shown_forward, _max_shown_backward), (_max_loop_forward, _max_loop_backward), _max()],
        points=4,
        minutes=22,
        why="A gradient that goes to one place only, and to the same place several times: the two traps of every pooling layer.",
        hints=(
            "Forward: the loops of the average pooling, over an image padded with −∞ (`np.pad` takes `constant_values`).",
            "Keep in the cache *where* each maximum stood: `argmax` of the window, flattened to k·k pixels, gives the first one at a tie.",
            "Backward: the same loops. Put each dY at its winner and add it to what is there already.",
            "At the very end cut the padding off again: rows p … p + H, columns p … p + W.",
        ),
        solution=(_max_shown_forward, _max_shown_backward),
    ),
    Exercise(
        "convolution.conv2d",
        (convolution.conv2d_forward, convolution.conv2d_backward),
        _conv_cases,
        _mistakes(
            _conv,
            {
                "stride_omitted": _STRIDE,
                "padding_hard_coded": _PADDING,
                "flipped_kernel": "You flip the kernel: that is the convolution of mathematics. Here, as in every deep-learning library, it is laid on the image as it is.",
                "kernel_transposed": "The kernel's rows and columns have changed places: W is (kh, kw, C, K).",
                "square_image": _SQUARE,
                "edges_repeated": "You repeat the image's edge. Here the padding is zeros.",
                "padding_on_one_side": "All of the padding is below and on the right. It belongs on every side.",
                "first_channel_only": "Only the first channel is looked at. Every kernel has weights for all C of them.",
                "mean_over_window": "A neuron takes a weighted *sum* of what it sees; you divide by the number of inputs.",
                "bias_forgotten": "The bias is missing.",
                "bias_at_every_weight": "The bias is added once for each place of the output, not for each weight.",
                "output_of_last_position": "Every place has the same value: the one that was computed last. Where does your loop write to?",
                "overlap_assigned": _OVERLAP,
                "dx_kernel_flipped": "In dX the kernel is turned over. What entry (i, j) of the kernel took from a pixel, entry (i, j) gives back.",
                "last_position_only": "dW holds the last window's share alone. The same kernel works at every place: what do its gradients do?",
                "first_example_only": "dW comes from the first image alone. All images share the kernel.",
                "upstream_missing": "dW does not contain dY.",
                "bias_over_wrong_axes": "b has one entry per output channel and is used for every image, row and column: sum dY over all three of those axes, and over no other.",
                "bias_forgotten_backward": "b gets no gradient.",
                "mean_for_sum": _MEAN,
                "padding_not_removed": _NOT_REMOVED,
                "cropped_from_corner": _CORNER,
                "gradients_in_another_order": "The order is that of the arguments: `dX, dW, db`.",
            },
            stride_omitted=[_conv("stride_omitted"), _conv("stride_omitted", way=1)],
            padding_hard_coded=[_conv("padding_hard_coded", fixed) for fixed in _FIXED_PADDINGS],
            overlap_assigned=[_conv("overlap_assigned"), _conv("overlap_assigned", way=1)],
            bias_over_wrong_axes=[_conv("bias_over_wrong_axes", way=way) for way in range(len(_WRONG_AXES))],
        ),
        [
            (_conv_shown_forward, _conv_shown_backward),
            (_conv_columns_forward, _conv_columns_backward),
            (_conv_loop_forward, _conv_loop_backward),
            _conv(),
        ],
        points=7,
        minutes=45,
        why="The layer that made computers see; whoever has written its backward pass once is never again afraid of one.",
        hints=(
            "Forward: pad, then the loops of the pooling. At every place the window (N, kh, kw, C) meets W (kh, kw, C, K): `np.tensordot(window, W, axes=3)` is (N, K). Then the bias.",
            "Backward, with the same loops: at each place it is a linear layer, window → dY[:, y, x]. Its two gradients you know.",
            "dX: each place adds dY·W to its window, (N, K) with (kh, kw, C, K) over K: `np.tensordot(dy, W, axes=(1, 3))`. dW: each place adds window·dY, summed over the images: `axes=(0, 0)`.",
            "Collect dX with its padding and cut that off at the end. db: sum dY over everything but the channel.",
        ),
        solution=(_conv_shown_forward, _conv_shown_backward),
    ),
    Exercise(
        "convolution.residual_block",
        (convolution.residual_block_forward, convolution.residual_block_backward),
        _block_cases,
        _mistakes(
            _block,
            {
                "outer_derivative_missing": "The last ReLU lets the gradient through only where the sum was positive.",
                "inner_derivative_missing": "The inner ReLU lets the gradient through only where Z was positive.",
                "relu_before_addition": "You activate the branch before it is added. The last ReLU stands *behind* the addition: the branch must be able to take something away from X.",
                "padding_hard_coded": "A fixed padding keeps the image's size for one kernel only, 1 for 3 × 3. Which one keeps it for k × k? Work it out for each of the two.",
                "one_padding_for_both": "The two kernels need not be of one size: each has its own padding.",
                "skip_forgotten": "X is not added: these are two convolutions, one after the other.",
                "skip_subtracted": "X is subtracted where it should be added.",
                "skip_activated": "X goes into the sum as it is, negative entries and all.",
                "skip_from_first_convolution": "The skip begins at the block's input X, not behind the first convolution.",
                "last_relu_missing": "The ReLU behind the addition is missing.",
                "inner_relu_missing": "The ReLU between the convolutions is missing: two linear maps in a row are one.",
                "input_before_activation": "The second convolution got relu(Z). dW2 must be computed with that, not with Z.",
                "skip_gradient_dropped": "dX comes through the convolutions alone. X also went straight to the sum: add what comes back that way. It is the point of the whole block.",
                "branch_gradient_dropped": "dX comes along the skip alone. X also went through the convolutions.",
                "skip_gradient_past_relu": "What goes back along the skip is dY itself. The skip ends *before* the last ReLU, so that comes first on the way back.",
                "paths_multiplied": "X reaches the sum on two paths: what comes back along them is added.",
                "relu_one_at_zero": "At exactly 0 the slope of ReLU is taken as 0 (E27); yours is 1 there.",
                "mean_for_sum": _MEAN,
                "tuple_for_dict": "The parameters came as a dict: their gradients go back as one, `dX, dparams`, with the same keys.",
                "parameters_swapped": "The gradients of the two convolutions have changed places.",
                "mutates_gradient": "`dY *= …` writes into the caller's array. Make a new one: `dY * …`.",
            },
            relu_before_addition=[_block("relu_before_addition"), _block("relu_before_addition", way=1)],
            padding_hard_coded=[_block("padding_hard_coded", (1, 1)), _block("padding_hard_coded", (0, 0))],
        ),
        [
            (_block_shown_forward, _block_shown_backward),
            (_block_masks_forward, _block_masks_backward),
            _block(),
        ],
        points=4,
        minutes=20,
        why="One addition, and networks of a hundred layers could be trained: the gradient has a way around every block.",
        hints=(
            "Forward: your `conv2d_forward` twice, with relu between; then X + F, then relu. Keep both caches, Z and the sum.",
            "Backward: δ = dY where the sum was positive, else 0. δ goes two ways: into the branch and straight to dX.",
            "The branch: `conv2d_backward`, then the inner ReLU's mask, then `conv2d_backward` again.",
        ),
        solution=(_block_shown_forward, _block_shown_backward),
    ),
]
