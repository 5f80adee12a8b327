"""Where the text sources and what is built from them stand, and how a source is read."""

import hashlib

import dlcourse

from .. import places
from ..errors import BuildError

ROOT, LESSONS, COURSE = places.find()
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def lesson_slugs():
    """The lessons in order: the notation, then every topic."""
    return ["notation", *dlcourse.TOPICS]


def lesson_name(slug):
    """ "04_graph": a lesson carries its number, so that a folder lists the course in order."""
    return f"{lesson_slugs().index(slug):02d}_{slug}"


def existing_lessons():
    return [slug for slug in lesson_slugs() if (LESSONS / "source" / f"{lesson_name(slug)}.md").exists()]


def assignment_source(slug):
    return COURSE / "source" / slug / f"{slug}.md"


def existing_assignments():
    return [slug for slug in dlcourse.TOPICS if assignment_source(slug).exists()]


def read_source(path, own=False):
    """The text notebook at `path`, with stable cell ids and the metadata that belongs in a built notebook.

    own : it is a teacher's, whose kernel and whose style of writing stay.
    """
    import jupytext

    if not path.exists():
        raise BuildError(f"{path.name} is missing: write it as a MyST text notebook")
    try:
        myst = path.suffix == ".md" and "```{code-cell}" in path.read_text(encoding="utf-8")
        notebook = jupytext.read(path, fmt="md:myst" if myst else None)
    # Whatever jupytext and its YAML say of a head or a cell that they cannot read
    except Exception as error:
        raise BuildError(f"{path} cannot be read as a text notebook: {' '.join(str(error).split())[:300]}") from None
    seen = {}
    for index, cell in enumerate(notebook.cells):
        # From the content and its place among equals: an edit elsewhere leaves the other cells' ids alone
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, -1) + 1
        cell.id = f"{digest}-{seen[digest]}"
        if not own and cell.cell_type == "code" and cell.source.rstrip().endswith(";"):
            raise BuildError(
                f"{path.name}, cell {index}: a trailing `;` hides the value here, but not when the lesson is compared"
            )
    kernel = notebook.metadata.get("kernelspec") if own else None
    language = (kernel or KERNEL).get("language", "python")
    notebook.metadata = type(notebook.metadata)({"kernelspec": kernel or KERNEL, "language_info": {"name": language}})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def stray_files():
    """Built notebooks without a source, and sources that belong to no topic."""
    lessons = {lesson_name(slug) for slug in lesson_slugs()}
    found = [
        f"notebooks/{path.name} has no source"
        for path in LESSONS.glob("*.ipynb")
        if not (LESSONS / "source" / f"{path.stem}.md").exists()
    ]
    found += [
        f"notebooks/source/{path.name} belongs to no topic"
        for path in (LESSONS / "source").glob("*.md")
        if path.stem not in lessons
    ]
    found += [
        f"release/{path.name} has no source"
        for path in (COURSE / "release").glob("*")
        if not assignment_source(path.name).exists()
    ]
    return found
