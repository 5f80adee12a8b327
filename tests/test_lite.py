"""The course in a browser tab, in headless Chromium: it runs, checks, keeps and hands in work, and asks no other host.

One site, one browser and one kernel for all tests of the file: Python's start costs more than most of what they look at.
"""

import json
import os

import pytest
import tab
from tab import SOURCES, open_notebook, run, run_all, run_below, show, write
from test_browser import CHROMIUM, FLAGS, SHOTS, move_first_slider

from autograder import build, demo, exercises_of, offline
from autograder.build import lite
from autograder.build.pyodide import pyodide_files
from dlcourse import TOPICS

nbformat = pytest.importorskip("nbformat")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt install chromium)"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
# The gate runs those that take least, and the first by the menu; LITE_LESSONS=all (make lite-test) runs every one
LESSONS = build.lesson_slugs() if os.environ.get("LITE_LESSONS") == "all" else ["notation", "graph"]
STUB = "    raise NotImplementedError()"
# Of the notebook that is open: the errors that its cells show, and how many cells with code have not run
RAN = """
() => {
  const { cells } = window.jupyterapp.shell.currentWidget.context.model.toJSON();
  const code = cells.filter((one) => one.cell_type === "code" && one.source);
  const errors = code.flatMap((one) => one.outputs).filter((one) => one.output_type === "error");
  return { errors: errors.map((one) => one.ename), left: code.filter((one) => !one.execution_count).length };
}
"""
# Chromium asks its maker at every start, whatever page is open
BROWSERS_OWN = ("update.googleapis.com", "accounts.google.com", "content-autofill.googleapis.com")


@pytest.fixture(scope="module")
def pyodide():
    try:
        return pyodide_files(build.ROOT / "build")
    except build.BuildError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def site(tmp_path_factory, pyodide):
    """The folder of a server, with the site below a folder of it, as people publish it."""
    folder = tmp_path_factory.mktemp("published")
    lite.build_site(folder / "lite", pyodide)
    return folder


@pytest.fixture(scope="module")
def server(site):
    with tab.Server(site) as made:
        yield made
        made.shutdown()


@pytest.fixture(scope="module")
def elsewhere():
    made = tab.Elsewhere()
    yield made
    made.socket.close()


@pytest.fixture(scope="module")
def page(elsewhere, tmp_path_factory):
    with tab.tab(tmp_path_factory.mktemp("profile"), CHROMIUM, [*FLAGS, elsewhere.flag]) as page:
        yield page


def shoot(page, name):
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"lite-{name}.png")


def released(slug):
    return nbformat.read(build.COURSE / "release" / slug / f"{slug}.ipynb", as_version=4)


def plain(source):
    """An instructor's cell as a student would have written it."""
    return "\n".join(
        line for line in source.splitlines() if "### BEGIN SOLUTION" not in line and "### END SOLUTION" not in line
    )


@pytest.fixture(scope="module")
def lesson(page, server):
    """The first lesson, open, whose kernel also runs what other notebooks hold: a start of Python for each would take minutes."""
    open_notebook(page, server.address, "lessons/01_neurons.ipynb")
    return page


def begin(page, folder):
    """A kernel as new, in a folder of the site."""
    said = run(page, f"get_ipython().reset(new_session=False)\nimport os\nos.chdir('/drive/{folder}')")
    assert said == {"text": "", "error": ""}


def test_a_slider_moves_and_the_picture_changes(lesson):
    run_all(lesson)
    assert lesson.evaluate(RAN) == {"errors": [], "left": 0}
    show(lesson, "explorer.explore()")
    move_first_slider(lesson)
    shoot(lesson, "slider")


@pytest.mark.parametrize("slug", LESSONS)
def test_a_lesson_runs_to_its_end(lesson, slug):
    name = build.lesson_name(slug)
    notebook = nbformat.read(build.LESSONS / f"{name}.ipynb", as_version=4)
    begin(lesson, "lessons")
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            said = run(lesson, cell.source)
            expected = "raises-exception" in cell.metadata.get("tags", [])
            assert expected or said["error"] == "", f"{name}, cell {number}"


