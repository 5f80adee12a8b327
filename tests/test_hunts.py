"""Hunts: the student writes an input, and what counts is which known mistakes it tells from the right answer."""

import dataclasses

import nbformat
import numpy as np
import pytest
import records

import dlcourse
from autograder import build, check, evaluate, exercises_of, get_exercise
from autograder.checks import hunts
from autograder.checks.exercise import HUNT, Case, Exercise, Mistake
from autograder.checks.notebook import CheckFailed
from autograder.engine import ingest
from autograder.engine.grader import Grader
from autograder.engine.sandbox import sandbox
from autograder.engine.store.records import NOT_ATTEMPTED, PARTLY, RIGHT, TOO_MUCH_OUTPUT, WRONG, NotebookRecord
from autograder.engine.tasks import CODE, EXERCISE, Settings, Step, Task
from autograder.reports import feedback

HUNTS = [one for slug in dlcourse.TOPICS for one in exercises_of(slug).values() if one.kind == HUNT]
NAME = "activations.hunt_softmax"
TWO_ROWS = {"z": [[1000, 0, -1000], [-1000, 990, 1000]]}


def hunted(exercise):
    return exercise.assess.args[0]


def test_every_topic_has_a_hunt():
    assert [one.slug for one in HUNTS] == list(dlcourse.TOPICS)


@pytest.mark.parametrize("exercise", HUNTS, ids=lambda one: one.name)
def test_what_a_hunt_says_of_inputs_is_so(exercise):
    about = hunted(exercise)
    naive = hunts.revealed(about, about.naive)
    assert set(about.shows) == {slug for slug, shown in naive.items() if not shown}
    assert all(hunts.revealed(about, exercise.reference).values())
    assert not set(about.shows) & set(about.beyond) and all(about.beyond.values())
    assert 0 < len(about.shows) < len(naive)
    # It stands behind "It shows on", before a full stop
    assert not [text for text in about.shows.values() if text.endswith(".") or text[:1].isupper()]


@pytest.mark.parametrize(
    "value, message",
    [
        (
            {"z": [[1000.0, 0.0, 2.0]]},
            "✗ activations.hunt_softmax: 7 of 12 known mistakes revealed (0.33 of 2 points).\n"
            'Points begin above the 6 that {"z": [1, 2, 3]} reveals.\n'
            "Escapes: one shift for all. It shows on one example with logits near 1000 and another one all of whose "
            "logits are near 0.\n"
            "Escapes: axis fixed. It shows on an `axis` that is not the last one.\n"
            "Escapes: no axis. It shows on more than one example.\n"
            "Escapes: keepdims missing. It shows on more than one example, with the classes along another axis than "
            "the first.\n"
            'Escapes: integer buffer. It shows on {"z": [1, 2, 3]}.',
        ),
        (
            {"z": [[[1000, 0, 2], [1, 3, -1]], [[-1000, 1, 0], [4, 2, 5]]], "axis": 1},
            "✓ activations.hunt_softmax: right, 2 points.\nAll 12 known mistakes are revealed.",
        ),
        (
            {"z": [0.5]},
            "✗ activations.hunt_softmax: 3 of 12 known mistakes revealed (0 of 2 points).",
        ),
    ],
)
def test_an_input_earns_what_it_reveals_beyond_the_naive_one(value, message):
    said = evaluate(NAME, value).message
    assert said == message if "\n" in message else said.startswith(message + "\n")


def test_two_rows_of_thousands_reveal_ten_of_twelve():
    result = evaluate(NAME, TWO_ROWS)
    assert [row.case for row in result.rows if not row.passed] == ["one shift for all", "axis fixed"]
    assert (result.points, result.mistake, result.passed, len(result.rows)) == (1.33, None, False, 12)


REFUSED = "✗ activations.hunt_softmax: this input cannot be used (0 of 2 points).\n"


