"""From the third wrong password on the next one waits; nobody is kept out by strangers."""

from __future__ import annotations

import multiprocessing
from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.definitions.identity import web_attempt
from identity.attempts.slowing import (
    ANYWHERE_MOST,
    FREE,
    HERE_MOST,
    NETWORK_FREE,
    NETWORK_MOST,
    Tried,
    begin_try,
    seconds_after,
)
from identity.factors.known_browsers import remember_browser
from identity.passwords import Passwords
from identity.registering import Registration, register, verify
from identity.signing_in import sign_in
from identity.tokens import LinkTokens
from tests.builders import NOW

ANN, GOOD, WRONG, HERE, THERE = "ann@x.example", "correct horse battery", "wrong", "net/a", "net/b"
TOKENS, PASSWORDS = LinkTokens(b"a secret of the home"), Passwords()


def later(seconds: float):
    return NOW + timedelta(seconds=seconds)


@pytest.fixture
def ann(database) -> int:
    wish = Registration(ANN, PASSWORDS.to_hash(GOOD), browser="hers")
    with database.writing() as books:
        mail = register(books, TOKENS, wish, NOW - timedelta(days=1))
        user = verify(books, TOKENS.token(mail.link), NOW - timedelta(days=1), "hers")
    assert user is not None
    return user


def tries(database, password, at, network=HERE, name=ANN, browser=""):
    return sign_in(
        database, PASSWORDS, TOKENS, name, password, at, network=network, browser=browser
    )


@pytest.mark.parametrize(
    ("wrong", "seconds"),
    [(0, 0), (1, 0), (2, 0), (3, 5), (4, 10), (5, 20), (9, 300), (10_000, 300)],
)
def test_each_wrong_password_after_the_second_doubles_the_wait(wrong, seconds):
    assert seconds == seconds_after(wrong, FREE, HERE_MOST)


def test_the_right_password_waits_after_the_third_wrong_one_and_then_lets_in(database, ann):
    for second in range(3):
        assert 0 == tries(database, WRONG, later(second)).wait

    early = tries(database, GOOD, later(3))
    again = tries(database, GOOD, later(6))  # whoever is impatient waits no longer for it
    on_time = tries(database, GOOD, later(7))
    anew = tries(database, WRONG, later(8))

    assert (None, 4) == (early.user, early.wait)
    assert (None, 1) == (again.user, again.wait)
    assert (ann, 0) == (on_time.user, on_time.wait)
    assert 0 == anew.wait


def test_an_unknown_name_waits_as_long_as_a_known_one(database, ann):
    waits = {
        name: [
            tries(database, WRONG, later(second), f"net/{name}", name).wait for second in range(5)
        ]
        for name in (ANN, "nobody@x.example")
    }

    assert waits["nobody@x.example"] == waits[ANN]
    assert [0, 0, 0, 4, 9] == waits[ANN]


def test_strangers_keep_nobody_waiting_for_long_and_not_at_all_in_a_known_browser(database, ann):
    with database.writing() as books:
        browser = remember_browser(books, ann, NOW)
        tried = [Tried(ann, ANN, f"net/{number}") for number in range(40)]
        for one in tried:
            begin_try(books, one, NOW, is_known_browser=True)

    elsewhere = tries(database, GOOD, later(1), HERE)
    at_home = tries(database, GOOD, later(1), HERE, browser=browser)

    assert ANYWHERE_MOST - 1 == elsewhere.wait
    assert ann == at_home.user


def test_a_network_that_tries_many_names_waits_whoever_it_tries_next(database):
    with database.writing() as books:
        for number in range(NETWORK_FREE + 1):
            begin_try(books, Tried(None, f"{number}@x", HERE), NOW, is_known_browser=False)

        here = begin_try(books, Tried(None, "new@x", HERE), NOW, is_known_browser=False)
        there = begin_try(books, Tried(None, "new@x", THERE), NOW, is_known_browser=False)

    assert (5, 0) == (here, there)
    assert 60 == seconds_after(10_000, NETWORK_FREE, NETWORK_MOST)


def test_a_network_waits_for_nobody_who_gets_in_and_for_its_wrong_tries_as_before(database, ann):
    """As the customers of one phone company are, or the callers of a library."""
    for second in range(NETWORK_FREE - 1):
        with database.writing() as books:
            begin_try(books, Tried(None, f"{second}@x", HERE), later(0), is_known_browser=False)

    answers = [tries(database, GOOD, later(1 + second)) for second in range(4)]
    wrong = [tries(database, WRONG, later(5), name=f"new{number}@x").wait for number in range(3)]

    assert [(ann, 0)] * 4 == [(answer.user, answer.wait) for answer in answers]
    assert [0, 0, 5] == wrong


def test_of_many_tries_at_once_in_two_processes_three_are_looked_at(database, ann):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        waits = pool.starmap(_try, [(database.url, ann)] * 12, chunksize=1)

    assert 3 == waits.count(0)
    with database.reading() as books:
        here = web_attempt.c.subject == Tried(ann, ANN, HERE).here
        assert 3 == books.scalar(sa.select(sa.func.count()).select_from(web_attempt).where(here))


def _try(url, user):
    from database.books import Database

    books = Database(url)
    try:
        with books.writing() as transaction:
            return begin_try(transaction, Tried(user, ANN, HERE), NOW, is_known_browser=False)
    finally:
        books.close()
