"""A small course, a class that hands in, and a grader without a sandbox, for the tests of grading."""

import contextlib
import io
import json
import os
import re
import shutil
import time
from pathlib import Path

from autograder import build
from autograder.checks import evaluation
from autograder.engine.store.course import open_course
from autograder.engine.store.records import RIGHT, WRONG, Verdict
from autograder.engine.tasks import ASSERTS, CODE, EXERCISE, StepResult, TaskResult
from autograder.errors import EngineFault

NAME = "small"
EXERCISES = ("neurons.preactivation", "neurons.perceptron_predict")
RIGHT_ANSWERS = {
    "neurons-preactivation": "def preactivation(X, w, b):\n    return X @ w + b",
    "neurons-perceptron_predict": (
        "def perceptron_predict(X, w, b):\n    return np.where(preactivation(X, w, b) >= 0, 1, -1)"
    ),
    "double": "def double(x):\n    return 2 * x",
    "why": "Because a sum of products is a plane.",
}
HALF = RIGHT_ANSWERS | {"neurons-perceptron_predict": "def perceptron_predict(X, w, b):\n    return 0"}


def _cell(kind, source, **marks):
    from nbformat.v4 import new_code_cell, new_markdown_cell

    make = new_code_cell if kind == "code" else new_markdown_cell
    if not marks:
        return make(source)
    grade_id = marks.pop("grade_id")
    cell = make(source, metadata={"nbgrader": build.nbgrader_marks(grade_id, **marks)})
    cell.id = grade_id
    return cell


def notebook():
    """The instructor's notebook: two exercises, plain asserts with a hidden one, a written answer, a task."""
    from nbformat.v4 import new_notebook

    known = {"np"}
    cells = [
        _cell("markdown", "# A small assignment"),
        _cell("code", "import numpy as np\nfrom autograder import check\noffset = 1"),
    ]
    for name in EXERCISES:
        made = build.exercise_cells(name, known)
        known |= {name.partition(".")[2]}
        cells += made
    cells += [
        _cell(
            "code",
            "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION",
            grade_id="double",
            solution=True,
        ),
        _cell(
            "code",
            "assert double(2) == 4\n### BEGIN HIDDEN TESTS\nassert double(3) == 6\n### END HIDDEN TESTS",
            grade_id="double-test",
            grade=True,
            locked=True,
            points=3,
        ),
        _cell("markdown", "It is so.", grade_id="why", grade=True, solution=True, points=2),
        _cell("markdown", "Draw something.", grade_id="draw", locked=True, task=True, points=1),
    ]
    made = new_notebook(cells=cells, metadata={"kernelspec": build.KERNEL, "language_info": {"name": "python"}})
    for place, cell in enumerate(made.cells):
        if "nbgrader" not in cell.metadata:
            cell.id = f"plain-{place}"
    return made


def make_course(folder, config=""):
    """A course directory with the assignment released, and a text file beside it."""
    import nbformat

    folder = Path(folder)
    source = folder / "source" / NAME
    source.mkdir(parents=True)
    shutil.copy(build.COURSE / "nbgrader_config.py", folder)
    if config:
        with (folder / "nbgrader_config.py").open("a") as file:
            file.write(config)
    nbformat.write(notebook(), source / f"{NAME}.ipynb")
    (source / "data.txt").write_text("1 2 3\n")
    build.generate(folder, [NAME])
    # Makes the secret, which copies of the course then share
    open_course(folder)
    return folder


def released(folder, name=NAME):
    return json.loads((Path(folder) / "release" / name / f"{name}.ipynb").read_text())