@pytest.mark.parametrize(
    "value, reason",
    [
        ({}, 'Expected a dict, {"z": …}: "z" is missing.'),
        ([1, 2], 'Expected a dict, {"z": …}, got a list of 2.'),
        (lambda: {}, 'Expected a dict, {"z": …}, got a function.'),
        ({"z": [1], "b": 2, "c": 3}, 'Expected a dict, {"z": …}: "b", "c" are not among its keys.'),
        ({"Z": [1]}, 'Expected a dict, {"z": …}: "z" is missing and "Z" is not among its keys.'),
        ({"z": [1, np.nan]}, "`z` holds NaN or infinity: every number has to be finite."),
        ({"z": [1, np.inf]}, "`z` holds NaN or infinity: every number has to be finite."),
        ({"z": [1, 1001]}, "`z` holds a number beyond ±1000."),
        ({"z": 10**400}, "`z`: expected numbers, or lists or an array of them, got an int."),
        ({"z": np.zeros((40, 40))}, "It holds more than 1000 numbers: a few dozen are enough."),
        ({"z": [[1, 2], [3]]}, "`z`: expected numbers, or lists or an array of them, got lists of different lengths."),
        ({"z": {"a": 1}}, "`z`: expected numbers, or lists or an array of them, got a dict."),
        (
            {"z": np.zeros(2, dtype=np.float16)},
            "`z`: expected numbers, or lists or an array of them of dtype float64, float32, int64 or bool, got dtype float16.",
        ),
        ({"z": "x" * 41}, "`z` holds a text of 41 characters."),
    ],
)
def test_an_input_that_cannot_be_used_is_refused_with_the_reason(value, reason):
    result = evaluate(NAME, value)
    assert (result.message, result.points, result.rows) == (REFUSED + reason, 0.0, ())


def test_an_input_that_the_reference_refuses_is_refused_in_its_words():
    said = evaluate(NAME, {"z": [[1, 2]], "axis": 5}).message
    assert said.startswith(f"{REFUSED}The course's own `softmax` does not take it: axis")
    said = evaluate(
        "convolution.hunt_maxpool2d", hunted(get_exercise("convolution.hunt_maxpool2d")).naive | {"size": 3}
    )
    assert "The course's own `maxpool2d_forward` and `maxpool2d_backward` do not take it: " in said.message
    said = evaluate("initializers.hunt_fans", {"shape": "four"}).message
    assert said.endswith("`shape` has another form than the function takes: the text 'four'.")


def reciprocal(x):
    return 1 / x


def doubled(x, scale=2.0):
    return scale * x


def made(mistakes, reference=doubled, **more):
    exercise = Exercise("losses.doubled", reference, lambda rng: [Case("one", (np.ones(2),))], mistakes)
    return hunts.Hunted(exercise, {"x": [0]}, {}, **more)


def test_a_mistake_is_revealed_in_all_of_its_forms_or_not():
    forms = Mistake("fixed", lambda x, scale=2.0: 3.0 * x, "", also=[lambda x, scale=2.0: 2.0 * x])
    changes = Mistake("changes", lambda x, scale=2.0: x.__imul__(scale) / 1.0, "")
    about = made([forms, changes])
    assert hunts.revealed(about, {"x": [1]}) == {"fixed": False, "changes": True}
    assert hunts.revealed(about, {"x": [1], "scale": 0.5}) == {"fixed": True, "changes": True}
    assert hunts.revealed(about, {"x": [0]}) == {"fixed": False, "changes": False}
    assert hunts.revealed(dataclasses.replace(about, beyond={"fixed": "why"}), {"x": [1]}) == {"changes": True}


def test_an_answer_that_is_not_finite_compares_with_nothing():
    with pytest.raises(
        hunts.Refused, match=r"^The right answer to it is not finite, so nothing can be compared with it\.$"
    ):
        hunts.revealed(made([], reciprocal), {"x": [0.0, 1.0]})


def test_values_in_which_right_implementations_differ_tell_nothing():
    def both(x, scale=2.0):
        return scale * x, x + 1.0

    def another(x, scale=2.0):
        return scale * x + 1.0, x + 1.0

    wrong = [
        Mistake("first", lambda x, scale=2.0: (0.0 * x, x + 1.0), ""),
        Mistake("second", lambda x, scale=2.0: (scale * x, x), ""),
        Mistake("raises", lambda x, scale=2.0: 1 / 0, ""),
    ]
    about = made(wrong, both)
    assert hunts.revealed(about, {"x": [1]}) == {"first": True, "second": True, "raises": True}
    unsure = dataclasses.replace(about, exercise=dataclasses.replace(about.exercise, variants=[another]))
    assert hunts.revealed(unsure, {"x": [1]}) == {"first": False, "second": True, "raises": True}
    with pytest.raises(hunts.Refused) as caught:
        one = made([], doubled).exercise
        hunts.revealed(hunts.Hunted(dataclasses.replace(one, variants=[lambda x, scale=2.0: x]), {}, {}), {"x": [1]})
    assert str(caught.value) == (
        "Right implementations differ on it by more than rounding, so nothing can be told of wrong ones: an overflow, or digits "
        "that cancel. Take other numbers."
    )


