"""Exercises of the graph topic: the gates, the order of the pass, the pass itself.

What `dlcourse.graph.Value` does inside, as functions of plain numbers and lists; tests hold the two against each other.
"""

import numpy as np

from dlcourse.activations import sigmoid

from ..checks.drivers import WrongAnswer, kind
from ..checks.exercise import Case, Exercise, Mistake

# --- references -----------------------------------------------------------------------------------------------------


def sum_forward(xs):
    r"""Sum gate, :math:`z = \sum_i x_i`.

    Parameters
    ----------
    xs : (n,) array, the inputs.

    Returns
    -------
    z : a number.
    cache : whatever `sum_backward` needs.
    """
    return np.sum(xs), np.ones_like(xs)


def sum_backward(dz, cache):
    r"""What the sum gate passes on to each input, :math:`\partial \mathcal L / \partial x_i`.

    Parameters
    ----------
    dz : number :math:`\partial \mathcal L / \partial z`, the flow that arrives.
    cache : from `sum_forward`.

    Returns
    -------
    dx : (n,) array, one flow for each input.
    """
    return dz * cache


def prod_forward(xs):
    r"""Product gate, :math:`z = \prod_i x_i`.

    Parameters
    ----------
    xs : (n,) array, the inputs.

    Returns
    -------
    z : a number.
    cache : whatever `prod_backward` needs.
    """
    return np.prod(xs), xs


def prod_backward(dz, cache):
    r"""What the product gate passes on to each input: the flow, scaled by the product of the *other* inputs.

    Parameters
    ----------
    dz : number :math:`\partial \mathcal L / \partial z`, the flow that arrives.
    cache : from `prod_forward`.

    Returns
    -------
    dx : (n,) array, one flow for each input; right also where inputs are 0.
    """
    xs = cache
    others = [np.prod(np.delete(xs, i)) for i in range(len(xs))]
    return dz * np.array(others, dtype=xs.dtype)


def max_forward(xs):
    r"""Max gate, :math:`z = \max_i x_i`.

    Parameters
    ----------
    xs : (n,) array, the inputs.

    Returns
    -------
    z : a number.
    cache : whatever `max_backward` needs.
    """
    z = np.max(xs)
    return z, xs == z


def max_backward(dz, cache):
    r"""What the max gate passes on to each input: the flow goes to the largest, in equal shares where several are tied.

    Parameters
    ----------
    dz : number :math:`\partial \mathcal L / \partial z`, the flow that arrives.
    cache : from `max_forward`.

    Returns
    -------
    dx : (n,) array, one flow for each input; they sum to dz.
    """
    tied = cache
    return dz * tied / np.sum(tied)


def exp_forward(x):
    r"""Exponential gate, :math:`z = e^x`.

    Parameters
    ----------
    x : a number.

    Returns
    -------
    z : a number.
    cache : whatever `exp_backward` needs.
    """
    z = np.exp(x)
    return z, z


def exp_backward(dz, cache):
    r"""What the exponential gate passes on to its input, :math:`\partial \mathcal L / \partial x`.

    Parameters
    ----------
    dz : number :math:`\partial \mathcal L / \partial z`, the flow that arrives.
    cache : from `exp_forward`.

    Returns
    -------
    dx : a number.
    """
    return dz * cache


def sigmoid_forward(x):
    r"""Sigmoid gate, :math:`z = 1/(1 + e^{-x})`.

    Parameters
    ----------
    x : a number.

    Returns
    -------
    z : a number.
    cache : whatever `sigmoid_backward` needs.
    """
    z = sigmoid(x)
    return z, z


def sigmoid_backward(dz, cache):
    r"""What the sigmoid gate passes on to its input: the flow, attenuated the more the closer z is to 0 or 1.

    Parameters
    ----------
    dz : number :math:`\partial \mathcal L / \partial z`, the flow that arrives.
    cache : from `sigmoid_forward`.

    Returns
    -------
    dx : a number.
    """
    z = cache
    return dz * z * (1 - z)


def tanh_forward(x):
    r"""Tanh gate, :math:`z = \tanh x`.

    Parameters
    ----------
    x : a number.

    Returns
    -------
    z : a number.
    cache : whatever `tanh_backward` needs.
    """
    z = np.tanh(x)
    return z, z


def tanh_backward(dz, cache):
    r"""What the tanh gate passes on to its input, :math:`\partial \mathcal L / \partial x`.

    Parameters
    ----------
    dz : number :math:`\partial \mathcal L / \partial z`, the flow that arrives.
    cache : from `tanh_forward`.

    Returns
    -------
    dx : a number.
    """
    z = cache
    return dz * (1 - z * z)


def neuron_forward(w, x, b):
    r"""One neuron as a graph, :math:`\mathcal L = \sigma(w^\top x + b)`.

    Parameters
    ----------
    w, x : (n,) arrays, weights and inputs.
    b : number, the bias.

    Returns
    -------
    L : a number.
    cache : whatever `neuron_backward` needs.
    """
    L = sigmoid(np.sum(w * x) + b)
    return L, (w, x, L)


def neuron_backward(dL, cache):
    r"""The flow through the neuron, from its output back to the weights, the inputs and the bias.

    Parameters
    ----------
    dL : number, the flow that arrives at the output.
    cache : from `neuron_forward`.

    Returns
    -------
    dw, dx : (n,) arrays. db : a number.
    """
    w, x, L = cache
    du = dL * L * (1 - L)
    return du * x, du * w, du


def topological_order(parents, result):
    """The nodes that the result depends on, each after all nodes that use it.

    Parameters
    ----------
    parents : list of tuples: ``parents[i]`` are the numbers of the nodes that node i was computed from, ``()`` for an
        input; a number stands there twice where a node uses another one twice (x·x).
    result : number of the node at which the backward pass begins.

    Returns
    -------
    list of node numbers, the result first; every node comes later than all nodes that were computed from it.

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


def backward(order, parents, local):
    r"""The backward pass: :math:`\partial \mathcal L / \partial x` for every node x of a graph.

    Parameters
    ----------
    order : list of node numbers as from `topological_order`, the result first.
    parents : list of tuples, ``parents[i]`` the numbers of the nodes that node i was computed from.
    local : list of tuples, ``local[i]`` the local derivatives of node i with respect to each of ``parents[i]``.

    Returns
    -------
    grads : (nodes,) array, the gradient of the result with respect to each node: 1 for the result itself, 0 for the
        nodes that are not in `order`.

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


