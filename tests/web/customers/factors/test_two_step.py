"""Two-step sign-in of customers: the code of a phone, spare codes, and who is told."""

from __future__ import annotations

import re

import pyotp
import pytest
import sqlalchemy as sa

from database.definitions.identity import activity, spare_code
from database.tables import delivery
from identity.customer_service.recovery import find_recovery_code, make_recovery_code, recover
from identity.passwords import Passwords
from identity.users import find_by_mailbox
from tests.web.customers.conftest import ANN, PASSWORD, Browser, register

MINE = "0110371"


@pytest.fixture
def ann(office, app):
    register(office, ANN, accounts=(MINE,))
    browser = Browser(app)
    browser.sign_in(ANN)
    return browser


class Phone:
    """An authenticator app; each code is of a step after the one before."""

    def __init__(self, office, secret: str) -> None:
        self._office, self._codes, self._step = office, pyotp.TOTP(secret), -1

    def code(self) -> str:
        self._step += 1
        now = int(self._office.clock.wall().timestamp()) // 30
        return self._codes.at((now + self._step) * 30)


def set_up(office, browser) -> tuple[Phone, list[str]]:
    """Switch two-step sign-in on, as its pages lead; return the phone and the spare codes."""
    browser.get("/account/two-step")
    page = browser.post("/account/two-step/begin", current=PASSWORD).text
    phone = Phone(office, re.search(r"<code>([A-Z2-7 ]+)</code>", page)[1].replace(" ", ""))
    done = browser.post("/account/two-step/confirm", code=phone.code()).text
    return phone, re.findall(r"<code>([a-z2-9]{5}-[a-z2-9]{5})</code>", done)


def forms(office) -> list[str]:
    with office.database.reading() as books:
        return list(books.scalars(sa.select(delivery.c.form).order_by(delivery.c.queued_at)))


def test_the_password_alone_opens_nothing_any_more(office, ann, app):
    phone, _spare = set_up(office, ann)
    browser = Browser(app)

    answer = browser.sign_in(ANN)

    assert "/sign-in/code?next=/" == answer.headers["location"]
    assert "/sign-in?next=/" == browser.get("/").headers["location"]
    browser.get("/sign-in/code")
    assert "/" == browser.post("/sign-in/code", code=phone.code(), next="/").headers["location"]
    assert 200 == browser.get("/").status_code


def test_the_session_is_another_one_after_the_code(office, ann, app):
    phone, _spare = set_up(office, ann)
    browser = Browser(app)
    browser.sign_in(ANN)
    before = browser.cookies.get("__Host-portal")
    browser.get("/sign-in/code")
    browser.post("/sign-in/code", code=phone.code(), next="/")

    planted = Browser(app)
    planted.cookies.set("__Host-portal", before, domain="pay.larkspur.example")

    assert 303 == planted.get("/").status_code


def test_a_code_counts_once(office, ann, app):
    phone, _spare = set_up(office, ann)
    code = phone.code()
    for expected in (303, 422):
        browser = Browser(app)
        browser.sign_in(ANN)
        browser.get("/sign-in/code")
        assert expected == browser.post("/sign-in/code", code=code, next="/").status_code


def test_after_five_wrong_codes_the_right_one_is_refused_too(office, ann, app):
    phone, spare = set_up(office, ann)
    browser = Browser(app)
    browser.sign_in(ANN)
    browser.get("/sign-in/code")
    for _ in range(5):
        browser.post("/sign-in/code", code="000000", next="/")

    for code in (phone.code(), spare[0]):
        assert 422 == browser.post("/sign-in/code", code=code, next="/").status_code


@pytest.mark.parametrize("written", ["{}", " {} ", "no dash", "upper"])
def test_a_spare_code_lets_in_once_however_it_is_typed(office, ann, app, written):
    _phone, spare = set_up(office, ann)
    typed = {"no dash": spare[0].replace("-", ""), "upper": spare[0].upper()}.get(
        written, written.format(spare[0])
    )

    statuses = []
    for _ in range(2):
        browser = Browser(app)
        browser.sign_in(ANN)
        browser.get("/sign-in/code")
        statuses.append(browser.post("/sign-in/code", code=typed, next="/").status_code)

    assert [303, 422] == statuses and 8 == len(spare)


def test_the_books_hold_no_spare_code(office, ann):
    _phone, spare = set_up(office, ann)

    with office.database.reading() as books:
        kept = " ".join(books.scalars(sa.select(spare_code.c.code_hash)))

    assert not any(one in kept or one.replace("-", "") in kept for one in spare)


@pytest.mark.parametrize("path", ["begin", "stop"])
def test_a_session_that_was_left_open_changes_no_way_to_sign_in(office, ann, path):
    ann.get("/account/two-step")

    answers = [ann.post(f"/account/two-step/{path}", current="wrong") for _ in range(6)]

    assert [422] * 5 + [429] == [one.status_code for one in answers]
    assert 429 == ann.post(f"/account/two-step/{path}", current=PASSWORD).status_code


def test_switching_off_ends_the_other_sessions_and_needs_the_password(office, ann, app):
    _phone, spare = set_up(office, ann)
    elsewhere = Browser(app)
    elsewhere.sign_in(ANN)
    elsewhere.get("/sign-in/code")
    elsewhere.post("/sign-in/code", code=spare[0], next="/")
    ann.get("/account/two-step")

    ann.post("/account/two-step/stop", current=PASSWORD)

    assert "Set up two-step sign-in" in ann.get("/account/two-step").text
    assert 303 == elsewhere.get("/").status_code
    assert "/" == Browser(app).sign_in(ANN).headers["location"]


def test_its_owner_is_told_by_mail_and_it_stands_in_the_activity(office, ann):
    set_up(office, ann)

    with office.database.reading() as books:
        kinds = list(books.scalars(sa.select(activity.c.kind)))

    assert "two-step sign-in on" in kinds and "access-way-changed" in forms(office)


def test_a_new_browser_is_told_to_its_owner_and_a_known_one_is_not(office, ann, app):
    assert [] == forms(office)  # the very first browser

    Browser(app).sign_in(ANN)
    assert ["access-new-browser"] == forms(office)
    ann.sign_in(ANN)
    assert ["access-new-browser"] == forms(office)


def test_a_wrong_password_in_a_new_browser_tells_nobody(office, ann, app):
    Browser(app).sign_in(ANN, "not the password")

    assert [] == forms(office)


def test_a_changed_password_is_told_to_its_owner(office, ann):
    ann.get("/account")
    ann.post(
        "/account/password", current=PASSWORD, password="a whole new sentence",
        again="a whole new sentence",
    )  # fmt: skip

    assert ["access-new-sign-in"] == forms(office)


@pytest.mark.parametrize("path", ["/sign-in/code", "/account/two-step", "/account/passkeys"])
def test_nobody_comes_to_the_second_step_without_the_first(browser, path):
    answer = browser.get(path)

    assert (303, True) == (
        answer.status_code,
        answer.headers["location"].startswith("/sign-in"),
    )


def test_a_recovery_code_lets_in_whoever_lost_the_phone(office, ann, app):
    """Rule 155: customer service knows who it is; the phone may be what was lost."""
    set_up(office, ann)
    with office.database.writing() as books:
        user = find_by_mailbox(books, ANN).number
        make_recovery_code(books, office.link_tokens, user, "csr 1", office.due_now())
        code = find_recovery_code(books, office.link_tokens, user, office.due_now()).code
    new = "another long sentence"

    recover(office.database, Passwords(), office.link_tokens, ANN, code, new, office.due_now())

    assert "/" == Browser(app).sign_in(ANN, new).headers["location"]
