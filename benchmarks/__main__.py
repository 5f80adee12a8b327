"""The speed table: `python -m benchmarks` measures every row and writes `results.md` beside this file.

python -m benchmarks                all rows, about two minutes on an idle machine
python -m benchmarks conv pool      the rows whose names contain one of the words, printed only

BENCH_SECONDS sets the time for each row (2.5 s).

Each measurement runs in its own process: one thread for both sides, then two. Within a row the sides take turns,
so that whatever else the machine does falls on all of them alike; the table holds medians of five repeats, each of which is
the shortest of many calls. A row whose repeats lie too far apart is measured again, at most nine times. While one stays so
with one thread, nothing is written and the status is 1; with two, which only an idle machine has, the row says so in the
place of a figure. The page has a table for each kind of processor: a run writes the one for the processor that it finds.
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
REPEATS, SPREAD, ATTEMPTS = 5, 0.10, 10
# What is freed stays with the process, for both sides: whether the C library gives it back is chance, and to get it again
# from the system costs more than most rows
KEPT = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**30)}
NOT_STEADY = "not steady"
GEOMETRIC_MEAN, PLAIN = 0.45, 2.5  # goals: of all rows together, and of the plain formulas in each
# What a processor must have to be of a level of x86-64, by the flags that Linux shows
LEVELS = {
    "x86-64-v4": ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"),
    "x86-64-v3": ("avx2", "bmi2", "fma", "movbe"),
    "x86-64-v2": ("sse4_2", "ssse3", "popcnt"),
}


def measure(words, threads, seconds):
    """Print one JSON line for each row: the medians in seconds, and how far the repeats lie apart."""
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
        sides = {"ours": row.ours, "theirs": row.theirs, "plain": row.plain} | row.floor
        sides = {name: side for name, side in sides.items() if side is not None}
        results = {name: side() for name, side in sides.items()}
        if row.check is not None:
            for name in ("ours", "plain"):
                compare(f"{row.name}, {name}", results.get(name), results["theirs"], row.check)
        repeats = steady(sides, clock, seconds)
        said = {
            "name": row.name,
            "goal": row.goal,
            "measured": row.measured,
            "floor": list(row.floor),
            "left": row.left,
        }
        medians = {name: statistics.median(repeat[name] for repeat in repeats) for name in sides}
        print(json.dumps(said | {"seconds": medians, "spread": spread(repeats)}), flush=True)


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


def steady(sides, clock, seconds):
    """Five repeats of `interleaved`, measured again where they lie too far apart: the last five in any case."""
    calls = {name: max(1, round(1e-3 / timed(side, 1, clock))) for name, side in sides.items()}
    for _ in range(ATTEMPTS):
        repeats = [interleaved(sides, calls, clock, seconds / REPEATS) for _ in range(REPEATS)]
        if spread(repeats) < SPREAD:
            break
    return repeats


def spread(repeats):
    """How far the ratios of the repeats lie apart: largest less smallest, as a share of their median."""
    ratios = [repeat["ours"] / repeat["theirs"] for repeat in repeats]
    return (max(ratios) - min(ratios)) / statistics.median(ratios)


def interleaved(sides, calls, clock, seconds):
    """{side: shortest seconds of a call}, the sides taking turns; short calls are timed several at a time.

    The shortest: whatever else the machine does only ever lengthens a call.
    """
    samples = {name: [] for name in sides}
    end = clock() + seconds
    while clock() < end or not samples["ours"]:
        for name, side in sides.items():
            samples[name].append(timed(side, calls[name], clock))
    return {name: min(values) for name, values in samples.items()}


def timed(side, calls, clock):
    """Seconds of one call."""
    start = clock()
    for _ in range(calls):
        side()
    return (clock() - start) / calls


def run(words, threads):
    """{row's name: its measurements}, from a process with that many threads."""
    # Passive: otherwise PyTorch's second thread, spinning while it waits, takes the core from this side's
    environment = unpinned() | {name: str(threads) for name in THREADS} | {"OMP_WAIT_POLICY": "passive"} | KEPT
    command = [sys.executable, "-m", "benchmarks", "--measure", str(threads), *words]
    found = {}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            row = json.loads(line)
            found[row["name"]] = row
            print(f"  {counted(threads)}: {row['name']}: {ratio(row):.2f} (± {row['spread'] / 2:.0%})", file=sys.stderr)
    if process.returncode:
        sys.exit(f"the measurement with {counted(threads)} failed")
    return found


def counted(threads):
    return "one thread" if threads == 1 else f"{threads} threads"


def ratio(row, side="ours"):
    return row["seconds"][side] / row["seconds"]["theirs"]


def floor_of(row):
    return sum(row["seconds"][part] for part in row["floor"])


def marked(value, goal):
    return f"{value:.2f}{'' if value <= goal else ' ✗'}"


def table(one, two):
    lines = [
        "| row | ours, ms | PyTorch, ms | ratio | two threads | goal | floor, ms | ours ÷ floor | measured | plain formulas |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | ---: |",
    ]
    for name, row in one.items():
        ours, theirs = (1e3 * row["seconds"][side] for side in ("ours", "theirs"))
        floor = " + ".join(f"{1e3 * row['seconds'][part]:.3f} {part}" for part in row["floor"])
        above = f"{row['seconds']['ours'] / floor_of(row):.1f}" if row["floor"] else ""
        plain = marked(ratio(row, "plain"), PLAIN) if "plain" in row["seconds"] else ""
        both = marked(ratio(two[name]), row["goal"]) if steady_enough(two[name]) else NOT_STEADY
        lines.append(
            f"| {name} | {ours:.3f} | {theirs:.3f} | {marked(ratio(row), row['goal'])} | {both} | {row['goal']:.2f} "
            f"| {floor} | {above} | `{row['measured']}` | {plain} |"
        )
    return lines


def standing(one):
    """Of each hard row: how far both sides are above its floor, and what the rest of ours is."""
    lines = []
    for name, row in one.items():
        if row["left"]:
            ours, theirs = (row["seconds"][side] / floor_of(row) for side in ("ours", "theirs"))
            lines.append(f"- **{name}**: {ours:.2f} × its floor; PyTorch {theirs:.2f} ×. {row['left']}")
    return lines


def steady_enough(row):
    return row["spread"] < SPREAD


def unsteady(rows):
    """A line for each row whose repeats lie too far apart."""
    return [f"  {name}: {row['spread']:.0%}" for name, row in rows.items() if not steady_enough(row)]


def mean_of_steady(rows):
    """The geometric mean of the ratios, and of how many rows where some have none."""
    steady_rows = {name: row for name, row in rows.items() if steady_enough(row)}
    if not steady_rows:
        return NOT_STEADY
    some = "" if len(steady_rows) == len(rows) else f" (of the {len(steady_rows)} steady rows)"
    return marked(geometric_mean(steady_rows), GEOMETRIC_MEAN) + some


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
    return math.exp(statistics.fmean(math.log(ratio(row)) for row in rows.values()))


def processor():
    """(its kind of instructions, its name, those of its features that matter)"""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    facts = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    facts = {name.strip(): value.strip() for name, value in facts.items()}
    name = facts.get("model name", platform.processor())
    name += f" (family {facts.get('cpu family', '?')}, model {facts.get('model', '?')})"
    flags = facts.get("flags", "").split()
    level = next((level for level, needed in LEVELS.items() if set(needed) <= set(flags)), platform.machine())
    known = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512vl", "avx512_vnni", "amx_tile")
    return level, name, " ".join(flag for flag in known if flag in flags) or "features unknown"


def machine():
    import numpy as np
    import torch

    level, name, features = processor()
    wanted = ("Math Kernel Library", "MKL-DNN", "CPU capability", "OpenMP")
    build = [line.strip(" -") for line in torch.__config__.show().splitlines() if any(word in line for word in wanted)]
    build = [line for line in build if not line.startswith("Build settings")]
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    simd = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    return [
        f"- processor: {name}, {os.cpu_count()} cores",
        f"- kind of instructions: {level} ({features})",
        f"- threads: one on both sides, then two ({', '.join(THREADS)} and `torch.set_num_threads`)",
        f"- Python {platform.python_version()}, NumPy {np.__version__} (SIMD found: {' '.join(simd) or 'baseline'})",
        f"- BLAS of NumPy: {blas['name']} {blas['version']}, its kernels for {openblas_core()}",
        f"- PyTorch {torch.__version__}: {'; '.join(build)}",
    ]


INTRODUCTION = f"""\
# Speed of the references

Time of this package ÷ time of PyTorch eager, forward + backward (+ update where the row has a step), float32, medians
of {REPEATS} repeats, the sides taking turns in one process with one thread each, in processor time (*two threads*: the
ratio by the clock, which needs a machine with nothing else to do). A repeat is the shortest of its calls. Both sides'
results are compared before they are timed. The ratios of the repeats of every row lie within {SPREAD:.0%}; otherwise nothing
is written, or with two threads *{NOT_STEADY}*.
From run to run a ratio may move further than within one.
*Floor*: what no implementation can leave out, such as the row's matrix products or one copy of what must be read and
written, measured in the same turns. Memory that was freed stays with the process, on both sides.
*Measured*: the formula functions where they stand alone, else their twins in `kernels`, which `training` runs;
*plain formulas*: the ratio of the formula functions themselves, with one thread. ✗: above the goal, which for the plain
formulas is {PLAIN}.

Made by `python -m benchmarks`, a table on each kind of processor that was at hand.
"""


def section(one, two):
    """What the page says of this kind of processor, as lines."""
    return [
        f"## {processor()[0]}",
        "",
        *table(one, two),
        "",
        f"Geometric mean of the ratios: **{mean_of_steady(one)}**, with two threads {mean_of_steady(two)} "
        f"(goal: {GEOMETRIC_MEAN}).",
        "",
        "The rows that are hardest to win, with one thread:",
        "",
        *standing(one),
        "",
        "The machine:",
        "",
        *machine(),
    ]


def placed(lines, text):
    """The page `text` with these lines in the place of the section that has their title, else as a section more."""
    sections = {part.partition("\n")[0]: part.strip() for part in text.split("\n## ")[1:]}
    sections[lines[0].removeprefix("## ")] = "\n".join(lines).removeprefix("## ")
    return INTRODUCTION + "".join(f"\n## {sections[title]}\n" for title in sorted(sections))


def main(arguments):
    if arguments[:1] == ["--measure"]:
        measure(arguments[2:], int(arguments[1]), float(os.environ.get("BENCH_SECONDS", "2.5")))
        return
    one, two = (run(arguments, threads) for threads in (1, 2))
    publish(section(one, two), unsteady(one), RESULTS if not arguments else None)


def publish(lines, apart, path):
    """Print the section, and put it on the page `path` if no row's repeats lie too far apart; otherwise exit with status 1."""
    print("\n".join(lines))
    if apart:
        sys.exit(
            f"Nothing is written: {REPEATS} repeats with one thread lie {SPREAD:.0%} or more apart, after {ATTEMPTS} attempts, in\n"
            + "\n".join(apart)
            + "\nIs something else running on this machine?"
        )
    if path:
        path.write_text(placed(lines, path.read_text("utf-8") if path.exists() else ""), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
