"""What has to be entered in cash receipting, recorded where the money was taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.inserting import insert_new
from database.tables import posting
from domain.failures import Refused
from domain.ledger import BalanceEntry, taken_key
from domain.money import ZERO, Money
from domain.payments import POSTING, PostingKind, PostingState
from domain.words import say_count


@dataclass(frozen=True, slots=True)
class Unposted:
    """What is not in cash receipting: how many postings, the money in them, since when."""

    count: int = 0
    amount: Money = ZERO
    since: datetime | None = None  # when the oldest was recorded
    are_payments: bool = True  # all of them; else reversals or fees are among them
    rejected: int = 0  # of them those that wait for a person: nobody tries them again

    def __str__(self) -> str:
        return f"{say_count(self.count, self.noun)}, {self.amount.dollars()}"

    @property
    def noun(self) -> str:
        """What people call them: reversals and fees are no payments."""
        return "payment" if self.are_payments else "posting"

    def say_remedy(self, command: str) -> str:
        """Say what gets them posted; what was rejected moves by a person's word alone."""
        now = f"run `{command} retry-postings --now`"
        if not self.rejected:
            return now
        again = (
            f"put right what `{command} list pending-payments` says of "
            f"{'it' if self.rejected == 1 else 'each'}, then run `{command} retry-postings --again "
            "CONFIRMATION --reason TEXT`"
        )
        if self.rejected == self.count:
            return again
        return f"{now}; {self.rejected:,} of them wait for a person: {again}"


NOTHING_UNPOSTED = Unposted()
Postable = tuple[PostingKind, BalanceEntry]


def posting_key(kind: PostingKind, entry_key: str) -> str:
    return f"{kind}/{entry_key}"


def queue_posting(
    books: Connection, entry: BalanceEntry, kind: PostingKind, *, now: datetime
) -> bool:
    """Record that one balance entry is to be posted; returns whether it is new."""
    return bool(queue_postings(books, [(kind, entry)], now=now))


def queue_postings(books: Connection, wanted: Sequence[Postable], *, now: datetime) -> set[str]:
    """
    Record that balance entries are to be posted, in the transaction that recorded them.

    Once for each entry, however often it is recorded; returns the keys that are new. Cash
    receipting is told amounts above zero, and by the kind which way they go.
    Raises ValueError where the same was recorded with another amount: that is our mistake.
    """
    if not wanted:
        return set()
    rows = [_to_row(kind, entry, now) for kind, entry in wanted]
    given = rows if len(rows) > 1 else rows[0]  # one is told in fewer words
    new = set(books.scalars(_queueing(books.dialect.name), given))
    if known := {row["key"]: row["amount"] for row in rows if row["key"] not in new}:
        query = sa.select(posting.c.key, posting.c.amount).where(posting.c.key.in_(known))
        stands = {row.key: row.amount for row in books.execute(query)}
        for key, amount in known.items():
            if stands.get(key) != amount:
                raise ValueError(f"{key} was recorded with another amount")
    return new


def _to_row(kind: PostingKind, entry: BalanceEntry, now: datetime) -> dict[str, Any]:
    return {
        "key": posting_key(kind, entry.key),
        "entry_key": entry.key,
        "payment_key": entry.payment_key,
        "kind": kind,
        "line": entry.line,
        "amount": Money(abs(entry.amount.cents)),
        "state": POSTING.start,
        "attempts": 0,
        "created_at": now,
        "next_retry_at": now,
    }


@cache
def _queueing(dialect: str) -> Any:
    return insert_new(dialect, posting).returning(posting.c.key)


def is_receipt_of(
    payment_key: sa.ColumnElement[str],
    of: sa.FromClause = posting,
    line: sa.ColumnElement[int] | int = 1,
) -> sa.ColumnElement[bool]:
    """
    Claim that a posting is the receipt of a payment itself: one at most, of each of its lines.

    What a won dispute brings back is a receipt as well, of the same payment.
    """
    prefix = posting_key(PostingKind.RECEIPT, taken_key(""))
    return sa.and_(
        of.c.payment_key == payment_key,
        of.c.kind == PostingKind.RECEIPT,
        of.c.line == line,
        of.c.key.startswith(prefix, autoescape=True),
    )


def count_unposted(database: Database, until: datetime | None = None) -> Unposted:
    """Count what is not posted; `until`: only what was recorded by then (rules 84, 85)."""
    with database.reading() as books:
        return read_unposted(books, until)


def read_unposted(books: Connection, until: datetime | None = None) -> Unposted:
    """Count the same in a transaction that is open already."""
    query = sa.select(
        sa.func.count(),
        sa.func.sum(posting.c.amount),
        sa.func.min(posting.c.created_at),
        sa.func.count().filter(posting.c.kind == PostingKind.RECEIPT),
        sa.func.count().filter(posting.c.state == PostingState.REJECTED),
    ).where(posting.c.state != PostingState.POSTED)
    if until is not None:
        query = query.where(posting.c.created_at <= until)
    count, amount, since, receipts, rejected = books.execute(query).one()
    return Unposted(count, amount or ZERO, since, receipts == count, rejected)


def stuck_postings(database: Database, now: datetime, after: timedelta) -> Unposted:
    """Count the receipts, reversals and fees that wait for longer than they should."""
    return count_unposted(database, now - after)


def require_posted(database: Database, now: datetime, after: timedelta) -> None:
    """
    Raise Refused (`postings-stuck`) while money that was taken is not in cash receipting.

    The billing system does not know of it: balances read from there are too high, and customers
    would be billed, reminded or drawn again for what they have paid.
    """
    stuck = stuck_postings(database, now, after)
    if stuck.count:
        minutes = f"{after.total_seconds() // 60:.0f} minutes"
        raise Refused(
            "postings-stuck",
            f"{stuck}{' taken and' if stuck.are_payments else ''} for more than {minutes} not "
            "posted in cash receipting, so balances there are stale; "
            f"{stuck.say_remedy('billclose')}, or go on with --despite-stuck-postings REASON.",
        )
