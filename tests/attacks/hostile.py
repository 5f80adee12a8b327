"""Further hostile submissions, for the whole way: from the submitted folder to gradebook, page, report and export.

Each must leave its honest neighbours as they are, and get what its own honest parts are worth; what cannot be read is named to
a person. The corpus of `attacks` looks at what one submission can do to the sandbox, this one at what it can do to a class.
"""

import copy
import json
import os
import socket
import struct
import zlib

from . import Attack, own_cell
from .assignment import ASSIGNMENT, POINTS, cell_of

NAME = f"{ASSIGNMENT}.ipynb"
ALL = tuple(POINTS)
ONE = ("preactivation",)
BEGIN = "def preactivation(X, w, b):\n"


def harmless(slug, what, **more):
    return Attack(slug, what, **more)


def unread(slug, what, **more):
    return Attack(slug, what, **{"loses": ALL, "verdict": "for a person"} | more)


# --- files ----------------------------------------------------------------------------------------------------------


def writes(*changes):
    """Writes the notebook, then what each change does in the folder."""

    def place(folder, text, scene):
        (folder / NAME).write_text(text)
        for change in changes:
            change(folder)

    return place


def only(change):
    def place(folder, text, scene):
        change(folder, text)

    return place


def listening(path):
    """A socket: its name is longer than a socket's address may be."""
    before = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


def folder_with(name, inside="inside.csv"):
    def change(folder):
        (folder / name).mkdir()
        if inside:
            (folder / name / inside).write_text("1")

    return change


def a_file(name, data=b"1"):
    def change(folder):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    return change


def a_link(name, target):
    return lambda folder: os.symlink(target, folder / name)


def sparse(name, size):
    def change(folder):
        with (folder / name).open("wb") as file:
            file.truncate(size)

    return change


def many(count, where="."):
    def change(folder):
        (folder / where).mkdir(exist_ok=True)
        for number in range(count):
            (folder / where / f"a{number:05}").touch()

    return change


def hard_link(folder):
    os.link(folder / NAME, folder / "copy.ipynb")


def deep_and_long(folder):
    inner = folder
    for _ in range(7):
        inner = inner / ("d" * 200)
    inner.mkdir(parents=True)
    (inner / ("f" * 200)).write_text("1")


def raw_name(folder):
    with open(os.fsencode(folder) + b"/\xff\xfe.csv", "wb") as file:
        file.write(b"1")


