"""What is scheduled and drawn over two closes: the ledger's cases, with the gateway's own books."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from billing_system.closing import publish
from billing_system.feed.port import FeedFile
from billing_system.feed.taking_in import FeedTerms, take_in_file
from database.books import insert_rows
from database.ledger.boundary_plans import carried_by_plan, plan_boundary
from database.queries.balances import read_open_balance
from database.queries.movements import movements
from database.tables import bill_run, gateway_payment, movement
from domain.deliveries import MessageKind
from domain.failures import OutcomeUnknown
from domain.money import Money
from domain.movements import MovementKind
from domain.payments import PaymentState
from domain.runs import RunState
from payments.collecting.claiming import claim_due, due_keys, preview_due
from payments.collecting.unanswered import look_up_due
from payments.outcomes.events import take_in_events
from tests.billing_system.feed.builders import a_movement, tell_change
from tests.builders import ACH, RUN, a_household, close_run, stage_run
from tests.mail.reminder_builders import queue
from tests.payments.collecting.test_crashes import Gateway, fails
from tests.payments.collecting_builders import TERMS, Collector, a_collector, paying
from tests.payments.outcomes.test_money_back import Tells, an_event
from tests.payments.scheduling_builders import schedule

NEXT, LAST = "2026-11", date(2026, 11, 30)
W = datetime(2026, 12, 1, 0, tzinfo=UTC)  # five in the afternoon of November 30
CLOSING = datetime(2026, 12, 1, 16, tzinfo=UTC)
WHOLE = {"days_prior": 0}
AGREED = Money(45_00)
FED = FeedTerms("City of Larkspur", "America/Denver", "anna")


@dataclass
class TwoMonths:
    """October is closed; November is staged, closed and scheduled when a test says so."""

    office: Collector

    def at(self, month: int, day: int, hour: int = 12) -> None:
        """Let it be an hour of Denver's winter time."""
        self.office.at = datetime(2026, month, day, hour, tzinfo=UTC) + timedelta(hours=7)

    def stage(self, closing: str, *lines: tuple[Any, ...], **changes: Any) -> None:
        one = paying("1", "tok_ach_ok", closing, method_kind=ACH, terms=WHOLE, **changes)
        stage_run(self.office.database, one, period=NEXT, ends_on=LAST, due_on=date(2026, 12, 20))
        columns = ["period", "line", "account_key", "account", "posted_on", "service",
                   "description", "kind", "amount", "reference"]  # fmt: skip
        rows = [
            (NEXT, number, "1", "1", day, "", "", MovementKind.PAYMENT, Money.parse(amount), named)
            for number, (day, amount, named) in enumerate(lines, start=1)
        ]
        this = bill_run.update().where(bill_run.c.period == NEXT)
        with self.office.database.writing() as books:
            insert_rows(books, movement, columns, rows)
            books.execute(
                this.values(written_at=W, sure_until=W, not_after=W, state=RunState.APPROVED)
            )

    def close(self) -> Money:
        """Close November and schedule it; return what was scheduled."""
        self.office.at = CLOSING
        publish(self.office.database, NEXT, now=CLOSING, who="anna")
        return schedule(self.office.database, CLOSING.date(), NEXT, now=CLOSING).amount

    def feed(self, *movements: Any, **changes: Any) -> None:
        local = self.office.at.replace(tzinfo=None) - timedelta(hours=7)
        digest = hashlib.sha256(f"{movements}{changes}".encode()).hexdigest()
        file = FeedFile(name="night", sha256=digest, written_at=local,
                        movements=movements, **changes)  # fmt: skip
        take_in_file(self.office.database, file, FED, self.office.at)

    @property
    def open(self) -> str:
        with self.office.database.reading() as books:
            return str(read_open_balance(books, "1"))

    def payments(self) -> list[tuple[str, str, str, str | None]]:
        """Period, state, amount and reason of each."""
        rows = gateway_payment.c
        with self.office.database.reading() as books:
            return [
                (row.period, str(row.state), str(row.amount), row.error)
                for row in books.execute(sa.select(gateway_payment).order_by(rows.period, rows.key))
            ]

    def taken(self) -> list[int]:
        return [cents for _, cents in self.office.taken()]


