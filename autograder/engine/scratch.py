"""Temporary folders that do not outlive the run: one whose process was killed is removed by the next run.

A folder holds a file that its process keeps locked. The kernel opens the lock however the process ends, so a process that can
lock the file knows that nobody uses the folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:
    # Windows: there the folders of a killed run stay
    fcntl = None  # type: ignore[assignment]

PREFIX = "dlcourse-"
LOCK = ".in-use"


class Scratch:
    """A new temporary folder, at `path` until `close`; in the system's folder for such, or in another one."""

    def __init__(self, folder: Path | None = None, prefix: str = PREFIX) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
        # Another run sees the file only when it is locked
        draft = self.path / f"{LOCK}.new"
        self.lock: Any = _locked(draft, os.O_CREAT | os.O_EXCL)
        if self.lock is not None:
            draft.rename(self.path / LOCK)

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None


def remove_stale(folder: Path | None = None, prefix: str = PREFIX) -> None:
    """Remove the folders of this user's processes that have ended without doing so."""
    if fcntl is None:
        return
    for path in Path(folder or tempfile.gettempdir()).glob(f"{prefix}*/{LOCK}"):
        stale = path.parent
        with contextlib.suppress(OSError):
            if stale.is_symlink() or stale.stat().st_uid != os.getuid():
                continue
            handle = _locked(path)
            if handle is not None:
                shutil.rmtree(stale, ignore_errors=True)
                os.close(handle)


def _locked(file, flags=0):
    """The open, locked file; None where another process holds it, or nothing can be locked."""
    if fcntl is None:
        return None
    handle = os.open(file, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | flags, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
