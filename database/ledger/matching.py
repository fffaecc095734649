"""Which outstanding entries a staged export contains, account by account, out of the books."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.ledger.tables import balance_entry
from database.tables import account, balance_due, bill_run, movement, posting
from domain.accounts import AccountStatus
from domain.ledger import BalanceEntry, EntryKind, EntrySource
from domain.movements import MovementKind
from domain.payments import PostingState
from rules.money.export_boundary import Bounds, ExportLine, Matched, Outstanding, match_export

SOME = 500  # accounts that one statement names
_ENTRY, _BALANCE, _LINE = balance_entry.c, balance_due.c, movement.c


@dataclass(frozen=True, slots=True)
class AccountMatch:
    """One account's outstanding entries, and which of them the export contains by what."""

    account_key: str
    entries: tuple[Outstanding, ...]
    matched: Matched

    @property
    def carried(self) -> list[Outstanding]:
        return self.matched.rest(self.entries)


@dataclass(frozen=True, slots=True)
class StagedPeriod:
    """A period whose export is staged, and what that export can know."""

    period: str
    ends_on: date
    bounds: Bounds
    timezone: str


def read_staged(books: Connection, period: str, posting_days: int) -> StagedPeriod:
    """Read what a period's export surely knows and cannot know; moments, the day is local."""
    row = books.execute(sa.select(bill_run).where(bill_run.c.period == period)).one()
    last_day = row.not_after.astimezone(ZoneInfo(row.timezone)).date()
    bounds = Bounds(row.sure_until, row.not_after, last_day, posting_days)
    return StagedPeriod(period, row.ends_on, bounds, row.timezone)


def moving_accounts(staged: StagedPeriod) -> sa.Select[Any]:
    """
    Select the accounts whose balance this period's close moves: those with a row, as it has all.

    Not the closed ones, and not those whose balance already stands for a later period.
    """
    billed = sa.select(account.c.account_key).where(
        account.c.period == staged.period, account.c.status != AccountStatus.CLOSED
    )
    return sa.select(_BALANCE.account_key).where(
        _BALANCE.account_key.in_(billed), stands_for_no_later(staged)
    )


def stands_for_no_later(staged: StagedPeriod) -> sa.ColumnElement[bool]:
    """Claim that a balance is of no later period: an older one must not take its place."""
    later = sa.select(bill_run.c.period).where(bill_run.c.ends_on > staged.ends_on)
    return sa.or_(_BALANCE.period.is_(None), _BALANCE.period.not_in(later))


def agreed_accounts(period: str | sa.BindParameter[str]) -> sa.Select[Any]:
    """Select the accounts of a period that pay an agreed amount: nothing is carried over to it."""
    return sa.select(account.c.account_key).where(
        account.c.period == period,
        account.c.status == AccountStatus.ACTIVE,
        account.c.equal_pay_amount.is_not(None),
    )


def is_named_exactly(period: str) -> sa.ColumnElement[bool]:
    """
    Claim that a line of the export has the entry's own number and amount.

    For most payments that is all there is to know, and one statement says it of all of them.
    """
    receipt = sa.select(posting.c.receipt).where(posting.c.entry_key == _ENTRY.key)
    number = receipt.correlate(balance_entry).scalar_subquery()
    line = sa.exists().where(
        _LINE.period == period,
        _LINE.account_key == _ENTRY.account_key,
        _LINE.amount == _ENTRY.amount,
        _LINE.reference != "",
        sa.or_(_LINE.reference == _ENTRY.reference, _LINE.reference == number),
    )
    ours = sa.and_(_ENTRY.source != EntrySource.FEED, _ENTRY.kind == EntryKind.PAYMENT)
    return sa.and_(ours, sa.or_(_ENTRY.told_at.is_(None), ~_is_known_already()), line)


def _is_known_already() -> sa.ColumnElement[bool]:
    """
    Claim that the export of the bill that an account's balance stands for knew the entry.

    It is marked only some time after that close, or not at all where the process dies between:
    a line of the next export is another entry's.
    """
    return sa.exists().where(
        _BALANCE.account_key == _ENTRY.account_key,
        bill_run.c.period == _BALANCE.period,
        _ENTRY.told_at <= bill_run.c.sure_until,
    )


