"""The supervisor by the branch: a child that answers as written here, and whole verdicts; `test_engine.py` has the real one."""

import base64
import functools
import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from autograder.checks.evaluation import evaluate, expected_values
from autograder.checks.exercise import get_exercise
from autograder.checks.result import CaseRow, Result
from autograder.engine import grader
from autograder.engine.grader import Grader, clean, clean_error
from autograder.engine.sandbox import judge
from autograder.engine.sandbox.protocol import ProtocolError, encode
from autograder.engine.sandbox.sandbox import Died, Used
from autograder.engine.store.records import Verdict
from autograder.engine.tasks import ASSERTS, CODE, EXERCISE, TEXT, Settings, Step, StepResult, Task
from autograder.errors import EngineFault, MissingPackage
from dlcourse import optimizers

NAME = "neurons.preactivation"
CALLS = (NAME, ("preactivation",))


# --- what may be shown ------------------------------------------------------------------------------------------------

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x02\0\0\0\x03rest").decode()


def shown(**data):
    return {"output_type": "display_data", "data": data, "metadata": {}}


def stream(text):
    return {"output_type": "stream", "name": "stdout", "text": text}


# [(what the child sends, what is shown)]
OUTPUTS = [
    ({"output_type": "stream", "text": "hi\n\t"}, [stream("hi\n\t")]),
    ({"output_type": "stream", "text": 3}, [stream("")]),
    ({"output_type": "stream", "text": "x" * (10**6 + 1)}, [stream("x" * 10**6)]),
    ({"output_type": "execute_result", "data": {"text/plain": "3"}}, [shown(**{"text/plain": "3"})]),
    (
        {"output_type": "display_data", "data": {"text/plain": "x" * (10**6 + 1)}},
        [shown(**{"text/plain": "x" * 10**6})],
    ),
    (
        {"output_type": "display_data", "data": {"image/png": PNG[:8] + "\n" + PNG[8:], "text/plain": "p"}},
        [shown(**{"text/plain": "p", "image/png": PNG})],
    ),
    ({"output_type": "display_data", "data": {"image/png": "a"}}, []),
    ({"output_type": "display_data", "data": {"image/png": base64.b64encode(b"GIF").decode()}}, []),
    ({"output_type": "display_data", "data": {"image/png": "é"}}, []),
    ({"output_type": "display_data", "data": {"image/png": 3, "text/plain": 3}}, []),
    ({"output_type": "display_data", "data": {"text/html": "<script>", "image/svg+xml": "<svg/>"}}, []),
    ({"output_type": "display_data", "data": 5}, []),
    ({"output_type": "error", "ename": "E"}, []),
    ({"text": "no type"}, []),
    ("nonsense", []),
]


@pytest.mark.parametrize(("sent", "found"), OUTPUTS, ids=range(len(OUTPUTS)))
def test_the_outputs_that_are_shown(sent, found):
    assert clean([sent]) == found
    assert clean(["nonsense", sent, {"output_type": "stream", "text": "end"}]) == [*found, stream("end")]


@pytest.mark.parametrize("sent", [None, {"a": 1}, "text", 5])
def test_outputs_that_are_not_a_list(sent):
    assert clean(sent) == []


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (None, None),
        ("text", None),
        ({}, ("Error", "", [])),
        (
            {"ename": " V\n E ", "evalue": "a b", "traceback": ["l1", 5]},
            ("V E", "a b", ["l1", ""]),
        ),
        ({"ename": "E" * 101, "evalue": "v" * 2001, "traceback": "no list"}, ("E" * 100, "v" * 2000, [])),
        ({"ename": "E", "traceback": ["x" * 20_001] * 61}, ("E", "", ["x" * 20_000] * 4)),
        ({"ename": "E", "traceback": ["x"] * 61}, ("E", "", ["x"] * 60)),
    ],
)
def test_the_error_that_is_shown(sent, found):
    made = found and dict(zip(("output_type", "ename", "evalue", "traceback"), ("error", *found), strict=True))
    assert clean_error(sent) == made


@pytest.mark.parametrize(
    ("text", "line"),
    [("a \n b", "a b"), ("abcdefgh", "abcde"), (None, ""), (b"a", "")],
)
def test_a_line(text, line):
    assert grader._line(text, 5) == line


# --- verdicts ---------------------------------------------------------------------------------------------------------


def asserts(points=3.0):
    return Step(ASSERTS, "", 0, grade_id="t", points=points)


# {what: (error, value, points, verdict, message)}
IN_PROCESS = {
    "nothing": (None, None, 3.0, "right", ""),
    "a number is the points": (None, 2, 2.0, "partly right", ""),
    "all points": (None, 3.0, 3.0, "right", ""),
    "more than all": (None, 9, 3.0, "right", ""),
    "none": (None, 0, 0.0, "wrong", ""),
    "less than none": (None, -1.5, 0.0, "wrong", ""),
    "True is not a number": (None, True, 3.0, "right", ""),
    "NaN is not a number": (None, float("nan"), 3.0, "right", ""),
    "a text": (None, "0", 3.0, "right", ""),
    "an error": (("AssertionError", "1 != 2"), 3, 0.0, "wrong", "AssertionError: 1 != 2"),
    "an error whose text ends in a letter": (("E", "X: "), 3, 0.0, "wrong", "E: X"),
    "an error without a word": (("AssertionError", ""), 3, 0.0, "wrong", "AssertionError"),
    "not written": (("NotImplementedError", ""), None, 0.0, "not attempted", "NotImplementedError"),
    "memory": (("MemoryError", ""), None, 0.0, "out of memory", "MemoryError"),
    "time": (("TooSlow", "3 s"), None, 0.0, "out of time", "TooSlow: 3 s"),
    "a long error": (("E", "x" * 3000), None, 0.0, "wrong", "E: " + "x" * 1997),
}


@pytest.mark.parametrize("case", IN_PROCESS)
def test_the_verdict_of_plain_asserts(case):
    error, value, points, verdict, message = IN_PROCESS[case]
    error = error and {"ename": error[0], "evalue": error[1]}
    made = grader._of_asserts(asserts(), error, value, "", 1.5)
    assert made == Verdict("t", "in-process", 3.0, points, verdict, message, seconds=1.5) and type(made.points) is float


ROW = CaseRow("one", "", False, 1.0, False, "p")


def result(score=0.5, passed=False, attempted=True, mistake=None, hint=""):
    return Result(NAME, passed, score, 2.0, mistake, "M", (ROW,), attempted, hint)


# {what: (result, how the child died, errors, verdict, points of 3)}
OUTSIDE = {
    "right": (result(1.0, True), None, [], "right", 3.0),
    "right although it died": (result(1.0, True), "time", [], "right", 3.0),
    "partly": (result(1 / 3), None, ["ValueError"], "partly right", 1.0),
    "wrong": (result(0.0), None, [], "wrong", 0.0),
    "not attempted": (result(0.0, attempted=False), "time", [], "not attempted", 0.0),
    "killed for time": (result(), "time", [], "out of time", 1.5),
    "killed for memory": (result(), "memory", [], "out of memory", 1.5),
    "killed for output": (result(), "output", [], "too much output", 1.5),
    "crashed": (result(), "crash", ["TooSlow"], "crashed", 1.5),
    "too slow": (result(), None, ["MemoryError", "TooSlow"], "out of time", 1.5),
    "too large": (result(), None, ["MemoryError"], "out of memory", 1.5),
    "hardly anything": (result(0.001), None, [], "wrong", 0.0),
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_the_verdict_of_an_exercise(case):
    given, died, errors, verdict, points = OUTSIDE[case]
    step = Step(EXERCISE, "", 0, grade_id="e", points=3.0, calls=CALLS)
    made = grader._of_result(step, NAME, given, died and Died(died), set(errors), 1.5)
    assert made == Verdict("e", "outside", 3.0, points, verdict, "M", NAME, rows=(ROW,), seconds=1.5)


def test_the_hint_is_the_mistakes():
    mistakes = get_exercise(NAME).mistakes
    step = Step(EXERCISE, "", 0, grade_id="e", points=3.0, calls=CALLS)
    for mistake in mistakes[:2]:
        made = grader._of_result(step, NAME, result(mistake=mistake.slug, hint=mistake.hint), None, set(), 0.0)
        assert (made.mistake, made.hint) == (mistake.slug, mistake.hint)


# --- what the child says ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ([[True, True, "function"]] * 2, ""),
        (
            [[True, True, ""], [False, True, ""]],
            "There is no function g: its cell is missing, empty, or stopped with an error.",
        ),
        (
            [[1, True, ""], [True, True, ""]],
            "There is no function f: its cell is missing, empty, or stopped with an error.",
        ),
        ([[True, 1, "an\nint" + "x" * 200], [0, 0, 0]], f"Expected the function f itself, got an int{'x' * 94}."),
    ],
)
def test_functions_that_the_child_lacks(found, sentence):
    assert grader._unusable(("f", "g"), found) == sentence


def said(**more):
    return {"where": "", "changed": [], "printed": "", "warned": "", "error": None} | more


# --- a notebook -------------------------------------------------------------------------------------------------------

DONE = {"outputs": [], "value": None}


class Judge:
    """The judge without its process."""

    limits = staticmethod(judge.limits_of)
    judge = staticmethod(judge.judged)

    @staticmethod
    def know(name, seed):
        pass

    @staticmethod
    def place(name, seed, seconds, ask, source, at_home):
        return ""


class Child:
    """Answers each request as `say` does; keeps what it was asked."""

    def __init__(self, say):
        self.say, self.asked, self.sent, self.calls, self.closed = say, [], [], [], False

    def ask(self, request, buffers, seconds, calls):
        self.asked.append((request, seconds))
        self.sent.append(buffers)
        self.calls.append(calls)
        answer = self.say(request)
        if isinstance(answer, BaseException):
            raise answer
        return answer if isinstance(answer, tuple) else (answer, b"")

    def close(self):
        self.closed = True
        return Used(1.5, 20.0)


class Zygote:
    def __init__(self, say):
        self.say, self.children, self.files, self.settings = say, [], [], []

    def child(self, settings, files):
        self.settings.append(settings)
        self.children.append(Child(self.say))
        self.files.append(files)
        return self.children[-1]


