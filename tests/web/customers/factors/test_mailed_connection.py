"""An account at Google connected by a mailed link: by mailbox and browser, never by address."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from database.definitions.identity import credential, one_time_link, web_user
from database.definitions.oidc import oidc_request, outside_identity
from database.tables import delivery
from domain.identity import LinkKind, UserState
from identity.one_time_links import make_link
from tests.builders import NOW
from tests.web.customers.choices.conftest import words
from tests.web.customers.conftest import ANN, BOB, Browser, newest_link, register
from tests.web.customers.factors.test_outside import (
    browser,
    connected,
    go,
    is_in,
    place,
    provider,
    rows,
    running,
)

__all__ = ["browser", "place", "provider", "running"]
ASK = "/oidc/connect/by-mail"


def mailed(place) -> list[tuple[str, str]]:
    """The mails about access that wait, with their addresses."""
    with place.database.reading() as books:
        query = sa.select(delivery.c.form, delivery.c.address).order_by(delivery.c.key)
        return [tuple(row) for row in books.execute(query)]


def link_of(place) -> str:
    return f"/oidc/mailed/{newest_link(place)}"


def test_whoever_reads_the_mailbox_connects_by_the_link_and_is_let_in(browser, place, provider):
    user = register(place, ANN)
    page = go(browser, provider)
    assert f'action="{ASK}"' in page.text

    sent = browser.send(ASK, email=" Ann@Portal.example ")
    looked = browser.get(link_of(place))
    assert [] == rows(place, outside_identity)
    done = browser.send(link_of(place))

    assert f"{ASK}?done=sent" == sent.headers["location"]
    assert ("ann@portal.example" in words(looked), "/news") == (True, done.headers["location"])
    assert [(user, "subject-of-ann")] == [
        (row.user_number, row.subject) for row in rows(place, outside_identity)
    ]
    assert is_in(browser)
    assert {("access-connect", ANN), ("access-way-changed", ANN)} == set(mailed(place))


def test_from_then_on_the_account_lets_in_without_a_mail(browser, place, provider):
    register(place, ANN)
    go(browser, provider)
    browser.send(ASK, email=ANN)
    browser.send(link_of(place))
    browser.cookies.clear()

    answer = go(browser, provider)

    assert ("/news", True) == (answer.headers["location"], is_in(browser))


def test_the_link_does_nothing_in_another_browser(browser, place, provider):
    """Whoever is sent a link that somebody else asked for cannot connect that one's account."""
    register(place, ANN)
    go(browser, provider)
    browser.send(ASK, email=ANN)
    anns = Browser(browser.app)
    anns.sign_in(ANN)

    answers = [anns.get(link_of(place)), anns.send(link_of(place))]

    assert [409, 409] == [one.status_code for one in answers]
    assert "works only in the browser" in words(answers[0])
    assert [] == rows(place, outside_identity)
    assert 303 == browser.send(link_of(place)).status_code  # and it was not used up


def test_a_browser_that_proved_another_account_does_not_connect_that_one(browser, place, provider):
    register(place, ANN)
    go(browser, provider)
    browser.send(ASK, email=ANN)
    other = Browser(browser.app)
    provider.subject = "subject-of-mallory"
    go(other, provider)

    answer = other.send(link_of(place))

    assert (409, []) == (answer.status_code, rows(place, outside_identity))


def test_looking_at_the_link_uses_nothing_up(browser, place, provider):
    register(place, ANN)
    go(browser, provider)
    browser.send(ASK, email=ANN)

    looked = [browser.get(link_of(place)).status_code for _ in range(3)]
    browser.head(link_of(place))

    assert ([200] * 3, []) == (looked, rows(place, outside_identity))
    assert 303 == browser.send(link_of(place)).status_code


def test_the_link_works_once(browser, place, provider):
    register(place, ANN)
    go(browser, provider)
    browser.send(ASK, email=ANN)
    link = link_of(place)
    browser.send(link)

    assert (410, 1) == (browser.send(link).status_code, len(rows(place, outside_identity)))


@pytest.mark.parametrize("late", ["link", "request"])
def test_after_an_hour_nothing_is_connected(browser, place, provider, late):
    register(place, ANN)
    go(browser, provider)
    browser.send(ASK, email=ANN)
    table = one_time_link if late == "link" else oidc_request
    with place.database.writing() as books:
        past = NOW - timedelta(hours=3)
        column = "expires_at" if late == "link" else "used_at"
        books.execute(table.update().values({column: past}))

    answer = browser.send(link_of(place))

    assert answer.status_code in (409, 410)
    assert [] == rows(place, outside_identity)


@pytest.mark.parametrize("state", [UserState.LOCKED, UserState.DELETED])
def test_an_address_that_nobody_may_sign_in_with_gets_the_same_answer_and_no_mail(
    browser, place, provider, state
):
    register(place, ANN)
    with place.database.writing() as books:
        books.execute(web_user.update().values(state=state))
    go(browser, provider)

    sent = browser.send(ASK, email=ANN)

    assert (f"{ASK}?done=sent", []) == (sent.headers["location"], mailed(place))


def user_of(place):
    with place.database.reading() as books:
        return books.execute(sa.select(web_user).where(web_user.c.address == ANN)).one()


def passwords_kept(place) -> int:
    with place.database.reading() as books:
        return books.scalar(sa.select(sa.func.count()).select_from(credential))


