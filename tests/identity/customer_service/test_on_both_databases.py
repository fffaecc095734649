"""What customer service does, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database.definitions.identity import web_user
from database.queries.customers import search
from database.queries.customers.activity import activities_of, kinds_of
from database.queries.customers.search import find_customers, users_of
from database.tables import draw, gateway_payment
from domain.customer_service import CustomerSearch, PortalStanding, StaffAct
from domain.failures import Refused
from domain.identity import LinkProof, UserState
from domain.money import Money
from domain.payments import DrawState, PaymentState
from identity.account_links import add_link
from identity.customer_service.locking import delete_user, lock_user, unlock_user
from identity.customer_service.recovery import (
    find_recovery_code,
    make_recovery_code,
    recover,
    revoke_recovery_code,
)
from identity.passwords import Passwords
from identity.tokens import LinkTokens
from identity.users import find_user, make_user
from payments.enrollment.of_user import ToCome, end_autopay_of_user, hangs_on_user
from tests.builders import CARD, CLOSING_DAY, NOW, RUN, a_household, a_mandate, close_run, stage_run

TOKENS = LinkTokens(b"secret of the home")
ACT = StaffAct("csr 1", "misuse")
ANN = "ann@portal.example"


@pytest.fixture
def town(database):
    stage_run(
        database,
        a_household("01", a_mandate("01"), links=((ANN, False),), service_address="2172 Main St"),
        a_household("02", mandates=(), service_address="2172 Main St"),
        a_household("03", mandates=(), links=(("bob@portal.example", True),)),
    )
    with database.writing() as books:
        books.exec_driver_sql(f"UPDATE payment_method SET portal_user = '{ANN}'")
    close_run(database)
    with database.writing() as books:
        ann = make_user(books, ANN, NOW, UserState.ACTIVE)
        bob = make_user(books, "bob@portal.example", NOW, UserState.LOCKED)
        add_link(books, bob, "02", LinkProof.NAME, NOW, "the customer")
    return ann


@pytest.mark.parametrize(
    ("standings", "expected"),
    [
        ({PortalStanding.ENROLLED}, ["01"]),
        ({PortalStanding.PERMANENT_LOCK}, ["02", "03"]),
        ({PortalStanding.UNENROLLED, PortalStanding.HIDDEN}, []),
        (set(PortalStanding), ["01", "02", "03"]),
    ],
)
@pytest.mark.parametrize("few", [2_000, 0], ids=["their accounts first", "account by account"])
def test_links_of_the_export_and_our_own_are_found_as_one(
    database, town, standings, expected, few, monkeypatch
):
    monkeypatch.setattr(search, "FEW_USERS", few)
    with database.reading() as books:
        found = find_customers(books, CustomerSearch(standings=frozenset(standings)))
        named = find_customers(books, CustomerSearch(("2172",), ("2172",)))

    assert expected == [row.account for row in found.rows]
    assert ["01"] == [row.account for row in named.rows] and 1 == named.elsewhere


@pytest.mark.parametrize(("key", "address"), [("01", ANN), ("03", "bob@portal.example")])
def test_the_users_of_an_account_are_told_however_many_accounts_are_numbered_like_it(
    database, town, key, address, monkeypatch
):
    monkeypatch.setattr(search, "MOST_FOUND", 0)

    with database.reading() as books:
        found = users_of(books, key)

    assert [(key, address)] == [(row.account_key, row.address) for row in found]


def test_the_same_user_cannot_be_locked_twice_and_comes_back(database, town):
    with database.writing() as books:
        lock_user(books, town, ACT, NOW)
        with pytest.raises(Refused):
            lock_user(books, town, ACT, NOW)
        unlock_user(books, town, ACT, NOW)
        delete_user(books, town, ACT, NOW)
        unlock_user(books, town, ACT, NOW)

    with database.reading() as books:
        state = books.scalar(sa.select(web_user.c.state).where(web_user.c.number == town))
        assert UserState.INVITED is state
        assert ["deleted", "locked", "unlocked"] == kinds_of(books, town)
        log = [row.kind for row in books.execute(activities_of(town, ["locked", "deleted"]))]
    assert ["deleted", "locked"] == log


def test_what_hangs_on_a_user_is_listed_and_ended(database, town):
    with database.writing() as books:
        user = find_user(books, town)
        before = hangs_on_user(books, user)
        ended = end_autopay_of_user(
            books, user, now=NOW, today=CLOSING_DAY, who="csr 1", reason="asked for"
        )
        after = hangs_on_user(books, user)

    assert ["01"] == [standing.account for standing in before.autopay]
    assert ["01"] == [one.standing.account for one in ended]
    assert ((), ()) == (after.autopay, after.payments)
    assert {"scheduled", "pending", "asked"} == {stage.value for stage in ToCome}


@pytest.mark.parametrize(
    ("state", "drawn", "stage"),
    [
        (PaymentState.SCHEDULED, None, ToCome.SCHEDULED),
        (PaymentState.SCHEDULED, DrawState.CREATED, ToCome.PENDING),
        (PaymentState.SCHEDULED, DrawState.ASKED, ToCome.ASKED),
        (PaymentState.SUBMITTED, DrawState.ASKED, ToCome.ASKED),
        (PaymentState.UNKNOWN, DrawState.ASKED, ToCome.ASKED),
    ],
)
def test_it_is_said_of_each_payment_to_come_whether_it_may_have_been_asked_for(
    database, town, state, drawn, stage
):
    payment = {
        "key": "p", "period": RUN, "account_key": "01", "account": "01", "pay_on": CLOSING_DAY,
        "amount": Money(50_00), "method_token": "x", "method_kind": CARD, "last4": "4242",
        "immediate": False, "state": state, "scheduled_at": NOW,
    }  # fmt: skip
    made = {
        "key": "p/1", "payment_key": "p", "number": 1, "amount": Money(50_00),
        "method_token": "x", "state": drawn, "created_at": NOW, "lookups": 0,
    }  # fmt: skip
    with database.writing() as books:
        books.execute(gateway_payment.insert(), payment)
        if drawn is not None:
            books.execute(draw.insert(), made)

        (found,) = hangs_on_user(books, find_user(books, town)).payments

    assert (Money(50_00), stage) == (found.amount, found.stage)


def test_a_recovery_code_is_used_once_and_can_be_revoked(database, town):
    passwords = Passwords()
    with database.writing() as books:
        make_recovery_code(books, TOKENS, town, "csr 1", NOW)
        code = find_recovery_code(books, TOKENS, town, NOW).code
    used = [recover(database, passwords, TOKENS, "01", code, "a long password", NOW) for _ in "ab"]
    with database.writing() as books:
        make_recovery_code(books, TOKENS, town, "csr 1", NOW)
        revoke_recovery_code(books, town, "csr 1", NOW)
        left = find_recovery_code(books, TOKENS, town, NOW)

    assert [ANN, None] == used
    assert left is None


def test_books_to_look_at_refuse_every_write(database, town):
    looking = database.to_look_at()
    try:
        with pytest.raises(sa.exc.DBAPIError), looking.reading() as books:
            books.execute(web_user.update().values(phone="1"))
        with looking.reading() as books:
            assert 2 == books.scalar(sa.select(sa.func.count()).select_from(web_user))
    finally:
        looking.close()


def test_the_log_writes_an_account_as_the_office_does(database):
    stage_run(database, a_household("01.1037.1"))
    close_run(database)
    with database.writing() as books:
        ann = make_user(books, ANN, NOW, UserState.ACTIVE)
        add_link(books, ann, "0110371", LinkProof.NAME, NOW, "the customer")

    with database.reading() as books:
        accounts = {row.account for row in books.execute(activities_of(ann, kinds_of(books, ann)))}

    assert "01.1037.1" in accounts and "0110371" not in accounts
