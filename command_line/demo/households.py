"""The accounts of the demo city, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Final

from command_line.demo.ledger import Habit, Ledger, draw_ledger, draw_premises, draw_usage
from command_line.demo.people import Resident, draw_resident
from domain.accounts import Account, AccountStatus
from domain.money import ZERO, Money
from domain.periods import Period

_DOMAINS: Final = ("example.com", "example.com", "example.org", "example.net")
_OWNERS: Final = ("Basalt", "Heron", "Millrace", "Osprey", "Sagebrush")
_DAYS_PRIOR: Final = (0, 0, 1, 2, 3, 3, 5, 7, 10, 14)
TROUBLES: Final = {  # what the sandbox gateway does with an account's first draw
    9: "tok_ach_R01",  # drawn on the day after the close, and returned by the bank
    78: "tok_lost_response",  # drawn four days after it, and the answer is lost
}
LEAKING: Final = 23  # the first account whose water runs: its bill is held back


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
class DemoLandlord:
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
        token=TROUBLES.get(number, f"tok_demo_{number:06d}"),
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


def cosigner_of(number: int) -> DemoLandlord:
    """Return the landlord of the block that this account is in; a third has no portal user."""
    index = number // 65
    name = f"{_OWNERS[index % len(_OWNERS)]} Rentals {index + 1} LLC"
    return DemoLandlord(
        f"LL{index:03d}", name, f"landlord{index}@example.org" if index % 3 < 2 else ""
    )


def _portal_user(address: str, number: int, same: bool) -> str:
    """Return the address of registration: another one, or the same in other letters' case."""
    if not same:
        return f"portal.{number}@example.net"
    return address.upper() if number % 10 == 6 else address


class Columns:
    """
    One source of chance for each column, so that a new column does not shift the others.

    A text seeds by its digest: the same on every machine and in every version of Python 3.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._sources: dict[str, Random] = {}

    def __getitem__(self, column: str) -> Random:
        if column not in self._sources:
            self._sources[column] = Random(f"{self._seed}/{column}")  # noqa: S311  no secrets here
        return self._sources[column]


@dataclass(frozen=True, slots=True)
class Household:
    """An account with all that the export tells about it."""

    account: Account
    resident: Resident
    contact: Contact
    ledger: Ledger
    autopay: Autopay | None

    @property
    def is_billed(self) -> bool:
        return self.account.status is not AccountStatus.CLOSED

    @property
    def is_equal_pay(self) -> bool:
        return self.account.equal_pay_amount is not None

    @property
    def amount_due(self) -> Money:
        return amount_due(self.ledger)


def draw_households(seed: int, count: int, period: Period) -> Iterator[Household]:
    """Draw accounts; a bigger city begins with the accounts of a smaller one of the same seed."""
    columns = Columns(seed)
    for number in range(count):
        yield _draw_household(columns, number, period)


def account_number(number: int) -> str:
    """
    Return `route.place.occupant`, as billing systems number: 60 accounts of each of 90 routes.

    Places go up in steps of 37 and come round after 9,000, which is enough for 810,000 accounts.
    """
    route, place = 1 + number // 60 % 90, number // 5400 * 60 + number % 60
    return f"{route:02d}.{1000 + place * 37 % 9000}.{number % 4}"


def amount_due(ledger: Ledger) -> Money:
    """Return the equal-pay amount where one is agreed; accounts that move out have none."""
    return ledger.closing if ledger.equal_pay is None else ledger.equal_pay


def _draw_household(columns: Columns, number: int, period: Period) -> Household:
    resident = draw_resident(columns["name"], columns["address"], number)
    premises = draw_premises(columns["premises"], resident.is_business)
    usage = draw_usage(
        columns["usage"], resident.is_business, period.ends_on, leaks=number % 170 == 23
    )
    habit = _habit(columns["habit"], number)
    ledger = draw_ledger(columns["ledger"], premises, usage, habit, period.ends_on)
    status = _status(number)
    if status is AccountStatus.CLOSED:
        ledger = Ledger(ZERO, (), usage)
    contact = draw_contact(columns["contact"], number, resident.mailbox)
    autopay = draw_autopay(columns["autopay"], number, amount_due(ledger), period.ends_on)
    account = _account(columns["office"], number, resident, contact, ledger, autopay)
    return Household(account, resident, contact, ledger, autopay)


def _account(
    office: Random,
    number: int,
    resident: Resident,
    contact: Contact,
    ledger: Ledger,
    autopay: Autopay | None,
) -> Account:
    direct_pay, block_ach, block_card = (office.random() < share for share in (0.05, 0.01, 0.01))
    planted_block = number % 250 == 26
    kind = autopay.kind if autopay else ""
    return Account(
        number=account_number(number),
        name=resident.name,
        last_name=resident.last_name,
        service_address=resident.service_address,
        mailing_address=resident.mailing_address,
        city=resident.city,
        state=resident.state,
        zip=resident.zip,
        phone=resident.phone,
        email=contact.email,
        ebill=contact.ebill,
        send_paper=contact.send_paper,
        status=_status(number),
        opening_balance=ledger.opening,
        closing_balance=ledger.closing,
        equal_pay_amount=ledger.equal_pay,
        direct_pay=number % 250 == 14 or (direct_pay and not autopay),
        block_ach=(planted_block and kind == "ach") or (block_ach and not autopay),
        block_card=(planted_block and kind == "card") or (block_card and not autopay),
        cosigner_id=contact.cosigner_id,
    )


def _status(number: int) -> AccountStatus:
    if number % 125 == 19:
        return AccountStatus.CLOSED
    return AccountStatus.FINAL if number % 60 == 11 else AccountStatus.ACTIVE


def _habit(random: Random, number: int) -> Habit:
    """Return how an account pays: planted for a few, else mostly on time."""
    chance = random.random()
    if _status(number) is AccountStatus.FINAL:
        return Habit.LEAVING
    if number % 125 in (7, 31):
        return Habit.IN_CREDIT if number % 125 == 7 else Habit.EXACTLY_AHEAD
    if number % 12 == 3:
        return Habit.EQUAL_PAY
    if chance < 0.07:
        return Habit.NEVER
    return Habit.PARTIAL if chance < 0.12 else Habit.ON_TIME
