"""The scale of a project: what a figure earns, in which words, and which values are measured at all."""

import numpy as np
import pytest

from autograder.checks.drivers import Case, WrongAnswer
from autograder.checks.scale import Scale, numbers, several


def test_a_figure_earns_its_share_between_two_published_ends():
    more = Scale("accuracy", 0.5, 0.9, lambda value, case: value)
    assert [more.share(x) for x in (0.2, 0.5, 0.7, 0.9, 1.0, float("nan"), float("inf"))] == [
        0.0,
        0.0,
        pytest.approx(0.5),
        1.0,
        1.0,
        0.0,
        0.0,
    ]
    assert str(more) == "accuracy: 0.5 and less earns nothing, 0.9 and more everything, what lies between its share"
    less = Scale("error", 0.3, 0.1, lambda value, case: value)
    assert [round(less.share(x), 9) for x in (0.4, 0.3, 0.2, 0.1, 0.0)] == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert str(less) == "error: 0.3 and more earns nothing, 0.1 and less everything, what lies between its share"
    assert less.judged(0.25, Case("")) == (
        pytest.approx(0.25),
        "The error is 0.25; 0.3 earns nothing, 0.1 everything.",
    )
    assert less.judged(0.05, Case("")) == (1.0, "")


def test_what_cannot_be_measured_earns_nothing_and_says_why():
    def refuses(value, case):
        raise WrongAnswer("expected w")

    assert Scale("x", 0, 1, refuses).judged(1, Case("")) == (0.0, "Expected w.")
    assert Scale("x", 0, 1, lambda value, case: value + 1).judged("two", Case("")) == (
        0.0,
        "Your answer could not be measured (TypeError); it returned the text 'two'.",
    )


@pytest.mark.parametrize(
    "value, shape, says",
    [
        (None, (2,), "expected w, an array of numbers, got None (is a `return` missing?)"),
        ("ab", (2,), "expected w, an array of numbers, got the text 'ab'"),
        (np.array([1j, 2]), (2,), "expected w, an array of numbers, got an array of shape (2,)"),
        (np.zeros(3), (2,), "expected w of shape (2,), got shape (3,)"),
        (np.zeros((2, 3)), (None, 2), "expected w of shape (any, 2), got shape (2, 3)"),
        (np.broadcast_to(0.0, (10**9, 10**6)), (2, 2), "expected w of shape (2, 2), got shape (1000000000, 1000000)"),
    ],
)
def test_numbers_of_another_form_are_refused_before_any_arithmetic(value, shape, says):
    with pytest.raises(WrongAnswer) as error:
        numbers(value, "w", shape)
    assert str(error.value) == says


def test_several_values_are_counted():
    assert several([1, 2], ("a", "b")) == [1, 2]
    with pytest.raises(WrongAnswer, match=r"^expected 2 values, a, b, got an array of shape \(2,\)$"):
        several(np.zeros(2), ("a", "b"))


@pytest.mark.parametrize(
    ("figure", "share", "says"),
    [
        (lambda value, case: value * case.args[0], 0.5, "The x is 5; 0 earns nothing, 10 everything."),
        (lambda value, case: np.float32(3.1415927), 0.31415927, "The x is 3.14; 0 earns nothing, 10 everything."),
        (lambda value, case: np.float64(1e308) * 10, 0.0, "The x is inf; 0 earns nothing, 10 everything."),
        (lambda value, case: np.log(np.zeros(1) * 0)[0], 0.0, "The x is -inf; 0 earns nothing, 10 everything."),
        (lambda value, case: 10, 1.0, ""),
        (lambda value, case: [1, 2], 0.0, "Your answer could not be measured (TypeError); it returned a float."),
    ],
)
def test_a_figure_is_made_of_the_value_and_its_case(figure, share, says):
    assert Scale("x", 0, 10, figure).judged(2.5, Case("", (2.0,))) == (pytest.approx(share), says)


def test_memory_that_is_lacking_is_not_the_answers_fault():
    def large(value, case):
        raise MemoryError

    with pytest.raises(MemoryError):
        Scale("x", 0, 1, large).judged(1.0, Case(""))


@pytest.mark.parametrize(
    ("value", "shape", "made"),
    [
        ([1, 2], (2,), [1.0, 2.0]),
        ((0.5, 2), (None,), [0.5, 2.0]),
        (np.array([True, False]), (2,), [1.0, 0.0]),
        (np.array([[1, 2]], np.uint8), (None, 2), [[1.0, 2.0]]),
        (np.array([[1, 2]], np.int32), (1, None), [[1.0, 2.0]]),
        (3, (), 3.0),
    ],
)
def test_numbers_become_an_array_of_floats(value, shape, made):
    array = numbers(value, "w", shape)
    assert array.dtype == float and array.tolist() == made


@pytest.mark.parametrize(
    ("value", "shape", "wanted"),
    [
        ([1, 2], (2, 1), "(2, 1), got shape (2,)"),
        ([[1, 2]], (2,), "(2,), got shape (1, 2)"),
        ([[1, 2]], (1, 3), "(1, 3), got shape (1, 2)"),
        ([1], (), "(), got shape (1,)"),
        ([1, 2], (None, None), "(any, any), got shape (2,)"),
    ],
)
def test_another_shape_is_said_beside_the_expected_one(value, shape, wanted):
    with pytest.raises(WrongAnswer) as error:
        numbers(value, "w", shape)
    assert str(error.value) == f"expected w of shape {wanted}"


def test_as_many_values_as_there_are_names():
    assert several((1, 2), ("a", "b")) == (1, 2)
    for value, got in (([1], "a list of 1"), ((1, 2, 3), "a tuple of 3"), ({1, 2}, "a set")):
        with pytest.raises(WrongAnswer) as error:
            several(value, ("a", "b"))
        assert str(error.value) == f"expected 2 values, a, b, got {got}"
