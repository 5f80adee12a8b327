r"""Convolution: the same small set of weights at every place of an image, and pooling,
which makes the image smaller.

Images are (N, H, W, C): example, row, column, channel (notes 003 have width before
height, E26). A convolution layer slides a kernel (kh, kw, C, K) over the image
padded with p zeros on every side, s pixels at a time; each of its K output channels
is a neuron that looks at kh·kw·C numbers:

.. math::
    Y_(n,y,x,k) = b_k + Σ_i Σ_j Σ_c X_(n, sy+i−p, sx+j−p, c) W_(i,j,c,k)

This is a cross-correlation: the kernel is not flipped, as in every deep-learning
library. Pooling takes the largest or the mean entry of each window, channel by
channel. Two compositions close the chapter: the residual block of ResNet
(convolutions learn what is to be added to the input) and the inception block of
GoogLeNet (four branches of different reach side by side).
"""

import math
from functools import reduce
from typing import Any, NamedTuple

from ._array import array_namespace, device, put, put_sum
from ._checks import check_gradient, check_integer, check_rng, check_shapes
from .activations import relu, relu_grad
from .initializers import he_normal, zeros

__all__ = [
    "AvgPoolCache",
    "Conv2dCache",
    "ConvReluCache",
    "GlobalAvgPoolCache",
    "InceptionCache",
    "MaxPoolCache",
    "ResidualCache",
    "avgpool2d_backward",
    "avgpool2d_forward",
    "conv2d_backward",
    "conv2d_forward",
    "conv_output_size",
    "global_avgpool_backward",
    "global_avgpool_forward",
    "inception_block_backward",
    "inception_block_forward",
    "inception_block_init",
    "maxpool2d_backward",
    "maxpool2d_forward",
    "receptive_field",
    "residual_block_backward",
    "residual_block_forward",
    "residual_block_init",
]


def __dir__():
    return __all__


class Conv2dCache(NamedTuple):
    """What the backward pass of a convolution needs."""

    X: Any
    W: Any
    stride: int
    padding: int
    output_shape: tuple


class MaxPoolCache(NamedTuple):
    """The padded input, the maxima, and the window."""

    X: Any
    Y: Any
    size: int
    stride: int
    padding: int


class AvgPoolCache(NamedTuple):
    """The input's and the output's shape, and the window."""

    input_shape: tuple
    output_shape: tuple
    size: int
    stride: int


class GlobalAvgPoolCache(NamedTuple):
    """The input's shape."""

    input_shape: tuple


class ConvReluCache(NamedTuple):
    """A convolution's cache and its output Z, the preactivation of the ReLU behind it."""

    conv: Conv2dCache
    Z: Any


class ResidualCache(NamedTuple):
    """The two convolutions, the sum S of shortcut and F(X), the preactivation of the last
    ReLU, and the shortcut's convolution (None: the shortcut is X).
    """

    first: ConvReluCache
    second: Conv2dCache
    S: Any
    shortcut: Conv2dCache | None


class InceptionCache(NamedTuple):
    """The six convolutions, the pooling, and the output's shape."""

    one: ConvReluCache
    three_reduce: ConvReluCache
    three: ConvReluCache
    five_reduce: ConvReluCache
    five: ConvReluCache
    pool: MaxPoolCache
    pool_project: ConvReluCache
    output_shape: tuple


def conv_output_size(n, kernel, stride=1, padding=0):
    """Length of a convolution's or a pooling's output along one axis.

    `⌊(n + 2p − k)/s⌋ + 1`.

    Parameters
    ----------
    n : length of the input, at least 1.
    kernel : k, length of the kernel or window.
    stride : s, pixels from one window to the next, at least 1.
    padding : p, pixels added on both sides.

    Returns
    -------
    int, the number of windows that lie fully inside the padded input.

    Raises
    ------
    ValueError : the kernel is longer than the padded input.

    Notes
    -----
    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning
    (2016), relationship 6.

    Examples
    --------
    >>> conv_output_size(224, kernel=11, stride=4, padding=2)
    55
    """
    n, kernel = check_integer("n", n), check_integer("kernel", kernel)
    stride, padding = check_integer("stride", stride), check_integer("padding", padding, minimum=0)
    return _output_size(n, kernel, stride, padding, name="kernel")


