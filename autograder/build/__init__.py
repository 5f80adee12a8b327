"""From text to notebooks: lessons are executed, assignments are filled with their exercises.

    python -m autograder.build lessons [slug …]        notebooks/source/NN_slug.md -> notebooks/NN_slug.ipynb, executed
    python -m autograder.build assignments [slug …]    course/source/slug/slug.md -> slug.ipynb beside it -> course/release
    python -m autograder.build check                   the guards: what is built is what a fresh build gives

Nothing that this writes is edited by hand.
"""

from .assignments import (
    assignment_minutes,
    build_assignments,
    check_assignments,
    defined_names,
    exercise_cells,
    generate,
    instructor_notebook,
    nbgrader_marks,
    write_instructor_notebook,
)
from .command import main
from .lessons import build_lesson, check_lesson, normalise, one_thread, reading_minutes
from .sources import (
    COURSE,
    KERNEL,
    LESSONS,
    ROOT,
    BuildError,
    assignment_source,
    existing_assignments,
    existing_lessons,
    lesson_name,
    lesson_slugs,
    read_source,
    stray_files,
)

__all__ = [
    "COURSE",
    "KERNEL",
    "LESSONS",
    "ROOT",
    "BuildError",
    "assignment_minutes",
    "assignment_source",
    "build_assignments",
    "build_lesson",
    "check_assignments",
    "check_lesson",
    "defined_names",
    "exercise_cells",
    "existing_assignments",
    "existing_lessons",
    "generate",
    "instructor_notebook",
    "lesson_name",
    "lesson_slugs",
    "main",
    "nbgrader_marks",
    "normalise",
    "one_thread",
    "read_source",
    "reading_minutes",
    "stray_files",
    "write_instructor_notebook",
]