# --- by the branch ---------------------------------------------------------------------------------------------------


def scaled(x, w, scale=2.0):
    return scale * x * w, (x, w, scale)


def scaled_grad(dy, cache):
    _, w, scale = cache
    return scale * w * dy


def of_pair(**more):
    exercise = Exercise("losses.scaled", (scaled, scaled_grad), lambda rng: [Case("one", (np.ones(2), np.ones(2)))])
    return hunts.Hunted(exercise, {}, {}, **more)


def rows_of(rows, depth=2):
    return Case("made", (rows, depth))


def test_what_an_input_may_hold_and_what_it_must():
    assert hunts.argument_names(of_pair()) == {"x": True, "w": True, "scale": False, "dy": True}
    assert hunts.argument_names(made([])) == {"x": True, "scale": False}
    assert hunts.argument_names(of_pair(make=rows_of)) == {"rows": True, "depth": False}
    assert hunts._told(of_pair(), "hunt_scaled") == (
        'The input: hunt_scaled = {"x": …, "w": …, "dy": …}, lists or arrays; it may also hold "scale".'
    )
    assert hunts._told(of_pair(make=lambda a: None), "h") == 'The input: h = {"a": …}, lists or arrays.'
    several = of_pair(make=lambda a, b=1, c=2: None)
    assert hunts._told(several, "h") == 'The input: h = {"a": …}, lists or arrays; it may also hold "b", "c".'
    long = hunts._told(
        of_pair(make=lambda a_long_name, another_long_name, a_third_long_name, more=0: None), "hunt_a_thing"
    )
    assert [len(line) <= 100 for line in long.split("\n")] == [True, True]


def test_a_hunt_is_an_exercise_on_data():
    mistakes = [Mistake("triple", lambda x, scale=2.0: 3 * x, ""), Mistake("never", lambda x, scale=2.0: scale * x, "")]
    exercise = Exercise("losses.doubled", doubled, lambda rng: [], mistakes)
    best, naive, shows, beyond = {"x": [1]}, {"x": [0]}, {"triple": "ones"}, {"never": "it is right"}
    one = hunts.hunt(
        exercise, best, naive, shows, beyond, {"x": np.array}, points=2, minutes=7, why="W.", hints=["a", "b"]
    )
    assert (one.name, one.reference, one.driver, one.kind, one.data) == (
        "losses.hunt_doubled", best, hunts.data, HUNT, ("hunt_doubled",)
    )  # fmt: skip
    assert (one.points, one.minutes, one.why, one.hints) == (2, 7, "W.", ["a", "b"])
    assert one.told == 'The input: hunt_doubled = {"x": …}, lists or arrays; it may also hold "scale".'
    assert [case.name for case in one.cases(None)] == ["your input"]
    about = hunted(one)
    assert (about.exercise, about.naive, about.shows, about.beyond, about.convert, about.make) == (
        exercise, naive, shows, beyond, {"x": np.array}, None
    )  # fmt: skip
    assert [mistake.slug for mistake in about.mistakes] == ["triple"]
    assert one.scale() == (
        "Your input is tried on 1 known mistakes of `losses.doubled`. One counts as revealed where it gives another answer than "
        'the right implementation, an error, or a changed input. `{"x": [0]}` reveals 0 and earns nothing; each further one '
        "earns 1/1 of the points. Numbers are finite and within ±1000."
    )
    assert [(trial.what, trial.answers, trial.least, trial.most) for trial in one.trials()] == [
        ("the best known input", (best,), 1.0, 1.0),
        ('a naive input, {"x": [0]}', (naive,), 0.0, 0.0),
        ("an empty input, {}", ({},), 0.0, 0.0),
    ]
    plain = hunted(hunts.hunt(exercise, best, naive, shows, make=rows_of))
    assert (plain.beyond, plain.convert, plain.make) == ({}, {}, rows_of)
    with pytest.raises(ValueError, match=r"^a hunt names a, b, no mistake of losses\.doubled$"):
        hunts.hunt(exercise, best, naive, {"b": ""}, {"a": ""})


