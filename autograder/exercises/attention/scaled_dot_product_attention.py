"""Scaled dot-product attention, with a mask."""

import math

import numpy as np

from dlcourse import attention
from dlcourse.activations import softmax, softmax_backward

from ...checks.exercise import Case, Exercise, Mistake, enlarged, in_float32, slip
from ._shared import lower

# --- solution ---------------------------------------------------------------------------------------------------------


def scaled_dot_product_attention_forward(Q, K, V, mask=None):
    S = Q @ np.swapaxes(K, -1, -2) / Q.shape[-1] ** 0.5
    if mask is None:
        P = softmax(S)
    else:
        some = mask.any(axis=-1, keepdims=True)
        # A row without any key keeps its scores until its weights are set to 0
        P = softmax(np.where(mask | ~some, S, -np.inf)) * some
    return P @ V, (Q, K, V, P)


def scaled_dot_product_attention_backward(dY, cache):
    Q, K, V, P = cache
    dV = np.swapaxes(P, -1, -2) @ dY
    dP = dY @ np.swapaxes(V, -1, -2)
    dS = softmax_backward(dP, P) / Q.shape[-1] ** 0.5
    return dS @ K, np.swapaxes(dS, -1, -2) @ Q, dV


# --- cases ------------------------------------------------------------------------------------------------------------

