"""Drawings of what is taught: neurons, networks, matrices, cells, blocks.

`sheet` gives an empty drawing, which becomes as large as what is drawn on it. What
is drawn returns the places where arrows may start and end. One unit is half an
inch, so type has the same size in every drawing::

    figure, ax = sheet()
    network(ax, [2, 3, 1])
    show(figure, "A network of two inputs, three hidden units and one output.")
"""

from itertools import pairwise
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Polygon, Rectangle

from .explorers import DIVERGING, DPI, STYLE, Drawing

__all__ = [
    "Place",
    "arrow",
    "block",
    "frame",
    "gru_cell",
    "line",
    "lstm_cell",
    "matrix",
    "network",
    "neuron",
    "node",
    "product",
    "rnn_unrolled",
    "sheet",
    "transformer_block",
    "volume",
    "words",
]


def __dir__():
    return __all__


_UNIT = 0.5  # inches
INK, GREY = "#1f2328", "#57606a"
# (fill, outline): what comes in, what is computed, what is learned, what goes back
INPUT, GATE, WEIGHT, BACK = (
    ("#fff4e0", "#b45309"),
    ("#e8f1fb", "#1d4f91"),
    ("#e6f5ef", "#00664b"),
    ("#fbe9e1", "#b23c00"),
)
_KINDS = {"input": INPUT, "gate": GATE, "weight": WEIGHT, "back": BACK}
POSITIVE, NEGATIVE = "#5e3c99", "#c65f00"


class Place(NamedTuple):
    """Where a thing stands: its centre and half of its width and height."""

    x: float
    y: float
    dx: float
    dy: float

    @property
    def left(self):
        return self.x - self.dx, self.y

    @property
    def right(self):
        return self.x + self.dx, self.y

    @property
    def top(self):
        return self.x, self.y + self.dy

    @property
    def bottom(self):
        return self.x, self.y - self.dy


class _Sheet(Drawing):
    """A figure that is cut to its contents when it is saved."""

    def savefig(self, *args, **kwargs):
        self.fit()
        super().savefig(*args, **kwargs)

    def fit(self, margin=0.25):
        """Make the figure as large as what is drawn, and a margin."""
        (ax,) = self.axes
        renderer = FigureCanvasAgg(self).get_renderer()
        things = [*ax.texts, *ax.patches, *ax.lines]
        if not things:
            return
        ends = np.concatenate([thing.get_window_extent(renderer).get_points() for thing in things])
        ends = ax.transData.inverted().transform(ends)
        # Whole pixels of a page: a last bit of a letter's width must not decide the size of a picture
        grid = _UNIT * DPI
        low = np.floor((ends.min(axis=0) - margin) * grid) / grid
        high = np.ceil((ends.max(axis=0) + margin) * grid) / grid
        self.set_size_inches(*((high - low) * _UNIT))
        ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))


def sheet():
    """An empty drawing: (figure, ax), x to the right, y up, in half inches."""
    with matplotlib.rc_context(STYLE):
        figure = _Sheet(figsize=(10 * _UNIT, 10 * _UNIT))
        ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 10), ylim=(0, 10))
    ax.set_axis_off()
    return figure, ax


def words(ax, x, y, text, size=10, color=INK, **look):
    """Text with its centre at (x, y)."""
    return ax.text(x, y, text, **({"ha": "center", "va": "center", "fontsize": size, "color": color} | look))


def node(ax, x, y, text="", kind="gate", radius=0.42, size=11):
    """A round thing: a unit, an operation on numbers. Returns its `Place`.

    kind : "input", "gate", "weight" or "back", which choose the colours.
    """
    fill, outline = _KINDS[kind]
    ax.add_patch(Circle((x, y), radius, facecolor=fill, edgecolor=outline, linewidth=1.4, zorder=3))
    words(ax, x, y, text, size, zorder=4)
    return Place(x, y, radius, radius)


