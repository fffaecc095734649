"""The delivery plan of a staged run: mail/planning.py over the books."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from database.tables import account, delivery_plan, recipient
from domain.accounts import AccountStatus
from domain.deliveries import PasswordField
from mail.recipients.delivery_plan import PlanTerms, plan_deliveries
from tests.builders import RUN, a_household, empty, few_examples, stage_run

ANN, BOB, LORD = "ann@customer.example", "bob@customer.example", "lord@holdings.example"
OWNERS = [("LL1", LORD), ("LL2", "")]


def plan(database, to_landlords: bool = True, period: str = RUN, **options) -> int:
    return plan_deliveries(database, period, PlanTerms(to_landlords, **options))


def mailed(database) -> dict[str, list[tuple[str, str]]]:
    rows = recipient.c
    found: dict[str, list[tuple[str, str]]] = {}
    with database.reading() as books:
        query = sa.select(rows.account_key, rows.address, rows.source)
        for key, address, source in books.execute(query.order_by(rows.account_key, rows.mailbox)):
            found.setdefault(key, []).append((address, str(source)))
    return found


def printed(database) -> dict[str, str]:
    rows = delivery_plan.c
    with database.reading() as books:
        query = sa.select(rows.account_key, rows.paper).where(rows.paper.is_not(None))
        return {key: str(reason) for key, reason in books.execute(query)}


def test_every_account_is_mailed_printed_or_closed(database):
    stage_run(
        database,
        a_household("1", email=f"{ANN};{BOB}"),
        a_household("2", email=ANN, ebill=False, links=((BOB, True),)),
        a_household("3", email="", ebill=False, links=((ANN, True), (BOB, False))),
        a_household("4", email=ANN, send_paper=True, cosigner_id="LL1"),
        a_household("5", email="nobody", cosigner_id="LL2"),
        a_household("6", email=ANN, ebill=False),
        a_household("7", email=ANN, status=AccountStatus.CLOSED, send_paper=True),
        a_household("8", email=f"nobody;{ANN.upper()}", links=((ANN, True),), cosigner_id="LL9"),
        landlords=OWNERS,
    )

    assert 8 == plan(database)

    record, user, landlord = "customer-record", "portal-user", "landlord"
    assert {
        "1": [(ANN, record), (BOB, record)],
        "2": [(ANN, record), (BOB, user)],
        "3": [(ANN, user), (BOB, user)],
        "4": [(ANN, record), (LORD, landlord)],
        "8": [(ANN.upper(), record)],
    } == mailed(database)
    assert {"4": "send-paper", "5": "no-valid-email", "6": "no-ebill"} == printed(database)


@pytest.mark.parametrize("to_landlords", [True, False])
def test_landlords_are_written_to_where_the_office_wants_it_ruling_6(database, to_landlords):
    tenants = [a_household(number, email=ANN, cosigner_id="LL1") for number in ("1", "2")]
    stage_run(database, *tenants, landlords=OWNERS)

    plan(database, to_landlords)

    expected = [ANN, LORD] if to_landlords else [ANN]
    assert {"1": expected, "2": expected} == {
        key: [address for address, _ in found] for key, found in mailed(database).items()
    }


@pytest.mark.parametrize(
    ("field", "unlocked"),
    [
        pytest.param(PasswordField.NONE, set(), id="no password is wanted"),
        pytest.param(PasswordField.ZIP, {"2", "4"}, id="the ZIP code"),
        pytest.param(PasswordField.PHONE, {"3", "4"}, id="the phone number"),
    ],
)
def test_a_bill_without_a_password_is_printed_and_not_mailed(database, field, unlocked):
    facts = {"email": ANN, "send_paper": False}
    stage_run(
        database,
        a_household("1", zip="84840", phone="555-0123", **facts),
        a_household("2", zip=" ", phone="555-0123", **facts),
        a_household("3", zip="84840", phone="", **facts),
        a_household("4", zip="", phone="ask the son", **facts),
        a_household("5", zip="", phone="", email="", ebill=False),
    )

    assert 5 == plan(database, password=field)

    assert {"1", "2", "3", "4"} - unlocked == set(mailed(database))
    reasons = dict.fromkeys(unlocked, "password-missing")
    assert reasons | {"5": "no-ebill"} == printed(database)


def test_a_plan_is_made_anew_each_time(database):
    stage_run(database, a_household("1", email=ANN), a_household("2", email=BOB, send_paper=True))
    plan(database)
    with database.writing() as books:
        books.execute(account.update().values(ebill=False, send_paper=False))

    assert 2 == plan(database)

    assert ({}, {"1": "no-ebill", "2": "no-ebill"}) == (mailed(database), printed(database))


def test_a_plan_looks_at_its_own_run_only(database):
    stage_run(database, a_household("1", email=ANN))
    stage_run(database, a_household("1", email=BOB), a_household("2"), period="2026-11")
    plan(database)

    assert 2 == plan(database, period="2026-11")

    with database.reading() as books:
        query = sa.select(recipient.c.address).where(recipient.c.period == RUN)
        assert [ANN] == list(books.execute(query).scalars())


ADDRESSES = st.sampled_from([ANN, BOB, LORD, ANN.upper(), "Bob@customer.example", "nobody"])
HOUSES = st.builds(
    dict,
    email=st.lists(ADDRESSES, max_size=3, unique_by=str.casefold).map(";".join),
    ebill=st.booleans(),
    send_paper=st.booleans(),
    status=st.sampled_from(AccountStatus),
    links=st.lists(
        st.tuples(ADDRESSES, st.booleans()), max_size=2, unique_by=lambda link: link[0].casefold()
    ).map(tuple),
    cosigner_id=st.sampled_from(["", "LL1", "LL2", "LL9"]),
)


@given(st.lists(HOUSES, min_size=1, max_size=8), st.booleans())
@few_examples
def test_nobody_gets_two_copies_and_nobody_who_is_billed_gets_none(database, houses, to_landlords):
    empty(database)
    town = [a_household(str(number), **facts) for number, facts in enumerate(houses)]
    stage_run(database, *town, landlords=OWNERS)

    assert len(town) == plan(database, to_landlords)

    mails, paper = mailed(database), printed(database)
    for household in town:
        boxes = [address.casefold() for address, _ in mails.get(household.key, [])]
        assert sorted(set(boxes)) == boxes
        is_billed = household.account.status is not AccountStatus.CLOSED
        assert is_billed == (household.key in mails or household.key in paper)
