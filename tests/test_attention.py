"""Attention: against PyTorch's, and against what masks, permutations and positions promise."""

import numpy as np
import pytest
from common import Operation, assert_close, cast, flatten, map_arrays, run, run_torch, summands, upstream
from hypothesis import given
from hypothesis import strategies as st

from dlcourse import attention
from dlcourse.gradient_checking import complex_step_grad

# They make arrays from numbers alone
TESTED_BELOW = [
    "attention.block_params",
    "attention.cached_attention",
    "attention.causal_mask",
    "attention.multi_head_attention_step",
    "attention.sinusoidal_positions",
    "attention.transformer_block_step",
]


def random_mask(rng, *shape):
    """Arbitrary, but every query may attend to itself or the last key: empty rows have their own tests."""
    mask = rng.random(shape) < 0.6
    T_q, T_k = shape[-2:]
    mask[..., np.arange(T_q), np.minimum(np.arange(T_q), T_k - 1)] = True
    return mask


def sdpa_inputs(rng):
    N, heads, T_q, T_k, d_k, d_v = rng.integers(2, 5, size=6)
    Q, K, V = (rng.standard_normal((N, heads, *shape)) for shape in ((T_q, d_k), (T_k, d_k), (T_k, d_v)))
    return {"Q": Q, "K": K, "V": V, "mask": random_mask(rng, N, 1, T_q, T_k)}


def self_attention_inputs(rng):
    N, T, D, d_k, d_v = rng.integers(2, 6, size=5)
    X, Wq, Wk, Wv = (rng.standard_normal(shape) for shape in ((N, T, D), (D, d_k), (D, d_k), (D, d_v)))
    return {"X": X, "Wq": Wq, "Wk": Wk, "Wv": Wv, "mask": random_mask(rng, N, T, T)}


def cross_attention_inputs(rng):
    N, T, S, D, d_k, d_v = rng.integers(2, 6, size=6)
    shapes = ((N, T, D), (N, S, D), (D, d_k), (D, d_k), (D, d_v))
    X, C, Wq, Wk, Wv = (rng.standard_normal(shape) for shape in shapes)
    return {"X": X, "C": C, "Wq": Wq, "Wk": Wk, "Wv": Wv, "mask": random_mask(rng, N, T, S)}


def rotary_inputs(rng):
    *leading, T, half = (int(n) for n in rng.integers(2, 5, size=4))
    return {"X": rng.standard_normal((*leading, T, 2 * half)), "base": 100.0, "start": 3}


def multi_head_inputs(rng):
    N, T, D, heads, d = rng.integers(2, 5, size=5)
    E = heads * d
    X, Wq, Wk, Wv, Wo = (rng.standard_normal(shape) for shape in ((N, T, D), (D, E), (D, E), (D, E), (E, D)))
    mask = random_mask(rng, N, 1, T, T) if rng.integers(2) else random_mask(rng, T, T)
    return {"X": X, "Wq": Wq, "Wk": Wk, "Wv": Wv, "Wo": Wo, "heads": int(heads), "mask": mask}


def block_inputs(rng):
    # D of 4 and more: of two entries layer norm makes ±1, which kills the gradient
    N, T, heads, d, F = rng.integers(2, 4, size=5)
    D, E = int(rng.integers(4, 7)), heads * d
    shapes = {
        "gamma1": (D,), "beta1": (D,), "Wq": (D, E), "Wk": (D, E), "Wv": (D, E), "Wo": (E, D),
        "gamma2": (D,), "beta2": (D,), "W1": (D, F), "b1": (F,), "W2": (F, D), "b2": (D,),
    }  # fmt: skip
    # weights of a network's usual size: with larger ones the softmax is nearly one-hot, and in float32 its gradient, a
    # small difference, is as uncertain in PyTorch as here
    params = {name: rng.standard_normal(shape) / np.sqrt(shape[0]) for name, shape in shapes.items()}
    return {"X": rng.standard_normal((N, T, D)), "params": params, "heads": int(heads), "mask": random_mask(rng, T, T)}


def sdpa_oracle(torch, Q, K, V, mask):
    return torch.nn.functional.scaled_dot_product_attention(Q, K, V, attn_mask=mask)


def self_attention_oracle(torch, X, Wq, Wk, Wv, mask):
    return sdpa_oracle(torch, X @ Wq, X @ Wk, X @ Wv, mask)


def cross_attention_oracle(torch, X, C, Wq, Wk, Wv, mask):
    return sdpa_oracle(torch, X @ Wq, C @ Wk, C @ Wv, mask)


