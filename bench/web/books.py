"""A city with a portal, made by SQL alone: accounts, two years of movements, its customers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from email.utils import localtime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from database.books import Database
from database.definitions.identity import account_link, web_session, web_user
from database.schema import metadata
from database.tables import bill_run, period_close
from domain.identity import LinkProof, UserState
from domain.money import ZERO
from domain.runs import RunState
from identity.tokens import token_hash

MONTHS = 24
CUSTOMERS = 1_000
FIRST = 1_000_000  # the number of the first account
_TOTALS = ("opening_balance", "billed", "payments", "adjustments", "penalties", "closing_balance")
_ACCOUNTS = f"""
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :accounts - 1)
    INSERT INTO account (period, account_key, account, name, last_name, service_address,
        mailing_address, city, state, zip, phone, email, ebill, send_paper, status,
        opening_balance, closing_balance, amount_due, direct_pay, block_ach, block_card,
        cosigner_id, district)
    SELECT :period, CAST({FIRST} + i AS VARCHAR(64)), CAST({FIRST} + i AS VARCHAR(64)),
        'Abbott' || CAST(i % 997 AS VARCHAR(9)) || ', Ann', 'Abbott' || CAST(i % 997 AS VARCHAR(9)),
        CAST(i % 9000 AS VARCHAR(9)) || ' Canyon St', 'PO Box ' || CAST(i % 5000 AS VARCHAR(9)),
        'Larkspur', 'CO', '80540', CAST(9700000000 + i AS VARCHAR(20)),
        'ann' || CAST(i AS VARCHAR(9)) || '@example.com', TRUE, FALSE, 'active', 0,
        4000 + i % 9000, 4000 + i % 9000, FALSE, FALSE, FALSE, '',
        'District ' || CAST(i % 7 AS VARCHAR(9))
    FROM n"""
_FILLS = (
    """INSERT INTO balance_due (account_key, account, period, amount_due, added, paid, due_on,
            equal_pay)
        SELECT account_key, account, period, amount_due, 0, 0, :due_on, FALSE FROM account""",
    """INSERT INTO bill (period, form, account_key, ordinal, account, bulk, first_page, pages, pdf,
            sha256, size)
        SELECT period, 'utility-bill', account_key, 1, account, 1, 0, 2,
            period || '/utility-bill/' || account_key || '.pdf', '', 60000 FROM account""",
    """INSERT INTO gateway_payment (key, kind, period, account_key, account, number, pay_on, amount,
            service_fee, method_token, method_kind, last4, immediate, state, scheduled_at)
        SELECT 'autopay/' || account_key, 'autopay', period, account_key, account, 1, :due_on,
            amount_due, 0, 'tok', 'card', '4242', FALSE, 'scheduled', :now
        FROM account WHERE amount_due % 2 = 0""",
    """INSERT INTO account_search (account_key, period, district, meters, text)
        SELECT account_key, period, district, ' wm7' || account_key || ' ',
            ' ' || account_key || :line || LOWER(last_name)
            || ' ann ' || :line || LOWER(service_address || ' ' || mailing_address || ' ' || city)
            || ' co 80540 ' || :line || REPLACE(REPLACE(email, '@', ''), '.', '') || :line || phone
            || :line || ' '
        FROM account""",
)
_MOVEMENTS = """
    INSERT INTO movement (period, line, account_key, account, posted_on, service, description, kind,
        amount, usage)
    SELECT :period, CAST(account_key AS INTEGER) * 2 + :at, account_key, account, :posted_on,
        :service, :words, :kind, :sign * amount_due, :usage
    FROM account"""


def make_city(
    database: Database, accounts: int, now: datetime, *, has_movements: bool = True
) -> None:
    """Make the tables of empty books, and fill them."""
    if sa.inspect(database.engine).get_table_names():
        raise RuntimeError("the database is not empty; give one that holds nothing")
    metadata.create_all(database.engine)
    fill_city(database, accounts, now, has_movements=has_movements)


def tidy(database: Database) -> None:
    """Let the database count what there is, as it does by itself within a minute or a night."""
    if not database.is_sqlite:
        _clean_up(database.url)
        return
    with database.writing() as books:
        books.exec_driver_sql("ANALYZE")


def fill_city(
    database: Database, accounts: int, now: datetime, *, has_movements: bool = True
) -> None:
    """Fill empty books: every month is closed, all but the newest with its movements alone."""
    months = list(_months(now.date()))
    with database.writing() as books:
        for start, end in months:
            books.execute(bill_run.insert().values(**_run(start, end, now, accounts)))
            closed = {"period": f"{start:%Y-%m}", "closed_at": now, "closed_by": "bench"}
            books.execute(period_close.insert().values(**closed))
        newest = f"{months[-1][0]:%Y-%m}"
        books.execute(sa.text(_ACCOUNTS), {"accounts": accounts, "period": newest})
        given: dict[str, Any] = {
            "due_on": _day(books, months[-1][1] + timedelta(days=20)),
            "now": now.replace(tzinfo=None) if database.is_sqlite else now,
            "line": " \n ",
        }
        for statement in _FILLS:
            named = {name: given[name] for name in given if f":{name}" in statement}
            books.execute(sa.text(statement), named)
    for start, end in months if has_movements else ():
        with database.writing() as books:
            _add_movements(books, start, end)
    tidy(database)


def _clean_up(url: str) -> None:
    """Leave nothing to PostgreSQL's housekeeping, which would share the processors meanwhile."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as books:
        books.exec_driver_sql("VACUUM (ANALYZE)")
        books.exec_driver_sql("CHECKPOINT")
    engine.dispose()


