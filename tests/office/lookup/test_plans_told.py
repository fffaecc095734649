"""Of a payment plan `why` says what was agreed, what is due, what was paid, and how it ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from domain.money import Money
from office.lookup.why.explaining import explain_account
from office.secrets.files import make_secret
from payments.arrangements import making
from payments.arrangements.making import PlanWish
from tests.mail.reminder_builders import local
from tests.office.health_builders import an_office_at
from tests.payments.arrangements.test_arranging import ELM, KEY, TERMS, night, pay, plan
from tests.payments.arrangements.test_arranging import town as town

MADE = (
    "A payment arrangement of $200.00 was made Nov 25, 2026 at 09:00 by anna: $100.00 by "
    "Dec 1, 2026, $100.00 by Jan 1, 2027; asked by phone (rule 90)"
)
AFTER = "Jan 5, 2027 at 09:00"


@pytest.fixture
def told(tmp_path, town):
    make_secret(tmp_path)

    def tell(at: str) -> list[str]:
        found = explain_account(an_office_at(tmp_path, town, at), ELM).sentences
        return [one.with_rules for one in found if one.about.startswith("arrangement/")]

    return tell


def test_what_was_agreed_and_the_next_installment_with_its_last_day(town, told):
    plan(town, number=2)

    assert [
        MADE,
        "It is in force; $0.00 was paid since, as the ledger has it; $100.00 is due by Dec 1, 2026,"
        " and the plan breaks if that is not paid by Dec 4, 2026 (rule 90)",
    ] == told("2026-11-26T09:00")


def test_an_installment_that_was_met_is_paid_and_the_following_one_is_named(town, told):
    plan(town, number=2)
    pay(town, "130.00", "2026-11-30T12:00")
    night(town, "2026-12-05")

    assert (
        "It is in force; $130.00 was paid since, as the ledger has it; $70.00 is due by Jan 1, 2027"
        ", and the plan breaks if that is not paid by Jan 4, 2027 (rule 90)"
    ) == told("2026-12-05T09:00")[1]


def test_a_plan_that_was_kept_says_how_much_was_paid(town, told):
    plan(town, number=2)
    pay(town, "200.00", "2026-11-30T12:00")
    night(town, "2026-12-01")

    assert (
        "It is kept since Dec 1, 2026 at 06:00: $200.00 paid (rule 90)"
        == told("2026-12-02T09:00")[1]
    )


def test_a_broken_plan_says_what_was_missing_and_since_when(town, told):
    plan(town, number=2)
    night(town, "2026-12-05")

    assert (
        "It is broken since Dec 5, 2026 at 06:00: $100.00 is missing; the first unpaid installment "
        "was due on 2026-12-01 (rule 90)"
    ) == told("2026-12-06T09:00")[1]


def test_a_canceled_plan_says_who_ended_it_and_why_and_a_new_one_stands_beside_it(town, told):
    plan(town, number=2)
    making.cancel(town, KEY, "moved away", replace(TERMS, now=local("2026-11-26T10:00"), who="bob"))
    wish = PlanWish(KEY, [(date(2026, 12, 1), Money(200_00))], "came back")
    making.arrange(town, wish, TERMS)

    sentences = told("2026-11-27T09:00")

    assert "It is ended since Nov 26, 2026 at 10:00 by bob: moved away (rule 90)" in sentences
    assert 2 == sum(one.startswith("A payment arrangement of") for one in sentences)


def test_with_four_eyes_it_says_that_it_waits_and_then_who_said_yes(town, told):
    terms = replace(TERMS, people=2)
    plan(town, number=2, terms=terms)
    waiting = told("2026-11-26T09:00")[1]
    making.approve(town, KEY, replace(terms, who="bob"))

    assert waiting.startswith("It waits for another person's yes; until then reminders go on")
    assert "; bob said yes to it (rule 90)" in told("2026-11-26T09:00")[0]
