"""How fast the explorers move: `python -m benchmarks.explorers` writes `explorers.md` beside this file.

The goal is 100 ms from a slider's new value to the new picture, drawn, packed and ready to send.
"""

import importlib
import os
import platform
import statistics
import time
from pathlib import Path

GOAL = 0.100
RESULTS = Path(__file__).parent / "explorers.md"


def redraws(explorer, seconds=1.5):
    """{control: median seconds of a redraw} while that control goes to and fro between its ends."""
    from dlcourse.explorers import Choice, Slider

    shown, medians = explorer.explore(), {}
    for name, control in explorer.controls.items():
        if isinstance(control, Slider):
            ends = (control.low, control.high)
        else:
            ends = control.options if isinstance(control, Choice) else (True, False)
        times, end, turn = [], time.perf_counter() + seconds, 0
        # The first round may train or load what the explorer keeps; a slider that is being moved finds it there
        while time.perf_counter() < end or len(times) < len(ends) + 5:
            turn += 1
            shown.parameters = shown.parameters | {name: ends[turn % len(ends)]}
            # Processor time, as in the speed table: a redraw is one thread's work, and other programs do not count
            begun = time.process_time()
            shown.redraw()
            times.append(time.process_time() - begun)
        medians[name] = statistics.median(times[len(ends) :])
        shown.parameters = explorer.parameters({})
    return medians


def main():
    import dlcourse

    lines = [
        "# Redraws of the explorers",
        "",
        "Median processor time from a control's new value to the new picture, one thread. Goal: 100 ms.",
        "",
        "| explorer | slowest control | its redraw, ms | |",
        "| --- | --- | ---: | --- |",
    ]
    for slug in dlcourse.TOPICS:
        if not (Path(dlcourse.__path__[0]) / "explorers" / f"{slug}.py").exists():
            continue
        medians = redraws(importlib.import_module(f"dlcourse.explorers.{slug}").EXPLORER)
        slowest = max(medians, key=medians.get)
        lines.append(
            f"| {slug} | {slowest} | {medians[slowest] * 1e3:.0f} | {'' if medians[slowest] <= GOAL else '✗'} |"
        )
        print(lines[-1], flush=True)
    lines += ["", f"{platform.machine()}, {os.cpu_count()} cores. Made by `python -m benchmarks.explorers`.", ""]
    RESULTS.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
