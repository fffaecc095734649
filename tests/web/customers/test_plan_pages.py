"""A customer's payment plan on the pages: offered within limits, shown before the yes, kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from database.ledger.entries import record_entries
from database.queries.arrangements.reading import newest_plan
from domain.ledger import BalanceEntry, EntryKind, EntrySource
from domain.money import Money
from office.procedures.mailing import arranging
from office.settings.money import ArrangementsSettings
from tests.web.customers.conftest import ANN, BOB, Browser, register
from web.desk import desk_of

PLAN = "/accounts/0110371/plan"
PAY = "/accounts/0110371/pay"
NOON = datetime(2026, 11, 3, 19, tzinfo=UTC)
LIMITS = ArrangementsSettings(by_customers=True, smallest_installment="10.00")
CHOSEN = {"installments": "3", "every": "month", "first": "2026-11-17"}


def with_plans(office, settings=LIMITS):
    changed = {"arrangements": settings}
    return replace(office, settings=office.settings.model_copy(update=changed))


@pytest.fixture
def city(office):
    register(office, ANN, accounts=("0110371",))
    register(office, BOB, accounts=("0220002",))
    return with_plans(office)


def plan_of(office):
    with office.database.reading() as books:
        return newest_plan(books, "0110371")


def test_a_customer_sees_the_plan_before_the_yes_and_pays_by_it_afterwards(city, ann):
    offered = ann.get("/").text
    form = ann.get(PLAN).text
    check = ann.post(PLAN, **CHOSEN)
    before = plan_of(city)
    made = ann.post(PLAN, **CHOSEN, agreed="45.50")
    page, home = ann.get(PLAN).text, ann.get("/").text

    assert "Pay in installments" in offered and "How many installments" in form
    assert (200, None) == (check.status_code, before)
    assert "$15.17" in check.text and "$15.16" in check.text and "Agree to this plan" in check.text
    assert (303, PLAN) == (made.status_code, made.headers["location"])
    found = plan_of(city)
    assert ("45.50", True, 3) == (str(found.amount), found.by_customer, len(found.installments))
    assert found.made_by.startswith("customer ")
    assert "Next: $15.17 by" in page and "Agree to this plan" not in page
    assert "Next: $15.17 by" in home and "Due on" in offered and "Due on" not in home
    assert "You pay in installments." in home and "Pay in installments" not in home


def test_paying_begins_with_the_next_installment_and_what_is_owed_beside_the_plan(city, ann):
    ann.get(PLAN)
    whole = ann.get(PAY).text
    ann.post(PLAN, **CHOSEN, agreed="45.50")
    by_plan = ann.get(PAY).text
    with city.database.writing() as books:
        charge = BalanceEntry(
            key="feed/c1", account_key="0110371", kind=EntryKind.ADJUSTMENT, amount=Money(5_00),
            happened_on=date(2026, 11, 3), source=EntrySource.FEED, reference="C1",
        )  # fmt: skip
        record_entries(books, [charge], now=NOON, who="anna")
    beside, home = ann.get(PAY).text, ann.get("/").text

    assert 'value="45.50"' in whole and "installments" not in whole
    assert 'value="15.17"' in by_plan and "Next: $15.17 by" in by_plan
    assert 'value="20.17"' in beside
    assert "Due on" in home  # what is owed beside the plan has the day of its bill


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"installments": "9"}, "Choose from 2 to 4 installments."),
        ({"installments": "1"}, "Choose from 2 to 4 installments."),
        ({"installments": "x"}, "Choose from 2 to 4 installments."),
        ({"first": "2026-11-02"}, "today or later"),
        ({"first": "soon"}, "today or later"),
        ({"first": "2027-01-30"}, "The last installment must come by"),
    ],
)
def test_what_is_beyond_the_limits_is_said_beside_its_field(city, ann, typed, said):
    ann.get(PLAN)

    answer = ann.post(PLAN, **CHOSEN | typed, agreed="45.50")

    assert (422, True, None) == (answer.status_code, said in answer.text, plan_of(city))


def test_what_changed_meanwhile_is_shown_again_and_nothing_is_agreed(city, ann):
    ann.get(PLAN)

    answer = ann.post(PLAN, **CHOSEN, agreed="44.00")

    assert (422, None) == (answer.status_code, plan_of(city))
    assert "What you owe has changed" in answer.text and "$15.17" in answer.text


def test_where_the_office_does_not_let_them_customers_call(office):
    register(office, ANN, accounts=("0110371",))
    browser = Browser(desk_of(office))
    browser.sign_in()

    home, page = browser.get("/").text, browser.get(PLAN).text
    answer = browser.post(PLAN, **CHOSEN, agreed="45.50")

    assert "Pay in installments" not in home
    assert "please call us" in page and "How many installments" not in page
    assert (200, None) == (answer.status_code, plan_of(office))


def test_nobody_sees_or_makes_somebody_elses_plan(city):
    bob = Browser(desk_of(city))
    bob.sign_in(BOB)
    bob.get("/accounts/0220002/plan")

    assert 404 == bob.get(PLAN).status_code
    bob.get("/accounts/0220002/plan")
    assert 404 == bob.post(PLAN, **CHOSEN, agreed="45.50").status_code
    assert plan_of(city) is None


def test_an_offices_plan_is_shown_and_one_that_waits_says_so(office):
    register(office, ANN, accounts=("0110371",))
    city = with_plans(office, ArrangementsSettings(people=2))
    ann = Browser(desk_of(city))
    ann.sign_in()
    dated = arranging.to_dates(city, "01.1037.1", None, 2, city.local_today(), "month")

    arranging.set_up(city, "01.1037.1", dated, "asked")
    waiting = ann.get(PLAN).text
    arranging.approve(replace(city, who="bob"), "01.1037.1")
    approved = ann.get(PLAN).text

    assert "waits for our office" in waiting
    assert "Next: $22.75 by" in approved
