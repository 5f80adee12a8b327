"""Files that have lost their marks, were copied, split, merged, renamed: graded all the same, and said; never zero in silence."""

import json

import pytest
from test_rebuild import HONEST, MASTER, WHY, F, answers, cell, file, own, solution

from autograder.engine.ingest import Submission, load_released, rebuild, rebuild_submission
from autograder.engine.ingest import match as matching
from autograder.engine.ingest.assignment import Assignment

TWO = load_released(
    "two",
    file(
        cell("import numpy as np"),
        solution("f", "def f(x):\n    raise NotImplementedError()"),
        cell("assert f(1) == 2", grade_id="f-test", grade=True, locked=True, points=1),
        cell("Why?", "markdown"),
        solution("why", "YOUR ANSWER HERE", "markdown", grade=True, points=1),
        cell("And how?", "markdown"),
        solution("how", "YOUR ANSWER HERE", "markdown", grade=True, points=1),
        solution("g", "def g(x):\n    raise NotImplementedError()"),
        cell("assert g(1) == 3", grade_id="g-test", grade=True, locked=True, points=1),
    ),
)
GOOD_F, GOOD_G = "def f(x):\n    return x + 1", "def g(x):\n    return x + 2"
RIGHT = {"f": GOOD_F, "why": "So.", "how": "Thus.", "g": GOOD_G}


def handed_in(answers=RIGHT, marks=True, ids=False):
    """The cells of a student's file, with the marks or without."""
    cells = []
    for place, one in enumerate(TWO.cells):
        source = answers.get(one.grade_id, one.released)
        made = cell(source, one.cell_type, **({"grade_id": one.grade_id} if marks and one.grade_id else {}))
        cells.append(made | ({"id": f"c{place}"} if ids else {}))
    return cells


def with_ids():
    cells = [cell(one.released, one.cell_type, f"c{place}", **(one.marks or {})) for place, one in enumerate(TWO.cells)]
    return load_released("two", file(*cells))


GUESSED = (
    "cells f, g have lost nbgrader's mark; found by what is defined there",
    "cells why, how have lost nbgrader's mark; found by their place",
)


def test_without_any_mark_answers_are_found_by_names_and_places():
    made = rebuild(TWO, file(*handed_in(marks=False)))
    assert made.sources == RIGHT and made.own_cells == () and len(made.cells) == len(TWO.cells)
    assert made.needs_review == made.notes == GUESSED


def test_an_id_is_no_guess():
    made = rebuild(with_ids(), file(*handed_in(marks=False, ids=True)))
    assert made.sources == RIGHT and made.needs_review == () and made.own_cells == ()


def test_what_was_not_answered_is_found_by_its_text():
    made = rebuild(TWO, file(*handed_in({"f": GOOD_F}, marks=False)))
    released = {one.grade_id: one.released for one in TWO.cells if one.solution}
    assert made.sources == released | {"f": GOOD_F} and made.needs_review == (
        GUESSED[0].replace("cells f, g have", "cell f has"),
    )


def test_one_mark_that_is_lost():
    cells = handed_in()
    cells[4]["metadata"] = {}
    made = rebuild(TWO, file(*cells))
    assert made.sources == RIGHT and made.needs_review == (
        GUESSED[1].replace("cells why, how have", "cell why has").replace("their", "its"),
    )


def test_two_answers_beside_each_other_are_found_in_their_order():
    master = load_released(
        "hw", file(solution("a", "A?", "markdown"), solution("b", "B?", "markdown"), cell("End.", "markdown"))
    )
    made = rebuild(master, file(*own("one", "markdown"), *own("two", "markdown"), cell("End.", "markdown")))
    assert made.sources == {"a": "one", "b": "two"} and made.own_cells == () and len(made.cells) == 3
    assert made.needs_review == ("cells a, b have lost nbgrader's mark; found by their place",)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f(x):\n    return 1\nclass G:\n    def h(self): pass", {"f", "G"}),
        ("async  def f(x): pass\nx = 1", {"f"}),
        ("x = 1\ny: int = 2\n_z=3", {"x", "y", "_z"}),
        ("x == 1\n  y = 2\nz += 1\na.b = 3\nf(k=1)", set()),
        ("", set()),
    ],
)
def test_the_names_that_a_cell_defines(source, names):
    assert matching.defined_names(source) == names