# A query that may attend to nothing stands in the middle
EMPTY_ROW = np.array([[1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [0, 1, 1, 0, 1]], dtype=bool)


# What is left lies 2000 below what is hidden
REST = np.array([[False, False, True], [True, False, True]])


def cases(rng):
    def case(name, Tq, Tk, dk, dv, mask=None, lead=(), hidden=False):
        Q, K, V = (rng.standard_normal((*lead, *shape)) for shape in ((Tq, dk), (Tk, dk), (Tk, dv)))
        options = {} if mask is None else {"mask": mask}
        return Case(name, (Q, K, V), options, dout=rng.standard_normal((*lead, Tq, dv)), hidden=hidden)

    padding = np.arange(5) < np.array([[[3]], [[5]]])
    # Powers of two: scores of ±1024 without a rounding, two of them equal
    far = (
        np.array([[2048.0, 0.0, 0.0, 0.0], [0.0, 2048.0, 0.0, 0.0]]),
        np.array([[1.0, -1.0, 0.5, 0.0], [1.0, -1.0, 0.0, 0.5], [-1.0, -1.0 - 2**-10, 0.0, 0.0]]),
        np.array([[1.0, -2.0], [3.0, 0.5], [-0.5, 4.0]]),
    )
    return [
        case("three queries, five keys", 3, 5, 4, 2),
        enlarged(case("as many queries as keys, as many columns", 3, 3, 3, 3), 2),
        case("a mask with an empty row", 3, 5, 2, 4, mask=EMPTY_ROW),
        case("causal, two examples", 4, 4, 3, 2, mask=lower(4), lead=(2,)),
        case("padded keys, a mask for each example", 4, 5, 3, 2, mask=padding, lead=(2,)),
        Case("scores of ±1000", far, dout=np.array([[1.0, 0.5], [-0.25, 2.0]])),
        Case("the largest scores masked", far, {"mask": REST}, dout=np.array([[1.0, 0.5], [-0.25, 2.0]])),
        in_float32(case("", 2, 4, 3, 5, mask=lower(4)[1:3])),
        case("one query", 1, 6, 2, 3, hidden=True),
        case("two leading axes, masked", 3, 4, 5, 2, mask=lower(4)[:3], lead=(2, 3), hidden=True),
        case("queries, keys and values of one number", 3, 4, 1, 1, lead=(2,)),
        case("one query, one key", 1, 1, 2, 4, lead=(2,)),
    ]


# --- mistakes ---------------------------------------------------------------------------------------------------------

MASKED = "softmax(np.where(mask | ~some, S, -np.inf)) * some"
EXPONENTIALS = "np.exp(np.where(mask | ~some, S, -np.inf))"
SLOPE = "softmax_backward(dP, P)"
SCALE = "/ Q.shape[-1] ** 0.5"

# Also made in the layers around attention
SCALE_BY_DK = slip(SCALE, "/ Q.shape[-1]", everywhere=True)


def softmax_along(axis, masked=False):
    """The softmax along another axis; `masked`: nothing is left where all of that axis is masked."""
    if masked:
        return slip("P = softmax(S)", f"P = softmax(S, axis={axis})",
                    MASKED, f"np.nan_to_num(softmax(np.where(mask, S, -np.inf), axis={axis}))")  # fmt: skip
    return slip("softmax(S)", f"softmax(S, axis={axis})", "-np.inf))", f"-np.inf), axis={axis})")


# Along the queries as far as the mask is thought of, with a backward pass for the keys or for the queries
OVER_QUERIES = [
    slip("P = softmax(S)", "P = softmax(S, axis=-2)", MASKED, f"softmax(np.where(mask, S, {low}), axis=-2)", *back)
    for low in ("-np.inf", "-1e9")
    for back in ((), (SLOPE, "softmax_backward(dP, P, axis=-2)"))
]

MISTAKES = [
    Mistake("no_scale", slip(f" {SCALE}", "", everywhere=True),
        "The scores are not scaled: with many columns they grow, and the softmax turns into a hard choice. The formula "
        "divides by a root."),
    Mistake("scale_by_dk", SCALE_BY_DK, "You divide by d_k. Look at the formula again: what stands over d_k there?"),
    Mistake("scale_multiplied", slip(SCALE, "* Q.shape[-1] ** 0.5", everywhere=True),
        "The root of d_k makes the scores smaller, not larger."),
    Mistake("weights_times_keys", slip("P @ V", "P @ K", "dY @ np.swapaxes(V", "dY @ np.swapaxes(K"),
        "The weights mix the wrong rows: what a query takes from each position is its value, not its key."),
    Mistake("softmax_over_queries", softmax_along(-2),
        "Your softmax runs over the queries. For each query (each row) the weights of all *keys* have to sum to 1.",
        also=[softmax_along(-2, masked=True), *OVER_QUERIES]),
    Mistake("softmax_missing", slip("softmax(S)", "S", MASKED, "np.where(mask, S, 0.0)"),
        "You mix with the scores themselves. Weights are positive and sum to 1: which function makes them so?"),
    Mistake("mask_after_softmax", slip(MASKED, "softmax(S) * mask"),
        "Masked after the softmax, the rows no longer sum to 1: the forbidden keys still took their share. Take them "
        "out of the scores, before."),
    Mistake("mask_polarity", slip("some = mask.any", "mask = ~mask\n        some = mask.any"),
        "You let each query see what it may not: True means *may attend*."),
    Mistake("mask_multiplied", slip(MASKED, "softmax(S * mask)"),
        "A score of 0 still counts: e⁰ is 1. Which score has a weight of exactly 0?"),
    Mistake("mask_added", slip(MASKED, "softmax(S + mask)"),
        "Adding the mask gives the allowed scores one more and leaves the others in the game. Which score has a weight "
        "of exactly 0?"),
    Mistake("fully_masked_nan", slip(MASKED, "softmax(np.where(mask, S, -np.inf))"),
        "[All else is right.] A query that may attend to nothing gives NaN: −∞ minus −∞. Its row has to be 0."),
    Mistake("masked_row_averages", slip(MASKED, "softmax(np.where(mask, S, -1e9))"),
        "A large negative number in place of −∞ works until *all* keys are masked: then they are equal, and the query "
        "takes their mean. Its row has to be 0."),
    Mistake("large_negative_added", slip(MASKED, "softmax(S + np.where(mask, 0.0, -θ))", values=(1e9, 1e4)),
        "A large negative number added to the scores works until *all* keys are masked: then it shifts the whole row, "
        "and the softmax takes no notice of a shift. That row has to be 0."),
    Mistake("mask_ignored", slip(MASKED, "softmax(S)"), "The mask is not used."),
    Mistake("no_max_shift",
        slip("P = softmax(S)", "e = np.exp(S)\n        P = e / e.sum(axis=-1, keepdims=True)",
             f"P = {MASKED}", f"e = {EXPONENTIALS}\n        P = e / e.sum(axis=-1, keepdims=True) * some"),
        "At scores of 1000 the exponential is infinite, and infinity over infinity NaN. Shift each row by its maximum "
        "first (the course's `softmax` does)."),
    Mistake("softmax_skipped", slip(SLOPE, "dP"),
        "Between the weights and the scores stands the softmax. Your gradient walks past it."),
    Mistake("softmax_elementwise", slip(SLOPE, "dP * P * (1 - P)"),
        "p(1 − p) is only the diagonal of the softmax's derivative: each weight also depends on all the other scores "
        "of its row."),
    Mistake("softmax_sum_missing", slip(SLOPE, "dP * P"),
        "The weights of a row sum to 1, so a gradient that is the same for all of them changes nothing. Your dS does "
        "not know that: a sum is missing."),
    Mistake("scale_missing_backward", slip(f"{SLOPE} {SCALE}", SLOPE),
        "The scores were scaled on the way forward. Their gradient passes the same factor."),
    Mistake("softmax_sum_over_queries", slip(SLOPE, "P * (dP - np.sum(dP * P, axis=-2, keepdims=True))"),
        "The sum in the softmax's gradient runs along the axis of the softmax, the keys. Yours runs over the queries."),
    Mistake("weights_not_transposed", slip("np.swapaxes(P, -1, -2) @ dY", "P @ dY"),
        "dV has one row for each *key*. A value gathers from all queries that took of it: look at the shapes of P and "
        "dY."),
    Mistake("scores_not_transposed", slip("np.swapaxes(dS, -1, -2) @ Q", "dS @ Q"),
        "dK has one row for each *key*, dS one for each query: look at their shapes."),
    Mistake("queries_and_keys_exchanged",
        slip("dS @ K, np.swapaxes(dS, -1, -2) @ Q", "np.swapaxes(dS, -1, -2) @ Q, dS @ K"),
        "The first two gradients are exchanged: dQ, dK, dV, in the order of the arguments."),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def by_query_forward(Q, K, V, mask=None):
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


def by_query_backward(dY, cache):
    Q, K, V, P = cache
    dQ, dK, dV = np.zeros(Q.shape), np.zeros(K.shape), np.zeros(V.shape)
    for index in np.ndindex(*Q.shape[:-1]):
        at, p = index[:-1], P[index]
        dV[at] += np.outer(p, dY[index])
        dS = (np.diag(p) - np.outer(p, p)) @ (V[at] @ dY[index]) / math.sqrt(Q.shape[-1])
        dQ[index] = dS @ K[at]
        dK[at] += np.outer(dS, Q[index])
    return dQ, dK, dV


def with_exponentials_forward(Q, K, V, mask=None):
    """The softmax written out: masked exponentials, and a sum of 1 for a row without any key."""
    S = np.einsum("...qd,...kd->...qk", Q, K) * (1 / math.sqrt(Q.shape[-1]))
    e = np.exp(S - S.max(axis=-1, keepdims=True, where=True if mask is None else mask, initial=-1e300))
    e = e if mask is None else np.where(mask, e, 0.0)
    total = e.sum(axis=-1, keepdims=True)
    P = e / np.where(total == 0, 1.0, total)
    return P @ V, {"Q": Q, "K": K, "V": V, "P": P}


def with_exponentials_backward(dY, cache):
    Q, K, V, P = (cache[name] for name in "QKVP")
    flow = P * np.einsum("...qv,...kv->...qk", dY, V)
    dS = (flow - P * flow.sum(axis=-1)[..., None]) * (1 / math.sqrt(Q.shape[-1]))
    return np.matmul(dS, K), np.einsum("...qk,...qd->...kd", dS, Q), np.einsum("...qk,...qv->...kv", P, dY)


EXERCISE = Exercise("attention.scaled_dot_product_attention",
    (attention.scaled_dot_product_attention_forward, attention.scaled_dot_product_attention_backward), cases, MISTAKES,
    variants=[(by_query_forward, by_query_backward), (with_exponentials_forward, with_exponentials_backward)],
    solution=(scaled_dot_product_attention_forward, scaled_dot_product_attention_backward), points=4,
    why="A dictionary that can be differentiated: the whole of today's language models is built around these two "
        "lines.",
    hints=("Forward: scores (…, T_q, T_k), scaled, masked, softmax along the last axis, times V. `np.swapaxes(K, -1, "
           "-2)` transposes the last two axes only.",
           "Masked scores become −∞ before the softmax. A row without any allowed key needs care: find it with "
           "`mask.any(axis=-1, keepdims=True)`.",
           "Backward, with the weights P: V gets Pᵀ dY, P gets dY Vᵀ. Then through the softmax, row by row "
           "(`softmax_backward`), and through the scale.",
           "S = Q Kᵀ has two factors: each one's gradient has the other in it. Check the shapes: dQ has a row for each "
           "query, dK one for each key."))  # fmt: skip
