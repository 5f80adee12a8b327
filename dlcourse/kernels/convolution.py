"""Fast twin of the convolution layer."""

import math

import numpy as np

from .. import convolution
from ._shared import assign, column_sums, with_formula

# In a block of images: small enough for the cache
_NUMBERS = 2**14


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
    for block in runs_of.blocks:
        runs, dy = runs_of(X[block]), dY[block].reshape(-1, K)
        for i in range(kh):
            np.matmul(runs[:, i * out_w : (i + out_h) * out_w].reshape(-1, kw * C).T, dy, out=scratch)
            dW_rows[i] += scratch
    dX = None
    if inputs:
        # For stride 1 a convolution too: of dY, with the kernel turned by 180° and its channels exchanged
        turned = np.ascontiguousarray(W[::-1, ::-1].swapaxes(2, 3))
        dX = _correlate(dY, turned, None, (kh - 1 - padding, kw - 1 - padding))
    return dX, dW, db


class _Runs:
    """Lays padded images out as runs of kw neighbours, (H + 2p)·W′ rows of kw·C each, in a buffer that it uses again.

    blocks : slices of the batch. Large images come one by one, so that everything stays in the processor's cache; of small
        ones so many that the calls weigh little.
    """

    def __init__(self, shape, kw, padding, dtype):
        N, height, width, C = shape
        p, q = padding if isinstance(padding, tuple) else (padding, padding)
        one = (height + 2 * p, width + 2 * q - kw + 1, kw * C)
        size = min(N, max(1, _NUMBERS // math.prod(one)))
        self.blocks = [slice(start, min(start + size, N)) for start in range(0, N, size)]
        self.padded = np.zeros((size, height + 2 * p, width + 2 * q, C), dtype)
        self.inside = self.padded[:, p : p + height, q : q + width]
        self.overlapping = np.lib.stride_tricks.as_strided(
            self.padded, (size, *one), self.padded.strides, writeable=False
        )
        self.runs = np.empty((size, *one), dtype)

    def __call__(self, x):
        count = len(x)
        self.inside[:count] = x
        np.copyto(self.runs[:count], self.overlapping[:count])
        return self.runs[:count].reshape(count, -1, self.runs.shape[-1])


def _correlate(X, W, b, padding):
    """The convolution layer's output for stride 1, row by row of the kernel, block by block of images."""
    kh, kw, C, K = W.shape
    runs_of = _Runs(X.shape, kw, padding, X.dtype)
    _, height, out_w, _ = runs_of.runs.shape
    out_h = height - kh + 1
    Y, scratch = np.empty((len(X), out_h * out_w, K), X.dtype), np.empty((len(runs_of.runs), out_h * out_w, K), X.dtype)
    W_rows = W.reshape(kh, kw * C, K)
    for block in runs_of.blocks:
        runs, y = runs_of(X[block]), Y[block]
        np.matmul(runs[:, : out_h * out_w], W_rows[0], out=y)
        for i in range(1, kh):
            np.matmul(runs[:, i * out_w : (i + out_h) * out_w], W_rows[i], out=scratch[: len(y)])
            y += scratch[: len(y)]
        if b is not None:
            y += b
    return Y.reshape(len(X), out_h, out_w, K)
