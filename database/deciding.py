"""What a person decides of a balance entry or a finding of the feed: contained, or carried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.audit import record_audit
from database.books import Database
from database.feed.tables import feed_finding
from database.ledger.entries import add_up, record_entries
from database.ledger.locking import lock_balances
from database.ledger.tables import balance_entry
from database.queries.balances import read_open_balance
from database.tables import balance_due, bill_run
from domain.failures import Misuse
from domain.ledger import BalanceEntry, ContainedBy, EntrySource
from domain.money import Money

_ENTRY, _FINDING = balance_entry.c, feed_finding.c


class BalanceDecision(StrEnum):
    """What a person says of an amount: the account's newest export has it, or it has not."""

    CONTAINED = "contained"
    CARRIED = "carried"


@dataclass(frozen=True, slots=True)
class DecidedBalance:
    """
    What a decision did; amounts are of the account's open balance.

    `settled` counts the findings that it settled. `is_changed`: no, where all stood so already.
    """

    key: str
    account: str
    decision: BalanceDecision
    amount: Money | None  # of the entry; None: the finding has none
    before: Money
    after: Money
    settled: int
    is_changed: bool


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a key names: an entry, open findings of the feed, or both."""

    key: str
    account_key: str
    findings: Sequence[Any]
    entry: Any  # a row of balance_entry, or None


def decide_balance(
    database: Database, key: str, decision: BalanceDecision, reason: str, now: datetime, who: str
) -> DecidedBalance:
    """
    Settle an entry by its key, or a finding by its movement's, as a person says; audited.

    Contained: the account's newest export has it, so that it counts over that bill no more.
    Carried: it counts over the newest bill until the next export. What the feed told and did not
    count (`receipt-voided`) is then written as an entry of the office; the feed's stays as it is.
    Once, however often it is said. Raises Misuse for a key that nobody knows, and for what cannot
    be decided so.
    """
    with database.writing() as books:
        subject = _find(books, key)
        account_key = subject.account_key
        if subject.entry is not None:
            lock_balances(books, [account_key])
            subject = _find(books, key)
        before = read_open_balance(books, account_key)
        moved = _apply(books, subject, decision, now, who)
        settled = _settle(books, subject.findings, f"{decision}: {reason}", now, who)
        number = _number(books, subject)
        after = read_open_balance(books, account_key)
        if moved or settled:
            detail = f"{key} {decision}, {before} to {after}: {reason}"
            record_audit(books, now, who, "decide balance", number, detail)
        amount = None if subject.entry is None else subject.entry.amount
    return DecidedBalance(
        key, number, decision, amount, before, after, settled, moved or settled > 0
    )


def _find(books: Connection, key: str) -> _Subject:
    """Find what a key names; raises Misuse where it names nothing."""
    named = sa.or_(_FINDING.place == key, _FINDING.entry_key == key)
    in_order = sa.case((_FINDING.settled_at.is_(None), 0), else_=1), _FINDING.number
    found = books.execute(sa.select(feed_finding).where(named).order_by(*in_order)).all()
    entry_key = next((one.entry_key for one in found if one.entry_key), key)
    entry = books.execute(sa.select(balance_entry).where(_ENTRY.key == entry_key)).first()
    if entry is None and not found:
        raise Misuse(
            f"Nothing in the books has the key {key!r}: give an entry's id as `billclose list "
            "movements` shows it, or the movement that `billclose list exceptions` names.",
            "unknown-key",
        )
    if entry is None:  # a row that could not be read: each file has a row of that number
        found = [one for one in found if one.feed == found[0].feed]
        return _Subject(key, found[0].account_key, found, None)
    found = [one for one in found if one.account_key == entry.account_key]
    return _Subject(key, entry.account_key, found, entry)


def _apply(
    books: Connection, subject: _Subject, decision: BalanceDecision, now: datetime, who: str
) -> bool:
    """Bring the entry to where a person says that it is; tell whether that changed anything."""
    entry, is_carried = subject.entry, decision is BalanceDecision.CARRIED
    if entry is None:
        if is_carried:
            raise Misuse(
                f"{subject.key} has no entry that could be carried; what the billing system takes "
                "back needs a movement of its own. --contained settles it and moves nothing.",
                "nothing-to-carry",
            )
        return False
    if not entry.counts:
        written = books.execute(
            sa.select(balance_entry).where(_ENTRY.key == _written_key(entry))
        ).first()
        if written is None:
            return _write(books, subject, now, who) if is_carried else False
        entry = written
    return _carry(books, entry, now) if is_carried else _contain(books, entry)


def _written_key(entry: Any) -> str:
    return f"{EntrySource.OFFICE}/{entry.key}"


def _write(books: Connection, subject: _Subject, now: datetime, who: str) -> bool:
    """
    Write what the feed told and did not count as an entry of its own that counts.

    The billing system has it, so that the next export contains it, with a line or without one.
    """
    entry = subject.entry
    if not subject.findings:
        raise Misuse(
            f"{subject.key} is not in the balance due (rule 39); nothing of it is carried.",
            "nothing-to-carry",
        )
    if _has_it(entry, _newest(books, entry.account_key)):
        raise Misuse(
            f"{subject.key} was told before the account's newest export was written, which has it: "
            "carried, it would be asked for twice. --contained settles it.",
            "nothing-to-carry",
        )
    told = {name: getattr(entry, name) for name in BalanceEntry.__dataclass_fields__}
    decided = replace(
        BalanceEntry(**told),
        key=_written_key(entry),
        source=EntrySource.OFFICE,
        counts=True,
        in_export_of=None,
        how=None,
    )
    return bool(record_entries(books, [decided], now=now, who=who))


def _contain(books: Connection, entry: Any) -> bool:
    if entry.in_export_of is not None:
        return False
    newest = _newest(books, entry.account_key)
    if newest.period is None:
        raise Misuse(
            f"No period of the account of {entry.key} is closed: no export can contain it.",
            "nothing-closed",
        )
    _mark(books, entry, in_export_of=newest.period, how=ContainedBy.DECIDED)
    return True


def _carry(books: Connection, entry: Any, now: datetime) -> bool:
    """
    Take back that the newest export contains an entry.

    What the billing system has told of counts as told now: the next export has it for certain.
    """
    newest, told_at = _newest(books, entry.account_key), entry.told_at
    if not _has_it(entry, newest):
        return False
    if entry.in_export_of not in (None, newest.period) or entry.how is ContainedBy.AGREED:
        why = "an agreed amount" if entry.how is ContainedBy.AGREED else "an older bill"
        raise Misuse(
            f"{entry.key} is done with by {why} ({entry.in_export_of}); it cannot be carried over "
            "the newest one.",
            "nothing-to-carry",
        )
    _mark(books, entry, in_export_of=None, how=None, told_at=told_at and now)
    return True


def _mark(books: Connection, entry: Any, **values: Any) -> None:
    books.execute(balance_entry.update().where(_ENTRY.key == entry.key).values(**values))
    add_up(books, [entry.account_key])


def _newest(books: Connection, account_key: str) -> Any:
    """Read which closed export the account's bill is of, and what that surely knew."""
    query = sa.select(balance_due.c.period.label("period"), bill_run.c.sure_until).outerjoin(
        bill_run, bill_run.c.period == balance_due.c.period
    )
    return books.execute(query.where(balance_due.c.account_key == account_key)).one()


def _has_it(entry: Any, newest: Any) -> bool:
    """Tell whether an export contains an entry, marked or not marked yet."""
    if entry.in_export_of is not None or entry.told_at is None or newest.sure_until is None:
        return entry.in_export_of is not None
    return bool(entry.told_at <= newest.sure_until)


def _number(books: Connection, subject: _Subject) -> str:
    query = sa.select(balance_due.c.account)
    known = books.scalar(query.where(balance_due.c.account_key == subject.account_key))
    return str(known or subject.findings[0].account)


def _settle(books: Connection, findings: Sequence[Any], how: str, now: datetime, who: str) -> int:
    numbers = [one.number for one in findings if one.settled_at is None]
    if numbers:
        books.execute(
            feed_finding.update()
            .where(_FINDING.number.in_(numbers))
            .values(settled_at=now, settled_by=who, settled_as=how)
        )
    return len(numbers)
