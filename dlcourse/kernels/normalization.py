"""Fast twins of batch norm in training and of layer norm."""

import math

import numpy as np

from ..normalization import BatchNormState
from ._shared import BLOCK, column_sums


def batchnorm_forward(X, gamma, beta, state, train=True, momentum=0.1, eps=1e-5):
    """`normalization.batchnorm_forward` in training, as an affine map for each feature."""
    x = X.reshape(-1, X.shape[-1])
    m = len(x)
    if m < 2:
        raise ValueError(f"X: expected at least two rows in training, got shape {X.shape}")
    mu = column_sums(x)
    mu /= m
    x, wide_mu = _side_by_side(x, mu)
    centred = (x - wide_mu).reshape(m, -1)
    sigma2 = np.einsum("nc,nc->c", centred, centred)
    sigma2 /= m
    if _far_from_zero(mu, sigma2, eps):
        rest = column_sums(centred)
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
    dbeta[...] = column_sums(dy)
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
    dbeta[...] = column_sums(dy)
    if not inputs:
        return None, dgamma, dbeta
    dX = dy * gamma
    along = np.einsum("nd,nd->n", dX, x_hat) / len(gamma)
    dX -= (dX @ mean)[:, None]
    dX -= x_hat * along[:, None]
    dX *= inverse[:, None]
    return dX.reshape(dY.shape), dgamma, dbeta


def _far_from_zero(mu, sigma2, eps):
    """Whether a mean is so large that what it was rounded by would be seen after the division by √(σ² + ε)."""
    return bool((mu * mu > sigma2 + eps).any())


def _side_by_side(x, *vectors):
    """The rows of x several to a row, and the vectors as often: with short rows NumPy spends its time between them."""
    rows, C = x.shape
    k = math.gcd(rows, 2 ** max(0, (BLOCK // 4 // C).bit_length() - 1))
    return x.reshape(rows // k, k * C), *(np.repeat(v[None], k, axis=0).reshape(-1) for v in vectors)
