"""Courses as other people write them: cell by cell what plain nbgrader gives, but for the rows of docs/instructors/differences.md.

The kinds are those of five public courses: an introduction to programming, one with pandas, one with partial credit, one of
written answers, one of numbers with sympy; each is a notebook of one assignment here.
"""

import json
import re
import shutil
from pathlib import Path

import classes
import pytest
from test_grade import needs_bubblewrap, plain

from autograder import build
from autograder.engine.run import grade_class
from autograder.engine.selftest import self_test
from autograder.engine.store.course import open_course

NAME = "kinds"
DOCS = Path(__file__).parents[1] / "docs" / "instructors" / "differences.md"


def answer(grade_id, source, solution, kind="code", **marks):
    made = solution
    if kind == "code":
        space = source.rpartition("\n")[2]
        lines = ["### BEGIN SOLUTION", *solution.splitlines(), "### END SOLUTION"]
        made = "\n".join([lines[0], *(space + line for line in lines[1:])]) if not space.strip() else solution
    return kind, source + made, {"grade_id": grade_id, "solution": True} | marks


def check(grade_id, source, points=2):
    return "code", source, {"grade_id": grade_id, "grade": True, "locked": True, "points": points}


def text(source):
    return "markdown", source, {}


def code(source):
    return "code", source, {}


KINDS = {
    # Two functions in a cell, a helper module of the course, a data file, hidden tests, one answer that uses another
    "intro": [
        text("# Words"),
        code("from tools import words"),
        answer(
            "count",
            "",
            "def count(name):\n    return len(words(name))\n\ndef longest(name):\n    return max(words(name), key=len)",
        ),
        check("count-test", "assert count('text.txt') == 4\n### BEGIN HIDDEN TESTS\nassert count('more.txt') == 2\n### END HIDDEN TESTS"),
        check("longest-test", "assert len(longest('text.txt')) == 5"),
        answer("ratio", "def ratio(name):\n    ", "return len(longest(name)) / count(name)"),
        check("ratio-test", "import math\nassert math.isclose(ratio('text.txt'), 1.25)\nprint('well done')", 1),
    ],
    # pandas, a file, a plot that a person reads
    "tables": [
        code("import pandas as pd\nimport matplotlib.pyplot as plt\n%matplotlib inline\ntable = pd.read_csv('data/table.csv')"),
        answer("mean", "", "mean = table.groupby('kind').value.mean()"),
        check("mean-test", "assert list(mean.index) == ['a', 'b']\npd.testing.assert_series_equal(mean, table.groupby('kind').value.mean())"),
        answer("plot", "", "table.plot(x='kind', y='value', kind='bar');", grade=True, points=3),
        check("head-test", "table.head()", 1),
    ],
    # Partial credit in several spellings
    "credit": [
        answer("root", "def root(x):\n    ", "return x ** 0.5"),
        check("root-sum", "points = 0\nfor x in (1, 4, 9, 16):\n    if root(x) ** 2 == x:\n        points += 1\npoints", 4),
        check("root-share", "2 * sum(root(x) ** 2 == x for x in (4, 6.25)) / 2", 2),
        check("root-type", "assert isinstance(root(4), float), 'a float was asked'", 1),
        check("root-error", "try:\n    root('a')\nexcept TypeError:\n    pass\nelse:\n    raise AssertionError('expected a TypeError')", 1),
    ],
    # Written answers and a task
    "words": [
        text("Why is it so?"),
        answer("why", "", "Because.", "markdown", grade=True, points=2),
        text("And how?"),
        answer("how", "", "Thus.", "markdown", grade=True, points=2),
        ("markdown", "Draw it below.", {"grade_id": "draw", "locked": True, "task": True, "points": 3}),
    ],
    # Symbols, and a class that later cells use
    "numbers": [
        code("import sympy\nx = sympy.Symbol('x')"),
        answer("derivative", "def derivative(f):\n    ", "return sympy.diff(f, x)"),
        check("derivative-test", "assert derivative(x**3) == 3 * x**2\nassert derivative(sympy.sin(x)) == sympy.cos(x)"),
        answer("counter", "class Counter:\n    ",
            "def __init__(self):\n    self.n = 0\n\ndef step(self):\n    self.n += 1\n    return self",
        ),
        code("counter = Counter()"),
        check("counter-test", "assert counter.step().step().n == 2"),
        check("counter-again", "assert counter.step().n == 3", 1),
    ],
    # Where the two differ
    "differences": [
        code("import sys, numpy as np"),
        answer("right", "", "right = [True, False]"),
        check("stderr", "print('a warning', file=sys.stderr)"),
        check("negative", "-1"),
        check("numpy-number", "2 * np.mean(right)"),
        check("numpy-number-negative", "np.float64(-1)"),
        check("not-a-number", "np.array([1, 2])"),
        check("text-number", "'1'"),
        check("false", "right[1]"),
        check("deleted-test", "assert right[1] is True"),
        check("same-semicolon", "1;"),
        answer("deleted", "def deleted():\n    ", "return 1"),
        check("deleted-answer", "assert deleted() == 1"),
        check("counts", "1"),
    ],
}  # fmt: skip
FILES = {
    "tools.py": "from pathlib import Path\n\ndef words(name):\n    return Path(name).read_text().split()\n",
    "text.txt": "the quick brown fox\n",
    "more.txt": "and more\n",
    "data/table.csv": "kind,value\na,1\nb,3\na,2\n",
}
# What one student answers otherwise: wrong, with an error, not at all, with lines for the shell and prints
ANSWERS = {
    "count": "def count(name):\n    print('counting')\n    return 4\n\ndef longest(name):\n    return sorted(words(name), key=len)[-1]",
    "ratio": "def ratio(name):\n    return longest(name) / count(name)",
    "plot": "!true\n%time plt.plot([1, 2])",
    "root": "def root(x):\n    return int(x ** 0.5)",
    "why": "Because it *is*.",
    "counter": "class Counter:\n    n = 0\n    def step(self):\n        self.n += 1\n        return self\n1 / 0",
}


