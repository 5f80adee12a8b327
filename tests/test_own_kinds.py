"""Hunts, repairs and projects of a course's own: audited, released, checked at home, graded as ours are."""

import json

import numpy as np
import pytest

from autograder import evaluate, get_exercise
from autograder.checks import audit
from autograder.checks.evaluation import PUBLIC_SEED
from autograder.checks.registry import Sources, released_sources, using
from autograder.checks.released import released_data, shown_with
from autograder.commands.release import checks_for_students
from autograder.engine.grader import Grader
from autograder.engine.sandbox import sandbox
from autograder.engine.tasks import CODE, EXERCISE, Settings, Step, Task
from autograder.errors import BuildError

SPREAD = b'''
import math

import numpy as np

from autograder import Case, Exercise, Mistake, slip


def spread(x, ddof=0):
    """Standard deviation.

    Parameters
    ----------
    x : (N,) array. ddof : what is taken off N.

    Returns
    -------
    s : number.
    """
    return math.sqrt(np.sum((x - np.mean(x)) ** 2) / (len(x) - ddof))


def cases(rng):
    def one(name, n, *ddof, hidden=False):
        return Case(name, (3.0 * rng.standard_normal(n) + 5.0, *ddof), hidden=hidden)

    return [one("seven numbers", 7), one("one taken off", 5, 1), one("two numbers", 2), one("many", 90, 1, hidden=True)]


def mean_of(x):
    return sum(x) / LENGTH


LENGTH = 4


def of_four(x, ddof=0):
    """As many as there were in the lecture."""
    return np.sqrt(np.sum((x - mean_of(x)) ** 2) / (len(x) - ddof))


MISTAKES = [
    Mistake("not_centred", slip("x - np.mean(x)", "x"), "Of deviations from what?"),
    Mistake("root_forgotten", slip("math.sqrt(", "("), "Which unit has your result?"),
    Mistake("ddof_ignored", slip(" - ddof", ""), "Is ddof used?"),
    Mistake("always_four", of_four, "How many numbers are there?"),
]


def library(x, ddof=0):
    return np.std(x, ddof=ddof)


def loop(x, ddof=0):
    m = sum(x) / len(x)
    return math.sqrt(sum((one - m) ** 2 for one in x) / (len(x) - ddof))


EXERCISE = Exercise("sample.spread", spread, cases, MISTAKES, variants=[library, loop], points=2, why="How wide?",
                    hints=("Deviations first.", "Then their squares."))
'''
HUNT = b"""
from autograder.checks.hunts import hunt

from .spread import EXERCISE as SPREAD

EXERCISE = hunt(
    SPREAD,
    best={"x": [1, 2, 6], "ddof": 1},
    naive={"x": [-1.0, 1.0, -1.0, 1.0]},
    shows={"not_centred": "numbers whose mean is not 0", "ddof_ignored": "a ddof", "always_four": "other than four numbers",
           "root_forgotten": "a spread that is not 1"},
    points=2, why="A test is worth what it finds.", hints=("Is the mean 0?", "How many numbers?"),
)
"""
REPAIR = b'''
import numpy as np

from autograder import Case, Exercise, Mistake, slip
from autograder.checks.exercise import mended


def standard(X):
    """The columns with mean 0 and deviation 1."""
    centre = X.mean(axis=0)
    size = np.sqrt(np.mean((X - centre) ** 2, axis=0))
    return (X - centre) / size


def places():
    """The number of the wrong line, in a list for each function."""
    return ([2],)


def cases(rng):
    def one(name, n, d, hidden=False):
        return Case(name, (rng.standard_normal((n, d)) + 3.0,), extra={"which": 0}, hidden=hidden, sum_length=256)

    asked = {"which": 1, "counts": [1]}
    return [one("five rows", 5, 3), one("one column", 6, 1), one("many rows", 40, 2, hidden=True),
            Case("the line", extra=asked | {"bug": (0, 0)}, hidden=True)]


def right(X):
    return (X - np.mean(X, axis=0)) / np.std(X, axis=0)


def over_rows():
    return ([3],)


MISTAKES = [
    Mistake("size_of_rows", slip("(X - centre) ** 2, axis=0)", "(X - centre) ** 2)"), "Look at the deviation of each column."),
    Mistake("other_line", (right, over_rows), "Is it that line?"),
]


def with_std(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)


def second():
    return ([2],)


def by_columns(X):
    return np.stack([(x - np.mean(x)) / np.std(x) for x in X.T], axis=1)


EXERCISE = Exercise("sample.repair", (standard, places), cases, MISTAKES, variants=[(with_std, second), (by_columns, second)],
                    driver=mended, parts=("",), planted=("size_of_rows",), points=2, why="It ran for years.", hints=("Print.", "Look."))
'''
PROJECT = b'''
import numpy as np

from autograder import Case, Exercise, Mistake
from autograder.checks.exercise import Scale, WrongAnswer, numbers, with_questions


def project(draw, budget):
    """The mean of a population that you may ask for single draws.

    Parameters
    ----------
    draw : called as ``draw()``, returns one number. One call more than `budget` is an error.
    budget : number of calls.

    Returns
    -------
    mean : number.
    """
    return np.mean([draw() for _ in range(budget)])


def cases(rng):
    def one(name, budget, hidden=False):
        mean, seed = rng.choice([-1.0, 1.0]) * rng.uniform(20.0, 60.0), int(rng.integers(2**31))
        return Case(name, (budget,), held=mean, ask=(drawn, mean, seed, budget), hidden=hidden)

    return [one("a hundred", 100), one("two hundred", 200), one("another", 100, True), one("again another", 200, True)]


def drawn(number, mean, seed, budget):
    if number >= budget:
        raise WrongAnswer(f"you ask for more than {budget} draws")
    return mean + np.random.default_rng([seed, number]).standard_normal()


def miss(value, case):
    return abs(numbers(value, "mean", ()) - case.held)


def one_draw(draw, budget):
    return draw() - 1.6


def too_many(draw, budget):
    return np.mean([draw() for _ in range(2 * budget)])


def constant(draw, budget):
    return 0.0


MISTAKES = [
    Mistake("one_draw", one_draw, "One draw tells little.", kind="lazy"),
    Mistake("too_many", too_many, "Count your draws.", kind="cheat"),
    Mistake("constant_answer", constant, "Each case has its own mean.", kind="cheat"),
]


def median(draw, budget):
    return np.median([draw() for _ in range(budget)])


def half(draw, budget):
    return sum(draw() for _ in range(budget // 2)) / (budget // 2)


EXERCISE = Exercise("sample.project", project, cases, MISTAKES, variants=[median, half], driver=with_questions, points=4,
                    scales={"": Scale("distance from the mean", 2.0, 0.6, miss)}, seconds=5.0, why="Ask.", hints=("Ask.", "Again."))
'''
OWN = Sources(
    {
        "sample/__init__.py": b"from autograder.checks.exercise import in_order\n\n"
        b'EXERCISES = in_order(__name__, "spread", "hunt_spread", "repair", "project")\n',
        "sample/spread.py": SPREAD,
        "sample/hunt_spread.py": HUNT,
        "sample/repair.py": REPAIR,
        "sample/project.py": PROJECT,
    }
)
NAMES = ["sample.hunt_spread", "sample.repair", "sample.project"]


