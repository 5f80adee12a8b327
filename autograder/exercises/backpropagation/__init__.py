"""Exercises on backpropagation, gradient checking among them, in the assignment's order."""

from ...checks.exercise import in_order

EXERCISES = in_order(
    __name__,
    "columns_from_rows",
    "rows_from_columns",
    "two_layer",
    "two_layer_columns",
    "relative_error",
    "hunt_relative_error",
    "numerical_grad",
    "check_grad",
    "numerical_grad_stochastic",
    "complex_step_grad",
    "mlp",
    "mlp_loss",
    "minibatches",
    "sgd_epoch",
    "repair_layers",
    "project",
)
