"""Max pooling: the largest entry of each window; the gradient goes to the first winner."""

import math

import numpy as np

from dlcourse import convolution
from dlcourse.convolution import conv_output_size

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from . import _shared as shared

# --- solution -------------------------------------------------------------------------------------------------------


def maxpool2d_forward(X, size, stride=None, padding=0):
    stride = size if stride is None else stride
    N, height, width, C = X.shape
    out_h = conv_output_size(height, size, stride, padding)
    out_w = conv_output_size(width, size, stride, padding)
    sides = (padding, padding)
    padded = np.pad(X, ((0, 0), sides, sides, (0, 0)), constant_values=-np.inf)
    Y = np.zeros((N, out_h, out_w, C))
    winners = np.zeros(Y.shape, dtype=int)
    for y in range(out_h):
        for x in range(out_w):
            window = padded[:, y * stride : y * stride + size, x * stride : x * stride + size]
            window = window.reshape(N, size * size, C)
            Y[:, y, x] = window.max(axis=1)
            winners[:, y, x] = window.argmax(axis=1)
    return Y, (X.shape, winners, size, stride, padding)


def maxpool2d_backward(dY, cache):
    (N, height, width, C), winners, size, stride, padding = cache
    dX = np.zeros((N, height + 2 * padding, width + 2 * padding, C))
    for y in range(dY.shape[1]):
        for x in range(dY.shape[2]):
            won = np.arange(size * size)[:, None] == winners[:, y, x][:, None, :]
            flow = (won * dY[:, y, x][:, None, :]).reshape(N, size, size, C)
            dX[:, y * stride : y * stride + size, x * stride : x * stride + size] += flow
    return dX[:, padding : padding + height, padding : padding + width]


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    tied = np.array([[0.0, 2.0, 2.0, 0.0], [2.0, 0.0, 0.0, 0.0], [2.0, 2.0, 0.0, 1.0]])
    relu_like = np.stack([tied, tied[::-1] - 1.0], axis=-1)[None]
    return [
        shared.pool_case(rng, "windows of 2 × 2 side by side", (2, 4, 6, 3), 2),
        shared.pool_case(rng, "overlapping windows, 3 × 3 every 2 pixels", (2, 7, 5, 3), 3, stride=2),
        shared.pool_case(rng, "they do not divide", (1, 5, 8, 2), 3),
        enlarged(shared.pool_case(rng, "windows with gaps between them", (2, 8, 5, 3), 2, stride=3), 0),
        # One large entry that wins every window that sees it, whatever the seed
        shared.pool_case(rng, "one entry wins four windows", (1, 4, 3, 2), 2, stride=1, change=with_peak),
        shared.pool_case(rng, "padding 1, all entries negative", (2, 5, 6, 2), 3, stride=2, padding=1, change=negative),
        shared.pool_case(rng, "padding 2, windows of 4 × 4", (1, 6, 5, 3), 4, stride=3, padding=2, change=negative),
        shared.pool_case(rng, "all entries negative", (3, 4, 4, 2), 2, change=negative),
        Case("ties", (relu_like, 2), {"stride": 1}, dout=rng.uniform(0.5, 2.0, (1, 2, 3, 2))),
        Case("ties everywhere", (np.ones((2, 4, 4, 1)), 2), dout=rng.uniform(0.5, 2.0, (2, 2, 2, 1))),
        shared.pool_case(rng, "one pixel, padding 1", (3, 1, 1, 2), 3, stride=1, padding=1, change=negative),
        in_float32(shared.pool_case(rng, "", (2, 6, 5, 2), 3, stride=2)),
        shared.pool_case(
            rng, "3 × 3 windows at every pixel, padding 1", (2, 4, 5, 2), 3, stride=1, padding=1, hidden=True
        ),
    ]


def with_peak(X):
    X = X.copy()
    X[:, 1, 1] = 100.0
    return X


def negative(X):
    return X - X.max() - 1.0


# --- mistakes -------------------------------------------------------------------------------------------------------

WON = "won = np.arange(size * size)[:, None] == winners[:, y, x][:, None, :]"
CROP = "dX[:, padding : padding + height, padding : padding + width]"

