"""The instructor's report on an assignment: what the class got, what it got wrong and why, and who needs a person.

The records are read one at a time and kept as a few numbers each, so a class of a thousand fits as well as one student.
"""

import csv
import io
import json
import os
import re
import statistics
import warnings
from collections import Counter
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote

from ..checks import registry
from ..checks.exercise import HUNT, get_exercise
from ..engine.pool import described
from ..engine.store.course import open_course
from ..engine.store.gradebook_reader import read_marks
from ..engine.store.journal import OLDER, latest_records, left_open
from ..engine.store.records import FOR_A_PERSON, NOT_ATTEMPTED, PARTLY, RIGHT, WITHOUT_SANDBOX
from ..errors import CourseError
from . import pages
from .similarity import Copies
from .status import NOTHING, REMOVED, Status, make_status

# What a spreadsheet would run as a formula when it opens a CSV file: a sign, or its full-width or small form, that begins a
# cell; after a semicolon, a tab or a bar too, which begin a cell where the system's list separator is one of these
FORMULA = re.compile(r"(^|[;,|\t\r\n])(?=[\s\"\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠﹦﹢﹣﹫])")
# Names in a row and rows in a list before the rest is only counted
SHOWN = 12
LISTED = 50
# Submissions below which a correlation says nothing
FEWEST = 5


@dataclass
class CellTally:
    """One graded cell of one student; how : as in `Verdict`."""

    exercise: str
    how: str
    verdict: str
    points: float
    max_points: float
    mistake: str
    seconds: float


@dataclass
class SubmissionRow:
    """What the report keeps of a record; limited_by, refused_calls : as in `Record`.

    penalty : what a late hand-in costs, and is taken off the points.
    """

    student: str
    points: float
    max_points: float
    seconds: float
    cpu_seconds: float
    memory_mb: float
    graded: str
    isolation: str
    reasons: list
    waiting: int
    cells: list
    penalty: float = 0.0
    limited_by: str = ""
    refused_calls: dict = field(default_factory=dict)

    @property
    def checked(self):
        """(points, of how many) of the cells that no person reads."""
        cells = [cell for cell in self.cells if cell.how != "person"]
        return sum(cell.points for cell in cells), sum(cell.max_points for cell in cells)


@dataclass
class ExerciseTally:
    """One exercise over the whole class.

    share : the mean share of its points. discrimination : the correlation of its points with those of all other checked
    exercises, None where too few handed in or nothing varies: near 0 or below, it does not tell who knows more.
    """

    name: str
    max_points: float
    how: str
    right: int = 0
    partly: int = 0
    wrong: int = 0
    untouched: int = 0
    share: float = 0.0
    discrimination: float | None = None

    @property
    def mean(self):
        return self.share * self.max_points


@dataclass
class MistakeTally:
    """One known mistake over the whole class; `difference` from the shown solution is likely, "" where it is unknown."""

    exercise: str
    name: str
    hint: str
    difference: str = ""
    students: list = field(default_factory=list)


@dataclass
class HuntTally:
    """A hunt over the whole class; escaped : {known mistake: the students whose input does not reveal it}."""

    exercise: str
    inputs: int = 0
    escaped: dict = field(default_factory=dict)

    @property
    def commonest(self):
        """[(mistake, students)], the one that escaped most first."""
        return sorted(self.escaped.items(), key=lambda one: (-len(one[1]), one[0]))


@dataclass
class ProjectTally:
    """What earns by a figure, over the whole class; points : those of each who tried."""

    exercise: str
    max_points: float
    points: list = field(default_factory=list)

    @property
    def spread(self):
        return spread_of(self.points, self.max_points)


@dataclass
class Spread:
    """How points spread. of : the maximum. sd : of the class itself, with N below the sum. quartiles : 25, 50 and 75 %."""

    of: float
    mean: float
    sd: float
    quartiles: tuple


