"""The demonstration's class: always the same, and every answer is what it is said to be."""

import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import records

from autograder import build, demo
from autograder.checks.evaluation import evaluate
from autograder.checks.exercise import exercises_of
from autograder.checks.solution import solution_parts
from autograder.commands.grade import _Show
from autograder.reports.report import Report

EXERCISES = {name: one for name, one in exercises_of(demo.SLUG).items() if len(one.functions) == 1}


@pytest.fixture(scope="module")
def names():
    """What a notebook with every answer right defines."""
    found = {"np": np}
    imports = next(cell.source for cell in build.instructor_notebook(demo.SLUG).cells if cell.cell_type == "code")
    for source in (imports, *records.solutions().values()):
        exec(source, found)
    return found


@pytest.mark.parametrize("name", EXERCISES)
def test_every_drawn_answer_is_right_or_its_mistake_is_named(name, names):
    right, wrong = demo._bodies(demo.SLUG)[name]
    assert right, "nobody could answer this exercise"
    head = solution_parts(EXERCISES[name].functions[0])[0]
    for body in (*right, *wrong):
        space = dict(names)
        exec(f"{head}\n{body}", space)
        result = evaluate(name, space[EXERCISES[name].function_names[0]])
        assert result.passed == (body in right), body
        assert body in right or result.mistake, f"not named: {body}"


def test_the_class_is_thirty_and_the_same_every_time():
    made = demo.class_of()
    assert made == demo.class_of() and len(made) == 30
    assert list(demo.CLASS) == list(made)[: len(demo.CLASS)]
    assert made["untouched"] is None and made["ada"] == {}
    missing = [name for changes in made.values() if changes for name, body in changes.items() if body is None]
    assert 10 < len(missing) < 90
    assert sum(bool(wrong) for _, wrong in demo._bodies(demo.SLUG).values()) >= 12, "too few exercises go wrong"
    assert len(demo.class_of(number=60)) == 60 and len(demo.class_of("graph", number=5)) == 5


def test_nothing_of_anybody_is_overwritten(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(build.BuildError, match="is not empty and does not hold an earlier demonstration"):
        demo.make_course(tmp_path)
    assert (tmp_path / "thesis.txt").exists()
    assert demo.main(tmp_path) == 1


def test_without_a_sandbox_the_tour_goes_on_and_says_so(tmp_path, monkeypatch, capsys):
    from autograder.engine import run

    asked = []

    def grade_class(course, assignment, settings, **options):
        asked.append(settings.isolation)
        walls = settings.isolation == "bwrap"
        return run.Summary(
            assignment, problem="there is no bubblewrap here" if walls else "", graded=[] if walls else ["ada"]
        )

    monkeypatch.setattr(run, "grade_class", grade_class)
    (tmp_path / "release").mkdir()
    assert demo.grade(tmp_path).graded == ["ada"] and asked == ["bwrap", "process"]
    said = capsys.readouterr().err
    assert "there is no bubblewrap here" in said and "without a sandbox" in said


def test_that_there_is_no_sandbox_is_said_once_and_not_of_every_student(capsys):
    record = SimpleNamespace(
        needs_review=["graded without a sandbox: its code ran with the grader's own rights", "late"]
    )
    with _Show() as show:
        for _ in range(2):
            show.event("begin", 2)
            show.event("graded", "ada", record, "")
            show.event("graded", "alan", record, "")
    assert capsys.readouterr().err == 2 * "grading 2\nada: late\n1 of 2\nalan: late\n2 of 2\n"


def test_the_last_lines_are_commands_that_a_shell_can_read(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.executable", str(tmp_path / "Übung 1" / "bin" / "python"))
    demo._print(Path("my demo"), demo.SLUG, Report(demo.SLUG))
    lines = dict(re.split(": +", line, maxsplit=1) for line in capsys.readouterr().out.splitlines() if ": " in line)
    again, look = (shlex.split(lines[name], comments=True) for name in list(lines)[-2:])
    assert again == [str(tmp_path / "Übung 1" / "bin" / "dlcourse"), "grade", demo.SLUG, "--course", "my demo"]
    assert look == ["cd", "my demo", "&&", str(tmp_path / "Übung 1" / "bin" / "jupyter"), "lab"]
