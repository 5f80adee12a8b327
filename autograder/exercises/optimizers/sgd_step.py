"""Plain gradient descent, in the form that all optimizers have."""

import numpy as np

from dlcourse import optimizers

from ...checks.exercise import Exercise, Mistake, slip, steps
from ._shared import ascent, mutates_weights, optimizer_cases

# --- solution -------------------------------------------------------------------------------------------------------


def sgd_step(w, dw, state, lr=0.01):
    return w - lr * dw, state


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    ascent("lr * dw"),
    mutates_weights("lr * dw"),
    Mistake("lr_ignored", slip("lr * dw", "0.01 * dw"), "The step always has the same length: `lr` is not used."),
    Mistake("update_returned", slip("w - lr * dw", "-lr * dw"),
        "This is the step itself. Return where it leads: the new w."),
    Mistake("lr_divides", slip("lr * dw", "dw / lr"),
        "A larger learning rate should mean a longer step; yours gets shorter."),
    Mistake("sign_only", slip("lr * dw", "lr * np.sign(dw)"),
        "Only the gradient's sign is used. Its size counts, too: steep slopes take longer steps."),
    Mistake("normalised_gradient", slip("lr * dw", "lr * dw / np.sqrt(np.sum(dw * dw))"),
        "You divide the gradient by its norm, so all steps have one length. Plain gradient descent takes it as it "
        "comes."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def subtract(w, dw, state, lr=0.01):
    return np.subtract(w, np.multiply(dw, lr)), ()


def loop_on_a_copy(w, dw, state, lr=0.01):
    w = w.copy()
    for i in np.ndindex(w.shape):
        w[i] -= lr * dw[i]
    return w, state


EXERCISE = Exercise("optimizers.sgd_step", optimizers.sgd_step, optimizer_cases("sgd"), MISTAKES,
    variants=[subtract, loop_on_a_copy], solution=sgd_step, points=1,
    why="The rule that all others here improve on, and the form that they all have.",
    hints=("Against the gradient, by η times its length.",
           "There is nothing to remember: return the state that came."),
    driver=steps)  # fmt: skip
