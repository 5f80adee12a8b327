"""What lessons are written with: code without its checks, questions that check themselves."""

import base64
import io
import re

import nbformat
import numpy as np
import PIL.Image
import pytest

from autograder.build import sources as build
from dlcourse import activations, lesson, neurons


def test_the_code_of_a_formula_is_shown_without_docstring_checks_and_namespace():
    shown = lesson.show_code(neurons.preactivation)
    assert repr(shown) == "def preactivation(X, w, b):\n    return X @ w + b"
    assert shown._repr_markdown_() == f"```python\n{shown!r}\n```"
    code = lesson.plain_code(activations.softmax)
    assert (
        "np.exp(z - np.max(" in code
        and "xp." not in code
        and "in_place" not in code
        and "check" not in code
        and '"""' not in code
    )
    # It still is the formula
    namespace = {"np": np}
    exec(code, namespace)
    z = np.array([[1.0, 2.0, 3.0]])
    np.testing.assert_allclose(namespace["softmax"](z), activations.softmax(z), rtol=1e-12)


def test_code_of_several_functions_and_of_one_in_a_function():
    def double(x):
        """Twice."""
        return 2 * x  # not a check

    assert repr(lesson.show_code(double, double)).count("def double(x):\n    return 2 * x  # not a check") == 2
    with pytest.raises(
        TypeError, match=r"function: expected one that `def` made, got <class 'dlcourse.lesson.Question'>"
    ):
        lesson.plain_code(lesson.Question)


CHOICES = {"it stays": "2u = 0 where u = 0.", "it moves & turns": "`b` doubles, <w> too."}


def test_a_question_shows_its_choices_and_answers_when_one_is_opened():
    asked = lesson.predict("What happens to the line?", "it stays", CHOICES)
    assert (
        repr(asked) == "Predict, then run the next cell. What happens to the line?\n  ○ it stays\n  ○ it moves & turns"
    )
    html = asked._repr_html_()
    assert "<summary>it stays</summary><p>Right. 2u = 0 where u = 0.</p>" in html
    assert (
        'class="wrong"><summary>it moves &amp; turns</summary><p>Not quite. <code>b</code> doubles, &lt;w&gt; too.</p>'
    ) in html
    assert " open" not in html.replace("[open]", "") and html.count('name="q') == 2
    assert repr(lesson.question("Why?", "it stays", CHOICES)).startswith("Check yourself. Why?\n")


def test_a_question_without_its_answer_or_a_choice_is_refused():
    with pytest.raises(
        ValueError, match=r"answer: expected one of the choices 'it stays', 'it moves & turns'; got 'up'"
    ):
        lesson.predict("Where?", "up", CHOICES)
    with pytest.raises(ValueError, match=r"choices: expected at least two, got 1"):
        lesson.question("Where?", "up", {"up": "Yes."})


# --- the built lessons ----------------------------------------------------------------------------------------------

LESSONS = build.existing_lessons()
over_lessons = pytest.mark.parametrize("slug", LESSONS)


def built(slug):
    return nbformat.read(build.LESSONS / f"{build.lesson_name(slug)}.ipynb", as_version=4)


def test_the_page_of_the_notes_has_every_slip_once():
    page = (build.LESSONS / "notes.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (E\d\d)$", page, re.M)
    assert headings == [f"E{number:02}" for number in range(1, len(headings) + 1)] and len(headings) >= 48
    assert page.count("**Right:**") == len(headings)


@over_lessons
def test_every_slip_that_is_named_is_a_link_to_the_page_of_the_notes(slug):
    headings = set(re.findall(r"^## (E\d\d)$", (build.LESSONS / "notes.md").read_text(encoding="utf-8"), re.M))
    for cell in built(slug).cells:
        if cell.cell_type == "markdown":
            linked = re.findall(r"\[(E\d\d)\]\(notes\.md#(E\d\d)\)", cell.source)
            assert all(a == b for a, b in linked) and {a for a, _ in linked} <= headings
            rest = re.sub(r"`[^`]*`|\$[^$]*\$|\[[^\]]*\]\([^)]*\)", "", cell.source)
            assert not re.findall(r"\bE\d\d\b", rest)


@over_lessons
def test_what_a_prediction_is_about_waits_folded(slug):
    cells = built(slug).cells
    for cell in cells:
        if cell.cell_type == "code":
            for tag, key in (("hide-output", "outputs_hidden"), ("hide-input", "source_hidden")):
                assert cell.metadata.get("jupyter", {}).get(key, False) == (tag in cell.metadata.get("tags", []))
    for k, cell in enumerate(cells):
        if cell.cell_type == "code" and cell.source.startswith("predict("):
            following = next(other for other in cells[k + 1 :] if other.cell_type == "code")
            assert "hide-output" in following.metadata.get("tags", []), cell.source


@over_lessons
def test_pictures_stand_at_twice_the_resolution_they_are_shown_at(slug):
    for cell in built(slug).cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                image = PIL.Image.open(io.BytesIO(base64.b64decode(output["data"]["image/png"])))
                assert image.width == 2 * output.metadata["image/png"]["width"]
                assert image.mode == "P", "a palette: a quarter of the size"
