"""The max gate: going back it routes the flow to the largest input; tied inputs share it."""

import numpy as np

from ...checks.exercise import Exercise, Mistake, slip
from ._shared import FLOW, gate_cases

# --- reference ------------------------------------------------------------------------------------------------------


def max_forward(xs):
    """Max gate: `z = max_i x_i`.

    Parameters
    ----------
    xs : (n,) array, the inputs.

    Returns
    -------
    z : a number.
    cache : whatever `max_backward` needs.
    """
    z = np.max(xs)
    return z, xs == z


def max_backward(dz, cache):
    """What the max gate passes on to each input: `∂L/∂x_i`, in equal shares at a tie.

    Parameters
    ----------
    dz : number `∂L/∂z`, the flow that arrives.
    cache : from `max_forward`.

    Returns
    -------
    dx : (n,) array, one flow for each input; they sum to dz.
    """
    tied = cache
    return dz * tied / np.sum(tied)


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("max_tie_duplicated", slip(" / np.sum(tied)", ""),
        "Where several inputs are the largest each gets the whole flow, as in the notes (E10), so more comes out than "
        "went in. Here they share it equally.", convention=True),
    Mistake("tie_to_the_first", slip("xs == z", "np.arange(len(xs)) == np.argmax(xs)"),
        "Where several inputs are the largest the first one gets everything. Here they share the flow equally.",
        convention=True),
    Mistake("flow_forgotten", slip("dz * ", ""), FLOW),
    Mistake("routed_to_all", slip("tied / np.sum(tied)", "np.ones(len(tied))"),
        "Every input gets the flow. Move an input that is not the largest: does z move?"),
    Mistake("scaled_by_value", slip("xs == z", "(xs == z, z)", "tied = cache", "tied, z = cache", "dz * ", "dz * z * "),
        "The flow to the largest input is multiplied by that input. If the largest grows by a little, by how much does "
        "z?"),
    Mistake("smallest_chosen", slip("xs == z", "xs == np.min(xs)"),
        "The flow goes to the smallest input; that is the min gate."),
    Mistake("shared_by_all", slip("np.sum(tied)", "len(tied)"),
        "You divide by the number of inputs. Only those that are tied share: how many are there?"),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def loop_forward(xs):
    z, chosen = xs[0], [0]
    for i in range(1, len(xs)):
        if xs[i] > z:
            z, chosen = xs[i], [i]
        elif xs[i] == z:
            chosen.append(i)
    return z, (chosen, len(xs))


def loop_backward(dz, cache):
    chosen, n = cache
    return [dz / len(chosen) if i in chosen else 0.0 for i in range(n)]


def flatnonzero_forward(xs):
    return max(xs.tolist()), np.flatnonzero(xs >= xs.max()).tolist() + [len(xs)]


def flatnonzero_backward(dz, cache):
    *tied, n = cache
    dx = np.zeros(n)
    dx[tied] = dz / len(tied)
    return dx


EXERCISE = Exercise("graph.max_", (max_forward, max_backward), lambda rng: gate_cases(rng, ties=12.0), MISTAKES,
    variants=[(loop_forward, loop_backward), (flatnonzero_forward, flatnonzero_backward)], points=2,
    why="Max pooling and ReLU are this gate: they choose a path for the gradient, and the others learn nothing this "
        "time.",
    hints=("Which inputs equal z? A comparison with `==` gives True and False.",
           "How many of them are there? `np.sum` counts True.",
           "The shares must add up to dz."))  # fmt: skip
