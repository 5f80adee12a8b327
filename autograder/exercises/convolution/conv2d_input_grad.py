"""The gradient of a convolution at its input, as a convolution with the kernel turned round."""

import numpy as np

from dlcourse.convolution import conv2d_forward

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import fixed_paddings

# --- solution -------------------------------------------------------------------------------------------------------


def conv2d_input_grad(dY, W, padding=0):
    """The gradient of a convolution with stride 1 with respect to its images, by one
    convolution.

    Parameters
    ----------
    dY : (N, H′, W′, K) array, the gradient with respect to the output.
    W : (kh, kw, C, K) array, the kernels.
    padding : p, the zeros on every side in the forward pass; less than kh and kw.

    Returns
    -------
    dX : (N, H, W, C) array, H = H′ + kh − 1 − 2p and W = W′ + kw − 1 − 2p.
    """
    kh, kw, C, _ = W.shape
    rows, columns = kh - 1 - padding, kw - 1 - padding
    padded = np.pad(dY, ((0, 0), (rows, rows), (columns, columns), (0, 0)))
    turned = W[::-1, ::-1].swapaxes(2, 3)
    dX, _ = conv2d_forward(padded, turned, np.zeros(C, dtype=dY.dtype))
    return dX


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, gradient, kernel, hidden=False, **kwargs):
        """gradient (N, H′, W′), kernel (kh, kw, C, K)."""
        dY = rng.standard_normal((*gradient, kernel[-1])) + 0.5
        return Case(name, (dY, rng.standard_normal(kernel)), kwargs, hidden=hidden)

    return [
        case("kernels of 3 × 2", (2, 4, 5), (3, 2, 4, 3)),
        case("3 × 3, padding 1", (2, 5, 4), (3, 3, 2, 3), padding=1),
        case("4 × 3, padding 2", (1, 6, 4), (4, 3, 3, 2), padding=2),
        enlarged(case("kernels of one pixel", (2, 3, 4), (1, 1, 2, 3)), 0),
        case("one output pixel", (3, 1, 1), (3, 4, 2, 5)),
        case("everything three, padding 1", (3, 3, 3), (3, 3, 3, 3), padding=1),
        case("from one channel to one", (2, 3, 1), (2, 3, 1, 1)),
        in_float32(case("", (2, 4, 3), (3, 3, 4, 2), padding=1)),
        case("5 × 3, padding 2", (2, 7, 5), (5, 3, 2, 3), padding=2, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

TURNED = "W[::-1, ::-1].swapaxes(2, 3)"
SIZES = "kh, kw, C, _ = W.shape\n"
FIXED, *OTHER_FIXED = fixed_paddings(SIZES, SIZES + "    padding = {}\n", "kh")

MISTAKES = [
    Mistake("kernel_not_turned", slip(TURNED, "W.swapaxes(2, 3)"),
        "The kernel is laid on dY as it was on X. Pixel x took entry i of the kernel for output x − i: seen from the "
        "pixel, the entries lie in the other order.", convention=True),
    Mistake("turned_in_one_direction", slip(TURNED, "W[::-1].swapaxes(2, 3)"),
        "The kernel is turned in one direction only. Rows *and* columns change their order.",
        also=[slip(TURNED, "W[:, ::-1].swapaxes(2, 3)")]),
    Mistake("kernel_transposed",
        slip(TURNED, "W.transpose(1, 0, 3, 2)",
             "(rows, rows), (columns, columns)", "(columns, columns), (rows, rows)"),
        "You exchange the kernel's rows and columns. Turned by half a turn, each row stays a row: the order changes, "
        "within the rows and of the rows."),
    Mistake("all_axes_turned", slip(TURNED, "W[::-1, ::-1, ::-1, ::-1].swapaxes(2, 3)"),
        "The channels are in reverse, too. Only the places in the kernel change their order; the channels exchange "
        "their roles."),
    Mistake("channels_not_exchanged", slip(TURNED, "W[::-1, ::-1]", "np.zeros(C,", "np.zeros(W.shape[3],"),
        "Backwards the K output channels come in and the C input channels go out: two axes of W exchange their "
        "places."),
    Mistake("channels_reshaped", slip(".swapaxes(2, 3)", ".reshape(kh, kw, -1, C)"),
        "`reshape` puts the same numbers into another shape, in their old order. Exchanging two axes is a "
        "transposition."),
    Mistake("padding_of_the_forward",
        slip("rows, columns = kh - 1 - padding, kw - 1 - padding", "rows = columns = padding"),
        "dY is padded as X was. How many places does a kernel have that reach the first pixel of X? dX must come out "
        "with the size of X.", also=[slip("kh - 1 - padding, kw - 1 - padding", "kh - 1 + padding, kw - 1 + padding")]),
    Mistake("padding_ignored", slip(SIZES, SIZES + "    padding = 0\n"),
        "dX still has its padding. Each zero at the edge of the forward pass is one less here."),
    Mistake("padding_fixed", OTHER_FIXED[0],
        "`padding` is an argument. Yours is fixed, so only one shape comes out right.",
        also=OTHER_FIXED[1:]),
    Mistake("half_padding", slip("kh - 1 - padding, kw - 1 - padding", "kh // 2, kw // 2"),
        "That keeps the size of dY. dX has the size of X, which depends on the padding of the forward pass."),
    Mistake("square_kernel", slip("kw - 1 - padding", "kh - 1 - padding"),
        "Rows and columns get the same padding. A kernel need not be square: kh − 1 and kw − 1 differ."),
    Mistake("padding_on_one_side", slip("(rows, rows), (columns, columns)", "(0, 2 * rows), (0, 2 * columns)"),
        "All of the padding is below and on the right. It belongs on every side."),
    Mistake("edges_repeated", slip("(0, 0)))\n", '(0, 0)), mode="edge")\n'),
        "Around dY stand zeros: beyond its edge there is no output that could send anything back."),
    Mistake("mean_for_sum", slip("return dX", "return dX / len(dY)"),
        "You divide by the number of images. If the loss is a mean, that factor is in dY already."),
    Mistake("mean_over_window", slip("return dX", "return dX / (kh * kw)"),
        "You take the mean over the kernel's places. What comes back from them adds up."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def scattered(dY, W, padding=0):
    """Each output sends its share to its window; the padding is cut off."""
    kh, kw, C, _ = W.shape
    N, out_h, out_w, _ = dY.shape
    dX = np.zeros((N, out_h + kh - 1, out_w + kw - 1, C))
    for y, x in np.ndindex(out_h, out_w):
        dX[:, y : y + kh, x : x + kw] += np.einsum("nk,ijck->nijc", dY[:, y, x], W)
    height, width = dX.shape[1] - padding, dX.shape[2] - padding
    return dX[:, padding:height, padding:width]


def gathered(dY, W, padding=0):
    """Each pixel asks every entry of the kernel which output it went to."""
    kh, kw, C, _ = W.shape
    N, out_h, out_w, _ = dY.shape
    dX = np.empty((N, out_h + kh - 1 - 2 * padding, out_w + kw - 1 - 2 * padding, C))
    for y, x in np.ndindex(*dX.shape[1:3]):
        total = np.zeros((N, C))
        for i, j in np.ndindex(kh, kw):
            row, column = y + padding - i, x + padding - j
            if 0 <= row < out_h and 0 <= column < out_w:
                total += dY[:, row, column] @ W[i, j].T
        dX[:, y, x] = total
    return dX


EXERCISE = Exercise("convolution.conv2d_input_grad", conv2d_input_grad, cases, MISTAKES, variants=[scattered, gathered],
    points=0,
    why="The way back through a convolution is a convolution: that is how libraries compute it, and what a transposed "
        "convolution is.",
    hints=("Take one image row and a kernel of three: write down which outputs pixel x went to, and with which entry.",
           "The entries come in reverse order, in rows and columns, and C and K exchange their roles.",
           "Pixel 0 of the padded X is seen by output 0 alone, through entry 0: pad dY with k − 1 zeros on every side, "
           "less the p that X had."))  # fmt: skip
