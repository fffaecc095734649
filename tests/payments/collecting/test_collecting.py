"""Collecting: what is drawn, what is not, and what is written down of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from database.ledger.entries import find_wrong_sums
from database.tables import (
    account,
    audit,
    balance_due,
    bill_run,
    enrollment_end,
    outsorted_bill,
    suspended_method,
)
from domain.accounts import AccountStatus
from domain.failures import OutcomeUnknown
from domain.money import Money
from domain.payments import DrawState, PaymentState
from tests.billing_system.feed.builders import tell_change
from tests.builders import a_hold, stage_run
from tests.mail.mass_builders import statements
from tests.payments.collecting_builders import TERMS, a_collector, paying


def test_a_payment_that_is_due_is_drawn_counted_and_queued_for_posting(database, tmp_path):
    """Rule 78."""
    office = a_collector(database, tmp_path, paying("1"))

    counts = office.collect()

    payment, (draw,) = office.payment(), office.draws()
    assert (1, Money(80_00), "") == (counts.drawn.count, counts.drawn.amount, counts.stopped_by)
    assert [("autopay/2026-10/1/1", 80_00)] == office.taken()
    assert (PaymentState.SUCCEEDED, draw.reference) == (payment.state, payment.confirmation)
    assert (office.at, None) == (payment.taken_at, payment.error)
    assert (DrawState.APPROVED, office.at, None) == (
        draw.state, draw.asked_at, draw.next_lookup_at,
    )  # fmt: skip
    assert Money(80_00) == office.paid()
    assert [("receipt", Money(80_00))] == office.postings()


def test_what_a_batch_took_is_written_down_together_and_each_on_its_own_account(database, tmp_path):
    amounts = {f"{number}": Money(number * 100) for number in range(31, 39)}
    households = (paying(key, balance=str(amount)) for key, amount in amounts.items())
    office = a_collector(database, tmp_path, *households, paying("9", "tok_do_not_honor"))

    with statements(database) as asked:
        office.collect()

    ledger = ("INSERT INTO balance_entry", "INSERT INTO posting", "UPDATE balance_due")
    assert [1, 1, 1] == [sum(one.startswith(words) for one in asked) for words in ledger]
    assert [(amount, [("receipt", amount)]) for amount in amounts.values()] == [
        (office.paid(key), office.postings(key)) for key in amounts
    ]
    assert (Money(0), []) == (office.paid("9"), office.postings("9"))
    assert [] == find_wrong_sums_of(database)


def find_wrong_sums_of(database) -> list[str]:
    with database.reading() as books:
        return find_wrong_sums(books)


def test_collecting_again_draws_nothing_again(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1"), paying("2"))

    office.collect()
    again = office.collect()

    assert (0, 2) == (again.drawn.count, len(office.taken()))


def test_a_decline_is_written_down_with_its_reason_and_drawn_again_days_later(database, tmp_path):
    """Rule 79."""
    office = a_collector(database, tmp_path, paying("1", "tok_ok_after_2"))

    first = office.collect()

    payment = office.payment()
    assert (1, PaymentState.SCHEDULED, date(2026, 11, 16)) == (
        first.declined.count, payment.state, payment.pay_on,
    )  # fmt: skip
    assert "declined: insufficient_funds" in payment.error
    office.wait(days=3)
    assert 1 == office.collect().declined.count
    assert date(2026, 11, 23) == office.payment().pay_on  # five days later is a Saturday
    office.wait(days=7)
    assert 1 == office.collect().drawn.count
    assert [("autopay/2026-10/1/3", 80_00)] == office.taken()
    assert Money(80_00) == office.paid()


def test_a_lost_answer_is_looked_up_and_the_money_is_taken_once(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1", "tok_lost_response"))

    counts = office.collect()

    assert (1, PaymentState.UNKNOWN, []) == (
        counts.unknown.count, office.state(), office.postings(),
    )  # fmt: skip
    assert 0 == office.collect().drawn.count
    office.wait(minutes=5)
    assert 1 == office.look_up().approved
    assert (PaymentState.SUCCEEDED, 1) == (office.state(), len(office.taken()))
    assert [("receipt", Money(80_00))] == office.postings()


def test_a_gateway_that_is_away_for_hours_does_not_use_up_the_early_look_ups(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1", "tok_lost_response"))
    office.collect()

    for _ in range(12):
        office.wait(minutes=5)
        assert 1 == office.look_up(gateway=_Away(office.gateway)).unknown

    office.wait(minutes=5)
    assert 1 == office.look_up().approved
    assert 1 == len(office.taken())


class _Away:
    """A gateway whose look-ups stay without an answer."""

    def __init__(self, gateway):
        self.key_window = gateway.key_window

    def lookup(self, request, reference):
        raise OutcomeUnknown("no answer")


def test_what_was_paid_meanwhile_is_not_drawn(database, tmp_path):
    """Rule 39."""
    office = a_collector(database, tmp_path, paying("1"), paying("2"))
    office.set(balance_due, "1", paid=Money(50_00))
    office.set(balance_due, "2", paid=Money(80_00))

    counts = office.collect()

    assert [("autopay/2026-10/1/1", 30_00)] == office.taken()
    assert (1, PaymentState.CANCELLED, "not drawn: paid-meanwhile") == (
        counts.cancelled, office.state("2"), office.payment("2").error,
    )  # fmt: skip
    assert Money(80_00) == office.paid("1")


def block(books):
    books.execute(account.update().values(block_card=True))


def close_account(books):
    books.execute(account.update().values(status=AccountStatus.CLOSED))


def hold(books):
    row = a_hold("bill-amount", period="2026-10", account_key="1", account="1")
    books.execute(outsorted_bill.insert().values(row))


def suspend(books):
    row = {
        "method_token": "tok_ok",
        "since": NOW,
        "reason": "returned: R10 (unauthorized)",
    }
    books.execute(suspended_method.insert().values(row))


def end_mandate(books):
    row = {"account_key": "1", "ended_on": date(2026, 11, 3), "ended_at": NOW}
    books.execute(enrollment_end.insert().values(row | {"ended_by": "anna", "reason": "asked"}))


def move_balance(books):
    books.execute(balance_due.delete())


NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (block, "method-blocked"),
        (close_account, "account-closed"),
        (hold, "held"),
        (suspend, "method-suspended"),
        (end_mandate, "mandate-ended"),
        (move_balance, "balance-moved"),
    ],
)
def test_what_changed_since_it_was_scheduled_is_honored(database, tmp_path, change, reason):
    office = a_collector(database, tmp_path, paying("1"))
    with database.writing() as books:
        change(books)

    office.collect()

    assert ([], PaymentState.CANCELLED) == (office.draws(), office.state())
    assert f"not drawn: {reason}" == office.payment().error
    with database.reading() as books:
        said = books.scalars(sa.select(audit.c.detail).where(audit.c.action == "cancel payment"))
        assert [f"2026-10: not drawn: {reason}"] == list(said)


def test_a_block_in_a_newer_export_is_honored_before_its_close_rule_138(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1"))
    stage_run(
        database, paying("1", block_card=True), period="2026-11", ends_on=date(2026, 11, 30),
        due_on=date(2026, 12, 20),
    )  # fmt: skip

    office.collect()

    assert "not drawn: method-blocked" == office.payment().error


@pytest.mark.parametrize("first", ["2026-11", "2026-11-final"])
@pytest.mark.parametrize("blocked", ["2026-11", "2026-11-final"])
def test_of_two_newer_exports_of_one_day_the_same_decides_whichever_came_first(
    database, tmp_path, blocked, first
):
    office = a_collector(database, tmp_path, paying("1"))
    for period in sorted(["2026-11", "2026-11-final"], key=lambda one: one != first):
        household = paying("1", block_card=period == blocked)
        stage_run(database, household, period=period, ends_on=date(2026, 11, 30))

    counts = office.collect()

    assert (blocked == "2026-11-final") == counts.cancelled


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("block_card", "yes", "method-blocked"),
        ("direct_pay", "yes", "direct-pay"),
        ("status", "closed", "account-closed"),
    ],
)
def test_what_the_feed_told_since_the_export_stops_a_draw(
    database, tmp_path, field, value, reason
):  # case 36
    office = a_collector(database, tmp_path, paying("1"))
    tell_change(database, field, value, office.at)

    counts = office.collect()

    assert (0, 1, []) == (counts.drawn.count, counts.cancelled, office.draws())
    assert f"not drawn: {reason}" == office.payment().error


@pytest.mark.parametrize(("written", "cancelled"), [(18, 1), (30, 0)])
def test_a_newer_export_lifts_a_block_of_the_feed_where_it_was_written_after_it(
    database, tmp_path, written, cancelled
):  # case 36
    office = a_collector(database, tmp_path, paying("1"))
    tell_change(database, "block_card", "yes", datetime(2026, 11, 20, 17, tzinfo=UTC))
    stage_run(database, paying("1"), period="2026-11", ends_on=date(2026, 11, 30))
    moment = datetime(2026, 11, written, 17, tzinfo=UTC)
    newer = bill_run.update().where(bill_run.c.period == "2026-11")
    with database.writing() as books:
        books.execute(newer.values(written_at=moment))
    office.at = datetime(2026, 12, 1, 16, tzinfo=UTC)

    counts = office.collect()

    assert (cancelled, 1 - cancelled) == (counts.cancelled, counts.drawn.count)


def test_an_account_that_a_newer_export_lacks_is_drawn_by_the_newest_that_has_it(
    database, tmp_path
):
    office = a_collector(database, tmp_path, paying("1"), paying("2"))
    stage_run(database, paying("2", block_card=True), period="2026-11", ends_on=date(2026, 11, 30))

    counts = office.collect()

    assert (1, 1, PaymentState.SUCCEEDED) == (
        counts.drawn.count,
        counts.cancelled,
        office.state("1"),
    )


def test_nothing_is_drawn_before_its_day(database, tmp_path):
    office = a_collector(database, tmp_path, paying("1"))
    office.at = datetime(2026, 11, 13, 6, 59, tzinfo=UTC)  # still the 12th in Denver

    assert 0 == office.collect().drawn.count
    office.wait(minutes=1)
    assert 1 == office.collect().drawn.count


def test_a_stolen_card_is_suspended_and_the_next_payment_not_drawn(database, tmp_path):
    office = a_collector(
        database, tmp_path, paying("1", "tok_stolen_card"), paying("2", "tok_stolen_card")
    )

    office.collect(terms=replace(TERMS, batch=1))

    assert (PaymentState.DECLINED, PaymentState.CANCELLED) == (office.state("1"), office.state("2"))
    assert "not drawn: method-suspended" == office.payment("2").error


def test_a_stop_between_batches_leaves_the_rest_scheduled(database, tmp_path):
    office = a_collector(database, tmp_path, *(paying(str(number)) for number in range(1, 5)))
    drawn = []

    counts = office.collect(
        terms=replace(TERMS, batch=2), stop=lambda: bool(drawn), progress=drawn.append
    )

    assert (2, 1) == (counts.drawn.count, len(drawn))
    assert 2 == office.collect().drawn.count