def zero_grad(grads):
    """Gradients of zero, ready for the next pass.

    Parameters
    ----------
    grads : (nodes,) array, the gradients so far; it stays as it is.

    Returns
    -------
    (nodes,) array.
    """
    return np.zeros_like(grads)


def accumulate(grads, order, parents, local):
    """Gradients of several passes, added up: what calling `backward` again does to the gradients that are there already.

    Parameters
    ----------
    grads : (nodes,) array, what earlier passes left; it stays as it is.
    order, parents, local : as in `backward`.

    Returns
    -------
    (nodes,) array: after two passes over one graph, starting from zeros, twice the gradient at *every* node.
    """
    return grads + backward(order, parents, local)


# --- the gates ------------------------------------------------------------------------------------------------------


def _inputs(rng, n):
    """n inputs far from 0, from 1 and from each other, both signs among them."""
    sizes = rng.permutation(np.linspace(1.2, 2.6, n)) + rng.uniform(0.0, 0.05, n)
    return sizes * np.where(np.arange(n) % 2 == 0, 1.0, -1.0)


def _gate_cases(rng, zeros=1.0, ties=1.0):
    """What the gates of many inputs share: several inputs, one, zeros, ties, float32; what a gate is about weighs more."""
    return [
        Case("five inputs", (_inputs(rng, 5),), dout=-1.5),
        Case("one input", (np.array([-3.0]),), dout=2.5),
        Case("an input of 0", (np.array([2.0, 0.0, -3.0, 5.0]),), dout=0.5, weight=zeros),
        Case("two inputs of 0", (np.array([0.0, 4.0, 0.0]),), dout=3.0, weight=0.5),
        Case("equal inputs", (np.array([3.0, -1.0, 3.0, 3.0, 2.0]),), dout=-6.0, weight=ties),
        Case("float32", (_inputs(rng, 4).astype(np.float32),), dout=0.25),
        Case("eight inputs", (_inputs(rng, 8),), dout=-0.75, hidden=True),
    ]


def _scalar_cases(rng, far=None):
    """What the gates of one input share; 0 and 1 are where x, z and their squares could be taken for each other."""
    cases = [
        Case("x = 0.7", (0.7,), dout=1.0),
        Case("x = −1.6, a negative flow", (-1.6,), dout=-2.5),
        Case("x = 0", (0.0,), dout=3.0),
        Case("x = 2.2", (float(rng.uniform(2.1, 2.3)),), dout=0.5),
        Case("another x", (float(rng.uniform(-2.9, -2.7)),), dout=-0.3, hidden=True),
    ]
    if far is not None:
        cases.insert(4, Case(f"x = {far:g}", (far,), dout=2.0, weight=0.5))
    return cases


def _kept(forward):
    """A forward function that keeps input and output: what most mistakes below start from."""

    def keeps(x):
        z = forward(x)
        return z, (x, z)

    return keeps


_sum_kept, _prod_kept, _max_kept = _kept(np.sum), _kept(np.prod), _kept(np.max)
_exp_kept, _tanh_kept = _kept(np.exp), _kept(np.tanh)


def _logistic(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1.0)[()] / (1.0 + e)


_sigmoid_kept = _kept(_logistic)


def _back(rule, name):
    """A backward function dx = rule(dz, x, z)."""

    def backward(dz, cache):
        return rule(dz, *cache)

    backward.__name__ = name
    return backward


def _sum_split(dz, xs, z):
    return dz / len(xs) * np.ones_like(xs)


def _sum_one(dz, xs, z):
    return dz


def _sum_flow_forgotten(dz, xs, z):
    return np.ones_like(xs)


def _sum_times_input(dz, xs, z):
    return dz * xs


def _sum_python_forward(xs):
    return sum(float(x) for x in xs), len(xs)


def _sum_python_backward(dz, cache):
    return [dz] * cache


def _sum_dot_forward(xs):
    return np.ones(len(xs)) @ xs, xs.shape


def _sum_dot_backward(dz, cache):
    return np.full(cache, dz)


def _prod_division(dz, xs, z):
    with np.errstate(all="ignore"):
        return dz * z / xs


def _prod_division_patched(dz, xs, z):
    return dz * z / (xs + 1e-12)


def _prod_itself(dz, xs, z):
    return dz * z * np.ones_like(xs)


def _prod_flow_forgotten(dz, xs, z):
    return np.array([np.prod(np.delete(xs, i)) for i in range(len(xs))])


def _prod_input(dz, xs, z):
    return dz * xs


def _prod_sum_of_others(dz, xs, z):
    return dz * (np.sum(xs) - xs)


def _prod_next_only(dz, xs, z):
    return dz * np.roll(xs, 1)


def _prod_both_sides_forward(xs):
    before, after = np.ones_like(xs), np.ones_like(xs)
    for i in range(1, len(xs)):
        before[i] = before[i - 1] * xs[i - 1]
        after[-1 - i] = after[-i] * xs[-i]
    return before[-1] * xs[-1], before * after


def _prod_both_sides_backward(dz, cache):
    return dz * cache


def _prod_loop_backward(dz, cache):
    xs, _ = cache
    flows = []
    for i in range(len(xs)):
        flow = dz
        for j, x in enumerate(xs):
            if j != i:
                flow = flow * x
        flows.append(float(flow))
    return flows


def _max_duplicated(dz, xs, z):
    return dz * (xs == z)


def _max_first(dz, xs, z):
    dx = np.zeros_like(xs)
    dx[np.argmax(xs)] = dz
    return dx


def _max_flow_forgotten(dz, xs, z):
    tied = xs == z
    return tied / tied.sum()


def _max_everywhere(dz, xs, z):
    return dz * np.ones_like(xs)


def _max_times_value(dz, xs, z):
    tied = xs == z
    return dz * z * tied / tied.sum()


