"""How the accounts of the demo city are reached, and by what they pay on their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

from domain.money import Money

_DOMAINS: Final = ("example.com", "example.com", "example.org", "example.net")
_DAYS_PRIOR: Final = (0, 0, 1, 2, 3, 3, 5, 7, 10, 14)


@dataclass(frozen=True, slots=True)
class Contact:
    """What decides between e-mail and paper."""

    email: str  # several addresses joined by semicolons
    ebill: bool
    send_paper: bool
    portal_user: str  # empty: not registered
    portal_paperless: bool
    cosigner_id: str


@dataclass(frozen=True, slots=True)
class Autopay:
    """A mandate and its payment method; the token is all that there is of the method."""

    token: str
    kind: str
    last4: str
    days_prior: int
    maximum: Money | None
    enrolled_on: date
    status: str


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A landlord who answers for some of the accounts."""

    id: str
    name: str
    portal_user: str


def draw_contact(random: Random, number: int, mailbox: str) -> Contact:
    """
    Draw how an account is reached; some oddities are planted at fixed numbers.

    Planted are what clerks meet every month: a broken address beside a good one, no good address
    at all, paperless without an address, neither paper nor e-bill.
    """
    address = f"{mailbox}@{random.choice(_DOMAINS)}" if random.random() < 0.8 else ""
    household = random.random() < 0.12
    ebill = random.random() < 0.38
    registered = random.random() < 0.38
    same, paperless, both = random.random() < 0.6, random.random() < 0.4, random.random() < 0.07
    portal_user = _portal_user(address, number, same) if registered and address else ""
    email = f"{address};household.{number}@example.org" if address and household else address
    if number % 100 == 16:
        email = f"{mailbox}@example.com;{mailbox}@@example.org"
    elif number % 250 == 41:
        email, ebill, portal_user = f"{mailbox} at example.com", True, ""
    elif number % 50 == 27:
        email, ebill, portal_user = "", True, ""
    is_paperless = ebill or bool(portal_user and paperless)
    neither = number % 100 == 33
    return Contact(
        email=email,
        ebill=ebill and not neither,
        send_paper=(both or not is_paperless) and not neither,
        portal_user=portal_user if not neither else "",
        portal_paperless=paperless,
        cosigner_id=f"LL{number // 65:03d}" if number % 13 == 5 else "",
    )


def draw_autopay(
    random: Random, number: int, amount_due: Money, period_ends_on: date
) -> Autopay | None:
    """Draw a mandate for some 15 % of the accounts; some that cannot be scheduled are planted."""
    enrolled, kind = random.random() < 0.125, random.choice(("ach", "card"))
    last4, prior = f"{random.randrange(10_000):04d}", random.choice(_DAYS_PRIOR)
    ago, cancelled = random.randrange(20, 700), random.random() < 0.06
    has_maximum = random.random() < 0.2
    if not (enrolled or is_planted(number)):
        return None
    maximum = Money(-(-abs(amount_due.cents) // 10_000) * 10_000) if has_maximum else None
    if number % 125 == 36:
        maximum = Money(25_00)
    if number % 200 == 9:
        prior = 18 + number // 200 % 3  # draws at once on the day of the close
    return Autopay(
        token=f"tok_demo_{number:06d}",
        kind=kind,
        last4=last4,
        days_prior=prior,
        maximum=maximum,
        enrolled_on=period_ends_on - timedelta(days=ago),
        status="cancelled" if cancelled and not is_planted(number) else "active",
    )


def is_planted(number: int) -> bool:
    """Tell whether an account has autopay whatever is drawn: late, over the maximum, blocked."""
    return number % 200 == 9 or number % 125 == 36 or number % 250 in (14, 19, 26, 31)


def draw_cosigner(number: int, streets: Sequence[str]) -> Cosigner | None:
    """Return the landlord who comes into the city with this account, if one does."""
    if number % 65 != 5:
        return None
    index = number // 65
    name = f"{streets[index % len(streets)]} Rentals {index + 1} LLC"
    return Cosigner(f"LL{index:03d}", name, f"landlord{index}@example.org" if index % 3 < 2 else "")


def _portal_user(address: str, number: int, same: bool) -> str:
    """Return the address of registration: another one, or the same in other letters' case."""
    if not same:
        return f"portal.{number}@example.net"
    return address.upper() if number % 10 == 6 else address
