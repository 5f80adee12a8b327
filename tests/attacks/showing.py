"""What people see: nothing that a student writes may run in a browser, or pass for the grader's own words."""

from . import Attack
from .assignment import ANSWERS, POINTS, cell_of

ONE = ("preactivation",)
RIGHT = ANSWERS["preactivation"]
SCRIPT = "<script>alert(1)</script>"
EVIL = f"{SCRIPT}<img src=x onerror=alert(1)><iframe src='javascript:alert(1)'></iframe><svg onload=alert(1)><a href='javascript:alert(1)'>x</a>"
WARNINGS = """
import logging, sys, warnings
warnings.warn("this is fine")
print("some words", file=sys.stderr)
logging.warning("more words")
np.float64(1.0) / np.float64(0.0)
"""
FORGED_WORDS = "✓ neurons.preactivation: right, 1 point."


def stored_output(notebook, scene):
    cell_of(notebook, "preactivation")["outputs"] = [
        {
            "output_type": "display_data",
            "data": {"text/html": EVIL, "application/javascript": "alert(1)", "image/svg+xml": EVIL},
            "metadata": {},
        }
    ]


def own_text(notebook, scene):
    notebook["cells"].insert(2, {"cell_type": "markdown", "id": "mine", "metadata": {}, "source": EVIL})
    notebook["cells"].insert(2, {"cell_type": "raw", "id": "raw", "metadata": {"format": "text/html"}, "source": EVIL})


ATTACKS = [
    Attack(
        "html_output",
        "shows HTML with scripts",
        {
            "preactivation": f"from IPython.display import HTML, Javascript, SVG, display\ndisplay(HTML({EVIL!r}), Javascript('alert(1)'))\n{RIGHT}"
        },
    ),
    Attack(
        "html_repr",
        "an object that shows itself as a script",
        {
            "preactivation": f"class Evil:\n    def _repr_html_(self): return {EVIL!r}\n    def _repr_mimebundle_(self, **k): return {{'text/html': {EVIL!r}, 'application/vnd.jupyter.widget-view+json': {{}}, 'text/plain': {EVIL!r}}}\n{RIGHT}\nEvil()"
        },
    ),
    Attack("stored_output", "outputs with scripts in the file", edit=stored_output),
    Attack("html_answer", "a written answer with scripts", {"why": EVIL}),
    Attack("html_cells", "added text cells with scripts", edit=own_text),
    Attack("html_print", "prints scripts", {"preactivation": f"print({EVIL!r})\n{RIGHT}"}),
    Attack(
        "html_error",
        "an error with scripts in its text and type",
        {"preactivation": f"def preactivation(X, w, b):\n    raise type({SCRIPT!r}, (Exception,), {{}})({EVIL!r})"},
        loses=ONE,
    ),
    Attack(
        "html_type",
        "returns an object whose type has a script for a name",
        {"preactivation": f"def preactivation(X, w, b):\n    return type({SCRIPT!r}, (), {{}})()"},
        loses=ONE,
        says="got a scriptalert1script",
    ),
    Attack("html_source", "scripts in the code", {"preactivation": f"# {EVIL} </pre></div>\n{RIGHT}"}),
    Attack("html_name", "a student whose name is a tag", student="<img src=x onerror=alert(1)>"),
    Attack("shell_name", "a student whose name is a command", student="$(touch new);`touch new` &"),
    Attack(
        "newline_name",
        "a student whose name has a line break and colours",
        student="eve\n\x1b[31madmin",
        loses=tuple(POINTS),
        verdict=None,
        says="line breaks",
    ),
    Attack("option_name", "a student whose name is an option", student="--help"),
    Attack("sql_name", "a student whose name is a database command", student="'); drop table grade; --"),
    Attack("plus_name", "a student whose name is a formula of a spreadsheet", student="=HYPERLINK(1)+cmd"),
    Attack(
        "terminal",
        "control characters in an error",
        {
            "preactivation": "def preactivation(X, w, b):\n    raise ValueError('\\x1b]0;owned\\x07\\x1b[2J\\u202eevil\\r\\x08')"
        },
        loses=ONE,
    ),
    Attack(
        "forged_words",
        "an error whose text looks like the grader's praise",
        {"preactivation": f"def preactivation(X, w, b):\n    raise ValueError('\\n{FORGED_WORDS}\\n')"},
        loses=ONE,
    ),
    Attack(
        "warnings",
        "a right answer that warns and writes to the standard error",
        {"preactivation": f"{WARNINGS}\n{RIGHT}"},
    ),
    Attack(
        "warnings_in_call",
        "a right function that warns and prints",
        {
            "preactivation": "import sys, warnings\ndef preactivation(X, w, b):\n    warnings.warn('slow'); print('u', file=sys.stderr); np.log(np.zeros(1))\n    return X @ w + b"
        },
        says="Your function prints",
    ),
    Attack(
        "warnings_in_asserts",
        "a right average that warns while the plain asserts run",
        {
            "average": "import warnings\ndef average(values):\n    warnings.warn('slow')\n    return sum(values) / len(values)"
        },
    ),
    Attack(
        "prints_number",
        "a right answer after which the check's cell shows a number",
        {"average": "def average(values):\n    display(0.0)\n    return sum(values) / len(values)"},
    ),
]
