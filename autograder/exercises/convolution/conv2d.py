"""The convolution layer: every kernel laid on the image at every place."""

import itertools

import numpy as np

from dlcourse import convolution
from dlcourse.convolution import conv_output_size

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import CORNER, MEAN, NOT_REMOVED, OVERLAP, PADDING, SQUARE, STRIDE, fixed_paddings

# --- solution -------------------------------------------------------------------------------------------------------


def conv2d_forward(X, W, b, stride=1, padding=0):
    (N, height, width, _), (kh, kw, _, K) = X.shape, W.shape
    out_h = conv_output_size(height, kh, stride, padding)
    out_w = conv_output_size(width, kw, stride, padding)
    padded = np.pad(X, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    Y = np.zeros((N, out_h, out_w, K))
    for y in range(out_h):
        for x in range(out_w):
            rows, columns = slice(y * stride, y * stride + kh), slice(x * stride, x * stride + kw)
            Y[:, y, x] = np.tensordot(padded[:, rows, columns], W, axes=3) + b
    return Y, (X, W, stride, padding)


def conv2d_backward(dY, cache):
    X, W, stride, padding = cache
    (height, width), (kh, kw) = X.shape[1:3], W.shape[:2]
    padded = np.pad(X, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    dX, dW = np.zeros(padded.shape), np.zeros(W.shape)
    for y in range(dY.shape[1]):
        for x in range(dY.shape[2]):
            rows, columns = slice(y * stride, y * stride + kh), slice(x * stride, x * stride + kw)
            dX[:, rows, columns] += np.tensordot(dY[:, y, x], W, axes=(1, 3))
            dW += np.tensordot(padded[:, rows, columns], dY[:, y, x], axes=(0, 0))
    return dX[:, padding : padding + height, padding : padding + width], dW, dY.sum(axis=(0, 1, 2))


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, images, kernel, hidden=False, **kwargs):
        """images (N, H, W, C), kernel (kh, kw, K)."""
        (N, height, width, C), (kh, kw, K) = images, kernel
        where = kwargs.get("stride", 1), kwargs.get("padding", 0)
        out = conv_output_size(height, kh, *where), conv_output_size(width, kw, *where)
        args = rng.standard_normal(images), rng.standard_normal((kh, kw, C, K)), rng.uniform(0.5, 1.5, K)
        return Case(name, args, kwargs, dout=rng.standard_normal((N, *out, K)) + 0.5, hidden=hidden)

    return [
        case("kernels of 3 × 2", (2, 5, 4, 3), (3, 2, 4)),
        case("3 × 3, stride 2, padding 1", (2, 7, 6, 2), (3, 3, 3), stride=2, padding=1),
        case("stride 3, kernels of 2 × 2", (1, 8, 7, 2), (2, 2, 3), stride=3),
        case("padding 2, kernels of 3 × 2", (2, 3, 4, 2), (3, 2, 3), padding=2),
        enlarged(case("kernels of one pixel", (2, 3, 4, 3), (1, 1, 2)), 0),
        case("kernels as large as the image", (3, 3, 4, 2), (3, 4, 2)),
        case("everything three, padding 1", (3, 3, 3, 3), (3, 3, 3), padding=1),
        in_float32(case("", (2, 5, 6, 2), (3, 3, 4), stride=2)),
        case("one pixel, one channel to one, padding 1", (3, 1, 1, 1), (3, 2, 1), padding=1),
        case("stride 2, padding 3, kernels of 4 × 3", (2, 6, 5, 2), (4, 3, 3), stride=2, padding=3, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

SHAPES = "X.shape, W.shape\n"
PLACE = "rows, columns = slice(y * stride, y * stride + kh), slice(x * stride, x * stride + kw)"
PLACE_WITHOUT_STRIDE = "rows, columns = slice(y, y + kh), slice(x, x + kw)"
PRODUCT = "np.tensordot(padded[:, rows, columns], W, axes=3)"
TO_INPUT = "np.tensordot(dY[:, y, x], W, axes=(1, 3))"
TO_KERNEL = "np.tensordot(padded[:, rows, columns], dY[:, y, x], axes=(0, 0))"
CROP = "dX[:, padding : padding + height, padding : padding + width]"
BIAS = "dY.sum(axis=(0, 1, 2))"
BY_PLACE_IN_KERNEL = """    h, w = stride * (dY.shape[1] - 1) + 1, stride * (dY.shape[2] - 1) + 1
    for i, j in np.ndindex(kh, kw):
        dX[:, i : i + h : stride, j : j + w : stride] = dY @ W[i, j].T
"""

FIXED, *OTHER_FIXED = fixed_paddings(SHAPES, SHAPES + "    padding = {}\n", "kh")
WRONG_AXES = [axes for count in range(1, 5) for axes in itertools.combinations(range(4), count) if axes != (0, 1, 2)]

MISTAKES = [
    Mistake("stride_omitted", slip(PLACE, PLACE_WITHOUT_STRIDE, everywhere=True),
        STRIDE, also=[slip(SHAPES, SHAPES + "    stride = 1\n")]),
    Mistake("padding_hard_coded", FIXED, PADDING, also=OTHER_FIXED),
    Mistake("flipped_kernel",
        slip(PRODUCT, PRODUCT.replace("W", "W[::-1, ::-1]"),
             TO_INPUT, TO_INPUT.replace("W", "W[::-1, ::-1]"),
             f"dW, {BIAS}", f"dW[::-1, ::-1], {BIAS}"),
        "You flip the kernel: that is the convolution of mathematics. Here, as in every deep-learning library, it is "
        "laid on the image as it is.", convention=True),
    Mistake("kernel_transposed",
        slip("    (N, height, width, _)", "    W = W.transpose(1, 0, 2, 3)\n    (N, height, width, _)",
             f"dW, {BIAS}", f"dW.transpose(1, 0, 2, 3), {BIAS}"),
        "The kernel's rows and columns have changed places: W is (kh, kw, C, K)."),
    Mistake("square_image", slip("conv_output_size(width, kw", "conv_output_size(height, kh"), SQUARE),
    Mistake("edges_repeated", slip("(0, 0)))", '(0, 0)), mode="edge")', everywhere=True),
        "You repeat the image's edge. Here the padding is zeros.", convention=True),
    Mistake("padding_on_one_side",
        slip("(padding, padding)", "(0, 2 * padding)", CROP, "dX[:, :height, :width]", everywhere=True),
        "All of the padding is below and on the right. It belongs on every side."),
    Mistake("first_channel_only", slip(PRODUCT, "np.tensordot(padded[:, rows, columns, :1], W[:, :, :1], axes=3)"),
        "Only the first channel is looked at. Every kernel has weights for all C of them."),
    Mistake("mean_over_window", slip(PRODUCT, f"{PRODUCT} / W[..., 0].size"),
        "A neuron takes a weighted *sum* of what it sees; you divide by the number of inputs."),
    Mistake("bias_forgotten", slip("axes=3) + b", "axes=3)"), "The bias is missing."),
    Mistake("bias_at_every_weight", slip("+ b\n", "+ W[..., 0].size * b\n"),
        "The bias is added once for each place of the output, not for each weight."),
    Mistake("output_of_last_position", slip(f"Y[:, y, x] = {PRODUCT} + b", f"Y[:] = ({PRODUCT} + b)[:, None, None]"),
        "Every place has the same value: the one that was computed last. Where does your loop write to?"),
    Mistake("overlap_assigned", slip(f"+= {TO_INPUT}", f"= {TO_INPUT}"),
        OVERLAP,
        also=[slip(f"dX[:, rows, columns] += {TO_INPUT}\n            ", "",
                   "    return dX", f"{BY_PLACE_IN_KERNEL}    return dX")]),
    Mistake("dx_kernel_flipped", slip(TO_INPUT, TO_INPUT.replace("W", "W[::-1, ::-1]")),
        "In dX the kernel is turned over. What entry (i, j) of the kernel took from a pixel, entry (i, j) gives back."),
    Mistake("last_position_only", slip("dW +=", "dW ="),
        "dW holds the last window's share alone. The same kernel works at every place: what do its gradients do?"),
    Mistake("first_example_only", slip(TO_KERNEL, TO_KERNEL.replace("[:,", "[:1,")),
        "dW comes from the first image alone. All images share the kernel."),
    Mistake("upstream_missing", slip(TO_KERNEL, TO_KERNEL.replace("dY[:, y, x]", "np.ones_like(dY[:, y, x])")),
        "dW does not contain dY."),
    Mistake("bias_over_wrong_axes", slip(BIAS, f"dY.sum(axis={WRONG_AXES[0]})"),
        "b has one entry per output channel and is used for every image, row and column: sum dY over all three of "
        "those axes, and over no other.", also=[slip(BIAS, f"dY.sum(axis={axes})") for axes in WRONG_AXES[1:]]),
    Mistake("bias_forgotten_backward", slip(BIAS, "np.zeros(W.shape[3])"), "b gets no gradient."),
    Mistake("mean_for_sum", slip(f"dW, {BIAS}", f"dW / len(X), {BIAS} / len(X)"), MEAN),
    Mistake("padding_not_removed", slip(CROP, "dX"), NOT_REMOVED),
    Mistake("cropped_from_corner", slip(CROP, "dX[:, :height, :width]"), CORNER),
    Mistake("gradients_in_another_order", slip(f"{CROP}, dW, {BIAS}", f"dW, {BIAS}, {CROP}"),
        "The order is that of the arguments: `dX, dW, db`."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def columns_forward(X, W, b, stride=1, padding=0):
    """Every window a row of one large matrix."""
    kh, kw, C, K = W.shape
    Xp = np.pad(X, [(0, 0), (padding, padding), (padding, padding), (0, 0)])
    views = np.lib.stride_tricks.sliding_window_view(Xp, (kh, kw), axis=(1, 2))[:, ::stride, ::stride]
    N, out_h, out_w = views.shape[:3]
    columns = views.transpose(0, 1, 2, 4, 5, 3).reshape(-1, kh * kw * C)
    Y = (columns @ W.reshape(-1, K) + b).reshape(N, out_h, out_w, K)
    return Y, {"columns": columns, "W": W.copy(), "padded": Xp.shape, "stride": stride, "padding": padding}


def columns_backward(dY, cache):
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


def loop_forward(X, W, b, stride=1, padding=0):
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


def loop_backward(dY, cache):
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


def places_forward(X, W, b, stride=1, padding=0):
    """One matrix product for each place in the kernel."""
    (kh, kw), p = W.shape[:2], padding
    padded = np.pad(X, ((0, 0), (p, p), (p, p), (0, 0)))
    rows, columns = padded.shape[1] - kh + 1, padded.shape[2] - kw + 1
    inside = {
        (i, j): (slice(None), slice(i, i + rows, stride), slice(j, j + columns, stride)) for i, j in np.ndindex(kh, kw)
    }
    return sum(padded[inside[place]] @ W[place] for place in inside) + b, (padded, W, inside, p)


def places_backward(dY, cache):
    padded, W, inside, p = cache
    dX, dW = np.zeros(padded.shape), np.zeros(W.shape)
    for place, view in inside.items():
        dX[view] += dY @ W[place].T
        dW[place] = np.einsum("nyxc,nyxk->ck", padded[view], dY)
    return dX[:, p : dX.shape[1] - p, p : dX.shape[2] - p], dW, np.einsum("nyxk->k", dY)


EXERCISE = Exercise("convolution.conv2d", (convolution.conv2d_forward, convolution.conv2d_backward), cases, MISTAKES,
    variants=[(columns_forward, columns_backward), (loop_forward, loop_backward), (places_forward, places_backward)],
    solution=(conv2d_forward, conv2d_backward), points=7,
    why="The layer that made computers see. After its backward pass, no other one looks hard.",
    hints=("Forward: pad, then the loops of the pooling. At every place the window (N, kh, kw, C) meets W (kh, kw, C, "
           "K): `np.tensordot(window, W, axes=3)` is (N, K). Then the bias.",
           "Backward, with the same loops: at each place it is a linear layer, window → dY[:, y, x]. Its two gradients "
           "you know.",
           "dX: each place adds dY·W to its window, (N, K) with (kh, kw, C, K) over K: `np.tensordot(dy, W, axes=(1, "
           "3))`. dW: each place adds window·dY, summed over the images: `axes=(0, 0)`.",
           "Collect dX with its padding and cut that off at the end. db: sum dY over everything but the "
           "channel."))  # fmt: skip
