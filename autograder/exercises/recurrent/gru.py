"""A GRU over a sequence: its cell at every step."""

import numpy as np

from dlcourse import recurrent
from dlcourse.recurrent import gru_cell_backward, gru_cell_forward

from ...checks.exercise import Case, Exercise, enlarged, in_float32, of_a_part, slip, slip_in
from . import gru_cell
from ._shared import sequence, through_time

# --- solution ---------------------------------------------------------------------------------------------------------


def gru_forward(X, h0, Wx, Wh, bx, bh, reset_after=False):
    h, states, caches = h0, [], []
    for t in range(X.shape[1]):
        h, cache = gru_cell_forward(X[:, t], h, Wx, Wh, bx, bh, reset_after)
        states.append(h)
        caches.append(cache)
    return np.stack(states, axis=1), caches


def gru_backward(dH, cache):
    dh = np.zeros_like(dH[:, 0])
    dX, totals = [], [0, 0, 0, 0]
    for t in reversed(range(dH.shape[1])):
        dx, dh, *shares = gru_cell_backward(dH[:, t] + dh, cache[t])
        dX.append(dx)
        totals = [total + share for total, share in zip(totals, shares, strict=True)]
    return np.stack(dX[::-1], axis=1), dh, *totals


# --- cases ------------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, T, D, H, hidden=False, **options):
        args = sequence(rng, N, T, D, H, gates=3, biases=2)
        return Case(name, args, options, dout=rng.standard_normal((N, T, H)), hidden=hidden)

    return [
        case("three sequences of four steps", 3, 4, 2, 5),
        case("reset after the product", 2, 4, 3, 5, reset_after=True),
        enlarged(case("one sequence", 1, 5, 3, 2), 0, 1, small=(2, 3)),
        case("as many sequences as steps, inputs and units", 3, 3, 3, 3),
        enlarged(case("one step", 2, 1, 3, 4, reset_after=True)),
        case("one input, one unit", 3, 4, 1, 1),
        in_float32(case("", 2, 3, 4, 2)),
        case("a longer sequence", 2, 8, 2, 3, hidden=True, reset_after=True),
    ]


# --- mistakes ---------------------------------------------------------------------------------------------------------

STEP = "dx, dh, *shares = gru_cell_backward(dH[:, t] + dh,"

MISTAKES = [
    *through_time(upstream_state_dropped=slip("dH[:, t] + dh", "dH[:, t]"),
                  per_step_grad_dropped=slip("dH[:, t] + dh", "(dH[:, t] if t == dH.shape[1] - 1 else 0) + dh"),
                  off_by_one_state=[slip_in(gru_cell.EXERCISE.solutions, gru_cell.STATE_AFTER),
                                    slip("    return np.stack(states",
                                         "    caches[0] = caches[0]._replace(gates=caches[0].gates._replace(h=h))\n    "
                                         "return np.stack(states")],
                  weights_overwritten=slip("[total + share for total, share in zip(totals, shares, strict=True)]",
                                           "shares"), steps_not_reversed=slip("dX[::-1]", "dX"),
                  initial_state_ignored=slip("h, states, caches = h0,", "h, states, caches = 0 * h0,"),
                  state_not_carried=slip("X[:, t], h,", "X[:, t], h0,"),
                  mutates_gradient=slip(STEP, f"dH[:, t] += dh\n        {STEP.replace(' + dh', '')}"),
                  mean_for_sum=slip("dh, *totals", "dh, *(total / len(dH) for total in totals)")),
    *of_a_part(gru_cell.EXERCISE,
               but=("candidate_not_scaled", "old_state_not_scaled", "reset_on_the_input", "update_gate_for_reset",
                    "bias_forgotten", "off_by_one_state", "mean_for_sum")),
]  # fmt: skip


# --- variants ---------------------------------------------------------------------------------------------------------


def recursive_forward(X, h0, Wx, Wh, bx, bh, reset_after=False):
    # The first step, then the rest of the sequence
    h, cache = gru_cell.by_gate_forward(X[:, 0], h0, Wx, Wh, bx, bh, reset_after)
    if X.shape[1] == 1:
        return h[:, None], [cache]
    H, caches = recursive_forward(X[:, 1:], h, Wx, Wh, bx, bh, reset_after)
    return np.concatenate([h[:, None], H], axis=1), [cache, *caches]


def recursive_backward(dH, cache):
    if len(cache) == 1:
        dx, *rest = gru_cell.by_gate_backward(dH[:, 0], cache[0])
        return dx[:, None], *rest
    dX, dh, *later = recursive_backward(dH[:, 1:], cache[1:])
    dx, dh, *first = gru_cell.by_gate_backward(dH[:, 0] + dh, cache[0])
    return np.concatenate([dx[:, None], dX], axis=1), dh, *(a + b for a, b in zip(first, later, strict=True))


EXERCISE = Exercise("recurrent.gru", (recurrent.gru_forward, recurrent.gru_backward), cases, MISTAKES,
    variants=[(recursive_forward, recursive_backward)], solution=(gru_forward, gru_backward), points=3,
    why="Through time every cell works alike: the loop you wrote for the simple network, with another step inside.",
    hints=("Call your `gru_cell_forward` at every step and keep its cache in a list.",
           "Backward: from the last step to the first, your `gru_cell_backward` with that step's cache, and `dH[:, t] "
           "+ dh`.",
           "Its `dh` goes to the step before; the weights' gradients of all steps add up."))  # fmt: skip
