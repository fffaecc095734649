"""The schedule-payments run over the books: who pays what on which day, and who does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from database.tables import autopay_unscheduled, balance_due, gateway_payment
from domain.accounts import AccountStatus
from domain.failures import Refused
from domain.money import ZERO, Money
from domain.payments import PaymentState
from payments.scheduling.planning import ScheduleCounts
from payments.scheduling.scheduling import schedule_counts
from rules.money.autopay import AutopayPolicy, OverMaximum
from tests.builders import (
    ACH,
    CARD,
    CLOSING_DAY,
    DUE,
    RUN,
    a_household,
    a_mandate,
    close_run,
    empty,
    few_examples,
    stage_run,
)
from tests.payments.scheduling_builders import plan, schedule

FRIDAY_13 = date(2026, 11, 13)  # five days before the due date is a Sunday


def scheduled(database, period=RUN) -> dict[str, tuple[Money, date, bool]]:
    """List (i), rule 75."""
    rows = gateway_payment.c
    with database.reading() as books:
        query = sa.select(rows.account, rows.amount, rows.pay_on, rows.immediate)
        return {
            account: tuple(rest)
            for account, *rest in books.execute(query.where(rows.period == period))
        }


def unscheduled(database, period=RUN) -> dict[str, str]:
    """List (ii), rule 81."""
    rows = autopay_unscheduled.c
    with database.reading() as books:
        query = sa.select(rows.account, rows.reason).where(rows.period == period)
        return {account: str(reason) for account, reason in books.execute(query)}


def pay(database, amount: str, account_key: str = "1") -> None:
    with database.writing() as books:
        books.execute(
            balance_due.update()
            .where(balance_due.c.account_key == account_key)
            .values(paid=Money.parse(amount))
        )


def test_everybody_enrolled_is_in_one_of_the_two_lists(database):
    stage_run(
        database,
        a_household("1", balance="80.00"),
        a_household("2", a_mandate("2", days_prior=0), balance="12.34"),
        a_household("3", balance="0.00"),
        a_household("4", balance="-5.00"),
        a_household("5", a_mandate("5", maximum=Money(10_00))),
        a_household("6", direct_pay=True),
        a_household("7", block_card=True),
        a_household("8", status=AccountStatus.CLOSED),
        a_household("9", mandates=()),
        a_household("10", mandates=(), cancelled=(a_mandate("10"),)),
        a_household("11", held=True),
        a_household("12", a_mandate("12", enrolled_on=DUE + timedelta(days=1))),
    )
    close_run(database)

    counts = schedule(database)

    assert {"1": (Money(80_00), FRIDAY_13, False), "2": (Money(12_34), DUE, False)} == (
        scheduled(database)
    )
    assert {
        "3": "zero-balance",
        "4": "zero-balance",
        "5": "over-maximum",
        "6": "direct-pay",
        "7": "method-blocked",
        "8": "account-closed",
        "11": "held",
        "12": "after-due-date",
    } == unscheduled(database)
    assert ScheduleCounts(2, 0, 8, Money(92_34)) == counts == schedule_counts(database, RUN)


def test_scheduling_before_the_close_is_refused_rule_9(database):
    stage_run(database, a_household("1"))

    with pytest.raises(Refused, match=r"Period 2026-10 is not closed.*`billclose close") as refused:
        schedule(database)

    assert ("period-open", {}, {}) == (
        refused.value.code,
        scheduled(database),
        unscheduled(database),
    )


def test_planning_before_the_close_gives_the_figures_of_scheduling_after_it(database):
    stage_run(
        database,
        a_household("1"),
        a_household("2", balance="0.00"),
        a_household("3", equal_pay_amount=Money(55_00)),
    )

    planned = plan(database)
    assert ({}, {}) == (scheduled(database), unscheduled(database))
    close_run(database)

    assert planned == schedule(database)
    assert ScheduleCounts(2, 0, 1, Money(135_00)) == planned


def test_scheduling_twice_adds_nothing(database):
    stage_run(database, a_household("1"), a_household("2", balance="0.00"))
    close_run(database)
    first = schedule(database)
    lists = scheduled(database), unscheduled(database)

    again = schedule(database, today=DUE)

    assert first == again
    assert lists == (scheduled(database), unscheduled(database))


@pytest.mark.parametrize("state", PaymentState)
def test_a_payment_in_whatever_state_is_never_scheduled_again_rule_58(database, state):
    stage_run(database, a_household("1"))
    close_run(database)
    schedule(database)
    with database.writing() as books:
        books.execute(gateway_payment.update().values(state=state))

    schedule(database)

    with database.reading() as books:
        rows = books.execute(sa.select(gateway_payment.c.key, gateway_payment.c.state)).all()
    assert [(f"autopay/{RUN}/1", state)] == [tuple(row) for row in rows]
    taken_off = state is PaymentState.CANCELLED  # enrolled, and in no list otherwise: rule 82
    assert ({"1": "already-processed"} if taken_off else {}) == unscheduled(database)
    assert (state is not PaymentState.CANCELLED) == (schedule_counts(database, RUN).scheduled == 1)


def test_planning_again_leaves_what_is_scheduled_alone(database):
    stage_run(database, a_household("1"))
    close_run(database)
    schedule(database)

    assert ScheduleCounts(0, 0, 0, ZERO) == plan(database)
    assert ["1"] == list(scheduled(database))


@pytest.mark.parametrize(
    ("today", "pay_on", "immediate"),
    [
        pytest.param(date(2026, 11, 12), FRIDAY_13, False, id="on time"),
        pytest.param(FRIDAY_13, FRIDAY_13, True, id="on the day itself"),
        pytest.param(date(2026, 11, 17), date(2026, 11, 17), True, id="late, rule 59"),
        pytest.param(date(2026, 11, 24), date(2026, 11, 24), True, id="after the due date"),
    ],
)
def test_a_late_schedule_draws_at_once(database, today, pay_on, immediate):
    stage_run(database, a_household("1"))
    close_run(database)

    counts = schedule(database, today=today)

    assert {"1": (Money(80_00), pay_on, immediate)} == scheduled(database)
    assert int(immediate) == counts.immediate


def test_what_was_paid_since_the_close_is_not_drawn_rules_39_and_72(database):
    stage_run(database, a_household("1"), a_household("2"), a_household("3"))
    close_run(database)
    pay(database, "30.00", "1")
    pay(database, "80.00", "2")
    pay(database, "80.01", "3")

    schedule(database)

    assert {"1": (Money(50_00), FRIDAY_13, False)} == scheduled(database)
    assert {"2": "zero-balance", "3": "zero-balance"} == unscheduled(database)


@pytest.mark.parametrize(
    ("status", "drawn"), [(AccountStatus.ACTIVE, "55.00"), (AccountStatus.FINAL, "80.00")]
)
def test_the_equal_pay_amount_is_drawn_while_the_account_is_active_rule_41(database, status, drawn):
    low_maximum = a_mandate("1", maximum=Money(100_00))
    stage_run(database, a_household("1", low_maximum, status=status, equal_pay_amount=Money(55_00)))
    close_run(database)

    schedule(database)

    assert Money.parse(drawn) == scheduled(database)["1"][0]


def test_the_newest_of_two_mandates_counts(database):
    older = a_mandate("1", method_token="tok_old", days_prior=0)
    newer = a_mandate("1", method_token="tok_new", method_kind=ACH, last4="0113", days_prior=5)
    stage_run(database, a_household("1", older, replace(newer, enrolled_on=date(2026, 10, 1))))
    close_run(database)

    counts = schedule(database)

    row = gateway_payment.c
    with database.reading() as books:
        found = books.execute(sa.select(row.method_token, row.method_kind, row.last4, row.pay_on))
        assert [("tok_new", ACH, "0113", FRIDAY_13)] == [tuple(one) for one in found]
    assert 1 == counts.scheduled


def test_a_cancelled_mandate_does_not_count_though_it_is_newer(database):
    kept, cancelled = a_mandate("1"), a_mandate("1", method_token="tok_new", days_prior=0)
    stage_run(database, a_household("1", kept, cancelled=(cancelled,)))
    close_run(database)

    schedule(database)

    assert FRIDAY_13 == scheduled(database)["1"][1]


def test_a_mandate_whose_method_the_export_does_not_know_is_listed(database):
    stage_run(database, a_household("1", a_mandate("1", method_kind=None)))
    close_run(database)

    schedule(database)

    assert ({}, {"1": "method-missing"}) == (scheduled(database), unscheduled(database))


def test_above_the_maximum_the_office_may_draw_up_to_it_ruling_3(database):
    stage_run(database, a_household("1", a_mandate("1", maximum=Money(50_00))))
    close_run(database)

    schedule(database, policy=AutopayPolicy(over_maximum=OverMaximum.CAP))

    assert Money(50_00) == scheduled(database)["1"][0]


def test_a_period_whose_balance_moved_on_is_not_drawn_any_more_rule_41(database):
    """October forgotten until November is closed: November's balance holds October's amount."""
    stage_run(database, a_household("1", balance="80.00"), a_household("2", balance="20.00"))
    close_run(database)
    november = {"period": "2026-11", "due_on": date(2026, 12, 18), "ends_on": date(2026, 11, 30)}
    stage_run(database, a_household("1", balance="150.00"), **november)
    close_run(database, "2026-11")
    today = date(2026, 12, 1)

    schedule(database, today)
    schedule(database, today, "2026-11")

    assert {"1": (Money(150_00), date(2026, 12, 11), False)} == scheduled(database, "2026-11")
    assert {"2": (Money(20_00), today, True)} == scheduled(database)
    assert {"1": "zero-balance"} == unscheduled(database)


NUMBERS = st.lists(st.integers(1, 40), min_size=1, max_size=8, unique=True)


@st.composite
def towns(draw):
    return [draw(_households(str(number))) for number in draw(NUMBERS)]


@st.composite
def _households(draw, number: str):
    return a_household(
        number,
        mandates=tuple(draw(st.lists(_mandates(number), max_size=2))),
        cancelled=tuple(draw(st.lists(_mandates(number), max_size=1))),
        held=draw(st.sampled_from([False, False, False, True])),
        closing_balance=Money(draw(st.integers(-20_00, 150_00))),
        equal_pay_amount=draw(st.none() | st.just(Money(55_00))),
        status=draw(st.sampled_from([*AccountStatus, AccountStatus.ACTIVE])),
        direct_pay=draw(st.sampled_from([False, False, True])),
        block_card=draw(st.booleans()),
        block_ach=draw(st.booleans()),
    )


def _mandates(number: str):
    return st.builds(
        a_mandate,
        st.just(number),
        method_token=st.sampled_from([f"tok_{number}_a", f"tok_{number}_b"]),
        method_kind=st.sampled_from([CARD, ACH, None]),
        days_prior=st.integers(0, 20),
        maximum=st.none() | st.builds(Money, st.integers(0, 150_00)),
        enrolled_on=st.dates(date(2026, 9, 1), date(2026, 12, 1)),
    )


@given(towns(), st.dates(CLOSING_DAY, date(2026, 12, 5)))
@few_examples
def test_the_two_lists_share_out_the_enrolled_accounts_of_any_town_rule_82(database, town, today):
    empty(database)
    stage_run(database, *town)
    planned = plan(database, today)
    close_run(database)

    counts = schedule(database, today)

    enrolled = {household.account.number for household in town if household.mandates}
    drawn, spared = scheduled(database), unscheduled(database)
    assert (enrolled, set()) == (drawn.keys() | spared.keys(), drawn.keys() & spared.keys())
    assert planned == counts == schedule(database, today)
    assert (len(drawn), len(spared)) == (counts.scheduled, counts.unscheduled)
    assert Money.total(amount for amount, _, _ in drawn.values()) == counts.amount
    assert sum(immediate for _, _, immediate in drawn.values()) == counts.immediate
    for household in town:
        if household.account.number in drawn:
            amount, pay_on, _ = drawn[household.account.number]
            assert ZERO < amount <= max(household.account.closing_balance, Money(55_00))
            assert today <= pay_on and (pay_on <= DUE or pay_on == today)
            assert not household.held and not household.account.direct_pay