def run(steps, say, settings=None, **more):
    zygote = Zygote(say)
    settings = settings or Settings(timeout=5.0, total=50.0)
    task = Task("ada", "hw", "hw", tuple(steps), 11, **more)
    made = grader._NotebookRun(task, settings, zygote, None, Judge, {"losses.mse"}).result()
    return made, zygote


@pytest.fixture
def deaths(monkeypatch):
    """[(why, how, begun)] of every child that ended, in a step or in an exercise."""
    told, dead, of_result = [], grader._NotebookRun._dead, grader._of_result

    def in_a_step(self, step, died, seconds):
        told.append((died.why, died.how, died.begun))
        return dead(self, step, died, seconds)

    def in_an_exercise(step, name, result, died, *more):
        if died is not None:
            told.append((died.why, died.how, died.begun))
        return of_result(step, name, result, died, *more)

    monkeypatch.setattr(grader._NotebookRun, "_dead", in_a_step)
    monkeypatch.setattr(grader, "_of_result", in_an_exercise)
    return told


def test_the_cells_run_in_one_child_in_their_order():
    steps = [
        Step(CODE, "x = 1", 0),
        Step(TEXT, "words", 1),
        Step(CODE, " \n", 2),
        Step(CODE, "plot()", 3, by_hand=True, points=2.0, grade_id="p"),
        Step(TEXT, "Because.", 4, grade_id="why", points=1.0),
        Step(TEXT, "Draw", 5, by_hand=True, grade_id="draw"),
    ]
    outputs = [{"output_type": "stream", "text": "hi"}]
    made, zygote = run(steps, lambda request: {"outputs": outputs, "value": None}, files={"a.txt": b"1"})
    (child,) = zygote.children
    assert child.closed and zygote.files == [{"a.txt": b"1"}]
    common = {"do": "cell", "seconds": 5.0, "output": 200_000, "quiet": False}
    assert [request for request, _ in child.asked] == [
        common | {"source": "x = 1", "figures": False},
        common | {"source": "plot()", "figures": True},
    ]
    assert [seconds for _, seconds in child.asked] == [5.0 + grader.GRACE] * 2
    assert [
        one.verdict and (one.verdict.grade_id, one.verdict.points, one.verdict.verdict) for one in made.results
    ] == [
        None,
        None,
        None,
        ("p", None, "for a person"),
        ("why", None, "for a person"),
        ("draw", None, "for a person"),
    ]
    assert made.results[4].verdict == Verdict("why", "person", 1.0, None, "for a person")
    assert [one.outputs for one in made.results] == [(stream("hi"),), (), (), (stream("hi"),), (), ()]
    assert (made.cpu_seconds, made.memory_mb, made.restarts, made.needs_review) == (1.5, 20.0, 0, ())
    assert 0.0 <= made.seconds < 5.0 and 0.0 <= made.overhead < 5.0


def test_a_notebook_costs_what_its_children_cost(monkeypatch):
    """Two children: the first dies in its cell, which took 2 s of the clock; what lies between the cells took 0.5 s."""
    clock = SimpleNamespace(now=10.0)
    monkeypatch.setattr(grader, "time", SimpleNamespace(monotonic=lambda: clock.now))
    used = iter(
        [Used(1.5, 20.0, "processes", {"socket": 2}), Used(0.5, 10.0, "control group", {"socket": 1, "bpf": 1})]
    )
    monkeypatch.setattr(Child, "close", lambda child: next(used))
    child_of = Zygote.child

    def child(zygote, settings, files):
        clock.now += 0.25
        return child_of(zygote, settings, files)

    monkeypatch.setattr(Zygote, "child", child)

    def say(request):
        clock.now += 1.0
        return Died("crash") if request["source"] == "bad" else DONE

    made, _ = run([Step(CODE, "bad", 0), Step(CODE, "x", 1)], say)
    assert (made.seconds, made.overhead, made.cpu_seconds, made.memory_mb) == (2.0, 0.5, 2.0, 20.0)
    assert (made.limited_by, made.refused_calls, made.restarts) == ("processes", {"socket": 3, "bpf": 1}, 1)


def test_a_notebook_of_words_costs_no_child():
    made, zygote = run([Step(TEXT, "Because.", 0)], lambda request: DONE)
    assert zygote.children == [] and (made.limited_by, made.refused_calls, made.cpu_seconds) == ("", {}, 0.0)


def test_figures_are_drawn_where_the_settings_ask():
    _, zygote = run([Step(CODE, "x", 0)], lambda request: DONE, Settings(figures=True))
    assert zygote.settings == [Settings(figures=True)]
    assert zygote.children[0].asked[0][0]["figures"] is True


