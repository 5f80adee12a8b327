"""The transformer block: attention and a two-layer network, each with a norm before it and a way around it."""

import math

import numpy as np

from dlcourse import attention
from dlcourse.activations import gelu, gelu_grad
from dlcourse.attention import multi_head_attention_backward, multi_head_attention_forward
from dlcourse.layers import linear_backward, linear_forward
from dlcourse.normalization import layernorm_backward, layernorm_forward

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, of_a_part, slip
from . import multi_head_attention as heads_of
from ._shared import heads_args, lower

# --- solution ---------------------------------------------------------------------------------------------------------


def transformer_block_forward(X, params, heads, mask=None):
    p, shape = params, X.shape
    A, norm1 = layernorm_forward(X, p["gamma1"], p["beta1"])
    M, inner = multi_head_attention_forward(A, p["Wq"], p["Wk"], p["Wv"], p["Wo"], heads, mask)
    Z = X + M
    B, norm2 = layernorm_forward(Z, p["gamma2"], p["beta2"])
    # `linear_forward` takes a matrix: all positions of all examples as its rows
    U, linear1 = linear_forward(B.reshape(-1, shape[-1]), p["W1"], p["b1"])
    M, linear2 = linear_forward(gelu(U), p["W2"], p["b2"])
    return Z + M.reshape(shape), (norm1, inner, norm2, linear1, U, linear2)


def transformer_block_backward(dY, cache):
    norm1, inner, norm2, linear1, U, linear2 = cache
    d = {}
    dG, d["W2"], d["b2"] = linear_backward(dY.reshape(-1, dY.shape[-1]), linear2)
    dB, d["W1"], d["b1"] = linear_backward(dG * gelu_grad(U), linear1)
    dB, d["gamma2"], d["beta2"] = layernorm_backward(dB.reshape(dY.shape), norm2)
    dZ = dY + dB
    dA, d["Wq"], d["Wk"], d["Wv"], d["Wo"] = multi_head_attention_backward(dZ, inner)
    dA, d["gamma1"], d["beta1"] = layernorm_backward(dA, norm1)
    return dZ + dA, d


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, T, D, E, F, heads, mask=None, hidden=False):
        X, Wq, Wk, Wv, Wo = heads_args(rng, N, T, D, E)
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
        case("causal", 3, 5, 4, 8, 6, 2, mask=lower(5)),
        case("a mask for each example, with an empty row", 2, 4, 6, 4, 5, 2, mask=empty),
        enlarged(case("everything square", 4, 4, 4, 4, 4, 2, mask=lower(4)), 0),
        in_float32(case("", 2, 3, 4, 6, 5, 2, mask=lower(3))),
        case("one example", 1, 3, 5, 4, 8, 4, hidden=True),
        case("one position", 2, 1, 4, 6, 5, 2),
    ]


# --- mistakes ---------------------------------------------------------------------------------------------------------

NORM_1 = 'A, norm1 = layernorm_forward(X, p["gamma1"], p["beta1"])'
NORM_2 = 'B, norm2 = layernorm_forward(Z, p["gamma2"], p["beta2"])'
NORM_1_BACKWARD = 'dA, d["gamma1"], d["beta1"] = layernorm_backward(dA, norm1)'
NORM_2_BACKWARD = 'dB, d["gamma2"], d["beta2"] = layernorm_backward(dB.reshape(dY.shape), norm2)'

TANH = ("gelu(U)", "(0.5 * U * (1 + np.tanh((2 / np.pi) ** 0.5 * (U + 0.044715 * U**3))))")