ODD_NAMES = {
    "emoji": "💥🧨.csv",
    "combining": "e" + "\u0301" * 100 + ".csv",
    "long": "x" * 251 + ".csv",
    "shell": "$(touch x);`id`&|>.csv",
    "quotes": "\"'><img src=x onerror=alert(1)>.csv",
    "option": "--force",
    "dots": "...",
    "backwards": "\u202egpj.exe",
    "invisible": "\u200b\u2060",
    "formula": "=cmd|' /C calc'!A0",
    "template": "{student_id}{0}%s%n",
    "glob": "*?[a-z]",
    "separator": "a\u2028b\x85c.csv",
}
FILES = [
    unread("folder_for_notebook", "a folder in the notebook's place", place=only(lambda f, t: folder_with(NAME)(f))),
    unread("empty_folder_for_notebook", "an empty one", place=only(lambda f, t: folder_with(NAME, "")(f))),
    unread(
        "notebook_in_folder_for_notebook",
        "the right notebook in a folder in the notebook's place",
        place=only(lambda f, t: (folder_with(NAME, "")(f), (f / NAME / NAME).write_text(t))),
    ),
    unread("socket_for_notebook", "a socket in the notebook's place", place=only(lambda f, t: listening(f / NAME))),
    harmless("socket_beside", "a socket beside it", place=writes(lambda f: listening(f / "s"))),
    harmless("folder_for_file", "a folder where the course has a file", place=writes(folder_with("data.csv"))),
    harmless("deep_folder_for_file", "a file far below it", place=writes(a_file("data.csv/a/b/c/d.txt"))),
    harmless("file_for_folder", "a file where the course has a folder", place=writes(a_file("pictures"))),
    harmless("link_for_folder", "a link there", place=writes(a_link("pictures", "/etc"))),
    harmless("fifo_for_folder", "a pipe there", place=writes(lambda f: os.mkfifo(f / "pictures"))),
    harmless("file_for_inner", "a file where the course's folder has a folder", place=writes(a_file("pictures/more"))),
    harmless("other_data", "the course's file, changed", place=writes(a_file("data.csv", b"9,9"))),
    harmless("folder_for_timestamp", "a folder for the time", place=writes(folder_with("timestamp.txt"))),
    harmless("fifo_for_timestamp", "a pipe for the time", place=writes(lambda f: os.mkfifo(f / "timestamp.txt"))),
    harmless("socket_for_timestamp", "a socket", place=writes(lambda f: listening(f / "timestamp.txt"))),
    harmless("link_for_timestamp", "a link", place=writes(a_link("timestamp.txt", "/etc/passwd"))),
    harmless("ring_of_links", "links in a ring", place=writes(a_link("a", "b"), a_link("b", "a"))),
    harmless("hard_link", "the notebook twice, as one file", place=writes(hard_link)),
    harmless("crowd", "300 files", place=writes(many(300))),
    unread("great_crowd", "11,000 files", place=writes(many(11_000))),
    harmless("inner_crowd", "11,000 files in a folder", place=writes(many(11_000, "inner"))),
    harmless("three_large", "three files of 19 MB", place=writes(*(sparse(f"{i}.bin", 19_000_000) for i in range(3)))),
    harmless("too_large", "a file of 2 GB", place=writes(sparse("a.bin", 2_000_000_000))),
    harmless("long_path", "names of 200 characters, seven deep", place=writes(deep_and_long)),
    harmless("raw_name", "a name that is not UTF-8", place=writes(raw_name)),
    harmless("checkpoints", "a folder of checkpoints", place=writes(a_file(f".ipynb_checkpoints/{NAME}", b"{"))),
    harmless("git", "a repository", place=writes(a_file(".git/hooks/pre-commit", b"#!/bin/sh\ntouch x\n"))),
    harmless("nbgrader_config", "a configuration", place=writes(a_file("nbgrader_config.py", b"raise SystemExit\n"))),
    harmless("gradebook", "a database", place=writes(a_file("gradebook.db", b"SQLite format 3\0"))),
    harmless(
        "modules",
        "modules named as ours",
        place=writes(
            *(
                a_file(f"{m}/__init__.py", b"raise SystemExit\n")
                for m in ("autograder", "dlcourse", "numpy", "IPython", "site")
            )
        ),
    ),
    harmless("other_notebooks", "nine more notebooks", place=writes(*(a_file(f"n{i}.ipynb", b"{}") for i in range(9)))),
    harmless(
        "no_rights",
        "the notebook itself may not be read, one under another name may",
        place=only(lambda f, t: ((f / "other.ipynb").write_text(t), os.mkfifo(f / NAME))),
    ),
    *(
        harmless(f"name_{slug}", f"a file named {name!r}", place=writes(a_file(name)))
        for slug, name in ODD_NAMES.items()
    ),
]

# --- times ----------------------------------------------------------------------------------------------------------

TIMES = {
    "digits": b"1" * 1_000_000,
    "some_digits": b"1" * 9_000,
    "ninety_digits": b"9" * 90,
    "decimal": b"1e999999999",
    "fraction": b"2026-11-21 12:00:00." + b"1" * 70,
    "offset": b"2026-11-21 12:00:00 +" + b"9" * 70,
    "path": b"2026-11-21 12:00:00 /etc/localtime",
    "climbs": b"2026-11-21 12:00:00 ../../../etc/passwd",
    "last_year": b"9999-12-31T23:59:59-23:59",
    "first_year": b"0001-01-01T00:00:00+23:59",
    "year_0": b"0000-00-00 00:00:00",
    "no_day": b"2026-02-30 12:00:00 UTC",
    "words": b"the day after tomorrow, noon",
    "nan": b"NaN",
    "nothing": b"",
    "spaces": b" " * 9_000,
    "lines": b"\n" * 9_000,
    "zero": b"2026-11-21\x0012:00:00",
    "not_utf8": b"\xff\xfe2\x000\x002\x006",
    "arabic": "٢٠٢٦-١١-٢١ ١٢:٠٠:٠٠".encode(),
    "script": b"<script>alert(1)</script>",
    "formula": b"=1+1",
    "unknown_zone": b"2026-11-21 12:00:00 Atlantis",
    "zone_that_computes": b"2026-11-21 12:00:00 UTC+999999999999",
    "three_parts": b"1 1 1",
}
TIMING = [harmless(f"time_{slug}", "a strange time", beside={"timestamp.txt": text}) for slug, text in TIMES.items()]