def answered(folder, answers):
    """The released notebook with these answers, {grade_id: source}, as plain data."""
    made = released(folder)
    for cell in made["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id in answers:
            cell["source"] = answers[grade_id]
    return made


def hand_in(folder, student, made, timestamp="", name=NAME):
    """Put a notebook (data, text or bytes) where nbgrader collects it; returns its folder."""
    target = Path(folder) / "submitted" / student / NAME
    target.mkdir(parents=True, exist_ok=True)
    if isinstance(made, dict):
        made = json.dumps(made)
    if isinstance(made, str):
        made = made.encode()
    (target / f"{name}.ipynb").write_bytes(made)
    if timestamp:
        (target / "timestamp.txt").write_text(timestamp)
    return target


class FakeGrader:
    """Grades by running everything in this process: quick, and no sandbox at all. For the tests' own answers only.

    A cell that says `engine_fault` makes the machine fail; `worker_dies PATH` ends the process, unless PATH exists
    (the first time then makes it; /always never does).
    """

    def __init__(self, settings=None):
        self.settings = settings

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def warm(self, names):
        pass

    def grade(self, task):
        begun = time.perf_counter()
        names, results = {}, []
        for step in task.steps:
            results.append(self._step(step, names, task.seed))
        return TaskResult(tuple(results), seconds=time.perf_counter() - begun, cpu_seconds=0.01, memory_mb=100.0)

    def _step(self, step, names, seed):
        if "engine_fault" in step.source:
            raise EngineFault("the machine failed")
        deadly = re.search(r"worker_dies (\S+)", step.source)
        if deadly and not Path(deadly[1]).exists():
            if deadly[1] != "/always":
                Path(deadly[1]).touch()
            os._exit(1)
        if step.kind == EXERCISE:
            name, functions = step.calls
            given = [names.get(function) for function in functions]
            result = evaluation.evaluate(name, *given, seed=seed)
            rows = result.rows
            verdict = RIGHT if result.passed else WRONG
            points = round(result.score * step.points, 2)
            return StepResult(
                verdict=Verdict(step.grade_id, "outside", step.points, points, verdict, result.message, name, rows=rows)
            )
        if step.kind not in (CODE, ASSERTS):
            return StepResult()
        error, shown = "", io.StringIO()
        with contextlib.redirect_stdout(shown):
            try:
                exec("\n".join(line for line in step.source.splitlines() if "check" not in line), names)
            except Exception as problem:
                error = f"{type(problem).__name__}: {problem}"
        outputs = ({"output_type": "stream", "name": "stdout", "text": shown.getvalue()},) if shown.getvalue() else ()
        if step.kind == CODE:
            return StepResult(outputs, error)
        points = 0.0 if error else step.points
        verdict = WRONG if error else RIGHT
        return StepResult(outputs, error, verdict=Verdict(step.grade_id, "in-process", step.points, points, verdict))


class Unhurried(FakeGrader):
    """Takes its time, so that something can happen meanwhile."""

    def grade(self, task):
        time.sleep(0.3)
        return super().grade(task)


def eventually(condition, seconds=60.0):
    """Wait until something is so; whether it came to be."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def grades(folder):
    """{(student, cell): (auto, manual, extra, needs a person)} and the comments and penalties of a gradebook."""
    from sqlalchemy import create_engine, text

    engine = create_engine(open_course(folder).db_url)
    with engine.connect() as db:
        rows = db.execute(
            text(
                "select s.student_id, b.name, g.auto_score, g.manual_score, g.extra_credit, g.needs_manual_grade "
                "from grade g join base_cell b on b.id = g.cell_id join submitted_notebook n on n.id = g.notebook_id "
                "join submitted_assignment s on s.id = n.assignment_id"
            )
        )
        scores = {(row[0], row[1]): (*row[2:5], bool(row[5])) for row in rows}
        rows = db.execute(
            text(
                "select s.student_id, b.name, c.auto_comment, c.manual_comment "
                "from comment c join base_cell b on b.id = c.cell_id join submitted_notebook n on n.id = c.notebook_id "
                "join submitted_assignment s on s.id = n.assignment_id"
            )
        )
        comments = {(row[0], row[1]): tuple(row[2:]) for row in rows}
        rows = db.execute(
            text(
                "select s.student_id, n.late_submission_penalty, s.timestamp "
                "from submitted_notebook n join submitted_assignment s on s.id = n.assignment_id"
            )
        )
        penalties = {row[0]: (row[1], str(row[2])) for row in rows}
    engine.dispose()
    return scores, comments, penalties
