"""Judging by the branch: exercises made up here, outcomes written by hand, and whole sentences."""

import hashlib
import time
from collections import namedtuple
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from autograder.checks import evaluation, limits, recognition
from autograder.checks.drivers import Case, Outcome, Withheld, WrongAnswer, data, plain, ready, run_case
from autograder.checks.evaluation import judge, problem, unusable
from autograder.checks.exercise import Exercise, Mistake, by_columns
from autograder.checks.limits import TooSlow
from autograder.checks.recognition import Seen, Way
from autograder.checks.result import CaseRow
from autograder.checks.scale import Scale


def double(x):
    """Twice x.

    Returns
    -------
    y : array. n : number of entries.
    """
    return 2 * x, x.size


def forward(x):
    """The half.

    Returns
    -------
    y : array. cache : x.
    """
    return x / 2, x


def backward(dy, x):
    """Its gradient.

    Returns
    -------
    dx : array.
    """
    return dy / 2 + 0 * x


def mistaken(slug, function, **more):
    return Mistake(slug, function, "Look again.", **more)


X = np.array([1.0, 2.0, 4.0])
CASES = (Case("plain", (X,), sum_length=16), Case("kept", (X + 1,), hidden=True, sum_length=16))
ONE = Exercise(
    "made.double",
    double,
    lambda rng: list(CASES),
    [
        mistaken("triple", lambda x: (3 * x, x.size)),
        mistaken("fourfold", lambda x: (5 * x, x.size), also=[lambda x: (4 * x, x.size)]),
        mistaken("raises", lambda x: 1 / 0),
        mistaken("changes", lambda x: (x.__imul__(7), x.size)),
    ],
    [lambda x: (x + x, x.size)],
)
PAIR = Exercise(
    "made.half",
    (forward, backward),
    lambda rng: [Case("one", (X,), dout=np.ones(3), sum_length=16)],
    [
        mistaken("other", (lambda x: (x / 2, x), lambda dy, x: dy / 5)),
        mistaken("late", (lambda x: (x, x), lambda dy, x: dy)),
    ],
)
MEASURED = Exercise(
    "made.measured",
    double,
    lambda rng: [Case("mean", (X,), tolerance=0.1)],
    [mistaken("ones", lambda x: np.ones(5)), mistaken("text", lambda x: "a")],
    measure=lambda value, case: np.mean(np.asarray(value[0], float)),
)
# Earns by a figure: from 0 to twice the first number of its case
GRADED = Exercise(
    "made.graded",
    lambda x: x[0],
    lambda rng: list(CASES),
    scales={"": Scale("accuracy", 0.0, 2.0, lambda value, case: float(value) / case.args[0][0])},
)
MADE = {exercise.name: exercise for exercise in (ONE, PAIR, MEASURED, GRADED)}


@pytest.fixture(autouse=True)
def made_up(monkeypatch):
    known = evaluation.get_exercise
    monkeypatch.setattr(evaluation, "get_exercise", lambda name: MADE.get(name) or known(name))


def outcome(value=None, part="", **more):
    return Outcome(part, value, **more)


ACCEPTED = (2 * X, 3)
PAIR_OF_NUMBERS = namedtuple("PairOfNumbers", "a b")
# {what: (outcome, the sentence)}
PROBLEMS = {
    "right": (outcome(ACCEPTED), ""),
    "wrong, with the value's name": (
        outcome((2 * X, 4)),
        "n: expected 3, got 4.",
    ),
    "wrong, and the input changed": (
        outcome((2 * X, 4), changed=("x", "w")),
        "n: expected 3, got 4. Your function also changes its input x, w.",
    ),
    "right, and the input changed": (
        outcome(ACCEPTED, changed=("x", "w")),
        "The values are right, but your function changes its input x, w: the caller still needs that array. Work on a copy, "
        "or make a new array.",
    ),
    "an error and its place": (
        outcome(error=ZeroDivisionError("division by zero"), where="line 3: 1 / 0"),
        "Your code raised ZeroDivisionError: division by zero (line 3: 1 / 0).",
    ),
    "an error without a place": (outcome(error=ValueError("no")), "Your code raised ValueError: no."),
    "an answer that cannot be used": (outcome(error=WrongAnswer("this is it")), "This is it."),
    "the course's own function": (
        outcome(error=Withheld(), where="line 1"),
        "Your code calls the course's own version of this function (line 1). Write it with NumPy, from the formula.",
    ),
    "too slow": (
        outcome(error=TooSlow("stopped after 3 seconds")),
        "Your code was stopped after 3 seconds. Is there an infinite loop?",
    ),
    "a recursion": (
        outcome(error=RecursionError("deep"), where="line 1"),
        "Your function calls itself without end (line 1).",
    ),
    "a part that is not written": (outcome(error=NotImplementedError()), "This part is not written yet."),
    "another signature": (
        outcome(error=TypeError("double() takes 1 positional argument but 2 were given")),
        "The call failed: double() takes 1 positional argument but 2 were given. Keep the given names and order of the arguments.",
    ),
    "another signature of an answer that stands in a function": (
        outcome(error=TypeError("f.<locals>.double() missing 1 required positional argument: 'x'")),
        "The call failed: f.<locals>.double() missing 1 required positional argument: 'x'. Keep the given names and order of "
        "the arguments.",
    ),
    "another signature of an answer without a name": (
        outcome(error=TypeError("f.<locals>.<lambda>() takes 0 positional arguments but 1 was given")),
        "The call failed: f.<locals>.<lambda>() takes 0 positional arguments but 1 was given. Keep the given names and order "
        "of the arguments.",
    ),
    "another signature of a function within the answer": (
        outcome(error=TypeError("f() takes 1 positional argument but 2 were given"), where="line 2: f(1, 2)"),
        "Your code raised TypeError: f() takes 1 positional argument but 2 were given (line 2: f(1, 2)).",
    ),
    "another signature of a function whose line is not known": (
        outcome(error=TypeError("f() missing 1 required positional argument: 'x'")),
        "Your code raised TypeError: f() missing 1 required positional argument: 'x'.",
    ),
    "the answer calls itself with other arguments": (
        outcome(error=TypeError("double() missing 1 required positional argument: 'x'"), where="line 2: double()"),
        "Your code raised TypeError: double() missing 1 required positional argument: 'x' (line 2: double()).",
    ),
    "right, but for what rounding leaves behind": (
        outcome(ACCEPTED, changed=("x",), rounded=True),
        "The values are right, but your function leaves its input x changed in the last digits: to add a number and to "
        "subtract it again does not give back the old one. Store the old number, and put it back.",
    ),
    "a TypeError about an argument": (
        outcome(error=TypeError("bad argument")),
        "Your code raised TypeError: bad argument.",
    ),
    "a TypeError about a call": (outcome(error=TypeError("f() is bad")), "Your code raised TypeError: f() is bad."),
    "another error with these words": (
        outcome(error=ValueError("argument of f()")),
        "Your code raised ValueError: argument of f().",
    ),
}


