"""Every table of the books: what a new database gets."""

from __future__ import annotations

import database.identity_tables  # noqa: F401 - its tables belong to the same metadata
from database.tables import metadata

__all__ = ["metadata"]
