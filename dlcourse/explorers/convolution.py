"""Explorer: a window slides over an image, and each output is the window's numbers times the kernel's, added up."""

import matplotlib.cbook
import numpy as np
import PIL.Image
from matplotlib.patches import Rectangle

from .. import convolution, drawings
from . import COLORS, DIVERGING, Choice, Explorer, Slider

__all__ = [
    "EXPLORER",
    "IMAGE",
    "KERNELS",
    "column",
    "draw",
    "draw_stages",
    "photograph",
    "stages",
]


def __dir__():
    return __all__


KERNELS = {
    "left to right": np.array([[-1.0, 0.0, 1.0]] * 3),
    "top to bottom": np.array([[-1.0, 0.0, 1.0]] * 3).T,
    "mean": np.full((3, 3), 1.0 / 9.0),
    "sharpen": np.array([[0.0, -1.0, 0.0], [-1.0, 5.0, -1.0], [0.0, -1.0, 0.0]]),
    "one pixel further": np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
}
# A seven in grey values 0…9
IMAGE = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 9.0, 9.0, 9.0, 9.0, 9.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 7.0, 9.0, 0.0],
        [0.0, 0.0, 0.0, 3.0, 9.0, 3.0, 0.0],
        [0.0, 0.0, 1.0, 9.0, 5.0, 0.0, 0.0],
        [0.0, 0.0, 7.0, 9.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 9.0, 6.0, 0.0, 0.0, 0.0],
    ]
)
_SIZE, _MOST = len(IMAGE), 2
_LUMINANCE = np.array([0.299, 0.587, 0.114]).reshape(1, 1, 3, 1)


def photograph(reduce=4):
    """Grace Hopper (1906-1992), a U.S. Navy photograph in the public domain: grey values 0…1, (120, 100) at `reduce` 4.

    Matplotlib ships it. Grey is a 1 × 1 convolution of the three colours, the smaller size an average pooling.
    """
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:
        colours = np.asarray(PIL.Image.open(file).convert("RGB"))[20:500, 56:456] / 255.0
    small, _ = convolution.avgpool2d_forward(colours[None], reduce)
    return convolution.conv2d_forward(small, _LUMINANCE, np.zeros(1))[0][0, :, :, 0]


def column(ax, x, y, *texts, width=2.3, skip=None, skip_text="", side=-1):
    """A block of a network, from above to below: boxes and the arrows between them. Returns the boxes' places.

    texts : "X" and "Y" are data, "+" is a sum, what has "×" in it has weights, the rest has none.
    skip : None, or the numbers of the boxes between which a way leads around, with the box `skip_text` on it.
    side : of the way around, −1 for left, 1 for right.
    """
    places = []
    for text in texts:
        high = 0.75 + 0.38 * text.count("\n")
        y -= high / 2
        if text == "+":
            place = drawings.node(ax, x, y, "+", "gate", 0.3)
        else:
            kind = "input" if text[0] in "XY" else "weight" if "×" in text else "gate"
            place = drawings.block(ax, x, y, text, kind, width, high, 9)
        if places:
            drawings.arrow(ax, places[-1].bottom, place.top)
        places.append(place)
        y -= high / 2 + 0.42
    if skip:
        start, end = (places[k] for k in skip)
        way, bend = x + side * (width / 2 + (0.95 if skip_text else 0.55)), start.bottom[1] - 0.2
        edge = end.left if side < 0 else end.right
        ways = [(x, bend), (way, bend)]
        if skip_text:
            middle = (bend + end.y) / 2
            box = drawings.block(ax, way, middle, skip_text, "weight", 1.7, 0.75 + 0.38 * skip_text.count("\n"), 9)
            drawings.line(ax, *ways, box.top, color=COLORS[5], width=2.2)
            drawings.line(ax, box.bottom, (way, end.y), edge, color=COLORS[5], width=2.2)
        else:
            drawings.line(ax, *ways, (way, end.y), edge, color=COLORS[5], width=2.2)
    return places


