"""Installed without a clone: a wheel is built, installed beside this Python's packages, and used from an empty folder."""

import asyncio
import importlib.metadata
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import dlcourse
from autograder import build, get_exercise, start_page

pytestmark = pytest.mark.slow
# What `pip install dlcourse` brings, without an extra
BARE = ("numpy", "numpy.libs", "scipy", "scipy.libs", "array_api_compat")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of the sources and without a network."""
    if int(importlib.metadata.version("setuptools").split(".")[0]) < 77:
        pytest.skip("setuptools 77 or newer is not installed (make dev)")
    if build.ROOT is None:
        pytest.skip("a wheel is built from a clone")
    source = tmp_path_factory.mktemp("source")
    made = (
        "__pycache__",
        "gradebook.db*",
        "submitted",
        "autograded",
        "feedback",
        "records",
        "exchange",
        "course_secret",
    )
    for name in ("dlcourse", "autograder", "notebooks"):
        shutil.copytree(build.ROOT / name, source / name, ignore=shutil.ignore_patterns(*made))
    for name in ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(build.ROOT / name, source)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--disable-pip-version-check",
        "--no-index",
        "--no-deps",
    ]
    done = subprocess.run(
        [*command, "--no-build-isolation", "--wheel-dir", source / "dist", source],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return next((source / "dist").glob("*.whl"))


def environment(folder, wheel):
    """A virtual environment with the wheel and nothing else; returns its folder for packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=120)
    python = next(folder.glob("[bS][ic]*/python*"))
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, "--no-index", "--no-deps", wheel], check=True, timeout=120)
    return next(folder.glob("[lL]ib/**/site-packages"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """run(*arguments): the installed command in an empty folder; its `folder` and `command` besides."""
    home = tmp_path_factory.mktemp("installed")
    mine = Path(sys.prefix)
    packages = environment(home / "env", wheel)
    # The packages of this environment, but not the clone: its .pth file is not read from there
    others = next(mine.glob("[lL]ib/**/site-packages"))
    (packages / "shared.pth").write_text(f"{others}\n")
    for name in ("share", "etc"):
        (home / "env" / name).symlink_to(mine / name)
    scripts = Path(sys.executable).parent
    for path in scripts.iterdir():
        if not (home / "env" / scripts.name / path.name).exists():
            (home / "env" / scripts.name / path.name).symlink_to(path)
    folder = home / "empty"
    folder.mkdir()
    command = home / "env" / scripts.name / "dlcourse"
    surroundings = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "DLCOURSE_SECRET")}
    surroundings |= {"HOME": str(home)} | {
        f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "DATA", "RUNTIME")
    }

    def run(*arguments, seconds=240):
        done = subprocess.run(
            [command, *map(str, arguments)],
            cwd=folder,
            env=surroundings,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
        return done.returncode, done.stdout, done.stderr

    run.folder, run.command, run.environment = folder, command, surroundings
    where = subprocess.run(
        [command.parent / "python", "-c", "import autograder; print(autograder.__file__)"],
        cwd=folder,
        env=surroundings,
        capture_output=True,
        text=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(home), "the clone's package is used, not the wheel's"
    return run


def test_the_version_and_a_page_of_help(installed):
    assert installed("--version") == (0, f"dlcourse {dlcourse.__version__}\n", "")
    assert installed("--help")[0] == 0


def test_start_progress_and_check(installed):
    status, out, err = installed("start")
    assert (status, err) == (0, "") and out.endswith("my-dlcourse: 29 files laid out\nOpen it with: dlcourse lab\n")
    mine = installed.folder / "my-dlcourse"
    for slug in build.lesson_slugs():
        name = f"{build.lesson_name(slug)}.ipynb"
        assert (mine / "lessons" / name).read_bytes() == (build.LESSONS / name).read_bytes()
    status, out, _ = installed("progress")
    points = sum(lesson.max_points for lesson in start_page.catalogue())
    assert status == 0 and f"0 of {points} points of the checks so far, 0 of 14 lessons ticked" in out
    status, out, _ = installed("check", "--json", "my-dlcourse/assignments/neurons/neurons.ipynb")
    data = json.loads(out)
    assert status == 1 and {one["verdict"] for one in data["checks"]} == {"not attempted"}


def test_audit(installed):
    status, out, _ = installed("audit", "neurons.preactivation", "--json")
    assert status == 0 and json.loads(out) == {
        **dict.fromkeys(("mistakes", "rejected", "named"), len(get_exercise("neurons.preactivation").mistakes)),
        **dict.fromkeys(("variants", "variants_passed"), 2),
        "exercises": 1,
    }


def test_a_teachers_folder_and_its_first_release(installed):
    assert installed("start", "--instructor", "course")[0] == 0
    status, _, err = installed("release", "graph", "--course", "course")
    assert status == 0, err
    assert (installed.folder / "course" / "release" / "graph" / "graph.ipynb").read_bytes() == (
        build.COURSE / "release" / "graph" / "graph.ipynb"
    ).read_bytes()


def test_demo(installed):
    status, out, err = installed("demo", seconds=400)
    assert status == 0, err
    assert (
        re.search(r"\| untouched \| +0 \| 46 \|", out)
        and (installed.folder / "demo" / "reports" / "neurons.html").exists()
    )


@pytest.mark.parametrize("arguments", [("check",), ("lessons",), ("assignments", "neurons")])
def test_building_says_that_it_needs_a_clone(installed, arguments):
    assert installed("build", *arguments) == (
        2,
        "",
        "error: build needs a clone of the project: the installed dlcourse holds no sources of the lessons\n",
    )


def test_without_an_extra_the_command_names_it(wheel, tmp_path):
    packages = environment(tmp_path / "env", wheel)
    others = next(Path(sys.prefix).glob("[lL]ib/**/site-packages"))
    for name in BARE:
        if (others / name).exists():
            (packages / name).symlink_to(others / name)
    command = next((tmp_path / "env").glob("[bS][ic]*/dlcourse*"))
    done = subprocess.run([command, "lab"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (
        1,
        "",
        "error: typer is not installed; install what the command line needs: python -m pip install 'dlcourse[grading]'\n",
    )


# --- lab ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lab(installed):
    """`dlcourse lab` from the empty folder; yields fetch(path) -> bytes."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    options = ("--no-browser", "--port", str(port), "--allow-root", "--ip=127.0.0.1", "--IdentityProvider.token=t")
    log = installed.folder.parent / "lab.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [installed.command, "lab", *options],
            cwd=installed.folder,
            env=installed.environment,
            stdout=out,
            stderr=out,
        )

    def fetch(path, data=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}", data=data, headers={"Authorization": "token t"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()

    fetch.port = port
    try:
        for _ in range(240):
            try:
                fetch("/api/status")
                break
            except OSError:
                assert server.poll() is None, log.read_text()
                time.sleep(0.5)
        else:
            pytest.fail("JupyterLab did not start:\n" + log.read_text())
        yield fetch
    finally:
        server.terminate()
        try:
            assert server.wait(60) == 0, log.read_text()
        finally:
            server.kill()


def test_lab_serves_the_students_folder_and_nothing_else(lab):
    top = json.loads(lab("/api/contents/"))
    assert sorted(one["name"] for one in top["content"]) == ["assignments", "lessons", "start.ipynb"]
    lesson = json.loads(lab("/api/contents/lessons/01_neurons.ipynb"))
    assert lesson["content"]["cells"][0]["source"].startswith("# 1 · Neurons")
    assert lab("/lab/tree/start.ipynb")


def test_lab_has_no_buttons_of_teachers_and_asks_for_no_news(lab):
    page = lab("/lab").decode()
    config = json.loads(re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.S)[1])
    off = set(config["disabledExtensions"])
    assert {f"@jupyter/nbgrader:{name}" for name in ("create-assignment", "formgrader", "validate-assignment")} <= off
    with pytest.raises(urllib.error.HTTPError, match="404"):
        lab("/formgrader")
    news = json.loads(lab("/lab/api/settings/@jupyterlab/apputils-extension:notification"))
    defaults = {name: value["default"] for name, value in news["schema"]["properties"].items()}
    assert (defaults["fetchNews"], defaults["checkForUpdates"]) == ("false", False)


def test_dlcourse_is_on_the_path_of_the_terminal(lab, installed):
    websocket = pytest.importorskip("tornado.websocket")
    from tornado.httpclient import HTTPRequest

    name = json.loads(lab("/api/terminals", data=b"{}"))["name"]

    async def ask():
        address = f"ws://127.0.0.1:{lab.port}/terminals/websocket/{name}"
        socket = await websocket.websocket_connect(HTTPRequest(address, headers={"Authorization": "token t"}))
        await socket.write_message(json.dumps(["stdin", "echo found=$(command -v dlcourse)=\r"]))
        heard = ""
        while not (found := re.search(r"found=(/[^=\r\n]*)=", heard)):
            kind, text = json.loads(await asyncio.wait_for(socket.read_message(), 60))[:2]
            heard += text if kind == "stdout" else ""
        socket.close()
        return found[1]

    assert Path(asyncio.run(ask())) == installed.command
