"""The office's reminders as its settings say."""

from __future__ import annotations

import json
from datetime import time

import pytest

from domain.failures import Misuse
from domain.money import Money
from office.clock import Clock
from office.equipment.office import Office
from office.settings.settings import FILE, open_settings

FURTHER = """
[reminders]
time = "17:30"
days_before_due = 5
spare_autopay = true

[[reminders.ladder]]
name = "past-due-3"
days_after_due = 15
smallest_balance = "100.00"

[[reminders.ladder]]
name = "past-due-2"
days_after_due = 8
"""


def an_office(home, text: str) -> Office:
    (home / FILE).write_text(text)
    return Office(home, open_settings(home), Clock(wall=lambda: None), "anna")


def test_the_contracts_defaults_are_in_force(tmp_path):
    plan = an_office(tmp_path, "").reminders_plan

    assert (time(6), False) == (plan.at, plan.spare_autopay)
    assert [("payment-due", -3, 0, Money(1)), ("past-due", 1, 15, Money(1))] == [
        (step.form, step.days, step.last_day, step.smallest) for step in plan.steps
    ]


def test_further_steps_come_in_the_order_of_their_days(tmp_path):
    plan = an_office(tmp_path, FURTHER).reminders_plan

    assert (time(17, 30), True) == (plan.at, plan.spare_autopay)
    assert [
        ("payment-due", -5, Money(1)),
        ("past-due", 1, Money(1)),
        ("past-due-2", 8, Money(1)),
        ("past-due-3", 15, Money(10_000)),
    ] == [(step.form, step.days, step.smallest) for step in plan.steps]


def test_the_ladder_can_be_given_in_the_environment(tmp_path, monkeypatch):
    steps = [{"name": "past-due-2", "days_after_due": 8}]
    monkeypatch.setenv("BILLCLOSE_REMINDERS__LADDER", json.dumps(steps))

    assert "past-due-2" == an_office(tmp_path, "").reminders_plan.steps[-1].form


@pytest.mark.parametrize(
    ("step", "what"),
    [
        ('name = "past-due"\ndays_after_due = 8', "name is wrong"),
        ('name = "receipt-2"\ndays_after_due = 8', "name is wrong"),
        ('name = "past-due-2"\ndays_after_due = 1', "after reminders.days_after_due"),
        ('name = "past-due-2"\ndays_after_due = 8\nsmallest_balance = "0.00"', "0.01 or more"),
        (
            'name = "past-due-2"\ndays_after_due = 8\n[[reminders.ladder]]\n'
            'name = "past-due-2"\ndays_after_due = 9',
            "a name and a day of its own",
        ),
        (
            'name = "past-due-2"\ndays_after_due = 8\n[[reminders.ladder]]\n'
            'name = "past-due-3"\ndays_after_due = 8',
            "a name and a day of its own",
        ),
    ],
)
def test_a_ladder_that_makes_no_sense_is_refused(tmp_path, step, what):
    with pytest.raises(Misuse, match="reminders") as refused:
        an_office(tmp_path, f"[[reminders.ladder]]\n{step}\n")

    assert what in refused.value.message


def test_a_bill_is_not_past_due_on_its_due_date(tmp_path):
    with pytest.raises(Misuse, match=r"reminders\.days_after_due"):
        an_office(tmp_path, "[reminders]\ndays_after_due = 0\n")
