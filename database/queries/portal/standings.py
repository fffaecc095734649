"""How each of a portal user's accounts stands now: owed, on its way, to be drawn, paid last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.account_changes import FLAGS, account_in_force
from database.definitions.arrangements import arrangement
from database.definitions.checkout import checkout, checkout_line
from database.ledger.received import received_on
from database.ledger.tables import account_change, balance_entry
from database.prepared import Prepared
from database.queries.balances import on_its_way, open_balance, stands_with
from database.queries.corrections import is_of_account, standing_corrections
from database.queries.portal.accounts import seen_accounts
from database.tables import account, balance_due, bill, bill_run, gateway_payment, movement
from database.types import written_out
from domain.arrangements import ArrangementState
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
    has_plan: bool = False  # it is paid in installments now

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
    return _standings(books, _OF_KEYS.rows(books, {"keys": list(keys)}))


def standings_of_user(books: Connection, user: int, mailbox: str) -> list[AccountStanding]:
    """Return how the accounts stand that a portal user sees (rules 39, 123-135), by number."""
    return _standings(books, _OF_USER.rows(books, {"user": user, "mailbox": mailbox}))


def _standings(books: Connection, rows: Sequence[Any]) -> list[AccountStanding]:
    if not rows:
        return []
    draws, paid, elsewhere = _payments(books, [row.account_key for row in rows])
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
    for row in _SINCE.rows(books, {"keys": list(keys)}):
        billed = row.amount_due if row.corrected_due is None else row.corrected_due
        added = row.added + row.amount_due - billed
        found[row.account_key] = SinceBill(billed, added, row.paid, row.first_on, row.last_on)
    return found


def _payments(
    books: Connection, keys: Sequence[str]
) -> tuple[dict[str, NextDraw], dict[str, tuple[Money, datetime]], dict[str, tuple[Money, date]]]:
    """Return of each account what is drawn next, what was taken last, and what came elsewhere."""
    draws: dict[str, NextDraw] = {}
    paid: dict[str, tuple[Money, datetime]] = {}
    elsewhere: dict[str, tuple[Money, date]] = {}
    for key, amount, taken_at, on, kind, last4 in _PAYMENTS.rows(books, {"keys": list(keys)}):
        if kind is None:
            if key not in elsewhere or on >= elsewhere[key][1]:
                elsewhere[key] = -amount, on
        elif taken_at is not None:
            if key not in paid or taken_at >= paid[key][1]:
                paid[key] = amount, taken_at
        elif key not in draws or on <= draws[key].pay_on:
            draws[key] = NextDraw(on, amount, kind, last4)
    return draws, paid, elsewhere


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
        _still_drawn(planned, row.owed - row.on_its_way),
        paid,
        elsewhere,
        since,
        bool(row.has_plan),
    )


def _still_drawn(planned: NextDraw | None, left: Money) -> NextDraw | None:
    """What was paid since a draw was scheduled is not drawn (rule 39); all of it: nothing is."""
    if planned is None or left <= ZERO:
        return None
    return replace(planned, amount=min(planned.amount, left))


_KEYS: sa.BindParameter[list[str]] = sa.bindparam("keys", expanding=True)
_BILLS = (
    sa.select(sa.func.count())
    .select_from(bill)
    .where(stands_with(bill))
    .correlate(balance_due)
    .scalar_subquery()
)
# Written as the index has it: else SQLite may look through all plans of the city for one account.
_STANDS = sa.text("arrangement.state IN ('waiting', 'in-force')")
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
        sa.exists()
        .where(
            arrangement.c.account_key == balance_due.c.account_key,
            _STANDS,
            arrangement.c.state == ArrangementState.IN_FORCE,
        )
        .label("has_plan"),
        account.c.name,
        account.c.service_address,
        *(account.c[name.value] for name in FLAGS),
    )
    .join(account, stands_with(account))
    .order_by(balance_due.c.account)
)
_OF_KEYS = Prepared(_STANDING.where(balance_due.c.account_key.in_(_KEYS)))
_OF_USER = Prepared(_STANDING.where(balance_due.c.account_key.in_(seen_accounts())))
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
_SINCE = Prepared(
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
    _paid.kind == written_out(PaymentKind.AUTOPAY),
    _paid.state == PaymentState.SCHEDULED,
    _paid.account_key.in_(_KEYS),
)
_BY_AUTOPAY = sa.select(_paid.account_key, _paid.amount, _paid.taken_at, *_HOW).where(
    _paid.kind == written_out(PaymentKind.AUTOPAY),
    _paid.state == PaymentState.SUCCEEDED,
    _paid.account_key.in_(_KEYS),
)
_BY_HAND = (
    sa.select(checkout_line.c.account_key, checkout_line.c.amount, _paid.taken_at, *_HOW)
    .join(checkout, checkout.c.key == checkout_line.c.checkout)
    .join(gateway_payment, _paid.key == checkout.c.payment_key)
    .where(_paid.state == PaymentState.SUCCEEDED, checkout_line.c.account_key.in_(_KEYS))
)
# What comes back of ours bears our number, and is known above with its moment.
_IS_OURS = sa.exists().where(
    _paid.account_key == movement.c.account_key, _paid.confirmation == movement.c.reference
)
_NO_MOMENT = sa.cast(sa.null(), _paid.taken_at.type)
_NO_KIND, _NO_DIGITS = sa.cast(sa.null(), _paid.method_kind.type), sa.literal("")
_TOLD = sa.select(
    balance_entry.c.account_key,
    balance_entry.c.amount,
    _NO_MOMENT,
    balance_entry.c.happened_on,
    _NO_KIND,
    _NO_DIGITS,
).where(
    balance_entry.c.kind == EntryKind.PAYMENT,
    balance_entry.c.source == EntrySource.FEED,
    balance_entry.c.amount < ZERO,
    balance_entry.c.account_key.in_(_KEYS),
)
_EXPORTED = (
    sa.select(
        movement.c.account_key,
        movement.c.amount,
        _NO_MOMENT,
        movement.c.posted_on,
        _NO_KIND,
        _NO_DIGITS,
    )
    .join(balance_due, stands_with(movement))
    .where(
        movement.c.kind == MovementKind.PAYMENT,
        movement.c.amount < ZERO,
        movement.c.account_key.in_(_KEYS),
        ~_IS_OURS,
    )
)
# In one statement, in no order: of each kind `_payments` keeps one. Elsewhere is without a method.
_PAYMENTS = Prepared(sa.union_all(_PLANNED, _BY_AUTOPAY, _BY_HAND, _TOLD, _EXPORTED))
