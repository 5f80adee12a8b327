"""Where a wrong answer goes wrong: the values on its way, the exchange, and whole messages."""

import contextlib
import json
import linecache
import re

import numpy as np
import pytest

from autograder.checks import located as module
from autograder.checks import trace
from autograder.checks.drivers import Case, plain
from autograder.checks.evaluation import PUBLIC_SEED, evaluate, expected_values
from autograder.checks.exercise import exercises_of, get_exercise
from autograder.checks.located import Located, bases, in_steps, located, sample, table
from autograder.checks.mutants import mutants, source
from autograder.checks.place import Here, Place, answers, evidence, find, fits, place_of
from autograder.checks.trace import Traced, Untraceable

# A search takes well under a second; a busy machine may take longer
SECONDS = 30.0


def written(code):
    """The functions of an answer, as a notebook's cell would have them."""
    file = f"<answer {hash(code)}>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    names = {"np": np}
    exec(compile(code, file, "exec"), names)
    return tuple(names[name] for name in re.findall(r"^def (\w+)", code, re.M))


def told(exercise, code):
    return place_of(exercise, written(code), PUBLIC_SEED, SECONDS).text


# --- runs with values noted -------------------------------------------------------------------------------------------

STEPS = """def f(x, y):
    a = x * y
    total = np.zeros(2)
    for i in range(3):
        total += a[i]
    return total - 1
"""


def _events(traced, case, given=None):
    run = traced.run(plain, case, given)
    return run, [(traced.sites[site].text, value.tolist()) for site, value in run.events]


def test_every_value_on_the_way_is_noted():
    traced = Traced(written(STEPS), trace.of_a_student)
    case = Case("", (np.arange(6.0).reshape(3, 2), np.array([1.0, 2.0])))
    run, events = _events(traced, case)
    assert run.values[0].tolist() == [5.0, 17.0]
    assert run.error is None
    noted = {text for text, _ in events}
    assert noted == {"x", "y", "x * y", "np.zeros(2)", "3", "range(3)", "a", "i", "a[i]", "2", "total", "total - 1"}
    assert [statement.line for statement in traced.statements] == [2, 3, 4, 5, 6]
    assert [statement.kind for statement in traced.statements] == ["Assign", "Assign", "For", "AugAssign", "Return"]
    assert [statement.names for statement in traced.statements] == [("a",), ("total",), ("i",), ("total",), ()]
    assert ("total", [6.0, 18.0]) in events


def test_an_exchanged_value_takes_the_place_of_one_pass_of_a_loop():
    traced = Traced(written(STEPS), trace.of_a_student)
    case = Case("", (np.arange(6.0).reshape(3, 2), np.array([1.0, 2.0])))
    site = next(number for number, one in enumerate(traced.sites) if one.text == "a[i]")
    run = traced.run(plain, case, {site: [None, np.array([10.0, 10.0]), None]})
    assert run.values[0].tolist() == [4.0 + 10.0 - 1, 10.0 + 2.0 + 10.0 - 1]
    after = next(number for number, one in enumerate(traced.sites) if one.role == "after")
    assert traced.run(plain, case, {after: [None, None, np.zeros(2)]}).values[0].tolist() == [-1.0, -1.0]


def test_an_error_has_the_line_of_the_answer():
    traced = Traced(written("def f(x):\n    y = x + 1\n    return np.linalg.inv(y)\n"), trace.of_a_student)
    run = traced.run(plain, Case("", (np.ones(2),)))
    assert (type(run.error), run.line) == (np.linalg.LinAlgError, 3)


def test_what_has_no_source_is_not_traced():
    names = {}
    exec("def f(x):\n    return x", names)
    with pytest.raises(Untraceable, match="no source"):
        Traced([names["f"]], trace.of_a_student)
    with pytest.raises(Untraceable, match="not a function"):
        Traced([np.sum], trace.of_a_student)
    assert place_of("activations.relu", [names["f"]], PUBLIC_SEED) == Place()


