"""Cancelling autopay: what falls away, what stands, and what enrolling again then draws."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from database.feed.tables import customer_choice
from database.queries.mandates import mandates_in_force
from database.queries.portal.choices import list_choices
from database.tables import (
    audit,
    autopay_unscheduled,
    draw,
    enrollment,
    enrollment_end,
    gateway_payment,
    outsorted_bill,
)
from domain.failures import Misuse, Refused
from domain.feeds import ChoiceState
from domain.money import Money
from domain.payments import DrawState, PaymentState
from payments.enrollment.ending import cancel_enrollment, find_enrollment_facts
from payments.enrollment.enrolling import say_consequence
from payments.enrollment.records import cancel_waiting
from reporting.run_sheet.reading import read_run_sheet
from tests.builders import (
    CLOSING_DAY,
    DUE,
    OFFICE_DEFAULTS,
    RUN,
    a_hold,
    a_household,
    a_mandate,
    empty,
    few_examples,
)
from tests.database.two_sessions import Session, together
from tests.payments.enrolling_builders import (
    BANKS,
    SVEN,
    a_town,
    a_wish,
    cancelled,
    enrolled,
    moment,
    offer,
    payments,
    reasons,
    schedule,
    set_paid,
    set_state,
)

SCHEDULED, CANCELLED = PaymentState.SCHEDULED, PaymentState.CANCELLED
FRIDAY_13, TUESDAY_24 = date(2026, 11, 13), date(2026, 11, 24)


def in_force(database, period: str = RUN) -> list[tuple[str, str]]:
    rows = mandates_in_force(period)
    with database.reading() as books:
        return sorted((row.account_key, row.method_token) for row in books.execute(sa.select(rows)))


def a_draw(state: DrawState) -> dict[str, Any]:
    return {
        "key": f"autopay/{RUN}/1/1", "payment_key": f"autopay/{RUN}/1", "number": 1,
        "amount": Money(80_00), "method_token": "tok_card", "state": state,
        "created_at": moment(CLOSING_DAY), "lookups": 0,
    }  # fmt: skip


def with_a_draw(database, state: DrawState) -> None:
    with database.writing() as books:
        books.execute(draw.insert().values(**a_draw(state)))


def test_what_was_given_to_the_office_ends_and_its_payment_falls_away(database):
    """Rules 60, 66."""
    a_town(database)
    enrolled(database)

    ended = cancelled(database, on=date(2026, 11, 9))
    schedule(database, TUESDAY_24)

    assert [(RUN, FRIDAY_13, Money(80_00))] == [
        (one.period, one.pay_on, one.amount) for one in ended.taken_off
    ]
    assert ([CANCELLED], {}, []) == (
        [row[4] for row in payments(database)], reasons(database), in_force(database)
    )  # fmt: skip
    with database.reading() as books:
        row = books.execute(sa.select(enrollment)).one()
        entry = books.execute(sa.select(audit).where(audit.c.action == "cancel autopay")).one()
    assert (date(2026, 11, 9), moment(date(2026, 11, 9)), "anna", "she called") == (
        row.cancelled_on, row.cancelled_at, row.cancelled_by, row.cancel_reason,
    )  # fmt: skip
    assert ("1", True) == (entry.subject, entry.detail.startswith("she called (card ending 4242"))


def test_the_billing_system_is_told_whoever_took_the_customers_word(database):
    """Contract 6: autopay is a row of `list changes`, by the office's desk as by the portal."""
    a_town(database, a_household("1"))

    cancelled(database)
    ended = told(database)
    with database.writing() as books:
        books.execute(customer_choice.update().values(state=ChoiceState.TOLD))
    enrolled(database)

    assert [("autopay", "no", "anna")] == ended
    assert [("autopay", "no", "anna"), ("autopay", "yes", "anna")] == told(database)


def told(database) -> list[tuple[str, str, str]]:
    with database.reading() as books:
        rows = books.execute(list_choices().order_by("id"))
        return [(row.field, row.value, row.by) for row in rows]


def test_an_exports_mandate_ends_too(database):
    a_town(database, a_household("1"))
    schedule(database)

    ended = cancelled(database)

    assert 1 == len(ended.taken_off)
    with database.reading() as books:
        row = books.execute(sa.select(enrollment_end)).one()
    assert ("1", CLOSING_DAY, "anna", "she called") == (
        row.account_key, row.ended_on, row.ended_by, row.reason,
    )  # fmt: skip
    schedule(database)
    assert ([CANCELLED], {}) == ([row[4] for row in payments(database)], reasons(database))


