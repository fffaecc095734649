"""How a Prefect server is reached: its address, and the words that open it."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from office.secrets.files import keep
from office.secrets.redaction import remember

ANNOUNCEMENT = "server.url"
FILE = "prefect.secret"
USER = "office"
OCTETS = 24


@dataclass
class _Here:
    """Where the home that was read last has its Prefect server."""

    home: Path = Path()
    api_url: str = ""
    auth: str = ""


_here = _Here()


def choose_access(home: Path, api_url: str, auth: str) -> None:
    """Say by which home, and which of its settings, this process reaches a server."""
    _here.home, _here.api_url, _here.auth = home, api_url, auth


def current_address() -> str:
    """Return where a server answers: by the environment, the settings, or a running `up`."""
    return os.environ.get("PREFECT_API_URL", "") or _here.api_url or announced(_here.home)


def current_auth() -> str:
    """Return what opens it; empty where nothing is known."""
    return known_auth(_here.home, _here.auth)


def make_auth(home: Path) -> None:
    """Make what opens the Prefect server of a home, for its owner's eyes alone; one there stays."""
    keep(home / FILE, f"{USER}:{secrets.token_urlsafe(OCTETS)}")


def auth_of(home: Path, chosen: str = "") -> str:
    """
    Return name:password of the home's own Prefect server.

    What the settings say comes first, then the home's own; a home that an older release made
    gets one now.
    """
    if not chosen:
        make_auth(home)
        chosen = (home / FILE).read_text("ascii").strip()
    remember([chosen, chosen.partition(":")[2]])
    return chosen


def known_auth(home: Path, chosen: str = "") -> str:
    """
    Return what opens a server that is running: as set, as Prefect's own setting says, or ours.

    Empty where nothing is known.
    """
    with contextlib.suppress(OSError):
        set_by_hand = chosen or os.environ.get("PREFECT_API_AUTH_STRING", "")
        return set_by_hand or (home / FILE).read_text("ascii").strip()
    return ""


def announced(home: Path) -> str:
    """Return the address that `billclose up` left in the home, empty where there is none."""
    try:
        return (home / "prefect" / ANNOUNCEMENT).read_text().strip()
    except OSError:
        return ""


def authorization(auth: str) -> dict[str, str]:
    """Return the header that opens a server; none where nothing has to be said."""
    if not auth:
        return {}
    return {"Authorization": f"Basic {base64.b64encode(auth.encode()).decode('ascii')}"}
