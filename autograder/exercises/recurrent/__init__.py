"""Exercises on recurrent networks, in the assignment's order."""

from ...checks.exercise import in_order

EXERCISES = in_order(
    __name__,
    "rnn",
    "hunt_rnn",
    "rnn_truncated_backward",
    "lstm_cell",
    "gru_cell",
    "gru",
    "lstm",
    "repair_sequence",
    "project",
)
