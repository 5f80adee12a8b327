"""No function of the course gives an answer away unless it is withheld with it."""

import numpy as np
import pytest

import dlcourse
from autograder.checks import doors
from autograder.checks.evaluation import evaluate
from autograder.checks.exercise import exercises_of, get_exercise
from autograder.checks.withheld import door_functions, table
from autograder.checks.withheld import doors as withheld
from dlcourse.kernels import recurrent

NAMES = [name for topic in dlcourse.TOPICS for name in exercises_of(topic)]
AGAIN = (
    "the course has changed: derive the table again with `python -m autograder.checks.doors`, and look at what is new"
)


def planted_sigmoid(values):
    """The exercise's answer under another name, its argument too."""
    return 0.5 * (1.0 + np.tanh(0.5 * values))


def planted_upside_down(first):
    return 0.5 * (1.0 - np.tanh(0.5 * first))


def planted_stranger(x):
    return x * x


def test_a_twin_is_found_whatever_it_is_called():
    tried = {"new.planted": planted_sigmoid, "new.down": planted_upside_down, "new.stranger": planted_stranger}
    assert doors.derive(["activations.sigmoid"], tried) == {"activations.sigmoid": ["new.down", "new.planted"]}


def test_the_doors_that_were_found_by_hand():
    found = doors.derive(["recurrent.gru_cell"], {"kernels.recurrent.gru_forward": recurrent.gru_forward})
    assert found == {"recurrent.gru_cell": ["kernels.recurrent.gru_forward"]}
    assert "optimizers.adam_step" in withheld("optimizers.adamw_step")
    assert {"kernels.optimizers.adam_update", "graph.Value.exp", "graph._power"} <= {
        *withheld("optimizers.adam_step"),
        *withheld("graph.exp"),
    }


@pytest.mark.slow
def test_the_table_is_of_the_course_as_it_is():
    """Every function that is new or has changed since is tried again as the answer of every exercise."""
    tried = table()["tried"]
    changed = {name: one for name, one in doors.functions().items() if tried.get(name) != doors.fingerprint(one)}
    assert set(tried) <= set(doors.functions()), AGAIN
    found = doors.with_twins(doors.derive(tried=changed)) if changed else {}
    missing = {name: sorted(set(given) - withheld(name)) for name, given in found.items()}
    assert {name: given for name, given in missing.items() if given} == {}, AGAIN


@pytest.mark.parametrize("name", NAMES)
def test_right_answers_pass_with_the_doors_withheld(name):
    """A function that the solution or a right variant calls is not withheld from it."""
    exercise = get_exercise(name)
    for answer in exercise.variant_functions:
        if answer != exercise.functions:
            free = evaluate(name, *answer, withhold=False)
            assert evaluate(name, *answer, withhold=True).score == free.score or exercise.functions[0] in answer
    assert all(map(callable, door_functions(name)))
