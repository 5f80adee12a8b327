"""What several test modules share: a released course, and a scratch PostgreSQL."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

# Each of their slow tests takes long by itself, and they share nothing that does
APART = {
    *("test_browser_start", "test_cli", "test_exercises", "test_faults", "test_first_hour", "test_grade", "test_hosts"),
    *("test_projects", "test_release", "test_report", "test_selftest"),
}
# Those that take longest begin first: one that begins last is waited for
LONGEST = (
    *("wasm", "first_hour", "lite", "browser", "exercises", "grade", "hostile"),
    *("offline_corpus", "mutants", "place", "site", "hub", "nbgrader", "report", "wheel"),
    *("attacks", "benchmarks", "backends", "explorers", "cli", "engine", "fuzz", "faults"),
    *("courses", "feedback"),
)


def pytest_configure():
    # A script's shell has what it starts in the background ignore Ctrl-C, and asyncio then leaves another handler than it found
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    rank = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem.removeprefix("test_"), len(LONGEST)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """The tests of a file stay in one process, which makes what they share once; those of the files above do not."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            return nodeid if Path(file).stem in APART else file

    # Else those with the most tests
    config.option.loadscopereorder = False
    return ByFile(config, log) if config.getvalue("dist") == "loadscope" else None


@pytest.fixture(autouse=True)
def not_while_grading():
    """nbgrader sets this for its grading, and leaves it set where that fails: later checks of the process would not raise."""
    yield
    os.environ.pop("NBGRADER_EXECUTION", None)


def _of_the_process():
    """What of a process outlives the test that changes it, and meets the tests after it: {what: its state}."""
    import ctypes

    os.umask(mask := os.umask(0o022))
    found = {number.name: signal.getsignal(number) for number in signal.Signals}
    found |= {"folder": os.getcwd(), "umask": oct(mask)}
    with contextlib.suppress(ImportError):
        import resource

        found |= {name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if "RLIMIT_" in name}
    if sys.platform == "linux":
        PR_GET_CHILD_SUBREAPER, adopts = 37, ctypes.c_int()
        assert ctypes.CDLL(None).prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(adopts), 0, 0, 0) == 0
        # A process that adopts what loses its parent must wait for it, or it stays as a zombie
        found["adopts"] = bool(adopts.value)
    return found


@pytest.fixture(scope="module", autouse=True)
def leaves_the_process_as_it_was():
    before = _of_the_process()
    yield
    after = _of_the_process()
    assert {what: after[what] for what in before if after[what] != before[what]} == {}


@pytest.fixture(scope="session")
def released_course(tmp_path_factory):
    """The small course of `classes`, released once; tests work on copies."""
    import classes

    return classes.make_course(tmp_path_factory.mktemp("released") / "course")


@pytest.fixture
def course(released_course, tmp_path):
    """A copy of the small course, for one test."""
    return Path(shutil.copytree(released_course, tmp_path / "course"))


@pytest.fixture(scope="module")
def ipython():
    """A real shell in this process. It stands in for `__main__`, which whatever starts a process later needs back."""
    interactive = pytest.importorskip("IPython.core.interactiveshell", reason="IPython is not installed")
    main = sys.modules["__main__"]
    shell = interactive.InteractiveShell()
    shell.history_manager.enabled = False
    yield shell
    shell.history_manager.end_session()
    interactive.InteractiveShell._instance = None
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """Makes fresh databases on a PostgreSQL for this run's tests: on loopback, in a scratch folder; gives their addresses.

    One cluster for all processes of a run: the first that needs it starts it, the last that leaves it stops it.
    """
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    cluster = _Cluster(run, tmp_path_factory.getbasetemp().parent / "postgres.lock")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with cluster.locked():
        if not cluster.port_file.exists():
            cluster.start()
        (cluster.folder / f"{worker}.user").touch()
    port, number = cluster.port_file.read_text(), iter(range(1000))

    def database():
        name = f"class_{worker}_{next(number)}"
        cluster.call("createdb", "-h", "127.0.0.1", "-p", port, "-U", "teacher", name)
        return f"postgresql+psycopg://teacher@127.0.0.1:{port}/{name}"

    yield database
    with cluster.locked():
        (cluster.folder / f"{worker}.user").unlink()
        if not list(cluster.folder.glob("*.user")):
            cluster.stop()


class _Cluster:
    """A PostgreSQL whose folder all processes of a run know by the run's name."""

    def __init__(self, run, lock):
        self.lock = lock
        # Not in pytest's folder: that one is closed to other users, again whenever a session begins
        self.folder = Path(tempfile.gettempdir()) / f"dlcourse-postgres-{run}"
        self.port_file = self.folder / "port"
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        initdb = found[-1] if found else shutil.which("initdb")
        if initdb is None:
            pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
        pytest.importorskip("psycopg")
        self.binaries = Path(initdb).resolve().parent
        self.owner = self._owner()
        self.user = []
        if self.owner is not None:
            self.user = ["setpriv", f"--reuid={self.owner.pw_uid}", f"--regid={self.owner.pw_gid}", "--clear-groups"]

    def _owner(self):
        """Who runs it where this process is root, as which PostgreSQL refuses to run."""
        if os.getuid():
            return None
        if shutil.which("setpriv") is None:
            pytest.skip("PostgreSQL does not run as root, and setpriv is missing")
        import pwd

        try:
            return pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")

    @contextlib.contextmanager
    def locked(self):
        """One process at a time starts and stops it."""
        import fcntl

        with self.lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def call(self, program, *arguments):
        done = subprocess.run(
            [*self.user, str(self.binaries / program), *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    def start(self):
        self.folder.mkdir(mode=0o700)
        if self.owner is not None:
            os.chown(self.folder, self.owner.pw_uid, self.owner.pw_gid)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        data = str(self.folder / "data")
        self.call("initdb", "-D", data, "-U", "teacher", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off"
        self.call("pg_ctl", "-D", data, "-o", options, "-l", str(self.folder / "log"), "-w", "start")
        self.port_file.write_text(str(port))

    def stop(self):
        self.call("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self.folder)
