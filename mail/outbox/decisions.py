"""What a person decides about mails that failed or are in doubt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.tables import delivery, suppressed_address
from domain.accounts import account_key
from domain.deliveries import DeliveryStatus, MessageKind
from domain.failures import Misuse, Refused
from mail.outbox.deliveries import DELIVERY
from mail.outbox.taken_back import lift_mailboxes, take_off_paper

CHUNK = 500  # names that one query takes


@dataclass(frozen=True, slots=True)
class DeliveryDecision:
    """Who decides, why, and when; `due` is the business moment from which a mail may go."""

    who: str
    reason: str
    at: datetime
    due: datetime


@dataclass(frozen=True, slots=True)
class Corrected:
    """How many mails were changed, and how many stay because their mailbox is suppressed."""

    changed: int
    suppressed: int = 0


def send_again(database: Database, names: Sequence[str], decision: DeliveryDecision) -> Corrected:
    """
    Queue mails anew that failed or are in doubt, as if they had not been tried.

    A name is a delivery's key or its Message-ID. All are changed or none: raises Misuse for one
    that is not known, Refused for one that was sent, is waiting, or whose mailbox is suppressed.
    What was in doubt is flagged a possible duplicate.
    """
    with _named(database, names) as (books, rows):
        _require(rows, (DeliveryStatus.FAILED, DeliveryStatus.IN_DOUBT), "failed or in doubt")
        suppressed = _suppressed(books, rows)
        if suppressed:
            raise Refused(
                "suppressed",
                f"The mailbox of {_accounts(suppressed)} is suppressed; lift that first. "
                "Nothing was changed.",
            )
        return Corrected(_queue_again(books, rows, decision))


def send_failed_again(
    database: Database,
    period: str,
    account: str | None,
    decision: DeliveryDecision,
    *,
    leave_suppressed: bool = False,
) -> Corrected:
    """
    Queue anew what failed of a period, or of one account in it; the way back after a bad night.

    The suppressed mailboxes among them are written to again, each audited; `leave_suppressed`
    lets them and their mails be.
    """
    chosen = [delivery.c.period == period, delivery.c.status == DeliveryStatus.FAILED]
    if account is not None:
        chosen.append(delivery.c.account_key == account_key(account))
    with database.writing() as books:
        rows = books.execute(sa.select(delivery).where(*chosen).with_for_update()).all()
        suppressed = _suppressed(books, rows)
        stay = {row.key for row in suppressed} if leave_suppressed else set()
        if suppressed and not leave_suppressed:
            accounts = {row.address.casefold(): row.account or "" for row in suppressed}
            lift_mailboxes(books, accounts, decision.reason, decision.at, decision.who)
        rows = [row for row in rows if row.key not in stay]
        return Corrected(_queue_again(books, rows, decision), len(stay))


def confirm(database: Database, names: Sequence[str], decision: DeliveryDecision) -> Corrected:
    """
    Mark mails that were in doubt as sent, because the mail server's log says so.

    Raises Misuse and Refused like `send_again`.
    """
    with _named(database, names) as (books, rows):
        _require(rows, (DeliveryStatus.IN_DOUBT,), "in doubt")
        after = DELIVERY.after(DeliveryStatus.IN_DOUBT, "confirmed")
        _change(books, rows, {"status": after, "sent_at": decision.due, "error": None})
        _audit(books, rows, "confirm mail", decision)
    return Corrected(len(rows))


@contextmanager
def _named(
    database: Database, names: Sequence[str]
) -> Iterator[tuple[Connection, Sequence[sa.Row[Any]]]]:
    """Lock the deliveries of these names; raises Misuse for a name that none has."""
    wanted = list(dict.fromkeys(names))
    with database.writing() as books:
        is_named = delivery.c.key.in_(wanted) | delivery.c.message_id.in_(wanted)
        rows = books.execute(sa.select(delivery).where(is_named).with_for_update()).all()
        known = {row.key for row in rows} | {row.message_id for row in rows}
        unknown = sum(name not in known for name in wanted)
        if unknown:
            which = f"{unknown} of the {len(wanted)} names" if len(wanted) > 1 else "that name"
            raise Misuse(
                f"There is no mail by {which}; give the message_id that "
                "`billclose list deliveries` shows. Nothing was changed.",
                "unknown-mail",
            )
        yield books, rows


def _require(rows: Sequence[sa.Row[Any]], statuses: tuple[DeliveryStatus, ...], words: str) -> None:
    others = [row for row in rows if row.status not in statuses]
    if others:
        raise Refused(
            "wrong-status",
            f"The mail of {_accounts(others)} is {others[0].status}, not {words}. "
            "Nothing was changed.",
        )


def _suppressed(books: Connection, rows: Sequence[sa.Row[Any]]) -> list[sa.Row[Any]]:
    mailboxes: set[str] = set()
    for start in range(0, len(rows), CHUNK):
        asked = [row.address.casefold() for row in rows[start : start + CHUNK]]
        mailbox = suppressed_address.c.mailbox
        mailboxes.update(books.scalars(sa.select(mailbox).where(mailbox.in_(asked))))
    return [row for row in rows if row.address.casefold() in mailboxes]


def _queue_again(books: Connection, rows: Sequence[sa.Row[Any]], decision: DeliveryDecision) -> int:
    for status in (DeliveryStatus.FAILED, DeliveryStatus.IN_DOUBT):
        changes: dict[str, Any] = {
            "status": DELIVERY.after(status, "send again"),
            "attempts": 0,
            "next_try_at": decision.due,
            "sent_at": None,
            "bounced_at": None,
            "error": None,
        }
        if status is DeliveryStatus.IN_DOUBT:
            changes["possible_duplicate"] = True
        _change(books, [row for row in rows if row.status == status], changes)
    for row in rows:
        if row.kind == MessageKind.BILL and row.period is not None:
            take_off_paper(books, row.period, row.form, row.account_key)
    _audit(books, rows, "send mail again", decision)
    return len(rows)


def _change(books: Connection, rows: Sequence[sa.Row[Any]], changes: dict[str, Any]) -> None:
    if rows:
        statement = delivery.update().where(delivery.c.key == sa.bindparam("row_key"))
        books.execute(statement.values(changes), [{"row_key": row.key} for row in rows])


def _audit(
    books: Connection, rows: Sequence[sa.Row[Any]], action: str, decision: DeliveryDecision
) -> None:
    for row in rows:
        subject = " ".join(part for part in (row.kind, row.period, row.account) if part)
        detail = f"{decision.reason} (it was {row.status})"
        record_audit(books, decision.at, decision.who, action, subject, detail)


def _accounts(rows: Sequence[sa.Row[Any]]) -> str:
    """Name an account, and how many others."""
    first = rows[0].account or "the office"
    return f"{first} and {len(rows) - 1} others" if len(rows) > 1 else first


WAITING = (
    DeliveryStatus.QUEUED,
    DeliveryStatus.SENDING,
    DeliveryStatus.DEFERRED,
    DeliveryStatus.IN_DOUBT,
)
REASONS = 5  # that are named, the most frequent first


@dataclass(frozen=True, slots=True)
class OutboxSummary:
    """The outbox of one period, or of all; `reasons` say what keeps how many from being sent."""

    counts: dict[MessageKind, dict[DeliveryStatus, int]]
    possible_duplicates: int
    oldest_waiting: datetime | None
    next_try: datetime | None
    reasons: dict[str, int]

    @property
    def waiting(self) -> int:
        return sum(found.get(status, 0) for found in self.counts.values() for status in WAITING)


def read_outbox_summary(database: Database, period: str | None = None) -> OutboxSummary:
    ours = [] if period is None else [delivery.c.period == period]
    is_waiting = delivery.c.status.in_(WAITING)
    is_duplicate = (delivery.c.status == DeliveryStatus.SENT) & delivery.c.possible_duplicate
    with database.reading() as books:
        oldest, next_try = books.execute(
            sa.select(sa.func.min(delivery.c.queued_at), sa.func.min(delivery.c.next_try_at)).where(
                is_waiting, *ours
            )
        ).one()
        duplicates = sa.select(sa.func.count()).where(is_duplicate, *ours)
        return OutboxSummary(
            counts=_counts(books, ours),
            possible_duplicates=books.execute(duplicates).scalar_one(),
            oldest_waiting=oldest,
            next_try=next_try,
            reasons=_reasons(books, [is_waiting, *ours]),
        )


def _counts(
    books: Connection, ours: list[sa.ColumnElement[bool]]
) -> dict[MessageKind, dict[DeliveryStatus, int]]:
    query = (
        sa.select(delivery.c.kind, delivery.c.status, sa.func.count())
        .where(*ours)
        .group_by(delivery.c.kind, delivery.c.status)
        .order_by(delivery.c.kind, delivery.c.status)
    )
    found: dict[MessageKind, dict[DeliveryStatus, int]] = {}
    for kind, status, number in books.execute(query):
        found.setdefault(kind, {})[status] = number
    return found


def _reasons(books: Connection, waiting: list[Any]) -> dict[str, int]:
    number = sa.func.count().label("number")
    query = (
        sa.select(delivery.c.error, number)
        .where(*waiting, delivery.c.error.is_not(None))
        .group_by(delivery.c.error)
        .order_by(number.desc(), delivery.c.error)
        .limit(REASONS)
    )
    return {row.error: row.number for row in books.execute(query)}
