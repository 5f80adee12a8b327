"""Exercises on layers and losses, in the assignment's order."""

from ...checks.exercise import in_order

EXERCISES = in_order(
    __name__,
    "linear",
    "half_squared_error",
    "half_squared_error_grad",
    "mean_squared_error",
    "mean_squared_error_grad",
    "negative_log_likelihood_gaussian",
    "linear_delta",
    "sigmoid_layer_delta",
    "binary_cross_entropy",
    "binary_cross_entropy_grad",
    "binary_cross_entropy_with_logits",
    "binary_cross_entropy_with_logits_grad",
    "one_hot",
    "softmax_layer_predict",
    "softmax_layer_delta",
    "cross_entropy",
    "cross_entropy_grad",
    "softmax_cross_entropy",
    "hunt_softmax_cross_entropy",
    "softmax_cross_entropy_grad",
    "project",
)
