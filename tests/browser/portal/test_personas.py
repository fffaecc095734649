"""Customers as they are: new, on a phone, a landlord, in Spanish, without scripts (ruling 23)."""

from __future__ import annotations

import pytest

from database.tables import movement
from tests.browser.portal.conftest import (
    DESKTOP,
    MINE,
    PHONE,
    THEIRS,
    WINDOWS,
    file_a_year,
)
from tests.builders import RUN
from tests.web.customers.conftest import ANN, PASSWORD

pytestmark = pytest.mark.slow
LARA = "lara@portal.example"


@pytest.fixture(autouse=True, scope="module")
def _no_asyncio(chrome):
    return chrome


def test_a_new_customer_registers_links_an_account_and_reads_the_bill(someone, portal):
    ann = someone(DESKTOP)
    ann.open("/register")
    ann.look("portal-register")
    ann.write(Email_address="ann", Password="short", Confirm_password="other")
    ann.press("Register")
    ann.see("There is a problem")
    ann.look("portal-problem")
    ann.write(Email_address=ANN, Password=PASSWORD, Confirm_password=PASSWORD)
    ann.press("Register")
    ann.see("Look into your mailbox")
    ann.open(portal.mailed(ANN, "registered with the customer portal"))
    ann.press("Verify my email")
    ann.see("Your address is verified")
    ann.write(Email_address=ANN, Password=PASSWORD)
    ann.press("Sign in")
    ann.follow("Link an account")
    ann.write(Account_number="01.1037.1", Last_name_or_last_billed_amount="O’Neil")
    ann.look("portal-link")
    ann.press("Link account")
    ann.see("$45.50")
    ann.look("portal-home")
    ann.follow("Bills and payments")
    ann.look("portal-bills")
    ann.follow("As a page October 2026 01.1037.1")
    ann.see("Amount due")
    ann.look("portal-bill")
    ann.press("Sign out")
    ann.see("You are signed out.")


def test_a_customer_on_a_phone_adds_a_card_and_sets_autopay_up(someone, known):
    known(ANN, MINE)
    ann = someone(PHONE, has_touch=True, is_mobile=True)
    ann.sign_in(ANN)
    ann.look("portal-home-phone")
    for link in ("Usage", "News", "My account", "Wallet"):
        ann.follow(link)
        ann.look(f"portal-{link.lower().replace(' ', '-')}-phone")
    ann.press("Add a payment method")
    ann.page.get_by_label("Visa ending 4242 (tok_ok)").check()
    ann.look()
    ann.press("Add this payment method")
    ann.see("Your payment method was added.")
    ann.open(f"/accounts/{MINE}/autopay")
    ann.write(Days_prior_to_due_date="5")
    ann.look()
    ann.press("Continue")
    ann.see("What autopay does")
    ann.look("portal-autopay-phone")
    ann.press("Schedule autopay")
    ann.see("Autopay is set up.")
    ann.follow("Why this amount, and why on that day")
    ann.see("Your bill for October 2026 asks for $45.50: the entire balance due.")
    ann.look("portal-charge-phone")
    ann.open(f"/accounts/{MINE}/pay")
    ann.look()


@WINDOWS
def test_a_customer_looks_back_at_a_year(someone, known, portal, window):
    file_a_year(portal.office)
    known(ANN, MINE)
    ann = someone(window)
    ann.sign_in(ANN)
    size = "desktop" if window == DESKTOP else "phone"
    for path, name in (
        ("/usage", "usage"),
        (f"/accounts/{MINE}/usage?of=Water", "graph"),
        ("/bills", "bills"),
        ("/bills/usage", "usage-records"),
        ("/bills/usage?since=nonsense", "usage-records-wrong"),
        (f"/accounts/{MINE}/lines/{RUN}-1", "line"),
        (f"/accounts/{MINE}/bill/html", "bill-page"),
    ):
        ann.open(path)
        ann.look(f"portal-{name}-{size}")


