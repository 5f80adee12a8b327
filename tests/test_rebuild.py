"""Taking in a submission, branch by branch: notebooks of a few cells, whole results and notes, and no course to release."""

import hashlib
import io
import json
import os
from types import SimpleNamespace

import pytest

from autograder.engine.ingest import (
    MasterCell,
    Submission,
    find_calls,
    load_assignment,
    load_released,
    make_tasks,
    parse,
    read_own_folder,
    read_submission,
    rebuild,
    rebuild_submission,
)
from autograder.engine.ingest import assignment as assignments
from autograder.engine.ingest import folder as folders
from autograder.engine.ingest import match as matching
from autograder.engine.ingest import notebook as notebooks
from autograder.engine.ingest import submission as submissions
from autograder.engine.ingest.folder import read_folder
from autograder.engine.ingest.notebook import SubmittedCell
from autograder.engine.ingest.submission import fit
from autograder.engine.store.gradebook import SourceCell
from autograder.engine.tasks import ASSERTS, CODE, EXERCISE, TEXT, Step, Task
from autograder.errors import CourseError, OtherLanguage

CHECK = 'check("neurons.preactivation", preactivation)'


def cell(source, kind="code", cell_id=None, **marks):
    """A cell of a notebook file; with marks it is one that nbgrader marks."""
    made = {"cell_type": kind, "source": source, "metadata": {"nbgrader": marks} if marks else {}}
    return made if cell_id is None else made | {"id": cell_id}


def solution(grade_id, source="raise NotImplementedError()", kind="code", **marks):
    return cell(source, kind, grade_id=grade_id, solution=True, **marks)


def file(*cells, **more):
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)} | more).encode()


SETUP = "import numpy as np\noffset = 1"
RELEASED_FILE = file(
    cell("# Title", "markdown"),
    cell(SETUP, cell_id="setup"),
    solution("f"),
    cell("assert f() == 1", grade_id="f-test", grade=True, locked=True, points=3),
    cell(CHECK, grade_id="check", grade=True, locked=True, points=2),
    solution("why", "Your answer", "markdown", grade=True, points=1),
    cell("Draw it.", "markdown", grade_id="draw", task=True, locked=True, points=4),
    cell("Read on.", "markdown", grade_id="end", locked=True),
)
MASTER = load_released("hw", RELEASED_FILE)
AS_RELEASED = json.loads(
    file(*(cell(c.source, c.cell_type, c.id, **({"grade_id": c.grade_id} if c.grade_id else {})) for c in MASTER.cells))
)["cells"]


def test_the_master_is_what_was_released():
    master = load_released("hw", RELEASED_FILE)
    assert master == MASTER and master.cells[1] == MasterCell("code", SETUP, SETUP, {}, "setup")
    assert MASTER.name == "hw" and MASTER.minor == 5 and MASTER.metadata == {}
    assert [(c.grade_id, c.grade, c.solution, c.task, c.by_hand, c.points) for c in MASTER.cells] == [
        ("", False, False, False, False, 0.0),
        ("", False, False, False, False, 0.0),
        ("f", False, True, False, False, 0.0),
        ("f-test", True, False, False, False, 3.0),
        ("check", True, False, False, False, 2.0),
        ("why", True, True, False, True, 1.0),
        ("draw", False, False, True, True, 4.0),
        ("end", False, False, False, False, 0.0),
    ]
    assert [c.calls for c in MASTER.cells if c.calls] == [("neurons.preactivation", ("preactivation",))]
    assert MASTER.cells[4].marks == {
        "grade_id": "check",
        "grade": True,
        "locked": True,
        "points": 2,
        "checksum": None,
        "cell_type": "code",
    }
    assert [c.id for c in MASTER.cells] == [None, "setup", *[None] * 6]


def answers(*changes):
    """The notebook as released, with changes: (place, new source), (place, None) to delete, (place, cells) to put after it."""
    cells = [dict(c) for c in AS_RELEASED]
    for place, change in sorted(changes, key=lambda change: -change[0]):
        if change is None:
            del cells[place]
        elif isinstance(change, str):
            cells[place]["source"] = change
        else:
            cells[place + 1 : place + 1] = change
    return cells


def own(source, kind="code"):
    return [cell(source, kind)]


F, WHY = "f = lambda: 1", "Because."
SOURCES = {"f": F, "why": WHY}
HONEST = ((2, F), (5, WHY))
# {what: (submitted cells, {place: source} of the cells that differ or are added, sources, own cells, notes)}
REBUILT = {
    "as it should be": (answers(*HONEST), {}, SOURCES, (), ()),
    "a missing answer": (
        answers((5, WHY), (2, None)),
        {2: ("raise NotImplementedError()", False, False)},
        {"why": WHY},
        (),
        ("cell f is missing; it counts as not attempted",),
    ),
    "an answer that stands twice": (
        answers(*HONEST, (3, [solution("f", "f = 2")])),
        {2: ("f = 2", True, False)},
        SOURCES | {"f": "f = 2"},
        (),
        ("cell f stands twice; the last one was graded",),
    ),
    "a locked cell, changed": (
        answers(*HONEST, (3, "f = 3")),
        {},
        SOURCES,
        (),
        ("the locked cell f-test was changed; the course's version was used",),
    ),
    "a locked cell with other white space": (answers(*HONEST, (3, "\nassert f() == 1\n")), {}, SOURCES, (), ()),
    "a locked cell that is missing": (answers(*HONEST, (3, None)), {}, SOURCES, (), ()),
    "an own cell after an answer": (
        answers(*HONEST, (2, own("mine = 1"))),
        {2.5: ("mine = 1", True, False)},
        SOURCES,
        ("mine = 1",),
        (),
    ),
    "own cells in their order": (
        answers(*HONEST, (2, own("a = 1") + own("b = 2") + own("words", "markdown"))),
        {2.3: ("a = 1", True, False), 2.4: ("b = 2", True, False), 2.5: ("words", True, False)},
        SOURCES,
        ("a = 1", "b = 2"),
        (),
    ),
    "an own cell after a locked one": (
        answers(*HONEST, (3, own("mine = 1"))),
        {3.5: ("mine = 1", True, False)},
        SOURCES,
        ("mine = 1",),
        (),
    ),
    "an own cell after the course's set-up": (
        answers(*HONEST, (1, own("mine = 1"))),
        {1.5: ("mine = 1", True, False)},
        SOURCES,
        ("mine = 1",),
        (),
    ),
    "own cells before everything": (
        [*own("mine = 1"), *answers(*HONEST)],
        {-0.5: ("mine = 1", True, False)},
        SOURCES,
        ("mine = 1",),
        (),
    ),
    "an empty own cell": (answers(*HONEST, (2, own(" \n"))), {}, SOURCES, (), ()),
    "cells below a task are its answer": (
        answers(*HONEST, (6, own("plot()") + own("It falls.", "markdown"))),
        {6.4: ("plot()", True, True), 6.5: ("It falls.", True, False)},
        SOURCES | {"draw": "plot()\n\nIt falls."},
        ("plot()",),
        (),
    ),
    "cells below the next marked cell are not": (
        answers(*HONEST, (7, own("plot()"))),
        {7.5: ("plot()", True, False)},
        SOURCES,
        ("plot()",),
        (),
    ),
    "a set-up that is missing": (answers(*HONEST, (1, None)), {}, SOURCES, (), ()),
    "a changed set-up": (
        answers(*HONEST, (1, SETUP.replace("1", "2"))),
        {1.5: (SETUP.replace("1", "2"), True, False)},
        SOURCES,
        (SETUP.replace("1", "2"),),
        ("the course's cell 2 was changed; it ran first, then the student's version",),
    ),
    "a changed title": (
        [own("# Mine", "markdown")[0], *answers(*HONEST)[1:]],
        {-0.5: ("# Mine", True, False)},
        SOURCES,
        (),
        (),
    ),
}


