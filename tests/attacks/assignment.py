"""The small assignment that is attacked: three of the course's exercises, one cell of plain asserts, one written answer."""

import copy
import json
import shutil
from pathlib import Path

from autograder import build

ASSIGNMENT = "attacked"

# The right answers of an honest student, by short names, and the cells that they stand in
ANSWERS = {
    "preactivation": "def preactivation(X, w, b):\n    return X @ w + b",
    "gradient": "def linear_neuron_grad(X, d, w, b):\n    e = X @ w + b - d\n    return X.T @ e, e.sum()",
    "forward": "def linear_forward(X, W, b):\n    return X @ W + b, (X, W)",
    "backward": "def linear_backward(dU, cache):\n    X, W = cache\n    return dU @ W.T, X.T @ dU, dU.sum(axis=0)",
    "average": "def average(values):\n    return sum(values) / len(values)",
    "why": "Because a sum of straight lines is a straight line.",
}
# As right, and allowed: it calls a function of the course that another exercise asks for
WITH_THE_COURSE = """from dlcourse import neurons

def linear_neuron_grad(X, d, w, b):
    e = neurons.preactivation(X, w, b) - d
    return X.T @ e, e.sum()"""
GRADE_IDS = {
    "preactivation": "neurons-preactivation",
    "gradient": "neurons-linear_neuron_grad",
    "forward": "layers-linear-forward",
    "backward": "layers-linear-backward",
    "average": "average",
    "why": "why",
}
CHECKS = {
    "preactivation": "neurons-preactivation-check",
    "gradient": "neurons-linear_neuron_grad-check",
    "layer": "layers-linear-check",
    "average": "average-check",
}
POINTS = {"preactivation": 1.0, "gradient": 2.0, "layer": 3.0, "average": 2.0}

# Each stands in one place that no submission may read; an answer that prints one has read it
HIDDEN_TESTS, NEIGHBOUR, SECRET, ENVIRONMENT = (
    f"CANARY{name}" for name in ("hiddentests", "neighbour", "secret", "environment")
)
CANARIES = {
    HIDDEN_TESTS: "hidden tests",
    NEIGHBOUR: "another submission",
    SECRET: "the course's secret",
    ENVIRONMENT: "the grader's environment",
}


def grade_id_of(cell):
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def cell_of(notebook, name):
    """The cell of an answer, or of a check ("average-check")."""
    grade_id = GRADE_IDS.get(name) or CHECKS.get(name.removesuffix("-check"))
    return next(cell for cell in notebook["cells"] if grade_id_of(cell) == grade_id)


def filled(released, changes=None):
    """The released notebook with the honest answers, some of them changed; a plain dict, as JSON has it."""
    notebook = copy.deepcopy(released)
    for name, source in (ANSWERS | (changes or {})).items():
        cell_of(notebook, name)["source"] = source
    return notebook


def instructor_notebook():
    """The assignment with its solutions, made by the course's own functions."""
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    def marked(kind, grade_id, source, **marks):
        cell = kind(source, metadata={"nbgrader": build.nbgrader_marks(grade_id, **marks)})
        cell.id = grade_id
        return cell

    begin = [
        new_markdown_cell("# An assignment", id="title"),
        new_code_cell("import numpy as np\n\nfrom autograder import check", id="imports"),
    ]
    exercises = [
        cell
        for name in ("neurons.preactivation", "neurons.linear_neuron_grad", "layers.linear")
        for cell in build.exercise_cells(name, {"np", "check"})
    ]
    solution = f"{ANSWERS['average'].splitlines()[0]}\n    ### BEGIN SOLUTION\n    return sum(values) / len(values)\n    ### END SOLUTION"
    tests = (
        "# Checks average on a few lists\nassert average([1, 2, 3]) == 2\n### BEGIN HIDDEN TESTS\n"
        f"hidden = '{HIDDEN_TESTS}'\nassert average([0.5]) == 0.5 and average([-1, 0]) == -0.5\n### END HIDDEN TESTS"
    )
    end = [
        marked(new_code_cell, "average", solution, solution=True),
        marked(new_code_cell, "average-check", tests, grade=True, locked=True, points=2),
        marked(new_markdown_cell, "why", "YOUR ANSWER HERE", grade=True, solution=True, points=3),
    ]
    notebook = new_notebook(cells=begin + exercises + end, metadata={"kernelspec": build.KERNEL})
    notebook.nbformat_minor = 5
    return notebook


def make_course(folder, config=""):
    """A course directory with the assignment built and released; `config` is added to nbgrader's."""
    import nbformat

    folder = Path(folder)
    (folder / "source" / ASSIGNMENT).mkdir(parents=True)
    shutil.copy(build.COURSE / "nbgrader_config.py", folder)
    with (folder / "nbgrader_config.py").open("a") as file:
        file.write(config)
    (folder / "course_secret").write_text(SECRET)
    nbformat.write(instructor_notebook(), folder / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb")
    build.generate(folder, [ASSIGNMENT])
    return folder


def released_notebook(course):
    """The notebook as students get it, as a plain dict whose sources are texts."""
    notebook = json.loads((course / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def hand_in(course, student, changes=None):
    """An honest student's submission."""
    folder = course / "submitted" / student / ASSIGNMENT
    folder.mkdir(parents=True)
    notebook = filled(released_notebook(course), changes)
    cell_of(notebook, "why")["source"] += f" <!-- {NEIGHBOUR} -->"
    (folder / f"{ASSIGNMENT}.ipynb").write_text(json.dumps(notebook, indent=1), encoding="utf-8")
    return folder
