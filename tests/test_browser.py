"""What people see, in headless Chromium: a slider moves the picture, a check names the mistake, a person changes a grade."""

import contextlib
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from autograder import build, demo, exercises_of, progress
from autograder.engine.store.course import open_course
from autograder.engine.store.gradebook_reader import read_marks
from autograder.reports import feedback, pages, report

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt install chromium)"),
    # asyncio's own leftovers when a browser closes
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Pictures of what was seen; kept for a look after the run, never committed
SHOTS = Path(os.environ.get("DLCOURSE_SCREENSHOTS", build.ROOT / ".screenshots"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def jupyter(home, folder):
    """JupyterLab in a folder, with its own home; yields the server's address without its token."""
    settings = home / "settings"
    settings.mkdir()
    (settings / "overrides.json").write_text(
        json.dumps(
            {
                "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
                "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
                # Every cell is in the page, also those below the window's edge
                "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
                "@jupyterlab/apputils-extension:themes": {"adaptive-theme": True},
            }
        )
    )
    port = free_port()
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        **{f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")},
    }
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root"),
        *("--IdentityProvider.token=t", f"--ServerApp.root_dir={folder}", f"--LabApp.app_settings_dir={settings}"),
    ]
    with (home / "log").open("w") as log:
        # nbgrader reads the configuration of the folder where the server starts
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        for _ in range(240):
            with contextlib.suppress(OSError):
                if urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status?token=t", timeout=2).status == 200:
                    break
            assert server.poll() is None, (home / "log").read_text()
            time.sleep(0.25)
        else:
            pytest.fail("JupyterLab did not start:\n" + (home / "log").read_text())
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on copies of the lessons and of an assignment; yields (folder, address of a file)."""
    home = tmp_path_factory.mktemp("lab")
    folder = home / "work"
    folder.mkdir()
    with jupyter(home, folder) as address:
        yield folder, lambda name: f"{address}/lab/tree/{name}?token=t&reset"


@pytest.fixture(scope="module")
def page():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        page.set_default_timeout(90_000)
        yield page
        browser.close()


def notebook(path, *cells):
    """Write a notebook of these code cells."""
    import nbformat

    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata["kernelspec"] = build.KERNEL
    nbformat.write(made, path)


def open_and_run(page, address):
    page.goto(address)
    page.locator(".jp-Notebook").first.wait_for()
    page.get_by_text("Python 3 (ipykernel) | Idle").first.wait_for()
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
    page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()


def shoot(page, name):
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def picture(page):
    return page.locator(".jupyter-widgets img").first.get_attribute("src")


def move_first_slider(page):
    """Drag the first slider's handle to the right and wait for another picture."""
    page.locator(".jupyter-widgets img").first.wait_for()
    before = picture(page)
    handle = page.locator(".jupyter-widgets .noUi-handle").first.bounding_box()
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in (8, 16, 24):
        page.mouse.move(x + step, y)
    page.mouse.up()
    page.wait_for_function("before => document.querySelector('.jupyter-widgets img').src !== before", arg=before)


@pytest.mark.parametrize("slug", ["neurons", "graph", "optimizers", "attention"])
def test_a_slider_moves_and_the_picture_changes(lab, page, slug):
    folder, address = lab
    if not (build.ROOT / "dlcourse" / "explorers" / f"{slug}.py").exists():
        pytest.skip(f"there is no explorer of {slug} yet")
    name = f"{slug}.ipynb"
    notebook(folder / name, f"from dlcourse.explorers import {slug}", f"{slug}.explore()", "print('all', 'done')")
    open_and_run(page, address(name))
    page.get_by_text("all done").first.wait_for()
    image = page.locator(".jupyter-widgets img").first
    image.wait_for()
    page.wait_for_function("e => e.naturalWidth > 300", arg=image.element_handle())
    shoot(page, f"explorer-{slug}-before")
    move_first_slider(page)
    shoot(page, f"explorer-{slug}-after")


def test_a_hand_drags_the_line_and_the_picture_is_fine_when_it_rests(lab, page):
    folder, address = lab
    notebook(
        folder / "drag.ipynb",
        "from dlcourse.explorers import neurons\nshown = neurons.EXPLORER.explore()\nshown",
        "print('all', 'done')",
    )
    open_and_run(page, address("drag.ipynb"))
    page.get_by_text("all done").first.wait_for()
    image = page.locator(".dlcourse-live img").first
    image.wait_for()
    wide = image.evaluate("e => e.naturalWidth")
    before, readout = picture(page), page.locator(".widget-readout").nth(1)
    assert "at the distance 0.5 " in image.get_attribute("alt") and readout.inner_text() == "0.50"
    box = image.bounding_box()
    x, y = box["x"] + 0.15 * box["width"], box["y"] + 0.3 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(x + 6 * step, y + 2 * step)
    page.mouse.up()
    page.wait_for_function("before => document.querySelector('.dlcourse-live img').src !== before", arg=before)
    # Coarse on the way, as fine as before at rest, and its words and its slider tell where it is; a new picture's width is
    # known after its words
    page.wait_for_function("() => !document.querySelector('.dlcourse-live img').alt.includes('at the distance 0.5 ')")
    page.wait_for_function("w => document.querySelector('.dlcourse-live img').naturalWidth === w", arg=wide)
    page.wait_for_function("() => document.querySelectorAll('.widget-readout')[1].innerText !== '0.50'")
    shoot(page, "explorer-dragged")


def test_notebook_7_shows_and_moves_the_same(lab, page):
    folder, address = lab
    notebook(
        folder / "seven.ipynb", "from dlcourse.explorers import neurons", "neurons.explore()", "print('all', 'done')"
    )
    page.goto(address("seven.ipynb").replace("/lab/tree/", "/notebooks/"))
    # Before its cells are there and its kernel is, Notebook 7 answers "Run All Cells" with a dialog for each of them
    page.locator(".jp-CodeCell").first.wait_for()
    kernel = "async () => (await (await fetch('/api/sessions')).json()).some(one => one.path === 'seven.ipynb')"
    page.wait_for_function(kernel)
    done = page.get_by_text("all done").first

    # It shows nothing that says whether its kernel has answered yet: what was run too early is run again, and a dialog
    # that comes of it is answered with what it proposes; another one may follow at once
    def answered(dialog):
        print("answered:", dialog.inner_text())
        dialog.locator("button").last.click()

    dialogs = page.locator(".jp-Dialog")
    page.add_locator_handler(dialogs, answered, no_wait_after=True)
    try:
        for _ in range(8):
            page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
            page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()
            with contextlib.suppress(playwright.TimeoutError):
                done.wait_for(timeout=10_000)
                break
    finally:
        # Other tests have the same page, and some of them open dialogs
        page.remove_locator_handler(dialogs)
    move_first_slider(page)
    shoot(page, "notebook-7")


def idle(page):
    """Wait until the notebook is there and its kernel has answered, where the front end says so."""
    page.locator(".jp-Notebook").first.wait_for()
    if "/lab/" in page.url:
        page.get_by_text("Python 3 (ipykernel) | Idle").first.wait_for()


@pytest.mark.parametrize(("front", "scheme"), [("/lab/tree/", "light"), ("/notebooks/", "dark")])
def test_a_picture_outlives_its_kernel(lab, page, front, scheme):
    """Live, after a restart, and reopened from the file: always one picture, and never an error in its place."""
    folder, address = lab
    name = f"outlives-{scheme}.ipynb"
    notebook(folder / name, "from dlcourse.explorers import neurons", "neurons.explore()", "print('all', 'done')")
    sheet = page.context.browser.new_page(viewport={"width": 1366, "height": 768}, color_scheme=scheme)
    sheet.set_default_timeout(90_000)
    live, note, still = (sheet.locator(x) for x in (".dlcourse-live img", ".dlcourse-note", ".jp-RenderedImage img"))
    words = "A still picture: no kernel moves it. Run the cell to get its sliders."
    where = "lab" if front == "/lab/tree/" else "notebook"
    try:
        # Run in JupyterLab, looked at in either
        open_and_run(sheet, address(name))
        sheet.get_by_text("all done").first.wait_for()
        live.wait_for()
        assert not note.is_visible() and not still.is_visible()
        assert sheet.get_by_role("img", name="Two clouds of points, each on a side in its own colour").count() == 1
        sheet.keyboard.press("Control+s")
        sheet.locator(".lm-TabBar-tab.jp-mod-dirty").wait_for(state="detached")
        sheet.locator(".lm-MenuBar-itemLabel", has_text="Kernel").first.click()
        sheet.locator(".lm-Menu-itemLabel", has_text="Restart Kernel…").first.click()
        sheet.locator(".jp-Dialog button", has_text="Restart").last.click()
        still.wait_for()
        assert note.inner_text() == words and not sheet.locator(".dlcourse-live").is_visible()
        sheet.goto("about:blank")
        sheet.goto(address(name).replace("/lab/tree/", front))
        idle(sheet)
        still.wait_for()
        sheet.get_by_text("Error displaying widget: model not found").first.wait_for(state="attached")
        assert not sheet.get_by_text("Error displaying widget: model not found").first.is_visible()
        assert still.count() == 1
        sheet.wait_for_function("e => e.naturalWidth > 300", arg=still.element_handle())
        assert note.inner_text() == words
        shoot(sheet, f"reopened-{where}-{scheme}")
    finally:
        sheet.close()


def test_a_lesson_opens_with_its_pictures_and_runs(lab, page):
    folder, address = lab
    shutil.copy(build.LESSONS / "01_neurons.ipynb", folder / "lesson.ipynb")
    page.goto(address("lesson.ipynb"))
    page.locator(".jp-Notebook").first.wait_for()
    # Before anything runs: the built pictures are there, with no view of a widget that no longer lives
    page.locator(".jp-OutputArea-output img").first.wait_for()
    assert page.get_by_text("Error displaying widget").count() == 0
    shoot(page, "lesson-static")


def test_a_wrong_answer_is_named_and_a_right_one_gets_its_points(lab, page):
    folder, address = lab
    wrong = "def preactivation(X, w, b):\n    return X * w + b"
    right = "def preactivation(X, w, b):\n    return X @ w + b"
    check = "from autograder import check\ncheck('neurons.preactivation', preactivation)"
    notebook(folder / "wrong.ipynb", wrong, check)
    notebook(folder / "right.ipynb", right, check)
    open_and_run(page, address("wrong.ipynb"))
    page.get_by_text("This looks like a known mistake (elementwise for dot).").first.wait_for()
    page.get_by_text("CheckFailed: see the message above").first.wait_for()
    shoot(page, "check-wrong")
    open_and_run(page, address("right.ipynb"))
    page.get_by_text("neurons.preactivation: right, 1 point.").first.wait_for()
    shoot(page, "check-right")


def menu(page, *labels):
    """Choose an entry of JupyterLab's menus: "Settings", "Theme", "JupyterLab Dark"."""
    page.locator(".lm-MenuBar-itemLabel", has_text=labels[0]).first.click()
    for label in labels[1:]:
        page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{re.escape(label)}")).first.click()


WRONG = "def preactivation(X, w, b):\n    return X @ w"
RIGHT = "def preactivation(X, w, b):\n    return X @ w + b"
ENDLESS = "def preactivation(X, w, b):\n    while True:\n        pass"
CHECK = "check('neurons.preactivation', preactivation)"


def test_restart_and_run_all_goes_on_after_an_unfinished_exercise(lab, page):
    folder, address = lab
    # Other tests have earned points in this folder
    (folder / progress.FILE).unlink(missing_ok=True)
    shutil.copy(build.COURSE / "release" / "neurons" / "neurons.ipynb", folder / "neurons.ipynb")
    page.goto(address("neurons.ipynb"))
    page.locator(".jp-Notebook").first.wait_for()
    page.get_by_text("Python 3 (ipykernel) | Idle").first.wait_for()
    menu(page, "Kernel", "Restart Kernel and Run All Cells")
    page.locator(".jp-Dialog-button", has_text="Restart").click()
    page.get_by_text("neurons.sgd_fit: 0 of 3 points.").first.wait_for()
    asked = exercises_of("neurons")
    points = sum(one.points for one in asked.values())
    playwright.expect(page.get_by_text("CheckFailed: ")).to_have_count(len(asked))
    so_far = f"0 of {points:g} points so far; next: exercise 1, neurons.preactivation."
    playwright.expect(page.get_by_text(so_far)).to_have_count(len(asked))


def test_a_version_that_did_not_run_is_not_called_right(lab, page):
    folder, address = lab
    notebook(
        folder / "stale.ipynb",
        "from autograder import check",
        RIGHT,
        CHECK,
        RIGHT.replace("(X, w, b):", "(X, w, b:"),
        CHECK,
    )
    tag_all(folder / "stale.ipynb")
    open_and_run(page, address("stale.ipynb"))
    page.get_by_text("neurons.preactivation: right, 1 point.").first.wait_for()
    page.get_by_text("did not run: SyntaxError in line 1").first.wait_for()
    page.get_by_text("CheckFailed: see the message above").first.wait_for()
    assert page.get_by_text("neurons.preactivation: right, 1 point.").count() == 1
    shoot(page, "check-stale")


def tag_all(path):
    """Let a notebook go on after every cell that fails."""
    import nbformat

    made = nbformat.read(path, as_version=4)
    for cell in made.cells:
        cell.metadata["tags"] = ["raises-exception"]
    nbformat.write(made, path)


def test_a_long_check_says_so_stops_cleanly_and_asks_nobody(lab, page):
    folder, address = lab
    asks = "def preactivation(X, w, b):\n    return float(input('b? '))"
    notebook(folder / "long.ipynb", "from autograder import check", asks, CHECK, ENDLESS, CHECK)
    tag_all(folder / "long.ipynb")
    open_and_run(page, address("long.ipynb"))
    page.get_by_text("and nobody can type during a check").first.wait_for()
    page.get_by_text("checking neurons.preactivation … (1 of 4 cases)").wait_for()
    menu(page, "Kernel", "Interrupt Kernel")
    page.get_by_text("the check of neurons.preactivation was stopped; nothing was counted").wait_for()
    shown = page.locator(".jp-Notebook").inner_text()
    assert "Traceback" not in shown and "drivers.py" not in shown and "time limit" not in shown
    shoot(page, "check-stopped")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_a_check_is_read_on_a_small_screen_in_both_themes(lab, page, theme):
    folder, address = lab
    name = f"look-{theme.lower()}.ipynb"
    notebook(folder / name, f"from autograder import check\n{WRONG}", CHECK, RIGHT, CHECK)
    tag_all(folder / name)
    page.set_viewport_size({"width": 1366, "height": 768})
    try:
        page.goto(address(name))
        page.locator(".jp-Notebook").first.wait_for()
        # The lab follows the system's colours
        page.emulate_media(color_scheme=theme.lower())
        page.locator(f"body[data-jp-theme-light='{str(theme == 'Light').lower()}']").wait_for(state="attached")
        page.get_by_text("Python 3 (ipykernel) | Idle").first.wait_for()
        menu(page, "Run", "Run All Cells")
        page.get_by_text("Compare with ours").first.click()
        table = page.locator(".jp-OutputArea-output table").first
        assert table.locator("tr").count() == 6 and table.get_by_text("✗").count() == 5
        # Nothing has to be scrolled sideways, and all numbers stand out from what is behind them
        assert page.evaluate("document.querySelector('.jp-WindowedPanel-outer').scrollWidth <= innerWidth")
        assert contrast(page, ".jp-OutputArea-output td") > 7
        page.get_by_text("not right yet").first.scroll_into_view_if_needed()
        shoot(page, f"check-wrong-{theme.lower()}")
        page.get_by_text("One way to write it").first.scroll_into_view_if_needed()
        shoot(page, f"check-right-{theme.lower()}")
    finally:
        page.set_viewport_size({"width": 1300, "height": 1000})


def contrast(page, selector):
    """The contrast ratio of an element's text with the notebook's background, as WCAG 2 defines it."""
    colors = page.evaluate(
        "s => [getComputedStyle(document.querySelector(s)).color,"
        " getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor]",
        selector,
    )

    def luminance(color):
        parts = [int(x) / 255 for x in re.findall(r"\d+", color)[:3]]
        red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted(map(luminance, colors))
    return (high + 0.05) / (low + 0.05)


# --- a graded class -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A course directory with three submissions that the engine has graded."""
    folder = tmp_path_factory.mktemp("graded") / "course"
    demo.make_course(folder, students={name: demo.CLASS[name] for name in ("alan", "frank", "john")})
    summary = demo.grade(folder, workers=1)
    assert sorted(summary.graded) == ["alan", "frank", "john"]
    return folder


@pytest.fixture(scope="module")
def formgrader(tmp_path_factory, graded, page):
    home = tmp_path_factory.mktemp("formgrader")
    with jupyter(home, graded) as address:
        # As a person comes: logged in at the front page
        page.goto(f"{address}/tree?token=t")
        yield lambda place: f"{address}/formgrader{place}"


def test_formgrader_shows_the_grades_and_a_person_changes_one(graded, formgrader, page):
    page.goto(formgrader("/gradebook/neurons/neurons"))
    page.get_by_text("Submission #3").first.wait_for()
    shoot(page, "formgrader-submissions")
    page.goto(formgrader("/manage_submissions/neurons"))
    row = page.locator("tr", has_text="alan")
    row.wait_for()
    course = open_course(graded)
    before = read_marks(course, demo.SLUG)["alan"]
    # Two written answers, and that of the project
    most = sum(one.points for one in exercises_of("neurons").values()) + 2 + 2 + 6
    assert f"{pages.number(before.points)} / {most:g}" in row.inner_text()
    shoot(page, "formgrader-class")

    with read_only(graded) as db:
        submission = db.execute(
            "select submitted_notebook.id from submitted_notebook join submitted_assignment on"
            " submitted_assignment.id = submitted_notebook.assignment_id where student_id = 'alan'"
        ).fetchone()[0]
    page.goto(formgrader(f"/submissions/{submission}"))
    scores = page.locator("input.score")
    scores.first.wait_for()
    # A cell with points for each check and each written answer; the machine's stand there until a person writes others
    checks = len(exercises_of("neurons"))
    filled = "[...document.querySelectorAll('input.score')].filter(e => e.placeholder).length"
    page.wait_for_function(f"{filled} >= {checks}")
    assert scores.count() == checks + 3
    shown = [float(score.get_attribute("placeholder") or 0) for score in scores.all()]
    assert sum(shown) == pytest.approx(before.points)
    last = scores.last
    last.scroll_into_view_if_needed()
    with page.expect_response(lambda answer: "/api/grade/" in answer.url and answer.request.method == "PUT"):
        last.fill("1.5")
        last.press("Tab")
    comment = page.locator("textarea.comment").first
    with page.expect_response(lambda answer: "/api/comment/" in answer.url and answer.request.method == "PUT"):
        comment.fill("Well begun.")
        comment.press("Tab")
    shoot(page, "formgrader-graded-by-hand")

    after = read_marks(course, demo.SLUG)["alan"]
    assert after.cells["neurons", "neurons-project-written"].manual == 1.5
    assert not after.cells["neurons", "neurons-project-written"].waiting
    assert after.points == before.points + 1.5
    # The person's mark survives another run over the class, and stands on the student's page
    demo.grade(graded, workers=1)
    assert read_marks(course, demo.SLUG)["alan"].points == after.points
    feedback.write_feedback(graded, demo.SLUG)
    words = (graded / "feedback" / "alan" / demo.SLUG / f"{demo.SLUG}.html").read_text(encoding="utf-8")
    assert "read by a person" in words and "Well begun." in words


@contextlib.contextmanager
def read_only(course):
    with contextlib.closing(sqlite3.connect(f"file:{course / 'gradebook.db'}?mode=ro", uri=True)) as db:
        yield db


@pytest.fixture(scope="module")
def written(graded):
    """{name: path} of a feedback page and of the report."""
    paths = feedback.write_feedback(graded, demo.SLUG)
    made = graded / "reports" / "neurons.html"
    pages.write(made, report.to_page(report.make_report(graded, demo.SLUG)))
    return {"feedback": next(path for path in paths if "alan" in path.parts), "report": made}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 400])
