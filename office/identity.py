"""Who is at work, for the audit list."""

from __future__ import annotations

import getpass
import os


def person() -> str:
    """Return the login name of whoever started the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
