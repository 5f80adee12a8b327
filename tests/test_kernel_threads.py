"""The twins on several threads: the same values as on one, and nothing that outlives a failure or a fork."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from dlcourse import kernels
from dlcourse.kernels import _threads
from dlcourse.kernels._shared import BLOCK


@pytest.fixture
def three(monkeypatch):
    """Three threads, and a pool that ends with the test."""
    monkeypatch.setattr(_threads, "THREADS", 3)
    _threads._pool.cache_clear()
    yield
    if _threads._pool.cache_info().currsize:
        _threads._pool().shutdown()
    _threads._pool.cache_clear()


def threads_used(monkeypatch):
    """The names of the threads that work, as a set that fills."""
    used, taken = set(), _threads._taken

    def watched(left):
        for piece in taken(left):
            used.add(threading.current_thread().name)
            yield piece

    monkeypatch.setattr(_threads, "_taken", watched)
    return used


def both_ways(name, dtype):
    rng = np.random.default_rng(0)
    if name == "softmax_cross_entropy":
        logits, labels = rng.standard_normal((4000, 300)).astype(dtype), rng.integers(0, 300, 4000)
        # In one of the blocks the maximum must be taken off
        logits[3000] += 1000.0
        return kernels.softmax_cross_entropy_with_grad(logits, labels)
    X, dY = (rng.standard_normal((9 * BLOCK + 7,)).astype(dtype) for _ in range(2))
    Y, cache = kernels.activation_forward(3.0 * X, name)
    return Y, kernels.activation_backward(dY, cache)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["sigmoid", "tanh", "gelu_tanh", "gelu", "softmax_cross_entropy"])
def test_bit_by_bit_as_on_one(name, dtype, three, monkeypatch):
    several = both_ways(name, dtype)
    monkeypatch.setattr(_threads, "THREADS", 1)
    for a, b in zip(several, both_ways(name, dtype), strict=True):
        np.testing.assert_array_equal(a, b)


def test_all_of_them_work(three, monkeypatch):
    used, meet = threads_used(monkeypatch), threading.Barrier(3, timeout=60)
    done = []

    def work(pieces):
        for number, piece in enumerate(pieces):
            if number == 0:
                meet.wait()
            done.append(piece)

    _threads.share(work, range(10))
    assert sorted(done) == list(range(10))
    assert len(used) == 3 and threading.current_thread().name in used


def test_few_pieces_are_not_shared(three, monkeypatch):
    used = threads_used(monkeypatch)
    done = []
    _threads.share(done.extend, range(3))
    assert done == [0, 1, 2] and not used


def test_a_failure_in_any_of_them_is_the_callers(three):
    here, meet = threading.current_thread(), threading.Barrier(3, timeout=60)

    def work(pieces):
        next(pieces)
        meet.wait()
        if threading.current_thread() is not here:
            raise ZeroDivisionError("in another one")

    with pytest.raises(ZeroDivisionError, match=r"^in another one$"):
        _threads.share(work, range(10))


def test_an_interrupt_ends_the_others_first(three):
    here, meet, left = threading.current_thread(), threading.Barrier(3, timeout=60), []

    def work(pieces):
        next(pieces)
        meet.wait()
        if threading.current_thread() is here:
            raise KeyboardInterrupt
        for piece in pieces:
            left.append(piece)
            time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        _threads.share(work, range(1000))
    # Nothing works on when the caller goes on, whatever was left
    before = list(left)
    assert len(before) < 1000
    _threads.share(lambda pieces: None, range(10))
    assert left == before


def test_what_numpy_is_told_of_errors_holds_in_all_of_them(three):
    meet, told = threading.Barrier(3, timeout=60), []

    def work(pieces):
        next(pieces)
        meet.wait()
        told.append(np.geterr()["over"])

    with np.errstate(over="raise"):
        _threads.share(work, range(10))
    assert told == ["raise"] * 3


def test_where_no_thread_can_be_started_this_one_does_the_work(three, monkeypatch):
    class Full:
        def submit(self, *_):
            raise RuntimeError("can't start new thread")

    done = []
    with monkeypatch.context() as patched:
        patched.setattr(_threads, "_pool", Full)
        _threads.share(done.extend, range(10))
    assert done == list(range(10))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_process_has_threads_of_its_own():
    # In a process with nothing else: a fork beside the threads of other libraries may hang
    code = (
        "import os, numpy as np\n"
        "from dlcourse import kernels\n"
        "X = np.linspace(-5, 5, 400_000)\n"
        "Y, _ = kernels.activation_forward(X, 'sigmoid')\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    same = np.array_equal(kernels.activation_forward(X, 'sigmoid')[0], Y)\n"
        "    os._exit(0 if same else 1)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    assert python(code, OMP_NUM_THREADS="2") == "0"


@pytest.mark.parametrize(
    "asked, threads", [(None, 1), ("", 1), ("1", 1), ("3", 3), (" 4,2 ", 4), ("0", 1), ("many", 1), ("-2", 1)]
)
def test_their_number_is_that_of_matrix_products(asked, threads):
    code = "from dlcourse.kernels import _threads; print(_threads.THREADS)"
    assert python(code, OMP_NUM_THREADS=asked) == str(threads)


def python(code, **environment):
    """What it prints, with these variables; None: without one."""
    environment = {name: value for name, value in (os.environ | environment).items() if value is not None}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()
