"""Mails, recovery codes, usernames and invitations from the console (rules 144-155)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.definitions.identity import account_link, credential, one_time_link, web_user
from database.tables import delivery
from domain.identity import LinkKind, Role, UserState
from tests.web.csr.conftest import ELM, ELM_KEY, OAK
from tests.web.customers.conftest import ANN, PASSWORD, Browser, register

NEW = "another correct horse"


def mails(town) -> list[tuple[str, str]]:
    row = delivery.c
    with town.office.database.reading() as books:
        asked = sa.select(row.form, row.address).where(row.kind == "access")
        return [tuple(one) for one in books.execute(asked.order_by(row.queued_at, row.address))]


def invitation(town) -> str:
    """Return the token of the link to create credentials that is good now."""
    row = one_time_link.c
    asked = sa.select(row.key).where(
        row.kind == LinkKind.CREATE_CREDENTIALS, row.revoked_at.is_(None), row.used_at.is_(None)
    )
    with town.office.database.reading() as books:
        return town.office.link_tokens.token(books.execute(asked).scalar_one())


def spoken(page: str) -> str:
    found = re.search(r'class="spoken">([^<]+)<', page)
    return found[1] if found else ""


@pytest.fixture
def code(csr, town) -> str:
    """A recovery code of Ann's as the console shows it."""
    csr.get(town.page)
    csr.post(f"{town.page}/recovery-code")
    return spoken(csr.get(town.page).text)


def recover(desk, code: str, name: str = OAK, password: str = NEW):
    fields = {"name": name, "code": code, "password": password, "again": password}
    return Browser(desk).send("/recover", **fields)


def test_rule_148_who_has_a_password_gets_a_link_to_reset_it(csr, town):
    csr.get(town.page)
    answer = csr.post(f"{town.page}/mail")

    assert f"{town.page}?done=mail" == answer.headers["location"]
    assert [("access-reset", ANN)] == mails(town)
    assert ("password reset link sent", "csr 1", "") == town.log()[-1]


def test_rule_148_who_has_none_gets_a_link_to_create_credentials(csr, town):
    with town.office.database.writing() as books:
        books.execute(credential.delete().where(credential.c.user_number == town.ann))

    page = csr.get(town.page).text
    csr.post(f"{town.page}/mail")

    assert "Send create credentials link" in page and "Send password reset link" not in page
    assert [("access-invitation", ANN)] == mails(town)


def test_rule_154_a_locked_customer_is_sent_nothing(csr, town):
    csr.get(town.page)
    with town.office.database.writing() as books:
        books.execute(web_user.update().values(state=UserState.LOCKED))

    answer = csr.post(f"{town.page}/mail")

    assert 409 == answer.status_code and "Unlock the portal account first" in answer.text
    assert [] == mails(town)


def test_rule_155_a_code_that_was_read_out_sets_a_password_once(code, desk, town, customer):
    answer = recover(desk, code)
    again = recover(desk, code)
    signed_in = Browser(desk).sign_in(ANN, NEW)

    assert re.fullmatch(r"\d{4} \d{4}", code)
    assert 200 == answer.status_code and f"You sign in with {ANN}" in answer.text
    assert 422 == again.status_code
    assert 303 == signed_in.status_code
    assert ("password set", "the customer", "by a recovery code") in town.log()


@pytest.mark.parametrize("name", [OAK, "0110371", ANN, ANN.upper()])
def test_the_code_goes_with_an_account_number_or_the_name_to_sign_in_with(code, desk, name):
    assert 200 == recover(desk, code.replace(" ", ""), name).status_code


def test_the_code_of_one_is_worth_nothing_for_another(code, desk, office):
    register(office, "bob@portal.example", accounts=(ELM_KEY,))

    assert 422 == recover(desk, code, ELM).status_code
    assert 422 == recover(desk, code, "bob@portal.example").status_code


