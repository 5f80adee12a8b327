"""The scalar graph: every gate against central differences and PyTorch, the pass on graphs of any size, the picture."""

import gc
import math
import random
import weakref
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autograder import get_exercise
from dlcourse import graph
from dlcourse.graph import Value, max_, min_, prod, render, sum_, trace

TESTED_BELOW = [
    "graph.sum_",
    "graph.prod",
    "graph.max_",
    "graph.min_",
    "graph.trace",
    "graph.render",
    "_graph_svg.draw",
]

# name -> (the gate, the same in torch, the points it is tried at, away from kinks and poles)
GATES = {
    "add": (lambda x, y: x + y, None, [(0.5, -2.0)]),
    "subtract": (lambda x, y: x - y, None, [(0.5, -2.0)]),
    "multiply": (lambda x, y: x * y, None, [(0.5, -2.0), (0.0, 3.0)]),
    "divide": (lambda x, y: x / y, None, [(0.5, -2.0), (-3.0, 0.25)]),
    "negate": (lambda x: -x, None, [(0.7,)]),
    "square": (lambda x: x**2, None, [(-1.5,), (0.0,)]),
    "cube": (lambda x: x**3, None, [(-1.5,), (0.3,)]),
    "root": (lambda x: x**0.5, None, [(2.0,)]),
    "reciprocal": (lambda x: x**-1, None, [(-2.0,)]),
    "constant power": (lambda x: x**0, None, [(2.0,), (0.0,)]),
    "number plus": (lambda x: 3 + x, None, [(2.0,)]),
    "number minus": (lambda x: 3 - x, None, [(2.0,)]),
    "number times": (lambda x: 3 * x, None, [(2.0,)]),
    "number over": (lambda x: 3 / x, None, [(2.0,)]),
    "exp": (lambda x: x.exp(), None, [(1.3,), (-40.0,)]),
    "log": (lambda x: x.log(), None, [(0.2,), (7.0,)]),
    "sigmoid": (lambda x: x.sigmoid(), None, [(0.0,), (3.0,), (-3.0,), (-30.0,), (30.0,)]),
    "tanh": (lambda x: x.tanh(), None, [(0.0,), (0.8,), (-2.0,)]),
    "relu": (lambda x: x.relu(), None, [(0.8,), (-0.8,)]),
    "sum": (lambda *xs: sum_(*xs), lambda torch, *xs: torch.stack(xs).sum(), [(1.0, -2.0, 0.5), (3.0,)]),
    "prod": (
        lambda *xs: prod(*xs),
        lambda torch, *xs: torch.stack(xs).prod(),
        [(1.0, -2.0, 0.5), (3.0,), (0.0, 2.0, 5.0), (0.0, 2.0, 0.0, 7.0), (0.0, 0.0, 0.0)],
    ),
    "max": (lambda *xs: max_(*xs), lambda torch, *xs: torch.stack(xs).amax(), [(1.0, -2.0, 0.5), (3.0,)]),
    "min": (lambda *xs: min_(*xs), lambda torch, *xs: torch.stack(xs).amin(), [(1.0, -2.0, 0.5), (3.0,)]),
}
CASES = [(name, point) for name, (_, _, points) in GATES.items() for point in points]


@pytest.mark.parametrize(("name", "point"), CASES)
def test_gates_equal_central_differences(name, point):
    gate = GATES[name][0]
    xs = [Value(x) for x in point]
    gate(*xs).backward()
    for i, x in enumerate(xs):
        eps = 1e-5 * max(1.0, abs(point[i]))
        up, down = (gate(*[Value(p + s * eps * (j == i)) for j, p in enumerate(point)]).data for s in (1, -1))
        # what rounding can do to the difference of the two values
        noise = 1e-15 * abs(up) / eps
        assert x.grad == pytest.approx((up - down) / (2 * eps), rel=1e-7, abs=max(1e-10, noise)), f"{name}, input {i}"


@pytest.mark.parametrize(("name", "point"), [*CASES, ("max", (3.0, 1.0, 3.0)), ("min", (1.0, 1.0, 1.0, 2.0))])
def test_gates_equal_pytorch(name, point):
    torch = pytest.importorskip("torch", reason="PyTorch, the live oracle, is not installed")
    gate, in_torch, _ = GATES[name]
    xs, ts = [Value(x) for x in point], [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in point]
    z, t = gate(*xs), in_torch(torch, *ts) if in_torch else gate(*ts)
    z.backward()
    t.backward()
    assert z.data == pytest.approx(t.item(), rel=1e-14)
    # where torch computes z(1 − z), the difference has lost digits by then
    assert [x.grad for x in xs] == pytest.approx([t.grad.item() for t in ts], rel=1e-10, abs=1e-15)


