"""The version of everything that decides about points: the same key is never graded twice, another one always is."""

import functools
import hashlib
from pathlib import Path

from ..checks import registry

PACKAGES = Path(__file__).resolve().parents[2]
# What the points of a submission depend on
CHECKS = (
    # All of it: a module that is forgotten here would leave old points as they are
    "autograder/checks/*.py",
    "autograder/exercises/**/*.py",
    "autograder/engine/assemble.py",
    "autograder/engine/grader.py",
    "autograder/engine/remarks.py",
    "autograder/engine/ingest/*.py",
    "autograder/engine/sandbox/*.py",
    "autograder/engine/tasks.py",
    "dlcourse/*.py",
    "dlcourse/kernels/*.py",
    "dlcourse/networks/*.py",
)


def checks_version() -> str:
    """Hash of everything that decides about points: in the packages, and in the teacher's own exercises."""
    own = registry.version()
    return hashlib.sha256(f"{_packages()} {own}".encode()).hexdigest() if own else _packages()


@functools.cache
def _packages():
    digest = hashlib.sha256()
    for pattern in CHECKS:
        for path in sorted(PACKAGES.glob(pattern)):
            digest.update(str(path.relative_to(PACKAGES)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
