"""Texts chosen and ended, and a sign-in with an account elsewhere, before a browser."""

from __future__ import annotations

import re
import time

import pytest

from identity.oidc.provider import IdentityProvider, ProviderTerms
from tests.browser.portal.conftest import DESKTOP, MINE, PATIENCE, WINDOWS
from tests.web.customers.conftest import ANN, PASSWORD
from tests.web.customers.factors.provider import CLIENT, SECRET, a_provider

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True, scope="module")
def _no_asyncio(chrome):
    return chrome


def code_on_phone(portal) -> str:
    """Wait for the text that the portal sends by itself, and read its code."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        for file in (portal.office.home / "texts").glob("access-*.txt"):
            return re.search(r"\b\d{6}\b", file.read_text("utf-8").partition("\n\n")[2])[0]
        time.sleep(0.05)
    raise AssertionError("no code came")


@WINDOWS
def test_a_customer_chooses_texts_and_goes_back_to_mails(someone, known, portal, window):
    name = "" if window == DESKTOP else "-phone"
    known(ANN, MINE)
    ann = someone(window)
    ann.sign_in(ANN)
    ann.open("/account")
    ann.look(f"portal-my-account{name}")
    ann.follow("How we tell you: by e-mail or by text message")
    ann.press("Send me a code")
    ann.see("Tick the box to agree.")
    ann.look(f"portal-texts-problem{name}")
    ann.write(Mobile_phone_number="(435) 555-0142")
    ann.page.get_by_label("I agree to get text messages").check()
    ann.look(f"portal-texts{name}")
    ann.press("Send me a code")
    ann.look(f"portal-texts-code{name}")
    ann.write(**{"Six-digit_code": code_on_phone(portal)})
    ann.press("Get text messages")
    ann.see("By text message to (435) 555-0142.")
    ann.look(f"portal-texts-chosen{name}")
    ann.press("Tell me by e-mail instead")
    ann.see("No more texts are sent to you.")


@WINDOWS
def test_a_customer_connects_an_account_elsewhere_and_signs_in_with_it(
    someone, known, portal, window
):
    name = "" if window == DESKTOP else "-phone"
    known(ANN, MINE)
    with a_provider() as provider:
        provider.begin_anew()
        terms = ProviderTerms("google", "Google", provider.issuer, CLIENT, lambda _now: SECRET)
        portal.office.__dict__["identity_providers"] = {"google": IdentityProvider(terms)}
        ann = someone(window)
        ann.open("/sign-in")
        ann.look(f"portal-sign-in-google{name}")
        ann.press("Sign in with Google")
        ann.follow("Yes")
        ann.see("opens nothing here yet")
        ann.look(f"portal-outside-unknown{name}")
        ann.write(Email_address=ANN)
        ann.press("Send me a link")
        ann.look(f"portal-outside-mailed{name}")
        link = portal.mailed(ANN, "account at Google or Apple")
        bob = someone(window)
        bob.open(link)
        bob.see("works only in the browser")
        bob.look(f"portal-outside-elsewhere{name}")
        ann.open(link)
        ann.see("Connect and sign in")
        ann.look(f"portal-outside-press{name}")
        assert 40 > ann.page.locator(".facts dd").bounding_box()["height"]  # the address is whole
        ann.open("/sign-in?next=/oidc/connect")
        ann.write(Email_address=ANN, Password=PASSWORD)
        ann.press("Sign in")
        ann.look(f"portal-outside-connect{name}")
        ann.press("Connect")
        ann.see("It is connected.")
        ann.look(f"portal-outside-ways{name}")
        ann.press("Sign out")
        ann.press("Sign in with Google")
        ann.follow("Yes")
        ann.see("Balance due")
