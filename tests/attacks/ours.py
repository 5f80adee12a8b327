"""The same submissions through this project's engine, and what is left behind when each has been graded."""

import contextlib
import dataclasses
import json
import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from autograder.engine import assemble, ingest
from autograder.engine.grader import Grader
from autograder.engine.store import gradebook
from autograder.engine.store.course import name_problem, open_course
from autograder.engine.tasks import Settings
from autograder.reports.feedback import feedback_page

from . import assignment as made
from .assignment import ASSIGNMENT, CHECKS, ENVIRONMENT
from .observe import (
    Listener,
    canaries_in,
    changed,
    descendants,
    fingerprint,
    make_scene,
    mounts,
    planted,
    running,
    system_v,
)

SETTINGS = Settings(timeout=20.0, total=60.0, memory=512, output=50_000, disk=16, processes=8)
# For what has no end; on a busy machine something honest may take so long, too
IMPATIENT = dataclasses.replace(SETTINGS, timeout=1.5, total=15.0)
HONEST = "zoe"
# Of what an attack shows and says: a few cells full of output
KEPT = 2_000_000


@dataclass
class Outcome:
    """What came of one submission.

    refused : why the folder's name cannot be used at all. record, notebook : as the engine keeps them.
    effects : what is not as it was before, one sentence each; must be empty. seconds : of everything.
    """

    score: float = 0.0
    refused: str = ""
    record: object = None
    notebook: dict = field(default_factory=dict)
    effects: list = field(default_factory=list)
    seconds: float = 0.0

    @property
    def verdicts(self):
        """{check: verdict} by the names of `assignment.CHECKS`."""
        if self.record is None:
            return {}
        names = {grade_id: name for name, grade_id in CHECKS.items()}
        return {names[v.grade_id]: v for v in self.record.verdicts if v.grade_id in names}

    @property
    def said(self):
        """Everything that is said about it, as one text."""
        if self.record is None:
            return self.refused
        pieces = [*self.record.needs_review]
        for notebook in self.record.notebooks:
            pieces += [notebook.problem, *notebook.notes, *(verdict.message for verdict in notebook.verdicts)]
        return "\n".join(pieces)


@contextlib.contextmanager
def impatient(grader, attack):
    """In the block the grader waits for an attack without end as long as it takes to see that, for every other patiently."""
    with waiting(grader, IMPATIENT if attack.out_of_time else grader.settings):
        yield


@contextlib.contextmanager
def waiting(grader, settings):
    """In the block the grader has other limits."""
    before, grader.settings = grader.settings, settings
    try:
        yield
    finally:
        grader.settings = before


