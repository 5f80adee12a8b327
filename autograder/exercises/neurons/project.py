"""A project: a neuron tells two kinds of flowers apart from raw measurements, and units set by hand compute what no line can."""

import numpy as np

from dlcourse.datasets import xor
from dlcourse.neurons import gd_fit, logistic_neuron_grad, logistic_neuron_loss

from ...checks.exercise import Case, Exercise, Mistake, Rng, Scale, WrongAnswer, numbers, several, slip
from .._projects import cheats, shuffled_labels

# --- reference ------------------------------------------------------------------------------------------------------


def project(X, d, rng):
    """A neuron for two kinds of flowers, from measurements as they came, and its learning
    curve.

    Parameters
    ----------
    X : (N, D) array, raw measurements in several units, a flower in each row. d : (N,)
        array of the classes 0 and 1. rng : numpy.random.Generator, for what you draw.

    Returns
    -------
    w : (D,) array and b : number, for measurements as they come: u = Xw + b.
    curve : list of the loss on X, from the beginning to the end of the training.
    """
    mean, size = X.mean(axis=0), X.std(axis=0)
    Z, v, c = (X - mean) / size, np.zeros(X.shape[1]), 0.0
    curve = [logistic_neuron_loss(Z, d, v, c)]
    for _ in range(10):
        v, c = gd_fit(logistic_neuron_grad, Z, d, v, c, lr=0.1, epochs=1)
        curve.append(logistic_neuron_loss(Z, d, v, c))
    w = v / size
    return w, c - w @ mean, curve


def xor_units(d):
    """Two units and a third on top of them, set by hand, for classes that no line
    separates.

    A unit gives 1 where its preactivation is positive, else 0:
    ``H = (X @ W + b) > 0``, then ``y = (H @ v + c) > 0``.

    Parameters
    ----------
    d : (4,) array, the classes 0 or 1 of the corners (−1, −1), (−1, 1), (1, −1) and
        (1, 1): XOR, or the opposite.

    Returns
    -------
    W : (2, 2) array, a column for each unit. b, v : (2,) arrays. c : number.
    """
    W, b = np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([-1.0, -1.0])
    v, c = np.array([1.0, 1.0]), -0.5
    return (W, b, v, c) if d[1] == 1 else (W, b, -v, -c)


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    def case(name, D, N, corners, hidden=False):
        # Two kinds that overlap, measured in millimetres and in metres, far from 0
        direction = rng.standard_normal(D)
        direction *= 1.9 / np.linalg.norm(direction)
        units, offsets = 10.0 ** rng.permutation(np.linspace(-2, 2, D)), rng.uniform(3.0, 9.0, D)

        def flowers(count):
            d = shuffled_labels(rng, count, 2)
            Z = rng.standard_normal((count, D)) + np.outer(2 * d - 1, direction)
            return units * (Z + offsets), d

        X, d = flowers(N)
        points, classes = xor(rng, N=200, noise=0.3)[:2]
        table = np.array([0, 1, 1, 0])
        if corners == "the opposite":
            table, classes = 1 - table, 1 - classes
        held = {"flowers": flowers(400), "corners": (points, classes)}
        args = X, d, Rng(int(rng.integers(2**31)))
        return Case(name, args, extra={"table": table}, held=held, hidden=hidden)

    return [
        case("three measurements, XOR", 3, 80, "XOR"),
        case("four measurements, the opposite of XOR", 4, 100, "the opposite"),
        case("other flowers, XOR", 3, 80, "XOR", hidden=True),
        case("five measurements, the opposite of XOR", 5, 100, "the opposite", hidden=True),
    ]


def flowers_and_corners(functions, case):
    fit, by_hand = functions
    yield "flowers", fit(*case.args)
    yield "corners", by_hand(case.extra["table"])


def flowers_right(value, case):
    w, b, curve = several(value, ("w", "b", "curve"))
    X, d = case.held["flowers"]
    curve = numbers(curve, "curve", (None,))
    if len(curve) < 3 or not curve[-1] < curve[0]:
        raise WrongAnswer("expected a curve of at least three losses that ends lower than it begins")
    return np.mean((X @ numbers(w, "w", (X.shape[1],)) + numbers(b, "b", ()) > 0) == d)


