"""The comparison: the bound of rounding lets every right order through and nothing else, and a difference is told well.

The table below holds whole messages, a row for each branch: what a student reads is as fixed as what is right.
"""

import math

import numpy as np
import pytest

from autograder.checks.compare import Difference, as_array, compare, equal, error_bound
from autograder.checks.relations import Pair, differs, number, relation

X = np.arange(6.0).reshape(2, 3)
H = X + 0.5
SQUARE = np.array([[1.0, 2.0], [3.0, 5.0]])


class EqualToEverything:
    def __eq__(self, other):
        return True

    __hash__ = None

    def __array__(self, *args, **kwargs):
        raise AssertionError("must not be asked")


def worst(array, index, value):
    changed = array.copy()
    changed[index] = value
    return changed


# (got, expected, options, the whole message; None: equal)
TABLE = {
    # --- equal in every natural form
    "an array": (X.copy(), X, {}, None),
    "a list of rows": (X.tolist(), X, {}, None),
    "a tuple of numbers": ((1, 2), np.array([1.0, 2.0]), {}, None),
    "single precision": (np.array([1.0, 2.0], np.float32), np.array([1.0, 2.0]), {}, None),
    "whole numbers where the values are whole": (np.array([1, 2]), np.array([1.0, 2.0]), {}, None),
    "a Python int": (3, np.float64(3.0), {}, None),
    "an array of no axes": (np.array(3.0), np.float64(3.0), {}, None),
    "an empty array": (np.zeros((0, 3)), np.zeros((0, 3)), {}, None),
    "infinities and NaN at their places": (
        np.array([np.inf, -np.inf, np.nan, 1.0]),
        np.array([np.inf, -np.inf, np.nan, 1.0]),
        {},
        None,
    ),
    "complex without an imaginary part": (X.astype(complex), X, {}, None),
    "None where None is asked": (None, None, {}, None),
    "a text": ("he_normal", "he_normal", {}, None),
    "a NumPy bool": (np.True_, True, {}, None),
    "a tuple of one for its value": ([X], (X,), {}, None),
    "a list for a tuple": ([1.0, X], (1.0, X), {}, None),
    "a dict": ({"W": X, "b": 1.0}, {"b": 1.0, "W": X}, {}, None),
    "a list of numbers": (np.array([3, 1, 0]), [3, 1, 0], {}, None),
    # --- nothing that can be compared
    "None": (None, X, {}, "expected an array of shape (2, 3), got None (is a `return` missing?)."),
    "a text for an array": ("yes", X, {}, "expected an array of shape (2, 3), got the text 'yes'."),
    "an object that is equal to everything": (
        EqualToEverything(),
        X,
        {},
        "expected an array of shape (2, 3), got an EqualToEverything.",
    ),
    "an array of texts": (np.array(["a"]), X, {}, "expected an array of shape (2, 3), got an array of shape (1,)."),
    "rows of other lengths": ([[1.0], [1.0, 2.0]], X, {}, "expected an array of shape (2, 3), got a list of 2."),
    "None for a number": (None, np.float64(1.0), {}, "expected a number, got None (is a `return` missing?)."),
    "a number for None": (1.0, None, {}, "expected None, got a float."),
    "another text": ("he", "she", {}, "expected “she”, got “he”."),
    "another long text": ("h" * 101, "she", {}, f"expected “she”, got “{'h' * 100}”."),
    "a list that is far larger": (
        [0.0] * 10_001,
        np.ones(2),
        {},
        "expected an array of shape (2,), got a list of 10001.",
    ),
    "a list that is larger, but not far": (
        [0.0] * 10_001,
        np.ones(200),
        {},
        "expected shape (200,), got shape (10001,).",
    ),
    "a number for True": (1, True, {}, "expected True, got an int."),
    "a false NumPy bool": (np.False_, True, {}, "expected True, got a bool."),
    # --- several values
    "too many values": ((1, 2, 3), (1.0, 2.0), {}, "expected 2 values, got a tuple of 3."),
    "one value for two, with names": (
        X,
        (X, 1.0),
        {"names": ("dW", "db")},
        "expected 2 values, dW, db, got an array of shape (2, 3).",
    ),
    "names of another number are not used": (
        (1, 2, 3),
        (1.0, 2.0),
        {"names": ("a",)},
        "expected 2 values, got a tuple of 3.",
    ),
    "two values for one": ((1.0, 2.0), (1.0,), {"names": ("dW",)}, "expected one value, dW, got a tuple of 2."),
    "nothing where nothing is asked": ((), [], {}, None),
    "an empty array where nothing is asked": (np.zeros(0), [], {}, None),
    "something where nothing is asked": ([1.0], [], {}, "expected shape (0,), got shape (1,)."),
    "the second value": (
        (1.0, np.array([1.0, 9.0])),
        (1.0, np.array([1.0, 2.0])),
        {},
        "second value: at index 1 expected 2, got 9 (difference 7); the other entry is right.",
    ),
    "the second value by name": (
        (1.0, np.array([1.0, 9.0])),
        (1.0, np.array([1.0, 2.0])),
        {"names": ("J", "dw")},
        "dw: at index 1 expected 2, got 9 (difference 7); the other entry is right.",
    ),
    "the eleventh value": (
        (*[X] * 10, 2.0),
        (*[X] * 10, 3.0),
        {},
        "value 11: expected 3, got 2 (difference -1).",
    ),
    "the tenth value": (
        (*[X] * 9, 2.0, X),
        (*[X] * 9, 3.0, X),
        {},
        "tenth value: expected 3, got 2 (difference -1).",
    ),
    "values inside values": (
        ((1.0, 3.0), X),
        ((1.0, 2.0), X),
        {},
        "first value, second value: expected 2, got 3 (difference 1).",
    ),
    "another order": (
        (1.0, X),
        (X, 1.0),
        {"names": ("dW", "db")},
        "the values are right, their order is not: the order is dW, db.",
    ),
    "another order without names": (
        (X, H, 1.0),
        (1.0, X, H),
        {},
        "the values are right, their order is not: see the text for the order.",
    ),
    "one value twice is not another order": (
        (X, X),
        (X, 1.0),
        {},
        "second value: expected a number, got shape (2, 3).",
    ),
    "a tuple of one with a wrong value": ((2.0,), (3.0,), {}, "The value: expected 3, got 2 (difference -1)."),
    "a NumPy number for None": (np.float64(0.0), None, {}, "expected None, got a float64."),
    # --- dicts
    "many keys too many": (
        {"W": 1.0, **{f"key {i} {'x' * 40}": 1.0 for i in range(6)}},
        {"W": 1.0},
        {},
        "expected a dict with the keys W; yours also has " + ", ".join(f"key {i} {'x' * 34}" for i in range(5)) + ".",
    ),
    "a tuple of one in a dict": ({"W": (3.0,)}, {"W": (2.0,)}, {}, "W: expected 2, got 3 (difference 1)."),
    "no dict": (1.0, {"W": 1.0}, {}, "expected a dict with the keys W, got a float."),
    "a missing key": (
        {"W": 1.0},
        {"W": 1.0, "b": 2.0},
        {},
        "the key b is missing; expected a dict with the keys W, b.",
    ),
    "two missing keys": (
        {},
        {"W": 1.0, "b": 2.0},
        {},
        "the keys W, b are missing; expected a dict with the keys W, b.",
    ),
    "a key too many": (
        {"W": 1.0, "c": 2.0},
        {"W": 1.0},
        {},
        "expected a dict with the keys W; yours also has c.",
    ),
    "a wrong entry": (
        {"W": 1.0},
        {"W": 2.0},
        {},
        "W: expected 2, got 1 (difference -1). Yours is half as large.",
    ),
    "a wrong entry further in": (
        (1.0, {"W": 1.0}),
        (1.0, {"W": 4.0}),
        {},
        "second value['W']: expected 4, got 1 (difference -3).",
    ),
    # --- another shape
    "turned": (
        X.T.copy(),
        X,
        {},
        "expected shape (2, 3), got shape (3, 2). It is transposed.",
    ),
    "one axis of one too many": (
        np.array([[1.0], [2.0], [4.0]]),
        np.array([1.0, 2.0, 4.0]),
        {},
        "expected shape (3,), got shape (3, 1). The numbers are right, with an axis of length 1 too many: is there a "
        "`keepdims=True`, or a slice where an index is meant?",
    ),
    "two axes of one too many": (
        np.array([[[1.0, 2.0, 4.0]]]),
        np.array([1.0, 2.0, 4.0]),
        {},
        "expected shape (3,), got shape (1, 1, 3). The numbers are right, with 2 axes of length 1 too many: is there a "
        "`keepdims=True`, or a slice where an index is meant?",
    ),
    "an axis of one with other numbers": (
        np.array([[1.0], [2.0], [5.0]]),
        np.array([1.0, 2.0, 4.0]),
        {},
        "expected shape (3,), got shape (3, 1).",
    ),
    "an array of one for a number": (
        np.array([3.0]),
        np.float64(3.0),
        {},
        "expected a number, got shape (1,). The numbers are right, with an axis of length 1 too many: is there a "
        "`keepdims=True`, or a slice where an index is meant?",
    ),
    "not summed": (
        np.stack([X, 2 * X]),
        3 * X,
        {},
        "expected shape (2, 3), got shape (2, 2, 3). Its sum over axis 0 is what is asked.",
    ),
    "not averaged": (
        np.stack([X, 3 * X], axis=1),
        2 * X,
        {},
        "expected shape (2, 3), got shape (2, 2, 3). Its mean over axis 1 is what is asked.",
    ),
    "not summed to a number": (
        np.array([1.0, 2.0, 4.0]),
        np.float64(7.0),
        {},
        "expected a number, got shape (3,). Its sum over axis 0 is what is asked.",
    ),
    "another shape of the same numbers": (
        X.ravel(),
        X,
        {},
        "expected shape (2, 3), got shape (6,). The numbers are right, the shape is not.",
    ),
    "a column and a row": (
        np.ones((3, 3)),
        np.array([1.0, 2.0, 4.0]),
        {},
        "expected shape (3,), got shape (3, 3). A column and a row were broadcast against each other.",
    ),
    "another shape of other numbers": (np.ones((4, 3)), X, {}, "expected shape (2, 3), got shape (4, 3)."),
    # --- another kind of numbers
    "numbers for a mask": (
        np.array([1.0, 0.0]),
        np.array([True, False]),
        {},
        "expected True and False (dtype bool), got dtype float64.",
    ),
    "a mask for labels": (
        np.array([True, False]),
        np.array([1, 0]),
        {},
        "expected whole numbers, got True and False (dtype bool). `.astype(int)` turns them into 1 and 0.",
    ),
    "fractions cut off": (
        H.astype(int),
        H,
        {},
        "expected decimal numbers (float64), got dtype int64: the fractions are lost.",
    ),
    "fractions rounded": (
        np.array([1, 3]),
        np.array([0.75, 2.5 + 1e-3]),
        {},
        "expected decimal numbers (float64), got dtype int64: the fractions are lost.",
    ),
    "decimal numbers without their fractions": (
        np.floor(H) + 0.0,
        H,
        {},
        "At index (0, 0) expected 0.5, got 0 (difference -0.5); all 6 entries differ. Yours is smaller by 0.5 everywhere.",
    ),
    "a difference that overflows": (
        np.array([-1.5e308, 1.0]),
        np.array([1.5e308, 2.0]),
        {},
        "At index 0 expected 1.5e+308, got -1.5e+308 (difference -inf); the other entry is right. Only signs differ.",
    ),
    "whole numbers that are wrong": (
        np.array([1, 0, 1]),
        np.array([0.25, 0.5, 3.0]),
        {},
        "At index 2 expected 3, got 1 (difference -2); all 3 entries differ.",
    ),
    "a wrong label": (
        np.array([1, 2, 0]),
        np.array([1, 0, 2]),
        {},
        "At index 1 expected 0, got 2; 2 of 3 entries differ.",
    ),
    "a wrong mask": (
        np.array([True, True]),
        np.array([True, False]),
        {},
        "At index 1 expected False, got True; the other entry is right.",
    ),
    # --- the worst entry
    "one entry": (
        worst(X, (1, 0), 3.5),
        X,
        {},
        "At index (1, 0) expected 3, got 3.5 (difference 0.5); the other 5 entries are right.",
    ),
    "the larger of two": (
        np.array([1.0, 2.5, 3.0, 5.0]),
        np.array([1.0, 2.0, 3.0, 4.0]),
        {},
        "At index 3 expected 4, got 5 (difference 1); 2 of 4 entries differ.",
    ),
    "one entry is NaN": (
        worst(X, (0, 1), np.nan),
        X,
        {},
        "At index (0, 1) expected 1, got nan; the other 5 entries are right. One entry is NaN.",
    ),
    "some entries are NaN": (
        np.array([np.nan, np.nan, 5.0]),
        np.array([1.0, 2.0, 3.0]),
        {},
        "At index 0 expected 1, got nan; all 3 entries differ. 2 entries are NaN.",
    ),
    "all entries are NaN": (
        np.full((2, 3), np.nan),
        X,
        {},
        "At index (0, 0) expected 0, got nan; all 6 entries differ. All entries are NaN.",
    ),
    "a number that is NaN": (np.nan, np.float64(2.0), {}, "The value: expected 2, got nan."),
    "NaN where infinity is": (
        np.array([np.nan, 1.0]),
        np.array([np.inf, 1.0]),
        {},
        "At index 0 expected inf, got nan; the other entry is right. One entry is NaN.",
    ),
    "the other infinity": (
        np.array([np.inf, 1.0]),
        np.array([-np.inf, 1.0]),
        {},
        "At index 0 expected -inf, got inf; the other entry is right.",
    ),
    "a large number for infinity": (
        np.array([1e308, 1.0]),
        np.array([np.inf, 1.0]),
        {},
        "At index 0 expected inf, got 1e+308; the other entry is right.",
    ),
    "a complex part": (
        np.array([1.0 + 1j, 2.0]),
        np.array([1.0, 2.0]),
        {},
        "At index 0 expected 1, got 1+1j (difference 0+1j); the other entry is right.",
    ),
    # --- relations
    "few digits": (
        np.array([0.7978845, 0.5]),
        np.array([math.sqrt(2 / math.pi), 0.5]),
        {},
        "At index 0 expected 0.797885, got 0.797884 (difference -6.08029e-08); the other entry is right. It agrees to six "
        "digits, not to the last ones: a constant with too few, or digits lost on the way?",
    ),
    "transposed": (
        SQUARE.T.copy(),
        SQUARE,
        {},
        "At index (0, 1) expected 2, got 3 (difference 1); 2 of 4 entries differ. It is transposed.",
    ),
    "zero everywhere": (
        np.zeros(3),
        np.array([1.0, 2.0, 4.0]),
        {},
        "At index 2 expected 4, got 0 (difference -4); all 3 entries differ. Yours is zero everywhere.",
    ),
    "the opposite sign": (
        -H,
        H,
        {},
        "At index (1, 2) expected 5.5, got -5.5 (difference -11); all 6 entries differ. Yours has the opposite sign.",
    ),
    "twice": (
        2 * H,
        H,
        {},
        "At index (1, 2) expected 5.5, got 11 (difference 5.5); all 6 entries differ. Yours is twice as large.",
    ),
    "half": (
        H / 2,
        H,
        {},
        "At index (1, 2) expected 5.5, got 2.75 (difference -2.75); all 6 entries differ. Yours is half as large.",
    ),
    "half, with the opposite sign": (
        -H / 2,
        H,
        {},
        "At index (1, 2) expected 5.5, got -2.75 (difference -8.25); all 6 entries differ. Yours is half as large, and has "
        "the opposite sign.",
    ),
    "a number twice as large": (
        4.0,
        np.float64(2.0),
        {},
        "The value: expected 2, got 4 (difference 2). Yours is twice as large.",
    ),
    "a number of another size": (5.0, np.float64(2.0), {}, "The value: expected 2, got 5 (difference 3)."),
    "a sum for a mean": (
        4 * H,
        H,
        {"batch": 4},
        "At index (1, 2) expected 5.5, got 22 (difference 16.5); all 6 entries differ. Yours is 4 times as large, with 4 "
        "examples: is a division by their number missing?",
    ),
    "divided by the number of examples": (
        H / 4,
        H,
        {"batch": 4},
        "At index (1, 2) expected 5.5, got 1.375 (difference -4.125); all 6 entries differ. Yours is 1/4 of what is expected, "
        "with 4 examples: is it divided by their number once too often?",
    ),
    "divided by the number of examples, with the opposite sign": (
        -H / 4,
        H,
        {"batch": 4},
        "At index (1, 2) expected 5.5, got -1.375 (difference -6.875); all 6 entries differ. Yours is 1/4 of what is "
        "expected, with 4 examples, and has the opposite sign: is it divided by their number once too often?",
    ),
    "one example has no such factor": (
        H / 4,
        H,
        {"batch": 1},
        "At index (1, 2) expected 5.5, got 1.375 (difference -4.125); all 6 entries differ. Yours is 0.25 times what is "
        "expected, everywhere.",
    ),
    "another factor": (
        3 * H,
        H,
        {},
        "At index (1, 2) expected 5.5, got 16.5 (difference 11); all 6 entries differ. Yours is 3 times what is expected, "
        "everywhere.",
    ),
    "larger everywhere": (
        H + 1,
        H,
        {},
        "At index (0, 0) expected 0.5, got 1.5 (difference 1); all 6 entries differ. Yours is larger by 1 everywhere.",
    ),
    "smaller everywhere": (
        H - 0.25,
        H,
        {},
        "At index (0, 0) expected 0.5, got 0.25 (difference -0.25); all 6 entries differ. Yours is smaller by 0.25 everywhere.",
    ),
    "only signs": (
        np.array([1.0, -2.0, 3.0]),
        np.array([1.0, 2.0, 3.0]),
        {},
        "At index 1 expected 2, got -2 (difference -4); the other 2 entries are right. Only signs differ.",
    ),
    "nothing to relate to": (
        np.array([1.0, 0.0]),
        np.array([0.0, 0.0]),
        {},
        "At index 0 expected 0, got 1 (difference 1); the other entry is right.",
    ),
    "whole numbers are not related": (
        np.array([2, 4, 6]),
        np.array([1, 2, 3]),
        {},
        "At index 2 expected 3, got 6; all 3 entries differ.",
    ),
    "infinite values are not related": (
        np.array([2.0, np.inf]),
        np.array([1.0, np.inf]),
        {},
        "At index 0 expected 1, got 2 (difference 1); the other entry is right.",
    ),
}


