"""From text to notebooks: lessons are executed, assignments are filled with their exercises.

    python -m autograder.build lessons [slug …]        notebooks/source/NN_slug.md -> notebooks/NN_slug.ipynb, executed
    python -m autograder.build assignments [slug …]    course/source/slug/slug.md -> slug.ipynb beside it -> course/release
    python -m autograder.build check                   the guards: what is built is what a fresh build gives

Nothing that this writes is edited by hand.
"""

import argparse
import ast
import builtins
import contextlib
import hashlib
import inspect
import io
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import dlcourse

from ..checks.exercise import exercises_of, get_exercise
from ..checks.solution import solution_parts

ROOT = Path(__file__).resolve().parents[2]
LESSONS = ROOT / "notebooks"
COURSE = ROOT / "autograder" / "course"
CELL_SECONDS = 120
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


class BuildError(Exception):
    """A source that cannot be built, with the file and what to change."""


def lesson_slugs():
    """The lessons in order: the notation, then every topic."""
    return ["notation", *dlcourse.TOPICS]


def lesson_name(slug):
    """ "04_graph": a lesson carries its number, so that a folder lists the course in order."""
    return f"{lesson_slugs().index(slug):02d}_{slug}"


# --- lessons --------------------------------------------------------------------------------------------------------


def read_source(path):
    """The text notebook at `path`, with stable cell ids and the metadata that belongs in a built notebook."""
    import jupytext

    if not path.exists():
        raise BuildError(f"{path.name} is missing: write it as a MyST text notebook")
    notebook = jupytext.read(path)
    seen = {}
    for index, cell in enumerate(notebook.cells):
        # From the content and its place among equals: an edit elsewhere leaves the other cells' ids alone
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, -1) + 1
        cell.id = f"{digest}-{seen[digest]}"
        if cell.cell_type == "code" and cell.source.rstrip().endswith(";"):
            raise BuildError(
                f"{path.name}, cell {index}: a trailing `;` hides the value here, but not when the lesson is compared"
            )
    notebook.metadata = type(notebook.metadata)({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


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
    notebook = read_source(LESSONS / "source" / f"{name}.md")
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(LESSONS)}},
        store_widget_state=False,
        coalesce_streams=True,
        # ipykernel warns at every start that local sockets are not encrypted
        extra_arguments=["--IPKernelApp.log_level=40"],
    )
    client.execute()
    normalise(notebook)
    path = LESSONS / f"{name}.ipynb"
    nbformat.write(notebook, path)
    return path


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


def check_lesson(slug):
    """What is wrong with a built lesson, as a list of sentences."""
    import nbformat

    name = lesson_name(slug)
    source = LESSONS / "source" / f"{name}.md"
    path = LESSONS / f"{name}.ipynb"
    if not path.exists():
        return [f"{name}.ipynb is missing; run: python -m autograder.build lessons {slug}"]
    built, wanted = nbformat.read(path, as_version=4), read_source(source)
    found = []
    again = f"run: python -m autograder.build lessons {slug}"
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
    if any(
        output.output_type == "error"
        for cell in code
        for output in cell.outputs
        if "raises-exception" not in cell.metadata.get("tags", [])
    ):
        found.append(f"{name}.ipynb holds an error; {again}")
    return found


# --- assignments ----------------------------------------------------------------------------------------------------


def assignment_source(slug):
    return COURSE / "source" / slug / f"{slug}.md"


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
            lines.append(f"    from {package} import {module}" if package else f"    import {module}")
        else:
            home = getattr(value, "__module__", None) if hasattr(value, "__qualname__") else function.__module__
            lines.append(f"    from {home} import {name}")
    return lines


def exercise_cells(name, known):
    """The cells of one exercise: what it is worth and its hints, the answer with its solution, the locked check."""
    from nbformat.v4 import new_code_cell, new_markdown_cell

    exercise = get_exercise(name)
    points = f"{exercise.points:g} point{'s' * (exercise.points != 1)}"
    text = f"**{points}, about {exercise.minutes} minutes.** {exercise.why}\n"
    for number, hint in enumerate(exercise.hints, 1):
        text += f"\n<details><summary>Hint {number}</summary>\n\n{hint}\n\n</details>\n"
    answers, grade_id = [], exercise.grade_id
    for function, shown in zip(exercise.functions, exercise.solutions, strict=True):
        head, body = solution_parts(function, shown)
        imports = _imports_for(shown, body, known | set(exercise.function_names))
        solution = "\n".join([*imports, body])
        source = f"{head}\n    ### BEGIN SOLUTION\n{solution}\n    ### END SOLUTION"
        suffix = "" if len(exercise.functions) == 1 else "-" + function.__name__.rsplit("_", 1)[-1]
        cell = new_code_cell(source, metadata={"nbgrader": _nbgrader(grade_id + suffix, solution=True)})
        cell.id = _cell_id(grade_id + suffix)
        answers.append(cell)
    call = f'check("{name}", {", ".join(exercise.function_names)}'
    test = (
        f"# Checks {' and '.join(exercise.function_names)} on the cases of this exercise; grading uses other numbers.\n"
        f"{call})\n### BEGIN HIDDEN TESTS\n{call}, hidden=True)\n### END HIDDEN TESTS"
    )
    locked = new_code_cell(
        test, metadata={"nbgrader": _nbgrader(f"{grade_id}-check", grade=True, locked=True, points=exercise.points)}
    )
    locked.id = _cell_id(f"{grade_id}-check")
    intro = new_markdown_cell(text.rstrip())
    intro.id = _cell_id(f"{grade_id}-intro")
    return [intro, *answers, locked]