def conv2d_forward(X, W, b, stride=1, padding=0):
    """Convolution layer.

    `Y_(n,y,x) = b + Σ_(i,j) X_(n, sy+i−p, sx+j−p) W_(i,j)`, zeros outside the image.

    Parameters
    ----------
    X : (N, H, W, C) array, images.
    W : (kh, kw, C, K) array, one kernel for each of the K output channels.
    b : (K,) array, biases.
    stride : s, pixels from one window to the next.
    padding : p, zeros added on every side; (k − 1)/2 keeps the image's size when k is
        odd and s = 1.

    Returns
    -------
    Y : (N, H′, W′, K) array, sizes as `conv_output_size` says.
    cache : Conv2dCache for `conv2d_backward`.

    Raises
    ------
    ValueError : the shapes do not match, stride < 1, padding < 0, or the kernel is
        larger than the padded image.

    Notes
    -----
    In two steps, one image at a time so that everything stays in the processor's cache:
    along its rows the image is laid out as runs of kw neighbours (kw copies of one
    image, never the kh·kw copies of the whole batch that a full unrolling holds); then
    each row i of the kernel is one matrix product, and their sum is the output.
    Source: Goodfellow, Bengio, Courville, Deep Learning (2016), section 9.5, equation
    9.8.
    Fast twin: `kernels.convolution.conv2d_forward`.

    Examples
    --------
    >>> X = np.arange(9.0).reshape(1, 3, 3, 1)
    >>> Y, cache = conv2d_forward(X, np.ones((2, 2, 1, 1)), np.zeros(1))
    >>> Y[0, :, :, 0]
    array([[ 8., 12.], [20., 24.]])
    """
    X, W, b = check_shapes("N H W C, kh kw C K, K", X=X, W=W, b=b)
    (N, height, width, C), (kh, kw, _, K) = X.shape, W.shape
    stride = check_integer("stride", stride)
    padding = check_integer("padding", padding, minimum=0)
    out_h = _output_size(height, kh, stride, padding, name="W")
    out_w = _output_size(width, kw, stride, padding, name="W")
    xp = array_namespace(X)
    Y = xp.empty((N, out_h, out_w, K), dtype=xp.result_type(X, W, b), device=device(X))
    W_rows = xp.reshape(W, (kh, kw * C, K))
    for n in range(N):
        runs = _runs(X[n, ...], kw, stride, padding, out_w)
        y = _rows_under(runs, 0, stride, out_h) @ W_rows[0, ...]
        for i in range(1, kh):
            y += _rows_under(runs, i, stride, out_h) @ W_rows[i, ...]
        Y = put(Y, (n, ...), xp.reshape(y + b, (out_h, out_w, K)))
    return Y, Conv2dCache(X, W, stride, padding, Y.shape)


def conv2d_backward(dY, cache):
    """Gradients of the convolution layer.

    The gradient of each weight sums over all positions that used it:

    .. math::
        ∂J/∂W_(i,j) = Σ_(n,y,x) X_(n, sy+i−p, sx+j−p)ᵀ ∂J/∂Y_(n,y,x)
        ∂J/∂b = Σ_(n,y,x) ∂J/∂Y_(n,y,x)

    .. math::
        ∂J/∂X_(n, sy+i−p, sx+j−p) += ∂J/∂Y_(n,y,x) W_(i,j)ᵀ

    Parameters
    ----------
    dY : (N, H′, W′, K) array, ∂J/∂Y.
    cache : from `conv2d_forward`.

    Returns
    -------
    dX : (N, H, W, C) array. dW : (kh, kw, C, K) array. db : (K,) array.

    Notes
    -----
    The two steps of the forward pass in reverse. For s = 1 the last formula is itself a
    convolution of ∂J/∂Y with the kernel flipped in both directions and its channels
    exchanged.
    Fast twin: `kernels.convolution.conv2d_backward`.

    Examples
    --------
    >>> Y, cache = conv2d_forward(
    ...     np.ones((1, 3, 3, 1)), np.ones((2, 2, 1, 1)), np.zeros(1)
    ... )
    >>> dX, dW, db = conv2d_backward(np.ones((1, 2, 2, 1)), cache)
    >>> dX[0, :, :, 0]
    array([[1., 2., 1.], [2., 4., 2.], [1., 2., 1.]])
    >>> dW[:, :, 0, 0], db
    (array([[4., 4.], [4., 4.]]), array([4.]))
    """
    X, W, stride, padding, output_shape = cache
    dY = check_gradient("dY", dY, output_shape)
    (N, out_h, out_w, K), (kh, kw, C, _) = output_shape, W.shape
    xp = array_namespace(X)
    W_rows = xp.reshape(W, (kh, kw * C, K))
    dX = xp.zeros_like(X, dtype=xp.result_type(W, dY))
    dW_rows = xp.zeros_like(W_rows, dtype=xp.result_type(X, dY))
    for n in range(N):
        runs, dy = _runs(X[n, ...], kw, stride, padding, out_w), xp.reshape(dY[n, ...], (out_h * out_w, K))
        druns = xp.zeros_like(runs, dtype=dX.dtype)
        for i in range(kh):
            dW_rows = put_sum(dW_rows, (i, ...), xp.matrix_transpose(_rows_under(runs, i, stride, out_h)) @ dy)
            drow = dy @ xp.matrix_transpose(W_rows[i, ...])
            druns = put_sum(druns, (_every(stride, i, out_h), ...), xp.reshape(drow, (out_h, out_w, kw * C)))
        dX = put(dX, (n, ...), _fold_runs(druns, X.shape[1:], kw, stride, padding))
    return dX, xp.reshape(dW_rows, W.shape), xp.sum(dY, axis=(0, 1, 2))


