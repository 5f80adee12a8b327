"""The speed table is written from steady measurements only: the rule, with a clock that the tests turn themselves."""

import itertools

import numpy as np
import pytest

from benchmarks import __main__ as speed


class Clock:
    """A clock that stands still but for what the sides spend; `busy` is by how much something else lengthens ours."""

    def __init__(self, busy=()):
        self.now, self.busy, self.begun = 0.0, itertools.chain(busy, itertools.repeat(1.0)), 0

    def __call__(self):
        return self.now

    def side(self, seconds):
        def spend():
            self.now += seconds * self.factor

        return spend

    def measure(self, ours, theirs, seconds=1.0):
        def next_repeat(*arguments):
            self.factor, self.begun = next(self.busy), self.begun + 1
            return interleaved(*arguments)

        interleaved, self.factor = speed.interleaved, 1.0
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(speed, "interleaved", next_repeat)

            def spend_theirs():
                self.now += theirs

            return speed.steady({"ours": self.side(ours), "theirs": spend_theirs}, self, seconds)


def row(repeats, **changes):
    seconds = {name: repeats[0][name] for name in repeats[0]} | {"products": 0.25e-3}
    said = {"name": "a row", "goal": 1.25, "measured": "m.f", "floor": ["products"], "left": "Only calls."}
    return said | {"seconds": seconds, "spread": speed.spread(repeats)} | changes


def test_a_call_takes_what_the_clock_says():
    clock = Clock()
    repeats = clock.measure(0.0005, 0.002)
    assert clock.begun == speed.REPEATS == len(repeats)
    for repeat in repeats:
        assert repeat == pytest.approx({"ours": 0.0005, "theirs": 0.002})
    assert speed.spread(repeats) == pytest.approx(0.0)


def test_a_row_that_is_disturbed_once_is_measured_again():
    clock = Clock(busy=[1.0, 1.0, 1.5])
    assert speed.spread(clock.measure(0.001, 0.002)) == pytest.approx(0.0)
    assert clock.begun == 2 * speed.REPEATS


def test_a_row_that_stays_disturbed_is_measured_ten_times_and_says_how_much():
    clock = Clock(busy=itertools.cycle([1.0, 1.0, 1.0, 1.0, 1.2]))
    repeats = clock.measure(0.001, 0.002)
    assert clock.begun == 10 * speed.REPEATS
    assert speed.spread(repeats) == pytest.approx(0.2)


def test_a_spread_below_a_tenth_is_steady():
    clock = Clock(busy=[1.0, 1.04, 1.0, 0.95, 1.0])
    assert speed.spread(clock.measure(0.001, 0.002)) == pytest.approx(0.09)
    assert clock.begun == speed.REPEATS


def test_a_steady_table_is_written_beside_those_of_other_processors(tmp_path, capsys):
    path = tmp_path / "results.md"
    for lines in (["## v3", "", "row"], ["## v4", "", "old"], ["## v4", "", "new"]):
        speed.publish(lines, [], path)
    assert path.read_text("utf-8") == speed.INTRODUCTION + "\n## v3\n\nrow\n\n## v4\n\nnew\n"
    assert capsys.readouterr().out == "## v3\n\nrow\n## v4\n\nold\n## v4\n\nnew\n"


def test_an_unsteady_table_is_not_written_and_says_which_rows(tmp_path, capsys):
    path = tmp_path / "results.md"
    path.write_text("the last table\n")
    calm = row([{"ours": 1e-3, "theirs": 2e-3}] * 5)
    loud = row([{"ours": ours, "theirs": 2e-3} for ours in (1e-3, 1e-3, 1e-3, 1e-3, 1.9e-3)])
    apart = speed.unsteady({"a row": calm, "another": loud})
    with pytest.raises(SystemExit) as stop:
        speed.publish(["## v3"], apart, path)
    assert stop.value.code == (
        "Nothing is written: 5 repeats with one thread lie 10% or more apart, after 10 attempts, in\n"
        "  another: 90%\n"
        "Is something else running on this machine?"
    )
    assert path.read_text() == "the last table\n" and capsys.readouterr().out == "## v3\n"


def test_a_row_that_is_not_steady_with_two_threads_has_no_figure():
    calm = row([{"ours": 1e-3, "theirs": 2e-3}] * 5)
    loud = row([{"ours": ours, "theirs": 2e-3} for ours in (1e-3, 1e-3, 1e-3, 1e-3, 1.9e-3)])
    assert speed.table({"a row": calm}, {"a row": loud})[2:] == [
        "| a row | 1.000 | 2.000 | 0.50 | not steady | 1.25 | 0.250 products | 4.0 | `m.f` |  |"
    ]
    assert speed.mean_of_steady({"a": calm, "b": calm}) == "0.50 ✗"
    assert speed.mean_of_steady({"a": calm, "b": loud}) == "0.50 ✗ (of the 1 steady rows)"
    assert speed.mean_of_steady({"b": loud}) == "not steady"


@pytest.mark.slow
def test_the_page_has_the_rows_and_goals_that_are_measured():
    """A row that was renamed, added or given another goal is measured again."""
    pytest.importorskip("torch")
    from benchmarks.rows import ROWS

    rows = [make(np.random.default_rng(0)) for make in ROWS]
    wanted = [(one.name, f"{one.goal:.2f}", f"`{one.measured}`") for one in rows]
    _, *sections = speed.RESULTS.read_text("utf-8").split("\n## ")
    assert sections
    for section in sections:
        cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line[:1] == "|"]
        assert [(line[0], line[5], line[8]) for line in cells[2:]] == wanted, section.partition("\n")[0]


def test_the_table_marks_what_is_above_its_goal():
    repeats = [{"ours": 1e-3, "theirs": 0.5e-3, "plain": 1.2e-3}] * 5
    one = {"a row": row(repeats)}
    two = {"a row": row(repeats, seconds={"ours": 0.5e-3, "theirs": 0.5e-3})}
    assert speed.table(one, two)[2:] == [
        "| a row | 1.000 | 0.500 | 2.00 ✗ | 1.00 | 1.25 | 0.250 products | 4.0 | `m.f` | 2.40 |"
    ]
    assert speed.standing(one) == ["- **a row**: 4.00 × its floor; PyTorch 2.00 ×. Only calls."]
    assert speed.geometric_mean(one) == pytest.approx(2.0)
