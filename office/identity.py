"""Who is at work, for the audit list and for four eyes."""

from __future__ import annotations

import getpass
import os
import pwd
from pathlib import Path

LOGIN = Path("/proc/self/loginuid")  # kept by Linux since the login; sudo and su leave it alone
NOBODY = 2**32 - 1  # a service, or a container: nobody logged in


def person() -> str:
    """
    Return the login name of whoever started the command.

    The home belongs to one user, whom several clerks become with sudo: what counts is who logged
    in. Where Linux does not say, it is whom sudo names, else the user.
    """
    return _logged_in() or os.environ.get("SUDO_USER") or _user()


def _logged_in() -> str | None:
    try:
        number = int(LOGIN.read_text("ascii"))
        return None if number == NOBODY else pwd.getpwuid(number).pw_name
    except (OSError, ValueError, KeyError):  # not Linux, or a user whom no list names
        return None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
