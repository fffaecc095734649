"""Drawing once more what a bank returned for want of money."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import balance_due, gateway_payment, scheduled_payment
from domain.payments import PAYMENT
from payments.collecting.draws import Draw
from payments.port import LateEvent
from payments.scheduling.scheduling import payment_key
from payments.terms import CollectionTerms
from rules.money.returns import again_on

_ROWS = scheduled_payment.c


def draw_again(
    books: Connection, one: Draw, event: LateEvent, now: datetime, terms: CollectionTerms
) -> date | None:
    """
    Schedule a returned draw once more where that is allowed; return its day, None where it is not.

    It is a payment beside the one that was returned: each has its own confirmation, receipt and
    reversal (rule 78), and both stand in the list of payments. The amount is the same, without any
    fee, as Nacha asks; like every payment it is looked at anew on its day. After the account's
    next close it belongs to the newest period: the balance that it pays has moved there.
    """
    first_at = _first_taken_at(books, one)
    if event.amount != one.amount or first_at is None:
        return None
    pay_on = again_on(
        event.code,
        one.method_kind,
        one.payment_number,
        first_on=one.local_day(first_at),
        today=one.local_day(now),
        closed=terms.closed,
        policy=terms.again,
    )
    if pay_on is not None:
        _schedule(books, one, pay_on, now)
    return pay_on


def _first_taken_at(books: Connection, one: Draw) -> datetime | None:
    moment: datetime | None = books.scalar(
        sa.select(_ROWS.taken_at).where(
            _ROWS.period == one.period, _ROWS.account_key == one.account_key, _ROWS.number == 1
        )
    )
    return moment


def _schedule(books: Connection, one: Draw, pay_on: date, now: datetime) -> None:
    period = books.scalar(
        sa.select(balance_due.c.period).where(balance_due.c.account_key == one.account_key)
    )
    period = period or one.period
    last = books.scalar(
        sa.select(sa.func.max(_ROWS.number)).where(
            _ROWS.period == period, _ROWS.account_key == one.account_key
        )
    )
    number = max(last or 1, one.payment_number) + 1
    books.execute(
        gateway_payment.insert().values(
            key=f"{payment_key(period, one.account_key)}/again{number}",
            period=period,
            account_key=one.account_key,
            account=one.account,
            number=number,
            pay_on=pay_on,
            amount=one.amount,
            method_token=one.method_token,
            method_kind=one.method_kind,
            last4=one.last4,
            immediate=False,
            state=PAYMENT.start,
            scheduled_at=now,
        )
    )
