r"""A computational graph of scalars: the chain rule, one gate at a time.

Every operation on a `Value` makes a new one that remembers its inputs `x_i` and its
local derivatives `∂z/∂x_i`. `backward` walks from the result `L` to the inputs and
gives to each

.. math::
    ∂L/∂x_i += ∂L/∂z · ∂z/∂x_i

where the gates differ only in their local derivative:

- sum distributes the flow unchanged, `∂z/∂x_i = 1`;
- product scales it by the product of the others, `∂z/∂x_i = Π_(j ≠ i) x_j`;
- max and min route it to the chosen input, in equal shares where several are tied;
- the sigmoid attenuates it, `∂z/∂x = z(1 − z)`, the more the closer z is to 0 or 1.

A node is made after its inputs, so the order of creation is a topological order:
the pass needs no recursion, and nothing points back from an input to its consumers,
so a graph is freed as soon as its result is.
Source: notes 001; Rumelhart, Hinton, Williams, Learning representations by
back-propagating errors (Nature 323, 1986).
"""

import math
from itertools import accumulate, count
from numbers import Real
from operator import attrgetter, mul
from typing import NamedTuple

from ._graph_svg import draw

__all__ = [
    "Step",
    "Value",
    "max_",
    "min_",
    "prod",
    "render",
    "sum_",
    "trace",
]


def __dir__():
    return __all__


_next_number = count().__next__
_new = object.__new__
_by_creation = attrgetter("_number")


class Value:
    """A number that remembers how it was computed.

    Parameters
    ----------
    data : number.

    Attributes
    ----------
    data : float z.
    grad : float `∂L/∂z`, the sum over all backward passes since the last `zero_grad`.
    parents : tuple of the Values that it was computed from; empty for an input.
    op : the gate's name: ``+ - * / neg exp log sigmoid tanh relu sum prod max min``,
        ``**2`` for a square, empty for an input.

    Notes
    -----
    Numbers may stand for Values on either side of ``+ - * /``; the exponent of ``**``
    is a number.

    Examples
    --------
    >>> x, y, z = Value(-2), Value(5), Value(-4)
    >>> L = (x + y) * z
    >>> L.backward()
    >>> L.data, x.grad, y.grad, z.grad
    (-12.0, -4.0, -4.0, 3.0)
    """

    __slots__ = ("_local", "_number", "data", "grad", "op", "parents")
    # NumPy's numbers on the left of an operator then leave the work to the methods below
    __array_ufunc__ = None

    def __init__(self, data):
        if type(data) is not float:
            if not isinstance(data, Real):
                raise TypeError(f"data: expected a number, got {type(data).__name__}")
            data = float(data)
        self.data = data
        self.grad = 0.0
        self.parents = self._local = ()
        self.op = ""
        self._number = _next_number()

    def __repr__(self):
        return f"Value(data={self.data:g}, grad={self.grad:g})"

    def __add__(self, other):
        if type(other) is not Value:
            other = _as_value(other)
        return _node("+", self.data + other.data, (self, other), (1.0, 1.0))

    def __sub__(self, other):
        if type(other) is not Value:
            other = _as_value(other)
        return _node("-", self.data - other.data, (self, other), (1.0, -1.0))

    def __mul__(self, other):
        if type(other) is not Value:
            other = _as_value(other)
        return _node("*", self.data * other.data, (self, other), (other.data, self.data))

    def __truediv__(self, other):
        if type(other) is not Value:
            other = _as_value(other)
        if other.data == 0.0:
            raise ValueError("other: expected a divisor that is not 0, got 0")
        z = self.data / other.data
        return _node("/", z, (self, other), (1.0 / other.data, -z / other.data))

    def __pow__(self, exponent):
        if not isinstance(exponent, Real):
            raise TypeError(f"exponent: expected a number, got {type(exponent).__name__}")
        x, n = self.data, float(exponent)
        if (x < 0.0 and not n.is_integer()) or (x == 0.0 and n < 0.0):
            raise ValueError(f"exponent: expected one for which {x:g} ** exponent is a real number, got {n:g}")
        slope = n * _power(x, n - 1.0) if n else 0.0
        return _node(f"**{n:g}", _power(x, n), (self,), (slope,))

    def __neg__(self):
        return _node("neg", -self.data, (self,), (-1.0,))

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other):
        return _as_value(other) - self

    def __rtruediv__(self, other):
        return _as_value(other) / self

    def exp(self):
        """`z = e^x`, `∂z/∂x = z`; inf where it overflows."""
        try:
            z = math.exp(self.data)
        except OverflowError:
            z = math.inf
        return _node("exp", z, (self,), (z,))

    def log(self):
        """`z = ln x`, `∂z/∂x = 1/x`, for x > 0."""
        if self.data <= 0.0:
            raise ValueError(f"log: expected a positive number, got {self.data:g}")
        return _node("log", math.log(self.data), (self,), (1.0 / self.data,))

    def sigmoid(self):
        """`z = 1/(1 + e^(−x))`, `∂z/∂x = z(1 − z)`."""
        # e = exp(−|x|) cannot overflow, and e/(1 + e)² is z(1 − z) without the cancellation in 1 − z
        e = math.exp(-abs(self.data))
        s = 1.0 / (1.0 + e)
        return _node("sigmoid", e * s if self.data < 0.0 else s, (self,), (e * s * s,))

    def tanh(self):
        """`z = tanh x`, `∂z/∂x = 1 − z²`."""
        z = math.tanh(self.data)
        return _node("tanh", z, (self,), (1.0 - z * z,))

    def relu(self):
        """`z = max(x, 0)`, `∂z/∂x = 1(x > 0)`, so 0 at the kink (E27)."""
        return _node("relu", 0.0 if self.data <= 0.0 else self.data, (self,), (1.0 if self.data > 0.0 else 0.0,))

    def backward(self):
        """Add `∂self/∂x` to the `grad` of every node x of the graph, self included.

        Notes
        -----
        A node's flow is complete before it is passed on, because all its consumers were
        made after it. Gradients of earlier passes are set aside meanwhile and added at
        the end: two passes give twice the gradient, at every node.
        """
        nodes = _graph(self)
        earlier = [(node, node.grad) for node in nodes if node.grad]
        for node, _ in earlier:
            node.grad = 0.0
        self.grad = 1.0
        for node in nodes:
            flow, parents = node.grad, node.parents
            if len(parents) == 2:  # most gates, and unpacking takes a third of the loop's time
                (a, b), (da, db) = parents, node._local
                a.grad += flow * da
                b.grad += flow * db
            elif parents:
                for parent, slope in zip(parents, node._local, strict=True):
                    parent.grad += flow * slope
        for node, grad in earlier:
            node.grad += grad

    def zero_grad(self):
        """Set the `grad` of every node of the graph, self included, to 0."""
        for node in _graph(self):
            node.grad = 0.0


