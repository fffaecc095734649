"""The audit list: appended to and nothing else, and provable."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from database.audit import Anchor, is_audited, record_audit, verify_audit
from database.books import Database
from database.tables import audit, unsubscribed_address
from domain.audit_chain import GENESIS, Act, chain_hash
from tests.builders import NOW, RUN, unguarded

COLUMNS = [column.name for column in audit.c]


def write(database, acts: int = 6) -> None:
    for number in range(acts):
        with database.writing() as books:
            record_audit(books, NOW, "anna", "waive check", RUN, f"a reason é {number}")


def verify(database, expected: Anchor | None = None):
    with database.reading() as books:
        return verify_audit(books, expected)


def tamper(database, *statements: str) -> None:
    """Change the list as somebody would who owns the database."""
    with database.writing() as books, unguarded(books):
        for statement in statements:
            books.exec_driver_sql(statement)


def rows_of(database) -> list[sa.Row]:
    with database.reading() as books:
        return list(books.execute(sa.select(audit).order_by(audit.c.id)))


def rewritten(database, number: int, **changes: str) -> None:
    """Change a row and hash it anew, as somebody would who knows how."""
    (row,) = [dict(row._mapping) for row in rows_of(database) if row.id == number]
    row |= changes
    names = ("id", "at", "who", "action", "subject", "detail", "machine_at", "rehearsed")
    act = Act(*(row[name] for name in names))
    row["hash"] = chain_hash(row["previous"], act.content_hash)
    with database.writing() as books, unguarded(books):
        books.execute(audit.update().where(audit.c.id == number).values(**row))


def test_each_row_holds_the_hash_of_the_one_before_and_its_own(database):
    write(database, 3)

    rows = rows_of(database)
    expected = GENESIS
    for row in rows:
        moment = "2026-11-02T13:00:00.000000Z"
        parts = [row.id, moment, "anna", "waive check", RUN, row.detail, moment, False]
        content = json.dumps(parts, separators=(",", ":")).encode()
        assert expected == row.previous
        expected = hashlib.sha256(
            (row.previous + hashlib.sha256(content).hexdigest()).encode()
        ).hexdigest()
        assert expected == row.hash
    assert [1, 2, 3] == [row.id for row in rows]


def test_a_sound_list_gives_what_to_note_down(database):
    write(database, 4)

    verdict = verify(database)

    newest = rows_of(database)[-1]
    assert (4, None) == (verdict.rows, verdict.fault)
    assert Anchor(4, newest.hash) == verdict.newest
    assert verdict == verify(database, verdict.newest)


def test_an_empty_list_is_sound(database):
    assert (0, None) == (verify(database).rows, verify(database).fault)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET who = 'ben' WHERE id = 2",
        "UPDATE audit SET detail = detail",
        "DELETE FROM audit WHERE id = 3",
        "DELETE FROM audit",
    ],
)
def test_the_database_refuses(database, statement):
    write(database, 3)
    before = rows_of(database)

    with pytest.raises(sa.exc.IntegrityError, match="append-only"), database.writing() as books:
        books.exec_driver_sql(statement)

    assert before == rows_of(database)


def test_postgresql_refuses_to_empty_it_at_once(database):
    if database.is_sqlite:
        pytest.skip("SQLite: it has no TRUNCATE")
    write(database, 1)

    with pytest.raises(sa.exc.IntegrityError, match="append-only"), database.writing() as books:
        books.exec_driver_sql("TRUNCATE audit")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"id": 3}, id="a number that is taken or passed"),
        pytest.param({"previous": GENESIS}, id="behind another row than the newest"),
    ],
)
def test_a_row_can_be_written_behind_the_newest_only(database, changes):
    write(database, 4)
    newest = rows_of(database)[-1]
    row = dict(newest._mapping) | {"id": 5, "previous": newest.hash, "hash": "f" * 64}

    with pytest.raises(sa.exc.IntegrityError), database.writing() as books:
        books.execute(audit.insert().values(**row | changes))

    assert 4 == len(rows_of(database))


FAULTS = [
    pytest.param(["UPDATE audit SET who = 'ben' WHERE id = 3"], 3, "changed", id="changed who"),
    pytest.param(["UPDATE audit SET detail = '' WHERE id = 1"], 1, "changed", id="changed why"),
    pytest.param(["UPDATE audit SET action = 'x' WHERE id = 6"], 6, "changed", id="the newest"),
    pytest.param(["DELETE FROM audit WHERE id = 3"], 4, "missing", id="taken out"),
    pytest.param(["DELETE FROM audit WHERE id <= 2"], 3, "missing", id="its beginning"),
    pytest.param(
        [
            "UPDATE audit SET id = 99 WHERE id = 2",
            "UPDATE audit SET id = 2 WHERE id = 3",
            "UPDATE audit SET id = 3 WHERE id = 99",
        ],
        2,
        "changed",
        id="in another order",
    ),
    pytest.param(
        [
            "DELETE FROM audit WHERE id = 3",
            "UPDATE audit SET id = id - 1 WHERE id = 4",
            "UPDATE audit SET id = id - 1 WHERE id = 5",
        ],
        3,
        "changed",
        id="taken out and numbered anew",
    ),
]


@pytest.mark.parametrize(("statements", "number", "kind"), FAULTS)
def test_the_first_wrong_row_is_named(database, statements, number, kind):
    write(database)

    tamper(database, *statements)

    fault = verify(database).fault
    assert (number, kind) == (fault.number, fault.kind)
    assert f"row {number}" in fault.message


def test_a_row_that_was_changed_and_hashed_anew_breaks_the_next_one(database):
    write(database)

    rewritten(database, 3, who="ben")

    fault = verify(database).fault
    assert (4, "broken") == (fault.number, fault.kind)
    assert "row 4 does not follow row 3" in fault.message


def test_a_row_that_was_put_in_breaks_the_next_one(database):
    write(database)
    rows = [dict(row._mapping) for row in rows_of(database)]
    tamper(database, "DELETE FROM audit WHERE id = 4")
    act = Act(4, NOW, "ben", "approve", RUN, "", NOW)
    forged = rows[3] | {"who": "ben", "action": "approve", "detail": ""}
    forged["hash"] = chain_hash(rows[2]["hash"], act.content_hash)
    with database.writing() as books, unguarded(books):
        books.execute(audit.insert().values(**forged))

    assert (5, "broken") == (verify(database).fault.number, verify(database).fault.kind)


def test_an_end_that_was_cut_off_shows_by_what_was_noted(database):
    write(database)
    noted = verify(database).newest
    tamper(database, "DELETE FROM audit WHERE id > 4")

    unsuspecting, fault = verify(database), verify(database, noted).fault

    assert (4, None) == (unsuspecting.rows, unsuspecting.fault)
    assert (6, "missing") == (fault.number, fault.kind)
    assert "the list ends at row 4" in fault.message


def test_an_end_that_was_written_anew_shows_by_what_was_noted(database):
    write(database)
    noted = verify(database).newest
    tamper(database, "DELETE FROM audit WHERE id > 4")
    write(database, 3)

    assert verify(database).fault is None
    fault = verify(database, noted).fault
    assert (6, "broken") == (fault.number, fault.kind)


def test_numbers_that_an_earlier_release_left_out_are_no_fault(database):
    """PostgreSQL's sequences skip what was rolled back; the hashes tell that nothing is gone."""
    previous = GENESIS
    for number in (1, 4, 9):
        act = Act(number, NOW, "anna", "import", RUN, "", NOW)
        row = {"id": number, "at": NOW, "who": "anna", "action": "import", "subject": RUN}
        row |= {"machine_at": NOW, "rehearsed": False}
        after = chain_hash(previous, act.content_hash)
        with database.writing() as books:
            books.execute(audit.insert().values(**row, detail="", previous=previous, hash=after))
        previous = after

    assert (3, None) == (verify(database).rows, verify(database).fault)


