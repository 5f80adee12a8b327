"""nbgrader's configuration for this course directory: run the commands from here."""

import os
from pathlib import Path

c = get_config()

course = Path(__file__).resolve().parent
c.CourseDirectory.root = str(course)
c.CourseDirectory.course_id = "statistics"
# One machine, one user: an exchange beside the course. A class sets DLCOURSE_EXCHANGE to the shared folder.
c.Exchange.root = os.environ.get("DLCOURSE_EXCHANGE", str(course / "exchange"))
# Formgrader's Autograde button grades as `dlcourse grade` does
c.Autograde.autograde_preprocessors = ["autograder.engine.preprocessor.GradeOutside"]
