"""What a correction does to the autopay payment of its bill."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.tables import draw, gateway_payment
from domain.corrections import CORRECTED_TO_NONE
from domain.money import ZERO, Money
from domain.payments import (
    DRAW,
    DrawState,
    MethodKind,
    PaymentState,
    PlannedPayment,
)
from domain.words import say_code, say_count
from payments.collecting.draws import move_payment
from payments.enrollment.facts import CurrentPayment, EnrollmentFacts, read_enrollment_facts
from payments.enrollment.records import record_outcome
from rules.money.autopay import AutopayPolicy, plan_payment

_PAYMENT = gateway_payment.c
_ON_ITS_WAY = (PaymentState.SUBMITTED, PaymentState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class SchedulingTerms:
    """The office's bank days and choices on a local day; `notice_days` as a changed draw needs."""

    now: datetime
    today: date
    closed: Container[date]
    policy: AutopayPolicy
    notice_days: int


def reschedule(books: Connection, number: str, terms: SchedulingTerms) -> tuple[str, ...]:
    """
    Bring an account's payment to what its corrected bill asks for; say in sentences what was done.

    Only what was surely not asked for is changed: what was drawn, or is on its way, stays, and
    the difference is owed or a credit (nothing is drawn a second time). The balance is corrected
    before, and its row is locked. A payment that nothing is left for is cancelled and listed with
    its reason (rules 49, 72, 81, 82).
    """
    standing = read_enrollment_facts(books, number, terms.today)
    payment = standing.payment
    if payment is None:
        return (*_schedule_new(books, standing, terms), *_say_credit(standing))
    if payment.is_processed:
        return (_say_processed(payment), *_say_difference(standing))
    followed = _follow(books, standing, payment, terms)
    if followed is None:
        stays = (
            f"The payment of {payment.amount.dollars()} is {say_code(payment.state)} and stays so."
        )
        return (stays, *_say_difference(standing))
    return (*followed, *_say_credit(standing))


def _follow(
    books: Connection, standing: EnrollmentFacts, payment: CurrentPayment, terms: SchedulingTerms
) -> tuple[str, ...] | None:
    """Change a payment that waits, or make one anew that a correction had cancelled; else None."""
    row = books.execute(sa.select(gateway_payment).where(_PAYMENT.key == payment.key)).one()
    if payment.waits:
        return _change(books, standing, payment, row, terms)
    if payment.state is PaymentState.CANCELLED and row.error == CORRECTED_TO_NONE:
        return _schedule_new(books, standing, terms)
    return None


def _plan(standing: EnrollmentFacts, terms: SchedulingTerms) -> PlannedPayment | None:
    if standing.mandate is None or standing.due_on is None:
        return None
    return plan_payment(
        replace(standing.payable, already_processed=False),
        standing.mandate,
        due_on=standing.due_on,
        today=terms.today,
        closed=terms.closed,
        policy=terms.policy,
    )


def _schedule_new(
    books: Connection, standing: EnrollmentFacts, terms: SchedulingTerms
) -> tuple[str, ...]:
    """Schedule what nothing was due of before; who has no mandate pays by hand."""
    planned = _plan(standing, terms)
    if planned is None or standing.mandate is None:
        return ()
    record_outcome(books, standing, standing.mandate, planned, terms.now)
    if planned.pay_on is None:
        return (f"Autopay draws nothing: {planned.unscheduled}.",)
    told = f"Autopay draws {planned.amount.dollars()} on {planned.pay_on}."
    kind = standing.mandate.method_kind
    return (told, *_say_notice(ZERO, planned.amount, planned.pay_on, kind, terms))


