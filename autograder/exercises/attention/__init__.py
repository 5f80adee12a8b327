"""Exercises on attention, in the assignment's order."""

from ...checks.exercise import in_order

EXERCISES = in_order(
    __name__,
    "causal_mask",
    "sinusoidal_positions",
    "scaled_dot_product_attention",
    "hunt_scaled_dot_product_attention",
    "self_attention",
    "cross_attention",
    "multi_head_attention",
    "cached_attention",
    "rotary",
    "transformer_block",
    "repair_heads",
    "project",
)
