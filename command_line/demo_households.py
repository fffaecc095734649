"""The accounts of the demo city, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from command_line.demo_contacts import Autopay, Contact, draw_autopay, draw_contact
from command_line.demo_ledger import (
    Habit,
    Ledger,
    draw_ledger,
    draw_usage,
)
from command_line.demo_people import Resident, draw_resident
from command_line.demo_rates import draw_premises
from domain.accounts import Account, AccountStatus
from domain.money import ZERO, Money
from domain.periods import Period


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
