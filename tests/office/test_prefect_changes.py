"""The log of changes of a Prefect server stays small whoever reads, and loses nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from command_line.commands import up
from office.prefect_server import changes
from office.prefect_server.changes import LARGEST_BYTES, shorten_changes
from office.prefect_server.server import PrefectServer

ROW = 4_000  # bytes, a page
ROWS = 300


class Stopped(Exception):
    """The look at which a test ends `up`."""


class BusyServer:
    """A server's database, whose readers follow upon each other without a gap."""

    def __init__(self, home: Path) -> None:
        self.log = home / "prefect.db-wal"
        self.rows = 0
        self._writer, *self._readers = (
            sqlite3.connect(home / "prefect.db", isolation_level=None) for _ in range(3)
        )
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("CREATE TABLE event (payload BLOB)")

    def work(self, turns: int) -> None:
        """Write as often, each time with a reader that began before the last one ended."""
        for _ in range(turns):
            self._readers[0].execute("BEGIN")
            self._readers[0].execute("SELECT COUNT(*) FROM event").fetchall()
            self.rest(self._readers[1])
            self._readers.reverse()
            self._writer.execute("BEGIN IMMEDIATE")
            self._writer.executemany(
                "INSERT INTO event VALUES (zeroblob(?))", ((ROW,) for _ in range(ROWS))
            )
            self._writer.execute("COMMIT")
            self.rows += ROWS

    def rest(self, *readers: sqlite3.Connection) -> None:
        for reader in readers or self._readers:
            if reader.in_transaction:
                reader.execute("COMMIT")

    def counted(self) -> int:
        (count,) = self._writer.execute("SELECT COUNT(*) FROM event").fetchone()
        return int(count)

    def close(self) -> None:
        for one in (*self._readers, self._writer):
            one.close()


@pytest.fixture
def busy(tmp_path, monkeypatch) -> Iterator[BusyServer]:
    monkeypatch.setattr(changes, "PATIENCE_SECONDS", 0.05)
    with closing(BusyServer(tmp_path)) as server:
        yield server


def test_readers_without_a_gap_let_the_log_grow_until_it_is_shortened(busy, tmp_path):
    busy.work(12)
    grown = busy.log.stat().st_size
    assert grown > 12 * ROWS * ROW > LARGEST_BYTES
    busy.rest()

    shorten_changes(tmp_path)

    assert (0, busy.rows) == (busy.log.stat().st_size, busy.counted())
    busy.work(1)
    assert (True, busy.rows) == (busy.log.stat().st_size < grown, busy.counted())


def test_a_reader_that_stays_is_not_disturbed_and_the_next_look_shortens(busy, tmp_path):
    busy.work(12)

    shorten_changes(tmp_path)

    assert busy.log.stat().st_size > LARGEST_BYTES
    busy.work(1)  # nobody is locked out
    assert busy.rows == busy.counted()
    busy.rest()
    shorten_changes(tmp_path)
    assert busy.log.stat().st_size == 0


def test_a_writer_in_the_middle_of_it_goes_on(busy, tmp_path):
    busy.work(12)
    busy.rest()
    with _writing(tmp_path) as other:
        other.execute("INSERT INTO event VALUES ('one')")
        shorten_changes(tmp_path)
    assert busy.rows + 1 == busy.counted()


def test_a_log_of_the_usual_size_is_left_to_sqlite(busy, tmp_path):
    busy.work(3)
    busy.rest()
    before = busy.log.stat().st_size

    shorten_changes(tmp_path)

    assert before == busy.log.stat().st_size > 0


def test_a_server_on_postgresql_has_no_such_file_and_gets_none(tmp_path):
    shorten_changes(tmp_path)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(("is_ours", "left"), [(True, False), (False, True)])
def test_up_shortens_that_of_its_own_server_alone(busy, tmp_path, monkeypatch, is_ours, left):
    busy.work(12)
    busy.rest()
    server = PrefectServer("http://127.0.0.1:9/api", (lambda: None) if is_ours else None)
    looks: list[float] = []

    def rest(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) >= up.CHANGES_LOOKS:
            raise Stopped

    monkeypatch.setattr(up, "time", SimpleNamespace(sleep=rest))
    with pytest.raises(Stopped):
        up._watch([], tmp_path, server)

    assert left == (busy.log.stat().st_size > LARGEST_BYTES)


@contextmanager
def _writing(home: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(home / "prefect.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")
