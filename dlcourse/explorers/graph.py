"""Explorer: the backward pass over a computational graph, one gate at a time."""

from itertools import pairwise

from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.patches import FancyBboxPatch, Polygon

from .. import _graph_svg, graph
from ..graph import Value, max_, sum_
from . import Choice, Explorer, Slider, new_figure

__all__ = [
    "EXAMPLES",
    "EXPLORER",
    "draw",
    "neuron",
    "picture",
    "put_graph",
    "sum_times",
    "used_twice",
]


def __dir__():
    return __all__


# Lengths in pixels of 1/80 inch: a node's box and the steps from one to the next
_WIDTH, _HEIGHT, _COLUMN, _ROW, _MARGIN = 118, 42, 184, 54, 8
_INPUT, _GATE, _ACTIVE = "#fff4e0", "#e8f1fb", "#f7c9a8"
_FLOW, _QUIET = "#B04A00", "#9aa0a6"
_RULES = {"+": "distributes", "sum": "distributes", "*": "scales", "max": "routes", "sigmoid": "attenuates"}
_CURVE = [(t, t * t * (3.0 - 2.0 * t)) for t in (k / 12 for k in range(13))]


def sum_times(x):
    """The notes' first worked example, L = (x + y) z."""
    x, y, z = Value(x), Value(5), Value(-4)
    L = (x + y) * z
    return L, {"x": x, "y": y, "z": z, "L": L}


def neuron(x):
    """The notes' second worked example, L = σ(wᵀx + b) with three inputs."""
    w, xs, b = [Value(2), Value(-3), Value(0.5)], [Value(x), Value(-1), Value(1)], Value(-1)
    L = sum_(*[wi * xi for wi, xi in zip(w, xs, strict=True)], b).sigmoid()
    names = {f"{letter}{i}": v for letter, vs in (("w", w), ("x", xs)) for i, v in zip("₀₁₂", vs, strict=True)}
    return L, {**names, "b": b, "L": L}


def used_twice(x):
    """A max gate, and an input that is used twice, L = x max(x, y)."""
    x, y = Value(x), Value(1)
    L = x * max_(x, y)
    return L, {"x": x, "y": y, "L": L}


EXAMPLES = {"(x + y) z": sum_times, "σ(wᵀx + b)": neuron, "x max(x, y)": used_twice}


def picture(value, names):
    """The graph of `value` after its backward pass as a still figure; `names` is {name: Value}, as for `graph.render`."""
    nodes = graph._graph(value)
    width, height = _extent(_layout(nodes)[1])
    figure, ax = new_figure(size=(width / 80 + 0.1, height / 80 + 0.1))
    put_graph(ax, nodes, names, ran=nodes)
    ax.set(xlim=(0, width), ylim=(height, 0))
    return figure