@pytest.mark.slow
@pytest.mark.parametrize("slug", ["neurons", "graph", "convolution", "recurrent", "attention", "training"])
def test_noting_the_values_changes_none(slug):
    for exercise in (one for one in exercises_of(slug).values() if one.functions and not one.scales):
        cases, _ = expected_values(exercise.name, PUBLIC_SEED)
        for functions in answers(exercise):
            runner = Here(exercise, functions, cases, withhold=False)
            # Of a long loop too many values would have to be kept: nothing is said of it
            with trace.quiet(), contextlib.suppress(trace.Untraceable):
                assert find(exercise, runner, [{} for _ in cases], PUBLIC_SEED, SECONDS) is None, functions


# --- what fits --------------------------------------------------------------------------------------------------------


def test_values_of_a_loop_and_one_array_of_them_all_fit():
    whole = np.arange(6.0).reshape(3, 2)
    rows = [whole[0], whole[1], whole[2]]
    assert [made[0].tolist() for how, made in fits(rows, [np.zeros((3, 2))]) if how == (0, False)] == [whole.tolist()]
    assert [np.array(made).tolist() for how, made in fits([whole], rows) if how == (0, False)] == [whole.tolist()]
    backwards = dict(fits([whole], rows))[(0, True)]
    assert np.array(backwards).tolist() == whole[::-1].tolist()
    assert dict(fits(rows, [np.zeros(2)]))["last"][0].tolist() == [4.0, 5.0]
    assert dict(fits([whole.T], [whole]))["transposed"][0].tolist() == whole.tolist()
    assert list(fits([np.zeros(4)], [np.zeros(3)])) == []


# --- messages ---------------------------------------------------------------------------------------------------------