def corners_right(value, case):
    W, b, v, c = several(value, ("W", "b", "v", "c"))
    X, d = case.held["corners"]
    H = X @ numbers(W, "W", (2, 2)) + numbers(b, "b", (2,)) > 0
    return np.mean((H @ numbers(v, "v", (2,)) + numbers(c, "c", ()) > 0) == d)


# --- mistakes -------------------------------------------------------------------------------------------------------


def raw(X, d, rng):
    w, b = gd_fit(logistic_neuron_grad, X, d, np.zeros(X.shape[1]), 0.0, lr=1e-4, epochs=200)
    return w, b, [2.0, 1.5, 1.0]


def one_line(d):
    return np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([-1.0, 0.0]), np.array([1.0 if d[1] else -1.0, 0.0]), -0.5


def one_class(X, d, rng):
    return np.zeros(X.shape[1]), -1.0, [1.0, 1.0, 0.9]


def on_the_test_part(case):
    return *case.held["flowers"], case.args[-1]


def made_up(X, d, rng):
    return X, np.arange(len(X)) % 2, rng


MISTAKES = [
    Mistake("not_standardized", (raw, one_line),
        "The step is good for one measurement and far too large or small for the others: they come in units from "
        "0.01 to 100. "
        "Train on measurements of mean 0 and size 1, then put the weights back.", kind="lazy"),
    Mistake("offset_not_put_back", slip("c - w @ mean", "c"),
        "The weights are put back to raw measurements, the bias is not: what did the means add to u?"),
    Mistake("size_not_put_back", slip("w = v / size", "w = v"),
        "The weights are those for measurements of size 1. What do they become where a measurement comes as it is?"),
    *cheats(project, cases, one_class, on_the_test_part, made_up, others=(one_line,)),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def newton(X, d, rng):
    A = np.column_stack([X, np.ones(len(X))])
    A, size = A / np.abs(A).max(axis=0), np.abs(A).max(axis=0)
    v, curve = np.zeros(A.shape[1]), []
    for _ in range(8):
        y = 0.5 * (1 + np.tanh(0.5 * (A @ v)))
        curve.append(float(np.sum(np.logaddexp(0, A @ v) - d * (A @ v))))
        H = A.T @ (A * (y * (1 - y))[:, None]) + 1e-6 * np.eye(len(v))
        v = v - np.linalg.solve(H, A.T @ (y - d))
    w = v / size
    return w[:-1], w[-1], curve


def other_units(d):
    """The one unit says OR, the other AND."""
    sign = 1.0 if d[1] else -1.0
    return np.ones((2, 2)), np.array([1.0, -1.0]), sign * np.array([1.0, -2.0]), -0.5 * sign


def standardized_with_sgd(X, d, rng):
    mean, size = X.mean(axis=0), X.std(axis=0)
    Z, v, c, curve = (X - mean) / size, np.zeros(X.shape[1]), 0.0, []
    for _ in range(15):
        curve.append(np.sum(np.logaddexp(0, -(2 * d - 1) * (Z @ v + c))))
        for i in rng.permutation(len(Z)):
            e = d[i] - 1 / (1 + np.exp(-(Z[i] @ v + c)))
            v, c = v + 0.02 * e * Z[i], c + 0.02 * e
    return v / size, c - np.sum(v * mean / size), curve


EXERCISE = Exercise("neurons.project", (project, xor_units), cases, MISTAKES,
    variants=[(newton, other_units), (standardized_with_sgd, other_units)], driver=flowers_and_corners,
    parts=("flowers", "corners"), points=6, seconds=10.0,
    scales={"flowers": Scale("accuracy on flowers that your function has not seen", 0.75, 0.9, flowers_right),
            "corners": Scale("accuracy on points around the corners", 0.8, 0.95, corners_right)},
    why="Raw measurements, a curve to watch, a test that counts; and three units that do what one cannot.",
    hints=("Take off the mean of each measurement and divide by its deviation, train with `gd_fit`, and look at the "
           "curve.",
           "u is the same number in both ways to write it: v·(x − mean)/size + c = w·x + b. Solve for w and b.",
           "Each unit cuts off one corner of class 1; the third says whether one of them fired."))  # fmt: skip
