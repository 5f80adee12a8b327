"""What is graded against: the released notebooks with their locked cells as the gradebook has them, hidden tests included."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...checks.registry import RELEASED
from ...errors import CourseError, OtherLanguage
from .folder import read_folder
from .imports import imports_of
from .notebook import cell_text

if TYPE_CHECKING:
    from ..store.course import Course
    from ..store.gradebook import SourceCell


@dataclass(frozen=True)
class MasterCell:
    """One cell of the assignment: as released, but for `source`, which has the hidden tests.

    marks : its nbgrader metadata with the gradebook's checksum, None for a cell that nbgrader does not mark.
    calls : of a cell that only calls `check`, what `Step.calls` is.
    """

    cell_type: str
    source: str
    released: str
    metadata: dict
    id: str | None = None
    marks: dict | None = None
    calls: tuple[str, tuple[str, ...]] | None = None

    @property
    def grade_id(self) -> str:
        return self.marks["grade_id"] if self.marks else ""

    @property
    def grade(self) -> bool:
        return bool(self.marks and self.marks.get("grade"))

    @property
    def solution(self) -> bool:
        return bool(self.marks and self.marks.get("solution"))

    @property
    def task(self) -> bool:
        return bool(self.marks and self.marks.get("task"))

    @property
    def by_hand(self) -> bool:
        """Whether a person gives the points."""
        return self.task or (self.grade and self.solution)

    @property
    def points(self) -> float:
        return float(self.marks.get("points", 0) or 0) if self.marks and (self.grade or self.task) else 0.0


@dataclass(frozen=True)
class Master:
    """One notebook of an assignment. metadata : of the notebook. minor : of its notebook format 4."""

    name: str
    cells: tuple[MasterCell, ...]
    metadata: dict
    minor: int


@dataclass(frozen=True)
class Assignment:
    """What is graded against. files : {relative name: content} of the course's own files beside the notebooks.

    version : hash of all of it, hidden tests included. imports : statements of the course's own code, "import pandas".
    """

    name: str
    notebooks: tuple[Master, ...]
    files: dict
    version: str
    imports: tuple[str, ...] = ()

    @property
    def max_points(self) -> float:
        return sum(cell.points for notebook in self.notebooks for cell in notebook.cells)


def load_assignment(course: Course, name: str, saved: dict[str, dict[str, SourceCell]]) -> Assignment:
    """The assignment as it is graded.

    Parameters
    ----------
    course : Course. name : of the assignment.
    saved : {notebook: {grade_id: SourceCell}} from the gradebook (`gradebook.saved_cells`).
    """
    folder = course.folder("release", ".", name)
    digest = hashlib.sha256()
    notebooks = []
    for title in sorted(saved):
        path = folder / f"{title}.ipynb"
        if not path.exists():
            raise CourseError(f"{path} is missing; release the assignment again: dlcourse release {name}")
        data = path.read_bytes()
        _refuse_other_languages(name, title, data)
        digest.update(hashlib.sha256(data).digest())
        digest.update(repr(sorted(saved[title].items())).encode())
        notebooks.append(_master(title, data, saved[title]))
    if not notebooks:
        raise CourseError(f"the gradebook has no notebooks of {name!r}; release it: dlcourse release {name}")
    # Files in source/ win over those in release/, as they do when nbgrader autogrades; the text that an assignment is
    # built from is none of them
    files: dict[str, bytes] = {}
    for step in ("release", "source"):
        beside = read_folder(course.folder(step, ".", name), course.ignore, links=True)
        if beside.notes:
            raise CourseError(f"{step}/{name}: {beside.notes[0]}; files beside an assignment go into every sandbox")
        own_text = {f"{title}.md" for title in (name, *saved)}
        files |= {
            key: value
            for key, value in beside.files.items()
            # The file of checks holds expected values
            if not key.endswith((".ipynb", RELEASED)) and key not in own_text
        }
    for key in course.students_keep(name):
        files.pop(key, None)
    for key in sorted(files):
        digest.update(repr(key).encode() + hashlib.sha256(files[key]).digest())
    own = [cell.source for notebook in notebooks for cell in notebook.cells if _is_courses_code(cell)]
    imports = imports_of(own, files, course.students_keep(name))
    return Assignment(name, tuple(notebooks), files, digest.hexdigest(), imports)


# Of kernels whose notebooks do not say their language
_OTHERS = re.compile(
    r"(ir|irkernel|julia|octave|matlab|sas|stata|scala|bash|javascript|deno|xcpp|java|rust|go)\b|.*\bR\b"
)


def language_of(metadata: Any) -> str:
    """The language of a notebook that is not Python's, "" for Python or where nothing is said."""
    metadata = metadata if isinstance(metadata, dict) else {}
    spec, info = (
        metadata.get(key) if isinstance(metadata.get(key), dict) else {} for key in ("kernelspec", "language_info")
    )
    named = str(spec.get("language") or info.get("name") or "").strip()
    if named:
        return "" if "python" in named.lower() else named
    kernel = str(spec.get("name") or "")
    return kernel if _OTHERS.match(kernel) else ""