@dataclass
class Report:
    """Everything the page, the table and the JSON say.

    left_open : {student: why} of those without a grade. status : where everybody stands. pages : {student: the paths of the
    feedback pages that are written}.
    """

    assignment: str
    submissions: list = field(default_factory=list)
    exercises: dict = field(default_factory=dict)
    mistakes: dict = field(default_factory=dict)
    hunts: dict = field(default_factory=dict)
    projects: dict = field(default_factory=dict)
    left_open: dict = field(default_factory=dict)
    copies: Copies = field(default_factory=Copies)
    status: Status | None = None
    pages: dict = field(default_factory=dict)

    @property
    def names(self):
        """{student: their name}, of those whose name the gradebook has."""
        return {one.student: one.name for one in self.standings if one.name}

    @property
    def standings(self):
        return self.status.students if self.status else []

    @property
    def late(self):
        """{student: seconds after the due time}."""
        return {one.student: one.late for one in self.standings if one.late}

    @property
    def missing(self):
        return [one.student for one in self.status.those(NOTHING)] if self.status else []

    @property
    def final(self):
        """Whether every answer has its points: what nobody has read is not zero, and a median would be of nothing."""
        return not self.waiting

    @property
    def values(self):
        """(points of each submission, of how many): of everything where all is read, of the checked exercises before that."""
        if self.final:
            return [one.points for one in self.submissions], self.max_points
        return [one.checked[0] for one in self.submissions], max(one.checked[1] for one in self.submissions)

    @property
    def spread(self):
        return spread_of(*self.values)

    @property
    def max_points(self):
        return max((one.max_points for one in self.submissions), default=0.0)

    @property
    def hardest(self):
        return sorted(self.exercises.values(), key=lambda one: (one.share, one.name))

    @property
    def commonest(self):
        return sorted(self.mistakes.values(), key=lambda one: (-len(one.students), one.exercise, one.name))

    @property
    def for_a_person(self):
        return [one for one in self.submissions if one.reasons]

    @property
    def refused(self):
        """Those whose code made system calls that the sandbox does not allow."""
        return [one for one in self.submissions if one.refused_calls]

    @property
    def limited(self):
        """{what held memory and processor time: of how many submissions}."""
        return Counter(one.limited_by for one in self.submissions if one.limited_by)

    @property
    def in_process(self):
        """The exercises whose own asserts ran beside the students' code."""
        return [one for one in self.hardest if one.how == "in-process"]

    @property
    def waiting(self):
        return sum(one.waiting for one in self.submissions)

    def quantiles(self, name):
        """(median, 95 % of the class at most, maximum) of a field of the submissions."""
        values = sorted(getattr(one, name) for one in self.submissions)
        return tuple(values[min(len(values) - 1, int(share * len(values)))] for share in (0.5, 0.95, 1.0))


def spread_of(values, of):
    """The `Spread` of points, of so many."""
    import numpy as np

    quartiles = tuple(float(value) for value in np.percentile(values, (25, 50, 75)))
    return Spread(of, statistics.fmean(values), statistics.pstdev(values), quartiles)


def make_report(folder, assignment, on_event=lambda student: None):
    """The `Report` of an assignment of the course in `folder`; on_event is called with every student read."""
    course = open_course(folder)
    marks = read_marks(course, assignment)
    status = make_status(folder, assignment)
    report = Report(assignment, left_open=left_open(course, assignment), status=status)
    removed = {one.student for one in status.those(REMOVED)}
    report.left_open |= dict.fromkeys(sorted(removed), f"{REMOVED}, so left out of this report")
    for record in latest_records(course, assignment):
        if record.student in removed:
            continue
        try:
            add(report, record, marks.get(record.student))
            found = course.folder("feedback", record.student, assignment).glob("*.html")
            report.pages[record.student] = sorted(found)
        except Exception as error:
            # One record never costs the others their report
            report.left_open[record.student] = f"its record cannot be read ({described(error)})"
        on_event(record.student)
    if not report.submissions:
        raise CourseError(nothing_graded(assignment, report.left_open))
    discriminate(report)
    return report


def nothing_graded(assignment, left_open):
    """Why there is nothing to report on, and what to do."""
    older = sum(why.startswith(OLDER) for why in left_open.values())
    if older:
        return f"{pages.plural(older, 'submission is', 'submissions are')} {OLDER}; run: dlcourse grade {assignment}"
    return f"nothing is graded yet of {assignment}; run: dlcourse grade {assignment}"


