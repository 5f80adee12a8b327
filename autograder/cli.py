"""The command line: `dlcourse`."""

import subprocess
import sys
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="The deep-learning course's tools.",
)


@app.command()
def lab():
    """Open JupyterLab on the lessons."""
    from . import build

    build.one_thread()
    raise typer.Exit(
        subprocess.call(
            [
                sys.executable,
                "-m",
                "jupyter",
                "lab",
                "--notebook-dir",
                str(build.ROOT),
                "--LabApp.default_url=/lab/tree/notebooks",
            ]
        )
    )


@app.command("build")
def build_command(
    what: Annotated[str, typer.Argument(help="lessons, assignments or check")],
    slugs: Annotated[list[str] | None, typer.Argument(help="topics; all where none is given")] = None,
):
    """Make lessons and assignments from their text sources, or check that they are what a fresh build gives."""
    from . import build

    raise typer.Exit(build.main([what, *(slugs or [])]))


@app.command()
def audit(
    slugs: Annotated[list[str] | None, typer.Argument(help="topics; all where none is given")] = None,
    json: Annotated[bool, typer.Option("--json", help="the totals only, for a script")] = False,
):
    """Grade the grader: known mistakes must be rejected and named, right variants must pass."""
    from . import audit

    raise typer.Exit(audit.main(slugs or (), json))


@app.command()
def demo(folder: Annotated[str, typer.Argument(help="where to build it; made anew every time")] = "demo"):
    """A tour: build an assignment, take in a class's submissions, grade them, show the grades."""
    from . import demo

    raise typer.Exit(demo.main(folder))


def main():
    app()
