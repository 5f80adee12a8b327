"""Fast NumPy twins of the formulas that training runs in its inner loop.

Each twin takes the arguments of the formula function of the same name and returns the same values; `training` uses it
for NumPy arrays, and tests hold the two together. A backward twin takes two options more: `out`, arrays that the
parameters' gradients are written into, and `inputs=False` where nobody asks for the gradient of the input. The twins
do not check their arguments: `training` has done so. Where a formula is fast enough as it stands, it has no twin.
"""

import math
from typing import NamedTuple

import numpy as np
import scipy.linalg.blas

from .. import attention, convolution, layers
from ..normalization import BatchNormState


def linear_forward(X, W, b):
    """`layers.linear_forward`."""
    U = X.dot(W)
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
        _ones(len(X), X.dtype).dot(dU, out=db)  # column sums: three times as fast as sum(axis=0)
    return dU.dot(W.T) if inputs else None, dW, db


def activation_forward(X, name, out=None, **options):
    """`layers.activation_forward`; `out=X` writes over the caller's own X where the backward pass does not need it."""
    if name == "relu":
        # Against the number 0 `maximum` takes four times as long; a row of zeros is enough where there are many
        Y = np.maximum(X, np.zeros(X.shape if X.size <= BLOCK else X.shape[-1:], X.dtype), out=out)
        return Y, (name, Y, None)
    if name == "tanh":
        Y = np.tanh(X, out=out)
        return Y, (name, Y, None)
    if name == "sigmoid":
        Y = np.empty_like(X, order="C") if out is None else out
        scratch = np.empty(min(X.size, BLOCK), X.dtype)
        for x, y in _blocks(X, Y):
            _sigmoid(x, y, scratch[: x.size])
        return Y, (name, Y, None)
    if name == "gelu_tanh":
        Y, P = np.empty_like(X, order="C"), np.empty_like(X, order="C")
        for x, y, p in _blocks(X, Y, P):
            # ½(1 + tanh u) = σ(2u)
            np.multiply(x, x, out=y)
            y *= 2.0 * GELU_C * GELU_A
            y += 2.0 * GELU_C
            y *= x
            _sigmoid(y, p)
            np.multiply(x, p, out=y)
        return Y, (name, X, P)
    if name == "gelu" and X.dtype == np.float32:
        Y, dY = np.empty_like(X, order="C"), np.empty_like(X, order="C")
        for x, y, dy in _blocks(X, Y, dY):
            _gelu_and_slope(x, y, dy)
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
    for dy, x, p, dx in _blocks(dY, X, X if P is None else P, dX):
        if name == "tanh":
            np.multiply(x, x, out=dx)
            np.subtract(1.0, dx, out=dx)
        elif name == "sigmoid":
            np.subtract(1.0, x, out=dx)
            dx *= x
        else:
            # p + x p(1 − p)·2u′, the bracket as 1 + x(1 − p)·2u′
            np.multiply(x, x, out=dx)
            dx *= 6.0 * GELU_C * GELU_A
            dx += 2.0 * GELU_C
            dx *= x
            dx *= 1.0 - p
            dx += 1.0
            dx *= p
        dx *= dy
    return dX


GELU_C, GELU_A = math.sqrt(2.0 / math.pi), 0.044715
SIGN_BIT = np.int32(-(2**31))  # of a float32

# Elements that are worked on at a time: they and their scratch stay in the second-level cache
BLOCK = 32_768

# As arrays, the number 1 and where the sigmoid is 1 in any precision: `minimum` with a number takes four times as long
ONES = {np.dtype(name): np.ones(BLOCK, name) for name in ("float32", "float64")}
BOUND = {dtype: 40.0 * ones for dtype, ones in ONES.items()}


def _ones(n, dtype):
    """n ones; made anew they take as long as a small product with them."""
    return ONES[dtype][:n] if n <= BLOCK else np.ones(n, dtype)