def test_an_input_is_read_as_a_case():
    case = hunts.read(of_pair(), {"w": [1, 2], "dy": [[1, 0]], "x": 3, "scale": 0.5})
    assert (case.name, case.args[0], case.args[2], case.kwargs) == ("your input", 3, 0.5, {})
    assert [(x.dtype, x.tolist()) for x in (case.args[1], case.dout)] == [
        (np.float64, [1.0, 2.0]), (np.float64, [[1.0, 0.0]])
    ]  # fmt: skip
    case = hunts.read(made([]), {"x": np.array([True, False])})
    assert (case.args[0].dtype, case.args[0].tolist(), case.dout) == (bool, [True, False], None)
    assert len(case.args) == 1
    case = hunts.read(of_pair(make=rows_of, convert={"rows": tuple}), {"rows": [[1, 2], "a", [3]]})
    assert case.name == "made" and case.args[1] == 2
    assert [one if isinstance(one, str) else one.tolist() for one in case.args[0]] == [[1, 2], "a", [3]]


def test_whole_numbers_stay_whole_where_some_case_has_them():
    assert hunts.read(made([], integers=["x"]), {"x": [1, 2]}).args[0].dtype == int
    assert hunts.read(made([]), {"x": [1, 2]}).args[0].dtype == float


def test_the_arguments_that_are_whole_numbers():
    asked = []

    def cases(rng):
        asked.append(rng.bit_generator.seed_seq.entropy)
        return [
            Case("a", (np.ones(2), np.arange(2), [np.arange(2)]), {"flags": np.array([True])}),
            Case("b", (np.ones(2), np.ones(2), 3), {"flags": np.array([1], np.uint8)}),
        ]

    exercise = Exercise("losses.whole", lambda x, labels, more, flags=None: x, cases)
    assert hunts.Hunted(exercise, {}, {}).whole == {"labels", "flags"}
    assert asked == [hunts.PUBLIC_SEED]
    # As it was released, without cases
    assert hunts.Hunted(exercise, {}, {}, integers=["x"]).whole == {"x"}


@pytest.mark.parametrize(
    ("value", "kept", "room"),
    [
        (None, None, 1000),
        (True, True, 1000),
        (np.bool_(False), False, 1000),
        ("x" * 40, "x" * 40, 1000),
        (3, 3, 999),
        (2.5, 2.5, 999),
        (np.float32(0.5), 0.5, 999),
        (np.int64(7), 7, 999),
        (1000, 1000, 999),
        (-1000.0, -1000.0, 999),
        ([1, 2], [1, 2], 998),
        (((0.5,), (2,)), [[0.5], [2.0]], 998),
        (np.zeros(1000).tolist(), [0.0] * 1000, 0),
        (np.ones((2, 2), np.float32), [[1.0, 1.0], [1.0, 1.0]], 996),
        (np.ones(2, np.int32), [1, 1], 998),
        (np.array([True]), [True], 999),
    ],
)
def test_a_value_of_an_input_as_plain_numbers(value, kept, room):
    left = [1000]
    made = hunts._plain("x", value, left, False)
    assert type(made) is type(kept) or isinstance(made, np.ndarray)
    assert (made.tolist() if isinstance(made, np.ndarray) else made) == kept and left == [room]


def test_lists_of_lists_where_a_function_makes_something_of_them():
    left = [1000]
    made = hunts._plain("x", [[1, 2], ("a", None, [0.5]), 3], left, True)
    assert made[0].tolist() == [1, 2] and made[1][:2] == ["a", None] and made[1][2].tolist() == [0.5] and made[2] == 3
    assert left == [996]
    assert len(hunts._plain("x", ["a"] * 1001, left, True)) == 1000
    with pytest.raises(hunts.Refused, match=r"^`x`: expected numbers, or lists or an array of them, got a set\.$"):
        hunts._plain("x", [{1}], left, True)


