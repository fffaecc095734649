"""Queries as texts made once: they answer as SQLAlchemy does, on both kinds of database."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import web.desk  # noqa: F401 - loads every page's queries
from bench.web import books as city
from database import prepared
from database.prepared import Prepared
from database.tables import gateway_payment
from database.types import Cents, Moment, one_of
from domain.money import Money
from domain.payments import MethodKind, PaymentState
from identity.tokens import token_hash
from tests.release import so_many

NOW = datetime(2026, 11, 3, 16, 0, tzinfo=UTC)
GIVEN = {
    "keys": [str(city.FIRST), str(city.FIRST + 1), "none"],
    "most": 5,
    "period": "2026-10",
    "user": 1,
    "mailbox": "0@p.example",
    "token": token_hash(f"bench-{0:040}"),
    "now": NOW,
    "idle": NOW - timedelta(minutes=30),
    "since": NOW.date(),
    "until": NOW.date() + timedelta(days=90),
}
_KIND = one_of(MethodKind, "method")
_ECHO = Prepared(
    sa.select(
        sa.bindparam("money", type_=Cents()).label("money"),
        sa.bindparam("moment", type_=Moment()).label("moment"),
        sa.bindparam("day", type_=sa.Date()).label("day"),
        sa.bindparam("is_it", type_=sa.Boolean()).label("is_it"),
        sa.cast(sa.bindparam("much"), sa.Float()).label("much"),
        sa.bindparam("kind", type_=_KIND).label("kind"),
        sa.bindparam("text", type_=sa.String()).label("text"),
        sa.literal("50 % of it: 'half' ?").label("of_the_query"),
    )
)
_text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
_values = st.fixed_dictionaries(
    {
        "money": st.none() | st.integers(-(10**15), 10**15).map(Money),
        "moment": st.none()
        | st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
        "day": st.none() | st.dates(date(1990, 1, 1), date(2090, 1, 1)),
        "is_it": st.none() | st.booleans(),
        "much": st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32),
        "kind": st.none() | st.sampled_from(MethodKind),
        "text": st.none() | _text,
    }
)


@pytest.fixture
def small_city(database):
    city.fill_city(database, 40, NOW)
    city.sign_in(database, 40, NOW)
    return database


def of_the_pages():
    """Return every prepared query of the program, by its place."""
    return {
        f"{module.__name__}.{name}": one
        for module in list(sys.modules.values())
        for name, one in list(vars(module).items())  # a thread may load into it meanwhile
        if isinstance(one, Prepared) and one is not _ECHO
    }


def values_of(query):
    """Return a value for each name of a query that has to be given one."""
    names = {name for name, bound in query.compile().binds.items() if bound.required}
    return {name: GIVEN[name] for name in names}


def test_every_query_of_the_pages_answers_as_by_sqlalchemy(small_city):
    known, answered = of_the_pages(), set()
    with small_city.reading() as books:
        for name, one in known.items():
            asked = values_of(one.query)
            expected = [tuple(row) for row in books.execute(one.query, asked)]
            for _ in range(3):  # by SQLAlchemy at first, later by the driver
                rows = one.rows(books, asked)
                assert expected == [tuple(row) for row in rows], name
            if rows:
                answered.add(name)
                assert tuple(one.query.selected_columns.keys()) == rows[0]._fields

    assert len(known) >= 7
    assert {"identity.sessions._USERS", "database.queries.portal.standings._OF_USER"} <= answered


@given(_values)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=so_many(15, release=40),
)
def test_values_come_back_as_what_they_were(database, values):
    with database.reading() as books:
        for _ in range(2):
            (row,) = _ECHO.rows(books, values)
            assert {**values, "of_the_query": "50 % of it: 'half' ?"} == row._asdict()
            assert all(type(value) is type(getattr(row, name)) for name, value in values.items())


def test_lists_of_each_length_are_asked_for_and_few_texts_are_kept(database, monkeypatch):
    monkeypatch.setattr(prepared, "KEPT", 4)
    each = [sa.select(sa.literal(n).label("n")) for n in range(9)]
    numbers = sa.union_all(*each).subquery("numbers")
    wanted = sa.bindparam("wanted", expanding=True)
    query = Prepared(sa.select(numbers.c.n).where(numbers.c.n.in_(wanted)).order_by(numbers.c.n))
    found = []
    with database.reading() as books:
        for length in [*range(9), 0, 3]:
            for _ in range(2):
                rows = query.rows(books, {"wanted": list(range(length))})
                found.append([row.n for row in rows] == list(range(length)))

    assert all(found)
    assert len(query._texts) <= 4


def test_a_list_of_the_query_itself_is_written_once(small_city):
    row = gateway_payment.c
    query = Prepared(
        sa.select(row.key, row.state)
        .where(row.state.in_([PaymentState.SCHEDULED, PaymentState.UNKNOWN]), row.amount > Money(0))
        .where(row.account_key.in_(sa.bindparam("keys", expanding=True)))
    )
    asked = {"keys": [str(city.FIRST + at) for at in range(40)]}
    with small_city.reading() as books:
        expected = sorted(map(tuple, books.execute(query.query, asked)))
        found = [sorted(map(tuple, query.rows(books, asked))) for _ in range(2)]

    assert len(expected) > 5
    assert [expected, expected] == found


def test_a_failure_is_told_as_by_sqlalchemy_without_the_values(database):
    query = Prepared(
        sa.select(gateway_payment.c.key).where(gateway_payment.c.key == sa.bindparam("secret"))
    )
    with database.reading() as books:
        query.rows(books, {"secret": "K-1"})
    with database.writing() as books:
        books.exec_driver_sql("ALTER TABLE gateway_payment RENAME TO away")
    try:
        with database.reading() as books, pytest.raises(sa.exc.DBAPIError) as raised:
            query.rows(books, {"secret": "K-1"})
    finally:
        with database.writing() as books:
            books.exec_driver_sql("ALTER TABLE away RENAME TO gateway_payment")

    assert "gateway_payment" in str(raised.value) and "K-1" not in str(raised.value)


def test_whoever_listens_hears_each_query(database):
    heard = []

    def hear(_books, _cursor, statement, *_more):
        heard.append(statement)

    values = dict.fromkeys(("money", "moment", "day", "is_it", "much", "kind", "text"))
    with database.reading() as books:
        _ECHO.rows(books, values)
        sa.event.listen(database.engine, "before_cursor_execute", hear)
        try:
            _ECHO.rows(books, values)
            _ECHO.rows(books, values)
        finally:
            sa.event.remove(database.engine, "before_cursor_execute", hear)

    assert 2 == len(heard)
