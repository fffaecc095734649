"""Files for their owner's eyes alone, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PRIVATE = 0o600


@contextmanager
def replacing(file: Path) -> Iterator[BinaryIO]:
    """Write a file anew; whoever reads it sees the old one or the new one, whole."""
    half = file.with_name(f".{file.name}.half")  # one name, so that the next one overwrites it
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(half, flags, PRIVATE), "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        half.replace(file)
    finally:
        half.unlink(missing_ok=True)
