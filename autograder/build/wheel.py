"""A step of the wheel's build: the lessons go into the package, where `autograder.places` looks for them.

Loaded by setuptools from the text of pyproject.toml, so it imports nothing of the project.
"""

import shutil
from pathlib import Path

from setuptools.command.build_py import build_py


class LessonsToo(build_py):
    """setuptools' build_py, and `notebooks/*.ipynb` as `autograder/lessons/*.ipynb`."""

    def run(self):
        super().run()
        # An editable installation uses the clone's
        if not self.editable_mode:
            target = Path(self.build_lib) / "autograder" / "lessons"
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree("notebooks", target, ignore=shutil.ignore_patterns("source", ".*", "*.new.ipynb"))
