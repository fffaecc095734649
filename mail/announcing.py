"""Notices about payments: a receipt for what was drawn, a word before what will be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.auditing import record_audit
from database.books import Database
from domain.deliveries import MessageKind
from domain.reminders import Skipped
from domain.words import say_count
from mail.known import without_known
from mail.queueing import PlannedMessage, queue_messages
from mail.recipients import Some, read_addresses
from mail.suppressing import suppressed_mailboxes

CHUNK = 2_000  # payments in memory at a time
Find = Callable[[Connection], list[tuple[str, sa.Select[Any]]]]


@dataclass(frozen=True, slots=True)
class Notifying:
    """On what terms an office sends notices; `records` is false where it only wants to know."""

    now: datetime
    who: str
    message_domain: str
    to_landlords: bool = True
    receipts: bool = True
    autopay_scheduled: Literal["varying", "all", "none"] = "varying"
    records: bool = True


@dataclass(slots=True)
class NoticeCounts:
    """Mails recorded now, and payments that nobody can be told of, by why."""

    queued: int = 0
    skipped: Counter[Skipped] = field(default_factory=Counter)


def queue_notices(
    database: Database, kind: MessageKind, find: Find, terms: Notifying
) -> NoticeCounts:
    """
    Record one mail of a kind for each payment found and mailbox of its account, paperless or not.

    `find` gives the payments by run: account_key, account, cosigner_id, and `about`, the payment's
    key. However often this is done, each is recorded once. Which card or bank account it was
    stands only in the mail to its owner (rules 117, 118).
    """
    counts = NoticeCounts()
    with database.reading() as books:
        for run, payments in find(books):
            messages = _messages(books, kind, run, payments, terms, counts.skipped)
            while batch := list(islice(messages, CHUNK)):
                new, _ = without_known(books, batch)
                counts.queued += _record(database, run, kind, new, terms) if new else 0
    return counts


def _record(
    database: Database, run: str, kind: MessageKind, new: list[PlannedMessage], terms: Notifying
) -> int:
    if not terms.records:
        return len(new)
    with database.writing() as books:
        queued = queue_messages(books, new, now=terms.now, message_domain=terms.message_domain)
        detail = f"{say_count(queued, 'mail')} queued"
        record_audit(books, terms.now, terms.who, f"queue {kind}", run, detail)
    return queued


def _messages(
    books: Connection,
    kind: MessageKind,
    run: str,
    payments: sa.Select[Any],
    terms: Notifying,
    skipped: Counter[Skipped],
) -> Iterator[PlannedMessage]:
    suppressed = suppressed_mailboxes(books)
    rows = books.execute(payments.execution_options(yield_per=CHUNK))
    for chunk in rows.partitions():
        some = Some([row.account_key for row in chunk], [row.cosigner_id for row in chunk])
        known = read_addresses(books, run, some, to_landlords=terms.to_landlords)
        for row in chunk:
            everybody = known.of(row.account_key, row.cosigner_id)
            reached = [one for one in everybody if one.mailbox not in suppressed]
            if not reached:
                skipped[Skipped.SUPPRESSED if everybody else Skipped.NO_ADDRESS] += 1
            for one in reached:
                yield PlannedMessage(
                    kind, row.about, one.address, one.source, row.account, run, kind.value
                )
