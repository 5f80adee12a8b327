"""Releasing: what stands in a teacher's `source/` is honoured or refused with the reason, and a failed release changes nothing."""

import os
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from test_registry import DOUBLE

from autograder import build, offline
from autograder.build import course_source
from autograder.checks import registry
from autograder.commands import release as command
from autograder.commands.release import checks_for_students, reason, release
from autograder.engine.run import grade_class
from autograder.engine.store.course import assignment_problem, open_course
from autograder.engine.store.gradebook import saved_cells
from autograder.engine.store.journal import latest_records
from autograder.errors import BuildError, CourseError, NoSandbox
from autograder.workspace import lay_out_course

HEAD = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

"""
TEXT = (
    HEAD
    + """# Arithmetic

```{code-cell} ipython3
from autograder import check
```

```{code-cell} ipython3
:tags: [exercise]

arithmetic.double
```
"""
)


@pytest.fixture
def course(tmp_path):
    """A course of another subject: one exercise, one assignment that asks it."""
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises" / "arithmetic.py").write_bytes(DOUBLE)
    (tmp_path / "source" / "first").mkdir(parents=True)
    (tmp_path / "source" / "first" / "first.md").write_text(TEXT, encoding="utf-8")
    (tmp_path / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'sums'\nc.Exchange.root = 'exchange'\n", encoding="utf-8"
    )
    with registry.using(registry.read_sources(tmp_path / "exercises")):
        yield tmp_path


def prepared(course, shipped=None):
    return course_source.prepare(course / "source" / "first", "first", shipped)


def grade_ids(notebook):
    return [cell.metadata.nbgrader.grade_id for cell in notebook.cells if "nbgrader" in cell.metadata]


ASKED = ["arithmetic-double", "arithmetic-double-check"]


# --- what the source says -------------------------------------------------------------------------------------------


def test_a_text_is_built_and_a_notebook_that_was_built_from_it_is_built_again(course):
    first = prepared(course)
    assert grade_ids(first.notebooks["first"]) == ASKED
    course_source.write_built(first, course / "source" / "first")
    text = course / "source" / "first" / "first.md"
    text.write_text(TEXT.replace("# Arithmetic", "# Sums"), encoding="utf-8")
    again = prepared(course)
    assert again.notebooks["first"].cells[0].source == "# Sums"
    assert (again.built, again.notes, again.texts) == (["first"], [], ["first.md"])


def edit(path):
    notebook = nbformat.read(path, 4)
    notebook.cells.insert(1, new_markdown_cell("Work alone."))
    nbformat.write(notebook, path)


def test_a_built_notebook_that_was_edited_is_released_as_it_was_edited(course):
    folder = course / "source" / "first"
    course_source.write_built(prepared(course), folder)
    edit(folder / "first.ipynb")
    found = prepared(course)
    assert found.notebooks["first"].cells[1].source == "Work alone."
    assert found.built == []
    assert found.notes == [
        "first.ipynb was edited after it was built from first.md: released as it was edited",
    ]


def test_edits_of_the_text_and_of_the_built_notebook_are_refused(course):
    folder = course / "source" / "first"
    course_source.write_built(prepared(course), folder)
    edit(folder / "first.ipynb")
    (folder / "first.md").write_text(TEXT + "\nMore.\n", encoding="utf-8")
    with pytest.raises(BuildError) as caught:
        prepared(course)
    assert str(caught.value) == (
        "first.ipynb was edited after it was built, and first.md has changed, too: put the edits of first.ipynb into "
        "first.md and remove first.ipynb, or remove first.md"
    )


def test_a_notebook_of_the_teachers_beside_a_text_is_refused(course):
    folder = course / "source" / "first"
    nbformat.write(new_notebook(cells=[new_code_cell("x = 1")]), folder / "first.ipynb")
    with pytest.raises(BuildError) as caught:
        prepared(course)
    assert str(caught.value) == (
        f"first.ipynb and first.md stand side by side in {folder}, and first.ipynb was not built from first.md: "
        "remove the one that is not the assignment"
    )


def test_a_teachers_notebook_comes_before_the_packages_text(course):
    folder = course / "source" / "first"
    text = (folder / "first.md").rename(course / "shipped.md")
    nbformat.write(new_notebook(cells=[new_code_cell("x = 1", id="mine")]), folder / "first.ipynb")
    found = prepared(course, shipped=text)
    assert [cell.source for cell in found.notebooks["first"].cells] == ["x = 1"]
    assert found.built == []
    # One of another name, too: the assignment is the teacher's
    (folder / "first.ipynb").rename(folder / "part1.ipynb")
    assert list(prepared(course, shipped=text).notebooks) == ["part1"]


def test_a_newer_text_beside_a_changed_one_is_no_notebook_and_goes_to_no_student(course):
    folder = course / "source" / "first"
    (folder / "first.new.md").write_text(TEXT, encoding="utf-8")
    found = prepared(course)
    assert (list(found.notebooks), found.texts) == (["first"], ["first.md", "first.new.md"])
    course_source.write_draft(found, folder, course / "draft", ())
    assert os.listdir(course / "draft") == ["first.ipynb"]


def test_an_update_of_the_package_leaves_a_teachers_own_assignment_alone(tmp_path):
    """Under a name of ours, where the teacher has no text."""
    lay_out_course(tmp_path / "course")
    place = tmp_path / "course" / "source" / "training"
    (place / "training.md").unlink()
    nbformat.write(new_notebook(cells=[new_code_cell("x = 1")]), place / "training.ipynb")
    changes = lay_out_course(tmp_path / "course")
    assert (changes.new, changes.updated, changes.beside) == ([], [], {})
    assert os.listdir(place) == ["training.ipynb"]


def test_exercises_are_filled_into_a_notebook_and_the_notebook_is_left_alone(course):
    folder = course / "source" / "first"
    (folder / "first.md").unlink()
    cell = new_code_cell("arithmetic.double", metadata={"tags": ["exercise"]})
    nbformat.write(new_notebook(cells=[cell]), folder / "first.ipynb")
    before = (folder / "first.ipynb").read_bytes()
    found = prepared(course)
    assert grade_ids(found.notebooks["first"]) == ASKED
    course_source.write_built(found, folder)
    assert (folder / "first.ipynb").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (
            "first.md",
            TEXT.replace("arithmetic.double", "arithmetic.duble"),
            "first.md: there is no exercise 'arithmetic.duble'; did you mean 'arithmetic.double'?",
        ),
        ("first.md", TEXT + TEXT.removeprefix(HEAD), "first.md asks arithmetic.double twice"),
        (
            "second.ipynb",
            "no notebook",
            "{folder}/second.ipynb cannot be read as a notebook (NotJSONError): open it in JupyterLab and save it",
        ),
    ],
    ids=["a typing error", "twice", "no notebook"],
)
def test_a_source_that_cannot_be_built_is_named(course, name, content, sentence):
    folder = course / "source" / "first"
    (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(BuildError) as caught:
        prepared(course)
    assert str(caught.value) == sentence.format(folder=folder)


def test_a_solution_that_uses_names_of_its_file_is_refused(course):
    (course / "exercises" / "arithmetic.py").write_bytes(
        DOUBLE.replace(b"return 2 * x", b"return TWO * x").replace(b"2 * x", b"TWO * x") + b"\nTWO = 2\n"
    )
    with registry.using(registry.read_sources(course / "exercises")), pytest.raises(BuildError) as caught:
        prepared(course)
    assert str(caught.value) == (
        "the solution double uses TWO of its file, which no notebook can import: write it inside the function"
    )


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a/b", "it holds /; use letters, digits, - and _"),
        ("hw+1", "it holds +; use letters, digits, - and _"),
        ("hw[1]*", "it holds * [ ]; use letters, digits, - and _"),
        ("a\tb", "it holds '\\t'; use letters, digits, - and _"),
        (".hidden", "nbgrader skips names that begin with a dot"),
        (" first", "nbgrader strips spaces at the ends of a name"),
        ("all", "to `dlcourse export` it means every assignment"),
        ("..", "it is a folder's name"),
        ("x" * 129, "the gradebook keeps 128 characters of a name"),
        ("Übung 1", ""),
        ("hw-1_b", ""),
    ],
)
def test_the_names_of_assignments(name, why):
    assert assignment_problem(name) == why


# --- released ---------------------------------------------------------------------------------------------------------


def tree(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in (".db", ".pyc") and path.name != "course_secret"
    }


@pytest.mark.slow
def test_a_release_that_fails_leaves_the_course_as_it_was(course, capsys):
    """By nbgrader's own reason, in one sentence."""
    assert command.main("first", course) == 0
    assert "BEGIN SOLUTION" not in (course / "release" / "first" / "first.ipynb").read_text(encoding="utf-8")
    assert sorted(os.listdir(course / "release" / "first")) == ["first.checks.json", "first.ipynb"]
    before, cells = tree(course), saved_cells(f"sqlite:///{course / 'gradebook.db'}", "first")
    wrong = new_code_cell("### BEGIN SOLUTION\nx = 1", metadata={"nbgrader": build.nbgrader_marks("x", solution=True)})
    nbformat.write(new_notebook(cells=[wrong]), course / "source" / "first" / "more.ipynb")
    capsys.readouterr()
    assert command.main("first", course) == 1
    (course / "source" / "first" / "more.ipynb").unlink()
    assert capsys.readouterr().err.splitlines()[-1] == (
        "error: nbgrader could not generate assignment 'first': No end solution statement found, in the cell "
        "that begins with `### BEGIN SOLUTION`"
    )
    assert tree(course) == before
    assert saved_cells(f"sqlite:///{course / 'gradebook.db'}", "first") == cells


