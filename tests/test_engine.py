"""The grader in its sandbox: honest work earns what it earns anywhere, and hostile code meets a wall."""

import ast
import dataclasses
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from attacks.observe import descendants
from classes import eventually

import dlcourse
from autograder import build
from autograder.checks.evaluation import evaluate, exercise_seed, expected_values
from autograder.checks.exercise import get_exercise
from autograder.checks.solution import solution_parts
from autograder.engine import grader as engine_grader
from autograder.engine.grader import Grader, clean
from autograder.engine.sandbox import protocol, sandbox
from autograder.engine.sandbox.oracle import Oracle
from autograder.engine.store.records import CRASHED, NOT_ATTEMPTED, OUT_OF_MEMORY, OUT_OF_TIME, PARTLY, RIGHT, WRONG
from autograder.engine.tasks import ASSERTS, CODE, EXERCISE, TEXT, Settings, Step, Task
from autograder.errors import NoSandbox

needs_walls = pytest.mark.skipif(sandbox.shutil.which("bwrap") is None, reason="bubblewrap (bwrap) is not installed")
QUICK = Settings(timeout=2.0, total=30.0, memory=1024)

RIGHT_ANSWER = "def preactivation(X, w, b):\n    return X @ w + b"
WRONG_ANSWER = "def preactivation(X, w, b):\n    return X @ w"


def notebook(*sources, exercise="neurons.preactivation", **more):
    """A task: the student's cells, then the check of one exercise."""
    names = get_exercise(exercise).function_names
    steps = [Step(CODE, source, i, student=True) for i, source in enumerate(("import numpy as np", *sources))]
    points = get_exercise(exercise).points
    check = Step(EXERCISE, "", len(steps), grade_id="check", points=points, calls=(exercise, names))
    return Task("ada", "hw", "hw", (*steps, check), seed=11, **more)


def assignment(slug, attempted=True):
    steps = []
    for i, cell in enumerate(build.instructor_notebook(slug).cells):
        marks, source = cell.metadata.get("nbgrader", {}), cell.source
        grade_id, points = marks.get("grade_id", ""), marks.get("points", 0)
        if not attempted and marks.get("solution"):
            source = re.sub(
                r" *### BEGIN SOLUTION\n.*?### END SOLUTION", "    raise NotImplementedError()", source, flags=re.S
            )
        if cell.cell_type != "code":
            steps.append(Step(TEXT, source, i, grade_id=grade_id, points=points))
        elif marks.get("grade"):
            name = re.search(r'check\("([^"]+)"', source)[1]
            calls = (name, get_exercise(name).answer_names)
            steps.append(Step(EXERCISE, source, i, grade_id=grade_id, points=points, calls=calls))
        else:
            steps.append(Step(CODE, source, i, student=bool(marks.get("solution")), grade_id=grade_id))
    return Task("ada", slug, slug, tuple(steps), seed=5)


@pytest.fixture(scope="module")
def grader():
    with Grader(QUICK) as grader:
        yield grader


def last(result):
    return result.results[-1].verdict


# --- honest work ----------------------------------------------------------------------------------------------------


@needs_walls
@pytest.mark.slow
@pytest.mark.parametrize("slug", dlcourse.TOPICS)
def test_solutions_earn_everything_and_stubs_nothing(slug):
    with Grader() as grader:
        for attempted in (True, False):
            result = grader.grade(assignment(slug, attempted))
            verdicts = [r.verdict for r in result.results if r.verdict and r.verdict.how == "outside"]
            assert verdicts
            assert {v.verdict for v in verdicts} == {RIGHT if attempted else NOT_ATTEMPTED}, [
                v.message for v in verdicts
            ]
            assert [v.points for v in verdicts] == [v.max_points if attempted else 0 for v in verdicts]
            assert result.restarts == 0


@needs_walls
def test_a_verdict_is_what_the_check_says_at_home(grader):
    def preactivation(X, w, b):
        return X @ w

    verdict = last(grader.grade(notebook(WRONG_ANSWER)))
    at_home = evaluate("neurons.preactivation", preactivation, seed=exercise_seed(11, "neurons.preactivation"))
    assert verdict.message == at_home.message
    assert (verdict.mistake, verdict.points) == (at_home.mistake, at_home.points) == ("bias_dropped", verdict.points)
    assert verdict.hint in verdict.message
    assert verdict.verdict in (WRONG, PARTLY)
    assert [(row.case, row.passed, row.hidden) for row in verdict.rows] == [
        (row.case, row.passed, row.hidden) for row in at_home.rows
    ]


def several(*answers):
    """A task with the checks of several exercises, each after its answer: (exercise, source)."""
    steps = [Step(CODE, "import numpy as np", 0)]
    for exercise, source in answers:
        found = get_exercise(exercise)
        steps.append(Step(CODE, source, len(steps), student=True))
        calls = (exercise, found.function_names)
        steps.append(Step(EXERCISE, "", len(steps), grade_id=exercise, points=found.points, calls=calls))
    return Task("ada", "hw", "hw", tuple(steps), seed=11)


