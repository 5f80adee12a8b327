"""Multi-head attention: several questions asked at once."""

import numpy as np

from dlcourse import attention
from dlcourse.attention import scaled_dot_product_attention_backward, scaled_dot_product_attention_forward

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, of_a_part, slip, slip_in
from . import _shared as shared
from . import scaled_dot_product_attention as core
from . import self_attention

# --- solution ---------------------------------------------------------------------------------------------------------


def multi_head_attention_forward(X, Wq, Wk, Wv, Wo, heads, mask=None):
    N, T, _ = X.shape
    Q, K, V = ((X @ W).reshape(N, T, heads, -1).transpose(0, 2, 1, 3) for W in (Wq, Wk, Wv))
    Y, cache = scaled_dot_product_attention_forward(Q, K, V, mask)
    Z = Y.transpose(0, 2, 1, 3).reshape(N, T, -1)
    return Z @ Wo, (X, Wq, Wk, Wv, Wo, heads, Z, cache)


def multi_head_attention_backward(dY, cache):
    X, Wq, Wk, Wv, Wo, heads, Z, inner = cache
    N, T, D = X.shape
    dZ = (dY @ Wo.T).reshape(N, T, heads, -1).transpose(0, 2, 1, 3)
    dWo = Z.reshape(N * T, -1).T @ dY.reshape(N * T, D)
    gradients = scaled_dot_product_attention_backward(dZ, inner)
    dQ, dK, dV = (dU.transpose(0, 2, 1, 3).reshape(N, T, -1) for dU in gradients)
    dX = dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T
    dW = (X.reshape(N * T, D).T @ dU.reshape(N * T, -1) for dU in (dQ, dK, dV))
    return dX, *dW, dWo


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, T, D, E, heads, mask=None, hidden=False):
        options = {} if mask is None else {"mask": mask}
        args = (*shared.heads_args(rng, N, T, D, E), heads)
        return Case(name, args, options, dout=rng.standard_normal((N, T, D)), hidden=hidden)

    each = np.stack([shared.lower(3), ~shared.lower(3)])[:, None]
    return [
        case("three heads", 2, 4, 5, 6, 3),
        case("two heads, causal", 3, 5, 4, 8, 2, mask=shared.lower(5)),
        case("a mask for each example, with an empty row", 2, 3, 5, 4, 2, mask=each),
        enlarged(case("one head", 2, 3, 4, 5, 1), 0, small=(1, 2)),
        case("as many heads as examples and positions", 4, 4, 8, 8, 4, mask=shared.lower(4)),
        in_float32(case("", 2, 3, 4, 6, 2, mask=shared.lower(3))),
        case("one example", 1, 6, 3, 4, 2, hidden=True),
        case("one input, one number inside", 2, 4, 1, 1, 1),
        case("one position", 3, 1, 4, 6, 2),
    ]


# --- mistakes ---------------------------------------------------------------------------------------------------------

SPLIT, MERGE = ".reshape(N, T, heads, -1).transpose(0, 2, 1, 3)", ".transpose(0, 2, 1, 3).reshape(N, T, -1)"
PROJECTED = "for W in (Wq, Wk, Wv))\n    Y"
TO_INPUT = "dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T"

