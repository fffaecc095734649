"""Who is at work, for the audit list and for four eyes."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

LOGIN = Path("/proc/self/loginuid")  # kept by Linux since the login; sudo and su leave it alone
NOBODY = 2**32 - 1  # a service, or a container: nobody logged in


PROCESSES = Path("/proc")


def person() -> str:
    """
    Return the login name of whoever started the command.

    The home belongs to one user, whom several clerks become with sudo: what counts is who logged
    in. Where Linux does not say (a container, a service), it is who called sudo, if sudo started
    us, else the user.
    """
    return _logged_in() or _by_sudo() or _user()


def origin() -> str:
    """
    Return the machine's user where nothing proves who is at work, else "".

    A variable of the environment proves nothing and names nobody: everybody can set SUDO_USER or
    LOGNAME. Two people with one user are one person then, as far as four eyes go.
    """
    return "" if _logged_in() or _by_sudo() else f"uid {os.getuid()}"


def _by_sudo() -> str | None:
    """
    Return who called sudo, where sudo itself started this command.

    That is the user of the process before it, which nobody but the system can set; sudo is known
    by its name and by being root's.
    """
    parent = _process(os.getppid())
    if parent is None or not parent.is_sudo:
        return None
    while parent is not None and parent.is_sudo:  # sudo may watch over a second one of itself
        parent = _process(parent.parent)
    try:
        return None if parent is None else pwd.getpwuid(parent.user).pw_name
    except KeyError:
        return None


@dataclass(frozen=True, slots=True)
class _Process:
    name: str
    parent: int
    user: int  # the real one
    effective_user: int

    @property
    def is_sudo(self) -> bool:
        return self.name == "sudo" and self.effective_user == 0


def _process(number: int) -> _Process | None:
    try:
        lines = (PROCESSES / str(number) / "status").read_text("utf-8").splitlines()
        told = dict(line.split(":", 1) for line in lines if ":" in line)
        users = told["Uid"].split()
        return _Process(told["Name"].strip(), int(told["PPid"]), int(users[0]), int(users[1]))
    except (OSError, ValueError, KeyError, IndexError):  # gone, hidden, or not Linux
        return None


def _logged_in() -> str | None:
    try:
        number = int(LOGIN.read_text("ascii"))
        return None if number == NOBODY else pwd.getpwuid(number).pw_name
    except (OSError, ValueError, KeyError):  # not Linux, or a user whom no list names
        return None


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user whom no list names
        return f"uid {os.getuid()}"