@pytest.mark.parametrize("case", TABLE, ids=str)
def test_the_whole_message(case):
    got, expected, options, message = TABLE[case]
    difference = compare(got, expected, **options)
    assert (None if difference is None else str(difference)) == message
    rules = {key: options[key] for key in ("sum_length", "tolerance", "relative") if key in options}
    assert equal(got, expected, **rules) is (message is None)


def test_whether_values_are_equal_takes_the_rules_of_the_case():
    e, small = np.array([1.0, 1e-3]), [0.0, 1e-5]
    assert equal(e, e) and not equal(e + 1, e) and not equal("a", e) and not equal(e[:1], e)
    assert (
        not equal(e * (1 + 2e-13), e) and equal(e * (1 + 2e-13), e, 160) and equal(e * (1 + 2e-13), e, sum_length=160)
    )
    assert not equal(e + small, e) and equal(e + small, e, 1, 1e-4) and equal(e + small, e, tolerance=1e-4)
    assert not equal(e + small, e, 1, 1e-4, True) and not equal(e + small, e, tolerance=1e-4, relative=True)


def test_a_difference_reads_as_its_two_sentences():
    assert str(Difference("A.", "B.")) == "A. B."
    assert str(Difference("A.")) == "A."


def test_another_order_of_the_sum_passes_and_a_relative_slip_of_a_millionth_fails():
    x = np.random.default_rng(0).standard_normal(10_000)
    total = np.array([x.sum()])
    assert compare(np.array([sum(x[::-1].tolist())]), total, sum_length=x.size) is None
    assert compare(total * (1 + 1e-6), total, sum_length=x.size) is not None


