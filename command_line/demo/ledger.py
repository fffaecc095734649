"""What an account of the demo city used, was charged and paid in the period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from random import Random
from typing import Final

from domain.money import ZERO, Money

_DIVIDED: Final = 12  # equal pay is a twelfth of the year


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One transaction; payments are negative."""

    made_on: date
    service: str
    description: str
    type: str
    amount: Money
    usage: int | None = None  # thousand gallons for water and sewer, carts, stormwater units


@dataclass(frozen=True, slots=True)
class Premises:
    """What is billed at an address, month after month."""

    is_business: bool
    carts: int
    stormwater_units: int


def draw_premises(random: Random, is_business: bool) -> Premises:
    carts = random.randrange(2, 6) if is_business else random.choice((0, 1, 1, 1, 1, 1, 1, 2))
    units = random.randrange(4, 40) if is_business else 1
    return Premises(is_business, carts, units)


def charges(premises: Premises, usage: int, billed_on: date, word: str) -> list[LedgerLine]:
    """Return the billing lines of one month, one a service."""
    treated = usage if premises.is_business else min(usage, 12)
    carts, units = premises.carts, premises.stormwater_units
    billed = [
        ("WATER", usage, 2465 + _water(usage)),
        ("SEWER", treated, 2185 + 387 * treated),
        ("GARBAGE", carts, 1895 + 1120 * (carts - 1)),
        ("STORMWATER", units, 715 * units),
    ]
    return [
        LedgerLine(billed_on, service, word, "billing", Money(cents), quantity)
        for service, quantity, cents in billed
        if quantity or service in ("WATER", "SEWER")
    ]


def equal_pay_amount(premises: Premises, usage: tuple[int, ...], ends_on: date) -> Money:
    """Return a twelfth of the last year's charges, rounded up to a dollar."""
    year = [charges(premises, month, ends_on, "") for month in usage[:_DIVIDED]]
    cents = sum(line.amount.cents for month in year for line in month)
    return Money(-(-cents // (_DIVIDED * 100)) * 100)


def _water(usage: int) -> int:
    """Return cents for water by tiers: the first 5 thousand gallons, the next 10, the rest."""
    low, middle, high = min(usage, 5), min(max(usage - 5, 0), 10), max(usage - 15, 0)
    return 312 * low + 429 * middle + 563 * high


MONTHS_SHOWN: Final = 13  # the bill compares this month with the same month a year ago
_SEASON: Final = (0, 0, 0, 1, 3, 6, 8, 8, 5, 2, 0, 0)  # thousand gallons for gardens, by month


class Habit(StrEnum):
    """How an account pays; the special ones are planted, the others drawn."""

    ON_TIME = "on-time"
    PARTIAL = "partial"
    NEVER = "never"
    IN_CREDIT = "in-credit"  # has paid more than this bill will be
    EXACTLY_AHEAD = "exactly-ahead"  # has paid this bill before it was made: nothing is due
    EQUAL_PAY = "equal-pay"
    LEAVING = "leaving"  # moves out and gets a final bill


@dataclass(frozen=True, slots=True)
class Ledger:
    """An account's month: opening + lines = closing, always."""

    opening: Money
    lines: tuple[LedgerLine, ...]
    usage: tuple[int, ...]  # thousand gallons of water, oldest month first, this month last
    equal_pay: Money | None = None

    @property
    def closing(self) -> Money:
        return self.opening + self.sum_of()

    def sum_of(self, kind: str = "") -> Money:
        """Add up the lines of one type, or all of them."""
        return Money.total(line.amount for line in self.lines if kind in ("", line.type))


def draw_usage(random: Random, is_business: bool, ends_on: date, leaks: bool) -> tuple[int, ...]:
    """Draw 13 months of water in thousand gallons; a leak shows in the last one."""
    level = random.randrange(14, 60) if is_business else random.randrange(1, 11)
    first = ends_on.month - MONTHS_SHOWN
    season = [_SEASON[(first + month) % 12] for month in range(MONTHS_SHOWN)]
    usage = [max(0, level + extra + random.randrange(-1, 3)) for extra in season]
    if leaks:
        usage[-1] = usage[-1] * 6 + 140
    return tuple(usage)


def draw_ledger(
    random: Random, premises: Premises, usage: tuple[int, ...], habit: Habit, ends_on: date
) -> Ledger:
    """Draw an account's month as its habit has it."""
    before = Money.total(line.amount for line in charges(premises, usage[-2], ends_on, ""))
    word = "Final Billing" if habit is Habit.LEAVING else "Automatic Billing"
    billed = charges(premises, usage[-1], ends_on, word)
    agreed = equal_pay_amount(premises, usage, ends_on) if habit is Habit.EQUAL_PAY else None
    due = Money.total(line.amount for line in billed)
    opening, paid, penalty = _pay_previous(random, habit, before, due, agreed or ZERO)
    lines = list(billed)
    if paid:
        paid_on = ends_on.replace(day=random.randrange(3, 21))
        lines.append(LedgerLine(paid_on, "PAYMENT", "Payment - Thank You", "payment", -paid))
    if penalty:
        late_on = ends_on.replace(day=21)
        lines.append(LedgerLine(late_on, "PENALTY", "Late Penalty", "penalty", penalty))
    if habit in (Habit.ON_TIME, Habit.NEVER):
        lines += _adjustments(random, ends_on)
    return Ledger(opening, tuple(lines), usage, agreed)


def _pay_previous(
    random: Random, habit: Habit, before: Money, due: Money, agreed: Money
) -> tuple[Money, Money, Money]:
    """Return the opening balance, what was paid on it (positive), and the late penalty."""
    late = Money(max(1000, before.cents // 20))
    match habit:
        case Habit.PARTIAL:
            return before, Money(before.cents * random.randrange(30, 80) // 100), late
        case Habit.NEVER:
            return before, ZERO, late
        case Habit.IN_CREDIT:
            return -Money(due.cents + random.randrange(800, 9500)), ZERO, ZERO
        case Habit.EXACTLY_AHEAD:
            return before, before + due, ZERO
        case Habit.EQUAL_PAY:
            return agreed + Money(random.randrange(-4000, 9000)), agreed, ZERO
        case _:
            return before, before, ZERO


def _adjustments(random: Random, ends_on: date) -> list[LedgerLine]:
    chance = random.randrange(100)
    if chance >= 5:
        return []
    made_on = ends_on - timedelta(days=random.randrange(2, 16))
    if chance == 0:
        return [LedgerLine(made_on, "OTHER", "Returned Payment Fee", "adjustment", Money(2500))]
    credit = Money(-random.randrange(600, 3200))
    return [LedgerLine(made_on, "WATER", "Courtesy Adjustment", "adjustment", credit)]
