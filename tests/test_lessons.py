"""Lessons: what the table of the notation says exists, and the rules that every lesson keeps."""

import base64
import importlib
import inspect
import io
import re
from pathlib import Path

import PIL.Image
import pytest

import dlcourse
from autograder import build
from dlcourse.explorers import NOTE

nbformat = pytest.importorskip("nbformat")
SLUGS = build.existing_lessons()


def cells(slug):
    return nbformat.read(build.LESSONS / f"{build.lesson_name(slug)}.ipynb", as_version=4).cells


def notation_rows():
    text = (build.LESSONS / "source" / "00_notation.md").read_text(encoding="utf-8")
    found = re.findall(
        r"^\|(?P<symbol>[^|]*)\| `(?P<code>\w+)` \|[^|]*\|[^|]*\| `(?P<module>\w+)\.(?P<function>\w+)` \|$", text, re.M
    )
    assert len(found) > 40
    return found


@pytest.mark.parametrize(("symbol", "code", "module", "function"), notation_rows())
def test_every_name_of_the_notation_exists(symbol, code, module, function):
    found = getattr(importlib.import_module(f"dlcourse.{module}"), function)
    assert code in inspect.signature(found).parameters, f"{module}.{function} has no argument {code}"


def test_the_lessons_are_numbered_in_course_order():
    assert [build.lesson_name(slug) for slug in ("notation", "neurons", "training")] == [
        "00_notation",
        "01_neurons",
        "13_training",
    ]


@pytest.mark.parametrize("slug", SLUGS)
def test_a_lesson_is_executed_and_equals_its_source(slug):
    assert build.check_lesson(slug) == []


@pytest.mark.parametrize("slug", SLUGS)
def test_a_lesson_keeps_the_rules(slug):
    everything = cells(slug)
    code = [cell for cell in everything if cell.cell_type == "code"]
    text = "\n".join(cell.source for cell in everything if cell.cell_type == "markdown")
    # The cell that leads to practice is not one to work through
    assert (15 if slug == "notation" else 20) <= sum("practice(" not in cell.source for cell in everything) <= 40
    long = [cell.source.splitlines()[0] for cell in code if len(cell.source.splitlines()) > 25]
    assert not long, f"cells of more than 25 lines: {long}"
    # Lessons in the new shape ask with choices, and end with three things and two questions (docs/authors.md)
    asked = [cell.source.partition("(")[0] for cell in code if cell.source.startswith(("predict(", "question("))]
    if asked:
        assert asked.count("predict") >= 2 and asked[-2:] == ["question", "question"] and asked.count("question") == 2
        things = text.partition("## Three things to remember")[2]
        assert all(f"\n{number}. " in things for number in (1, 2, 3)) and "\n4. " not in things
    else:
        assert text.count("Predict, then run") >= 2 and text.count("<summary>Answer</summary>") >= 2
        assert "## Summary" in text
    for cell in code:
        assert "plt." not in cell.source and "pyplot" not in cell.source
        for output in cell.outputs:
            assert output.get("name") != "stderr", f"{slug}: a cell writes to stderr"
            if "image/png" in output.get("data", {}):
                assert output["data"]["text/plain"].startswith("["), f"{slug}: a picture without alternative text"
                alt = output["metadata"]["image/png"]["alt"]
                assert output["data"]["text/plain"] == f"[{alt}]" and len(alt.split()) >= 8, (
                    f"{slug}: {alt!r} says little"
                )
    if slug != "notation":
        assert "explore(" in "".join(cell.source for cell in code)
        assert "**Sources.**" in text and f"(../assignments/{slug}/{slug}.ipynb)" in text


