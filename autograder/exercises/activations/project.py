"""A project: a deep network with a dead layer; which one is it, and which biases mend the network?"""

from itertools import pairwise

import numpy as np

from dlcourse.activations import relu

from ...checks.drivers import kind
from ...checks.exercise import Case, Exercise, Mistake, Rng, Scale, WrongAnswer, each_value, numbers, slip
from .._projects import CONSTANT, MEMORISED

# --- reference ------------------------------------------------------------------------------------------------------


def project(X, weights, biases, rng):
    """Which layer of a ReLU network is dead, and biases with which every unit works.

    Layer l computes ``relu(A @ weights[l] + biases[l])`` from what the layer before it
    gives, the first from X.

    Parameters
    ----------
    X : (N, D) array, examples. weights : list of arrays, one for each layer. biases :
        list of arrays, units each. rng : numpy.random.Generator, for what you draw.

    Returns
    -------
    layer : number of the first layer, counted from 0, in which no unit is ever active.
    biases : new biases for all layers, with which each unit is active for some examples
        and silent for others.
    """
    dead, A = [], X
    for layer, (W, b) in enumerate(zip(weights, biases, strict=True)):
        A = relu(A @ W + b)
        if not A.any():
            dead.append(layer)
    mended, A = [], X
    for W in weights:
        mended.append(-np.median(A @ W, axis=0))
        A = relu(A @ W + mended[-1])
    return dead[0], mended


# --- cases ----------------------------------------------------------------------------------------------------------


def cases(rng):
    places = rng.permutation(6)

    def case(name, D, H, place, hidden=False):
        sizes = [D, *[H] * 6]
        weights = [rng.standard_normal(shape) * np.sqrt(2.0 / shape[0]) for shape in pairwise(sizes)]
        # Here and there a unit that is always on or always off, and one layer that is off as a whole
        biases = [rng.choice([-4.0, 0.0, 0.0, 4.0], H) for _ in weights]
        biases[place] = np.full(H, -60.0) - rng.random(H)
        mean = rng.uniform(0.5, 1.5, D)
        X, held = mean + rng.standard_normal((100, D)), mean + rng.standard_normal((400, D))
        args = X, weights, biases, Rng(int(rng.integers(2**31)))
        return Case(name, args, extra={"parts": ["layer", "biases"]}, held=held, hidden=hidden)

    return [
        case("12 units a layer", 8, 12, int(places[0])),
        case("20 units a layer", 5, 20, int(places[1])),
        case("another network", 8, 12, int(places[2]), hidden=True),
        case("16 units a layer", 10, 16, int(places[3]), hidden=True),
    ]


def working(biases, case):
    """The share of the units that are active for a fifth to four fifths of the examples."""
    if not isinstance(biases, list | tuple) or len(biases) != len(case.args[1]):
        raise WrongAnswer(f"expected a list of {len(case.args[1])} biases, an array for each layer, got {kind(biases)}")
    A, shares = case.held, []
    for number, (W, b) in enumerate(zip(case.args[1], biases, strict=True)):
        A = relu(A @ W + numbers(b, f"biases[{number}]", (W.shape[1],)))
        shares.append(np.mean(A > 0, axis=0))
    shares = np.concatenate(shares)
    return np.mean((shares > 0.2) & (shares < 0.8))


# --- mistakes -------------------------------------------------------------------------------------------------------


def zeros_everywhere(X, weights, biases, rng):
    return 0, [np.zeros_like(b) for b in biases]


def only_the_dead_layer(X, weights, biases, rng):
    layer = int(np.argmin([b.mean() for b in biases]))
    return layer, [np.zeros_like(b) if number == layer else b for number, b in enumerate(biases)]


def of_other_networks(X, weights, biases, rng):
    made = np.random.default_rng(0)
    return 2, [made.standard_normal(len(b)) for b in biases]


MISTAKES = [
    Mistake("only_the_dead_layer", only_the_dead_layer,
        "The dead layer gets zeros, and the other layers keep what they have: single units there are dead or always "
        "on, too.",
        kind="lazy"),
    Mistake("old_signals",
        slip("mended.append(-np.median(A @ W, axis=0))\n        A = relu(A @ W + mended[-1])",
             "mended.append(-np.median(A @ W, axis=0))\n        A = relu(A @ W + biases[len(mended) - 1])"),
        "Behind the first layer your biases answer signals that are no longer there: once a layer is mended, the "
        "next one gets "
        "other inputs. Go through the mended network."),
    Mistake("means_of_the_inputs", slip("-np.median(A @ W, axis=0)", "-np.mean(X) * np.ones(W.shape[1])"),
        "Each unit gets the same bias. What does it need so that half of the examples lie on either side?",
        kind="lazy"),
    Mistake("layer_counted_from_1", slip("dead[0]", "dead[0] + 1"),
        "[The biases are right.] Layers are counted from 0, like the entries of a list."),
    Mistake("constant_answer", zeros_everywhere, CONSTANT, kind="cheat"),
    Mistake("memorised_answer", of_other_networks, MEMORISED, kind="cheat"),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def by_sorting(X, weights, biases, rng):
    layer = next(n for n, b in enumerate(biases) if b.max() < -40)
    mended, A = [], X
    for W in weights:
        U = A @ W
        mended.append(-np.sort(U, axis=0)[len(U) // 2])
        A = np.maximum(U + mended[-1], 0)
    return layer, mended


def by_steps(X, weights, biases, rng):
    """Each bias moves until half of the examples are on."""
    first, A = None, X
    for number, (W, b) in enumerate(zip(weights, biases, strict=True)):
        A = np.clip(A @ W + b, 0, None)
        if first is None and A.sum() == 0:
            first = number
    made, A = [], X
    for W in weights:
        U = A @ W
        low, high = -U.max(axis=0), -U.min(axis=0)
        for _ in range(30):
            middle = (low + high) / 2
            many = np.mean(U + middle > 0, axis=0) > 0.5
            low, high = np.where(many, low, middle), np.where(many, middle, high)
        made.append(low)
        A = np.clip(U + low, 0, None)
    return first, made


EXERCISE = Exercise("activations.project", project, cases, MISTAKES, variants=[by_sorting, by_steps], driver=each_value,
    parts=("layer", "biases"), points=6, seconds=10.0,
    scales={"biases": Scale("share of the units that are on for 20 to 80 % of examples that your function has not seen",
                            0.7, 0.95, working)},
    why="A dead unit has no gradient: no training brings it back. If you know where to look, you find it in a minute.",
    hints=("Run the examples through layer by layer, and count for each unit how often it is active.",
           "The sign of A @ W + b decides. With which b is it positive for half of the examples?",
           "Mend from the first layer on: what the second one gets depends on the mended first one."))  # fmt: skip
