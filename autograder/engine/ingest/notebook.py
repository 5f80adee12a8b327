"""The cells of a notebook file that a student has made: their types, sources and ids, and nothing else that it claims."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from .folder import MB, NOTEBOOK_BYTES

CELLS = 2_000
SOURCE_CHARACTERS = 1 * MB
# Of brackets and commas: small objects are where a small file becomes much memory
BRACKETS = 200_000
COMMAS = 2_000_000


class _Unreadable(Exception):
    """Why a file is not a notebook that can be read."""


def parse(data: bytes) -> tuple[tuple[SubmittedCell, ...], str]:
    """(cells of a submitted notebook, ""), or ((), why it cannot be read). A cell: type, source, grade_id, id."""
    try:
        return _cells(_notebook(data)), ""
    except _Unreadable as why:
        return (), str(why)


def _notebook(data):
    """The notebook as a dictionary in format 4."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise _Unreadable("the file is empty")
    if len(data) > NOTEBOOK_BYTES:
        raise _Unreadable(f"it is larger than {NOTEBOOK_BYTES // MB} MB")
    if data.count(b"[") + data.count(b"{") > BRACKETS or data.count(b",") > COMMAS:
        raise _Unreadable("it holds too many small pieces for a notebook")
    notebook = _json(data)
    if not isinstance(notebook, dict):
        raise _Unreadable("it is JSON but not a notebook")
    version = notebook.get("nbformat")
    if version == 3:
        return _upgraded(notebook)
    if version != 4 or isinstance(version, bool):
        raise _Unreadable(f"expected notebook format 4, got {_short(repr(version))}")
    return notebook


def how_read(data: bytes) -> str:
    """What a person should know of how a notebook was read, "" for UTF-8 without a conflict."""
    try:
        text, encoding = _decoded(data)
    except _Unreadable:
        return ""
    told = [f"is not UTF-8 and was read as {encoding}"] if encoding else []
    if _sides(text):
        told.append("holds a conflict of git; one of its two sides was graded")
    return ", and ".join(told)


def _sides(text):
    """The two sides of a file that git could not merge, as two texts; () for any other file."""
    sides: tuple[list[str], list[str]] = ([], [])
    part, whole = "both", False
    for line in text.splitlines(keepends=True) if "<<<<<<< " in text else ():
        mark = line[:7]
        if part == "both" and mark == "<" * 7:
            part = "ours"
        elif part == "ours" and mark == "|" * 7:
            # With "diff3" their common ancestor stands between
            part = "ancestor"
        elif part in ("ours", "ancestor") and mark == "=" * 7:
            part = "theirs"
        elif part == "theirs" and mark == ">" * 7:
            part, whole = "both", True
        else:
            for name, side in zip(("ours", "theirs"), sides, strict=True):
                if part in ("both", name):
                    side.append(line)
    return tuple(map("".join, sides)) if whole and part == "both" else ()


def _decoded(data):
    """(text, the encoding where it is not UTF-8)."""
    found = json.detect_encoding(data)
    for encoding, name in ((found, "" if found.startswith("utf-8") else found.upper()), ("cp1252", "Windows-1252")):
        try:
            return data.decode(encoding), name
        except UnicodeDecodeError as error:
            place = error.start
    raise _Unreadable(f"it is neither UTF-8, UTF-16 nor Windows-1252 (byte {place})")


def _json(data):
    text, _ = _decoded(data)
    first, *others = _sides(text) or (text,)
    try:
        return _loads(first)
    except _Unreadable:
        if not others:
            raise
        return _loads(others[0])


def _loads(text):
    try:
        return json.loads(text)
    except RecursionError:
        raise _Unreadable("it is nested too deeply") from None
    except ValueError as error:
        raise _Unreadable(f"it is not JSON ({_short(error)})") from None


def _cells(notebook):
    raw = notebook.get("cells")
    if not isinstance(raw, list):
        raise _Unreadable("it has no list of cells")
    if len(raw) > CELLS:
        raise _Unreadable(f"it has {len(raw)} cells; at most {CELLS} are read")
    cells = [_submitted(cell) for cell in raw]
    if None in cells:
        raise _Unreadable(f"its cell {cells.index(None) + 1} is not a notebook cell")
    if sum(len(cell.source) for cell in cells) > SOURCE_CHARACTERS:
        raise _Unreadable(f"its cells hold more than {SOURCE_CHARACTERS // MB} million characters")
    return tuple(cells)


def _upgraded(notebook):
    import warnings

    import nbformat

    try:
        sheets = [{"cells": [_light(cell) for cell in sheet["cells"]]} for sheet in notebook["worksheets"]]
        if sum(len(sheet["cells"]) for sheet in sheets) > CELLS:
            raise _Unreadable(f"it has more than {CELLS} cells")
        light = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": sheets}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # `reads` and not `convert`: an old file may hold its sources as lines
            return dict(nbformat.reads(json.dumps(light), as_version=4))
    except _Unreadable:
        raise
    # Whatever a made-up file does to the converter, it is a file that cannot be read
    except Exception as error:
        problem = f"it has notebook format 3 and cannot be brought up to date ({type(error).__name__})"
        raise _Unreadable(problem) from None


def _light(cell):
    """A cell of format 3 with nothing but what is read of it: the converter takes its time over every output."""
    kept = {key: cell[key] for key in ("cell_type", "input", "source", "level", "language") if key in cell}
    marks = (cell.get("metadata") or {}).get("nbgrader")
    kept["metadata"] = {"nbgrader": {"grade_id": marks.get("grade_id")}} if isinstance(marks, dict) else {}
    return kept | ({"outputs": []} if cell["cell_type"] == "code" else {})


@dataclass(frozen=True)
class SubmittedCell:
    cell_type: str
    source: str
    grade_id: str
    id: str | None


def _submitted(cell):
    if not isinstance(cell, dict) or not isinstance(cell.get("cell_type"), str):
        return None
    source = cell_text(cell.get("source", ""))
    if source is None:
        return None
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = marks.get("grade_id") if isinstance(marks, dict) else None
    own = cell.get("id")
    kind = cell["cell_type"] if cell["cell_type"] in ("code", "markdown") else "raw"
    return SubmittedCell(
        kind, source, grade_id if isinstance(grade_id, str) else "", own if isinstance(own, str) else None
    )


def _short(value):
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "…"


def cell_text(source: Any) -> str | None:
    """A cell's source, a string or a list of strings, as text that can be written; None if it is neither."""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return None
    # Half of a surrogate pair can be written in JSON, but not in a file
    return source.encode("utf-8", "replace").decode("utf-8")
