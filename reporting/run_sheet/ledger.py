"""The ledger's figures of a closed period: from its amounts due to what is open now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.ledger.matching import is_outstanding
from database.ledger.tables import balance_entry, payment_event
from database.queries.balances import NOTHING, open_balance
from database.tables import account, balance_due, bill_run, draw, period_close, posting
from database.types import Cents, Moment
from domain.accounts import AccountStatus
from domain.ledger import MONEY_KINDS, EntryKind, EntrySource
from domain.money import ZERO, Money
from domain.payments import DrawState, PostingKind, PostingState

_ENTRY = balance_entry.c
OURS_AGAIN = (EntryKind.REINSTATED, EntryKind.REFUND_FAILED)  # what went back and came again
OWN = (EntrySource.DRAW, EntrySource.CHECKOUT)


@dataclass(frozen=True, slots=True)
class LedgerSheet:
    """
    What the accounts of a period owe that have no later bill, and how it came about.

    Amounts as they change the balance: payments are below zero. `carried` was outstanding when
    the period was closed; `since` came after it, by kind.
    """

    closing_balance: Money = ZERO  # as the export has it, of all accounts
    closed_accounts: Money = ZERO  # of these, of the accounts that are closed
    agreed: Money = ZERO  # what equal-pay accounts are asked less than they owe
    due: Money = ZERO
    carried: Money = ZERO
    since: tuple[tuple[str, Money], ...] = ()
    open: Money = ZERO


@dataclass(frozen=True, slots=True)
class MoneySheet:
    """Our own money of all periods, as the gateway, the ledger and cash receipting have it."""

    taken: Money = ZERO
    given_back: Money = ZERO
    in_exports: Money = ZERO
    outstanding: Money = ZERO
    receipts: Money = ZERO  # posted
    reversals: Money = ZERO  # posted
    unposted: Money = ZERO  # receipts less reversals that are not posted


def read_ledger(books: Connection, period: str) -> LedgerSheet:
    """Read the figures of a closed period; zeros before the close."""
    close = books.execute(
        sa.select(period_close.c.closed_at, bill_run.c.sure_until)
        .join(bill_run, bill_run.c.period == period_close.c.period)
        .where(period_close.c.period == period)
    ).one_or_none()
    if close is None:
        return LedgerSheet()
    mine = balance_due.c.period == period
    standing = _ENTRY.account_key.in_(sa.select(balance_due.c.account_key).where(mine))
    outstanding = (is_outstanding(sa.literal(close.sure_until, Moment())), _ENTRY.counts, standing)
    before = _ENTRY.recorded_at <= close.closed_at
    since = (
        sa.select(_ENTRY.kind, _sum(_ENTRY.amount))
        .where(*outstanding, ~before)
        .group_by(_ENTRY.kind)
        .order_by(_ENTRY.kind)
    )
    balances = _read_export(books, period)
    return LedgerSheet(
        **balances,
        due=_total(books, balance_due.c.amount_due, mine),
        carried=_total(books, _ENTRY.amount, *outstanding, before),
        since=tuple((str(kind), amount) for kind, amount in books.execute(since)),
        open=_total(books, open_balance(), mine),
    )


def _read_export(books: Connection, period: str) -> dict[str, Money]:
    of, mine = account.c, account.c.period == period
    is_closed = of.status == AccountStatus.CLOSED
    difference = sa.type_coerce(of.closing_balance - of.amount_due, Cents())
    return {
        "closing_balance": _total(books, of.closing_balance, mine),
        "closed_accounts": _total(books, of.closing_balance, mine, is_closed),
        "agreed": _total(books, difference, mine, ~is_closed),
    }


def read_money(books: Connection) -> MoneySheet:
    """Read what was taken and what went back, as each of the three has it."""
    own = sa.and_(_ENTRY.source.in_(OWN), _ENTRY.kind.in_(MONEY_KINDS), _ENTRY.counts)
    is_contained = _ENTRY.in_export_of.is_not(None)
    event = payment_event.c
    came_again = event.kind.in_(OURS_AGAIN)
    posted = posting.c.state == PostingState.POSTED
    receipt, reversal = (
        posting.c.kind == kind for kind in (PostingKind.RECEIPT, PostingKind.REVERSAL)
    )
    not_posted = posting.c.state != PostingState.POSTED
    return MoneySheet(
        taken=_total(books, draw.c.amount, draw.c.state == DrawState.APPROVED),
        given_back=_total(books, event.amount, ~came_again)
        - _total(books, event.amount, came_again),
        in_exports=-_total(books, _ENTRY.amount, own, is_contained),
        outstanding=-_total(books, _ENTRY.amount, own, ~is_contained),
        receipts=_total(books, posting.c.amount, receipt, posted),
        reversals=_total(books, posting.c.amount, reversal, posted),
        unposted=_total(books, posting.c.amount, receipt, not_posted)
        - _total(books, posting.c.amount, reversal, not_posted),
    )


def _total(
    books: Connection, amount: sa.ColumnElement[Any], *conditions: sa.ColumnElement[bool]
) -> Money:
    found: Money | None = books.scalar(sa.select(_sum(amount)).where(*conditions))
    return found or ZERO


def _sum(amount: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.type_coerce(sa.func.coalesce(sa.func.sum(amount), NOTHING), Cents())
