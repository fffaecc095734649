"""How the accounts of the demo city are reached, and by what they pay on their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Final

from domain.money import Money

_DOMAINS: Final = ("example.com", "example.com", "example.org", "example.net")
_OWNERS: Final = ("Basalt", "Heron", "Millrace", "Osprey", "Sagebrush")
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
    """Draw how an account is reached; some oddities are planted at fixed numbers."""
    address = f"{mailbox}@{random.choice(_DOMAINS)}" if random.random() < 0.8 else ""
    household = random.random() < 0.12 and bool(address)
    ebill = random.random() < 0.44 and bool(address)
    registered = random.random() < 0.38 and bool(address)
    same, paperless, both = random.random() < 0.6, random.random() < 0.4, random.random() < 0.07
    drawn = Contact(
        email=f"{address};household.{number}@example.org" if household else address,
        ebill=ebill,
        send_paper=both or not (ebill or (registered and paperless)),
        portal_user=_portal_user(address, number, same) if registered else "",
        portal_paperless=paperless,
        cosigner_id=f"LL{number // 65:03d}" if number % 13 == 5 else "",
    )
    return _plant(drawn, number, mailbox)


def _plant(contact: Contact, number: int, mailbox: str) -> Contact:
    """Put in what clerks meet every month; the tests and the demo's report count on it."""
    if number % 100 == 16:
        one_bad = f"{mailbox}@example.com;{mailbox}@@example.org"
        return replace(contact, email=one_bad)
    if number % 250 == 41:
        return replace(contact, email=f"{mailbox} at example.com", ebill=True, portal_user="")
    if number % 50 == 27:
        return replace(contact, email="", ebill=True, portal_user="")
    if number % 100 == 33:
        return replace(contact, ebill=False, send_paper=False, portal_user="")
    return contact


def draw_autopay(
    random: Random, number: int, amount_due: Money, period_ends_on: date
) -> Autopay | None:
    """Draw a mandate for some 15 % of the accounts; some that cannot be scheduled are planted."""
    enrolled, kind = random.random() < 0.125, random.choice(("ach", "card"))
    last4, prior = f"{random.randrange(10_000):04d}", random.choice(_DAYS_PRIOR)
    ago, cancelled = random.randrange(20, 700), random.random() < 0.12
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


def cosigner_of(number: int) -> Cosigner:
    """Return the landlord of the block that this account is in; a third has no portal user."""
    index = number // 65
    name = f"{_OWNERS[index % len(_OWNERS)]} Rentals {index + 1} LLC"
    return Cosigner(f"LL{index:03d}", name, f"landlord{index}@example.org" if index % 3 < 2 else "")


def _portal_user(address: str, number: int, same: bool) -> str:
    """Return the address of registration: another one, or the same in other letters' case."""
    if not same:
        return f"portal.{number}@example.net"
    return address.upper() if number % 10 == 6 else address