def test_many_who_write_at_once_make_one_chain(database):
    writers, times = 4, 8
    together = threading.Barrier(writers)

    def act(number: int) -> None:
        together.wait(timeout=30)
        for time_ in range(times):
            with database.writing() as books:
                record_audit(books, NOW, f"clerk {number}", "waive check", RUN, str(time_))

    with ThreadPoolExecutor(writers) as office:
        list(office.map(act, range(writers)))

    verdict = verify(database)
    assert (writers * times, None) == (verdict.rows, verdict.fault)
    assert list(range(1, writers * times + 1)) == [row.id for row in rows_of(database)]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_transaction_may_go_on_after_its_act_while_another_holds_what_it_needs(database):
    """The end of the list is taken last: else each of these would wait for the other."""
    row = {"mailbox": "ann@customer.example", "since": NOW}
    has_row, has_act = threading.Event(), threading.Event()

    def first() -> None:
        with database.writing() as books:
            books.execute(unsubscribed_address.insert().values(row))
            has_row.set()
            assert has_act.wait(30)
            record_audit(books, NOW, "anna", "unsubscribe", RUN)

    def second() -> None:
        with database.writing() as books:
            assert has_row.wait(30)
            record_audit(books, NOW, "ben", "unsubscribe", RUN)
            has_act.set()
            books.execute(insert(unsubscribed_address).on_conflict_do_nothing(), row)

    with ThreadPoolExecutor(2) as machines:
        done = [machines.submit(first), machines.submit(second)]
        assert [None, None] == [one.result(60) for one in done]

    assert ["anna", "ben"] == [act.who for act in rows_of(database)]
    assert verify(database).fault is None