# --- notebooks ------------------------------------------------------------------------------------------------------


def edit(change):
    return lambda notebook, scene: change(notebook)


def each_cell(**values):
    def change(notebook):
        for cell in notebook["cells"]:
            cell |= values

    return edit(change)


def answer(**values):
    return edit(lambda notebook: cell_of(notebook, "preactivation").update(values))


def marks(**values):
    return edit(lambda notebook: cell_of(notebook, "preactivation")["metadata"]["nbgrader"].update(values))


def own(*sources, kind="code"):
    def change(notebook):
        place = notebook["cells"].index(cell_of(notebook, "gradient"))
        made = [own_cell(source, f"mine-{number}") for number, source in enumerate(sources)]
        for cell in made:
            cell["cell_type"] = kind
        notebook["cells"][place:place] = made

    return edit(change)


def written(text):
    return edit(lambda notebook: cell_of(notebook, "why").update(source=text))


def whole(**values):
    return edit(lambda notebook: notebook.update(values))


def version_3(outputs=0, cells=0, **values):
    def change(notebook):
        import nbformat

        for cell in notebook["cells"]:
            del cell["id"]
        notebook["nbformat_minor"] = 4
        older = json.loads(
            nbformat.writes(nbformat.convert(nbformat.from_dict(notebook), 3), version=nbformat.NO_CONVERT)
        )
        first = next(cell for cell in older["worksheets"][0]["cells"] if cell["cell_type"] == "code")
        first["outputs"] = [{"output_type": "stream", "stream": "stdout", "text": "x"}] * outputs
        older["worksheets"][0]["cells"] += [copy.deepcopy(first)] * cells
        notebook.clear()
        notebook.update(older | values)

    return edit(change)


def shuffled(notebook):
    notebook["cells"].reverse()


def alike(notebook):
    """No ids, and cells that share letters with the course's own: comparing them all would take a minute."""
    for cell in notebook["cells"]:
        cell.pop("id")
    text = "".join(sorted("import numpy as np\nfrom autograder import check\n" * 40))
    notebook["cells"] = [own_cell(f"#{number}{text}"[:1999], "x") for number in range(300)] + [
        cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader")
    ]


def twice_all(notebook):
    notebook["cells"] += copy.deepcopy(notebook["cells"])


def text_of(old, new):
    def raw(text):
        made = text.replace(old, new, 1)
        assert made != text
        return made.encode()

    return raw


