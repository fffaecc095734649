"""Memory that is free, and that the system does not get back by itself."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

from sqlalchemy.engine import Connection


def give_back_memory() -> None:
    """
    Give the system back what has been freed.

    The C library keeps it for later, between the little that is still used: after the import of
    a large city that is more than any step needs. Elsewhere than with glibc nothing is done.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


def forget_pages(books: Connection) -> None:
    """Let a connection forget the pages that it has read, where the books are a file."""
    if books.dialect.name == "sqlite":
        books.exec_driver_sql("PRAGMA shrink_memory")


@cache
def _trim() -> Any:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
