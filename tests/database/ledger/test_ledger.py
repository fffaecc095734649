"""The ledger: entries once by their keys, sums beside them, nothing ever taken out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from database.ledger.entries import add_up, find_wrong_sums, outstanding_sums, record_entries
from database.ledger.tables import balance_entry
from database.queries.balances import balances, read_on_its_way, read_open_balance
from database.tables import balance_due, bill_run, movement, period_close
from domain.ledger import ContainedBy, EntryKind, EntrySource
from domain.money import ZERO, Money
from domain.movements import MovementKind
from tests.builders import NOW, RUN, a_household, an_entry, close_run, stage_run, unguarded

DENVER = ZoneInfo("America/Denver")


@pytest.fixture
def books(database):
    stage_run(database, a_household("1", closing_balance=Money(100_00)))
    close_run(database)
    return database


def record(books, *entries):
    with books.writing() as writing:
        return record_entries(writing, entries, now=NOW, who="anna")


def open_of(books, key="1") -> str:
    with books.reading() as reading:
        return str(read_open_balance(reading, key))


def test_a_balance_that_is_not_there_takes_back_all_that_was_recorded_with_it(books, monkeypatch):
    entries_of = sa.select(sa.func.count()).select_from(balance_entry)
    monkeypatch.setattr("database.ledger.entries.lock_balances", lambda *_: None)

    with pytest.raises(ValueError, match=r"^the balance of 2 is not there to be changed$"):
        record(books, an_entry("taken/1", "-40.00"), an_entry("taken/2", account_key="2"))

    with books.reading() as reading:
        assert 0 == reading.scalar(entries_of)
    assert "100.00" == open_of(books)


def test_an_entry_counts_once_however_often_it_is_recorded(books):
    entry = an_entry("taken/1", "-40.00")

    first, again = record(books, entry), record(books, entry, an_entry("taken/2", "-10.00"))

    assert ({"taken/1"}, {"taken/2"}, "50.00") == (first, again, open_of(books))


def test_the_same_key_with_another_amount_is_refused_and_nothing_is_recorded(books):
    record(books, an_entry("taken/1", "-40.00"))

    with pytest.raises(
        ValueError, match=r"^the entry taken/1 stands with another account or amount$"
    ):
        record(books, an_entry("taken/9", "-1.00"), an_entry("taken/1", "-50.00"))

    assert "60.00" == open_of(books)


def test_money_and_charges_have_sums_of_their_own(books):
    record(
        books,
        an_entry("taken/1", "-40.00"),
        an_entry("return/1", "15.00", kind=EntryKind.RETURN),
        an_entry("fee/1", "30.00", kind=EntryKind.FEE),
        an_entry("feed/1", "-5.00", kind=EntryKind.ADJUSTMENT, source=EntrySource.FEED),
    )

    with books.reading() as reading:
        row = reading.execute(sa.select(balance_due)).one()
    assert (Money(100_00), Money(25_00), Money(25_00)) == (row.amount_due, row.added, row.paid)
    assert "100.00" == open_of(books)


def test_a_payment_of_an_account_that_nobody_billed_makes_its_row(books):
    record(books, an_entry("feed/1", "-7.00", account_key="new", source=EntrySource.FEED))

    assert "-7.00" == open_of(books, "new")


def test_a_balance_that_is_not_there_is_nothing(books):
    with books.reading() as reading:
        assert (ZERO, ZERO) == (read_open_balance(reading, "x"), read_on_its_way(reading, "x"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE balance_entry SET amount = -1",
        "UPDATE balance_entry SET account_key = '2'",
        "DELETE FROM balance_entry",
    ],
)
def test_what_moved_stands_for_ever(books, statement):
    record(books, an_entry("taken/1", "-40.00"))

    with pytest.raises(sa.exc.DatabaseError, match="append-only"), books.writing() as writing:
        writing.exec_driver_sql(statement)

    assert "60.00" == open_of(books)


def test_that_an_export_contains_it_may_be_marked(books):
    record(books, an_entry("taken/1", "-40.00"))

    with books.writing() as writing:
        writing.execute(balance_entry.update().values(in_export_of=RUN, how="decided"))
        add_up(writing, ["1"])

    assert "100.00" == open_of(books)


def test_a_sum_that_is_not_that_of_its_entries_is_found(books):
    record(books, an_entry("taken/1", "-40.00"))
    with books.reading() as reading:
        assert [] == find_wrong_sums(reading)

    with books.writing() as writing, unguarded(writing):
        writing.exec_driver_sql("UPDATE balance_entry SET amount = -4100")

    with books.reading() as reading:
        assert ["1"] == find_wrong_sums(reading)
    with books.writing() as writing:
        add_up(writing, ["1"])
    assert "59.00" == open_of(books)


def test_nothing_is_recorded_of_nothing(books):
    assert set() == record(books)


def test_what_does_not_count_moves_nothing_and_makes_no_balance(books):
    new = record(books, an_entry("odd/1", "-7.00", account_key="new", counts=False))

    with books.reading() as reading:
        assert ["1"] == list(reading.scalars(sa.select(balance_due.c.account_key)))
        assert [] == find_wrong_sums(reading)
    assert {"odd/1"} == new


def test_the_sums_of_an_account_that_nobody_billed_are_made_from_its_entries(books):
    record(books, an_entry("feed/1", "-7.00", account_key="new", source=EntrySource.FEED))

    with books.writing() as writing:
        add_up(writing, ["new", "other", "1"])
        add_up(writing, [])

    assert ("-7.00", "0.00", "100.00") == (
        open_of(books, "new"),
        open_of(books, "other"),
        open_of(books),
    )
    with books.reading() as reading:
        keys = set(reading.scalars(sa.select(balance_due.c.account_key)))
    assert {"1", "new", "other"} == keys


def test_what_the_newest_export_surely_knew_is_in_no_sum_though_it_is_not_marked_yet(books):
    record(books, an_entry("taken/1", "-40.00"), an_entry("taken/2", "-1.00"))
    with books.writing() as writing, unguarded(writing):
        knew = writing.scalar(sa.select(bill_run.c.sure_until))
        told = balance_entry.update().where(balance_entry.c.key == "taken/1")
        writing.execute(told.values(told_at=knew))

    with books.writing() as writing:
        add_up(writing, ["1"])

    assert "99.00" == open_of(books)


@pytest.mark.parametrize("of", ["added", "paid"])
def test_a_sum_that_no_entry_explains_is_found(books, of):
    with books.writing() as writing:
        many = [{"account_key": key, "account": key} for key in ("3", "2", "4")]
        writing.execute(balance_due.insert().values(amount_due=ZERO), many)
        writing.execute(balance_due.update().values({of: Money(5_00)}))

    with books.reading() as reading:
        assert ["1", "2", "3", "4"] == find_wrong_sums(reading)
        assert ["1", "2"] == find_wrong_sums(reading, limit=2)


def test_entries_without_a_balance_are_found_once_an_account(books):
    for key in ("2", "3"):
        record(books, *(an_entry(f"{key}/{n}", "-1.00", account_key=key) for n in (1, 2)))
    with books.writing() as writing:
        writing.execute(balance_due.delete().where(balance_due.c.account_key != "1"))

    with books.reading() as reading:
        assert ["2", "3"] == sorted(find_wrong_sums(reading))
        assert 1 == len(find_wrong_sums(reading, limit=1))


def test_a_list_says_what_each_account_owes_and_since_when_it_is_known(books):
    record(books, an_entry("taken/1", "-40.00"))

    with books.reading() as reading:
        row = reading.execute(balances()).one()

    owed = (row.account, row.period, str(row.amount_due), str(row.added), str(row.paid))
    assert ("1", RUN, "100.00", "0.00", "40.00") == owed
    assert (ZERO, "60.00") == (row.on_its_way, str(row.open))
    assert datetime(2026, 10, 1, tzinfo=UTC) == row.as_of


def test_what_moved_on_a_day_before_an_agreed_amount_was_asked_is_agreed(database):
    stage_run(database, a_household("1", equal_pay_amount=Money(45_00)))
    close_run(database)
    moved = an_entry(
        "feed/1", "-9.00", source=EntrySource.FEED, happened_on=date(2026, 11, 1), happened_at=None
    )

    record(database, moved)

    assert "45.00" == open_of(database)


def moments(books) -> tuple[datetime, datetime]:
    """Until when the newest export surely knew all, and when its period was closed."""
    with books.reading() as reading:
        sure_until = reading.execute(sa.select(bill_run.c.sure_until)).scalar_one()
        return sure_until, reading.execute(sa.select(period_close.c.closed_at)).scalar_one()


def placed(books, entry) -> tuple[str | None, str | None]:
    record(books, entry)
    with books.reading() as reading:
        row = reading.execute(sa.select(balance_entry)).one()
    return row.in_export_of, row.how


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("source", "told", "happened", "is_late"),
    [
        pytest.param(EntrySource.FEED, 0, None, True, id="told when it was written"),
        pytest.param(EntrySource.FEED, 1, None, False, id="told a second later"),
        pytest.param(EntrySource.FEED, 9, 0, True, id="told later, of when it was written"),
        pytest.param(EntrySource.FEED, 9, 1, False, id="told later, of a second later"),
        pytest.param(EntrySource.DRAW, None, 0, False, id="ours, of before: by no moment"),
        pytest.param(EntrySource.DRAW, 0, 9, True, id="ours, come back before"),
    ],
)
def test_what_the_newest_export_surely_knew_is_late(books, source, told, happened, is_late):
    sure, _ = moments(books)
    told_at, happened_at = (None if n is None else sure + n * SECOND for n in (told, happened))

    found = placed(books, an_entry(source=source, told_at=told_at, happened_at=happened_at))

    assert ((RUN, "late") if is_late else (None, None)) == found
    assert ("100.00" if is_late else "20.00") == open_of(books)


def test_what_is_said_to_be_in_an_export_stays_there(books):
    sure, _ = moments(books)
    entry = an_entry(told_at=sure, in_export_of=RUN, how=ContainedBy.REFERENCE)

    assert (RUN, "reference") == placed(books, entry)


@pytest.mark.parametrize(
    ("seconds", "is_agreed"), [(-1, True), (0, False), (1, False)], ids=["before", "at", "after"]
)
def test_an_agreed_amount_holds_what_moved_before_its_close(database, seconds, is_agreed):
    stage_run(database, a_household("1", equal_pay_amount=Money(45_00)))
    close_run(database)
    _, closed = moments(database)

    found = placed(database, an_entry(happened_at=closed + seconds * SECOND))

    assert ((RUN, "agreed") if is_agreed else (None, None)) == found


def test_of_the_day_of_its_close_nothing_is_agreed(database):
    stage_run(database, a_household("1", equal_pay_amount=Money(45_00)))
    close_run(database)
    _, closed = moments(database)
    day = closed.astimezone(ZoneInfo("America/Denver")).date()

    assert (None, None) == placed(database, an_entry(happened_on=day, happened_at=None))


def test_the_open_balance_is_one_row_by_its_primary_key(books):
    """However many accounts there are and however much has moved on them: nothing is added up."""
    with books.writing() as writing:
        many = [{"account_key": f"many {one}", "account": "many"} for one in range(2_000)]
        writing.execute(balance_due.insert().values(amount_due=ZERO), many)
    with books.writing() as writing:
        writing.exec_driver_sql("ANALYZE")
    statements = []
    sa.event.listen(
        books.engine, "before_cursor_execute", lambda *given: statements.append(given[2:4])
    )

    open_of(books)

    (asked,) = [given for given in statements if "balance_due" in given[0]]
    explain = "EXPLAIN QUERY PLAN" if books.is_sqlite else "EXPLAIN"
    with books.reading() as reading:
        plan = reading.exec_driver_sql(f"{explain} {asked[0]}", asked[1]).all()
    lines = [str(row[-1]).strip() for row in plan]
    if books.is_sqlite:
        assert [
            "SEARCH balance_due USING INDEX sqlite_autoindex_balance_due_1 (account_key=?)"
        ] == lines
    else:
        assert lines[0].startswith("Index Scan using pk_balance_due on balance_due")
        assert "Index Cond: ((account_key)::text = '1'::text)" == lines[1]


def test_of_the_balances_that_are_not_there_three_are_named(books, monkeypatch):
    monkeypatch.setattr("database.ledger.entries.lock_balances", lambda *_: None)
    entries = [an_entry(f"taken/{key}", account_key=key) for key in ("5", "3", "4", "2", "1")]

    with pytest.raises(ValueError, match=r"^the balance of 2, 3, 4 is not there to be changed$"):
        record(books, *entries)


def test_sums_are_made_anew_of_each_account_alone_charges_apart_from_money(books):
    entries = [
        an_entry("fee/1", "30.00", kind=EntryKind.FEE),
        an_entry("taken/2", "-7.00", account_key="2"),
        an_entry("fee/2", "5.00", account_key="2", kind=EntryKind.FEE),
        an_entry("taken/3", "-1.00", account_key="3"),
        an_entry("odd/2", "-2.00", account_key="2", counts=False),
    ]
    record(books, *entries)
    with books.writing() as writing:
        writing.execute(balance_due.update().values(added=Money(9_00), paid=Money(9_00)))
        add_up(writing, ["2", "1"])

    query = sa.select(balance_due.c.account_key, balance_due.c.added, balance_due.c.paid)
    with books.reading() as reading:
        found = {row.account_key: (str(row.added), str(row.paid)) for row in reading.execute(query)}

    assert {"1": ("30.00", "0.00"), "2": ("5.00", "7.00"), "3": ("9.00", "9.00")} == found


def sums_of(books, *conditions, **choices) -> dict[str, tuple[str, str]]:
    query = outstanding_sums(*conditions, **choices)
    with books.reading() as reading:
        return {row.account_key: (str(row.added), str(row.paid)) for row in reading.execute(query)}


def test_sums_are_of_chosen_entries_also_of_an_account_without_a_balance(books):
    record(books, an_entry("taken/1", "-40.00"), an_entry("taken/2", "-7.00", account_key="2"))
    with books.writing() as writing:
        writing.execute(balance_due.delete().where(balance_due.c.account_key == "2"))

    assert {"1": ("0.00", "40.00"), "2": ("0.00", "7.00")} == sums_of(books)
    assert {"2": ("0.00", "7.00")} == sums_of(books, balance_entry.c.account_key == "2")


def test_what_an_export_that_is_being_closed_surely_knew_is_in_no_sum(books):
    sure, _ = moments(books)
    later = sure + timedelta(days=30)
    record(books, an_entry("taken/1", "-40.00", told_at=later), an_entry("taken/2", "-1.00"))

    assert {"1": ("0.00", "41.00")} == sums_of(books)
    assert {"1": ("0.00", "1.00")} == sums_of(books, sure_until=later)
    assert {"1": ("0.00", "41.00")} == sums_of(books, sure_until=later - SECOND)


def test_what_an_older_export_has_is_in_no_newer_one(books):
    sure, _ = moments(books)
    stage_run(books, a_household("1"), period="2026-09", ends_on=date(2026, 9, 30))
    with books.writing() as writing:
        closed = {"period": "2026-09", "closed_at": NOW, "closed_by": "anna"}
        writing.execute(period_close.insert().values(**closed))
    entry = an_entry(told_at=sure, in_export_of="2026-09", how=ContainedBy.REFERENCE)

    assert ("2026-09", "reference") == placed(books, entry)


def test_twenty_accounts_with_wrong_sums_are_named_where_nobody_says_how_many(books):
    with books.writing() as writing:
        many = [{"account_key": f"x{number}", "account": f"x{number}"} for number in range(21)]
        writing.execute(balance_due.insert().values(amount_due=ZERO, paid=Money(1)), many)

    with books.reading() as reading:
        assert 20 == len(find_wrong_sums(reading))


LATER = datetime(2026, 11, 5, tzinfo=UTC)  # than the export was written


def write_line(books, reference: str = "", *, days_before: int = 0) -> date:
    """Let the export have one line alone, of its last day or days before; return the day."""
    with books.writing() as writing:
        written_at = writing.scalar(sa.select(bill_run.c.not_after))
        day = written_at.astimezone(DENVER).date() - timedelta(days=days_before)
        line = {
            "period": RUN, "line": 1, "account_key": "1", "account": "1", "posted_on": day,
            "service": "Water", "description": "", "kind": MovementKind.PAYMENT,
            "amount": Money(-7_00), "reference": reference,
        }  # fmt: skip
        writing.execute(movement.delete())
        writing.execute(movement.insert().values(**line))
    return day


@pytest.mark.parametrize(
    ("days", "changes", "is_late"),
    [
        pytest.param(0, {}, True, id="told of the export's last day, and a line has it"),
        pytest.param(1, {}, False, id="of the day after"),
        pytest.param(0, {"reference": "M7"}, True, id="of that day, under the line's number"),
        pytest.param(1, {"reference": "M7"}, False, id="of the day after, under its number"),
        pytest.param(0, {"source": EntrySource.DRAW}, False, id="ours"),
        pytest.param(0, {"happened_at": LATER}, False, id="of a moment"),
    ],
)
def test_only_of_a_day_that_the_export_has_a_line_tells_that_a_movement_is_in_it(
    books, days, changes, is_late
):
    last_day = write_line(books, changes.get("reference", ""))
    day = last_day + timedelta(days=days)
    entry = an_entry(
        "feed/1", "-7.00", **{"source": EntrySource.FEED, "happened_on": day} | changes
    )

    assert ((RUN, "late") if is_late else (None, None)) == placed(books, entry)


def test_what_is_agreed_stays_agreed_though_a_line_has_it_too(database):
    stage_run(database, a_household("1", equal_pay_amount=Money(45_00)))
    close_run(database)
    day = write_line(database, days_before=1)

    entry = an_entry("feed/1", "-7.00", source=EntrySource.FEED, happened_on=day)
    assert (RUN, "agreed") == placed(database, entry)
