"""The books: bulk loading, whole cents, processes and threads at once."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from database.audit import record_audit
from database.books import CHUNK, COPIED, insert_columns, insert_rows, made_ahead
from database.tables import account, audit, bill_run, bulk_file, movement, planned_payment, waiver
from domain.money import Money
from domain.movements import MovementKind
from domain.payments import MethodKind, Unscheduled
from tests.builders import DUE, NOW, RUN, a_household, stage_run

MOVEMENT = (
    "period", "line", "account_key", "account", "posted_on", "service", "description", "kind",
    "amount", "usage",
)  # fmt: skip


WATER_BILL = Money(27_35)


def a_movement(line: int, amount: Money = WATER_BILL, usage: float | None = 4.5):
    day = date(2026, 10, 31)
    what = ("WATER", 'it\'s a "meter",\tor\nnot \\N é', MovementKind.BILLING)
    return (RUN, line, "0110371", "01.1037.1", day, *what, amount, usage)


def audited(database) -> list[str]:
    with database.reading() as books:
        return sorted(books.execute(sa.select(audit.c.who)).scalars())


def test_rows_are_loaded_as_they_are(database):
    stage_run(database)
    rows = [a_movement(1), a_movement(2, Money(-(2**40))), a_movement(3, usage=None)]

    with database.writing() as books:
        count = insert_rows(books, movement, MOVEMENT, iter(rows))

    with database.reading() as books:
        query = sa.select(*(movement.c[name] for name in MOVEMENT)).order_by(movement.c.line)
        assert (3, rows) == (count, [tuple(row) for row in books.execute(query)])


def test_more_rows_than_a_chunk_are_all_loaded(database):
    stage_run(database)

    with database.writing() as books:
        count = insert_rows(books, movement, MOVEMENT, map(a_movement, range(CHUNK + 1)))
        found = books.execute(sa.select(sa.func.count(), sa.func.sum(movement.c.amount))).one()

    assert CHUNK + 1 == count
    assert (CHUNK + 1, Money((CHUNK + 1) * 27_35)) == tuple(found)


def test_no_rows_are_no_mistake(database):
    with database.writing() as books:
        assert 0 == insert_rows(books, movement, MOVEMENT, [])


@pytest.mark.parametrize("region", [[300, 0, 612, 120.5], None])
def test_lists_and_missing_values_are_loaded_too(database, region):
    stage_run(database)
    columns = ["period", "bulk", "form", "file", "path", "account_pattern", "separator", "region"]
    row = (RUN, 0, "utility-bill", "bills.pdf", "/x", r"Account:\s*([0-9.\-]+)", None, region)

    with database.writing() as books:
        insert_rows(books, bulk_file, columns, [row])

    with database.reading() as books:
        query = sa.select(*(bulk_file.c[name] for name in columns))
        assert row == tuple(books.execute(query).one())


def test_names_of_a_table_of_states_come_back_as_states(database):
    stage_run(database)
    columns = [
        "period", "account_key", "account", "amount", "pay_on", "immediate", "unscheduled",
        "method_token", "method_kind", "last4",
    ]  # fmt: skip
    row = (RUN, "1", "1", Money(0), None, False, Unscheduled.ZERO_BALANCE, "t", MethodKind.ACH, "1")

    with database.writing() as books:
        insert_rows(books, planned_payment, columns, [row])

    with database.reading() as books:
        found = tuple(
            books.execute(sa.select(*(planned_payment.c[name] for name in columns))).one()
        )
    assert row == found
    assert (Unscheduled, MethodKind, bool) == (type(found[6]), type(found[8]), type(found[5]))


@pytest.mark.parametrize("wrong", [27.35, 27, "27.35"])
def test_only_money_is_an_amount(database, wrong):
    stage_run(database)

    with pytest.raises(TypeError, match="must be Money"), database.writing() as books:
        insert_rows(books, movement, MOVEMENT, [a_movement(1, wrong)])
    with pytest.raises(sa.exc.StatementError, match="must be Money"), database.writing() as books:
        books.execute(bill_run.update().values(control_billed=wrong))


@pytest.mark.parametrize("amount", ["12.5", "'12.34'", "'much'"])
def test_the_database_itself_takes_only_whole_cents(database, amount):
    stage_run(database, a_household())
    if not database.is_sqlite:  # a BIGINT there: 12.5 is rounded, text is refused
        amount = "'12.34'"

    with pytest.raises(sa.exc.DBAPIError), database.writing() as books:
        books.exec_driver_sql(f"UPDATE account SET closing_balance = {amount}")

    with database.reading() as books:
        assert Money(80_00) == books.execute(sa.select(account.c.closing_balance)).scalar_one()


def test_a_state_that_does_not_exist_is_refused_by_the_database(database):
    stage_run(database)

    with pytest.raises(sa.exc.IntegrityError), database.writing() as books:
        books.exec_driver_sql("UPDATE bill_run SET state = 'done'")


def test_a_moment_is_kept_in_utc_and_a_naive_one_refused(database):
    denver = datetime(2026, 11, 2, 6, 0, tzinfo=timezone(timedelta(hours=-7)))
    with database.writing() as books:
        record_audit(books, denver, "anna", "close", RUN)

    with database.reading() as books:
        found = books.execute(sa.select(audit.c.at)).scalar_one()
    assert (denver, UTC) == (found, found.tzinfo)
    naive = denver.replace(tzinfo=None)
    with pytest.raises(sa.exc.StatementError, match="a time zone"), database.writing() as books:
        record_audit(books, naive, "anna", "close", RUN)


def test_what_fails_half_way_has_not_happened(database):
    with pytest.raises(ZeroDivisionError), database.writing() as books:
        record_audit(books, NOW, "anna", "close", RUN)
        _ = 1 // 0

    assert [] == audited(database)


def test_a_run_takes_its_own_rows_with_it(database):
    stage_run(database, a_household())

    with database.writing() as books:
        books.execute(bill_run.delete())

    with database.reading() as books:
        assert [] == books.execute(sa.select(account.c.account)).all()


def test_many_writers_at_once_wait_for_each_other(database):
    """A reader that turns writer half-way would get "database is locked" on SQLite."""
    stage_run(database)
    writers, times = 6, 12

    def count_up(_writer: int) -> None:
        for _ in range(times):
            with database.writing() as books:
                seen = books.execute(sa.select(bill_run.c.control_bills).with_for_update())
                books.execute(bill_run.update().values(control_bills=seen.scalar_one() + 1))

    with ThreadPoolExecutor(writers) as office:
        list(office.map(count_up, range(writers)))

    with database.reading() as books:
        assert 1 + writers * times == books.execute(sa.select(bill_run.c.control_bills)).scalar()


def test_readers_go_on_while_somebody_writes(database):
    stage_run(database)

    with database.writing() as books:
        books.execute(bill_run.update().values(due_on=date(2026, 12, 1)))
        with ThreadPoolExecutor(1) as office:
            seen = office.submit(lambda: read_due(database)).result(timeout=20)

    assert (DUE, date(2026, 12, 1)) == (seen, read_due(database))


def read_due(database) -> date:
    with database.reading() as books:
        return books.execute(sa.select(bill_run.c.due_on)).scalar_one()


def connection_of(database) -> int:
    """What tells one connection from another: the server's process, or the driver's object."""
    with database.reading() as books:
        if database.is_sqlite:
            return id(books.connection.driver_connection)
        return books.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()


def test_a_forked_child_opens_its_own_connections(database):
    ours = connection_of(database)
    inherited = database.engine
    reading, writing = os.pipe()

    child = os.fork()
    if child == 0:
        answer = b"failed"
        try:
            with database.writing() as books:
                record_audit(books, NOW, "child", "fork", RUN)
            theirs = connection_of(database)
            own = database.engine is not inherited and (database.is_sqlite or theirs != ours)
            answer = b"own" if own else b"shared"
        finally:
            os.write(writing, answer)
            os._exit(0)
    os.waitpid(child, 0)
    with database.writing() as books:
        record_audit(books, NOW, "parent", "fork", RUN)

    assert b"own" == os.read(reading, 20)
    assert ["child", "parent"] == audited(database)
    assert (ours, True) == (connection_of(database), database.engine is inherited)
    os.close(reading)
    os.close(writing)


def test_threads_share_the_books(database):
    together = threading.Barrier(4)

    def write(number: int) -> None:
        together.wait(timeout=20)
        with database.writing() as books:
            record_audit(books, NOW, f"clerk {number}", "close", RUN)

    with ThreadPoolExecutor(4) as office:
        list(office.map(write, range(4)))

    assert [f"clerk {number}" for number in range(4)] == audited(database)


def test_sqlite_survives_a_power_cut_and_keeps_its_keys(database):
    if not database.is_sqlite:
        pytest.skip("SQLite's own settings")
    with database.reading() as books:
        found = {
            name: books.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }

    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
    assert expected == found


def test_no_query_of_a_page_is_compiled_before_it_is_answered(database):
    if database.is_sqlite:
        pytest.skip("SQLite compiles nothing")
    with database.reading() as books:
        assert "off" == books.exec_driver_sql("SHOW jit").scalar_one()


@pytest.mark.parametrize(
    "sizes",
    [(), (1,), (CHUNK,), (CHUNK - 1, 2), (3, 2 * CHUNK, 5), (COPIED * CHUNK, 1)],
    ids=str,
)
def test_rows_that_come_as_columns_are_loaded_as_those_that_come_one_by_one(database, sizes):
    stage_run(database, a_household())
    rows = [a_movement(line, Money(line)) for line in range(1, sum(sizes) + 1)]
    ends = [sum(sizes[: place + 1]) for place in range(len(sizes))]
    blocks = (
        tuple(zip(*rows[end - size : end], strict=True))
        for size, end in zip(sizes, ends, strict=True)
    )

    with database.writing() as books:
        count = insert_columns(books, movement, MOVEMENT, blocks)

    columns = [movement.c[name] for name in MOVEMENT]
    with database.reading() as books:
        loaded = books.execute(sa.select(*columns).order_by(movement.c.line)).all()
    assert (len(rows), rows) == (count, [tuple(row) for row in loaded])


def test_a_table_of_many_columns_is_loaded_by_statements_that_the_database_takes(database):
    """SQLite takes 32,766 values a statement: of 40 columns fewer rows than a chunk has."""
    names = [f"c{number}" for number in range(40)]
    wide = sa.Table("wide", sa.MetaData(), *(sa.Column(name, sa.Integer) for name in names))
    with database.writing() as books:
        books.execute(sa.schema.CreateTable(wide))
        count = insert_rows(books, wide, names, ([row] * 40 for row in range(CHUNK + 1)))
        total = books.execute(sa.select(sa.func.sum(wide.c.c39))).scalar_one()
        books.execute(sa.schema.DropTable(wide))

    assert (CHUNK + 1, sum(range(CHUNK + 1))) == (count, total)


@pytest.mark.parametrize("wrong", [((1, 2), (3,)), ((1,),), ((1,), (2,), (3,))], ids=str)
def test_columns_that_are_no_rows_are_refused(database, wrong):
    names = ("period", "check_name")
    with pytest.raises(ValueError, match="no rows of waiver"), database.writing() as books:
        insert_columns(books, waiver, names, [wrong])


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_pieces_made_ahead_come_in_their_order(count):
    with made_ahead(iter(range(count)), most=2) as pieces:
        assert list(range(count)) == list(pieces)


def test_what_fails_in_making_is_raised_where_it_is_asked_for():
    def pieces():
        yield 1
        raise LookupError("the second")

    with made_ahead(pieces(), most=2) as asked:
        assert 1 == next(asked)
        with pytest.raises(LookupError, match="the second"):
            next(asked)


@pytest.mark.parametrize("asked", [0, 1, 3])
def test_nothing_is_made_any_more_when_nobody_asks(asked):
    made = []

    def pieces():
        for piece in range(1_000_000):
            made.append(piece)
            yield piece

    before = threading.active_count()
    with made_ahead(pieces(), most=2) as ahead:
        for _ in range(asked):
            next(ahead)

    assert before == threading.active_count()
    assert len(made) <= asked + 4  # as many as are kept, one that waits for room, and one more


def test_a_load_that_the_database_refuses_ends_the_thread_that_makes_its_rows(database):
    stage_run(database, a_household())
    twice = [tuple(zip(*[a_movement(1)] * CHUNK, strict=True))] * 40
    before = threading.active_count()

    with (
        pytest.raises(Exception, match=r"(?i)unique"),  # the driver's own
        database.writing() as books,
    ):
        insert_columns(books, movement, MOVEMENT, twice)

    assert before == threading.active_count()


def test_idle_connections_forget_their_pages_and_all_read_on(database):
    stage_run(database, a_household())
    accounts = sa.select(sa.func.count()).select_from(account)
    with database.reading() as first, database.reading() as second:
        before = [first.scalar(accounts), second.scalar(accounts)]
    asked = []
    event.listen(
        database.engine, "before_cursor_execute", lambda *told: asked.append((told[0], told[2]))
    )

    with database.reading() as busy:
        database.forget_pages()
        assert before[0] == busy.scalar(accounts)

    told = [books for books, statement in asked if statement == "PRAGMA shrink_memory"]
    assert database.is_sqlite == bool(told)  # the one that is idle, and not the one at work
    with database.reading() as first, database.reading() as second:
        assert before == [first.scalar(accounts), second.scalar(accounts)]