@pytest.mark.parametrize("case", PROBLEMS)
def test_the_sentence_of_an_outcome(case):
    given, sentence = PROBLEMS[case]
    assert problem(ONE, CASES[0], given, ACCEPTED) == sentence


def test_a_problem_is_compared_as_its_case_says():
    e = np.array([1.0, 1e-3])
    got = e * [1.0, 1.01]
    assert problem(PAIR, Case("a", (X,), sum_length=16, tolerance=1e-4), outcome(got, "backward"), e) == ""
    assert (
        problem(PAIR, Case("a", (X,), sum_length=16, tolerance=1e-4, relative=True), outcome(got, "backward"), e) != ""
    )
    assert problem(PAIR, Case("a", (X,), sum_length=16), outcome(got, "backward"), e) != ""
    many = outcome(e * (1 + 2e-13), "backward")
    assert problem(PAIR, Case("a", (X,), sum_length=16), many, e) != ""
    assert problem(PAIR, Case("a", (X,), sum_length=160), many, e) == ""
    # The number of examples is the first array's length
    assert "with 3 examples: is a division by their number missing?" in problem(
        PAIR, Case("a", (2, np.array(1.0), X), sum_length=16), outcome(3 * e, "backward"), e
    )


E = np.array([1.0, 1e-3])
# {what: (case, the answer's value, whether it is wrong)}
BOUNDS = {
    "within the tolerance": (Case("a", sum_length=16, tolerance=1e-4), E * [1.0, 1.01], False),
    "beyond the tolerance": (Case("a", sum_length=16, tolerance=1e-6), E * [1.0, 1.01], True),
    "each entry by its own size": (Case("a", sum_length=16, tolerance=1e-4, relative=True), E * [1.0, 1.01], True),
    "each entry within its own bound": (Case("a", sum_length=16, tolerance=0.1, relative=True), E * [1.0, 1.01], False),
    "rounding of a short sum": (Case("a", sum_length=16), E * (1 + 2e-13), True),
    "rounding of a long sum": (Case("a", sum_length=160), E * (1 + 2e-13), False),
}


@pytest.mark.parametrize("what", BOUNDS)
def test_whether_a_value_is_wrong_is_as_its_sentence_has_it(what):
    case, got, wrong = BOUNDS[what]
    assert evaluation.is_wrong(PAIR, case, outcome(got, "backward"), E) is wrong
    assert bool(problem(PAIR, case, outcome(got, "backward"), E)) is wrong
    # Of several values the ones that are wrong are known
    seen = evaluation._seen(PAIR, case, outcome((got, E + 1), "backward"), (E, E), "wrong")
    assert (seen.wrong, seen.inside) == (True, {0: wrong, 1: True})


def test_an_error_and_what_cannot_be_measured_are_wrong():
    assert evaluation.is_wrong(ONE, CASES[0], outcome(ACCEPTED, error=ValueError()), ACCEPTED) is True
    case = MEASURED.cases(None)[0]
    assert evaluation.is_wrong(MEASURED, case, outcome((X, 1)), (X, 1)) is False
    assert evaluation.is_wrong(MEASURED, case, outcome((X + 2, 1)), (X, 1)) is True
    assert evaluation.is_wrong(MEASURED, case, outcome("a"), (X, 1)) is True


@pytest.mark.parametrize(
    ("exercise", "given", "value", "inside"),
    [
        (ONE, outcome((X, 3)), (X, 4), {0: False, 1: True}),
        (ONE, outcome([X + 1, 4]), (X, 4), {0: True, 1: False}),
        (ONE, outcome({"a": 1, "b": 2}), {"a": 1, "b": 3}, {"a": False, "b": True}),
        # Values that cannot be put beside each other
        (ONE, outcome({"b": 2, "a": 1}), {"a": 1, "b": 3}, {}),
        (ONE, outcome((X, 3, 4)), (X, 4), {}),
        (ONE, outcome({0: X, 1: 3}), (X, 4), {}),
        (ONE, outcome((X, 3)), {0: X, 1: 4}, {}),
        (ONE, outcome((X,)), (X + 1,), {}),
        (ONE, outcome(X), X + 1, {}),
        (ONE, outcome((X, 3), error=ValueError()), (X, 4), {}),
        (MEASURED, outcome((X, 3)), (X, 4), {}),
    ],
)
def test_of_several_values_the_wrong_ones_are_known(exercise, given, value, inside):
    assert evaluation._seen(exercise, CASES[0], given, value, "It differs.") == Seen(given, True, inside)
    assert evaluation._seen(exercise, CASES[0], given, value, "") == Seen(given, False, {})


def test_a_measured_answer():
    case = MEASURED.cases(None)[0]
    assert problem(MEASURED, case, outcome((X + 2.0, 1)), (X + 2.05, 1)) == ""
    wrong = problem(MEASURED, case, outcome((X, 1)), (X + 2.0, 1))
    assert wrong == "The value: expected 4.33333, got 2.33333 (difference -2)."
    assert problem(MEASURED, case, outcome("a"), (X, 1)) == "Expected a tuple of 2, got the text 'a'."
    broken = replace(MEASURED, measure=lambda value, case: value[0] if value[1] == 1 else int("a"))
    assert problem(broken, case, outcome((X, 2)), (X, 1)) == (
        "Your answer could not be measured (ValueError: invalid literal for int() with base 10: 'a'); it returned a tuple of 2."
    )


@pytest.mark.parametrize(
    ("exercise", "functions", "sentence"),
    [
        (ONE, (double,), ""),
        (ONE, (), "Expected 1 function, double; got 0."),
        (PAIR, (forward,), "Expected 2 functions, forward, backward; got 1."),
        (PAIR, (forward, 3.0), "Expected the function backward itself (without parentheses), got a float."),
    ],
)
def test_what_cannot_be_called(exercise, functions, sentence):
    assert unusable(exercise, functions) == sentence


def test_data_that_an_answer_assigns():
    both = Exercise("made.data", (1.0, double), None, data=("a",), driver=data)
    assert unusable(both, (None, double)) == ""
    assert unusable(both, ()) == "Expected 2 values, a, double; got 0."
    assert unusable(both, (1.0, 3)) == "Expected the function double itself (without parentheses), got an int."
    text = "Not attempted yet: replace the line `raise NotImplementedError()` with your value, run its cell, then this one."
    assert unusable(both, (evaluation.MISSING, double)) == unusable(both, (1.0, evaluation.MISSING)) == text
    one = replace(both, reference=(1.0,), data=("a",))
    assert unusable(one, (1, 2, 3)) == "Expected 1 value, a; got 3."


def judged(exercise, *functions, **options):
    return evaluation.evaluate(exercise.name, *functions, **options)