@pytest.mark.parametrize("case", REBUILT)
def test_the_whole_notebook(case):
    submitted, differing, sources, own_cells, notes = REBUILT[case]
    made = rebuild(MASTER, file(*submitted))
    expected = {
        place: (SOURCES.get(c.grade_id, c.source), c.solution, c.by_hand) for place, c in enumerate(MASTER.cells)
    } | differing
    assert [(c.source, c.student, c.by_hand) for c in made.cells] == [expected[place] for place in sorted(expected)]
    assert [c.master for c in made.cells if c.master] == list(MASTER.cells)
    assert (made.sources, made.own_cells, made.notes) == (sources, own_cells, notes)
    # What may cost or give points is for a person too
    flags = tuple(note for note in notes if "is missing" in note or "stands twice" in note)
    assert (made.master, made.needs_review, made.problem, made.handed_in) == (MASTER, flags, "", True)


def test_the_locked_cells_that_a_file_lacks():
    whole = rebuild(MASTER, file(*answers(*HONEST)))
    assert whole.locked_missing == ()
    made = rebuild(MASTER, file(*answers((2, None), (3, None), (5, None), (7, None))))
    assert made.locked_missing == ("f-test", "end")


def test_an_answer_of_another_type_is_read_as_the_courses():
    cells = answers(*HONEST)
    cells[2]["cell_type"] = "markdown"
    made = rebuild(MASTER, file(*cells))
    assert made.notes == ("cell f was made a markdown cell; it is read as code",)
    assert made.cells[2].cell_type == "code" and made.steps[2].kind == CODE


def test_a_task_goes_on_below_a_plain_cell_of_the_course():
    master = load_released("hw", file(cell("Draw.", "markdown", grade_id="draw", task=True), cell("Hint.", "markdown")))
    made = rebuild(master, file(cell("Draw.", "markdown", grade_id="draw"), cell("Hint.", "markdown"), *own("plot()")))
    assert made.sources == {"draw": "plot()"} and made.cells[2].by_hand


def test_a_set_up_made_text_is_not_run_again():
    cells = answers(*HONEST)
    cells[1]["cell_type"] = "markdown"
    made = rebuild(MASTER, file(*cells))
    assert made.notes == () and made.own_cells == ()
    assert [(c.cell_type, c.source) for c in made.cells[1:3]] == [("code", SETUP), ("markdown", SETUP)]


def test_without_ids_a_changed_course_cell_is_the_most_alike_of_the_cells_there():
    cells = answers(*HONEST)
    for one in cells:
        one.pop("id", None)
    changed = SETUP.replace("1", "2")
    cells[1:2] = [cell("unlike"), cell(changed), cell(changed + "2"), cell(SETUP.replace("1", "3"), "markdown")]
    made = rebuild(MASTER, file(*cells))
    assert made.notes == ("the course's cell 2 was changed; it ran first, then the student's version",)
    # The others stay where they stand: after what comes before them
    assert made.own_cells == ("unlike", changed + "2", changed)
    assert [c.source for c in made.cells[:6]] == [
        "# Title",
        "unlike",
        changed + "2",
        SETUP.replace("1", "3"),
        SETUP,
        changed,
    ]


@pytest.mark.parametrize(("source", "alike"), [("abcdef", True), ("abcdef=", False)])
def test_a_cell_is_a_changed_course_cell_from_six_tenths_on(source, alike):
    master = load_released("hw", file(cell("abcdefghijklmn")))
    made = rebuild(master, file(cell(source)))
    note = "the course's cell 1 was changed; it ran first, then the student's version"
    assert made.notes == ((note,) if alike else ()) and made.own_cells == (source,)
    assert [c.source for c in made.cells] == [*[master.cells[0].source, source][:: 1 if alike else -1]]


def test_a_changed_course_cell_is_looked_for_among_twenty():
    master = load_released("hw", file(cell("abcdefghijklmn")))
    for others, found in ((19, 1), (20, 0)):
        made = rebuild(master, file(*[cell(str(number)) for number in range(others)], cell("abcdefghijklm")))
        assert len(made.notes) == found


def test_so_many_course_cells_are_compared_letter_by_letter(monkeypatch):
    master = load_released("hw", file(cell("abcdefghijklmn"), cell("0123456789 987654321")))
    submitted = file(cell("abcdefghijklmx"), cell("0123456789 98765432x"))
    for most, found in ((2, [1, 2]), (1, [1])):
        monkeypatch.setattr(matching, "COMPARED", most)
        notes = [f"the course's cell {i} was changed; it ran first, then the student's version" for i in found]
        assert list(rebuild(master, submitted).notes) == notes


def test_course_cells_of_the_same_text_are_found_one_after_the_other():
    master = load_released("hw", file(cell("x = 1"), solution("f"), cell("x = 1"), cell("y = 1", cell_id="y")))
    made = rebuild(master, file(cell("x = 1"), solution("f", F), cell("x = 1"), *own("z = 1"), cell("y = 1")))
    assert [c.source for c in made.cells] == ["x = 1", F, "x = 1", "z = 1", "y = 1"] and made.own_cells == ("z = 1",)
    # A third one is the student's own; an id that is found already is not found again
    made = rebuild(master, file(cell("x = 1"), cell("x = 1"), cell("x = 1"), cell("y = 1"), cell("y = 1", cell_id="y")))
    assert made.own_cells == ("x = 1", "y = 1")