def sign_in(
    database: Database, accounts: int, now: datetime, customers: int = CUSTOMERS
) -> list[str]:
    """Sign customers in, each with an account of their own; return the tokens of their cookies."""
    count = min(customers, accounts)
    tokens = [f"bench-{one:040}" for one in range(count)]
    users = [{"number": at + 1, "mailbox": f"{at}@p.example"} for at in range(count)]
    places = [
        {"user_number": at + 1, "account_key": _spread(at, accounts, count)} for at in range(count)
    ]
    sessions = [
        {"user_number": at + 1, "token_sha256": token_hash(token), "csrf": token[:43]}
        for at, token in enumerate(tokens)
    ]
    known = {"state": UserState.ACTIVE, "made_at": now, "address": "customer@p.example"}
    seen = {"made_at": now, "seen_at": now, "expires_at": now + timedelta(hours=12), "version": 1}
    linked = {"proof": LinkProof.NAME, "linked_at": now, "linked_by": "bench"}
    with database.writing() as books:
        books.execute(web_user.insert().values(**known), users)
        books.execute(account_link.insert().values(**linked), places)
        books.execute(web_session.insert().values(**seen), sessions)
    return tokens


def stay_signed_in(url: str) -> None:
    """Let no session run out while others are measured."""
    database, now = Database(url), localtime().astimezone(UTC)
    later = {"seen_at": now, "expires_at": now + timedelta(hours=12)}
    with database.writing() as books:
        books.execute(web_session.update().values(later))
    database.close()


def empty(url: str) -> None:
    """Take a city out of a PostgreSQL database again: this bench made it there."""
    database = Database(url)
    with database.writing() as books:
        books.exec_driver_sql("DROP SCHEMA public CASCADE")
        books.exec_driver_sql("CREATE SCHEMA public")
    database.close()


def books_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'billclose.db'}"


def _spread(at: int, accounts: int, count: int) -> str:
    return str(FIRST + at * (accounts // count))


def _months(today: date) -> list[tuple[date, date]]:
    """Return the months before a day, the oldest first."""
    months, first = [], today.replace(day=1)
    for _ in range(MONTHS):
        end = first - timedelta(days=1)
        first = end.replace(day=1)
        months.append((first, end))
    return months[::-1]


def _run(start: date, end: date, now: datetime, accounts: int) -> dict[str, Any]:
    return {
        "period": f"{start:%Y-%m}", "state": RunState.CLOSED, "utility": "City of Larkspur",
        "timezone": "America/Denver", "starts_on": start, "ends_on": end,
        "due_on": end + timedelta(days=20), "export_name": "bench", "export_sha256": "",
        "imported_at": now, "imported_by": "bench", "control_accounts": accounts,
        "control_bills": accounts, **{f"control_{name}": ZERO for name in _TOTALS},
    }  # fmt: skip


def _add_movements(books: Connection, start: date, end: date) -> None:
    billed = {"at": 0, "posted_on": _day(books, end), "service": "Water", "kind": "billing"}
    paid = {"at": 1, "posted_on": _day(books, start + timedelta(days=18)), "service": ""}
    for row in (
        {**billed, "words": "Water", "sign": 1, "usage": 7.5},
        {**paid, "words": "Payment", "kind": "payment", "sign": -1, "usage": None},
    ):
        typed = sa.text(_MOVEMENTS).bindparams(sa.bindparam("usage", type_=sa.Float))
        books.execute(typed, {"period": f"{start:%Y-%m}", **row})


def _day(books: Connection, day: date) -> Any:
    return day if books.dialect.name == "postgresql" else day.isoformat()
