"""Older books are brought up to date: all of their rows, and tables as in a new database."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from database.audit import verify_audit
from database.books import Database
from database.migrating import (
    NEWEST,
    Upgrade,
    migrate,
    needs_carrying,
    require_schema,
    revision_of,
)
from database.migrations.carrying import COLUMNS, LEFT, TABLES, earlier_states
from database.schema import metadata
from database.tables import incident
from domain.failures import Misuse
from office.lookup.finding import find_accounts
from tests.conftest import POSTGRES, fresh_postgres
from tests.database.carrying.older import (
    BEFORE_BANKS_ASK,
    BEFORE_THE_PORTAL,
    KINDS,
    STATES,
    killed_while,
    made_of,
    older_books,
    rows_of,
)

UPGRADE = Upgrade("anna", datetime(2026, 11, 29, 8, tzinfo=UTC), "before.tar.gz")
# Books of less age need less of the same carrying: before a release they do so on both.
_OLDER = [
    pytest.param((state, kind), marks=pytest.mark.release)
    if (state, kind) == (BEFORE_BANKS_ASK, "postgresql")
    else (state, kind)
    for state in STATES
    for kind in KINDS
]
MADE_ANEW = {"account_search", "customer_search", "billclose_version", "audit", "sqlite_stat1"}


@pytest.fixture(params=_OLDER, ids="-".join)
def older(request, tmp_path):
    """Books of each older state, on each kind of database."""
    state, kind = request.param
    if kind == "postgresql":
        request.getfixturevalue("empty_postgres")
    with older_books(state, kind, tmp_path) as books:
        yield books


@dataclass(frozen=True)
class Carried:
    """Older books that were brought up to date, and what they were before."""

    books: Database
    found: str
    before: dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module", params=_OLDER, ids="-".join)
def carried(request, tmp_path_factory):
    """Books of each older state brought up to date, once for all that look at them."""
    state, kind = request.param
    if kind == "postgresql":
        request.getfixturevalue("empty_postgres")
    with older_books(state, kind, tmp_path_factory.mktemp("older")) as books:
        before, found = rows_of(books), revision_of(books)
        migrate(books, upgrade=UPGRADE)
        yield Carried(books, found, before)


@pytest.fixture(scope="module")
def new_ones(tmp_path_factory):
    """How new books are made, of the kind that some books are: made once of each kind."""
    made: dict[bool, Any] = {}

    def like(books):
        if books.is_sqlite not in made:
            with _new_books(books, tmp_path_factory.mktemp("new")) as new:
                made[books.is_sqlite] = made_of(new)
        return made[books.is_sqlite]

    return like


def test_older_books_are_made_as_new_ones_are(carried, new_ones):
    assert NEWEST == revision_of(carried.books)
    assert new_ones(carried.books) == made_of(carried.books)
    require_schema(carried.books)


@contextmanager
def _new_books(like, tmp_path):
    with ExitStack() as left:
        url = f"sqlite:///{tmp_path / 'new.db'}"
        if not like.is_sqlite:
            url = left.enter_context(fresh_postgres(os.environ[POSTGRES], "template0"))
        new = Database(url)
        migrate(new)
        yield new
        new.close()


def test_every_row_is_kept(carried):
    after = rows_of(carried.books)
    now_called = {old: new for new, old in TABLES.items()}
    kept = 0
    for table, rows in carried.before.items():
        if table in MADE_ANEW or not rows:
            continue
        there = after[now_called.get(table, table)]
        told = [_renamed(table, row, there[0]) for row in rows]
        shown = [{name: row[name] for name in told[0]} for row in there]
        assert _sorted(told) == _sorted(shown), table
        kept += len(rows)
    assert kept > 500  # of a month of some forty accounts


def _renamed(table, row, new):
    now = {old: name for name, old in COLUMNS.items()}
    names = {name: name if name in new else now.get(name, name) for name in row}
    return {names[name]: value for name, value in row.items() if f"{table}.{name}" not in LEFT}


def _sorted(rows):
    return sorted(repr(sorted(row.items())) for row in rows)


def test_the_upgrade_is_the_newest_act_of_a_sound_audit_list(carried):
    with carried.books.reading() as books:
        assert verify_audit(books).fault is None
    newest = rows_of(carried.books)["audit"][-1]
    from_where = f"from schema {carried.found}; backup before.tar.gz"
    said = ("anna", "upgrade", f"schema {NEWEST}", from_where)
    assert said == tuple(newest[name] for name in ("who", "action", "subject", "detail"))


def test_what_is_made_of_older_rows_is_there(carried):
    after = rows_of(carried.books)
    account = after["balance_due"][0]
    with carried.books.reading() as books:
        found = find_accounts(books, account["account_key"])
    assert [account["account_key"]] == [hit.account_key for hit in found.accounts]
    assert {row["period"] for row in after["period_close"]} == {
        row["period"] for row in after["once_closed"]
    }
    assert {row["account_key"] for row in after["account_search"]} >= {
        row["account_key"] for row in after["balance_due"]
    }


def test_rows_that_are_added_get_numbers_of_their_own(carried):
    numbers = [row["number"] for row in rows_of(carried.books)["web_user"]]

    with carried.books.engine.connect() as books:
        user = books.exec_driver_sql(
            "INSERT INTO web_user (mailbox, address, state, made_at) VALUES "
            "('new@example.net', 'new@example.net', 'invited', '2026-11-29 08:00:00') "
            "RETURNING number"
        ).scalar_one()
        books.rollback()

    assert user > max(numbers, default=0)


@pytest.mark.parametrize(
    "older",
    [
        pytest.param(
            (state, kind),
            # Books that need less of the same carrying, in the same one transaction.
            marks=pytest.mark.release if state == BEFORE_BANKS_ASK else (),
        )
        for state in STATES
        for kind in KINDS
    ],
    ids="-".join,
    indirect=True,
)
@pytest.mark.parametrize(
    "moment",
    [
        # What these two did is undone as well where the last step is killed.
        pytest.param("_fill", marks=pytest.mark.release),
        pytest.param("_require_references", marks=pytest.mark.release),
        "make_all_findable",
    ],
)
def test_books_are_as_they_were_after_a_kill(older, moment):
    before, found = rows_of(older), revision_of(older)

    assert -signal.SIGKILL == killed_while(moment, older.url)
    assert (found, before) == (revision_of(older), rows_of(older))
    assert NEWEST == migrate(older, upgrade=UPGRADE)


def test_nothing_is_changed_before_somebody_says_so(older):
    before, found = made_of(older), revision_of(older)

    for look in (require_schema, migrate):
        with pytest.raises(Misuse, match="run `billclose init --backup FILE`") as refused:
            look(older)
        assert "old-database" == refused.value.code
    assert (found, before) == (needs_carrying(older), made_of(older))


def test_what_is_typed_for_a_trouble_is_parted_from_its_advice(older):
    advice = {"one": "Close it. At a terminal: billclose close 2026-10", "two": "Ask IT."}
    with older.writing() as books:
        for key, remedy in advice.items():
            books.exec_driver_sql(
                "INSERT INTO incident (key, condition, since, detail, remedy, noticed_at) SELECT "
                f"'{key}', '{key}', at, 'It is so.', '{remedy}', at FROM audit WHERE id = 1"
            )

    migrate(older, upgrade=UPGRADE)

    with older.reading() as books:
        columns = incident.c.remedy, incident.c.command
        rows = books.execute(sa.select(*columns).where(incident.c.key.in_(advice)))
        told = sorted(tuple(row) for row in rows)
    assert [("Ask IT.", ""), ("Close it.", "billclose close 2026-10")] == told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(
            "ALTER TABLE bill_run ADD COLUMN moon INTEGER DEFAULT 7",
            "its column bill_run.moon has values and no place here",
            id="a column that nobody knows",
        ),
        pytest.param(
            "CREATE TABLE moon AS SELECT 7 AS phase",
            "its table moon has rows and no place here",
            id="a table that nobody knows",
        ),
    ],
)
def test_what_would_be_lost_is_refused(older, change, said):
    with older.writing() as books:
        books.exec_driver_sql(change)
    before = (made_of(older), rows_of(older))

    with pytest.raises(Misuse, match=said) as refused:
        migrate(older, upgrade=UPGRADE)

    assert "old-database" == refused.value.code
    assert before == (made_of(older), rows_of(older))


@pytest.mark.parametrize(
    "older", [(state, "sqlite") for state in STATES], ids="-".join, indirect=True
)
def test_a_row_that_breaks_a_rule_of_now_is_refused(older):
    """PostgreSQL lets nobody write such a row."""
    with older.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints=ON")
        connection.exec_driver_sql("UPDATE delivery SET status = 'moon'")
        connection.commit()
        connection.exec_driver_sql("PRAGMA ignore_check_constraints=OFF")
    before = rows_of(older)

    with pytest.raises(Misuse, match=r"cannot be brought up to date: .* IntegrityError"):
        migrate(older, upgrade=UPGRADE)

    assert before == rows_of(older)


def test_books_of_a_newer_program_are_refused(database):
    before = made_of(database)
    with database.writing() as books:
        books.exec_driver_sql("DROP TABLE IF EXISTS billclose_version")
        books.exec_driver_sql("CREATE TABLE billclose_version (version_num VARCHAR(32))")
        books.exec_driver_sql("INSERT INTO billclose_version VALUES ('2.00000000')")

    try:
        for look in (require_schema, lambda books: migrate(books, upgrade=UPGRADE)):
            with pytest.raises(Misuse, match=r"made by a newer billclose \(schema 2\.0") as refused:
                look(database)
            assert "newer-database" == refused.value.code
        assert needs_carrying(database) is None
    finally:
        with database.writing() as books:
            books.exec_driver_sql("DROP TABLE billclose_version")
    assert before == made_of(database)


def test_each_state_is_told_once_and_this_release_is_the_last():
    states = earlier_states()

    assert NEWEST == states[-1], f"append {NEWEST} to database/migrations/states.txt"
    assert len(set(states)) == len(states)
    assert {BEFORE_THE_PORTAL, BEFORE_BANKS_ASK} <= set(states)


def test_what_carrying_names_is_of_today():
    known = {table.name: set(table.columns.keys()) for table in metadata.sorted_tables}

    assert set(TABLES) <= set(known)
    assert all(not column or column not in known.get(table, ()) for table, column in _left())


def _left():
    return [place.partition(".")[::2] for place in LEFT]