def test_functions_that_cannot_be_called_are_no_attempt():
    result = judged(ONE)
    assert (result.attempted, result.rows, result.score) == (False, (), 0.0)
    assert result.message == "○ made.double: 0 of 1 point.\nExpected 1 function, double; got 0."


def half(x):
    return x / 2, x


def stub(*args):
    raise NotImplementedError


TEXT = "Not attempted yet: replace the line `raise NotImplementedError()` with your code, run its cell, then this one."


def test_a_stub_is_not_attempted_and_a_half_is():
    result = judged(PAIR, stub, stub)
    assert (result.attempted, result.passed, result.message) == (False, False, f"○ made.half: 0 of 1 point.\n{TEXT}")
    assert [(row.case, row.part, row.problem) for row in result.rows] == [
        ("one", "forward", TEXT),
        ("one", "backward", TEXT),
    ]
    result = judged(PAIR, half, stub)
    assert (result.attempted, result.score, result.mistake) == (True, 0.5, None)
    assert [row.problem for row in result.rows] == ["", "This part is not written yet."]


def test_the_rows_are_those_of_the_cases():
    result = judged(ONE, lambda x: (2 * x, x.size if x[0] == 1.0 else 0))
    assert [(row.case, row.part, row.passed, row.weight, row.hidden) for row in result.rows] == [
        ("plain", "", True, 1.0, False),
        ("kept", "", False, 1.0, True),
    ]
    assert result.rows[1].problem == "n: expected 3, got 0."
    assert result.message == (
        "✗ made.double: not right yet; 1 of 2 cases pass (0.5 of 1 point).\nAlso failing (revealed at grading): kept."
    )
    assert judged(ONE, lambda x: (2 * x, x.size if x[0] == 1.0 else 0), hidden=False).passed


def test_an_exercise_that_assesses_its_answers_itself_gets_the_cases_and_the_outcomes():
    heard, got = [], [[outcome(1)], [outcome(2)]]
    made = replace(ONE, assess=lambda *call: heard.append(call) or "the result")
    assert judge(made, CASES, None, got) == "the result" and heard == [(made, CASES, got)]


NOTHING = "0 earns nothing, 2 everything."
CHANGED = (
    "The values are right, but your function changes its input x: the caller still needs that array. Work on a copy, or make "
    "a new array."
)
# {what: (the outcome of the first case, of which 2 earns all: its problem, the share that it earns)}
SHARES = {
    "all of it": (outcome(2.0), "", 0.0),
    "a quarter": (outcome(0.5), f"The accuracy is 0.5; {NOTHING}", 0.25),
    "nothing": (outcome(-1.0), f"The accuracy is -1; {NOTHING}", 0.0),
    "an error": (outcome(2.0, error=ValueError("no")), "Your code raised ValueError: no.", 0.0),
    "what cannot be measured": (
        outcome("a"),
        "Your answer could not be measured (ValueError); it returned the text 'a'.",
        0.0,
    ),
    "a quarter, and a changed input": (
        outcome(0.5, changed=("x",)),
        f"The accuracy is 0.5; {NOTHING} Your function also changes its input x.",
        0.1875,
    ),
    "all of it, and a changed input": (outcome(2.0, changed=("x",)), CHANGED, 0.75),
}


@pytest.mark.parametrize("what", SHARES)
def test_what_earns_by_a_figure_earns_its_share(what):
    first, text, share = SHARES[what]
    result = judge(GRADED, CASES, [[1.0], [2.0]], [[first], [outcome(4.0)]])
    assert result.rows == (
        CaseRow("plain", "", not text, 1.0, False, text, share, True),
        CaseRow("kept", "", True, 1.0, True, "", 0.0, True),
    )
    assert result.score == ((share if text else 1.0) + 1) / 2
    assert evaluation.is_wrong(GRADED, CASES[0], first, 1.0) is (text not in ("", CHANGED))


def test_the_rows_of_a_figure_that_is_not_attempted_are_of_its_kind():
    result = judge(GRADED, CASES, [[1.0], [2.0]], [[outcome(error=NotImplementedError())]] * 2)
    assert [(row.credit, row.scaled, row.problem) for row in result.rows] == [(0.0, True, TEXT)] * 2
    assert evaluation.passed_without_content(GRADED.name, 0) == []


class Repair(Exercise):
    """As it is given it raises for the second case."""

    planted_functions = (lambda x: (x, x.size) if x[0] == 1.0 else [][0],)


REPAIR = Repair("made.repair", double, lambda rng: list(CASES), planted=("late",))
MADE[REPAIR.name] = REPAIR
AS_GIVEN = [outcome((X, 3)), outcome(error=IndexError("other words"))]


@pytest.mark.parametrize(
    ("number", "other", "cases", "given"),
    [
        (0, AS_GIVEN[0], CASES, True),
        (0, outcome((2 * X, 3)), CASES, False),
        (0, outcome(error=IndexError()), CASES, False),
        (1, outcome((X, 3)), CASES, False),
        (1, outcome(error=KeyError()), CASES, False),
        # Equal by the rules of the case
        (0, outcome((X * (1 + 2e-13), 3)), CASES, False),
        (0, outcome((X * (1 + 2e-13), 3)), (replace(CASES[0], sum_length=None), CASES[1]), True),
        (0, outcome((X * (1 + 2e-12), 3)), (replace(CASES[0], sum_length=None), CASES[1]), False),
        (0, outcome((X + [0.05, 0, 0], 3)), (replace(CASES[0], tolerance=0.02), CASES[1]), True),
        (0, outcome((X + [0.05, 0, 0], 3)), (replace(CASES[0], tolerance=0.02, relative=True), CASES[1]), False),
    ],
)
def test_a_repair_that_is_as_it_was_given_is_not_attempted(number, other, cases, given):
    flat = [other if i == number else one for i, one in enumerate(AS_GIVEN)]
    assert evaluation._as_given(REPAIR, cases, flat) is given
    if None in {case.sum_length for case in cases} and not given:
        return
    result = judge(REPAIR, cases, [[(2 * X, 3)], [(2 * X + 2, 3)]], [[one] for one in flat])
    text = "Not attempted yet: the functions are as they were given. Mend them, and let `places` say which lines were wrong."
    assert result.attempted is not given and (result.message.split("\n")[1] == text) is given
    if given:
        assert {row.problem for row in result.rows} == {text} and result.score == 0.0


def test_what_was_given_of_a_repair_passes_without_content(monkeypatch):
    answers = [("right", (double,), None), ("wrong", (lambda x: x,), None), ("taken off", (double,), (double,))]
    monkeypatch.setattr(evaluation, "cheap_answers", lambda exercise: iter(answers))
    everything = {("plain", ""), ("kept", "")}
    assert evaluation.passed_without_content(REPAIR.name, 5) == [("right", everything)]
    MADE["made.mended"] = Repair("made.mended", Repair.planted_functions[0], lambda rng: [CASES[0]], planted=("late",))
    assert evaluation.passed_without_content("made.mended", 5) == [("what was given", {("plain", "")})]
    MADE["made.plain"] = replace(ONE, name="made.plain")
    assert evaluation.passed_without_content("made.plain", 5) == [("right", everything)]