@pytest.mark.parametrize("name", ["feedback", "report"])
def test_pages_open_in_light_and_dark_and_on_a_phone(page, written, name, scheme, width):
    sheet = page.context.browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said, asked = [], []
    sheet.on("console", lambda message: said.append(message.text))
    sheet.on("pageerror", lambda error: said.append(str(error)))
    sheet.on("request", lambda request: asked.append(request.url))
    try:
        sheet.goto(written[name].as_uri())
        assert sheet.locator("h1").inner_text() == "neurons"
        if name == "feedback":
            sheet.get_by_text("This looks like a known mistake (bias not summed).").wait_for()
            formula = sheet.locator("math").first.bounding_box()
            assert formula["width"] > 40 and formula["height"] > 10
        else:
            assert sheet.locator("svg").count() == 4
            assert sheet.locator("svg").first.bounding_box()["width"] > 250
        assert sheet.evaluate("document.scripts.length") == 0
        # Nothing is wider than the window: what is too wide scrolls in its own frame
        assert sheet.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        light, dark = sheet.evaluate(
            "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
        )
        assert (sum(map(int, re.findall(r"\d+", light)[:3])) > 700) == (scheme == "light"), (light, dark)
        assert said == [] and asked == [written[name].as_uri()]
        SHOTS.mkdir(exist_ok=True)
        sheet.screenshot(path=SHOTS / f"{name}-{scheme}-{width}.png", full_page=True)
    finally:
        sheet.close()


def test_a_feedback_page_prints_every_answer(page, written):
    sheet = page.context.browser.new_page()
    try:
        sheet.goto(written["feedback"].as_uri())
        sheet.emulate_media(media="print")
        # Folded answers unfold on paper
        assert sheet.locator("details pre").first.is_visible()
        assert sheet.locator("nav table").is_visible() and not sheet.locator(".skip").is_visible()
        assert sheet.pdf(format="A4")[:5] == b"%PDF-"
    finally:
        sheet.close()
