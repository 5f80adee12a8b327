"""What an answer is made of is looked at before anything is computed with it."""

import math

import numpy as np
import pytest

from autograder.checks.compare import as_array, compare
from autograder.checks.drivers import Outcome
from autograder.checks.evaluation import expected_values, judge
from autograder.checks.exercise import get_exercise
from autograder.checks.structure import SMALL, entries, far_larger, other_structure


class Thing:
    pass


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (3, 1),
        (True, 1),
        (2.5, 1),
        (1j, 1),
        (np.float32(1), 1),
        (np.bool_(True), 1),
        (np.zeros((2, 3)), 6),
        ([1, (2.0, [np.ones(4), 3])], 7),
        ([], 0),
        ("text", math.inf),
        (None, math.inf),
        ([1, "text"], math.inf),
        ([1, Thing()], math.inf),
        ({"a": 1}, math.inf),
        (np.array(["a"]), math.inf),
        (np.datetime64("2026-01-01"), math.inf),
    ],
)
def test_the_numbers_in_a_value_are_counted(value, count):
    assert entries(value) == count


def test_what_is_far_larger():
    assert not far_larger(np.ones(SMALL), np.ones(3)) and far_larger(np.ones(SMALL + 1), np.ones(3))
    assert not far_larger(np.ones(64 * 200), np.ones(200)) and far_larger(np.ones(64 * 200 + 1), np.ones(200))
    assert far_larger(["text"], np.ones(3))


EXPECTED = {"a": (np.zeros((2, 3)), "told"), "b": [1.5, None]}
A = np.ones((2, 3), np.int8)


@pytest.mark.parametrize(
    ("got", "sentence"),
    [
        ({"a": (A, "other"), "b": (2, None)}, ""),
        ({"a": [A, "other"], "b": [np.float32(2), None]}, ""),
        (3, "expected a dict with the keys a, b, got an int."),
        ({"a": (A, "other")}, "expected a dict with the keys a, b, got a dict."),
        ({"a": A, "b": [1, None]}, "a: expected a tuple of 2, got an array of shape (2, 3)."),
        ({"a": (A, "o", 1), "b": [1, None]}, "a: expected a tuple of 2, got a tuple of 3."),
        ({"a": (A.T, "o"), "b": [1, None]}, "a: expected an array of shape (2, 3), got an array of shape (3, 2)."),
        ({"a": (A.tolist(), "o"), "b": [1, None]}, "a: expected an array of shape (2, 3), got a list of 2."),
        (
            {"a": (A * 1j, "o"), "b": [1, None]},
            "a: expected an array of shape (2, 3) of real numbers, got dtype complex128.",
        ),
        ({"a": (A, 7), "b": [1, None]}, "a: expected the text 'told', got an int."),
        ({"a": (A, "o"), "b": ["1", None]}, "b: expected a float, got the text '1'."),
        ({"a": (A, "o"), "b": [[1], None]}, "b: expected a float, got a list of 1."),
        ({"a": (A, "o"), "b": [1, 2]}, "b: expected None (is a `return` missing?), got an int."),
    ],
)
def test_another_structure_is_said(got, sentence):
    assert other_structure(got, EXPECTED) == sentence


def test_a_measured_answer_of_another_size_is_not_measured():
    name = "initializers.orthogonal"
    exercise, (cases, expected) = get_exercise(name), expected_values(name, 3)
    large = np.broadcast_to(np.int8(1), (11_000, 11_000))
    got = [[Outcome("", (large, value[0][1]))] for value in expected]
    rows = judge(exercise, cases, expected, got, 3).rows
    shapes = [value[0][0].shape for value in expected]
    assert [row.problem for row in rows] == [
        f"Expected an array of shape {shape}, got an array of shape (11000, 11000)." for shape in shapes
    ]


def test_no_list_becomes_an_array_of_long_texts():
    mixed = [1.0] * 50_000 + ["x" * 20_000]
    assert as_array(mixed) is None
    assert str(compare(mixed, np.ones(3))) == "expected an array of shape (3,), got a list of 50001."


def test_no_list_of_small_numbers_becomes_an_array_of_large_ones():
    mixed = [np.ones(10_000_000, np.int8), np.clongdouble(1)]
    assert str(compare(mixed, np.ones(3))) == "expected an array of shape (3,), got a list of 2."


def test_no_relation_is_sought_in_an_array_far_too_large():
    large = np.broadcast_to(np.int8(1), (11_000, 11_000, 3))
    text = "expected shape (11000, 3), got shape (11000, 11000, 3)."
    assert str(compare(large, np.ones((11_000, 3)))) == text
