"""Books that are kept from test to test."""

from __future__ import annotations

from tests.database.conftest import database, kept_postgres

__all__ = ["database", "kept_postgres"]
