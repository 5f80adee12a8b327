"""The command line as a person and a script meet it: what is printed where, the exit status, what is said when it is wrong."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import records
import typer.main
import typer.testing
from test_feedback import journal

import dlcourse as dlcourse_package
from autograder import build, cli, exercises_of

RUNNER = typer.testing.CliRunner()


def dlcourse(*arguments):
    """The command in this process: (status, what is on stdout, what is on stderr)."""
    done = RUNNER.invoke(cli.app, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done.exit_code, done.stdout, done.stderr


def test_help_is_one_page_for_each_command():
    commands = [
        command.name or command.callback.__name__.replace("_command", "") for command in cli.app.registered_commands
    ]
    assert {
        "lab",
        "check",
        "build",
        "release",
        "grade",
        "feedback",
        "report",
        "export",
        "demo",
        "audit",
        "status",
        "collect",
        "doctor",
    } <= set(commands)
    for command in commands:
        status, out, _ = dlcourse(command, "--help")
        assert status == 0 and len(out.splitlines()) < 45, command
        assert len(out.splitlines()[2].strip()) > 20, command


def test_the_audit_shows_an_exercises_mistakes():
    status, out, err = dlcourse("audit", "--show", "convolution.conv_output_size")
    assert (status, err) == (0, "")
    assert out.startswith("""convolution.conv_output_size

  stride_omitted
    - return (n + 2 * padding - kernel) // stride + 1
    + return n + 2 * padding - kernel + 1
    Hint: That is the number of windows one pixel apart. How many are left when you take only every s-th?
""")


def test_a_wrong_call_is_status_2():
    for arguments in (["nonsense"], ["report"], ["grade", "neurons", "--workers", "x"]):
        assert dlcourse(*arguments)[0] == 2


def commands_of_a_course():
    """Every command that takes a course directory, with words for what it asks for."""
    for name, command in typer.main.get_command(cli.app).commands.items():
        # The audit has exercises without a course, too
        if name != "audit" and any("--course" in parameter.opts for parameter in command.params):
            yield name, ["neurons" for parameter in command.params if parameter.required]


@pytest.mark.parametrize(("command", "words"), list(commands_of_a_course()))
def test_a_folder_that_is_not_a_course_stays_as_it_is(tmp_path, monkeypatch, command, words):
    monkeypatch.delenv("DLCOURSE_SECRET", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "thesis.txt").write_text("years of work")
    assert dlcourse(command, *words) == (
        2,
        "",
        f"error: {tmp_path} is not a course directory: it has neither nbgrader_config.py nor release/; use --course DIR\n",
    )
    assert [path.name for path in tmp_path.rglob("*")] == ["thesis.txt"]


def test_an_audit_of_a_course_asks_for_one(tmp_path):
    assert dlcourse("audit", "neurons.preactivation", "--course", tmp_path) == (
        2,
        "",
        f"error: {tmp_path} is not a course directory: it has neither nbgrader_config.py nor release/; use --course DIR\n",
    )


def test_the_version():
    assert dlcourse("--version") == (0, f"dlcourse {dlcourse_package.__version__}\n", "")


@pytest.mark.parametrize("what", ["check", "lessons", "assignments"])
def test_building_without_a_clone_says_so(monkeypatch, capsys, what):
    monkeypatch.setattr(build.command, "ROOT", None)
    assert build.main([what]) == 2
    assert capsys.readouterr() == (
        "",
        "error: build needs a clone of the project: the installed dlcourse holds no sources of the lessons\n",
    )


@pytest.mark.parametrize(
    ("clone", "words"),
    [
        (True, "in the project's folder: make course, or python -m pip install -e '.[grading]'"),
        (False, "install what the command line needs: python -m pip install 'dlcourse[grading]'"),
    ],
)
def test_without_the_extra_the_command_says_what_to_install(clone, words):
    code = "import sys; sys.modules['typer'] = None; from autograder import __main__, places; "
    code += "" if clone else "places.find = lambda: places.Places(None, None, None); "
    done = subprocess.run([sys.executable, "-c", code + "__main__.main()"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"error: typer is not installed; {words}\n")


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
    most = sum(one.points for one in exercises_of("neurons").values())
    status, out, err = dlcourse("report", "neurons", "--course", course)
    assert status == 0 and err == ""
    assert out.startswith(
        "neurons: 2 submissions\n4 answers are not read yet, so no median yet; the checked exercises alone: "
        f"mean {most - 1:g}, SD 1, quartiles {most - 1.5:g}, {most - 1:g} and {most - 0.5:g} of {most:g} points\n"
    )
    assert "|        1 | bias not summed | neurons.linear_neuron_grad |" in out
    assert (course / "reports" / "neurons.html").exists()
    status, out, _ = dlcourse("report", "neurons", "--course", course, "--json")
    assert status == 0 and json.loads(out)["students"] == 2
    status, out, _ = dlcourse("report", "neurons", "--course", course, "--csv")
    assert status == 0 and len(out.splitlines()) == 1 + 2 * (len(exercises_of("neurons")) + 2)
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
    done = subprocess.run([*command, "--no-self-test"], env=environment, capture_output=True, text=True, timeout=120)
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
