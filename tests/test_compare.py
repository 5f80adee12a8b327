"""The comparison: the bound of rounding lets every right order through and nothing else, and a difference is told well."""

import numpy as np
import pytest

from autograder.checks.compare import compare, error_bound


def test_equal_is_equal_in_every_natural_form():
    x = np.array([1.0, 2.0])
    for same in (x, [1.0, 2.0], (1, 2), x.astype(np.float32), np.array([1, 2]).astype(float)):
        assert compare(same, x) is None
    for same in (3.0, 3, np.float32(3.0), np.array(3.0)):
        assert compare(same, np.float64(3.0)) is None


def test_another_order_of_the_sum_passes_and_a_relative_slip_of_a_millionth_fails():
    x = np.random.default_rng(0).standard_normal(10_000)
    total = np.array([x.sum()])
    assert compare(np.array([sum(x[::-1].tolist())]), total, terms=x.size) is None
    assert compare(total * (1 + 1e-6), total, terms=x.size) is not None


def test_the_bound_follows_the_precision():
    assert error_bound(np.ones(1, np.float32), 100) / error_bound(np.ones(1), 100) == pytest.approx(2.0**29, rel=1e-3)


class EqualToEverything:
    def __eq__(self, other):
        return True

    def __array__(self, *args, **kwargs):
        raise AssertionError("must not be asked")


@pytest.mark.parametrize(
    ("got", "message"),
    [
        (None, "expected an array of shape (2, 3), got None (is a `return` missing?)"),
        ("yes", "got the text 'yes'"),
        (EqualToEverything(), "got an EqualToEverything"),
        (np.zeros((3, 2)), "expected shape (2, 3), got shape (3, 2). It is transposed."),
        (np.array(["a"]), "got an array of shape (1,)"),
        (-np.arange(6.0).reshape(2, 3), "Yours has the opposite sign."),
        (2 * np.arange(6.0).reshape(2, 3), "Yours is twice as large."),
        (np.arange(6.0).reshape(2, 3) / 4, "1/4 of it, one over the number of examples"),
        (np.arange(6.0).reshape(2, 3) + 1, "larger by 1 everywhere"),
        (np.arange(6).reshape(2, 3) // 2, "dtype int64: the fractions are lost"),
        (np.full((2, 3), np.nan), "6 entries are NaN"),
        (np.zeros((2, 3)), "Yours is zero everywhere."),
        (np.stack([np.arange(6.0).reshape(2, 3)] * 2) / 2, "Its sum over axis 0 is what is asked."),
        (np.arange(6.0), "The numbers are right, the shape is not."),
    ],
)
def test_a_difference_is_told(got, message):
    difference = compare(got, np.arange(6.0).reshape(2, 3), batch=4)
    assert message in str(difference)


def test_the_worst_element_is_named():
    got = np.arange(6.0).reshape(2, 3)
    got[1, 0] = 3.5
    text = str(compare(got, np.arange(6.0).reshape(2, 3)))
    assert text.startswith("At index (1, 0) expected 3, got 3.5 (difference 0.5); the other 5 entries are right")


def test_nested_answers_say_which_value():
    assert (
        "second value: at index 1 expected 2"
        in str(compare((1.0, np.array([1.0, 9.0])), (1.0, np.array([1.0, 2.0])))).lower()
    )
    assert "expected 2 values, got a tuple of 3" in str(compare((1, 2, 3), (1.0, 2.0)))
    assert "expected a dict with the keys W, b, got the keys W" in str(compare({"W": 1}, {"W": 1.0, "b": 2.0}))


def test_infinities_and_nan_stand_where_they_should():
    e = np.array([np.inf, -np.inf, np.nan, 1.0])
    assert compare(e.copy(), e) is None
    assert compare(np.array([np.inf, np.inf, np.nan, 1.0]), e) is not None
    assert compare(np.array([1e308, -np.inf, np.nan, 1.0]), e) is not None


def test_tails_are_compared_with_their_own_size():
    e = np.array([1e-300, 1.0])
    assert compare(np.array([0.0, 1.0]), e) is None
    assert compare(np.array([0.0, 1.0]), e, relative=True) is not None
