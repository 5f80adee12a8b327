"""Exercises of the attention topic.

Each family below is one implementation that goes wrong in one place, named by the mistake's slug; without a name it is
right, and stands among the variants.
"""

import math

import numpy as np

from dlcourse import attention
from dlcourse.activations import gelu, gelu_grad, softmax, softmax_backward
from dlcourse.attention import (
    multi_head_attention_backward,
    multi_head_attention_forward,
    scaled_dot_product_attention_backward,
    scaled_dot_product_attention_forward,
)
from dlcourse.layers import linear_backward, linear_forward
from dlcourse.normalization import layernorm_backward, layernorm_forward

from ..checks.exercise import Case, Exercise, Mistake

# --- data -----------------------------------------------------------------------------------------------------------


def _single(case):
    """The case's arguments and gradient in float32; masks stay what they are."""

    def cast(x):
        if isinstance(x, dict):
            return {key: cast(value) for key, value in x.items()}
        return x.astype(np.float32) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x

    return Case("float32", tuple(map(cast, case.args)), cast(case.kwargs), cast(case.dout))


def _lower(T):
    return np.arange(T)[:, None] >= np.arange(T)


# A query that may attend to nothing stands in the middle
_EMPTY_ROW = np.array([[1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [0, 1, 1, 0, 1]], dtype=bool)


def _mask_cases(rng):
    return [Case("four steps", (4,)), Case("one step", (1,)), Case("seven steps", (7,), hidden=True)]


def _position_cases(rng):
    def case(T, D, hidden=False):
        # An angle of t has an error of t times its frequency's, a few roundings
        return Case(f"{T} positions, {D} columns", (T, D), terms=4 * max(T, 4), hidden=hidden)

    return [case(5, 8), case(3, 6), case(1, 4), case(9, 2), case(4, 4), case(40, 10, hidden=True)]


def _attention_cases(rng):
    def case(name, Tq, Tk, dk, dv, mask=None, lead=(), hidden=False):
        Q, K, V = (rng.standard_normal((*lead, *shape)) for shape in ((Tq, dk), (Tk, dk), (Tk, dv)))
        options = {} if mask is None else {"mask": mask}
        return Case(name, (Q, K, V), options, dout=rng.standard_normal((*lead, Tq, dv)), hidden=hidden)

    padding = np.arange(5) < np.array([[[3]], [[5]]])
    # Halves and powers of two: scores of ±1024 without a rounding, two of them equal
    far = (
        np.array([[32.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]),
        np.array([[64.0, 0.0, 0.5, 0.0], [64.0, 0.0, 0.0, 0.5], [-64.0, 0.0, 0.0, 0.0]]),
        np.array([[1.0, -2.0], [3.0, 0.5], [-0.5, 4.0]]),
    )
    return [
        case("three queries, five keys", 3, 5, 4, 2),
        case("as many queries as keys, as many columns", 3, 3, 3, 3),
        case("a mask with an empty row", 3, 5, 2, 4, mask=_EMPTY_ROW),
        case("causal, two examples", 4, 4, 3, 2, mask=_lower(4), lead=(2,)),
        case("padded keys, a mask for each example", 4, 5, 3, 2, mask=padding, lead=(2,)),
        Case("scores of ±1000", far, dout=np.array([[1.0, 0.5], [-0.25, 2.0]])),
        _single(case("", 2, 4, 3, 5, mask=_lower(4)[1:3])),
        case("one query", 1, 6, 2, 3, hidden=True),
        case("two leading axes, masked", 3, 4, 5, 2, mask=_lower(4)[:3], lead=(2, 3), hidden=True),
    ]


def _self_cases(rng):
    def case(name, T, D, dk, dv, mask=None, lead=(), hidden=False):
        weights = (rng.standard_normal((D, columns)) / math.sqrt(D) for columns in (dk, dk, dv))
        options = {} if mask is None else {"mask": mask}
        args = (rng.standard_normal((*lead, T, D)), *weights)
        return Case(name, args, options, dout=rng.standard_normal((*lead, T, dv)), hidden=hidden)

    empty = _lower(4)
    empty[2] = False
    return [
        case("four positions", 4, 3, 2, 5),
        case("two examples, causal", 4, 5, 3, 2, mask=_lower(4), lead=(2,)),
        case("a mask with an empty row", 4, 3, 5, 2, mask=empty, lead=(3,)),
        case("as many positions as columns", 3, 3, 3, 3),
        case("everything square, two examples", 4, 4, 4, 4, mask=_lower(4), lead=(2,)),
        _single(case("", 3, 4, 2, 3, mask=_lower(3), lead=(2,))),
        case("a mask for each example", 5, 2, 3, 4, mask=np.stack([_lower(5), ~_lower(5)]), lead=(2,), hidden=True),
    ]


def _heads_args(rng, N, T, D, E):
    weights = [rng.standard_normal((D, E)) / math.sqrt(D) for _ in range(3)]
    return rng.standard_normal((N, T, D)), *weights, rng.standard_normal((E, D)) / math.sqrt(E)


def _heads_cases(rng):
    def case(name, N, T, D, E, heads, mask=None, hidden=False):
        options = {} if mask is None else {"mask": mask}
        args = (*_heads_args(rng, N, T, D, E), heads)
        return Case(name, args, options, dout=rng.standard_normal((N, T, D)), hidden=hidden)

    each = np.stack([_lower(3), ~_lower(3)])[:, None]
    return [
        case("three heads", 2, 4, 5, 6, 3),
        case("two heads, causal", 3, 5, 4, 8, 2, mask=_lower(5)),
        case("a mask for each example, with an empty row", 2, 3, 5, 4, 2, mask=each),
        case("one head", 2, 3, 4, 5, 1),
        case("as many heads as examples and positions", 4, 4, 8, 8, 4, mask=_lower(4)),
        _single(case("", 2, 3, 4, 6, 2, mask=_lower(3))),
        case("one example", 1, 6, 3, 4, 2, hidden=True),
    ]


def _block_cases(rng):
    def case(name, N, T, D, E, F, heads, mask=None, hidden=False):
        X, Wq, Wk, Wv, Wo = _heads_args(rng, N, T, D, E)
        params = {
            "gamma1": rng.uniform(0.5, 1.5, D),
            "beta1": 0.5 * rng.standard_normal(D),
            "Wq": Wq,
            "Wk": Wk,
            "Wv": Wv,
            "Wo": Wo,
            "gamma2": rng.uniform(0.5, 1.5, D),
            "beta2": 0.5 * rng.standard_normal(D),
            "W1": rng.standard_normal((D, F)) / math.sqrt(D),
            "b1": 0.5 * rng.standard_normal(F),
            "W2": rng.standard_normal((F, D)) / math.sqrt(F),
            "b2": 0.5 * rng.standard_normal(D),
        }
        options = {} if mask is None else {"mask": mask}
        return Case(name, (X, params, heads), options, dout=rng.standard_normal((N, T, D)), hidden=hidden)

    empty = np.ones((2, 1, 4, 4), dtype=bool)
    empty[0, 0, 1], empty[1, 0, :, 3] = False, False
    return [
        case("three heads", 2, 4, 5, 6, 7, 3),
        case("causal", 3, 5, 4, 8, 6, 2, mask=_lower(5)),
        case("a mask for each example, with an empty row", 2, 4, 6, 4, 5, 2, mask=empty),
        case("everything square", 4, 4, 4, 4, 4, 2, mask=_lower(4)),
        _single(case("", 2, 3, 4, 6, 5, 2, mask=_lower(3))),
        case("one example", 1, 3, 5, 4, 8, 4, hidden=True),
    ]


# --- masks and positions --------------------------------------------------------------------------------------------


def _mask_polarity(T):
    return np.triu(np.ones((T, T), dtype=bool), k=1)


def _mask_upper(T):
    return np.triu(np.ones((T, T), dtype=bool))


def _mask_strict(T):
    return np.tril(np.ones((T, T), dtype=bool), k=-1)


def _mask_numbers(T):
    return np.tril(np.ones((T, T)))


def _mask_additive(T):
    return np.where(_lower(T), 0.0, -np.inf)


def _mask_row(T):
    return np.ones(T, dtype=bool)


def _mask_one_step(T):
    t = np.arange(T)
    return (t[:, None] >= t) & (t[:, None] - t <= 1)


def _mask_tril(T):
    return np.tril(np.ones((T, T), dtype=bool))


def _mask_list(T):
    return [[key <= query for key in range(T)] for query in range(T)]


def _mask_loop(T):
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T):
        mask[t, : t + 1] = True
    return mask


def _positions(exponent=lambda i, D: -2 * i / D, columns=(np.sin, np.cos), base=10000.0, first=0):
    """Positions with one thing changed: what the mistakes below have in common."""

    def sinusoidal_positions(T, D):
        angles = np.arange(first, T + first)[:, None] * base ** exponent(np.arange(D // 2), D)
        return np.stack([f(angles) for f in columns], axis=-1).reshape(T, D)

    return sinusoidal_positions


def _positions_halves(T, D):
    angles = np.arange(T)[:, None] * 10000.0 ** (-2 * np.arange(D // 2) / D)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)


def _positions_by_column(T, D):
    angles = np.arange(T)[:, None] * 10000.0 ** (-np.arange(D) / D)
    return np.where(np.arange(D) % 2, np.cos(angles), np.sin(angles))


def _positions_transposed(T, D):
    return _positions()(T, D).T


def _positions_whole(T, D):
    angles = np.arange(T)[:, None] // 10000.0 ** (2 * np.arange(D // 2) / D)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(T, D)


def _positions_shown(T, D):
    angles = np.arange(T)[:, None] / 10000.0 ** (2 * np.arange(D // 2) / D)
    P = np.zeros((T, D))
    P[:, 0::2] = np.sin(angles)
    P[:, 1::2] = np.cos(angles)
    return P


def _positions_list(T, D):
    return [[(math.sin, math.cos)[j % 2](t / 10000 ** ((j - j % 2) / D)) for j in range(D)] for t in range(T)]


def _positions_complex(T, D):
    # e^{iωt} has both in one
    waves = np.exp(1j * np.outer(np.arange(T), np.exp(-math.log(10000.0) * np.arange(0, D, 2) / D)))
    return np.stack([waves.imag, waves.real], axis=2).reshape(T, D)


# --- attention ------------------------------------------------------------------------------------------------------


def _transposed(A):
    return np.swapaxes(A, -1, -2)


def _soft(S, axis):
    """Softmax, with 0 where everything is masked."""
    top = S.max(axis=axis, keepdims=True)
    e = np.exp(S - np.where(np.isfinite(top), top, 0.0))
    total = e.sum(axis=axis, keepdims=True)
    return e / np.where(total > 0, total, 1.0).astype(S.dtype)


def _raw(S):
    """The formula as it stands: no shift, and NaN where everything is masked."""
    e = np.exp(S - S.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _weights(S, mask, wrong):
    minus = np.array(-np.inf, dtype=S.dtype)
    axis = {"softmax_over_queries": -2, "softmax_over_heads": 1}.get(wrong, -1)
    if mask is None or wrong == "mask_ignored":
        mask = np.True_
    if wrong == "mask_polarity" and mask is not np.True_:
        mask = ~mask
    if wrong == "mask_after_softmax":
        return _soft(S, -1) * mask
    if wrong == "mask_multiplied":
        return _soft(S * mask, -1)
    if wrong == "mask_added":
        return _soft(S + (mask if mask is not np.True_ else 0), -1)
    if wrong == "masked_row_averages":
        return _soft(np.where(mask, S, np.array(-1e9, dtype=S.dtype)), -1)
    masked = np.where(mask, S, minus)
    if wrong == "fully_masked_nan":
        return _raw(masked)
    if wrong == "no_max_shift":
        e = np.exp(masked)
        total = e.sum(axis=-1, keepdims=True)
        return e / np.where(total == 0, 1.0, total).astype(S.dtype)
    if wrong == "softmax_missing":
        return np.where(mask, S, np.array(0.0, dtype=S.dtype))
    return _soft(masked, axis)


def _factor(d, model, wrong):
    """What the scores are multiplied with; d: columns of a head, model: of the whole."""
    return {
        "no_scale": 1.0,
        "scale_by_dk": 1.0 / d,
        "scale_by_model": 1.0 / math.sqrt(model),
        "scale_multiplied": math.sqrt(d),
    }.get(wrong, 1.0 / math.sqrt(d))


def _attend(Q, K, V, mask, wrong, model=1):
    factor = _factor(Q.shape[-1], model, wrong)
    P = _weights(Q @ _transposed(K) * factor, mask, wrong)
    return P @ (K if wrong == "weights_times_keys" else V), (Q, K, V, P, factor)


def _attend_backward(dY, cache, wrong):
    Q, K, V, P, factor = cache
    dV = (P if wrong == "weights_not_transposed" else _transposed(P)) @ dY
    dP = dY @ _transposed(K if wrong == "weights_times_keys" else V)
    if wrong == "softmax_skipped":
        dS = dP
    elif wrong == "softmax_elementwise":
        dS = dP * P * (1 - P)
    elif wrong == "softmax_sum_missing":
        dS = dP * P
    else:
        dS = P * (dP - np.sum(dP * P, axis=-2 if wrong == "softmax_sum_over_queries" else -1, keepdims=True))
    if wrong != "scale_missing_backward":
        dS = dS * factor
    dQ, dK = dS @ K, (dS if wrong == "scores_not_transposed" else _transposed(dS)) @ Q
    return (dK, dQ, dV) if wrong == "queries_and_keys_exchanged" else (dQ, dK, dV)


def _attention(wrong=""):
    def scaled_dot_product_attention_forward(Q, K, V, mask=None):
        return _attend(Q, K, V, mask, wrong)

    def scaled_dot_product_attention_backward(dY, cache):
        return _attend_backward(dY, cache, wrong)

    return scaled_dot_product_attention_forward, scaled_dot_product_attention_backward


def _attention_shown_forward(Q, K, V, mask=None):
    S = Q @ np.swapaxes(K, -1, -2) / Q.shape[-1] ** 0.5
    if mask is None:
        P = softmax(S)
    else:
        some = mask.any(axis=-1, keepdims=True)
        # A row without any key keeps its scores until its weights are set to 0
        P = softmax(np.where(mask | ~some, S, -np.inf)) * some
    return P @ V, (Q, K, V, P)


def _attention_shown_backward(dY, cache):
    Q, K, V, P = cache
    dV = np.swapaxes(P, -1, -2) @ dY
    dP = dY @ np.swapaxes(V, -1, -2)
    dS = softmax_backward(dP, P) / Q.shape[-1] ** 0.5
    return dS @ K, np.swapaxes(dS, -1, -2) @ Q, dV


def _attention_by_query_forward(Q, K, V, mask=None):
    # One query at a time, over the keys it may see
    lead, (Tq, Tk) = Q.shape[:-2], (Q.shape[-2], K.shape[-2])
    allowed = np.broadcast_to(True if mask is None else mask, (*lead, Tq, Tk))
    P = np.zeros((*lead, Tq, Tk))
    for index in np.ndindex(*lead, Tq):
        seen = np.flatnonzero(allowed[index])
        if len(seen):
            scores = [Q[index] @ K[index[:-1]][k] / math.sqrt(Q.shape[-1]) for k in seen]
            e = np.exp(np.array(scores) - max(scores))
            P[(*index, seen)] = e / e.sum()
    return np.einsum("...qk,...kv->...qv", P, V), (Q, K, V, P)


def _attention_by_query_backward(dY, cache):
    Q, K, V, P = cache
    dQ, dK, dV = np.zeros(Q.shape), np.zeros(K.shape), np.zeros(V.shape)
    for index in np.ndindex(*Q.shape[:-1]):
        at, p = index[:-1], P[index]
        dV[at] += np.outer(p, dY[index])
        dS = (np.diag(p) - np.outer(p, p)) @ (V[at] @ dY[index]) / math.sqrt(Q.shape[-1])
        dQ[index] = dS @ K[at]
        dK[at] += np.outer(dS, Q[index])
    return dQ, dK, dV


# --- self-attention -------------------------------------------------------------------------------------------------


def _projections_backward(dQKV, X, weights, wrong):
    """(dX, dWq, dWk, dWv) of the three products X W."""
    paths = [dU @ (W if wrong == "missing_transpose" else W.T) for dU, W in zip(dQKV, weights, strict=True)]
    if wrong == "input_gradient_overwritten":
        paths = paths[-1:]
    if wrong == "keys_path_missing":
        paths = paths[::2]
    dW = [_transposed(X) @ dU for dU in dQKV]
    if wrong != "weights_not_summed":
        dW = [d.sum(axis=0) if d.ndim == 3 else d for d in dW]
    if wrong == "mean_for_sum":
        dW = [d / len(X) for d in dW]
    return sum(paths[1:], paths[0]), *dW


def _project(X, Wq, Wk, Wv, wrong):
    Q = X @ (Wk if wrong == "projection_reused" else Wq)
    V = X if wrong == "values_not_projected" else X @ Wv
    return Q, (Q if wrong == "queries_for_keys" else X @ Wk), V


def _self(wrong=""):
    def self_attention_forward(X, Wq, Wk, Wv, mask=None):
        Y, cache = _attend(*_project(X, Wq, Wk, Wv, wrong), mask, wrong, model=X.shape[-1])
        return Y, (X, (Wq, Wk, Wv), cache)

    def self_attention_backward(dY, cache):
        X, weights, cache = cache
        return _projections_backward(_attend_backward(dY, cache, wrong), X, weights, wrong)

    return self_attention_forward, self_attention_backward


def _self_shown_forward(X, Wq, Wk, Wv, mask=None):
    Y, cache = scaled_dot_product_attention_forward(X @ Wq, X @ Wk, X @ Wv, mask)
    return Y, (X, Wq, Wk, Wv, cache)


def _self_shown_backward(dY, cache):
    X, Wq, Wk, Wv, inner = cache
    dQ, dK, dV = scaled_dot_product_attention_backward(dY, inner)
    dX = dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T
    # All examples and positions as rows of one matrix: the product sums over both
    rows = X.reshape(-1, X.shape[-1]).T
    return dX, *(rows @ dU.reshape(-1, dU.shape[-1]) for dU in (dQ, dK, dV))


def _self_joined_forward(X, Wq, Wk, Wv, mask=None):
    # The three weights side by side in one product
    W = np.concatenate([Wq, Wk, Wv], axis=1)
    cuts = [Wq.shape[1], Wq.shape[1] + Wk.shape[1]]
    Q, K, V = np.split(np.einsum("...td,dk->...tk", X, W), cuts, axis=-1)
    Y, cache = _attention_by_query_forward(Q, K, V, mask)
    return Y, (X, W, cuts, cache)


def _self_joined_backward(dY, cache):
    X, W, cuts, cache = cache
    dU = np.concatenate(_attention_by_query_backward(dY, cache), axis=-1)
    leading = tuple(range(X.ndim - 1))
    dW = np.tensordot(X, dU, axes=(leading, leading))
    return np.einsum("...tk,dk->...td", dU, W), *np.split(dW, cuts, axis=1)


# --- multi-head attention -------------------------------------------------------------------------------------------


def _split_heads(X, heads, wrong):
    N, T, E = X.shape
    if wrong == "heads_split_by_reshape":
        return X.reshape(N, heads, T, E // heads)
    if wrong == "heads_interleaved":
        return X.reshape(N, T, E // heads, heads).transpose(0, 3, 1, 2)
    return X.reshape(N, T, heads, E // heads).transpose(0, 2, 1, 3)


def _merge_heads(X, wrong):
    N, heads, T, d = X.shape
    if wrong in ("heads_not_transposed", "heads_split_by_reshape"):
        return X.reshape(N, T, heads * d)
    if wrong == "heads_interleaved":
        return X.transpose(0, 2, 3, 1).reshape(N, T, heads * d)
    return X.transpose(0, 2, 1, 3).reshape(N, T, heads * d)


def _multi(wrong=""):
    def multi_head_attention_forward(X, Wq, Wk, Wv, Wo, heads, mask=None):
        heads = 1 if wrong == "heads_ignored" else heads
        parts = [_split_heads(U, heads, wrong) for U in _project(X, Wq, Wk, Wv, wrong)]
        Y, cache = _attend(*parts, mask, wrong, model=Wq.shape[1])
        Z = _merge_heads(Y, wrong)
        return Z if wrong == "output_projection_missing" else Z @ Wo, (X, (Wq, Wk, Wv), Wo, heads, Z, cache)

    def multi_head_attention_backward(dY, cache):
        X, weights, Wo, heads, Z, cache = cache
        dZ = dY if wrong == "output_projection_missing" else dY @ Wo.T
        dWo = np.einsum("nte,ntd->ed", Z, dY)
        split = "" if wrong == "heads_not_transposed" else wrong
        parts = _attend_backward(_split_heads(dZ, heads, split), cache, wrong)
        merge = "heads_not_transposed" if wrong == "heads_not_transposed_backward" else split
        merged = [_merge_heads(part, merge) for part in parts]
        if wrong == "mean_for_sum":
            dWo = dWo / len(X)
        return *_projections_backward(merged, X, weights, wrong), dWo

    return multi_head_attention_forward, multi_head_attention_backward


def _multi_shown_forward(X, Wq, Wk, Wv, Wo, heads, mask=None):
    N, T, _ = X.shape
    Q, K, V = ((X @ W).reshape(N, T, heads, -1).transpose(0, 2, 1, 3) for W in (Wq, Wk, Wv))
    Y, cache = scaled_dot_product_attention_forward(Q, K, V, mask)
    Z = Y.transpose(0, 2, 1, 3).reshape(N, T, -1)
    return Z @ Wo, (X, Wq, Wk, Wv, Wo, heads, Z, cache)


def _multi_shown_backward(dY, cache):
    X, Wq, Wk, Wv, Wo, heads, Z, inner = cache
    N, T, D = X.shape
    dZ = (dY @ Wo.T).reshape(N, T, heads, -1).transpose(0, 2, 1, 3)
    dWo = Z.reshape(N * T, -1).T @ dY.reshape(N * T, D)
    gradients = scaled_dot_product_attention_backward(dZ, inner)
    dQ, dK, dV = (dU.transpose(0, 2, 1, 3).reshape(N, T, -1) for dU in gradients)
    dX = dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T
    dW = (X.reshape(N * T, D).T @ dU.reshape(N * T, -1) for dU in (dQ, dK, dV))
    return dX, *dW, dWo


def _multi_by_head_forward(X, Wq, Wk, Wv, Wo, heads, mask=None):
    # One head after the other, each with its block of columns: the sum of their shares
    d, Y, caches = Wq.shape[1] // heads, 0.0, []
    own = mask if mask is None or mask.ndim == 2 else mask[:, 0]
    for block in (slice(k * d, (k + 1) * d) for k in range(heads)):
        head, cache = _self_joined_forward(X, Wq[:, block], Wk[:, block], Wv[:, block], own)
        Y = Y + head @ Wo[block]
        caches.append((head, cache, Wo[block]))
    return Y, caches


def _multi_by_head_backward(dY, cache):
    parts = [(*_self_joined_backward(dY @ W.T, inner), np.einsum("nte,ntd->ed", head, dY)) for head, inner, W in cache]
    dX, dWq, dWk, dWv, dWo = zip(*parts, strict=True)
    return sum(dX), np.hstack(dWq), np.hstack(dWk), np.hstack(dWv), np.vstack(dWo)


# --- the transformer block ------------------------------------------------------------------------------------------

_erf = np.vectorize(math.erf, otypes=[float])


def _gelu(u, wrong):
    """The activation and its slope."""
    if wrong == "relu_for_gelu":
        return np.maximum(u, 0), (u > 0).astype(u.dtype)
    if wrong == "gelu_missing":
        return u, np.ones_like(u)
    if wrong == "tanh_for_exact_gelu":
        k = math.sqrt(2 / math.pi)
        t = np.tanh(k * (u + 0.044715 * u**3))
        return 0.5 * u * (1 + t), 0.5 * (1 + t) + 0.5 * u * (1 - t * t) * k * (1 + 3 * 0.044715 * u * u)
    cdf = 0.5 * (1 + _erf(u / math.sqrt(2))).astype(u.dtype)
    return u * cdf, cdf + u * np.exp(-0.5 * u * u) / math.sqrt(2 * math.pi)


def _norm(X, gamma, beta):
    centred = X - X.mean(axis=-1, keepdims=True)
    width = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
    normal = centred / width
    return gamma * normal + beta, (normal, width, gamma)


def _norm_backward(dY, cache):
    normal, width, gamma = cache
    d = dY * gamma
    d = (d - d.mean(axis=-1, keepdims=True) - normal * (d * normal).mean(axis=-1, keepdims=True)) / width
    return d, np.einsum("ntd,ntd->d", dY, normal), dY.sum(axis=(0, 1))


def _mlp(B, p, wrong):
    U = B @ p["W1"] + p["b1"]
    active, slope = _gelu(U, wrong)
    if wrong == "derivative_at_output":
        slope = _gelu(active, "")[1]
    if wrong == "gelu_slope_missing":
        slope = np.ones_like(slope)
    out = active @ p["W2"] if wrong == "bias_forgotten" else active @ p["W2"] + p["b2"]
    return out, (B, active, slope, p["W1"], p["W2"])


def _mlp_backward(dY, cache, wrong):
    B, active, slope, W1, W2 = cache
    dU = dY @ W2.T * slope
    axes = 0 if wrong == "bias_summed_over_examples_only" else (0, 1)
    gradients = {
        "W1": np.einsum("ntd,ntf->df", B, dU),
        "b1": dU.sum(axis=axes),
        "W2": np.einsum("ntf,ntd->fd", active, dY),
        "b2": dY.sum(axis=axes),
    }
    return dU @ W1.T, gradients


def _block(wrong=""):
    attend, attend_backward = _multi(wrong)
    after = wrong == "norm_after"

    def transformer_block_forward(X, params, heads, mask=None):
        p = params
        weights = [p[key] for key in ("Wq", "Wk", "Wv", "Wo")]
        second = ("gamma1", "beta1") if wrong == "first_norm_reused" else ("gamma2", "beta2")
        A, norm1 = (X, None) if after or wrong == "first_norm_missing" else _norm(X, p["gamma1"], p["beta1"])
        M, heads_cache = attend(A, *weights, heads, mask)
        Z = M if wrong == "attention_skip_missing" else (A if wrong == "skip_from_normalised" else X) + M
        if after:
            Z, norm1 = _norm(Z, p["gamma1"], p["beta1"])
        read = X if wrong == "parallel_parts" else Z
        B, norm2 = (read, None) if after or wrong == "second_norm_missing" else _norm(read, *(p[key] for key in second))
        M, mlp = _mlp(B, p, wrong)
        Y = M if wrong == "mlp_skip_missing" else (B if wrong == "skip_from_normalised" else Z) + M
        if after:
            Y, norm2 = _norm(Y, p["gamma2"], p["beta2"])
        return Y, (norm1, heads_cache, norm2, mlp)

    def transformer_block_backward(dY, cache):
        norm1, heads_cache, norm2, mlp = cache
        out = {}
        if after:
            dY, out["gamma2"], out["beta2"] = _norm_backward(dY, norm2)
        dB, gradients = _mlp_backward(dY, mlp, wrong)
        out |= gradients
        if norm2 is not None and not after:
            dB, out["gamma2"], out["beta2"] = _norm_backward(dB, norm2)
        dZ = dB if wrong in ("mlp_skip_missing", "mlp_skip_dropped_backward") else dY + dB
        if after:
            dZ, out["gamma1"], out["beta1"] = _norm_backward(dZ, norm1)
        handed = dB if wrong == "upstream_lost_before_attention" else dZ
        dA, out["Wq"], out["Wk"], out["Wv"], out["Wo"] = attend_backward(handed, heads_cache)
        if norm1 is not None and not after:
            dA, out["gamma1"], out["beta1"] = _norm_backward(dA, norm1)
        dX = dA if wrong in ("attention_skip_missing", "attention_skip_dropped_backward") else dZ + dA
        for key in ("gamma1", "beta1", "gamma2", "beta2"):
            out.setdefault(key, np.zeros_like(dX[0, 0]))
        return dX, out

    return transformer_block_forward, transformer_block_backward


def _block_shown_forward(X, params, heads, mask=None):
    p, shape = params, X.shape
    A, norm1 = layernorm_forward(X, p["gamma1"], p["beta1"])
    A, inner = multi_head_attention_forward(A, p["Wq"], p["Wk"], p["Wv"], p["Wo"], heads, mask)
    Z = X + A
    B, norm2 = layernorm_forward(Z, p["gamma2"], p["beta2"])
    # `linear_forward` takes a matrix: all positions of all examples as its rows
    U, linear1 = linear_forward(B.reshape(-1, shape[-1]), p["W1"], p["b1"])
    B, linear2 = linear_forward(gelu(U), p["W2"], p["b2"])
    return Z + B.reshape(shape), (norm1, inner, norm2, linear1, U, linear2)


def _block_shown_backward(dY, cache):
    norm1, inner, norm2, linear1, U, linear2 = cache
    d = {}
    dG, d["W2"], d["b2"] = linear_backward(dY.reshape(-1, dY.shape[-1]), linear2)
    dB, d["W1"], d["b1"] = linear_backward(dG * gelu_grad(U), linear1)
    dB, d["gamma2"], d["beta2"] = layernorm_backward(dB.reshape(dY.shape), norm2)
    dZ = dY + dB
    dA, d["Wq"], d["Wk"], d["Wv"], d["Wo"] = multi_head_attention_backward(dZ, inner)
    dA, d["gamma1"], d["beta1"] = layernorm_backward(dA, norm1)
    return dZ + dA, d


# --- the exercises --------------------------------------------------------------------------------------------------

_CONVENTIONS = {"heads_interleaved", "mean_for_sum", "norm_after", "parallel_parts", "tanh_for_exact_gelu"}

_WEIGHING = {
    "no_scale": "The scores are not scaled: with many columns they grow, and the softmax turns into a hard choice. The formula divides by a root.",
    "scale_by_dk": "You divide by d_k. Look at the formula again: what stands over d_k there?",
    "scale_multiplied": "The root of d_k makes the scores smaller, not larger.",
    "weights_times_keys": "The weights mix the wrong rows: what a query takes from each position is its value, not its key.",
    "softmax_over_queries": "Your softmax runs over the queries. For each query (each row) the weights of all *keys* have to sum to 1.",
    "softmax_missing": "You mix with the scores themselves. Weights are positive and sum to 1: which function makes them so?",
    "mask_after_softmax": "Masked after the softmax, the rows no longer sum to 1: the forbidden keys still took their share. Take them out of the scores, before.",
    "mask_polarity": "You let each query see what it may not: True means *may attend*.",
    "mask_multiplied": "A score of 0 is no ban: e⁰ is 1. Which score has a weight of exactly 0?",
    "mask_added": "Adding the mask gives the allowed scores one more and leaves the others in the game. Which score has a weight of exactly 0?",
    "fully_masked_nan": "A query that may attend to nothing gives NaN: −∞ minus −∞. Its row has to be 0. Right otherwise.",
    "masked_row_averages": "A large negative number in place of −∞ works until *all* keys are masked: then they are equal, and the query takes their mean. Its row has to be 0.",
    "mask_ignored": "The mask is not used: right only where there is none.",
}

_SCORES_BACK = {
    "softmax_skipped": "Between the weights and the scores stands the softmax. Your gradient walks past it.",
    "softmax_elementwise": "p(1 − p) is only the diagonal of the softmax's derivative: each weight also depends on all the other scores of its row.",
    "softmax_sum_missing": "The weights of a row sum to 1, so a gradient that is the same for all of them changes nothing. Your dS does not know that: a sum is missing.",
    "scale_missing_backward": "The scores were scaled on the way forward. Their gradient passes the same factor.",
}

_ATTENTION = {
    **_WEIGHING,
    "no_max_shift": "At scores of 1000 the exponential is infinite, and infinity over infinity NaN. Shift each row by its maximum first (the course's `softmax` does).",
    **_SCORES_BACK,
    "softmax_sum_over_queries": "The sum in the softmax's gradient runs along the axis of the softmax, the keys. Yours runs over the queries.",
    "weights_not_transposed": "dV has one row for each *key*. A value gathers from all queries that took of it: look at the shapes of P and dY.",
    "scores_not_transposed": "dK has one row for each *key*, dS one for each query: look at their shapes.",
    "queries_and_keys_exchanged": "The first two gradients are exchanged: dQ, dK, dV, in the order of the arguments.",
}

_PROJECTIONS = {
    "projection_reused": "The queries go through the keys' weights. Each of the three has a matrix of its own.",
    "queries_for_keys": "The keys are the queries over again: every position would like itself best. Each of the three has a matrix of its own.",
    "scale_by_dk": "The scores are dot products of d_k entries, the columns of one head's keys. They are divided by the root of that number: not by the number itself, and not by the root of the model's width.",
    "keys_path_missing": "X is used three times. What comes back through the keys is missing in dX.",
    "input_gradient_overwritten": "dX has the values' share only. X is used three times: what do its three gradients do?",
    "weights_not_summed": "The weights are the same for all examples, so their gradient is one matrix. Yours has one for each example.",
    "mean_for_sum": "You divide by the number of examples. If the loss is a mean, that factor is in dY already; the backward pass only adds up.",
}

_HEADS = {
    "heads_not_transposed": "The heads are put side by side by `reshape` alone, which mixes positions and heads. The heads' axis has to stand next to their columns first.",
    "heads_split_by_reshape": "`reshape` to (N, heads, T, d) cuts along the positions: each head then sees a few whole positions instead of a few columns of all. Cut the last axis first, then move the axes.",
    "heads_interleaved": "Your head i has every heads-th column. Here it has the i-th *block* of E / heads columns.",
    "heads_ignored": "All columns work as one head. Each head has scores of its own, from its own block of columns.",
    "softmax_over_heads": "Your softmax runs over the heads: they do not compete. Within each head, the weights of all keys sum to 1.",
    "output_projection_missing": "The heads stand side by side, but nothing mixes them yet: Wo is not used.",
    "heads_not_transposed_backward": "The forward pass is right. On the way back, too, the heads' axis has to stand next to their columns before `reshape` joins them.",
}

_BLOCK = {
    # These before the forward slips that have the same gradients
    "mlp_skip_dropped_backward": "At the second sum the gradient goes both ways: through the two-layer network, and straight past it. The straight way is missing.",
    "attention_skip_dropped_backward": "At the first sum the gradient goes both ways: through attention, and straight past it. The straight way is missing in dX.",
    "norm_after": "You normalise after each sum, as the first paper did. Here the norm stands before each part, and the sums stay untouched.",
    "attention_skip_missing": "Attention *adds* to what came in. The first sum is missing.",
    "mlp_skip_missing": "The two-layer network *adds* to what came in. The second sum is missing.",
    "skip_from_normalised": "You add to the normalised input. The sums run past the norms: what came into the norm is added.",
    "first_norm_missing": "Attention reads X as it is. A norm comes first.",
    "second_norm_missing": "The two-layer network reads Z as it is. A norm comes first.",
    "first_norm_reused": "Both norms use the first one's γ and β. The second has its own.",
    "parallel_parts": "Your two-layer network reads X, side by side with attention. Here it comes after: it reads Z.",
    "relu_for_gelu": "The activation is gelu, not ReLU.",
    "gelu_missing": "Two linear layers in a row are no more than one. What stands between them in the formula?",
    "tanh_for_exact_gelu": "Right up to the third or fourth digit: you took gelu's approximation by tanh. Asked is the exact one.",
    "bias_forgotten": "The last bias, b2, is missing.",
    "derivative_at_output": "gelu's slope is taken at its input U. You took it at its output.",
    "gelu_slope_missing": "Between the two linear layers the gradient passes gelu, and with it a slope.",
    "bias_summed_over_examples_only": "The biases are the same at every position of every example: sum their gradients over both axes.",
    "upstream_lost_before_attention": "Attention gets only what came back through the two-layer network. Z also went straight into the output: its whole gradient goes on.",
}


# Other ways of making the same mistake
_ALSO = {"scale_by_dk": ("scale_by_model",)}


def _mistakes(family, *tables, but=()):
    """The family's mistakes, one for each entry of the tables; of two hints for a slug the first one stands."""
    hints = {slug: hint for table in reversed(tables) for slug, hint in table.items() if slug not in but}
    slugs = dict.fromkeys(slug for table in tables for slug in table if slug not in but)
    return [
        Mistake(
            slug,
            family(slug),
            hints[slug],
            convention=slug in _CONVENTIONS,
            # Without a model around it, attention has one width only
            also=[family(way) for way in _ALSO.get(slug, ()) if family is not _attention],
        )
        for slug in slugs
    ]


_NARROW = ("softmax_missing", "mask_added", "scale_multiplied", "masked_row_averages")

EXERCISES = [
    Exercise(
        "attention.causal_mask",
        attention.causal_mask,
        _mask_cases,
        [
            Mistake(
                "mask_polarity",
                _mask_polarity,
                "You marked what is forbidden. True means that the query (row) may attend to the key (column).",
            ),
            Mistake(
                "future_for_past",
                _mask_upper,
                "Your queries see the future and not the past. Rows are queries, columns are keys: which half is it?",
            ),
            Mistake("self_excluded", _mask_strict, "A position may look at itself: the diagonal is True."),
            Mistake(
                "numbers_for_booleans",
                _mask_numbers,
                "The right half, but as numbers. A mask is boolean: `dtype=bool`, or a comparison.",
            ),
            Mistake(
                "additive_mask",
                _mask_additive,
                "A mask of 0 and −∞, to be added to the scores, is what some libraries take. Here it is True and False.",
                convention=True,
            ),
            Mistake("one_row", _mask_row, "A mask has a row for each query and a column for each key."),
            Mistake(
                "only_one_step_back",
                _mask_one_step,
                "Each of your queries sees itself and the position before. It may see all positions before it.",
            ),
        ],
        [_mask_tril, _mask_list, _mask_loop],
        points=1,
        minutes=2,
        why="With it, all steps of a sequence are trained at once, and none can copy the answer from its future.",
        hints=(
            "Row t, column s: True where s ≤ t.",
            "Compare a column of positions with a row of positions, or ask `np.tril`.",
        ),
        solution=_mask_tril,
    ),
    Exercise(
        "attention.sinusoidal_positions",
        attention.sinusoidal_positions,
        _position_cases,
        [
            Mistake(
                "positional_interleave",
                _positions_halves,
                "All sines first, then all cosines: some libraries have it so. Here they alternate, the sine and the cosine of one wavelength side by side.",
                convention=True,
            ),
            Mistake(
                "sine_cosine_swapped",
                _positions(columns=(np.cos, np.sin)),
                "The even columns are sines, counted from 0. Position 0 should be 0, 1, 0, 1, …",
            ),
            Mistake(
                "exponent_not_doubled",
                _positions(exponent=lambda i, D: -i / D),
                "i counts the pairs of columns, and the exponent is 2i/D: over all pairs it runs from 0 to nearly 1. Yours stops half way.",
            ),
            Mistake(
                "a_wavelength_for_each_column",
                _positions_by_column,
                "The cosines have other wavelengths than the sines beside them. A pair of columns shares one, with i the number of the pair.",
            ),
            Mistake("positions_from_one", _positions(first=1), "Positions are counted from 0. Yours begin at 1."),
            Mistake(
                "frequency_inverted",
                _positions(exponent=lambda i, D: 2 * i / D),
                "The waves get *longer* from column to column: t is divided by the power. Yours get shorter.",
            ),
            Mistake(
                "other_base",
                _positions(base=1000.0),
                "Count the zeros: the longest wave has a length of nearly 10000 · 2π.",
            ),
            Mistake(
                "base_missing",
                _positions(base=math.e),
                "In exp(−2i/D) the base is e. Written with `exp`, the exponent has log(10000) as a factor.",
            ),
            Mistake(
                "whole_number_division", _positions_whole, "`//` drops the fraction: the angle is a decimal number."
            ),
            Mistake("transposed", _positions_transposed, "One row for each position, one column for each wave."),
        ],
        [_positions_shown, _positions_list, _positions_complex],
        points=2,
        minutes=8,
        why="Attention treats a sentence as a heap of words: this is what tells it the order.",
        hints=(
            "Make the angles first, a table of T × D/2: position t divided by 10000 to the power 2i/D.",
            "`P[:, 0::2]` are the even columns, `P[:, 1::2]` the odd ones.",
        ),
        solution=_positions_shown,
    ),
    Exercise(
        "attention.scaled_dot_product_attention",
        (attention.scaled_dot_product_attention_forward, attention.scaled_dot_product_attention_backward),
        _attention_cases,
        _mistakes(_attention, _ATTENTION),
        [
            (_attention_shown_forward, _attention_shown_backward),
            (_attention_by_query_forward, _attention_by_query_backward),
            _attention(),
        ],
        points=4,
        minutes=25,
        why="A dictionary that can be differentiated: the whole of today's language models is built around these two lines.",
        hints=(
            "Forward: scores (…, T_q, T_k), scaled, masked, softmax along the last axis, times V. `np.swapaxes(K, -1, -2)` transposes the last two axes only.",
            "Masked scores become −∞ before the softmax. A row without any allowed key needs care: find it with `mask.any(axis=-1, keepdims=True)`.",
            "Backward, with the weights P: V gets Pᵀ dY, P gets dY Vᵀ. Then through the softmax, row by row (`softmax_backward`), and through the scale.",
            "S = Q Kᵀ has two factors: each one's gradient has the other in it. Check the shapes: dQ has a row for each query, dK one for each key.",
        ),
        solution=(_attention_shown_forward, _attention_shown_backward),
    ),
    Exercise(
        "attention.self_attention",
        (attention.self_attention_forward, attention.self_attention_backward),
        _self_cases,
        _mistakes(
            _self,
            _PROJECTIONS,
            {
                "values_not_projected": "You mix the inputs themselves. What is mixed are the values, X Wv.",
                "missing_transpose": "From Q = X Wq back to X: compare with a linear layer. What multiplies dU there to give dX?",
            },
            _WEIGHING,
            _SCORES_BACK,
            but=_NARROW,
        ),
        [(_self_shown_forward, _self_shown_backward), (_self_joined_forward, _self_joined_backward), _self()],
        points=3,
        minutes=12,
        why="A sequence that looks at itself: one layer joins any two positions, however far apart.",
        hints=(
            "Forward: three products, then your function of section 3.",
            "Backward: your function of section 3 gives dQ, dK, dV. Each is the gradient of a linear layer's output.",
            "X stands in all three products: its gradients add. For the weights, sum over examples and positions, for instance with X as one matrix of N·T rows.",
        ),
        solution=(_self_shown_forward, _self_shown_backward),
    ),
    Exercise(
        "attention.multi_head_attention",
        (attention.multi_head_attention_forward, attention.multi_head_attention_backward),
        _heads_cases,
        _mistakes(_multi, _HEADS, _PROJECTIONS, _WEIGHING, _SCORES_BACK, but=(*_NARROW, "weights_not_summed")),
        [(_multi_shown_forward, _multi_shown_backward), (_multi_by_head_forward, _multi_by_head_backward), _multi()],
        points=4,
        minutes=25,
        why="Several questions asked of the sequence at once: one head may follow the subject while another counts brackets.",
        hints=(
            "Your function of section 3 takes any leading axes: give it (N, heads, T, E / heads).",
            "From (N, T, E): first `reshape` to (N, T, heads, E / heads), then move the heads to the front. Back: the same two steps in reverse.",
            "Backward runs through the same stations in reverse: Wo, split, attention, merge, the three products.",
        ),
        solution=(_multi_shown_forward, _multi_shown_backward),
    ),
    Exercise(
        "attention.transformer_block",
        (attention.transformer_block_forward, attention.transformer_block_backward),
        _block_cases,
        _mistakes(
            _block,
            _BLOCK,
            {
                slug: hint
                for slug, hint in (_HEADS | _WEIGHING | _PROJECTIONS).items()
                if slug
                not in (*_NARROW, "weights_not_summed", "mean_for_sum", "softmax_over_heads", "queries_for_keys")
            },
        ),
        [(_block_shown_forward, _block_shown_backward), _block()],
        points=4,
        minutes=25,
        why="Stack twelve of these and you have the network of GPT-2 and BERT.",
        hints=(
            "Six parts in a row: norm, attention, sum, norm, two-layer network, sum. You have a forward and a backward for each.",
            "`linear_forward` takes a matrix: `reshape` (N, T, D) to (N·T, D) and back.",
            "Backward: at each sum the gradient goes both ways, and where two ways meet again their gradients add. Draw it once.",
        ),
        solution=(_block_shown_forward, _block_shown_backward),
    ),
]
