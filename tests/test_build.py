"""From text to notebooks: what is built, and that the guards turn red for each thing they guard."""

import contextlib
import re
import subprocess
import sys

import pytest

import dlcourse
from autograder import build, exercises_of
from autograder.checks.solution import solution_parts
from dlcourse import neurons

nbformat = pytest.importorskip("nbformat")
SLUGS = build.existing_assignments()

LESSON = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3 (ipykernel)
  language: python
  name: python3
---

# A lesson

```{code-cell} ipython3
print(1 + 1)
```

```{code-cell} ipython3
1 + 1
```
"""


@pytest.fixture
def lessons(tmp_path, monkeypatch):
    """A folder with one lesson, built."""
    monkeypatch.setattr(build.sources, "LESSONS", tmp_path)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "00_notation.md").write_text(LESSON)
    build.build_lesson("notation")
    return tmp_path


def edit(folder, change):
    path = folder / "00_notation.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)
    return " ".join(build.check_lesson("notation"))


def test_a_built_lesson_is_executed_and_the_same_every_time(lessons):
    first = (lessons / "00_notation.ipynb").read_bytes()
    build.build_lesson("notation")
    assert (lessons / "00_notation.ipynb").read_bytes() == first
    assert build.check_lesson("notation") == []
    cells = nbformat.read(lessons / "00_notation.ipynb", as_version=4).cells
    assert [cell.get("execution_count") for cell in cells] == [None, 1, 2]
    assert cells[1].outputs[0].text == "2\n" and cells[2].outputs[0].data["text/plain"] == "2"


def test_the_guards_see_what_they_guard(lessons):
    assert "not what 00_notation.md says" in edit(lessons, lambda nb: nb.cells[1].update(source="print(2)"))
    build.build_lesson("notation")
    assert "was not executed" in edit(lessons, lambda nb: nb.cells[2].update(execution_count=None))
    build.build_lesson("notation")
    assert "widget state or timestamps" in edit(lessons, lambda nb: nb.metadata.update(widgets={}))
    build.build_lesson("notation")
    error = nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])
    assert "holds an error" in edit(lessons, lambda nb: nb.cells[2].outputs.append(error))
    (lessons / "00_notation.ipynb").unlink()
    assert "is missing" in build.check_lesson("notation")[0]


def test_a_hidden_value_is_refused(lessons):
    (lessons / "source" / "00_notation.md").write_text(LESSON.replace("print(1 + 1)", "print(1 + 1);"))
    with pytest.raises(build.BuildError, match="trailing `;`"):
        build.build_lesson("notation")


def test_a_solution_is_the_reference_without_its_checks():
    head, body = solution_parts(neurons.linear_neuron_grad)
    assert head.startswith("def linear_neuron_grad(X, d, w, b):") and head.rstrip().endswith('"""')
    assert body.splitlines() == [
        "    u = preactivation(X, w, b)",
        "    return -(np.matrix_transpose(X) @ (d - u)), -np.sum(d - u)",
    ]


@pytest.mark.parametrize("slug", SLUGS)
def test_an_assignment_asks_every_exercise_and_gives_nothing_away(slug):
    notebook = build.instructor_notebook(slug)
    marks = [cell.metadata["nbgrader"] for cell in notebook.cells if "nbgrader" in cell.metadata]
    ids = [mark["grade_id"] for mark in marks]
    assert len(ids) == len(set(ids))
    graded = [mark for mark in marks if mark["grade"]]
    assert [mark["grade_id"] for mark in graded] == [f"{e.grade_id}-check" for e in exercises_of(slug).values()]
    assert all(mark["locked"] for mark in graded)
    assert len([mark for mark in marks if mark["task"] and mark["locked"]]) >= 2, "two written questions"
    released = nbformat.read(build.COURSE / "release" / slug / f"{slug}.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in released.cells)
    assert "SOLUTION" not in text and "HIDDEN" not in text and "hidden=True" not in text
    stubs = [cell for cell in released.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    # A repair has one cell for all of its functions
    assert len(stubs) == sum(1 if e.planted else len(e.answers) for e in exercises_of(slug).values())
    for cell in stubs:
        # A signature and a docstring (of a variable what it holds), then nothing but the stub
        stub = r'("""\n    # YOUR CODE HERE\n    |^# .*\n# YOUR CODE HERE\n)raise NotImplementedError\(\)$'
        assert re.search(stub, cell.source, re.M), cell.source[-200:]
    assert not any(cell.get("outputs") for cell in released.cells)


@pytest.mark.parametrize("slug", SLUGS)
def test_the_instructors_answers_score_full_marks_and_the_untouched_ones_nothing(slug, monkeypatch, capsys):
    """The notebooks' code cells as nbgrader runs them, without a kernel."""
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    for untouched in (False, True):
        names, scores, points = {}, [], []
        for cell in build.instructor_notebook(slug).cells:
            if cell.cell_type != "code":
                continue
            mark = cell.metadata.get("nbgrader", {})
            if mark.get("grade"):
                (call,) = [line for line in cell.source.splitlines() if "hidden=True" in line]
                scores.append(eval(call, names))
                points.append(mark["points"])
                continue
            source = cell.source
            if untouched and mark.get("solution"):
                source = re.sub(
                    r"( *)### BEGIN SOLUTION[\s\S]*### END SOLUTION", r"\1raise NotImplementedError()", source
                )
            # Of a variable the untouched cell itself raises
            with contextlib.suppress(NotImplementedError):
                exec(compile(source, mark.get("grade_id", "cell"), "exec"), names)
        assert scores == ([0.0] * len(points) if untouched else points)
    capsys.readouterr()


def test_mistakes_in_a_source_are_named(tmp_path, monkeypatch):
    source = build.assignment_source("neurons").read_text(encoding="utf-8")
    path = tmp_path / "source" / "neurons" / "neurons.md"
    path.parent.mkdir(parents=True)
    monkeypatch.setattr(build.sources, "COURSE", tmp_path)
    for changed, message in (
        (
            source.replace("neurons.sgd_fit", "neurons.sgd_fits"),
            "there is no exercise 'neurons.sgd_fits'; did you mean",
        ),
        (source.replace("neurons.sgd_fit\n", "neurons.gd_fit\n"), r"neurons\.md asks neurons\.gd_fit twice"),
        (re.sub(r"```[^`]*\nneurons\.sgd_fit\n```", "", source), r"does not ask neurons\.sgd_fit"),
    ):
        path.write_text(changed, encoding="utf-8")
        with pytest.raises(build.BuildError, match=message):
            build.instructor_notebook("neurons")


def test_unknown_topics_are_named(capsys):
    assert build.main(["lessons", "neuron"]) == 1
    assert "unknown topic 'neuron'; the topics are notation, neurons" in capsys.readouterr().err


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "autograder.build", "check", "neuron"], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: unknown topic 'neuron'; the topics are notation, neurons, layers,")


def test_topics_are_in_course_order():
    assert dlcourse.TOPICS.index("neurons") == 0 and len(set(dlcourse.TOPICS)) == 13
