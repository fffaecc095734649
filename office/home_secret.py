"""The home's secret: what our signatures are made with, so that nobody can forge a bounce."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from domain.failures import Misuse

FILE = "bounces.secret"
OCTETS = 32


def make_secret(home: Path) -> None:
    """Make the secret of a home that has none, for its owner's eyes alone; one there stays."""
    place = home / FILE
    beside = home / f"{FILE}.{os.getpid()}"
    if place.exists():
        place.chmod(0o600)
        return
    opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(OCTETS) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        with contextlib.suppress(FileExistsError):  # somebody else was faster: his it is
            place.hardlink_to(beside)  # whole or not at all, and never over another
    finally:
        beside.unlink()


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
