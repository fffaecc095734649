"""What has to be sent, recorded before anything is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.definitions.corrections import replaced_bill
from database.inserting import insert_new
from database.queries.bills import is_doubled
from database.queries.outsorted import is_outsorted
from database.tables import (
    account,
    bill,
    bill_run,
    bounce,
    delivery,
    delivery_plan,
    recipient,
    suppressed_address,
)
from domain.accounts import AccountStatus, account_key
from domain.corrections import again_about, corrected_about
from domain.deliveries import WAITING, DeliveryStatus, MessageKind
from mail.keys import message_id
from mail.outbox.deliveries import DELIVERY
from mail.outbox.planned import PlannedMessage
from mail.texts.recording import find_texts, known_statuses, queue_texts

CHUNK = 2_000  # rows in memory at a time


def queue_messages(
    books: Connection,
    messages: Iterable[PlannedMessage],
    *,
    now: datetime,
    message_domain: str,
    leaves_at: datetime | None = None,
) -> int:
    """
    Record messages to be sent, in the transaction that they follow from; return how many are new.

    One for each kind, subject, account and mailbox, however often they are recorded; where its
    reader chose texts, a text to their phone in its place. `leaves_at` is the moment before which
    they are not sent; None: now.
    """
    begin, planned, recorded = leaves_at or now, iter(messages), 0
    while chunk := list(islice(planned, CHUNK)):
        texts = find_texts(books, chunk)
        rows = [
            _row_of(message, now, message_domain) | {"next_try_at": begin}
            for message in chunk
            if not texts or message.key not in texts
        ]
        recorded += queue_texts(books, texts.values(), now)
        recorded += _record(books, rows) if rows else 0
    return recorded


def queue_bills(
    database: Database,
    period: str,
    *,
    now: datetime,
    message_domain: str,
    leaves_at: datetime | None = None,
) -> int:
    """
    Record one delivery for each bill and mailbox of a closed run; return how many are new.

    Who gets one: paperless accounts (rules 20, 28) that are not closed and whose bill is not
    held back, with exactly one bill of the form. All are recorded in one transaction or none,
    and recording twice is recording once. A run that is not closed is refused by the foreign key
    to period_close (rule 2): the database raises IntegrityError.
    """
    with database.writing() as books:
        return _queue_bills(books, _bills_owed(period), now, message_domain, leaves_at)


def queue_bill(
    books: Connection, period: str, key: str, *, now: datetime, message_domain: str
) -> int:
    """Record the deliveries of one account's bills of a closed run; return how many are new."""
    owed = _bills_owed(period).where(bill.c.account_key == key)
    return _queue_bills(books, owed, now, message_domain)


def _queue_bills(
    books: Connection,
    owed: sa.Select[Any],
    now: datetime,
    message_domain: str,
    leaves_at: datetime | None = None,
) -> int:
    recorded = 0
    for rows in books.execute(owed.execution_options(yield_per=CHUNK)).partitions():
        bills = [
            PlannedMessage(
                MessageKind.BILL,
                about=_about(row),
                address=row.address,
                source=row.source,
                account=row.account,
                period=row.period,
                form=row.form,
                edition=row.edition,
            )
            for row in rows
            if not row.has_this_very_bill
        ]
        recorded += queue_messages(
            books, bills, now=now, message_domain=message_domain, leaves_at=leaves_at
        )
    return recorded


def queue_corrected_bill(
    books: Connection,
    period: str,
    form: str,
    account_key: str,
    *,
    now: datetime,
    message_domain: str,
) -> int:
    """Record the mails of one bill that took another's place, marked so; return how many."""
    query = _bills_owed(period).where(bill.c.form == form, bill.c.account_key == account_key)
    mails = [
        PlannedMessage(
            MessageKind.BILL,
            about=corrected_about(period, row.edition),
            address=row.address,
            source=row.source,
            account=row.account,
            period=period,
            form=form,
            edition=row.edition,
        )
        for row in books.execute(query).all()
    ]
    return queue_messages(books, mails, now=now, message_domain=message_domain)


