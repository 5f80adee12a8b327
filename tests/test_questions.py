"""Practice questions by the branch: exercises made up here, numbers chosen by hand, and whole sentences."""

import dataclasses

import numpy as np
import pytest

from autograder import get_exercise
from autograder.checks import practice
from autograder.checks.drivers import Case
from autograder.checks.exercise import Exercise, Mistake
from autograder.checks.practice import Question, Reply, Variant, parse, reply, shown


def double(x, scale=2.0):
    """Twice   x,
    in two lines.

    More of it.

    Returns
    -------
    y : array. n : number of entries.
    """
    return scale * x, x.size


def forward(x, w):
    """The product.

    Returns
    -------
    y : array. cache : what the way back needs.
    """
    return x * w, (x, w)


def backward(dy, cache):
    """The way back.

    Returns
    -------
    dx, dw : arrays.
    """
    return dy * cache[1], dy * cache[0]


def only(x):
    """The same.

    Returns
    -------
    y : array.
    """
    return x


X, W = np.array([1.0, -2.0]), np.array([3.0, 0.5])
ONE = Exercise("losses.double", double, lambda rng: [])
PAIR = Exercise("losses.product", (forward, backward), lambda rng: [])
ALONE = Exercise("losses.only", only, lambda rng: [])
PAIR_CASE = Case("practice", (X, W), dout=np.ones(2))


def variant(expected, exercise=ALONE, asked="", case=None, given=()):
    return Variant(exercise, case or Case("practice", (X,)), list(given), asked, expected)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (
            variant((2 * X, 2), ONE, given=[("x", X), ("scale", 2.0)]),
            "losses.double. Twice x, in two lines.\nx = [1, -2]\nscale = 2\nWhat are y and n? Type a list.",
        ),
        (variant(X, given=[("x", X)]), "losses.only. The same.\nx = [1, -2]\nWhat is the result?"),
        (variant((X, 1, 2), ONE), "losses.double. Twice x, in two lines.\nWhat is the result?"),
        (variant([X, 1], ONE), "losses.double. Twice x, in two lines.\nWhat is the result?"),
        (variant((2 * X, 2), ONE, "n"), "losses.double. Twice x, in two lines.\nWhat is n?"),
        (variant(X * W, PAIR, "forward"), "losses.product. The product.\nWhat is the output?"),
        (variant(X, PAIR, "dw"), "losses.product. The way back.\nWhat is dw?"),
    ],
)
def test_what_the_student_reads(made, text):
    assert made.text == text


def test_a_question_has_the_fields_of_its_case():
    rng = np.random.default_rng(0)
    made = practice.question("losses.double", lambda rng: (rng,), "a", "b", dout=3, extra=lambda rng: {"rng": rng})
    assert (made.exercise, made.asked) == ("losses.double", ("a", "b"))
    assert made.draw(rng) == Case("practice", (rng,), dout=3, extra={"rng": rng})
    assert practice.question("losses.double", lambda rng: ()).asked == ("",)
    assert Question("losses.double", None).asked == ("",)


def test_whole_numbers_are_drawn_as_decimals():
    rng = np.random.default_rng(0)
    made = practice.whole(rng, 40, 50)
    assert made.dtype == float and made.shape == (40, 50) and set(np.unique(made)) == {*range(-3, 4)}
    assert set(np.unique(practice.whole(rng, 200, low=2, high=5))) == {2, 3, 4}
    assert type(practice.whole(rng)) is float


@pytest.fixture
def known(monkeypatch):
    made = {one.name: one for one in (ONE, PAIR, ALONE)}
    monkeypatch.setattr(practice, "get_exercise", made.__getitem__)
    return made


def test_what_asks_nothing_is_drawn_again(known):
    numbers = [0.0, np.nan, np.inf, -1001.0, 1000.0]
    drawn = []

    def draw(rng):
        drawn.append(rng)
        return Case("practice", (np.array([numbers[len(drawn) - 1]]),))

    rng = np.random.default_rng(0)
    made = practice.draw(Question("losses.only", draw), rng)
    assert drawn == [rng] * 5 and made.expected.tolist() == [1000.0]
    assert (made.exercise, made.asked, made.case.name) == (ALONE, "", "practice")
    assert [(name, value.tolist()) for name, value in made.given] == [("x", [1000.0])]
    # In the end whatever there is
    drawn.clear()
    numbers = [0.0] * practice.TRIES
    assert practice.draw(Question("losses.only", draw), rng).expected.tolist() == [0.0]
    assert len(drawn) == practice.TRIES


def test_one_of_the_things_that_can_be_asked_is_asked(known):
    asked = {
        practice.draw(
            Question("losses.product", lambda rng: PAIR_CASE, ("forward", "dw")), np.random.default_rng(i)
        ).asked
        for i in range(20)
    }
    assert asked == {"forward", "dw"}


@pytest.mark.parametrize(
    ("value", "asks"),
    [
        ([0.0, 0.0], False),
        ([0.0, 1000.0], True),
        ([1000.5], False),
        ([-1001], False),
        ([np.nan, 1.0], False),
        ([], False),
        ((np.array(2.0), 1), True),
    ],
)
def test_numbers_that_ask_something(value, asks):
    assert bool(practice._asks_something(value)) is asks