def test_own_cells_stay_where_no_mark_is_lost():
    cells = handed_in()
    cells[2:2] = own("def f(x):\n    return 0")
    made = rebuild(TWO, file(*cells))
    assert made.sources == RIGHT and made.needs_review == () and made.own_cells == ("def f(x):\n    return 0",)


def test_more_cells_than_places_are_nobodys_guess():
    cells = handed_in(marks=False)
    cells[3:7] = [
        cell("Why?", "markdown"),
        *own("So.", "markdown"),
        *own("And?", "markdown"),
        *own("Thus.", "markdown"),
    ]
    made = rebuild(TWO, file(*cells))
    assert "why" not in made.sources and "how" not in made.sources
    assert made.needs_review == (
        GUESSED[0],
        "cell why is missing; it counts as not attempted",
        "cell how is missing; it counts as not attempted",
    )


STUB = TWO.cells[1].released
# {what: (the sources of the cells that carry the mark, what is graded, what is said)}
COPIES = {
    "split": (
        ["def f(x):\n    y = x", "    return y + 1"],
        "def f(x):\n    y = x\n    return y + 1",
        "twice; its parts were joined in their order",
    ),
    "a helper above": (
        ["def helper(x):\n    return x", GOOD_F],
        f"def helper(x):\n    return x\n{GOOD_F}",
        "twice; its parts were joined in their order",
    ),
    "two versions": (["def f(x): return 0", GOOD_F], GOOD_F, "twice; the last one was graded"),
    "an unfinished version below": ([GOOD_F, f"x = 1\n{STUB}"], GOOD_F, "twice; the last one was graded"),
    "a copy of the stub above": ([STUB, GOOD_F], GOOD_F, "twice; the one that is written on was graded"),
    "a copy of the stub below": ([GOOD_F, STUB, "\n"], GOOD_F, "3 times; the one that is written on was graded"),
    "the same twice": ([GOOD_F, GOOD_F], GOOD_F, "twice; the one that is written on was graded"),
    "nothing but stubs": ([STUB, STUB], STUB, "twice, always as it was handed out"),
}


@pytest.mark.parametrize("case", COPIES)
def test_an_answer_in_several_cells(case):
    sources, graded, said = COPIES[case]
    cells = handed_in()
    cells[1:2] = [solution("f", source) for source in sources]
    made = rebuild(TWO, file(*cells))
    assert made.sources["f"] == graded and made.needs_review == (f"cell f stands {said}",)
    assert len(made.cells) == len(TWO.cells)


def test_a_locked_cell_that_stands_twice_is_the_courses():
    cells = handed_in()
    cells[3:3] = [cell("assert True", grade_id="f-test", grade=True)]
    made = rebuild(TWO, file(*cells))
    assert made.needs_review == () and made.notes == ("cell f-test stands twice; the course's version was used",)


def test_an_answer_below_an_untouched_question_is_for_a_person():
    cells = handed_in({**RIGHT, "why": "YOUR ANSWER HERE"})
    cells[5:5] = own("Because it is so.", "markdown")
    made = rebuild(TWO, file(*cells))
    assert made.sources["why"] == "YOUR ANSWER HERE\n\nBecause it is so."
    assert made.needs_review == (
        "cell why is as it was handed out, and the student's own cells stand below it: a person is asked",
    )
    # Below an answer, and below a question that follows an answer, own cells are only the student's own
    cells = handed_in()
    cells[5:5] = own("More of it.", "markdown")
    assert rebuild(TWO, file(*cells)).needs_review == ()