def test_a_released_exercise_brings_its_values():
    first, second = mistaken("a", double), mistaken("b", double)
    made = SimpleNamespace(cases=["a case"], expected=["a value"], empty=["what passes"], ways=[["w"], ["x", "y"]])
    MADE["made.released"] = Exercise("made.released", double, None, [first, second], released=made)
    assert evaluation.expected_values("made.released", 1) == (["a case"], ["a value"])
    assert evaluation.passed_without_content("made.released", 1) == ["what passes"]
    assert evaluation.known_way("made.released", 1, 1, 1, ("a",)) == Way(MADE["made.released"].mistakes[1], "y")


def raising(x):
    return {}["key"]


def changing(x):
    x *= 7
    return x, x.size


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (lambda x: (x + x + x, x.size), "triple"),
        (lambda x: (5.0 * x, x.size), "fourfold"),
        (lambda x: (4.0 * x, x.size), "fourfold"),
        (lambda x: (6.0 * x, x.size), None),
        (lambda x: (3 * x if x[0] == 1.0 else 4 * x, x.size), None),
        (lambda x: (3 * x if x[0] == 1.0 else 6 * x, x.size), None),
        (lambda x: 0 / 0, "raises"),
        (raising, None),
        (lambda x: 1 // 0, None),
        (changing, "changes"),
        (lambda x: (7 * x, x.size), None),
    ],
)
def test_a_mistake_is_recognised_by_every_case(answer, mistake):
    assert judged(ONE, answer).mistake == mistake


NAMED = Seen(outcome(changed=("x",)), True)
LEFT = Seen(outcome(ACCEPTED, changed=("x",), rounded=True), False)
WRITTEN = Seen(outcome(ACCEPTED, changed=("x",)), False)
KEPT = Seen(outcome(ACCEPTED), False)
BROKEN = Seen(outcome(error=ValueError(), changed=("x",)), True)


@pytest.mark.parametrize(
    ("seen", "slugs"),
    [
        ([KEPT, KEPT], []),
        ([KEPT, BROKEN], []),
        ([BROKEN, WRITTEN], ["changes_its_input"]),
        ([KEPT, WRITTEN], ["changes_its_input"]),
        ([KEPT, LEFT], ["not_restored"]),
        ([LEFT, WRITTEN], ["changes_its_input"]),
        # Where some of it is right, that decides whether rounding was left behind
        ([LEFT, NAMED], ["not_restored"]),
        ([WRITTEN, replace(LEFT, wrong=True)], ["changes_its_input"]),
        ([replace(LEFT, wrong=True)] * 2, ["not_restored"]),
        ([NAMED, replace(LEFT, wrong=True)], ["changes_its_input"]),
        # A known mistake that changes its input has said it
        ([Seen(outcome((7 * one, 3), changed=("x",)), True) for one in (X, X + 1)], ["changes"]),
        ([Seen(outcome((3 * one, 3), changed=("x",)), True) for one in (X, X + 1)], ["triple", "changes_its_input"]),
    ],
)
def test_a_changed_input_is_named_once(seen, slugs):
    found = evaluation._explanations(ONE, CASES, [seen], 0)
    assert [(one.mistake.slug, one.parts) for one in found] == [(slug, ()) for slug in slugs]


def test_a_changed_input_is_named_with_its_parts():
    (case,), right = PAIR.cases(None), [Seen(outcome(X / 2), False)]
    written = [Seen(outcome(X / 2, changed=("x",)), False)]
    for seen, parts in (([written, right], ("forward",)), ([written, written], ("forward", "backward"))):
        (one,) = evaluation._explanations(PAIR, [case], seen, 0)
        assert (one.mistake.slug, one.parts) == ("changes_its_input", parts)


def test_a_known_mistake_covers_the_changed_input_of_its_own_part_only():
    def late(dy, x):
        dy *= 3
        return dy

    case = Case("one", (X,), dout=np.ones(3), sum_length=16)
    made = Exercise("made.late", (forward, backward), lambda rng: [case], [mistaken("late", (forward, late))])
    MADE[made.name] = made
    backward_seen = [Seen(outcome(3 * np.ones(3), "backward", changed=("dout",)), True)]
    kept, written = ([Seen(outcome(X / 2, "forward", changed=names), False)] for names in ((), ("x",)))
    found = evaluation._explanations(made, [case], [kept, backward_seen], 0)
    assert [(one.mistake.slug, one.parts) for one in found] == [("late", ("backward",))]
    found = evaluation._explanations(made, [case], [written, backward_seen], 0)
    assert [(one.mistake.slug, one.parts) for one in found] == [
        ("late", ("backward",)),
        ("changes_its_input", ("forward",)),
    ]


def test_a_mistake_that_explains_another_part_comes_first():
    # The backward alone would be both; the forward decides
    result = judged(PAIR, lambda x: (x, x), lambda dy, x: dy)
    assert result.mistake == "late" and result.message.count("known mistake") == 1
    result = judged(PAIR, half, lambda dy, x: dy / 5)
    assert result.mistake == "other"
    result = judged(PAIR, lambda x: (x, x), lambda dy, x: dy / 5)
    assert result.mistake == "late" and [line.partition(")")[0] for line in result.message.split("\n")[1:3]] == [
        "Forward: this looks like a known mistake (late",
        "Backward: this looks like a known mistake (other",
    ]


def test_what_a_measure_makes_of_an_answer_names_it_where_both_have_one_form():
    assert judged(MEASURED, lambda x: np.array([1.0, 9.0, 9.0, 9.0, 9.0])).mistake == "ones"
    # The same mean, of other things
    assert judged(MEASURED, lambda x: (np.ones(2), 0)).mistake is None
    assert judged(MEASURED, lambda x: "b").mistake is None


def seen(value=None, wrong=True, **more):
    return Seen(outcome(value, **more), wrong)