LARGE = np.ones((1, 1, 2, 2))


@pytest.mark.parametrize(
    ("exercise", "case", "asked", "value"),
    [
        (ALONE, Case("a", (X,)), "", [1.0, -2.0]),
        (ALONE, Case("a", (X,)), "y", [1.0, -2.0]),
        (ALONE, Case("a", (LARGE,)), "", [[1.0, 1.0]] * 2),
        (ALONE, Case("a", (LARGE[0, 0, :1],)), "", [[1.0, 1.0]]),
        (PAIR, PAIR_CASE, "forward", [3.0, -1.0]),
        (PAIR, PAIR_CASE, "dx", [3.0, 0.5]),
        (PAIR, PAIR_CASE, "dw", [1.0, -2.0]),
    ],
)
def test_the_value_that_is_asked_for(exercise, case, asked, value):
    assert practice._value(exercise, exercise.functions, case, asked).tolist() == value


def test_a_value_of_a_dict_by_its_key():
    steps = Exercise("losses.steps", lambda x: {"w after step 1": x, "v": 2 * x}, None)
    assert practice._value(steps, steps.functions, Case("a", (X,)), "v").tolist() == [2.0, -4.0]


@pytest.mark.parametrize(
    ("exercise", "functions", "asked"),
    [
        (ALONE, (lambda x: 1 / 0,), ""),
        (PAIR, (forward, lambda dy, cache: 1 / 0), "dx"),
        (PAIR, (forward, lambda dy, cache: None), "dx"),
        (PAIR, (forward, lambda dy, cache: (dy,)), "dw"),
        (PAIR, (forward, lambda dy, cache: {}), "dw"),
        (PAIR, (forward, lambda dy, cache: dy), "what there is not"),
    ],
)
def test_an_implementation_that_gives_no_such_value(exercise, functions, asked):
    with pytest.raises(practice._Nothing):
        practice._value(exercise, functions, PAIR_CASE if exercise is PAIR else Case("a", (X,)), asked)


def test_what_is_asked_has_a_second(monkeypatch):
    given, run = [], practice.timed
    monkeypatch.setattr(practice, "timed", lambda *call: given.append(call[-1]) or run(*call))
    practice._value(ALONE, ALONE.functions, Case("a", (X,)), "")
    assert given == [1.0]


def names(given):
    return [(name, value.tolist() if isinstance(value, np.ndarray) else value) for name, value in given]


def test_what_is_given():
    assert names(practice._given(PAIR, PAIR_CASE, "dw")) == [("x", [1.0, -2.0]), ("w", [3.0, 0.5]), ("dy", [1.0, 1.0])]
    assert names(practice._given(PAIR, PAIR_CASE, "forward")) == [("x", [1.0, -2.0]), ("w", [3.0, 0.5])]
    with_name = Case("a", (X,), {"w": W}, dout=np.ones(2))
    assert names(practice._given(PAIR, with_name, "forward")) == [("x", [1.0, -2.0]), ("w", [3.0, 0.5])]
    trained = Case("a", (X, "init"), {"lr": 0.5}, extra={"gradients": [W, X]})
    assert names(practice._given(ALONE, trained, "")) == [
        ("w", [1.0, -2.0]),
        ("dw in step 1", [3.0, 0.5]),
        ("dw in step 2", [1.0, -2.0]),
        ("lr", 0.5),
    ]


# --- typed answers ----------------------------------------------------------------------------------------------------

HOW = "Type a number or a list, such as 3, -0.5, 1/3 or [[1, 2], [3, 4]]."
FLAGS = np.array([True, False])


@pytest.mark.parametrize(
    ("expected", "typed", "said"),
    [
        (X, "[1, -2]", Reply(True, "Right.")),
        (X, "[1.009, -2]", Reply(True, "Right.")),
        (X, "[1.011, -2]", Reply(False, "Not right.\n1 of 2 entries are right.")),
        (X, "[1.5, -2.01]", Reply(False, "Not right.\n1 of 2 entries are right.")),
        (X, "[1]", Reply(False, "Not right.\nExpected shape (2,), got shape (1,).")),
        (X, "7", Reply(False, "Not right.\nExpected shape (2,), got shape ().")),
        (np.array(2.0), "3", Reply(False, "Not right.")),
        ((X, 2), "[[1, -2], 2]", Reply(False, f"That cannot be read. {HOW}", understood=False)),
        ((1.0, 2), "[1, 2]", Reply(True, "Right.")),
        ((1.0, 2), "[2, 2]", Reply(False, "Not right.\n1 of 2 entries are right.")),
        ((1.0, 2), "3", Reply(False, "Not right.\nExpected 2 values, got an int.")),
        (FLAGS, "[1, 0]", Reply(True, "Right.")),
        (FLAGS, "[True, False]", Reply(True, "Right.")),
        (FLAGS, "[1.0, 0.0]", Reply(True, "Right.")),
        (FLAGS, "[1, 1]", Reply(False, "Not right.\n1 of 2 entries are right.")),
        (FLAGS, "[1, 2]", Reply(False, "Not right.\n1 of 2 entries are right.")),
        (np.array(True), "1", Reply(True, "Right.")),
        (X, "what", Reply(False, f"That cannot be read. {HOW}", understood=False)),
        (X, "", Reply(False, HOW, understood=False)),
    ],
)
def test_what_is_said_to_a_typed_answer(expected, typed, said):
    assert reply(variant(expected), typed) == said


