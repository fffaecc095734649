"""Who is reminded of what, and where: by small towns after their close, night by night."""

from __future__ import annotations

import shutil
import threading
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from database.books import Database
from database.queries.exceptions import exceptions
from database.tables import audit, delivery, outsorted_bill
from domain.accounts import AccountStatus, account_key
from domain.deliveries import DeliveryStatus
from domain.money import Money
from domain.reminders import Skipped
from mail.reminders.queueing import withdraw_reminders
from rules.mail.reminders import LadderStep
from tests.billing_system.feed.builders import tell_change
from tests.builders import (
    CLOSING_DAY,
    DUE,
    NOW,
    RUN,
    a_hold,
    a_household,
    close_run,
    empty,
    few_examples,
    stage_run,
)
from tests.mail.reminder_builders import (
    DUE_MAIL,
    LATE_MAIL,
    mails,
    mark_all,
    pay,
    queue,
    schedule,
    suppress_mailbox,
    terms,
)

NUMBER = "01.1037.1"
BEFORE, AFTER = "2026-11-17T06:00", "2026-11-21T06:00"


def close_town(database, *households, **changes):
    stage_run(database, *households, **changes)
    close_run(database)


def close_one(database, **changes):
    close_town(database, a_household(NUMBER, mandates=(), **changes))


def listed(database):
    with database.reading() as books:
        rows = [(row.account, row.code) for row in books.execute(exceptions())]
    return [row for row in rows if row[1] != "bill-outsorted"]


def test_each_mailbox_that_belongs_to_an_account_gets_one_copy_paperless_or_not(database):
    one = a_household(
        NUMBER,
        mandates=(),
        ebill=False,
        send_paper=True,
        email="Sven@example.com;no address;ina@example.com",
        links=(("sven@EXAMPLE.com", False), ("user@example.net", True)),
        cosigner_id="C1",
    )
    close_town(database, one, landlords=[("C1", "landlord@example.net")])

    counts = queue(database, DUE_MAIL, BEFORE)

    assert 4 == counts.owed == counts.queued
    assert [
        ("ina@example.com", "customer-record", "payment-due", RUN, "queued"),
        ("landlord@example.net", "landlord", "payment-due", RUN, "queued"),
        ("Sven@example.com", "customer-record", "payment-due", RUN, "queued"),
        ("user@example.net", "portal-user", "payment-due", RUN, "queued"),
    ] == mails(database, "address", "source", "kind", "period", "status")
    assert [
        (f"payment-due/2026-11-20/payment-due/{NUMBER}/{mailbox}",)
        for mailbox in (
            "ina@example.com",
            "landlord@example.net",
            "sven@example.com",
            "user@example.net",
        )
    ] == mails(database, "key")


@pytest.mark.parametrize("balance", ["0.00", "-31.47"])
def test_nothing_owed_is_nothing_to_remind_of(database, balance):
    close_one(database, balance=balance)

    found = [queue(database, DUE_MAIL, BEFORE), queue(database, LATE_MAIL, AFTER)]

    assert [(0, {}), (0, {})] == [(counts.owed, counts.skipped) for counts in found]


@pytest.mark.parametrize(("paid", "owed"), [("79.99", 1), ("80.00", 0), ("80.01", 0)])
def test_what_was_paid_since_the_close_counts(database, paid, owed):
    close_one(database)
    pay(database, NUMBER, paid)

    assert owed == queue(database, LATE_MAIL, AFTER).owed


def test_closed_accounts_are_not_reminded_nor_those_that_a_later_close_calls_closed(database):
    gone = a_household("01.1038.2", mandates=(), status=AccountStatus.CLOSED)
    close_town(database, a_household(NUMBER, mandates=()), gone)
    later = a_household(NUMBER, mandates=(), status=AccountStatus.CLOSED)
    before = queue(database, LATE_MAIL, AFTER, records=False)

    stage_run(
        database, later, period="2026-11", due_on=date(2026, 12, 20), ends_on=date(2026, 11, 30)
    )
    staged = queue(database, LATE_MAIL, AFTER, records=False)
    close_run(database, "2026-11")
    closed = queue(database, LATE_MAIL, AFTER, records=False)

    assert [1, 1, 0] == [counts.owed for counts in (before, staged, closed)]


