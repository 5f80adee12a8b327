"""Attention: each position takes a weighted mean over all positions.

- Queries, keys and values are three linear maps of the inputs (step 1 of the
  notes): `Q = X W^Q`, `K = X W^K`, `V = X W^V`.
- The scaled dot products of a query with all keys, through a softmax, weight the
  values (step 2): `Y = softmax(Q Kᵀ / √d_k) V`.
- Several heads attend side by side, each in its block of E / heads columns; `W^O`
  mixes their outputs.
- A transformer block adds attention to its input, then a two-layer network:
  `Z = X + MultiHead(LN(X))`, `Y = Z + MLP(LN(Z))`.

Attention is blind to the order of the positions: `sinusoidal_positions` are added
to the inputs to encode it. A mask is True where a query (row) may attend to a key
(column); `causal_mask` hides the future.

Letters: X (N, T, D) sequences, batch first; Q (…, T_q, d_k), K (…, T_k, d_k), V (…,
T_k, d_v).
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from ._array import array_namespace, from_numpy, is_array, rows
from ._checks import as_floating, check_gradient, check_integer, check_shapes
from .activations import gelu, gelu_grad, softmax, softmax_backward
from .layers import linear_backward, linear_forward
from .normalization import layernorm_backward, layernorm_forward

__all__ = [
    "BLOCK_PARAMS",
    "AttentionCache",
    "MultiHeadAttentionCache",
    "SelfAttentionCache",
    "TransformerBlockCache",
    "causal_mask",
    "multi_head_attention_backward",
    "multi_head_attention_forward",
    "scaled_dot_product_attention_backward",
    "scaled_dot_product_attention_forward",
    "self_attention_backward",
    "self_attention_forward",
    "sinusoidal_positions",
    "transformer_block_backward",
    "transformer_block_forward",
]


def __dir__():
    return __all__


class AttentionCache(NamedTuple):
    """What the backward pass needs; weights (…, T_q, T_k): the share of each value in
    each output.
    """

    Q: Any
    K: Any
    V: Any
    weights: Any


class SelfAttentionCache(NamedTuple):
    """What the backward pass needs; attention: the AttentionCache, with the weights (…, T,
    T).
    """

    X: Any
    Wq: Any
    Wk: Any
    Wv: Any
    attention: AttentionCache


class MultiHeadAttentionCache(NamedTuple):
    """What the backward pass needs; attention: the AttentionCache of all heads (N, heads,
    T, …); Z (N, T, E): their outputs.
    """

    X: Any
    Wq: Any
    Wk: Any
    Wv: Any
    Wo: Any
    attention: AttentionCache
    Z: Any


class TransformerBlockCache(NamedTuple):
    """The caches of the block's parts in the order of the forward pass; U (N·T, F): the
    preactivations of its MLP.
    """

    norm1: Any
    attention: MultiHeadAttentionCache
    norm2: Any
    linear1: Any
    U: Any
    linear2: Any


BLOCK_PARAMS = ("gamma1", "beta1", "Wq", "Wk", "Wv", "Wo", "gamma2", "beta2", "W1", "b1", "W2", "b2")


def scaled_dot_product_attention_forward(Q, K, V, mask=None):
    """Scaled dot-product attention.

    `Y = softmax(Q Kᵀ / √d_k) V`, softmax over the keys.

    Parameters
    ----------
    Q : (…, T_q, d_k) array, queries.
    K : (…, T_k, d_k) array, keys.
    V : (…, T_k, d_v) array, values; the leading axes are the same in all three.
    mask : boolean array that broadcasts to (…, T_q, T_k), True where a query may attend
        to a key; None: everywhere.

    Returns
    -------
    Y : (…, T_q, d_v) array; the row of a query that may attend to nothing is 0.
    cache : for `scaled_dot_product_attention_backward`; `cache.weights` (…, T_q, T_k)
        are the softmax's rows.

    Raises
    ------
    ValueError : the shapes do not fit, or the mask does not broadcast.
    TypeError : the mask is not boolean.

    Notes
    -----
    The dot product of two vectors of d_k independent entries with variance 1 has
    variance d_k; the root brings it back to 1, where the softmax is not yet flat.
    Masked scores are −∞, so that their weights are exactly 0.
    Source: notes 000 (the formula itself is lost there, E07); Vaswani et al., Attention
    is all you need (2017), section 3.2.1.

    Examples
    --------
    >>> Q, K, V = np.zeros((1, 2)), np.ones((3, 2)), np.array([[1.0], [2.0], [6.0]])
    >>> Y, _ = scaled_dot_product_attention_forward(Q, K, V)
    >>> Y  # equal scores: the mean of the values
    array([[3.]])
    >>> mask = np.array([[True, True, False]])
    >>> scaled_dot_product_attention_forward(Q, K, V, mask)[0]
    array([[1.5]])
    """
    Q, K, V = check_shapes("... T_q d_k, ... T_k d_k, ... T_k d_v", Q=Q, K=K, V=V)
    _check_entries("Q", Q)
    xp = array_namespace(Q)
    S = Q @ xp.matrix_transpose(K)
    S /= math.sqrt(Q.shape[-1])
    weights = softmax(S) if mask is None else _masked_softmax(S, _check_mask(mask, S.shape, like=S))
    return weights @ V, AttentionCache(Q, K, V, weights)


def scaled_dot_product_attention_backward(dY, cache):
    r"""Gradients of `scaled_dot_product_attention_forward`.

    .. math::
        dV = Pᵀ dY
        dP = dY Vᵀ
        dS = P ⊙ (dP − Σ_k dP ⊙ P)
        dQ = dS K / √d_k
        dK = dSᵀ Q / √d_k

    P are the attention weights, S the scores.

    Parameters
    ----------
    dY : (…, T_q, d_v) array, ∂J/∂Y.
    cache : from `scaled_dot_product_attention_forward`.

    Returns
    -------
    (dQ, dK, dV), each in the shape of its argument; nothing flows where the mask
    forbids.

    Examples
    --------
    >>> Q, K, V = np.zeros((1, 2)), np.ones((3, 2)), np.array([[1.0], [2.0], [6.0]])
    >>> _, cache = scaled_dot_product_attention_forward(
    ...     Q, K, V, mask=np.array([[True, True, False]])
    ... )
    >>> dQ, dK, dV = scaled_dot_product_attention_backward(np.array([[1.0]]), cache)
    >>> dV
    array([[0.5],
           [0.5],
           [0. ]])
    """
    Q, K, V, P = cache
    dY = check_gradient("dY", dY, like=(*P.shape[:-1], V.shape[-1]))
    xp = array_namespace(Q)
    dV = xp.matrix_transpose(P) @ dY
    # A masked weight is 0, and so is its row here
    dS = softmax_backward(dY @ xp.matrix_transpose(V), P)
    dS /= math.sqrt(Q.shape[-1])
    return dS @ K, xp.matrix_transpose(dS) @ Q, dV


def causal_mask(T):
    """Mask of a sequence that may not look ahead: True where key ≤ query.

    Parameters
    ----------
    T : number of steps.

    Returns
    -------
    (T, T) boolean array (NumPy's; attention moves it to where its inputs are).

    Notes
    -----
    Source: Vaswani et al. (2017), section 3.2.3.

    Examples
    --------
    >>> causal_mask(3)
    array([[ True, False, False],
           [ True,  True, False],
           [ True,  True,  True]])
    """
    t = as_floating(list(range(check_integer("T", T))))
    return t[:, None] >= t[None, :]


def self_attention_forward(X, Wq, Wk, Wv, mask=None):
    """Self-attention, one head: `Q = X W^Q`, `K = X W^K`, `V = X W^V`, then attention.

    Parameters
    ----------
    X : (…, T, D) array, one row for each position.
    Wq, Wk : (D, d_k) arrays. Wv : (D, d_v) array.
    mask : boolean array that broadcasts to (…, T, T), True where a query (row) may
        attend to a key (column).

    Returns
    -------
    Y : (…, T, d_v) array.
    cache : for `self_attention_backward`; `cache.attention.weights` (…, T, T).

    Raises
    ------
    ValueError, TypeError : as for `scaled_dot_product_attention_forward`.

    Notes
    -----
    Source: notes 000, first and second step; Vaswani et al. (2017), section 3.2.

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> Y, cache = self_attention_forward(
    ...     X, np.zeros((2, 1)), np.zeros((2, 1)), np.eye(2), mask=causal_mask(2)
    ... )
    >>> Y
    array([[1. , 0. ],
           [0.5, 0.5]])
    """
    X, Wq, Wk, Wv = check_shapes("... T D, D d_k, D d_k, D d_v", X=X, Wq=Wq, Wk=Wk, Wv=Wv)
    _check_entries("X", X)
    Q, K, V = _project(X, Wq), _project(X, Wk), _project(X, Wv)
    Y, attention = scaled_dot_product_attention_forward(Q, K, V, mask)
    return Y, SelfAttentionCache(X, Wq, Wk, Wv, attention)


def self_attention_backward(dY, cache):
    """Gradients of `self_attention_forward`.

    `dX = dQ W^Qᵀ + dK W^Kᵀ + dV W^Vᵀ`, `dW^Q = Xᵀ dQ`, ….

    Parameters
    ----------
    dY : (…, T, d_v) array, ∂J/∂Y.
    cache : from `self_attention_forward`.

    Returns
    -------
    (dX, dWq, dWk, dWv), each in the shape of its argument.

    Notes
    -----
    X is used three times, so its three gradients add.

    Examples
    --------
    >>> X = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> Y, cache = self_attention_forward(
    ...     X, np.zeros((2, 1)), np.zeros((2, 1)), np.eye(2), mask=causal_mask(2)
    ... )
    >>> dX, dWq, dWk, dWv = self_attention_backward(
    ...     np.array([[0.0, 0.0], [1.0, 0.0]]), cache
    ... )
    >>> dX  # half of the second output came from each
    array([[0.5, 0. ],
           [0.5, 0. ]])
    """
    X, Wq, Wk, Wv, attention = cache
    dQ, dK, dV = scaled_dot_product_attention_backward(dY, attention)
    return _projections_backward(dQ, dK, dV, X, Wq, Wk, Wv)


def multi_head_attention_forward(X, Wq, Wk, Wv, Wo, heads, mask=None):
    """Multi-head self-attention.

    `Y = [Y₁, …, Y_heads] W^O`, `Y_i = Attention(X W^Q_i, X W^K_i, X W^V_i)`.

    Parameters
    ----------
    X : (N, T, D) array, one row for each position.
    Wq, Wk, Wv : (D, E) arrays; head i has the i-th block of E / heads columns.
    Wo : (E, D) array, mixes the heads' outputs.
    heads : number of heads, a divisor of E.
    mask : boolean array (T, T), the same for all examples, or (N, 1, T, T), one for
        each; True where a query (row) may attend to a key (column).

    Returns
    -------
    Y : (N, T, D) array.
    cache : for `multi_head_attention_backward`; `cache.attention.weights` (N, heads, T,
        T).

    Raises
    ------
    ValueError : the shapes do not fit, `heads` does not divide E, or the mask has
        neither shape.
    TypeError : the mask is not boolean.

    Notes
    -----
    The scale is that of a head, `√(E / heads)`. Without biases, as in the paper.
    Source: Vaswani et al. (2017), section 3.2.2.
    Fast twin: `kernels.attention.multi_head_attention_forward`.

    Examples
    --------
    >>> X = np.array([[[1.0, 0.0], [0.0, 1.0]]])
    >>> W = np.zeros((2, 2))
    >>> Y, cache = multi_head_attention_forward(
    ...     X, W, W, np.eye(2), np.eye(2), heads=2, mask=causal_mask(2)
    ... )
    >>> Y[0]
    array([[1. , 0. ],
           [0.5, 0.5]])
    """
    X, Wq, Wk, Wv, Wo = check_shapes("N T D, D E, D E, D E, E D", X=X, Wq=Wq, Wk=Wk, Wv=Wv, Wo=Wo)
    E, heads = Wq.shape[1], check_integer("heads", heads)
    if E % heads:
        raise ValueError(f"heads: expected a divisor of E = {E} as in Wq, got {heads}")
    if mask is not None:
        mask = _check_mask(mask, (X.shape[0], heads, X.shape[1], X.shape[1]), like=X, heads=True)
    Q, K, V = (_split_heads(_project(X, W), heads) for W in (Wq, Wk, Wv))
    Y, attention = scaled_dot_product_attention_forward(Q, K, V, mask)
    Z = _merge_heads(Y)
    return _project(Z, Wo), MultiHeadAttentionCache(X, Wq, Wk, Wv, Wo, attention, Z)


def multi_head_attention_backward(dY, cache):
    """Gradients of `multi_head_attention_forward`.

    Back through `W^O`, then each head by itself, then the projections.

    Parameters
    ----------
    dY : (N, T, D) array, ∂J/∂Y.
    cache : from `multi_head_attention_forward`.

    Returns
    -------
    (dX, dWq, dWk, dWv, dWo), each in the shape of its argument.

    Notes
    -----
    Fast twin: `kernels.attention.multi_head_attention_backward`.

    Examples
    --------
    >>> X = np.array([[[1.0, 0.0], [0.0, 1.0]]])
    >>> W = np.zeros((2, 2))
    >>> Y, cache = multi_head_attention_forward(
    ...     X, W, W, np.eye(2), np.eye(2), heads=2, mask=causal_mask(2)
    ... )
    >>> dX, dWq, dWk, dWv, dWo = multi_head_attention_backward(
    ...     np.ones((1, 2, 2)), cache
    ... )
    >>> dX[0]
    array([[1.5, 1.5],
           [0.5, 0.5]])
    """
    X, Wq, Wk, Wv, Wo, attention, Z = cache
    dY = check_gradient("dY", dY, like=X)
    dZ, dWo = _project_backward(dY, Z, Wo)
    heads = attention.Q.shape[1]
    dQ, dK, dV = map(_merge_heads, scaled_dot_product_attention_backward(_split_heads(dZ, heads), attention))
    return *_projections_backward(dQ, dK, dV, X, Wq, Wk, Wv), dWo


def sinusoidal_positions(T, D):
    """Positions as sines and cosines.

    `P_(t,2i) = sin(t / 10000^(2i/D))`, `P_(t,2i+1) = cos(t / 10000^(2i/D))`.

    Parameters
    ----------
    T : number of positions, from 0.
    D : number of columns, even: wavelengths from 2π to 10000·2π positions, sine and
        cosine of each side by side.

    Returns
    -------
    (T, D) float64 array (NumPy's), to be added to the inputs.

    Raises
    ------
    ValueError : D is odd.

    Notes
    -----
    The positions t + s are a rotation of the positions t, the same for all t. Source:
    Vaswani et al. (2017), section 3.5.

    Examples
    --------
    >>> sinusoidal_positions(2, 4).round(4)
    array([[0.    , 1.    , 0.    , 1.    ],
           [0.8415, 0.5403, 0.01  , 1.    ]])
    """
    T = check_integer("T", T)
    D = check_integer("D", D, minimum=2)
    if D % 2:
        raise ValueError(f"D: expected an even number, one sine and one cosine for each wavelength, got {D}")
    t = as_floating([[t] for t in range(T)])
    angles = t * as_floating([10000.0 ** (-2 * i / D) for i in range(D // 2)])
    xp = array_namespace(angles)
    return xp.reshape(xp.stack([xp.sin(angles), xp.cos(angles)], axis=-1), (T, D))


def transformer_block_forward(X, params, heads, mask=None):
    r"""Transformer block, layer norm first.

    .. math::
        Z = X + MultiHead(LN(X; γ₁, β₁))
        Y = Z + gelu(LN(Z; γ₂, β₂) W₁ + b₁) W₂ + b₂

    Parameters
    ----------
    X : (N, T, D) array, one row for each position.
    params : dict of arrays gamma1, beta1 (D,), Wq, Wk, Wv (D, E), Wo (E, D), gamma2,
        beta2 (D,), W1 (D, F), b1 (F,), W2 (F, D), b2 (D,).
    heads, mask : as for `multi_head_attention_forward`.

    Returns
    -------
    Y : (N, T, D) array.
    cache : for `transformer_block_backward`; `cache.attention.attention.weights` (N,
        heads, T, T).

    Raises
    ------
    ValueError : a key of `params` is missing or unknown, or as for
        `multi_head_attention_forward`.

    Notes
    -----
    The first paper has the norm after each sum; before each part, as here, the sums run
    through the whole network untouched and training needs no warm-up. gelu is the exact
    one.
    Source: Vaswani et al. (2017), sections 3.1 and 3.3; Xiong et al., On layer
    normalization in the transformer architecture (ICML 2020), figure 1(b); Hendrycks
    and Gimpel, Gaussian error linear units (2016).
    Fast twin: `kernels.attention.transformer_block_forward`.

    Examples
    --------
    >>> zero, one = np.zeros(2), np.ones(2)
    >>> matrices = ("Wq", "Wk", "Wv", "Wo", "W1", "W2")
    >>> params = dict.fromkeys(matrices, np.zeros((2, 2)))
    >>> params |= dict.fromkeys(("gamma1", "gamma2"), one)
    >>> params |= dict.fromkeys(("beta1", "beta2", "b1", "b2"), zero)
    >>> X = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    >>> Y, cache = transformer_block_forward(X, params, heads=1)
    >>> bool(np.all(Y == X))  # both parts add nothing
    True
    """
    X, p = _check_block(X, params)
    A, norm1 = layernorm_forward(X, p["gamma1"], p["beta1"])
    A, attention = multi_head_attention_forward(A, p["Wq"], p["Wk"], p["Wv"], p["Wo"], heads, mask)
    Z = X + A
    B, norm2 = layernorm_forward(Z, p["gamma2"], p["beta2"])
    U, linear1 = linear_forward(rows(B), p["W1"], p["b1"])
    B, linear2 = linear_forward(gelu(U), p["W2"], p["b2"])
    Y = Z + array_namespace(X).reshape(B, X.shape)
    return Y, TransformerBlockCache(norm1, attention, norm2, linear1, U, linear2)


def transformer_block_backward(dY, cache):
    """Gradients of `transformer_block_forward`.

    At each sum the gradient goes both ways, and adds where they meet.

    Parameters
    ----------
    dY : (N, T, D) array, ∂J/∂Y.
    cache : from `transformer_block_forward`.

    Returns
    -------
    dX : (N, T, D) array.
    dparams : dict with the keys and shapes of `params`.

    Notes
    -----
    Fast twin: `kernels.attention.transformer_block_backward`.

    Examples
    --------
    >>> zero, one = np.zeros(2), np.ones(2)
    >>> matrices = ("Wq", "Wk", "Wv", "Wo", "W1", "W2")
    >>> params = dict.fromkeys(matrices, np.zeros((2, 2)))
    >>> params |= dict.fromkeys(("gamma1", "gamma2"), one)
    >>> params |= dict.fromkeys(("beta1", "beta2", "b1", "b2"), zero)
    >>> Y, cache = transformer_block_forward(
    ...     np.array([[[1.0, 2.0], [3.0, 4.0]]]), params, heads=1
    ... )
    >>> dX, dparams = transformer_block_backward(np.ones((1, 2, 2)), cache)
    >>> dX[0], dparams["b2"]
    (array([[1., 1.],
           [1., 1.]]), array([2., 2.]))
    """
    norm1, attention, norm2, linear1, U, linear2 = cache
    dY = check_gradient("dY", dY, like=attention.X)
    xp = array_namespace(dY)
    dG, dW2, db2 = linear_backward(rows(dY), linear2)
    dB, dW1, db1 = linear_backward(dG * gelu_grad(U), linear1)
    dZ, dgamma2, dbeta2 = layernorm_backward(xp.reshape(dB, dY.shape), norm2)
    dZ = dY + dZ
    dA, dWq, dWk, dWv, dWo = multi_head_attention_backward(dZ, attention)
    dX, dgamma1, dbeta1 = layernorm_backward(dA, norm1)
    gradients = (dgamma1, dbeta1, dWq, dWk, dWv, dWo, dgamma2, dbeta2, dW1, db1, dW2, db2)
    return dZ + dX, dict(zip(BLOCK_PARAMS, gradients, strict=True))


def _masked_softmax(S, mask):
    """Softmax over the allowed scores; 0 in a row that has none."""
    xp = array_namespace(S)
    some = xp.any(mask, axis=-1, keepdims=True) if mask.ndim else mask
    # An empty row has scores of 0 until its weights are 0: of −∞ alone the softmax would be NaN
    weights = softmax(xp.where(some, xp.where(mask, S, -math.inf), 0.0))
    weights *= xp.astype(some, weights.dtype)
    return weights


def _check_mask(mask, full, like, heads=False):
    """The mask on the backend of `like`, if it is boolean and broadcasts to the shape `full` of the scores."""
    if not is_array(mask):
        try:
            mask = array_namespace(like).asarray(mask)
        except (TypeError, ValueError):
            raise TypeError(f"mask: expected a boolean array, got {type(mask).__name__}") from None
    if mask.dtype != array_namespace(mask).bool:
        raise TypeError(f"mask: expected a boolean array, True where a query may attend, got dtype {mask.dtype}")
    shape = tuple(mask.shape)
    fits = len(shape) <= len(full) and all(m in (1, n) for m, n in zip(shape[::-1], full[::-1], strict=False))
    # Three axes would take the examples for heads where there are as many of both
    if heads and not (fits and len(shape) in (2, 4)):
        N, _, T, _ = full
        raise ValueError(f"mask: expected shape (T, T) or (N, 1, T, T) with N = {N}, T = {T} as in X, got {shape}")
    if not fits:
        raise ValueError(f"mask: expected a shape that broadcasts to (…, T_q, T_k) = {full}, got {shape}")
    return from_numpy(mask, like=like)


def _check_entries(name, X):
    """Raise if a leading axis of X is empty."""
    if 0 in X.shape:
        raise ValueError(f"{name}: expected at least one entry along each axis, got shape {tuple(X.shape)}")


def _check_block(X, params):
    """X, and the block's parameters as floating arrays by name."""
    if not isinstance(params, Mapping):
        raise TypeError(f"params: expected a dict with the keys {', '.join(BLOCK_PARAMS)}, got {type(params).__name__}")
    missing = [key for key in BLOCK_PARAMS if key not in params]
    unknown = [key for key in params if key not in BLOCK_PARAMS]
    if missing or unknown:
        raise ValueError(
            f"params: expected the keys {', '.join(BLOCK_PARAMS)}, got "
            + (f"none of {missing}" if missing else f"also {unknown}")
        )
    X, *arrays = check_shapes(
        "N T D, D, D, D E, D E, D E, E D, D, D, D F, F, F D, D", X=X, **{key: params[key] for key in BLOCK_PARAMS}
    )
    return X, dict(zip(BLOCK_PARAMS, arrays, strict=True))


def _project(X, W):
    """X W over all examples and positions in one product."""
    return array_namespace(X).reshape(rows(X) @ W, (*X.shape[:-1], W.shape[-1]))


def _project_backward(dU, X, W):
    """dX and dW of the product U = X W."""
    xp = array_namespace(X)
    dU = rows(dU)
    return xp.reshape(dU @ xp.matrix_transpose(W), X.shape), xp.matrix_transpose(rows(X)) @ dU


def _projections_backward(dQ, dK, dV, X, Wq, Wk, Wv):
    """(dX, dWq, dWk, dWv): X is used three times, so its three gradients add."""
    dX, dWq = _project_backward(dQ, X, Wq)
    dX_k, dWk = _project_backward(dK, X, Wk)
    dX_v, dWv = _project_backward(dV, X, Wv)
    return dX + dX_k + dX_v, dWq, dWk, dWv


def _split_heads(X, heads):
    """(N, T, E) as (N, heads, T, E / heads): contiguous blocks of the last axis."""
    xp = array_namespace(X)
    N, T, E = X.shape
    return xp.permute_dims(xp.reshape(X, (N, T, heads, E // heads)), (0, 2, 1, 3))


def _merge_heads(X):
    """(N, heads, T, d) as (N, T, heads·d): the inverse of `_split_heads`."""
    xp = array_namespace(X)
    N, heads, T, d = X.shape
    return xp.reshape(xp.permute_dims(X, (0, 2, 1, 3)), (N, T, heads * d))
