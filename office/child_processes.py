"""Processes that we start: their logs, and that none of them outlives us."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

PARENT_DEATH_SIGNAL = 1  # prctl(2): PR_SET_PDEATHSIG
STOP_SECONDS = 10
LOG_BYTES = 10_000_000


def turn_over(log: Path) -> None:
    """
    Begin a log anew that has grown large, and keep the one before.

    Copied and emptied rather than renamed: the process that writes it has it open.
    """
    if log.is_file() and log.stat().st_size > LOG_BYTES:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)


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
