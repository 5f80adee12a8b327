"""Fast twins of SGD and Adam: steps on one flat vector, in place."""

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from ._shared import BLOCK


@cache
def blas(name, dtype):
    """SciPy's `scal`, x ← a x, or `axpy`, y ← y + a x in one pass, for vectors of this type."""
    # Loaded when first used: steps on plain arrays need nothing of SciPy, which a browser does not have
    try:
        from scipy.linalg import blas as functions
    except ImportError:
        return {"scal": _scal, "axpy": _axpy}[name]
    return getattr(functions, ("s" if dtype == np.float32 else "d") + name)


def _scal(a, x):
    x *= a


def _axpy(x, y, a=1.0):
    y += a * x


def sgd_update(w, dw, state, lr):
    """`optimizers.sgd_step` on a flat vector, in place."""
    blas("axpy", w.dtype)(dw, w, a=-lr)
    return state


class AdamSums(NamedTuple):
    """Adam's averages as numbers times vectors, m = aM and v = bV: to shrink them, a step shrinks the numbers alone.

    scratch : a vector to compute in, short enough to stay in a cache beside the blocks of its size.
    """

    t: int
    M: np.ndarray
    a: float
    V: np.ndarray
    b: float
    scratch: np.ndarray


def adam_init(w):
    """`optimizers.adam_init` of a flat vector."""
    return AdamSums(0, np.zeros_like(w), 1.0, np.zeros_like(w), 1.0, np.empty(min(len(w), 2 * BLOCK), w.dtype))


def adam_update(w, dw, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """`optimizers.adam_step` on a flat vector: `w` and the state's arrays change in place."""
    t, M, a, V, b, scratch = state
    t += 1
    a, b = _shrunk(M, a * beta1), _shrunk(V, b * beta2)
    # lr·m̂/(√v̂ + ε), with m = aM, v = bV and the corrections c₁, c₂ in two numbers: (lr·a√c₂/c₁√b) · M/(√V + ε√(c₂/b))
    root = math.sqrt((1.0 - beta2**t) / b)
    numbers = (1.0 - beta1) / a, (1.0 - beta2) / b, eps * root, -lr * root * a / (1.0 - beta1**t)
    if len(w) <= len(scratch):
        _adam_block(w, dw, M, V, scratch, *numbers)
    else:
        for start in range(0, len(w), len(scratch)):
            block = slice(start, start + len(scratch))
            _adam_block(w[block], dw[block], M[block], V[block], scratch[: len(w) - start], *numbers)
    return AdamSums(t, M, a, V, b, scratch)


def _adam_block(w, g, M, V, s, of_gradient, of_square, eps, minus_rate):
    axpy = blas("axpy", w.dtype)
    axpy(g, M, a=of_gradient)
    np.multiply(g, g, out=s)
    axpy(s, V, a=of_square)
    np.sqrt(V, out=s)
    s += eps
    np.divide(M, s, out=s)
    axpy(s, w, a=minus_rate)


def _shrunk(x, number):
    """The number, or 1 after multiplying x by it: it must not come near the smallest of its precision."""
    if number > 1e-4:
        return number
    blas("scal", x.dtype)(number, x)
    return 1.0
