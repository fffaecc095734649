"""An address to sign in with, changed: two at once, and who is told in which language."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from database.definitions.identity import one_time_link, web_user
from domain.failures import Refused
from domain.identity import UserState
from identity.new_address import ask_for_address, prove_by_code, prove_by_link, require_settled
from identity.tokens import LinkTokens
from identity.users import keep_language, make_user
from mail.rendering.languages import languages_of
from tests.builders import NOW

TOKENS = LinkTokens(b"s" * 32)
ANN, BOB, NEW = "ann@example.com", "bob@example.com", "new@example.com"


@pytest.fixture
def ann(database) -> int:
    with database.writing() as books:
        return make_user(books, ANN, NOW, UserState.ACTIVE)


def ask(database, user: int, address: str = NEW) -> str:
    """Ask for an address; return the token of the link to it."""
    with database.writing() as books:
        ask_for_address(books, TOKENS, user, address, NOW)
        row = one_time_link.c
        query = sa.select(row.key).where(row.kind == "new-address", row.user_number == user)
        return TOKENS.token(books.scalar(query.where(row.revoked_at.is_(None))))


def at_once(database, *tokens: str) -> list[bool]:
    """Press several links at the same moment; tell which changed something."""
    start, done = threading.Barrier(len(tokens)), []

    def press(token: str) -> None:
        start.wait()
        try:
            with database.writing() as books:
                done.append(prove_by_link(books, token, NOW) is not None)
        except IntegrityError:
            done.append(False)

    threads = [threading.Thread(target=press, args=(token,)) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(done)


def test_of_two_who_prove_one_address_at_once_one_has_it(database, ann):
    with database.writing() as books:
        bob = make_user(books, BOB, NOW, UserState.ACTIVE)
    tokens = ask(database, ann), ask(database, bob)

    assert [False, True] == at_once(database, *tokens)
    with database.reading() as books:
        mailboxes = list(books.scalars(sa.select(web_user.c.mailbox)))
    assert 1 == mailboxes.count(NEW) and 2 == len(set(mailboxes))


def test_a_link_that_is_pressed_many_times_at_once_changes_it_once(database, ann):
    token = ask(database, ann)

    assert [False] * 3 + [True] == at_once(database, *[token] * 4)
    with database.reading() as books:
        assert 2 == books.scalar(sa.select(web_user.c.version))  # sessions ended once


def test_after_it_was_changed_nothing_is_settled_for_a_day(database, ann):
    token = ask(database, ann)
    with database.writing() as books:
        require_settled(books, ann, NOW)
        prove_by_link(books, token, NOW)

    with pytest.raises(Refused, match="24 hours"), database.reading() as books:
        require_settled(books, ann, NOW)


@pytest.mark.parametrize("state", [UserState.LOCKED, UserState.INVITED, UserState.DELETED])
def test_whoever_cannot_sign_in_changes_nothing(database, ann, state):
    token = ask(database, ann)
    with database.writing() as books:
        books.execute(web_user.update().values(state=state))
        by_link = prove_by_link(books, token, NOW)
        by_code = prove_by_code(books, TOKENS, ann, "000000", NOW)

    assert (None, None) == (by_link, by_code)


class Waiting:
    def __init__(self, mailbox: str) -> None:
        self.mailbox = mailbox


def test_both_addresses_are_written_to_in_the_language_of_whoever_asks(database, ann):
    mailboxes = [Waiting(ANN), Waiting(NEW), Waiting(BOB)]
    with database.writing() as books:
        keep_language(books, ann, "es")
        make_user(books, BOB, NOW, UserState.ACTIVE)
    token = ask(database, ann)
    ask(database, ann, BOB)
    asked = languages_of(database, mailboxes)
    token = ask(database, ann)
    with database.writing() as books:
        prove_by_link(books, token, NOW)

    assert {ANN: "es", NEW: "es"} == asked  # Bob reads English, whoever wants his address
    assert {ANN: "es", NEW: "es"} == languages_of(database, mailboxes)