@pytest.mark.parametrize("slug", TOPICS)
def test_an_assignment_names_a_mistake_and_accepts_the_right_answer(lesson, slug):
    name, mistake, wrong = first_mistake(slug)
    given, folder = demo.solutions(slug), f"assignments/{slug}"
    begin(lesson, folder)
    for cell in demo.answer(released(slug), given, {name: wrong}).cells:
        marks = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and not marks.get("grade"):
            assert run(lesson, cell.source)["error"] == ""
        if marks.get("grade_id") == f"{exercises_of(slug)[name].grade_id}-check":
            break
    said = run(lesson, cell.source)
    assert f"this looks like a known mistake ({mistake.replace('_', ' ')})." in said["text"].lower()
    assert "CheckFailed" in said["error"]
    assert run(lesson, plain(given[exercises_of(slug)[name].grade_id]))["error"] == ""
    said = run(lesson, cell.source)
    assert said["error"] == "" and said["text"].startswith(f"✓ {name}")


def first_mistake(slug):
    """(exercise, mistake, body) of an assignment's first known mistake that a student can write in one function."""
    known = {name for cell in build.instructor_notebook(slug).cells for name in build.defined_names(cell.source)}
    for name, exercise in exercises_of(slug).items():
        for mistake in exercise.mistakes if len(exercise.functions) == 1 else ():
            body = demo._body(mistake.functions[0], exercise.functions[0], known)
            if body:
                return name, mistake.slug, body
    raise AssertionError(slug)


def test_an_endless_loop_ends_with_a_sentence(lesson):
    begin(lesson, "assignments/neurons")
    # The limit is the course's, less the waiting
    code = """
from autograder import check, get_exercise
object.__setattr__(get_exercise("neurons.preactivation"), "seconds", 2.0)

def preactivation(X, w, b):
    while True:
        pass

check("neurons.preactivation", preactivation)
"""
    said = run(lesson, code)
    assert "Your code was stopped after 2 seconds. Is there an infinite loop?" in said["text"]
    assert run(lesson, "print(6 * 7)")["text"] == "42\n"


def test_an_assignment_from_the_first_click_to_the_grade(page, server, tmp_path):
    """One planted mistake among right answers: named in the tab, and graded by the engine with the same points."""
    open_notebook(page, server.address, "assignments/neurons/neurons.ipynb")
    wrong = "neurons.linear_neuron_grad"
    notebook = demo.answer(released("neurons"), demo.solutions("neurons"), {wrong: demo.CLASS["alan"][wrong]})
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution") and cell.cell_type == "code":
            write(page, cell.metadata["nbgrader"]["grade_id"], cell.source)
    run_all(page)
    # What is far from the window is hidden
    page.get_by_text("This looks like a known mistake (bias not summed).").first.wait_for(state="attached")
    show(page, "neurons-linear_neuron_grad-check")
    # A check that fails ends the run of all cells, in any JupyterLab
    run_below(page, "neurons-linear_neuron_grad-check")
    shoot(page, "assignment")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Hand in").click()
    file = tmp_path / downloading.value.suggested_filename
    downloading.value.save_as(file)
    assert file.name == "neurons.ipynb"
    came, known = nbformat.read(file, as_version=4), released("neurons")
    nbformat.validate(came)
    assert came.metadata.kernelspec == known.metadata.kernelspec
    assert [cell.get("id") for cell in came.cells] == [cell.get("id") for cell in known.cells]
    assert [cell.metadata.get("nbgrader") for cell in came.cells] == [
        cell.metadata.get("nbgrader") for cell in known.cells
    ]

    kept = "{name: one.points for name, one in progress.load().exercises.items() if one.assignment == 'neurons'}"
    told = run(page, f"import json\nfrom autograder import progress\nprint(json.dumps({kept}))")
    here = json.loads(told["text"])
    graded = offline.check_notebook(file, isolation="fresh")
    assert {one.exercise: one.points for one in graded.checks} == here
    assert [one.exercise for one in graded.checks if one.verdict != "right"] == [wrong]


