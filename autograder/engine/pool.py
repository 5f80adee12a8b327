"""Where the grading happens: in this process, or on the workers of a Dask cluster.

A pool's `map` takes jobs `(name, tasks)` as it has room for them, and yields `(name, results)` as they are done; in place
of the results an `EngineFault` where the machine failed.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import logging
import os
import queue
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Self

from ..checks import registry
from ..errors import EngineFault, NoSandbox, PoolLost
from .scratch import Scratch
from .tasks import Settings, Task, TaskResult

# (a student, the tasks of the submission), and what comes back for it
Job = tuple[str, list[Task]]
Outcome = tuple[str, list[TaskResult] | EngineFault]

RETRIES = 2
REGISTER_TRIES = 4
AHEAD = 3
# Of files that lie beside notebooks and are on their way at a time; a job with more than that goes alone
AHEAD_BYTES = 20_000_000
POLL_SECONDS = 5.0
PATIENCE_SECONDS = 120.0
LOST_WORKER = "1 hour"


def default_grader(settings: Settings) -> Any:
    from .grader import Grader

    return Grader(settings)


class InProcess:
    """Grade in this process, one submission after the other."""

    def __init__(self, settings: Settings | None = None, grader: Callable[[Settings], Any] = default_grader) -> None:
        self.settings, self.make = settings or Settings(), grader

    def __enter__(self) -> Self:
        self.grader = self.make(self.settings).__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self.grader.__exit__(*error)

    def map(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        for name, tasks in jobs:
            yield name, self._outcome(tasks)

    def _outcome(self, tasks):
        try:
            return [self.grader.grade(task) for task in tasks]
        except NoSandbox:
            raise
        except EngineFault as fault:
            return fault
        except Exception as error:
            return _unexpected(error)


def _unexpected(error):
    """What no task should make a grader raise: that submission stays open."""
    return EngineFault(f"the grader failed ({described(error)}): a person has to look at it")


def described(error: BaseException) -> str:
    """An unexpected error in one line that any file and screen can hold."""
    text = f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:300].encode("utf-8", "backslashreplace").decode()


class _GraderOnWorker:
    """A worker's grader: started with the worker, from its main thread, and ended with it."""

    def __init__(self, settings, make, exercises, version, sources, cores=()):
        self.settings, self.make, self.exercises, self.version = settings, make, exercises, version
        self.sources, self.cores = sources, cores

    def setup(self, worker):
        from .version import checks_version

        self.grader, self.fault = None, ""
        if self.cores:
            # Its processes take turns, with a hundred words for each submission: they wake each other faster on one core
            os.sched_setaffinity(0, {self.cores[worker.name % len(self.cores)]})
        registry.use(self.sources)
        if checks_version() != self.version:
            self.fault = f"the worker {worker.address} has another version of this package: install the same everywhere"
            return
        try:
            self.grader = self.make(self.settings).__enter__()
            for names in self.exercises:
                self.grader.warm(names)
            # What is loaded by now stays: the collector need not look through it with every submission
            gc.freeze()
        except EngineFault as fault:
            self.fault = str(fault)

    def teardown(self, worker):
        if self.grader is not None:
            self.grader.__exit__(None, None, None)

    def grade(self, tasks):
        if self.grader is None:
            raise NoSandbox(self.fault)
        # A worker may serve two courses at a time
        registry.use(self.sources)
        return [self.grader.grade(task) for task in tasks]


def _grade(plugin, tasks):
    """What a worker does with a job; a fault comes back as a value: the grader has tried again already."""
    from distributed import get_worker

    try:
        worker: Any = get_worker()
        return worker.plugins[plugin].grade(tasks)
    except EngineFault as fault:
        return fault
    except Exception as error:
        return _unexpected(error)


