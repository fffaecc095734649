"""The guide for customer service, walked in its order: what a CSR does, at the console."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from domain.identity import UserState
from domain.payments import PaymentState
from identity.activity import record_activity
from tests.builders import NOW
from tests.web.csr.conftest import ELM, OAK
from tests.web.csr.test_console import fact
from tests.web.csr.test_credentials import mails, recover, spoken
from tests.web.csr.test_find import found
from tests.web.csr.test_locking import lock, payment_of, state_of, unlock
from tests.web.customers.conftest import ANN, PASSWORD, Browser

# what callers report: the eight troubles of rule 207 and rule 102, each with where it is helped
HELP = {
    "cannot sign in": "Unlock account",
    "no password": "Send password reset link",
    "no mailbox": "Generate recovery code",
    "wants to leave": "Lock account",
    "wants another account": "/csr?q=",
    "cannot find the way": "Impersonate",
    "misses a mail": "Activity log",
    "autopay and paperless": "Paperless billing",
}


def test_the_console_has_a_door_for_each_trouble_that_callers_report(csr, town):
    """Rules 207, 102, 37 and 159: and it says first that the caller's identity is checked."""
    open_to_her = csr.get(town.page).text
    lock(csr, town)
    locked = csr.get(town.page).text
    search = csr.get("/csr").text

    missing = {trouble for trouble, door in HELP.items() if door not in open_to_her + locked}
    assert set() == missing
    assert "identity" in search.lower() or "who is calling" in open_to_her.lower()


@pytest.mark.parametrize(
    "typed",
    ["ann@portal.example", "Ann Abbott", "1", "01.1037.1", "2172 Main", "PO Box 77"],
)
def test_a_customer_is_found_by_each_of_the_six(csr, town, typed):
    """Rule 170: mailbox, name, person ID, account, service address, billing address."""
    assert OAK in found(csr.get("/csr", params={"q": typed}).text)


def test_a_building_is_found_by_its_number_and_narrowed_to_who_is_enrolled(csr, town):
    """Rules 171-175: partial text, the boxes, the view, the ways back and to payments."""
    building = found(csr.get("/csr", params={"q": "2172"}).text)
    enrolled = csr.get("/csr", params={"q": "2172", "filtered": "1", "status": ["enrolled"]}).text
    (view,) = re.findall(r'<a href="([^"]+)" aria-describedby="row-\d">View</a>', enrolled)
    console = csr.get(view).text

    assert [OAK, ELM] == building and [OAK] == found(enrolled)
    assert "All Customers</a>" in console
    assert '"/office/payments">Go to Payment Administration</a>' in console


def test_the_console_shows_who_it_is_and_when_they_were_last_here(csr, town, customer):
    """Rules 160 and 176: the dot, the address, the last access, and the customer's facts."""
    customer()
    page = csr.get(town.page).text

    assert '<span class="dot on"' in page and f"<h1>{ANN}</h1>" in page
    assert "Last portal access: never" not in page
    facts = ("Account number", "Billing address", "Account settings", "AutoPay", "Service address")
    assert "" not in [fact(page, name) for name in (*facts, "District")]
    assert "<dt>Nickname</dt>" in page


def test_impersonating_shows_the_portal_and_does_nothing_in_it(csr, town):
    """Rule 158: in a window of its own, with a banner; no transaction is made."""
    door = csr.get(f"{town.page}/impersonate").text
    csr.post(f"{town.page}/impersonate", reason="cannot find the bill")
    home = csr.get("/").text
    refused = csr.send("/accounts/0110371/pay", csrf="", amount="80.00")

    assert 'target="_blank"' in door + csr.get(town.page).text
    assert "You are looking at the portal of ann@portal.example" in home
    assert 403 == refused.status_code and "Nothing was done" in refused.text


