"""Linking an account: what proves that it is theirs, and who is told (rules 123-128)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from database.queries.portal.accounts import accounts_of_user
from domain.identity import LinkProof, UserState
from identity.account_links import (
    MOST_TRIES,
    LinkWish,
    add_link,
    link_account,
    unlink_account,
    unlink_by_mail,
)
from identity.tokens import LinkTokens
from identity.users import find_user, make_user
from tests.builders import NOW, a_household, close_run, stage_run

TOKENS = LinkTokens(b"a secret of the home")


@pytest.fixture
def town(database):
    stage_run(database, a_household("01.1037.1", balance="45.50"), a_household("02.2000.2"))
    close_run(database)
    return database


def a_user(database, address="ann@x.example"):
    with database.writing() as books:
        return find_user(books, make_user(books, address, NOW, UserState.ACTIVE))


def link(database, user, number, proof, now=NOW, network=""):
    with database.writing() as books:
        return link_account(books, TOKENS, user, LinkWish(number, proof, network), now)


@pytest.mark.parametrize("number", ["01.1037.1", "01-1037-1", "0110371", " 01 1037 1 "])
@pytest.mark.parametrize("proof", ["Beltran", "BELTRAN", "45.50", "$45.50"])
def test_rules_123_and_124_a_number_with_a_name_or_an_amount_links(town, number, proof):
    user = a_user(town)

    answer = link(town, user, number, proof)

    with town.reading() as books:
        mine = accounts_of_user(books, user.number, user.mailbox)
    assert "01.1037.1" == answer.account
    assert ["0110371"] == [one.account_key for one in mine]


@pytest.mark.parametrize(
    ("number", "proof"),
    [("01.1037.1", "Smith"), ("01.1037.1", "45.51"), ("99.9999.9", "Beltran"),
     ("01.1037.1", "0"), ("01.1037.1", "-45.50"), ("", "Beltran"), ("01.1037.1", "")],
)  # fmt: skip
def test_what_is_wrong_gets_one_answer(town, number, proof):
    answer = link(town, a_user(town), number, proof)

    assert ("", (), False) == (answer.account, answer.mails, answer.too_many)


def test_an_amount_of_nothing_proves_nothing(database):
    stage_run(database, a_household("1", balance="0.00"))
    close_run(database)

    assert "" == link(database, a_user(database), "1", "0.00").account


def test_after_five_bad_tries_the_right_name_is_refused_too_until_the_next_day(town):
    user = a_user(town)
    for _ in range(MOST_TRIES):
        link(town, user, "01.1037.1", "Smith")

    refused = link(town, user, "01.1037.1", "Beltran")
    another_account = link(town, user, "02.2000.2", "Beltran")
    next_day = link(town, user, "01.1037.1", "Beltran", NOW + timedelta(hours=24))

    assert ("", True) == (refused.account, refused.too_many)
    assert ("", True) == (another_account.account, another_account.too_many)
    assert "01.1037.1" == next_day.account


def test_bad_tries_count_against_the_account_whoever_makes_them(town):
    for number in range(MOST_TRIES):
        link(town, a_user(town, f"guess{number}@x.example"), "01.1037.1", "Smith")

    assert link(town, a_user(town), "01.1037.1", "Beltran").too_many


def test_whoever_gets_mail_about_the_account_is_told_and_can_take_the_link_away(town):
    user = a_user(town)

    answer = link(town, user, "01.1037.1", "Beltran")
    (mail,) = answer.mails
    with town.writing() as books:
        gone = unlink_by_mail(books, TOKENS.token(mail.link), NOW)
        again = unlink_by_mail(books, TOKENS.token(mail.link), NOW)
        left = accounts_of_user(books, user.number, user.mailbox)

    assert ("sven@example.com", "linked", "01.1037.1") == (mail.address, mail.form, mail.account)
    assert (True, False, []) == (gone, again, left)


def test_nobody_is_told_of_their_own_link(town):
    assert () == link(town, a_user(town, "SVEN@example.com"), "01.1037.1", "Beltran").mails


def test_rule_128_an_account_is_taken_off_and_linked_again(town):
    user = a_user(town)
    link(town, user, "01.1037.1", "Beltran")

    with town.writing() as books:
        unlink_account(books, user.number, "0110371", NOW, "the customer")
        off = accounts_of_user(books, user.number, user.mailbox)
        add_link(books, user.number, "0110371", LinkProof.STAFF, NOW, "clerk 1")
        on = accounts_of_user(books, user.number, user.mailbox)

    assert ([], 1) == (off, len(on))
