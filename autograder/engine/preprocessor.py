"""The sandboxed grader inside plain `nbgrader autograde`.

In the course's `nbgrader_config.py`, in place of nbgrader's `Execute`:

    from nbgrader.preprocessors import AssignLatePenalties, CheckCellMetadata, LimitOutput, SaveAutoGrades
    c.Autograde.autograde_preprocessors = [
        "autograder.engine.preprocessor.GradeOutside", LimitOutput, SaveAutoGrades, AssignLatePenalties, CheckCellMetadata]
    c.GradeOutside.timeout = 30

Scores are those of `dlcourse grade`; one submission is graded at a time, and nothing is journalled.
"""

from __future__ import annotations

from typing import Any, ClassVar

from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Enum, Float, Integer

from . import ingest
from .assemble import assemble, record_of
from .store import gradebook
from .store.course import open_course
from .tasks import Settings


class GradeOutside(NbGraderPreprocessor):
    """Run a sanitized notebook in the sandbox, judge its answers outside, leave the scores where nbgrader reads them."""

    isolation = Enum(["bwrap", "process"], default_value="bwrap", help="how the student's code is walled in").tag(
        config=True
    )
    timeout = Float(Settings.timeout, help="seconds for one cell or check").tag(config=True)
    memory = Integer(Settings.memory, help="MB of memory for the student's code").tag(config=True)
    figures = Bool(False, help="draw every figure, not only those that a person grades").tag(config=True)

    def preprocess(self, nb: Any, resources: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        from nbformat import from_dict

        marks = resources["nbgrader"]
        course = open_course(self.parent.parent.coursedir.root, marks["db_url"])
        saved = gradebook.saved_cells(course.db_url, marks["assignment"])
        assignment = ingest.load_assignment(course, marks["assignment"], saved)
        submission = ingest.read_submission(course, marks["student"], marks["assignment"])
        submission = ingest.fit(submission, assignment)
        # From the file itself: what nbgrader has sanitized keeps tags, lets cells be missing and prefers the last of two
        (made,) = (
            made for made in ingest.rebuild_submission(assignment, submission) if made.master.name == marks["notebook"]
        )
        grader = self._grader()
        results = {
            task.notebook: grader.grade(task) for task in ingest.make_tasks(assignment, submission, [made], course.seed)
        }
        record = record_of(submission, assignment, [made], results, ("", "", ""), self.isolation, "")
        for sentence in record.needs_review:
            self.log.warning("%s: %s", marks["student"], sentence)
        return from_dict(assemble(made, results.get(made.master.name), record, record.key)), resources

    _graders: ClassVar[dict[Any, Any]] = {}

    def _grader(self):
        """One grader for the whole of nbgrader's run: it makes a new preprocessor for every notebook."""
        import atexit

        from .grader import Grader

        settings = Settings.with_timeout(
            self.timeout, isolation=self.isolation, memory=self.memory, figures=self.figures
        )
        if settings not in self._graders:
            self._graders[settings] = Grader(settings)
            atexit.register(self._graders[settings].close)
        return self._graders[settings]