def test_five_wrong_tries_end_a_code(code, desk):
    wrong = "0000 0000" if code != "0000 0000" else "1111 1111"

    answers = [recover(desk, wrong).status_code for _ in range(5)]

    assert [422] * 5 == answers
    assert 422 == recover(desk, code).status_code


def test_a_wrong_code_an_unknown_account_and_no_code_are_answered_alike(desk, town):
    answers = [recover(desk, "1234 5678", name).text for name in (OAK, ELM, "99", "x@y.example")]

    assert 1 == len({re.sub(r'value="[^"]*"', "", text) for text in answers})


def test_a_code_is_good_for_a_day(code, desk, town):
    with town.office.database.writing() as books:
        mine = one_time_link.c.kind == LinkKind.RECOVERY_CODE
        row = books.execute(sa.select(one_time_link).where(mine)).one()
        books.execute(one_time_link.update().values(expires_at=town.office.due_now()))

    assert timedelta(hours=24) == row.expires_at - row.made_at
    assert 422 == recover(desk, code).status_code


def test_a_revoked_code_is_worth_nothing(code, csr, desk, town):
    page = csr.get(town.page).text
    csr.post(f"{town.page}/recovery-code/revoke")

    assert "Revoke recovery code</button>" in page
    assert "" == spoken(csr.get(town.page).text)
    assert 422 == recover(desk, code).status_code


def test_a_second_code_ends_the_first(code, csr, desk, town):
    csr.post(f"{town.page}/recovery-code")
    second = spoken(csr.get(town.page).text)

    assert code != second
    assert 422 == recover(desk, code).status_code
    assert 200 == recover(desk, second).status_code


def test_the_books_hold_no_code(code, town):
    with town.office.database.reading() as books:
        rows = str(books.execute(sa.select(one_time_link)).all())

    assert code not in rows and code.replace(" ", "") not in rows


def test_rule_149_a_username_is_set_signs_in_and_is_changed(csr, town, desk):
    csr.get(town.page)
    csr.post(f"{town.page}/username", username="Ann.Abbott")
    first = Browser(desk).sign_in("ann.abbott", PASSWORD).status_code
    csr.get(town.page)
    csr.post(f"{town.page}/username", username="annie")

    assert 303 == first == Browser(desk).sign_in("annie", PASSWORD).status_code
    assert 422 == Browser(desk).sign_in("ann.abbott", PASSWORD).status_code


@pytest.mark.parametrize("username", ["BOB", "bob@portal.example", "x", "", "a b"])
def test_rule_150_a_username_that_is_taken_or_none_is_told(csr, town, office, username):
    bob = register(office, "bob@portal.example")
    with office.database.writing() as books:
        books.execute(web_user.update().where(web_user.c.number == bob).values(username="bob"))

    csr.get(town.page)
    answer = csr.post(f"{town.page}/username", username=username)

    assert 422 == answer.status_code and 'id="username-error"' in answer.text


def test_rule_149_a_cleared_sign_in_is_created_anew(csr, town, customer, desk):
    ann = customer()
    csr.get(f"{town.page}/sign-in/clear")
    csr.post(f"{town.page}/sign-in/clear")
    page = csr.get(town.page).text
    csr.post(f"{town.page}/mail")
    made = Browser(desk).send(f"/invite/{invitation(town)}", password=NEW, again=NEW)

    assert 303 == ann.get("/").status_code  # signed out
    assert "Send create credentials link" in page and OAK in page
    assert "/sign-in?done=password" == made.headers["location"]
    assert 303 == Browser(desk).sign_in(ANN, NEW).status_code


