"""The long runs behind lesson 13: language models on the shipped prose, their weights and the table of what decides.

    python -m benchmarks.alice runs       # alice_runs.csv: every model, rate and seed; what is there is kept
    python -m benchmarks.alice weights    # alice_gpt.npz and alice_lstm.npz: one longer run of each

Both write to `dlcourse/data`. The seeds fix every draw; the last digits depend on the BLAS library.
"""

import csv
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path

import numpy as np

from dlcourse import datasets, optimizers, training

DATA = Path(datasets.__file__).parent / "data"
# Characters in a sequence, sequences in a batch, steps in which the rate rises, steps between two evaluations
T, BATCH, WARMUP, EVERY = 96, 6, 50, 100
TEXT = datasets.alice().lower()
CHARACTERS = sorted(set(TEXT))
V = len(CHARACTERS)
IDS = np.array([CHARACTERS.index(c) for c in TEXT])
# The first eight tenths to learn from, one to choose with, one that is looked at once
TRAIN, VALIDATION, TEST = np.split(IDS, [int(0.8 * len(IDS)), int(0.9 * len(IDS))])


def gpt(width):
    block = ("transformer_block", width, 4, {"causal": True})
    layers = [("embedding", V, width), ("positions", width), ("dropout", 0.1), block, block]
    return [*layers, ("dropout", 0.1), ("layernorm", width), ("linear", width, V)]


def lstm(width):
    return [("embedding", V, 32), ("lstm", 32, width), ("dropout", 0.1), ("linear", width, V)]


MODELS = {"gpt": gpt, "lstm": lstm}
RATES = (0.005, 0.012, 0.03, 0.07)
# (widths, share of the training text, steps): the one to compare with, then one thing changed at a time; less text or
# width for the model that has learned what there is
BASE = {"gpt": 64, "lstm": 128}
CELLS = (
    (BASE, 1.0, 1000),
    (BASE, 1.0, 200),
    ({"lstm": 128}, 0.25, 1000),
    ({"lstm": 64}, 1.0, 1000),
)
SEEDS = (0, 1, 2, 3, 4)
# The shipped weights: (width, steps, rate, seed)
WEIGHTS = {"gpt": (64, 2000, 0.012, 0), "lstm": (128, 2000, 0.005, 0)}
COLUMNS = ("model", "width", "share", "steps", "lr", "seed", "at", "training", "validation")


def loss(net, ids):
    """Mean cross-entropy in nats for a character, in evaluation mode, over pieces of T characters."""
    count = (len(ids) - 1) // T
    return training.evaluate(net, ids[: count * T].reshape(count, T), ids[1 : count * T + 1].reshape(count, T), 32)[0]


def train(model, width, share, steps, lr, seed, every=EVERY):
    """One run: (network at its best validation loss, rows of the table)."""
    rng = np.random.default_rng(seed)
    net = training.Network(MODELS[model](width), rng=rng, dtype="float32")
    schedule = partial(optimizers.warmup_cosine, total=steps, warmup=min(WARMUP, steps // 2))
    trainer = training.Trainer(net, "adam", lr=lr, clip_norm=1.0, schedule=schedule)
    size = int(share * len(TRAIN))
    first = rng.integers(0, len(TRAIN) - size + 1)
    text, losses, rows, best, kept = TRAIN[first : first + size], [], [], np.inf, net.w.copy()
    for step in range(1, steps + 1):
        at = rng.integers(0, len(text) - T, BATCH)[:, None] + np.arange(T)
        losses.append(trainer.step(text[at], text[at + 1]))
        if step % every == 0:
            J = loss(net, VALIDATION)
            rows.append((model, width, share, steps, lr, seed, step, round(np.mean(losses[-every:]), 4), round(J, 4)))
            if best > J:
                best, kept = J, net.w.copy()
    net.w[...] = kept
    return net, rows


def run(task):
    return train(*task)[1]


def read():
    """{(model, width, share, steps, lr, seed): its rows} of the table so far."""
    found = {}
    path = DATA / "alice_runs.csv"
    for row in csv.reader(path.read_text(encoding="ascii").splitlines() if path.exists() else ()):
        if row[0] != "model":
            model, *numbers = row
            width, share, steps, lr, seed, at, *losses = map(float, numbers)
            key = (model, int(width), share, int(steps), lr, int(seed))
            found.setdefault(key, []).append((*key, int(at), *losses))
    return found


def write(found):
    """Put runs into the table, beside those that another process has put there."""
    found = read() | found
    with (DATA / "alice_runs.csv").open("w", newline="", encoding="ascii") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(row for key in sorted(found) for row in found[key])


def tuned(found, model, width, share, steps):
    """The rate whose best validation loss is lowest, for the first seed."""
    return min(RATES, key=lambda lr: best_loss(found[model, width, share, steps, lr, SEEDS[0]]))


def best_loss(rows):
    return min(row[-1] for row in rows)


def runs(processes=2):
    """Each cell: every rate with the first seed, then the best rate with all of them."""
    found = read()
    with ProcessPoolExecutor(processes) as pool:

        def complete(tasks):
            open_ = [task for task in tasks if task not in found]
            waiting = {pool.submit(run, task): task for task in open_}
            for done in as_completed(waiting):
                task, rows = waiting[done], done.result()
                found[task] = rows
                write(found)
                print(*task, f"best validation {best_loss(rows):.3f}", flush=True)

        for widths, share, steps in CELLS:
            cells = [(model, width, share, steps) for model, width in widths.items()]
            complete([(*cell, lr, seed) for cell in cells for lr in RATES for seed in SEEDS[:1]])
            complete([(*cell, tuned(found, *cell), seed) for cell in cells for seed in SEEDS])


def save(model):
    """One longer run: the parameters with its best validation loss into a file, in half precision; returns its rows."""
    width, steps, lr, seed = WEIGHTS[model]
    net, rows = train(model, width, 1.0, steps, lr, seed)
    path = DATA / f"alice_{model}.npz"
    net.save(path)
    with np.load(path) as stored:
        arrays = {key: x.astype(np.float16) if x.dtype.kind == "f" else x for key, x in stored.items()}
    np.savez_compressed(path, **arrays)
    return rows


def weights():
    with ProcessPoolExecutor(len(WEIGHTS)) as pool:
        for rows in pool.map(save, WEIGHTS):
            write({rows[0][:6]: rows})
            print(*rows[0][:6], f"best validation {best_loss(rows):.3f}", flush=True)


if __name__ == "__main__":
    {"runs": runs, "weights": weights}[sys.argv[1]]()
