"""Run in WebAssembly by `tests.wasm`: the audit of exercises there, and answers that never end.

    python -m tests.wasm tests/wasm_audit.py [--some] [NAME …]       topics or exercises; all where none is given

Prints a line for each exercise and last, as JSON, the totals, the complaints and the seconds of the processor. With --some
each exercise is asked for its reference, one variant and every twelfth mistake only, a project for no mistake: what the gate
has time for.
"""

import json
import sys

import js

from autograder import evaluate
from autograder.checks import audit, evaluation


def processor_seconds():
    return js.process.cpuUsage().user / 1e6


def loop(X, w, b):
    while True:
        pass


def one_instruction(X, w, b):
    while True: pass  # fmt: skip # noqa: E701


def comprehension(X, w, b):
    return [1 for _ in iter(int, 1)]


def generator(X, w, b):
    return sum(1 for _ in iter(int, 1))


def calls_numpy(X, w, b):
    while True:
        X = X + w


def catches_everything(X, w, b):
    while True:
        try:  # noqa: SIM105
            X = X + w
        except BaseException:
            pass


def recursion(X, w, b):
    return recursion(X, w, b)


ENDLESS = [loop, one_instruction, comprehension, generator, calls_numpy, catches_everything, recursion]


def message_of(function):
    result = evaluate("neurons.preactivation", function, seconds=0.2)
    return next(row.problem for row in result.rows)


def of_some(exercise):
    """The audit's `Row` of a part: what is right passes, and every twelfth mistake is named."""
    # Each answer to a project trains for seconds
    mistakes = [] if exercise.scales else exercise.mistakes[::12]
    variants = exercise.variant_functions[:1]
    row = audit.Row(exercise.name, mistakes=len(mistakes), variants=len(variants))
    # What an answer without content earns is the same everywhere, and takes most of the time
    evaluation.passed_without_content = lambda name, seed: []
    # A busy machine that stops a mistake after its time would not know it again; none of these is endless
    evaluation.SECONDS_OF_A_MISTAKE = 60.0
    if not evaluate(exercise.name, *exercise.functions).passed:
        row.complaints.append("the reference fails")
    for functions in variants:
        result = evaluate(exercise.name, *functions, withhold=True)
        row.variants_passed += result.passed
        if not result.passed:
            row.complaints.append(f"the right variant {functions[0].__name__} is rejected: {result.message}")
    for mistake in mistakes:
        result = evaluate(exercise.name, *mistake.functions)
        row.rejected += not result.passed
        row.named += result.mistake == mistake.slug
        if result.mistake != mistake.slug:
            row.complaints.append(f"{mistake.slug} is taken for {result.mistake}")
    return row


def main(names):
    brief = "--some" in names
    names = [name for name in names if name != "--some"]
    begun = processor_seconds()
    rows = []
    for exercise in audit.selected(names):
        since = processor_seconds()
        rows.append(
            of_some(exercise) if brief and exercise.assess is None else audit.audit(exercise, audit.first_seeds(1))
        )
        print(f"{exercise.name}  {processor_seconds() - since:.2f} s", *rows[-1].complaints, sep="\n  ")
    told = audit.totals(rows) | {
        "complaints": {row.name: row.complaints for row in rows if row.complaints},
        "seconds": round(processor_seconds() - begun, 1),
        "endless": {function.__name__: message_of(function) for function in ENDLESS},
    }
    print(json.dumps(told))


main(sys.argv[1:])
