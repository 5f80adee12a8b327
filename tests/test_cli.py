"""The command line as a person and a script meet it: what is printed where, the exit status, what is said when it is wrong."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import records
import typer.testing
from test_feedback import journal

from autograder import build, cli, offline

RUNNER = typer.testing.CliRunner()
CHECK = "check('neurons.{0}', {0})"


def dlcourse(*arguments):
    """The command in this process: (status, what is on stdout, what is on stderr)."""
    done = RUNNER.invoke(cli.app, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done.exit_code, done.stdout, done.stderr


def notebook(folder, *cells, name="neurons.ipynb", text=()):
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in ("from autograder import check", *cells)]
    )
    made.cells += text
    path = folder / name
    nbformat.write(made, path)
    return path


def answered(name, body):
    return f"import numpy as np\ndef {name}(X, w, b):\n    {body}", CHECK.format(name)


def test_help_is_one_page_for_each_command():
    commands = [
        command.name or command.callback.__name__.replace("_command", "") for command in cli.app.registered_commands
    ]
    assert {"lab", "check", "build", "release", "grade", "feedback", "report", "export", "demo", "audit"} <= set(
        commands
    )
    for command in commands:
        status, out, _ = dlcourse(command, "--help")
        assert status == 0 and len(out.splitlines()) < 45, command
        assert len(out.splitlines()[2].strip()) > 20, command


def test_the_audit_shows_an_exercises_mistakes():
    status, out, err = dlcourse("audit", "--show", "convolution.conv_output_size")
    assert (status, err) == (0, "")
    assert out.startswith("""convolution.conv_output_size

  stride_omitted
    -     return (n + 2 * padding - kernel) // stride + 1
    +     return n + 2 * padding - kernel + 1
    Hint: That is the number of windows one pixel apart. How many are left when you take only every s-th?
