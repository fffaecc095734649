"""A suspended method is drawn from again when a person says so, with a reason."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from database.tables import audit, suspended_method
from domain.failures import Misuse, Refused
from payments.enrollment.ending import reinstate
from payments.outcomes.events import take_in_events
from tests.builders import ACH, RUN, a_household, a_mandate
from tests.payments.collecting_builders import a_collector, paying

SHARED = a_mandate("2", method_token="tok_ach_R10_d2", method_kind=ACH)


@pytest.fixture
def office(database, tmp_path):
    """The bank account of two accounts is suspended: one draw from it was unauthorized."""
    one = paying("1", "tok_ach_R10_d2", method_kind=ACH)
    office = a_collector(database, tmp_path, one, a_household("2", SHARED), paying("3"))
    office.collect()
    office.wait(days=3)
    take_in_events(office.database, office.gateway, office.terms, office.now)
    return office


def lift(office, account="1", reason="signed anew"):
    return reinstate(office.database, account, now=office.at, who="anna", reason=reason)


def test_it_is_lifted_and_audited_with_the_reason(office):
    [lifted] = lift(office)

    with office.database.reading() as books:
        left = books.scalar(sa.select(sa.func.count()).select_from(suspended_method))
        said = books.execute(sa.select(audit).where(audit.c.action == "reinstate method")).one()
    assert (
        "bank account ending 4242",
        "returned: R10 (unauthorized)",
        ("2",),
        0,
    ) == (
        lifted.method,
        lifted.why,
        lifted.others,
        left,
    )
    assert ("anna", "1") == (said.who, said.subject)
    assert said.detail == (
        "bank account ending 4242, suspended since 2026-11-16 (returned: R10 (unauthorized)):"
        " signed anew"
    )
    assert "tok_" not in said.detail


def test_any_account_that_pays_with_it_may_lift_it(office):
    assert ["1"] == [other for one in lift(office, "2") for other in one.others]


@pytest.mark.parametrize(("account", "refusal"), [("3", Refused), ("9", Misuse)])
def test_there_must_be_something_to_lift(office, account, refusal):
    with pytest.raises(refusal):
        lift(office, account)


def test_nothing_that_fell_away_is_scheduled_anew(office):
    lift(office)

    assert "returned: R10 (unauthorized)" == office.payment("1", RUN).error
