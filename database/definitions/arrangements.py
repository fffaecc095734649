"""The tables of payment arrangements: what was agreed, and how it ended; payments are no part."""

from __future__ import annotations

import sqlalchemy as sa

from database.definitions.making import make_table, one_where
from database.types import Cents, Moment, Number, one_of
from domain.arrangements import ArrangementState

arrangement = make_table(
    "arrangement",
    sa.Column("number", Number, primary_key=True, autoincrement=True),
    sa.Column("account_key", sa.String(64), nullable=False),
    sa.Column("account", sa.String(64), nullable=False),
    sa.Column("period", sa.String(40), nullable=False),  # of the bill that the balance stood with
    sa.Column("timezone", sa.String(64), nullable=False),
    sa.Column("state", one_of(ArrangementState, "state"), nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("made_by", sa.String(100), nullable=False),
    sa.Column("made_from", sa.String(100), nullable=False, server_default=""),  # a machine's user
    sa.Column("by_customer", sa.Boolean, nullable=False),
    sa.Column("in_force_at", Moment),  # NULL: it never was
    sa.Column("approved_by", sa.String(100), nullable=False, server_default=""),
    sa.Column("ended_at", Moment),
    sa.Column("ended_by", sa.String(100), nullable=False, server_default=""),
    sa.Column("end_reason", sa.String(500), nullable=False, server_default=""),
    sa.Column("paid_at_end", Cents),
    sa.CheckConstraint("(state IN ('waiting', 'in-force')) = (ended_at IS NULL)", name="ended"),
    sa.Index(None, "account_key"),
    sa.Index(None, "state"),
    one_where("one_standing_arrangement", "account_key", "state IN ('waiting', 'in-force')"),
)

arrangement_installment = make_table(
    "arrangement_installment",
    sa.Column("arrangement", sa.ForeignKey(arrangement.c.number), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),  # of its grace
    sa.Column("amount", Cents, nullable=False),
    sa.CheckConstraint("amount > 0", name="amount_positive"),
    sa.CheckConstraint("last_day >= due_on", name="last_day_not_before"),
)
