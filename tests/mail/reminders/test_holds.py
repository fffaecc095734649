"""Holds: who gets no past-due mail while one lasts, and what is caught up after it."""

from __future__ import annotations

from datetime import date

import pytest

from database.queries.exceptions import exceptions
from database.tables import audit
from domain.failures import Misuse
from domain.money import Money
from domain.reminders import Skipped
from mail.reminders.holds import HoldTarget, lift_hold, list_holds, place_hold
from mail.reminders.queueing import withdraw_reminders
from mail.reminders.selection import kept_back
from rules.mail.reminders import LadderStep
from tests.builders import NOW, a_household, close_run, stage_run
from tests.mail.reminder_builders import DUE_MAIL, LATE_MAIL, local, mails, queue, terms

ELM, OAK = "01.1037.1", "01.1038.2"
BEFORE, AFTER = "2026-11-17T06:00", "2026-11-21T06:00"


@pytest.fixture
def town(database):
    """Two households after their close: one of Larkspur, whose landlord is C1, one of Dale."""
    stage_run(
        database,
        a_household(ELM, mandates=(), city="Larkspur", email="elm@example.com", cosigner_id="C1"),
        a_household(OAK, mandates=(), city="Dale", email="oak@example.com", send_paper=True),
    )
    close_run(database)
    return database


def hold(database, until="2026-11-25", today="2026-11-20", reason="pump house flooded", **wanted):
    return place_hold(
        database,
        HoldTarget(**(wanted or {"account": ELM})),
        until=date.fromisoformat(until),
        reason=reason,
        now=local(f"{today}T09:00"),
        today=date.fromisoformat(today),
        who="anna",
    )


def acts(database, action):
    with database.reading() as books:
        rows = books.execute(audit.select().where(audit.c.action == action)).all()
        return [(row.who, row.subject, row.detail) for row in rows]


def test_an_account_on_hold_gets_no_past_due_mail_and_is_counted_with_the_reason(town):
    placed = hold(town)

    counts = queue(town, LATE_MAIL, AFTER)

    assert [(OAK, "past-due", "oak@example.com")] == mails(town)
    assert ({Skipped.HELD: 1}, {placed: 1}) == (counts.skipped, counts.holds)
    assert [("anna", ELM, "hold 1 until 2026-11-25: pump house flooded")] == acts(
        town, "hold reminders"
    )


@pytest.mark.parametrize("written", ["01.1037.1", "01-1037-1", "0110371"])
def test_an_account_is_found_however_its_number_is_written(town, written):
    assert (ELM, "0110371") == (
        hold(town, account=written).subject,
        hold(town, account=written).account_key,
    )


@pytest.mark.parametrize(
    ("column", "value", "reminded"),
    [
        ("city", "LARKSPUR", [OAK]),
        ("cosigner_id", "c1", [OAK]),
        ("status", "active", []),
        ("send_paper", "yes", [ELM]),
        ("send_paper", "no", [OAK]),
    ],
)
def test_a_group_is_held_by_a_value_in_a_column(town, column, value, reminded):
    hold(town, column=column, value=value)

    queue(town, LATE_MAIL, AFTER)

    assert reminded == [account for account, *_ in mails(town)]


def test_the_payment_due_mail_comes_all_the_same(town):
    hold(town, today="2026-11-10")

    assert 2 == queue(town, DUE_MAIL, BEFORE).queued


def test_no_step_of_the_ladder_is_sent_while_it_lasts(town):
    ladder = [LadderStep("past-due-2", 8, Money.parse("10.00"))]
    hold(town, until="2026-12-31")

    for day in range(21, 31):
        queue(town, LATE_MAIL, f"2026-11-{day}T06:00", ladder=ladder)

    assert {OAK} == {account for account, *_ in mails(town)}


def test_what_it_kept_back_is_caught_up_the_day_after_it(town):
    hold(town)

    nights = [queue(town, LATE_MAIL, f"2026-11-{day}T06:00").queued for day in range(21, 28)]

    assert [1, 0, 0, 0, 0, 1, 0] == nights  # it holds until the end of the 25th


def test_nothing_is_caught_up_after_the_cut_off(town):
    hold(town, until="2026-12-05")

    queue(town, LATE_MAIL, AFTER)
    late = queue(town, LATE_MAIL, "2026-12-06T06:00")

    assert (0, {Skipped.TOO_LATE: 1}) == (late.queued, late.skipped)


def test_a_hold_that_is_lifted_holds_no_more(town):
    placed = hold(town)
    queue(town, LATE_MAIL, AFTER)

    lift_hold(town, placed.number, "paid a part", now=NOW, today=date(2026, 11, 22), who="ben")

    assert 1 == queue(town, LATE_MAIL, "2026-11-22T06:00").queued
    assert [("ben", ELM, "hold 1: paid a part")] == acts(town, "lift hold")


def test_a_mail_that_waits_is_taken_back_when_its_account_is_put_on_hold(town):
    queue(town, LATE_MAIL, AFTER)
    hold(town, today="2026-11-21")

    taken = withdraw_reminders(town, terms(AFTER))

    assert (1, [OAK]) == (taken, [account for account, *_ in mails(town)])


def test_who_is_on_hold_stands_among_the_exceptions_while_a_mail_would_be_owed(town):
    hold(town)
    found = []
    for at in ("2026-11-20T06:00", AFTER, "2026-11-26T06:00"):
        with town.reading() as books:
            rows = books.execute(exceptions(kept_back(books, terms(at)))).all()
        found.append([(row.account, row.code, row.message) for row in rows])

    why = "no past-due mail until 2026-11-25, hold 1: pump house flooded"
    assert [[], [(ELM, "reminder-held", why)], []] == found


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"account": "77.7"}, "unknown-account"),
        ({"column": "city", "value": "Atlantis"}, "unknown-group"),
        ({"column": "last_name", "value": "Beltran"}, "misuse"),
        ({"column": "ebill", "value": "perhaps"}, "misuse"),
        ({"until": "2026-11-19"}, "until-past"),
        ({"reason": " "}, "misuse"),
    ],
)
def test_a_hold_that_makes_no_sense_is_refused(town, wrong, code):
    with pytest.raises(Misuse) as refused:
        hold(town, **wrong)

    assert code == refused.value.code
    with town.reading() as books:
        assert [] == list_holds(books)


@pytest.mark.parametrize(("number", "code"), [(9, "unknown-hold"), (1, "hold-over")])
def test_only_a_hold_in_force_can_be_lifted(town, number, code):
    hold(town)

    with pytest.raises(Misuse) as refused:
        lift_hold(town, number, "why", now=NOW, today=date(2026, 11, 26), who="ben")

    assert code == refused.value.code
