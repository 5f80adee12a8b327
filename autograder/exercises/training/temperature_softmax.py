"""Softmax at a temperature: how boldly the next character is drawn."""

import numpy as np

from dlcourse import metrics

from ...checks.exercise import Case, Exercise, Mistake, in_float32, slip

# --- solution -------------------------------------------------------------------------------------------------------


def temperature_softmax(logits, temperature):
    u = logits / temperature
    e = np.exp(u - u.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    return [
        Case("τ = ½, three distributions", (rng.standard_normal((3, 5)), 0.5)),
        Case("τ = 2, one distribution", (rng.standard_normal(4), 2.0)),
        Case("τ = 1: softmax itself, of one row", (rng.standard_normal((1, 3)), 1.0), weight=0.5),
        Case("as many distributions as characters", (rng.standard_normal((4, 4)), 0.7)),
        Case("logits of ±1000", (np.array([[1000.0, 999.0, -1000.0], [-5000.0, -5000.5, -5001.0]]), 0.5)),
        in_float32(Case("", (rng.standard_normal((2, 6)), 3.0))),
        Case("three axes", (rng.standard_normal((2, 3, 4)), 0.8), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

SOFTMAX = "e / e.sum(axis=-1, keepdims=True)"

MISTAKES = [
    Mistake("multiplied", slip("/ temperature", "* temperature"),
        "Your high temperature makes the network surer, not bolder: the logits are divided by it."),
    Mistake("temperature_ignored", slip("logits / temperature", "logits"),
        "Your answer does not depend on the temperature, as if it were 1."),
    Mistake("after_softmax", slip("logits / temperature", "logits", SOFTMAX, f"{SOFTMAX} / temperature"),
        "The temperature belongs to the logits. Divided afterwards, the probabilities no longer sum to 1."),
    Mistake("softmax_twice",
        slip("u = logits / temperature",
             f"e = np.exp(logits - logits.max(axis=-1, keepdims=True))\n    u = {SOFTMAX} / temperature"),
        "Softmax is applied to probabilities. It takes logits: scale those, then softmax once."),
    Mistake("no_max_shift", slip("u - u.max(axis=-1, keepdims=True)", "u"),
        "exp(2000) is infinite. Softmax does not change when a row is shifted: which shift keeps exp in bounds?"),
    Mistake("wrong_axis",
        slip("u.max(axis=-1, keepdims=True)", "u.max()", "e.sum(axis=-1, keepdims=True)", "e.sum(axis=0)"),
        "The probabilities of one distribution stand along the last axis; yours sum to 1 along the first."),
    Mistake("keepdims_missing", slip("e.sum(axis=-1, keepdims=True)", "e.sum(axis=-1)"),
        "The sum over an axis loses that axis, and what is left is lined up with the *last* one. `keepdims=True` keeps "
        "the axis.",
        also=[slip(", keepdims=True", "", everywhere=True)]),
    Mistake("no_axis", slip("axis=-1, keepdims=True", "", everywhere=True),
        "All entries together sum to 1. Each distribution, along the last axis, sums to 1 by itself."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def shifted_first(logits, temperature):
    p = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    return p / np.sum(p, axis=-1)[..., None]


def by_logarithms(logits, temperature):
    u = np.divide(logits, temperature)
    u = u - u.max(axis=-1, keepdims=True)
    return np.exp(u - np.log(np.exp(u).sum(axis=-1, keepdims=True)))


EXERCISE = Exercise("metrics.temperature_softmax", metrics.temperature_softmax, cases, MISTAKES,
    variants=[shifted_first, by_logarithms], solution=temperature_softmax, points=1,
    why="One number between a parrot and a babbler.",
    hints=("What becomes of the logits when the temperature is very high?",
           "Divide first, then softmax along the last axis."))  # fmt: skip
