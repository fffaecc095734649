"""The table of what the office's pages set going in processes of their own."""

from __future__ import annotations

import sqlalchemy as sa

from database.tables import metadata
from database.types import Moment, one_of
from domain.desk_work import WorkKind, WorkState

desk_work = sa.Table(
    "desk_work",
    metadata,
    sa.Column("key", sa.String(32), primary_key=True),
    sa.Column("kind", one_of(WorkKind, "kind"), nullable=False),
    sa.Column("period", sa.String(20), nullable=False),
    sa.Column("bundle", sa.Text, nullable=False),  # "": what is staged
    sa.Column("who", sa.String(100), nullable=False),
    sa.Column("state", one_of(WorkState, "state"), nullable=False),
    sa.Column("owner", sa.Text, nullable=False, server_default=""),  # the process that does it
    sa.Column("began_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("code", sa.String(100), nullable=False, server_default=""),
    sa.Column("sentence", sa.Text, nullable=False, server_default=""),
    sa.Column("flow_run", sa.String(36), nullable=False, server_default=""),  # Prefect's
    sa.Column("figures", sa.Text, nullable=False, server_default=""),  # JSON, of a rehearsal
    sa.Column(
        "asked", sa.Text, nullable=False, server_default=""
    ),  # JSON, of a schedule: its groups
    sa.Index(None, "period", "began_at"),
)

# What the steps of a piece of work said, in their order; nothing of it is changed afterwards, so
# that a page which has read some of it goes on where it was.
desk_step = sa.Table(
    "desk_step",
    metadata,
    sa.Column("work", sa.ForeignKey("desk_work.key"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("step", sa.String(40), nullable=False),
    sa.Column("percent", sa.Integer, nullable=False, server_default="0"),
    sa.Column("sentence", sa.Text),  # what came of it; None: it goes on
)
