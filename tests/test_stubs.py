"""What a student's answer cell says: enough to write the function, and not its gradient."""

import inspect
import re

import pytest

import dlcourse
from autograder.checks.exercise import exercises_of
from autograder.checks.solution import short_docstring, solution_parts
from dlcourse import layers, losses, neurons, recurrent

EXERCISES = {name: exercise for slug in dlcourse.TOPICS for name, exercise in exercises_of(slug).items()}


@pytest.mark.parametrize("name", EXERCISES)
def test_a_stub_is_short_and_gives_no_gradient_away(name):
    for function in EXERCISES[name].functions:
        if not inspect.isfunction(function):
            continue
        short, whole = short_docstring(function), inspect.getdoc(function)
        assert max(map(len, short.splitlines())) <= 84, short
        assert not re.search(r"^(Notes|Raises|Examples)\n-", short, re.M) and ":math:" not in short
        # What it takes and what comes back are said as the reference says them
        for section in re.findall(r"\n\n((?:Parameters|Returns|Yields)\n-+\n(?:.+\n?)+)", whole):
            assert section.rstrip() in short
        if function.__name__.endswith(("_grad", "_backward", "_delta")):
            formulas = re.findall(r"`[^`]*[=←ᵀ⊙Σ√][^`]*`|\.\. math::", short)
            assert not formulas, f"{function.__name__}: {formulas}"


def test_a_stub_of_a_gradient_in_full():
    assert solution_parts(neurons.perceptron_criterion_grad)[0] == (
        "def perceptron_criterion_grad(X, y, w, b):\n"
        '    """Gradient of the perceptron criterion.\n'
        "\n"
        "    Both sums run over the misclassified examples, `y_p u_p ≤ 0`.\n"
        "\n"
        "    Parameters\n"
        "    ----------\n"
        "    X, y, w, b : as for `perceptron_criterion`.\n"
        "\n"
        "    Returns\n"
        "    -------\n"
        "    dw : (D,) array. db : number.\n"
        '    """'
    )


@pytest.mark.parametrize(
    "function, says",
    [
        (neurons.preactivation, "Preactivation of a neuron: `u = Xw + b`."),
        (neurons.linear_neuron_grad, "Gradient of `linear_neuron_loss`."),
        (layers.linear_delta, "Gradient at the preactivations of linear outputs."),
        (losses.half_squared_error_grad, "Gradient of `half_squared_error`."),
        (recurrent.lstm_cell_backward, "Gradients of `lstm_cell_forward`."),
    ],
)
def test_a_summary_keeps_a_forwards_formula_and_drops_a_gradients(function, says):
    assert short_docstring(function).split("\n\nParameters")[0] == says
