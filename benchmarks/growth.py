"""Time and memory against size, beside PyTorch's: `python -m benchmarks.growth` writes `growth.md` and its plots.

python -m benchmarks.growth                 everything, about five minutes
python -m benchmarks.growth graph kernel    the operations whose names contain one of the words, printed only

Each point is a fresh process with one thread. Its time is processor time: a repeat is the shortest of as many calls as fit a
tenth of a second, three at least, or one of a second and more; repeats are made until five lie within 10 % of the shortest,
fifteen at most. Its memory is the peak of the process above what it held when the inputs were made. Nothing is written where
the five shortest repeats of a point lie further apart.
"""

import contextlib
import ctypes
import gc
import itertools
import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "growth.md"
SIDES = ("ours", "PyTorch")
REPEATS, CALLS, SECONDS, LONG = 5, 3, 0.1, 1.0
MOST, SPREAD, ATTEMPTS = 15, 0.10, 2
# Sizes are half a decade apart: so many of the largest span one
LAST = 3
# By how much a slope may lie above the theory's: larger arrays fall out of the processor's caches
MARGIN = 0.15
# Memory below is the allocator's rather than the operation's
FLOOR = 2**16


@dataclass(frozen=True)
class Operation:
    """An operation whose cost grows with a size.

    against : what is counted. settings : what `ours` and `theirs` are called with, from the smallest to the largest; they
    make the inputs and return the call to be measured. size : the count that belongs to a setting. left_out : how many of the
    largest settings take PyTorch too long.
    theory : the exponents of time and of memory. why : a sentence on them.
    """

    name: str
    against: str
    settings: Sequence[int]
    theory: tuple[float, float]
    why: str
    ours: Callable[[int], Callable]
    theirs: Callable[[int], Callable]
    size: Callable[[int], int] = int
    left_out: int = 0

    def settings_of(self, side):
        return self.settings if side == "ours" else self.settings[: len(self.settings) - self.left_out]

    def sizes_of(self, side):
        return [self.size(setting) for setting in self.settings_of(side)]

    @property
    def plot(self):
        return FOLDER / "plots" / f"growth-{self.name.replace(' ', '-')}.svg"


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


# --- operations -----------------------------------------------------------------------------------------------------


def examples(N):
    return normal(N, 16), np.random.default_rng(1).integers(0, 4, N)


def fit(N):
    from dlcourse.training import Network, fit

    X, y = examples(N)
    net = Network([("linear", 16, 32), ("relu",), ("linear", 32, 4)], rng=0, dtype="float32")
    return lambda: fit(net, X, y, lr=1e-3, epochs=1, batch_size=128, rng=0, progress=False)


def fit_by_pytorch(N):
    import torch

    X, y = map(torch.from_numpy, examples(N))
    net = torch.nn.Sequential(torch.nn.Linear(16, 32), torch.nn.ReLU(), torch.nn.Linear(32, 4))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)

    def run():
        for chosen in torch.randperm(N).split(128):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(X[chosen]), y[chosen]).backward()
            optimizer.step()

    return run


