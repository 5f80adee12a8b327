"""Who is in the class, and whose file it is: ids, names and numbers of a roster, compared as learning platforms write them."""

from __future__ import annotations

import csv
import difflib
import io
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import CourseError
from ..store.course import name_problem
from ..store.gradebook_reader import Person

if TYPE_CHECKING:
    from collections.abc import Mapping

# What platforms call a column, small letters and without punctuation; of several the first that is there
_COLUMNS = {
    "student": ("id", "studentid", "username", "sisloginid", "loginid", "login", "benutzername"),
    "first_name": ("firstname", "givenname", "vorname"),
    "last_name": ("lastname", "surname", "familyname", "nachname"),
    "email": ("email", "emailaddress", "mail", "emailadresse"),
    "lms_id": ("lmsuserid", "idnumber", "identifier", "canvasid", "userid", "matrikelnummer"),
    "name": ("name", "fullname", "student", "studentname", "vollstandigername"),
}
_ROSTER_BYTES = 10_000_000
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe"})


def spellings(text: str) -> set[str]:
    """How a name may be written in a file's name: without case, spaces and punctuation; "Müller" is also muller and mueller."""
    small = unicodedata.normalize("NFC", text).casefold()
    plain = "".join(c for c in unicodedata.normalize("NFKD", small) if not unicodedata.combining(c))
    return {
        found for one in (small, plain, small.translate(_GERMAN)) if (found := "".join(c for c in one if c.isalnum()))
    }


def read_roster(path: Path) -> dict[str, Person]:
    """{id: `Person`} of a CSV file: what `nbgrader db student import` takes, or an export of Canvas, Moodle, Blackboard.

    Raises `CourseError` where there is no column with ids, or where an id cannot be used.
    """
    try:
        data = path.read_bytes()[:_ROSTER_BYTES]
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    if not rows:
        raise CourseError(f"{path} is empty; expected a table with the columns id, first_name, last_name, email")
    columns = _columns(rows[0])
    if "student" not in columns:
        raise CourseError(
            f"{path} has no column with ids: expected one named id, username or SIS Login ID, got {', '.join(rows[0])}"
        )
    found = {}
    for row in rows[1:]:
        values = {key: row[place].strip() for key, place in columns.items() if place < len(row)}
        if not values.get("student"):
            continue
        problem = name_problem(values["student"])
        if problem:
            raise CourseError(f"{path}: {values['student']!r} cannot be a student's id: {problem}")
        person = _person(values)
        found[person.student] = person
    return found


def _columns(header):
    """{field: place of its column}."""
    # The shortest spelling, and of several the one of plain letters
    names = [min(spellings(name), key=lambda one: (len(one), one), default="") for name in header]
    # Canvas has its own number under "ID", and the student's id under "SIS Login ID"
    canvas = "sisloginid" in names
    found = {}
    for field, words in _COLUMNS.items():
        if canvas and field == "student":
            words = ("sisloginid",)
        if canvas and field == "lms_id":
            words = ("id",)
        place = next((names.index(word) for word in words if word in names), None)
        if place is not None:
            found[field] = place
    return found


def _person(values):
    full = values.pop("name", "")
    if full and not values.get("last_name"):
        last, comma, first = full.partition(",")
        if not comma:
            first, _, last = full.rpartition(" ")
        values["first_name"], values["last_name"] = first.strip(), last.strip()
    if "lms_id" in values:
        # Moodle's grading table says "Participant 1234"
        values["lms_id"] = re.sub(r"^\D+ (?=\d+$)", "", values["lms_id"])
    return Person(**values)


class Roster:
    """The class, to be asked whose file it is."""

    def __init__(self, people: Mapping[str, Person]) -> None:
        self.people = people
        self._numbers = {person.lms_id: student for student, person in people.items() if person.lms_id}
        self._known: dict[str, set[str]] = {}
        for student, person in people.items():
            first, last = person.first_name, person.last_name
            words = [student, person.email, person.lms_id, f"{first} {last}", f"{last} {first}"]
            # Users of an organisation sign in by what stands before the @
            words += [person.email.partition("@")[0], student.partition("@")[0]]
            for word in words:
                for spelling in spellings(word):
                    self._known.setdefault(spelling, set()).add(student)

    def find(self, hints: Iterable[str], number: str = "") -> tuple[str | None, str]:
        """(id, "") of the student that the first telling hint means, or (None, why nobody is meant).

        number : the platform's own for the student, which says nothing where the roster holds no such numbers.
        """
        student, why = self._named(hints)
        numbered = self._numbers.get(number)
        if numbered is None or numbered == student:
            return student, why
        if student is None:
            return numbered, ""
        return None, f"the number {number} is {numbered}'s and the name {student}'s"

    def _named(self, hints):
        tried, why = [], ""
        for hint in hints:
            if hint in self.people:
                return hint, ""
            meant = {student for spelling in spellings(hint) for student in self._known.get(spelling, ())}
            if len(meant) == 1:
                return meant.pop(), ""
            if meant:
                why = why or f"{hint!r} may be {' or '.join(sorted(meant))}"
            tried.append(hint)
        return None, why or self._nearest(tried)

    def _nearest(self, hints):
        words = {next(iter(spellings(hint)), ""): hint for hint in hints}
        for word, hint in words.items():
            near = difflib.get_close_matches(word, self._known, n=1, cutoff=0.75)
            if near:
                student = min(self._known[near[0]])
                name = self.people[student].name
                return f"nobody in the roster is {hint!r}; perhaps {student}" + (f" ({name})" if name else "")
        return f"nobody in the roster is {hints[0]!r}" if hints else "its name says nothing of a student"
