"""The demonstration: an assignment, a class that hands it in, the grades and what comes of them, in one folder."""

import ast
import builtins
import inspect
import random
import re
import shlex
import shutil
import sys
import textwrap
from functools import cache
from pathlib import Path

from . import build
from .commands.release import nbgrader_api, release

__all__ = ["CLASS", "answer", "class_of", "main", "make_course", "nbgrader_api"]

SLUG = "neurons"
MARKER = ".dlcourse-demo"
# No answer of the class needs a second; the one that never ends should not hold up the tour
SECONDS = 4.0

# What some students hand in: nothing said = the right answer; a text = that function's body instead, None = not
# attempted; for everything = the notebook as it was released. The rest of the class is drawn (`class_of`)
_BROKEN_LINE = "    return X @ w +"
_ENDLESS = """    mistakes = [1]
    while mistakes[-1] > 0:
        mistakes.append(int(np.sum(y * (X @ w + b) <= 0)))
    return w, b, mistakes"""
_SHARED = """    size, number = batch_size, len(d)
    for epoch in range(epochs):
        shuffled = rng.permutation(number)
        start = 0
        while start < number:
            rows = shuffled[start : start + size]
            step_w, step_b = grad(X[rows], d[rows], w, b)
            w, b = w - lr * step_w, b - lr * step_b
            start = start + size
    return w, b"""
CLASS = {
    "ada": {},
    "alan": {
        "neurons.linear_neuron_grad": "    e = -(d - preactivation(X, w, b))\n    return X.T @ e, e",
        "neurons.logistic_neuron_loss": (
            "    y = sigmoid(preactivation(X, w, b))\n    return -np.sum(d * np.log(y) + (1 - d) * np.log(1 - y))"
        ),
    },
    "frank": {
        "neurons.perceptron_criterion": "    return -np.sum(y * preactivation(X, w, b))",
        "neurons.perceptron_criterion_grad": "    return -X.T @ y, -np.sum(y)",
        "neurons.perceptron_fit": None,
        "neurons.sgd_fit": None,
    },
    "grace": {
        "neurons.gd_fit": "    for _ in range(epochs):\n        dw, db = grad(X, d, w, b)\n        w -= lr * dw\n        b -= lr * db\n    return w, b"
    },
    "john": {"neurons.preactivation": _BROKEN_LINE},
    "marvin": dict.fromkeys(
        (
            "neurons.signed_distance",
            "neurons.perceptron_fit",
            "neurons.sigmoid_neuron_grad",
            "neurons.logistic_neuron_grad",
            "neurons.gd_fit",
            "neurons.sgd_fit",
        )
    ),
    "seymour": {
        "neurons.sigmoid_neuron_grad": "    u = preactivation(X, w, b)\n    e = -(d - sigmoid(u))\n    return X.T @ e, e.sum()",
        "neurons.perceptron_predict": "    return np.sign(preactivation(X, w, b)).astype(int)",
        "neurons.sgd_fit": (
            "    for _ in range(epochs):\n        for i in range(0, len(X), batch_size):\n"
            "            dw, db = grad(X[i : i + batch_size], d[i : i + batch_size], w, b)\n"
            "            w, b = w - lr * dw, b - lr * db\n    return w, b"
        ),
    },
    "untouched": None,
}
_NAMES = (
    *("alonzo", "annie", "barbara", "bernard", "claude", "donald", "dorothy", "edsger", "geoffrey", "hedy", "ida"),
    *("jean", "judea", "katherine", "kathleen", "margaret", "mary", "paul", "radia", "rosalind", "stephen", "vint"),
)
# One program under two names, and a loop that never ends
_FIXED = {
    "radia": {"neurons.sgd_fit": _SHARED},
    "vint": {"neurons.sgd_fit": _SHARED.replace("shuffled", "order").replace("step_", "g")},
    "stephen": {"neurons.perceptron_fit": _ENDLESS},
}
_WRITTEN = (
    "With separable data every step makes *w* longer, and the loss falls for ever: $J \\to -\\infty$.",
    "The sum over all examples rewards long weights. Nothing stops gradient descent, so w grows without bound.",
    "It gets longer and longer. If the data cannot be separated, it depends on which side weighs more.",
    "",
)


