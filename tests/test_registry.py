"""Exercises from outside the package: read, imported from memory, versioned, and named where they are wrong."""

import importlib.metadata
import pickle

import cloudpickle
import numpy as np
import pytest

from autograder import evaluate
from autograder.checks import registry
from autograder.checks.audit import selected
from autograder.checks.exercise import exercises_of, get_exercise
from autograder.checks.registry import Sources, read_sources, using
from autograder.engine.pool import _GraderOnWorker
from autograder.engine.version import checks_version
from autograder.errors import CourseError

DOUBLE = b'''
import numpy as np

from autograder import Case, Exercise, Mistake, slip


def double(x):
    """Twice x."""
    return 2 * x


def cases(rng):
    return [Case("five numbers", (rng.standard_normal(5),)), Case("one", (np.ones(1),), hidden=True)]


EXERCISE = Exercise("arithmetic.double", double, cases, [Mistake("squared", slip("2 * x", "x * x"), "Twice?")], points=2)
'''


def test_a_module_of_exercises_is_judged_and_its_mistakes_are_named():
    with using(Sources({"arithmetic.py": DOUBLE})):
        assert list(exercises_of("arithmetic")) == ["arithmetic.double"]
        assert get_exercise("arithmetic.double").slug == "arithmetic"
        assert evaluate("arithmetic.double", lambda x: x + x).passed
        assert evaluate("arithmetic.double", lambda x: x**2).mistake == "squared"
        assert [one.name for one in selected(())] == ["arithmetic.double"]
    with pytest.raises(ValueError, match=r"^there is no exercise 'arithmetic\.double'"):
        get_exercise("arithmetic.double")


def test_other_files_are_other_exercises_and_another_version():
    before = checks_version()
    with using(Sources({"arithmetic.py": DOUBLE})):
        first = checks_version()
        assert evaluate("arithmetic.double", lambda x: 2 * x).passed
    with using(Sources({"arithmetic.py": DOUBLE.replace(b"2 * x", b"3 * x")})):
        assert len({before, first, checks_version()}) == 3
        assert not evaluate("arithmetic.double", lambda x: 2 * x).passed
    assert checks_version() == before


def test_a_folder_of_exercises_uses_what_stands_beside_them():
    files = {
        "arithmetic/__init__.py": b"from .double import EXERCISE\n\nEXERCISES = [EXERCISE]\n",
        "arithmetic/double.py": DOUBLE.replace(
            b"\n\n\ndef double", b"\n\nfrom ._shared import table\n\n\ndef double", 1
        ).replace(b"np.ones(1)", b"table()"),
        "arithmetic/_shared.py": b'import pkgutil\n\nimport numpy as np\n\n\ndef table():\n    return np.fromstring(pkgutil.get_data(__package__, "table.txt").decode(), sep=" ")\n',
        "arithmetic/table.txt": b"1 2 3",
    }
    with using(Sources(files)):
        (_, table) = get_exercise("arithmetic.double").cases(np.random.default_rng(0))
        assert table.args[0].tolist() == [1, 2, 3]


