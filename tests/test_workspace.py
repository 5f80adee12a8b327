"""A student's folder: laid out, brought up to date, and nobody's work ever overwritten."""

import json
import os
import re
import subprocess
import sys

import pytest
import typer.testing

from autograder import build, cli, exercises_of, places, progress, start_page, workspace

RUNNER = typer.testing.CliRunner()
LESSON = "lessons/01_neurons.ipynb"
ASSIGNMENT = "assignments/neurons/neurons.ipynb"


def points(slug):
    return f"{sum(one.points for one in exercises_of(slug).values()):g}"


def points_of_the_course():
    """What the checks of all assignments are worth, as nbgrader will count them."""
    notebooks = (json.loads(path.read_text("utf-8")) for path in build.COURSE.glob("release/*/*.ipynb"))
    cells = (cell for notebook in notebooks for cell in notebook["cells"] if "check(" in "".join(cell["source"]))
    return sum(cell["metadata"].get("nbgrader", {}).get("points", 0) for cell in cells)


def dlcourse(*arguments):
    """The command in this process: (status, what is on stdout, what is on stderr)."""
    done = RUNNER.invoke(cli.app, [str(argument) for argument in arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done.exit_code, done.stdout, done.stderr


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def edit(path, change):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    change(notebook)
    path.write_text(json.dumps(notebook), encoding="utf-8")


def write_answer(notebook):
    cell = next(cell for cell in notebook["cells"] if "NotImplementedError" in "".join(cell["source"]))
    cell["source"] = ["def preactivation(X, w, b):\n", "    return X @ w + b"]


def run(notebook):
    """What a front end saves after Run All: outputs, counts, the kernel's description; no text of a person."""
    notebook["metadata"]["language_info"]["version"] = "3.11.2"
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"], cell["outputs"] = 7, []


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Lessons and course of a later version of the project, which a test may change."""
    import shutil

    place = places.find()
    lessons, course = tmp_path / "project" / "lessons", tmp_path / "project" / "course"
    lessons.mkdir(parents=True)
    for path in [*place.lessons.glob("0[01]*.ipynb"), place.lessons / "notes.md"]:
        shutil.copy(path, lessons)
    for slug in ("neurons", "layers"):
        for step, name in (("release", f"{slug}.ipynb"), ("source", f"{slug}.md")):
            (course / step / slug).mkdir(parents=True)
            shutil.copy(place.course / step / slug / name, course / step / slug)
    shutil.copy(place.course / "nbgrader_config.py", course)
    monkeypatch.setattr(places, "find", lambda: places.Places(None, lessons, course))
    monkeypatch.setattr(workspace.dlcourse, "TOPICS", ("neurons", "layers"))
    start_page.catalogue.cache_clear()
    yield tmp_path / "project"
    start_page.catalogue.cache_clear()


def test_a_new_folder_holds_the_course_as_it_is(tmp_path):
    changes = workspace.lay_out(tmp_path / "mine")
    made = contents(tmp_path / "mine")
    for slug in build.lesson_slugs():
        name = f"{build.lesson_name(slug)}.ipynb"
        assert made[f"lessons/{name}"] == (build.LESSONS / name).read_bytes()
    for slug in build.existing_assignments():
        released = build.COURSE / "release" / slug / f"{slug}.ipynb"
        assert made[f"assignments/{slug}/{slug}.ipynb"] == released.read_bytes()
    assert sorted(changes.new) == sorted(set(made) - {".dlcourse.json", ".gitignore"})
    assert made[".gitignore"] == b".dlcourse-progress*\n.ipynb_checkpoints/\n"
    assert str(tmp_path) not in made[".dlcourse.json"].decode()
    again = workspace.lay_out(tmp_path / "mine")
    assert not (again.new or again.updated or again.beside) and contents(tmp_path / "mine") == made


def test_every_link_of_a_lesson_and_an_assignment_leads_to_a_file_of_the_folder(tmp_path):
    workspace.lay_out(tmp_path)
    both = set()
    for path in tmp_path.rglob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        for target in re.findall(r"\]\((?!https?://)([^)#\s]+)", text):
            assert (path.parent / target).is_file(), f"{path.name}: {target}"
            both.add((path.name, target))
    for one in start_page.catalogue()[1:]:
        lesson = one.notebook.rpartition("/")[2]
        assert (lesson, f"../{one.assignment}") in both, f"{one.slug}: no link to the assignment"
        assert (f"{one.slug}.ipynb", f"../../{one.notebook}") in both, f"{one.slug}: no link to the lesson"


def test_what_was_only_run_is_replaced_and_what_was_written_stays(tmp_path, course):
    mine = tmp_path / "mine"
    workspace.lay_out(mine)
    edit(mine / LESSON, run)
    edit(mine / ASSIGNMENT, write_answer)
    before = contents(mine)
    # The course did not change: nothing happens to either
    assert workspace.lay_out(mine) == workspace.Changes(mine) and contents(mine) == before

    edit(course / "lessons" / "01_neurons.ipynb", lambda n: n["cells"][0].update(source="# 1 · One neuron"))
    edit(course / "course" / "release" / "neurons" / "neurons.ipynb", lambda n: n["cells"][0].update(source="# New"))
    start_page.catalogue.cache_clear()
    beside = "assignments/neurons/neurons.new.ipynb"
    changes = workspace.lay_out(mine)
    assert (changes.new, changes.updated, changes.beside) == ([], [LESSON], {ASSIGNMENT: beside})
    after = contents(mine)
    assert after[LESSON] == (course / "lessons" / "01_neurons.ipynb").read_bytes()
    assert after[ASSIGNMENT] == before[ASSIGNMENT]
    assert after[beside] == (course / "course" / "release" / "neurons" / "neurons.ipynb").read_bytes()
    # Said once
    assert workspace.lay_out(mine) == workspace.Changes(mine) and contents(mine) == after


def test_a_new_version_that_was_written_in_stays_too(tmp_path, course):
    mine = tmp_path / "mine"
    workspace.lay_out(mine)
    released = course / "course" / "release" / "neurons" / "neurons.ipynb"
    edit(mine / ASSIGNMENT, write_answer)
    edit(released, lambda n: n["cells"][0].update(source="# Second"))
    workspace.lay_out(mine)
    edit(mine / "assignments/neurons/neurons.new.ipynb", write_answer)
    before = contents(mine)
    edit(released, lambda n: n["cells"][0].update(source="# Third"))
    assert workspace.lay_out(mine).beside == {ASSIGNMENT: "assignments/neurons/neurons.new2.ipynb"}
    after = contents(mine)
    assert {name: after[name] for name in before if name != ".dlcourse.json"} == {
        name: data for name, data in before.items() if name != ".dlcourse.json"
    }


def test_a_file_that_was_deleted_comes_back(tmp_path, course):
    workspace.lay_out(tmp_path / "mine")
    (tmp_path / "mine" / LESSON).unlink()
    assert workspace.lay_out(tmp_path / "mine").new == [LESSON]


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"files": {"lessons/01_neurons.ipynb": 3}}'])
def test_without_a_readable_manifest_everything_that_differs_counts_as_the_students(tmp_path, course, damage):
    mine = tmp_path / "mine"
    workspace.lay_out(mine)
    (mine / ".dlcourse.json").write_bytes(damage)
    (mine / LESSON).write_text("no notebook at all")
    assert workspace.lay_out(mine).beside == {LESSON: "lessons/01_neurons.new.ipynb"}
    assert (mine / LESSON).read_text() == "no notebook at all"


def test_a_folder_of_somebody_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    status, out, err = dlcourse("start", tmp_path)
    assert (status, out) == (2, "")
    assert err == (
        f"error: {tmp_path} is not empty, and dlcourse start did not make it: name an empty folder or a new one\n"
    )
    assert dlcourse("start", tmp_path / "thesis.txt") == (
        2,
        "",
        f"error: {tmp_path / 'thesis.txt'} is a file; name a folder\n",
    )
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}


def test_a_folder_that_was_laid_out_by_half_is_finished(tmp_path, course, monkeypatch):
    def full(path, data):
        if path.name == "01_neurons.ipynb":
            raise OSError(28, "No space left on device", str(path))
        progress.write_whole(path, data)

    monkeypatch.setattr(workspace, "write_whole", full)
    status, _, err = dlcourse("start", tmp_path / "mine")
    assert (status, err) == (1, f"error: {tmp_path / 'mine' / LESSON} cannot be written: No space left on device\n")
    monkeypatch.undo()
    workspace.lay_out(tmp_path / "mine")
    assert (tmp_path / "mine" / LESSON).is_file()


def test_hidden_files_do_not_make_a_folder_somebody_elses(tmp_path, course):
    (tmp_path / "mine" / ".git").mkdir(parents=True)
    assert "start.ipynb" in workspace.lay_out(tmp_path / "mine").new


def test_start_says_what_it_did(tmp_path, course):
    mine = tmp_path / "mine"
    assert dlcourse("start", mine) == (
        0,
        f"{mine}: 6 files laid out\nOpen it with: dlcourse lab --folder {mine}\n",
        "",
    )
    edit(mine / ASSIGNMENT, write_answer)
    for path in (course / "course" / "release" / "neurons" / "neurons.ipynb", course / "lessons" / "00_notation.ipynb"):
        edit(path, lambda n: n["cells"][0].update(source="# New"))
    status, out, _ = dlcourse("start", mine)
    assert status == 0 and out.splitlines()[:2] == [
        f"{mine}: brought up to date: lessons/00_notation.ipynb",
        f"{ASSIGNMENT} holds your work and is kept; the course's new version is beside it: assignments/neurons/neurons.new.ipynb",
    ]
    assert dlcourse("start", mine)[1].startswith(f"{mine}: nothing new\n")


def test_a_folder_in_the_clone_is_ignored_by_git_as_a_whole(tmp_path):
    clone = tmp_path / "clone"
    (clone / "work").mkdir(parents=True)
    workspace._keep_out_of_git(clone / "work", clone)
    assert (clone / "work" / ".gitignore").read_text() == "*\n"
    done = subprocess.run(
        ["git", "check-ignore", "my-dlcourse/start.ipynb", ".dlcourse-progress.json"],
        cwd=build.ROOT,
        capture_output=True,
        text=True,
    )
    if done.returncode == 128:
        pytest.skip("not a git checkout")
    assert done.stdout.split() == ["my-dlcourse/start.ipynb", ".dlcourse-progress.json"]


def test_the_folder_is_found_from_inside_it(tmp_path, course, monkeypatch):
    workspace.lay_out(tmp_path / "my-dlcourse")
    for place in ("my-dlcourse/assignments/neurons", "my-dlcourse", "."):
        monkeypatch.chdir(tmp_path / place)
        assert workspace.find() == tmp_path / "my-dlcourse"
    monkeypatch.chdir(course)
    assert workspace.find() == course / "my-dlcourse"
    monkeypatch.undo()
    monkeypatch.chdir(course)
    assert workspace.find() == build.ROOT / "my-dlcourse"


def test_a_teachers_folder_releases_what_stands_in_it(tmp_path):
    status, out, err = dlcourse("start", "--instructor", tmp_path / "course")
    assert (status, err) == (0, "") and out == (
        f"{tmp_path / 'course'}: 14 files laid out\nGo on there: cd {tmp_path / 'course'}, then dlcourse release neurons\n"
    )
    made = contents(tmp_path / "course")
    assert set(made) == {".dlcourse-course.json", "nbgrader_config.py"} | {
        f"source/{slug}/{slug}.md" for slug in build.existing_assignments()
    }
    assert dlcourse("start", "--instructor")[0] == 2
    own = tmp_path / "course" / "source" / "neurons" / "neurons.md"
    own.write_text(own.read_text(encoding="utf-8").replace("# Assignment: neurons", "# Sheet 1"), encoding="utf-8")
    path = build.write_instructor_notebook("neurons", tmp_path / "course")
    assert json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"][0] == "# Sheet 1\n"
    assert json.loads(build.write_instructor_notebook("layers", tmp_path / "other").read_text(encoding="utf-8"))


# --- the start page -------------------------------------------------------------------------------------------------


def page_output(folder):
    cell = json.loads((folder / "start.ipynb").read_text(encoding="utf-8"))["cells"][1]
    assert "".join(cell["source"]) == "from autograder import start_page\n\nstart_page.show()"
    return cell["outputs"][0]["data"]["text/markdown"]


def test_the_start_page_links_every_lesson_and_assignment_and_shows_times(tmp_path):
    import nbformat

    workspace.lay_out(tmp_path / "mine")
    nbformat.validate(nbformat.read(tmp_path / "mine" / "start.ipynb", as_version=4))
    text = page_output(tmp_path / "mine")
    links = [part.partition(")")[0] for part in text.split("](")[1:]]
    assert len(links) == 14 + 13 and all((tmp_path / "mine" / link).is_file() for link in links)
    assert all(5 <= one.minutes <= 50 for one in start_page.catalogue())
    assert (
        "| ○ | [1 · Neurons](lessons/01_neurons.ipynb) | 30 min | "
        f"[{len(exercises_of('neurons'))} exercises](assignments/neurons/neurons.ipynb)" in text
    )


def test_the_points_of_the_page_are_those_of_the_assignments():
    from autograder.checks.exercise import exercises_of

    for one in start_page.catalogue()[1:]:
        assert one.exercises == {name: exercise.points for name, exercise in exercises_of(one.slug).items()}


def test_the_page_and_the_command_show_what_was_reached(tmp_path):
    mine = tmp_path / "mine"
    workspace.lay_out(mine)
    inner = mine / "assignments" / "layers"
    progress.record(None, "neurons.preactivation", 1, 1, True, inner)
    progress.record(None, "losses.half_squared_error", 0.5, 1, False, inner)
    status, out, _ = dlcourse("progress", "--folder", mine, "--done", "notation")
    assert status == 0
    assert "| ✓ | 0 · Notation                | 25 min |" in out
    assert f"30 min |             1 | {points('neurons')} | neurons.perceptron_predict" in out
    assert f"1.5 of {points_of_the_course()} points of the checks so far, 1 of 14 lessons ticked" in out
    text = page_output(mine)
    assert (
        "| ✓ | [0 · Notation]" in text
        and f"(assignments/layers/layers.ipynb), 165 min | 0.5 of {points('layers')} |" in text
    )
    status, out, _ = dlcourse("progress", "--folder", mine, "--undo", "notation", "--json")
    data = json.loads(out)
    assert (data["points"], data["max_points"], data["lessons"][0]["done"]) == (1.5, points_of_the_course(), False)
    assert data["lessons"][2]["exercises"]["losses.half_squared_error"] == {
        "points": 0.5,
        "max_points": 1,
        "right": False,
        "failed_tries": 1,
        "minutes": 0.0,
    }
    assert data["lessons"][2]["assignment_minutes"] == {"counted": 165, "taken": 0.0}
    assert data["lessons"][2]["practised"] == {"sit": 0, "of": 0, "due": 0}


def test_what_a_student_writes_on_the_page_stays(tmp_path):
    mine = tmp_path / "mine"
    workspace.lay_out(mine)
    edit(
        mine / "start.ipynb",
        lambda n: n["cells"].append({"cell_type": "markdown", "id": "a", "metadata": {}, "source": "mine"}),
    )
    progress.record(None, "neurons.preactivation", 1, 1, True, mine)
    assert start_page.refresh(mine) and f"1 of {points('neurons')}" in page_output(mine)
    assert json.loads((mine / "start.ipynb").read_text(encoding="utf-8"))["cells"][2]["source"] == "mine"
    (mine / "start.ipynb").write_text("a page of my own")
    assert not start_page.refresh(mine) and (mine / "start.ipynb").read_text() == "a page of my own"


def test_checks_outside_a_students_folder_are_shown_where_they_are_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    progress.record(None, "neurons.preactivation", 1, 1, True)
    status, out, _ = dlcourse("progress")
    assert status == 0 and f"1 of {points_of_the_course()} points" in out and os.listdir(tmp_path) == [progress.FILE]


def test_progress_names_what_is_missing_or_wrong(tmp_path):
    assert dlcourse("progress", "--folder", tmp_path / "no") == (
        2,
        "",
        f"error: there is no folder {tmp_path / 'no'}; make it with: dlcourse start\n",
    )
    status, _, err = dlcourse("progress", "--folder", tmp_path, "--done", "neuron")
    assert status == 2 and err.startswith("error: there is no lesson 'neuron'; there are notation, neurons, layers,")
    (tmp_path / progress.FILE).write_text("{")
    status, _, err = dlcourse("progress", "--folder", tmp_path)
    assert status == 0 and err.startswith("The file of your progress was damaged;")
    assert os.listdir(tmp_path) == [".dlcourse-progress.damaged.json"]


def test_show_draws_the_table_and_ticks_lessons(tmp_path, monkeypatch):
    pytest.importorskip("ipywidgets")
    import IPython.display

    workspace.lay_out(tmp_path / "mine")
    monkeypatch.chdir(tmp_path / "mine")
    shown, updated = [], []

    class Handle:
        def update(self, what):
            updated.append(what)

    monkeypatch.setattr(IPython.display, "display", lambda what, **options: shown.append(what) or Handle())
    start_page.show()
    table, box = shown
    assert "| ○ | [1 · Neurons]" in table._repr_markdown_() and "](" not in repr(table)
    next(one for one in box.children[1].children if one.description == "1 · Neurons").value = True
    assert progress.load().lessons == ("neurons",)
    assert "| ✓ | [1 · Neurons]" in updated[0]._repr_markdown_()


# --- lab ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def launched(monkeypatch):
    """What JupyterLab would have been started with."""
    labapp = pytest.importorskip("jupyterlab.labapp")
    calls = []
    monkeypatch.setattr(labapp.LabApp, "launch_instance", calls.append)
    for name in ("PATH", "JUPYTER_CONFIG_PATH", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    return calls


def test_lab_opens_the_students_folder_and_passes_options_on(tmp_path, launched):
    mine = tmp_path / "mine"
    status, out, err = dlcourse(
        *("lab", "--folder", mine, "--no-browser", "--port", "9000", "--allow-root"),
        *("--ip=127.0.0.1", "--IdentityProvider.token", "t"),
    )
    assert (status, out) == (0, "") and err == f"{mine}: 29 files laid out\n"
    arguments = launched[0]
    assert arguments[:2] == [f"--ServerApp.root_dir={mine}", "--LabApp.default_url=/lab/tree/start.ipynb"]
    assert arguments[-6:] == [
        *("--ServerApp.port=9000", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
        *("--IdentityProvider.token", "t"),
    ]
    assert os.environ["PATH"].split(os.pathsep)[0] == os.path.dirname(sys.executable)
    assert os.environ["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0] == os.path.join(
        os.path.dirname(places.__file__), "jupyter"
    )


def test_what_a_student_adds_takes_the_place_of_ours(tmp_path, launched):
    status, _, _ = dlcourse("lab", "--folder", tmp_path / "mine", "--port", "1", "--LabApp.default_url=/lab")
    assert status == 0 and [one for one in launched[0] if "default_url" in one] == ["--LabApp.default_url=/lab"]


def test_lab_refuses_a_folder_of_somebody_else(tmp_path, launched):
    (tmp_path / "thesis.txt").write_text("years of work")
    status, _, err = dlcourse("lab", "--folder", tmp_path)
    assert status == 2 and "is not empty, and dlcourse start did not make it" in err and not launched


def test_the_buttons_of_teachers_are_off_for_every_plugin_that_nbgrader_has():
    nbgrader = pytest.importorskip("nbgrader")
    from jupyter_core.paths import jupyter_path

    found = set()
    for folder in jupyter_path("labextensions"):
        for path in __import__("pathlib").Path(folder).glob("@jupyter/nbgrader/static/*.js"):
            found |= set(re.findall(r'"(@jupyter/nbgrader:[a-z-]+)"', path.read_text(encoding="utf-8")))
    if not found:
        pytest.skip(f"the lab extension of nbgrader {nbgrader.__version__} is not installed")
    settings = places.Path(places.__file__).with_name("jupyter") / "labconfig" / "page_config.json"
    off = json.loads(settings.read_text())["disabledExtensions"]
    assert found - off.keys() == {"@jupyter/nbgrader:assignment-list", "@jupyter/nbgrader:menu"}
    assert off.keys() <= found


def test_start_progress_and_lab_run_without_what_windows_does_not_have(tmp_path):
    code = """
import os, sys, types
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for name in ("fork", "setsid", "killpg", "getuid", "geteuid", "setresuid"):
    if hasattr(os, name):
        delattr(os, name)
started = []
sys.modules["jupyterlab.labapp"] = types.SimpleNamespace(LabApp=types.SimpleNamespace(launch_instance=started.append))
from autograder.__main__ import main
for words in (["start", "mine"], ["progress", "--folder", "mine"], ["lab", "--folder", "mine", "--no-browser"]):
    sys.argv = ["dlcourse", *words]
    try:
        main()
    except SystemExit as stop:
        assert not stop.code, (words, stop.code)
assert "--no-browser" in started[0]
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "29 files laid out" in done.stdout and "0 of 14 lessons ticked" in done.stdout
