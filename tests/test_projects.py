"""Projects: figures on data that an answer never sees, what they earn, and what does not go beside a student's code."""

import dataclasses
import re

import numpy as np
import pytest

import dlcourse
from autograder import build, evaluate, exercises_of, get_exercise
from autograder.checks import audit
from autograder.checks.cheap import _remembered
from autograder.checks.drivers import Case, each_value, fit_and_predict, ready, run_case
from autograder.checks.evaluation import PUBLIC_SEED
from autograder.checks.notebook import arguments_of
from autograder.checks.result import CaseRow, cases_that_pass
from autograder.engine import grader as engine_grader
from autograder.engine.grader import Grader
from autograder.engine.sandbox import sandbox
from autograder.engine.sandbox.protocol import encode
from autograder.engine.tasks import CODE, EXERCISE, Settings, Step, Task

NAMES = [f"{slug}.project" for slug in dlcourse.TOPICS]
NAME = "layers.project"

# --- the scale --------------------------------------------------------------------------------------------------------


def test_a_result_says_the_figure_of_every_visible_case():
    def first_only(X, labels, K, rng):
        return np.stack([X[labels == k][0] for k in range(K)], axis=1), np.zeros(K)

    result = evaluate(NAME, first_only, hidden=False)
    assert not result.passed and 0 < result.points < 3
    head, known, first, second = result.message.split("\n")
    assert re.fullmatch(r"✗ layers\.project: [\d.]+ of 6 points so far; 0 of 2 cases at the top of the scale\.", head)
    assert known == (
        "This looks like a known mistake (one example each). Your templates are single examples: their noise is part of the "
        "template. Use all examples."
    )
    for line, case in ((first, "8 letters"), (second, "10 letters")):
        figure = (
            r"The accuracy on letters that your function has not seen is 0\.\d+; 0\.5 earns nothing, 0\.75 everything\."
        )
        assert re.fullmatch(f"Case “{case}”: {figure}", line), line
    assert result.points == round(6 * np.mean([row.credit for row in result.rows]), 2)
    assert all(row.scaled for row in result.rows)


def test_rows_of_a_scale_are_counted_in_their_own_words():
    rows = [CaseRow("a", "", False, 1.0, False, "p", 0.5, True), CaseRow("b", "", True, 1.0, False, scaled=True)]
    assert cases_that_pass(rows) == "1 of 2 cases at the top of the scale"


# --- what a project is ------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_right_answer_earns_everything_whatever_the_seed(name):
    """Grading has other data for each class: what is right must not need luck. (dlcourse audit --seeds 100 asks more.)"""
    exercise = get_exercise(name)
    for functions in (exercise.functions, *exercise.variant_functions):
        results = {seed: evaluate(name, *functions, seed=seed, explain=False) for seed in range(100, 106)}
        assert {seed: result.message for seed, result in results.items() if result.score < 1} == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_project_is_the_last_of_its_assignment_and_measured_on_more_than_one_seed(name):
    exercise = get_exercise(name)
    assert list(exercises_of(exercise.slug))[-1] == name and 6 <= exercise.points <= 10
    assert exercise.scales and exercise.seconds == 10.0
    cases = exercise.cases(np.random.default_rng(0))
    assert sum(case.hidden for case in cases) >= 2 and sum(not case.hidden for case in cases) >= 2
    kinds = [mistake.kind for mistake in exercise.mistakes]
    assert kinds.count("lazy") >= 1 and kinds.count("cheat") >= 2
    assert {"constant_answer", "memorised_answer"} <= {one.slug for one in exercise.mistakes if one.kind == "cheat"}
    # Other numbers of the generator are other data
    other = exercise.cases(np.random.default_rng(1))
    assert [repr(encode((one.args, one.extra))) for one in cases] != [
        repr(encode((one.args, one.extra))) for one in other
    ]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_held_out_does_not_go_beside_the_answer(name):
    """Neither into the sandbox nor into the call at home."""
    exercise = get_exercise(name)
    engine_grader._encoded_cases.cache_clear()
    sent = engine_grader._encoded_cases(name, 7)
    cases = exercise.cases(np.random.default_rng(7))
    for case, (_, _, buffers) in zip(cases, sent, strict=True):
        assert case.held is not None and ready(case).held is None
        _, held = encode(case.held)
        inputs = case.extra.get("inputs", ())
        secret = [one for one in held if len(one) >= 64 and not any(np.asarray(x).tobytes() in one for x in inputs)]
        body = b"".join(buffers)
        # An activation's stretch is what f is, and f may be asked as often as one likes
        if name != "initializers.project":
            assert secret and not any(one in body for one in secret), case.name


