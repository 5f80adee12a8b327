"""Repairs: a cell begins with code that works and is wrong; what is asked are the mended functions and the places."""

import numpy as np
import pytest

from autograder import build, evaluate, exercises_of, get_exercise
from autograder.checks.drivers import Case, WrongAnswer
from autograder.checks.exercise import mended

NAMES = ("graph.repair_passes", "backpropagation.repair_layers", "recurrent.repair_sequence", "attention.repair_heads")


@pytest.mark.parametrize("name", NAMES)
def test_a_repair_begins_with_one_bug_and_with_three_in_numbered_lines(name):
    exercise = get_exercise(name)
    one, three = exercise.planted_lines
    assert (len(one), len(three)) == (1, 3) and exercise.planted_lines == exercise.functions[-1]()
    assert list(exercises_of(exercise.slug))[-2:] == [name, f"{exercise.slug}.project"]
    (cell,) = [
        cell
        for cell in build.instructor_notebook(exercise.slug).cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") == exercise.grade_id
    ]
    given, _, _ = cell.source.partition("    ### BEGIN SOLUTION\n")
    assert given.count("\ndef ") + 1 == 3 and "raise" not in given
    for number in three:
        assert f"# {number}\n" in given
    # The cell with its solution defines the mended functions behind the others
    space = {"np": np}
    exec(cell.source, space)
    assert evaluate(name, *(space[one] for one in exercise.function_names)).passed
    exec(f"{given}    raise NotImplementedError()", space)
    untouched = evaluate(name, *(space[one] for one in exercise.function_names))
    assert untouched.message.split("\n") == [
        f"○ {name}: 0 of 4 points.",
        "Not attempted yet: the functions are as they were given. Mend them, and let `places` say which lines were wrong.",
    ]
    assert (untouched.points, untouched.attempted) == (0.0, False)


def test_what_is_mended_and_what_is_found_earn_by_themselves():
    name = "graph.repair_passes"
    right, wrong = get_exercise(name).functions, get_exercise(name).planted_functions

    def points(*functions):
        return evaluate(name, *functions, withhold=False).points

    assert points(right[0], wrong[1], wrong[2]) == 0.8
    assert points(wrong[0], right[1], wrong[2]) == 1.6
    assert points(wrong[0], wrong[1], right[2]) == 1.6


def test_a_bug_that_is_left_is_named_by_what_it_shows_and_not_by_its_line():
    name = "graph.repair_passes"
    exercise = get_exercise(name)
    (left,) = [one for one in exercise.mistakes if one.slug == "bug_seen_in_dz"]
    result = evaluate(name, *left.functions)
    assert result.mistake == "bug_seen_in_dz"
    assert result.message.split("\n")[1] == (
        "This looks like a known mistake (bug seen in dz). In `two_paths` dz is still wrong. Move one entry of an input by a little "
        "h, and compare (loss(x + h) − loss(x − h))/2h with the gradient that comes back. On how many ways does z reach L?"
    )
    assert not any(str(number) in one.hint.split() for one in exercise.mistakes for number in (6, 11, 12, 14))


@pytest.mark.parametrize(
    "places, says",
    [
        (None, "`places` returns 2 lists of line numbers; yours returned None (is a `return` missing?)"),
        ([3], "`places` returns 2 lists of line numbers; yours returned a list of 1"),
        (([1.0], [2, 3, 4]), "`places` returns lists of line numbers, such as [3]; one of yours is a list of 1"),
        ((1, [2, 3, 4]), "`places` returns lists of line numbers, such as [3]; one of yours is an int"),
        (([1], [2, 3, 3]), "`places` returns lists of 1 and 3 different line numbers; one of yours has 3"),
        ((list(range(9)), [1, 2, 3]), "`places` returns lists of 1 and 3 different line numbers; one of yours has 9"),
    ],
)
def test_places_of_another_form_are_refused(places, says):
    case = Case("", extra={"which": 2, "counts": [1, 3]})
    with pytest.raises(WrongAnswer) as error:
        next(mended((None, None, lambda: places), case))
    assert str(error.value) == says


def test_the_lines_are_asked_in_grading_only():
    for name in NAMES:
        cases = get_exercise(name).cases(np.random.default_rng(0))
        assert {case.hidden for case in cases if "bug" in case.extra} == {True}
        assert sum(case.weight for case in cases if "bug" in case.extra) == 4.0


@pytest.mark.parametrize("name", NAMES)
def test_every_value_of_a_mended_function_is_asked(name):
    exercise = get_exercise(name)
    cases = [case for case in exercise.cases(np.random.default_rng(0)) if "outputs" in case.extra]
    values = exercise.functions[1](*cases[0].args)
    assert {place for case in cases for place in case.extra["outputs"].values()} == set(range(len(values)))


def test_mending_that_breaks_a_value_beside_it_costs_what_is_asked_with_it():
    name = "recurrent.repair_sequence"
    states, through_time, places = get_exercise(name).functions

    def halved(*args):
        loss, *gradients = through_time(*args)
        return loss / 2, *gradients

    result = evaluate(name, states, halved, places, withhold=False)
    assert [row.case for row in result.rows if not row.passed] == [
        f"three bugs, db and loss and dh0, {what}"
        for what in ("three sequences", "one input", "longer ones", "large inputs and errors")
    ]
    assert (result.passed, round(result.points, 2)) == (False, round(4 - 4 * 4 / 3 / 10, 2))
    assert "loss" in result.message


def test_values_of_the_first_function_are_not_looked_for_among_those_of_the_second():
    name = "graph.repair_passes"
    one_neuron, two_paths, places = get_exercise(name).functions

    def with_two_wrong(*args):
        loss, dw, dx, db = one_neuron(*args)
        return 2 * loss, dw, -dx, db

    result = evaluate(name, with_two_wrong, two_paths, places, withhold=False)
    assert {row.case.partition(",")[0] for row in result.rows if not row.passed} == {"one bug"}
    assert result.mistake is None
