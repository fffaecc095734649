"""How collecting stands in the books: what is open, whenever it came about."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa

from database.books import Database
from database.tables import draw, scheduled_payment
from domain.money import ZERO, Money
from domain.payments import PaymentState

DRAWN_TWICE = "drawn-twice"  # the code of a draw that landed beside another of its payment


@dataclass(slots=True)
class Tally:
    """How many, and how much money in them."""

    count: int = 0
    amount: Money = ZERO

    def add(self, amount: Money) -> None:
        self.count += 1
        self.amount += amount


@dataclass(frozen=True, slots=True)
class Standing:
    """What waits for an answer or for a person."""

    unknown: Tally = field(default_factory=Tally)  # asked, and nobody knows the answer
    drawn_twice: Tally = field(default_factory=Tally)  # to be given back


def read_standing(database: Database) -> Standing:
    """Count the payments whose outcome is not known, and the draws that came beside another."""
    unknown = (PaymentState.SUBMITTED, PaymentState.UNKNOWN)
    payments, draws = scheduled_payment.c, draw.c
    return Standing(
        _tally(database, payments.amount, payments.state.in_(unknown)),
        _tally(database, draws.amount, draws.code == DRAWN_TWICE),
    )


def _tally(database: Database, amount: sa.Column[Money], where: sa.ColumnElement[bool]) -> Tally:
    with database.reading() as books:
        count, total = books.execute(
            sa.select(sa.func.count(), sa.func.sum(amount)).where(where)
        ).one()
    return Tally(count, total or ZERO)