def maxpool2d_forward(X, size, stride=None, padding=0):
    """Max pooling.

    `Y_(n,y,x,c) = max_(i,j) X_(n, sy+i−p, sx+j−p, c)` over windows of size × size
    pixels.

    Parameters
    ----------
    X : (N, H, W, C) array, images.
    size : height and width of the window.
    stride : s, pixels from one window to the next; by default `size`, windows side by
        side.
    padding : p, at most half of `size`; outside the image stands −∞, so that it never
        wins.

    Returns
    -------
    Y : (N, H′, W′, C) array, sizes as `conv_output_size` says: what no full window
        covers is left out.
    cache : MaxPoolCache for `maxpool2d_backward`.

    Raises
    ------
    ValueError : X is not a batch of images, the window is larger than the padded image,
        size or stride < 1, or the padding is negative or more than half of the window.

    Notes
    -----
    Source: Goodfellow, Bengio, Courville (2016), section 9.3. Overlapping windows (3 ×
    3, stride 2) are AlexNet's.

    Examples
    --------
    >>> Y, cache = maxpool2d_forward(
    ...     np.array([[1.0, 2.0, 0.0], [3.0, 4.0, 0.0]]).reshape(1, 2, 3, 1), size=2
    ... )
    >>> Y[0, :, :, 0]
    array([[4.]])
    """
    X = check_shapes("N H W C", X=X)
    size = check_integer("size", size)
    stride = size if stride is None else check_integer("stride", stride)
    padding = check_integer("padding", padding, minimum=0)
    out_h, out_w = (_output_size(n, size, stride, padding, name="size") for n in X.shape[1:3])
    if 2 * padding > size:
        raise ValueError(f"padding: expected at most half of size = {size}, got {padding}")
    X = _pad(X, padding, -math.inf)
    xp = array_namespace(X)
    # Of the columns first: their maxima are those of whole rows of pixels, and fewer than the entries of the windows
    columns = reduce(xp.maximum, [X[:, _every(stride, i, out_h), :, :] for i in range(size)])
    Y = reduce(xp.maximum, [columns[:, :, _every(stride, j, out_w), :] for j in range(size)])
    # A copy for the caller: work in place on the output must not lose the flow back
    return xp.asarray(Y, copy=True), MaxPoolCache(X, Y, size, stride, padding)


def maxpool2d_backward(dY, cache):
    """Gradient of max pooling.

    Each window sends ∂J/∂Y to its largest entry; where windows overlap, gradients add.

    Parameters
    ----------
    dY : (N, H′, W′, C) array, ∂J/∂Y.
    cache : from `maxpool2d_forward`.

    Returns
    -------
    dX : (N, H, W, C) array.

    Notes
    -----
    At a tie the first of the largest entries, row by row, takes the whole flow (as
    PyTorch; sharing it would be right as well, sending it to all of them would not).

    Examples
    --------
    >>> X = np.array([[1.0, 5.0], [5.0, 2.0]]).reshape(1, 2, 2, 1)
    >>> Y, cache = maxpool2d_forward(X, size=2)
    >>> maxpool2d_backward(np.array([[[[3.0]]]]), cache)[0, :, :, 0]
    array([[0., 3.], [0., 0.]])
    """
    X, Y, size, stride, padding = cache
    dY = check_gradient("dY", dY, Y.shape)
    (_, out_h, out_w, _), (height, width) = Y.shape, X.shape[1:3]
    xp = array_namespace(X)
    dX = xp.zeros_like(X, dtype=dY.dtype)
    free = xp.ones_like(Y, dtype=xp.bool)
    send = put if stride >= size else put_sum  # side by side, windows share no entry
    for i, j in _places(size):
        place = _window(i, j, stride, out_h, out_w)
        wins = (X[place] == Y) & free
        # multiplied, not chosen with `where`: the wins are a random pattern, and branches on one are slow
        flow = xp.astype(wins, dY.dtype)
        flow *= dY
        dX = send(dX, place, flow)
        free &= ~wins
    return dX[:, padding : height - padding, padding : width - padding, :]


