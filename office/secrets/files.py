"""Secrets that a home keeps: each in a file of its own, for its owner's eyes alone."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from domain.failures import Misuse

PRIVATE = 0o600


def keep(place: Path, secret: str) -> None:
    """Write a secret down whole or not at all; one that is there stays, and becomes private."""
    if place.exists():
        place.chmod(PRIVATE)
        return
    beside = place.with_name(f"{place.name}.{os.getpid()}")
    opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    with os.fdopen(opened, "w", encoding="ascii") as file:
        file.write(f"{secret}\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        with contextlib.suppress(FileExistsError):  # somebody else was faster: his it is
            place.hardlink_to(beside)
    finally:
        beside.unlink()


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
