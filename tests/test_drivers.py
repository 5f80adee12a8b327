"""How answers are called, by the branch: what each driver yields or refuses, and what is seen of an answer while it runs."""

import builtins
import re
import warnings
from collections import namedtuple

import numpy as np
import pytest

from autograder.checks import drivers
from autograder.checks.drivers import (
    Case,
    Named,
    Outcome,
    Printed,
    Rng,
    WrongAnswer,
    data,
    each_value,
    fit_and_predict,
    frozen,
    kind,
    mended,
    pair,
    pair_of_many,
    plain,
    ready,
    resolve,
    run_case,
    steps,
)
from autograder.checks.limits import TooSlow
from dlcourse import optimizers

X = np.array([1.0, 2.0])


def refusal(driver, functions, case):
    with pytest.raises(WrongAnswer) as caught:
        list(driver(functions, case))
    return str(caught.value)


# --- the drivers ------------------------------------------------------------------------------------------------------


def test_a_plain_function_is_called_once():
    assert list(plain((lambda *args, **kwargs: (args, kwargs),), Case("a", (1, 2), {"k": 3}))) == [
        ("", ((1, 2), {"k": 3}))
    ]


def test_a_variable_is_its_value():
    assert list(data((7,), Case("a"))) == [("", 7)]


def test_a_pair_hands_on_its_own_cache():
    def backward(*given):
        return given

    case = Case("a", (1,), {"k": 2}, dout=9)
    assert list(pair((lambda x, k: (x + k, "c"), backward), case)) == [("forward", 3), ("backward", (9, "c"))]
    assert next(pair((lambda x, k: (x, k, "c"), backward), case)) == ("forward", (1, 2))
    text = "the forward function returns the output and the cache, `out, cache`; yours returned "
    for value, got in ((3, "an int"), ((3,), "a tuple of 1"), ([1, 2], "a list of 2")):
        assert refusal(pair, (lambda x, k, value=value: value, backward), case) == text + got


def test_a_pair_with_several_gradients():
    case = Case("a", (1,), dout=(8, 9), extra={"k": 7})
    made = list(pair_of_many((lambda x: (x, "c"), lambda *given, **options: (given, options)), case))
    assert made == [("forward", 1), ("backward", ((8, 9, "c"), {"k": 7}))]


STEPS = Case("a", (X,), {"lr": 0.5}, extra={"init": "optimizers.adam_init", "gradients": [X, X + 1]})


def stepped(step):
    (made,) = steps((step,), ready(STEPS))
    return made


def test_an_optimizer_is_stepped_with_its_own_state():
    heard = []

    def step(w, dw, state, lr):
        heard.append((w.tolist(), dw.tolist(), state.t, lr))
        return w - lr * dw, state._replace(t=state.t + 1)

    part, trail, changed = stepped(step)
    assert (part, changed) == ("", ())
    assert heard == [([1.0, 2.0], [1.0, 2.0], 0, 0.5), ([0.5, 1.0], [2.0, 3.0], 1, 0.5)]
    assert list(trail) == [f"{name} after step {i}" for i in (1, 2) for name in ("w", *optimizers.AdamState._fields)]
    assert trail["w after step 1"].tolist() == [0.5, 1.0] and trail["w after step 2"].tolist() == [-0.5, -0.5]
    assert (trail["t after step 1"], trail["t after step 2"]) == (1, 2)


def test_what_a_step_changes_of_the_state_it_was_given_is_named():
    def step(w, dw, state, lr):
        if state.t == 1:
            state[1][:] = 5.0
        return w, state._replace(t=state.t + 1)

    assert stepped(step)[2] == (f"state.{optimizers.AdamState._fields[1]}",)


def test_a_later_step_does_not_change_what_an_earlier_one_gave():
    def step(w, dw, state, lr):
        w -= dw
        return w, state

    trail = stepped(step)[1]
    assert trail["w after step 1"].tolist() == [0.0, 0.0]


FIELDS = ", ".join(optimizers.AdamState._fields)


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (lambda w, dw, state, lr: w, "a step returns `w, state`; yours returned an array of shape (2,)"),
        (lambda w, dw, state, lr: (w, state, 1), "a step returns `w, state`; yours returned a tuple of 3"),
        (lambda w, dw, state, lr: [w, state], "a step returns `w, state`; yours returned a list of 2"),
        (lambda w, dw, state, lr: state, "a step returns `w, state`; yours returned a AdamState of 3"),
        (
            lambda w, dw, state, lr: (w, 3),
            f"the second value that a step returns is the state, AdamState({FIELDS}); yours is an int",
        ),
        (
            lambda w, dw, state, lr: (w, (1, 2)),
            f"the second value that a step returns is the state, AdamState({FIELDS}); yours is a tuple of 2",
        ),
    ],
)
def test_a_step_that_returns_something_else(step, says):
    assert refusal(steps, (step,), ready(STEPS)) == says


