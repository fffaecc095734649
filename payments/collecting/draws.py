"""Draws in the books: what is known of each, and how one changes its state."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.definitions.checkout import checkout, checkout_line
from database.ledger.locking import SOME, lock_balances
from database.ledger.tables import balance_entry
from database.queries.balances import open_balance
from database.queries.outsorted import due_on_of
from database.tables import balance_due, bill_run, draw, gateway_payment
from domain.checkout import OTHER
from domain.ledger import EntryKind, EntrySource
from domain.money import ZERO, Money
from domain.payments import DRAW, PAYMENT, DrawState, MethodKind, PaymentKind, PaymentState
from payments.port import DrawRequest


@dataclass(frozen=True, slots=True)
class DrawLine:
    """What a draw pays of one account, or for something else; its posting is its own (rule 78)."""

    number: int
    account_key: str
    amount: Money
    distribution: str = ""  # empty: an account's balance

    @property
    def is_of_account(self) -> bool:
        return not self.distribution

    @property
    def subject_key(self) -> str:
        """What its entries stand under: the account, or what else was paid."""
        return self.account_key if self.is_of_account else f"{OTHER}{self.distribution}"


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw with its payment; moments in UTC, `due_on` a local date of `timezone`."""

    key: str
    payment_key: str
    number: int
    amount: Money
    method_token: str
    method_kind: MethodKind
    state: DrawState
    payment_state: PaymentState
    reference: str | None
    created_at: datetime
    asked_at: datetime | None
    lookups: int
    code: str | None
    period: str
    account: str
    account_key: str
    timezone: str
    due_on: date
    last4: str
    payment_number: int
    kind: PaymentKind
    service_fee: Money  # within the amount; it pays nothing of the account
    lines: tuple[DrawLine, ...] = ()  # of what a customer pays by hand
    returns_to: str = field(default="", repr=False)  # from their bank's page; empty: declined there
    bank_page: str = field(default="", repr=False)  # where they are awaited

    @property
    def request(self) -> DrawRequest:
        return DrawRequest(
            self.key,
            self.account,
            self.method_token,
            self.method_kind,
            self.amount,
            is_by_customer=not self.is_autopay,
            returns_to=self.returns_to,
        )

    @property
    def is_autopay(self) -> bool:
        """What the customer began is drawn once, at once or never; autopay tries again."""
        return self.kind is PaymentKind.AUTOPAY

    @property
    def source(self) -> EntrySource:
        return EntrySource.DRAW if self.is_autopay else EntrySource.CHECKOUT

    @property
    def parts(self) -> tuple[DrawLine, ...]:
        """What it pays, without the service fee: of autopay it is the account alone."""
        return self.lines or (DrawLine(1, self.account_key, self.amount - self.service_fee),)

    def local_day(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.timezone)).date()


def find_draws(
    books: Connection, *conditions: sa.ColumnElement[bool], limit: int | None = None
) -> list[Draw]:
    """
    Return draws in the order of their keys, locked against other writers.

    Who then moves money takes `lock_draws`: balances are locked before draws, by everybody.

    Everybody locks in that order, so that two workers never wait for each other.
    """
    query = _draws().where(*conditions).limit(limit)
    found = [Draw(**row._mapping) for row in books.execute(query)]
    return _with_lines(books, found)


def _with_lines(books: Connection, draws: list[Draw]) -> list[Draw]:
    """Add to customers' payments the lines that they pay, and where their bank awaits them."""
    by_hand = {one.payment_key for one in draws if not one.is_autopay}
    if not by_hand:
        return draws
    lines: dict[str, list[DrawLine]] = {}
    pages: dict[str, tuple[str, str]] = {}
    for row in books.execute(_lines_paid(), {"payments": sorted(by_hand)}):
        lines.setdefault(row.payment_key, []).append(DrawLine(*row[3:]))
        pages[row.payment_key] = row.returns_to, row.bank_page
    found = []
    for one in draws:
        returns_to, bank_page = pages.get(one.payment_key, ("", ""))
        paid = tuple(lines.get(one.payment_key, ()))
        found.append(replace(one, lines=paid, returns_to=returns_to, bank_page=bank_page))
    return found