def test_an_account_that_the_feed_calls_closed_is_not_reminded(database):
    close_town(database, a_household(NUMBER, mandates=()))
    before = queue(database, LATE_MAIL, AFTER, records=False)

    tell_change(database, "status", "closed", NOW + timedelta(days=1), key=account_key(NUMBER))

    assert [1, 0] == [before.owed, queue(database, LATE_MAIL, AFTER, records=False).owed]


def test_who_cannot_be_written_to_is_no_exception_once_the_feed_calls_them_closed(database):
    close_town(database, a_household(NUMBER, mandates=(), email=""))
    queue(database, DUE_MAIL, BEFORE)
    before = listed(database)

    tell_change(database, "status", "closed", NOW + timedelta(days=1), key=account_key(NUMBER))

    assert [(NUMBER, "reminder-no-address")] == before
    assert [] == listed(database)


def test_who_was_closed_since_is_no_exception(database):
    close_town(database, a_household(NUMBER, mandates=(), email=""))
    queue(database, DUE_MAIL, BEFORE)
    before = listed(database)

    later = a_household(NUMBER, mandates=(), email="", status=AccountStatus.CLOSED)
    stage_run(
        database, later, period="2026-11", due_on=date(2026, 12, 20), ends_on=date(2026, 11, 30)
    )
    staged = listed(database)
    close_run(database, "2026-11")

    assert [(NUMBER, "reminder-no-address")] == before == staged
    assert [] == listed(database)


def test_nothing_is_owed_of_what_is_not_closed(database):
    stage_run(database, a_household(NUMBER, mandates=()))

    assert 0 == queue(database, LATE_MAIL, AFTER).owed


def hold_bill(database, number: str) -> None:
    with database.writing() as books:
        row = a_hold(period=RUN, account_key=account_key(number), account=number)
        books.execute(outsorted_bill.insert().values(row))


def test_held_accounts_are_kept_out_and_counted(database):
    close_one(database)
    hold_bill(database, NUMBER)

    counts = queue(database, LATE_MAIL, AFTER)

    assert (0, {Skipped.HELD: 1}) == (counts.owed, counts.skipped)
    assert [] == mails(database)


@pytest.mark.parametrize("state", ["submitted", "unknown"])
@pytest.mark.parametrize(("kind", "at"), [(DUE_MAIL, BEFORE), (LATE_MAIL, AFTER)])
def test_a_draw_in_flight_holds_the_mail_until_it_is_known_what_came_of_it(
    database, state, kind, at
):
    close_one(database)
    schedule(database, NUMBER, state)

    held = queue(database, kind, at)
    schedule(database, NUMBER, "declined")
    then = queue(database, kind, at)

    assert (0, {Skipped.PAYMENT_UNDER_WAY: 1}) == (held.owed, held.skipped)
    assert (1, {}) == (then.queued, then.skipped)


@pytest.mark.parametrize(
    ("spared", "kind", "at", "owed"),
    [
        (False, DUE_MAIL, BEFORE, 1),
        (True, DUE_MAIL, BEFORE, 0),
        (True, LATE_MAIL, AFTER, 1),  # rule 97: the switch does not cover it
    ],
)
def test_who_pays_by_autopay_is_spared_the_first_mail_where_the_office_wants_so(  # rules 95 and 96
    database, spared, kind, at, owed
):
    close_one(database)
    schedule(database, NUMBER)

    counts = queue(database, kind, at, spare_autopay=spared)

    assert owed == counts.owed
    assert ({Skipped.AUTOPAY: 1} if not owed else {}) == counts.skipped


@pytest.mark.parametrize("state", ["declined", "cancelled", "returned"])
def test_who_is_not_going_to_be_drawn_is_not_spared(database, state):
    close_one(database)
    schedule(database, NUMBER, state)

    assert 1 == queue(database, DUE_MAIL, BEFORE, spare_autopay=True).owed


def test_a_suppressed_mailbox_is_left_out_and_the_others_are_written_to(database):
    close_one(database, email="gone@example.com;ina@example.com")
    suppress_mailbox(database, "gone@example.com")

    assert 1 == queue(database, DUE_MAIL, BEFORE).owed
    assert [(NUMBER, "payment-due", "ina@example.com")] == mails(database)