def random_expression(rng, xs, ops):
    """`ops` gates on random earlier results, all of them smooth and bounded, and all used in the end."""
    nodes = list(xs)
    for _ in range(ops):
        a, b = rng.choice(nodes), rng.choice(nodes)
        nodes.append(
            rng.choice(
                [
                    lambda a, b: a + b,
                    lambda a, b: (a - 2 * b).tanh(),
                    lambda a, b: a.tanh() * b.sigmoid(),
                    lambda a, b: a.sigmoid() / (1.5 + b.tanh()),
                    lambda a, b: (1.5 + (a * 0.1).tanh()) ** -2 * b.tanh(),
                    lambda a, b: (a.tanh() * a.tanh() + 1).log() - b.sigmoid().exp(),
                    lambda a, b: 0.5 * (-a),
                ]
            )(a, b)
        )
    total = nodes[0]
    for node in nodes[1:]:
        total = total + node.tanh()
    return total


@given(st.integers(0, 2**32 - 1))
def test_whole_expressions_equal_pytorch(seed):
    torch = pytest.importorskip("torch", reason="PyTorch, the live oracle, is not installed")
    rng = random.Random(seed)
    start = [rng.uniform(-2, 2) for _ in range(3)]
    xs, ts = [Value(x) for x in start], [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in start]
    z, t = random_expression(random.Random(seed), xs, 12), random_expression(random.Random(seed), ts, 12)
    z.backward()
    t.backward()
    assert z.data == pytest.approx(t.item(), rel=1e-12)
    assert [x.grad for x in xs] == pytest.approx([t.grad.item() for t in ts], rel=1e-9, abs=1e-12)


def test_the_first_worked_example_of_the_notes():
    x, y, z = Value(-2), Value(5), Value(-4)
    steps = trace((x + y) * z)
    assert [(step.op, step.data, step.grad) for step in steps] == [
        ("*", -12.0, 1.0),
        ("+", 3.0, -4.0),
        ("", -4.0, 3.0),
        ("", 5.0, -4.0),
        ("", -2.0, -4.0),
    ]
    assert steps[0].parents[1] is z and steps[1].parents == (x, y) and steps[2].parents == ()
    assert (x.grad, y.grad, z.grad) == (-4.0, -4.0, 3.0)


def test_the_second_worked_example_of_the_notes():
    w, x, b = [Value(2), Value(-3), Value(0.5)], [Value(-1), Value(-2), Value(4)], Value(-3)
    L = (sum_(*[wi * xi for wi, xi in zip(w, x, strict=True)]) + b).sigmoid()
    steps = trace(L)
    s = 1 / (1 + math.exp(-3.0))  # u = −2 + 6 + 2 − 3
    delta = s * (1 - s)
    assert L.data == pytest.approx(s, rel=1e-15) and b.grad == pytest.approx(delta, rel=1e-14)
    assert [wi.grad for wi in w] == pytest.approx([-delta, -2 * delta, 4 * delta], rel=1e-14)
    assert [xi.grad for xi in x] == pytest.approx([2 * delta, -3 * delta, 0.5 * delta], rel=1e-14)
    assert [step.op for step in steps if step.op] == ["sigmoid", "+", "sum", "*", "*", "*"]
    assert steps[0] == ("sigmoid", L.data, 1.0, L.parents)


def test_a_node_used_twice_gets_both_flows():
    x = Value(3)
    (x * x).backward()
    assert x.grad == 6.0
    x = Value(3)
    y = x + x
    (y * x).backward()
    assert x.grad == 12.0 and y.grad == 3.0


def test_a_node_passes_its_flow_on_only_when_it_is_complete():
    # y has a near consumer and a far one: its inputs must wait for the far one's flow
    x = Value(1.5)
    y = x * 2
    near, far = y * 10, ((y + 1) * 3).tanh()
    (far + near).backward()
    assert x.grad == pytest.approx(2 * (10 + 3 * (1 - math.tanh(12.0) ** 2)), rel=1e-14)


