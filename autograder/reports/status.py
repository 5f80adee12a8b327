"""Where everybody stands with an assignment: handed in, late, graded, waits for a person, nothing handed in."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from ..engine import ingest
from ..engine.pool import described
from ..engine.store.course import open_course
from ..engine.store.gradebook_reader import Marks, read_due, read_marks, read_people
from ..engine.store.journal import latest_records, left_open, removed_students
from ..engine.store.records import WITHOUT_SANDBOX
from . import pages

NOTHING, NOT_GRADED, AGAIN, GRADED = "nothing handed in", "not graded", "handed in again since", "graded"
REMOVED = "removed from the gradebook"


@dataclass(kw_only=True)
class StudentStatus:
    """One student.

    state : one of the five above. submitted : ISO time of the hand-in, UTC, None where there is none. late : seconds
        after the due time, extensions included. points : what the gradebook holds, None where nothing is graded.
    unread : answers that nobody has read. reasons : why else a person should look, one sentence each.
    """

    student: str
    name: str = ""
    state: str = NOTHING
    submitted: str | None = None
    late: float = 0.0
    points: float | None = None
    unread: int = 0
    reasons: list = field(default_factory=list)

    @property
    def waits(self):
        return bool(self.unread or self.reasons)

    @property
    def why(self):
        """What waits for a person, in words."""
        unread = [f"{pages.plural(self.unread, 'answer')} to read"] if self.unread else []
        return "; ".join([*unread, *self.reasons])


@dataclass
class Status:
    """A class. due : ISO time, UTC, "" where the gradebook holds none. refused : {folder: why it is not looked at}."""

    assignment: str
    due: str = ""
    students: list = field(default_factory=list)
    refused: dict = field(default_factory=dict)

    def those(self, *states):
        return [one for one in self.students if one.state in states]

    @property
    def late(self):
        return [one for one in self.students if one.late > 0]

    @property
    def waiting(self):
        return [one for one in self.students if one.waits]

    @property
    def counts(self):
        missing, everybody = self.those(NOTHING), len(self.students) - len(self.those(REMOVED))
        return {
            "students": everybody,
            "handed_in": everybody - len(missing),
            "late": len(self.late),
            "graded": len(self.those(GRADED)),
            "waiting_for_a_person": len(self.waiting),
            "nothing_handed_in": len(missing),
        }


def make_status(folder, assignment, on_event=lambda student: None):
    """The `Status` of an assignment of the course in `folder`: everyone in the gradebook, and everyone who handed in."""
    course = open_course(folder)
    people, (due, extended) = read_people(course), read_due(course, assignment)
    marks, open_ = read_marks(course, assignment), left_open(course, assignment)
    handed_in, refused = course.students(assignment)
    known = {record.student: _known(record) for record in latest_records(course, assignment)}
    status = Status(assignment, due.isoformat() if due else "", refused=refused)
    removed = removed_students(course, assignment) if people else set()
    for student in sorted({*people, *handed_in, *known}):
        if student in removed:
            status.students.append(StudentStatus(student=student, state=REMOVED))
            continue
        one = StudentStatus(student=student, name=people[student].name if student in people else "")
        if student in known:
            digest, one.submitted, points, one.reasons = known[student]
            one.state, one.points = GRADED, marks[student].points if student in marks else points
            one.unread = sum(mark.waiting for mark in marks.get(student, Marks()).cells.values())
        if student in handed_in:
            one.state = GRADED if student in known else NOT_GRADED
            try:
                submission = ingest.read_submission(course, student, assignment)
            except Exception as error:
                # Whatever one submission holds, the others have a line
                if student not in open_:
                    one.reasons = [
                        *one.reasons,
                        f"it could not be read ({described(error)}): a person has to look at it",
                    ]
            else:
                one.submitted, _ = ingest.read_time(submission.timestamp, submission.timezone)
                if student in known and digest != submission.digest:
                    one.state = AGAIN
        if student in open_:
            one.reasons = [*one.reasons, open_[student]]
        one.late = seconds_late(one.submitted, extended.get(student, due))
        status.students.append(one)
        on_event(student)
    return status


def _known(record):
    reasons = [reason for reason in record.needs_review if not reason.startswith(WITHOUT_SANDBOX)]
    return record.key[0], record.submitted, record.points, reasons


def seconds_late(submitted, due):
    """How long after `due` something was handed in; 0 where it was in time, or where either is not known."""
    if submitted is None or due is None:
        return 0.0
    return max(0.0, (datetime.fromisoformat(submitted).astimezone(UTC) - due).total_seconds())


def to_plain(status):
    """The status for a script."""
    return {
        "assignment": status.assignment,
        "due": status.due,
        **status.counts,
        "students": [asdict(one) for one in status.students],
        "refused": status.refused,
    }
