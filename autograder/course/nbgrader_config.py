"""nbgrader's configuration for this course directory: run nbgrader's commands from here."""

import os
import secrets
from pathlib import Path

c = get_config()

course = Path(__file__).resolve().parent
c.CourseDirectory.root = str(course)
c.CourseDirectory.course_id = "dlcourse"
# One machine, one user: an exchange beside the course. A class sets DLCOURSE_EXCHANGE to the shared folder.
c.Exchange.root = os.environ.get("DLCOURSE_EXCHANGE", str(course / "exchange"))
# nbgrader's `autograde` and formgrader's button grade as `dlcourse grade` does; without this line they run plain nbgrader
c.Autograde.autograde_preprocessors = ["autograder.engine.preprocessor.GradeOutside"]
# A figure or a training loop may take a while
c.Execute.timeout = 120
# ipykernel warns at every start that local sockets are not encrypted
c.Execute.extra_arguments = ["--IPKernelApp.log_level=40"]
# What students write is shown in formgrader and feedback without its scripts
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {
    "markdown2html": "autograder.reports.safe_html.markdown2html",
    "clean_html": "autograder.reports.safe_html.clean_html",
}

# On small matrices more threads only wait for each other
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# The hidden cases draw their numbers from this secret, which no student has; made once, kept out of git
secret = course / "course_secret"
if "DLCOURSE_SECRET" not in os.environ:
    if not secret.exists():
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_hex(16))
    os.environ["DLCOURSE_SECRET"] = secret.read_text().strip()