@pytest.mark.parametrize(
    "state",
    [state for state in PaymentState if state not in (SCHEDULED, CANCELLED, PaymentState.DECLINED)],
)
def test_a_payment_that_was_asked_for_stands(database, state):
    a_town(database)
    enrolled(database)
    set_state(database, state)

    ended = cancelled(database)

    assert ([], state, [state]) == (
        ended.taken_off, ended.stands.state, [row[4] for row in payments(database)]
    )  # fmt: skip
    assert [] == in_force(database)


def test_a_payment_whose_draw_may_have_happened_stands_though_it_is_scheduled(database):
    a_town(database)
    enrolled(database)
    with_a_draw(database, DrawState.ASKED)

    ended = cancelled(database)

    assert ([], SCHEDULED) == (ended.taken_off, payments(database)[0][4])
    assert Money(80_00) == ended.stands.amount
    assert "already-processed" == enrolled(database, on=TUESDAY_24).planned.unscheduled


def test_a_payment_that_is_being_asked_for_stands(database):
    """Whoever waits for the payment's row reads its draws anew."""
    if database.is_sqlite:
        pytest.skip("one session writes at a time on SQLite")
    a_town(database)
    enrolled(database)

    def ask(books) -> None:
        books.execute(sa.select(gateway_payment.c.key).with_for_update())
        books.execute(draw.insert().values(**a_draw(DrawState.ASKED)))

    ended = together(database, ask, Session(database, lambda b: cancel_waiting(b, "1")).run)

    assert ([], [SCHEDULED]) == (ended, [row[4] for row in payments(database)])


def test_nobody_ends_what_draws_from_somebody_elses_wallet(database):
    a_town(database)
    enrolled(database)
    facts = {"now": moment(CLOSING_DAY), "today": CLOSING_DAY, "who": "x", "reason": "on the page"}

    with pytest.raises(Refused, match="draws from somebody else's wallet") as refused:
        cancel_enrollment(database, "1", only_of="other@x.example", **facts)
    standing = in_force(database)
    cancel_enrollment(database, "1", only_of=SVEN.casefold(), **facts)

    assert ("not-theirs", 1, []) == (refused.value.code, len(standing), in_force(database))


def test_of_an_account_that_was_never_closed_no_plan_is_forgotten(database):
    a_town(database, closed=False)
    enrolled(database)

    cancelled(database)

    assert ([], []) == (in_force(database), payments(database))


def test_with_the_mandate_ends_what_was_planned_of_a_bill_that_is_held_back(database):
    a_town(database)
    enrolled(database)
    held = a_hold(period=RUN, account_key="1", account="1")
    with database.writing() as books:
        books.execute(outsorted_bill.insert().values(**held))
        facts = {"period": RUN, "account_key": "1", "account": "1", "reason": "held"}
        books.execute(autopay_unscheduled.insert().values(**facts))

    cancelled(database)

    assert {} == reasons(database)


def test_a_draw_that_was_not_asked_for_is_given_up(database):
    a_town(database)
    enrolled(database)
    with_a_draw(database, DrawState.CREATED)

    cancelled(database)

    with database.reading() as books:
        assert [DrawState.ABANDONED] == list(books.scalars(sa.select(draw.c.state)))
    assert [CANCELLED] == [row[4] for row in payments(database)]


def test_who_is_not_enrolled_and_who_is_unknown(database):
    a_town(database)

    with pytest.raises(Refused, match="Account 1 is not enrolled"):
        cancelled(database)
    with pytest.raises(Misuse, match="No export has that account"):
        cancelled(database, "99")
    enrolled(database)
    cancelled(database)
    with pytest.raises(Refused, match="not enrolled"):
        cancelled(database)


@pytest.mark.parametrize(
    ("on", "pay_on", "immediate"),
    [
        pytest.param(date(2026, 11, 9), FRIDAY_13, False, id="before its day"),
        pytest.param(FRIDAY_13, FRIDAY_13, True, id="on its day"),
        pytest.param(TUESDAY_24, TUESDAY_24, True, id="after the due date"),
    ],
)
def test_enrolling_again_takes_up_the_one_payment_of_the_period_ruling_9(
    database, on, pay_on, immediate
):
    a_town(database, a_household("1"))
    schedule(database)
    cancelled(database, on=on)

    enrolled(database, a_wish(method="tok_bank"), on)
    schedule(database, on)

    assert ([(Money(80_00), pay_on, immediate, "tok_bank", SCHEDULED)], {}) == (
        payments(database), reasons(database)
    )  # fmt: skip
    assert [("1", "tok_bank")] == in_force(database)