EPS, EPS32 = 2.0**-52, 2.0**-23


@pytest.mark.parametrize(
    ("dtype", "sum_length", "tolerance", "bound"),
    [
        (np.float64, 100, None, 800 * EPS / (1 - 800 * EPS)),
        (np.float64, 1, None, 128 * EPS / (1 - 128 * EPS)),
        (np.float32, 100, None, 800 * EPS32 / (1 - 800 * EPS32)),
        (np.int64, 100, None, 800 * EPS / (1 - 800 * EPS)),
        (np.float32, 10**6, None, 0.1),
        (np.float64, 100, 0.25, 0.25),
    ],
)
def test_the_bound(dtype, sum_length, tolerance, bound):
    assert error_bound(np.ones(1, dtype), sum_length, tolerance) == pytest.approx(bound, rel=1e-14, abs=0.0)


def test_the_bound_decides_at_its_edge():
    e = np.array([1.0, 4.0])
    for tolerance in (1e-3, 1e-9):
        assert compare(e + [0.0, 3.9 * tolerance], e, tolerance=tolerance) is None
        assert compare(e + [3.9 * tolerance, 0.0], e, tolerance=tolerance) is None
        assert compare(e + [0.0, 4.1 * tolerance], e, tolerance=tolerance) is not None
    # Each entry by its own size
    assert compare(e + [0.9e-3, 0.0], e, tolerance=1e-3, relative=True) is None
    assert compare(e + [1.1e-3, 0.0], e, tolerance=1e-3, relative=True) is not None
    assert compare(np.array([0.0, 1.0]), np.array([1e-300, 1.0]), relative=True) is not None


