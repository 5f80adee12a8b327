"""Attention of one more position, over keys and values that are kept."""

import numpy as np

from dlcourse import attention
from dlcourse.activations import softmax
from dlcourse.attention import kv_cache

from ...checks.exercise import Case, Exercise, Mistake, in_float32, slip

# --- solution ---------------------------------------------------------------------------------------------------------


def cached_attention(q, cache, heads, key=None, value=None):
    keys, values = cache
    if key is not None:
        keys = np.concatenate([keys, key[..., None, :]], axis=-2)
        values = np.concatenate([values, value[..., None, :]], axis=-2)
    cut = (heads, q.shape[-1] // heads)
    k, v = (A.reshape(*A.shape[:-1], *cut) for A in (keys, values))
    # Each head's dot products with its block of every key: (…, T, heads)
    S = np.sum(k * q.reshape(*q.shape[:-1], 1, *cut), axis=-1) / cut[1] ** 0.5
    P = softmax(S, axis=-2)
    y = np.sum(P[..., None] * v, axis=-3)
    return y.reshape(q.shape), kv_cache(keys, values)


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, T, E, heads, lead=(), new=True, hidden=False):
        q, key, value = rng.standard_normal((3, *lead, E))
        cache = kv_cache(*rng.standard_normal((2, *lead, T, E)))
        return Case(name, (q, cache, heads, *((key, value) if new else ())), hidden=hidden)

    # Powers of two: scores of ±1024 in one head, near −1024 in the other, without a rounding, and large values; beside an
    # example with small scores
    near = 2.0**-10
    keys = np.array([[1.0, 0, 0, 0, -1, 0, 0, 0], [1 - near, 1, 0, 0, -1 - near, 0, 1, 0]])
    values = 1e5 * np.array([[1.0, 2, 3, 4, -2, 0.5, 1, -1], [-2.0, 0.5, 1, -1, 3, -2, 1, 0.5]])
    new = (np.array([-1.0, 0, 1, 0, -1 - 2 * near, 1, 0, 0]), 1e5 * np.array([3.0, -2, 1, 0.5, 1, 1, 2, 4]))
    twice = [np.stack([A, A]) for A in (keys, values, *new)]
    q = np.array([[2048.0], [1.0]]) * np.array([1.0, 0, 0, 0, 1, 0, 0, 0])
    large = (q, kv_cache(*twice[:2]), 2, *twice[2:])
    return [
        case("five positions before, two heads", 5, 6, 2),
        case("two examples, three heads", 4, 6, 3, lead=(2,)),
        case("the new position is in the cache already", 5, 8, 2, new=False),
        case("as many positions as columns of a head and as heads", 3, 12, 4, lead=(3,)),
        case("one head, one example", 4, 3, 1, lead=(1,)),
        case("the second position of all", 1, 4, 2),
        Case("scores of ±1000", large),
        in_float32(case("", 3, 4, 2, lead=(2,))),
        case("two leading axes", 6, 4, 2, lead=(2, 3), hidden=True),
        case("keys and values of one number", 4, 1, 1, lead=(2,)),
    ]


# --- mistakes ---------------------------------------------------------------------------------------------------------

CUT = "cut = (heads, q.shape[-1] // heads)"
SCALE = "/ cut[1] ** 0.5"

