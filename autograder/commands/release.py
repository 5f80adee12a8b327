"""`dlcourse release`: from the sources to the exchange, by nbgrader's own generator."""

import contextlib
import dataclasses
import difflib
import io
import json
import logging
import os
import re
import shutil
import sys
from pathlib import Path

import dlcourse

from .. import build
from ..build import course_source
from ..checks import registry
from ..checks.exercise import get_exercise
from ..checks.released import released_data, shown_with
from ..engine.ingest import find_calls
from ..engine.scratch import Scratch, remove_stale
from ..engine.store import gradebook
from ..engine.store.course import Course, assignment_problem, open_course
from ..errors import CourseError, EngineFault, GradebookError, OtherLanguage
from . import console, fail

_DRAFT = ".releasing-"


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


def release(folder, assignment, exchange=True, say=lambda text: None, solution=False):
    """Build an assignment, generate the students' version and put it into the exchange; returns (its folder, the exchange).

    Everything is built beside the course first. The released version takes its place only when all of it has passed, so a
    release that fails leaves the course as it was. say : told what is done next. solution : grade the teacher's own first,
    and release nothing that it does not pass.
    """
    course = open_course(folder)
    problem = assignment_problem(assignment)
    if problem:
        raise CourseError(f"an assignment cannot have the name {assignment!r}: {problem}")
    source = course.folder("source", ".", assignment)
    shipped = build.assignment_source(assignment) if assignment in dlcourse.TOPICS else None
    say(f"building {assignment} from {source if source.is_dir() else 'the text of the package'}")
    prepared = course_source.prepare(source, assignment, shipped)
    if not prepared.notebooks:
        raise CourseError(_nothing(source, assignment))
    for note in prepared.notes:
        say(f"note: {note}")
    if not any(_is_graded(cell) for notebook in prepared.notebooks.values() for cell in notebook.cells):
        say(f"note: no cell of {assignment} is graded, so it is worth 0 points")
    released = course.folder("release", ".", assignment)
    released.parent.mkdir(parents=True, exist_ok=True)
    remove_stale(released.parent, _DRAFT)
    with Scratch(released.parent, _DRAFT) as draft, nbgrader_api(course.root) as api:
        course_source.write_draft(prepared, source, draft / "source" / assignment, course.ignore)
        say("nbgrader makes the students' version")
        # First with another gradebook, so that a fault leaves the class's as it is
        _generate(api, draft, "try", f"sqlite:///{draft / 'gradebook.db'}", assignment)
        checks = checks_for_students(draft / "try" / assignment, say)
        _can_follow(course.db_url, f"sqlite:///{draft / 'gradebook.db'}", assignment)
        if solution:
            say("grading the solution as if a student had handed it in")
            for line in _try_solution(course, draft, assignment):
                say(line)
        say("writing its cells to the gradebook")
        _generate(api, draft, "release", course.db_url, assignment)
        if checks:
            (draft / "release" / assignment / f"{assignment}{registry.RELEASED}").write_bytes(checks)
        course_source.write_built(prepared, source)
        _swap(draft / "release" / assignment, released)
        if exchange:
            say("putting it into the exchange")
            # An assignment that is mended in the middle of a term is released again
            api.config.ExchangeReleaseAssignment.force = True
            _done(api.release_assignment, assignment)
        return released, Path(api.exchange_root)


def _is_graded(cell):
    marks = cell.metadata.get("nbgrader", {})
    return bool(marks.get("grade") or marks.get("task"))


def _nothing(source, assignment):
    known = {*build.existing_assignments(), *(path.name for path in source.parent.glob("*/"))} - {assignment}
    near = difflib.get_close_matches(assignment, known, n=1, cutoff=0.4)
    if source.is_dir():
        return f"{source} holds no notebook: write {assignment}.md or {assignment}.ipynb there"
    if near:
        return f"there is no assignment {assignment!r}; did you mean {near[0]!r}?"
    return f"there is no assignment {assignment!r}: write {source / assignment}.md or .ipynb; there are {', '.join(sorted(known))}"


def checks_for_students(folder, say=lambda text: None):
    """What students need beside these notebooks to check the course's own exercises; empty where they ask none."""
    notebooks = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.ipynb"))}
    names = [
        name
        for text in notebooks.values()
        for cell in json.loads(text)["cells"]
        if cell["cell_type"] == "code"
        for name, _ in find_calls("".join(cell["source"]))
    ]
    try:
        own = [name for name in dict.fromkeys(names) if get_exercise(name).slug in registry.topics()]
    except ValueError as error:
        raise build.BuildError(f"a cell calls `check` for what cannot be checked: {error}") from None
    for name in shown_with(own):
        say(
            f"note: the hunt takes the code of {name} to students, packed but not secret: if {name} gives points, collect it "
            "before you release the hunt"
        )
    return released_data(own, notebooks) if own else b""


