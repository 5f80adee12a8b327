"""Answers without content, by the branch: what each of them gives, and what is taken off what it earns."""

from collections import namedtuple

import numpy as np
import pytest

from autograder.checks import cheap
from autograder.checks.cheap import FILLS, MORE, cheap_answers
from autograder.checks.exercise import Exercise
from autograder.checks.scale import Scale

X = np.array([1.0, 2.0, 6.0])


def plain(x, k):
    """Something.

    Returns
    -------
    y : array.
    """
    return 2 * x


def forward(x, w):
    """Something.

    Returns
    -------
    y : array. cache : for the way back.
    """
    return x * w, (x, w)


def backward(dy, cache):
    return dy * cache[1]


ARGUMENTS = (X, [3, 4], 5)
# {what: what it gives for ARGUMENTS; an error's type where it raises}
MADE = {
    "0.0": 0.0, "1.0": 1.0, "0.5": 0.5, "-1.0": -1.0, "0": 0, "1": 1, "2": 2, "True": True, "False": False, "None": None,
    "inf": np.inf, "''": "", "an empty list": [], "an empty array": np.zeros(0),
    "argument 1": X, "argument 2": [3, 4], "argument 3": 5, "argument 4": IndexError, "argument 5": IndexError,
    "argument 6": IndexError, "the last argument": 5, "the first argument, with a cache": (X, ARGUMENTS),
    "the arguments": ARGUMENTS, "range": [0, 1, 2], "range backwards": [2, 1, 0], "range as an array": np.arange(3),
    "sevens": np.full(3, 7.0),
    "same shape, number 1": X, "same shape, number 2": X, "same shape, number 3": X, "same shape, number 4": X,
    "size of argument 1": 3, "mean of argument 1": 3.0, "size of argument 2": 2, "mean of argument 2": 3.5,
    "size of argument 3": TypeError, "mean of argument 3": 5.0,
}  # fmt: skip


def alike(a, b):
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(a, b)
    return type(a) is type(b) and a == b


def test_what_answers_without_content_give():
    answers = list(
        cheap_answers(
            Exercise("losses.a", lambda x, k, z: plain(x, k), None), {"sevens": lambda x, given: np.full_like(x, 7)}
        )
    )
    assert [what for what, _, _ in answers] == list(MADE)
    for what, (function,), right in answers:
        assert right is None
        if isinstance(MADE[what], type):
            with pytest.raises(MADE[what]):
                function(*ARGUMENTS)
        else:
            assert alike(function(*ARGUMENTS), MADE[what]), what


def test_an_argument_is_handed_back_as_a_copy_and_a_number_has_its_range():
    answers = {what: functions for what, functions, _ in cheap_answers(Exercise("losses.a", plain, None))}
    assert answers["argument 1"][0](X) is not X and answers["the last argument"][0](3, X) is not X
    assert answers["range"][0](2) == [0, 1] and answers["range backwards"][0](2) == [1, 0]
    assert [what for what in answers if what in FILLS] == list(FILLS)


def test_of_two_functions_the_last_one_is_handed_in_beside_the_right_first_one():
    answers = list(cheap_answers(Exercise("losses.b", (forward, backward), None), {}))
    assert [what for what, _, _ in answers] == [
        name for what in MADE if what != "sevens" for name in (what, f"{what} at last")
    ]
    both, last = answers[:2]
    assert [one(X) for one in both[1]] == [0.0, 0.0] and both[2] is None
    assert last[1][0] is forward and last[1][1](X) == 0.0 and last[2][0] is forward
    with pytest.raises(NotImplementedError):
        last[2][1](X, 1)


def test_what_trains_is_asked_once_for_the_same_arguments():
    calls = []

    def train(x, scale=1):
        calls.append(scale)
        return {"w": scale * x}

    exercise = Exercise("losses.c", train, None, scales={"": Scale("a", 0, 1, lambda value, case: 0.0)})
    answers = {what: functions[0] for what, functions, _ in cheap_answers(exercise)}
    for what in ("zeros", "ones", "zeros"):
        answers[what](X)
    answers["zeros"](X, scale=2)
    assert calls == [1, 2] and answers["ones"](X)["w"].tolist() == [1.0] * 3
    without = {what: functions[0] for what, functions, _ in cheap_answers(Exercise("losses.d", train, None))}
    without["zeros"](X), without["zeros"](X)
    assert calls == [1, 2, 1, 1]


