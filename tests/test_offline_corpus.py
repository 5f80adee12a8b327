"""`dlcourse check` and `dlcourse grade` agree on the notebooks that the tests know: verdict and points of each exercise.

Grading asks a few hidden cases more, so of a grade the visible rows are compared; and other numbers, on which a wrong answer
may pass other cases, so here it is given the check's. Both run the whole of their way: grading from the course's folder and
gradebook, the check from the released notebook and the file alone.
"""

import json
import os
import shutil

import attacks
import classes
import nbformat
import pytest
from attacks import assignment as attacked
from attacks.observe import make_scene
from attacks.ours import SETTINGS, impatient, waiting

from autograder import demo, offline
from autograder.checks.evaluation import PUBLIC_SEED, passed_without_content
from autograder.checks.exercise import get_exercise
from autograder.checks.result import Explanation, result_of
from autograder.engine import grader as engine_grader
from autograder.engine import ingest
from autograder.engine.grader import Grader
from autograder.engine.store import gradebook
from autograder.engine.store.course import name_problem, open_course
from autograder.engine.store.records import OUT_OF_TIME, PARTLY, RIGHT, WRONG
from autograder.engine.tasks import ASSERTS, EXERCISE, Settings
from autograder.errors import NoNotebook

pytest.importorskip("nbgrader")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap (apt install bubblewrap)"),
]
# {attack: why the two may differ}; every other notebook of the corpus must come out the same
DIFFERENCES = {
    "link_to_solution": "a link that is handed in is not followed; on a student's own machine it leads to the student's file",
}
ATTACKS = [attack for attack in attacks.all_attacks() if not name_problem(attack.folder)]
if os.environ.get("CORPUS") != "all":
    # Every third; all are graded in test_attacks.py, and all of this is asked before a release
    ATTACKS = [attack for place, attack in enumerate(ATTACKS) if place % 3 == 0 or attack.slug in DIFFERENCES]


@pytest.fixture(autouse=True)
def the_same_numbers(monkeypatch):
    monkeypatch.setattr(engine_grader, "exercise_seed", lambda seed, name: PUBLIC_SEED)


class Both:
    """A course with one assignment, and a grader that serves the check as well as the grade."""

    def __init__(self, root, name, grader):
        self.course, self.name, self.grader = open_course(root), name, grader
        self.assignment = ingest.load_assignment(self.course, name, gradebook.saved_cells(self.course.db_url, name))
        self.released = root / "release" / name / f"{name}.ipynb"

    def graded(self, student):
        """{exercise or cell: (verdict, points)} as grading gives them for the visible cases; None where nothing is read."""
        submission = ingest.read_submission(self.course, student, self.name)
        rebuilt = ingest.rebuild_submission(self.assignment, submission)
        tasks = ingest.make_tasks(self.assignment, submission, rebuilt, self.course.seed)
        if not tasks:
            return None
        found = {}
        for step, came in zip(tasks[0].steps, self.grader.grade(tasks[0]).results, strict=True):
            if step.kind in (EXERCISE, ASSERTS):
                found[came.verdict.exercise or step.grade_id] = visible(came.verdict)
        return found

    def checked(self, student):
        """The same as the student's own check gives it."""
        folder = self.course.folder("submitted", student, self.name)
        path = folder / f"{self.name}.ipynb"
        if not path.exists():
            # Under another name it is taken where it is the only one
            path = next(folder.glob("*.ipynb"), path)
        outcome = offline.check_notebook(path, released=self.released, grader=self.grader)
        return {one.exercise: (one.verdict, one.points) for one in outcome.checks}


def visible(verdict):
    """(verdict, points) of what a student can see of a grade."""
    rows = [row for row in verdict.rows if not row.hidden]
    if not rows:
        return verdict.verdict, verdict.points
    exercise = get_exercise(verdict.exercise)
    if not exercise.functions:
        # Data, judged in the same way at home and in the class
        return verdict.verdict, verdict.points
    named = [Explanation(mistake) for mistake in exercise.mistakes if mistake.slug == verdict.mistake]
    empty = [passed for _, passed in passed_without_content(exercise.name, PUBLIC_SEED)]
    score = result_of(exercise, rows, mistakes=named, empty=empty).score
    said = verdict.verdict
    if said in (RIGHT, PARTLY, WRONG):
        said = RIGHT if score == 1 else PARTLY if score else WRONG
    return said, round(score * verdict.max_points, 2)


@pytest.fixture(scope="module")
def grader():
    with Grader(SETTINGS) as made:
        yield made


@pytest.fixture(scope="module")
def patient():
    """For honest work: no right answer runs out of time on a busy machine."""
    with Grader(Settings.with_timeout(20.0)) as made:
        yield made


@pytest.fixture(scope="module")
def scene(tmp_path_factory, grader):
    folder = tmp_path_factory.mktemp("corpus")
    both = Both(attacked.make_course(folder / "course"), attacked.ASSIGNMENT, grader)
    return both, make_scene(folder, both.course.root, 9), attacked.released_notebook(both.course.root)


