"""Answers that are wrong and would be right: patched checks, lying objects, other people's formulas."""

from . import Attack
from .assignment import ANSWERS, POINTS

# Wrong for every case, and no mistake that is known
WRONG = "def preactivation(X, w, b):\n    return X @ w - 2 * b\n"
ONE = ("preactivation",)
BROKEN = "an answer that breaks what calls the answers, or the line to the grader, loses what is asked after that"
FOOLED = "plain asserts run beside the answer and can be fooled; their verdicts are marked “in-process”"


def cheat(slug, what, before="", function=WRONG, **more):
    """A wrong preactivation, with something before it that is to hide that."""
    source = "\n".join(part for part in (before, function) if part)
    return Attack(slug, what, {"preactivation": source}, **{"loses": ONE} | more)


def returns(slug, what, value, before="", **more):
    """A preactivation that returns `value`, an expression of X, w and b."""
    return cheat(slug, what, before, f"def preactivation(X, w, b):\n    return {value}\n", **more)


ALWAYS_EQUAL = """
class Equal:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __getattr__(self, name): return lambda *a, **k: self
    def __call__(self, *a, **k): return self
    def __float__(self): return 0.0
    def __bool__(self): return True
    def __len__(self): return 5
    def __array__(self, *a, **k): return np.zeros(5)
    def __array_ufunc__(self, *a, **k): return True
    def __array_function__(self, *a, **k): return True
    __hash__ = None
    __sub__ = __rsub__ = __add__ = __radd__ = __mul__ = __abs__ = __le__ = __lt__ = __ge__ = __gt__ = lambda self, *a: self
"""
LYING_ARRAY = """
class Lying(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **k):
        return np.zeros(self.shape) if ufunc.__name__ in ("subtract", "absolute") else np.ones(self.shape, dtype=bool)
    def __array_function__(self, f, types, args, kwargs): return np.ones(self.shape, dtype=bool)
    def __eq__(self, other): return np.ones(self.shape, dtype=bool)
    def __sub__(self, other): return np.zeros(self.shape)
    __rsub__ = __sub__
    def astype(self, *a, **k): return self
    def copy(self, *a, **k): return self
    def __reduce__(self): return (print, ("unpickled",))
"""
LYING_TUPLE = """
class Pair(tuple):
    def __len__(self): return 2
    def __iter__(self): return iter(Anything() for _ in range(2))
    def __getitem__(self, i): return Anything()
    def __eq__(self, other): return True
    __hash__ = None
class Anything(float):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    __hash__ = None
"""
PATCH_NUMPY = """
import numpy, numpy.testing
always = lambda *a, **k: True
for name in ("allclose", "array_equal", "array_equiv", "isclose", "all"):
    setattr(numpy, name, always)
for name in dir(numpy.testing):
    if name.startswith("assert"):
        setattr(numpy.testing, name, always)
numpy.asarray = numpy.array = lambda *a, **k: numpy.zeros(5)
numpy.max = numpy.abs = lambda *a, **k: numpy.float64(0.0)
"""
PATCH_CHECK = """
import sys
for name, module in list(sys.modules.items()):
    if name.startswith("autograder"):
        for what in ("check", "evaluate"):
            if hasattr(module, what):
                setattr(module, what, lambda *a, **k: None)
        if hasattr(module, "compare"):
            module.compare = lambda *a, **k: None
        if hasattr(module, "problem"):
            module.problem = lambda *a, **k: ""
import gc
for thing in gc.get_objects():
    if callable(thing) and getattr(thing, "__name__", "") in ("compare", "_compare") and hasattr(thing, "__code__"):
        thing.__code__ = (lambda *a, **k: None).__code__
def check(*a, **k): pass
"""
TRANSFORMER = """
def tidy(lines):
    return [line for line in lines if not line.lstrip().startswith(("assert", "check("))]
ip = get_ipython()
ip.input_transformers_cleanup.append(tidy)
ip.input_transformers_post.append(tidy)
"""
AST_TRANSFORMER = """
import ast
class NoChecks(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Expr(self, node):
        return ast.Pass() if isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "check" else node
get_ipython().ast_transformers.append(NoChecks())
"""
FORGED_MESSAGE = """
ip = get_ipython()
def forge(*a):
    shell = get_ipython()
    try:
        shell.kernel.session.send(
            shell.kernel.iopub_socket, "execute_result",
            {"data": {"text/plain": "all"}, "metadata": {}, "execution_count": 1}, parent=shell.parent_header)
    except Exception:
        shell.displayhook(1.0)
ip.events.register("pre_run_cell", forge)
"""
RUN_CELL = """
from IPython.core.interactiveshell import InteractiveShell, ExecutionResult, ExecutionInfo
def quiet(self, source, *a, **k):
    result = ExecutionResult(ExecutionInfo(source, False, True, True, ""))
    result.result = 100.0
    return result
InteractiveShell.run_cell = quiet
InteractiveShell.showtraceback = lambda *a, **k: None
type(get_ipython()).run_cell = quiet
"""
SHOW_NOTHING = """
import sys
get_ipython().showtraceback = lambda *a, **k: None
get_ipython().set_custom_exc((BaseException,), lambda *a, **k: None)
sys.excepthook = lambda *a: None
"""
FRAMES = """
import sys
def preactivation(X, w, b):
    frame = sys._getframe()
    while frame is not None:
        for name, value in list(frame.f_locals.items()) + list(frame.f_globals.items()):
            if name in ("expected", "wanted", "value", "answer", "reference"):
                if isinstance(value, np.ndarray) and value.shape == (len(X),): return value
                if isinstance(value, (list, tuple)) and value:
                    for x in value:
                        x = x[0] if isinstance(x, (list, tuple)) and x else x
                        if isinstance(x, np.ndarray) and x.shape == (len(X),): return x
            if name in ("exercise", "reference"):
                try: return value.reference.__globals__["check_shapes"] and type(value.reference)(RAW, {})(X, w, b)
                except Exception: pass
        frame = frame.f_back
    return np.zeros(len(X))
"""
GC = """
import gc
def preactivation(X, w, b):
    for thing in gc.get_objects():
        if type(thing).__name__ == "function" and thing.__module__ == "autograder.exercises.neurons.preactivation":
            return thing(X, w, b)
        if type(thing) is dict and type(thing.get("preactivation")).__name__ == "function" and thing["preactivation"] is not preactivation:
            try: return thing["preactivation"](X, w, b)
            except BaseException: pass
    return np.zeros(len(X))
"""
IMPORTED_EXERCISES = """
def preactivation(X, w, b):
    from autograder.exercises.neurons import preactivation as theirs
    return theirs.einsum(X, w, b)
"""
REFERENCE = """
from dlcourse import neurons
def preactivation(X, w, b):
    return neurons.preactivation(X, w, b)
"""
REFERENCE_AGAIN = """
import importlib.util, dlcourse.neurons
def preactivation(X, w, b):
    spec = importlib.util.spec_from_file_location("dlcourse.mine", dlcourse.neurons.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.preactivation(X, w, b)
"""
SOURCE = """
import pathlib, re, sys
def preactivation(X, w, b):
    for folder in [*sys.path, "@COURSE@"]:
        for path in [*pathlib.Path(folder or ".").glob("dlcourse/neurons.py"), *pathlib.Path(folder or ".").glob("source/*/*.ipynb")]:
            found = re.search(r"return (X @ w \\+ [b])", path.read_text())
            if found: return eval(found[1])
    return np.zeros(len(X))
"""
CODE_KEPT = """
import dlcourse.neurons, types
kept = types.FunctionType(dlcourse.neurons.preactivation.__code__, dlcourse.neurons.preactivation.__globals__)
def preactivation(X, w, b):
    return kept(X, w, b)
"""
VISIBLE_CASES = """
table = {}
try:
    import autograder.checks.evaluation as evaluation
    from autograder.checks.exercise import get_exercise
    cases, expected = evaluation.expected_values("neurons.preactivation", evaluation.PUBLIC_SEED)
    table = {case.args[0].tobytes(): values[0] for case, values in zip(cases, expected)}
except Exception:
    pass
def preactivation(X, w, b):
    return table.get(X.tobytes(), np.zeros(len(X)))
"""
BY_ENVIRONMENT = """
import os
def preactivation(X, w, b):
    if os.environ.get("NBGRADER_EXECUTION"):
        from autograder.exercises.neurons import preactivation as theirs
        return theirs.loop(X, w, b)
    raise NotImplementedError
"""
DRIVER = """
import sys
drive = sys.modules.get("autograder.checks.drivers")
if drive is not None:
    def run_case(driver, functions, case, parts):
        return [drive.Outcome(part, value=float("nan")) for part in parts]
    drive.run_case = run_case
    drive.frozen = lambda value: value
    drive._same = lambda a, b: True
    drive.NotImplementedError = drive.WrongAnswer = KeyboardInterrupt
"""
CALLED_FROM_NAME = """
class Everything(str):
    def __eq__(self, other): return True
    __hash__ = str.__hash__
"""
CHANGES_LATER = """
import threading
waiting = []
def preactivation(X, w, b):
    for again, later in waiting:
        again.set()
        later.join()
    u, again = X @ w + b, threading.Event()
    def change():
        again.wait()
        u[:] = 0
    later = threading.Thread(target=change, daemon=True)
    later.start()
    waiting[:] = [(again, later)]
    return u
"""

