"""When autopay draws, how much, and why it sometimes does not."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from domain.accounts import AccountStatus
from domain.money import Money
from domain.payments import Mandate, MethodKind, PlannedPayment, Unscheduled
from rules.balances import is_owed
from rules.calendars import is_working_day, next_working_day, previous_working_day


class OnClosedDay(StrEnum):
    """Where a draw goes that would fall on a day without banking (ruling 13)."""

    PREVIOUS = "previous"
    NEXT = "next"
    SAME = "same"


class OverMaximum(StrEnum):
    """What happens above the customer's maximum (ruling 3)."""

    SKIP = "skip"
    CAP = "cap"


@dataclass(frozen=True, slots=True)
class AutopayPolicy:
    """The office's choices where the customer has made none."""

    on_closed_day: OnClosedDay = OnClosedDay.PREVIOUS
    over_maximum: OverMaximum = OverMaximum.SKIP


@dataclass(frozen=True, slots=True)
class Payable:
    """What autopay has to know of an account at the moment of scheduling."""

    account: str
    status: AccountStatus
    balance: Money  # open balance: amount due less what has been paid since the close
    pays_equal_amount: bool
    direct_pay: bool
    block_ach: bool
    block_card: bool
    is_held: bool = False
    already_processed: bool = False


def draw_date(
    due_on: date, days_prior: int, closed: Container[date], on_closed_day: OnClosedDay
) -> date:
    """
    Return the day a payment is drawn, counted back from this period's due date (rules 48, 49).

    A day without banking moves as the setting says, never past the due date (ruling 13).
    """
    chosen = due_on - timedelta(days=days_prior)
    if on_closed_day is OnClosedDay.SAME or is_working_day(chosen, closed):
        return chosen
    if on_closed_day is OnClosedDay.NEXT:
        later = next_working_day(chosen, closed)
        if later <= due_on:
            return later
    return previous_working_day(chosen, closed)


def is_method_blocked(payable: Payable, kind: MethodKind | None) -> bool:
    """Honor a block that was set after the enrollment as well (rules 136-138)."""
    if kind is None:
        return False
    return payable.block_ach if kind is MethodKind.ACH else payable.block_card


def amount_within_maximum(
    payable: Payable, mandate: Mandate, policy: AutopayPolicy
) -> Money | None:
    """
    Return what may be drawn, or None where the balance is above the customer's maximum.

    An equal-pay amount is what the customer agreed to and exempt. Otherwise the customer's own
    choice decides, then the office's setting: nothing, or up to the maximum (rulings 3, 5).
    """
    maximum = mandate.maximum
    if maximum is None or payable.pays_equal_amount or payable.balance <= maximum:
        return payable.balance
    pays_up_to = mandate.pays_up_to_maximum
    if pays_up_to is None:
        pays_up_to = policy.over_maximum is OverMaximum.CAP
    return maximum if pays_up_to and is_owed(maximum) else None


def reason_not_to_schedule(
    payable: Payable, mandate: Mandate, due_on: date, policy: AutopayPolicy
) -> Unscheduled | None:
    """Return the first reason that applies, in the order of the office's list (rules 56-58, 81)."""
    reasons = (
        (payable.is_held, Unscheduled.HELD),
        (payable.status is AccountStatus.CLOSED, Unscheduled.ACCOUNT_CLOSED),
        (payable.direct_pay, Unscheduled.DIRECT_PAY),
        (is_method_blocked(payable, mandate.method_kind), Unscheduled.METHOD_BLOCKED),
        (mandate.method_kind is None, Unscheduled.METHOD_MISSING),
        (not is_owed(payable.balance), Unscheduled.ZERO_BALANCE),
        (amount_within_maximum(payable, mandate, policy) is None, Unscheduled.OVER_MAXIMUM),
        (mandate.enrolled_on > due_on, Unscheduled.AFTER_DUE_DATE),
        (payable.already_processed, Unscheduled.ALREADY_PROCESSED),
    )
    return next((reason for applies, reason in reasons if applies), None)


def plan_payment(
    payable: Payable,
    mandate: Mandate,
    *,
    due_on: date,
    today: date,
    closed: Container[date],
    policy: AutopayPolicy,
) -> PlannedPayment:
    """
    Decide what one enrollment does in this period: a payment on a day, or a reason for none.

    A chosen day that is today or past is drawn today: a late schedule still pays (rules 51, 54,
    59; ruling 4). Every enrollment gets one or the other (rule 82).
    """
    reason = reason_not_to_schedule(payable, mandate, due_on, policy)
    amount = amount_within_maximum(payable, mandate, policy)
    if reason is not None or amount is None:
        return PlannedPayment(payable.account, payable.balance, None, False, reason)

    chosen = draw_date(due_on, mandate.days_prior, closed, policy.on_closed_day)
    immediate = chosen <= today
    return PlannedPayment(payable.account, amount, max(chosen, today), immediate, None)


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
