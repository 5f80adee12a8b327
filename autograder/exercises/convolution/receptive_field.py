"""The receptive field: how much of the image one output pixel has seen."""

import math

import numpy as np

from dlcourse import convolution

from ...checks.exercise import Case, Exercise, Mistake, slip

# --- solution -------------------------------------------------------------------------------------------------------


def receptive_field(layers):
    r, j = 1, 1
    for kernel, stride in layers:
        r, j = r + (kernel - 1) * j, j * stride
    return r, j


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    drawn = [(int(k), int(s)) for k, s in zip(rng.integers(2, 8, 5), rng.integers(2, 4, 5), strict=True)]
    return [
        Case("one layer", ([(5, 2)],)),
        Case("two layers of 3 × 3", ([(3, 1), (3, 1)],)),
        Case("a stride in the middle", ([(3, 1), (2, 2), (5, 1)],)),
        Case("kernels of one pixel with a stride", ([(1, 3), (4, 1), (1, 1)],)),
        Case(
            "AlexNet's convolutions and poolings", ([(11, 4), (3, 2), (5, 1), (3, 2), (3, 1), (3, 1), (3, 1), (3, 2)],)
        ),
        Case("no layers: the image itself", ([],)),
        Case("five layers", (drawn,), hidden=True),
        Case("VGG's first stages", ([(3, 1), (3, 1), (2, 2), (3, 1), (3, 1), (2, 2)],), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

STEP = "r, j = r + (kernel - 1) * j, j * stride"

MISTAKES = [
    Mistake("stride_before_its_kernel", slip(STEP, "j *= stride\n        r += (kernel - 1) * j"),
        "A layer's stride says how far apart *its* outputs are: it counts for the layers above it, not for its "
        "kernel."),
    Mistake("strides_ignored", slip("(kernel - 1) * j", "(kernel - 1)"),
        "You add k − 1 for every layer. Behind a stride of 2 a step from pixel to pixel is two pixels of the input."),
    Mistake("kernel_for_kernel_minus_one", slip("(kernel - 1)", "kernel"),
        "A kernel of one pixel sees nothing new. By how many pixels does a window of k reach beyond one?"),
    Mistake("begins_at_zero", slip("r, j = 1, 1", "r, j = 0, 1"),
        "Without any layer a pixel sees itself: the field begins at one pixel."),
    Mistake("strides_added", slip("j * stride", "j + stride - 1"),
        "The distances multiply: two strides of 2 are four pixels of the input."),
    Mistake("only_own_stride", slip("j * stride", "stride"),
        "You take the stride of the layer just before. All strides below a layer count, multiplied."),
    Mistake("product_of_kernels", slip("r + (kernel - 1) * j", "r * kernel"),
        "You multiply the kernels. Neighbouring windows overlap: two layers of 3 × 3 see 5 pixels across, not 9."),
    Mistake("from_the_end", slip("in layers:", "in layers[::-1]:"),
        "You walk from the last layer to the first with the rule for the other way. The list begins at the input."),
    Mistake("last_layer_forgotten", slip("in layers:", "in layers[:-1]:"), "The last layer is left out."),
    Mistake("area", slip("return r, j", "return r * r, j"),
        "That is the number of pixels in the field. Asked for is its side."),
    Mistake("size_only", slip("return r, j", "return r"),
        "[The field is right.] Return two values: the field's side, and the distance j between the fields of two "
        "neighbours."),
    Mistake("values_swapped", slip("return r, j", "return j, r"),
        "The two values have changed their places: the field's side first, then the distance."),
    Mistake("kernel_and_stride_swapped", slip("for kernel, stride in", "for stride, kernel in"),
        "Each pair is (kernel, stride), in this order."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def backwards(layers):
    """From one output pixel down to the image: n neighbours are seen by (n − 1)·s + k pixels below."""
    n = 1
    for kernel, stride in reversed(layers):
        n = (n - 1) * stride + kernel
    return n, math.prod(stride for _, stride in layers)


def by_products(layers):
    kernels, strides = [k for k, _ in layers], [s for _, s in layers]
    below = np.cumprod([1, *strides])
    return 1 + sum((k - 1) * j for k, j in zip(kernels, below[:-1], strict=True)), below[-1]


EXERCISE = Exercise("convolution.receptive_field", convolution.receptive_field, cases, MISTAKES,
    variants=[backwards, by_products], solution=receptive_field, points=0,
    why="What an output has not seen it cannot know: count before you train.",
    hints=("Take strides of 1 first: by how much does one more layer of 3 × 3 widen the field?",
           "Keep a second number, how many pixels of the input lie between two neighbours of the present layer.",
           "First widen the field with the present distance, then multiply the distance with the stride."))  # fmt: skip
