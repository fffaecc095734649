"""Enrolling by the office: when it draws, what it refuses, and what is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from database.tables import account, audit, balance_due, cosigner, enrollment, suspended_method
from domain.accounts import AccountStatus
from domain.failures import Misuse, Refused
from domain.money import Money
from domain.payments import PaymentState
from payments.enrollment.enrolling import EnrollmentEffect
from rules.money.autopay import AutopayPolicy, OnClosedDay, OverMaximum
from tests.builders import CLOSING_DAY, DUE, RUN, a_household, a_mandate
from tests.payments.enrolling_builders import (
    OLGA,
    SVEN,
    a_town,
    a_wish,
    agree,
    enrolled,
    is_anything_changed,
    moment,
    offer,
    payments,
    reasons,
    schedule,
    set_paid,
    set_state,
)

SCHEDULED = PaymentState.SCHEDULED
FRIDAY_13, SATURDAY_14, TUESDAY_24 = date(2026, 11, 13), date(2026, 11, 14), date(2026, 11, 24)
VETERANS_DAY = date(2026, 11, 11)


@pytest.mark.parametrize(
    ("on", "days_prior", "pay_on", "outcome"),
    [
        pytest.param(CLOSING_DAY, 5, FRIDAY_13, "on-day", id="case 1, a Sunday moved before"),
        pytest.param(CLOSING_DAY, 6, FRIDAY_13, "on-day", id="case 1, a Saturday moved before"),
        pytest.param(CLOSING_DAY, 9, date(2026, 11, 10), "on-day", id="case 1, a bank holiday"),
        pytest.param(CLOSING_DAY, 0, DUE, "on-day", id="case 1, on the due date itself"),
        pytest.param(date(2026, 11, 12), 5, FRIDAY_13, "on-day", id="case 1, a day before"),
        pytest.param(date(2026, 11, 10), 9, date(2026, 11, 10), "at-once", id="the moved day"),
        pytest.param(VETERANS_DAY, 9, VETERANS_DAY, "at-once", id="the holiday itself"),
        pytest.param(FRIDAY_13, 5, FRIDAY_13, "at-once", id="the day itself, ruling 4"),
        pytest.param(SATURDAY_14, 5, SATURDAY_14, "at-once", id="case 2, the day is past"),
        pytest.param(DUE, 0, DUE, "at-once", id="case 2, on the due date"),
        pytest.param(TUESDAY_24, 5, TUESDAY_24, "at-once", id="case 3, after the due date"),
    ],
)
def test_what_is_owed_is_scheduled_for_its_day_or_at_once(
    database, on, days_prior, pay_on, outcome
):
    """Rules 49, 51-55, 64."""
    a_town(database)

    done = enrolled(database, a_wish(days_prior=days_prior), on)
    is_now = outcome == "at-once"
    expected = [(Money(80_00), pay_on, is_now, "tok_card", SCHEDULED)]

    assert (EnrollmentEffect(outcome), is_now, expected) == (
        done.outcome,
        done.needs_yes,
        payments(database),
    )
    schedule(database, max(on, pay_on))
    assert (expected, {}) == (payments(database), reasons(database))


@pytest.mark.parametrize(
    ("setting", "pay_on"),
    [("previous", FRIDAY_13), ("next", date(2026, 11, 16)), ("same", date(2026, 11, 15))],
)
def test_a_closed_day_moves_as_the_office_has_set_ruling_13(database, setting, pay_on):
    a_town(database)

    enrolled(database, policy=AutopayPolicy(OnClosedDay(setting)))

    assert [pay_on] == [day for _, day, *_ in payments(database)]


@pytest.mark.parametrize(
    ("on", "paid"),
    [
        pytest.param(CLOSING_DAY, "80.00", id="case 5, before the due date"),
        pytest.param(TUESDAY_24, "80.00", id="case 4, after it"),
        pytest.param(TUESDAY_24, "100.00", id="a credit"),
    ],
)
def test_without_a_balance_the_next_close_is_the_first_rules_56_and_57(database, on, paid):
    a_town(database)
    set_paid(database, paid)

    done = enrolled(database, on=on)
    schedule(database, on)

    assert (EnrollmentEffect.AFTER_NEXT_CLOSE, False) == (done.outcome, done.needs_yes)
    assert ([], {(RUN, "1"): "zero-balance"}) == (payments(database), reasons(database))
    november(database)
    schedule(database, date(2026, 12, 1), "2026-11")
    assert [(Money(66_00), date(2026, 12, 11), False, "tok_card", SCHEDULED)] == payments(database)


def november(database, *households, closed=True) -> None:
    town = households or (a_household("1", mandates=(), balance="66.00"),)
    changes = {"period": "2026-11", "due_on": date(2026, 12, 16), "ends_on": date(2026, 11, 30)}
    a_town(database, *town, closed=closed, **changes)


@pytest.mark.parametrize(
    "state",
    [
        PaymentState.SUBMITTED, PaymentState.UNKNOWN, PaymentState.SUCCEEDED, PaymentState.RETURNED,
    ],
)  # fmt: skip
def test_a_period_that_was_drawn_for_is_not_drawn_for_again_rule_58(database, state):
    a_town(database)
    enrolled(database)
    set_state(database, state)
    _forget_mandates(database)

    done = enrolled(database, a_wish(method="tok_bank"), TUESDAY_24)
    schedule(database, TUESDAY_24)

    assert ("already-processed", False) == (done.planned.unscheduled, done.needs_yes)
    assert [("tok_card", state)] == [row[3:] for row in payments(database)]
    assert {} == reasons(database)  # it is on the list of payments


@pytest.mark.parametrize("state", [PaymentState.DECLINED, SCHEDULED, PaymentState.CANCELLED])
def test_what_was_not_drawn_is_scheduled_anew_from_the_new_method(database, state):
    a_town(database)
    enrolled(database)
    set_state(database, state)
    _forget_mandates(database)

    enrolled(database, a_wish(method="tok_bank"), TUESDAY_24)

    expected = [(Money(80_00), TUESDAY_24, True, "tok_bank", SCHEDULED)]
    assert (expected, {}) == (payments(database), reasons(database))


def test_who_gets_a_payment_is_off_the_list_of_those_without(database):
    a_town(database)
    enrolled(database, a_wish(maximum=Money(1_00)))
    _forget_mandates(database)

    enrolled(database)

    assert (1, {}) == (len(payments(database)), reasons(database))


def _forget_mandates(database) -> None:
    with database.writing() as books:
        books.execute(enrollment.delete())


def test_before_the_first_close_nothing_happens_until_then(database):
    a_town(database, closed=False)

    done = enrolled(database)

    assert (None, EnrollmentEffect.AFTER_NEXT_CLOSE) == (done.planned, done.outcome)
    assert ([], {}) == (payments(database), reasons(database))


def test_what_is_staged_does_not_move_the_balance_rule_3(database):
    a_town(database)
    november(database, closed=False)

    enrolled(database, on=TUESDAY_24)

    assert [(Money(80_00), TUESDAY_24)] == [row[:2] for row in payments(database)]


@pytest.mark.parametrize(
    ("choice", "office", "drawn"),
    [
        pytest.param(None, OverMaximum.SKIP, None, id="the office skips"),
        pytest.param(None, OverMaximum.CAP, "50.00", id="the office caps"),
        pytest.param(True, OverMaximum.SKIP, "50.00", id="the customer caps"),
        pytest.param(False, OverMaximum.CAP, None, id="the customer skips"),
    ],
)
def test_above_the_maximum_it_is_shown_first_and_the_choice_is_kept(
    database, choice, office, drawn
):
    """Rule 50, ruling 5."""
    a_town(database)
    asked_for = a_wish(maximum=Money(50_00), pays_up_to_maximum=choice)

    done = enrolled(database, asked_for, TUESDAY_24, policy=AutopayPolicy(over_maximum=office))

    assert (True, True) == (done.over_maximum, done.needs_yes)
    assert ([Money.parse(drawn)] if drawn else []) == [row[0] for row in payments(database)]
    assert ({} if drawn else {(RUN, "1"): "over-maximum"}) == reasons(database)
    assert ("but $50.00 at most" if drawn else "above $50.00 nothing") in done.consent_text
    assert bool(drawn) == done.mandate.pays_up_to_maximum


def test_an_equal_pay_amount_is_agreed_and_exempt_from_the_maximum(database):
    a_town(database, a_household("1", mandates=(), equal_pay_amount=Money(55_00)))

    done = enrolled(database, a_wish(maximum=Money(50_00)))

    assert (False, [Money(55_00)]) == (done.over_maximum, [row[0] for row in payments(database)])


@pytest.mark.parametrize(
    ("changes", "asked_for", "code", "sentence"),
    [
        ({"direct_pay": True}, {}, "direct-pay", "delete or inactivate that in the billing system"),
        ({"status": AccountStatus.CLOSED}, {}, "account-closed", "is closed"),
        ({"block_card": True}, {}, "method-blocked", "may not pay by card"),
        ({"block_ach": True}, {"method": "0113"}, "method-blocked", r"bank account \(ACH\)"),
        ({"mandates": (a_mandate("1"),)}, {}, "already-enrolled", "cancel and enroll again"),
    ],
)
def test_it_is_refused_with_what_to_do_first(database, changes, asked_for, code, sentence):
    a_town(database, a_household("1", **{"mandates": ()} | changes))

    with pytest.raises(Refused, match=sentence) as refused:
        offer(database, a_wish(**asked_for))

    assert (code, False) == (refused.value.code, is_anything_changed(database))


def test_direct_pay_of_a_staged_export_counts_already_rule_63(database):
    a_town(database)
    november(database, a_household("1", mandates=(), direct_pay=True), closed=False)

    with pytest.raises(Refused, match="direct pay"):
        offer(database)


def test_a_refused_export_is_not_believed(database):
    a_town(database)
    november(database, a_household("1", mandates=(), direct_pay=True), closed=False)
    with database.writing() as books:
        books.exec_driver_sql("UPDATE bill_run SET state = 'refused' WHERE period = '2026-11'")

    assert EnrollmentEffect.ON_DAY == offer(database).outcome


def test_a_suspended_method_is_refused(database):
    a_town(database)
    with database.writing() as books:
        values = {"method_token": "tok_card", "since": moment(CLOSING_DAY), "reason": "lost"}
        books.execute(suspended_method.insert().values(values))

    with pytest.raises(Refused, match="card ending 4242 is suspended") as refused:
        offer(database)

    assert "method-blocked" == refused.value.code


@pytest.mark.parametrize(
    ("asked_for", "code"),
    [
        pytest.param({"account": "99"}, "unknown-account", id="wrong account"),
        pytest.param({"method": "tok_none"}, "unknown-method", id="unknown token"),
        pytest.param({"method": ""}, "unknown-method", id="no method"),
        pytest.param({"method": "tok_olga"}, "unknown-method", id="of another's wallet, rule 119"),
        pytest.param({"portal_user": OLGA, "method": "1881"}, "several-methods", id="two of them"),
        pytest.param({"portal_user": "kim@example.org"}, "no-wallet", id="an empty wallet"),
        pytest.param({"portal_user": " "}, "no-user", id="nobody"),
    ],
)
def test_what_nobody_knows_is_misuse_and_is_not_repeated(database, asked_for, code):
    a_town(database)

    with pytest.raises(Misuse) as wrong:
        offer(database, a_wish(**asked_for))

    assert code == wrong.value.code
    assert not any(word in wrong.value.message for word in ("tok_", "@", "99"))


@pytest.mark.parametrize(
    ("user", "method", "token"),
    [
        pytest.param(SVEN, "4242", "tok_card", id="last four digits, his own"),
        pytest.param(OLGA, "4242", "tok_olga", id="the same digits in another wallet"),
        pytest.param(SVEN.upper(), " tok_bank ", "tok_bank", id="a token, an address in capitals"),
    ],
)
def test_the_wallet_is_the_portal_users_rule_117(database, user, method, token):
    a_town(database)

    done = enrolled(database, a_wish(portal_user=user, method=method))

    assert token == done.method.token == payments(database)[0][3]


def test_who_is_linked_and_who_lets_the_house_is_told(database):
    a_town(
        database,
        a_household("1", mandates=(), links=((SVEN, True),)),
        a_household("2", mandates=()),
    )
    with database.writing() as books:
        values = {"period": RUN, "cosigner_id": "L7", "name": "Holdings", "portal_user": OLGA}
        books.execute(cosigner.insert().values(values))
        books.execute(account.update().where(account.c.account_key == "2").values(cosigner_id="L7"))

    by_sven, by_olga = a_wish(portal_user=SVEN), a_wish(portal_user=OLGA)
    linked = [
        offer(database, replace(asked_for, account=number)).is_linked
        for asked_for in (by_sven, by_olga)
        for number in "12"
    ]

    assert [True, False, False, True] == linked


def test_time_who_and_the_text_that_was_agreed_to_are_kept(database):
    a_town(database)

    enrolled(database, a_wish(maximum=Money(90_00)))

    with database.reading() as books:
        row = books.execute(sa.select(enrollment)).one()
        entry = books.execute(sa.select(audit).where(audit.c.action == "enroll in autopay")).one()
    assert ("1", SVEN, "tok_card", "4242", 5, Money(90_00), False) == (
        row.account, row.portal_user, row.method_token, row.last4, row.days_prior, row.maximum,
        row.pays_up_to_maximum,
    )  # fmt: skip
    assert (CLOSING_DAY, moment(CLOSING_DAY), "anna", "1", None) == (
        row.enrolled_on, row.enrolled_at, row.enrolled_by, row.consent_version, row.cancelled_at,
    )  # fmt: skip
    for part in (
        "card ending 4242",
        "above $90.00",
        "5 days before",
        "cancel",
        "November 13, 2026",
    ):
        assert part in row.consent_text
    assert ("anna", "1") == (entry.who, entry.subject)
    assert not any(secret in entry.detail for secret in ("tok_", "@"))


def test_what_changed_since_it_was_shown_is_not_done(database):
    a_town(database)
    shown = offer(database, on=TUESDAY_24)
    set_paid(database, "10.00")

    with pytest.raises(Refused, match="has changed since it was shown") as refused:
        agree(database, shown, TUESDAY_24)

    assert ("changed", False) == (refused.value.code, is_anything_changed(database))


def test_a_yes_given_after_midnight_is_asked_for_again(database):
    a_town(database)
    shown = offer(database, on=date(2026, 11, 12))

    with pytest.raises(Refused, match="look again"):
        agree(database, shown, FRIDAY_13)

    assert not is_anything_changed(database)


def test_twice_is_refused_and_says_what_a_change_would_bring(database):
    a_town(database)
    shown = offer(database)
    agree(database, shown, CLOSING_DAY)

    with pytest.raises(Refused, match=r"enrolled since 2026-11-02 with its card ending 4242") as no:
        agree(database, shown, CLOSING_DAY)

    assert "takes the payment of $80.00 on 2026-11-13 off the schedule" in no.value.message
    assert "Enrolling again from 2026-11-13 on draws $80.00 at once." in no.value.message
    assert 1 == len(payments(database))


def test_a_held_account_waits_though_it_is_enrolled(database):
    a_town(database, a_household("1", mandates=(), held=True))

    enrolled(database)

    assert ([], {(RUN, "1"): "held"}) == (payments(database), reasons(database))


def test_an_account_whose_balance_is_of_no_export_any_more_is_still_found(database):
    """November's export without the account: October's balance is still open."""
    a_town(database)
    november(database, a_household("2", mandates=()))

    enrolled(database, on=TUESDAY_24)

    assert [RUN] == _runs(database)


def _runs(database) -> list[str]:
    with database.reading() as books:
        return list(
            books.scalars(sa.select(balance_due.c.period).where(balance_due.c.account_key == "1"))
        )
