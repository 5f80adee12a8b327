"""`dlcourse practice`: small questions in the terminal, spaced by what you remember."""

from .. import workspace
from ..drill import Drill
from . import fail


def main(topic=None, folder=None, drill=None):
    """Ask until the student types q or ends the input; returns the exit status."""
    try:
        if drill is None:
            home = workspace.find(folder)
            drill = Drill(topic, home if home.is_dir() else None)
    except ValueError as error:
        return fail(error)
    except ImportError:
        return fail("practice needs the package fsrs: python -m pip install fsrs")
    if drill.problem:
        print(drill.problem)
    print("Type your answer, Enter alone for the right one, q to stop. Three digits are enough.")
    try:
        while _one(drill):
            pass
    except (EOFError, KeyboardInterrupt):
        print()
    if drill.asked:
        print(f"{drill.right} of {drill.asked} right at the first try.")
    return 0


def _one(drill):
    """Ask one question until it is right or given up; False where the student stops."""
    print(f"\n{drill.next().text}")
    while True:
        text = input("> ").strip()
        if text.lower() in ("q", "quit", "exit"):
            return False
        if not text:
            print(f"The answer: {drill.give_up()}")
            return True
        said = drill.answer(text)
        print(said.text)
        if drill.problem:
            print(drill.problem)
        if said.right:
            return True
