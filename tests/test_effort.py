"""The minutes of an exercise: counted as they are said to be, with constants that come from data."""

import dataclasses

import pytest

from autograder import get_exercise
from autograder.checks import effort
from autograder.checks.exercise import Case, Exercise
from benchmarks.effort import fitted


def test_the_start_of_a_function_is_what_programmers_took():
    start, left, mean = fitted()
    assert round(start, -1) == effort.START
    # Of a single task the model knows little; of a dozen it is right to a tenth or so
    assert left < 200 < mean < 400


def test_words_and_formulas_are_read():
    assert effort.reading("word " * 130) == pytest.approx(60)
    assert effort.reading("A [link](somewhere/else.ipynb)\n\n$$x = y + z$$") == pytest.approx(2 * 60 / 130 + 20)


@pytest.mark.parametrize("code", ["    return a + 1  # one more", "return_ = a + 1"])
def test_code_is_written_token_by_token(code):
    tokens = effort.tokens_of(code)
    assert len(tokens) in (4, 5) and tokens[-3:] == ["a", "+", "1"]
    assert effort.writing(code) == pytest.approx(1.35 * len(tokens) + 0.28 * len("".join(tokens)))


@pytest.mark.parametrize(
    "text, sentences",
    [("in five to eight\nsentences what you see", 6.5), ("Three or four sentences.", 3.5), ("Write below.", 5)],
)
def test_an_answer_is_as_long_as_it_is_asked_for(text, sentences):
    assert effort.answering(text) == pytest.approx(60 * sentences * 20 / 10)


def double(x):
    """Twice x."""
    return 2 * x


def double_grad(x):
    """What is to be derived."""
    return 2 * x


def made(function, **more):
    return Exercise(f"losses.{function.__name__}", function, lambda rng: [Case("one", (1.0,))], **more)


def test_a_gradient_is_derived_first_and_a_timed_exercise_is_believed():
    plain, derived = made(double), made(double_grad)
    written = effort.writing("    return 2 * x")
    assert effort._doing(plain) == pytest.approx(effort.START + written)
    assert effort._doing(derived) == pytest.approx(effort.START + 3 * written)
    assert effort.minutes(dataclasses.replace(plain, minutes=11)) == 11


def test_a_hunt_takes_a_try_for_each_mistake_that_hides_and_a_repair_a_search_for_each_bug():
    hunt, repair = get_exercise("activations.hunt_softmax"), get_exercise("graph.repair_passes")
    tries = len(hunt.assess.args[0].shows)
    assert effort.START + effort.TRY * tries < effort._doing(hunt) < effort.START + effort.TRY * tries + 60
    assert effort._doing(repair) > 2 * effort.START + 4 * effort.FIND
