"""What several test modules share: a released course, and a scratch PostgreSQL."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def released_course(tmp_path_factory):
    """The small course of `classes`, released once; tests work on copies."""
    import classes

    return classes.make_course(tmp_path_factory.mktemp("released") / "course")


@pytest.fixture
def course(released_course, tmp_path):
    """A copy of the small course, for one test."""
    return Path(shutil.copytree(released_course, tmp_path / "course"))


@pytest.fixture(scope="session")
def postgres():
    """Makes fresh databases on a PostgreSQL of its own: on loopback, in a scratch folder; gives their addresses."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = found[-1] if found else shutil.which("initdb")
    if initdb is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
    pytest.importorskip("psycopg")
    binaries = Path(initdb).resolve().parent
    # Not in pytest's folder: that one is closed to other users, again whenever a session begins
    folder = Path(tempfile.mkdtemp(prefix="dlcourse-postgres-"))
    data = folder / "data"
    user = []
    if os.getuid() == 0:
        # PostgreSQL refuses to run as root
        if shutil.which("setpriv") is None:
            pytest.skip("PostgreSQL does not run as root, and setpriv is missing")
        import pwd

        try:
            person = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        user = ["setpriv", f"--reuid={person.pw_uid}", f"--regid={person.pw_gid}", "--clear-groups"]
        os.chown(folder, person.pw_uid, person.pw_gid)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def call(program, *arguments):
        done = subprocess.run(
            [*user, str(binaries / program), *arguments], cwd=folder, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    call("initdb", "-D", str(data), "-U", "teacher", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    call("pg_ctl", "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
    number = iter(range(1000))

    def database():
        name = f"class{next(number)}"
        call("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "teacher", name)
        return f"postgresql+psycopg://teacher@127.0.0.1:{port}/{name}"

    yield database
    call("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    shutil.rmtree(folder)
