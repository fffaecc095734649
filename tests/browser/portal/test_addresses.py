"""Addresses proved and changed: in another browser, on a phone, in Spanish, without scripts."""

from __future__ import annotations

import re

import pytest

from office.settings.checkout import BotCheckSettings, CheckoutSettings
from tests.browser.portal.conftest import DESKTOP, MINE, PHONE
from tests.web.customers.conftest import ANN, PASSWORD

pytestmark = pytest.mark.slow
NEW, OWN = "ann.new@portal.example", "a phrase that Ann made up"
THEIRS = "a phrase of somebody else"


@pytest.fixture(autouse=True, scope="module")
def _no_asyncio(chrome):
    return chrome


def code_in_mail(portal, address: str, words: str) -> str:
    """The six digits of the mail to an address, once it has come."""
    portal.mailed(address, words)
    text = "".join(
        path.read_text("utf-8") for path in sorted(portal.office.home.rglob("*.eml"))
        if f"To: {address}" in path.read_text("utf-8")
    )  # fmt: skip
    return re.findall(r"\b\d{6}\b", text)[-1]


WAYS = [
    pytest.param(DESKTOP, "en-US", True, id="desktop", marks=pytest.mark.release),
    pytest.param(PHONE, "en-US", True, id="phone"),
    pytest.param(PHONE, "es-US", True, id="spanish", marks=pytest.mark.release),
    # These forms are sent without any script of ours, as in tests/web/customers.
    pytest.param(PHONE, "en-US", False, id="without-scripts", marks=pytest.mark.release),
]
CANNOT_CHECK = [
    pytest.param(PHONE, "es-US", True, id="spanish", marks=pytest.mark.release),
    pytest.param(PHONE, "en-US", False, id="without-scripts"),
]
SAYS = {
    "en-US": {
        "mail": "Verify your e-mail address", "chooses": "You have not registered in this browser",
        "password": "Password", "again": "Confirm password", "verify": "Verify my email",
        "short": "12 characters or more", "other": "The two passwords are not the same.",
        "done": "Your address is verified.",
    },
    "es-US": {
        "mail": "", "chooses": "Usted no se registró en este navegador", "password": "Contraseña",
        "again": "Confirme la contraseña", "verify": "Verificar mi correo",
        "short": "12 caracteres", "other": "no son iguales", "done": "está verificada",
    },
}  # fmt: skip


@pytest.mark.parametrize(("window", "locale", "scripts"), WAYS)
def test_whoever_opens_the_link_elsewhere_chooses_the_password_there(
    someone, portal, window, locale, scripts, request
):
    name = request.node.callspec.id
    first = someone(DESKTOP, locale=locale)
    first.open("/register")
    first.page.locator("#email").fill(ANN)
    first.page.locator("#password").fill(THEIRS)
    first.page.locator("#again").fill(THEIRS)
    first.page.locator("main form button").last.click()
    says = SAYS[locale]
    first.page.wait_for_url("**/check-your-mail")
    link = portal.mailed(ANN, portal.url)
    ann = someone(window, locale=locale, java_script_enabled=scripts)

    ann.open(link)
    ann.see(says["chooses"])
    ann.look(f"portal-verify-elsewhere-{name}")
    ann.press(says["verify"])  # nothing chosen
    ann.see(says["short"])
    ann.write(**{says["password"]: OWN, says["again"]: THEIRS})
    ann.press(says["verify"])
    ann.see(says["other"])
    ann.look(f"portal-verify-elsewhere-wrong-{name}")
    ann.write(**{says["password"]: OWN, says["again"]: OWN})
    ann.press(says["verify"])
    ann.see(says["done"])
    ann.look(f"portal-verify-elsewhere-done-{name}")
    first.open(link)  # used: the door
    assert first.page.url.endswith("/sign-in")


