"""Writing balance entries, and the sums beside them that every reader takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.inserting import insert_new
from database.ledger.locking import lock_balances
from database.ledger.matching import explained_late, is_outstanding
from database.ledger.tables import balance_entry
from database.tables import balance_due, bill_run, period_close
from database.types import Cents, Moment
from domain.ledger import MONEY_KINDS, BalanceEntry, ContainedBy, EntrySource
from domain.money import ZERO, Money

_ENTRY, _BALANCE = balance_entry.c, balance_due.c
NOTHING = sa.literal(ZERO, Cents())


def record_entries(
    books: Connection, entries: Sequence[BalanceEntry], *, now: datetime, who: str
) -> set[str]:
    """
    Add entries, each once by its key, and their amounts to the sums; return the keys that are new.

    The one way into the ledger. It locks the balances of the accounts; who read a balance to
    decide on these entries has locked them before reading (`lock_balances`).

    What the billing system had before it wrote the account's newest export is in that export
    (`late`): by when it told of it, for a movement of the feed by `happened_at`, or by a line that
    nothing else explains. So is what
    moved on an equal-pay account before its close: an agreed amount is asked whatever was paid
    before, and an export of that moment would say the same (`agreed`).
    Neither moves a sum. Raises ValueError where a key is known with another account or amount.
    """
    if not entries:
        return set()
    lock_balances(books, (entry.account_key for entry in entries if entry.counts))
    placed = _place(books, entries)
    rows = [_to_row(entry, now, who) for entry in placed]
    given = rows if len(rows) > 1 else rows[0]  # one is told in fewer words
    new = set(books.scalars(_inserting(books.dialect.name), given))
    _require_same(books, [entry for entry in placed if entry.key not in new])
    _add_to_sums(books, [entry for entry in placed if entry.key in new and _moves(entry)])
    return new


def add_up(books: Connection, keys: Iterable[str]) -> None:
    """Make the sums of some accounts anew from their entries; their balances are locked first."""
    ordered = sorted(set(keys))
    if not ordered:
        return
    lock_balances(books, ordered)
    sums = outstanding_sums(_ENTRY.account_key.in_(ordered))
    found = {row.account_key: row for row in books.execute(sums)}
    given = [
        {
            "of_account": key,
            "new_added": found[key].added if key in found else ZERO,
            "new_paid": found[key].paid if key in found else ZERO,
        }
        for key in ordered
    ]
    books.execute(_SETTING, given)


def find_wrong_sums(books: Connection, limit: int = 20) -> list[str]:
    """
    Add all sums up again from their entries; return the accounts where they differ.

    Also those with entries and no balance, and balances that no entry explains.
    """
    sums = outstanding_sums().subquery()
    added = sa.func.coalesce(sums.c.added, NOTHING)
    paid = sa.func.coalesce(sums.c.paid, NOTHING)
    query = (
        sa.select(_BALANCE.account)
        .outerjoin(sums, sums.c.account_key == _BALANCE.account_key)
        .where(sa.or_(_BALANCE.added != added, _BALANCE.paid != paid))
        .order_by(_BALANCE.account_key)
        .limit(limit)
    )
    without = (
        sa.select(_ENTRY.account_key)
        .distinct()
        .where(_ENTRY.counts, ~sa.exists().where(_BALANCE.account_key == _ENTRY.account_key))
        .limit(limit)
    )
    return [*books.scalars(query), *books.scalars(without)]


def outstanding_sums(
    *conditions: sa.ColumnElement[bool], sure_until: datetime | None = None
) -> sa.Select[Any]:
    """
    Select `added` and `paid` of each account as its entries add up to.

    Outstanding is what no export contains and what the billing system did not tell before it
    wrote the account's newest export: the latter is marked only some time after a close. With
    `sure_until` it is an export that is just being closed, in the place of the newest.
    """
    if sure_until is not None:
        sure: Any = sa.literal(sure_until, Moment())
        return _sums(balance_entry, sure, conditions)
    newest = balance_entry.outerjoin(
        balance_due, _BALANCE.account_key == _ENTRY.account_key
    ).outerjoin(bill_run, bill_run.c.period == _BALANCE.period)
    return _sums(newest, bill_run.c.sure_until, conditions)


def _sums(
    of: sa.FromClause, sure: Any, conditions: tuple[sa.ColumnElement[bool], ...]
) -> sa.Select[Any]:
    is_money = _ENTRY.kind.in_(MONEY_KINDS)
    return (
        sa.select(
            _ENTRY.account_key,
            sa.func.sum(sa.case((is_money, NOTHING), else_=_ENTRY.amount), type_=Cents()).label(
                "added"
            ),
            sa.func.sum(sa.case((is_money, -_ENTRY.amount), else_=NOTHING), type_=Cents()).label(
                "paid"
            ),
        )
        .select_from(of)
        .where(is_outstanding(sure), _ENTRY.counts, *conditions)
        .group_by(_ENTRY.account_key)
    )


def _to_row(entry: BalanceEntry, now: datetime, who: str) -> dict[str, Any]:
    row = {name: getattr(entry, name) for name in BalanceEntry.__dataclass_fields__}
    return row | {"recorded_at": now, "recorded_by": who}


@cache
def _inserting(dialect: str) -> Any:
    return insert_new(dialect, balance_entry).returning(_ENTRY.key)


def _require_same(books: Connection, known: Sequence[BalanceEntry]) -> None:
    """Refuse another amount under a key that is known: one of the two would be lost silently."""
    if not known:
        return
    query = sa.select(_ENTRY.key, _ENTRY.account_key, _ENTRY.amount)
    stands = {
        row.key: (row.account_key, row.amount)
        for row in books.execute(query.where(_ENTRY.key.in_([entry.key for entry in known])))
    }
    for entry in known:
        if stands[entry.key] != (entry.account_key, entry.amount):
            raise ValueError(f"the entry {entry.key} stands with another account or amount")


def _moves(entry: BalanceEntry) -> bool:
    return entry.counts and entry.in_export_of is None


def _place(books: Connection, entries: Sequence[BalanceEntry]) -> list[BalanceEntry]:
    """Say of each entry whether the account's newest export has it already."""
    keys = sorted({entry.account_key for entry in entries})
    newest = {row.account_key: row for row in books.execute(_NEWEST, {"keys": keys})}
    placed = [_placed(entry, newest.get(entry.account_key)) for entry in entries]
    late = _find_late(books, placed, newest)
    return [
        replace(entry, in_export_of=late[entry.key], how=ContainedBy.LATE)
        if entry.key in late
        else entry
        for entry in placed
    ]