EXPECTED = "`x`: expected numbers, or lists or an array of them"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([[1, 2], [3]], f"{EXPECTED}, got lists of different lengths."),
        (((1, 2), 3), f"{EXPECTED}, got lists of different lengths."),
        ((1, "a"), f"{EXPECTED}, got a tuple of 2."),
        ([[1, "a"], [3]], f"{EXPECTED}, got a list of 2."),
        ([1j], f"{EXPECTED}, got a list of 1."),
        (2j, f"{EXPECTED}, got a complex."),
        (np.array([1j]), f"{EXPECTED}, got an array of shape (1,)."),
        (np.array(["a"]), f"{EXPECTED}, got an array of shape (1,)."),
        ({1}, f"{EXPECTED}, got a set."),
        (np.ones(1, np.int16), f"{EXPECTED} of dtype float64, float32, int64 or bool, got dtype int16."),
        (np.zeros(1001), "It holds more than 1000 numbers: a few dozen are enough."),
        ([1.0, -np.inf], "`x` holds NaN or infinity: every number has to be finite."),
        ([1.0, 1000.5], "`x` holds a number beyond ±1000."),
        ([-1001], "`x` holds a number beyond ±1000."),
        (np.array([-(2**63)]), "`x` holds a number beyond ±1000."),
    ],
)
def test_a_value_that_is_refused(value, says):
    with pytest.raises(hunts.Refused) as caught:
        hunts._plain("x", value, [1000], False)
    assert str(caught.value) == says


def test_a_refused_dict_names_five_keys_by_their_first_letters():
    names = [*"abcdef", "k" * 50]
    with pytest.raises(hunts.Refused) as caught:
        hunts.read(of_pair(), dict.fromkeys(names))
    assert str(caught.value) == (
        'Expected a dict, {"x": …, "w": …, "dy": …}: "x", "w", "dy" are missing and "a", "b", "c", "d", "e" are not among its keys.'
    )
    with pytest.raises(hunts.Refused) as caught:
        hunts.read(made([]), {"x": 1, "k" * 50: 2})
    assert str(caught.value) == f'Expected a dict, {{"x": …}}: "{"k" * 40}" is not among its keys.'
    for value in ({1: 2}, [1, 2]):
        with pytest.raises(hunts.Refused) as caught:
            hunts.read(made([]), value)
        assert str(caught.value) == f'Expected a dict, {{"x": …}}, got {hunts.kind(value)}.'
    for wrong in (TypeError, ValueError, IndexError, AttributeError):

        def refuses(value, wrong=wrong):
            raise wrong

        with pytest.raises(hunts.Refused) as caught:
            hunts.read(made([], convert={"x": refuses}), {"x": [1, 2]})
        assert str(caught.value) == "`x` has another form than the function takes: an array of shape (2,)."


def test_what_the_reference_says_of_an_input_is_told_in_one_line():
    def refuses(x, scale=2.0):
        raise ValueError("no,\n" + "x" * 400)

    with pytest.raises(hunts.Refused) as caught:
        hunts.revealed(made([], refuses), {"x": [1]})
    assert str(caught.value) == f"The course's own `refuses` does not take it: no, {'x' * 296}"
    pair = of_pair()
    with pytest.raises(hunts.Refused) as caught:
        hunts.revealed(pair, {"x": "a", "w": "b", "dy": 1})
    assert str(caught.value).startswith("The course's own `scaled` and `scaled_grad` do not take it: ")