# {what: (kind of the cell, the reply, its outputs, its error, verdict and points)}
REPLIES = {
    "an error": (
        CODE,
        {"outputs": [], "value": None, "error": {"ename": "E", "evalue": "v", "traceback": ["t"]}},
        ({"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["t"]},),
        "E",
        None,
    ),
    "a cut output": (
        CODE,
        {"outputs": [], "value": None, "cut": True},
        (stream("… (the rest of the output was cut off)\n"),),
        "",
        None,
    ),
    "a lie about it": (CODE, {"outputs": [], "value": None, "cut": 1}, (), "", None),
    "no memory": (CODE, {"no_memory": True}, (), "MemoryError", None),
    "asserts without memory": (ASSERTS, {"no_memory": True}, (), "MemoryError", ("out of memory", 0.0)),
    "asserts that pass": (ASSERTS, DONE, (), "", ("right", 2.0)),
    "asserts that give points": (ASSERTS, {"outputs": [], "value": 1}, (), "", ("partly right", 1.0)),
}


@pytest.mark.parametrize("case", REPLIES)
def test_what_a_cell_replies(case):
    kind, reply, outputs, error, verdict = REPLIES[case]
    made, _ = run([Step(kind, "x", 0, grade_id="c", points=2.0 if kind == ASSERTS else 0.0)], lambda request: reply)
    (one,) = made.results
    assert (one.outputs, one.error) == (outputs, error)
    assert (one.verdict and (one.verdict.verdict, one.verdict.points)) == verdict
    assert one.verdict is None or (one.verdict.seconds == one.seconds and one.verdict.message == error)
    assert made.restarts == 0 and one.seconds < 5.0


@pytest.mark.parametrize(("points", "by_hand"), [(1.0, False), (0.0, True), (0.0, False)])
@pytest.mark.parametrize("reply", [DONE, Died("time")], ids=["done", "dead"])
def test_code_that_a_person_reads(points, by_hand, reply):
    """It has points, or it is an answer without them."""
    made, _ = run([Step(CODE, "x", 0, grade_id="c", points=points, by_hand=by_hand)], lambda request: reply)
    read = Verdict("c", "person", points, None, "for a person") if points or by_hand else None
    assert made.results[0].verdict == read


def test_a_check_that_dies_has_taken_its_time(monkeypatch):
    monkeypatch.setattr(grader, "time", SimpleNamespace(monotonic=itertools.count(step=0.25).__next__))
    (one,) = run([Step(ASSERTS, "x", 0, grade_id="t", points=1.0)], lambda request: Died("memory"))[0].results
    assert one.verdict.seconds == one.seconds > 0.0
    (one,) = run([CHECK], lambda request: {"found": [[False, False, ""]]})[0].results
    assert one.verdict.verdict == "not attempted" and one.seconds > 0.0


WORDS = {
    "time": "was stopped: it took too long. Is there an infinite loop?",
    "memory": "was stopped: it used too much memory. Is an array much larger than the data?",
    "output": "was stopped: it printed or returned far too much.",
    "crash": "ended the whole Python process.",
}
VERDICTS = {"time": "out of time", "memory": "out of memory", "output": "too much output", "crash": "crashed"}


@pytest.mark.parametrize("why", WORDS)
def test_a_cell_that_ends_its_child(why):
    steps = [
        Step(CODE, "first", 0),
        Step(CODE, "bad", 1, grade_id="b"),
        Step(ASSERTS, "bad", 2, grade_id="t", points=2.0),
        Step(CODE, "bad", 3, by_hand=True, points=1.0, grade_id="p"),
        Step(CODE, "last", 4),
    ]
    made, zygote = run(steps, lambda request: Died(why, "how") if request["source"] == "bad" else DONE)
    note = (stream(f"This cell {WORDS[why]}\n"),)
    assert [one.outputs for one in made.results] == [(), note, (), note, ()]
    assert [one.error for one in made.results] == ["", why, why, why, ""]
    message = f"The check could not finish: your code {WORDS[why]}"
    verdict = made.results[2].verdict
    assert verdict == Verdict("t", "in-process", 2.0, 0.0, VERDICTS[why], message, seconds=verdict.seconds)
    assert 0.0 <= verdict.seconds < 5.0
    assert (
        made.results[3].verdict == Verdict("p", "person", 1.0, None, "for a person") and made.results[1].verdict is None
    )
    head = WORDS[why].split(":")[0]
    assert made.needs_review == tuple(f"cell {name}: the student's code {head}" for name in ("b", "t", "p"))
    assert made.restarts == 3 and made.cpu_seconds == 6.0 and made.memory_mb == 20.0
    # Each new child runs what went well before, quietly
    sources = [[(request["source"], request["quiet"]) for request, _ in child.asked] for child in zygote.children]
    assert sources == [
        [("first", False), ("bad", False)],
        [("first", True), ("bad", False)],
        [("first", True), ("bad", False)],
        [("first", True), ("last", False)],
    ]
    assert all(
        request["figures"] is False for child in zygote.children for request, _ in child.asked if request["quiet"]
    )


def test_a_cell_without_a_name_is_named_by_its_place():
    made, _ = run([Step(TEXT, "", 0), Step(CODE, "bad", 1)], lambda request: Died("crash"))
    assert made.needs_review == ("cell 2: the student's code ended the whole Python process.",)


def test_an_earlier_cell_that_dies_the_second_time_is_left_out():
    seen = []

    def say(request):
        seen.append(request["source"])
        if request["source"] == "bad" or (request["quiet"] and request["source"] == "flaky"):
            return Died("crash")
        return DONE

    steps = [Step(CODE, "flaky", 0), Step(CODE, "bad", 1), Step(CODE, "last", 2)]
    made, _ = run(steps, say)
    assert seen == ["flaky", "bad", "flaky", "last"] and made.restarts == 2
    assert [one.error for one in made.results] == ["", "crash", ""]


def test_after_too_many_deaths_nothing_is_run():
    steps = [Step(ASSERTS, "x", place, grade_id=f"t{place}", points=1.0) for place in range(9)]
    made, zygote = run(steps, lambda request: Died("memory"))
    assert made.restarts == 7 == len(zygote.children)
    assert [one.verdict.verdict for one in made.results] == ["out of memory"] * 7 + ["crashed"] * 2
    assert made.results[8].verdict.message == "Not checked: it had ended too often before."


def test_after_the_time_of_a_notebook_nothing_is_run():
    steps = [Step(ASSERTS, "x", 0, grade_id="t", points=1.0)]
    made, zygote = run(steps, lambda request: DONE, Settings(total=0.0))
    assert made.results[0].verdict.verdict == "out of time"
    assert made.results[0].verdict.message == "Not checked: the time for the whole notebook was used up before."
    assert zygote.children == []


def test_a_step_gets_no_more_than_what_is_left_of_the_notebooks_time():
    made, zygote = run([Step(CODE, "x", 0)], lambda request: DONE, Settings(timeout=30.0, total=10.0))
    assert 9.0 < zygote.children[0].asked[0][1] - grader.GRACE <= 10.0 and made.restarts == 0
    run_ = grader._NotebookRun(Task("a", "h", "h", (), 1), Settings(total=0.0), zygote, None, None, set())
    with pytest.raises(Died) as died:
        run_._ask({}, 1.0)
    assert (died.value.why, died.value.how, died.value.begun) == (
        "time",
        "the time for the whole notebook was used up",
        True,
    )


@pytest.mark.parametrize("reply", [{}, {"outputs": []}, {"outputs": {}, "value": 1}, {"value": 1}])
def test_a_reply_of_another_form_is_a_crash(reply, deaths):
    made, _ = run([Step(ASSERTS, "x", 0, grade_id="t", points=1.0)], lambda request: reply)
    assert made.results[0].verdict.verdict == "crashed" and made.restarts == 1
    assert deaths == [("crash", "a reply of another form", True)] and 0.0 <= made.results[0].seconds < 5.0


def test_a_reply_that_is_too_large(deaths):
    made, _ = run([Step(ASSERTS, "x", 0, grade_id="t", points=1.0)], lambda request: DONE | {"too_large": True})
    assert made.results[0].verdict.verdict == "too much output" and deaths == [("output", "too large", True)]


class Helper:
    def __init__(self, memory=None):
        self.memory, self.calls = memory, []

    def ask(self, *call):
        self.calls.append(call)
        return {"value": 1}, [b""]

    def start(self):
        self.calls.append("start")

    def ready(self, names):
        self.calls.append(names)

    def close(self):
        self.calls.append("close")


def test_only_withheld_functions_are_called_back():
    oracle = Helper()
    steps = (Step(CODE, "x", 0),)
    made = grader._NotebookRun(Task("a", "h", "h", steps, 1), Settings(), None, oracle, Judge, {"losses.mse"})
    exercise = get_exercise(NAME)
    assert made._call_back(None, 7.0, "losses.mse", "tree", b"body") == ({"value": 1}, [b""])
    made._call_back(exercise, 8.0, "losses.mse", "tree", b"body")
    assert oracle.calls == [("losses.mse", None, "tree", b"body", 7.0), ("losses.mse", NAME, "tree", b"body", 8.0)]
    with pytest.raises(ProtocolError) as refused:
        made._call_back(None, 7.0, "os.system", "tree", b"body")
    assert str(refused.value) == "a call to a function that is not withheld"
    assert list(made.borrowed) == ["losses.mse"]


def test_a_value_without_its_numbers():
    state = optimizers.AdamState(3, np.ones(2), np.ones((1, 2)))
    value = grader._emptied({"a": (1.5, 2, True, "text", None), "b": [state, np.arange(3), np.float32(2)]})
    assert value["a"][1:] == (0, 0, "text", None) and np.isnan(value["a"][0])
    emptied, counts, number = value["b"]
    assert type(emptied) is optimizers.AdamState and emptied.t == 0 and np.isnan(emptied.m).all()
    assert counts.tolist() == [0, 0, 0] and np.isnan(number)


# --- an exercise ------------------------------------------------------------------------------------------------------

CHECK = Step(EXERCISE, "", 0, grade_id="e", points=4.0, calls=CALLS)


def reply_with(answer, sent, found=((True, True, "function"),)):
    """What a child says that has `answer` for the function; keeps the requests in `sent`."""

    def say(request):
        sent.append(request)
        if request["do"] == "functions":
            return {"found": [list(row) for row in found]}
        value = answer(len(sent) - 2)
        if isinstance(value, BaseException | dict):
            return value
        tree, buffers = encode(value)
        return {"outcomes": [said()], "values": [tree]}, b"".join(buffers)

    return say


def expected(at_home=False):
    seed = grader.PUBLIC_SEED if at_home else grader.exercise_seed(11, NAME)
    cases, values = expected_values(NAME, seed)
    return [value[0] for case, value in zip(cases, values, strict=True) if not (at_home and case.hidden)]


@pytest.mark.parametrize("at_home", [False, True])
def test_an_exercise_is_asked_case_by_case_and_judged_here(at_home):
    sent, values = [], expected(at_home)
    made, _ = run([CHECK], reply_with(values.__getitem__, sent), at_home=at_home)
    (one,) = made.results
    assert (one.verdict.verdict, one.verdict.points, one.verdict.how) == ("right", 4.0, "outside")
    assert [row.case for row in one.verdict.rows] and len(one.verdict.rows) == len(values)
    assert 0.0 <= one.verdict.seconds < 5.0
    assert sent[0] == {"do": "functions", "names": ["preactivation"], "place": 0, "places": [0], "apart": False}
    seed = grader.PUBLIC_SEED if at_home else grader.exercise_seed(11, NAME)
    trees = [tree for _, tree, _ in grader._encoded_cases(NAME, seed)]
    assert sent[1:] == [
        {
            "do": "case",
            "driver": ["drivers", "plain"],
            "names": ["preactivation"],
            "parts": [""],
            "case": tree,
            "seconds": 5.0,
        }
        for tree in trees[: len(values)]
    ]
    assert one.verdict.message == evaluate(NAME, get_exercise(NAME).functions[0]).message and one.outputs == ()


def test_the_checks_are_asked_when_every_cell_has_run():
    sent, values = [], expected()

    def say(request):
        sent.append(request)
        if request["do"] == "cell":
            return DONE
        if request["do"] == "functions":
            return {"found": [[True, True, ""]]}
        tree, buffers = encode(values[sum(one["do"] == "case" for one in sent) - 1])
        return {"outcomes": [said()], "values": [tree]}, b"".join(buffers)

    made, zygote = run([Step(CODE, "a", 0), CHECK, Step(CODE, "b", 2)], say)
    assert [request["do"] for request in sent] == ["cell", "cell", "functions", *["case"] * len(values)]
    # The child keeps the names of the check's place before the next cell changes them
    assert [request.get("places") for request in sent[:3]] == [None, [1], None]
    assert sent[2]["place"] == 1 and len(zygote.children) == 1
    assert [result.verdict.verdict for result in made.results if result.verdict] == ["right"]


def test_an_exercise_that_is_checked_twice_is_asked_apart():
    sent, values = [], expected()

    def say(request):
        sent.append(request)
        if request["do"] == "functions":
            return {"found": [[True, True, ""]]}
        if request["do"] == "done":
            return {}
        tree, buffers = encode(values[(sum(one["do"] == "case" for one in sent) - 1) % len(values)])
        return {"outcomes": [said()], "values": [tree]}, b"".join(buffers)

    made, _ = run([CHECK, CHECK], say)
    once = ["functions", *["case"] * len(values), "done"]
    assert [request["do"] for request in sent] == once * 2
    assert all(request["apart"] for request in sent if request["do"] == "functions")
    assert [result.verdict.verdict for result in made.results] == ["right", "right"]


def test_the_cells_leave_a_third_of_the_time_to_the_checks():
    _, zygote = run([Step(CODE, "x", 0), CHECK], lambda request: DONE, Settings(timeout=30.0, total=9.0))
    seconds = zygote.children[0].asked[0][1] - grader.GRACE
    assert 5.0 < seconds <= 6.0


def test_functions_that_are_missing_are_no_attempt():
    sent = []
    made, _ = run([CHECK], reply_with(None, sent, [(False, False, "")]))
    text = "There is no function preactivation: its cell is missing, empty, or stopped with an error."
    assert made.results[0].verdict == Verdict(
        "e", "outside", 4.0, 0.0, "not attempted", f"○ {NAME}: not attempted.\n{text}", NAME
    )
    assert len(sent) == 1 and 0.0 <= made.results[0].seconds < 5.0


@pytest.mark.parametrize("found", [None, "abc", [], [[True, True]], [3], [[True, True, ""], [True, True, ""]]])
def test_a_child_that_lies_about_its_functions(found, deaths):
    made, _ = run([CHECK], lambda request: {"found": found})
    verdict = made.results[0].verdict
    assert (verdict.verdict, verdict.exercise, verdict.how, made.restarts) == ("crashed", NAME, "outside", 1)
    assert verdict.message == f"The check could not finish: your code {WORDS['crash']}"
    assert deaths == [("crash", "a reply of another form", True)]


def test_a_case_that_ends_the_child_ends_the_check_and_keeps_what_was_right():
    sent, values = [], expected()
    made, zygote = run([CHECK], reply_with(lambda i: values[i] if i < 1 else Died("memory"), sent))
    verdict = made.results[0].verdict
    assert verdict.verdict == "out of memory" and made.restarts == 1 and len(sent) == 3
    assert [row.passed for row in verdict.rows] == [True] + [False] * (len(values) - 1)
    assert verdict.rows[1].problem == "Your code raised MemoryError: more memory than allowed."
    assert zygote.children[0].closed and 0.0 < verdict.points < 4.0


def test_no_memory_in_a_case_is_that_cases():
    sent, values = [], expected()
    made, _ = run([CHECK], reply_with(lambda i: {"no_memory": True} if i == 0 else values[i], sent))
    verdict = made.results[0].verdict
    assert verdict.verdict == "out of memory" and made.restarts == 0
    assert [row.passed for row in verdict.rows] == [False] + [True] * (len(values) - 1)


@pytest.mark.parametrize(
    "reply",
    [{}, {"outcomes": [], "values": []}, {"outcomes": [said()], "values": [7]}, {"outcomes": [5], "values": [None]}],
)
def test_a_case_with_a_reply_of_another_form_is_a_crash(reply, deaths):
    sent = []
    made, _ = run([CHECK], reply_with(lambda i: reply, sent))
    assert made.results[0].verdict.verdict == "crashed" and made.restarts == 1
    # What the values are is read by the judge, after the last case
    values = reply.get("values") == [7]
    assert deaths == [("crash", "expected a tagged value" if values else "a reply of another form", True)]
    assert len(sent) == (1 + len(expected()) if values else 2)


def test_after_one_slow_case_the_others_get_a_second():
    sent, values = [], expected()
    slow = {"outcomes": [said(error=["TooSlow", "stopped"])], "values": [None]}
    made, _ = run([CHECK], reply_with(lambda i: slow if i == 0 else values[i], sent))
    assert [request["seconds"] for request in sent[1:]] == [5.0] + [1.0] * (len(values) - 1)
    assert made.results[0].verdict.verdict == "out of time"


@pytest.mark.parametrize(
    ("source", "calls"),
    [
        ("def f(x):\n    return x", False),
        ("def f(x):\n    return f(x - 1)", True),
        ("y = f(x)", True),
        ("def fg(x):\n    return gf(x)", False),
        ("", False),
    ],
)
def test_whether_code_names_a_function(source, calls):
    assert ("f" in grader._called(source)) is calls


def test_the_causes_are_exercises_that_failed_and_are_called_by_the_students_code(monkeypatch):
    monkeypatch.setattr(grader, "get_exercise", lambda name: SimpleNamespace(released=None))
    steps = (
        Step(CODE, "f(1)", 0, student=True),
        Step(CODE, "h(1)", 1),
        Step(TEXT, "As h(1) says", 2, student=True),
    )
    made = grader._NotebookRun(Task("a", "h", "h", steps, 1), Settings(), None, None, Judge, set())
    made.failed = {"one": ("f",), "two": ("g", "h")}
    assert made._causes("three", None) == {"one": ("f",)} and made._causes("one", None) == {}
    made.task = Task("a", "h", "h", (*steps, Step(CODE, "h(2)", 3, student=True)), 1)
    assert made._causes("three", None) == made.failed and made._causes("one", None) == {"two": ("g", "h")}
    # Of what is written somewhere, what the answer itself uses; a child may send anything in that place
    assert made._causes("three", ["np", "h"]) == {"two": ("g", "h")} and made._causes("three", []) == {}
    assert made._causes("three", [["f"], 3, None]) == {} and made._causes("three", {"f": 1}) == made.failed
    assert made._causes("three", ["g"]) == {}


def cases_run(name, functions, sent, monkeypatch, instead=None, answer=None, at_home=False):
    """(the run, its child, what `_frames` gives, the seeds of the limits) with a child that answers each case with `answer`."""
    asked, limits = [], Judge.limits

    def limits_of(*key):
        asked.append(key)
        return limits(*key)

    monkeypatch.setattr(Judge, "limits", staticmethod(limits_of))
    exercise = get_exercise(name)
    made = grader._NotebookRun(Task("a", "h", "h", (), 11, at_home=at_home), Settings(), None, None, Judge, set())

    def say(request):
        sent.append((request, made.lent))
        tree, _ = encode(1.0)
        return answer or ({"outcomes": [said() for _ in exercise.parts], "values": [tree] * len(exercise.parts)}, b"")

    made.child = child = Child(say)
    return made, child, made._frames(exercise, functions, 5, instead), asked


def test_the_students_functions_stand_for_the_courses_while_a_case_is_asked(monkeypatch):
    sent, instead = [], {"neurons.gd_fit": ("f",), "graph.accumulate": ("g", "h")}
    made, child, (frames, errors, died), asked = cases_run(NAME, ("preactivation",), sent, monkeypatch, instead)
    cases = grader._encoded_cases(NAME, 5)
    assert asked == [(NAME, 5)] and (errors, died, made.deaths) == (set(), None, 0)
    assert [one.number for one in frames] == list(range(len(cases)))
    assert [request["case"] for request, _ in sent] == [tree for _, tree, _ in cases]
    assert child.sent == [buffers for _, _, buffers in cases]
    assert all(calls.args[0] is get_exercise(NAME) for calls in child.calls)
    for request, lent in sent:
        assert request["instead"] == [
            ["f", "neurons.gd_fit/0"],
            ["g", "graph.accumulate/0"],
            ["h", "graph.accumulate/1"],
        ]
        assert lent == {"neurons.gd_fit/0", "graph.accumulate/0", "graph.accumulate/1"}
        # The text of a module of the course, without the answer that is judged; none for what stands nowhere in it
        (module, text, name), *others = (request["homes"][target] for _, target in request["instead"])
        assert (module, name) == ("neurons", "gd_fit") and "dw, db = grad(X, d, w, b)" in text and "X @ w" not in text
        assert [one[1:] for one in others] == [("", "zero_grad"), ("", "accumulate")]
    assert made.lent == set()


def test_alone_nothing_stands_for_anything(monkeypatch):
    sent = []
    made, *_ = cases_run(NAME, ("preactivation",), sent, monkeypatch)
    assert all("instead" not in request and lent == set() for request, lent in sent) and made.lent == set()


def test_at_home_the_hidden_cases_are_passed_over(monkeypatch):
    sent, name = [], "neurons.perceptron_criterion"
    _, _, (frames, *_), _ = cases_run(name, ("perceptron_criterion",), sent, monkeypatch, at_home=True)
    hidden = [case[0] for case in grader._encoded_cases(name, 5)]
    assert hidden == [False, False, False, False, True, False, False]
    assert [one.number for one in frames] == [0, 1, 2, 3, 5, 6]


def test_a_request_has_its_time_and_answers_the_calls_meanwhile(monkeypatch):
    clock = SimpleNamespace(now=10.0)
    monkeypatch.setattr(grader, "time", SimpleNamespace(monotonic=lambda: clock.now))
    made = grader._NotebookRun(Task("a", "h", "h", (), 1), Settings(), None, None, Judge, set())

    def say(request):
        clock.now += 0.25
        return {"well": True}

    made.child, exercise = Child(say), get_exercise(NAME)
    made.until = 10.5
    assert made._ask({"do": "x"}, 3.0, (b"1",), exercise) == ({"well": True}, b"")
    assert made._ask({"do": "y"}, 0.125) == ({"well": True}, b"")
    assert made.child.asked == [({"do": "x"}, 0.5 + grader.GRACE), ({"do": "y"}, 0.125 + grader.GRACE)]
    assert made.child.sent == [(b"1",), ()] and made.asked == 0.5
    assert [calls.func for calls in made.child.calls] == [made._call_back] * 2
    assert [calls.args for calls in made.child.calls] == [
        (exercise, 10.5 + grader.GRACE),
        (None, 10.375 + grader.GRACE),
    ]
    # Now nothing is left
    with pytest.raises(Died):
        made._ask({"do": "z"}, 3.0)
    assert len(made.child.asked) == 2


def test_a_case_without_memory_has_an_error_for_every_part():
    made = grader._NotebookRun(Task("a", "h", "h", (), 1), Settings(), None, None, Judge, set())
    made.child = Child(lambda request: {"no_memory": True})
    header, body = made._case(get_exercise("layers.linear"), ("f", "g"), "tree", (), 1.0)
    error = {"where": "", "changed": [], "printed": "", "warned": "", "error": ["MemoryError", ""]}
    assert (header, body) == ({"outcomes": [error, error], "values": [None, None]}, b"")


def test_every_death_in_a_case_counts(monkeypatch):
    made, _, (frames, _, died), _ = cases_run(NAME, ("preactivation",), [], monkeypatch, answer=Died("time"))
    assert made.deaths == 1 and died.why == "time" and {one.died for one in frames} == {"time"}
    made.child = Child(lambda request: Died("time"))
    made._frames(get_exercise(NAME), ("preactivation",), 5)
    assert made.deaths == 2


def test_an_exercises_own_driver_is_named_by_its_topic():
    step = Step(EXERCISE, "", 0, grade_id="e", points=1.0, calls=("initializers.orthogonal", ("orthogonal",)))
    sent = []
    run([step], reply_with(lambda i: Died("crash"), sent))
    assert sent[1]["driver"] == ["initializers", "draw_driver"]


# --- what follows from an earlier exercise -------------------------------------------------------------------------------

LATER = "neurons.perceptron_predict"
LATER_CHECK = Step(EXERCISE, "", 1, grade_id="l", points=2.0, calls=(LATER, ("perceptron_predict",)))
CALLER = Step(CODE, "def perceptron_predict(X, w, b):\n    return preactivation(X, w, b) >= 0", 0, student=True)
NOTE = f"Follows from {NAME}, which is not right yet: your answer calls it, so here it was judged "


def two_exercises(lent, alone=None, first=None):
    """What a child says whose first exercise is wrong (or `first`); the later one is `alone`, wrong, or with the course's
    function in the first one's place `lent`: "right", "wrong" or what the child does.
    """
    sent, seed = [], grader.exercise_seed(11, LATER)
    right = [value[0] for value in expected_values(LATER, seed)[1]]

    def say(request):
        sent.append(request)
        if request["do"] in ("cell", "done"):
            return DONE
        if request["do"] == "functions":
            missing = first == "missing" and request["names"] == ["preactivation"]
            return {"found": [[not missing, True, ""]]}
        value, kind = 0.5, (lent if "instead" in request else alone)
        if request["names"] == ["perceptron_predict"]:
            number = sum(
                one["do"] == "case"
                and one["names"] == request["names"]
                and ("instead" in one) == ("instead" in request)
                for one in sent
            )
            if isinstance(kind, BaseException):
                return kind
            value = right[(number - 1) % len(right)] * (1.0 if kind == "right" else 3.0)
        tree, buffers = encode(value)
        return {"outcomes": [said()], "values": [tree]}, b"".join(buffers)

    return say, sent


def test_the_visible_cases_are_asked_before_the_hidden_ones():
    name = "neurons.perceptron_criterion"
    cases = grader._encoded_cases(name, grader.exercise_seed(11, name))
    hidden = [one[0] for one in cases]
    assert hidden != sorted(hidden)
    sent = []

    def say(request):
        if request["do"] == "case":
            sent.append([tree for _, tree, _ in cases].index(request["case"]))
        return {"found": [[True, True, "a function"]]} if request["do"] == "functions" else {"no_memory": True}

    made, _ = run([Step(EXERCISE, "", 1, grade_id="x", points=1.0, calls=(name, ("perceptron_criterion",)))], say)
    assert sent == [*(i for i, one in enumerate(hidden) if not one), *(i for i, one in enumerate(hidden) if one)]
    assert [row.hidden for row in made.results[0].verdict.rows] == hidden


def later_cases(sent):
    """[what stands for the course's functions] of the cases that the later exercise was asked."""
    return [one.get("instead") for one in sent if one["do"] == "case" and one["names"] == ["perceptron_predict"]]


@pytest.mark.parametrize("first", ["wrong", "missing"])
def test_an_error_that_follows_costs_nothing_more(first, monkeypatch):
    asked, judged = [], Judge.judge

    def judge_of(name, seed, frames, at_home, again=False):
        asked.append((name, seed, len(frames), at_home, again))
        return judged(name, seed, frames, at_home, again)

    monkeypatch.setattr(Judge, "judge", staticmethod(judge_of))
    say, sent = two_exercises("right", first=first)
    made, zygote = run([CALLER, CHECK, LATER_CHECK], say)
    one, other = made.results[1].verdict, made.results[2].verdict
    assert (one.points, other.verdict, other.points, made.restarts) == (0.0, "right", 2.0, 0)
    assert other.message.split("\n")[1].startswith(NOTE)
    trees = [one["case"] for one in sent if one["do"] == "case" and one["names"] == ["perceptron_predict"]]
    assert trees[: len(trees) // 2] == trees[len(trees) // 2 :]
    assert (one.exercise, other.exercise) == (NAME, LATER)
    cases = later_cases(sent)
    assert cases == [None] * (len(cases) // 2) + [[["preactivation", f"{NAME}/0"]]] * (len(cases) // 2)
    seeds, number = [grader.exercise_seed(11, name) for name in (NAME, LATER)], len(cases) // 2
    # Nothing that an answer says the second time, when it knows the hidden cases, is repeated
    told = [(LATER, seeds[1], number, False, again) for again in (False, True)]
    assert asked == [*([(NAME, seeds[0], asked[0][2], False, False)] if first == "wrong" else []), *told]
    assert {seconds for request, seconds in zygote.children[0].asked if request["do"] != "case"} == {5.0 + grader.GRACE}


@pytest.mark.parametrize(
    ("alone", "lent", "rounds"),
    [(None, "wrong", 2), ("right", "wrong", 1), (Died("time"), "right", 1), (None, Died("memory"), 2)],
    ids=["no better with it", "right without it", "died without it", "died with it"],
)
def test_where_nothing_follows_the_first_judgement_stands(alone, lent, rounds):
    say, sent = two_exercises(lent, alone)
    made, _ = run([CALLER, CHECK, LATER_CHECK], say)
    verdict = made.results[2].verdict
    assert "Follows from" not in verdict.message
    assert verdict.verdict == ("right" if alone == "right" else "out of time" if alone else "wrong")
    assert len({str(instead) for instead in later_cases(sent)}) == rounds


def test_a_later_failure_is_no_cause_of_an_earlier_one():
    say, sent = two_exercises("right")
    made, _ = run([CALLER, LATER_CHECK, CHECK], say)
    assert set(map(str, later_cases(sent))) == {"None"} and made.results[1].verdict.verdict == "wrong"


def test_an_exercise_that_is_checked_twice_is_not_its_own_cause():
    say, sent = two_exercises("right")
    used = Step(CODE, "perceptron_predict(X, w, b)", 0, student=True)
    made, _ = run([used, LATER_CHECK, LATER_CHECK], lambda request: {} if request["do"] == "done" else say(request))
    assert set(map(str, later_cases(sent))) == {"None"}
    assert [one.verdict.verdict for one in made.results[1:]] == ["wrong", "wrong"]


def test_a_child_that_breaks_the_judge_is_not_asked_again(monkeypatch):
    judged = Judge.judge

    def judge_of(*call, **options):
        return replace(judged(*call, **options), broken="nonsense" if call[0] == LATER else "")

    monkeypatch.setattr(Judge, "judge", staticmethod(judge_of))
    say, sent = two_exercises("right")
    made, _ = run([CALLER, CHECK, LATER_CHECK], say)
    assert set(map(str, later_cases(sent))) == {"None"}
    assert made.results[2].verdict.verdict == "crashed" and made.restarts == 1


# --- what may be shown, by its limits ---------------------------------------------------------------------------------


def png(width, height, signature=b"\x89PNG\r\n\x1a\n", length=13, chunk=b"IHDR"):
    return signature + length.to_bytes(4, "big") + chunk + width.to_bytes(4, "big") + height.to_bytes(4, "big")


@pytest.mark.parametrize(
    ("picture", "shown"),
    [
        (png(2, 3), True),
        (png(2, 3) + b"more", True),
        (png(grader.PIXELS, 1), True),
        (png(1, grader.PIXELS + 1), False),
        (png(0, 3), False),
        (png(2, 0), False),
        (png(2, 3)[:-1], False),
        (png(2, 3, length=14), False),
        (png(2, 3, chunk=b"IHDX"), False),
        (png(2, 3, signature=b"\x89PNG\r\n\x1a\r"), False),
        (b"", False),
    ],
)
def test_a_picture_that_a_page_can_hold(picture, shown):
    assert grader._can_be_shown(picture) is shown


A, B, PICTURE = stream("a" * 30), stream("b" * 20), shown(**{"image/png": "p" * 40, "text/plain": "t" * 5})
# {what: (outputs, characters of text, characters in all, what is kept, whether it is cut)}
LIMITS = {
    "all of it": ([A, PICTURE, B], 55, 95, [A, PICTURE, B], False),
    "text that is too long is cut": ([A, B], 45, 99, [A, stream("b" * 15)], True),
    "nothing is left for text": ([A, B], 30, 99, [A, stream("")], True),
    "a picture beyond the whole is left out": ([PICTURE, B], 99, 44, [B], True),
    "a picture's words are text": ([A, PICTURE, B], 34, 99, [A, stream("b" * 4)], True),
    "a picture among texts": ([PICTURE, A], 35, 99, [PICTURE, A], False),
    "text within the whole": ([PICTURE, A], 99, 60, [PICTURE, stream("a" * 15)], True),
    "none": ([], 0, 0, [], False),
}


@pytest.mark.parametrize("what", LIMITS)
def test_outputs_within_their_limits(what):
    outputs, text, everything, kept, cut = LIMITS[what]
    assert grader.limited(outputs, text, everything) == (kept, cut)


def test_the_number_of_outputs_has_an_end():
    assert grader.limited([stream("a")] * 200, 999, 999) == ([stream("a")] * 200, False)
    assert grader.limited([stream("a")] * 201, 999, 999) == ([stream("a")] * 200, True)


def test_the_size_of_what_is_shown():
    error = {"output_type": "error", "ename": "E", "evalue": "abc", "traceback": ["de", "f"]}
    assert [grader._size(one) for one in (A, PICTURE, error, {})] == [30, 45, 6, 0]


def test_an_error_that_just_fits_keeps_its_lines(monkeypatch):
    error = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["trace"]}
    for room, lines in ((6, ["trace"]), (5, [])):
        monkeypatch.setattr(grader, "SHOWN", room)
        made, _ = run([Step(CODE, "x", 0)], lambda request: DONE | {"error": error})
        assert made.results[0].outputs == (error | {"traceback": lines},)


def test_what_all_cells_of_a_notebook_show_has_a_limit(monkeypatch):
    monkeypatch.setattr(grader, "SHOWN", 12)
    error = {"ename": "E", "evalue": "v", "traceback": ["trace"]}
    said = {"a": [stream("12345")], "b": [stream("6789")], "c": []}
    cut = stream("… (the rest of the output was cut off)\n")

    def say(request):
        return {"outputs": said[request["source"]], "value": None} | (
            {"error": error} if request["source"] == "b" else {}
        )

    made, _ = run([Step(CODE, name, i) for i, name in enumerate("aba")], say)
    # The error of the second cell is one character too much
    without = {"output_type": "error", "ename": "E", "evalue": "v", "traceback": []}
    assert [one.outputs for one in made.results] == [(stream("12345"),), (stream("6789"), without), (cut,)]


# --- points, and why there are none -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "points", "near"),
    [(3, 3.0, True), (3 + 1e-10, 3.0, True), (3.0 + grader.ROUNDING, 3.0, True), (3.0 - grader.ROUNDING, 3.0, True), (3 - 1e-10, 3.0, True), (3 + 1e-8, 3.0, False), (3 - 1e-8, 3.0, False),
     (10**400, 3.0, False), (-(10**400), 3.0, False)],
)  # fmt: skip
def test_points_within_rounding(value, points, near):
    assert grader._is_near(value, points) is near


def test_a_number_in_words():
    long = "a number of more than 100 digits"
    values = (2.5, 3, -1, 10**99, 10**100, -(10**100), float("inf"))
    assert [grader._in_words(value) for value in values] == ["2.5", "3", "-1", "1e+99", long, long, long]


def test_a_value_that_is_nearly_a_number_waits_for_a_person():
    person = Verdict("t", "person", 3.0, None, "for a person", seconds=1.5)
    assert grader._of_asserts(asserts(), None, 2, "'2'", 1.5) == person
    assert grader._of_asserts(asserts(), {"ename": "E", "evalue": ""}, 2, "'2'", 1.5).verdict == "wrong"


# {what: (the reply, the message, its verdict, points)}
GIVEN = {
    "a number as text": (
        {"value": None, "odd": " '2'\n "},
        "its value is '2', which is not a number of points: a person decides", "for a person", None,
    ),
    "more than there are": ({"value": 9}, "its code gave 9 of 2.5 points; 2.5 count", "right", 2.5),
    "less than none": ({"value": -0.5}, "its code gave -0.5 of 2.5 points; 0 count", "wrong", 0.0),
    "far more": ({"value": 10**200}, "its code gave a number of more than 100 digits of 2.5 points; 2.5 count", "right", 2.5),
    "more by rounding": ({"value": 2.5 + 1e-12}, "", "right", 2.5),
    "some": ({"value": 1.5}, "", "partly right", 1.5),
    "no number": ({"value": None}, "", "right", 2.5),
    "True": ({"value": True}, "", "right", 2.5),
}  # fmt: skip


@pytest.mark.parametrize("what", GIVEN)
def test_points_that_a_check_cannot_give_are_said(what):
    reply, said, verdict, points = GIVEN[what]
    made, _ = run([Step(ASSERTS, "x", 0, grade_id="t", points=2.5)], lambda request: {"outputs": []} | reply)
    one = made.results[0].verdict
    assert (one.verdict, one.points) == (verdict, points)
    assert one.message == (f"The check: {said}." if said else "")
    assert made.needs_review == ((f"cell t: {said}",) if said else ())


def test_an_error_beside_a_number_is_an_error():
    error = {"ename": "E", "evalue": "v", "traceback": []}
    reply = {"outputs": [], "value": 9, "odd": "'2'", "error": error}
    made, _ = run([Step(ASSERTS, "x", 0, grade_id="t", points=2.5)], lambda request: reply)
    assert made.results[0].verdict.message == "E: v" and made.needs_review == ()


@pytest.mark.parametrize(
    ("source", "defines"),
    [
        ("def f(x):", True), ("  def f(x):", True), ("x = 1\nclass f:", True), ("f = 1", True), ("f=lambda: 1", True),
        ("def fg(x):", False), ("  f = 1", False), ("g = f", False), ("f == 1", True), ("x.f = 1", False), ("undef f", False),
    ],
)  # fmt: skip
def test_a_cell_that_defines_a_name(source, defines):
    assert grader._defines("f", source) is defines


CELL = "Cell In[1], line 2\n      1 x\n----> 2 1/0\n\n"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (("E", "v", []), "stopped with E: v"),
        (("E", "", []), "stopped with E"),
        (("E", "X: ", []), "stopped with E: X"),
        (("E", "a\n b" + "c" * 600, []), f"stopped with E: a b{'c' * 496}"),
        (("TooSlow", "3 s", []), WORDS["time"]),
        (("E", "v", ["head", CELL, "tail"]), "stopped with E: v\n      1 x\n----> 2 1/0"),
        (
            ("E", "v", [CELL.replace("2", "9"), "\n  " + CELL, "Cell"]),
            "stopped with E: v\n  Cell In[1], line 2\n      1 x\n----> 2 1/0",
        ),
        (("E", "v", ["in Cell In"]), "stopped with E: v"),
        (("E", "v", ["Cell In[1]\n" + "\n".join(["y" * 130] * 9)]), "\n".join(["stopped with E: v", *["y" * 120] * 8])),
    ],
)
def test_how_an_error_stopped_a_cell(error, told):
    assert grader._told(dict(zip(("ename", "evalue", "traceback"), error, strict=True))) == told


