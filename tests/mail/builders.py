"""A closed run with bills to mail; a test names only what matters to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.tables import (
    account,
    bill,
    bill_run,
    delivery,
    delivery_plan,
    gateway_payment,
    outsorted_bill,
    payment_method,
    period_close,
    recipient,
)
from domain.accounts import AccountStatus, account_key
from domain.deliveries import DeliveryStatus, RecipientSource
from domain.money import ZERO, Money
from domain.payments import MethodKind
from mail.port import OutgoingMessage
from tests.builders import a_hold

RUN = "2026-10"
EIGHTY_DOLLARS = Money(80_00)
NOW = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 8
HELLO = b"Subject: x\r\n\r\nhello\r\n"
TOTALS = ("opening_balance", "billed", "payments", "adjustments", "penalties", "closing_balance")


def a_run(database: Database, *, period: str = RUN, closed: bool = True) -> None:
    with database.writing() as books:
        books.execute(
            bill_run.insert().values(
                period=period, state="closed",
                utility="City of Larkspur", timezone="America/Denver",
                starts_on=date(2026, 10, 1), ends_on=date(2026, 10, 31), due_on=date(2026, 11, 20),
                export_name="larkspur", export_sha256="0" * 64, imported_at=NOW, imported_by="test",
                control_accounts=1, control_bills=1, **{f"control_{name}": ZERO for name in TOTALS},
            )
        )  # fmt: skip
        if closed:
            books.execute(
                period_close.insert().values(period=period, closed_at=NOW, closed_by="test")
            )


def an_account(database: Database, /, *facts: Any, **more: Any) -> None:
    with database.writing() as books:
        enter_account(books, *facts, **more)


def enter_account(books: Connection, /, *facts: Any, **more: Any) -> None:
    for table, row in rows_of_account(*facts, **more):
        books.execute(table.insert().values(**row))


def rows_of_account(
    number: str = "01.1037.1",
    addresses: Iterable[str] = ("ann@customer.example",),
    *,
    paperless: bool = True,
    status: AccountStatus = AccountStatus.ACTIVE,
    held: bool = False,
    ordinals: Iterable[int] = (1,),
    form: str = "utility-bill",
    amount_due: Money = EIGHTY_DOLLARS,
    draw: date | None = None,
    wallet_owner: str = "",
    source: RecipientSource = RecipientSource.CUSTOMER_RECORD,
    zip_code: str = "",
    phone: str = "",
) -> Iterator[tuple[sa.Table, dict[str, Any]]]:
    """Tell what is entered of an account, and in which order."""
    key = account_key(number)
    ours: dict[str, Any] = {"period": RUN, "account_key": key}
    yield account, dict(
        **ours, account=number, name="Ann O'Neil", last_name="O'Neil",
        service_address="12 Elm Street", mailing_address="", city="", state="", zip=zip_code,
        phone=phone, email="", ebill=True, send_paper=False, status=status,
        opening_balance=ZERO, closing_balance=amount_due, amount_due=amount_due,
        direct_pay=False, block_ach=False, block_card=False, cosigner_id="",
    )  # fmt: skip
    for ordinal in ordinals:
        yield bill, dict(
            **ours, form=form, ordinal=ordinal, account=number, bulk=0, first_page=0,
            pages=1, pdf=f"{RUN}/{form}/{key}.{ordinal}.pdf", sha256="0" * 64, size=1,
        )  # fmt: skip
    yield delivery_plan, dict(**ours, paperless=paperless)
    for address in addresses:
        yield recipient, dict(**ours, mailbox=address.casefold(), address=address, source=source)
    if held:
        yield outsorted_bill, a_hold("bill-amount", **ours, account=number)
    if draw:
        wallet = {"token": "tok", "portal_user": wallet_owner, "last4": "6789"}
        yield payment_method, {"period": RUN, "kind": MethodKind.ACH, **wallet}
        yield gateway_payment, dict(
            **ours, key=f"autopay/{RUN}/{key}", account=number, amount=amount_due, pay_on=draw,
            immediate=False, method_token="tok", method_kind=MethodKind.ACH, last4="6789",
            state="scheduled", scheduled_at=NOW,
        )  # fmt: skip


def many_accounts(database: Database, count: int) -> None:
    """
    Enter accounts with one recipient each, `c0@` to `cN@customer.example`.

    The database is told how many there are, as it is before a run is checked.
    """
    told: dict[sa.Table, list[dict[str, Any]]] = {}
    for number in range(count):
        for table, row in rows_of_account(f"{number:04d}", [f"c{number}@customer.example"]):
            told.setdefault(table, []).append(row)
    with database.writing() as books:
        for table, rows in told.items():
            books.execute(table.insert(), rows)
            books.exec_driver_sql(f"ANALYZE {table.name}")


def deliveries(database: Database) -> list[Any]:
    with database.reading() as books:
        return list(books.execute(delivery.select().order_by(delivery.c.key)))


def statuses(database: Database) -> dict[str, DeliveryStatus]:
    return {row.address.partition("@")[0]: row.status for row in deliveries(database)}


def a_message(
    name: str = "ann", content: bytes = b"Subject: x\r\n\r\nhello\r\n"
) -> OutgoingMessage:
    key = f"bill/{RUN}/utility-bill/01.1037.1/{name}@customer.example"
    recipient_ = f"{name}@customer.example"
    return OutgoingMessage(key, "bounces@larkspur.example", recipient_, f"<{name}@x>", content)
