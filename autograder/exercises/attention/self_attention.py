"""Self-attention: a sequence that looks at itself."""

import math

import numpy as np

from dlcourse import attention
from dlcourse.attention import scaled_dot_product_attention_backward, scaled_dot_product_attention_forward

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, of_a_part, slip, slip_in
from . import _shared as shared
from . import scaled_dot_product_attention as core

# --- solution ---------------------------------------------------------------------------------------------------------


def self_attention_forward(X, Wq, Wk, Wv, mask=None):
    Y, cache = scaled_dot_product_attention_forward(X @ Wq, X @ Wk, X @ Wv, mask)
    return Y, (X, Wq, Wk, Wv, cache)


def self_attention_backward(dY, cache):
    X, Wq, Wk, Wv, inner = cache
    dQ, dK, dV = scaled_dot_product_attention_backward(dY, inner)
    dX = dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T
    # All examples and positions as rows of one matrix: the product sums over both
    rows = X.reshape(-1, X.shape[-1]).T
    return dX, *(rows @ dU.reshape(-1, dU.shape[-1]) for dU in (dQ, dK, dV))


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, T, D, dk, dv, mask=None, lead=(), hidden=False):
        weights = (rng.standard_normal((D, columns)) / math.sqrt(D) for columns in (dk, dk, dv))
        options = {} if mask is None else {"mask": mask}
        args = (rng.standard_normal((*lead, T, D)), *weights)
        return Case(name, args, options, dout=rng.standard_normal((*lead, T, dv)), hidden=hidden)

    empty = shared.lower(4)
    empty[2] = False
    return [
        case("four positions, values of one number", 4, 3, 2, 1),
        case("two examples, causal", 4, 5, 3, 2, mask=shared.lower(4), lead=(2,)),
        case("a mask with an empty row", 4, 3, 5, 2, mask=empty, lead=(3,)),
        enlarged(case("as many positions as columns", 3, 3, 3, 3), 0, small=(1, 2)),
        case("everything square, two examples", 4, 4, 4, 4, mask=shared.lower(4), lead=(2,)),
        in_float32(case("", 3, 4, 2, 3, mask=shared.lower(3), lead=(2,))),
        case(
            "a mask for each example",
            5,
            2,
            3,
            4,
            mask=np.stack([shared.lower(5), ~shared.lower(5)]),
            lead=(2,),
            hidden=True,
        ),
        case("one input, keys of one number", 4, 1, 1, 3, lead=(2,)),
        case("one position", 1, 3, 2, 4, lead=(2,)),
    ]


# --- mistakes ---------------------------------------------------------------------------------------------------------

TO_INPUT = "dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T"
INNER_BACKWARD = "scaled_dot_product_attention_backward(dY, inner)"
SHARE = "rows @ dU.reshape(-1, dU.shape[-1])"

# Scores that are divided by the root of the model's width, not of the keys'
BY_WIDTH = "(Wq.shape[1] / X.shape[-1]) ** 0.5"

MISTAKES = [
    Mistake("projection_reused", slip("X @ Wq", "X @ Wk"), shared.REUSED),
    Mistake("queries_for_keys", slip("X @ Wk", "X @ Wq"), shared.QUERIES_FOR_KEYS),
    Mistake("scale_by_dk", slip_in(core.EXERCISE.solutions, core.SCALE_BY_DK),
        shared.SCALE,
        also=[slip("X @ Wq", f"X @ Wq * {BY_WIDTH}", INNER_BACKWARD, f"{INNER_BACKWARD}\n    dQ = dQ * {BY_WIDTH}")]),
    Mistake("keys_path_missing", slip(" + dK @ Wk.T", ""), shared.KEYS_PATH),
    Mistake("input_gradient_overwritten", slip(TO_INPUT, "dV @ Wv.T"), shared.OVERWRITTEN),
    Mistake("weights_not_summed", slip(SHARE, "np.swapaxes(X, -1, -2) @ dU"),
        "The weights are the same for all examples, so their gradient is one matrix. Yours has one for each example."),
    Mistake("mean_for_sum", slip(SHARE, f"{SHARE} / len(X)"), shared.MEAN, convention=True),
    Mistake("values_not_projected", slip("X @ Wv", "X"),
        "You mix the inputs themselves. What is mixed are the values, X Wv."),
    Mistake("missing_transpose", slip(TO_INPUT, TO_INPUT.replace(".T", "")),
        "From Q = X Wq back to X: compare with a linear layer. What multiplies dU there to give dX?"),
    *of_a_part(core.EXERCISE, but=(*shared.NARROW, *shared.CORE_ONLY, "scale_by_dk")),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def joined_forward(X, Wq, Wk, Wv, mask=None):
    # The three weights side by side in one product
    W = np.concatenate([Wq, Wk, Wv], axis=1)
    cuts = [Wq.shape[1], Wq.shape[1] + Wk.shape[1]]
    Q, K, V = np.split(np.einsum("...td,dk->...tk", X, W), cuts, axis=-1)
    Y, cache = core.by_query_forward(Q, K, V, mask)
    return Y, (X, W, cuts, cache)


def joined_backward(dY, cache):
    X, W, cuts, cache = cache
    dU = np.concatenate(core.by_query_backward(dY, cache), axis=-1)
    leading = tuple(range(X.ndim - 1))
    dW = np.tensordot(X, dU, axes=(leading, leading))
    return np.einsum("...tk,dk->...td", dU, W), *np.split(dW, cuts, axis=1)


EXERCISE = Exercise("attention.self_attention", (attention.self_attention_forward, attention.self_attention_backward),
    cases, MISTAKES, variants=[(joined_forward, joined_backward)],
    solution=(self_attention_forward, self_attention_backward), points=3,
    why="A sequence that looks at itself: one layer joins any two positions, however far apart.",
    hints=("Forward: three products, then your function of section 3.",
           "Backward: your function of section 3 gives dQ, dK, dV. Each is the gradient of a linear layer's output.",
           "X stands in all three products: its gradients add. For the weights, sum over examples and positions, for "
           "instance with X as one matrix of N·T rows."))  # fmt: skip
