"""What is wrong with an assignment is said before a student's points depend on it: at release, and by `dlcourse doctor`."""

import json

import classes
import pytest

from autograder.commands import doctor, release
from autograder.engine import selftest
from autograder.engine.run import grade_class
from autograder.engine.sandbox import sandbox
from autograder.engine.selftest import SelfTest, self_test
from autograder.engine.store.course import open_course
from autograder.errors import CourseError, NoSandbox

needs_walls = pytest.mark.skipif(sandbox.shutil.which("bwrap") is None, reason="bubblewrap (bwrap) is not installed")


def edit(folder, change, step="release"):
    """Change a notebook of the course; `change` gets its cells by grade_id, and the whole."""
    path = folder / step / classes.NAME / f"{classes.NAME}.ipynb"
    made = json.loads(path.read_text())
    cells = {cell["metadata"].get("nbgrader", {}).get("grade_id"): cell for cell in made["cells"]}
    change(cells, made)
    path.write_text(json.dumps(made))


def wrong_solution(cells, made):
    cells["double"]["source"] = "def double(x):\n    return x + 1"


def free_points(cells, made):
    cells["double"]["source"] = "def double(x):\n    return 2 * x"


def foreign_import(cells, made):
    made["cells"][1]["source"] = "import not_there\n" + "".join(made["cells"][1]["source"])


@needs_walls
def test_the_solution_earns_everything_and_the_untouched_version_nothing(course):
    tested = self_test(open_course(course), classes.NAME)
    assert tested == SelfTest(5.0) and tested.passed and tested.sentences() == []


@needs_walls
@pytest.mark.slow
def test_what_the_solution_loses_and_the_untouched_version_earns_is_said(course):
    edit(course, wrong_solution, "source")
    edit(course, free_points)
    tested = self_test(open_course(course), classes.NAME)
    assert not tested.passed and tested.sentences() == [
        "the solution earns 0 of 3 in cell double-test: AssertionError",
        "the version without any answer earns 3 in cell double-test",
    ]


def test_where_there_is_no_sandbox_the_teachers_code_runs_without_one(course, monkeypatch):
    made = []

    class Grader(classes.FakeGrader):
        def __init__(self, settings):
            made.append(settings.isolation)
            super().__init__(settings)
            if settings.isolation == "bwrap":
                raise NoSandbox("no bwrap")

    monkeypatch.setattr(selftest, "Grader", Grader)
    assert self_test(open_course(course), classes.NAME).points == 5.0 and made == ["bwrap", "process"]


def test_a_notebook_without_a_solution_is_said(course, monkeypatch):
    monkeypatch.setattr(selftest, "Grader", classes.FakeGrader)
    (course / "source" / classes.NAME / f"{classes.NAME}.ipynb").unlink()
    tested = self_test(open_course(course), classes.NAME)
    assert not tested.passed
    assert tested.sentences() == ["small.ipynb has no solution in source/, so it was not tried"]