@pytest.mark.parametrize(
    ("on", "told"),
    [
        (
            CLOSING_DAY,
            "Cancelling takes the payment of $80.00 on 2026-11-13 off the schedule. "
            "Enrolling again from 2026-11-13 on draws $80.00 at once.",
        ),
        (
            TUESDAY_24,
            "Cancelling takes the payment of $80.00 on 2026-11-13 off the schedule. "
            "Enrolling again draws $80.00 at once.",
        ),
    ],
)
def test_what_cancelling_brings_is_told_before(database, on, told):
    a_town(database, a_household("1"))
    schedule(database)

    standing = find_enrollment_facts(database, "1")

    assert told == say_consequence(standing, on, BANKS, OFFICE_DEFAULTS)


def test_what_was_paid_is_told_and_not_drawn_again(database):
    a_town(database, a_household("1"))
    schedule(database)
    set_state(database, PaymentState.SUCCEEDED)
    set_paid(database, "80.00")

    standing = find_enrollment_facts(database, "1")

    assert "This period's payment of $80.00 stands." == say_consequence(
        standing, TUESDAY_24, BANKS, OFFICE_DEFAULTS
    )


def test_the_report_ties_out_with_the_offices_own_mandates(database):
    a_town(database, a_household("1"), *(a_household(str(n), mandates=()) for n in range(2, 6)))
    schedule(database)
    enrolled(database, a_wish("2"))
    enrolled(database, a_wish("3", maximum=Money(1_00)))
    enrolled(database, a_wish("4"))
    cancelled(database, "4")
    set_state(database, PaymentState.SUCCEEDED, "1")
    cancelled(database, "1")

    sheet = read_run_sheet(database, RUN)

    assert (2, 1, 2) == (sheet.autopay.scheduled, sheet.autopay.unscheduled, sheet.not_enrolled)


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["enroll", "cancel", "schedule", "draw", "decline", "return"]),
        st.sampled_from(["1", "2", "3"]),
        st.integers(0, 3),
        st.sampled_from(["4242", "tok_bank"]),
        st.sampled_from([None, Money(50_00), Money(90_00)]),
        st.booleans(),
    ),
    max_size=12,
)
TOWN = (
    a_household("1"),
    a_household("2", mandates=()),
    a_household("3", a_mandate("3", enrolled_on=DUE)),
)


@given(ACTS)
@few_examples
def test_whatever_is_done_one_mandate_lives_one_list_has_it_and_nothing_is_drawn_twice(
    database, acts
):
    """Rules 63, 82."""
    empty(database)
    a_town(database, *TOWN)
    day, drawn = CLOSING_DAY, dict.fromkeys("123", 0)

    for what, number, days, method, maximum, pays_up_to in acts:
        day = date.fromordinal(day.toordinal() + days)
        if what == "enroll" and _is_free(database, number):
            choice = pays_up_to if maximum else None
            asked_for = a_wish(number, method=method, maximum=maximum, pays_up_to_maximum=choice)
            enrolled(database, asked_for, day)
        elif what == "cancel" and not _is_free(database, number):
            cancelled(database, number, day)
        elif what == "schedule":
            schedule(database, day)
        else:
            drawn[number] += _gateway(database, number, what)

    schedule(database, day)
    tokens = in_force(database)
    assert len(tokens) == len(dict(tokens))
    waiting = {
        number for number in "123" for row in payments(database, number) if row[4] is not CANCELLED
    }
    listed = {key for _, key in reasons(database)}
    assert set() == waiting & listed
    assert dict(tokens).keys() <= waiting | listed
    assert all(times <= 1 for times in drawn.values())
    assert {number for number in waiting if not drawn[number]} <= dict(tokens).keys() | _declined(
        database
    )


def _declined(database) -> set[str]:
    rows = gateway_payment.c
    with database.reading() as books:
        return set(
            books.scalars(sa.select(rows.account_key).where(rows.state == PaymentState.DECLINED))
        )


def _is_free(database, number: str) -> bool:
    return number not in dict(in_force(database))


def _gateway(database, number: str, what: str) -> int:
    """Let the gateway answer for what is scheduled; a return comes for what was taken."""
    before = [row[4] for row in payments(database, number)]
    if what == "return" and before == [PaymentState.SUCCEEDED]:
        set_state(database, PaymentState.RETURNED, number)
        set_paid(database, "0.00", number)
    elif before == [SCHEDULED] and what in ("draw", "decline"):
        is_drawn = what == "draw"
        state = PaymentState.SUCCEEDED if is_drawn else PaymentState.DECLINED
        set_state(database, state, number)
        if is_drawn:
            set_paid(database, str(payments(database, number)[0][0]), number)
        return int(is_drawn)
    return 0


def test_an_offer_is_free_again_after_the_end(database):
    a_town(database, a_household("1"))
    cancelled(database)

    assert offer(database, on=TUESDAY_24).needs_yes
