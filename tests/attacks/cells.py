"""What the notebook format lets anyone edit: tags, marks, order, types, outputs."""

from . import Attack, own_cell
from .assignment import POINTS, cell_of

# Wrong for every case, and no mistake that is known
WRONG = {"preactivation": "def preactivation(X, w, b):\n    return X @ w - 2 * b"}


def tagged(*tags):
    def edit(notebook, scene):
        for name in POINTS:
            cell_of(notebook, f"{name}-check")["metadata"]["tags"] = list(tags)

    return edit


def emptied(notebook, scene):
    for name in POINTS:
        cell_of(notebook, f"{name}-check")["source"] = "pass"


def marks(name, **changes):
    def edit(notebook, scene):
        cell_of(notebook, name)["metadata"]["nbgrader"].update(changes)

    return edit


def without(*names):
    def edit(notebook, scene):
        for name in names:
            notebook["cells"].remove(cell_of(notebook, name))

    return edit


def twice(name, source=None):
    def edit(notebook, scene):
        cell = cell_of(notebook, name)
        again = cell | {"id": "again"} | ({} if source is None else {"source": source})
        notebook["cells"].insert(notebook["cells"].index(cell) + 1, again)

    return edit


def retyped(name, kind):
    def edit(notebook, scene):
        cell = cell_of(notebook, name)
        cell["cell_type"] = kind
        for key in ("outputs", "execution_count"):
            cell.pop(key, None)
        if kind == "code":
            cell |= {"outputs": [], "execution_count": None}

    return edit


def reordered(notebook, scene):
    notebook["cells"].reverse()


def forged_outputs(notebook, scene):
    for name in POINTS:
        cell_of(notebook, f"{name}-check")["outputs"] = [
            {
                "output_type": "execute_result",
                "data": {"text/plain": "100.0"},
                "metadata": {},
                "execution_count": 1,
            }
        ]


def strange_outputs(notebook, scene):
    cell_of(notebook, "average-check")["outputs"] = [{"output_type": "evil"}, None, 3]
    cell_of(notebook, "why")["attachments"] = {"x": {"text/html": "<script>alert(1)</script>"}}


def points_for_nothing(notebook, scene):
    cell = own_cell("1", "gift")
    cell["metadata"]["nbgrader"] = cell_of(notebook, "average-check")["metadata"]["nbgrader"] | {
        "grade_id": "gift",
        "points": 100,
    }
    notebook["cells"].append(cell)


def same_ids(notebook, scene):
    for cell in notebook["cells"]:
        cell["id"] = "one"


def bad_ids(notebook, scene):
    for i, cell in enumerate(notebook["cells"]):
        cell["id"] = "../" * 50 + str(i)


def old_schema(notebook, scene):
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["schema_version"] = 1


def words_as_marks(notebook, scene):
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"] = {
                "grade_id": cell["metadata"]["nbgrader"]["grade_id"],
                "points": "all",
                "grade": "yes",
                "solution": [],
            }


def no_marks(notebook, scene):
    for cell in notebook["cells"]:
        cell["metadata"] = {}


def imports_gone(notebook, scene):
    del notebook["cells"][1]


def imports_edited(notebook, scene):
    notebook["cells"][1]["source"] = "import numpy as np\n\ndef check(*answers, **options):\n    pass"


ATTACKS = [
    Attack(
        "skip_tag", "`skip-execution` on every check", WRONG, edit=tagged("skip-execution"), loses=("preactivation",)
    ),
    Attack(
        "raises_tag",
        "`raises-exception` on every check",
        WRONG,
        edit=tagged("raises-exception", "remove_cell"),
        loses=("preactivation",),
    ),
    Attack(
        "emptied_checks",
        "every check says `pass`",
        WRONG,
        edit=emptied,
        loses=("preactivation",),
        says="the locked cell neurons-preactivation-check was changed",
    ),
    Attack("more_points", "the points of a check set to 1,000", edit=marks("preactivation-check", points=1000)),
    Attack(
        "negative_points",
        "the points of a failed check set to −1",
        WRONG,
        edit=marks("preactivation-check", points=-1),
        loses=("preactivation",),
    ),
    Attack(
        "changed_id",
        "an answer under another id",
        edit=marks("preactivation", grade_id="mine"),
    ),
    Attack(
        "swapped_ids",
        "an answer under the id of a check",
        edit=marks("preactivation", grade_id="average-check"),
        loses=("preactivation",),
        verdict="not attempted",
    ),
    Attack(
        "missing_answer",
        "an answer's cell deleted",
        edit=without("gradient"),
        loses=("gradient",),
        verdict="not attempted",
        says="is missing; it counts as not attempted",
    ),
    Attack(
        "missing_checks",
        "checks deleted",
        WRONG,
        edit=without("preactivation-check", "average-check"),
        loses=("preactivation",),
    ),
    Attack(
        "twice_answer",
        "an answer twice, first right, then wrong",
        edit=twice("preactivation", WRONG["preactivation"]),
        loses=("preactivation",),
        says="stands twice; the last one was graded",
    ),
    Attack(
        "twice_check", "a check twice", edit=twice("average-check"), says="stands twice; the course's version was used"
    ),
    Attack(
        "answer_as_text",
        "an answer's cell turned into text",
        edit=retyped("preactivation", "markdown"),
        says="was made a markdown cell; it is read as code",
    ),
    Attack(
        "check_as_text",
        "a check turned into text",
        WRONG,
        edit=retyped("preactivation-check", "markdown"),
        loses=("preactivation",),
    ),
    Attack(
        "check_as_raw",
        "a check turned into a raw cell",
        WRONG,
        edit=retyped("preactivation-check", "raw"),
        loses=("preactivation",),
    ),
    Attack(
        "check_by_hand",
        "a check marked as written answer, so that nobody runs it",
        WRONG,
        edit=marks("preactivation-check", solution=True, locked=False),
        loses=("preactivation",),
    ),
    Attack(
        "check_unmarked",
        "a check marked as not graded",
        WRONG,
        edit=marks("preactivation-check", grade=False),
        loses=("preactivation",),
    ),
    Attack(
        "essay_as_code",
        "the written answer turned into code that ends the process",
        {"why": "import os\nos._exit(0)"},
        edit=retyped("why", "code"),
        says="was made a code cell; it is read as markdown",
    ),
    Attack("reordered", "every cell in the opposite order", edit=reordered),
    Attack(
        "forged_outputs",
        "outputs in the file that say 100 points",
        WRONG,
        edit=forged_outputs,
        loses=("preactivation",),
    ),
    Attack("strange_outputs", "outputs that are null and numbers", edit=strange_outputs),
    Attack("points_for_nothing", "a new check of 100 points, always passed", edit=points_for_nothing),
    Attack("same_ids", "one id for every cell", edit=same_ids),
    Attack("bad_ids", "ids that climb out of a folder", edit=bad_ids),
    Attack("old_schema", "marks of nbgrader's first schema", edit=old_schema),
    Attack("words_as_marks", "marks of the wrong types", edit=words_as_marks),
    Attack(
        "no_marks",
        "every mark deleted, as some editors do",
        edit=no_marks,
    ),
    Attack("imports_gone", "the cell with the imports deleted", edit=imports_gone),
    Attack(
        "imports_edited",
        "the cell with the imports defines its own check",
        WRONG,
        edit=imports_edited,
        loses=("preactivation",),
        says="the course's cell 2 was changed",
    ),
]
