"""Fixtures for every test: the books on SQLite and on PostgreSQL, and what makes tests cheaper."""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import certifi
import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis.internal.conjecture import providers

from database import books as books_module
from database.books import Database
from database.schema import metadata
from identity import passwords
from mail.letters import templates as compose
from office import identity
from splitter.workers import parent as children
from tests.compiled_statements import CompiledStatements
from tests.compiled_templates import CompiledTemplates
from tests.handing_out.distribution import OneWorkerAtTheServer
from tests.release import WHOLE, left_for_a_release, so_many
from tests.splitter.warm_fork_servers import WarmForkServers
from tests.used_postgres import UsedPostgres

# A busy machine is no defect, and a landing is no place for a new example to turn up.
settings.register_profile(
    "office",
    deadline=None,
    derandomize="CI" in os.environ,
    max_examples=so_many(30, release=100),
)
settings.load_profile("office")

POSTGRES = "BILLCLOSE_TEST_POSTGRES"  # URL of a database whose user may create databases
MEMORY = Path("/dev/shm")
ROOM = 4 << 30  # bytes; the files of a run are less than a tenth of it
_start_cold = children._started


def pytest_configure() -> None:
    """
    Keep the tests' files in memory where it has room: each commit waits for its disk.

    Let the tests and the processes that they start keep what they compile. And let no
    client load other authorities than those of `one_authority`; Prefect looks when it is loaded.
    """
    for name in ("PYTHONDONTWRITEBYTECODE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        os.environ.pop(name, None)
    sys.dont_write_bytecode = False  # compiling the tests anew is half of their collecting
    os.environ["BILLCLOSE_CLOCK__REHEARSAL"] = "true"  # each home of a test is for rehearsals
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK):
        disk = os.statvfs(MEMORY)
        if disk.f_bavail * disk.f_frsize > ROOM and not disk.f_flag & os.ST_NOEXEC:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneWorkerAtTheServer | None:
    """Distribute the tests, unless somebody asked for a way of xdist's own, as --dist worksteal."""
    return OneWorkerAtTheServer(config, log) if config.getoption("dist") == "load" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave for a release what only repeats."""
    if WHOLE:
        return
    left = left_for_a_release(items)
    config.hook.pytest_deselected(items=left)
    gone = set(left)
    items[:] = [item for item in items if item not in gone]


def pytest_collectstart() -> None:
    """Keep the collector from looking through all that is collected: none of it is garbage."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Let the collector pass over what stays: modules and tests, of which there are very many."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def anybody() -> None:
    """Let a test say who is at work (LOGNAME), as if that person had logged in to run it."""
    identity._logged_in = lambda: os.environ.get("LOGNAME")
    os.environ.pop("SUDO_USER", None)


@pytest.fixture(scope="session", autouse=True)
def rows_in_no_order() -> Iterator[None]:
    """Let SQLite turn round what no query orders: PostgreSQL returns such rows as it likes."""

    with sqlite_reads(backwards=True):
        yield


@pytest.fixture(scope="session", autouse=True)
def same_examples() -> Iterator[None]:
    """
    Try the same examples of a property whichever files a worker has loaded before.

    The library reads constants out of all of ours that are loaded, for seconds of each worker.
    """
    if WHOLE:
        yield
        return
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(providers, "_get_local_constants", lambda: providers._local_constants)
        yield


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Hash passwords with little memory and in one round: that it takes long is no subject."""
    if WHOLE:
        yield
        return
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passwords, "MEMORY_KIB", 64)
        patched.setattr(passwords, "ROUNDS", 1)
        yield


@pytest.fixture(scope="session", autouse=True)
def warm_fork_servers() -> Iterator[None]:
    """Spare the processes that split in tests the loading of their modules."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(children, "_started", WarmForkServers().start)
        yield


@pytest.fixture(scope="session", autouse=True)
def compiled_templates() -> Iterator[None]:
    """Spare each office the compiling of all its mails' templates."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            compose, "_environment", CompiledTemplates(compose._environment).environment
        )
        yield


@pytest.fixture(scope="session", autouse=True)
def compiled_statements() -> Iterator[None]:
    """Spare each test the compiling of the statements that others have compiled."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(books_module, "_open", CompiledStatements(books_module._open).engine)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Spare each client of Prefect the loading of all the world's authorities, twice for a run."""
    first, end, _ = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----\n")
    file = tmp_path_factory.mktemp("authorities") / "one.pem"
    file.write_text(first + end)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(certifi, "where", lambda: str(file))
        yield


@pytest.fixture
def cold_fork_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start the processes that split as the office does."""
    monkeypatch.setattr(children, "_started", _start_cold)


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    Books without a row, made once and copied for each test.

    Each of more than a hundred tables begins a page: small pages make a third as much to copy.
    """
    path = tmp_path_factory.mktemp("books") / "empty.db"
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA page_size = 1024")
        file.execute("VACUUM")
    database = Database(f"sqlite:///{path}")
    metadata.create_all(database.engine)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").close()
    database.close()
    return path


@pytest.fixture(scope="session")
def empty_postgres() -> Iterator[str]:
    """The name of a template database without a row, made once and copied."""
    url = os.environ.get(POSTGRES)
    if not url:
        if os.environ.get("CI"):
            pytest.fail(f"PostgreSQL: {POSTGRES} is not set")
        pytest.skip(f"PostgreSQL: {POSTGRES} is not set")
    with fresh_postgres(url, "template0") as template:
        database = Database(template)
        metadata.create_all(database.engine)
        database.close()
        yield sa.make_url(template).database or ""


@pytest.fixture(scope="session")
def used_postgres(empty_postgres: str) -> Iterator[UsedPostgres]:
    """A database for one test after the other: making one costs more than most tests."""
    with fresh_postgres(os.environ[POSTGRES], empty_postgres) as url:
        used = UsedPostgres(url)
        yield used
        used.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Empty books on each kind of database; every test gets its own, or finds them emptied."""
    if request.param == "postgresql":
        used = request.getfixturevalue("used_postgres")
        used.empty()
        yield used.books()
        return
    path = tmp_path / "books.db"
    shutil.copy(request.getfixturevalue("empty_sqlite"), path)
    books = Database(f"sqlite:///{path}")
    yield books
    books.close()


@contextmanager
def sqlite_reads(*, backwards: bool) -> Iterator[None]:
    """Let the books that are opened meanwhile read what no query orders from one end."""

    def turn(connection: Any, _record: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute(f"PRAGMA reverse_unordered_selects = {backwards:d}").close()

    sa.event.listen(sa.Engine, "connect", turn)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "connect", turn)


@contextmanager
def fresh_postgres(url: str, template: str) -> Iterator[str]:
    """The URL of a new database on the server at `url`, dropped afterwards with its users."""
    name = f"billclose_test_{uuid.uuid4().hex}"
    server = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield sa.make_url(url).set(database=name).render_as_string(hide_password=False)
        finally:
            connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    server.dispose()
