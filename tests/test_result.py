"""What is made of the rows of an answer: points, and a message of whole lines for every mixture of cases."""

from types import SimpleNamespace

import pytest

from autograder.checks.result import CaseRow, Explanation, Result, result_of

EXERCISE = SimpleNamespace(name="a.b", points=2, parts=("",), together=False)
MISTAKE = Explanation(SimpleNamespace(slug="no_sum", hint="Add them up.", convention=False))
CONVENTION = Explanation(SimpleNamespace(slug="rows_first", hint="Columns are asked.", convention=True))
LOST = SimpleNamespace(slug="lost", hint="[All else is right.] Keep it.", convention=False)
OF_PARTS = Explanation(LOST, ("way back", "end"))


@pytest.mark.parametrize(
    ("hint", "alone", "beside"),
    [
        ("[The output is right.] Look back.", "The output is right. Look back.", "Look back."),
        ("`dH[:, t] = …` is lost.", "`dH[:, t] = …` is lost.", "`dH[:, t] = …` is lost."),
        ("Take [0] of it.", "Take [0] of it.", "Take [0] of it."),
    ],
)
def test_a_hint_says_what_is_right_only_where_nothing_else_is_wrong(hint, alone, beside):
    mistake = SimpleNamespace(slug="a", hint=hint, convention=False)
    assert (Explanation(mistake).hint, Explanation(mistake, alone=False).hint) == (alone, beside)


def row(case, passed=False, part="", weight=1.0, hidden=False, problem="it differs.", credit=0.0):
    return CaseRow(case, part, passed, weight, hidden, "" if passed else problem, credit)


HEAD = "✗ a.b: not right yet; "
# {what: (rows, options, score, passed, mistake, message)}
RESULTS = {
    "right": ([row("one", True), row("two", True)], {}, 1.0, True, None, "✓ a.b: right, 2 points."),
    "right, with a note": ([row("one", True)], {"note": "N."}, 1.0, True, None, "✓ a.b: right, 2 points.\nN."),
    "nothing could be asked": ([], {"note": "N.", "attempted": False}, 0.0, False, None, "○ a.b: 0 of 2 points.\nN."),
    "not attempted": (
        [row("one")],
        {"note": "N.", "attempted": False, "mistakes": []},
        0.0,
        False,
        None,
        "○ a.b: 0 of 2 points.\nN.",
    ),
    "one case fails": (
        [row("one"), row("two", True)],
        {},
        0.5,
        False,
        None,
        f"{HEAD}1 of 2 cases pass (1 of 2 points).\nCase “one”: it differs.",
    ),
    "a note comes last": (
        [row("one")],
        {"note": "N."},
        0.0,
        False,
        None,
        f"{HEAD}0 of 1 cases pass (0 of 2 points).\nCase “one”: it differs.\nN.",
    ),
    "cases count by their weight": (
        [row("one", True), row("two", weight=2.0)],
        {},
        1 / 3,
        False,
        None,
        f"{HEAD}1 of 2 cases pass (0.67 of 2 points).\nCase “two”: it differs.",
    ),
    "the part is named": (
        [row("one", True, "forward"), row("one", False, "backward")],
        {},
        0.5,
        False,
        None,
        f"{HEAD}1 of 2 cases pass (1 of 2 points).\nCase “one”, backward: it differs.",
    ),
    "a hidden case is named and not shown": (
        [row("one", True), row("two", hidden=True, problem="42")],
        {},
        0.5,
        False,
        None,
        f"{HEAD}1 of 2 cases pass (1 of 2 points).\nAlso failing (revealed at grading): two.",
    ),
    "hidden cases once each": (
        [
            row("h", part="forward", hidden=True),
            row("one", part="end"),
            row("h", part="backward", hidden=True),
            row("g", part="end", hidden=True),
        ],
        {},
        0.0,
        False,
        None,
        f"{HEAD}0 of 4 cases pass (0 of 2 points).\nCase “one”, end: it differs.\nAlso failing (revealed at grading): h, g.",
    ),
    "a hidden case that passes is not named": (
        [row("one"), row("two", True, hidden=True)],
        {},
        0.5,
        False,
        None,
        f"{HEAD}1 of 2 cases pass (1 of 2 points).\nCase “one”: it differs.",
    ),
    "the others by name": (
        [
            *(row(case, part=part) for case in ("one", "two", "three") for part in ("forward", "backward")),
            *(row(case, case == "four", part=part) for part in ("forward",) for case in ("four", "five")),
            *(row(case, part="backward") for case in ("four", "six")),
        ],
        {},
        0.1,
        False,
        None,
        f"{HEAD}1 of 10 cases pass (0.2 of 2 points).\nCase “one”, forward: it differs.\n"
        "Also failing: backward of “one”, “four”, “six”; “two”, “three”; forward of “five”.",
    ),
    "six others": (
        [row(name) for name in "abcdefg"],
        {},
        0.0,
        False,
        None,
        f"{HEAD}0 of 7 cases pass (0 of 2 points).\nCase “a”: it differs.\nAlso failing: “b”, “c”, “d”, “e”, “f”, “g”.",
    ),
    "more than six others": (
        [row(name) for name in "abcdefghh"],
        {},
        0.0,
        False,
        None,
        f"{HEAD}0 of 9 cases pass (0 of 2 points).\nCase “a”: it differs.\n"
        "Also failing: “b”, “c”, “d”, “e”, “f”, “g” and others.",
    ),
    "a failing case may earn a share of its weight": (
        [row("one", credit=0.75), row("two", True, weight=3.0)],
        {},
        0.9375,
        False,
        None,
        f"{HEAD}1 of 2 cases pass, 1 more but for a changed input, which costs a quarter of each (1.88 of 2 points).\n"
        "Case “one”: it differs.",
    ),
    "nothing is wrong but a changed input": (
        [row("one", credit=0.75), row("two", credit=0.75)],
        {},
        0.75,
        False,
        None,
        f"{HEAD}the values of every case are right, and a changed input costs a quarter (1.5 of 2 points).\n"
        "Case “one”: it differs.\nAlso failing: “two”.",
    ),
    "a mistake of some parts": (
        [row("one")],
        {"mistakes": [OF_PARTS]},
        0.0,
        False,
        "lost",
        f"{HEAD}0 of 1 cases pass (0 of 2 points).\n"
        "Way back, end: this looks like a known mistake (lost). All else is right. Keep it.\nCase “one”: it differs.",
    ),
    "known mistakes, errors before conventions": (
        [row("one")],
        {"mistakes": [CONVENTION, MISTAKE]},
        0.0,
        False,
        "no_sum",
        f"{HEAD}0 of 1 cases pass (0 of 2 points).\nThis looks like a known mistake (no sum). Add them up.\n"
        "This is another convention than the one asked for (rows first). Columns are asked.\nCase “one”: it differs.",
    ),
}