CALLS_WRONG = "def signed_distance(X, w, b):\n    return preactivation(X, w, b) / np.linalg.norm(w)"
CALLS_NOTHING = "def signed_distance(X, w, b):\n    return X @ w / np.linalg.norm(w)"


@needs_walls
def test_an_error_that_follows_from_an_earlier_exercise_costs_nothing_more(grader):
    task = several(("neurons.preactivation", WRONG_ANSWER), ("neurons.signed_distance", CALLS_WRONG))
    first, second = (came.verdict for came in grader.grade(task).results if came.verdict)
    assert (first.verdict, first.points) == (PARTLY, 0.25) or first.points < 1.0
    assert (second.verdict, second.points) == (RIGHT, 1.0)
    assert second.message.split("\n")[:2] == [
        "✓ neurons.signed_distance: right, 1 point.",
        "Follows from neurons.preactivation, which is not right yet: your answer calls it, so here it was judged with the "
        "course's version in its place.",
    ]
    # One that is wrong by itself stays wrong, and says nothing of the other
    task = several(("neurons.preactivation", WRONG_ANSWER), ("neurons.signed_distance", CALLS_NOTHING))
    second = last(grader.grade(task))
    assert second.points < 1.0 and "Follows from" not in second.message
    # A stub earns nothing, and what calls it may still be right
    stub = "def preactivation(X, w, b):\n    raise NotImplementedError()"
    task = several(("neurons.preactivation", stub), ("neurons.signed_distance", CALLS_WRONG))
    first, second = (came.verdict for came in grader.grade(task).results if came.verdict)
    assert (first.verdict, second.verdict, second.points) == (NOT_ATTEMPTED, RIGHT, 1.0)


@needs_walls
def test_what_is_lent_is_the_reference_of_the_exercise_wherever_it_stands(grader):
    # The topic's references are not in the course's package
    backward = "def backward(order, parents, local):\n    return np.zeros(len(parents))"
    accumulate = (
        "def zero_grad(grads):\n    return np.zeros_like(grads)\n"
        "def accumulate(grads, order, parents, local):\n    return grads + backward(order, parents, local)"
    )
    first, second = (
        came.verdict
        for came in grader.grade(several(("graph.backward", backward), ("graph.accumulate", accumulate))).results
        if came.verdict
    )
    assert first.verdict != RIGHT and second.verdict == RIGHT
    assert "Follows from graph.backward" in second.message
    # What is called with a function runs beside the answer: no function can be sent elsewhere
    stub = "def gd_fit(grad, X, d, w, b, lr, epochs):\n    raise NotImplementedError()"
    fits = (
        "def sgd_fit(grad, X, d, w, b, lr, epochs, rng, batch_size=1):\n"
        "    for _ in range(epochs):\n"
        "        order = rng.permutation(len(X))\n"
        "        for start in range(0, len(X), batch_size):\n"
        "            part = order[start : start + batch_size]\n"
        "            w, b = gd_fit(lambda *given: grad(*given), X[part], d[part], w, b, lr, 1)\n"
        "    return w, b"
    )
    second = last(grader.grade(several(("neurons.gd_fit", stub), ("neurons.sgd_fit", fits))))
    assert (second.verdict, second.points) == (RIGHT, 3.0) and "Follows from neurons.gd_fit" in second.message
    # It knows nothing of the answer that calls it, and is gone when that one is judged
    looks = fits.replace(
        "gd_fit(lambda", "peeked(gd_fit).__globals__['sgd_fit'](grad, X, d, w, b, lr, 1, rng); (lambda"
    )
    looks = (
        "import gc, types\n"
        "def peeked(lent):\n"
        "    lent(lambda *given: (0.0, 0.0), X0, X0, X0, 0.0, 0.1, 1)\n"
        "    return [f for f in gc.get_objects() if isinstance(f, types.FunctionType) and f.__name__ == 'gd_fit'\n"
        "            and 'sgd_fit' in f.__globals__ and f.__module__ == 'dlcourse.neurons'][-1]\n"
        "X0 = np.zeros((1, 1))\n" + looks
    )
    assert last(grader.grade(several(("neurons.gd_fit", stub), ("neurons.sgd_fit", looks)))).points == 0.0
    # Nothing is lent to an answer that asks for it by itself
    steals = (
        "from autograder import withheld\n"
        "def signed_distance(X, w, b):\n    return withheld.call('neurons.signed_distance/0', [X, w, b], {})"
    )
    assert last(grader.grade(several(("neurons.signed_distance", steals)))).points == 0.0