def _refuse_other_languages(assignment, title, data):
    language = language_of(json.loads(data.decode("utf-8")).get("metadata"))
    if language:
        raise OtherLanguage(
            f"{title}.ipynb is written in {language}, and this grader runs Python alone; grade this assignment with plain "
            f"nbgrader: nbgrader autograde {assignment}, meanwhile without the line c.Autograde.autograde_preprocessors in "
            "nbgrader_config.py"
        )


def _is_courses_code(cell):
    return cell.cell_type == "code" and not cell.solution


@dataclass(frozen=True)
class _Released:
    """A marked cell as it was released, in place of what a gradebook keeps of it."""

    source: str
    cell_type: str
    checksum: str | None
    # Nothing to restore: the source and the points stand in the notebook itself
    locked: bool = False
    points: float | None = None


def load_released(name: str, data: bytes) -> Master:
    """The `Master` of a released notebook without its gradebook: what a student has of it, so no hidden tests."""
    cells = json.loads(data.decode("utf-8"))["cells"]
    saved = {}
    for cell in cells:
        marks = cell["metadata"].get("nbgrader")
        if marks:
            saved[marks["grade_id"]] = _Released(
                _source(cell),
                marks.get("cell_type", cell["cell_type"]),
                marks.get("checksum"),
            )
    return _master(name, data, saved)


def _source(cell):
    """The text of a course cell."""
    text = cell_text(cell["source"])
    if text is None:
        raise CourseError(f"a released cell has a source of type {type(cell['source']).__name__}; release again")
    return text


def _master(name, data, saved):
    notebook = json.loads(data.decode("utf-8"))
    cells, seen = [], set()
    for cell in notebook["cells"]:
        source = _source(cell)
        metadata = {key: value for key, value in cell["metadata"].items() if key != "nbgrader"}
        marks = cell["metadata"].get("nbgrader")
        if not (marks and (marks.get("grade") or marks.get("solution") or marks.get("locked") or marks.get("task"))):
            cells.append(MasterCell(cell["cell_type"], source, source, metadata, cell.get("id")))
            continue
        grade_id = marks["grade_id"]
        if grade_id not in saved or grade_id in seen:
            raise CourseError(
                f"cell {grade_id!r} of {name}.ipynb is {'there twice' if grade_id in seen else 'not in the gradebook'}; "
                "release the assignment again"
            )
        seen.add(grade_id)
        kept = saved[grade_id]
        marks = marks | {"checksum": kept.checksum, "cell_type": kept.cell_type}
        if kept.points is not None:
            marks["points"] = kept.points
        restored = kept.source if kept.locked else source
        calls = None
        if kept.cell_type == "code" and marks.get("grade") and not marks.get("solution"):
            calls = _calls(restored, grade_id, name)
        cells.append(MasterCell(kept.cell_type, restored, source, metadata, cell.get("id"), marks, calls))
    missing = {grade_id for grade_id, cell in saved.items() if cell.points is not None} - seen
    if missing:
        raise CourseError(f"{name}.ipynb lacks the graded cell {sorted(missing)[0]!r}; release the assignment again")
    return Master(name, tuple(cells), notebook.get("metadata", {}), notebook.get("nbformat_minor", 0))


def _calls(source, grade_id, notebook):
    """`Step.calls` of a cell that does nothing but call `check` on one exercise; None for any other cell."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return None
    calls = [_call(statement.value) if isinstance(statement, ast.Expr) else None for statement in body]
    found = [call for call in calls if call is not None]
    if not found or len(found) < len(calls):
        return None
    if len(set(found)) > 1:
        raise CourseError(f"cell {grade_id!r} of {notebook}.ipynb checks several exercises: give each one its own cell")
    from ...checks.exercise import get_exercise

    name, functions = found[0]
    try:
        exercise = get_exercise(name)
    except ValueError as error:
        raise CourseError(f"cell {grade_id!r} of {notebook}.ipynb: {error}") from None
    wanted = exercise.answer_names
    if exercise.data and not functions:
        # The cell takes them from the notebook
        return name, wanted
    if len(wanted) != len(functions):
        raise CourseError(
            f"cell {grade_id!r} of {notebook}.ipynb: {name} is answered by {len(wanted)} functions "
            f"({', '.join(wanted)}), got {len(functions)}"
        )
    return found[0]


def _call(call):
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "check" and call.args):
        return None
    first, *rest = call.args
    if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
        return None
    names = tuple(argument.id for argument in rest if isinstance(argument, ast.Name))
    if len(names) < len(rest):
        return None
    if not all(keyword.arg == "hidden" and isinstance(keyword.value, ast.Constant) for keyword in call.keywords):
        return None
    return first.value, names


def find_calls(source: str) -> list[tuple[str, tuple[str, ...]]]:
    """[(name, function names)] of every `check("name", function, …)` in a cell's source, in order."""
    # Magics and shell commands are not Python
    plain = "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in source.split("\n"))
    try:
        nodes = [node for node in ast.walk(ast.parse(plain)) if isinstance(node, ast.Call)]
    except (SyntaxError, ValueError):
        return []
    calls = [_call(node) for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset))]
    return [call for call in calls if call is not None]
