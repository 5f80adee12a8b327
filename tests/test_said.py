"""Points that are lost or given for any reason but a wrong answer are said: cell by cell, behind the walls."""

import pytest

from autograder.engine.grader import Grader
from autograder.engine.sandbox import sandbox
from autograder.engine.store.records import FOR_A_PERSON, NOT_ATTEMPTED, OUT_OF_TIME, PARTLY, RIGHT, WRONG
from autograder.engine.tasks import ASSERTS, CODE, EXERCISE, Settings, Step, Task
from autograder.errors import MissingPackage

pytestmark = pytest.mark.skipif(sandbox.shutil.which("bwrap") is None, reason="bubblewrap (bwrap) is not installed")


@pytest.fixture(scope="module")
def grader():
    with Grader(Settings(timeout=2.0, total=60.0)) as grader:
        yield grader


def grade(grader, answers, tests, **more):
    """(verdicts of these plain test cells, or exercises, after the student's cells; why a person should look)."""
    steps = [Step(CODE, source, place, student=True) for place, source in enumerate(answers)]
    for place, test in enumerate(tests, len(steps)):
        if isinstance(test, tuple):
            steps.append(Step(EXERCISE, "", place, grade_id=f"t{place}", points=4.0, calls=test))
        else:
            steps.append(Step(ASSERTS, test, place, grade_id=f"t{place}", points=4.0))
    result = grader.grade(Task("ada", "hw", "hw", tuple(steps), 1, **more))
    return [one.verdict for one in result.results[len(answers) :]], result.needs_review


# --- partial credit -------------------------------------------------------------------------------------------------

NOT_POINTS = "which is not a number of points: a person decides"
# {the last line of a test: (points, verdict, what is said)}
VALUES = {
    "np.float64(2)": (2.0, PARTLY, ""),
    "4 * np.mean([True, False])": (2.0, PARTLY, ""),
    "np.float32(1)": (1.0, PARTLY, ""),
    "np.int64(3)": (3.0, PARTLY, ""),
    "np.array(4)": (4.0, RIGHT, ""),
    "__import__('fractions').Fraction(1, 2)": (0.5, PARTLY, ""),
    "0": (0.0, WRONG, ""),
    "5": (4.0, RIGHT, "its code gave 5 of 4 points; 4 count"),
    "np.float64(-1)": (0.0, WRONG, "its code gave -1 of 4 points; 0 count"),
    "np.array([1, 3])": (None, FOR_A_PERSON, f"its value is array([1, 3]) (an array of shape (2,)), {NOT_POINTS}"),
    "float('nan')": (None, FOR_A_PERSON, f"its value is nan (a float), {NOT_POINTS}"),
    "'2'": (None, FOR_A_PERSON, f"its value is '2' (the text '2'), {NOT_POINTS}"),
    "2 == 3": (None, FOR_A_PERSON, f"its value is False (a bool), {NOT_POINTS}"),
    "2 == 2": (4.0, RIGHT, ""),
    "[1]": (4.0, RIGHT, ""),
    "None": (4.0, RIGHT, ""),
}


def test_partial_credit_is_the_number_that_it_is_or_is_said(grader):
    verdicts, said = grade(grader, ["import numpy as np"], list(VALUES))
    assert {name: (one.points, one.verdict) for name, one in zip(VALUES, verdicts, strict=True)} == {
        name: row[:2] for name, row in VALUES.items()
    }
    expected = [f"cell t{place}: {row[2]}" for place, row in enumerate(VALUES.values(), 1) if row[2]]
    assert list(said) == expected
    told = [f"The check: {row[2]}." if row[2] else "" for row in VALUES.values()]
    assert [one.message for one in verdicts] == told


# --- cells that were stopped ----------------------------------------------------------------------------------------

CHECK = ("neurons.preactivation", ("preactivation",))
# {what: (the answer cell, verdict, what is said of it)}
STOPPED = {
    "an error before": (
        "y = undefined\ndef preactivation(X, w, b):\n    return X @ w + b",
        WRONG,
        "stopped with NameError: name 'undefined' is not defined\n----> 1 y = undefined\n"
        "      2 def preactivation(X, w, b):\n      3     return X @ w + b",
    ),
    "not readable": (
        "def preactivation(X, w, b)\n    return 1",
        WRONG,
        "stopped with SyntaxError: expected ':' (",
    ),
    "an endless loop": (
        "while True: pass\ndef preactivation(X, w, b):\n    return X @ w + b",
        OUT_OF_TIME,
        "was stopped: it took too long. Is there an infinite loop?\n----> 1 while True: pass",
    ),
    "the process ends": (
        "import os; os._exit(3)\ndef preactivation(X, w, b):\n    return X @ w + b",
        "crashed",
        "ended the whole Python process.",
    ),
}


