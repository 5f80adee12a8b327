"""A project: an engine that trains whatever is written as a graph, a neuron for instance."""

import numpy as np

from ...checks.exercise import Case, Exercise, Mistake, Scale, numbers, slip
from .._projects import CONSTANT, MEMORISED
from .backward import backward
from .topological_order import topological_order

# --- reference ------------------------------------------------------------------------------------------------------


def project(ops, parents, values, result):
    """Train what a graph says: move its parameters until its result is small.

    Parameters
    ----------
    ops : list of texts, one for each node: "input" (stays as it is), "parameter", "+"
        (of any number of nodes), "*" (of two) or "tanh" (of one).
    parents : list of tuples, the numbers of the nodes that a node is computed from.
    values : list of numbers, those of inputs and parameters at the beginning; 0 for
        every other node.
    result : number of the node that shall become small, a loss.

    Returns
    -------
    parameters : array of the parameters' new values, in the order of their nodes.
    """
    values, order = list(values), topological_order(parents, result)
    parameters = [node for node, op in enumerate(ops) if op == "parameter"]
    for _ in range(60):
        local = [()] * len(ops)
        for node in reversed(order):
            x = [values[parent] for parent in parents[node]]
            if ops[node] == "+":
                values[node], local[node] = sum(x), (1.0,) * len(x)
            elif ops[node] == "*":
                values[node], local[node] = x[0] * x[1], (x[1], x[0])
            elif ops[node] == "tanh":
                values[node] = np.tanh(x[0])
                local[node] = (1.0 - values[node] ** 2,)
        grads = backward(order, parents, local)
        for node in parameters:
            values[node] -= 0.03 * grads[node]
    return np.array([values[node] for node in parameters])


# --- cases ----------------------------------------------------------------------------------------------------------


class _Nodes:
    """A graph that is written down node by node."""

    def __init__(self):
        self.ops, self.parents, self.values = [], [], []

    def add(self, op, *parents, value=0.0):
        self.ops.append(op)
        self.parents.append(parents)
        self.values.append(float(value))
        return len(self.ops) - 1

    def shuffled(self, rng, result):
        """(ops, parents, values, result) with the nodes numbered at random, the parameters in their order."""
        order = rng.permutation(len(self.ops))
        places = sorted(order[node] for node, op in enumerate(self.ops) if op == "parameter")
        for node, op in enumerate(self.ops):
            if op == "parameter":
                wanted, other = places.pop(0), order[node]
                order[np.flatnonzero(order == wanted)[0]] = other
                order[node] = wanted
        inverse = np.argsort(order)
        return (
            [self.ops[i] for i in inverse],
            [tuple(int(order[p]) for p in self.parents[i]) for i in inverse],
            [self.values[i] for i in inverse],
            int(order[result]),
        )


def neuron_graph(rng, X, d, copies):
    """The squared errors of a tanh neuron on examples, as a graph; copies : how often each product is used, in sums with itself."""
    nodes = _Nodes()
    w = [nodes.add("parameter", value=value) for value in rng.uniform(-0.2, 0.2, X.shape[1])]
    b = nodes.add("parameter")
    errors = []
    for x, wanted in zip(X, d, strict=True):
        # However often it is used, the same slopes: the same steps serve
        inputs = [nodes.add("input", value=value / copies) for value in x]
        products = [nodes.add("*", weight, given) for weight, given in zip(w, inputs, strict=True)]
        u = nodes.add("+", *products * copies, b)
        e = nodes.add("+", nodes.add("tanh", u), nodes.add("input", value=-wanted))
        errors.append(nodes.add("*", e, e))
    return nodes.shuffled(rng, nodes.add("+", *errors))


def cases(rng):
    def case(name, D, N, copies=1, hidden=False):
        direction = rng.standard_normal(D)
        direction *= 1.2 / np.linalg.norm(direction)
        bias = rng.choice([-0.7, 0.7])

        def examples(X):
            return X, np.tanh(X @ direction + bias)

        # Few examples by chance may lie on a line: these go equally far in all directions
        U, _, Vt = np.linalg.svd(rng.standard_normal((N, D)), full_matrices=False)
        graph = neuron_graph(rng, *examples(np.sqrt(N) * U @ Vt), copies)
        return Case(name, graph, held=examples(rng.standard_normal((300, D))), hidden=hidden)

    return [
        case("a neuron of two inputs", 2, 12),
        case("each product twice in the sum", 2, 12, copies=2),
        case("a neuron of three inputs", 3, 16, hidden=True),
        case("another neuron of two", 2, 12, hidden=True),
    ]


