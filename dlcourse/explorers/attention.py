"""Explorer: which word of a sentence looks at which, for three heads with hand-made weights."""

import math

import numpy as np

from .. import attention
from . import COLORS, Choice, Explorer, Slider, Toggle

__all__ = [
    "EXPLORER",
    "WORDS",
    "draw",
    "weights",
]


def __dir__():
    return __all__


WORDS = ["the", "Rabbit", "took", "a", "watch", "and", "looked", "at", "it"]
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


def draw(figure, strength, query, head, causal):
    """Above: the map, a row for each query; below: the row of one word."""
    P = weights(strength, head, causal)
    top, bottom = figure.subplots(2, 1, height_ratios=(2.2, 1.0))
    top.imshow(P, vmin=0.0, vmax=1.0, aspect="auto", interpolation="nearest")
    for edge in (query - 0.5, query + 0.5):
        top.axhline(edge, color=COLORS[5], linewidth=2, linestyle="-")
    top.set_yticks(range(_T), WORDS)
    top.set_xticks([])
    top.grid(False)
    top.set(ylabel="query: looks", ylim=(_T - 0.5, -0.5), title="weights, 0 dark … 1 light; every row adds up to 1")
    bits = -np.sum(P[query] * np.log2(np.maximum(P[query], 1e-300)))
    bottom.bar(range(_T), P[query], color=COLORS[5], width=0.9)
    bottom.set_xticks(range(_T), WORDS)
    bottom.set_yticks([0.0, 0.5, 1.0])
    bottom.set(xlim=(-0.5, _T - 0.5), ylim=(0.0, 1.0), xlabel="key: looked at", ylabel="weight")
    bottom.text(_T - 0.6, 0.8, f"'{WORDS[query]}' spreads over {2**bits:.1f} words", ha="right")


EXPLORER = Explorer(
    "attention",
    draw,
    {
        "strength": Slider(0.0, 6.0, 2.0, 0.25, "length of W^Q"),
        "query": Slider(0, _T - 1, _T - 1, 1, "query (row)"),
        "head": Choice(tuple(_HEADS), "pronoun asks for a thing", "head"),
        "causal": Toggle(False, "causal mask"),
    },
    "The attention map of nine words for the head “{head}”, with queries {strength} times as long as at first and the "
    "causal mask {causal}; below it the weights of word number {query}, counted from 0.",
    size=(7.0, 4.2),
)
figure, explore = EXPLORER.figure, EXPLORER.explore