FAILS = {"ename": "ValueError", "evalue": "no", "traceback": []}
DEFINES = Step(CODE, "def preactivation(X, w, b):\n    return 1", 0, student=True)


def failing(*sources, ename="ValueError", **named):
    """What a child says in which these cells stop with an error; `named`: the replies to cells and to what is asked."""

    def say(request):
        if request["do"] != "cell":
            return {"found": [[False, False, ""]]}
        stops = any(source in request["source"] for source in sources)
        return DONE | ({"error": FAILS | {"ename": ename}} if stops else {}) | named.get(request["source"], {})

    return say


@pytest.mark.parametrize(
    ("ename", "verdict", "how"),
    [
        ("ValueError", "wrong", "stopped with ValueError: no"),
        ("TooSlow", "out of time", WORDS["time"]),
        ("MemoryError", "out of memory", "stopped with MemoryError: no"),
        ("NotImplementedError", "not attempted", ""),
    ],
)
def test_an_answer_whose_cell_was_stopped_is_told_so(ename, verdict, how):
    made, _ = run([DEFINES, CHECK], failing("preactivation", ename=ename))
    text = (
        f"✗ {NAME}: no answer is left.\nThe cell that defines preactivation {how}"
        if how
        else f"○ {NAME}: not attempted.\nThere is no function preactivation: its cell is missing, empty, or stopped with an error."
    )
    one = made.results[1].verdict
    assert one == Verdict("e", "outside", 4.0, 0.0, verdict, text, NAME)