def stages(table):
    """A network's table in short: [(side of the image, channels, [what computes it])], a stage as long as the side stays."""
    found = []
    for row, (kind, *sizes) in zip(table, table.layers, strict=True):
        if kind not in _WORDS:
            continue
        side = row.output_shape[0] if len(row.output_shape) == 3 else 1
        words = _WORDS[kind](*sizes)
        if not found or found[-1][0] != side:
            found.append([side, 0, []])
        found[-1][1] = row.output_shape[-1]
        last = found[-1][2]
        if last and last[-1][0] == words:
            last[-1][1] += 1
        else:
            last.append([words, 1])
    return [
        (side, channels, [f"{count} × {words}" if count > 1 else words for words, count in parts])
        for side, channels, parts in found
    ]


def _conv_words(C, K, size, options=None):
    stride = (options or {}).get("stride", 1)
    return f"conv {size}×{size}" + (f", s = {stride}" if stride > 1 else "")


_WORDS = {
    "conv2d": _conv_words,
    "maxpool2d": lambda size, *_: f"max {size}×{size}, s = 2",
    "residual": lambda *_: "residual",
    "inception_block": lambda *_: "inception",
    "global_avgpool": lambda: "mean of each",
    "linear": lambda D, K: f"linear to {K}",
}


def draw_stages(ax, table, title, y=0.0, across=2.55):
    """A network from left to right: boxes as high as the image's side and as thick as its channels, both as roots."""
    size, _, channels = table.input_shape
    drawings.words(ax, -1.0, y + 2.35, title, 12, ha="left", weight="bold")
    for k, (side, thick, parts) in enumerate([(size, channels, ["the image"]), *stages(table)]):
        x = k * across
        high, deep = max(0.19 * np.sqrt(side), 0.3), 0.055 * np.sqrt(thick)
        drawings.volume(ax, x, y, high, deep, "input" if k == 0 else "gate")
        shape = f"{side} × {side} × {thick}" if side > 1 else f"{thick}"
        drawings.words(ax, x, y - 2.3, shape, 9, weight="bold")
        drawings.words(ax, x, y - 2.65, "\n".join(parts), 8.5, drawings.GREY, va="top", linespacing=1.25)


def draw(figure, kernel, stride, padding, place):
    """Left: the padded image and the window; middle: the window's numbers times the kernel's; right: the outputs so far."""
    W = KERNELS[kernel]
    Y = _outputs(W, stride, padding)
    place = min(place, Y.size - 1)
    row, col = divmod(place, len(Y))
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.25, 0.62, 1.05))
    X = np.pad(IMAGE, padding)

    seen = stride * (len(Y) - 1) + 3
    far = _SIZE + padding - 0.5
    extent = (-padding - 0.5, far, far, -padding - 0.5)
    left.imshow(X, cmap="Greys", vmin=0.0, vmax=20.0, extent=extent)
    for (i, j), value in np.ndenumerate(X):
        i, j = i - padding, j - padding
        outside = not (0 <= i < _SIZE and 0 <= j < _SIZE)
        _number(left, j, i, f"{value:.0f}", "#8a8a8a" if outside else "black")
    if padding:
        left.add_patch(Rectangle((-0.5, -0.5), _SIZE, _SIZE, fill=False, edgecolor="black", linewidth=1.2))
    if len(X) > seen:
        rest = len(X) - seen
        look = {"facecolor": "none", "edgecolor": "#8a8a8a", "hatch": "////", "linewidth": 0}
        left.add_patch(Rectangle((far - rest, -padding - 0.5), rest, len(X), **look))
        left.add_patch(Rectangle((-padding - 0.5, far - rest), seen, rest, **look))
    _frame(left, stride * col - padding, stride * row - padding, 3)
    unseen = f", {len(X) - seen} of {len(X)} rows unseen" if len(X) > seen else ""
    _board(left, (-_MOST, _SIZE + _MOST - 1), f"X, p = {padding}, s = {stride}{unseen}")

    window = X[stride * row : stride * row + 3, stride * col : stride * col + 3]
    limit = 2.2 * float(np.abs(W).max())
    middle.imshow(W, cmap=DIVERGING, vmin=-limit, vmax=limit, extent=(-0.5, 2.5, 2.5, -0.5))
    for (i, j), w in np.ndenumerate(W):
        _number(middle, j, i, f"{window[i, j]:.0f} · {_weight(w)}", size=9)
    _board(middle, (0, 2), f"window · W, sum {_short(Y[row, col])}")

    limit = 1.8 * float(np.abs(Y).max())
    done = np.where(np.arange(Y.size).reshape(Y.shape) <= place, Y, np.nan)
    end = len(Y) - 0.5
    right.imshow(done, cmap=DIVERGING, vmin=-limit, vmax=limit, extent=(-0.5, end, end, -0.5))
    for k, value in enumerate(Y.ravel()[: place + 1]):
        i, j = divmod(k, len(Y))
        _number(right, j, i, _short(value))
    right.add_patch(Rectangle((-0.5, -0.5), len(Y), len(Y), fill=False, edgecolor="#8a8a8a", linewidth=1.0))
    _frame(right, col, row, 1)
    most = _SIZE + 2 * _MOST - 2
    _board(right, ((len(Y) - most) / 2, (len(Y) + most) / 2 - 1), f"Y, {len(Y)} × {len(Y)}")