@pytest.mark.parametrize(
    ("got", "made", "how"),
    [
        (seen(1.0), seen(1.0), "same"),
        (seen(1.0), seen(2.0), "other"),
        (seen(1.0), seen(2.0, wrong=False), "absent"),
        (seen(2.0, wrong=False), seen(1.0), "other"),
        (seen(2.0, wrong=False), seen(2.0, wrong=False), "absent"),
        (seen(1.0), seen(error=ValueError()), "other"),
        (seen(error=ValueError("a")), seen(1.0), "other"),
        # An error's type alone is not evidence; its message is where it arose in the same operation
        (seen(error=ValueError("a")), seen(error=ValueError("b")), "weak"),
        (seen(error=ValueError("a")), seen(error=ValueError("a")), "same"),
        (seen(error=ValueError("a"), operation="@"), seen(error=ValueError("a"), operation="+"), "weak"),
        (seen(error=ValueError("a"), operation="@"), seen(error=ValueError("a"), operation="@"), "same"),
        (seen(error=ValueError("f() of 0x7ff1")), seen(error=ValueError("g() of 0x8ee2")), "same"),
        (seen(error=ValueError()), seen(error=KeyError()), "other"),
        (seen(error=WrongAnswer("a")), seen(error=WrongAnswer("a")), "same"),
        (seen(error=WrongAnswer("a")), seen(error=WrongAnswer("b")), "weak"),
        (seen(error=RecursionError("a")), seen(error=RecursionError("b")), "same"),
        (seen(error=TooSlow("a")), seen(error=TooSlow("a")), "weak"),
        (seen(error=MemoryError("a")), seen(error=MemoryError("a")), "weak"),
        # A mistake that changes an input is not made by an answer that does not; any answer may also do that
        (seen(1.0), seen(1.0, changed=("x",)), "other"),
        (seen(1.0, changed=("x",)), seen(1.0), "same"),
        (seen(2.0, wrong=False, changed=("x",)), seen(2.0, wrong=False, changed=("x",)), "same"),
        (seen(2.0, wrong=False, changed=("x",)), seen(2.0, wrong=False, changed=("w",)), "other"),
        (seen(2.0, wrong=False, changed=("x",)), seen(2.0, wrong=False), "absent"),
        (seen(2.0, wrong=False), seen(2.0, wrong=False, changed=("x",)), "other"),
        (seen(1.0), seen(2.0, wrong=False, changed=("x",)), "other"),
        (seen(np.array([1 + 1e-6])), seen(np.array([1.0])), "other"),
        (seen("a"), seen(1.0), "other"),
        (seen(1.0), seen(object()), "other"),
    ],
)
def test_how_a_mistake_is_to_an_answer(got, made, how):
    assert recognition.likeness(ONE, CASES[0], got, made) == how


def test_answers_to_single_precision_are_alike_within_its_rounding():
    single = X.astype(np.float32)
    near = seen(np.array([1 + 1e-6])), seen(np.array([1.0]))
    for case, how in (
        (Case("a", (X, single), sum_length=16), "same"),
        (Case("a", (), {"x": single}, sum_length=16), "same"),
        (Case("a", (X, 3), sum_length=16), "other"),
        (Case("a", (single,), sum_length=16, tolerance=1e-9), "other"),
    ):
        assert recognition.likeness(ONE, case, *near) == how, case
    relative = seen(np.array([1.0, 1.01e-3])), seen(np.array([1.0, 1e-3]))
    assert recognition.likeness(ONE, Case("a", (X,), tolerance=1e-4), *relative) == "same"
    assert recognition.likeness(ONE, Case("a", (X,), tolerance=1e-4, relative=True), *relative) == "other"


def test_the_answer_is_asked_with_the_reference_withheld_unless_it_is_the_exercises_own():
    own = [ONE.functions, *ONE.variant_functions, *(way for mistake in ONE.mistakes for way in mistake.ways)]
    assert all(evaluation._is_own(ONE, functions) for functions in own)
    assert not evaluation._is_own(ONE, (lambda x: double(x),)) and not evaluation._is_own(ONE, ())
    assert evaluation._is_own(PAIR, (forward, backward)) and not evaluation._is_own(PAIR, (forward, forward))
    assert judged(ONE, double).passed and not judged(ONE, double, withhold=True).passed
    assert not judged(ONE, lambda x: double(x)).passed and judged(ONE, lambda x: double(x), withhold=False).passed
    assert double(X)[1] == 3


def test_withheld_functions_are_whole_again_even_after_an_error():
    def asks(x, *, scale=2):
        return scale * x

    with pytest.raises(KeyError), evaluation.withheld_functions((asks, np.sum)):
        with pytest.raises(Withheld):
            asks(1)
        assert np.sum([1]) == 1
        asks.__defaults__, asks.__kwdefaults__ = (5,), {"scale": 7}
        raise KeyError
    assert asks(1) == 2 and asks.__defaults__ is None


def test_the_time_of_an_answer(monkeypatch):
    given = []

    class Limit:
        def __init__(self, seconds):
            given.append(seconds)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            return False

    def slow(x):
        raise TooSlow("stopped")

    monkeypatch.setattr(evaluation, "time_limit", Limit)
    monkeypatch.setitem(MADE, ONE.name, Exercise(ONE.name, double, ONE.cases))
    heard = []
    for seconds, asked in ((30.0, [30.0, 1.0]), (0.5, [0.5, 0.5])):
        given.clear()
        evaluation.ask(MADE[ONE.name], (slow,), seconds=seconds, started=lambda *numbers: heard.append(numbers))
        assert given == asked
    assert heard == [(1, 2), (2, 2)] * 2
    given.clear()
    evaluation.ask(MADE[ONE.name], (double,))
    assert given == [evaluation.SECONDS] * 2
    cases, expected, got = evaluation.ask(MADE[ONE.name], (double,), hidden=False)
    assert [case.name for case in cases] == ["plain"] and len(expected) == len(got) == 1


def test_an_answer_that_takes_too_long_fails_in_every_part():
    (made, other) = evaluation.timed(PAIR, (lambda x: time.sleep(60), backward), PAIR.cases(None)[0], 0.05)
    assert (made.part, other.part) == ("forward", "backward")
    assert isinstance(made.error, TooSlow) and isinstance(other.error, TooSlow | WrongAnswer)
    assert limits.TooSlow is TooSlow


def test_a_case_that_ends_outside_of_the_answer_is_too_slow_in_every_part(monkeypatch):
    late = TooSlow("stopped")

    def ends(*call):
        raise late

    monkeypatch.setattr(evaluation, "run_case", ends)
    assert evaluation.timed(PAIR, (), CASES[0], 1.0) == [
        Outcome("forward", error=late),
        Outcome("backward", error=late),
    ]


def test_the_seconds_that_each_question_gets(monkeypatch):
    given, run = [], evaluation.timed

    def timed(exercise, functions, case, seconds):
        given.append(seconds)
        return run(exercise, functions, case, seconds)

    monkeypatch.setattr(evaluation, "timed", timed)
    evaluation._passed(ONE.name, (double,), 0)
    evaluation._as_given(REPAIR, CASES, AS_GIVEN)
    assert given == [2.0] * 4
    evaluation._way_of(ONE, ONE.mistakes[0], (double,), 0, ("kept",))
    evaluation._distance(ONE, lambda number: (double,), CASES[0], 0, (X, 3), 1.0)
    assert given[4:] == [5.0, evaluation.SECONDS_TO_FIT]
    # An exercise may give less than the course does, and not more
    hurried = replace(ONE, name="made.hurried", seconds=3.0)
    MADE[hurried.name] = hurried
    for seconds, asked in ((30.0, 3.0), (2.0, 2.0)):
        given.clear()
        evaluation.ask(hurried, (double,), seconds=seconds)
        assert given == [asked] * 2


