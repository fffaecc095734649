"""Parts of texts are found by PostgreSQL's index of trigrams where it may be made, and without."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from database.books import Database
from database.definitions.identity import web_user
from database.definitions.making import EXTENSION, lacks_trigrams
from database.migrating import migrate
from database.queries.customers import search
from database.queries.customers.search import find_customers
from database.tables import account_search, balance_due
from domain.customer_service import CustomerSearch
from domain.identity import UserState
from domain.money import ZERO
from rules.customer_search import looked_for, meter_number, run_together
from tests.builders import NOW
from tests.conftest import POSTGRES, fresh_postgres
from tests.flows.desk import Desk
from tests.release import so_many

INDEXES = ["ix_account_search_trigrams", "ix_web_user_trigrams"]
# Signs that LIKE knows, that a word may not have, of several bytes, that are no letters.
SIGNS = st.sampled_from("ab12%_\\/'ñß中é-")
TYPED = st.lists(st.text(SIGNS, min_size=1, max_size=5), min_size=1, max_size=3)
TEXTS = st.lists(st.text(st.one_of(SIGNS, st.just(" ")), max_size=14), min_size=1, max_size=8)
BY_THE_INDEX = "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off"


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=so_many(60, release=500),
    deadline=None,
)
@given(texts=TEXTS, typed=TYPED)
def test_a_search_finds_what_has_every_word_and_nothing_else_in_order(database, texts, typed):
    words = tuple(typed)
    wish = CustomerSearch(words=words, typed=words)

    with database.engine.connect() as books, books.begin() as act:
        _write(books, texts)
        if not database.is_sqlite:
            books.exec_driver_sql(BY_THE_INDEX)
        accounts = list(books.scalars(search._accounts_asked(books, wish)))
        users = search._users_asked(books, wish)
        act.rollback()

    rows = [(f"{at:03}", text, text[::-1]) for at, text in enumerate(texts)]
    assert [key for key, text, meters in rows if _has(text, meters, words)] == accounts
    named = [(at, f"{text}@{at}", f"{text[::-1]}{at}") for at, text in enumerate(texts, 1)]
    assert [
        at for at, mailbox, name in named if all(word in mailbox or word in name for word in words)
    ] == users


def _has(text: str, meters: str, words: tuple[str, ...]) -> bool:
    joined, meter = run_together(words), meter_number(words)
    return (
        all(looked_for(word) in text for word in words)
        or (joined is not None and joined in text)
        or (meter is not None and meter in meters)
    )


def _write(books: sa.Connection, texts: list[str]) -> None:
    for at, text in enumerate(texts):
        key = f"{at:03}"
        found_by = {"account_key": key, "period": "2026-10", "text": text, "meters": text[::-1]}
        books.execute(account_search.insert().values(**found_by))
        owes = {"account_key": key, "account": key, "amount_due": ZERO}
        books.execute(balance_due.insert().values(**owes))
        number = at + 1
        user = {"number": number, "mailbox": f"{text}@{number}", "address": "customer@p.example",
                "username": f"{text[::-1]}{number}", "state": UserState.ACTIVE,
                "made_at": NOW}  # fmt: skip
        books.execute(web_user.insert().values(**user))


def test_postgresql_plans_each_search_by_what_is_typed_and_nothing_else_so(database):
    if database.is_sqlite:
        pytest.skip("SQLite plans without looking at what is typed")
    query = sa.select(account_search.c.account_key).where(search.has_words(("2172",)))
    text = query.compile(database.engine, compile_kwargs={"literal_binds": True})

    with database.reading() as books:
        find_customers(books, CustomerSearch(("2172",), ("2172",)))
        during = books.exec_driver_sql("SHOW plan_cache_mode").scalar()
        books.exec_driver_sql(BY_THE_INDEX)
        plan = "\n".join(books.exec_driver_sql(f"EXPLAIN {text}").scalars())
    with database.reading() as books:
        after = books.exec_driver_sql("SHOW plan_cache_mode").scalar()

    assert ("force_custom_plan", "auto") == (during, after)
    assert "ix_account_search_trigrams" in plan


@pytest.fixture
def refused(empty_postgres) -> Iterator[tuple[str, str]]:
    """Books of a user who may make no extension: its URL, and that of whoever may."""
    server, owner = os.environ[POSTGRES], "billclose_makes_no_extension"
    with fresh_postgres(server, "template0") as url:
        name = sa.make_url(url).database
        _tell(url, f"DROP ROLE IF EXISTS {owner}", f"CREATE ROLE {owner} LOGIN",
              f"ALTER SCHEMA public OWNER TO {owner}",
              f'REVOKE CREATE ON DATABASE "{name}" FROM PUBLIC')  # fmt: skip
        yield sa.make_url(url).set(username=owner).render_as_string(hide_password=False), url
        _tell(url, "ALTER SCHEMA public OWNER TO CURRENT_USER")
        _tell(url, f"DROP OWNED BY {owner} CASCADE", f"DROP ROLE {owner}")


def _tell(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as told:
        for statement in statements:
            told.exec_driver_sql(statement)
    engine.dispose()


def _indexes(url: str) -> list[str]:
    engine = sa.create_engine(url)
    with engine.connect() as asked:
        query = "SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%% USING gin %%' ORDER BY 1"
        found = list(asked.exec_driver_sql(query).scalars())
    engine.dispose()
    return found


def test_where_the_extension_is_refused_books_are_made_without_and_get_it_later(refused):
    ours, administrators = refused
    books = Database(ours)

    made = migrate(books)
    with books.reading() as reading:
        without = lacks_trigrams(reading), find_customers(reading, CustomerSearch(("x",), ("x",)))
    before = _indexes(ours)
    _tell(administrators, f"CREATE EXTENSION {EXTENSION}")
    again = migrate(books)
    with books.reading() as reading:
        still = lacks_trigrams(reading)
    books.close()

    assert (made, True, (), []) == (again, without[0], without[1].rows, before)
    assert (False, INDEXES) == (still, _indexes(ours))


def test_a_backup_is_restored_where_there_is_no_extension(refused, tmp_path):
    ours, administrators = refused
    file = tmp_path / "backup.tar.gz"
    with fresh_postgres(os.environ[POSTGRES], "template0") as first:
        office = Desk(tmp_path / "office", {"BILLCLOSE_DATABASE__URL": first})
        with_it = office("init")
        done = [with_it, office("backup", "--to", file)]
        had = _indexes(first)
    new = Desk(tmp_path / "new", {"BILLCLOSE_DATABASE__URL": ours})

    restored = new("restore", "--from", file)
    left = _indexes(ours)
    told = [new("init"), new("init", "--json")]
    _tell(administrators, f"CREATE EXTENSION {EXTENSION}")
    healed = new("init")

    assert [0, 0] == [answer.status for answer in done], [answer.err for answer in done]
    assert (0, INDEXES, []) == (restored.status, had, left), restored.err
    assert "has no pg_trgm: a customer is found" in told[0].out and "pg_trgm" not in with_it.out
    assert told[1].json["reads_every_text"] is True
    assert ("pg_trgm" not in healed.out, INDEXES) == (True, _indexes(ours)), healed.out
