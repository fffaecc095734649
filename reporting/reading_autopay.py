"""How many draw, and how many do not: the two lists of autopay, counted."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.counting import count_by
from database.mandates import mandates_in_force
from database.tables import account, autopay_unscheduled, planned_payment, scheduled_payment
from domain.payments import PaymentState
from reporting.counting import count, total
from reporting.run_sheet import AutopaySheet


def count_autopay(books: Connection, run: str, *, closed: bool) -> AutopaySheet:
    if closed:
        payments, reasons = scheduled_payment, autopay_unscheduled.c.reason
        drawn = [
            payments.c.run == run,
            payments.c.number == 1,  # what was returned and is drawn again was scheduled once
            payments.c.state != PaymentState.CANCELLED,
        ]
        why = count_by(books, reasons, autopay_unscheduled.c.run == run)
    else:
        payments, reasons = planned_payment, planned_payment.c.unscheduled
        drawn = [payments.c.run == run, payments.c.unscheduled.is_(None)]
        why = count_by(books, reasons, payments.c.run == run, reasons.is_not(None))
    return AutopaySheet(
        scheduled=count(books, payments, run, *drawn),
        immediate=count(books, payments, run, *drawn, payments.c.immediate),
        unscheduled=sum(why.values()),
        amount=total(books, payments.c.amount, *drawn),
        reasons=why,
    )


def count_not_enrolled(books: Connection, run: str) -> int:
    """
    Count the accounts without a mandate in force, on its own: so the lists can be proved.

    Whose payment was asked for before the mandate ended stays on the list of payments.
    """
    accounts = sa.select(account.c.account_key).where(account.c.run == run)
    enrolled = sa.select(mandates_in_force(run).c.account_key)
    paid = sa.select(scheduled_payment.c.account_key).where(
        scheduled_payment.c.run == run, scheduled_payment.c.state != PaymentState.CANCELLED
    )
    rest = sa.except_(accounts, enrolled, paid).subquery()  # NOT IN is slow with many
    return int(books.execute(sa.select(sa.func.count()).select_from(rest)).scalar_one())
