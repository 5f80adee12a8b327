"""Scores for a learning platform by LTI 1.3 Assignment and Grade Services, with what a student should look at as the comment.

`lti.toml` in the course directory says where the platform is and who the course is there:

    issuer = "https://canvas.example.org"
    client_id = "10000000000001"
    token_url = "https://canvas.example.org/login/oauth2/token"
    private_key = "lti_key.pem"
    members_url = "https://canvas.example.org/api/lti/courses/1/names_and_roles"
    feedback_url = "https://dl.example.org/{student}/{assignment}/{notebook}.html"
    [lineitems]
    neurons = "https://canvas.example.org/api/lti/courses/1/line_items/5"

Source: 1EdTech, "LTI Assignment and Grade Services" 2.0, sections 3.3 (score service) and 3.4; "LTI Names and Role
Provisioning Services" 2.0.
"""

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

from ..engine.ingest.roster import Roster
from ..engine.store.course import open_course
from ..engine.store.gradebook_reader import read_grades, read_people
from ..engine.store.journal import latest_records, records_folder
from ..errors import CourseError
from .status import AGAIN, GRADED, make_status

CONFIG = "lti.toml"
_WANTED = ("issuer", "client_id", "token_url", "private_key")
_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/"
# Mistakes that a comment names
NAMED = 5


@dataclass
class Score:
    """One student's score as it is pushed. user : the platform's id. final : whether no answer waits for a person."""

    student: str
    user: str
    points: float
    maximum: float
    final: bool
    comment: str

    @property
    def digest(self):
        return hashlib.sha256(json.dumps(vars(self), sort_keys=True).encode()).hexdigest()


@dataclass
class Pushed:
    """What a push did. sent : students. unchanged : those whose score the platform has. failed : {student: why}."""

    sent: list = field(default_factory=list)
    unchanged: list = field(default_factory=list)
    failed: dict = field(default_factory=dict)


def read_config(path):
    """The settings of `lti.toml`; raises `CourseError` that names what is missing."""
    try:
        config = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CourseError(f"there is no {path}; docs/instructors/lms.md shows what it holds") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} is not valid TOML: {error}") from error
    missing = [name for name in _WANTED if not isinstance(config.get(name), str)]
    if missing:
        raise CourseError(f"{path} lacks {', '.join(missing)}; docs/instructors/lms.md shows what it holds")
    urls = [
        config["token_url"],
        config.get("members_url"),
        config.get("lineitems_url"),
        *config.get("lineitems", {}).values(),
    ]
    for url in filter(None, urls):
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1"):
            raise CourseError(f"{path}: grades travel by https only, got {url}")
    key = path.parent / config["private_key"]
    try:
        config["private_key"] = key.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"the private key {key} cannot be read: {error}") from error
    return config


def push(folder, assignment, config=None, students=None, dry_run=False, on_event=lambda student: None):
    """Push the scores of an assignment that the platform does not have yet; returns `Pushed`.

    A student who handed in nothing, or is not graded, gets no score. A score that waits for a person is marked as not final.
    Raises `CourseError` where the settings cannot be used or the platform refuses everything.
    """
    course = open_course(folder)
    settings = read_config(Path(config) if config else course.root / CONFIG)
    platform = None if dry_run else _Platform(settings)
    scores, made = _scores(course, assignment, settings, platform, students)
    ledger = records_folder(course) / f"{assignment}.pushed.json"
    known = json.loads(ledger.read_text()) if ledger.exists() else {}
    item = platform.lineitem(assignment, scores[0].maximum) if platform and scores else None
    for score in scores:
        if known.get(score.student) == score.digest:
            made.unchanged.append(score.student)
            continue
        why = platform.put(item, score) if platform else ""
        if why:
            made.failed[score.student] = why
        else:
            made.sent.append(score.student)
            known[score.student] = score.digest
            if platform:
                draft = ledger.with_suffix(".part")
                draft.write_text(json.dumps(known, indent=1) + "\n")
                course.keep_private(draft)
                draft.replace(ledger)
        on_event(score.student)
    return made


def _scores(course, assignment, settings, platform, students):
    """(the scores of those who are graded and known to the platform, a `Pushed` with those who are not known)."""
    made = Pushed()
    status = {one.student: one for one in make_status(course.root, assignment).those(GRADED, AGAIN)}
    comments = {
        record.student: comment(record, settings.get("feedback_url")) for record in latest_records(course, assignment)
    }
    users = platform.members(read_people(course)) if platform and settings.get("members_url") else None
    scores = []
    for grade in read_grades(course, assignment):
        if grade.student not in status or (students and grade.student not in students):
            continue
        user = users.get(grade.student, "") if users is not None else grade.lms_id
        if not user and platform:
            made.failed[grade.student] = (
                "the platform's list of members has nobody of this name, email or number"
                if users is not None
                else "the gradebook has no lms_user_id for them, and lti.toml no members_url"
            )
            continue
        final = not status[grade.student].waits
        scores.append(Score(grade.student, user, grade.points, grade.maximum, final, comments.get(grade.student, "")))
    return scores, made


