"""Errors that follow from an earlier exercise, where the notebook's own check judges."""

import numpy as np
import pytest

from autograder import CheckFailed, check, get_exercise
from autograder.checks.follow import course_functions, earlier_uses, follows_from
from autograder.checks.result import Result

NOTE = (
    "Follows from neurons.preactivation, which is not right yet: your answer calls it, so here it was judged with the "
    "course's version in its place."
)
ANSWERS = """
import numpy as np

def preactivation(X, w, b):
    return X @ w - b

def weighted(X, w, b):
    return [preactivation(X, w, b) for _ in range(1)][0]

def signed_distance(X, w, b):
    return weighted(X, w, b) / np.linalg.norm(w)

def perceptron_predict(X, w, b):
    return np.where(X @ w + b >= 0, 1, -1)
"""


@pytest.fixture
def space():
    names = {"__name__": "__main__"}
    exec(ANSWERS, names)
    return names


def test_what_an_answer_calls_itself_or_through_others(space):
    distance = get_exercise("neurons.signed_distance")
    assert earlier_uses(distance, (space["signed_distance"],)) == {"neurons.preactivation": (space["preactivation"],)}
    predict = get_exercise("neurons.perceptron_predict")
    assert earlier_uses(predict, (space["perceptron_predict"],)) == {}
    # A later exercise is not a cause, nor is the course's own function, nor what is not a function
    assert earlier_uses(get_exercise("neurons.preactivation"), (space["weighted"],)) == {}
    for own in (get_exercise("neurons.preactivation").reference, None):
        space["preactivation"] = own
        assert earlier_uses(distance, (space["signed_distance"],)) == {}
    assert earlier_uses(distance, (np.sum,)) == {}


def test_the_names_stand_for_the_courses_functions_in_the_block_only(space):
    own, exercise = space["preactivation"], get_exercise("neurons.preactivation")
    with pytest.raises(KeyError), course_functions((space["signed_distance"],), [exercise]):
        assert space["preactivation"] is exercise.reference
        raise KeyError
    assert space["preactivation"] is own


def test_a_check_says_what_an_answer_follows_from(space, capsys):
    with pytest.raises(CheckFailed):
        check("neurons.preactivation", space["preactivation"])
    capsys.readouterr()
    check("neurons.signed_distance", space["signed_distance"])
    assert capsys.readouterr().out.split("\n")[:2] == ["✓ neurons.signed_distance: right, 1 point.", NOTE]


def test_what_calls_a_stub_may_be_right_and_what_fails_by_itself_is_shown_as_it_is(space, capsys):
    exec("def preactivation(X, w, b):\n    raise NotImplementedError()", space)
    check("neurons.signed_distance", space["signed_distance"])
    assert NOTE in capsys.readouterr().out
    exec("def signed_distance(X, w, b):\n    return X @ w", space)
    with pytest.raises(CheckFailed):
        check("neurons.signed_distance", space["signed_distance"])
    assert "Follows from" not in capsys.readouterr().out


def test_the_points_while_grading(space, capsys, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert check("neurons.signed_distance", space["signed_distance"], hidden=True) == 1.0
    assert (
        "Follows from neurons.preactivation: judged with the course's version in its place." in capsys.readouterr().out
    )
    assert check("neurons.preactivation", space["preactivation"], hidden=True) < 1.0


@pytest.mark.parametrize(
    ("causes", "words"),
    [
        (["a.b"], "a.b, which is not"),
        (["a.b", "a.c"], "a.b and a.c, which are not"),
        (["a", "b", "c"], "a, b and c, which are not"),
    ],
)
def test_the_causes_in_words(causes, words):
    made = follows_from(Result("a.d", True, 1.0, 1, None, "✓\nN.", ()), causes)
    head, note, last = made.message.split("\n")
    assert (head, last, made.follows) == ("✓", "N.", tuple(causes)) and note.startswith(
        f"Follows from {words} right yet: "
    )
