"""A folder to work in, laid out from the course and brought up to date without touching anybody's work.

A student's folder holds `start.ipynb`, `lessons/` and `assignments/<slug>/`; a teacher's is a course directory of nbgrader's
with `nbgrader_config.py` and `source/<slug>/`. A manifest in the folder remembers what was laid out: what is still as it
was laid out is replaced when the course changes; beside what was edited comes the new version, as `01_neurons.new.ipynb`.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import dlcourse

from . import places, start_page
from .errors import WorkspaceError
from .progress import MARKER, write_whole

__all__ = ["DEFAULT", "Changes", "find", "lay_out", "lay_out_course"]

# Ignored by git in a clone
DEFAULT = "my-dlcourse"
COURSE_MARKER = ".dlcourse-course.json"


@dataclass
class Changes:
    """What laying out did, as names in the folder.

    folder : the folder. new, updated : written, replaced. beside : {an edited file: the new version beside it}.
    """

    folder: Path
    new: list = field(default_factory=list)
    updated: list = field(default_factory=list)
    beside: dict = field(default_factory=dict)


def find(folder=None):
    """The student's folder: the one named; else the one that the current folder lies in; else `my-dlcourse`.

    The last lies in the current folder if it is there, else in the clone, and without a clone in the current folder.
    """
    if folder is not None:
        return Path(folder).resolve()
    here = Path.cwd()
    for place in (here, *here.parents, here / DEFAULT):
        if (place / MARKER).is_file():
            return place
    return (places.find().clone or here) / DEFAULT


def lay_out(folder):
    """Lay out a student's folder, or bring it up to date; returns the `Changes`."""
    folder = Path(folder).resolve()
    place = places.find()
    files = {start_page.NAME: start_page.template()}
    for path in [*sorted(place.lessons.glob("[0-9]*.ipynb")), place.lessons / "notes.md"]:
        files[f"lessons/{path.name}"] = path.read_bytes()
    for slug in dlcourse.TOPICS:
        for path in sorted((place.course / "release" / slug).glob("*")):
            if path.is_file() and ".new" not in path.suffixes:
                files[f"assignments/{slug}/{path.name}"] = path.read_bytes()
    changes = _lay_out(folder, MARKER, files)
    _keep_out_of_git(folder, place.clone)
    start_page.refresh(folder)
    return changes


def lay_out_course(folder):
    """Lay out a teacher's course directory, or bring it up to date; returns the `Changes`."""
    course = places.find().course
    files = {"nbgrader_config.py": (course / "nbgrader_config.py").read_bytes()}
    for slug in dlcourse.TOPICS:
        own = Path(folder) / "source" / slug
        if any(own.glob("*")) and not (own / f"{slug}.md").is_file():
            # An assignment of the teacher's, under a name of ours
            continue
        files[f"source/{slug}/{slug}.md"] = (course / "source" / slug / f"{slug}.md").read_bytes()
    return _lay_out(Path(folder).resolve(), COURSE_MARKER, files)


def _lay_out(folder, marker, files):
    old = _manifest(folder, marker)
    manifest = dict(old)
    changes = Changes(folder)
    if not (folder / marker).is_file():
        # First, so that a folder that was laid out by half is known the next time
        folder.mkdir(parents=True, exist_ok=True)
        _write_manifest(folder, marker, old)
    for name, data in files.items():
        path = folder / name
        before = old.get(name)
        fresh = {"file": _digest(data), "content": _content(name, data)}
        manifest[name] = fresh
        found = path.read_bytes() if path.is_file() else None
        if found is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, data)
            changes.new.append(name)
        elif fresh == before or _digest(found) == fresh["file"]:
            continue
        elif _content(name, found) in (fresh["content"], before and before["content"]):
            # Run, perhaps, but nothing of the student's stands in it
            write_whole(path, data)
            changes.updated.append(name)
        else:
            beside = _free_name(folder, name, data)
            write_whole(folder / beside, data)
            changes.beside[name] = beside
    if manifest != old:
        _write_manifest(folder, marker, manifest)
    return changes


def _manifest(folder, marker):
    """{name: digests of what was laid out}; empty for a new folder. Raises where somebody else's files lie."""
    path = folder / marker
    if not path.is_file():
        if folder.exists() and not folder.is_dir():
            raise WorkspaceError(f"{folder} is a file; name a folder")
        if folder.is_dir() and any(not one.name.startswith(".") for one in folder.iterdir()):
            raise WorkspaceError(
                f"{folder} is not empty, and dlcourse start did not make it: name an empty folder or a new one"
            )
        return {}
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return {name: {key: values[key] for key in ("file", "content")} for name, values in data["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # Without it everything that differs counts as the student's: new versions come beside, nothing is lost
        return {}


def _write_manifest(folder, marker, manifest):
    data = {"version": dlcourse.__version__, "files": manifest}
    write_whole(folder / marker, (json.dumps(data, indent=1) + "\n").encode())


def _digest(data):
    return hashlib.sha256(data).hexdigest()


def _content(name, data):
    """The digest of what a person writes: of a notebook the cells' text, without outputs, counts and metadata."""
    if not name.endswith(".ipynb"):
        return _digest(data)
    try:
        cells = [
            (cell["cell_type"], "".join(cell["source"]), cell.get("attachments")) for cell in json.loads(data)["cells"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return _digest(data)
    return _digest(json.dumps(cells, sort_keys=True).encode())


def _free_name(folder, name, data):
    """`x.new.ipynb`, or `x.new2.ipynb` and so on where another version stands there."""
    path = Path(name)
    number = 1
    while True:
        beside = path.with_name(f"{path.stem}.new{number if number > 1 else ''}{path.suffix}").as_posix()
        if not (folder / beside).exists() or (folder / beside).read_bytes() == data:
            return beside
        number += 1


def _keep_out_of_git(folder, clone):
    """A folder in the clone is ignored as a whole; elsewhere only what a student would not share."""
    path = folder / ".gitignore"
    if not path.exists():
        inside = clone is not None and clone in folder.parents
        lines = ["*"] if inside else [".dlcourse-progress*", ".ipynb_checkpoints/"]
        write_whole(path, ("\n".join(lines) + "\n").encode())