def comment(record, feedback_url=None):
    """What a student reads beside the score: how much is right, the mistakes by name, where the page is."""
    checked = [verdict for verdict in record.verdicts if verdict.how != "person"]
    right = sum(verdict.verdict == "right" for verdict in checked)
    parts = [f"{right} of {len(checked)} checked exercises right."]
    mistakes = [
        f"{verdict.mistake.replace('_', ' ')} ({verdict.exercise or verdict.grade_id})"
        for verdict in checked
        if verdict.mistake
    ]
    if mistakes:
        more = f" and {len(mistakes) - NAMED} more" if len(mistakes) > NAMED else ""
        parts.append(f"Known mistakes: {', '.join(mistakes[:NAMED])}{more}.")
    if feedback_url:
        places = {"student": record.student, "assignment": record.assignment}
        for notebook in record.notebooks:
            values = {name: quote(value, safe="") for name, value in (places | {"notebook": notebook.name}).items()}
            parts.append(
                re.sub(r"\{(student|assignment|notebook)\}", lambda found, v=values: v[found[1]], feedback_url)
            )
    return " ".join(parts)


class _Platform:
    """The platform's services; everything that goes wrong there is a sentence."""

    def __init__(self, settings):
        try:
            from pylti1p3.assignments_grades import AssignmentsGradesService
            from pylti1p3.registration import Registration
            from pylti1p3.service_connector import ServiceConnector
        except ModuleNotFoundError as error:
            raise CourseError(f"{error.name} is not installed: pip install 'dlcourse[lti]'") from error

        class Connector(ServiceConnector):
            """Keeps its tokens for as long as this push lasts; the library leaves that to its user."""

            def __init__(self, registration):
                super().__init__(registration)
                self.tokens = {}

            def _get_cached_access_token(self, scope_key):
                return self.tokens.get(scope_key)

            def _cache_access_token(self, scope_key, access_token, expires_in):
                self.tokens[scope_key] = access_token

        registration = Registration().set_issuer(settings["issuer"]).set_client_id(settings["client_id"])
        registration.set_auth_token_url(settings["token_url"]).set_tool_private_key(settings["private_key"])
        if settings.get("audience"):
            registration.set_auth_audience(settings["audience"])
        self.settings, self.connector = settings, Connector(registration)
        scopes = [f"{_SCOPE}score", *([f"{_SCOPE}lineitem"] if settings.get("lineitems_url") else [])]
        data = {"scope": scopes, "lineitems": settings.get("lineitems_url", "")}
        self.grades = AssignmentsGradesService(self.connector, data)

    def _asked(self, what, work, *arguments):
        problem, result = _tried(work, *arguments)
        if problem:
            raise CourseError(f"the platform did not give {what}: {problem}")
        return result

    def lineitem(self, assignment, maximum):
        """The platform's column of an assignment."""
        from pylti1p3.lineitem import LineItem

        url = self.settings.get("lineitems", {}).get(assignment)
        if url:
            return LineItem({"id": url})
        if not self.settings.get("lineitems_url"):
            raise CourseError(f"lti.toml has neither a line for {assignment} under [lineitems] nor a lineitems_url")
        item = LineItem().set_tag(assignment).set_label(assignment).set_score_maximum(maximum)
        return self._asked("its columns", self.grades.find_or_create_lineitem, item)

    def members(self, people):
        """{student: the platform's id}, by number, email or name."""
        from pylti1p3.names_roles import NamesRolesProvisioningService

        service = NamesRolesProvisioningService(
            self.connector, {"context_memberships_url": self.settings["members_url"]}
        )
        roster, found = Roster(people), {}
        for member in self._asked("its members", lambda: list(service.get_members())):
            name = member.get("name") or f"{member.get('given_name', '')} {member.get('family_name', '')}"
            hints = [member.get("lis_person_sourcedid", ""), member.get("email", ""), name]
            student, _ = roster.find([hint for hint in hints if hint.strip()], member["user_id"])
            if student:
                found[student] = member["user_id"]
        return found

    def put(self, item, score):
        """Send a score; returns why it could not be, "" where it was."""
        from pylti1p3.grade import Grade

        grade = Grade().set_user_id(score.user).set_score_given(score.points).set_score_maximum(score.maximum)
        grade.set_timestamp(datetime.now(UTC).isoformat(timespec="milliseconds")).set_comment(score.comment)
        grade.set_activity_progress("Completed").set_grading_progress("FullyGraded" if score.final else "PendingManual")
        return _tried(self.grades.put_grade, grade, item)[0]


def _tried(work, *arguments):
    """(why it failed, "" where it did not; the result)."""
    import requests
    from pylti1p3.exception import LtiException, LtiServiceException

    try:
        return "", work(*arguments)
    except LtiServiceException as error:
        answer = " ".join(error.response.text.split())[:200]
        return f"it answered {error.response.status_code} ({answer})", None
    except (LtiException, requests.RequestException, ValueError, KeyError) as error:
        return f"{type(error).__name__}: {error}", None