def test_a_reference_that_fails_on_its_own_case_is_an_error():
    def broken(x):
        raise ValueError("broken")

    MADE["made.broken"] = Exercise("made.broken", broken, lambda rng: [Case("a", (X,))])
    with pytest.raises(RuntimeError) as raised:
        evaluation.expected_values("made.broken", 1)
    assert str(raised.value) == "the reference of made.broken fails on its own case 'a'"
    assert isinstance(raised.value.__cause__, ValueError)


def test_the_cases_are_those_of_the_seed_with_their_sum_length():
    def cases(rng):
        return [Case("a", (rng.standard_normal(40),)), Case("b", (X,), sum_length=7)]

    MADE["made.seeded"] = Exercise("made.seeded", double, cases)
    (first, second), expected = evaluation.expected_values("made.seeded", 3)
    assert np.array_equal(first.args[0], np.random.default_rng(3).standard_normal(40))
    assert first.sum_length >= 40 and second.sum_length == 7
    assert np.array_equal(expected[0][0][0], 2 * first.args[0]) and expected[0][0][1] == 40


@pytest.mark.parametrize(
    ("case", "sum_length"),
    [
        (Case("a", (X, np.ones((4, 5)), {"k": np.ones(30)})), 30),
        (Case("a", (X,), {"w": np.ones(50)}), 50),
        (Case("a", (X,), extra={"g": [np.ones(60), (np.ones(61),)]}), 61),
        (Case("a", (3, "x")), 16),
    ],
)
def test_the_sum_length_is_that_of_the_largest_input(case, sum_length):
    assert evaluation._sum_length(case) == sum_length


class Coin:
    """Stands for a generator: every second sign is negative."""

    def choice(self, values, shape):
        assert values == [-1, 1]
        return np.where(np.arange(np.prod(shape, dtype=int)) % 2, -1, 1).reshape(shape)


def test_single_precision_moves_every_float_by_one_unit_of_rounding():
    eps = np.finfo(np.float32).eps
    moved = np.array([1 + eps, 2 - 2 * eps, 4 + 4 * eps], np.float32)
    made = evaluation._in_single({"a": (X, [X, 3]), "n": np.arange(3), "s": "x"}, Coin())
    assert set(made) == {"a", "n", "s"} and made["s"] == "x" and made["n"].dtype.kind == "i"
    assert type(made["a"]) is tuple and type(made["a"][1]) is list and made["a"][1][1] == 3
    for array in (made["a"][0], made["a"][1][0]):
        assert array.dtype == np.float32 and array.tolist() == moved.tolist()
    # A tuple with names may be of the course: it stays as it is
    pair = PAIR_OF_NUMBERS(X, 1)
    assert evaluation._in_single(pair, Coin()) is pair


def test_errors_are_counted_in_units_of_single_precision():
    eps = float(np.finfo(np.float32).eps)
    near = X + [0.0, 8 * eps, 0.0]
    assert evaluation._rounding_errors(X, near) == pytest.approx([2.0])
    assert evaluation._rounding_errors((X, [2 * X, 3]), (near, [2 * X, 3])) == pytest.approx([2.0, 0.0])
    assert evaluation._rounding_errors({"a": X}, {"a": near}) == pytest.approx([2.0])
    assert evaluation._rounding_errors(np.arange(3), np.arange(3)) == [] == evaluation._rounding_errors(X[:0], X[:0])
    assert np.isnan(evaluation._rounding_errors(np.zeros(2), np.zeros(2))).all()


def test_digits_that_cancel_are_allowed_for():
    def cancels(x):
        return (x + 1e3) - 1e3

    made = Exercise("made.cancels", cancels, None)
    x = X / 3
    expected = [cancels(x)]
    plain = Case("a", (x,))
    assert 10 <= evaluation._conditioning(made, plain, expected) <= evaluation.LARGEST_CONDITIONING
    assert evaluation._conditioning(Exercise("made.same", lambda x: x, None), plain, [x]) in (1, 2)
    # A unit more than 1 is refused, a unit less is not
    refuses = Exercise("made.refuses", lambda x: cancels(x) if np.max(x) <= 1 else [][0], None)
    for below in (1 / 3, 0.1):
        x = np.array([1.0, below])
        assert evaluation._conditioning(refuses, Case("a", (x,)), [cancels(x)]) >= 10
    # What has its own bound keeps it
    for case in (replace(plain, tolerance=0.0), replace(plain, relative=True)):
        assert evaluation._conditioning(made, case, expected) == 1
    for options in ({"measure": np.mean}, {"scales": {"": GRADED.scales[""]}}):
        assert evaluation._conditioning(Exercise("made.cancels", cancels, None, **options), plain, expected) == 1


@pytest.mark.parametrize(
    ("moved", "units"),
    [
        ([0.0, 0.0, 0.0], 1),
        ([4.0, 8.0, 6.0], 2),
        ([4.0, 8.0, 10.0], 3),
        ([4.0, 4e4, 0.0], 10_000),
        # A jump, nothing that is finite, and no answer count for nothing
        ([8.0, 5e4, np.inf], 2),
        ([8.0, np.nan, None], 2),
    ],
)
def test_the_largest_of_three_errors_of_rounding_counts(monkeypatch, moved, units):
    eps, states, left = float(np.finfo(np.float32).eps), [], iter(moved)

    def rounded(exercise, case, rng):
        states.append(rng.bit_generator.state)
        much = next(left)
        return [outcome(error=ValueError()) if much is None else outcome(X + np.array([much * eps, 0.0, 0.0]))]

    monkeypatch.setattr(evaluation, "_rounded_outcomes", rounded)
    assert evaluation._conditioning(ONE, Case("a", (X,)), [X]) == units
    assert states == [np.random.default_rng(0).bit_generator.state] * 3


def test_all_that_an_answer_is_given_is_moved_by_a_unit_of_rounding():
    eps = np.finfo(np.float32).eps
    up_and_down = np.array([1 + eps, 2 - 2 * eps, 4 + 4 * eps], np.float32)
    down = np.array([1 - eps, 2 - 2 * eps, 4 - 4 * eps], np.float32)

    def driver(functions, case):
        yield "", functions[0](case.args[0], case.kwargs["k"], case.dout, case.extra["e"])

    case = Case("a", (X,), {"k": X}, dout=X, extra={"e": X})
    made = Exercise("made.moved", lambda *given: given, None, driver=driver)
    (moved,) = evaluation._rounded_outcomes(made, case, Coin())
    assert [x.tolist() for x in moved.value] == [up_and_down.tolist()] * 4
    # Where that is more than the function takes, everything becomes smaller
    made = replace(made, reference=lambda *given: given if all((x <= X).all() for x in given) else [][0])
    (moved,) = evaluation._rounded_outcomes(made, case, Coin())
    assert [x.tolist() for x in moved.value] == [down.tolist()] * 4


