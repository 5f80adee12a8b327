"""The gain of an activation: by how much weights are scaled to pass on the variance."""

import numpy as np

from dlcourse import initializers

from ...checks.exercise import Case, Exercise, Mistake, slip

# --- solution -------------------------------------------------------------------------------------------------------


def calculate_gain(activation, slope=0.01):
    gains = {"linear": 1.0, "identity": 1.0, "sigmoid": 1.0, "tanh": 5.0 / 3.0, "relu": np.sqrt(2.0)}
    gains["leaky_relu"] = np.sqrt(2.0 / (1.0 + slope**2))
    return gains[activation]


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    return [
        Case("linear", ("linear",), weight=0.5),
        Case("tanh", ("tanh",)),
        Case("ReLU", ("relu",)),
        Case("leaky ReLU, slope 0.2", ("leaky_relu",), {"slope": 0.2}),
        Case("leaky ReLU, the default slope", ("leaky_relu",)),
        Case("leaky ReLU, slope 1", ("leaky_relu", 1.0)),
        Case("leaky ReLU, slope 0", ("leaky_relu", 0.0)),
        Case("ReLU ignores slope", ("relu", 0.5)),
        Case("sigmoid", ("sigmoid",), weight=0.5),
        Case("identity", ("identity",), weight=0.5, hidden=True),
        Case("leaky ReLU, another slope", ("leaky_relu", float(rng.uniform(0.3, 0.6))), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("leaky_without_two", slip("np.sqrt(2.0 /", "np.sqrt(1.0 /"),
        "Slope 0 makes a leaky ReLU a ReLU, whose gain is √2; yours gives 1 (the notes slip here, E02)."),
    Mistake("slope_not_squared", slip("slope**2", "slope"),
        "The gain keeps the *second* moment, and of negative inputs that is slope² times what it was."),
    Mistake("square_outside", slip("(1.0 + slope**2)", "(1.0 + slope) ** 2"),
        "You square the sum 1 + slope. With slope 1 the activation is linear and its gain must be 1."),
    Mistake("root_forgotten", slip("np.sqrt", "", everywhere=True),
        "These are the squares. A gain multiplies standard deviations, so it is a square root."),
    Mistake("tanh_without_gain", slip("5.0 / 3.0", "1.0"), "tanh squeezes what passes; its gain is 5/3."),
    Mistake("relu_without_gain", slip('"relu": np.sqrt(2.0)', '"relu": 1.0'),
        "ReLU drops half of what comes in; its gain makes up for that."),
    Mistake("slope_ignored", slip("slope**2", "θ**2", values=(0.01, 0.2)),
        "Your slope is the same in every case. Use the argument."),
    Mistake("relu_takes_slope", slip('"relu": np.sqrt(2.0)', '"relu": np.sqrt(2.0 / (1.0 + slope**2))'),
        "ReLU has no slope for negative inputs: only leaky_relu uses the argument."),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def by_moments(activation, slope=0.01):
    """From the second moment that a symmetric input keeps."""
    if activation in ("relu", "leaky_relu"):
        below = slope if activation == "leaky_relu" else 0.0
        return (0.5 * 1.0 + 0.5 * below * below) ** -0.5
    return 5 / 3 if activation == "tanh" else 1


EXERCISE = Exercise("initializers.calculate_gain", initializers.calculate_gain, cases, MISTAKES, variants=[by_moments],
    solution=calculate_gain, points=1,
    why="One number for each activation decides whether twenty layers pass a signal on or swallow it.",
    hints=("A dictionary of name and number does for all but one.",
           "What share of its second moment does a symmetric input keep in a leaky ReLU? The gain squared makes it 1 "
           "again."))  # fmt: skip
