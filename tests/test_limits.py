"""A limit on time, each of the three ways; what they need is taken away in turn."""

import gc
import signal
import sys
import threading
import time
import weakref

import pytest

from autograder import evaluate
from autograder.checks import limits
from autograder.checks.limits import TooSlow, time_limit

WAYS = ["alarm", "watchdog", "trace"]
MONITORING = hasattr(sys, "monitoring")


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    """This machine with what a way needs, and no more."""
    if request.param == "alarm" and not hasattr(signal, "setitimer"):
        pytest.skip("this system has no setitimer")
    if request.param != "alarm":
        monkeypatch.delattr(signal, "setitimer", raising=False)
    if request.param == "trace":

        def start(self):
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr(threading.Thread, "start", start)
    limits.threads_work.cache_clear()
    yield request.param
    limits.threads_work.cache_clear()


def busy():
    return sum(range(50))


def plain():
    while True:
        pass


def one_instruction():
    while True: pass  # fmt: skip # noqa: E701


def generates():
    def forever():
        while True:
            yield 1

    for _ in forever():
        pass


def catches_exceptions():
    while True:
        try:  # noqa: SIM105
            busy()
        except Exception:
            pass


def catches_everything():
    while True:
        try:  # noqa: SIM105
            busy()
        except BaseException:
            pass


def catches_everything_twice():
    while True:
        try:
            try:
                busy()
            except BaseException:
                busy()
        except BaseException:
            pass


def goes_on_in_finally():
    while True:
        try:
            busy()
        finally:
            continue  # noqa: B012


def naps():
    while True:
        try:
            time.sleep(0.001)
        except:  # noqa: E722 - as it is found in notebooks
            continue


STUBBORN = [catches_everything, catches_everything_twice, goes_on_in_finally, naps]


@pytest.mark.parametrize("endless", [plain, one_instruction, generates, catches_exceptions, *STUBBORN])
def test_an_endless_loop_is_stopped_each_way(way, endless):
    if endless in STUBBORN and way != "alarm" and not MONITORING:
        pytest.skip("Python 3.11 has no sys.monitoring: code that catches everything is stopped by the signal only")
    limit = limits.WAYS[way](0.1)
    assert type(time_limit(0.1)) is type(limit)
    with pytest.raises(TooSlow, match=r"^stopped after 0\.1 seconds$"), time_limit(0.1):
        endless()
    # Nothing comes late, and nothing is left switched on
    for _ in range(3):
        busy()
        time.sleep(0.05)
    assert sys.gettrace() is None or way != "trace"


def test_what_is_quick_enough_is_left_alone(way):
    for seconds in (None, 0, 30.0):
        with time_limit(seconds):
            assert busy() == 1225
    assert limits._seconds == {}


def test_an_inner_limit_ends_and_the_outer_one_goes_on(way):
    with pytest.raises(TooSlow, match=r"stopped after 0\.3 seconds"), time_limit(0.3):
        with pytest.raises(TooSlow, match=r"stopped after 0\.1 seconds"), time_limit(0.1):
            plain()
        plain()


def test_other_threads_have_a_limit_too():
    seen = []

    def run():
        try:
            with time_limit(0.1):
                plain()
        except TooSlow as error:
            seen.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert seen == ["stopped after 0.1 seconds"]


@pytest.mark.parametrize(
    ("alarm", "main", "threads", "wanted"),
    [
        (True, True, True, "alarm"),
        (True, True, False, "alarm"),
        (True, False, True, "watchdog"),
        (False, True, True, "watchdog"),
        (True, False, False, "trace"),
        (False, True, False, "trace"),
    ],
)
def test_the_way_is_chosen_by_what_the_system_has(alarm, main, threads, wanted):
    assert limits.way(alarm, main, threads) == wanted


def test_an_answer_is_stopped_each_way_and_the_other_cases_are_still_asked(way):
    def answer(X, w, b):
        if len(X) == 1:
            plain()
        return X @ w + b

    result = evaluate("neurons.preactivation", answer, seconds=0.2)
    (failed,) = [row for row in result.rows if not row.passed]
    assert failed.case == "one example"
    assert failed.problem == "Your code was stopped after 0.2 seconds. Is there an infinite loop?"


def test_the_exercises_own_wrong_answers_are_stopped_too():
    assert not limits.installed(__file__) and limits.installed(limits.__file__) and limits.installed("<frozen runpy>")
    mistake = limits._EXERCISES + "neurons.py"
    code = compile("def endless():\n    while True:\n        pass", mistake, "exec")
    names = {}
    exec(code, names)
    with pytest.raises(TooSlow), limits.Watchdog(0.1):
        names["endless"]()


def test_a_talk_with_the_engine_is_not_broken_off():
    done = []
    source = (
        "def talk():\n    end = monotonic() + 0.3\n    while monotonic() < end:\n        pass\n    done.append(True)"
    )
    names = {"monotonic": time.monotonic, "done": done}
    exec(compile(source, limits._ENGINE + "protocol.py", "exec"), names)

    def answer():
        names["talk"]()
        plain()

    with pytest.raises(TooSlow), limits.Watchdog(0.1):
        answer()
    assert done == [True]


class _Deleted:
    def __init__(self, ring):
        self.ring = ring

    def __del__(self):
        self.ring()


def collects(ring):
    gc.callbacks.append(callback := lambda *_: ring())
    try:
        gc.collect()
    finally:
        gc.callbacks.remove(callback)


def drops_what_is_referred_to_weakly(ring):
    one = _Deleted(int)
    reference = weakref.ref(one, lambda _: ring())
    del one
    assert reference() is None


def deletes(ring):
    _Deleted(ring)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no alarm")
@pytest.mark.parametrize("lose", [collects, drops_what_is_referred_to_weakly, deletes])
def test_a_stop_that_python_can_only_print_is_not_printed_and_comes_again(monkeypatch, lose):
    """Python prints what is raised there and goes on; pytest makes an error of it."""
    printed, called = [], []
    monkeypatch.setattr(sys, "unraisablehook", hook := lambda one: printed.append(one.exc_type))

    def ring():
        if not called:
            called.append("ring")
            signal.raise_signal(signal.SIGALRM)
            called.append("and never comes here")

    def divide():
        1 / 0  # noqa: B018

    with pytest.raises(TooSlow), time_limit(60):
        lose(ring)
        called.append("the block goes on")
        with time_limit(60):
            _Deleted(divide)
        signal.raise_signal(signal.SIGALRM)
        called.append("and never comes here")
    assert called == ["ring", "the block goes on"]
    assert printed == [ZeroDivisionError]
    assert sys.unraisablehook is hook


def test_a_hook_that_an_answer_sets_stays(monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    with time_limit(60):
        sys.unraisablehook = print
    assert sys.unraisablehook is print


def test_a_hook_that_an_answer_keeps_and_sets_again_does_not_call_itself(monkeypatch):
    printed = []
    monkeypatch.setattr(sys, "unraisablehook", hook := lambda one: printed.append(one.exc_type))
    with time_limit(60):
        kept, sys.unraisablehook = sys.unraisablehook, print
    sys.unraisablehook = kept
    with time_limit(60):
        _Deleted(lambda: 1 / 0)
    assert printed == [ZeroDivisionError] and sys.unraisablehook is hook
