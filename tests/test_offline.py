"""`dlcourse check`: it says what grading will say, loses nothing in silence, and runs nobody's code with the user's rights."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest
import typer.testing

from autograder import cli, demo, exercises_of, offline
from autograder.engine.grader import Grader
from autograder.engine.sandbox import link, protocol, sandbox
from autograder.engine.tasks import Settings
from autograder.errors import NoSandbox

RUNNER = typer.testing.CliRunner()
EXERCISES = exercises_of("neurons")
POINTS = sum(one.points for one in EXERCISES.values())
PROSE = "*Your answer here.*"
CHECK = "check('neurons.{0}', {0})"
RELEASED = offline.RELEASED / "neurons" / "neurons.ipynb"
needs_sandbox = pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap (apt install bubblewrap)")


@pytest.fixture(scope="module")
def graders():
    made = {}
    yield made
    for grader in made.values():
        grader.close()


@pytest.fixture
def warm(monkeypatch, graders):
    """The command's grader stays warm from test to test."""

    class Kept:
        def __init__(self, settings):
            self.settings = settings

        def __enter__(self):
            if self.settings not in graders:
                graders[self.settings] = Grader(self.settings)
            return graders[self.settings]

        def __exit__(self, *error):
            pass

    monkeypatch.setattr(offline, "Grader", Kept)


def dlcourse(*arguments, **options):
    """The command in this process: (status, what is on stdout, what is on stderr)."""
    done = RUNNER.invoke(cli.app, [str(argument) for argument in arguments], **options)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done.exit_code, done.stdout, done.stderr


def notebook(folder, *cells, name="scratch.ipynb"):
    """A notebook that no course has released."""
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in ("from autograder import check", *cells)]
    )
    path = folder / name
    nbformat.write(made, path)
    return path


def answered(name, body):
    return f"import numpy as np\ndef {name}(X, w, b):\n    {body}", CHECK.format(name)


def assignment(folder, edit=None, name="neurons.ipynb", answers=None):
    """The neurons assignment with every answer right; `edit(notebook, {grade_id: cell})` changes it."""
    made = demo.answer(nbformat.read(RELEASED, as_version=4), demo.solutions(), {})
    cells = {cell.metadata.nbgrader.grade_id: cell for cell in made.cells if "nbgrader" in cell.metadata}
    for cell in made.cells:
        if cell.source == PROSE:
            cell.source = "Because a sum of lines is a line."
    for grade_id, source in (answers or {}).items():
        cells[grade_id].source = source
    if edit is not None:
        edit(made, cells)
    path = folder / name
    nbformat.write(made, path)
    return path


# --- what is said ---------------------------------------------------------------------------------------------------


@needs_sandbox
def test_a_wrong_answer_is_named_and_fails(tmp_path, warm):
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


@needs_sandbox
@pytest.mark.parametrize("magic", ["", "%matplotlib inline\n", "%matplotlib widget\n", "%matplotlib notebook\n"])
def test_a_right_assignment_passes_and_is_left_alone(tmp_path, warm, magic):
    def edit(made, cells):
        first = next(cell for cell in made.cells if cell.cell_type == "code")
        first.source = magic + first.source

    path = assignment(tmp_path, edit)
    before = path.read_bytes()
    status, out, err = dlcourse("check", path)
    assert (status, err) == (0, ""), out
    assert out.count("✓ right") == len(EXERCISES)
    assert f"{POINTS:g} of {POINTS:g} points on the cases that you can see" in out
    assert "3 written answers will be read by a person." in out
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == [path.name]


@needs_sandbox
def test_it_says_the_same_as_the_notebook(tmp_path, warm):
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


@needs_sandbox
def test_it_goes_on_after_an_error_and_names_its_cell(tmp_path, warm):
    path = notebook(
        tmp_path,
        "def preactivation(X, w, b):\n    return X @",
        CHECK.format("preactivation"),
        *answered("perceptron_predict", "return np.where(X @ w + b >= 0, 1, -1)"),
    )
    status, out, _ = dlcourse("check", path)
    assert status == 1
    assert "code cell 2 (`def preactivation(X, w, b):`) stopped: SyntaxError: invalid syntax (line 2)\n" in out
    assert re.search(r"neurons.preactivation +\| ✗ wrong \| 0 of 1 \| its cell was stopped +\|", out)
    assert "The cell that defines preactivation stopped with SyntaxError: invalid syntax" in out
    assert re.search(r"neurons.perceptron_predict +\| ✓ right", out)


