"""The Python environment of the students' code: the one that runs the grader, or one that is named.

Run as a program by another Python it prints that one's description; so it imports the standard library alone, and its text
is read by any Python 3.
"""

import functools
import importlib.metadata
import importlib.util
import json
import os
import site
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

# What runs the cells, and what the course's package imports
NEEDED = ("numpy", "scipy", "IPython", "matplotlib_inline", "array_api_compat")
OURS = ("dlcourse", "autograder")
EXERCISES = "dlcourse.exercises"
OLDEST = (3, 11)


class Environment(NamedTuple):
    """Where a Python and its packages are.

    python : the program. base : the folder of its standard library's installation. version : of the language, (3, 11).
    folders : its site-packages, in the order in which they are searched. linked : {file or folder: where it stands} of
        packages that are installed from elsewhere (pip install -e). withheld : paths that hold solutions.
    missing : what the grader needs and is not there.
    """

    python: str
    base: str
    version: tuple
    folders: tuple
    linked: dict
    withheld: tuple
    missing: tuple

    @property
    def name(self) -> str:
        """`python3.11`, as its folders are called."""
        return f"python{self.version[0]}.{self.version[1]}"


def describe() -> Environment:
    """The environment of the Python that runs this."""
    known = [*site.getsitepackages(), site.getusersitepackages()]
    # Also those that a .pth file leads to
    folders = [
        path
        for path in dict.fromkeys(sys.path)
        if (path in known or os.path.basename(path) in ("site-packages", "dist-packages")) and os.path.isdir(path)
    ]
    withheld = [os.path.join(folder, name) for folder in folders for name in OURS]
    linked = {}
    for distribution in importlib.metadata.distributions():
        names = _solutions_of(distribution)
        if names:
            withheld += [path for folder in folders for name in names for path in _files_of(Path(folder), name)]
        elif json.loads(distribution.read_text("direct_url.json") or "{}").get("dir_info", {}).get("editable"):
            linked.update(_linked(distribution))
    for name in OURS:
        linked.pop(name, None)
    return Environment(
        sys.executable,
        os.path.realpath(sys.base_prefix),
        tuple(sys.version_info[:2]),
        tuple(folders),
        linked,
        tuple(sorted({path for path in withheld if os.path.exists(path)})),
        tuple(name for name in NEEDED if importlib.util.find_spec(name) is None),
    )


def _solutions_of(distribution):
    """The modules of a package that brings exercises: they hold their solutions."""
    entries = distribution.entry_points
    return {entry.value.partition(":")[0].partition(".")[0] for entry in entries if entry.group == EXERCISES}


def _files_of(folder, name):
    return [str(path) for path in (folder / name, folder / f"{name}.py", *folder.glob(f"__pycache__/{name}.*"))]


def _linked(distribution):
    """{file or folder: where it stands} of a package that is installed from elsewhere."""
    names = (distribution.read_text("top_level.txt") or distribution.metadata["Name"].replace("-", "_")).split()
    found = {}
    for name in names:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            continue
        if spec is not None:
            path = next(iter(spec.submodule_search_locations or [spec.origin or ""]))
            if os.path.exists(path):
                found[os.path.basename(path)] = os.path.realpath(path)
    return found


@functools.lru_cache(None)
def find_environment(named: str = "") -> Environment:
    """The environment at a path, a folder of `venv` or conda or its Python; "" is the one that runs this.

    Raises `NoSandbox` where no Python is there, or one that cannot run students' code.
    """
    from ...errors import NoSandbox

    if not named:
        found = describe()
    else:
        path = Path(named).expanduser()
        choices = [path] if path.is_file() else [path / "bin" / "python", path / "Scripts" / "python.exe"]
        python = next((choice for choice in choices if choice.is_file()), None)
        if python is None:
            raise NoSandbox(
                f"the environment {named} was not found: expected the folder of a virtual environment or of conda, or its Python"
            )
        found = _ask(str(python.absolute()))
    if found.version < OLDEST:
        raise NoSandbox(
            f"the environment {named} has Python {'.'.join(map(str, found.version))}; expected 3.11 or newer"
        )
    if found.missing:
        packages = " ".join(name.replace("_", "-").lower() for name in found.missing)
        raise NoSandbox(
            f"the environment {named or found.python} lacks {', '.join(found.missing)}, which run students' notebooks",
            f"{found.python} -m pip install {packages}",
        )
    return found


def _ask(python):
    from ...errors import NoSandbox

    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        done = subprocess.run(
            [python, "-"],
            input=Path(__file__).read_text(encoding="utf-8"),
            capture_output=True,
            text=True,
            timeout=60,
            cwd=os.path.dirname(python),
            env=plain,
        )
        told = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise NoSandbox(f"the environment's Python {python} does not run ({type(error).__name__})") from error
    lists = {key: tuple(value) for key, value in told.items() if isinstance(value, list)}
    return Environment(**{**told, **lists})


if __name__ == "__main__":
    print(json.dumps(describe()._asdict()))
