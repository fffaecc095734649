"""When autopay draws, how much, and why it sometimes does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.accounts import AccountStatus
from domain.money import ZERO, Money
from domain.payments import Mandate, PlannedPayment, Unscheduled
from rules.calendars import bank_closed_days, is_working_day
from rules.money.autopay import (
    MOST_DAYS_PRIOR,
    AutopayPolicy,
    OnClosedDay,
    OverMaximum,
    Payable,
    Situation,
    draw_date,
    plan_enrollment,
    plan_payment,
    reason_not_to_draw,
    situation_of,
)
from tests.builders import ACH, CARD, OFFICE_DEFAULTS, a_mandate, a_payable, examples

BANKS = bank_closed_days()
JUNE_15 = date(2026, 6, 15)  # a Monday; five days before it the 10th, a Wednesday
PREVIOUS, NEXT, SAME = OnClosedDay
CAP, SKIP = AutopayPolicy(over_maximum=OverMaximum.CAP), OFFICE_DEFAULTS


def june(day: int) -> date:
    return date(2026, 6, day)


def reason_not_to_schedule(payable, mandate, due_on, today, policy):
    return reason_not_to_draw(situation_of(payable, mandate, due_on, today), policy)


def schedule(payable: Payable, mandate: Mandate, today: date, **changes) -> PlannedPayment:
    facts = {"due_on": JUNE_15, "today": today, "closed": BANKS, "policy": OFFICE_DEFAULTS}
    return plan_payment(payable, mandate, **facts | changes)


def enroll(payable: Payable, mandate: Mandate, **changes) -> PlannedPayment:
    facts = {"due_on": JUNE_15, "closed": BANKS, "policy": OFFICE_DEFAULTS}
    return plan_enrollment(payable, mandate, **facts | changes)


@pytest.mark.parametrize(
    ("enrolls", "draws", "immediate"),
    [
        pytest.param(june(5), june(10), False, id="case 1, rule 53: before D-n, on D-n"),
        pytest.param(june(9), june(10), False, id="case 1: the day before D-n"),
        pytest.param(june(10), june(10), True, id="ruling 4: D-n is today"),
        pytest.param(june(12), june(12), True, id="case 2, rule 54: D=15, n=5, E=12"),
        pytest.param(june(15), june(15), True, id="case 2: on the due date"),
        pytest.param(june(16), june(16), True, id="case 3, rule 55: after D with a balance"),
        pytest.param(june(28), june(28), True, id="case 3: long after D, on a Sunday"),
    ],
)
def test_enrolling_draws_the_whole_balance_rule_52(enrolls, draws, immediate):
    planned = enroll(a_payable("80.00"), a_mandate(days_prior=5, enrolled_on=enrolls))

    assert PlannedPayment("01.1037.1", Money(80_00), draws, immediate, None) == planned


@pytest.mark.parametrize(
    ("payable", "enrolls", "reason"),
    [
        pytest.param(a_payable("0.00"), june(17), "zero-balance", id="case 4: after D, no balance"),
        pytest.param(a_payable("0.00"), june(5), "zero-balance", id="case 5: no balance, rule 57"),
        pytest.param(a_payable("-9.00"), june(5), "zero-balance", id="case 5: a credit"),
        pytest.param(
            a_payable(already_processed=True), june(12), "already-processed", id="case 6, rule 58"
        ),
    ],
)
def test_enrolling_waits_for_the_next_close(payable, enrolls, reason):
    planned = enroll(payable, a_mandate(enrolled_on=enrolls))

    assert (reason, None, False) == (planned.unscheduled, planned.pay_on, planned.immediate)


@pytest.mark.parametrize(
    ("scheduled_on", "days_prior", "draws", "immediate"),
    [
        pytest.param(june(1), 5, june(10), False, id="on time"),
        pytest.param(june(1), 0, june(15), False, id="on the due date itself"),
        pytest.param(june(10), 5, june(10), True, id="D-n is today"),
        pytest.param(june(12), 5, june(12), True, id="case 7, rule 59: D-n has passed"),
        pytest.param(june(15), 0, june(15), True, id="case 7: on the due date"),
        pytest.param(june(17), 5, june(17), True, id="case 7: after the due date"),
        pytest.param(june(1), 14, june(1), True, id="D-n is the day of the close"),
        pytest.param(june(1), 20, june(1), True, id="D-n was before the close"),
    ],
)
def test_the_schedule_draws_those_enrolled_in_earlier_periods(
    scheduled_on, days_prior, draws, immediate
):
    planned = schedule(a_payable("80.00"), a_mandate(days_prior=days_prior), scheduled_on)

    assert PlannedPayment("01.1037.1", Money(80_00), draws, immediate, None) == planned


@pytest.mark.parametrize(
    ("due_on", "draws"),
    [(june(15), june(10)), (date(2026, 7, 20), date(2026, 7, 15)), (june(18), june(12))],
)
def test_the_day_moves_with_the_due_date_rule_49(due_on, draws):
    planned = schedule(a_payable(), a_mandate(days_prior=5), june(1), due_on=due_on)

    assert draws == planned.pay_on


def test_who_enrolled_after_the_due_date_and_owes_is_drawn_at_once_by_both_doors_ruling_21():
    late = a_mandate(enrolled_on=june(16))

    planned = schedule(a_payable("80.00"), late, june(17))

    assert PlannedPayment("01.1037.1", Money(80_00), june(17), True, None) == planned
    assert enroll(a_payable("80.00"), late, due_on=june(15)) == schedule(
        a_payable("80.00"), late, june(16)
    )


def test_who_enrolled_after_the_due_date_and_owes_nothing_waits_for_the_next_close_rule_56():
    late = a_mandate(enrolled_on=june(16))

    assert Unscheduled.ZERO_BALANCE is schedule(a_payable("0.00"), late, june(17)).unscheduled


def test_a_mandate_that_begins_later_than_today_draws_from_the_next_close_on():
    late = a_mandate(enrolled_on=june(18))

    now = schedule(a_payable(), late, june(17))
    next_period = schedule(a_payable(), late, date(2026, 7, 1), due_on=date(2026, 7, 15))

    assert (Unscheduled.AFTER_DUE_DATE, None) == (now.unscheduled, now.pay_on)
    assert (None, date(2026, 7, 10), False) == (
        next_period.unscheduled,
        next_period.pay_on,
        next_period.immediate,
    )


def test_who_enrolled_on_the_due_date_was_not_late():
    planned = schedule(a_payable(), a_mandate(enrolled_on=JUNE_15), june(16))

    assert (june(16), True, None) == (planned.pay_on, planned.immediate, planned.unscheduled)


@pytest.mark.parametrize(
    ("due_on", "days_prior", "previous", "next_", "same"),
    [
        pytest.param(
            date(2026, 11, 20), 5, date(2026, 11, 13), date(2026, 11, 16), date(2026, 11, 15),
            id="Sunday",
        ),
        pytest.param(
            date(2026, 11, 20), 6, date(2026, 11, 13), date(2026, 11, 16), date(2026, 11, 14),
            id="Saturday",
        ),
        pytest.param(
            date(2026, 11, 30), 4, date(2026, 11, 25), date(2026, 11, 27), date(2026, 11, 26),
            id="Thanksgiving",
        ),
        pytest.param(
            date(2027, 1, 4), 3, date(2026, 12, 31), date(2027, 1, 4), date(2027, 1, 1),
            id="New Year before a weekend",
        ),
        pytest.param(
            date(2026, 11, 26), 0, date(2026, 11, 25), date(2026, 11, 25), date(2026, 11, 26),
            id="due on Thanksgiving: never later than that",
        ),
        pytest.param(
            date(2026, 7, 8), 5, date(2026, 7, 3), date(2026, 7, 3), date(2026, 7, 3),
            id="July 3 when the 4th is a Saturday: banks are open",
        ),
        pytest.param(
            date(2026, 11, 20), 4, date(2026, 11, 16), date(2026, 11, 16), date(2026, 11, 16),
            id="an ordinary Monday",
        ),
    ],
)  # fmt: skip
def test_a_day_without_banking_moves_as_the_office_says_ruling_13(
    due_on, days_prior, previous, next_, same
):
    days = [draw_date(due_on, days_prior, BANKS, setting) for setting in (PREVIOUS, NEXT, SAME)]

    assert [previous, next_, same] == days


def test_moving_to_the_day_before_can_make_a_payment_immediate():
    sunday = a_mandate(days_prior=1)  # June 14; the banking day before it is Friday the 12th

    planned = [schedule(a_payable(), sunday, june(day)) for day in (11, 12, 13)]

    assert [(june(12), False), (june(12), True), (june(13), True)] == (
        [(plan.pay_on, plan.immediate) for plan in planned]
    )


@pytest.mark.parametrize(
    ("balance", "maximum", "own_choice", "policy", "drawn"),
    [
        pytest.param("80.00", None, None, SKIP, "80.00", id="no maximum"),
        pytest.param("80.00", "80.00", None, SKIP, "80.00", id="at the maximum"),
        pytest.param("80.01", "80.00", None, SKIP, None, id="above it: skip"),
        pytest.param("80.01", "80.00", None, CAP, "80.00", id="above it: up to the maximum"),
        pytest.param("80.01", "80.00", True, SKIP, "80.00", id="the customer chose the maximum"),
        pytest.param("80.01", "80.00", False, CAP, None, id="the customer chose to skip"),
        pytest.param("80.01", "0.00", None, CAP, None, id="a maximum of nothing draws nothing"),
    ],
)
def test_above_the_maximum_rulings_3_and_5(balance, maximum, own_choice, policy, drawn):
    mandate = a_mandate(
        maximum=None if maximum is None else Money.parse(maximum), pays_up_to_maximum=own_choice
    )

    planned = schedule(a_payable(balance), mandate, june(12), policy=policy)

    if drawn is None:
        assert (Unscheduled.OVER_MAXIMUM, None) == (planned.unscheduled, planned.pay_on)
    else:
        assert (Money.parse(drawn), june(12)) == (planned.amount, planned.pay_on)


def test_an_equal_pay_amount_is_exempt_from_the_maximum():
    payable = a_payable("80.00", pays_equal_amount=True)

    planned = schedule(payable, a_mandate(maximum=Money(50_00)), june(1))

    assert (Money(80_00), None) == (planned.amount, planned.unscheduled)


@pytest.mark.parametrize(
    ("payable", "mandate", "reason"),
    [
        pytest.param(a_payable(is_held=True), a_mandate(), "held", id="held out by a waiver"),
        pytest.param(
            a_payable(status=AccountStatus.CLOSED), a_mandate(), "account-closed", id="closed"
        ),
        pytest.param(a_payable(direct_pay=True), a_mandate(), "direct-pay", id="rules 61-63"),
        pytest.param(a_payable(block_card=True), a_mandate(), "method-blocked", id="rule 138"),
        pytest.param(
            a_payable(block_ach=True), a_mandate(method_kind=ACH), "method-blocked", id="ACH"
        ),
        pytest.param(a_payable(), a_mandate(method_kind=None), "method-missing", id="no method"),
        pytest.param(a_payable("0.00"), a_mandate(), "zero-balance", id="rule 57"),
        pytest.param(a_payable(), a_mandate(maximum=Money(1)), "over-maximum", id="ruling 3"),
        pytest.param(
            a_payable(), a_mandate(enrolled_on=june(30)), "after-due-date", id="rule 81b"
        ),
        pytest.param(
            a_payable(already_processed=True), a_mandate(), "already-processed", id="rule 58"
        ),
    ],
)  # fmt: skip
def test_nothing_is_scheduled_when(payable, mandate, reason):
    planned = schedule(payable, mandate, june(20))

    assert PlannedPayment("01.1037.1", payable.balance, None, False, reason) == planned


@pytest.mark.parametrize(
    ("payable", "mandate"),
    [
        pytest.param(a_payable(block_ach=True), a_mandate(method_kind=CARD), id="ACH is blocked"),
        pytest.param(a_payable(block_card=True), a_mandate(method_kind=ACH), id="card is blocked"),
        pytest.param(a_payable(status=AccountStatus.FINAL), a_mandate(), id="final bill"),
        pytest.param(a_payable("0.01"), a_mandate(), id="a cent is owed"),
    ],
)
def test_the_other_way_of_paying_stays_open(payable, mandate):
    assert june(10) == schedule(payable, mandate, june(1)).pay_on


ALL_AT_ONCE = (
    a_payable("80.00", is_held=True, status=AccountStatus.CLOSED, direct_pay=True, block_card=True,
              already_processed=True),
    a_mandate(maximum=Money(1), enrolled_on=june(16)),
)  # fmt: skip


def test_the_first_reason_that_applies_is_given():
    payable, mandate = ALL_AT_ONCE
    cures = [
        {"is_held": False}, {"status": AccountStatus.ACTIVE}, {"direct_pay": False},
        {"block_card": False},
    ]  # fmt: skip

    reasons = [reason_not_to_schedule(payable, mandate, JUNE_15, JUNE_15, OFFICE_DEFAULTS)]
    for cure in cures:
        payable = replace(payable, **cure)
        reasons.append(reason_not_to_schedule(payable, mandate, JUNE_15, JUNE_15, OFFICE_DEFAULTS))
    for cure in ({"maximum": None}, {"enrolled_on": june(15)}):
        mandate = replace(mandate, **cure)
        reasons.append(reason_not_to_schedule(payable, mandate, JUNE_15, JUNE_15, OFFICE_DEFAULTS))

    order = [
        "held", "account-closed", "direct-pay", "method-blocked", "over-maximum", "after-due-date",
        "already-processed",
    ]  # fmt: skip
    assert order == reasons


def test_an_unknown_method_comes_before_a_zero_balance_and_that_before_the_maximum():
    unknown = a_mandate(method_kind=None, maximum=Money(1))
    owing, credit, blocked = (
        a_payable("5.00"),
        a_payable("0.00"),
        a_payable("0.00", block_ach=True, block_card=True),
    )

    reasons = [
        schedule(blocked, unknown, june(1)).unscheduled,
        schedule(credit, a_mandate(maximum=Money(-1)), june(1)).unscheduled,
        schedule(owing, a_mandate(maximum=Money(1)), june(1)).unscheduled,
    ]  # fmt: skip

    assert ["method-missing", "zero-balance", "over-maximum"] == reasons


CENTS = st.builds(Money, st.integers(-50_00, 300_00))
DAYS = st.dates(date(2026, 1, 1), date(2027, 6, 30))
PAYABLES = st.builds(
    Payable,
    account=st.just("01.1037.1"),
    status=st.sampled_from([*AccountStatus, AccountStatus.ACTIVE, AccountStatus.ACTIVE]),
    balance=CENTS,
    pays_equal_amount=st.booleans(),
    direct_pay=st.sampled_from([False, False, False, True]),
    block_ach=st.booleans(),
    block_card=st.sampled_from([False, False, True]),
    is_held=st.sampled_from([False, False, False, True]),
    already_processed=st.sampled_from([False, False, True]),
)
MANDATES = st.builds(
    Mandate,
    account=st.just("01.1037.1"),
    method_token=st.just("tok"),
    method_kind=st.sampled_from([CARD, CARD, ACH, None]),
    last4=st.just("4242"),
    days_prior=st.integers(0, 31),
    maximum=st.none() | CENTS,
    enrolled_on=DAYS,
    pays_up_to_maximum=st.sampled_from([None, True, False]),
)
POLICIES = st.builds(AutopayPolicy, st.sampled_from(OnClosedDay), st.sampled_from(OverMaximum))


@given(PAYABLES, MANDATES, DAYS, DAYS, POLICIES)
@examples
def test_every_enrollment_gets_a_payment_or_a_reason_rule_82(payable, mandate, due, today, policy):
    planned = schedule(payable, mandate, today, due_on=due, policy=policy)

    assert (planned.pay_on is None) == (planned.unscheduled is not None)
    assert reason_not_to_schedule(payable, mandate, due, today, policy) == planned.unscheduled
    assert planned.immediate <= (planned.pay_on is not None)


@given(PAYABLES, MANDATES, DAYS, DAYS, POLICIES)
@examples
def test_never_more_is_drawn_than_is_owed_or_allowed(payable, mandate, due, today, policy):
    planned = schedule(payable, mandate, today, due_on=due, policy=policy)
    if planned.pay_on is None:
        return

    assert ZERO < planned.amount <= payable.balance
    if mandate.maximum is not None and not payable.pays_equal_amount:
        assert planned.amount <= mandate.maximum
    if planned.amount < payable.balance:
        assert mandate.maximum == planned.amount


@given(PAYABLES, MANDATES, DAYS, DAYS, POLICIES)
@examples
def test_a_payment_is_neither_in_the_past_nor_after_the_due_date(
    payable, mandate, due, today, policy
):
    planned = schedule(payable, mandate, today, due_on=due, policy=policy)
    if planned.pay_on is None:
        return

    chosen = draw_date(due, mandate.days_prior, BANKS, policy.on_closed_day)
    assert planned.immediate == (chosen <= today)
    assert planned.pay_on == (today if planned.immediate else chosen)
    assert today <= planned.pay_on
    assert planned.pay_on <= due or planned.pay_on == today


@given(DAYS, st.integers(0, 31), st.sampled_from([PREVIOUS, NEXT]))
@examples
def test_money_is_drawn_on_a_banking_day_never_past_the_due_date(due, days_prior, setting):
    wanted = due - timedelta(days=days_prior)

    day = draw_date(due, days_prior, BANKS, setting)

    assert is_working_day(day, BANKS)
    assert day <= due
    if is_working_day(wanted, BANKS):
        assert wanted == day
    between = (wanted + timedelta(days=n) for n in range(1, (day - wanted).days))
    assert not any(is_working_day(passed, BANKS) for passed in between)


@given(PAYABLES, MANDATES, DAYS, POLICIES)
@examples
def test_enrolling_is_scheduling_on_that_day_ruling_21(payable, mandate, due, policy):
    enrolled = enroll(payable, mandate, due_on=due, policy=policy)
    scheduled = schedule(payable, mandate, mandate.enrolled_on, due_on=due, policy=policy)

    assert scheduled == enrolled


@pytest.mark.parametrize(
    ("balance", "is_arranged", "reason"),
    [
        ("0.00", True, Unscheduled.ARRANGED),
        ("80.00", True, None),
        ("0.00", False, Unscheduled.ZERO_BALANCE),
    ],
)
def test_where_a_plan_puts_off_all_that_is_open_that_is_the_reason(balance, is_arranged, reason):
    payable = a_payable(balance, is_arranged=is_arranged)

    assert reason == reason_not_to_schedule(payable, a_mandate(), JUNE_15, june(1), OFFICE_DEFAULTS)


def test_of_whom_no_plan_is_told_none_puts_anything_off():
    situation = situation_of(a_payable(), a_mandate(), JUNE_15, june(1))
    said = {name: getattr(situation, name) for name in Situation.__dataclass_fields__}
    del said["is_arranged"]

    assert situation == Situation(**said)
    assert 30 == MOST_DAYS_PRIOR
