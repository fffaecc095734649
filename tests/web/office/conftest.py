"""Staff at the office's pages: browsers without a screen, asked in this process."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from database.definitions.identity import staff
from domain.identity import Role
from identity.passwords import Passwords
from identity.staff import add_staff, choose_staff_password
from office.settings.close import WebSettings
from tests.builders import NOW, a_household, close_run, stage_run
from tests.office.health_builders import an_office_at
from tests.web.customers.conftest import PASSWORD, URL, Browser
from web.desk import desk_of

TRIAL = WebSettings(url=URL, staff_totp=False)


@pytest.fixture
def office(tmp_path, books):
    """The office some hours after the close of October."""
    from office.secrets.files import make_secret

    make_secret(tmp_path)
    stage_run(
        books,
        a_household("01.1001.1", name="ABBOTT, ANN", last_name="ABBOTT"),
        a_household("01.1002.2", name="=HYPERLINK(1)", last_name="BOLE"),
    )
    close_run(books)
    return an_office_at(tmp_path, books, "2026-11-03T09:00", web=TRIAL)


@pytest.fixture
def desk(office):
    return desk_of(office)


@pytest.fixture
def member(office) -> Callable[..., str]:
    """Add a member of staff with a password: `member(Role.CLERK)` returns the mailbox."""

    def add(role: Role, address: str = "") -> str:
        mailbox = address or f"{role}@larkspur.example"
        with office.database.writing() as books:
            mail = add_staff(books, office.link_tokens, mailbox, role, NOW, "anna")
        token = office.link_tokens.token(mail.link)
        assert choose_staff_password(office.database, Passwords(), token, PASSWORD, NOW)
        return mailbox

    return add


@pytest.fixture
def signed_in(desk, member) -> Callable[[Role], Browser]:
    """Sign a new member of staff in: `signed_in(Role.CLERK)`."""

    def sign(role: Role) -> Browser:
        browser = Browser(desk)
        answer = browser.send("/office/sign-in", email=member(role), password=PASSWORD)
        assert 303 == answer.status_code, answer.text
        return browser

    return sign


@pytest.fixture
def signed_in_at() -> Callable[[object, Role, str], Browser]:
    """Sign a member of staff in at another office than the usual one."""

    def sign(office, role: Role, name: str) -> Browser:
        mailbox = f"{name}@larkspur.example"
        with office.database.writing() as books:
            mail = add_staff(books, office.link_tokens, mailbox, role, NOW, "anna")
        token = office.link_tokens.token(mail.link)
        assert choose_staff_password(office.database, Passwords(), token, PASSWORD, NOW)
        browser = Browser(desk_of(office))
        answer = browser.send("/office/sign-in", email=mailbox, password=PASSWORD)
        assert 303 == answer.status_code, answer.text
        return browser

    return sign


def number_of(office, mailbox: str) -> int:
    with office.database.reading() as books:
        return books.scalar(sa.select(staff.c.number).where(staff.c.mailbox == mailbox))
