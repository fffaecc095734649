"""What autopay draws on which day: where the cash of a period comes from."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import planned_payment, scheduled_payment
from domain.money import Money
from domain.payments import PaymentState
from reporting.run_sheet.run_sheet import DrawDay


def list_draws(books: Connection, period: str, *, closed: bool) -> tuple[DrawDay, ...]:
    """Add the payments of a run up by the local day they are drawn on, the first day first."""
    payments = scheduled_payment if closed else planned_payment
    drawn = [payments.c.period == period, payments.c.pay_on.is_not(None)]
    if closed:  # what was returned and is drawn again was scheduled once
        drawn += [payments.c.state != PaymentState.CANCELLED, scheduled_payment.c.number == 1]
    rows = books.execute(sa.select(payments.c.pay_on, payments.c.amount).where(*drawn))
    amounts = [(row.pay_on, row.amount.cents) for row in rows]
    if not amounts:
        return ()
    import pandas as pd  # a quarter of a second, which looking at what waits need not pay

    frame = pd.DataFrame(amounts, columns=["pay_on", "amount_cents"])
    days = frame.groupby("pay_on")["amount_cents"].agg(["count", "sum"]).sort_index()
    return tuple(
        DrawDay(day, int(payments), Money(int(cents)))
        for day, payments, cents in days.itertuples(name=None)
    )
