r"""Normalization: each feature with mean 0 and variance 1, then a learned scale and
shift.

.. math::
    μ = 1/m Σ_i x_i
    σ² = 1/m Σ_i (x_i − μ)²
    x̂_i = (x_i − μ)/√(σ² + ε)
    y_i = γ x̂_i + β

Batch norm takes μ and σ² of each feature over the m rows of the batch (images: over
all pixels of all images), and in evaluation their running averages; layer norm
takes them of each row over its D features, in training and evaluation alike. μ and
σ² depend on every x of their group, so the backward pass has three paths to x:
straight through, through the mean and through the variance. RMS norm leaves the
mean out and divides by the root mean square, `y = γ x/√(1/D Σ_j x_j² + ε)`.
"""

from typing import Any, NamedTuple

from ._array import array_namespace, size
from ._checks import as_floating, check_gradient, check_integer, check_number, check_shapes, check_state

__all__ = [
    "BatchNormState",
    "NormCache",
    "RMSNormCache",
    "batchnorm_backward",
    "batchnorm_forward",
    "batchnorm_init",
    "layernorm_backward",
    "layernorm_forward",
    "rmsnorm_backward",
    "rmsnorm_forward",
]


def __dir__():
    return __all__


class BatchNormState(NamedTuple):
    """Running averages of the mean μ and the (unbiased) variance σ² of each feature, (D,)
    each.
    """

    mean: Any
    var: Any


class NormCache(NamedTuple):
    """x̂, normalised X; γ; s = √(σ² + ε); train: whether μ and σ² came from this X."""

    x_hat: Any
    gamma: Any
    s: Any
    train: bool


class RMSNormCache(NamedTuple):
    """x̂ = X/s; γ; s = √(1/D Σ_j x_j² + ε) of each row."""

    x_hat: Any
    gamma: Any
    s: Any


def batchnorm_init(D):
    """Scale `γ = 1`, shift `β = 0`, and the running statistics `μ = 0`, `σ² = 1`.

    Parameters
    ----------
    D : number of features (channels).

    Returns
    -------
    gamma, beta : (D,) arrays.
    state : BatchNormState(mean, var) of (D,) arrays.

    Examples
    --------
    >>> gamma, beta, state = batchnorm_init(2)
    >>> gamma, beta, state.mean, state.var
    (array([1., 1.]), array([0., 0.]), array([0., 0.]), array([1., 1.]))
    """
    D = check_integer("D", D)
    gamma, beta, mean, var = (as_floating([value] * D) for value in (1.0, 0.0, 0.0, 1.0))
    return gamma, beta, BatchNormState(mean, var)


def batchnorm_forward(X, gamma, beta, state, train=True, momentum=0.1, eps=1e-5):
    """Batch normalization: `Y = γ (X − μ)/√(σ² + ε) + β`, feature by feature.

    In training μ and σ² are those of the batch, and the running statistics move towards
    them, `μ_run ← (1 − a) μ_run + a μ` and `σ²_run ← (1 − a) σ²_run + a m/(m − 1) σ²`;
    in evaluation they are the running ones.

    Parameters
    ----------
    X : (N, D) or (N, H, W, C) array; the m rows are all positions along all axes but
        the last.
    gamma, beta : (D,) arrays γ and β, scale and shift.
    state : BatchNormState(mean, var), the running statistics.
    train : whether to use the batch's statistics.
    momentum : the weight a of the new batch in the running statistics, in [0, 1].
    eps : ε, positive, inside the root: a feature that never varies gives β, without a
        warning.

    Returns
    -------
    Y : array like X.
    cache : NormCache for `batchnorm_backward`.
    state : the new running statistics; after an evaluation, the old ones.

    Raises
    ------
    ValueError : in training, fewer than two rows: then every x̂ would be 0 and nothing
        could be learned.

    Notes
    -----
    The variance is the biased one (÷ m) where it normalises, and the unbiased one (÷ (m
    − 1)) where it is kept for evaluation, as in the paper and in PyTorch (E33). X
    decides the dtype; the running statistics keep theirs.
    Source: Ioffe, Szegedy, Batch normalization (ICML 2015), algorithms 1 and 2; notes
    000, 004.
    Fast twin: `kernels.normalization.batchnorm_forward`.

    Examples
    --------
    >>> gamma, beta, state = batchnorm_init(1)
    >>> Y, cache, state = batchnorm_forward(
    ...     np.array([[1.0], [3.0]]), gamma, beta, state, eps=1e-12
    ... )
    >>> Y.round(6)
    array([[-1.], [ 1.]])
    >>> float(state.mean[0]), round(float(state.var[0]), 6)
    (0.2, 1.1)
    """
    mean, var = check_state(state, BatchNormState)
    X, gamma, beta, eps, mean, var = _check(X, eps, gamma=gamma, beta=beta, mean=mean, var=var)
    a = check_number("momentum", momentum, 0.0, 1.0)
    if X.ndim < 2:
        raise ValueError(f"X: expected shape (N, D) or (N, H, W, C), got {tuple(X.shape)}")
    xp = array_namespace(X)
    if train:
        rows = tuple(range(X.ndim - 1))
        m = size(X) // X.shape[-1]
        if m < 2:
            raise ValueError(f"X: expected at least two rows in training, got shape {tuple(X.shape)}")
        mu = xp.mean(X, axis=rows)
        x_hat = X - mu
        rest = xp.mean(x_hat, axis=rows)  # what μ was rounded by: in a feature that never varies 1/√ε would multiply it
        mu, x_hat = mu + rest, x_hat - rest
        sigma2 = xp.mean(x_hat * x_hat, axis=rows)
        mean = (1.0 - a) * mean + a * _as_dtype(mu, mean.dtype)
        var = (1.0 - a) * var + a * (m / (m - 1)) * _as_dtype(sigma2, var.dtype)
    else:
        mean, var = xp.asarray(mean, copy=True), xp.asarray(var, copy=True)
        x_hat = X - xp.astype(mean, X.dtype)
        sigma2 = xp.astype(var, X.dtype)
    s = xp.sqrt(sigma2 + eps)
    x_hat /= s
    return gamma * x_hat + beta, NormCache(x_hat, gamma, s, train), BatchNormState(mean, var)