def test_what_a_killed_release_left_is_removed_by_the_next(course):
    fcntl = pytest.importorskip("fcntl")
    left, used = course / "release" / ".releasing-left", course / "release" / ".releasing-used"
    for folder in (left, used):
        folder.mkdir(parents=True)
        (folder / ".in-use").touch()
    with (used / ".in-use").open("r+") as running:
        fcntl.flock(running, fcntl.LOCK_EX)
        release(course, "first", exchange=False)
    assert sorted(os.listdir(course / "release")) == [".releasing-used", "first"]


@pytest.mark.slow
def test_two_notebooks_of_an_assignment_may_ask_the_same_exercise(course, tmp_path_factory):
    """At home and in the class each is checked by itself, with what was released beside both."""
    source = course / "source" / "first"
    more = TEXT.replace("Arithmetic", "More arithmetic") + "\n```{code-cell} ipython3\nanswer = double(2)\n```\n"
    (source / "second.md").write_text(more, encoding="utf-8")
    release(course, "first", exchange=False)
    released = course / "release" / "first"
    assert sorted(os.listdir(released)) == ["first.checks.json", "first.ipynb", "second.ipynb"]
    home = tmp_path_factory.mktemp("home") / "first"
    shutil.copytree(released, home)
    for name, body in (("first", "return 2 * x"), ("second", "return x * x")):
        notebook = nbformat.read(released / f"{name}.ipynb", 4)
        for cell in notebook.cells:
            cell.source = cell.source.replace("raise NotImplementedError()", body)
        nbformat.write(notebook, home / f"{name}.ipynb")
    shutil.copytree(home, course / "submitted" / "ada" / "first")
    with registry.using(registry.Sources()):
        try:
            checked = {name: offline.check_notebook(home / f"{name}.ipynb") for name in ("first", "second")}
        except NoSandbox as missing:
            pytest.skip(str(missing))
    assert {name: (one.assignment, one.points, one.max_points) for name, one in checked.items()} == {
        "first": ("first", 2.0, 2.0),
        "second": ("second", 0.0, 2.0),
    }
    summary = grade_class(open_course(course), "first", workers=1)
    (record,) = latest_records(open_course(course), "first")
    assert summary.complete and (record.points, record.max_points) == (2.0, 4.0)
    assert {one.name: [verdict.points for verdict in one.verdicts] for one in record.notebooks} == {
        "first": [2.0],
        "second": [0.0],
    }
    with Gradebook(open_course(course).db_url) as gradebook:
        (submission,) = gradebook.assignment_submissions("first")
        assert {one.name: one.score for one in submission.notebooks} == {"first": 2.0, "second": 0.0}


