"""What a convolution layer costs: parameters and multiply-adds."""

import math

import numpy as np

from dlcourse.convolution import conv_output_size

from ...checks.exercise import Case, Exercise, Mistake, slip
from ._shared import PADDING, PADDING_ONCE, SQUARE, fixed_paddings

# --- solution -------------------------------------------------------------------------------------------------------


def conv2d_cost(C, K, kernel, height, width, stride=1, padding=0):
    """What a convolution layer costs.

    `k² C K + K` parameters, and `H′ W′ · k² C K` multiply-adds.

    Parameters
    ----------
    C, K : channels of the input and of the output.
    kernel : k, height and width of the kernels.
    height, width : of the input image.
    stride, padding : s and p.

    Returns
    -------
    parameters : int, weights and biases.
    multiply_adds : int, for one image, in the products with the weights; the biases are
        left out, as the papers do.
    """
    weights = kernel * kernel * C * K
    out_h = conv_output_size(height, kernel, stride, padding)
    out_w = conv_output_size(width, kernel, stride, padding)
    return weights + K, out_h * out_w * weights


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    return [
        Case("3 × 3 from 2 to 5 channels", (2, 5, 3, 7, 6)),
        Case("stride 2, padding 1", (3, 4, 3, 8, 10), {"stride": 2, "padding": 1}),
        Case("AlexNet's first layer", (3, 64, 11, 224, 224), {"stride": 4, "padding": 2}),
        Case("kernels of one pixel", (6, 2, 1, 4, 3)),
        Case("VGG's second layer", (64, 64, 3, 224, 224), {"padding": 1}),
        Case("5 × 5, stride 3, padding 1", (4, 7, 5, 9, 11), {"stride": 3, "padding": 1}, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

ANY_PADDING, *OTHER_PADDINGS = fixed_paddings("stride, padding)", "stride, {})", "kernel")

MISTAKES = [
    Mistake("bias_forgotten", slip("weights + K", "weights"), "The biases are parameters, too."),
    Mistake("bias_per_input_channel", slip("weights + K", "weights + C"), "A bias belongs to each *output* channel."),
    Mistake("one_bias", slip("weights + K", "weights + 1"), "Each output channel has its own bias."),
    Mistake("bias_per_weight", slip("weights + K", "2 * weights"),
        "There is one bias for each output channel, not for each weight."),
    Mistake("stride_omitted", slip("stride, padding)", "1, padding)", everywhere=True),
        "The number of places does not shrink with the stride. `conv_output_size` takes it."),
    Mistake("padding_hard_coded", ANY_PADDING, PADDING, also=OTHER_PADDINGS),
    Mistake("padding_once",
        slip("conv_output_size(height, kernel, stride, padding)", "(height + padding - kernel) // stride + 1",
             "conv_output_size(width, kernel, stride, padding)", "(width + padding - kernel) // stride + 1"),
        PADDING_ONCE),
    Mistake("input_pixels", slip("out_h * out_w", "height * width"),
        "You count one product with the kernels for each pixel of the *input*. At how many places does the kernel "
        "stand?"),
    Mistake("square_image", slip("conv_output_size(width", "conv_output_size(height"), SQUARE),
    Mistake("kernel_one_sided", slip("kernel * kernel", "kernel"), "A kernel has k rows *and* k columns."),
    Mistake("input_channels_forgotten", slip("C * K", "K"),
        "A kernel looks at all C channels at once: it has a weight for each."),
    Mistake("channels_added", slip("C * K", "(C + K)"),
        "Every output channel is connected with every input channel: how many pairs are there?"),
    Mistake("biases_in_multiply_adds", slip("out_w * weights", "out_w * (weights + K)"),
        "You count the additions of the bias. As in the papers, they are left out of the multiply-adds."),
    Mistake("operations_doubled", slip("out_h * out_w", "2 * out_h * out_w"),
        "You count multiplications and additions separately. Here a multiplication with its addition counts once.",
        convention=True),
    Mistake("weights_not_shared", slip("return weights + K", "return out_h * out_w * (weights + K)"),
        "The kernel is the same at every place: its weights are parameters once, not H′W′ times. That is the point of "
        "a convolution."),
    Mistake("multiply_adds_per_place", slip("out_h * out_w * weights", "weights"),
        "That is the work at one place. The kernel stands at H′ · W′ of them."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def by_neuron(C, K, kernel, height, width, stride=1, padding=0):
    """Each output channel is a neuron with k·k·C inputs and a bias, asked at every place."""
    inputs = kernel**2 * C
    places = sum(
        1
        for y in range(-padding, height + padding - kernel + 1, stride)
        for x in range(-padding, width + padding - kernel + 1, stride)
    )
    return K * (inputs + 1), places * K * inputs


def by_shapes(C, K, kernel, height, width, stride=1, padding=0):
    W, b = np.empty((kernel, kernel, C, K)), np.empty(K)
    out = [math.floor((n + 2 * padding - kernel) / stride) + 1 for n in (height, width)]
    return np.int64(W.size + b.size), np.prod(out) * W.size


EXERCISE = Exercise("architectures.conv2d_cost", conv2d_cost, cases, MISTAKES, variants=[by_neuron, by_shapes],
    points=2,
    why="Few parameters, much work: two bills that the architectures of the 2010s split very differently.",
    hints=("One output channel at one place is a neuron with k·k·C inputs.",
           "K such neurons, the same at every place: that is all there is to learn.",
           "The work is that of K neurons, H′ · W′ times; your `conv_output_size` gives H′ and W′."))  # fmt: skip