@pytest.mark.parametrize("locale", ["en-US", "es-US"])
def test_a_line_with_long_words_fits_a_phone(someone, known, portal, locale):
    """As utilities name them: in capitals, and with what the billing system calls each."""
    with portal.office.database.writing() as books:
        long = {"service": "STORMWATER", "description": "Automatic Billing", "usage": 12_345.678}
        books.execute(movement.update().values(**long))
    known(ANN, MINE)
    ann = someone(PHONE, locale=locale)
    ann.open("/sign-in")
    ann.page.locator("#email").fill(ANN)
    ann.page.locator("#password").fill(PASSWORD)
    ann.page.locator("main form button").first.click()
    ann.page.wait_for_url(portal.url + "/")
    for path in (f"/accounts/{MINE}/lines/{RUN}-1", f"/accounts/{MINE}/bill/{RUN}/page", "/bills"):
        ann.open(path)
        ann.look(f"portal-long-words-{path.strip('/').replace('/', '-')}-{locale}")


def test_a_landlord_sees_the_accounts_and_no_payment_details(someone, known):  # rule 133
    known(LARA)
    lara = someone(DESKTOP)
    lara.sign_in(LARA)
    lara.see("Account 02.2000.2")
    lara.look("portal-landlord")
    for key in (MINE, THEIRS):
        lara.open(f"/accounts/{key}/paperless")
        lara.see("You see this account as its landlord.")
    lara.look()


def test_a_customer_who_reads_spanish(someone, known):
    known(ANN, MINE)
    ana = someone(PHONE, locale="es-US")
    ana.open("/sign-in")
    ana.see("Iniciar sesión")
    ana.look("portal-entrar")
    ana.press("English")
    ana.see("I forgot my password")
    ana.press("Español")
    ana.write(Correo_electrónico=ANN, Contraseña=PASSWORD)
    ana.press("Iniciar sesión")
    ana.press("Español")  # as registered: kept with her from now on
    ana.see("Vence el")
    ana.look("portal-inicio")
    for path in ("/bills", "/usage", "/account", "/account/two-step", f"/accounts/{MINE}/autopay"):
        ana.open(path)
        ana.look()
    assert "es" == ana.page.locator("html").get_attribute("lang")


def test_everything_works_without_scripts(someone, known):
    known(ANN, MINE)
    ann = someone(DESKTOP, java_script_enabled=False)
    ann.sign_in(ANN)
    ann.follow("Paperless")
    ann.press("Get paper bills")
    ann.see("You chose paper bills.")
    ann.open("/wallet")
    ann.press("Add a payment method")
    ann.page.get_by_label("Visa ending 4242 (tok_ok)").check()
    ann.press("Add this payment method")
    ann.open(f"/accounts/{MINE}/autopay")
    ann.write(Days_prior_to_due_date="0")
    ann.press("Continue")
    ann.press("Schedule autopay")
    ann.press("Unenroll")
    ann.see("You are unenrolled from autopay.")
    ann.press("Sign out")
    ann.see("You are signed out.")


def test_the_portal_is_used_by_the_keyboard_alone(someone, known):
    known(ANN, MINE)
    ann = someone(DESKTOP)
    ann.open("/sign-in")
    keyboard = ann.page.keyboard
    keyboard.press("Tab")
    assert "Skip to the content" == ann.page.evaluate("document.activeElement.textContent")
    keyboard.press("Enter")
    keyboard.press("Tab")
    keyboard.type(ANN)
    keyboard.press("Tab")
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    ann.see("$45.50")
    ann.page.emulate_media(forced_colors="active")
    reached = []
    for _ in range(20):
        keyboard.press("Tab")
        reached.append(ann.page.evaluate("document.activeElement.textContent.trim()"))
    assert {"Sign out", "Bills and payments", "Pay", "View bill", "Autopay"} <= set(reached)


# Whether any table has to be scrolled to be read whole.
SIDEWAYS = "[...document.querySelectorAll('.scroll')].some(o => o.scrollWidth > o.clientWidth)"


@pytest.mark.parametrize("width", [320])
def test_nothing_is_cut_off_at_400_percent(someone, known, width):
    known(ANN, MINE)
    ann = someone({"width": width, "height": 256})  # 1280 by 1024 at four times the size
    ann.sign_in(ANN)
    for path in ("/", "/bills", "/usage", "/account", f"/accounts/{MINE}/pay"):
        ann.open(path)
        ann.look()
        assert not ann.page.evaluate(SIDEWAYS), path