@pytest.mark.parametrize("name", NAMES)
def test_the_assignment_says_how_to_get_the_data_of_a_case(name):
    exercise = get_exercise(name)
    case = exercise.cases(np.random.default_rng(PUBLIC_SEED))[0]
    text = build.assignment_source(exercise.slug).read_text(encoding="utf-8")
    (given,) = re.findall(rf'^`(.+) = case\("{name}", "(.+)"\)`\.$', text, re.M)
    names = given[0].replace(", *more", "").split(", ")
    assert given[1] == case.name and not case.hidden
    assert len(names) == len(arguments_of(exercise, case)) or "*more" in given[0]


@pytest.mark.parametrize("slug", dlcourse.TOPICS)
def test_a_person_reads_an_answer_by_three_published_criteria(slug):
    (cell,) = [
        cell
        for cell in build.instructor_notebook(slug).cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") == f"{slug}-project-written"
    ]
    assert cell.metadata["nbgrader"]["task"] and cell.metadata["nbgrader"]["points"] == 6
    table = [line for line in cell.source.splitlines() if line.startswith("|")]
    assert table[:2] == ["| | 2 points | 1 point |", "| --- | --- | --- |"] and len(table) == 5
    assert "A person gives 0 to 2 points for each of these:" in cell.source


def test_the_scale_stands_above_the_answer():
    text = next(cell.source for cell in build.instructor_notebook("layers").cells if cell.id == "layers-project-intro")
    assert text.split("\n\n<details>")[0].split("\n\n") == [
        "**6 points, about 12 minutes.** One layer, and it reads a script that was invented a moment before. Look at a column of W "
        "as a picture.",
        "**How it earns.** Accuracy on letters that your function has not seen: 0.5 and less earns nothing, 0.75 and more "
        "everything, what lies between its share. The mean over all cases counts.",
        "Your function has 10 seconds for each case.",
    ]


# --- the audit --------------------------------------------------------------------------------------------------------


def test_a_cheat_that_earns_is_a_complaint():
    row = audit.Row("x", shares={"a": ("cheat", 0.21), "b": ("lazy", 0.71), "c": ("", 0.99), "d": ("cheat", 0.2)})
    assert list(audit._earned_too_much(row)) == ["a (cheat) earns 21%", "b (lazy) earns 71%"]


def test_a_training_is_remembered_and_its_value_belongs_to_nobody():
    calls = []

    def train(X, rng):
        calls.append(1)
        return {"w": X + rng.standard_normal(2)}

    once = _remembered(train)
    first, second = (once(np.ones(2), np.random.default_rng(0)) for _ in range(2))
    assert len(calls) == 1 and np.array_equal(first["w"], second["w"]) and first["w"] is not second["w"]
    once(np.ones(2), np.random.default_rng(1))
    assert len(calls) == 2


# --- how they are called ----------------------------------------------------------------------------------------------


def test_several_values_are_parts():
    case = Case("c", (3,), extra={"parts": ["first", "second"]})
    made = run_case(each_value, (lambda x: (x, 2 * x),), case, ("first", "second"))
    assert [(one.part, one.value) for one in made] == [("first", 3), ("second", 6)]
    (broken, _) = run_case(each_value, (lambda x: x,), case, ("first", "second"))
    assert str(broken.error) == "the function returns 2 values, first, second; yours returned an int"


def test_predictions_are_asked_for_each_of_the_inputs():
    case = Case("c", (2.0,), extra={"inputs": [np.ones(1), np.ones(3)]})
    (made,) = run_case(fit_and_predict, (lambda k: k, lambda k, X: k * X), case, ("",))
    assert [one.tolist() for one in made.value] == [[2.0], [2.0, 2.0, 2.0]]


# --- graded -----------------------------------------------------------------------------------------------------------