def test_who_has_no_address_is_an_exception_until_the_money_is_there(database):
    nobody = [
        a_household("01.1038.2", mandates=(), email=""),
        a_household("01.1039.3", mandates=(), email="no address"),
        a_household("01.1040.4", mandates=(), email="gone@example.com"),
        a_household("01.1041.5", mandates=(), email=""),
        a_household("01.1042.6", mandates=(), email="", balance="0.00"),
    ]
    linked = [
        a_household("01.1043.7", mandates=(), email="", links=(("user@example.net", False),)),
        a_household("01.1044.8", mandates=(), email="", cosigner_id="C1"),
        a_household("01.1045.9", mandates=(), email="", cosigner_id="C2"),
    ]
    close_town(database, *nobody, *linked, landlords=[("C1", "l@example.net"), ("C2", "")])
    suppress_mailbox(database, "gone@example.com")
    hold_bill(database, "01.1041.5")

    before = listed(database)
    counts = queue(database, DUE_MAIL, BEFORE)
    then = listed(database)
    pay(database, "01.1038.2", "80.00")

    assert (2, {Skipped.HELD: 1, Skipped.NO_ADDRESS: 3, Skipped.SUPPRESSED: 1}) == (
        counts.owed,
        counts.skipped,
    )
    assert [] == before
    unreachable = ["01.1038.2", "01.1039.3", "01.1040.4", "01.1045.9"]
    assert [(number, "reminder-no-address") for number in unreachable] == sorted(then)
    assert [(number, "reminder-no-address") for number in unreachable[1:]] == sorted(
        listed(database)
    )


def test_a_second_night_records_nothing_and_says_what_was_sent(database):
    close_one(database)
    first = queue(database, DUE_MAIL, BEFORE)
    mark_all(database, DeliveryStatus.SENT)

    second = queue(database, DUE_MAIL, "2026-11-18T06:00")

    assert (1, 0) == (first.queued, first.already_sent)
    assert (1, 0, 1) == (second.owed, second.queued, second.already_sent)
    assert 1 == len(mails(database))
    with database.reading() as books:
        rows = books.execute(sa.select(audit.c.action, audit.c.subject, audit.c.detail)).all()
    assert [("queue payment-due", RUN, "payment-due, due 2026-11-20: 1 mail queued")] == [
        tuple(row) for row in rows if row.action.startswith("queue")
    ]


def test_a_look_counts_the_same_and_records_nothing(database):
    close_town(
        database,
        a_household(NUMBER, mandates=()),
        a_household("01.1038.2", mandates=(), email=""),
    )

    look = queue(database, LATE_MAIL, AFTER, records=False)
    nothing = mails(database)
    real = queue(database, LATE_MAIL, AFTER)

    assert [] == nothing
    assert (look.owed, look.queued, look.skipped) == (real.owed, real.queued, real.skipped)


def test_two_machines_at_once_record_each_mail_once(database):
    close_town(database, *(a_household(f"01.{1000 + n}.1", mandates=()) for n in range(60)))
    counts = []

    def work():
        counts.append(queue(database, LATE_MAIL, AFTER))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert 60 == len(mails(database)) == sum(one.queued for one in counts)


def test_what_a_crash_left_out_is_recorded_by_the_next_run(empty_sqlite, tmp_path):
    shutil.copy(empty_sqlite, tmp_path / "books.db")
    database = Database(f"sqlite:///{tmp_path / 'books.db'}")
    close_town(database, *(a_household(f"01.{1000 + n}.1", mandates=()) for n in range(60)))
    with database.writing() as books:
        books.exec_driver_sql(
            "CREATE TRIGGER power_cut BEFORE INSERT ON delivery "
            "WHEN (SELECT count(*) FROM delivery) >= 25 "
            "BEGIN SELECT RAISE(ABORT, 'the power failed'); END"
        )

    with pytest.raises(sa.exc.IntegrityError, match="the power failed"):
        queue(database, LATE_MAIL, AFTER, batch=10)
    left = len(mails(database))
    with database.writing() as books:
        books.exec_driver_sql("DROP TRIGGER power_cut")
    counts = queue(database, LATE_MAIL, AFTER, batch=10)

    assert 20 == left  # whole batches
    assert (60, 40) == (counts.owed, counts.queued)
    assert 60 == len(mails(database))
    with database.reading() as books:
        acts = sa.select(sa.func.count()).where(audit.c.action == "queue past-due")
        assert 6 == books.scalar(acts)
    database.close()


