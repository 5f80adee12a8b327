"""Exercises on the computational graph, in the assignment's order: the gates, the order of the pass, the pass itself.

What `dlcourse.graph.Value` does inside, as functions of plain numbers and lists; tests hold the two against each other.
"""

from ...checks.exercise import in_order

EXERCISES = in_order(
    __name__,
    "sum_",
    "prod",
    "hunt_prod",
    "max_",
    "min_",
    "sum_times",
    "exp",
    "sigmoid",
    "tanh",
    "neuron",
    "topological_order",
    "backward",
    "accumulate",
    "repair_passes",
    "project",
)