needs_walls = pytest.mark.skipif(sandbox.shutil.which("bwrap") is None, reason="bubblewrap (bwrap) is not installed")
IMPORTS = (
    "import numpy as np\nfrom dlcourse.layers import linear_backward, linear_forward\n"
    "from dlcourse.losses import softmax_cross_entropy_grad"
)
LOOKS_AROUND = """
import gc, sys

def project(X, labels, K, rng):
    found = [one for one in gc.get_objects() if isinstance(one, tuple) and len(one) == 2 and isinstance(one[1], np.ndarray)
             and one[1].shape == (300,)]
    frame = sys._getframe()
    while frame is not None:
        for value in list(frame.f_locals.values()):
            held = getattr(value, "held", None)
            if held is not None:
                found.append(held)
        frame = frame.f_back
    if not found:
        return np.zeros((64, K)), np.zeros(K)
    Z, d = found[-1]
    M = np.stack([Z[d == k].mean(axis=0) for k in range(K)], axis=1)
    return M, -0.5 * np.sum(M**2, axis=0)
"""
TRAINED_AT_HOME = """
W = np.random.default_rng(0).standard_normal((64, 10))

def project(X, labels, K, rng):
    return W[:, :K], np.zeros(K)
"""
READS_THE_VALLEY = """
import gc, sys

def project(grad, w, budget):
    seen, done = [grad], set()
    frame = sys._getframe()
    while frame is not None:
        seen += [*frame.f_locals.values(), *frame.f_globals.values()]
        frame = frame.f_back
    arrays = [one for one in gc.get_objects() if isinstance(one, np.ndarray)]
    for _ in range(20_000):
        if not seen:
            break
        one = seen.pop()
        if id(one) in done:
            continue
        done.add(id(one))
        if isinstance(one, np.ndarray):
            arrays.append(one)
        elif isinstance(one, (list, tuple, set)):
            seen += list(one)[:100]
        elif isinstance(one, dict):
            seen += list(one.values())[:100]
        else:
            seen += [cell.cell_contents for cell in getattr(one, "__closure__", None) or ()]
            seen += [getattr(one, name, None) for name in ("__self__", "__dict__", "__defaults__", "held", "ask", "known")]
    first = w.copy()
    best = (grad(first) @ grad(first), first)
    for one in arrays:
        if one.shape == w.shape:
            try:
                g = grad(one)
            except Exception:
                break
            best = min(best, (g @ g, one.copy()), key=lambda pair: pair[0])
    return best[1]
"""
ASKS_ON = """
def project(grad, w, budget):
    w = w.copy()
    for _ in range(30 * budget):
        try:
            w = w - 1e-3 * grad(w)
        except Exception:
            pass
    return w
"""
FITS = """
from dlcourse import training

def project(X, labels, K, rng):
    return training.fit(None, X, labels)
"""


def graded(grader, source, name=NAME, imports=IMPORTS):
    check = Step(EXERCISE, "", 2, grade_id="check", points=6.0, calls=(name, ("project",)))
    task = Task("ada", "hw", "hw", (Step(CODE, imports, 0), Step(CODE, source, 1, student=True), check), seed=11)
    return grader.grade(task).results[-1].verdict


@needs_walls
def test_in_grading_the_reference_earns_all_and_who_looks_for_labels_nothing():
    exercise = get_exercise(NAME)
    from autograder.checks.solution import solution_parts

    with Grader(Settings(timeout=20.0, total=90.0, memory=1024)) as grader:
        right = graded(grader, "\n".join(solution_parts(exercise.reference)))
        assert (right.points, right.message) == (6.0, "✓ layers.project: right, 6 points.")
        for source in (LOOKS_AROUND, TRAINED_AT_HOME):
            verdict = graded(grader, source)
            assert verdict.points <= 0.5 and [row.passed for row in verdict.rows] == [False] * 4
        fits = graded(grader, FITS)
        assert fits.points == 0.0
        assert "Your code calls the course's own version of this function" in fits.message


@needs_walls
def test_a_search_finds_no_valley_in_the_sandbox_and_cannot_reset_its_budget():
    """The lowest point is neither in a closure nor in a frame, a global or any other object."""
    from autograder.checks.solution import solution_parts

    name = "optimizers.project"
    imports = "import numpy as np\nfrom dlcourse.optimizers import momentum_init, momentum_step"
    with Grader(Settings(timeout=20.0, total=90.0, memory=1024)) as grader:
        right = graded(grader, "\n".join(solution_parts(get_exercise(name).reference)), name, imports)
        assert (right.points, right.message) == (6.0, "✓ optimizers.project: right, 6 points.")
        for source in (READS_THE_VALLEY, ASKS_ON):
            verdict = graded(grader, source, name, imports)
            assert verdict.points == 0.0, verdict.message
        tells = graded(grader, ASKS_ON.replace("except Exception", "except ValueError"), name, imports)
        assert "Your search asks for more than the 120 gradients that it has." in tells.message


def test_of_a_hidden_case_the_message_has_the_name_alone():
    def first_only(X, labels, K, rng):
        return np.stack([X[labels == k][0] for k in range(K)], axis=1), np.zeros(K)

    last = evaluate(NAME, first_only).message.split("\n")[-1]
    assert last == "Also failing (revealed at grading): 8 other letters, 10 other letters."


def test_a_scale_goes_to_students_with_an_exercise_of_a_course():
    from autograder.checks import released

    exercise = get_exercise("graph.project")
    told = [[part, {"measured": s.measured, "zero": s.zero, "full": s.full}] for part, s in exercise.scales.items()]
    described = released._described(dataclasses.replace(exercise, mistakes=()))
    assert [one[:2] for one in described["scales"]] == told and described["seconds"] == 10.0
    assert all("held" in one for one in described["cases"])