MISTAKES = [
    Mistake("heads_not_transposed", slip(f"Y{MERGE}", "Y.reshape(N, T, -1)"),
        "The heads are put side by side by `reshape` alone, which mixes positions and heads. The heads' axis has to "
        "stand next to their columns first."),
    Mistake("heads_split_by_reshape",
        slip(SPLIT, ".reshape(N, heads, T, -1)", MERGE, ".reshape(N, T, -1)", everywhere=True),
        "`reshape` to (N, heads, T, d) cuts along the positions: each head then sees a few whole positions instead of "
        "a few columns of all. Cut the last axis first, then move the axes.",
        # The heads are put together rightly
        also=[slip(f"(X @ W){SPLIT}", "(X @ W).reshape(N, heads, T, -1)", f"dU{MERGE}", "dU.reshape(N, T, -1)")]),
    Mistake("heads_interleaved",
        slip(SPLIT, ".reshape(N, T, -1, heads).transpose(0, 3, 1, 2)",
             MERGE, ".transpose(0, 2, 3, 1).reshape(N, T, -1)",
             everywhere=True),
        "Your head i has every heads-th column. Here it has the i-th *block* of E / heads columns.", convention=True),
    Mistake("heads_ignored", slip("N, T, _ = X.shape", "N, T, _ = X.shape\n    heads = 1"),
        "All columns work as one head. Each head has its own scores, from its own block of columns."),
    Mistake("softmax_over_heads", slip_in(core.EXERCISE.solutions, core.softmax_along(1)),
        "Your softmax runs over the heads: they do not compete. Within each head, the weights of all keys sum to 1.",
        also=[slip_in(core.EXERCISE.solutions, core.softmax_along(1, masked=True))]),
    Mistake("output_projection_missing", slip("return Z @ Wo", "return Z", "(dY @ Wo.T)", "dY"),
        "The heads stand side by side, but nothing mixes them yet: Wo is not used."),
    Mistake("heads_not_transposed_backward", slip(f"dU{MERGE}", "dU.reshape(N, T, -1)"),
        "[The forward pass is right.] On the way back, too, the heads' axis has to stand next to their columns before "
        "`reshape` joins them."),
    Mistake("projection_reused", slip(PROJECTED, PROJECTED.replace("(Wq", "(Wk")), shared.REUSED),
    Mistake("queries_for_keys", slip(PROJECTED, PROJECTED.replace("Wk", "Wq")), shared.QUERIES_FOR_KEYS),
    Mistake("scale_by_dk", slip_in(core.EXERCISE.solutions, core.SCALE_BY_DK),
        shared.SCALE,
        also=[slip("_forward(Q,", "_forward(Q / heads**0.5,", "    dX = dQ", "    dQ = dQ / heads**0.5\n    dX = dQ")]),
    Mistake("keys_path_missing", slip(" + dK @ Wk.T", ""), shared.KEYS_PATH),
    Mistake("input_gradient_overwritten", slip(TO_INPUT, "dV @ Wv.T"), shared.OVERWRITTEN),
    Mistake("mean_for_sum", slip("return dX, *dW, dWo", "return dX, *(d / N for d in dW), dWo / N"),
        shared.MEAN, convention=True),
    *of_a_part(core.EXERCISE, but=(*shared.NARROW, *shared.CORE_ONLY, "scale_by_dk")),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def by_head_forward(X, Wq, Wk, Wv, Wo, heads, mask=None):
    # One head after the other, each with its block of columns: the sum of their shares
    d, Y, caches = Wq.shape[1] // heads, 0.0, []
    own = mask if mask is None or mask.ndim == 2 else mask[:, 0]
    for block in (slice(k * d, (k + 1) * d) for k in range(heads)):
        head, cache = self_attention.joined_forward(X, Wq[:, block], Wk[:, block], Wv[:, block], own)
        Y = Y + head @ Wo[block]
        caches.append((head, cache, Wo[block]))
    return Y, caches


def by_head_backward(dY, cache):
    parts = [
        (*self_attention.joined_backward(dY @ W.T, inner), np.einsum("nte,ntd->ed", head, dY))
        for head, inner, W in cache
    ]
    dX, dWq, dWk, dWv, dWo = zip(*parts, strict=True)
    return sum(dX), np.hstack(dWq), np.hstack(dWk), np.hstack(dWv), np.vstack(dWo)


EXERCISE = Exercise("attention.multi_head_attention",
    (attention.multi_head_attention_forward, attention.multi_head_attention_backward), cases, MISTAKES,
    variants=[(by_head_forward, by_head_backward)],
    solution=(multi_head_attention_forward, multi_head_attention_backward), points=4,
    why="Several questions asked of the sequence at once: one head may follow the subject while another counts "
        "brackets.",
    hints=("Your function of section 3 takes any leading axes: give it (N, heads, T, E / heads).",
           "From (N, T, E): first `reshape` to (N, T, heads, E / heads), then move the heads to the front. Back: the "
           "same two steps in reverse.",
           "Backward runs through the same stations in reverse: Wo, split, attention, merge, the three "
           "products."))  # fmt: skip