@needs_sandbox
def test_the_same_trouble_is_said_once(tmp_path, warm):
    """An import that fails stops every answer: one sentence, and the names of the others."""

    def edit(made, cells):
        first = next(cell for cell in made.cells if cell.cell_type == "code")
        first.source = "import nowhere\n" + first.source

    status, out, _ = dlcourse("check", assignment(tmp_path, edit, answers={"neurons-preactivation": HELPER}))
    assert status == 1
    assert out.count("No module named 'nowhere'") == 1
    assert out.count("NameError: name 'helper' is not defined") == 1
    path = notebook(tmp_path, *(cell for name in SAME for cell in answered(name, "return missing + b")))
    status, out, _ = dlcourse("check", path)
    assert out.count("Your code raised NameError: name 'missing' is not defined") == 1
    assert "The same in neurons.perceptron_predict, neurons.signed_distance.\n" in out


HELPER = "def preactivation(X, w, b):\n    return helper(X, w) + b"
SAME = ("preactivation", "perceptron_predict", "signed_distance")


@needs_sandbox
@pytest.mark.slow
def test_it_stops_a_loop_without_end(tmp_path):
    path = notebook(
        tmp_path,
        *answered("preactivation", "return X @ w + b"),
        "while True:\n    pass",
        *answered("perceptron_predict", "while True: pass"),
    )
    outcome = offline.check_notebook(path, seconds=2.0, total=60.0)
    assert [one.verdict for one in outcome.checks] == ["right", "out of time"]
    assert not outcome.passed
    assert outcome.errors == [offline.CellError([4], "while True:", "TooSlow: stopped after 2 seconds")]


@needs_sandbox
@pytest.mark.parametrize("end", ["import os; os._exit(3)", "import ctypes; ctypes.string_at(0)"])
def test_a_crash_costs_nothing_but_its_cell(tmp_path, warm, end):
    path = notebook(
        tmp_path, *answered("preactivation", "return X @ w + b"), end, *answered("signed_distance", "return 1")
    )
    outcome = offline.check_notebook(path)
    assert [one.verdict for one in outcome.checks] == ["right", "wrong"]
    assert outcome.errors == [offline.CellError([4], end, "ended the whole Python process")]


@needs_sandbox
def test_what_a_student_prints_cannot_move_the_terminal(tmp_path, warm):
    path = notebook(
        tmp_path,
        "print('\\x1b[2Jgone')",
        "raise ValueError('\\x1b[2Jgone')",
        *answered("preactivation", "return X @ w + b"),
    )
    status, out, _ = dlcourse("check", path)
    assert status == 0 and "\x1b" not in out and "code cell 3 (`raise ValueError('\\x1b[2Jgone')`) stopped: " in out


def test_a_wrong_call_says_what_is_wrong(tmp_path):
    notebook(tmp_path, name="neurons.ipynb")
    (tmp_path / "torn.ipynb").write_text('{"cells": [')
    for name, words in (
        ("neuron.ipynb", f"there is no file {tmp_path / 'neuron.ipynb'}; did you mean {tmp_path / 'neurons.ipynb'}?"),
        ("torn.ipynb", "torn.ipynb is not a notebook that can be read: it is not JSON"),
        ("neurons.ipynb", "neurons.ipynb holds no check(…); expected one of the course's assignments"),
        ("", "is a folder; name the notebook in it"),
    ):
        status, out, err = dlcourse("check", tmp_path / name)
        assert (status, out) == (2, "") and words in err, err
    assert dlcourse("check", tmp_path / "neurons.ipynb", "--timeout", "0")[0] == 2


@needs_sandbox
def test_calls_that_cannot_be_judged_are_said(tmp_path, warm):
    path = notebook(
        tmp_path,
        *answered("preactivation", "return X @ w + b"),
        "check('neurons.nothing', preactivation)",
        "check('layers.linear', preactivation)",
    )
    status, out, _ = dlcourse("check", path)
    assert status == 1 and "✗ neurons.nothing: there is no exercise 'neurons.nothing'" in out
    assert "Expected 2 functions, linear_forward, linear_backward; got 1." in out


@needs_sandbox
def test_an_exercise_that_is_checked_twice_counts_once(tmp_path, warm):
    wrong, right = "return X @ w - b", "return X @ w + b"
    path = notebook(tmp_path, *answered("preactivation", wrong), *answered("preactivation", right))
    outcome = offline.check_notebook(path)
    assert [(one.verdict, one.points) for one in outcome.checks] == [("right", 1.0)]


# --- what the file has lost -----------------------------------------------------------------------------------------


def without(*grade_ids):
    def edit(made, cells):
        made.cells = [cell for cell in made.cells if not any(cell is cells[grade_id] for grade_id in grade_ids)]

    return edit


