"""Draws in the books: what is known of each, and how one changes its state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.ledger.locking import lock_balances
from database.queries.outsorted import due_on_of
from database.tables import bill_run, draw, gateway_payment
from domain.ledger import EntrySource
from domain.money import ZERO, Money
from domain.payments import DRAW, PAYMENT, DrawState, MethodKind, PaymentKind, PaymentState
from payments.port import DrawRequest


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

    @property
    def request(self) -> DrawRequest:
        return DrawRequest(self.key, self.account, self.method_token, self.method_kind, self.amount)

    @property
    def is_autopay(self) -> bool:
        """What the customer began is drawn once, at once or never; autopay tries again."""
        return self.kind is PaymentKind.AUTOPAY

    @property
    def source(self) -> EntrySource:
        return EntrySource.DRAW if self.is_autopay else EntrySource.CHECKOUT

    @property
    def to_account(self) -> Money:
        """What it pays of the account."""
        return self.amount - self.service_fee

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
    query = (
        sa.select(
            *(draw.c[name] for name in _OF_DRAW),
            *(gateway_payment.c[name] for name in _OF_PAYMENT),
            gateway_payment.c.state.label("payment_state"),
            gateway_payment.c.number.label("payment_number"),
            bill_run.c.timezone,
            due_on_of(
                gateway_payment.c.period, gateway_payment.c.account_key, bill_run.c.due_on
            ).label("due_on"),
        )
        .join(gateway_payment, gateway_payment.c.key == draw.c.payment_key)
        .join(bill_run, bill_run.c.period == gateway_payment.c.period)
        .where(*conditions)
        .order_by(draw.c.payment_key, draw.c.number)
        .limit(limit)
        .with_for_update(of=(gateway_payment, draw))
    )
    return [Draw(**row._mapping) for row in books.execute(query)]


def lock_draws(
    books: Connection, *conditions: sa.ColumnElement[bool], limit: int | None = None
) -> list[Draw]:
    """
    Lock the balances of draws whose outcome moves money, then the draws; return them as they are.

    What they are is read after the balances are locked: another worker may have moved them.
    """
    query = (
        sa.select(gateway_payment.c.account_key)
        .join(draw, draw.c.payment_key == gateway_payment.c.key)
        .where(*conditions)
        .order_by(draw.c.payment_key, draw.c.number)
        .limit(limit)
    )
    keys = set(books.scalars(query))
    lock_balances(books, keys)
    if limit is not None:
        conditions = (*conditions, gateway_payment.c.account_key.in_(keys))
    return find_draws(books, *conditions, limit=limit)


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