class Cluster:
    """Grade on Dask workers: `workers` processes of this machine, or those of the scheduler at `address`.

    A `tls://` address takes its certificates from Dask's own configuration, without a line of code:

        export DASK_DISTRIBUTED__COMM__TLS__CA_FILE=ca.pem
        export DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT=cert.pem DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY=key.pem
        dlcourse grade neurons --scheduler tls://host:8786

    and the scheduler and the workers likewise from …TLS__SCHEDULER__CERT / KEY and …TLS__WORKER__CERT / KEY (or the
    options --tls-ca-file, --tls-cert, --tls-key of `dask scheduler` and `dask worker`).
    Workers need this package and bubblewrap, one thread each (`dask worker --nthreads 1`); they see tasks and the course's own
    exercises, never the gradebook. The local cluster makes its own certificates: on a shared machine nobody else may send it work.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        workers: int | None = None,
        address: str | None = None,
        grader: Callable[[Settings], Any] = default_grader,
        exercises: Sequence[tuple[str, ...]] = (),
        version: str = "",
    ) -> None:
        self.settings, self.workers, self.address = settings or Settings(), workers, address
        self.make, self.exercises, self.version = grader, exercises, version

    def __enter__(self) -> Self:
        import dask
        from distributed import Client, LocalCluster, WorkerPlugin

        class Plugin(_GraderOnWorker, WorkerPlugin):
            """Dask asks for this base class."""

            name: str

        self.stack = contextlib.ExitStack()
        with contextlib.ExitStack() as stack:
            stack.enter_context(
                dask.config.set(
                    {
                        # Of a thousand tasks nothing needs to be remembered
                        "distributed.admin.low-level-log-length": 100,
                        "distributed.admin.large-graph-warning-threshold": "1GB",
                        "distributed.scheduler.events-cleanup-delay": "1 minute",
                        "distributed.scheduler.allowed-failures": 1,
                        # A result that died with its worker is computed again as soon as that is known
                        "distributed.comm.retry.count": 0,
                        "distributed.comm.timeouts.connect": "10s",
                        # A worker that died is started again; after 15 s, the default, a busy machine would do without
                        "distributed.deploy.lost-worker-timeout": LOST_WORKER,
                        "distributed.scheduler.http.routes": [],
                        "distributed.worker.http.routes": [],
                    }
                )
            )
            # Dask logs what this module says in its own words
            for name in ("distributed", "distributed.client", "distributed.nanny", "distributed.scheduler"):
                logging.getLogger(name).setLevel(logging.CRITICAL)
            try:
                if self.address is None:
                    scratch = str(stack.enter_context(Scratch()))
                    # The scheduler's own scratch space too
                    stack.enter_context(dask.config.set({"temporary-directory": scratch}))
                    with _without_interrupts():
                        cluster = LocalCluster(
                            n_workers=self.workers or os.cpu_count() or 1,
                            threads_per_worker=1,
                            processes=True,
                            # With None Dask asks for port 8787 and warns when another run has it; no pages are served
                            dashboard_address="127.0.0.1:0",
                            memory_limit=0,
                            silence_logs=logging.CRITICAL,
                            local_directory=scratch,
                            security=True,
                            env=dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
                        )
                    stack.callback(_quietly, cluster.close)
                    self.client = Client(cluster, set_as_default=False)
                else:
                    self.client = Client(self.address, timeout=30, set_as_default=False)
            except RuntimeError as error:
                # A script that grades at its top level would be run again by each of the processes that it starts
                raise PoolLost(
                    f"the workers of this machine did not start ({error}); if this is a script of your own, grade below "
                    'its line `if __name__ == "__main__":`'
                ) from error
            except (OSError, ValueError, TypeError) as error:
                raise PoolLost(
                    f"the scheduler {self.address or 'of this machine'} cannot be reached: {error}. Is it running? "
                    "For tls:// set Dask's certificates (see `dlcourse grade --help`)"
                ) from error
            stack.callback(_quietly, self.client.close)
            self.numbers = itertools.count()
            self.name = f"dlcourse-{os.getpid()}-{id(self)}"
            plugin = Plugin(self.settings, self.make, self.exercises, self.version, registry.current(), self._cores())
            plugin.name = self.name
            try:
                self._register(plugin)
            # Whatever a worker raises while it makes its grader arrives here
            except Exception as error:
                raise PoolLost(
                    f"a worker cannot grade ({type(error).__name__}: {error}); it needs this package, installed as here"
                ) from error
            stack.callback(_quietly, lambda: self.client.unregister_worker_plugin(self.name))
            self.stack = stack.pop_all()
        return self

    def _cores(self):
        """The cores of this machine, where each worker can have one for itself and none is left over."""
        if self.address is not None or not hasattr(os, "sched_setaffinity"):
            return ()
        cores = sorted(os.sched_getaffinity(0))
        return cores if (self.workers or os.cpu_count() or 1) == len(cores) else ()

    def _register(self, plugin):
        """Have every worker make its grader; one that goes away in this very moment is soon known to be gone."""
        from distributed.comm import CommClosedError

        for left in reversed(range(REGISTER_TRIES)):
            try:
                self.client.register_plugin(plugin, name=self.name)
                return
            except CommClosedError:
                if not left:
                    raise
                time.sleep(1.0)

    def __exit__(self, *error: object) -> None:
        self.stack.close()

    def map(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        suspects: list[Job] = []
        yield from self._round(jobs, suspects)
        # Each submission on a worker that died is a suspect; run one at a time, the one that kills its worker shows itself
        for job in suspects:
            yield from self._round([job])

    def _round(self, jobs, suspects=None):
        from distributed import KilledWorker

        jobs, held = iter(jobs), None
        done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        waiting: dict[str, tuple[Job, Any]] = {}
        room, asked, more, alone = self._room(), time.monotonic(), True, 0.0
        while True:
            while more and len(waiting) < room:
                job, held = held or next(jobs, None), None
                if job is None:
                    more = False
                    break
                weight = sum(_weight(other[1]) for other, _ in waiting.values()) + _weight(job[1])
                if waiting and weight > AHEAD_BYTES:
                    held = job
                    break
                key = f"{self.name}-{next(self.numbers)}"
                future = self.client.submit(_grade, self.name, job[1], key=key, retries=RETRIES, pure=False)
                waiting[key] = job, future
                future.add_done_callback(done.put)
            if not waiting:
                return
            try:
                future = done.get(timeout=POLL_SECONDS)
            except queue.Empty:
                alone = self._patience(alone)
                continue
            alone = 0.0
            if time.monotonic() > asked + POLL_SECONDS:
                # Workers may have joined
                room, asked = max(room, self._room()), time.monotonic()
            job, _ = waiting.pop(future.key)
            outcome = self._outcome(future)
            future.release()
            if not isinstance(outcome, KilledWorker):
                yield job[0], outcome
            elif suspects is not None:
                suspects.append(job)
            else:
                yield job[0], EngineFault("every worker that tried it died")

    def _room(self):
        """How many jobs may be open at a time: enough that no worker waits, few enough that memory stays flat."""
        return max(4, AHEAD * len(self._workers()))

    def _workers(self):
        try:
            scheduler: Any = self.client.scheduler
            return self.client.sync(scheduler.ncores, callback_timeout=POLL_SECONDS)
        except Exception as error:
            raise PoolLost(f"the scheduler has stopped answering ({type(error).__name__})") from error

    def _patience(self, alone):
        """For how many seconds no worker has been there; raises when that is too long, or the scheduler is gone."""
        if self.client.status not in ("running", "connecting"):
            raise PoolLost("the connection to the scheduler is lost")
        if self._workers():
            return 0.0
        if alone + POLL_SECONDS >= PATIENCE_SECONDS:
            raise PoolLost(f"no worker available for {PATIENCE_SECONDS:g} s")
        return alone + POLL_SECONDS

    def _outcome(self, future):
        """The results of a job, or the error that stands for them."""
        from distributed import KilledWorker

        alone = 0.0
        while True:
            # Only a connection that broke cancels futures; "lost" is a result that died with its worker
            if self.client.status != "running" or future.status == "cancelled":
                raise PoolLost("the connection to the scheduler is lost")
            try:
                # Also of a future that is done or lost: its result is computed again if its worker died
                results = future.result(timeout=POLL_SECONDS)
                break
            except (EngineFault, KilledWorker) as error:
                return error
            except Exception as error:
                if future.status != "cancelled" and (not isinstance(error, TimeoutError) or future.status == "error"):
                    return _unexpected(error)
            alone = self._patience(alone)
        if isinstance(results, NoSandbox):
            raise results
        return results


@contextlib.contextmanager
def _without_interrupts():
    """Ctrl-C is for this process alone: threads and processes that are started in here, and theirs, never see it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    # When it starts it lets the signal through again
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _weight(tasks):
    """Bytes that come with a job; the files are the same in each of its tasks."""
    return max((sum(map(len, task.files.values())) for task in tasks), default=0)


def _quietly(close):
    """A cluster that is already gone cannot be closed again."""
    with contextlib.suppress(Exception):
        close()