def test_a_project_predicts_with_what_it_has_learnt():
    case = Case("a", (1,), {"k": 2}, extra={"inputs": [10, 20]})
    assert list(fit_and_predict((lambda x, k: x + k, lambda learnt, x: learnt * x), case)) == [("", [30, 60])]


def test_values_that_are_judged_one_by_one():
    case = Case("a", (1,), {"k": 2}, extra={"parts": ["p", "q"]})
    assert list(each_value((lambda x, k: (x, k),), case)) == [("p", 1), ("q", 2)]
    text = "the function returns 2 values, p, q; yours returned "
    for value, got in ((3, "an int"), ((1, 2, 3), "a tuple of 3"), ([1, 2], "a list of 2")):
        assert refusal(each_value, (lambda x, k, value=value: value,), case) == text + got


MENDED = (lambda x: x + 1, lambda x: (x, 2 * x), lambda: ([4, 2], (7,)))


@pytest.mark.parametrize(
    ("extra", "value"),
    [
        ({"which": 0}, 4),
        ({"which": 1}, (3, 6)),
        ({"which": 1, "outputs": {"b": 1}}, 6),
        ({"which": 1, "outputs": {"b": 1, "a": 0}}, {"b": 6, "a": 3}),
        ({"which": 2, "counts": [2, 1]}, [2, 1]),
        ({"which": 2, "counts": [2, 1], "bug": (0, 0)}, 2),
        ({"which": 2, "counts": [2, 1], "bug": (0, 1)}, 4),
        ({"which": 2, "counts": [2, 1], "bug": (1, 0)}, 7),
    ],
)
def test_what_is_asked_of_a_repair(extra, value):
    assert list(mended(MENDED, Case("a", (3,), extra=extra))) == [("", value)]


def test_a_repair_that_returns_fewer_values():
    case = Case("a", (3,), extra={"which": 0, "outputs": {"b": 1, "a": 0}})
    text = "the function returns several values, as you were given it; yours returned "
    for value, got in ((5, "an int"), ((5,), "a tuple of 1"), ([5, 6], "a list of 2")):
        assert refusal(mended, (lambda x, value=value: value, len), case) == text + got


# --- what a call is given ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "None (is a `return` missing?)"), (X, "an array of shape (2,)"), ((1, 2), "a tuple of 2"), ([1], "a list of 1"),
        ("x" * 50, f"the text '{'x' * 40}'"), (3, "an int"), (True, "a bool"), ({}, "a dict"), (object(), "an object"),
        (OSError(), "an OSError"), (Rng(1), "a Rng"),
    ],
)  # fmt: skip
def test_what_a_value_is_in_a_few_words(value, words):
    assert kind(value) == words


Two = namedtuple("Two", "a b")


def test_arguments_are_fresh_copies():
    value = {"a": [X, (X, "t")], "b": Two(X, 3)}
    made = resolve(value)
    assert made["a"][0].tolist() == made["b"].a.tolist() == made["a"][1][0].tolist() == X.tolist()
    assert not any(np.shares_memory(one, X) for one in (made["a"][0], made["a"][1][0], made["b"].a))
    assert type(made["a"]) is list and type(made["a"][1]) is tuple and type(made["b"]) is Two and made["b"].b == 3
    assert resolve(Rng(5)).random() == np.random.default_rng(5).random()
    assert resolve(Named("optimizers.adam_init")) is optimizers.adam_init


def test_the_order_in_memory_reaches_every_array():
    square = np.ones((2, 3))
    for order, columns in (("F", True), ("C", False)):
        given = {"args": (square,), "kwargs": {"k": [(square,), {"d": Two(square, 1)}]}, "dout": square}
        made = ready(Case("name", **given, extra={"order": order}))
        arrays = made.args[0], made.kwargs["k"][0][0], made.kwargs["k"][1]["d"].a, made.dout
        assert [array.flags["F_CONTIGUOUS"] for array in arrays] == [columns] * 4
    assert ready(Case("name", (square.T,))).args[0].flags["C_CONTIGUOUS"]
    assert (made.name, made.extra) == ("name", {"order": "C"})
    assert ready(Case("a", held=3)).held is None


