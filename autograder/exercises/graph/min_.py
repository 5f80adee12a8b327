"""The min gate: the max gate's mirror image, ties shared as there."""

from dataclasses import replace

import numpy as np

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import FLOW, gate_cases

# --- reference ------------------------------------------------------------------------------------------------------


def min_forward(xs):
    """Min gate: `z = min_i x_i`.

    Parameters
    ----------
    xs : (n,) array, the inputs.

    Returns
    -------
    z : a number.
    cache : whatever `min_backward` needs.
    """
    z = np.min(xs)
    return z, xs == z


def min_backward(dz, cache):
    """What the min gate passes on to each input: `∂L/∂x_i`, in equal shares at a tie.

    Parameters
    ----------
    dz : number `∂L/∂z`, the flow that arrives.
    cache : from `min_forward`.

    Returns
    -------
    dx : (n,) array, one flow for each input; they sum to dz.
    """
    tied = cache
    return dz * tied / np.sum(tied)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    """Those of the max gate, mirrored, so that the equal inputs are the smallest."""
    return [replace(case, args=(-case.args[0],)) for case in gate_cases(rng, ties=12.0)]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("sign_turned", slip("tied = cache", "tied = -1.0 * cache", "np.sum(tied)", "-np.sum(tied)"),
        "The flow comes out with the other sign. min x is −max(−x): both signs cancel on the way back. If the smallest "
        "input grows by a little, does z grow or fall?"),
    Mistake("max_tie_duplicated", slip(" / np.sum(tied)", ""),
        "Where several inputs are the smallest each gets the whole flow, so more comes out than went in. Here they "
        "share it equally.", convention=True),
    Mistake("tie_to_the_first", slip("xs == z", "np.arange(len(xs)) == np.argmin(xs)"),
        "Where several inputs are the smallest the first one gets everything. Here they share the flow equally.",
        convention=True),
    Mistake("flow_forgotten", slip("dz * ", ""), FLOW),
    Mistake("routed_to_all", slip("tied / np.sum(tied)", "np.ones(len(tied))"),
        "Every input gets the flow. Move an input that is not the smallest: does z move?"),
    Mistake("scaled_by_value", slip("xs == z", "(xs == z, z)", "tied = cache", "tied, z = cache", "dz * ", "dz * z * "),
        "The flow to the smallest input is multiplied by that input. If it grows by a little, by how much does z?"),
    Mistake("largest_chosen", slip("xs == z", "xs == np.max(xs)"),
        "The flow goes to the largest input; that is the max gate."),
    Mistake("nearest_to_zero", slip("np.min(xs)", "xs[np.argmin(np.abs(xs))]"),
        "You take the input nearest to 0. −3 is smaller than 1: signs count."),
    Mistake("shared_by_all", slip("np.sum(tied)", "len(tied)"),
        "You divide by the number of inputs. Only those that are tied share: how many are there?"),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def loop_forward(xs):
    z, chosen = xs[0], [0]
    for i in range(1, len(xs)):
        if xs[i] < z:
            z, chosen = xs[i], [i]
        elif xs[i] == z:
            chosen.append(i)
    return z, (chosen, len(xs))


def loop_backward(dz, cache):
    chosen, n = cache
    return [dz / len(chosen) if i in chosen else 0.0 for i in range(n)]


def mirrored_forward(xs):
    """−max(−x)."""
    return -np.max(-xs), xs <= np.min(xs)


def mirrored_backward(dz, cache):
    dx = np.zeros(len(cache))
    dx[cache] = dz / np.count_nonzero(cache)
    return dx


EXERCISE = Exercise("graph.min_", (min_forward, min_backward), cases, MISTAKES,
    variants=[(loop_forward, loop_backward), (mirrored_forward, mirrored_backward)], points=1,
    why="The weakest link decides: a switch like the max gate, and like it blind to all inputs but one.",
    hints=("Which inputs equal z? A comparison with `==` gives True and False.",
           "What changes in your max gate, and what stays?"),
    # z alone is one call of NumPy
    together=True)  # fmt: skip
