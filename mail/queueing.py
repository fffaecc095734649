"""What has to be sent, recorded before anything is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from database.books import Database
from database.tables import account, bill, delivery, delivery_plan, held_account, recipient
from domain.accounts import AccountStatus
from domain.deliveries import MessageKind
from mail.keys import delivery_key, message_id
from mail.states import DELIVERY

CHUNK = 2_000  # rows in memory at a time


def queue_bills(database: Database, run: str, *, now: datetime, message_domain: str) -> int:
    """
    Record one delivery for each bill and mailbox of a closed run; return how many are new.

    Who gets one: paperless accounts (rules 20, 28) that are not closed and not held out by a
    waived check, with exactly one bill of the form. All are recorded in one transaction or none,
    and recording twice is recording once. A run that is not closed is refused by the foreign key
    to period_close (rule 2): the database raises IntegrityError.
    """
    recorded = 0
    with database.writing() as connection:
        owed = connection.execute(_bills_owed(run).execution_options(yield_per=CHUNK))
        for rows in owed.partitions():
            recorded += _record(connection, _to_deliveries(rows, now, message_domain))
    return recorded


def _bills_owed(run: str) -> sa.Select[Any]:
    other = bill.alias("other")
    is_duplicate = sa.exists().where(
        other.c.run == bill.c.run,
        other.c.form == bill.c.form,
        other.c.account_key == bill.c.account_key,
        other.c.ordinal != bill.c.ordinal,
    )
    is_held = sa.exists().where(
        held_account.c.run == bill.c.run, held_account.c.account_key == bill.c.account_key
    )
    same_account = [
        sa.and_(table.c.run == bill.c.run, table.c.account_key == bill.c.account_key)
        for table in (account, delivery_plan, recipient)
    ]
    return (
        sa.select(
            bill.c.run,
            bill.c.form,
            bill.c.account_key,
            account.c.account,
            recipient.c.mailbox,
            recipient.c.address,
            recipient.c.source,
        )
        .join(account, same_account[0])
        .join(delivery_plan, same_account[1])
        .join(recipient, same_account[2])
        .where(
            bill.c.run == run,
            delivery_plan.c.paperless,
            account.c.status != AccountStatus.CLOSED,
            ~is_duplicate,
            ~is_held,
        )
    )


def _to_deliveries(
    rows: Iterable[sa.Row[Any]], now: datetime, message_domain: str
) -> Iterator[dict[str, Any]]:
    for row in rows:
        key = delivery_key(MessageKind.BILL, row.run, row.form, row.account, row.mailbox)
        yield {
            "key": key,
            "run": row.run,
            "account_key": row.account_key,
            "account": row.account,
            "kind": MessageKind.BILL,
            "form": row.form,
            "address": row.address,
            "source": row.source,
            "status": DELIVERY.start,
            "message_id": message_id(key, message_domain),
            "attempts": 0,
            "queued_at": now,
            "next_try_at": now,
            "possible_duplicate": False,
        }


def _record(connection: Connection, rows: Iterable[dict[str, Any]]) -> int:
    """Insert what is not there yet; another delivery's Message-ID is still an error."""
    insert: Any
    if connection.dialect.name == "postgresql":
        insert = postgresql.insert(delivery).on_conflict_do_nothing(index_elements=["key"])
    else:
        insert = sqlite.insert(delivery).on_conflict_do_nothing(index_elements=["key"])
    options = {"preserve_rowcount": True}  # of an executemany, which PostgreSQL's driver sums up
    return connection.execute(insert, list(rows), execution_options=options).rowcount
