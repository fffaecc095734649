"""What the bank's files say: each file once, each line once, whatever file it came in."""

from __future__ import annotations

import sqlalchemy as sa

from database.tables import metadata
from database.types import Cents, Moment

bank_file = sa.Table(
    "bank_file",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("format", sa.String(10), nullable=False),
    sa.Column("first_on", sa.Date),  # the days that it tells of; None: it has no line
    sa.Column("last_on", sa.Date),
    sa.Column("lines", sa.Integer, nullable=False),
    sa.Column("taken_in_at", Moment, nullable=False),
    sa.Column("taken_in_by", sa.String(100), nullable=False),
)

bank_line = sa.Table(
    "bank_line",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),  # of what it says: files may overlap
    sa.Column("file", sa.ForeignKey("bank_file.sha256"), nullable=False),
    sa.Column("row", sa.Integer, nullable=False),
    sa.Column("bank_account", sa.String(8), nullable=False),  # the last four alone
    sa.Column("posted_on", sa.Date, nullable=False),
    sa.Column("amount", Cents, nullable=False),
    sa.Column("reference", sa.String(100), nullable=False),
    sa.Column("text", sa.String(300), nullable=False),
    sa.Index(None, "posted_on"),
)
