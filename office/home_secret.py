"""The home's secret: what our signatures are made with, so that nobody can forge a bounce."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from domain.failures import Misuse
from office.secret_files import keep

FILE = "bounces.secret"
OCTETS = 32


def make_secret(home: Path) -> None:
    """Make the secret of a home that has none, for its owner's eyes alone; one there stays."""
    keep(home / FILE, secrets.token_hex(OCTETS))


def read_secret(home: Path) -> bytes:
    """Return the secret; raises Misuse where it is missing or spoiled."""
    try:
        found = bytes.fromhex((home / FILE).read_text("ascii"))
    except (OSError, ValueError):
        found = b""
    if len(found) != OCTETS:
        raise Misuse(
            f"{home / FILE} is missing or spoiled, so smtp.bounces cannot be used; put it back "
            f"from the backup, or remove it and run `billclose --home {home} init`.",
            "no-secret",
        )
    return found


def secret_for(home: Path, purpose: str) -> bytes:
    """Return a secret derived for one purpose: what it signs proves nothing for another."""
    return hmac.digest(read_secret(home), purpose.encode(), hashlib.sha256)