@pytest.mark.parametrize(("undefined", "told"), [("preactivation", True), ("other", False)])
def test_a_check_of_a_name_whose_cell_was_stopped_is_told_so(undefined, told):
    error = {"ename": "NameError", "evalue": f"name '{undefined}' is not defined", "traceback": []}
    steps = [DEFINES, Step(ASSERTS, "t", 1, grade_id="t", points=1.0)]
    made, _ = run(steps, failing("preactivation", ename="MemoryError", t={"error": error}))
    one = made.results[1].verdict
    said = f"NameError: {error['evalue']}"
    if told:
        said += "\nThe cell that defines preactivation stopped with MemoryError: no"
    assert (one.verdict, one.message, one.points) == ("out of memory" if told else "wrong", said, 0.0)


def test_the_last_stopped_cell_before_the_check_is_told():
    steps = tuple(Step(CODE, source, i) for i, source in enumerate(["f = 1", "def f(): pass", "g = 1", "f = 2"]))
    made = grader._NotebookRun(Task("a", "h", "h", steps, 1), Settings(), None, None, Judge, set())
    made.stopped = {0: ("k0", "how 0."), 1: ("k1", "how 1."), 2: ("k2", "how 2."), 3: ("k3", "how 3.")}
    assert made._why_undefined(["f"], 3) == ("k1", "The cell that defines f how 1.")
    assert made._why_undefined(["f"], 1) == ("k0", "The cell that defines f how 0.")
    assert made._why_undefined(["g", "f"], 3) == ("k2", "The cell that defines g and f how 2.")
    assert made._why_undefined(["f"], 0) == made._why_undefined(["h"], 3) == ("", "")


