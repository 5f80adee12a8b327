"""The process that judges: what a child said is rebuilt and bounded, and what cannot be judged ends the judge, not the run."""

import json
import os
import signal

import numpy as np
import pytest

from autograder.checks import drivers
from autograder.checks.evaluation import expected_values
from autograder.checks.exercise import get_exercise
from autograder.checks.limits import TooSlow
from autograder.engine.sandbox import judge
from autograder.engine.sandbox.judge import Frame, Judge, Judgement
from autograder.engine.sandbox.protocol import encode
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
    assert process.judge(NAME, SEED, frames(*right())).result.passed
    assert process.process.pid != before


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
