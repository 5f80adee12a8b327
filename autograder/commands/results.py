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
    from ..reports.pages import plural

    def work():
        open_course(course).find_assignment(assignment)
        failed = {}
        with counter("feedback pages") as advance:
            written = write_feedback(course, assignment, students, on_event=advance, failed=failed)
        if json:
            _json([str(path) for path in written])
        elif written:
            out = console()
            out.print(f"{plural(len(written), 'page')}, such as {written[0]}", soft_wrap=True)
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
        _print(made, pages.write(path, report_.to_page(made, path.parent)))

    return fail("--csv and --json: choose one") if csv and json else _tried(work)


def _print(made, path):
    from ..reports import pages
    from . import table

    out = console()
    spread = made.spread
    low, median, high = map(pages.number, spread.quartiles)
    mean, sd, of = map(pages.number, (spread.mean, spread.sd, spread.of))
    out.print(f"{made.assignment}: {pages.plural(len(made.submissions), 'submission')}")
    if made.final:
        out.print(f"median {median}, mean {mean}, SD {sd}, quartiles {low} and {high} of {of} points")
    else:
        unread = pages.plural(made.waiting, "answer is", "answers are")
        numbers = f"mean {mean}, SD {sd}, quartiles {low}, {median} and {high} of {of} points"
        out.print(f"{unread} not read yet, so no median yet; the checked exercises alone: {numbers}", soft_wrap=True)
    if made.late or made.missing:
        out.print(f"{len(made.late)} late, {len(made.missing)} without a submission")
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


def status(assignment, course=".", json=False):
    """Say where everybody stands; returns the exit status."""
    from ..reports import status as status_

    def work():
        open_course(course).find_assignment(assignment)
        with counter("students") as advance:
            made = status_.make_status(course, assignment, on_event=advance)
        if json:
            _json(status_.to_plain(made))
        else:
            _print_status(made)

    return _tried(work)


def _print_status(made):
    from rich.text import Text

    from ..reports import pages
    from . import table

    out = console()
    columns = "student", "name", "state", "handed in (UTC)", "late", "points", "waits for a person"
    rows = table(out, "", *columns, numbers=("points",))
    for one in made.students:
        rows.add_row(
            *(Text(shown(one.student)), Text(shown(one.name)), one.state, pages.moment(one.submitted)),
            pages.lasting(one.late) if one.late else "",
            "" if one.points is None else pages.number(one.points),
            Text(shown(one.why)),
        )
    if made.students:
        out.print(rows)
    for folder, why in made.refused.items():
        out.print(f"refused: the folder {shown(ascii(folder))}: {shown(why)}", markup=False, soft_wrap=True)
    due = f", due {pages.moment(made.due)} UTC" if made.due else ""
    counts = made.counts
    out.print(
        f"{made.assignment}{due}: {pages.plural(counts['students'], 'student')}, {counts['handed_in']} handed in"
        f" ({counts['late']} late), {counts['graded']} graded, {counts['waiting_for_a_person']} waiting for a person, "
        f"{counts['nothing_handed_in']} without a submission",
        markup=False,
        soft_wrap=True,
    )


def export(assignment, course=".", kind="nbgrader", to=None):
    """Write the grades for another system; returns the exit status."""
    from ..reports.export import export as as_text
    from ..reports.export import write_export

    def work():
        place = open_course(course)
        one = None if assignment == "all" else place.find_assignment(assignment)
        if to == "-":
            sys.stdout.write(as_text(course, one, kind))
        else:
            console().print(f"The grades: {write_export(course, one, kind, to)}", soft_wrap=True)
        for name in [one] if one else place.assignments():
            _warn_before_it_is_final(course, name)

    return _tried(work)


def _warn_before_it_is_final(course, assignment):
    """Say on stderr whose points may still change, and whose are missing."""
    from ..reports import status as status_
    from ..reports.pages import plural

    made = status_.make_status(course, assignment)
    grade = f"run dlcourse grade {assignment}"
    told = (
        (made.waiting, "waits", "wait", f" for a person (why: dlcourse status {assignment}), so the points may change"),
        (made.those(status_.NOT_GRADED), "has", "have", f" no grade yet; {grade}"),
        (made.those(status_.AGAIN), "has", "have", f" handed in again since; {grade}"),
        (made.those(status_.NOTHING), "has", "have", " handed in nothing"),
    )
    for students, one, many, what in told:
        if students:
            who = plural(len(students), f"student {one}", f"students {many}")
            print(f"{assignment}: {who}{what}: {_listed(students)}", file=sys.stderr)


def _listed(students, most=12):
    from ..reports.pages import plural

    names = ", ".join(shown(one.student) for one in students[:most])
    return names + (f" and {plural(len(students) - most, 'other')}" if len(students) > most else "")


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