def is_outstanding(sure_until: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Claim that an entry counts over an amount due whose export knew all until a moment."""
    return sa.and_(
        _ENTRY.in_export_of.is_(None),
        sa.or_(_ENTRY.told_at.is_(None), sure_until.is_(None), _ENTRY.told_at > sure_until),
    )


def match_period(
    books: Connection,
    staged: StagedPeriod,
    *,
    is_closing: bool = False,
    only: sa.ColumnElement[bool] | None = None,
) -> Iterator[AccountMatch]:
    """
    Match the accounts about which one statement cannot tell; the others need no look.

    Those are the accounts with an entry that no line names exactly and that the billing system
    did not surely have when it wrote the export. Equal-pay accounts are left out. A close has
    marked already what a line names exactly (`is_closing`): on these accounts it takes its lines
    along, and is not named again. `only` is a condition on the entries: of the accounts that move.
    """
    query = _accounts_at_risk(staged, is_closing)
    at_risk = sorted(books.scalars(query if only is None else query.where(only)))
    for first in range(0, len(at_risk), SOME):
        some = at_risk[first : first + SOME]
        lines = read_lines(books, staged.period, some)
        marked = _read_marked(books, staged, some) if is_closing else {}
        for key, entries in _read_outstanding(books, staged, some).items():
            all_of_them = [*entries, *marked.get(key, ())]
            matched = match_export(lines.get(key, ()), all_of_them, staged.bounds)
            yield AccountMatch(key, tuple(entries), matched)


def _accounts_at_risk(staged: StagedPeriod, is_closing: bool) -> sa.Select[Any]:
    query = (
        sa.select(_ENTRY.account_key)
        .distinct()
        .where(
            _ENTRY.in_export_of.is_(None),
            _ENTRY.counts,
            sa.or_(_ENTRY.told_at.is_(None), _ENTRY.told_at > staged.bounds.sure_until),
            _ENTRY.account_key.in_(moving_accounts(staged)),
            _ENTRY.account_key.not_in(agreed_accounts(staged.period)),
        )
    )
    return query if is_closing else query.where(~is_named_exactly(staged.period))


def _read_outstanding(
    books: Connection, staged: StagedPeriod, keys: Sequence[str]
) -> dict[str, list[Outstanding]]:
    counts = sa.and_(is_outstanding(bill_run.c.sure_until), _ENTRY.counts)
    return _by_account(books, staged, keys, counts)


def _read_marked(
    books: Connection, staged: StagedPeriod, keys: Sequence[str]
) -> dict[str, list[Outstanding]]:
    return _by_account(books, staged, keys, _ENTRY.in_export_of == staged.period)


def _by_account(
    books: Connection,
    staged: StagedPeriod,
    keys: Sequence[str],
    condition: sa.ColumnElement[bool],
) -> dict[str, list[Outstanding]]:
    zone = ZoneInfo(staged.timezone)
    query = (
        _with_postings()
        .where(_ENTRY.account_key.in_(keys), condition)
        .order_by(_ENTRY.account_key, _ENTRY.happened_on, _ENTRY.key)
    )
    found: dict[str, list[Outstanding]] = {}
    for row in books.execute(query):
        found.setdefault(row.account_key, []).append(to_outstanding(row, zone))
    return found


def _with_postings() -> sa.Select[Any]:
    return (
        sa.select(
            balance_entry,
            posting.c.state,
            posting.c.receipt,
            posting.c.first_asked_at,
            posting.c.asked_at,
            posting.c.posted_at,
        )
        .outerjoin(posting, posting.c.entry_key == _ENTRY.key)
        .outerjoin(balance_due, _BALANCE.account_key == _ENTRY.account_key)
        .outerjoin(bill_run, bill_run.c.period == _BALANCE.period)
    )


def to_outstanding(row: Any, zone: ZoneInfo) -> Outstanding:
    """Make what the rule needs of an entry and its posting; `zone` is the export's own."""
    is_ours = row.source is not EntrySource.FEED
    stands_from = may_stand_from(row)
    return Outstanding(
        key=row.key,
        amount=row.amount,
        day=row.happened_on,
        is_ours=is_ours,
        confirmation=row.reference or "",
        receipt=row.receipt or "",
        told_at=row.told_at,
        posted_at=None if is_ours else row.happened_at,
        may_stand_from=stands_from,
        posted_on=last_asked_on(row, zone, stands_from) if stands_from else None,
        payment_key=row.payment_key or "",
        moved_at=row.happened_at if is_ours else None,
    )


def may_stand_from(row: Any) -> datetime | None:
    """
    Return from when on cash receipting may have an entry of ours; None: it surely has not.

    What a person entered there by hand may stand there since the money moved.
    """
    by_hand = row.state is PostingState.POSTED and row.first_asked_at is None
    moment: datetime | None = row.happened_at if by_hand else row.first_asked_at
    return moment


def last_asked_on(row: Any, zone: ZoneInfo, otherwise: datetime | None = None) -> date | None:
    """Return the local day on which cash receipting was last asked for an entry of ours."""
    moment: datetime | None = row.posted_at or row.asked_at or otherwise
    return moment.astimezone(zone).date() if moment else None


def read_lines(books: Connection, period: str, keys: Sequence[str]) -> dict[str, list[ExportLine]]:
    """Return the lines of an export on some accounts, all but what was billed."""
    query = (
        sa.select(
            _LINE.line,
            _LINE.account_key,
            _LINE.posted_on,
            _LINE.kind,
            _LINE.amount,
            _LINE.reference,
        )
        .where(
            _LINE.period == period, _LINE.account_key.in_(keys), _LINE.kind != MovementKind.BILLING
        )
        .order_by(_LINE.line)
    )
    found: dict[str, list[ExportLine]] = {}
    for row in books.execute(query):
        line = ExportLine(row.line, row.posted_on, row.kind, row.amount, row.reference)
        found.setdefault(row.account_key, []).append(line)
    return found


def explained_late(
    books: Connection, period: str, account_key: str, told: Sequence[BalanceEntry]
) -> set[str]:
    """
    Return which movements of the feed a closed period's export has already.

    They are told only after its close, in a file that was written after the export, and happened
    before. A line that nothing else explains is one of them: by reference, or by amount and day.
    What the export contains explains a line of its own day, however it was found there; a line of
    a later day is rather what is told of that day.
    """
    staged = read_staged(books, period, 0)
    zone = ZoneInfo(staged.timezone)
    is_inside = sa.or_(
        _ENTRY.in_export_of == period,
        sa.and_(
            _ENTRY.in_export_of.is_(None),
            _BALANCE.period == period,
            _ENTRY.told_at <= staged.bounds.sure_until,
        ),
    )
    inside = [
        replace(to_outstanding(row, zone), told_at=staged.bounds.sure_until)
        for row in books.execute(
            _with_postings().where(_ENTRY.account_key == account_key, is_inside)
        )
    ]
    lines = read_lines(books, period, [account_key]).get(account_key, [])
    free = match_export(lines, inside, staged.bounds).free
    new = [
        Outstanding(
            entry.key, entry.amount, entry.happened_on, False, confirmation=entry.reference or ""
        )
        for entry in told
    ]  # fmt: skip
    return set(match_export(free, new, staged.bounds).contained)