@pytest.mark.parametrize(
    ("case", "functions", "found"),
    [
        (Case("a", (np.ones(2),)), lambda x: (2 * x, x), set()),
        (Case("a", (np.ones(2),)), lambda x: (2 * x, x + 1), {(0, 1)}),
        (Case("a", (np.ones(2),)), lambda x: (x, x + 1), {(0, 0), (0, 1)}),
        (Case("a", (np.ones(2),)), lambda x: 2 * x, {(0, None)}),
        (Case("a", (np.ones(2),)), lambda x: 1 / 0, {(0, None)}),
        (Case("a", (np.ones(2),)), lambda x: (2 * x, x.__imul__(1.5) / 1.5), {(0, None)}),
        (Case("a", (np.ones(2),), tolerance=0.1), lambda x: (2.1 * x, x), set()),
        (Case("a", (np.ones(2),), tolerance=0.01), lambda x: (2.1 * x, x), {(0, 0)}),
        (Case("a", (np.array([1.0, 1e-3]),), tolerance=0.1), lambda x: (2 * x, x * [1, 2]), set()),
        (Case("a", (np.array([1.0, 1e-3]),), tolerance=0.1, relative=True), lambda x: (2 * x, x * [1, 2]), {(0, 1)}),
    ],
)
def test_where_functions_give_something_else(case, functions, found):
    exercise = Exercise("losses.two", lambda x: (2 * x, x), None)
    expected = [(2 * case.args[0], case.args[0])]
    case = dataclasses.replace(case, sum_length=16)
    assert hunts._different(exercise, case, expected, (functions,)) == found


def test_a_single_value_is_compared_as_a_whole():
    exercise, case = Exercise("losses.one", doubled, None), Case("a", (np.ones(2),), sum_length=16)
    for factor, found in ((2, set()), (3, {(0, None)})):
        assert hunts._different(exercise, case, [2 * np.ones(2)], (lambda x, by=factor: by * x,)) == found
    long = dataclasses.replace(case, sum_length=10_000)
    for one, found in ((case, {(0, None)}), (long, set())):
        assert hunts._different(exercise, one, [2 * np.ones(2)], (lambda x: (2 + 2e-12) * x,)) == found


@pytest.mark.parametrize(
    ("value", "largest", "finite", "values"),
    [
        (3, 3.0, True, {None: 3}),
        (np.array([1.0, -4.0]), 4.0, True, None),
        (-0.5, 0.5, True, {None: -0.5}),
        ([], 0.0, True, {None: []}),
        ((1,), 1.0, True, {None: (1,)}),
        ((1, -2), 2.0, True, {0: 1, 1: -2}),
        ([1, [5, None]], 5.0, None, {0: 1, 1: [5, None]}),
        ({"a": 1}, 1.0, True, {None: {"a": 1}}),
        ({"a": 1, "b": [np.inf]}, np.inf, False, {"a": 1, "b": [np.inf]}),
        ((1.0, np.nan), None, False, {0: 1.0, 1: np.nan}),
        ("text", 0.0, True, {None: "text"}),
        (np.zeros(0), 0.0, True, None),
        (Case("a", (1, 2), {"k": -3}, dout=None, extra={"e": [0.5]}), 3.0, None, None),
        (Case("a", (1,), dout=7), 7.0, None, None),
        (Case("a", (1,), extra={"e": [8]}), 8.0, None, None),
    ],
)
def test_what_is_known_of_a_value(value, largest, finite, values):
    if largest is not None:
        assert hunts._largest(value) == largest and type(hunts._largest(value)) is float
    if finite is not None:
        assert hunts._finite(value) is finite
    if values is not None:
        assert hunts._values(value) == values


def test_large_numbers_are_compared_with_their_rounding():
    """Beside numbers of size 1000 a difference that is their rounding tells nothing."""
    near = Mistake("near", lambda x, scale=2.0: scale * x * (1 + 1e-13), "")
    about = made([near])
    assert hunts.revealed(about, {"x": [1]}) == {"near": True}
    assert hunts.revealed(about, {"x": [1000]}) == {"near": False}


