"""Members of staff: who gets a link, and whom a password lets in."""

from __future__ import annotations

import pytest

from domain.failures import Misuse
from domain.identity import Role, UserState
from identity.passwords import Passwords
from identity.staff import (
    add_staff,
    change_role,
    choose_staff_password,
    find_staff,
    link_again,
    lock_staff,
)
from identity.staff_sign_in import sign_in_staff
from identity.tokens import LinkTokens
from tests.builders import NOW

TOKENS, PASSWORDS = LinkTokens(b"secret of the home"), Passwords()
EVE, GOOD, BY = "eve@office.example", "correct horse battery", "the administrator"


@pytest.fixture
def link(database) -> str:
    """Eve, who was added a moment ago: the token of her link."""
    with database.writing() as books:
        return TOKENS.token(add_staff(books, TOKENS, EVE, Role.CSR, NOW, BY).link)


def choose(database, token: str) -> int | None:
    return choose_staff_password(database, PASSWORDS, token, GOOD, NOW)


def lock(database) -> None:
    with database.writing() as books:
        lock_staff(books, EVE, NOW, BY)


def sign_in(database, password=GOOD, address=EVE) -> int | None:
    return sign_in_staff(database, PASSWORDS, address, password, NOW)


def test_a_link_sets_a_password_once(database, link):
    number = choose(database, link)

    assert number is not None
    assert [None, number] == [choose(database, link), sign_in(database)]


def test_from_no_network_that_is_known_a_wrong_password_is_refused_all_the_same(database, link):
    choose(database, link)

    assert [None, None] == [
        sign_in(database, "wrong horse battery"),
        sign_in(database, address="nobody@office.example"),
    ]


def test_who_was_locked_sets_no_password_by_an_earlier_link_and_gets_no_other(database, link):
    lock(database)

    assert [None, None] == [choose(database, link), sign_in(database)]
    with pytest.raises(Misuse, match="is locked"), database.writing() as books:
        link_again(books, TOKENS, EVE, NOW, BY)


@pytest.mark.parametrize(
    ("has_password", "state"), [(True, UserState.ACTIVE), (False, UserState.INVITED)]
)
def test_another_role_lets_a_locked_one_in_again(database, link, has_password, state):
    if has_password:
        choose(database, link)
    lock(database)

    with database.writing() as books:
        change_role(books, EVE, Role.CSR, NOW, BY)

    with database.reading() as books:
        assert state is find_staff(books, EVE).state


def test_a_mailbox_that_is_nobodys_is_misuse(database):
    with database.writing() as books:
        for act in (
            lambda: find_staff(books, EVE),
            lambda: lock_staff(books, EVE, NOW, BY),
            lambda: link_again(books, TOKENS, EVE, NOW, BY),
        ):
            with pytest.raises(Misuse, match="No member of staff has that mailbox"):
                act()
