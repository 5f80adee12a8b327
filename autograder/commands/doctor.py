"""`dlcourse doctor`: whether this machine and this assignment can be graded, before a student's points depend on it."""

import json as json_
from dataclasses import dataclass

from ..engine import ingest
from ..engine.grader import Grader
from ..engine.sandbox.environment import find_environment
from ..engine.selftest import self_test
from ..engine.store import gradebook
from ..engine.store.course import open_course
from ..engine.tasks import Settings
from ..errors import AutograderError, CourseError, NoSandbox
from . import console, fail, table

PACKAGES = "packages"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. fine : None where it could not be looked at."""

    what: str
    fine: bool | None
    text: str


def examine(course, assignment=None, environment=None):
    """Yield a `Finding` for everything that grading needs, the machine first."""
    settings = Settings(environment=environment or course.environment)
    walls = _try("isolation", _isolation, settings)
    yield _try("environment", _environment, settings)
    yield walls
    database = _try("database", _database, course)
    yield database
    if assignment is None:
        return
    if not database.fine:
        yield Finding("assignment", None, "not looked at: it needs the database")
        return
    loaded = _try("kernel", _kernel, course, assignment)
    yield loaded
    if not loaded.fine:
        return
    yield _try(PACKAGES, _packages, course, assignment, settings)
    yield _try("solution", _solution, course, assignment, settings)


def _try(what, look, *given):
    try:
        return Finding(what, True, look(*given))
    except AutograderError as error:
        return Finding(what, False, str(error))


def _environment(settings):
    found = find_environment(settings.environment)
    return f"Python {'.'.join(map(str, found.version))}, {found.python}"


def _isolation(settings):
    with Grader(settings) as grader:
        grader.warm(())
    return "bubblewrap works"


def _database(course):
    with gradebook.reading(course.db_url, or_none=True) as connection:
        return "it can be read" if connection is not None else "none yet: the first release or grading makes it"


def _load(course, assignment):
    name = course.find_assignment(assignment)
    return ingest.load_assignment(course, name, gradebook.saved_cells(course.db_url, name))


def _kernel(course, assignment):
    loaded = _load(course, assignment)
    count = len(loaded.notebooks)
    return f"Python, {count} notebook{'s' * (count != 1)}, {loaded.max_points:g} points"


def _packages(course, assignment, settings):
    imports = _load(course, assignment).imports
    with Grader(settings) as grader:
        missing = grader.missing_packages(imports)
    if missing:
        raise NoSandbox("; ".join(f"`{statement}` fails ({why})" for statement, why in missing.items()))
    names = dict.fromkeys(ingest.module_of(statement) for statement in imports)
    return f"{', '.join(names)} can be imported" if names else "the assignment imports nothing beyond the course's own"


def _solution(course, assignment, settings):
    tested = self_test(course, assignment, settings)
    told = tested.sentences()
    if not tested.passed:
        raise CourseError("; ".join(told))
    return "; ".join([f"it earns all {tested.points:g} points that a machine gives", *told])


def main(assignment=None, course=".", environment=None, json=False):
    """Look at everything and say what is missing; returns the exit status: 0 nothing, 1 something, 2 a wrong call."""
    try:
        place = open_course(course)
        findings = list(examine(place, assignment, environment))
    except CourseError as error:
        return fail(error)
    if json:
        rows = [vars(finding) for finding in findings]
        print(json_.dumps(rows, ensure_ascii=False, indent=1))
    else:
        out = console()
        rows = table(out, "", "what", "", "")
        for finding in findings:
            sign = {True: "✓", False: "✗", None: "○"}[finding.fine]
            rows.add_row(finding.what, sign, finding.text)
        out.print(rows, markup=False)
    return 0 if all(finding.fine for finding in findings) else 1