def _change(
    books: Connection,
    standing: EnrollmentFacts,
    payment: CurrentPayment,
    row: Any,
    terms: SchedulingTerms,
) -> tuple[str, ...]:
    planned = _plan(standing, terms)
    was = f"The payment of {payment.amount.dollars()} on {payment.pay_on}"
    if planned is None:
        return (f"{was} stays: nobody's mandate says how it would be planned anew.",)
    if row.number > 1:  # of one that came back: looked at anew on its day, and never raised
        return (f"{was}, of a returned one, stays; no more than is owed is drawn.",)
    _abandon_unasked(books, payment.key)
    if planned.pay_on is None:
        return _cancel(books, standing, planned, payment, was, terms)
    pay_on = planned.pay_on
    if _was_tried(books, payment.key):  # a retry keeps its day
        pay_on = max(pay_on, payment.pay_on)
    if (planned.amount, pay_on) == (payment.amount, payment.pay_on):
        return (f"{was} stays as it is.",)
    changed = books.execute(
        gateway_payment.update()
        .where(_PAYMENT.key == payment.key, _PAYMENT.state == PaymentState.SCHEDULED)
        .values(
            amount=planned.amount,
            pay_on=pay_on,
            immediate=planned.immediate,
            scheduled_at=terms.now,
        )
    )
    if changed.rowcount != 1:
        raise RuntimeError(f"payment {payment.key} was changed by somebody else")
    told = f"{was} is now {planned.amount.dollars()} on {pay_on}."
    notice = _say_notice(payment.amount, planned.amount, pay_on, row.method_kind, terms)
    return (told, *notice)


def _cancel(
    books: Connection,
    standing: EnrollmentFacts,
    planned: PlannedPayment,
    payment: CurrentPayment,
    was: str,
    terms: SchedulingTerms,
) -> tuple[str, ...]:
    error = CORRECTED_TO_NONE
    if not move_payment(books, payment.key, payment.state, "cancelled", error=error):
        raise RuntimeError(f"payment {payment.key} was changed by somebody else")
    assert standing.mandate is not None
    record_outcome(books, standing, standing.mandate, planned, terms.now)
    return (f"{was} is cancelled: {planned.unscheduled}.",)


def _abandon_unasked(books: Connection, key: str) -> None:
    """Give up a draw that was made and not asked for: whoever made it finds it gone."""
    created = DrawState.CREATED
    books.execute(
        draw.update()
        .where(draw.c.payment_key == key, draw.c.state == created)
        .values(state=DRAW.after(created, "abandoned"))
    )


def _was_tried(books: Connection, key: str) -> bool:
    tried = sa.select(draw.c.key).where(
        draw.c.payment_key == key, draw.c.state == DrawState.DECLINED
    )
    return books.execute(tried.limit(1)).first() is not None


def _say_processed(payment: CurrentPayment) -> str:
    what = f"The payment of {payment.amount.dollars()} of {payment.pay_on}"
    if payment.state in _ON_ITS_WAY or payment.state is PaymentState.SCHEDULED:
        return f"{what} is on its way and cannot be changed; it counts when it is answered."
    return f"{what} was drawn ({payment.state}); nothing is drawn a second time."


def _say_difference(standing: EnrollmentFacts) -> tuple[str, ...]:
    balance = standing.payable.balance
    if balance > ZERO:
        return (
            f"{balance.dollars()} is owed now: the customer pays it by hand, or with the next "
            "bill.",
        )
    return _say_credit(standing) or ("Nothing is owed now.",)


def _say_credit(standing: EnrollmentFacts) -> tuple[str, ...]:
    """Say what the customer has paid too much, by whatever way it was paid."""
    balance = standing.payable.balance
    if balance >= ZERO:
        return ()
    credit = Money(-balance.cents).dollars()
    return (
        f"{credit} is a credit on the account, which the next bill takes off; "
        "`billclose refund CONFIRMATION` gives back what was drawn.",
    )


def _say_notice(
    before: Money, amount: Money, pay_on: date, kind: MethodKind | None, terms: SchedulingTerms
) -> tuple[str, ...]:
    days = (pay_on - terms.today).days
    if amount <= before or kind is not MethodKind.ACH or days >= terms.notice_days:
        return ()
    return (
        f"notice-short: the bank account is drawn {say_count(days, 'day')} after its notice, and a "
        f"changed amount needs {terms.notice_days}; call the customer, or cancel autopay.",
    )
