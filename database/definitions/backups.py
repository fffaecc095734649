"""The table of the backups that were made whole."""

from __future__ import annotations

import sqlalchemy as sa

from database.tables import metadata
from database.types import Moment

backup_made = sa.Table(
    "backup_made",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", Moment, nullable=False, index=True),
    sa.Column("who", sa.String(100), nullable=False),
    sa.Column("file", sa.String(255), nullable=False),  # its name alone: places are the office's
    sa.Column("size", sa.BigInteger, nullable=False),  # bytes
)
