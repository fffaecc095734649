"""How each of a portal user's accounts stands now: owed, on its way, to be drawn, paid last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.account_changes import FLAGS, account_in_force
from database.definitions.checkout import checkout, checkout_line
from database.ledger.received import received_on
from database.ledger.tables import account_change, balance_entry
from database.queries.balances import on_its_way, open_balance, stands_with
from database.queries.corrections import is_of_account, standing_corrections
from database.tables import account, balance_due, bill, bill_run, gateway_payment, movement
from domain.feeds import ChangeField
from domain.ledger import EntryKind, EntrySource
from domain.money import ZERO, Money
from domain.movements import MovementKind
from domain.payments import MethodKind, PaymentKind, PaymentState
from domain.since_bill import SinceBill


@dataclass(frozen=True, slots=True)
class NextDraw:
    """The next payment that autopay draws."""

    pay_on: date
    amount: Money
    kind: MethodKind
    last4: str


@dataclass(frozen=True, slots=True)
class AccountStanding:
    """
    One account as its customer sees it (rules 38-42, 46); dates are local dates.

    `owed` is the open balance, `on_its_way` what was asked of a gateway and not answered yet.
    """

    account_key: str
    account: str
    period: str
    name: str
    service_address: str
    owed: Money
    on_its_way: Money
    due_on: date | None
    has_bill: bool
    block_ach: bool
    block_card: bool
    direct_pay: bool
    next_draw: NextDraw | None = None
    taken_last: tuple[Money, datetime] | None = None  # by autopay or by hand, and the moment
    paid_elsewhere: tuple[Money, date] | None = None  # the last, as the billing system tells
    since: SinceBill | None = None  # None: nothing moved since the newest bill

    @property
    def payable(self) -> Money:
        """What can be paid now: what is owed less what is on its way, never below zero."""
        return max(self.owed - self.on_its_way, ZERO)

    def last_paid(self, zone: ZoneInfo) -> tuple[Money, date] | None:
        """Return what was paid last, here or elsewhere, and on which local day (rule 46)."""
        here = self.taken_last and (self.taken_last[0], self.taken_last[1].astimezone(zone).date())
        if here and self.paid_elsewhere:
            return max(here, self.paid_elsewhere, key=lambda one: one[1])
        return here or self.paid_elsewhere

    def is_late(self, today: date) -> bool:
        return self.due_on is not None and self.due_on < today and self.owed > ZERO


def standings_of(books: Connection, keys: Sequence[str]) -> list[AccountStanding]:
    """Return how accounts stand, by number, in one reading of the books (rule 39)."""
    if not keys:
        return []
    draws, paid = _payments(books, keys)
    elsewhere = {
        row.account_key: (row.amount, row.paid_on)
        for row in books.execute(_ELSEWHERE, {"keys": list(keys)})
    }
    rows = books.execute(_STANDING, {"keys": list(keys)}).all()
    told = _told(books, [row.account_key for row in rows if row.is_told])
    moved = since_bills(books, [row.account_key for row in rows if row.bills and row.has_moved])
    return [
        _to_standing(
            row,
            told.get(row.account_key, row),
            draws.get(row.account_key),
            paid.get(row.account_key),
            elsewhere.get(row.account_key),
            moved.get(row.account_key),
        )
        for row in rows
    ]


def since_bills(books: Connection, keys: Sequence[str]) -> dict[str, SinceBill]:
    """
    Return what each account's newest bill shows and what moved since, by key (rules 38, 39).

    Of a corrected bill what it shows now; then what the correction moved is no news.
    """
    if not keys:
        return {}
    found = {}
    for row in books.execute(_SINCE, {"keys": list(keys)}):
        billed = row.amount_due if row.corrected_due is None else row.corrected_due
        added = row.added + row.amount_due - billed
        found[row.account_key] = SinceBill(billed, added, row.paid, row.first_on, row.last_on)
    return found


def _payments(
    books: Connection, keys: Sequence[str]
) -> tuple[dict[str, NextDraw], dict[str, tuple[Money, datetime]]]:
    """Return of each account what is drawn next, and what was paid last, by autopay or by hand."""
    draws, paid = {}, {}
    for row in books.execute(_PAYMENTS, {"keys": list(keys)}):
        if row.taken_at is None:
            draws[row.account_key] = NextDraw(row.pay_on, row.amount, row.method_kind, row.last4)
        else:
            paid[row.account_key] = row.amount, row.taken_at
    return draws, paid


def _told(books: Connection, keys: Sequence[str]) -> dict[str, Any]:
    """Return what is in force of the accounts that the feed told something of: few, and dear."""
    if not keys:
        return {}
    return {row.account_key: row for row in books.execute(_IN_FORCE, {"keys": list(keys)})}


def _to_standing(
    row: Any,
    facts: Any,
    planned: NextDraw | None,
    paid: tuple[Money, datetime] | None,
    elsewhere: tuple[Money, date] | None,
    since: SinceBill | None,
) -> AccountStanding:
    return AccountStanding(
        row.account_key,
        row.account,
        row.period,
        facts.name,
        row.service_address,
        row.owed,
        row.on_its_way,
        row.due_on,
        row.bills > 0,
        facts.block_ach,
        facts.block_card,
        facts.direct_pay,
        planned,
        paid,
        elsewhere,
        since,
    )


_KEYS: sa.BindParameter[list[str]] = sa.bindparam("keys", expanding=True)
_BILLS = (
    sa.select(sa.func.count())
    .select_from(bill)
    .where(stands_with(bill))
    .correlate(balance_due)
    .scalar_subquery()
)
_STANDING = (
    sa.select(
        balance_due.c.account_key,
        balance_due.c.account,
        balance_due.c.period,
        open_balance().label("owed"),
        on_its_way(balance_due.c.account_key).label("on_its_way"),
        balance_due.c.due_on,
        sa.or_(balance_due.c.added != ZERO, balance_due.c.paid != ZERO).label("has_moved"),
        _BILLS.label("bills"),
        sa.exists()
        .where(account_change.c.account_key == balance_due.c.account_key)
        .label("is_told"),
        account.c.name,
        account.c.service_address,
        *(account.c[name.value] for name in FLAGS),
    )
    .join(account, stands_with(account))
    .where(balance_due.c.account_key.in_(_KEYS))
    .order_by(balance_due.c.account)
)
_IN_FORCE = (
    sa.select(
        account.c.account_key,
        *(account_in_force(account, name).label(name.value) for name in (ChangeField.NAME, *FLAGS)),
    )
    .join(balance_due, stands_with(account))
    .where(account.c.account_key.in_(_KEYS))
)
_CORRECTED = standing_corrections()
_FIRST_ON, _LAST_ON = received_on(balance_due.c.account_key, bill_run.c.sure_until)
_SINCE = (
    sa.select(
        balance_due.c.account_key,
        balance_due.c.amount_due,
        balance_due.c.added,
        balance_due.c.paid,
        _CORRECTED.c.amount_due.label("corrected_due"),
        _FIRST_ON.label("first_on"),
        _LAST_ON.label("last_on"),
    )
    .join(bill_run, bill_run.c.period == balance_due.c.period)
    .outerjoin(_CORRECTED, is_of_account(_CORRECTED, balance_due))
    .where(balance_due.c.account_key.in_(_KEYS))
)
_paid = gateway_payment.c
_HOW = (_paid.pay_on, _paid.method_kind, _paid.last4)
_PLANNED = sa.select(
    _paid.account_key,
    _paid.amount,
    sa.cast(sa.null(), _paid.taken_at.type).label("taken_at"),
    *_HOW,
).where(
    _paid.kind == PaymentKind.AUTOPAY,
    _paid.state == PaymentState.SCHEDULED,
    _paid.account_key.in_(_KEYS),
)
_BY_AUTOPAY = sa.select(_paid.account_key, _paid.amount, _paid.taken_at, *_HOW).where(
    _paid.kind == PaymentKind.AUTOPAY,
    _paid.state == PaymentState.SUCCEEDED,
    _paid.account_key.in_(_KEYS),
)
_BY_HAND = (
    sa.select(checkout_line.c.account_key, checkout_line.c.amount, _paid.taken_at, *_HOW)
    .join(checkout, checkout.c.key == checkout_line.c.checkout)
    .join(gateway_payment, _paid.key == checkout.c.payment_key)
    .where(_paid.state == PaymentState.SUCCEEDED, checkout_line.c.account_key.in_(_KEYS))
)
_ALL = sa.union_all(_PLANNED, _BY_AUTOPAY, _BY_HAND).subquery("payments")
# Read last, and so what stays: of what was taken the newest, of what is planned the next.
_PAYMENTS = sa.select(_ALL).order_by(_ALL.c.taken_at, _ALL.c.pay_on.desc())
# What comes back of ours bears our number, and is known above with its moment.
_IS_OURS = sa.exists().where(
    _paid.account_key == movement.c.account_key, _paid.confirmation == movement.c.reference
)
_TOLD = sa.select(
    balance_entry.c.account_key,
    balance_entry.c.amount,
    balance_entry.c.happened_on.label("paid_on"),
).where(
    balance_entry.c.kind == EntryKind.PAYMENT,
    balance_entry.c.source == EntrySource.FEED,
    balance_entry.c.amount < ZERO,
    balance_entry.c.account_key.in_(_KEYS),
)
_EXPORTED = (
    sa.select(movement.c.account_key, movement.c.amount, movement.c.posted_on)
    .join(balance_due, stands_with(movement))
    .where(
        movement.c.kind == MovementKind.PAYMENT,
        movement.c.amount < ZERO,
        movement.c.account_key.in_(_KEYS),
        ~_IS_OURS,
    )
)
_BOTH = sa.union_all(_TOLD, _EXPORTED).subquery("elsewhere")
_ELSEWHERE = sa.select(
    _BOTH.c.account_key, (-_BOTH.c.amount).label("amount"), _BOTH.c.paid_on
).order_by(_BOTH.c.paid_on)  # the last is read last, and stays
