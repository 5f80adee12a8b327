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
to the inputs to encode it, or `rotary_forward` turns queries and keys by angles
that grow with the position. A mask is True where a query (row) may attend to a key
(column); `causal_mask` hides the future. What looks back only need not be computed
twice: `cached_attention` keeps the keys and values of the positions before.

Letters: X (N, T, D) sequences, batch first; Q (…, T_q, d_k), K (…, T_k, d_k), V (…,
T_k, d_v); C (…, S, D) the sequence that cross-attention looks at.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from ._array import array_namespace, from_numpy, is_array, rows
from ._checks import as_floating, check_choice, check_gradient, check_integer, check_number, check_shapes, check_state
from .activations import (
    gelu,
    gelu_grad,
    glu_layer_backward,
    glu_layer_forward,
    softmax,
    softmax_backward,
)
from .layers import linear_backward, linear_forward
from .normalization import RMSNormCache, layernorm_backward, layernorm_forward, rmsnorm_backward, rmsnorm_forward

__all__ = [
    "BLOCK_PARAMS",
    "AttentionCache",
    "CrossAttentionCache",
    "MultiHeadAttentionCache",
    "RotaryCache",
    "SelfAttentionCache",
    "TransformerBlockCache",
    "block_params",
    "cached_attention",
    "causal_mask",
    "cross_attention_backward",
    "cross_attention_forward",
    "kv_cache",
    "multi_head_attention_backward",
    "multi_head_attention_forward",
    "multi_head_attention_step",
    "rotary_backward",
    "rotary_forward",
    "scaled_dot_product_attention_backward",
    "scaled_dot_product_attention_forward",
    "self_attention_backward",
    "self_attention_forward",
    "sinusoidal_positions",
    "transformer_block_backward",
    "transformer_block_forward",
    "transformer_block_step",
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


class CrossAttentionCache(NamedTuple):
    """What the backward pass needs; attention: the AttentionCache, with the weights (…, T,
    S).
    """

    X: Any
    C: Any
    Wq: Any
    Wk: Any
    Wv: Any
    attention: AttentionCache


class RotaryCache(NamedTuple):
    """Cosine and sine of each position's angles, (T, D / 2) each, and the shape of X."""

    cos: Any
    sin: Any
    shape: tuple


class kv_cache(NamedTuple):
    """Keys (…, T, E) and values (…, T, E) of the positions so far."""

    keys: Any
    values: Any


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
    """The caches of the block's parts in the order of the forward pass; hidden: that of
    the MLP's first layer; U (N·T, F): its preactivations for gelu, None for swiglu.
    """

    norm1: Any
    attention: MultiHeadAttentionCache
    norm2: Any
    hidden: Any
    U: Any
    linear2: Any


BLOCK_PARAMS = ("gamma1", "beta1", "Wq", "Wk", "Wv", "Wo", "gamma2", "beta2", "W1", "b1", "W2", "b2")


def block_params(mlp="gelu", norm="layer"):
    """The names of a transformer block's parameters, in their order.

    Parameters
    ----------
    mlp : "gelu" (W1, b1, W2, b2) or "swiglu" (Wa, ba, Wb, bb, W2, b2).
    norm : "layer" (gamma and beta) or "rms" (gamma alone).

    Examples
    --------
    >>> block_params("swiglu", "rms")
    ('gamma1', 'Wq', 'Wk', 'Wv', 'Wo', 'gamma2', 'Wa', 'ba', 'Wb', 'bb', 'W2', 'b2')
    """
    check_choice("mlp", mlp, ("gelu", "swiglu"))
    check_choice("norm", norm, ("layer", "rms"))
    hidden = ("W1", "b1") if mlp == "gelu" else ("Wa", "ba", "Wb", "bb")
    names = (*BLOCK_PARAMS[:8], *hidden, "W2", "b2")
    return names if norm == "layer" else tuple(name for name in names if not name.startswith("beta"))


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


def cross_attention_forward(X, C, Wq, Wk, Wv, mask=None):
    """Cross-attention, one head: the queries come from X, keys and values from C.

    `Q = X W^Q`, `K = C W^K`, `V = C W^V`, then attention.

    Parameters
    ----------
    X : (…, T, D) array, one row for each position that asks.
    C : (…, S, D) array, one row for each position that is asked (the encoder's outputs,
        in translation).
    Wq, Wk : (D, d_k) arrays. Wv : (D, d_v) array.
    mask : boolean array that broadcasts to (…, T, S), True where a query (row) may
        attend to a key (column).

    Returns
    -------
    Y : (…, T, d_v) array.
    cache : for `cross_attention_backward`; `cache.attention.weights` (…, T, S).

    Raises
    ------
    ValueError, TypeError : as for `scaled_dot_product_attention_forward`.

    Notes
    -----
    With C = X it is self-attention.
    Source: Vaswani et al. (2017), section 3.2.3, "encoder-decoder attention"; the idea
    is Bahdanau, Cho and Bengio's (2015).

    Examples
    --------
    >>> X, C = np.ones((1, 2)), np.array([[2.0, 0.0], [0.0, 4.0]])
    >>> Y, cache = cross_attention_forward(
    ...     X, C, np.zeros((2, 1)), np.zeros((2, 1)), np.eye(2)
    ... )
    >>> Y  # equal scores: the mean of C's rows
    array([[1., 2.]])
    """
    X, C, Wq, Wk, Wv = check_shapes("... T D, ... S D, D d_k, D d_k, D d_v", X=X, C=C, Wq=Wq, Wk=Wk, Wv=Wv)
    _check_entries("X", X)
    Q, K, V = _project(X, Wq), _project(C, Wk), _project(C, Wv)
    Y, attention = scaled_dot_product_attention_forward(Q, K, V, mask)
    return Y, CrossAttentionCache(X, C, Wq, Wk, Wv, attention)


def cross_attention_backward(dY, cache):
    """Gradients of `cross_attention_forward`.

    `dX = dQ W^Qᵀ`, `dC = dK W^Kᵀ + dV W^Vᵀ`, `dW^Q = Xᵀ dQ`, `dW^K = Cᵀ dK`, ….

    Parameters
    ----------
    dY : (…, T, d_v) array, ∂J/∂Y.
    cache : from `cross_attention_forward`.

    Returns
    -------
    (dX, dC, dWq, dWk, dWv), each in the shape of its argument.

    Examples
    --------
    >>> X, C = np.ones((1, 2)), np.array([[2.0, 0.0], [0.0, 4.0]])
    >>> Y, cache = cross_attention_forward(
    ...     X, C, np.zeros((2, 1)), np.zeros((2, 1)), np.eye(2)
    ... )
    >>> cross_attention_backward(np.array([[1.0, 1.0]]), cache)[1]  # half to each row
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    X, C, Wq, Wk, Wv, attention = cache
    dQ, dK, dV = scaled_dot_product_attention_backward(dY, attention)
    dX, dWq = _project_backward(dQ, X, Wq)
    dC_k, dWk = _project_backward(dK, C, Wk)
    dC_v, dWv = _project_backward(dV, C, Wv)
    return dX, dC_k + dC_v, dWq, dWk, dWv


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


def cached_attention(q, cache, heads, key=None, value=None):
    """Attention of one more position, over the keys and values that are kept.

    `y = [y₁, …, y_heads]`, `y_i = softmax(q_i K_iᵀ / √(E / heads)) V_i`.

    Parameters
    ----------
    q : (…, E) array, or (…, 1, E), the query of the new position, all heads side by
        side.
    cache : kv_cache(keys, values) of (…, T, E) arrays, the positions up to the new one.
    heads : number of heads, a divisor of E.
    key, value : (…, E) arrays, or (…, 1, E), of the new position, where they are not
        yet in the cache: they are put behind it first.

    Returns
    -------
    y : array of q's shape: the last row of causal attention over all positions.
    cache : kv_cache, with the new position.

    Raises
    ------
    ValueError : the shapes do not fit, or `heads` does not divide E.

    Notes
    -----
    Causal attention over T positions computes the rows before the last one again for
    each further position, T² scores in all; kept keys and values leave T.
    Source: Shazeer, Fast transformer decoding: one write-head is all you need (2019),
    section 2.4, "incremental" attention.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> Q, K, V = rng.standard_normal((3, 5, 4))
    >>> whole, _ = scaled_dot_product_attention_forward(Q, K, V, causal_mask(5))
    >>> y, cache = cached_attention(Q[4], kv_cache(K, V), heads=1)
    >>> bool(np.all(np.abs(y - whole[4]) < 1e-14))
    True
    """
    keys, values = check_state(cache, kv_cache, "cache")
    q = as_floating(q, "q")
    single = q.ndim == keys.ndim
    spec = "... 1 E" if single else "... E"
    q, keys, values = check_shapes(f"{spec}, ... T E, ... T E", q=q, keys=keys, values=values)
    E, heads = q.shape[-1], check_integer("heads", heads)
    if E % heads:
        raise ValueError(f"heads: expected a divisor of E = {E} as in q, got {heads}")
    xp = array_namespace(q)
    row = (*q.shape[:-1], E) if single else (*q.shape[:-1], 1, E)
    if key is not None or value is not None:
        _, key, value = check_shapes(f"{spec}, {spec}, {spec}", q=q, key=key, value=value)
        keys = xp.concat([keys, xp.reshape(key, row)], axis=-2)
        values = xp.concat([values, xp.reshape(value, row)], axis=-2)
    blocks = (heads, E // heads)
    k, v = (xp.reshape(x, (*x.shape[:-1], *blocks)) for x in (keys, values))
    S = xp.sum(k * xp.reshape(q, (*row[:-1], *blocks)), axis=-1) / math.sqrt(E // heads)
    weights = softmax(S, axis=-2)
    y = xp.sum(xp.reshape(weights, (*weights.shape, 1)) * v, axis=-3)
    return xp.reshape(y, q.shape), kv_cache(keys, values)


def multi_head_attention_step(x, Wq, Wk, Wv, Wo, heads, cache=None):
    """Causal multi-head self-attention, one more position.

    Parameters
    ----------
    x : (N, 1, D) array, the new position.
    Wq, Wk, Wv, Wo, heads : as for `multi_head_attention_forward`.
    cache : kv_cache of the positions before; None at the first.

    Returns
    -------
    y : (N, 1, D) array, what `multi_head_attention_forward` with the causal mask gives
        for the last position.
    cache : kv_cache, with the new position.

    Examples
    --------
    >>> x, W = np.array([[[1.0, 0.0]], [[0.0, 1.0]]]), np.zeros((2, 2))
    >>> y, cache = multi_head_attention_step(x[:1], W, W, np.eye(2), np.eye(2), heads=2)
    >>> y, cache = multi_head_attention_step(
    ...     x[1:], W, W, np.eye(2), np.eye(2), heads=2, cache=cache
    ... )
    >>> y[0]
    array([[0.5, 0.5]])
    """
    x, Wq, Wk, Wv, Wo = check_shapes("N 1 D, D E, D E, D E, E D", x=x, Wq=Wq, Wk=Wk, Wv=Wv, Wo=Wo)
    q, k, v = (_project(x, W) for W in (Wq, Wk, Wv))
    if cache is None:
        cache, k, v = kv_cache(k, v), None, None
    y, cache = cached_attention(q, cache, heads, k, v)
    return _project(y, Wo), cache


def rotary_forward(X, base=10000.0, start=0):
    r"""Rotary positions: each pair of columns is turned by an angle that grows with the
    position.

    .. math::
        y_{t,2j} = x_{t,2j} cos(t θ_j) − x_{t,2j+1} sin(t θ_j)
        y_{t,2j+1} = x_{t,2j} sin(t θ_j) + x_{t,2j+1} cos(t θ_j)
        θ_j = base^(−2j/D)

    Parameters
    ----------
    X : (…, T, D) array, queries or keys of a head; D even.
    base : sets the angles, from 1 radian a position in the first pair to nearly 1/base
        in the last; larger than 1.
    start : the position t of the first row, at least 0.

    Returns
    -------
    Y : (…, T, D) array.
    cache : RotaryCache for `rotary_backward`.

    Raises
    ------
    ValueError : D is odd, or base or start is out of range.

    Notes
    -----
    The dot product of a query turned by sθ and a key turned by tθ depends on s − t
    alone: the scores know distances, not places. Lengths stay as they are.
    Source: Su, Lu, Pan, Murtadha, Wen, Liu, RoFormer: Enhanced transformer with rotary
    position embedding (2021), equations 15 and 34.

    Examples
    --------
    >>> Y, cache = rotary_forward(np.array([[1.0, 0.0], [1.0, 0.0]]))
    >>> Y.round(4)
    array([[1.    , 0.    ],
           [0.5403, 0.8415]])
    """
    X = as_floating(X, "X")
    if X.ndim < 2 or 0 in X.shape:
        raise ValueError(f"X: expected shape (..., T, D), none of them 0, got {tuple(X.shape)}")
    *_, T, D = X.shape
    if D % 2:
        raise ValueError(f"X: expected an even number D of columns, in pairs, got shape {tuple(X.shape)}")
    base = check_number("base", base, 1.0, include_low=False, include_high=False)
    start = check_integer("start", start, minimum=0)
    xp = array_namespace(X)
    t = as_floating([[start + t] for t in range(T)])
    angles = t * as_floating([base ** (-2 * j / D) for j in range(D // 2)])
    angles = from_numpy(angles, like=X)
    cos, sin = (xp.astype(f(angles), X.dtype) for f in (xp.cos, xp.sin))
    return _turn(X, cos, sin), RotaryCache(cos, sin, tuple(X.shape))


def rotary_backward(dY, cache):
    """Gradient of `rotary_forward`: turned back by the same angles.

    Parameters
    ----------
    dY : (…, T, D) array, ∂J/∂Y.
    cache : from `rotary_forward`.

    Returns
    -------
    dX : (…, T, D) array.

    Notes
    -----
    A rotation R is orthogonal: `Rᵀ dY = R⁻¹ dY`.

    Examples
    --------
    >>> Y, cache = rotary_forward(np.array([[3.0, 4.0], [1.0, 2.0]]))
    >>> rotary_backward(Y, cache).round(12)
    array([[3., 4.],
           [1., 2.]])
    """
    cos, sin, shape = cache
    return _turn(check_gradient("dY", dY, like=shape), cos, -sin)


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


def transformer_block_forward(X, params, heads, mask=None, mlp="gelu", norm="layer"):
    r"""Transformer block, normalization first.

    .. math::
        Z = X + MultiHead(LN(X; γ₁, β₁))
        Y = Z + gelu(LN(Z; γ₂, β₂) W₁ + b₁) W₂ + b₂

    Parameters
    ----------
    X : (N, T, D) array, one row for each position.
    params : dict of arrays gamma1, beta1 (D,), Wq, Wk, Wv (D, E), Wo (E, D), gamma2,
        beta2 (D,), W1 (D, F), b1 (F,), W2 (F, D), b2 (D,).
    heads, mask : as for `multi_head_attention_forward`.
    mlp : "gelu", or "swiglu": the gated `(silu(B W_a + b_a) ⊙ (B W_b + b_b)) W₂ + b₂`
        with Wa, Wb (D, F) and ba, bb (F,) in place of W1 and b1.
    norm : "layer", or "rms": RMS norm, without beta1 and beta2.

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
    through the whole network untouched, and training bears larger learning rates from
    the first step on. gelu is the exact one. Large models of today take RMS norm and
    SwiGLU; the gate's third matrix is paid for by a smaller F, two thirds of 4D.
    Source: Vaswani et al. (2017), sections 3.1 and 3.3; Xiong et al., On layer
    normalization in the transformer architecture (ICML 2020), figure 1(b); Hendrycks
    and Gimpel, Gaussian error linear units (2016); Shazeer, GLU variants improve
    transformer (2020).
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
    X, p = _check_block(X, params, mlp, norm)
    A, norm1 = _norm_forward(X, p, "1")
    A, attention = multi_head_attention_forward(A, p["Wq"], p["Wk"], p["Wv"], p["Wo"], heads, mask)
    Z = X + A
    B, norm2 = _norm_forward(Z, p, "2")
    B, *mlp_caches = _mlp_forward(rows(B), p)
    Y = Z + array_namespace(X).reshape(B, X.shape)
    return Y, TransformerBlockCache(norm1, attention, norm2, *mlp_caches)


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
    norm1, attention, norm2, *mlp_caches = cache
    dY = check_gradient("dY", dY, like=attention.X)
    dB, mlp = _mlp_backward(rows(dY), *mlp_caches)
    dZ, second = _norm_backward(array_namespace(dY).reshape(dB, dY.shape), norm2, "2")
    dZ = dY + dZ
    dA, dWq, dWk, dWv, dWo = multi_head_attention_backward(dZ, attention)
    dX, first = _norm_backward(dA, norm1, "1")
    return dZ + dX, first | {"Wq": dWq, "Wk": dWk, "Wv": dWv, "Wo": dWo} | second | mlp


def transformer_block_step(x, params, heads, cache=None, mlp="gelu", norm="layer"):
    """A causal transformer block, one more position.

    Parameters
    ----------
    x : (N, 1, D) array, the new position.
    params, heads, mlp, norm : as for `transformer_block_forward`.
    cache : kv_cache of the positions before; None at the first.

    Returns
    -------
    y : (N, 1, D) array, what `transformer_block_forward` with the causal mask gives for
        the last position.
    cache : kv_cache, with the new position.

    Examples
    --------
    >>> zero, one = np.zeros(2), np.ones(2)
    >>> matrices = ("Wq", "Wk", "Wv", "Wo", "W1", "W2")
    >>> params = dict.fromkeys(matrices, np.zeros((2, 2)))
    >>> params |= dict.fromkeys(("gamma1", "gamma2"), one)
    >>> params |= dict.fromkeys(("beta1", "beta2", "b1", "b2"), zero)
    >>> y, cache = transformer_block_step(np.array([[[1.0, 2.0]]]), params, heads=1)
    >>> y, cache.keys.shape
    (array([[[1., 2.]]]), (1, 1, 2))
    """
    x, p = _check_block(x, params, mlp, norm)
    A, _ = _norm_forward(x, p, "1")
    A, cache = multi_head_attention_step(A, p["Wq"], p["Wk"], p["Wv"], p["Wo"], heads, cache)
    z = x + A
    B, _ = _norm_forward(z, p, "2")
    B, *_ = _mlp_forward(rows(B), p)
    return z + array_namespace(x).reshape(B, x.shape), cache


def _norm_forward(X, p, place):
    """The block's first or second normalization: layer norm where there is a β, else RMS norm."""
    gamma, beta = p[f"gamma{place}"], p.get(f"beta{place}")
    return rmsnorm_forward(X, gamma) if beta is None else layernorm_forward(X, gamma, beta)


def _norm_backward(dY, cache, place):
    if isinstance(cache, RMSNormCache):
        dX, dgamma = rmsnorm_backward(dY, cache)
        return dX, {f"gamma{place}": dgamma}
    dX, dgamma, dbeta = layernorm_backward(dY, cache)
    return dX, {f"gamma{place}": dgamma, f"beta{place}": dbeta}


def _mlp_forward(B, p):
    """(output, caches of the hidden layer, its preactivations U, and of the second layer); U is None for swiglu."""
    if "W1" in p:
        U, hidden = linear_forward(B, p["W1"], p["b1"])
        G = gelu(U)
    else:
        U = None
        G, hidden = glu_layer_forward(B, p["Wa"], p["ba"], p["Wb"], p["bb"], "swiglu")
    Y, linear2 = linear_forward(G, p["W2"], p["b2"])
    return Y, hidden, U, linear2


def _mlp_backward(dY, hidden, U, linear2):
    dG, dW2, db2 = linear_backward(dY, linear2)
    if U is None:
        dB, *gradients = glu_layer_backward(dG, hidden)
        names = ("Wa", "ba", "Wb", "bb")
    else:
        dB, *gradients = linear_backward(dG * gelu_grad(U), hidden)
        names = ("W1", "b1")
    return dB, dict(zip(names, gradients, strict=True)) | {"W2": dW2, "b2": db2}


def _turn(X, cos, sin):
    """Each pair of columns (2j, 2j + 1) of X turned by the angle with that cosine and sine."""
    xp = array_namespace(X)
    a, b = X[..., 0::2], X[..., 1::2]
    return xp.reshape(xp.stack([a * cos - b * sin, a * sin + b * cos], axis=-1), X.shape)


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


_SHAPES = {"gamma": "D", "beta": "D", "Wq": "D E", "Wk": "D E", "Wv": "D E", "Wo": "E D"}
_SHAPES |= {"W1": "D F", "Wa": "D F", "Wb": "D F", "b1": "F", "ba": "F", "bb": "F", "W2": "F D", "b2": "D"}


def _check_block(X, params, mlp, norm):
    """X, and the block's parameters as floating arrays by name."""
    names = block_params(mlp, norm)
    if not isinstance(params, Mapping):
        raise TypeError(f"params: expected a dict with the keys {', '.join(names)}, got {type(params).__name__}")
    missing = [key for key in names if key not in params]
    unknown = [key for key in params if key not in names]
    if missing or unknown:
        raise ValueError(
            f"params: expected the keys {', '.join(names)}, got "
            + (f"none of {missing}" if missing else f"also {unknown}")
        )
    spec = ", ".join(_SHAPES[name.rstrip("12") if name.startswith(("gamma", "beta")) else name] for name in names)
    X, *arrays = check_shapes(f"N T D, {spec}", X=X, **{key: params[key] for key in names})
    return X, dict(zip(names, arrays, strict=True))


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
