"""Logits and labels that tell the cross-entropy from its known mistakes."""

from ...checks.hunts import hunt
from . import softmax_cross_entropy

LARGE, EXAMPLES = "logits so large that exp overflows, such as 1000", "two examples or more"
UNLIKELY = "a label whose logit lies far below the largest, by 1000"

EXERCISE = hunt(softmax_cross_entropy.EXERCISE,
    best={"logits": [[1000, 0, -1000], [1, 2, 4]], "labels": [1, 0]},
    naive={"logits": [[1, 2, 3]], "labels": [0]},
    shows={
        "no_max_shift": LARGE,
        "log_sum_exp_overflow": LARGE,
        "log_of_zero": UNLIKELY,
        "probability_clipped": UNLIKELY,
        "keepdims_missing": EXAMPLES,
        "no_axis": EXAMPLES,
        "sum_for_mean": 'two examples or more, with the reduction "mean"',
        "every_row": "two examples or more, with different labels"},
    beyond={
        "mean_for_sum": 'it shows only with the reduction "sum", and sum_for_mean only with "mean"',
        "soft_labels_rounded":
            "it shows only where labels are probabilities, and every_row only where they are classes"},
    points=2, why="Most wrong losses are right on the batch that one happens to try first.",
    hints=("More than one example, and numbers as large as they may be.",
           "Let the right class be one that the network holds for impossible."))  # fmt: skip
