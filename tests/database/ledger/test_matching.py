"""Which entries a staged export may contain, as the books say it: each claim at its edges."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from database.books import insert_rows
from database.ledger import matching
from database.ledger.entries import record_entries
from database.ledger.matching import (
    agreed_accounts,
    explained_late,
    is_named_exactly,
    is_outstanding,
    match_period,
    moving_accounts,
    read_lines,
    read_staged,
    to_outstanding,
)
from database.ledger.tables import balance_entry
from database.tables import account, balance_due, bill_run, movement, period_close
from database.types import Moment
from domain.accounts import AccountStatus
from domain.ledger import EntryKind, EntrySource
from domain.money import Money
from domain.movements import MovementKind
from domain.payments import PostingState
from rules.money.export_boundary import Bounds, ExportLine
from tests.billing_system.ledger_town import DENVER, NOVEMBER, OCTOBER, W, a_town, local
from tests.builders import an_entry, unguarded

TENTH = date(2026, 11, 10)
LATE = datetime(2026, 11, 28, 4, tzinfo=UTC)  # the evening of the 27th in Denver
SECOND = timedelta(seconds=1)
ACCOUNTS = ("1", "2", "3", "4", "5")


@pytest.fixture
def town(database):
    return a_town(database, accounts=ACCOUNTS)


def staged_of(books, period=NOVEMBER):
    return read_staged(books, period, 3)


def record(town, *entries):
    with town.books.writing() as books:
        record_entries(books, entries, now=W, who="anna")


def change(town, table, where, **values):
    with town.books.writing() as books, unguarded(books):
        assert books.execute(table.update().where(where).values(**values)).rowcount


def call_closed(town, *periods):
    """Let periods be closed without what a close does to balances."""
    with town.books.writing() as books:
        rows = [{"period": one, "closed_at": W, "closed_by": "test"} for one in periods]
        books.execute(period_close.insert(), rows)


def write_lines(town, *lines):
    """Write lines of November: account, amount, reference, and maybe period and kind."""
    columns = [
        "period", "line", "account_key", "account", "posted_on", "service", "description", "kind",
        "amount", "reference",
    ]  # fmt: skip
    rows = []
    for number, (key, amount, reference, *rest) in enumerate(lines, start=11):
        period, kind = (*rest, *(NOVEMBER, MovementKind.PAYMENT)[len(rest) :])
        rows.append(
            (period, number, key, key, TENTH, "Water", "", kind, Money.parse(amount), reference)
        )
    with town.books.writing() as books:
        insert_rows(books, movement, columns, rows)


def test_what_a_period_knows_is_read_with_the_day_of_its_own_zone(town):
    town.export(NOVEMBER, "160.00", written_at=local(11, 30, 23))
    early = local(11, 30, 20)
    change(town, bill_run, bill_run.c.period == NOVEMBER, sure_until=early)

    with town.books.reading() as books:
        found = staged_of(books)

    assert (NOVEMBER, date(2026, 11, 30), "America/Denver") == (
        found.period,
        found.ends_on,
        found.timezone,
    )
    assert Bounds(early, local(11, 30, 23), date(2026, 11, 30), 3) == found.bounds


def test_a_close_moves_who_is_billed_and_stands_for_no_later_period(town):
    town.export(NOVEMBER, "160.00", accounts=("1", "2", "3", "4"))
    town.export("2026-11-B", "9.00", accounts=("4",))
    town.export("2026-12", "9.00", accounts=("3",), ends_on=date(2026, 12, 31))
    call_closed(town, "2026-11-B", "2026-12")
    of_november = account.c.period == NOVEMBER
    closed = sa.and_(of_november, account.c.account_key == "2")
    change(town, account, closed, status=AccountStatus.CLOSED)
    change(town, balance_due, balance_due.c.account_key == "3", period="2026-12")
    change(town, balance_due, balance_due.c.account_key == "4", period="2026-11-B")
    change(town, balance_due, balance_due.c.account_key == "1", period=None)

    with town.books.reading() as books:
        moving = set(books.scalars(moving_accounts(staged_of(books))))

    assert {"1", "4"} == moving  # a cycle that ends on the same day is no later one


def test_an_agreed_amount_is_that_of_an_active_account_in_its_period(town):
    town.export(NOVEMBER, "160.00", accounts=ACCOUNTS)
    mine = account.c.period == NOVEMBER
    change(town, account, sa.and_(mine, account.c.account_key.in_(["1", "2"])),
           equal_pay_amount=Money(45_00))  # fmt: skip
    change(town, account, sa.and_(mine, account.c.account_key == "2"), status=AccountStatus.FINAL)
    change(town, account, sa.and_(account.c.period == OCTOBER, account.c.account_key == "3"),
           equal_pay_amount=Money(45_00))  # fmt: skip

    with town.books.reading() as books:
        assert ["1"] == list(books.scalars(agreed_accounts(NOVEMBER)))


OCTOBERS = local(10, 31, 17)  # when October's export was written


@pytest.mark.parametrize(
    ("changes", "line", "is_named"),
    [
        ({}, ("1", "-80.00", "SB1"), True),
        ({}, ("1", "-80.00", "R7"), True),
        ({}, ("1", "-80.00", "SB2"), False),
        ({}, ("1", "-80.01", "SB1"), False),
        ({}, ("2", "-80.00", "SB1"), False),
        ({}, ("1", "-80.00", "SB1", OCTOBER), False),
        ({"reference": ""}, ("1", "-80.00", ""), False),
        ({"kind": EntryKind.RETURN}, ("1", "-80.00", "SB1"), False),
        ({"source": EntrySource.FEED}, ("1", "-80.00", "SB1"), False),
        ({"source": EntrySource.CHECKOUT}, ("1", "-80.00", "SB1"), True),
        ({"told_at": OCTOBERS + SECOND}, ("1", "-80.00", "SB1"), True),
        ({"told_at": OCTOBERS}, ("1", "-80.00", "SB1"), False),
    ],
)
def test_a_line_names_a_payment_of_ours_by_its_number_or_its_receipts_and_its_amount(
    town, changes, line, is_named
):
    town.export(NOVEMBER, "160.00", accounts=ACCOUNTS)
    town.draw("80.00", local(11, 10), posted=local(11, 10), account="5", reference="SB5")
    town.draw("80.00", local(11, 10), posted=local(11, 10), receipt="R7")
    if changes:
        change(town, balance_entry, balance_entry.c.account_key == "1", **changes)
    write_lines(town, line)

    with town.books.reading() as books:
        query = sa.select(balance_entry.c.account_key).where(is_named_exactly(NOVEMBER))
        assert (["1"] if is_named else []) == list(books.scalars(query))


def test_the_receipt_of_another_payment_names_none(town):
    """Those before and after it, so that neither is found first by chance."""
    town.export(NOVEMBER, "160.00", accounts=ACCOUNTS)
    for one in ("4", "1", "5"):
        receipt = {} if one == "1" else {"posted": local(11, 10), "receipt": f"R{one}"}
        town.draw("80.00", local(11, 10), account=one, reference=f"SB{one}", **receipt)
    write_lines(town, ("1", "-80.00", "R4"), ("1", "-80.00", "R5"))

    with town.books.reading() as books:
        query = sa.select(balance_entry.c.account_key).where(is_named_exactly(NOVEMBER))
        assert [] == list(books.scalars(query))


def test_what_the_export_of_another_accounts_bill_knew_is_nothing_to_an_entry(town):
    """Account 2 has November's bill already, whose export was written after this was told."""
    town.export(NOVEMBER, "160.00", accounts=ACCOUNTS)
    call_closed(town, NOVEMBER)
    town.draw("80.00", local(11, 10))
    change(town, balance_entry, balance_entry.c.account_key == "1", told_at=OCTOBERS + SECOND)
    change(town, balance_due, balance_due.c.account_key == "2", period=NOVEMBER)
    write_lines(town, ("1", "-80.00", "SB1"))

    with town.books.reading() as books:
        query = sa.select(balance_entry.c.account_key).where(is_named_exactly(NOVEMBER))
        assert ["1"] == list(books.scalars(query))


