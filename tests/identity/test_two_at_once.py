"""Two acts on one portal user at once: the second sees what the first has done."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.definitions.identity import one_time_link, web_user
from domain.customer_service import StaffAct
from domain.identity import LinkKind, UserState
from identity.attempts.counting import count_bad, record_attempt
from identity.customer_service.locking import delete_user, lock_user
from identity.customer_service.recovery import find_recovery_code, make_recovery_code, recover
from identity.new_address import ask_for_address, prove_by_code, prove_by_link
from identity.one_time_links import make_link
from identity.passwords import Passwords
from identity.registering import Registration, choose_password, register, verify
from identity.signing_in import sign_in
from identity.tokens import LinkTokens
from identity.users import find_user, make_user
from tests.builders import NOW
from tests.database.two_sessions import Session, together

TOKENS, PASSWORDS = LinkTokens(b"s" * 32), Passwords()
ANN, BOB, NEW = "ann@example.com", "bob@example.com", "new@example.com"
MINE, ANOTHERS, BROWSER = "correct horse battery", "wrong horse battery", "where it was registered"
BY_STAFF = StaffAct("carla", "identity in doubt")


@pytest.fixture
def town(database):
    if database.is_sqlite:
        pytest.skip("one session writes at a time on SQLite")
    return database


def registering(password=MINE, address=NEW):
    """Register a mailbox; the act returns the token of the link to it."""
    wish = Registration(address, PASSWORDS.to_hash(password), browser=BROWSER)
    return lambda books: TOKENS.token(register(books, TOKENS, wish, NOW).link)


def proving(token):
    return lambda books: verify(books, token, NOW, BROWSER)


def asked(town, user, address=NEW):
    """Ask for another address; return the token and the code that go to it."""
    with town.writing() as books:
        ask_for_address(books, TOKENS, user, address, NOW)
        row = one_time_link.c
        mine = (row.kind == LinkKind.NEW_ADDRESS, row.user_number == user)
        key = books.scalar(sa.select(row.key).where(*mine, row.revoked_at.is_(None)))
    return TOKENS.token(key), TOKENS.code(key)


def changing(token):
    return lambda books: prove_by_link(books, token, NOW)


def users(town):
    """Return how each portal user stands, by mailbox."""
    with town.reading() as books:
        rows = books.execute(sa.select(web_user.c.mailbox, web_user.c.state)).tuples()
        return dict(list(rows))


def active(town, address=ANN):
    with town.writing() as books:
        return make_user(books, address, NOW, UserState.ACTIVE)


def test_of_two_who_prove_one_address_the_first_keeps_it_and_goes_on(town):
    of_ann, of_bob = (asked(town, active(town, one))[0] for one in (ANN, BOB))

    second = together(town, changing(of_ann), Session(town, changing(of_bob)).run)

    assert second is None
    assert {NEW: UserState.ACTIVE, BOB: UserState.ACTIVE} == users(town)


def test_whoever_proves_a_registration_keeps_it_when_another_wants_its_address(town):
    wanted, _ = asked(town, active(town))
    registered = Session(town, registering()).run()

    second = together(town, proving(registered), Session(town, changing(wanted)).run)

    assert second is None
    assert {ANN: UserState.ACTIVE, NEW: UserState.ACTIVE} == users(town)


def test_a_registration_that_was_given_up_is_proved_no_more(town):
    wanted, _ = asked(town, active(town))
    registered = Session(town, registering()).run()

    second = together(town, changing(wanted), Session(town, proving(registered)).run)

    assert second is None
    assert UserState.ACTIVE is users(town)[NEW]
    assert UserState.DELETED in users(town).values()


def test_two_who_register_one_mailbox_make_one_user(town):
    together(town, registering(), Session(town, registering(ANOTHERS)).run)

    assert {NEW: UserState.UNVERIFIED} == users(town)


def test_a_password_given_while_the_address_is_proved_is_none(town):
    """Anybody can register a mailbox again; from the proof on it is the owner's."""
    registered = Session(town, registering()).run()

    together(town, proving(registered), Session(town, registering(ANOTHERS)).run)

    answers = [sign_in(town, PASSWORDS, TOKENS, NEW, one, NOW) for one in (ANOTHERS, MINE)]
    assert [False, True] == [one.user is not None for one in answers]


@pytest.mark.parametrize("ends", [lock_user, delete_user])
@pytest.mark.parametrize("lets_in", ["verify", "reset", "code"])
def test_what_staff_have_locked_or_deleted_no_link_lets_in_again(town, ends, lets_in):
    if lets_in == "verify":
        act = Session(town, proving(Session(town, registering()).run())).run
    elif lets_in == "reset":
        user = active(town)
        with town.writing() as books:
            key = make_link(books, TOKENS, LinkKind.RESET_PASSWORD, NOW, user=user)

        def act():
            return choose_password(town, PASSWORDS, TOKENS.token(key), MINE, NOW)
    else:
        user = active(town)
        with town.writing() as books:
            make_recovery_code(books, TOKENS, user, "carla", NOW)
            code = find_recovery_code(books, TOKENS, user, NOW).code

        def act():
            return recover(town, PASSWORDS, TOKENS, ANN, code, MINE, NOW)

    with town.reading() as books:
        number = books.scalar(sa.select(web_user.c.number))
    second = together(town, lambda books: ends(books, number, BY_STAFF, NOW), act)

    assert second is None
    with town.reading() as books:
        state = find_user(books, number).state
    assert {lock_user: UserState.LOCKED, delete_user: UserState.DELETED}[ends] is state


def test_a_try_at_once_is_counted_behind_the_first(town):
    def tried(books):
        bad = count_bad(books, "link", ["account/1", "user/1"], NOW, timedelta(days=1))
        record_attempt(books, "link", ["account/1", "user/1"], NOW, good=False)
        return bad

    assert 1 == together(town, tried, Session(town, tried).run)


def test_of_many_codes_tried_at_once_no_more_are_looked_at_than_one_by_one(town):
    user = active(town)
    _, code = asked(town, user)
    start, found = threading.Barrier(9), []

    def guess(typed):
        start.wait()
        with town.writing() as books:
            found.append(prove_by_code(books, TOKENS, user, typed, NOW))

    wrong = [f"{(int(code) + number) % 10**6:06}" for number in range(1, 9)]
    threads = [threading.Thread(target=guess, args=(one,)) for one in wrong]
    for thread in threads:
        thread.start()
    start.wait()
    for thread in threads:
        thread.join()

    with town.reading() as books:
        row = one_time_link.c
        tried = books.scalar(sa.select(row.attempts).where(row.kind == LinkKind.NEW_ADDRESS))
    assert [None] * 8 == found
    assert tried == 5
    with town.writing() as books:
        assert prove_by_code(books, TOKENS, user, code, NOW) is None
