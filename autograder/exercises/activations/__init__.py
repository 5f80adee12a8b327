"""Exercises on activations, in the assignment's order."""

from ...checks.exercise import in_order

EXERCISES = in_order(
    __name__,
    "sigmoid",
    "sigmoid_grad",
    "tanh_grad",
    "relu",
    "relu_grad",
    "leaky_relu",
    "leaky_relu_grad",
    "softplus",
    "softplus_grad",
    "gelu",
    "gelu_tanh",
    "gelu_grad",
    "gelu_tanh_grad",
    "silu",
    "silu_grad",
    "swish",
    "swish_grad",
    "softmax",
    "hunt_softmax",
    "log_softmax",
    "softmax_backward",
    "swiglu",
    "glu_backward",
    "glu_layer",
    "project",
)
