"""What `dlcourse build` and `python -m autograder.build` do."""

import argparse
import os
import sys

from ..errors import BuildError
from .assignments import build_assignments, check_assignments
from .lessons import build_lesson, check_lesson
from .lite import build_site
from .sources import ROOT, existing_assignments, existing_lessons, lesson_slugs, stray_files


def main(argv=None):
    parser = argparse.ArgumentParser(
        prog="python -m autograder.build",
        description="Make lessons and assignments from their text sources, or check them.",
    )
    parser.add_argument("what", choices=["lessons", "assignments", "check", "lite"])
    parser.add_argument("slugs", nargs="*", help="topics; all where none is given")
    options = parser.parse_args(argv)
    if ROOT is None:
        print(
            "error: build needs a clone of the project: the installed dlcourse holds no sources of the lessons",
            file=sys.stderr,
        )
        return 2
    try:
        for slug in options.slugs:
            if slug not in lesson_slugs():
                raise BuildError(f"unknown topic {slug!r}; the topics are {', '.join(lesson_slugs())}")
        if options.what == "lessons":
            for slug in options.slugs or existing_lessons():
                print(f"built {build_lesson(slug).relative_to(ROOT)}")
        elif options.what == "assignments":
            for path in build_assignments(options.slugs or existing_assignments()):
                print(f"built {path.relative_to(ROOT)}")
        elif options.what == "lite":
            path = build_site(ROOT / "docs" / "_build" / "html" / "lite", os.environ.get("LITE_PYODIDE"))
            megabytes = sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6
            print(
                f"built {path.relative_to(ROOT)}, {megabytes:.0f} MB. To try it: python3 -m http.server -d {path.parent.relative_to(ROOT)}"
            )
        else:
            lessons = [slug for slug in existing_lessons() if not options.slugs or slug in options.slugs]
            assignments = [slug for slug in existing_assignments() if not options.slugs or slug in options.slugs]
            found = (
                [problem for slug in lessons for problem in check_lesson(slug)]
                + check_assignments(assignments)
                + stray_files()
            )
            print(
                "\n".join(found)
                or f"{len(lessons)} lessons and {len(assignments)} assignments are what a fresh build gives"
            )
            return 1 if found else 0
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
