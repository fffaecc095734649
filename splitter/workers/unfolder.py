"""The process that takes a portfolio apart: whatever is attached to it, it ends nothing else."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from domain.failures import Refused
from splitter.workers.messages import to_line
from splitter.workers.parent import (
    BROKE_DOWN,
    MEMORY_BYTES,
    PAGE_SECONDS,
    TOO_LONG,
    does_answer,
    start_program,
)

_CPU_SECONDS = 4 * 3600
_LONGEST_MESSAGE = 1 << 16
_BLOCK = 1 << 20


def unfold_file(path: Path, target: Path, name: str) -> None:
    """
    Write one PDF of the files attached to another; it appears whole or not at all, and private.

    Done again it gives the same bytes. Raises Refused (pdf-unreadable) for a file that cannot be
    taken apart, which calls it by `name`.
    """
    descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=target.parent)  # 0600
    os.close(descriptor)
    written = Path(temporary)
    try:
        _ask_child(path, written, name)
        written.replace(target)
    finally:
        written.unlink(missing_ok=True)


def _ask_child(path: Path, written: Path, name: str) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        with theirs:
            child = start_program("splitter.workers.unfolder", theirs)
        try:
            ours.send(to_line({"path": str(path.absolute()), "to": str(written), "name": name}))
            failure = _listen(ours)
        finally:
            _end(child)
    if failure:
        why = f"{name} cannot be taken apart ({failure}); please export it again."
        raise Refused("pdf-unreadable", why)


def _listen(ours: socket.socket) -> str:
    """Wait while the child tells of each file that it took; return what went wrong, if anything."""
    while True:
        if not does_answer(ours, PAGE_SECONDS):
            return TOO_LONG
        line = ours.recv(_LONGEST_MESSAGE)
        if not line:
            return BROKE_DOWN
        told: dict[str, Any] = json.loads(line)
        if "refused" in told:
            raise Refused(*told["refused"])
        if "system" in told:
            raise OSError(*told["system"])
        if told.get("is_done"):
            return ""


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()


def main() -> None:
    """Take apart what the parent names, under limits of memory and time."""
    from splitter.copying.unfolding import unfold

    with socket.socket(fileno=int(sys.argv[1])) as parent:
        order = json.loads(parent.recv(_LONGEST_MESSAGE))
        path, to = Path(order["path"]), Path(order["to"])
        memory = MEMORY_BYTES + 4 * path.stat().st_size
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            with to.open("wb", buffering=_BLOCK) as file:
                unfold(
                    path, order["name"], file.write, folder=to.parent,
                    progress=lambda _: parent.sendall(b"{}"),
                )  # fmt: skip
                file.flush()
                os.fsync(file.fileno())
        except Refused as refusal:
            parent.send(to_line({"refused": [refusal.code, refusal.message]}))
        except OSError as failure:
            parent.send(to_line({"system": [failure.errno, failure.strerror, failure.filename]}))
        else:
            parent.send(to_line({"is_done": True}))


if __name__ == "__main__":
    main()