@pytest.mark.parametrize("slug", SLUGS)
def test_a_lesson_opens_wherever_notebooks_open(slug):
    """VS Code, Notebook 7, a page: no view of a dead widget; of every explorer its note and its still picture."""
    notebook = nbformat.read(build.LESSONS / f"{build.lesson_name(slug)}.ipynb", as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert notebook.metadata == {"kernelspec": build.KERNEL, "language_info": {"name": "python"}}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert not re.search(r"<script|<iframe|!\[[^]]*\]\(attachment:", cell.source)
            continue
        # Magics and shell lines are the front ends' dialects
        assert not re.search(r"^\s*[%!]", cell.source, re.M), cell.source
        bundles = [output.data for output in cell.outputs if "data" in output]
        if "explore(" in cell.source:
            assert bundles.pop(0) == {"text/html": NOTE}, f"{slug}: no note of the explorer"
        for data in bundles:
            kinds = set(data) - {"text/plain"}
            assert kinds <= {"image/png"} or kinds in ({"text/html"}, {"text/markdown"}), f"{slug}: {', '.join(data)}"
            if "text/html" in kinds:
                assert cell.source.startswith(("predict(", "question(")), f"{slug}: HTML that is not a question"
            if "image/png" in data:
                assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG\r\n")
        if "explore(" in cell.source:
            assert ["image/png" in data for data in bundles] == [True], f"{slug}: no still of the explorer"


@pytest.mark.parametrize("slug", SLUGS)
def test_the_cover_says_how_long_the_lesson_takes(slug):
    text = "\n".join(cell.source for cell in cells(slug) if cell.cell_type == "markdown")
    said, measured = int(re.search(r"\bAbout (\d+) minutes", text)[1]), build.reading_minutes(slug)
    assert said % 5 == 0 and abs(said - measured) <= max(5, 0.15 * measured), (
        f"the cover says {said} minutes, words and cells {measured:.0f}"
    )


ERRATA = {
    "neurons": "E06 E08 E21 E22 E23",
    "layers": "E04 E05 E17 E41",
    "activations": "E25 E27 E28 E29 E30",
    "graph": "E08 E09 E10",
    "backpropagation": "E04 E05 E12 E13 E15 E16 E24 E29 E38 E42 E44",
    "initializers": "E02 E03 E20 E31",
    "optimizers": "E01 E11 E14 E18 E34 E35 E36 E45 E47 E48",
    "regularization": "E19 E32 E37",
    "normalization": "E33",
    "convolution": "E26 E40",
    "recurrent": "E07 E39",
    "attention": "E07",
    "notation": "E41 E42 E26",
}


@pytest.mark.parametrize("slug", SLUGS)
def test_the_errata_of_the_topic_are_named(slug):
    text = "\n".join(cell.source for cell in cells(slug) if cell.cell_type == "markdown")
    missing = [erratum for erratum in ERRATA.get(slug, "").split() if erratum not in text]
    assert not missing, f"{slug} says nothing of {', '.join(missing)}"
    if slug in ERRATA and slug != "notation":
        assert "Spot the slip" in text or "## Slips of the notes" in text


def test_links_between_lessons_lead_somewhere():
    for slug in SLUGS:
        text = "\n".join(cell.source for cell in cells(slug) if cell.cell_type == "markdown")
        for target in re.findall(r"\]\((\w+\.ipynb)\)", text):
            assert (Path(build.LESSONS) / target).exists(), f"{slug} links to {target}"


def test_every_topic_is_complete():
    """One slug, the same in every tree: a topic that lacks a part is named."""
    root = build.ROOT
    missing = []
    for slug in dlcourse.TOPICS:
        name = build.lesson_name(slug)
        parts = [
            f"dlcourse/{slug}.py",
            f"dlcourse/explorers/{slug}.py",
            f"notebooks/source/{name}.md",
            f"notebooks/{name}.ipynb",
            f"autograder/exercises/{slug}/__init__.py",
            f"autograder/course/source/{slug}/{slug}.md",
            f"autograder/course/release/{slug}/{slug}.ipynb",
            f"tests/test_{slug}.py",
        ]
        missing += [part for part in parts if not (root / part).exists()]
    assert not missing, f"missing: {', '.join(missing)}"


def test_the_page_of_the_notes_has_every_slip_once():
    page = (build.LESSONS / "notes.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (E\d\d)$", page, re.M)
    assert headings == [f"E{number:02}" for number in range(1, len(headings) + 1)] and len(headings) >= 48
    assert page.count("**Right:**") == len(headings)


@pytest.mark.parametrize("slug", SLUGS)
def test_every_slip_that_is_named_is_a_link_to_the_page_of_the_notes(slug):
    headings = set(re.findall(r"^## (E\d\d)$", (build.LESSONS / "notes.md").read_text(encoding="utf-8"), re.M))
    for cell in cells(slug):
        if cell.cell_type == "markdown":
            linked = re.findall(r"\[(E\d\d)\]\(notes\.md#(E\d\d)\)", cell.source)
            assert all(a == b for a, b in linked) and {a for a, _ in linked} <= headings
            rest = re.sub(r"`[^`]*`|\$[^$]*\$|\[[^\]]*\]\([^)]*\)", "", cell.source)
            assert not re.findall(r"\bE\d\d\b", rest)


@pytest.mark.parametrize("slug", SLUGS)
def test_what_a_prediction_is_about_waits_folded(slug):
    found = cells(slug)
    for cell in found:
        if cell.cell_type == "code":
            for tag, key in (("hide-output", "outputs_hidden"), ("hide-input", "source_hidden")):
                assert cell.metadata.get("jupyter", {}).get(key, False) == (tag in cell.metadata.get("tags", []))
    for k, cell in enumerate(found):
        if cell.cell_type == "code" and cell.source.startswith("predict("):
            following = next(other for other in found[k + 1 :] if other.cell_type == "code")
            assert "hide-output" in following.metadata.get("tags", []), cell.source


@pytest.mark.parametrize("slug", SLUGS)
def test_pictures_stand_at_twice_the_resolution_they_are_shown_at(slug):
    for cell in cells(slug):
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                image = PIL.Image.open(io.BytesIO(base64.b64decode(output["data"]["image/png"])))
                assert image.width == 2 * output.metadata["image/png"]["width"]
                assert image.mode == "P", "a palette: a quarter of the size"


def test_the_page_of_comparisons_has_five_lines_for_each_of_its_lessons_and_the_covers_minutes():
    page = (build.ROOT / "docs" / "beside.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", page, flags=re.M)[1:]
    numbers = [int(section.partition(" ")[0]) for section in sections]
    assert numbers == list(range(len(build.lesson_slugs())))
    for number, section in zip(numbers, sections, strict=True):
        slug = build.lesson_slugs()[number]
        title, *lines = [line for line in section.splitlines() if line]
        text = "\n".join(cell.source for cell in cells(slug) if cell.cell_type == "markdown")
        assert f"# {title}" in text.splitlines(), f"{slug} is not called {title!r}"
        said = re.search(r"\bAbout (\d+) minutes", text)[1]
        assert [line.partition(":**")[0] for line in lines[:5]] == [
            "- **Beside",
            "- **Better there",
            "- **Here besides",
            "- **Missing here",
            "- **Verdict",
        ]
        assert lines[4].startswith(f"- **Verdict:** {said} minutes. "), f"{slug}: the cover says {said} minutes"
