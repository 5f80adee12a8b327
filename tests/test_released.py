"""Exercises as students get them: the same verdicts, names and hints, and no line of a solution."""

import json

import numpy as np
import pytest
from test_registry import DOUBLE

from autograder import CheckFailed, case, check, evaluate, solution
from autograder.checks import effort, registry
from autograder.checks.evaluation import passed_without_content
from autograder.checks.exercise import get_exercise
from autograder.checks.registry import Sources, find_sources, released_sources, using
from autograder.checks.released import released_data
from autograder.errors import BuildError, CourseError

# A pair with its own driver, statistics that are measured, nested values, an error among a mistake's outcomes
SCALING = b'''
from typing import NamedTuple

import numpy as np

from autograder import Case, Exercise, Mistake, slip


class Scale(NamedTuple):
    mean: np.ndarray
    sd: np.ndarray


def fit_scale(X, ddof=0):
    """Mean and standard deviation of each column.

    Parameters
    ----------
    X : (N, D) array.

    Returns
    -------
    mean, sd : (D,) arrays.
    """
    mean = np.mean(X, axis=0)
    return mean, np.sqrt(np.sum((X - mean) ** 2, axis=0) / (X.shape[0] - ddof))


def apply_scale(X, mean, sd):
    """The columns less their mean, over their standard deviation."""
    return (X - mean) / sd


def scaling(functions, case):
    fit, apply = functions
    mean, sd = fit(case.args[0], **case.kwargs)
    yield "fit", {"mean": mean, "sd": sd}
    yield "apply", apply(case.extra["new"], mean, sd)


def cases(rng):
    def one(name, N, D, hidden=False, **kwargs):
        return Case(name, (rng.standard_normal((N, D)),), kwargs, extra={"new": rng.standard_normal((3, D))}, hidden=hidden)

    return [one("seven rows", 7, 2), one("ddof of 1", 5, 3, ddof=1), one("many rows", 90, 4, hidden=True)]


MISTAKES = [
    Mistake("over_all", slip("np.mean(X, axis=0)", "np.mean(X)"), "One mean for each column?"),
    Mistake("wrong_axis", slip("np.mean(X, axis=0)", "np.mean(X, axis=1)"), "Which axis runs over the rows?"),
    Mistake("not_divided", slip(" / sd", ""), "[The fit is right.] What makes the columns alike in spread?"),
]


def draw(mean, sd, rng):
    """1000 normal numbers."""
    return rng.normal(mean, sd, 1000)


def moments(value, case):
    return {"mean": np.mean(value), "sd": np.std(value)}


def draws(rng):
    from autograder.checks.drivers import Rng

    return [Case("a wide one", (3.0, 2.0, Rng(5)), tolerance=0.3)]


EXERCISES = [
    Exercise(
        "scaling.scale", (fit_scale, apply_scale), cases, MISTAKES, driver=scaling, parts=("fit", "apply"), hints=("Columns.",),
    ),
    Exercise("scaling.draw", draw, draws, [Mistake("variance_for_sd", slip("(mean, sd, 1", "(mean, sd**2, 1"), "Is sd squared?")], measure=moments),
]
'''
OWN = Sources({"scaling.py": SCALING})


def fit_of_a_student(X, ddof=0):
    m = X.sum(0) / len(X)
    return m, (((X - m) ** 2).sum(0) / (len(X) - ddof)) ** 0.5


def apply_of_a_student(X, mean, sd):
    return X / sd - mean / sd


ANSWERS = {
    "right": ("scaling.scale", fit_of_a_student, apply_of_a_student),
    "one mean": ("scaling.scale", lambda X, ddof=0: (X.mean(), np.sqrt(((X - X.mean()) ** 2).sum(0) / (len(X) - ddof))), apply_of_a_student),
    "an error": ("scaling.scale", lambda X, ddof=0: (X.mean(1), np.sqrt(((X - X.mean(1)) ** 2).sum(0) / (len(X) - ddof))), apply_of_a_student),
    "the second part": ("scaling.scale", fit_of_a_student, lambda X, mean, sd: X - mean),
    "no ddof": ("scaling.scale", lambda X, ddof=0: (X.mean(0), X.std(0)), apply_of_a_student),
    "nothing": ("scaling.scale", fit_of_a_student, lambda X, mean, sd: X),
    "measured": ("scaling.draw", lambda mean, sd, rng: mean + sd * rng.standard_normal(1000)),
    "measured, wrong": ("scaling.draw", lambda mean, sd, rng: mean + sd**2 * rng.standard_normal(1000)),
}  # fmt: skip