@pytest.mark.slow
def test_what_its_solution_does_not_pass_is_not_released(course, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DLCOURSE_EXCHANGE", str(tmp_path / "exchange"))
    monkeypatch.setattr(selftest, "Grader", classes.FakeGrader)
    edit(course, wrong_solution, "source")
    assert release.main(classes.NAME, course) == 1
    assert capsys.readouterr().err.partition("error: ")[2] == (
        "small was not released, because students could lose points through no fault of theirs:\n"
        "- the solution earns 0 of 3 in cell double-test\n"
        "Mend the assignment, or release it as it is with --no-self-test\n"
    )
    outbound = tmp_path / "exchange" / "dlcourse" / "outbound" / classes.NAME
    assert not outbound.exists()
    assert release.main(classes.NAME, course, self_test=False) == 0 and outbound.is_dir()
    edit(course, free_points, "source")
    capsys.readouterr()
    assert release.main(classes.NAME, course) == 0
    assert "the solution earns all 5 points that a machine gives\n" in capsys.readouterr().err


# --- other languages ------------------------------------------------------------------------------------------------

OTHERS = {
    "R by its language": ({"kernelspec": {"name": "ir", "language": "R"}}, "R"),
    "Julia by its information": ({"language_info": {"name": "julia"}}, "julia"),
    "R by its kernel": ({"kernelspec": {"name": "ir"}}, "ir"),
    "Python": ({"kernelspec": {"name": "python3", "language": "python"}}, ""),
    "another Python": ({"kernelspec": {"name": "conda-env-r4", "language": "Python"}}, ""),
    "nothing": ({}, ""),
    "nonsense": ({"kernelspec": 3, "language_info": []}, ""),
}


@pytest.mark.parametrize("case", OTHERS)
def test_another_language_is_refused_before_anything_is_graded(course, case):
    metadata, language = OTHERS[case]
    edit(course, lambda cells, made: made.update(metadata=metadata))
    classes.hand_in(course, "ada", classes.answered(course, classes.RIGHT_ANSWERS))
    if not language:
        assert grade_class(open_course(course), classes.NAME, workers=1, grader=classes.FakeGrader).complete
        return
    with pytest.raises(CourseError) as error:
        grade_class(open_course(course), classes.NAME, workers=1, grader=classes.FakeGrader)
    assert str(error.value) == (
        f"small.ipynb is written in {language}, and this grader runs Python alone; grade this assignment with plain "
        "nbgrader: nbgrader autograde small, meanwhile without the line c.Autograde.autograde_preprocessors in "
        "nbgrader_config.py"
    )
    assert not (course / "autograded").exists()


# --- the doctor -----------------------------------------------------------------------------------------------------


def findings(course, assignment=classes.NAME):
    return {one.what: (one.fine, one.text) for one in doctor.examine(open_course(course), assignment)}


@needs_walls
@pytest.mark.slow
def test_the_doctor_finds_everything_there(course, capsys):
    assert doctor.main(classes.NAME, course) == 0
    shown = capsys.readouterr().out
    for words in ("bubblewrap works", "Python, 1 notebook, 8 points", "it earns all 5 points that a machine gives"):
        assert words in shown
    assert doctor.main(None, course, json=True) == 0
    assert [row["what"] for row in json.loads(capsys.readouterr().out)] == ["environment", "isolation", "database"]


@needs_walls
@pytest.mark.slow
def test_the_doctor_says_what_is_missing(course, monkeypatch):
    edit(course, foreign_import)
    found = findings(course)
    error = "ModuleNotFoundError: No module named 'not_there'"
    assert found["packages"] == (False, f"`import not_there` fails ({error})") and found["solution"][0] is False
    edit(course, lambda cells, made: made.update(metadata={"kernelspec": {"language": "R"}}))
    (course / "nbgrader_config.py").write_text("c = get_config()\nc.DlcourseGrader.environment = 'nowhere'\n")
    found = findings(course)
    lacks = "was not found: expected the folder of a virtual environment or of conda, or its Python"
    for what in ("environment", "isolation"):
        assert found[what] == (False, f"the environment {course / 'nowhere'} {lacks}")
    assert found["kernel"][0] is False and "is written in R" in found["kernel"][1] and "solution" not in found
    (course / "gradebook.db").write_bytes(b"no database" * 100)
    found = findings(course)
    assert found["database"][0] is False and found["assignment"] == (None, "not looked at: it needs the database")
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    (course / "nbgrader_config.py").write_text("c = get_config()\n")
    assert findings(course)["isolation"] == (False, f"bubblewrap (the command bwrap) was not found: {sandbox.INSTALL}")


def test_the_doctor_needs_a_course(tmp_path, capsys):
    assert doctor.main(None, tmp_path) == 2
    assert "is not a course directory" in capsys.readouterr().err


# --- packages of the assignment -------------------------------------------------------------------------------------


@needs_walls
def test_a_package_that_the_assignment_lacks_stops_the_class(course):
    edit(course, foreign_import)
    for student in ("ada", "alan"):
        classes.hand_in(course, student, classes.answered(course, classes.RIGHT_ANSWERS))
    summary = grade_class(open_course(course), classes.NAME, workers=1)
    assert summary.problem.startswith(
        "the assignment's own `import not_there` fails where it is graded (ModuleNotFound"
    )
    assert summary.failed == dict.fromkeys(("ada", "alan"), "not graded yet") and not summary.graded
    # A module that somebody hands in is an answer
    (course / "submitted" / "ada" / classes.NAME / "not_there.py").write_text("")
    summary = grade_class(open_course(course), classes.NAME, workers=1, grader=classes.FakeGrader)
    assert summary.complete and len(summary.graded) == 2