def test_a_value_is_kept_as_it_was():
    value = {"a": [X.copy(), (X.copy(),)], "b": Two(X.copy(), 1), "c": "text"}
    made = frozen(value)
    for array in (value["a"][0], value["a"][1][0], value["b"].a):
        array += 1
    assert made["a"][0].tolist() == made["a"][1][0].tolist() == made["b"][0].tolist() == X.tolist()
    assert type(made["a"]) is list and type(made["a"][1]) is tuple and type(made["b"]) is tuple and made["c"] == "text"

    class Mine(list):
        pass

    assert type(frozen(Mine([1]))) is list


# --- what is seen of an answer ----------------------------------------------------------------------------------------


def outcomes(function, *args, parts=("",), driver=plain, **more):
    return run_case(driver, (function,), Case("a", args, **more), parts)


def test_a_value_has_its_part():
    (made,) = outcomes(lambda x, k: x + k, 1, kwargs={"k": 2})
    assert made == Outcome("", 3)


def two_parts(functions, case):
    value = functions[0](*case.args)
    yield "first", value
    yield "second", functions[0](*case.args)


def test_what_follows_an_error_has_it_too():
    def fails(x):
        raise ValueError("no")

    first, second = outcomes(fails, 1, parts=("first", "second"), driver=two_parts)
    assert (first.part, second.part) == ("first", "second") and first.error is second.error
    assert str(first.error) == "no" and first.where == second.where
    assert re.fullmatch(r'line \d+: raise ValueError\("no"\)', first.where)
    calls = iter([7])
    first, second = outcomes(lambda x: next(calls), 1, parts=("first", "second"), driver=two_parts)
    assert (first.value, first.error, type(second.error)) == (7, None, RuntimeError)


def test_a_driver_that_yields_less_than_its_parts():
    first, second = outcomes(lambda: 1, parts=("", "more"))
    assert (first.value, second.part) == (1, "more")
    assert (type(second.error), str(second.error)) == (WrongAnswer, "there is no answer for this part")


@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), TooSlow("late")])
def test_an_answer_may_also_exit(error):
    def fails():
        raise error

    assert outcomes(fails)[0].error is error


def test_who_stops_the_check_stops_it():
    def stops():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        outcomes(stops)


def test_what_is_printed_and_warned_belongs_to_every_part(capsys):
    def says(x):
        print("out")
        print("err", file=__import__("sys").stderr)
        np.log(np.zeros(1)), np.log(np.zeros(1)), np.zeros(1) / 0.0
        warnings.warn("another kind", UserWarning, stacklevel=1)
        np.exp(np.array([-1000.0]))
        return x

    made = outcomes(says, 1, parts=("first", "second"), driver=two_parts)
    assert [one.printed for one in made] == ["out\nerr\nout\nerr\n"] * 2
    words = "divide by zero encountered in log; invalid value encountered in divide"
    assert [one.warned for one in made] == [words] * 2 and capsys.readouterr() == ("", "")
    (long,) = outcomes(lambda: print("x" * 2001))
    assert long.printed == "x" * 2000

    def many():
        for i in range(100):
            warnings.warn(f"number {i:03}", RuntimeWarning, stacklevel=1)

    assert len(outcomes(many)[0].warned) == 500


def test_nobody_types_during_a_check():
    before = builtins.input
    (made,) = outcomes(lambda: input("name?"))
    assert str(made.error) == (
        "your code calls `input()` (or `breakpoint()`), and nobody can type during a check: take the values from the function's "
        "arguments"
    )
    assert type(made.error) is WrongAnswer and builtins.input is before


def test_prints_without_end_fill_no_memory(monkeypatch):
    monkeypatch.setattr(drivers, "PRINTED", 10)
    out = Printed()
    assert [out.write("12345"), out.write("x" * 20), out.write("more")] == [5, 20, 4]
    assert out.getvalue() == "12345" + "x" * 10


def changes(place):
    """An answer that adds one to one of its inputs."""

    def answer(a, b, *more, k=None, **others):
        inputs = {"a": a, "b": b, "k": k, **others} | dict(enumerate(more))
        inputs[place] += 1.0

    return answer


@pytest.mark.parametrize(("place", "name"), [("a", "a"), ("b", "b"), ("k", "k"), (0, "more"), ("other", "other")])
def test_a_changed_input_has_the_name_that_the_answer_gives_it(place, name):
    arrays = [X + i for i in range(5)]
    (made,) = outcomes(changes(place), *arrays[:3], kwargs={"k": arrays[3], "other": arrays[4]})
    assert (made.error, made.changed, made.rounded) == (None, (name,), False)


