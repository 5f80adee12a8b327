"""The derivative of GELU's approximation by tanh."""

import math

import numpy as np

from dlcourse import activations
from dlcourse.activations import sigmoid

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import AT_OUTPUT, FIRST_TERM_ONLY, FUNCTION, SECOND_TERM_ONLY, each, gelu_cases

# --- solution ---------------------------------------------------------------------------------------------------------


def gelu_tanh_grad(x):
    c = math.sqrt(2.0 / math.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    du = c * (1.0 + 3.0 * 0.044715 * x**2)
    return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * du


# --- mistakes ---------------------------------------------------------------------------------------------------------

FIRST, SECOND = "0.5 * (1.0 + t)", "0.5 * x * (1.0 - t * t) * du"
SLOPE = f"{FIRST} + {SECOND}"

MISTAKES = [
    Mistake("exact_for_approximation", slip(SLOPE, "activations.gelu_grad(x)"),
        "This is the slope of the exact GELU. Here the approximation's is asked: of a function and its derivative both "
        "must be of one kind.", convention=True),
    Mistake("second_term_missing", slip(SLOPE, FIRST), FIRST_TERM_ONLY.format("½ x (1 + tanh u)")),
    Mistake("first_term_missing", slip(SLOPE, SECOND), SECOND_TERM_ONLY.format("½ x (1 + tanh u)")),
    Mistake("inner_derivative_missing", slip(" * du", ""),
        "u depends on x, too. The chain rule multiplies the slope of tanh by u′."),
    Mistake("inner_root_missing", slip("du = c * ", "du = "),
        "In u′ the factor √(2/π) is lost. It multiplies the whole bracket of u, so it stays."),
    Mistake("power_rule", slip("3.0 * ", ""),
        "In u′ the derivative of x³ lacks a factor: which number comes down with the power?"),
    Mistake("cube_kept", slip("x**2", "x**3"), "In u′ the power of x is still 3. What does differentiating do to it?"),
    Mistake("cube_not_differentiated", slip(" + 3.0 * 0.044715 * x**2", ""),
        "u′ is that of √(2/π)·x alone: the term with x³ has a derivative, too."),
    Mistake("decimal_point", slip("0.044715", "θ", values=(0.44715, 0.0044715), everywhere=True),
        "Compare the digits of the constant 0.044715."),
    Mistake("square_missing", slip("t * t", "t"), "The slope of tanh is 1 − tanh², with the square."),
    Mistake("sigmoid_derivative", slip("(1.0 - t * t)", "t * (1.0 - t)"),
        "t(1 − t) is how the slope of a *sigmoid* is written. That of tanh is another."),
    Mistake("half_missing", slip("0.5 * x *", "x *"),
        "The ½ stands before both terms of the product rule; yours has it in the first one only."),
    Mistake("input_factor_missing", slip("0.5 * x *", "0.5 *"), "In the second term the x is missing."),
    Mistake("minus_for_plus", slip("+ 0.5 * x", "- 0.5 * x"), "The product rule adds its two terms."),
    Mistake("function_for_derivative", slip(SLOPE, "0.5 * x * (1.0 + t)"), FUNCTION),
    Mistake("derivative_at_output", slip("    c = ", "    x = activations.gelu_tanh(x)\n    c = "), AT_OUTPUT),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def with_sigmoid(x):
    """½(1 + tanh u) is σ(2u)."""
    k = 2 * (2 / np.pi) ** 0.5
    s = sigmoid(k * (x + 0.044715 * x * x * x))
    return s + x * s * (1 - s) * k * (1 + 0.134145 * np.square(x))


def with_cosh(x):
    u = math.sqrt(2 / math.pi) * x * (1 + 0.044715 * x * x)
    inner = math.sqrt(2 / math.pi) * np.polyval([0.134145, 0, 1], x)
    return (1 + np.tanh(u) + x * inner / np.cosh(u) ** 2) / 2


def _one(x):
    c = math.sqrt(2 / math.pi)
    t = math.tanh(c * (x + 0.044715 * x**3))
    return (1 + t) / 2 + x / 2 * (1 - t) * (1 + t) * c * (1 + 0.134145 * x * x)


in_a_loop = each(_one)


EXERCISE = Exercise("activations.gelu_tanh_grad", activations.gelu_tanh_grad, gelu_cases, MISTAKES,
    variants=[with_sigmoid, with_cosh, in_a_loop], solution=gelu_tanh_grad, points=2,
    why="Product rule and chain rule twice over; where older checkpoints are trained on, this is their slope.",
    hints=("Two factors depend on x: ½ x and 1 + tanh u.",
           "The derivative of tanh u by x is (1 − tanh² u)·u′.",
           "u′ = √(2/π)(1 + …): differentiate x + 0.044715 x³."))  # fmt: skip
