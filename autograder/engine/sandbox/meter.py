"""What a child and everything that it has started hold and use, as the kernel's /proc tells it to the attendant.

See proc_pid_status(5), proc_pid_smaps(5), proc_pid_stat(5).
"""

from __future__ import annotations

import os
import time

# The most that a socket and a pipe can keep for nobody to see: twice the usual buffer with its headers, 16 pages
SOCKET_MB, PIPE_MB = 0.5, 0.0625
SHORTEST, LONGEST, SHARE = 0.05, 1.0, 0.1
_HELD = ("RssAnon:", "RssShmem:", "VmSwap:", "HugetlbPages:", "VmPTE:")
_EXACT = ("Pss_Anon:", "Pss_Shmem:", "SwapPss:", "Shared_Hugetlb:", "Private_Hugetlb:")
_TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class Meter:
    """Measures one child with all its descendants: `held` and its `peak` in MB, `cpu` in seconds.

    An anonymous page that several processes share counts once. Where /proc cannot be read this raises OSError: a limit that
    is not measured is not a limit.
    """

    def __init__(self, child: int) -> None:
        self.child, self.attendant = child, os.getpid()
        self.memory = self.held = self.peak = self.cpu = 0.0
        self.rough: float | None = None
        self.pause = SHORTEST
        _read(f"/proc/{self.attendant}/status", must=True)

    def look(self, limit: float) -> None:
        """Measure now. limit : MB above which the exact number is wanted, however little has changed."""
        begun = time.perf_counter()
        family = self._family()
        rough, hidden = sum(_kilobytes(pid, "status", _HELD) or 0 for pid in family) / 1024, _buffers(family)
        if len(family) < 2 and rough + hidden <= limit:
            # The exact number takes long, and is at most this; the kernel says at the end what one process held
            self.memory = self.rough = rough
        elif self.rough is None or rough + hidden > limit or abs(rough - self.rough) > 0.05 * self.rough:
            self.memory = sum(self._exact(pid) for pid in family) / 1024
            self.rough = rough
        self.held = self.memory + hidden
        self.peak = max(self.peak, self.held)
        # A look at many processes takes a while, and most of the time must be theirs
        self.pause = min(max(SHORTEST, (time.perf_counter() - begun) / SHARE), LONGEST)

    def _exact(self, pid):
        found = _kilobytes(pid, "smaps_rollup", _EXACT)
        return (_kilobytes(pid, "status", _HELD) or 0) if found is None else found

    def _family(self):
        """The child and its descendants; those whose parents have ended belong to it, or to the attendant."""
        children: dict[int, list[int]] = {}
        used = {}
        for name in os.listdir("/proc"):
            if name.isdigit():
                fields = _read(f"/proc/{name}/stat").rpartition(")")[2].split()
                if fields:
                    children.setdefault(int(fields[1]), []).append(int(name))
                    used[int(name)] = sum(map(int, fields[11:15]))
        found = list(children.get(self.attendant, []))
        for pid in found:
            found += children.get(pid, [])
        # What a process used that nobody waited for is lost with it, so the sum may fall
        self.cpu = max(self.cpu, sum(used[pid] for pid in found) / _TICK)
        return found


def _kilobytes(pid, file, keys):
    """The sum of some lines of a process's file; None where it cannot be read."""
    lines = _read(f"/proc/{pid}/{file}").splitlines()
    if not lines:
        return None
    return sum(int(line.split()[1]) for line in lines if line.startswith(keys))


def _buffers(family):
    """MB that the open sockets and pipes of these processes may hold."""
    seen = set()
    for pid in family:
        try:
            for fd in os.listdir(f"/proc/{pid}/fd"):
                seen.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            # It has ended, or is about to: what it had open is closed
            continue
    return sum(
        SOCKET_MB if link.startswith("socket:") else PIPE_MB for link in seen if link.startswith(("socket:", "pipe:"))
    )


def _read(path, must=False):
    """The text of a file of /proc; "" where the process has ended meanwhile."""
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        if must:
            raise
        return ""
