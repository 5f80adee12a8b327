"""The formulas and the checks in a browser's Python, under Node: WebAssembly, 32 bits, no SciPy, no signals, no threads."""

import json
import subprocess

import pytest
import wasm

from autograder import exercises_of
from autograder.errors import BuildError
from dlcourse import TOPICS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def told():
    """The totals that the audit prints there: what is right of every exercise, and a twelfth of the mistakes."""
    try:
        command = wasm.command(wasm.HERE / "wasm_audit.py", "--some")
    except BuildError as error:
        pytest.skip(str(error))
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_every_exercise_is_judged_as_everywhere(told):
    assert told["complaints"] == {}
    assert told["exercises"] == sum(len(exercises_of(topic)) for topic in TOPICS)
    assert told["mistakes"] == told["rejected"] == told["named"] > 200
    assert told["variants"] == told["variants_passed"] > 160


def test_an_answer_that_never_ends_is_stopped(told):
    endless = dict(told["endless"])
    assert endless.pop("recursion").startswith("Your function calls itself without end (line ")
    assert set(endless.values()) == {"Your code was stopped after 0.2 seconds. Is there an infinite loop?"}
    assert len(endless) == 6