""")


def test_a_wrong_call_is_status_2():
    for arguments in (["nonsense"], ["report"], ["grade", "neurons", "--workers", "x"]):
        assert dlcourse(*arguments)[0] == 2


def test_the_command_line_starts_without_the_heavy_imports():
    code = "import sys, autograder.cli; print([m for m in ('numpy', 'nbformat', 'matplotlib', 'IPython', 'rich.table', 'sqlalchemy') if m in sys.modules])"
    # The package's own __init__ imports NumPy for `check`
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("[]", "['numpy']")


def test_a_missing_tool_says_how_to_install_it():
    code = "import sys; sys.modules['jupyterlab'] = None; from autograder.__main__ import main; sys.argv = ['dlcourse', 'lab']; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("error: jupyterlab is not installed; in the project's folder: make course")


# --- check ----------------------------------------------------------------------------------------------------------


def test_check_names_the_mistake_and_fails(tmp_path):
    path = notebook(
        tmp_path,
        *answered("preactivation", "return X * w + b"),
        *answered("perceptron_predict", "raise NotImplementedError()"),
    )
    status, out, err = dlcourse("check", path)
    assert status == 1 and err == ""
    assert "| neurons.preactivation      | ✗ wrong         | 0 of 1 | elementwise for dot |" in out
    assert "○ not attempted" in out and "This looks like a known mistake (elementwise for dot)." in out
    assert "0 of 2 points on the cases that you can see" in out


def test_check_passes_a_right_notebook_and_leaves_it_alone(tmp_path):
    task = nbformat.v4.new_markdown_cell("Why?", metadata={"nbgrader": {"task": True, "grade_id": "t"}})
    path = notebook(tmp_path, "%matplotlib inline", *answered("preactivation", "return X @ w + b"), text=[task])
    before = path.read_bytes()
    status, out, _ = dlcourse("check", path)
    assert status == 0 and "✓ right" in out and "1 written answer will be read by a person" in out
    assert path.read_bytes() == before and sorted(p.name for p in tmp_path.iterdir()) == [path.name]


def test_check_says_the_same_as_the_notebook(tmp_path):
    from autograder import evaluate

    def preactivation(X, w, b):
        return X @ w - b

    status, out, _ = dlcourse("check", notebook(tmp_path, *answered("preactivation", "return X @ w - b")), "--json")
    data = json.loads(out)
    wanted = evaluate("neurons.preactivation", preactivation, hidden=False)
    assert status == 1 and data["passed"] is False
    assert data["checks"] == [
        {
            "exercise": "neurons.preactivation",
            "verdict": "wrong" if wanted.points == 0 else "partly right",
            "points": wanted.points,
            "max_points": 1.0,
            "message": wanted.message,
            "mistake": "bias_subtracted",
            "hint": "Look at the sign of the bias.",
        }
    ]


def test_check_goes_on_after_an_error_and_names_its_cell(tmp_path):
    path = notebook(
        tmp_path,
        "def preactivation(X, w, b):\n    return X @",
        CHECK.format("preactivation"),
        *answered("perceptron_predict", "return np.where(X @ w + b >= 0, 1, -1)"),
    )
    status, out, _ = dlcourse("check", path)
    assert status == 1
    assert "code cell 2 stopped with SyntaxError: invalid syntax (line 2)" in out
    assert "an earlier cell did not define the function" in out
    assert re.search(r"neurons.perceptron_predict +\| ✓ right", out)


@pytest.mark.slow
def test_check_stops_a_loop_without_end(tmp_path):
    path = notebook(
        tmp_path,
        *answered("preactivation", "return X @ w + b"),
        "while True:\n    pass",
        *answered("perceptron_predict", "while True: pass"),
    )
    outcome = offline.check_notebook(path, seconds=2.0, total=60.0)
    assert [one.verdict for one in outcome.checks] == ["right", "out of time"]
    assert not outcome.passed and outcome.errors[0][0] == 4 and "TooSlow" in outcome.errors[0][1]


@pytest.mark.parametrize("end", ["import os; os._exit(3)", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"])
def test_check_survives_a_crash(tmp_path, end):
    path = notebook(
        tmp_path, *answered("preactivation", "return X @ w + b"), end, *answered("perceptron_predict", "return 1")
    )
    outcome = offline.check_notebook(path)
    assert [one.verdict for one in outcome.checks] == ["right", "crashed"]
    assert "ended by itself" in outcome.problem and not outcome.passed


def test_check_does_not_print_what_a_student_prints(tmp_path):
    path = notebook(
        tmp_path,
        "print('\\x1b[2Jgone')",
        "raise ValueError('\\x1b[2Jgone')",
        *answered("preactivation", "return X @ w + b"),
    )
    status, out, _ = dlcourse("check", path)
    assert status == 0 and "\x1b" not in out and r"ValueError: \x1b[2Jgone" in out


def test_check_says_what_is_wrong_with_the_call(tmp_path):
    notebook(tmp_path, name="neurons.ipynb")
    (tmp_path / "torn.ipynb").write_text('{"cells": [')
    for name, words in (
        ("neuron.ipynb", f"there is no file {tmp_path / 'neuron.ipynb'}; did you mean {tmp_path / 'neurons.ipynb'}?"),
        ("torn.ipynb", "is no notebook that can be read"),
        ("neurons.ipynb", "holds no check(…); expected one of the course's assignments"),
        ("", "is a folder"),
    ):
        status, out, err = dlcourse("check", tmp_path / name)
        assert (status, out) == (2, "") and words in err, err
    assert dlcourse("check", tmp_path / "neurons.ipynb", "--timeout", "0")[0] == 2


# --- what comes of the grades -----------------------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path):
    """A course directory with the records of two students."""
    bob = records.record("bob", {"neurons.linear_neuron_grad": "bias_not_summed"})
    journal(tmp_path, records.record("ada").to_json(), bob.to_json())
    (tmp_path / "release" / "neurons").mkdir()
    return tmp_path


def test_feedback(course):
    status, out, _ = dlcourse("feedback", "neurons", "--course", course)
    assert status == 0 and out.startswith("2 pages") and "nbgrader release_feedback neurons" in out
    status, out, _ = dlcourse("feedback", "neurons", "--course", course, "--student", "bob", "--json")
    assert json.loads(out) == [str(course / "feedback" / "bob" / "neurons" / "neurons.html")]


def test_report(course):
    status, out, err = dlcourse("report", "neurons", "--course", course)
    assert status == 0 and err == ""
    assert "neurons: 2 submissions, median 25 of 30 points" in out
    assert "|        1 | bias not summed | neurons.linear_neuron_grad |" in out
    assert (course / "reports" / "neurons.html").exists()
    status, out, _ = dlcourse("report", "neurons", "--course", course, "--json")
    assert status == 0 and json.loads(out)["students"] == 2
    status, out, _ = dlcourse("report", "neurons", "--course", course, "--csv")
    assert status == 0 and len(out.splitlines()) == 1 + 2 * 17
    status, out, _ = dlcourse("report", "neurons", "--course", course, "--to", course / "x" / "page.html")
    assert status == 0 and (course / "x" / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert dlcourse("report", "neurons", "--course", course, "--csv", "--json")[0] == 2


@pytest.mark.parametrize("command", ["feedback", "report", "export"])
def test_a_wrong_name_gets_the_nearest_one(course, command):
    status, out, err = dlcourse(command, "neuron", "--course", course)
    assert (status, out, err) == (2, "", "error: there is no assignment 'neuron'; did you mean 'neurons'?\n")


@pytest.mark.parametrize("command", ["feedback", "report", "export"])
def test_what_is_not_graded_says_what_to_run(tmp_path, command):
    (tmp_path / "release" / "neurons").mkdir(parents=True)
    status, _, err = dlcourse(command, "neurons", "--course", tmp_path)
    assert status == 2 and "nothing is graded yet" in err and "run: dlcourse grade neurons" in err
    status, _, err = dlcourse(command, "neurons", "--course", tmp_path / "nowhere")
    assert status == 2 and "there is no folder" in err


def test_a_full_or_locked_place_is_said(course):
    (course / "reports").write_text("a file where the folder should be")
    status, _, err = dlcourse("report", "neurons", "--course", course)
    assert status == 1 and "cannot be written" in err


@pytest.mark.parametrize("command", ["feedback", "report", "export"])
def test_a_gradebook_that_is_none_is_said(course, command):
    (course / "gradebook.db").write_bytes(b"no database, but a long enough text to look like a file of one" * 20)
    status, out, err = dlcourse(command, "neurons", "--course", course)
    assert (status, out) == (1, "") and re.match(r"error: the gradebook .*gradebook.db cannot be used: ", err), err


@pytest.mark.slow
def test_release_builds_and_puts_it_where_students_fetch_it(tmp_path):
    pytest.importorskip("nbgrader")
    import shutil

    course = tmp_path / "course"
    course.mkdir()
    shutil.copy(build.COURSE / "nbgrader_config.py", course)
    environment = os.environ | {"DLCOURSE_EXCHANGE": str(tmp_path / "exchange")}
    environment |= {f"JUPYTER_{name}_DIR": str(tmp_path / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    command = [sys.executable, "-m", "autograder", "release", "graph", "--course", str(course)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert str(course / "release" / "graph") in done.stdout
    committed = build.COURSE / "release" / "graph" / "graph.ipynb"
    assert (course / "release" / "graph" / "graph.ipynb").read_bytes() == committed.read_bytes()
    fetched = tmp_path / "exchange" / "dlcourse" / "outbound" / "graph" / "graph.ipynb"
    assert fetched.read_bytes() == committed.read_bytes()
    # Mended in the middle of a term, it is released again
    fetched.chmod(0o644)
    fetched.write_text("an earlier version")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert fetched.read_bytes() == committed.read_bytes()
    status, _, err = dlcourse("release", "grap", "--course", course)
    assert status == 2 and "did you mean 'graph'?" in err


def test_the_installed_command_is_this_one():
    command = Path(sys.executable).parent / "dlcourse"
    if not command.exists():
        pytest.skip("dlcourse is not installed beside this Python")
    done = subprocess.run([command, "report", "nothing", "--course", "/nonexistent"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.startswith("error: there is no folder")
