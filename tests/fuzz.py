"""`make fuzz` makes hostile input at random for as long as it is told: `MINUTES=240 make fuzz`.

Each round takes examples that no round before had. What fails is shown as the smallest example that fails, kept in
`.hypothesis`, and tried first the next time; the exit status is then 1.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(minutes):
    end, rounds = time.monotonic() + 60 * minutes, 0
    while rounds == 0 or time.monotonic() < end:
        rounds += 1
        seed = int.from_bytes(os.urandom(4), "big")
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:randomly", "tests/test_fuzz.py"]
        print(f"round {rounds}, --hypothesis-seed={seed}", flush=True)
        done = subprocess.run(
            [*command, f"--hypothesis-seed={seed}"], cwd=ROOT, env=os.environ | {"DLCOURSE_FUZZ": "5"}
        )
        if done.returncode:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
