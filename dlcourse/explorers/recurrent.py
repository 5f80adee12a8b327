"""Explorer: one unit reads a line of prose and is to remember the open bracket; its gates are set by hand."""

import numpy as np

from .. import recurrent
from . import COLORS, Choice, Explorer, Slider

__all__ = [
    "EXPLORER",
    "TEXT",
    "draw",
    "run",
]


def __dir__():
    return __all__


TEXT = "down! Heads below!' (a loud crash) - 'Now, who did"
_OPEN, _CLOSE = TEXT.index("("), TEXT.index(")")
_T = len(TEXT)
# What a step sees: an opening bracket, a closing one, and of every other character +1 for a vowel, −½ for the rest
_X = np.zeros((1, _T, 3))
_X[0, :, 2] = [0.0 if c in "()" else 1.0 if c in "aeiou" else -0.5 for c in TEXT]
_X[0, _OPEN, 0] = _X[0, _CLOSE, 1] = 1.0
_CANDIDATE = [3.0, -3.0, 1.0]
_BRACKET = 12.0
# A word for a tick: fifty letters would take longer to draw than all the rest
_STARTS = np.cumsum([0] + [len(word) + 1 for word in TEXT.split()])[:-1]
_CENTRES = [start + (len(word) - 1) / 2 for start, word in zip(_STARTS, TEXT.split(), strict=True)]
_ZERO = np.zeros((1, 1))


def run(cell, keep, let_in, show):
    """The gates by name, each (T,), the candidate, the memory, the state, and the share of the memory that is kept."""
    at_bracket = [_BRACKET, _BRACKET, 0.0]
    if cell == "LSTM":
        Wx = np.column_stack([at_bracket, np.negative(at_bracket), _CANDIDATE, np.zeros(3)])
        b = np.array([let_in, keep, 0.0, show])
        _, _, cache = recurrent.lstm_forward(_X, _ZERO, _ZERO, Wx, np.zeros((1, 4)), b)
        i, f, g, o, tanh_c = (
            np.array([getattr(x, k)[0, 0] for x in cache.gates]) for k in ["i", "f", "g", "o", "tanh_c"]
        )
        c = np.array([x.c[0, 0] for x in cache.gates[1:]] + [f[-1] * cache.gates[-1].c[0, 0] + i[-1] * g[-1]])
        return {"input gate i": i, "forget gate f": f, "output gate o": o}, g, c, o * tanh_c, f
    Wx = np.column_stack([np.zeros(3), at_bracket, _CANDIDATE])
    H, cache = recurrent.gru_forward(_X, _ZERO, Wx, np.zeros((1, 3)), np.array([show, -keep, 0.0]), np.zeros(3))
    r, z, n = (np.array([getattr(x, k)[0, 0] for x in cache.gates]) for k in "rzn")
    return {"reset gate r": r, "update gate z": z, "keep 1 − z": 1.0 - z}, n, H[0, :, 0], H[0, :, 0], 1.0 - z


def draw(figure, cell, keep, let_in, show):
    """Above: the gates over the text; below: candidate, memory and state, with the bracket's inside shaded."""
    gates, candidate, c, h, kept = run(cell, keep, let_in, show)
    top, bottom = figure.subplots(2, 1, height_ratios=(1.0, 1.9))
    top.imshow(np.array(list(gates.values())), aspect="auto", vmin=0.0, vmax=1.0, interpolation="nearest")
    top.set_yticks(range(len(gates)), list(gates))
    top.set_xticks([])
    left = np.prod(kept[_OPEN + 1 : _CLOSE])
    top.set_title(f"gates, 0 dark … 1 light; just before ')' there is {100 * left:.0f} % left of what '(' wrote")
    top.grid(False)

    t = np.arange(_T)
    bottom.axvspan(_OPEN, _CLOSE - 1, color="0.88")
    bottom.plot(t, candidate, ".", color="0.45", label="candidate " + ("g = C̃" if cell == "LSTM" else "n = h̃"))
    bottom.plot(t, c, color=COLORS[0], linestyle="-", label="memory C" if cell == "LSTM" else "state h")
    if cell == "LSTM":
        bottom.plot(t, h, color=COLORS[1], linestyle="--", label="state h = o ⊙ tanh C")
    bottom.set_xticks(_CENTRES, TEXT.split())
    bottom.tick_params(axis="x", length=0)
    high = max(2.2, 1.1 * np.abs(c).max())
    bottom.set(xlim=(-0.5, _T - 0.5), ylim=(-high, high), xlabel="the text, a step for each character", ylabel="value")
    bottom.grid(False)
    bottom.legend(loc="upper left", ncols=3, fontsize=9)


EXPLORER = Explorer(
    "recurrent",
    draw,
    {
        "cell": Choice(("LSTM", "GRU"), "LSTM", "cell"),
        "keep": Slider(-3.0, 8.0, 4.0, 0.5, "keep: b_f, −b_z"),
        "let_in": Slider(-8.0, 2.0, -6.0, 0.5, "let in: b_i"),
        "show": Slider(-4.0, 6.0, 4.0, 0.5, "b_o, b_r"),
    },
    "One {cell} unit reads a line of Alice with a bracket in it: its gates over time, keeping with bias {keep} and letting "
    "in with bias {let_in}, and below them the memory, which is to be high inside the bracket.",
    size=(7.8, 3.9),
)
figure, explore = EXPLORER.figure, EXPLORER.explore
