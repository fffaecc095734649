"""What a customer looks back at: bills, transactions and usage of closed periods, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.definitions.checkout import checkout, checkout_line
from database.definitions.wallet import brand_of
from database.prepared import Prepared
from database.queries.bills import is_doubled
from database.queries.corrections import (
    amount_due_in_force,
    due_on_in_force,
    is_of_account,
    standing_corrections,
)
from database.queries.outsorted import is_outsorted
from database.tables import account, bill, bill_run, gateway_payment, movement, period_close
from database.types import written_out
from domain.money import ZERO, Money
from domain.movements import MovementKind
from domain.payments import MethodKind, PaymentKind, PaymentState


@dataclass(frozen=True, slots=True)
class PastBill:
    """One bill of a closed period (rules 4, 11-13, 180); `pdf` is its place in the store."""

    account_key: str
    account: str
    period: str
    form: str
    starts_on: date
    ends_on: date
    due_on: date
    amount_due: Money
    opening_balance: Money
    pdf: str
    pages: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the transaction history: billings positive, payments negative (rule 44)."""

    account_key: str
    number: int  # in its period's export
    account: str
    period: str
    posted_on: date
    service: str
    description: str
    kind: MovementKind
    amount: Money
    usage: float | None
    unit: str = ""
    days: int | None = None
    meter: str = ""
    read_type: str = ""
    previous_read: float | None = None
    current_read: float | None = None
    reference: str = ""

    @property
    def identity(self) -> str:
        """What its page is called: its period, and its place in the period's export."""
        return f"{self.period}-{self.number}"

    @property
    def is_credit(self) -> bool:
        """An amount in the customer's favor that nobody paid (rule 180)."""
        return self.amount < ZERO and self.kind is not MovementKind.PAYMENT


@dataclass(frozen=True, slots=True)
class PastPayment:
    """One payment that was taken by autopay or checkout (rule 180)."""

    account: str
    account_key: str
    taken_at: datetime
    amount: Money
    kind: MethodKind
    last4: str
    state: PaymentState
    confirmation: str
    charge: str = ""  # of autopay: its period and its number in it, `2026-10/1`
    checkout: str = ""  # the key of the payment by hand, and who made it: nobody else sees it
    paid_by: int | None = None
    brand: str = ""


_ROW = movement.c
_LINE = (
    _ROW.account_key,
    _ROW.line,
    _ROW.account,
    _ROW.period,
    _ROW.posted_on,
    _ROW.service,
    _ROW.description,
    _ROW.kind,
    _ROW.amount,
    _ROW.usage,
    _ROW.unit,
    _ROW.days,
    _ROW.meter,
    _ROW.read_type,
    _ROW.previous_read,
    _ROW.current_read,
    _ROW.reference,
)
# Of closed periods, newest first; none of a bill that is held back. Made once: it is asked often.
_CLOSED_LINES = (
    sa.select(*_LINE)
    .join(period_close, period_close.c.period == _ROW.period)
    .where(
        _ROW.account_key.in_(sa.bindparam("keys", expanding=True)),
        ~is_outsorted(_ROW.period, _ROW.account_key),
    )
    .order_by(_ROW.posted_on.desc(), _ROW.period.desc(), _ROW.line.desc())
)
_MOST = sa.bindparam("most", type_=sa.Integer)
_NEWEST = Prepared(_CLOSED_LINES.limit(_MOST))
_NEWEST_OF_PERIOD = Prepared(
    _CLOSED_LINES.where(_ROW.period == sa.bindparam("period")).limit(_MOST)
)


