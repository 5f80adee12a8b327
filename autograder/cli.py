"""The command line: `dlcourse`."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="The deep-learning course's tools.",
)


def _version(asked):
    if asked:
        import dlcourse

        print(f"dlcourse {dlcourse.__version__}")
        raise typer.Exit


@app.callback()
def everything(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="print the version and stop")
    ] = False,
):
    pass


@app.command()
def start(
    folder: Annotated[
        str | None, typer.Argument(metavar="[DIR]", help="default: my-dlcourse, in the clone or here")
    ] = None,
    instructor: Annotated[bool, typer.Option("--instructor", help="a teacher's course directory instead")] = False,
):
    """Lay out a folder to work in: lessons, assignments, a start page; run it again to bring it up to date.

    Your work is never overwritten: beside a notebook that you changed comes the course's new version.
    """
    from .commands import start

    raise typer.Exit(start.main(folder, instructor))


FOLDER = Annotated[
    str | None, typer.Option(metavar="DIR", help="the folder of dlcourse start; default: this one, or my-dlcourse")
]


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(
    context: typer.Context,
    folder: FOLDER = None,
    port: Annotated[int | None, typer.Option(metavar="N", help="where JupyterLab listens")] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="print the address only")] = False,
    allow_root: Annotated[bool, typer.Option("--allow-root", help="run as root")] = False,
):
    """Open JupyterLab on your folder, made and brought up to date first; other options are passed on to JupyterLab."""
    from .commands import lab

    raise typer.Exit(lab.main(folder, port, no_browser, allow_root, context.args))


@app.command()
def progress(
    folder: FOLDER = None,
    done: Annotated[list[str] | None, typer.Option(metavar="LESSON", help="tick a lesson; may be repeated")] = None,
    undo: Annotated[list[str] | None, typer.Option(metavar="LESSON", help="take a tick back")] = None,
    json: Annotated[bool, typer.Option("--json", help="everything for a script")] = False,
):
    """Show the lessons that you have ticked and the points of your checks so far."""
    from .commands import progress

    raise typer.Exit(progress.main(folder, done or (), undo or (), json))


@app.command()
def practice(
    topic: Annotated[
        str | None, typer.Argument(metavar="[TOPIC]", help="neurons, layers, …; all where none is given")
    ] = None,
    folder: FOLDER = None,
):
    """Practise small questions with ever other numbers, each again shortly before you would forget it."""
    from .commands import practice

    raise typer.Exit(practice.main(topic, folder))


@app.command("build")
def build_command(
    what: Annotated[str, typer.Argument(help="lessons, assignments or check")],
    slugs: Annotated[list[str] | None, typer.Argument(help="topics; all where none is given")] = None,
):
    """Make lessons and assignments from their text sources, or check that they are what a fresh build gives."""
    from . import build

    raise typer.Exit(build.main([what, *(slugs or [])]))


def _refuse_other_folders(course):
    from .engine.store.course import open_course
    from .errors import CourseError

    try:
        open_course(course)
    except CourseError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


@app.command()
def audit(
    names: Annotated[
        list[str] | None, typer.Argument(help="topics, or exercises as SLUG.NAME; all where none is given")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="the totals only, for a script")] = False,
    show: Annotated[
        bool, typer.Option("--show", help="list the mistakes: likely difference from the solution, and hint")
    ] = False,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="try every single-edit mutant of the right answers instead")
    ] = False,
    place: Annotated[
        bool, typer.Option("--place", help="grade the places that are told for single-edit mutants instead")
    ] = False,
    sample: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="with --mutants or --place: N mutants of each exercise")
    ] = None,
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="how many seeds, the public one first")] = 3,
    course: Annotated[
        str | None,
        typer.Option(
            metavar="DIR", help="the course directory, for the exercises of its exercises/; default: this folder"
        ),
    ] = None,
):
    """Grade the grader: known mistakes must be rejected and named, right variants must pass, mutants be rejected."""
    from .checks import audit, located, mutation, registry

    if course is not None:
        _refuse_other_folders(course)
    registry.use(registry.read_sources(Path(course or ".") / registry.FOLDER))

    tried = audit.first_seeds(seeds)
    if place:
        raise typer.Exit(located.main(names or (), sample, json, tried))
    if mutants:
        raise typer.Exit(mutation.main(names or (), tried, sample, json))
    raise typer.Exit(audit.main(names or (), json, tried, show))


COURSE = Annotated[str, typer.Option(metavar="DIR", help="the course directory")]
ASSIGNMENT = Annotated[str, typer.Argument(help="name of the assignment, as in release/")]


@app.command()
def check(
    notebook: Annotated[str, typer.Argument(help="the file, as it will be handed in")],
    timeout: Annotated[float, typer.Option(metavar="S", help="seconds for one cell or check")] = 30.0,
    json: Annotated[bool, typer.Option("--json", help="the results for a script")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="run it with your own rights where there is no sandbox, without asking")
    ] = False,
):
    """Check a notebook: the verdicts and hints that grading gives for the cases that you can see.

    The notebook runs from its first cell to its last in the sandbox that grading uses; the file is not changed.
    """
    from .commands import check

    raise typer.Exit(check.main(notebook, timeout, json, yes))


@app.command()
def release(
    assignment: Annotated[str, typer.Argument(help="name of the assignment")],
    course: COURSE = ".",
    no_self_test: Annotated[
        bool, typer.Option("--no-self-test", help="release it although the solution was not graded")
    ] = False,
):
    """Build an assignment, make the students' version, and put it where students fetch it.

    The teacher's own solution is graded first: where it does not earn everything, the assignment is not released.
    """
    from .commands import release

    raise typer.Exit(release.main(assignment, course, not no_self_test))


@app.command()
def doctor(
    assignment: Annotated[
        str | None, typer.Argument(help="name of the assignment; without one, the machine alone")
    ] = None,
    course: COURSE = ".",
    environment: Annotated[
        str | None, typer.Option(metavar="PATH", help="the Python environment of the students' code")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="the findings for a script")] = False,
):
    """Say whether everything is there: environment, isolation, database, kernel, packages, and a solution that passes."""
    from .commands import doctor

    raise typer.Exit(doctor.main(assignment, course, environment, json))


@app.command()
def feedback(
    assignment: ASSIGNMENT,
    course: COURSE = ".",
    student: Annotated[list[str] | None, typer.Option(metavar="ID", help="only this student; may be repeated")] = None,
    json: Annotated[bool, typer.Option("--json", help="the pages' paths for a script")] = False,
):
    """Write a feedback page for every graded notebook, where nbgrader's release_feedback finds it."""
    from .commands import results

    raise typer.Exit(results.feedback(assignment, course, student or (), json))


