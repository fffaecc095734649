"""Who is at work: the person, the machine and the process."""

from __future__ import annotations

import getpass
import os
import socket
from pathlib import Path

from database.runs import Holder


def person() -> str:
    """Return the login name of whoever started the command, for the audit list."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def this_process(who: str) -> Holder:
    return Holder(who, socket.gethostname(), os.getpid(), _started(os.getpid()))


def is_gone(holder: Holder) -> bool:
    """
    Tell whether a process of this machine has ended.

    A process number is used again sooner or later, so its start time is compared as well.
    """
    try:
        os.kill(holder.process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _started(holder.process) != holder.process_started


def _started(process: int) -> str:
    """Return when a process began, in the kernel's ticks since boot; empty where unknown."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ""
    return status.rpartition(")")[2].split()[19]
