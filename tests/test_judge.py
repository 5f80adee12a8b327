"""The process that judges: what a child said is rebuilt and bounded, and what cannot be judged ends the judge, not the run."""

import contextlib
import json
import os
import signal
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from autograder.checks import drivers
from autograder.checks.evaluation import expected_values
from autograder.checks.exercise import get_exercise
from autograder.checks.limits import TooSlow
from autograder.checks.result import CaseRow, Result
from autograder.engine.sandbox import judge
from autograder.engine.sandbox.judge import Frame, Judge, Judgement
from autograder.engine.sandbox.protocol import Closed, ProtocolError, Silence, encode
from autograder.errors import EngineFault

NAME, SEED = "neurons.preactivation", 11


# --- what the child says ----------------------------------------------------------------------------------------------


def said(**more):
    return {"where": "", "changed": [], "printed": "", "warned": "", "error": None} | more


def test_an_outcome_is_rebuilt():
    tree, buffers = encode(np.array([1.0]))
    row = said(where="w\n" * 200, changed=["a\nb"] + ["x" * 70] * 10, printed="p\n" * 2000, warned="v " * 500)
    made = judge.outcome("forward", row, tree, buffers[0])
    assert (made.part, made.value.tolist(), made.error) == ("forward", [1.0], None)
    assert made.where == " ".join("w" * 150) and made.warned == " ".join("v" * 250)
    assert made.changed == ("a b", *["x" * 60] * 9) and made.printed == "p\n" * 1000
    assert (made.operation, made.rounded) == ("", False)
    other = judge.outcome("", said(where=3, printed=b"p", warned=None, changed=[5]), None, b"")
    assert (other.where, other.printed, other.warned, other.changed) == ("", "", "", ("",))
    for rounded in (True, 1, "yes", False, None):
        made = judge.outcome("", said(operation=" @" * 200, rounded=rounded), None, b"")
        assert (made.operation, made.rounded) == (("@ " * 50).strip(), rounded is True)


@pytest.mark.parametrize(
    ("name", "text", "kind", "words"),
    [
        ("ValueError", "no", ValueError, "no"),
        ("TooSlow", "3 s", TooSlow, "3 s"),
        ("WrongAnswer", "w", drivers.WrongAnswer, "w"),
        ("Withheld", "w", drivers.Withheld, "w"),
        ("LinAlgError", "w", np.linalg.LinAlgError, "w"),
        ("SystemExit", "0", SystemExit, "0"),
        ("MyError", "m", "MyError", "m"),
        ("My Err<or>_1", "m", "MyError_1", "m"),
        ("print", "m", "print", "m"),
        ("<>", "m", "Error", "m"),
        ("UnicodeDecodeError", "m", "Error", "UnicodeDecodeError: m"),
        ("E" * 70, "m", "E" * 60, "m"),
        ("ValueError", "x" * 1001, ValueError, "x" * 1000),
    ],
)
def test_an_error_is_of_a_known_type(name, text, kind, words):
    error = judge.outcome("", said(error=[name, text]), None, b"").error
    assert str(error) == words and isinstance(error, BaseException)
    assert type(error) is kind if isinstance(kind, type) else type(error).__name__ == kind


@pytest.mark.parametrize(
    ("why", "kind", "words"),
    [
        ("time", TooSlow, "stopped because it took too long"),
        ("memory", MemoryError, "more memory than allowed"),
        ("output", judge._Ended, "your function returned or printed far more than any right answer"),
        ("crash", judge._Ended, "your code ended the whole Python process, or answered in its place"),
        (
            judge.STOPPED,
            judge._Ended,
            "your function returned something that takes too long to compare with numbers",
        ),
    ],
)
def test_a_death_is_an_outcome_of_every_part(why, kind, words):
    made = judge.died_outcomes(get_exercise("layers.linear"), why)
    assert [(one.part, type(one.error), str(one.error)) for one in made] == [
        (part, kind, words) for part in ("forward", "backward")
    ]


# --- frames -----------------------------------------------------------------------------------------------------------


def reply(*values, **more):
    """A child's reply with these values, (header, body)."""
    trees, body = [], b""
    for value in values:
        tree, buffers = encode(value, len(body))
        trees.append(tree)
        body += b"".join(buffers)
    return {"outcomes": [said(**more) for _ in values], "values": trees}, body