def batchnorm_backward(dY, cache):
    """Gradients of `batchnorm_forward`.

    `dγ = Σ_i dy_i x̂_i`, `dβ = Σ_i dy_i`, and in training
    `dx_i = (γ/s) (dy_i − dβ/m − x̂_i dγ/m)`, `s = √(σ² + ε)`: straight through, through
    the mean, through the variance. The backward pass of an evaluation treats the
    statistics as constants, `dx_i = (γ/s) dy_i`.

    Parameters
    ----------
    dY : array of the shape of X.
    cache : what `batchnorm_forward` returned.

    Returns
    -------
    dX : array of the shape of X. dgamma, dbeta : (D,) arrays.

    Notes
    -----
    Source: Ioffe, Szegedy (2015), section 3, its six equations put together.
    Fast twin: `kernels.normalization.batchnorm_backward`.

    Examples
    --------
    >>> X = np.array([[1.0], [2.0], [4.0]])
    >>> Y, cache, state = batchnorm_forward(X, *batchnorm_init(1))
    >>> dX, dgamma, dbeta = batchnorm_backward(np.ones((3, 1)), cache)
    >>> bool(np.all(np.abs(dX) < 1e-12)), dbeta
    (True, array([3.]))
    """
    x_hat, gamma, s, train = cache
    dY = check_gradient("dY", dY, like=x_hat)
    xp = array_namespace(dY)
    rows = tuple(range(dY.ndim - 1))
    dgamma = xp.sum(dY * x_hat, axis=rows)
    dbeta = xp.sum(dY, axis=rows)
    if not train:
        return (gamma / s) * dY, dgamma, dbeta
    m = size(dY) // dY.shape[-1]
    dX = dY - dbeta / m
    dX -= x_hat * (dgamma / m)
    dX *= gamma / s
    return dX, dgamma, dbeta


def layernorm_forward(X, gamma, beta, eps=1e-5):
    """Layer normalization: `Y = γ (X − μ)/√(σ² + ε) + β`, μ and σ² over the last axis.

    Parameters
    ----------
    X : (..., D) array.
    gamma, beta : (D,) arrays γ and β, scale and shift.
    eps : ε, positive, inside the root.

    Returns
    -------
    Y : (..., D) array.
    cache : NormCache for `layernorm_backward`.

    Notes
    -----
    Each row is normalised by itself: no running statistics, the same in training and
    evaluation, and a batch of one will do. The variance is the biased one (÷ D).
    Source: Ba, Kiros, Hinton, Layer normalization (2016), section 3.
    Fast twin: `kernels.normalization.layernorm_forward`.

    Examples
    --------
    >>> Y, cache = layernorm_forward(
    ...     np.array([[1.0, 3.0]]), np.ones(2), np.zeros(2), eps=1e-12
    ... )
    >>> Y.round(6)
    array([[-1.,  1.]])
    """
    X, gamma, beta, eps = _check(X, eps, gamma=gamma, beta=beta)
    xp = array_namespace(X)
    x_hat = X - xp.mean(X, axis=-1, keepdims=True)
    x_hat -= xp.mean(x_hat, axis=-1, keepdims=True)  # what μ was rounded by; 1/√ε may be large
    sigma2 = xp.mean(x_hat * x_hat, axis=-1, keepdims=True)
    s = xp.sqrt(sigma2 + eps)
    x_hat /= s
    return gamma * x_hat + beta, NormCache(x_hat, gamma, s, True)


