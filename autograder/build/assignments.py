"""Assignments: a text source is filled with its exercises, and nbgrader makes the students' version."""

import ast
import builtins
import contextlib
import hashlib
import inspect
import io
import json
import re
import shutil
import tempfile
from pathlib import Path

from ..checks import effort, registry
from ..checks.exercise import HUNT, exercises_of, get_exercise
from ..checks.result import listed
from ..checks.solution import assigned, shown_code, solution_parts
from ..engine.store.gradebook import alembic_on_path
from ..errors import BuildError, CourseError
from .sources import COURSE, assignment_source, read_source


def defined_names(code):
    """The names that a cell's code defines at its top level."""
    names = set()
    with contextlib.suppress(SyntaxError):
        for node in ast.parse(code).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
            elif isinstance(node, ast.Assign):
                names |= {leaf.id for target in node.targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name)}
    return names


def _imports_for(function, body, known):
    """Import lines for the course's names that the solution uses and the notebook does not have yet."""
    used = {node.id for node in ast.walk(ast.parse("if True:\n" + body)) if isinstance(node, ast.Name)}
    lines = []
    for name in sorted(used - known - set(dir(builtins)) - {"np", function.__name__}):
        value = function.__globals__.get(name)
        if value is None:
            continue
        if inspect.ismodule(value):
            package, _, module = value.__name__.rpartition(".")
            alias = "" if module == name else f" as {name}"
            lines.append(f"    from {package} import {module}{alias}" if package else f"    import {module}{alias}")
            continue
        home = getattr(value, "__module__", None) if hasattr(value, "__qualname__") else function.__module__
        if registry.holds_exercises(home or "") and not home.startswith("autograder."):
            raise BuildError(
                f"the solution {function.__name__} uses {name} of its file, which no notebook can import: write it inside the function"
            )
        lines.append(f"    from {home} import {name}")
    return lines


def exercise_cells(name, known):
    """The cells of one exercise: what it is worth and its hints, the answer with its solution, the locked check."""
    from nbformat.v4 import new_code_cell, new_markdown_cell

    exercise = get_exercise(name)
    points = f"{exercise.points:g} point{'s' * (exercise.points != 1)}" if exercise.points else "Optional, no points"
    takes = effort.minutes(exercise)
    text = f"**{points}, about {takes} minute{'s' * (takes != 1)}.** {exercise.why}\n"
    scale = exercise.scale()
    text += f"\n{scale}\n" if scale else ""
    text += "".join(_scale_in_words(part, one) for part, one in exercise.scales.items())
    if exercise.seconds:
        text += f"\nYour function has {exercise.seconds:g} seconds for each case.\n"
    for number, hint in enumerate(exercise.hints, 1):
        text += f"\n<details><summary>Hint {number}</summary>\n\n{hint}\n\n</details>\n"
    grade_id = exercise.grade_id
    answers = [
        _data_cell(exercise, name_of_data, value)
        for name_of_data, value in zip(exercise.data, exercise.answers, strict=False)
    ]
    answers += [
        new_code_cell(source, id=_cell_id(cell_id), metadata={"nbgrader": nbgrader_marks(cell_id, solution=True)})
        for cell_id, source in (_planted_answer(exercise) if exercise.planted else _answers(exercise, known))
    ]
    call = f'check("{name}"' + "".join(f", {one}" for one in exercise.function_names if not exercise.data)
    test = (
        f"# Checks {listed(exercise.answer_names)}{_compared_with(exercise)}\n"
        f"{call})\n### BEGIN HIDDEN TESTS\n{call}, hidden=True)\n### END HIDDEN TESTS"
    )
    locked = new_code_cell(
        test,
        metadata={
            "nbgrader": nbgrader_marks(f"{grade_id}-check", grade=True, locked=True, points=exercise.points),
            # "Run All" goes on after an exercise that is not right yet
            "tags": ["raises-exception"],
        },
    )
    locked.id = _cell_id(f"{grade_id}-check")
    intro = new_markdown_cell(text.rstrip())
    intro.id = _cell_id(f"{grade_id}-intro")
    return [intro, *answers, locked]


def _data_cell(exercise, name, value):
    """The answer cell of a variable: what is asked as a comment, its value as the solution."""
    from nbformat.v4 import new_code_cell

    comment = "\n".join(f"# {line}" for line in exercise.told.splitlines())
    source = f"{comment}\n### BEGIN SOLUTION\n{assigned(name, value)}\n### END SOLUTION"
    grade_id = exercise.grade_id if len(exercise.answers) == 1 else f"{exercise.grade_id}-{name}"
    # As it is released it raises, and "Run All" goes on
    metadata = {"nbgrader": nbgrader_marks(grade_id, solution=True), "tags": ["raises-exception"]}
    cell = new_code_cell(source, metadata=metadata)
    cell.id = _cell_id(grade_id)
    return cell


