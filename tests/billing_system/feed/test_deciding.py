"""What a person decides of amounts that the books cannot place: once, audited, sums anew."""

from __future__ import annotations

from datetime import date, datetime

import pytest
import sqlalchemy as sa

from database.deciding import BalanceDecision, DecidedBalance, decide_balance
from database.feed.tables import feed_finding
from database.ledger.entries import record_entries
from database.ledger.tables import balance_entry
from database.tables import audit, balance_due
from domain.failures import Misuse
from domain.ledger import ContainedBy, EntrySource
from domain.money import ZERO, Money
from tests.billing_system.feed.builders import at
from tests.billing_system.feed.test_taking_in import NOW, Office, m
from tests.billing_system.feed.test_taking_in import office as office
from tests.builders import RUN, an_entry

CONTAINED, CARRIED = BalanceDecision.CONTAINED, BalanceDecision.CARRIED


def decide(office: Office, key: str, decision: BalanceDecision) -> DecidedBalance:
    return decide_balance(office.database, key, decision, "looked at it", NOW, "anna")


def entries(office: Office) -> dict[str, tuple]:
    columns = (balance_entry.c.key, balance_entry.c.in_export_of, balance_entry.c.how)
    with office.database.reading() as books:
        return {row.key: (row.in_export_of, row.how) for row in books.execute(sa.select(*columns))}


def open_findings(office: Office) -> list[str]:
    query = sa.select(feed_finding.c.code).where(feed_finding.c.settled_at.is_(None))
    with office.database.reading() as books:
        return list(books.scalars(query))


def acts(office: Office) -> list[tuple[str, str]]:
    query = sa.select(audit.c.subject, audit.c.detail).where(audit.c.action == "decide balance")
    with office.database.reading() as books:
        return [tuple(row) for row in books.execute(query)]


@pytest.fixture
def voided(office) -> Office:
    """We took 100.00, and the billing system takes our receipt out (case 18)."""
    office.take(posted="2026-11-10T15:00")
    office.feed(m("M1", "100.00", reference="CR1"))
    return office


@pytest.mark.parametrize("key", ["M1", "feed/M1"])
def test_a_voided_receipt_that_is_carried_is_owed_again(voided, key):  # case 18
    done = decide(voided, key, CARRIED)

    assert (ZERO, Money(100_00), Money(100_00)) == (done.before, done.after, voided.open)
    assert (1, True, []) == (done.settled, done.is_changed, open_findings(voided))
    assert voided.sums_agree()
    with voided.database.reading() as books:
        row = books.execute(
            sa.select(balance_entry).where(balance_entry.c.key == "office/feed/M1")
        ).one()
    assert (EntrySource.OFFICE, Money(100_00), True) == (row.source, row.amount, row.counts)
    assert [("1", f"{key} carried, 0.00 to 100.00: looked at it")] == acts(voided)


def test_what_was_decided_is_decided_once(voided):
    decide(voided, "M1", CARRIED)

    again = decide(voided, "M1", CARRIED)

    assert (False, 0, Money(100_00)) == (again.is_changed, again.settled, voided.open)
    assert 1 == len(acts(voided))


def test_a_voided_receipt_that_is_contained_moves_nothing_and_is_settled(voided):
    done = decide(voided, "M1", CONTAINED)

    assert (ZERO, 1, []) == (voided.open, done.settled, open_findings(voided))
    assert "office/feed/M1" not in entries(voided)


def test_who_erred_takes_it_back(voided):
    decide(voided, "M1", CARRIED)

    decide(voided, "M1", CONTAINED)

    assert ZERO == voided.open and voided.sums_agree()
    assert (RUN, ContainedBy.DECIDED) == entries(voided)["office/feed/M1"]


def test_what_the_newest_export_has_already_is_not_asked_for_twice(office):
    office.take(posted="2026-10-30T15:00")
    office.feed(
        m("M1", "100.00", reference="CR1", happened_on=date(2026, 10, 30)),
        written_at=datetime(2026, 10, 30, 17),
    )
    before = office.open

    with pytest.raises(Misuse, match="asked for twice"):
        decide(office, "M1", CARRIED)

    assert (before, ["receipt-voided"]) == (office.open, open_findings(office))


def test_an_outstanding_payment_that_the_export_has_counts_no_more(office):
    office.take("-40.00")

    done = decide(office, "taken/1", CONTAINED)

    assert (Money(60_00), Money(100_00)) == (done.before, done.after)
    assert {"taken/1": (RUN, ContainedBy.DECIDED)} == entries(office)
    assert office.sums_agree()


@pytest.mark.parametrize("told_at", [None, at("2026-10-30T12:00")])
def test_a_payment_that_the_export_lacks_after_all_counts_again(office, told_at):
    entry = an_entry("taken/1", "-40.00", told_at=told_at, in_export_of=RUN, how=ContainedBy.AMOUNT)
    with office.database.writing() as books:
        record_entries(books, [entry], now=NOW, who="anna")
    before = office.open

    decide(office, "taken/1", CARRIED)

    assert (Money(100_00), Money(60_00)) == (before, office.open)
    assert {"taken/1": (None, None)} == entries(office) and office.sums_agree()


def test_nothing_is_carried_to_an_agreed_amount(office):
    entry = an_entry("taken/1", "-40.00", in_export_of=RUN, how=ContainedBy.AGREED)
    with office.database.writing() as books:
        record_entries(books, [entry], now=NOW, who="anna")

    with pytest.raises(Misuse, match="agreed amount"):
        decide(office, "taken/1", CARRIED)

    assert Money(100_00) == office.open


def test_a_fee_that_is_not_in_the_balance_due_is_not_carried(office):  # rule 39
    office.feed(m("M1", "7.77", in_balance_due=False))

    with pytest.raises(Misuse, match="not in the balance due"):
        decide(office, "feed/M1", CARRIED)

    assert Money(100_00) == office.open


def test_a_finding_without_an_entry_is_settled_and_not_carried(office):
    late = date(2027, 1, 5)
    office.feed(m("M1", "-40.00", happened_on=late))

    with pytest.raises(Misuse, match="no entry that could be carried"):
        decide(office, "M1", CARRIED)
    done = decide(office, "M1", CONTAINED)

    assert (1, [], None, Money(100_00)) == (
        done.settled, open_findings(office), done.amount, office.open,
    )  # fmt: skip


def test_a_payment_of_an_account_that_nobody_billed_is_in_no_export(office):
    with office.database.writing() as books:
        entry = an_entry("taken/2", "-40.00", account_key="2")
        record_entries(books, [entry], now=NOW, who="anna")

    with pytest.raises(Misuse, match="is closed"):
        decide(office, "taken/2", CONTAINED)


def test_a_key_that_nobody_knows_makes_no_balance(office):
    with pytest.raises(Misuse, match="'taken/9'"):
        decide(office, "taken/9", CONTAINED)

    with office.database.reading() as books:
        assert ["1"] == list(books.scalars(sa.select(balance_due.c.account_key)))