def test_rules_30_and_147_an_invitation_goes_to_every_address_on_file_and_links(csr, town, desk):
    csr.get(f"/csr/accounts/{ELM_KEY}")
    answer = csr.post(f"/csr/accounts/{ELM_KEY}/invite", address="bo@example.com")
    sent = mails(town)
    Browser(desk).send(f"/invite/{invitation(town)}", password=NEW, again=NEW)
    bo = Browser(desk)
    bo.sign_in("bo@example.com", NEW)

    assert f"/csr/accounts/{ELM_KEY}?done=invited" == answer.headers["location"]
    assert [
        ("access-invitation", "bea@example.com"),
        ("access-invitation", "bo@example.com"),
    ] == sorted(sent, key=lambda mail: mail[1])
    assert "2172 Main St Apt 2" in bo.get("/").text


def test_nobody_is_invited_at_an_address_that_is_not_on_file(csr, town):
    csr.get(f"/csr/accounts/{ELM_KEY}")
    answer = csr.post(f"/csr/accounts/{ELM_KEY}/invite", address="thief@example.com")

    assert 422 == answer.status_code and [] == mails(town)


def test_rule_147_all_of_a_district_are_invited_once(supervisor, town):
    page = supervisor.get("/csr/invitations?district=South").text
    supervisor.post("/csr/invitations", district="South", count="1")
    after = supervisor.get("/csr/invitations").text

    assert "Yes, invite 1 customer</button>" in page
    assert {"bea@example.com", "bo@example.com"} == {address for _form, address in mails(town)}
    assert "<strong>0 customers</strong>" in after
    assert "invite many" == town.acts()[-1]


def test_another_number_than_the_page_said_invites_nobody(supervisor, town):
    supervisor.get("/csr/invitations")
    answer = supervisor.post("/csr/invitations", district="", count="9")

    assert 409 == answer.status_code and [] == mails(town)


def test_rules_129_to_131_an_administrator_links_an_account_and_takes_it_off_again(
    signed_in, town, desk
):
    admin = signed_in(Role.ADMIN)
    admin.get(f"/csr/accounts/{ELM_KEY}")
    admin.post(f"/csr/accounts/{ELM_KEY}/link")
    Browser(desk).send(f"/invite/{invitation(town)}", password=NEW, again=NEW)
    mine = Browser(desk)
    mine.sign_in("admin@larkspur.example", NEW)
    home = mine.get("/").text
    with town.office.database.reading() as books:
        me = books.scalar(sa.select(web_user.c.number).where(web_user.c.number != town.ann))
    asked = admin.get(f"/csr/customers/{me}/unlink/{ELM_KEY}").text
    admin.post(f"/csr/customers/{me}/unlink/{ELM_KEY}")

    assert ("access-invitation", "admin@larkspur.example") in mails(town)
    assert "2172 Main St Apt 2" in home and "Yes, take it off</button>" in asked
    assert "2172 Main St Apt 2" not in mine.get("/").text
    assert "unlink account" == town.acts()[-1]
    with town.office.database.reading() as books:
        assert 1 == books.scalar(
            sa.select(sa.func.count()).where(account_link.c.unlinked_by == "admin 1")
        )


@pytest.mark.parametrize("typed", ["", "  "])
def test_no_username_at_all_is_told_how_one_is_taken_off(csr, town, typed):
    csr.get(town.page)

    answer = csr.post(f"{town.page}/username", username=typed)

    assert 422 == answer.status_code
    assert "Enter a username. To take one off, choose “Clear the sign-in” below." in answer.text


def test_whose_sign_in_is_cleared_while_locked_comes_back_without_a_password(csr, town):
    """What the page says of who was let in again must be so: nobody enrolled has no password."""
    csr.get(f"{town.page}/lock")
    csr.post(f"{town.page}/lock", reason="compromised", autopay="keep")
    csr.get(f"{town.page}/sign-in/clear")
    csr.post(f"{town.page}/sign-in/clear")
    csr.get(f"{town.page}/unlock")
    csr.post(f"{town.page}/unlock", reason="safe-again")

    page = csr.get(town.page).text

    assert "Unenrolled: invited, no password yet" in page
    assert "Send create credentials link" in page
