"""How bulk files are laid out: each layout makes the bills of customers, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from bench.layouts.customers import (
    TERMS,
    Customer,
    MadeUpBillPages,
    MadeUpPage,
    common_page,
    first_page,
    of_family,
    usage_page,
)

Maker = Callable[[Sequence[Customer], str, Random], Iterator[MadeUpBillPages]]


@dataclass(frozen=True, slots=True)
class Layout:
    """A way to print bills; `label` stands before the account, `shape` is how it is written."""

    name: str
    make: Maker
    label: str = "Account Number:"
    shape: str = "00-0000-0"
    is_summary: bool = False  # some pages print other accounts of one landlord

    @property
    def account_pattern(self) -> str:
        return rf"{self.label}[ \t]*([\d.-]+)"


AMOUNT_PATTERN = r"Amount Due:\s*(\$[\d,]+\.\d\d)"
DUE_PATTERN = r"Due Date:\s*(\d{1,2}/\d{1,2}/\d{4})"


def numbered(pages: Sequence[MadeUpPage], spelling: str = "Page {x} of {y}") -> list[MadeUpPage]:
    """Return the pages of a bill with their numbers at the foot."""
    return [
        replace(page, lines=(*page.lines, spelling.format(x=place, y=len(pages))))
        for place, page in enumerate(pages, 1)
    ]


def _single(several: Sequence[Customer], label: str, _: Random) -> Iterator[MadeUpBillPages]:
    for customer in several:
        yield [first_page(customer, label)]


def _two_numbered(several: Sequence[Customer], label: str, _: Random) -> Iterator[MadeUpBillPages]:
    for customer in several:
        yield numbered([first_page(customer, label), usage_page(customer)])


def _two_plain(several: Sequence[Customer], label: str, _: Random) -> Iterator[MadeUpBillPages]:
    for customer in several:
        yield [first_page(customer, label), usage_page(customer, f"Meter {customer.meter}")]


def _up_to_five(
    several: Sequence[Customer], label: str, chance: Random
) -> Iterator[MadeUpBillPages]:
    for customer in several:
        history = MadeUpPage(
            customer.account,
            ("Reads of your meter", *(f"{customer.meter}  {91 * use}" for use in customer.uses)),
        )
        rates = MadeUpPage(
            customer.account,
            ("Rates of this year", *(f"Step {n}: ${n}.{n}4 per 1,000 gal" for n in range(1, 7))),
        )
        pages = [first_page(customer, label), usage_page(customer), rates, history, history]
        yield numbered(pages[: chance.choice((1, 1, 2, 2, 3, 4, 5))])


def _terms_behind(several: Sequence[Customer], label: str, _: Random) -> Iterator[MadeUpBillPages]:
    for customer in several:
        yield [first_page(customer, label), TERMS]


def _blank_backs(several: Sequence[Customer], label: str, _: Random) -> Iterator[MadeUpBillPages]:
    envelope = common_page("Town of Fernhollow", "PO Box 9", "Fernhollow VT 05001-0009", "Stamp")
    for customer in several:
        yield [first_page(customer, label), common_page(), envelope, common_page()]


def _spanish(several: Sequence[Customer], label: str, chance: Random) -> Iterator[MadeUpBillPages]:
    for customer in several:
        thanks = "Gracias por su pago; anote su número de cuenta en el cheque."
        pages = [first_page(customer, label, thanks), usage_page(customer, "Consumo del mes")]
        yield numbered(pages[: chance.choice((1, 2))], "Página {x} de {y}")


def _long_numbers(
    several: Sequence[Customer], label: str, chance: Random
) -> Iterator[MadeUpBillPages]:
    for customer in several:
        meters = (
            f"Meter {chance.randrange(10**6, 10**7)}  register {chance.randrange(10**6, 10**7)}"
        )
        paid = f"Payment received 11/03/2026, confirmation {chance.randrange(10**6, 10**7)}"
        yield [first_page(customer, label), usage_page(customer, meters, paid)]


def _newsletter(
    several: Sequence[Customer], label: str, chance: Random
) -> Iterator[MadeUpBillPages]:
    news = numbered(
        [
            common_page("Fernhollow News", "Hydrants are flushed on 12/02/2026.", "Code 77-1200-4"),
            common_page("Fernhollow News", "Your account number stands on top of your bill."),
        ]
    )
    for customer in several:
        yield [first_page(customer, label), *(news if chance.random() < 0.6 else ())]


def _landlords(several: Sequence[Customer], label: str, _: Random) -> Iterator[MadeUpBillPages]:
    for customer in several:
        group = [one for one in several if customer.family and one.family == customer.family]
        if group and group[0].account == customer.account:
            rows = [f"{one.account}  {one.address}  {one.amount}" for one in group]
            summary = MadeUpPage(customer.account, ("Your properties at a glance", *rows))
            yield numbered([first_page(customer, label), summary])
        else:
            yield numbered([first_page(customer, label)])


def _mentions(several: Sequence[Customer], label: str, chance: Random) -> Iterator[MadeUpBillPages]:
    for customer in several:
        lines = [f"Please tell us your account number {customer.account} when you call."]
        if chance.random() < 0.3:
            old = f"{chance.randrange(50, 99)}-{chance.randrange(1000, 9999)}-7"
            lines.append(f"Former account {old} was closed.")
        yield [first_page(customer, label), usage_page(customer, *lines)]


def _notices(several: Sequence[Customer], label: str, _: Random) -> Iterator[MadeUpBillPages]:
    for place, customer in enumerate(several):
        if place % 8 != 3:
            yield [first_page(customer, label), TERMS]
            continue
        yield [
            MadeUpPage(
                customer.account,
                (
                    "Town of Fernhollow Water and Sewer", "FINAL NOTICE", customer.name,
                    customer.address, f"{label} {customer.account}",
                    "Your water will be shut off on 12/20/2026.", f"Amount Due: {customer.amount}",
                ),
                is_first=True,
            )
        ]  # fmt: skip


def _strokes(several: Sequence[Customer], label: str, chance: Random) -> Iterator[MadeUpBillPages]:
    for customer in several:
        pages = [first_page(customer, label, "5/8 inch meter, 3/4 inch line")]
        pages += [usage_page(customer)] * chance.choice((0, 1, 2))
        yield numbered(pages, "{x}/{y}")


def _through(several: Sequence[Customer], label: str, chance: Random) -> Iterator[MadeUpBillPages]:
    bills = [
        [first_page(customer, label), *([usage_page(customer)] if chance.random() < 0.5 else [])]
        for customer in several
    ]
    total, place = sum(map(len, bills)), 0
    for bill in bills:
        counted = []
        for page in bill:
            place += 1
            counted.append(replace(page, lines=(*page.lines, f"Page {place} of {total}")))
        yield counted


def _last_month(
    several: Sequence[Customer], label: str, chance: Random
) -> Iterator[MadeUpBillPages]:
    for customer in several:
        before = f"Last month's Amount Due: ${chance.randrange(20, 400)}.75"
        yield numbered([first_page(customer, label), usage_page(customer, before)])


def _every_page(several: Sequence[Customer], label: str, _: Random) -> Iterator[MadeUpBillPages]:
    for customer in several:
        again = usage_page(customer, f"{label} {customer.account}")
        yield [first_page(customer, label), again]


def _letters(several: Sequence[Customer], label: str, chance: Random) -> Iterator[MadeUpBillPages]:
    for customer in several:
        letter = MadeUpPage(
            customer.account,
            (
                f"Dear {customer.name},", "our crew could not reach the meter in your cellar.",
                "Please call the office for a day that suits you.", "Yours, the water department",
            ),
        )  # fmt: skip
        yield [first_page(customer, label), *([letter] if chance.random() < 0.2 else ())]


def _equal_pay(several: Sequence[Customer], label: str, _: Random) -> Iterator[MadeUpBillPages]:
    for customer in several:
        plan = MadeUpPage(
            customer.account,
            (
                "Your equal payment plan", customer.name, customer.address,
                f"You pay {customer.amount} each month until 06/2027.",
                f"Used so far: {sum(customer.uses)}00 gal; meter {customer.meter}",
            ),
        )  # fmt: skip
        yield [first_page(customer, label, f"Ref {customer.meter[:6]}"), plan]


def _dashes(several: Sequence[Customer], label: str, chance: Random) -> Iterator[MadeUpBillPages]:
    for customer in several:
        pages = [first_page(customer, label), usage_page(customer), usage_page(customer, rows=4)]
        yield numbered(pages[: chance.choice((2, 3))], "- {x} -")


LAYOUTS = (
    Layout("single pages", _single),
    Layout("two pages, numbered", _two_numbered),
    Layout("two pages, no numbers", _two_plain, "Acct No:", "000.0000.0"),
    Layout("one to five pages", _up_to_five, "Customer No.", "00-000000-00"),
    Layout("terms on the back", _terms_behind),
    Layout("blank backs, envelope", _blank_backs, "Account:", "00.0000.0"),
    Layout("Spanish", _spanish, "Cuenta:", "00-0000-0"),
    Layout("plain digits, meters as long", _long_numbers, "Account Number:", "0000000"),
    Layout("newsletter with numbers", _newsletter),
    Layout("landlord's summary", _landlords, is_summary=True),
    Layout("own and former account", _mentions, "Account Number:", "00-000000-00"),
    Layout("final notices between", _notices),
    Layout("numbers 1/3", _strokes),
    Layout("numbers of the whole file", _through),
    Layout("other amounts on page 2", _last_month),
    Layout("account on every page", _every_page),
    Layout("letters to some", _letters),
    Layout("equal pay plan", _equal_pay),
    Layout("numbers - 2 -", _dashes, "Account #", "00-0000-0"),
)


def make_bills(layout: Layout, several: Sequence[Customer], seed: int) -> list[MadeUpBillPages]:
    """Return a layout's bills of these customers, the same for the same seed."""
    return list(layout.make(several, layout.label, Random(f"{seed}/{layout.name}")))


def with_families(layout: Layout, several: Sequence[Customer]) -> list[Customer]:
    """Return customers, some of them of landlords with five accounts, where a layout has such."""
    if not layout.is_summary:
        return list(several)
    told: list[Customer] = []
    for start in range(0, len(several), 12):
        group = several[start : start + 12]
        told += [*of_family(group[:5], f"landlord-{start}"), *group[5:]]
    return told