def test_passes_add_up_at_every_node_until_zero_grad():
    x, y = Value(2), Value(3)
    z = x * y
    L = z * z
    for times in (1, 2, 3):
        L.backward()
        assert (x.grad, y.grad, z.grad, L.grad) == (36.0 * times, 24.0 * times, 12.0 * times, 1.0 * times)
    L.zero_grad()
    assert (x.grad, y.grad, z.grad, L.grad) == (0.0, 0.0, 0.0, 0.0)
    L.backward()
    z.backward()  # another result of the same graph: adds to what L brought
    assert (x.grad, y.grad, z.grad, L.grad) == (39.0, 26.0, 13.0, 1.0)


def test_trace_shows_its_own_pass_and_adds_it():
    x = Value(3)
    L = x * x
    first = trace(L)
    assert trace(L) == first and first[-1].grad == 6.0
    assert x.grad == 12.0


@given(st.lists(st.sampled_from([0.0, -1.0, 2.0, 3.0, 3.0, -0.5]), min_size=1, max_size=7))
def test_product_gate_is_right_with_any_number_of_zeros(data):
    xs = [Value(x) for x in data]
    z = prod(*xs)
    z.backward()
    assert z.data == pytest.approx(math.prod(data), rel=1e-15)
    for i, x in enumerate(xs):
        assert x.grad == pytest.approx(math.prod(data[:i] + data[i + 1 :]), rel=1e-15)


@given(st.lists(st.integers(-2, 2), min_size=1, max_size=8), st.booleans())
def test_max_and_min_conserve_the_flow(data, largest):
    xs = [Value(x) for x in data]
    z = (max_ if largest else min_)(*xs)
    (z * 6).backward()
    chosen = [x for x in xs if x.data == (max if largest else min)(data)]
    assert z.data == chosen[0].data and sum(x.grad for x in xs) == pytest.approx(6.0, rel=1e-15)
    expected = [6.0 / len(chosen) if x in chosen else 0.0 for x in xs]
    assert [x.grad for x in xs] == pytest.approx(expected, rel=1e-15)


def test_a_value_given_twice_to_a_gate():
    x = Value(3)
    sum_(x, x, x).backward()
    prod(x, x).backward()
    max_(x, x).backward()
    assert x.grad == 3.0 + 6.0 + 1.0


@given(st.floats(-700, 700))
def test_sigmoid_keeps_its_digits_in_both_tails(data):
    x = Value(data)
    z = x.sigmoid()
    z.backward()
    assert z.data == pytest.approx(1 / (1 + math.exp(-data)), rel=1e-14)
    assert x.grad == pytest.approx(1 / (2 + math.exp(data) + math.exp(-data)), rel=1e-14)


def test_sigmoid_far_out():
    for data, expected in ((1e4, 1.0), (-1e4, 0.0)):
        x = Value(data)
        z = x.sigmoid()
        z.backward()
        assert (z.data, x.grad) == (expected, 0.0)


def test_relu_has_slope_0_at_its_kink():
    x = Value(0)
    x.relu().backward()
    assert x.grad == 0.0