@needs_walls
def test_a_warning_costs_nothing(grader):
    noisy = "import warnings, sys\ndef preactivation(X, w, b):\n    warnings.warn('hm')\n    print('x', file=sys.stderr)\n    return X @ w + b"
    assert last(grader.grade(notebook(noisy))).verdict == RIGHT


@needs_walls
def test_an_exercise_may_call_the_course_but_not_its_own_reference(grader):
    own = "from dlcourse.neurons import preactivation"
    verdict = last(grader.grade(notebook(own)))
    assert (verdict.verdict, verdict.points) == (WRONG, 0.0)
    assert "the course's own version" in verdict.message
    # Another exercise's reference is not in the sandbox, yet it may be called: the supervisor computes it
    task = notebook(
        "import dlcourse.neurons as n\nu = n.preactivation(np.eye(2), np.ones(2), 1.0)\nassert u.tolist() == [2, 2]",
        "def perceptron_predict(X, w, b):\n    return np.where(n.preactivation(X, w, b) >= 0, 1, -1)",
        exercise="neurons.perceptron_predict",
    )
    both = dataclasses.replace(task, steps=(*notebook(RIGHT_ANSWER).steps, *task.steps))
    result = grader.grade(both)
    assert [r.error for r in result.results] == [""] * len(result.results)
    assert [r.verdict.verdict for r in result.results if r.verdict] == [RIGHT, RIGHT]


@needs_walls
def test_a_function_among_the_arguments_is_computed_by_the_supervisor():
    with Grader(QUICK) as grader:
        task = assignment("neurons")
        verdicts = {r.verdict.exercise: r.verdict for r in grader.grade(task).results if r.verdict}
    assert verdicts["neurons.gd_fit"].verdict == RIGHT


@needs_walls
def test_a_call_to_the_course_without_end_is_stopped(grader):
    endless = "from dlcourse.neurons import perceptron_fit\nperceptron_fit(np.eye(2), np.array([1, 1]), np.zeros(2), 0.0, 0.0, 10**12)"
    steps = (*notebook(RIGHT_ANSWER).steps, *notebook(endless, RIGHT_ANSWER, exercise="neurons.perceptron_fit").steps)
    begun = time.monotonic()
    result = grader.grade(Task("ada", "hw", "hw", steps[:-1], seed=3))
    assert time.monotonic() - begun < 20
    assert [r.verdict.verdict for r in result.results if r.verdict] == [RIGHT]


@needs_walls
def test_files_beside_the_notebook_and_a_helper_module(grader):
    task = notebook(
        "from helper import two\nassert open('data/x.txt').read() == 'hi'\nprint(two)",
        RIGHT_ANSWER,
        files={"helper.py": b"two = 2", "data/x.txt": b"hi", "numpy.py": b"raise SystemExit"},
    )
    result = grader.grade(task)
    assert result.results[1].outputs[0]["text"] == "2\n"
    assert last(result).verdict == RIGHT


@needs_walls
def test_figures_are_drawn_for_a_person_only(grader):
    plot = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    steps = (Step(CODE, plot, 0), Step(CODE, plot, 1, points=2.0, grade_id="plot", by_hand=True))
    unseen, seen = grader.grade(Task("ada", "hw", "hw", steps, seed=1)).results
    assert not any("image/png" in output.get("data", {}) for output in unseen.outputs)
    assert any("image/png" in output.get("data", {}) for output in seen.outputs)
    assert seen.verdict.how == "person" and seen.verdict.points is None


@needs_walls
def test_cells_of_plain_asserts_follow_nbgraders_rule(grader):
    sources = {
        "assert f(1) == 2": (2.0, RIGHT),
        "assert f(1) == 3": (0.0, WRONG),
        "f(1)\n1.5": (1.5, PARTLY),
        "99": (2.0, RIGHT),
        "import sys\nprint('warning', file=sys.stderr)": (2.0, RIGHT),
        "g()": (0.0, NOT_ATTEMPTED),
        "while True: pass": (0.0, OUT_OF_TIME),
    }
    code = "def f(x):\n    return x + 1\ndef g():\n    raise NotImplementedError()"
    steps = [Step(CODE, code, 0)] + [
        Step(ASSERTS, s, i + 1, points=2.0, grade_id=f"t{i}") for i, s in enumerate(sources)
    ]
    results = grader.grade(Task("ada", "hw", "hw", tuple(steps), seed=1)).results[1:]
    assert [(r.verdict.points, r.verdict.verdict) for r in results] == list(sources.values())
    assert {r.verdict.how for r in results} == {"in-process"}


# --- hostile or broken work -----------------------------------------------------------------------------------------

