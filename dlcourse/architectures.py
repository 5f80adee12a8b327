r"""Architectures: four networks that made history, layer by layer, with what each layer
costs.

Every function returns a table, a list of rows (kind, output_shape, parameters,
multiply_adds), one for each layer:

.. math::
    parameters = k² C K + K
    multiply-adds = H′ W′ · k² C K

for a convolution with k × k kernels from C to K channels and an output of H′ × W′
pixels, and DK + K against DK for a linear layer from D to K. The multiply-adds are
those of one image in convolutions and linear layers, as the papers count them;
bias, activation, pooling and normalisation are left out.

- `alexnet` (2012): five convolutions, three linear layers, ReLU and dropout;
  61,100,840 parameters.
- `vgg` (2014): only 3 × 3 convolutions, deeper; 138,357,544 parameters with
  16 layers.
- `inception_v1` (GoogLeNet, 2014): branches side by side, no large linear layer;
  6,998,552 parameters.
- `resnet` (2015): shortcuts around every two or three convolutions; 21,797,672
  parameters with 34 layers.

`width` and `input_size` make a small version of each, and `build` a network to
train from its table.
"""

import math
from typing import NamedTuple

from ._checks import check_integer, check_rng
from .convolution import conv_output_size

__all__ = [
    "Layer",
    "Table",
    "alexnet",
    "build",
    "inception_v1",
    "resnet",
    "vgg",
]


def __dir__():
    return __all__


class Layer(NamedTuple):
    """One row of a table: the kind of layer, its output's shape for one image, and its
    cost.
    """

    kind: str
    output_shape: tuple
    parameters: int
    multiply_adds: int


class Table(list):
    """A list of `Layer` rows; `layers` holds the same network in the words of
    `training.Network`, row for row.
    """

    def __init__(self, layers, input_shape):
        self.layers, self.input_shape = layers, input_shape
        super().__init__(_rows(layers, input_shape))


def alexnet(width=64, input_size=224, classes=1000, channels=3):
    """AlexNet, the single tower: 61,100,840 parameters.

    Parameters
    ----------
    width : channels of the first convolution; all others scale with it.
    input_size : height and width of the image, at least 63.
    classes : outputs.
    channels : of the image.

    Returns
    -------
    list of `Layer` rows.

    Raises
    ------
    ValueError : the image is too small for the network, or a size is below 1.

    Notes
    -----
    The network of 2012 ran on two graphics cards, with 96, 256, 384, 384 and 256
    channels and connections between the halves in some layers only. This is the later
    variant in one tower with 64, 192, 384, 256 and 256 channels, the one that
    torchvision has; it has no local response normalisation (which has no parameters).
    Sources: Krizhevsky, Sutskever, Hinton, ImageNet classification with deep
    convolutional neural networks (2012), section 3; Krizhevsky, One weird trick for
    parallelizing convolutional neural networks (2014).

    Examples
    --------
    >>> sum(row.parameters for row in alexnet())
    61100840
    """
    c1, c2, c3, c4, hidden = _scaled(width, 64, 192, 384, 256, 4096)
    image = *_, channels = _image(input_size, channels)
    layers = [("conv2d", channels, c1, 11, {"stride": 4, "padding": 2}), ("relu",), ("maxpool2d", 3, {"stride": 2})]
    layers += [*_conv(c1, c2, 5), ("relu",), ("maxpool2d", 3, {"stride": 2})]
    layers += [*_conv(c2, c3, 3), ("relu",), *_conv(c3, c4, 3), ("relu",), *_conv(c4, c4, 3), ("relu",)]
    layers += [("maxpool2d", 3, {"stride": 2}), ("flatten",)]
    (D,) = _rows(layers, image)[-1].output_shape
    layers += [("dropout", 0.5), ("linear", D, hidden), ("relu",)]
    layers += [("dropout", 0.5), ("linear", hidden, hidden), ("relu",)]
    return Table([*layers, ("linear", hidden, check_integer("classes", classes))], image)