def conv2d(side=64, kernel=3, channels=8):
    from dlcourse.convolution import conv2d_backward, conv2d_forward

    X, W, b = normal(1, side, side, channels), normal(kernel, kernel, channels, channels), normal(channels)
    dY = normal(1, side, side, channels)

    def run():
        Y, cache = conv2d_forward(X, W, b, padding=kernel // 2)
        return Y, conv2d_backward(dY, cache)

    return run


def conv2d_by_pytorch(side=64, kernel=3, channels=8):
    import torch

    arrays = normal(1, channels, side, side), normal(channels, channels, kernel, kernel), normal(channels)
    inputs = [torch.from_numpy(x).requires_grad_() for x in arrays]
    dY = torch.from_numpy(normal(1, channels, side, side))

    def run():
        Y = torch.nn.functional.conv2d(*inputs, padding=kernel // 2)
        return Y, torch.autograd.grad(Y, inputs, dY)

    return run


def attention(T):
    from dlcourse.attention import scaled_dot_product_attention_backward, scaled_dot_product_attention_forward

    Q, K, V, dY = normal(4, 1, 1, T, 64)

    def run():
        Y, cache = scaled_dot_product_attention_forward(Q, K, V)
        return Y, scaled_dot_product_attention_backward(dY, cache)

    return run


def attention_by_pytorch(T):
    import torch

    *inputs, dY = torch.from_numpy(normal(4, 1, 1, T, 64))
    inputs = [x.requires_grad_() for x in inputs]

    def run():
        Y = torch.nn.functional.scaled_dot_product_attention(*inputs)
        return Y, torch.autograd.grad(Y, inputs, dY)

    return run


@contextlib.contextmanager
def no_collector():
    """In the block Python's garbage collector, which looks through all objects again as their number grows, rests."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def scalar_graph(nodes):
    """Neurons of one input in a chain, `h ← relu(w h + x)`: four nodes for each, w used by all of them."""
    from dlcourse.graph import Value

    w = Value(0.5)

    def run():
        h = w
        with no_collector():
            for _ in range(nodes // 4):
                h = (w * h + Value(1.0)).relu()
            h.backward()

    return run


def scalar_graph_by_pytorch(nodes):
    import torch

    w = torch.tensor(0.5, requires_grad=True)

    def run():
        h = w
        with no_collector():
            for _ in range(nodes // 4):
                h = (w * h + torch.tensor(1.0, requires_grad=True)).relu()
            h.backward()

    return run


OPERATIONS = [
    Operation(
        "fit",
        "examples",
        (300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000),
        (1, 1),
        "One epoch of `training.fit`: 16 numbers an example, 32 hidden units, Adam, batches of 128. What grows in memory is "
        "the random order of the examples; a batch at a time is copied.",
        fit,
        fit_by_pytorch,
    ),
    Operation(
        "conv2d pixels",
        "pixels",
        (16, 28, 50, 90, 160, 285, 506),
        (1, 1),
        "One square image of 8 channels, a kernel of 3 × 3 to 8 channels, forward and backward.",
        conv2d,
        conv2d_by_pytorch,
        size=lambda side: side**2,
    ),
    Operation(
        "conv2d kernel",
        "places in the kernel",
        (1, 3, 5, 9, 17, 31),
        (1, 1),
        "An image of 64 × 64 pixels and 8 channels, kernels of 1 × 1 to 31 × 31. The formula lays the image out as runs of a "
        "kernel's width, not as windows of its area: memory grows as the square root.",
        lambda kernel: conv2d(kernel=kernel),
        lambda kernel: conv2d_by_pytorch(kernel=kernel),
        size=lambda kernel: kernel**2,
    ),
    Operation(
        "attention",
        "positions",
        (4, 13, 40, 126, 400, 1265, 4000),
        (2, 2),
        "`scaled_dot_product_attention`, one head of 64 columns, forward and backward. The formula keeps the weights, T × T "
        "numbers, for the backward pass and to be looked at. PyTorch's runs in blocks and computes them again on the way "
        "back: its memory grows as T (Rabe and Staats, Self-attention does not need O(n²) memory, 2021).",
        attention,
        attention_by_pytorch,
    ),
    Operation(
        "scalar graph",
        "nodes",
        (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000),
        (1, 1),
        "`graph.Value`: a chain `h ← relu(w h + x)`, as deep as it is long, forward and backward; beside it PyTorch's autograd "
        "on tensors of one number. Python's garbage collector rests on both sides. With it, making a graph takes longer from some "
        "30 000 nodes on, since it goes through all objects whenever their number has grown by a quarter: measured, 0.4 µs a node "
        "up to 30 000 and 1.2 µs at a million, beside 0.3 without it. It is the same for every node then, so the line bends once.",
        scalar_graph,
        scalar_graph_by_pytorch,
        left_out=2,
    ),
]


# --- one point ------------------------------------------------------------------------------------------------------


def point(operation, side, setting):
    """{"times": seconds of the five repeats, "memory": bytes}, measured in this process."""
    make = operation.ours if side == "ours" else operation.theirs
    # What the first call loads and keeps belongs to no size
    make(operation.settings[0])()
    run = make(setting)
    gc.collect()
    before, begun = reset_peak(), time.process_time()
    run()
    seconds = time.process_time() - begun
    memory = peak() - before
    return {"times": times(run, seconds), "memory": memory}


def peak():
    """The process's peak resident memory in bytes. Not `getrusage`'s: that one holds its parent's, too."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def reset_peak():
    """The peak, brought down to what the process holds now, without what was freed."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak()


def times(run, seconds):
    """The five shortest repeats, each the shortest of several calls, short ones some at a time; seconds : of a call, about."""
    together = max(1, round(2e-3 / max(seconds, 1e-7)))
    calls, found = CALLS if seconds < LONG else 1, []
    while len(found) < REPEATS or (spread(found[:REPEATS]) > SPREAD and len(found) < MOST):
        samples, end = [], time.perf_counter() + SECONDS
        while len(samples) < calls or time.perf_counter() < end:
            # The collector begins each call where it began the others
            gc.collect()
            begun = time.process_time()
            for _ in range(together):
                run()
            samples.append((time.process_time() - begun) / together)
        found = sorted([*found, min(samples)])
    return found[:REPEATS]


def spread(times):
    return max(times) / min(times) - 1.0


def measure(operation, side, setting):
    """The point from a fresh process; from another one where its repeats lie too far apart."""
    from benchmarks.__main__ import THREADS, unpinned

    command = [sys.executable, "-m", "benchmarks.growth", "--point", operation.name, side, str(setting)]
    environment = unpinned() | dict.fromkeys(THREADS, "1")
    attempts = []
    for _ in range(ATTEMPTS):
        said = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
        if said.returncode:
            sys.exit(f"benchmarks.growth: {operation.name} at {setting}, {side}: the measurement failed")
        attempts.append(json.loads(said.stdout))
        if spread(attempts[-1]["times"]) <= SPREAD:
            break
    return min(attempts, key=lambda attempt: spread(attempt["times"]))


# --- the page -------------------------------------------------------------------------------------------------------


def slope(sizes, values):
    """The exponent by which values grow over the last decade: the slope of a line through their logarithms."""
    x, y = ([math.log(value) for value in column[-LAST:]] for column in (sizes, values))
    return statistics.linear_regression(x, y).slope


def slopes(operation, points):
    """(ours, PyTorch's) for the time, and the same for the memory."""
    of_times = [slope(operation.sizes_of(side), [min(one["times"]) for one in points[side]]) for side in SIDES]
    of_memory = [slope(operation.sizes_of(side), [max(one["memory"], FLOOR) for one in points[side]]) for side in SIDES]
    return of_times, of_memory


def summary(operation, points):
    """The operation's line in the first table."""
    cells = []
    for (ours, theirs), theory in zip(slopes(operation, points), operation.theory, strict=True):
        worse = " ✗" if round(ours, 2) > theory + MARGIN else ""
        cells += [f"{ours:.2f}{worse}", str(theory), f"{theirs:.2f}"]
    return f"| {operation.name} | {operation.against} | {' | '.join(cells)} |"


def section(operation, points):
    """The operation's own part of the page."""
    lines = [
        f"## {operation.name}",
        "",
        operation.why,
        "",
        f"![Time and memory of {operation.name} against the number of {operation.against}]"
        f"({operation.plot.relative_to(FOLDER).as_posix()})",
        "",
        f"| {operation.against} | ours, ms | PyTorch, ms | ours, MB | PyTorch, MB | spread |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for setting, *both in itertools.zip_longest(operation.settings, *(points[side] for side in SIDES)):
        ms = [f"{1e3 * min(one['times']):.4g}" if one else "" for one in both]
        mb = [f"{one['memory'] / 1e6:.4g}" if one else "" for one in both]
        widest = max(spread(one["times"]) for one in both if one)
        lines.append(f"| {operation.size(setting)} | {' | '.join([*ms, *mb])} | {widest:.1%} |")
    return [*lines, ""]


def page(found, machine):
    """The whole page; found : {operation's name: {side: its points}}."""
    chosen = [operation for operation in OPERATIONS if operation.name in found]
    return [
        "# Growth",
        "",
        "The exponent by which time and memory grow over the last decade of the size, beside the theory's and PyTorch's; ✗ marks",
        f"one that is more than {MARGIN} above the theory. Float32, one thread, each point in a fresh process. Time: processor time, the",
        "shortest repeat; *spread*: how far the five shortest lie apart, the wider of both sides. Memory: the peak of the process",
        "above what it held when the inputs were made, as the system sees it (resident pages, so with what the allocators of",
        "NumPy, PyTorch and Python keep).",
        "",
        "| operation | against | time | theory | PyTorch | memory | theory | PyTorch |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(summary(operation, found[operation.name]) for operation in chosen),
        "",
        *(line for operation in chosen for line in section(operation, found[operation.name])),
        *machine,
        "",
        "Made by `python -m benchmarks.growth`.",
    ]


def too_far(found):
    """The points whose repeats lie too far apart, in words."""
    return [
        f"{operation.name} at {size} {operation.against}, {side} ({spread(one['times']):.0%})"
        for operation in OPERATIONS
        if operation.name in found
        for side in SIDES
        for size, one in zip(operation.sizes_of(side), found[operation.name][side], strict=True)
        if spread(one["times"]) > SPREAD
    ]


def draw(operation, points):
    """Two plots on one sheet, time and memory, both axes logarithmic, the theory's slope dashed."""
    import matplotlib
    from matplotlib.figure import Figure

    sizes = operation.sizes_of("ours")
    # The same bytes for the same numbers
    with matplotlib.rc_context({"svg.hashsalt": operation.name, "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(7.2, 2.9), layout="constrained", facecolor="white")
        for axes, what, power, of in zip(
            figure.subplots(1, 2),
            ("time, ms", "memory, MB"),
            operation.theory,
            (lambda one: 1e3 * min(one["times"]), lambda one: max(one["memory"], FLOOR) / 1e6),
            strict=True,
        ):
            for side, colour, mark in zip(SIDES, ("#1d4f91", "#b45309"), "os", strict=True):
                values = [of(one) for one in points[side]]
                axes.loglog(operation.sizes_of(side), values, color=colour, marker=mark, markersize=4, label=side)
            last = of(points["ours"][-1])
            line = [last * (size / sizes[-1]) ** power for size in sizes[-LAST:]]
            axes.loglog(sizes[-LAST:], line, "--", color="#57606a", label=f"slope {power}")
            axes.set(xlabel=operation.against, ylabel=what)
            axes.grid(alpha=0.3)
            axes.legend(frameon=False)
        operation.plot.parent.mkdir(exist_ok=True)
        figure.savefig(operation.plot, metadata={"Date": None})


def main(arguments):
    if arguments[:1] == ["--point"]:
        _, name, side, setting = arguments
        operation = next(operation for operation in OPERATIONS if operation.name == name)
        if side != "ours":
            import torch

            torch.set_num_threads(1)
        print(json.dumps(point(operation, side, int(setting))))
        return
    from benchmarks.__main__ import machine

    if not Path("/proc/self/status").exists():
        sys.exit(
            "benchmarks.growth: expected Linux, whose /proc/self/status tells the peak of memory; nothing is measured"
        )
    found = {}
    for operation in OPERATIONS:
        if arguments and not any(word in operation.name for word in arguments):
            continue
        found[operation.name] = {
            side: [measure(operation, side, setting) for setting in operation.settings_of(side)] for side in SIDES
        }
        print(summary(operation, found[operation.name]), file=sys.stderr, flush=True)
    lines = page(found, machine())
    print("\n".join(lines))
    if arguments:
        return
    apart = too_far(found)
    if apart:
        sys.exit(
            f"benchmarks.growth: repeats lie more than {SPREAD:.0%} apart, so nothing is written; is the machine doing "
            f"something else? {'; '.join(apart)}"
        )
    for operation in OPERATIONS:
        draw(operation, found[operation.name])
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