def test_a_right_answer_keeps_half_of_the_digits_of_its_type():
    assert [evaluation._half_of_the_digits(dtype) for dtype in (np.float16, np.float32, np.float64)] == [4, 362, 2**23]
    single, half = X.astype(np.float32), X.astype(np.float16)
    assert evaluation._dtypes([{"a": (X, 3), "b": "text"}, [single]]) == {X.dtype, single.dtype}
    assert evaluation._dtypes((half, np.arange(3), True)) == {half.dtype} and evaluation._dtypes(2.5) == {X.dtype}


@pytest.mark.parametrize(
    ("args", "batch"),
    [((), None), ((2, "x"), None), ((np.array(1.0), np.ones((4, 2)), X), 4), ((np.float64(1.0),), None)],
)
def test_the_number_of_examples(args, batch):
    assert evaluation._batch(Case("a", args)) == batch


@pytest.mark.parametrize(
    ("outcomes", "note"),
    [
        ([outcome(1), outcome(2)], ""),
        (
            [outcome(1), outcome(1, warned="overflow"), outcome(1, warned="other")],
            "NumPy warned on the way: overflow.",
        ),
        (
            [outcome(1, printed=" \n"), outcome(1, printed="\n a\nb\n"), outcome(1, printed="c")],
            "Your function prints ('a' …)",
        ),
        (
            [outcome(1, printed="x" * 70, warned="w")],
            f"NumPy warned on the way: w.\nYour function prints ('{'x' * 60}' …)",
        ),
    ],
)
def test_notes(outcomes, note):
    told = evaluation._notes(outcomes)
    assert told.replace("; remove that when you are done looking.", "") == note
    assert told.endswith("; remove that when you are done looking.") == ("prints" in note)


def test_notes_stand_under_right_and_wrong_answers():
    warned = [[outcome(ACCEPTED, warned="w")], [outcome((2 * (X + 1), 3))]]
    expected = [[ACCEPTED], [(2 * (X + 1), 3)]]
    result = judge(ONE, CASES, expected, warned)
    assert result.message == "✓ made.double: right, 1 point.\nNumPy warned on the way: w."
    warned[1][0] = outcome(3.0)
    assert judge(ONE, CASES, expected, warned).message.endswith("\nNumPy warned on the way: w.")


def test_seeds(monkeypatch):
    def number(text):
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")

    monkeypatch.delenv("DLCOURSE_SECRET", raising=False)
    assert evaluation.grading_seed() == evaluation.grading_seed("") == number("")
    monkeypatch.setenv("DLCOURSE_SECRET", "s")
    assert evaluation.grading_seed() == number("s") and evaluation.grading_seed("t") == number("t")
    assert evaluation.exercise_seed(5, "a.b") == number("5:a.b")


def test_the_seed_chooses_the_cases():
    triple = mistaken("triple", lambda x: (3 * x, x.size))
    MADE["made.named"] = Exercise("made.named", double, lambda rng: [Case(str(rng.integers(10**6)), (X,))], [triple])
    result = judged(MADE["made.named"], lambda x: (x + x + x, x.size), seed=4)
    assert [row.case for row in result.rows] == [str(np.random.default_rng(4).integers(10**6))]
    assert result.mistake == "triple"


def test_an_argument_replaced_by_another_kind_counts_as_changed():
    def answer(rows, table):
        rows[0], table["a"] = 1.0, None
        return 0.0

    (outcome,) = run_case(plain, [answer], Case("kinds", ([(1.0, 2.0)], {"a": {}})), [""])
    assert outcome.changed == ("rows", "table")


def test_a_recursion_that_ends_elsewhere_is_told_what_is_asked():
    def deep(x):
        return (2 * x, x.size) if x[0] == 1.0 else deep(x)

    def endless(x):
        return endless(x)

    rows = {row.case: row.problem.partition(" (line")[0] for row in judged(ONE, deep).rows}
    assert rows == {
        "plain": "",
        "kept": "Your function calls itself, and this case needs more calls inside each other than Python allows (about 1,000). "
        "Work through a loop, with a list of what is still to be done",
    }
    assert {row.problem.partition(" (line")[0] for row in judged(ONE, endless).rows} == {
        "Your function calls itself without end"
    }


def scaled(x, k):
    return k * x


SMALL, LARGE = np.array([1.0, 2.0]), np.array([10.0, 20.0])
# "one more" shows with k = 2 only, "cut" with large numbers only
TWO = Exercise(
    "made.scaled",
    scaled,
    lambda rng: [
        Case("small", (SMALL, 3), sum_length=16),
        Case("small, twice", (SMALL, 2), sum_length=16),
        Case("large", (LARGE, 3), sum_length=16),
        Case("large, four times", (LARGE, 4), sum_length=16),
    ],
    [
        mistaken("one_more", lambda x, k: (k + (k == 2)) * x),
        mistaken("cut", lambda x, k: np.minimum(k * x, 10.0)),
        mistaken("cut_for_all", lambda x, k: np.minimum(k * x, 5.0)),
        mistaken("raises", lambda x, k: k * x if k != 4 else x[9]),
    ],
)
MADE[TWO.name] = TWO


def one_more_and_cut(x, k):
    return np.minimum((k + (k == 2)) * x, 10.0)


def cut_and_fails(x, k):
    return np.minimum(k * x, 10.0) if k != 4 else {}["no"]


def fails_twice(x, k):
    return np.minimum(k * x, 10.0) if k == 3 else {}["no"] if k == 4 else [][1]


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        (lambda x, k: (k + (k == 2)) * x, ["one more"]),
        (lambda x, k: np.minimum(k * x, 10.0), ["cut"]),
        # Two mistakes that show in different cases
        (one_more_and_cut, ["one more", "cut"]),
        # One, and an exception that no mistake has; but not two exceptions
        (cut_and_fails, ["cut"]),
        (fails_twice, []),
        # An error of the mistake's type from another operation is another error
        (lambda x, k: k * x if k != 4 else x[9], ["raises"]),
        (lambda x, k: k * x if k != 4 else [][9], []),
        (lambda x, k: k * x if k != 4 else np.zeros(3)[9], []),
        # Where one of two would show as well, something else is wrong
        (lambda x, k: np.minimum(k * x, 10.0 if k == 3 else 5.0), []),
        (lambda x, k: np.minimum((k + (k == 2)) * x, 11.0), []),
    ],
)
def test_an_answer_with_two_mistakes_gets_both_names_or_none(answer, names):
    message = judged(TWO, answer, withhold=False).message
    assert [
        line.partition("(")[2].partition(")")[0] for line in message.split("\n") if "known mistake" in line
    ] == names


