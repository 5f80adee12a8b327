"""Explorer: which word of a sentence looks at which, for three heads with hand-made weights."""

import math

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from .. import attention
from . import COLORS, Choice, Explorer, Slider, Toggle

__all__ = [
    "EXPLORER",
    "SHADES",
    "WORDS",
    "draw",
    "weight_map",
    "weights",
]


def __dir__():
    return __all__


WORDS = ["the", "Rabbit", "took", "a", "watch", "and", "looked", "at", "it"]
# 0 is white and 1 dark blue; what a mask forbids is grey
SHADES = LinearSegmentedColormap.from_list("weights", ["#FFFFFF", COLORS[4], COLORS[0]]).with_extremes(bad="#D0D7DE")
_T, _P = len(WORDS), 8
_THINGS, _CREATURES, _VERBS, _PRONOUNS = range(4)
# What a word is: thing, creature, verb, pronoun; then where it stands
_WHAT = np.zeros((_T, 4))
for _word, _kind in (("watch", 0), ("Rabbit", 1), ("took", 2), ("looked", 2), ("it", 3)):
    _WHAT[WORDS.index(_word), _kind] = 1.0
_X = np.column_stack([_WHAT, attention.sinusoidal_positions(_T, _P)])
_D = _X.shape[1]


def _back(steps):
    """The matrix that turns the positions of t into those of t − steps, for every t."""
    R = np.zeros((_P, _P))
    for i in range(_P // 2):
        angle = steps * 10000.0 ** (-2 * i / _P)
        sine, cosine = math.sin(angle), math.cos(angle)
        R[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = [[cosine, sine], [-sine, cosine]]
    return R


def _head(asks, offers):
    """Wq, Wk: words of one kind ask for words of another."""
    Wq, Wk = np.zeros((_D, _P)), np.zeros((_D, _P))
    Wq[asks, 0] = Wk[offers, 0] = math.sqrt(_P)
    return Wq, Wk


_HEADS = {
    "pronoun asks for a thing": _head(_PRONOUNS, _THINGS),
    "verb asks for a creature": _head(_VERBS, _CREATURES),
    "every word asks for the one before": (np.vstack([np.zeros((4, _P)), _back(1)]), np.eye(_D)[:, 4:] * _P),
}


def weights(strength, head, causal):
    """The attention weights (T, T) of a head whose queries are `strength` times as long as they were made."""
    Wq, Wk = _HEADS[head]
    mask = attention.causal_mask(_T) if causal else None
    _, cache = attention.self_attention_forward(_X, strength * Wq, Wk, np.eye(_D), mask)
    return cache.attention.weights


def weight_map(ax, P, queries, keys, mask=None, least=0.05, size=8):
    """Attention weights as a table of shades and numbers, a row for each query.

    Parameters
    ----------
    P : (T_q, T_k) array. queries, keys : the words beside the rows, below the columns.
    mask : boolean (T_q, T_k) array; what it forbids is grey.
    least : smaller weights have no number. size : of the numbers, in points.
    """
    shown = P if mask is None else np.ma.masked_where(~mask, P)
    ax.imshow(shown, vmin=0.0, vmax=1.0, cmap=SHADES, aspect="auto", interpolation="nearest")
    for i, j in np.argwhere(least <= P):
        color = "white" if P[i, j] > 0.75 else "black"
        ax.text(j, i, f"{P[i, j]:.2f}".lstrip("0"), ha="center", va="center", fontsize=size, color=color)
    ax.set_xticks(range(len(keys)), keys, rotation=90 if max(map(len, map(str, keys))) > 2 else 0)
    ax.set_yticks(range(len(queries)), queries)
    ax.grid(False)
    ax.set(xlabel="key", xlim=(-0.5, len(keys) - 0.5), ylim=(len(queries) - 0.5, -0.5))


def draw(figure, strength, query, head, causal):
    """Left: the map, a row for each query; right: the row of one word."""
    P = weights(strength, head, causal)
    left, right = figure.subplots(1, 2, width_ratios=(1.45, 1.0))
    weight_map(left, P, WORDS, WORDS, attention.causal_mask(_T) if causal else None)
    left.plot([-0.5, _T - 0.5, _T - 0.5, -0.5, -0.5], query + np.array([-0.5, -0.5, 0.5, 0.5, -0.5]),
              color=COLORS[5], linewidth=2.5, linestyle="-", clip_on=False)  # fmt: skip
    left.set(ylabel="query", title="weights: every row adds up to 1")
    right.barh(range(_T), P[query], color=COLORS[5], height=0.8)
    for key in range(_T):
        right.text(P[query, key] + 0.02, key, f"{P[query, key]:.2f}", va="center")
    right.set_yticks(range(_T), WORDS)
    right.set(xlim=(0.0, 1.15), ylim=(_T - 0.5, -0.5), xticks=(0.0, 0.5, 1.0), xlabel="weight")
    bits = -np.sum(P[query] * np.log2(np.maximum(P[query], 1e-300)))
    right.set_title(f"'{WORDS[query]}' spreads over {2**bits:.1f} words")


_STRENGTH = Slider(0.0, 4.0, 1.0, 0.125, "length of queries")


def _touch(where, strength, query, head, causal):
    """In the map: the row under the pointer. In the bars: the length at which the bar that is held ends at the hand."""
    if where.axes == 0:
        return {"query": int(np.clip(round(where.y), 0, _T - 1))}
    if where.action == "hover":
        return {}
    key = int(np.clip(round(where.y0), 0, _T - 1))
    lengths = np.arange(_STRENGTH.low, _STRENGTH.high + _STRENGTH.step / 2, _STRENGTH.step)
    reached = [weights(length, head, causal)[query, key] for length in lengths]
    return {"strength": _STRENGTH.nearest(float(lengths[np.argmin(np.abs(np.array(reached) - where.x))]))}


EXPLORER = Explorer(
    "attention",
    draw,
    {
        "strength": _STRENGTH,
        "query": Slider(0, _T - 1, _T - 1, 1, "query (row)", play=True, interval=700),
        "head": Choice(tuple(_HEADS), "pronoun asks for a thing", "head"),
        "causal": Toggle(False, "causal mask"),
    },
    "The attention map of nine words for the head “{head}”, with queries {strength} times as long as at first and the "
    "causal mask {causal}; beside it the weights of word number {query}, counted from 0.",
    size=(8.8, 4.2),
    touch=_touch,
)
figure, explore = EXPLORER.figure, EXPLORER.explore