def _find_late(
    books: Connection, entries: Sequence[BalanceEntry], newest: dict[str, Any]
) -> dict[str, str]:
    """
    Find what the export has although a file that was written after it tells of it.

    The day alone is known of these, and it is the export's last one or before.
    """
    by_account: dict[str, list[BalanceEntry]] = {}
    for entry in entries:
        base = newest.get(entry.account_key)
        if base is not None and _may_be_late(entry, base.not_after, base.timezone):
            by_account.setdefault(entry.account_key, []).append(entry)
    found: dict[str, str] = {}
    for key, told in by_account.items():
        period = newest[key].period
        found |= dict.fromkeys(explained_late(books, period, key, told), period)
    return found


def _may_be_late(entry: BalanceEntry, not_after: datetime, timezone: str) -> bool:
    is_told = entry.source is EntrySource.FEED and entry.in_export_of is None
    last_day = not_after.astimezone(ZoneInfo(timezone)).date()
    return is_told and entry.happened_at is None and entry.happened_on <= last_day


def _placed(entry: BalanceEntry, newest: Any) -> BalanceEntry:
    if entry.in_export_of is not None or newest is None:
        return entry
    known_at = entry.told_at
    if entry.source is EntrySource.FEED and entry.happened_at is not None:
        known_at = entry.happened_at  # it says to the moment when it was posted there
    if known_at is not None and known_at <= newest.sure_until:
        return replace(entry, in_export_of=newest.period, how=ContainedBy.LATE)
    if newest.equal_pay and _is_before(entry, newest.closed_at, newest.timezone):
        return replace(entry, in_export_of=newest.period, how=ContainedBy.AGREED)
    return entry


def _is_before(entry: BalanceEntry, closed_at: datetime, timezone: str) -> bool:
    if entry.happened_at is not None:
        return entry.happened_at < closed_at
    return entry.happened_on < closed_at.astimezone(ZoneInfo(timezone)).date()


def _add_to_sums(books: Connection, entries: Sequence[BalanceEntry]) -> None:
    """Raises ValueError where a balance is not there to be changed: money must not get lost."""
    sums: dict[str, tuple[Money, Money]] = {}
    for entry in entries:
        added, paid = sums.get(entry.account_key, (ZERO, ZERO))
        if entry.kind in MONEY_KINDS:
            paid -= entry.amount
        else:
            added += entry.amount
        sums[entry.account_key] = (added, paid)
    given = [
        {"of_account": key, "more_added": added, "more_paid": paid}
        for key, (added, paid) in sorted(sums.items())
    ]
    if given and books.execute(_ADDING, given).rowcount != len(given):
        there = set(books.scalars(_THERE, {"keys": list(sums)}))
        gone = ", ".join(sorted(sums.keys() - there)[:3])
        raise ValueError(f"the balance of {gone} is not there to be changed")


_NEWEST = (  # the account's newest export, as far as it says what it knew
    sa.select(
        _BALANCE.account_key,
        _BALANCE.period.label("period"),
        _BALANCE.equal_pay,
        bill_run.c.sure_until,
        bill_run.c.not_after,
        bill_run.c.timezone,
        period_close.c.closed_at,
    )
    .join(bill_run, bill_run.c.period == _BALANCE.period)
    .join(period_close, period_close.c.period == _BALANCE.period)
    .where(_BALANCE.account_key.in_(sa.bindparam("keys", expanding=True)))
)
_THERE = sa.select(_BALANCE.account_key).where(
    _BALANCE.account_key.in_(sa.bindparam("keys", expanding=True))
)
_ADDING = (
    balance_due.update()
    .where(_BALANCE.account_key == sa.bindparam("of_account"))
    .values(
        added=_BALANCE.added + sa.bindparam("more_added", type_=Cents()),
        paid=_BALANCE.paid + sa.bindparam("more_paid", type_=Cents()),
    )
)
_SETTING = (
    balance_due.update()
    .where(_BALANCE.account_key == sa.bindparam("of_account"))
    .values(
        added=sa.bindparam("new_added", type_=Cents()),
        paid=sa.bindparam("new_paid", type_=Cents()),
    )
)
