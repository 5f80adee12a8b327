"""The start page of a student's folder, `start.ipynb`: the lessons with times and ticks, the assignments with points.

Its table is the stored output of one cell, so it is there before anything runs; run, the cell shows the points of now and
boxes to tick the lessons that are done.
"""

import json
import re
from dataclasses import dataclass
from functools import cache

import dlcourse

from . import drill, places, progress
from .progress import write_whole

__all__ = ["Lesson", "catalogue", "refresh", "show", "table"]

NAME = "start.ipynb"
_CELL = "where-you-are"
_TITLE = "# Deep learning: where you are\n\n"
_GUIDE = (
    "Read a lesson, run its cells, then write its assignment: every exercise has a check below it that tells at once "
    "whether the answer is right and, if not, what to look at. Points are those of your checks; nothing is handed in by "
    "them.\n\nRun the cell below (Shift+Enter) to see your points as they are now, and to tick lessons."
)
_CODE = "from autograder import start_page\n\nstart_page.show()"


@dataclass(frozen=True)
class Lesson:
    """A row of the table.

    slug : the topic. title : the lesson's heading. minutes : how long it takes. notebook : its path in the student's folder.
    assignment : that of its assignment, "" where there is none. exercises : {name: points} of the assignment's checks.
    work : minutes of the assignment, as its cover says.
    """

    slug: str
    title: str
    minutes: int
    notebook: str
    assignment: str
    exercises: dict
    work: int = 0

    @property
    def max_points(self):
        return sum(self.exercises.values())

    def points(self, kept):
        """Points so far in the assignment."""
        standings = (kept.exercises.get(name) for name in self.exercises)
        return round(sum(min(one.points, one.max_points) for one in standings if one), 2)

    def next_exercise(self, kept):
        """The first exercise that is not right yet and not optional, "" if there is none."""
        needed = (name for name, points in self.exercises.items() if points)
        return next((name for name in needed if name not in kept.exercises or not kept.exercises[name].passed), "")


@cache
def catalogue():
    """The course's lessons in order, as they are laid out in a student's folder."""
    place = places.find()
    found = []
    for path in sorted(place.lessons.glob("[0-9]*.ipynb")):
        slug = path.stem.partition("_")[2]
        text = _text(path)
        title = re.search(r"^# (.+)$", text, re.M)
        released = place.course / "release" / slug / f"{slug}.ipynb"
        found.append(
            Lesson(
                slug,
                title[1] if title else slug,
                _minutes(text),
                f"lessons/{path.name}",
                f"assignments/{slug}/{slug}.ipynb" if slug in dlcourse.TOPICS and released.is_file() else "",
                _exercises(released) if released.is_file() else {},
                _minutes(_text(released)) if released.is_file() else 0,
            )
        )
    return tuple(found)


def _text(path):
    return "\n".join("".join(cell["source"]) for cell in _cells(path) if cell["cell_type"] == "markdown")


def _minutes(text):
    """How long a notebook takes, as its cover says."""
    found = re.search(r"\bAbout (\d+) minutes", text)
    return int(found[1]) if found else 0


def _cells(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def _exercises(path):
    """{name: points} of the checks in a released notebook."""
    found = {}
    for cell in _cells(path):
        marks = cell["metadata"].get("nbgrader", {})
        call = re.search(r"^check\(['\"]([\w.]+)['\"]", "".join(cell["source"]), re.M)
        if cell["cell_type"] == "code" and marks.get("grade") and call:
            found[call[1]] = marks["points"]
    return found


def table(kept):
    """The state in `kept` (a `progress.Progress`) as a Markdown table, with links into the student's folder."""
    # A column more as soon as something was practised
    practised, due = drill.mastery(kept.path.parent), drill.due(kept.path.parent)
    rows = ["| | lesson | time | assignment | points so far |", "|:-:|:--|--:|:--|--:|"]
    if practised:
        rows = [rows[0] + " practised |", rows[1] + "--:|"]
    for one in catalogue():
        tick = "✓" if one.slug in kept.lessons else "○"
        assignment, points = "", ""
        if one.assignment:
            done = "" if one.next_exercise(kept) else "✓ "
            assignment = f"[{done}{len(one.exercises)} exercises]({one.assignment}), {one.work} min"
            points = f"{one.points(kept):g} of {one.max_points:g}"
        row = f"| {tick} | [{one.title}]({one.notebook}) | {one.minutes} min | {assignment} | {points} |"
        if practised:
            waits = f", {due[one.slug]} due" if due.get(one.slug) else ""
            row += " {} of {}{} |".format(*practised[one.slug], waits) if one.slug in practised else " |"
        rows.append(row)
    total, best = sum(one.points(kept) for one in catalogue()), sum(one.max_points for one in catalogue())
    rows.append(f"| | | | **all assignments** | **{total:g} of {best:g}** |" + " |" * bool(practised))
    return "\n".join(rows)


def template():
    """The start page before anything was reached, as the bytes of a notebook."""

    def cell(kind, name, source, **more):
        return {"cell_type": kind, "id": name, "metadata": {}, "source": source.splitlines(keepends=True), **more}

    notebook = {
        "cells": [
            cell("markdown", "what-this-is", _TITLE + _GUIDE),
            cell("code", _CELL, _CODE, execution_count=None, outputs=[]),
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


def refresh(folder):
    """Write the points of now into the start page of a student's folder; what else stands there is left alone.

    Returns whether there is such a page.
    """
    path = folder / NAME
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cell = next(cell for cell in notebook["cells"] if cell.get("id") == _CELL and cell["cell_type"] == "code")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration):
        # The student's own page by now
        return False
    text = table(progress.load(folder))
    data = {"text/markdown": text, "text/plain": _plain(text)}
    outputs = [{"output_type": "display_data", "data": data, "metadata": {}}]
    if cell["outputs"] != outputs:
        cell["outputs"], cell["execution_count"] = outputs, None
        write_whole(path, (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode())
    return True


def _plain(text):
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).replace("**", "")


def show():
    """Show the table as it is now; where widgets are there, with a box for each lesson that ticks it."""
    from IPython.display import display

    kept = progress.load()
    shown = display(_Table(kept), display_id=True)
    if kept.problem:
        print(kept.problem)
    try:
        import ipywidgets
    except ImportError:
        return

    def tick(change):
        shown.update(_Table(progress.mark_lesson(change["owner"].slug, change["new"])))

    boxes = []
    for one in catalogue():
        box = ipywidgets.Checkbox(one.slug in kept.lessons, description=one.title, indent=False)
        box.slug = one.slug
        box.observe(tick, "value")
        boxes.append(box)
    layout = ipywidgets.Layout(grid_template_columns="repeat(auto-fill, 15em)")
    title = ipywidgets.HTML("Lessons that you have worked through:")
    display(ipywidgets.VBox([title, ipywidgets.GridBox(boxes, layout=layout)]))


class _Table:
    """The table as Markdown in a notebook, as text elsewhere."""

    def __init__(self, kept):
        self.text = table(kept)

    def _repr_markdown_(self):
        return self.text

    def __repr__(self):
        return _plain(self.text)
