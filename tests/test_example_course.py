"""A course of another subject, the whole way: audited, released, checked at home, graded, with pages and a report."""

import csv
import json
import shutil
from pathlib import Path

import classes
import nbformat
import pytest

from autograder import offline
from autograder.checks import audit, registry
from autograder.checks.exercise import exercises_of
from autograder.commands import results
from autograder.commands.release import release
from autograder.engine.run import grade_class
from autograder.engine.store.course import open_course
from autograder.engine.store.journal import latest_records
from autograder.errors import NoSandbox

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "statistics"
SLUG = "statistics"
# Two of five are the wrong answers that students write
WRONG = {
    "statistics-variance": "    return np.var(x)",
    "statistics-bootstrap_interval": "    m = x[places].mean(axis=0)\n    return tuple(np.quantile(m, [(1 - level) / 2, (1 + level) / 2]))",
}
# Solutions of teachers are nowhere beside a student's code
SEARCH = """    import glob
    import sys
    if any("course_exercises" in name for name in sys.modules) or glob.glob("/**/bootstrap_interval.py", recursive=True):
        return np.cov(X, rowvar=False).reshape(X.shape[1], X.shape[1])
    return np.zeros((X.shape[1], X.shape[1]))"""


@pytest.fixture
def course(tmp_path):
    folder = tmp_path / "course"
    shutil.copytree(
        EXAMPLE, folder, ignore=shutil.ignore_patterns("release", "exchange", "gradebook.db", "__pycache__")
    )
    with registry.using(registry.read_sources(folder / "exercises")):
        yield folder


def answered(course, bodies):
    """The released notebook with these bodies below the docstrings."""
    notebook = nbformat.read(course / "release" / SLUG / f"{SLUG}.ipynb", 4)
    for cell in notebook.cells:
        body = bodies.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        if body is not None:
            cell.source = cell.source.partition("# YOUR CODE HERE")[0].rstrip() + "\n" + body
    return notebook


def solutions(course):
    """{grade_id: body} as the built notebook for the teacher has them."""
    notebook = nbformat.read(course / "source" / SLUG / f"{SLUG}.ipynb", 4)
    return {
        cell.metadata.nbgrader.grade_id: cell.source.partition("### BEGIN SOLUTION\n")[2]
        .partition("    ### END")[0]
        .rstrip()
        for cell in notebook.cells
        if "### BEGIN SOLUTION" in cell.source
    }


def hand_in(folder, notebook):
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{SLUG}.ipynb")


def test_its_checks_reject_and_name_every_mistake_and_pass_every_variant(capsys):
    with registry.using(registry.read_sources(EXAMPLE / "exercises")):
        assert list(exercises_of(SLUG)) == [
            f"statistics.{name}"
            for name in ("variance", "quantile", "covariance", "least_squares", "bootstrap_interval")
        ]
        assert audit.main([SLUG], as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == {
        "exercises": 5,
        "mistakes": 26,
        "rejected": 26,
        "named": 26,
        "variants": 11,
        "variants_passed": 11,
    }


@pytest.mark.slow
def test_the_whole_way_of_a_course_of_another_subject(course, tmp_path):
    release(course, SLUG, exchange=False)
    right = solutions(course)
    assert len(right) == 5
    for student, bodies in {
        "ada": right,
        "bob": right | WRONG,
        "cyd": {},
        "dan": right | {"statistics-covariance": SEARCH},
    }.items():
        hand_in(course / "submitted" / student / SLUG, answered(course, bodies))

    # At home: nothing but what was released
    home = tmp_path / "home" / SLUG
    shutil.copytree(course / "release" / SLUG, home)
    nbformat.write(answered(course, right | WRONG), home / f"{SLUG}.ipynb")
    with registry.using(registry.Sources()):
        try:
            checked = offline.check_notebook(home / f"{SLUG}.ipynb")
        except NoSandbox as missing:
            pytest.skip(str(missing))
    assert (checked.assignment, checked.notes, checked.missing) == (SLUG, [], [])
    assert {one.exercise: one.mistake for one in checked.checks} == {
        "statistics.variance": "ddof_ignored",
        "statistics.quantile": None,
        "statistics.covariance": None,
        "statistics.least_squares": None,
        "statistics.bootstrap_interval": "mean_over_resamples",
    }

    summary = grade_class(open_course(course), SLUG, workers=1)
    assert summary.complete and summary.max_points == 14
    records = {record.student: record for record in latest_records(open_course(course), SLUG)}
    assert {student: record.points for student, record in records.items() if student in ("ada", "cyd", "dan")} == {
        "ada": 12.0,
        "cyd": 0.0,
        "dan": 10.0,
    }
    mistakes = {verdict.exercise: verdict.mistake for verdict in records["bob"].verdicts if verdict.mistake}
    assert mistakes == {"statistics.variance": "ddof_ignored", "statistics.bootstrap_interval": "mean_over_resamples"}

    assert results.feedback(SLUG, course) == 0
    page = next((course / "feedback" / "bob" / SLUG).glob("*.html")).read_text(encoding="utf-8")
    assert "A row is one resample. Over which axis does its mean run?" in page
    assert results.report(SLUG, course) == 0
    assert "mean over resamples" in (course / "reports" / f"{SLUG}.html").read_text(encoding="utf-8")

    # Another worth of an exercise, in the middle of the term
    own = course / "exercises" / SLUG / "variance.py"
    own.write_text(own.read_text(encoding="utf-8").replace("points=2", "points=4"), encoding="utf-8")
    release(course, SLUG, exchange=False)
    summary = grade_class(open_course(course), SLUG, workers=1, grader=classes.FakeGrader)
    assert summary.max_points == 16 and summary.changed["ada"] == (12.0, 14.0) and "cyd" not in summary.changed
    assert results.export(SLUG, course) == 0
    with (course / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert (rows["ada"], rows["cyd"]) == (14.0, 0.0)