def add(report, record, marks=None):
    """Take a record into the report; a person's `marks` go before the machine's points."""
    cells, answers, waiting, seen = [], [], 0, set()
    for notebook in record.notebooks:
        for verdict in notebook.verdicts:
            mark = marks.cells.get((notebook.name, verdict.grade_id)) if marks else None
            points = mark.points if mark else verdict.points or 0.0
            waiting += mark.waiting if mark else verdict.verdict == FOR_A_PERSON
            name = verdict.exercise or verdict.grade_id
            if name in seen:
                # An exercise that is checked twice: each check is judged, and counted, by itself
                name = f"{name} ({verdict.grade_id})"
            seen.add(name)
            mistake = verdict.mistake or ""
            cell = CellTally(name, verdict.how, verdict.verdict, points, verdict.max_points, mistake, verdict.seconds)
            cells.append(cell)
            if verdict.how != "person":
                _count(report, cell, record.student, verdict)
                _count_kind(report, cell, record.student, verdict)
            if verdict.exercise and verdict.verdict != NOT_ATTEMPTED and _known(verdict.exercise):
                answers += [
                    (verdict.exercise, notebook.sources[key]) for key in verdict.answers if key in notebook.sources
                ]
    report.copies.add(record.student, list(dict.fromkeys(answers)))
    # Of a whole class without a sandbox the page's head speaks
    reviewed = [reason for reason in record.needs_review if not reason.startswith(WITHOUT_SANDBOX)]
    reasons = [*reviewed, *(f"{nb.name}: {nb.problem}" for nb in record.notebooks if nb.problem)]
    report.submissions.append(
        SubmissionRow(
            record.student,
            marks.points if marks else sum(cell.points for cell in cells),
            sum(cell.max_points for cell in cells),
            *(record.seconds, record.cpu_seconds, record.memory_mb, record.graded, record.isolation),
            list(dict.fromkeys(reasons)),
            waiting,
            cells,
            sum(marks.penalties.values()) if marks else 0.0,
            record.limited_by,
            record.refused_calls,
        )
    )


def discriminate(report):
    """Give each exercise its item-rest correlation.

    Source: Crocker and Algina, "Introduction to Classical and Modern Test Theory", 1986, section 14.2: the corrected
    item-total correlation.
    """
    import numpy as np

    places = {name: place for place, name in enumerate(report.exercises)}
    points = np.full((len(report.submissions), len(places)), np.nan)
    for row, one in enumerate(report.submissions):
        for cell in one.cells:
            if cell.exercise in places:
                points[row, places[cell.exercise]] = cell.points
    rest = np.nansum(points, axis=1, keepdims=True) - points
    for name, place in places.items():
        met = ~np.isnan(points[:, place])
        item, others = points[met, place], rest[met, place]
        if len(item) >= FEWEST and np.ptp(item) > 0 and np.ptp(others) > 0:
            report.exercises[name].discrimination = float(np.corrcoef(item, others)[0, 1])


def _count(report, cell, student, verdict):
    one = report.exercises.setdefault(cell.exercise, ExerciseTally(cell.exercise, cell.max_points, cell.how))
    before = one.right + one.partly + one.wrong + one.untouched
    share = cell.points / cell.max_points if cell.max_points else float(cell.verdict == RIGHT)
    one.share += (share - one.share) / (before + 1)
    kind = {RIGHT: "right", PARTLY: "partly", NOT_ATTEMPTED: "untouched"}.get(cell.verdict, "wrong")
    setattr(one, kind, getattr(one, kind) + 1)
    if cell.mistake:
        name = cell.mistake.replace("_", " ")
        made = MistakeTally(cell.exercise, name, verdict.hint, _difference(verdict.exercise, cell.mistake))
        found = report.mistakes.setdefault((cell.exercise, name), made)
        found.students.append(student)


