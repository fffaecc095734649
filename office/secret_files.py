"""Secrets that a home keeps: each in a file of its own, for its owner's eyes alone."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

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