def _outputs(W, stride, padding):
    X = IMAGE[None, :, :, None]
    return convolution.conv2d_forward(X, W[:, :, None, None], np.zeros(1), stride, padding)[0][0, :, :, 0]


def _number(ax, x, y, text, color="black", size=8):
    ax.text(x, y, text, ha="center", va="center_baseline", fontsize=size, color=color)


def _frame(ax, x, y, size):
    ax.add_patch(Rectangle((x - 0.5, y - 0.5), size, size, fill=False, edgecolor=COLORS[5], linewidth=2.6))


def _board(ax, limits, title):
    low, high = limits
    ax.set(xlim=(low - 0.6, high + 0.6), ylim=(high + 0.6, low - 0.6), aspect="equal", title=title)
    ax.set_axis_off()


def _short(value):
    return f"{value + 0.0:.1f}".removesuffix(".0").replace("-", "−")


def _weight(w):
    return "1/9" if 0 < w < 1 else f"{w:.0f}".replace("-", "−")


def _touch(where, kernel, stride, padding, place):
    """In the image: the window with its centre nearest to the pointer; in the output: the cell under it."""
    side = len(_outputs(KERNELS[kernel], stride, padding))
    if where.axes == 1:
        return {}
    x, y = (where.x, where.y) if where.axes == 2 else ((v + padding - 1) / stride for v in (where.x, where.y))
    col, row = (int(np.clip(round(v), 0, side - 1)) for v in (x, y))
    return {"place": row * side + col}


def _last(kernel, stride, padding, place):
    return {"place": convolution.conv_output_size(_SIZE, 3, stride, padding) ** 2 - 1}


EXPLORER = Explorer(
    "convolution",
    draw,
    {
        "kernel": Choice(tuple(KERNELS), "left to right", "kernel"),
        "stride": Slider(1, 3, 1, 1, "stride s"),
        "padding": Slider(0, _MOST, 0, 1, "padding p"),
        "place": Slider(0, (_SIZE + 2 * _MOST - 2) ** 2 - 1, 13, 1, "window", play=True, interval=300),
    },
    "A seven of 7 by 7 numbers with padding {padding} and a window of 3 by 3 on it, the window's numbers times the kernel "
    "“{kernel}”, and the outputs up to window {place}, with stride {stride}.",
    size=(9.6, 3.9),
    touch=_touch,
    last=_last,
)
figure, explore = EXPLORER.figure, EXPLORER.explore
