"""The packages of the students' code: those of the grader's environment, or of one that is named; never a solution."""

import json
import sys
from pathlib import Path

import environments
import pytest

from autograder.engine.grader import Grader
from autograder.engine.sandbox import sandbox
from autograder.engine.sandbox.environment import Environment, find_environment
from autograder.engine.store.course import open_course
from autograder.engine.tasks import CODE, Settings, Step, Task
from autograder.errors import CourseError, NoSandbox

needs_walls = pytest.mark.skipif(sandbox.shutil.which("bwrap") is None, reason="bubblewrap (bwrap) is not installed")


def shown(result, number=0):
    return "".join(output.get("text", "") for output in result.results[number].outputs)


def task(*sources, student=True, **more):
    steps = tuple(Step(CODE, source, place, student) for place, source in enumerate(sources))
    return Task("ada", "hw", "hw", steps, 1, **more)


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Another environment: the few packages that it needs, one more, one that brings exercises."""
    return environments.make(tmp_path_factory.mktemp("environment") / "other one")


def test_the_environment_is_the_one_that_runs_this():
    found = find_environment()
    assert found.python == sys.executable and found.version == sys.version_info[:2] and found.missing == ()
    assert any(Path(folder, "numpy").is_dir() for folder in found.folders)
    assert found.name == f"python{sys.version_info.major}.{sys.version_info.minor}"


@needs_walls
def test_every_package_is_there_and_none_can_be_changed():
    look = (
        "import importlib.util, os\n"
        "print([name for name in ('pytest', 'hypothesis') if importlib.util.find_spec(name)])\n"
        "print([path for path in os.listdir('/site') if os.access('/site/' + path, os.W_OK)])"
    )
    with Grader() as grader:
        assert shown(grader.grade(task(look))) == "['pytest', 'hypothesis']\n[]\n"


def test_a_description_of_another_environment(other):
    found = find_environment(str(other))
    assert found.python == str(other / "bin" / "python") and found.missing == ()
    assert [Path(path).name for path in found.withheld] == ["autograder", "stats_exercises"]
    assert find_environment(str(other / "bin" / "python")) == found


@needs_walls
def test_a_named_environment_has_its_own_packages_and_no_solution(other):
    look = (
        "import importlib.util, only_there\n"
        "print(only_there.value, importlib.util.find_spec('pytest'))\n"
        "for name in ('stats_exercises.secret', 'autograder.secret'):\n"
        "    try:\n        print(importlib.util.find_spec(name))\n    except ImportError:\n        print('no parent')"
    )
    with Grader(Settings(environment=str(other))) as grader:
        assert shown(grader.grade(task(look))) == "7 None\nNone\nNone\n"


@pytest.mark.slow
@needs_walls
@pytest.mark.skipif(sys.base_prefix == "/usr", reason="the system's Python has its packages apart from its library")
def test_a_named_environment_may_hold_its_python_as_condas_do(tmp_path):
    folder = environments.make(tmp_path / "envs" / "course 2026", own_python=True)
    found = find_environment(str(folder))
    assert (found.python, found.base) == (str(folder / "bin" / "python"), str(folder.resolve()))
    look = (
        "import os, sys, only_there, numpy, _ctypes, sqlite3, ssl\n"
        "print(only_there.value, sys.prefix, os.listdir('/py/lib/' + found + '/site-packages'))"
    )
    with Grader(Settings(environment=str(folder))) as grader:
        assert shown(grader.grade(task(f"found = {found.name!r}\n{look}"))) == "7 /py []\n"


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (
            "nowhere",
            "the environment {} was not found: expected the folder of a virtual environment or of conda, or its Python",
        ),
        ("liar", "the environment's Python {}/bin/python does not run (JSONDecodeError)"),
        ("old", "the environment {} has Python 3.9; expected 3.11 or newer"),
        (
            "poor",
            "the environment {} lacks numpy, array_api_compat, which run students' notebooks: py -m pip install numpy array-api-compat",
        ),
    ],
)
def test_an_environment_that_cannot_be_used(tmp_path, named, said):
    answers = {"liar": "no", "old": [3, 9], "poor": [3, 11]}
    if named in answers:
        missing = ["numpy", "array_api_compat"] if named == "poor" else []
        told = Environment("py", "/py", answers[named], [], {}, [], missing)._asdict()
        python = tmp_path / named / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text("#!/bin/sh\necho '" + ("no" if named == "liar" else json.dumps(told)) + "'\n")
        python.chmod(0o755)
    with pytest.raises(NoSandbox) as error:
        find_environment(str(tmp_path / named))
    assert str(error.value) == said.format(tmp_path / named)


def test_the_configuration_names_it(tmp_path):
    config = tmp_path / "nbgrader_config.py"
    config.write_text("c = get_config()\n")
    assert open_course(tmp_path).environment == ""
    config.write_text("c = get_config()\nc.DlcourseGrader.environment = 'env'\n")
    assert open_course(tmp_path).environment == str(tmp_path / "env")
    config.write_text("c = get_config()\nc.DlcourseGrader.environment = 3\n")
    with pytest.raises(CourseError, match=r"^c\.DlcourseGrader\.environment: expected a path as text, got int$"):
        _ = open_course(tmp_path).environment


def test_what_holds_solutions_is_covered(tmp_path):
    (tmp_path / "quiz").mkdir()
    (tmp_path / "one.py").touch()
    given = Environment("py", "/py", (3, 11), (str(tmp_path),), {"mine": "/elsewhere/mine"}, (), ())
    covered = given._replace(withheld=(str(tmp_path / "quiz"), str(tmp_path / "one.py"), "/elsewhere"))
    assert sandbox.package_binds(covered) == [
        *("--ro-bind", str(tmp_path), "/site/0"),
        *("--tmpfs", "/site/0/quiz"),
        *("--ro-bind", "/dev/null", "/site/0/one.py"),
        *("--ro-bind", "/elsewhere/mine", "/site/linked/mine"),
    ]
