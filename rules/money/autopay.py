"""When autopay draws, and why it sometimes does not."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from domain.accounts import AccountStatus
from domain.money import Money
from domain.payments import Mandate, MethodKind, PlannedPayment, Unscheduled
from rules.calendars import is_working_day, next_working_day, previous_working_day
from rules.money.balances import is_owed

MOST_DAYS_PRIOR = 30  # earlier than that, the period's bill is not made


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
    balance: Money  # amount due less what was paid since the close and what a plan puts off
    pays_equal_amount: bool
    direct_pay: bool
    block_ach: bool
    block_card: bool
    is_held: bool = False
    already_processed: bool = False
    is_arranged: bool = False  # more is open than `balance`: a plan puts the rest off


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


@dataclass(frozen=True, slots=True)
class Situation:
    """
    All that decides about one enrollment in a period.

    Of amounts and days only as much as matters: a whole town has few different ones, and each is
    decided once.
    """

    status: AccountStatus
    method_kind: MethodKind | None
    days_prior: int
    is_owed: bool  # the balance is above zero
    is_above_maximum: bool  # the balance is above the customer's maximum
    is_maximum_owed: bool  # the maximum is above zero
    pays_up_to_maximum: bool | None  # the customer's own choice; None: the office's setting
    pays_equal_amount: bool
    direct_pay: bool
    block_ach: bool
    block_card: bool
    is_held: bool
    is_after_due: bool  # enrolled for a day to come, which is after the due date
    already_processed: bool
    is_arranged: bool = False  # a plan puts off all that is open, or a part of it


@dataclass(frozen=True, slots=True)
class DrawPlan:
    """A day for the payment, or a reason for none."""

    reason: Unscheduled | None
    pay_on: date | None = None
    immediate: bool = False
    draws_maximum: bool = False  # and not the whole balance


def decide(
    situation: Situation,
    *,
    due_on: date,
    today: date,
    closed: Container[date],
    policy: AutopayPolicy,
) -> DrawPlan:
    """
    Decide what one enrollment does in this period: a payment on a day, or a reason for none.

    A chosen day that is today or past is drawn today: a late schedule still pays (rules 51, 54,
    59; ruling 4). Every enrollment gets one or the other (rule 82).
    """
    reason = reason_not_to_draw(situation, policy)
    if reason is not None:
        return DrawPlan(reason)

    chosen = draw_date(due_on, situation.days_prior, closed, policy.on_closed_day)
    is_capped = _is_over_maximum(situation)
    return DrawPlan(None, max(chosen, today), chosen <= today, is_capped)


def reason_not_to_draw(situation: Situation, policy: AutopayPolicy) -> Unscheduled | None:
    """Return the first reason that applies, in the order of the office's list (rules 56-58, 81)."""
    reasons = (
        (situation.is_held, Unscheduled.HELD),
        (situation.status is AccountStatus.CLOSED, Unscheduled.ACCOUNT_CLOSED),
        (situation.direct_pay, Unscheduled.DIRECT_PAY),
        (is_method_blocked(situation, situation.method_kind), Unscheduled.METHOD_BLOCKED),
        (situation.method_kind is None, Unscheduled.METHOD_MISSING),
        (situation.is_arranged and not situation.is_owed, Unscheduled.ARRANGED),
        (not situation.is_owed, Unscheduled.ZERO_BALANCE),
        (_is_kept_by_maximum(situation, policy), Unscheduled.OVER_MAXIMUM),
        (situation.is_after_due, Unscheduled.AFTER_DUE_DATE),
        (situation.already_processed, Unscheduled.ALREADY_PROCESSED),
    )
    return next((reason for applies, reason in reasons if applies), None)


def is_method_blocked(of: Payable | Situation, kind: MethodKind | None) -> bool:
    """Honor a block that was set after the enrollment as well (rules 136-138)."""
    if kind is None:
        return False
    return of.block_ach if kind is MethodKind.ACH else of.block_card


def _is_over_maximum(situation: Situation) -> bool:
    """An equal-pay amount is what the customer agreed to, and exempt (ruling 3)."""
    return situation.is_above_maximum and not situation.pays_equal_amount


def _is_kept_by_maximum(situation: Situation, policy: AutopayPolicy) -> bool:
    """
    Tell whether nothing is drawn of a balance above the customer's maximum.

    The customer's own choice decides, then the office's setting: nothing, or up to the maximum
    (rulings 3, 5).
    """
    if not _is_over_maximum(situation):
        return False
    pays_up_to = situation.pays_up_to_maximum
    if pays_up_to is None:
        pays_up_to = policy.over_maximum is OverMaximum.CAP
    return not (pays_up_to and situation.is_maximum_owed)


def situation_of(payable: Payable, mandate: Mandate, due_on: date, today: date) -> Situation:
    """
    Return as much of an account and its mandate as decides.

    Who enrolled after the due date and owes something is drawn at once, by a schedule run as by
    enrolling (rules 55, 59; ruling 21); a mandate that begins later than today waits.
    """
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
        is_after_due=mandate.enrolled_on > max(due_on, today),
        already_processed=payable.already_processed,
        is_arranged=payable.is_arranged,
    )


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
        situation_of(payable, mandate, due_on, today),
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
    return plan_payment(
        payable,
        mandate,
        due_on=due_on,
        today=mandate.enrolled_on,
        closed=closed,
        policy=policy,
    )