def block(ax, x, y, text, kind="gate", width=2.2, height=0.9, size=10):
    """A box with words: a layer, a function. Returns its `Place`; see `node`."""
    fill, outline = _KINDS[kind]
    corner = (x - width / 2, y - height / 2)
    style = "round,pad=0,rounding_size=0.12"
    ax.add_patch(
        FancyBboxPatch(
            corner, width, height, boxstyle=style, facecolor=fill, edgecolor=outline, linewidth=1.4, zorder=3
        )
    )
    words(ax, x, y, text, size, zorder=4)
    return Place(x, y, width / 2, height / 2)


def arrow(ax, start, end, text="", curve=0.0, color=GREY, width=1.4, shift=(0.0, 0.22), size=9, style="-|>", dash="-"):
    """An arrow from a point to a point with words beside its middle.

    curve : how far it bends to the right of its way, as a fraction of its length.
    shift : of the words from the middle.
    """
    ax.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle=style,
            mutation_scale=10,
            shrinkA=0,
            shrinkB=0,
            color=color,
            linewidth=width,
            linestyle=dash,
            connectionstyle=f"arc3,rad={curve}",
            zorder=2,
        )
    )
    if text:
        (x0, y0), (x1, y1) = start, end
        # The middle of a quadratic curve is half as far out as its control point
        bend = curve / 2
        words(
            ax,
            (x0 + x1) / 2 + bend * (y1 - y0) + shift[0],
            (y0 + y1) / 2 - bend * (x1 - x0) + shift[1],
            text,
            size,
            color,
            zorder=4,
        )


def line(ax, *points, color=GREY, width=1.4, end="-|>"):
    """A way with corners and a head at its last point (end="-": without one)."""
    for a, b in pairwise(points[:-1]):
        ax.plot(*zip(a, b, strict=True), color=color, linewidth=width, linestyle="-", solid_capstyle="round", zorder=2)
    arrow(ax, points[-2], points[-1], color=color, width=width, style=end)


def matrix(ax, values, name="", shape="", x=0.0, y=0.0, cell=0.8, form="{:g}", limit=None, size=9):
    """An array as a grid of numbers, coloured by sign and size. Returns its `Place`.

    Parameters
    ----------
    values : (R, C) array; a vector is a column.
    name : above it. shape : in letters, below it, "N × D".
    x, y : of its left upper corner.
    form : how a number is written; "" leaves the numbers out.
    limit : absolute value with the full colour.
    """
    values = np.asarray(values, dtype=float)
    values = values[:, None] if values.ndim == 1 else values
    rows, columns = values.shape
    limit = float(np.max(np.abs(values), initial=0.0)) or 1.0 if limit is None else limit
    # Half of the colour map: black type must stay readable on every cell
    colors = matplotlib.colormaps[DIVERGING](0.5 + 0.28 * np.clip(values / limit, -1, 1))
    for i, j in np.ndindex(rows, columns):
        corner = (x + j * cell, y - (i + 1) * cell)
        ax.add_patch(Rectangle(corner, cell, cell, facecolor=colors[i, j], edgecolor=GREY, linewidth=0.8, zorder=3))
        if form:
            number = form.format(values[i, j]).replace("-", "−")
            words(ax, corner[0] + cell / 2, corner[1] + cell / 2, number, size, zorder=4)
    place = Place(x + columns * cell / 2, y - rows * cell / 2, columns * cell / 2, rows * cell / 2)
    if name:
        words(ax, place.x, y + 0.3, name, 12, weight="bold")
    if shape:
        words(ax, place.x, y - rows * cell - 0.3, shape, 9, GREY)
    return place