@pytest.mark.parametrize(
    ("told", "known", "is_in_export", "counts"),
    [
        (None, W, False, True),
        (None, None, False, True),
        (W, None, False, True),
        (W + SECOND, W, False, True),
        (W, W, False, False),
        (W - SECOND, W, False, False),
        (None, W, True, False),
        (W + SECOND, None, True, False),
    ],
)
def test_what_no_export_contains_and_none_could_know_is_outstanding(
    town, told, known, is_in_export, counts
):
    record(town, an_entry())
    found_in = {"in_export_of": OCTOBER, "how": "decided"} if is_in_export else {}
    change(town, balance_entry, balance_entry.c.key == "taken/1", told_at=told, **found_in)

    with town.books.reading() as books:
        claim = is_outstanding(sa.literal(known, Moment()))
        query = sa.select(balance_entry.c.key).where(claim)
        assert (["taken/1"] if counts else []) == list(books.scalars(query))


def matched(town, **how):
    """Who is matched in November, with the entries that its export contains and the others."""
    with town.books.reading() as books:
        return [
            (one.account_key, list(one.matched.contained), [entry.key for entry in one.carried])
            for one in match_period(books, staged_of(books), **how)
        ]


def test_only_accounts_about_which_one_statement_cannot_tell_are_matched(town):
    town.export(NOVEMBER, "160.00", accounts=ACCOUNTS)
    write_lines(town, ("1", "-80.00", "SB1"))
    entries = [
        an_entry("named", reference="SB1"),
        an_entry("odd", account_key="2", counts=False),
        an_entry("known", account_key="3", source=EntrySource.FEED, told_at=W),
        an_entry("agreed", account_key="4"),
        an_entry("told later", account_key="5", source=EntrySource.FEED, told_at=W + SECOND),
    ]
    record(town, *entries)
    mine = sa.and_(account.c.period == NOVEMBER, account.c.account_key == "4")
    change(town, account, mine, equal_pay_amount=Money(45_00))

    assert [("5", [], ["told later"])] == matched(town)


