"""Payment arrangements: how a balance is split by dates, and whether a plan is kept or broken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from domain.arrangements import Installment, InstallmentStanding, PlanStanding
from domain.failures import Misuse
from domain.money import ZERO, Money
from rules.calendars import DueRule

MOST_INSTALLMENTS = 36
MOST_DAYS = 3 * 366  # from the first day to the last one
FIRST_AFTER = timedelta(days=14)  # where nobody says the first day
DatedAmounts = Sequence[tuple[date, Money]]


class Every(StrEnum):
    """How far apart installments are."""

    WEEK = "week"
    TWO_WEEKS = "two-weeks"
    MONTH = "month"


def spread(amount: Money, installments: int, first: date, every: Every) -> DatedAmounts:
    """
    Split an amount evenly over dates, to the cent: the first ones are a cent larger where needed.

    Months keep the day of the first one, or take their own last day. Raises Misuse where an
    installment would be nothing, or come on a day that no calendar has.
    """
    if not 1 <= installments <= MOST_INSTALLMENTS:
        raise Misuse(f"A plan has 1 to {MOST_INSTALLMENTS} installments.", "bad-installments")
    each, more = divmod(amount.cents, installments)
    if each <= 0:
        raise Misuse(
            f"{amount.dollars()} cannot be split into {installments} installments.",
            "bad-installments",
        )
    try:
        days = [_day(first, every, number) for number in range(installments)]
    except (ValueError, OverflowError):
        raise Misuse(f"{first} is no day to begin a plan on.", "bad-installments") from None
    return [(day, Money(each + (number < more))) for number, day in enumerate(days)]


def _day(first: date, every: Every, number: int) -> date:
    if every is Every.MONTH:
        return DueRule(first.day, number).due_on(first)
    return first + timedelta(weeks=number * (1 if every is Every.WEEK else 2))


def agree(dated: DatedAmounts, payable: Money, today: date, grace_days: int) -> list[Installment]:
    """
    Return the installments of a plan, by date; `payable` is what is open and not on its way.

    Raises Misuse for what is no plan: no installment, one of nothing, two of one day, one that is
    past, and more than is owed.
    """
    ordered = sorted(dated)
    days = [due_on for due_on, _ in ordered]
    total = Money.total(amount for _, amount in ordered)
    if not 1 <= len(ordered) <= MOST_INSTALLMENTS or len(set(days)) < len(days):
        raise Misuse(
            f"A plan has 1 to {MOST_INSTALLMENTS} installments, each on a day of its own.",
            "bad-installments",
        )
    if any(amount <= ZERO for _, amount in ordered):
        raise Misuse("Each installment is above zero.", "bad-installments")
    if days[0] < today:
        raise Misuse(f"The installment of {days[0]} is past.", "bad-installments")
    if (days[-1] - today).days > MOST_DAYS:
        raise Misuse(f"The installment of {days[-1]} is too far away.", "bad-installments")
    if total > payable:
        raise Misuse(
            f"The installments are {total.dollars()} together; {payable.dollars()} is open and "
            "not on its way.",
            "over-open-balance",
        )
    grace = timedelta(days=grace_days)
    return [Installment(due_on, amount, due_on + grace) for due_on, amount in ordered]


def standing_of(
    installments: Iterable[Installment], paid: Money, open_balance: Money, today: date
) -> PlanStanding:
    """
    Tell how it stands with a plan on a local day (facts come from the ledger alone).

    What was paid since the plan pays its installments by due order. It is paid where they are, or
    where nothing is owed on the account any more (a credit, an adjustment). Something is missing,
    and the plan broken, if and only if what was due by the day, its grace over, is more than what
    was paid.
    """
    ordered = sorted(installments, key=lambda one: one.due_on)
    left, found = max(paid, ZERO), []
    for number, one in enumerate(ordered, start=1):
        covered = min(left, one.amount)
        left -= covered
        found.append(InstallmentStanding(number, one.due_on, one.amount, one.last_day, covered))
    total = Money.total(one.amount for one in ordered)
    due = Money.total(one.amount for one in ordered if one.last_day < today)
    is_paid = paid >= total or open_balance <= ZERO
    missing = ZERO if is_paid else max(due - max(paid, ZERO), ZERO)
    return PlanStanding(tuple(found), paid, missing, is_paid)


@dataclass(frozen=True, slots=True)
class CustomerLimits:
    """Within what a customer may make a plan of their own; the office sets it."""

    allowed: bool = False
    most_installments: int = 4
    most_days: int = 90  # from today to the last installment
    smallest: Money = ZERO
    most_open: Money = ZERO
    rest_days: int = 180  # after the last plan of the account, whoever made it


class CustomerRefusal(StrEnum):
    """Why a customer may not make a plan; the first that applies."""

    NOT_ALLOWED = "not-allowed"
    HAS_PLAN = "has-plan"
    NOTHING_OPEN = "nothing-open"
    ON_ITS_WAY = "on-its-way"
    TOO_MUCH_OPEN = "too-much-open"
    TOO_LITTLE_OPEN = "too-little-open"
    TOO_SOON = "too-soon"
    AUTOPAY = "autopay"  # is going to draw it


@dataclass(frozen=True, slots=True)
class PlanSituation:
    """What decides whether a customer may make a plan."""

    open_balance: Money
    on_its_way: Money
    has_plan: bool
    is_drawn_soon: bool  # autopay has a payment scheduled
    last_plan_on: date | None  # when the account's last plan was made


def refuse_customer(
    situation: PlanSituation, limits: CustomerLimits, today: date
) -> CustomerRefusal | None:
    """Return why a customer may not make a plan of their own, None where they may."""
    rests_until = situation.last_plan_on and situation.last_plan_on + timedelta(
        days=limits.rest_days
    )
    reasons = (
        (not limits.allowed, CustomerRefusal.NOT_ALLOWED),
        (situation.has_plan, CustomerRefusal.HAS_PLAN),
        (situation.open_balance <= ZERO, CustomerRefusal.NOTHING_OPEN),
        (bool(situation.on_its_way), CustomerRefusal.ON_ITS_WAY),
        (situation.is_drawn_soon, CustomerRefusal.AUTOPAY),
        (rests_until is not None and today < rests_until, CustomerRefusal.TOO_SOON),
        (situation.open_balance > limits.most_open, CustomerRefusal.TOO_MUCH_OPEN),
        (most_installments(situation.open_balance, limits) < 2, CustomerRefusal.TOO_LITTLE_OPEN),
    )
    return next((reason for applies, reason in reasons if applies), None)


def most_installments(amount: Money, limits: CustomerLimits) -> int:
    """Return into how many installments a customer may split an amount at most."""
    if limits.smallest <= ZERO:
        return limits.most_installments
    return min(limits.most_installments, amount.cents // limits.smallest.cents)


def is_within(dated: DatedAmounts, limits: CustomerLimits, today: date) -> bool:
    """Tell whether a customer's plan keeps to the office's limits."""
    return (
        2 <= len(dated) <= limits.most_installments
        and all(amount >= limits.smallest for _, amount in dated)
        and all(today <= due_on <= today + timedelta(days=limits.most_days) for due_on, _ in dated)
    )