def _compared_with(exercise):
    if exercise.kind == HUNT:
        return " against the known mistakes; grading does the same."
    return " on the cases of this exercise; grading uses other numbers."


def _scale_in_words(part, scale):
    """The published scale of a part, as a paragraph."""
    where, text = f", {part}" if part else "", str(scale)
    return f"\n**How it earns{where}.** {text[0].upper()}{text[1:]}. The mean over all cases counts.\n"


def _answers(exercise, known):
    """(grade_id, source) of an answer cell for each function."""
    for function, shown in zip(exercise.functions, exercise.solutions, strict=True):
        head, body = solution_parts(function, shown)
        imports = _imports_for(shown, body, known | set(exercise.function_names))
        solution = "\n".join([*imports, body])
        suffix = "" if len(exercise.answers) == 1 else "-" + function.__name__.rsplit("_", 1)[-1]
        yield exercise.grade_id + suffix, f"{head}\n    ### BEGIN SOLUTION\n{solution}\n    ### END SOLUTION"


def _planted_answer(exercise):
    """(grade_id, source) of a repair's one cell: the functions with what is planted in them, lines numbered, then `places`.

    The solution that nbgrader takes out is the body of `places` with the mended functions behind it, which replace the others.
    """
    given, mended = [], []
    for function, shown, planted in zip(
        exercise.functions, exercise.solutions, exercise.planted_functions, strict=True
    ):
        head, body = solution_parts(function, shown)
        if function is exercise.functions[-1]:
            made = "\n\n\n".join([body, *mended])
            given.append(f"{head}\n    ### BEGIN SOLUTION\n{made}\n    ### END SOLUTION")
            continue
        wide = max(map(len, shown_code(planted).splitlines()[1:])) + 2
        lines = [f"{line:<{wide}}# {number}" for number, line in enumerate(shown_code(planted).splitlines()[1:], 1)]
        given.append("\n".join([head, *lines]))
        mended.append(f"{head}\n{body}")
    return [(exercise.grade_id, "\n\n\n".join(given))]


def nbgrader_marks(grade_id, grade=False, locked=False, solution=False, task=False, points=None):
    fields = {
        "grade": grade,
        "grade_id": grade_id,
        "locked": locked,
        "schema_version": 3,
        "solution": solution,
        "task": task,
    }
    return fields if points is None else fields | {"points": points}


def _cell_id(grade_id):
    """At most 64 letters, digits and dashes, as the notebook format wants it."""
    clean = re.sub(r"[^A-Za-z0-9-]", "-", grade_id)
    return clean if len(clean) <= 60 else clean[:47] + "-" + hashlib.sha256(grade_id.encode()).hexdigest()[:12]


def instructor_notebook(slug, source=None):
    """The assignment with its solutions, from the text `source`; default: the course's, which asks every exercise."""
    path = source or assignment_source(slug)
    notebook = filled(read_source(path), path.name)
    asked = {cell.metadata.nbgrader.grade_id for cell in notebook.cells if "nbgrader" in cell.metadata}
    missing = [name for name, one in exercises_of(slug).items() if f"{one.grade_id}-check" not in asked]
    if missing and source is None:
        raise BuildError(f"{path.name} does not ask {', '.join(missing)}; add a cell tagged `exercise` with that name")
    return notebook


def filled(notebook, file):
    """The notebook with the cells of an exercise in the place of each cell that is tagged `exercise` and names it.

    file : its name, for messages. A cell's metadata `task: {id: …, points: …}` makes it one that a person grades.
    """
    cells, known, asked = [], set(), []
    for cell in notebook.cells:
        if "exercise" in cell.metadata.get("tags", []):
            name = cell.source.strip()
            try:
                made = exercise_cells(name, known)
            except (ValueError, CourseError) as error:
                raise BuildError(f"{file}: {error}") from None
            asked.append(name)
            cells += made
            known |= set(get_exercise(name).answer_names)
            continue
        task = cell.metadata.pop("task", None)
        if task is not None:
            if not (isinstance(task, dict) and {"id", "points"} <= set(task)):
                raise BuildError(
                    f"{file}: expected `task: {{id: …, points: …}}` for a cell that a person grades, got {task!r}"
                )
            cell.metadata["nbgrader"] = nbgrader_marks(task["id"], locked=True, task=True, points=task["points"])
            cell.id = _cell_id(task["id"])
        if cell.cell_type == "code":
            known |= defined_names(cell.source)
        cells.append(cell)
    twice = {name for name in asked if asked.count(name) > 1}
    if twice:
        raise BuildError(f"{file} asks {', '.join(sorted(twice))} twice")
    notebook.cells = cells
    notebook.nbformat, notebook.nbformat_minor = 4, max(5, notebook.nbformat_minor)
    return notebook