def _max_smallest(dz, xs, z):
    tied = xs == xs.min()
    return dz * tied / tied.sum()


def _max_shared_by_all(dz, xs, z):
    return dz * (xs == z) / len(xs)


def _max_loop_forward(xs):
    z, chosen = xs[0], [0]
    for i in range(1, len(xs)):
        if xs[i] > z:
            z, chosen = xs[i], [i]
        elif xs[i] == z:
            chosen.append(i)
    return z, (chosen, len(xs))


def _max_loop_backward(dz, cache):
    chosen, n = cache
    return [dz / len(chosen) if i in chosen else 0.0 for i in range(n)]


def _max_where_forward(xs):
    return max(xs.tolist()), np.flatnonzero(xs >= xs.max()).tolist() + [len(xs)]


def _max_where_backward(dz, cache):
    *tied, n = cache
    dx = np.zeros(n)
    dx[tied] = dz / len(tied)
    return dx


def _exp_input(dz, x, z):
    return dz * x


def _exp_at_output(dz, x, z):
    return dz * np.exp(z)


def _exp_power_rule(dz, x, z):
    return dz * x * np.exp(x - 1)


def _output_alone(dz, x, z):
    return z


def _flow_alone(dz, x, z):
    return dz


def _exp_recomputed_forward(x):
    return float(np.exp(x)), x


def _exp_recomputed_backward(dz, cache):
    return float(np.exp(cache)) * dz


def _exp_power_forward(x):
    z = np.e**x
    return z, {"z": z}


def _exp_power_backward(dz, cache):
    return cache["z"] * dz


def _sigmoid_input(dz, x, z):
    return dz * x * (1 - x)


def _sigmoid_at_output(dz, x, z):
    s = _logistic(z)
    return dz * s * (1 - s)


def _sigmoid_flow_forgotten(dz, x, z):
    return z * (1 - z)


def _sigmoid_of_tanh(dz, x, z):
    return dz * (1 - z * z)


def _sigmoid_half(dz, x, z):
    return dz * (1 - z)


def _sigmoid_sign(dz, x, z):
    return dz * z * (z - 1)


def _sigmoid_overflows_forward(x):
    import math

    z = 1 / (1 + math.exp(-x))
    return z, z


def _sigmoid_overflows_backward(dz, cache):
    return dz * cache * (1 - cache)


def _sigmoid_two_forms_forward(x):
    z = float(1 / (1 + np.exp(-x))) if x >= 0 else float(np.exp(x) / (1 + np.exp(x)))
    return z, z


def _sigmoid_two_forms_backward(dz, cache):
    return (cache - cache * cache) * dz


def _sigmoid_slope_forward(x):
    z = _logistic(x)
    return z, z * (1.0 - z)


def _sigmoid_slope_backward(dz, cache):
    return cache * dz


def _tanh_input(dz, x, z):
    return dz * (1 - x * x)


def _tanh_at_output(dz, x, z):
    return dz * (1 - np.tanh(z) ** 2)


def _tanh_flow_forgotten(dz, x, z):
    return 1 - z * z


def _tanh_of_sigmoid(dz, x, z):
    return dz * z * (1 - z)


def _tanh_not_squared(dz, x, z):
    return dz * (1 - z)


def _tanh_exponentials_forward(x):
    up, down = np.exp(x), np.exp(-x)
    return (up - down) / (up + down), x


def _tanh_cosh_backward(dz, cache):
    return dz / np.cosh(cache) ** 2


def _tanh_factored_forward(x):
    z = float(np.tanh(x))
    return z, (1 + z, 1 - z)


def _tanh_factored_backward(dz, cache):
    above, below = cache
    return dz * (above * below)


# --- the neuron -----------------------------------------------------------------------------------------------------


def _neuron_cases(rng):
    def case(name, n, dout, **options):
        # Sizes bounded so that the neuron stays where its derivative is not tiny
        w = rng.uniform(0.3, 0.9, n) * np.where(np.arange(n) % 2, -1.0, 1.0)
        return Case(name, (w, rng.uniform(1.1, 1.9, n), float(rng.uniform(0.2, 0.4))), dout=dout, **options)

    w, x, b = case("", 4, 0.0).args
    return [
        case("three inputs", 3, 1.0),
        Case("the numbers of the lesson", (np.array([2.0, -3.0]), np.array([-1.0, -2.0]), -3.0), dout=1.0),
        case("a flow of −2.5", 4, -2.5),
        case("one input", 1, 0.5),
        Case("float32", (w.astype(np.float32), x.astype(np.float32), b), dout=0.5),
        case("six inputs", 6, 1.75, hidden=True),
    ]


def _neuron_kept(w, x, b):
    u = np.dot(w, x) + b
    return _logistic(u), (w, x, u, _logistic(u))


def _neuron_with(slope):
    def neuron_backward(dL, cache):
        w, x, u, L = cache
        du = slope(dL, u, L)
        return du * x, du * w, du

    return neuron_backward


def _neuron_swapped(dL, cache):
    w, x, _, L = cache
    du = dL * L * (1 - L)
    return du * w, du * x, du


def _neuron_bias_early(dL, cache):
    w, x, _, L = cache
    du = dL * L * (1 - L)
    return du * x, du * w, dL


def _neuron_no_bias(dL, cache):
    w, x, _, L = cache
    du = dL * L * (1 - L)
    return du * x, du * w, 0.0


def _neuron_split(dL, cache):
    w, x, _, L = cache
    du = dL * L * (1 - L)
    return du * x / len(x), du * w / len(x), du


def _neuron_loop_forward(w, x, b):
    u = b
    for weight, value in zip(w, x, strict=True):
        u = u + weight * value
    z = float(_logistic(u))
    return z, {"w": w, "x": x, "slope": z - z * z}


def _neuron_loop_backward(dL, cache):
    flow = dL * cache["slope"]
    return [flow * value for value in cache["x"]], [flow * weight for weight in cache["w"]], float(flow)


def _neuron_einsum_forward(w, x, b):
    u = np.einsum("i,i->", w, x) + b
    return 0.5 + 0.5 * np.tanh(0.5 * u), (w, x, u)


