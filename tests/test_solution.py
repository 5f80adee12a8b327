"""The shown code of a solution, and the slips that turn it into a mistake."""

import inspect
import traceback

import numpy as np
import pytest

from autograder.checks.exercise import Case, Exercise, Mistake, of_a_part
from autograder.checks.solution import Slip, Solution, shown_code, slip, slip_in, solution_parts
from dlcourse import activations, neurons

# --- what is shown --------------------------------------------------------------------------------------------------


def scaled(x, scale=2.0):
    """Every entry times the scale."""
    y = x * scale
    return y + x


def halved(x):
    return scaled(x, scale=0.5)


def tripled(x, scale=2.0):
    return (scale + 1.0) * x


def test_the_shown_code_has_no_docstring_no_namespace_and_no_checks():
    assert shown_code(activations.softmax).startswith("def softmax(")
    code = shown_code(neurons.preactivation)
    assert code == "def preactivation(X, w, b):\n    return X @ w + b"
    for function in (neurons.perceptron_fit, neurons.signed_distance, activations.softmax):
        code = shown_code(function)
        assert not any(text in code for text in ('"""', "xp.", "array_namespace", "check_"))
        compile(code, "shown", "exec")


def test_a_solution_takes_the_place_of_the_references_code():
    head, body = solution_parts(scaled, halved)
    assert head == 'def scaled(x, scale=2.0):\n    """Every entry times the scale."""'
    assert body == "    return scaled(x, scale=0.5)"
    assert solution_parts(scaled) == (head, "    y = x * scale\n    return y + x")


# --- slips ----------------------------------------------------------------------------------------------------------


CODE = "y = a + b\nreturn y * b"


@pytest.mark.parametrize(
    "made, code",
    [
        (slip("a + b", "a - b"), "y = a - b\nreturn y * b"),
        (slip("b\nreturn", "b\n\nreturn"), "y = a + b\n\nreturn y * b"),
        (slip("b", "c", everywhere=True), "y = a + c\nreturn y * c"),
        (slip("a", "c", everywhere=True), "y = c + b\nreturn y * b"),
        # The second pair looks at what the first one left
        (slip("a + b", "a", "y = a", "y = 2 * a"), "y = 2 * a\nreturn y * b"),
        (slip(" * b", "", "b", "c"), "y = a + c\nreturn y"),
    ],
)
def test_a_slip_exchanges_its_texts_in_order(made, code):
    assert made.applied(CODE) == code


@pytest.mark.parametrize(
    "made, message",
    [
        (slip("c", "d"), f"slip: expected 'c' once in the solution, found it 0 times in\n{CODE}"),
        (slip("c", "d", everywhere=True), f"slip: expected 'c' once in the solution, found it 0 times in\n{CODE}"),
        (slip("b", "c"), f"slip: expected 'b' once in the solution, found it 2 times in\n{CODE}"),
        (slip("a", "a"), "slip: 'a' is exchanged for itself"),
        (
            slip("a", "c", "a", "d"),
            "slip: expected 'a' once in the solution, found it 0 times in\n" + CODE.replace("a", "c"),
        ),
    ],
)
def test_a_slip_that_cannot_be_made_says_why(made, message):
    with pytest.raises(ValueError) as error:
        made.applied(CODE)
    assert str(error.value) == message


@pytest.mark.parametrize("texts", [("a", "b", "c"), ("a", "b", "c", "d", "e")])
def test_a_slip_takes_pairs(texts):
    with pytest.raises(TypeError) as error:
        slip(*texts)
    assert str(error.value) == f"slip: expected pairs of old and new text, got {len(texts)} texts"


def test_a_slip_keeps_its_pairs_and_whether_they_are_exchanged_everywhere():
    assert slip("a", "b", "c", "d", everywhere=True) == Slip((("a", "b"), ("c", "d")), everywhere=True)


# --- functions with a slip ------------------------------------------------------------------------------------------


def test_the_slipped_functions_of_a_pair_call_one_another_and_leave_the_solution_alone():
    solution = Solution("some.pair", (scaled, halved))
    wrong = solution.slipped(slip("y + x", "y - x"), "sign")
    assert [function.__name__ for function in wrong] == ["scaled", "halved"]
    assert [function(3.0) for function in wrong] == [3.0, -1.5]
    assert [scaled(3.0), halved(3.0)] == [9.0, 4.5]


def test_a_slipped_function_knows_the_names_around_the_solution_and_numpy():
    (wrong,) = Solution("neurons.signed_distance", (neurons.signed_distance,)).slipped(
        slip("/ norm", "* norm"), "times"
    )
    X, w = np.array([[3.0, 4.0]]), np.array([3.0, 4.0])
    np.testing.assert_allclose(wrong(X, w, -5.0), 25 * neurons.signed_distance(X, w, -5.0))


