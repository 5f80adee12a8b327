"""What honest notebooks do, for the trace of their system calls: `tests/syscalls.py` runs it, `test_walls.py` behind the walls.

Each function is one kind of work. One whose package is missing is passed over.
"""

import contextlib
import os
import sys


def arrays():
    import numpy as np

    rng = np.random.default_rng(0)
    a = rng.normal(size=(400, 400))
    np.linalg.svd(a @ a.T)
    np.fft.fft2(a).real.sort(axis=0)
    np.einsum("ij,jk->ik", a, a)
    np.savez_compressed("arrays.npz", a=a)
    assert np.load("arrays.npz")["a"].shape == (400, 400)
    np.savetxt("a.csv", a[:20, :5], delimiter=",")
    assert np.loadtxt("a.csv", delimiter=",").shape == (20, 5)
    np.memmap("map", dtype="f4", mode="w+", shape=(100, 100))[:] = 1
    return np.zeros(30_000_000).sum()


def science():
    import scipy.integrate
    import scipy.io
    import scipy.linalg
    import scipy.ndimage
    import scipy.optimize
    import scipy.signal
    import scipy.sparse.linalg
    import scipy.spatial
    import scipy.special
    import scipy.stats

    scipy.optimize.minimize(lambda x: (x**2).sum(), [1.0, 2.0])
    scipy.linalg.expm([[0.0, 1.0], [-1.0, 0.0]])
    scipy.stats.norm.fit([1.0, 2.0, 4.0])
    scipy.integrate.solve_ivp(lambda t, y: -y, (0, 1), [1.0])
    scipy.sparse.linalg.spsolve(scipy.sparse.eye(20, format="csc"), [1.0] * 20)
    scipy.io.savemat("a.mat", {"a": [1.0]})
    scipy.fft.fft([1.0] * 64, workers=2)


def figures():
    import matplotlib.pyplot as plt
    from matplotlib import animation

    figure, axes = plt.subplots(1, 2)
    axes[0].plot([1, 2], label=r"$\alpha$ é")
    axes[0].legend()
    axes[1].imshow([[0, 1], [1, 0]])
    for kind in ("png", "pdf", "svg", "jpg"):
        figure.savefig(f"figure.{kind}")
    plt.imread("figure.png")
    animation.FuncAnimation(figure, lambda i: axes[0].lines, frames=2).to_jshtml()
    plt.close("all")


def tables():
    import pandas as pd

    table = pd.DataFrame(
        {"a": [1, 2, 3], "b": ["x", "y", "x"], "t": pd.date_range("2020-01-01", periods=3, tz="Europe/Berlin")}
    )
    table.to_csv("table.csv")
    pd.read_csv("table.csv").groupby("b").a.mean()
    table.to_json("table.json")
    table.to_pickle("table.pkl")
    table.merge(table, on="b").describe()
    table.plot().figure.savefig("table.png")
    table.to_sql("t", __import__("sqlite3").connect("table.db"))
    str(table), table._repr_html_()


def learning():
    from sklearn.datasets import load_digits
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score

    X, y = load_digits(return_X_y=True)
    LogisticRegression(max_iter=20).fit(X[:200], y[:200])
    RandomForestClassifier(10, n_jobs=2).fit(X[:200], y[:200])
    cross_val_score(LogisticRegression(max_iter=20), X[:100], y[:100], cv=2, n_jobs=2)


def formulas():
    import sympy

    x = sympy.symbols("x")
    sympy.integrate(sympy.sin(x) * x, x)
    sympy.lambdify(x, x**2)(3)


def more_packages():
    import networkx
    import seaborn
    import statsmodels.api as sm
    import tqdm

    networkx.shortest_path(networkx.path_graph(5), 0, 4)
    seaborn.lineplot(x=[1, 2], y=[1, 2])
    sm.OLS([1.0, 2.0, 3.0], [[1.0, 1.0], [1.0, 2.0], [1.0, 4.0]]).fit().summary()
    list(tqdm.tqdm(range(3)))


def compiled():
    import numba

    assert numba.njit(lambda x: x + 1)(1) == 2


def tensors():
    import torch

    a = torch.randn(100, 100, requires_grad=True)
    (a @ a).sum().backward()
    torch.save(a, "a.pt")
    torch.load("a.pt")