def rotary_oracle(torch, X, base, start):
    """A pair of columns as one complex number, times e^(i t θ)."""
    T, D = X.shape[-2:]
    theta = base ** (-torch.arange(0, D, 2, dtype=torch.float64) / D)
    angle = torch.arange(start, start + T, dtype=torch.float64)[:, None] * theta
    pairs = torch.view_as_complex(torch.reshape(X, (*X.shape[:-1], D // 2, 2)))
    turned = pairs * torch.polar(torch.ones_like(angle), angle).to(pairs.dtype)
    return torch.reshape(torch.view_as_real(turned), X.shape)


def multi_head_oracle(torch, X, Wq, Wk, Wv, Wo, heads, mask):
    Q, K, V = (torch.stack((X @ W).chunk(heads, dim=-1), dim=1) for W in (Wq, Wk, Wv))
    Y = sdpa_oracle(torch, Q, K, V, mask)
    return torch.cat(Y.unbind(1), dim=-1) @ Wo


def block_oracle(torch, X, params, heads, mask):
    F, p = torch.nn.functional, params
    A = F.layer_norm(X, X.shape[-1:], p["gamma1"], p["beta1"])
    Z = X + multi_head_oracle(torch, A, p["Wq"], p["Wk"], p["Wv"], p["Wo"], heads, mask)
    B = F.layer_norm(Z, Z.shape[-1:], p["gamma2"], p["beta2"])
    return Z + F.linear(F.gelu(F.linear(B, p["W1"].T, p["b1"])), p["W2"].T, p["b2"])


def changed(name, change):
    return {"params": lambda params: params | {name: change(params[name])}}


NOT_BOOLEAN = [
    ({"mask": lambda mask: mask.astype(float)}, "mask: expected a boolean array, .*, got dtype float64"),
    ({"mask": lambda mask: mask.astype(int)}, "mask: expected a boolean array, .*, got dtype int64"),
    ({"mask": "causal"}, "mask: expected a boolean array"),
    ({"mask": [[True], [True, False]]}, "mask: expected a boolean array, got list"),
]
MASK_SHAPE = [
    (
        {"mask": lambda mask: np.concatenate([mask, mask], axis=-1)},
        r"mask: expected a shape that broadcasts to \(…, T_q, T_k\) = \(.*, got \(",
    ),
    ({"mask": lambda mask: mask[None, None, None]}, r"mask: expected a shape that broadcasts to"),
]
HEADS_MASK = r"mask: expected shape \(T, T\) or \(N, 1, T, T\) with N = \d, T = \d as in X, got \("
HEADS_MASKS = [
    ({"mask": lambda mask: np.concatenate([mask, mask], axis=-1)}, HEADS_MASK),
    ({"mask": lambda mask: mask.reshape(-1, *mask.shape[-2:])}, HEADS_MASK),
    ({"mask": lambda mask: mask[..., 0, :].ravel()[: mask.shape[-1]]}, HEADS_MASK),
    ({"heads": lambda heads: 5}, "heads: expected a divisor of E = .* as in Wq, got 5"),
    ({"heads": 0}, "heads: expected a whole number of at least 1, got 0"),
    ({"heads": 2.0}, "heads: expected a whole number"),
]

OPERATIONS = [
    Operation(
        "attention.scaled_dot_product_attention",
        "pair",
        sdpa_inputs,
        wrt=("Q", "K", "V"),
        oracle=sdpa_oracle,
        bad=[
            *NOT_BOOLEAN,
            *MASK_SHAPE,
            ({"Q": lambda Q: Q[..., :-1]}, r"K: expected shape \(..., T_k, d_k\) with .*d_k = \d as in Q"),
            ({"K": lambda K: K[..., :-1, :]}, r"V: expected shape \(..., T_k, d_v\) with .*T_k = \d as in K"),
            ({"V": lambda V: V[:1]}, r"V: expected shape \(..., T_k, d_v\) with \.\.\. = \(\d, \d\) as in Q"),
            ({name: lambda x: x[:0] for name in "QKV"} | {"mask": None}, "Q: expected at least one entry"),
        ],
    ),
    Operation(
        "attention.self_attention",
        "pair",
        self_attention_inputs,
        wrt=("X", "Wq", "Wk", "Wv"),
        oracle=self_attention_oracle,
        bad=[
            *NOT_BOOLEAN,
            *MASK_SHAPE,
            ({"X": lambda X: X[..., :-1]}, r"Wq: expected shape \(D, d_k\) with D = \d as in X"),
            ({"Wk": lambda W: W[:, :-1]}, r"Wk: expected shape \(D, d_k\) with D = \d as in X, d_k = \d as in Wq"),
            ({"X": lambda X: X[:0]}, "X: expected at least one entry along each axis"),
        ],
    ),
    Operation(
        "attention.cross_attention",
        "pair",
        cross_attention_inputs,
        wrt=("X", "C", "Wq", "Wk", "Wv"),
        oracle=cross_attention_oracle,
        bad=[
            *NOT_BOOLEAN,
            *MASK_SHAPE,
            ({"C": lambda C: C[..., :-1]}, r"C: expected shape \(..., S, D\) with .*D = \d as in X"),
            ({"C": lambda C: C[:-1]}, r"C: expected shape \(..., S, D\) with \.\.\. = \(\d,\) as in X"),
            ({"Wk": lambda W: W[:, :-1]}, r"Wk: expected shape \(D, d_k\) with D = \d as in X, d_k = \d as in Wq"),
            ({"X": lambda X: X[:0], "C": lambda C: C[:0]}, "X: expected at least one entry along each axis"),
        ],
    ),
    Operation(
        "attention.rotary",
        "pair",
        rotary_inputs,
        wrt=("X",),
        oracle=rotary_oracle,
        bad=[
            ({"X": lambda X: X[..., :-1]}, "X: expected an even number D of columns, in pairs, got shape"),
            ({"X": lambda X: X[:0]}, r"X: expected shape \(\.\.\., T, D\), none of them 0, got \(0,"),
            ({"X": lambda X: X[0, 0, 0]}, r"X: expected shape \(\.\.\., T, D\), none of them 0, got \(\d,\)"),
            ({"base": 1.0}, r"base: expected a number in \(1, inf\), got 1"),
            ({"start": -1}, "start: expected a whole number of at least 0, got -1"),
            ({"start": 1.5}, "start: expected a whole number"),
        ],
    ),
    Operation(
        "attention.multi_head_attention",
        "pair",
        multi_head_inputs,
        wrt=("X", "Wq", "Wk", "Wv", "Wo"),
        oracle=multi_head_oracle,
        bad=[
            *NOT_BOOLEAN,
            *HEADS_MASKS,
            ({"X": lambda X: X[0]}, r"X: expected shape \(N, T, D\)"),
            ({"Wv": lambda W: W[:, :-1]}, r"Wv: expected shape \(D, E\) with D = \d as in X, E = \d+ as in Wq"),
            ({"Wo": lambda W: W.T[:-1]}, r"Wo: expected shape \(E, D\)"),
        ],
    ),
    Operation(
        "attention.transformer_block",
        "pair",
        block_inputs,
        wrt=("X", "params"),
        oracle=block_oracle,
        bad=[
            *NOT_BOOLEAN,
            *HEADS_MASKS[:1],
            *HEADS_MASKS[3:],
            ({"params": []}, "params: expected a dict with the keys gamma1, .*, got list"),
            (
                {"params": lambda p: {k: x for k, x in p.items() if k != "W1"}},
                r"params: expected .*, got none of \['W1'\]",
            ),
            ({"params": lambda p: p | {"bq": p["b1"]}}, r"params: expected .*, got also \['bq'\]"),
            (changed("gamma1", lambda x: x[:-1]), r"gamma1: expected shape \(D,\) with D = \d as in X"),
            (changed("W2", lambda x: x.T[:, :-1]), r"W2: expected shape \(F, D\)"),
            (changed("b1", lambda x: x[:1]), r"b1: expected shape \(F,\) with F = \d as in W1"),
            (changed("Wq", lambda x: np.full(x.shape, "a")), "Wq: expected an array of numbers"),
        ],
    ),
]


def positions_oracle(torch, T, D):
    P = torch.zeros(T, D, dtype=torch.float64)
    rate = torch.exp(torch.arange(0, D, 2, dtype=torch.float64) * (-np.log(10000.0) / D))
    t = torch.arange(T, dtype=torch.float64)
    P[:, 0::2] = torch.sin(t[:, None] * rate)
    P[:, 1::2] = torch.cos(t[:, None] * rate)
    return P


def test_positions_equal_pytorch_and_the_formula_by_hand():
    torch = pytest.importorskip("torch", reason="PyTorch, the live oracle, is not installed")
    for T, D in ((1, 2), (50, 6), (7, 512)):
        P = attention.sinusoidal_positions(T, D)
        assert P.dtype == np.float64
        np.testing.assert_allclose(P, positions_oracle(torch, T, D).numpy(), rtol=0, atol=1e-12)
    P = attention.sinusoidal_positions(101, 4)
    # columns in turn: sine and cosine of t, then of t/100
    np.testing.assert_allclose(P[100], [np.sin(100), np.cos(100), np.sin(1), np.cos(1)], rtol=1e-12)
    assert P[0].tolist() == [0.0, 1.0, 0.0, 1.0]


def test_positions_further_on_are_a_rotation():
    P = attention.sinusoidal_positions(20, 6)
    ahead = 3
    for i in range(3):
        angle = ahead / 10000.0 ** (2 * i / 6)
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        np.testing.assert_allclose(P[:-ahead, 2 * i : 2 * i + 2] @ rotation, P[ahead:, 2 * i : 2 * i + 2], atol=1e-12)


def test_masks_and_positions_refuse_nonsense():
    for call, match in [
        (lambda: attention.causal_mask(0), "T: expected a whole number of at least 1, got 0"),
        (lambda: attention.causal_mask(2.0), "T: expected a whole number"),
        (lambda: attention.sinusoidal_positions(0, 2), "T: expected a whole number of at least 1"),
        (lambda: attention.sinusoidal_positions(2, 3), "D: expected an even number, .*, got 3"),
        (lambda: attention.sinusoidal_positions(2, 0), "D: expected a whole number of at least 2"),
    ]:
        with pytest.raises((ValueError, TypeError), match=match):
            call()


def test_the_causal_mask_is_the_lower_triangle():
    for T in (1, 2, 5):
        mask = attention.causal_mask(T)
        assert mask.dtype == bool
        np.testing.assert_array_equal(mask, np.tril(np.ones((T, T), bool)))


@given(seed=st.integers(0, 2**32 - 1))
def test_rows_of_weights_sum_to_one_and_respect_the_mask(seed):
    rng = np.random.default_rng(seed)
    inputs = sdpa_inputs(rng)
    inputs["mask"] = rng.random(inputs["mask"].shape) < 0.5
    Y, cache = attention.scaled_dot_product_attention_forward(**inputs)
    mask = np.broadcast_to(inputs["mask"], cache.weights.shape)
    np.testing.assert_allclose(cache.weights.sum(axis=-1), mask.any(axis=-1), rtol=0, atol=1e-14)
    assert np.all(cache.weights >= 0.0) and np.all(cache.weights[~mask] == 0.0) and np.all(cache.weights[mask] > 0.0)
    assert np.all(Y[~mask.any(axis=-1)] == 0.0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_query_that_may_attend_to_nothing_is_zero_forth_and_back(dtype):
    rng = np.random.default_rng(0)
    inputs = cast(sdpa_inputs(rng), dtype)
    T_q = inputs["Q"].shape[-2]
    for mask in (np.zeros_like(inputs["mask"]), inputs["mask"] & (np.arange(T_q) > 0)[:, None]):
        Y, cache = attention.scaled_dot_product_attention_forward(**inputs | {"mask": mask})
        dQ, dK, dV = attention.scaled_dot_product_attention_backward(np.ones_like(Y), cache)
        empty = ~np.broadcast_to(mask, cache.weights.shape).any(axis=-1)
        assert np.all(Y[empty] == 0.0) and np.all(dQ[empty] == 0.0) and empty.any()
        for x in (Y, cache.weights, dQ, dK, dV):
            assert np.all(np.isfinite(x)) and x.dtype == dtype
        if empty.all():
            assert np.all(dK == 0.0) and np.all(dV == 0.0)
        else:  # the other rows do not notice
            rest, rest_cache = attention.scaled_dot_product_attention_forward(
                inputs["Q"][..., 1:, :], inputs["K"], inputs["V"], mask[..., 1:, :]
            )
            np.testing.assert_allclose(Y[..., 1:, :], rest, rtol=1e-6)
            for gradient, other in zip(
                (dK, dV),
                attention.scaled_dot_product_attention_backward(np.ones_like(rest), rest_cache)[1:],
                strict=True,
            ):
                np.testing.assert_allclose(gradient, other, rtol=0, atol=1e-5)


def test_the_block_with_nothing_to_attend_to_is_its_mlp():
    inputs = block_inputs(np.random.default_rng(1))
    T = inputs["X"].shape[1]
    inputs["mask"] = np.zeros((T, T), bool)
    Y, cache = attention.transformer_block_forward(**inputs)
    dX, dparams = attention.transformer_block_backward(np.ones_like(Y), cache)
    for name in ("Wq", "Wk", "Wv", "Wo", "gamma1", "beta1"):
        assert np.all(dparams[name] == 0.0), name
    without, _ = attention.transformer_block_forward(
        inputs["X"], inputs["params"] | {"Wo": 0.0 * inputs["params"]["Wo"]}, inputs["heads"]
    )
    np.testing.assert_allclose(Y, without, rtol=0, atol=1e-14)
    assert np.all(np.isfinite(dX))


@given(seed=st.integers(0, 2**32 - 1))
def test_the_past_does_not_see_the_future(seed):
    rng = np.random.default_rng(seed)
    for forward, backward, inputs in (
        (attention.self_attention_forward, attention.self_attention_backward, self_attention_inputs(rng)),
        (attention.multi_head_attention_forward, attention.multi_head_attention_backward, multi_head_inputs(rng)),
        (attention.transformer_block_forward, attention.transformer_block_backward, block_inputs(rng)),
    ):
        X = inputs["X"]
        T = X.shape[1]
        t = int(rng.integers(1, T))
        inputs["mask"] = attention.causal_mask(T)
        later = X.copy()
        later[:, t:] = 100.0 * rng.standard_normal(later[:, t:].shape)
        Y, cache = forward(**inputs)
        Y_later, _ = forward(**inputs | {"X": later})
        np.testing.assert_array_equal(Y[:, :t], Y_later[:, :t])
        dY = rng.standard_normal(Y.shape)
        dY[:, t:] = 0.0
        dX, *_ = backward(dY, cache)
        assert np.all(dX[:, t:] == 0.0)


@given(seed=st.integers(0, 2**32 - 1))
def test_attention_does_not_know_the_order_of_the_positions(seed):
    rng = np.random.default_rng(seed)
    for forward, backward, inputs in (
        (attention.self_attention_forward, attention.self_attention_backward, self_attention_inputs(rng)),
        (attention.multi_head_attention_forward, attention.multi_head_attention_backward, multi_head_inputs(rng)),
        (attention.transformer_block_forward, attention.transformer_block_backward, block_inputs(rng)),
    ):
        inputs["mask"] = None
        order = rng.permutation(inputs["X"].shape[1])
        Y, cache = forward(**inputs)
        Y_permuted, cache_permuted = forward(**inputs | {"X": inputs["X"][:, order]})
        np.testing.assert_allclose(Y_permuted, Y[:, order], rtol=0, atol=1e-11)
        dY = rng.standard_normal(Y.shape)
        dX, *rest = backward(dY, cache)
        dX_permuted, *rest_permuted = backward(dY[:, order], cache_permuted)
        np.testing.assert_allclose(dX_permuted, dX[:, order], rtol=0, atol=1e-10)
        assert_close(flatten(rest_permuted), flatten(rest), 1e-10, "weights", [inputs, dY])


def test_keys_and_values_move_together_and_queries_by_themselves():
    rng = np.random.default_rng(2)
    inputs = sdpa_inputs(rng) | {"mask": None}
    keys, queries = rng.permutation(inputs["K"].shape[-2]), rng.permutation(inputs["Q"].shape[-2])
    Y, _ = attention.scaled_dot_product_attention_forward(**inputs)
    moved, _ = attention.scaled_dot_product_attention_forward(
        inputs["Q"][..., queries, :], inputs["K"][..., keys, :], inputs["V"][..., keys, :]
    )
    np.testing.assert_allclose(moved, Y[..., queries, :], rtol=0, atol=1e-13)


def test_one_key_gives_its_value_and_one_step_one_example_work():
    rng = np.random.default_rng(3)
    Q, K, V = rng.standard_normal((4, 3)), rng.standard_normal((1, 3)), rng.standard_normal((1, 2))
    Y, cache = attention.scaled_dot_product_attention_forward(Q, K, V)
    np.testing.assert_array_equal(Y, np.repeat(V, 4, axis=0))
    dQ, dK, dV = attention.scaled_dot_product_attention_backward(np.ones((4, 2)), cache)
    assert np.all(dQ == 0.0) and np.all(dK == 0.0) and np.all(dV == 4.0)
    inputs = block_inputs(rng) | {"mask": None}
    Y, cache = attention.transformer_block_forward(**inputs)
    Y1, _ = attention.transformer_block_forward(**inputs | {"X": inputs["X"][:1]})
    np.testing.assert_allclose(Y1, Y[:1], rtol=0, atol=1e-13)
    Y1, cache1 = attention.transformer_block_forward(**inputs | {"X": inputs["X"][:, :1], "mask": [[True]]})
    assert Y1.shape == (Y.shape[0], 1, Y.shape[2])
    dX, dparams = attention.transformer_block_backward(np.ones_like(Y1), cache1)
    assert np.all(dparams["Wq"] == 0.0) and np.any(dparams["Wv"] != 0.0) and dX.shape == Y1.shape


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_huge_scores_pick_one_value_silently(dtype):
    # scores ±1000: the softmax is one-hot, its gradient 0
    Q, K, V = np.array([[1.0]], dtype), np.array([[1000.0], [-1000.0]], dtype), np.array([[3.0], [5.0]], dtype)
    for sign, value in ((1.0, 3.0), (-1.0, 5.0)):
        for mask in (None, np.array([[True, True]])):
            Y, cache = attention.scaled_dot_product_attention_forward(dtype(sign) * Q, K, V, mask)
            assert Y.tolist() == [[value]]
            dQ, dK, dV = attention.scaled_dot_product_attention_backward(np.ones_like(Y), cache)
            assert np.all(dQ == 0.0) and np.all(dK == 0.0) and sorted(dV[:, 0].tolist()) == [0.0, 1.0]
        # the liked key is forbidden
        Y, _ = attention.scaled_dot_product_attention_forward(dtype(sign) * Q, K, V, value != V.T)
        assert Y.tolist() == [[8.0 - value]]


def test_a_shift_of_a_querys_scores_changes_nothing():
    """Softmax is over the keys: a vector added to all keys shifts each query's scores by one number."""
    rng = np.random.default_rng(4)
    inputs = sdpa_inputs(rng)
    Y, _ = attention.scaled_dot_product_attention_forward(**inputs)
    shift = rng.standard_normal(inputs["K"].shape[-1])
    shifted, _ = attention.scaled_dot_product_attention_forward(**inputs | {"K": inputs["K"] + shift})
    np.testing.assert_allclose(shifted, Y, rtol=0, atol=1e-12)


def test_attention_by_hand():
    """Two keys, d_k = 4: scores 2·ln3/√4 = ln 3 and 0, so weights ¾ and ¼."""
    Q, K = np.array([[1.0, 0, 0, 0]]), np.array([[2 * np.log(3.0), 7, 7, 7], [0, 7, 7, 7]])
    Y, cache = attention.scaled_dot_product_attention_forward(Q, K, np.array([[4.0, 0.0], [0.0, 8.0]]))
    np.testing.assert_allclose(cache.weights, [[0.75, 0.25]], rtol=1e-15)
    np.testing.assert_allclose(Y, [[3.0, 2.0]], rtol=1e-15)
    # dP = (4, 0), row term 3: dS = (¾, −¾), the scale ½ once more
    dQ, dK, dV = attention.scaled_dot_product_attention_backward(np.array([[1.0, 0.0]]), cache)
    np.testing.assert_allclose(dQ, [[0.75 * np.log(3.0), 0, 0, 0]], rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(dK, [[0.375, 0, 0, 0], [-0.375, 0, 0, 0]], rtol=1e-14)
    np.testing.assert_allclose(dV, [[0.75, 0.0], [0.25, 0.0]], rtol=1e-15)


def test_one_head_with_an_identity_is_self_attention():
    rng = np.random.default_rng(5)
    X, (Wq, Wk, Wv) = rng.standard_normal((2, 3, 4)), rng.standard_normal((3, 4, 4))
    mask = attention.causal_mask(3)
    one, _ = attention.self_attention_forward(X, Wq, Wk, Wv, mask)
    many, _ = attention.multi_head_attention_forward(X, Wq, Wk, Wv, np.eye(4), 1, mask)
    np.testing.assert_allclose(many, one, rtol=0, atol=1e-14)
    # two heads: two self-attentions on contiguous blocks of columns, side by side
    many, cache = attention.multi_head_attention_forward(X, Wq, Wk, Wv, np.eye(4), 2, mask)
    halves = [
        attention.self_attention_forward(X, *(W[:, s] for W in (Wq, Wk, Wv)), mask) for s in (slice(2), slice(2, 4))
    ]
    np.testing.assert_allclose(many, np.concatenate([Y for Y, _ in halves], axis=-1), rtol=0, atol=1e-14)
    for head in range(2):
        weights = halves[head][1].attention.weights
        np.testing.assert_allclose(cache.attention.weights[:, head], weights, rtol=0, atol=1e-14)


def test_self_attention_takes_one_sequence_or_any_stack_of_them():
    rng = np.random.default_rng(6)
    X, (Wq, Wk, Wv) = rng.standard_normal((2, 3, 5, 4)), rng.standard_normal((3, 4, 2))
    Y, cache = attention.self_attention_forward(X, Wq, Wk, Wv)
    single, single_cache = attention.self_attention_forward(X[1, 2], Wq, Wk, Wv)
    np.testing.assert_allclose(Y[1, 2], single, rtol=0, atol=1e-14)
    dY = rng.standard_normal(Y.shape)
    dX, *_ = attention.self_attention_backward(dY, cache)
    dx, *_ = attention.self_attention_backward(dY[1, 2], single_cache)
    np.testing.assert_allclose(dX[1, 2], dx, rtol=0, atol=1e-13)


def test_masks_of_each_allowed_shape_say_the_same():
    rng = np.random.default_rng(7)
    inputs = multi_head_inputs(rng)
    N, T, _ = inputs["X"].shape
    causal = attention.causal_mask(T)
    expected, _ = attention.multi_head_attention_forward(**inputs | {"mask": causal})
    for mask in (causal.tolist(), np.broadcast_to(causal, (N, 1, T, T)), causal[None, None]):
        Y, _ = attention.multi_head_attention_forward(**inputs | {"mask": mask})
        np.testing.assert_array_equal(Y, expected)
    everything, _ = attention.multi_head_attention_forward(**inputs | {"mask": np.ones((T, T), bool)})
    nothing_forbidden, _ = attention.multi_head_attention_forward(**inputs | {"mask": None})
    np.testing.assert_array_equal(everything, nothing_forbidden)


def test_a_mask_made_on_the_host_follows_its_inputs():
    strict = pytest.importorskip("array_api_strict")
    inputs = block_inputs(np.random.default_rng(12))
    T = inputs["X"].shape[1]
    expected, _ = attention.transformer_block_forward(**inputs | {"mask": attention.causal_mask(T)})
    elsewhere = map_arrays(strict.asarray, {name: inputs[name] for name in ("X", "params")})
    Y, _ = attention.transformer_block_forward(**elsewhere, heads=inputs["heads"], mask=attention.causal_mask(T))
    np.testing.assert_allclose(np.asarray(Y), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", ["scaled_dot_product_attention", "self_attention", "multi_head_attention"])
def test_gradients_equal_the_complex_step(name):
    """No subtraction, so no rounding: agrees to the last digits, where central differences stop at eight."""
    operation = next(op for op in OPERATIONS if op.name == f"attention.{name}")
    inputs = operation.inputs(np.random.default_rng(13))
    Y, cache = operation.forward(**inputs)
    dY = upstream(Y)
    for argument, gradient in zip(operation.wrt, operation.backward(dY, cache), strict=True):
        numeric = complex_step_grad(
            lambda x, a=argument: np.sum(dY * operation.forward(**inputs | {a: x})[0]), inputs[argument]
        )
        np.testing.assert_allclose(gradient, numeric, rtol=0, atol=1e-13 * np.max(np.abs(numeric)))


def test_a_mask_of_three_axes_is_refused_even_where_it_would_fit():
    """(N, T, T) with N = heads broadcasts, but takes the examples for heads."""
    X, W = np.ones((2, 3, 4)), np.ones((4, 4))
    with pytest.raises(ValueError, match=r"mask: expected shape \(T, T\) or \(N, 1, T, T\) with N = 2, T = 3"):
        attention.multi_head_attention_forward(X, W, W, W, W, 2, np.ones((2, 3, 3), bool))


@pytest.mark.parametrize("masked", [False, True])
def test_multi_head_attention_equals_pytorchs_module(masked):
    """torch.nn.MultiheadAttention, whose mask says the opposite: True = may not attend."""
    torch = pytest.importorskip("torch", reason="PyTorch, the live oracle, is not installed")
    rng = np.random.default_rng(8)
    N, T, D, heads = 3, 5, 6, 2
    X, dY = rng.standard_normal((2, N, T, D))
    Wq, Wk, Wv, Wo = rng.standard_normal((4, D, D))
    mask = attention.causal_mask(T) if masked else None
    Y, cache = attention.multi_head_attention_forward(X, Wq, Wk, Wv, Wo, heads, mask)
    module = torch.nn.MultiheadAttention(D, heads, bias=False, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        module.in_proj_weight.copy_(torch.tensor(np.concatenate([Wq.T, Wk.T, Wv.T])))
        module.out_proj.weight.copy_(torch.tensor(Wo.T))
    x = torch.tensor(X, requires_grad=True)
    forbidden = torch.tensor(~mask) if masked else None
    out, weights = module(x, x, x, attn_mask=forbidden, average_attn_weights=False)
    out.backward(torch.tensor(dY))
    np.testing.assert_allclose(Y, out.detach().numpy(), rtol=0, atol=1e-11)
    np.testing.assert_allclose(cache.attention.weights, weights.detach().numpy(), rtol=0, atol=1e-12)
    dX, dWq, dWk, dWv, dWo = attention.multi_head_attention_backward(dY, cache)
    np.testing.assert_allclose(dX, x.grad.numpy(), rtol=0, atol=1e-10)
    packed = np.concatenate([dWq.T, dWk.T, dWv.T])
    np.testing.assert_allclose(packed, module.in_proj_weight.grad.numpy(), rtol=0, atol=1e-10)
    np.testing.assert_allclose(dWo.T, module.out_proj.weight.grad.numpy(), rtol=0, atol=1e-10)


def test_the_block_equals_pytorchs_encoder_layer():
    """torch.nn.TransformerEncoderLayer, norm first, exact gelu."""
    torch = pytest.importorskip("torch", reason="PyTorch, the live oracle, is not installed")
    rng = np.random.default_rng(9)
    N, T, D, F, heads = 2, 5, 6, 7, 3
    X, dY = rng.standard_normal((2, N, T, D))
    params = {name: rng.standard_normal((D, D)) for name in ("Wq", "Wk", "Wv", "Wo")}
    params |= {name: rng.standard_normal(D) for name in ("gamma1", "beta1", "gamma2", "beta2", "b2")}
    params |= {"W1": rng.standard_normal((D, F)), "b1": rng.standard_normal(F), "W2": rng.standard_normal((F, D))}
    mask = attention.causal_mask(T)
    layer = torch.nn.TransformerEncoderLayer(
        D, heads, F, dropout=0.0, activation="gelu", batch_first=True, norm_first=True, dtype=torch.float64
    )
    qkv = np.concatenate([params[name].T for name in ("Wq", "Wk", "Wv")])
    theirs = {
        "self_attn.in_proj_weight": qkv, "self_attn.in_proj_bias": np.zeros(3 * D),
        "self_attn.out_proj.weight": params["Wo"].T, "self_attn.out_proj.bias": np.zeros(D),
        "linear1.weight": params["W1"].T, "linear1.bias": params["b1"],
        "linear2.weight": params["W2"].T, "linear2.bias": params["b2"],
        "norm1.weight": params["gamma1"], "norm1.bias": params["beta1"],
        "norm2.weight": params["gamma2"], "norm2.bias": params["beta2"],
    }  # fmt: skip
    layer.load_state_dict({name: torch.tensor(x) for name, x in theirs.items()})
    x = torch.tensor(X, requires_grad=True)
    out = layer(x, src_mask=torch.tensor(~mask))
    out.backward(torch.tensor(dY))
    Y, cache = attention.transformer_block_forward(X, params, heads, mask)
    dX, dparams = attention.transformer_block_backward(dY, cache)
    np.testing.assert_allclose(Y, out.detach().numpy(), rtol=0, atol=1e-10)
    np.testing.assert_allclose(dX, x.grad.numpy(), rtol=0, atol=1e-10)
    gradients = {name: p.grad.numpy() for name, p in layer.named_parameters()}
    for ours, name in (("W1", "linear1.weight"), ("W2", "linear2.weight"), ("Wo", "self_attn.out_proj.weight")):
        np.testing.assert_allclose(dparams[ours].T, gradients[name], rtol=0, atol=1e-10)
    for ours, name in (("gamma1", "norm1.weight"), ("beta1", "norm1.bias"), ("b1", "linear1.bias")):
        np.testing.assert_allclose(dparams[ours], gradients[name], rtol=0, atol=1e-10)
    assert list(dparams) == list(attention.BLOCK_PARAMS)


def test_a_fully_masked_row_equals_pytorch():
    torch = pytest.importorskip("torch", reason="PyTorch, the live oracle, is not installed")
    operation = OPERATIONS[0]
    for dtype in (np.float64, np.float32):
        inputs = cast(sdpa_inputs(np.random.default_rng(10)), dtype)
        inputs["mask"][0, 0, 1] = False
        expected = run_torch(operation, inputs, torch)
        tolerance, summed = operation.tolerance[dtype == np.float32], summands(inputs, expected)
        assert_close(run(operation, inputs), expected, tolerance, operation.name, summed)


def test_parameters_may_come_from_a_file_and_in_any_order(tmp_path):
    inputs = block_inputs(np.random.default_rng(11))
    Y, _ = attention.transformer_block_forward(**inputs)
    np.savez(tmp_path / "block.npz", **dict(reversed(inputs["params"].items())))
    with np.load(tmp_path / "block.npz") as params:
        from_file, _ = attention.transformer_block_forward(**inputs | {"params": params})
    np.testing.assert_array_equal(from_file, Y)


def test_lists_and_integers_are_welcome():
    Y, cache = attention.scaled_dot_product_attention_forward([[0, 0]], [[1, 1], [1, 1]], [[1], [3]], [[True, True]])
    assert Y.tolist() == [[2.0]]
    assert attention.scaled_dot_product_attention_backward([[1]], cache)[2].tolist() == [[0.5], [0.5]]


def test_what_is_forbidden_to_all_cannot_spoil_a_row_with_nothing_allowed():
    Q = np.random.default_rng(0).standard_normal((3, 4))
    mask = np.ones((3, 3), dtype=bool)
    mask[:, 2] = mask[1] = False
    expected = attention.scaled_dot_product_attention_forward(Q, Q, Q, mask)[0]
    for bad in (np.nan, np.inf, -np.inf):
        K = Q.copy()
        K[2] = bad
        with np.errstate(invalid="ignore"):  # the products of infinities with both signs
            Y, _ = attention.scaled_dot_product_attention_forward(Q, K, Q, mask)
        np.testing.assert_array_equal(Y, expected)
    assert not expected[1].any()


# ---- the block's other forms, cross-attention, rotary positions, kept keys and values ----


def other_block(rng, mlp, norm):
    """Random inputs of a block with these parts, for all its parameters."""
    N, T, heads, d, D, F = 2, 5, 2, 3, 6, 7
    E = heads * d
    shapes = {
        "gamma1": (D,), "beta1": (D,), "Wq": (D, E), "Wk": (D, E), "Wv": (D, E), "Wo": (E, D), "gamma2": (D,), "beta2": (D,),
        "W1": (D, F), "b1": (F,), "Wa": (D, F), "ba": (F,), "Wb": (D, F), "bb": (F,), "W2": (F, D), "b2": (D,),
    }  # fmt: skip
    names = attention.block_params(mlp, norm)
    params = {name: rng.standard_normal(shapes[name]) / np.sqrt(shapes[name][0]) for name in names}
    return {
        "X": rng.standard_normal((N, T, D)), "params": params, "heads": heads, "mask": attention.causal_mask(T),
        "mlp": mlp, "norm": norm,
    }  # fmt: skip


def other_block_oracle(torch, X, params, heads, mask, mlp, norm):
    F, p = torch.nn.functional, params

    def normalized(x, place):
        if norm == "rms":
            return F.rms_norm(x, x.shape[-1:], p[f"gamma{place}"], 1e-5)
        return F.layer_norm(x, x.shape[-1:], p[f"gamma{place}"], p[f"beta{place}"])

    Z = X + multi_head_oracle(torch, normalized(X, 1), p["Wq"], p["Wk"], p["Wv"], p["Wo"], heads, mask)
    B = normalized(Z, 2)
    hidden = F.gelu(B @ p["W1"] + p["b1"]) if mlp == "gelu" else F.silu(B @ p["Wa"] + p["ba"]) * (B @ p["Wb"] + p["bb"])
    return Z + hidden @ p["W2"] + p["b2"]


FORMS = [(mlp, norm) for mlp in ("gelu", "swiglu") for norm in ("layer", "rms")]


@pytest.mark.parametrize(("mlp", "norm"), FORMS)
def test_every_form_of_the_block_equals_pytorch(mlp, norm):
    torch = pytest.importorskip("torch", reason="PyTorch, the live oracle, is not installed")
    operation = Operation("attention.transformer_block", "pair", None, wrt=("X", "params"), oracle=other_block_oracle)
    for dtype in (np.float64, np.float32):
        inputs = cast(other_block(np.random.default_rng(11), mlp, norm), dtype)
        expected = run_torch(operation, inputs, torch)
        tolerance, summed = operation.tolerance[dtype == np.float32], summands(inputs, expected)
        assert_close(run(operation, inputs), expected, tolerance, operation.name, summed)


@pytest.mark.parametrize(("mlp", "norm"), FORMS)
def test_every_form_of_the_block_has_the_gradient_of_its_forward(mlp, norm):
    inputs = other_block(np.random.default_rng(12), mlp, norm)
    X, params = inputs["X"], inputs["params"]
    Y, cache = attention.transformer_block_forward(**inputs)
    dY = upstream(Y)
    dX, dparams = attention.transformer_block_backward(dY, cache)
    assert list(dparams) == list(attention.block_params(mlp, norm))
    rng = np.random.default_rng(13)
    move = {name: rng.standard_normal(p.shape) for name, p in params.items()}
    move_X = rng.standard_normal(X.shape)

    def along(t):
        moved = inputs | {"X": X + t * move_X, "params": {name: p + t * move[name] for name, p in params.items()}}
        return (attention.transformer_block_forward(**moved)[0] * dY).sum()

    expected = (dX * move_X).sum() + sum((dparams[name] * move[name]).sum() for name in params)
    assert (along(1e-5) - along(-1e-5)) / 2e-5 == pytest.approx(expected, rel=1e-6)


def test_a_block_asks_for_the_parameters_of_its_form():
    inputs = other_block(np.random.default_rng(0), "swiglu", "rms")
    for changes, message in (
        ({"mlp": "relu"}, "mlp: expected one of 'gelu', 'swiglu'; got 'relu'"),
        ({"norm": "batch"}, "norm: expected one of 'layer', 'rms'; got 'batch'"),
        ({"norm": "layer"}, "params: expected the keys gamma1, beta1, Wq, Wk, Wv, Wo, gamma2, beta2, Wa, ba, Wb, bb, W2, b2, "
         "got none of ['beta1', 'beta2']"),
        ({"mlp": "gelu"}, "params: expected the keys gamma1, Wq, Wk, Wv, Wo, gamma2, W1, b1, W2, b2, got none of ['W1', 'b1']"),
    ):  # fmt: skip
        with pytest.raises(ValueError) as caught:
            attention.transformer_block_forward(**inputs | changes)
        assert str(caught.value) == message


def test_cross_attention_to_itself_is_self_attention():
    inputs = self_attention_inputs(np.random.default_rng(14))
    X, weights, mask = inputs["X"], [inputs[name] for name in ("Wq", "Wk", "Wv")], inputs["mask"]
    Y, cache = attention.cross_attention_forward(X, X, *weights, mask)
    same, own = attention.self_attention_forward(X, *weights, mask)
    np.testing.assert_array_equal(Y, same)
    dX, dC, *gradients = attention.cross_attention_backward(upstream(Y), cache)
    expected, *theirs = attention.self_attention_backward(upstream(Y), own)
    np.testing.assert_allclose(dX + dC, expected, rtol=1e-13, atol=1e-13)
    for gradient, its in zip(gradients, theirs, strict=True):
        np.testing.assert_array_equal(gradient, its)


def test_rotary_scores_depend_on_the_distance_alone():
    rng = np.random.default_rng(15)
    q, k = rng.standard_normal((2, 8))
    (Q, _), (K, _) = (attention.rotary_forward(np.tile(x, (20, 1))) for x in (q, k))
    S = Q @ K.T
    for distance in (-7, 0, 1, 12):
        diagonal = np.diagonal(S, distance)
        np.testing.assert_allclose(diagonal, diagonal[0], rtol=0, atol=1e-12)
    assert abs(S[0, 0] - S[0, 5]) > 1e-3 and abs(S[0, 5] - S[5, 0]) > 1e-3
    # Positions from elsewhere on are the later rows
    later, _ = attention.rotary_forward(np.tile(q, (5, 1)), start=15)
    np.testing.assert_allclose(later, Q[15:], rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(Q, axis=1), np.linalg.norm(q), rtol=1e-12)


def test_kept_keys_and_values_give_causal_attention():
    rng = np.random.default_rng(16)
    N, T, heads, d = 3, 9, 2, 4
    Q, K, V = rng.standard_normal((3, N, T, heads * d))
    by_head = [A.reshape(N, T, heads, d).swapaxes(1, 2) for A in (Q, K, V)]
    whole, _ = attention.scaled_dot_product_attention_forward(*by_head, attention.causal_mask(T))
    whole = whole.swapaxes(1, 2).reshape(N, T, heads * d)
    grown = attention.kv_cache(K[:, :1], V[:, :1])
    for t in range(T):
        kept = attention.kv_cache(K[:, : t + 1], V[:, : t + 1])
        y, same = attention.cached_attention(Q[:, t], kept, heads)
        assert np.abs(y - whole[:, t]).max() < 1e-12
        assert np.array_equal(same.keys, kept.keys) and np.array_equal(same.values, kept.values)
        as_row, _ = attention.cached_attention(Q[:, t : t + 1], kept, heads)
        assert np.array_equal(as_row[:, 0], y)
        if t:
            y, grown = attention.cached_attention(Q[:, t], grown, heads, K[:, t], V[:, t])
            assert np.abs(y - whole[:, t]).max() < 1e-12 and np.array_equal(grown.keys, kept.keys)
    with pytest.raises(ValueError, match="heads: expected a divisor of E = 8 as in q, got 3"):
        attention.cached_attention(Q[:, 0], grown, 3)
    with pytest.raises(TypeError, match=r"cache: expected a NamedTuple with the fields \(keys, values\), got"):
        attention.cached_attention(Q[:, 0], (K, V), 2)


@pytest.mark.parametrize(("mlp", "norm"), FORMS)
def test_a_block_step_by_step_is_the_whole_causal_pass(mlp, norm):
    inputs = other_block(np.random.default_rng(17), mlp, norm)
    whole, _ = attention.transformer_block_forward(**inputs)
    X, cache = inputs["X"], None
    for t in range(X.shape[1]):
        y, cache = attention.transformer_block_step(
            X[:, t : t + 1], inputs["params"], inputs["heads"], cache, mlp, norm
        )
        assert np.abs(y[:, 0] - whole[:, t]).max() < 1e-12


def test_the_heads_step_by_step_are_the_whole_causal_pass():
    inputs = multi_head_inputs(np.random.default_rng(18))
    X, weights, heads = inputs["X"], [inputs[name] for name in ("Wq", "Wk", "Wv", "Wo")], inputs["heads"]
    whole, _ = attention.multi_head_attention_forward(X, *weights, heads, attention.causal_mask(X.shape[1]))
    cache = None
    for t in range(X.shape[1]):
        y, cache = attention.multi_head_attention_step(X[:, t : t + 1], *weights, heads, cache)
        assert np.abs(y[:, 0] - whole[:, t]).max() < 1e-12