MISTAKES = [
    # These before the forward slips that have the same gradients
    Mistake("mlp_skip_dropped_backward", slip("dZ = dY + dB", "dZ = dB"),
        "At the second sum the gradient goes both ways: through the two-layer network, and straight past it. The "
        "straight way is missing."),
    Mistake("attention_skip_dropped_backward", slip("return dZ + dA", "return dA"),
        "At the first sum the gradient goes both ways: through attention, and straight past it. The straight way is "
        "missing in dX."),
    Mistake("norm_after",
        slip(f"{NORM_1}\n    ", "",
             "multi_head_attention_forward(A,", "multi_head_attention_forward(X,",
             f"Z = X + M\n    {NORM_2}", NORM_1.replace("A,", "Z,").replace("(X", "(X + M"),
             "linear_forward(B.reshape", "linear_forward(Z.reshape",
             "return Z + M.reshape(shape)",
             NORM_2.replace("B,", "Y,").replace("(Z", "(Z + M.reshape(shape)") + "\n    return Y",
             "d = {}", 'd = {}\n    dY, d["gamma2"], d["beta2"] = layernorm_backward(dY, norm2)',
             f"{NORM_2_BACKWARD}\n    dZ = dY + dB", "dZ = dY + dB.reshape(dY.shape)",
             "dY + dB.reshape(dY.shape)", f"dY + dB.reshape(dY.shape)\n    {NORM_1_BACKWARD.replace('dA', 'dZ')}",
             f"{NORM_1_BACKWARD}\n    return", "return"),
        "You normalise after each sum, as the first paper did. Here the norm stands before each part, and the sums "
        "stay untouched.", convention=True),
    Mistake("attention_skip_missing", slip("Z = X + M", "Z = M", "return dZ + dA", "return dA"),
        "Attention *adds* to what came in. The first sum is missing."),
    Mistake("mlp_skip_missing", slip("return Z + M", "return M", "dZ = dY + dB", "dZ = dB"),
        "The two-layer network *adds* to what came in. The second sum is missing."),
    Mistake("skip_from_normalised",
        slip("Z = X + M", "Z = A + M", "return Z + M.reshape(shape)", "return B + M.reshape(shape)"),
        "You add to the normalised input. The sums run past the norms: what came into the norm is added."),
    Mistake("first_norm_missing",
        slip(NORM_1, "A, norm1 = X, None", NORM_1_BACKWARD, 'd["gamma1"] = d["beta1"] = 0 * dA[0, 0]'),
        "Attention reads X as it is. A norm comes first."),
    Mistake("second_norm_missing",
        slip(NORM_2, "B, norm2 = Z, None",
             NORM_2_BACKWARD, 'dB = dB.reshape(dY.shape)\n    d["gamma2"] = d["beta2"] = 0 * dB[0, 0]'),
        "The two-layer network reads Z as it is. A norm comes first."),
    Mistake("first_norm_reused", slip('(Z, p["gamma2"], p["beta2"])', '(Z, p["gamma1"], p["beta1"])'),
        "Both norms use the first one's γ and β. The second has its own."),
    Mistake("parallel_parts", slip(NORM_2, NORM_2.replace("(Z", "(X")),
        "Your two-layer network reads X, side by side with attention. Here it comes after: it reads Z.",
        convention=True),
    Mistake("relu_for_gelu", slip("gelu(U)", "np.maximum(U, 0)", "gelu_grad(U)", "(U > 0)"),
        "The activation is gelu, not ReLU."),
    Mistake("gelu_missing", slip("gelu(U)", "U", " * gelu_grad(U)", ""),
        "Two linear layers in a row are no more than one. What stands between them in the formula?"),
    Mistake("tanh_for_exact_gelu",
        slip(*TANH,
             "    d = {}", "    from dlcourse.activations import gelu_tanh_grad\n\n    d = {}",
             "gelu_grad(U)", "gelu_tanh_grad(U)"),
        "[Right up to the third or fourth digit.] You took gelu's approximation by tanh. The exact one is asked.",
        also=[slip(*TANH)], convention=True),
    Mistake("bias_forgotten", slip('p["W2"], p["b2"]', 'p["W2"], 0 * p["b2"]'), "The last bias, b2, is missing."),
    Mistake("derivative_at_output", slip("gelu_grad(U)", "gelu_grad(gelu(U))"),
        "gelu's slope is taken at its input U. You took it at its output."),
    Mistake("gelu_slope_missing", slip(" * gelu_grad(U)", ""),
        "Between the two linear layers the gradient passes gelu, and with it a slope."),
    Mistake("bias_summed_over_examples_only",
        slip("    return dZ + dA",
             '    d["b2"] = dY.sum(axis=0)\n'
             '    d["b1"] = (dG * gelu_grad(U)).reshape(*dY.shape[:2], -1).sum(axis=0)\n'
             "    return dZ + dA"),
        "The biases are the same at every position of every example: sum their gradients over both axes."),
    Mistake("upstream_lost_before_attention",
        slip("multi_head_attention_backward(dZ", "multi_head_attention_backward(dB"),
        "Attention gets only what came back through the two-layer network. Z also went straight into the output: its "
        "whole gradient goes on."),
    *of_a_part(heads_of.EXERCISE,
               but=("mean_for_sum", "queries_for_keys", "softmax_over_heads", "softmax_skipped", "softmax_elementwise",
                    "softmax_sum_missing", "scale_missing_backward")),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def norm(X, gamma, beta):
    centred = X - X.mean(axis=-1, keepdims=True)
    width = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
    return gamma * centred / width + beta, (centred / width, width, gamma)


def norm_backward(dY, cache):
    normal, width, gamma = cache
    d = dY * gamma
    d = (d - d.mean(axis=-1, keepdims=True) - normal * (d * normal).mean(axis=-1, keepdims=True)) / width
    return d, np.einsum("ntd,ntd->d", dY, normal), dY.sum(axis=(0, 1))


def by_hand_forward(X, params, heads, mask=None):
    """Norms and the two-layer network written out, attention one head after the other."""
    A, norm1 = norm(X, params["gamma1"], params["beta1"])
    share, inner = heads_of.by_head_forward(A, *(params[name] for name in ("Wq", "Wk", "Wv", "Wo")), heads, mask)
    Z = X + share
    B, norm2 = norm(Z, params["gamma2"], params["beta2"])
    U = B @ params["W1"] + params["b1"]
    gate = gelu(U) / U
    return Z + (U * gate) @ params["W2"] + params["b2"], (params, norm1, inner, norm2, B, U, gate)


def by_hand_backward(dY, cache):
    params, norm1, inner, norm2, B, U, gate = cache
    dU = dY @ params["W2"].T * (gate + U * np.exp(-0.5 * U * U) / math.sqrt(2 * math.pi))
    gradients = {"W1": np.einsum("ntd,ntf->df", B, dU), "b1": dU.sum(axis=(0, 1))}
    gradients |= {"W2": np.einsum("ntf,ntd->fd", U * gate, dY), "b2": dY.sum(axis=(0, 1))}
    dZ, gradients["gamma2"], gradients["beta2"] = norm_backward(dU @ params["W1"].T, norm2)
    dZ = dZ + dY
    dA, *weights = heads_of.by_head_backward(dZ, inner)
    gradients |= zip(("Wq", "Wk", "Wv", "Wo"), weights, strict=True)
    dX, gradients["gamma1"], gradients["beta1"] = norm_backward(dA, norm1)
    return dX + dZ, gradients


EXERCISE = Exercise("attention.transformer_block",
    (attention.transformer_block_forward, attention.transformer_block_backward), cases, MISTAKES,
    variants=[(by_hand_forward, by_hand_backward)], solution=(transformer_block_forward, transformer_block_backward),
    points=0,
    why="Stack twelve of these and you have the network of GPT-2 and BERT.",
    hints=("Six parts in a row: norm, attention, sum, norm, two-layer network, sum. You have a forward and a backward "
           "for each.",
           "`linear_forward` takes a matrix: `reshape` (N, T, D) to (N·T, D) and back.",
           "Backward: at each sum the gradient goes both ways, and where two ways meet again their gradients add. Draw "
           "it once."))  # fmt: skip