@cache  # to put a statement together costs more than to run it
def _draws() -> sa.Select[Any]:
    due_on = due_on_of(gateway_payment.c.period, gateway_payment.c.account_key, bill_run.c.due_on)
    return (
        sa.select(
            *(draw.c[name] for name in _OF_DRAW),
            *(gateway_payment.c[name] for name in _OF_PAYMENT),
            gateway_payment.c.state.label("payment_state"),
            gateway_payment.c.number.label("payment_number"),
            bill_run.c.timezone,
            due_on.label("due_on"),
        )
        .join(gateway_payment, gateway_payment.c.key == draw.c.payment_key)
        .join(bill_run, bill_run.c.period == gateway_payment.c.period)
        .order_by(draw.c.payment_key, draw.c.number)
        .with_for_update(of=(gateway_payment, draw))
    )


@cache
def _lines_paid() -> sa.Select[Any]:
    rows = checkout_line.c
    return (
        sa.select(
            checkout.c.payment_key,
            checkout.c.returns_to,
            checkout.c.bank_page,
            *(rows[name] for name in ("number", "account_key", "amount", "distribution")),
        )
        .join(checkout, checkout.c.key == rows.checkout)
        .where(checkout.c.payment_key.in_(sa.bindparam("payments", expanding=True)))
        .order_by(rows.checkout, rows.number)
    )


def lock_draws(books: Connection, *conditions: sa.ColumnElement[bool]) -> list[Draw]:
    """
    Lock the balances of draws whose outcome moves money, then the draws; return them as they are.

    What they are is read after the balances are locked: another worker may have moved them.
    """
    query = (
        sa.select(draw.c.key)
        .join(gateway_payment, draw.c.payment_key == gateway_payment.c.key)
        .where(*conditions)
    )
    lock_balances_of(books, set(books.scalars(query)))
    return find_draws(books, *conditions)


def lock_balances_of(books: Connection, draw_keys: Collection[str]) -> None:
    """Lock the balances of all accounts that some draws pay, in the order of everybody."""
    accounts: set[str] = set()
    ordered = sorted(draw_keys)
    for first in range(0, len(ordered), SOME):
        some = {"draws": ordered[first : first + SOME]}
        for query in (_accounts_of_autopay(), _accounts_of_lines()):
            accounts.update(books.scalars(query, some))
    lock_balances(books, accounts)


@cache
def _accounts_of_autopay() -> sa.Select[tuple[str]]:
    return (
        sa.select(gateway_payment.c.account_key)
        .join(draw, draw.c.payment_key == gateway_payment.c.key)
        .where(~gateway_payment.c.account_key.startswith(OTHER), _of_draws())
    )


@cache
def _accounts_of_lines() -> sa.Select[tuple[str]]:
    return (
        sa.select(checkout_line.c.account_key)
        .join(checkout, checkout.c.key == checkout_line.c.checkout)
        .join(draw, draw.c.payment_key == checkout.c.payment_key)
        .where(checkout_line.c.account_key != "", _of_draws())
    )


def _of_draws() -> sa.ColumnElement[bool]:
    return draw.c.key.in_(sa.bindparam("draws", expanding=True))


def paid_otherwise(books: Connection, draws: Collection[Draw]) -> set[str]:
    """
    Return the keys of customers' draws that pay more than is open now of one of their accounts,
    because something else was paid there since they were asked for.

    Who heard nothing of his payment has perhaps gone to the counter. More than was owed, which an
    office may let customers pay, is the customer's own word and no reason.
    """
    rows, entry = checkout_line.c, balance_entry.c
    since = sa.exists().where(
        entry.account_key == rows.account_key,
        entry.kind == EntryKind.PAYMENT,
        entry.counts,
        entry.recorded_at >= draw.c.asked_at,
    )
    query = (
        sa.select(draw.c.key)
        .join(checkout, checkout.c.payment_key == draw.c.payment_key)
        .join(checkout_line, rows.checkout == checkout.c.key)
        .join(balance_due, balance_due.c.account_key == rows.account_key)
        .where(draw.c.key.in_([one.key for one in draws]), open_balance() < rows.amount, since)
    )
    return set(books.scalars(query))


