"""Hunts: the student writes an input, and what counts is which known mistakes it tells from the right answer."""

import dataclasses

import nbformat
import numpy as np
import pytest
import records

import dlcourse
from autograder import build, check, evaluate, exercises_of, get_exercise
from autograder.checks import hunts
from autograder.checks.exercise import HUNT, Case, Exercise, Mistake
from autograder.checks.notebook import CheckFailed
from autograder.checks.released import released_data
from autograder.engine import ingest
from autograder.engine.grader import Grader
from autograder.engine.sandbox import sandbox
from autograder.engine.store.records import NOT_ATTEMPTED, PARTLY, RIGHT, TOO_MUCH_OUTPUT, WRONG, NotebookRecord
from autograder.engine.tasks import CODE, EXERCISE, Settings, Step, Task
from autograder.errors import BuildError
from autograder.reports import feedback

HUNTS = [one for slug in dlcourse.TOPICS for one in exercises_of(slug).values() if one.kind == HUNT]
NAME = "activations.hunt_softmax"
TWO_ROWS = {"z": [[1000, 0, -1000], [-1000, 990, 1000]]}


def hunted(exercise):
    return exercise.assess.args[0]


def test_every_topic_has_a_hunt():
    assert [one.slug for one in HUNTS] == list(dlcourse.TOPICS)


@pytest.mark.parametrize("exercise", HUNTS, ids=lambda one: one.name)
def test_what_a_hunt_says_of_inputs_is_so(exercise):
    about = hunted(exercise)
    naive = hunts.revealed(about, about.naive)
    assert set(about.shows) == {slug for slug, shown in naive.items() if not shown}
    assert all(hunts.revealed(about, exercise.reference).values())
    assert not set(about.shows) & set(about.beyond) and all(about.beyond.values())
    assert 0 < len(about.shows) < len(naive)
    # It stands behind "It shows on", before a full stop
    assert not [text for text in about.shows.values() if text.endswith(".") or text[:1].isupper()]


@pytest.mark.parametrize(
    "value, message",
    [
        (
            {"z": [[1000.0, 0.0, 2.0]]},
            "✗ activations.hunt_softmax: 7 of 12 known mistakes revealed (0.33 of 2 points).\n"
            'Points begin above the 6 that {"z": [1, 2, 3]} reveals.\n'
            "Escapes: one shift for all. It shows on one example with logits near 1000 and another one all of whose "
            "logits are near 0.\n"
            "Escapes: axis fixed. It shows on an `axis` that is not the last one.\n"
            "Escapes: no axis. It shows on more than one example.\n"
            "Escapes: keepdims missing. It shows on more than one example, with the classes along another axis than "
            "the first.\n"
            'Escapes: integer buffer. It shows on {"z": [1, 2, 3]}.',
        ),
        (
            {"z": [[[1000, 0, 2], [1, 3, -1]], [[-1000, 1, 0], [4, 2, 5]]], "axis": 1},
            "✓ activations.hunt_softmax: right, 2 points.\nAll 12 known mistakes are revealed.",
        ),
        (
            {"z": [0.5]},
            "✗ activations.hunt_softmax: 3 of 12 known mistakes revealed (0 of 2 points).",
        ),
    ],
)
def test_an_input_earns_what_it_reveals_beyond_the_naive_one(value, message):
    said = evaluate(NAME, value).message
    assert said == message if "\n" in message else said.startswith(message + "\n")


def test_two_rows_of_thousands_reveal_ten_of_twelve():
    result = evaluate(NAME, TWO_ROWS)
    assert [row.case for row in result.rows if not row.passed] == ["one shift for all", "axis fixed"]
    assert (result.points, result.mistake, result.passed, len(result.rows)) == (1.33, None, False, 12)


REFUSED = "✗ activations.hunt_softmax: this input cannot be used (0 of 2 points).\n"


