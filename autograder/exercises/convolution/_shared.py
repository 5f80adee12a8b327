"""What several exercises on convolution have in common: cases, texts of slips, and hints for the same mistake."""

import math

from dlcourse.convolution import conv_output_size

from ...checks.exercise import Case, slip

# --- cases ----------------------------------------------------------------------------------------------------------


def pool_case(rng, name, shape, size, hidden=False, change=lambda X: X, **kwargs):
    """A case of pooling; the entries of X are far apart, so that rounding decides no maximum."""
    X = rng.permutation(math.prod(shape)).reshape(shape) / 4 - math.prod(shape) / 9
    stride, padding = kwargs.get("stride", size), kwargs.get("padding", 0)
    out = [conv_output_size(n, size, stride, padding) for n in shape[1:3]]
    dout = rng.standard_normal((shape[0], *out, shape[3])) + 0.5
    return Case(name, (change(X), size), kwargs, dout=dout, hidden=hidden)


# --- slips ----------------------------------------------------------------------------------------------------------

# The window of a pooling layer in the shown solutions, and the window of a student who forgot the stride
WINDOW = "[:, y * stride : y * stride + size, x * stride : x * stride + size]"
WINDOW_WITHOUT_STRIDE = "[:, y : y + size, x : x + size]"

DEFAULT_STRIDE = "stride = size if stride is None else stride"

# Pairs that exchange rows and columns of the output, to be applied everywhere
ROWS_AND_COLUMNS_SWAPPED = (
    "(N, out_h, out_w, C)",
    "(N, out_w, out_h, C)",
    "[:, y, x]",
    "[:, x, y]",
    "for y in range(dY.shape[1]):\n        for x in range(dY.shape[2]):",
    "for y in range(dY.shape[2]):\n        for x in range(dY.shape[1]):",
)


def fixed_paddings(old, new, kernel):
    """Slips with paddings that fit one shape only: none, one, half of the kernel, what keeps the image's size.

    `new` has {} where the padding belongs.
    """
    paddings = ("0", "1", f"{kernel} // 2", f"({kernel} - 1) // 2")
    return [slip(old, new.format(padding), everywhere=True) for padding in paddings]


# --- hints ----------------------------------------------------------------------------------------------------------

STRIDE = "Window y begins at row y·s, not at row y: where does the stride come in when you cut the window out?"
STRIDE_IGNORED = "`stride` is never used: there is a window at every pixel."
DEFAULT = "Without a given stride, the stride is the window's size: windows side by side."
PADDING = "`padding` is an argument. Yours is fixed, so only one shape of the problem comes out right."
PADDING_ONCE = "The padding is added on *both* sides of the image."
PARTIAL = (
    "You keep windows that reach over the edge. Here a window counts only if it lies inside the (padded) image: the "
    "division is rounded down."
)
SQUARE = "Your output is as wide as it is high. Height and width are two numbers: count the windows along each."
ROWS_FOR_COLUMNS = (
    "Rows and columns have changed places. The axes are example, row, column, channel (the notes' T has the width first, "
    "E26)."
)
OVERLAP = (
    "Where windows overlap, a pixel belongs to several of them. Each sends something back, and the shares add up; yours "
    "keeps the last one only."
)
NOT_REMOVED = "dX still has its padding. It must have the shape of X: cut off the gradient at the padding."
CORNER = "You cut the right size out of the padded dX, but at the wrong place: X began `padding` rows and columns further in."
MEAN = (
    "You divide by the number of images. If the loss is a mean, that factor is in dY already; the backward pass only adds "
    "up."
)
