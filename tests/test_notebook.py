"""What a check shows in a notebook: the failing case, what did not run, the points so far; and `case` and `solution`."""

import builtins
import itertools
import os
import re
import sys
import threading
import types

import numpy as np
import pytest

import dlcourse
from autograder import CheckFailed, case, check, evaluate, exercises_of, get_exercise, progress, solution
from autograder.checks import cells, drivers, notebook, show
from autograder.checks.evaluation import PUBLIC_SEED, expected_values

NAME = "neurons.preactivation"


def right(X, w, b):
    return X @ w + b


def no_bias(X, w, b):
    return X @ w


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(notebook, "_right_here", set())
    monkeypatch.setattr(cells, "_watched", None)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


def shown(capsys, name, *functions):
    with pytest.raises(CheckFailed):
        check(name, *functions)
    return capsys.readouterr().out


# --- the failing case -----------------------------------------------------------------------------------------------


def test_a_failed_check_ends_with_the_case_and_a_table(capsys):
    assert shown(capsys, NAME, no_bias).splitlines()[-9:] == [
        "Case “five examples”:",
        "    index      yours    expected  difference",
        "        0   0.227309    0.395194   -0.167884  ✗",
        "        1  -0.205733  -0.0378486   -0.167884  ✗",
        "        2  -0.444667   -0.276782   -0.167884  ✗",
        "        3   -1.61868    -1.45079   -0.167884  ✗",
        "        4   0.242815      0.4107   -0.167884  ✗",
        "Get this case:",
        '    X, w, b = case("neurons.preactivation", "five examples")',
    ]


def test_the_line_that_is_shown_runs_and_fails_as_the_check_does(capsys):
    line = shown(capsys, NAME, no_bias).splitlines()[-1].strip()
    names = {"case": case}
    exec(line, names)
    X, w, b = names["X"], names["w"], names["b"]
    assert X.shape == (5, 3) and abs(no_bias(X, w, b)[3] + 1.61868) < 1e-5
    X[:] = 0.0
    assert case(NAME, "five examples")[0].any(), "a fresh copy each time"


def test_a_large_result_is_shown_by_its_worst_entries():
    wanted = np.arange(60.0).reshape(6, 10)
    got = wanted.copy()
    got[2, 3], got[5, 9], got[0, 0] = 100.0, np.nan, 0.5
    made = show.table(drivers.Case("many", sum_length=16), got, wanted)
    assert made.title == "Case “many”, shape (6, 10): 3 of 60 entries differ, the worst are"
    assert made.rows == (
        ("(5, 9)", "nan", "59", ""),
        ("(2, 3)", "100", "23", "77"),
        ("(0, 0)", "0.5", "0", "0.5"),
    )
    assert made.wrong == (True, True, True)


def test_the_first_of_several_values_that_differs_is_shown():
    made = show.table(drivers.Case("two", sum_length=16), (np.ones(2), 3.0), (np.ones(2), 4.0))
    assert made.title == "Case “two”, second value" and made.rows == (("", "3", "4", "-1"),)
    made = show.table(
        drivers.Case("named", sum_length=16), {"w after step 1": np.array([1, 2])}, {"w after step 1": np.array([1, 3])}
    )
    assert made.title == "Case “named”, w after step 1"
    assert made.rows == (("0", "1", "1", "0"), ("1", "2", "3", "-1")) and made.wrong == (False, True)


def test_values_have_the_names_of_the_docstring(capsys):
    def answer(X, d, w, b):
        e = X @ w + b - d
        return X.T @ e, 2 * e.sum()

    assert "Case “five examples”, db:\n    index" in shown(capsys, "neurons.linear_neuron_grad", answer)


def test_the_line_brings_case_along_where_the_notebook_has_not(run):
    out = run(GOOD.replace(" + b", ""), CALL)
    assert 'Get this case:\n    from autograder import case\n    X, w, b = case("neurons.preactivation"' in out
    out = run("from autograder import case", CALL)
    assert 'Get this case:\n    X, w, b = case("neurons.preactivation"' in out