# Each ends, breaks or fills something in its own cell; the right answer after it still counts
CELLS = {
    "exit": "import os\nos._exit(0)",
    "sys.exit": "import sys\nsys.exit()",
    "segmentation fault": "import ctypes\nctypes.string_at(0)",
    "endless loop": "while True:\n    pass",
    "endless loop that catches everything": "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    "signals ignored": "import signal\nfor s in range(1, 65):\n    if s not in (9, 19, 32, 33): signal.signal(s, 1)\nwhile True: pass",
    "memory": "import numpy as np\nkept = []\nwhile True: kept.append(np.ones(10**7))",
    "disk": "for i in range(100): open(f'/tmp/{i}', 'wb').write(b'x' * 10**7)",
    "inodes": "for i in range(100_000): open(f'/tmp/{i}', 'w')",
    "threads": "import threading, time\nfor i in range(1000): threading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
    "processes": "import os\nfor i in range(1000):\n    if os.fork() == 0: import time; time.sleep(99)",
    "kill everything": "import os\nos.kill(-1, 9)\n",
    "kill the group": "import os\nos.kill(0, 9)",
    "recursion": "def f(): f()\nf()",
    "forged frame": "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'\\0\\0\\0\\2\\0\\0\\0\\0{}')\n    except OSError: pass",
    "garbage on every descriptor": "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'\\xff' * 99)\n    except OSError: pass",
    "closed descriptors": "import os\nos.closerange(0, 64)",
}


@needs_walls
@pytest.mark.slow
@pytest.mark.parametrize("what", CELLS)
def test_a_cell_that_breaks_something_costs_only_itself(grader, what):
    begun = time.monotonic()
    result = grader.grade(notebook(CELLS[what], RIGHT_ANSWER))
    assert last(result).verdict == RIGHT
    assert time.monotonic() - begun < 15
    assert result.memory_mb < 2 * QUICK.memory


@needs_walls
@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("import os; os._exit(0)", CRASHED),
        ("import ctypes; ctypes.string_at(0)", CRASHED),
        ("while True: pass", OUT_OF_TIME),
        ("return np.ones(10**9)", OUT_OF_MEMORY),
        ("return np.zeros(2 * 10**8, dtype='u1')", "too much output"),
        ("raise KeyboardInterrupt", WRONG),
        ("raise SystemExit", WRONG),
        ("return type('Yes', (), {'__eq__': lambda s, o: True})()", WRONG),
        ("return 10**20_000", WRONG),
        ("return np.array([object()] * 5)", WRONG),
        ("return np.array(['1'] * 5)", WRONG),
        ("return [[[[[[1]]]]]]", WRONG),
        ("return {(1, 2): {3: None}}", WRONG),
        ("x = []; x.append(x); return x", WRONG),
        ("return (X for X in ())", WRONG),
        ("return b'12345'", WRONG),
        ("return np.full(5, np.nan)", WRONG),
        ("return np.zeros((0, 5, 0))", WRONG),
        ("return [float('nan'), 'a', None, 2, X]", WRONG),
        ("return np.array(['2020-01-01'] * 5, dtype='M8[D]')", WRONG),
        ("raise type('E' * 500, (BaseException,), {'__str__': lambda s: 1 / 0})", WRONG),
        ("return type('Yes', (np.ndarray,), {'__eq__': lambda s, o: True})((3,))", WRONG),
        ("return np.ones((9000, 9000), np.int8)", WRONG),
        ("return [np.ones(10**7, np.int8), np.clongdouble(1)]", WRONG),
        ("return [1.0] * 9000 + ['x' * 20_000] * 20", WRONG),
        ("return [type(f'T{i}', (), {})() for i in range(9000)]", WRONG),
        ("return {(2**61 - 1) * i: i for i in range(1, 2000)}", WRONG),
        ("return dict.fromkeys(range(100_000))", "too much output"),
        ("return {'\\ud800\\x1b[2J' + 'k' * 20_000: '\\udfff'}", WRONG),
        ("raise ValueError('\\ud800\\x00\\u202e')", WRONG),
    ],
)
def test_a_function_that_breaks_something_costs_its_check(grader, body, verdict):
    result = grader.grade(notebook(f"def preactivation(X, w, b):\n    {body}"))
    assert (last(result).verdict, last(result).points) == (verdict, 0.0)
    # What is said of it can be shown and written, and is short
    message = last(result).message
    assert protocol.clean(message) == message and len(message.encode()) < 3000


@needs_walls
def test_after_a_crash_the_other_checks_have_their_chance(grader):
    steps = notebook(RIGHT_ANSWER, "def sigmoid(*args):\n    import os; os._exit(1)").steps
    crash = Step(EXERCISE, "", 9, grade_id="crash", points=1.0, calls=("neurons.signed_distance", ("sigmoid",)))
    result = grader.grade(Task("ada", "hw", "hw", (*steps[:-1], crash, steps[-1]), seed=3))
    assert [r.verdict.verdict for r in result.results if r.verdict] == [CRASHED, RIGHT]
    assert result.restarts == 1 and result.needs_review == ()


