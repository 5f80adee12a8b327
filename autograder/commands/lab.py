"""`dlcourse lab`: JupyterLab on a student's folder."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path

from .. import start_page, workspace
from ..build import one_thread
from ..errors import WorkspaceError
from . import fail
from .start import say

# What JupyterLab reads before the user's own configuration, in this process only: no nbgrader buttons of a teacher, no news
SETTINGS = Path(__file__).resolve().parents[1] / "jupyter"


def main(folder=None, port=None, no_browser=False, allow_root=False, others=()):
    """Bring the student's folder up to date and serve it until JupyterLab is stopped; returns the exit status."""
    from jupyterlab.labapp import LabApp

    try:
        changes = workspace.lay_out(workspace.find(folder))
    except WorkspaceError as error:
        return fail(error)
    except OSError as error:
        return fail(f"{error.filename} cannot be written: {error.strerror}", 1)
    say(changes, lambda line: print(line, file=sys.stderr))
    prepare_environment(os.environ)
    LabApp.launch_instance(arguments(changes.folder, port, no_browser, allow_root, others))
    return 0


def prepare_environment(environment):
    """Set what JupyterLab, its kernels and its terminals take from the environment."""
    one_thread()
    # The `dlcourse` of this Python also in a terminal of JupyterLab
    environment["PATH"] = sysconfig.get_path("scripts") + os.pathsep + environment.get("PATH", "")
    before = environment.get("JUPYTER_CONFIG_PATH")
    environment["JUPYTER_CONFIG_PATH"] = str(SETTINGS) + (os.pathsep + before if before else "")


def arguments(folder, port=None, no_browser=False, allow_root=False, others=()):
    """JupyterLab's own arguments; what a student adds wins."""
    page = "/lab/tree/start.ipynb" if (folder / start_page.NAME).is_file() else "/lab"
    made = [f"--ServerApp.root_dir={folder}", f"--LabApp.default_url={page}"]
    if os.name == "posix":
        # Not a login shell, which would set PATH back
        shell = os.environ.get("SHELL") or shutil.which("sh")
        made.append(f"--ServerApp.terminado_settings={{'shell_command': [{shell!r}]}}")
    made += [f"--ServerApp.port={port}"] if port is not None else []
    made += ["--no-browser"] if no_browser else []
    made += ["--allow-root"] if allow_root else []
    # JupyterLab refuses an option that stands there twice
    given = {other.partition("=")[0] for other in others}
    return [*(one for one in made if one.partition("=")[0] not in given), *others]