def layernorm_backward(dY, cache):
    """Gradients of `layernorm_forward`.

    `dγ = Σ dy · x̂`, `dβ = Σ dy` over all rows; with `dx̂ = γ dy`, row by row
    `dx = 1/s (dx̂ − 1/D Σ_j dx̂_j − x̂ · 1/D Σ_j dx̂_j x̂_j)`.

    Parameters
    ----------
    dY : (..., D) array.
    cache : what `layernorm_forward` returned.

    Returns
    -------
    dX : (..., D) array. dgamma, dbeta : (D,) arrays.

    Notes
    -----
    Fast twin: `kernels.normalization.layernorm_backward`.

    Examples
    --------
    >>> Y, cache = layernorm_forward(
    ...     np.array([[1.0, 2.0, 4.0]]), np.ones(3), np.zeros(3)
    ... )
    >>> dX, dgamma, dbeta = layernorm_backward(np.ones((1, 3)), cache)
    >>> bool(np.all(np.abs(dX) < 1e-12)), dbeta
    (True, array([1., 1., 1.]))
    """
    x_hat, gamma, s, _ = cache
    dY = check_gradient("dY", dY, like=x_hat)
    xp = array_namespace(dY)
    rows = tuple(range(dY.ndim - 1))
    dgamma = xp.sum(dY * x_hat, axis=rows)
    dbeta = xp.sum(dY, axis=rows)
    dx_hat = gamma * dY
    dX = dx_hat - xp.mean(dx_hat, axis=-1, keepdims=True)
    dX -= x_hat * xp.mean(dx_hat * x_hat, axis=-1, keepdims=True)
    dX /= s
    return dX, dgamma, dbeta


def rmsnorm_forward(X, gamma, eps=1e-5):
    """RMS normalization: `Y = γ X/s`, `s = √(1/D Σ_j x_j² + ε)` over the last axis.

    Parameters
    ----------
    X : (..., D) array.
    gamma : (D,) array γ, the scale.
    eps : ε, positive, inside the root.

    Returns
    -------
    Y : (..., D) array.
    cache : RMSNormCache for `rmsnorm_backward`.

    Notes
    -----
    No mean is subtracted and no shift is added: of layer norm's two invariances, to
    the scale of a row and to its mean, the first is kept. Of a row whose mean is 0,
    layer norm without its shift is the same.
    Source: Zhang, Sennrich, Root mean square layer normalization (NeurIPS 2019),
    equation 4.

    Examples
    --------
    >>> Y, cache = rmsnorm_forward(np.array([[3.0, 4.0]]), np.ones(2), eps=1e-12)
    >>> Y.round(4)  # the root of (9 + 16)/2 is 3.5355
    array([[0.8485, 1.1314]])
    """
    X, gamma, eps = _check(X, eps, gamma=gamma)
    xp = array_namespace(X)
    s = xp.sqrt(xp.mean(X * X, axis=-1, keepdims=True) + eps)
    x_hat = X / s
    return gamma * x_hat, RMSNormCache(x_hat, gamma, s)


def rmsnorm_backward(dY, cache):
    """Gradients of `rmsnorm_forward`.

    `dγ = Σ dy · x̂` over all rows; with `dx̂ = γ dy`, row by row
    `dx = 1/s (dx̂ − x̂ · 1/D Σ_j dx̂_j x̂_j)`.

    Parameters
    ----------
    dY : (..., D) array.
    cache : what `rmsnorm_forward` returned.

    Returns
    -------
    dX : (..., D) array. dgamma : (D,) array.

    Notes
    -----
    Layer norm's backward pass without the path through the mean.

    Examples
    --------
    >>> Y, cache = rmsnorm_forward(np.array([[3.0, 4.0]]), np.ones(2), eps=1e-12)
    >>> dX, dgamma = rmsnorm_backward(np.array([[3.0, 4.0]]), cache)
    >>> bool(np.all(np.abs(dX) < 1e-12))  # along x, Y does not change
    True
    """
    x_hat, gamma, s = cache
    dY = check_gradient("dY", dY, like=x_hat)
    xp = array_namespace(dY)
    dgamma = xp.sum(dY * x_hat, axis=tuple(range(dY.ndim - 1)))
    dx_hat = gamma * dY
    dX = dx_hat - x_hat * xp.mean(dx_hat * x_hat, axis=-1, keepdims=True)
    dX /= s
    return dX, dgamma


def _check(X, eps, *, gamma, beta=None, **statistics):
    """X with at least one row, γ and β in its dtype, ε as a positive float, running statistics in their own dtype."""
    eps = check_number("eps", eps, low=0.0, include_low=False)
    learned = {"gamma": gamma} if beta is None else {"gamma": gamma, "beta": beta}
    spec = "... D" + ", ~D" * len(learned) + ", D" * len(statistics)
    X, *learned = check_shapes(spec, X=X, **learned, **statistics)
    if 0 in X.shape:
        raise ValueError(f"X: expected at least one entry along each axis, got shape {tuple(X.shape)}")
    n = 1 if beta is None else 2
    return X, *learned[:n], eps, *learned[n:]


def _as_dtype(x, dtype):
    """x in another precision; what is complex, for a complex step, stays so."""
    xp = array_namespace(x)
    return x if xp.isdtype(x.dtype, "complex floating") else xp.astype(x, dtype)
