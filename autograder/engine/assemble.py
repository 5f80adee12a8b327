"""From results to the notebook that nbgrader shows, and to the record that reports read."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .ingest.timestamp import read_time
from .store.gradebook import unchanged
from .store.records import FOR_A_PERSON, NOT_ATTEMPTED, WITHOUT_SANDBOX, NotebookRecord, Record, Verdict
from .tasks import StepResult

if TYPE_CHECKING:
    from .ingest.assignment import Assignment
    from .ingest.rebuild import Rebuilt
    from .ingest.submission import Submission
    from .store.course import Course
    from .store.records import Key
    from .tasks import TaskResult


KEY = "dlcourse"
# Characters in a record: of one message, of one case, of all the student's sources. Honest ones hold a hundredth of that
MESSAGE = 20_000
PROBLEM = 4_000
SOURCES = 1_000_000


def notebook_record(rebuilt: Rebuilt, result: TaskResult | None) -> NotebookRecord:
    """The record of one notebook; `result` is its TaskResult, None where it could not be run."""
    results = result.results if result else [StepResult()] * len(rebuilt.cells)
    verdicts, answers = [], []
    asked: dict[str, tuple[str, ...]] = {}
    for cell, outcome in zip(rebuilt.cells, results, strict=True):
        if cell.master is None:
            continue
        if cell.master.solution:
            answers.append(cell.master.grade_id)
        if cell.master.by_hand or (cell.master.grade and rebuilt.problem):
            verdicts.append(_by_person(cell, rebuilt))
        elif cell.master.grade:
            judged = tuple(answers)
            if cell.master.calls:
                # A second check of an exercise judges the same answer, unless it has been asked for again
                judged = asked[cell.master.calls[0]] = judged or asked.get(cell.master.calls[0], ())
            verdicts.append(_checked(cell, outcome.verdict, judged))
            answers = []
    sources, own_cells, cut = _within(rebuilt.sources, rebuilt.own_cells)
    return NotebookRecord(
        rebuilt.master.name,
        tuple(verdicts),
        sources,
        own_cells,
        tuple(_short(note, PROBLEM) for note in (*rebuilt.notes, *cut)),
        rebuilt.problem,
    )


def _within(sources, own_cells):
    """The sources that a record keeps: beyond a size that no answer needs, those of the student's own cells go first."""
    room, kept, own = SOURCES, {}, []
    for key, source in sources.items():
        kept[key] = _short(source, room)
        room -= len(kept[key])
    for source in own_cells:
        own.append(_short(source, room))
        room -= len(own[-1])
    cut = sum(map(len, sources.values())) + sum(map(len, own_cells)) > SOURCES
    return kept, tuple(own), ("its cells are too long for the record, which keeps their beginning",) if cut else ()


def _short(text, most):
    return text if len(text) <= most else text[: max(0, most - 1)] + "…"


def _checked(cell, verdict, answers):
    """The grader's verdict with this cell's own name and worth, its points within them."""
    if verdict is None:
        raise ValueError(f"the grader gave no verdict on {cell.master.grade_id}")
    points = verdict.points
    if points is not None:
        points = min(max(float(points), 0.0), cell.master.points) if math.isfinite(points) else 0.0
    rows = tuple(dataclasses.replace(row, problem=_short(row.problem, PROBLEM)) for row in verdict.rows)
    return dataclasses.replace(
        verdict,
        message=_short(verdict.message, MESSAGE),
        rows=rows,
        grade_id=cell.master.grade_id,
        max_points=cell.master.points,
        points=points,
        answers=verdict.answers or answers,
    )


def _by_person(cell, rebuilt):
    """Of a cell that no machine judges: nbgrader gives an untouched answer 0 and leaves the others to a person."""
    master, points, verdict, message = cell.master, None, FOR_A_PERSON, ""
    if rebuilt.problem:
        points, message = 0.0, f"Not graded: {rebuilt.problem}."
        verdict = NOT_ATTEMPTED if not rebuilt.handed_in else FOR_A_PERSON
    elif master.solution and unchanged(master, rebuilt.sources.get(master.grade_id, cell.source)):
        points, verdict, message = 0.0, NOT_ATTEMPTED, "No response."
    answers = (master.grade_id,) if master.solution else ()
    return Verdict(master.grade_id, "person", master.points, points, verdict, message, answers=answers)


def record_of(
    submission: Submission,
    assignment: Assignment,
    rebuilt: Sequence[Rebuilt],
    results: dict[str, TaskResult],
    key: Key,
    isolation: str,
    graded: str,
) -> Record:
    """The record of a whole submission. results : {notebook name: TaskResult}."""
    notebooks = [notebook_record(made, results.get(made.master.name)) for made in rebuilt]
    # What was left out of the submission stands with its first notebook
    notebooks[0] = dataclasses.replace(notebooks[0], notes=(*submission.notes, *notebooks[0].notes))
    ran = list(results.values())
    needs_review = [sentence for made in rebuilt for sentence in made.needs_review]
    needs_review += [sentence for result in ran for sentence in result.needs_review]
    submitted, problem = read_time(submission.timestamp, submission.timezone)
    if problem:
        needs_review.append(problem)
    if isolation == "process":
        needs_review.append(f"{WITHOUT_SANDBOX}: its code ran with the grader's own rights")
    return Record(
        submission.student,
        assignment.name,
        key,
        tuple(notebooks),
        isolation,
        tuple(dict.fromkeys(needs_review)),
        sum(result.seconds for result in ran),
        sum(result.cpu_seconds for result in ran),
        max((result.memory_mb for result in ran), default=0.0),
        sum(result.overhead for result in ran),
        sum(result.restarts for result in ran),
        graded,
        submitted,
        next((result.limited_by for result in ran), ""),
        dict(sum((Counter(result.refused_calls) for result in ran), Counter())),
    )