EVIL = '<script>alert("1")</script><img src=x onerror=alert(2)>'
NOTEBOOKS = [
    unread("cells_dict", "`cells` is an object", edit=whole(cells={"0": {}})),
    unread("cells_text", "`cells` is a text", edit=whole(cells="cells")),
    unread("cells_null", "`cells` is null", edit=whole(cells=None)),
    unread("type_list", "a type that is a list", edit=answer(cell_type=["code"])),
    unread("source_of_numbers", "a source of numbers", edit=answer(source=[1, 2])),
    unread("source_true", "a source that is true", edit=answer(source=True)),
    harmless(
        "metadata_null", "metadata of a cell that are null", edit=edit(lambda n: n["cells"][0].update(metadata=None))
    ),
    harmless("metadata_list", "a list", edit=edit(lambda n: n["cells"][0].update(metadata=[1]))),
    harmless("metadata_text", "the notebook's metadata are a text", edit=whole(metadata="x")),
    harmless("metadata_deep", "nested 400 deep", edit=whole(metadata=json.loads('{"a":' * 400 + "1" + "}" * 400))),
    harmless("metadata_10_mb", "10 MB of metadata", edit=whole(metadata={"x": "y" * 10_000_000})),
    harmless("metadata_keys", "50,000 keys", edit=whole(metadata={str(i * (2**61 - 1)): i for i in range(50_000)})),
    harmless("grade_id_dict", "a grade_id that is an object", edit=marks(grade_id={"a": 1})),
    harmless("grade_id_list", "a list", edit=marks(grade_id=["a"])),
    harmless("grade_id_long", "a megabyte", edit=marks(grade_id="x" * 1_000_000)),
    harmless("grade_id_surrogate", "half a character", edit=marks(grade_id="\ud800")),
    harmless("points_infinite", "infinite points", edit=marks(points=float("inf"))),
    harmless("points_text", "points that are a text", edit=marks(points="9" * 10_000, checksum={}, locked="no")),
    harmless("ids_alike", "one id for all cells", edit=each_cell(id="same")),
    harmless("ids_numbers", "ids that are numbers", edit=each_cell(id=7)),
    harmless("ids_lists", "ids that are lists", edit=each_cell(id=[[]])),
    harmless("ids_long", "ids of 100,000 characters", edit=each_cell(id="x" * 100_000)),
    harmless(
        "outputs",
        "100,000 outputs",
        edit=edit(
            lambda n: cell_of(n, "preactivation").update(
                outputs=[{"output_type": "stream", "name": "stdout", "text": "x"}] * 90_000
            )
        ),
    ),
    harmless("outputs_no_list", "outputs that are a number", edit=answer(outputs=5, execution_count="x")),
    harmless(
        "attachments",
        "attachments of 5 MB",
        edit=edit(lambda n: cell_of(n, "why").update(attachments={"a.png": {"image/png": "A" * 5_000_000}})),
    ),
    harmless("shuffled", "the cells backwards", edit=edit(shuffled)),
    harmless("everything_twice", "every cell twice", edit=edit(twice_all)),
    harmless("alike", "300 cells nearly like the course's", edit=edit(alike), loses={}),
    unread("version_true", "format true", edit=whole(nbformat=True)),
    unread("version_huge", "format 10³⁰⁰", edit=whole(nbformat=10**300)),
    harmless("version_float", "format 4.0", edit=whole(nbformat=4.0)),
    unread("version_2", "format 2", edit=whole(nbformat=2)),
    harmless("version_3_outputs", "format 3 with 90,000 outputs", edit=version_3(outputs=90_000)),
    unread("version_3_cells", "format 3 with 5,000 cells", edit=version_3(cells=5_000)),
    unread("version_3_sheets", "format 3 whose sheets are a number", edit=version_3(worksheets=3)),
    unread("version_3_null", "format 3 with cells that are null", edit=version_3(worksheets=[{"cells": [None]}])),
    unread("version_3_none", "format 3 without sheets", edit=version_3(worksheets=None)),
    harmless("byte_order_mark", "a byte order mark", raw=lambda text: b"\xef\xbb\xbf" + text.encode()),
    harmless("windows_lines", "lines as on Windows", raw=lambda text: text.replace("\n", "\r\n").encode()),
    harmless(
        "not_a_number", "NaN and Infinity in the metadata", edit=whole(metadata={"x": [float("nan"), -float("inf")]})
    ),
    harmless("key_twice", "a key twice", raw=lambda text: b'{"cells": [], ' + text.encode().lstrip()[1:]),
    unread("trailing", "words behind", raw=lambda text: text.encode() + b" and so on"),
    unread("commented", "a comment", raw=lambda text: b"// mine\n" + text.encode()),
    unread("two_notebooks", "two notebooks in a file", raw=lambda text: text.encode() * 2),
    unread("millions_of_lists", "a million lists", raw=lambda text: b"[" + b"[]," * 1_000_000 + b"[]]"),
    unread("spaces", "only spaces", raw=lambda text: b" " * 1_000_000),
    unread("zeros", "a megabyte of zeros", raw=lambda text: bytes(1_000_000)),
    unread("conflict", "what git leaves of a conflict", raw=lambda text: b"<<<<<<< HEAD\n" + text.encode()),
    unread("many_own", "2,000 cells", edit=own(*("1",) * 2_000)),
    harmless("some_own", "500 cells", edit=own(*(f"x = {i}" for i in range(500)))),
    harmless("own_markdown", "1,900 cells of text", edit=own(*("x",) * 1_900, kind="markdown")),
    harmless("own_unknown", "a cell of unknown type", edit=own("x", kind="sql")),
    unread("long_source", "a cell of two million characters", edit=own("#" + "x" * 2_000_000)),
    harmless("long_comment", "a cell of 900,000 characters", edit=own("#" + "x" * 900_000)),
    harmless("long_lines", "400,000 lines", edit=own("#\n" * 400_000)),
    harmless(
        "format_string",
        "a format string of 60,000 places",
        edit=own("s = 1\ndef f():\n    return f'" + "{s}" * 60_000 + "'"),
        loses={},
        seconds=60,
    ),
    harmless("controls", "control characters in a comment", edit=own("# \x1b[2J\x07\x08\x0b\u202e\u2066\ufffe")),
    harmless("half_character", "half a character in a comment", edit=own("# \ud800 \udfff")),
    harmless("answer_script", "HTML in a comment", edit=own(f"# {EVIL}")),
    harmless("written_script", "HTML in the written answer", edit=written(EVIL * 50)),
    harmless(
        "written_math",
        "HTML in a formula",
        edit=written(r"$\text{" + EVIL + r"}$ $\tag{<meta http-equiv=refresh content=0>}$"),
    ),
    harmless("written_deep_math", "a formula 2,000 deep", edit=written("$" + r"\frac{" * 2_000 + "}" * 2_000 + "$")),
    harmless("written_brackets", "20,000 brackets", edit=written("[" * 20_000)),
    harmless("written_stars", "20,000 stars", edit=written("*a " * 6_000)),
    harmless("written_quotes", "a quote 2,000 deep", edit=written(">" * 2_000 + "x")),
    harmless("written_lists", "lists 400 deep", edit=written("\n".join("  " * i + "- x" for i in range(400)))),
    harmless(
        "written_table",
        "a table of 2,000 columns",
        edit=written("|a" * 2_000 + "|\n" + "|-" * 2_000 + "|\n" + "|b" * 2_000 + "|"),
    ),
    harmless("written_megabyte", "a megabyte", edit=written("word " * 190_000)),
    harmless("written_dollars", "20,000 dollar signs", edit=written("$" * 20_000)),
    harmless("written_code", "a block of code that never ends", edit=written("```\n" * 5_001)),
    harmless("written_zero", "null characters", edit=written("\x00" * 1_000)),
]