def test_an_input_is_assessed_in_whole_sentences():
    mistakes = [
        Mistake("adds_one", lambda x, scale=2.0: scale * x + 1, ""),
        Mistake("fixed", lambda x, scale=2.0: 2.0 * x, ""),
        Mistake("first_only", lambda x, scale=2.0: scale * x[:1], ""),
        Mistake("half", lambda x, scale=2.0: x / 2, ""),
    ]
    about = dataclasses.replace(made(mistakes), shows={"fixed": "another `scale`"})
    exercise = dataclasses.replace(about.exercise, name="losses.hunt_doubled", points=3)

    def assessed(value, points=3, **more):
        asked = dataclasses.replace(exercise, points=points)
        return hunts.assess(about, asked, [], [[hunts.Outcome("", value, **more)]])

    fails = [
        ("adds one", ""),
        ("fixed", "It shows on another `scale`."),
        ("first only", "Look for an input on which it shows."),
    ]
    rows = tuple(hunts.CaseRow(name, "", not text, 1.0, False, text) for name, text in fails)
    half = hunts.CaseRow("half", "", True, 1.0, False, "")
    assert assessed({"x": [1]}) == hunts.Result(
        "losses.hunt_doubled", False, 1 / 3, 3, None,
        "✗ losses.hunt_doubled: 2 of 4 known mistakes revealed (1 of 3 points).\n"
        'Points begin above the 1 that {"x": [0]} reveals.\n'
        "Escapes: fixed. It shows on another `scale`.\nEscapes: first only. Look for an input on which it shows.",
        (*rows, half),
    )  # fmt: skip
    everything = assessed({"x": [1, 2], "scale": 3}, points=1)
    assert everything == hunts.Result(
        "losses.hunt_doubled", True, 1.0, 1, None,
        "✓ losses.hunt_doubled: right, 1 point.\nAll 4 known mistakes are revealed.",
        tuple(dataclasses.replace(row, passed=True, problem="") for row in (*rows, half)),
    )  # fmt: skip
    # Less than the naive input reveals
    little = assessed({"x": []}, points=0.5)
    assert (little.score, little.passed) == (0.0, False)
    assert little.message.split("\n")[:2] == [
        "✗ losses.hunt_doubled: 0 of 4 known mistakes revealed (0 of 0.5 points).",
        'Points begin above the 1 that {"x": [0]} reveals.',
    ]
    assert little.rows[0].problem == 'It shows on {"x": [0]}.'
    assert assessed(None, error=ValueError()) == hunts.Result(
        "losses.hunt_doubled", False, 0.0, 3, None,
        "✗ losses.hunt_doubled: this input cannot be used (0 of 3 points).\n"
        "It cannot be taken from the notebook as data: it is far too large, or its cell ended the process.",
        (),
    )  # fmt: skip


def test_a_hunt_for_a_mistake_that_there_is_not_fails_at_import():
    with pytest.raises(ValueError, match=r"^a hunt names no_shift, no mistake of activations\.softmax$"):
        hunts.hunt(get_exercise("activations.softmax"), {}, {}, {"no_shift": "…"})


# --- in the notebook and in the assignment --------------------------------------------------------------------------


def test_the_check_takes_the_input_from_the_notebook(capsys):
    space = {"check": check}
    with pytest.raises(CheckFailed, match=r"^activations\.hunt_softmax is not attempted yet$"):
        exec(f"check({NAME!r})", space)
    assert capsys.readouterr().out == (
        "○ activations.hunt_softmax: 0 of 2 points.\nNot attempted yet: replace the line `raise NotImplementedError()` with "
        "your value, run its cell, then this one.\n"
    )
    exec(f"hunt_softmax = {TWO_ROWS}", space)
    with pytest.raises(CheckFailed, match=r"^see the message above$"):
        exec(f"check({NAME!r})", space)
    assert "10 of 12 known mistakes revealed (1.33 of 2 points)" in capsys.readouterr().out
    assert evaluate(NAME).message == (
        "○ activations.hunt_softmax: 0 of 2 points.\nExpected 1 value, hunt_softmax; got 0."
    )


