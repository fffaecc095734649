"""What the books know of a feed's accounts: movements told before, and our own entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.ledger.matching import last_asked_on, may_stand_from
from database.ledger.tables import balance_entry, entry_told
from database.tables import account, bill_run, posting
from database.types import Cents
from domain.feeds import FeedMovement
from domain.ledger import MONEY_KINDS, ContainedBy, EntryKind, EntrySource
from domain.money import ZERO, Money
from rules.feed import OwnEntry

_ENTRY = balance_entry.c
_OURS = (*MONEY_KINDS, EntryKind.FEE)


@dataclass(frozen=True, slots=True)
class OwnStanding:
    """One entry of ours as it stands: what came back of it, whether the feed has it whole."""

    amount: Money
    come_back: Money
    is_told: bool


class Known:
    """What was read of some accounts, whose balances are locked."""

    def __init__(
        self,
        told: dict[str, tuple[str, Money]],
        own: dict[str, list[OwnEntry]],
        standing: dict[str, OwnStanding],
        accounts: set[str],
    ) -> None:
        self._told = told
        self._own = own
        self._standing = standing
        self._accounts = accounts

    def told(self, movement: FeedMovement) -> tuple[str, Money] | None:
        """Return the account and amount with which a movement was told before."""
        return self._told.get(movement.movement_id)

    def own(self, account_key: str) -> list[OwnEntry]:
        return self._own.get(account_key, [])

    def entry(self, key: str) -> OwnStanding:
        return self._standing[key]

    def has_account(self, account_key: str) -> bool:
        return account_key in self._accounts


def read_known(books: Connection, movements: Sequence[FeedMovement], zone: ZoneInfo) -> Known:
    """Read for all movements at once what is known of them and of their accounts."""
    keys = sorted({one.key for one in movements})
    told = _read_told(books, movements)
    own, standing = _read_own(books, keys, zone)
    accounts = set(
        books.scalars(
            sa.select(account.c.account_key).where(account.c.account_key.in_(keys)).distinct()
        )
    )
    return Known(told, own, standing, accounts)


def _read_told(
    books: Connection, movements: Sequence[FeedMovement]
) -> dict[str, tuple[str, Money]]:
    """Return what was told: as an entry of its own, as ours come back, or as both in parts."""
    ids = [one.movement_id for one in movements]
    entries = sa.select(_ENTRY.key, _ENTRY.account_key, _ENTRY.amount).where(
        _ENTRY.key.in_([one.entry_key for one in movements])
    )
    found = {
        row.key.removeprefix("feed/"): (row.account_key, row.amount)
        for row in books.execute(entries)
    }
    came_back = (
        sa.select(entry_told.c.movement_id, entry_told.c.amount, _ENTRY.account_key)
        .join(balance_entry, _ENTRY.key == entry_told.c.entry_key)
        .where(entry_told.c.movement_id.in_(ids))
    )
    for row in books.execute(came_back):
        rest = found.get(row.movement_id, (row.account_key, ZERO))[1]
        found[row.movement_id] = (row.account_key, rest + row.amount)
    return found


def _read_own(
    books: Connection, keys: Sequence[str], zone: ZoneInfo
) -> tuple[dict[str, list[OwnEntry]], dict[str, OwnStanding]]:
    back = (
        sa.select(sa.func.sum(entry_told.c.amount, type_=Cents()))
        .where(entry_told.c.entry_key == _ENTRY.key)
        .correlate(balance_entry)
        .scalar_subquery()
    )
    query = (
        sa.select(
            *(_ENTRY[name] for name in ("key", "account_key", "amount", "happened_on")),
            *(_ENTRY[name] for name in ("happened_at", "reference", "told_at")),
            *(_ENTRY[name] for name in ("in_export_of", "how")),
            bill_run.c.not_after,
            *(posting.c[name] for name in ("state", "receipt")),
            *(posting.c[name] for name in ("first_asked_at", "asked_at", "posted_at")),
            back.label("back"),
        )
        .outerjoin(posting, posting.c.entry_key == _ENTRY.key)
        .outerjoin(bill_run, bill_run.c.period == _ENTRY.in_export_of)
        .where(
            _ENTRY.account_key.in_(keys),
            _ENTRY.source != EntrySource.FEED,
            _ENTRY.kind.in_(_OURS),
            _ENTRY.counts,
        )
        .order_by(_ENTRY.key)
    )
    own: dict[str, list[OwnEntry]] = {}
    standing = {}
    for row in books.execute(query):
        own.setdefault(row.account_key, []).append(_to_own(row, zone))
        standing[row.key] = OwnStanding(row.amount, row.back or ZERO, row.told_at is not None)
    return own, standing


def _to_own(row: Any, zone: ZoneInfo) -> OwnEntry:
    return OwnEntry(
        key=row.key,
        amount=row.amount,
        happened_on=row.happened_on,
        confirmation=row.reference or "",
        receipt=row.receipt or "",
        posting_asked_at=may_stand_from(row),
        last_asked_on=last_asked_on(row, zone),
        come_back=row.back or ZERO,
        is_known=_is_known(row),
    )


def _is_known(row: Any) -> bool:
    """
    Tell whether the billing system has an entry already, by an export or the feed.

    That an agreed amount takes the place of what moved before it says nothing of that: what cash
    receipting was asked for only afterwards comes back yet. What may be either is ours where it is
    a charge, and somebody else's where it is a payment: in doubt the customer is right.
    """
    if row.told_at is not None or row.in_export_of is None:
        return row.told_at is not None
    if row.how is not ContainedBy.AGREED:
        return True
    asked_at, not_after = may_stand_from(row), row.not_after
    may_stand_there = asked_at is None or not_after is None or asked_at <= not_after
    return row.amount < ZERO and may_stand_there