def files():
    import bz2
    import csv
    import gzip
    import json
    import lzma
    import mmap
    import pathlib
    import pickle
    import shutil
    import sqlite3
    import tempfile
    import zipfile

    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as named:
        named.write(b"x" * 100_000)
        named.flush()
        path = pathlib.Path(folder) / "deep" / "er"
        path.mkdir(parents=True)
        (path / "a.json").write_text(json.dumps({"a": 1}))
        shutil.copytree(path, path.parent / "copy")
        shutil.copy2(named.name, path / "b")
        shutil.make_archive(str(path / "all"), "gztar", folder, "deep/copy")
        (path / "b").rename(path / "c")
        (path / "link").symlink_to("c")
        os.link(path / "c", path / "hard")
        os.chmod(path / "c", 0o600)
        os.utime(path / "c")
        os.truncate(path / "c", 10)
        list(path.rglob("*"))
        os.scandir(path).close()
        shutil.disk_usage(path)
        with zipfile.ZipFile(path / "z.zip", "w") as packed:
            packed.write(path / "c")
        with (path / "csv").open("w") as file:
            csv.writer(file).writerow([1, 2])
        for kind in (gzip, bz2, lzma):
            with kind.open(path / "packed", "wb") as file:
                file.write(pickle.dumps(list(range(1000))))
        with (path / "c").open("r+b") as file, mmap.mmap(file.fileno(), 0) as view:
            view[0:1] = b"y"
            view.flush()
        os.fsync(os.open(path / "c", os.O_RDWR))
    with sqlite3.connect("base.db") as base:
        base.execute("create table t (x)")
        base.execute("insert into t values (1)")
    os.getcwd(), os.listdir(), os.cpu_count(), os.getloadavg(), os.uname(), os.times()


def double(x):
    return 2 * x


def several_at_once():
    import asyncio
    import multiprocessing
    import queue
    import signal
    import threading
    import time
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(double, [1, 2])) == [2, 4]
    for way in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(way).Pool(2) as pool:
            assert pool.map(double, [1, 2]) == [2, 4]
    with ProcessPoolExecutor(2) as pool:
        assert list(pool.map(double, [1])) == [2]
    shared = multiprocessing.Value("d", 1.0)
    with shared.get_lock():
        shared.value = 2.0
    boxes = multiprocessing.Queue()
    boxes.put(1)
    assert boxes.get() == 1
    waiting = queue.Queue()
    threading.Thread(target=waiting.put, args=(1,)).start()
    waiting.get()
    threading.Timer(0.01, print).start()

    async def main():
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(1)", stdout=-1)
        await process.communicate()
        await asyncio.gather(asyncio.sleep(0.01), asyncio.to_thread(time.sleep, 0.01))

    asyncio.run(main())
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    time.sleep(0.05)
    signal.signal(signal.SIGUSR1, lambda *_: None)
    os.kill(os.getpid(), signal.SIGUSR1)


def commands():
    import subprocess

    subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, check=True, timeout=60)
    subprocess.run(
        "echo hi | cat > said; ls -la; pwd; date; env; head -c 3 said",
        shell=True,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    os.system("echo $HOME > said")
    with os.popen("echo 1") as answer:
        answer.read()


def machine():
    import datetime
    import faulthandler
    import getpass
    import platform
    import random
    import resource
    import socket
    import time
    import uuid
    import zoneinfo

    datetime.datetime.now().astimezone()
    with contextlib.suppress(zoneinfo.ZoneInfoNotFoundError):
        zoneinfo.ZoneInfo("Europe/Berlin")
    platform.platform(), random.SystemRandom().random(), os.urandom(8), uuid.uuid1(), socket.gethostname()
    resource.getrusage(resource.RUSAGE_SELF), resource.getrlimit(resource.RLIMIT_NOFILE)
    time.process_time(), time.thread_time(), time.monotonic(), time.get_clock_info("time")
    with open("fault", "w") as file:
        faulthandler.enable(file)
        faulthandler.disable()
    os.nice(1), os.getpriority(os.PRIO_PROCESS, 0), os.sched_getaffinity(0)
    with contextlib.suppress(KeyError, OSError):
        getpass.getuser()
    left, right = socket.socketpair()
    left.sendall(b"x")
    right.recv(1)
    left.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # Without a network it fails, and a notebook says so
    import urllib.request

    with contextlib.suppress(OSError):
        urllib.request.urlopen("http://127.0.0.1:9/", timeout=1)


def notebook():
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    for source in (
        "%timeit -n1 -r1 1",
        "%%time\n1",
        "!echo hi",
        "%pwd",
        "x = !ls",
        "%matplotlib inline",
        "%%bash\nls",
        "%who",
        "%prun 1",
    ):
        shell.run_cell(source, silent=True)


def course():
    import dlcourse
    from autograder.checks.evaluation import evaluate
    from autograder.checks.exercise import exercises_of

    for topic in dlcourse.TOPICS:
        for name, exercise in exercises_of(topic).items():
            for functions in (
                exercise.functions,
                *exercise.variant_functions,
                *(way for m in exercise.mistakes for way in m.ways),
            ):
                evaluate(name, *functions, seconds=20.0)


WORK = (
    arrays,
    science,
    figures,
    tables,
    learning,
    formulas,
    more_packages,
    compiled,
    tensors,
    files,
    several_at_once,
    commands,
    machine,
    notebook,
)


def main(mark):
    import tempfile

    import dlcourse.training  # noqa: F401

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.access(mark, os.F_OK)
        for work in (*WORK, course):
            try:
                work()
            except ImportError as error:
                print(f"{work.__name__}: {error}", file=sys.stderr)
        os.chdir("/")


if __name__ == "__main__":
    main(sys.argv[1])