def frame(ax, place, row=None, column=None, cell=0.8, color=INPUT[1]):
    """A frame around a drawn array: all of it, one row, one column or one cell.

    place : what `matrix` or `product` returned. cell : as it was drawn with.
    """
    left, top, width, height = place.x - place.dx, place.y + place.dy, 2 * place.dx, 2 * place.dy
    if row is not None:
        top, height = top - row * cell, cell
    if column is not None:
        left, width = left + column * cell, cell
    ax.add_patch(Rectangle((left, top - height), width, height, fill=False, edgecolor=color, linewidth=2.6, zorder=5))


def product(ax, parts, x=0.0, y=0.0, cell=0.8, form="{:g}", gap=0.9):
    """Arrays in a row with signs between them, U = X W + b. Returns a `Place` for each.

    parts : (values, name, shape) for an array, or a sign, "=".
    x, y : of the left upper corner; smaller arrays stand in the middle of the highest.
    """
    high = max(np.asarray(part[0]).shape[0] for part in parts if not isinstance(part, str))
    places = []
    for part in parts:
        if isinstance(part, str):
            words(ax, x + gap / 2 - 0.15, y - high * cell / 2, part, 14)
            x += gap - 0.3
            continue
        values, name, shape = part
        values = np.atleast_2d(np.asarray(values, dtype=float))
        top = y - (high - values.shape[0]) * cell / 2
        places.append(matrix(ax, values, name, shape, x, top, cell, form))
        x += values.shape[1] * cell + 0.3
    return places


def volume(ax, x, y, height, depth, kind="gate", slant=0.3):
    """A stack of channels as a box, an image seen from the side. Returns its `Place`.

    x, y : of its middle. height : for the image's side. depth : for the channels.
    slant : how far the image's width leads back, as a fraction of its height.
    """
    fill, outline = _KINDS[kind]
    back = slant * height
    left, low, right, top = (
        x - (depth + back) / 2,
        y - (height + back) / 2,
        x + (depth - back) / 2,
        y + (height - back) / 2,
    )
    look = {"facecolor": fill, "edgecolor": outline, "linewidth": 1.2, "zorder": 3}
    faces = (
        [(left, low), (right, low), (right, top), (left, top)],
        [(left, top), (right, top), (right + back, top + back), (left + back, top + back)],
        [(right, low), (right + back, low + back), (right + back, top + back), (right, top)],
    )
    for face in faces:
        ax.add_patch(Polygon(face, **look))
    return Place(x, y, (depth + back) / 2, (height + back) / 2)


def neuron(ax, x=0.0, y=0.0, inputs=("x₁", "x₂", "x₃"), weights=("w₁", "w₂", "w₃"), function="f", output="y"):
    """A neuron: inputs, weights, the sum with the bias, the function.

    Returns a `Place` each for sum, function and output.

    x, y : of the inputs' column and its middle.
    """
    total = block(ax, x + 4.0, y, "u = Σ wᵢxᵢ + b", width=2.6, height=1.0)
    for i, (name, weight) in enumerate(zip(inputs, weights, strict=True)):
        height = y + 1.2 * ((len(inputs) - 1) / 2 - i)
        place = node(ax, x, height, name, "input")
        end = (total.left[0], y + 0.25 * ((len(inputs) - 1) / 2 - i))
        arrow(ax, place.right, end)
        # On the first half of its line, where lines still are apart
        at = (place.right[0] * 0.6 + end[0] * 0.4, height * 0.6 + end[1] * 0.4)
        words(ax, *at, weight, 10, WEIGHT[1], bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0}, zorder=3)
    bias = node(ax, x + 4.0, y - 1.6, "b", "weight", 0.36)
    arrow(ax, bias.top, total.bottom)
    if not function:
        arrow(ax, total.right, (x + 6.4, y))
        words(ax, x + 6.7, y, output, 12)
        return total, total, Place(x + 6.7, y, 0.3, 0.3)
    squash = node(ax, x + 6.5, y, function, radius=0.5)
    arrow(ax, total.right, squash.left, "u")
    arrow(ax, squash.right, (x + 7.8, y))
    words(ax, x + 8.1, y, output, 12)
    return total, squash, Place(x + 8.1, y, 0.3, 0.3)


