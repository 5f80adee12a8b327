"""Feedback to the student: one page per notebook, made from the records, where `nbgrader release_feedback` finds it."""

import ast
import errno
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path

from ..checks import registry
from ..checks.exercise import HUNT, get_exercise
from ..checks.result import ALSO, CaseRow
from ..engine.store.course import name_problem, open_course
from ..engine.store.gradebook import saved_cells
from ..engine.store.gradebook_reader import Marks, read_due, read_marks
from ..engine.store.journal import latest_records
from ..engine.store.records import (
    CRASHED,
    FOR_A_PERSON,
    NOT_ATTEMPTED,
    OUT_OF_MEMORY,
    OUT_OF_TIME,
    PARTLY,
    RIGHT,
    TOO_MUCH_OUTPUT,
    WITHOUT_SANDBOX,
    WRONG,
)
from ..errors import CourseError, GradebookError
from . import pages
from .status import seconds_late

# Characters of a student's own cells on a page
OWN_CELLS = 100_000
# Characters of what a cell of asserts has printed
PRINTED = 5_000
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
# A sign and a word for every verdict: the colour only repeats what they say
SIGNS = {
    RIGHT: ("✓", "good"),
    PARTLY: ("◐", "bad"),
    WRONG: ("✗", "bad"),
    NOT_ATTEMPTED: ("○", "wait"),
    CRASHED: ("✗", "bad"),
    OUT_OF_TIME: ("✗", "bad"),
    OUT_OF_MEMORY: ("✗", "bad"),
    TOO_MUCH_OUTPUT: ("✗", "bad"),
    FOR_A_PERSON: ("…", "wait"),
}


@dataclass(frozen=True)
class Test:
    """A graded cell of plain asserts as students got it. hidden : whether the course keeps a part of it for grading."""

    source: str
    hidden: bool = False


@dataclass(frozen=True)
class Around:
    """What a page shows beside its record.

    tests : {(notebook, grade_id): `Test`}. printed : {(notebook, grade_id): what the test has printed for this student}.
    due : when it was due for this student.
    """

    tests: dict = field(default_factory=dict)
    printed: dict = field(default_factory=dict)
    due: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Item:
    """One graded cell as its page shows it.

    name : of the exercise, or of the cell. formula : what the exercise asks for, line by line. sign, kind, verdict : the
        outcome as a sign, as the class of its colour and in words. by_hand : whether a person judges.
    changed : why the points are not those of the check, "" where they are. comments : the person's words.
    mistake, hint : the recognised mistake in words. where, problem : the first visible case that fails, and how.
    lines : what else the message says. cases : the rows of the check. hidden : names of hidden cases that fail, where no
        visible one does. answers : (grade_id, source) of the student's cells. test, printed : of a cell of plain asserts, what
        it asks and what it has printed; kept : whether a part of it is not shown. hunt : whether its cases
        are the known mistakes that an input reveals.
    """

    name: str
    formula: list[str]
    sign: str
    kind: str
    verdict: str
    by_hand: bool
    points: float
    max_points: float
    changed: str
    comments: list[str]
    mistake: str
    lines: list[str]
    hint: str = ""
    where: str = ""
    problem: str = ""
    cases: Sequence[CaseRow] = ()
    hidden: Sequence[str] = ()
    answers: Sequence[tuple[str, str]] = ()
    test: str = ""
    printed: str = ""
    kept: bool = False
    hunt: bool = False

    @property
    def score(self):
        """Its points in words; what nobody has read yet is not zero."""
        earned = "not read yet," if self.by_hand and self.verdict == FOR_A_PERSON else pages.number(self.points)
        return f"{earned} of {pages.number(self.max_points)}"