def test_an_empty_locked_answer_cell_changes_nothing_where_hidden_tests_stand():
    saved = {"t": SourceCell("assert f() == 1\nassert f() != 2", "sum", "code", True, 3.0)}
    master = assignments._master("hw", file(cell("assert f() == 1", grade_id="t", grade=True, locked=True)), saved)
    for source in ("assert f() == 1", "assert f() == 1\nassert f() != 2"):
        assert rebuild(master, file(cell(source, grade_id="t"))).notes == ()
    assert rebuild(master, file(cell("", grade_id="t"))).notes == (
        "the locked cell t was changed; the course's version was used",
    )


def test_the_steps():
    made = rebuild(MASTER, file(*answers(*HONEST, (6, own("plot()") + own("words", "markdown")))))
    assert made.steps == (
        Step(TEXT, "# Title", 0),
        Step(CODE, SETUP, 1),
        Step(CODE, F, 2, True, "f"),
        Step(ASSERTS, "assert f() == 1", 3, False, "f-test", 3.0),
        Step(EXERCISE, CHECK, 4, False, "check", 2.0, ("neurons.preactivation", ("preactivation",))),
        Step(TEXT, WHY, 5, True, "why", 1.0, by_hand=True),
        Step(TEXT, "Draw it.", 6, False, "draw", 4.0, by_hand=True),
        Step(CODE, "plot()", 7, True, by_hand=True),
        Step(TEXT, "words", 8, True),
        Step(TEXT, "Read on.", 9, False, "end"),
    )


def test_a_graded_answer_in_code_is_run_and_not_checked():
    master = load_released("hw", file(solution("g", grade=True, points=1)))
    assert rebuild(master, file(solution("g", F))).steps == (Step(CODE, F, 0, True, "g", 1.0, by_hand=True),)


@pytest.mark.parametrize(
    ("data", "why", "problem", "handed_in"),
    [
        (None, "", "it was not handed in", False),
        (None, "a link", "a link", True),
        (b"", "", "the file is empty", True),
    ],
)
def test_what_cannot_be_read_is_the_master_with_a_note(data, why, problem, handed_in):
    made = rebuild(MASTER, data, why)
    note = (f"hw.ipynb was not graded: {problem}",)
    assert (made.problem, made.handed_in, made.notes, made.needs_review) == (problem, handed_in, note, note)
    assert [(c.cell_type, c.source, c.master, c.student, c.by_hand) for c in made.cells] == [
        (c.cell_type, c.source, c, False, c.by_hand) for c in MASTER.cells
    ]
    assert made.master is MASTER and made.sources == {} and made.own_cells == ()


def test_without_a_reason_there_was_no_file():
    assert not rebuild(MASTER, None).handed_in


# --- the file ---------------------------------------------------------------------------------------------------------


def raw_cells(count, source=""):
    return file(*[{"cell_type": "code", "source": source}] * count)


# {what: (bytes, the cells, the problem)}
PARSED = {
    "types, sources and ids": (
        file(
            cell(["a\n", "b"], cell_id="one", grade_id="x"),
            cell("t", "markdown"),
            {"cell_type": "raw", "source": "r", "metadata": 3, "id": 4},
            {"cell_type": "heading", "metadata": {"nbgrader": 3}},
            {"cell_type": "code", "source": "", "metadata": {"nbgrader": {"grade_id": 3}}},
        ),
        (
            SubmittedCell("code", "a\nb", "x", "one"),
            SubmittedCell("markdown", "t", "", None),
            SubmittedCell("raw", "r", "", None),
            SubmittedCell("raw", "", "", None),
            SubmittedCell("code", "", "", None),
        ),
        "",
    ),
    "half a surrogate pair": (file(cell("a\ud800")), (SubmittedCell("code", "a?", "", None),), ""),
    "a byte order mark": (b"\xef\xbb\xbf" + file(), (), ""),
    "white space": (b" \n", (), "the file is empty"),
    "a byte order mark alone": (b"\xef\xbb\xbf\n", (), "the file is empty"),
    "Windows-1252": (b'{"a": "\xff"}', (), "expected notebook format 4, got None"),
    "no encoding": (b'{"a": "\x81"}', (), "it is neither UTF-8, UTF-16 nor Windows-1252 (byte 7)"),
    "nested": (b"[" * 100_000, (), "it is nested too deeply"),
    "no JSON": (
        b"{",
        (),
        "it is not JSON (Expecting property name enclosed in double quotes: line 1 column 2 (char 1))",
    ),
    "a list": (b"[]", (), "it is JSON but not a notebook"),
    "no version": (b'{"cells": []}', (), "expected notebook format 4, got None"),
    "version true": (b'{"nbformat": true}', (), "expected notebook format 4, got True"),
    "version 4.0 of text": (b'{"nbformat": "4"}', (), "expected notebook format 4, got '4'"),
    "a long version": (
        json.dumps({"nbformat": "v" * 79}).encode(),
        (),
        f"expected notebook format 4, got '{'v' * 76}…",
    ),
    "a version of 80 characters": (
        json.dumps({"nbformat": "v" * 78}).encode(),
        (),
        f"expected notebook format 4, got '{'v' * 78}'",
    ),
    "no cells": (b'{"nbformat": 4}', (), "it has no list of cells"),
    "a cell that is none": (file(cell("a"), 3), (), "its cell 2 is not a notebook cell"),
    "a cell without type": (file({"source": "a"}), (), "its cell 1 is not a notebook cell"),
    "a type of numbers": (file({"cell_type": 3}), (), "its cell 1 is not a notebook cell"),
    "a source of numbers": (file(cell([1])), (), "its cell 1 is not a notebook cell"),
    "format 3": (
        b'{"nbformat": 3, "worksheets": 3}',
        (),
        "it has notebook format 3 and cannot be brought up to date (TypeError)",
    ),
}


@pytest.mark.parametrize("case", PARSED)
def test_what_is_read_of_a_file(case):
    data, cells, problem = PARSED[case]
    assert parse(data) == (cells, problem)


