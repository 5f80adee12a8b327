"""Files that are not a notebook, no longer a notebook, or more than a notebook."""

import gzip
import io
import json
import os
import zipfile

from . import Attack, own_cell
from .assignment import ASSIGNMENT, POINTS, cell_of

NAME = f"{ASSIGNMENT}.ipynb"
ALL = tuple(POINTS)
UNREAD = "a file beyond the limits (20 MB, 2,000 cells), under another name or of no known form waits for a person"
WRONG = "def preactivation(X, w, b):\n    return X @ w - 2 * b"


def symlink(target):
    """The notebook is a link to something of the course's."""

    def place(folder, text, scene):
        os.symlink(scene.fill(target), folder / NAME)

    return place


def beside_link(folder, text, scene):
    """The right notebook, and links to everything that one would like to have copied."""
    (folder / NAME).write_text(text)
    os.symlink(scene.course / "source", folder / "solutions")
    os.symlink(scene.course / "course_secret", folder / "data.csv")
    os.symlink("..", folder / "loop")


def fifo(folder, text, scene):
    os.mkfifo(folder / NAME)


def fifo_beside(folder, text, scene):
    (folder / NAME).write_text(text)
    os.mkfifo(folder / "data.csv")


def renamed(name):
    def place(folder, text, scene):
        (folder / name).write_text(text)

    return place


def missing(folder, text, scene):
    (folder / "answers.pdf").write_bytes(b"%PDF-1.4 my answers")


def directory(folder, text, scene):
    (folder / NAME).mkdir()
    (folder / NAME / "inside.ipynb").write_text(text)


def unreadable(folder, text, scene):
    (folder / NAME).write_text(text)
    (folder / NAME).chmod(0)


def zip_bomb(folder, text, scene):
    (folder / NAME).write_text(text)
    (folder / "data.csv.gz").write_bytes(gzip.compress(bytes(50_000_000)))


def zip_traversal(folder, text, scene):
    (folder / NAME).write_text(text)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"../../../../{scene.safe.name}/untouched", "overwritten")
        archive.writestr("../../../gradebook.db", "overwritten")
    (folder / "more.zip").write_bytes(packed.getvalue())


def many_files(folder, text, scene):
    (folder / NAME).write_text(text)
    (folder / "data").mkdir()
    for i in range(1_000):
        (folder / "data" / f"{i}.txt").touch()


def sparse_file(folder, text, scene):
    (folder / NAME).write_text(text)
    with (folder / "model.bin").open("wb") as file:
        file.truncate(300_000_000)


def deep_folders(folder, text, scene):
    (folder / NAME).write_text(text)
    (folder / "/".join(["d"] * 300)).mkdir(parents=True)


def many_cells(notebook, scene):
    place = notebook["cells"].index(cell_of(notebook, "preactivation"))
    notebook["cells"][place:place] = [own_cell("1", f"many-{i}") for i in range(10_000)]


def huge_cell(notebook, scene):
    cell_of(notebook, "average")["source"] += "\n# " + "x" * 30_000_000


def old_format(notebook, scene):
    import nbformat

    for cell in notebook["cells"]:
        del cell["id"]
    notebook["nbformat_minor"] = 4
    older = nbformat.convert(nbformat.from_dict(notebook), 3)
    notebook.clear()
    notebook.update(json.loads(nbformat.writes(older, version=nbformat.NO_CONVERT)))


def format_number(major, minor):
    def edit(notebook, scene):
        notebook["nbformat"], notebook["nbformat_minor"] = major, minor

    return edit


def kernel(notebook, scene):
    notebook["metadata"]["kernelspec"] = {
        "name": f"../../../{scene.safe}/evil",
        "display_name": "<script>alert(1)</script>",
        "language": "bash",
    }


def metadata(key, value):
    def edit(notebook, scene):
        notebook["metadata"][key] = value

    return edit


def numbers_as_source(notebook, scene):
    cell_of(notebook, "preactivation")["source"] = 5
    cell_of(notebook, "gradient")["source"] = {"a": 1}
    cell_of(notebook, "why")["source"] = None


def source_lines(notebook, scene):
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)


def strange_cells(notebook, scene):
    notebook["cells"][2:2] = [None, 3, "cell", [], {}, {"cell_type": "evil", "source": "1", "metadata": {}}]


