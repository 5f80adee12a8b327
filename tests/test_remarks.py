"""What a person is told of an answer's text, by the branch: calls of the course's functions, and tables."""

import pytest

from autograder.checks.exercise import get_exercise
from autograder.engine.remarks import CHARACTERS, NUMBERS, remarks
from autograder.engine.tasks import ASSERTS, CODE, EXERCISE, TEXT, Step

NAME = "neurons.preactivation"
CHECK = Step(EXERCISE, "check()", 9, grade_id="check", calls=(NAME, ("preactivation",)))


def answer(source, cell=3, grade_id=""):
    return Step(CODE, source, cell, student=True, grade_id=grade_id)


def course(source, kind=CODE):
    return Step(kind, source, 0)


@pytest.mark.parametrize(
    ("source", "called"),
    [
        ("from dlcourse import layers\nlayers.linear_forward(x)", "dlcourse.layers.linear_forward"),
        ("from dlcourse import layers as l\nf = l.linear_forward", "dlcourse.layers.linear_forward"),
        ("from dlcourse.layers import linear_forward as f\nf(x)", "dlcourse.layers.linear_forward"),
        ("import dlcourse.layers\ndlcourse.layers.linear_forward(x)", "dlcourse.layers.linear_forward"),
        ("import dlcourse.layers as l\nl.linear_forward(x)", "dlcourse.layers.linear_forward"),
        ("import dlcourse\ndlcourse.a.b(dlcourse.c.d)\ndlcourse.a.b()", "dlcourse.a.b, dlcourse.c.d"),
        ("%time\n  !ls\nfrom dlcourse import layers\nlayers.linear_forward(x)", "dlcourse.layers.linear_forward"),
        # Imported and not named; a module alone; another package; a name that is given
        ("from dlcourse import layers", ""),
        ("from dlcourse.layers import linear_forward", ""),
        ("from dlcourse import layers\nprint(layers)", ""),
        ("from dlcourse.layers import linear_forward\nlinear_forward = 1", ""),
        ("import numpy as np\nfrom other import f\nfrom . import g\nnp.linalg.norm(x); f(x); g(x)", ""),
        ("linear_forward(x)", ""),
        ("from dlcourse import (", ""),
        ("'\\d'\nfrom dlcourse import layers\nlayers.linear_forward(x)", "dlcourse.layers.linear_forward"),
    ],
)
def test_the_functions_of_the_course_that_an_answer_calls(source, called):
    assert remarks([answer(source), CHECK]) == ([f"cell 4: the answer calls {called}"] if called else [])


def test_what_the_courses_cells_and_earlier_answers_import_is_known():
    steps = [
        course("from dlcourse import layers"),
        course("from dlcourse import losses", TEXT),
        answer("from dlcourse import metrics\nlayers.a()", grade_id="f"),
        answer("layers.b(); metrics.c(); losses.d()", 5),
        course("layers.e()", ASSERTS),
    ]
    assert remarks(steps) == [
        "cell f: the answer calls dlcourse.layers.a",
        "cell 6: the answer calls dlcourse.layers.b, dlcourse.metrics.c",
    ]


def test_what_the_solution_of_a_check_calls_is_usual():
    name = "neurons.signed_distance"
    distance = Step(EXERCISE, "", 9, calls=(name, ("signed_distance",)))
    usual = sorted(name for function in get_exercise(name).solutions for name in function.__code__.co_names)[0]
    source = f"from dlcourse import layers\nlayers.{usual}(x); layers.other(x)"
    assert remarks([answer(source), distance]) == ["cell 4: the answer calls dlcourse.layers.other"]
    assert remarks([answer(source)]) == [f"cell 4: the answer calls dlcourse.layers.{usual}, dlcourse.layers.other"]


def table(count):
    return f"t = {list(range(count))}"


@pytest.mark.parametrize(
    ("source", "carried"),
    [
        (table(NUMBERS), ""),
        (table(NUMBERS + 1), f"{NUMBERS + 1} numbers"),
        (f"t = {[0.5, 1j] * 31}", "62 numbers"),
        (f"t = {[True] * 100}", ""),
        (f"t = {'x' * CHARACTERS!r}", ""),
        (f"t = {'x' * (CHARACTERS + 1)!r}", f"a text of {CHARACTERS + 1} characters"),
        (f"s = 'ab'; t = {b'x' * (CHARACTERS + 1)!r}", f"a text of {CHARACTERS + 1} characters"),
        (f"{table(61)}; s = {'x' * 2000!r}", "61 numbers"),
        (f"t = ({list(range(100))}", ""),
    ],
)
def test_a_table_that_an_answer_carries(source, carried):
    assert remarks([answer(source)]) == ([f"cell 4: the answer carries a table ({carried})"] if carried else [])
    assert remarks([course(source), Step(TEXT, source, 1, student=True)]) == []


def test_a_call_and_a_table_are_two_remarks():
    source = f"from dlcourse import layers\nlayers.a(); {table(61)}"
    assert remarks([answer(source, grade_id="f")]) == [
        "cell f: the answer calls dlcourse.layers.a",
        "cell f: the answer carries a table (61 numbers)",
    ]
