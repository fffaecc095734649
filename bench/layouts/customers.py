"""Customers and pages of made-up layouts; nobody is real."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random

_FIRST = ("Ada", "Bert", "Clara", "Dora", "Emil", "Frida", "Gino", "Hanna", "Ivo", "Jutta")
_LAST = ("Aldous", "Birk", "Castell", "Dombey", "Enright", "Farrow", "Gilpin", "Hobday", "Ingle")
_STREETS = ("Quarry", "Saddle", "Tannery", "Union", "Vine", "Willow", "Yarrow", "Cannery")


@dataclass(frozen=True, slots=True)
class Customer:
    """One account with what its pages print; `family` is shared by accounts of one landlord."""

    account: str
    name: str
    address: str
    amount: str
    meter: str
    uses: tuple[int, ...]
    family: str = ""


@dataclass(frozen=True, slots=True)
class MadeUpPage:
    """A page's lines; `owner` is whose it is, an account, or nothing where anybody may have it."""

    owner: str
    lines: tuple[str, ...]
    is_first: bool = False
    bill: str = ""  # the account with whose bill it was printed

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def is_blank(self) -> bool:
        return not self.lines


MadeUpBillPages = Sequence[MadeUpPage]


def customers(count: int, seed: int, shape: str = "00-0000-0") -> list[Customer]:
    """Return customers with accounts of a shape, in which each 0 is a digit, all different."""
    chance = Random(f"{seed}/{shape}")
    numbers: dict[str, None] = {}
    while len(numbers) < count:
        written = "".join(str(chance.randrange(10)) if sign == "0" else sign for sign in shape)
        numbers.setdefault(written if written[0] != "0" else f"1{written[1:]}")
    return [_customer(chance, account, place) for place, account in enumerate(numbers)]


def _customer(chance: Random, account: str, place: int) -> Customer:
    return Customer(
        account,
        f"{chance.choice(_FIRST)} {chance.choice('BCDFGKLMNPR')}. {chance.choice(_LAST)}{place}",
        f"{chance.randrange(1, 9900)} {chance.choice(_STREETS)} Rd",
        f"${chance.randrange(18, 470)}.{chance.randrange(100):02}",
        f"{chance.randrange(10**7, 10**8)}",
        tuple(chance.randrange(1, 95) for _ in range(14)),
    )


def of_family(group: Iterable[Customer], family: str) -> list[Customer]:
    """Return customers as those of one landlord, whose name all their bills bear."""
    several = list(group)
    return [replace(one, family=family, name=several[0].name) for one in several]


def first_page(customer: Customer, label: str, *more: str, title: str = "") -> MadeUpPage:
    """Return the page that names the account, with an amount, a due date and services."""
    lines = [
        title or "Town of Fernhollow Water and Sewer",
        "40 Depot Square, Fernhollow VT 05001-2200",
        "Office 802-555-0147, after hours 802-555-0148",
        customer.name,
        customer.address,
        "Fernhollow VT 05001",
        f"{label} {customer.account}",
        "Due Date: 12/15/2026",
        f"Amount Due: {customer.amount}",
        "Bill Date: 11/25/2026   Service 10/20/2026 - 11/20/2026",
    ]
    for place, service in enumerate(("Water", "Sewer", "Fire line")):
        lines.append(f"{service} charge  {customer.uses[place]}.{customer.uses[place + 4]:02}")
    lines.append(f"Meter {customer.meter} read {31 * customer.uses[0]}, used {customer.uses[1]}")
    lines.append("Keep the upper part and send the stub with your check")
    return MadeUpPage(customer.account, (*lines, *more), is_first=True)


def usage_page(customer: Customer, *more: str, rows: int = 9) -> MadeUpPage:
    """Return a page of figures that names nobody."""
    lines = ["Your water use", "Month   Gallons   Days"]
    lines += [
        f"{row + 1:02}/2026   {137 * customer.uses[row]}   {28 + customer.uses[row] % 4}"
        for row in range(rows)
    ]
    return MadeUpPage(customer.account, (*lines, *more))


def common_page(*lines: str) -> MadeUpPage:
    """Return a page that anybody may have, for its text is everybody's."""
    return MadeUpPage("", lines)


TERMS = common_page(
    "Ways to pay",
    "Please write your account number on the check and put it in with the stub.",
    "By telephone 1-800-555-0111; at the office from 8:30 to 4:00.",
    "A charge of 1.5% is added each month to what is paid late. Permit 31-0077.",
)
