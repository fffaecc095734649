"""Planning by situations gives every account what the rule says of it alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from database.tables import (
    balance_due,
    enrollment,
    gateway_payment,
    planned_payment,
    suspended_method,
)
from domain.accounts import AccountStatus
from domain.money import ZERO, Money
from domain.payments import PaymentState
from payments.scheduling.planning import plan_autopay, to_situation
from rules.calendars import bank_closed_days
from rules.money.autopay import AutopayPolicy, OnClosedDay, OverMaximum, Payable, plan_payment
from rules.money.balances import amount_due, pays_equal_amount
from tests.builders import (
    ACH,
    CARD,
    CLOSING_DAY,
    DUE,
    NOW,
    RUN,
    a_household,
    a_mandate,
    close_run,
    stage_run,
)

BANKS = bank_closed_days()
ACCOUNTS = 400
LIMITS = (None, None, *(Money(cents) for cents in (-1, 0, 1, 50_00, 79_99, 80_00, 80_01)))
BALANCES = tuple(Money(cents) for cents in (-5_00, 0, 1, 79_99, 80_00, 80_01, 120_00))
POLICIES = [AutopayPolicy(day, over) for day in OnClosedDay for over in OverMaximum]


class Town:
    """Accounts of every kind, the rows that stand in the books for them, and what they make."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.households: list[Any] = []
        self.expected: dict[str, tuple[Payable, Any]] = {}
        self.own: list[dict[str, Any]] = []
        self.paid: dict[str, Money] = {}
        self.suspended: list[str] = []
        self.taken_off: list[str] = []

    def grow(self) -> Town:
        for number in range(1, ACCOUNTS + 1):
            self._settle(str(number))
        return self

    def _settle(self, number: str) -> None:
        choice = self.chance.choice
        rarely = [True, *[False] * 7]
        agreed = a_mandate(
            number, method_token=f"tok_{number}", method_kind=choice([CARD, ACH, ACH, None]),
            maximum=choice(LIMITS), days_prior=choice([0, 1, 5, 6, 18, 30]),
            enrolled_on=choice([date(2026, 4, 9), DUE, DUE + timedelta(days=1)]),
        )  # fmt: skip
        is_own = agreed.method_kind is not None and choice([True, False])
        home = a_household(
            number, mandates=() if is_own else (agreed,), held=choice(rarely),
            closing_balance=choice(BALANCES), equal_pay_amount=choice([None, None, Money(60_00)]),
            status=choice([*AccountStatus, AccountStatus.ACTIVE]), direct_pay=choice(rarely),
            block_ach=choice(rarely), block_card=choice(rarely),
        )  # fmt: skip
        self.households.append(home)
        if is_own:
            agreed = replace(agreed, pays_up_to_maximum=choice([None, True, False]))
            self.own.append(own_row(agreed))
        paid, is_suspended, is_off = choice([ZERO, Money(20_00)]), choice(rarely), choice(rarely)
        stays = home.held or home.account.status is AccountStatus.CLOSED  # its balance
        balance = ZERO if stays else amount_due(home.account) - paid
        self.paid[number] = paid
        self.suspended += [agreed.method_token] * is_suspended
        self.taken_off += [number] * is_off
        payable = Payable(
            number, home.account.status, balance, pays_equal_amount(home.account),
            home.account.direct_pay, home.account.block_ach or is_suspended,
            home.account.block_card or is_suspended, home.held, is_off,
        )  # fmt: skip
        self.expected[number] = payable, agreed

    def enter(self, database) -> None:
        stage_run(database, *self.households)
        close_run(database)
        with database.writing() as books:
            books.execute(enrollment.insert(), self.own)
            for number, amount in self.paid.items():
                due = balance_due.update().where(balance_due.c.account_key == number)
                books.execute(due.values(paid=amount))
            for token in self.suspended:
                values = {"method_token": token, "since": NOW, "reason": "lost"}
                books.execute(suspended_method.insert().values(values))
            for number in self.taken_off:
                books.execute(gateway_payment.insert().values(cancelled_row(number)))


def own_row(agreed: Any) -> dict[str, Any]:
    return {
        "account_key": agreed.account, "account": agreed.account, "portal_user": "",
        "method_token": agreed.method_token, "method_kind": agreed.method_kind, "last4": "0113",
        "days_prior": agreed.days_prior, "maximum": agreed.maximum,
        "pays_up_to_maximum": agreed.pays_up_to_maximum, "enrolled_on": agreed.enrolled_on,
        "enrolled_at": NOW + timedelta(days=1), "enrolled_by": "anna", "consent_version": "1",
        "consent_text": "",
    }  # fmt: skip


def cancelled_row(number: str) -> dict[str, Any]:
    return {
        "key": f"autopay/{RUN}/{number}", "period": RUN, "account_key": number, "account": number,
        "pay_on": DUE, "amount": Money(1), "method_token": "x", "method_kind": CARD, "last4": "",
        "immediate": False, "state": PaymentState.CANCELLED, "scheduled_at": NOW,
    }  # fmt: skip


def plans(database) -> dict[str, tuple[Any, ...]]:
    rows = planned_payment.c
    query = sa.select(rows.account, rows.amount, rows.pay_on, rows.immediate, rows.unscheduled)
    with database.reading() as books:
        return {number: tuple(rest) for number, *rest in books.execute(query)}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_database_gives_every_account_the_decision_of_the_rule(database, seed):
    town = Town(seed).grow()
    town.enter(database)

    for policy in POLICIES:
        for today in (CLOSING_DAY, DUE):
            terms = {"today": today, "closed": BANKS, "policy": policy}
            plan_autopay(database, RUN, **terms)

            alone = {
                number: plan_payment(*facts, due_on=DUE, **terms)
                for number, facts in town.expected.items()
            }
            expected = {
                number: (one.amount, one.pay_on, one.immediate, one.unscheduled)
                for number, one in alone.items()
            }
            assert expected == plans(database)
    assert 9 < len({reason for *_, reason in plans(database).values()})  # every one, and none


def test_a_number_of_no_situation_is_refused():
    with pytest.raises(IndexError):
        to_situation(10**6, 5)
