"""The tables of what staff changed in the office's own texts and settings, and what was before."""

from __future__ import annotations

import sqlalchemy as sa

from database.tables import metadata
from database.types import Moment, Number

# What holds are the files of the home: templates/ and billclose.toml. These rows are their past.
template_change = sa.Table(
    "template_change",
    metadata,
    sa.Column("number", Number, primary_key=True),
    sa.Column("file", sa.String(200), nullable=False),  # below templates/, `utility-bill.txt`
    sa.Column("text", sa.Text),  # None: back to the text that comes with the program
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("changed_by", sa.String(100), nullable=False),
    sa.Index(None, "file", "number"),
)

setting_change = sa.Table(
    "setting_change",
    metadata,
    sa.Column("number", Number, primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),  # `reminders.days_before_due`
    sa.Column("before", sa.Text),  # JSON; None: it stood at its default
    sa.Column("after", sa.Text),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("changed_by", sa.String(100), nullable=False),
    sa.Index(None, "name", "number"),
)
