"""What autopay does for one enrollment: the amount, the day, or the reason for neither."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from datetime import date

from domain.payments import Mandate, PlannedPayment, Unscheduled
from rules.autopay import AutopayPolicy, Payable, Situation, decide, reason_not_to_draw
from rules.balances import is_owed


def situation_of(payable: Payable, mandate: Mandate, due_on: date) -> Situation:
    """Return as much of an account and its mandate as decides."""
    maximum = mandate.maximum
    return Situation(
        status=payable.status,
        method_kind=mandate.method_kind,
        days_prior=mandate.days_prior,
        is_owed=is_owed(payable.balance),
        is_above_maximum=maximum is not None and payable.balance > maximum,
        is_maximum_owed=maximum is not None and is_owed(maximum),
        pays_up_to_maximum=mandate.pays_up_to_maximum,
        pays_equal_amount=payable.pays_equal_amount,
        direct_pay=payable.direct_pay,
        block_ach=payable.block_ach,
        block_card=payable.block_card,
        is_held=payable.is_held,
        is_after_due=mandate.enrolled_on > due_on,
        already_processed=payable.already_processed,
    )


def reason_not_to_schedule(
    payable: Payable, mandate: Mandate, due_on: date, policy: AutopayPolicy
) -> Unscheduled | None:
    """Return the first reason that applies (rules 56-58, 81)."""
    return reason_not_to_draw(situation_of(payable, mandate, due_on), policy)


def plan_payment(
    payable: Payable,
    mandate: Mandate,
    *,
    due_on: date,
    today: date,
    closed: Container[date],
    policy: AutopayPolicy,
) -> PlannedPayment:
    """Decide what one enrollment does in this period, and how much it draws (rule 72)."""
    decided = decide(
        situation_of(payable, mandate, due_on),
        due_on=due_on, today=today, closed=closed, policy=policy,
    )  # fmt: skip
    maximum = mandate.maximum if decided.draws_maximum else None
    amount = payable.balance if maximum is None else maximum
    return PlannedPayment(
        payable.account, amount, decided.pay_on, decided.immediate, decided.reason
    )


def plan_enrollment(
    payable: Payable,
    mandate: Mandate,
    *,
    due_on: date,
    closed: Container[date],
    policy: AutopayPolicy,
) -> PlannedPayment:
    """
    Decide what enrolling today brings about at once, for the customer to confirm (rules 51-58).

    With E the day of enrolling, D the due date and n the days prior: before D-n the payment waits
    for D-n; from then on, and after D with a balance, the whole balance is drawn today; without a
    balance nothing happens until the next close.
    """
    before_due = replace(mandate, enrolled_on=min(mandate.enrolled_on, due_on))
    return plan_payment(
        payable,
        before_due,
        due_on=due_on,
        today=mandate.enrolled_on,
        closed=closed,
        policy=policy,
    )