def test_a_person_is_asked_although_the_question_is_as_it_was(monkeypatch):
    from autograder.engine import assemble

    monkeypatch.setattr(assemble, "unchanged", lambda master, source: source == "Your answer")
    for more, points in ((own("Because.", "markdown"), None), ([], 0.0)):
        made = rebuild(MASTER, file(*answers((2, F), (5, more))))
        made = type(made)(MASTER, made.cells, made.sources, problem="")
        found = {
            one.grade_id: assemble._by_person(one_cell, made).points
            for one_cell in made.cells
            if (one := one_cell.master) is not None and one.by_hand
        }
        assert found["why"] == points


ENCODINGS = {
    "utf-16": ("utf-16", "is not UTF-8 and was read as UTF-16"),
    "utf-16-le": ("utf-16-le", "is not UTF-8 and was read as UTF-16-LE"),
    "cp1252": ("cp1252", "is not UTF-8 and was read as Windows-1252"),
    "utf-8-sig": ("utf-8-sig", ""),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_other_encodings_are_read_and_said(encoding):
    name, said = ENCODINGS[encoding]
    cells = handed_in({**RIGHT, "why": "Schön, naïve."})
    text = json.dumps(json.loads(file(*cells)), ensure_ascii=False)
    made = rebuild(TWO, text.encode(name))
    assert made.sources["why"] == "Schön, naïve." and made.problem == ""
    assert made.needs_review == ((f"two.ipynb {said}",) if said else ())


@pytest.mark.parametrize("ancestor", ["", "||||||| base\n[\n"])
def test_a_conflict_of_git_is_one_of_its_sides(ancestor):
    text = json.dumps(json.loads(file(*handed_in())), indent=1)
    line = next(line for line in text.splitlines(keepends=True) if "x + 1" in line)
    theirs = line.replace("x + 1", "x + 9")
    text = text.replace(line, f"<<<<<<< HEAD\n{line}{ancestor}=======\n{theirs}>>>>>>> main\n")
    made = rebuild(TWO, text.encode())
    assert made.sources == RIGHT
    assert made.needs_review == ("two.ipynb holds a conflict of git; one of its two sides was graded",)
    # A side that is not JSON is not taken
    broken = text.replace(f"HEAD\n{line}", f"HEAD\n{line},,\n")
    assert rebuild(TWO, broken.encode()).sources["f"] == GOOD_F.replace("1", "9")


def submission(**notebooks):
    return Submission("ada", {name.replace("_", " "): data for name, data in notebooks.items()}, {}, "")


def test_a_renamed_notebook():
    assignment = Assignment("hw", (TWO,), {}, "")
    (made,) = rebuild_submission(assignment, submission(two_copy=file(*handed_in())))
    assert made.sources == RIGHT and made.needs_review == ("two.ipynb was handed in as two copy.ipynb",) == made.notes
    (made,) = rebuild_submission(assignment, submission(two_copy=file(*handed_in()), two=file(*handed_in())))
    assert made.needs_review == ("two copy.ipynb holds this assignment too; two.ipynb was graded",)
    # Not known which: a person has to say
    (made,) = rebuild_submission(assignment, submission(a=file(*handed_in()), b=file(*handed_in())))
    assert made.problem == "it was not handed in under this name; there is a.ipynb, b.ipynb"
    (made,) = rebuild_submission(assignment, submission(notes=file(cell("x = 1"))))
    assert made.problem == "it was not handed in under this name; there is notes.ipynb"


def test_each_of_several_renamed_notebooks_is_found():
    assignment = Assignment("hw", (TWO, MASTER), {}, "")
    two, hw = rebuild_submission(assignment, submission(b=file(*handed_in()), a=file(*answers(*HONEST))))
    assert two.needs_review == ("two.ipynb was handed in as b.ipynb",)
    assert hw.needs_review == ("hw.ipynb was handed in as a.ipynb",) and hw.sources == {"f": F, "why": WHY}