def _blocks(*arrays):
    """Matching pieces of the arrays, as flat views; of one that is not contiguous (never an output), of a copy."""
    if arrays[0].size <= BLOCK:
        yield [x.reshape(-1) for x in arrays]
        return
    flat = [x.reshape(-1) for x in arrays]
    for start in range(0, arrays[0].size, BLOCK):
        yield [x[start : start + BLOCK] for x in flat]


def _sigmoid(x, y, scratch=None):
    """`activations.sigmoid` of a flat x, into y (which may be x), as E/(1 + E) with E = exp(min(x, 40)): one exp."""
    np.minimum(x, BOUND[x.dtype][: len(x)] if len(x) <= BLOCK else 40.0, out=y)
    np.exp(y, out=y)
    y /= np.add(y, 1.0, out=scratch)


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


def softmax_cross_entropy_with_grad(logits, labels):
    """`losses.softmax_cross_entropy` and its gradient, mean over (N,) labels: one buffer from logits to gradient."""
    N, K = logits.shape
    dU = np.empty_like(logits, order="C")
    ones = _ones(K, logits.dtype)
    size = max(1, 4 * BLOCK // K)
    labels = labels.astype(np.intp, copy=False)
    total = 0.0
    for start in range(0, N, size):
        U, e = logits[start : start + size], dU[start : start + size]
        if U.size < LARGE_SUM**2 and np.vdot(U, U) < LARGE_SUM**2:
            sums, logs = _log_sums(U, e, ones)  # no logit is large
        else:
            with np.errstate(over="ignore", divide="ignore"):
                sums, logs = _log_sums(U, e, ones)
            # Only where a row of exponentials is very large or small does the shift by its maximum change anything
            if not np.maximum.reduce(np.abs(logs)) < LARGE_SUM:
                U = U - np.maximum.reduce(U, axis=1, keepdims=True)
                sums, logs = _log_sums(U, e, ones)
        at_label = labels[start : start + size] + np.arange(0, e.size, K)
        logs -= U.reshape(-1).take(at_label)
        total += _column_sums(logs)
        sums *= N
        e /= sums[:, None]
        e.reshape(-1)[at_label] -= 1.0 / N
    return total / N, dU


LARGE_SUM = 46.0  # e⁴⁶ = 1e20: a sum of exponentials beyond it, or its inverse, nears the ends of float32


def _log_sums(U, e, ones):
    """exp U into e, the sums of its rows, and their logarithms."""
    np.exp(U, out=e)
    sums = e.dot(ones)
    return sums, np.log(sums)


# x *= a, and y += a·x in one pass
SCAL = {np.dtype("float32"): scipy.linalg.blas.sscal, np.dtype("float64"): scipy.linalg.blas.dscal}
AXPY = {np.dtype("float32"): scipy.linalg.blas.saxpy, np.dtype("float64"): scipy.linalg.blas.daxpy}


def sgd_update(w, dw, state, lr):
    """`optimizers.sgd_step` on a flat vector, in place."""
    AXPY[w.dtype](dw, w, a=-lr)
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
    axpy = AXPY[w.dtype]
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
    SCAL[x.dtype](number, x)
    return 1.0


def _column_sums(x):
    """Sums over the rows, three times as fast as sum(axis=0)."""
    return _ones(len(x), x.dtype).dot(x)


def _far_from_zero(mu, sigma2, eps):
    """Whether a mean is so large that what it was rounded by would be seen after the division by √(σ² + ε)."""
    return bool((mu * mu > sigma2 + eps).any())


def _side_by_side(x, *vectors):
    """The rows of x several to a row, and the vectors as often: with short rows NumPy spends its time between them."""
    rows, C = x.shape
    k = math.gcd(rows, 2 ** max(0, (BLOCK // 4 // C).bit_length() - 1))
    return x.reshape(rows // k, k * C), *(np.concatenate((v,) * k) for v in vectors)


def batchnorm_forward(X, gamma, beta, state, train=True, momentum=0.1, eps=1e-5):
    """`normalization.batchnorm_forward` in training, as an affine map for each feature."""
    x = X.reshape(-1, X.shape[-1])
    m = len(x)
    if m < 2:
        raise ValueError(f"X: expected at least two rows in training, got shape {X.shape}")
    mu = _column_sums(x)
    mu /= m
    x, wide_mu = _side_by_side(x, mu)
    centred = (x - wide_mu).reshape(m, -1)
    sigma2 = np.einsum("nc,nc->c", centred, centred)
    sigma2 /= m
    if _far_from_zero(mu, sigma2, eps):
        rest = _column_sums(centred)
        rest /= m
        centred -= rest
        mu += rest
        sigma2 = np.einsum("nc,nc->c", centred, centred) / m
    state = BatchNormState(
        (1.0 - momentum) * state.mean + momentum * mu.astype(state.mean.dtype, copy=False),
        (1.0 - momentum) * state.var + momentum * m / (m - 1) * sigma2.astype(state.var.dtype, copy=False),
    )
    inverse = 1.0 / np.sqrt(sigma2 + eps)
    x, scale, shift = _side_by_side(centred, gamma * inverse, beta)
    Y = x * scale
    Y += shift
    return Y.reshape(X.shape), (centred, gamma, inverse), state


def batchnorm_backward(dY, cache, out=None, inputs=True):
    """`normalization.batchnorm_backward` after training."""
    centred, gamma, inverse = cache
    dy = dY.reshape(centred.shape)
    dgamma, dbeta = out or (np.empty_like(gamma), np.empty_like(gamma))
    dbeta[...] = _column_sums(dy)
    np.multiply(np.einsum("nc,nc->c", dy, centred), inverse, out=dgamma)
    if not inputs:
        return None, dgamma, dbeta
    # dx = (γ/s)(dy − dβ/m − x̂ dγ/m)
    m = len(dy)
    x, slope, shift, scale = _side_by_side(centred, inverse * dgamma / -m, dbeta / m, gamma * inverse)
    dX = x * slope
    dX += dy.reshape(dX.shape)
    dX -= shift
    dX *= scale
    return dX.reshape(dY.shape), dgamma, dbeta


def layernorm_forward(X, gamma, beta, eps=1e-5):
    """`normalization.layernorm_forward`: row sums as products with ones."""
    x = X.reshape(-1, X.shape[-1])
    D = x.shape[1]
    mean = np.full(D, 1.0 / D, X.dtype)
    mu = x @ mean
    x_hat = x - mu[:, None]
    sigma2 = np.einsum("nd,nd->n", x_hat, x_hat) / D
    if _far_from_zero(mu, sigma2, eps):
        x_hat -= (x_hat @ mean)[:, None]
        sigma2 = np.einsum("nd,nd->n", x_hat, x_hat) / D
    inverse = 1.0 / np.sqrt(sigma2 + eps)
    x_hat *= inverse[:, None]
    Y = x_hat * gamma
    Y += beta
    return Y.reshape(X.shape), (x_hat, gamma, inverse, mean)


def layernorm_backward(dY, cache, out=None, inputs=True):
    """`normalization.layernorm_backward`."""
    x_hat, gamma, inverse, mean = cache
    dy = dY.reshape(x_hat.shape)
    dgamma, dbeta = out or (np.empty_like(gamma), np.empty_like(gamma))
    np.einsum("nd,nd->d", dy, x_hat, out=dgamma)
    dbeta[...] = _column_sums(dy)
    if not inputs:
        return None, dgamma, dbeta
    dX = dy * gamma
    along = np.einsum("nd,nd->n", dX, x_hat) / len(gamma)
    dX -= (dX @ mean)[:, None]
    dX -= x_hat * along[:, None]
    dX *= inverse[:, None]
    return dX.reshape(dY.shape), dgamma, dbeta


def multi_head_attention_forward(X, Wq, Wk, Wv, Wo, heads, mask=None):
    """`attention.multi_head_attention_forward`: heads as views, a few scores at a time, the softmax's division put off.

    With E = exp(S − max) and its sums z over the keys, the weights are E/z; E and 1/z are kept, and 1/z scales the short
    rows of Y instead of the long ones of the weights. E stands transposed, a row for each key: the maxima over the keys
    are then those of whole rows, in half the time of those inside of short ones.
    """
    N, T, D = X.shape
    if mask is not None and (mask.ndim != 2 or not mask.any(axis=-1).all()):
        return _with_formula(attention.multi_head_attention_forward(X, Wq, Wk, Wv, Wo, heads, mask))
    x = X.reshape(N * T, D)
    E = Wq.shape[1]
    Q, K, V = x @ Wq, x @ Wk, x @ Wv
    Q *= 1.0 / math.sqrt(E // heads)
    Z = np.empty_like(Q)
    q, k, v, z = (_heads(a, N, heads) for a in (Q, K, V, Z))
    weights, inverse = np.empty((N, heads, T, T), X.dtype), np.empty((N, heads, 1, T), X.dtype)
    forbidden = None if mask is None else np.where(mask.T, X.dtype.type(0.0), X.dtype.type(-np.inf))
    ones = np.ones((1, T), X.dtype)
    for part in _parts(N, heads, T):
        e, r = weights[part], inverse[part]
        np.matmul(k[part], q[part].swapaxes(-1, -2), out=e)
        if forbidden is not None:
            e += forbidden
        e -= np.maximum.reduce(e, axis=-2, keepdims=True)
        np.exp(e, out=e)
        np.matmul(ones, e, out=r)
        np.divide(1.0, r, out=r)
        np.matmul(e.swapaxes(-1, -2), v[part], out=z[part])
        z[part] *= r.swapaxes(-1, -2)
    Y = Z @ Wo
    return Y.reshape(N, T, D), (x, Wq, Wk, Wv, Wo, Q, K, V, Z, weights, inverse)


def multi_head_attention_backward(dY, cache, out=None, inputs=True):
    """`attention.multi_head_attention_backward`."""
    if len(cache) == 1:
        return _assign(attention.multi_head_attention_backward(dY, cache[0]), out)
    x, Wq, Wk, Wv, Wo, Q, K, V, Z, weights, inverse = cache
    N, heads, T, _ = weights.shape
    dWq, dWk, dWv, dWo = out or [np.empty_like(W) for W in (Wq, Wk, Wv, Wo)]
    dy = dY.reshape(N * T, -1)
    np.matmul(Z.T, dy, out=dWo)
    dZ = dy @ Wo.T
    q, k, v, z, dz = (_heads(a, N, heads) for a in (Q, K, V, Z, dZ))
    dQ, dK, dV = np.empty_like(Q), np.empty_like(K), np.empty_like(V)
    dq, dk, dv = (_heads(a, N, heads) for a in (dQ, dK, dV))
    # the softmax's row term Σ dP·P is dz·z, over d entries instead of T
    row = np.einsum("nhtd,nhtd->nht", dz, z)[:, :, None, :]
    row *= inverse
    dz *= inverse.swapaxes(-1, -2)
    for part in _parts(N, heads, T):
        e = weights[part]
        dS = v[part] @ dz[part].swapaxes(-1, -2)
        dS -= row[part]
        dS *= e
        np.matmul(e, dz[part], out=dv[part])
        np.matmul(dS.swapaxes(-1, -2), k[part], out=dq[part])
        np.matmul(dS, q[part], out=dk[part])
    dQ *= 1.0 / math.sqrt(Q.shape[1] // heads)
    for d, dW in ((dQ, dWq), (dK, dWk), (dV, dWv)):
        np.matmul(x.T, d, out=dW)
    dX = None
    if inputs:
        dX = dQ @ Wq.T
        dX += dK @ Wk.T
        dX += dV @ Wv.T
        dX = dX.reshape(dY.shape)
    return dX, dWq, dWk, dWv, dWo


def _heads(x, N, heads):
    """(N·T, E) as a view (N, heads, T, E/heads)."""
    return x.reshape(N, len(x) // N, heads, -1).transpose(0, 2, 1, 3)


def _parts(N, heads, T):
    """Index pairs into (N, heads, …) that each hold about BLOCK of the T×T scores."""
    count = max(1, BLOCK // (T * T))
    if count >= heads:
        step = count // heads
        return [(slice(n, n + step), slice(None)) for n in range(0, N, step)]
    return [(n, slice(h, h + count)) for n in range(N) for h in range(0, heads, count)]


def _with_formula(results):
    """A formula's output with a cache that says so: rare cases are left to it."""
    *out, cache = results
    return *out, (cache,)


def _assign(gradients, out):
    """The gradients, those of parameters also written to `out`."""
    for view, gradient in zip(out or [], gradients[1:], strict=False):
        view[...] = gradient
    return gradients


def transformer_block_forward(X, params, heads, mask=None):
    """`attention.transformer_block_forward`."""
    p = params
    A, norm1 = layernorm_forward(X, p["gamma1"], p["beta1"])
    Z, attended = multi_head_attention_forward(A, p["Wq"], p["Wk"], p["Wv"], p["Wo"], heads, mask)
    Z += X
    B, norm2 = layernorm_forward(Z, p["gamma2"], p["beta2"])
    U, linear1 = linear_forward(B.reshape(-1, X.shape[-1]), p["W1"], p["b1"])
    G, activated = activation_forward(U, "gelu")
    Y, linear2 = linear_forward(G, p["W2"], p["b2"])
    Y = Y.reshape(X.shape)
    Y += Z
    return Y, (params, norm1, attended, norm2, linear1, activated, linear2)


def transformer_block_backward(dY, cache, out=None, inputs=True):
    """`attention.transformer_block_backward`."""
    params, norm1, attended, norm2, linear1, activated, linear2 = cache
    d = out or {name: np.empty_like(x) for name, x in params.items()}
    dG, _, _ = linear_backward(dY.reshape(-1, dY.shape[-1]), linear2, out=(d["W2"], d["b2"]))
    dU = activation_backward(dG, activated)
    dB, _, _ = linear_backward(dU, linear1, out=(d["W1"], d["b1"]))
    dZ = layernorm_backward(dB.reshape(dY.shape), norm2, out=(d["gamma2"], d["beta2"]))[0]
    dZ += dY
    weights = [d[name] for name in ("Wq", "Wk", "Wv", "Wo")]
    dA = multi_head_attention_backward(dZ, attended, out=weights)[0]
    dX = layernorm_backward(dA, norm1, out=(d["gamma1"], d["beta1"]), inputs=inputs)[0]
    if inputs:
        dX += dZ
    return dX, d


def conv2d_forward(X, W, b, stride=1, padding=0):
    """`convolution.conv2d_forward` for stride 1: the same runs and products, in buffers that are used again."""
    if stride != 1 or padding >= min(W.shape[:2]):
        return _with_formula(convolution.conv2d_forward(X, W, b, stride, padding))
    return _correlate(X, W, b, padding), (X, W, padding)


def conv2d_backward(dY, cache, out=None, inputs=True):
    """`convolution.conv2d_backward`."""
    if len(cache) == 1:
        return _assign(convolution.conv2d_backward(dY, cache[0]), out)
    X, W, padding = cache
    (_, out_h, out_w, K), (kh, kw, C, _) = dY.shape, W.shape
    dW, db = out or (np.empty_like(W), np.empty(K, W.dtype))
    db[...] = _column_sums(dY.reshape(-1, K))
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


def lstm_forward(X, h0, c0, Wx, Wh, b):
    """`recurrent.lstm_forward`, time first, so that a step's rows lie side by side; one product for all inputs.

    All four gates are one sigmoid: tanh u = 2σ(2u) − 1, with the factor 2 in that gate's weights.
    """
    N, T, D = X.shape
    H = h0.shape[1]
    memory = slice(2 * H, 3 * H)
    x = np.ascontiguousarray(X.swapaxes(0, 1)).reshape(T * N, D)
    A = x @ Wx
    A += b
    A[:, memory] *= 2.0
    A = A.reshape(T, N, 4 * H)
    W = np.array(Wh, order="C")
    W[:, memory] *= 2.0
    h, c, tanh_c = (np.empty((T + extra, N, H), X.dtype) for extra in (1, 1, 0))
    h[0], c[0] = h0, c0
    U, scratch = np.empty((N, 4 * H), X.dtype), np.empty((N, H), X.dtype)
    for t in range(T):
        a = A[t]
        np.matmul(h[t], W, out=U)
        a += U
        _sigmoid(a.reshape(-1), a.reshape(-1), U.reshape(-1))
        g = a[:, memory]
        g *= 2.0
        g -= 1.0
        np.multiply(a[:, H : 2 * H], c[t], out=c[t + 1])
        np.multiply(a[:, :H], g, out=scratch)
        c[t + 1] += scratch
        np.tanh(c[t + 1], out=tanh_c[t])
        np.multiply(a[:, 3 * H :], tanh_c[t], out=h[t + 1])
    out = np.ascontiguousarray(h[1:].swapaxes(0, 1))
    return out, (h[T].copy(), c[T].copy()), (x, Wx, Wh, A, h, c, tanh_c)


def lstm_backward(dH, cache, dhT=None, dcT=None, out=None, inputs=True):
    """`recurrent.lstm_backward`, a step's four gates side by side; the weights' gradients as one product at the end."""
    x, Wx, Wh, A, h, c, tanh_c = cache
    T, N, H = tanh_c.shape
    dWx, dWh, db = out or [np.empty_like(w) for w in (Wx, Wh, Wx[0])]
    dH = np.ascontiguousarray(dH.swapaxes(0, 1))
    dh = np.zeros((N, H), A.dtype) if dhT is None else np.array(dhT, A.dtype)
    dc = np.zeros((N, H), A.dtype) if dcT is None else np.array(dcT, A.dtype)
    dA, through = np.empty_like(A), np.empty_like(dh)
    for t in range(T - 1, -1, -1):
        a, du = A[t], dA[t]
        i, f, g, o = (a[:, k * H : (k + 1) * H] for k in range(4))
        du_i, du_f, du_g, du_o = (du[:, k * H : (k + 1) * H] for k in range(4))
        dh += dH[t]
        np.multiply(tanh_c[t], tanh_c[t], out=through)
        np.subtract(1.0, through, out=through)
        through *= o
        through *= dh
        dc += through
        # each gate: its own slope, times what it is multiplied with, times the flow
        np.subtract(1.0, a, out=du)
        du *= a
        du_i *= g
        du_f *= c[t]
        du_o *= tanh_c[t]
        np.multiply(g, g, out=du_g)
        np.subtract(1.0, du_g, out=du_g)
        du_g *= i
        du.reshape(N, 4, H)[:, :3] *= dc[:, None, :]
        du_o *= dh
        dc *= f
        np.matmul(du, Wh.T, out=dh)
    dA = dA.reshape(T * N, 4 * H)
    np.matmul(x.T, dA, out=dWx)
    np.matmul(h[:-1].reshape(T * N, H).T, dA, out=dWh)
    db[...] = _column_sums(dA)
    dX = np.ascontiguousarray((dA @ Wx.T).reshape(T, N, -1).swapaxes(0, 1)) if inputs else None
    return dX, dh, dc, dWx, dWh, db


def gru_forward(X, h0, Wx, Wh, bx, bh, reset_after=False):
    """`recurrent.gru_forward`, time first, so that a step's rows lie side by side; one product for all inputs."""
    N, T, D = X.shape
    H = h0.shape[1]
    x = np.ascontiguousarray(X.swapaxes(0, 1)).reshape(T * N, D)
    A = x @ Wx
    A += bx
    A[:, : 2 * H] += bh[: 2 * H]
    if not reset_after:
        A[:, 2 * H :] += bh[2 * H :]
    A = A.reshape(T, N, 3 * H)
    states = np.empty((T + 1, N, H), X.dtype)
    S = np.empty((T, N, H), X.dtype)
    states[0] = h0
    U, rz, both, scratch = (np.empty((N, k * H), X.dtype) for k in (3, 2, 2, 1))
    W_rz, W_n = (
        (Wh, None) if reset_after else (np.ascontiguousarray(Wh[:, : 2 * H]), np.ascontiguousarray(Wh[:, 2 * H :]))
    )
    for t in range(T):
        h, s, gates, n = states[t], S[t], A[t, :, : 2 * H], A[t, :, 2 * H :]
        if reset_after:
            np.matmul(h, W_rz, out=U)
            np.add(gates, U[:, : 2 * H], out=rz)
        else:
            np.matmul(h, W_rz, out=rz)
            rz += gates
        _sigmoid(rz.reshape(-1), rz.reshape(-1), both.reshape(-1))
        gates[...] = rz
        if reset_after:
            np.add(U[:, 2 * H :], bh[2 * H :], out=s)
            np.multiply(rz[:, :H], s, out=scratch)
        else:
            np.multiply(rz[:, :H], h, out=s)
            np.matmul(s, W_n, out=scratch)
        scratch += n
        np.tanh(scratch, out=scratch)
        n[...] = scratch
        scratch -= h
        scratch *= rz[:, H:]
        np.add(h, scratch, out=states[t + 1])
    out = np.ascontiguousarray(states[1:].swapaxes(0, 1))
    return out, (x, Wx, Wh, A, states, S, reset_after)


def gru_backward(dH, cache, out=None, inputs=True):
    """`recurrent.gru_backward`: what does not depend on the flow is computed for all steps at once, before the loop."""
    x, Wx, Wh, A, states, S, reset_after = cache
    T, N, H = S.shape
    dWx, dWh, dbx, dbh = out or [np.empty_like(w) for w in (Wx, Wh, Wx[0], Wx[0])]
    r, z, n, h = A[..., :H], A[..., H : 2 * H], A[..., 2 * H :], states[:-1]
    slope_n = n * n
    np.subtract(1.0, slope_n, out=slope_n)
    slope_n *= z
    keep = 1.0 - z
    slope_z = n - h
    slope_z *= z
    slope_z *= keep
    slope_r = 1.0 - r
    slope_r *= r
    slope_r *= S if reset_after else h
    dH = np.ascontiguousarray(dH.swapaxes(0, 1))
    dA, dS = np.empty_like(A), np.empty_like(S)
    du = np.empty((N, 3 * H), A.dtype)
    W_T = Wh.T if reset_after else Wh[:, : 2 * H].T
    dh, scratch = np.zeros((N, H), A.dtype), np.empty((N, H), A.dtype)
    for t in range(T - 1, -1, -1):
        dh += dH[t]
        da, ds = dA[t], dS[t]
        np.multiply(dh, slope_z[t], out=du[:, H : 2 * H])
        np.multiply(dh, slope_n[t], out=ds)
        dh *= keep[t]
        if reset_after:
            np.multiply(ds, slope_r[t], out=du[:, :H])
            da[:, 2 * H :] = ds
            ds *= r[t]
            du[:, 2 * H :] = ds
            np.matmul(du, W_T, out=scratch)
        else:
            # through s = r⊙h: d(r⊙h) = dn Unᵀ
            flow = ds @ Wh[:, 2 * H :].T
            np.multiply(flow, slope_r[t], out=du[:, :H])
            da[:, 2 * H :] = ds
            flow *= r[t]
            dh += flow
            np.matmul(du[:, : 2 * H], W_T, out=scratch)
        da[:, : 2 * H] = du[:, : 2 * H]
        dh += scratch
    dA, dS, before = dA.reshape(T * N, -1), dS.reshape(T * N, H), h.reshape(T * N, H)
    np.matmul(x.T, dA, out=dWx)
    dbx[...] = _column_sums(dA)
    dWh[:, : 2 * H] = before.T @ dA[:, : 2 * H]
    dWh[:, 2 * H :] = (before if reset_after else S.reshape(T * N, H)).T @ dS
    dbh[: 2 * H] = dbx[: 2 * H]
    dbh[2 * H :] = _column_sums(dS)
    dX = np.ascontiguousarray((dA @ Wx.T).reshape(T, N, -1).swapaxes(0, 1)) if inputs else None
    return dX, dh, dWx, dWh, dbx, dbh
