"""The start page in headless Chromium: it is there before anything runs, its links open, and a tick is kept."""

import re

import pytest
from test_browser import jupyter, page, pytestmark, shoot

from autograder import exercises_of, progress, workspace
from autograder.commands.lab import SETTINGS

__all__ = ["page", "pytestmark"]


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A student's folder with a point in it, served with the settings of `dlcourse lab`; yields (folder, address)."""
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(SETTINGS))
    folder = tmp_path / "mine"
    workspace.lay_out(folder)
    progress.record(None, "neurons.preactivation", 1, 1, True, folder)
    workspace.lay_out(folder)
    (tmp_path / "home").mkdir()
    with jupyter(tmp_path / "home", folder) as address:
        yield folder, address


def test_the_start_page_links_ticks_and_has_no_buttons_of_teachers(mine, page):
    folder, address = mine
    page.goto(f"{address}/lab/tree/start.ipynb?token=t&reset")
    output = page.locator(".jp-OutputArea-output").first
    row = output.locator("tr", has_text="1 · Neurons")
    row.wait_for()
    assert f"1 of {sum(one.points for one in exercises_of('neurons').values()):g}" in row.inner_text()
    shoot(page, "start-before")

    # Run, it ticks a lesson
    page.get_by_text("Python 3 (ipykernel) | Idle").first.wait_for()
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").first.click()
    page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()
    page.get_by_label("1 · Neurons", exact=True).check()
    page.locator("tr", has_text=re.compile(r"✓\s*1 · Neurons")).wait_for()
    assert progress.load(folder).lessons == ("neurons",)
    shoot(page, "start-ticked")

    # The menu of nbgrader has what a student needs and nothing else
    page.locator(".lm-MenuBar-itemLabel", has_text="Nbgrader").click()
    page.locator(".lm-Menu-itemLabel", has_text="Assignment List").wait_for()
    entries = page.locator(".lm-Menu-itemLabel").all_inner_texts()
    assert not [entry for entry in entries if entry in ("Formgrader", "Course List", "Create Assignment")], entries
    page.keyboard.press("Escape")
    assert page.get_by_role("button", name="Validate").count() == 0

    # From the page to the lesson, from the lesson to the assignment, and back
    page.locator("tr", has_text="1 · Neurons").get_by_role("link", name="1 · Neurons").click()
    page.locator(".jp-Notebook:visible h1", has_text="1 · Neurons").wait_for()
    page.locator(".jp-Notebook:visible").get_by_role("link", name="neurons.ipynb").first.click()
    page.locator(".jp-Notebook:visible h1", has_text="Assignment: neurons").wait_for()
    shoot(page, "start-to-assignment")
    page.locator(".jp-Notebook:visible").get_by_role("link", name="1 · Neurons").first.click()
    page.locator(".jp-Notebook:visible h1", has_text="1 · Neurons").wait_for()


def test_notebook_7_opens_the_same_links(mine, page):
    _, address = mine
    page.goto(f"{address}/notebooks/start.ipynb?token=t")
    link = page.locator("tr", has_text="1 · Neurons").get_by_role("link", name="1 · Neurons")
    with page.expect_popup() as opened:
        link.click()
    lesson = opened.value
    lesson.locator("h1", has_text="1 · Neurons").first.wait_for()
    with lesson.expect_popup() as opened:
        lesson.get_by_role("link", name="neurons.ipynb").first.click()
    opened.value.locator("h1", has_text="Assignment: neurons").first.wait_for()
    shoot(opened.value, "start-notebook-7")
    opened.value.close()
    lesson.close()
