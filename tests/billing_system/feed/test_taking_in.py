"""What files of the feed do to balances: the cases of the design, with their values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from billing_system.feed.port import FeedFile
from billing_system.feed.taking_in import FeedReport, FeedTerms, take_in_file
from database.books import Database
from database.feed.tables import feed_finding, feed_gap
from database.ledger.entries import outstanding_sums, record_entries
from database.ledger.tables import balance_entry, entry_told, feed_file
from database.queries.balances import read_open_balance
from database.queries.feed import newest_written_at
from database.tables import balance_due, bill_run, movement, posting
from domain.failures import Misuse, Refused
from domain.feeds import AccountChange, ChangeField, FeedKind, FeedMovement
from domain.ledger import ContainedBy, EntryKind
from domain.money import ZERO, Money
from domain.movements import MovementKind
from domain.payments import PostingState
from reporting.lists.asking import ListRequest, narrowed
from reporting.lists.money import completed_payments
from reporting.lists.reading import shown_rows
from tests.billing_system.feed.builders import a_movement, at
from tests.billing_system.feed.postings import enter_posting
from tests.builders import RUN, a_household, an_entry, close_run, stage_run

W = "2026-10-31T23:00"  # UTC: when the export was written
NOW = at("2026-11-11T15:00")
DENVER = ZoneInfo("America/Denver")
TERMS = FeedTerms("City of Larkspur", "America/Denver", "anna")
UNANSWERED = {"state": PostingState.SUBMITTED, "receipt": None, "posted_at": None}


@dataclass
class Office:
    """A closed October of one account, its export written on the last evening."""

    database: Database
    now: datetime = NOW

    def feed(self, *movements: FeedMovement, **changes: Any) -> FeedReport:
        return take_in_file(self.database, a_file(*movements, **changes), TERMS, self.now)

    @property
    def open(self) -> Money:
        with self.database.reading() as books:
            return read_open_balance(books, "1")

    def take(
        self,
        amount: str = "-100.00",
        *,
        key: str = "taken/1",
        kind: EntryKind = EntryKind.PAYMENT,
        posted: str = "",
    ) -> None:
        """Move money as a draw does; `posted` is when cash receipting was asked to enter it."""
        entry = an_entry(key, amount, kind=kind, happened_on=date(2026, 11, 10), reference="SB1")
        with self.database.writing() as books:
            record_entries(books, [entry], now=self.now, who="anna")
            if posted:
                enter_posting(books, entry, at(posted))

    def ask_again(self, moment: str, **answer: Any) -> None:
        """Ask cash receipting once more for what it was asked for before, for the last time."""
        asked = {"asked_at": at(moment), "posted_at": at(moment), "attempts": 2}
        with self.database.writing() as books:
            books.execute(posting.update().values(asked | answer))

    def findings(self) -> list[str]:
        with self.database.reading() as books:
            return list(
                books.scalars(sa.select(feed_finding.c.code).order_by(feed_finding.c.number))
            )

    def sums_agree(self) -> bool:
        with self.database.reading() as books:
            kept = books.execute(sa.select(balance_due.c.added, balance_due.c.paid)).one()
            added = books.execute(outstanding_sums()).first()
        return tuple(kept) == ((added.added, added.paid) if added else (ZERO, ZERO))


def a_file(*movements: FeedMovement, **changes: Any) -> FeedFile:
    facts: dict[str, Any] = {
        "name": "night",
        "sha256": str(hash(movements) + hash(str(changes))),
        "written_at": datetime(2026, 11, 10, 17),
        "movements": movements,
    }
    return FeedFile(**facts | changes)


def m(movement_id: str = "M1", amount: str = "-40.00", **changes: Any) -> FeedMovement:
    return a_movement(movement_id, amount, **{"account": "1", **changes})


@pytest.fixture
def office(database) -> Office:
    stage_run(database, a_household("1", closing_balance=Money(100_00)))
    with database.writing() as books:
        books.execute(bill_run.update().values(sure_until=at(W), not_after=at(W), written_at=at(W)))
    close_run(database)
    return Office(database)


def a_line(books: Any, line: int, day: date, amount: str, reference: str = "") -> None:
    books.execute(
        movement.insert().values(
            period=RUN, line=line, account_key="1", account="1", posted_on=day, service="",
            description="", kind=MovementKind.PAYMENT, amount=Money.parse(amount),
            reference=reference,
        )
    )  # fmt: skip


def test_a_payment_at_the_counter_lowers_what_is_owed(office):  # case 15
    report = office.feed(m("M1", "-40.00"))

    assert (Money(60_00), 1, Money(-40_00)) == (office.open, report.new, report.amount)
    assert [("1", Money(100_00), Money(60_00))] == [
        (one.account, one.before, one.after) for one in report.moved
    ]


def test_what_a_file_moved_is_told_by_account_however_it_is_written(office):
    moved = office.feed(m("M1", account="3"), m("M2", account="1"), m("M3", account="2")).moved

    assert ["1", "2", "3"] == [one.account for one in moved]


def test_the_same_file_twice_counts_once_and_another_content_is_refused(office):  # case 16
    office.feed(m("M1", "-40.00"))
    again = office.feed(m("M1", "-40.00"))
    changed = office.feed(m("M1", "-50.00"), m("M2", "-10.00"))

    assert (True, 1, 0) == (again.is_known, again.known, again.new)
    assert (1, 1, Money(50_00)) == (changed.changed, changed.new, office.open)
    assert ["movement-changed"] == office.findings()


@pytest.mark.parametrize("number", ["SB1", "CR1"])
def test_our_own_payment_come_back_moves_nothing(office, number):  # case 17
    office.take(posted="2026-11-10T15:00")

    report = office.feed(m("M1", "-100.00", reference=number))

    with office.database.reading() as books:
        told = books.execute(sa.select(balance_entry.c.told_at)).scalar_one()
    assert (ZERO, 1, 0, at("2026-11-11T00:00")) == (office.open, report.ours, report.new, told)


def test_our_receipt_taken_out_there_counts_for_nothing_until_decided(office):  # case 18
    office.take(posted="2026-11-10T15:00")

    report = office.feed(m("M1", "100.00", reference="CR1"))

    assert (ZERO, 1, ["receipt-voided"]) == (office.open, report.not_counted, office.findings())


def test_a_file_of_before_the_export_moves_nothing_however_late_it_comes(office):  # case 19
    report = office.feed(m("M1", "-40.00"), written_at=datetime(2026, 10, 29, 17))

    assert (Money(100_00), 1, 0) == (office.open, report.late, report.new)


def test_of_two_alike_one_is_the_exports_line_and_one_counts(office):  # case 20
    day = date(2026, 10, 31)
    with office.database.writing() as books:
        a_line(books, 1, day, "-25.00")

    report = office.feed(
        m("M1", "-25.00", happened_on=day),
        m("M2", "-25.00", happened_on=day),
        written_at=datetime(2026, 10, 31, 18),
    )

    assert (1, 1, Money(75_00)) == (report.late, report.new, office.open)


def test_what_was_posted_before_the_export_is_in_it_and_what_came_after_is_not(office):
    day = date(2026, 10, 31)

    office.feed(
        m("M1", "-25.00", happened_on=day, posted_at=datetime(2026, 10, 31, 16, 59)),
        m("M2", "-10.00", happened_on=day, posted_at=datetime(2026, 10, 31, 17, 1)),
        written_at=datetime(2026, 10, 31, 18),
    )

    assert Money(90_00) == office.open


def test_what_is_not_in_the_balance_due_is_kept_and_changes_nothing(office):  # case 23
    report = office.feed(m("M1", "7.77", kind=FeedKind.FEE, in_balance_due=False))

    with office.database.reading() as books:
        kept = books.execute(sa.select(balance_entry.c.amount, balance_entry.c.counts)).one()
    assert (Money(100_00), 1, (Money(7_77), False)) == (
        office.open, report.not_counted, tuple(kept),
    )  # fmt: skip


def test_a_payment_before_the_accounts_first_close_waits_for_its_bill(office):  # case 33
    report = office.feed(m("M1", "-30.00", account="2"))

    with office.database.reading() as books:
        row = books.execute(sa.select(balance_due).where(balance_due.c.account_key == "2")).one()
        balance = read_open_balance(books, "2")
    assert (None, Money(-30_00), 1) == (row.period, balance, report.new)
    assert ["movement-unknown-account"] == office.findings()


def test_an_account_that_no_export_has_is_listed_as_the_feed_writes_it(office):
    office.feed(m("M1", "-30.00", account="99.0042.7"))

    with office.database.reading() as books:
        query = sa.select(balance_due.c.account).where(balance_due.c.account_key == "9900427")
        assert "99.0042.7" == books.scalar(query)


def test_a_payment_of_which_the_day_alone_is_told_is_listed_by_that_day(office):
    office.feed(m("M1", "-30.00"), m("M2", "-5.00", posted_at=datetime(2026, 11, 10, 9, 30)))

    def listed(*where: str, zone: ZoneInfo | None = None) -> list[str]:
        request = ListRequest(where, ("-taken_at",), zone=DENVER)
        with office.database.reading() as books:
            found = books.execute(narrowed(completed_payments(), (), request))
            return [row["taken_at"] for row in shown_rows(found, zone)]

    moment = "2026-11-10T16:30:00+00:00"
    assert [moment, "2026-11-10"] == listed() == listed("taken_at=2026-11-10")
    assert ["2026-11-10 09:30", "2026-11-10"] == listed(zone=DENVER)
    assert [] == listed("taken_at>2026-11-10") == listed("taken_at<2026-11-10")


def test_a_penalty_and_an_adjustment_raise_what_is_owed(office):
    office.feed(m("M1", "5.00", kind=FeedKind.PENALTY), m("M2", "-2.50", kind=FeedKind.ADJUSTMENT))

    assert Money(102_50) == office.open


def test_taken_back_there_is_a_movement_of_its_own(office):
    office.feed(m("M1", "-40.00"))
    office.feed(m("M2", "40.00", kind=FeedKind.PAYMENT))

    assert Money(100_00) == office.open


def test_ours_comes_back_in_parts_over_two_files(office):
    office.take(posted="2026-11-10T15:00")

    office.feed(m("M1", "-60.00", reference="SB1"))
    office.feed(m("M2", "-40.00", reference="SB1"))

    with office.database.reading() as books:
        parts = books.scalars(sa.select(entry_told.c.amount).order_by(entry_told.c.movement_id))
        assert [Money(-60_00), Money(-40_00)] == list(parts)
    assert ZERO == office.open


def test_more_than_we_moved_under_our_number_counts_and_is_for_a_person(office):
    office.take(posted="2026-11-10T15:00")

    first = office.feed(m("M1", "-107.00", reference="SB1"))
    again = office.feed(m("M1", "-107.00", reference="SB1"), name="again")

    assert (Money(-7_00), ["booked-otherwise"]) == (office.open, office.findings())
    assert (1, 1, 1, 0) == (first.ours, first.new, again.known, again.new)


def test_while_a_file_is_missing_a_payment_like_ours_is_somebody_elses(office):
    office.take(posted="2026-11-09T15:00")
    office.feed(sequence=15, written_at=datetime(2026, 11, 8, 17))
    office.feed(sequence=17, written_at=datetime(2026, 11, 10, 17))

    office.feed(m("M1", "-100.00"), sequence=18, written_at=datetime(2026, 11, 10, 18))

    assert Money(-100_00) == office.open


def test_the_file_that_shows_the_gap_is_looked_at_with_it(office):
    """File 16 has our receipt and never came; at the counter somebody pays the same amount."""
    office.take(posted="2026-11-09T15:00")
    office.feed(sequence=15, written_at=datetime(2026, 11, 8, 17))

    office.feed(m("M1", "-100.00"), sequence=17, written_at=datetime(2026, 11, 10, 17))
    late = m("M0", "-100.00", reference="CR1")
    filled = office.feed(late, sequence=16, written_at=datetime(2026, 11, 9, 17))

    assert (Money(-100_00), 1) == (office.open, filled.ours)


def test_a_file_that_never_came_may_hold_what_was_asked_for_again_after_it(office):
    """Its first request was entered and not answered: file 16 has it, and never came."""
    office.take(posted="2026-11-09T15:00")
    office.ask_again("2026-11-11T00:30")
    office.feed(sequence=15, written_at=datetime(2026, 11, 8, 17))
    office.feed(sequence=17, written_at=datetime(2026, 11, 10, 17))

    office.feed(m("M1", "-100.00"), sequence=18, written_at=datetime(2026, 11, 10, 18))

    assert Money(-100_00) == office.open


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_reversal_that_cash_receipting_entered_weeks_later_counts_once(office, is_answered):
    """It was down for long; then the feed tells of the day on which it entered what came back."""
    office.take("40.00", key="return/1", kind=EntryKind.RETURN, posted="2026-11-10T15:00")
    office.ask_again("2026-11-27T16:00", **({} if is_answered else UNANSWERED))
    office.now = at("2026-11-28T03:00")

    day, number = date(2026, 11, 27), "" if is_answered else "R9"
    told = m("M1", "40.00", reference=number, happened_on=day)
    report = office.feed(told, written_at=datetime(2026, 11, 27, 19, 30))

    assert (1, 0, Money(140_00)) == (report.ours, report.new, office.open)
    assert office.sums_agree()


BEFORE_THE_CLOSE = {"happened_on": date(2026, 11, 1), "happened_at": at("2026-11-01T18:00")}
EARLY, AFTER = "2026-10-31T20:00", "2026-11-02T15:00"  # than the export was written


@pytest.mark.parametrize(
    ("amount", "asked", "number", "is_ours"),
    [
        pytest.param("15.00", AFTER, "", True, id="a charge"),
        pytest.param("15.00", AFTER, "R9", True, id="a charge under a number not heard yet"),
        pytest.param("15.00", EARLY, "", True, id="a charge that may stand in the export"),
        pytest.param("-15.00", AFTER, "", True, id="a payment"),
        pytest.param("-15.00", EARLY, "", False, id="a payment that may stand in the export"),
    ],
)
def test_what_an_agreed_amount_took_the_place_of_comes_back_after_all(
    database, amount, asked, number, is_ours
):
    """It was learnt after the close, and belongs before it: the billing system has it later yet."""
    stage_run(database, a_household("1", equal_pay_amount=Money(45_00)))
    with database.writing() as books:
        books.execute(bill_run.update().values(sure_until=at(W), not_after=at(W), written_at=at(W)))
    close_run(database)
    office = Office(database, at("2026-11-03T03:00"))
    kind = EntryKind.PAYMENT if amount.startswith("-") else EntryKind.RETURN
    entry = an_entry("ours", amount, kind=kind, reference="SB1", **BEFORE_THE_CLOSE)
    with database.writing() as books:
        record_entries(books, [entry], now=office.now, who="anna")
        enter_posting(books, entry, at(asked), receipt="R8")
        if number:
            books.execute(posting.update().values(UNANSWERED))
    assert Money(45_00) == office.open

    told = m("M1", amount, reference=number, happened_on=date(2026, 11, 2))
    report = office.feed(told, written_at=datetime(2026, 11, 2, 19))

    assert is_ours == report.ours
    assert (Money(45_00) if is_ours else Money(30_00)) == office.open
    assert office.sums_agree()


def test_a_gap_that_a_person_accepted_may_hold_our_receipt_all_the_same(office):
    """File 16 is given up; who pays the same amount at the counter afterwards is not forgotten."""
    office.take(posted="2026-11-09T15:00")
    office.feed(sequence=15, written_at=datetime(2026, 11, 8, 17))
    office.feed(sequence=17, written_at=datetime(2026, 11, 10, 17))
    accepted = {"reason": "never written", "accepted_by": "anna", "accepted_at": NOW}
    with office.database.writing() as books:
        books.execute(feed_gap.insert().values(sequence=16, **accepted))

    office.feed(m("M1", "-100.00"), sequence=18, written_at=datetime(2026, 11, 10, 18))

    assert Money(-100_00) == office.open


def test_an_account_keeps_what_is_known_when_a_file_was_cut_short(office):
    """A file counts as come when all of it is in the books."""
    office.feed(m("M1", "-40.00"))
    with office.database.writing() as books:
        books.execute(feed_file.update().values(taken_in_at=None))
        assert None is newest_written_at(books)
    again = office.feed(m("M1", "-40.00"))

    with office.database.reading() as books:
        assert at("2026-11-11T00:00") == newest_written_at(books)
    assert (False, 1, Money(60_00)) == (again.is_known, again.known, office.open)


@pytest.mark.parametrize(
    ("changes", "failure", "what"),
    [
        ({"utility": "City of Elsewhere"}, Refused, "Elsewhere"),
        ({"written_at": datetime(2026, 11, 11, 17)}, Misuse, "still to come"),
    ],
)
def test_a_file_that_cannot_be_ours_is_refused_and_nothing_is_taken_in(
    office, changes, failure, what
):
    with pytest.raises(failure, match=what):
        office.feed(m(), **changes)

    assert Money(100_00) == office.open


def test_a_number_that_was_used_for_another_file_is_refused(office):
    office.feed(m("M1"), sequence=3)

    with pytest.raises(Refused) as refused:
        office.feed(m("M2"), sequence=3)

    assert "feed-number-used" == refused.value.code


def test_a_cashiers_day_may_be_ahead_but_not_for_weeks(office):
    report = office.feed(
        m("M1", "-1.00", happened_on=date(2026, 11, 16)),
        m("M2", "-2.00", happened_on=date(2026, 11, 17)),
    )

    assert (1, Money(99_00), ["movement-of-the-future"]) == (
        report.new, office.open, office.findings(),
    )  # fmt: skip


def test_a_change_of_an_account_that_no_export_has_is_for_a_person(office):
    changes = (
        AccountChange("1", {ChangeField.PHONE: "555-0100"}),
        AccountChange("77", {ChangeField.PHONE: "555-0177"}),
    )

    report = office.feed(changes=changes)

    assert (1, ["change-unknown-account"]) == (report.changes, office.findings())


def test_late_entries_say_how_the_export_has_them(office):
    office.feed(m("M1", "-40.00"), written_at=datetime(2026, 10, 29, 17))

    with office.database.reading() as books:
        row = books.execute(sa.select(balance_entry.c.in_export_of, balance_entry.c.how)).one()
    assert (RUN, ContainedBy.LATE) == tuple(row)


def test_the_sums_stand_beside_their_entries_whatever_comes(office):
    office.take(posted="2026-11-10T15:00")
    for number, file in enumerate((
        [m("M1", "-40.00"), m("M2", "7.00", kind=FeedKind.PENALTY)],
        [m("M3", "-100.00", reference="CR1"), m("M4", "-1.00", happened_on=date(2026, 10, 31))],
        [m("M1", "-40.00"), m("M5", "100.00", reference="CR1")],
    )):  # fmt: skip
        office.feed(*file, name=str(number))
        assert office.sums_agree()


def test_a_payment_that_adds_to_what_is_owed_is_for_a_person_and_counts(office):
    report = office.feed(m("M1", "40.00", kind=FeedKind.PAYMENT))
    again = office.feed(m("M1", "40.00", kind=FeedKind.PAYMENT), name="again")

    assert (Money(140_00), ["wrong-sign"]) == (office.open, office.findings())
    assert "takes back none" in report.findings[0]
    assert [] == again.findings


@pytest.mark.parametrize("at_once", [True, False], ids=["in one file", "in another file"])
def test_a_payment_that_was_told_may_be_taken_back(office, at_once):
    paid, taken_back = m("M1", "-40.00"), m("M2", "40.00", kind=FeedKind.PAYMENT)
    for some in [(paid, taken_back)] if at_once else [(paid,), (taken_back,)]:
        office.feed(*some)

    assert (Money(100_00), []) == (office.open, office.findings())


@pytest.mark.parametrize("kind", [kind for kind in FeedKind if kind is not FeedKind.PAYMENT])
def test_whatever_is_no_payment_may_add_to_what_is_owed(office, kind):
    office.feed(m("M1", "40.00", kind=kind))

    assert (Money(140_00), []) == (office.open, office.findings())