@pytest.mark.parametrize(
    "value, reason",
    [
        ({}, 'Expected a dict, {"z": …}: "z" is missing.'),
        ([1, 2], 'Expected a dict, {"z": …}, got a list of 2.'),
        (lambda: {}, 'Expected a dict, {"z": …}, got a function.'),
        ({"z": [1], "b": 2, "c": 3}, 'Expected a dict, {"z": …}: "b", "c" are not among its keys.'),
        ({"Z": [1]}, 'Expected a dict, {"z": …}: "z" is missing and "Z" is not among its keys.'),
        ({"z": [1, np.nan]}, "`z` holds NaN or infinity: every number has to be finite."),
        ({"z": [1, np.inf]}, "`z` holds NaN or infinity: every number has to be finite."),
        ({"z": [1, 1001]}, "`z` holds a number beyond ±1000."),
        ({"z": 10**400}, "`z`: expected numbers, or lists or an array of them, got an int."),
        ({"z": np.zeros((40, 40))}, "It holds more than 1000 numbers: a few dozen are enough."),
        ({"z": [[1, 2], [3]]}, "`z`: expected numbers, or lists or an array of them, got lists of different lengths."),
        ({"z": {"a": 1}}, "`z`: expected numbers, or lists or an array of them, got a dict."),
        (
            {"z": np.zeros(2, dtype=np.float16)},
            "`z`: expected numbers, or lists or an array of them of dtype float64, float32, int64 or bool, got dtype float16.",
        ),
        ({"z": "x" * 41}, "`z` holds a text of 41 characters."),
    ],
)
def test_an_input_that_cannot_be_used_is_refused_with_the_reason(value, reason):
    result = evaluate(NAME, value)
    assert (result.message, result.points, result.rows) == (REFUSED + reason, 0.0, ())


def test_an_input_that_the_reference_refuses_is_refused_in_its_words():
    said = evaluate(NAME, {"z": [[1, 2]], "axis": 5}).message
    assert said.startswith(f"{REFUSED}The course's own `softmax` does not take it: axis")
    said = evaluate(
        "convolution.hunt_maxpool2d", hunted(get_exercise("convolution.hunt_maxpool2d")).naive | {"size": 3}
    )
    assert "The course's own `maxpool2d_forward` and `maxpool2d_backward` do not take it: " in said.message
    said = evaluate("initializers.hunt_fans", {"shape": "four"}).message
    assert said.endswith("`shape` has another form than the function takes: the text 'four'.")


def reciprocal(x):
    return 1 / x


def doubled(x, scale=2.0):
    return scale * x


def made(mistakes, reference=doubled, **more):
    exercise = Exercise("losses.doubled", reference, lambda rng: [Case("one", (np.ones(2),))], mistakes)
    return hunts.Hunted(exercise, {"x": [0]}, {}, **more)


@pytest.fixture
def alone(monkeypatch):
    """The hunted exercise is none of the registry's."""
    monkeypatch.setattr(hunts, "_whole", lambda name: set())


def test_a_mistake_is_revealed_in_all_of_its_forms_or_not(alone):
    forms = Mistake("fixed", lambda x, scale=2.0: 3.0 * x, "", also=[lambda x, scale=2.0: 2.0 * x])
    changes = Mistake("changes", lambda x, scale=2.0: x.__imul__(scale) / 1.0, "")
    about = made([forms, changes])
    assert hunts.revealed(about, {"x": [1]}) == {"fixed": False, "changes": True}
    assert hunts.revealed(about, {"x": [1], "scale": 0.5}) == {"fixed": True, "changes": True}
    assert hunts.revealed(about, {"x": [0]}) == {"fixed": False, "changes": False}
    assert hunts.revealed(dataclasses.replace(about, beyond={"fixed": "why"}), {"x": [1]}) == {"changes": True}


def test_an_answer_that_is_not_finite_compares_with_nothing(alone):
    with pytest.raises(
        hunts.Refused, match=r"^The right answer to it is not finite, so nothing can be compared with it\.$"
    ):
        hunts.revealed(made([], reciprocal), {"x": [0.0, 1.0]})


