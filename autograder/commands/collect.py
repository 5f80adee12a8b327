"""`dlcourse collect`: from what a learning platform gives to download to nbgrader's folders."""

import sys
from dataclasses import asdict
from pathlib import Path

from ..engine.ingest.collect import collect
from ..engine.ingest.roster import Roster, read_roster
from ..engine.store.course import open_course
from ..engine.store.gradebook_reader import read_people
from ..errors import CourseError, GradebookError
from . import console, fail
from .grade import shown

# Lines of a kind before the rest is only counted
MOST = 40


def main(archives, course=".", assignment=None, roster=None, dry_run=False, json=False):
    """Collect archives; returns the exit status: 0 all is mapped, 1 something is not, 2 a wrong call."""
    try:
        place = open_course(course)
        people = read_people(place) | (read_roster(Path(roster)) if roster else {})
        if not people:
            raise CourseError(
                "nobody is in the gradebook, so nobody can be recognised; name the class with --roster CSV "
                "(columns id, first_name, last_name, email), or enter it: nbgrader db student import CSV"
            )
        made = collect(place, [Path(one) for one in archives], Roster(people), assignment, dry_run)
    except (CourseError, GradebookError) as error:
        return fail(error)
    except OSError as error:
        return fail(f"{error.filename} cannot be written: {error.strerror}", 1)
    if json:
        import json as json_

        print(json_.dumps(asdict(made), ensure_ascii=False, indent=1))
    else:
        _print(made, dry_run)
    return 1 if made.unmapped else 0


def _print(made, dry_run):
    def lines(found, file=None):
        for line in found[:MOST]:
            print(shown(line), file=file or sys.stdout)
        if len(found) > MOST:
            print(f"and {len(found) - MOST} more; --json lists them all", file=file or sys.stdout)

    new = len(made.students) - made.unchanged
    parts = [f"{new} collected", *([f"{made.unchanged} had nothing new"] if made.unchanged else [])]
    print(f"{made.assignment}: {', '.join(parts)}" + (" (a dry run: nothing is written)" if dry_run else ""))
    lines([f"{student}: {note}" for student, note in made.notes])
    if made.late:
        print(
            f"late, says the platform, which gives no time: {shown(', '.join(made.late))}\n"
            f"  Write the time into submitted/STUDENT/{made.assignment}/timestamp.txt, or they count as on time"
        )
    if made.missing:
        print(f"nothing in the archive of: {shown(', '.join(made.missing))}")
    lines([f"not mapped: {name}: {why}" for _, name, why in made.unmapped], sys.stderr)
    if not dry_run and made.students:
        console().print(f"Grade them: dlcourse grade {made.assignment}", soft_wrap=True)
