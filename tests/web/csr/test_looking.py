"""Looking at the portal as a customer: everything is shown and nothing is done (ruling 26)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.books import OnlyReads
from database.definitions.identity import account_link, impersonation, web_session, web_user
from database.tables import metadata
from domain.failures import Refused
from office.equipment.office import only_looking
from tests.web.csr.conftest import OAK_KEY
from tests.web.customers.conftest import Browser, register
from web.customers.autopay.routes import ROUTES as AUTOPAY
from web.customers.choices.routes import ROUTES as CHOICES
from web.customers.routes import OPEN, SIGNED_IN

PAGES = [*OPEN, *SIGNED_IN, *AUTOPAY, *CHOICES]
POSTS = sorted({path for method, path, _page in PAGES if method == "POST"})
OF_OAK = f"/accounts/{OAK_KEY}"
SHOWN = [
    *("/", "/bills", "/usage", "/news", "/wallet", "/account", "/link"),
    *(f"{OF_OAK}/pay", f"{OF_OAK}/autopay", f"{OF_OAK}/paperless"),
]
REASON = "does not find the bill of October"


@pytest.fixture
def looking(csr, town) -> Browser:
    """A CSR who looks at Ann's portal."""
    csr.get(f"{town.page}/impersonate")
    answer = csr.post(f"{town.page}/impersonate", reason=REASON)
    assert (303, "/") == (answer.status_code, answer.headers["location"])
    return csr


def everything(office) -> dict[str, list[tuple]]:
    with office.database.reading() as books:
        return {
            table.name: sorted(map(str, books.execute(sa.select(table))))
            for table in metadata.sorted_tables
        }


def filled(path: str) -> str:
    return (
        path.replace("{account}", OAK_KEY).replace("{token}", "x").replace("{key}", "x")
        .replace("{method}", "x").replace("{part}", "x").replace("{period}", "2026-10")
    )  # fmt: skip


@pytest.mark.parametrize("path", SHOWN)
def test_every_page_of_the_customer_is_shown_with_a_banner(looking, path):
    page = looking.get(path)

    assert 200 == page.status_code
    assert "You are looking at the portal of ann@portal.example as csr" in page.text
    assert "Stop looking" in page.text and ">Sign out<" not in page.text


def test_every_post_of_the_portal_is_refused_and_the_books_stay_as_they_are(looking, town):
    before = everything(town.office)

    for path in POSTS:
        answer = looking.send(filled(path), csrf="", email="x@example.com", password="y" * 12)
        assert 403 == answer.status_code, path
        assert "Nothing was done" in answer.text, path

    assert len(POSTS) > 20
    assert before == everything(town.office)


def test_no_get_of_the_portal_writes_anything(looking, town):
    before = everything(town.office)

    for method, path, _page in PAGES:
        if method == "GET":
            looking.get(filled(path))
            looking.head(filled(path))

    assert before == everything(town.office)


def test_the_database_itself_refuses_whatever_a_page_would_write(town):
    office = only_looking(town.office)

    with pytest.raises(OnlyReads), office.database.writing():
        pass
    for statement in (web_user.update().values(phone="1"), account_link.delete()):
        with pytest.raises(sa.exc.DBAPIError), office.database.reading() as books:
            books.execute(statement)
    office.database.close()


def test_rule_158_it_stands_in_the_customers_log_and_in_the_audit_list(looking, town):
    assert ("looked at by staff", "csr 1", REASON) == town.log()[-1]
    assert "impersonate" == town.acts()[-1]


def test_the_customers_last_access_does_not_move(looking, town):
    looking.get("/")

    with town.office.database.reading() as books:
        assert books.scalar(sa.select(web_user.c.seen_at)) is None


def test_a_reason_is_asked_for(csr, town):
    asked = csr.get(f"{town.page}/impersonate").text
    answer = csr.post(f"{town.page}/impersonate", reason="  ")

    assert 'target="_blank"' in asked and "novalidate" not in asked
    assert r'required pattern=".*\S.*" title="Say why."' in asked  # said before a window opens
    assert 422 == answer.status_code
    assert "Say why you look at this portal." in answer.text
    assert "_blank" not in answer.text  # this is the new window already
    assert 303 == csr.get("/").status_code


def test_the_console_goes_on_beside_the_look_and_ends_it(looking, town):
    assert 200 == looking.get(town.page).status_code

    looking.get("/")
    ended = looking.post("/csr/looking/end")

    assert "/csr?done=looked" == ended.headers["location"]
    assert 303 == looking.get("/").status_code


def test_it_ends_by_itself_after_half_an_hour(looking, town):
    from identity.customer_service.impersonation import LASTS, find_looking

    assert timedelta(minutes=30) == LASTS
    with town.office.database.writing() as books:
        books.execute(impersonation.update().values(ends_at=town.office.due_now()))

    assert 303 == looking.get("/").status_code
    with town.office.database.reading() as books:
        assert find_looking(books, "", "", town.office.due_now()) is None


@pytest.mark.parametrize("lost", ["look", "office"])
def test_the_look_is_worth_nothing_in_another_browser(looking, lost):
    left = {name: value for name, value in looking.cookies.items() if lost not in name}
    looking.cookies = type(looking.cookies)(left)

    assert 303 == looking.get("/").status_code


def test_it_ends_when_the_member_of_staff_signs_out(looking, town):
    with town.office.database.writing() as books:
        mine = web_session.c.staff_number.is_not(None)
        books.execute(web_session.update().where(mine).values(ended_at=town.office.due_now()))

    assert 303 == looking.get("/").status_code


def test_nothing_of_another_customer_is_shown(looking, office):
    register(office, "bob@portal.example", accounts=("0220002",))

    assert 404 == looking.get("/accounts/0220002/bill").status_code
    assert "02.2000.2" not in looking.get("/").text


def test_a_deleted_portal_has_nothing_to_look_at(town):
    from domain.customer_service import StaffAct
    from identity.customer_service.impersonation import begin_looking
    from identity.customer_service.locking import delete_user
    from identity.sessions import SignedIn
    from tests.builders import NOW

    member = SignedIn("hash", "csrf", 1, "csr@larkspur.example", "en", NOW)
    with town.office.database.writing() as books:
        delete_user(books, town.ann, StaffAct("csr 1", "asked for"), NOW)
        with pytest.raises(Refused):
            begin_looking(books, member, town.ann, REASON, NOW)