_VGG = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


def vgg(depth=16, width=64, input_size=224, classes=1000, channels=3):
    """VGG: 3 × 3 convolutions only, the image halved and the channels doubled from stage
    to stage.

    Parameters
    ----------
    depth : layers with weights, 11, 13, 16 or 19 (the paper's configurations A, B, D
        and E).
    width : channels of the first stage; all others scale with it.
    input_size : height and width of the image, at least 32.
    classes, channels : as for `alexnet`.

    Returns
    -------
    list of `Layer` rows; with 16 layers 138,357,544 parameters, nine tenths of them in
    the three linear layers.

    Raises
    ------
    ValueError : the depth is unknown, the image is too small for the network, or a size
        is below 1.

    Notes
    -----
    Two 3 × 3 convolutions see as far as one of 5 × 5, with fewer parameters and one
    more nonlinearity.
    Source: Simonyan, Zisserman, Very deep convolutional networks for large-scale image
    recognition (2015), table 1.

    Examples
    --------
    >>> sum(row.parameters for row in vgg(16))
    138357544
    """
    stages = _of_depth(depth, _VGG)
    *widths, hidden = _scaled(width, 64, 128, 256, 512, 512, 4096)
    image = *_, C = _image(input_size, channels)
    layers = []
    for convolutions, K in zip(stages, widths, strict=True):
        for _ in range(convolutions):
            layers += [*_conv(C, K, 3), ("relu",)]
            C = K
        layers += [("maxpool2d", 2)]
    layers += [("flatten",)]
    (D,) = _rows(layers, image)[-1].output_shape
    layers += [("linear", D, hidden), ("relu",), ("dropout", 0.5)]
    layers += [("linear", hidden, hidden), ("relu",), ("dropout", 0.5)]
    return Table([*layers, ("linear", hidden, check_integer("classes", classes))], image)


_RESNET = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def resnet(depth=34, width=64, input_size=224, classes=1000, channels=3):
    """ResNet: blocks of which each adds to its input what its convolutions compute.

    Parameters
    ----------
    depth : layers with weights (those of the shortcuts not counted), 18, 34, 50, 101 or
        152.
    width : channels of the first stage; all others scale with it.
    input_size : height and width of the image; any size that is left with a pixel.
    classes, channels : as for `alexnet`.

    Returns
    -------
    list of `Layer` rows, one for each block; with 34 layers 21,797,672 parameters.

    Raises
    ------
    ValueError : the depth is unknown, or a size is below 1.

    Notes
    -----
    A row "residual" is a block up to the addition; the ReLU behind it is the next row.
    A block is two 3 × 3 convolutions, from depth 50 on a bottleneck of 1 × 1, 3 × 3 and
    1 × 1 to four times the channels. Every convolution is without bias and followed by
    batch normalisation, whose γ and β are counted. Where the size changes, the shortcut
    is a 1 × 1 convolution with the same stride (the paper's option B). The bottleneck's
    stride is in its first convolution, as in the paper; torchvision moved it to the
    second, which leaves the parameters as they are and costs more multiply-adds. The
    max pooling has a padding of 1.
    Source: He, Zhang, Ren, Sun, Deep residual learning for image recognition (2016),
    table 1 and figure 5.

    Examples
    --------
    >>> sum(row.parameters for row in resnet(34))
    21797672
    """
    blocks = _of_depth(depth, _RESNET)
    C, *widths = _scaled(width, 64, 64, 128, 256, 512)
    image = *_, channels = _image(input_size, channels)
    layers = [*_conv_norm(channels, C, 7, stride=2), ("relu",), ("maxpool2d", 3, {"stride": 2, "padding": 1})]
    for stage, (count, F) in enumerate(zip(blocks, widths, strict=True)):
        for block in range(count):
            stride = 2 if stage > 0 and block == 0 else 1
            if depth < 50:
                K = F
                branch = [*_conv_norm(C, F, 3, stride), ("relu",), *_conv_norm(F, K, 3)]
            else:
                K = 4 * F
                branch = [*_conv_norm(C, F, 1, stride), ("relu",), *_conv_norm(F, F, 3), ("relu",)]
                branch += _conv_norm(F, K, 1)
            shortcut = _conv_norm(C, K, 1, stride) if stride > 1 or C != K else []
            layers += [("residual", branch, shortcut), ("relu",)]
            C = K
    layers += [("global_avgpool",), ("linear", C, check_integer("classes", classes))]
    return Table(layers, image)