def test_what_is_in_an_export_already_is_matched_no_more(town):
    town.export(NOVEMBER, "160.00")
    record(town, an_entry("old"))
    change(town, balance_entry, balance_entry.c.key == "old", in_export_of=OCTOBER, how="decided")

    assert [] == matched(town)


def test_a_close_lets_what_is_named_take_its_lines_along(town):
    """Of two payments of one amount the named one is marked already: its line is not free."""
    town.export(NOVEMBER, "160.00")
    call_closed(town, NOVEMBER)
    town.draw("80.00", local(11, 10), posted=local(11, 10))
    town.draw("80.00", local(11, 10), posted=local(11, 10), reference="SB2")
    named = balance_entry.c.reference == "SB1"
    change(town, balance_entry, named, in_export_of=NOVEMBER, how="reference")
    write_lines(town, ("1", "-80.00", "SB1"), ("1", "-80.00", "SB1", OCTOBER))

    keys = ["taken/autopay/2026-10/1/1/1", "taken/autopay/2026-10/1/2/1"]
    assert [("1", keys[:1], keys[1:])] == matched(town, is_closing=True)


def test_a_close_looks_at_entries_that_a_line_names_as_well(town):
    town.export(NOVEMBER, "160.00")
    write_lines(town, ("1", "-80.00", "SB1"))
    record(town, an_entry("named", reference="SB1"))

    assert [("1", ["named"], [])] == matched(town, is_closing=True)
    assert [] == matched(town)


def test_however_many_accounts_there_are_each_is_matched_once_in_their_order(town, monkeypatch):
    monkeypatch.setattr(matching, "SOME", 2)
    town.export(NOVEMBER, "160.00", accounts=ACCOUNTS)
    record(town, *(an_entry(f"taken/{key}", account_key=key) for key in reversed(ACCOUNTS)))
    record(town, an_entry("taken/2 again", account_key="2"))  # its account is looked at once

    found = [(key, left) for key, _, left in matched(town)]

    assert [
        (key, [f"taken/{key}", *(["taken/2 again"] if key == "2" else [])]) for key in ACCOUNTS
    ] == found
    of_two = balance_entry.c.account_key.in_(["2", "4"])
    assert ["2", "4"] == [key for key, *_ in matched(town, only=of_two)]


