"""Who holds a lease: a process, recognizable after it is gone."""

from __future__ import annotations

import os
import socket
from pathlib import Path

_PROC = Path("/proc")


def this_process(worker: str = "") -> str:
    """
    Name this process by host, number and start, with `worker` telling its threads apart.

    The start belongs to it: numbers are given out again.
    """
    process = os.getpid()
    return "|".join((_host(), str(process), _started(process), worker[:20]))


def is_gone(owner: str) -> bool:
    """
    Tell whether a process of this host surely runs no more.

    Of another host's process, and of a name that is not ours, nothing is known: their leases
    run out by themselves.
    """
    host, _, rest = owner.partition("|")
    process, _, rest = rest.partition("|")
    started, marked, _ = rest.partition("|")
    if host != _host() or not process.isdigit() or not marked or not _PROC.is_dir():
        return False
    return _started(int(process)) != started


def describe(owner: str) -> str:
    """Say which process it is as a person would look for it."""
    host, _, rest = owner.partition("|")
    return f"process {rest.partition('|')[0]} on {host.partition(':')[0]}"


def _host() -> str:
    """Return the host with its namespace of process numbers: containers count their own."""
    try:
        namespace = (_PROC / "self/ns/pid").stat().st_ino
    except OSError:
        namespace = 0
    return f"{socket.gethostname().replace('|', '-')[:30]}:{namespace}"


def _started(process: int) -> str:
    """Return boot and start time in clock ticks (proc(5), stat field 22); empty: not running."""
    try:
        stat = (_PROC / str(process) / "stat").read_text()
        boot = (_PROC / "sys/kernel/random/boot_id").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    is_zombie = fields[0] in ("Z", "X")  # killed, and nobody has asked for its exit status
    return "" if is_zombie else f"{boot[:8]}.{fields[19]}"
