"""The student's side on a system without what Windows and macOS lack: here those parts are taken away, and it is run.

Runs as it is on Linux, macOS and Windows; what a system lacks already need not be taken away.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from autograder import build

nbformat = pytest.importorskip("nbformat")

# Every Python below the folder of this file begins with it. What the standard library itself imports on this system comes first.
TAKE_AWAY = """
import asyncio, ctypes, ctypes.util, multiprocessing, os, random, shutil, signal, socket, subprocess, sys, tempfile, threading
for name in ("fcntl", "resource", "pwd", "grp"):
    sys.modules[name] = None
gone = {
    os: "fork forkpty geteuid getegid setsid killpg wait4 waitid pidfd_open O_NOFOLLOW O_DIRECTORY",
    signal: "setitimer getitimer alarm SIGALRM ITIMER_REAL pthread_sigmask pidfd_send_signal",
    socket: "AF_UNIX send_fds recv_fds",
}
for module, names in gone.items():
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
def socketpair(*arguments):
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        return ours, server.accept()[0]

socket.socketpair = socketpair
"""


@pytest.fixture(scope="module")
def side(tmp_path_factory):
    """Runs Python, without those parts, in a folder that is empty at first."""
    bare = tmp_path_factory.mktemp("bare")
    (bare / "sitecustomize.py").write_text(TAKE_AWAY, encoding="utf-8")
    home = tmp_path_factory.mktemp("home")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(bare), str(build.ROOT)]),
        # Nor is there a sandbox
        "PATH": str(Path(sys.executable).parent) if os.name == "posix" else os.environ["PATH"],
        "HOME": str(home),
        "USERPROFILE": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "MPLBACKEND": "agg",
        "PYTHONUTF8": "1",
    }

    def run(*arguments, cwd=home, status=0, seconds=120):
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=seconds,
        )
        assert done.returncode == status, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    run.home = home
    return run


def test_the_parts_are_gone(side):
    code = """
import os, signal, socket
for name in ("fcntl", "resource", "pwd"):
    try:
        __import__(name)
    except ImportError:
        print("no", name)
print(hasattr(os, "fork"), hasattr(signal, "setitimer"), hasattr(socket, "AF_UNIX"))
"""
    assert side("-c", code).splitlines() == ["no fcntl", "no resource", "no pwd", "False False False"]


def test_everything_that_lessons_and_assignments_import_is_there(side):
    texts = [path.read_text(encoding="utf-8") for path in sorted((build.LESSONS / "source").glob("*.md"))]
    texts += [path.read_text(encoding="utf-8") for path in sorted((build.COURSE / "source").glob("*/*.md"))]
    cells = [cell for text in texts for cell in re.findall(r"```\{code-cell\}[^\n]*\n(.*?)```", text, re.S)]
    lines = {line for cell in cells for line in re.findall(r"^(?:from [\w.]+ )?import [^(\n]+$", cell, re.M)}
    assert len(lines) > 20 and any("autograder" in line for line in lines)
    side("-c", "\n".join(sorted(lines)))


CHECK = """
import sys, threading
from autograder import CheckFailed, check
from autograder.checks import evaluation, limits

def right(X, w, b):
    return X @ w + b

def wrong(X, w, b):
    return X @ w

def endless(X, w, b):
    while True:
        pass

evaluation.ask.__defaults__ = tuple(0.3 if x == evaluation.SECONDS else x for x in evaluation.ask.__defaults__)
check("neurons.preactivation", right)
for answer in (wrong, endless):
    try:
        check("neurons.preactivation", answer)
    except CheckFailed as error:
        print("CheckFailed:", error)
print(type(limits.time_limit(1.0)).__name__)
"""
NO_THREADS = """
import threading
def start(self):
    raise RuntimeError("can't start new thread")
threading.Thread.start = start
"""


@pytest.mark.parametrize(("before", "way"), [("", "Watchdog"), (NO_THREADS, "Trace")])
def test_a_check_tells_right_from_wrong_and_stops_an_endless_loop(side, before, way):
    out = side("-c", before + CHECK)
    assert "✓ neurons.preactivation: right, 1 point." in out
    assert "This looks like a known mistake (bias dropped)." in out
    assert "Your code was stopped after 0.3 seconds. Is there an infinite loop?" in out
    assert out.count("CheckFailed: see the message above") == 2 and out.splitlines()[-1] == way


KERNEL = """
import sys, time
from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel(kernel_name="python3")
said = []

def show(message):
    content = message["content"]
    if message["msg_type"] in ("display_data", "execute_result"):
        said.append(content["data"]["text/plain"])
    elif message["msg_type"] == "error":
        said.append("\\n".join(content["traceback"]))

