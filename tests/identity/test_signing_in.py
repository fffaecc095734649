"""Registering and signing in: what each state allows, and what nobody learns."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.definitions.identity import activity, credential, one_time_link, web_session, web_user
from domain.identity import LINK_HOURS, LinkKind, UserState
from identity.one_time_links import find_link, make_link, use_link
from identity.passwords import Passwords
from identity.registering import Registration, choose_password, forgot, register, verify
from identity.sessions import IDLE, WHOLE, begin_session, find_session, mark_seen
from identity.signing_in import NETWORK_MOST, sign_in, unlock_by_link
from identity.tokens import LinkTokens
from identity.users import MOST_FAILURES, find_by_mailbox, make_user
from tests.builders import NOW

ANN, GOOD, WRONG = "Ann.O'Dell+town@Example.org", "correct horse battery", "wrong horse battery"
BROWSER = "the browser that registered"
TOKENS = LinkTokens(b"a secret of the home")
PASSWORDS = Passwords()


def registered(database, address=ANN, password=GOOD):
    wish = Registration(address, PASSWORDS.to_hash(password), browser=BROWSER)
    with database.writing() as books:
        return register(books, TOKENS, wish, NOW)


def active(database, address=ANN, password=GOOD) -> int:
    mail = registered(database, address, password)
    with database.writing() as books:
        user = verify(books, TOKENS.token(mail.link), NOW, BROWSER)
    assert user is not None
    return user


def answer(database, password=GOOD, name=ANN, now=NOW, **more):
    return sign_in(database, PASSWORDS, TOKENS, name, password, now, **more)


def test_rule_140_nobody_signs_in_before_the_address_is_verified(database):
    mail = registered(database)

    before = answer(database)
    with database.writing() as books:
        verify(books, TOKENS.token(mail.link), NOW, BROWSER)

    assert (None, "verify") == (before.user, mail.form)
    assert answer(database).user is not None


@pytest.mark.parametrize("name", [ANN, ANN.upper(), f"  {ANN.lower()} "])
def test_letters_case_and_blanks_do_not_count_in_an_address(database, name):
    user = active(database)

    assert user == answer(database, name=name).user


def test_a_known_address_gets_another_mail_and_no_second_user(database):
    user = active(database)

    mail = registered(database, ANN.lower(), "a password of somebody else")

    assert ("known", user) == (mail.form, mail.user)
    assert user == answer(database).user
    with database.reading() as books:
        assert 1 == books.scalar(sa.select(sa.func.count()).select_from(web_user))


def test_a_one_time_link_works_once_and_not_for_another_act(database):
    mail = registered(database)
    token = TOKENS.token(mail.link)

    with database.writing() as books:
        looked = find_link(books, token, frozenset({LinkKind.RESET_PASSWORD}), NOW)
        first, second = verify(books, token, NOW, BROWSER), verify(books, token, NOW, BROWSER)

    assert (None, mail.user, None) == (looked, first, second)


@pytest.mark.parametrize(("kind", "hours"), [(LinkKind.CREATE_CREDENTIALS, 72),
                                             (LinkKind.RESET_PASSWORD, 24)])  # fmt: skip
def test_rules_142_and_153_an_invitation_is_good_for_72_hours_and_a_reset_for_24(
    database, kind, hours
):
    with database.writing() as books:
        user = make_user(books, ANN, NOW, UserState.ACTIVE)
        token = TOKENS.token(make_link(books, TOKENS, kind, NOW, user=user))
        ends = NOW + timedelta(hours=hours)
        kinds = frozenset({kind})

        good = find_link(books, token, kinds, ends - timedelta(seconds=1))
        over = find_link(books, token, kinds, ends)

    assert LINK_HOURS[kind] == timedelta(hours=hours)
    assert good is not None and over is None


def test_a_newer_link_of_a_kind_ends_the_older_one(database):
    with database.writing() as books:
        user = make_user(books, ANN, NOW, UserState.ACTIVE)
        old = make_link(books, TOKENS, LinkKind.RESET_PASSWORD, NOW, user=user)
        new = make_link(books, TOKENS, LinkKind.RESET_PASSWORD, NOW, user=user)
        kinds = frozenset({LinkKind.RESET_PASSWORD})

        found = [find_link(books, TOKENS.token(key), kinds, NOW) for key in (old, new)]

    assert found[0] is None and found[1] is not None


def test_of_two_presses_at_once_one_does_nothing(database):
    with database.writing() as books:
        user = make_user(books, ANN, NOW, UserState.ACTIVE)
        token = TOKENS.token(make_link(books, TOKENS, LinkKind.VERIFY, NOW, user=user))
        link = find_link(books, token, frozenset({LinkKind.VERIFY}), NOW)
        assert link is not None

        used = [use_link(books, link, NOW), use_link(books, link, NOW)]

    assert [True, False] == used


def test_rule_148_each_state_gets_only_the_mail_that_it_lacks(database):
    registered(database, "new@x.example")
    active(database, "old@x.example")
    with database.writing() as books:
        make_user(books, "invited@x.example", NOW, UserState.INVITED)
        make_user(books, "locked@x.example", NOW, UserState.LOCKED)

        mails = {
            name: forgot(books, TOKENS, f"{name}@x.example", NOW)
            for name in ("new", "old", "invited", "locked", "nobody")
        }

    forms = {name: mail and mail.form for name, mail in mails.items()}
    assert {"new": "verify", "old": "reset", "invited": "invitation", "locked": None,
            "nobody": None} == forms  # fmt: skip


def test_a_new_password_ends_every_session_and_the_old_password(database):
    user = active(database)
    with database.writing() as books:
        session = begin_session(books, NOW, user=user)
        mail = forgot(books, TOKENS, ANN, NOW)
    assert mail is not None

    chosen = choose_password(
        database, PASSWORDS, TOKENS.token(mail.link), "quite another phrase", NOW
    )

    with database.reading() as books:
        still = find_session(books, session, NOW)
    assert (user, None) == (chosen, still)
    assert answer(database).user is None
    assert user == answer(database, "quite another phrase").user


def test_rule_156_ten_failures_lock_the_password_and_not_the_sessions(database):
    user = active(database)
    with database.writing() as books:
        session = begin_session(books, NOW, user=user)

    answers = [answer(database, WRONG) for _ in range(MOST_FAILURES)]
    locked = answer(database)
    mail = answers[-1].mail

    with database.reading() as books:
        there = find_session(books, session, NOW)
    assert [None] * MOST_FAILURES == [each.user for each in answers]
    assert (None, True) == (locked.user, there is not None)
    assert mail is not None and "locked" == mail.form
    with database.writing() as books:
        unlock_by_link(books, TOKENS.token(mail.link), NOW)
    assert user == answer(database).user


def test_nine_failures_and_a_success_begin_to_count_anew(database):
    user = active(database)

    for hour in (1, 3):
        for _ in range(MOST_FAILURES - 1):
            answer(database, WRONG, now=NOW + timedelta(hours=hour))
        assert user == answer(database, now=NOW + timedelta(hours=hour + 1)).user


def test_one_network_that_tries_many_is_stopped_whoever_it_tries(database):
    user = active(database)
    for number in range(NETWORK_MOST):
        answer(database, WRONG, name=f"guess{number}@x.example", network="net/1")

    stopped, elsewhere = answer(database, network="net/1"), answer(database, network="net/2")

    assert (None, user) == (stopped.user, elsewhere.user)


@pytest.mark.parametrize("state", [UserState.LOCKED, UserState.DELETED, UserState.INVITED])
def test_who_is_not_active_does_not_come_in(database, state):
    user = active(database)
    with database.writing() as books:
        books.execute(web_user.update().where(web_user.c.number == user).values(state=state))

    assert answer(database).user is None


def test_a_session_ends_when_it_rests_and_when_its_time_is_over(database):
    user = active(database)
    with database.writing() as books:
        token = begin_session(books, NOW, user=user)
        at = {
            moment: find_session(books, token, NOW + moment) is not None
            for moment in (IDLE - timedelta(seconds=1), IDLE)
        }
        for minutes in range(25, 12 * 60, 25):
            now = NOW + timedelta(minutes=minutes)
            found = find_session(books, token, now)
            assert found is not None
            mark_seen(books, found, now)

        whole = find_session(books, token, NOW + WHOLE)

    assert [True, False] == list(at.values())
    assert whole is None


def test_the_books_hold_no_token_and_no_password(database):
    user = active(database)
    with database.writing() as books:
        token = begin_session(books, NOW, user=user)
        key = make_link(books, TOKENS, LinkKind.RESET_PASSWORD, NOW, user=user)
        held = " ".join(
            str(tuple(row))
            for table in (web_user, credential, web_session, one_time_link, activity)
            for row in books.execute(sa.select(table))
        )

    assert token not in held and TOKENS.token(key) not in held and GOOD not in held
    assert "$argon2id$" in held


def test_rule_166_activity_is_never_changed_or_taken_away(database):
    """Ruling 10: nothing of it is purged."""
    active(database)

    for change in (activity.update().values(kind="x"), activity.delete()):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), database.writing() as books:
            books.execute(change)
    with database.reading() as books:
        kinds = list(books.scalars(sa.select(activity.c.kind).order_by(activity.c.number)))
        found = find_by_mailbox(books, ANN)
    assert ["registered", "verified"] == kinds
    assert found is not None and ANN == found.address