def test_floating_point_beyond_its_range():
    assert Value(1000).exp().data == math.inf
    assert (Value(-1e200) ** 3).data == -math.inf and (Value(-1e200) ** 2).data == math.inf
    x = Value(0)
    (x**0.5).backward()
    assert x.grad == math.inf
    for gate in (lambda x: x.relu(), lambda x: max_(x, 1), lambda x: min_(0, x), lambda x: x.exp(), lambda x: x.log()):
        assert math.isnan(gate(Value(math.nan)).data)
    x = Value(math.nan)
    max_(1, x).backward()
    assert math.isnan(x.grad)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: Value("2"), TypeError, "data: expected a number, got str"),
        (lambda x: Value([2]), TypeError, "data: expected a number, got list"),
        (lambda x: Value(x), TypeError, "data: expected a number, got Value"),
        (lambda x: x + "1", TypeError, "other: expected a Value or a number, got str"),
        (lambda x: np.ones(2) * x, TypeError, "other: expected a Value or a number, got ndarray"),
        (lambda x: None - x, TypeError, "other: expected a Value or a number, got NoneType"),
        (lambda x: x**x, TypeError, "exponent: expected a number, got Value"),
        (lambda x: 2**x, TypeError, "unsupported"),
        (lambda x: x / 0, ValueError, "other: expected a divisor that is not 0"),
        (lambda x: (x - x) ** -1, ValueError, "exponent: expected one for which 0 "),
        (lambda x: (-x) ** 0.5, ValueError, "exponent: expected one for which -2 "),
        (lambda x: (x - x).log(), ValueError, "log: expected a positive number, got 0"),
        (lambda x: sum_(), ValueError, "xs: expected at least one Value, got none"),
        (lambda x: max_([x, x]), TypeError, "xs: expected a Value or a number, got list"),
        (lambda x: prod(x, None), TypeError, "xs: expected a Value or a number, got NoneType"),
        (lambda x: trace(3.0), TypeError, "value: expected a Value, got float"),
        (lambda x: render("x"), TypeError, "value: expected a Value, got str"),
        (lambda x: render(x, y=3), TypeError, "y: expected a Value, got int"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call(Value(2))


def test_numbers_of_numpy_are_numbers_on_either_side():
    x = Value(np.float32(2))
    results = [np.float64(3) * x, x * np.int64(3), np.float32(3) + x, np.float64(3) - x, np.float64(3) / x]
    assert all(type(z) is Value and type(z.data) is float for z in [x, *results])
    assert [z.data for z in results] == [6.0, 6.0, 5.0, 1.0, 1.5]
    assert sum([x, x]).data == 4.0


def test_parents_and_op_tell_how_it_was_made():
    x, y = Value(2), Value(4)
    assert x.parents == () and x.op == ""
    made = [x + y, x - y, x * y, x / y, -x, x**2, x.exp(), x.log(), x.sigmoid(), x.tanh(), x.relu()]
    assert [z.op for z in made] == ["+", "-", "*", "/", "neg", "**2", "exp", "log", "sigmoid", "tanh", "relu"]
    assert all(z.parents == (x, y) for z in made[:4]) and all(z.parents == (x,) for z in made[4:])
    assert [gate(x, y).op for gate in (sum_, prod, max_, min_)] == ["sum", "prod", "max", "min"]
    assert (1 - x).parents[0].data == 1.0 and (1 - x).parents[1] is x
    assert repr(x * y) == "Value(data=8, grad=0)"


def chain(length):
    """x ← 0.5 x + 1, over and over: 2 nodes a step, and one for each constant."""
    x, half = Value(1), Value(0.5)
    y = x
    for _ in range(length):
        y = y * half + x
    return x, y


def test_a_hundred_thousand_nodes_in_a_row():
    x = y = Value(1.0)
    for _ in range(100_000):
        y = y + 1e-5
    y.backward()
    assert y.data == pytest.approx(2.0, rel=1e-9) and x.grad == 1.0
    y.zero_grad()
    assert x.grad == 0.0
    assert len(trace(y)) == 200_001


def test_a_deep_graph_whose_input_is_used_all_along():
    x, y = chain(50_000)
    y.backward()
    assert y.data == pytest.approx(2.0, rel=1e-12) and x.grad == pytest.approx(2.0, rel=1e-12)
    del x, y  # frees it without recursion


def test_a_graph_whose_paths_double_at_every_node_takes_one_visit_each():
    x = y = Value(1.0)
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad == 2.0**60


def test_a_graph_is_freed_with_its_result():
    """Nothing points from an input to its consumers, so no garbage collector is needed."""

    class Marked(Value):
        __slots__ = ("__weakref__",)

    gc.disable()
    try:
        x = Marked(2)
        y = ((x * x).tanh() + x).relu()
        y.backward()
        seen = weakref.ref(x)
        del x, y
        assert seen() is None
    finally:
        gc.enable()


def parsed(picture):
    """The SVG's root, if it is one well-formed document that refers to nothing outside."""
    root = ElementTree.fromstring(picture)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "href" not in picture and "url(" not in picture and "<script" not in picture and "<style" not in picture
    return root


def texts(root, tag="text"):
    return ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}" + tag)]


def test_the_picture_has_every_node_with_its_data_and_grad():
    x, y, z = Value(-2), Value(5), Value(-4)
    L = (x + y) * z
    L.backward()
    root = parsed(render(L, x=x, y=y, z=z, L=L))
    shown = texts(root)
    assert {"x", "y", "z", "L: ×", "+"} < set(shown)
    assert {f"data {v:g}" for v in (-2, 5, -4, 3, -12)} | {f"grad {v:g}" for v in (-4, 3, 1)} <= set(shown)
    assert texts(root, "title")[0] == "Computational graph with 5 nodes"
    assert "L: * of node 4, z, data -12, grad 1" in texts(root, "desc")[0]
    assert texts(root, "title")[1:].count("local derivative 1") == 2  # the sum's two