def bills_of(books: Connection, keys: Sequence[str], period: str = "") -> list[PastBill]:
    """
    Return the bills of closed periods that have a document, newest first.

    Of an account with two bills of one form none is shown: a person says which is right. Nor is
    one that is held back.
    """
    corrected = standing_corrections()
    query = (
        sa.select(
            bill.c.account_key,
            bill.c.account,
            bill.c.period,
            bill.c.form,
            bill_run.c.starts_on,
            bill_run.c.ends_on,
            due_on_in_force(corrected, bill.c.period, bill.c.account_key).label("due_on"),
            amount_due_in_force(corrected),
            account.c.opening_balance,
            bill.c.pdf,
            bill.c.pages,
        )
        .join(period_close, period_close.c.period == bill.c.period)
        .join(bill_run, bill_run.c.period == bill.c.period)
        .join(
            account,
            sa.and_(account.c.period == bill.c.period, account.c.account_key == bill.c.account_key),
        )
        .outerjoin(corrected, is_of_account(corrected))
        .where(
            bill.c.account_key.in_(keys),
            bill.c.pdf != "",
            ~is_doubled(),
            ~is_outsorted(bill.c.period, bill.c.account_key),
        )
        .order_by(bill_run.c.ends_on.desc(), bill.c.account, bill.c.form)
    )
    if period:
        query = query.where(bill.c.period == period)
    return [PastBill(*row) for row in books.execute(query)]


def lines_of(
    books: Connection, keys: Sequence[str], *, period: str = "", most: int = 200
) -> list[Line]:
    """
    Return the newest transactions of closed periods, one line a service (rules 44, 45).

    None of a bill that is held back.
    """
    query = _NEWEST_OF_PERIOD if period else _NEWEST
    asked = {"keys": list(keys), "most": most} | ({"period": period} if period else {})
    return [Line(*row) for row in query.rows(books, asked)]


def credits_of(books: Connection, keys: Sequence[str], most: int = 100) -> list[Line]:
    """Return the newest amounts in the customer's favor that are no payments (rule 180)."""
    query = _CLOSED_LINES.where(movement.c.amount < ZERO, movement.c.kind != MovementKind.PAYMENT)
    return [Line(*row) for row in books.execute(query.limit(most), {"keys": list(keys)})]


def line_of(books: Connection, key: str, identity: str) -> Line | None:
    """Return one line of an account by its own name, None where the account has none of it."""
    period, _, number = identity.rpartition("-")
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        return None
    query = _CLOSED_LINES.where(movement.c.period == period, movement.c.line == int(number))
    row = books.execute(query, {"keys": [key]}).one_or_none()
    return Line(*row) if row else None


def lines_beside(books: Connection, line: Line) -> list[Line]:
    """
    Return all that makes up the amount of a line, itself too, in the order of the export.

    A billing is one line a service: those of one bill belong together. A payment, a penalty, an
    adjustment is what stands on its day.
    """
    query = _CLOSED_LINES.where(movement.c.period == line.period, movement.c.kind == line.kind)
    if line.kind is not MovementKind.BILLING:
        query = query.where(movement.c.posted_on == line.posted_on)
    return [Line(*row) for row in books.execute(query, {"keys": [line.account_key]})][::-1]


def payments_of(books: Connection, keys: Sequence[str], most: int = 100) -> list[PastPayment]:
    """Return the newest payments that were taken, returned ones too, with their state."""
    row, line = gateway_payment.c, checkout_line.c
    same = (row.method_kind, row.last4, row.state, sa.func.coalesce(row.confirmation, ""))
    brand = brand_of(row.method_token)
    number = row.period + "/" + sa.cast(row.number, sa.String)
    autopay = (
        sa.select(
            row.account, row.account_key, row.taken_at, row.amount, *same, number, sa.literal(""),
            sa.null(), brand,
        )
        .where(
            row.kind == written_out(PaymentKind.AUTOPAY),
            row.account_key.in_(keys), row.taken_at.is_not(None)
        )
    )  # fmt: skip
    by_hand = (
        sa.select(
            line.account, line.account_key, row.taken_at, line.amount, *same, sa.literal(""),
            checkout.c.key, checkout.c.user_number, brand,
        )
        .join_from(checkout_line, checkout, checkout.c.key == line.checkout)
        .join(gateway_payment, row.key == checkout.c.payment_key)
        .where(line.account_key.in_(keys), row.taken_at.is_not(None))
    )  # fmt: skip
    query = sa.union_all(autopay, by_hand).order_by(sa.desc("taken_at")).limit(most)
    return [PastPayment(*row) for row in books.execute(query)]
