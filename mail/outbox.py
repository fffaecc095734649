"""The recorded deliveries: who sends which, and how many there are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.counting import count_by
from database.tables import delivery, suppressed_address
from domain.deliveries import DeliveryStatus, MessageKind
from mail.due import is_due, sendable
from mail.states import DELIVERY


@dataclass(frozen=True, slots=True)
class Delivery:
    """One recorded delivery that this worker has claimed."""

    key: str
    run: str | None
    account_key: str
    account: str
    kind: MessageKind
    form: str
    address: str
    message_id: str
    attempts: int  # finished ones
    queued_at: datetime
    possible_duplicate: bool

    @property
    def mailbox(self) -> str:
        return self.address.casefold()

    @property
    def about(self) -> str:
        """What it is about, as its key has it: a period, a due date."""
        return unquote(self.key.split("/")[1])


COLUMNS = [delivery.c[name] for name in Delivery.__dataclass_fields__]


def claim(
    database: Database,
    owner: str,
    now: datetime,
    limit: int,
    lease: timedelta,
    *,
    kinds: Collection[MessageKind] = tuple(MessageKind),
    resend_in_doubt: bool = True,
) -> list[Delivery]:
    """
    Take up to `limit` due deliveries of some kinds for this owner until the lease runs out.

    Several workers may claim at once and never get the same row. What is sent again after a
    doubt is flagged a possible duplicate; without `resend_in_doubt` it waits for a person. What
    was recorded for a mailbox that has been suppressed since then fails here.
    """
    claimed: list[Delivery] = []
    with database.writing() as connection:
        for status in sendable(resend_in_doubt=resend_in_doubt):
            while room := limit - len(claimed):
                due = _due(status, now, kinds).limit(room)
                rows = [Delivery(*row) for row in connection.execute(due)]
                welcome = _without_suppressed(connection, status, rows)
                claimed += _take(connection, status, welcome, owner, now + lease)
                if len(rows) < room:
                    break
    return claimed


def _due(status: DeliveryStatus, now: datetime, kinds: Collection[MessageKind]) -> sa.Select[Any]:
    """Lock rows that nobody else holds."""
    return (
        sa.select(*COLUMNS)
        .where(is_due(status, now, kinds))
        .order_by(delivery.c.next_try_at)
        .with_for_update(skip_locked=True)
    )


def _without_suppressed(
    connection: Connection, status: DeliveryStatus, rows: list[Delivery]
) -> list[Delivery]:
    """Fail what goes to a mailbox that is written to no more; return the rest."""
    mailbox = suppressed_address.c.mailbox
    query = sa.select(mailbox).where(mailbox.in_([row.mailbox for row in rows]))
    suppressed = set(connection.scalars(query))
    if suppressed:
        keys = [row.key for row in rows if row.mailbox in suppressed]
        changes = {
            "status": DELIVERY.after(status, "suppressed"),
            "error": "nothing is sent to this mailbox any more: it is suppressed",
        }
        connection.execute(delivery.update().where(delivery.c.key.in_(keys)).values(changes))
    return [row for row in rows if row.mailbox not in suppressed]


def _take(
    connection: Connection,
    status: DeliveryStatus,
    rows: list[Delivery],
    owner: str,
    until: datetime,
) -> list[Delivery]:
    """
    Update locked rows by key: a second step.

    In one statement PostgreSQL may lock more rows than the limit, or wait for another worker.
    """
    changes: dict[str, Any] = {
        "status": DELIVERY.after(status, "claimed"),
        "lease_owner": owner,
        "lease_until": until,
    }
    if status is DeliveryStatus.IN_DOUBT:
        changes["possible_duplicate"] = True
        rows = [replace(row, possible_duplicate=True) for row in rows]
    if rows:
        keys = [row.key for row in rows]
        connection.execute(delivery.update().where(delivery.c.key.in_(keys)).values(changes))
    return rows


def counts(database: Database, run: str) -> dict[DeliveryStatus, int]:
    """Count a run's deliveries by status; every status is there."""
    return count_by_status(database, delivery.c.run == run)


def count_by_status(
    database: Database, *which: sa.ColumnElement[bool]
) -> dict[DeliveryStatus, int]:
    """Count deliveries by status; every status is there."""
    with database.reading() as connection:
        found = count_by(connection, delivery.c.status, *which)
    return {status: found.get(status, 0) for status in DeliveryStatus}


def count_possible_duplicates(database: Database, run: str) -> int:
    """Count a run's deliveries that were sent and may have arrived twice."""
    query = sa.select(sa.func.count()).where(
        delivery.c.run == run,
        delivery.c.status == DeliveryStatus.SENT,
        delivery.c.possible_duplicate,
    )
    with database.reading() as connection:
        return connection.execute(query).scalar_one()