def test_who_was_not_written_to_in_time_is_counted_and_audited_once(database):
    close_town(
        database,
        a_household(NUMBER, mandates=()),
        a_household("01.1038.2", mandates=()),
        a_household("01.1039.3", mandates=(), email=""),
    )
    pay(database, "01.1038.2", "80.00")
    queue(database, LATE_MAIL, AFTER)
    pay(database, "01.1038.2", "0.00")  # the payment came back, weeks later

    late = queue(database, LATE_MAIL, "2026-12-06T06:00")
    again = queue(database, LATE_MAIL, "2026-12-07T06:00")

    assert [(0, {Skipped.TOO_LATE: 1})] * 2 == [(c.owed, c.skipped) for c in (late, again)]
    with database.reading() as books:
        told = sa.select(sa.func.count()).where(audit.c.action == "past-due too late")
        assert 1 == books.scalar(told)


def test_the_next_close_ends_the_reminders_of_the_period_before(database):
    close_one(database)
    next_one = a_household(NUMBER, mandates=(), balance="120.00")
    due_on = date(2026, 12, 18)
    stage_run(database, next_one, period="2026-11", due_on=due_on, ends_on=date(2026, 11, 30))
    close_run(database, "2026-11")

    counts = queue(database, LATE_MAIL, "2026-12-02T06:00")
    queue(database, LATE_MAIL, "2026-12-19T06:00")

    assert (0, {}) == (counts.owed, counts.skipped)
    assert [("2026-11", "past-due/2026-12-18")] == [
        (period, key[:19]) for period, key in mails(database, "period", "key")
    ]


# -- the ladder -----------------------------------------------------------------------------------

LADDER = [LadderStep("past-due-2", 8, Money.parse("50.00"))]


def test_further_steps_are_mails_of_their_own_for_who_owes_enough(database):
    small = a_household("01.1038.2", mandates=(), balance="49.99", email="small@example.com")
    close_town(database, a_household(NUMBER, mandates=()), small)

    for day in range(21, 31):
        queue(database, LATE_MAIL, f"2026-11-{day}T06:00", ladder=LADDER)

    assert [
        (NUMBER, "past-due-2", "sven@example.com"),
        (NUMBER, "past-due", "sven@example.com"),
        ("01.1038.2", "past-due", "small@example.com"),
    ] == mails(database)


def test_of_two_missed_steps_an_account_gets_the_later_one_alone(database):
    small = a_household("01.1038.2", mandates=(), balance="49.99", email="small@example.com")
    close_town(database, a_household(NUMBER, mandates=()), small)

    queue(database, LATE_MAIL, "2026-11-29T06:00", ladder=LADDER)

    assert [
        (NUMBER, "past-due-2", "sven@example.com"),
        ("01.1038.2", "past-due", "small@example.com"),
    ] == mails(database)


# -- what waits and is settled meanwhile ----------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "queued_at", "now", "what", "taken"),
    [
        (LATE_MAIL, AFTER, AFTER, lambda books: None, 0),
        (LATE_MAIL, AFTER, AFTER, lambda books: pay(books, NUMBER, "80.00"), 1),
        (LATE_MAIL, AFTER, AFTER, lambda books: schedule(books, NUMBER, "unknown"), 1),
        (LATE_MAIL, AFTER, "2026-12-06T06:00", lambda books: None, 1),
        (DUE_MAIL, BEFORE, "2026-11-20T23:00", lambda books: None, 0),
        (DUE_MAIL, BEFORE, "2026-11-21T00:00", lambda books: None, 1),
    ],
)
def test_a_reminder_that_waits_is_taken_back_when_it_is_not_owed_any_more(
    database, kind, queued_at, now, what, taken
):
    close_one(database)
    queue(database, kind, queued_at)
    what(database)

    assert taken == withdraw_reminders(database, terms(now))
    assert 1 - taken == len(mails(database))


