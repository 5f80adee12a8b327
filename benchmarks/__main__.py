"""The speed table: `python -m benchmarks` measures every row and writes `results.md` beside this file.

python -m benchmarks                all rows, about two minutes
python -m benchmarks conv pool      the rows whose names contain one of the words, printed only

BENCH_SECONDS sets the time for each row (2.5 s).

Each measurement runs in its own process: one thread for both sides, then two. Within a row the sides take turns,
so that whatever else the machine does falls on all of them alike; the table holds medians.
"""

import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PINS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "MKL_ENABLE_INSTRUCTIONS", "ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY")
RESULTS = Path(__file__).parent / "results.md"


def measure(words, threads):
    """Print one JSON line for each row: the medians in seconds."""
    import numpy as np
    import torch

    from benchmarks.rows import ROWS

    torch.set_num_threads(threads)
    # One thread: processor time, which other programs on the machine do not lengthen. Two: only the clock can tell
    clock = time.process_time if threads == 1 else time.perf_counter
    for number, make in enumerate(ROWS):
        torch.manual_seed(0)
        row = make(np.random.default_rng(number))
        if words and not any(word.lower() in row.name.lower() for word in words):
            continue
        sides = {"ours": row.ours, "theirs": row.theirs, "plain": row.plain, "floor": row.floor}
        sides = {name: side for name, side in sides.items() if side is not None}
        results = {name: side() for name, side in sides.items()}
        if row.check is not None:
            for name in ("ours", "plain"):
                compare(f"{row.name}, {name}", results.get(name), results["theirs"], row.check)
        row = {"name": row.name, "goal": row.goal, "measured": row.measured, "floor_name": row.floor_name}
        print(json.dumps(row | interleaved(sides, clock)), flush=True)