# In the metadata of a notebook that was built from a text: digests of that text and of the cells, see `course_source`
MARK = "dlcourse"


def marked(notebook, text):
    """The notebook with the mark of the text that it was built from."""
    notebook.metadata[MARK] = {"built_from": digest(text.read_bytes()), "cells": digest_of_cells(notebook)}
    return notebook


def digest_of_cells(notebook):
    """Digest of what a person writes: kinds, sources and nbgrader's marks of the cells."""
    cells = [[cell.cell_type, cell.source, cell.metadata.get("nbgrader", {})] for cell in notebook.cells]
    return digest(json.dumps(cells, sort_keys=True).encode())


def digest(data):
    return hashlib.sha256(data).hexdigest()


def assignment_minutes(slug):
    """What an assignment takes, counted: its exercises but for the optional ones, the text around them, the written answers."""
    total = 0.0
    for cell in read_source(assignment_source(slug)).cells:
        if "exercise" in cell.metadata.get("tags", []):
            exercise = get_exercise(cell.source.strip())
            total += effort.minutes(exercise) if exercise.points else 0.0
        elif cell.cell_type == "markdown" and not _OPTIONAL.search(cell.source):
            answer = effort.answering(cell.source) if "task" in cell.metadata else 0.0
            total += (effort.reading(cell.source) + answer) / 60
    return total


# A section that nobody has to read
_OPTIONAL = re.compile(r"^## .*\(optional\)$", re.M)


def write_instructor_notebook(slug, course=COURSE, mark=True):
    """Write the notebook that nbgrader's source folder needs, from the text beside it if there is one; returns the path.

    mark : say in it what it was built from; what is released has no mark.
    """
    import nbformat

    path = Path(course) / "source" / slug / f"{slug}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    # A teacher may have changed the text in the class's course directory
    own = path.with_suffix(".md")
    made = instructor_notebook(slug, own if own.is_file() else None)
    nbformat.write(marked(made, own if own.is_file() else assignment_source(slug)) if mark else made, path)
    return path


def build_assignments(slugs, course=COURSE):
    """Instructor's notebook and released notebook of each assignment, by nbgrader's own generator; returns the paths."""
    paths = []
    with tempfile.TemporaryDirectory() as scratch:
        # A scratch gradebook: building what is committed must not touch the grades of a class
        scratch = Path(scratch)
        for slug in slugs:
            write_instructor_notebook(slug, scratch, mark=False)
            write_instructor_notebook(slug, course)
        generate(scratch, slugs)
        for slug in slugs:
            target = Path(course) / "release" / slug / f"{slug}.ipynb"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(scratch / "release" / slug / f"{slug}.ipynb", target)
            paths.append(target)
    return paths


def generate(course, slugs):
    """nbgrader's generate_assignment in the course directory, for each assignment."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    config = Config()
    course = Path(course).resolve()
    config.CourseDirectory.root = str(course)
    config.CourseDirectory.course_id = "dlcourse"
    config.NbGrader.db_url = config.CourseDirectory.db_url = f"sqlite:///{course / 'gradebook.db'}"
    with alembic_on_path(), contextlib.chdir(course):
        api = NbGraderAPI(config=config)
        for slug in slugs:
            log = io.StringIO()
            with contextlib.redirect_stderr(log):
                result = api.generate_assignment(slug, force=True, create=True)
            if not result["success"]:
                raise BuildError(
                    f"nbgrader could not generate {slug}:\n{result.get('error') or ''}{result.get('log') or log.getvalue()}"
                )


def check_assignments(slugs):
    """What is wrong with the committed releases, as a list of sentences."""
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        fresh = build_assignments(slugs, Path(scratch)) if slugs else []
        for slug, path in zip(slugs, fresh, strict=True):
            committed = COURSE / "release" / slug / f"{slug}.ipynb"
            again = f"run: python -m autograder.build assignments {slug}"
            if not committed.exists():
                found.append(f"release/{slug}/{slug}.ipynb is missing; {again}")
            elif committed.read_bytes() != path.read_bytes():
                found.append(f"release/{slug}/{slug}.ipynb is not what a fresh build gives; {again}")
            text = path.read_text(encoding="utf-8")
            for secret in ("BEGIN SOLUTION", "HIDDEN TESTS", "hidden=True"):
                if secret in text:
                    found.append(f"release/{slug}/{slug}.ipynb gives away {secret!r}")
    return found