# Table 1 of the paper: channels of 1×1; 3×3 reduce, 3×3; 5×5 reduce, 5×5; pool proj. None is a pooling
_INCEPTION = (
    (64, 96, 128, 16, 32, 32),
    (128, 128, 192, 32, 96, 64),
    None,
    (192, 96, 208, 16, 48, 64),
    (160, 112, 224, 24, 64, 64),
    (128, 128, 256, 24, 64, 64),
    (112, 144, 288, 32, 64, 64),
    (256, 160, 320, 32, 128, 128),
    None,
    (256, 160, 320, 32, 128, 128),
    (384, 192, 384, 48, 128, 128),
)


def inception_v1(width=64, input_size=224, classes=1000, channels=3):
    """GoogLeNet (Inception v1) without its two auxiliary heads: 6,998,552 parameters.

    Parameters
    ----------
    width : channels of the first convolution; all others scale with it.
    input_size : height and width of the image; any size that is left with a pixel.
    classes, channels : as for `alexnet`.

    Returns
    -------
    list of `Layer` rows, one for each inception block.

    Raises
    ------
    ValueError : a size is below 1.

    Notes
    -----
    The variant is the paper's: kernels of 5 × 5 in the third branch, 6,990,272 weights
    and 8,280 biases, no batch normalisation; Caffe's bvlc_googlenet has the same count.
    torchvision's has 6,624,904: batch normalisation in the place of the biases, and 3 ×
    3 kernels where the paper has 5 × 5. Local response normalisation, which has no
    parameters, is left out. The paper's pooling halves 112, 56, 28 and 14 exactly,
    Caffe's by rounding up; here by a padding of 1: the same sizes, with windows that
    begin one pixel earlier. Notes 004 call GoogLeNet with residual connections
    Inception v2; that is Inception-ResNet (E40).
    Source: Szegedy et al., Going deeper with convolutions (2015), table 1.

    Examples
    --------
    >>> sum(row.parameters for row in inception_v1())
    6998552
    """
    C, K = _scaled(width, 64, 192)
    image = *_, channels = _image(input_size, channels)
    pool = ("maxpool2d", 3, {"stride": 2, "padding": 1})
    layers = [("conv2d", channels, C, 7, {"stride": 2, "padding": 3}), ("relu",), pool]
    layers += [*_conv(C, C, 1), ("relu",), *_conv(C, K, 3), ("relu",), pool]
    for block in _INCEPTION:
        if block is None:
            layers.append(pool)
        else:
            c1, c3r, c3, c5r, c5, cp = _scaled(width, *block)
            layers.append(("inception_block", K, c1, c3r, c3, c5r, c5, cp))
            K = c1 + c3 + c5 + cp
    layers += [("global_avgpool",), ("dropout", 0.4), ("linear", K, check_integer("classes", classes))]
    return Table(layers, image)


def build(table, rng, dtype="float64"):
    """A network to train, with the layers of a table and as many parameters.

    Parameters
    ----------
    table : what `alexnet`, `vgg`, `resnet` or `inception_v1` returned; take a small
        one.
    rng : numpy.random.Generator or seed, draws the weights.
    dtype : "float64" or "float32".

    Returns
    -------
    `training.Network`; its input is (N, H, W, C), its output the logits (N, classes).

    Examples
    --------
    >>> net = build(
    ...     vgg(11, width=2, input_size=32, classes=10), np.random.default_rng(0)
    ... )
    >>> net.forward(np.zeros((1, 32, 32, 3))).shape
    (1, 10)
    """
    from .networks.network import Network  # not at the top: a table needs none of what a network imports

    if not isinstance(table, Table):
        raise TypeError(
            f"table: expected what alexnet, vgg, resnet or inception_v1 returned, got {type(table).__name__}"
        )
    return Network(table.layers, check_rng(rng), dtype=dtype)