def test_two_shapes_are_shown_side_by_side(capsys):
    made = show.table(drivers.Case("shapes", sum_length=16), np.array([1.0, 2.0]), np.array(3.0))
    assert made.rows == (("yours", "(2,)", "[1., 2.]"), ("expected", "()", "3."))
    made = show.table(drivers.Case("shapes", sum_length=16), np.zeros((5, 5)), np.array([1, 2]))
    assert made.rows == (("yours", "(5, 5)", "…"), ("expected", "(2,)", "[1, 2]"))


@pytest.mark.parametrize(
    ("got", "expected"), [(None, np.ones(2)), ("text", 1.0), ([1, [2]], np.ones(2)), (1.0, None), ((1, 2), (1, 2, 3))]
)
def test_where_numbers_tell_nothing_there_is_no_table(got, expected):
    assert show.table(drivers.Case("none", sum_length=16), got, expected) is None


def test_an_error_and_an_untouched_stub_have_no_table(capsys):
    def stub(X, w, b):
        raise NotImplementedError()

    assert "Get this case" not in shown(capsys, NAME, stub)
    said = shown(capsys, NAME, lambda X, w, b: X @ w @ b)
    assert "index" not in said and 'X, w, b = case("neurons.preactivation", "five examples")' in said


@pytest.mark.parametrize("slug", dlcourse.TOPICS)
def test_every_visible_case_can_be_had(slug):
    for exercise in exercises_of(slug).values():
        for one in expected_values(exercise.name, PUBLIC_SEED)[0]:
            if one.hidden:
                with pytest.raises(ValueError, match="is kept for grading; the cases that you can get are “"):
                    case(exercise.name, one.name)
                continue
            names = [name for name, _ in notebook.arguments_of(exercise, one)]
            assert len(set(names)) == len(names) and all(name.isidentifier() for name in names), exercise.name
            line = show.call_line(names, exercise.name, one.name)
            exec(line, found := {"case": case})
            assert set(names) <= set(found)


def test_a_plain_exercise_is_called_with_what_case_gives():
    for slug in dlcourse.TOPICS:
        for exercise in exercises_of(slug).values():
            if exercise.driver is not drivers.plain or exercise.measure:
                continue
            cases, expected = expected_values(exercise.name, PUBLIC_SEED)
            one, wanted = next((a, b) for a, b in zip(cases, expected, strict=True) if not a.hidden)
            given = dict(notebook.arguments_of(exercise, one))
            got = exercise.reference(**given)
            assert show.table(one, got, wanted[0]) is None, exercise.name


def test_a_case_that_there_is_not_is_answered_with_the_nearest():
    with pytest.raises(
        ValueError, match=r"^neurons\.preactivation has no case 'five exampls'; did you mean “five examples”\?$"
    ):
        case(NAME, "five exampls")
    with pytest.raises(ValueError, match=r"^the case “integer examples” of neurons\.preactivation is kept for grading"):
        case(NAME, "integer examples")
    with pytest.raises(ValueError, match=r"did you mean 'neurons\.preactivation'"):
        case("neurons.preactivations", "five examples")


def test_pairs_come_with_what_the_backward_gets(capsys):
    linear = get_exercise("layers.linear")
    said = shown(capsys, "layers.linear", linear.functions[0], lambda dU, cache: None)
    assert 'X, W, b, dU = case("layers.linear", ' in said


# --- HTML -----------------------------------------------------------------------------------------------------------


def test_html_says_the_same_and_is_escaped():
    def answer(X, d, w, b):
        raise ValueError("<script>alert(1)</script>")

    said = evaluate("neurons.linear_neuron_grad", answer)._repr_html_()
    assert "&lt;script&gt;" in said and "<script>" not in said and "ValueError" in said
    view = show.View(
        evaluate(NAME, no_bias),
        show.Table("a <b>", ("index", "yours"), (("<i>", "<u>"),), (True,)),
        "X = case('<s>')",
        "Hint 1 of 2: a < b",
        "return a < b",
        "1 of 2 points so far",
    )
    page = show.as_html(view)
    assert not re.search(r"<[bius]>", page)
    for text in ("a &lt;b&gt;", "&lt;i&gt;", "case(&#x27;&lt;s&gt;&#x27;)", "Open hint 1 of 2", "return a &lt; b"):
        assert text in page


# --- solutions, hints, points ---------------------------------------------------------------------------------------


