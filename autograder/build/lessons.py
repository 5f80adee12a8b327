"""Lessons: a text source is executed, and the notebook is brought into a form that is the same on every machine."""

import base64
import io
import os
import re

import numpy as np

from ..checks.effort import LINE, reading
from . import sources
from .sources import lesson_name, read_source

CELL_SECONDS = 120
# Code, formulas and links stay as they are; an erratum's number elsewhere becomes a link to the page of the notes
_ERRATUM = re.compile(r"(`[^`]*`|\$[^$]*\$|\[[^\]]*\]\([^)]*\))|\bE(\d\d)\b")


# The site knows the tags, JupyterLab the metadata: code that only draws, and what a prediction is about
_FOLDED = {"hide-input": "source_hidden", "hide-output": "outputs_hidden"}


def read_lesson(slug):
    """A lesson's source as a notebook that is not executed yet: slips linked, cells folded that ask for it."""
    notebook = read_source(sources.LESSONS / "source" / f"{lesson_name(slug)}.md")
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = _ERRATUM.sub(lambda found: found[1] or f"[E{found[2]}](notes.md#E{found[2]})", cell.source)
        else:
            folded = {_FOLDED[tag]: True for tag in cell.metadata.get("tags", []) if tag in _FOLDED}
            if folded:
                cell.metadata["jupyter"] = folded
    return notebook


# What is looked at, read as code, answered or moved by hand
_SECONDS = {"line of code": LINE, "picture": 20, "output": 5, "question": 45, "explorer": 180}


def reading_minutes(slug):
    """How long a lesson takes to read and to play with, counted from its words and cells."""
    found, text = dict.fromkeys(_SECONDS, 0), 0.0
    for cell in read_lesson(slug).cells:
        if cell.cell_type == "markdown":
            text += reading(cell.source)
        elif cell.source.startswith(("predict(", "question(")):
            found["question"] += 1
        elif "explore(" in cell.source:
            found["explorer"] += 1
        else:
            if not cell.metadata.get("jupyter", {}).get("source_hidden"):
                found["line of code"] += sum(bool(line.strip()) for line in cell.source.splitlines())
            found["picture" if "show(" in cell.source else "output"] += 1
    return (text + sum(_SECONDS[kind] * count for kind, count in found.items())) / 60


def one_thread():
    """Let BLAS use one thread in every kernel that is started from here: on small matrices more threads only wait."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def build_lesson(slug):
    """Execute one lesson and write its notebook; returns the path."""
    import nbformat
    from nbclient import NotebookClient

    one_thread()
    name = lesson_name(slug)
    notebook = read_lesson(slug)
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(sources.LESSONS)}},
        store_widget_state=False,
        coalesce_streams=True,
        # ipykernel warns at every start that local sockets are not encrypted
        extra_arguments=["--IPKernelApp.log_level=40"],
    )
    client.execute()
    normalise(notebook)
    path = sources.LESSONS / f"{name}.ipynb"
    nbformat.write(notebook, path)
    if slug == FRONT:
        _front_picture().write_bytes(_explorer_picture())
    return path


# The first thing that a visitor sees: the explorer of this topic, on the README and on the site's front page
FRONT = "neurons"


def _front_picture():
    return sources.ROOT / "docs" / f"{FRONT}.png"


def _explorer_picture():
    from dlcourse.explorers import neurons

    data, _ = neurons.figure()._repr_mimebundle_()
    return base64.b64decode(data["image/png"])


def _pixels(content):
    import PIL.Image

    return np.asarray(PIL.Image.open(io.BytesIO(content)).convert("RGB"), dtype=int)


def normalise(notebook):
    """Take out what changes from run to run: timestamps, widget state, views of widgets that no longer live."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            for key in [key for key in data if key.startswith("application/vnd.jupyter.widget")]:
                del data[key]
        if "outputs" in cell:
            # Nothing is left of an output that was a view only
            cell.outputs = [output for output in cell.outputs if output.get("data", True)]


def check_lesson(slug):
    """What is wrong with a built lesson, as a list of sentences."""
    import nbformat

    name = lesson_name(slug)
    path = sources.LESSONS / f"{name}.ipynb"
    if not path.exists():
        return [f"{name}.ipynb is missing; run: python -m autograder.build lessons {slug}"]
    built, wanted = nbformat.read(path, as_version=4), read_lesson(slug)
    found = []
    again = f"run: python -m autograder.build lessons {slug}"
    if slug == FRONT:
        old, new = (_pixels(content) for content in (_front_picture().read_bytes(), _explorer_picture()))
        # The last bits of a curve may move a pixel of an edge by a shade
        if old.shape != new.shape or np.mean(np.abs(old - new) > 8) > 0.01:
            found.append(f"docs/{FRONT}.png is not the explorer's picture; {again}")
    if [(cell.id, cell.cell_type, cell.source) for cell in built.cells] != [
        (cell.id, cell.cell_type, cell.source) for cell in wanted.cells
    ]:
        found.append(f"{name}.ipynb is not what {name}.md says; {again}")
    code = [cell for cell in built.cells if cell.cell_type == "code" and cell.source.strip()]
    counts = [cell.execution_count for cell in code]
    if counts != list(range(1, len(code) + 1)):
        found.append(
            f"{name}.ipynb was not executed from top to bottom (a cell without a count is never compared); {again}"
        )
    if "widgets" in built.metadata or any("execution" in cell.metadata for cell in built.cells):
        found.append(f"{name}.ipynb holds widget state or timestamps; {again}")
    for cell in code:
        for output in cell.outputs:
            if "image/png" in output.get("data", {}) and not output.metadata.get("image/png", {}).get("alt"):
                line = cell.source.strip().split("\n")[-1]
                found.append(
                    f'{name}.ipynb: the picture of `{line}` has no alternative text; show(figure, "what it shows")'
                )
    if any(
        output.output_type == "error"
        for cell in code
        for output in cell.outputs
        if "raises-exception" not in cell.metadata.get("tags", [])
    ):
        found.append(f"{name}.ipynb holds an error; {again}")
    return found
