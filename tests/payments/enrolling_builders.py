"""An office that enrolls customers: wallets, wishes, and what the books say afterwards."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from database.books import Database, insert_rows
from database.tables import (
    autopay_unscheduled,
    balance_due,
    enrollment,
    enrollment_end,
    gateway_payment,
    payment_method,
)
from domain.money import Money
from domain.payments import PaymentState
from payments.enrollment.ending import Ended, cancel_enrollment
from payments.enrollment.enrolling import EnrollmentRequest, Offer, enroll, offer_enrollment
from payments.enrollment.wording import read_consent
from tests.builders import (
    ACH,
    CARD,
    CLOSING_DAY,
    OFFICE_DEFAULTS,
    RUN,
    a_household,
    close_run,
    stage_run,
)
from tests.payments.scheduling_builders import BANKS
from tests.payments.scheduling_builders import schedule as schedule_run

CONSENT = read_consent(Path("none"))
SVEN, OLGA = "sven@example.com", "olga@example.net"
WALLETS = (
    (SVEN, "tok_card", CARD, "4242"),
    (SVEN, "tok_bank", ACH, "0113"),
    (OLGA, "tok_olga", CARD, "4242"),
    (OLGA, "tok_gold", CARD, "1881"),
    (OLGA, "tok_blue", CARD, "1881"),
)


def fill_wallets(database: Database, period: str = RUN) -> None:
    with database.writing() as books:
        columns = ["period", "portal_user", "token", "kind", "last4"]
        insert_rows(books, payment_method, columns, ((period, *method) for method in WALLETS))


def a_town(database: Database, *households: Any, closed: bool = True, **changes: Any) -> None:
    """A run with these households, wallets to pay from, and by default closed."""
    stage_run(database, *(households or (a_household("1", mandates=()),)), **changes)
    period = changes.get("period", RUN)
    fill_wallets(database, period)
    if closed:
        close_run(database, period)


def a_wish(account: str = "1", **changes: Any) -> EnrollmentRequest:
    return EnrollmentRequest(
        **{"account": account, "portal_user": SVEN, "method": "4242", "days_prior": 5} | changes
    )


def moment(day: date) -> datetime:
    return datetime.combine(day, time(16), tzinfo=UTC)


def offer(
    database: Database,
    asked_for: EnrollmentRequest | None = None,
    on: date = CLOSING_DAY,
    *,
    policy: Any = OFFICE_DEFAULTS,
) -> Offer:
    return offer_enrollment(
        database, asked_for or a_wish(), today=on, closed=BANKS, policy=policy, consent=CONSENT
    )


def agree(database: Database, offered: Offer, on: date, *, policy: Any = OFFICE_DEFAULTS) -> Offer:
    return enroll(
        database, offered, now=moment(on), today=on, who="anna", closed=BANKS, policy=policy,
        consent=CONSENT,
    )  # fmt: skip


def enrolled(
    database: Database,
    asked_for: EnrollmentRequest | None = None,
    on: date = CLOSING_DAY,
    *,
    policy: Any = OFFICE_DEFAULTS,
) -> Offer:
    return agree(database, offer(database, asked_for, on, policy=policy), on, policy=policy)


def cancelled(database: Database, account: str = "1", on: date = CLOSING_DAY) -> Ended:
    return cancel_enrollment(
        database, account, now=moment(on), today=on, who="anna", reason="she called"
    )


def schedule(database: Database, on: date = CLOSING_DAY, period: str = RUN) -> None:
    schedule_run(database, on, period, now=moment(on))


def payments(database: Database, account: str = "1") -> list[tuple[Any, ...]]:
    """Each payment of an account: amount, day, whether immediate, method's token, state."""
    rows = gateway_payment.c
    query = sa.select(rows.amount, rows.pay_on, rows.immediate, rows.method_token, rows.state)
    with database.reading() as books:
        ordered = query.where(rows.account_key == account).order_by(rows.period)
        return [tuple(row) for row in books.execute(ordered)]


def reasons(database: Database) -> dict[tuple[str, str], str]:
    rows = autopay_unscheduled.c
    with database.reading() as books:
        found = books.execute(sa.select(rows.period, rows.account_key, rows.reason))
        return {(period, key): str(reason) for period, key, reason in found}


def is_anything_changed(database: Database) -> bool:
    with database.reading() as books:
        return any(
            books.execute(sa.select(table)).first() is not None
            for table in (enrollment, enrollment_end, gateway_payment, autopay_unscheduled)
        )


def set_state(database: Database, state: PaymentState, account: str = "1") -> None:
    with database.writing() as books:
        rows = gateway_payment
        books.execute(rows.update().where(rows.c.account_key == account).values(state=state))


def set_paid(database: Database, amount: str, account: str = "1") -> None:
    with database.writing() as books:
        rows = balance_due
        paid = Money.parse(amount)
        books.execute(rows.update().where(rows.c.account_key == account).values(paid=paid))