@pytest.fixture(scope="module")
def data():
    with using(OWN):
        return released_data(["scaling.scale", "scaling.draw"], {})


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_gets_the_same_verdict_from_data_as_from_the_solution(data, answer):
    with using(OWN):
        wanted = evaluate(*answer, hidden=False)
    with using(released_sources(data)):
        got = evaluate(*answer, hidden=False)
    assert got == wanted


def test_the_data_holds_no_line_of_a_solution_and_no_hidden_case(data):
    text = data.decode()
    for secret in ("np.mean(X", "(X - mean) ** 2", "/ sd", "rng.normal", "many rows"):
        assert secret not in text
    told = json.loads(text)["topics"]["scaling"][0]
    assert told["heads"][1] == (
        'def apply_scale(X, mean, sd):\n    """The columns less their mean, over their standard deviation."""'
    )


def test_what_is_told_of_the_exercise_is_the_same(data):
    fields = ("name", "points", "why", "hints", "parts", "together", "function_names", "slug")
    with using(OWN):
        exercise = get_exercise("scaling.scale")
        wanted = [effort.minutes(exercise), *(getattr(exercise, field) for field in fields)]
        empty = [
            (what, {one for one in passed if one[0] != "many rows"})
            for what, passed in passed_without_content("scaling.scale", 20260901)
        ]
        inputs = case("scaling.scale", "ddof of 1")
    with using(released_sources(data)):
        exercise = get_exercise("scaling.scale")
        assert [effort.minutes(exercise), *(getattr(exercise, field) for field in fields)] == wanted
        assert passed_without_content("scaling.scale", 20260901) == empty
        assert exercise.value_names("") == ()
        np.testing.assert_array_equal(case("scaling.scale", "ddof of 1")[0], inputs[0])
        assert case("scaling.scale", "ddof of 1")[1] == 1


def test_check_finds_the_file_beside_the_notebook(data, tmp_path, monkeypatch, capsys):
    (tmp_path / "first.checks.json").write_bytes(data)
    monkeypatch.chdir(tmp_path)
    with using(Sources()):
        check("scaling.scale", fit_of_a_student, apply_of_a_student)
        assert "✓ scaling.scale" in capsys.readouterr().out
        with pytest.raises(CheckFailed, match="see the message above"):
            check(*ANSWERS["the second part"])
        assert "What makes the columns alike in spread?" in capsys.readouterr().out
        solution("scaling.scale")
        assert capsys.readouterr().out == (
            "The solution of scaling.scale is your teacher's to show: it did not come with the assignment.\n"
        )


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "first.checks.json").write_text("{}")
    with pytest.raises(CourseError) as caught:
        find_sources(tmp_path)
    assert str(caught.value) == (
        "first.checks.json cannot be read: fetch the assignment again, and copy this file from it"
    )


def test_another_format_is_another_version_of_the_package(data):
    other = data.replace(b'{"format": 3', b'{"format": 99', 1)
    with using(released_sources(other)), pytest.raises(CourseError, match="written by another version of dlcourse"):
        get_exercise("scaling.scale")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (b"measure=moments", b"measure=lambda value, case: np.mean(value)", "scaling.draw: the measure goes to students as code, so it has to be a function with `def`"),
        (b"def scaling(functions, case):\n", b"def scaling(functions, case):\n    fit_scale\n", "scaling.scale cannot go to students: its own reference fails there."),
        (b"(3.0, 2.0, Rng(5))", b"(3.0, object(), Rng(5))", None),
    ],
    ids=["no name", "names of its module", "no data"],
)  # fmt: skip
def test_what_cannot_go_to_students_is_refused(old, new, sentence):
    assert old in SCALING
    with using(Sources({"scaling.py": SCALING.replace(old, new)})), pytest.raises((BuildError, RuntimeError)) as caught:
        released_data(["scaling.scale", "scaling.draw"], {})
    if sentence:
        assert str(caught.value).startswith(sentence)


def test_a_simple_exercise_needs_no_more_than_its_data():
    with using(Sources({"arithmetic.py": DOUBLE})):
        made = released_data(["arithmetic.double"], {"first": "{}"})
    sources = released_sources(made)
    assert sorted(sources.files) == ["_released/first.ipynb", "arithmetic.json", "arithmetic.py"]
    with using(sources):
        assert evaluate("arithmetic.double", lambda x: x**2, hidden=False).mistake == "squared"
        assert get_exercise("arithmetic.double").released is not None
        assert registry.topics() == ("arithmetic",)
