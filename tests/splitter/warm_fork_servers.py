"""Foremen of the splitter that are forked from one process, which has their modules loaded."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from threading import Lock
from typing import Any

from splitter.workers import fork_server

_LONGEST_ORDER = 1 << 16
_BYTES_OF_A_NUMBER = 4


class WarmForkServers:
    """
    Starts fork servers as `splitter.workers.parent` does, without loading their modules each time.

    Loading takes longer than most bulk files of a test. The process that forks them is started at
    the first fork_server, ends with this one and reads no file itself.
    """

    def __init__(self) -> None:
        self._turn = Lock()
        self._orders: socket.socket | None = None

    def start(self, theirs: socket.socket) -> Foreman:
        order = json.dumps({"folder": str(Path.cwd()), "environment": dict(os.environ)}).encode()
        with self._turn:
            if self._orders is None:
                self._orders = _started()
            socket.send_fds(self._orders, [order], [theirs.fileno()])
            number, descriptors, _, _ = socket.recv_fds(self._orders, _BYTES_OF_A_NUMBER, 1)
        return Foreman(int.from_bytes(number, "big"), descriptors[0])


class Foreman:
    """What of `Popen` the splitter uses, for a process that another one has forked."""

    def __init__(self, pid: int, descriptor: int) -> None:
        self.pid = pid
        self._descriptor = descriptor  # readable once the process is gone

    def wait(self, timeout: float | None = None) -> None:
        if not select.select([self._descriptor], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("fork server", timeout or 0)
        os.close(self._descriptor)

    def kill(self) -> None:
        signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)


def _started() -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
    return ours


def _fork_on_demand(orders: socket.socket) -> None:
    import splitter.pdf.opening
    import splitter.workers.page_worker  # noqa: F401

    forked: set[int] = set()
    while True:
        order, descriptors, _, _ = socket.recv_fds(orders, _LONGEST_ORDER, 1)
        forked -= {pid for pid in forked if os.waitpid(pid, os.WNOHANG)[0]}
        if not order:
            return
        pid = os.fork()
        if not pid:
            orders.close()
            _work(json.loads(order), descriptors[0])
        forked.add(pid)
        os.close(descriptors[0])
        watched = os.pidfd_open(pid)
        socket.send_fds(orders, [pid.to_bytes(_BYTES_OF_A_NUMBER, "big")], [watched])
        os.close(watched)


def _work(order: dict[str, Any], descriptor: int) -> None:
    try:
        os.chdir(order["folder"])
        os.environ.clear()
        os.environ.update(order["environment"])
        sys.argv = [fork_server.__name__, str(descriptor)]
        fork_server.main()
    finally:
        os._exit(0)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as orders:
        _fork_on_demand(orders)
