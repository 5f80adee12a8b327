"""What an attack has done, seen from outside: canaries read, files changed, connections made, processes and mounts left."""

import contextlib
import hashlib
import os
import re
import site
import socket
import sqlite3
import sysconfig
import threading
from html.parser import HTMLParser
from pathlib import Path

from . import Scene
from .assignment import CANARIES


class _Running(HTMLParser):
    """Collects what a browser would run of the attacks' own making."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found, self.inside = [], ""

    def handle_starttag(self, tag, attributes):
        self.inside = tag
        for name, value in attributes:
            if name.startswith("on") or (value or "").strip().lower().startswith("javascript:"):
                self.found.append(f"<{tag} {name}={value!r}>")

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside == "script" and "alert(1)" in data:
            self.found.append(f"<script>{data[:40]}")


def running(html):
    """What a browser would run of a page."""
    parser = _Running()
    parser.feed(html)
    return parser.found


class Listener:
    """A port of this machine that remembers who connected."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.connected = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                self.socket.accept()[0].close()
                self.connected += 1

    def close(self):
        self.socket.close()


def make_scene(folder, course, port):
    """A folder that nobody may touch, beside the course."""
    safe = Path(folder) / "safe"
    safe.mkdir()
    (safe / "untouched").write_text("as it was\n")
    safe.chmod(0o777)
    (safe / "untouched").chmod(0o666)
    return Scene(Path(course), safe, port)


def fingerprint(*folders, leave=()):
    """{path: hash} of every file, link and pipe below the folders; `leave` are names below which nothing is looked at."""
    found = {}
    for folder in folders:
        for parent, names, files in os.walk(folder):
            names[:] = [name for name in names if name not in leave]
            for name in [*names, *files]:
                path = Path(parent) / name
                if path.is_symlink():
                    found[str(path)] = f"link {os.readlink(path)}"
                elif path.is_file() and path.stat().st_size < 1 << 20:
                    found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
                else:
                    found[str(path)] = f"{path.lstat().st_mode:o} {path.lstat().st_size if path.is_file() else ''}"
    return found


def changed(before, after):
    """The paths that differ between two fingerprints."""
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def canaries_in(text):
    """What was read of what nobody may read."""
    return [what for token, what in CANARIES.items() if token in text] + sorted(
        set(re.findall(r"found CANARY(tracing|memory|device)", text))
    )


def scores(database, assignment):
    """{student: (score, needs a person)} of a gradebook, read without nbgrader."""
    query = """
        select s.student_id, sum(coalesce(g.manual_score, g.auto_score, 0)), max(g.needs_manual_grade), count(g.id)
        from submitted_assignment s join assignment a on a.id = s.assignment_id
        left join submitted_notebook n on n.assignment_id = s.id left join grade g on g.notebook_id = n.id
        where a.name = ? group by s.id
    """
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        return {
            student: (score, bool(person))
            for student, score, person, count in db.execute(query, (assignment,))
            if count
        }


def descendants(pid):
    """The processes that this one and those that it started have started."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{one}/task"):
                found += map(int, Path(f"/proc/{one}/task/{task}/children").read_text().split())
    return set(found[1:])


def system_v():
    """System V objects of this machine under the keys that the corpus uses."""
    found = []
    for kind in ("shm", "sem", "msg"):
        with contextlib.suppress(OSError):
            lines = Path("/proc/sysvipc", kind).read_text().splitlines()[1:]
            found += [kind for line in lines if 0x5EED <= int(line.split()[0]) < 0x5EED + 8]
    return found


def planted():
    """What the corpus tries to leave on this machine outside the course, where it stands."""
    home, packages = Path.home(), sysconfig.get_path("purelib")
    left = [Path(folder, "left_behind") for folder in ("/tmp", "/dev/shm", "/var/tmp", "/run", "/", home, ".", "..")]
    left += [home / ".ipython/profile_default/startup/00.py", Path(site.getusersitepackages(), "usercustomize.py")]
    left += [
        Path(packages, "poison.pth"),
        Path(packages, "numpy/_later.py"),
        Path(os.__file__).parent / "sitecustomize.py",
    ]
    return [str(path) for path in left if os.path.lexists(path)]


def mounts():
    return Path("/proc/self/mounts").read_text()