def test_the_limits_of_a_file(monkeypatch):
    monkeypatch.setattr(notebooks, "CELLS", 3)
    assert len(parse(raw_cells(3))[0]) == 3
    assert parse(raw_cells(4)) == ((), "it has 4 cells; at most 3 are read")
    monkeypatch.setattr(notebooks, "SOURCE_CHARACTERS", 2_000_000)
    assert len(parse(raw_cells(2, "x" * 10**6))[0]) == 2
    assert parse(raw_cells(3, "x" * 700_000)) == ((), "its cells hold more than 2 million characters")
    plain = file(cell("a"))
    monkeypatch.setattr(notebooks, "COMMAS", plain.count(b","))
    monkeypatch.setattr(notebooks, "BRACKETS", plain.count(b"[") + plain.count(b"{"))
    assert not parse(plain)[1]
    for piece in ("[", "{", ","):
        assert parse(file(cell(piece))) == ((), "it holds too many small pieces for a notebook")
    monkeypatch.setattr(notebooks, "NOTEBOOK_BYTES", 2_000_000)
    assert parse(b"{}" + b" " * 1_999_998)[1] == "expected notebook format 4, got None"
    assert parse(b"{}" + b" " * 1_999_999) == ((), "it is larger than 2 MB")


def test_format_3_is_brought_up_to_date():
    old = {"cell_type": "code", "input": ["f = 1"], "language": "python", "outputs": [], "metadata": {}}
    marked = dict(old, metadata={"nbgrader": {"grade_id": "f"}})
    data = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [marked], "metadata": {}}]}
    (read,), problem = parse(json.dumps(data).encode())
    assert (read.cell_type, read.source, read.grade_id, problem) == ("code", "f = 1", "f", "")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a", ""),
        ("\ufeffa".encode(), ""),
        ("ä".encode("cp1252"), "is not UTF-8 and was read as Windows-1252"),
        ('"ä"'.encode("utf-16-le"), "is not UTF-8 and was read as UTF-16-LE"),
        (b"<<<<<<< a\n=======\n>>>>>>> b\n", "holds a conflict of git; one of its two sides was graded"),
        (
            "<<<<<<< ä\n=======\n>>>>>>> b\n".encode("cp1252"),
            "is not UTF-8 and was read as Windows-1252, and holds a conflict of git; one of its two sides was graded",
        ),
        (b"\x81", ""),
    ],
)
def test_what_a_person_should_know_of_how_a_file_was_read(data, said):
    assert notebooks.how_read(data) == said


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("a\nb", ()),
        ("a\n<<<<<<< x\nb\n=======\nc\n>>>>>>> y\nd", ("a\nb\nd", "a\nc\nd")),
        ("<<<<<<< x\nb\n||||||| z\no\n=======\nc\n>>>>>>> y\n", ("b\n", "c\n")),
        ("<<<<<<< x\n1\n=======\n2\n>>>>>>> y\n-\n<<<<<<< x\n3\n=======\n4\n>>>>>>> y\n", ("1\n-\n3\n", "2\n-\n4\n")),
        # Not all of it
        ("<<<<<<< x\nb\n=======\nc\n", ()),
        ("<<<<<<< x\nb\n", ()),
        ("<<<<<<< x\n1\n=======\n2\n>>>>>>> y\n<<<<<<< x\n3", ()),
        ("=======\n||||||| <<<<<<< x\n>>>>>>> y\n", ()),
        (" <<<<<<< x\n=======\n>>>>>>> y\n", ()),
    ],
)
def test_the_two_sides_of_a_conflict(text, sides):
    assert notebooks._sides(text) == sides


def test_a_cell_of_format_3_is_made_light():
    plain = {"cell_type": "code", "input": "x", "language": "python", "outputs": [1], "metadata": None, "more": 1}
    assert notebooks._light(plain) == {
        "cell_type": "code", "input": "x", "language": "python", "metadata": {}, "outputs": []
    }  # fmt: skip
    marked = {
        "cell_type": "heading",
        "source": "s",
        "level": 2,
        "metadata": {"nbgrader": {"grade_id": "g", "points": 9}},
    }
    assert notebooks._light(marked) == {
        "cell_type": "heading", "source": "s", "level": 2, "metadata": {"nbgrader": {"grade_id": "g"}}
    }  # fmt: skip
    assert notebooks._light({"cell_type": "raw", "metadata": {"nbgrader": 3}})["metadata"] == {}


def test_format_3_of_too_many_cells(monkeypatch):
    monkeypatch.setattr(notebooks, "CELLS", 2)

    def sheets(*counts):
        one = {"cell_type": "raw", "source": "r"}
        return json.dumps({"nbformat": 3, "worksheets": [{"cells": [one] * count} for count in counts]}).encode()

    assert len(parse(sheets(1, 1))[0]) == 2
    assert parse(sheets(1, 2)) == ((), "it has more than 2 cells")


# --- the assignment ---------------------------------------------------------------------------------------------------


SAVED = {"f": SourceCell("kept", "sum", "code", False, None), "t": SourceCell("hidden", "sum2", "code", True, 3.0)}
RELEASED = (solution("f", "stub"), cell("shown", grade_id="t", grade=True, locked=True, points=1))


def small_course(folder, **more):
    (folder / "release").mkdir()
    (folder / "release" / "hw.ipynb").write_bytes(file(*RELEASED))
    places = {(step, ".", "hw"): folder / step for step in ("release", "source")}
    given = {"folder": lambda *call: places[call], "ignore": (), "students_keep": {"hw": ()}.__getitem__}
    return SimpleNamespace(**given | more)


def test_the_gradebook_has_the_last_word_on_locked_cells(tmp_path):
    course = small_course(tmp_path)
    (tmp_path / "source").mkdir()
    for step, name, text in (
        ("release", "data.txt", "old"),
        ("source", "data.txt", "new"),
        ("release", "more.txt", "m"),
        ("source", "hw.md", "the text of the assignment"),
        ("source", "hw1.md", "the text of the notebook"),
        ("source", "other.ipynb", "{}"),
        ("source", "notes.md", "n"),
    ):
        (tmp_path / step / name).write_text(text)
    (tmp_path / "release" / "hw.ipynb").rename(tmp_path / "release" / "hw1.ipynb")
    made = load_assignment(course, "hw", {"hw1": SAVED})
    assert made.name == "hw" and made.max_points == 3.0
    assert made.files == {"data.txt": b"new", "more.txt": b"m", "notes.md": b"n"}
    (master,) = made.notebooks
    assert master.name == "hw1"
    assert [(c.source, c.released, c.cell_type) for c in master.cells] == [
        ("stub", "stub", "code"),
        ("hidden", "shown", "code"),
    ]
    assert [c.marks for c in master.cells] == [
        {"grade_id": "f", "solution": True, "checksum": "sum", "cell_type": "code"},
        {"grade_id": "t", "grade": True, "locked": True, "points": 3.0, "checksum": "sum2", "cell_type": "code"},
    ]


