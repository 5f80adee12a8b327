"""The order of the backward pass: every node after all nodes that use it."""

import numpy as np

from ...checks.drivers import WrongAnswer, kind
from ...checks.exercise import Case, Exercise, Mistake, slip
from ._shared import DIAMOND, TANGLE, layered_graph

# --- reference ------------------------------------------------------------------------------------------------------


def topological_order(parents, result):
    """The nodes that the result depends on, each after all nodes that use it.

    Parameters
    ----------
    parents : list of tuples: ``parents[i]`` are the numbers of the nodes that node i
        was computed from, ``()`` for an input; a number stands there twice where a node
        uses another one twice (x·x).
    result : number of the node at which the backward pass begins.

    Returns
    -------
    list of node numbers, the result first; every node comes later than all nodes that
    were computed from it.

    Examples
    --------
    (x + y)·x with x, y, x + y and the product as nodes 0, 1, 2 and 3:

    >>> topological_order([(), (), (0, 1), (2, 0)], 3)
    [3, 2, 0, 1]
    """
    consumers, found = [0] * len(parents), [result]
    for node in found:
        for parent in parents[node]:
            if consumers[parent] == 0:
                found.append(parent)
            consumers[parent] += 1
    order = [result]
    for node in order:
        for parent in parents[node]:
            consumers[parent] -= 1
            if consumers[parent] == 0:
                order.append(parent)
    return order


# --- cases ----------------------------------------------------------------------------------------------------------


def order_driver(functions, case):
    """Calls for an order and says what any right order has in common: which nodes, and none before a node that uses it."""
    (sort,) = functions
    parents, result = case.args
    order = sort(parents, result)
    if isinstance(order, np.ndarray):
        order = order.tolist()
    whole = isinstance(order, tuple | list) and all(
        isinstance(node, int | np.integer) and not isinstance(node, bool) for node in order
    )
    if not whole:
        raise WrongAnswer(f"the function returns a list of node numbers; yours returned {kind(order)}")
    if any(not 0 <= node < len(parents) for node in order):
        raise WrongAnswer(f"the nodes are 0…{len(parents) - 1}; your list holds {min(order)}…{max(order)}")
    yield "the nodes", sorted(int(node) for node in order)
    place = {}
    for position, node in enumerate(order):
        place.setdefault(node, position)
    early = [(p, node) for node in order for p in parents[node] if p in place and place[p] < place[node]]
    yield "their order", f"node {early[0][0]} before node {early[0][1]}, which uses it" if early else "all in order"


def cases(rng):
    return [
        Case("(x + y)·x", ([(), (), (0, 1), (2, 0)], 3)),
        Case("numbers in no order", (DIAMOND, 3)),
        Case("a node used three times", (TANGLE, 7)),
        Case("from a node in the middle", (TANGLE, 5)),
        Case("an input alone", ([(), (0,)], 0), weight=0.5),
        Case("a chain of 5000 nodes", ([(), *[(i,) for i in range(4999)]], 4999)),
        Case("five layers", layered_graph(rng), hidden=True),
    ]


# --- mistakes -------------------------------------------------------------------------------------------------------


def depth_first(parents, result):
    order, stack, seen = [], [result], set()
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            order.append(node)
            stack.extend(reversed(parents[node]))
    return order


def recursive(parents, result):
    left, seen = [], set()

    def visit(node):
        seen.add(node)
        for parent in parents[node]:
            if parent not in seen:
                visit(parent)
        left.append(node)

    visit(result)
    return left[::-1]


READY = "            consumers[parent] -= 1\n            if consumers[parent] == 0:\n"
FIRST_VISIT = "            if consumers[parent] == 0:\n                found.append(parent)\n"

MISTAKES = [
    Mistake("not_topological", slip(READY, "            if parent not in order:\n"),
        "You list a node as soon as you meet it. Another node that uses it may come later, and then its flow was "
        "passed on too early. When is a node ready?"),
    Mistake("depth_first", depth_first,
        "You follow one path to its end and list nodes on the way down. A node at the end of it may have users on "
        "other paths, which come later. List a node when you leave it, not when you enter it, and look at what order "
        "that gives."),
    Mistake("inputs_first", slip("return order", "return order[::-1]"),
        "Every node comes before the nodes that use it: the order of the forward pass. The backward pass goes the "
        "other way, the result first.", convention=True),
    Mistake("node_twice", slip(f"{READY}                order.append(parent)", "            order.append(parent)"),
        "Nodes that are used more than once are listed more than once, and would pass their flow on more than once."),
    Mistake("recursion_too_deep", recursive,
        "[The order is right.] A function that calls itself for every node cannot go down a chain of thousands. Keep "
        "a list of what is to be visited yourself."),
    Mistake("every_node_listed",
        slip("found = [0] * len(parents), [result]", "found = [0] * len(parents), range(len(parents))",
             FIRST_VISIT, "",
             "order = [result]", "order = [node for node in found if consumers[node] == 0]"),
        "The list holds nodes that the result does not depend on. Begin at the result and go to the parents."),
    Mistake("by_number", slip("return order", "return sorted(order, reverse=True)"),
        "You take the nodes by their numbers. In these graphs the numbers say nothing about who was computed first."),
    Mistake("double_use_counted_once",
        slip(f"        for parent in parents[node]:\n{FIRST_VISIT}",
             f"        for parent in set(parents[node]):\n{FIRST_VISIT}"),
        "In x·x the node x is used twice. It is counted once and ticked off twice, so it seems ready too early."),
    Mistake("result_missing", slip("return order", "return order[1:]"),
        "The result itself belongs into the list, as its first node."),
]  # fmt: skip

# --- variants -------------------------------------------------------------------------------------------------------


def finished(parents, result):
    """Nodes in reverse of the order in which a depth-first walk leaves them."""
    left, seen, stack = [], {result}, [(result, iter(parents[result]))]
    while stack:
        node, rest = stack[-1]
        for parent in rest:
            if parent not in seen:
                seen.add(parent)
                stack.append((parent, iter(parents[parent])))
                break
        else:
            stack.pop()
            left.append(node)
    return left[::-1]


def by_depth(parents, result):
    """Nodes sorted by the longest way from the result."""
    depth = {}
    for node in finished(parents, result):
        depth.setdefault(node, 0)
        for parent in parents[node]:
            depth[parent] = max(depth.get(parent, 0), depth[node] + 1)
    return np.array(sorted(depth, key=depth.get))


EXERCISE = Exercise("graph.topological_order", topological_order, cases, MISTAKES, variants=[finished, by_depth],
    points=3,
    why="A node may pass its flow on only when all of it has arrived; every automatic differentiation rests on this "
        "order.",
    hints=("A node is ready when all nodes that use it are in the list.",
           "Count first, by walking from the result to the parents, how often each node is used.",
           "Then list the result. For each node that you list, tick off one use of each of its parents; a parent that "
           "has none left comes next.",
           "A list may grow while a `for` loop runs over it. No recursion is needed."),
    driver=order_driver, parts=("the nodes", "their order"), together=True)  # fmt: skip