def reads_the_mean(draw, budget):
    found = [cell.cell_contents for cell in draw.__closure__ or ()]
    return found[0] if found else 0.0


def planted(X):
    centre = X.mean(axis=0)
    return (X - centre) / np.sqrt(np.mean((X - centre) ** 2))


def nowhere():
    raise NotImplementedError


ANSWERS = {
    "a naive input": ("sample.hunt_spread", {"x": [-1.0, 1.0, -1.0, 1.0]}),
    "a better input": ("sample.hunt_spread", {"x": [2.0, 3.0, 7.0]}),
    "the best input": ("sample.hunt_spread", {"x": [1.0, 2.0, 6.0], "ddof": 1}),
    "no input": ("sample.hunt_spread", {"y": 1}),
    "a repair as it was given": ("sample.repair", planted, nowhere),
    "a mended repair": ("sample.repair", lambda X: (X - X.mean(0)) / X.std(0), lambda: ([2],)),
    "a project": ("sample.project", lambda draw, budget: sum(draw() for _ in range(budget)) / budget),
    "a project of one draw": ("sample.project", lambda draw, budget: draw()),
    "a project beyond its budget": ("sample.project", lambda draw, budget: [draw() for _ in range(budget + 1)]),
    "a project that reads": ("sample.project", reads_the_mean),
}


@pytest.fixture(scope="module")
def data():
    with using(OWN):
        return released_data(NAMES, {})


def test_the_audit_takes_them_as_ours(capsys):
    with using(OWN):
        assert audit.main(["sample"]) == 0, capsys.readouterr()
    out = capsys.readouterr().out
    assert "sample.hunt_spread" in out and "the best known input" in out and "too_many" in out


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_at_home_they_are_judged_as_at_the_teachers(data, answer):
    with using(OWN):
        wanted = evaluate(*answer, hidden=False)
    with using(released_sources(data)):
        got = evaluate(*answer, hidden=False)
    assert got == wanted