def test_values_in_which_right_implementations_differ_tell_nothing(alone):
    def both(x, scale=2.0):
        return scale * x, x + 1.0

    def another(x, scale=2.0):
        return scale * x + 1.0, x + 1.0

    wrong = [
        Mistake("first", lambda x, scale=2.0: (0.0 * x, x + 1.0), ""),
        Mistake("second", lambda x, scale=2.0: (scale * x, x), ""),
        Mistake("raises", lambda x, scale=2.0: 1 / 0, ""),
    ]
    about = made(wrong, both)
    assert hunts.revealed(about, {"x": [1]}) == {"first": True, "second": True, "raises": True}
    unsure = dataclasses.replace(about, exercise=dataclasses.replace(about.exercise, variants=[another]))
    assert hunts.revealed(unsure, {"x": [1]}) == {"first": False, "second": True, "raises": True}
    with pytest.raises(hunts.Refused) as caught:
        one = made([], doubled).exercise
        hunts.revealed(hunts.Hunted(dataclasses.replace(one, variants=[lambda x, scale=2.0: x]), {}, {}), {"x": [1]})
    assert str(caught.value) == (
        "Right implementations differ on it by more than rounding, so nothing can be told of wrong ones: an overflow, or digits "
        "that cancel. Take other numbers."
    )


def test_a_hunt_for_a_mistake_that_there_is_not_fails_at_import():
    with pytest.raises(ValueError, match=r"^a hunt names no_shift, no mistake of activations\.softmax$"):
        hunts.hunt(get_exercise("activations.softmax"), {}, {}, {"no_shift": "…"})


# --- in the notebook and in the assignment --------------------------------------------------------------------------


def test_the_check_takes_the_input_from_the_notebook(capsys):
    space = {"check": check}
    with pytest.raises(CheckFailed, match=r"^activations\.hunt_softmax is not attempted yet$"):
        exec(f"check({NAME!r})", space)
    assert capsys.readouterr().out == (
        "○ activations.hunt_softmax: 0 of 2 points.\nNot attempted yet: replace the line `raise NotImplementedError()` with "
        "your value, run its cell, then this one.\n"
    )
    exec(f"hunt_softmax = {TWO_ROWS}", space)
    with pytest.raises(CheckFailed, match=r"^see the message above$"):
        exec(f"check({NAME!r})", space)
    assert "10 of 12 known mistakes revealed (1.33 of 2 points)" in capsys.readouterr().out
    assert evaluate(NAME).message == (
        "○ activations.hunt_softmax: 0 of 2 points.\nExpected 1 value, hunt_softmax; got 0."
    )


