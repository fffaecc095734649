"""A PostgreSQL that allows few connections, ends idle transactions or says nothing at all."""

from __future__ import annotations

import os
import re
import socket
import time
from contextlib import closing

import pytest
import sqlalchemy as sa

from tests.conftest import POSTGRES, fresh_postgres

SERVER = os.environ.get(POSTGRES, "")
pytestmark = pytest.mark.skipif(not SERVER, reason="there is no PostgreSQL to try it with")
OWNER = f"billclose_limited_{os.getpid()}"  # a run that was killed left its own behind
SILENT = 2  # seconds of database.connect_timeout


@pytest.fixture(scope="module")
def owned():
    """The URL of a database that belongs to a user whose limits can be changed."""
    with fresh_postgres(SERVER, "template1") as url:
        name = sa.make_url(url).database
        tell(f"DROP ROLE IF EXISTS {OWNER}", f"CREATE ROLE {OWNER} LOGIN")
        tell(f'ALTER DATABASE "{name}" OWNER TO {OWNER}')
        yield sa.make_url(url).set(username=OWNER).render_as_string(hide_password=False)
        tell(f'ALTER DATABASE "{name}" OWNER TO CURRENT_USER')
        tell(f"DROP OWNED BY {OWNER} CASCADE", f"DROP ROLE {OWNER}", url=url)


def tell(*words: str, url: str = SERVER) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as asked:
        for each in words:
            asked.exec_driver_sql(each)
    engine.dispose()


@pytest.fixture
def role():
    """Changes the user, and takes it back."""
    yield lambda words: tell(f"ALTER ROLE {OWNER} {words}")
    tell(f"ALTER ROLE {OWNER} CONNECTION LIMIT -1", f"ALTER ROLE {OWNER} RESET ALL")


def test_init_says_how_many_connections_a_close_needs(desk, owned, role):
    role("CONNECTION LIMIT 2")
    few = desk("init", BILLCLOSE_DATABASE__URL=owned)
    role("CONNECTION LIMIT 7")
    enough = desk("init", "--json", BILLCLOSE_DATABASE__URL=owned)

    assert "needs 4 connections to PostgreSQL; it allows 2: raise the connection limit" in few.out
    assert 7 == enough.json["connections"]


def test_a_close_closes_with_four_connections_and_with_fewer_says_so(desk, owned, role, town):
    here = {"BILLCLOSE_DATABASE__URL": owned}
    assert 0 == desk("init", **here).status

    role("CONNECTION LIMIT 1")
    one = desk.close(town, "--yes", "--json", **here)
    role("CONNECTION LIMIT 2")
    two = desk.close(town, "--yes", "--json", **here)
    role("CONNECTION LIMIT 4")
    four = desk.close(town, "--yes", "--json", **here)

    for found in (one, two):
        assert (1, "failed") == (found.status, found.json["status"])
        (sentence,) = found.sentences
        assert "too many connections" in sentence and "database.pool_size" in sentence
    assert (0, "closed") == (four.status, four.json["status"]), four.err


def test_a_transaction_that_the_server_ends_is_a_failure_and_no_refusal(desk, owned, role):
    role("SET idle_in_transaction_session_timeout = 1")

    ended = desk("remind", "--even-if-nothing", "--json", BILLCLOSE_DATABASE__URL=owned)

    assert (1, "failed") == (ended.status, ended.json["status"])
    # the server's own words come with its goodbye, or are lost with the connection
    assert re.search("idle-in-transaction|server closed the connection", ended.sentences[0])


def test_a_server_that_says_nothing_is_away_after_seconds(desk):
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"postgresql+psycopg://somebody@127.0.0.1:{silent.getsockname()[1]}/books"
        began = time.monotonic()

        answer = desk(
            "list",
            "bills",
            "--json",
            BILLCLOSE_DATABASE__URL=url,
            BILLCLOSE_DATABASE__CONNECT_TIMEOUT=str(SILENT),
        )

    assert (1, "database") == (answer.status, answer.json["failure"]["code"])
    assert "timeout expired" in answer.sentences[0]
    assert SILENT + 20 > time.monotonic() - began