try:
    for cell in (
        "from autograder.checks import evaluation\\nfrom autograder import check",
        "evaluation.ask.__defaults__ = tuple(0.3 if x == evaluation.SECONDS else x for x in evaluation.ask.__defaults__)",
        "def preactivation(X, w, b):\\n    while True:\\n        pass",
        "check('neurons.preactivation', preactivation)",
        "def preactivation(X, w, b):\\n    return X @ w + b",
        "check('neurons.preactivation', preactivation)",
    ):
        client.execute_interactive(cell, output_hook=show, timeout=60)
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
print("\\n".join(said))
"""


@pytest.mark.slow
def test_a_kernel_is_not_hung_by_an_endless_loop(side):
    pytest.importorskip("jupyter_client")
    out = side("-c", KERNEL)
    assert "Your code was stopped after 0.3 seconds. Is there an infinite loop?" in out
    assert "CheckFailed: see the message above" in out and "✓ neurons.preactivation: right, 1 point." in out
    assert re.search(r"^1 of \d+ points so far; next: exercise 2, neurons\.perceptron_predict\.$", out, re.M)


# --- the command line -----------------------------------------------------------------------------------------------

COMMAND = ("-m", "autograder")


def answered(path, answers):
    """The released assignment at `path`, with {grade_id: code} in it."""
    released = build.COURSE / "release" / "neurons" / "neurons.ipynb"
    notebook = nbformat.read(released, as_version=4)
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = answers.get(grade_id, cell.source)
    nbformat.write(notebook, path)


@pytest.mark.slow
def test_check_judges_a_notebook(side):
    path = side.home / "neurons.ipynb"
    answered(
        path,
        {
            "neurons-preactivation": "def preactivation(X, w, b):\n    return X @ w + b",
            "neurons-perceptron_predict": "def perceptron_predict(X, w, b):\n    while True:\n        pass",
            "neurons-signed_distance": "def signed_distance(X, w, b):\n    return preactivation(X, w, b)",
        },
    )
    found = json.loads(side(*COMMAND, "check", path, "--json", "--yes", "--timeout", "2", status=1))
    verdicts = {one["exercise"]: (one["verdict"], one["points"]) for one in found["checks"]}
    assert verdicts["neurons.preactivation"] == ("right", 1.0)
    assert verdicts["neurons.perceptron_predict"] == ("out of time", 0.0)
    assert verdicts["neurons.signed_distance"][0] == "wrong"
    assert verdicts["neurons.sgd_fit"] == ("not attempted", 0.0)


@pytest.mark.slow
def test_start_lays_out_a_folder_and_progress_shows_it(side):
    folder = side.home / "my-course"
    side(*COMMAND, "start", folder)
    assert list(folder.rglob("*neurons*.ipynb"))
    out = side(*COMMAND, "progress", "--json", "--folder", folder)
    assert json.loads(out)["points"] == 0
    side(*COMMAND, "start", folder)
    shutil.rmtree(folder)


@pytest.mark.slow
def test_lab_can_be_asked_for_help_and_prepares_its_arguments(side):
    assert "JupyterLab" in side(*COMMAND, "lab", "--help")
    code = "import os, pathlib; from autograder.commands import lab; lab.prepare_environment(os.environ); print(lab.arguments(pathlib.Path('x'), 8888))"
    assert "--ServerApp.port=8888" in side("-c", code)


def test_the_tree_of_the_test_is_the_one_that_is_run(side):
    assert Path(side("-c", "import autograder; print(autograder.__file__)").strip()).parents[1] == build.ROOT


def test_the_references_need_no_scipy(side):
    """As in a browser: the error function and the optimizers' two products have a stand-in, and nothing else asks for it."""
    code = """
import sys
if sys.argv[1] == "without":
    sys.modules["scipy"] = None
import importlib, json, numpy as np, dlcourse
for slug in dlcourse.TOPICS:
    importlib.import_module("dlcourse." + slug)
from dlcourse.activations import gelu, gelu_grad
from dlcourse.training import Network, fit
x = np.concatenate([np.linspace(-7, 7, 281), [-1e-9, 0.0, 1e-300, 30.0, -40.0]]).reshape(2, -1)
values = [gelu(x).tolist(), gelu_grad(x.astype("float32")).tolist(), str(gelu(x.astype("float32")).dtype)]
rng = np.random.default_rng(0)
X, y = rng.standard_normal((60, 4)), rng.integers(0, 3, 60)
for optimizer in ("sgd", "adam"):
    net = Network([("linear", 4, 8), ("gelu",), ("linear", 8, 3)], rng=np.random.default_rng(1))
    fit(net, X, y, lr=0.01, epochs=3, optimizer=optimizer, rng=np.random.default_rng(2), progress=False)
    values.append(net.w.tolist())
print(json.dumps(values))
assert sys.argv[1] == "with" or not any(name.startswith("scipy.") for name in sys.modules)
"""
    ours, theirs = (json.loads(side("-c", code, which)) for which in ("without", "with"))
    assert ours[2] == theirs[2] == "float32"
    for place, tolerance in ((0, 1e-15), (1, 1e-6), (3, 1e-12), (4, 1e-12)):
        np.testing.assert_allclose(ours[place], theirs[place], rtol=tolerance, atol=tolerance)
