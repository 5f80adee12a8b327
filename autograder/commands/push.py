"""`dlcourse push`: scores and comments to a learning platform, by LTI."""

import sys

from ..engine.store.course import open_course
from ..errors import CourseError, GradebookError
from ..reports import lti
from ..reports.pages import plural
from . import counter, fail
from .grade import shown


def main(assignment, course=".", config=None, students=(), dry_run=False):
    """Push the scores; returns the exit status: 0 all are there, 1 some are not, 2 a wrong call."""
    try:
        open_course(course).find_assignment(assignment)
        with counter("scores sent") as advance:
            made = lti.push(course, assignment, config, students, dry_run, on_event=advance)
    except CourseError as error:
        return fail(error)
    except GradebookError as error:
        return fail(error, 1)
    would = "would be sent" if dry_run else "sent"
    same = f", {len(made.unchanged)} had nothing new" if made.unchanged else ""
    print(f"{assignment}: {plural(len(made.sent), 'score')} {would}{same}")
    for student, why in made.failed.items():
        print(f"no score for {shown(student)}: {shown(why)}", file=sys.stderr)
    return 1 if made.failed else 0
