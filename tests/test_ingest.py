"""What is taken from a submission: the sources of answers and own cells, within limits, and nothing else."""

import dataclasses
import json
import os

import classes
import pytest

from autograder.engine import ingest
from autograder.engine.ingest import folder as folders
from autograder.engine.store import gradebook
from autograder.engine.store.course import name_problem, open_course
from autograder.engine.tasks import ASSERTS, CODE, EXERCISE, TEXT
from autograder.errors import CourseError


@pytest.fixture(scope="module")
def assignment(released_course):
    place = open_course(released_course)
    return ingest.load_assignment(place, classes.NAME, gradebook.saved_cells(place.db_url, classes.NAME))


@pytest.fixture(scope="module")
def master(assignment):
    return assignment.notebooks[0]


@pytest.fixture
def answered(released_course):
    return classes.answered(released_course, classes.RIGHT_ANSWERS)


def rebuilt(master, notebook):
    return ingest.rebuild(master, json.dumps(notebook).encode())


def by_id(notebook, grade_id):
    return next(c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)


def test_the_master_has_its_hidden_tests_again(master, released_course):
    cells = {cell.grade_id: cell for cell in master.cells if cell.grade_id}
    assert "assert double(3) == 6" in cells["double-test"].source
    assert "double(3)" not in json.dumps(classes.released(released_course))
    assert "hidden=True" in cells["neurons-preactivation-check"].source
    assert cells["neurons-preactivation-check"].calls == ("neurons.preactivation", ("preactivation",))
    assert cells["double-test"].calls is None
    assert [cell.grade_id for cell in master.cells if cell.by_hand] == ["why", "draw"]


def test_an_honest_notebook_becomes_its_steps(assignment, master, answered):
    made = rebuilt(master, answered)
    assert not made.notes and not made.problem and not made.own_cells
    assert made.sources == classes.RIGHT_ANSWERS
    steps = {step.grade_id: step for step in made.steps if step.grade_id}
    kinds = {grade_id: step.kind for grade_id, step in steps.items()}
    assert kinds == {
        "neurons-preactivation": CODE,
        "neurons-preactivation-check": EXERCISE,
        "neurons-perceptron_predict": CODE,
        "neurons-perceptron_predict-check": EXERCISE,
        "double": CODE,
        "double-test": ASSERTS,
        "why": TEXT,
        "draw": TEXT,
    }
    assert [step.cell for step in made.steps] == list(range(len(made.cells)))
    assert steps["double"].student and not steps["double-test"].student
    assert (steps["double-test"].points, steps["why"].points, steps["draw"].points) == (3.0, 2.0, 1.0)
    assert assignment.files == {"data.txt": b"1 2 3\n"}


def test_only_sources_count(master, answered):
    plain = rebuilt(master, answered)
    for cell in answered["cells"]:
        cell["metadata"]["tags"] = ["skip-execution", "raises-exception"]
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"] |= {"points": 1000, "grade": False, "locked": False, "solution": True}
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "execute_result", "data": {"text/plain": "1000.0"}, "metadata": {}}]
    answered["metadata"] = {"kernelspec": {"name": "bash", "display_name": "x"}}
    answered["cells"].reverse()
    made = rebuilt(master, answered)
    assert made.steps == plain.steps and made.master.metadata["kernelspec"]["name"] == "python3"


def test_missing_doubled_retyped_and_locked_cells_are_noted(master, answered):
    cells = answered["cells"]
    cells.remove(by_id(answered, "double"))
    second = dict(by_id(answered, "neurons-preactivation"), source="def preactivation(X, w, b):\n    return 'second'")
    cells.append(second)
    by_id(answered, "neurons-perceptron_predict")["cell_type"] = "markdown"
    by_id(answered, "double-test")["source"] = "double = lambda x: 2 * x"
    made = rebuilt(master, answered)
    assert made.notes == (
        "cell neurons-perceptron_predict was made a markdown cell; it is read as code",
        "the locked cell double-test was changed; the course's version was used",
        "cell neurons-preactivation stands twice; the last one was graded",
        "cell double is missing; it counts as not attempted",
    )
    assert made.needs_review == made.notes[2:]
    steps = {step.grade_id: step for step in made.steps if step.grade_id}
    assert "second" in steps["neurons-preactivation"].source
    assert "raise NotImplementedError" in steps["double"].source and not steps["double"].student
    assert "assert double(3) == 6" in steps["double-test"].source
    assert steps["neurons-perceptron_predict"].kind == CODE