def network(
    ax,
    sizes,
    x=0.0,
    y=0.0,
    across=2.6,
    along=1.1,
    weights=None,
    names=None,
    labels=None,
    bias=False,
    radius=0.36,
    flow="forward",
    dropped=(),
):
    """A feedforward network from left to right. Returns a list of places a layer.

    Parameters
    ----------
    sizes : units of each layer, inputs first. x, y : of the inputs, of the middle.
    across, along : from layer to layer, from unit to unit.
    weights : None, or a (fan_in, fan_out) array for each step: colours and widths.
    names : None, or a list of letters for each layer. labels : words below each layer.
    bias : whether every layer but the last has a unit that is 1.
    flow : "forward", or "backward" for arrows of δ.
    dropped : (layer, unit) pairs, counted from 0: crossed out, without connections.
    """
    layers, dropped = [], set(dropped)
    for k, size in enumerate(sizes):
        middle = (size - 1) / 2
        kind = "input" if k == 0 else "gate"
        texts = names[k] if names else [""] * size
        layers.append(
            [node(ax, x + k * across, y + along * (middle - i), texts[i], kind, radius, 10) for i in range(size)]
        )
    ones = []
    if bias:
        for k, size in enumerate(sizes[:-1]):
            ones.append(node(ax, x + k * across, y - along * ((size - 1) / 2 + 1), "1", "weight", radius, 10))
    for k, (sources, targets) in enumerate(pairwise(layers)):
        scale = None if weights is None else float(np.max(np.abs(weights[k]))) or 1.0
        for i, source in enumerate([*sources, *ones[k : k + 1]]):
            for j, target in enumerate(targets):
                if (k, i) in dropped or (k + 1, j) in dropped:
                    continue
                w = None if weights is None or i >= len(sources) else weights[k][i][j]
                color = GREY if w is None else POSITIVE if w > 0 else NEGATIVE
                width = 0.9 if w is None else 0.3 + 2.5 * abs(w) / scale
                ends = (source.right, target.left) if flow == "forward" else (target.left, source.right)
                ax.plot(*zip(*ends, strict=True), color=color, linewidth=width, linestyle="-", zorder=1)
        if flow == "backward":
            top = y + along * (max(len(sources), len(targets)) - 1) / 2 + radius + 0.25
            start, end = x + (k + 1) * across - radius, x + k * across + radius
            arrow(ax, (start, top), (end, top), "δ", color=BACK[1], width=1.8)
    for k, i in dropped:
        at, reach = layers[k][i], 0.62 * radius
        for slope in (1, -1):
            ends = (at.x - reach, at.x + reach), (at.y - slope * reach, at.y + slope * reach)
            ax.plot(*ends, color=BACK[1], linewidth=2.0, linestyle="-", zorder=5)
    if labels:
        lowest = min(place.y - place.dy for layer in [*layers, ones] for place in layer)
        for k, label in enumerate(labels):
            words(ax, x + k * across, lowest - 0.4, label, 10, GREY)
    return layers