def test_zeros_are_exact():
    assert compare(np.array([1e-300]), np.zeros(1)) is not None
    assert compare(np.array([-0.0]), np.zeros(1)) is None


@pytest.mark.parametrize("value", [True, 1, 2.5, 1j, [1, 2], (1.0,), np.float32(1), np.zeros(2, np.uint8)])
def test_what_counts_as_numbers(value):
    assert as_array(value).dtype.kind in "biufc"


@pytest.mark.parametrize(
    "value", [None, "1", b"1", [None], ["a"], {}, {1}, object(), np.array([object()]), [[1], [1, 2]], [2**70, "x"]]
)
def test_what_does_not(value):
    assert as_array(value) is None


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (1.0, "1"),
        (-3.0, "-3"),
        (-0.0, "0"),
        (1e6, "1e+06"),
        (999999.0, "999999"),
        (0.1234567, "0.123457"),
        (True, "True"),
        (np.False_, "False"),
        (1 + 2j, "1+2j"),
        (np.nan, "nan"),
        (np.inf, "inf"),
        (np.int64(7), "7"),
    ],
)
def test_a_number_in_words(x, text):
    assert number(x) == text


# --- relations, where the comparison's own bound would hide what decides ----------------------------------------------


def told(got, expected, bound=1e-9, batch=None):
    return relation(Pair(np.asarray(got), np.asarray(expected), bound, batch))