def test_own_cells_run_where_they_stand(master, answered):
    cells = answered["cells"]
    place = cells.index(by_id(answered, "neurons-preactivation"))
    own = {"cell_type": "code", "metadata": {}, "source": ["helper = 1\n", "helper"], "outputs": []}
    cells.insert(place + 1, own)
    cells.insert(0, dict(own, source="first = 1"))
    cells.append(dict(own, source="plt.plot([1, 2])"))
    made = rebuilt(master, answered)
    assert made.own_cells == ("first = 1", "helper = 1\nhelper", "plt.plot([1, 2])")
    sources = [step.source for step in made.steps]
    assert sources[0] == "first = 1"
    at = sources.index("helper = 1\nhelper")
    assert made.steps[at - 1].grade_id == "neurons-preactivation" and made.steps[at].student
    # Below a task stands what the task asks for: a person looks at its figures
    assert made.steps[-1].source == "plt.plot([1, 2])" and made.steps[-1].by_hand and not made.steps[at].by_hand


@pytest.mark.parametrize("ids", [True, False])
def test_a_changed_course_cell_runs_after_the_original(master, answered, ids):
    cell = next(cell for cell in answered["cells"] if cell["cell_type"] == "code")
    cell["source"] = "".join(cell["source"]).replace("offset = 1", "offset = 2")
    if not ids:
        for other in answered["cells"]:
            other.pop("id", None)
        answered["nbformat_minor"] = 4
    made = rebuilt(master, answered)
    sources = [step.source for step in made.steps if step.kind == CODE]
    assert "offset = 1" in sources[0] and "offset = 2" in sources[1]
    assert [source for source in sources if "offset" in source] == sources[:2] and "was changed" in made.notes[0]


def test_markdown_of_the_student_stays_readable(master, answered):
    answered["cells"].insert(3, {"cell_type": "markdown", "metadata": {}, "source": "my thoughts"})
    made = rebuilt(master, answered)
    assert [step.kind for step in made.steps if step.source == "my thoughts"] == [TEXT] and not made.own_cells