def avgpool2d_forward(X, size, stride=None):
    """Average pooling.

    `Y_(n,y,x,c) = 1/k² Σ_(i,j) X_(n, sy+i, sx+j, c)` over windows of k × k pixels.

    Parameters
    ----------
    X : (N, H, W, C) array, images.
    size : k, height and width of the window.
    stride : s, pixels from one window to the next; by default `size`, windows side by
        side.

    Returns
    -------
    Y : (N, H′, W′, C) array, sizes as `conv_output_size` says: what no full window
        covers is left out.
    cache : AvgPoolCache for `avgpool2d_backward`.

    Raises
    ------
    ValueError : X is not a batch of images, the window is larger than the image, or
        size or stride < 1.

    Examples
    --------
    >>> Y, cache = avgpool2d_forward(
    ...     np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1), size=2
    ... )
    >>> Y[0, :, :, 0]
    array([[2.5]])
    """
    X = check_shapes("N H W C", X=X)
    size = check_integer("size", size)
    stride = size if stride is None else check_integer("stride", stride)
    out_h, out_w = (_output_size(n, size, stride, 0, name="size") for n in X.shape[1:3])
    xp = array_namespace(X)
    Y = xp.asarray(X[_window(0, 0, stride, out_h, out_w)], copy=True)
    for i, j in _places(size)[1:]:
        Y += X[_window(i, j, stride, out_h, out_w)]
    Y /= size * size
    return Y, AvgPoolCache(X.shape, Y.shape, size, stride)


def avgpool2d_backward(dY, cache):
    """Gradient of average pooling.

    `∂J/∂X += 1/k² ∂J/∂Y` at every entry of the window; where windows overlap, they add.

    Parameters
    ----------
    dY : (N, H′, W′, C) array, ∂J/∂Y.
    cache : from `avgpool2d_forward`.

    Returns
    -------
    dX : (N, H, W, C) array.

    Examples
    --------
    >>> Y, cache = avgpool2d_forward(np.ones((1, 2, 2, 1)), size=2)
    >>> avgpool2d_backward(np.array([[[[3.0]]]]), cache)[0, :, :, 0]
    array([[0.75, 0.75], [0.75, 0.75]])
    """
    input_shape, output_shape, size, stride = cache
    dY = check_gradient("dY", dY, output_shape)
    xp = array_namespace(dY)
    dX, share = xp.zeros(input_shape, dtype=dY.dtype, device=device(dY)), dY / (size * size)
    for i, j in _places(size):
        dX = put_sum(dX, _window(i, j, stride, *output_shape[1:3]), share)
    return dX


def global_avgpool_forward(X):
    """Global average pooling.

    `Y_(n,c) = 1/(HW) Σ_(y,x) X_(n,y,x,c)`: one number for each channel.

    Parameters
    ----------
    X : (N, H, W, C) array, images.

    Returns
    -------
    Y : (N, C) array.
    cache : GlobalAvgPoolCache for `global_avgpool_backward`.

    Notes
    -----
    In the place of the large first fully connected layer of AlexNet and VGG.
    Source: Lin, Chen, Yan, Network in network (2014), section 3.2.

    Examples
    --------
    >>> Y, cache = global_avgpool_forward(np.arange(8.0).reshape(1, 2, 2, 2))
    >>> Y
    array([[3., 4.]])
    """
    X = check_shapes("N H W C", X=X)
    xp = array_namespace(X)
    return xp.mean(X, axis=(1, 2)), GlobalAvgPoolCache(X.shape)


def global_avgpool_backward(dY, cache):
    """Gradient of global average pooling: `∂J/∂X_(n,y,x,c) = 1/(HW) ∂J/∂Y_(n,c)`.

    Parameters
    ----------
    dY : (N, C) array, ∂J/∂Y.
    cache : from `global_avgpool_forward`.

    Returns
    -------
    dX : (N, H, W, C) array.

    Examples
    --------
    >>> Y, cache = global_avgpool_forward(np.ones((1, 1, 2, 1)))
    >>> global_avgpool_backward(np.array([[1.0]]), cache)[0, :, :, 0]
    array([[0.5, 0.5]])
    """
    N, height, width, C = cache.input_shape
    dY = check_gradient("dY", dY, (N, C))
    xp = array_namespace(dY)
    dX = xp.zeros(cache.input_shape, dtype=dY.dtype, device=device(dY))
    dX += (dY / (height * width))[:, None, None, :]
    return dX