def test_a_cell_that_ended_its_child_is_told_with_its_words():
    made, _ = run(
        [DEFINES, CHECK], lambda request: Died("memory") if request["do"] == "cell" else {"found": [[False, False, ""]]}
    )
    one = made.results[1].verdict
    assert one.verdict == "out of memory"
    assert one.message == f"✗ {NAME}: no answer is left.\nThe cell that defines preactivation {WORDS['memory']}"


# --- packages that are not there ---------------------------------------------------------------------------------------


def lacking(steps, say, absent, **more):
    """(the result of a notebook, what was looked for) where `absent` tells which statements fail."""
    asked = []
    task = Task("ada", "hw", "hw", tuple(steps), 11, **more)
    settings = Settings(timeout=5.0, total=50.0)
    fails = lambda statement: asked.append(statement) or (statement in absent and "E: no")
    return grader._NotebookRun(task, settings, Zygote(say), None, Judge, set(), fails).result(), asked


def no_module(name):
    return {"error": {"ename": "ModuleNotFoundError", "evalue": f"No module named '{name}'", "traceback": []}}


IMPORTS = [
    Step(CODE, "one", 0, student=True),
    Step(ASSERTS, "t", 1, grade_id="t", points=1.0),
    Step(ASSERTS, "u", 2, grade_id="u", points=1.0),
]


def test_what_a_lacking_package_costs_waits_for_a_person():
    say = failing(one=no_module("torch.nn"), t=no_module("cv2"), u={})
    made, asked = lacking(IMPORTS, say, {"import torch", "import cv2"})
    assert asked == ["import torch", "import cv2"]
    assert made.needs_review == (
        "the code imports torch, cv2, which is neither in the environment of the grader nor handed in: what this cost waits for "
        "a person; with the package installed, grade again with --regrade",
    )
    first, second = (one.verdict for one in made.results[1:])
    message = "ModuleNotFoundError: No module named 'cv2'\nThe code imports torch, cv2, not there where it was graded: a person decides."
    assert (first.how, first.points, first.verdict, first.message) == ("person", None, "for a person", message)
    assert (second.points, second.verdict, second.message) == (1.0, "right", "")
    assert made.results[0].error == "ModuleNotFoundError" and made.results[0].verdict is None


@pytest.mark.parametrize(
    ("absent", "more", "asked"),
    [
        ({"import torch"}, {"at_home": True}, ["import torch"]),
        (set(), {}, ["import torch"]),
        ({"import torch"}, {"files": {"torch.py": b""}}, []),
    ],
)
def test_a_package_that_is_there_or_handed_in_waits_for_nobody(absent, more, asked):
    made, looked = lacking(IMPORTS[:2], failing(one=no_module("torch"), t=no_module("torch")), absent, **more)
    assert (made.needs_review, looked) == ((), asked)
    assert (made.results[1].verdict.verdict, made.results[1].verdict.points) == ("wrong", 0.0)


def test_ten_packages_are_looked_for():
    made = grader._NotebookRun(Task("a", "h", "h", (), 1), Settings(), None, None, Judge, set(), lambda statement: "E")
    for name in ("text", "m1", "m1", *(f"m{i}" for i in range(2, 12))):
        made._look_for(f"No module named '{name}'" if name != "text" else "no module")
    assert list(made.lacking) == [f"m{i}" for i in range(1, 11)]