def at_a_limit(attack, outcomes):
    """The outcomes; which of several limits an attack meets first is the machine's, so these are one word."""
    either = attack.verdict if isinstance(attack.verdict, tuple) else ()
    return {name: ("a limit" if verdict in either else verdict, points) for name, (verdict, points) in outcomes.items()}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.slug)
def test_an_attack(scene, attack):
    both, around, released = scene
    attack.write(around, released)
    with impatient(both.grader, attack):
        graded = both.graded(attack.folder)
        if attack.slug in DIFFERENCES:
            assert both.checked(attack.folder) != graded, "the two agree now: take the line out of DIFFERENCES"
        elif graded is None:
            with pytest.raises(NoNotebook):
                both.checked(attack.folder)
        else:
            assert at_a_limit(attack, both.checked(attack.folder)) == at_a_limit(attack, graded)


@pytest.fixture(scope="module")
def class_of_demo(tmp_path_factory, patient):
    students = demo.class_of()
    root = demo.make_course(tmp_path_factory.mktemp("demo") / "course", students=students)
    return Both(root, demo.SLUG, patient)


@pytest.mark.parametrize("student", sorted(demo.class_of()))
def test_a_student_of_the_demonstration(class_of_demo, student):
    """Right answers, variants, known mistakes, gaps, broken lines, and one loop without end."""
    grader = class_of_demo.grader
    with waiting(grader, Settings.with_timeout(6.0) if student == "stephen" else grader.settings):
        checked, graded = class_of_demo.checked(student), class_of_demo.graded(student)
    out_of_time = any(verdict == OUT_OF_TIME for verdict, _ in graded.values())
    assert checked == graded and out_of_time == (student == "stephen")


def first_cell(text):
    def edit(notebook):
        first = next(cell for cell in notebook.cells if cell.cell_type == "code")
        first.source = text + first.source

    return edit


def last_cell(text):
    return lambda notebook: notebook.cells.append(nbformat.v4.new_code_cell(text))


def drop(*grade_ids):
    def edit(notebook):
        notebook.cells = [
            cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") not in grade_ids
        ]

    return edit


def strip(notebook):
    for cell in notebook.cells:
        cell.metadata = {}


def twice(notebook):
    cell = next(
        cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "neurons-gd_fit"
    )
    notebook.cells.append(nbformat.from_dict(json.loads(json.dumps(cell)) | {"source": "gd_fit = None", "id": "again"}))


EDITS = {
    "inline": first_cell("%matplotlib inline\n"),
    "widget": first_cell("%matplotlib widget\n"),
    "notebook magic": first_cell("%matplotlib notebook\n"),
    "no such magic": first_cell("%autoreload 2\n"),
    "cell magic": first_cell("%%time\n"),
    "shell": first_cell("!ls\n"),
    "missing module": first_cell("import pandas as pd\n"),
    "installed here only": first_cell("import nbformat\n"),
    "import star": first_cell("from numpy import *\n"),
    "no import at all": lambda notebook: notebook.cells.__setitem__(
        slice(None), [cell for cell in notebook.cells if "import numpy" not in cell.source]
    ),
    "an own function named check": first_cell("def check(*anything): return 1\n"),
    "prints much": last_cell("print('x' * 10**6)"),
    "an error at the end": last_cell("1 / 0"),
    "reads a file that is not there": first_cell("open('data.csv')\n"),
    "asks a question": last_cell("input('?')"),
    "leaves": last_cell("exit()"),
    "a check deleted": drop("neurons-preactivation-check"),
    "an answer deleted": drop("neurons-preactivation"),
    "everything deleted": lambda notebook: notebook.cells.clear(),
    "marks stripped": strip,
    "an answer twice": twice,
    "upside down": lambda notebook: notebook.cells.reverse(),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_notebook(class_of_demo, name):
    both, student = class_of_demo, name.replace(" ", "-")
    source = both.course.folder("submitted", "ada", demo.SLUG)
    target = both.course.folder("submitted", student, demo.SLUG)
    shutil.copytree(source, target)
    notebook = nbformat.read(target / "neurons.ipynb", as_version=4)
    EDITS[name](notebook)
    (target / "neurons.ipynb").write_text(json.dumps(notebook))
    assert both.checked(student) == both.graded(student)


@pytest.mark.parametrize("answers", [classes.RIGHT_ANSWERS, classes.HALF], ids=["right", "half"])
def test_the_small_course(released_course, tmp_path, patient, answers):
    root = shutil.copytree(released_course, tmp_path / "course")
    classes.hand_in(root, "ada", classes.answered(root, answers))
    both = Both(root, classes.NAME, patient)
    assert both.checked("ada") == both.graded("ada")


def test_a_helper_module_beside_the_notebook(released_course, tmp_path, patient):
    root = shutil.copytree(released_course, tmp_path / "course")
    answers = classes.RIGHT_ANSWERS | {
        "neurons-preactivation": "from helper import product\ndef preactivation(X, w, b):\n    return product(X, w) + b"
    }
    folder = classes.hand_in(root, "ada", classes.answered(root, answers))
    (folder / "helper.py").write_text("def product(X, w):\n    return X @ w\n")
    both = Both(root, classes.NAME, patient)
    checked = both.checked("ada")
    assert checked == both.graded("ada") and checked["neurons.preactivation"] == (RIGHT, 1.0)