def test_every_array_and_number_of_an_answer_is_exchanged():
    kind = namedtuple("Pair", "a b")
    answer = {
        "a": X,
        "b": (1.5, [2, True]),
        "c": kind(X, None),
        "d": "text",
        "e": [X, "t"],
        "f": np.float32(2),
        "g": True,
    }
    made = cheap._filled(lambda: answer, lambda x, given: np.full_like(x, 7))()
    assert alike(made["a"], np.full(3, 7.0)) and alike(made["c"].a, np.full(3, 7.0)) and type(made["c"]) is kind
    assert made["b"] == (7.0, [7, 7]) and [type(x) for x in made["b"]] == [float, list] and made["c"].b is None
    assert (
        made["d"] == "text" and alike(made["e"][0], np.full(3, 7.0)) and made["e"][1] == "t" and type(made["e"]) is list
    )
    assert (made["f"], made["g"]) == (7.0, True) and type(made["f"]) is float and type(made["g"]) is bool
    assert cheap._filled(lambda: (x for x in [1.0, X[:2]]), lambda x, given: x + 1)()[1].tolist() == [2.0, 3.0]
    assert cheap._filled(lambda: [1.0, 2.0], lambda x, given: x[::-1])() == [2.0, 1.0]


def test_the_cache_of_a_forward_stays():
    made = cheap._filled(forward, lambda x, given: 0 * x)(X, X)
    assert made[0].tolist() == [0.0] * 3 and made[1][0].tolist() == X.tolist()

    def another(x):
        """Something.

        Returns
        -------
        y, z, cache : arrays.
        """
        return x, x, (x,), x

    # The names do not say which: the last value
    made = cheap._filled(another, lambda x, given: 0 * x)(X)
    assert [np.any(one) for one in (*made[:2], made[2][0], made[3])] == [False, False, False, True]

    def first(x):
        """Something.

        Returns
        -------
        cache, y : arrays.
        """
        return x, x

    made = cheap._filled(first, lambda x, given: 0 * x)(X)
    assert made[0].any() and not made[1].any()


def test_what_is_given_are_the_arrays_and_numbers_among_the_arguments():
    heard = []
    arguments = (X, 2, "t", [np.ones(2), 3, (np.zeros((1, 1)),)], {"k": np.ones(4), "n": 1.5})
    cheap._filled(lambda *args, **kwargs: X, lambda x, given: heard.append(given) or x)(*arguments, more=True)
    assert [one.shape for one in heard[0]] == [(3,), (), (2,), (1, 1), (4,), ()]


def test_a_function_among_the_arguments_sees_no_call_of_the_watched_one():
    seen = []

    def watched(x):
        seen.append(x)
        return 2 * x

    def uses(f, x):
        return f(x)

    made = cheap._filled(uses, lambda x, given: x + 1)(watched, X)
    assert made.tolist() == [3.0, 5.0, 13.0] and seen == []
    assert cheap._shadow(len) is len and cheap._shadow(uses) is uses


def test_a_shape_is_filled_from_what_has_it():
    two, other = np.ones(3), np.arange(3.0)
    for number, value in enumerate((X, two, other, other)):
        made = cheap._same_shape(number)(np.zeros(3), [X, np.ones(4), two, other])
        assert alike(made, value) and made is not value
    assert alike(cheap._same_shape(0)(X, [np.ones(4)]), np.zeros(3))


FILLED = {
    "the input's mean": ([np.ones(1), np.arange(2), X], np.full(2, 3.0)),
    "the input, cut or repeated": ([X], np.array([1.0, 2.0])),
}


@pytest.mark.parametrize("what", FILLED)
def test_a_shape_is_filled_from_the_input(what):
    given, value = FILLED[what]
    assert alike(FILLS[what](np.zeros(2), given), value)
    for nothing in ([], [np.ones(1)]):
        assert alike(FILLS[what](np.ones(2), nothing), np.zeros(2))


def test_a_repeated_input_has_the_values_type():
    assert alike(
        FILLS["the input, cut or repeated"](np.zeros(5, np.float32), [X]), np.array([1, 2, 6, 1, 2], np.float32)
    )
    assert alike(FILLS["the input's mean"](np.zeros(1), [np.arange(4.0), X]), np.array([1.5]))


def test_a_changed_input_where_it_has_the_shape():
    fill = MORE["twice the input"]
    assert alike(fill(np.zeros(3, np.float32), [X, np.ones(2)]), np.array([2, 4, 12], np.float32))
    for given in ([np.ones(2), X], [], [np.zeros(0)]):
        assert alike(fill(np.ones(3), given), np.zeros(3))