def frames(*answers, name=NAME, limit=None):
    """The frames of answers to the first cases; an exception's name stands for a death."""
    limits = judge.limits_of(name, SEED)
    return [
        Frame(number, died=answer)
        if isinstance(answer, str)
        else judge.frame(number, *reply(answer), limits[number] if limit is None else limit)
        for number, answer in enumerate(answers)
    ]


def right(name=NAME):
    return [values[0] for values in expected_values(name, SEED)[1]]


def test_an_answer_may_be_larger_than_the_expected_one_but_not_without_end():
    for limit, value in zip(judge.limits_of(NAME, SEED), right(), strict=True):
        assert 0 < limit - 2**20 - 8 * value.nbytes < 8 * 50


def test_the_limits_are_those_of_the_expected_values(monkeypatch):
    asked, values = [], [[np.zeros(3)], [np.zeros((10**7, 4), np.int8)]]
    monkeypatch.setattr(judge, "expected_values", lambda *call: asked.append(call) or ("cases", values))
    tree, buffers = encode(values[0])
    assert judge.limits_of(NAME, SEED) == [8 * (len(json.dumps(tree)) + len(buffers[0])) + 2**20, 128 * 2**20 // 4]
    assert asked == [(NAME, SEED)]
    values.clear()
    assert judge.limits_of(NAME, SEED) == []


def test_of_an_array_over_the_limit_the_shape_is_judged():
    large = np.ones((1200, 1000), np.int8)
    (one,) = frames(large)
    assert one.body == b"" and json.loads(one.text)[1] == [["h", "|i1", [1200, 1000]]]
    row, *_ = judge.judged(NAME, SEED, [one]).result.rows
    assert row.problem == f"expected shape {right()[0].shape}, got shape (1200, 1000)."


@pytest.mark.parametrize(
    ("value", "died"),
    [([0.5] * 200, "output"), ([np.ones(280), np.ones(280)], "output"), ({"a": "x" * 3000}, "output")],
)
def test_a_reply_over_the_limit_is_far_more_than_any_right_answer(value, died):
    assert judge.frame(3, *reply(value), 2400) == Frame(3, died=died)


def test_a_reply_that_lies_about_its_bytes_is_a_crash():
    header = {"outcomes": [said()], "values": [["l", [["a", "|i1", [60], 0]] * 9]]}
    assert judge.frame(3, header, b"\0" * 500, 450) == Frame(3, died="crash")


# --- judging ----------------------------------------------------------------------------------------------------------


def test_right_answers_are_right():
    made = judge.judged(NAME, SEED, frames(*right()))
    assert made.result.passed and made.broken == "" and len(made.result.rows) == len(right())


@pytest.mark.parametrize(
    ("died", "problem"),
    [
        ("time", "Your code was stopped because it took too long. Is there an infinite loop?"),
        ("memory", "Your code raised MemoryError: more memory than allowed."),
        ("output", "Your function returned or printed far more than any right answer."),
        ("crash", "Your code ended the whole Python process, or answered in its place."),
        (judge.STOPPED, "Your function returned something that takes too long to compare with numbers."),
    ],
)
def test_a_case_in_which_the_child_died_is_wrong_in_its_way(died, problem):
    good, *_ = right()
    made = judge.judged(NAME, SEED, [*frames(good), Frame(1, died=died), Frame(2, b"[5, 6]"), Frame(3, died=died)])
    crash = "Your code ended the whole Python process, or answered in its place."
    assert [row.problem for row in made.result.rows] == ["", problem, crash, crash]


def test_the_judge_gets_the_cases_that_were_asked_and_the_seed(monkeypatch):
    given, (cases, expected) = [], expected_values(NAME, SEED)

    def judged(*call):
        given.append(call)
        raise ValueError

    monkeypatch.setattr(judge, "judge", judged)
    with pytest.raises(ValueError):
        judge.judged(NAME, SEED, [Frame(2, died="time"), Frame(0, died="crash")])
    for exercise, asked, wanted, got, seed in given:
        assert (exercise, seed, len(got)) == (get_exercise(NAME), SEED, 2)
        assert asked == [cases[2], cases[0]] and [id(one) for one in wanted] == [id(expected[2]), id(expected[0])]
    words = [[str(outcome.error) for (outcome,) in call[3]] for call in given]
    assert words[0][0] == "stopped because it took too long"
    assert words[1] == ["your function returned something that cannot be compared with numbers (ValueError)"] * 2


def test_after_a_reply_of_another_form_nothing_is_believed():
    good, *more = right()
    bad = [Frame(1, b"[5, 6]"), *frames(good, *more)[2:]]
    made = judge.judged(NAME, SEED, [*frames(good), *bad])
    assert [row.passed for row in made.result.rows] == [True] + [False] * len(more)
    text = "Your code ended the whole Python process, or answered in its place."
    assert {row.problem for row in made.result.rows[1:]} == {text}
    assert made.broken == "'int' object is not iterable"


def test_what_an_answer_says_of_its_time_is_not_repeated_while_grading():
    header = {"outcomes": [said(error=["TooSlow", "stopped at 42.195"])], "values": [None]}
    one = judge.frame(0, header, b"", 5000)
    for at_home, words in ((False, "because it took too long"), (True, "at 42.195")):
        (row,) = judge.judged(NAME, SEED, [one], at_home).result.rows
        assert row.problem == f"Your code was stopped {words}. Is there an infinite loop?"


def test_what_an_answer_says_is_repeated_of_visible_cases_once_and_shortened():
    hidden = [case.hidden for case in judge.expected_values(NAME, SEED)[0]]
    row = said(error=["MyError", "word" * 200 + "0.123456"], where="line 3", printed="told", warned="told")
    sent = [judge.frame(number, {"outcomes": [row], "values": [None]}, b"", 5000) for number in range(len(hidden))]
    once, again = (judge.judged(NAME, SEED, sent, again=more).result for more in (False, True))
    shown = f"Your code raised MyError: {'word' * 75} (line 3)."
    assert True in hidden and [one.problem for one in once.rows] == [
        "Your code raised an error." if secret else shown for secret in hidden
    ]
    assert {one.problem for one in again.rows} == {"Your code raised an error."}
    assert "word" not in again.message and "told" not in again.message and "word" in once.message


class Told:
    """A channel on which a child says what it likes of its answer."""

    def __init__(self, *told):
        self.tree, buffers = encode(list(told))
        self.body = b"".join(buffers)

    def send(self, header, buffers=()):
        pass

    def receive(self):
        return {"runs": self.tree}, self.body


def test_what_a_child_says_of_its_answer_stands_in_the_answer():
    source = "def preactivation(X, w, b):\n    z = X @ w\n    return z + b"
    secret = "the numbers are three and four"
    told = Told(
        ([], [1.0], 99),
        [(2, 2, "preactivation", ("z", "q"), "Assign"), (-5, 10**9, secret, (), "Return")],
        [(0, "value", "z", "(X@w)", False, 2), (1, "value", secret, secret, False, 3)],
        [(1, {"b": 0.5, "w": "z", "X": secret, "n": [1, 2]})],
    )
    made = judge.Elsewhere(told, NAME, SEED, source)
    assert made.trace(0).line == 3
    assert [(one.line, one.end, one.function, one.names) for one in made.statements] == [
        (2, 2, "preactivation", ("z", "")),
        (0, 3, "your code", ()),
    ]
    assert [(one.name, one.text) for one in made.sites] == [("z", "(X@w)"), ("", "")]
    assert made.defaults == [(1, {"b": 0.5, "w": "z"})]


def test_what_a_child_says_of_its_answer_is_not_long():
    long = "n" * 120
    told = Recorded(
        ([], [1.0], 1),
        [(1, 2, long, (long,), "K" * 30)],
        [("3", "r" * 20, long, long, True, "4"), (0, "", "", "", 1, 0)],
        [(1, {long: None, "s": long, "t": "t"})],
    )
    made = judge.Elsewhere(told, NAME, SEED, f"{long} = s, t")
    made.trace(0)
    assert told.sent == [({"case": 0, "given": None}, [])]
    short = "n" * 60
    assert made.statements == [(1, 1, short, (short,), "K" * 20)]
    assert made.sites == [(3, "r" * 10, short, "n" * 100, True, 4), (0, "", "", "", False, 0)]
    assert made.defaults == [(1, {short: None, "s": long, "t": "t"})]


def test_an_answer_that_cannot_be_compared_is_wrong(monkeypatch):
    real, told = judge.judge, []

    def wild(*given):
        told.append(given)
        if len(told) == 1:
            raise RuntimeError("wild")
        return real(*given)

    monkeypatch.setattr(judge, "judge", wild)
    made = judge.judged(NAME, SEED, frames(*right())).result
    text = "Your function returned something that cannot be compared with numbers (RuntimeError)."
    assert made.score == 0.0 and {row.problem for row in made.rows} == {text} and len(told) == 2


# --- what the supervisor says to the process --------------------------------------------------------------------------


class Line:
    """A channel whose other end answers as written here; an exception is raised."""

    def __init__(self, *replies):
        self.replies, self.sent, self.deadlines = list(replies), [], []

    def send(self, header, buffers, deadline):
        self.sent.append((header, [bytes(one) for one in buffers]))
        self.deadlines.append(deadline)

    def receive(self, deadline):
        self.deadlines.append(deadline)
        reply = self.replies.pop(0)
        if isinstance(reply, BaseException):
            raise reply
        return reply if isinstance(reply, tuple) else (reply, b"")


class Talking(Judge):
    """The judge with a `Line` in the place of its process."""

    def __init__(self, *replies, status=0):
        super().__init__()
        self.channel, self.status, self.done = Line(*replies), status, []

    def ready(self, names=()):
        self.done.append(tuple(names))

    def told(self, request=None, buffers=()):
        self.done.append(request)
        return {"limits": [7, 8]}

    def close(self):
        self.done.append("closed")

    def _ended(self):
        self.done.append("ended")
        return self.status


FIELDS = {
    "name": NAME,
    "passed": False,
    "score": 0.0,
    "max_points": 1.0,
    "mistake": None,
    "message": "M",
    "follows": ["a"],
}
ROW = {"case": "c", "part": "", "passed": False, "weight": 1.0, "hidden": False}
RESULT = Judgement(
    Result(NAME, False, 0.0, 1.0, None, "M", (CaseRow("c", "", False, 1.0, False),), follows=("a",)), "b"
)
REPLY = {"result": FIELDS | {"rows": [ROW]}, "broken": "b"}
TWO = [Frame(3, b"text", b"body"), Frame(5, died="time")]


def asked(frames, **more):
    sent = {"name": NAME, "seed": SEED, "at_home": False, "again": False, "frames": frames}
    return sent | more


def test_frames_go_to_the_process_and_a_judgement_comes_back(monkeypatch):
    monkeypatch.setattr(judge, "time", SimpleNamespace(monotonic=lambda: 100.0))
    one = Talking(REPLY)
    assert one.judge(NAME, SEED, TWO) == RESULT and one.done == [(NAME,)]
    assert one.channel.sent == [(asked([[3, 4, 4, ""], [5, 0, 0, "time"]]), [b"text", b"body", b"", b""])]
    assert one.channel.deadlines == [100.0 + judge.START_SECONDS, 100.0 + judge.PATIENCE_SECONDS]
    for options in ({"at_home": True}, {"again": True}):
        one = Talking(REPLY)
        assert one.judge(NAME, SEED, [], **options) == RESULT and one.channel.sent == [(asked([], **options), [])]


@pytest.mark.parametrize("ends", [Closed(), Silence()])
def test_a_process_that_ends_is_asked_once_more(ends):
    one = Talking(ends, REPLY)
    assert one.judge(NAME, SEED, TWO) == RESULT and one.done == [(NAME,), "ended", (NAME,)]
    assert one.channel.sent[0] == one.channel.sent[1]
    one = Talking(ends, ends, status=7)
    with pytest.raises(EngineFault) as fault:
        one.judge(NAME, SEED, TWO)
    assert str(fault.value) == "the process that judges answers ended twice (status 7)"
    assert one.done == [(NAME,), "ended"] * 2


STOP = {"stopped": True}


def test_the_answer_that_stops_the_judge_is_found_one_by_one():
    options = {"at_home": True, "again": True}
    one = Talking(STOP, REPLY, STOP, REPLY)
    assert one.judge(NAME, SEED, TWO, **options) == RESULT
    assert [header["frames"] for header, _ in one.channel.sent] == [
        [[3, 4, 4, ""], [5, 0, 0, "time"]],
        [[3, 4, 4, ""]],
        [[5, 0, 0, "time"]],
        [[3, 4, 4, ""], [5, 0, 0, "judging"]],
    ]
    assert all(header["at_home"] and header["again"] for header, _ in one.channel.sent)
    one = Talking(STOP, REPLY, REPLY, STOP)
    with pytest.raises(EngineFault) as fault:
        one.judge(NAME, SEED, TWO)
    assert str(fault.value) == f"the answers to {NAME} cannot be judged together"


def test_the_time_of_the_processor_stops_the_judge_as_memory_does():
    one = Talking(Closed(), REPLY, status=-signal.SIGXCPU)
    with pytest.raises(judge._Stopped):
        one._ask(NAME, SEED, TWO, False, False)
    assert one.done == [(NAME,), "ended"]


def test_limits_are_asked_for_once():
    one = Talking()
    assert [one.limits(NAME, SEED) for _ in range(2)] == [[7, 8]] * 2
    assert one.done == [(NAME,), {"name": NAME, "seed": SEED, "limits": True}]
    one.limits(NAME, SEED + 1)
    assert len(one.done) == 4


def test_what_a_place_is_compared_with_is_computed_before():
    one = Talking()
    one.know(NAME, SEED)
    assert one.done == [(NAME,), {"evidence": NAME, "seed": SEED}]


def test_the_place_of_an_error_is_asked_for_with_the_child_in_between(monkeypatch):
    monkeypatch.setattr(judge, "time", SimpleNamespace(monotonic=lambda: 100.0))
    heard = []

    def ask(case, given, body):
        heard.append((case, given, body))
        return {"runs": [case]}, b"x" * (judge.TRACED_BYTES + (case == 4))

    one = Talking(({"case": 3, "given": None}, b"in"), {"case": 4, "given": ["t"]}, {"text": "Line 3."})
    assert one.place(NAME, SEED, 1.5, ask, "source", at_home=True) == "Line 3." and one.done == []
    assert heard == [(3, None, b"in"), (4, ["t"], b"")]
    request = {"place": NAME, "seed": SEED, "seconds": 1.5, "source": "source", "at_home": True}
    assert [header for header, _ in one.channel.sent] == [request, {"runs": [3]}, {"runs": None}]
    assert len(one.channel.sent[1][1][0]) == judge.TRACED_BYTES
    assert one.channel.deadlines == [100.0 + judge.START_SECONDS] * 6
    one = Talking({"text": ""})
    assert one.place(NAME, SEED, 1.5, ask, "source") == "" and one.channel.sent[0][0]["at_home"] is False


@pytest.mark.parametrize("ends", [Closed(), Silence(), ProtocolError()])
def test_a_process_that_ends_while_the_place_is_sought_has_found_none(ends):
    one = Talking(ends)
    assert one.place(NAME, SEED, 1.5, None, "") == "" and one.done == ["closed"]


def test_a_child_that_dies_meanwhile_leaves_no_process_that_waits():
    def ask(case, given, body):
        raise KeyboardInterrupt

    one = Talking({"case": 3, "given": None})
    with pytest.raises(KeyboardInterrupt):
        one.place(NAME, SEED, 1.5, ask, "")
    assert one.done == ["closed"]


# --- in the process, without it ---------------------------------------------------------------------------------------


def test_a_request_is_answered_with_the_judgement():
    sent = frames(*right())
    body = b"".join(piece for one in sent for piece in (one.text, one.body))
    header = asked([[one.number, len(one.text), len(one.body), one.died] for one in sent])
    made = judge._reply(header, memoryview(body))
    assert Judgement(judge._result(json.loads(json.dumps(made["result"]))), made["broken"]) == judge.judged(
        NAME, SEED, sent
    )
    assert made["result"]["passed"] is True


def test_what_a_request_says_of_the_answer_reaches_the_judge(monkeypatch):
    heard, seconds = [], []

    @contextlib.contextmanager
    def processor_time(given):
        seconds.append(given)
        yield

    def judged(*call):
        heard.append(call)
        raise MemoryError

    monkeypatch.setattr(judge, "judged", judged)
    monkeypatch.setattr(judge, "_processor_time", processor_time)
    header = asked([[3, 4, 2, ""], [5, 0, 3, "time"]], at_home="h", again="a")
    assert judge._reply(header, memoryview(b"textbomore")) == {"stopped": True}
    assert heard == [(NAME, SEED, [Frame(3, b"text", b"bo"), Frame(5, b"", b"mor", "time")], "h", "a")]
    assert seconds == [20]


def test_the_process_answers_each_request_in_its_way(monkeypatch):
    sent, known = [], []
    line = SimpleNamespace(send=sent.append)
    places = SimpleNamespace(evidence=lambda *call: known.append(call) or 1 / 0)
    asked = [{"evidence": "e", "seed": 1}, {"place": "p"}, {"limits": True, "name": "n", "seed": 2}, {"frames": []}]
    monkeypatch.setattr(judge, "Channel", lambda sock, trusted: known.append((sock, trusted)) or line)
    monkeypatch.setattr(judge, "link", SimpleNamespace(join=lambda address: f"at {address}"))
    monkeypatch.setattr(judge, "requests", lambda *call: known.append(call) or [(one, b"body") for one in asked])
    monkeypatch.setattr(judge, "place", places)
    monkeypatch.setattr(judge, "_placed", lambda *call: known.append(call) or "placed")
    monkeypatch.setattr(judge, "limits_of", lambda *call: known.append(call) or [1])
    monkeypatch.setattr(judge, "_reply", lambda header, body: known.append((header, bytes(body))) or "replied")
    judge.main(77, "fd:3")
    assert sent == [{"ready": True}, {"text": "placed"}, {"limits": [1]}, "replied"]
    assert known == [
        ("at fd:3", True),
        (line, 77),
        ("e", 1),
        (line, {"place": "p"}),
        ("n", 2),
        ({"frames": []}, b"body"),
    ]


def placed(monkeypatch, find, at_home=False):
    """(what is said, what `place.find` was given)."""
    given = []

    def found(*call):
        given.append(call)
        return find()

    places = SimpleNamespace(evidence=lambda *call: ("known", *call), find=found)
    monkeypatch.setattr(judge, "place", places)
    header = {"place": NAME, "seed": SEED, "seconds": 1.5, "source": "x = 1", "at_home": at_home}
    return judge._placed("line", header), given


def test_the_place_is_said_without_long_numbers_while_grading(monkeypatch):
    for at_home, words in ((True, "Line 3: 0.123456"), (False, "Line 3: …")):
        said, given = placed(monkeypatch, lambda: SimpleNamespace(text="Line 3: 0.123456"), at_home)
        ((exercise, runner, known, seed, seconds),) = given
        assert said == words and (exercise, known, seed, seconds) == (
            get_exercise(NAME), ("known", NAME, SEED), SEED, 1.5
        )  # fmt: skip
        assert (runner.channel, runner.source, runner.last_line) == ("line", "x1", 1)
        assert runner.cases == expected_values(NAME, SEED)[0]
    assert placed(monkeypatch, lambda: None)[0] == ""
    assert placed(monkeypatch, lambda: 1 / 0)[0] == ""

    def hangs_up():
        raise Closed

    with pytest.raises(Closed):
        placed(monkeypatch, hangs_up)


@pytest.mark.skipif(judge.resource is None, reason="Windows has no limit of processor time")
def test_the_processor_time_of_an_answer_begins_with_it(monkeypatch):
    class Process:
        RLIMIT_CPU = "cpu"
        limit = (5, 900)
        limits = ()

        def getrlimit(self, what):
            assert what == "cpu"
            return self.limit

        def setrlimit(self, what, limit):
            assert what == "cpu"
            self.limits = (*self.limits, limit)

    process = Process()
    monkeypatch.setattr(judge, "resource", process)
    monkeypatch.setattr(judge, "time", SimpleNamespace(process_time=lambda: 12.9))
    with pytest.raises(KeyError), judge._processor_time(20):
        assert process.limits == ((33, 900),)
        raise KeyError
    assert process.limits == ((33, 900), (900, 900))
    monkeypatch.setattr(judge, "resource", None)
    with judge._processor_time(20):
        pass


# {what: (the outcome, whether its case is hidden: where, printed, warned, error)}
SAID = drivers.Outcome(
    "", where="line 3: 0.12345", printed="12.345 and 1234", warned="-5.0e-10", error=ValueError("0.123456")
)


def test_what_an_answer_says_loses_its_long_numbers():
    made = judge.guarded(SAID, False)
    assert (made.where, made.printed, made.warned, made.error) == ("line 3: …", "… and 1234", "-…", SAID.error)
    made = judge.guarded(SAID, True)
    assert (made.where, made.printed, made.warned, made.error) == ("", "", "", SAID.error)
    late = judge.guarded(replace(SAID, error=TooSlow("stopped after 42.195 s")), False)
    assert type(late.error) is TooSlow and str(late.error) == "stopped because it took too long"
    kept = replace(SAID, error=drivers.Withheld())
    assert judge.guarded(kept, False).error is kept.error


# {what: (the error, hidden, asked again: the problem)}
TOLD = {
    "a known error of a visible case": (ValueError("is 0.123456"), False, False, "Your code raised ValueError: is …."),
    "of a hidden case": (ValueError("is 0.123456"), True, False, "Your code raised ValueError."),
    "the second time": (ValueError("is 0.123456"), False, True, "Your code raised ValueError."),
    "without a text": (ValueError(), False, False, "Your code raised ValueError: ."),
    "an error of the answer's own": (
        type("My12Error_3", (Exception,), {})("t"),
        False,
        False,
        "Your code raised My_Error_: t.",
    ),
    "made by it, hidden": (type("My12Error", (Exception,), {})("t"), True, False, "Your code raised an error."),
    "of NumPy": (np.linalg.LinAlgError("singular"), True, False, "Your code raised LinAlgError."),
    "a long text": (ValueError("y" * 400), False, False, f"Your code raised ValueError: {'y' * 300}."),
    "the course's own": (TooSlow("stopped"), True, True, "Your code was stopped. Is there an infinite loop?"),
}


@pytest.mark.parametrize("what", TOLD)
def test_what_an_error_says_is_guarded(what):
    error, hidden, again, problem = TOLD[what]
    text = str(error)
    known = f"Your code raised {type(error).__name__}: {text}." if type(error) is not TooSlow else problem
    rows = tuple(CaseRow(case, "", False, 1.0, hidden, known) for case in ("one", "two"))
    before = Result(NAME, False, 0.0, 1.0, None, "H" if hidden else f"H\nCase “one”: {known}", rows)
    got = [[drivers.Outcome("", error=error)]] * 2
    made = judge._without_texts(before, got, again)
    assert [row.problem for row in made.rows] == [problem] * 2
    assert made.message == ("H" if hidden else f"H\nCase “one”: {problem}")
    right = replace(before, rows=(CaseRow("one", "", True, 1.0, hidden),))
    assert judge._without_texts(right, [[drivers.Outcome("", 1.0)]], again) == right


class Recorded(Told):
    """Keeps what was sent; `receive` says nothing where `runs` is None."""

    def __init__(self, *told):
        super().__init__(*told)
        self.sent = []

    def send(self, header, buffers=()):
        self.sent.append((header, list(buffers)))


def test_the_values_that_are_exchanged_stand_behind_those_of_the_case():
    told = Recorded(([(0, 1.0), (1, 2.0), (-1, 3.0), (0, "text")], [5.0], 9), ([], None, -2))
    made = judge.Elsewhere(told, NAME, SEED, "a\nb")
    made.sites = ["the only one"]
    given = [{0: [np.ones(2)]}]
    first, second = made.exchanged(1, given)
    one = made.cases[1]
    start = sum(map(len, encode((one.args, one.kwargs, one.dout, one.extra))[1]))
    tree, buffers = encode(given, start)
    assert told.sent == [({"case": 1, "given": tree}, buffers)]
    assert (first.events, first.values, first.error, first.line) == ([(0, 1.0)], [5.0], None, 2)
    assert (second.events, second.values, type(second.error), second.line) == ([], [], Exception, 0)
    told.receive = lambda: ({"runs": None}, b"")
    with pytest.raises(judge.Untraceable, match=r"^the child had nothing to tell$"):
        made.exchanged(1, given)


# --- the process itself -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def process():
    one = Judge()
    yield one
    one.close()


@pytest.mark.parametrize("name", [NAME, "layers.linear", "initializers.orthogonal"])
def test_the_process_says_what_is_said_without_it(process, name):
    exercise, (cases, values) = get_exercise(name), expected_values(name, SEED)
    limits = process.limits(name, SEED)
    assert limits == judge.limits_of(name, SEED)
    for change in (lambda x: x, lambda x: None):
        answers = [[change(one) for one in value] for value in values]
        sent = [judge.frame(i, *reply(*answer), limits[i]) for i, answer in enumerate(answers)]
        made = process.judge(name, SEED, sent)
        assert made == judge.judged(name, SEED, sent) and isinstance(made, Judgement)
        assert len(made.result.rows) == len(cases) * len(exercise.parts)


def test_a_process_that_is_killed_is_started_again(process):
    process.ready([NAME])
    before = process.process.pid
    os.kill(before, signal.SIGKILL)
    process.process.wait()
    process.judged.clear()
    assert process.judge(NAME, SEED, frames(*right())).result.passed
    assert process.process.pid != before


def test_the_same_values_are_judged_once(monkeypatch):
    asked, one = [], Judge()
    monkeypatch.setattr(one, "_ask", lambda *call: asked.append(call) or Judgement(len(asked)))
    made = frames(*right())
    other = [*made[:-1], replace(made[-1], died="time")]
    longer = [replace(made[0], text=made[0].text + made[0].body, body=b""), *made[1:]]
    calls = [
        (NAME, SEED, made),
        (NAME, SEED + 1, made),
        (NAME, SEED, other),
        (NAME, SEED, longer),
        (NAME, SEED, made, True),
    ]
    calls += [(NAME, SEED, made, False, True), ("layers.linear", SEED, made), (NAME, SEED, made[1:])]
    # Each of them is another question, and none is asked again
    for _ in range(2):
        assert [one.judge(*call).result for call in calls] == list(range(1, len(calls) + 1))
    monkeypatch.setattr(judge, "KEPT", 2)
    one.judged.clear()
    for call in (calls[0], calls[1], calls[0], calls[2]):
        one.judge(*call)
    assert [key[:2] for key in one.judged] == [(NAME, SEED), (NAME, SEED)] and len(asked) == len(calls) + 3


class Worn(Judge):
    """A judge with another module in the place of its process."""

    work = "wears out"

    def __init__(self, tmp_path, source):
        super().__init__()
        # Named as the package's own is, so that only the command differs
        self.module = "judge"
        path = tmp_path / "sitecustomize.py"
        path.write_text(source)
        self.folder = str(tmp_path)

    def start(self):
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(self.folder)
            super().start()


SPIN = """
import sys, threading
if "autograder.engine.sandbox.judge" in sys.orig_argv:
    from autograder.checks import compare
    def spin(got, *more, **options):
        if getattr(got, "shape", None) == (7, 7, 7):
            {what}
        return real(got, *more, **options)
    real, compare._compare = compare._compare, spin
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "what",
    [
        pytest.param(
            "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 99))\n            while True: pass", id="time"
        ),
        pytest.param("raise MemoryError", id="memory"),
    ],
)
def test_the_answer_that_uses_up_the_judge_is_found_and_the_others_are_judged(tmp_path, what):
    one = Worn(tmp_path, SPIN.format(what=what))
    try:
        good = right()
        made = one.judge(NAME, SEED, frames(good[0], np.ones((7, 7, 7)), *good[2:]))
    finally:
        one.close()
    assert [row.passed for row in made.result.rows] == [True, False] + [True] * (len(good) - 2)
    text = "Your function returned something that takes too long to compare with numbers."
    assert made.result.rows[1].problem == text


@pytest.mark.slow
def test_a_judge_that_always_ends_is_the_machines_fault(tmp_path):
    one = Worn(tmp_path, SPIN.format(what="import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))
    try:
        with pytest.raises(EngineFault) as fault:
            one.judge(NAME, SEED, frames(np.ones((7, 7, 7))))
        assert str(fault.value) == "the process that wears out ended twice (status -9)"
        # And the next one is judged
        assert one.judge(NAME, SEED, frames(*right())).result.passed
    finally:
        one.close()
