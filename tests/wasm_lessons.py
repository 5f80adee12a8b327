"""Run in WebAssembly by `tests.wasm`: the code cells of notebooks, and how long they take there.

python -m tests.wasm --with matplotlib,ipython tests/wasm_lessons.py NOTEBOOK …
"""

import json
import os
import sys
from pathlib import Path

os.environ["MPLBACKEND"] = "agg"

import js
from IPython.core.interactiveshell import InteractiveShell


def processor_seconds():
    return js.process.cpuUsage().user / 1e6


shell = InteractiveShell.instance()
for name in sys.argv[1:]:
    shell.reset()
    begun = processor_seconds()
    for number, cell in enumerate(json.loads(Path(name).read_text(encoding="utf-8"))["cells"]):
        if cell["cell_type"] != "code":
            continue
        since = processor_seconds()
        ran = shell.run_cell("".join(cell["source"]))
        seconds = processor_seconds() - since
        if ran.error_before_exec or ran.error_in_exec:
            sys.exit(f"{name}: cell {number} failed")
        if seconds > 2:
            print(f"  cell {number}: {seconds:.1f} s", flush=True)
    print(f"{Path(name).name}: {processor_seconds() - begun:.1f} s", flush=True)
