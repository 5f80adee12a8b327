"""Fast twins of multi-head attention and of the transformer block."""

import math

import numpy as np

from .. import attention
from ._shared import BLOCK, assign, with_formula
from .activations import activation_backward, activation_forward
from .layers import linear_backward, linear_forward
from .normalization import layernorm_backward, layernorm_forward


def multi_head_attention_forward(X, Wq, Wk, Wv, Wo, heads, mask=None):
    """`attention.multi_head_attention_forward`: heads as views, a few scores at a time, the softmax's division deferred.

    With E = exp(S − max) and its sums z over the keys, the weights are E/z; E and 1/z are kept, and 1/z scales the short
    rows of Y instead of the long ones of the weights. E stands transposed, a row for each key: the maxima over the keys
    are then those of whole rows, in half the time of those inside of short ones.
    """
    N, T, D = X.shape
    if mask is not None and (mask.ndim != 2 or not mask.any(axis=-1).all()):
        return with_formula(attention.multi_head_attention_forward(X, Wq, Wk, Wv, Wo, heads, mask))
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
        return assign(attention.multi_head_attention_backward(dY, cache[0]), out)
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


def transformer_block_forward(X, params, heads, mask=None, mlp="gelu", norm="layer"):
    """`attention.transformer_block_forward` with gelu and layer norm; the other forms are left to the formula."""
    if (mlp, norm) != ("gelu", "layer"):
        return with_formula(attention.transformer_block_forward(X, params, heads, mask, mlp, norm))
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
    if len(cache) == 1:
        dX, gradients = attention.transformer_block_backward(dY, cache[0])
        for name, view in (out or {}).items():
            view[...] = gradients[name]
        return dX, gradients
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
