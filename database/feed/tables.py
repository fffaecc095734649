"""The tables beside the feed's files: gaps that were accepted, findings, customers' choices."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.definitions.making import make_table
from database.types import Moment, Number, one_of
from domain.feeds import ChoiceState


def _number() -> sa.Column[Any]:
    return sa.Column("number", Number, primary_key=True, autoincrement=True)


feed_gap = make_table(
    "feed_gap",  # numbers that never came, and that a person has accepted
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("accepted_at", Moment, nullable=False),
    sa.Column("accepted_by", sa.String(100), nullable=False),
)

feed_finding = make_table(
    "feed_finding",  # what a person must see of a file; an exception until it is settled
    _number(),
    sa.Column("feed", sa.BigInteger, sa.ForeignKey("feed_file.number"), nullable=False),
    sa.Column("place", sa.String(160), nullable=False),  # a movement's id, or a file and row
    sa.Column("code", sa.String(40), nullable=False),
    sa.Column("account_key", sa.String(64), nullable=False),
    sa.Column("account", sa.String(64), nullable=False),
    sa.Column("entry_key", sa.String(200)),  # of what does not count until a person decides
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("found_at", Moment, nullable=False),
    sa.Column("settled_at", Moment),
    sa.Column("settled_by", sa.String(100)),
    sa.Column("settled_as", sa.Text),
    sa.UniqueConstraint("feed", "place", "code"),
)

customer_choice = make_table(
    "customer_choice",  # what a customer chose with us, on its way to the billing system
    _number(),
    sa.Column("account_key", sa.String(64), nullable=False),
    sa.Column("account", sa.String(64), nullable=False),
    sa.Column("field", sa.String(40), nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("by", sa.String(200), nullable=False),
    sa.Column("state", one_of(ChoiceState, "state"), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("next_try_at", Moment, nullable=False),
    sa.Column("told_at", Moment),
    sa.Column("answered_at", Moment),
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Index(None, "account_key", "field"),
    sa.Index(None, "state", "next_try_at"),
)
