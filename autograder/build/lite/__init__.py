"""The course in a browser tab: a static site of JupyterLab, with Python as WebAssembly, made by `make lite`.

What stands in it is what `dlcourse start` lays out. The packages come as wheels beside it; Pyodide comes from its own host,
or from a local copy that is then part of the site.
"""

import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from html import escape
from pathlib import Path

from ... import start_page, workspace
from ...errors import BuildError
from ..pyodide import VERSION
from ..sources import ROOT

__all__ = ["build_site"]

HERE = Path(__file__).resolve().parent
CDN = f"https://cdn.jsdelivr.net/pyodide/v{VERSION}/full/"
KERNEL = "@jupyterlite/pyodide-kernel-extension"
# Of Pyodide's own packages, what the kernel and the course import: loaded at once, not one import after the other
PRELOADED = ("micropip", "ssl", "sqlite3", "jedi", "ipython", "numpy", "matplotlib")
# Loaded when a cell imports it: an assignment asks for its error function
ASKED = ("scipy",)
# Pure Python, from the package index in the versions of constraints.txt
WHEELS = ("array-api-compat", "fsrs", "comm", "ipywidgets", "anywidget", "psygnal", "typing-extensions")
# The kernel's own, which come with it
KERNEL_WHEELS = ("piplite", "ipykernel", "pyodide_kernel", "widgetsnbextension")
CORE = ("pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
LAB_EXTENSIONS = (KERNEL, "@jupyter-widgets/jupyterlab-manager", "anywidget")


def build_site(target, pyodide=None):
    """Write the site into the folder `target`, which is replaced.

    pyodide : a folder with Pyodide's files, which become part of the site; by default they are loaded from its own host.

    Raises `BuildError` where a tool is missing.
    """
    if pyodide is not None and not (Path(pyodide) / "pyodide-lock.json").is_file():
        raise BuildError(f"{pyodide} holds no Pyodide: expected its pyodide.js and pyodide-lock.json there")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        _contents(work / "contents")
        wheels = _wheels(work / "pypi")
        _settings(work, wheels, pyodide)
        _jupyterlite(work, target)
    if pyodide is not None:
        _copy_pyodide(Path(pyodide), target / "pyodide")
    _own_pages(target, pyodide)
    return target


# --- what goes in ---------------------------------------------------------------------------------------------------


def _contents(folder):
    """The student's folder, and a page to practise."""
    workspace.lay_out(folder)
    practice = json.loads(start_page.template())
    texts = ("# Practice\n\nSmall questions for paper and pencil. Run the cell below (Shift+Enter).", _PRACTICE)
    for cell, text in zip(practice["cells"], texts, strict=True):
        cell["source"] = text.splitlines(keepends=True)
    (folder / "practice.ipynb").write_text(json.dumps(practice, indent=1) + "\n", encoding="utf-8")


_PRACTICE = "from autograder import practice\n\npractice()"


# Of a clone, what is made there and belongs to nobody else
LEFT_OUT = (
    *("__pycache__", "gradebook.db*", "submitted", "autograded", "feedback", "records", "exchange", "course_secret"),
)


def _wheels(folder):
    """The wheels of the course and of what it needs, into the folder; returns their names."""
    folder.mkdir()
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    pins = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        name, _, version = line.partition(";")[0].strip().partition("==")
        pins[name] = version
    _run(
        [*pip, "download", "--no-deps", "--only-binary=:all:", "--python-version=3.12", "--platform=any"]
        + ["--implementation=py", "--abi=none", "--dest", folder, *(f"{name}=={pins[name]}" for name in WHEELS)],
        "the wheels of the browser's Python cannot be had",
    )
    with tempfile.TemporaryDirectory() as source:
        # setuptools would put what an earlier version left in its folder into the wheel
        for name in ("dlcourse", "autograder", "notebooks"):
            shutil.copytree(ROOT / name, Path(source) / name, ignore=shutil.ignore_patterns(*LEFT_OUT))
        for name in ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"):
            shutil.copy(ROOT / name, source)
        _run(
            [*pip, "wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source],
            "the wheel of dlcourse cannot be built",
        )
    _without_outputs(next(folder.glob("dlcourse-*.whl")))
    return sorted(path.name for path in folder.glob("*.whl"))


def _run(command, problem):
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise BuildError(f"{problem}: {(done.stderr or done.stdout).strip()}")


def _without_outputs(wheel):
    """The wheel's lessons without their pictures: there they serve the start page's table, the site has them whole."""
    bare = wheel.with_suffix(".bare")
    with zipfile.ZipFile(wheel) as whole, zipfile.ZipFile(bare, "w", zipfile.ZIP_DEFLATED) as made:
        for info in whole.infolist():
            data = whole.read(info)
            if info.filename.startswith("autograder/lessons/") and info.filename.endswith(".ipynb"):
                notebook = json.loads(data)
                for cell in notebook["cells"]:
                    if cell["cell_type"] == "code":
                        cell["outputs"] = []
                data = json.dumps(notebook).encode()
            made.writestr(zipfile.ZipInfo(info.filename, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    bare.replace(wheel)


def _settings(work, wheels, pyodide):
    """JupyterLite's two files of settings, and JupyterLab's."""
    # The kernel's worker lies in its extension's folder; these are looked up from there
    site = "../../../.."
    packages = [*PRELOADED, *(f"{site}/pypi/{name}" for name in wheels)]
    share = Path(sys.prefix) / "share" / "jupyter" / "labextensions"
    own = share / KERNEL / "static"
    packages += [max(own.glob(f"pypi/{name}-*.whl")).relative_to(own).as_posix() for name in KERNEL_WHEELS]
    build = {
        "apps": ["lab"],
        "contents": [str(work / "contents")],
        "federated_extensions": [str(share / name) for name in LAB_EXTENSIONS] + [str(HERE / "extension")],
        "ignore_sys_prefix": True,
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
        # The same site from the same sources
        "source_date_epoch": _commit_time(),
    }
    (work / "jupyter_lite_config.json").write_text(
        json.dumps({"LiteBuildConfig": build, "ContentsManager": {"allow_hidden": True}})
    )
    shutil.copy(HERE / "overrides.json", work)
    kernel = {
        "pyodideUrl": "./pyodide/pyodide.js" if pyodide is not None else f"{CDN}pyodide.js",
        "disablePyPIFallback": True,
        "loadPyodideOptions": {"packages": packages},
    }
    site = {
        "appName": "dlcourse",
        "exposeAppInBrowser": "true",
        "litePluginSettings": {f"{KERNEL}:kernel": kernel},
    }
    (work / "jupyter-lite.json").write_text(json.dumps({"jupyter-lite-schema-version": 0, "jupyter-config-data": site}))


def _commit_time():
    """Seconds since 1970 of the clone's last commit, and now where git or the clone's history is not there."""
    try:
        done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return int(time.time())
    return int(done.stdout) if done.stdout.strip().isdigit() else int(time.time())


def _jupyterlite(work, target):
    for name in ("jupyterlite-core", "jupyterlite-pyodide-kernel"):
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            raise BuildError(f"{name} is not installed; make lite installs it") from None
    shutil.rmtree(target, ignore_errors=True)
    done = subprocess.run(
        [sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", work, "--output-dir", target],
        capture_output=True,
        text=True,
        cwd=work,
        env=os.environ | {"JUPYTER_PLATFORM_DIRS": "1"},
    )
    if done.returncode:
        raise BuildError(f"jupyter lite build fails: {(done.stdout + done.stderr).strip()[-2000:]}")


def _copy_pyodide(source, target):
    """Pyodide's core, and of its packages those that are loaded, at once or when they are asked for."""
    packages = json.loads((source / "pyodide-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted, found = [*PRELOADED, *ASKED], set()
    while wanted:
        name = wanted.pop().replace("_", "-")
        if name not in found:
            found.add(name)
            wanted += packages[name]["depends"]
    target.mkdir()
    for name in (*CORE, *(packages[name]["file_name"] for name in found)):
        if not (source / name).is_file():
            raise BuildError(f"{source} lacks Pyodide's file {name}")
        shutil.copy(source / name, target)


# --- what is ours ---------------------------------------------------------------------------------------------------


def _own_pages(target, pyodide):
    """The front page, the service worker, and the list of all files that tells it what a new version has changed."""
    words = {
        "@ROWS@": "\n".join(map(_row, start_page.catalogue())),
        "@JUPYTERLITE@": importlib.metadata.version("jupyterlite-core"),
        "@MEGABYTES@": "47",
        "@PYODIDE@": "" if pyodide is not None else CDN,
    }
    (target / "index.html").write_text(_filled("index.html", words), encoding="utf-8")
    (target / "service-worker.js").unlink()
    files = {
        path.relative_to(target).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        for path in sorted(target.rglob("*"))
        if path.is_file()
    }
    contents = [name for name in files if name.startswith(("files/", "api/contents/"))]
    manifest = json.dumps({"files": files, "contents": contents}, separators=(",", ":"))
    (target / "manifest.json").write_text(manifest, encoding="utf-8")
    words["@VERSION@"] = hashlib.sha256(manifest.encode()).hexdigest()[:12]
    (target / "service-worker.js").write_text(_filled("service-worker.js", words), encoding="utf-8")


def _filled(name, words):
    text = (HERE / name).read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def _row(one):
    assignment = f'<a href="?path={one.assignment}">{len(one.exercises)} exercises</a>' if one.assignment else ""
    return (
        f'<tr data-slug="{one.slug}" data-most="{one.max_points:g}" data-exercises="{escape(json.dumps(one.exercises))}"><td>○</td>'
        f'<td><a href="?path={one.notebook}">{escape(one.title)}</a></td><td class="time">{one.minutes} min</td>'
        f"<td>{assignment}</td><td>{f'0 of {one.max_points:g}' if one.assignment else ''}</td></tr>"
    )
