"""Fast NumPy twins of the formulas that training runs in its inner loop.

Each twin takes the arguments of the formula function of the same name and returns the same values; `training` uses it
for NumPy arrays, and tests hold the two together. A backward twin takes two options more: `out`, arrays that the
parameters' gradients are written into, and `inputs=False` where nobody asks for the gradient of the input. The twins
do not check their arguments: `training` has done so. Where a formula is fast enough as it stands, it has no twin.
"""

import math

import numpy as np
import scipy.linalg.blas


def linear_forward(X, W, b):
    """`layers.linear_forward`."""
    U = np.matmul(X, W)
    U += b
    return U, (X, W)


def linear_backward(dU, cache, out=None, inputs=True):
    """`layers.linear_backward`."""
    X, W = cache
    dW, db = out or (np.empty_like(W), np.empty_like(W[0]))
    if len(X) == 1:
        # An outer product; as a matrix product with an inner length of 1 it takes seven times as long
        np.multiply(X.T, dU, out=dW)
        db[...] = dU[0]
    else:
        np.matmul(X.T, dU, out=dW)
        np.dot(np.ones(len(X), X.dtype), dU, out=db)  # column sums: three times as fast as sum(axis=0)
    return np.matmul(dU, W.T) if inputs else None, dW, db


def relu_forward(X, out=None):
    """`layers.activation_forward` of "relu"; `out=X` where X is the caller's own."""
    # A row of zeros: against the number 0 `maximum` takes four times as long
    Y = np.maximum(X, np.zeros(X.shape[-1], X.dtype), out=out)
    return Y, Y


def relu_backward(dY, cache, out=None, inputs=True):
    """`layers.activation_backward` of "relu"."""
    return (dY * (cache > 0.0),)


def softmax_cross_entropy_with_grad(logits, labels):
    """`losses.softmax_cross_entropy` and its gradient, mean over (N,) labels: one buffer from logits to gradient.

    Rows are taken a few at a time, so that they stay in the cache from the first pass to the last.
    """
    N, K = logits.shape
    dU = np.empty_like(logits)
    ones = np.ones(K, logits.dtype)
    size = max(1, BLOCK // K)
    total = 0.0
    for start in range(0, N, size):
        U, e = logits[start : start + size], dU[start : start + size]
        at_label = labels[start : start + size] + np.arange(0, e.size, K)
        np.subtract(U, np.maximum.reduce(U, axis=1, keepdims=True), out=e)
        flat = e.reshape(-1)
        shifted = flat.take(at_label)
        np.exp(e, out=e)
        sums = e @ ones
        total += np.add.reduce(np.log(sums) - shifted)
        sums *= N
        e *= (1.0 / sums)[:, None]
        flat[at_label] -= 1.0 / N
    return total / N, dU


# Elements that are worked on at a time: they and their scratch stay in the second-level cache
BLOCK = 32_768

# y += a·x in one pass
AXPY = {np.dtype("float32"): scipy.linalg.blas.saxpy, np.dtype("float64"): scipy.linalg.blas.daxpy}


def sgd_update(w, dw, state, lr):
    """`optimizers.sgd_step` on a flat vector, in place."""
    AXPY[w.dtype](dw, w, a=-lr)
    return state


def adam_update(w, dw, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """`optimizers.adam_step` on a flat vector: `w` and the state's arrays change in place."""
    t = state.t + 1
    # lr·m̂/(√v̂ + ε) with the corrections c₁ and c₂ moved into two numbers: (lr·√c₂/c₁) · m/(√v + ε√c₂)
    root = math.sqrt(1.0 - beta2**t)
    rate = lr * root / (1.0 - beta1**t)
    axpy = AXPY[w.dtype]
    scratch = np.empty(min(len(w), BLOCK), w.dtype)
    for start in range(0, len(w), BLOCK):
        block = slice(start, start + BLOCK)
        g, m, v = dw[block], state.m[block], state.v[block]
        s = scratch[: len(g)]
        m *= beta1
        axpy(g, m, a=1.0 - beta1)
        v *= beta2
        np.multiply(g, g, out=s)
        axpy(s, v, a=1.0 - beta2)
        np.sqrt(v, out=s)
        s += eps * root
        np.divide(m, s, out=s)
        axpy(s, w[block], a=-rate)
    return state._replace(t=t)