def error(value, case):
    X, d = case.held
    p = numbers(value, "parameters", (X.shape[1] + 1,))
    return np.mean((np.tanh(X @ p[:-1] + p[-1]) - d) ** 2)


# --- mistakes -------------------------------------------------------------------------------------------------------


def all_zero(ops, parents, values, result):
    return np.zeros(ops.count("parameter"))


def of_other_graphs(ops, parents, values, result):
    return np.random.default_rng(0).standard_normal(ops.count("parameter"))


MISTAKES = [
    Mistake("one_step", slip("range(60)", "range(1)"),
        "You take a single step. The loss falls for many more: print it.", kind="lazy"),
    Mistake("ascent", slip("values[node] -= 0.03", "values[node] += 0.03"),
        "The loss grows from step to step. Which way is down?"),
    Mistake("one_parameter", slip("for node in parameters:", "for node in parameters[:1]:"),
        "Only the first parameter moves. All of them have a gradient.", kind="lazy"),
    Mistake("constant_answer", all_zero, CONSTANT, kind="cheat"),
    Mistake("memorised_answer", of_other_graphs, MEMORISED, kind="cheat"),
]  # fmt: skip


# --- variants -------------------------------------------------------------------------------------------------------


def by_walking_back(ops, parents, values, result):
    values, seen, order = list(map(float, values)), set(), []
    todo = [(result, False)]
    while todo:
        node, done = todo.pop()
        if done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            todo += [(node, True), *((p, False) for p in parents[node])]
    chosen = [i for i in range(len(ops)) if ops[i] == "parameter"]
    velocity = dict.fromkeys(chosen, 0.0)
    for _ in range(80):
        for i in order:
            x = [values[p] for p in parents[i]]
            if ops[i] not in ("input", "parameter"):
                values[i] = np.prod(x) if ops[i] == "*" else sum(x) if ops[i] == "+" else np.tanh(x[0])
        flow = dict.fromkeys(order, 0.0)
        flow[result] = 1.0
        for i in reversed(order):
            for k, p in enumerate(parents[i]):
                other = values[parents[i][1 - k]] if ops[i] == "*" else 1.0
                flow[p] += flow[i] * (1 - values[i] ** 2 if ops[i] == "tanh" else other)
        for i in chosen:
            velocity[i] = 0.8 * velocity[i] - 0.007 * flow[i]
            values[i] += velocity[i]
    return [values[i] for i in chosen]


def with_differences(ops, parents, values, result):
    """No graph goes back: each parameter is moved a little, which is slow and right."""
    order = topological_order(parents, result)[::-1]
    chosen = [i for i, op in enumerate(ops) if op == "parameter"]

    def loss(p):
        now = list(values)
        for i, x in zip(chosen, p, strict=True):
            now[i] = x
        for i in order:
            if ops[i] == "+":
                now[i] = sum(now[j] for j in parents[i])
            elif ops[i] == "*":
                now[i] = now[parents[i][0]] * now[parents[i][1]]
            elif ops[i] == "tanh":
                now[i] = np.tanh(now[parents[i][0]])
        return now[result]

    p = np.array([values[i] for i in chosen])
    for _ in range(25):
        p = p - 0.05 * np.array([(loss(p + h) - loss(p - h)) / 2e-4 for h in 1e-4 * np.eye(len(p))])
    return p


EXERCISE = Exercise("graph.project", project, cases, MISTAKES, variants=[by_walking_back, with_differences], points=6,
    seconds=10.0,
    scales={"": Scale("mean squared error of the trained neuron on examples that are not in the graph", 0.1, 0.05,
                      error)},
    why="Thirty lines, and they train anything that is written as a graph: this is what a framework is.",
    hints=("Forward: go through the order from its end, where the inputs are, and keep value and local derivatives.",
           "Backward: your `backward` takes the order, the parents and the local derivatives as they are.",
           "Then a step for every parameter, and all of it again: print the result's value to see it fall."))  # fmt: skip