def test_what_they_say(data):
    with using(released_sources(data)):
        said = {what: evaluate(*answer, hidden=False).message for what, answer in ANSWERS.items()}
    assert said["a better input"] == (
        "✗ sample.hunt_spread: 3 of 4 known mistakes revealed (1.5 of 2 points).\n"
        'Points begin above the 0 that {"x": [-1.0, 1.0, -1.0, 1.0]} reveals.\n'
        "Escapes: ddof ignored. It shows on a ddof."
    )
    assert said["the best input"] == "✓ sample.hunt_spread: right, 2 points.\nAll 4 known mistakes are revealed."
    assert said["no input"].endswith('Expected a dict, {"x": …}: "x" is missing and "y" is not among its keys.')
    assert said["a repair as it was given"].startswith(
        "○ sample.repair: 0 of 2 points.\nNot attempted yet: the functions"
    )
    assert "You ask for more than 100 draws." in said["a project beyond its budget"]


def test_a_hunt_alone_takes_code_along_and_the_release_says_whose(data):
    told = {one["name"]: one for one in json.loads(data)["topics"]["sample"]}
    assert [name for name, one in told.items() if "code" in one] == ["sample.hunt_spread"]
    # Nobody reads a solution by accident
    assert "np.mean(x)" not in data.decode() and "[1, 2, 6]" not in data.decode()
    with using(OWN):
        assert shown_with(NAMES) == ["sample.spread"] and shown_with(["sample.spread"]) == []


def test_the_release_says_so(tmp_path):
    cell = {
        "cell_type": "code",
        "source": 'check("sample.hunt_spread")',
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    said = []
    with using(OWN):
        assert checks_for_students(tmp_path, said.append)
    assert said == [
        "note: the hunt takes the code of sample.spread to students, packed but not secret: if sample.spread gives points, "
        "collect it before you release the hunt"
    ]


@pytest.mark.parametrize(
    "old, new, sentence",
    [
        (
            b"LENGTH = 4",
            b"LENGTH = object()",
            "sample.hunt_spread cannot go to students: mean_of goes to students as code and uses LENGTH, which cannot go along: "
            "write it inside the function",
        ),
        (
            b"variants=[library, loop]",
            b"variants=[library, lambda x, ddof=0: np.std(x, ddof=ddof)]",
            "sample.hunt_spread cannot go to students: <lambda> goes to students as code, so it has to be a function with `def`, "
            "by itself",
        ),
    ],
)
def test_code_that_cannot_go_along_is_refused(old, new, sentence):
    changed = Sources(OWN.files | {"sample/spread.py": SPREAD.replace(old, new)})
    assert old in SPREAD
    with using(changed), pytest.raises(BuildError) as caught:
        released_data(["sample.hunt_spread"], {})
    assert str(caught.value) == sentence


# --- graded -----------------------------------------------------------------------------------------------------------

needs_walls = pytest.mark.skipif(sandbox.shutil.which("bwrap") is None, reason="bubblewrap (bwrap) is not installed")
HANDED_IN = {
    "right": """
hunt_spread = {"x": [1, 2, 6], "ddof": 1}

def standard(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)

def places():
    return ([2],)

def project(draw, budget):
    return np.mean([draw() for _ in range(budget)])
""",
    "wrong": """
hunt_spread = {"x": [2, 3, 7]}

def standard(X):
    return X

def places():
    return ([1],)

def project(draw, budget):
    import gc, sys
    from autograder import withheld
    seen = [cell.cell_contents for cell in getattr(draw, "__closure__", None) or ()]
    frame = sys._getframe()
    while frame is not None:
        seen += list(frame.f_locals.values()) + list(frame.f_globals.values())
        frame = frame.f_back
    secret = [x for x in [*seen, *gc.get_objects()] if hasattr(x, "held") and getattr(x, "held", None) is not None]
    for _ in range(3 * budget):
        try:
            last = withheld.call("?", [], {})
        except Exception as error:
            return float(len(secret)), str(error)
    return last
""",
}


@needs_walls
def test_they_are_graded_and_what_is_asked_is_answered_beyond_the_wall():
    found = {}
    with using(OWN), Grader(Settings(timeout=20.0, total=90.0, memory=1024)) as grader:
        for who, source in HANDED_IN.items():
            calls = [(name, get_exercise(name).answer_names, get_exercise(name).points) for name in NAMES]
            steps = [Step(CODE, "import numpy as np", 0), Step(CODE, source, 1, student=True)]
            steps += [
                Step(EXERCISE, "", 2 + i, grade_id=name, points=points, calls=(name, names))
                for i, (name, names, points) in enumerate(calls)
            ]
            results = grader.grade(Task(who, "hw", "hw", tuple(steps), seed=PUBLIC_SEED + 1)).results
            found[who] = [result.verdict for result in results if result.verdict]
    assert [one.points for one in found["right"]] == [2.0, 2.0, 4.0]
    hunt, repair, project = found["wrong"]
    assert (hunt.points, repair.points, project.points) == (1.5, 0.0, 0.0)
    assert "Escapes: ddof ignored." in hunt.message
    assert "Expected mean, an array of numbers, got a tuple of 2." in project.message
