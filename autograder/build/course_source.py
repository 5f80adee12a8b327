"""What a teacher's `source/` says of an assignment, made into the notebooks that nbgrader's generator takes.

    source/stats/stats.md       a text notebook (MyST); a cell tagged `exercise` holds the name of one
    source/stats/stats.ipynb    or a notebook, with such cells or without
    source/stats/…              files for the students

A notebook that is built from a text is written beside the text, where nbgrader and formgrader look for it, with a mark that
says what it was built from. A notebook without the mark, or with other cells than it had, is the teacher's: it is released
as it is, or refused with the reason where the text says something else; it is never written over.
"""

import copy
import re
import shutil
from dataclasses import dataclass, field

from ..errors import BuildError
from .assignments import MARK, digest, digest_of_cells, filled, marked
from .sources import read_source

# The head of a text notebook; a README.md has none
_TEXT_NOTEBOOK = re.compile(r"\A---\n(?:.*\n)*?(?:jupytext|kernelspec):", re.M)

_BESIDE = re.compile(r"\.new\d*$")


@dataclass
class Prepared:
    """notebooks : {name: notebook with its exercises filled in}. built : names of those built from a text.

    texts : file names of the text notebooks, which students do not get. notes : what should be said.
    """

    notebooks: dict = field(default_factory=dict)
    built: list = field(default_factory=list)
    texts: list = field(default_factory=list)
    notes: list = field(default_factory=list)


def prepare(folder, assignment, shipped=None):
    """The notebooks of an assignment whose source is this folder.

    shipped : the text that the package has for an assignment of this name; the folder's own files come before it.
    """
    written = [path for path in sorted(folder.glob("*.md")) if _is_text_notebook(path, assignment)]
    # `dlcourse start --instructor` puts a newer version beside a text that the teacher has changed
    texts = {path.stem: path for path in written if not _BESIDE.search(path.stem)}
    found = {path.stem: path for path in sorted(folder.glob("*.ipynb"))}
    prepared = Prepared(texts=[path.name for path in written])
    ours = {} if texts or shipped is None or set(found) - {assignment} else {assignment: shipped}
    for name in sorted({*texts, *found, *ours}):
        text = texts.get(name) or ours.get(name)
        notebook = None if text is None else _built(text)
        if name in found:
            kept = _read(found[name])
            if text is None or _is_teachers(kept, notebook, text, name in texts, found[name], prepared):
                notebook = filled(kept, found[name].name)
                text = None
        if text is not None:
            prepared.built.append(name)
        prepared.notebooks[name] = notebook
    return prepared


def _is_text_notebook(path, assignment):
    return path.stem == assignment or bool(_TEXT_NOTEBOOK.match(path.read_text(encoding="utf-8", errors="replace")))


def _built(text):
    """The notebook of a text, with the mark of what it was built from."""
    return marked(filled(read_source(text, own=True), text.name), text)


def _is_teachers(kept, fresh, text, own_text, path, prepared):
    """Whether the notebook in the folder counts, and not the text; raises where both say something."""
    mark = kept.metadata.get(MARK)
    if digest_of_cells(kept) == digest_of_cells(fresh):
        return False
    if not mark:
        if own_text:
            raise BuildError(
                f"{path.name} and {text.name} stand side by side in {path.parent}, and {path.name} was not built from "
                f"{text.name}: remove the one that is not the assignment"
            )
        return True
    if digest_of_cells(kept) == mark.get("cells"):
        return False
    if mark.get("built_from") == digest(text.read_bytes()):
        prepared.notes.append(f"{path.name} was edited after it was built from {text.name}: released as it was edited")
        return True
    raise BuildError(
        f"{path.name} was edited after it was built, and {text.name} has changed, too: put the edits of {path.name} into "
        f"{text.name} and remove {path.name}, or remove {text.name}"
    )


def _read(path):
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    # Whatever nbformat and JSON say of a broken file
    except Exception as error:
        raise BuildError(
            f"{path} cannot be read as a notebook ({type(error).__name__}): open it in JupyterLab and save it"
        ) from None


def write_draft(prepared, folder, target, ignore):
    """Lay out what nbgrader's generator takes: the notebooks, and the folder's files but for the texts."""
    import nbformat

    if folder.is_dir():
        texts = set(prepared.texts)

        def left_out(place, names):
            skipped = set(shutil.ignore_patterns(*ignore)(place, names)) if ignore else set()
            return skipped | (texts & set(names) if place == str(folder) else set())

        shutil.copytree(folder, target, ignore=left_out)
    else:
        target.mkdir(parents=True)
    for name, notebook in prepared.notebooks.items():
        plain = copy.deepcopy(notebook)
        plain.metadata.pop(MARK, None)
        nbformat.write(plain, target / f"{name}.ipynb")


def write_built(prepared, folder):
    """Write what was built from a text where nbgrader and formgrader look for it."""
    import nbformat

    folder.mkdir(parents=True, exist_ok=True)
    for name in prepared.built:
        nbformat.write(prepared.notebooks[name], folder / f"{name}.ipynb")