def test_a_package_that_a_case_lacks_is_looked_for():
    made = grader._NotebookRun(Task("a", "h", "h", (), 1), Settings(), None, None, Judge, set(), lambda statement: "E")
    texts = [
        ["ModuleNotFoundError", "No module named 'a'"],
        ["ImportError", "No module named 'b'"],
        "ModuleNotFoundError",
        None,
        ["ModuleNotFoundError", 3],
    ]
    made._look_into({"outcomes": [*({"error": text} for text in texts), {}]})
    assert list(made.lacking) == ["a"]


@pytest.mark.parametrize("verdict", ["right", "not attempted", "for a person"])
def test_what_lacks_nothing_is_kept(verdict):
    made = grader._NotebookRun(Task("a", "h", "h", (), 1), Settings(), None, None, Judge, set())
    made.lacking = {"torch": None}
    for points in (None, 1.0) if verdict == "for a person" else (1.0,):
        one = StepResult(verdict=Verdict("t", "outside", 2.0, points, verdict, "M"))
        waits = made._for_a_person(one)
        assert (waits == one) is (verdict != "for a person" or points is None)
    assert made._for_a_person(StepResult()) == StepResult()


class Importing:
    """A zygote whose children answer an import as `say` does."""

    def __init__(self, say):
        self.say, self.children = say, []

    def child(self, settings, files):
        assert files == {}
        self.children.append(Child(lambda request: self.say(request["source"])))
        self.children[-1].ask = functools.partial(self._asked, self.children[-1])
        return self.children[-1]

    @staticmethod
    def _asked(child, request, seconds):
        return Child.ask(child, request, (), seconds, None)


def test_an_import_is_tried_once_where_no_students_code_runs():
    said = {
        "import a": DONE,
        "import b": no_module("b"),
        "import c": Died("memory"),
        "import d": Died("crash", "it fell"),
        "import e": {"error": {"ename": "E" * 400, "evalue": ""}},
    }
    zygote = Importing(said.__getitem__)
    one = Grader(Settings(timeout=7.0))
    errors = [one._fails_to_import(zygote, statement) for statement in [*said, *said]]
    assert (
        errors[:5] == ["", "ModuleNotFoundError: No module named 'b'", "memory", "it fell", f"{'E' * 100}:"]
        and errors[5:] == errors[:5]
    )
    assert len(zygote.children) == 5 and all(child.closed for child in zygote.children)
    request = {"do": "cell", "source": "import a", "seconds": 60.0, "output": 0, "figures": False, "quiet": True}
    assert zygote.children[0].asked == [(request, 60.0 + grader.GRACE)]
    patient, more = Importing(said.__getitem__), Grader(Settings(timeout=90.0))
    more._fails_to_import(patient, "import a")
    assert patient.children[0].asked[0][1] == 90.0 + grader.GRACE


def test_the_packages_that_fail_where_no_students_code_runs(monkeypatch):
    one, given = Grader(), []
    monkeypatch.setattr(one, "warm", lambda names: given.append(names) or "zygote")
    monkeypatch.setattr(one, "_fails_to_import", lambda zygote, statement: given.append(zygote) or statement[7:])
    assert one.missing_packages(["import a", "import "]) == {"import a": "a"} and given == [(), "zygote", "zygote"]


def test_an_assignment_whose_own_import_fails_stops(monkeypatch):
    asked = []
    environment = lambda given: asked.append(given) or SimpleNamespace(python="/env/python")
    monkeypatch.setattr(grader, "find_environment", environment)
    one = Grader(Settings(environment="env"))
    assert one._check_imports(["import a"], lambda statement: "") is None and asked == []
    for module, package in (("cv2", "opencv-python-headless"), ("torch", "torch")):
        fails = {"import ok": "", f"from {module}.x import y": "E: no"}
        with pytest.raises(MissingPackage) as caught:
            one._check_imports(fails, fails.__getitem__)
        assert (caught.value.reason, caught.value.remedy) == (
            f"the assignment's own `from {module}.x import y` fails where it is graded (E: no), so it stops here",
            f"install {package} (/env/python -m pip install {package}), or name an environment that has it (--environment PATH); "
            f"if students hand in {module}.py, list it in c.Autograde.exclude_overwriting",
        )
    assert asked == ["env", "env"]


# --- the course's functions in the cells -------------------------------------------------------------------------------


def test_values_of_asked_functions_are_left_out_where_the_answer_is_checked():
    value, buffers = encode((2.5, np.ones(3), optimizers.AdamState(3, np.ones(1), np.ones(1))))

    class Oracle:
        def ask(self, *call):
            return {"value": value}, buffers

    steps = (Step(CODE, "x", 0, student=True), CHECK)
    task = Task("a", "h", "h", steps, 1)
    made = grader._NotebookRun(task, Settings(), None, Oracle(), Judge, {"losses.mse"})
    exercise = get_exercise(NAME)
    # While the cells run, and where an exercise asks, the value is whole
    made.reach = 1
    assert made._call_back(None, 7.0, "losses.mse", "tree", b"") == ({"value": value}, buffers)
    made.reach = 2
    assert made._call_back(exercise, 7.0, "losses.mse", "tree", b"") == ({"value": value}, buffers)
    header, body = made._call_back(None, 7.0, "losses.mse", "tree", b"")
    number, array, state = grader.decode(header["value"], b"".join(body), {"n": grader.course_tuple})
    assert np.isnan(number) and np.isnan(array).all() and array.shape == (3,)
    assert type(state) is optimizers.AdamState and state.t == 0
    made.lent = {"other/0"}
    assert "value" in made._call_back(exercise, 7.0, "other/0", "tree", b"")[0]
    made.task = Task("a", "h", "h", steps, 1, at_home=True)
    assert made._call_back(None, 7.0, "losses.mse", "tree", b"") == ({"value": value}, buffers)
    Oracle.ask = lambda self, *call: ({"error": ["E", "t"]}, [])
    made.task = task
    assert made._call_back(None, 7.0, "losses.mse", "tree", b"") == ({"error": ["E", "t"]}, [])


def test_who_borrowed_is_kept():
    made = grader._NotebookRun(Task("a", "h", "h", (CHECK,), 1), Settings(), None, Helper(), Judge, {"a.b", "c.d"})
    for students, name in ((False, "a.b"), (True, "c.d"), (False, "c.d")):
        made.in_students_cell = students
        made._call_back(None, 7.0, name, "tree", b"")
    assert made.borrowed == {"a.b": False, "c.d": True}
    made._call_back(get_exercise(NAME), 7.0, "a.b", "tree", b"")
    made.in_students_cell = True
    made._call_back(None, 7.0, "a.b", "tree", b"")
    assert made.borrowed["a.b"] is True


@pytest.mark.parametrize("students", [True, False])
def test_after_cells_that_borrowed_the_checks_get_a_new_child(students, monkeypatch):
    task = Task("ada", "hw", "hw", (Step(CODE, "x", 0, student=students), CHECK), 11)
    zygote = Zygote(failing())
    made = grader._NotebookRun(task, Settings(timeout=5.0, total=50.0), zygote, Helper(), Judge, {"losses.mse"})
    ask = Child.ask

    def borrows(child, request, buffers, seconds, calls):
        if request["do"] == "cell":
            calls("losses.mse", "tree", b"")
        return ask(child, request, buffers, seconds, calls)

    monkeypatch.setattr(Helper, "ask", lambda self, *call: ({"error": ["E", ""]}, []))
    monkeypatch.setattr(Child, "ask", borrows)
    done = made.result()
    text = "the student's cells call dlcourse.losses.mse, from which an answer follows: the checks run with those values left out"
    assert done.needs_review == ((text,) if students else ())
    assert [[request["do"] for request, _ in child.asked] for child in zygote.children] == [
        ["cell"],
        ["cell", "functions"],
    ]
    assert zygote.children[1].asked[0][0]["quiet"] is True and done.restarts == 0


def test_what_a_person_should_know_of_an_answers_text_comes_first():
    source = f"t = {list(range(70))}"
    made, _ = run(
        [Step(CODE, source, 0, student=True, grade_id="f"), Step(CODE, "x", 1)], lambda request: Died("crash")
    )
    assert made.needs_review == (
        "cell f: the answer carries a table (70 numbers)",
        "cell f: the student's code ended the whole Python process.",
        "cell 2: the student's code ended the whole Python process.",
    )


# --- the place of an error ---------------------------------------------------------------------------------------------


def placing(monkeypatch, *, exercise=None, know=None, place=lambda ask: "Line 3."):
    """(the run, what `Judge.place` was given) with 1 s for each step of the clock."""
    clock = SimpleNamespace(now=10.0)
    monkeypatch.setattr(grader, "time", SimpleNamespace(monotonic=lambda: clock.now))
    given = []

    class Placing(Judge):
        @staticmethod
        def know(*call):
            given.append(call)
            if know is not None:
                raise know

        @staticmethod
        def place(name, seed, seconds, ask, source, at_home):
            clock.now += 0.75
            given.append((name, seed, seconds, ask.args, source, at_home))
            return place(ask)

    steps = (Step(CODE, "a", 0, student=True), Step(CODE, "b", 1), Step(CODE, "c", 2, student=True))
    made = grader._NotebookRun(Task("a", "h", "h", steps, 1, at_home="home"), Settings(), None, None, Placing, set())
    return made, given, exercise or get_exercise(NAME)


def test_the_place_of_an_error_is_sought_within_its_time(monkeypatch):
    made, given, exercise = placing(monkeypatch)
    for left, seconds in ((5.0, 1.0), (4.25, 1.0)):
        assert made.places_left == left
        begun = grader.time.monotonic()
        assert made._place(exercise, ("f",), 7) == "Line 3."
        assert given[-2:] == [(NAME, 7), (NAME, 7, seconds, (exercise, ("f",), 7, begun + seconds), "a\nc", "home")]
    made.places_left = 0.5
    made._place(exercise, ("f",), 7)
    assert given[-1][2] == 0.5 and made.places_left == -0.25
    given.clear()
    assert made._place(exercise, ("f",), 7) == "" and given == []
    made.places_left = 0.0
    assert made._place(exercise, ("f",), 7) == "" and given == []