def test_an_act_counts_as_audited_in_its_own_transaction(database):
    with database.writing() as books:
        record_audit(books, NOW, "anna", "waive check", RUN, "a misprint")
        known = [is_audited(books, "waive check", RUN, text) for text in (None, "a misprint", "x")]

    assert [True, True, False] == known
    with database.reading() as books:
        assert known == [
            is_audited(books, "waive check", RUN, text) for text in (None, "a misprint", "x")
        ]


def test_what_is_rolled_back_leaves_no_gap(database):
    write(database, 1)
    with pytest.raises(ZeroDivisionError), database.writing() as books:
        record_audit(books, NOW, "anna", "close", RUN)
        _ = 1 // 0
    write(database, 1)

    assert [1, 2] == [row.id for row in rows_of(database)]


@pytest.mark.parametrize("microsecond", [0, 1, 999_999])
def test_a_moment_is_hashed_as_it_is_read_again(database, microsecond):
    moment = datetime.fromisoformat("2026-11-02T06:00:00-07:00").replace(microsecond=microsecond)
    with database.writing() as books:
        record_audit(books, moment, "Ä. Müller", "close", RUN, 'a "quoted" reason\n\\ 😀')

    assert verify(database).fault is None


def test_a_rehearsed_act_is_marked_and_keeps_the_machines_time(tmp_path, empty_sqlite):
    path = tmp_path / "books.db"
    shutil.copy(empty_sqlite, path)
    machine = NOW.replace(year=2031)
    rehearsing = Database(f"sqlite:///{path}", machine_clock=lambda: machine, rehearsed=True)
    with rehearsing.writing() as books:
        record_audit(books, NOW, "anna", "close", RUN, "")

    (row,) = rows_of(rehearsing)

    assert (NOW, machine, True) == (row.at, row.machine_at, row.rehearsed)
    assert verify(rehearsing).fault is None
    rewritten_mark = "UPDATE audit SET rehearsed = 0"
    tamper(rehearsing, rewritten_mark)
    assert "changed" == verify(rehearsing).fault.kind
    rehearsing.close()