# The cache with the windows and their maxima; the backward then looks for ties itself
TIES = (
    "(X.shape, winners,",
    "(X.shape, (padded, Y),",
    "winners, size, stride, padding = cache",
    "(padded, Y), size, stride, padding = cache",
    WON,
    f"window = padded{shared.WINDOW}.reshape(N, size * size, C)\n            won = window == Y[:, y, x][:, None, :]",
)

FIXED, *OTHER_FIXED = shared.fixed_paddings(
    shared.DEFAULT_STRIDE, f"padding = {{}}\n    {shared.DEFAULT_STRIDE}", "size"
)


def assigned_by_place_in_window(dY, cache):
    (N, height, width, C), winners, size, stride, padding = cache
    dX = np.zeros((N, height + 2 * padding, width + 2 * padding, C))
    rows, columns = (stride * (n - 1) + 1 for n in dY.shape[1:3])
    for k, (i, j) in enumerate(np.ndindex(size, size)):
        dX[:, i : i + rows : stride, j : j + columns : stride] = (winners == k) * dY
    return dX[:, padding : padding + height, padding : padding + width]


MISTAKES = [
    Mistake("stride_omitted", slip(shared.WINDOW, shared.WINDOW_WITHOUT_STRIDE, everywhere=True), shared.STRIDE),
    Mistake("stride_ignored", slip(shared.DEFAULT_STRIDE, "stride = 1"), shared.STRIDE_IGNORED),
    Mistake("stride_default_one", slip("size if stride is None", "1 if stride is None"), shared.DEFAULT),
    Mistake("padding_hard_coded", FIXED, shared.PADDING, also=OTHER_FIXED),
    Mistake("padded_with_zeros", slip("constant_values=-np.inf", "constant_values=0"),
        "Zeros around the image win wherever all pixels are negative. What number never wins?"),
    Mistake("zero_to_begin_with",
        slip("window.argmax(axis=1)", "np.where(window.max(axis=1) > 0, window.argmax(axis=1), -1)",
             "Y[:, y, x] = window.max(axis=1)", "Y[:, y, x] = np.maximum(window.max(axis=1), 0)"),
        "Where all of a window is negative, you return 0. With what does your maximum begin?"),
    Mistake("partial_windows",
        slip("conv_output_size(height, size, stride, padding)", "-(-(height + 2 * padding - size) // stride) + 1",
             "conv_output_size(width, size, stride, padding)", "-(-(width + 2 * padding - size) // stride) + 1",
             "sides = (padding, padding)", "sides = (padding, padding + size)"),
        shared.PARTIAL, convention=True),
    Mistake("square_image", slip("conv_output_size(width", "conv_output_size(height"), shared.SQUARE),
    Mistake("height_width_swapped", slip(*shared.ROWS_AND_COLUMNS_SWAPPED, everywhere=True), shared.ROWS_FOR_COLUMNS),
    Mistake("mean_for_max", slip("window.max(axis=1)", "window.mean(axis=1)"),
        "This is the mean of each window, not the largest entry."),
    Mistake("largest_magnitude",
        slip("Y[:, y, x] = window.max(axis=1)",
             "largest = np.abs(window).argmax(axis=1)[:, None]\n"
             "            Y[:, y, x] = np.take_along_axis(window, largest, axis=1)[:, 0]"),
        "−5 is not larger than 3: the maximum, without absolute values."),
    Mistake("over_channels", slip("window.max(axis=1)", "window.max(axis=(1, 2))[:, None]"),
        "The channels are pooled with one another. Each has its own maximum."),
    Mistake("pool_overlap_assigned", slip("+= flow", "= flow"),
        shared.OVERLAP,
        also=[slip(f"dX{shared.WINDOW} += flow",
                   f"target = dX{shared.WINDOW}\n            target[flow != 0] = flow[flow != 0]"),
              slip(*TIES, "+= flow", "= flow"),
              (maxpool2d_forward, assigned_by_place_in_window)]),
    Mistake("pool_tie_duplicated", slip(*TIES),
        "At a tie you send the whole flow to every tied pixel, so more comes back than was sent. Here the first of "
        "them, row by row, takes it all."),
    Mistake("tie_shared", slip(*TIES, "(won * dY", "(won / won.sum(axis=1, keepdims=True) * dY"),
        "At a tie you share the flow. That is right as well, but here the first of the tied pixels, row by row, takes "
        "it all, as in PyTorch.", convention=True),
    Mistake("tie_to_the_last", slip("window.argmax(axis=1)", "size * size - 1 - window[:, ::-1].argmax(axis=1)"),
        "At a tie you choose the last pixel. Here it is the first, row by row.", convention=True),
    Mistake("tie_by_columns",
        slip("window.reshape(N, size * size, C)", "window.swapaxes(1, 2).reshape(N, size * size, C)",
             "reshape(N, size, size, C)", "reshape(N, size, size, C).swapaxes(1, 2)"),
        "At a tie you go through the window column by column. Here it is row by row.", convention=True),
    Mistake("flow_to_all", slip(WON, "won = np.ones((N, size * size, C))"),
        "All pixels of the window get the flow. If a pixel that did not win changes a little, the output stays the "
        "same: what is its gradient?"),
    Mistake("flow_shared_by_all", slip(WON, "won = np.ones((N, size * size, C)) / size**2"),
        "That is the gradient of *average* pooling: here only the winner gets something."),
    Mistake("upstream_missing", slip("(won * dY[:, y, x][:, None, :])", "won"),
        "You mark the winners, but dY is not in the answer."),
    Mistake("value_for_gradient",
        slip("(X.shape, winners,", "(X.shape, (winners, Y),",
             "winners, size, stride, padding = cache", "(winners, Y), size, stride, padding = cache",
             "won * dY", "won * Y"),
        "The winners get their value. What goes back to them is dY."),
    Mistake("padding_not_removed", slip(CROP, "dX"), shared.NOT_REMOVED),
    Mistake("cropped_from_corner", slip(CROP, "dX[:, :height, :width]"), shared.CORNER),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def loop_forward(X, size, stride=None, padding=0):
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


def loop_backward(dY, cache):
    shape, from_where = cache
    dX = np.zeros(shape)
    for place, best in from_where.items():
        dX[best] += dY[place]
    return dX


def places_forward(X, size, stride=None, padding=0):
    """One strided view for each place in the window, stacked."""
    s, p = stride or size, padding
    padded = np.pad(X, ((0, 0), (p, p), (p, p), (0, 0)), constant_values=-np.inf)
    rows, columns = (n - size + 1 for n in padded.shape[1:3])
    views = np.stack([padded[:, i : i + rows : s, j : j + columns : s] for i, j in np.ndindex(size, size)])
    return views.max(axis=0), (views.argmax(axis=0), padded.shape, size, s, p)


def places_backward(dY, cache):
    first, shape, size, s, p = cache
    dX = np.zeros(shape)
    rows, columns = (n - size + 1 for n in shape[1:3])
    for k, (i, j) in enumerate(np.ndindex(size, size)):
        dX[:, i : i + rows : s, j : j + columns : s] += np.where(first == k, dY, 0.0)
    return dX[:, p : shape[1] - p, p : shape[2] - p]


EXERCISE = Exercise("convolution.maxpool2d", (convolution.maxpool2d_forward, convolution.maxpool2d_backward), cases,
    MISTAKES, variants=[(loop_forward, loop_backward), (places_forward, places_backward)],
    solution=(maxpool2d_forward, maxpool2d_backward), points=4,
    why="A gradient that goes to one place only, and to the same place several times: the two traps of every pooling "
        "layer.",
    hints=("Forward: the loops of the average pooling, over an image padded with −∞ (`np.pad` takes "
           "`constant_values`).",
           "Keep in the cache *where* each maximum stood: `argmax` of the window, flattened to k·k pixels, gives the "
           "first one at a tie.",
           "Backward: the same loops. Put each dY at its winner and add it to what is there already.",
           "At the very end cut the padding off again: rows p … p + H, columns p … p + W."))  # fmt: skip
