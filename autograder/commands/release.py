"""`dlcourse release`: from the text source to the exchange, by nbgrader's own generator."""

import contextlib
import difflib
import io
import logging
import os
from pathlib import Path

import dlcourse

from .. import build
from ..engine.store import gradebook
from ..engine.store.course import open_course
from ..errors import CourseError
from . import console, fail


@contextlib.contextmanager
def nbgrader_api(folder):
    """nbgrader's API on a course directory, quiet, with the directory's own configuration."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config, PyFileConfigLoader

    folder = Path(folder).resolve()
    before = os.environ.get("DLCOURSE_SECRET")
    with gradebook.alembic_on_path(), contextlib.chdir(folder):
        config = Config()
        if (folder / "nbgrader_config.py").exists():
            config = PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()
        config.CourseDirectory.root = str(folder)
        logger = logging.getLogger("dlcourse.nbgrader")
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
        try:
            yield NbGraderAPI(config=config, log=logger)
        finally:
            os.environ.pop("DLCOURSE_SECRET", None)
            if before is not None:
                os.environ["DLCOURSE_SECRET"] = before


def release(folder, assignment, exchange=True):
    """Build an assignment, generate the students' version and put it into the exchange; returns that version's folder.

    An assignment of this course is built from its text source; any other must stand in the course's source/ already.
    """
    course = open_course(folder)
    source = course.folder("source", ".", assignment)
    if assignment in build.existing_assignments():
        build.write_instructor_notebook(assignment, course.root)
    elif not source.is_dir():
        known = {*build.existing_assignments(), *(path.name for path in source.parent.glob("*/"))}
        near = difflib.get_close_matches(assignment, known, n=1, cutoff=0.4)
        raise CourseError(
            f"there is no assignment {assignment!r}; "
            + (f"did you mean {near[0]!r}?" if near else f"there are {', '.join(dlcourse.TOPICS)}")
        )
    with nbgrader_api(course.root) as api:
        # An assignment that is mended in the middle of a term is released again
        api.config.ExchangeReleaseAssignment.force = True
        steps = [(api.generate_assignment, {"force": True, "create": True})]
        if exchange:
            steps.append((api.release_assignment, {}))
        for step, options in steps:
            log = io.StringIO()
            with contextlib.redirect_stderr(log):
                result = step(assignment, **options)
            if not result["success"]:
                why = result.get("error") or result.get("log") or log.getvalue()
                raise build.BuildError(f"nbgrader could not {step.__name__.replace('_', ' ')} {assignment}:\n{why}")
        return course.folder("release", ".", assignment), Path(api.exchange_root)


def main(assignment, course="."):
    """Release an assignment; returns the exit status: 0 released, 1 it could not be, 2 a wrong call."""
    try:
        released, exchange = release(course, assignment)
    except CourseError as error:
        return fail(error)
    except build.BuildError as error:
        return fail(error, 1)
    out = console()
    out.print(f"Students' version: {released}", soft_wrap=True)
    out.print(f"Students fetch it from the exchange {exchange}, or you hand the folder out", soft_wrap=True)
    return 0