def _image(input_size, channels):
    size = check_integer("input_size", input_size)
    return size, size, check_integer("channels", channels)


def _scaled(width, *channels):
    """The published numbers of channels, scaled so that 64 becomes `width`."""
    width = check_integer("width", width)
    return [max(1, round(n * width / 64)) for n in channels]


def _of_depth(depth, choices):
    if check_integer("depth", depth) not in choices:
        raise ValueError(f"depth: expected one of {', '.join(map(str, choices))}; got {depth}")
    return choices[depth]


def _conv(C, K, kernel):
    """A convolution that keeps the image's size."""
    return [("conv2d", C, K, kernel, {"padding": kernel // 2})]


def _conv_norm(C, K, kernel, stride=1):
    """A convolution without bias, since the β of the batch normalisation behind it is one."""
    return [("conv2d", C, K, kernel, {"stride": stride, "padding": kernel // 2, "bias": False}), ("batchnorm", K)]


# ── counting: for each kind of layer (output shape, parameters, multiply-adds) from the input's shape and the sizes ────


def _rows(layers, shape):
    """The table's rows for an input of the given shape."""
    rows, input_shape = [], shape
    for name, *sizes in layers:
        options = sizes.pop() if sizes and isinstance(sizes[-1], dict) else {}
        try:
            row = Layer(name, *_COUNTS.get(name, _count_elementwise)(shape, *sizes, **options))
        except ValueError:
            raise ValueError(
                f"input_size: expected an image large enough for the windows of all layers, got {input_shape[0]}: "
                f"{name} {len(rows) + 1} gets {shape[0]} × {shape[1]} pixels"
            ) from None
        rows.append(row)
        shape = row.output_shape
    return rows


def _count_elementwise(shape, *_, **__):
    return shape, 0, 0


def _count_conv2d(shape, C, K, kernel, stride=1, padding=0, bias=True):
    height, width = (conv_output_size(n, kernel, stride, padding) for n in shape[:2])
    weights = kernel * kernel * C * K
    return (height, width, K), weights + K * bias, height * width * weights


def _count_maxpool2d(shape, size, stride=None, padding=0):
    height, width = (conv_output_size(n, size, stride or size, padding) for n in shape[:2])
    return (height, width, shape[2]), 0, 0


def _count_linear(shape, D, K):
    return (K,), D * K + K, D * K


def _count_batchnorm(shape, K):
    return shape, 2 * K, 0


def _count_flatten(shape):
    return (math.prod(shape),), 0, 0


def _count_global_avgpool(shape):
    return shape[2:], 0, 0


def _count_residual(shape, branch, shortcut):
    rows = _rows(branch, shape)
    both = rows + _rows(shortcut, shape)
    return rows[-1].output_shape, sum(row.parameters for row in both), sum(row.multiply_adds for row in both)


def _count_inception_block(shape, C, c1, c3r, c3, c5r, c5, cp):
    weights = C * (c1 + c3r + c5r + cp) + 9 * c3r * c3 + 25 * c5r * c5
    height, width, _ = shape
    return (height, width, c1 + c3 + c5 + cp), weights + c1 + c3r + c3 + c5r + c5 + cp, height * width * weights


_COUNTS = {
    "conv2d": _count_conv2d,
    "maxpool2d": _count_maxpool2d,
    "linear": _count_linear,
    "batchnorm": _count_batchnorm,
    "flatten": _count_flatten,
    "global_avgpool": _count_global_avgpool,
    "residual": _count_residual,
    "inception_block": _count_inception_block,
}
