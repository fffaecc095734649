"""Payments by hand: what is read of an amount, what a way of paying costs, what is not taken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.checkout import NotTaken, PayableAccount, PayLine, PayMethod, PayWallet, Refusal
from domain.money import ZERO, Money
from domain.payments import MethodKind
from rules.money.checkout import (
    MOST,
    CheckoutPolicy,
    FeeKind,
    ServiceFee,
    offered_methods,
    parse_payment,
    parse_percent,
    payable_kinds,
    payable_now,
    refuse_checkout,
)
from tests.builders import ACH, CARD


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("45.50", "45.50"),
        ("$45", "45.00"),
        ("1,027.35", "1027.35"),
        (" $1.5 ", "1.50"),
        ("0.01", "0.01"),
    ],
)
def test_an_amount_is_read_as_customers_type_it(typed, amount):
    assert amount == str(parse_payment(typed))


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "45,50",
        "800,00",
        "1.027,35",
        "0",
        "0.00",
        "-5",
        "(5.00)",
        "12.345",
        "45 50",
        "١٢",
        "1e3",
    ],
)
def test_what_could_be_read_in_two_ways_is_asked_again(typed):
    with pytest.raises(ValueError):
        parse_payment(typed)


@pytest.mark.parametrize("typed", ["0", "0.00"])
def test_nothing_is_no_payment(typed):
    with pytest.raises(ValueError, match=r"^not an amount above zero$"):
        parse_payment(typed)


def test_whoever_is_not_said_to_be_a_guest_is_none():
    known = {"key 1": an_account()}

    assert None is refuse_checkout([of("copies", 50)], known, ANN, "card", CART)


@pytest.mark.parametrize(
    ("percent", "fixed", "amount", "fee"),
    [
        ("2.95", 0, "100.00", "2.95"),
        ("2.5", 25, "80.00", "2.25"),
        ("2.5", 0, "0.20", "0.01"),  # half a cent is rounded up
        ("0.001", 0, "499.99", "0.00"),  # less than half a cent is not
        ("0", 150, "80.00", "1.50"),
        ("0", 0, "80.00", "0.00"),
    ],
)
def test_a_fee_is_a_share_and_a_fixed_amount(percent, fixed, amount, fee):
    way = ServiceFee(parse_percent(percent), Money(fixed))

    assert fee == str(way.of(Money.parse(amount)))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", ""),
        ("x", ""),
        *((text, " from 0 to 20,") for text in ("-1", "20.01", "2.9555", "NaN", "Infinity")),
    ],
)
def test_a_percentage_that_is_none_is_refused(text, what):
    with pytest.raises(ValueError) as refused:
        parse_percent(text)

    assert f"write a percentage{what} as 2.95" == str(refused.value)


def test_the_largest_percentage_is_one():
    assert 20_000 == parse_percent("20")


@given(st.integers(1, 10_000_000), st.integers(0, 20_000))
def test_a_fee_never_differs_from_its_share_by_more_than_half_a_cent(cents, thousandths):
    fee = ServiceFee(thousandths).of(Money(cents))

    assert abs(fee.cents * 100_000 - cents * thousandths) <= 50_000
    assert fee >= ZERO


BILL, OTHER = FeeKind.BILL, FeeKind.OTHER
STEPS = (
    ServiceFee(fixed=Money(3_00), above=Money(100_00)),
    ServiceFee(fixed=Money(1_00)),
    ServiceFee(thousandths=1_000, above=Money(500_00)),
)


def on(number: str, cents: int) -> PayLine:
    """Something paid on an account."""
    return PayLine(f"key {number}", number, Money(cents))


def of(code: str, cents: int, number: str = "", title: str = "Park shelter") -> PayLine:
    """Something else that is paid."""
    return PayLine("", number, Money(cents), code, title)


@pytest.mark.parametrize(
    ("cents", "fee"),
    [(1, 1_00), (100_00, 1_00), (100_01, 3_00), (500_00, 3_00), (500_01, 5_00), (600_00, 6_00)],
)
def test_of_a_table_the_last_step_holds_that_the_amount_exceeds_rule_194(cents, fee):
    policy = CheckoutPolicy({(BILL, CARD): STEPS})

    assert Money(fee) == policy.fee_of(CARD, [on("1", cents)])


def test_the_steps_are_for_all_bills_together_and_for_the_rest_together():
    policy = CheckoutPolicy({(BILL, CARD): STEPS, (OTHER, CARD): (ServiceFee(fixed=Money(20)),)})
    bills, others = [on("1", 60_00), on("2", 60_00)], [of("tag", 5_00), of("shelter", 7_00)]

    assert [Money(3_20), Money(3_00), Money(20), ZERO, ZERO] == [
        policy.fee_of(CARD, bills + others),
        policy.fee_of(CARD, bills),
        policy.fee_of(CARD, others),
        policy.fee_of(ACH, bills + others),
        policy.fee_of(CARD, []),
    ]


ANN = PayWallet((PayMethod("card", CARD, "4242"), PayMethod("bank", ACH, "6789")))


def an_account(number: str = "1", owed: int = 80_00, on_its_way: int = 0, **blocks: bool):
    blocked = {"block_ach": False, "block_card": False} | blocks
    return PayableAccount(
        f"key {number}", number, "2026-10", "America/Denver", Money(owed), Money(on_its_way),
        **blocked,
    )  # fmt: skip


CART = CheckoutPolicy(
    has_cart=True,
    offered={"shelter": True, "copies": False, "tag": True},
    prices={"tag": Money(5_00)},
)


def refused(*lines, accounts=None, wallet=ANN, token="card", policy=CART, is_guest=False):
    known = {one.account_key: one for one in accounts or (an_account(), an_account("2", 20_00))}
    return refuse_checkout(lines, known, wallet, token, policy, is_guest=is_guest)


@pytest.mark.parametrize(
    ("owed", "on_its_way", "payable"),
    [(80_00, 0, 80_00), (80_00, 30_00, 50_00), (80_00, 80_01, 0), (0, 0, 0), (-5_00, 0, 0)],
)
def test_what_is_on_its_way_cannot_be_paid_again(owed, on_its_way, payable):
    assert Money(payable) == payable_now(an_account(owed=owed, on_its_way=on_its_way))


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((on("1", 80_00),), id="all that is owed"),
        pytest.param((on("1", 1), on("2", 20_00)), id="a part of one, all of another"),
        pytest.param((of("tag", 5_00), of("tag", 5_00)), id="the same thing twice"),
        pytest.param((of("shelter", 12_34),), id="what has no price"),
        pytest.param((of("copies", 50), on("1", 1)), id="not for guests"),
    ],
)
def test_what_is_owed_or_offered_is_taken(lines):
    assert None is refused(*lines)


@pytest.mark.parametrize(
    ("lines", "refusal"),
    [
        ((), Refusal(NotTaken.CART_OFF)),
        ((on("1", 80_01),), Refusal(NotTaken.OVER_PAYABLE, "1")),
        ((on("2", 1), on("1", 80_01)), Refusal(NotTaken.OVER_PAYABLE, "1")),
        ((on("1", 1), on("1", 1)), Refusal(NotTaken.OVER_PAYABLE, "1")),
        ((on("1", 1), of("tag", 5_00), on("1", 1)), Refusal(NotTaken.OVER_PAYABLE, "1")),
        ((on("3", 1), on("1", 80_01)), Refusal(NotTaken.ACCOUNT_GONE, "3")),
        ((of("bench", 1),), Refusal(NotTaken.NOT_OFFERED, "Park shelter")),
        ((of("tag", 4_99, "A-7"),), Refusal(NotTaken.PRICE_CHANGED, "A-7")),
        ((of("tag", 5_01),), Refusal(NotTaken.PRICE_CHANGED, "Park shelter")),
    ],
)
def test_the_first_line_that_is_not_taken_is_named_and_nothing_is_taken(lines, refusal):
    assert refusal == refused(*lines)


@pytest.mark.parametrize(
    ("owed", "on_its_way", "reason"),
    [
        (80_00, 79_99, NotTaken.OVER_PAYABLE),
        (80_00, 80_00, NotTaken.NOTHING_PAYABLE),
        (0, 0, NotTaken.NOTHING_PAYABLE),
        (-5_00, 0, NotTaken.NOTHING_PAYABLE),
    ],
)
def test_more_than_can_be_paid_is_told_apart_from_nothing_to_pay(owed, on_its_way, reason):
    accounts = [an_account(owed=owed, on_its_way=on_its_way)]

    assert Refusal(reason, "1") == refused(on("1", 2), accounts=accounts)


def test_who_pays_ahead_may_but_not_while_a_payment_is_on_its_way():
    ahead = replace(CART, pays_ahead=True)
    waiting = [an_account(on_its_way=1)]

    assert None is refused(on("1", 500_00), policy=ahead)
    assert None is refused(on("1", 79_99), accounts=waiting, policy=ahead)
    assert Refusal(NotTaken.OVER_PAYABLE, "1") == refused(
        on("1", 80_00), accounts=waiting, policy=ahead
    )


def test_a_guest_pays_for_what_is_for_guests():
    assert None is refused(of("shelter", 1), is_guest=True)
    assert Refusal(NotTaken.NOT_OFFERED, "Park shelter") == refused(of("copies", 1), is_guest=True)


def test_without_the_cart_one_line_is_taken():
    single = replace(CART, has_cart=False)

    assert None is refused(on("1", 1), policy=single)
    assert Refusal(NotTaken.CART_OFF) == refused(on("1", 1), on("2", 1), policy=single)


@pytest.mark.parametrize(
    ("token", "changes", "refusal"),
    [
        ("bank", {}, None),
        ("none", {}, Refusal(NotTaken.METHOD_GONE)),
        ("card", {"block_card": True}, Refusal(NotTaken.METHOD_BLOCKED, "2")),
        ("bank", {"block_card": True}, None),
        ("bank", {"block_ach": True}, Refusal(NotTaken.METHOD_BLOCKED, "2")),
        ("card", {"block_ach": True}, None),
    ],
)
def test_a_way_that_one_account_blocks_pays_none_rule_136(token, changes, refusal):
    accounts = [an_account(), an_account("2", **changes)]

    assert refusal == refused(on("1", 1), accounts=accounts, token=token)


def test_a_suspended_method_pays_nothing():
    wallet = replace(ANN, suspended=frozenset({"card"}))

    assert Refusal(NotTaken.METHOD_SUSPENDED) == refused(on("1", 1), wallet=wallet)
    assert None is refused(on("1", 1), wallet=wallet, token="bank")


def test_one_payment_has_a_most_and_its_fee_counts():
    fee = {(BILL, CARD): (ServiceFee(fixed=Money(1)),)}
    policy = replace(CART, fees=fee, most=Money(80_00))

    assert None is refused(on("1", 79_99), policy=policy)
    assert Refusal(NotTaken.OVER_MOST) == refused(on("1", 80_00), policy=policy)
    assert None is refused(on("1", 80_00), policy=policy, token="bank")


def test_no_payment_is_more_than_the_gateway_draws_at_once():
    assert "999999.99" == str(CheckoutPolicy().most)
    assert None is refused(of("shelter", MOST.cents))
    assert Refusal(NotTaken.OVER_MOST) == refused(of("shelter", MOST.cents + 1))


def test_nothing_costs_nothing_and_an_office_that_says_nothing_lets_one_bill_be_paid():
    policy = CheckoutPolicy()

    assert ZERO == policy.fee_of(CARD, [on("1", 80_00), of("tag", 5_00)])
    assert None is refused(on("1", 80_00), policy=policy)
    assert [NotTaken.OVER_PAYABLE, NotTaken.NOT_OFFERED, NotTaken.CART_OFF] == [
        refused(*lines, policy=policy).reason
        for lines in ((on("1", 80_01),), (of("tag", 5_00),), (on("1", 1), on("2", 1)))
    ]


@pytest.mark.parametrize(
    ("changes", "suspended", "tokens", "kinds"),
    [
        ({}, (), ["card", "bank"], {CARD, ACH}),
        ({"block_card": True}, (), ["bank"], {ACH}),
        ({"block_ach": True}, (), ["card"], {CARD}),
        ({}, ("card",), ["bank"], {CARD, ACH}),
    ],
)
def test_what_may_pay_all_of_some_accounts_is_offered_rule_136(changes, suspended, tokens, kinds):
    accounts = [an_account(), an_account("2", **changes)]
    wallet = replace(ANN, suspended=frozenset(suspended))

    assert tokens == [one.token for one in offered_methods(iter(accounts), wallet)]
    assert kinds == set(payable_kinds(iter(accounts)))
    assert set(MethodKind) == set(payable_kinds(()))
