"""A schedule: the learning rate rises along a line and falls along half a cosine."""

import math

import numpy as np

from dlcourse import optimizers

from ...checks.drivers import WrongAnswer, kind
from ...checks.exercise import Case, Exercise, Mistake, slip

# --- solution -------------------------------------------------------------------------------------------------------


def warmup_cosine(step, lr, total, warmup, lr_min=0.0):
    if step < warmup:
        return lr * step / warmup
    along = min((step - warmup) / (total - warmup), 1.0)
    return lr_min + 0.5 * (lr - lr_min) * (1 + math.cos(math.pi * along))


# --- cases ----------------------------------------------------------------------------------------------------------


def schedule_driver(functions, case):
    """One learning rate for each of the steps in `case.extra`."""
    (schedule,) = functions
    rates = [schedule(step, *case.args, **case.kwargs) for step in case.extra["steps"]]
    for rate in rates:
        if not isinstance(rate, int | float | np.number | np.ndarray) or np.ndim(rate):
            raise WrongAnswer(f"a schedule returns one number for a step; yours returned {kind(rate)}")
    yield "", [float(rate) for rate in rates]


def cases(rng):
    lr = float(rng.uniform(0.5, 2.0))
    count = list(range(13))
    return [
        Case("ten steps, three to warm up", (lr, 10, 3), extra={"steps": count[:11]}),
        Case("a lowest rate, one to warm up", (0.8, 8, 1), {"lr_min": 0.1}, extra={"steps": count[:9]}),
        Case("beyond the end", (lr, 6, 2), {"lr_min": 0.05}, extra={"steps": count}),
        Case("no warm-up", (0.5, 5, 0), extra={"steps": count[:6]}),
        Case("a long warm-up", (lr, 12, 9), {"lr_min": 0.02}, extra={"steps": count}, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

ALONG = "(step - warmup) / (total - warmup)"
HEIGHT = "0.5 * (lr - lr_min)"
WAVE = "(1 + math.cos(math.pi * along))"

MISTAKES = [
    Mistake("warmup_not_subtracted", slip(ALONG, "step / total"),
        "After the warm-up the rate jumps: the cosine has been running since step 0. It begins where the warm-up "
        "ends."),
    Mistake("total_after_warmup", slip("(total - warmup)", "total"),
        "The lowest rate comes too late, at step total + warmup. Here `total` counts the warm-up, so the cosine has "
        "total − warmup steps.", convention=True),
    Mistake("warmup_from_one", slip("lr * step", "lr * (step + 1)"),
        "Your warm-up begins with one stair, (step + 1)/warmup. Here it begins at 0, and the full rate comes with step "
        "`warmup`.", convention=True),
    Mistake("warmup_from_lowest", slip("return lr * step", "return lr_min + (lr - lr_min) * step"),
        "Your warm-up rises from `lr_min`. Here it rises from 0; `lr_min` is the end of the cosine only.",
        convention=True),
    Mistake("no_warmup", slip("    if step < warmup:\n        return lr * step / warmup\n", "", ALONG, "step / total"),
        "The warm-up is missing: the rate begins at its highest."),
    Mistake("restarts", slip(f"min({ALONG}, 1.0)", ALONG),
        "After the last step the cosine goes up again. From `total` on the rate stays at its lowest."),
    Mistake("half_missing", slip("0.5 * ", ""), "The cosine part begins at twice the rate: 1 + cos runs from 2 to 0."),
    Mistake("one_forgotten", slip("1 + math", "math"),
        "The rate falls below its lowest: a cosine runs from 1 to −1. What has to be added, so that it ends at 0?"),
    Mistake("rising", slip("1 + math", "1 - math"),
        "After the warm-up the rate begins at its lowest and rises. What is cos 0?"),
    Mistake("whole_period", slip("math.pi", "2 * math.pi"),
        "The rate falls and rises again: half a period of the cosine is asked for, an angle from 0 to π."),
    Mistake("lowest_rate_added", slip(HEIGHT, "0.5 * lr"),
        "The cosine begins at lr + lr_min. It has to begin at lr: which height is left between the two?"),
    Mistake("lowest_rate_ignored", slip(f"lr_min + {HEIGHT}", "0.5 * lr"),
        "Right where `lr_min` is 0. The rate must not fall below it."),
    Mistake("straight_line", slip(f"{HEIGHT} * {WAVE}", "(lr - lr_min) * (1 - along)"),
        "The rate falls along a straight line. Asked for is half a cosine, flat at both ends."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def clipped(step, lr, total, warmup, lr_min=0.0):
    along = np.clip((step - warmup) / (total - warmup), 0.0, 1.0)
    falling = lr_min + (lr - lr_min) * (1 + np.cos(np.pi * along)) / 2
    return np.where(step < warmup, lr * step / max(warmup, 1), falling)


def half_angle(step, lr, total, warmup, lr_min=0.0):
    if step >= total:
        return lr_min
    if step < warmup:
        return step / warmup * lr
    c = math.cos(0.5 * math.pi * (step - warmup) / (total - warmup)) ** 2
    return c * lr + (1 - c) * lr_min


EXERCISE = Exercise("optimizers.warmup_cosine", optimizers.warmup_cosine, cases, MISTAKES,
    variants=[clipped, half_angle], solution=warmup_cosine, points=2,
    why="Adam's averages know nothing in the first steps: short steps there, long ones after, short ones again to "
        "settle.",
    hints=("Two cases: before step `warmup`, and from it on.",
           "For the second, how far along are you, from 0 at `warmup` to 1 at `total`? No further than 1.",
           "½(1 + cos(π · along)) runs from 1 to 0; the rate is to run from lr to lr_min."),
    driver=schedule_driver)  # fmt: skip
