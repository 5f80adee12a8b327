"""How fast the course is in a browser tab: `python -m benchmarks.lite` writes `lite.md` beside this file.

A server on this machine sends at most 50 Mbit/s; a fresh headless Chromium is the visitor. The goal: from the first click
to the first check 30 s, every lesson 60 s.
"""

import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "lite.md"
LINE = 50e6 / 8
CHECK = """
import numpy as np
from autograder import case, check

def preactivation(X, w, b):
    return X @ w + b

check("neurons.preactivation", preactivation)
"""
ASSIGNMENT = "assignments/neurons/neurons.ipynb"


def processor_seconds(root):
    """What the processes below one have used so far, the ended ones that it waited for included."""
    children, used = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(folder.name))
        used[int(folder.name)] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    total, todo = 0.0, list(children.get(root, []))
    while todo:
        one = todo.pop()
        total += used.get(one, 0.0)
        todo += children.get(one, [])
    return total


def memory(root):
    """Megabytes of the largest process below one that a page of Chromium's is: the page with its Python."""
    sizes = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"--type=renderer" in (folder / "cmdline").read_bytes():
                sizes.append(int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6)
        except OSError:
            continue
    return max(sizes, default=0.0)


def visit(page, server, tab, path=ASSIGNMENT):
    """{"seconds", "processor", "megabytes"} from the click on a link to the first check's answer."""
    server.sent.clear()
    begun, used = time.monotonic(), processor_seconds(os.getpid())
    tab.open_notebook(page, server.address, path)
    opened = time.monotonic()
    said = tab.run(page, CHECK)
    if not said["text"].startswith("✓"):
        raise SystemExit(f"the first check says: {said}")
    return {
        "seconds": time.monotonic() - begun,
        "opened": opened - begun,
        "processor": processor_seconds(os.getpid()) - used,
        "megabytes": sum(server.sent.values()) / 1e6,
    }


def lesson(page, server, tab, name, notebook):
    """Seconds of a lesson's cells in a kernel that has started."""
    tab.open_notebook(page, server.address, f"lessons/{name}.ipynb")
    begun = time.monotonic()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            said = tab.run(page, "".join(cell["source"]))
            if said["error"] and "raises-exception" not in cell["metadata"].get("tags", []):
                raise SystemExit(f"{name}: {said['error']}")
    return time.monotonic() - begun


def main():
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
    import tab
    from test_browser import CHROMIUM, FLAGS
    from test_lite import BROWSERS_OWN

    from autograder import build
    from autograder.build import lite
    from autograder.build.pyodide import pyodide_files

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        begun = time.monotonic()
        lite.build_site(place / "lite", pyodide_files(build.ROOT / "build"))
        rows = [f"| the site, built in {time.monotonic() - begun:.0f} s | {size(place):.0f} MB |"]
        elsewhere = tab.Elsewhere()
        with tab.Server(place, LINE) as server, tab.tab(place / "profile", CHROMIUM, [*FLAGS, elsewhere.flag]) as page:
            for which in ("first", "second"):
                one = visit(page, server, tab)
                rows.append(
                    f"| {which} visit: from the click to the first check | {one['seconds']:.1f} s, {one['megabytes']:.1f} MB,"
                    f" {one['processor']:.1f} s of processor time |"
                )
                print(which, json.dumps(one), flush=True)
                page.wait_for_timeout(5000)
            rows.append(f"| memory of the page and its Python | {memory(os.getpid()):.0f} MB |")
            for slug in build.existing_lessons():
                name = build.lesson_name(slug)
                notebook = json.loads((build.LESSONS / f"{name}.ipynb").read_text(encoding="utf-8"))
                rows.append(f"| lesson {name} | {lesson(page, server, tab, name, notebook):.1f} s |")
                print(rows[-1], flush=True)
        asked = [line for line in elsewhere.asked if not any(host in line for host in BROWSERS_OWN)]
        rows.append(f"| requests of the pages to other hosts | {len(asked)} |")
    text = f"# The course in a tab\n\n{platform.processor() or platform.machine()}, {os.cpu_count()} cores, 50 Mbit/s.\n\n| | |\n| --- | ---: |\n"
    RESULTS.write_text(text + "\n".join(rows) + "\n", encoding="utf-8")
    print(RESULTS.read_text(encoding="utf-8"))


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


if __name__ == "__main__":
    main()
