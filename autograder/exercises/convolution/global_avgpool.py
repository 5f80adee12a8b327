"""Global average pooling: one number for each channel of each image."""

import numpy as np

from dlcourse import convolution

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip

# --- solution -------------------------------------------------------------------------------------------------------


def global_avgpool_forward(X):
    return X.mean(axis=(1, 2)), X.shape


def global_avgpool_backward(dY, cache):
    height, width = cache[1:3]
    return np.ones(cache) * dY[:, None, None, :] / (height * width)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, *shape, hidden=False):
        X = rng.standard_normal(shape) + 0.5
        return Case(name, (X,), dout=rng.standard_normal((shape[0], shape[3])) + 0.5, hidden=hidden)

    return [
        case("two images of 3 × 4 pixels, five channels", 2, 3, 4, 5),
        case("one image", 1, 4, 3, 2),
        case("everything three", 3, 3, 3, 3),
        enlarged(case("one pixel", 4, 1, 1, 3), 0),
        in_float32(case("", 3, 5, 2, 4)),
        case("one channel", 2, 3, 5, 1, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("share_missing", slip(" / (height * width)", ""),
        "Every pixel gets the whole flow. With which weight did each enter the mean?"),
    Mistake("share_of_the_height", slip("(height * width)", "height"),
        "You divide by the height alone. Over how many pixels did the mean run?"),
    Mistake("axes_kept", slip("axis=(1, 2)", "axis=(1, 2), keepdims=True"),
        "[The numbers are right.] The shape is (N, 1, 1, C): the averaged axes should be gone."),
    Mistake("channels_first", slip("axis=(1, 2)", "axis=(2, 3)"),
        "You average over the last two axes, as in libraries with (N, C, H, W). Here the channel is last.",
        convention=True),
    Mistake("batch_averaged", slip("axis=(1, 2)", "axis=(0, 1, 2)"),
        "The images are averaged with one another. Each keeps its own C numbers."),
    Mistake("height_only", slip("axis=(1, 2)", "axis=1"),
        "You average over the rows alone; the columns are still there."),
    Mistake("width_only", slip("axis=(1, 2)", "axis=2"),
        "You average over the columns alone; the rows are still there."),
    Mistake("batch_for_width", slip("axis=(1, 2)", "axis=(0, 1)"),
        "Axis 0 is the examples. The image's axes are 1 and 2."),
    Mistake("sum_for_mean", slip("X.mean", "X.sum", " / (height * width)", ""),
        "A sum over the pixels where the mean is asked."),
    Mistake("max_for_mean", slip("X.mean", "X.max"), "This is the largest entry, not the mean."),
    Mistake("divided_by_height",
        slip("X.mean(axis=(1, 2))", "X.sum(axis=(1, 2)) / X.shape[1]", "(height * width)", "height"),
        "You divide by the height alone. How many pixels are there?"),
    Mistake("share_of_the_batch", slip("(height * width)", "(len(dY) * height * width)"),
        "The mean runs over the pixels of one image; you also divide by the number of images."),
    Mistake("shape_of_output", slip("np.ones(cache) * dY[:, None, None, :]", "dY"),
        "dX must have the shape of X: spread each number over all pixels of its image. The cache may remember the "
        "shape."),
    Mistake("one_pixel_only",
        slip("return np.ones(cache) * dY[:, None, None, :] / (height * width)",
             "dX = np.zeros(cache)\n    dX[:, 0, 0] = dY\n    return dX"),
        "One pixel gets all. In a mean every pixel has the same share."),
    Mistake("spread_over_batch", slip("dY[:, None, None, :]", "dY.mean(axis=0)"),
        "The flows of different images are mixed. What comes for an image goes to that image."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def flat_forward(X):
    N, height, width, C = X.shape
    return X.reshape(N, height * width, C).mean(axis=1), X.shape


def flat_backward(dY, shape):
    height, width = shape[1:3]
    return np.repeat(dY / height / width, height * width, axis=0).reshape(shape)


def loop_forward(X):
    N, height, width, C = X.shape
    pixels = height * width
    return [[float(X[n, :, :, c].sum()) / pixels for c in range(C)] for n in range(N)], (height, width)


def loop_backward(dY, cache):
    height, width = cache
    return [[[dy / (height * width) for _ in range(width)] for _ in range(height)] for dy in dY]


EXERCISE = Exercise("convolution.global_avgpool",
    (convolution.global_avgpool_forward, convolution.global_avgpool_backward), cases, MISTAKES,
    variants=[(flat_forward, flat_backward), (loop_forward, loop_backward)],
    solution=(global_avgpool_forward, global_avgpool_backward), points=2,
    why="It took the place of AlexNet's largest layers, and has not a single parameter.",
    hints=("Forward: a mean over axes 1 and 2.",
           "Backward: each of the H·W pixels entered with weight 1/(HW); the cache only needs the shape of X.",
           "`dY[:, None, None, :]` has the two missing axes; broadcasting does the rest."))  # fmt: skip
