"""`dlcourse start`: a folder to work in, laid out and brought up to date."""

from .. import workspace
from ..errors import WorkspaceError
from . import fail


def main(folder=None, instructor=False):
    """Lay out a student's folder, or a teacher's; returns the exit status: 0 done, 1 it cannot be written, 2 a wrong call."""
    if instructor and folder is None:
        return fail("--instructor: name the folder of the course, such as: dlcourse start --instructor my-course")
    try:
        if instructor:
            changes = workspace.lay_out_course(folder)
        else:
            changes = workspace.lay_out(workspace.find(folder))
    except WorkspaceError as error:
        return fail(error)
    except OSError as error:
        return fail(f"{error.filename} cannot be written: {error.strerror}", 1)
    say(changes)
    if instructor:
        print(f"Go on there: cd {_quoted(changes.folder)}, then dlcourse release neurons")
    else:
        where = "" if changes.folder == workspace.find() else f" --folder {_quoted(changes.folder)}"
        print(f"Open it with: dlcourse lab{where}")
    return 0


def say(changes, out=print):
    """What laying out did, a line for each thing that a person wants to know."""
    if changes.new:
        out(f"{changes.folder}: {len(changes.new)} files laid out")
    if changes.updated:
        out(f"{changes.folder}: brought up to date: {', '.join(changes.updated)}")
    for name, beside in changes.beside.items():
        out(f"{name} holds your work and is kept; the course's new version is beside it: {beside}")
    if not (changes.new or changes.updated or changes.beside):
        out(f"{changes.folder}: nothing new")


def _quoted(path):
    """A path as a shell takes it."""
    return f'"{path}"' if any(c.isspace() for c in str(path)) else str(path)