def test_the_entries_of_an_account_come_by_day_and_key(town):
    town.export(NOVEMBER, "160.00")
    days = {"b": TENTH, "c": date(2026, 11, 9), "a": TENTH, "0": date(2026, 11, 11)}
    record(town, *(an_entry(key, happened_on=day) for key, day in days.items()))

    assert [("1", [], ["c", "a", "b", "0"])] == matched(town)


def a_row(**changes):
    asked = datetime(2026, 11, 11, 5, tzinfo=UTC)  # the evening of the 10th in Denver
    facts = {
        "key": "taken/1", "amount": Money(-80_00), "happened_on": TENTH, "source": EntrySource.DRAW,
        "reference": "SB1", "receipt": "R7", "told_at": None, "happened_at": W, "state": None,
        "first_asked_at": asked, "asked_at": asked, "posted_at": None, "payment_key": "autopay/1",
    }  # fmt: skip
    return SimpleNamespace(**facts | changes)


def test_what_the_rule_needs_of_a_payment_of_ours():
    found = to_outstanding(a_row(), DENVER)

    assert ("taken/1", Money(-80_00), TENTH, True) == (
        found.key,
        found.amount,
        found.day,
        found.is_ours,
    )
    assert ("SB1", "R7", "autopay/1") == (found.confirmation, found.receipt, found.payment_key)
    asked = a_row().first_asked_at
    assert (None, None, W) == (found.told_at, found.posted_at, found.moved_at)
    assert (asked, asked.astimezone(DENVER).date()) == (found.may_stand_from, found.posted_on)
    assert TENTH == found.posted_on


def test_what_the_rule_needs_of_a_movement_that_the_feed_told():
    nothing = ("reference", "receipt", "payment_key", "first_asked_at", "asked_at")
    given = dict.fromkeys(nothing)
    found = to_outstanding(a_row(source=EntrySource.FEED, told_at=OCTOBERS, **given), DENVER)

    assert (False, "", "", "") == (
        found.is_ours,
        found.confirmation,
        found.receipt,
        found.payment_key,
    )
    assert (OCTOBERS, W, None) == (found.told_at, found.posted_at, found.moved_at)
    assert (None, None) == (found.may_stand_from, found.posted_on)


@pytest.mark.parametrize(
    ("changes", "since"),
    [
        ({"state": PostingState.POSTED, "first_asked_at": None}, W),  # entered by hand
        ({"state": PostingState.POSTED}, a_row().first_asked_at),
        ({"state": PostingState.SUBMITTED}, a_row().first_asked_at),
        ({"state": PostingState.PENDING, "first_asked_at": None}, None),
        ({"state": PostingState.REJECTED, "first_asked_at": None}, None),
    ],
)
def test_cash_receipting_may_have_an_entry_since_it_was_asked_or_a_person_entered_it(
    changes, since
):
    assert since == to_outstanding(a_row(**changes), DENVER).may_stand_from


@pytest.mark.parametrize(
    ("changes", "day"),
    [
        ({"asked_at": LATE}, date(2026, 11, 27)),  # again, and no answer so far
        ({"asked_at": LATE, "posted_at": LATE}, date(2026, 11, 27)),
        ({"first_asked_at": None, "asked_at": None, "posted_at": LATE,
          "state": PostingState.POSTED}, date(2026, 11, 27)),  # by hand
        ({"first_asked_at": None, "asked_at": None}, None),
    ],
)  # fmt: skip
def test_the_line_of_ours_may_be_of_the_day_on_which_it_was_asked_for_the_last_time(changes, day):
    assert day == to_outstanding(a_row(**changes), DENVER).posted_on


