"""The first hour: what the README and the students' guide say to type, typed exactly, in their order, from a fresh copy.

Every shell line of both has a place here: it runs, or it is left out for a reason. A new line without one fails.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from autograder import build

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="the guide's shell lines are for a shell"),
]
README, GUIDE = (Path("README.md"), Path("docs") / "students.md")
# Lines that are not typed here
LEFT_OUT = {
    r"sudo apt install ": "needs root and the distribution's archive; .ci/run does it",
    r"xcode-select --install": "macOS only",
    r"wsl --install": "Windows only",
    r"conda ": "needs conda",
    r"make test": "this test is one of them",
    r"dlcourse practice": "asks until it is told to stop; tests/test_practice.py answers it",
}
OPENS_JUPYTERLAB = {"make lab", "dlcourse lab"}
SECONDS = 900


def shell_blocks(path, section=None):
    """The shell blocks of a guide, or of one of its sections, as lists of lines without comments."""
    text = (build.ROOT / path).read_text(encoding="utf-8")
    if section:
        text = re.search(rf"^(#+) {re.escape(section)}\n(.*?)(?=^#{{1,3}} |\Z)", text, re.M | re.S)[2]
    for language, code in re.findall(r"^```(\w*)\n(.*?)^```", text, re.M | re.S):
        lines = [line.partition("  #")[0].rstrip() for line in code.splitlines()]
        if language in ("sh", "powershell") or (not language and re.match(r"(make|dlcourse) ", code)):
            yield [line for line in lines if line]


def left_out(line):
    return next((reason for start, reason in LEFT_OUT.items() if re.match(start, line)), None)


@pytest.fixture(scope="module", autouse=True)
def index():
    """Skips where no package can be had: everything below begins with an installation."""
    command = [sys.executable, "-m", "pip", "index", "versions", "--disable-pip-version-check", "array-api-compat"]
    if subprocess.run(command, capture_output=True, timeout=120).returncode:
        pytest.skip("no package index can be reached")


class Copy:
    """A fresh copy of the project and a shell in it; `type` runs one line as the student's shell would."""

    def __init__(self, home):
        self.home, self.root = home, home / "Über uns" / "dlcourse"
        self.root.mkdir(parents=True)
        for path in tracked():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(build.ROOT / path, self.root / path)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        # A student's own configuration: no browser is there, and in a container the student is root
        settings = {
            "ServerApp": {"open_browser": False, "allow_root": True, "port": self.port, "ip": "127.0.0.1"},
            "IdentityProvider": {"token": "t"},
        }
        (home / "CONFIG").mkdir()
        (home / "CONFIG" / "jupyter_server_config.json").write_text(json.dumps(settings))
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("DLCOURSE_", "PYTHON"))}
        plain.pop("VIRTUAL_ENV", None)
        # What JupyterLab imports it compiles itself; to compile everything takes as long as its installation
        plain |= {"PIP_NO_COMPILE": "1", "UV_COMPILE_BYTECODE": "0"}
        self.environment = plain | {
            "PATH": os.pathsep.join(
                place for place in plain["PATH"].split(os.pathsep) if place != str(Path(sys.executable).parent)
            ),
            "IPYTHONDIR": str(home / "ipython"),
            **{f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "DATA", "RUNTIME")},
        }
        # What one line leaves for the next: the folder, the activated environment
        self.before = f"cd {str(self.root)!r}"

    def type(self, line):
        if line in OPENS_JUPYTERLAB:
            return self.open(line)
        script = f"set -e; {self.before}\n{line}\n"
        done = self._run(script)
        assert done.returncode == 0, f"$ {line}\n{done.stdout}\n{done.stderr}"
        if re.match(r"cd |\. ", line):
            self.before += f"; {line}"
        return done.stdout

    def _run(self, script):
        return subprocess.run(
            ["bash", "-c", script], env=self.environment, capture_output=True, text=True, timeout=SECONDS
        )

    def open(self, line):
        """JupyterLab comes up on the start page, serves a lesson, and stops."""
        log = self.home / "log"
        with log.open("w") as out:
            server = subprocess.Popen(
                ["bash", "-c", f"set -e; {self.before}; {line}"],
                env=self.environment,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        try:
            end = time.monotonic() + SECONDS
            while not self._fetch("/api/status"):
                assert server.poll() is None and time.monotonic() < end, f"$ {line}\n{log.read_text()}"
                time.sleep(1)
            lesson = json.loads(self._fetch("/api/contents/lessons/00_notation.ipynb"))
            assert lesson["content"]["cells"][0]["source"].startswith("# 0 · Notation")
            assert "/lab/tree/start.ipynb" in log.read_text()
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(60)

    def _fetch(self, path):
        with contextlib.suppress(OSError):
            request = urllib.request.Request(
                f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": "token t"}
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read()
        return b""


def tracked():
    """What a clone holds."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=build.ROOT, capture_output=True
    )
    if done.returncode:
        pytest.skip("not a git checkout")
    return [Path(name) for name in done.stdout.decode().split("\0") if name and (build.ROOT / name).is_file()]


def test_every_shell_line_of_the_guides_is_typed_or_left_out_for_a_reason():
    typed = {
        *("make lab", "make demo", "python3 -m venv .venv", ". .venv/bin/activate", "dlcourse lab"),
        'python -m pip install -c constraints.txt -e ".[grading]"',
        *("cd assignments/neurons", "dlcourse check neurons.ipynb"),
        *("dlcourse progress", "dlcourse progress --done notation"),
    }
    lines = {line for path in (README, GUIDE) for block in shell_blocks(path) for line in block}
    unknown = {line for line in lines - typed if left_out(line) is None}
    assert not unknown and typed <= lines, unknown or typed - lines


def test_the_readme_and_then_the_guide_on_linux(tmp_path):
    copy = Copy(tmp_path)
    commands = [line for block in shell_blocks(README) for line in block if left_out(line) is None]
    assert commands == ["make demo", "make lab"]
    assert "Grades of “neurons”" in copy.type(commands[0])
    copy.type(commands[1])
    for block in shell_blocks(GUIDE, "Linux"):
        for line in block:
            if left_out(line) is None:
                copy.type(line)
    # The guide's terminal is JupyterLab's: it begins in the student's folder, with the environment's commands
    copy.environment["PATH"] = f"{copy.root / '.venv' / 'bin'}{os.pathsep}{copy.environment['PATH']}"
    copy.before += "; cd my-dlcourse"
    work = [line for block in shell_blocks(GUIDE, "Work through it") for line in block]
    assert work[:2] == ["cd assignments/neurons", "dlcourse check neurons.ipynb"]
    copy.type(work[0])
    answer(copy.root / "my-dlcourse" / "assignments" / "neurons" / "neurons.ipynb")
    # One of fifteen is answered: the command says so and is not content
    done = copy._run(f"{copy.before}\n{work[1]} </dev/null\n")
    assert done.returncode == 1 and re.search(r"neurons\.preactivation +\| ✓ right", done.stdout), done.stderr
    for line in work[2:]:
        shown = copy.type(line)
    assert "| ✓ | 0 · Notation" in shown
    # Nothing of all this is a change of the project
    git = "git init -q . && git add -A && git status --porcelain my-dlcourse demo .venv"
    assert copy._run(f"cd {str(copy.root)!r}; {git}").stdout == ""


def test_the_guide_with_pip(tmp_path):
    copy = Copy(tmp_path)
    lines = [line for block in shell_blocks(GUIDE, "With pip") for line in block]
    assert lines[0].startswith("python3 -m venv") and lines[-1] == "dlcourse lab"
    for line in lines:
        copy.type(line)
        if line == lines[0] and os.environ.get("FIRST_HOUR") != "all":
            lend_packages(copy.root / ".venv")
    # The course that came up is the one that was just installed
    where = copy.type('python -c "import autograder; print(autograder.__file__)"').strip()
    assert Path(where).is_relative_to(copy.root)


def lend_packages(venv):
    """Have pip find there what it would download: to unpack it takes minutes, and uv unpacks it in the test above.

    It resolves and compares every version all the same. With FIRST_HOUR=all, as before a release, and where python3 is
    another one than that of these tests, it downloads.
    """
    theirs, ours = (next(Path(prefix).glob("lib/python*/site-packages")) for prefix in (venv, sys.prefix))
    if theirs.parent.name == ours.parent.name:
        # The .pth file of this clone is not read from there
        (theirs / "lent.pth").write_text(f"{ours}\n")
        for name in ("share", "etc"):
            (venv / name).symlink_to(Path(sys.prefix) / name)


@pytest.mark.skipif(shutil.which("conda") is None, reason="conda is not installed")
def test_the_guide_with_conda(tmp_path):
    copy = Copy(tmp_path)
    for block in shell_blocks(GUIDE, "With conda"):
        for line in block:
            copy.type(line)


def answer(path):
    """Write one right answer, as a student would."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cell = next(cell for cell in notebook["cells"] if "def preactivation" in "".join(cell["source"]))
    cell["source"] = "".join(cell["source"]).replace("raise NotImplementedError()", "return X @ w + b")
    path.write_text(json.dumps(notebook), encoding="utf-8")
