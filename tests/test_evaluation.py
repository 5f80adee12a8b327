"""What a student is told: every way to be wrong has its own clear message and none scores."""

import os
import runpy
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autograder import Case, CheckFailed, Exercise, check, evaluate, get_exercise
from autograder.checks import evaluation, threads
from autograder.checks.compare import compare
from autograder.checks.evaluation import grading_seed
from dlcourse import neurons, recurrent

NAME = "neurons.linear_neuron_grad"


def right(X, d, w, b):
    e = X @ w + b - d
    return X.T @ e, e.sum()


def stub(X, d, w, b):
    raise NotImplementedError()


def endless(X, d, w, b):
    return endless(X, d, w, b)


def inplace(X, d, w, b):
    gradients = right(X, d, w, b)
    X -= 1.0
    return gradients


def inplace_and_wrong(X, d, w, b):
    X -= 1.0
    return right(X, d, w, b)


def printing(X, d, w, b):
    print("X is", X.shape)
    return right(X, d, w, b)


def calls_reference(X, d, w, b):
    return neurons.linear_neuron_grad(X, d, w, b)


def divides(X, d, w, b):
    return 1 / 0


def sleeps(X, d, w, b):
    while True:
        pass


def exits(X, d, w, b):
    raise SystemExit(0)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (stub, "Not attempted yet: replace the line"),
        (lambda *a: None, "got None (is a `return` missing?)"),
        (lambda *a: "right", "got the text 'right'"),
        (lambda: 1, "Keep the given names and order of the arguments."),
        (divides, "Your code raised ZeroDivisionError: division by zero (line"),
        (endless, "calls itself without end"),
        (inplace_and_wrong, "Your function also changes its input X."),
        (calls_reference, "calls the course's own version of this function"),
        (5, "Expected the function linear_neuron_grad itself (without parentheses), got an int"),
        (lambda X, d, w, b: right(X, d, w, b)[0], "expected 2 values"),
        (exits, "Your code raised SystemExit"),
    ],
)
def test_each_wrong_way_has_its_message_and_no_points(answer, message):
    result = evaluate(NAME, answer)
    assert not result.passed and result.score == 0.0 and result.points == 0.0
    assert message in result.message


