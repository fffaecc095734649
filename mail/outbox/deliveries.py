"""The recorded deliveries: who sends which, and how many there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.counting import count_by
from database.queries.outsorted import is_outsorted
from database.tables import delivery, suppressed_address
from domain.deliveries import SENDING_MOVES, WAITING, DeliveryStatus, MessageKind
from domain.states import Transitions
from mail.keys import about_of
from mail.port import MailOutcome, Result

DELIVERY = Transitions(
    "delivery",
    start=DeliveryStatus.QUEUED,
    moves={
        **SENDING_MOVES,
        (DeliveryStatus.SENDING, "relay unavailable"): DeliveryStatus.DEFERRED,
        (DeliveryStatus.QUEUED, "suppressed"): DeliveryStatus.FAILED,
        (DeliveryStatus.DEFERRED, "suppressed"): DeliveryStatus.FAILED,
        (DeliveryStatus.IN_DOUBT, "suppressed"): DeliveryStatus.FAILED,
        (DeliveryStatus.SENT, "bounced"): DeliveryStatus.FAILED,
        (DeliveryStatus.IN_DOUBT, "bounced"): DeliveryStatus.FAILED,
        (DeliveryStatus.IN_DOUBT, "confirmed"): DeliveryStatus.SENT,
        (DeliveryStatus.IN_DOUBT, "send again"): DeliveryStatus.QUEUED,
        (DeliveryStatus.FAILED, "send again"): DeliveryStatus.QUEUED,
    },
)

# Some 24 hours in all: a server that greylists or is being repaired gets its chance, and time
# is left to print the bill before it is due.
RETRY_DELAYS = tuple(
    timedelta(minutes=minutes) for minutes in (5, 15, 30, 60, 120, 240, 240, 240, 240, 240)
)
OLD = timedelta(days=2)  # where the office sends but once a day, the tries would go on for weeks
OLD_ENOUGH_TRIES = 4


def retry_delay(attempts: int, age: timedelta) -> timedelta | None:
    """
    Return the wait after so many attempts (at least 1); None: give up.

    `age` is the time since it was recorded. Age alone is no reason: the relay may have been down
    all that while, and the mailbox was hardly asked.
    """
    if attempts > len(RETRY_DELAYS) or (age >= OLD and attempts >= OLD_ENOUGH_TRIES):
        return None
    return RETRY_DELAYS[attempts - 1]


OF_THE_BILL = (  # what a customer is told about a bill before it is paid
    MessageKind.BILL,
    MessageKind.PAYMENT_DUE,
    MessageKind.PAST_DUE,
    MessageKind.AUTOPAY_SCHEDULED,
)


def sendable(*, resend_in_doubt: bool) -> tuple[DeliveryStatus, ...]:
    """Return the statuses in which a delivery may be claimed, in the order of their turns."""
    return (*WAITING, DeliveryStatus.IN_DOUBT) if resend_in_doubt else WAITING


def is_due(
    status: DeliveryStatus, now: datetime, kinds: Collection[MessageKind]
) -> sa.ColumnElement[bool]:
    """
    Choose deliveries in one status; with one at a time the index of due ones is used.

    Nothing about a bill that is held back is due, whenever it was recorded.
    """
    return sa.and_(
        delivery.c.status == status,
        delivery.c.next_try_at <= now,
        delivery.c.attempts <= len(RETRY_DELAYS),
        delivery.c.kind.in_(kinds),
        ~sa.and_(
            delivery.c.kind.in_(OF_THE_BILL),
            is_outsorted(delivery.c.period, delivery.c.account_key),
        ),
    )


def count_due(
    database: Database,
    now: datetime,
    kinds: Collection[MessageKind],
    *,
    resend_in_doubt: bool = True,
    most: int,
) -> int:
    """Count what is due of some kinds, up to `most`: nobody waits for a count of 50,000."""
    count = 0
    with database.reading() as books:
        for status in sendable(resend_in_doubt=resend_in_doubt):
            due = sa.select(delivery.c.key).where(is_due(status, now, kinds))
            counted = sa.select(sa.func.count()).select_from(due.limit(most - count).subquery())
            count += books.execute(counted).scalar_one()
    return count


@dataclass(frozen=True, slots=True)
class Delivery:
    """One recorded delivery that this worker has claimed."""

    key: str
    period: str | None
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
        return about_of(self.key)


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
    with database.writing() as books:
        for status in sendable(resend_in_doubt=resend_in_doubt):
            while room := limit - len(claimed):
                due = _due(status, now, kinds).limit(room)
                rows = [Delivery(*row) for row in books.execute(due)]
                welcome = _without_suppressed(books, status, rows)
                claimed += _take(books, status, welcome, owner, now + lease)
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
    books: Connection, status: DeliveryStatus, rows: list[Delivery]
) -> list[Delivery]:
    """Fail what goes to a mailbox that is written to no more; return the rest."""
    mailbox = suppressed_address.c.mailbox
    query = sa.select(mailbox).where(mailbox.in_([row.mailbox for row in rows]))
    suppressed = set(books.scalars(query))
    if suppressed:
        keys = [row.key for row in rows if row.mailbox in suppressed]
        changes = {
            "status": DELIVERY.after(status, "suppressed"),
            "error": "nothing is sent to this mailbox any more: it is suppressed",
        }
        books.execute(delivery.update().where(delivery.c.key.in_(keys)).values(changes))
    return [row for row in rows if row.mailbox not in suppressed]


def _take(
    books: Connection,
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
        books.execute(delivery.update().where(delivery.c.key.in_(keys)).values(changes))
    return rows


def counts(database: Database, period: str) -> dict[DeliveryStatus, int]:
    """Count a run's deliveries by status; every status is there."""
    return count_by_status(database, delivery.c.period == period)


