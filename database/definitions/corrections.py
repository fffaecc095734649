"""The tables of what was closed and changed afterwards: corrected bills, closes taken back."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from database.definitions.making import make_table
from database.types import Cents, Moment, one_of
from domain.corrections import Replacing

once_closed = make_table(
    "once_closed",  # every period that was ever closed, taken back or not; filled by a trigger
    sa.Column("period", sa.String(40), primary_key=True),
)

replaced_bill = make_table(
    "replaced_bill",  # what a bill was before another one took its place: its document is kept
    sa.Column("period", sa.String(40), sa.ForeignKey("once_closed.period"), primary_key=True),
    sa.Column("form", sa.String(40), primary_key=True),
    sa.Column("account_key", sa.String(64), primary_key=True),
    sa.Column("edition", sa.Integer, primary_key=True, autoincrement=False),  # 0: the first
    sa.Column("account", sa.String(64), nullable=False),
    sa.Column("amount_due", Cents, nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("pdf", sa.String(500), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("replaced_at", Moment, nullable=False),
    sa.Column("replaced_by", one_of(Replacing, "replaced_by"), nullable=False),
    sa.Index(None, "account_key"),
)

correction = make_table(
    "correction",  # a closed bill made anew; the difference is a balance entry
    sa.Column("period", sa.String(40), sa.ForeignKey("once_closed.period"), primary_key=True),
    sa.Column("account_key", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("account", sa.String(64), nullable=False),
    sa.Column("form", sa.String(40), nullable=False),
    sa.Column("edition", sa.Integer, nullable=False),  # of the bill that it made
    sa.Column("amount_due", Cents, nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("closing_balance", Cents, nullable=False),
    sa.Column("amount_before", Cents, nullable=False),
    sa.Column("due_before", sa.Date, nullable=False),
    sa.Column("entry_key", sa.String(200), sa.ForeignKey("balance_entry.key")),  # NULL: no change
    sa.Column("export_name", sa.String(255), nullable=False),
    sa.Column("export_sha256", sa.String(64), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("corrected_at", Moment, nullable=False),
    sa.Column("corrected_by", sa.String(100), nullable=False),
    sa.Column("said", sa.JSON, nullable=False),  # sentences: what became of payment, mail, paper
    sa.Column("undone", sa.Integer),  # by which undo of the period; NULL: it stands
    sa.Index(None, "account_key"),
)

period_undo = make_table(
    "period_undo",  # closes that were taken back
    sa.Column("period", sa.String(40), sa.ForeignKey("once_closed.period"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("closed_at", Moment, nullable=False),
    sa.Column("closed_by", sa.String(100), nullable=False),
    sa.Column("undone_at", Moment, nullable=False),
    sa.Column("undone_by", sa.String(200), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("figures", sa.JSON, nullable=False),  # what was taken back and what stands
    sa.Column("files_removed_at", Moment),  # NULL: its print batches may still lie there
)


def remembering_statements(dialect: str) -> tuple[str, ...]:
    """
    Return the statements by which each close is remembered for ever, for a kind of database.

    Payments and mails of a close stay when it is taken back, so they refer to this; the close
    itself is the row in period_close, which an undo removes.
    """
    if dialect != "postgresql":
        return (
            "CREATE TRIGGER period_close_remembered BEFORE INSERT ON period_close "
            "BEGIN INSERT OR IGNORE INTO once_closed (period) VALUES (NEW.period); END",
        )
    return (
        """CREATE OR REPLACE FUNCTION remember_close() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN
    INSERT INTO once_closed (period) VALUES (NEW.period) ON CONFLICT DO NOTHING;
    RETURN NEW;
END$$""",
        "CREATE TRIGGER period_close_remembered BEFORE INSERT ON period_close "
        "FOR EACH ROW EXECUTE FUNCTION remember_close()",
    )


def remember_closes(period_close: sa.Table) -> None:
    """Put the trigger on the table of closes whenever it is created."""

    @sa.event.listens_for(period_close, "after_create")
    def _remember(_table: sa.Table, books: sa.Connection, **_options: Any) -> None:
        for statement in remembering_statements(books.dialect.name):
            books.exec_driver_sql(statement)