def test_who_is_new_registers_by_the_link_and_is_let_in_rules_139_and_140(browser, place, provider):
    go(browser, provider)

    sent = browser.send(ASK, email=ANN)
    asked = user_of(place).state
    looked = browser.get(link_of(place))
    seen = user_of(place).state
    done = browser.send(link_of(place))

    assert (f"{ASK}?done=sent", "/news") == (sent.headers["location"], done.headers["location"])
    assert "you are registered here" in words(looked)
    assert [UserState.UNVERIFIED] * 2 == [asked, seen]
    assert (UserState.ACTIVE, 0, True) == (
        user_of(place).state,
        passwords_kept(place),
        is_in(browser),
    )
    assert {("access-connect", ANN), ("access-new-browser", ANN)} >= set(mailed(place))
    browser.cookies.clear()
    assert "/news" == go(browser, provider).headers["location"]


def test_a_link_that_somebody_else_asked_for_registers_nobody(browser, place, provider):
    """Whose mailbox it is opens it elsewhere: the account of whoever asked must not get in."""
    go(browser, provider)
    browser.send(ASK, email=ANN)

    answer = Browser(browser.app).send(link_of(place))

    assert (409, UserState.UNVERIFIED, []) == (
        answer.status_code,
        user_of(place).state,
        rows(place, outside_identity),
    )


@pytest.mark.parametrize("state", [UserState.UNVERIFIED, UserState.INVITED])
def test_who_was_registered_or_invited_before_begins_by_it_without_what_others_gave(
    browser, place, provider, state
):
    register(place, ANN)
    with place.database.writing() as books:
        books.execute(web_user.update().values(state=state, phone="4355550142"))
        if state is UserState.INVITED:  # staff gave no password
            books.execute(credential.delete())
        old = make_link(
            books,
            place.link_tokens,
            LinkKind.CREATE_CREDENTIALS,
            NOW - timedelta(days=1),
            user=user_of(place).number,
        )
    go(browser, provider)
    browser.send(ASK, email=ANN)

    browser.send(link_of(place))

    kept = "4355550142" if state is UserState.INVITED else ""
    assert (UserState.ACTIVE, kept, 0) == (
        user_of(place).state,
        user_of(place).phone,
        passwords_kept(place),
    )
    assert 410 == browser.get(f"/invite/{place.link_tokens.token(old)}").status_code


def test_the_page_of_registering_offers_the_provider(browser, provider):
    page = browser.get("/register")

    assert ('action="/oidc/google"' in page.text, "Register with Google" in words(page)) == (
        True,
        True,
    )
    assert provider.issuer in page.headers["content-security-policy"]


def test_who_was_locked_meanwhile_is_not_let_in(browser, place, provider):
    register(place, ANN)
    go(browser, provider)
    browser.send(ASK, email=ANN)
    with place.database.writing() as books:
        books.execute(web_user.update().values(state=UserState.LOCKED))

    answer = browser.send(link_of(place))

    assert (410, [], False) == (
        answer.status_code,
        rows(place, outside_identity),
        is_in(browser),
    )


def test_the_second_step_is_asked_for_after_the_link_too(browser, place, provider):
    user = register(place, ANN)
    with place.database.writing() as books:
        books.execute(
            credential.insert().values(
                user_number=user, kind="totp", secret="x", used_step=0, since=NOW
            )
        )
    go(browser, provider)
    browser.send(ASK, email=ANN)

    answer = browser.send(link_of(place))

    assert ("/sign-in/code?next=/news", False) == (answer.headers["location"], is_in(browser))


def test_an_account_that_was_connected_to_somebody_else_meanwhile_stays_theirs(
    browser, place, provider
):
    register(place, ANN)
    go(browser, provider)
    browser.send(ASK, email=ANN)
    connected(place, provider, BOB)

    answer = browser.send(link_of(place))

    assert (422, True, False) == (
        answer.status_code,
        "connected to another customer" in words(answer),
        is_in(browser),
    )


def test_without_having_proved_an_account_nobody_is_mailed(browser, place):
    register(place, ANN)

    answer = browser.send(ASK, email=ANN)

    assert ("/sign-in", []) == (answer.headers["location"], mailed(place))


@pytest.mark.parametrize("address", ["", "ann", "ann@", "a b@example.com"])
def test_what_is_no_address_is_asked_for_again_in_a_sentence(browser, place, provider, address):
    register(place, ANN)
    go(browser, provider)

    answer = browser.send(ASK, email=address)

    assert (422, True) == (answer.status_code, "in the form name@example.com" in words(answer))


def test_nobody_gets_more_than_five_such_mails_a_day(browser, place, provider):
    register(place, ANN)
    go(browser, provider)

    answers = [browser.send(ASK, email=ANN).status_code for _ in range(7)]

    assert ([303] * 7, 1) == (answers, len(live_links(place)))
    assert 5 == len(mailed(place))


def live_links(place):
    with place.database.reading() as books:
        return books.execute(
            sa.select(one_time_link).where(one_time_link.c.revoked_at.is_(None))
        ).all()


def test_one_network_asks_for_no_more_than_thirty_an_hour(browser, place, provider):
    go(browser, provider)

    answers = [browser.send(ASK, email=f"n{one}@example.com").status_code for one in range(31)]

    assert ([303] * 30 + [429]) == answers


def test_the_address_at_the_provider_is_offered_but_not_apples_hidden_one(browser, provider):
    provider.email = "ann@elsewhere.example"
    shown = go(browser, provider).text
    browser.cookies.clear()
    provider.email = "x7@privaterelay.appleid.com"

    hidden = go(browser, provider).text

    assert ('value="ann@elsewhere.example"' in shown, 'value=""' in hidden) == (True, True)