@pytest.mark.parametrize("more", [{"released": "r"}, {"assess": len}, {"scales": {"": 1}}])
def test_the_place_is_sought_in_formulas_of_the_course_alone(monkeypatch, more):
    exercise = SimpleNamespace(**{"name": NAME, "released": None, "assess": None, "scales": {}} | more)
    made, given, exercise = placing(monkeypatch, exercise=exercise)
    assert made._place(exercise, ("f",), 7) == "" and given == [] and made.places_left == 5.0


def test_the_place_is_sought_on_the_numbers_of_the_judgement(monkeypatch):
    places = []
    monkeypatch.setattr(grader._NotebookRun, "_place", lambda self, *call: places.append(call) or "Line 3.")
    for at_home in (False, True):
        made, _ = run([CHECK], reply_with(lambda i: 0.25, []), at_home=at_home)
        seed = grader.PUBLIC_SEED if at_home else grader.exercise_seed(11, NAME)
        assert places.pop() == (get_exercise(NAME), ("preactivation",), seed) and places == []
        assert made.results[0].verdict.message.split("\n")[-1] == "Line 3."


def test_a_fault_of_the_machine_while_the_place_is_sought_leaves_the_verdict(monkeypatch):
    made, given, exercise = placing(monkeypatch, know=EngineFault("no"))
    assert made._place(exercise, ("f",), 7) == "" and given == [(NAME, 7)] and made.places_left == 5.0


def test_after_a_death_no_further_place_is_sought(monkeypatch):
    def dies(ask):
        raise Died("time")

    made, _, exercise = placing(monkeypatch, place=dies)
    made.child = child = Child(None)
    assert made._place(exercise, ("f",), 7) == "" and child.closed and made.child is None and made.places_left == -0.75


def test_values_on_the_way_are_asked_for_as_a_case_is(monkeypatch):
    clock = SimpleNamespace(now=10.0)
    monkeypatch.setattr(grader, "time", SimpleNamespace(monotonic=lambda: clock.now))
    made = grader._NotebookRun(Task("a", "h", "h", (), 1), Settings(), None, None, Judge, set())
    made.child = Child(lambda request: {"runs": 1})
    exercise = get_exercise(NAME)
    _, tree, buffers = grader._encoded_cases(NAME, 11)[0]
    request = {"do": "traced", "driver": ["drivers", "plain"], "names": ["preactivation"], "case": tree}
    assert made._traced(exercise, ("preactivation",), 11, 10.5, 0, None, b"") == ({"runs": 1}, b"")
    made._traced(exercise, ("preactivation",), 11, 9.0, 0, ["g"], b"body")
    assert made.child.asked == [
        (request | {"seconds": 0.5}, 0.5 + grader.GRACE),
        (request | {"seconds": 0.1, "given": ["g"]}, 0.1 + grader.GRACE),
    ]
    assert made.child.sent == [buffers, [*buffers, b"body"]]
    assert [calls.args[0] for calls in made.child.calls] == [exercise] * 2


def test_an_exercise_on_data_is_nothing_that_later_answers_call():
    made = grader._NotebookRun(Task("a", "h", "h", (), 1), Settings(), None, None, Judge, set())
    made._remember(SimpleNamespace(data=("x",), name="a.b"), ("f",))
    made._remember(SimpleNamespace(data=(), name="c.d"), ("g",))
    assert made.failed == {"c.d": ("g",)}


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ([[True, False, "an int"], [True, True, ""]], ""),
        (
            [[False, False, ""], [True, True, ""]],
            "There is no variable a: its cell is missing, empty, or stopped with an error.",
        ),
        (
            [[True, False, ""], [False, True, ""]],
            "There is no function f: its cell is missing, empty, or stopped with an error.",
        ),
        ([[True, False, ""], [True, False, "an int"]], "Expected the function f itself, got an int."),
    ],
)
def test_variables_that_the_child_lacks(found, sentence):
    assert grader._unusable(("a", "f"), found, 1) == sentence


# --- warm sandboxes ---------------------------------------------------------------------------------------------------


class Sandbox(Zygote):
    def __init__(self, names, isolation, plots, environment):
        super().__init__(lambda request: DONE)
        self.made_for, self.open, self.well = (names, isolation, plots, environment), True, True

    def alive(self):
        return self.well

    def close(self):
        self.open = False


@pytest.fixture
def opened(monkeypatch):
    made = []

    def open_sandbox(*call):
        made.append(Sandbox(*call))
        return made[-1]

    monkeypatch.setattr(grader, "open_sandbox", open_sandbox)
    monkeypatch.setattr(grader, "Oracle", Helper)
    monkeypatch.setattr(grader, "Judge", Helper)
    return made


def test_a_sandbox_is_kept_warm_for_its_exercises(opened):
    with Grader(Settings(memory=77, isolation="process", environment="env")) as one:
        first = one.warm({"b", "a"})
        assert first.made_for == (("a", "b"), "process", False, "env") and one.warm(["a", "b"]) is first
        assert one.oracle.memory == 77 and one.judge.memory is None
        assert one.oracle.calls == one.judge.calls == ["start", ("a", "b"), ("a", "b")]
        second = one.warm({"a", "b"}, plots=True)
        assert second.made_for == (("a", "b"), "process", True, "env")
        first.well = False
        third = one.warm({"a", "b"})
        assert third is not first and not first.open
        others = [one.warm({str(number)}) for number in range(3)]
        # The one used longest ago is closed
        assert [made.open for made in (second, third, *others)] == [False, True, True, True, True]
        assert one.warm({"a", "b"}) is third
        one.warm({"new"})
        assert third.open and not others[0].open
    assert not any(made.open for made in opened) and one.zygotes == {}
    assert one.oracle.calls[-1] == one.judge.calls[-1] == "close"


def test_the_sandbox_is_for_the_exercises_and_figures_of_a_notebook(opened):
    one = Grader()
    assert one.settings == Settings()
    for source, kind, plots in (("x = 1", CODE, False), ("plt.plot(x)", CODE, True), ("plt.plot(x)", TEXT, False)):
        one.grade(Task("a", "h", "h", (Step(kind, source, 0), CHECK), 1))
        assert (((NAME,), plots)) == list(one.zygotes)[-1]
        assert opened[-1].made_for[0] == (NAME,)


def test_a_notebook_is_run_with_what_the_grader_has(opened, monkeypatch):
    given = []

    class Run:
        def __init__(self, *call):
            given.append(call)

        def result(self):
            return "the result"

    monkeypatch.setattr(grader, "_NotebookRun", Run)
    one, task = Grader(), Task("a", "h", "h", (CHECK,), 1)
    assert one.grade(task) == "the result"
    ((*call, absent),) = given
    assert call == [task, one.settings, opened[0], one.oracle, one.judge, grader.withheld_names([NAME])]
    one.imported["import a"] = "E: a"
    assert absent("import a") == "E: a"


def test_after_a_fault_of_the_machine_the_sandbox_is_not_used_again(opened, monkeypatch):
    one = Grader()
    task = Task("a", "h", "h", (Step(CODE, "x", 0),), 1)
    (made,) = one.grade(task).results
    assert made == StepResult(seconds=made.seconds)

    def broken(*call):
        raise EngineFault("no room")

    with monkeypatch.context() as without:
        without.setattr(grader, "open_sandbox", broken)
        with pytest.raises(EngineFault):
            one.grade(Task("a", "h", "h", (CHECK,), 1))

    # Once more, in a new one
    opened[0].child = broken
    (made,) = one.grade(task).results
    assert made == StepResult(seconds=made.seconds)
    assert [sandbox.open for sandbox in opened] == [False, True]

    monkeypatch.setattr(type(opened[1]), "child", broken)
    with pytest.raises(EngineFault):
        one.grade(task)
    assert one.zygotes == {} and [sandbox.open for sandbox in opened] == [False, False, False]


# What a child may say where it is asked for the values on the way
NONSENSE = [
    None,
    "x",
    [],
    encode([[1, 2]])[0],
    encode([[[(0, 1.0)], [0.0], 0], [[1, 1, "f", [], "If"]], [[7, "value", "", "x", True, 0]], [[1, {}]]])[0],
    encode([[[(0, 1.0)], [0.0], 0], [], [[0, "value", "", "x", True, 9]], [[1, {}]]])[0],
]


@pytest.mark.parametrize("runs", NONSENSE, ids=range(len(NONSENSE)))
def test_whatever_a_child_says_of_its_way_is_no_more_than_silence(runs):
    class Line:
        asked = ()

        def send(self, header, buffers):
            self.asked = (*self.asked, header["case"])

        def receive(self):
            return {"runs": runs}, b""

    line = Line()
    request = {"place": NAME, "seed": 11, "seconds": 5.0, "source": "", "at_home": False}
    assert judge._placed(line, request) == ""
    assert line.asked[0] == 0


def test_a_child_that_dies_while_the_place_is_sought_loses_nothing(monkeypatch):
    row = {"error": None, "where": "", "operation": "", "changed": [], "printed": "", "warned": ""}
    said = {
        "functions": {"found": [[True, True, "a function"]]},
        "case": {"outcomes": [row], "values": [encode(0.25)[0]]},
        "traced": Died("memory"),
    }
    monkeypatch.setattr(
        Judge, "place", staticmethod(lambda name, seed, seconds, ask, source, at_home: ask(0, None, b"") and "never")
    )
    steps = [Step(EXERCISE, "", 0, grade_id="check", points=1.0, calls=CALLS)]
    made, zygote = run(steps, lambda request: said[request["do"]])
    verdict = made.results[0].verdict
    assert (verdict.verdict, verdict.points, made.restarts, made.needs_review) == ("wrong", 0.0, 0, ())
    assert "never" not in verdict.message
    (child,) = zygote.children
    assert child.closed and [request["do"] for request, _ in child.asked][-1] == "traced"


def test_a_hidden_case_is_not_looked_into():
    made = grader._NotebookRun(Task("a", "h", "h", (), 1), Settings(), None, None, Judge(), set())
    hidden = [case.hidden for case in get_exercise(NAME).cases(np.random.default_rng(11))].index(True)
    with pytest.raises(ProtocolError, match="a hidden case is not looked into"):
        made._traced(get_exercise(NAME), ("preactivation",), 11, 0.0, hidden, None, b"")
