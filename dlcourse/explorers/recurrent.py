"""Explorer: one unit reads a line of prose and is to remember the open bracket; its gates are set by hand, step by step."""

import numpy as np

from .. import recurrent
from . import COLORS, Choice, Explorer, Slider

__all__ = [
    "EXPLORER",
    "TEXT",
    "draw",
    "left_of_it",
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


def left_of_it(kept, step):
    """How much of the memory of each earlier step is left at `step`, the product of what is kept on the way: ∂C_t/∂C_s."""
    after = np.append(kept[1 : step + 1], 1.0)
    return np.cumprod(after[::-1])[::-1]


def draw(figure, cell, keep, let_in, show, step):
    """Above: the gates; in the middle: candidate, memory and state up to the step; below: what is left of earlier steps."""
    gates, candidate, c, h, kept = run(cell, keep, let_in, show)
    top, middle, bottom = figure.subplots(3, 1, height_ratios=(1.0, 1.7, 0.9))
    top.imshow(np.array(list(gates.values())), aspect="auto", vmin=0.0, vmax=1.0, interpolation="nearest")
    top.set_yticks(range(len(gates)), list(gates))
    values = ", ".join(f"{name[-1]} {gate[step]:.2f}" for name, gate in _short(gates))
    top.set_title(f"reads {TEXT[step]!r}: {values}   (dark 0, light 1)")

    t = np.arange(_T)
    middle.axvspan(_OPEN, _CLOSE - 1, color="0.88")
    middle.plot(t, candidate, ".", color="0.45", label="candidate " + ("g = C̃" if cell == "LSTM" else "n = h̃"))
    name = "memory C" if cell == "LSTM" else "state h"
    middle.plot(t[step:], c[step:], color=COLORS[0], linestyle="-", linewidth=0.8)
    middle.plot(t[: step + 1], c[: step + 1], color=COLORS[0], linestyle="-", linewidth=2.6, label=name)
    if cell == "LSTM":
        middle.plot(t[: step + 1], h[: step + 1], color=COLORS[1], linestyle="--", label="state h = o ⊙ tanh C")
    high = max(2.2, 1.1 * np.abs(c).max())
    middle.set(ylim=(-high, high), ylabel="value")
    middle.legend(loc="upper left", ncols=3, fontsize=9)

    left = left_of_it(kept, step)
    bottom.fill_between(t[: step + 1], left, step="mid", color=COLORS[2], alpha=0.5)
    bottom.set(
        ylim=(0.0, 1.05), yticks=(0.0, 0.5, 1.0), ylabel="still there", xlabel="the text, a step for each character"
    )
    bottom.set_xticks(_CENTRES, TEXT.split())
    bottom.tick_params(axis="x", length=0)
    told = f"{100 * left[_OPEN]:.0f} % of what '(' wrote" if step >= _OPEN else "'(' has not come yet"
    bottom.text(0.01, 0.72, f"left at {TEXT[step]!r}: {told}", transform=bottom.transAxes)
    for ax in (top, middle):
        ax.set_xticks([])
    for ax in (top, middle, bottom):
        ax.set_xlim(-0.5, _T - 0.5)
        ax.grid(False)
        ax.axvline(step, color=COLORS[5], linewidth=1.4, linestyle="-")


def _short(gates):
    """The three that are told: the GRU's 1 − z goes without saying."""
    return [(name, gate) for name, gate in gates.items() if not name.startswith("keep")]


def _touch(where, cell, keep, let_in, show, step):
    """In any of the pictures: the character at the pointer."""
    return {"step": int(np.clip(round(where.x), 0, _T - 1))}


EXPLORER = Explorer(
    "recurrent",
    draw,
    {
        "cell": Choice(("LSTM", "GRU"), "LSTM", "cell"),
        "keep": Slider(-3.0, 8.0, 2.0, 0.5, "keep: b_f, −b_z"),
        "let_in": Slider(-8.0, 2.0, -6.0, 0.5, "let in: b_i"),
        "show": Slider(-4.0, 6.0, 4.0, 0.5, "b_o, b_r"),
        "step": Slider(0, _T - 1, _CLOSE - 1, 1, "character", play=True, interval=250),
    },
    "One {cell} unit reads a line of Alice with a bracket in it up to character {step}: its gates over time, keeping with bias "
    "{keep} and letting in with bias {let_in}, the memory, which is to be high inside the bracket, and how much of each "
    "earlier step is left in it.",
    size=(7.8, 4.8),
    touch=_touch,
)
figure, explore = EXPLORER.figure, EXPLORER.explore