def test_the_day_of_a_posting_is_that_of_the_exports_zone_for_an_account_without_a_bill(town):
    """Entered on the evening of November 11 in Denver: its line may stand there until the 14th."""
    town.export(NOVEMBER, "80.00")
    town.draw("80.00", local(11, 10), posted=local(11, 11, 22))
    change(town, balance_due, balance_due.c.account_key == "1", period=None)
    lines = movement.c.period == NOVEMBER
    found = []
    for day in (14, 15):
        write_lines(town, ("1", "-80.00", ""))
        change(town, movement, lines, posted_on=date(2026, 11, day))
        found += [contained for _, contained, _ in matched(town)]
        with town.books.writing() as books:
            books.execute(movement.delete().where(lines))

    assert [["taken/autopay/2026-10/1/1/1"], []] == found


def test_the_lines_of_an_export_are_those_of_its_accounts_without_what_was_billed(town):
    town.export(NOVEMBER, "160.00", accounts=ACCOUNTS)
    write_lines(
        town,
        ("1", "160.00", "", NOVEMBER, MovementKind.BILLING),
        ("2", "-3.00", "A"),
        ("1", "-5.00", "B"),
        ("1", "7.00", "", NOVEMBER, MovementKind.PENALTY),
        ("3", "-1.00", "C"),
        ("1", "-4.00", "D", OCTOBER),
        ("1", "-2.00", "E"),
    )

    with town.books.reading() as books:
        found = read_lines(books, NOVEMBER, ["1", "2"])

    assert {"2", "1"} == found.keys()
    assert [ExportLine(12, TENTH, MovementKind.PAYMENT, Money(-3_00), "A")] == found["2"]
    assert [
        (13, MovementKind.PAYMENT, "B"), (14, MovementKind.PENALTY, ""),
        (17, MovementKind.PAYMENT, "E"),
    ] == [(line.number, line.kind, line.reference) for line in found["1"]]  # fmt: skip


def late(key, amount="-20.00", **changes):
    facts = {"source": EntrySource.FEED, "happened_on": TENTH, "told_at": W + SECOND}
    return an_entry(key, amount, **facts | changes)


def explained(town, *told):
    with town.books.reading() as books:
        return explained_late(books, NOVEMBER, "1", told)


def test_a_line_that_nothing_else_explains_explains_one_movement_that_is_told_late(town):
    town.export(NOVEMBER, "60.00", accounts=ACCOUNTS)
    write_lines(town, ("1", "-20.00", ""), ("1", "-30.00", "M9"), ("2", "-40.00", ""))

    assert {"a"} == explained(town, late("a"), late("b"))
    assert {"c"} == explained(town, late("c", "-30.00", reference="M9"))
    assert {"g"} == explained(town, late("g", "-30.00"))  # it may lack the line's number
    assert set() == explained(town, late("d", "-30.00", reference="M8"))
    assert set() == explained(town, late("e", "-40.00"))
    assert set() == explained(town, late("f", happened_on=TENTH + timedelta(days=1)))


@pytest.mark.parametrize(
    ("changes", "is_free"),
    [
        pytest.param({"in_export_of": NOVEMBER, "how": "amount"}, False, id="marked"),
        pytest.param({"told_at": W}, False, id="surely known, and not marked yet"),
        pytest.param({"told_at": W + SECOND}, True, id="told later itself"),
        pytest.param({"told_at": None}, True, id="never told"),
        pytest.param({"told_at": W, "in_export_of": OCTOBER, "how": "time"}, True,
                     id="in another export"),
    ],
)  # fmt: skip
def test_a_line_of_what_the_export_contains_explains_nothing_that_is_told_late(
    town, changes, is_free
):
    town.export(NOVEMBER, "60.00", accounts=ACCOUNTS)
    write_lines(town, ("1", "-20.00", ""))
    call_closed(town, NOVEMBER)
    record(town, late("early", told_at=None), late("other", told_at=None, account_key="2"))
    change(town, balance_entry, balance_entry.c.key == "early", **changes)
    change(town, balance_entry, balance_entry.c.key == "other", told_at=W)
    change(town, balance_due, balance_due.c.account_key.in_(["1", "2"]), period=NOVEMBER)

    assert ({"late"} if is_free else set()) == explained(town, late("late"))


