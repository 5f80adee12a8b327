"""Records of a class without an engine: the demonstration's answers judged in this process, and hostile ones."""

import re
from functools import cache

import numpy as np

from autograder import build
from autograder.checks.evaluation import MISSING, evaluate
from autograder.checks.exercise import exercises_of, get_exercise
from autograder.engine.store import records
from autograder.engine.store.records import CaseRow, NotebookRecord, Record, Verdict

EVIL = '<script>alert("1")</script><img src=x onerror=alert(2)>\'"&'


@cache
def solutions(slug="neurons"):
    """{grade_id: source} of the instructor's notebook."""
    return {
        cell.metadata["nbgrader"]["grade_id"]: re.sub(r" *### BEGIN SOLUTION\n|\n *### END SOLUTION", "", cell.source)
        for cell in build.instructor_notebook(slug).cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }


@cache
def judged(name, mistake=None):
    """The result of an exercise's reference, of one of its mistakes, or ("untouched") of a stub."""
    exercise = get_exercise(name)
    if mistake == "untouched":

        def stub(*args, **kwargs):
            raise NotImplementedError

        return evaluate(name, *[MISSING] * len(exercise.data), *[stub] * len(exercise.functions))
    found = {one.slug: one.functions for one in exercise.mistakes}
    return evaluate(name, *(found[mistake] if mistake else exercise.answers))


def verdict(name, mistake=None):
    exercise, result = get_exercise(name), judged(name, mistake)
    hints = {one.slug: one.hint for one in exercise.mistakes}
    word = (
        records.RIGHT
        if result.passed
        else records.NOT_ATTEMPTED
        if not result.attempted
        else records.PARTLY
        if result.points
        else records.WRONG
    )
    suffixes = [""] if len(exercise.answers) == 1 else ["-forward", "-backward"]
    return Verdict(
        f"{exercise.grade_id}-check",
        "outside",
        exercise.points,
        result.points,
        word,
        result.message,
        name,
        result.mistake,
        hints.get(result.mistake, ""),
        result.rows,
        tuple(exercise.grade_id + suffix for suffix in suffixes),
        0.02,
    )


def record(student, wrong=(), slug="neurons", sources=None, seed=0, **fields):
    """The record of a student whose answers are right but for `wrong`, {exercise: mistake or "untouched"}."""
    wrong = dict(wrong)
    verdicts = [verdict(name, wrong.get(name)) for name in exercises_of(slug)]
    verdicts += [
        Verdict(f"{slug}-written-{i}", "person", 2.0, None, records.FOR_A_PERSON, answers=(f"{slug}-answer-{i}",))
        for i in (1, 2)
    ]
    rng = np.random.default_rng(seed)
    notebook = NotebookRecord(
        slug,
        tuple(verdicts),
        {**solutions(slug), f"{slug}-answer-1": "The length of $w$ grows *without* bound.", **(sources or {})},
        ("import numpy as np\nnp.arange(3)",),
    )
    given = {
        "seconds": float(rng.gamma(2, 0.4)),
        "memory_mb": float(rng.normal(120, 12)),
        "graded": "2026-11-21T12:00:00+00:00",
    }
    return Record(student, slug, (student, "assignment", "checks"), (notebook,), **given | fields)


def hostile(student="mallory"):
    """Everything that a student or a notebook can put into a record, as HTML."""
    rows = (CaseRow(EVIL, EVIL, False, 1.0, False, f"{EVIL} `{EVIL}`"), CaseRow("kept", "", False, 1.0, True, "42.195"))
    bad = Verdict(
        "x" + EVIL,
        "outside",
        1.0,
        0.0,
        records.CRASHED,
        f"✗ {EVIL}\n{EVIL} *{EVIL}*",
        "no.such_exercise" + EVIL,
        EVIL,
        EVIL,
        rows,
        (EVIL,),
    )
    written = Verdict("written", "person", 2.0, None, records.FOR_A_PERSON, answers=("prose",))
    prose = (
        f"{EVIL} and [a link](javascript:alert(3)) ![p](http://example.com/x.png) $\\href{{javascript:alert(4)}}{{x}}$"
    )
    sources = {EVIL: EVIL, "prose": prose}
    notebook = NotebookRecord("neurons", (bad, written), sources, (EVIL, "</pre>" + EVIL), (EVIL,))
    return Record(student, "neurons", ("a", "b", "c"), (notebook,), needs_review=(EVIL,), submitted=EVIL)