BROKEN = {
    "empty": (b"", "the file is empty"),
    "truncated": (b'{"cells": [', "not JSON"),
    "no encoding": (b'{"cells": ["\x81"]}', "neither UTF-8, UTF-16 nor Windows-1252"),
    "a list": (b"[]", "JSON but not a notebook"),
    "no cells": (b'{"nbformat": 4}', "no list of cells"),
    "cells of numbers": (b'{"nbformat": 4, "cells": [1]}', "is not a notebook cell"),
    "a source of numbers": (
        b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": [1]}]}',
        "is not a notebook cell",
    ),
    "format 5": (b'{"nbformat": 5, "cells": []}', "expected notebook format 4, got 5"),
    "format true": (b'{"nbformat": true, "cells": []}', "expected notebook format 4"),
    "broken format 3": (b'{"nbformat": 3, "worksheets": 3}', "format 3"),
    "deep": (b'{"nbformat": 4, "cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
    "deep objects": (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested"),
    "many cells": (
        json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": ""}] * 10_000}).encode(),
        "10000 cells",
    ),
    "small pieces": (b'{"nbformat": 4, "cells": [' + b"[]," * 1_000_000 + b"[]]}", "small pieces"),
    "a huge number": (b'{"nbformat": ' + b"4" * 10_000 + b"}", "not JSON"),
    "a huge cell": (
        json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": "x" * 1_100_000}]}).encode(),
        "million characters",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_read_says_why(master, case):
    data, why = BROKEN[case]
    made = ingest.rebuild(master, data)
    assert why in made.problem and made.needs_review and made.handed_in
    assert [step.grade_id for step in made.steps] == [cell.grade_id for cell in master.cells]
    assert not any(step.student for step in made.steps)


def test_half_a_surrogate_pair_and_a_byte_order_mark_do_no_harm(master, answered):
    by_id(answered, "double")["source"] = "x = '\ud800'"
    made = ingest.rebuild(master, b"\xef\xbb\xbf" + json.dumps(answered).encode())
    assert not made.problem and made.sources["double"] == "x = '?'"


def test_format_3_is_brought_up_to_date(master):
    cell = {
        "cell_type": "code",
        "input": "def double(x):\n    return 2 * x",
        "language": "python",
        "outputs": [],
        "metadata": {"nbgrader": {"grade_id": "double", "solution": True}},
    }
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [cell], "metadata": {}}]}
    made = ingest.rebuild(master, json.dumps(old).encode())
    assert not made.problem and made.sources == {"double": cell["input"]}


def test_nothing_but_regular_files_is_read(course, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the gradebook's password")
    folder = classes.hand_in(course, "eve", "{}")
    (folder / "stolen.txt").symlink_to(secret)
    (folder / "up").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    (folder / "large.bin").write_bytes(b"")
    os.truncate(folder / "large.bin", folders.FILE_BYTES + 1)
    (folder / "line\nbreak.txt").write_text("x")
    deep = folder
    for number in range(folders.DEPTH + 2):
        deep = deep / str(number)
        deep.mkdir()
        (deep / "file.txt").write_text("x")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "numpy.pyc").write_bytes(b"x")
    (folder / "data.txt").write_text("mine")
    submission = ingest.read_submission(open_course(course), "eve", classes.NAME)
    nested = {"/".join(map(str, range(depth))) + "/file.txt" for depth in range(1, folders.DEPTH)}
    assert set(submission.files) == {"data.txt"} | nested
    assert b"password" not in b"".join(submission.files.values())
    text = "\n".join(submission.notes)
    for word in ("stolen.txt", "up", "pipe", "large.bin", "line", "deeper than"):
        assert word in text


def test_a_notebook_that_is_a_link_is_not_followed(course, assignment, answered):
    folder = classes.hand_in(course, "eve", answered)
    (folder / f"{classes.NAME}.ipynb").rename(folder.parent / "elsewhere")
    (folder / f"{classes.NAME}.ipynb").symlink_to(folder.parent / "elsewhere")
    submission = ingest.read_submission(open_course(course), "eve", classes.NAME)
    (made,) = ingest.rebuild_submission(assignment, submission)
    assert "a link" in made.problem and made.handed_in and not ingest.make_tasks(assignment, submission, [made], 1)
    classes.hand_in(course, "ada", answered).rename(course / "moved")
    (course / "submitted" / "ada" / classes.NAME).symlink_to(course / "moved")
    assert ingest.read_submission(open_course(course), "ada", classes.NAME).problem


def test_many_files_and_much_data_are_left_out(course, monkeypatch):
    monkeypatch.setattr(folders, "FILES", 20)
    monkeypatch.setattr(folders, "TOTAL_BYTES", 10_000)
    folder = classes.hand_in(course, "eve", "{}")
    for number in range(30):
        (folder / f"file{number:02}").write_bytes(b"x" * 1_000)
    submission = ingest.read_submission(open_course(course), "eve", classes.NAME)
    assert classes.NAME in submission.notebooks and len(submission.files) == 9
    assert "more than 20 files" in submission.notes[-1]


def test_a_wrong_name_says_which_there_is(course, assignment, answered):
    classes.hand_in(course, "eve", answered, name=f"{classes.NAME}(1)")
    submission = ingest.read_submission(open_course(course), "eve", classes.NAME)
    (made,) = ingest.rebuild_submission(assignment, submission)
    assert made.needs_review == ("small.ipynb was handed in as small(1).ipynb",) and made.handed_in
    submission = dataclasses.replace(submission, notebooks={"other": b"{}"})
    (made,) = ingest.rebuild_submission(assignment, submission)
    assert made.problem == "it was not handed in under this name; there is other.ipynb" and made.handed_in
    missing = ingest.rebuild(assignment.notebooks[0], None)
    assert missing.problem and not missing.handed_in


def test_the_courses_files_win(course, assignment, answered):
    folder = classes.hand_in(course, "eve", answered)
    (folder / "data.txt").write_text("mine")
    (folder / "helper.py").write_text("x = 1")
    submission = ingest.read_submission(open_course(course), "eve", classes.NAME)
    (task,) = ingest.make_tasks(assignment, submission, ingest.rebuild_submission(assignment, submission), 1)
    assert task.files == {"data.txt": b"1 2 3\n", "helper.py": b"x = 1"}


def test_where_the_students_file_counts_it_stays(course):
    with (course / "nbgrader_config.py").open("a") as file:
        file.write("c.Autograde.exclude_overwriting = {'small': ['data.txt']}\n")
    place = open_course(course)
    assert not ingest.load_assignment(place, classes.NAME, gradebook.saved_cells(place.db_url, classes.NAME)).files


def test_every_byte_counts_for_the_hash(course, answered):
    place, digests = open_course(course), set()
    folder = classes.hand_in(course, "eve", answered)
    for name, text in (("a.txt", "1"), ("a.txt", "2"), ("b.txt", "2"), ("timestamp.txt", "2026-11-21 12:00:00 UTC")):
        digests.add(ingest.read_submission(place, "eve", classes.NAME).digest)
        (folder / name).write_text(text)
    digests.add(ingest.read_submission(place, "eve", classes.NAME).digest)
    assert len(digests) == 5


NAMES = {
    "": "one folder name",
    "..": "one folder name",
    "a/b": "one folder name",
    ".hidden": "begin with a dot",
    " ada": "strips spaces",
    "a\nb": "line breaks",
    "a\x1b[2J": "control characters",
    "x" * 129: "128 characters",
    "\udcff": "not UTF-8",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_that_nbgrader_would_mistake_are_refused(name):
    assert NAMES[name] in name_problem(name)


@pytest.mark.parametrize(
    "name", ["ada", "<script>alert(1)</script>".replace("/", "_"), "Ada Lovelace", "李", "a+b@c.d"]
)
def test_strange_names_that_are_names_pass(name):
    assert not name_problem(name)


def test_an_unknown_assignment_gets_the_nearest_name(course):
    place = open_course(course)
    assert place.find_assignment(classes.NAME) == classes.NAME
    with pytest.raises(CourseError, match="did you mean 'small'"):
        place.find_assignment("smal")
    for name in ("..", "../..", "/", ""):
        with pytest.raises(CourseError, match="no assignment"):
            place.find_assignment(name)


def test_a_course_that_is_none_says_so(tmp_path):
    with pytest.raises(CourseError, match="not a course directory"):
        open_course(tmp_path)
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\nc.CourseDirectory.directory_structure = '{x}'")
    with pytest.raises(CourseError, match="student_id"):
        open_course(tmp_path)
    (tmp_path / "nbgrader_config.py").write_text("1 / 0")
    with pytest.raises(CourseError, match="ZeroDivisionError"):
        open_course(tmp_path)


def test_the_configuration_is_read_and_the_environment_left_alone(course, monkeypatch):
    monkeypatch.delenv("DLCOURSE_SECRET", raising=False)
    before = dict(os.environ)
    with (course / "nbgrader_config.py").open("a") as file:
        file.write("c.CourseDirectory.db_url = 'sqlite:///other.db'\nc.CourseDirectory.submitted_directory = 'inbox'\n")
    place = open_course(course)
    assert place.db_url == "sqlite:///other.db" and place.folder("submitted", "a", "b") == course / "inbox" / "a" / "b"
    assert place.secret == (course / "course_secret").read_text().strip() and dict(os.environ) == before
    assert place.secret not in repr(place) and open_course(course, "sqlite:///x.db").db_url == "sqlite:///x.db"
