"""What lessons are written with: code without its checks, and questions.

::

    show_code(neurons.preactivation)
    predict("Double w and b. What happens to the line?", "it stays", {
        "it stays": "u = 0 where 2u = 0.",
        "it moves away from the origin": "Its distance is b/‖w‖; both double.",
    })
"""

import ast
import hashlib
import inspect
import re
import sys
import textwrap
from html import escape

__all__ = ["Question", "budget", "plain_code", "predict", "question", "show_code"]


def __dir__():
    return __all__


def budget(computer, browser):
    """What a cell can afford: steps, seeds or sizes for a computer, or for a browser tab,
    where matrix products take some twenty times as long.

    Parameters
    ----------
    computer, browser : anything, one for each.

    Returns
    -------
    The one for where Python runs.

    Examples
    --------
    >>> steps = budget(120, browser=40)
    """
    return browser if sys.platform == "emscripten" else computer


def plain_code(function):
    """The code of a function without docstring, checks and choice of the array library.

    Parameters
    ----------
    function : one that is written in Python.

    Returns
    -------
    str, the `def` included; `np.` stands for `xp.`.
    """
    source = textwrap.dedent(inspect.getsource(function))
    lines, tree = source.splitlines(), ast.parse(source).body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise TypeError(f"function: expected one that `def` made, got {function!r}")
    documented = ast.get_docstring(tree) is not None
    arguments = {argument.arg for argument in (*tree.args.posonlyargs, *tree.args.args, *tree.args.kwonlyargs)}
    dropped = set(range(tree.body[0].lineno, tree.body[0].end_lineno + 1)) if documented else set()
    for statement in tree.body[documented:]:
        if _is_check(statement, arguments):
            dropped |= set(range(statement.lineno, statement.end_lineno + 1))
    code = "\n".join(line for number, line in enumerate(lines, 1) if number not in dropped)
    return re.sub(r"\bin_place\((np\.\w+), ", r"\1(", re.sub(r"\bxp\.", "np.", code)).strip("\n")


def _is_check(statement, arguments):
    """Whether a statement only chooses the array library or checks an argument."""
    call = getattr(statement, "value", None)
    if not isinstance(statement, ast.Assign | ast.Expr) or not isinstance(call, ast.Call):
        return False
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name == "array_namespace":
        return True
    first = call.args[0] if call.args else None
    names_one = isinstance(first, ast.Constant) and first.value in arguments
    if not (name.startswith("check_") or name == "as_floating" or names_one):
        return False
    targets = {
        node.id
        for target in getattr(statement, "targets", [])
        for node in ast.walk(target)
        if isinstance(node, ast.Name)
    }
    return targets - {"_"} <= arguments


class _Code:
    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text

    def _repr_markdown_(self):
        return f"```python\n{self.text}\n```"


def show_code(*functions):
    """The code of functions as the result of a cell, in colour.

    Parameters
    ----------
    *functions : see `plain_code`.
    """
    return _Code("\n\n\n".join(map(plain_code, functions)))


_LOOK = """<style>
.dlcourse-question { border-left: 4px solid #0072B2; padding: 0.2em 0 0.2em 0.9em; margin: 0.4em 0; max-width: 46em; }
.dlcourse-question > p { margin: 0 0 0.4em; }
.dlcourse-question details { margin: 0.15em 0; }
.dlcourse-question summary { cursor: pointer; list-style: none; }
.dlcourse-question summary::-webkit-details-marker { display: none; }
.dlcourse-question summary::before { content: "○"; display: inline-block; width: 1.4em; }
.dlcourse-question details[open].right > summary::before { content: "✓"; color: #009E73; font-weight: bold; }
.dlcourse-question details[open].wrong > summary::before { content: "✗"; color: #D55E00; font-weight: bold; }
.dlcourse-question details > p { margin: 0.1em 0 0.4em 1.4em; }
</style>"""


class Question:
    """A question with its choices; one that is opened says whether it is right.

    heading : "Predict" or "Check yourself". text : the question.
    answer : the right one of the choices.
    choices : {choice: what is said about it}, in the order shown.
    """

    def __init__(self, heading, text, answer, choices):
        if answer not in choices:
            raise ValueError(f"answer: expected one of the choices {', '.join(map(repr, choices))}; got {answer!r}")
        if len(choices) < 2:
            raise ValueError(f"choices: expected at least two, got {len(choices)}")
        self.heading, self.text, self.answer, self.choices = heading, text, answer, choices

    def __repr__(self):
        return "\n".join([f"{self.heading}. {self.text}", *(f"  ○ {choice}" for choice in self.choices)])

    def _repr_html_(self):
        # One name for all choices of a question: the browser closes the one when another is opened
        name = hashlib.sha256(self.text.encode()).hexdigest()[:8]
        lines = [
            _LOOK,
            '<div class="dlcourse-question">',
            f"<p><strong>{self.heading}.</strong> {_marked(self.text)}</p>",
        ]
        for choice, reply in self.choices.items():
            right = choice == self.answer
            verdict = "Right." if right else "Not quite."
            lines.append(
                f'<details name="q{name}" class="{"right" if right else "wrong"}"><summary>{_marked(choice)}</summary>'
                f"<p>{verdict} {_marked(reply)}</p></details>"
            )
        return "\n".join([*lines, "</div>"])


def _marked(text):
    """The text for a page, with `code` set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def predict(text, answer, choices):
    """A question before the experiment: choose first, then run the next cell.

    Parameters
    ----------
    text : the question. answer : the right choice.
    choices : {choice: what is said about it}.

    Returns
    -------
    Question. Raises ValueError if the answer is not among the choices.
    """
    return Question("Predict, then run the next cell", text, answer, choices)


def question(text, answer, choices):
    """A question at the end of a lesson that checks itself; parameters as `predict`."""
    return Question("Check yourself", text, answer, choices)