def test_a_slipped_function_shows_its_changed_lines():
    (wrong,) = Solution("some.scaled", (scaled,)).slipped(slip("y + x", "y + missing"), "name")
    assert inspect.getsource(wrong).strip() == "def scaled(x, scale=2.0):\n    y = x * scale\n    return y + missing"
    with pytest.raises(NameError) as error:
        wrong(1.0)
    assert traceback.extract_tb(error.value.__traceback__)[-1].line == "return y + missing"


def test_a_slip_in_a_helper_changes_what_the_solution_calls_and_shows_the_helpers_lines():
    solution = Solution("some.halved", (halved,))
    made = slip_in([scaled], slip("y + x", "y - x"))
    (wrong,) = solution.slipped(made, "sign")
    assert (wrong.__name__, wrong(3.0), halved(3.0), scaled(3.0)) == ("halved", -1.5, 4.5, 9.0)
    before, after = solution.before_and_after(made)
    assert before == shown_code(scaled) and after == before.replace("y + x", "y - x")
    # The helper's text alone is searched
    with pytest.raises(ValueError, match=r"^slip: expected 'scale=0.5' once in the solution, found it 0 times in\n"):
        solution.slipped(slip_in([scaled], slip("scale=0.5", "scale=1")), "share")


def quartered(x):
    return halved(x) / 2


def test_a_slip_in_a_helper_of_a_helper_goes_through_what_stands_between():
    made = slip_in([halved], slip_in([scaled], slip("y + x", "y - x")))
    assert (made.helpers, made.callers) == ((scaled,), (halved,))
    (wrong,) = Solution("some.quartered", (quartered,)).slipped(made, "sign")
    assert (wrong(3.0), quartered(3.0)) == (-0.75, 2.25)


# --- in an exercise -------------------------------------------------------------------------------------------------


def some_exercise(*mistakes, **options):
    return Exercise("some.scaled", scaled, lambda rng: [Case("one", (1.0,))], mistakes, **options)


def test_an_exercise_makes_its_slips_and_shows_the_difference():
    def rewritten(x, scale=2.0):
        return 0.0

    made = some_exercise(
        Mistake("sign", slip("y + x", "y - x"), "The sign.", also=(slip("y + x", "x - y"), rewritten)),
        Mistake("zero", rewritten, "Zero.", also=(slip("return y + x", "return 0 * y"),)),
    )
    sign, zero = made.mistakes
    assert [function(1.0) for (function,) in sign.ways] == [1.0, -1.0, 0.0]
    assert made.difference(sign) == [
        "- return y + x\n+ return y - x",
        "- return y + x\n+ return x - y",
        "",
    ]
    assert zero.functions == (rewritten,)
    assert made.difference(zero) == ["", "- return y + x\n+ return 0 * y"]


def test_a_difference_gives_the_lines_of_each_change_in_order():
    long = slip("    y = x * scale\n", "    scale = -scale\n    y = x * scale\n    y = y + 0\n", "y + x", "y - x")
    made = some_exercise(Mistake("sign", long, "The sign."))
    assert made.difference(made.mistakes[0]) == ["+ scale = -scale\n- return y + x\n+ y = y + 0\n+ return y - x"]


def test_slips_are_made_in_the_given_solution():
    made = some_exercise(Mistake("sign", slip("scale + 1.0", "scale - 1.0"), "The sign."), solution=tripled)
    assert made.mistakes[0].function[0](4.0) == 4.0
    assert made.difference(made.mistakes[0]) == ["- return (scale + 1.0) * x\n+ return (scale - 1.0) * x"]


def test_a_slip_that_the_solution_does_not_hold_is_an_error_at_import():
    with pytest.raises(ValueError) as error:
        some_exercise(Mistake("sign", slip("y - x", "y + x"), "The sign."))
    assert str(error.value) == f"slip: expected 'y - x' once in the solution, found it 0 times in\n{shown_code(scaled)}"


def test_the_mistakes_of_a_part_are_made_in_its_solution():
    part = some_exercise(
        Mistake("sign", slip("y + x", "y - x"), "The sign.", also=[slip("y + x", "x - y")]),
        Mistake("zero", lambda x, scale=2.0: 0.0, "Zero."),
    )
    whole = some_exercise(*of_a_part(part, but=["zero"]), solution=halved)
    (sign,) = whole.mistakes
    assert (sign.slug, sign.hint) == ("sign", "The sign.")
    assert [function(3.0) for (function,) in sign.ways] == [-1.5, 1.5]
    assert whole.difference(sign) == part.difference(part.mistakes[0])
    with pytest.raises(ValueError) as error:
        of_a_part(part)
    assert str(error.value) == "some.scaled: zero is a rewrite, which has no slip to make; leave it out"
