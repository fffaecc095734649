"""Files of the bill store that go along with a mail."""

from __future__ import annotations

from collections.abc import Callable

from domain.failures import PermanentFailure, TemporaryFailure


def read_stored(read: Callable[[str], bytes], path: str, missing: str) -> bytes:
    """Read a file; raises PermanentFailure with `missing`, and TemporaryFailure for the store."""
    try:
        return read(path)
    except FileNotFoundError:
        raise PermanentFailure(f"{missing} is not in the bill store") from None
    except OSError as failure:
        raise TemporaryFailure(f"the bill store failed: {type(failure).__name__}") from None