def count_by_status(
    database: Database, *which: sa.ColumnElement[bool]
) -> dict[DeliveryStatus, int]:
    """Count deliveries by status; every status is there."""
    with database.reading() as books:
        found = count_by(books, delivery.c.status, *which)
    return {status: found.get(status, 0) for status in DeliveryStatus}


def count_possible_duplicates(database: Database, period: str) -> int:
    """Count a run's deliveries that were sent and may have arrived twice."""
    query = sa.select(sa.func.count()).where(
        delivery.c.period == period,
        delivery.c.status == DeliveryStatus.SENT,
        delivery.c.possible_duplicate,
    )
    with database.reading() as books:
        return books.execute(query).scalar_one()


def mark(
    books: Connection,
    owner: str | None,
    now: datetime,
    outcomes: Iterable[tuple[Delivery, MailOutcome]],
) -> list[DeliveryStatus]:
    """
    Write down what became of deliveries, and return the statuses they came to.

    Here as below, only rows that this owner still holds are touched.
    """
    changes = [_to_change(row, outcome, now) for row, outcome in outcomes]
    _change(books, owner, changes)
    return [change["status"] for change in changes]


def put_back(
    books: Connection,
    owner: str | None,
    now: datetime,
    rows: Sequence[Delivery],
    error: str = "",
    *,
    is_tried: bool = True,
) -> None:
    """
    Return deliveries that were surely not handed over; no attempt is counted.

    With an error (the relay was unavailable) they are deferred, due again at once: it says
    nothing about the mailbox, and whoever repaired the relay need not wait. Not `is_tried`: they
    are queued as before, and the error says what keeps them.
    """
    event = "relay unavailable" if error and is_tried else "put back"
    status = DELIVERY.after(DeliveryStatus.SENDING, event)
    _change(books, owner, [_change_of(row, status, row.attempts, now, error) for row in rows])


def leave_in_doubt(
    books: Connection, owner: str | None, now: datetime, rows: Sequence[Delivery]
) -> None:
    """Say of deliveries that they may have arrived: their sender stopped before an answer."""
    status = DELIVERY.after(DeliveryStatus.SENDING, "lease ran out")
    error = "the sending stopped before an answer was written down"
    _change(books, owner, [_change_of(row, status, row.attempts + 1, now, error) for row in rows])


def renew(books: Connection, owner: str, until: datetime) -> None:
    """Go on holding what is under way."""
    books.execute(
        delivery.update()
        .where(delivery.c.status == DeliveryStatus.SENDING, delivery.c.lease_owner == owner)
        .values(lease_until=until)
    )


def _to_change(row: Delivery, outcome: MailOutcome, now: datetime) -> dict[str, Any]:
    attempts = row.attempts + 1
    delay = retry_delay(attempts, now - row.queued_at)
    gives_up = outcome.result is Result.DEFERRED and delay is None
    status = DELIVERY.after(DeliveryStatus.SENDING, "given up" if gives_up else outcome.result)
    change = _change_of(row, status, attempts, now + (delay or timedelta()), outcome.error)
    return change | {"sent_at": now if outcome.result is Result.SENT else None}


def _change_of(
    row: Delivery, status: DeliveryStatus, attempts: int, next_try_at: datetime, error: str
) -> dict[str, Any]:
    return {
        "row_key": row.key,
        "status": status,
        "attempts": attempts,
        "next_try_at": next_try_at,
        "sent_at": None,
        "error": error or None,
    }


def _change(books: Connection, owner: str | None, changes: list[dict[str, Any]]) -> None:
    if not changes:
        return
    statement = (
        delivery.update()
        .where(
            delivery.c.key == sa.bindparam("row_key"),
            delivery.c.lease_owner == owner,
            delivery.c.status == DeliveryStatus.SENDING,
        )
        .values(lease_owner=None, lease_until=None)
        .values({name: sa.bindparam(name) for name in changes[0] if name != "row_key"})
    )
    books.execute(statement, changes)
