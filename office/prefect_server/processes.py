"""Processes that we start: their logs, and that none of them outlives us."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.failures import Misuse, PermanentFailure

PARENT_DEATH_SIGNAL = 1  # prctl(2): PR_SET_PDEATHSIG
STOP_SECONDS = 10


def die_with_parent() -> None:
    """Ask the kernel to end this process with its parent, and give it the usual signals back."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def stop(process: subprocess.Popen[bytes] | None, how: int = signal.SIGTERM) -> None:
    """Ask a child to end, and see that it does."""
    if process is None:
        return
    process.send_signal(how)
    try:
        process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def alone(lock: Path, sentence: str) -> Iterator[None]:
    """
    Hold a lock as long as this process lives; raises Misuse with the sentence where another does.

    The kernel gives it back, however the process ends.
    """
    lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with lock.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Misuse(sentence, "already-up") from None
        yield


OFTEN, WITHIN_SECONDS = 3, 60.0
ORPHAN_SECONDS = 3.0
CHILD_SUBREAPER = 36  # prctl(2): PR_SET_CHILD_SUBREAPER


class Kept:
    """One child, and when it had to be started again."""

    def __init__(
        self,
        name: str,
        process: Callable[[], subprocess.Popen[bytes] | None],
        start_again: Callable[[], None],
    ) -> None:
        self.name = name
        self._process = process
        self._start_again = start_again
        self._deaths: list[float] = []

    def look(self) -> str:
        """
        Start the child again if it died, and return the sentence that says so, empty if it lives.

        Raises PermanentFailure where it died too often: something is wrong that a start does not
        cure.
        """
        process = self._process()
        status = None if process is None else process.poll()
        if status is None:
            return ""
        now = time.monotonic()
        self._deaths = [died for died in self._deaths if now - died < WITHIN_SECONDS] + [now]
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        if len(self._deaths) > OFTEN:
            raise PermanentFailure(
                f"{self.name} {how}, {len(self._deaths)} times within a minute, so everything was "
                "stopped; see prefect/server.log in the home and what was printed above."
            )
        self._start_again()
        return f"{self.name} {how}; it is started again."


def adopt_orphans() -> None:
    """Have grandchildren whose parent was killed become our children, so that none is left."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(CHILD_SUBREAPER, 1)


def end_orphans() -> None:
    """End whatever child is left, such as a flow run whose parent was killed."""
    if sys.platform != "linux":
        return
    for how in (signal.SIGTERM, signal.SIGKILL):
        end = time.monotonic() + ORPHAN_SECONDS
        for child in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, how)
        while _bury() and time.monotonic() < end:
            time.sleep(0.05)


def _children() -> Iterator[int]:
    for place in Path("/proc/self/task").iterdir():
        yield from map(int, (place / "children").read_text().split())


def _bury() -> bool:
    """Take the status of every child that ended; tell whether one still runs."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True