def two_months(database, place) -> TwoMonths:
    """October: 100.00, due on November 20; drawn on that day unless a test lets it wait."""
    one = paying("1", "tok_ach_ok", "100.00", method_kind=ACH, terms=WHOLE)
    office = a_collector(database, place, one)
    office.gateway.set_clock(None)  # makes its books
    return TwoMonths(office)


@pytest.fixture
def months(database, tmp_path):
    return two_months(database, tmp_path)


def test_case_1_after_a_draw_of_the_evening_the_rest_alone_is_scheduled_and_drawn(months):
    months.at(11, 30, 18)
    months.office.collect()
    months.stage("160.00")
    plan_boundary(months.office.database, NEXT, 3)
    with months.office.database.reading() as books:
        carried = [row.carried for row in books.execute(carried_by_plan(NEXT))]

    scheduled = months.close()
    before = (months.open, scheduled)
    months.at(12, 18)
    months.office.collect()

    assert [Money(-100_00)] == carried
    assert ("60.00", Money(60_00)) == before
    assert ([100_00, 60_00], "0.00") == (months.taken(), months.open)  # 160.00 in all


def test_case_5_a_return_of_before_the_close_is_in_the_new_bill_and_not_drawn_again(months):
    months.at(11, 20)
    months.office.collect()
    confirmation = months.office.draws()[0].reference
    months.at(11, 30, 20)
    told = Tells(months.office.gateway, an_event(months.office, amount="100.00"))
    take_in_events(months.office.database, told, TERMS, months.office.now)
    months.stage("60.00", (date(2026, 11, 20), "-100.00", confirmation))

    scheduled = months.close()
    months.at(12, 8)  # five banking days after it came back
    months.office.collect()

    again = [row for row in months.payments() if row[0] == RUN]
    assert (Money(160_00), "160.00") == (scheduled, months.open)
    assert [
        ("returned", "100.00"), ("cancelled", "100.00"),
    ] == [(row[1], row[2]) for row in again]  # fmt: skip
    assert "not drawn: balance-moved" == again[1][3]
    assert [100_00] == months.taken()


def test_case_6_a_return_of_after_the_close_is_drawn_again_beside_what_is_scheduled(months):
    months.at(11, 20)
    months.office.collect()
    confirmation = months.office.draws()[0].reference
    months.stage("80.00", (date(2026, 11, 20), "-100.00", confirmation))
    scheduled = months.close()

    months.at(12, 3)
    told = Tells(months.office.gateway, an_event(months.office, amount="100.00"))
    take_in_events(months.office.database, told, TERMS, months.office.now)
    opened = months.open
    for day in (11, 18):
        months.at(12, day)
        months.office.collect()

    assert (Money(80_00), "180.00") == (scheduled, opened)
    assert [(NEXT, "succeeded", "80.00"), (NEXT, "succeeded", "100.00")] == [
        row[:3] for row in months.payments() if row[0] == NEXT
    ]
    assert ([100_00, 100_00, 80_00], "0.00") == (sorted(months.taken())[::-1], months.open)


@pytest.mark.parametrize(
    ("paid", "drawn", "reason"),
    [("-40.00", [60_00], None), ("-100.00", [], "not drawn: paid-meanwhile")],
)
def test_case_15_what_was_paid_at_the_counter_is_neither_drawn_nor_dunned(
    months, paid, drawn, reason
):
    months.at(11, 10)
    months.feed(a_movement("M1", paid, account="1"))
    months.at(11, 20)

    months.office.collect()
    past_due = queue(months.office.database, MessageKind.PAST_DUE, "2026-11-21T06:00")

    assert (drawn, "0.00") == (months.taken(), months.open)
    assert reason == months.office.payment().error
    assert 0 == past_due.queued