def sum_(*xs):
    """Sum gate: `z = Σ_i x_i`: distributes the flow unchanged.

    Parameters
    ----------
    *xs : Values or numbers, at least one.

    Returns
    -------
    Value.

    Examples
    --------
    >>> sum_(Value(1), Value(2), 3).data
    6.0
    """
    xs = _as_values(xs)
    return _node("sum", sum([x.data for x in xs]), xs, (1.0,) * len(xs))


def prod(*xs):
    """Product gate: `z = Π_i x_i`: scales the flow by the product of the others.

    Parameters
    ----------
    *xs : Values or numbers, at least one.

    Returns
    -------
    Value.

    Notes
    -----
    `∂z/∂x_i = Π_(j ≠ i) x_j`, the products of what comes before i and of what comes
    after. The notes' `z / x_i` is undefined where an input is 0 (001, E09).

    Examples
    --------
    >>> x, y, z = Value(0), Value(2), Value(3)
    >>> prod(x, y, z).backward()
    >>> x.grad, y.grad, z.grad
    (6.0, 0.0, 0.0)
    """
    xs = _as_values(xs)
    factors = [x.data for x in xs]
    before = list(accumulate(factors, mul, initial=1.0))
    after = list(accumulate(reversed(factors), mul, initial=1.0))[-2::-1]
    return _node("prod", before[-1], xs, tuple(map(mul, before, after)))


def max_(*xs):
    """Max gate: `z = max_i x_i`: routes the flow to the largest input.

    Parameters
    ----------
    *xs : Values or numbers, at least one.

    Returns
    -------
    Value.

    Notes
    -----
    Tied inputs share the flow equally, so that it is conserved, as in ``torch.amax``;
    the notes' indicator gives each of them all of it (001, E10).

    Examples
    --------
    >>> x, y, z = Value(1), Value(3), Value(3)
    >>> max_(x, y, z).backward()
    >>> x.grad, y.grad, z.grad
    (0.0, 0.5, 0.5)
    """
    return _routed("max", max, _as_values(xs))