_OF_DRAW = (
    "key", "payment_key", "number", "amount", "method_token", "state", "reference", "created_at",
    "asked_at", "lookups", "code",
)  # fmt: skip
_OF_PAYMENT = ("kind", "service_fee", "method_kind", "last4", "period", "account", "account_key")


def read_draw(books: Connection, key: str) -> Draw | None:
    """Return one draw as it stands now, None where there is none of that key."""
    found = find_draws(books, draw.c.key == key)
    return found[0] if found else None


def move_draw(books: Connection, one: Draw, event: str, **values: Any) -> bool:
    """Move a draw by an event; no where somebody else has moved it since it was read."""
    return _move(books, draw, one.key, one.state, DRAW.after(one.state, event), values)


def move_payment(
    books: Connection, key: str, state: PaymentState, event: str, **values: Any
) -> bool:
    """Move a payment by an event; no where somebody else has moved it since it was read."""
    return _move(books, gateway_payment, key, state, PAYMENT.after(state, event), values)


def move_locked_payment(
    books: Connection, key: str, state: PaymentState, event: str, **values: Any
) -> None:
    """
    Move a payment that is locked in a state, where nobody else can have moved it.

    Raises ValueError where it stands otherwise: nothing of the transaction may remain then.
    """
    if not move_payment(books, key, state, event, **values):
        raise ValueError(f"the payment {key} is no longer {state}")


def _move(
    books: Connection, table: sa.Table, key: str, before: str, after: str, values: dict[str, Any]
) -> bool:
    given = {f"new_{name}": value for name, value in values.items()}
    given |= {"moved_key": key, "before": before, "new_state": after}
    return books.execute(_moving(table, frozenset(values)), given).rowcount == 1


@cache
def _moving(table: sa.Table, names: frozenset[str]) -> sa.Update:
    """Build the change of one row once: thousands of draws take it anew, each with its values."""
    return (
        table.update()
        .where(table.c.key == sa.bindparam("moved_key"), table.c.state == sa.bindparam("before"))
        .values({name: sa.bindparam(f"new_{name}") for name in sorted(names | {"state"})})
    )


DRAWN_TWICE = "drawn-twice"  # the code of a draw that landed beside another of its payment


@dataclass(slots=True)
class DrawTotals:
    """How many, and how much money in them."""

    count: int = 0
    amount: Money = ZERO

    def add(self, amount: Money) -> None:
        self.count += 1
        self.amount += amount


@dataclass(frozen=True, slots=True)
class OpenDraws:
    """What waits for an answer or for a person."""

    unknown: DrawTotals = field(default_factory=DrawTotals)  # asked, and nobody knows the answer
    drawn_twice: DrawTotals = field(default_factory=DrawTotals)  # to be given back


def read_open_draws(database: Database) -> OpenDraws:
    """Count the payments whose outcome is not known, and the draws that came beside another."""
    unknown = (PaymentState.SUBMITTED, PaymentState.UNKNOWN)
    payments, draws = gateway_payment.c, draw.c
    return OpenDraws(
        _tally(database, payments.amount, payments.state.in_(unknown)),
        _tally(database, draws.amount, draws.code == DRAWN_TWICE),
    )


def _tally(
    database: Database, amount: sa.Column[Money], where: sa.ColumnElement[bool]
) -> DrawTotals:
    with database.reading() as books:
        count, total = books.execute(
            sa.select(sa.func.count(), sa.func.sum(amount)).where(where)
        ).one()
    return DrawTotals(count, total or ZERO)