FOLDERS = ["dlcourse", "dlcourse/autograder", "Übung 1/dlcourse/dlcourse", "site-packages of mine"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_line_of_an_error_is_shown_whatever_the_folder_is_called(tmp_path, folder):
    path = tmp_path / folder / "my answers.py"
    path.parent.mkdir(parents=True)
    path.write_text("def linear_neuron_grad(X, d, w, b):\n    e = X @ w + b - d\n    return X @ e, e.sum()\n")
    names = runpy.run_path(str(path))
    message = evaluate(NAME, names["linear_neuron_grad"]).message
    assert "ValueError" in message and "(line 3: return X @ e, e.sum())" in message


def test_the_line_of_an_error_is_the_answers_and_not_the_packages():
    def answer(X, d, w, b):
        return neurons.linear_neuron_grad(X, d, w[:, None, None], b)

    def through_numpy(X, d, w, b):
        return np.apply_along_axis(lambda x: x @ d, 0, X.T), 0.0

    for wrong, line in (
        (answer, "return neurons.linear_neuron_grad(X, d, w[:, None, None], b)"),
        (through_numpy, "x @ d"),
    ):
        assert line in evaluate("neurons.linear_neuron_grad", wrong).message


def test_a_right_answer_passes_and_says_so():
    result = evaluate(NAME, right)
    assert (
        result.passed and result.score == 1.0 and result.points == 2.0 and result.mistake is None and result.attempted
    )
    assert str(result).startswith("✓ neurons.linear_neuron_grad: right, 2 points.")


def test_a_print_is_caught_and_mentioned(capsys):
    result = evaluate(NAME, printing)
    assert result.passed and "Your function prints ('X is (5, 3)' …)" in result.message
    assert capsys.readouterr().out == ""


def test_a_warning_is_mentioned_and_a_right_answer_stays_right(capsys):
    def answer(X, w, b):
        np.log(np.zeros(1))
        warnings.warn("a word", UserWarning, stacklevel=1)
        print("to stderr", file=sys.stderr)
        return X @ w + b

    result = evaluate("neurons.preactivation", answer)
    assert result.passed and "NumPy warned on the way: divide by zero" in result.message
    assert capsys.readouterr().err == ""


def test_an_endless_loop_is_stopped():
    result = evaluate(NAME, sleeps, seconds=0.3)
    assert not result.passed and "Is there an infinite loop?" in result.message


def test_the_reference_passes_when_judged_and_fails_when_handed_in():
    assert evaluate(NAME, neurons.linear_neuron_grad).passed
    with pytest.raises(CheckFailed):
        check(NAME, neurons.linear_neuron_grad)
    # and it is whole again afterwards
    assert neurons.linear_neuron_grad([[1.0]], [1.0], [0.0], 0.0)[1] == -1.0


def test_the_answer_for_one_input_fails():
    case = get_exercise(NAME).cases(np.random.default_rng(20260901))[0]
    fixed = right(*case.args)
    result = evaluate(NAME, lambda X, d, w, b: fixed)
    assert not result.passed and result.score < 0.3


def test_the_recognised_mistake_is_named_with_its_hint():
    result = evaluate(NAME, lambda X, d, w, b: tuple(-g for g in right(X, d, w, b)))
    assert result.mistake == "ascent" and "known mistake (ascent)" in result.message


def test_the_number_of_functions_is_checked():
    assert "Expected 1 function, linear_neuron_grad; got 2." in evaluate(NAME, right, right).message


@pytest.mark.parametrize("name", ["neurons.linear_neuron_gard", "neuron.preactivation", "nothing"])
def test_an_unknown_exercise_is_answered_with_the_nearest(name):
    with pytest.raises(ValueError, match="there is no exercise"):
        evaluate(name, right)
    with pytest.raises(ValueError, match=r"did you mean 'neurons\.linear_neuron_grad'"):
        evaluate("neurons.linear_neuron_gard", right)
    with pytest.raises(TypeError, match="expected the exercise's name"):
        evaluate(3, right)


def test_hidden_cases_are_named_and_not_shown():
    def truncates(X, w, b):
        return (X if X.dtype.kind == "f" else 0 * X) @ w + b

    result = evaluate("neurons.preactivation", truncates)
    assert "Also failing (revealed at grading): integer examples." in result.message
    assert "expected" not in result.message.split("revealed at grading")[1]
    assert evaluate("neurons.preactivation", truncates, hidden=False).passed


def test_check_shows_and_raises(capsys):
    check(NAME, right)
    assert "✓ neurons.linear_neuron_grad" in capsys.readouterr().out
    with pytest.raises(CheckFailed, match="not attempted yet"):
        check(NAME, stub)
    with pytest.raises(CheckFailed, match="see the message above"):
        check(NAME, inplace)


def test_while_grading_nothing_is_raised_and_the_points_come_back(monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert check(NAME, right) is None and check(NAME, right, hidden=True) == 2.0
    assert check(NAME, stub, hidden=True) == 0.0
    half = check(NAME, lambda X, d, w, b: right(X, d, w, b) if len(X) != 1 else None, hidden=True)
    assert type(half) is float and 0.0 < half < 2.0
    shown = capsys.readouterr().out
    assert "Graded with other numbers" in shown and "“one example”" in shown


def test_what_a_graded_check_shows_and_gives(monkeypatch, capsys):
    def truncates(X, w, b):
        return (X if X.dtype.kind == "f" else 0 * X) @ w + b

    def one_fails(X, d, w, b):
        return right(X, d, w, b) if len(X) != 1 else None

    # At home the hidden cases are not asked, whatever the line says
    assert check("neurons.preactivation", truncates, hidden=True) is None
    assert capsys.readouterr().out.startswith("✓ neurons.preactivation: right, 1 point.\n")
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert check("neurons.preactivation", truncates) is None
    assert capsys.readouterr().out.startswith("✓ neurons.preactivation: right, 1 point.\n")
    assert 0.0 < check("neurons.preactivation", truncates, hidden=True) < 1.0
    head, fails = capsys.readouterr().out.splitlines()
    assert head.startswith("Graded with other numbers: ") and fails == "Fails: “integer examples”."
    assert check(NAME, one_fails, hidden=True) == 1.6
    assert capsys.readouterr().out == (
        "Graded with other numbers: 4 of 5 cases pass; 1.6 of 2 points.\nFails: “one example”.\n"
        f"Look at line {one_fails.__code__.co_firstlineno + 1} of one_fails: `len(X) != 1` is not what it should be.\n"
    )
    assert check(NAME, right, hidden=True) == 2.0
    assert capsys.readouterr().out == "Graded with other numbers: 5 of 5 cases pass; 2 of 2 points.\n"


def test_the_hidden_numbers_depend_on_the_secret(monkeypatch):
    monkeypatch.setenv("DLCOURSE_SECRET", "a")
    first = grading_seed()
    monkeypatch.setenv("DLCOURSE_SECRET", "b")
    assert grading_seed() != first == grading_seed("a")


def test_a_failed_check_is_one_line_in_a_notebook():
    assert CheckFailed("see the message above")._render_traceback_() == ["CheckFailed: see the message above"]


def test_a_check_answers_within_a_notebook_without_the_exercises_of_other_topics():
    code = (
        "import sys; from autograder import check; from dlcourse import neurons;"
        "check('neurons.preactivation', lambda X, w, b: X @ w + b);"
        "print(*sorted({m.split('.')[2] for m in sys.modules if m.startswith('autograder.exercises.')}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, timeout=60)
    assert done.stdout.splitlines()[-1:] == ["_projects neurons"], done.stderr


def test_a_mistake_is_named_whichever_way_and_precision_it_is_made_in():
    def forward(X, gamma, beta, eps=1e-5):
        # β unused, in another style than the exercise's own implementation, and in float64 for every input
        X = X.astype(np.float64)
        s = np.sqrt(((X - X.mean(-1, keepdims=True)) ** 2).mean(-1, keepdims=True) + eps)
        return gamma * ((X - X.mean(-1, keepdims=True)) / s), s

    def single(X, gamma, beta, eps=1e-5):
        Y, s = forward(X, gamma, beta, eps)
        return (Y.astype(np.float32).astype(np.float64) if X.dtype == np.float32 else Y), s

    for answer in (forward, single):
        result = evaluate("normalization.layernorm", answer, lambda dY, cache: None)
        assert not result.passed and result.mistake == "affine_ignored"


def _made(monkeypatch, reference, *cases):
    """An exercise with this reference and these cases, which `evaluate` finds under the name of "made.up"."""
    exercise = Exercise("made.up", reference, lambda rng: list(cases))
    monkeypatch.setattr("autograder.checks.evaluation.get_exercise", lambda name: exercise)
    # Nothing of it is kept for the exercises that other tests make up
    monkeypatch.setattr(evaluation, "expected_values", evaluation.expected_values.__wrapped__)
    return exercise


def _in_order(products):
    total = products.dtype.type(0)
    for product in products:
        total = total + product
    return total


def _by_halves(products):
    half = len(products) // 2
    return _by_halves(products[:half]) + _by_halves(products[half:]) if half else products[0]


# The same sum in orders that round in other places
ORDERS = [
    np.sum,
    _in_order,
    lambda products: _in_order(products[::-1]),
    lambda products: _in_order(np.sort(products)),
    lambda products: _in_order(products[np.argsort(-np.abs(products))]),
    _by_halves,
    lambda products: products[0] - _in_order(-products[1:]),
]


@given(
    dtype=st.sampled_from([np.float64, np.float32]),
    length=st.integers(2, 40),
    cancelled=st.floats(0.0, 1.0),
    seed=st.integers(0, 10_000),
)
def test_a_sum_is_right_in_any_order_and_wrong_without_a_term_however_much_cancels(dtype, length, cancelled, seed):
    rng = np.random.default_rng(seed)
    x, w = rng.uniform(0.5, 2.0, (2, length)) * rng.choice([-1.0, 1.0], (2, length))
    # What is left of the terms: down to a thousandth, in single precision a hundredth, where the cap comes near
    left = np.abs(x * w).sum() * 10.0 ** (-cancelled * (3 if dtype is np.float64 else 2))
    x[-1] = (left - x[:-1] @ w[:-1]) / w[-1]
    assume(abs(x[-1] * w[-1]) > 0.01 * left)
    x, w = x.astype(dtype), w.astype(dtype)
    made = Exercise("made.up", lambda x, w: x @ w, lambda rng: [])
    case, wanted = Case("", (x, w)), x @ w
    units = max(length, evaluation._conditioning(made, case, [wanted]))
    assert all(compare(order(x * w), wanted, units) is None for order in ORDERS)
    wrong = [np.sum(np.delete(x * w, i)) for i in range(length)]
    wrong += [x @ (w * np.where(np.arange(length) == i, -1, 1).astype(dtype)) for i in range(length)]
    assert all(compare(value, wanted, units) is not None for value in wrong)
    assert compare(wanted * dtype(1.01), wanted, units) is not None


@pytest.mark.parametrize(("dtype", "most"), [(np.float32, 362), (np.float64, 10_000)])
def test_what_cancelled_digits_excuse_has_an_end(dtype, most):
    # With less and less that is left; beyond the end nothing is measured any more, as at a jump
    units = []
    for power in range(9):
        x = np.array([1.0, 0.5, 10.0**-power - 1.5], dtype=dtype)
        made = Exercise("made.up", lambda x: np.sum(x), lambda rng: [])
        units.append(evaluation._conditioning(made, Case("", (x,)), [np.sum(x)]))
    assert max(units) <= most and min(units) >= 1
    assert units[0] < 8 < max(units)


def test_digits_that_cancel_cost_a_right_answer_nothing(monkeypatch):
    x = np.array([0.1, 0.7, -0.8 + 1e-4, 0.3, -0.3])
    _made(monkeypatch, lambda x: np.sum(x), Case("what is left is a ten thousandth", (x,)))
    (case,), _ = evaluation.expected_values("made.up", 0)
    assert 1000 < case.sum_length <= 10_000
    assert evaluate("made.up", lambda x: np.sum(x[::-1]), withhold=False).passed
    assert evaluate("made.up", lambda x: (x[0] + x[3]) + (x[1] + x[4]) + x[2], withhold=False).passed
    assert not evaluate("made.up", lambda x: np.sum(x) * (1 + 1e-9), withhold=False).passed


def test_where_nothing_cancels_or_the_answer_jumps_the_bound_is_that_of_the_longest_sum(monkeypatch):
    x = np.linspace(1.0, 2.0, 20)
    _made(
        monkeypatch,
        lambda x: np.where(np.cumsum(x) > 1.0, 1e6, 1.0),
        Case("a jump", (x,)),
        Case("told by the author", (x,), sum_length=7),
        Case("integers", (np.arange(30),)),
    )
    cases, _ = evaluation.expected_values("made.up", 0)
    assert [case.sum_length for case in cases] == [20, 7, 30]


def test_an_input_that_is_changed_costs_a_quarter_of_the_part_that_does_it(monkeypatch):
    def backward(dy, x):
        dy *= 2
        return dy / 4 + 0 * x

    def forward(x):
        x += 1
        return (x - 1) / 2, x

    case = Case("one", (np.array([3.0, 5.0, 4.0]),), dout=np.array([0.3, 0.7, 1.9]))
    made = _made(monkeypatch, (lambda x: (x / 2, x), lambda dy, x: dy / 2), case)
    cases, expected, got = evaluation.ask(made, (lambda x: (x / 2, x), backward))
    result = evaluation.judge(made, cases, expected, got)
    assert (result.score, result.mistake) == (0.875, "changes_its_input")
    assert result.message == (
        "✗ made.up: not right yet; 1 of 2 cases pass, 1 more but for a changed input, which costs a quarter of each (0.88 of 1 point).\n"
        "Backward: this looks like a known mistake (changes its input). Your function writes into an array that it was given: "
        "`x += …`, `x[…] = …` and `x *= …` do, `x = x + …` makes a new one.\n"
        "Case “one”, backward: The values are right, but your function changes its input dy: the caller still needs that "
        "array. Work on a copy, or make a new array."
    )
    _, _, got = evaluation.ask(made, (forward, lambda dy, x: dy / 2))
    assert [outcome.changed for outcome in got[0]] == [("x",), ()]


def test_the_parts_of_an_lstm_pay_for_what_each_of_them_changes():
    def backward(dh, dc, cache, **options):
        gradients = recurrent.lstm_cell_backward(dh, dc, cache, **options)
        dc *= 2.0
        return gradients

    result = evaluate(
        "recurrent.lstm_cell",
        lambda *args: recurrent.lstm_cell_forward(*args),
        backward,
        withhold=False,
    )
    assert {row.part for row in result.rows if not row.passed} == {"backward"}
    weights = {passed: sum(row.weight for row in result.rows if row.passed is passed) for passed in (True, False)}
    assert result.score == pytest.approx((weights[True] + 0.75 * weights[False]) / sum(weights.values()))
    assert result.mistake == "changes_its_input"
    assert "changes its input dc:" in result.message


def test_a_right_answer_keeps_half_of_its_digits_however_much_cancels(monkeypatch):
    x = np.array([1.0, -1.0 + 2.5e-3, 3.0, -3.0], dtype=np.float32)
    _made(monkeypatch, lambda x: np.sum(x, dtype=np.float32), Case("what is left is a four hundredth", (x,)))
    (case,), _ = evaluation.expected_values("made.up", 0)
    # √eps / (8 eps) units of single precision
    assert case.sum_length == 362
    assert evaluate("made.up", lambda x: np.sum(x[::-1], dtype=np.float32), withhold=False).passed
    # A thousandth is off by far more than rounding can be
    assert not evaluate("made.up", lambda x: np.sum(x, dtype=np.float32) * np.float32(1.001), withhold=False).passed


def test_a_wrong_answer_that_also_changes_its_input_is_not_named_for_rounding():
    def relu(x):
        x += 1.0
        return np.maximum(x, 0.0)

    assert evaluate("activations.relu", relu).mistake == "changes_its_input"


def test_an_entry_that_is_moved_back_by_arithmetic_is_named_for_that():
    def numerical_grad(f, x, eps=1e-5):
        g = np.zeros_like(x)
        for i in np.ndindex(x.shape):
            x[i] += eps
            above = f(x)
            x[i] -= 2 * eps
            below = f(x)
            x[i] += eps
            g[i] = (above - below) / (2 * eps)
        return g

    result = evaluate("gradient_checking.numerical_grad", numerical_grad)
    assert result.mistake == "not_restored" and 0.5 < result.score < 1.0
    assert result.message.split("\n")[1:3] == [
        "This looks like a known mistake (not restored). Your function moves an entry of its input and moves it back by the same "
        "amount: rounding stays behind.",
        "Case “a vector”: The values are right, but your function leaves its input x changed in the last digits: to add a "
        "number and to subtract it again does not give back the old one. Store the old number, and put it back.",
    ]


def test_blas_has_one_thread_while_an_answer_is_judged():
    """With more, two checks on one machine keep each other waiting until a right answer has used up its time."""
    threadpoolctl = pytest.importorskip("threadpoolctl")

    def numbers():
        return {one["num_threads"] for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"}

    seen = []

    def preactivation(X, w, b):
        seen.append(numbers())
        return X @ w + b

    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        assert evaluate("neurons.preactivation", preactivation).passed
        assert seen and {1} == set.union(*seen)
        assert numbers() == {2}


def test_without_a_way_to_set_its_threads_an_answer_is_judged_all_the_same(monkeypatch):
    monkeypatch.setattr(threads, "_controller", None)
    assert evaluate("neurons.preactivation", lambda X, w, b: X @ w + b).passed