def _generate(api, draft, target, db_url, assignment):
    """nbgrader's generator, from the draft's source into its folder `target`."""
    directory = api.coursedir
    wanted = {
        "root": str(draft),
        "source_directory": "source",
        "release_directory": target,
        "directory_structure": os.path.join("{nbgrader_step}", "{student_id}", "{assignment_id}"),
        "db_url": db_url,
    }
    before = {name: getattr(directory, name) for name in wanted}
    try:
        for name, value in wanted.items():
            setattr(directory, name, value)
        _done(api.generate_assignment, assignment, force=True, create=True)
    finally:
        for name, value in before.items():
            setattr(directory, name, value)


def _done(step, assignment, **options):
    """Take one of nbgrader's steps; raises with its reason."""
    log = io.StringIO()
    with contextlib.redirect_stderr(log):
        result = step(assignment, **options)
    if not result["success"]:
        text = "\n".join(filter(None, (result.get("log"), result.get("error"), log.getvalue())))
        what = step.__name__.replace("_", " ")
        raise build.BuildError(f"nbgrader could not {what} {assignment!r}: {reason(text)}")


def reason(log):
    """Why nbgrader stopped, in one line, out of its log and its traceback."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", log)
    raised = re.findall(r"^ *(?:[\w.]+\.)?(\w*(?:Error|Exception|Entry)): (.+)$", plain, re.M)
    plain = re.sub(r"\.? Cell contents are: *\n+ *(.*)", r", in the cell that begins with `\1`", plain)
    said = re.findall(r"\[ERROR\] (.+)", plain)
    vague = ("above traceback", "There was an error processing", "see the error log")
    for text in [*said, *(f"{text} ({kind})" for kind, text in raised)]:
        if not any(word in text for word in vague) and "Traceback" not in text:
            return text
    return " ".join(plain.split())[-300:] or "it gives no reason"


def _can_follow(db_url, draft_url, assignment):
    """Raises where work is graded already and the new version has other cells: nbgrader's gradebook cannot follow then."""
    try:
        graded = gradebook.graded_students(db_url, assignment)
        old = gradebook.saved_cells(db_url, assignment)
    except (CourseError, GradebookError):
        # No gradebook yet; one that cannot be reached says so when it is written
        return
    if not graded:
        return
    new = gradebook.saved_cells(draft_url, assignment)
    before, after = ({f"{one}/{name}" for one in cells for name in cells[one]} for cells in (old, new))
    if before != after:
        changes = [
            f"{word} {', '.join(sorted(names))}"
            for word, names in (("added", after - before), ("removed", before - after))
            if names
        ]
        students = f"{len(graded)} student{'s' * (len(graded) != 1)}"
        raise build.BuildError(
            f"{assignment} has graded work of {students}, and nbgrader's gradebook cannot add or remove cells then "
            f"({'; '.join(changes)}): keep these cells' ids, or release the new version under another name"
        )


@dataclasses.dataclass(frozen=True)
class _Draft(Course):
    """The course with the version that is being made in the place of the released one."""

    def folder(self, step, student, assignment):
        return self.root / {"release": "try"}.get(step, step) / assignment


def _try_solution(course, draft, assignment):
    """Grade the teacher's own solution; returns what there is to say of it, raises `BuildError` where it loses points."""
    from ..engine.selftest import self_test
    from ..engine.tasks import Settings

    place = _Draft(draft, course.config, f"sqlite:///{draft / 'gradebook.db'}", course.secret)
    try:
        tested = self_test(place, assignment, Settings(environment=course.environment))
    except OtherLanguage as error:
        return [f"note: the solution was not graded: {error}"]
    except EngineFault as fault:
        raise build.BuildError(
            f"{assignment} was not released, because its solution could not be graded: {fault}"
        ) from fault
    if not tested.passed:
        told = "\n".join(f"- {sentence}" for sentence in tested.sentences())
        raise build.BuildError(
            f"{assignment} was not released, because students could lose points through no fault of theirs:\n{told}\n"
            "Mend the assignment, or release it as it is with --no-self-test"
        )
    notes = [f"note: {sentence}" for sentence in tested.sentences()]
    return [*notes, f"the solution earns all {tested.points:g} points that a machine gives"]


def _swap(made, place):
    """Put a folder into the place of another one, which comes back where that fails."""
    before = made.with_name(f"{made.name}-before")
    if place.exists():
        place.rename(before)
    try:
        made.rename(place)
    except OSError:
        if before.exists():
            before.rename(place)
        raise
    shutil.rmtree(before, ignore_errors=True)


def main(assignment, course=".", self_test=True):
    """Release an assignment; returns the exit status: 0 released, 1 it could not be, 2 a wrong call."""
    try:
        released, exchange = release(
            course, assignment, say=lambda text: print(text, file=sys.stderr, flush=True), solution=self_test
        )
    except CourseError as error:
        return fail(error)
    except (build.BuildError, GradebookError) as error:
        return fail(error, 1)
    out = console()
    out.print(f"Students' version: {released}", soft_wrap=True)
    out.print(f"Students fetch it from the exchange {exchange}, or you hand the folder out", soft_wrap=True)
    return 0