def class_of(slug=SLUG, number=30, seed=2026):
    """{student: what they hand in}, as `CLASS` has it: its students first, then some drawn from the exercises' known mistakes.

    The weaker half makes more of them, and leaves more out; always the same for the same arguments.
    """
    draw = random.Random(seed)
    made = dict(CLASS) if slug == SLUG else {"ada": {}, "untouched": None}
    for name, changes in made.items():
        # Only Ada hands in the course's own solution
        if changes:
            made[name] = {
                exercise: draw.choice(right) for exercise, (right, _) in _bodies(slug).items() if right
            } | changes
    names = [*_NAMES, *(f"student{i:03}" for i in range(number))]
    for name in names[: max(0, number - len(made))]:
        weak, changes = draw.random() ** 1.5, {}
        for exercise, (right, wrong) in _bodies(slug).items():
            luck, pick = draw.random(), draw.random()
            if luck < 0.5 * weak and wrong:
                # The first mistakes of an exercise are the commonest
                changes[exercise] = wrong[int(len(wrong) * pick**2)]
            elif luck > 1 - 0.15 * weak:
                changes[exercise] = None
            elif right:
                changes[exercise] = right[int(len(right) * pick)]
        made[name] = changes | (_FIXED.get(name, {}) if slug == SLUG else {})
    return made


@cache
def _bodies(slug):
    """{exercise: (bodies of right variants, bodies of known mistakes)} that can stand in a student's notebook."""
    from .checks.exercise import exercises_of

    found = {}
    known = {name for cell in build.instructor_notebook(slug).cells for name in build.defined_names(cell.source)}
    for name, exercise in exercises_of(slug).items():
        if len(exercise.functions) == 1:
            found[name] = tuple(
                [body for body in (_body(functions[0], exercise.functions[0], known) for functions in group) if body]
                for group in (exercise.variant_functions, [mistake.functions for mistake in exercise.mistakes])
            )
    return found


def _body(function, reference, known):
    """The code of a function as the body of the asked-for one, "" where it needs more than the notebook and a small helper.

    known : names that the notebook defines or imports.
    """
    if not inspect.isfunction(function) or function.__name__ == "<lambda>":
        return ""
    source, head, missing = _source(function)
    if [a.arg for a in head.args.args + head.args.kwonlyargs] != list(inspect.signature(reference).parameters):
        return ""
    lines = source.splitlines()[head.body[0].lineno - 1 : head.end_lineno]
    parts = [textwrap.dedent("\n".join(lines))]
    for name in sorted(missing - known):
        helper = function.__globals__.get(name)
        if not inspect.isfunction(helper) or _source(helper)[2] - known:
            return ""
        parts.insert(0, _source(helper)[0])
    return textwrap.indent("\n".join(parts), "    ")


def _source(function):
    """(source, its syntax tree, the names that it takes from elsewhere)"""
    source = textwrap.dedent(inspect.getsource(function)).strip()
    head = ast.parse(source).body[0]
    names = [node for node in ast.walk(head) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if isinstance(node.ctx, ast.Store)} | {"np", *dir(builtins)}
    bound |= {node.arg for node in ast.walk(head) if isinstance(node, ast.arg)}
    return source, head, {node.id for node in names} - bound


def solutions(slug=SLUG):
    """{grade_id: source} of the solution cells in the instructor's notebook."""
    return {
        cell.metadata["nbgrader"]["grade_id"]: cell.source
        for cell in build.instructor_notebook(slug).cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }


def answer(notebook, solutions, changes):
    """Fill a released notebook in as a student would; `changes` is an entry of `CLASS`."""
    from .checks.exercise import get_exercise

    if changes is None:
        return notebook
    wrong = {get_exercise(name).grade_id: body for name, body in changes.items()}
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if not marks.get("solution"):
            continue
        grade_id = marks["grade_id"]
        if grade_id not in wrong:
            cell.source = re.sub(r" *### BEGIN SOLUTION\n|\n *### END SOLUTION", "", solutions[grade_id])
        elif wrong[grade_id] is not None:
            cell.source = cell.source.replace("    # YOUR CODE HERE\n    raise NotImplementedError()", wrong[grade_id])
    return notebook