GRADIENTS = {
    # The whole is one mistake's
    "gradient_transposed": (lambda X, dU: dU.T @ X, lambda X, dU: dU.sum(axis=0)),
    "gradient_transposed, bias_not_summed": (lambda X, dU: dU.T @ X, lambda X, dU: dU),
    "gradient_transposed, bias_over_neurons": (lambda X, dU: dU.T @ X, lambda X, dU: dU.sum(axis=1)),
    # One of the two is nobody's
    "": (lambda X, dU: dU.T @ X, lambda X, dU: 2 * dU.sum(axis=0)),
}


@pytest.mark.parametrize("names", GRADIENTS)
def test_two_mistakes_in_two_of_the_values_that_are_returned_get_both_names_or_none(names):
    dW, db = GRADIENTS[names]
    result = evaluation.evaluate(
        "layers.linear",
        lambda X, W, b: (X @ W + b, (X, W)),
        lambda dU, cache: (dU @ cache[1].T, dW(cache[0], dU), db(cache[0], dU)),
    )
    assert result.message.count("known mistake") == len(names.split(", ")) * bool(names)
    assert all(f"known mistake ({name.replace('_', ' ')})" in result.message for name in names.split(", ") if name)


def test_a_case_by_columns_reaches_the_answer_as_a_transpose_does():
    case = by_columns(Case("a batch", (np.arange(6.0).reshape(2, 3),), {"w": [np.ones((3, 2))]}, dout=np.eye(2, 3)))
    given = ready(case)
    assert case.name == "a batch, stored by columns"
    arrays = given.args[0], given.kwargs["w"][0], given.dout
    assert [x.flags["F_CONTIGUOUS"] and not x.flags["C_CONTIGUOUS"] for x in arrays] == [True] * 3
    assert np.array_equal(given.args[0], case.args[0])

    # What is written into a reshaped array of its kind is lost
    def doubled(x):
        y = np.zeros_like(x)
        y.reshape(-1)[:] = 2 * x.ravel()
        return y

    (outcome,) = run_case(plain, (doubled,), replace(case, kwargs={}), [""])
    assert not outcome.value.any()


def test_cases_that_return_other_numbers_of_values_are_not_compared_value_by_value():
    cases = [Case("two", (SMALL, 2), sum_length=16), Case("one", (SMALL, 1), sum_length=16)]
    parted = Exercise(
        "made.parted",
        lambda x, k: {"first": x, **{f"number {i}": i * x for i in range(k)}},
        lambda rng: cases,
        [mistaken("twice", lambda x, k: {"first": 2 * x, **{f"number {i}": i * x for i in range(k)}})],
    )
    MADE[parted.name] = parted
    result = judged(parted, lambda x, k: {"first": 3 * x, **{f"number {i}": x - i for i in range(k)}})
    assert (result.mistake, result.score) == (None, 0.0)


def test_an_exception_beside_a_mistake_is_told_with_its_case():
    rows = {row.case: row.problem for row in judged(TWO, cut_and_fails).rows}
    assert rows["large, four times"].startswith("Your code raised KeyError: 'no' (line ")


# --- answers without content ------------------------------------------------------------------------------------------


def test_what_an_answer_gains_is_what_it_passes_without_the_right_functions_in_it():
    flat = (forward, lambda dy, x: 0 * dy)
    passed = {("one", PAIR.parts[0])}
    assert evaluation.gained(PAIR, flat, None, 0) == passed
    # The forward is the right one: nothing of it is the flat backward's
    assert evaluation.gained(PAIR, flat, (forward, lambda dy, x: 1 / 0), 0) == set()
    assert evaluation.gained(PAIR, (forward, backward), flat, 0) == {("one", PAIR.parts[1])}
    assert evaluation.gained(PAIR, (lambda x: 1 / 0, backward), None, 0) == set()
    # Each seed has its cases, each case its name, kept ones count too
    assert evaluation.gained(ONE, (lambda x: (X * 2, 3),), None, 0) == {("plain", ONE.parts[0])}
    assert evaluation.gained(ONE, (double,), None, 0) == {("plain", ONE.parts[0]), ("kept", ONE.parts[0])}


def test_the_way_of_a_mistake_is_what_it_makes_of_the_cases_that_are_asked():
    mistake = mistaken("made", lambda x: (x + X, x.size))
    way = evaluation._way_of(ONE, mistake, mistake.ways[0], 0, ("plain", "kept"))
    assert way.mistake is mistake and [[one.wrong for one in part] for part in way.seen] == [[False, True]]
    assert [one.outcome.value[0].tolist() for one in way.seen[0]] == [[2.0, 4.0, 8.0], [3.0, 5.0, 9.0]]
    (part,) = evaluation._way_of(ONE, mistake, mistake.ways[0], 0, ("kept",)).seen
    assert [one.wrong for one in part] == [True]


def test_how_far_a_number_is_from_an_answer():
    family = lambda theta: (lambda x: (theta * x, x.size),)
    far = [evaluation._distance(ONE, family, CASES[0], 0, (3 * X, 3), number) for number in (3.0, 2.0)]
    assert far == [0.0, pytest.approx(1 / 3)]
    assert evaluation._distance(ONE, lambda theta: (lambda x: 1 / 0,), CASES[0], 0, (3 * X, 3), 3.0) == np.inf
    # A measured answer by its measure
    case = MEASURED.cases(None)[0]
    assert evaluation._distance(MEASURED, family, case, 0, np.mean(3 * X), 3.0) == 0.0


def test_a_number_is_fitted_to_the_answers_value_of_its_case(monkeypatch):
    heard = []

    def scaled_by(theta):
        return (lambda x: (theta * x, x.size),)

    def shifted_by(theta):
        return (lambda x: (x + theta, x.size),)

    scaled_by.values = (3.0, 4.0)

    def fitted(far, near):
        heard.append((far(3.0), near))
        return 3.0 if near else None

    monkeypatch.setattr(evaluation, "fitted", fitted)
    mistake = SimpleNamespace(families=[scaled_by, shifted_by])
    seen = [[Seen(outcome((X, 3)), True), Seen(outcome((3 * (X + 1), 3)), True)]]
    (way,) = evaluation._fitted(ONE, CASES, seen, 0, ("plain", "kept"), mistake, 0, 1)
    assert heard == [(0.0, (3.0, 4.0)), (pytest.approx(7 / 15), ())]
    assert way.mistake is mistake
    assert [one.outcome.value[0].tolist() for one in way.seen[0]] == [[3.0, 6.0, 12.0], [6.0, 9.0, 15.0]]
    # Of a measured answer the measure is what is fitted
    heard.clear()
    (case,) = MEASURED.cases(None)
    evaluation._fitted(MEASURED, [case], [[Seen(outcome((3 * X, 3)), True)]], 0, ("mean",), mistake, 0, 0)
    assert heard[0] == (0.0, (3.0, 4.0)) and heard[1][0] > 0.0
