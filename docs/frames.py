"""The explorers on the site: for each of them frames along its main control, drawn when the site is built.

    python docs/frames.py        draws what is missing in `_build/explorers`, with every core

A folder there is named by a hash of all that its frames are made from, so nothing is drawn twice, and a browser that has
seen an older site never mixes old frames with new ones.
"""

import hashlib
import importlib
import io
import json
import os
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path

import PIL.Image
import PIL.ImageOps

import dlcourse
from dlcourse.explorers import DPI, Toggle, png

# A part of the site's static files, as it lies there
STATIC = Path(__file__).resolve().parent / "_build" / "explorers"
CACHE = STATIC / "frames"
PACKAGE = Path(dlcourse.__file__).parent

# The control that moves on the page, with its values: the one that the lesson's first question is about. The control's own
# value is among them; the page begins with it
MAIN = {
    "activations": ("x", [-3.5 + 0.5 * k for k in range(15)]),
    "attention": ("strength", [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0]),
    "backpropagation": ("step", [0, 10, 20, 30, 40, 60, 80, 110, 150, 190, 240]),
    "convolution": ("place", [*range(25)]),
    "graph": ("step", [*range(4)]),
    "hinges": ("units", [*range(1, 17)]),
    "initializers": ("gain", [0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.7, 2.0, 3.0]),
    "layers": ("step", [0, 2, 4, 6, 8, 10, 14, 20, 28, 40, 56, 76, 100]),
    "momentum": ("gamma", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.8, 0.9, 0.95, 0.98]),
    "neurons": ("angle", [*range(-160, 181, 25)]),
    "normalization": ("batch_size", [2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128]),
    "optimizers": ("step", [0, 2, 4, 6, 9, 12, 16, 20, 24, 30, 40, 60, 100, 200]),
    "recurrent": ("keep", [float(k) for k in range(-3, 9)]),
    "regularization": ("step", [0, 10, 20, 30, 50, 75, 100, 150, 200, 300, 400, 500, 600]),
    "training": ("log_lr", [-4.0 + 0.5 * k for k in range(11)]),
}
# What stands for the lesson on the map of the course, where it is not the first axes as it is at first: axes, parameters
FACE = {
    "attention": (0, {"head": "every word asks for the one before", "strength": 2.0}),
    "graph": (0, {"example": "σ(wᵀx + b)"}),
    "initializers": (1, {"gain": 1.4}),
    "optimizers": (0, {"step": 200}),
    "recurrent": (1, {"keep": 5.0}),
}


def explorer(name):
    return importlib.import_module(f"dlcourse.explorers.{name}").EXPLORER


def digest(name):
    """A hash of what the frames depend on: the package without the other explorers, its data, this file, the libraries."""
    found = hashlib.sha256(" ".join(version(one) for one in ("numpy", "matplotlib", "pillow")).encode())
    for path in [Path(__file__), *sorted(PACKAGE.rglob("*.py")), *sorted((PACKAGE / "data").iterdir())]:
        other = path.parent.name == "explorers" and not path.stem.startswith("_") and path.stem != name
        if not other:
            found.update(path.read_bytes())
    return found.hexdigest()[:12]


def folder(name):
    return CACHE / f"{name}-{digest(name)}"


def manifest(name):
    """What a page has to know of an explorer whose frames are drawn."""
    return json.loads((folder(name) / "frames.json").read_text(encoding="utf-8"))


def words(value, control=None):
    """A control's value as it is shown."""
    if isinstance(control, Toggle):
        return "on" if value else "off"
    return value if isinstance(value, str) else f"{value:g}".replace("-", "−")


def draw(name):
    """Draw the frames of one explorer into its folder."""
    made, (parameter, values) = explorer(name), MAIN[name]
    start = made.parameters({})
    shown, frames = made.explore(), []
    CACHE.mkdir(parents=True, exist_ok=True)
    here = Path(tempfile.mkdtemp(dir=CACHE))
    for k, value in enumerate(values):
        shown.parameters = made.parameters({parameter: value})
        image = PIL.Image.open(io.BytesIO(shown.redraw(fine=True)))
        # A palette of 128 is a quarter of the bytes of full colour, and no eye sees the difference in a plot
        image = image.convert("RGB").quantize(128, dither=PIL.Image.Dither.NONE).convert("RGB")
        image.save(here / f"{k:02}.webp", lossless=True)
        frames.append({"file": f"{k:02}.webp", "value": words(value), "alt": shown.alt})
    axes, given = FACE.get(name, (0, {}))
    face(made.figure(**given), axes).save(here / "face.webp", quality=80)
    about = {
        "name": name,
        "folder": folder(name).name,
        "label": made.controls[parameter].label,
        "start": values.index(start[parameter]),
        "width": round(made.size[0] * DPI),
        "height": round(made.size[1] * DPI),
        "frames": frames,
        "rest": [
            [control.label, words(start[other], control)]
            for other, control in made.controls.items()
            if other != parameter
        ],
    }
    (here / "frames.json").write_text(json.dumps(about), encoding="utf-8")
    here.chmod(0o755)
    try:
        here.rename(folder(name))
    except OSError:
        # Another build has drawn them meanwhile
        shutil.rmtree(here)


def face(figure, axes):
    """The middle of one of the figure's axes as a small square, without words and lines around it."""
    shown = figure.axes[axes]
    for words in [*shown.texts, *filter(None, [shown.get_legend()])]:
        words.remove()
    shown.set_axis_off()
    image = PIL.Image.open(io.BytesIO(png(figure)))
    (left, low), (right, high) = shown.bbox.get_points().round().astype(int)
    drawn = image.crop((left, image.height - high, right, image.height - low))
    drawn = drawn.crop(PIL.ImageOps.invert(drawn).getbbox())
    return PIL.ImageOps.fit(drawn, (176, 176), PIL.Image.Resampling.LANCZOS)


def main():
    missing = [name for name in MAIN if not (folder(name) / "frames.json").exists()]
    if missing:
        with ProcessPoolExecutor(min(os.cpu_count() or 1, len(missing))) as pool:
            list(pool.map(draw, missing))
    used = {folder(name).name for name in MAIN}
    for path in CACHE.iterdir():
        # What begins otherwise is being drawn by another build
        if path.name not in used and path.name.rpartition("-")[0] in MAIN:
            shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    main()
