"""The decision of a softmax layer: the likeliest class."""

import numpy as np

from dlcourse import layers
from dlcourse.activations import softmax

from ...checks.exercise import Case, Exercise, Mistake, slip

# --- solution -------------------------------------------------------------------------------------------------------


def softmax_layer_predict(X, W, b):
    U = X @ W + b
    return np.argmax(U, axis=1)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, N, D, K, scale=1.0, **options):
        """The first example is class K − 1's, the last class 0's, as far as their weights decide."""
        X, W = rng.standard_normal((N, D)), scale * rng.standard_normal((D, K))
        X[0], X[-1] = W[:, K - 1] * 3, W[:, 0] * 3
        return Case(name, (X, W, scale * 2.0 * rng.standard_normal(K)), **options)

    sure = np.array([[1000.0, 990.0, -1000.0, 0.0]])
    tied = np.array([[2.0, 2.0, -1.0], [0.0, -3.0, 0.0]])
    bias_only = np.array([[0.1, 0.0, -0.1, 0.0]])
    return [
        case("seven examples, four classes", 7, 3, 4),
        case("as many examples as classes", 4, 2, 4),
        Case("inputs of 5000 and more", (np.array([[5000.0, 5001.0], [7000.0, 5001.0]]), np.eye(2, 3), np.zeros(3))),
        Case("one example", (np.array([[-1.0, 0.5]]), np.array([[1.0, -1.0, 0.0], [0.0, 1.0, 4.0]]), np.zeros(3))),
        Case("logits of ±1000", (np.array([[1.0], [-1.0], [0.5], [-0.25]]), sure, np.array([0.0, 1.0, 2.0, 3.0]))),
        Case("the bias decides", (np.array([[1.0], [-1.0], [2.0]]), bias_only, np.array([0.0, 0.5, 0.0, 0.4]))),
        Case("classes that are tied", (np.array([[1.0, 0.0], [-1.0, 2.0], [0.0, 0.0]]), tied, np.zeros(3))),
        case("twenty examples", 20, 4, 5, hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    Mistake("wrong_axis", slip("axis=1", "axis=0"),
        "This is the best *example* for each class. The classes of one example stand in a row: which axis is that?"),
    Mistake("probability_for_class", slip("np.argmax(U, axis=1)", "np.max(U, axis=1)"),
        "This is how large the best logit is. Which class has it?"),
    Mistake("bias_forgotten", slip("X @ W + b", "X @ W"), "A class that is frequent has a large bias. Where is b?"),
    Mistake("argmin", slip("np.argmax", "np.argmin"), "This is the least likely class."),
    Mistake("counted_from_one", slip("np.argmax(U, axis=1)", "np.argmax(U, axis=1) + 1"),
        "Classes are counted from 0.", convention=True),
    Mistake("last_of_tied", slip("np.argmax(U, axis=1)", "U.shape[1] - 1 - np.argmax(U[:, ::-1], axis=1)"),
        "Where several classes are tied, the *first* one is asked.", convention=True),
    Mistake("one_hot_for_class", slip("np.argmax(U, axis=1)", "1 * (U == np.max(U, axis=1, keepdims=True))"),
        "One number for each example is asked, its class: not a row of zeros and a one."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def loop(X, W, b):
    return [int(np.argmax(x @ W + b)) for x in X]


def of_probabilities(X, W, b):
    return softmax(X @ W + b, axis=-1).argmax(axis=-1)


EXERCISE = Exercise("layers.softmax_layer_predict", layers.softmax_layer_predict, cases, MISTAKES,
    variants=[loop, of_probabilities], solution=softmax_layer_predict, points=1,
    why="From K logits to a decision. Softmax keeps their order, so it is not needed for that.",
    hints=("The logits are those of a linear layer.",
           "`np.argmax` gives the place of the largest, along an axis."))  # fmt: skip
