"""Single-edit mutants: which edits are made, where they stand, what runs them, and which ones are accepted."""

import json
import os

import numpy as np
import pytest

import dlcourse
from autograder.checks import mutation
from autograder.checks.evaluation import PUBLIC_SEED
from autograder.checks.exercise import get_exercise
from autograder.checks.mutants import Mutant, clipped, mutants, source
from autograder.exercises.activations._shared import each


def scaled(x, y, scale=2.0):
    δ = x - y
    return scale * δ, y


def summed(rows):
    total = 0.0
    for row in rows:
        total += np.sum(row, axis=0)
    return total


def _edits(*functions):
    return {(mutant.line, mutant.kind, mutant.before, mutant.after) for mutant in mutants(functions)}


def test_every_kind_of_slip_of_a_small_function():
    expected = {
        (1, "default", "2.0", "3.0"),
        (1, "default", "2.0", "1.0"),
        (1, "default", "2.0", "0.0"),
        (1, "default", "2.0", "4.0"),
        (2, "dropped statement", "δ = x - y", "pass"),
        (2, "sign", "x - y", "-(x - y)"),
        (2, "operator", "-", "+"),
        (2, "dropped term", "x - y", "x"),
        (2, "dropped term", "x - y", "-y"),
        (2, "operands", "x - y", "(y) - (x)"),
        (2, "name", "x", "y"),
        (2, "name", "y", "x"),
        (2, "name", "y", "δ"),
        (3, "order", "scale * δ, y", "y, scale * δ"),
        (3, "sign", "scale * δ", "-(scale * δ)"),
        (3, "sign", "y", "-(y)"),
        (3, "operator", "*", "/"),
        (3, "operator", "*", "+"),
        (3, "dropped factor", "scale * δ", "scale"),
        (3, "dropped factor", "scale * δ", "δ"),
        (3, "name", "δ", "y"),
        (3, "name", "y", "x"),
        (3, "name", "y", "δ"),
    }
    assert _edits(scaled) == expected


def test_a_sum_over_rows_is_overwritten_summed_otherwise_or_never_begun():
    wanted = {
        (2, "constant", "0.0", "1.0"),
        (3, "dropped statement", "for row in rows:\n        total += np.sum(row, axis=0)", "pass"),
        (4, "augmented", "+=", "="),
        (4, "function", "sum", "mean"),
        (4, "axis", "0", "None"),
        (4, "axis", ", axis=0", ""),
    }
    assert wanted <= _edits(summed)


def test_a_mutant_runs_and_its_line_is_that_of_its_code():
    mutant = next(mutant for mutant in mutants([scaled]) if mutant.kind == "operator" and mutant.before == "-")
    (function,) = mutant.functions
    assert function(3.0, 1.0) == (8.0, 1.0)
    assert mutant.code.splitlines()[mutant.line - 1] == "    δ = x + y"
    assert (mutant.statement, mutant.last_line) == ("δ = x - y", 2)
    assert str(mutant) == "line 2, operator: '-' → '+' in 'δ = x - y'"


def test_a_function_made_by_another_keeps_what_it_closes_over():
    doubled = each(lambda x: 2 * x)
    found = [mutant.functions[0](np.ones(2)).tolist() for mutant in mutants([doubled]) if mutant.kind == "sign"]
    assert [-2.0, -2.0] in found


def test_helpers_beside_an_answer_are_part_of_the_text():
    functions = get_exercise("attention.transformer_block").variant_functions[-1]
    defined = [line for line in source(functions).splitlines() if line.startswith("def ")]
    assert defined == [
        "def by_hand_forward(X, params, heads, mask=None):",
        "def norm(X, gamma, beta):",
        "def by_hand_backward(dY, cache):",
        "def norm_backward(dY, cache):",
    ]


def test_arguments_results_and_exponents_are_clipped():
    def decay(x):
        return np.exp(-x)

    found = [(mutant.before, mutant.after.strip()) for mutant in clipped([decay]) if "20" in mutant.after]
    assert found == [
        ("", "x = np.clip(x, -20, 20)"),
        ("np.exp(-x)", "np.clip(np.exp(-x), -20, 20)"),
        ("-x", "np.clip(-x, -20, 20)"),
    ]


def _found(after="y"):
    return mutation.Found("neurons.preactivation", 2, "name", "return X @ w + b", "w", after)


def test_patterns_of_equivalent_mutants_take_any_text_for_an_ellipsis():
    entry = mutation.Equivalent("neurons.…", "as an example", statement="return X @ …", before="w")
    assert entry.matches(_found())
    assert not mutation.Equivalent("neurons.…", "", statement="X @ …").matches(_found())
    assert not mutation.Equivalent("neurons.…", "", after="x").matches(_found())


def _ends(exercise):
    yield Mutant(1, "name", "f(x)", "x", "y", "def relu(x):\n    return x * (x > 0)", 1, exercise.solutions)
    yield Mutant(1, "name", "f(x)", "x", "z", "import os\ndef relu(x):\n    os._exit(1)", 1, exercise.solutions)
    yield Mutant(1, "name", "f(x)", "x", "a", "def relu(x):\n    return 0 * x", 1, exercise.solutions)
    yield Mutant(1, "name", "f(x)", "x", "b", "def relu(x):\n    return abs(x) / 2 + x / 2", 1, exercise.solutions)


def test_a_mutant_that_ends_its_process_is_rejected_and_the_next_process_goes_on_behind_it(monkeypatch):
    context = mutation.multiprocessing.get_context("fork") if hasattr(os, "fork") else pytest.skip("processes by fork")
    monkeypatch.setattr(mutation.multiprocessing, "get_context", lambda way: context)
    monkeypatch.setattr(mutation, "every", _ends)
    ((name, tally),) = mutation.run(["activations.relu"], (1,))
    assert (name, tally.mutants, [found.after for found in tally.accepted]) == ("activations.relu", 4, ["y", "b"])


def test_the_table_counts_equivalent_and_accepted_mutants_and_tells_stale_entries(monkeypatch, capsys):
    tally = mutation.Tally(9, [_found("y"), _found("z")])
    entries = [
        mutation.Equivalent("neurons.preactivation", "as an example", after="y"),
        mutation.Equivalent("neurons.preactivation", "long gone", after="q"),
        mutation.Equivalent("activations.relu", "not asked", after="q"),
    ]
    monkeypatch.setattr(mutation, "load_equivalent", lambda: entries)
    monkeypatch.setattr(mutation, "run", lambda names, seeds, sample: [(names[0], tally)])
    assert mutation.main(["neurons.preactivation"], (1,), as_json=True) == 1
    out, err = capsys.readouterr()
    assert json.loads(out) == {"mutants": 9, "equivalent": 1, "accepted": 1}
    assert [line for line in err.splitlines() if not line.endswith("mutants")] == [
        "accepted: neurons.preactivation, name: 'w' → 'z' in 'return X @ w + b'",
        f"stale: no accepted mutant is this one; remove it from equivalent_mutants.toml: {entries[1]}",
    ]


@pytest.mark.slow
def test_a_sample_of_the_mutants_is_rejected(capsys):
    # Of every second topic; make mutants takes all mutants of all
    assert mutation.main(dlcourse.TOPICS[::2], (PUBLIC_SEED,), sample=1) == 0, capsys.readouterr().err


def test_an_unknown_name_is_an_error(capsys):
    assert mutation.main(["neurons.preactivations"], (1,)) == 2
    assert capsys.readouterr().err.startswith("error: there is no exercise 'neurons.preactivations'")
