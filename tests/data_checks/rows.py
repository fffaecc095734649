"""Rows of a staged run with one plausible default each."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database import tables
from domain.money import Money

RUN, PREVIOUS, YEAR_AGO = "2026-10", "2026-09", "2025-10"
TODAY = date(2026, 11, 2)
DUE = date(2026, 11, 20)
CLOSED = 12  # the one account that is closed; 11 is final, the others are active
PAPERLESS = (2, 4)
EQUAL_PAY = 3
ACH, CARD, CANCELLED = 7, 8, 9
NOTICED = 10  # has a delinquent notice beside the bill

OPENING, WATER, SEWER = Money(50_00), Money(40_00), Money(20_00)
CLOSING = WATER + SEWER
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
MONTHS = {
    RUN: (date(2026, 10, 1), date(2026, 10, 31)),
    PREVIOUS: (date(2026, 9, 1), date(2026, 9, 30)),
    YEAR_AGO: (date(2025, 10, 1), date(2025, 10, 31)),
}


def number(account: int) -> str:
    """Return the account's number as accounts.csv writes it."""
    return f"01.{1000 + account}.{account % 10}"


def key(account: int) -> str:
    return number(account).replace(".", "")


def add(connection: Connection, table: str, **row: Any) -> None:
    connection.execute(sa.insert(tables.metadata.tables[table]).values(**row))


def add_movement(
    connection: Connection,
    line: int,
    account: int,
    kind: str,
    amount: Money,
    posted_on: date = MONTHS[RUN][1],
    service: str = "",
    usage: float | None = None,
    period: str = RUN,
) -> None:
    add(
        connection,
        "movement",
        period=period,
        line=line,
        account_key=key(account),
        account=number(account).replace(".", "-"),
        posted_on=posted_on,
        service=service,
        description="Automatic",
        kind=kind,
        amount=amount,
        usage=usage,
    )


def add_bulk_file(connection: Connection, bulk: int, form: str, **patterns: str) -> None:
    add(
        connection,
        "bulk_file",
        period=RUN,
        bulk=bulk,
        form=form,
        file=f"{form}.pdf",
        path=f"/exports/{form}.pdf",
        account_pattern="Account",
        **patterns,
    )


def add_page(
    connection: Connection, bulk: int, page: int, disposition: str = "bill", account: str = ""
) -> None:
    add(
        connection,
        "page",
        period=RUN,
        bulk=bulk,
        page=page,
        disposition=disposition,
        account_key=account,
        reason="",
    )


def add_bill(
    connection: Connection,
    account: int,
    bulk: int,
    form: str,
    page: int,
    due: Money | None = None,
    due_on: date | None = None,
    ordinal: int = 1,
) -> None:
    add_page(connection, bulk, page, "bill", key(account))
    add(
        connection,
        "bill",
        period=RUN,
        form=form,
        account_key=key(account),
        ordinal=ordinal,
        account=number(account),
        bulk=bulk,
        first_page=page,
        pages=1,
        printed_amount_due=due,
        printed_due_on=due_on,
        pdf=f"{form}/{account}-{ordinal}.pdf",
        sha256="0" * 64,
        size=1,
    )