def withdraw_bill(books: Connection, period: str, form: str, account_key: str) -> int:
    """Take the mails of a bill out of the outbox that have surely not left; return how many."""
    mails = delivery.c
    done = books.execute(
        delivery.delete().where(
            mails.period == period,
            mails.form == form,
            mails.account_key == account_key,
            mails.kind == MessageKind.BILL,
            *surely_not_left(),
        )
    )
    return done.rowcount


def surely_not_left() -> tuple[sa.ColumnElement[bool], ...]:
    """Claim that a mail waits, and that no attempt at it may have reached anybody."""
    mails, whose = delivery.c, suppressed_address.c.delivery_key
    return (
        mails.status.in_(WAITING),
        ~mails.possible_duplicate,
        ~sa.exists().where(bounce.c.delivery_key == mails.key),
        # no index has it: read once, where a question for each mail would read all of them
        mails.key.not_in(sa.select(whose).where(whose.is_not(None))),
    )


def _about(row: Any) -> str:
    """Say what a bill's mail is about; one that follows an earlier edition says so."""
    if not row.edition:
        return str(row.period)
    name = corrected_about if row.had_mail else again_about
    return name(row.period, row.edition)


def _bills_owed(period: str) -> sa.Select[Any]:
    same_account = [
        sa.and_(table.c.period == bill.c.period, table.c.account_key == bill.c.account_key)
        for table in (account, delivery_plan, recipient)
    ]
    return (
        sa.select(
            bill.c.period,
            bill.c.form,
            bill.c.edition,
            account.c.account,
            recipient.c.address,
            recipient.c.source,
            had_earlier_mail().label("had_mail"),
            _has_this_very_bill(period).label("has_this_very_bill"),
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


MAY_HAVE_LEFT = (DeliveryStatus.SENT, DeliveryStatus.SENDING, DeliveryStatus.IN_DOUBT)


def had_earlier_mail() -> sa.Exists:
    """Claim that a mail of an earlier edition of a bill has left, or may have, to any mailbox."""
    mails = delivery.c
    return sa.exists().where(
        mails.period == bill.c.period,
        mails.account_key == bill.c.account_key,
        mails.form == bill.c.form,
        mails.kind == MessageKind.BILL,
        mails.edition < bill.c.edition,
        mails.status.in_(MAY_HAVE_LEFT),
    )


def _has_this_very_bill(period: str) -> sa.ColumnElement[bool]:
    """
    Claim that the mailbox has this very document with the same amount and due date.

    A period that was taken back and closed again with the same bill tells its reader nothing new.
    """
    old, mails = replaced_bill.c, delivery.c
    edition_before = sa.and_(
        old.period == bill.c.period,
        old.form == bill.c.form,
        old.account_key == bill.c.account_key,
        old.edition == bill.c.edition - 1,
    )
    due_on = sa.select(bill_run.c.due_on).where(bill_run.c.period == period).scalar_subquery()
    is_same = sa.exists().where(
        edition_before,
        old.sha256 == bill.c.sha256,
        old.amount_due == account.c.amount_due,
        old.due_on == due_on,
    )
    was_mailed = sa.exists().where(
        mails.period == bill.c.period,
        mails.account_key == bill.c.account_key,
        mails.form == bill.c.form,
        mails.kind == MessageKind.BILL,
        mails.edition == bill.c.edition - 1,
        mails.status.in_(MAY_HAVE_LEFT),
        sa.func.lower(mails.address) == sa.func.lower(recipient.c.address),
    )
    return sa.and_(is_same, was_mailed)


def _row_of(message: PlannedMessage, now: datetime, message_domain: str) -> dict[str, Any]:
    key = message.key
    return {
        "key": key,
        "period": message.period,
        "account_key": account_key(message.account),
        "account": message.account,
        "kind": message.kind,
        "form": message.form,
        "edition": message.edition,
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
    by_key = {message.key: message for message in messages}
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
    texts = find_texts(books, list(by_key.values()))
    statuses = known_statuses(books, texts.values())
    for key, text in texts.items():
        if (status := statuses.get(text.key)) is not None:
            known[status] += 1
            del by_key[key]
    return list(by_key.values()), known
