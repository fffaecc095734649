"""Staff set a payment plan up on the page of an account, say the second yes, and cancel it."""

from __future__ import annotations

from dataclasses import replace

from domain.identity import Role
from office.settings.money import ArrangementsSettings
from tests.web.customers.conftest import Browser
from web.desk import desk_of

ACCOUNT = "/office/customers/01.1001.1"
PLAN = f"{ACCOUNT}/plan"
TWO = {"act": "set-up", "installments": "2", "first": "2026-12-01", "every": "month"}


def test_a_clerk_sets_a_plan_up_and_cancels_it(signed_in):
    clerk = signed_in(Role.CLERK)
    account = clerk.get(ACCOUNT).text
    clerk.get(PLAN)

    made = clerk.post(PLAN, **TWO, reason="asked by phone")
    listed = clerk.get("/office/payments/plans").text
    clerk.get(PLAN)
    ended = clerk.post(PLAN, act="cancel", reason="moved away")

    assert f'href="{PLAN}"' in account
    assert 'id="reason" name="reason" type="text" value=""' in made.text
    assert "The plan is set up." in made.text and made.text.count("$40.00") == 2
    assert "<td>in force</td>" in listed and "asked by phone" in listed
    assert "The plan is cancelled" in ended.text and "moved away" in ended.text
    assert "Set up a plan" in ended.text


def test_a_plan_by_dates_is_set_up_as_it_was_typed(signed_in):
    clerk = signed_in(Role.CLERK)
    clerk.get(PLAN)

    made = clerk.post(
        PLAN, act="set-up", dates="2026-12-01=30.00; 12/15/2026 12.50;", reason="asked"
    )

    assert "$30.00" in made.text and "$12.50" in made.text


def test_what_is_no_plan_is_said_and_nothing_is_made(signed_in):
    clerk = signed_in(Role.CLERK)
    wrong = {
        "Say why": TWO | {"reason": " "},
        "80.00 is open": TWO | {"reason": "x", "amount": "80.01"},
        "is no amount": TWO | {"reason": "x", "amount": "a lot"},
        "is no day": {"act": "set-up", "reason": "x", "dates": "soon 3.00"},
        "how many installments": {"act": "set-up", "reason": "x"},
        "is past": TWO | {"reason": "x", "first": "2026-11-01"},
    }

    for said, typed in wrong.items():
        clerk.get(PLAN)
        answer = clerk.post(PLAN, **typed)
        assert (422, True) == (answer.status_code, said in answer.text), said
    assert "Nobody has a plan." in clerk.get("/office/payments/plans").text


def test_with_four_eyes_another_member_of_staff_says_yes(office, member):
    changed = {"arrangements": ArrangementsSettings(people=2)}
    desk = desk_of(replace(office, settings=office.settings.model_copy(update=changed)))
    clerk, second = Browser(desk), Browser(desk)
    for browser, mailbox in ((clerk, "a@larkspur.example"), (second, "b@larkspur.example")):
        member(Role.CLERK, mailbox)
        browser.send("/office/sign-in", email=mailbox, password="correct horse battery")
        browser.get(PLAN)

    made = clerk.post(PLAN, **TWO, reason="asked")
    own = clerk.post(PLAN, act="approve")
    other = second.post(PLAN, act="approve")

    assert "waits for another" in made.text
    assert (422, True) == (own.status_code, "another person" in own.text)
    assert "The plan is in force." in other.text


def test_who_may_only_look_sees_the_plan_and_no_button(signed_in):
    clerk = signed_in(Role.CLERK)
    clerk.get(PLAN)
    clerk.post(PLAN, **TWO, reason="asked")

    page = signed_in(Role.CSR).get(PLAN).text

    assert "$40.00" in page and "Cancel the plan" not in page