def _neuron_einsum_backward(dL, cache):
    w, x, u = cache
    du = dL * 0.25 / np.cosh(0.5 * u) ** 2
    return np.multiply(x, du), np.multiply(w, du), du


# --- the order ------------------------------------------------------------------------------------------------------

# Numbers run in no order: a walk by number is no way through
_DIAMOND = [(2,), (), (1,), (0, 4), (2, 1)]
# Node 4 is used by 0 (twice), by 5 and by 2; a walk that follows whatever it meets comes to it too early
_TANGLE = [(4, 4), (0, 5), (4, 3), (), (6,), (2, 3), (), (1, 0), (6, 3)]


def _renamed(rng, parents, result):
    """The same graph under other numbers."""
    names = rng.permutation(len(parents))
    renamed = [()] * len(parents)
    for node, inputs in enumerate(parents):
        renamed[names[node]] = tuple(int(names[i]) for i in inputs)
    return renamed, int(names[result])


def _layered(rng, layers, width):
    """A graph in layers, each node made from two of the layer before and one of the layer before that."""
    parents = [() for _ in range(2 * width)]
    for layer in range(2, layers):
        for i in range(width):
            near, far = (layer - 1) * width, (layer - 2) * width
            parents.append((near + i, near + (i + 1) % width, far + int(rng.integers(width))))
    parents.append(tuple(range(len(parents) - width, len(parents))))
    return parents, len(parents) - 1


def _order_cases(rng):
    return [
        Case("(x + y)·x", ([(), (), (0, 1), (2, 0)], 3)),
        Case("numbers in no order", (_DIAMOND, 3)),
        Case("a node used three times", (_TANGLE, 7)),
        Case("from a node in the middle", (_TANGLE, 5)),
        Case("an input alone", ([(), (0,)], 0), weight=0.5),
        Case("a chain of 5000 nodes", ([(), *[(i,) for i in range(4999)]], 4999)),
        Case("five layers", _renamed(rng, *_layered(rng, 5, 3)), hidden=True),
    ]


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


def _order_breadth_first(parents, result):
    order = [result]
    for node in order:
        for parent in parents[node]:
            if parent not in order:
                order.append(parent)
    return order


def _order_depth_first(parents, result):
    order, stack, seen = [], [result], set()
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            order.append(node)
            stack.extend(reversed(parents[node]))
    return order


def _finished(parents, result):
    """Nodes in the order in which a depth-first walk leaves them: every node after its inputs."""
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
    return left


def _order_twice(parents, result):
    order = [result]
    for node in order:
        order.extend(parents[node])
        if len(order) > 20_000:
            break
    return order


def _order_recursive(parents, result):
    left, seen = [], set()

    def visit(node):
        seen.add(node)
        for parent in parents[node]:
            if parent not in seen:
                visit(parent)
        left.append(node)

    visit(result)
    return left[::-1]


def _order_everything(parents, result):
    # As if one more node used all of them
    return _finished([*parents, tuple(range(len(parents)))], len(parents))[-2::-1]


def _order_by_number(parents, result):
    return sorted(_finished(parents, result), reverse=True)


def _order_consumers_once(parents, result):
    waiting = dict.fromkeys(_finished(parents, result), 0)
    for node in waiting:
        for parent in set(parents[node]):
            waiting[parent] += 1
    order = [result]
    for node in order:
        for parent in parents[node]:
            waiting[parent] -= 1
            if waiting[parent] == 0:
                order.append(parent)
    return order


def _order_without_result(parents, result):
    return _finished(parents, result)[-2::-1]


def _order_finished(parents, result):
    return _finished(parents, result)[::-1]


def _order_by_depth(parents, result):
    """Nodes sorted by the longest way from the result."""
    depth = {}
    for node in reversed(_finished(parents, result)):
        depth.setdefault(node, 0)
        for parent in parents[node]:
            depth[parent] = max(depth.get(parent, 0), depth[node] + 1)
    return np.array(sorted(depth, key=depth.get))


# --- the pass -------------------------------------------------------------------------------------------------------


def _slopes(rng, parents):
    """Local derivatives away from 0 and from 1, so that none can be left out unnoticed."""
    return [tuple(float(x) for x in rng.choice([-1, 1, 1], len(p)) * rng.uniform(1.2, 1.9, len(p))) for p in parents]


def _graphs(rng):
    """(name, order, parents, local, hidden) of the graphs that the pass is asked for."""
    worked = [(), (), (), (0, 1), (3, 2)]
    chain = [(), *[(i,) for i in range(199)]]
    deep = [(), *[(float(x),) for x in rng.uniform(0.95, 1.05, 199)]]
    layered, top = _renamed(rng, *_layered(rng, 5, 3))
    square = [(), (0, 0), (1, 1)]
    return [
        ("(x + y)·z at −2, 5, −4", [4, 3, 2, 0, 1], worked, [(), (), (), (1.0, 1.0), (-4.0, 3.0)], False),
        ("x·x, squared, at 3", [2, 1, 0], square, [(), (3.0, 3.0), (9.0, 9.0)], False),
        ("numbers in no order", [3, 4, 0, 2, 1], _DIAMOND, _slopes(rng, _DIAMOND), False),
        ("a node used three times", [7, 1, 0, 5, 2, 4, 3, 6], _TANGLE, _slopes(rng, _TANGLE), False),
        ("a chain of 200 nodes", list(range(199, -1, -1)), chain, deep, False),
        ("five layers", _finished(layered, top)[::-1], layered, _slopes(rng, layered), True),
    ]


def _backward_cases(rng):
    return [
        Case(name, (order, parents, local), hidden=hidden, terms=256)
        for name, order, parents, local, hidden in _graphs(rng)
    ]


def _pass(order, parents, local, step, seed=1.0):
    """A pass in which `step(grads, node, parent, slope)` may be another."""
    grads = np.zeros(len(parents))
    grads[order[0]] = seed
    for node in order:
        for parent, slope in zip(parents[node], local[node], strict=True):
            grads[parent] = step(grads, node, parent, slope)
    return grads


def _right_flow(grads, node, parent, slope):
    return grads[parent] + grads[node] * slope


