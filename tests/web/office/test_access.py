"""Staff set a password by a one-time link, and sign in with it and the code of a phone."""

from __future__ import annotations

import re

import pyotp
import pytest
import sqlalchemy as sa

from command_line.options import wall_clock
from database.tables import audit
from domain.failures import Misuse
from domain.identity import Role
from identity.staff import add_staff, change_role, find_staff, link_again, lock_staff
from office.settings.close import WebSettings
from tests.builders import NOW
from tests.office.health_builders import an_office_at
from tests.web.customers.conftest import PASSWORD, URL, Browser
from web.desk import desk_of

CLERK = "clerk@larkspur.example"


@pytest.fixture
def strict(office):
    """The desk of the same office where the second step is asked for, as https has it."""
    return desk_of(
        an_office_at(office.home, office.database, "2026-11-03T09:00", web=WebSettings(url=URL))
    )


def test_a_link_sets_a_password_once_and_looking_at_it_changes_nothing(office, desk):
    with office.database.writing() as books:
        mail = add_staff(books, office.link_tokens, "Ana@Larkspur.example", Role.CLERK, NOW, "root")
    path = f"/office/password/{office.link_tokens.token(mail.link)}"
    browser = Browser(desk)

    looked = [browser.get(path).status_code, browser.head(path).status_code]
    short = browser.send(path, password="short", again="short")
    other = browser.send(path, password=PASSWORD, again=PASSWORD + "x")
    good = browser.send(path, password=PASSWORD, again=PASSWORD)
    again = browser.send(path, password=PASSWORD, again=PASSWORD)

    assert [200, 200] == looked
    assert [422, 422, 303, 410] == [a.status_code for a in (short, other, good, again)]
    assert "/office/sign-in?done=password" == good.headers["location"]
    signed = browser.send("/office/sign-in", email="ana@larkspur.example", password=PASSWORD)
    assert (303, "/office") == (signed.status_code, signed.headers["location"])
    assert 200 == browser.get("/office").status_code


@pytest.mark.parametrize(
    ("address", "password"),
    [(CLERK, "wrong horse battery"), ("nobody@larkspur.example", PASSWORD), ("", "")],
)
def test_wrong_and_unknown_are_answered_alike(desk, member, address, password):
    member(Role.CLERK)
    browser = Browser(desk)

    answer = browser.send("/office/sign-in", email=address, password=password)

    assert (422, True) == (answer.status_code, "do not go together" in answer.text)
    assert 303 == browser.get("/office").status_code


def test_ten_failures_let_the_right_password_in_no_more_until_another_link(office, desk, member):
    member(Role.CLERK)
    browser = Browser(desk)
    for _ in range(10):
        browser.send("/office/sign-in", email=CLERK, password="wrong horse battery")
    refused = browser.send("/office/sign-in", email=CLERK, password=PASSWORD)

    with office.database.writing() as books:
        mail = link_again(books, office.link_tokens, CLERK, NOW, "anna")
    browser.send(
        f"/office/password/{office.link_tokens.token(mail.link)}",
        password=PASSWORD,
        again=PASSWORD,
    )

    assert 422 == refused.status_code
    assert 303 == browser.send("/office/sign-in", email=CLERK, password=PASSWORD).status_code


def test_with_a_second_step_the_password_alone_opens_nothing(strict, member):
    member(Role.CLERK)
    browser = Browser(strict)

    answer = browser.send("/office/sign-in", email=CLERK, password=PASSWORD)

    assert "/office/code?next=/office" == answer.headers["location"]
    closed = browser.get("/office/payments")
    assert (303, "/office/code") == (closed.status_code, closed.headers["location"])


def test_the_first_time_a_picture_sets_up_the_phone_and_afterwards_none_is_shown(strict, member):
    member(Role.CLERK)
    browser = Browser(strict)
    browser.send("/office/sign-in", email=CLERK, password=PASSWORD)
    first = browser.get("/office/code")
    secret = secret_of(first.text)
    before = browser.cookies.get("__Host-office")

    good = browser.post("/office/code", code=pyotp.TOTP(secret).at(wall_clock()))

    assert "data:image/svg+xml" in first.text
    assert (303, "/office") == (good.status_code, good.headers["location"])
    assert before != browser.cookies.get("__Host-office")
    assert 200 == browser.get("/office").status_code
    other = Browser(strict)
    other.send("/office/sign-in", email=CLERK, password=PASSWORD)
    assert "data:image/svg+xml" not in other.get("/office/code").text.replace("data:,", "")