def _count_kind(report, cell, student, verdict):
    """What a hunt's input missed, and what a project earned, of those who tried."""
    if not verdict.exercise or verdict.verdict == NOT_ATTEMPTED or not _known(verdict.exercise):
        return
    exercise = get_exercise(verdict.exercise)
    if exercise.kind == HUNT and verdict.rows:
        one = report.hunts.setdefault(cell.exercise, HuntTally(cell.exercise))
        one.inputs += 1
        for row in verdict.rows:
            missed = one.escaped.setdefault(row.case, [])
            missed += [] if row.passed else [student]
    elif any(row.scaled for row in verdict.rows):
        one = report.projects.setdefault(cell.exercise, ProjectTally(cell.exercise, cell.max_points))
        one.points.append(cell.points)


@registry.kept
@cache
def _known(name):
    try:
        return bool(get_exercise(name))
    except (ValueError, CourseError):
        return False


@registry.kept
@cache
def _difference(name, slug):
    """How the mistake likely differs from the shown solution, as lines of a diff; "" for a rewrite or an unknown one."""
    if not _known(name):
        return ""
    exercise = get_exercise(name)
    differences = [text for one in exercise.mistakes if one.slug == slug for text in exercise.difference(one)]
    return next(filter(None, differences), "")


# --- what a script reads --------------------------------------------------------------------------------------------


def to_json(report):
    """The report as JSON."""
    seconds, memory = report.quantiles("seconds"), report.quantiles("memory_mb")
    named = ("median", "95 % at most", "maximum")
    spread = report.spread
    shown = {"of": spread.of, "mean": spread.mean, "sd": spread.sd}
    shown |= dict(zip(("lower_quartile", "median", "upper_quartile"), spread.quartiles, strict=True))
    return json.dumps(
        {
            "assignment": report.assignment,
            "students": len(report.submissions),
            "max_points": report.max_points,
            # What nobody has read is not zero: until then there is no median, and the spread is of what is checked
            "median_points": spread.quartiles[1] if report.final else None,
            "spread": shown | {"what": "points" if report.final else "points of the checked exercises"},
            "answers_waiting": report.waiting,
            "late_seconds": report.late,
            "nothing_handed_in": report.missing,
            "names": report.names,
            "seconds": dict(zip(named, seconds, strict=True)),
            "memory_mb": dict(zip(named, memory, strict=True)),
            "exercises": [asdict(one) | {"mean": one.mean} for one in report.hardest],
            "mistakes": [asdict(one) | {"count": len(one.students)} for one in report.commonest],
            "hunts": [
                {"exercise": one.exercise, "inputs": one.inputs, "escaped": dict(one.commonest)}
                for one in report.hunts.values()
            ],
            "projects": [asdict(one) | {"spread": asdict(one.spread)} for one in report.projects.values()],
            "left_open": report.left_open,
            "for_a_person": {one.student: one.reasons for one in report.for_a_person},
            "same_as_the_reference": dict(report.copies.of_the_reference),
            "same_as_each_other": [
                {"students": students, "exercises": names} for students, names in report.copies.of_each_other
            ],
            "submissions": [asdict(one) for one in report.submissions],
        },
        ensure_ascii=False,
        indent=1,
    )