def test_a_check_of_an_unknown_exercise_is_refused(course):
    cells = [new_code_cell('check("arithmetic.double", double)'), new_code_cell('check("arithmetic.trouble", trouble)')]
    nbformat.write(new_notebook(cells=cells[:1]), course / "first.ipynb")
    assert registry.released_sources(checks_for_students(course)).topics == ("arithmetic",)
    nbformat.write(new_notebook(cells=cells), course / "first.ipynb")
    with pytest.raises(BuildError) as caught:
        checks_for_students(course)
    assert str(caught.value) == (
        "a cell calls `check` for what cannot be checked: there is no exercise 'arithmetic.trouble'; did you mean "
        "'arithmetic.double'?"
    )


def test_what_is_nowhere_is_refused(course):
    with pytest.raises(CourseError) as caught:
        release(course, "frist")
    assert str(caught.value) == "there is no assignment 'frist'; did you mean 'first'?"
    (course / "source" / "empty").mkdir()
    with pytest.raises(CourseError) as caught:
        release(course, "empty")
    assert str(caught.value) == f"{course / 'source' / 'empty'} holds no notebook: write empty.md or empty.ipynb there"
    with pytest.raises(CourseError) as caught:
        release(course, "hw+1")
    assert str(caught.value) == "an assignment cannot have the name 'hw+1': it holds +; use letters, digits, - and _"


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        ("[ERROR] There was an error processing assignment: x\nTraceback (most recent call last):\n  File \"a.py\"\nRuntimeError: no end solution statement found\n\n[ERROR] Please see the error log\n"
         "nbgrader.converters.base.NbGraderException: Please see the above traceback for details on the specific errors\n", "no end solution statement found (RuntimeError)"),
        ("\x1b[31m[ERROR]\x1b[m Assignment not found: /x\n", "Assignment not found: /x"),
        ("", "it gives no reason"),
    ],
    ids=["a traceback", "a line", "nothing"],
)  # fmt: skip
def test_the_reason_is_nbgraders_own(log, sentence):
    assert reason(log) == sentence
