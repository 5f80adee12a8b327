"""`dlcourse progress`: what a student has reached."""

import json as json_
import sys

from .. import progress, start_page, workspace
from . import console, fail, table


def main(folder=None, done=(), undo=(), json=False):
    """Show the lessons' ticks and the assignments' points, after changing the ticks; returns the exit status."""
    lessons = start_page.catalogue()
    known = [one.slug for one in lessons]
    for slug in (*done, *undo):
        if slug not in known:
            return fail(f"there is no lesson {slug!r}; there are {', '.join(known)}")
    kept_here = progress.where()
    # Checks that were run outside such a folder are kept beside their notebook
    home = kept_here.parent if folder is None and kept_here.is_file() else workspace.find(folder)
    if not home.is_dir():
        return fail(f"there is no folder {home}; make it with: dlcourse start")
    for slug in done:
        progress.mark_lesson(slug, True, home)
    for slug in undo:
        progress.mark_lesson(slug, False, home)
    kept = progress.load(home)
    if kept.problem:
        print(kept.problem, file=sys.stderr)
    start_page.refresh(home)
    if json:
        print(json_.dumps(_plain(lessons, kept), ensure_ascii=False, indent=1))
    else:
        _print(lessons, kept)
    return 0


def _plain(lessons, kept):
    """The state for a script."""
    return {
        "file": str(kept.path),
        "points": round(sum(one.points(kept) for one in lessons), 2),
        "max_points": sum(one.max_points for one in lessons),
        "lessons": [
            {
                "slug": one.slug,
                "title": one.title,
                "minutes": one.minutes,
                "done": one.slug in kept.lessons,
                "points": one.points(kept),
                "max_points": one.max_points,
                "exercises": {
                    name: {
                        "points": min(kept.exercises[name].points, points) if name in kept.exercises else 0,
                        "max_points": points,
                        "right": name in kept.exercises and kept.exercises[name].passed,
                        "failed_tries": kept.exercises[name].failed_tries if name in kept.exercises else 0,
                    }
                    for name, points in one.exercises.items()
                },
            }
            for one in lessons
        ],
    }


def _print(lessons, kept):
    out = console()
    rows = table(
        out,
        "Where you are",
        "",
        "lesson",
        "time",
        "points so far",
        "of",
        "next",
        numbers=("time", "points so far", "of"),
    )
    for one in lessons:
        tick = "✓" if one.slug in kept.lessons else "○"
        points = (f"{one.points(kept):g}", f"{one.max_points:g}") if one.exercises else ("", "")
        rows.add_row(tick, one.title, f"{one.minutes} min", *points, one.next_exercise(kept))
    out.print(rows)
    total, best = sum(one.points(kept) for one in lessons), sum(one.max_points for one in lessons)
    out.print(
        f"{total:g} of {best:g} points of the checks so far, {len(kept.lessons)} of {len(lessons)} lessons ticked"
    )
    out.print("Tick a lesson with: dlcourse progress --done neurons")
