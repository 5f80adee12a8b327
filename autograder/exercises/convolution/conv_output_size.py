"""The output size of a convolution: how many places a window has along one axis."""

import math

import numpy as np

from dlcourse import convolution

from ...checks.exercise import Case, Exercise, Mistake, slip
from ._shared import PADDING, PADDING_ONCE, PARTIAL

# --- solution -------------------------------------------------------------------------------------------------------


def conv_output_size(n, kernel, stride=1, padding=0):
    return (n + 2 * padding - kernel) // stride + 1


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    return [
        Case("n = 7, k = 3", (7, 3)),
        Case("n = 8, k = 3, s = 2, p = 1: they do not divide", (8, 3), {"stride": 2, "padding": 1}),
        Case("AlexNet's first layer", (224, 11), {"stride": 4, "padding": 2}),
        Case("n = 10, k = 3, s = 4", (10, 3), {"stride": 4}),
        Case("the kernel as large as the image", (5, 5)),
        Case("n = 6, k = 2, p = 3", (6, 2), {"padding": 3}),
        Case("n = 9, k = 4, s = 3, p = 2", (9, 4), {"stride": 3, "padding": 2}, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("stride_omitted", slip("(n + 2 * padding - kernel) // stride", "n + 2 * padding - kernel"),
        "That is the number of windows one pixel apart. How many are left when you take only every s-th?"),
    Mistake("padding_hard_coded", slip("n + 2 * padding", "n"),
        PADDING, also=(slip("2 * padding", "2"), slip("2 * padding", "2 * ((kernel - 1) // 2)"))),
    Mistake("padding_once", slip("2 * padding", "padding"), PADDING_ONCE),
    Mistake("last_window_forgotten", slip(" + 1", ""),
        "One too few: a kernel as large as the image still has one place."),
    Mistake("one_inside_the_division", slip("- kernel) // stride + 1", "- kernel + 1) // stride"),
        "The first window takes no step: count it beside the steps, do not divide it with them."),
    Mistake("rounded_up", slip("(n + 2 * padding - kernel) // stride", "-((kernel - n - 2 * padding) // stride)"),
        PARTIAL, convention=True),
    Mistake("fraction", slip("//", "/"),
        "A number of windows is whole: what is left over at the edge is cut off (`//`)."),
    Mistake("size_kept", slip("(n + 2 * padding - kernel) // stride + 1", "-(-n // stride)"),
        "That is TensorFlow's “same”, which chooses the padding itself. Here the padding is given.", convention=True),
    Mistake("missing_brackets", slip("(n + 2 * padding - kernel)", "n + 2 * padding - kernel"),
        "`//` binds more tightly than + and −: brackets."),
    Mistake("kernel_added", slip("- kernel) // stride + 1", "+ kernel) // stride - 1"),
        "A larger kernel leaves *fewer* places, not more."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def counted(n, kernel, stride=1, padding=0):
    return len(range(0, n + 2 * padding - kernel + 1, stride))


def with_floor(n, kernel, stride=1, padding=0):
    return np.int64(math.floor((n - kernel + 2 * padding + stride) / stride))


def with_loop(n, kernel, stride=1, padding=0):
    windows, first = 0, -padding
    while first + kernel <= n + padding:
        windows += 1
        first += stride
    return windows


EXERCISE = Exercise("convolution.conv_output_size", convolution.conv_output_size, cases, MISTAKES,
    variants=[counted, with_floor, with_loop], solution=conv_output_size, points=1,
    why="Every shape error in a convolutional network is this line, not worked out.",
    hints=("Take s = 1 first: a kernel of length k in n + 2p pixels. What is the last pixel at which it may begin?",
           "With stride s, every s-th of those beginnings counts, including the first."))  # fmt: skip