@pytest.mark.parametrize("case", STOPPED)
def test_a_cell_that_was_stopped_is_said_with_its_code(grader, case):
    source, verdict, said = STOPPED[case]
    (exercise, plain), _ = grade(grader, [source], [CHECK, "assert preactivation(0, 0, 0) == 0"])
    assert (exercise.verdict, exercise.points) == (plain.verdict, plain.points) == (verdict, 0.0)
    words = f"The cell that defines preactivation {said}"
    assert exercise.message.startswith(f"✗ neurons.preactivation: no answer is left.\n{words}")
    assert plain.message.startswith(f"NameError: name 'preactivation' is not defined\n{words}")


def test_what_was_never_written_stays_not_attempted(grader):
    stub = "raise NotImplementedError()\ndef preactivation(X, w, b):\n    return 0"
    for answers in ([stub], []):
        (verdict,), said = grade(grader, answers, [CHECK])
        assert verdict.verdict == NOT_ATTEMPTED and said == ()
        assert verdict.message == (
            "○ neurons.preactivation: not attempted.\n"
            "There is no function preactivation: its cell is missing, empty, or stopped with an error."
        )


# --- packages that are missing --------------------------------------------------------------------------------------

LACKING = (
    "the code imports not_there, which is neither in the environment of the grader nor handed in: what this cost waits "
    "for a person; with the package installed, grade again with --regrade"
)


def test_a_package_that_the_students_code_lacks_is_for_a_person(grader):
    cell = "import not_there.inner\ndef f():\n    return 1"
    verdicts, said = grade(grader, [cell], ["assert f() == 1", "assert True", "raise NotImplementedError", CHECK])
    assert [(one.verdict, one.points, one.how) for one in verdicts] == [
        (FOR_A_PERSON, None, "person"),
        (RIGHT, 4.0, "in-process"),
        (NOT_ATTEMPTED, 0.0, "in-process"),
        (NOT_ATTEMPTED, 0.0, "outside"),
    ]
    assert said == (LACKING,)
    assert verdicts[0].message.endswith("The code imports not_there, not there where it was graded: a person decides.")


@pytest.mark.parametrize("check", [CHECK, "assert preactivation(1, 1, 1) == 2"])
def test_so_is_one_that_only_a_call_needs(grader, check):
    answer = "def preactivation(X, w, b):\n    import not_there\n    return X @ w + b"
    (verdict,), said = grade(grader, [answer], [check])
    assert (verdict.verdict, verdict.points) == (FOR_A_PERSON, None) and said == (LACKING,)


def test_a_module_that_is_there_or_handed_in_is_the_students_affair(grader):
    (verdict,), said = grade(grader, ["import numpy.not_there\nf = 1"], ["assert f == 1"])
    assert verdict.verdict == WRONG and said == ()
    broken = {"helper.py": b"raise ModuleNotFoundError(\"No module named 'helper'\")"}
    (verdict,), said = grade(grader, ["import helper\nf = 1"], ["assert f == 1"], files=broken)
    assert verdict.verdict == WRONG and said == ()


def test_a_package_that_the_assignment_lacks_stops_the_run(grader):
    task = Task("ada", "hw", "hw", (Step(CODE, "x = 1", 0),), 1, imports=("import json", "from sklearn2 import a"))
    with pytest.raises(MissingPackage) as error:
        grader.grade(task)
    python = sandbox.find_environment().python
    assert str(error.value) == (
        "the assignment's own `from sklearn2 import a` fails where it is graded (ModuleNotFoundError: No module named "
        f"'sklearn2'), so it stops here: install sklearn2 ({python} -m pip install sklearn2), or name an environment that "
        "has it (--environment PATH); if students hand in sklearn2.py, list it in c.Autograde.exclude_overwriting"
    )
    # What a student's code does to its own process changes nothing of it
    poison = Step(CODE, "import sys; sys.modules['decimal'] = None\nraise ModuleNotFoundError", 0, student=True)
    assert grader.grade(Task("eve", "hw", "hw", (poison,), 1, imports=("import decimal",))).results[0].error


# --- what a cell may ask of its surroundings ------------------------------------------------------------------------


def test_a_cell_has_what_a_notebook_has(grader):
    cells = [
        "def f(x):\n    '''\n    >>> f(2)\n    3\n    '''\n    return x + 1",
        "import doctest, sys\nfailed, tried = doctest.testmod()",
        "5",
        "sys.stdout.buffer.write(b'bytes'); sys.stdout.write('text'); sys.stdout.flush()",
    ]
    tests = [
        "assert (failed, tried) == (0, 1)",
        "assert sys.stdout.encoding.lower() == 'utf-8' and not sys.stdout.isatty()",
        "assert In[1].startswith('def f') and Out[3] == 5 and _ih[2] == In[2]",
        "assert __name__ == '__main__'",
    ]
    verdicts, said = grade(grader, cells, tests)
    assert [one.message for one in verdicts] == [""] * 4 and said == ()