def _write_prose(notebook, number):
    """Answers to the written questions, which nobody but a person can judge."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.strip() == "*Your answer here.*":
            cell.source = _WRITTEN[number % len(_WRITTEN)] or cell.source
            number += 1


def make_course(folder, slug=SLUG, students=None):
    """A fresh course directory in `folder`, with the assignment built and released, and a class's submissions in it.

    students : {name: what they hand in}; default `CLASS`.
    """
    import nbformat

    folder = Path(folder).resolve()
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise build.BuildError(f"{folder} is not empty and does not hold an earlier demonstration; name another folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARKER).touch()
    shutil.copy(build.COURSE / "nbgrader_config.py", folder)
    release(folder, slug, exchange=False)
    given = solutions(slug)
    for number, (student, changes) in enumerate((CLASS if students is None else students).items()):
        notebook = nbformat.read(folder / "release" / slug / f"{slug}.ipynb", as_version=4)
        answer(notebook, given, changes)
        if changes is not None:
            _write_prose(notebook, number)
        target = folder / "submitted" / student / slug
        target.mkdir(parents=True)
        (target / "timestamp.txt").write_text(f"2026-11-0{1 + number % 9} 12:{number % 60:02}:00 UTC")
        (target / "submission_secret.txt").write_text(f"demonstration {student}")
        nbformat.write(notebook, target / f"{slug}.ipynb")
    return folder


def grade(folder, slug=SLUG, workers=None, on_event=lambda event, *details: None):
    """Grade every submission; in the sandbox, or without one, which is then said, where the machine has none."""
    from .commands import console
    from .engine.run import grade_class
    from .engine.store.course import open_course
    from .engine.tasks import Settings

    course = open_course(folder)
    summary = grade_class(course, slug, settings=Settings(timeout=SECONDS), workers=workers, on_event=on_event)
    if summary.problem and not summary.graded:
        console(stderr=True).print(
            f"{summary.problem}\nGoing on without a sandbox, for this class is the course's own; every record says so",
            style="bold red",
            markup=False,
            soft_wrap=True,
        )
        settings = Settings(timeout=SECONDS, isolation="process")
        summary = grade_class(course, slug, settings=settings, workers=workers, on_event=on_event)
    if summary.problem:
        raise build.BuildError(summary.problem)
    return summary


def main(folder="demo", number=30, slug=SLUG):
    """Build, release, take in, grade, and leave everything to look at; returns the exit status."""
    from .commands import console, fail
    from .commands.grade import _Show
    from .errors import CourseError, GradebookError
    from .reports.export import FORMATS, write_export
    from .reports.feedback import write_feedback

    note = console(stderr=True)
    folder = Path(folder)
    try:
        students = class_of(slug, number)
        note.print(f"Building and releasing the assignment “{slug}” in {folder}, with a class of {len(students)}")
        make_course(folder, slug, students)
        with _Show() as show:
            summary = grade(folder, slug, on_event=show.event)
        note.print(f"{len(summary.graded)} graded in {summary.seconds:.0f} s; feedback, report and exports")
        write_feedback(folder, slug)
        report = _write_report(folder, slug)
        for kind in FORMATS:
            write_export(folder, slug, kind)
    except (build.BuildError, CourseError, GradebookError) as error:
        return fail(error, 1)
    _print(folder, slug, report)
    return 0


def _write_report(folder, slug):
    from .reports import pages
    from .reports.report import make_report, to_page

    report = make_report(folder, slug)
    pages.write(folder / "reports" / f"{slug}.html", to_page(report))
    return report


def _print(folder, slug, report):
    from .commands import console, table
    from .reports import pages

    out = console()
    rows = table(out, f"Grades of “{slug}”", "student", "points", "of", "known mistakes", numbers=("points", "of"))
    for one in report.submissions:
        named = [cell.mistake.replace("_", " ") for cell in one.cells if cell.mistake]
        words = ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
        rows.add_row(one.student, pages.number(one.points), pages.number(one.max_points), words)
    out.print(rows)
    # As a shell reads them: a path may hold spaces
    quoted = shlex.quote(str(folder))
    dlcourse, jupyter = (shlex.quote(str(Path(sys.executable).parent / name)) for name in ("dlcourse", "jupyter"))
    for line in (
        f"{pages.plural(report.waiting, 'written answer')} to read",
        f"Report on the class:        {folder}/reports/{slug}.html",
        f"Feedback, a page each:      {folder}/feedback/<student>/{slug}/{slug}.html",
        f"Grades as CSV:              {folder}/grades.csv (nbgrader), grades-canvas.csv, grades-moodle.csv",
        f"Grade the same class again: {dlcourse} grade {slug} --course {quoted}",
        f"See it in nbgrader:         cd {quoted} && {jupyter} lab  # Nbgrader → Formgrader",
    ):
        out.print(line, soft_wrap=True)