def test_the_version_is_the_hash_of_all_of_it(tmp_path):
    course = small_course(tmp_path)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "b.txt").write_text("b")
    (tmp_path / "source" / "a.txt").write_text("a")
    digest = hashlib.sha256()
    digest.update(hashlib.sha256((tmp_path / "release" / "hw.ipynb").read_bytes()).digest())
    digest.update(repr(sorted(SAVED.items())).encode())
    for key in ("a.txt", "b.txt"):
        digest.update(repr(key).encode() + hashlib.sha256(key[:1].encode()).digest())
    assert load_assignment(course, "hw", {"hw": SAVED}).version == digest.hexdigest()


def test_what_an_assignment_lacks(tmp_path):
    course = small_course(tmp_path)
    (tmp_path / "source").mkdir()
    path = tmp_path / "release" / "gone.ipynb"
    for saved, message in (
        ({}, "the gradebook has no notebooks of 'hw'; release it: dlcourse release hw"),
        ({"gone": {}}, f"{path} is missing; release the assignment again: dlcourse release hw"),
        ({"hw": {"f": SAVED["f"]}}, "cell 't' of hw.ipynb is not in the gradebook; release the assignment again"),
        (
            {"hw": SAVED | {"u": SAVED["t"], "s": SAVED["t"], "r": SAVED["f"]}},
            "hw.ipynb lacks the graded cell 's'; release the assignment again",
        ),
    ):
        with pytest.raises(CourseError) as refused:
            load_assignment(course, "hw", saved)
        assert str(refused.value) == message
    (tmp_path / "release" / "hw.ipynb").write_bytes(file(*RELEASED, RELEASED[0]))
    with pytest.raises(CourseError) as refused:
        load_assignment(course, "hw", {"hw": SAVED})
    assert str(refused.value) == "cell 'f' of hw.ipynb is there twice; release the assignment again"


def test_the_files_beside_an_assignment_have_limits(tmp_path, monkeypatch):
    course = small_course(tmp_path, ignore=("*.bak",), students_keep={"hw": ("keep.txt", "none.txt")}.__getitem__)
    (tmp_path / "source").mkdir()
    for name in ("a.bak", "keep.txt", "link.txt"):
        (tmp_path / name).write_text("1")
        (tmp_path / "source" / name).symlink_to(tmp_path / name)
    # A course's own links are followed
    assert load_assignment(course, "hw", {"hw": SAVED}).files == {"link.txt": b"1"}
    monkeypatch.setattr(folders, "FILES", 1)
    with pytest.raises(CourseError) as refused:
        load_assignment(course, "hw", {"hw": SAVED})
    assert str(refused.value) == (
        "source/hw: more than 1 files were handed in; the rest was left out; files beside an assignment go into every sandbox"
    )


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({"kernelspec": {"language": "python"}}, ""),
        ({"kernelspec": {"language": " R "}}, "R"),
        ({"kernelspec": {"language": "IPython3"}, "language_info": {"name": "R"}}, ""),
        ({"language_info": {"name": "julia"}}, "julia"),
        ({"kernelspec": {"language": "", "name": "ir"}, "language_info": {"name": "julia"}}, "julia"),
        ({"kernelspec": {"name": "ir"}}, "ir"),
        ({"kernelspec": {"name": "julia-1.9"}}, "julia-1.9"),
        ({"kernelspec": {"name": "my R kernel"}}, "my R kernel"),
        ({"kernelspec": {"name": "irving"}}, ""),
        ({"kernelspec": {"name": "python3"}}, ""),
        ({"kernelspec": {"name": 3}}, ""),
        ({"kernelspec": 3, "language_info": [1]}, ""),
        ({}, ""),
        (None, ""),
        ([1], ""),
    ],
)
def test_the_language_of_a_notebook(metadata, language):
    assert assignments.language_of(metadata) == language


def test_an_assignment_in_another_language_is_refused(tmp_path):
    course = small_course(tmp_path)
    (tmp_path / "source").mkdir()
    (tmp_path / "release" / "hw.ipynb").write_bytes(file(metadata={"language_info": {"name": "R"}}))
    with pytest.raises(OtherLanguage) as refused:
        load_assignment(course, "hw", {"hw": {}})
    assert str(refused.value) == (
        "hw.ipynb is written in R, and this grader runs Python alone; grade this assignment with plain nbgrader: nbgrader "
        "autograde hw, meanwhile without the line c.Autograde.autograde_preprocessors in nbgrader_config.py"
    )


def test_the_imports_of_an_assignment_are_those_of_its_own_code(tmp_path):
    course = small_course(tmp_path, students_keep={"hw": ("handed.py",)}.__getitem__)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "helper.py").write_text("import polars")
    cells = [
        cell("import pandas, helper, handed"),
        cell("import never", "markdown"),
        solution("f", "import answers"),
        cell("import shown", grade_id="t", grade=True, locked=True),
    ]
    (tmp_path / "release" / "hw.ipynb").write_bytes(file(*cells))
    saved = SAVED | {"t": SourceCell("import hidden", "sum2", "code", True, 3.0)}
    assert load_assignment(course, "hw", {"hw": saved}).imports == ("import hidden", "import pandas", "import polars")


def test_a_released_cell_without_text():
    with pytest.raises(CourseError) as refused:
        load_released("hw", file(cell(3)))
    assert str(refused.value) == "a released cell has a source of type int; release again"


def test_marks_that_mark_nothing_leave_a_cell_plain():
    plain = cell("x = 1", grade_id="x", grade=False, solution=False)
    plain["metadata"]["tags"] = ["a"]
    (made,) = load_released("hw", file(plain)).cells
    assert (made.marks, made.metadata, made.source) == (None, {"tags": ["a"]}, "x = 1")
    locked = cell("x = 1", "code", "i", grade_id="x", locked=True, cell_type="markdown", checksum="c")
    (made,) = load_released("hw", file(locked, metadata={"k": 1})).cells
    assert (made.cell_type, made.marks["checksum"], made.id) == ("markdown", "c", "i")
    assert load_released("hw", file(metadata={"k": 1})).metadata == {"k": 1}
    assert load_released("hw", b'{"cells": []}').metadata == {} and load_released("hw", b'{"cells": []}').minor == 0