def test_relations_hold_to_six_digits():
    e = np.array([1.0, 2.0, 4.0])
    assert told(2 * e * (1 + 0.9e-6), e) == "Yours is twice as large."
    assert told(2 * e * (1 + 2e-6), e) == "Yours is 2 times what is expected, everywhere."
    assert told(2 * e + [0.0, 0.0, 1e-4], e) == ""
    # A wider bound of the right answer widens them
    assert told(2 * e + [0.0, 0.0, 1e-4], e, bound=1e-3) == "Yours is 2.00002 times what is expected, everywhere."


def test_few_digits_need_every_entry():
    e = np.array([1.0, 1e-9])
    digits = "It agrees to six digits, not to the last ones: a constant with too few, or digits lost on the way?"
    assert told(e * (1 + 1e-7), e) == digits
    assert told(e + [0.0, 1e-12], e) == ""
    # With that much rounding allowed six digits say nothing
    assert told(e * (1 + 1e-7), e, bound=1e-6) != digits


AXIS_OF_ONE = "The numbers are right, with an axis of length 1 too many: is there a `keepdims=True`, or a slice where an index is meant?"


# Small arrays, empty ones, and those that another relation would claim
@pytest.mark.parametrize(
    ("got", "expected", "batch", "sentence"),
    [
        (np.ones((1, 3, 2)), np.ones((3, 2)), None, AXIS_OF_ONE),
        ([[3.0]], [3.0], None, AXIS_OF_ONE),
        (np.zeros((0, 1, 3)), np.zeros((0, 3)), None, ""),
        (np.ones((1, 2, 3)), np.ones((2, 1, 3)), None, "The numbers are right, the shape is not."),
        (np.full((1, 3), 2.0), np.ones(3), None, ""),
        (np.zeros((2, 0)), np.zeros(2), None, ""),
        (np.zeros((0, 3)), np.zeros((0, 2)), None, ""),
        ([3.0], [[3.0]], None, "The numbers are right, the shape is not."),
        ([np.nan, 1.0], [1, 2], None, "One entry is NaN."),
        ([np.nan, np.nan], [np.nan, 1.0], None, ""),
        ([0.0], [1.0], None, ""),
        ([0.0, 0.0], [1.0, 2.0], None, "Yours is zero everywhere."),
        ([0.0, 0.0], [1.0, np.inf], None, ""),
        ([2.0, 4.0], [1.0, 2.0], 4, "Yours is twice as large."),
        ([5.0, 8.0], [2.0, 5.0], None, "Yours is larger by 3 everywhere."),
        ([1.0, -2.0], [-1.0, -2.0], None, "Only signs differ."),
        # So many more entries that a relation would say nothing, and just not so many
        (np.ones(20_001), 20_001.0, None, ""),
        (np.ones((200, 55)), np.full(200, 55.0), None, "Its sum over axis 1 is what is asked."),
    ],
)
def test_the_relation_of_small_arrays(got, expected, batch, sentence):
    assert told(got, expected, batch=batch) == sentence