def _nbgrader(grade_id, grade=False, locked=False, solution=False, task=False, points=None):
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


def instructor_notebook(slug):
    """The assignment with its solutions, from the text source."""
    source = assignment_source(slug)
    notebook = read_source(source)
    cells, known, asked = [], set(), []
    for cell in notebook.cells:
        if "exercise" in cell.metadata.get("tags", []):
            name = cell.source.strip()
            try:
                made = exercise_cells(name, known)
            except ValueError as error:
                raise BuildError(f"{source.name}: {error}") from None
            asked.append(name)
            cells += made
            known |= set(get_exercise(name).function_names)
            continue
        task = cell.metadata.pop("task", None)
        if task is not None:
            cell.metadata["nbgrader"] = _nbgrader(task["id"], locked=True, task=True, points=task["points"])
            cell.id = _cell_id(task["id"])
        if cell.cell_type == "code":
            known |= defined_names(cell.source)
        cells.append(cell)
    missing = [name for name in exercises_of(slug) if name not in asked]
    if missing:
        raise BuildError(
            f"{source.name} does not ask {', '.join(missing)}; add a cell tagged `exercise` with that name"
        )
    twice = {name for name in asked if asked.count(name) > 1}
    if twice:
        raise BuildError(f"{source.name} asks {', '.join(sorted(twice))} twice")
    notebook.cells = cells
    return notebook


def write_instructor_notebook(slug, course=COURSE):
    """Write the notebook that nbgrader's source folder needs; returns the path."""
    import nbformat

    path = Path(course) / "source" / slug / f"{slug}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(instructor_notebook(slug), path)
    return path


def build_assignments(slugs, course=COURSE):
    """Instructor's notebook and released notebook of each assignment, by nbgrader's own generator; returns the paths."""
    paths = []
    with tempfile.TemporaryDirectory() as scratch:
        # A scratch gradebook: building what is committed must not touch the grades of a class
        scratch = Path(scratch)
        for slug in slugs:
            write_instructor_notebook(slug, scratch)
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


@contextlib.contextmanager
def alembic_on_path():
    """nbgrader makes its database by calling `alembic`: look for it beside the Python that runs."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = str(Path(sys.executable).parent) + os.pathsep + before
    try:
        yield
    finally:
        os.environ["PATH"] = before


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


# --- everything -----------------------------------------------------------------------------------------------------


def existing_lessons():
    return [slug for slug in lesson_slugs() if (LESSONS / "source" / f"{lesson_name(slug)}.md").exists()]


def existing_assignments():
    return [slug for slug in dlcourse.TOPICS if assignment_source(slug).exists()]


def stray_files():
    """Built notebooks without a source, and sources that belong to no topic."""
    lessons = {lesson_name(slug) for slug in lesson_slugs()}
    found = [
        f"notebooks/{path.name} has no source"
        for path in LESSONS.glob("*.ipynb")
        if not (LESSONS / "source" / f"{path.stem}.md").exists()
    ]
    found += [
        f"notebooks/source/{path.name} belongs to no topic"
        for path in (LESSONS / "source").glob("*.md")
        if path.stem not in lessons
    ]
    found += [
        f"release/{path.name} has no source"
        for path in (COURSE / "release").glob("*")
        if not assignment_source(path.name).exists()
    ]
    return found


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m autograder.build", description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["lessons", "assignments", "check"])
    parser.add_argument("slugs", nargs="*", help="topics; all where none is given")
    options = parser.parse_args(argv)
    try:
        for slug in options.slugs:
            if slug not in lesson_slugs():
                raise BuildError(f"unknown topic {slug!r}; the topics are {', '.join(lesson_slugs())}")
        if options.what == "lessons":
            for slug in options.slugs or existing_lessons():
                print(f"built {build_lesson(slug).relative_to(ROOT)}")
        elif options.what == "assignments":
            for path in build_assignments(options.slugs or existing_assignments()):
                print(f"built {path.relative_to(ROOT)}")
        else:
            lessons = [slug for slug in existing_lessons() if not options.slugs or slug in options.slugs]
            assignments = [slug for slug in existing_assignments() if not options.slugs or slug in options.slugs]
            found = (
                [problem for slug in lessons for problem in check_lesson(slug)]
                + check_assignments(assignments)
                + stray_files()
            )
            print(
                "\n".join(found)
                or f"{len(lessons)} lessons and {len(assignments)} assignments are what a fresh build gives"
            )
            return 1 if found else 0
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