def test_a_courses_own_topic_comes_before_ours_of_that_name():
    own = DOUBLE.replace(b"arithmetic.double", b"neurons.double")
    with using(Sources({"neurons.py": own})):
        assert list(exercises_of("neurons")) == ["neurons.double"]
    # `losses` is a part of our topic `layers`
    with using(Sources({"losses.py": DOUBLE.replace(b"arithmetic.double", b"losses.double")})):
        assert get_exercise("losses.double").slug == "losses"
        assert get_exercise("layers.linear").slug == "layers"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"import numpy as np\nx = 1 / 0\n", "exercises/arithmetic.py, line 2: ZeroDivisionError: division by zero"),
        (b"def f(:\n", "exercises/arithmetic.py, line 1: invalid syntax"),
        (
            b"import nothing_of_the_kind\n",
            "exercises/arithmetic.py, line 1: ModuleNotFoundError: No module named 'nothing_of_the_kind'",
        ),
    ],
    ids=["raises", "no Python", "a missing package"],
)
def test_what_cannot_be_imported_is_named_with_its_line(text, sentence):
    with using(Sources({"arithmetic.py": text})), pytest.raises(CourseError) as caught:
        get_exercise("arithmetic.double")
    assert str(caught.value) == f"the exercises of 'arithmetic' cannot be imported: {sentence}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            b"x = 1\n",
            "expected a list EXERCISES (or one EXERCISE) in exercises/arithmetic.py or exercises/arithmetic/__init__.py",
        ),
        (b"EXERCISES = [1]\n", "expected `Exercise` objects, got 1"),
        (
            DOUBLE.replace(b"arithmetic.double", b"algebra.double"),
            "expected a name like 'arithmetic.mean', got 'algebra.double'",
        ),
        (DOUBLE + b"EXERCISES = [EXERCISE, EXERCISE]\n", "two have the name 'arithmetic.double'"),
    ],
    ids=["none", "a number", "another topic's name", "twice"],
)
def test_what_is_no_list_of_exercises_is_refused(text, sentence):
    with using(Sources({"arithmetic.py": text})), pytest.raises(CourseError) as caught:
        exercises_of("arithmetic")
    assert str(caught.value) == f"the exercises of 'arithmetic': {sentence}"


def test_an_installed_package_names_its_topic_by_an_entry_point(tmp_path, monkeypatch):
    package = tmp_path / "algebra_course"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "exercises.py").write_bytes(DOUBLE.replace(b"arithmetic.", b"algebra."))
    entry = importlib.metadata.EntryPoint("algebra", "algebra_course.exercises", registry.GROUP)
    before = checks_version()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "installed", lambda: {"algebra": entry})
    exercises_of.cache_clear()
    try:
        assert evaluate("algebra.double", lambda x: 2 * x).passed
        assert registry.holds_exercises("algebra_course.exercises")
        first = checks_version()
        (package / "exercises.py").write_bytes(DOUBLE)
        assert len({before, first, checks_version()}) == 3
    finally:
        exercises_of.cache_clear()


def test_a_worker_judges_by_the_exercises_that_came_with_the_run_and_by_no_others():
    """Bytes travel; a worker that serves two courses takes each one's."""

    class Address:
        address = "tcp://elsewhere"

    class Nothing:
        def __init__(self, settings):
            pass

        def __enter__(self):
            return self

        def warm(self, names):
            pass

        def grade(self, task):
            return get_exercise("arithmetic.double").points

    runs = []
    for points in (2, 5):
        sources = Sources({"arithmetic.py": DOUBLE.replace(b"points=2", b"points=%d" % points)})
        with using(sources):
            version = checks_version()
        sent = pickle.loads(
            cloudpickle.dumps(_GraderOnWorker(None, Nothing, [("arithmetic.double",)], version, sources))
        )
        runs.append(sent)
    with using(Sources()):
        for one in runs:
            one.setup(Address)
        assert [one.fault for one in runs] == ["", ""]
        assert [one.grade([None]) for one in (*runs, runs[0])] == [[2], [5], [2]]
        runs[0].version = "another"
        runs[0].setup(Address)
        assert runs[0].fault == (
            "the worker tcp://elsewhere has another version of this package: install the same everywhere"
        )


def test_hidden_and_compiled_files_are_left_out(tmp_path):
    for name in ("arithmetic.py", ".git/config", "__pycache__/arithmetic.pyc", "_shared.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    sources = read_sources(tmp_path)
    assert sorted(sources.files) == ["_shared.py", "arithmetic.py"]
    assert sources.topics == ("arithmetic",)
    assert read_sources(tmp_path / "nowhere").files == {}


def test_a_notebook_in_a_course_directory_finds_the_courses_exercises(tmp_path, monkeypatch):
    place = tmp_path / "course" / "source" / "first"
    place.mkdir(parents=True)
    (tmp_path / "course" / "exercises").mkdir()
    (tmp_path / "course" / "exercises" / "arithmetic.py").write_bytes(DOUBLE)
    (tmp_path / "course" / "nbgrader_config.py").touch()
    monkeypatch.chdir(place)
    with using(Sources()):
        assert evaluate("arithmetic.double", lambda x: 2 * x).passed