@needs_sandbox
def test_a_deleted_check_loses_no_exercise(tmp_path, warm):
    """Grading puts its own check in its place."""
    status, out, _ = dlcourse("check", assignment(tmp_path, without("neurons-preactivation-check")))
    assert status == 0 and f"{POINTS:g} of {POINTS:g} points" in out
    assert "note: the cell neurons-preactivation-check is missing; grading puts the course's own in its place\n" in out


@needs_sandbox
def test_an_overwritten_check_is_judged_by_the_course_s_own(tmp_path, warm):
    def edit(made, cells):
        cells["neurons-preactivation-check"].source = "print('all right')"

    wrong = {"neurons-preactivation": "def preactivation(X, w, b):\n    return X @ w - b"}
    status, out, _ = dlcourse("check", assignment(tmp_path, edit, answers=wrong))
    assert status == 1 and "This looks like a known mistake (bias subtracted)." in out
    assert "note: the locked cell neurons-preactivation-check was changed; the course's version was used\n" in out


@needs_sandbox
def test_a_deleted_answer_is_named_and_counted(tmp_path, warm):
    status, out, _ = dlcourse("check", assignment(tmp_path, without("neurons-sgd_fit", "neurons-written-1")))
    assert status == 1 and f"{POINTS - 3:g} of {POINTS:g} points" in out
    assert "note: cell neurons-sgd_fit is missing; it counts as not attempted\n" in out
    assert "note: the cell neurons-written-1 is missing; grading puts the course's own in its place\n" in out
    assert "1 answer of neurons is missing from the file." in out


@needs_sandbox
@pytest.mark.parametrize("ids", [True, False])
def test_stripped_metadata_costs_nothing(tmp_path, warm, ids):
    def edit(made, cells):
        for cell in made.cells:
            cell.metadata = {}
            if not ids:
                cell.pop("id", None)
        if not ids:
            made.nbformat_minor = 4

    status, out, _ = dlcourse("check", assignment(tmp_path, edit))
    assert status == 0 and f"{POINTS:g} of {POINTS:g} points" in out and "missing from the file" not in out
    notes = [line.partition("lost nbgrader's mark; ")[2] for line in out.splitlines() if line.startswith("note: ")]
    assert notes == ([] if ids else ["found by what is defined there"])


@needs_sandbox
def test_another_name_is_said(tmp_path, warm):
    status, out, _ = dlcourse("check", assignment(tmp_path, name="neurons-Copy1.ipynb"))
    assert status == 0 and "note: grading looks for neurons.ipynb: hand it in under this name\n" in out


@needs_sandbox
def test_an_unwritten_answer_is_said(tmp_path, warm):
    def edit(made, cells):
        made.cells[-1].source = PROSE

    _, out, _ = dlcourse("check", assignment(tmp_path, edit))
    assert "2 written answers will be read by a person. Not written yet: neurons-project-written." in out


# --- with whose rights ----------------------------------------------------------------------------------------------


@needs_sandbox
def test_a_notebook_runs_in_the_sandbox(tmp_path, warm):
    target = tmp_path / "written"
    path = notebook(
        tmp_path,
        f"open({str(target)!r}, 'w').write('here')",
        "data = open('beside.txt').read()",
        *answered("preactivation", "return X @ w + b if data else 0"),
    )
    (tmp_path / "beside.txt").write_text("numbers")
    status, out, _ = dlcourse("check", path)
    assert status == 0 and not target.exists()
    assert re.search(r"code cell 2 \(`open\(.*`\) stopped: FileNotFoundError: ", out)


@pytest.fixture
def no_sandbox(monkeypatch):
    def refuse(self, *arguments, **options):
        raise NoSandbox("bubblewrap (the command bwrap) was not found", "install it")

    monkeypatch.setattr(sandbox.Zygote, "__init__", refuse)


def test_without_a_sandbox_it_refuses_where_nobody_can_be_asked(tmp_path, no_sandbox):
    path = notebook(tmp_path, *answered("preactivation", "return X @ w + b"))
    assert dlcourse("check", path) == (
        2,
        "",
        "error: no sandbox here, so the notebook's code runs with your rights (bubblewrap (the command bwrap) was not "
        "found). If you trust the notebook, add --yes\n",
    )