# --- names ----------------------------------------------------------------------------------------------------------

STUDENTS = {
    "formula": "=1+1;=2",
    "full_width": "＝1+1",
    "option": "-rf",
    "template": "{student_id}{0}%s",
    "html": "<b onclick=alert(1)>x",
    "sql": "'); drop table student; --",
    "emoji": "👩‍🎓",
    "right_to_left": "\u05d0\u202eabc",
    "invisible": "a\u200bb",
    "longest": "x" * 128,
    "bytes": "字" * 80,
    "glob": "*[!a]?",
    "tilde": "~root",
    "comma": "Doe, Jane",
    "device": "nul",
}
REFUSED = {
    "too_long": "y" * 129,
    "line": "a\nb",
    "control": "a\x07b",
    "space": "a ",
    "raw": os.fsdecode(b"\xff\xfe"),
    "separator": "a\u2028b",
}
NAMES = [harmless(f"student_{slug}", "a strange name", student=name) for slug, name in STUDENTS.items()] + [
    Attack(f"refused_{slug}", "a name that no gradebook keeps", student=name, loses=ALL, verdict=None)
    for slug, name in REFUSED.items()
]

# --- what is shown, returned, and how long it takes ------------------------------------------------------------------


def png(width, height, data=b""):
    """The bytes of a PNG that says it is so large."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data or zlib.compress(b"\0")) + chunk(b"IEND", b"")
    )


SHOW = "from IPython.display import display, publish_display_data as show\n"


def shows(slug, what, source, **more):
    """In a cell of the student's own: what it shows must not matter to anybody."""
    return harmless(f"shows_{slug}", what, own=(("gradient", SHOW + source),), **more)


