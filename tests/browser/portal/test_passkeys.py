"""Passkeys, with an authenticator that Chromium plays."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database.definitions.identity import activity, credential, passkey, web_user
from identity.users import MOST_FAILURES
from tests.browser.portal.conftest import DESKTOP, MINE
from tests.web.customers.conftest import ANN, BOB, PASSWORD

pytestmark = pytest.mark.slow
ADDED = "Your passkey was added."


@pytest.fixture
def ann(someone, known):
    """Ann at a browser whose device has a fingerprint reader."""
    known(ANN, MINE)
    customer = someone(DESKTOP)
    wire = customer.page.context.new_cdp_session(customer.page)
    wire.send("WebAuthn.enable")
    wire.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
                "hasUserVerification": True, "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )  # fmt: skip
    customer.sign_in(ANN)
    return customer


def add(customer, name: str = "my phone") -> None:
    customer.open("/account/passkeys")
    customer.page.get_by_label("Name of the passkey (optional)").fill(name)
    customer.page.get_by_label("Current password").first.fill(PASSWORD)
    customer.press("Add a passkey")
    customer.look()
    customer.press("Make the passkey")


def sign_in_by_passkey(customer) -> None:
    customer.open("/sign-in")
    customer.press("Sign in with a passkey")
    customer.look()
    customer.press("Use my passkey")


def test_a_passkey_lets_in_without_a_password_even_while_that_is_locked(ann, portal):
    add(ann)
    ann.see(ADDED)
    ann.look("portal-passkeys")
    ann.press("Sign out")
    with portal.office.database.writing() as books:
        books.execute(web_user.update().values(failures=MOST_FAILURES))
    sign_in_by_passkey(ann)
    ann.see("$45.50")
    ann.open("/account/passkeys")
    ann.see("Last used on November 3, 2026.")
    ann.page.get_by_label("Current password").last.fill(PASSWORD)
    ann.press("Remove")
    ann.see("The passkey was removed.")
    ann.press("Sign out")
    sign_in_by_passkey(ann)

    ann.see("That passkey opens nothing here.")
    with portal.office.database.reading() as books:
        kinds = list(books.scalars(sa.select(activity.c.kind)))
    assert {"passkey added", "passkey removed"} <= set(kinds)


def test_an_answer_is_taken_once_and_a_device_has_one_passkey(ann, portal):
    add(ann)
    ann.see(ADDED)
    add(ann, "again")
    ann.see("This browser did not do it.")
    ann.press("Sign out")
    with ann.page.expect_request("**/sign-in/passkey/answer") as asked:
        sign_in_by_passkey(ann)
    ann.see("$45.50")
    ann.press("Sign out")

    again = ann.page.context.request.post(
        f"{portal.url}/sign-in/passkey/answer",
        data=asked.value.post_data,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )

    assert 422 == again.status


def test_a_challenge_for_one_customer_is_no_other_ones(ann, known, portal, someone):
    """What was begun in one session is answered in another's: nothing is added."""
    known(BOB)
    bob = someone(DESKTOP)
    bob.sign_in(BOB)
    bob.open("/account/passkeys")
    token = bob.page.locator("input[name=csrf]").first.get_attribute("value")
    ann.page.route("**/account/passkeys/added", lambda route: route.abort())
    ann.open("/account/passkeys")
    ann.page.get_by_label("Current password").first.fill(PASSWORD)
    ann.press("Add a passkey")
    with ann.page.expect_request("**/account/passkeys/added") as asked:
        ann.press("Make the passkey")
    stolen = dict(part.split("=", 1) for part in asked.value.post_data.split("&"))

    answer = bob.page.context.request.post(
        f"{portal.url}/account/passkeys/added", form=stolen | {"csrf": token}
    )

    ann.complaints.clear()  # the aborted request is ours
    assert 422 == answer.status
    with portal.office.database.reading() as books:
        assert 0 == books.scalar(sa.select(sa.func.count()).select_from(passkey))


def test_a_passkey_stands_in_for_the_password_where_the_address_is_changed(ann, portal):
    """Who has a passkey alone changes the address too; another's passkey is none."""
    add(ann)
    ann.see(ADDED)
    with portal.office.database.writing() as books:
        books.execute(credential.delete())  # the password is gone
    ann.open("/account/address")
    ann.look("portal-new-address-passkey-alone")
    ann.write(New_email_address="ann.new@portal.example")
    ann.press("Continue with a passkey")
    ann.look("portal-new-address-passkey")
    with ann.page.expect_request("**/account/address") as asked:
        ann.press("Use my passkey")
    ann.see("We sent a message to ann.new@portal.example.")

    again = ann.page.context.request.post(
        f"{portal.url}/account/address",
        data=asked.value.post_data,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )

    assert (422, True) == (again.status, "none of yours here" in again.text())