MISTAKES = [
    Mistake("new_position_not_seen", slip("for A in (keys, values))", "for A in cache)"),
        "The new position looks at those before it and not at itself. Its key and its value come behind the others "
        "first, and then it looks at all."),
    Mistake("cache_not_extended", slip("kv_cache(keys, values)", "cache"),
        "[The output is right.] The cache comes back as it was: the next position would not know of this one."),
    Mistake("new_position_in_front",
        slip("[keys, key[..., None, :]]", "[key[..., None, :], keys]",
             "[values, value[..., None, :]]", "[value[..., None, :], values]"),
        "[The output is right: a softmax has no order.] The new position stands in front of the others in your cache. "
        "It comes last."),
    Mistake("key_kept_as_value", slip("value[..., None, :]", "key[..., None, :]"),
        "Behind the values you put the new key. The new value belongs there."),
    Mistake("oldest_forgotten",
        slip("[keys, key", "[keys[..., 1:, :], key", "[values, value", "[values[..., 1:, :], value"),
        "The first position falls out of your cache. Here all are kept."),
    Mistake("no_scale", slip(f" {SCALE}", ""),
        "The scores are not scaled. As in the whole pass they are divided by a root."),
    Mistake("scale_by_width", slip(SCALE, "/ q.shape[-1] ** 0.5"),
        "You divide by the root of E, the width of all heads together. A score is a dot product within one head."),
    Mistake("scale_by_dk", slip(SCALE, "/ cut[1]"), "You divide by d_k, the columns of a head. What stands over it in "
        "the formula?"),
    Mistake("heads_ignored", slip(CUT, "cut = (1, q.shape[-1])"),
        "All columns work as one head. Each head has its own scores, from its own block of columns."),
    Mistake("heads_interleaved",
        slip(CUT, "cut = (q.shape[-1] // heads, heads)", "axis=-1) / cut[1]", "axis=-2) / cut[0]",
             "P[..., None] * v", "P[..., None, :] * v"),
        "Your head i has every heads-th column. Here it has the i-th *block* of E / heads columns.", convention=True),
    Mistake("softmax_over_heads", slip("softmax(S, axis=-2)", "softmax(S, axis=-1)"),
        "Your softmax runs over the heads: they do not compete. Within each head, the weights of all positions sum "
        "to 1."),
    Mistake("softmax_missing", slip("softmax(S, axis=-2)", "S"),
        "You mix with the scores themselves. Weights are positive and sum to 1: which function makes them so?"),
    Mistake("weights_times_keys", slip("P[..., None] * v", "P[..., None] * k"),
        "The weights mix the keys. What a query takes from each position is its value."),
    Mistake("no_max_shift", slip("softmax(S, axis=-2)", "np.exp(S) / np.exp(S).sum(axis=-2, keepdims=True)"),
        "[Right for small scores.] At scores of 1000 the exponential is infinite. Shift each head's scores by their "
        "maximum first (the course's `softmax` does)."),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def head_by_head(q, cache, heads, key=None, value=None):
    if key is not None:
        pairs = ((cache.keys, key), (cache.values, value))
        cache = kv_cache(*(np.append(old, np.expand_dims(new, -2), axis=-2) for old, new in pairs))
    outputs = []
    for block in np.split(np.arange(q.shape[-1]), heads):
        scores = np.einsum("...te,...e->...t", cache.keys[..., block], q[..., block]) / np.sqrt(len(block))
        e = np.exp(scores - scores.max(axis=-1, keepdims=True))
        outputs.append(np.einsum("...t,...te->...e", e / e.sum(axis=-1, keepdims=True), cache.values[..., block]))
    return np.concatenate(outputs, axis=-1), cache


def heads_first(q, cache, heads, key=None, value=None):
    """The heads' axis in front of the positions, as in the whole pass: (…, heads, T, d)."""
    keys, values = cache
    if key is not None:
        keys, values = (np.concatenate([A, a[..., np.newaxis, :]], axis=-2) for A, a in ((keys, key), (values, value)))
    d = q.shape[-1] // heads
    k, v = (np.moveaxis(A.reshape(*A.shape[:-1], heads, d), -2, -3) for A in (keys, values))
    row = q.reshape(*q.shape[:-1], heads, 1, d)
    P = softmax(row @ np.swapaxes(k, -1, -2) * d**-0.5)
    return (P @ v).reshape(q.shape), (keys, values)


EXERCISE = Exercise("attention.cached_attention", attention.cached_attention, cases, MISTAKES,
    variants=[head_by_head, heads_first], solution=cached_attention, points=0,
    why="Why a language model writes its thousandth word about as fast as its tenth.",
    hints=("First the cache: `key[..., None, :]` is a row, and `np.concatenate` along axis −2 puts it behind the "
           "others.",
           "Then cut the last axis of q, keys and values into (heads, E / heads). The scores have the shape (…, T, "
           "heads).",
           "Softmax over the T positions of each head, then the mixture of the values, and the heads side by side "
           "again."))  # fmt: skip
