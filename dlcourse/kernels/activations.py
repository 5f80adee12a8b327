"""Fast twins of the activations, as layers."""

import math

import numpy as np

from .. import layers
from ._shared import BLOCK, blocks
from ._threads import share

GELU_C, GELU_A = math.sqrt(2.0 / math.pi), 0.044715
SIGN_BIT = np.int32(-(2**31))  # of a float32
LARGE = 40.0  # where the sigmoid is 1 in any precision


def activation_forward(X, name, out=None, **options):
    """`layers.activation_forward`; `out=X` writes over the caller's own X where the backward pass does not need it."""
    if name == "relu":
        # Against the number 0 `maximum` takes four times as long; a row of zeros is enough where there are many
        Y = np.maximum(X, np.zeros(X.shape if X.size <= BLOCK else X.shape[-1:], X.dtype), out=out)
        return Y, (name, Y, None)
    if name == "tanh":
        Y = np.empty_like(X, order="C") if out is None else out
        share(_tanhs, blocks(X, Y))
        return Y, (name, Y, None)
    if name == "sigmoid":
        Y = np.empty_like(X, order="C") if out is None else out
        share(_sigmoids, blocks(X, Y))
        return Y, (name, Y, None)
    if name == "gelu_tanh":
        Y, P = np.empty_like(X, order="C"), np.empty_like(X, order="C")
        share(_gelu_tanhs, blocks(X, Y, P))
        return Y, (name, X, P)
    if name == "gelu" and X.dtype == np.float32:
        Y, dY = np.empty_like(X, order="C"), np.empty_like(X, order="C")
        share(_gelus_and_slopes, blocks(X, Y, dY))
        return Y, (name, None, dY)
    Y, cache = layers.activation_forward(X, name, **options)
    return Y, (None, cache, None)


def activation_backward(dY, cache):
    """`layers.activation_backward`."""
    name, X, P = cache
    if name is None:
        return layers.activation_backward(dY, X)
    if name == "relu":
        return dY * (X > 0.0).astype(dY.dtype)
    if name == "gelu":
        return dY * P
    dX = np.empty_like(dY, order="C")

    def slopes(pieces):
        for dy, x, p, dx in pieces:
            if name == "tanh":
                np.multiply(x, x, out=dx)
                np.subtract(1.0, dx, out=dx)
            elif name == "sigmoid":
                np.multiply(x, x, out=dx)
                np.subtract(x, dx, out=dx)
            else:
                # p + x p(1 − p)·2u′ as p (1 + x(1 − p)·2u′)
                np.multiply(x, x, out=dx)
                dx *= 6.0 * GELU_C * GELU_A
                dx += 2.0 * GELU_C
                dx *= x
                dx *= 1.0 - p
                dx += 1.0
                dx *= p
            dx *= dy

    share(slopes, blocks(dY, X, X if P is None else P, dX))
    return dX


def sigmoid(x, y, scratch=None):
    """`activations.sigmoid` of a flat x, into y, as E/(1 + E) with E = exp(min(x, 40)): one exp."""
    # To look for a large x is half the work of holding them
    if np.maximum.reduce(x, initial=0.0) <= LARGE:
        np.exp(x, out=y)
    else:
        np.minimum(x, LARGE, out=y)
        np.exp(y, out=y)
    y /= np.add(y, 1.0, out=scratch)


def _sigmoids(pieces):
    scratch = None
    for x, y in pieces:
        # Only the last piece is shorter, and nothing comes after it
        scratch = np.empty_like(x) if scratch is None else scratch
        sigmoid(x, y, scratch[: x.size])


def _tanhs(pieces):
    for x, y in pieces:
        np.tanh(x, out=y)


def _gelu_tanhs(pieces):
    for x, y, p in pieces:
        # p = ½(1 + tanh u)
        np.multiply(x, x, out=y)
        y *= GELU_C * GELU_A
        y += GELU_C
        y *= x
        np.tanh(y, out=p)
        p *= 0.5
        p += 0.5
        np.multiply(x, p, out=y)


def _gelus_and_slopes(pieces):
    for x, y, dy in pieces:
        _gelu_and_slope(x, y, dy)


def _gelu_and_slope(x, y, dy):
    """y = x Φ(x) and dy = Φ(x) + x φ(x) for float32: Φ to 1e-7 (Abramowitz and Stegun, 7.1.26), one exp for both."""
    t = np.abs(x)
    t *= 0.3275911 / math.sqrt(2.0)
    t += 1.0
    np.divide(1.0, t, out=t)
    np.multiply(x, x, out=dy)
    dy *= -0.5
    np.exp(dy, out=dy)
    np.multiply(t, 0.5 * 1.061405429, out=y)
    for a in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        y += 0.5 * a
        y *= t
    y *= dy
    np.subtract(0.5, y, out=y)
    # x's sign on the non-negative y, bit by bit: four times as fast as `copysign`
    y_bits, x_bits = y.view(np.int32), x.view(np.int32)
    y_bits |= x_bits & SIGN_BIT
    y += 0.5
    dy *= x
    dy *= 1.0 / math.sqrt(2.0 * math.pi)
    dy += y
    y *= x