@pytest.mark.parametrize(("window", "locale", "scripts"), WAYS)
def test_a_customer_changes_the_address_that_they_sign_in_with(
    someone, known, portal, window, locale, scripts, request
):
    name = request.node.callspec.id
    known(ANN, MINE)
    ann = someone(window, locale=locale, java_script_enabled=scripts)
    ann.open("/sign-in")
    ann.page.locator("#email").fill(ANN)
    ann.page.locator("#password").fill(PASSWORD)
    ann.page.locator("main form button").first.click()
    ann.page.wait_for_url(portal.url + "/")
    if locale == "es-US":
        ann.open("/account")
        ann.page.get_by_role("button", name="Español").first.click()
    ann.open("/account/address")
    ann.look(f"portal-new-address-{name}")
    ann.page.locator("#email").fill(ANN)
    ann.page.locator("main form button.main").click()
    ann.page.locator("#email-error").wait_for()
    ann.look(f"portal-new-address-wrong-{name}")
    ann.page.locator("#email").fill(NEW)
    ann.page.locator("#current").fill(PASSWORD)
    ann.page.locator("main form button.main").click()
    ann.page.wait_for_url("**/account/address/code")
    ann.look(f"portal-new-address-code-{name}")
    ann.page.locator("#code").fill("000000")
    ann.page.locator("main form button.main").click()
    ann.page.locator("#code-error").wait_for()
    ann.look(f"portal-new-address-code-wrong-{name}")

    ann.page.locator("#code").fill(code_in_mail(portal, NEW, portal.url))
    ann.page.locator("main form button.main").click()

    ann.page.wait_for_url("**/account?done=address")
    ann.look(f"portal-new-address-done-{name}")
    ann.open("/account/address")
    ann.look(f"portal-new-address-settles-{name}")
    ann.open("/wallet")
    ann.page.locator("main form button.main").click()
    ann.page.locator('[role="alert"], .problems, .error').first.wait_for()
    ann.look(f"portal-wallet-settles-{name}")


@pytest.mark.release  # test_new_address presses and takes back the same links, without a browser
@pytest.mark.parametrize(("window", "locale", "scripts"), WAYS)
def test_the_link_is_pressed_elsewhere_and_the_old_mailbox_takes_it_back(
    someone, known, portal, window, locale, scripts, request
):
    name = request.node.callspec.id
    known(ANN, MINE)
    thief = someone()
    thief.sign_in(ANN)
    if locale == "es-US":
        thief.open("/account")
        thief.page.get_by_role("button", name="Español").first.click()
    thief.open("/account/address")
    thief.page.locator("#email").fill(NEW)
    thief.page.locator("#current").fill(PASSWORD)
    thief.page.locator("main form button.main").click()
    thief.page.wait_for_url("**/account/address/code")
    stop = portal.mailed(ANN, portal.url)
    phone = someone(window, locale=locale, java_script_enabled=scripts)
    phone.open(portal.mailed(NEW, portal.url))
    phone.look(f"portal-new-address-press-{name}")
    phone.page.locator("main form button.main").click()
    phone.page.wait_for_url("**/sign-in?done=address")
    phone.look()
    owner = someone(window, locale=locale, java_script_enabled=scripts)

    owner.open(stop)
    owner.look(f"portal-stop-address-{name}")
    owner.page.locator("main form button.danger").click()
    owner.page.locator("#again").wait_for()
    owner.look(f"portal-stop-address-password-{name}")
    owner.page.locator("#password").fill(OWN)
    owner.page.locator("#again").fill(OWN)
    owner.page.locator("main form button.main").click()

    owner.page.wait_for_url("**/sign-in?done=password")
    owner.page.locator("#email").fill(ANN)
    owner.page.locator("#password").fill(OWN)
    owner.page.locator("main form button").first.click()
    owner.page.wait_for_url(portal.url + "/")
    owner.open(stop)
    owner.look(f"portal-stop-address-over-{name}")
    thief.open("/")
    assert "/sign-in" in thief.page.url


@pytest.fixture
def office_settings(request) -> dict[str, object]:
    checks = {
        "checkout": CheckoutSettings(guests=True),
        "bot_check": BotCheckSettings(kind="altcha"),
    }
    return checks if "check" in request.node.name else {}


@pytest.mark.parametrize("first", ["register", "guest"])
@pytest.mark.parametrize(("window", "locale", "scripts"), CANNOT_CHECK)
def test_who_cannot_run_the_check_goes_on_by_mail(
    someone, portal, window, locale, scripts, first, request
):
    name = f"{first}-{'spanish' if locale == 'es-US' else 'phone'}"
    ann = someone(window, locale=locale, java_script_enabled=scripts)
    ann.open(f"/{first}")
    ann.look(f"portal-check-{name}")
    ann.page.locator(f'a[href="/{first}/check/mail"]').click()
    ann.look(f"portal-check-mail-{name}")
    ann.page.locator("main form button").click()
    ann.page.locator("#email-error").wait_for()
    ann.page.locator("#email").fill(ANN)
    ann.page.locator("main form button").click()
    ann.page.wait_for_url("**/check/mail?done=sent")
    ann.look(f"portal-check-sent-{name}")

    ann.open(portal.mailed(ANN, portal.url))
    ann.look(f"portal-check-press-{name}")
    ann.page.locator("main form button").click()

    ann.page.wait_for_url(f"**/{first}")
    ann.look()