def to_csv(report):
    """The report as a table, a row for each exercise of each student."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(
        ["student", "exercise", "how", "verdict", "points", "max_points", "mistake", "seconds", "submission_points"]
    )
    for one in report.submissions:
        for cell in one.cells:
            row = [one.student, *asdict(cell).values(), one.points]
            writer.writerow([safe(value) for value in row])
    return out.getvalue()


def safe(value):
    """A cell that a spreadsheet shows and does not run: numbers as they are, a text never begins as a formula does.

    The apostrophe is what OWASP advises (CSV Injection, owasp.org/www-community/attacks/CSV_Injection).
    """
    if isinstance(value, float):
        return pages.number(value)
    text = str(value)
    # "-" alone is a dash: Moodle's word for no grade
    if text == "-":
        return text
    text = FORMULA.sub(r"\1'", text)
    return f"'{text}" if text.startswith(("\t", "\r")) else text


# --- the page -------------------------------------------------------------------------------------------------------


def to_page(report, folder=None):
    """The report as one self-contained page; folder : where it will lie, so that it can lead to the feedback pages."""
    seconds, memory = report.quantiles("seconds"), report.quantiles("memory_mb")
    return pages.render(
        "report.html",
        report=report,
        spread=report.spread,
        links=_links(report, folder),
        students=len(report.submissions),
        seconds=seconds,
        total_seconds=sum(one.seconds for one in report.submissions),
        memory=memory,
        weak=sum(one.isolation != "bwrap" for one in report.submissions),
        graded=max(one.graded for one in report.submissions)[:16].replace("T", " "),
        # Nobody reads a thousand names; the JSON has them all
        shown=SHOWN,
        most=LISTED,
        scores=_scores(report),
        exercises=_exercises(report),
        mistakes=_mistakes(report) if report.mistakes else None,
        cost=_cost(report),
    )


def _links(report, folder):
    """{student: [(name of the page, the way to it)]}."""
    if folder is None:
        return {}
    return {
        student: [(path.stem, quote(Path(os.path.relpath(path, Path(folder).resolve())).as_posix())) for path in paths]
        for student, paths in report.pages.items()
    }


# Drawn in colours that no plot uses, which the page then replaces by its own: light and dark share one drawing
_INK, _QUIET = "#010203", "#010204"
_FILLS = {"accent": "#010205", "right": "#010206", "partly": "#010207", "wrong": "#010208", "untouched": "#010209"}
_PAGE = {_INK: "currentColor", _QUIET: "var(--line)"} | {value: f"var(--{key})" for key, value in _FILLS.items()}


@dataclass
class Plot:
    """A drawing, what it shows in a few words, and the same for those who do not see it."""

    svg: str
    title: str
    alt: str


def _figure(width, height, columns=1):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for ax in axes:
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.tick_params(left=False)
    return figure, list(axes)


def _plot(name, draw, title, alt, size, columns=1):
    import matplotlib

    quiet = dict.fromkeys(("axes.edgecolor", "xtick.color", "ytick.color", "grid.color"), _QUIET)
    settings = quiet | {
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "xtick.labelcolor": _INK,
        "ytick.labelcolor": _INK,
        "text.parse_math": False,
        # Letters stay letters: they can be searched, and take the page's font
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "font.size": 10,
        "font.family": ["DejaVu Sans"],
    }
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # The reader's own font has the letter, or draws a box for it
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        figure, axes = _figure(*size, columns)
        draw(*axes)
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator"), None))
    return Plot(_inlined(out.getvalue(), name, alt), title, alt)


def _inlined(svg, name, alt):
    """The drawing as part of a page: its own ids, the page's colours, one label for screen readers."""
    from markupsafe import Markup, escape

    svg = svg[svg.index("<svg") :]
    # The page's own style sheet says what the drawing's would, and the page holds one element with styles
    svg = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", svg, flags=re.S).replace("xlink:href", "href")
    svg = re.sub(r'\bid="', f'id="{name}-', svg).replace("url(#", f"url(#{name}-").replace('href="#', f'href="#{name}-')
    for ours, theirs in _PAGE.items():
        svg = svg.replace(ours, theirs)
    svg = re.sub(r"(font: [^;\"]*?)'DejaVu Sans'", r"\1system-ui, sans-serif", svg)
    head, rest = svg.split(">", 1)
    head = re.sub(r' (?:width|height)="[^"]*"', "", head)
    return Markup(f'{head} role="img" aria-label="{escape(alt)}">{rest}')


def _whole(ax, axis="y"):
    from matplotlib.ticker import MaxNLocator

    getattr(ax, f"{axis}axis").set_major_locator(MaxNLocator(integer=True, nbins=6))


def _short(name, most):
    return name if len(name) <= most else name[: most - 1] + "…"