def test_without_a_sandbox_yes_runs_it(tmp_path, no_sandbox):
    target = tmp_path / "written"
    path = notebook(
        tmp_path,
        f"open({str(target)!r}, 'w').write('here')",
        "data = open('beside.txt').read()",
        *answered("preactivation", "return X @ w + b if data else 0"),
        *answered("perceptron_predict", "return 1"),
    )
    (tmp_path / "beside.txt").write_text("numbers")
    status, out, err = dlcourse("check", path, "--yes", "--json")
    data = json.loads(out)
    assert (status, err) == (1, "") and target.read_text() == "here"
    assert [(one["verdict"], one["mistake"]) for one in data["checks"]] == [
        ("right", None),
        ("wrong", None),
    ]


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 2), ("", 2)])
def test_without_a_sandbox_a_person_is_asked_once(tmp_path, no_sandbox, monkeypatch, answer, status):
    path = notebook(tmp_path, *answered("preactivation", "return X @ w + b"))
    monkeypatch.setattr(typer.testing._NamedTextIOWrapper, "isatty", lambda self: True)
    done, _, err = dlcourse("check", path, input=answer)
    assert done == status
    assert err == (
        "There is no sandbox here, so the notebook's code runs with your rights (bubblewrap (the command bwrap) was not "
        "found). Check only a notebook that you trust.\nRun it? [y/N] "
    )


def test_without_a_sandbox_the_packages_of_the_environment_are_there(tmp_path):
    path = notebook(tmp_path, "import nbformat", *answered("preactivation", "return X @ w + b"))
    outcome = offline.check_notebook(path, isolation="fresh")
    assert outcome.errors == [] and outcome.passed


@pytest.mark.slow
def test_it_runs_where_unix_modules_are_missing(tmp_path):
    """Windows, as well as Linux can play it: no fcntl, resource, pwd, no fork, no inherited sockets, no poll."""
    path = notebook(
        tmp_path,
        *answered("preactivation", "return X @ w + b"),
        "import os; os._exit(3)",
        *answered("signed_distance", "while True: pass"),
    )
    poor = tmp_path / "poor"
    poor.mkdir()
    (poor / "sitecustomize.py").write_text(
        textwrap.dedent("""\
            import os, select, signal, socket, sys
            for name in ("fcntl", "resource", "pwd", "grp", "termios"):
                sys.modules[name] = None
            del os.fork, os.getuid, os.geteuid, os.setsid, signal.setitimer, signal.pthread_sigmask, select.poll
            del socket.MSG_DONTWAIT, socket.send_fds
            """)
    )
    script = textwrap.dedent(f"""\
        import sys
        from autograder.engine.sandbox import link, sandbox
        link.INHERITED = False
        plain = sandbox._python_path
        sandbox._python_path = lambda *given: {str(poor)!r} + ":" + plain(*given)
        from autograder.__main__ import main
        sys.argv = ["dlcourse", "check", {str(path)!r}, "--yes", "--json", "--timeout", "3"]
        main()
        """)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(poor), str(Path(cli.__file__).parents[1])])}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.stderr == "" and done.returncode == 1
    data = json.loads(done.stdout)
    assert [one["verdict"] for one in data["checks"]] == ["right", "out of time"]
    assert [one["error"] for one in data["errors"]] == ["ended the whole Python process"]


def test_a_socket_on_loopback_takes_nobody_else(monkeypatch):
    monkeypatch.setattr(link, "INHERITED", False)
    code = (
        "import socket, sys\nfrom autograder.engine.sandbox import link\n"
        "port = int(sys.argv[1].partition(':')[2])\n"
        "stranger = socket.create_connection(('127.0.0.1', port))\nstranger.sendall(b'x' * 32)\n"
        "link.join(sys.argv[1]).sendall(b'friend')\n"
    )
    process, sock = link.start([sys.executable, "-c", code], dict(os.environ), cwd=Path(cli.__file__).parents[1])
    with sock:
        assert sock.recv(6, link.socket.MSG_WAITALL) == b"friend"
    link.end(process)
    with pytest.raises(TimeoutError, match="the process did not connect"):
        link.start([sys.executable, "-c", "pass"], dict(os.environ))


@pytest.mark.parametrize("flag", [protocol._DONTWAIT, None])
def test_a_channel_keeps_its_deadline_with_and_without_the_flag(monkeypatch, flag):
    import socket
    import time

    monkeypatch.setattr(protocol, "_DONTWAIT", flag)
    here, there = (protocol.Channel(sock) for sock in socket.socketpair())
    here.send({"a": 1}, [b"x" * 1000], time.monotonic() + 5)
    assert there.receive(time.monotonic() + 5) == ({"a": 1}, b"x" * 1000)
    with pytest.raises(protocol.Silence):
        there.receive(time.monotonic() + 0.05)
    with pytest.raises(protocol.Silence):
        here.send({}, [b"x" * 10_000_000], time.monotonic() + 0.05)
    there.close()
    with pytest.raises(protocol.Closed):
        here.receive(time.monotonic() + 5)
    here.close()


def test_the_limits_of_a_check_are_those_of_grading():
    assert Settings.with_timeout(30.0) == Settings()