class Range:
    """A course, a grader that stays warm, and the state of the machine round it."""

    def __init__(self, folder, settings=SETTINGS):
        folder = Path(folder)
        os.environ["DLCOURSE_CANARY"] = ENVIRONMENT
        (folder / "tmp").mkdir()
        self.temporary, tempfile.tempdir = tempfile.tempdir, str(folder / "tmp")
        self.course = open_course(made.make_course(folder / "course"))
        self.listener = Listener()
        self.scene = make_scene(folder, self.course.root, self.listener.port)
        self.released = made.released_notebook(self.course.root)
        self.assignment = ingest.load_assignment(
            self.course, ASSIGNMENT, gradebook.saved_cells(self.course.db_url, ASSIGNMENT)
        )
        made.hand_in(self.course.root, HONEST)
        made.hand_in(self.course.root, "ada", {"gradient": made.WITH_THE_COURSE})
        self.grader = Grader(settings)
        self.alone, self.with_the_course = self.grade(HONEST), self.grade("ada")
        # Notebooks that draw have a separate sandbox; what is started here is not left by an attack
        names = {cell.calls[0] for notebook in self.assignment.notebooks for cell in notebook.cells if cell.calls}
        self.grader.warm(names, plots=True)

    def close(self):
        self.grader.close()
        self.listener.close()
        os.environ.pop("DLCOURSE_CANARY", None)
        tempfile.tempdir = self.temporary

    def grade(self, student):
        """Grade what lies in a student's folder, as a run over the class does it."""
        begun = time.perf_counter()
        problem = name_problem(student)
        if problem:
            return Outcome(refused=problem, seconds=time.perf_counter() - begun)
        submission = ingest.read_submission(self.course, student, ASSIGNMENT)
        rebuilt = ingest.rebuild_submission(self.assignment, submission)
        tasks = ingest.make_tasks(self.assignment, submission, rebuilt, self.course.seed)
        results = {task.notebook: self.grader.grade(task) for task in tasks}
        key = (submission.digest, self.assignment.version, "")
        record = assemble.record_of(submission, self.assignment, rebuilt, results, key, "bwrap", "")
        notebook = assemble.assemble(rebuilt[0], results.get(ASSIGNMENT), record, key)
        return Outcome(record.points, "", record, notebook, seconds=time.perf_counter() - begun)

    def attacked_by(self, attack):
        """Hand the attack in, grade it, grade the honest submission once more; the attack's outcome with its effects."""
        before = self.state()
        folder = attack.write(self.scene, self.released)
        handed_in = fingerprint(folder)
        connected = self.listener.connected
        with impatient(self.grader, attack):
            outcome = self.grade(attack.folder)
        if fingerprint(folder) != handed_in:
            outcome.effects.append("the submission itself was changed")
        remove(folder.parent)
        after = self.grade(HONEST)
        if self.verdicts(after) != self.verdicts(self.alone):
            outcome.effects.append(f"the honest submission after it got {after.score:g}: {after.said}")
        outcome.effects += [f"changed: {name}" for name in self.differences(before)]
        if self.listener.connected > connected:
            outcome.effects.append("the network was reached")
        # The hidden tests stand in the graded notebook, which only graders open
        outcome.effects += [f"read: {what}" for what in canaries_in(self.told(outcome))]
        shown = self.pages(outcome) + (self.formgrader_page(outcome) if attack.theme == "showing" else "")
        outcome.effects += [f"would run in a browser: {what}" for what in running(shown)]
        kept = len(json.dumps(outcome.notebook["cells"] if outcome.notebook else "")) + len(outcome.said)
        if kept > KEPT:
            outcome.effects.append(f"{kept // 1_000_000} MB are kept of it")
        return outcome

    @staticmethod
    def verdicts(outcome):
        return [(v.grade_id, v.points, v.verdict, v.message) for v in outcome.record.verdicts]

    def told(self, outcome):
        """All that the student gets to see: the feedback, and what the cells besides the checks have shown."""
        if outcome.record is None:
            return ""
        shown = [
            output
            for cell in outcome.notebook["cells"]
            if not cell["metadata"].get("nbgrader", {}).get("grade")
            for output in cell.get("outputs", [])
        ]
        return json.dumps(shown) + outcome.said + self.page(outcome)

    def page(self, outcome):
        return feedback_page(outcome.record, outcome.record.notebooks[0])

    def pages(self, outcome):
        """All that a browser gets to read as HTML: the feedback, and every output that is neither text nor a picture."""
        if outcome.record is None:
            return ""
        found = [self.page(outcome)]
        for cell in outcome.notebook["cells"]:
            for output in cell.get("outputs", []):
                found += [
                    str(value)
                    for kind, value in output.get("data", {}).items()
                    if kind not in ("text/plain", "image/png")
                ]
        return "\n".join(found)

    def formgrader_page(self, outcome):
        """The graded notebook as nbgrader's formgrader shows it, with the course's own configuration."""
        if outcome.record is None:
            return ""
        import nbformat
        from nbconvert.exporters import HTMLExporter

        return HTMLExporter(config=self.course.config).from_notebook_node(nbformat.from_dict(outcome.notebook))[0]

    def state(self):
        """What no submission may change."""
        return {
            "files": fingerprint(self.course.root, self.scene.safe),
            "mounts": mounts(),
            "processes": descendants(os.getpid()),
            "temporary files": sorted(os.listdir(tempfile.gettempdir())),
            "shared memory": system_v(),
            "files on this machine": planted(),
            "host name": os.uname().nodename,
            "zygotes": sorted(zygote.process.pid for zygote in self.grader.zygotes.values()),
        }

    def differences(self, before, seconds=20.0):
        """Names of what has changed; processes get a moment to end, which a busy machine stretches."""
        end = time.monotonic() + seconds
        while True:
            now = self.state()
            found = [key for key in before if key != "files" and before[key] != now[key]]
            found += changed(before["files"], now["files"])
            if not found or time.monotonic() > end:
                return found
            time.sleep(0.01)


def remove(folder):
    """Remove a submission, whatever rights its files have."""
    import shutil

    for parent, folders, _ in os.walk(folder):
        for name in folders:
            path = os.path.join(parent, name)
            if not os.path.islink(path):
                os.chmod(path, 0o700)
    shutil.rmtree(folder)
