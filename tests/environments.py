"""Python environments beside the one that runs the tests, made of links to its packages."""

import importlib.metadata
import os
import shutil
import sys
import venv
from pathlib import Path

from packaging.requirements import Requirement

from autograder.engine.sandbox import environment


def _link(source, target):
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


def _own_python(folder):
    """A Python with its standard library in `folder`, as conda lays it out: no other installation stands behind it."""
    base, version = Path(sys.base_prefix), f"python{sys.version_info.major}.{sys.version_info.minor}"
    (folder / "bin").mkdir(parents=True)
    (folder / "conda-meta").mkdir()
    (folder / "conda-meta" / "history").write_text("")
    shutil.copy(base / "bin" / version, folder / "bin" / version)
    (folder / "bin" / "python").symlink_to(version)
    left_out = shutil.ignore_patterns("site-packages", "__pycache__", "test", "idlelib", "tkinter", "ensurepip")
    shutil.copytree(base / "lib" / version, folder / "lib" / version, copy_function=_link, ignore=left_out)
    for library in (base / "lib").glob("libpython*"):
        _link(library, folder / "lib" / library.name)
    (folder / "lib" / version / "site-packages").mkdir()


def make(folder, own_python=False):
    """An environment in `folder`: the few packages that are needed, one more (`only_there`), one that brings exercises.

    own_python : with a Python inside, as conda makes them, else a virtual environment of the one that runs this.
    """
    if own_python:
        _own_python(folder)
    else:
        venv.create(folder, symlinks=True, with_pip=False)
    (site,) = folder.glob("lib/python*/site-packages")
    todo, seen = [name.replace("_", "-") for name in environment.NEEDED], set()
    while todo:
        distribution = importlib.metadata.distribution(todo.pop())
        if distribution.name in seen:
            continue
        seen.add(distribution.name)
        for top in {file.parts[0] for file in distribution.files if ".." not in file.parts}:
            path = Path(distribution.locate_file(top))
            if path.is_dir():
                shutil.copytree(path, site / top, copy_function=_link, dirs_exist_ok=True)
            elif path.is_file():
                _link(path, site / top)
        needed = [Requirement(text) for text in distribution.requires or ()]
        todo += [one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    (site / "only_there.py").write_text("value = 7\n")
    for name in ("stats_exercises", "autograder"):
        (site / name).mkdir()
        (site / name / "secret.py").write_text("solution = 42\n")
    info = site / "stats_exercises-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stats-exercises\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[dlcourse.exercises]\nstats = stats_exercises\n")
    return folder