def put_graph(ax, nodes, names, ran, active=None, seeded=True, scale=1.0):
    """Draw a graph as far as the backward pass has come; `nodes` in its order, `ran` those that have had their turn.

    Returns what the active gate passed on, in words. `scale` is that of the words, in screen pixels for a unit.
    """
    labels = {node: _label(node) for node in nodes} | {node: _label(node, name) for name, node in names.items()}
    grad = _pass(nodes)
    flow = {nodes[0]: 1.0} if seeded else {}
    edges, corner = _layout(nodes)
    quiet, live, heads, gaps, passed = [], [], [], [], []
    for route, slope in edges:
        parent, gate, path = route[0], route[-1], _path(route, corner)
        if gate not in ran:
            quiet.append(path)
            continue
        live.append(path)
        (x, y), given = path[0], grad[gate] * slope
        heads.append(Polygon([(x, y), (x + 10, y - 5), (x + 10, y + 5)]))
        flow[parent] = flow.get(parent, 0.0) + given
        (x, y), times = path[len(_CURVE) // 2], f"×{_number(slope)}"
        half = 3.2 * len(times) + 2
        gaps.append(Polygon([(x - half, y - 7), (x + half, y - 7), (x + half, y + 7), (x - half, y + 7)]))
        ax.text(x, y, times, size=9 * scale, color=_FLOW, ha="center", va="center")
        if gate is active:
            passed.append(f"{_number(grad[gate])} × {_number(slope)} = {_number(given)} to {labels[parent]}")
    ax.add_collection(LineCollection(quiet, colors=_QUIET, linewidths=1.2, zorder=1))
    ax.add_collection(LineCollection(live, colors=_FLOW, linewidths=2.2, zorder=1))
    ax.add_collection(PatchCollection(heads, color=_FLOW, zorder=2))
    ax.add_collection(PatchCollection(gaps, color="white", zorder=2))

    faces = [_ACTIVE if node is active else _GATE if node.parents else _INPUT for node in nodes]
    boxes = [FancyBboxPatch(corner[node], _WIDTH, _HEIGHT, boxstyle="round,pad=0,rounding_size=8") for node in nodes]
    thick = [2.5 if node is active else 1.0 for node in nodes]
    ax.add_collection(PatchCollection(boxes, facecolor=faces, edgecolor="black", linewidths=thick, zorder=3))
    for node in nodes:
        (x, y), y_text = corner[node], corner[node][1] + _HEIGHT / 2
        ax.text(x + 24, y_text, labels[node], size=11 * scale, weight="bold", ha="center", va="center", zorder=4)
        numbers = f"data {_number(node.data)}\ngrad {_number(flow[node]) if node in flow else '?'}"
        ax.text(x + 48, y_text, numbers, size=9 * scale, va="center", zorder=4)
    ax.set_axis_off()
    return ",   ".join(passed) if len(passed) < 3 else f"{_number(grad[active])} to each of its {len(passed)} inputs"


def _pass(nodes):
    """{node: its gradient}; the nodes' own stay what they are: a picture changes nothing."""
    before = [node.grad for node in nodes]
    grad = {node: step.grad for node, step in zip(nodes, graph.trace(nodes[0]), strict=True)}
    for node, own in zip(nodes, before, strict=True):
        node.grad = own
    return grad


def _layout(nodes):
    """[(route, local derivative)] and every place's upper left corner: the columns and rows of `graph.render`, tighter."""
    edges, points = _graph_svg._layout(nodes[::-1])
    return edges, {
        place: (_MARGIN + x / _graph_svg.COLUMN * _COLUMN, _MARGIN + y / _graph_svg.ROW * _ROW)
        for place, (x, y) in points.items()
    }


def _extent(corner):
    return max(x for x, _ in corner.values()) + _WIDTH + _MARGIN, max(y for _, y in corner.values()) + _HEIGHT + _MARGIN


def _path(route, corner):
    """Points of a curve from the right side of the route's first box to the left side of its last."""
    points = []
    for start, end in pairwise(route):
        (x, y), (to_x, to_y) = corner[start], corner[end]
        points += [(x + _WIDTH + t * (to_x - x - _WIDTH), y + s * (to_y - y) + _HEIGHT / 2) for t, s in _CURVE]
    return points


def _symbol(node):
    return _graph_svg.SYMBOLS.get(node.op, node.op)


def _label(node, name=""):
    symbol = _symbol(node)
    return f"{name}: {symbol}" if name and symbol else name or symbol or f"{node.data:g}"


def _number(x):
    return f"{x:.3g}".replace("-", "−")


def draw(figure, example, step, x):
    """The graph of the example, with the flow as far as the backward pass has come."""
    ax = figure.subplots()
    value, names = EXAMPLES[example](x)
    nodes = graph._graph(value)
    gates = [node for node in nodes if node.parents]
    step = min(step, len(gates) + 1)
    ran = gates[: max(step - 1, 0)]
    # As large as fits, the graph in the middle and its words in scale with its boxes
    (width, height), (wide, high) = _extent(_layout(nodes)[1]), (figure.bbox.width - 8, figure.bbox.height - 30)
    scale = min(wide / width, high / height)
    passed = put_graph(ax, nodes, names, ran, ran[-1] if ran else None, step > 0, scale)
    if ran:
        passed = f"{_symbol(ran[-1])} {_RULES[ran[-1].op]}:   {passed}"
    else:
        passed = (
            "the result's own gradient is 1" if step else "the forward pass is done: data everywhere, no gradient yet"
        )
    ax.set_title(f"step {step} of {len(gates) + 1}:   {passed}", size=10)
    wide, high = wide / scale, high / scale
    ax.set(xlim=((width - wide) / 2, (width + wide) / 2), ylim=((height + high) / 2, (height - high) / 2))


EXPLORER = Explorer(
    "graph",
    draw,
    {
        "example": Choice(tuple(EXAMPLES), "(x + y) z", "L ="),
        "step": Slider(0, 6, 2, 1, "backward step"),
        "x": Slider(-4.0, 4.0, -2.0, 0.5, "x, or x₀"),
    },
    "The graph of L = {example} at x = {x} with data on every node, and the gradients that the backward pass has "
    "brought after step {step}.",
    size=(8.8, 5.1),
)
figure, explore = EXPLORER.figure, EXPLORER.explore
