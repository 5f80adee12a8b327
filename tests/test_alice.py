"""The long runs behind lesson 13: what is shipped is what `python -m benchmarks.alice` makes, and what the lesson says of it."""

import importlib.util

import numpy as np
import pytest

from autograder import build
from dlcourse import datasets, training


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("alice", build.ROOT / "benchmarks" / "alice.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cells(script):
    """Every (model, width, share, steps) that the lesson compares."""
    return [(model, width, share, steps) for widths, share, steps in script.CELLS for model, width in widths.items()]


def test_the_table_holds_every_run_of_the_script_whole(script):
    found, wanted = script.read(), {}
    for cell in cells(script):
        wanted |= {(*cell, lr, seed): cell[-1] for lr in script.RATES for seed in script.SEEDS[:1]}
        wanted |= {(*cell, script.tuned(found, *cell), seed): cell[-1] for seed in script.SEEDS}
    for model, (width, steps, lr, seed) in script.WEIGHTS.items():
        wanted[model, width, 1.0, steps, lr, seed] = steps
    assert set(found) == set(wanted)
    for key, steps in wanted.items():
        assert [row[6] for row in found[key]] == list(range(script.EVERY, steps + 1, script.EVERY))
    runs = datasets.alice_runs()
    assert runs.dtype.names == script.COLUMNS and len(runs) == sum(map(len, found.values()))


def test_the_grid_of_rates_is_wide_enough(script):
    """The best rate has a neighbour on either side, or the grid's last two rates are as good as each other."""
    found = script.read()
    for cell in cells(script):
        losses = [script.best_loss(found[(*cell, lr, script.SEEDS[0])]) for lr in script.RATES]
        assert min(losses[1:-1]) < min(losses) + 0.01, f"a wider grid might do better: {cell}"


@pytest.mark.parametrize("model", ["gpt", "lstm"])
def test_the_shipped_weights_are_those_of_the_scripts_run(script, model):
    width, steps, lr, seed = script.WEIGHTS[model]
    path = datasets.alice_weights(model)
    assert path.stat().st_size < 300_000
    net = training.Network(script.MODELS[model](width), rng=0, dtype="float32").load(path)
    rows = script.read()[model, width, 1.0, steps, lr, seed]
    # Half precision moves the loss in the third decimal
    assert script.loss(net, script.VALIDATION) == pytest.approx(script.best_loss(rows), abs=5e-3)


def test_a_run_depends_on_its_seed_alone(script):
    (net, rows), (again, same), (_, other) = (
        script.train("lstm", 8, 0.25, 4, 0.01, seed, every=2) for seed in (3, 3, 4)
    )
    assert rows == same and rows != other and np.array_equal(net.w, again.w)
    assert [row[:7] for row in rows] == [("lstm", 8, 0.25, 4, 0.01, 3, at) for at in (2, 4)]


def test_the_lesson_says_what_the_table_has(script):
    nbformat = pytest.importorskip("nbformat")
    lesson = nbformat.read(build.LESSONS / "13_training.ipynb", as_version=4)
    printed = "\n".join(output.get("text", "") for cell in lesson.cells for output in cell.get("outputs", []))
    found = script.read()
    for cell in cells(script):
        lr = script.tuned(found, *cell)
        low = [script.best_loss(found[(*cell, lr, seed)]) for seed in script.SEEDS]
        said = f"rate {lr:<6} best validation {np.mean(low):.2f}, seeds {min(low):.2f} to {max(low):.2f}"
        assert said in printed, f"{cell}: {said}"


def test_weights_of_another_model_are_refused():
    with pytest.raises(ValueError, match=r"^model: expected one of 'gpt', 'lstm'; got 'bert'$"):
        datasets.alice_weights("bert")