def receptive_field(layers):
    """How much of the input one output pixel sees.

    From the input on, layer by layer: `r ← r + (k − 1) j`, then `j ← j s`; at the start
    r = 1 and j = 1.

    Parameters
    ----------
    layers : list of pairs (kernel size k, stride s), convolutions and poolings in their
        order.

    Returns
    -------
    r : the receptive field's side, in pixels of the input.
    j : the distance between the fields of two neighbours, the product of the strides.

    Raises
    ------
    ValueError, TypeError : an entry is not a pair of positive whole numbers.

    Notes
    -----
    Padding changes where a field lies, not its size. It is a bound: the weight of the
    pixels at its border is small (Luo et al. 2016, "effective" receptive field).
    Source: Dumoulin, Visin, A guide to convolution arithmetic for deep learning (2016);
    Araujo, Norris, Sim, Computing receptive fields of convolutional neural networks
    (Distill 2019), equation 2.

    Examples
    --------
    >>> receptive_field([(3, 1), (3, 1)]), receptive_field([(3, 1), (2, 2), (3, 1)])
    ((5, 1), (8, 2))
    """
    if not isinstance(layers, list | tuple):
        raise TypeError(f"layers: expected a list of pairs (kernel, stride), got {type(layers).__name__}")
    r, j = 1, 1
    for index, layer in enumerate(layers):
        if not isinstance(layer, list | tuple) or len(layer) != 2:
            raise TypeError(f"layers[{index}]: expected a pair (kernel, stride), got {layer!r}")
        kernel, stride = (
            check_integer(f"layers[{index}], {n}", x) for n, x in zip(("kernel", "stride"), layer, strict=True)
        )
        r, j = r + (kernel - 1) * j, j * stride
    return r, j


def residual_block_init(C, rng, hidden=None, out=None):
    """Parameters of a residual block with kernels of 3 × 3, He's normal weights and zero
    biases.

    Parameters
    ----------
    C : channels of the block's input.
    rng : numpy.random.Generator or seed.
    hidden : F, channels between the two convolutions; by default those of the output,
        as in the paper.
    out : K, channels of the output, with a projection as the shortcut; by default C,
        without one.

    Returns
    -------
    dict: W1 (3, 3, C, F), b1 (F,), W2 (3, 3, F, K), b2 (K,); with `out`, also W0 (1, 1,
    C, K), b0 (K,).

    Examples
    --------
    >>> sum(p.size for p in residual_block_init(64, np.random.default_rng(0)).values())
    73856
    """
    C, rng = check_integer("C", C), check_rng(rng)
    K = C if out is None else check_integer("out", out)
    F = K if hidden is None else check_integer("hidden", hidden)
    params = {
        "W1": he_normal((3, 3, C, F), rng),
        "b1": zeros((F,)),
        "W2": he_normal((3, 3, F, K), rng),
        "b2": zeros((K,)),
    }
    if out is not None:
        params |= {"W0": he_normal((1, 1, C, K), rng), "b0": zeros((K,))}
    return params


def residual_block_forward(X, params, stride=1):
    """Residual block: `Y = relu(X + F(X))` with `F(X) = relu(X ∗ W₁ + b₁) ∗ W₂ + b₂`, or
    with a projection as the shortcut, `Y = relu(X ∗ W₀ + b₀ + F(X))`.

    Parameters
    ----------
    X : (N, H, W, C) array, images.
    params : dict of W1 (k, k, C, F), b1 (F,), W2 (l, l, F, K), b2 (K,); k and l odd,
        usually 3. With W0 (1, 1, C, K), b0 (K,) in it the shortcut is that convolution;
        without them it is X itself, and K = C.
    stride : of the first convolution and of the projection; 1 without a projection.

    Returns
    -------
    Y : (N, H, W, C) array, or with a projection (N, ⌈H/stride⌉, ⌈W/stride⌉, K).
    cache : ResidualCache for `residual_block_backward`.

    Raises
    ------
    ValueError : a parameter is missing or has the wrong shape, a kernel has an even
        size, or the stride is larger than 1 where the shortcut is X itself.

    Notes
    -----
    `∗` is the convolution that keeps the image's size (padding (k − 1)/2), with stride
    1 except where it is given. The projection stands where the number of channels
    changes, at the beginning of a stage. The last ReLU stands behind the addition. The
    paper's block has batch normalisation behind each convolution; here there is none:
    see `architectures` for the whole network.
    Source: He, Zhang, Ren, Sun, Deep residual learning for image recognition (2016),
    equation 1 and figure 2.

    Examples
    --------
    >>> params = residual_block_init(2, np.random.default_rng(0))
    >>> params = {name: 0.0 * p for name, p in params.items()}
    >>> Y, cache = residual_block_forward(
    ...     np.array([-1.0, 2.0]).reshape(1, 1, 1, 2), params
    ... )
    >>> Y[0, 0, 0]
    array([0., 2.])
    """
    projected = isinstance(params, dict) and ("W0" in params or "b0" in params)
    named = _named(params, "W1 b1 W2 b2 W0 b0" if projected else "W1 b1 W2 b2")
    spec = "k k C F, F, l l F K, K, 1 1 C K, K" if projected else "k k C F, F, l l F C, C"
    X, W1, b1, W2, b2, *projection = check_shapes(f"N H W C, {spec}", X=X, **named)
    stride = check_integer("stride", stride)
    if stride > 1 and not projected:
        raise ValueError(f"stride: expected 1 where the shortcut is X itself (no W0, b0 in params), got {stride}")
    A, first = _conv_relu_forward(X, W1, b1, "W1", stride)
    F, second = conv2d_forward(A, W2, b2, padding=_same_size("W2", W2))
    shortcut, kept = conv2d_forward(X, *projection, stride=stride) if projected else (X, None)
    S = shortcut + F
    return relu(S), ResidualCache(first, second, S, kept)