@pytest.mark.parametrize("case", RESULTS)
def test_the_whole_result(case):
    rows, options, score, passed, mistake, message = RESULTS[case]
    made = result_of(EXERCISE, rows, **options)
    hint = {"no_sum": "Add them up.", "lost": "All else is right. Keep it."}.get(mistake, "")
    assert made == Result("a.b", passed, score, 2, mistake, message, tuple(rows), options.get("attempted", True), hint)
    assert str(made) == message


@pytest.mark.parametrize(("points", "words"), [(1, "1 point"), (1.5, "1.5 points"), (10, "10 points")])
def test_points_in_words(points, words):
    exercise = SimpleNamespace(name="a.b", points=points, parts=("",), together=False)
    assert result_of(exercise, [row("one", True)]).message == f"✓ a.b: right, {words}."
    assert result_of(exercise, [], attempted=False).message == f"○ a.b: 0 of {words}."


def test_the_page_of_a_result_is_its_message():
    made = result_of(EXERCISE, [row("one", problem="a < b")])
    assert "a &lt; b" in made._repr_html_() and "a.b: not right yet" in made._repr_html_()


def test_points_are_the_share_rounded_to_cents():
    assert result_of(EXERCISE, [row("one", True), row("two", weight=2.0)]).points == 0.67


# --- what an answer is worth ----------------------------------------------------------------------------------------


def score(rows, empty=(), parts=("",), together=False, mistakes=()):
    exercise = SimpleNamespace(name="a.b", points=2, parts=parts, together=together)
    return result_of(exercise, rows, empty=empty, mistakes=mistakes)


def test_points_begin_above_what_an_answer_without_content_passes():
    rows = [row("one", True), row("two", True), row("three"), row("four", True)]
    assert score(rows).score == 0.75
    made = score(rows, empty=[{("one", "")}, {("one", ""), ("two", "")}])
    assert made.score == 0.5
    assert made.message.splitlines()[1] == (
        "Points begin above what an answer without content passes, such as zeros or the input handed back."
    )
    assert score(rows[:3], empty=[{("one", ""), ("two", "")}]).score == 0.0


def test_each_part_begins_by_itself():
    rows = [row(case, part == "forward", part) for case in ("one", "two") for part in ("forward", "backward")]
    assert score(rows, [{("one", "backward")}], ("forward", "backward")).score == 0.5
    assert score(rows, [{("one", "forward")}], ("forward", "backward")).score == 0.5


def test_properties_of_one_value_count_together():
    rows = [row("one", True, "sizes"), row("one", True, "order"), row("two", True, "sizes"), row("two", False, "order")]
    assert score(rows, parts=("sizes", "order")).score == 0.75
    made = score(rows, parts=("sizes", "order"), together=True)
    assert made.score == 0.5
    assert made.message.splitlines()[1] == "A case counts when all of it is right: sizes, order."


def test_another_convention_costs_a_third_at_most():
    rows = [row("one"), row("two")]
    assert score(rows, mistakes=[CONVENTION]).score == 2 / 3
    assert score(rows, mistakes=[CONVENTION, MISTAKE]).score == 0.0
    of_a_part = Explanation(CONVENTION.mistake, ("forward",))
    rows = [row("one", False, "forward"), row("one", False, "backward")]
    assert score(rows, parts=("forward", "backward"), mistakes=[of_a_part]).score == 0.0


def test_a_changed_input_costs_a_quarter_of_what_was_earned():
    rows = [CaseRow(case, "", False, 1.0, False, "it changes.", credit=0.75) for case in ("one", "two", "three")]
    assert score(rows).score == 0.75
    assert score(rows, empty=[{("one", ""), ("two", "")}]).score == 0.75