def boxes(root):
    rects = [r for r in root.iter("{http://www.w3.org/2000/svg}rect") if r.get("stroke")]
    return [tuple(float(r.get(key)) for key in ("x", "y", "width", "height")) for r in rects]


@given(st.integers(0, 2**32 - 1))
def test_boxes_never_overlap_and_stay_in_the_picture(seed):
    rng = random.Random(seed)
    value = random_expression(rng, [Value(rng.uniform(-2, 2)) for _ in range(3)], rng.randrange(1, 8))
    root = parsed(render(value))
    width, height = float(root.get("width")), float(root.get("height"))
    drawn = boxes(root)
    assert len(drawn) == len(trace(value))
    for i, (x, y, w, h) in enumerate(drawn):
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
        for other_x, other_y, _, _ in drawn[:i]:
            assert abs(x - other_x) >= w or abs(y - other_y) >= h + 10


@given(st.text(min_size=1, max_size=15))
def test_names_are_escaped(name):
    assume(name != "value")
    root = parsed(render(Value(1) + 1, **{name: Value(2)}))
    assert len(boxes(root)) == 3
    x = Value(2)
    shown = texts(parsed(render(x, **{name: x})))[0]
    if name.isprintable() and len(name) <= 10:
        assert shown == name


def test_markup_in_a_name_stays_text():
    x = Value(2)
    assert texts(parsed(render(x, **{"<b>&'\"": x})))[0] == "<b>&'\""


def test_text_stands_on_a_background_of_its_own_with_enough_contrast():
    """Readable on a white page and on a dark one: each text is drawn over the picture's own boxes (WCAG: 4.5 to 1)."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    root = parsed(render(Value(1) + 1))
    groups = root.findall("{http://www.w3.org/2000/svg}g")
    lines, ink = groups[0].get("stroke"), groups[1].get("fill")
    page = root.find("{http://www.w3.org/2000/svg}rect").get("fill")
    pairs = [(ink, r.get("fill")) for r in root.iter("{http://www.w3.org/2000/svg}rect")] + [(lines, page)]
    for dark, light in pairs:
        assert (luminance(light) + 0.05) / (luminance(dark) + 0.05) >= 4.5


def test_large_graphs_can_be_drawn():
    _, y = chain(300)
    assert len(boxes(parsed(render(y)))) == len(graph._graph(y)) == 602


def test_the_picture_changes_nothing_and_is_the_same_every_time():
    x = Value(2)
    y = x * x + 1
    first = render(y, x=x)
    assert render(y, x=x) == first and x.grad == 0.0


@pytest.mark.parametrize("name", ["sum_", "prod", "max_", "exp", "sigmoid", "tanh"])
def test_the_assignments_gates_are_those_of_the_graph(name):
    exercise = get_exercise(f"graph.{name}")
    forward, backward = exercise.functions
    for case in exercise.cases(np.random.default_rng(1)):
        (given,) = case.args
        xs = [Value(float(x)) for x in np.atleast_1d(given)]
        gate = getattr(graph, name)(*xs) if hasattr(graph, name) else getattr(xs[0], name)()
        gate.backward()
        z, cache = forward(given)
        tolerance = 1e-6 if getattr(given, "dtype", float) == np.float32 else 1e-14
        assert z == pytest.approx(gate.data, rel=tolerance)
        assert np.atleast_1d(backward(case.dout, cache)) == pytest.approx(
            [case.dout * x.grad for x in xs], rel=tolerance
        )


def test_the_assignments_pass_is_that_of_the_graph():
    x, y = Value(0.5), Value(-2.0)
    product = x * y
    L = (product + x) * product
    L.backward()
    parents = [(), (), (0, 1), (2, 0), (3, 2)]
    local = [(), (), (y.data, x.data), (1.0, 1.0), (product.data, product.data + x.data)]
    (sort,), (walk,) = (get_exercise(f"graph.{name}").functions for name in ("topological_order", "backward"))
    grads = walk(sort(parents, 4), parents, local)
    assert grads[[0, 1, 2, 4]] == pytest.approx([x.grad, y.grad, product.grad, 1.0], rel=1e-14)
