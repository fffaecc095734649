"""What has to be sent, recorded before anything is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.inserting import insert_new
from database.queries.bills import is_doubled
from database.queries.outsorted import is_outsorted
from database.tables import account, bill, delivery, delivery_plan, recipient
from domain.accounts import AccountStatus, account_key
from domain.deliveries import DeliveryStatus, MessageKind, RecipientSource
from mail.keys import delivery_key, message_id
from mail.outbox.deliveries import DELIVERY

CHUNK = 2_000  # rows in memory at a time


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """
    One message that is to be sent: a bill, a reminder, a receipt, an alert.

    `about` is the business fact that there is one message for: the period, a due date, a
    receipt's number. `run` is the closed period it belongs to, if it does. An alert goes to the
    office and has neither account nor source.
    """

    kind: MessageKind
    about: str
    address: str
    source: RecipientSource | None = None
    account: str = ""
    period: str | None = None
    form: str = ""


def queue_messages(
    books: Connection, messages: Iterable[PlannedMessage], *, now: datetime, message_domain: str
) -> int:
    """
    Record messages to be sent, in the transaction that they follow from; return how many are new.

    One for each kind, subject, account and mailbox, however often they are recorded.
    """
    rows = (_row_of(message, now, message_domain) for message in messages)
    recorded = 0
    while chunk := list(islice(rows, CHUNK)):
        recorded += _record(books, chunk)
    return recorded


def queue_bills(database: Database, period: str, *, now: datetime, message_domain: str) -> int:
    """
    Record one delivery for each bill and mailbox of a closed run; return how many are new.

    Who gets one: paperless accounts (rules 20, 28) that are not closed and whose bill is not
    held back, with exactly one bill of the form. All are recorded in one transaction or none,
    and recording twice is recording once. A run that is not closed is refused by the foreign key
    to period_close (rule 2): the database raises IntegrityError.
    """
    with database.writing() as books:
        return _queue_bills(books, _bills_owed(period), now, message_domain)


def queue_bill(
    books: Connection, period: str, key: str, *, now: datetime, message_domain: str
) -> int:
    """Record the deliveries of one account's bills of a closed run; return how many are new."""
    owed = _bills_owed(period).where(bill.c.account_key == key)
    return _queue_bills(books, owed, now, message_domain)


def _queue_bills(
    books: Connection, owed: sa.Select[Any], now: datetime, message_domain: str
) -> int:
    recorded = 0
    for rows in books.execute(owed.execution_options(yield_per=CHUNK)).partitions():
        bills = [
            PlannedMessage(
                MessageKind.BILL,
                about=row.period,
                address=row.address,
                source=row.source,
                account=row.account,
                period=row.period,
                form=row.form,
            )
            for row in rows
        ]
        recorded += queue_messages(books, bills, now=now, message_domain=message_domain)
    return recorded


def _bills_owed(period: str) -> sa.Select[Any]:
    same_account = [
        sa.and_(table.c.period == bill.c.period, table.c.account_key == bill.c.account_key)
        for table in (account, delivery_plan, recipient)
    ]
    return (
        sa.select(
            bill.c.period,
            bill.c.form,
            account.c.account,
            recipient.c.address,
            recipient.c.source,
        )
        .join(account, same_account[0])
        .join(delivery_plan, same_account[1])
        .join(recipient, same_account[2])
        .where(
            bill.c.period == period,
            delivery_plan.c.paperless,
            account.c.status != AccountStatus.CLOSED,
            ~is_doubled(),
            ~is_outsorted(bill.c.period, bill.c.account_key),
        )
    )


def _row_of(message: PlannedMessage, now: datetime, message_domain: str) -> dict[str, Any]:
    mailbox = message.address.casefold()
    key = delivery_key(message.kind, message.about, message.form, message.account, mailbox)
    return {
        "key": key,
        "period": message.period,
        "account_key": account_key(message.account),
        "account": message.account,
        "kind": message.kind,
        "form": message.form,
        "address": message.address,
        "source": message.source,
        "status": DELIVERY.start,
        "message_id": message_id(key, message_domain),
        "attempts": 0,
        "queued_at": now,
        "next_try_at": now,
        "possible_duplicate": False,
    }


def _record(books: Connection, rows: list[dict[str, Any]]) -> int:
    """
    Insert what is not there yet; return how many are new.

    A delivery left out for another reason than its own key (its Message-ID or token is taken) is
    an error.
    """
    recording = insert_new(books.dialect.name, delivery)
    options = {"preserve_rowcount": True}  # of an executemany, which PostgreSQL's driver sums up
    new = books.execute(recording, rows, execution_options=options).rowcount
    if new < len(rows):
        _require_recorded(books, {row["key"] for row in rows})
    return new


def _require_recorded(books: Connection, keys: set[str]) -> None:
    known = sa.select(delivery.c.key).where(delivery.c.key.in_(keys))
    if left_out := keys.difference(books.scalars(known)):
        raise ValueError(
            f"the Message-IDs or tokens of {len(left_out)} messages are other messages': "
            "nothing of this step was recorded, run it again"
        )


def without_known(
    books: Connection, messages: Sequence[PlannedMessage]
) -> tuple[list[PlannedMessage], Counter[DeliveryStatus]]:
    """
    Return the mails that were not recorded before, and how those stand that were.

    They are of one run, kind and form and come in the order of their account keys, so what is
    known of them is one range of the outbox: PostgreSQL goes through a list of thousands of keys
    for each row that it has.
    """
    by_key = {_key(message): message for message in messages}
    known: Counter[DeliveryStatus] = Counter()
    first, last = messages[0], messages[-1]
    query = sa.select(delivery.c.key, delivery.c.status).where(
        delivery.c.period == first.period,
        delivery.c.kind == first.kind,
        delivery.c.form == first.form,
        delivery.c.account_key.between(account_key(first.account), account_key(last.account)),
    )
    for key, status in books.execute(query).all():
        if by_key.pop(key, None):
            known[status] += 1
    return list(by_key.values()), known


def _key(message: PlannedMessage) -> str:
    mailbox = message.address.casefold()
    return delivery_key(message.kind, message.about, message.form, message.account, mailbox)
