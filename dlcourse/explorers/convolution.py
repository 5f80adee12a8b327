"""Explorer: mix a 3 × 3 kernel from four patterns and see what it answers to in a photograph."""

import matplotlib.cbook
import numpy as np
import PIL.Image

from .. import convolution
from . import CMAP, COLORS, DIVERGING, Explorer, Slider

__all__ = [
    "EXPLORER",
    "PATTERNS",
    "column",
    "draw",
    "draw_blocks",
    "kernel",
    "photograph",
]


def __dir__():
    return __all__


# Every kernel of the explorer is a sum of these, each times its slider
PATTERNS = {
    "keep": np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]),
    "blur": np.full((3, 3), 1.0 / 9.0),
    "right": np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 4.0,
    "down": np.array([[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]]) / 4.0,
}
_LUMINANCE = np.array([0.299, 0.587, 0.114]).reshape(1, 1, 3, 1)


def photograph(reduce=4):
    """Grace Hopper (1906-1992), a U.S. Navy photograph in the public domain: grey values 0…1, (120, 100) at `reduce` 4.

    Matplotlib ships it. Grey is a 1 × 1 convolution of the three colours, the smaller size an average pooling.
    """
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as file:
        colours = np.asarray(PIL.Image.open(file).convert("RGB"))[20:500, 56:456] / 255.0
    small, _ = convolution.avgpool2d_forward(colours[None], reduce)
    return convolution.conv2d_forward(small, _LUMINANCE, np.zeros(1))[0][0, :, :, 0]


_PHOTO = photograph()


def draw_blocks(ax, title, boxes, arrows):
    """A network's block as boxes and arrows: `boxes` {name: (x, y, text, number of a colour)}, `arrows` (from, to, bend)."""
    frame = {"boxstyle": "round,pad=0.35", "facecolor": "white", "linewidth": 1.8}
    patches = {}
    for name, (x, y, text, k) in boxes.items():
        look = {"ha": "center", "va": "center", "fontsize": 8.5, "bbox": frame | {"edgecolor": COLORS[k]}}
        patches[name] = ax.text(x, y, text, **look).get_bbox_patch()
    for a, b, bend in arrows:
        how = {"arrowstyle": "->", "shrinkA": 2, "shrinkB": 2, "connectionstyle": f"arc3,rad={bend}"}
        ax.annotate("", boxes[b][:2], boxes[a][:2], arrowprops=how | {"patchA": patches[a], "patchB": patches[b]})
    x, y, *_ = zip(*boxes.values(), strict=True)
    ax.set(xlim=(min(x) - 0.8, max(x) + 0.8), ylim=(min(y) - 0.4, max(y) + 0.4), title=title)
    ax.axis("off")


def column(*texts):
    """Boxes in a column and their arrows, for `draw_blocks`: X and Y black, what has weights blue, the rest orange."""
    kinds = [6 if t[0] in "XY" else 0 if "×" in t or "inc" in t else 1 for t in texts]
    boxes = {k: (0, -k, text, kinds[k]) for k, text in enumerate(texts)}
    return boxes, [(k, k + 1, 0) for k in range(len(texts) - 1)]


def kernel(keep, blur, right, down):
    """The (3, 3) kernel of the four sliders."""
    weights = {"keep": keep, "blur": blur, "right": right, "down": down}
    return sum(weight * PATTERNS[name] for name, weight in weights.items())


def draw(figure, keep, blur, right, down):
    """The photograph, the kernel with its nine weights, and the convolution of the two."""
    W = kernel(keep, blur, right, down)
    Y = convolution.conv2d_forward(_PHOTO[None, :, :, None], W[:, :, None, None], np.zeros(1), padding=1)[0][0, :, :, 0]
    total = W.sum()
    image, weights, answer = figure.subplots(1, 3, width_ratios=(1.0, 0.8, 1.0))
    for ax in (image, weights, answer):
        ax.grid(False)
        ax.set(xticks=[], yticks=[])

    image.imshow(_PHOTO, cmap=CMAP, vmin=0.0, vmax=1.0)
    image.set_title("X")

    limit = max(float(np.abs(W).max()), 1e-9)
    weights.imshow(W, cmap=DIVERGING, vmin=-2.2 * limit, vmax=2.2 * limit)
    for (i, j), w in np.ndenumerate(W):
        weights.text(j, i, f"{w + 0.0:.2f}".replace("-", "−"), ha="center", va="center")
    weights.set_title(f"W, adds up to {total + 0.0:.2f}".replace("-", "−"))

    if abs(total) < 0.2:
        # The frame answers to the zeros around the image: it must not set the scale
        limit = max(float(np.abs(Y[1:-1, 1:-1]).max()), 0.1)
        answer.imshow(Y, cmap=DIVERGING, vmin=-limit, vmax=limit)
        answer.set_title("Y: changes only, white is 0")
    else:
        answer.imshow(Y, cmap=CMAP, vmin=min(0.0, total), vmax=max(0.0, total))
        answer.set_title("Y: an image again")


EXPLORER = Explorer(
    "convolution",
    draw,
    {
        "keep": Slider(-3.0, 3.0, 0.0, 0.25, "keep"),
        "blur": Slider(-3.0, 3.0, 0.0, 0.25, "blur"),
        "right": Slider(-3.0, 3.0, 1.0, 0.25, "left to right"),
        "down": Slider(-3.0, 3.0, 0.0, 0.25, "top to bottom"),
    },
    "A photograph, a kernel of three by three weights, and the photograph convolved with it; the kernel is {keep} times "
    "the centre, {blur} times the mean of all nine, {right} times the change from left to right and {down} times the "
    "change from top to bottom.",
    size=(8.4, 3.5),
)
figure, explore = EXPLORER.figure, EXPLORER.explore
