"""What the demo city bills at an address, and its rates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Final

from domain.money import Money

_DIVIDED: Final = 12  # equal pay is a twelfth of the year


@dataclass(frozen=True, slots=True)
class Line:
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


def charges(premises: Premises, usage: int, billed_on: date, word: str) -> list[Line]:
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
        Line(billed_on, service, word, "billing", Money(cents), quantity)
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