def test_each_part_has_what_it_changes_itself():
    def forward(x):
        x += 1
        return x, "c"

    def backward(dy, cache):
        dy *= 2
        return dy

    made = run_case(pair, (forward, backward), Case("a", (X.copy(),), dout=X.copy()), ("forward", "backward"))
    assert [one.changed for one in made] == [("x",), ("dy",)]
    given = Case("a", (X.copy(),), dout=(X.copy(), X + 1))
    made = run_case(pair_of_many, (forward, lambda da, db, cache: db.__imul__(2)), given, ("forward", "backward"))
    assert [one.changed for one in made] == [("x",), ("db",)]


def test_an_input_in_a_list_is_the_lists():
    (made,) = outcomes(lambda rows: rows[1].__imul__(3), [X.copy(), X + 1])
    assert made.changed == ("rows",)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        (X, X.copy(), True), (X, X + 1, False), (X, X.astype(np.float32), False), (X, X[:1], False), (X, [1.0, 2.0], False),
        (np.array([np.nan]), np.array([np.nan]), True), (np.array([0.0]), np.array([-0.0]), False),
        ({"a": X}, {"a": X}, True), ({"a": X}, {"b": X}, False), ({"a": X}, {"a": X + 1}, False), ({"a": X}, [X], False),
        ([X, (X,)], (X, [X]), True), ([X], [X, X], False), ([X], [X + 1], False), ([X], X, False), (3, 4, True), ("a", None, True),
    ],
)  # fmt: skip
def test_whether_an_input_is_what_it_was(before, after, same):
    assert drivers._same(before, after) is same


EPS = np.finfo(float).eps


@pytest.mark.parametrize(
    ("before", "after", "near"),
    [
        (X, X * (1 + 60 * EPS), True), (X, X * (1 + 300 * EPS), False), (0 * X, 0 * X + 60 * EPS, True),
        (0 * X, 0 * X + 70 * EPS, False), (X, X[:1], False), (X, X.astype(np.float32), False), (X, 3, False),
        (np.arange(2), np.arange(2), False), (X.astype(np.float32), X.astype(np.float32) * np.float32(1 + 1e-6), True),
        ({"a": X}, {"a": X}, True), ({"a": X}, {"a": X + 1}, False), ({"a": X}, {"b": X}, False), ({"a": X}, 3, False),
        ([X], (X,), True), ([X], [X + 1], False), ([X], [X, X], False), ([X], 3, False), (3, 4, True),
    ],
)  # fmt: skip
def test_whether_an_input_is_what_it_was_but_for_rounding(before, after, near):
    assert bool(drivers._nearly(before, after)) is near


def test_an_input_that_was_moved_back_is_rounded():
    def moves(x):
        x += 0.1
        x -= 0.1

    (made,) = outcomes(moves, np.array([0.3, 0.7]))
    assert (made.changed, made.rounded) == (("x",), True)


def fails_in(source):
    """The outcome of an answer whose third line is this source."""
    import linecache

    text = f"def f(x, n):\n    y = [1]\n    {source}\n"
    name = f"<answer {source}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    space = {"np": np}
    exec(compile(text, name, "exec"), space)
    return outcomes(space["f"], X, None)[0]


@pytest.mark.parametrize(
    ("source", "operation"),
    [
        ("z = x @ np.ones(3)", "@"), ("x += 'a'", "+"), ("z = 1 / (x @ x - 5 + 0 * y[0]) + 1 % 0", "%"), ("z = n ** 2", "**"),
        ("z = 1 // 0", "//"), ("z = y[3]", "[]"), ("z = np.dot(x, np.ones(3))", "@"), ("z = np.matmul(x, np.ones(3))", "@"),
        ("z = np.reshape(x, 3)", "reshape()"), ("z = x.reshape(3)", "reshape()"), ("z = n - 1", "-"), ("z = n * 1.0", "*"),
        ("raise ValueError('x')", ""), ("z = n.attribute", ""), ("z = -n", ""), ("z = n << 1", ""), ("ä = 'ä'; z = y[3]", "[]"),
    ],
)  # fmt: skip
def test_the_operation_that_an_error_came_from(source, operation):
    made = fails_in(source)
    assert (made.where, made.operation) == (f"line 3: {source}", operation)


def test_an_error_without_a_line_of_the_answer_has_no_place():
    space = {}
    exec("def f():\n    return 1 / 0", space)
    (made,) = outcomes(space["f"])
    assert (made.where, made.operation, type(made.error)) == ("", "", ZeroDivisionError)