@needs_walls
def test_large_products_need_no_memory_that_is_used_up(grader):
    """The work space of NumPy's matrix products, 32 MB, is there before a student's code runs."""
    hoards = """
kept = []
try:
    while True: kept.append(np.empty(1 << 17))
except MemoryError:
    del kept[-8:]
def preactivation(X, w, b):
    large = np.ones((300, 300))
    return X @ w + b + 0.0 * (large @ large)[0, 0]
"""
    assert last(grader.grade(notebook(hoards))).verdict == RIGHT


@needs_walls
def test_nothing_of_the_machine_is_seen(grader, tmp_path):
    (tmp_path / "canary").write_text("secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        look = f"""
import os, socket, glob, importlib.util, gc, sys, ctypes
seen = []
for path in {[str(tmp_path / "canary"), os.path.expanduser("~"), build.__file__, "/proc/1/environ", "/proc/self/status"]!r}:
    if os.access(path, os.R_OK): seen.append(path)
for name in ("autograder.exercises", "autograder.build", "autograder.checks.evaluation", "autograder.checks.compare", "autograder.engine.grader"):
    try:
        if importlib.util.find_spec(name): seen.append(name)
    except ImportError: pass
try:
    socket.create_connection(("127.0.0.1", {server.getsockname()[1]}), 1); seen.append("network")
except OSError: pass
seen += [name for name in os.environ if "SECRET" in name]
seen += [path for path in glob.glob("/*") + glob.glob("/usr/*") + ["/kit", "/site", "/dev", "/etc"] if path != "/tmp" and os.access(path, os.W_OK)]
seen += [m for m in sys.modules if m.startswith("autograder") and m.split(".")[-1] not in ("autograder", "checks", "drivers", "limits", "trace", "uses", "link", "engine", "sandbox", "inside", "walls", "calls", "meter", "protocol", "withheld", "drivers")]
libc = ctypes.CDLL(None)
for call in (lambda: libc.unshare(0x10000000), lambda: libc.mount(b"x", b"/tmp", b"tmpfs", 0, None), lambda: libc.ptrace(0, 0, 0, 0), lambda: libc.setns(3, 0)):
    if call() == 0: seen.append("system call")
for family in (16, 17, 38, 40):
    try: socket.socket(family, 2); seen.append(family)
    except OSError: pass
print(os.getpid(), os.getuid() == 0, seen, os.listdir("/proc"))
"""
        result = grader.grade(notebook(look, RIGHT_ANSWER))
    assert result.results[1].outputs[0]["text"] == "1 False [] []\n"


LINEAR = [
    "def linear_forward(X, W, b):\n    scores = X @ W\n    return scores + b, (X, W)",
    "def linear_backward(dU, cache):\n    X, W = cache\n    dX = dU @ W.T\n    dW = -X.T @ np.abs(dU)\n    return dX, dW, dU.sum(axis=0)",
]


def test_where_an_answer_goes_wrong_stands_in_its_message(grader, monkeypatch):
    # However busy the machine is
    monkeypatch.setattr(engine_grader, "PLACE_SECONDS", 20.0)
    monkeypatch.setattr(engine_grader, "PLACES_SECONDS", 20.0)
    verdict = last(grader.grade(notebook(*LINEAR, exercise="layers.linear")))
    assert verdict.verdict == PARTLY and verdict.mistake is None
    assert verdict.message.splitlines()[-1] == (
        "Right so far, in linear_backward: dX (line 3). Look at line 4 of linear_backward: `dW` is not what it should be."
    )
    monkeypatch.setattr(engine_grader, "PLACES_SECONDS", 0.0)
    assert "Look at" not in last(grader.grade(notebook(*LINEAR, exercise="layers.linear"))).message


def test_a_visible_case_is_had_while_an_assignment_is_graded_and_nothing_more(grader):
    look = """
from autograder import case, solution
X, w, b = case("neurons.preactivation", "five examples")
print(X.shape, w.dtype, solution("neurons.preactivation"))
try:
    case("neurons.preactivation", "integer examples")
except LookupError as error:
    print(error.args[0])
"""
    result = grader.grade(notebook(look, RIGHT_ANSWER))
    assert result.results[1].outputs[0]["text"] == (
        "(5, 3) float64 None\nthe case 'integer examples' of neurons.preactivation is not there while an assignment is graded\n"
    )


@needs_walls
def test_nothing_passes_from_one_submission_to_the_next(grader):
    leave = "import os\nopen('/tmp/left', 'w').write('x')\nopen('/dev/shm/left', 'w').write('x')\nimport builtins\nbuiltins.left = 1\nnp.left = 1"
    seek = "import os\nprint(os.path.exists('/tmp/left'), os.path.exists('/dev/shm/left'), hasattr(np, 'left'), os.listdir('.'))"
    grader.grade(notebook(leave))
    assert grader.grade(notebook(seek)).results[1].outputs[0]["text"] == "False False False []\n"


LISTENS = (
    "kept = []\n"
    "def preactivation(X, w, b):\n"
    "    kept.append(X)\n"
    "    open('kept', 'a').write(repr(X))\n"
    "    return X @ w + b"
)


@needs_walls
def test_what_a_check_asks_is_never_shown(grader):
    """A cell after a check shows what stood there before the check, whatever the answer has kept."""
    check = notebook(LISTENS).steps[-1]
    show = Step(CODE, "import os\nprint(len(kept), os.path.exists('kept'), double(2))", 4, student=True)
    later = Step(CODE, "def double(x):\n    return 'later'", 3, student=True)
    steps = (*notebook(LISTENS).steps[:-1], check, later, show)
    result = grader.grade(dataclasses.replace(notebook(), steps=steps))
    assert result.results[-1].outputs[0]["text"] == "0 False later\n"
    assert [r.verdict.verdict for r in result.results if r.verdict] == [RIGHT]


@needs_walls
def test_a_check_sees_the_names_of_its_place(grader):
    before = "def scale(X, w):\n    return X @ w\ndef preactivation(X, w, b):\n    return scale(X, w) + b"
    steps = (*notebook(before).steps, Step(CODE, "def scale(X, w):\n    return 0\ndel preactivation", 3, student=True))
    result = grader.grade(dataclasses.replace(notebook(), steps=steps))
    assert [r.verdict.verdict for r in result.results if r.verdict] == [RIGHT]


@needs_walls
def test_a_check_teaches_the_next_check_of_the_same_exercise_nothing(grader):
    remembers = (
        "seen = []\n"
        "def preactivation(X, w, b):\n"
        "    seen.append(X.tobytes())\n"
        "    return X @ w + b if seen.count(X.tobytes()) == 1 else None"
    )
    task = notebook(remembers)
    twice = dataclasses.replace(task, steps=(*task.steps, dataclasses.replace(task.steps[-1], cell=3)))
    result = grader.grade(twice)
    assert [r.verdict.verdict for r in result.results if r.verdict] == [RIGHT, RIGHT]
    assert result.restarts == 0


@needs_walls
def test_a_detached_process_ends_with_its_submission(grader):
    detach = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    os.fork()\n    time.sleep(4711)\n    os._exit(0)"
    )
    grader.grade(notebook(detach, RIGHT_ANSWER))
    zygote = next(iter(grader.zygotes.values()))
    # Below bubblewrap its first process and the zygote; on a busy machine the others need a moment to end
    assert eventually(lambda: len(descendants(zygote.process.pid)) <= 2)


@needs_walls
def test_a_sandbox_that_died_between_two_submissions_is_replaced():
    with Grader(QUICK) as grader:
        assert last(grader.grade(notebook(RIGHT_ANSWER))).verdict == RIGHT
        next(iter(grader.zygotes.values())).process.kill()
        next(iter(grader.zygotes.values())).process.wait()
        assert last(grader.grade(notebook(RIGHT_ANSWER))).verdict == RIGHT


def test_a_sandbox_that_dies_while_it_is_needed_costs_no_points(monkeypatch):
    # Without walls: there the process that is killed is the zygote itself and not the one that watches over it
    with Grader(dataclasses.replace(QUICK, isolation="process")) as grader:
        zygote = grader.warm({"neurons.preactivation"})
        zygote.process.kill()
        zygote.process.wait()
        with monkeypatch.context() as patch:
            # It dies just after it was found alive: the machine's fault, made good in a fresh one
            patch.setattr(type(zygote), "alive", lambda self: True)
            assert last(grader.grade(notebook(RIGHT_ANSWER))).verdict == RIGHT
        assert last(grader.grade(notebook(RIGHT_ANSWER))).verdict == RIGHT


def test_the_oracle_keeps_what_it_has_computed(monkeypatch):
    oracle, deadline = Oracle(2048), time.monotonic() + 60
    try:
        calls = [[np.array([[x]]), np.array([1.0]), 0.0] for x in (1.0, 2.0, 3.0)]
        encoded = [protocol.encode((call, {})) for call in calls]

        def ask(number, exercise=None):
            tree, buffers = encoded[number]
            header, answer = oracle.ask("neurons.preactivation", exercise, tree, b"".join(buffers), deadline)
            return header if "value" not in header else protocol.decode(header["value"], b"".join(answer)).tolist()

        assert [ask(0), ask(1)] == [[1.0], [2.0]]
        # What is known needs no process; what is not known does, and for the judged exercise it is still refused
        oracle.close()
        assert [ask(0), ask(1)] == [[1.0], [2.0]] and oracle.process is None
        assert ask(0, "neurons.preactivation") == {"withheld": True}
        # The oldest goes first; what was too large, or no value, is not kept
        monkeypatch.setattr("autograder.engine.sandbox.oracle.KEPT", 2)
        assert ask(0) == [1.0] and ask(2) == [3.0]
        assert [call[3] for call in oracle.known] == [
            encoded[0][1][0] + encoded[0][1][1],
            encoded[2][1][0] + encoded[2][1][1],
        ]
        monkeypatch.setattr("autograder.engine.sandbox.oracle.KEPT_BYTES", 10)
        assert ask(1) == [2.0] and len(oracle.known) == 2
    finally:
        oracle.close()


@needs_walls
def test_closing_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox.tempfile, "tempdir", str(tmp_path))
    with Grader(QUICK) as grader:
        grader.grade(notebook(RIGHT_ANSWER))
        process = next(iter(grader.zygotes.values())).process
        assert list(tmp_path.iterdir())
    assert process.returncode is not None
    assert list(tmp_path.iterdir()) == []


def test_without_bubblewrap_a_refusal_says_what_to_install(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    with Grader(QUICK) as grader, pytest.raises(NoSandbox, match=r"apt install bubblewrap.*--isolation process"):
        grader.grade(notebook(RIGHT_ANSWER))


def test_the_weaker_mode_needs_to_be_asked_for():
    with Grader(dataclasses.replace(QUICK, isolation="process")) as grader:
        assert last(grader.grade(notebook(RIGHT_ANSWER))).verdict == RIGHT
        assert last(grader.grade(notebook("import os; os._exit(3)", RIGHT_ANSWER))).verdict == RIGHT
        verdict = last(grader.grade(notebook("def preactivation(X, w, b):\n    while True: pass")))
        assert verdict.verdict == OUT_OF_TIME
    with Grader(dataclasses.replace(QUICK, isolation="none")) as grader, pytest.raises(ValueError, match="'bwrap' or"):
        grader.grade(notebook(RIGHT_ANSWER))


# --- what the kit holds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", dlcourse.TOPICS)
def test_the_kit_holds_no_reference_and_no_check(slug, tmp_path):
    from autograder.checks.exercise import exercises_of

    names = list(exercises_of(slug))
    sandbox.write_kit(tmp_path, names)
    text = {path.relative_to(tmp_path).as_posix(): path.read_text() for path in tmp_path.rglob("*.py")}
    assert not [path for path in text if "exercises" in path or "evaluation" in path or "compare" in path]
    # Bytecode goes along with what is as it was, never with what has lost a body
    for path in tmp_path.rglob("*.pyc"):
        module = path.parent.parent.relative_to(tmp_path) / f"{path.name.partition('.')[0]}.py"
        assert text[module.as_posix()] == (Path(dlcourse.__file__).parents[1] / module).read_text(encoding="utf-8")
    whole = "\n".join(text.values())
    assert "Mistake(" not in whole and "expected_values" not in whole
    for name in names:
        for function in get_exercise(name).functions:
            if function.__module__.startswith("dlcourse."):
                body = solution_parts(function)[1]
                path = function.__module__.replace(".", "/") + ".py"
                assert (
                    f"withheld.call('{function.__module__.removeprefix('dlcourse.')}.{function.__name__}'" in text[path]
                )
                assert len(body.splitlines()) < 3 or body not in text[path]
                twins = re.findall(r"Fast twin: `([\w.]+)`", function.__doc__ or "")
                for module, _, twin in (twin.rpartition(".") for twin in twins):
                    kernel = ast.parse(text[f"dlcourse/{module.replace('.', '/')}.py"])
                    kept = next(node for node in kernel.body if getattr(node, "name", "") == twin)
                    assert ast.unparse(kept).endswith("raise Withheld"), twin
    # It can be imported as it is
    code = "import dlcourse, importlib\nfor s in dlcourse.TOPICS: importlib.import_module('dlcourse.' + s)"
    subprocess.run([sys.executable, "-P", "-c", code], check=True, env=os.environ | {"PYTHONPATH": str(tmp_path)})


TRANSFORMED = r"""
from IPython.core.interactiveshell import InteractiveShell
from autograder.engine.sandbox.inside import make_shell
shell, cells = make_shell(), [
    "x = 1\ny = 2", "x = 1\ny = 2\n", "x", "ls", "x = 1\n%time x", "%%time\nx", "!ls\nx", "x = !ls\nx", "x?\nx", "?x\nx",
    "\n\nx = 1\ny = 2", "  x = 1\n  y = 2", ">>> x = 1\n>>> x", "x = 1\n... y", "In [1]: x = 1\n   ...: x", "x\n/f y", "x\n,f y",
    "x\n;f y", "def f(x):\n    return x % 2 != 1", "s = \"\"\"\n%d\n\"\"\"", "def f(:\n    x", "async def f():\n    pass\nawait f()", "",
]
for cell in cells:
    assert shell.transform_cell(cell) == InteractiveShell.transform_cell(shell, cell), cell
shell.input_transformers_post.append(lambda lines: ["z\n"])
assert shell.transform_cell(cells[0]) == "z\n"
"""


def test_a_cell_is_transformed_as_ipython_transforms_it():
    done = subprocess.run([sys.executable, "-c", TRANSFORMED], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


# --- what may be shown ------------------------------------------------------------------------------------------------


def test_only_text_and_real_pictures_are_shown():
    found = clean(
        [
            {"output_type": "display_data", "data": {"text/html": "<script>", "text/plain": "ok"}},
            {"output_type": "display_data", "data": {"image/png": "bm90IGEgcGljdHVyZQ==", "image/svg+xml": "<svg/>"}},
            {"output_type": "execute_result", "data": {"application/javascript": "alert(1)"}},
            {"output_type": "stream", "text": "hi"},
            "nonsense",
            {"output_type": "display_data", "data": 5},
        ]
    )
    assert found == [
        {"output_type": "display_data", "data": {"text/plain": "ok"}, "metadata": {}},
        {"output_type": "stream", "name": "stdout", "text": "hi"},
    ]


# Says every number that it is asked, in each way there is
TELLS = """
import warnings
def preactivation(X, w, b):
    said = "secret " + " ".join(map(repr, map(float, np.ravel(X))))
    print(said)
    warnings.warn(said, RuntimeWarning)
    WAY
"""


@needs_walls
@pytest.mark.parametrize(
    "way",
    ["raise ValueError(said)", "raise type('E' + said.replace(' ', '_').replace('.', '_'), (Exception,), {})(said)"],
)
def test_no_message_repeats_the_numbers_of_a_case(grader, way):
    verdict = last(grader.grade(notebook(TELLS.replace("WAY", way))))
    cases, _ = expected_values("neurons.preactivation", exercise_seed(11, "neurons.preactivation"))
    shown = " ".join([verdict.message, verdict.hint, *(row.problem for row in verdict.rows)])
    digits = [f"{abs(float(x)):.4f}"[:5] for case in cases for x in np.ravel(case.args[0]) if float(x) % 1]
    assert digits and not [number for number in digits if number in shown or number.replace(".", "_") in shown]
    hidden = {row.problem for row in verdict.rows if row.hidden}
    assert hidden <= {"Your code raised ValueError.", "Your code raised an error."}


# A table of the asked function, fine enough to look a value up in
TABLE = (
    "from dlcourse.activations import sigmoid as theirs\n"
    "grid = np.linspace(-1100, 1100, 400_001)\n"
    "table = theirs(grid)\n"
    "print(np.isnan(table).any(), table[-1])"
)
LOOK_UP = "def sigmoid(x):\n    return np.interp(x, grid, table).astype(np.asarray(x).dtype)"


@needs_walls
def test_a_table_of_the_asked_function_is_empty_in_its_check(grader):
    result = grader.grade(notebook(TABLE, LOOK_UP, exercise="activations.sigmoid"))
    assert result.results[1].outputs[0]["text"] == "False 1.0\n"
    assert last(result).points == 0.0
    assert (
        "the student's cells call dlcourse.activations.sigmoid, from which an answer follows: the checks run with those values left out"
        in result.needs_review
    )


@needs_walls
@pytest.mark.parametrize(
    ("exercise", "source"),
    [
        (
            "activations.sigmoid",
            "from dlcourse.kernels.activations import activation_forward\ndef sigmoid(x):\n    return activation_forward(x, 'sigmoid')[0]",
        ),
        (
            "activations.sigmoid",
            "from dlcourse.graph import Value\nimport dlcourse.kernels.activations as k\ndef sigmoid(x):\n    y = np.zeros_like(x)\n    k.sigmoid(x, y)\n    return y",
        ),
        (
            "graph.backward",
            "from dlcourse.graph import Value\ndef backward(*args):\n    v = Value(2.0) * Value(3.0)\n    v.backward()\n    return v",
        ),
        (
            "optimizers.adamw_step",
            "from dlcourse.optimizers import adam_step\ndef adamw_step(w, dw, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01):\n    v, s = adam_step(w, dw, state, lr, beta1, beta2, eps)\n    return v - lr * weight_decay * w, s",
        ),
    ],
)
def test_the_asked_function_by_another_door(grader, exercise, source):
    result = grader.grade(notebook(source, exercise=exercise))
    verdict = last(result)
    assert verdict.points <= 0.2 * verdict.max_points, verdict.message
    assert "the course's own version" in verdict.message
    assert any("the answer calls dlcourse." in one for one in result.needs_review)


@needs_walls
def test_an_answer_that_carries_a_table_is_flagged(grader):
    source = f"table = {list(range(100))}\n{RIGHT_ANSWER}"
    result = grader.grade(notebook(source))
    assert last(result).verdict == RIGHT
    assert result.needs_review == ("cell 2: the answer carries a table (100 numbers)",)
