"""Where the lessons and the course lie: in a clone of the project, or inside the installed package."""

from pathlib import Path
from typing import NamedTuple

__all__ = ["Places", "find"]

_PACKAGE = Path(__file__).resolve().parent


class Places(NamedTuple):
    """clone : the project's folder, None where the package is installed without it. lessons : the built lessons.

    course : nbgrader's course directory with `nbgrader_config.py`, `source/` and `release/`.
    """

    clone: Path | None
    lessons: Path
    course: Path


def find():
    """The places of this package; a wheel carries the lessons in `autograder/lessons` (`autograder/build/wheel.py`)."""
    root = _PACKAGE.parent
    in_clone = (root / "pyproject.toml").is_file() and (root / "notebooks" / "source").is_dir()
    return Places(
        root if in_clone else None, root / "notebooks" if in_clone else _PACKAGE / "lessons", _PACKAGE / "course"
    )
