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
    FIRST_AFTER,
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


@pytest.mark.parametrize(("every", "days"), [(Every.WEEK, 7), (Every.TWO_WEEKS, 14)])
def test_a_plan_by_weeks_keeps_its_day_of_the_week(every, days):
    dated = spread(Money(40_01), 3, TODAY, every)

    assert [
        (TODAY, Money(13_34)),
        (TODAY + timedelta(days=days), Money(13_34)),
        (TODAY + timedelta(days=2 * days), Money(13_33)),
    ] == dated


@pytest.mark.parametrize("number", [0, MOST_INSTALLMENTS + 1])
def test_a_plan_has_so_many_installments_at_most(number):
    with pytest.raises(Misuse, match="A plan has 1 to 36 installments") as refused:
        spread(Money(500_00), number, TODAY, Every.WEEK)

    assert "bad-installments" == refused.value.code


def test_what_is_too_little_for_a_cent_each_is_not_split():
    with pytest.raises(Misuse, match=r"\$0.02 cannot be split into 3 installments") as refused:
        spread(Money(2), 3, TODAY, Every.WEEK)

    assert "bad-installments" == refused.value.code


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


def test_installments_are_paid_by_their_days_in_whichever_order_they_are_told():
    later, earlier = plan(("2026-12-25", "50.00")), plan(("2026-11-25", "50.00"))

    found = standing_of([*later, *earlier], Money(30_00), Money(70_00), TODAY)

    assert [(1, date(2026, 11, 25), Money(30_00)), (2, date(2026, 12, 25), ZERO)] == [
        (one.number, one.due_on, one.paid) for one in found.installments
    ]


def test_a_plan_that_was_paid_to_the_cent_is_paid_whatever_else_is_owed():
    found = standing_of(plan(("2026-11-01", "50.00")), Money(50_00), Money(9_00), TODAY)

    assert (True, ZERO) == (found.is_paid, found.missing)


@pytest.mark.parametrize(
    ("dated", "code", "said"),
    [
        pytest.param([], "bad-installments", "A plan has 1 to 36 installments, each on a day",
                     id="no installment"),
        pytest.param([(TODAY + timedelta(days=n), Money(1)) for n in range(37)],
                     "bad-installments", "A plan has 1 to 36", id="one too many"),
        pytest.param([(TODAY, Money(0))], "bad-installments", "Each installment is above zero",
                     id="one of nothing"),
        pytest.param([(TODAY, Money(1)), (TODAY + timedelta(days=1), Money(0))],
                     "bad-installments", "Each installment is above zero", id="another of nothing"),
        pytest.param([(TODAY, Money(1)), (TODAY, Money(1))], "bad-installments",
                     "each on a day of its own", id="two of one day"),
        pytest.param([(TODAY - timedelta(days=1), Money(1))], "bad-installments",
                     "The installment of 2026-11-24 is past", id="one that is past"),
        pytest.param([(TODAY, Money(60_01)), (TODAY + timedelta(days=1), Money(40_00))],
                     "over-open-balance",
                     "The installments are $100.01 together; $100.00 is open and not on its way",
                     id="more than is open"),
        pytest.param([(TODAY + timedelta(days=3 * 366 + 1), Money(1))], "bad-installments",
                     "The installment of 2029-11-28 is too far away", id="one too far away"),
    ],
)  # fmt: skip
def test_it_is_no_plan_with(dated, code, said):
    with pytest.raises(Misuse) as refused:
        agree(dated, Money(100_00), TODAY, 3)

    assert code == refused.value.code
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("dated", "payable"),
    [
        pytest.param([(TODAY, Money(100_00))], 100_00, id="one of today, of all that is open"),
        pytest.param([(TODAY + timedelta(days=3 * 366), Money(1))], 1, id="the last day of all"),
        pytest.param([(TODAY + timedelta(days=n), Money(1)) for n in range(36)], 36,
                     id="as many as there may be"),
    ],
)  # fmt: skip
def test_it_is_just_a_plan_with(dated, payable):
    agreed = agree(dated[::-1], Money(payable), TODAY, 3)

    assert [(day, amount, day + timedelta(days=3)) for day, amount in dated] == [
        (one.due_on, one.amount, one.last_day) for one in agreed
    ]


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
        ({"open_balance": Money(50_00)}, LIMITS, None),
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
    four = [(TODAY + timedelta(days=n), Money(25_00)) for n in range(4)]
    assert is_within(four, LIMITS, TODAY)
    assert not is_within([*four, (TODAY + timedelta(days=9), Money(25_00))], LIMITS, TODAY)
    assert (4, 2, 1) == tuple(
        most_installments(Money(cents), LIMITS) for cents in (120_00, 60_00, 49_99)
    )


@pytest.mark.parametrize("every", Every)
def test_a_plan_that_ends_after_the_last_day_of_all_calendars_is_refused(every):
    with pytest.raises(Misuse, match="9999-12-31 is no day to begin a plan on"):
        spread(Money(120_00), 3, date(9999, 12, 31), every)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: spread(Money(40_00), 0, TODAY, Every.WEEK), "A plan has 1 to 36 installments."),
        (
            lambda: spread(Money(2), 3, TODAY, Every.WEEK),
            "$0.02 cannot be split into 3 installments.",
        ),
        (
            lambda: spread(Money(40_00), 4, date(9999, 12, 30), Every.WEEK),
            "9999-12-30 is no day to begin a plan on.",
        ),
        (
            lambda: agree([], Money(40_00), TODAY, 3),
            "A plan has 1 to 36 installments, each on a day of its own.",
        ),
        (
            lambda: agree([(TODAY, ZERO)], Money(40_00), TODAY, 3),
            "Each installment is above zero.",
        ),
        (
            lambda: agree([(TODAY - timedelta(days=1), Money(1))], Money(40_00), TODAY, 3),
            "The installment of 2026-11-24 is past.",
        ),
        (
            lambda: agree([(TODAY + timedelta(days=3 * 366 + 1), Money(1))], Money(1), TODAY, 3),
            "The installment of 2029-11-28 is too far away.",
        ),
    ],
)
def test_what_is_no_plan_is_refused_with_a_sentence(make, sentence):
    with pytest.raises(Misuse) as refused:
        make()

    assert (sentence, "bad-installments") == (refused.value.message, refused.value.code)


def test_more_than_is_open_is_refused_with_both_amounts():
    with pytest.raises(Misuse) as refused:
        agree([(TODAY, Money(40_01))], Money(40_00), TODAY, 3)

    assert ("over-open-balance", "The installments are $40.01 together; $40.00 is open and not on "
            "its way.") == (refused.value.code, refused.value.message)  # fmt: skip


def test_one_installment_is_a_plan_and_the_most_are():
    assert [(TODAY, Money(40_00))] == spread(Money(40_00), 1, TODAY, Every.MONTH)
    assert 36 == len(spread(Money(40_00), 36, TODAY, Every.WEEK))


def test_an_office_that_says_nothing_lets_no_customer_make_a_plan():
    assert CustomerLimits(False, 4, 90, ZERO, ZERO, 180) == CustomerLimits()
    assert timedelta(days=14) == FIRST_AFTER