def test_start_again_asks_and_gives_the_courses_own_back(page):
    """The assignment of the test before is still open."""
    asked, sure = [], [False, True]

    def answer(dialog):
        asked.append(dialog.message)
        dialog.accept() if sure[len(asked) - 1] else dialog.dismiss()

    page.on("dialog", answer)
    page.get_by_role("button", name="Start again").click()
    assert not any(one.endswith(STUB) for one in page.evaluate(SOURCES))
    page.get_by_role("button", name="Start again").click()
    page.wait_for_function(f"() => ({SOURCES})().some((one) => one.endsWith('{STUB}'))")
    page.remove_listener("dialog", answer)
    assert asked == ["Start assignments/neurons/neurons.ipynb again? Everything that you wrote in it is lost."] * 2


def test_the_front_page_shows_the_points_and_deletes_all_when_asked(page, server):
    page.goto(f"{server.address}index.html")
    most = sum(one.points for one in exercises_of("neurons").values())
    row = page.locator("tr", has_text="1 · Neurons")
    row.get_by_text(f"{most - 2:g} of {most:g}").wait_for()
    shoot(page, "front")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete all my work here and start again").click()
    row.get_by_text(f"0 of {most:g}").wait_for()


def test_the_second_visit_needs_no_network(page, server):
    open_notebook(page, server.address, "assignments/neurons/neurons.ipynb")
    write(page, "neurons-preactivation", "def preactivation(X, w, b):\n    return X @ w + b")
    page.evaluate("() => window.jupyterapp.shell.currentWidget.context.save()")
    # The rest is kept when the kernel has started
    page.wait_for_function(
        """async () => (await (await caches.open((await caches.keys())[0])).keys()).some((one) => one.url.endsWith("13_training.ipynb"))"""
    )
    server.working = False
    try:
        open_notebook(page, server.address, "assignments/neurons/neurons.ipynb")
        code = "import numpy as np\nfrom autograder import check\n" + page.evaluate(
            """() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells
              .filter((one) => one.metadata.nbgrader?.grade_id?.startsWith("neurons-preactivation")).map((one) => one.source).join("\\n")"""
        )
        assert run(page, code)["text"].startswith("✓ neurons.preactivation")
        # One that was never open; that Python starts without the network is seen already
        page.goto(f"{server.address}index.html?path=lessons/12_attention.ipynb")
        page.locator(".jp-Notebook", has_text="12 · Attention").first.wait_for()
    finally:
        server.working = True


def test_no_other_host_was_asked(page, elsewhere):
    assert [line for line in elsewhere.asked if not any(host in line for host in BROWSERS_OWN)] == []


def test_from_its_own_host_pyodide_is_that_of_the_kernel(tmp_path):
    """Nothing else of the site's settings names another host."""
    lite._settings(tmp_path, ["dlcourse-1-py3-none-any.whl"], None)
    text = (tmp_path / "jupyter-lite.json").read_text()
    data = json.loads(text)["jupyter-config-data"]["litePluginSettings"][f"{lite.KERNEL}:kernel"]
    assert data["pyodideUrl"] == "https://cdn.jsdelivr.net/pyodide/v0.27.7/full/pyodide.js"
    assert text.count("://") == 1 and data["disablePyPIFallback"] is True


def test_a_folder_that_is_no_pyodide_is_refused(tmp_path):
    with pytest.raises(build.BuildError) as caught:
        lite.build_site(tmp_path / "lite", tmp_path)
    assert str(caught.value) == f"{tmp_path} holds no Pyodide: expected its pyodide.js and pyodide-lock.json there"