def _scores(report):
    import numpy as np

    values, most = report.values
    values, most = np.array(values), most or 1.0
    what = "points" if report.final else "points of the checked exercises"
    bins = np.linspace(0.0, most, min(20, max(4, round(most))) + 1)
    median = report.spread.quartiles[1]

    def draw(ax):
        ax.hist(np.clip(values, 0.0, most), bins=bins, color=_FILLS["accent"], rwidth=0.92)
        if report.final:
            ax.axvline(median, color=_INK, linewidth=1.2, linestyle=(0, (4, 3)))
            ax.annotate(
                f"median {pages.number(median)}",
                (median, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(4 if median < 0.75 * most else -4, -2),
                textcoords="offset points",
                ha="left" if median < 0.75 * most else "right",
                va="top",
            )
        ax.set(xlabel=what, ylabel="students", xlim=(0, most))
        ax.margins(y=0.18)
        _whole(ax)

    counts, _ = np.histogram(np.clip(values, 0.0, most), bins)
    alt = f"Histogram of the {what}, of {pages.number(most)}"
    alt += f". Median {pages.number(median)}, " if report.final else ": "
    alt += f"lowest {pages.number(values.min())}, highest {pages.number(values.max())}; most students, {counts.max()}, "
    alt += f"between {pages.number(bins[counts.argmax()])} and {pages.number(bins[counts.argmax() + 1])}."
    return _plot("scores", draw, "How the points spread", alt, (7.4, 2.7))


def _exercises(report):
    import numpy as np

    shown = report.hardest[:24]
    kinds = {"right": "right", "partly": "partly right", "wrong": "wrong", "untouched": "not attempted"}

    def draw(ax):
        place, left = np.arange(len(shown)), np.zeros(len(shown))
        totals = np.array([sum(getattr(one, kind) for kind in kinds) for one in shown])
        for kind, label in kinds.items():
            share = 100 * np.array([getattr(one, kind) for one in shown]) / totals
            ax.barh(place, share, left=left, height=0.72, color=_FILLS[kind], label=label)
            left += share
        ax.set_yticks(place, [_short(one.name, 40) for one in shown])
        ax.invert_yaxis()
        ax.set(xlabel="share of the class (%)", xlim=(0, 100))
        ax.figure.legend(loc="outside upper center", ncols=4, frameon=False, handlelength=1)

    words = "; ".join(f"{one.name} {100 * one.share:.0f} %" for one in shown[:5])
    alt = f"Bars for each exercise, the hardest first: how many are right, partly right, wrong, not attempted. Mean share of the points: {words}."
    return _plot("exercises", draw, "The hardest exercises", alt, (7.4, 1.0 + 0.27 * len(shown)))


def _mistakes(report):
    import numpy as np

    shown = report.commonest[:SHOWN]

    def draw(ax):
        place = np.arange(len(shown))
        counts = [len(one.students) for one in shown]
        for at, one, count in zip(place, shown, counts, strict=True):
            ax.text(count, at, f" {count}", va="center")
            ax.text(0, at - 0.2, _short(f"{one.name}, in {one.exercise}", 90), va="bottom")
        ax.barh(place, counts, height=0.28, color=_FILLS["wrong"])
        ax.set_yticks([])
        ax.set_ylim(len(shown) - 0.6, -0.8)
        ax.set(xlabel="students", xlim=(0, 1.08 * max(counts)))
        _whole(ax, "x")

    words = "; ".join(f"{one.name} in {one.exercise}, {len(one.students)}" for one in shown[:5])
    alt = f"Bars for the commonest known mistakes and how many students made each: {words}."
    return _plot("mistakes", draw, "The commonest mistakes", alt, (7.4, 0.9 + 0.46 * len(shown)))


def _cost(report):
    import numpy as np

    seconds = np.array([one.seconds for one in report.submissions])
    memory = np.array([one.memory_mb for one in report.submissions])

    def draw(left, right):
        for ax, values, label in ((left, seconds, "seconds"), (right, memory, "peak memory (MB)")):
            high = float(values.max())
            ax.hist(values, bins=np.linspace(0, high or 1.0, 21), color=_FILLS["accent"], rwidth=0.92)
            ax.set(xlabel=label, ylabel="students", xlim=(0, high or 1.0))
            _whole(ax)

    alt = f"Two histograms. Time of a submission: median {np.median(seconds):.1f} s, longest {seconds.max():.1f} s. "
    alt += f"Memory: median {np.median(memory):.0f} MB, most {memory.max():.0f} MB."
    return _plot("cost", draw, "Time and memory", alt, (7.4, 2.3), columns=2)