CALL = ("neurons.preactivation", ("preactivation",))
# {source of a graded cell: what it calls, or the error}
CALLS = {
    CHECK: CALL,
    f"{CHECK}\ncheck('neurons.preactivation', preactivation, hidden=True)": CALL,
    "check('neurons.preactivation', preactivation, hidden=x)": None,
    "check('neurons.preactivation', preactivation, secret=True)": None,
    "check('neurons.preactivation', preactivation())": None,
    "check(neurons, preactivation)": None,
    "check(3, preactivation)": None,
    "check()": None,
    "checks('neurons.preactivation', preactivation)": None,
    "a.check('neurons.preactivation', preactivation)": None,
    f"x = 1\n{CHECK}": None,
    f"x = {CHECK}": None,
    "": None,
    "check(": None,
    "x = '\0'": None,
    f"{CHECK}\ncheck('neurons.perceptron_predict', perceptron_predict)": (
        "cell 'c' of hw.ipynb checks several exercises: give each one its own cell"
    ),
    "check('neurons.preactivation', a, b)": (
        "cell 'c' of hw.ipynb: neurons.preactivation is answered by 1 functions (preactivation), got 2"
    ),
    "check('normalization.batchnorm', a)": (
        "cell 'c' of hw.ipynb: normalization.batchnorm is answered by 2 functions (batchnorm_forward, batchnorm_backward), "
        "got 1"
    ),
}


@pytest.mark.parametrize("source", CALLS)
def test_a_cell_that_only_calls_check(source):
    expected = CALLS[source]
    data = file(cell(source, grade_id="c", grade=True, locked=True))
    if isinstance(expected, str):
        with pytest.raises(CourseError) as refused:
            load_released("hw", data)
        assert str(refused.value) == expected
    else:
        assert load_released("hw", data).cells[0].calls == expected


def test_a_cell_that_calls_an_unknown_exercise():
    with pytest.raises(CourseError, match=r"^cell 'c' of hw\.ipynb: there is no exercise 'neurons\.x'"):
        load_released("hw", file(cell("check('neurons.x', x)", grade_id="c", grade=True)))


@pytest.mark.parametrize("marks", [{"grade": False, "locked": True}, {"grade": True, "solution": True}])
def test_only_graded_cells_that_are_no_answers_are_looked_through(marks):
    assert load_released("hw", file(cell(CHECK, grade_id="c", **marks))).cells[0].calls is None
    text = cell(CHECK, "markdown", grade_id="c", grade=True)
    assert load_released("hw", file(text)).cells[0].calls is None


def test_the_calls_of_any_cell():
    source = "%matplotlib inline\n !ls\nx = 1; check('b', f); check('a', g)\nif x:\n    print(check('c'))\nprint(1)"
    assert find_calls(source) == [("b", ("f",)), ("a", ("g",)), ("c", ())]
    assert find_calls("if x:\n  %time\n  check('d')") == [("d", ())]
    assert find_calls("check('a'") == [] == find_calls("'\0'")


# --- the folder -------------------------------------------------------------------------------------------------------


def submitted(folder, **files):
    """A submission's folder, and the course that finds it."""
    (folder / "ada" / "hw").mkdir(parents=True)
    for name, text in files.items():
        (folder / "ada" / "hw" / name.replace("__", ".")).write_text(text)
    return SimpleNamespace(
        folder=lambda step, *names: folder.joinpath(*names[step != "submitted" :]), ignore=("*.pyc",), timezone="UTC"
    )