def item(notebook, verdict, marks, around=None):
    """The `Item` of a verdict; `marks` is the student's `Marks`, or None before anything is in the gradebook."""
    around = around or Around()
    test = around.tests.get((notebook.name, verdict.grade_id), Test("")) if verdict.how == "in-process" else Test("")
    marks = marks or Marks()
    mark = marks.cells.get((notebook.name, verdict.grade_id))
    keys = verdict.answers or ((verdict.grade_id,) if verdict.grade_id in notebook.sources else ())
    errors = [] if _by_hand(verdict) else [syntax_error(notebook.sources.get(key, "")) for key in keys]
    unreadable = [error for error in errors if error]
    row = next((row for row in verdict.rows if not row.passed and not row.hidden and row.problem), None)
    outcome, sign, kind = _outcome(verdict, mark, unreadable)
    hunt = _is_exercise(verdict.exercise) and get_exercise(verdict.exercise).kind == HUNT
    shown = Item(
        name=verdict.exercise or verdict.grade_id,
        formula=pages.formula(verdict.exercise) if _is_exercise(verdict.exercise) else [],
        sign=sign,
        kind=kind,
        verdict=outcome,
        by_hand=_by_hand(verdict),
        points=_points(verdict, mark),
        max_points=verdict.max_points,
        changed=_changed(verdict, mark),
        comments=_comments(notebook, marks, (verdict.grade_id, *keys)),
        mistake=(verdict.mistake or "").replace("_", " "),
        lines=unreadable or _lines(verdict, row),
        test=test.source,
        # What a hidden test prints may be what it keeps
        printed="" if test.hidden else around.printed.get((notebook.name, verdict.grade_id), ""),
        kept=test.hidden,
        hunt=hunt,
    )
    if verdict.verdict == NOT_ATTEMPTED and not unreadable:
        return shown
    return replace(
        shown,
        hint=verdict.hint,
        where=_where(row, hunt),
        problem="" if unreadable or row is None else row.problem,
        cases=verdict.rows,
        hidden=[] if row else _failing_hidden(verdict),
        answers=[(key, without_docstring(notebook.sources[key])) for key in keys if key in notebook.sources],
    )


def _by_hand(verdict):
    return verdict.how == "person"


def _points(verdict, mark):
    return verdict.points or 0.0 if mark is None else mark.points


def _outcome(verdict, mark, unreadable):
    """(words, sign, kind) of a verdict."""
    if _by_hand(verdict) and mark is not None and not mark.waiting:
        share = mark.points / verdict.max_points if verdict.max_points else 1.0
        return "read by a person", *SIGNS[RIGHT if share >= 1 else PARTLY if share > 0 else WRONG]
    # An answer that Python cannot even read defines nothing: to the check it looks like none
    if unreadable and verdict.verdict in (NOT_ATTEMPTED, WRONG):
        return "not readable", *SIGNS[WRONG]
    return verdict.verdict, *SIGNS[verdict.verdict]


def _changed(verdict, mark):
    """Why the points are not those of the check, in a sentence; "" where they are, or where only a person gives them."""
    if mark is None or (_by_hand(verdict) and not mark.waiting):
        return ""
    if mark.manual is not None and mark.manual != verdict.points:
        return f"A person gave these points; the automatic check gave {pages.number(verdict.points or 0.0)}."
    return f"{pages.number(mark.extra)} of them are extra credit." if mark.extra else ""


def _comments(notebook, marks, grade_ids):
    """A person's comments on these cells, each cell once."""
    cells = (marks.cells.get((notebook.name, grade_id)) for grade_id in dict.fromkeys(grade_ids))
    return [cell.comment for cell in cells if cell is not None and cell.comment]


def _where(row, hunt):
    if row is None:
        return ""
    if hunt:
        return f"Escapes: {row.case}"
    return f"Case “{row.case}”" + (f", {row.part}" if row.part else "")


def _failing_hidden(verdict):
    return list(dict.fromkeys(row.case for row in verdict.rows if row.hidden and not row.passed))


def _shown_cells(notebook):
    """The student's own cells that a page holds: not without end, however many there are."""
    shown, room = [], OWN_CELLS
    for source in notebook.own_cells:
        if source.strip() and not _below_a_task(source, notebook):
            if room <= 0:
                return [*shown, "# … and further cells"]
            shown.append(source)
            room -= len(source)
    return shown


