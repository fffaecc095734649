"""Whom a receipt of a payment by hand greets: whoever paid, and nobody else."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest

from database.definitions.identity import web_user
from database.tables import portal_user
from office.procedures.mailing.portal_mail import send_portal_mails
from office.settings.checkout import CheckoutSettings
from office.settings.close import WebSettings
from tests.builders import RUN, a_household, close_run, stage_run
from tests.office.health_builders import an_office_at
from tests.web.conftest import books  # noqa: F401 - a fixture
from tests.web.customers.conftest import URL, Browser, register
from tests.web.customers.test_cart_pages import OTHER, follow, guest_of
from tests.web.customers.test_paying import add_method, draft, press
from web.desk import desk_of

RECORD, SPOUSE, LANDLORD = "ann@home.example", "sam@home.example", "lara@lets.example"


@pytest.fixture
def office(tmp_path, books):  # noqa: F811
    """Ann's account: her own address on record, a spouse linked, a landlord."""
    from office.secrets.files import make_secret

    make_secret(tmp_path)
    stage_run(
        books,
        a_household(
            "01.1037.1", mandates=(), balance="45.50", name="O'Neil, Ann", email=RECORD,
            cosigner_id="L1",
        ),
        landlords=(("L1", LANDLORD),),
    )  # fmt: skip
    close_run(books)
    checkout = CheckoutSettings(cart=True, guests=True)
    web = WebSettings(url=URL)
    return an_office_at(
        tmp_path, books, "2026-11-03T09:00", web=web, checkout=checkout, other_payments=OTHER
    )


def receipt_to(office, address: str) -> str:
    """Send what waits; return the text of the receipt that went to an address."""
    send_portal_mails(office)
    mails = (
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in office.home.rglob("*.eml")
    )
    subjects = ("Receipt for ", "Recibo de ")
    (found,) = (
        mail for mail in mails if mail["To"] == address and mail["Subject"].startswith(subjects)
    )
    return found.get_body(("plain",)).get_content()


@pytest.mark.parametrize(
    ("address", "greeting"),
    [
        pytest.param(RECORD, "Dear Ann O'Neil,", id="the holder, at an address of the record"),
        pytest.param(RECORD.upper(), "Dear Ann O'Neil,", id="the same in capitals"),
        pytest.param(SPOUSE, "Dear customer,", id="somebody else of the account"),
        pytest.param(LANDLORD, "Dear Holdings LLC,", id="the landlord"),
    ],
)
def test_a_receipt_greets_whoever_paid(office, address, greeting):
    user = register(office, address, accounts=() if address == LANDLORD else ("0110371",))
    add_method(office, user, "tok_ok")
    payer = Browser(desk_of(office))
    payer.sign_in(address)
    press(payer, draft(payer))

    text = receipt_to(office, address)

    assert greeting in text
    assert "received $45.50" in text


def test_a_receipt_greets_a_portal_user_by_the_name_that_the_export_has_of_them(office):
    with office.database.writing() as rows:
        rows.execute(
            portal_user.insert().values(
                period=RUN, mailbox=SPOUSE, address=SPOUSE, name="O'Neil, Sam"
            )
        )
    user = register(office, SPOUSE, accounts=("0110371",))
    add_method(office, user, "tok_ok")
    sam = Browser(desk_of(office))
    sam.sign_in(SPOUSE)
    press(sam, draft(sam))

    assert "Dear Sam O'Neil," in receipt_to(office, SPOUSE)


def test_a_receipt_names_no_guest_though_the_address_stands_in_somebodys_record(office):
    """A guest types any address: what goes there says nothing of whose account it is."""
    pay_as_guest(guest_of(office))

    text = receipt_to(office, RECORD)

    assert "Dear customer," in text
    assert "Neil" not in text


@pytest.mark.parametrize(
    ("language", "of_the_mailbox", "words"),
    [
        ("es", None, "recibió $7.00 el 3 de noviembre de 2026"),
        ("es", "en", "recibió $7.00 el 3 de noviembre de 2026"),
        ("en", "es", "received $7.00 on November 3, 2026"),
    ],
)
def test_a_guest_reads_the_receipt_in_the_language_of_the_page(
    office, language, of_the_mailbox, words
):
    """Whoever else has registered the mailbox: what was paid on the page is told as there."""
    if of_the_mailbox:
        user = register(office, RECORD)
        with office.database.writing() as rows:
            chosen = web_user.update().where(web_user.c.number == user)
            rows.execute(chosen.values(language=of_the_mailbox))
    guest = guest_of(office)
    guest.send("/language", language=language, back="/guest")

    pay_as_guest(guest)

    assert words in receipt_to(office, RECORD)


def pay_as_guest(guest: Browser) -> None:
    guest.get("/guest/other/shelter")
    follow(guest, guest.post("/guest/other/shelter", payor="Gus", amount="7"))
    sandbox = follow(guest, guest.post("/guest/cart", email=RECORD))
    check = follow(guest, guest.post(sandbox.url.path, token="tok_ok"))
    follow(guest, guest.post(f"{check.url.path}/confirm"))