def min_(*xs):
    """Min gate.

    `z = min_i x_i`: routes the flow to the smallest input, in equal shares where
    several are tied.

    Parameters
    ----------
    *xs : Values or numbers, at least one.

    Returns
    -------
    Value.

    Examples
    --------
    >>> x, y = Value(1), Value(3)
    >>> min_(x, y).backward()
    >>> x.grad, y.grad
    (1.0, 0.0)
    """
    return _routed("min", min, _as_values(xs))


class Step(NamedTuple):
    """One step of the backward pass: a node when its flow is complete."""

    op: str
    data: float
    grad: float
    parents: tuple


def trace(value):
    """The backward pass step by step, from the result to the inputs; runs
    ``value.backward()``.

    Parameters
    ----------
    value : Value `L`, the result.

    Returns
    -------
    list of rows (op, data, grad, parents), one for each node in the order in which the
    pass comes to it. `grad` is what this pass brings to the node, `∂L/∂z`; `parents`
    are the Values that it goes on to.

    Examples
    --------
    >>> x, y, z = Value(-2), Value(5), Value(-4)
    >>> for step in trace((x + y) * z):
    ...     print(step.op or "input", step.data, step.grad)
    * -12.0 1.0
    + 3.0 -4.0
    input -4.0 3.0
    input 5.0 -4.0
    input -2.0 -4.0
    """
    nodes = _graph(_check_value(value))
    earlier = [(node, node.grad) for node in nodes]
    value.zero_grad()
    value.backward()
    steps = [Step(node.op, node.data, node.grad, node.parents) for node in nodes]
    for node, grad in earlier:
        node.grad += grad
    return steps


def render(value, /, **names):
    """The graph as a picture: every node with its data and grad, inputs on the left, the
    result on the right.

    Parameters
    ----------
    value : Value, the result.
    **names : what to call its nodes, ``render(L, x=x, y=y)``.

    Returns
    -------
    str, an SVG document that needs nothing else; `IPython.display.SVG` shows it.

    Raises
    ------
    TypeError : `value`, or one of the named nodes, is not a Value.

    Examples
    --------
    >>> x, y = Value(2), Value(3)
    >>> picture = render(x * y, x=x, y=y)
    >>> picture[:4], "data 6" in picture
    ('<svg', True)
    """
    nodes = _graph(_check_value(value))
    return draw(nodes[::-1], {_check_value(node, name): name for name, node in names.items()})


def _node(op, data, parents, local):
    """A Value made by a gate: its inputs and its derivative with respect to each of them."""
    node = _new(Value)
    node.data = data
    node.grad = 0.0
    node.parents = parents
    node._local = local
    node.op = op
    node._number = _next_number()
    return node


def _graph(value):
    """Every node that `value` depends on, itself first, each before its inputs."""
    nodes, seen, left = [], {value}, [value]
    while left:
        # The last one found first: that is nearly the order already, which sorts in a fraction of the time
        node = left.pop()
        nodes.append(node)
        for parent in node.parents:
            if parent not in seen:
                seen.add(parent)
                left.append(parent)
    nodes.sort(key=_by_creation, reverse=True)
    return nodes


def _routed(op, choose, xs):
    """Max or min: the chosen inputs share a slope of 1; nothing can be chosen beside a NaN, which spreads."""
    factors = [x.data for x in xs]
    z = choose(factors) if all(x == x for x in factors) else math.nan
    tied = [x == z for x in factors]
    share = 1.0 / sum(tied) if z == z else math.nan
    return _node(op, z, xs, tuple([share if chosen else 0.0 * share for chosen in tied]))


def _power(x, n):
    """x**n in floating point: infinite where Python raises, at a pole of the slope or on overflow."""
    try:
        return x**n
    except ZeroDivisionError:
        return math.inf
    except OverflowError:
        return -math.inf if x < 0.0 and n % 2.0 else math.inf


def _as_value(x, name="other"):
    if isinstance(x, Value):
        return x
    if not isinstance(x, Real):
        raise TypeError(f"{name}: expected a Value or a number, got {type(x).__name__}")
    return Value(x)


def _as_values(xs):
    if not xs:
        raise ValueError("xs: expected at least one Value, got none")
    return tuple([x if type(x) is Value else _as_value(x, "xs") for x in xs])


def _check_value(x, name="value"):
    if not isinstance(x, Value):
        raise TypeError(f"{name}: expected a Value, got {type(x).__name__}")
    return x
