"""Hostile and broken submissions, as data: what each hands in, what it is worth, what is said about it.

    python -m tests.attacks             grades all of them and prints the table, ours beside plain nbgrader's
    python -m tests.attacks --plain     grades them by plain `nbgrader autograde` too, walled in, and stores that

An attacker here knows everything about the machine: `@COURSE@`, `@SAFE@` and `@PORT@` in a source stand for the
course directory, for a folder that nobody may touch and for a port that listens on this machine.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from .assignment import ANSWERS, ASSIGNMENT, POINTS, cell_of, filled

THEMES = {
    "files": "Broken and forged files",
    "cells": "Cells moved, changed, missing",
    "cheating": "Cheating the checks",
    "searching": "Searching for what is secret",
    "escaping": "Reaching out of the sandbox",
    "breaking": "Crashes and endless loops",
    "flooding": "Using up the machine",
    "showing": "What is shown to people",
}


@dataclass(frozen=True)
class Scene:
    """Where an attack takes place: the course directory, a folder to be left alone, a listening port."""

    course: Path
    safe: Path
    port: int

    def fill(self, text):
        for name, value in (("@COURSE@", self.course), ("@SAFE@", self.safe), ("@PORT@", self.port)):
            text = text.replace(name, str(value))
        return text


@dataclass(frozen=True)
class Attack:
    """One submission. Whatever it does not say is honest and right.

    slug, what : its name, and what it does in one line.
    cells : {answer: source}; the answers are those of `assignment.ANSWERS`.
    own : ((answer, source), …): cells of the student's own, each before the cell of that answer.
    edit : changes the notebook (notebook, scene).
    raw : what is written instead of the notebook's JSON: text -> bytes.
    place : writes the submission's files by itself: (folder, text, scene).
    beside : {relative name: bytes} of files that lie beside the notebook.
    student : the name of the submission's folder.
    loses : the checks that earn nothing, or {check: points} of what they earn; every other check earns all.
    verdict : of the checks that do not earn all, as `autograder.engine.store.records` names them: one for all, or {check: verdict};
        None where the submission is refused as a whole.
    says : words that stand in a message, a note or a reason for a person; of a tuple, one of them.
    seconds : how long grading may take, in all: on a busy machine no longer than the limit of a whole notebook.
    endless : whether a part that loses nothing goes on until it is stopped; where something is out of time, one does.
    worth : what the honest parts deserve, where the engine gives another score; `limit` then says why.
    limit : what the engine does not prevent, in one sentence. leaks : what such an attack gets to see.
    """

    slug: str
    what: str
    cells: dict = field(default_factory=dict)
    own: tuple = ()
    edit: Callable | None = None
    raw: Callable | None = None
    place: Callable | None = None
    beside: dict = field(default_factory=dict)
    student: str = ""
    loses: Any = ()
    verdict: Any = "wrong"
    says: str | tuple[str, ...] = ""
    seconds: float = 60.0
    endless: bool = False
    worth: float | None = None
    limit: str = ""
    leaks: tuple = ()
    theme: str = ""

    @property
    def folder(self):
        """The submission's folder, which is the student's name."""
        return self.student or self.slug.replace("_", "-")

    @property
    def score(self):
        """What the engine gives."""
        lost = self.loses if isinstance(self.loses, dict) else dict.fromkeys(self.loses, 0.0)
        return sum(lost.get(check, points) for check, points in POINTS.items())

    @property
    def deserved(self):
        """What the honest parts are worth."""
        return self.score if self.worth is None else self.worth

    @property
    def expected_verdicts(self):
        """{check: verdict}; none at all where the submission is refused."""
        if self.verdict is None:
            return {}
        lost = dict.fromkeys(self.loses, self.verdict)
        if isinstance(self.verdict, dict):
            lost = {check: self.verdict[check] for check in self.loses}
        return dict.fromkeys(POINTS, "right") | lost

    @property
    def out_of_time(self):
        """Whether something in it goes on until its time is over."""
        verdicts = [one if isinstance(one, tuple) else (one,) for one in self.expected_verdicts.values()]
        return self.endless or "out of time" in sum(verdicts, ())

    def write(self, scene, released):
        """Hand it in: the submission's folder under `scene.course`; returns it."""
        folder = scene.course / "submitted" / self.folder / ASSIGNMENT
        folder.mkdir(parents=True)
        notebook = filled(released, {name: scene.fill(source) for name, source in self.cells.items()})
        for before, source in self.own:
            place = notebook["cells"].index(cell_of(notebook, before))
            notebook["cells"].insert(place, own_cell(scene.fill(source), f"own-{place}"))
        if self.edit is not None:
            self.edit(notebook, scene)
        text = json.dumps(notebook, indent=1)
        if self.place is not None:
            self.place(folder, text, scene)
        else:
            data = text.encode() if self.raw is None else self.raw(text)
            (folder / f"{ASSIGNMENT}.ipynb").write_bytes(data)
        for name, content in self.beside.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder


def own_cell(source, cell_id):
    """A code cell that the student added."""
    return {
        "cell_type": "code",
        "id": cell_id,
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def all_attacks():
    """Every attack, in the order of the themes."""
    from dataclasses import replace

    found = [
        replace(attack, theme=theme) for theme in THEMES for attack in import_module(f"{__name__}.{theme}").ATTACKS
    ]
    slugs = [attack.slug for attack in found]
    assert len(set(slugs)) == len(slugs), "two attacks of one name"
    assert all(name in ANSWERS for attack in found for name in attack.cells), "an attack on an answer that is not asked"
    return found