def test_a_shift_is_larger_than_rounding():
    e = np.array([1.0, -1.0, 3.0])
    assert told(e + 1e-3, e) == "Yours is larger by 0.001 everywhere."
    assert told(e + 1e-8, e, bound=1e-12).startswith("It agrees to six digits")


def test_more_axes_than_one_are_not_a_sum():
    assert told(np.ones((2, 2, 3, 4)), np.ones((3, 4))) == ""


def test_where_arrays_differ():
    e = np.array([1.0, np.nan, np.inf, 0.0])
    assert differs(np.array([1.0, np.nan, np.inf, 0.0]), e, 1e-9, False).tolist() == [False] * 4
    assert differs(np.array([2.0, 0.0, -np.inf, 1.0]), e, 1e-9, False).tolist() == [True] * 4
    assert differs(np.array([1, 2]), np.array([1, 3]), 0.5, False).tolist() == [False, True]


@pytest.mark.parametrize("expected", [np.array([1.0, 0.0]), np.array([[0.5, 0.0]], dtype=np.float32), 1.0])
def test_true_and_false_are_not_the_numbers_that_are_asked(expected):
    got = np.asarray(expected, dtype=bool)
    dtype = np.asarray(expected).dtype
    assert compare(got, expected).text == (
        f"expected numbers ({dtype}), got True and False (dtype bool), which cannot be subtracted. `.astype(float)` turns them "
        "into 1 and 0."
    )
    assert compare(got[()], expected) is not None
    # Whole numbers are numbers
    assert compare(np.array([1, 0]), np.array([1.0, 0.0])) is None


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.float16, np.float32, np.longdouble, complex])
def test_an_answer_of_any_dtype_is_told_what_differs(dtype):
    expected = np.array([0.5, 0.25, 0.125])
    assert compare(np.array([1, 0, 1], dtype=dtype), expected).text.endswith("; all 3 entries differ.")


@pytest.mark.parametrize(
    ("reduction", "times", "words"),
    [
        ("", 5, "Yours is 5 times as large, with 5 examples: is a division by their number missing?"),
        ("", 0.2, "Yours is 1/5 of what is expected, with 5 examples: is it divided by their number once too often?"),
        (
            "mean",
            5,
            "Yours is 5 times as large, with 5 examples: the mean over them is asked; is the division missing?",
        ),
        (
            "mean",
            0.2,
            "Yours is 1/5 of what is expected, with 5 examples: the mean is asked; is it divided by their number twice?",
        ),
        (
            "sum",
            5,
            "Yours is 5 times as large, with 5 examples: the sum is asked; is each of them added more than once?",
        ),
        ("sum", 0.2, "Yours is 1/5 of what is expected, with 5 examples: a mean where the sum is asked?"),
        (
            "sum",
            -0.2,
            "Yours is 1/5 of what is expected, with 5 examples, and has the opposite sign: a mean where the sum is asked?",
        ),
    ],
)
def test_a_factor_of_the_number_of_examples_knows_what_is_asked(reduction, times, words):
    expected = np.array([1.0, -3.0, 0.5])
    assert compare(times * expected, expected, batch=5, reduction=reduction).relation == words
