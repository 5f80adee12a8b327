"""Average pooling: the mean of each window."""

import numpy as np

from dlcourse import convolution
from dlcourse.convolution import conv_output_size

from ...checks.exercise import Exercise, Mistake, enlarged, in_float32, slip
from . import _shared as shared

# --- solution -------------------------------------------------------------------------------------------------------


def avgpool2d_forward(X, size, stride=None):
    stride = size if stride is None else stride
    N, height, width, C = X.shape
    out_h = conv_output_size(height, size, stride)
    out_w = conv_output_size(width, size, stride)
    Y = np.zeros((N, out_h, out_w, C))
    for y in range(out_h):
        for x in range(out_w):
            window = X[:, y * stride : y * stride + size, x * stride : x * stride + size]
            Y[:, y, x] = window.mean(axis=(1, 2))
    return Y, (X.shape, size, stride)


def avgpool2d_backward(dY, cache):
    shape, size, stride = cache
    dX = np.zeros(shape)
    for y in range(dY.shape[1]):
        for x in range(dY.shape[2]):
            share = dY[:, y, x][:, None, None, :] / size**2
            dX[:, y * stride : y * stride + size, x * stride : x * stride + size] += share
    return dX


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    return [
        shared.pool_case(rng, "windows of 2 × 2 side by side", (2, 4, 6, 3), 2),
        shared.pool_case(rng, "overlapping windows, 3 × 3 every 2 pixels", (2, 7, 5, 3), 3, stride=2),
        shared.pool_case(rng, "they do not divide", (1, 5, 8, 2), 3),
        shared.pool_case(rng, "windows with gaps between them", (2, 8, 5, 3), 2, stride=3),
        shared.pool_case(rng, "everything three, stride 1", (3, 3, 3, 3), 2, stride=1),
        in_float32(shared.pool_case(rng, "", (2, 6, 5, 2), 3, stride=2)),
        enlarged(shared.pool_case(rng, "one window", (2, 4, 4, 3), 4), 0),
        shared.pool_case(rng, "a row of pixels, a channel, windows of one pixel", (2, 1, 4, 1), 1, stride=2),
        shared.pool_case(rng, "a column of pixels", (3, 5, 1, 2), 1),
        shared.pool_case(rng, "3 × 3 windows at every pixel", (2, 6, 5, 2), 3, stride=1, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

SHARE = "share = dY[:, y, x][:, None, None, :] / size**2"
ROUNDED_UP = (
    "conv_output_size(height, size, stride)",
    "-(-(height - size) // stride) + 1",
    "conv_output_size(width, size, stride)",
    "-(-(width - size) // stride) + 1",
)


def assigned_by_place_in_window(dY, cache):
    shape, size, stride = cache
    dX = np.zeros(shape)
    rows, columns = (stride * (n - 1) + 1 for n in dY.shape[1:3])
    for i in range(size):
        for j in range(size):
            dX[:, i : i + rows : stride, j : j + columns : stride] = dY / size**2
    return dX


MISTAKES = [
    Mistake("share_missing", slip(" / size**2", ""),
        "Every pixel of the window gets the whole flow. With which weight did each enter the mean?"),
    Mistake("share_by_size", slip("size**2", "size"), "You divide by k. A window of size k has k·k pixels."),
    Mistake("stride_omitted", slip(shared.WINDOW, shared.WINDOW_WITHOUT_STRIDE, everywhere=True), shared.STRIDE),
    Mistake("stride_ignored", slip(shared.DEFAULT_STRIDE, "stride = 1"), shared.STRIDE_IGNORED),
    Mistake("stride_default_one", slip("size if stride is None", "1 if stride is None"), shared.DEFAULT),
    Mistake("partial_windows", slip(*ROUNDED_UP),
        shared.PARTIAL, convention=True,
        also=[slip(*ROUNDED_UP, "window.mean(axis=(1, 2))", "window.sum(axis=(1, 2)) / size**2")]),
    Mistake("square_image", slip("conv_output_size(width", "conv_output_size(height"), shared.SQUARE),
    Mistake("height_width_swapped", slip(*shared.ROWS_AND_COLUMNS_SWAPPED, everywhere=True), shared.ROWS_FOR_COLUMNS),
    Mistake("sum_for_mean", slip("window.mean", "window.sum", " / size**2", ""),
        "A sum over the window where the mean is asked."),
    Mistake("divided_by_size", slip("size**2", "size", "window.mean(axis=(1, 2))", "window.sum(axis=(1, 2)) / size"),
        "A window of size k has k·k pixels."),
    Mistake("max_for_mean", slip("window.mean", "window.max"),
        "This is the largest entry of each window, not the mean."),
    Mistake("pool_overlap_assigned", slip("+= share", "= share"),
        shared.OVERLAP, also=[(avgpool2d_forward, assigned_by_place_in_window)]),
    Mistake("overlaps_averaged",
        slip("dX = np.zeros(shape)", "dX, times = np.zeros(shape), np.zeros(shape)",
             f"dX{shared.WINDOW} += share", f"dX{shared.WINDOW} += share\n            times{shared.WINDOW} += 1",
             "return dX", "return dX / np.maximum(times, 1)"),
        "Where windows overlap, the flows are averaged. A pixel in two means gets what both send."),
    Mistake("first_pixel_only",
        slip(SHARE, "share = dY[:, y, x]", f"dX{shared.WINDOW}", "dX[:, y * stride, x * stride]"),
        "Only the first pixel of each window gets something. In a mean every pixel has the same share."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def views_forward(X, size, stride=None):
    s = stride or size
    windows = np.lib.stride_tricks.sliding_window_view(X, (size, size), axis=(1, 2))[:, ::s, ::s]
    return windows.mean(axis=(-2, -1)), {"shape": X.shape, "size": size, "stride": s}


def views_backward(dY, cache):
    size, s = cache["size"], cache["stride"]
    height, width = cache["shape"][1:3]
    # Row y of this matrix says how much of every input row goes into output row y
    rows, columns = (
        np.array([[(0 <= i - s * y < size) / size for i in range(n)] for y in range(out)])
        for n, out in ((height, dY.shape[1]), (width, dY.shape[2]))
    )
    return np.einsum("nyxc,yi,xj->nijc", dY, rows, columns)


def places_forward(X, size, stride=None):
    """One strided view for each place in the window, added up."""
    step = stride or size
    rows, columns = (n - size + 1 for n in X.shape[1:3])
    views = [X[:, i : i + rows : step, j : j + columns : step] for i in range(size) for j in range(size)]
    return sum(views) / size**2, (X.shape, size, step)


def places_backward(dY, cache):
    shape, size, step = cache
    dX = np.zeros(shape)
    rows, columns = (n - size + 1 for n in shape[1:3])
    for i, j in np.ndindex(size, size):
        dX[:, i : i + rows : step, j : j + columns : step] += dY / size**2
    return dX


EXERCISE = Exercise("convolution.avgpool2d", (convolution.avgpool2d_forward, convolution.avgpool2d_backward), cases,
    MISTAKES, variants=[(views_forward, views_backward), (places_forward, places_backward)],
    solution=(avgpool2d_forward, avgpool2d_backward), points=0,
    why="The simplest layer with windows: here you find out how to walk over them, with stride and overlap.",
    hints=("Forward: two loops over the output's rows y and columns x; the window is `X[:, y*s : y*s + k, x*s : x*s + "
           "k]`, all images and channels at once.",
           "Backward: the same two loops over the same windows. Each sends dY[:, y, x]/k² to every pixel in it.",
           "`dX[window] += …`, since windows may overlap; `[:, None, None, :]` lets (N, C) spread over the "
           "window."))  # fmt: skip