LINEAR = """def linear_forward(X, W, b):
    scores = X @ W
    return scores + b, (X, W)

def linear_backward(dU, cache):
    X, W = cache
    dX = dU @ W.T
    dW = {dW}
    db = dU.sum(axis=0)
    return dX, dW, db
"""
HERE = "Right so far, in linear_backward: dX (line 7). Look at line 8 of linear_backward: "
LAYERNORM = """def layernorm_forward(X, gamma, beta, eps=1e-5):
    mean = X.mean(axis=-1, keepdims=True)
    var = X.var(axis=-1, keepdims=True)
    std = {std}
    z = (X - mean) / std
    return gamma * z + beta, (z, std, gamma)

def layernorm_backward(dY, cache):
    z, std, gamma = cache
    axes = tuple(range(dY.ndim - 1))
    d = dY * gamma
    dX = d - d.mean(axis=-1, keepdims=True) - z * (d * z).mean(axis=-1, keepdims=True)
    return dX / std, (dY * z).sum(axis=axes), dY.sum(axis=axes)
"""
SOFTMAX_BACKWARD = """def softmax_backward(dP, P, axis=-1):
    weighted = P * dP
    inner = {inner}
    return P * (dP - inner)
"""
RNN = """def rnn_forward(X, h0, Wx, Wh, b):
    h, states = h0, []
    for t in range(X.shape[1]):
        pre = X[:, t] @ Wx + h0 @ Wh + b
        h = np.tanh(pre)
        states.append(h)
    H = np.stack(states, axis=1)
    return H, (X, h0, H, Wx, Wh)

def rnn_backward(dH, cache):
    X, h0, H, Wx, Wh = cache
    dX, dWx, dWh, db = np.zeros_like(X), np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(len(Wh))
    carried = np.zeros_like(h0)
    for t in reversed(range(X.shape[1])):
        before = H[:, t - 1] if t > 0 else h0
        delta = (dH[:, t] + carried) * (1 - H[:, t] ** 2)
        dX[:, t] = delta @ Wx.T
        dWx += X[:, t].T @ delta
        dWh += before.T @ delta
        db += delta.sum(axis=0)
        carried = delta @ Wh.T
    return dX, carried, dWx, dWh, db
"""
MESSAGES = [
    ("layers.linear", LINEAR.format(dW="X.T @ dU * 2"), HERE + "`dW` is twice what it should be."),
    ("layers.linear", LINEAR.format(dW="-X.T @ dU"), HERE + "`-X.T` has the wrong sign."),
    ("layers.linear", LINEAR.format(dW="dU.T @ X"), HERE + "`dW` is transposed."),
    ("layers.linear", LINEAR.format(dW="X.T @ np.abs(dU)"), HERE + "`np.abs(dU)` is not what it should be."),
    (
        "normalization.layernorm",
        LAYERNORM.format(std="np.sqrt(var) + eps"),
        "Right so far, in layernorm_forward: mean (line 2), var (line 3). "
        "Look at line 4 of layernorm_forward: `std` is not what it should be.",
    ),
    (
        "activations.softmax_backward",
        SOFTMAX_BACKWARD.format(inner="-weighted.sum(axis=axis, keepdims=True)"),
        "Right so far: weighted (line 2). Look at line 3: `inner` has the wrong sign.",
    ),
    # The message of the check has the error and its line
    (
        "activations.softmax_backward",
        SOFTMAX_BACKWARD.format(inner="weighted.sum(axis=axis)"),
        "A right answer has these values, too: weighted (line 2), inner (line 3).",
    ),
    (
        "activations.softmax_backward",
        SOFTMAX_BACKWARD.format(inner="weighted.sum(axis=axis, keepdims=True)").replace("axis=-1", "axis=0"),
        "Look at line 1: the default of `axis` is 0; the exercise gives -1.",
    ),
    (
        "recurrent.rnn",
        RNN,
        "Look at line 4 of rnn_forward: `h0 @ Wh` is right in the first pass of the loop, and not in every later one.",
    ),
    ("layers.linear", LINEAR.format(dW="X.T @ dU"), ""),
    # A step that is called again and again, with what it returned
    (
        "optimizers.sgd_step",
        "def sgd_step(w, dw, state, lr=0.01):\n    moved = lr * dw\n    return w + moved, state\n",
        "Right so far: moved (line 2). Look at line 3: `w + moved` is not what it should be.",
    ),
    # What is computed and read nowhere was meant to be used after it
    (
        "normalization.normalize",
        "def normalize(X, mu, sigma2, eps=1e-5):\n    centred = X - mu\n    scale = np.sqrt(sigma2 + eps)\n    return centred\n",
        "Right so far: centred (line 2), scale (line 3). Look at line 4: `centred` is not what it should be.",
    ),
    # Right but for the sign, so it is not what the square should stand in place of
    (
        "losses.half_squared_error",
        "def half_squared_error(Y, D, reduction='sum'):\n    gap = D - Y\n    total = np.sum(gap)\n"
        "    return 0.5 * total / (len(Y) if reduction == 'mean' else 1)\n",
        "A right answer has these values, too: gap (line 2).",
    ),
    # Where a value is only copied, or a count is none that a right answer has, any later line may be fooled by it
    (
        "activations.swish",
        "def swish(x, beta=1.0):\n    scaled = x\n    bounded = np.clip(scaled, -700, 700)\n"
        "    e = np.exp(-bounded)\n    return x / (1 + e)\n",
        "",
    ),
    (
        "convolution.conv_output_size",
        "def conv_output_size(n, kernel, stride=1, padding=0):\n    free = n - kernel\n    border = 4 * padding\n"
        "    whole = free + border + stride\n    return int(np.floor(whole / stride))\n",
        "",
    ),
]


@pytest.mark.parametrize(("exercise", "code", "message"), MESSAGES, ids=range(len(MESSAGES)))
def test_the_whole_message(exercise, code, message):
    assert told(exercise, code) == message


def test_an_answer_without_end_is_left_alone():
    code = "def relu(u):\n    while len(u):\n        u = u + 1\n    return u\n"
    assert place_of("activations.relu", written(code), PUBLIC_SEED, 0.2) == Place()


