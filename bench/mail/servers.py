"""Postfix's two C programs: the sink that takes mail, and the source that sets the limit."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

SINK, SOURCE = "/usr/sbin/smtp-sink", "/usr/sbin/smtp-source"
CONNECTIONS = 4
STARTS_WITHIN = 10.0  # seconds


def are_installed() -> bool:
    return all(map(shutil.which, (SINK, SOURCE)))


@contextmanager
def server(latency_ms: int) -> Iterator[int]:
    """
    Run a server and give its port: smtp-sink, or one that answers so many milliseconds late.

    The late one is ours, as smtp-sink knows whole seconds only.
    """
    if latency_ms:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.mail.sink", str(latency_ms)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        port = int(process.stdout.readline())
    else:
        port = _free_port()
        nobody = ("-u", "nobody") if os.geteuid() == 0 else ()
        process = subprocess.Popen([SINK, *nobody, "-t", "600", f"127.0.0.1:{port}", "256"])
    try:
        _wait_for(port)
        yield port
    finally:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError("the mail sink does not start")


@dataclass
class Source:
    """smtp-source over lasting connections: one message of so many bytes, again and again."""

    port: int
    size: int
    rate: float = 0.0  # messages a second, the last time

    def send(self, seconds: float) -> tuple[int, float, float]:
        """Send for about so long; return messages, seconds and CPU seconds."""
        count = max(4 * CONNECTIONS, round(self.rate * seconds))
        command = [
            SOURCE, "-4", "-d", "-s", str(CONNECTIONS), "-m", str(count), "-l", str(self.size),
            "-M", "bench", "-f", "billing@larkspur.example", "-t", "ann@customer.example",
            f"127.0.0.1:{self.port}",
        ]  # fmt: skip
        began = time.monotonic()
        process = subprocess.Popen(command)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError("smtp-source failed")
        self.rate = count / wall
        return count, wall, used.ru_utime + used.ru_stime