def deep(text):
    return text[:-1].encode() + b',"deep":' + b"[" * 200_000 + b"]" * 200_000 + b"}"


def surrogate(text):
    return text.replace('"# An assignment"', r'"# An assignment \ud800\udfff\udc00"').encode()


BESIDE_NUMPY = b"class ndarray: pass\ndef __getattr__(name): return lambda *a, **k: True\n"
BESIDE_CHECK = b"def check(*a, hidden=False, **k):\n    pass\n"

ATTACKS = [
    Attack(
        "empty_file",
        "the notebook has no bytes",
        raw=lambda text: b"",
        loses=ALL,
        verdict="for a person",
        says="the file is empty",
    ),
    Attack(
        "truncated",
        "the upload stopped in the middle",
        raw=lambda text: text[: len(text) // 2].encode(),
        loses=ALL,
        verdict="for a person",
        says="it is not JSON",
    ),
    Attack(
        "not_utf8",
        "a byte that is not UTF-8",
        raw=lambda text: text.replace("An assignment", "\xff\xfe").encode("latin-1"),
        says="is not UTF-8 and was read as Windows-1252",
    ),
    Attack(
        "utf16",
        "saved as UTF-16",
        raw=lambda text: text.encode("utf-16"),
        says="is not UTF-8 and was read as UTF-16",
    ),
    Attack(
        "picture",
        "a PNG under the notebook's name",
        raw=lambda text: b"\x89PNG\r\n\x1a\n" + bytes(200),
        loses=ALL,
        verdict="for a person",
        says="it is not JSON",
    ),
    Attack(
        "a_list",
        "JSON, and no notebook",
        raw=lambda text: b"[1, 2, 3]",
        loses=ALL,
        verdict="for a person",
        says="it is JSON but not a notebook",
    ),
    Attack(
        "no_cells",
        "a notebook without `cells`",
        raw=lambda text: b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
        loses=ALL,
        verdict="for a person",
        says="it has no list of cells",
    ),
    Attack(
        "deep_json",
        "200,000 brackets inside each other",
        raw=deep,
        loses=ALL,
        verdict="for a person",
        says="it holds too many small pieces for a notebook",
    ),
    Attack(
        "huge_file",
        "60 MB of spaces after the notebook",
        raw=lambda text: text.encode() + b" " * 60_000_000,
        loses=ALL,
        verdict="for a person",
        says="larger than 20 MB",
        worth=8,
        limit=UNREAD,
    ),
    Attack(
        "huge_number",
        "a number of 100,000 digits in the metadata",
        raw=lambda text: text[:-1].encode() + b',"n":' + b"9" * 100_000 + b"}",
        loses=ALL,
        verdict="for a person",
        says="it is not JSON",
    ),
    Attack("lone_surrogate", "half a character, which no encoding can write", raw=surrogate),
    Attack(
        "many_cells",
        "10,000 added cells",
        edit=many_cells,
        loses=ALL,
        verdict="for a person",
        says="at most 2000 are read",
        worth=8,
        limit=UNREAD,
    ),
    Attack(
        "huge_cell",
        "a cell of 30 MB",
        edit=huge_cell,
        loses=ALL,
        verdict="for a person",
        says="larger than 20 MB",
        worth=8,
        limit=UNREAD,
    ),
    Attack(
        "numbers_as_source",
        "sources that are numbers, dicts and null",
        edit=numbers_as_source,
        loses=ALL,
        verdict="for a person",
        says="is not a notebook cell",
        worth=5,
        limit=UNREAD,
    ),
    Attack("source_lines", "every source as a list of lines (allowed)", edit=source_lines),
    Attack(
        "strange_cells",
        "cells that are null, numbers, texts, of unknown type",
        edit=strange_cells,
        loses=ALL,
        verdict="for a person",
        says="is not a notebook cell",
        worth=8,
        limit=UNREAD,
    ),
    Attack("format_3", "saved in the notebook format of 2013", edit=old_format),
    Attack(
        "format_99",
        "a notebook format that does not exist",
        edit=format_number(99, 0),
        loses=ALL,
        verdict="for a person",
        says="expected notebook format 4, got 99",
    ),
    Attack(
        "format_words",
        "the notebook format is a word",
        edit=format_number("four", None),
        loses=ALL,
        verdict="for a person",
        says="expected notebook format 4",
    ),
    Attack("unknown_kernel", "an unknown kernel with a path in its name", edit=kernel),
    Attack(
        "widget_state",
        "20,000 widgets in the metadata",
        edit=metadata("widgets", {str(i): {"state": {}} for i in range(20_000)}),
    ),
    Attack(
        "link_to_solution",
        "the notebook is a link to the instructor's",
        place=symlink(f"@COURSE@/source/{ASSIGNMENT}/{NAME}"),
        loses=ALL,
        verdict="for a person",
        says="a link or nothing that can be read",
    ),
    Attack(
        "link_to_neighbour",
        "the notebook is a link to another submission",
        place=symlink(f"../../ada/{ASSIGNMENT}/{NAME}"),
        loses=ALL,
        verdict="for a person",
        says="a link or nothing that can be read",
    ),
    Attack(
        "link_to_endless",
        "the notebook is a link to /dev/zero",
        place=symlink("/dev/zero"),
        loses=ALL,
        verdict="for a person",
        says="a link or nothing that can be read",
    ),
    Attack("links_beside", "links to solutions and to the secret beside the notebook", place=beside_link),
    Attack(
        "fifo",
        "the notebook is a pipe that nobody writes",
        place=fifo,
        loses=ALL,
        verdict="for a person",
        says="no regular file",
    ),
    Attack("fifo_beside", "a pipe beside the notebook", place=fifo_beside),
    Attack(
        "directory",
        "the notebook is a folder",
        place=directory,
        loses=ALL,
        verdict="for a person",
        says="it is a folder",
    ),
    Attack(
        "wrong_name",
        "a browser's second download: `attacked (1).ipynb`",
        place=renamed(f"{ASSIGNMENT} (1).ipynb"),
        says="was handed in as attacked (1).ipynb",
    ),
    Attack(
        "missing",
        "a PDF and no notebook",
        place=missing,
        loses=ALL,
        verdict="not attempted",
        says="it was not handed in",
    ),
    Attack("zip_bomb", "50 MB of zeros packed into 50 kB beside the notebook", place=zip_bomb),
    Attack("zip_traversal", "an archive whose names climb out", place=zip_traversal),
    Attack("many_files", "1,000 files beside the notebook", place=many_files),
    Attack("sparse_file", "a file of 300 MB that takes no room", place=sparse_file),
    Attack("deep_folders", "300 folders inside each other", place=deep_folders),
    Attack(
        "numpy_beside",
        "a `numpy.py` beside the notebook",
        cells={"preactivation": WRONG},
        beside={"numpy.py": BESIDE_NUMPY},
        loses=("preactivation",),
    ),
    Attack(
        "autograder_beside",
        "an `autograder.py` whose check is always content",
        cells={"preactivation": WRONG},
        beside={"autograder.py": BESIDE_CHECK},
        loses=("preactivation",),
    ),
    Attack(
        "startup_beside",
        "`sitecustomize.py`, `usercustomize.py`, a `.pth` and an IPython profile beside the notebook",
        beside={
            "sitecustomize.py": b"import os; os._exit(7)\n",
            "usercustomize.py": b"import os; os._exit(7)\n",
            "evil.pth": b"import os; os._exit(7)\n",
            "ipython_config.py": b"import os; os._exit(7)\n",
            "ipython_kernel_config.py": b"import os; os._exit(7)\n",
        },
    ),
    Attack(
        "stdlib_beside",
        "`random.py`, `json.py` and `struct.py` beside the notebook",
        beside=dict.fromkeys(("random.py", "json.py", "struct.py", "ast.py"), b"import os; os._exit(7)\n"),
    ),
    Attack(
        "odd_names",
        "files whose names climb, break lines, look like options and read backwards",
        beside=dict.fromkeys(
            ("..\\..\\gradebook.db", "-rf", "a\nb.csv", "\u202evsc.exe", "CON", "~", "*", "%2e%2e%2fx", " "), b"1\n"
        ),
    ),
    Attack("timestamp", "a `timestamp.txt` without a time", beside={"timestamp.txt": b"now, or `rm -rf /`\n"}),
]
