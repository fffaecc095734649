"""What is drawn when the day has come, and why sometimes nothing is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.accounts import AccountStatus
from domain.money import ZERO, Money
from domain.payments import MethodKind
from rules.money.autopay import AutopayPolicy, OverMaximum
from rules.money.drawing import Drawable, NoDraw, decide_draw
from tests.builders import ACH, CARD, OFFICE_DEFAULTS, examples

UP_TO = AutopayPolicy(over_maximum=OverMaximum.CAP)


def a_drawable(amount="80.00", owed: str | None = "80.00", **changes) -> Drawable:
    open_balance = None if owed is None else Money.parse(owed)
    facts = {"method_kind": CARD, "status": AccountStatus.ACTIVE}
    return Drawable(Money.parse(amount), open_balance, **facts | changes)


@pytest.mark.parametrize(
    ("amount", "owed", "drawn"),
    [
        pytest.param("80.00", "80.00", 80_00, id="all of it"),
        pytest.param("80.00", "30.00", 30_00, id="what was paid meanwhile is not drawn"),
        pytest.param("80.00", "95.00", 80_00, id="never more than the customer was told"),
    ],
)
def test_what_is_still_owed_is_drawn(amount, owed, drawn):
    """Rule 39."""
    assert Money(drawn) == decide_draw(a_drawable(amount, owed), OFFICE_DEFAULTS)


@pytest.mark.parametrize(
    ("drawable", "reason"),
    [
        (a_drawable(is_in_doubt=True, owed="0.00"), NoDraw.IN_DOUBT),
        (a_drawable(owed=None), NoDraw.BALANCE_MOVED),
        (a_drawable(owed="0.00"), NoDraw.PAID_MEANWHILE),
        (a_drawable(owed="-5.00"), NoDraw.PAID_MEANWHILE),
        (a_drawable(is_held=True), NoDraw.HELD),
        (a_drawable(status=AccountStatus.CLOSED), NoDraw.ACCOUNT_CLOSED),
        (a_drawable(direct_pay=True), NoDraw.DIRECT_PAY),
        (a_drawable(is_mandate_ended=True), NoDraw.MANDATE_ENDED),
        (a_drawable(block_card=True), NoDraw.METHOD_BLOCKED),
        (a_drawable(method_kind=ACH, block_ach=True), NoDraw.METHOD_BLOCKED),
        (a_drawable(is_suspended=True), NoDraw.METHOD_SUSPENDED),
        (a_drawable(maximum=Money(79_99)), NoDraw.OVER_MAXIMUM),
        (a_drawable(maximum=Money(0), pays_up_to_maximum=True), NoDraw.OVER_MAXIMUM),
        (a_drawable(deferred=Money(80_00)), NoDraw.ARRANGED),
        (a_drawable(owed="30.00", is_again=True), NoDraw.AMOUNT_CHANGED),
        (a_drawable(maximum=Money(10_00), pays_up_to_maximum=False), NoDraw.OVER_MAXIMUM),
    ],
)
def test_nothing_is_drawn_and_the_reason_is_named(drawable, reason):
    assert reason is decide_draw(drawable, OFFICE_DEFAULTS)


@pytest.mark.parametrize("reason", NoDraw)
def test_only_a_draw_in_doubt_lets_a_payment_wait(reason):
    assert (reason is NoDraw.IN_DOUBT) == reason.waits


def test_a_block_of_the_other_way_to_pay_changes_nothing():
    """Rule 136."""
    drawn = decide_draw(a_drawable(method_kind=ACH, block_card=True), OFFICE_DEFAULTS)

    assert Money(80_00) == drawn


@pytest.mark.parametrize(
    ("drawable", "policy"),
    [
        (a_drawable(maximum=Money(50_00)), UP_TO),
        (a_drawable(maximum=Money(50_00), pays_up_to_maximum=True), OFFICE_DEFAULTS),
    ],
)
def test_up_to_the_maximum_is_drawn_where_that_was_chosen(drawable, policy):
    assert Money(50_00) == decide_draw(drawable, policy)


def test_what_a_plan_puts_off_is_not_drawn_and_the_rest_is():
    drawable = a_drawable("80.00", "95.00", deferred=Money(35_00))

    assert Money(60_00) == decide_draw(drawable, OFFICE_DEFAULTS)


def test_what_came_back_is_drawn_again_with_the_same_amount():
    """Nacha allows no other."""
    assert Money(80_00) == decide_draw(a_drawable(is_again=True), OFFICE_DEFAULTS)


def test_the_list_of_payments_says_why_nothing_was_drawn():
    """Rule 79."""
    assert "not drawn: balance-moved" == NoDraw.BALANCE_MOVED.as_error


def test_what_is_just_the_maximum_is_drawn():
    assert Money(80_00) == decide_draw(a_drawable(maximum=Money(80_00)), OFFICE_DEFAULTS)


def test_an_equal_pay_amount_is_exempt_from_the_maximum():
    drawable = a_drawable(maximum=Money(50_00), pays_equal_amount=True)

    assert Money(80_00) == decide_draw(drawable, OFFICE_DEFAULTS)


CENTS = st.builds(Money, st.integers(-200_00, 200_00))
DRAWABLES = st.builds(
    Drawable,
    amount=st.builds(Money, st.integers(1, 200_00)),
    open_balance=st.none() | CENTS,
    method_kind=st.sampled_from(MethodKind),
    status=st.sampled_from(AccountStatus),
    maximum=st.none() | st.builds(Money, st.integers(0, 200_00)),
    pays_up_to_maximum=st.none() | st.booleans(),
    **{
        name: st.booleans()
        for name in (
            "pays_equal_amount", "direct_pay", "block_ach", "block_card", "is_held",
            "is_mandate_ended", "is_suspended", "is_in_doubt",
        )
    },
)  # fmt: skip
POLICIES = st.builds(AutopayPolicy, over_maximum=st.sampled_from(OverMaximum))


@given(DRAWABLES, POLICIES)
@examples
def test_never_more_than_is_owed_agreed_and_within_the_maximum(drawable, policy):
    drawn = decide_draw(drawable, policy)

    if isinstance(drawn, Money):
        assert ZERO < drawn <= min(drawable.amount, drawable.open_balance or ZERO)
        if drawable.maximum is not None and not drawable.pays_equal_amount:
            assert drawn <= drawable.maximum
        blocked = drawable.block_ach if drawable.method_kind is ACH else drawable.block_card
        forbidden = (
            blocked, drawable.is_held, drawable.is_suspended, drawable.is_in_doubt,
            drawable.direct_pay, drawable.is_mandate_ended,
            drawable.status is AccountStatus.CLOSED,
        )  # fmt: skip
        assert not any(forbidden)


@given(DRAWABLES, POLICIES)
@examples
def test_nothing_is_drawn_while_another_draw_is_in_doubt(drawable, policy):
    assert NoDraw.IN_DOUBT is decide_draw(replace(drawable, is_in_doubt=True), policy)
