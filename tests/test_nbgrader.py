"""An instructor's and a student's way through nbgrader's own commands, on a copy of the course directory."""

import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import build, demo, exercises_of

pytest.importorskip("nbgrader")
pytestmark = pytest.mark.slow
SLUG = "neurons"


def nbgrader(folder, *arguments, home):
    """Run one of nbgrader's commands in a folder, as a user with an empty home; fails with its output."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "DLCOURSE_EXCHANGE": str(home / "exchange"),
    }
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    home = tmp_path_factory.mktemp("class")
    folder = home / "course"
    (folder / "source" / SLUG).mkdir(parents=True)
    shutil.copy(build.COURSE / "nbgrader_config.py", folder)
    with (folder / "nbgrader_config.py").open("a") as file:
        # Plain nbgrader, without the engine
        file.write("\nc.Autograde.pop('autograde_preprocessors')\n")
    build.write_instructor_notebook(SLUG, folder)
    nbgrader(folder, "generate_assignment", SLUG, home=home)
    return home, folder


def test_the_whole_way(course):
    import nbformat

    home, folder = course
    released = folder / "release" / SLUG / f"{SLUG}.ipynb"
    as_shipped = build.COURSE / "release" / SLUG / f"{SLUG}.ipynb"
    made, shipped = (json.loads(path.read_text(encoding="utf-8")) for path in (released, as_shipped))
    # nbgrader keeps the mark of what the source was built from
    assert made["metadata"].pop("dlcourse", None) and made == shipped
    nbgrader(folder, "release_assignment", SLUG, home=home)

    # A student fetches, answers and submits
    student = home / "student"
    student.mkdir()
    shutil.copy(build.COURSE / "nbgrader_config.py", student)
    config = (student / "nbgrader_config.py").read_text()
    (student / "nbgrader_config.py").write_text(config[: config.index("# The hidden cases")])
    nbgrader(student, "fetch_assignment", SLUG, "--course", "dlcourse", home=home)
    path = student / SLUG / f"{SLUG}.ipynb"
    solutions = {
        cell.metadata["nbgrader"]["grade_id"]: cell.source
        for cell in build.instructor_notebook(SLUG).cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    wrong = {"neurons.linear_neuron_loss": "    return np.sum((d - preactivation(X, w, b)) ** 2)"}
    nbformat.write(demo.answer(nbformat.read(path, as_version=4), solutions, wrong), path)
    nbgrader(student, "submit", SLUG, "--course", "dlcourse", home=home)
    nbgrader(folder, "collect", SLUG, home=home)

    # Two more come in by hand: the released notebook untouched, and the instructor's own
    for name, source in (("untouched", released), ("perfect", folder / "source" / SLUG / f"{SLUG}.ipynb")):
        target = folder / "submitted" / name / SLUG
        target.mkdir(parents=True)
        shutil.copy(source, target)
    # A check that ends in an error earns nothing, though "Run All" goes on after it
    broken = nbformat.read(folder / "submitted" / "perfect" / SLUG / f"{SLUG}.ipynb", as_version=4)
    (cell,) = (cell for cell in broken.cells if cell.source.startswith("def sgd_fit("))
    cell.source = "def sgd_fit(:"
    (folder / "submitted" / "broken" / SLUG).mkdir(parents=True)
    nbformat.write(broken, folder / "submitted" / "broken" / SLUG / f"{SLUG}.ipynb")
    nbgrader(folder, "autograde", SLUG, home=home)
    nbgrader(folder, "generate_feedback", SLUG, home=home)
    nbgrader(folder, "export", home=home)

    with (folder / "grades.csv").open(newline="") as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    total = sum(exercise.points for exercise in exercises_of(SLUG).values())
    collected = (set(scores) - {"untouched", "perfect", "broken"}).pop()
    assert scores["untouched"] == 0.0 and scores["perfect"] == total
    assert scores["broken"] == total - exercises_of(SLUG)["neurons.sgd_fit"].points
    assert total - 1 <= scores[collected] < total
    page = (folder / "feedback" / collected / SLUG / f"{SLUG}.html").read_text(encoding="utf-8")
    assert "wrong factor" in page and "Twice what is asked" in page

    # The written questions, and that of the project, wait for a person
    with sqlite3.connect(folder / "gradebook.db") as db:
        waiting = db.execute("select count(*) from grade where needs_manual_grade = 1").fetchone()[0]
    assert waiting == 3 * len(scores)


def test_a_student_is_told_by_validate(course):
    from nbgrader.validator import Validator

    _, folder = course
    released = folder / "release" / SLUG / f"{SLUG}.ipynb"
    result = Validator().validate(str(released))
    assert len(result["failed"]) == len(exercises_of(SLUG))
    assert "not attempted yet" in str(result["failed"])
