"""What return codes mean, and when too many draws come back."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest

from domain.payments import Advice, MethodKind
from rules.money.returns import (
    FEE_CODES,
    RATE_WINDOW,
    WARN_AT,
    AgainPolicy,
    ReturnKind,
    advice_for_return,
    again_on,
    return_rates,
    say_reason,
    suspends_method,
)

ADVISED = [
    code for code in (f"R{n:02}" for n in range(100)) if advice_for_return(code) is not Advice.CLERK
]


@pytest.mark.parametrize("code", [*ADVISED, "R11", "R14", "R15", "R16", "R24", "R31"])
def test_a_code_that_something_follows_from_is_said_in_words(code):
    said = say_reason(code)

    assert said.startswith(f"{code} (") and said.endswith(")")


@pytest.mark.parametrize("code", ["", "R99", "expired_card", "REFUSED"])
def test_a_code_that_says_itself_or_nothing_stays_as_it_is(code):
    assert code == say_reason(code)


@pytest.mark.parametrize(
    ("code", "advice", "suspends"),
    [
        ("R01", Advice.LATER, False),
        ("R09", Advice.LATER, False),
        *(
            (f"R{number}", Advice.NEW_METHOD, True)
            for number in ("02", "03", "04", "12", "20", "28")
        ),
        *((f"R{number}", Advice.NEVER, True) for number in ("05", "07", "51")),
        *((f"R{number}", Advice.CLERK, False) for number in (32, *range(61, 86))),
        ("R60", Advice.CLERK, True),
        ("R86", Advice.CLERK, True),
        ("R08", Advice.CUSTOMER_ACTION, True),
        ("R10", Advice.NEVER, True),
        ("R29", Advice.NEVER, True),
        ("R11", Advice.CLERK, True),  # not as authorized: corrected by a clerk, or signed anew
        ("R13", Advice.NEW_METHOD, True),
        ("R14", Advice.CLERK, True),  # the payee has died
        ("R15", Advice.CLERK, True),  # the holder has died
        ("R16", Advice.CLERK, True),  # frozen
        ("R24", Advice.CLERK, True),  # a duplicate, says the bank
        ("R31", Advice.CLERK, True),
        ("R99", Advice.CLERK, True),  # nobody knows
        ("R06", Advice.CLERK, False),  # between the banks alone
        ("R67", Advice.CLERK, False),
    ],
)
def test_a_return_code_says_what_to_do(code, advice, suspends):
    assert (advice, suspends) == (
        advice_for_return(code), suspends_method(code, is_charge_back=False),
    )  # fmt: skip


@pytest.mark.parametrize("code", ["R01", "R06"])
def test_a_dispute_suspends_though_its_code_would_not(code):
    assert suspends_method(code, is_charge_back=True)


def test_a_disputed_card_is_suspended_whatever_the_reason():
    assert suspends_method("product_unacceptable", is_charge_back=True)


def test_rates_are_told_apart_by_kind_of_reason():
    rates = return_rates(1000, {"R01": 20, "R02": 5, "R10": 4, "R16": 1})

    assert {
        ReturnKind.UNAUTHORIZED: 4,
        ReturnKind.ADMINISTRATIVE: 5,
        ReturnKind.ALL: 30,
    } == {rate.kind: rate.returned for rate in rates}


@pytest.mark.parametrize(
    ("returned", "is_near", "is_exceeded"),
    [(0, False, False), (3, False, False), (4, True, False), (5, True, False), (6, True, True)],
)
def test_four_fifths_of_a_limit_warn_and_more_than_it_is_too_much(returned, is_near, is_exceeded):
    unauthorized, *_ = return_rates(1000, {"R10": returned})

    assert (is_near, is_exceeded) == (unauthorized.is_near, unauthorized.is_exceeded)


def test_without_a_draw_there_is_no_rate():
    assert {0} == {rate.rate for rate in return_rates(0, {})}


@pytest.mark.parametrize(
    ("kind", "codes", "limit"),
    [
        (ReturnKind.UNAUTHORIZED, ("R05", "R07", "R10", "R11", "R29", "R51"), Fraction("0.005")),
        (ReturnKind.ADMINISTRATIVE, ("R02", "R03", "R04"), Fraction("0.03")),
        (ReturnKind.ALL, ("R01", "R08", "R99"), Fraction("0.15")),
    ],
)
def test_each_code_counts_where_nacha_counts_it_and_against_its_limit(kind, codes, limit):
    rates = {rate.kind: rate for rate in return_rates(1000, dict.fromkeys(codes, 1))}

    assert {kind: len(codes), ReturnKind.ALL: len(codes)} == {
        rate.kind: rate.returned for rate in rates.values() if rate.returned
    }
    assert limit == rates[kind].limit


FRIDAY = date(2026, 11, 6)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({}, date(2026, 11, 10), id="two banking days later"),
        pytest.param({"closed": {date(2026, 11, 9)}}, date(2026, 11, 11), id="a bank's holiday"),
        pytest.param({"code": "R09"}, date(2026, 11, 10), id="not yet collected"),
        pytest.param({"code": "R08"}, None, id="stopped"),
        pytest.param({"kind": MethodKind.CARD}, None, id="a card"),
        pytest.param({"number": 2}, date(2026, 11, 10), id="the second time"),
        pytest.param({"number": 3}, None, id="Nacha allows no third time"),
        pytest.param({"policy": AgainPolicy(0, 2)}, None, id="the office wants none"),
        pytest.param({"policy": AgainPolicy(1, 2), "number": 2}, None, id="the office wants one"),
        pytest.param({"first_on": date(2026, 5, 14)}, date(2026, 11, 10), id="180 days"),
        pytest.param({"first_on": date(2026, 5, 13)}, None, id="181 days"),
    ],
)
def test_what_came_back_is_drawn_again(facts, expected):
    given = {
        "code": "R01", "kind": MethodKind.ACH, "number": 1, "first_on": FRIDAY, "today": FRIDAY,
        "closed": frozenset(), "policy": AgainPolicy(5, 2),
    }  # fmt: skip

    assert expected == again_on(**given | facts)


def test_an_office_that_says_nothing_draws_once_again_after_a_week_of_banking_days():
    assert (1, 5) == (AgainPolicy().times, AgainPolicy().banking_days)


def test_who_returns_for_want_of_money_pays_a_fee_and_sixty_days_are_watched_from_80_percent():
    assert ("R01", "R09") == FEE_CODES
    assert (timedelta(days=60), Fraction(4, 5)) == (RATE_WINDOW, WARN_AT)
