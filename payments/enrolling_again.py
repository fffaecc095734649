"""What cancelling and enrolling again would do: rule 60 knows no edit, ruling 9 wants it shown."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from datetime import date

from domain.payments import PlannedPayment
from payments.enrolling_facts import Standing
from rules.autopay import AutopayPolicy, draw_date
from rules.autopay_plan import plan_enrollment


def plan_again(
    standing: Standing, today: date, closed: Container[date], policy: AutopayPolicy
) -> PlannedPayment | None:
    """Return what the same mandate given anew today would bring about; None before a close."""
    if standing.mandate is None or standing.due_on is None:
        return None
    anew = replace(standing.mandate, enrolled_on=today)
    return plan_enrollment(
        standing.payable, anew, due_on=standing.due_on, closed=closed, policy=policy
    )


def say_consequence(
    standing: Standing, today: date, closed: Container[date], policy: AutopayPolicy
) -> str:
    """Say what falls away by cancelling, and what enrolling again then draws; else nothing."""
    payment, again = standing.payment, plan_again(standing, today, closed, policy)
    told = []
    if payment is not None and payment.waits:
        told.append(
            f"Cancelling takes the payment of {payment.amount.dollars()} on {payment.pay_on} off "
            "the schedule."
        )
    elif payment is not None and payment.is_processed:
        told.append(f"This period's payment of {payment.amount.dollars()} stands.")
    if again is not None and again.pay_on is not None:
        told.append(_say_again(standing, again, closed, policy))
    return " ".join(told)


def _say_again(
    standing: Standing, again: PlannedPayment, closed: Container[date], policy: AutopayPolicy
) -> str:
    if again.immediate:
        return f"Enrolling again draws {again.amount.dollars()} at once."
    assert standing.mandate is not None and standing.due_on is not None
    day = draw_date(standing.due_on, standing.mandate.days_prior, closed, policy.on_closed_day)
    return f"Enrolling again from {day} on draws {again.amount.dollars()} at once."
