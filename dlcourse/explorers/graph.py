"""Explorer: the backward pass over a computational graph, one gate at a time, and a nudge that runs forward through it."""

from itertools import pairwise

from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.patches import FancyBboxPatch, Polygon

from .. import _graph_svg, graph
from ..graph import Value, max_, sum_
from . import Choice, Explorer, Slider, Toggle, new_figure

__all__ = [
    "EXAMPLES",
    "EXPLORER",
    "NUDGE",
    "draw",
    "neuron",
    "picture",
    "put_graph",
    "put_nudge",
    "sum_times",
    "used_twice",
]


def __dir__():
    return __all__


# Lengths in pixels of 1/80 inch: a node's box and the steps from one to the next
_WIDTH, _HEIGHT, _COLUMN, _ROW, _MARGIN = 124, 42, 184, 54, 8
_INPUT, _GATE, _ACTIVE = "#fff4e0", "#e8f1fb", "#f7c9a8"
_FLOW, _QUIET, _NUDGED = "#B04A00", "#9aa0a6", "#00664b"
_RULES = {"+": "distributes", "sum": "distributes", "*": "scales", "max": "routes", "sigmoid": "attenuates"}
# How far x is moved to see what L does
NUDGE = 0.1
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


def picture(value, names, nudged=None):
    """The graph of `value` as a still figure after its backward pass, or with what a nudge changes.

    Parameters
    ----------
    value : the result. names : {name: Value}, as for `graph.render`.
    nudged : None, or the result of the same graph made from inputs that have moved a little.
    """
    nodes = graph._graph(value)
    width, height = _extent(_layout(nodes)[1])
    figure, ax = new_figure(size=(width / 80 + 0.1, height / 80 + 0.1))
    if nudged is None:
        put_graph(ax, nodes, names, ran=nodes)
    else:
        put_nudge(ax, nodes, names, graph._graph(nudged))
    ax.set(xlim=(0, width), ylim=(height, 0))
    return figure


def put_graph(ax, nodes, names, ran, active=None, seeded=True, scale=1.0):
    """Draw a graph as far as the backward pass has come; `nodes` in its order, `ran` those that have had their turn.

    Returns what the active gate passed on, in words. `scale` is that of the words, in screen pixels for a unit.
    """
    labels, grad = _labels(nodes, names), _pass(nodes)
    flow = {nodes[0]: 1.0} if seeded else {}
    edges, corner = _layout(nodes)
    back, passed = [], []
    for route, slope in edges:
        parent, gate = route[0], route[-1]
        if gate in ran:
            given = grad[gate] * slope
            flow[parent] = flow.get(parent, 0.0) + given
            back.append(([(x, y + 7) for x, y in _path(route, corner)], slope))
            if gate is active:
                passed.append(f"{_number(grad[gate])} × {_number(slope)} = {_number(given)} to {labels[parent]}")
    _put_edges(ax, [_path(route, corner) for route, _ in edges], _QUIET, 1.2)
    _put_edges(ax, [path[::-1] for path, _ in back], _FLOW, 2.2)
    _put_slopes(ax, back, scale)
    waiting = {route[0] for route, _ in edges if route[-1] not in ran}
    numbers = {}
    for node in nodes:
        arrived = [_number(flow[node])] if node in flow else []
        numbers[node] = "grad " + " + ".join([*arrived, *(["?"] if node in waiting or not arrived else [])])
    _put_boxes(ax, nodes, labels, corner, numbers, active, scale)
    return ",   ".join(passed) if len(passed) < 3 else f"{_number(grad[active])} to each of its {len(passed)} inputs"


def put_nudge(ax, nodes, names, moved, scale=1.0):
    """Draw a graph with what changes at every node when its inputs become those of `moved`, the same graph again."""
    change = {node: after.data - node.data for node, after in zip(nodes, moved, strict=True)}
    edges, corner = _layout(nodes)
    quiet, live = [], []
    for route, slope in edges:
        path = _path(route, corner)
        if change[route[0]]:
            live.append((path, slope))
        else:
            quiet.append(path)
    _put_edges(ax, quiet, _QUIET, 1.2)
    _put_edges(ax, [path for path, _ in live], _NUDGED, 2.2)
    _put_slopes(ax, live, scale, _NUDGED)
    numbers = {node: f"Δ {change[node]:+.3g}".replace("-", "−") if change[node] else "Δ 0" for node in nodes}
    _put_boxes(ax, nodes, _labels(nodes, names), corner, numbers, None, scale)


def _labels(nodes, names):
    return {node: _label(node) for node in nodes} | {node: _label(node, name) for name, node in names.items()}


def _put_edges(ax, paths, color, width):
    """Curves with a head at their ends."""
    heads = []
    for path in paths:
        (before, _), (x, y) = path[-2:]
        back = 9 if x > before else -9
        heads.append(Polygon([(x, y), (x - back, y - 4.5), (x - back, y + 4.5)]))
    ax.add_collection(LineCollection(paths, colors=color, linewidths=width, zorder=1))
    ax.add_collection(PatchCollection(heads, color=color, zorder=2))