def compare(name, ours, theirs, tolerance):
    """Raise unless both sides computed the same."""
    import numpy as np

    if ours is None:
        return
    ours, theirs = (list(x) if isinstance(x, tuple) else [x] for x in (ours, theirs))
    for a, b in zip(ours, theirs, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        error = np.max(np.abs(a - b)) / np.max(np.abs(b))
        if not error <= tolerance:
            raise AssertionError(
                f"{name}: the sides differ by {error:.1e} of the largest entry, allowed {tolerance:.0e}"
            )


def interleaved(sides, clock, seconds=float(os.environ.get("BENCH_SECONDS", "2.5"))):
    """{side: median seconds of a call}, the sides taking turns; short calls are timed several at a time."""
    repeats, samples = {}, {name: [] for name in sides}
    for name, side in sides.items():
        start = clock()
        for _ in range(3):
            side()
        repeats[name] = max(1, round(1e-3 / ((clock() - start) / 3)))
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(samples["ours"]) < 9:
        for name, side in sides.items():
            start = clock()
            for _ in range(repeats[name]):
                side()
            samples[name].append((clock() - start) / repeats[name])
    return {name: statistics.median(values) for name, values in samples.items()}


def run(words, threads):
    """{row's name: its measurements}, from a process with that many threads."""
    # Passive: otherwise PyTorch's second thread, spinning while it waits, takes the core from this side's
    environment = unpinned() | {name: str(threads) for name in THREADS} | {"OMP_WAIT_POLICY": "passive"}
    command = [sys.executable, "-m", "benchmarks", "--measure", str(threads), *words]
    found = {}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            row = json.loads(line)
            found[row["name"]] = row
            print(
                f"  {threads} thread{'s' * (threads > 1)}: {row['name']}: {row['ours'] / row['theirs']:.2f}",
                file=sys.stderr,
            )
    if process.returncode:
        sys.exit(f"the measurement with {threads} threads failed")
    return found


def table(one, two):
    lines = [
        "| row | ours, ms | PyTorch, ms | ratio | goal | two threads | floor, ms | ours ÷ floor | measured | plain formulas |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | ---: |",
    ]
    for name, row in one.items():
        ratio = row["ours"] / row["theirs"]
        both = f"{two[name]['ours'] / two[name]['theirs']:.2f}" if name in two else ""
        floor = f"{1e3 * row['floor']:.3f} ({row['floor_name']})" if "floor" in row else ""
        above = f"{row['ours'] / row['floor']:.1f}" if "floor" in row else ""
        plain = f"{row['plain'] / row['theirs']:.2f}" if "plain" in row else ""
        mark = "" if ratio <= row["goal"] else " ✗"
        lines.append(
            f"| {name} | {1e3 * row['ours']:.3f} | {1e3 * row['theirs']:.3f} | {ratio:.2f}{mark} | {row['goal']:.2f} | {both} "
            f"| {floor} | {above} | `{row['measured']}` | {plain} |"
        )
    return lines


def openblas_core():
    """The kernels that NumPy's OpenBLAS chooses on this processor, in its own words ("" where it does not say)."""
    said = subprocess.run(
        [sys.executable, "-c", "import numpy"],
        env=unpinned() | {"OPENBLAS_VERBOSE": "2"},
        capture_output=True,
        text=True,
    )
    cores = [line.split(":", 1)[1].strip() for line in said.stderr.splitlines() if line.startswith("Core:")]
    return cores[0] if cores else "not said"


def unpinned():
    """The environment without what pins one side's kernels to another processor's: both take what fits this one."""
    return {name: value for name, value in os.environ.items() if name not in PINS}


def geometric_mean(rows):
    return math.exp(statistics.fmean(math.log(row["ours"] / row["theirs"]) for row in rows.values()))


def machine():
    import numpy as np
    import torch

    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    facts = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    flags = {name.strip(): value for name, value in facts.items()}
    name = flags.get("model name", platform.processor()).strip()
    name += f" (family {flags.get('cpu family', '?').strip()}, model {flags.get('model', '?').strip()})"
    known = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512vl", "avx512_vnni", "amx_tile")
    present = [flag for flag in known if flag in flags.get("flags", "").split()]
    wanted = ("Math Kernel Library", "MKL-DNN", "CPU capability", "OpenMP")
    build = [line.strip(" -") for line in torch.__config__.show().splitlines() if any(word in line for word in wanted)]
    build = [line for line in build if not line.startswith("Build settings")]
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    simd = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    return [
        f"- processor: {name}, {os.cpu_count()} cores, {' '.join(present) or 'features unknown'}",
        f"- Python {platform.python_version()}, NumPy {np.__version__} (SIMD found: {' '.join(simd) or 'baseline'}; {blas['name']} {blas['version']})",
        f"- PyTorch {torch.__version__}: {'; '.join(build)}",
    ]


def main(arguments):
    if arguments[:1] == ["--measure"]:
        measure(arguments[2:], int(arguments[1]))
        return
    one, two = (run(arguments, threads) for threads in (1, 2))
    lines = [
        "# Speed of the references",
        "",
        "Time of this package ÷ time of PyTorch eager, forward + backward (+ update where the row has a step), float32, medians,",
        "the sides taking turns in one process with one thread each, in processor time (*two threads*: the ratio by the",
        "clock, which needs a machine with nothing else to do). Both sides' results are compared before they are timed.",
        "*Floor*: the row's matrix products alone, or one copy of what must be read and written, measured in the same turns.",
        "*Measured*: the formula functions where they stand alone, else their twins in `kernels`, which `training` runs;",
        "*plain formulas*: the ratio of the formula functions themselves.",
        "",
        *table(one, two),
        "",
        f"Geometric mean of the ratios: **{geometric_mean(one):.2f}** (goal: below 0.80); with two threads {geometric_mean(two):.2f}.",
        "",
        *machine(),
        f"- OpenBLAS's kernels: {openblas_core()}",
        "",
        "Made by `python -m benchmarks`.",
    ]
    print("\n".join(lines))
    if not arguments:
        RESULTS.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