def assemble(rebuilt: Rebuilt, result: TaskResult | None, record: Record, key: Key) -> dict[str, Any]:
    """The autograded notebook as nbgrader keeps it, as plain data: rebuilt cells with what they showed.

    A graded code cell's first output is its points as a float: nbgrader's own tools read the score from it.
    """
    results = result.results if result else [StepResult()] * len(rebuilt.cells)
    verdicts = {verdict.grade_id: verdict for verdict in record.verdicts}
    master, cells, count = rebuilt.master, [], 0
    ids = {cell.id for cell in master.cells}
    if rebuilt.problem:
        cells.append(_cell("markdown", f"**Not graded:** {_plain(rebuilt.problem)}.", {}))
    for cell, outcome in zip(rebuilt.cells, results, strict=True):
        metadata = {}
        if cell.master is not None:
            metadata = dict(cell.master.metadata)
            if cell.master.marks is not None:
                metadata["nbgrader"] = dict(cell.master.marks)
        made = _cell(cell.cell_type, cell.source, metadata)
        if cell.cell_type == "code":
            if cell.source.strip():
                count += 1
                made["execution_count"] = count
            verdict = verdicts.get(cell.master.grade_id) if cell.master is not None and cell.master.grade else None
            made["outputs"] = _outputs(outcome, verdict, count)
        if master.minor >= 5:
            made["id"] = cell.master.id if cell.master is not None and cell.master.id else _new_id(ids, len(cells))
        cells.append(made)
    if rebuilt.problem and master.minor >= 5:
        cells[0]["id"] = _new_id(ids, 0)
    metadata = {**master.metadata, KEY: {"key": list(key)}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": master.minor}


def _plain(text):
    return "".join(f"\\{c}" if c in r"\`*_{}[]<>()#+-.!|$&" else c for c in text)


def _cell(kind, source, metadata):
    cell = {"cell_type": kind, "metadata": metadata, "source": source}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell


def _new_id(ids, number):
    name = f"own-{number}"
    while name in ids:
        name += "-"
    ids.add(name)
    return name


def _outputs(outcome, verdict, count):
    shown = [dict(output) for output in outcome.outputs]
    for output in shown:
        if output.get("output_type") == "execute_result":
            output["execution_count"] = count
    if verdict is None or verdict.points is None:
        return shown
    value = {
        "output_type": "execute_result",
        "execution_count": count,
        "metadata": {},
        "data": {"text/plain": repr(float(verdict.points))},
    }
    outputs = [value]
    if verdict.message:
        outputs.append({"output_type": "stream", "name": "stdout", "text": verdict.message.rstrip() + "\n"})
    for output in shown:
        if output.get("output_type") == "execute_result":
            del output["execution_count"]
            output["output_type"] = "display_data"
        elif output.get("output_type") == "stream":
            output["name"] = "stdout"
        outputs.append(output)
    return outputs


# --- the autograded folder ------------------------------------------------------------------------------------------


def staged_folder(course: Course, student: str, assignment: str) -> Path:
    """Where a submission's autograded folder waits until its grades are written; nbgrader passes over hidden names."""
    folder = course.folder("autograded", student, assignment)
    return folder.with_name(f".{folder.name}.graded")


def stage(course: Course, submission: Submission, assignment: Assignment, notebooks: dict[str, dict[str, Any]]) -> None:
    """Write the autograded folder beside its place. notebooks : {name: notebook as plain data}."""
    folder = staged_folder(course, submission.student, assignment.name)
    remove(folder)
    folder.mkdir(parents=True)
    for name, notebook in notebooks.items():
        _write(folder / f"{name}.ipynb", _to_json(notebook).encode("utf-8"), course)
    for name, data in (submission.files | assignment.files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, data, course)
    for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        course.keep_private(path)


def _to_json(notebook):
    """The notebook as JSON, a line for each cell: with an indentation it would take twenty times as long."""
    cells = ",\n".join(json.dumps(cell, ensure_ascii=False, sort_keys=True) for cell in notebook["cells"])
    rest = json.dumps({**notebook, "cells": []}, ensure_ascii=False, sort_keys=True)
    return rest.replace('"cells": []', f'"cells": [\n{cells}\n]', 1) + "\n"


def _write(path, data, course):
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    course.keep_private(path)


def publish(course: Course, student: str, assignment: str) -> None:
    """Put the staged folder in its place."""
    staged, folder = staged_folder(course, student, assignment), course.folder("autograded", student, assignment)
    if not staged.exists():
        return
    old = folder.with_name(f".{folder.name}.old")
    remove(old)
    if folder.exists():
        folder.rename(old)
    staged.rename(folder)
    remove(old)


def remove(folder: Path) -> None:
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def has_key(folder: Path, notebooks: Iterable[str], key: Key) -> bool:
    """Whether the folder holds what was assembled for this very key."""
    for name in notebooks:
        path = folder / f"{name}.ipynb"
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                return False
            notebook = json.loads(path.read_text(encoding="utf-8"))
            if notebook["metadata"][KEY]["key"] != list(key):
                return False
        except (OSError, ValueError, KeyError, TypeError):
            return False
    return True