def test_what_is_paid_between_a_claim_and_its_asking_is_not_drawn(months):
    """The collector dies after its claim; the next one begins anew, with the balance of then."""
    months.at(11, 20)
    database, today = months.office.database, date(2026, 11, 20)
    with database.reading() as books:
        due = books.execute(due_keys(RUN, today)).all()
    claimed = claim_due(database, RUN, today, months.office.at, TERMS, due)
    months.feed(a_movement("M1", "-40.00", account="1"))

    months.office.collect()

    assert [Money(100_00)] == [one.amount for one in claimed.draws]
    assert ([60_00], "0.00") == (months.taken(), months.open)


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        pytest.param(None, [100_00], id="nothing happened: asked under the same key"),
        pytest.param("-40.00", [], id="paid at the counter"),
        pytest.param("5.00", [100_00], id="charged"),
        pytest.param("block", [], id="blocked"),
        pytest.param("old", [], id="the feed is too old to say"),
    ],
)
def test_what_the_gateway_does_not_know_is_asked_again_only_while_it_would_be_drawn(
    months, change, taken
):
    """The request was lost on its way; what is not asked again stays in doubt, for a person."""
    months.at(11, 20)
    office = months.office
    office.collect(gateway=Gateway(office.gateway, confirm=fails(OutcomeUnknown("no answer"))))
    office.wait(hours=1)
    if change == "block":
        tell_change(office.database, "block_ach", "yes", office.at)
    elif change not in (None, "old"):
        months.feed(a_movement("M1", change, account="1"))
    terms = replace(TERMS, feed_max_age=timedelta(hours=30)) if change == "old" else TERMS

    look_up_due(office.database, office.gateway, terms, office.now)

    state = PaymentState.SUCCEEDED if taken else PaymentState.UNKNOWN
    assert (taken, state) == (months.taken(), office.state())


@pytest.mark.parametrize(
    ("paid", "drawn"), [(None, [100_00, 80_00]), ("-80.00", [80_00]), ("-20.00", [80_00])]
)
def test_of_two_payments_of_one_day_the_second_finds_what_the_first_left(months, paid, drawn):
    """
    One that came back is drawn again on the day of the next; at the counter some was paid.

    What is drawn again has the amount of before or is not drawn.
    """
    months.at(11, 20)
    office = months.office
    office.collect()
    confirmation = office.draws()[0].reference
    months.stage("80.00", (date(2026, 11, 20), "-100.00", confirmation))
    months.close()
    months.at(12, 3)
    told = Tells(office.gateway, an_event(office, amount="100.00"))
    take_in_events(office.database, told, TERMS, office.now)
    if paid:
        months.feed(a_movement("M1", paid, account="1"))
    months.at(12, 18)
    planned = [
        one.cents
        for _, one in preview_due(office.database, office.at, TERMS)
        if isinstance(one, Money)
    ]

    office.collect()

    once = sorted(months.taken(), reverse=True)
    once.remove(100_00)  # of November 20
    assert sorted(planned) == sorted(once)
    assert 180_00 + (Money.parse(paid).cents if paid else 0) >= sum(once)
    assert drawn == once


@pytest.mark.parametrize("is_heard", [True, False], ids=["at once", "on December 2"])
def test_case_24_of_equal_pay_the_agreed_amount_is_drawn_whatever_was_paid(
    database, tmp_path, is_heard
):
    token = "tok_ach_ok" if is_heard else "tok_lost_response"
    kind = {"method_kind": ACH} if is_heard else {}
    one = paying("1", token, "100.00", equal_pay_amount=AGREED, terms=WHOLE, **kind)
    months = TwoMonths(a_collector(database, tmp_path, one))
    months.at(11, 30, 18)
    months.office.collect()
    months.stage("160.00", equal_pay_amount=AGREED)
    scheduled = months.close()

    months.at(12, 2)
    months.office.look_up()
    opened = months.open
    months.at(12, 18)
    months.office.collect()

    assert (AGREED, "45.00") == (scheduled, opened)
    assert ([45_00, 45_00], "0.00") == (months.taken(), months.open)