def residual_block_backward(dY, cache):
    """Gradients of the residual block: `∂J/∂X = δ + δ ∂F/∂X`, `δ = ∂J/∂Y ⊙ relu′(S)`.

    Parameters
    ----------
    dY : (N, H, W, C) array, ∂J/∂Y.
    cache : from `residual_block_forward`.

    Returns
    -------
    dX : (N, H, W, C) array. dparams : dict with the keys of params.

    Notes
    -----
    The summand δ by itself is the point of the block: whatever F does, the flow reaches
    the layers before it. With a projection it is what `conv2d_backward` makes of δ.

    Examples
    --------
    >>> params = {
    ...     name: 0.0 * p
    ...     for name, p in residual_block_init(2, np.random.default_rng(0)).items()
    ... }
    >>> Y, cache = residual_block_forward(
    ...     np.array([1.0, 2.0]).reshape(1, 1, 1, 2), params
    ... )
    >>> dX, dparams = residual_block_backward(
    ...     np.array([3.0, 4.0]).reshape(1, 1, 1, 2), cache
    ... )
    >>> dX[0, 0, 0], dparams["b2"]
    (array([3., 4.]), array([3., 4.]))
    """
    dY = check_gradient("dY", dY, cache.S.shape)
    delta = dY * relu_grad(cache.S)
    dA, dW2, db2 = conv2d_backward(delta, cache.second)
    dX, dW1, db1 = _conv_relu_backward(dA, cache.first)
    dparams = {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
    if cache.shortcut is None:
        return delta + dX, dparams
    dX0, dW0, db0 = conv2d_backward(delta, cache.shortcut)
    return dX0 + dX, dparams | {"W0": dW0, "b0": db0}


def inception_block_init(C, c1, c3r, c3, c5r, c5, cp, rng):
    """Parameters of an inception block, He's normal weights and zero biases.

    Parameters
    ----------
    C : channels of the input.
    c1, c3r, c3, c5r, c5, cp : channels of the six convolutions, in the order of the
        paper's table 1: #1×1, #3×3 reduce, #3×3, #5×5 reduce, #5×5, pool proj.
    rng : numpy.random.Generator or seed.

    Returns
    -------
    dict: W1 (1, 1, C, c1), W3r (1, 1, C, c3r), W3 (3, 3, c3r, c3), W5r (1, 1, C, c5r),
    W5 (5, 5, c5r, c5), Wp (1, 1, C, cp), each followed by its bias b1, b3r, b3, b5r,
    b5, bp.

    Examples
    --------
    >>> params = inception_block_init(
    ...     192, 64, 96, 128, 16, 32, 32, np.random.default_rng(0)
    ... )
    >>> sum(p.size for p in params.values())
    163696
    """
    for name, n in {"C": C, "c1": c1, "c3r": c3r, "c3": c3, "c5r": c5r, "c5": c5, "cp": cp}.items():
        check_integer(name, n)
    rng = check_rng(rng)
    kernels = {
        "1": (1, 1, C, c1),
        "3r": (1, 1, C, c3r),
        "3": (3, 3, c3r, c3),
        "5r": (1, 1, C, c5r),
        "5": (5, 5, c5r, c5),
        "p": (1, 1, C, cp),
    }
    params = {}
    for name, shape in kernels.items():
        params["W" + name], params["b" + name] = he_normal(shape, rng), zeros(shape[-1:])
    return params


def inception_block_forward(X, params):
    r"""Inception block, four branches of different reach side by side, joined along the
    channels.

    .. math::
        Y = [X ⋆ W₁, (X ⋆ W_3r) ⋆ W₃, (X ⋆ W_5r) ⋆ W₅, maxpool(X) ⋆ W_p]
        X ⋆ W = relu(X ∗ W + b)

    Parameters
    ----------
    X : (N, H, W, C) array, images.
    params : dict as `inception_block_init` makes it: W1 b1 W3r b3r W3 b3 W5r b5r W5 b5
        Wp bp.

    Returns
    -------
    Y : (N, H, W, c1 + c3 + c5 + cp) array.
    cache : InceptionCache for `inception_block_backward`.

    Raises
    ------
    ValueError : a parameter is missing or has the wrong shape.

    Notes
    -----
    `⋆` is the convolution that keeps the image's size, and the pooling (3 × 3, stride
    1) keeps it too. The 1 × 1 convolutions in front of the large kernels (W3r, W5r)
    make them affordable. No batch normalisation, as in the paper.
    Source: Szegedy et al., Going deeper with convolutions (2015), section 4 and figure
    2(b).

    Examples
    --------
    >>> params = inception_block_init(3, 1, 2, 3, 2, 4, 5, np.random.default_rng(0))
    >>> Y, cache = inception_block_forward(np.ones((1, 6, 6, 3)), params)
    >>> Y.shape
    (1, 6, 6, 13)
    """
    named = _named(params, "W1 b1 W3r b3r W3 b3 W5r b5r W5 b5 Wp bp")
    X, W1, b1, W3r, b3r, W3, b3, W5r, b5r, W5, b5, Wp, bp = check_shapes(
        "N H W C, 1 1 C c1, c1, 1 1 C c3r, c3r, 3 3 c3r c3, c3, 1 1 C c5r, c5r, 5 5 c5r c5, c5, 1 1 C cp, cp",
        X=X,
        **named,
    )
    Y1, one = _conv_relu_forward(X, W1, b1, "W1")
    A3, three_reduce = _conv_relu_forward(X, W3r, b3r, "W3r")
    Y3, three = _conv_relu_forward(A3, W3, b3, "W3")
    A5, five_reduce = _conv_relu_forward(X, W5r, b5r, "W5r")
    Y5, five = _conv_relu_forward(A5, W5, b5, "W5")
    P, pool = maxpool2d_forward(X, size=3, stride=1, padding=1)
    Yp, pool_project = _conv_relu_forward(P, Wp, bp, "Wp")
    Y = array_namespace(X).concat((Y1, Y3, Y5, Yp), axis=-1)
    return Y, InceptionCache(one, three_reduce, three, five_reduce, five, pool, pool_project, Y.shape)


def inception_block_backward(dY, cache):
    """Gradients of the inception block.

    ∂J/∂Y is cut into the channels of the four branches; their gradients at X add up.

    Parameters
    ----------
    dY : (N, H, W, c1 + c3 + c5 + cp) array, ∂J/∂Y.
    cache : from `inception_block_forward`.

    Returns
    -------
    dX : (N, H, W, C) array. dparams : dict with the keys of params.

    Examples
    --------
    >>> params = inception_block_init(3, 1, 2, 3, 2, 4, 5, np.random.default_rng(0))
    >>> Y, cache = inception_block_forward(np.ones((1, 6, 6, 3)), params)
    >>> dX, dparams = inception_block_backward(np.ones(Y.shape), cache)
    >>> dX.shape, dparams["W5"].shape
    ((1, 6, 6, 3), (5, 5, 2, 4))
    """
    dY = check_gradient("dY", dY, cache.output_shape)
    to3, to5, top = _cuts(cache)
    dX, dW1, db1 = _conv_relu_backward(dY[..., :to3], cache.one)
    dA3, dW3, db3 = _conv_relu_backward(dY[..., to3:to5], cache.three)
    dX3, dW3r, db3r = _conv_relu_backward(dA3, cache.three_reduce)
    dA5, dW5, db5 = _conv_relu_backward(dY[..., to5:top], cache.five)
    dX5, dW5r, db5r = _conv_relu_backward(dA5, cache.five_reduce)
    dP, dWp, dbp = _conv_relu_backward(dY[..., top:], cache.pool_project)
    dX = dX + dX3 + dX5 + maxpool2d_backward(dP, cache.pool)
    dparams = {"W1": dW1, "b1": db1, "W3r": dW3r, "b3r": db3r, "W3": dW3, "b3": db3}
    return dX, dparams | {"W5r": dW5r, "b5r": db5r, "W5": dW5, "b5": db5, "Wp": dWp, "bp": dbp}


def _cuts(cache):
    """Where the second, third and fourth branch of an inception block begin among its output channels."""
    to3 = cache.one.Z.shape[-1]
    to5 = to3 + cache.three.Z.shape[-1]
    return to3, to5, to5 + cache.five.Z.shape[-1]


def _conv_relu_forward(X, W, b, name, stride=1):
    """relu(X * W + b), * the convolution that with stride 1 keeps the image's size."""
    Z, conv = conv2d_forward(X, W, b, stride=stride, padding=_same_size(name, W))
    return relu(Z), ConvReluCache(conv, Z)


def _conv_relu_backward(dA, cache):
    return conv2d_backward(dA * relu_grad(cache.Z), cache.conv)


def _same_size(name, W):
    """The padding with which a kernel of odd size k keeps the size of the image, (k − 1)/2."""
    if W.shape[0] % 2 == 0:
        raise ValueError(f"{name}: expected kernels of an odd size, got shape {tuple(W.shape)}")
    return W.shape[0] // 2


def _named(params, names):
    """The entries of the dict `params` in the order of `names`, if they are all there and no others."""
    names = names.split()
    if not isinstance(params, dict):
        raise TypeError(f"params: expected a dict of {', '.join(names)}, got {type(params).__name__}")
    if set(params) != set(names):
        raise ValueError(f"params: expected the keys {', '.join(names)}; got {', '.join(map(str, params))}")
    return {name: params[name] for name in names}


def _output_size(n, kernel, stride, padding, name):
    """`conv_output_size` of checked numbers, calling the kernel by the `name` that the caller's user knows."""
    if kernel > n + 2 * padding:
        raise ValueError(f"{name}: expected at most the padded input's length {n + 2 * padding}, got {kernel}")
    return (n + 2 * padding - kernel) // stride + 1


def _every(stride, start, count):
    """`count` indices from `start` on, `stride` apart."""
    return slice(start, start + stride * (count - 1) + 1, stride)


def _places(size):
    """The places (i, j) in a window, row by row."""
    return [(i, j) for i in range(size) for j in range(size)]


def _window(i, j, stride, out_h, out_w):
    """Index of the entries of (N, H, W, C) that stand at place (i, j) of the windows: (N, out_h, out_w, C) of them."""
    return slice(None), _every(stride, i, out_h), _every(stride, j, out_w), slice(None)


def _runs(x, kw, stride, padding, out_w):
    """One image (H, W, C) as runs (H + 2p, out_w, kw·C): in each row the kw neighbours under the kernel, side by side."""
    x = _pad(x, padding, 0.0)
    height, _, C = x.shape
    xp = array_namespace(x)
    runs = xp.empty((height, out_w, kw, C), dtype=x.dtype, device=device(x))
    for j in range(kw):
        runs = put(runs, (slice(None), slice(None), j, slice(None)), x[:, _every(stride, j, out_w), :])
    return xp.reshape(runs, (height, out_w, kw * C))


def _fold_runs(druns, shape, kw, stride, padding):
    """The reverse of `_runs`: the gradient at one image of `shape` (H, W, C), each pixel's runs added up."""
    height, width, C = shape
    padded_h, out_w, _ = druns.shape
    xp = array_namespace(druns)
    druns = xp.reshape(druns, (padded_h, out_w, kw, C))
    dx = xp.zeros((padded_h, width + 2 * padding, C), dtype=druns.dtype, device=device(druns))
    for j in range(kw):
        dx = put_sum(dx, (slice(None), _every(stride, j, out_w), slice(None)), druns[:, :, j, :])
    return dx[padding : padding + height, padding : padding + width, :]


def _rows_under(runs, i, stride, out_h):
    """The runs that row i of the kernel meets, one line for each output pixel: (out_h·out_w, kw·C)."""
    chosen = runs[_every(stride, i, out_h), ...]
    return array_namespace(runs).reshape(chosen, (out_h * chosen.shape[1], chosen.shape[2]))


def _pad(x, padding, value):
    """(..., H, W, C) with `padding` rows and columns of `value` on every side; `x` itself where there is nothing to add."""
    if padding == 0:
        return x
    *leading, height, width, C = x.shape
    xp = array_namespace(x)
    shape = *leading, height + 2 * padding, width + 2 * padding, C
    padded = xp.full(shape, value, dtype=x.dtype, device=device(x))
    inside = (..., slice(padding, padding + height), slice(padding, padding + width), slice(None))
    return put(padded, inside, x)