@pytest.fixture
def in_ipython(monkeypatch):
    """Looks like IPython's shell without a kernel: results are printed, progress is kept."""
    running = types.SimpleNamespace(user_ns={}, events=types.SimpleNamespace(register=lambda *a: None))
    monkeypatch.setattr(cells, "shell", lambda: running)
    monkeypatch.setattr(show, "shell", lambda: running)
    return running


def test_a_solution_is_shown_after_the_exercise_is_right_only(capsys):
    solution(NAME)
    assert capsys.readouterr().out == (
        "The solution of neurons.preactivation is shown once your answer is right: run its check first.\n"
    )
    assert "solution(" not in shown(capsys, NAME, no_bias)
    check(NAME, right)
    said = capsys.readouterr().out
    assert (
        said.splitlines()[-1] == 'Compare with ours: from autograder import solution; solution("neurons.preactivation")'
    )
    solution(NAME)
    assert capsys.readouterr().out == "def preactivation(X, w, b):\n    return X @ w + b\n"


def test_a_solution_bears_the_name_that_was_asked():
    for slug in dlcourse.TOPICS:
        for exercise in exercises_of(slug).values():
            code = notebook._solution(exercise)
            for name in exercise.function_names:
                assert f"def {name}(" in code, exercise.name


def test_points_so_far_are_kept_and_the_next_exercise_is_named(capsys, in_ipython):
    names = list(exercises_of("neurons"))
    total = sum(one.points for one in exercises_of("neurons").values())
    assert f"0 of {total:g} points so far; next: exercise 1, {NAME}." in shown(capsys, NAME, no_bias)
    check(NAME, right)
    assert f"\n1 of {total:g} points so far; next: exercise 2, {names[1]}.\n" in capsys.readouterr().out
    # What was right once stays so
    assert f"1 of {total:g} points so far; next: exercise 2, {names[1]}." in shown(capsys, NAME, no_bias)
    for one in exercises_of("neurons").values():
        progress.record("neurons", one.name, one.points, one.points, True)
    check(NAME, right)
    assert f"{total:g} of {total:g} points so far; every exercise is right." in capsys.readouterr().out


def test_after_five_failed_tries_the_next_hint_is_offered(capsys, in_ipython):
    hints = get_exercise("neurons.linear_neuron_grad").hints
    assert len(hints) >= 2
    said = [shown(capsys, "neurons.linear_neuron_grad", lambda X, d, w, b: (w, b)) for _ in range(11)]
    assert all("Hint" not in one for one in said[:4])
    assert all(f"Hint 1 of {len(hints)}: {hints[0]}" in one for one in said[4:9])
    assert all(f"Hint 2 of {len(hints)}: {hints[1]}" in one for one in said[9:])


def test_nothing_is_kept_outside_of_a_notebook_and_while_nbgrader_runs_it(capsys, in_ipython, monkeypatch):
    for mode in ("autograde", "validate"):
        monkeypatch.setenv("NBGRADER_EXECUTION", mode)
        check(NAME, right)
        assert "so far" not in capsys.readouterr().out and not progress.where().exists()
    monkeypatch.delenv("NBGRADER_EXECUTION")
    monkeypatch.setattr(cells, "shell", lambda: None)
    check(NAME, right)
    assert "so far" not in capsys.readouterr().out and not progress.where().exists()
    assert os.listdir() == []


# --- while it runs --------------------------------------------------------------------------------------------------


def test_an_interrupt_is_one_line(capsys):
    def interrupted(X, w, b):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        check(NAME, interrupted)
    assert caught.value.__suppress_context__
    words = "the check of neurons.preactivation was stopped; nothing was counted"
    assert caught.value._render_traceback_() == [f"KeyboardInterrupt: {words}"]
    # The reference is whole again, and nothing stays patched
    assert evaluate(NAME, get_exercise(NAME).reference).passed


@pytest.mark.parametrize("ask", [lambda: input("n? "), lambda: builtins.input()])
def test_input_is_refused_with_a_sentence(ask, capsys):
    before = builtins.input
    result = evaluate(NAME, lambda X, w, b: ask())
    assert result.rows[0].problem == (
        "Your code calls `input()` (or `breakpoint()`), and nobody can type during a check: take the values from the "
        "function's arguments."
    )
    assert builtins.input is before and capsys.readouterr().out == ""


