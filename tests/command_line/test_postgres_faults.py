"""What PostgreSQL says where something is wrong with it: one sentence, and the right status."""

from __future__ import annotations

import os

import pytest
import sqlalchemy as sa

from tests.conftest import POSTGRES, fresh_postgres

SERVER = os.environ.get(POSTGRES, "")
pytestmark = pytest.mark.skipif(not SERVER, reason="there is no PostgreSQL to try it with")
READER = "billclose_reader"
WRITING = (("remind",), ("collect",), ("retry-postings",), ("notify",), ("mail", "send"))


@pytest.fixture(scope="module")
def server():
    engine = sa.create_engine(SERVER, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def books(server):
    """The URL of an empty database, and a user of the server who has no rights in it yet."""
    with fresh_postgres(SERVER, "template1") as url:
        with server.connect() as asked:
            asked.exec_driver_sql(f"DROP ROLE IF EXISTS {READER}")
            asked.exec_driver_sql(f"CREATE ROLE {READER} LOGIN")
        yield url
        with sa.create_engine(url, isolation_level="AUTOCOMMIT").connect() as asked:
            asked.exec_driver_sql(f"DROP OWNED BY {READER}")
            asked.exec_driver_sql(f"DROP ROLE {READER}")


@pytest.fixture(scope="module")
def desk(prepared, books, tmp_path_factory):
    desk = prepared.copied(tmp_path_factory.mktemp("postgres") / "office")
    made = desk("init", BILLCLOSE_DATABASE__URL=books)
    assert 0 == made.status, made.err
    return desk


def as_reader(url: str, **changes: object) -> str:
    return sa.make_url(url).set(username=READER, **changes).render_as_string(hide_password=False)


def said(desk, url: str, *words: str) -> tuple[int, str, str]:
    """Return how a command ended, the code of its document, and what it said in one line."""
    answer = desk(*words, "--json", BILLCLOSE_DATABASE__URL=url)
    (sentence,) = answer.sentences
    return answer.status, answer.json["failure"]["code"], sentence


@pytest.mark.parametrize(
    ("changes", "status", "code", "words"),
    [
        ({"database": "nowhere"}, 2, "database", 'database "nowhere" does not exist; make it'),
        ({"username": "nobody"}, 2, "database", 'role "nobody" does not exist'),
        ({"port": 1}, 1, "database", "Connection refused; check database.url"),
        ({"host": "db.invalid"}, 1, "database", "check database.url"),
        ({"drivername": "postgresql+asyncpg"}, 2, "misuse", "postgresql+psycopg://host/name"),
    ],
    ids=["no database", "no user", "away", "no such machine", "scheme"],
)
def test_a_wrong_address_is_told(desk, books, changes, status, code, words):
    url = sa.make_url(books).set(**changes).render_as_string(hide_password=False)

    found = said(desk, url, "status")

    assert (status, code) == found[:2]
    assert words in found[2]


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_each_usual_scheme_is_taken(desk, books, scheme):
    url = f"{scheme}://{books.partition('://')[2]}"

    assert 0 == desk("list", "bills", BILLCLOSE_DATABASE__URL=url).status


def test_another_programs_database_is_left_alone(desk, server):
    with fresh_postgres(SERVER, "template1") as url:
        with sa.create_engine(url, isolation_level="AUTOCOMMIT").connect() as asked:
            asked.exec_driver_sql("CREATE TABLE flow_run (id int)")

        status, code, sentence = said(desk, url, "init")
        with sa.create_engine(url).connect() as asked:
            tables = sa.inspect(asked).get_table_names()

    assert (2, "foreign-database", ["flow_run"]) == (status, code, tables)
    assert "of another program" in sentence


def test_missing_rights_reading_rights_and_no_room_are_told_apart(desk, books, server):
    url = as_reader(books)

    nothing = said(desk, url, "list", "bills")
    with sa.create_engine(books, isolation_level="AUTOCOMMIT").connect() as asked:
        asked.exec_driver_sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}")
    no_grant = said(desk, url, "remind")
    with server.connect() as asked:
        asked.exec_driver_sql(f"ALTER ROLE {READER} SET default_transaction_read_only = on")
    looks = desk("list", "bills", BILLCLOSE_DATABASE__URL=url)
    reads = [said(desk, url, *words) for words in WRITING]
    with server.connect() as asked:
        asked.exec_driver_sql(f"ALTER ROLE {READER} CONNECTION LIMIT 0")
    full = said(desk, url, "remind")

    assert {(2, "no-grant")} == {nothing[:2], no_grant[:2]}
    assert "grant the user of database.url its rights" in nothing[2]
    assert 0 == looks.status
    assert {(2, "read-only")} == {found[:2] for found in reads}
    assert all("may only read" in found[2] for found in reads)
    assert (1, "database") == full[:2]
    assert "too many connections" in full[2] and "database.pool_size" in full[2]
