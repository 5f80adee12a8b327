"""A process that the supervisor starts, and the socket between the two.

Where a started process cannot inherit a socket (Windows) it connects to this machine's loopback and proves itself with
a token from its environment.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Sequence
from typing import Any

START_SECONDS = 60.0
INHERITED = os.name == "posix" and hasattr(os, "killpg")
_TOKEN = "DLCOURSE_LINK"


def start(command: Sequence[str], environment: dict[str, str], **options: Any) -> tuple:
    """(process, socket) of a command that gets one more argument: where `join` finds the other end.

    options : those of `subprocess.Popen`. Raises TimeoutError where the process ends, or keeps away.
    """
    if INHERITED:
        ours, theirs = socket.socketpair()
        with theirs:
            number = theirs.fileno()
            process = subprocess.Popen(
                [*command, f"fd:{number}"], env=environment, pass_fds=[number], start_new_session=True, **options
            )
        return process, ours
    token = secrets.token_hex(16).encode()
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"port:{server.getsockname()[1]}"
        process = subprocess.Popen([*command, address], env=environment | {_TOKEN: token.decode()}, **options)
        try:
            return process, _accept(server, token, process)
        except BaseException:
            process.kill()
            process.wait()
            raise


def _accept(server, token, process):
    server.settimeout(0.2)
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(TimeoutError):
            sock, _ = server.accept()
            sock.settimeout(1.0)
            with contextlib.suppress(OSError):
                if secrets.compare_digest(sock.recv(len(token), socket.MSG_WAITALL), token):
                    sock.settimeout(None)
                    return sock
            sock.close()
    raise TimeoutError("the process did not connect")


def join(address: str) -> Any:
    """The started process's end of the socket; `address` is its last argument."""
    kind, _, number = address.partition(":")
    if kind == "fd":
        return socket.socket(fileno=int(number))
    sock = socket.create_connection(("127.0.0.1", int(number)))
    sock.sendall(os.environ.pop(_TOKEN).encode())
    return sock


def end(process: Any) -> None:
    """End a process that `start` made, with everything that it has started."""
    if INHERITED:
        import signal

        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
