"""What the books know of a feed's accounts: movements told before, our own entries, exports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.ledger.tables import balance_entry, entry_told
from database.tables import account, balance_due, bill_run, movement, posting
from database.types import Cents
from domain.feeds import FeedMovement
from domain.ledger import MONEY_KINDS, EntryKind, EntrySource
from domain.money import ZERO, Money
from domain.movements import MovementKind
from rules.export_boundary import Bounds, ExportLine, Outstanding, match_export
from rules.feed import OwnEntry, is_booked_late

_ENTRY = balance_entry.c
_OURS = (*MONEY_KINDS, EntryKind.FEE)


@dataclass(frozen=True, slots=True)
class OwnStanding:
    """One entry of ours as it stands: what came back of it, whether the feed has it whole."""

    amount: Money
    come_back: Money
    is_told: bool


@dataclass(frozen=True, slots=True)
class Base:
    """The account's newest closed period, and what its export knew."""

    run: str
    sure_until: datetime
    not_after: datetime
    timezone: str

    @property
    def last_day(self) -> date:
        return self.not_after.astimezone(ZoneInfo(self.timezone)).date()


class Known:
    """What was read of some accounts, whose balances are locked."""

    def __init__(
        self,
        told: dict[str, tuple[str, Money]],
        own: dict[str, list[OwnEntry]],
        standing: dict[str, OwnStanding],
        bases: dict[str, Base],
        accounts: set[str],
    ) -> None:
        self._told = told
        self._own = own
        self._standing = standing
        self._bases = bases
        self._accounts = accounts
        self._free: dict[str, list[ExportLine]] = {}  # lines that no entry explains, by account

    def told(self, movement: FeedMovement) -> tuple[str, Money] | None:
        """Return the account and amount with which a movement was told before."""
        return self._told.get(movement.movement_id)

    def own(self, account_key: str) -> list[OwnEntry]:
        return self._own.get(account_key, [])

    def entry(self, key: str) -> OwnStanding:
        return self._standing[key]

    def has_account(self, account_key: str) -> bool:
        return account_key in self._accounts

    def late_in(
        self,
        books: Connection,
        told: FeedMovement,
        written_at: datetime,
        posted_at: datetime | None,
    ) -> str | None:
        """Return the newest closed period of the account if its export has a movement already."""
        base = self._bases.get(told.key)
        if base is None:
            return None
        said = is_booked_late(
            told, file_written_at=written_at, exported_at=base.sure_until, posted_at=posted_at
        )
        if said is None:
            said = told.happened_on <= base.last_day and self._takes_line(books, base, told)
        return base.run if said else None

    def _takes_line(self, books: Connection, base: Base, told: FeedMovement) -> bool:
        """
        Tell whether the export has a line for a movement that nothing else explains, and take it.

        A line is explained once: a second movement of its amount and day is not in the export.
        """
        bounds = Bounds(base.sure_until, base.not_after, base.last_day)
        if told.key not in self._free:
            lines = _lines(books, base.run, told.key)
            inside = _contained(books, base.run, told.key)
            self._free[told.key] = match_export(lines, inside, bounds).free
        this = Outstanding(
            key=told.entry_key,
            amount=told.amount,
            day=told.happened_on,
            is_ours=False,
            confirmation=told.reference,
        )
        found = match_export(self._free[told.key], [this], bounds)
        self._free[told.key] = found.free
        return told.entry_key in found.contained


def read_known(books: Connection, movements: Sequence[FeedMovement]) -> Known:
    """Read for all movements at once what is known of them and of their accounts."""
    keys = sorted({one.key for one in movements})
    told = _read_told(books, movements)
    own, standing = _read_own(books, keys)
    accounts = set(
        books.scalars(
            sa.select(account.c.account_key).where(account.c.account_key.in_(keys)).distinct()
        )
    )
    return Known(told, own, standing, _read_bases(books, keys), accounts)


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
    books: Connection, keys: Sequence[str]
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
            *(_ENTRY[name] for name in ("reference", "told_at", "in_export_of")),
            posting.c.receipt,
            posting.c.asked_at,
            back.label("back"),
        )
        .outerjoin(posting, posting.c.entry_key == _ENTRY.key)
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
        own.setdefault(row.account_key, []).append(_to_own(row))
        standing[row.key] = OwnStanding(row.amount, row.back or ZERO, row.told_at is not None)
    return own, standing


def _to_own(row: Any) -> OwnEntry:
    return OwnEntry(
        key=row.key,
        amount=row.amount,
        happened_on=row.happened_on,
        confirmation=row.reference or "",
        receipt=row.receipt or "",
        posting_asked_at=row.asked_at,
        come_back=row.back or ZERO,
        is_known=row.told_at is not None or row.in_export_of is not None,
    )


def _read_bases(books: Connection, keys: Sequence[str]) -> dict[str, Base]:
    query = (
        sa.select(
            balance_due.c.account_key,
            bill_run.c.run,
            bill_run.c.sure_until,
            bill_run.c.not_after,
            bill_run.c.timezone,
        )
        .join(bill_run, bill_run.c.run == balance_due.c.run)
        .where(balance_due.c.account_key.in_(keys))
    )
    return {
        row.account_key: Base(row.run, row.sure_until, row.not_after, row.timezone)
        for row in books.execute(query)
    }


def _lines(books: Connection, run: str, account_key: str) -> list[ExportLine]:
    rows = movement.c
    query = (
        sa.select(rows.line, rows.posted_on, rows.kind, rows.amount, rows.reference)
        .where(rows.run == run, rows.account_key == account_key, rows.kind != MovementKind.BILLING)
        .order_by(rows.line)
    )
    return [ExportLine(*row) for row in books.execute(query)]


def _contained(books: Connection, run: str, account_key: str) -> list[Outstanding]:
    query = (
        sa.select(balance_entry, posting.c.receipt, posting.c.asked_at)
        .outerjoin(posting, posting.c.entry_key == _ENTRY.key)
        .where(_ENTRY.account_key == account_key, _ENTRY.in_export_of == run)
        .order_by(_ENTRY.key)
    )
    return [
        Outstanding(
            key=row.key,
            amount=row.amount,
            day=row.happened_on,
            is_ours=row.source is not EntrySource.FEED,
            confirmation=row.reference or "",
            receipt=row.receipt or "",
            told_at=row.told_at,
            may_stand_from=row.asked_at,
            payment_key=row.payment_key or "",
        )
        for row in books.execute(query)
    ]