def test_folders_in_the_place_of_what_counts(tmp_path):
    for name in ("hw.ipynb", "timestamp.txt", "data.csv", "inner/x.ipynb"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.txt").write_text("a")
    found = read_folder(tmp_path, ())
    assert found.broken == {"hw.ipynb": "it is a folder", "timestamp.txt": "it is a folder"}
    assert found.notes == [f"the file {name} was left out: it is a folder" for name in ("timestamp.txt", "hw.ipynb")]
    assert sorted(found.files) == ["data.csv/a.txt", "hw.ipynb/a.txt", "inner/x.ipynb/a.txt", "timestamp.txt/a.txt"]


def test_a_folder_of_far_too_many_files_is_not_read(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    for name in ("a", "b", "in/c", "in/d", "in/e"):
        (tmp_path / name).write_text("x")
    monkeypatch.setattr(folders, "ENTRIES", 3)
    assert len(read_folder(tmp_path, ()).files) == 5
    monkeypatch.setattr(folders, "ENTRIES", 2)
    assert read_folder(tmp_path, ()).problem == "its folder cannot be read (it holds more than 2 files)"
    (tmp_path / "b").unlink()
    found = read_folder(tmp_path, ())
    assert (found.problem, list(found.files)) == ("", ["a"])
    assert found.notes == ["the file in was left out: cannot be read (it holds more than 2 files)"]
    (tmp_path / "in").rename(tmp_path / "in.ipynb")
    assert read_folder(tmp_path, ()).broken == {"in.ipynb": "cannot be read (it holds more than 2 files)"}


def test_the_time_comes_first_and_is_short(tmp_path, monkeypatch):
    for name in ("a.txt", "b.ipynb", "timestamp.txt"):
        (tmp_path / name).write_bytes(bytes(10_000))
    assert list(read_folder(tmp_path, ()).files) == ["timestamp.txt", "b.ipynb", "a.txt"]
    (tmp_path / "timestamp.txt").write_bytes(bytes(10_001))
    assert read_folder(tmp_path, ()).broken == {"timestamp.txt": "larger than 10 kB"}
    (tmp_path / "in").mkdir()
    (tmp_path / "timestamp.txt").rename(tmp_path / "in" / "timestamp.txt")
    assert "in/timestamp.txt" in read_folder(tmp_path, ()).files


def test_a_time_that_cannot_be_read_is_no_time_that_is_missing(tmp_path):
    course = submitted(tmp_path, real="2026")
    here = tmp_path / "ada" / "hw"
    assert read_submission(course, "ada", "hw").timestamp is None
    (here / "timestamp.txt").symlink_to(here / "real")
    assert read_submission(course, "ada", "hw").timestamp == "?"


COURSE_FILES = SimpleNamespace(
    files={"data/a.csv": b"12345", "lib": b"1"}, notebooks=(SimpleNamespace(name="hw"), SimpleNamespace(name="more"))
)
FILE = "the course has a file {} in the place of its folder"
# {what: (the student's files, the names that are kept, why the others are not)}
FITS = {
    "beside the course's": (
        {"own.py": b"1", "data/b.csv": b"2", "lib2/x": b"3"},
        ["own.py", "data/b.csv", "lib2/x"],
        {},
    ),
    "of the same names": ({"data/a.csv": b"9", "lib": b"9", "hw.ipynb": b"9"}, ["data/a.csv", "lib", "hw.ipynb"], {}),
    "below a file": ({"lib/x/y.py": b"1", "own.py": b""}, ["own.py"], {"lib/x/y.py": FILE.format("lib")}),
    "below a notebook": ({"more.ipynb/y": b"1"}, [], {"more.ipynb/y": FILE.format("more.ipynb")}),
    "in the place of a folder": ({"data": b"1"}, [], {"data": "the course has a folder of this name"}),
}


@pytest.mark.parametrize("what", FITS)
def test_files_that_can_lie_beside_the_courses(what):
    files, kept, left_out = FITS[what]
    made = Submission("ada", {}, files, "", notes=("before",))
    fitted = fit(made, COURSE_FILES)
    assert fitted.files == {name: files[name] for name in kept}
    assert fitted.notes == ("before", *(f"the file {name} was left out: {why}" for name, why in left_out.items()))
    assert (fitted is made) is (not left_out)


def test_files_beside_the_courses_have_one_room(monkeypatch):
    monkeypatch.setattr(submissions, "TOTAL_BYTES", 2_000_000)
    room = 2_000_000 - 6
    # What the course has itself takes none
    files = {"a": bytes(room - 1), "lib": bytes(100), "b": b"1", "c": b"2", "d": b""}
    fitted = fit(Submission("ada", {}, files, ""), COURSE_FILES)
    assert list(fitted.files) == ["a", "lib", "b", "d"]
    assert fitted.notes == ("the file c was left out: with the course's files it is more than 2 MB",)


def test_what_lies_in_the_folder(tmp_path):
    course = submitted(tmp_path, hw__ipynb="n", data__txt="d", x__pyc="p", timestamp__txt=" 2026 \n")
    (tmp_path / "ada" / "hw" / "inner").mkdir()
    (tmp_path / "ada" / "hw" / "inner" / "old.ipynb").write_text("o")
    read = read_submission(course, "ada", "hw")
    digest = hashlib.sha256()
    for name, data in (
        ("data.txt", b"d"),
        ("hw.ipynb", b"n"),
        ("inner/old.ipynb", b"o"),
        ("timestamp.txt", b" 2026 \n"),
    ):
        digest.update(f"{name!r} {len(data)}\n".encode() + data)
    digest.update(repr(([], [], "")).encode())
    files = {"data.txt": b"d", "timestamp.txt": b" 2026 \n"}
    assert read == Submission("ada", {"hw": b"n"}, files, digest.hexdigest(), "2026")


@pytest.mark.parametrize(("text", "timestamp"), [(b" \n", ""), (b"\xff", "\ufffd"), (b"now", "now")])
def test_the_time_of_a_submission(tmp_path, text, timestamp):
    course = submitted(tmp_path)
    (tmp_path / "ada" / "hw" / "timestamp.txt").write_bytes(text)
    assert read_submission(course, "ada", "hw").timestamp == timestamp


def test_links_and_what_is_missing(tmp_path):
    course = submitted(tmp_path, real="r")
    here = tmp_path / "ada" / "hw"
    for name in ("hw.ipynb", "x.txt"):
        (here / name).symlink_to(here / "real")
    (here / "inner").mkdir()
    (here / "inner" / "y.ipynb").symlink_to(here / "real")
    read = read_submission(course, "ada", "hw")
    why = "a link or nothing that can be read"
    assert read.broken == {"hw": why} and read.files == {"real": b"r"} and read.problem == ""
    names = ("hw.ipynb", "inner/y.ipynb", "x.txt")
    assert read.notes == tuple(f"the file {name} was left out: {why}" for name in names)
    (tmp_path / "bob").symlink_to(tmp_path / "ada")
    linked = read_submission(course, "bob", "hw")
    assert linked.problem == "the student's folder is a link" and linked.files == {} and linked.notes == ()
    missing = read_submission(course, "eve", "hw")
    assert missing.problem == "its folder cannot be opened (No such file or directory)"
    assert missing.digest != linked.digest != read.digest
    (tmp_path / "ada" / "hw2").symlink_to(here)
    assert read_submission(course, "ada", "hw2").problem.startswith("its folder cannot be opened")


def test_a_file_in_the_place_of_a_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.txt").write_text("a")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert read_folder(tmp_path / "file", ()).problem == "its folder cannot be opened (Not a directory)"
    assert read_folder(tmp_path / "link", ()).problem == "its folder cannot be opened (Not a directory)"
    assert read_folder(tmp_path / "link", (), links=True).files == {"a.txt": b"a"}


def test_other_things_than_files(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a\nb").write_text("x")
    for sign in ("\x1f", "\x7f", "\u202e"):
        (tmp_path / f"a{sign}b").write_text("x")
    (tmp_path / "a b").write_text("x")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    found = read_folder(tmp_path, ())
    assert found.files == {"a b": b"x"} and found.broken == {} and found.seen == 7 and found.size == 1
    assert found.notes == [
        "the file 'a\\nb' was left out: its name is not plain text",
        "the file 'a\\x1fb' was left out: its name is not plain text",
        "the file 'a\\x7fb' was left out: its name is not plain text",
        "the file 'a\\u202eb' was left out: its name is not plain text",
        "the file gone was left out: a link or nothing that can be read",
        "the file pipe was left out: no regular file",
    ]
    assert read_folder(tmp_path, (), links=True).notes[4] == "the file gone was left out: No such file or directory"


def test_names_with_half_a_surrogate_pair(tmp_path):
    for name in (b"a\xff", b"\xed\x9f\xbf"):
        with open(os.fsencode(tmp_path) + b"/" + name, "wb"):
            pass
    found = read_folder(tmp_path, ())
    assert list(found.files) == ["\ud7ff"]
    assert found.notes == ["the file 'a\\udcff' was left out: its name is not plain text"]


def test_the_limits_of_a_folder(tmp_path, monkeypatch):
    for name in ("a.txt", "b.txt", "z.ipynb", "inner/w.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * 1_000_000)
    everything = dict.fromkeys(("a.txt", "b.txt", "inner/w.ipynb", "z.ipynb"), b"x" * 1_000_000)
    monkeypatch.setattr(folders, "FILES", 5)
    monkeypatch.setattr(folders, "TOTAL_BYTES", 4_000_000)
    monkeypatch.setattr(folders, "FILE_BYTES", 1_000_000)
    monkeypatch.setattr(folders, "NOTEBOOK_BYTES", 1_000_000)
    found = read_folder(tmp_path, ())
    # Notebooks first
    assert found.files == everything and next(iter(found.files)) == "z.ipynb" and not found.notes
    assert found.size == 4_000_000 and found.seen == 5
    monkeypatch.setattr(folders, "TOTAL_BYTES", 3_999_999)
    found = read_folder(tmp_path, ())
    assert found.notes == ["the file inner/w.ipynb was left out: the submission is larger than 3 MB"]
    assert found.size == 3_000_000
    monkeypatch.setattr(folders, "TOTAL_BYTES", 9_000_000)
    monkeypatch.setattr(folders, "NOTEBOOK_BYTES", 999_999)
    found = read_folder(tmp_path, ())
    assert found.broken == {"z.ipynb": "larger than 999 kB"} and set(found.files) == set(everything) - {"z.ipynb"}
    monkeypatch.setattr(folders, "FILE_BYTES", 999_999)
    assert read_folder(tmp_path, ()).files == {}
    monkeypatch.setattr(folders, "FILES", 3)
    assert read_folder(tmp_path, ()).notes[-1] == "more than 3 files were handed in; the rest was left out"
    monkeypatch.setattr(folders, "FILES", 5)
    monkeypatch.setattr(folders, "DEPTH", 1)
    found = read_folder(tmp_path, ("?.txt", "z.*"))
    assert found.files == {} and found.notes == ["the file inner was left out: deeper than 1 folders"]


def test_depth_and_links_inside_folders(tmp_path, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.txt").write_text("c")
    (tmp_path / "a" / "link.txt").symlink_to(tmp_path / "a" / "b" / "c.txt")
    assert read_folder(tmp_path, (), links=True).files == {"a/b/c.txt": b"c", "a/link.txt": b"c"}
    monkeypatch.setattr(folders, "DEPTH", 2)
    assert read_folder(tmp_path, (), links=True).files == {"a/link.txt": b"c"}
    assert read_folder(tmp_path, ()).notes[0] == "the file a/b was left out: deeper than 2 folders"


def test_a_file_that_changes_while_it_is_read(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("x")
    kind = os.stat(tmp_path / "a")

    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise OSError(5, "Input/output error")

    found = folders.Folder()
    folders._read_file(Broken(), kind, "a.ipynb", found)
    assert found.broken == {"a.ipynb": "cannot be read (Input/output error)"} and found.files == {}
    assert found.notes == ["the file a.ipynb was left out: cannot be read (Input/output error)"]
    monkeypatch.setattr(folders, "FILE_BYTES", 5)
    folders._read_file(io.BytesIO(b"0123456789"), kind, "a", found)
    assert found.files == {"a": b"01234"} and found.size == 5


def test_a_limit_is_said_in_whole_megabytes(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(bytes(1_900_001))
    for limit, words in ((1_900_000, "1 MB"), (999_000, "999 kB")):
        monkeypatch.setattr(folders, "FILE_BYTES", limit)
        assert read_folder(tmp_path, ()).notes == [f"the file a was left out: larger than {words}"]


def test_every_folder_is_closed_again(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.txt").write_text("x")
    before = set(os.listdir("/proc/self/fd"))
    folders_depth = folders.DEPTH
    folders.DEPTH = 1
    try:
        read_folder(tmp_path, ())
    finally:
        folders.DEPTH = folders_depth
    read_folder(tmp_path, ())
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_file_of_ones_own_that_cannot_be_read_is_left_out(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    read = folders._read_file

    def fails(file, kind, path, found):
        if path == "a":
            raise OSError(5, "Input/output error")
        return read(file, kind, path, found)

    monkeypatch.setattr(folders, "_read_file", fails)
    assert read_own_folder(tmp_path) == {"b": b"b"}


def test_ones_own_folder(tmp_path, monkeypatch):
    for name in ("a.txt", "in/b.txt", "in/deep/c.txt", ".hidden", "n.ipynb", "m.pyc", "__pycache__/d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "link").symlink_to(tmp_path / "a.txt")
    everything = {name: name.encode() for name in ("a.txt", "in/b.txt", "in/deep/c.txt")}
    assert read_own_folder(str(tmp_path)) == everything and read_own_folder(tmp_path / "none") == {}
    monkeypatch.setattr(folders, "DEPTH", 2)
    assert set(read_own_folder(tmp_path)) == {"a.txt", "in/b.txt"}
    monkeypatch.setattr(folders, "DEPTH", 8)
    monkeypatch.setattr(folders, "FILES", 4)
    assert set(read_own_folder(tmp_path)) == {"a.txt", "in/b.txt"}
    monkeypatch.setattr(folders, "FILES", 6)
    assert read_own_folder(tmp_path) == everything


# --- all of it --------------------------------------------------------------------------------------------------------


def test_every_notebook_of_an_assignment():
    second = load_released("second", file(solution("s")))
    imports = ("from own import f", "import pandas")
    course = SimpleNamespace(name="a", notebooks=(MASTER, second), files={"data.txt": b"1"}, imports=imports)
    handed_in = Submission("ada", {"second": file(solution("s", F))}, {"data.txt": b"2", "own.py": b"3"}, "")
    first, other = rebuild_submission(course, handed_in)
    assert first.problem == "it was not handed in" and not first.handed_in and not other.problem
    (task,) = make_tasks(course, handed_in, (first, other), 7)
    files = {"data.txt": b"1", "own.py": b"3"}
    assert task == Task("ada", "a", "second", other.steps, 7, files, imports=("import pandas",))


@pytest.mark.parametrize(
    ("submission", "problem", "handed_in"),
    [
        ({"problem": "its folder is a link"}, "its folder is a link", True),
        ({"broken": {"hw": "a link"}, "notebooks": {"x": b""}}, "a link", True),
        (
            {"notebooks": {"hw1": b"", "hw0": b"", "hw3": b"", "hw4": b""}},
            "it was not handed in under this name; there is hw0.ipynb, hw1.ipynb, hw3.ipynb",
            True,
        ),
        ({"notebooks": {"hw": b"", "hw0": b""}}, "the file is empty", True),
        ({}, "it was not handed in", False),
    ],
)
def test_why_there_is_no_notebook(submission, problem, handed_in):
    given = {"notebooks": {}, "files": {}, "digest": ""} | submission
    course = SimpleNamespace(name="a", notebooks=(MASTER,), files={})
    (made,) = rebuild_submission(course, Submission("ada", **given))
    assert (made.problem, made.handed_in) == (problem, handed_in)