def test_what_moved_before_the_close_of_an_equal_pay_account_is_listed_until_the_next_bill(
    database, tmp_path
):
    one = paying("1", "tok_ach_ok", "100.00", equal_pay_amount=AGREED, terms=WHOLE)
    months = TwoMonths(a_collector(database, tmp_path, one))
    months.at(11, 30, 18)
    months.office.collect()
    months.stage("160.00", equal_pay_amount=AGREED)
    months.close()
    months.at(12, 2)
    months.feed(a_movement("M7", "-30.00", account="1", happened_on=date(2026, 11, 30)))

    with database.reading() as books:
        rows = books.execute(sa.select(movements().subquery())).all()

    assert "45.00" == months.open
    assert {("-45.00", "no"), ("-30.00", "no")} == {
        (str(row.amount), row.in_balance_due) for row in rows
    }


def test_case_25_a_return_beside_an_agreed_amount_does_not_raise_the_draw(database, tmp_path):
    one = paying("1", "tok_ach_ok", "100.00", method_kind=ACH, equal_pay_amount=AGREED, terms=WHOLE)
    months = TwoMonths(a_collector(database, tmp_path, one))
    months.at(11, 20)
    months.office.collect()
    months.stage("160.00", equal_pay_amount=AGREED)
    months.close()

    months.at(12, 3)
    told = Tells(months.office.gateway, an_event(months.office, amount="45.00", code="R10"))
    take_in_events(months.office.database, told, TERMS, months.office.now)
    opened = months.open
    scheduled = [row[2] for row in months.payments() if row[1] == "scheduled"]

    assert ("90.00", ["45.00"]) == (opened, scheduled)


def test_case_22_a_missing_file_stops_each_cycle_until_an_export_of_its_own(database, tmp_path):
    """File 16 is missing; A's next export was written after file 17, B's was not."""
    for cycle, number in (("A", "1"), ("B", "2")):
        one = paying(number, "tok_ok", "100.00", terms=WHOLE)
        stage_run(database, one, period=f"2026-10-{cycle}")
        close_run(database, f"2026-10-{cycle}")
        schedule(database, period=f"2026-10-{cycle}")
    office = a_collector(database, tmp_path, a_household("9", mandates=()))
    months = TwoMonths(office)
    months.at(11, 18)
    months.feed(sequence=15)
    months.at(11, 20)
    months.feed(sequence=17)
    terms = replace(TERMS, feed_max_age=timedelta(hours=30))

    stopped = office.collect(terms=terms)
    newer = paying("1", "tok_ok", "160.00", terms=WHOLE)
    stage_run(database, newer, period="2026-11-A", ends_on=date(2026, 11, 20))
    with database.writing() as books:
        this = bill_run.update().where(bill_run.c.period == "2026-11-A")
        later = office.at + timedelta(hours=1)
        books.execute(this.values(written_at=later, sure_until=later, not_after=later))
    close_run(database, "2026-11-A")
    schedule(database, date(2026, 11, 21), "2026-11-A", now=office.at + timedelta(hours=2))
    months.at(11, 21)
    going_on = office.collect(terms=terms)

    assert (0, {"2026-10-A", "2026-10-B"}) == (stopped.drawn.count, stopped.left_out)
    assert (1, Money(160_00)) == (going_on.drawn.count, going_on.drawn.amount)
    assert {"2026-10-B"} == going_on.left_out - {"2026-10-A"}
    assert PaymentState.SCHEDULED == office.payment("2", "2026-10-B").state