def rnn_unrolled(ax, steps=3, x=0.0, y=0.0, across=2.6, letters=("x", "h", "y"), weights=("W", "V", ""), back=False):
    """A recurrent network, folded and unrolled: one cell, again and again.

    letters : of input, state, output.
    weights : on the arrows from the input, from the state, to the output.
    back : whether the way of the gradient is drawn too.
    """
    h, (w_in, w_state, w_out) = letters[1], weights

    def cell(at, index):
        state = block(ax, at, y, f"{h}{index}", width=1.2, height=0.9, size=12)
        arrow(ax, (at, y - 1.5), state.bottom, w_in, shift=(0.25, 0.0), color=GREY)
        arrow(ax, state.top, (at, y + 1.5), w_out, shift=(0.25, 0.0))
        words(ax, at, y - 1.75, f"{letters[0]}{index}", 12, INPUT[1])
        words(ax, at, y + 1.75, f"{letters[2]}{index}", 12)
        return state

    folded = cell(x, "ₜ")
    right, low = folded.right[0], y - 0.25
    line(ax, (right, y + 0.25), (right + 0.5, y + 0.25), (right + 0.5, low), (right, low))
    words(ax, right + 0.75, y, w_state, 9, GREY)
    words(ax, x + 2.15, y, "=", 18)
    before = None
    for t in range(1, steps + 1):
        at = x + 4.3 + (t - 1) * across
        place = cell(at, "₀₁₂₃₄₅₆₇₈₉"[t])
        start = (at - 1.6, y) if before is None else before.right
        arrow(ax, start, place.left, w_state)
        if back:
            arrow(ax, (place.left[0], y - 0.3), (start[0], y - 0.3), color=BACK[1], dash="--")
        before = place
    arrow(ax, before.right, (before.right[0] + 0.9, y), w_state)
    return before


def lstm_cell(ax, x=0.0, y=0.0, path=True):
    """An LSTM cell: gates below, the memory c running through on top.

    path : whether the way of c is drawn heavy; the gradient runs back along it,
        multiplied by the forget gate alone.
    """
    top, bottom, gates = y + 3.9, y + 0.5, y + 1.5
    _frame(ax, x, y, bottom)
    forget = node(ax, x + 2.2, top, "×", "weight", 0.3)
    add = node(ax, x + 4.9, top, "+", "weight", 0.3)
    _stream(ax, x, top, (forget, add), "c", path)

    f = block(ax, x + 2.2, gates, "f = σ", "gate", 1.1, 0.7)
    i = block(ax, x + 3.7, gates, "i = σ", "gate", 1.1, 0.7)
    g = block(ax, x + 5.2, gates, "g = tanh", "gate", 1.4, 0.7)
    o = block(ax, x + 6.9, gates, "o = σ", "gate", 1.1, 0.7)
    write = node(ax, x + 4.9, gates + 1.2, "×", "weight", 0.3)
    arrow(ax, f.top, forget.bottom)
    arrow(ax, i.top, (write.x - 0.22, write.y - 0.2))
    arrow(ax, g.top, (write.x + 0.18, write.y - 0.24))
    arrow(ax, write.top, add.bottom)
    squash = block(ax, x + 8.0, top - 0.95, "tanh", "gate", 1.0, 0.6)
    arrow(ax, (x + 8.0, top), squash.top)
    read = node(ax, x + 8.0, gates, "×", "weight", 0.3)
    arrow(ax, squash.bottom, read.top)
    arrow(ax, o.right, read.left)
    line(ax, (x + 8.0, gates - 0.3), (x + 8.0, bottom), (x + 9.8, bottom))
    words(ax, x + 10.2, bottom, "hₜ", 11)

    # h and x reach all four gates
    line(ax, (x, bottom), (x + 6.9, bottom), o.bottom)
    for gate in (f, i, g):
        arrow(ax, (gate.x, bottom), gate.bottom)
    words(ax, x - 0.3, bottom, "hₜ₋₁", 11)


