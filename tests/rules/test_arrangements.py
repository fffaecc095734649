"""Splitting a balance by dates, and when a plan is kept or broken."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.arrangements import Installment
from domain.failures import Misuse
from domain.money import ZERO, Money
from rules.money.arrangements import (
    MOST_INSTALLMENTS,
    CustomerLimits,
    CustomerRefusal,
    Every,
    PlanSituation,
    agree,
    is_within,
    most_installments,
    refuse_customer,
    spread,
    standing_of,
)

TODAY = date(2026, 11, 25)
LIMITS = CustomerLimits(True, 4, 90, Money(25_00), Money(500_00), 180)
amounts = st.integers(1, 500_000).map(Money)


def plan(*parts: tuple[str, str], grace: int = 3) -> list[Installment]:
    return [
        Installment(day, Money.parse(amount), day + timedelta(days=grace))
        for day, amount in ((date.fromisoformat(day), amount) for day, amount in parts)
    ]


@given(amounts, st.integers(1, MOST_INSTALLMENTS), st.sampled_from(Every), st.dates(TODAY))
def test_installments_sum_to_the_balance_to_the_cent(amount, number, every, first):
    if first.year > 9990:
        return
    if amount.cents < number:
        with pytest.raises(Misuse):
            spread(amount, number, first, every)
        return

    dated = spread(amount, number, first, every)

    parts = [part.cents for _, part in dated]
    days = [day for day, _ in dated]
    assert (amount, number, first) == (Money(sum(parts)), len(dated), days[0])
    assert max(parts) - min(parts) <= 1 and parts == sorted(parts, reverse=True)
    assert days == sorted(set(days))


def test_a_plan_by_months_keeps_the_day_or_takes_the_months_last_one():
    days = [day for day, _ in spread(Money(40_00), 4, date(2026, 11, 30), Every.MONTH)]

    assert [
        date(2026, 11, 30), date(2026, 12, 30), date(2027, 1, 30), date(2027, 2, 28)
    ] == days  # fmt: skip


@given(
    st.lists(st.tuples(st.integers(0, 200), amounts), min_size=1, max_size=12),
    st.integers(-1_000, 2_000_000).map(Money),
    amounts,
    st.integers(0, 10),
    st.integers(-5, 230),
)
def test_a_plan_is_broken_if_and_only_if_more_was_due_with_its_grace_than_was_paid(
    parts, paid, left_open, grace, day
):
    due = {TODAY + timedelta(days=after): amount for after, amount in parts}
    installments = [
        Installment(on, amount, on + timedelta(days=grace)) for on, amount in due.items()
    ]
    today = TODAY + timedelta(days=day)

    found = standing_of(installments, paid, left_open, today)

    total = sum(amount.cents for amount in due.values())
    owed = sum(amount.cents for on, amount in due.items() if on + timedelta(days=grace) < today)
    assert (found.missing > ZERO) == (owed > max(paid.cents, 0))
    assert found.is_paid == (paid.cents >= total)
    assert not (found.is_paid and found.missing)
    assert total == sum(one.paid.cents + one.open.cents for one in found.installments)
    assert min(max(paid.cents, 0), total) == sum(one.paid.cents for one in found.installments)
    opened = [one.open > ZERO for one in found.installments]
    assert opened == sorted(opened)  # paid by due order: after the first open one all are


def test_a_plan_is_paid_where_nothing_is_owed_any_more():
    found = standing_of(plan(("2026-11-01", "50.00")), ZERO, ZERO, TODAY)

    assert (True, ZERO) == (found.is_paid, found.missing)


def test_the_last_day_of_grace_is_in_time_and_the_day_after_is_not():
    parts = plan(("2026-11-25", "50.00"), ("2026-12-25", "50.00"))

    in_time = standing_of(parts, Money(49_99), Money(50_01), date(2026, 11, 28))
    late = standing_of(parts, Money(49_99), Money(50_01), date(2026, 11, 29))

    assert (ZERO, Money(1)) == (in_time.missing, late.missing)


@pytest.mark.parametrize(
    "dated",
    [
        pytest.param([], id="no installment"),
        pytest.param([(TODAY, Money(0))], id="one of nothing"),
        pytest.param([(TODAY, Money(1)), (TODAY, Money(1))], id="two of one day"),
        pytest.param([(TODAY - timedelta(days=1), Money(1))], id="one that is past"),
        pytest.param([(TODAY, Money(100_01))], id="more than is open"),
        pytest.param([(TODAY + timedelta(days=1_200), Money(1))], id="one too far away"),
    ],
)
def test_it_is_no_plan_with(dated):
    with pytest.raises(Misuse):
        agree(dated, Money(100_00), TODAY, 3)


def a_situation(**changes):
    facts = {
        "open_balance": Money(120_00), "on_its_way": ZERO, "has_plan": False,
        "is_drawn_soon": False, "last_plan_on": None,
    }  # fmt: skip
    return PlanSituation(**facts | changes)


@pytest.mark.parametrize(
    ("changes", "limits", "refusal"),
    [
        ({}, CustomerLimits(), CustomerRefusal.NOT_ALLOWED),
        ({"has_plan": True}, LIMITS, CustomerRefusal.HAS_PLAN),
        ({"open_balance": ZERO}, LIMITS, CustomerRefusal.NOTHING_OPEN),
        ({"on_its_way": Money(1)}, LIMITS, CustomerRefusal.ON_ITS_WAY),
        ({"is_drawn_soon": True}, LIMITS, CustomerRefusal.AUTOPAY),
        ({"open_balance": Money(500_01)}, LIMITS, CustomerRefusal.TOO_MUCH_OPEN),
        ({"open_balance": Money(49_99)}, LIMITS, CustomerRefusal.TOO_LITTLE_OPEN),
        ({"last_plan_on": TODAY - timedelta(days=179)}, LIMITS, CustomerRefusal.TOO_SOON),
        ({"last_plan_on": TODAY - timedelta(days=180)}, LIMITS, None),
        ({"open_balance": Money(500_00)}, LIMITS, None),
    ],
)
def test_a_customer_may_make_a_plan_within_the_offices_limits(changes, limits, refusal):
    assert refusal == refuse_customer(a_situation(**changes), limits, TODAY)


def test_a_customers_plan_keeps_to_number_days_and_smallest_installment():
    two = [(TODAY, Money(25_00)), (TODAY + timedelta(days=90), Money(25_00))]

    assert is_within(two, LIMITS, TODAY)
    assert not is_within([*two, (TODAY + timedelta(days=91), Money(25_00))], LIMITS, TODAY)
    assert not is_within([*two, (TODAY + timedelta(days=9), Money(24_99))], LIMITS, TODAY)
    assert not is_within(two[:1], LIMITS, TODAY)
    assert (4, 2, 1) == tuple(
        most_installments(Money(cents), LIMITS) for cents in (120_00, 60_00, 49_99)
    )


@pytest.mark.parametrize("every", Every)
def test_a_plan_that_ends_after_the_last_day_of_all_calendars_is_refused(every):
    with pytest.raises(Misuse, match="9999-12-31 is no day to begin a plan on"):
        spread(Money(120_00), 3, date(9999, 12, 31), every)