def test_a_code_counts_once_and_five_wrong_ones_close_the_way(strict, member):
    member(Role.CLERK)
    first, second = Browser(strict), Browser(strict)
    for browser in (first, second):
        browser.send("/office/sign-in", email=CLERK, password=PASSWORD)
    totp = pyotp.TOTP(secret_of(first.get("/office/code").text))
    code = totp.at(wall_clock())
    second.get("/office/code")

    assert 303 == first.post("/office/code", code=code).status_code
    assert 422 == second.post("/office/code", code=code).status_code
    for _ in range(4):
        second.post("/office/code", code="000000")
    later = totp.at(wall_clock(), counter_offset=1)
    assert 422 == second.post("/office/code", code=later).status_code


def test_the_books_hold_nothing_that_makes_a_code(office, strict, member):
    member(Role.CLERK)
    browser = Browser(strict)
    browser.send("/office/sign-in", email=CLERK, password=PASSWORD)
    secret = secret_of(browser.get("/office/code").text)

    with office.database.reading() as books:
        kept = books.exec_driver_sql("SELECT secret FROM credential").scalars().all()

    assert 2 == len(kept)
    assert all(secret not in value for value in kept)


@pytest.mark.parametrize(
    "change", [lock_staff, lambda books, who, now, by: change_role(books, who, Role.CSR, now, by)]
)
def test_whoever_is_locked_or_gets_another_role_is_out_at_once(office, signed_in, change):
    browser = signed_in(Role.CLERK)
    assert 200 == browser.get("/office").status_code

    with office.database.writing() as books:
        change(books, CLERK, NOW, "anna")

    assert 303 == browser.get("/office").status_code


def test_a_form_without_the_sessions_token_does_nothing(signed_in, office):
    browser = signed_in(Role.CLERK)

    answer = browser.send("/office/payments/pending/retry")

    assert 403 == answer.status_code
    assert "post payments" not in acts(office)


def test_signing_in_and_retrying_are_audited_with_the_person(signed_in, office):
    browser = signed_in(Role.CLERK)
    browser.get("/office/payments/pending")

    browser.post("/office/payments/pending/retry")

    found = acts(office)
    assert ["add staff", "set password", "sign in", "post payments"] == list(found)[-4:]
    assert ["anna", "clerk 1", "clerk 1", "clerk 1"] == list(found.values())[-4:]
    assert "larkspur.example" not in "".join([*found, *found.values()])


def test_a_next_page_leads_into_the_office_alone(desk, member):
    member(Role.CLERK)
    fields = {"email": CLERK, "password": PASSWORD}

    for tried in ("//evil.example", "https://evil.example", "/wallet", "/officers", "/office/../x"):
        answer = Browser(desk).send("/office/sign-in", **fields, next=tried)
        assert "/office" == answer.headers["location"], tried


def test_a_mailbox_is_one_member_of_staff(office, member):
    member(Role.CLERK)

    with office.database.writing() as books, pytest.raises(Misuse, match="clerk 1 already"):
        add_staff(books, office.link_tokens, CLERK.upper(), Role.ADMIN, NOW, "anna")
    with office.database.reading() as books:
        assert Role.CLERK is find_staff(books, CLERK).role


def secret_of(page: str) -> str:
    return re.search(r"<code>([A-Z2-7 ]+)</code>", page)[1].replace(" ", "")


def acts(office) -> dict[str, str]:
    with office.database.reading() as books:
        query = sa.select(audit.c.action, audit.c.who).order_by(audit.c.id)
        return dict(books.execute(query).all())


def test_who_is_signed_in_and_goes_back_to_the_page_of_the_code_is_led_on(signed_in):
    answer = signed_in(Role.CLERK).get("/office/code")

    assert (303, "/office") == (answer.status_code, answer.headers["location"])


def test_a_page_of_an_earlier_sign_in_still_signs_staff_out(signed_in):
    browser = signed_in(Role.CLERK)

    out = browser.send("/office/sign-out", csrf="of a session before")

    assert (303, "/office/sign-in?done=out") == (out.status_code, out.headers["location"])
    assert "/office/sign-in" in browser.get("/office").headers["location"]
    assert "/office" == browser.get("/office/sign-out").headers["location"]


def test_staff_stay_among_their_own_pages_where_there_is_nothing(signed_in):
    browser = signed_in(Role.AUDITOR)

    missing = browser.get("/office/communications/templates/edit?name=nothing")
    browser.page = missing  # its own form signs out
    out = browser.post("/office/sign-out")

    assert 404 == missing.status_code
    assert 'action="/office/sign-out"' in missing.text and 'action="/language"' not in missing.text
    assert '<a href="/office">Go to the start page</a>' in missing.text
    assert (303, 303) == (out.status_code, browser.get("/office").status_code)
