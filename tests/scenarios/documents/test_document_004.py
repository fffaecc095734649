"""The article about credentials, walked in its order: how a customer comes to sign in."""

from __future__ import annotations

from datetime import date

from database.definitions.identity import credential, web_user
from domain.identity import UserState
from office.procedures.portal.inviting import invite_new
from office.settings.close import PortalSettings
from tests.builders import NOW, a_household, close_run, stage_run
from tests.office.health_builders import an_office_at
from tests.web.csr.conftest import ELM, ELM_KEY, OAK
from tests.web.csr.test_credentials import NEW, invitation, mails
from tests.web.customers.conftest import ANN, PASSWORD, Browser, register
from tests.web.office.conftest import TRIAL

RESET, CREATE = "Send password reset link", "Send create credentials link"


def offered(page: str) -> list[str]:
    """Return which of the two mails a page offers."""
    return [mail for mail in (CREATE, RESET) if mail in page]


def test_the_portal_has_an_address_and_its_customers_a_name_and_a_password_of_their_own(desk, town):
    """Rules 150 and 151."""
    assert town.office.settings.web.url.startswith("https://")
    assert 303 == Browser(desk).sign_in(ANN, PASSWORD).status_code
    assert 422 == Browser(desk).sign_in(ANN, NEW).status_code


def test_both_mails_go_to_every_address_on_file(csr, town):
    """Rules 30 and 144: one creates credentials, the other resets a password."""
    csr.get(f"/csr/accounts/{ELM_KEY}")
    csr.post(f"/csr/accounts/{ELM_KEY}/invite", address="bo@example.com")
    csr.get(town.page)
    csr.post(f"{town.page}/mail")

    assert {
        ("access-invitation", "bea@example.com"),
        ("access-invitation", "bo@example.com"),
        ("access-reset", ANN),
    } == set(mails(town))


def test_new_customers_are_invited_by_themselves_where_the_office_wants_it(town):
    """Rule 146: with the close that brings them, once; nobody who was there before."""
    office = town.office
    new = a_household("03.3000.3", mandates=(), email="cy@example.com")
    both = (new, a_household(ELM, mandates=(), email="bo@example.com"))
    stage_run(
        office.database,
        *both,
        period="2026-11",
        ends_on=date(2026, 11, 30),
        due_on=date(2026, 12, 20),
    )
    close_run(office.database, "2026-11")
    unasked = invite_new(office, "2026-11", NOW)
    wanting = an_office_at(
        office.home,
        office.database,
        "2026-12-01T09:00",
        web=TRIAL,
        portal=PortalSettings(invites_new=True),
    )

    first, again = (invite_new(wanting, "2026-11", NOW) for _ in range(2))

    assert (0, 1, 0) == (unasked, first, again)
    assert [("access-invitation", "cy@example.com")] == mails(town)


def test_existing_customers_are_pushed_their_mail_one_by_one_or_by_a_filter(supervisor, town):
    """Rule 147: the page says how many, and that very number has to be confirmed."""
    page = supervisor.get("/csr/invitations?district=South").text
    supervisor.post("/csr/invitations", district="South", count="1")

    assert "Yes, invite 1 customer</button>" in page
    assert {"bea@example.com", "bo@example.com"} == {address for _form, address in mails(town)}


def test_only_the_mail_that_the_state_allows_is_offered(csr, town):
    """Rule 148: set up, named and not set up, and none at all."""
    set_up = offered(csr.get(town.page).text)
    with town.office.database.writing() as books:
        books.execute(credential.delete().where(credential.c.user_number == town.ann))
    named = offered(csr.get(town.page).text)
    with town.office.database.writing() as books:
        books.execute(web_user.update().values(username=None, state=UserState.INVITED))
    nothing = offered(csr.get(town.page).text)
    nobody = csr.get(f"/csr/accounts/{ELM_KEY}").text

    assert ([RESET], [CREATE], [CREATE]) == (set_up, named, nothing)
    assert "Unenrolled: nobody is linked" in nobody and 'value="bo@example.com"' in nobody


def test_a_username_is_changed_taken_and_cleared_by_customer_service(csr, town, desk, office):
    """Rules 149 and 150: a cleared one turns the reset into a new creation."""
    bob = register(office, "bob@portal.example")
    with office.database.writing() as books:
        books.execute(web_user.update().where(web_user.c.number == bob).values(username="bob"))
    csr.get(town.page)
    taken = csr.post(f"{town.page}/username", username="BOB")
    csr.get(town.page)
    csr.post(f"{town.page}/username", username="annie")
    signs_in = Browser(desk).sign_in("annie", PASSWORD).status_code
    csr.get(f"{town.page}/sign-in/clear")
    csr.post(f"{town.page}/sign-in/clear")
    after = csr.get(town.page).text

    assert 422 == taken.status_code and 'id="username-error"' in taken.text
    assert 303 == signs_in
    assert [CREATE] == offered(after) and OAK in after  # a new contact of the same account


def test_the_link_to_create_credentials_works_once_and_then_leads_to_the_sign_in_page(
    csr, town, desk
):
    """Rule 145: looking at it is no use of it; after its use it opens the sign-in page."""
    csr.get(f"/csr/accounts/{ELM_KEY}")
    csr.post(f"/csr/accounts/{ELM_KEY}/invite", address="bo@example.com")
    link = f"/invite/{invitation(town)}"
    looks = [Browser(desk).get(link).status_code for _ in range(2)]  # a scanner of mails
    used = Browser(desk).send(link, password=NEW, again=NEW)
    later = Browser(desk).get(link)

    assert [200, 200] == looks
    assert "/sign-in?done=password" == used.headers["location"]
    assert "/sign-in" == later.headers["location"]
    other = f"another {NEW}"  # nobody sets it
    again = Browser(desk).send(link, password=other, again=other)
    assert "/sign-in" == again.headers["location"]
    assert 303 == Browser(desk).sign_in("bo@example.com", NEW).status_code
