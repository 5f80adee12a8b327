"""`dlcourse feedback`, `dlcourse report`, `dlcourse export`: what comes of the grades."""

import sys
from pathlib import Path

from ..engine.store.course import open_course
from ..errors import CourseError
from . import console, counter, fail
from .grade import shown


def feedback(assignment, course=".", students=(), json=False):
    """Write feedback pages; returns the exit status."""
    from ..reports.feedback import write_feedback

    def work():
        open_course(course).find_assignment(assignment)
        failed = {}
        with counter("feedback pages") as advance:
            written = write_feedback(course, assignment, students, on_event=advance, failed=failed)
        if json:
            _json([str(path) for path in written])
        elif written:
            out = console()
            out.print(f"{len(written)} pages, such as {written[0]}", soft_wrap=True)
            out.print(f"Hand them out: nbgrader release_feedback {assignment}", soft_wrap=True)
        for student, why in failed.items():
            fail(f"no page for {shown(student)}: {shown(why)}")
        return 1 if failed else 0

    return _tried(work)


def report(assignment, course=".", to=None, csv=False, json=False):
    """Write the report's page, or print it as CSV or JSON; returns the exit status."""
    from ..reports import pages
    from ..reports import report as report_

    def work():
        place = open_course(course)
        place.find_assignment(assignment)
        with counter("submissions read") as advance:
            made = report_.make_report(course, assignment, on_event=advance)
        if csv or json:
            sys.stdout.write(report_.to_csv(made) if csv else report_.to_json(made) + "\n")
            return
        path = Path(to) if to else place.root / "reports" / f"{assignment}.html"
        _print(made, pages.write(path, report_.to_page(made)))

    return fail("--csv and --json: choose one") if csv and json else _tried(work)


def _print(made, path):
    from ..reports import pages
    from . import table

    out = console()
    median = pages.number(made.median)
    out.print(
        f"{made.assignment}: {pages.plural(len(made.submissions), 'submission')}, median {median} of {pages.number(made.max_points)} points"
    )
    if made.mistakes:
        rows = table(out, "The commonest mistakes", "students", "mistake", "exercise", numbers=("students",))
        for one in made.commonest[:8]:
            rows.add_row(str(len(one.students)), shown(one.name), shown(one.exercise))
        out.print(rows)
    for student, why in made.left_open.items():
        out.print(f"not graded: {shown(student)}: {shown(why)}", markup=False, soft_wrap=True)
    if made.for_a_person:
        out.print(f"{pages.plural(len(made.for_a_person), 'submission')} that a person should look at")
    out.print(f"The report: {path}", soft_wrap=True)


def export(assignment, course=".", kind="nbgrader", to=None):
    """Write the grades for another system; returns the exit status."""
    from ..reports.export import export as as_text
    from ..reports.export import write_export

    def work():
        place = open_course(course)
        one = None if assignment == "all" else place.find_assignment(assignment)
        if to == "-":
            sys.stdout.write(as_text(course, one, kind))
            return
        console().print(f"The grades: {write_export(course, one, kind, to)}", soft_wrap=True)

    return _tried(work)


def _tried(work):
    """Run the work of a command, which may return its status; a wrong call is said and is 2, a page that cannot be written 1."""
    from ..errors import GradebookError

    try:
        return work() or 0
    except CourseError as error:
        return fail(error)
    except BrokenPipeError:
        # The reader of the output has seen enough
        raise
    except OSError as error:
        return fail(f"{error.filename} cannot be written: {error.strerror}", 1)
    except GradebookError as error:
        return fail(error, 1)


def _json(value):
    import json

    print(json.dumps(value, ensure_ascii=False, indent=1))
