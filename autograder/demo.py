"""The demonstration: an assignment, a class that hands it in, the grades, in one folder to look round in."""

import contextlib
import io
import logging
import os
import shutil
import sys
import time
from pathlib import Path

from . import build

SLUG = "neurons"
MARKER = ".dlcourse-demo"

# What each student of the class hands in: nothing said = the right answer; a text = that function's body instead
_BROKEN_LINE = "    return X @ w +"
CLASS = {
    "ada": {},
    "alan": {
        "neurons.linear_neuron_grad": "    e = -(d - preactivation(X, w, b))\n    return X.T @ e, e",
        "neurons.logistic_neuron_loss": (
            "    y = sigmoid(preactivation(X, w, b))\n    return -np.sum(d * np.log(y) + (1 - d) * np.log(1 - y))"
        ),
    },
    "frank": {
        "neurons.perceptron_criterion": "    return -np.sum(y * preactivation(X, w, b))",
        "neurons.perceptron_criterion_grad": "    return -X.T @ y, -np.sum(y)",
        "neurons.perceptron_fit": None,
        "neurons.sgd_fit": None,
    },
    "grace": {
        "neurons.gd_fit": "    for _ in range(epochs):\n        dw, db = grad(X, d, w, b)\n        w -= lr * dw\n        b -= lr * db\n    return w, b"
    },
    "john": {"neurons.preactivation": _BROKEN_LINE},
    "marvin": dict.fromkeys(
        (
            "neurons.signed_distance",
            "neurons.perceptron_fit",
            "neurons.sigmoid_neuron_grad",
            "neurons.logistic_neuron_grad",
            "neurons.gd_fit",
            "neurons.sgd_fit",
        )
    ),
    "seymour": {
        "neurons.sigmoid_neuron_grad": "    u = preactivation(X, w, b)\n    e = -(d - sigmoid(u))\n    return X.T @ e, e.sum()",
        "neurons.perceptron_predict": "    return np.sign(preactivation(X, w, b)).astype(int)",
        "neurons.sgd_fit": (
            "    for _ in range(epochs):\n        for i in range(0, len(X), batch_size):\n"
            "            dw, db = grad(X[i : i + batch_size], d[i : i + batch_size], w, b)\n"
            "            w, b = w - lr * dw, b - lr * db\n    return w, b"
        ),
    },
    "untouched": None,
}


def answer(notebook, solutions, changes):
    """Fill a released notebook in as a student would; `changes` is an entry of `CLASS`."""
    from .exercise import get_exercise

    if changes is None:
        return notebook
    wrong = {get_exercise(name).grade_id: body for name, body in changes.items()}
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if not marks.get("solution"):
            continue
        grade_id = marks["grade_id"]
        if grade_id not in wrong:
            cell.source = (
                solutions[grade_id].replace("    ### BEGIN SOLUTION\n", "").replace("\n    ### END SOLUTION", "")
            )
        elif wrong[grade_id] is not None:
            cell.source = cell.source.replace("    # YOUR CODE HERE\n    raise NotImplementedError()", wrong[grade_id])
    return notebook


def make_course(folder, slug=SLUG):
    """A fresh course directory in `folder`, with the assignment built and released, and a class's submissions in it."""
    import nbformat

    folder = Path(folder).resolve()
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise build.BuildError(f"{folder} is not empty and is no demonstration of an earlier run; name another folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARKER).touch()
    shutil.copy(build.COURSE / "nbgrader_config.py", folder)
    build.write_instructor_notebook(slug, folder)
    build.generate(folder, [slug])
    solutions = {
        cell.metadata["nbgrader"]["grade_id"]: cell.source
        for cell in build.instructor_notebook(slug).cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    for student, changes in CLASS.items():
        notebook = nbformat.read(folder / "release" / slug / f"{slug}.ipynb", as_version=4)
        target = folder / "submitted" / student / slug
        target.mkdir(parents=True)
        nbformat.write(answer(notebook, solutions, changes), target / f"{slug}.ipynb")
    return folder


@contextlib.contextmanager
def nbgrader_api(folder):
    """nbgrader's API on a course directory, quiet, with the directory's own configuration."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import PyFileConfigLoader

    before = os.environ.get("DLCOURSE_SECRET")
    with build.alembic_on_path(), contextlib.chdir(folder):
        config = PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()
        config.CourseDirectory.root = str(folder)
        logger = logging.getLogger("dlcourse.demo")
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
        try:
            yield NbGraderAPI(config=config, log=logger)
        finally:
            os.environ.pop("DLCOURSE_SECRET", None)
            if before is not None:
                os.environ["DLCOURSE_SECRET"] = before


def grade(folder, slug=SLUG, tell=print):
    """Grade every submission and write its feedback; returns {student: (score, max, needs a person)}."""
    grades = {}
    with nbgrader_api(Path(folder).resolve()) as api:
        for student in sorted(api.get_submitted_students(slug)):
            begun = time.perf_counter()
            for step in (api.autograde, api.generate_feedback):
                with contextlib.redirect_stderr(io.StringIO()):
                    result = (
                        step(slug, student, force=True, create=True)
                        if step == api.autograde
                        else step(slug, student, force=True)
                    )
                if not result["success"]:
                    raise build.BuildError(f"{student}: {result.get('error') or result.get('log')}")
            with api.gradebook as gradebook:
                submission = gradebook.find_submission(slug, student)
                grades[student] = (submission.score, submission.max_score, submission.needs_manual_grade)
            tell(
                f"  {student:<10} {grades[student][0]:5.1f} of {grades[student][1]:g}   {time.perf_counter() - begun:.1f} s"
            )
    return grades


def export(folder):
    """The grades as nbgrader's CSV; returns the path."""
    from nbgrader.plugins import CsvExportPlugin

    folder = Path(folder).resolve()
    with nbgrader_api(folder) as api, api.gradebook as gradebook:
        plugin = CsvExportPlugin()
        plugin.to = str(folder / "grades.csv")
        plugin.export(gradebook)
    return folder / "grades.csv"


def main(folder="demo", slug=SLUG):
    """Build, release, take in, grade, and show; returns the exit status."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    note = Console(stderr=True).print
    folder = Path(folder)
    try:
        note(f"Building and releasing the assignment “{slug}” in {folder}, with a class of {len(CLASS)}")
        make_course(folder, slug)
        note("Grading")
        grades = grade(folder, slug, tell=note)
        csv = export(folder)
    except build.BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    table = Table(title=f"Grades of “{slug}”")
    table.add_column("student")
    table.add_column("score", justify="right")
    table.add_column("of", justify="right")
    table.add_column("still to do")
    for student, (score, full, needs_person) in grades.items():
        table.add_row(student, f"{score:g}", f"{full:g}", "written answers" if needs_person else "")
    console.print(table)
    console.print(f"Feedback, a page for each student: {folder}/feedback/<student>/{slug}/{slug}.html")
    console.print(f"Grades as CSV: {csv.relative_to(Path.cwd()) if csv.is_relative_to(Path.cwd()) else csv}")
    console.print(
        f"Look round with nbgrader's own tools: cd {folder} && {Path(sys.executable).parent / 'jupyter'} lab (Nbgrader → Formgrader)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
