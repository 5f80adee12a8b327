"""The logarithm of softmax: log-probabilities that survive where the probability rounds to 0."""

import numpy as np

from dlcourse import activations

from ...checks.exercise import Exercise, Mistake, by_columns, slip
from ._shared import AXIS_FIXED, INTEGER, NO_AXIS, NO_KEEPDIMS
from .softmax import cases as softmax_cases

# --- solution ---------------------------------------------------------------------------------------------------------


def log_softmax(z, axis=-1):
    shifted = z - z.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    first, *others = softmax_cases(rng)
    return [by_columns(first), *others]


# --- mistakes ---------------------------------------------------------------------------------------------------------

SHIFTED = "z - z.max(axis=axis, keepdims=True)"
TOTAL = "np.exp(shifted).sum(axis=axis, keepdims=True)"
VALUE = f"shifted - np.log({TOTAL})"
P = f"np.exp(shifted) / {TOTAL}"

MISTAKES = [
    Mistake("log_of_zero", slip(VALUE, f"np.log({P})"),
        "A probability below 1e−308 rounds to 0, and its logarithm is −∞. Let the logarithm and the exponential cancel "
        "on paper before anything is computed: what is left of log(eᶻ / Σ eᶻ)?"),
    Mistake("probability_clipped", slip(VALUE, f"np.log(np.clip({P}, θ, 1.0))", values=(1e-12, 1e-7, 1e-15)),
        "A clipped probability, or a small number added to it, hides how small it is. Work with z; no probability is "
        "needed.",
        also=[slip(VALUE, f"np.log({P} + θ)", values=(1e-12, 1e-7, 1e-15, 1e-8))]),
    Mistake("no_max_shift", slip(SHIFTED, "z * 1.0"),
        "exp(1000) is infinite, and so is its logarithm. log p does not change when the same number is taken off all "
        "logits of an example: which one keeps exp in bounds?"),
    Mistake("shift_not_undone", slip("return shifted - ", "return z - "),
        "The sum is that of the shifted logits, but it is taken off z itself: both need the same shift."),
    Mistake("one_shift_for_all", slip(SHIFTED, "z - z.max()"),
        "One number is taken off *all* examples. Where an example's own logits are far below it, all its exponentials "
        "vanish, and the logarithm of 0 is −∞. Each example needs its own largest logit."),
    Mistake("wrong_axis", slip("axis=axis", "axis=0", everywhere=True),
        "Your probabilities sum to 1 over the examples. The classes, which compete, are along `axis`, the last one "
        "unless told otherwise."),
    Mistake("axis_fixed", slip("axis=axis", "axis=-1", everywhere=True), AXIS_FIXED),
    Mistake("no_axis", slip(SHIFTED, "z - z.max()", TOTAL, "np.exp(shifted).sum()"), NO_AXIS),
    Mistake("keepdims_missing", slip(TOTAL, "np.exp(shifted).sum(axis=axis)"), NO_KEEPDIMS),
    Mistake("softmax_twice", slip(SHIFTED, "activations.softmax(z, axis)"),
        "Softmax comes first, and then the logarithm of a second one is taken. The arguments are logits, and one is "
        "enough."),
    Mistake("probabilities_returned", slip(VALUE, P), "These are the probabilities; their logarithms are asked."),
    Mistake("logarithm_base", slip(VALUE, f"({VALUE}) / np.log(θ)", values=(2, 10)),
        "The logarithm is the natural one.", convention=True),
    Mistake("integer_buffer",
        slip(f"return {VALUE}", f"out = np.zeros_like(z)\n    out[...] = {VALUE}\n    return out"),
        INTEGER),
    Mistake("mutates_input", slip(f"shifted = {SHIFTED}", "z -= z.max(axis=axis, keepdims=True)\n    shifted = z"),
        "`z -= …` changes the caller's logits. Make a new array."),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def with_logaddexp(z, axis=-1):
    return z - np.logaddexp.reduce(z, axis=axis, keepdims=True)


def moved_axis(z, axis=-1):
    rows = np.moveaxis(z, axis, -1)
    largest = rows.max(axis=-1)
    total = largest + np.log(np.exp(rows - largest[..., None]).sum(axis=-1))
    return np.moveaxis(rows - total[..., None], -1, axis)


def along_axis(z, axis=-1):
    def one(u):
        m = max(u)
        return u - m - np.log(sum(np.exp(u - m)))

    return np.apply_along_axis(one, axis, z)


EXERCISE = Exercise("activations.log_softmax", activations.log_softmax, cases, MISTAKES,
    variants=[with_logaddexp, moved_axis, along_axis], solution=log_softmax, points=1,
    why="What a loss really needs; a language model's score of a sentence is a sum of these.",
    hints=("log(eᶻ / Σ eᶻ) is a difference. Which of its two terms needs no exponential at all?",
           "With the largest logit taken off first, Σ eᶻ lies between 1 and K.",
           "Shift, exp, sum with `keepdims=True`, log, and take it off the shifted logits."))  # fmt: skip