def test_hidden_cases_are_no_evidence():
    name = "layers.linear"
    cases, _ = expected_values(name, PUBLIC_SEED)
    assert [bool(values) for values in evidence(name, PUBLIC_SEED)] == [not case.hidden for case in cases]


# --- graded on mutants ------------------------------------------------------------------------------------------------


def test_small_steps_under_other_names_give_the_same_values():
    exercise = get_exercise("normalization.layernorm")
    for functions in answers(exercise):
        steps = in_steps(functions)
        assert evaluate(exercise.name, *steps, withhold=False).passed
    assert "    my_s = np.sqrt(step3)\n    step4 = X - my_mu\n    my_x_hat = step4 / my_s\n" in source(
        in_steps(exercise.solutions)
    )


def test_the_edited_line_and_the_first_use_of_its_value_are_right():
    exercise = get_exercise("layers.linear")
    functions, without = bases(exercise)[0]
    edited = next(one for one in mutants(functions) if one.kind == "dropped term")
    assert located(exercise, functions, without, edited, SECONDS)[0] == "right"
    assert located(exercise, functions, without, next(iter(mutants(functions))), SECONDS) is not None


def test_the_order_of_the_mutants_is_fixed():
    exercise = get_exercise("neurons.preactivation")
    first, second = ([str(mutant) for _, _, mutant in sample(exercise, 3)] for _ in range(2))
    assert first == second
    assert first != [str(mutant) for _, _, mutant in sample(exercise, 4)]


@pytest.mark.parametrize(
    ("right", "wrong", "silent", "holds"),
    [(60, 5, 35, True), (59, 5, 36, False), (60, 6, 34, False), (0, 0, 0, True)],
)
def test_both_bounds_must_hold(right, wrong, silent, holds):
    assert Located("x", "y", right, wrong, silent).holds is holds


def test_a_line_for_each_topic_and_for_all_with_every_seed(monkeypatch, capsys):
    made = {
        0: [Located("graph.prod", "graph", 3, 0, 1), Located("graph.max_", "graph", 3, 0, 1), Located("x.y", "x", 1)],
        1: [Located("graph.prod", "graph", 1, 0, 3)],
    }
    monkeypatch.setattr(module, "table", lambda chosen, count, seed, order: made[seed])
    assert module.main(["graph.prod"], 4, seeds=(0,)) == 0
    assert capsys.readouterr().out.splitlines() == [
        "seed 0",
        "graph                 8 mutants: right  75%, wrong  0.0%, silent  25%",
        "x                     1 mutants: right 100%, wrong  0.0%, silent   0%",
        "all                   9 mutants: right  78%, wrong  0.0%, silent  22%",
    ]
    assert module.main(["graph.prod"], 4, as_json=True, seeds=(0, 1)) == 1
    assert json.loads(capsys.readouterr().out) == {
        "0": {"graph": [6, 0, 2], "x": [1, 0, 0], "all": [7, 0, 2]},
        "1": {"graph": [1, 0, 3], "all": [1, 0, 3]},
    }


SAMPLE = (
    "neurons.gd_fit",
    "layers.linear",
    "activations.gelu_grad",
    "graph.prod",
    "backpropagation.mlp",
    "initializers.he",
    "optimizers.momentum_step",
    "dropout.masked",
    "normalization.layernorm",
    "convolution.avgpool2d",
    "recurrent.gru_cell",
    "attention.sinusoidal_positions",
    "metrics.temperature_softmax",
)


@pytest.mark.slow
def test_a_sample_of_every_topic_holds_the_bounds():
    rows = list(table(map(get_exercise, SAMPLE), count=5))
    told = Located("all", "", *(sum(getattr(row, what) for row in rows) for what in ("right", "wrong", "silent")))
    assert told.mutants == 5 * len(SAMPLE)
    assert told.holds, "\n".join(map(str, rows))
