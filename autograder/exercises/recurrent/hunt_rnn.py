"""Sequences that tell the recurrent network from its known mistakes."""

from ...checks.hunts import hunt
from . import rnn

STEPS = "two steps or more"

EXERCISE = hunt(rnn.EXERCISE,
    best={"X": [[[1], [-1], [0.5]], [[0], [2], [1]]], "h0": [[0.5, -0.25], [-0.5, 1]], "Wx": [[0.5, -0.25]],
        "Wh": [[0.5, 0.25], [-1, 0.5]], "b": [0.25, -0.5],
        "dH": [[[1, -1], [0.25, 2], [-1, 0.5]], [[0.5, 1], [1, -0.25], [2, 0.5]]]},
    naive={"X": [[[1]]], "h0": [[0]], "Wx": [[1]], "Wh": [[1]], "b": [0], "dH": [[[1]]]},
    shows={
        "upstream_state_dropped": STEPS,
        "per_step_grad_dropped": STEPS,
        "weights_overwritten": STEPS,
        "steps_not_reversed": STEPS,
        "initial_state_ignored": "an initial state `h0` other than 0",
        "state_not_carried": STEPS,
        "mutates_gradient": STEPS,
        "mean_for_sum": "two sequences or more",
        "missing_transpose": "a `Wh` that is not symmetric",
        "one_step_back": "three steps or more",
        "initial_state_gradient": "a `Wh` other than the identity",
        "bias_forgotten": "a bias other than 0",
        "time_major": "two sequences or more, with another number of steps"},
    points=2, why="A sequence of one step has no time to go back through.",
    hints=("More than two steps, more than one sequence, and no two sizes alike.",
           "No state, no weight and no bias that is 0 or 1."))  # fmt: skip