@app.command()
def report(
    assignment: ASSIGNMENT,
    course: COURSE = ".",
    to: Annotated[str | None, typer.Option(metavar="FILE", help="the page; default: reports/ASSIGNMENT.html")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="print a table instead, a row for each answer")] = False,
    json: Annotated[bool, typer.Option("--json", help="print everything instead, for a script")] = False,
):
    """Say what the class got, the hardest exercises, the commonest mistakes by name, and who needs a person."""
    from .commands import results

    raise typer.Exit(results.report(assignment, course, to, csv, json))


@app.command()
def collect(
    archives: Annotated[list[str], typer.Argument(metavar="ARCHIVE...", help="zip files of a platform, or folders")],
    course: COURSE = ".",
    assignment: Annotated[
        str | None, typer.Option(metavar="NAME", help="default: the one whose notebooks are in the archive")
    ] = None,
    roster: Annotated[
        str | None, typer.Option(metavar="CSV", help="ids, names, emails of the class, besides the gradebook's")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be done, and write nothing")] = False,
    json: Annotated[bool, typer.Option("--json", help="the result for a script")] = False,
):
    """Sort what Canvas, Moodle or Blackboard gives to download, or a plain folder, into the students' folders.

    Whose a file is, is told by the names, emails and numbers of the class; what cannot be told is listed, and left.
    """
    from .commands import collect

    raise typer.Exit(collect.main(archives, course, assignment, roster, dry_run, json))


@app.command()
def watch(
    assignments: Annotated[list[str] | None, typer.Argument(help="all that are released where none is named")] = None,
    course: COURSE = ".",
    every: Annotated[float, typer.Option(metavar="S", help="seconds between two looks")] = 5.0,
    pause: Annotated[
        float, typer.Option(metavar="S", help="seconds at least between two gradings of a student's work")
    ] = 60.0,
    timeout: Annotated[float, typer.Option(metavar="S", help="seconds for one cell or check")] = 30.0,
    memory: Annotated[int, typer.Option(metavar="MB", help="memory of the student's code")] = 2048,
    isolation: Annotated[str, typer.Option(help="bwrap, or process: no sandbox, marked on every grade")] = "bwrap",
    feedback: Annotated[bool, typer.Option("--feedback", help="write and release each student's page at once")] = False,
    once: Annotated[bool, typer.Option("--once", help="grade what is there and end, for a timer")] = False,
):
    """Grade on submission: collect from the exchange, grade what is new, one student at a time, until it is stopped.

    Ctrl-C or SIGTERM stops it cleanly. What is graded is not graded again, by no later watch and no dlcourse grade.
    """
    from .commands import watch

    raise typer.Exit(watch.main(assignments or (), course, every, pause, timeout, memory, isolation, feedback, once))


@app.command()
def status(
    assignment: ASSIGNMENT,
    course: COURSE = ".",
    json: Annotated[bool, typer.Option("--json", help="everything for a script")] = False,
):
    """Say where everybody stands: handed in, late, graded, waits for a person, nothing handed in."""
    from .commands import results

    raise typer.Exit(results.status(assignment, course, json))


@app.command()
def export(
    assignment: Annotated[str, typer.Argument(help="name of the assignment, or all")],
    course: COURSE = ".",
    format: Annotated[str, typer.Option(help="nbgrader, canvas or moodle")] = "nbgrader",
    to: Annotated[
        str | None, typer.Option(metavar="FILE", help="default: grades.csv in the course; - prints it")
    ] = None,
):
    """Write the grades as a file that nbgrader, Canvas or Moodle imports."""
    from .commands import results

    raise typer.Exit(results.export(assignment, course, format, to))


@app.command()
def push(
    assignment: ASSIGNMENT,
    course: COURSE = ".",
    config: Annotated[
        str | None, typer.Option(metavar="FILE", help="how to reach the platform; default: lti.toml in the course")
    ] = None,
    student: Annotated[list[str] | None, typer.Option(metavar="ID", help="only this student; may be repeated")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be sent, and send nothing")] = False,
):
    """Send the scores to a learning platform by LTI 1.3, with the mistakes' names and the page's address as the comment.

    What the platform has already is not sent again; a student who handed in nothing gets no score.
    """
    from .commands import push

    raise typer.Exit(push.main(assignment, course, config, student or (), dry_run))


@app.command()
def demo(folder: Annotated[str, typer.Argument(help="where to build it; replaced at every run")] = "demo"):
    """A tour: build an assignment, take in a class's submissions, grade them, show the grades."""
    from . import demo

    raise typer.Exit(demo.main(folder))


@app.command()
def grade(
    assignment: Annotated[str, typer.Argument(help="name of the assignment, as in release/")],
    course: Annotated[str, typer.Option(metavar="DIR", help="the course directory")] = ".",
    student: Annotated[list[str] | None, typer.Option(metavar="ID", help="only this student; may be repeated")] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="a Dask scheduler: tcp://host:8786 or tls://host:8786")
    ] = None,
    workers: Annotated[int | None, typer.Option(metavar="N", help="processes here; all cores if not given")] = None,
    db: Annotated[str | None, typer.Option(metavar="URL", help="the gradebook, if not the configuration's")] = None,
    timeout: Annotated[float, typer.Option(metavar="S", help="seconds for one cell or check")] = 30.0,
    memory: Annotated[int, typer.Option(metavar="MB", help="memory of the student's code")] = 2048,
    isolation: Annotated[str, typer.Option(help="bwrap, or process: no sandbox, marked on every grade")] = "bwrap",
    environment: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="the Python environment of the students' code; default: the grader's"),
    ] = None,
    figures: Annotated[
        bool, typer.Option("--figures", help="draw every figure, not only those graded by hand")
    ] = False,
    regrade: Annotated[bool, typer.Option("--regrade", help="also what is graded already")] = False,
    json: Annotated[bool, typer.Option("--json", help="the summary for a script")] = False,
):
    """Grade a class in sandboxes, many at a time; run it again to continue where it stopped.

    What has not changed is not graded again, and what a person has given is kept. A tls:// address takes its certificates
    from Dask's configuration (DASK_DISTRIBUTED__COMM__TLS__CA_FILE, …__TLS__CLIENT__CERT, …__TLS__CLIENT__KEY).
    """
    from .commands import grade

    raise typer.Exit(
        grade.main(
            assignment,
            course,
            student or (),
            scheduler,
            workers,
            db,
            timeout,
            memory,
            isolation,
            figures,
            regrade,
            json,
            environment,
        )
    )
