"""A closed or staged month with bills, mail and paper, and the clerk who holds one back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from database.books import Database, insert_rows
from database.queries.exceptions import exceptions
from database.queries.histories import bills_of, lines_of
from database.queries.outsorted import outsorted
from database.tables import (
    autopay_unscheduled,
    balance_due,
    bill,
    delivery,
    delivery_plan,
    movement,
    paper,
    recipient,
    scheduled_payment,
)
from domain.accounts import account_key
from domain.money import Money
from domain.movements import MovementKind
from mail.outbox.queueing import queue_bills
from mail.recipients.delivery_plan import PlanTerms
from outsorting.holding import Outsorted, outsort_bill
from outsorting.releasing import Released, ReleaseTerms, release_bill
from reporting.lists.bills import bills
from rules.calendars import bank_closed_days
from rules.outsorting import ReleasePolicy
from splitter.runs.print_batch import choose_first, choose_waiting
from tests.builders import (
    CLOSING_DAY,
    NOW,
    OFFICE_DEFAULTS,
    RUN,
    Household,
    close_run,
    stage_run,
)
from tests.payments.scheduling_builders import schedule

ANN, BOB, NEXT = "01.1001.1", "01.1002.2", "2026-11"
DOMAIN = "larkspur.example"
FORM = "utility-bill"


def terms(today: date = CLOSING_DAY, now: datetime = NOW, **changes: Any) -> ReleaseTerms:
    given = ReleaseTerms(
        now=now, mailed_from=now, today=today, who="bea", closed=bank_closed_days(),
        policy=ReleasePolicy(), autopay=OFFICE_DEFAULTS, message_domain=DOMAIN,
        delivery=PlanTerms(),
    )  # fmt: skip
    return replace(given, **changes)


def stage_bills(
    database: Database, *households: Household, period: str = RUN, **changes: Any
) -> None:
    """Stage a month whose bills are split and planned; who has an address is paperless."""
    stage_run(database, *households, period=period, **changes)
    with database.writing() as books:
        for number, one in enumerate(households, start=1):
            address = one.account.email
            books.execute(
                bill.insert().values(
                    period=period, form=FORM, account_key=one.key, ordinal=1,
                    account=one.account.number, bulk=1, first_page=number, pages=1,
                    pdf=f"{period}/{one.key}.pdf", sha256="0" * 64, size=1,
                )
            )  # fmt: skip
            reason = None if address else "no-ebill"
            books.execute(
                delivery_plan.insert().values(
                    period=period, account_key=one.key, paperless=bool(address), paper=reason
                )
            )
            if address:
                row = {
                    "period": period,
                    "account_key": one.key,
                    "mailbox": address,
                    "address": address,
                }
                books.execute(recipient.insert().values(row | {"source": "customer-record"}))
            line = (
                period, number, one.key, one.account.number, date(2026, 10, 31), "Water", "billing",
                MovementKind.BILLING, Money(80_00),
            )  # fmt: skip
            columns = [
                "period", "line", "account_key", "account", "posted_on", "service", "description",
                "kind", "amount",
            ]  # fmt: skip
            insert_rows(books, movement, columns, [line])


def close_month(database: Database, period: str = RUN, today: date = CLOSING_DAY) -> None:
    """The close and what follows it: autopay, e-bills. Paper waits for its batch."""
    close_run(database, period)
    finish_month(database, period, today)


def finish_month(database: Database, period: str = RUN, today: date = CLOSING_DAY) -> None:
    schedule(database, today, period)
    queue_bills(database, period, now=NOW, message_domain=DOMAIN)


def hold(database: Database, number: str = ANN, period: str = RUN, reason: str = "looks wrong",
         now: datetime = NOW) -> Outsorted:  # fmt: skip
    return outsort_bill(database, number, period, reason, now=now, who="anna")


def free(database: Database, number: str = ANN, period: str = RUN, **changes: Any) -> Released:
    return release_bill(database, number, period, terms(**changes))


def traces(database: Database, number: str = ANN, period: str = RUN) -> dict[str, Any]:
    """What a close leaves of one account: all that a customer or a bank could notice."""
    key = account_key(number)
    payment, owed = scheduled_payment.c, balance_due.c
    with database.reading() as books:
        shown = bills().subquery()
        return {
            "visible": books.scalars(
                sa.select(shown.c.visible).where(
                    shown.c._account_key == key, shown.c.period == period
                )
            ).all(),
            "portal": [one.period for one in bills_of(books, [key]) if one.period == period],
            "lines": len(lines_of(books, [key], period=period)),
            "balance": [
                tuple(row)
                for row in books.execute(
                    sa.select(owed.period, owed.amount_due, owed.added, owed.paid).where(
                        owed.account_key == key
                    )
                )
            ],
            "payments": [
                tuple(row)
                for row in books.execute(
                    sa.select(payment.amount, payment.method_token, payment.number).where(
                        payment.period == period,
                        payment.account_key == key,
                        payment.state == "scheduled",
                    )
                )
            ],
            "unscheduled": books.scalars(
                sa.select(autopay_unscheduled.c.reason).where(
                    autopay_unscheduled.c.period == period, autopay_unscheduled.c.account_key == key
                )
            ).all(),
            "mails": books.scalars(
                sa.select(delivery.c.key).where(
                    delivery.c.period == period, delivery.c.account_key == key
                )
            ).all(),
            "paper": printed(database, number, period),
        }


def printed(database: Database, number: str, period: str = RUN) -> bool:
    """Whether a print batch that was written now, the close's own or the next, has the bill."""
    parts = (choose_first(database, period), choose_waiting(database, period))
    return any(
        found.bill.account == number
        for chosen in parts
        for bills_of_file in chosen.values()
        for found, _ in bills_of_file
    )


NOTHING = {
    "visible": [False], "portal": [], "lines": 0, "balance": [], "payments": [], "mails": [],
    "paper": False,
}  # fmt: skip


def waiting_paper(database: Database) -> list[str]:
    with database.reading() as books:
        return list(books.scalars(sa.select(paper.c.account).where(paper.c.part.is_(None))))


def list_held(database: Database) -> list[tuple[str, str, str]]:
    with database.reading() as books:
        return [(row.account, row.period, row.reason) for row in books.execute(outsorted())]


def list_exceptions(database: Database) -> list[tuple[str, str, str]]:
    with database.reading() as books:
        return [
            (row.account, row.period, row.message)
            for row in books.execute(exceptions())
            if row.code == "bill-outsorted"
        ]


def later(days: int) -> datetime:
    return NOW + timedelta(days=days)
