"""How time and memory grow with size: bytes and calls of the references, and the page that `benchmarks.growth` writes."""

import dataclasses
import gc
import importlib
import math
import os
import sys
import tracemalloc

import pytest

from autograder import build

# Two settings of each operation, a decade or so apart, and by which exponents of the size bytes and calls may grow
BOUNDS = {
    "fit": (1_000, 10_000, 1.0, 1.0),
    "conv2d pixels": (16, 50, 1.0, 0.0),
    "conv2d kernel": (3, 9, 1.0, 0.5),
    "attention": (64, 256, 2.0, 0.0),
    "scalar graph": (2_000, 20_000, 1.0, 1.0),
}


@pytest.fixture(scope="module")
def growth():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(build.ROOT)
        yield importlib.import_module("benchmarks.growth")


def _bytes(run):
    """The most that a call holds at a time, its result included."""
    gc.collect()
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _calls(run):
    """How many functions a call calls, compiled ones included."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("name", BOUNDS)
def test_bytes_and_calls_grow_as_the_theory_says(name, growth):
    operation = next(operation for operation in growth.OPERATIONS if operation.name == name)
    small, large, most_bytes, most_calls = BOUNDS[name]
    few, many = (operation.ours(setting) for setting in (small, large))
    few()
    decades = math.log(operation.size(large) / operation.size(small))
    exponents = [math.log(count(many) / count(few)) / decades for count in (_bytes, _calls)]
    # A tenth for lists and sets, which grow in steps
    assert exponents[0] <= most_bytes + 0.1 and exponents[1] <= most_calls + 0.1, exponents


def test_every_operation_has_its_bounds(growth):
    assert [operation.name for operation in growth.OPERATIONS] == list(BOUNDS)
    assert [operation.theory[1] for operation in growth.OPERATIONS] == [bound for *_, bound, _ in BOUNDS.values()]


def _tables(text):
    """[rows of cells] of every table of a page, without the heads."""
    blocks = [block.splitlines()[2:] for block in text.split("\n\n") if block.startswith("|")]
    return [[[cell.strip() for cell in line.strip("|").split("|")] for line in block] for block in blocks]


def _assert_holds_its_numbers(growth, folder):
    summary, *tables = _tables((folder / "growth.md").read_text(encoding="utf-8"))
    operations = [one for one in growth.OPERATIONS if one.name in {row[0] for row in summary}]
    assert len(operations) == len(summary) == len(tables)
    for operation, row, table in zip(operations, summary, tables, strict=True):
        sizes, *columns, spreads = zip(*table, strict=True)
        assert [int(size) for size in sizes] == operation.sizes_of("ours")
        assert max(float(spread.rstrip("%")) for spread in spreads) <= 100 * growth.SPREAD
        slopes = []
        for column, floor, side in zip(columns, FLOORS, [*growth.SIDES, *growth.SIDES], strict=True):
            values = [max(float(cell), floor) for cell in column if cell]
            assert len(values) == len(operation.sizes_of(side))
            slopes.append(growth.slope(operation.sizes_of(side), values))
        times, times_there, memory, memory_there = slopes
        told = [float(cell) for cell in row[2:]]
        assert told == pytest.approx(
            [times, operation.theory[0], times_there, memory, operation.theory[1], memory_there], abs=0.02
        )
        # No cross: nothing grows faster than its theory
        assert all(mine <= theory + growth.MARGIN for mine, theory in (told[:2], told[3:5])), operation.name
        picture = folder / operation.plot.relative_to(growth.FOLDER)
        assert "<svg" in picture.read_text(encoding="utf-8")


# Of times none, of memory what is drawn for less
FLOORS = (0.0, 0.0, 2**16 / 1e6, 2**16 / 1e6)


def test_the_page_says_what_its_tables_hold(growth):
    if not growth.RESULTS.exists():
        pytest.skip("benchmarks/growth.md is not measured yet")
    _assert_holds_its_numbers(growth, growth.FOLDER)


def _measured(seconds):
    """A stand-in for the measurement: numbers that grow as the theory says, five repeats that are `seconds` times as long at most."""

    def measure(operation, side, setting):
        time, memory = (operation.size(setting) ** power for power in operation.theory)
        return {"times": [1e-6 * time, 1e-6 * time * seconds], "memory": 1e4 * memory}

    return measure


@pytest.fixture
def stand_in(growth, monkeypatch, tmp_path):
    pytest.importorskip("matplotlib", reason="Matplotlib, which draws the plots, is not installed")
    monkeypatch.setattr(growth, "FOLDER", tmp_path)
    monkeypatch.setattr(growth, "RESULTS", tmp_path / "growth.md")
    monkeypatch.setattr(growth, "OPERATIONS", [dataclasses.replace(growth.OPERATIONS[3], left_out=1)])
    monkeypatch.setattr(importlib.import_module("benchmarks.__main__"), "machine", lambda: ["- a machine"])
    return tmp_path


def test_what_was_measured_is_written_and_drawn(growth, stand_in, monkeypatch):
    monkeypatch.setattr(growth, "measure", _measured(1.05))
    growth.main([])
    _assert_holds_its_numbers(growth, stand_in)
    text = (stand_in / "growth.md").read_text(encoding="utf-8")
    assert "| attention | positions | 2.00 | 2 | 2.00 | 2.00 | 2 | 2.00 |" in text
    assert "| 1265 | 1600 | 1600 | 1.6e+04 | 1.6e+04 | 5.0% |\n| 4000 | 1.6e+04 |  | 1.6e+05 |  | 5.0% |" in text


def test_nothing_is_written_where_the_repeats_lie_too_far_apart(growth, stand_in, monkeypatch):
    monkeypatch.setattr(growth, "measure", _measured(1.2))
    with pytest.raises(SystemExit) as stopped:
        growth.main([])
    points = "; ".join(
        f"attention at {T} positions, {side} (20%)"
        for side in growth.SIDES
        for T in growth.OPERATIONS[0].sizes_of(side)
    )
    assert str(stopped.value) == (
        "benchmarks.growth: repeats lie more than 10% apart, so nothing is written; is the machine doing something else? "
        f"{points}"
    )
    assert list(stand_in.iterdir()) == []


def test_what_grows_faster_than_its_theory_is_marked(growth):
    operation = growth.OPERATIONS[0]
    sizes = operation.sizes_of("ours")
    points = {
        side: [{"times": [size**power] * 5, "memory": 1e6 * size**power} for size in sizes]
        for side, power in zip(growth.SIDES, (1.5, 1.0), strict=True)
    }
    assert growth.summary(operation, points) == "| fit | examples | 1.50 ✗ | 1 | 1.00 | 1.50 ✗ | 1 | 1.00 |"


@pytest.mark.skipif(
    not os.access("/proc/self/clear_refs", os.W_OK),
    reason="this system does not let a process forget its peak of memory",
)
def test_a_point_has_five_times_and_its_memory(growth, monkeypatch):
    # The fewest calls, however far they lie apart
    monkeypatch.setattr(growth, "CALLS", 1)
    monkeypatch.setattr(growth, "SECONDS", 0.0)
    monkeypatch.setattr(growth, "MOST", growth.REPEATS)
    operation = next(operation for operation in growth.OPERATIONS if operation.name == "attention")
    found = growth.point(operation, "ours", 1265)
    assert len(found["times"]) == growth.REPEATS and min(found["times"]) > 0
    # The scores and their exponentials, four bytes each, stand side by side; not ten times as much
    weights = 4 * 1265**2
    assert 2 * weights <= found["memory"] <= 10 * weights
