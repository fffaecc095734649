"""Two processes migrate at once: one does it, the other waits and finds it done."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from database.books import Database, DatabasePool
from database.migrating import NEWEST, VERSION, _rebuilding, downgrade, migrate
from database.schema import metadata


@pytest.fixture
def bare(database):
    metadata.drop_all(database.engine)
    with database.writing() as books:
        books.exec_driver_sql(f"DROP TABLE IF EXISTS {VERSION}")
    return database


def test_the_second_waits_for_the_first(bare):
    others = Database(bare.url), Database(bare.url)
    ended = []
    threads = [
        threading.Thread(target=lambda other=other: ended.append(migrate(other)))
        for other in others
    ]
    with _rebuilding(bare):  # somebody migrates, and takes his time
        for thread in threads:
            thread.start()
        threads[0].join(timeout=0.3)
        waiting = list(ended)
    for thread in threads:
        thread.join(timeout=60)
    for other in others:
        other.close()

    assert ([], [NEWEST, NEWEST]) == (waiting, ended)
    downgrade(bare, "base")
    metadata.create_all(bare.engine)


def test_a_pool_gives_as_many_connections_as_the_settings_allow(database):
    if database.is_sqlite:
        pytest.skip("SQLite needs no pool")
    books = Database(database.url, DatabasePool(size=1, overflow=1, timeout=1))

    with (
        books.engine.connect(),
        books.engine.connect(),
        pytest.raises(sa.exc.TimeoutError),
    ):
        books.engine.connect()
    books.close()
