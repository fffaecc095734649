"""Builders for collecting: a closed month with payments, a gateway and clocks that are set."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from database.books import Database
from database.tables import balance_due, draw, gateway_payment, posting
from domain.money import Money
from domain.payments import PaymentState
from payments.collecting.collecting import CollectCounts, collect_due
from payments.collecting.unanswered import LookupCounts, look_up_due
from payments.sandbox.gateway import SandboxGateway
from payments.terms import CollectionTerms
from tests.builders import (
    CARD,
    RUN,
    a_household,
    a_mandate,
    close_run,
    stage_run,
)
from tests.payments.scheduling_builders import BANKS, schedule

PAY_DAY = datetime(2026, 11, 13, 16, 0, tzinfo=UTC)  # Friday morning in Denver
TERMS = CollectionTerms(closed=BANKS, who="anna", threads=1)


@dataclass
class Collector:
    """An office that collects at the sandbox; its clock stands until a test moves it."""

    database: Database
    gateway: SandboxGateway
    at: datetime = PAY_DAY
    terms: CollectionTerms = TERMS
    place: Path = field(default_factory=Path)

    def now(self) -> datetime:
        return self.at

    def wait(self, **time: float) -> None:
        self.at += timedelta(**time)

    def collect(self, **changes: Any) -> CollectCounts:
        gateway = changes.pop("gateway", self.gateway)
        terms = changes.pop("terms", self.terms)
        return collect_due(self.database, gateway, terms, self.now, **changes)

    def look_up(self, **changes: Any) -> LookupCounts:
        gateway = changes.pop("gateway", self.gateway)
        return look_up_due(self.database, gateway, self.terms, self.now, **changes)

    def payment(self, key: str = "1", period: str = RUN) -> Any:
        return self._one(gateway_payment, gateway_payment.c.key == f"autopay/{period}/{key}")

    def state(self, key: str = "1") -> PaymentState:
        state: PaymentState = self.payment(key).state
        return state

    def draws(self, key: str = "1", period: str = RUN) -> list[Any]:
        payment = draw.c.payment_key == f"autopay/{period}/{key}"
        with self.database.reading() as books:
            return list(books.execute(sa.select(draw).where(payment).order_by(draw.c.number)))

    def postings(self, key: str = "1", period: str = RUN) -> list[tuple[str, Money]]:
        payment = posting.c.payment_key == f"autopay/{period}/{key}"
        with self.database.reading() as books:
            query = sa.select(posting.c.kind, posting.c.amount).where(payment)
            return [(str(kind), amount) for kind, amount in books.execute(query)]

    def paid(self, key: str = "1") -> Money:
        paid: Money = self._one(balance_due, balance_due.c.account_key == key).paid
        return paid

    def set(self, table: sa.Table, key: str, **values: Any) -> None:
        with self.database.writing() as books:
            books.execute(table.update().where(table.c.account_key == key).values(**values))

    def taken(self) -> list[tuple[str, int]]:
        """What the gateway took, by draw: read from its own books, not ours."""
        with sqlite3.connect(self.place / "sandbox-gateway.db") as books:
            query = "SELECT key, cents FROM draw WHERE state = 'approved' ORDER BY key"
            return [(key, cents) for key, cents in books.execute(query)]

    def _one(self, table: sa.Table, condition: sa.ColumnElement[bool]) -> Any:
        with self.database.reading() as books:
            return books.execute(sa.select(table).where(condition)).one()


def a_collector(database: Database, place: Path, *households: Any, **changes: Any) -> Collector:
    """Close a month of households and schedule its payments; all are due on PAY_DAY."""
    stage_run(database, *households)
    close_run(database)
    schedule(database)
    collector = Collector(database, None, place=place, **changes)  # type: ignore[arg-type]
    collector.gateway = SandboxGateway(place / "sandbox-gateway.db", lambda: collector.at, BANKS)
    return collector


def paying(number: str, token: str = "tok_ok", balance: str = "80.00", **changes: Any) -> Any:
    """A household that pays with a token of the sandbox."""
    kind = changes.pop("method_kind", CARD)
    agreed = a_mandate(number, method_token=token, method_kind=kind, **changes.pop("terms", {}))
    return a_household(number, agreed, closing_balance=Money.parse(balance), **changes)
