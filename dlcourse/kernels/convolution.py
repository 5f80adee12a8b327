"""Fast twin of the convolution layer."""

import math

import numpy as np

from .. import convolution
from ._shared import SMALL, assign, column_sums, with_formula

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
    dW_rows = dW.reshape(kh, kw * C, K)
    dW_rows[...] = 0.0
    runs_of = _Runs(X.shape, kw, padding, X.dtype)
    pieces = _pieces(out_h, out_w * kw * C * K)
    partial = np.empty((len(runs_of.runs), pieces, kw * C, K), W.dtype)
    for block in runs_of.blocks:
        runs, dy = runs_of(X[block]), dY[block]
        count = len(dy)
        dy = dy.reshape(count, pieces, -1, K)
        for i in range(kh):
            rows = runs[:, i : i + out_h].reshape(count, pieces, -1, kw * C)
            np.matmul(rows.swapaxes(2, 3), dy, out=partial[:count])
            dW_rows[i] += np.add.reduce(partial[:count], axis=(0, 1))
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
        return self.runs[:count]


def _correlate(X, W, b, padding):
    """The convolution layer's output for stride 1, row by row of the kernel, block by block of images."""
    kh, kw, C, K = W.shape
    runs_of = _Runs(X.shape, kw, padding, X.dtype)
    _, height, out_w, _ = runs_of.runs.shape
    out_h = height - kh + 1
    pieces = _pieces(out_h, out_w * kw * C * K)
    Y = np.empty((len(X), pieces, out_h * out_w // pieces, K), X.dtype)
    scratch, W_rows = np.empty((len(runs_of.runs), *Y.shape[1:]), X.dtype), W.reshape(kh, kw * C, K)
    bias = None if b is None else np.tile(b, out_w)  # for a whole row: NumPy spends its time between short ones
    for block in runs_of.blocks:
        runs, y = runs_of(X[block]), Y[block]
        count = len(y)
        for i in range(kh):
            rows = runs[:, i : i + out_h].reshape(count, pieces, -1, kw * C)
            np.matmul(rows, W_rows[i], out=scratch[:count] if i else y)
            if i:
                y += scratch[:count]
        if b is not None:
            y = y.reshape(count, out_h, out_w * K)
            y += bias
    return Y.reshape(len(X), out_h, out_w, K)


def _pieces(rows, multiplications):
    """In how many pieces to cut so many rows, so that a product is small enough for BLAS's kernels without packing."""
    return next((n for n in range(1, rows + 1) if rows % n == 0 and rows // n * multiplications <= SMALL), 1)
