"""A control group for each child, where this machine has delegated one: the kernel then limits the whole box by itself.

Only version 2 is used, and only where the controllers of memory and of tasks are handed on to the folder beside our own
(root on most machines; a user's systemd session; a container with a writable /sys/fs/cgroup). See cgroups(7).
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..tasks import Settings

NEEDED = {"memory", "pids"}
_PERIOD = 100_000
_numbers = itertools.count()


@functools.cache
def home() -> Path | None:
    """The folder in which groups can be made, or None: our own group's, or the nearest above it that has what is needed."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
        own = Path("/proc/self/cgroup").read_text(encoding="utf-8")
    except OSError:
        return None
    mounted = re.search(r"^\S+ (\S+) cgroup2 ", mounts, re.M)
    group = re.search(r"^0::/(.*)$", own, re.M)
    return _within(Path(mounted[1]), group[1]) if mounted and group else None


def _within(root, group):
    folder = root / group
    for place in (folder, *folder.parents):
        with contextlib.suppress(OSError):
            given = (place / "cgroup.subtree_control").read_text().split()
            if set(given) >= NEEDED and os.access(place, os.W_OK) and os.access(place / "cgroup.procs", os.W_OK):
                return place
        if place == root:
            break
    return None


def remove_stale() -> None:
    """Remove the groups of processes that were killed before they could."""
    place = home()
    for folder in place.glob("dlcourse-*-*") if place is not None else ():
        pid = folder.name.split("-")[1]
        if pid.isdecimal() and not Path("/proc", pid).exists():
            with contextlib.suppress(OSError):
                (folder / "cgroup.kill").write_text("1")
            with contextlib.suppress(OSError):
                folder.rmdir()


class Group:
    """The control group of one child: made empty, entered by the child itself, ended and removed by `close`."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder / f"dlcourse-{os.getpid()}-{next(_numbers)}"
        self.folder.mkdir()
        try:
            limits: dict[str, Any] = {
                "memory.max": settings.memory * 2**20,
                "memory.swap.max": 0,
                "memory.oom.group": 1,
                "pids.max": settings.processes,
                "cpu.max": f"{_PERIOD} {_PERIOD}",
            }
            for name, value in limits.items():
                # Not every kernel has swap, not every home hands on the processor
                if (self.folder / name).exists():
                    (self.folder / name).write_text(str(value))
            # The child enters by this file, opened with our rights
            self.entrance = os.open(self.folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            self.folder.rmdir()
            raise

    def entered(self) -> bool:
        """Whether a process is in it."""
        return bool((self.folder / "cgroup.procs").read_text().strip())

    def used(self) -> dict[str, float]:
        """What the kernel knows of it: "memory" (peak MB), "cpu" (seconds), "killed" (it reached its limit of memory).

        Where the whole machine is short of memory the kernel counts a kill too, but not that this limit was reached.
        """
        found = {}
        with contextlib.suppress(OSError, ValueError):
            found["memory"] = int((self.folder / "memory.peak").read_text()) / 2**20
        for file, word, key, unit in (
            ("cpu.stat", "usage_usec", "cpu", 1e6),
            ("memory.events", "oom_kill", "killed", 1),
            ("memory.events", "oom", "reached", 1),
        ):
            with contextlib.suppress(OSError):
                line = re.search(rf"^{word} (\d+)$", (self.folder / file).read_text(), re.M)
                if line:
                    found[key] = int(line[1]) / unit
        if not found.pop("reached", 0):
            found.pop("killed", None)
        return found

    def close(self) -> None:
        """End what is left in it, and remove it."""
        os.close(self.entrance)
        with contextlib.suppress(OSError):
            (self.folder / "cgroup.kill").write_text("1")
        for _ in range(100):
            try:
                self.folder.rmdir()
                return
            except FileNotFoundError:
                return
            except OSError:
                # Processes that were ended a moment ago still count
                time.sleep(0.01)
