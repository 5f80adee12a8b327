"""The engine inside nbgrader's own `autograde`, and so behind formgrader's *Autograde* button.

In the course's `nbgrader_config.py`, as `dlcourse start --instructor` lays it out:

    c.Autograde.autograde_preprocessors = ["autograder.engine.preprocessor.GradeOutside"]
    c.GradeOutside.timeout = 30

What is done is what `dlcourse grade --student … --regrade` does: sandbox, journal, gradebook, late penalties.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Enum, Float, Integer

from .run import grade_class
from .store.course import open_course
from .tasks import Settings


class GradeOutside(NbGraderPreprocessor):
    """Grade the whole submission of a sanitized notebook, and give what was assembled for this notebook."""

    isolation = Enum(["bwrap", "process"], default_value="bwrap", help="how the student's code is walled in").tag(
        config=True
    )
    timeout = Float(Settings.timeout, help="seconds for one cell or check").tag(config=True)
    memory = Integer(Settings.memory, help="MB of memory for the student's code").tag(config=True)
    figures = Bool(False, help="draw every figure, not only those that a person grades").tag(config=True)

    # nbgrader makes a preprocessor for every notebook of a submission, and writes its own draft of each over ours
    _assembled: ClassVar[dict[tuple[str, ...], dict[str, Any]]] = {}

    def preprocess(self, nb: Any, resources: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        from nbformat import from_dict

        marks = resources["nbgrader"]
        course = open_course(self.parent.parent.coursedir.root, marks["db_url"])
        whose = str(course.root), marks["student"], marks["assignment"]
        if (*whose, marks["notebook"]) not in self._assembled:
            # From the submitted files: what nbgrader has sanitized keeps tags, lets cells be missing and prefers the last of two
            self._grade(course, marks["student"], marks["assignment"])
            for path in course.folder("autograded", marks["student"], marks["assignment"]).glob("*.ipynb"):
                self._assembled[*whose, path.stem] = json.loads(path.read_text(encoding="utf-8"))
        return from_dict(self._assembled.pop((*whose, marks["notebook"]))), resources

    def _grade(self, course, student, assignment):
        from nbgrader.converters.base import NbGraderException

        settings = Settings.with_timeout(
            self.timeout, isolation=self.isolation, memory=self.memory, figures=self.figures
        )
        summary = grade_class(course, assignment, [student], settings, workers=1, regrade=True)
        for _, sentence in summary.needs_review:
            self.log.warning("%s: %s", student, sentence)
        if not summary.complete:
            raise NbGraderException(summary.problem or summary.failed[student])
