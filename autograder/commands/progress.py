"""`dlcourse progress`: what a student has reached."""

import json as json_
import sys

from .. import drill, progress, start_page, workspace
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
    practised, due = drill.mastery(kept.path.parent), drill.due(kept.path.parent)
    return {
        "file": str(kept.path),
        "points": round(sum(one.points(kept) for one in lessons), 2),
        "max_points": sum(one.max_points for one in lessons),
        "lessons": [
            {
                "slug": one.slug,
                "title": one.title,
                "minutes": one.minutes,
                "assignment_minutes": {"counted": one.work, "taken": round(kept.minutes(one.slug), 1)},
                "practised": {
                    "sit": practised.get(one.slug, (0, 0))[0],
                    "of": practised.get(one.slug, (0, 0))[1],
                    "due": due.get(one.slug, 0),
                },
                "done": one.slug in kept.lessons,
                "points": one.points(kept),
                "max_points": one.max_points,
                "exercises": {
                    name: {
                        "points": min(kept.exercises[name].points, points) if name in kept.exercises else 0,
                        "max_points": points,
                        "right": name in kept.exercises and kept.exercises[name].passed,
                        "failed_tries": kept.exercises[name].failed_tries if name in kept.exercises else 0,
                        "minutes": kept.exercises[name].minutes if name in kept.exercises else 0,
                    }
                    for name, points in one.exercises.items()
                },
            }
            for one in lessons
        ],
    }


def _print(lessons, kept):
    out = console()
    practised, due = drill.mastery(kept.path.parent), drill.due(kept.path.parent)
    timed = any(kept.minutes(one.slug) >= 1 for one in lessons)
    # A column only where there is something in it
    more = ["your time"] * timed + ["practised"] * bool(practised)
    numbers = ("time", "points so far", "of", "your time")
    rows = table(out, "Where you are", "", "lesson", *numbers[:3], *more, "next", numbers=numbers)
    for one in lessons:
        row = ["✓" if one.slug in kept.lessons else "○", one.title, f"{one.minutes} min"]
        row += [f"{one.points(kept):g}", f"{one.max_points:g}"] if one.exercises else ["", ""]
        if timed:
            taken = kept.minutes(one.slug)
            row.append(f"{taken:.0f} of {one.work} min" if taken >= 1 else "")
        if practised:
            row.append(_practised(practised.get(one.slug), due.get(one.slug)))
        rows.add_row(*row, one.next_exercise(kept))
    out.print(rows)
    total, best = sum(one.points(kept) for one in lessons), sum(one.max_points for one in lessons)
    out.print(
        f"{total:g} of {best:g} points of the checks so far, {len(kept.lessons)} of {len(lessons)} lessons ticked"
    )
    if timed:
        out.print(
            "Your time runs from check to check and stands in your folder only; a break over half an hour is left out"
        )
    waiting = [slug for slug, number in due.items() if number]
    if waiting:
        number = sum(due.values())
        out.print(f"{number} question{'s are' if number > 1 else ' is'} due: dlcourse practice {waiting[0]}")
    out.print("Tick a lesson with: dlcourse progress --done neurons")


def _practised(mastery, due):
    if mastery is None:
        return ""
    return "{} of {}".format(*mastery) + (f", {due} due" if due else "")
