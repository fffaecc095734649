"""The visitor's own account: what is only read, and what may be changed."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from database.definitions.identity import web_user
from identity.passwords import Passwords
from identity.sessions import begin_session, find_session
from identity.users import set_password
from tests.web.customers.choices.conftest import words

OLD, NEW = "correct horse battery", "another long sentence"


@pytest.fixture
def with_password(tenant, town, office):
    with town.writing() as books:
        set_password(books, tenant.number, Passwords().to_hash(OLD), office.due_now())
        tenant._token = begin_session(books, office.due_now(), user=tenant.number)
    return tenant


def is_in(town, office, token: str) -> bool:
    with town.reading() as books:
        return find_session(books, token, office.due_now()) is not None


def change(person, current: str = OLD, password: str = NEW, again: str = NEW, **more):
    return person.post("/account/password", current=current, password=password, again=again, **more)


def test_contact_is_read_and_the_office_changes_it(tenant):
    """Rules 43, 208."""
    page = tenant.get("/account")

    assert "Beltran, Sven" in words(page)
    assert "changed by the billing office" in words(page)
    assert set() == set(re.findall(r'name="(name|mailing_address|service_address)"', page.text))


def test_a_landlord_does_not_read_the_tenants_contact(landlord):
    assert "Beltran" not in landlord.get("/account").text


def test_a_password_is_changed_and_every_other_session_ends(
    with_password, town, office
):  # rule 164
    old = with_password._token

    answer = change(with_password)

    new = re.search(r"portal=([^;]+);", answer.headers["set-cookie"])
    assert new and (False, True) == (is_in(town, office, old), is_in(town, office, new[1]))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"current": "wrong"}, "That is not your current password."),
        ({"again": "different"}, "The two passwords are not the same."),
        ({"password": "short", "again": "short"}, "12"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_changed(
    with_password, town, office, fields, sentence
):
    answer = change(with_password, **fields)

    assert (422, True) == (answer.status_code, sentence in words(answer))
    assert is_in(town, office, with_password._token)


def test_current_passwords_are_not_guessed(with_password):
    answers = [change(with_password, current="wrong").status_code for _ in range(5)]

    assert ([422] * 5, 429) == (answers, change(with_password).status_code)


def test_every_other_session_is_ended_at_once(tenant, town, office):
    with town.writing() as books:
        other = begin_session(books, office.due_now(), user=tenant.number)

    answer = tenant.post("/account/sessions")

    new = re.search(r"portal=([^;]+);", answer.headers["set-cookie"])
    assert new and (False, True) == (is_in(town, office, other), is_in(town, office, new[1]))


@pytest.mark.parametrize(
    ("said", "status", "kept"),
    [("(505) 555-0100", 303, "5055550100"), ("", 303, ""), ("12", 422, "")],
)
def test_the_phone_for_texts_is_kept_as_digits(tenant, town, said, status, kept):  # rule 103
    """Rule 121."""
    answer = tenant.post("/account/phone", phone=said)

    with town.reading() as books:
        found = books.scalar(sa.select(web_user.c.phone).where(web_user.c.number == tenant.number))
    assert (status, kept) == (answer.status_code, found)


@pytest.mark.parametrize("path", ["password", "phone", "sessions"])
def test_a_form_without_the_sessions_token_changes_nothing(tenant, town, office, path):
    answer = tenant.post(f"/account/{path}", csrf="wrong", phone="5055550100")

    assert (403, True) == (answer.status_code, is_in(town, office, tenant._token))