def gru_cell(ax, x=0.0, y=0.0, path=True):
    """A GRU cell: the state runs through on top, h = (1 − z) ⊙ h + z ⊙ n.

    path : whether the way of the state is drawn heavy.
    """
    top, bottom, gates = y + 3.9, y + 0.5, y + 1.5
    _frame(ax, x, y, bottom)
    keep = node(ax, x + 5.2, top, "×", "weight", 0.3)
    add = node(ax, x + 7.9, top, "+", "weight", 0.3)
    _stream(ax, x, top, (keep, add), "h", path)
    r = block(ax, x + 2.4, gates, "r = σ", "gate", 1.1, 0.7)
    z = block(ax, x + 5.2, gates, "z = σ", "gate", 1.1, 0.7)
    n = block(ax, x + 7.9, gates, "n = tanh", "gate", 1.4, 0.7)
    reset = node(ax, x + 2.4, gates + 1.3, "×", "weight", 0.3)
    arrow(ax, (x + 2.4, top), reset.top)
    arrow(ax, r.top, reset.bottom)
    line(ax, reset.right, (x + 6.6, reset.y), (x + 6.6, gates), n.left)
    words(ax, x + 4.0, reset.y + 0.25, "r ⊙ hₜ₋₁", 9, GREY)
    arrow(ax, z.top, keep.bottom)
    words(ax, x + 5.65, top - 0.75, "1 − z", 9, GREY)
    write = node(ax, x + 7.9, gates + 1.3, "×", "weight", 0.3)
    arrow(ax, n.top, write.bottom)
    arrow(ax, write.top, add.bottom)
    words(ax, x + 8.35, gates + 1.3, "z", 9, GREY)
    line(ax, (x + 1.6, bottom), (x + 7.9, bottom), n.bottom)
    for gate in (r, z):
        arrow(ax, (gate.x, bottom), gate.bottom)
    line(ax, (x + 0.5, top), (x + 0.5, bottom), (x + 1.6, bottom), end="-")


def _frame(ax, x, y, bottom):
    """The cell's ground, and its input from below."""
    style = "round,pad=0,rounding_size=0.25"
    look = {"facecolor": "#f6f8fa", "edgecolor": GREY, "linewidth": 1.2, "zorder": 0}
    ax.add_patch(FancyBboxPatch((x + 1.1, y), 7.6, 4.5, boxstyle=style, **look))
    line(ax, (x + 1.6, y - 0.4), (x + 1.6, bottom), end="-")
    words(ax, x + 1.6, y - 0.6, "xₜ", 11, INPUT[1])


def _stream(ax, x, y, through, letter, heavy):
    """What runs through a cell on top, from one operation to the next."""
    look = {"color": BACK[1], "width": 3.4} if heavy else {}
    starts = [(x, y), *(place.right for place in through)]
    ends = [*(place.left for place in through), (x + 9.8, y)]
    for start, end in zip(starts, ends, strict=True):
        arrow(ax, start, end, **look)
    words(ax, x - 0.3, y, f"{letter}ₜ₋₁", 11)
    words(ax, x + 10.2, y, f"{letter}ₜ", 11)


def transformer_block(ax, x=0.0, y=0.0, causal=True, norm="layer norm"):
    """A pre-norm transformer block: the residual stream runs through below."""
    plus = []
    for start, name in ((x + 1.0, "masked self-attention" if causal else "self-attention"), (x + 6.6, "MLP per token")):
        normed = block(ax, start + 1.0, y + 1.5, norm, "weight", 1.7, 0.8, 9)
        work = block(ax, start + 3.3, y + 1.5, name.replace(" ", "\n", 1), "gate", 1.9, 1.0, 9)
        line(ax, (start, y), (start, y + 1.5), normed.left)
        arrow(ax, normed.right, work.left)
        add = node(ax, start + 4.9, y, "+", "gate", 0.3)
        line(ax, work.right, (start + 4.9, y + 1.5), add.top)
        plus.append(add)
    arrow(ax, (x, y), plus[0].left, color=INPUT[1], width=3.4)
    arrow(ax, plus[0].right, plus[1].left, color=INPUT[1], width=3.4)
    arrow(ax, plus[1].right, (x + 12.6, y), color=INPUT[1], width=3.4)
    words(ax, x + 0.7, y - 0.4, "X  (T, D)", 10, INPUT[1])
    words(ax, x + 12.7, y - 0.4, "Y  (T, D)", 10, INPUT[1])
    words(ax, x + 3.9, y - 0.4, "residual stream", 10, INPUT[1])
