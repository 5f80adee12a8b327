"""Exercises on convolution, in the assignment's order."""

from ...checks.exercise import in_order

EXERCISES = in_order(
    __name__,
    "conv_output_size",
    "conv2d_cost",
    "receptive_field",
    "global_avgpool",
    "avgpool2d",
    "maxpool2d",
    "hunt_maxpool2d",
    "conv2d",
    "conv2d_input_grad",
    "residual_block",
    "inception_block",
    "project",
)