def _put_slopes(ax, edges, scale, color=_FLOW):
    """The local derivative in a gap of each curve."""
    gaps = []
    for path, slope in edges:
        (x, y), times = path[len(_CURVE) // 2], f"×{_number(slope)}"
        half = 3.2 * len(times) + 2
        gaps.append(Polygon([(x - half, y - 7), (x + half, y - 7), (x + half, y + 7), (x - half, y + 7)]))
        ax.text(x, y, times, size=9 * scale, color=color, ha="center", va="center")
    ax.add_collection(PatchCollection(gaps, color="white", zorder=2))


def _put_boxes(ax, nodes, labels, corner, numbers, active, scale):
    """A box for each node: its name, its data, and what is said of it below that."""
    faces = [_ACTIVE if node is active else _GATE if node.parents else _INPUT for node in nodes]
    boxes = [FancyBboxPatch(corner[node], _WIDTH, _HEIGHT, boxstyle="round,pad=0,rounding_size=8") for node in nodes]
    thick = [2.5 if node is active else 1.0 for node in nodes]
    ax.add_collection(PatchCollection(boxes, facecolor=faces, edgecolor="black", linewidths=thick, zorder=3))
    for node in nodes:
        x, y_text = corner[node][0], corner[node][1] + _HEIGHT / 2
        ax.text(x + 24, y_text, labels[node], size=11 * scale, weight="bold", ha="center", va="center", zorder=4)
        ax.text(x + 47, y_text, f"data {_number(node.data)}\n{numbers[node]}", size=9 * scale, va="center", zorder=4)
    ax.set_axis_off()


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
    """As many of three digits as fit into seven characters, the width of a box."""
    texts = [f"{x:.{digits}g}" for digits in (3, 2, 1)]
    return next((text for text in texts if len(text) <= 7), texts[-1]).replace("-", "−")


def draw(figure, example, step, x, nudge):
    """The graph of the example, with the flow as far as the backward pass has come, or with what a nudge of x changes."""
    ax = figure.subplots()
    value, names = EXAMPLES[example](x)
    nodes = graph._graph(value)
    # As large as fits, close to the title, its words in scale with its boxes
    wide, high, scale, width = _room(figure, nodes)
    if nudge:
        moved = graph._graph(EXAMPLES[example](x + NUDGE)[0])
        put_nudge(ax, nodes, names, moved, scale)
        slope = _pass(nodes)[_held(names)]
        title = f"moving {_name(names)} by {NUDGE} changes L by {_number(moved[0].data - value.data)};"
        title += f"   its gradient says {_number(slope)} × {NUDGE} = {_number(slope * NUDGE)}"
    else:
        gates = [node for node in nodes if node.parents]
        ran = gates[: max(step - 1, 0)]
        active = ran[-1] if ran else None
        passed = put_graph(ax, nodes, names, ran, active, step > 0, scale)
        if active:
            passed = f"{_symbol(active)} {_RULES[active.op]}:   {passed}"
        else:
            passed = "the result's own gradient is 1" if step else "the forward pass is done, no gradient yet"
        title = f"step {step} of {len(gates) + 1}:   {passed}"
    ax.set_title(title, size=10)
    ax.set(xlim=((width - wide) / 2, (width + wide) / 2), ylim=(high, 0))


def _room(figure, nodes):
    """The picture's width and height in the graph's units, screen pixels for a unit, the graph's own width."""
    (width, height), (wide, high) = _extent(_layout(nodes)[1]), (figure.bbox.width - 8, figure.bbox.height - 30)
    scale = min(wide / width, high / height)
    return wide / scale, high / scale, scale * 80 / figure.dpi, width


def _name(names):
    """What the input is called that the slider moves."""
    return "x₀" if "x₀" in names else "x"


def _held(names):
    return names[_name(names)]


def _last(example, **others):
    """The pass has a step for the result and one for each gate."""
    return {"step": 1 + sum(1 for node in graph._graph(EXAMPLES[example](1.0)[0]) if node.parents)}


def _touch(where, example, step, x, nudge):
    """A click on a node runs the pass until its gradient is complete; x can be pulled to and fro."""
    value, names = EXAMPLES[example](where.before["x"])
    nodes = graph._graph(value)
    _, corner = _layout(nodes)
    held = [
        node
        for node in nodes
        if 0 <= where.x0 - corner[node][0] <= _WIDTH and 0 <= where.y0 - corner[node][1] <= _HEIGHT
    ]
    if where.action == "hover" or not held:
        return {}
    if where.action == "press":
        gates = [node for node in nodes if node.parents]
        users = [k for k, gate in enumerate(gates, 2) if held[0] in gate.parents]
        return {"step": max(users, default=1), "nudge": False}
    return {"x": where.before["x"] + (where.x - where.x0) / 60} if held[0] is _held(names) else {}


EXPLORER = Explorer(
    "graph",
    draw,
    {
        "example": Choice(tuple(EXAMPLES), "x max(x, y)", "L ="),
        "step": Slider(0, 6, 2, 1, "backward step", play=True, interval=1200),
        "x": Slider(-4.0, 4.0, 3.0, 0.5, "x, or x₀"),
        "nudge": Toggle(False, "nudge x instead"),
    },
    "The graph of L = {example} at x = {x} with data on every node, and the gradients that the backward pass has "
    "brought after step {step}; with a nudge of x ({nudge}) what it changes at every node.",
    size=(8.4, 4.6),
    touch=_touch,
    last=_last,
)
figure, explore = EXPLORER.figure, EXPLORER.explore