def mistake(slug, function, hint="Look.", **more):
    return Mistake(slug, function, hint, **more)


WRONG = [
    mistake("ten_times", lambda x: 10 * x, "[It is that.] Why ten?"),
    mistake("also_ten", lambda x: 1 / 0, also=[lambda x: 5 * x, lambda x: 10 * x]),
    mistake("negative", lambda x: -x, "Another sign is asked.", convention=True),
    mistake("right_here", lambda x: x.copy()),
    mistake("of_another_shape", lambda x: x[:, None]),
    mistake("three_times", lambda x: 3 * x),
    mistake("thrice", lambda x: x + x + x),
    mistake("threefold", lambda x: x * 3.001),
]
ALONE_WRONG = dataclasses.replace(ALONE, mistakes=WRONG)


@pytest.mark.parametrize(
    ("typed", "slugs", "text"),
    [
        (
            "[10, -20]",
            ("ten_times", "also_ten"),
            "Not right.\nThis looks like a known mistake (ten times). Why ten?\nThis looks like a known mistake (also ten). Look.",
        ),
        ("[5, -10]", ("also_ten",), "Not right.\nThis looks like a known mistake (also ten). Look."),
        (
            "[-1, 2]",
            ("negative",),
            "Not right.\nThis is another convention than the one asked for (negative). Another sign is asked.",
        ),
        ("[[1], [-2]]", ("of_another_shape",), "Not right.\nThis looks like a known mistake (of another shape). Look."),
        # What three of them give tells nothing
        ("[3, -6]", (), "Not right.\n0 of 2 entries are right."),
    ],
)
def test_known_mistakes_are_named_where_they_give_what_was_typed(typed, slugs, text):
    assert reply(variant(X, ALONE_WRONG), typed) == Reply(False, text, True, slugs)


def test_what_cannot_be_compared_is_not_equal():
    class Strange:
        def __array__(self, *args, **kwargs):
            raise TypeError

    assert practice._equal(X, X * 1.004) and not practice._equal(X, X * 1.006)
    assert not practice._equal(X, Strange()) and not practice._equal(X, None)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("3", 3),
        (" −0.5\n", -0.5),
        ("--2", 2),
        ("1/4", 0.25),
        ("2*3+1-4", 3),
        ("True", True),
        ("False", False),
        ("[1, -2]", [1, -2]),
        ("(1, 2)", [1, 2]),
        ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ("[]", []),
        ("1" + "0" * 499, 10**499),
    ],
)
def test_what_is_read(typed, value):
    made = parse(typed)
    assert (made.tolist() if isinstance(made, np.ndarray) else made) == value
    assert isinstance(made, np.ndarray) == isinstance(value, list)


@pytest.mark.parametrize(
    "typed",
    ["x", "'a'", "None", "1j", "[1, 2", "[1, [2]]", "1/0", "2**3", "7%2", "+1", "~1", "not 1", "f(1)", "[1] + [2]", "1 + [2]",
     "-[1]", "{1: 2}", "1 if 1 else 2", "1 < 2", "1; 2", "1e400 / 0", "1.0 / (10 * 0)"],
)  # fmt: skip
def test_what_is_not_read(typed):
    with pytest.raises(ValueError) as caught:
        parse(typed)
    assert str(caught.value) == f"That cannot be read. {HOW}"


@pytest.mark.parametrize("typed", ["", "  \n", "1" * 501])
def test_what_is_no_answer_at_all(typed):
    with pytest.raises(ValueError) as caught:
        parse(typed)
    assert str(caught.value) == HOW


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (2.0, "2"),
        (-0.0, "0"),
        (1 / 3, "0.3333"),
        (12345.6, "1.235e+04"),
        (np.float32(0.5), "0.5"),
        (True, "True"),
        (None, "None"),
        ("mean", "'mean'"),
        ((1, 2.5), "[1, 2.5]"),
        ([X, "a"], "[[1, -2], 'a']"),
        (np.array([[True]]), "[[True]]"),
        (LARGE, "[[1, 1], [1, 1]]"),
        (np.ones((1, 2)), "[[1, 1]]"),
        (np.array(2.0), "2"),
        ({"a": 1}, "a dict"),
    ],
)
def test_numbers_as_they_are_typed(value, text):
    assert shown(value) == text


def test_the_exercise_of_a_question_is_the_registrys():
    made = practice.draw(
        practice.question("activations.relu", lambda rng: (np.array([2.0]),)), np.random.default_rng(0)
    )
    assert made.exercise is get_exercise("activations.relu") and made.expected.tolist() == [2.0]
