"""Every table of the books: what a new database gets."""

from __future__ import annotations

import database.bank.tables
import database.checking.tables
import database.definitions.arrangements
import database.definitions.backups
import database.definitions.changes
import database.definitions.checkout
import database.definitions.desk
import database.definitions.identity
import database.definitions.in_force
import database.definitions.oidc
import database.definitions.texts  # noqa: F401 - they all belong to the same metadata
from database.tables import metadata

__all__ = ["metadata"]
