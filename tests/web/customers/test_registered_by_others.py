"""An address that somebody else registered: nothing that they chose opens or reaches anything."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database.definitions.identity import activity, one_time_link, web_user
from domain.identity import UserState
from tests.web.customers.conftest import ANN, PASSWORD, Browser, newest_link

THEIRS = "a phrase of somebody else"
OWN = "a phrase that Ann made up"


@pytest.fixture
def stranger(app):
    """The browser of somebody who registers Ann's mailbox, with a password and a phone."""
    browser = Browser(app)
    browser.send("/register", email=ANN, password=THEIRS, again=THEIRS, phone="3035550199")
    return browser


def state(office):
    with office.database.reading() as books:
        return books.scalar(sa.select(web_user.c.state))


def test_the_owner_is_told_what_is_verified_and_chooses_the_password(office, stranger, app):
    ann, token = Browser(app), newest_link(office)

    shown = ann.get(f"/verify/{token}").text
    empty = ann.post(f"/verify/{token}")
    before = state(office)
    done = ann.post(f"/verify/{token}", password=OWN, again=OWN)

    assert f"Somebody registered {ANN} here" in shown and "close this page" in shown
    assert (422, UserState.UNVERIFIED) == (empty.status_code, before)
    assert "/sign-in?done=verified" == done.headers["location"]
    assert 422 == stranger.sign_in(password=THEIRS).status_code
    assert "/" == ann.sign_in(password=OWN).headers["location"]
    with office.database.reading() as books:
        kinds = list(books.scalars(sa.select(activity.c.kind).order_by(activity.c.number)))
        assert "" == books.scalar(sa.select(web_user.c.phone))
    assert ["registered", "verified", "password set"] == kinds[:3]


def test_whoever_registers_a_mailbox_proves_it_by_its_mail_alone(office, stranger):
    assert 422 == stranger.sign_in(password=THEIRS).status_code
    assert UserState.UNVERIFIED == state(office)


def test_the_six_digits_lead_the_owner_to_the_same_page(office, stranger, app):
    ann = Browser(app)
    with office.database.reading() as books:
        code = office.link_tokens.code(books.scalar(sa.select(one_time_link.c.key)))

    answer = ann.send("/verify", email=ANN, code=code)
    shown = ann.get(answer.headers["location"]).text

    assert UserState.UNVERIFIED == state(office)
    assert 'name="password"' in shown
    assert f"/verify/{newest_link(office)}" == answer.headers["location"]


def test_a_password_that_is_none_is_said_beside_its_field(office, stranger, app):
    ann, token = Browser(app), newest_link(office)
    ann.get(f"/verify/{token}")

    short = ann.post(f"/verify/{token}", password="short", again="short")
    other = ann.post(f"/verify/{token}", password=OWN, again=THEIRS)

    assert (422, True) == (short.status_code, "12 characters" in short.text)
    assert (422, True) == (other.status_code, "not the same" in other.text)
    assert UserState.UNVERIFIED == state(office)


def test_who_registers_a_mailbox_once_more_takes_the_link_of_the_owner_away_and_gains_nothing(
    office, app
):
    ann = Browser(app)
    ann.send("/register", email=ANN, password=PASSWORD, again=PASSWORD)
    first = newest_link(office)
    stranger = Browser(app)
    stranger.send("/register", email=ANN, password=THEIRS, again=THEIRS)
    with office.database.reading() as books:
        good = one_time_link.c.revoked_at.is_(None)
        key = books.scalar(sa.select(one_time_link.c.key).where(good))
    second = office.link_tokens.token(key)

    over = ann.get(f"/verify/{first}")
    shown = ann.get(f"/verify/{second}").text  # Ann's browser: the link is the stranger's
    pressed = ann.post(f"/verify/{second}")

    assert 410 == over.status_code
    assert 'name="password"' in shown
    assert (422, UserState.UNVERIFIED) == (pressed.status_code, state(office))


def test_a_link_that_was_asked_for_anew_asks_for_a_password_too(office, stranger):
    stranger.send("/forgot", email=ANN)
    with office.database.reading() as books:
        good = one_time_link.c.revoked_at.is_(None)
        key = books.scalar(sa.select(one_time_link.c.key).where(good))

    pressed = stranger.post(f"/verify/{office.link_tokens.token(key)}")

    assert (422, UserState.UNVERIFIED) == (pressed.status_code, state(office))
    assert 'name="password"' in pressed.text
