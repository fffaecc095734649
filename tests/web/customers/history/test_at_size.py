"""The pages of a customer among many others: how they ask the books, and how heavy they are."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from bench.web import books as city
from bench.web.weighing import PLAIN, WITH_CHART
from database.tables import account, bill
from office.secrets.files import make_secret
from office.settings.close import WebSettings
from tests.office.health_builders import an_office_at
from tests.web.customers.conftest import Browser
from web.desk import desk_of

ACCOUNTS, MONTHS = 40, 36
NOW = datetime(2026, 11, 3, 16, 0, tzinfo=UTC)
LARGE = (
    *("account", "balance_due", "balance_entry", "bill", "checkout_line", "draw"),
    *("gateway_payment", "movement", "portal_link", "web_session", "web_user"),
)
# The most that a page may ask the books; one of them is of the clock that the tests set.
STATEMENTS = {"/": 7, "/bills": 9, "/usage": 6}
# The session and the page are read in one; another is of the clock that the tests set.
TRANSACTIONS = {"/": 2, "/bills": 2, "/usage": 2, "/news": 2}


@pytest.fixture
def browser_in(database, tmp_path, monkeypatch):
    """A browser in a city with three years behind it."""
    monkeypatch.setattr(city, "MONTHS", MONTHS)
    city.fill_city(database, ACCOUNTS, NOW)
    token = city.sign_in(database, ACCOUNTS, NOW)[0]
    with database.writing() as books:
        _add_years(books)
        if database.is_sqlite:  # it knows how few they are, and would scan by choice
            books.exec_driver_sql("DELETE FROM sqlite_stat1")
            books.exec_driver_sql("ANALYZE sqlite_master")
    make_secret(tmp_path)
    office = an_office_at(
        tmp_path, database, "2026-11-03T09:00", web=WebSettings(url="http://127.0.0.1")
    )
    browser = Browser(desk_of(office), address="http://127.0.0.1")
    browser.cookies.set("portal", token)
    return browser


def _add_years(books):
    """Give the first customer a bill of every period."""
    first, newest = str(city.FIRST), books.scalar(sa.select(sa.func.max(account.c.period)))
    periods = [f"{start:%Y-%m}" for start, _ in city._months(NOW.date())]
    for table in (account, bill):
        mine = sa.select(table).where(table.c.account_key == first, table.c.period == newest)
        row = dict(books.execute(mine).one()._mapping)
        for period in periods:
            if period != newest:
                books.execute(table.insert().values(row | {"period": period}))


def test_a_page_reads_its_own_rows_alone_however_many_accounts_there_are(browser_in, database):
    found = {path: _asked_by(browser_in, database, path) for path in STATEMENTS}

    counts = {path: len(asked) for path, asked in found.items()}
    scans = [scan for asked in found.values() for one in asked for scan in _scans(database, *one)]

    assert [] == scans
    assert {} == {path: n for path, n in counts.items() if n > STATEMENTS[path]}


def test_a_page_opens_the_books_once_or_twice(browser_in, database):
    counts = {}
    for path in TRANSACTIONS:
        begun = []
        hear = begun.append
        browser_in.get(path)
        sa.event.listen(database.engine, "begin", hear)
        try:
            assert browser_in.get(path).status_code == 200
        finally:
            sa.event.remove(database.engine, "begin", hear)
        counts[path] = len(begun)

    assert {} == {path: n for path, n in counts.items() if n > TRANSACTIONS[path]}


def _asked_by(browser, database, path):
    """Return what a page asks the books, after what is looked up once and kept."""
    asked = []
    browser.get(path)

    def hear(_books, _cursor, statement, given, *_more):
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            asked.append((statement, given))

    sa.event.listen(database.engine, "before_cursor_execute", hear)
    try:
        assert browser.get(path).status_code == 200
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", hear)
    return asked


def _scans(database, statement, given):
    """
    Return the steps of a statement that can read a large table only from beginning to end.

    In so small a city PostgreSQL would scan by choice: it is asked to where it has another way.
    """
    with database.reading() as books:
        if not database.is_sqlite:
            books.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
        steps = [str(row[-1]) for row in books.exec_driver_sql(explain + statement, given)]
    large = "|".join(LARGE)
    of_a_state = "USING INDEX ix_arrangement_state"  # as long as the list of plans in force
    whole = rf"SCAN ({large})\b|{of_a_state}" if database.is_sqlite else rf"Seq Scan on ({large})\b"
    return [f"{step} in {statement}" for step in steps if re.search(whole, step)]


def test_pages_of_a_customer_with_three_years_of_bills_are_light(browser_in):
    weights = {}
    for path in STATEMENTS:
        page = browser_in.get(path).text
        parts = set(re.findall(r'(?:href|src)="(/(?:static|theme)/[^"]+)"', page))
        beside = sum(len(browser_in.get(part).content) for part in parts)
        weights[path] = (len(page.encode()) + beside, WITH_CHART if "<svg" in page else PLAIN)

    over = {path: weight for path, (weight, most) in weights.items() if weight >= most}

    assert {} == over
    assert weights["/bills"][0] > weights["/"][0]  # it is the customer with the years
