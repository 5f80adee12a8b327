"""The hostile corpus the whole way, between honest neighbours: the neighbours' scores are those of a class without it."""

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from attacks import hostile
from attacks.assignment import ASSIGNMENT
from attacks.observe import running

pytest.importorskip("nbgrader")
import soak

from autograder.commands import results
from autograder.engine.store.course import open_course
from autograder.engine.store.journal import latest_records

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap (apt install bubblewrap)"),
]
ROOT = Path(__file__).resolve().parents[1]
# A record of an honest submission is a few kB
# MB: every large file of the corpus is in one class, and the largest submission is held a few times on its way to a worker
LARGEST_MEMORY = 512
LARGEST_RECORD, LARGEST_NOTEBOOK, LARGEST_PAGE = 12_000_000, 25_000_000, 3_000_000


def test_the_corpus_is_large():
    assert len({attack.slug for attack in hostile.HOSTILE}) == len(hostile.HOSTILE) >= 200


@pytest.fixture(scope="module")
def wanted(tmp_path_factory):
    """What the honest answers are worth without anybody hostile."""
    return soak.alone(tmp_path_factory.mktemp("alone"))


@pytest.fixture
def own_temporary(tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


def test_a_class_with_all_of_them(tmp_path, wanted, own_temporary, capsys):
    course, students = soak.make(tmp_path, 12, hostile.HOSTILE)
    graded = soak.grade(course)
    found = soak.outcome(course, students, hostile.HOSTILE, wanted, graded, LARGEST_MEMORY)
    assert {key: value for key, value in found.items() if value} == {}
    summary = graded[0]
    # What cannot be read, and a time that cannot, is named to a person
    named = {student for student, _ in summary["needs_review"]}
    unread = {a.folder for a in hostile.HOSTILE if a.score == 0 and a.expected_verdicts}
    assert unread | {attack.folder for attack in hostile.TIMING} <= named
    assert not {student for student in named if student.startswith("honest")}
    # Everything is bounded
    place = open_course(course)
    assert max(map(len, (course / "records" / f"{ASSIGNMENT}.jsonl").read_bytes().splitlines())) < LARGEST_RECORD
    notebooks = {
        path: path.stat().st_size for path in (course / "autograded").rglob(f"{ASSIGNMENT}.ipynb") if path.is_file()
    }
    assert max(notebooks.values()) < LARGEST_NOTEBOOK
    assert not any(b"left-hostile" in os.fsencode(name) for name in os.listdir("/dev/shm"))
    # Pages, report, exports
    assert results.feedback(ASSIGNMENT, str(course)) == 0
    pages = sorted((course / "feedback").rglob(f"{ASSIGNMENT}.html"))
    assert len(pages) == len(list(latest_records(place, ASSIGNMENT)))
    for page in pages:
        assert page.stat().st_size < LARGEST_PAGE and running(page.read_text(encoding="utf-8")) == [], page
    assert results.report(ASSIGNMENT, str(course)) == 0
    assert running((course / "reports" / f"{ASSIGNMENT}.html").read_text(encoding="utf-8")) == []
    capsys.readouterr()
    assert results.report(ASSIGNMENT, str(course), json=True) == 0
    data = json.loads(capsys.readouterr().out)
    refused = {attack.folder for attack in hostile.HOSTILE if not attack.expected_verdicts}
    assert set(data["left_open"]) == {name.encode("utf-8", "backslashreplace").decode() for name in refused}
    for kind in ("nbgrader", "canvas", "moodle"):
        assert results.export(ASSIGNMENT, str(course), kind, str(tmp_path / "grades.csv")) == 0
        with (tmp_path / "grades.csv").open(encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "＝"))]
    # Once more: nothing has changed, so nothing is graded
    again = soak.grade(course)[0]
    assert not again["graded"] and again["unchanged"] == len(summary["graded"]) and not again["failed"]


def test_a_small_soak(tmp_path):
    """60 of which 6 are hostile, in another process, whose memory counts."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", "60"], cwd=ROOT, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing else differs, nothing is left" in done.stdout


# --- another database, another user -----------------------------------------------------------------------------------

ORDINARY = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--", sys.executable)


def ordinary_user():
    """The command that starts Python without root's rights: in a namespace where this user is nobody in particular."""
    if os.getuid():
        return (sys.executable,)
    if shutil.which("unshare") is None or subprocess.run([*ORDINARY, "-c", "0"], capture_output=True).returncode:
        pytest.skip("root cannot give up its rights here (unshare --user)")
    return ORDINARY


def release(course):
    """Put the assignment into the configured database: that is done by releasing it."""
    import nbformat
    from attacks.assignment import instructor_notebook

    from autograder import demo
    from autograder.engine.store import gradebook

    shutil.rmtree(course / "release")
    nbformat.write(instructor_notebook(), course / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    with gradebook.alembic_on_path(), demo.nbgrader_api(course) as api:
        assert api.generate_assignment(ASSIGNMENT, force=True, create=True)["success"]


def on(url):
    """The lines of a course's configuration that choose its database."""
    return f"\nc.CourseDirectory.db_url = {url!r}\nc.NbGrader.db_url = {url!r}\n"


@pytest.mark.skipif(os.getuid() != 0, reason="needs root")
def test_as_root_on_postgresql(tmp_path, wanted, postgres, request):
    config = on(postgres())
    # After the database, which another user runs and must reach
    request.getfixturevalue("own_temporary")
    chosen = [*hostile.FILES[1::6], *hostile.NAMES]
    course, students = soak.make(tmp_path, 4, chosen, config)
    release(course)
    found = soak.outcome(course, students, chosen, wanted, soak.grade(course, workers=1))
    assert {key: value for key, value in found.items() if value} == {}


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_as_an_ordinary_user_on_each_database(tmp_path, wanted, request, database):
    """Those whose files and names matter to a user without rights and to a database."""
    command = ordinary_user()
    config = on(request.getfixturevalue("postgres")()) if database == "postgresql" else ""
    # After the database, which another user runs and must reach
    request.getfixturevalue("own_temporary")
    chosen = [*hostile.FILES[::3], *hostile.TIMING[::4], *hostile.NAMES]
    course, students = soak.make(tmp_path, 4, chosen, config)
    if database == "postgresql":
        release(course)
    # Folders and files that this user may not enter or read
    closed = course / "submitted" / "closed"
    (closed / ASSIGNMENT).mkdir(parents=True)
    (closed / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").write_text("{}")
    unreadable = course / "submitted" / "unreadable" / ASSIGNMENT
    unreadable.mkdir(parents=True)
    shutil.copy(course / "submitted" / students[0] / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", unreadable)
    (unreadable / f"{ASSIGNMENT}.ipynb").chmod(0)
    closed.chmod(0)
    try:
        graded = soak.grade(course, workers=1, command=command)
    finally:
        closed.chmod(0o700)
    assert graded[0]["refused"].pop("closed") == "what was handed in cannot be opened (Permission denied)"
    why = f"{ASSIGNMENT}.ipynb was not graded: a link or nothing that can be read"
    assert ["unreadable", why] in graded[0]["needs_review"]
    found = soak.outcome(course, students, chosen, wanted, graded)
    assert {key: value for key, value in found.items() if value} == {}