@pytest.mark.parametrize("why", ["compromised", "misuse", "opted-out"])
def test_a_customer_is_locked_for_each_reason_and_let_in_again(csr, town, customer, why):
    """Rules 157 and 162: it asks yes or no; the customer is out until the account is unlocked."""
    asked = csr.get(f"{town.page}/lock").text
    lock(csr, town, reason=why)
    out = Browser(csr.app).sign_in().status_code
    asked_again = csr.get(f"{town.page}/unlock").text
    unlock(csr, town)

    assert "Yes, lock account</button>" in asked and ">No</a>" in asked
    assert "Yes, unlock" in asked_again and ">No</a>" in asked_again
    assert 422 == out and 200 == customer().get("/").status_code


def test_ten_failures_in_a_row_lock_and_a_csr_unlocks(csr, town, customer):
    """Rule 156, then rule 154: nothing is mailed to somebody who is locked."""
    stranger = Browser(csr.app)
    for _ in range(10):
        stranger.sign_in(ANN, "not the password")
    shut = Browser(csr.app).sign_in(ANN, PASSWORD).status_code
    page = csr.get(town.page).text
    unlock(csr, town, reason="failed-sign-ins")

    assert 429 == shut  # the next password waits, too
    assert "Unlock account</button>" in page and "Send password reset link" not in page
    assert 200 == customer().get("/").status_code


def test_a_forgotten_password_is_helped_by_mail_and_a_lost_mailbox_by_a_code(csr, town, desk):
    """Rules 153 and 155: both end after a day; the code is read out, read back, revocable."""
    csr.get(town.page)
    csr.post(f"{town.page}/mail")
    csr.get(town.page)
    csr.post(f"{town.page}/recovery-code")
    page = csr.get(town.page).text
    code = spoken(page)
    csr.post(f"{town.page}/recovery-code/revoke")
    revoked = recover(desk, code).status_code
    csr.get(town.page)
    csr.post(f"{town.page}/recovery-code")
    taken = recover(desk, spoken(csr.get(town.page).text)).status_code

    assert [("access-reset", ANN)] == mails(town)
    assert "expires 24 hours after it was sent" in page and "have it read back" in page
    assert "Read it out" in page and "It expires on Nov 4, 2026 at 9:00 AM" in page
    assert (422, 200) == (revoked, taken)


def test_the_log_is_filtered_by_kind_and_turned_page_by_page_or_shown_whole(csr, town):
    """Rules 166-169."""
    with town.office.database.writing() as books:
        for day in range(45):  # over four years
            record_activity(books, town.ann, "signed in", NOW - timedelta(days=33 * day))
    csr.get(town.page)
    csr.post(f"{town.page}/mail")
    whole = csr.get(f"{town.page}/activity?view=all").text
    filtered = csr.get(f"{town.page}/activity?filtered=1&kind=signed+in").text

    first = csr.get(f"{town.page}/activity").text

    assert 45 == whole.count('<td data-of="Activity">Signed in</td>')
    assert ">Password reset link sent</td>" in whole and "Paginate</a>" in whole
    assert ">Password reset link sent</td>" not in filtered
    assert "Next</a>" in first and "View All</a>" in first and "Jump to page" in first


def test_who_leaves_is_told_of_payments_and_is_found_and_brought_back_later(supervisor, town):
    """Rules 161-163 and ruling 11: a lock keeps what is scheduled, deleting cancels it."""
    warned = supervisor.get(f"{town.page}/delete").text
    lock(supervisor, town, reason="opted-out")
    kept = payment_of(town)
    usual = found(supervisor.get("/csr", params={"q": "2172"}).text)
    boxes = {"q": "2172", "filtered": "1", "status": ["permanent-lock", "hidden"]}
    shut_out = found(supervisor.get("/csr", params=boxes).text)
    unlock(supervisor, town)

    assert "$80.00" in warned and "I told the customer that these payments" in warned
    assert PaymentState.SCHEDULED is kept
    assert ([ELM], [OAK]) == (usual, shut_out)
    assert UserState.ACTIVE is state_of(town)