def _below_a_task(source, notebook):
    """Whether a cell of the student's own is already shown as the answer to a written question."""
    tasks = [verdict.grade_id for verdict in notebook.verdicts if verdict.how == "person" and not verdict.answers]
    return any(source in notebook.sources.get(task, "") for task in tasks)


def syntax_error(source):
    """Where Python cannot read an answer, in a sentence; "" where it can, or where the cell is not plain Python."""
    if any(line.strip().startswith(("%", "!", "?")) or line.rstrip().endswith("?") for line in source.splitlines()):
        return ""
    if len(source) > pages.LONGEST:
        # Python takes minutes over made-up cells of a megabyte
        return ""
    try:
        ast.parse(source)
    except SyntaxError as error:
        line = (error.text or "").strip()[:120]
        return f"Python cannot read this cell: {error.msg}, line {error.lineno}" + (f": {line}" if line else "")
    except (ValueError, RecursionError, MemoryError):
        return "Python cannot read this cell."
    return ""


def without_docstring(source):
    """A student's function with "…" for the docstring, which the course gave and which hides the few lines that matter."""
    if len(source) > pages.LONGEST:
        return source
    given = re.search(r'^( +)[rR]?("""|\'\'\')(?:.|\n)*?\2', source, re.M)
    if given is None or "\n" not in given.group() or not source[: given.start()].rstrip().endswith(":"):
        return source
    return f'{source[: given.start()]}{given[1]}"""…"""{source[given.end() :]}'


def _lines(verdict, shown):
    """What the message says beyond what the page shows in its own places: title, hint, the first problem, the cases."""
    lines = []
    for line in verdict.message.split("\n"):
        told = (
            not line.strip()
            or (verdict.exercise and line[0] in "✓✗○◐" and verdict.exercise in line)
            or (verdict.hint and verdict.hint in line)
            or (shown is not None and shown.problem.split("\n")[0] in line)
            or (verdict.rows and line.startswith((ALSO, "Fails:")))
        )
        if not told:
            lines.append(line)
    # A problem of several lines stands in the message as a whole
    rest = set(shown.problem.split("\n")) if shown is not None else set()
    return [line for line in lines if line not in rest]


@registry.kept
@cache
def _is_exercise(name):
    """Whether the course has it; a record may name one that this version no longer has."""
    try:
        return bool(name and get_exercise(name))
    except (ValueError, CourseError):
        return False


def feedback_page(record, notebook, marks=None, around=None):
    """The page of one notebook of a record, as text.

    marks : the student's `Marks`, so that manual points and comments show. around : what stands beside the record.
    """
    items = [item(notebook, verdict, marks, around) for verdict in notebook.verdicts]
    late = seconds_late(record.submitted, around.due) if around else 0.0
    penalty = (marks.penalties.get(notebook.name, 0.0)) if marks else 0.0
    points = max(0.0, sum(one.points for one in items) - penalty)
    waiting = [one for one in items if one.by_hand and one.verdict == FOR_A_PERSON]
    return pages.render(
        "feedback.html",
        record=record,
        notebook=notebook,
        items=items,
        points=points,
        max_points=sum(one.max_points for one in items),
        penalty=penalty,
        late=pages.lasting(late) if late else "",
        due=pages.moment(around.due.isoformat()) if late else "",
        waiting=waiting,
        waiting_points=sum(one.max_points for one in waiting),
        right=sum(one.verdict == RIGHT for one in items),
        machine=sum(not one.by_hand for one in items),
        own_cells=_shown_cells(notebook),
        is_code=pages.is_code,
        looked_at=any(not reason.startswith(WITHOUT_SANDBOX) for reason in record.needs_review),
        graded=pages.moment(record.graded),
        handed_in=pages.moment(record.submitted),
    )