def _backward_assigned(order, parents, local):
    return _pass(order, parents, local, lambda grads, node, parent, slope: grads[node] * slope)


def _backward_by_number(order, parents, local):
    grads = np.zeros(len(parents))
    grads[order[0]] = 1.0
    for node in reversed(range(len(parents))):
        for parent, slope in zip(parents[node], local[node], strict=True):
            grads[parent] += grads[node] * slope
    return grads


def _backward_inputs_first(order, parents, local):
    grads = np.zeros(len(parents))
    grads[order[0]] = 1.0
    for node in reversed(order):
        for parent, slope in zip(parents[node], local[node], strict=True):
            grads[parent] += grads[node] * slope
    return grads


def _backward_no_upstream(order, parents, local):
    return _pass(order, parents, local, lambda grads, node, parent, slope: grads[parent] + slope)


def _backward_no_slope(order, parents, local):
    return _pass(order, parents, local, lambda grads, node, parent, slope: grads[parent] + grads[node])


def _backward_no_seed(order, parents, local):
    return _pass(order, parents, local, _right_flow, seed=0.0)


def _backward_walks(order, parents, local):
    grads = np.zeros(len(parents))
    grads[order[0]] = 1.0

    def walk(node):
        for parent, slope in zip(parents[node], local[node], strict=True):
            grads[parent] += grads[node] * slope
            walk(parent)

    walk(order[0])
    return grads


def _backward_parent_once(order, parents, local):
    grads = np.zeros(len(parents))
    grads[order[0]] = 1.0
    for node in order:
        for parent, slope in dict(zip(parents[node], local[node], strict=True)).items():
            grads[parent] += grads[node] * slope
    return grads


def _backward_pulls(order, parents, local):
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


def _backward_scatter(order, parents, local):
    grads = np.eye(len(parents))[order[0]]
    for node in order:
        if parents[node]:
            np.add.at(grads, list(parents[node]), grads[node] * np.array(local[node]))
    return grads


# --- several passes -------------------------------------------------------------------------------------------------


def _accumulate_cases(rng):
    cases = []
    for name, order, parents, local, hidden in _graphs(rng):
        earlier = rng.uniform(0.5, 1.5, len(parents))
        cases.append(Case(name, (earlier, order, parents, local), hidden=hidden, terms=256))
    return cases


def passes_driver(functions, case):
    """Calls one pass on top of earlier gradients, another on top of that, and one after the gradients were cleared."""
    clear, add = functions
    earlier, order, parents, local = case.args
    first = add(earlier, order, parents, local)
    yield "one pass more", first
    size = (len(parents),)
    if np.shape(first) != size:
        raise WrongAnswer(f"the gradients are an array of shape {size}; yours are {kind(first)}")
    second = add(np.array(first, dtype=float), order, parents, local)
    yield "two passes more", second
    cleared = clear(np.array(second, dtype=float))
    if np.shape(cleared) != size:
        raise WrongAnswer(f"zero_grad returns an array of shape {size}; yours returned {kind(cleared)}")
    yield "after zero_grad", add(np.array(cleared, dtype=float), order, parents, local)


def _zeros(grads):
    return 0.0 * grads


def _accumulate_with(start, seed, after=lambda grads, total: total):
    """A pass whose flows begin at start(grads), with `seed` for the result; `after` says what becomes of it."""

    def accumulate(grads, order, parents, local):
        total = start(grads)
        total[order[0]] = seed(total[order[0]])
        for node in order:
            for parent, slope in zip(parents[node], local[node], strict=True):
                total[parent] += total[node] * slope
        return after(grads, total)

    return accumulate


def _plus_one(at_result):
    return at_result + 1.0


def _one(at_result):
    return 1.0


_accumulate_stale = _accumulate_with(np.copy, _plus_one)
_accumulate_stale_reseeded = _accumulate_with(np.copy, _one)
_accumulate_replaced = _accumulate_with(np.zeros_like, _one)
_accumulate_plain = _accumulate_with(np.zeros_like, _one, lambda grads, total: grads + total)
_accumulate_mean = _accumulate_with(np.zeros_like, _one, lambda grads, total: (grads + total) / 2)


def _accumulate_in_place(grads, order, parents, local):
    grads += _accumulate_replaced(grads, order, parents, local)
    return grads


def _accumulate_inputs_only(grads, order, parents, local):
    total = _accumulate_replaced(grads, order, parents, local)
    return np.where([not inputs for inputs in parents], grads + total, total)


def _zero_nothing(grads):
    return grads


def _zero_nearly(grads):
    return np.append(grads[:-1] * 0.0, grads[-1])


def _zero_python(grads):
    return [0.0 for _ in grads]


def _accumulate_python(grads, order, parents, local):
    flow = {order[0]: 1.0}
    for node in order:
        for parent, slope in zip(parents[node], local[node], strict=True):
            flow[parent] = flow.get(parent, 0.0) + flow[node] * slope
    return [float(old) + flow.get(node, 0.0) for node, old in enumerate(grads)]


# --- the exercises --------------------------------------------------------------------------------------------------

_FLOW = "This is the gate's local derivative alone. What arrives from above, dz, goes into every flow: the chain rule multiplies."
_AT_OUTPUT = (
    "You take the derivative at z, so the gate is applied twice. z = f(x) is all you need: write f′(x) in terms of z."
)

