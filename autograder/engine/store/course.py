"""An nbgrader course directory as its own configuration describes it.

Read without importing nbgrader: that takes 2 s, and a run with nothing to do should take less.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import secrets
import stat
import string
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ...checks import registry
from ...errors import CourseError

CONFIG = "nbgrader_config.py"
# nbgrader's own defaults
_STRUCTURE = os.path.join("{nbgrader_step}", "{student_id}", "{assignment_id}")
_IGNORE = (".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback")
_LONGEST_ID = 128


@dataclass(frozen=True)
class Course:
    """Where a course keeps its things.

    root : the course directory. config : what its `nbgrader_config.py` sets, as traitlets' Config.
    db_url : the gradebook. secret : what no student knows; the cases' numbers come from it.
    """

    root: Path
    config: Any
    db_url: str
    secret: str = field(repr=False)

    def _option(self, name, default):
        value = self.config.CourseDirectory.get(name, default) if "CourseDirectory" in self.config else default
        return value if isinstance(value, type(default)) else default

    @property
    def course_id(self) -> str:
        return self._option("course_id", "").strip()

    @property
    def ignore(self) -> tuple[str, ...]:
        """File names that nbgrader leaves where they are."""
        return tuple(
            self.config.CourseDirectory.get("ignore", _IGNORE) if "CourseDirectory" in self.config else _IGNORE
        )

    @property
    def timezone(self) -> str:
        """The zone of the exchange's times, by its name in the time zone database."""
        return str(_set(self.config, "Exchange", "timezone") or "UTC")

    @property
    def groupshared(self) -> bool:
        return self._option("groupshared", False)

    @property
    def environment(self) -> str:
        """The Python environment of the students' code, `c.DlcourseGrader.environment`; "" is that of the grader."""
        named = self.config.DlcourseGrader.get("environment", "") if "DlcourseGrader" in self.config else ""
        if not isinstance(named, str):
            raise CourseError(f"c.DlcourseGrader.environment: expected a path as text, got {type(named).__name__}")
        # As seen from the course directory, like the other paths of the configuration
        return str(self.root / Path(named).expanduser()) if named else ""

    def keep_private(self, path: Path) -> None:
        """Close what holds students' work to other users; with nbgrader's `groupshared` the group may use it."""
        if path.is_dir():
            mode = 0o2770 if self.groupshared else 0o700
        else:
            mode = 0o660 if self.groupshared else 0o600
        # In a shared course it may belong to another instructor
        with contextlib.suppress(PermissionError):
            path.chmod(mode)

    def students_keep(self, assignment: str) -> tuple[str, ...]:
        """Files of an assignment in which the student's version counts (nbgrader's `exclude_overwriting`)."""
        kept = self.config.Autograde.get("exclude_overwriting", {}) if "Autograde" in self.config else {}
        return tuple(kept.get(assignment, ()))

    @cached_property
    def structure(self) -> str:
        return self._option("directory_structure", _STRUCTURE)

    def folder(self, step: str, student: str, assignment: str) -> Path:
        """The folder of one step ("submitted", "autograded", …), as nbgrader's `format_path` has it."""
        name = self._option(f"{step}_directory", step)
        return self.root / self.structure.format(nbgrader_step=name, student_id=student, assignment_id=assignment)

    def assignments(self) -> list[str]:
        """Names of the assignments that are released."""
        found = self._matches("release", ".", None)
        return sorted(found)

    def find_assignment(self, name: str) -> str:
        """The name itself; raises with the nearest one if no such assignment is released."""
        folder = self.folder("release", ".", name)
        if name and not set(name) & set("/+\0") and name not in (".", "..") and folder.is_dir():
            return name
        known = self.assignments()
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        if near:
            raise CourseError(f"there is no assignment {name!r}; did you mean {near[0]!r}?")
        raise CourseError(
            f"there is no assignment {name!r} under {folder.parent}; "
            + (f"released are {', '.join(known)}" if known else "release one first: dlcourse release ASSIGNMENT")
        )

    def students(self, assignment: str) -> tuple[list[str], dict[str, str]]:
        """Names of those who handed something in, sorted: those that can be graded, and {folder name: why not}."""
        good, refused = [], {}
        for name in sorted(self._matches("submitted", None, assignment)):
            problem = name_problem(name) or _folder_problem(self.folder("submitted", name, assignment))
            if problem:
                refused[name] = problem
            else:
                good.append(name)
        return good, refused

    def _matches(self, step, student, assignment):
        """What stands in the place of the part that is None, for every folder that exists."""
        mark = "\0"
        pattern = self.folder(step, student or mark, assignment or mark)
        parts = pattern.parts
        place = next(i for i, part in enumerate(parts) if mark in part)
        before, _, after = parts[place].partition(mark)
        parent, rest = Path(*parts[:place]), parts[place + 1 :]
        if not parent.is_dir():
            return set()
        return {
            name[len(before) : len(name) - len(after)]
            for name in os.listdir(parent)
            if name.startswith(before)
            and name.endswith(after)
            # nbgrader finds submissions by `*`, which passes over hidden folders
            and not name.startswith(".")
            and _may_be_folder(parent.joinpath(name, *rest), bool(rest))
        }

    @property
    def seed(self) -> int:
        """The seed of the cases: that of plain nbgrader's kernels, the same for the whole class.

        One seed for each submission would be fairer to nobody: a wrong answer may pass a case by luck, and then the
        same answer earns different points. Knowing the numbers helps no one who cannot compute the answers. With few
        seeds the workers also keep the expected values at hand.
        """
        from ...checks.evaluation import grading_seed

        return grading_seed(self.secret)


