"""The ledger's tables: entries that are only ever added, and what they came from."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.definitions.making import index_where, make_table
from database.ledger.guards import guard_statements
from database.types import Cents, Moment, Number, one_of
from domain.ledger import ContainedBy, EntryKind, EntrySource

KEY = 200  # letters of an entry's key: of a draw's, an event's or a movement's


def _id(name: str) -> sa.Column[Any]:
    return sa.Column(name, Number, primary_key=True, autoincrement=True)


balance_entry = make_table(
    "balance_entry",  # append-only: only told_at, in_export_of and how are ever changed
    sa.Column("key", sa.String(KEY), primary_key=True),
    sa.Column("account_key", sa.String(64), nullable=False),
    sa.Column("kind", one_of(EntryKind, "kind"), nullable=False),
    sa.Column("amount", Cents, nullable=False),  # what it does to the balance
    sa.Column("counts", sa.Boolean, nullable=False),  # in the balance due (rule 39)
    sa.Column("happened_on", sa.Date, nullable=False),  # local day
    sa.Column("happened_at", Moment),  # NULL: only the day is known
    sa.Column("recorded_at", Moment, nullable=False),
    sa.Column("recorded_by", sa.String(100), nullable=False),
    sa.Column("source", one_of(EntrySource, "source"), nullable=False),
    sa.Column("reference", sa.String(100)),  # the gateway's confirmation, or the feed's reference
    sa.Column("payment_key", sa.String(120)),  # what payment, return and refund share
    sa.Column("line", sa.Integer, nullable=False, server_default="1"),  # of that payment
    sa.Column("told_at", Moment),  # the billing system surely had it then
    sa.Column("in_export_of", sa.String(40), sa.ForeignKey("once_closed.period")),  # NULL: none yet
    sa.Column("how", one_of(ContainedBy, "how")),
    sa.CheckConstraint("amount <> 0", name="amount_moves"),
    sa.CheckConstraint("(in_export_of IS NULL) = (how IS NULL)", name="contained_by"),
    sa.Index(None, "account_key", "happened_on"),
    index_where("ix_balance_entry_outstanding", "account_key", "in_export_of IS NULL"),
    index_where("ix_balance_entry_reference", "reference", "reference IS NOT NULL"),
)


feed_file = make_table(
    "feed_file",  # each delivery of the billing system between two exports
    _id("number"),
    sa.Column("sequence", sa.Integer),  # theirs; NULL: they give none, and none can be missed
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("written_at", Moment, nullable=False),
    sa.Column("received_at", Moment, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("movements", sa.Integer, nullable=False),
    sa.Column("amount", Cents, nullable=False),
    sa.Column("taken_in_at", Moment),  # NULL: not all of it is in the books yet
    sa.UniqueConstraint("sequence"),
    sa.Index(None, "sha256"),
)

entry_told = make_table(
    "entry_told",  # movements of the feed that are entries of ours come back
    sa.Column("movement_id", sa.String(100), primary_key=True),
    sa.Column("entry_key", sa.String(KEY), sa.ForeignKey("balance_entry.key"), nullable=False),
    sa.Column("amount", Cents, nullable=False),
    sa.Column("feed", sa.BigInteger, sa.ForeignKey("feed_file.number"), nullable=False),
    sa.Index(None, "entry_key"),
)

payment_event = make_table(
    "payment_event",  # what became of a draw that was approved: as many as happen
    sa.Column("event_id", sa.String(160), primary_key=True),  # the gateway's, or refund/PAYMENT/n
    sa.Column("draw_key", sa.String(140), sa.ForeignKey("draw.key"), nullable=False),
    sa.Column("kind", one_of(EntryKind, "kind"), nullable=False),
    sa.Column("amount", Cents, nullable=False),
    sa.Column("code", sa.String(60), nullable=False),
    sa.Column("fee", Cents, nullable=False),  # the gateway's own for a dispute: the office's cost
    sa.Column("happened_at", Moment, nullable=False),
    sa.Column("answer_by", Moment),  # of a dispute, at the gateway; empty where it does not say
    sa.Column("recorded_at", Moment, nullable=False),
    sa.CheckConstraint("amount > 0", name="amount_positive"),
    sa.Index(None, "draw_key"),
)

account_change = make_table(
    "account_change",  # what the billing system changed on an account since its export
    _id("id"),
    sa.Column("account_key", sa.String(64), nullable=False),
    sa.Column("field", sa.String(40), nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("told_at", Moment, nullable=False),
    sa.Column("feed", sa.BigInteger, sa.ForeignKey("feed_file.number"), nullable=False),
    sa.Index(None, "account_key", "field"),
)

entry_plan = make_table(
    "entry_plan",  # what a check found of each entry; the close decides anew under its lock
    sa.Column(
        "period",
        sa.String(40),
        sa.ForeignKey("bill_run.period", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("entry_key", sa.String(KEY), sa.ForeignKey("balance_entry.key"), primary_key=True),
    sa.Column("how", one_of(ContainedBy, "how")),  # NULL: carried over
)

told_address = make_table(
    "told_address",  # the addresses of a changed e-mail field, split as an export's are
    sa.Column("change", sa.BigInteger, sa.ForeignKey("account_change.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("fault", sa.String(200)),  # why it is no address; NULL: it is one
)

boundary_finding = make_table(
    "boundary_finding",  # what of an export and our entries does not agree, for the checks
    sa.Column(
        "period",
        sa.String(40),
        sa.ForeignKey("bill_run.period", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("code", sa.String(40), nullable=False),  # the check's name
    sa.Column("account_key", sa.String(64), nullable=False),
    sa.Column("happened_on", sa.Date, nullable=False),
    sa.Column("amount", Cents, nullable=False),  # ours
    sa.Column("booked", Cents),  # theirs, where it is another one
    sa.Column("reference", sa.String(100), nullable=False),
    sa.Column("reason", sa.String(200), nullable=False),
    sa.Column("blocks", sa.Boolean, nullable=False),
)


@sa.event.listens_for(balance_entry, "after_create")
@sa.event.listens_for(account_change, "after_create")
def _guard(table: sa.Table, connection: sa.Connection, **_options: Any) -> None:
    for statement in guard_statements(connection.dialect.name, table.name):
        connection.exec_driver_sql(statement)