def test_where_nbgrader_grades_the_check_gives_the_points_and_the_mistakes_that_escape(monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert check(NAME, TWO_ROWS, hidden=True) == 1.33
    assert "Escapes: axis fixed. It shows on an `axis` that is not the last one." in capsys.readouterr().out


def test_the_answer_cell_says_what_is_assigned_and_keeps_the_best_for_teachers():
    cells = {cell.id: cell for cell in build.instructor_notebook("graph").cells}
    assert cells["graph-hunt-prod"].source == (
        '# The input: hunt_prod = {"xs": …, "dz": …}, lists or arrays.\n### BEGIN SOLUTION\n'
        "hunt_prod = {'xs': [2, 0, -3, 5], 'dz': 0.5}\n### END SOLUTION"
    )
    assert 'check("graph.hunt_prod")\n### BEGIN HIDDEN' in cells["graph-hunt-prod-check"].source
    text = cells["graph-hunt-prod-intro"].source
    assert '`{"xs": [1, 2], "dz": 1}` reveals 3 and earns nothing; each further one earns 1/4 of the points.' in text
    released = nbformat.read(build.COURSE / "release" / "graph" / "graph.ipynb", as_version=4)
    stub = next(cell for cell in released.cells if cell.id == "graph-hunt-prod")
    assert stub.source.endswith("lists or arrays.\n# YOUR CODE HERE\nraise NotImplementedError()")


# --- in grading -----------------------------------------------------------------------------------------------------


def task(*sources, at_home=False):
    steps = [Step(CODE, source, i, student=True) for i, source in enumerate(sources)]
    calls = (NAME, ("hunt_softmax",))
    asked = Step(EXERCISE, "", len(steps), grade_id="check", points=2.0, calls=calls)
    return Task("ada", "hw", "hw", (*steps, asked), seed=11, at_home=at_home)


STRANGE = """
class Mine(dict):
    def __call__(self):
        raise SystemExit
    def keys(self):
        raise SystemExit
hunt_softmax = Mine(z=[1, 2, 3])
"""


@pytest.mark.skipif(sandbox.shutil.which("bwrap") is None, reason="bubblewrap (bwrap) is not installed")
def test_grading_judges_the_data_outside_and_calls_nothing_of_it():
    with Grader(Settings(timeout=5.0, total=60.0)) as grader:

        def graded(*sources, **more):
            result = grader.grade(task(*sources, **more))
            one = result.results[-1].verdict
            return one.verdict, one.points, one.message.split("\n")[1], result.needs_review

        assert graded(f"hunt_softmax = {get_exercise(NAME).reference}") == (
            RIGHT, 2.0, "All 12 known mistakes are revealed.", ()
        )  # fmt: skip
        partly = "import numpy as np\nhunt_softmax = {'z': np.array([[1000.0, 0, 2], [1, 3, -1]])}"
        for at_home in (False, True):
            verdict, points, *_ = graded(partly, at_home=at_home)
            assert (verdict, points) == (PARTLY, 1.33)
        assert graded("raise NotImplementedError()")[:3] == (
            NOT_ATTEMPTED, 0.0,
            "There is no variable hunt_softmax: its cell is missing, empty, or stopped with an error.",
        )  # fmt: skip
        assert graded("hunt_softmax = lambda: 1")[:3] == (WRONG, 0.0, 'Expected a dict, {"z": …}, got a function.')
        assert graded(STRANGE)[:2] == (WRONG, 0.0)
        assert graded("hunt_softmax = {'z': [[0.0] * 10_000] * 100}")[:3] == (
            TOO_MUCH_OUTPUT, 0.0,
            "It cannot be taken from the notebook as data: it is far too large, or its cell ended the process.",
        )  # fmt: skip


def test_a_check_without_names_asks_for_the_variables_of_its_exercise():
    released = (build.COURSE / "release" / "activations" / "activations.ipynb").read_bytes()
    master = ingest.load_released("activations", released)
    calls = {cell.calls[0]: cell.calls[1] for cell in master.cells if cell.calls}
    assert calls[NAME] == ("hunt_softmax",)


def test_the_feedback_page_lists_the_mistakes_that_escape():
    result = evaluate(NAME, TWO_ROWS)
    verdict = dataclasses.replace(
        records.verdict(NAME),
        points=result.points,
        verdict=PARTLY,
        message=result.message,
        rows=result.rows,
    )
    notebook = NotebookRecord("activations", (verdict,), {"activations-hunt_softmax": f"hunt_softmax = {TWO_ROWS}"})
    one = feedback.item(notebook, verdict, None)
    assert (one.where, one.problem) == (
        "Escapes: one shift for all",
        "It shows on one example with logits near 1000 and another one all of whose logits are near 0.",
    )
    assert one.lines == [
        'Points begin above the 6 that {"z": [1, 2, 3]} reveals.',
        "Escapes: axis fixed. It shows on an `axis` that is not the last one.",
    ]
    record = dataclasses.replace(records.record("ada", slug="graph"), notebooks=(notebook,))
    page = feedback.feedback_page(record, notebook)
    assert "<summary>All known mistakes: 10 of 12 revealed</summary>" in page
    assert page.count(" escapes</td>") == 2 and page.count(" revealed</td>") == 10 and "Known mistake</th>" in page