@pytest.mark.parametrize("status", ["sent", "sending", "in-doubt", "failed"])
def test_what_may_have_left_is_kept(database, status):
    close_one(database)
    queue(database, LATE_MAIL, AFTER)
    mark_all(database, DeliveryStatus(status))
    pay(database, NUMBER, "80.00")

    assert 0 == withdraw_reminders(database, terms(AFTER))
    assert 1 == len(mails(database))


def test_a_possible_duplicate_is_kept(database):
    close_one(database)
    queue(database, LATE_MAIL, AFTER)
    with database.writing() as books:
        books.execute(delivery.update().values(possible_duplicate=True))
    pay(database, NUMBER, "80.00")

    assert 0 == withdraw_reminders(database, terms(AFTER))


def test_what_was_taken_back_is_recorded_anew_when_it_is_owed_again(database):
    close_one(database)
    queue(database, LATE_MAIL, AFTER)
    pay(database, NUMBER, "80.00")
    withdraw_reminders(database, terms(AFTER))
    pay(database, NUMBER, "0.00")  # the bank took the payment back

    assert 1 == queue(database, LATE_MAIL, "2026-11-25T06:00").queued


# -- day by day -----------------------------------------------------------------------------------


def a_month(database, nights, paid_on):
    """Close a town, then go through the nights; one account pays in full, one in part."""
    empty(database)
    close_town(
        database,
        a_household("01.1001.1", mandates=(), email="owes@example.com"),
        a_household("01.1002.2", mandates=(), email="pays@example.com"),
        a_household("01.1003.3", mandates=(), email="part@example.com"),
        a_household("01.1004.4", mandates=(), email="auto@example.com"),
    )
    schedule(database, "01.1004.4")
    sent = []
    for night in sorted(nights):
        at = f"2026-{'11' if night <= 30 else '12'}-{night if night <= 30 else night - 30:02}T06:00"
        if night >= paid_on:
            pay(database, "01.1002.2", "80.00")
            pay(database, "01.1003.3", "30.00")
        if night >= 16:
            schedule(database, "01.1004.4", "succeeded")
            pay(database, "01.1004.4", "80.00")
        before = set(mails(database))
        for kind in (DUE_MAIL, LATE_MAIL):
            queue(database, kind, at)
        mark_all(database, DeliveryStatus.SENT)
        sent += [(night, *mail[1:]) for mail in sorted(set(mails(database)) - before)]
    return sent


def test_a_month_from_the_close_to_the_past_due_mail(database):
    every_night = range(CLOSING_DAY.day, 45)

    sent = a_month(database, every_night, paid_on=DUE.day)

    assert [
        (17, "payment-due", "owes@example.com"),
        (17, "payment-due", "pays@example.com"),
        (17, "payment-due", "part@example.com"),
        (21, "past-due", "owes@example.com"),
        (21, "past-due", "part@example.com"),
    ] == sent


def test_three_nights_without_the_machine_end_in_the_same_mails(database):
    every_night = set(range(CLOSING_DAY.day, 45))
    in_order = a_month(database, every_night, paid_on=DUE.day)

    away = a_month(database, every_night - {16, 17, 18} - {21, 22, 23}, paid_on=DUE.day)

    assert [19, 19, 19, 24, 24] == [night for night, *_ in away]
    assert [mail for _, *mail in in_order] == [mail for _, *mail in away]


@few_examples
@given(st.sets(st.integers(2, 44)))
def test_whatever_nights_are_missed_nobody_is_written_to_twice_or_out_of_season(database, nights):
    sent = a_month(database, nights, paid_on=DUE.day)

    assert len({(form, address) for _, form, address in sent}) == len(sent)
    expected = {"payment-due": range(17, 21), "past-due": range(21, 36)}
    assert all(night in expected[form] for night, form, _ in sent)
    for form, season in expected.items():
        first = min((night for night in nights if night in season), default=None)
        assert {night for night, found, _ in sent if found == form} == ({first} - {None})