ATTACKS = [
    cheat("own_check", "defines its own `check`", "def check(*answers, **options):\n    pass\n"),
    cheat("patched_check", "patches every function of the checks that it finds", PATCH_CHECK),
    cheat(
        "patched_numpy",
        "patches NumPy's comparisons and conversions",
        PATCH_NUMPY,
        loses=tuple(POINTS)[:3],
        worth=7,
        limit=BROKEN,
    ),
    cheat("patched_driver", "patches what calls the answers", DRIVER, loses=tuple(POINTS)[:3], worth=7, limit=BROKEN),
    cheat("transformer", "an IPython transformer that deletes asserts and checks", TRANSFORMER),
    cheat("ast_transformer", "the same on the syntax tree", AST_TRANSFORMER),
    cheat("forged_message", "sends a forged result before every cell", FORGED_MESSAGE),
    cheat(
        "run_cell",
        "replaces IPython's `run_cell`: no cell is run any more",
        RUN_CELL,
        loses=tuple(POINTS)[:3],
        limit=FOOLED,
        verdict={"preactivation": "wrong", "gradient": "not attempted", "layer": "not attempted"},
        worth=7,
    ),
    cheat("no_tracebacks", "errors are shown to nobody", SHOW_NOTHING),
    returns(
        "always_equal", "returns an object that is equal to everything", "Equal()", ALWAYS_EQUAL, says="got an Equal"
    ),
    returns("lying_array", "returns an array that lies about itself", "np.zeros(len(X)).view(Lying)", LYING_ARRAY),
    returns(
        "lying_float", "returns a list of numbers that are equal to everything", "[Anything() for _ in X]", LYING_TUPLE
    ),
    Attack(
        "lying_tuple",
        "returns a tuple that lies about itself",
        {"gradient": f"{LYING_TUPLE}\ndef linear_neuron_grad(X, d, w, b):\n    return Pair((0.0, 0.0))"},
        loses=("gradient",),
    ),
    Attack(
        "lying_cache",
        "the cache is an object that calls, counts and lies",
        {
            "forward": f"{ALWAYS_EQUAL}\nclass Cache(tuple):\n    def __iter__(self): return iter((Equal(), Equal()))\ndef linear_forward(X, W, b):\n    return X @ W + b, Cache((X, W))"
        },
        loses={"layer": 1.5},
        verdict="partly right",
    ),
    returns("masked_array", "every wrong number is masked", "np.ma.masked_all(len(X))"),
    returns(
        "object_array",
        "an array of objects that are equal to everything",
        "np.array([Equal() for _ in X], dtype=object)",
        ALWAYS_EQUAL,
    ),
    returns("record_array", "an array of records", "np.zeros(len(X), dtype=[('a', 'f8', (1000,)), ('b', 'O')])"),
    returns("uninitialised", "returns memory that was not written", "np.empty(len(X))"),
    returns("nan_array", "NaN everywhere", "np.full(len(X), np.nan)"),
    returns("broadcast_wrong", "one number where an array is asked", "0.0"),
    Attack(
        "strange_but_right",
        "right numbers, big-endian, Fortran order, a subclass, a read-only view",
        {
            "preactivation": "def preactivation(X, w, b):\n    return (X @ w + b).astype('>f8')",
            "gradient": "def linear_neuron_grad(X, d, w, b):\n    e = X @ w + b - d\n    return [np.asfortranarray(X.T @ e), np.float64(e.sum())]",
            "forward": "class Mine(np.ndarray):\n    pass\n\ndef linear_forward(X, W, b):\n    out = np.asfortranarray(X @ W + b).view(Mine)\n    out.setflags(write=False)\n    return out, {'X': X, 'W': W, 'f': lambda: X}",
            "backward": "def linear_backward(dU, cache):\n    W, X = cache['W'], cache['f']()\n    return dU @ W.T, X.T @ dU, dU.sum(axis=0)",
        },
    ),
    returns("none", "returns nothing", "None", says="is a `return` missing?"),
    returns("generator", "returns a generator that never ends", "iter(int, 1)", says="got a callable_iterator"),
    returns("itself", "returns the function itself", "preactivation"),
    returns("a_module", "returns a module", "np"),
    returns(
        "pickle_bomb",
        "returns an object that runs a command when it is unpickled",
        "Bomb()",
        "import os\nclass Bomb:\n    def __reduce__(self):\n        return os.system, ('echo overwritten > @SAFE@/untouched',)",
    ),
    returns(
        "endless_list",
        "returns a list that contains itself",
        "loop",
        "loop = []\nloop.append(loop)",
        says="calls itself without end",
    ),
    returns(
        "deep_list",
        "returns 100,000 lists inside each other",
        "deep()",
        "def deep():\n    x = [0.0]\n    for _ in range(100_000): x = [x]\n    return x",
        says="calls itself without end",
    ),
    returns(
        "wide_dict",
        "returns a dict of 300,000 entries",
        "dict.fromkeys(range(300_000))",
        verdict="too much output",
        says="far more than any right answer",
    ),
    returns(
        "broadcast_huge",
        "returns a view of 10¹² numbers that takes no room",
        "np.broadcast_to(0.0, (10**6, 10**6))",
        verdict="out of memory",
        says="MemoryError",
    ),
    returns(
        "long_name",
        "returns an object whose type has a name of a megabyte, with a script in it",
        "type('<script>alert(1)</script>' * 40_000, (), {})()",
        says="got a scriptalert1script",
    ),
    cheat("frames", "looks for the expected value in the callers' frames", function=FRAMES),
    cheat("garbage", "looks for right functions among all objects", function=GC),
    cheat(
        "exercises",
        "imports the checks' own right answers",
        function=IMPORTED_EXERCISES,
        says="No module named 'autograder.exercises'",
    ),
    cheat("reference", "calls the course's own function", function=REFERENCE, says="calls the course's own version"),
    cheat(
        "reference_again",
        "loads the course's module a second time",
        function=REFERENCE_AGAIN,
        says="calls the course's own version",
    ),
    cheat(
        "reference_code",
        "keeps the code of the course's function",
        function=CODE_KEPT,
        says="calls the course's own version",
    ),
    cheat("source_code", "reads the formula from the course's source or the instructor's notebook", function=SOURCE),
    cheat("visible_cases", "knows the answers of the visible cases by heart", function=VISIBLE_CASES),
    cheat(
        "while_grading",
        "does something else while it is graded",
        function=BY_ENVIRONMENT,
        says="No module named 'autograder.exercises'",
    ),
    Attack(
        "class_as_function",
        "a class under the function's name",
        {
            "preactivation": "class preactivation:\n    def __init__(self, X, w, b): pass\n    def __eq__(self, other): return True\n    __hash__ = None"
        },
        loses=ONE,
    ),
    Attack(
        "names_are_equal",
        "a global whose name is equal to every other",
        {"preactivation": f"{CALLED_FROM_NAME}\nglobals()[Everything('preactivation')] = lambda X, w, b: 0.0"},
        loses=ONE,
    ),
    Attack(
        "changes_inputs",
        "the right numbers, and the inputs overwritten",
        {"preactivation": "def preactivation(X, w, b):\n    u = X @ w + b\n    X[:] = 0\n    return u"},
        # A quarter of its point
        loses={"preactivation": 0.75},
        verdict="partly right",
        says="changes its input X",
    ),
    Attack(
        "changes_later",
        # When it is called again: sooner, on a busy machine, the answer that is judged may be the changed one
        "a thread changes the answer after it was taken",
        {"preactivation": CHANGES_LATER},
    ),
    Attack(
        "asserts_fooled",
        "an average that is equal to everything, for a cell of plain asserts",
        {"average": f"{ALWAYS_EQUAL}\ndef average(values):\n    return Equal()"},
        limit=FOOLED,
        worth=6,
    ),
    Attack(
        "asserts_deleted",
        "deletes the asserts of a cell of plain asserts",
        {"average": f"{TRANSFORMER}\ndef average(values):\n    return 0"},
        limit=FOOLED,
        worth=6,
    ),
    Attack("honest", "nothing: the honest submission, for comparison", dict(ANSWERS)),
    Attack(
        "stub",
        "nothing at all: the untouched notebook",
        {
            name: f"{source.splitlines()[0]}\n    raise NotImplementedError()"
            for name, source in ANSWERS.items()
            if name != "why"
        }
        | {"why": "YOUR ANSWER HERE"},
        loses=tuple(POINTS),
        verdict="not attempted",
    ),
]
