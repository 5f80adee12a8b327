"""Cross-attention: one sequence that looks at another."""

import math

import numpy as np

from dlcourse import attention
from dlcourse.attention import scaled_dot_product_attention_backward, scaled_dot_product_attention_forward

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, of_a_part, slip, slip_in
from . import _shared as shared
from . import scaled_dot_product_attention as core

# --- solution ---------------------------------------------------------------------------------------------------------


def cross_attention_forward(X, C, Wq, Wk, Wv, mask=None):
    Y, cache = scaled_dot_product_attention_forward(X @ Wq, C @ Wk, C @ Wv, mask)
    return Y, (X, C, Wq, Wk, Wv, cache)


def cross_attention_backward(dY, cache):
    X, C, Wq, Wk, Wv, inner = cache
    dQ, dK, dV = scaled_dot_product_attention_backward(dY, inner)
    dX = dQ @ Wq.T
    dC = dK @ Wk.T + dV @ Wv.T
    # All examples and positions as rows of one matrix: the product sums over both
    pairs = ((X, dQ), (C, dK), (C, dV))
    return dX, dC, *(A.reshape(-1, A.shape[-1]).T @ dU.reshape(-1, dU.shape[-1]) for A, dU in pairs)


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, T, S, D, dk, dv, mask=None, lead=(), hidden=False):
        weights = (rng.standard_normal((D, columns)) / math.sqrt(D) for columns in (dk, dk, dv))
        options = {} if mask is None else {"mask": mask}
        args = (rng.standard_normal((*lead, T, D)), rng.standard_normal((*lead, S, D)), *weights)
        return Case(name, args, options, dout=rng.standard_normal((*lead, T, dv)), hidden=hidden)

    padding = np.arange(5) < np.array([[[3]], [[5]]])
    empty = np.ones((2, 3), dtype=bool)
    empty[1], empty[0, 1] = False, False
    return [
        case("three positions ask four", 3, 4, 3, 2, 5),
        case("filled up at the end, a mask for each example", 3, 5, 4, 3, 2, mask=padding, lead=(2,)),
        case("a position that may ask nobody", 2, 3, 4, 3, 2, mask=empty),
        enlarged(case("two sequences of one length", 3, 3, 3, 3, 3), 0, small=(2,)),
        enlarged(case("three positions ask two", 3, 2, 4, 3, 2), 1, small=(0,)),
        case("everything square, two examples", 4, 4, 4, 4, 4, lead=(2,)),
        in_float32(case("", 2, 5, 4, 2, 3, lead=(2,))),
        case("one asks, one is asked", 1, 1, 2, 3, 2),
        case("many are asked, three examples", 2, 7, 5, 2, 3, lead=(3,), hidden=True),
        case("one input, keys and values of one number", 3, 4, 1, 1, 1, lead=(2,)),
    ]


# --- mistakes ---------------------------------------------------------------------------------------------------------

CALL = "scaled_dot_product_attention_forward(X @ Wq, C @ Wk, C @ Wv, mask)"
TO_CONTEXT = "dK @ Wk.T + dV @ Wv.T"
INNER_BACKWARD = "scaled_dot_product_attention_backward(dY, inner)"
BY_WIDTH = "(Wq.shape[1] / X.shape[-1]) ** 0.5"
PRODUCT = "A.reshape(-1, A.shape[-1]).T @ dU.reshape(-1, dU.shape[-1])"