def write_feedback(folder, assignment, students=None, on_event=lambda path: None, failed=None):
    """Write the feedback of an assignment into the course's feedback folder; returns the paths.

    students : whose; default everyone's in the journal. on_event : called with every path.
    failed : a dict that gets {student: why} of those whose pages cannot be made; without one that is an error at the end.
    """
    course = open_course(folder)
    marks, tests, (due, extended) = (
        read_marks(course, assignment),
        _tests(course, assignment),
        read_due(course, assignment),
    )
    written, met, problems = [], set(), {} if failed is None else failed
    for record in latest_records(course, assignment):
        if students and record.student not in students:
            continue
        met.add(record.student)
        try:
            printed = _printed(course, record, tests)
            around = Around(tests, printed, extended.get(record.student, due))
            for path in _pages_of(course, assignment, record, marks.get(record.student), around):
                written.append(path)
                on_event(path)
        except Exception as error:
            if isinstance(error, OSError) and error.errno in NO_ROOM:
                raise
            why = str(error) if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"
            problems[record.student] = why
    missing = sorted(set(students or ()) - met)
    if missing or not met:
        who = ", ".join(missing) if missing else assignment
        raise CourseError(f"nothing is graded yet of {who}; run: dlcourse grade {assignment}")
    if failed is None and problems:
        raise CourseError("; ".join(f"no page for {student}: {why}" for student, why in problems.items()))
    return written


def _tests(course, assignment):
    """{(notebook, grade_id): `Test`} of the graded code cells, from the students' version; nothing where there is none."""
    try:
        saved = saved_cells(course.db_url, assignment)
    except (CourseError, GradebookError):
        return {}
    found = {}
    for path in sorted(course.folder("release", ".", assignment).glob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
            whole = saved.get(path.stem, {}).get(grade_id)
            if cell["cell_type"] == "code" and whole is not None:
                source = _joined(cell["source"])
                found[path.stem, grade_id] = Test(source, whole.source.strip() != source.strip())
    return found


def _joined(text):
    return "".join(text) if isinstance(text, list) else text


def _printed(course, record, tests):
    """{(notebook, grade_id): what the tests of plain asserts have printed for this student}."""
    found = {}
    for notebook in record.notebooks:
        asked = {verdict.grade_id: verdict.message for verdict in notebook.verdicts if verdict.how == "in-process"}
        path = course.folder("autograded", record.student, record.assignment) / f"{notebook.name}.ipynb"
        if not asked or not path.is_file():
            continue
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
            if grade_id in asked and (notebook.name, grade_id) in tests:
                texts = [_joined(one["text"]) for one in cell.get("outputs", ()) if one["output_type"] == "stream"]
                # The message stands on the page already
                shown = "".join(text for text in texts if text.strip() != asked[grade_id].strip())
                found[notebook.name, grade_id] = shown if len(shown) <= PRINTED else f"{shown[:PRINTED]}…"
    return found


def _pages_of(course, assignment, record, marks, around):
    """Write one student's pages; yields their paths."""
    problem = name_problem(record.student)
    if problem:
        raise CourseError(f"there is no feedback for {record.student!r}: {problem}")
    target = course.folder("feedback", record.student, assignment)
    target.mkdir(parents=True, exist_ok=True)
    for notebook in record.notebooks:
        if Path(notebook.name).name != notebook.name:
            raise CourseError(f"{record.student}: {notebook.name!r} is not the name of a notebook")
        yield pages.write(target / f"{notebook.name}.html", feedback_page(record, notebook, marks, around))
    _release_marks(course, record.student, assignment, target)


def _release_marks(course, student, assignment, target):
    """The two files beside the page by which `nbgrader release_feedback` and the student find each other."""
    for name in ("timestamp.txt", "submission_secret.txt"):
        for step in ("autograded", "submitted"):
            source = course.folder(step, student, assignment) / name
            if source.is_file() and not source.is_symlink():
                shutil.copyfile(source, target / name)
                break
