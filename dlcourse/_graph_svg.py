"""Draws a computational graph as SVG: columns from the inputs to the result, curves that keep out of the boxes' way.

The boxes and the frame bring their own background, so the picture reads the same on a white page and on a dark one.
"""

from html import escape
from itertools import pairwise

WIDTH, HEIGHT = 108, 64  # of a node's box
COLUMN, ROW = 168, 84  # from one box's corner to the next one's
MARGIN, SWEEPS, LONGEST_ROUTE, LONGEST_NAME = 20, 9, 40, 10

SYMBOLS = {"*": "×", "-": "−", "/": "÷", "neg": "−x", "sum": "Σ", "prod": "Π", "sigmoid": "σ"}
INPUT, GATE = ("#fff4e0", "#b45309"), ("#e8f1fb", "#1d4f91")  # fill and outline


def draw(nodes, names):
    """The SVG text of `nodes`, inputs first; `names` gives some of them a name."""
    edges, points = _layout(nodes)
    right, bottom = (max(p[axis] for p in points.values()) for axis in (0, 1))
    width, height = right + WIDTH + 2 * MARGIN, bottom + HEIGHT + 2 * MARGIN
    shift = f'transform="translate({MARGIN},{MARGIN})"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="Helvetica, Arial, sans-serif" font-size="12">',
        f"<title>Computational graph with {len(nodes)} nodes</title>",
        f"<desc>{_text(_description(nodes, names))}</desc>",
        f'<rect width="{width:.0f}" height="{height:.0f}" rx="8" fill="#ffffff"/>',
        f'<g {shift} fill="none" stroke="#57606a" stroke-width="1.4">',
        *[_edge(route, points, slope) for route, slope in edges],
        f'</g>\n<g {shift} fill="#1f2328" text-anchor="middle">',
        *[_box(node, names.get(node, ""), *points[node]) for node in nodes],
        "</g>\n</svg>",
    ]
    return "\n".join(lines)


def _layout(nodes):
    """[(route, local derivative)] of every edge, and {node or bend: (x, y)} of the upper left corners.

    A node's column is its longest distance to the result. An edge over several columns gets a bend in each of them,
    which takes a place as a box does. Rows then follow the mean of the neighbours', in sweeps from left and right.
    """
    depth = {nodes[-1]: 0}
    for node in reversed(nodes):
        for parent in node.parents:
            depth[parent] = max(depth.get(parent, 0), depth[node] + 1)
    deepest = max(depth.values())
    columns = [[] for _ in range(deepest + 1)]
    for node in nodes:
        columns[deepest - depth[node]].append(node)
    edges, links = [], []
    for node in nodes:
        for i, (parent, slope) in enumerate(zip(node.parents, node._local, strict=True)):
            between = range(deepest - depth[parent] + 1, deepest - depth[node])
            bends = [(node, i, column) for column in between] if len(between) < LONGEST_ROUTE else []
            for bend in bends:
                columns[bend[2]].append(bend)
            route = [parent, *bends, node]
            edges.append((route, slope))
            links += pairwise(route)
    rows = _rows(columns, links)
    top = min(rows.values())
    return edges, {
        place: (column * COLUMN, (rows[place] - top) * ROW) for column, places in enumerate(columns) for place in places
    }


def _rows(columns, links):
    """{place: row}: near the mean row of its neighbours, and at least 1 apart in a column."""
    before, after = {}, {}
    for a, b in links:
        before.setdefault(b, []).append(a)
        after.setdefault(a, []).append(b)
    rows = {place: float(row) for places in columns for row, place in enumerate(places)}
    for sweep in range(SWEEPS):
        neighbours, order = (after, columns[::-1]) if sweep % 2 else (before, columns)
        for places in order:
            wanted = {p: sum(rows[q] for q in near) / len(near) for p in places if (near := neighbours.get(p))}
            wanted = {p: wanted.get(p, rows[p]) for p in places}
            places.sort(key=wanted.__getitem__)
            rows |= zip(places, _spread([wanted[p] for p in places]), strict=True)
    return rows


def _spread(wanted):
    """Rows at least 1 apart, as near to the ascending `wanted` as can be: blocks that would overlap share their mean."""
    blocks = []  # (first row, how many) of rows that touch
    for row in wanted:
        blocks.append((row, 1))
        while len(blocks) > 1 and blocks[-2][0] + blocks[-2][1] > blocks[-1][0]:
            (first, m), (second, n) = blocks[-2:]
            blocks[-2:] = [((first * m + (second - m) * n) / (m + n), m + n)]
    return [first + k for first, n in blocks for k in range(n)]


def _edge(route, points, slope):
    """A curve through the route's points, an arrow head at its end, and the local derivative as its tooltip."""
    x, y = points[route[0]][0] + WIDTH, points[route[0]][1] + HEIGHT / 2
    path = f"M{x:.1f},{y:.1f}"
    for place in route[1:]:
        to_x, to_y = points[place][0], points[place][1] + HEIGHT / 2
        middle = (x + to_x) / 2
        path += f" C{middle:.1f},{y:.1f} {middle:.1f},{to_y:.1f} {to_x:.1f},{to_y:.1f}"
        x, y = to_x, to_y
        if place is not route[-1]:  # straight on above or below the boxes of this column
            x += WIDTH
            path += f" H{x:.1f}"
    head = f"M{x - 7:.1f},{y - 4:.1f} L{x:.1f},{y:.1f} L{x - 7:.1f},{y + 4:.1f}"
    return f'<path d="{path} {head}"><title>local derivative {slope:.4g}</title></path>'


def _box(node, name, x, y):
    """A node's box: what it is, its data and its grad."""
    fill, outline = GATE if node.parents else INPUT
    centre = x + WIDTH / 2
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{WIDTH}" height="{HEIGHT}" rx="8" fill="{fill}" stroke="{outline}"/>'
        f'<text x="{centre:.1f}" y="{y + 19:.1f}" font-size="15" font-weight="bold">{_text(_label(node, name))}</text>'
        f'<text x="{centre:.1f}" y="{y + 38:.1f}">data {node.data:.4g}</text>'
        f'<text x="{centre:.1f}" y="{y + 54:.1f}">grad {node.grad:.4g}</text>'
    )


def _label(node, name):
    symbol = SYMBOLS.get(node.op, node.op) if node.parents else ""
    name = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
    return f"{name}: {symbol}" if name and symbol else name or symbol or "input"


def _description(nodes, names):
    """The same in words, for a reader who does not see the picture."""
    numbers = {node: names.get(node) or f"node {i}" for i, node in enumerate(nodes, 1)}
    return "; ".join(
        f"{numbers[node]}: "
        + (f"{node.op} of {', '.join(numbers[p] for p in node.parents)}, " if node.parents else "input, ")
        + f"data {node.data:.4g}, grad {node.grad:.4g}"
        for node in nodes
    )


def _text(text):
    """Text as XML allows it: markup escaped, characters that no XML may hold replaced."""
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text)))