def test_where_nbgrader_grades_the_check_gives_the_points_and_the_mistakes_that_escape(monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert check(NAME, TWO_ROWS, hidden=True) == 1.33
    assert "Escapes: axis fixed. It shows on an `axis` that is not the last one." in capsys.readouterr().out


def test_the_answer_cell_says_what_is_assigned_and_keeps_the_best_for_teachers():
    cells = {cell.id: cell for cell in build.instructor_notebook("graph").cells}
    assert cells["graph-hunt-prod"].source == (
        '# The input: hunt_prod = {"xs": …, "dz": …}, lists or arrays.\n### BEGIN SOLUTION\n'
        "hunt_prod = {'xs': [2, 0, -3, 5], 'dz': 0.5}\n### END SOLUTION"
    )
    assert 'check("graph.hunt_prod")\n### BEGIN HIDDEN' in cells["graph-hunt-prod-check"].source
    text = cells["graph-hunt-prod-intro"].source
    assert '`{"xs": [1, 2], "dz": 1}` reveals 3 and earns nothing; each further one earns 1/4 of the points.' in text
    released = nbformat.read(build.COURSE / "release" / "graph" / "graph.ipynb", as_version=4)
    stub = next(cell for cell in released.cells if cell.id == "graph-hunt-prod")
    assert stub.source.endswith("lists or arrays.\n# YOUR CODE HERE\nraise NotImplementedError()")


# --- in grading -----------------------------------------------------------------------------------------------------


def task(*sources, at_home=False):
    steps = [Step(CODE, source, i, student=True) for i, source in enumerate(sources)]
    calls = (NAME, ("hunt_softmax",))
    asked = Step(EXERCISE, "", len(steps), grade_id="check", points=2.0, calls=calls)
    return Task("ada", "hw", "hw", (*steps, asked), seed=11, at_home=at_home)


STRANGE = """
class Mine(dict):
    def __call__(self):
        raise SystemExit
    def keys(self):
        raise SystemExit
hunt_softmax = Mine(z=[1, 2, 3])
"""


@pytest.mark.skipif(sandbox.shutil.which("bwrap") is None, reason="bubblewrap (bwrap) is not installed")
def test_grading_judges_the_data_outside_and_calls_nothing_of_it():
    with Grader(Settings(timeout=5.0, total=60.0)) as grader:

        def graded(*sources, **more):
            result = grader.grade(task(*sources, **more))
            one = result.results[-1].verdict
            return one.verdict, one.points, one.message.split("\n")[1], result.needs_review

        assert graded(f"hunt_softmax = {get_exercise(NAME).reference}") == (
            RIGHT, 2.0, "All 12 known mistakes are revealed.", ()
        )  # fmt: skip
        partly = "import numpy as np\nhunt_softmax = {'z': np.array([[1000.0, 0, 2], [1, 3, -1]])}"
        for at_home in (False, True):
            verdict, points, *_ = graded(partly, at_home=at_home)
            assert (verdict, points) == (PARTLY, 1.33)
        assert graded("raise NotImplementedError()")[:3] == (
            NOT_ATTEMPTED, 0.0,
            "There is no variable hunt_softmax: its cell is missing, empty, or stopped with an error.",
        )  # fmt: skip
        assert graded("hunt_softmax = lambda: 1")[:3] == (WRONG, 0.0, 'Expected a dict, {"z": …}, got a function.')
        assert graded(STRANGE)[:2] == (WRONG, 0.0)
        assert graded("hunt_softmax = {'z': [[0.0] * 10_000] * 100}")[:3] == (
            TOO_MUCH_OUTPUT, 0.0,
            "It cannot be taken from the notebook as data: it is far too large, or its cell ended the process.",
        )  # fmt: skip


def test_a_check_without_names_asks_for_the_variables_of_its_exercise():
    released = (build.COURSE / "release" / "activations" / "activations.ipynb").read_bytes()
    master = ingest.load_released("activations", released)
    calls = {cell.calls[0]: cell.calls[1] for cell in master.cells if cell.calls}
    assert calls[NAME] == ("hunt_softmax",)


def test_a_hunt_is_not_released_to_students_of_another_course():
    with pytest.raises(BuildError) as caught:
        released_data([NAME], {})
    assert str(caught.value) == (
        "activations.hunt_softmax cannot go to students: a hunt is judged by code that stays with you, so it is for the "
        "exercises of this package"
    )


def test_the_feedback_page_lists_the_mistakes_that_escape():
    result = evaluate(NAME, TWO_ROWS)
    verdict = dataclasses.replace(
        records.verdict(NAME),
        points=result.points,
        verdict=PARTLY,
        message=result.message,
        rows=result.rows,
    )
    notebook = NotebookRecord("activations", (verdict,), {"activations-hunt_softmax": f"hunt_softmax = {TWO_ROWS}"})
    one = feedback.item(notebook, verdict, None)
    assert (one.where, one.problem) == (
        "Escapes: one shift for all",
        "It shows on one example with logits near 1000 and another one all of whose logits are near 0.",
    )
    assert one.lines == [
        'Points begin above the 6 that {"z": [1, 2, 3]} reveals.',
        "Escapes: axis fixed. It shows on an `axis` that is not the last one.",
    ]
    record = dataclasses.replace(records.record("ada", slug="graph"), notebooks=(notebook,))
    page = feedback.feedback_page(record, notebook)
    assert "<summary>All known mistakes: 10 of 12 revealed</summary>" in page
    assert page.count(" escapes</td>") == 2 and page.count(" revealed</td>") == 10 and "Known mistake</th>" in page