def notebook(cells):
    from nbformat.v4 import new_notebook

    made = [classes._cell(kind, source, **dict(marks)) for kind, source, marks in cells]
    for place, one in enumerate(made):
        one.id = f"cell-{place}"
    return new_notebook(cells=made, metadata={"kernelspec": build.KERNEL, "language_info": {"name": "python"}})


def make_course(folder, kinds=KINDS, files=FILES):
    import nbformat

    source = folder / "source" / NAME
    source.mkdir(parents=True)
    shutil.copy(build.COURSE / "nbgrader_config.py", folder)
    for name, cells in kinds.items():
        nbformat.write(notebook(cells), source / f"{name}.ipynb")
    for name, content in files.items():
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(content)
    build.generate(folder, [NAME])
    open_course(folder)
    return folder


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    for name in ("pandas", "sympy"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    needs_bubblewrap()
    return make_course(tmp_path_factory.mktemp("kinds") / "ours")


def hand_in(folder, student="ada", answers=ANSWERS, without=()):
    """The released notebooks with these answers, and the teacher's for the others."""
    right = {
        marks["grade_id"]: re.sub(r"### (BEGIN|END) SOLUTION\n?", "", source).rstrip()
        for cells in KINDS.values()
        for _, source, marks in cells
        if marks.get("solution")
    }
    target = folder / "submitted" / student / NAME
    target.mkdir(parents=True)
    for path in sorted((folder / "release" / NAME).glob("*.ipynb")):
        made = json.loads(path.read_text())
        for cell in made["cells"]:
            grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
            if grade_id in right and grade_id != "how":
                cell["source"] = (right | answers)[grade_id]
        made["cells"] = [
            cell for cell in made["cells"] if cell["metadata"].get("nbgrader", {}).get("grade_id") not in without
        ]
        (target / path.name).write_text(json.dumps(made))


# The table of the docs: {cell: (points of 2 with plain nbgrader, here)}; None waits for a person
TABLE = {
    "stderr": (0.0, 2.0),
    "negative": (2.0, 0.0),
    "numpy-number": (2.0, 1.0),
    "numpy-number-negative": (2.0, 0.0),
    "not-a-number": (2.0, None),
    "text-number": (2.0, None),
    "false": (2.0, None),
    "deleted-test": (None, 0.0),
}
SAID = [
    "cell deleted is missing; it counts as not attempted",
    "cell negative: its code gave -1 of 2 points; 0 count",
    "cell numpy-number-negative: its code gave -1 of 2 points; 0 count",
    "cell not-a-number: its value is array([1, 2]) (an array of shape (2,)), which is not a number of points: a person decides",
    "cell text-number: its value is '1' (the text '1'), which is not a number of points: a person decides",
    "cell false: its value is False (a bool), which is not a number of points: a person decides",
]


@pytest.mark.slow
def test_every_cell_scores_as_with_plain_nbgrader_but_for_the_table(course, tmp_path):
    hand_in(course, without=("deleted", "deleted-test"))
    theirs = Path(shutil.copytree(course, tmp_path / "theirs"))
    summary = grade_class(open_course(course), NAME, workers=1)
    assert summary.complete and [said for _, said in summary.needs_review] == SAID
    mine, wanted = classes.grades(course)[0], plain(theirs, NAME)[0]
    differing = {
        cell: (wanted[who, cell][0], score[0]) for (who, cell), score in mine.items() if score != wanted[who, cell]
    }
    assert differing == TABLE
    found = {cell: score[0] for (_, cell), score in mine.items()}
    assert {name: found[name] for name in ("count-test", "longest-test", "ratio-test", "mean-test", "head-test")} == {
        "count-test": 0.0, "longest-test": 2.0, "ratio-test": 0.0, "mean-test": 2.0, "head-test": 1.0,
    }  # fmt: skip
    assert {name: found[name] for name in ("root-sum", "root-share", "root-type", "why", "how", "counter-test")} == {
        "root-sum": 4.0, "root-share": 1.0, "root-type": 0.0, "why": None, "how": 0.0, "counter-test": 2.0,
    }  # fmt: skip


@pytest.mark.slow
def test_the_solution_is_tried_and_what_it_loses_is_said(course):
    tested = self_test(open_course(course), NAME)
    assert not tested.passed and tested.points == sum(
        marks.get("points", 0)
        for cells in KINDS.values()
        for kind, _, marks in cells
        if kind == "code" and "solution" not in marks
    )
    assert {grade_id for grade_id, *_ in tested.lost} == {"negative", "numpy-number", "numpy-number-negative", "not-a-number", "text-number", "false", "deleted-test", "counts"}  # fmt: skip


def test_what_plain_nbgrader_gives_for_values():
    """The rows of the table that need no kernel: nbgrader's own function on what a cell shows."""
    from nbformat.v4 import new_output
    from nbgrader.utils import determine_grade

    def graded(shown):
        cell = classes._cell("code", "", grade_id="t", grade=True, locked=True, points=2)
        cell.outputs = [new_output("execute_result", {"text/plain": shown})]
        return determine_grade(cell)[0]

    assert [graded(text) for text in ("-1", "np.float64(1.0)", "array([1, 2])", "nan", "'1'", "False", "True")] == [
        2
    ] * 7
    assert graded("1.5") == 1.5
    with pytest.raises(ValueError, match="partial credit cannot be greater than maximum points"):
        graded("3")


BY_KIND = "test_courses.test_every_cell_scores_as_with_plain_nbgrader_but_for_the_table"
VALUE = "test_said.test_partial_credit_is_the_number_that_it_is_or_is_said"
COPY = "test_match.test_an_answer_in_several_cells"
# {row of the docs' table: the test that holds it}
ROWS = {
    "prints to `sys.stderr`, or warns": BY_KIND,
    "ends with a negative number": BY_KIND,
    "ends with more than its points": VALUE,
    "ends with a number of NumPy or of another type (`4 * np.mean(right)`)": BY_KIND,
    "ends with an array, NaN, a number in quotes": BY_KIND,
    "ends with `False`": BY_KIND,
    "ends with a semicolon (`1;`), `True`, a list, a table": BY_KIND,
    "is deleted from the submission": BY_KIND,
    "is changed": "test_ingest.test_missing_doubled_retyped_and_locked_cells_are_noted",
    "imports what is not installed": "test_said.test_a_package_that_the_assignment_lacks_stops_the_run",
    "a deleted answer cell": BY_KIND,
    "an answer cell twice, or split in two": COPY,
    "cells without nbgrader's metadata (VS Code, Colab)": "test_match.test_without_any_mark_answers_are_found_by_names_and_places",
    "a notebook of another name": "test_match.test_a_renamed_notebook",
    "the two sides of a git conflict": "test_match.test_a_conflict_of_git_is_one_of_its_sides",
    "UTF-16 or Windows-1252": "test_match.test_other_encodings_are_read_and_said",
    "a new cell below an untouched “YOUR ANSWER HERE”": "test_match.test_an_answer_below_an_untouched_question_is_for_a_person",
    "an `import` of what is not installed": "test_said.test_a_package_that_the_students_code_lacks_is_for_a_person",
    "a cell that stops with an error, or never ends": "test_said.test_a_cell_that_was_stopped_is_said_with_its_code",
}


def test_every_row_of_the_table_has_its_test():
    rows = re.findall(r"^\| (.+?) \|", DOCS.read_text(encoding="utf-8"), re.M)
    assert [row for row in rows if not row.startswith(("what the", "---"))] == list(ROWS)
    for place in ROWS.values():
        module, name = place.split(".")
        assert f"\ndef {name}(" in (Path(__file__).parent / f"{module}.py").read_text(encoding="utf-8"), place
