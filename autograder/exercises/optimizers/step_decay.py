"""A schedule in stairs: the learning rate falls by a factor every so many steps."""

import numpy as np

from dlcourse import optimizers

from ...checks.exercise import Case, Exercise, Mistake, slip
from .warmup_cosine import schedule_driver

# --- solution -------------------------------------------------------------------------------------------------------


def step_decay(step, lr, factor=0.5, every=10):
    return lr * factor ** (step // every)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    lr = float(rng.uniform(0.5, 2.0))
    count = list(range(13))
    return [
        Case("thirteen steps, three to a stair", (lr,), {"factor": 0.25, "every": 3}, extra={"steps": count}),
        Case("nothing said: a half every ten", (0.8,), extra={"steps": [0, 3, 5, 9, 10, 11, 19, 20, 25, 39, 40]}),
        Case("another factor, five to a stair", (lr,), {"factor": 0.1, "every": 5}, extra={"steps": count}),
        Case("another stair only", (lr,), {"every": 4}, extra={"steps": count}),
        Case("another factor only", (lr,), {"factor": 0.75}, extra={"steps": [0, 6, 9, 10, 17, 20, 31]}),
        Case("every step", (lr,), {"factor": 0.9, "every": 1}, extra={"steps": count}),
        Case("far along", (lr,), {"factor": 0.3, "every": 7}, extra={"steps": [6, 7, 13, 50, 99, 100]}, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("every_ignored", slip("(step // every)", "step"),
        "The rate falls in every step. It stays for `every` steps, then falls once."),
    Mistake("no_stairs", slip("step // every", "step / every"),
        "Your rate falls smoothly. ⌊t/n⌋ is a whole number: which operator divides and rounds down?"),
    Mistake("rounded", slip("(step // every)", "round(step / every)"),
        "You round to the nearest whole number, so the first fall comes after half a stair. Round *down*."),
    Mistake("rounded_up", slip("(step // every)", "np.ceil(step / every)"),
        "The rate falls already in step 1: ⌈t/n⌉ rounds up. The first `every` steps, 0 among them, have the whole "
        "rate."),
    Mistake("counted_from_one", slip("step // every", "(step + 1) // every"),
        "Each fall comes one step early. Steps are counted from 0, so step t is t/n stairs along."),
    Mistake("remainder", slip("step // every", "step % every"),
        "`%` gives the place on the stair, so the rate jumps back up at each new one. You want the number of the "
        "stair."),
    Mistake("multiplied_by_stairs", slip("factor ** (step // every)", "factor * (step // every)"),
        "The factor is multiplied by the number of the stair: 0 at the start. Each stair multiplies the rate once "
        "more, so the number is an exponent."),
    Mistake("fallen_once_only", slip("factor ** (step // every)", "(factor if step >= every else 1.0)"),
        "The rate falls once and stays. It falls again at 2n, 3n and so on."),
    Mistake("divided", slip("lr * factor", "lr / factor"),
        "You divide by the factor, and the rate grows. A factor below 1 multiplies."),
    Mistake("rate_in_the_power", slip("lr * factor ** (step // every)", "(lr * factor) ** (step // every)"),
        "The rate itself is raised to a power. Only the factor is."),
    Mistake("factor_taken_off", slip("factor ** (step // every)", "(1 - factor) ** (step // every)"),
        "`factor` is what *remains* of the rate, not what is taken off.", convention=True),
    Mistake("exponential", slip("factor ** (step // every)", "np.exp(-factor * (step // every))"),
        "This is e^(−f·k), another schedule. Here the rate is multiplied by f itself."),
    Mistake("factor_fixed", slip("factor **", "θ **", values=(0.5, 0.1)),
        "Your factor is the same in every case. It is an argument."),
    Mistake("every_fixed", slip("// every", "// θ", values=(10, 30)),
        "Your stairs have the same length in every case. It is an argument, `every`."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def loop(step, lr, factor=0.5, every=10):
    while step >= every:
        lr, step = lr * factor, step - every
    return lr


def floor(step, lr, factor=0.5, every=10):
    return np.multiply(lr, np.power(factor, np.floor(step / every)))


EXERCISE = Exercise("optimizers.step_decay", optimizers.step_decay, cases, MISTAKES, variants=[loop, floor],
    solution=step_decay, points=1,
    why="The schedule of the networks that won ImageNet: the loss falls, comes to a floor, and falls again with each "
        "stair.",
    hints=("On which stair is step t? The first `every` steps are on stair 0.",
           "Each stair multiplies by the factor once more: a power."),
    driver=schedule_driver)  # fmt: skip
