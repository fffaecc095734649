"""The city of the slides, made once; each step of a walk changes an account of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from html import unescape
from typing import Any

from database.books import Database
from database.definitions.identity import one_time_link
from database.tables import bill, movement, payment_method
from domain.identity import Role
from domain.money import Money
from domain.movements import MovementKind
from identity.passwords import Passwords
from identity.staff import add_staff, choose_staff_password
from mail.communications.posted import Details, PdfFile, add_communication
from mail.letters.samples import sample_pdf
from office.settings.checkout import CheckoutSettings, MessagesSettings
from payments.scheduling.scheduling import schedule_autopay
from tests.builders import (
    NOW,
    OFFICE_DEFAULTS,
    RUN,
    a_household,
    a_mandate,
    close_run,
    stage_run,
)
from tests.office.health_builders import an_office_at
from tests.web.customers.conftest import PASSWORD, Browser, register
from tests.web.customers.test_cart_pages import OTHER
from tests.web.office.conftest import TRIAL
from web.desk import desk_of

ANN, BO, LARA = "ann@portal.example", "bo@portal.example", "lara@portal.example"
OAK, ELM, ASH, FIR = "01.1037.1", "02.2048.2", "03.3000.3", "04.4000.4"
YEW, PINE, GUM = "05.5000.5", "06.6000.6", "07.7000.7"
OAK_KEY, ELM_KEY, FIR_KEY = "0110371", "0220482", "0440004"
YEW_KEY, PINE_KEY = "0550005", "0660006"
WELCOME = "New: our rates of 2027. Go paperless, and save a tree."
FEES = "A fee of $1.50 is added to a payment by card."
MESSAGES = MessagesSettings(landing=WELCOME, autopay=FEES, login_top="Welcome to Larkspur.")
CHECKOUT = CheckoutSettings(cart=True, guests=True, card_fee="1.50")
DAY = "2026-11-03"  # October closed the day before, and autopay was scheduled


@dataclass
class City:
    """An office with seven households; Bo has most of them in the portal, Ann none yet."""

    office: Any
    people: dict[tuple[str, str], Browser] = field(default_factory=dict)

    @property
    def desk(self) -> Any:
        return self.at(DAY)

    def at(self, day: str) -> Any:
        """Return the same office on another day."""
        found = an_office_at(self.office.home, self.office.database, f"{day}T09:00", **SECTIONS)
        return desk_of(found)

    def customer(self, address: str, day: str = DAY) -> Browser:
        """Return a portal user's browser, signed in once a day."""
        return self._browser(address, day, "/sign-in", "/")

    def staff(self, role: Role) -> Browser:
        """Return a member of staff's browser, signed in once."""
        return self._browser(f"{role}@larkspur.example", DAY, "/office/sign-in", "/office")

    def newest_token(self) -> str:
        """Return the token of the link that was mailed last."""
        query = one_time_link.select().order_by(one_time_link.c.made_at.desc())
        with self.office.database.reading() as books:
            return self.office.link_tokens.token(books.execute(query).all()[0].key)

    def rows(self, query: Any) -> list[tuple[Any, ...]]:
        with self.office.database.reading() as books:
            return [tuple(row) for row in books.execute(query)]

    def _browser(self, address: str, day: str, door: str, first: str) -> Browser:
        if (address, day) not in self.people:
            browser = Browser(self.at(day))
            answer = browser.send(door, email=address, password=PASSWORD)
            assert first == answer.headers.get("location"), answer.text
            self.people[address, day] = browser
        found = self.people[address, day]
        found.get("/account" if first == "/" else "/office")  # its form has the session's token
        return found


SECTIONS = {
    "web": TRIAL,
    "messages": MESSAGES,
    "checkout": CHECKOUT,
    "other_payments": OTHER,
}


def words(answer: Any) -> str:
    """The words of a page, without its tags."""
    main = answer.text.partition("<main")[2] or answer.text
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())


def build_city(home: Any, books: Database) -> City:
    """Stage and close October, schedule autopay, and let two customers and the staff in."""
    stage_run(
        books,
        a_household(OAK, mandates=(), name="ABBOTT, ANN", last_name="Abbott",
                    email="ann@office.example", ebill=False, send_paper=True),
        a_household(ELM, a_mandate(ELM, method_token="tok_bo"), name="Bole, Bo",
                    last_name="Bole", balance="40.00", email=""),
        a_household(ASH, a_mandate(ASH, method_token="tok_cy"), balance="0.00"),
        a_household(FIR, mandates=(), name="Doe, Dee", last_name="Doe", direct_pay=True),
        a_household(YEW, mandates=(), name="Egan, Eve", last_name="Egan", block_card=True,
                    cosigner_id="L1", email=""),
        a_household(PINE, mandates=(), name="Bole, Bo", last_name="Bole", email=""),
        a_household(GUM, mandates=(), name="Gore, Gil", last_name="Gore", email=""),
        landlords=(("L1", LARA),),
    )  # fmt: skip
    with books.writing() as rows:
        rows.execute(payment_method.update().values(portal_user=BO))
    _file_a_bill(books)
    close_run(books)
    schedule_autopay(
        books,
        RUN,
        now=NOW,
        today=date(2026, 11, 2),
        closed=frozenset(),
        policy=OFFICE_DEFAULTS,
    )
    office = an_office_at(home, books, f"{DAY}T09:00", **SECTIONS)
    office.store.write(_path(ELM), b"%PDF-1.7 of Elm Street")
    register(office, BO, accounts=(ELM_KEY, YEW_KEY, FIR_KEY, PINE_KEY))
    register(office, LARA)
    _let_staff_in(office)
    rates = PdfFile("rates.pdf", sample_pdf(), 1)
    add_communication(books, office.store, rates, Details("Rates of 2027"), now=NOW, who="anna")
    return City(office)


def _path(number: str) -> str:
    return f"{RUN}/utility-bill/{number}.pdf"


def _file_a_bill(books: Database) -> None:
    """Enter Elm Street's bill as the splitter leaves it, with a payment and a charge."""
    lines = (
        (date(2026, 10, 5), "", "UTILITY PAYMENTS", MovementKind.PAYMENT, -30_86, None),
        (date(2026, 10, 31), "Water", "Import Readings", MovementKind.BILLING, 40_00, 7.5),
    )
    with books.writing() as rows:
        rows.execute(
            bill.insert().values(
                period=RUN, form="utility-bill", account_key=ELM_KEY, ordinal=1, account=ELM,
                bulk=0, first_page=0, pages=2, pdf=_path(ELM), sha256="0" * 64, size=20,
            )
        )  # fmt: skip
        for line, (day, service, description, kind, cents, usage) in enumerate(lines):
            rows.execute(
                movement.insert().values(
                    period=RUN, line=line, account_key=ELM_KEY, account=ELM, posted_on=day,
                    service=service, description=description, kind=kind, amount=Money(cents),
                    usage=usage,
                )
            )  # fmt: skip


def _let_staff_in(office: Any) -> None:
    for role in (Role.CSR, Role.CLERK, Role.SUPERVISOR, Role.ADMIN):
        with office.database.writing() as books:
            address = f"{role}@larkspur.example"
            mail = add_staff(books, office.link_tokens, address, role, NOW, "anna")
        token = office.link_tokens.token(mail.link)
        assert choose_staff_password(office.database, Passwords(), token, PASSWORD, NOW)
