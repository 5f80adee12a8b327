"""Fast twin of the convolution layer."""

import numpy as np

from .. import convolution
from ._shared import assign, column_sums, with_formula


def conv2d_forward(X, W, b, stride=1, padding=0):
    """`convolution.conv2d_forward` for stride 1: the same runs and products, in buffers that are used again."""
    if stride != 1 or padding >= min(W.shape[:2]):
        return with_formula(convolution.conv2d_forward(X, W, b, stride, padding))
    return _correlate(X, W, b, padding), (X, W, padding)


def conv2d_backward(dY, cache, out=None, inputs=True):
    """`convolution.conv2d_backward`."""
    if len(cache) == 1:
        return assign(convolution.conv2d_backward(dY, cache[0]), out)
    X, W, padding = cache
    (_, out_h, out_w, K), (kh, kw, C, _) = dY.shape, W.shape
    dW, db = out or (np.empty_like(W), np.empty(K, W.dtype))
    db[...] = column_sums(dY.reshape(-1, K))
    dW_rows, scratch = dW.reshape(kh, kw * C, K), np.empty((kw * C, K), W.dtype)
    dW_rows[...] = 0.0
    runs_of = _Runs(X.shape, kw, padding, X.dtype)
    for x, dy in zip(X, dY, strict=True):
        runs, dy = runs_of(x), dy.reshape(-1, K)
        for i in range(kh):
            np.matmul(runs[i * out_w : (i + out_h) * out_w].T, dy, out=scratch)
            dW_rows[i] += scratch
    dX = None
    if inputs:
        # For stride 1 a convolution too: of dY, with the kernel turned by 180° and its channels exchanged
        turned = np.ascontiguousarray(W[::-1, ::-1].swapaxes(2, 3))
        dX = _correlate(dY, turned, None, (kh - 1 - padding, kw - 1 - padding))
    return dX, dW, db


class _Runs:
    """Lays one padded image out as runs of kw neighbours, (H + 2p)·W′ rows of kw·C, in a buffer that it uses again."""

    def __init__(self, shape, kw, padding, dtype):
        _, height, width, C = shape
        p, q = padding if isinstance(padding, tuple) else (padding, padding)
        self.padded = np.zeros((height + 2 * p, width + 2 * q, C), dtype)
        self.inside = self.padded[p : p + height, q : q + width]
        step = self.padded.strides
        shape = (height + 2 * p, width + 2 * q - kw + 1, kw * C)
        self.overlapping = np.lib.stride_tricks.as_strided(self.padded, shape, step, writeable=False)
        self.runs = np.empty(shape, dtype)

    def __call__(self, x):
        self.inside[...] = x
        np.copyto(self.runs, self.overlapping)
        return self.runs.reshape(-1, self.runs.shape[-1])


def _correlate(X, W, b, padding):
    """The convolution layer's output for stride 1, row by row of the kernel, one image at a time."""
    kh, kw, C, K = W.shape
    runs_of = _Runs(X.shape, kw, padding, X.dtype)
    height, out_w, _ = runs_of.runs.shape
    out_h = height - kh + 1
    Y, scratch = np.empty((len(X), out_h, out_w, K), X.dtype), np.empty((out_h * out_w, K), X.dtype)
    W_rows = W.reshape(kh, kw * C, K)
    for x, y in zip(X, Y.reshape(len(X), -1, K), strict=True):
        runs = runs_of(x)
        np.matmul(runs[: out_h * out_w], W_rows[0], out=y)
        for i in range(1, kh):
            np.matmul(runs[i * out_w : (i + out_h) * out_w], W_rows[i], out=scratch)
            y += scratch
        if b is not None:
            y += b
    return Y
