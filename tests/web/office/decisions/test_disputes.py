"""What staff see of a payment that its card's holder disputes, and until when it is answered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.identity import Role
from office.lookup.standing import read_matters
from office.secrets.files import make_secret
from payments.outcomes.events import take_in_events
from payments.sandbox.events import ANSWER_WITHIN
from tests.builders import ACH
from tests.office.health_builders import an_office_at
from tests.payments.collecting_builders import TERMS, a_collector, paying
from tests.web.office.conftest import TRIAL

WEEK = timedelta(days=7)


@pytest.fixture
def made(tmp_path, books):
    """A payment that is disputed two days later; another one that the bank returns."""
    make_secret(tmp_path)
    made = a_collector(
        books,
        tmp_path,
        paying("1", "tok_chargeback_d2_won_d60"),
        paying("2", "tok_ach_R01_d2", method_kind=ACH),
    )  # fmt: skip
    made.collect()
    made.wait(days=3)
    take_in_events(books, made.gateway, TERMS, made.now)
    return made


@pytest.fixture
def office(made):
    return _at(made, made.at + WEEK)


def _at(made, moment):
    return an_office_at(made.place, made.database, f"{moment:%Y-%m-%dT%H:%M}", web=TRIAL)


def _disputes(office) -> list[str]:
    return [one.sentence for one in read_matters(office) if one.what == "returned-payments"]


def test_a_dispute_stands_on_the_first_page_until_it_can_be_answered_no_more(made, office, books):
    due = made.at - timedelta(days=1) + ANSWER_WITHIN
    (said,) = _disputes(office)

    assert said.startswith("1 disputed payment to be answered at the gateway, the first by ")
    assert f"{due:%b} {due.day}, {due.year}" in said
    assert [] == _disputes(_at(made, due + WEEK))


def test_a_dispute_that_is_won_is_to_be_answered_no_more(made, books):
    made.wait(days=60)
    take_in_events(books, made.gateway, TERMS, made.now)

    assert [] == _disputes(_at(made, made.at - timedelta(days=59)))


def test_the_list_says_who_why_and_until_when(office, signed_in):
    clerk = signed_in(Role.CLERK)
    every = clerk.get("/office/payments/returned").text
    disputed = clerk.get("/office/payments/returned?kind=dispute").text
    first = clerk.get("/office").text

    assert "R01 (not enough money)" in every and "fraudulent" in every
    assert "fraudulent" in disputed and "R01" not in disputed
    assert 'href="/office/payments/returned?kind=dispute"' in first
