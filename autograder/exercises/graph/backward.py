"""The backward pass through any graph."""

import numpy as np

from ...checks.exercise import Case, Exercise, Mistake, slip
from ._shared import DIAMOND, TANGLE, layered_graph
from .topological_order import topological_order

# --- reference ------------------------------------------------------------------------------------------------------


def backward(order, parents, local):
    """The backward pass: `∂L/∂x` for every node x of a graph.

    Parameters
    ----------
    order : list of node numbers as from `topological_order`, the result first.
    parents : list of tuples, ``parents[i]`` the numbers of the nodes that node i was
        computed from.
    local : list of tuples, ``local[i]`` the local derivatives of node i with respect to
        each of ``parents[i]``.

    Returns
    -------
    grads : (nodes,) array, the gradient of the result with respect to each node: 1 for
        the result itself, 0 for the nodes that are not in `order`.

    Examples
    --------
    (x + y)·x at x = 2, y = 5:

    >>> backward([3, 2, 0, 1], [(), (), (0, 1), (2, 0)], [(), (), (1.0, 1.0), (2.0, 7.0)])
    array([9., 2., 2., 1.])
    """
    grads = np.zeros(len(parents))
    grads[order[0]] = 1.0
    for node in order:
        for parent, slope in zip(parents[node], local[node], strict=True):
            grads[parent] += grads[node] * slope
    return grads


# --- cases ----------------------------------------------------------------------------------------------------------


def _slopes(rng, parents):
    """Local derivatives away from 0 and from 1, so that none can be left out unnoticed."""
    return [tuple(float(x) for x in rng.choice([-1, 1, 1], len(p)) * rng.uniform(1.2, 1.9, len(p))) for p in parents]


def graphs(rng):
    """(name, order, parents, local, hidden) of the graphs that a pass is asked for."""
    worked = [(), (), (), (0, 1), (3, 2)]
    chain = [(), *[(i,) for i in range(199)]]
    deep = [(), *[(float(x),) for x in rng.uniform(0.95, 1.05, 199)]]
    layered, top = layered_graph(rng)
    square = [(), (0, 0), (1, 1)]
    return [
        ("(x + y)·z at −2, 5, −4", [4, 3, 2, 0, 1], worked, [(), (), (), (1.0, 1.0), (-4.0, 3.0)], False),
        ("x·x, squared, at 3", [2, 1, 0], square, [(), (3.0, 3.0), (9.0, 9.0)], False),
        ("numbers in no order", [3, 4, 0, 2, 1], DIAMOND, _slopes(rng, DIAMOND), False),
        ("a node used three times", [7, 1, 0, 5, 2, 4, 3, 6], TANGLE, _slopes(rng, TANGLE), False),
        ("a chain of 200 nodes", list(range(199, -1, -1)), chain, deep, False),
        ("five layers", topological_order(layered, top), layered, _slopes(rng, layered), True),
    ]


def cases(rng):
    return [
        Case(name, (order, parents, local), hidden=hidden, sum_length=256)
        for name, order, parents, local, hidden in graphs(rng)
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------


def walk_on(order, parents, local):
    grads = np.zeros(len(parents))
    grads[order[0]] = 1.0

    def walk(node):
        for parent, slope in zip(parents[node], local[node], strict=True):
            grads[parent] += grads[node] * slope
            walk(parent)

    walk(order[0])
    return grads


MISTAKES = [
    Mistake("assign_not_accumulate", slip("+=", "="),
        "A node that is used twice receives two flows; the second one replaces the first here. They add up."),
    Mistake("not_topological", slip("in order:", "in reversed(range(len(parents))):"),
        "You go through the nodes by number. Some pass their flow on before all of it has arrived; `order` tells which "
        "comes when."),
    Mistake("inputs_first", slip("in order:", "in reversed(order):"),
        "You begin at the inputs, where nothing has arrived yet. The pass begins at the result."),
    Mistake("upstream_forgotten", slip("grads[node] * slope", "slope"),
        "You add up local derivatives. The chain rule multiplies each by what has arrived at the node."),
    Mistake("slope_forgotten", slip("grads[node] * slope", "grads[node]"),
        "Every parent gets the node's whole flow: the local derivatives are not used."),
    Mistake("seed_missing", slip("    grads[order[0]] = 1.0\n", ""),
        "Nothing flows because nothing flowed in. What is the derivative of the result with respect to itself?"),
    Mistake("passed_on_too_early", walk_on,
        "You go on to a parent before its flow is complete, and later again, with what was already passed on. Each "
        "node passes on once, when it is its turn in `order`."),
    Mistake("parent_counted_once",
        slip("zip(parents[node], local[node], strict=True)",
             "dict(zip(parents[node], local[node], strict=True)).items()"),
        "In x·x the same parent stands there twice, each time with a flow. One of the two is lost (a dict keeps one "
        "value for a key)."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def pull(order, parents, local):
    """Each node collects from those that use it."""
    grads = [0.0] * len(parents)
    done = []
    for node in order:
        for user in done:
            for parent, slope in zip(parents[user], local[user], strict=True):
                if parent == node:
                    grads[node] += slope * grads[user]
        if not done:
            grads[node] = 1.0
        done.append(node)
    return grads


def scatter(order, parents, local):
    grads = np.eye(len(parents))[order[0]]
    for node in order:
        if parents[node]:
            np.add.at(grads, list(parents[node]), grads[node] * np.array(local[node]))
    return grads


EXERCISE = Exercise("graph.backward", backward, cases, MISTAKES, variants=[pull, scatter], points=3,
    why="These few lines are backpropagation, whatever the network looks like.",
    hints=("An array of zeros for all nodes; one entry is known from the beginning.",
           "Go through `order`; for each node, through its parents and local derivatives side by side (`zip`).",
           "Flow at the parent: what is there already, plus flow at the node times local derivative."))  # fmt: skip
