"""Payments by hand at a browser: pressed twice, gone back, signed out, declined, by guests."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from database.definitions.identity import wallet_method
from database.tables import gateway_payment
from domain.payments import MethodKind
from office.settings.checkout import (
    BotCheckSettings,
    CheckoutSettings,
    DistributionSettings,
    OtherPaymentsSettings,
)
from tests.browser.portal.conftest import DESKTOP, MINE, PHONE, THEIRS
from tests.builders import NOW
from tests.identity.bot_check.turnstile_service import SECRET, SITE_KEY, turnstile_service
from tests.web.customers.conftest import ANN

pytestmark = pytest.mark.slow
SHELTER = DistributionSettings(
    code="shelter", name="Park shelter", category="Parks", require_comment=True,
    allow_online=True, allow_portal=True,
)  # fmt: skip
PAY = f"/accounts/{MINE}/pay"


@pytest.fixture(autouse=True, scope="module")
def _no_asyncio(chrome):
    return chrome


@pytest.fixture
def office_settings():
    return {
        "checkout": CheckoutSettings(cart=True, guests=True, card_fee="1.50"),
        "other_payments": OtherPaymentsSettings(allow=True, distributions=(SHELTER,)),
    }


@pytest.fixture
def ann(someone, known, portal):
    user = known(ANN, MINE, THEIRS)
    with portal.office.database.writing() as books:
        for token, last4, kind in (
            ("tok_ok", "4242", MethodKind.CARD),
            ("tok_expired_card", "0069", MethodKind.CARD),
            ("tok_lost_response", "1117", MethodKind.CARD),
            ("tok_bank_asks", "3220", MethodKind.CARD),
            ("tok_ach_ok", "6789", MethodKind.ACH),
        ):
            books.execute(
                wallet_method.insert().values(
                    token=token, user_number=user, kind=kind, last4=last4, added_at=NOW
                )
            )
    ann = someone(DESKTOP)
    ann.sign_in(ANN)
    return ann


def payments(portal):
    query = sa.select(gateway_payment.c.amount, gateway_payment.c.state)
    with portal.office.database.reading() as books:
        return [(str(amount), str(state)) for amount, state in books.execute(query)]


def check_page(customer, amount="45.50", method="Card ending 4242"):
    customer.open(PAY)
    customer.write(Amount=amount)
    customer.page.get_by_label(method).check()
    customer.press("Continue")
    customer.see("Check your payment")


def test_a_double_click_a_second_tab_back_and_reload_pay_once(ann, portal):
    check_page(ann)
    ann.look("pay-check")
    other = ann.page.context.new_page()
    other.goto(ann.page.url)
    ann.page.get_by_role("button", name="Pay $47.00 now").dblclick()
    ann.see("Your payment was received")
    other.get_by_role("button", name="Pay $47.00 now").click()
    other.get_by_text("Your payment was received").wait_for()
    ann.look("pay-receipt")
    ann.page.go_back()
    ann.see("Your payment was received")  # the check page is kept nowhere
    ann.page.reload()
    ann.see("Your payment was received")

    assert [("47.00", "succeeded")] == payments(portal)
    ann.page.emulate_media(media="print")
    assert not ann.page.get_by_role("navigation").first.is_visible()
    assert ann.page.get_by_text("Confirmation").first.is_visible()


def test_who_is_signed_out_in_mid_payment_finds_it_again(ann, portal):
    check_page(ann)
    page = ann.page.url
    ann.page.context.clear_cookies()
    ann.press("Pay $47.00 now")
    ann.see("Sign in")
    ann.write(Email_address=ANN, Password="correct horse battery")
    ann.press("Sign in")
    ann.see("Check your payment")

    assert page == ann.page.url
    assert [] == payments(portal)
    ann.press("Pay $47.00 now")
    ann.see("Your payment was received")


def test_a_declined_cart_is_begun_again_and_a_lost_answer_is_not(ann, portal):
    ann.open("/other/shelter")
    ann.write(Name_of_the_payor="Ann", Amount="7", Comment="June 5")
    ann.press("Continue")
    ann.open(PAY)
    ann.write(Amount="10")
    ann.press("Add to cart")
    ann.page.get_by_label("Card ending 0069").check()
    ann.look("pay-cart")
    ann.press("Continue")
    ann.press("Pay $20.00 now")  # 1.50 of the bill, and 1.50 of the shelter
    ann.see("Your payment was declined")
    ann.look("pay-declined")
    ann.press("Begin again")
    ann.see("Park shelter (Ann)")
    ann.page.get_by_label("Card ending 1117").check()
    ann.press("Continue")
    ann.press("Pay $20.00 now")
    ann.see("Do not pay again.")
    ann.look("pay-on-its-way")

    assert 0 == ann.page.get_by_role("button", name="Begin again").count()
    ann.open("/")
    ann.see("$10.00 is on its way.")


def test_a_bank_that_asks_its_customer_is_answered_on_its_own_page(ann, portal):
    check_page(ann, "12.00", "Card ending 3220")
    ann.press("Pay $13.50 now")
    ann.see("Your bank wants you to confirm this payment")
    ann.look("pay-bank-asks")
    ann.follow("Go to your bank's page")
    ann.see("Do you want to pay $13.50?")
    ann.look("pay-sandbox-bank")
    ann.press("Yes, pay")
    ann.see("Your payment was received")
    ann.page.go_back()
    ann.see("This was answered, or is over.")

    assert [("13.50", "succeeded")] == payments(portal)


def test_a_bank_debit_is_agreed_to_and_its_words_are_on_the_receipt(ann):
    check_page(ann, "12.00", "Bank account ending 6789")
    words = "debit your bank account ending 6789 once"
    ann.see(words)
    ann.press("Pay $12.00 now")
    ann.see("Your payment was received")
    ann.see(words)
    ann.look("pay-debit")


@pytest.mark.parametrize("kind", ["altcha", pytest.param("turnstile", marks=pytest.mark.release)])
def test_a_guests_browser_shows_by_itself_that_a_person_sits_there(someone, portal, kind):
    with turnstile_service() as service:
        keys = {"site_key": SITE_KEY, "secret": SecretStr(SECRET), "url": service.url}
        check = BotCheckSettings(kind=kind, work=20_000, **(keys if kind == "turnstile" else {}))
        settings = portal.office.settings
        settings.__dict__["bot_check"] = check  # what is served holds this very office
        portal.office.__dict__.pop("bot_check", None)
        guest, without = someone(PHONE), someone(PHONE, java_script_enabled=False)
        without.open("/register")
        without.page.locator("noscript p", has_text="You can register without it").wait_for()
        guest.open("/guest/cart")
        shown = "input[name=altcha][value^=e]" if kind == "altcha" else ".cf-turnstile iframe"
        guest.page.wait_for_selector(shown, state="attached")
        guest.look(f"guest-bot-check-{kind}")
        guest.press("Continue")
        guest.see("There is nothing to pay here yet")
        anybody = someone(DESKTOP)
        anybody.open("/register")
        anybody.page.wait_for_selector(shown, state="attached")
        anybody.look(f"register-bot-check-{kind}")
        anybody.press("Continue")
        anybody.see("Confirm password")
        without.open("/guest")
        without.page.locator("noscript p").wait_for()  # it is seen
        assert 0 == guest.page.locator("noscript p").count()
        without.follow("Sign in")
        without.see("Email address")


# Without scripts the same forms are sent, as in tests/web/customers.
@pytest.mark.parametrize(
    "scripts",
    [
        pytest.param(True, id="scripts"),
        pytest.param(False, id="no-scripts", marks=pytest.mark.release),
    ],
)
def test_a_guest_on_a_phone_pays_a_bill_and_a_shelter(someone, portal, scripts):
    guest = someone(PHONE, java_script_enabled=scripts)
    guest.open("/guest")
    guest.look("guest")
    guest.write(Account_number="01.1037.1", Last_name_or_last_billed_amount="O'Neil")
    guest.press("Continue")
    guest.see("$45.50")
    guest.look("guest-amount")
    guest.press("Continue")
    guest.follow("Other payments")
    guest.follow("Park shelter")
    guest.write(Name_of_the_payor="Gil", Amount="7", Comment="June 5")
    guest.look("guest-other")
    guest.press("Continue")
    guest.look("guest-cart")
    guest.write(Email_address_for_the_receipt="gil@home.example")
    guest.press("Continue")
    guest.page.get_by_label("Visa ending 4242 (tok_ok)").check()
    guest.look("guest-sandbox")
    guest.press("Add this payment method")
    guest.see("Check your payment")
    guest.look("guest-check")
    guest.press("Pay $55.50 now")
    guest.see("Your payment was received")
    guest.see("Visa ending 4242")
    guest.look("guest-receipt")

    assert [("55.50", "succeeded")] == payments(portal)
