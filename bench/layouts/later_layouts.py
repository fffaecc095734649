"""Layouts made after the rules: what do these do with pages they were not made for?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from bench.layouts.customers import (
    TERMS,
    Customer,
    MadeUpBillPages,
    MadeUpPage,
    common_page,
    first_page,
    usage_page,
)
from bench.layouts.layouts import LAYOUTS, Layout, numbered

_ZONES = ("North", "Mill", "Harbor", "College", "Orchard")


def _numbered_by_hojas(
    several: Sequence[Customer], label: str, chance: Random
) -> Iterator[MadeUpBillPages]:
    for customer in several:
        detail = MadeUpPage(
            customer.account,
            (
                "Detalle de su consumo", "Mes   Litros   Dias",
                *(f"{n + 1:02}/2026   {91 * use}   30" for n, use in enumerate(customer.uses[:6])),
                "Si tiene preguntas llame a la oficina de agua de lunes a viernes.",
            ),
        )  # fmt: skip
        pages = [first_page(customer, label, title="Municipio de Aguaclara"), detail]
        yield numbered(pages[: chance.choice((1, 2, 2))], "Hoja {x}/{y}")


def _detached_stub(several: Sequence[Customer], label: str, _: Random) -> Iterator[MadeUpBillPages]:
    for customer in several:
        digits = "".join(filter(str.isdigit, customer.account))
        cents = customer.amount.replace("$", "").replace(".", "")
        stub = MadeUpPage(
            customer.account,
            (
                "Return this stub with your payment", customer.name, customer.address,
                f"Pay this amount {customer.amount}", "Make checks payable to Town of Fernhollow",
                f"{digits}{cents:>010}",
            ),
        )  # fmt: skip
        yield [first_page(customer, label), stub]


def _inserts_of_zones(
    several: Sequence[Customer], label: str, chance: Random
) -> Iterator[MadeUpBillPages]:
    inserts = [
        common_page(
            f"Notice to all customers in the {zone} zone",
            f"Mains are flushed from 12/0{n}/2026 on; water may look brown for an hour.",
            "Page 1 of 1",
        )
        for n, zone in enumerate(_ZONES, 1)
    ]
    for customer in several:
        pages = numbered([first_page(customer, label), usage_page(customer)])
        yield [*pages, chance.choice(inserts)] if chance.random() < 0.7 else pages


def _two_columns(
    several: Sequence[Customer], label: str, chance: Random
) -> Iterator[MadeUpBillPages]:
    for place, customer in enumerate(several):
        lines = (
            "Town of Fernhollow          Water and Sewer bill",
            f"{customer.name:<28}Bill number {4000 + place}",
            f"{customer.address:<28}{label} {customer.account}",
            f"Fernhollow VT 05001         Due Date: 12/15/2026   Amount Due: {customer.amount}",
            f"Water {customer.uses[0]}.10   Sewer {customer.uses[1]}.20   Meter {customer.meter}",
            "Please pay by the due date to avoid a charge for late payment",
        )
        history = MadeUpPage(
            customer.account,
            (
                "Twelve months of your use        Messages",
                *(
                    f"{n + 1:02}/2026  {77 * use:>6} gal        {77 * other:>6} gal last year"
                    for n, (use, other) in enumerate(
                        zip(customer.uses[:6], customer.uses[6:12], strict=True)
                    )
                ),
            ),
        )
        pages = [MadeUpPage(customer.account, lines, is_first=True), history]
        yield pages[: chance.choice((1, 2))]


def _backs_of_classes(
    several: Sequence[Customer], label: str, chance: Random
) -> Iterator[MadeUpBillPages]:
    backs = [
        TERMS,
        common_page(
            "Terms for businesses",
            "Backflow devices are tested each year by a certified tester of your choice.",
            "Return your test report with your account number to the water department.",
        ),
    ]
    for customer in several:
        message = MadeUpPage(
            customer.account,
            (
                "Messages for you", f"Your meter was read {customer.uses[2]} days late.",
                f"You used {customer.uses[3]} units more than in the same month last year.",
            ),
        )  # fmt: skip
        pages = [first_page(customer, label), backs[chance.random() < 0.2]]
        yield [*pages, message, common_page()] if chance.random() < 0.4 else pages


def _office_copies(several: Sequence[Customer], label: str, _: Random) -> Iterator[MadeUpBillPages]:
    for customer in several:
        copy = MadeUpPage(
            customer.account,
            (
                "OFFICE COPY", "Town of Fernhollow Water and Sewer", customer.name,
                customer.address, f"Amount Due: {customer.amount}", "Due Date: 12/15/2026",
                "Keep this copy for your records",
            ),
        )  # fmt: skip
        yield [first_page(customer, label), copy]


def _numbers_of_long_bills(
    several: Sequence[Customer], label: str, chance: Random
) -> Iterator[MadeUpBillPages]:
    for customer in several:
        pages = [first_page(customer, label), usage_page(customer), usage_page(customer, rows=3)]
        pages = pages[: chance.choice((1, 1, 2, 3))]
        yield numbered(pages, "{x} of {y}") if len(pages) > 1 else pages


def _tenants(several: Sequence[Customer], label: str, chance: Random) -> Iterator[MadeUpBillPages]:
    for customer in several:
        shut = MadeUpPage(
            customer.account,
            (
                "NOTICE TO THE OCCUPANT", customer.address,
                "Water at this address will be shut off unless the bill is paid.",
            ),
        )  # fmt: skip
        pages = [first_page(customer, label), usage_page(customer, f"Meter {customer.meter}")]
        yield [*pages, shut] if chance.random() < 0.15 else pages


LATER_LAYOUTS = (
    Layout("later: Spanish, Hoja 1/2", _numbered_by_hojas, "Abonado No.", "000000-0"),
    Layout("later: stub on its own page", _detached_stub, "Account Number:", "00-0000-00"),
    Layout("later: inserts by zone", _inserts_of_zones, "Acct:", "000-0000-00"),
    Layout("later: two columns", _two_columns, "Account No", "00000-000"),
    Layout("later: backs by class", _backs_of_classes, "Customer Number", "00000000"),
    Layout("later: office copies", _office_copies, "Account Number:", "00-0000-0"),
    Layout("later: 1 of 2 on long bills", _numbers_of_long_bills, "ACCT #", "0000-0000"),
    Layout("later: notices to occupants", _tenants, "Account:", "0000-00-00"),
)
ALL_LAYOUTS = (*LAYOUTS, *LATER_LAYOUTS)