EXERCISES = [
    Exercise(
        "graph.sum_",
        (sum_forward, sum_backward),
        _gate_cases,
        [
            Mistake(
                "flow_split",
                (_sum_kept, _back(_sum_split, "sum_backward")),
                "You divide the flow among the inputs. Move one input by a little: how much does the sum move?",
            ),
            Mistake(
                "one_flow_for_all",
                (_sum_kept, _back(_sum_one, "sum_backward")),
                "One number comes back; each input gets a flow of its own, so n of them. They happen to be equal.",
            ),
            Mistake("flow_forgotten", (_sum_kept, _back(_sum_flow_forgotten, "sum_backward")), _FLOW),
            Mistake(
                "scaled_by_input",
                (_sum_kept, _back(_sum_times_input, "sum_backward")),
                "The flow is scaled by the inputs; that is what a product does. A sum's slope does not depend on its inputs.",
            ),
        ],
        [(_sum_python_forward, _sum_python_backward), (_sum_dot_forward, _sum_dot_backward)],
        points=1,
        minutes=4,
        why="Wherever paths meet in a network, a sum stands; going back, it hands the same flow to all of them.",
        hints=(
            "∂z/∂x_i: how fast does the sum grow with one of its inputs?",
            "The backward function needs to know one thing only: how many inputs there were.",
        ),
    ),
    Exercise(
        "graph.prod",
        (prod_forward, prod_backward),
        lambda rng: _gate_cases(rng, zeros=3.0),
        [
            Mistake(
                "product_by_division",
                (_prod_kept, _back(_prod_division, "prod_backward")),
                "z/x_i is the product of the others only while x_i is not 0 (the notes slip here, E09). Multiply the others; divide by nothing.",
            ),
            Mistake(
                "division_patched",
                (_prod_kept, _back(_prod_division_patched, "prod_backward")),
                "A small number in the divisor hides the NaN, not the mistake: where x_i = 0 you get 0, but the product of the others is not 0. And everywhere else the last digits are off.",
            ),
            Mistake(
                "includes_itself",
                (_prod_kept, _back(_prod_itself, "prod_backward")),
                "Every input gets dz·z. The input itself does not belong into its own slope: only the others do.",
            ),
            Mistake("flow_forgotten", (_prod_kept, _back(_prod_flow_forgotten, "prod_backward")), _FLOW),
            Mistake(
                "scaled_by_itself",
                (_prod_kept, _back(_prod_input, "prod_backward")),
                "Each flow is scaled by its own input. In z = x·y, what is ∂z/∂x?",
            ),
            Mistake(
                "sum_of_others",
                (_prod_kept, _back(_prod_sum_of_others, "prod_backward")),
                "You add up the other inputs; the slope is their product.",
            ),
            Mistake(
                "one_other_only",
                (_prod_kept, _back(_prod_next_only, "prod_backward")),
                "Each flow is scaled by one other input. That is enough for two inputs; with more, all the others count.",
            ),
        ],
        [(_prod_both_sides_forward, _prod_both_sides_backward), (_prod_kept, _prod_loop_backward)],
        points=2,
        minutes=8,
        why="Weights times inputs, gates times states: a product's flow to one side is the other side.",
        hints=(
            "For z = x·y·w: what is ∂z/∂x? And what is it where x = 0?",
            "A loop over the inputs, and for each the product of all the others.",
            "`np.delete(xs, i)` is xs without its entry i.",
        ),
    ),
    Exercise(
        "graph.max_",
        (max_forward, max_backward),
        lambda rng: _gate_cases(rng, ties=3.0),
        [
            Mistake(
                "max_tie_duplicated",
                (_max_kept, _back(_max_duplicated, "max_backward")),
                "Where several inputs are the largest each gets the whole flow, as in the notes (E10), so more comes out than went in. Here they share it equally.",
                convention=True,
            ),
            Mistake(
                "tie_to_the_first",
                (_max_kept, _back(_max_first, "max_backward")),
                "Where several inputs are the largest the first one gets everything. Here they share the flow equally.",
                convention=True,
            ),
            Mistake("flow_forgotten", (_max_kept, _back(_max_flow_forgotten, "max_backward")), _FLOW),
            Mistake(
                "routed_to_all",
                (_max_kept, _back(_max_everywhere, "max_backward")),
                "Every input gets the flow. Move an input that is not the largest: does z move?",
            ),
            Mistake(
                "scaled_by_value",
                (_max_kept, _back(_max_times_value, "max_backward")),
                "The flow to the largest input is multiplied by that input. If the largest grows by a little, by how much does z?",
            ),
            Mistake(
                "smallest_chosen",
                (_max_kept, _back(_max_smallest, "max_backward")),
                "The flow goes to the smallest input; that is the min gate.",
            ),
            Mistake(
                "shared_by_all",
                (_max_kept, _back(_max_shared_by_all, "max_backward")),
                "You divide by the number of inputs. Only those that are tied share: how many are there?",
            ),
        ],
        [(_max_loop_forward, _max_loop_backward), (_max_where_forward, _max_where_backward)],
        points=2,
        minutes=6,
        why="Max pooling and ReLU are this gate: they choose a path for the gradient, and the others learn nothing this time.",
        hints=(
            "Which inputs equal z? A comparison with `==` gives True and False.",
            "How many of them are there? `np.sum` counts True.",
            "The shares must add up to dz.",
        ),
    ),
    Exercise(
        "graph.exp",
        (exp_forward, exp_backward),
        _scalar_cases,
        [
            Mistake(
                "exp_uses_input",
                (_exp_kept, _back(_exp_input, "exp_backward")),
                "You scale the flow by x. The derivative of e^x is e^x: which of the two, input or output, do you want to remember?",
            ),
            Mistake("derivative_at_output", (_exp_kept, _back(_exp_at_output, "exp_backward")), _AT_OUTPUT),
            Mistake(
                "power_rule",
                (_exp_kept, _back(_exp_power_rule, "exp_backward")),
                "x·e^(x−1) is the rule for a power, x^n. Here x is the exponent.",
            ),
            Mistake("flow_forgotten", (_exp_kept, _back(_output_alone, "exp_backward")), _FLOW),
            Mistake(
                "slope_forgotten",
                (_exp_kept, _back(_flow_alone, "exp_backward")),
                "The flow passes unchanged, as if the gate's slope were 1. That is so at x = 0 only.",
            ),
        ],
        [(_exp_recomputed_forward, _exp_recomputed_backward), (_exp_power_forward, _exp_power_backward)],
        points=1,
        minutes=3,
        why="The first gate whose slope is its own output: what the forward pass computed, the backward pass need not compute again.",
        hints=("What is the derivative of e^x?", "Keep in the cache what you have computed anyway."),
    ),
    Exercise(
        "graph.sigmoid",
        (sigmoid_forward, sigmoid_backward),
        lambda rng: _scalar_cases(rng, far=-800.0),
        [
            Mistake(
                "exp_uses_input",
                (_sigmoid_kept, _back(_sigmoid_input, "sigmoid_backward")),
                "z(1 − z) is right, but with the output z in it; you put in the input x.",
            ),
            Mistake("derivative_at_output", (_sigmoid_kept, _back(_sigmoid_at_output, "sigmoid_backward")), _AT_OUTPUT),
            Mistake("flow_forgotten", (_sigmoid_kept, _back(_sigmoid_flow_forgotten, "sigmoid_backward")), _FLOW),
            Mistake(
                "tanh_derivative",
                (_sigmoid_kept, _back(_sigmoid_of_tanh, "sigmoid_backward")),
                "1 − z² is the slope of tanh. At x = 0 the sigmoid's is ¼.",
            ),
            Mistake(
                "factor_missing",
                (_sigmoid_kept, _back(_sigmoid_half, "sigmoid_backward")),
                "The slope must vanish where z is near 1 and where it is near 0. Yours does only one of the two.",
            ),
            Mistake(
                "sign",
                (_sigmoid_kept, _back(_sigmoid_sign, "sigmoid_backward")),
                "The sigmoid grows everywhere, so its slope is positive. Yours is negative.",
            ),
            Mistake(
                "overflow",
                (_sigmoid_overflows_forward, _sigmoid_overflows_backward),
                "Right, until x is very negative: e^(−x) then is larger than any float. The course's `sigmoid` avoids that; it is imported above.",
            ),
        ],
        [
            (_sigmoid_two_forms_forward, _sigmoid_two_forms_backward),
            (_sigmoid_slope_forward, _sigmoid_slope_backward),
        ],
        points=1,
        minutes=4,
        why="It lets through a quarter of the flow at best, and almost nothing where it saturates: ten in a row starve what lies below.",
        hints=(
            "`sigmoid(x)` from the course is the forward pass.",
            "The slope is largest, ¼, at z = ½, and vanishes at z = 0 and z = 1.",
        ),
    ),
    Exercise(
        "graph.tanh",
        (tanh_forward, tanh_backward),
        _scalar_cases,
        [
            Mistake(
                "exp_uses_input",
                (_tanh_kept, _back(_tanh_input, "tanh_backward")),
                "One minus a square is right, but the square of the output z; you put in the input x.",
            ),
            Mistake("derivative_at_output", (_tanh_kept, _back(_tanh_at_output, "tanh_backward")), _AT_OUTPUT),
            Mistake("flow_forgotten", (_tanh_kept, _back(_tanh_flow_forgotten, "tanh_backward")), _FLOW),
            Mistake(
                "sigmoid_derivative",
                (_tanh_kept, _back(_tanh_of_sigmoid, "tanh_backward")),
                "z(1 − z) is the sigmoid's slope. Tanh runs from −1 to 1, and its slope at x = 0 is 1.",
            ),
            Mistake(
                "not_squared",
                (_tanh_kept, _back(_tanh_not_squared, "tanh_backward")),
                "The slope is the same at x and at −x, so the sign of z cannot matter. What makes it disappear?",
            ),
        ],
        [(_tanh_exponentials_forward, _tanh_cosh_backward), (_tanh_factored_forward, _tanh_factored_backward)],
        points=1,
        minutes=3,
        why="The gate of the recurrent networks, and again one whose slope is written in its output.",
        hints=("`np.tanh` is the forward pass.", "cosh² − sinh² = 1; divide that by cosh²."),
    ),
    Exercise(
        "graph.neuron",
        (neuron_forward, neuron_backward),
        _neuron_cases,
        [
            Mistake(
                "exp_uses_input",
                (_neuron_kept, _neuron_with(lambda dL, u, L: dL * u * (1 - u))),
                "The sigmoid's slope is L(1 − L), with its output in it. You put in the preactivation.",
            ),
            Mistake(
                "derivative_omitted",
                (_neuron_kept, _neuron_with(lambda dL, u, L: dL)),
                "The flow reaches the sum without having passed the sigmoid. Every gate on the way scales it.",
            ),
            Mistake(
                "derivative_at_output",
                (_neuron_kept, _neuron_with(lambda dL, u, L: dL * _logistic(L) * (1 - _logistic(L)))),
                _AT_OUTPUT,
            ),
            Mistake(
                "flow_forgotten",
                (_neuron_kept, _neuron_with(lambda dL, u, L: L * (1 - L))),
                "Right for dL = 1. Here the neuron is a part of something larger: what arrives, dL, goes into every flow.",
            ),
            Mistake(
                "product_not_crossed",
                (_neuron_kept, _neuron_swapped),
                "Weights and inputs have changed places: the flow to w_i is scaled by the other factor of the product.",
            ),
            Mistake(
                "bias_before_the_gate",
                (_neuron_kept, _neuron_bias_early),
                "The bias gets what arrives at the output. It enters before the sigmoid, so its flow passes the sigmoid, too.",
            ),
            Mistake(
                "bias_without_flow",
                (_neuron_kept, _neuron_no_bias),
                "The bias gets nothing, and so could never learn. It is an input of the sum like every product.",
            ),
            Mistake(
                "flow_split",
                (_neuron_kept, _neuron_split),
                "The sum does not divide its flow by the number of its inputs: it hands all of it to each.",
            ),
        ],
        [(_neuron_loop_forward, _neuron_loop_backward), (_neuron_einsum_forward, _neuron_einsum_backward)],
        points=2,
        minutes=10,
        why="Products, a sum and a sigmoid: the gates put together, and already the whole gradient of a neuron.",
        hints=(
            "Draw it: n products, one sum with the bias, one sigmoid. Then go back gate by gate.",
            "After the sigmoid's gate you hold one number, the flow at the sum. Give it a name.",
            "The sum passes it on to every product and to the bias; each product crosses it over.",
        ),
    ),
    Exercise(
        "graph.topological_order",
        topological_order,
        _order_cases,
        [
            Mistake(
                "not_topological",
                _order_breadth_first,
                "You list a node as soon as you meet it. Another node that uses it may come later, and then its flow was passed on too early. When is a node ready?",
            ),
            Mistake(
                "depth_first",
                _order_depth_first,
                "You follow one path to its end and list nodes on the way down. A node at the end of it may have users on other paths, which come later. List a node when you leave it, not when you enter it, and look at what order that gives.",
            ),
            Mistake(
                "inputs_first",
                _finished,
                "Every node comes before the nodes that use it: the order of the forward pass. The backward pass goes the other way, the result first.",
                convention=True,
            ),
            Mistake(
                "node_twice",
                _order_twice,
                "Nodes that are used more than once are listed more than once, and would pass their flow on more than once.",
            ),
            Mistake(
                "recursion_too_deep",
                _order_recursive,
                "The order is right, but a function that calls itself for every node cannot go down a chain of thousands. Keep a list of what is to be visited yourself.",
            ),
            Mistake(
                "every_node_listed",
                _order_everything,
                "The list holds nodes that the result does not depend on. Begin at the result and go to the parents.",
            ),
            Mistake(
                "by_number",
                _order_by_number,
                "You take the nodes by their numbers. In these graphs the numbers say nothing about who was computed first.",
            ),
            Mistake(
                "double_use_counted_once",
                _order_consumers_once,
                "In x·x the node x is used twice. It is counted once and ticked off twice, so it seems ready too early.",
            ),
            Mistake(
                "result_missing", _order_without_result, "The result itself belongs into the list, as its first node."
            ),
        ],
        [_order_finished, _order_by_depth],
        points=3,
        minutes=20,
        why="A node may pass its flow on only when all of it has arrived; every automatic differentiation rests on this order.",
        hints=(
            "A node is ready when all nodes that use it are in the list.",
            "Count first, by walking from the result to the parents, how often each node is used.",
            "Then list the result. For each node that you list, tick off one use of each of its parents; who has none left comes next.",
            "A list may grow while a `for` loop runs over it. No recursion is needed.",
        ),
        driver=order_driver,
        parts=("the nodes", "their order"),
    ),
    Exercise(
        "graph.backward",
        backward,
        _backward_cases,
        [
            Mistake(
                "assign_not_accumulate",
                _backward_assigned,
                "A node that is used twice receives two flows; the second one replaces the first here. They add up.",
            ),
            Mistake(
                "not_topological",
                _backward_by_number,
                "You go through the nodes by number. Some pass their flow on before all of it has arrived; `order` tells who comes when.",
            ),
            Mistake(
                "inputs_first",
                _backward_inputs_first,
                "You begin at the inputs, where nothing has arrived yet. The pass begins at the result.",
            ),
            Mistake(
                "upstream_forgotten",
                _backward_no_upstream,
                "You add up local derivatives. The chain rule multiplies each by what has arrived at the node.",
            ),
            Mistake(
                "slope_forgotten",
                _backward_no_slope,
                "Every parent gets the node's whole flow: the local derivatives are not used.",
            ),
            Mistake(
                "seed_missing",
                _backward_no_seed,
                "Nothing flows because nothing flowed in. What is the derivative of the result with respect to itself?",
            ),
            Mistake(
                "passed_on_too_early",
                _backward_walks,
                "You go on to a parent before its flow is complete, and later again, with what was already passed on. Each node passes on once, when it is its turn in `order`.",
            ),
            Mistake(
                "parent_counted_once",
                _backward_parent_once,
                "In x·x the same parent stands there twice, each time with a flow. One of the two is lost (a dict keeps one value for a key).",
            ),
        ],
        [_backward_pulls, _backward_scatter],
        points=3,
        minutes=12,
        why="These few lines are backpropagation, whatever the network looks like.",
        hints=(
            "An array of zeros for all nodes; one entry is known from the beginning.",
            "Go through `order`; for each node, through its parents and local derivatives side by side (`zip`).",
            "Flow at the parent: what is there already, plus flow at the node times local derivative.",
        ),
    ),
    Exercise(
        "graph.accumulate",
        (zero_grad, accumulate),
        _accumulate_cases,
        [
            Mistake(
                "stale_grads",
                (_zeros, _accumulate_stale),
                "The new pass sends the old gradients along once more: flows begin where the last pass ended. Let this pass start from zeros, and add the old gradients at the end.",
            ),
            Mistake(
                "stale_grads_below",
                (_zeros, _accumulate_stale_reseeded),
                "The result starts at 1 again, but the nodes below still hold the old gradients and pass them on. Every flow of a new pass begins at zero.",
            ),
            Mistake(
                "earlier_lost",
                (_zeros, _accumulate_replaced),
                "The gradients of the earlier passes are gone. Accumulating means: old plus new.",
            ),
            Mistake(
                "mutates_gradients",
                (_zeros, _accumulate_in_place),
                "The numbers are right, but `grads += …` writes into the caller's array. Make a new one: `grads + …`.",
            ),
            Mistake(
                "inputs_only",
                (_zeros, _accumulate_inputs_only),
                "Only the inputs keep their earlier gradients, as in PyTorch, where the nodes in between keep none. Here every node accumulates.",
                convention=True,
            ),
            Mistake(
                "averaged",
                (_zeros, _accumulate_mean),
                "You take the mean of old and new. Passes add up; whoever wants a mean divides afterwards.",
            ),
            Mistake(
                "not_zeroed",
                (_zero_nothing, _accumulate_plain),
                "`accumulate` is right; `zero_grad` hands the old gradients back, so nothing is cleared.",
            ),
            Mistake(
                "one_node_not_zeroed",
                (_zero_nearly, _accumulate_plain),
                "`accumulate` is right; `zero_grad` leaves one node as it was. All are cleared, inputs and result too.",
            ),
        ],
        [(_zero_python, _accumulate_python), (_zeros, _accumulate_plain)],
        points=2,
        minutes=8,
        why="Forgotten zeroing is the commonest slip in training loops: the network then steps along all gradients it has ever seen.",
        hints=(
            "`backward` from above gives the gradients of one pass, from zeros. Use it.",
            "What was there before comes in at the end, once.",
            "`np.zeros_like` makes zeros of the same shape.",
        ),
        driver=passes_driver,
        parts=("one pass more", "two passes more", "after zero_grad"),
    ),
]
