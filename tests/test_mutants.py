"""Single-edit mutants: which edits are made, where they stand, and that what comes of them runs."""

import numpy as np

from autograder.checks.exercise import get_exercise
from autograder.checks.mutants import mutants, source
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