def _may_be_folder(path, below):
    """Whether it is a folder, or something in the place of one; below : a folder that a student has filled holds it."""
    try:
        return stat.S_ISDIR(path.stat().st_mode) or below
    except (FileNotFoundError, NotADirectoryError):
        return below and path.is_symlink()
    except OSError:
        # Closed to this user, or a ring of links: not to be passed over in silence
        return True


def _folder_problem(path):
    """Why what a student handed in is not looked at, "" where it is."""
    try:
        return "" if stat.S_ISDIR(path.stat().st_mode) else "what was handed in is not a folder"
    except OSError as error:
        return f"what was handed in cannot be opened ({error.strerror})"


def name_problem(name: str) -> str:
    """Why a student's name cannot be used, "" if it can: what nbgrader's own directory rule would mistake or refuse."""
    if not name or name in (".", "..") or "/" in name:
        return "a student's name is one folder name"
    if name.startswith("."):
        return "nbgrader skips names that begin with a dot"
    if name != name.strip():
        return "nbgrader strips spaces at the ends of a name"
    if any(0xD800 <= ord(c) <= 0xDFFF for c in name):
        return "the folder's name is not UTF-8"
    if any(ord(c) < 32 or ord(c) == 127 or c in "\x85\u2028\u2029" for c in name):
        return "nbgrader's directory rule matches no name with line breaks or control characters"
    if len(name) > _LONGEST_ID:
        return f"the gradebook keeps {_LONGEST_ID} characters of a name"
    return ""


def assignment_problem(name: str) -> str:
    """Why an assignment cannot have this name, "" if it can: what nbgrader, the exchange or a student's system would refuse."""
    if not name or name in (".", ".."):
        return "it is a folder's name"
    wrong = sorted({c for c in name if c in '/\\+*?[]{}<>:"|' or not c.isprintable()})
    if wrong:
        return f"it holds {' '.join(c if c.isprintable() else ascii(c) for c in wrong)}; use letters, digits, - and _"
    if name.startswith("."):
        return "nbgrader skips names that begin with a dot"
    if name != name.strip():
        return "nbgrader strips spaces at the ends of a name"
    if name == "all":
        return "to `dlcourse export` it means every assignment"
    if len(name) > _LONGEST_ID:
        return f"the gradebook keeps {_LONGEST_ID} characters of a name"
    return ""


def open_course(folder: str | Path = ".", db_url: str | None = None) -> Course:
    """The course in `folder`; its `nbgrader_config.py` is read as nbgrader reads it.

    Its own exercises (`exercises/`) are those that this process knows from now on. Raises `CourseError` if there is no such
    course or its configuration cannot be read.
    """
    from traitlets.config import Config, PyFileConfigLoader

    root = Path(folder).resolve()
    if not root.is_dir():
        raise CourseError(f"there is no folder {folder}; name the course directory with --course")
    # Before the configuration is read: that makes the course's secret, and a folder that is not a course stays as it is
    if not (root / CONFIG).exists() and not (root / "release").is_dir():
        raise CourseError(f"{root} is not a course directory: it has neither {CONFIG} nor release/; use --course DIR")
    config = Config()
    with _own_environment() as environment:
        if (root / CONFIG).exists():
            try:
                config = PyFileConfigLoader(CONFIG, path=str(root)).load_config()
            except Exception as error:
                raise CourseError(f"{CONFIG} cannot be read: {type(error).__name__}: {error}") from error
        secret = environment.get("DLCOURSE_SECRET") or _secret(root)
    own = config.CourseDirectory if "CourseDirectory" in config else Config()
    if isinstance(own.get("root"), str) and own.get("root"):
        root = Path(own["root"]).resolve()
    structure = own.get("directory_structure", _STRUCTURE)
    wanted = {"nbgrader_step", "student_id", "assignment_id"}
    try:
        named = {name for _, name, _, _ in string.Formatter().parse(structure) if name}
    except (TypeError, ValueError):
        named = set()
    if named != wanted:
        raise CourseError(
            f"c.CourseDirectory.directory_structure must hold {{nbgrader_step}}, {{student_id}} and {{assignment_id}}, got {structure!r}"
        )
    registry.use(registry.read_sources(root / registry.FOLDER))
    for url in (db_url, own.get("db_url"), _set(config, "NbGrader", "db_url")):
        if isinstance(url, str) and url:
            return Course(root, config, url, secret)
    return Course(root, config, f"sqlite:///{root / 'gradebook.db'}", secret)


def _set(config, section, name):
    return config[section].get(name) if section in config else None


@contextlib.contextmanager
def _own_environment():
    """The configuration may set variables (ours sets the secret): read them, leave those of this process as they were."""
    before = dict(os.environ)
    try:
        yield os.environ
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)


def _secret(root):
    """The course's secret for a course whose configuration makes none."""
    path = root / "course_secret"
    with contextlib.suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(16))
    return path.read_text().strip()


def hide_password(url: str) -> str:
    """A database's address without its password, for messages."""
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:…@", url)