def returns(slug, what, expression, before="", verdict="wrong", loses=ONE, **more):
    body = "".join(f"    {line}\n" for line in [*before.splitlines(), f"return {expression}"])
    return Attack(f"returns_{slug}", what, {"preactivation": BEGIN + body}, loses=loses, verdict=verdict, **more)


SHOWN = [
    shows("38_displays", "38 displays of 199 kB", "for i in range(38): show({'text/plain': 'x' * 199_000})"),
    shows("displays_of_many_cells", "99 displays", "for i in range(99): show({'text/plain': 'y' * 40_000})"),
    shows("bomb_picture", "a picture of 40,000²", f"show({{'image/png': {png(40_000, 40_000)!r}}})"),
    shows("negative_picture", "one of 2³² columns", f"show({{'image/png': {png(2**32 - 1, 2**32 - 1)!r}}})"),
    shows("empty_picture", "one of no columns", f"show({{'image/png': {png(0, 0)!r}}})"),
    shows("half_picture", "half of one", f"show({{'image/png': {png(3, 3)[:20]!r}}})"),
    shows(
        "pictures", "90 pictures of 90 kB", f"for i in range(90): show({{'image/png': {png(9, 9)!r} + bytes(90_000)}})"
    ),
    shows(
        "html",
        "HTML, a script, a vector graphic",
        f"show({{'text/html': {EVIL!r}, 'application/javascript': 'alert(1)', 'image/svg+xml': '<svg onload=alert(1)>'}})",
    ),
    shows(
        "widget", "a widget", "show({'application/vnd.jupyter.widget-view+json': {'model_id': 'x'}, 'text/plain': 'w'})"
    ),
    shows("key", "a type of 100,000 characters", "show({'x' * 100_000: 'y', 'text/plain': 'z'})"),
    shows("print_10_mb", "10 MB", "print('x' * 10_000_000)"),
    shows("lines", "200,000 lines", "for i in range(200_000): print(i)"),
    shows("controls", "control characters", "print(''.join(map(chr, range(32))), '\\x1b]0;title\\x07\\x1b[2J')"),
    shows("half_characters", "half characters", "print('\\ud800 \\udfff')"),
    shows("letters", "letters beyond the basic plane", "print('𝕏' * 100_000)"),
    shows("error_10_mb", "an error of 10 MB", "raise ValueError('x' * 10_000_000)"),
    shows("error_name", "an error with a name of 100,000 characters", "raise type('E' * 100_000, (Exception,), {})"),
    shows("error_half", "an error with half a character", "raise ValueError('\\ud800')"),
    shows(
        "error_chain",
        "errors of 500 causes",
        "e = None\nfor i in range(500):\n    n = ValueError(i); n.__cause__ = e; e = n\nraise e",
    ),
    shows("forged_score", "a forged score", "show({'text/plain': '100.0'})\n100.0"),
    shows("fork", "forks that print", "import os\nfor i in range(3): os.fork()\nprint(os.getpid())"),
    shows(
        "leaves_process",
        "a process that stays",
        "import os, time\nif os.fork() == 0:\n    os.setsid(); time.sleep(3600)",
    ),
    shows(
        "leaves_files",
        "files in every folder",
        "import os\nfor d in ('/tmp', '/dev/shm', '/var/tmp', '.'):\n    try: open(d + '/left-hostile', 'w').write('x')\n    except OSError: pass",
    ),
    shows(
        "leaves_memory",
        "shared memory",
        "from multiprocessing import shared_memory\ntry: m = shared_memory.SharedMemory('hostile', True, 4096)\nexcept OSError: pass",
    ),
    shows(
        "fills_disk",
        "writes until it may not",
        "try:\n    with open('big', 'wb') as f:\n        while True: f.write(bytes(1 << 20))\nexcept OSError: pass",
    ),
    shows(
        "threads",
        "threads until it may not",
        "import threading, time\ntry:\n    for i in range(100): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\nexcept RuntimeError: pass",
    ),
    shows("exits", "ends the process", "import os\nos._exit(3)"),
    shows(
        "kills",
        "kills what it can",
        "import os, signal\nfor s in (9, 15, 1, 2):\n    for p in (-1, 0, 1):\n        try: os.kill(p, s)\n        except OSError: pass",
    ),
    returns("colliding", "a dict of 30,000 colliding numbers", "{i * (2**61 - 1): i for i in range(30_000)}"),
    returns("keys", "a dict of 190,000 keys", "{i: None for i in range(95_000)}"),
    returns("long_keys", "keys of 20,000 characters", "{chr(97 + i) * 20_000: i for i in range(20)}"),
    returns(
        "types",
        "3,000 values of mixed types",
        "[x for i in range(500) for x in (i, str(i), float(i), None, True, (i,))]",
    ),
    returns("deep", "a list 5,000 deep", "x", "x = []\nfor i in range(5_000): x = [x]"),
    returns("ring", "a list that holds itself", "x", "x = []; x.append(x)"),
    returns("number", "a number of 10⁵ digits", "10 ** 100_000"),
    returns("text", "a text of 10 MB", "'x' * 10_000_000"),
    returns("half_character", "half a character", "'\\ud800' * 100"),
    returns("controls", "control characters", "'\\x1b[2J\\x00\\x07'"),
    returns("large", "90 MB", "np.ones((len(X), 3_000_000))[:3]"),
    returns("empty", "an array of shape (0, 10⁹)", "np.ones((0, 10**9))"),
    returns("dimensions", "an array of 32 dimensions", "np.ones((1,) * 32)"),
    returns("objects", "an array of objects", "np.array([print, X, None, {}], dtype=object)"),
    returns("structured", "a structured array", "np.zeros(3, dtype=[('a', 'f8'), ('b', 'U9')])"),
    returns("dates", "an array of dates", "np.array(['2026-01-01'] * len(X), dtype='datetime64[D]')"),
    returns("complex_nan", "complex NaN", "(X @ w + b) * complex('nan+nanj')"),
    returns("denormal", "the smallest numbers", "(X @ w + b) * 0 + 5e-324"),
    returns("infinite", "infinite numbers", "(X @ w + b) * np.inf"),
    returns("small_integers", "8-bit integers", "(X @ w + b).astype(np.int8) * 100"),
    returns(
        "lying",
        "an object that says it is an array",
        "L()",
        "class L:\n    __class__ = np.ndarray\n    shape = (3,)\n    def __array__(self, *a, **k): raise SystemExit",
    ),
    returns(
        "subclass",
        "an array that is equal to everything",
        "E()",
        "class E(np.ndarray):\n    def __new__(c): return np.zeros(3).view(c)\n    __eq__ = lambda s, o: True",
    ),
    returns("generator", "a generator without end", "iter(int, 1)"),
    returns("bytes", "bytes", "bytes(1_000_000)"),
    returns("module", "a module", "np"),
    Attack(
        "sleeps_in_each_case",
        "sleeps in each case",
        {"preactivation": BEGIN + "    import time; time.sleep(30)\n"},
        loses=ONE,
        verdict="out of time",
        seconds=60,
    ),
    Attack("sleeps_in_own", "sleeps in a cell", own=(("gradient", "import time\ntime.sleep(60)"),), seconds=60),
    Attack(
        "endless_without_alarm",
        "an endless loop without an alarm",
        own=(("gradient", "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0)\nwhile True: pass"),),
        seconds=60,
    ),
    Attack("memory", "3 GB", own=(("gradient", "x = [bytes(1 << 24) for i in range(200)]"),), seconds=60),
    Attack(
        "memory_in_case",
        "3 GB in a case",
        {"preactivation": BEGIN + "    return [bytes(1 << 24) for i in range(200)]"},
        loses=ONE,
        verdict="out of memory",
        seconds=60,
    ),
    Attack(
        "slow_end",
        "an end that takes forever",
        own=(("gradient", "import atexit, time\natexit.register(time.sleep, 60)"),),
    ),
]

HOSTILE = FILES + TIMING + NOTEBOOKS + NAMES + SHOWN


def course_files(course):
    """What the course has beside its notebook: a file and a folder, for others to stand in their place."""
    source = course / "source" / ASSIGNMENT
    (source / "data.csv").write_text("1,2\n")
    (source / "pictures" / "more").mkdir(parents=True)
    (source / "pictures" / "cell.svg").write_text("<svg/>")
    (source / "pictures" / "more" / "net.svg").write_text("<svg/>")