def test_a_long_check_says_how_far_it_is(capsys, in_ipython, monkeypatch):
    in_ipython.kernel = True
    monkeypatch.setattr(show, "display", lambda view: None)
    said = threading.Event()
    tell = notebook._Waiting.show
    monkeypatch.setattr(notebook._Waiting, "show", lambda self: (tell(self), said.set()))
    monkeypatch.setattr(notebook, "PATIENCE", 0.05)

    def slow(X, w, b):
        # The line comes while this case still runs
        assert said.wait(30)
        return X @ w + b

    check(NAME, slow)
    out = capsys.readouterr().out
    assert "checking neurons.preactivation … (1 of 4 cases)" in out
    assert re.search(r"\rchecked neurons\.preactivation \(4 of 4 cases\) *\n$", out)


def test_a_quick_check_says_nothing_of_it(capsys, in_ipython, monkeypatch):
    in_ipython.kernel = True
    monkeypatch.setattr(show, "display", lambda view: None)
    monkeypatch.setattr(notebook, "PATIENCE", 600.0)
    check(NAME, right)
    assert capsys.readouterr().out == ""
    assert not [
        thread
        for thread in threading.enumerate()
        if isinstance(thread, threading.Timer) and not thread.finished.is_set()
    ]


# --- what did not run -----------------------------------------------------------------------------------------------


@pytest.fixture
def run(ipython, monkeypatch, capsys):
    """Run cells in a real shell, one after the other; the last one's output."""
    numbers = itertools.count()
    ipython.reset(new_session=False)
    monkeypatch.setattr(cells, "shell", lambda: ipython)
    monkeypatch.setattr(show, "shell", lambda: ipython)
    for event in ("pre_run_cell", "post_run_cell"):
        monkeypatch.setitem(ipython.events.callbacks, event, [])
    cells.watch()

    def run(*sources):
        for source in sources:
            next(numbers)
            capsys.readouterr()
            ipython.run_cell(source)
        return capsys.readouterr().out

    return run


CALL = "from autograder import check\ncheck('neurons.preactivation', preactivation)"
GOOD = "def preactivation(X, w, b):\n    return X @ w + b"


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        ("def preactivation(X, w, b):\n    return (X @ w + b", "SyntaxError in line 2: '(' was never closed"),
        ("import nothing_like_that\n" + GOOD, "ModuleNotFoundError in line 1: No module named 'nothing_like_that'"),
        ("%%time\nx = 1/0\n" + GOOD, "ZeroDivisionError in line 1: division by zero"),
        ("x = 1\npreactivation = undefined(x)", "NameError in line 2: name 'undefined' is not defined"),
    ],
)
def test_a_version_that_did_not_run_is_not_called_right(run, broken, error):
    assert "right, 1 point" in run(GOOD, CALL)
    out = run(broken, CALL)
    assert out.startswith(
        f"✗ neurons.preactivation: your last version of `preactivation` did not run: {error}. The kernel still holds the "
        "version before it. Fix that cell, run it, then run this check again.\n"
    )
    assert "CheckFailed" in out and "right, 1 point" not in out
    assert "right, 1 point" in run(GOOD, CALL)


def test_a_cell_that_fails_after_the_function_is_defined_has_run_it(run):
    assert "right, 1 point" in run(GOOD + "\npreactivation(1)", CALL)


def test_other_cells_that_fail_change_nothing(run):
    assert "right, 1 point" in run(GOOD, "def other(:", "1/0", "preactivations = 1/0", CALL)


def test_a_failed_version_costs_no_try(run):
    run(GOOD, "def preactivation(X, w, b:\n    return X", CALL)
    assert NAME not in progress.load().exercises


def test_frames_of_the_check_are_not_shown_when_it_fails_or_stops(run):
    out = run("def preactivation(X, w, b):\n    raise KeyboardInterrupt", CALL)
    assert out.strip() == "KeyboardInterrupt: the check of neurons.preactivation was stopped; nothing was counted"
    out = run("def preactivation(X, w, b):\n    return X @ w", CALL)
    assert out.rstrip().endswith("CheckFailed: see the message above") and "Traceback" not in out


def test_the_module_needs_no_ipython():
    code = "import sys; sys.modules['IPython'] = None; from autograder import check; check('neurons.preactivation', lambda X, w, b: X @ w + b)"
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("✓ neurons.preactivation: right, 1 point.")
