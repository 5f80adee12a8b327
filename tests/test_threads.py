"""Ten public threads about grades that were lost, each re-created as one student of a class: graded, or said.

The threads are named by repository and number; what their students met is told there, the cases are made here.
"""

import copy

import classes

from autograder.engine.run import grade_class
from autograder.engine.store.course import open_course
from autograder.engine.store.journal import latest_records

DOUBLE = classes.RIGHT_ANSWERS["double"]


def _place(made, grade_id):
    marks = [cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in made["cells"]]
    return marks.index(grade_id)


def _copied(made, grade_id, *sources):
    """The cell again, once for each source, as the editor's copy and split leave it: with its marks."""
    place = _place(made, grade_id)
    cells = [copy.deepcopy(made["cells"][place]) | {"source": source} for source in sources]
    made["cells"][place : place + 1] = [cell | {"id": f"{grade_id}-{n}"} for n, cell in enumerate(cells)]


def answer_copied(made):
    _copied(made, "double", "def double(x):\n    raise NotImplementedError()", DOUBLE)


def test_copied(made):
    _copied(made, "double-test", "assert double(2) == 4", "assert True")


def answer_split(made):
    _copied(made, "double", "def double(x):", "    return 2 * x")


def test_deleted(made):
    del made["cells"][_place(made, "double-test")]


def answer_deleted(made):
    del made["cells"][_place(made, "double")]


def text_without_mark(made):
    made["cells"][_place(made, "why")] |= {"metadata": {}, "id": "pasted"}


def no_marks(made):
    for place, cell in enumerate(made["cells"]):
        cell |= {"metadata": {}, "id": f"new-{place}"}


def made_text(made):
    cell = made["cells"][_place(made, "double")]
    cell["cell_type"] = "markdown"
    del cell["outputs"], cell["execution_count"]


def answer_below(made):
    place = _place(made, "why")
    made["cells"][place]["source"] = classes.released(made["folder"])["cells"][place]["source"]
    made["cells"].insert(place + 1, {"cell_type": "markdown", "id": "own", "metadata": {}, "source": "Because."})


def renamed(made):
    made["name"] = "small-ada"


# {thread: (what was done to a right notebook, points of 5, what is said)}
THREADS = {
    "jupyter/nbgrader#1083": (answer_copied, 5, ["cell double stands twice; the last one was graded"]),
    "jupyter/nbgrader#108": (test_copied, 5, []),
    "jeflem/ananke#12": (answer_split, 5, ["cell double stands twice; its parts were joined in their order"]),
    "jupyter/nbgrader#1682": (test_deleted, 5, []),
    "TU-Wien-dataLAB/grader-service#213": (
        answer_deleted,
        2,
        ["cell double is missing; it counts as not attempted"],
    ),
    "jupyter/nbgrader#424": (text_without_mark, 5, ["cell why has lost nbgrader's mark; found by its place"]),
    "jupyter/nbgrader#1398": (
        no_marks,
        5,
        [
            "cells neurons-preactivation, neurons-perceptron_predict, double have lost nbgrader's mark; "
            "found by what is defined there",
            "cell why has lost nbgrader's mark; found by its place",
        ],
    ),
    "jupyter/nbgrader#1941": (made_text, 5, []),
    "jupyter/nbgrader#1546": (
        answer_below,
        5,
        ["cell why is as it was handed out, and the student's own cells stand below it: a person is asked"],
    ),
    "earthlab/abc-classroom#88": (renamed, 5, ["small.ipynb was handed in as small-ada.ipynb"]),
}
for function in (test_copied, test_deleted):
    function.__test__ = False


def test_each_thread_is_graded_or_said(course):
    students = {f"student{number:02}": thread for number, thread in enumerate(THREADS)}
    for student, thread in students.items():
        made = classes.answered(course, classes.RIGHT_ANSWERS) | {"folder": course, "name": classes.NAME}
        THREADS[thread][0](made)
        name = made.pop("name")
        del made["folder"]
        classes.hand_in(course, student, made, name=name)
    summary = grade_class(open_course(course), classes.NAME, workers=1, grader=classes.FakeGrader)
    assert summary.complete
    found = {students[record.student]: record for record in latest_records(open_course(course), classes.NAME)}
    assert {thread: (record.points, list(record.needs_review)) for thread, record in found.items()} == {
        thread: (points, said) for thread, (_, points, said) in THREADS.items()
    }
    # A written answer is never 0 in silence
    why = {thread: one.points for thread, record in found.items() for one in record.verdicts if one.grade_id == "why"}
    assert why == dict.fromkeys(THREADS)
    noted = {thread for thread, record in found.items() if record.needs_review or record.notebooks[0].notes}
    assert set(THREADS) - noted == {"jupyter/nbgrader#1682"}