MISTAKES = [
    Mistake("roles_exchanged", slip("X @ Wq, C @ Wk, C @ Wv, mask", "C @ Wq, X @ Wk, X @ Wv, mask"),
        "C asks and X is asked. Here the rows of X ask: the output has one row for each of them."),
    Mistake("self_attention", slip("X @ Wq, C @ Wk, C @ Wv, mask", "X @ Wq, X @ Wk, X @ Wv, mask"),
        "C is not used: X looks at itself. Keys and values come from C."),
    Mistake("keys_from_the_wrong_sequence", slip("C @ Wk, C @ Wv, mask", "X @ Wk, C @ Wv, mask"),
        "Your keys come from X. Keys and values are two descriptions of the same rows: those that are asked, C."),
    Mistake("values_from_the_wrong_sequence", slip("C @ Wv, mask", "X @ Wv, mask"),
        "Your values come from X: what is taken belongs to the rows that are asked, C."),
    Mistake("projection_reused", slip("X @ Wq, C", "X @ Wk, C"), shared.REUSED),
    Mistake("values_not_projected", slip("C @ Wv, mask", "C, mask"),
        "You mix the rows of C themselves. What is mixed are the values, C Wv."),
    Mistake("scale_by_dk", slip_in(core.EXERCISE.solutions, core.SCALE_BY_DK), shared.SCALE,
        also=[slip("X @ Wq, C", f"X @ Wq * {BY_WIDTH}, C",
                   INNER_BACKWARD, f"{INNER_BACKWARD}\n    dQ = dQ * {BY_WIDTH}")]),
    Mistake("keys_path_missing", slip("dK @ Wk.T + ", ""),
        "C is used twice. What comes back through the keys is missing in dC."),
    Mistake("values_path_missing", slip(TO_CONTEXT, "dK @ Wk.T"),
        "C is used twice. What comes back through the values is missing in dC."),
    Mistake("missing_transpose", slip("dQ @ Wq.T", "dQ @ Wq", TO_CONTEXT, TO_CONTEXT.replace(".T", "")),
        "From Q = X Wq back to X: compare with a linear layer. What multiplies dU there to give dX?"),
    Mistake("weights_from_the_wrong_sequence", slip("(C, dK), (C, dV)", "(X, dK), (X, dV)"),
        "Wk and Wv met the rows of C. Their gradients have Cᵀ in them, not Xᵀ."),
    Mistake("weights_not_summed", slip(PRODUCT, "np.swapaxes(A, -1, -2) @ dU"),
        "The weights are the same for all examples, so their gradient is one matrix. Yours has one for each example."),
    Mistake("gradients_exchanged", slip("return dX, dC", "return dC, dX"),
        "The first two gradients are exchanged: they come in the order of the arguments, X before C."),
    Mistake("mean_for_sum", slip(PRODUCT, f"{PRODUCT} / len(X)"), shared.MEAN, convention=True),
    *of_a_part(core.EXERCISE, but=(*shared.NARROW, *shared.CORE_ONLY, "scale_by_dk")),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def joined_forward(X, C, Wq, Wk, Wv, mask=None):
    # Keys and values in one product
    Q, KV = np.einsum("...td,dk->...tk", X, Wq), np.einsum("...sd,dk->...sk", C, np.hstack([Wk, Wv]))
    K, V = np.split(KV, [Wk.shape[1]], axis=-1)
    Y, cache = core.by_query_forward(Q, K, V, mask)
    return Y, {"X": X, "C": C, "weights": (Wq, np.hstack([Wk, Wv])), "inner": cache}


def joined_backward(dY, cache):
    X, C, (Wq, Wkv) = cache["X"], cache["C"], cache["weights"]
    dQ, dK, dV = core.by_query_backward(dY, cache["inner"])
    dKV = np.concatenate([dK, dV], axis=-1)
    leading = tuple(range(X.ndim - 1))
    dWq, dWkv = (np.tensordot(A, dU, axes=(leading, leading)) for A, dU in ((X, dQ), (C, dKV)))
    dX, dC = np.einsum("...tk,dk->...td", dQ, Wq), np.einsum("...sk,dk->...sd", dKV, Wkv)
    return dX, dC, dWq, *np.split(dWkv, [dK.shape[-1]], axis=1)


EXERCISE = Exercise("attention.cross_attention",
    (attention.cross_attention_forward, attention.cross_attention_backward), cases, MISTAKES,
    variants=[(joined_forward, joined_backward)], solution=(cross_attention_forward, cross_attention_backward),
    points=3,
    why="How a translation looks at its original, and a picture that is being drawn at its description.",
    hints=("Forward: as self-attention, but two of the three products are made of C.",
           "Backward: your function of section 3 gives dQ, dK, dV. Which of the two sequences did each come from?",
           "C stands in two products: its two gradients add. dX has one part only."))  # fmt: skip
