"""An account with a year behind it, and its customer at the portal."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from database.tables import bill, movement
from domain.money import Money
from domain.movements import MovementKind
from tests.builders import RUN, a_household, close_run, stage_run
from tests.web.customers.conftest import ANN, BOB, Browser, app, office, register

__all__ = ["app", "office"]
MINE, THEIRS = "0110371", "0220002"
B, P, A = MovementKind.BILLING, MovementKind.PAYMENT, MovementKind.ADJUSTMENT
METER = {
    "unit": "CCF", "days": 31, "meter": "W-778", "read_type": "estimated",
    "previous_read": 1200.0, "current_read": 1207.5,
}  # fmt: skip


def a_line(period: str, line: int, day: date, cents: int, kind=B, **more: Any) -> dict[str, Any]:
    facts = {
        "period": period, "line": line, "account_key": MINE, "account": "01.1037.1",
        "posted_on": day, "service": "Water", "description": "Water usage", "kind": kind,
        "amount": Money(cents), "usage": None, "reference": "",
    }  # fmt: skip
    return facts | {name: None for name in METER if name not in ("unit", "meter", "read_type")} | {
        "unit": "", "meter": "", "read_type": "",
    } | more  # fmt: skip


@pytest.fixture
def year(office):
    """October of last year and of this one: water, sewer, a payment, a credit."""
    last = "2025-10"
    stage_run(
        office.database,
        a_household("01.1037.1"),
        period=last,
        ends_on=date(2025, 10, 31),
        due_on=date(2025, 11, 20),
    )
    close_run(office.database, last)
    lines = [
        a_line(last, 0, date(2025, 10, 31), 20_00, usage=5.0, unit="CCF"),
        a_line(RUN, 0, date(2026, 10, 31), 30_50, usage=7.5, **METER),
        a_line(RUN, 1, date(2026, 10, 31), 15_00, service="Sewer", description="Sewer base"),
        a_line(RUN, 2, date(2026, 10, 5), -20_00, P, service="", description="Payment",
               reference="R-881"),
        a_line(RUN, 3, date(2026, 10, 9), -4_25, A, service="Water", description="Leak credit",
               reference="ADJ-1"),
    ]  # fmt: skip
    with office.database.writing() as books:
        books.execute(movement.insert(), lines)
        path = f"{RUN}/utility-bill/01.1037.1.pdf"
        office.store.write(path, b"%PDF-1.7")
        books.execute(
            bill.insert().values(
                period=RUN, form="utility-bill", account_key=MINE, ordinal=1, account="01.1037.1",
                bulk=0, first_page=0, pages=2, pdf=path, sha256="0" * 64, size=8,
            )
        )  # fmt: skip
    register(office, ANN, accounts=(MINE,))
    register(office, BOB, accounts=(THEIRS,))
    return office


@pytest.fixture
def ann(year, app):
    browser = Browser(app)
    browser.sign_in(ANN)
    return browser


@pytest.fixture
def bob(year, app):
    browser = Browser(app)
    browser.sign_in(BOB)
    return browser
