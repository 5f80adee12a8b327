"""Examples that tell Rosenblatt's rule from its known mistakes."""

from ...checks.hunts import hunt
from . import perceptron_fit

RATE = "a rate `lr` other than 1, with examples that are misclassified"

EXERCISE = hunt(perceptron_fit.EXERCISE,
    best={"X": [[2, -1], [0, 1], [1, -2]], "y": [-1, 1, 1], "w": [2, 0], "b": 2, "lr": 0.5},
    naive={"X": [[1]], "y": [1], "w": [0], "b": 0},
    shows={
        "fixed_step_update": "a misclassified example of the class −1",
        "step_without_input": "a misclassified example whose inputs are not all 1",
        "bias_without_rate": RATE,
        "batch_update": "an epoch in which the step for one example changes what becomes of a later one",
        "learning_rate_ignored": RATE},
    points=2, why="If you can say which examples convict a wrong rule, you have understood the right one.",
    hints=("Examples that are right from the beginning, or learned in one step, leave most of the rule untried.",
           "Begin with weights that are wrong, take both classes, and a rate other than 1."))  # fmt: skip
