"""Drawing again what a bank returned for want of money: a payment of its own, as large."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import scheduled_payment
from domain.payments import PAYMENT
from payments.draws import Draw
from payments.gateway import LateEvent
from payments.scheduling import payment_key
from payments.terms import Terms
from rules.returns import again_on


def draw_again(
    books: Connection, one: Draw, event: LateEvent, now: datetime, terms: Terms
) -> date | None:
    """
    Schedule a returned draw once more where that is allowed; return its day, None where it is not.

    It is a payment beside the one that was returned: each has its own confirmation, receipt and
    reversal (rule 78), and both stand in the list of payments. The amount is the same, without any
    fee, as Nacha asks; like every payment it is looked at anew on its day.
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
        books.execute(scheduled_payment.insert().values(_row(one, pay_on, now)))
    return pay_on


def _first_taken_at(books: Connection, one: Draw) -> datetime | None:
    rows = scheduled_payment.c
    moment: datetime | None = books.scalar(
        sa.select(rows.taken_at).where(
            rows.run == one.run, rows.account_key == one.account_key, rows.number == 1
        )
    )
    return moment


def _row(one: Draw, pay_on: date, now: datetime) -> dict[str, Any]:
    number = one.payment_number + 1
    return {
        "key": f"{payment_key(one.run, one.account_key)}/again{number}",
        "run": one.run,
        "account_key": one.account_key,
        "account": one.account,
        "number": number,
        "pay_on": pay_on,
        "amount": one.amount,
        "method_token": one.method_token,
        "method_kind": one.method_kind,
        "last4": one.last4,
        "immediate": False,
        "state": PAYMENT.start,
        "scheduled_at": now,
    }
