"""Planning with both kinds of mandates: the export's, and those given to the office."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from database.tables import enrollment, enrollment_end, payment_method, suspended_method
from tests.billing_system.feed.builders import tell_change
from tests.builders import (
    ACH,
    CARD,
    CLOSING_DAY,
    NOW,
    RUN,
    a_household,
    a_mandate,
    close_run,
    stage_run,
)
from tests.payments.enrolling_builders import moment, payments, reasons, schedule

DAY_AFTER = CLOSING_DAY + timedelta(days=1)
APRIL_9 = date(2026, 4, 9)  # the day on which a_mandate was given


def give(database, on: date, *, account: str = "1", token: str = "tok_own", days_prior=0) -> None:
    """A mandate given to the office on that day."""
    with database.writing() as books:
        books.execute(
            enrollment.insert().values(
                account_key=account, account=account, portal_user="", method_token=token,
                method_kind=ACH, last4="0113", days_prior=days_prior, enrolled_on=on,
                enrolled_at=moment(on), enrolled_by="anna", consent_version="1", consent_text="",
            )
        )  # fmt: skip


def end(database, on: date) -> None:
    values = {"account_key": "1", "ended_on": on, "ended_at": moment(on), "ended_by": "anna"}
    with database.writing() as books:
        books.execute(enrollment_end.insert().values(values | {"reason": "she called"}))


def a_run(database, *households, wallet=("tok_own",)) -> None:
    stage_run(database, *(households or (a_household("1"),)))
    with database.writing() as books:
        for token in wallet:
            values = {
                "period": RUN,
                "token": token,
                "portal_user": "",
                "kind": CARD,
                "last4": "0113",
            }
            books.execute(payment_method.insert().values(values))
    close_run(database)


def tokens(database) -> list[str]:
    return [row[3] for row in payments(database)]


@pytest.mark.parametrize(
    ("name", "value"),
    [("block_ach", "yes"), ("direct_pay", "yes"), ("status", "closed")],
)
def test_what_the_feed_told_since_the_export_is_not_planned_over(database, name, value):
    stage_run(database, a_household("1", a_mandate("1", method_kind=ACH)))
    close_run(database)
    tell_change(database, name, value, NOW + timedelta(hours=1))

    schedule(database)

    assert [] == payments(database)


@pytest.mark.parametrize(
    ("given", "token"),
    [
        pytest.param(APRIL_9 - timedelta(days=1), "tok_7_1", id="the export knows a newer one"),
        pytest.param(APRIL_9, "tok_own", id="the same day"),
        pytest.param(APRIL_9 + timedelta(days=1), "tok_own", id="a later day"),
    ],
)
def test_the_newer_mandate_counts_and_of_two_on_a_day_the_offices(database, given, token):
    a_run(database)
    give(database, given)

    schedule(database)

    assert [token] == tokens(database)


@pytest.mark.parametrize(
    ("ended", "drawn"),
    [
        pytest.param(APRIL_9 - timedelta(days=1), ["tok_7_1"], id="given anew after the end"),
        pytest.param(APRIL_9, [], id="ended the same day"),
        pytest.param(CLOSING_DAY, [], id="ended later"),
    ],
)
def test_an_end_hides_the_exports_mandates_up_to_that_day(database, ended, drawn):
    a_run(database)
    end(database, ended)

    schedule(database)

    assert (drawn, {}) == (tokens(database), reasons(database))


def test_of_several_in_the_export_the_last_one_that_is_not_hidden_counts(database):
    newer = a_mandate("1", method_token="tok_new", enrolled_on=date(2026, 10, 20))
    older = a_mandate("1", method_token="tok_old")
    a_run(database, a_household("1", newer, older))
    end(database, date(2026, 10, 1))

    schedule(database)

    assert ["tok_new"] == tokens(database)


def test_a_cancelled_mandate_of_the_office_does_not_count(database):
    a_run(database, a_household("1", mandates=()))
    give(database, CLOSING_DAY)
    with database.writing() as books:
        books.execute(enrollment.update().values(cancelled_at=NOW))

    schedule(database)

    assert ([], {}) == (payments(database), reasons(database))


def test_the_wallet_must_still_know_the_method(database):
    """An export made after the enrolling without it: the customer took it out (rule 120)."""
    a_run(database, a_household("1", mandates=()), a_household("2", mandates=()), wallet=())
    give(database, CLOSING_DAY - timedelta(days=1))
    give(database, CLOSING_DAY + timedelta(days=1), account="2")

    schedule(database)

    assert {(RUN, "1"): "method-missing"} == reasons(database)
    assert ["tok_own"] == [row[3] for row in payments(database, "2")]


def test_a_suspended_method_is_not_planned(database):
    a_run(database, a_household("1"), a_household("2", a_mandate("2", method_token="tok_2")))
    with database.writing() as books:
        values = {"method_token": "tok_7_1", "since": NOW, "reason": "lost"}
        books.execute(suspended_method.insert().values(values))

    schedule(database)

    assert ([], {(RUN, "1"): "method-blocked"}) == (payments(database), reasons(database))
    assert 1 == len(payments(database, "2"))


def test_mandates_of_accounts_that_the_run_does_not_have_are_left_out(database):
    a_run(database)
    give(database, CLOSING_DAY, account="9")

    schedule(database)

    assert (["tok_7_1"], {}) == (tokens(database), reasons(database))


def test_only_one_mandate_of_an_account_lives_at_the_office(database):
    give(database, CLOSING_DAY)

    with pytest.raises(sa.exc.IntegrityError):
        give(database, DAY_AFTER)