@pytest.mark.parametrize("first", ["earlier", "later"])
def test_a_movement_told_late_counts_or_not_whichever_entry_was_written_down_first(town, first):
    town.export(NOVEMBER, "60.00", accounts=ACCOUNTS)
    write_lines(town, ("1", "-20.00", ""), ("1", "-20.00", ""))
    call_closed(town, NOVEMBER)
    ninth, eleventh = TENTH - timedelta(days=1), TENTH + timedelta(days=1)
    change(town, movement, movement.c.line == 11, posted_on=ninth)
    days = {"earlier": TENTH, "later": eleventh}
    for key in sorted(days, reverse=first == "later"):
        record(town, an_entry(key, "-20.00", happened_on=days[key]))
        inside = balance_entry.c.key == key
        change(town, balance_entry, inside, in_export_of=NOVEMBER, how="amount")

    assert {"late"} == explained(town, late("late", happened_on=ninth))


@pytest.mark.parametrize(("day", "is_free"), [(TENTH, False), (TENTH + timedelta(days=1), True)])
def test_a_payment_decided_to_be_in_the_export_explains_a_line_of_its_day_alone(town, day, is_free):
    """Cash receipting was never asked to enter it: a person said that it is in there."""
    town.export(NOVEMBER, "60.00", accounts=ACCOUNTS)
    write_lines(town, ("1", "-20.00", ""))
    call_closed(town, NOVEMBER)
    change(town, movement, movement.c.account_key == "1", posted_on=day)
    record(town, an_entry("decided", "-20.00", happened_on=TENTH))
    inside = balance_entry.c.key == "decided"
    change(town, balance_entry, inside, in_export_of=NOVEMBER, how="decided")

    assert ({"late"} if is_free else set()) == explained(town, late("late", happened_on=day))


def test_what_the_export_of_another_bill_knew_leaves_its_line_to_what_is_told_late(town):
    """The balance stands for October: November's export is none of this entry's."""
    town.export(NOVEMBER, "60.00", accounts=ACCOUNTS)
    write_lines(town, ("1", "-20.00", ""))
    record(town, late("early", told_at=None))
    change(town, balance_entry, balance_entry.c.key == "early", told_at=W)

    assert {"late"} == explained(town, late("late"))


def keys_of(town, staged=None, **choices) -> dict[str, list[str]]:
    with town.books.reading() as books:
        found = match_period(books, staged or staged_of(books), **choices)
        return {one.account_key: [entry.key for entry in one.entries] for one in found}


@pytest.mark.parametrize("is_closing", [False, True])
def test_only_what_is_outstanding_is_looked_at_and_on_accounts_that_move_alone(town, is_closing):
    """An account that is closed, and one that a later bill stands for, keep what they have."""
    town.export(NOVEMBER, "160.00", accounts=("1", "2", "3"))
    town.export("2026-12", "9.00", accounts=("3",), ends_on=date(2026, 12, 31))
    call_closed(town, "2026-12")
    record(
        town,
        *(an_entry(f"taken/{key}", account_key=key, happened_on=TENTH) for key in "123"),
        an_entry("feed/1", "-3.00", source=EntrySource.FEED, happened_on=TENTH),
        an_entry("odd/1", "-2.00", counts=False, happened_on=TENTH),
        an_entry("had/1", "-1.00", in_export_of=OCTOBER, how="decided", happened_on=TENTH),
        an_entry("odd/4", "-2.00", account_key="4", counts=False, happened_on=TENTH),
    )
    closed = sa.and_(account.c.period == NOVEMBER, account.c.account_key == "2")
    change(town, account, closed, status=AccountStatus.CLOSED)
    change(town, balance_due, balance_due.c.account_key == "3", period="2026-12")

    assert {"1": ["feed/1", "taken/1"]} == keys_of(town, is_closing=is_closing)


def test_accounts_come_in_the_order_of_their_keys(town):
    town.export(NOVEMBER, "160.00", accounts=ACCOUNTS)
    record(town, *(an_entry(f"taken/{key}", account_key=key) for key in "53142"))

    assert list(ACCOUNTS) == list(keys_of(town))
